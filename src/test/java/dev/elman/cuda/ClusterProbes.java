package dev.elman.cuda;

import dev.elman.cuda.Probe.Finding;
import dev.elman.cuda.Probe.Scale;
import java.util.ArrayList;
import java.util.List;
import jcuda.Pointer;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUfunction;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.JCudaDriver;

/** Whether clusters of blocks can be started from Java, and what they are worth. Compute capability 9.0 and newer have them. */
final class ClusterProbes {
    private static final String CLUSTERS = "clusters.sm90.ptx";
    private static final int THREADS = 256;
    private static final int VECTORS = 2048;
    private static final int CLUSTER = 8;

    /** With the kernel's own, more shared memory than half of a multiprocessor has: one block on each. */
    private static final int ALONE = 96 << 10;

    private ClusterProbes() {}

    static List<Probe> all() {
        return List.of(
                new Probe("clusters of a size that the PTX fixes", ClusterProbes::fixed),
                new Probe("clusters of a size that the host asks for", ClusterProbes::asked),
                new Probe("clusters of 16", ClusterProbes::large),
                new Probe(
                        "reads of another block's shared memory",
                        (device, scale) ->
                                bandwidth(device, scale, "probe_cluster_read", "read", ClusterProbes::sumOfReads)),
                new Probe(
                        "writes into another block's shared memory",
                        (device, scale) -> bandwidth(
                                device, scale, "probe_cluster_write", "written", ClusterProbes::sumOfWrites)));
    }

    private static List<Finding> fixed(ProbeDevice device, Scale scale) {
        requireClusters(device);
        List<Finding> findings = new ArrayList<>();
        for (int size : new int[] {2, 4, CLUSTER}) {
            findings.add(steps(device, scale, device.kernel(CLUSTERS, "probe_cluster_" + size), size, "fixed"));
        }
        findings.add(Finding.answer("clusters by .reqnctapercluster and cuLaunchKernel", "start"));
        return findings;
    }

    private static List<Finding> large(ProbeDevice device, Scale scale) {
        requireClusters(device);
        CUfunction steps = device.kernel(CLUSTERS, "probe_cluster_16");
        attribute(device, steps, CUfunction_attribute.CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED, 1);
        return List.of(steps(device, scale, steps, 16, "fixed"));
    }

    private static List<Finding> asked(ProbeDevice device, Scale scale) {
        requireClusters(device);
        CUfunction steps = device.kernel(CLUSTERS, "probe_cluster_asked");
        attribute(device, steps, CUfunction_attribute.CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_WIDTH, CLUSTER);
        attribute(device, steps, CUfunction_attribute.CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_HEIGHT, 1);
        attribute(device, steps, CUfunction_attribute.CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_DEPTH, 1);
        return List.of(
                steps(device, scale, steps, CLUSTER, "asked for"),
                Finding.answer("clusters by cuFuncSetAttribute and cuLaunchKernel", "start"));
    }

    private static void requireClusters(ProbeDevice device) {
        int major = device.attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
        if (major < 9) throw new Probe.Refusal("compute capability " + major + ".x has no clusters");
    }

    private static void attribute(ProbeDevice device, CUfunction function, int attribute, int value) {
        device.call(
                "cuFuncSetAttribute " + CUfunction_attribute.stringFor(attribute),
                () -> JCudaDriver.cuFuncSetAttribute(function, attribute, value));
    }

    private static Finding steps(ProbeDevice device, Scale scale, CUfunction function, int size, String how) {
        int blocks = wholeClusters(device, size);
        CUdeviceptr out = device.ints(THREADS * blocks);
        double micros = ProbeDevice.slope(scale.few(), scale.steps(), count -> {
            // The third is read by one kernel only; the others do not know it.
            Pointer parameters = ProbeDevice.parameters(out, count, size);
            double time = device.micros(() -> device.launch(function, blocks, THREADS, 0, parameters));
            int[] result = device.download(out, THREADS * blocks);
            requireStarted(result);
            for (int i = 0; i < result.length; i++) {
                int rank = Math.floorMod(i / THREADS % size - count, size);
                Probe.require(result[i] == THREADS * rank + i % THREADS, "a barrier of a cluster did not hold");
            }
            return time;
        });
        String what = "barrier of a cluster, a step, " + blocks + " blocks in clusters of " + size + ", " + how;
        return new Finding(what, micros, "us", size > CLUSTER ? 0.55 : 0.45);
    }

    private static void requireStarted(int... result) {
        for (int value : result) {
            if (value == -1) throw new Probe.Refusal("the blocks started, but not as clusters");
        }
    }

    /** As many blocks as there are multiprocessors, less what makes no whole cluster. */
    private static int wholeClusters(ProbeDevice device, int size) {
        return Math.max(Probes.multiprocessors(device) / size, 1) * size;
    }

    /** The sum of the words that the threads of a block of this rank have met. */
    private interface Sum {
        int of(int rank, int rounds);
    }

    private static List<Finding> bandwidth(ProbeDevice device, Scale scale, String kernel, String done, Sum sum) {
        requireClusters(device);
        CUfunction function = device.kernel(CLUSTERS, kernel);
        attribute(device, function, CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, ALONE);
        List<Finding> findings = new ArrayList<>();
        for (int blocks : new int[] {CLUSTER, wholeClusters(device, CLUSTER)}) {
            CUdeviceptr sums = device.ints(THREADS * blocks);
            double micros = ProbeDevice.slope(scale.few(), scale.steps(), rounds -> {
                Pointer parameters = ProbeDevice.parameters(sums, rounds);
                double time = device.micros(() -> device.launch(function, blocks, THREADS, ALONE, parameters));
                int[] result = device.download(sums, THREADS * blocks);
                requireStarted(result);
                for (int b = 0; b < blocks; b++) {
                    int found = 0;
                    for (int i = 0; i < THREADS; i++) found += result[THREADS * b + i];
                    Probe.require(found == sum.of(b % CLUSTER, rounds), "the sum of what was " + done + " is wrong");
                }
                return time;
            });
            double gigabytes = 16.0 * VECTORS / micros / 1e3;
            String what = "shared memory of other blocks " + done + ", " + blocks + " blocks in clusters of " + CLUSTER;
            findings.add(new Finding(what + ", each", gigabytes, "GB/s", Double.NaN));
            // The model gives the sum over 132 multiprocessors.
            findings.add(new Finding(what + ", all", gigabytes * blocks / 1e3, "TB/s", 3.3 * blocks / 132));
        }
        return findings;
    }

    private static int sumOfReads(int rank, int rounds) {
        int sum = 0;
        for (int round = 0; round < rounds; round++) {
            int from = (rank + 1 + round % 7) % CLUSTER;
            for (int i = 0; i < VECTORS; i++) sum += from + i + (from + i) + 1;
        }
        return sum;
    }

    /** In the last round the block was written by the one that is as many ranks before it. */
    private static int sumOfWrites(int rank, int rounds) {
        int last = rounds - 1;
        int writer = Math.floorMod(rank - 1 - last % 7, CLUSTER);
        int sum = 0;
        for (int i = 0; i < VECTORS; i++) sum += writer + i + last + 1;
        return sum;
    }
}
