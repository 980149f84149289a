package dev.elman.spark;

import java.io.Serializable;
import org.apache.spark.TaskContext;

/** What tests do to workers: called by each when it begins an epoch, or, averaging, a round of one. */
interface WorkerHook extends Serializable {
    void begin(TaskContext worker, int epoch);

    static WorkerHook nothing() {
        return (worker, epoch) -> {};
    }
}
