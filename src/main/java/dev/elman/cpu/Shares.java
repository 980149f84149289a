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

    /** Columns of a share, where the shares are columns, and from how many columns H on they may be. */
    private static final int SHARE_COLUMNS = 128;

    private static final int MANY_COLUMNS = 256;

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
        this.columns = sizes.h() >= MANY_COLUMNS
                && sizes.n() < 2 * gemm.fewestRows()
                && (workers.threads() > 1 || !gemm.rowsAlone());
        this.shares = columns ? cutColumns() : cutRows();
    }

    private Share[] cutColumns() {
        Share[] parts = new Share[(sizes.h() + SHARE_COLUMNS - 1) / SHARE_COLUMNS];
        for (int i = 0; i < parts.length; i++) {
            int first = i * SHARE_COLUMNS;
            parts[i] = new Share(0, sizes.n(), first, Math.min(SHARE_COLUMNS, sizes.h() - first), sizes.h());
        }
        return parts;
    }

    private Share[] cutRows() {
        int threads = Workers.worthTelling(operations(sizes.t())) ? workers.threads() : 1;
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
        for (Share share : shares) most = Math.max(most, share.rows());
        return most;
    }

    /** Columns of the largest share. */
    int mostColumns() {
        return shares[0].columns();
    }

    /** Columns that a share's sums of so many terms should have room for; the same however many threads there are. */
    int room(int terms) {
        return gemm.room(mostColumns(), Math.min(sizes.n(), MOST_ROWS), terms);
    }

    /** What a task does for one share in one step. */
    interface Work {
        void on(int share, int step, Scratch scratch);
    }

    /**
     * For {@code count} steps from number {@code begin} on: {@code first} for all shares, then {@code second}. Where shares are
     * columns, a share's second may use what the first of all others left.
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

    /** A matrix [any, H] as the right factor of each share, for results of {@code width} columns. */
    Factors factors(Matrix matrix, int width) {
        boolean small = shares.length <= workers.threads() && matrix.rows() * matrix.columns() <= SMALL;
        boolean each = columns || small;
        return new Factors(matrix, width, each ? null : gemm.right(matrix, width > matrix.columns(), workers));
    }

    /** The columns of each share, or the same whole matrix for all. */
    final class Factors implements AutoCloseable {
        private final Matrix matrix;
        private final int width;

        /** Null where each share lays out its own. */
        private final Gemm.Factor common;

        private final Gemm.Factor[] own = new Gemm.Factor[shares.length];

        private Factors(Matrix matrix, int width, Gemm.Factor common) {
            this.matrix = matrix;
            this.width = width;
            this.common = common;
        }

        /** To be asked for by the thread that works on the share. */
        Gemm.Factor of(int share) {
            if (common != null) return common;
            if (own[share] == null) {
                int count = shares[share].columns();
                own[share] = gemm.right(matrix.columns(shares[share].firstColumn(), count), width > count);
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
