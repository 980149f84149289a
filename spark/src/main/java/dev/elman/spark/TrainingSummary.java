package dev.elman.spark;

import java.io.Serializable;
import java.util.List;

/**
 * What a fit went through.
 *
 * @param epochs in order
 * @param workers what each worker computed on, by rank
 * @param restarts how often Spark began the workers of ALLREDUCE again because one was lost; 0 for AVERAGE, of which it
 *     runs the lost task alone again
 */
public record TrainingSummary(List<EpochSummary> epochs, List<String> workers, int restarts) implements Serializable {
    public TrainingSummary {
        epochs = List.copyOf(epochs);
        workers = List.copyOf(workers);
    }
}
