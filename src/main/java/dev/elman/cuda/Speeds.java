package dev.elman.cuda;

/** What an H100 or H200 was measured to reach, a microsecond, for choices between ways to the same result. */
final class Speeds {
    /** Of cuBLAS in strict float32. */
    static final double FLOAT32_OPERATIONS = 50e6;

    /** Of cuBLAS in TF32. */
    static final double TF32_OPERATIONS = 400e6;

    /** Expected of our own products, in strict float32; large ones then reached 37e6 to 45e6 on an H200. */
    static final double OWN_OPERATIONS = 30e6;

    /** Of memory, read or written. */
    static final double BYTES_PER_MICRO = 3e6;

    private Speeds() {}
}
