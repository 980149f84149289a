package dev.elman.spark;

import dev.elman.Backends;
import dev.elman.backend.Backend;
import dev.elman.backend.BackendUnavailableException;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.resource.ResourceInformation;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where a task computes.
 *
 * @param gpu address of the GPU that Spark assigned to the task, or null
 * @param threads of the CPU, where there is no GPU or it cannot be used
 */
record Placement(String gpu, int threads) {
    private static final Logger LOG = LoggerFactory.getLogger(Placement.class);

    /** The GPU of the task that calls this, or its share of the cores. */
    static Placement ofTask() {
        return new Placement(assignedGpu(), Math.max(1, TaskContext.get().cpus()));
    }

    /** The GPU of the task that calls this, or all cores of its executor: for what is one an executor. */
    static Placement ofExecutor() {
        int all = Runtime.getRuntime().availableProcessors();
        return new Placement(assignedGpu(), SparkEnv.get().conf().getInt("spark.executor.cores", all));
    }

    private static String assignedGpu() {
        ResourceInformation gpu = TaskContext.get().resourcesJMap().get("gpu");
        return gpu == null || gpu.addresses().length == 0 ? null : gpu.addresses()[0];
    }

    /**
     * A backend that is open, and what it is for people.
     *
     * @param backend belongs to the calling thread
     */
    record Opened(Backend backend, String description) {}

    /** The GPU, or, where it cannot be used, the CPU with a warning that says why. */
    Opened open() {
        if (gpu == null) return cpu("");
        try {
            Backend backend = Backends.openCuda(Integer.parseInt(gpu.strip()));
            return new Opened(backend, backend.description());
        } catch (BackendUnavailableException | NumberFormatException e) {
            LOG.warn(
                    "Spark assigned GPU {} to this task, but it cannot be used, so the CPU computes: {}",
                    gpu,
                    e.getMessage());
            return cpu("; GPU " + gpu + " was assigned, but cannot be used");
        }
    }

    private Opened cpu(String remark) {
        Backend backend = Backends.openCpu(threads);
        return new Opened(backend, backend.description() + remark);
    }
}
