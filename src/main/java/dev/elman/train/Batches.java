package dev.elman.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/** Which rows go together: those of like length, so that little is padded. */
final class Batches {
    /** Padded steps that are not worth another piece. */
    private static final int FEW_STEPS = 1 << 14;

    /** Times its rows' own steps that a piece may have after padding. */
    private static final int MOST_PADDED = 2;

    private Batches() {}

    /**
     * Every row once, in an order that the seed decides; batches of like length, themselves in random order. The seed also
     * decides which batch is the short one, whose rows weigh more: it would else always be the longest rows.
     *
     * @param rows at least one
     */
    static List<int[]> shuffled(IntUnaryOperator lengths, int[] rows, int batchSize, long seed) {
        Random random = Seeds.random(seed);
        int[] order = rows.clone();
        shuffle(order, random);
        int count = rows.length / batchSize + (rows.length % batchSize == 0 ? 0 : 1);
        List<int[]> batches = cut(byLength(lengths, order), batchSize, random.nextInt(count));
        Collections.shuffle(batches, random);
        return batches;
    }

    /**
     * Every row once, the longest first; a batch is padded to its first row.
     *
     * @param batchSize rows of a batch at most
     * @param steps N times T of a batch at most, but for a batch of one row
     */
    static List<int[]> sorted(IntUnaryOperator lengths, int[] rows, int batchSize, int steps) {
        int[] longestFirst = reversed(byLength(lengths, rows));
        List<int[]> batches = new ArrayList<>();
        for (int from = 0; from < rows.length; ) {
            int room = steps / Math.max(1, lengths.applyAsInt(longestFirst[from]));
            int to = Math.min(rows.length, from + Math.max(1, Math.min(batchSize, room)));
            batches.add(Arrays.copyOfRange(longestFirst, from, to));
            from = to;
        }
        return batches;
    }

    /**
     * The largest pieces of all batches that {@link #shuffled} can make of these rows: whatever it makes, for each of its
     * {@link #pieces} one of these has as many padded steps and rows, and a mask if that piece has one.
     */
    static List<int[]> largest(IntUnaryOperator lengths, int[] rows, int batchSize) {
        int[] shortestFirst = byLength(lengths, rows);
        // The short batch comes first or last here: anywhere else it is the beginning of a whole one.
        List<int[]> batches = cut(shortestFirst, batchSize, 0);
        batches.addAll(cut(shortestFirst, batchSize, rows.length / batchSize));
        List<int[]> mostStepsFirst = batches.stream()
                .flatMap(batch -> pieces(lengths, batch).stream())
                .sorted(Comparator.comparingLong(piece -> -(long) piece.length * longest(lengths, piece)))
                .toList();
        List<int[]> largest = new ArrayList<>();
        for (int[] piece : mostStepsFirst) {
            boolean masked = isRagged(lengths, piece);
            boolean covered = largest.stream()
                    .anyMatch(other -> other.length >= piece.length && (!masked || isRagged(lengths, other)));
            if (!covered) largest.add(piece);
        }
        return largest;
    }

    /** Steps of the last of these rows, the shortest first; an empty one is padded to one step. */
    private static int longest(IntUnaryOperator lengths, int[] shortestFirst) {
        return Math.max(1, lengths.applyAsInt(shortestFirst[shortestFirst.length - 1]));
    }

    /** Whether these rows, the shortest first, need a mask. */
    private static boolean isRagged(IntUnaryOperator lengths, int[] shortestFirst) {
        return lengths.applyAsInt(shortestFirst[0]) < longest(lengths, shortestFirst);
    }

    /**
     * A batch in pieces of which none is mostly padding, its rows in the order they came: one long row does not make all others as
     * long.
     */
    static List<int[]> pieces(IntUnaryOperator lengths, int[] rows) {
        List<int[]> pieces = new ArrayList<>();
        int from = 0;
        int longest = 0;
        long steps = 0;
        for (int i = 0; i < rows.length; i++) {
            int length = lengths.applyAsInt(rows[i]);
            longest = Math.max(longest, length);
            steps += length;
            long padded = (i + 1L - from) * longest;
            if (padded > FEW_STEPS && padded > MOST_PADDED * steps && i > from) {
                pieces.add(Arrays.copyOfRange(rows, from, i));
                from = i;
                longest = length;
                steps = length;
            }
        }
        pieces.add(Arrays.copyOfRange(rows, from, rows.length));
        return pieces;
    }

    private static int[] reversed(int[] values) {
        return IntStream.rangeClosed(1, values.length)
                .map(i -> values[values.length - i])
                .toArray();
    }

    /** 0 to count - 1. */
    static int[] range(int count) {
        return IntStream.range(0, count).toArray();
    }

    static void shuffle(int[] values, Random random) {
        for (int i = values.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int swapped = values[i];
            values[i] = values[j];
            values[j] = swapped;
        }
    }

    /** Sorted by length, by counting; rows of one length stay in the order they came. */
    private static int[] byLength(IntUnaryOperator lengths, int[] rows) {
        int longest = Arrays.stream(rows).map(lengths).max().orElse(0);
        int[] place = new int[longest + 2];
        for (int row : rows) place[lengths.applyAsInt(row) + 1]++;
        Arrays.parallelPrefix(place, Integer::sum);
        int[] sorted = new int[rows.length];
        for (int row : rows) sorted[place[lengths.applyAsInt(row)]++] = row;
        return sorted;
    }

    /** Batches in the order of the rows; what does not fill one is the batch of this index. */
    private static List<int[]> cut(int[] rows, int batchSize, int shortOne) {
        List<int[]> batches = new ArrayList<>();
        int rest = rows.length % batchSize;
        for (int from = 0; from < rows.length; ) {
            int size = rest > 0 && batches.size() == shortOne ? rest : batchSize;
            int to = Math.min(rows.length, from + size);
            batches.add(Arrays.copyOfRange(rows, from, to));
            from = to;
        }
        return batches;
    }
}
