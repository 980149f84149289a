package dev.elman.text;

import dev.elman.text.Tokenizer.Mode;
import java.util.Arrays;

/** Keras's sequences_to_matrix: one row a sequence, one column an id. */
final class WordMatrix {
    private WordMatrix() {}

    static double[][] of(int[][] sequences, Mode mode, TokenizerSettings settings, Vocabulary vocabulary) {
        if (mode == null) {
            throw new IllegalArgumentException(
                    message("a mode of " + Arrays.toString(Mode.values()), "null", "name one of them"));
        }
        if (!settings.isLimited() && vocabulary.wordIndex.isEmpty()) {
            throw new IllegalStateException(message(
                    "a known width",
                    "neither numWords nor a fitted vocabulary",
                    "set numWords or call fitOnTexts first"));
        }
        if (mode == Mode.TFIDF && vocabulary.documentCount == 0) {
            throw new IllegalStateException(
                    message("counted documents for TFIDF", "none", "call fitOnTexts or fitOnSequences first"));
        }
        int width = settings.isLimited() ? settings.numWords() : vocabulary.wordIndex.size() + 1;
        double[][] matrix = new double[sequences.length][width];
        for (int i = 0; i < sequences.length; i++) {
            count(sequences[i], matrix[i]);
            weigh(matrix[i], sequences[i].length, mode, vocabulary);
        }
        return matrix;
    }

    private static void count(int[] sequence, double[] row) {
        for (int id : sequence) {
            if (id < 0) {
                throw new IllegalArgumentException(
                        message("ids of 0 or more", Integer.toString(id), "take them from textsToSequences"));
            }
            if (id < row.length) {
                row[id]++;
            }
        }
    }

    private static void weigh(double[] row, int sequenceLength, Mode mode, Vocabulary vocabulary) {
        for (int id = 0; id < row.length; id++) {
            double c = row[id];
            if (c > 0) {
                row[id] = switch (mode) {
                    case BINARY -> 1;
                    case COUNT -> c;
                    case FREQ -> c / sequenceLength;
                    case TFIDF -> (1 + Math.log(c)) * inverseDocumentFrequency(id, vocabulary);
                };
            }
        }
    }

    private static double inverseDocumentFrequency(int id, Vocabulary vocabulary) {
        double withId = vocabulary.indexDocs.getOrDefault(id, 0L);
        return Math.log(1 + vocabulary.documentCount / (1 + withId));
    }

    private static String message(String expected, String given, String remedy) {
        return "Tokenizer.sequencesToMatrix: expected " + expected + ", given " + given + "; " + remedy;
    }
}
