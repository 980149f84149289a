package dev.elman.reference;

/**
 * Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2,
 * 3", SC 2011.
 */
final class Philox {
    private static final int ROUNDS = 10;
    private static final long MULTIPLIER_0 = 0xD2511F53L;
    private static final long MULTIPLIER_1 = 0xCD9E8D57L;
    private static final int WEYL_0 = 0x9E3779B9;
    private static final int WEYL_1 = 0xBB67AE85;

    private Philox() {}

    /** The four words for this counter and this key, low words first. */
    static int[] words(int c0, int c1, int c2, int c3, long key) {
        int k0 = (int) key;
        int k1 = (int) (key >>> 32);
        int[] c = {c0, c1, c2, c3};
        for (int round = 0; round < ROUNDS; round++) {
            long product0 = MULTIPLIER_0 * Integer.toUnsignedLong(c[0]);
            long product1 = MULTIPLIER_1 * Integer.toUnsignedLong(c[2]);
            c = new int[] {
                (int) (product1 >>> 32) ^ c[1] ^ k0, (int) product1, (int) (product0 >>> 32) ^ c[3] ^ k1, (int) product0
            };
            k0 += WEYL_0;
            k1 += WEYL_1;
        }
        return c;
    }
}
