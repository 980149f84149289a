package dev.elman.cpu;

import java.util.Arrays;

/** Arrays of one thread, kept from task to task. What they hold is void when the task ends. */
final class Scratch {
    private float[][] arrays = new float[4][0];

    /** Array number {@code slot}, at least {@code length} long; asking for another length may give another array. */
    float[] floats(int slot, int length) {
        if (slot >= arrays.length) arrays = Arrays.copyOf(arrays, 2 * slot);
        if (arrays[slot] == null || arrays[slot].length < length) arrays[slot] = new float[length];
        return arrays[slot];
    }
}
