package dev.elman.spark;

import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** The states of some workers after the same steps, as their mean, and what they measured. */
final class Averaged implements Serializable {
    private static final long serialVersionUID = 1L;

    private double weight;
    private float[] state;
    private double loss;
    private double accuracy;
    private double computeSeconds;
    private SortedMap<Integer, String> devices;

    /**
     * Of one worker.
     *
     * @param weight of its rows
     * @param loss sum over them
     * @param accuracy sum over them
     * @param device what it computed on
     */
    Averaged(
            double weight,
            float[] state,
            double loss,
            double accuracy,
            double computeSeconds,
            int rank,
            String device) {
        this(weight, state, loss, accuracy, computeSeconds, new TreeMap<>(Map.of(rank, device)));
    }

    private Averaged(
            double weight,
            float[] state,
            double loss,
            double accuracy,
            double computeSeconds,
            SortedMap<Integer, String> devices) {
        this.weight = weight;
        this.state = state;
        this.loss = loss;
        this.accuracy = accuracy;
        this.computeSeconds = computeSeconds;
        this.devices = devices;
    }

    /**
     * The mean moves towards the other state by its share of the weight; a worker without rows moves nothing. Rounded, so
     * that the order in which workers are added decides the last bits.
     */
    Averaged plus(Averaged other) {
        double share = other.weight == 0 ? 0 : other.weight / (weight + other.weight);
        float[] mean = state.clone();
        for (int i = 0; i < mean.length; i++) mean[i] += (float) (share * ((double) other.state[i] - mean[i]));
        SortedMap<Integer, String> all = new TreeMap<>(devices);
        all.putAll(other.devices);
        return new Averaged(
                weight + other.weight,
                mean,
                loss + other.loss,
                accuracy + other.accuracy,
                computeSeconds + other.computeSeconds,
                all);
    }

    double weight() {
        return weight;
    }

    float[] state() {
        return state;
    }

    double loss() {
        return loss;
    }

    double accuracy() {
        return accuracy;
    }

    /** Of a worker, on average. */
    double computeSeconds() {
        return computeSeconds / devices.size();
    }

    /** What each worker computed on, by rank. */
    List<String> devices() {
        return List.copyOf(devices.values());
    }
}
