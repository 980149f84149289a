package dev.elman.cpu;

import java.nio.FloatBuffer;
import java.util.Arrays;

/** Memory of one thread, kept from task to task. What it holds is void when the task ends. */
final class Scratch {
    private float[][] arrays = new float[4][0];
    private final long[][] words = new long[Philox.WORDS][Philox.COUNTERS];

    private final FloatBuffer block =
            OffHeap.collected(Float.BYTES * Tanh.BLOCK).asFloatBuffer();

    /** Array number {@code slot}, at least {@code length} long; asking for another length may give another array. */
    float[] floats(int slot, int length) {
        if (slot >= arrays.length) arrays = Arrays.copyOf(arrays, 2 * slot);
        if (arrays[slot] == null || arrays[slot].length < length) arrays[slot] = new float[length];
        return arrays[slot];
    }

    /** Counters of {@link Philox}. */
    long[][] words() {
        return words;
    }

    /** {@link Tanh#BLOCK} elements outside the heap. */
    FloatBuffer block() {
        return block;
    }
}
