package dev.elman.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.CudaException;
import jcuda.Pointer;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasAtomicsMode;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasMath;
import jcuda.jcublas.cublasOperation;
import jcuda.runtime.cudaStream_t;

/**
 * Matrix products on cuBLAS, row-major. One handle, one stream, a workspace of our own and no atomics, which together make
 * cuBLAS give the same bits on every run.
 */
final class Blas {
    /** What NVIDIA recommends from Hopper on; enough for every older architecture. */
    private static final long WORKSPACE_BYTES = 32L << 20;

    private static final int N = cublasOperation.CUBLAS_OP_N;
    private static final int T = cublasOperation.CUBLAS_OP_T;

    private final CudaContext context;
    private final cublasHandle handle = new cublasHandle();
    private final Pointer one = constant(1);
    private final Pointer zero = constant(0);

    Blas(CudaContext context, boolean tf32) {
        this.context = context;
        CudaCalls calls = context.calls();
        calls.blas("cublasCreate", "", () -> JCublas2.cublasCreate(handle));
        calls.blas("cublasSetStream", "", () -> JCublas2.cublasSetStream(handle, new cudaStream_t(context.stream())));
        Pointer workspace = DeviceAddress.of(new DeviceMemory(context, WORKSPACE_BYTES).address());
        calls.blas(
                "cublasSetWorkspace",
                WORKSPACE_BYTES + " bytes",
                () -> JCublas2.cublasSetWorkspace(handle, workspace, WORKSPACE_BYTES));
        calls.blas(
                "cublasSetAtomicsMode",
                "not allowed",
                () -> JCublas2.cublasSetAtomicsMode(handle, cublasAtomicsMode.CUBLAS_ATOMICS_NOT_ALLOWED));
        // The default mode keeps float32 operands at full precision; TF32 comes by its own mode only.
        int mode = tf32 ? cublasMath.CUBLAS_TF32_TENSOR_OP_MATH : cublasMath.CUBLAS_DEFAULT_MATH;
        calls.blas("cublasSetMathMode", cublasMath.stringFor(mode), () -> JCublas2.cublasSetMathMode(handle, mode));
    }

    /** The version of the library that was found: 10000 * major + 100 * minor + patch. */
    int version() {
        int[] version = {0};
        context.calls().blas("cublasGetVersion", "", () -> JCublas2.cublasGetVersion(handle, version));
        return version[0];
    }

    private static Pointer constant(float value) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(4).order(ByteOrder.nativeOrder());
        buffer.putFloat(0, value);
        return Pointer.to(buffer);
    }

    /** c [m,n] = a [m,k] b [k,n], added to what is there if {@code add}. */
    void multiply(boolean add, long a, long b, long c, long m, long n, long k) {
        gemm("a b", N, N, add, a, k, b, n, c, m, n, k);
    }

    /** c [m,n] = a [m,k] b^T, b [n,k], added to what is there if {@code add}. */
    void multiplyTransposed(boolean add, long a, long b, long c, long m, long n, long k) {
        gemm("a b^T", N, T, add, a, k, b, k, c, m, n, k);
    }

    /** c [m,n] = a^T b, a [k,m], b [k,n], added to what is there if {@code add}. */
    void transposedMultiply(boolean add, long a, long b, long c, long m, long n, long k) {
        gemm("a^T b", T, N, add, a, m, b, n, c, m, n, k);
    }

    /**
     * The one place where rows meet columns: what is row-major for us is the transpose for cuBLAS, so it computes
     * c^T = op(b)^T op(a)^T, with the operands exchanged.
     */
    private void gemm(
            String form,
            int opA,
            int opB,
            boolean add,
            long a,
            long strideA,
            long b,
            long strideB,
            long c,
            long m,
            long n,
            long k) {
        if (m == 0 || n == 0) return;
        if (k == 0) {
            if (!add) clear(c, m * n);
            return;
        }
        context.counters().products++;
        context.calls()
                .blas(
                        "cublasSgemm",
                        new Object() {
                            @Override
                            public String toString() {
                                return form + " with m = " + m + ", n = " + n + ", k = " + k;
                            }
                        },
                        () -> JCublas2.cublasSgemm(
                                handle,
                                opB,
                                opA,
                                Math.toIntExact(n),
                                Math.toIntExact(m),
                                Math.toIntExact(k),
                                one,
                                DeviceAddress.of(b),
                                (int) strideB,
                                DeviceAddress.of(a),
                                (int) strideA,
                                add ? one : zero,
                                DeviceAddress.of(c),
                                (int) n));
    }

    private void clear(long address, long size) {
        context.calls()
                .driver(
                        "cuMemsetD32Async",
                        size + " floats",
                        () -> JCudaDriver.cuMemsetD32Async(DeviceAddress.of(address), 0, size, context.stream()));
    }

    /** Gives the handle back. After a fault cuBLAS may refuse; what it holds goes with the context. */
    void close() {
        try {
            JCublas2.cublasDestroy(handle);
        } catch (CudaException refused) {
            // An application has made JCuda throw; there is nothing left to do.
        }
    }
}
