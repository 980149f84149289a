package dev.elman.cpu;

import static org.bytedeco.openblas.global.openblas_nolapack.CblasNoTrans;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasRowMajor;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasTrans;
import static org.bytedeco.openblas.global.openblas_nolapack.blas_set_num_threads;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_sgemm;

import org.bytedeco.javacpp.FloatPointer;

/**
 * OpenBLAS by way of Bytedeco's binding. One thread a call, process-wide, because the threads here are {@link Workers}; a
 * program that uses the same OpenBLAS for itself can set its own number afterwards and changes only speed here.
 */
final class OpenBlasGemm implements Gemm {
    /** Loads the native library. Throws a LinkageError or what JavaCPP throws where it cannot. */
    OpenBlasGemm() {
        blas_set_num_threads(1);
    }

    @Override
    public String description() {
        return "OpenBLAS by way of " + BytedecoArtifact.name("openblas");
    }

    @Override
    public Factor right(Matrix b) {
        return (a, c, add) -> multiply(a, b, c, add);
    }

    private static void multiply(Matrix a, Matrix b, Matrix c, boolean add) {
        if (c.rows() == 0 || c.columns() == 0) return;
        cblas_sgemm(
                CblasRowMajor,
                a.transposed() ? CblasTrans : CblasNoTrans,
                b.transposed() ? CblasTrans : CblasNoTrans,
                c.rows(),
                c.columns(),
                a.columns(),
                1,
                pointer(a),
                stride(a),
                pointer(b),
                stride(b),
                add ? 1 : 0,
                pointer(c),
                stride(c));
    }

    /** BLAS refuses a leading dimension of 0, even of an empty matrix. */
    private static int stride(Matrix matrix) {
        return Math.max(1, matrix.stride());
    }

    private static FloatPointer pointer(Matrix matrix) {
        Memory memory = matrix.memory();
        if (!(memory.pointer() instanceof FloatPointer)) memory.pointer(new FloatPointer(memory.floats()));
        return new FloatPointer((FloatPointer) memory.pointer()).position(matrix.offset());
    }
}
