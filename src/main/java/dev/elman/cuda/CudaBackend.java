package dev.elman.cuda;

import dev.elman.backend.AdamStep;
import dev.elman.backend.Backend;
import dev.elman.backend.BackendUnavailableException;
import dev.elman.backend.ChainLink;
import dev.elman.backend.Dropout;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Operands;
import dev.elman.backend.Pooling;
import dev.elman.backend.RecurrenceChoice;
import dev.elman.backend.SgdStep;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import java.util.List;
import java.util.Objects;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUstream;

/**
 * An NVIDIA GPU: cuBLAS for the products, or kernels of ours where there is none, our kernels for the rest, one stream.
 * Float32; with TF32 cuBLAS rounds the products' operands to 10 bits of mantissa. Nothing is waited for but downloads.
 *
 * <p>This class and no other names types of JCuda in public: whoever attaches has JCuda already, and any type of ours around a
 * pointer would have to be made from theirs.
 *
 * <p>A backend belongs to the thread that opened it and refuses any other. A failed call poisons it: from then on every
 * operation throws {@link IllegalStateException} with that failure, and only {@link #close} is left.
 *
 * <p>Running a sequence step by step gives the bits of the whole sequence where cuBLAS sums T*N rows in the order in which
 * it sums N; it does not promise that. {@code -Delman.cuda.projectByStep=true} makes both ways issue the same calls. Our
 * own products give the same bits in any case.
 */
public final class CudaBackend implements Backend {
    private final CudaContext context;
    private final KernelModule kernels;
    private final Blas blas;
    private final boolean projectByStep;
    private final String description;
    private final ColumnSums sums;
    private final Elementwise elementwise;
    private final OverTime overTime;
    private final Planner planner;
    private final CudaSimpleRnn rnn;
    private final EmbeddingGradient embedding;
    private final Losses losses;
    private final Optimizers optimizers;

    private CudaBackend(CudaChain chain, CudaSettings settings) {
        context = chain.context();
        kernels = chain.kernels();
        blas = chain.blas();
        projectByStep = settings.projectByStep();
        Workspace workspace = new Workspace(context);
        sums = new ColumnSums(kernels, workspace);
        elementwise = new Elementwise(context, kernels);
        overTime = new OverTime(kernels);
        planner = chain.planner();
        rnn = new CudaSimpleRnn(planner, blas, sums, new RecurrentDropout(context, kernels));
        embedding = new EmbeddingGradient(kernels, new Workspace(context), workspace);
        losses = new Losses(kernels, workspace);
        optimizers = new Optimizers(kernels, workspace);
        description = "cuda: device " + chain.deviceLine() + ", " + blas.description();
    }

    /**
     * Opens the GPU that {@code elman.cuda.device} names, the first by default, for the calling thread. TF32 if
     * {@code elman.cuda.tf32} is true, else strict float32.
     *
     * @throws BackendUnavailableException when a link of the chain does not hold; says which, and what to do
     */
    public static CudaBackend open() {
        return open(CudaSettings.fromProperties());
    }

    /** As {@link #open()}, with the precision chosen here. */
    public static CudaBackend open(boolean tf32) {
        return open(CudaSettings.fromProperties().withTf32(tf32));
    }

    /** As {@link #open()}, with the GPU chosen here. */
    public static CudaBackend open(int device) {
        return open(CudaSettings.fromProperties().withDevice(device));
    }

    static CudaBackend open(CudaSettings settings) {
        CudaChain chain = chain(settings);
        chain.open();
        return new CudaBackend(chain, settings);
    }

    /**
     * Works in an application's context and stream, for the calling thread; precision and plan as in {@link #open()}. Both
     * stay the application's: {@link #close} waits for the stream and frees what this backend took, but neither of them.
     * Every operation is handed to the stream and returns, whatever runs there; it waits only where it takes more memory than
     * any call before it, and in downloads. The thread's current context is this one after every call.
     *
     * <p>One backend for each thread and stream. They may read the same memory, see {@link #wrap}, once an event of the
     * application's has ordered the writing before. The stream must not be capturing.
     *
     * @param stream null for the default stream; on it, and on one that waits for it, no recurrence runs as a graph
     * @throws BackendUnavailableException when a link of the chain does not hold; says which, and what to do
     * @throws IllegalArgumentException when there is no context, or the stream is not of it
     */
    public static CudaBackend attach(CUcontext context, CUstream stream) {
        return attach(context, stream, CudaSettings.fromProperties());
    }

    static CudaBackend attach(CUcontext context, CUstream stream, CudaSettings settings) {
        if (context == null) throw new IllegalArgumentException("attach: there is no context. Give the application's.");
        CudaChain chain = chain(settings);
        chain.attach(context, stream == null ? new CUstream() : stream);
        return new CudaBackend(chain, settings);
    }

    private static CudaChain chain(CudaSettings settings) {
        try {
            return new CudaChain(settings);
        } catch (NoClassDefFoundError missing) {
            throw new BackendUnavailableException(
                    "CUDA cannot be used: JCuda is not on the class path (no " + missing.getMessage()
                            + "); add org.jcuda:jcuda and org.jcuda:jcublas, which come with dev.elman:elman.",
                    missing);
        }
    }

    /** Every link from the JVM to the GPU, up to the first that does not hold. */
    public static List<ChainLink> examine() {
        CudaSettings settings;
        CudaChain chain;
        try {
            settings = CudaSettings.fromProperties();
            chain = chain(settings);
        } catch (BackendUnavailableException failure) {
            return List.of(new ChainLink("settings and JCuda", false, failure.getMessage()));
        }
        try {
            chain.open();
            new CudaBackend(chain, settings).close();
        } catch (BackendUnavailableException noted) {
            // It is the last of the links.
        }
        return chain.links();
    }

    @Override
    public String name() {
        return "cuda";
    }

    @Override
    public String description() {
        return description;
    }

    @Override
    public double unitRoundoff() {
        return blas.unitRoundoff();
    }

    @Override
    public boolean sameBitsByStep() {
        return projectByStep || blas.sameBitsByRow();
    }

    @Override
    public Tensor allocate(Shape shape) {
        context.enter();
        return new CudaTensor(context, shape);
    }

    @Override
    public IntTensor allocateInts(Shape shape) {
        context.enter();
        return new CudaIntTensor(context, shape);
    }

    /**
     * The application's own device memory as a tensor, without a copy: what an operation writes there is written in the order
     * of the stream. The application frees it, after this backend's last use of it; closing the tensor does nothing. It need
     * not be aligned to more than its numbers are, but memory that begins at a multiple of 16 bytes is faster.
     *
     * @param pointer to float32, row-major
     * @throws IllegalArgumentException when the memory there is not of this context, is too short for the shape, or begins at
     *     no multiple of 4 bytes
     */
    public Tensor wrap(CUdeviceptr pointer, Shape shape) {
        return CudaTensor.ofCaller(context, pointer, shape);
    }

    /** {@link #wrap} for 32-bit integers: ids, masks, labels. */
    public IntTensor wrapInts(CUdeviceptr pointer, Shape shape) {
        return CudaIntTensor.ofCaller(context, pointer, shape);
    }

    /**
     * Where the elements of one of this backend's tensors lie, for the application's own kernels on the same stream and for
     * {@link #wrap} of other backends in the same context; valid until the tensor is closed.
     */
    public CUdeviceptr pointer(Tensor tensor) {
        return DeviceAddress.of(in(Objects.requireNonNull(tensor, "tensor")));
    }

    /** {@link #pointer(Tensor)} of integers. */
    public CUdeviceptr pointer(IntTensor tensor) {
        return DeviceAddress.of(in(Objects.requireNonNull(tensor, "tensor")));
    }

    @Override
    public int liveTensors() {
        return context.liveTensors();
    }

    /** For tests that launch what no operation would. */
    KernelModule kernels() {
        return kernels;
    }

    /** Names of the recurrence's plans, for tests of each. */
    List<String> plans() {
        return planner.names();
    }

    /** For tests that look behind the operations. */
    CudaContext context() {
        return context;
    }

    @Override
    public void close() {
        if (context.closed()) return;
        context.enterToClose();
        context.synchronizeToClose();
        planner.close();
        blas.close();
        kernels.close();
        context.close();
    }

    private long in(Tensor tensor) {
        return CudaTensor.address(context, tensor);
    }

    private long in(IntTensor tensor) {
        return CudaIntTensor.address(context, tensor);
    }

    @Override
    public void fill(Tensor y, double value) {
        long to = in(y);
        context.enter();
        elementwise.fill(to, y.shape().size(), (float) value);
    }

    @Override
    public void copy(Tensor x, Tensor y) {
        long from = in(x);
        long to = in(y);
        long size = Operands.sameSize("copy", x, y);
        context.enter();
        elementwise.copy(from, to, size);
    }

    @Override
    public void axpy(double alpha, Tensor x, Tensor y) {
        long from = in(x);
        long to = in(y);
        long size = Operands.sameSize("axpy", x, y);
        context.enter();
        elementwise.axpy(alpha, from, to, size);
    }

    @Override
    public void copyColumns(Tensor x, int fromX, Tensor y, int fromY, int columns) {
        long from = in(x) + 4L * fromX;
        long to = in(y) + 4L * fromY;
        int rows = Operands.copyColumns(x, fromX, y, fromY, columns);
        context.enter();
        elementwise.copyColumns(from, x.shape().extent(-1), to, y.shape().extent(-1), rows, columns);
    }

    @Override
    public void maskRows(Tensor x, IntTensor keep, Tensor y) {
        long from = in(x);
        long kept = in(keep);
        long to = in(y);
        Operands.Matrix sizes = Operands.maskRows(x, keep, y);
        context.enter();
        elementwise.maskRows(from, kept, to, sizes);
    }

    @Override
    public void seenSteps(IntTensor mask, boolean reverse, IntTensor seen) {
        long live = in(mask);
        long to = in(seen);
        Operands.Matrix sizes = Operands.seenSteps(mask, seen);
        context.enter();
        overTime.seenSteps(live, reverse, to, sizes.m(), sizes.c());
    }

    @Override
    public void simpleRnnForward(SimpleRnnWeights weights, SimpleRnnPass pass, Tensor x, Tensor h) {
        Operands.Rnn sizes = Operands.simpleRnnForward(weights, pass, x, h);
        Recurrence all = recurrence(sizes, weights, pass, x, h, null);
        context.enter();
        rnn.forward(all);
    }

    @Override
    public void simpleRnnBackward(
            SimpleRnnWeights weights,
            SimpleRnnPass pass,
            Tensor x,
            Tensor h,
            Tensor dh,
            Tensor dx,
            SimpleRnnWeights gradients) {
        Operands.Rnn sizes = Operands.simpleRnnBackward(weights, pass, x, h, dh, dx, gradients);
        Recurrence all = recurrence(sizes, weights, pass, x, h, dh);
        long dFrom = in(dx);
        long dwx = in(gradients.wx());
        long dwh = in(gradients.wh());
        long db = in(gradients.b());
        context.enter();
        rnn.backward(all);
        rnn.gradients(all, dFrom, dwx, dwh, db);
    }

    private Recurrence recurrence(
            Operands.Rnn sizes, SimpleRnnWeights weights, SimpleRnnPass pass, Tensor x, Tensor h, Tensor dh) {
        return new Recurrence(
                sizes,
                pass.activation(),
                pass.reverse(),
                in(pass.mask()),
                pass.recurrentDropout(),
                in(weights.wx()),
                in(weights.wh()),
                in(weights.b()),
                in(x),
                in(h),
                in(dh));
    }

    @Override
    public RecurrenceChoice recurrence(int n, int t, int d, int h, boolean backward) {
        return planner.explain(new Operands.Rnn(n, t, d, h), backward);
    }

    @Override
    public void embeddingForward(Tensor table, IntTensor ids, Tensor y) {
        long rows = in(table);
        long index = in(ids);
        long to = in(y);
        Operands.Dense sizes = Operands.embeddingForward(table, ids, y);
        context.enter();
        elementwise.gatherRows(rows, index, to, sizes.m(), sizes.d());
    }

    @Override
    public void embeddingBackward(IntTensor ids, Tensor dy, Tensor dTable) {
        long index = in(ids);
        long from = in(dy);
        long rows = in(dTable);
        Operands.Dense sizes = Operands.embeddingBackward(ids, dy, dTable);
        context.enter();
        embedding.add(index, sizes.m(), from, sizes.d(), rows);
    }

    @Override
    public void denseForward(Tensor x, Tensor w, Tensor b, Tensor y) {
        long from = in(x);
        long weights = in(w);
        long bias = in(b);
        long to = in(y);
        Operands.Dense sizes = Operands.denseForward(x, w, b, y);
        context.enter();
        blas.multiply(false, from, weights, to, sizes.m(), sizes.k(), sizes.d());
        if (b != null) elementwise.addBias(bias, to, sizes.m(), sizes.k());
    }

    @Override
    public void denseBackward(Tensor x, Tensor w, Tensor dy, Tensor dx, Tensor dw, Tensor db) {
        long from = in(x);
        long weights = in(w);
        long upstream = in(dy);
        long dFrom = in(dx);
        long dWeights = in(dw);
        long dBias = in(db);
        Operands.Dense sizes = Operands.denseBackward(x, w, dy, dx, dw, db);
        context.enter();
        if (dx != null) blas.multiplyTransposed(false, upstream, weights, dFrom, sizes.m(), sizes.d(), sizes.k());
        blas.transposedMultiply(true, from, upstream, dWeights, sizes.d(), sizes.k(), sizes.m());
        if (db != null) sums.add(upstream, sizes.m(), sizes.k(), dBias);
    }

    @Override
    public void poolForward(Pooling pooling, Tensor x, IntTensor mask, Tensor y, IntTensor argmax) {
        long from = in(x);
        long live = in(mask);
        long to = in(y);
        long steps = in(argmax);
        Operands.Sequence sizes = Operands.poolForward(pooling, x, mask, y, argmax);
        context.enter();
        overTime.poolForward(pooling, from, live, to, steps, sizes);
    }

    @Override
    public void poolBackward(Pooling pooling, Tensor dy, IntTensor mask, IntTensor argmax, Tensor dx) {
        long upstream = in(dy);
        long live = in(mask);
        long steps = in(argmax);
        long to = in(dx);
        Operands.Sequence sizes = Operands.poolBackward(pooling, dy, mask, argmax, dx);
        context.enter();
        overTime.poolBackward(pooling, upstream, live, steps, to, sizes);
    }

    @Override
    public void dropout(Dropout dropout, Tensor x, Tensor y) {
        long from = in(x);
        long to = in(y);
        Operands.Sequence sizes = Operands.dropout(x, y);
        context.enter();
        overTime.dropout(dropout, from, to, sizes);
    }

    @Override
    public void softmax(Tensor x, Tensor y) {
        long from = in(x);
        long to = in(y);
        Operands.Matrix sizes = Operands.softmax(x, y);
        context.enter();
        losses.softmax(from, to, sizes);
    }

    @Override
    public void softmaxCrossEntropy(
            Tensor logits, IntTensor labels, double smoothing, double scale, Tensor metrics, Tensor dLogits) {
        long from = in(logits);
        long wanted = in(labels);
        long sum = in(metrics);
        long to = in(dLogits);
        Operands.Matrix sizes = Operands.softmaxCrossEntropy(logits, labels, smoothing, metrics, dLogits);
        context.enter();
        losses.crossEntropy(from, wanted, smoothing, scale, sum, to, sizes);
    }

    @Override
    public void clipValue(Tensor g, double limit) {
        Operands.clipValue(limit);
        long all = in(g);
        context.enter();
        optimizers.clipValue(all, g.shape().size(), limit);
    }

    @Override
    public void clipGlobalNorm(Tensor g, double maxNorm, Tensor norm) {
        Operands.clipGlobalNorm(maxNorm, norm);
        long all = in(g);
        long length = in(norm);
        context.enter();
        optimizers.clipGlobalNorm(all, g.shape().size(), maxNorm, length);
    }

    @Override
    public void sgdStep(SgdStep step, Tensor w, Tensor g, Tensor velocity) {
        long size = Operands.sameSize("sgdStep", w, g, velocity);
        Operands.sgdStep(step, velocity);
        long weights = in(w);
        long gradients = in(g);
        long momenta = in(velocity);
        context.enter();
        optimizers.sgd(step, weights, gradients, momenta, size);
    }

    @Override
    public void adamStep(AdamStep step, Tensor w, Tensor g, Tensor m, Tensor v) {
        long size = Operands.sameSize("adamStep", w, g, m, v);
        long weights = in(w);
        long gradients = in(g);
        long mean = in(m);
        long square = in(v);
        context.enter();
        optimizers.adam(step, weights, gradients, mean, square, size);
    }
}
