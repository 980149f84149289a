package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertThrowsExactly;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Activation;
import dev.elman.backend.Backend;
import dev.elman.backend.IntTensor;
import dev.elman.backend.RecurrenceChoice;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnBackward;
import dev.elman.backend.SimpleRnnForward;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import dev.elman.contract.Required;
import dev.elman.train.ClassifierConfig;
import dev.elman.train.SimpleRnnClassifier;
import dev.elman.train.Trainer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUgraph;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Inside an application that has a context, a stream and device memory of its own. */
@Tag("cuda")
class CudaAttachTest {
    private static final int T = 5;
    private static final int N = 6;
    private static final int D = 7;
    private static final int H = 12;

    private final Random random = new Random(3);
    /** Null where there is no device. */
    private CUcontext context;

    private final CUstream stream = new CUstream();
    private final List<CUdeviceptr> memory = new ArrayList<>();
    /** Whose primary context a test holds too, if one does. */
    private final CUdevice retained = new CUdevice();

    private boolean retains;

    @BeforeEach
    void anApplication() {
        Required.open("cuda", CudaBackend::open).close();
        CUdevice device = new CUdevice();
        context = new CUcontext();
        ok(JCudaDriver.cuDeviceGet(device, 0));
        ok(JCudaDriver.cuCtxCreate(context, 0, device));
        ok(JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING));
    }

    /** All of it is still the application's: it can be used and given back. */
    @AfterEach
    void itsContextStreamAndMemoryAreStillThere() {
        if (context == null) return;
        ok(JCudaDriver.cuStreamSynchronize(stream));
        for (CUdeviceptr pointer : memory) ok(JCudaDriver.cuMemFree(pointer));
        ok(JCudaDriver.cuStreamDestroy(stream));
        ok(JCudaDriver.cuCtxDestroy(context));
        if (retains) ok(JCudaDriver.cuDevicePrimaryCtxRelease(retained));
    }

    private static void ok(int status) {
        assertEquals("CUDA_SUCCESS", CUresult.stringFor(status));
    }

    /** Memory of the application's with numbers in it. */
    private CUdeviceptr filled(float... values) {
        CUdeviceptr pointer = new CUdeviceptr();
        ok(JCudaDriver.cuMemAlloc(pointer, 4L * values.length));
        memory.add(pointer);
        ok(JCudaDriver.cuMemcpyHtoD(pointer, Pointer.to(values), 4L * values.length));
        return pointer;
    }

    private float[] read(CUdeviceptr pointer, int length) {
        float[] values = new float[length];
        ok(JCudaDriver.cuStreamSynchronize(stream));
        ok(JCudaDriver.cuMemcpyDtoH(Pointer.to(values), pointer, 4L * length));
        return values;
    }

    private float[] floats(int size) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) values[i] = (float) random.nextGaussian() * 0.3f;
        return values;
    }

    /** The arrays of one forward and backward pass. */
    private final class Arrays {
        final float[] wx = floats(D * H);
        final float[] wh = floats(H * H);
        final float[] b = floats(H);
        final float[] x = floats(T * N * D);
        final float[] h = floats((T + 1) * N * H);
        final float[] dh = floats((T + 1) * N * H);
        final float[][] all = {
            wx, wh, b, x, h, dh, new float[T * N * D], new float[D * H], new float[H * H], new float[H]
        };
        final Shape[] shapes = {
            Shape.of(D, H), Shape.of(H, H), Shape.of(H), Shape.of(T, N, D), Shape.of(T + 1, N, H),
            Shape.of(T + 1, N, H), Shape.of(T, N, D), Shape.of(D, H), Shape.of(H, H), Shape.of(H)
        };
    }

    private static void forwardAndBack(Backend backend, List<Tensor> t) {
        forwardAndBack(backend, t, null);
    }

    private static void forwardAndBack(Backend backend, List<Tensor> t, IntTensor mask) {
        SimpleRnnWeights weights = new SimpleRnnWeights(t.get(0), t.get(1), t.get(2));
        SimpleRnnPass pass = new SimpleRnnPass(Activation.TANH, false, mask);
        SimpleRnnForward forward = new SimpleRnnForward(weights, pass, t.get(3), t.get(4));
        backend.simpleRnnForward(forward);
        SimpleRnnWeights gradients = new SimpleRnnWeights(t.get(7), t.get(8), t.get(9));
        backend.simpleRnnBackward(new SimpleRnnBackward(forward, t.get(5), t.get(6), gradients));
    }

    /** What both directions leave in memory that the backend took itself. */
    private float[][] ownMemory(Arrays arrays) {
        List<Tensor> tensors = new ArrayList<>();
        try (CudaBackend backend = CudaBackend.attach(context, stream)) {
            for (int i = 0; i < arrays.all.length; i++) {
                Tensor tensor = backend.allocate(arrays.shapes[i]);
                tensor.set(arrays.all[i]);
                tensors.add(tensor);
            }
            forwardAndBack(backend, tensors);
            float[][] results = tensors.stream().map(Tensor::toFloats).toArray(float[][]::new);
            tensors.forEach(Tensor::close);
            return results;
        }
    }

    @Test
    void passesOverTheApplicationsMemoryLeaveTheSameBitsThere() {
        Arrays arrays = new Arrays();
        float[][] expected = ownMemory(arrays);
        try (CudaBackend backend = CudaBackend.attach(context, stream)) {
            List<Tensor> tensors = new ArrayList<>();
            for (int i = 0; i < arrays.all.length; i++) {
                tensors.add(backend.wrap(filled(arrays.all[i]), arrays.shapes[i]));
            }
            forwardAndBack(backend, tensors);
            assertEquals(0, backend.context().counters().uploads);
            assertEquals(0, backend.context().counters().downloads);
            tensors.forEach(Tensor::close);
            assertEquals(0, backend.liveTensors());
            for (int i = 0; i < expected.length; i++) {
                assertArrayEquals(expected[i], read(memory.get(i), expected[i].length), "tensor " + i);
            }
        }
    }

    /** Numbers anywhere: the kernels then go one by one where they else go by four. */
    @Test
    void memoryThatIsAlignedToItsNumbersOnlyServesToo() {
        Arrays arrays = new Arrays();
        float[][] expected = ownMemory(arrays);
        try (CudaBackend backend = CudaBackend.attach(context, stream)) {
            List<Tensor> tensors = new ArrayList<>();
            for (int i = 0; i < arrays.all.length; i++) {
                float[] shifted = new float[arrays.all[i].length + 1];
                System.arraycopy(arrays.all[i], 0, shifted, 1, arrays.all[i].length);
                tensors.add(backend.wrap(filled(shifted).withByteOffset(4), arrays.shapes[i]));
            }
            forwardAndBack(backend, tensors);
            for (int i = 0; i < expected.length; i++) {
                float[] given = read(memory.get(i).withByteOffset(4), expected[i].length);
                assertArrayEquals(expected[i], given, 1e-5f, "tensor " + i);
            }
        }
    }

    /** On the software driver work runs when somebody waits for it, so that a call that waited would show; one for live rows too. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void callsReturnBeforeTheWorkIsDone(boolean masked) {
        Required.that(
                System.getenv("SOFTGPU_LOG") != null,
                "softgpu",
                "calls that return before the work is done",
                "a real device may be done before it is asked");
        Arrays arrays = new Arrays();
        CudaSettings settings = Settings.of("onlyLiveRows=true");
        try (CudaBackend backend = CudaBackend.attach(context, stream, settings)) {
            IntTensor mask = masked ? backend.wrapInts(filled(new float[T * N]), Shape.of(T, N)) : null;
            List<Tensor> tensors = new ArrayList<>();
            for (int i = 0; i < arrays.all.length; i++) {
                tensors.add(backend.wrap(filled(arrays.all[i]), arrays.shapes[i]));
            }
            forwardAndBack(backend, tensors, mask);
            ok(JCudaDriver.cuStreamSynchronize(stream));
            forwardAndBack(backend, tensors, mask);
            backend.pointer(tensors.get(0));
            assertEquals(0, backend.context().counters().downloads);
            assertEquals(CUresult.CUDA_ERROR_NOT_READY, JCudaDriver.cuStreamQuery(stream));
        }
    }

    @Test
    void memoryThatCannotBeWrappedIsRefusedWithTheReason() {
        CUdeviceptr pointer = filled(new float[8]);
        try (CudaBackend backend = CudaBackend.attach(context, stream)) {
            assertRefused(backend, pointer.withByteOffset(2), Shape.of(3), "is no multiple of 4");
            assertRefused(backend, pointer, Shape.of(3, 3), "has 32 bytes before its allocation ends, but it takes 36");
            assertRefused(backend, pointer.withByteOffset(8), Shape.of(7), "has 24 bytes before");
            assertRefused(backend, new CUdeviceptr(), Shape.of(1), "the pointer 0x0 for [1] is not in device memory");
            for (Executable call : List.<Executable>of(
                    () -> backend.wrap(null, Shape.of(1)), () -> backend.wrapInts(null, Shape.of(1)))) {
                assertEquals(
                        "pointer",
                        assertThrows(NullPointerException.class, call).getMessage());
            }
            // None of that has harmed the backend.
            Tensor all = backend.wrap(pointer, Shape.of(2, 4));
            backend.fill(all, 3);
            assertArrayEquals(new float[] {3, 3, 3, 3, 3, 3, 3, 3}, all.toFloats());
            IntTensor ints = backend.wrapInts(pointer, Shape.of(8));
            assertEquals(Float.floatToIntBits(3), ints.toInts()[7]);
        }
    }

    private static void assertRefused(CudaBackend backend, CUdeviceptr pointer, Shape shape, String reason) {
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> backend.wrap(pointer, shape));
        assertTrue(refused.getMessage().contains(reason), refused.getMessage());
    }

    @Test
    void aStreamOfAnotherContextIsRefused() {
        CUcontext other = new CUcontext();
        ok(JCudaDriver.cuDeviceGet(retained, 0));
        ok(JCudaDriver.cuDevicePrimaryCtxRetain(other, retained));
        retains = true;
        try {
            IllegalArgumentException refused =
                    assertThrows(IllegalArgumentException.class, () -> CudaBackend.attach(other, stream));
            assertTrue(refused.getMessage().contains("another context"), refused.getMessage());
            assertThrows(IllegalArgumentException.class, () -> CudaBackend.attach(null, stream));
        } finally {
            ok(JCudaDriver.cuCtxSetCurrent(context));
        }
    }

    @Test
    void theDefaultStreamServesToo() {
        try (CudaBackend backend = CudaBackend.attach(context, null);
                Tensor tensor = backend.allocate(Shape.of(3))) {
            backend.fill(tensor, 2);
            CUdeviceptr pointer = backend.pointer(tensor);
            assertArrayEquals(new float[] {2, 2, 2}, read(pointer, 3));
        }
    }

    @Test
    void itIsAttachedWhateverTheThreadsContextIs() {
        ok(JCudaDriver.cuCtxSetCurrent(new CUcontext()));
        try (CudaBackend backend = CudaBackend.attach(context, stream)) {
            assertEquals(context, current());
            assertEquals(0, backend.liveTensors());
        }
    }

    /** Each call makes its own context the thread's, whichever another backend has left there. */
    @Test
    void backendsOfTwoContextsServeOneThreadByTurns() {
        CUcontext primary = new CUcontext();
        ok(JCudaDriver.cuDeviceGet(retained, 0));
        ok(JCudaDriver.cuDevicePrimaryCtxRetain(primary, retained));
        retains = true;
        try (CudaBackend opened = CudaBackend.open();
                CudaBackend attached = CudaBackend.attach(context, stream);
                Tensor one = opened.allocate(Shape.of(40));
                Tensor other = attached.allocate(Shape.of(40))) {
            CUdeviceptr pointer = opened.pointer(one);
            CUdeviceptr otherPointer = attached.pointer(other);
            List<Consumer<Tensor>> calls = List.of(
                    tensor -> (tensor == one ? opened : attached).fill(tensor, 3),
                    tensor -> tensor.set(new float[40]),
                    Tensor::toFloats,
                    tensor -> (tensor == one ? opened : attached).axpy(2, tensor, tensor),
                    tensor -> (tensor == one ? opened : attached).pointer(tensor),
                    tensor -> (tensor == one ? opened : attached)
                            .wrap(tensor == one ? pointer : otherPointer, tensor.shape()),
                    tensor -> (tensor == one ? opened : attached)
                            .allocate(Shape.of(3))
                            .close());
            for (Consumer<Tensor> call : calls) {
                call.accept(one);
                assertEquals(primary, current());
                call.accept(other);
                assertEquals(context, current());
            }
        } finally {
            ok(JCudaDriver.cuCtxSetCurrent(context));
        }
    }

    private static CUcontext current() {
        CUcontext current = new CUcontext();
        ok(JCudaDriver.cuCtxGetCurrent(current));
        return current;
    }

    /** A capture of such a stream would break into what other threads do on the default stream. */
    @Test
    void noGraphIsCapturedOnAStreamThatWaitsForTheDefaultStream() {
        CUstream blocking = new CUstream();
        ok(JCudaDriver.cuStreamCreate(blocking, CUstream_flags.CU_STREAM_DEFAULT));
        for (CUstream each : new CUstream[] {blocking, null}) {
            try (CudaBackend backend = CudaBackend.attach(context, each)) {
                RecurrenceChoice choice = backend.recurrence(256, 512, 2048, 2048, 1, true);
                assertEquals("steps", choice.plan());
                assertTrue(choice.reason().contains("cannot be captured"), choice.reason());
            }
            IllegalArgumentException refused = assertThrows(
                    IllegalArgumentException.class, () -> CudaBackend.attach(context, each, Settings.of("plan=graph")));
            assertTrue(
                    refused.getMessage().contains("elman.cuda.plan is \"graph\", but the application's stream"),
                    refused.getMessage());
        }
        ok(JCudaDriver.cuStreamDestroy(blocking));
    }

    /** The driver then gives and takes no memory, whoever asks. */
    @Test
    @Tag("provokes-cuda-error")
    void whileAnotherStreamCapturesNoMemoryIsTakenOrLost() {
        CUstream theirs = new CUstream();
        CUgraph graph = new CUgraph();
        ok(JCudaDriver.cuStreamCreate(theirs, CUstream_flags.CU_STREAM_NON_BLOCKING));
        try (CudaBackend backend = CudaBackend.attach(context, stream)) {
            Tensor tensor = backend.allocate(Shape.of(3));
            ok(JCudaDriver.cuStreamBeginCapture(theirs, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_GLOBAL));
            for (Executable call : List.<Executable>of(() -> backend.allocate(Shape.of(5)), tensor::close)) {
                CudaCallException refused = assertThrowsExactly(CudaCallException.class, call);
                assertTrue(refused.getMessage().contains("STREAM_CAPTURE_UNSUPPORTED"), refused.getMessage());
            }
            JCudaDriver.cuStreamEndCapture(theirs, graph);
            backend.fill(tensor, 2);
            assertArrayEquals(new float[] {2, 2, 2}, tensor.toFloats());
            assertEquals(1, backend.liveTensors());
            tensor.close();
            assertEquals(0, backend.liveTensors());
        }
        ok(JCudaDriver.cuStreamDestroy(theirs));
    }

    /** One copy of the weights, eight threads with a backend and a stream each, every answer the single thread's. */
    @Test
    void eightThreadsPredictWithOneCopyOfTheWeights() throws Exception {
        ClassifierConfig config = ClassifierConfig.tokens(9, 3)
                .embeddingSize(6)
                .hiddenSize(16)
                .bidirectional(true)
                .seed(4)
                .build();
        int[] ids = random.ints((long) T * N, 0, 9).toArray();
        try (CudaBackend owner = CudaBackend.attach(context, stream);
                SimpleRnnClassifier model = new SimpleRnnClassifier(owner, config)) {
            int size = (int) model.weights().flat().shape().size();
            CUdeviceptr weights = owner.pointer(model.weights().flat());
            float[] expected = predict(owner, model, ids);
            ok(JCudaDriver.cuStreamSynchronize(stream));
            ExecutorService threads = Executors.newFixedThreadPool(8);
            try {
                List<Future<float[]>> answers = new ArrayList<>();
                for (int i = 0; i < 8; i++) {
                    answers.add(threads.submit(() -> predictElsewhere(config, weights, size, ids)));
                }
                for (Future<float[]> answer : answers) assertArrayEquals(expected, answer.get());
            } finally {
                threads.shutdown();
            }
        }
    }

    private float[] predictElsewhere(ClassifierConfig config, CUdeviceptr weights, int size, int[] ids) {
        ok(JCudaDriver.cuCtxSetCurrent(context));
        CUstream own = new CUstream();
        ok(JCudaDriver.cuStreamCreate(own, CUstream_flags.CU_STREAM_NON_BLOCKING));
        try (CudaBackend backend = CudaBackend.attach(context, own)) {
            Tensor shared = backend.wrap(weights, Shape.of(size));
            try (SimpleRnnClassifier model = SimpleRnnClassifier.sharing(backend, config, shared)) {
                float[] first = predict(backend, model, ids);
                assertArrayEquals(first, predict(backend, model, ids));
                assertThrows(
                        IllegalStateException.class,
                        () -> model.fit(
                                new int[][] {{1}, {2}},
                                new int[] {0, 1},
                                Trainer.builder().build()),
                        "fit would write to weights that others read");
                return first;
            }
        } finally {
            ok(JCudaDriver.cuStreamDestroy(own));
        }
    }

    private static float[] predict(CudaBackend backend, SimpleRnnClassifier model, int[] ids) {
        try (IntTensor tokens = backend.allocateInts(Shape.of(T, N));
                Tensor probabilities = backend.allocate(Shape.of(N, 3))) {
            tokens.set(ids);
            model.predictProba(tokens, null, probabilities);
            return probabilities.toFloats();
        }
    }
}
