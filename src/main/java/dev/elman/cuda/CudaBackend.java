package dev.elman.cuda;

import dev.elman.backend.BackendUnavailableException;
import dev.elman.backend.ChainLink;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Operands;
import dev.elman.backend.OutOfDeviceMemoryException;
import dev.elman.backend.RecurrenceChoice;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUstream;

/**
 * An NVIDIA GPU: cuBLAS for the products, or kernels of ours where there is none, our kernels for the rest, one stream.
 *
 * <p>Numbers are float32. With TF32, products round their operands to 10 bits of mantissa, those of cuBLAS and those of the
 * recurrence on tensor cores. Without it, tensor cores can still make a product of float32's error, out of three of TF32: the
 * recurrence does so where that pays, cuBLAS where it is asked to.
 *
 * <p>It waits for the stream only in downloads, after each 4 MiB of uploads, where its memory grows or a tensor is closed, as the
 * driver may then, and, unless attached, in {@link #pointer} and once in a recurrence under a mask whose products over all steps take
 * half a millisecond or so: to learn the number of live rows.
 *
 * <p>This class and no other names types of JCuda in public: whoever attaches has JCuda already, and any type of ours around a
 * pointer would have to be made from theirs.
 *
 * <p>A backend belongs to the thread that opened it and refuses any other. A failed call poisons it: from then on every
 * operation throws {@link IllegalStateException} with that failure, and only {@link #close} is left. Memory that it does not get,
 * an {@link OutOfDeviceMemoryException}, harms nothing.
 *
 * <p>Running a sequence step by step gives the bits of the whole sequence where cuBLAS sums T*N rows, or the live ones of
 * them, in the order in which it sums N; it does not promise that. {@code -Delman.cuda.projectByStep=true} makes both ways
 * issue the same calls. Our own products give the same bits in any case, and a recurrence whose plan projects x itself needs
 * no product forward.
 */
public final class CudaBackend extends CudaOperations {
    /** The group of all virtual threads, as the JEP that brought them names it; Thread.isVirtual came with Java 21. */
    private static final String VIRTUAL_THREADS = "VirtualThreads";

    private final boolean projectByStep;
    private final String description;
    private final Planner planner;

    private CudaBackend(CudaChain chain, CudaSettings settings) {
        super(chain.context(), chain.kernels(), chain.blas(), chain.live(), chain.planner());
        planner = chain.planner();
        projectByStep = settings.projectByStep();
        description = "cuda: device " + chain.deviceLine() + ", " + blas.description();
    }

    /**
     * Opens the GPU that {@code elman.cuda.device} names, the first by default, for the calling thread. TF32 if
     * {@code elman.cuda.tf32} is true, else strict float32.
     *
     * @throws BackendUnavailableException when a link of the chain does not hold; says which, and what to do
     * @throws IllegalArgumentException when a property {@code elman.cuda...} has a value that it does not know, or names a plan
     *     that cannot run here
     */
    public static CudaBackend open() {
        return open(CudaSettings.fromProperties());
    }

    /** As {@link #open()}, with the precision chosen here. */
    public static CudaBackend open(boolean tf32) {
        return open(CudaSettings.fromPropertiesBut(Map.of("elman.cuda.tf32", String.valueOf(tf32))));
    }

    /** As {@link #open()}, with the GPU chosen here. */
    public static CudaBackend open(int device) {
        return open(CudaSettings.fromPropertiesBut(Map.of("elman.cuda.device", String.valueOf(device))));
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
     * any call before it or a tensor is closed, where it is the first of its size and the driver compiles a kernel, in downloads,
     * and in the uploads that come to 4 MiB since the last wait. The thread's current context is this one after every call.
     *
     * <p>One backend for each thread and stream. They may read the same memory, see {@link #wrap}, once an event of the
     * application's has ordered the writing before. The stream must not be capturing. While another one captures, in global mode
     * or, begun by this thread, in thread-local mode, the driver allocates and frees nothing, and a call that asks for it also
     * invalidates that capture: an operation that needs memory throws {@link IllegalStateException}, and the backend goes on.
     * Do not close it meanwhile: what cannot be freed then stays taken.
     *
     * @param stream null for the default stream; on it, and on one that waits for it, no recurrence runs as a graph
     * @throws BackendUnavailableException when a link of the chain does not hold; says which, and what to do
     * @throws IllegalArgumentException when there is no context, or the stream is not of it, and as in {@link #open()}
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
        ThreadGroup group = Thread.currentThread().getThreadGroup();
        if (group != null && group.getName().equals(VIRTUAL_THREADS)) {
            throw new BackendUnavailableException(
                    CudaChain.UNUSABLE
                            + "this is a virtual thread, which another of the system's threads may carry from one call of the driver to the"
                            + " next; open the backend on a platform thread, such as that of Executors.newSingleThreadExecutor().");
        }
        try {
            return new CudaChain(settings);
        } catch (NoClassDefFoundError missing) {
            throw new BackendUnavailableException(
                    CudaChain.UNUSABLE + "JCuda is not on the class path (no " + missing.getMessage()
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
        } catch (BackendUnavailableException | IllegalArgumentException failure) {
            return List.of(new ChainLink("settings and JCuda", false, failure.getMessage()));
        }
        try {
            chain.open();
            CudaBackend backend = new CudaBackend(chain, settings);
            try {
                chain.compileAll();
            } finally {
                backend.close();
            }
        } catch (BackendUnavailableException | IllegalArgumentException noted) {
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
    public RecurrenceChoice recurrence(int n, int t, int d, int h, int directions, boolean backward) {
        return planner.explain(new Operands.Rnn(n, t, d, h), directions, backward);
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
        return new CudaTensor(context, pointer, shape);
    }

    /** {@link #wrap} for 32-bit integers: ids, masks, labels. */
    public IntTensor wrapInts(CUdeviceptr pointer, Shape shape) {
        return new CudaIntTensor(context, pointer, shape);
    }

    /**
     * Where the elements of one of this backend's tensors lie, for the application's own kernels on the same stream and for
     * {@link #wrap} of other backends in the same context; valid until the tensor is closed. A backend that was opened has a
     * stream of its own, and this waits until what was written so far is there. Who writes more, which other streams read, asks
     * again before they do; with an attached backend, events order them.
     */
    public CUdeviceptr pointer(Tensor tensor) {
        return settled(in(Objects.requireNonNull(tensor, "tensor")));
    }

    /** {@link #pointer(Tensor)} of integers. */
    public CUdeviceptr pointer(IntTensor tensor) {
        return settled(in(Objects.requireNonNull(tensor, "tensor")));
    }

    /** Nobody else can wait for a stream of ours. */
    private CUdeviceptr settled(long address) {
        context.enter();
        if (context.owned()) context.synchronize();
        return DeviceAddress.of(address);
    }

    @Override
    public int liveTensors() {
        return context.liveTensors();
    }

    /** For tests that launch what no operation would. */
    KernelModule kernels() {
        return kernels;
    }

    /** For tests of each plan. */
    Planner planner() {
        return planner;
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
}
