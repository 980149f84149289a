package dev.elman.cpu;

/**
 * OpenBLAS where its kernels copy both factors before they multiply: few large products. How many rows a product has decides
 * which of its kernels run, and so the last bits.
 */
final class OpenBlasGemm implements Gemm {
    @Override
    public String description() {
        return OpenBlas.version();
    }

    @Override
    public boolean rowsAlone() {
        return false;
    }

    @Override
    public int fewestRows() {
        return 128;
    }

    @Override
    public Factor right(Matrix b, boolean room, long rows) {
        return (a, rowOfA, c, rowOfC, count, add) -> multiply(a.rows(rowOfA, count), b, c.rows(rowOfC, count), add);
    }

    @Override
    public float sumOfMagnitudes(Matrix matrix) {
        return OpenBlas.sumOfMagnitudes(matrix);
    }

    @Override
    public void addTransposed(Matrix a, Matrix b, Matrix c) {
        multiply(a.transpose(), b, c, true);
    }

    @Override
    public void addRows(Matrix b, Matrix sum) {
        long ones = Constants.ofThread().ones();
        for (int row = 0; row < b.rows(); row += SUMMED_ROWS) {
            int rows = Math.min(SUMMED_ROWS, b.rows() - row);
            OpenBlas.multiplyRow(b.columns(), rows, ones, b.address(row, 0), b.stride(), false, true, sum.address());
        }
    }

    private static void multiply(Matrix a, Matrix b, Matrix c, boolean add) {
        if (c.rows() == 0 || c.columns() == 0) return;
        if (c.rows() == 1 && !a.transposed() && a.columns() > 0) {
            OpenBlas.multiplyRow(
                    c.columns(), a.columns(), a.address(), b.address(), b.stride(), b.transposed(), add, c.address());
            return;
        }
        OpenBlas.multiply(
                c.rows(),
                c.columns(),
                a.columns(),
                a.address(),
                stride(a),
                a.transposed(),
                b.address(),
                stride(b),
                b.transposed(),
                add,
                c.address(),
                stride(c));
    }

    /** BLAS refuses a leading dimension of 0, even of an empty matrix. */
    private static int stride(Matrix matrix) {
        return Math.max(1, matrix.stride());
    }
}
