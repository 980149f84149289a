package dev.elman.spark;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;
import scala.Tuple2;

/**
 * The rows of a fit: checked, as bytes, kept on the executors' disks until the fit is over, and numbered in the table's
 * order. The number decides which batch a row is in, so it does not matter which worker reads it.
 */
final class Table implements AutoCloseable {
    private final JavaRDD<byte[]> rows;
    private final List<Part> parts;

    /** What one partition holds. No record, for Kryo cannot make one. */
    private static final class Part implements Serializable {
        private static final long serialVersionUID = 1L;

        private int rows;
        private int largestToken = -1;
        private int features = -1;
        private int smallestLabel = Integer.MAX_VALUE;
        private int largestLabel = -1;
        private boolean weighs;

        void add(byte[] row) {
            rows = Math.addExact(rows, 1);
            largestToken = Math.max(largestToken, RowBytes.largestToken(row));
            smallestLabel = Math.min(smallestLabel, RowBytes.label(row));
            largestLabel = Math.max(largestLabel, RowBytes.label(row));
            weighs |= RowBytes.weight(row) > 0;
            int mine = RowBytes.features(row);
            if (features >= 0 && mine >= 0 && mine != features) throw ragged(mine, features);
            features = Math.max(features, mine);
        }
    }

    /** A partition has more or fewer rows than at first, and the numbers were given by that. */
    static final class OtherRowsException extends IllegalStateException {
        private static final long serialVersionUID = 1L;

        OtherRowsException() {
            super(
                    "The table gives other rows when it is read again, as Spark does when it has lost an executor: write it"
                            + " out, or checkpoint it, before fit.");
        }
    }

    /** Reads all rows once. Throws {@link BadRowException} for one that cannot be used. */
    Table(Dataset<Row> dataset, RowReader reader) {
        String version = ExecutorCheck.version();
        rows = dataset.toJavaRDD()
                .mapPartitions(some -> {
                    ExecutorCheck.requireVersion(version);
                    return some;
                })
                .map(reader::read);
        rows.persist(StorageLevel.DISK_ONLY());
        try {
            parts = rows.mapPartitions(Table::describe).collect();
            requireOneSize();
        } catch (Exception e) { // also Spark's, which Scala does not declare
            close();
            throw ExecutorCheck.explain(e);
        }
    }

    private static Iterator<Part> describe(Iterator<byte[]> some) {
        Part part = new Part();
        some.forEachRemaining(part::add);
        return List.of(part).iterator();
    }

    private static BadRowException ragged(int one, int other) {
        return new BadRowException("The vectors of all rows must be of one size, but one row has vectors of size " + one
                + " and another of size " + other + ".");
    }

    /** Token rows count as of one feature, so this only ever speaks of vectors. */
    private void requireOneSize() {
        int size = features();
        for (Part part : parts) {
            if (part.features >= 0 && part.features != size) throw ragged(part.features, size);
        }
    }

    int count() {
        long sum = parts.stream().mapToLong(part -> part.rows).sum();
        if (sum > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException("fit: there are " + sum + " rows, but a fit numbers them by int. Take a"
                    + " sample, or several fits.");
        }
        return (int) sum;
    }

    /** One more than the largest token id. */
    int vocabulary() {
        return parts.stream().mapToInt(part -> part.largestToken).max().orElse(-1) + 1;
    }

    /** D of the vectors; at most 0 when there is none. */
    int features() {
        return parts.stream().mapToInt(part -> part.features).max().orElse(-1);
    }

    /** One more than the largest label. */
    int classes() {
        return parts.stream().mapToInt(part -> part.largestLabel).max().orElse(-1) + 1;
    }

    /** Throws {@link IllegalArgumentException} unless there are rows of two classes, and a weight. */
    void requireTwoClasses() {
        if (count() == 0) throw new IllegalArgumentException("fit: there are no rows. Give at least one.");
        int smallest = parts.stream().mapToInt(part -> part.smallestLabel).min().orElse(0);
        if (smallest == classes() - 1) {
            throw new IllegalArgumentException("fit: all " + count() + " rows are of class " + smallest
                    + ". A classifier needs examples of at least two classes.");
        }
        if (parts.stream().noneMatch(part -> part.weighs)) {
            throw new IllegalArgumentException(
                    "fit: all " + count() + " rows have weight 0. Give at least one of them another.");
        }
    }

    /** The rows with their numbers. */
    JavaRDD<Tuple2<Integer, byte[]>> numbered() {
        int[] starts = new int[parts.size() + 1];
        for (int i = 1; i < starts.length; i++) starts[i] = starts[i - 1] + parts.get(i - 1).rows;
        return rows.mapPartitionsWithIndex((index, some) -> number(some, starts[index], starts[index + 1]), true);
    }

    private static Iterator<Tuple2<Integer, byte[]>> number(Iterator<byte[]> some, int start, int end) {
        return new Iterator<>() {
            private int next = start;

            @Override
            public boolean hasNext() {
                if (some.hasNext() != (next < end)) throw new OtherRowsException();
                return next < end;
            }

            @Override
            public Tuple2<Integer, byte[]> next() {
                return new Tuple2<>(next++, some.next());
            }
        };
    }

    /** The length of every row, by number. */
    int[] lengths() {
        List<int[]> lengths = numbered()
                .mapPartitions(some -> List.of(lengths(some)).iterator())
                .collect();
        return lengths.stream().flatMapToInt(Arrays::stream).toArray();
    }

    private static int[] lengths(Iterator<Tuple2<Integer, byte[]>> some) {
        List<Integer> lengths = new ArrayList<>();
        some.forEachRemaining(row -> lengths.add(RowBytes.length(row._2())));
        return lengths.stream().mapToInt(Integer::intValue).toArray();
    }

    /** Of every row whether its weight is 0, by number. */
    boolean[] weightless() {
        boolean[] weightless = new boolean[count()];
        numbered()
                .filter(row -> RowBytes.weight(row._2()) == 0)
                .map(Tuple2::_1)
                .collect()
                .forEach(row -> weightless[row] = true);
        return weightless;
    }

    @Override
    public void close() {
        rows.unpersist(false);
    }
}
