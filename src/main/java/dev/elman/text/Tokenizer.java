package dev.elman.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;

/**
 * Maps texts to sequences of integer ids: {@code keras.preprocessing.text.Tokenizer} with the same results, and the
 * same JSON in both directions.
 *
 * <pre>{@code
 * Tokenizer tokenizer = Tokenizer.builder().oovToken("<unk>").build();
 * tokenizer.fitOnTexts(texts);
 * int[][] ids = PadSequences.padSequences(tokenizer.textsToSequences(texts));
 * }</pre>
 *
 * <p>Ids go by falling count, ties by who was seen first over all fits. 0 is never given, so it is free for padding.
 * What surprises people in Keras and is kept:
 *
 * <ul>
 *   <li>{@code numWords} keeps the ids 1 to numWords-1, one word less than its name says, and the OOV token is one of
 *       them. {@link #wordIndex} stays whole. 0 means no limit. With numWords = 1 and an OOV token every word becomes
 *       1.
 *   <li>The OOV token takes id 1 and is compared as given; only the texts are lower-cased and filtered. If the texts
 *       contain it, it gets the id of its count, id 1 belongs to no word, and without numWords a matrix is one column
 *       too narrow: its last word is lost.
 *   <li>Without an OOV token, unknown and cut words vanish from the sequences.
 *   <li>{@code charLevel} takes code points as tokens, spaces among them, and filters nothing.
 *   <li>A text given as tokens is only lower-cased. Keras's {@code analyzer} is this with {@code lower(false)}.
 *   <li>{@link #sequencesToTexts} joins with one space, at the character level and for any split string.
 *   <li>FREQ divides by the length of the sequence before ids beyond the matrix are cut.
 * </ul>
 *
 * <p>Where this class is stricter or kinder: an OOV token before the first fit is an error (Keras emits None), so is a
 * negative id in a matrix (Keras counts from the last column) and a negative numWords; a failed fit changes nothing;
 * after {@link #fromJson} one may go on fitting new words (Keras raises KeyError).
 *
 * <p>Fitting changes the tokenizer and is not safe across threads; a fitted one may be used by many at once.
 */
public final class Tokenizer {
    private final TokenizerSettings settings;
    private final Vocabulary vocabulary;

    Tokenizer(TokenizerSettings settings, Vocabulary vocabulary) {
        this.settings = settings;
        this.vocabulary = vocabulary;
    }

    /** How a row of {@link #sequencesToMatrix} is filled; c is how often an id occurs in the row's sequence. */
    public enum Mode {
        /** 1 where an id occurs. */
        BINARY,
        /** c. */
        COUNT,
        /** c divided by the sequence's length. */
        FREQ,
        /** (1 + ln c) * ln(1 + documents / (1 + documents with this id)), Keras's formula. */
        TFIDF
    }

    /** A tokenizer with Keras's defaults: words, lower-cased, no limit, no OOV token. */
    public static Tokenizer create() {
        return builder().build();
    }

    /** Starts from Keras's defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Keras's {@code tokenizer_from_json}.
     *
     * @throws TokenizerJsonException if the string is not what Keras's or this class's toJson writes; it says what is amiss
     */
    public static Tokenizer fromJson(String json) {
        return TokenizerJson.read(json);
    }

    /**
     * Keras's {@code to_json}, character for character as Python writes it but for the order inside {@code word_docs} and
     * {@code index_docs}.
     */
    public String toJson() {
        return TokenizerJson.write(settings, vocabulary);
    }

    /**
     * Adds the texts to the counts and numbers all words anew, so ids may change. Each text is one document.
     *
     * @throws IllegalArgumentException if a text is null or words are split by an empty string; nothing is changed then
     */
    public void fitOnTexts(Iterable<String> texts) {
        vocabulary.fit(notNull(texts, "fitOnTexts"), settings::tokens, settings.oovToken());
    }

    /** {@link #fitOnTexts} for texts that are tokens already; they are only lower-cased. */
    public void fitOnTokens(Iterable<? extends List<String>> texts) {
        vocabulary.<List<String>>fit(notNull(texts, "fitOnTokens"), settings::tokens, settings.oovToken());
    }

    /**
     * Adds the counts of texts that another tokenizer was fitted on, as if this one were fitted on them now. So texts that
     * lie on several machines are counted where they lie.
     *
     * @throws IllegalArgumentException if the other one has other settings, or counts documents of sequences, too; nothing
     *     is changed then
     */
    public void addCounts(Tokenizer other) {
        if (!settings.equals(other.settings)) {
            throw new IllegalArgumentException(
                    "addCounts: expected a tokenizer with " + settings + ", given one with " + other.settings);
        }
        if (!other.vocabulary.isOfTextsAlone()) {
            throw new IllegalArgumentException(
                    "addCounts: the other tokenizer counts documents of sequences, too, and those"
                            + " have no words. Give one that was fitted on texts alone.");
        }
        vocabulary.add(other.vocabulary, settings.oovToken());
    }

    /** Adds ids to the document counts that TFIDF uses; makes no vocabulary. */
    public void fitOnSequences(int[][] sequences) {
        vocabulary.fitOnSequences(rowsNotNull(sequences, "fitOnSequences"));
    }

    /**
     * The ids of each text, one row a text; rows are as long as the texts are.
     *
     * @throws IllegalStateException if there is an OOV token but no fit before
     */
    public int[][] textsToSequences(Iterable<String> texts) {
        List<int[]> rows = new ArrayList<>();
        for (String text : notNull(texts, "textsToSequences")) {
            rows.add(textToSequence(text));
        }
        return rows.toArray(new int[0][]);
    }

    /** The ids of one text, for who reads texts one by one. */
    public int[] textToSequence(String text) {
        return ids(settings.tokens(text));
    }

    /** {@link #textsToSequences} for texts that are tokens already; they are only lower-cased. */
    public int[][] tokensToSequences(Iterable<? extends List<String>> texts) {
        List<int[]> rows = new ArrayList<>();
        for (List<String> text : notNull(texts, "tokensToSequences")) {
            rows.add(ids(settings.tokens(text)));
        }
        return rows.toArray(new int[0][]);
    }

    private int[] ids(List<String> words) {
        Integer oov = vocabulary.wordIndex.get(settings.oovToken());
        int[] ids = new int[words.size()];
        int n = 0;
        for (String word : words) {
            Integer id = vocabulary.wordIndex.get(word);
            if (id != null && !settings.cuts(id)) {
                ids[n++] = id;
            } else if (oov != null) {
                ids[n++] = oov;
            } else if (id == null && settings.oovToken() != null) {
                throw noOovId("textsToSequences");
            }
        }
        return Arrays.copyOf(ids, n);
    }

    /**
     * The words of each sequence, joined by one space. An unknown or cut id becomes the OOV token, or nothing without
     * one.
     *
     * @throws IllegalStateException if an OOV token is needed but there was no fit before
     */
    public List<String> sequencesToTexts(int[][] sequences) {
        List<String> texts = new ArrayList<>(rowsNotNull(sequences, "sequencesToTexts").length);
        Integer oov = vocabulary.wordIndex.get(settings.oovToken());
        String oovWord = oov == null ? null : vocabulary.indexWord.get(oov);
        for (int[] sequence : sequences) {
            StringJoiner text = new StringJoiner(" ");
            for (int id : sequence) {
                String word = vocabulary.indexWord.get(id);
                if (word != null && !settings.cuts(id)) {
                    text.add(word);
                } else if (oovWord != null) {
                    text.add(oovWord);
                } else if (settings.oovToken() != null && (word == null || oov != null)) {
                    throw noOovId("sequencesToTexts");
                }
            }
            texts.add(text.toString());
        }
        return texts;
    }

    /** {@link #sequencesToMatrix} of {@link #textsToSequences}. */
    public double[][] textsToMatrix(Iterable<String> texts, Mode mode) {
        return sequencesToMatrix(textsToSequences(texts), mode);
    }

    /** {@link #sequencesToMatrix} of {@link #tokensToSequences}. */
    public double[][] tokensToMatrix(Iterable<? extends List<String>> texts, Mode mode) {
        return sequencesToMatrix(tokensToSequences(texts), mode);
    }

    /**
     * A bag of words: [sequences, numWords], or [sequences, words + 1] without numWords. Ids beyond the width are left
     * out; column 0 stays 0 unless a sequence holds 0.
     *
     * @throws IllegalStateException if there is neither numWords nor a fit, or for TFIDF no document was counted
     * @throws IllegalArgumentException if an id is negative or the mode is null
     */
    public double[][] sequencesToMatrix(int[][] sequences, Mode mode) {
        return WordMatrix.of(rowsNotNull(sequences, "sequencesToMatrix"), mode, settings, vocabulary);
    }

    /** Ids by word, the whole vocabulary whatever numWords is; by falling count. A view that follows later fits. */
    public Map<String, Integer> wordIndex() {
        return Collections.unmodifiableMap(vocabulary.wordIndex);
    }

    /** Words by id. A view. */
    public Map<Integer, String> indexWord() {
        return Collections.unmodifiableMap(vocabulary.indexWord);
    }

    /** How often each word occurred, in the order first seen. A view. */
    public Map<String, Long> wordCounts() {
        return Collections.unmodifiableMap(vocabulary.wordCounts);
    }

    /** In how many documents each word occurred. A view. */
    public Map<String, Long> wordDocs() {
        return Collections.unmodifiableMap(vocabulary.wordDocs);
    }

    /** In how many documents each id occurred. A view. */
    public Map<Integer, Long> indexDocs() {
        return Collections.unmodifiableMap(vocabulary.indexDocs);
    }

    /** Documents of all fits, sequences included. */
    public long documentCount() {
        return vocabulary.documentCount;
    }

    /** The limit, or 0 for none. */
    public int numWords() {
        return settings.isLimited() ? settings.numWords() : 0;
    }

    /** The characters that are replaced by {@link #split}; empty for none. At the character level they count for nothing. */
    public String filters() {
        return settings.filters();
    }

    /** Whether texts are lower-cased before they are looked up, by fits and conversions alike. The OOV token never is. */
    public boolean lower() {
        return settings.lower();
    }

    /** What stands between two words; at the character level it counts for nothing. */
    public String split() {
        return settings.split();
    }

    /** Whether code points are the tokens instead of words. */
    public boolean charLevel() {
        return settings.charLevel();
    }

    /** What unknown and cut words become; empty where they are dropped (Keras: None). */
    public Optional<String> oovToken() {
        return Optional.ofNullable(settings.oovToken());
    }

    private IllegalStateException noOovId(String operation) {
        return new IllegalStateException("Tokenizer." + operation + ": expected an id for the OOV token '"
                + settings.oovToken() + "', given a vocabulary of " + vocabulary.wordIndex.size()
                + " words without one; call fitOnTexts first");
    }

    private static <T> T notNull(T texts, String operation) {
        if (texts == null) {
            throw new IllegalArgumentException("Tokenizer." + operation + ": expected texts, given null");
        }
        return texts;
    }

    private static int[][] rowsNotNull(int[][] sequences, String operation) {
        if (sequences == null || Arrays.asList(sequences).contains(null)) {
            throw new IllegalArgumentException("Tokenizer." + operation
                    + ": expected sequences of ids, given null or a null among them; use an empty array for no ids");
        }
        return sequences;
    }

    /** Keras's constructor arguments, each with Keras's default. */
    public static final class Builder {
        private Integer numWords;
        private String filters = TextPreprocessing.DEFAULT_FILTERS;
        private boolean lower = true;
        private String split = TextPreprocessing.DEFAULT_SPLIT;
        private boolean charLevel;
        private String oovToken;

        private Builder() {}

        /** Only the ids 1 to numWords-1 leave the tokenizer; 0 for no limit. */
        public Builder numWords(int numWords) {
            this.numWords = numWords;
            return this;
        }

        /** Every code point of it is replaced by the split string before words are split. */
        public Builder filters(String filters) {
            this.filters = filters;
            return this;
        }

        /** Whether texts and tokens are lower-cased, as Python does it. */
        public Builder lower(boolean lower) {
            this.lower = lower;
            return this;
        }

        /** What separates words: one character or several. */
        public Builder split(String split) {
            this.split = split;
            return this;
        }

        /** Whether code points are the tokens instead of words. */
        public Builder charLevel(boolean charLevel) {
            this.charLevel = charLevel;
            return this;
        }

        /** What unknown and cut words become; null for dropping them. */
        public Builder oovToken(String oovToken) {
            this.oovToken = oovToken;
            return this;
        }

        /**
         * An unfitted tokenizer; the builder may go on and build others.
         *
         * @throws IllegalArgumentException if numWords is negative, or filters or split is null
         */
        public Tokenizer build() {
            return new Tokenizer(
                    new TokenizerSettings(numWords, filters, lower, split, charLevel, oovToken), new Vocabulary());
        }
    }
}
