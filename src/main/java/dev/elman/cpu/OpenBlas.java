package dev.elman.cpu;

import static org.bytedeco.openblas.global.openblas_nolapack.CblasNoTrans;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasRowMajor;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasTrans;
import static org.bytedeco.openblas.global.openblas_nolapack.blas_set_num_threads;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_sasum;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_sgemm;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_sgemv;

import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;

/**
 * Calls into OpenBLAS by way of Bytedeco's binding, on addresses: a call takes 15 ns, and a pointer object for each operand
 * would cost more than that. Who calls keeps the memory alive.
 */
final class OpenBlas {
    private static final ThreadLocal<Operands> OPERANDS = ThreadLocal.withInitial(Operands::new);

    private static final AtomicBoolean LOADED = new AtomicBoolean();

    private OpenBlas() {}

    /**
     * Loads the native library, once a process; throws a LinkageError or what JavaCPP throws where it cannot. On a thread of its
     * own, for an interrupt of the caller's would break off the unpacking and leave JavaCPP unusable for good.
     */
    static synchronized void load() {
        if (LOADED.get()) return;
        try {
            CompletableFuture.runAsync(OpenBlas::prepare, task -> new Thread(task, "elman-openblas").start())
                    .join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof Error error) throw error;
            throw (RuntimeException) e.getCause();
        }
        LOADED.set(true);
    }

    /**
     * One thread a call, process-wide, because the threads here are {@link Workers}; a program that uses the same OpenBLAS for
     * itself can set its own number afterwards and changes only speed here.
     */
    private static void prepare() {
        // Else JavaCPP refuses memory once the process has four times its largest heap, though tensors lie outside it.
        // Who sets maxPhysicalBytes is heard: JavaCPP reads that first.
        System.getProperties().putIfAbsent("org.bytedeco.javacpp.maxphysicalbytes", "0");
        blas_set_num_threads(1);
    }

    static String version() {
        return "OpenBLAS by way of " + BytedecoArtifact.name("openblas");
    }

    /** Where a direct buffer begins. */
    static long address(ByteBuffer bytes) {
        try (BytePointer pointer = new BytePointer(bytes)) {
            return pointer.address();
        }
    }

    /** c [m,n] = a [m,k] b [k,n] + (add ? c : 0), row-major; {@code strideA} counts elements between the rows of a. */
    static void multiply(
            int m,
            int n,
            int k,
            long a,
            int strideA,
            boolean transposeA,
            long b,
            int strideB,
            boolean transposeB,
            boolean add,
            long c,
            int strideC) {
        Operands at = OPERANDS.get();
        cblas_sgemm(
                CblasRowMajor,
                transposeA ? CblasTrans : CblasNoTrans,
                transposeB ? CblasTrans : CblasNoTrans,
                m,
                n,
                k,
                1,
                at.a.at(a),
                strideA,
                at.b.at(b),
                strideB,
                add ? 1 : 0,
                at.c.at(c),
                strideC);
    }

    /** y [n] = x [k] b [k,n] + (add ? y : 0); with {@code transpose}, b is stored [n,k]. */
    static void multiplyRow(int n, int k, long x, long b, int strideB, boolean transpose, boolean add, long y) {
        Operands at = OPERANDS.get();
        cblas_sgemv(
                CblasRowMajor,
                transpose ? CblasNoTrans : CblasTrans,
                transpose ? n : k,
                transpose ? k : n,
                1,
                at.b.at(b),
                strideB,
                at.a.at(x),
                1,
                add ? 1 : 0,
                at.c.at(y),
                1);
    }

    /** See {@link Gemm#sumOfMagnitudes}. */
    static float sumOfMagnitudes(Matrix matrix) {
        Cursor at = OPERANDS.get().a;
        if (matrix.stride() == matrix.columns())
            return cblas_sasum(matrix.rows() * matrix.columns(), at.at(matrix.address()), 1);
        float sum = 0;
        for (int row = 0; row < matrix.rows(); row++)
            sum += cblas_sasum(matrix.columns(), at.at(matrix.address(row, 0)), 1);
        return sum;
    }

    /** The operands of one call, for one thread. */
    private static final class Operands {
        private final Cursor a = new Cursor();
        private final Cursor b = new Cursor();
        private final Cursor c = new Cursor();
    }

    /** A pointer that can be set to an address; it owns nothing. */
    private static final class Cursor extends FloatPointer {
        Cursor() {
            super((FloatPointer) null);
        }

        Cursor at(long place) {
            address = place;
            return this;
        }
    }
}
