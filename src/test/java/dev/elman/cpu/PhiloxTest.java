package dev.elman.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** The known-answer vectors of Random123, the authors' own implementation. */
class PhiloxTest {
    @Test
    void givesThePublishedWords() {
        int[] zeros = {0, 0, 0, 0};
        check(zeros, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8);
        int[] ones = {-1, -1, -1, -1};
        check(ones, -1, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd);
        int[] digitsOfPi = {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344};
        check(digitsOfPi, 0x299f31d0a4093822L, 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1);
    }

    /** All at once, with high halves that do not count. */
    private static void check(int[] counter, long key, int... expected) {
        long[][] words = new long[Philox.WORDS][Philox.COUNTERS];
        for (int i = 0; i < Philox.WORDS; i++) Arrays.fill(words[i], counter[i] ^ 0x7L << 40);
        Philox.words(key, words);
        for (int i = 0; i < Philox.WORDS; i++) {
            for (long word : words[i]) assertEquals(expected[i], (int) word);
        }
    }
}
