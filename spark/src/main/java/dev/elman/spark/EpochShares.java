package dev.elman.spark;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/** One worker's shares of the batches of an epoch, in order; each knows where in its batch it begins. */
final class EpochShares implements Serializable {
    private static final long serialVersionUID = 1L;

    private final List<List<byte[]>> rows = new ArrayList<>();
    private final List<Integer> firstRows = new ArrayList<>();

    void add(int firstRow, List<byte[]> share) {
        firstRows.add(firstRow);
        rows.add(share);
    }

    List<byte[]> rows(int batch) {
        return rows.get(batch);
    }

    int firstRow(int batch) {
        return firstRows.get(batch);
    }
}
