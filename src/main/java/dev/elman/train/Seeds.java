package dev.elman.train;

import java.util.Random;
import java.util.SplittableRandom;

/** A seed for each step from the seed of a whole training, and what is drawn from a seed. */
final class Seeds {
    /** 2^64 / golden ratio: neighbouring training seeds land far apart (Steele, Lea and Flood 2014). */
    private static final long GOLDEN = 0x9E3779B97F4A7C15L;

    private Seeds() {}

    /** Mixed: {@link SplittableRandom} itself steps by the golden ratio, and would draw what the seed beside it draws. */
    static long of(long seed, long step) {
        return new SplittableRandom(seed * GOLDEN + step).nextLong();
    }

    /** A {@link Random} whose seed is mixed first: unmixed, neighbouring seeds begin with nearly the same numbers. */
    static Random random(long seed) {
        return new Random(new SplittableRandom(seed).nextLong());
    }
}
