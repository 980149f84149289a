package dev.elman.train;

/** A seed for each step from the seed of a whole training. */
final class Seeds {
    /** 2^64 / golden ratio: neighbouring training seeds land far apart (Steele, Lea and Flood 2014). */
    private static final long GOLDEN = 0x9E3779B97F4A7C15L;

    private Seeds() {}

    static long of(long seed, long step) {
        return seed * GOLDEN + step;
    }
}
