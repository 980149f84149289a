package dev.elman.cpu;

/**
 * Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2,
 * 3", SC 2011.
 */
final class Philox {
    /** Words of a counter. */
    static final int WORDS = 4;

    /** Counters at once: a number that C2 knows, for then it vectorises whatever comes first. */
    static final int COUNTERS = 256;

    private static final int ROUNDS = 10;
    private static final long MULTIPLIER_0 = 0xD2511F53L;
    private static final long MULTIPLIER_1 = 0xCD9E8D57L;
    private static final int WEYL_0 = 0x9E3779B9;
    private static final int WEYL_1 = 0xBB67AE85;
    private static final long WORD = 0xFFFFFFFFL;

    private Philox() {}

    /**
     * Replaces counters by the words that they and the key (low word first) give.
     *
     * @param counters [WORDS][COUNTERS], in the low halves of longs, whose high halves are void: so C2 vectorises the rounds, a
     *     third of the time that one counter after the other takes
     */
    static void words(long key, long[][] counters) {
        int k0 = (int) key;
        int k1 = (int) (key >>> Integer.SIZE);
        for (int round = 0; round < ROUNDS; round++) {
            round(counters[0], counters[1], counters[2], counters[3], k0, k1);
            k0 += WEYL_0;
            k1 += WEYL_1;
        }
    }

    private static void round(long[] c0, long[] c1, long[] c2, long[] c3, int k0, int k1) {
        for (int i = 0; i < COUNTERS; i++) {
            long product0 = MULTIPLIER_0 * (c0[i] & WORD);
            long product1 = MULTIPLIER_1 * (c2[i] & WORD);
            c0[i] = (product1 >>> Integer.SIZE) ^ c1[i] ^ k0;
            c1[i] = product1;
            c2[i] = (product0 >>> Integer.SIZE) ^ c3[i] ^ k1;
            c3[i] = product0;
        }
    }
}
