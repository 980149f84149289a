package dev.elman.cpu;

import dev.elman.backend.Shape;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Where each share keeps the states, or gradients, of a step. Mostly in memory of its own, two empty pages apart: side by side
 * in one array, a core that reads ahead takes a line that its neighbour is about to write, and two threads were no faster than
 * one on cores that share no cache. There it also has room for whole vectors. A share that has no neighbour and needs no
 * room works in place.
 */
final class ShareStates {
    /** Elements of two pages of memory. */
    private static final int TWO_PAGES = 2048;

    private final Shares shares;

    /** Elements from one row to the next. */
    private final int width;

    private final CpuTensor memory;

    /** All rows, as wide as a share's products may be. */
    private final Matrix[] matrices;

    /** Rows of a share's own memory; 0 in place. */
    private final int ownRows;

    /** The row of step 0. */
    private final int first;

    /** Of a step's number, the part that says where it lies. */
    private final int mask;

    private ShareStates(Shares shares, CpuTensor memory, int[] rooms, int width, int ownRows, int first, int mask) {
        this.shares = shares;
        this.memory = memory;
        Matrix matrix = memory.matrix(memory.size() / width, width);
        this.matrices =
                Arrays.stream(rooms).mapToObj(room -> matrix.columns(0, room)).toArray(Matrix[]::new);
        this.width = width;
        this.ownRows = ownRows;
        this.first = first;
        this.mask = mask;
    }

    /** In memory of their own, for so many steps, a power of two, and products of so many terms. */
    static ShareStates own(Shares shares, Workspace workspace, int steps, int terms) {
        int[] rooms = IntStream.range(0, shares.count())
                .map(share -> shares.room(share, terms))
                .toArray();
        int width = Arrays.stream(rooms).max().orElseThrow();
        int rows = steps * shares.mostRows() + 1 + TWO_PAGES / width;
        CpuTensor memory = workspace.of(Workspace.STATES, Shape.of(shares.count(), rows, width));
        return new ShareStates(shares, memory, rooms, width, rows, 0, steps - 1);
    }

    /** In a matrix with a slot for each step; that of step 0 begins in row {@code first}. For a share that is all there is. */
    static ShareStates inPlace(Shares shares, CpuTensor states, int first) {
        int width = shares.get(0).columns();
        return new ShareStates(shares, states, new int[] {width}, width, 0, first, -1);
    }

    boolean inPlace() {
        return ownRows == 0;
    }

    /** All rows, as wide as a share's products may be. */
    Matrix matrix(int share) {
        return matrices[share];
    }

    /** Whether a share's products may be wider than the share. */
    boolean hasRoom(int share) {
        return matrices[share].columns() > shares.get(share).columns();
    }

    CpuTensor memory() {
        return memory;
    }

    int width() {
        return width;
    }

    /** The first of a share's rows of step t, which may be -1 or T for the state before the first step. */
    int row(int share, int t) {
        return share * ownRows + first + (t & mask) * shares.madeRows(share);
    }

    /**
     * Rows of a share's product with the rows of {@code a} from {@code rowOfA} on. It may be one more than the share has: a row
     * of {@code a} that is another's, perhaps half written, gives a row of the share's own memory that nobody reads.
     */
    int rows(int share, Matrix a, int rowOfA) {
        int more = shares.madeRows(share);
        return rowOfA + more > a.rows() ? shares.get(share).rows() : more;
    }

    /** The first element of a row. */
    int element(int row) {
        return row * width;
    }

    /** Takes a share's part of a slot of {@code tensor}, [any, H], to {@code row}; in place it is there. */
    void copyIn(Share share, CpuTensor tensor, int slotRow, int row) {
        if (inPlace()) return;
        int rows = rowsAtOnce(share);
        for (int n = 0; n < share.rows(); n += rows) {
            tensor.copyTo(share.begin(slotRow, n), memory, element(row + n), rows * share.columns());
        }
    }

    /** Brings what begins at {@code row} to a share's part of a slot of {@code tensor}. */
    void copyOut(Share share, int row, CpuTensor tensor, int slotRow) {
        if (inPlace()) return;
        int rows = rowsAtOnce(share);
        for (int n = 0; n < share.rows(); n += rows) {
            memory.copyTo(element(row + n), tensor, share.begin(slotRow, n), rows * share.columns());
        }
    }

    /** {@code rows} rows from {@code row} on into an array, side by side. */
    void read(int row, int rows, int columns, float[] into) {
        if (columns == width) {
            memory.read(element(row), into, rows * columns);
            return;
        }
        for (int n = 0; n < rows; n++) memory.read(element(row + n), into, n * columns, columns);
    }

    /** All of a share's rows where both here and there one lies right behind the other. */
    private int rowsAtOnce(Share share) {
        return share.contiguous() && share.columns() == width ? share.rows() : 1;
    }
}
