package dev.elman.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.CudaException;
import jcuda.Pointer;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasAtomicsMode;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasMath;
import jcuda.jcublas.cublasOperation;
import jcuda.runtime.cudaStream_t;

/**
 * Matrix products on cuBLAS. One handle, one stream, a workspace of our own and no atomics, which together make cuBLAS give
 * the same bits on every run.
 */
final class Cublas extends Blas {
    /** What NVIDIA recommends from Hopper on; enough for every older architecture. */
    private static final long WORKSPACE_BYTES = 32L << 20;

    private static final int N = cublasOperation.CUBLAS_OP_N;
    private static final int T = cublasOperation.CUBLAS_OP_T;

    private final boolean tf32;
    private final cublasHandle handle = new cublasHandle();
    private final Pointer one = constant(1);
    private final Pointer zero = constant(0);
    /** Of the library that was found: 10000 * major + 100 * minor + patch. */
    private final int[] version = {0};

    Cublas(CudaContext context, boolean tf32) {
        super(context);
        this.tf32 = tf32;
        context.calls().blas("cublasCreate", () -> JCublas2.cublasCreate(handle));
        try {
            setUp();
        } catch (RuntimeException failure) {
            close();
            throw failure;
        }
    }

    private void setUp() {
        CudaContext context = context();
        CudaCalls calls = context.calls();
        calls.blas("cublasSetStream", () -> JCublas2.cublasSetStream(handle, new cudaStream_t(context.stream())));
        Pointer workspace = DeviceAddress.of(new DeviceMemory(context, WORKSPACE_BYTES).address());
        calls.blas(
                "cublasSetWorkspace",
                () -> WORKSPACE_BYTES + " bytes",
                () -> JCublas2.cublasSetWorkspace(handle, workspace, WORKSPACE_BYTES));
        calls.blas(
                "cublasSetAtomicsMode",
                () -> "not allowed",
                () -> JCublas2.cublasSetAtomicsMode(handle, cublasAtomicsMode.CUBLAS_ATOMICS_NOT_ALLOWED));
        // The default mode keeps float32 operands at full precision; TF32 comes by its own mode only.
        int mode = tf32 ? cublasMath.CUBLAS_TF32_TENSOR_OP_MATH : cublasMath.CUBLAS_DEFAULT_MATH;
        calls.blas(
                "cublasSetMathMode", () -> cublasMath.stringFor(mode), () -> JCublas2.cublasSetMathMode(handle, mode));
        calls.blas("cublasGetVersion", () -> JCublas2.cublasGetVersion(handle, version));
    }

    private static Pointer constant(float value) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(4).order(ByteOrder.nativeOrder());
        buffer.putFloat(0, value);
        return Pointer.to(buffer);
    }

    @Override
    String description() {
        return (tf32 ? "TF32 products" : "strict float32") + ", cuBLAS " + version[0];
    }

    @Override
    double unitRoundoff() {
        return tf32 ? 0x1p-10 : 0x1p-24;
    }

    @Override
    double operationsPerMicro() {
        return tf32 ? Speeds.TF32_OPERATIONS : Speeds.FLOAT32_OPERATIONS;
    }

    /** It may sum in another order when there are more rows. */
    @Override
    boolean sameBitsByRow() {
        return false;
    }

    @Override
    void product(Form form, boolean add, long a, long b, long c, long m, long n, long k) {
        product(form, add, a, form == Form.TN ? m : k, b, form == Form.NT ? k : n, c, n, m, n, k);
    }

    /**
     * As above, of parts of matrices, whose rows are so many numbers apart. The one place where rows meet columns: what is
     * row-major for us is the transpose for cuBLAS, so it computes c^T = op(b)^T op(a)^T, with the operands exchanged.
     */
    void product(
            Form form,
            boolean add,
            long a,
            long widthA,
            long b,
            long widthB,
            long c,
            long widthC,
            long m,
            long n,
            long k) {
        context()
                .calls()
                .blas(
                        "cublasSgemm",
                        () -> form.of(m, n, k),
                        () -> JCublas2.cublasSgemm(
                                handle,
                                form == Form.NT ? T : N,
                                form == Form.TN ? T : N,
                                Math.toIntExact(n),
                                Math.toIntExact(m),
                                Math.toIntExact(k),
                                one,
                                DeviceAddress.of(b),
                                Math.toIntExact(widthB),
                                DeviceAddress.of(a),
                                Math.toIntExact(widthA),
                                add ? one : zero,
                                DeviceAddress.of(c),
                                Math.toIntExact(widthC)));
    }

    /** Gives the handle back. After a fault cuBLAS may refuse; what it holds goes with the context. */
    @Override
    void close() {
        try {
            JCublas2.cublasDestroy(handle);
        } catch (CudaException refused) {
            // An application has made JCuda throw; there is nothing left to do.
        }
    }
}
