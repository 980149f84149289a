package dev.elman.cpu;

import dev.elman.backend.Operands;

/**
 * How the states [N,H] of each step are cut, and who computes what. By rows, where there are enough: a thread takes its rows
 * through the whole sequence, and no step waits for another thread. By columns, where there are few rows and much to do in
 * each: the threads meet in every step.
 */
final class Shares {
    /** Rows of a share at most: a step's part of the states stays in the first-level cache. */
    static final int MOST_ROWS = 32;

    /** Columns of a share, roughly, where more threads than that gives do not help. */
    private static final int SHARE_COLUMNS = 128;

    /** Shares of columns are cut between vectors: so a column's bits do not depend on where. */
    private static final int UNIT = 32;

    /** For fewer columns H a step is too short for threads to meet in it. */
    private static final int MANY_COLUMNS = 256;

    /** From this many columns H on, Wx and Wh fill a second-level cache; of 512, half of them do not. */
    private static final int LARGE_COLUMNS = 512;

    /**
     * Arithmetic operations of a step: with fewer, shares wait longer for the line of h between them, which both write in each
     * step and which may take 200 ns from one processor to the other, than a step takes.
     */
    private static final long WORTH_A_NEIGHBOUR = 8_000;

    /** Arithmetic operations; for fewer a team is not worth its members' waking up. */
    private static final long WORTH_A_TEAM = 4_000_000;

    /** Elements of a matrix that each share rather lays out for itself than takes from another processor's cache. */
    private static final int SMALL = 1 << 16;

    private final Gemm gemm;
    private final Workers workers;
    private final Operands.Rnn sizes;
    private final boolean columns;
    private final Share[] shares;

    /** None of N, T and H may be 0. */
    Shares(Gemm gemm, Workers workers, Operands.Rnn sizes) {
        this.gemm = gemm;
        this.workers = workers;
        this.sizes = sizes;
        this.columns =
                sizes.h() >= MANY_COLUMNS && (gemm.rowsAlone() ? betterByColumns() : sizes.n() < 2 * gemm.fewestRows());
        this.shares = columns ? cutColumns() : cutRows();
    }

    /**
     * For few rows, where the threads would not each get as many as a product likes, or just so many and weights that fit no
     * second-level cache; and where shares of columns keep no fewer threads busy.
     */
    private boolean betterByColumns() {
        int threads = workers.threads();
        int likedRows = threads * gemm.fewestRows();
        boolean noFewerBusy = Math.min(threads, mostColumnShares()) >= Math.min(threads, sizes.n());
        boolean rowsAreBest = sizes.n() % likedRows == 0 && (sizes.n() > likedRows || sizes.h() < LARGE_COLUMNS);
        return threads > 1 && noFewerBusy && sizes.n() <= 2 * likedRows && !rowsAreBest;
    }

    private int mostColumnShares() {
        return (sizes.h() + SHARE_COLUMNS - 1) / SHARE_COLUMNS;
    }

    /** Shares depend on the number of threads only where that changes no bit. */
    private Share[] cutColumns() {
        int count = gemm.rowsAlone() ? Math.min(mostColumnShares(), workers.threads()) : mostColumnShares();
        Parts units = new Parts((sizes.h() + UNIT - 1) / UNIT, count);
        Share[] parts = new Share[units.count()];
        for (int i = 0; i < parts.length; i++) {
            int first = units.from(i) * UNIT;
            int columns = Math.min(units.size(i) * UNIT, sizes.h() - first);
            parts[i] = new Share(0, sizes.n(), first, columns, sizes.h());
        }
        return parts;
    }

    private Share[] cutRows() {
        boolean worth = Workers.worthTelling(operations(sizes.t())) && operations(1) >= WORTH_A_NEIGHBOUR;
        int threads = worth ? workers.threads() : 1;
        Parts rows = gemm.rowsAlone()
                ? Parts.forThreads(threads, MOST_ROWS, sizes.n())
                : Parts.ofAtMost(MOST_ROWS, sizes.n());
        Share[] parts = new Share[rows.count()];
        for (int i = 0; i < parts.length; i++) {
            parts[i] = new Share(rows.from(i), rows.size(i), 0, sizes.h(), sizes.h());
        }
        return parts;
    }

    private long operations(int steps) {
        return 2L * steps * sizes.n() * sizes.h() * sizes.h();
    }

    /** Whether the shares are columns: then a step needs what all of them left in the one before. */
    boolean columns() {
        return columns;
    }

    int count() {
        return shares.length;
    }

    Share get(int share) {
        return shares[share];
    }

    /** Rows of the largest share. */
    int mostRows() {
        int most = 0;
        for (int i = 0; i < shares.length; i++) most = Math.max(most, madeRows(i));
        return most;
    }

    /** Rows that a share's products are made for where there is memory for them: its own or more. */
    int madeRows(int share) {
        return gemm.madeRows(shares[share].rows());
    }

    /** Columns that a share's sums of so many terms should have room for. */
    int room(int share, int terms) {
        return gemm.room(shares[share].columns(), Math.min(sizes.n(), MOST_ROWS), terms);
    }

    /** Whether a share is all there is, and its sums of so many terms need room for nothing more. */
    boolean inPlace(int terms) {
        return shares.length == 1 && room(0, terms) == shares[0].columns() && madeRows(0) == shares[0].rows();
    }

    /** What a task does for one share in one step. */
    interface Work {
        void on(int share, int step, Scratch scratch);
    }

    /**
     * For {@code count} steps from number {@code begin} on: {@code first} for all shares, then {@code second}. Where shares are
     * columns, a share's second may use what the first of this step and the second of the step before left of all others; its
     * first may run beside another's second of the step before.
     */
    void walk(int begin, int count, Work first, Work second) {
        if (!columns) {
            workers.run(shares.length, operations(count), (share, scratch) -> {
                for (int step = begin; step < begin + count; step++) {
                    first.on(share, step, scratch);
                    second.on(share, step, scratch);
                }
            });
            return;
        }
        int members = operations(count) < WORTH_A_TEAM ? 1 : Math.min(workers.threads(), shares.length);
        workers.runTogether(members, (member, scratch, barrier) -> {
            for (int step = begin; step < begin + count; step++) {
                for (int share = member; share < shares.length; share += members) first.on(share, step, scratch);
                barrier.await();
                for (int share = member; share < shares.length; share += members) second.on(share, step, scratch);
            }
        });
    }

    /**
     * A matrix [any, H] as the right factor of each share, for results among these states.
     *
     * @param rows of all steps' products, see {@link Gemm#right}
     */
    Factors factors(Matrix matrix, long rows, ShareStates states) {
        boolean small = shares.length <= workers.threads() && matrix.rows() * matrix.columns() <= SMALL;
        boolean each = columns || small;
        Gemm.Factor common = each ? null : gemm.right(matrix, states.hasRoom(0), rows, workers);
        return new Factors(matrix, rows, states, common);
    }

    /** The columns of each share, or the same whole matrix for all. */
    final class Factors implements AutoCloseable {
        private final Matrix matrix;
        private final long rows;
        private final ShareStates states;

        /** Null where each share lays out its own. */
        private final Gemm.Factor common;

        private final Gemm.Factor[] own = new Gemm.Factor[shares.length];

        private Factors(Matrix matrix, long rows, ShareStates states, Gemm.Factor common) {
            this.matrix = matrix;
            this.rows = rows;
            this.states = states;
            this.common = common;
        }

        /** To be asked for by the thread that works on the share. */
        Gemm.Factor of(int share) {
            if (common != null) return common;
            if (own[share] == null) {
                Matrix columns = matrix.columns(shares[share].firstColumn(), shares[share].columns());
                own[share] =
                        gemm.right(columns, states.hasRoom(share), Shares.this.columns ? rows : rows / shares.length);
            }
            return own[share];
        }

        @Override
        public void close() {
            if (common != null) common.close();
            for (Gemm.Factor factor : own) {
                if (factor != null) factor.close();
            }
        }
    }
}
