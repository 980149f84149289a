package dev.elman.backend;

/**
 * One step of Adam (Kingma and Ba 2015) or, decoupled, AdamW (Loshchilov and Hutter 2019), with PyTorch's formulas:
 * coupled, g += weightDecay * w; decoupled, w *= 1 - learningRate * weightDecay; then m = beta1 m + (1-beta1) g,
 * v = beta2 v + (1-beta2) g², w -= learningRate * (m / (1-beta1^step)) / (sqrt(v / (1-beta2^step)) + epsilon).
 *
 * @param step counted from 1
 */
public record AdamStep(
        double learningRate,
        double beta1,
        double beta2,
        double epsilon,
        double weightDecay,
        boolean decoupled,
        long step) {}
