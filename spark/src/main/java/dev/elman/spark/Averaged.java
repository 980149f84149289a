package dev.elman.spark;

import java.io.Serializable;

/** The states of some workers after the same steps, as their mean, and what they measured. */
final class Averaged implements Serializable {
    private static final long serialVersionUID = 1L;

    private double weight;
    private float[] state;
    private double loss;
    private double accuracy;
    private double computeSeconds;
    private int workers;
    private String worker;

    /**
     * Of one worker.
     *
     * @param weight of its rows
     * @param loss sum over them
     * @param accuracy sum over them
     */
    Averaged(double weight, float[] state, double loss, double accuracy, double computeSeconds, String worker) {
        this.weight = weight;
        this.state = state;
        this.loss = loss;
        this.accuracy = accuracy;
        this.computeSeconds = computeSeconds;
        this.workers = 1;
        this.worker = worker;
    }

    /** The mean moves towards the other state by its share of the weight; a worker without rows moves nothing. */
    Averaged plus(Averaged other) {
        double share = other.weight == 0 ? 0 : other.weight / (weight + other.weight);
        float[] mean = state.clone();
        for (int i = 0; i < mean.length; i++) mean[i] += (float) (share * ((double) other.state[i] - mean[i]));
        Averaged both = new Averaged(
                weight + other.weight,
                mean,
                loss + other.loss,
                accuracy + other.accuracy,
                computeSeconds + other.computeSeconds,
                worker + "\n" + other.worker);
        both.workers = workers + other.workers;
        return both;
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
        return computeSeconds / workers;
    }

    /** What each worker computed on. */
    java.util.List<String> devices() {
        return worker.lines().sorted().toList();
    }
}
