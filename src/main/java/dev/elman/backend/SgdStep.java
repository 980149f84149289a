package dev.elman.backend;

/**
 * One step of stochastic gradient descent, PyTorch's formulas without dampening: g += weightDecay * w;
 * v = momentum * v + g; w -= learningRate * (nesterov ? g + momentum * v : v).
 */
public record SgdStep(double learningRate, double momentum, boolean nesterov, double weightDecay) {}
