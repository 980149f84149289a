package dev.elman.text;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;

/**
 * Keras's functions on one text, which need no fitted vocabulary, and one of ours.
 *
 * <p>Keras's {@code one_hot} is not here: it hashes with Python's {@code hash}, which differs from run to run.
 * {@link #hashingTrick} is the reproducible form.
 */
public final class TextPreprocessing {
    /** What Keras filters unless told otherwise: ASCII punctuation but the apostrophe, tab and newline. */
    public static final String DEFAULT_FILTERS = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n";

    /** Keras's word separator. */
    public static final String DEFAULT_SPLIT = " ";

    private TextPreprocessing() {}

    /**
     * The text with letters and their accents as one character where there is one (Unicode's NFC): the same text looks alike either
     * way, and files from a Mac or out of a PDF have the other. Keras leaves them as they are.
     *
     * @throws IllegalArgumentException if the text is null
     */
    public static String composed(String text) {
        require(text != null, "a text", "null");
        return Normalizer.normalize(text, Normalizer.Form.NFC);
    }

    /** The words of {@code text} with Keras's default filters, lower-cased, split at spaces. */
    public static List<String> textToWordSequence(String text) {
        return textToWordSequence(text, DEFAULT_FILTERS, true, DEFAULT_SPLIT);
    }

    /**
     * Keras's {@code text_to_word_sequence}: lower-cases the whole text, replaces every filtered code point by the
     * split string, splits there and drops what is empty. A carriage return or another white space that is neither
     * filtered nor the split string stays part of a word.
     *
     * @param filters each code point of it is replaced; may be empty
     * @param split the separator, one character or several
     * @throws IllegalArgumentException if an argument is null or {@code split} is empty
     */
    public static List<String> textToWordSequence(String text, String filters, boolean lower, String split) {
        require(text != null && filters != null && split != null, "text, filters and split, none of them null", "null");
        // Keras meets the empty separator only here, so a character-level tokenizer may carry one.
        require(
                !split.isEmpty(),
                "a split string of at least one character",
                "an empty one; for characters use charLevel");
        String cased = lower ? Lowercase.of(text) : text;
        StringBuilder clean = new StringBuilder(cased.length());
        cased.codePoints().forEach(c -> {
            if (filters.indexOf(c) >= 0) {
                clean.append(split);
            } else {
                clean.appendCodePoint(c);
            }
        });
        List<String> words = new ArrayList<>();
        int start = 0;
        while (start <= clean.length()) {
            int found = clean.indexOf(split, start);
            int end = found < 0 ? clean.length() : found;
            if (end > start) {
                words.add(clean.substring(start, end));
            }
            start = end + split.length();
        }
        return words;
    }

    /** {@link #hashingTrick(String, int, String, boolean, String)} with Keras's defaults. */
    public static int[] hashingTrick(String text, int n) {
        return hashingTrick(text, n, DEFAULT_FILTERS, true, DEFAULT_SPLIT);
    }

    /**
     * Keras's {@code hashing_trick} with {@code hash_function='md5'}: each word becomes {@code md5(word) % (n - 1) +
     * 1}, the digest read as one big-endian number over the word's UTF-8 bytes. Words may share an id; 0 is never
     * given.
     *
     * @param n size of the id space, ids being 1 to n-1; at least 2
     * @throws IllegalArgumentException if {@code n < 2}, {@code split} is empty, or a word holds half a surrogate pair
     */
    public static int[] hashingTrick(String text, int n, String filters, boolean lower, String split) {
        require(n >= 2, "n of 2 or more, since ids are 1 to n-1", "n = " + n);
        BigInteger range = BigInteger.valueOf(n - 1L);
        return textToWordSequence(text, filters, lower, split).stream()
                .mapToInt(word -> md5(word).mod(range).intValue() + 1)
                .toArray();
    }

    private static BigInteger md5(String word) {
        try {
            ByteBuffer bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(word));
            MessageDigest digest = MessageDigest.getInstance("MD5");
            digest.update(bytes);
            return new BigInteger(1, digest.digest());
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(
                    "hashingTrick: expected well-formed Unicode, given half a surrogate pair; repair the text", e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("hashingTrick: this Java runtime has no MD5; use Tokenizer instead", e);
        }
    }

    private static void require(boolean holds, String expected, String given) {
        if (!holds) {
            throw new IllegalArgumentException("text preprocessing: expected " + expected + ", given " + given);
        }
    }
}
