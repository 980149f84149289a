package dev.elman.backend;

/** What turns a step's sum into the new state. All three have derivatives that the state itself tells. */
public enum Activation {
    /** h = tanh(a); dh/da = 1 - h². */
    TANH,
    /** h = max(a, 0); dh/da = 1 where h &gt; 0, else 0. A NaN stays NaN. */
    RELU,
    /** h = a; dh/da = 1. */
    LINEAR
}
