package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Activation;
import dev.elman.backend.AdamStep;
import dev.elman.backend.Dropout;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Operands;
import dev.elman.backend.OutOfDeviceMemoryException;
import dev.elman.backend.SgdStep;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnBackward;
import dev.elman.backend.SimpleRnnForward;
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import dev.elman.contract.Logged;
import dev.elman.contract.Required;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import jcuda.driver.CUcontext;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a CUDA backend promises beyond the contract: one thread, one owner, no hidden traffic, the same bits again. */
@Tag("cuda")
class CudaSafetyTest {
    private CudaBackend backend;

    @BeforeEach
    void open() {
        backend = Required.open("cuda", CudaBackend::open);
    }

    @AfterEach
    void close() {
        if (backend != null) backend.close();
    }

    /** A kernel would read at address 0, and the whole context would be lost. */
    @Test
    void anOperandThatIsNotThereIsRefused() {
        try (Tensor x = backend.allocate(Shape.of(3))) {
            x.set(1, 2, 3);
            SgdStep sgd = new SgdStep(0.1, 0, false, 0);
            AdamStep adam = new AdamStep(0.1, 0.9, 0.999, 1e-7, 0, false, 1);
            for (Executable call : List.<Executable>of(
                    () -> backend.copy(x, null),
                    () -> backend.copy(null, x),
                    () -> backend.axpy(1, x, null),
                    () -> backend.multiply(x, null, x),
                    () -> backend.multiply(x, x, null),
                    () -> backend.addPenaltyGradient(x, 1, 1, null),
                    () -> backend.sgdStep(sgd, x, null, null),
                    () -> backend.adamStep(adam, x, x, null, x))) {
                assertThrows(NullPointerException.class, call);
            }
            assertArrayEquals(new float[] {1, 2, 3}, x.toFloats());
        }
    }

    /** Of 512 rows, which tensor cores would take if there were one node. */
    @ParameterizedTest
    @CsvSource({"false, 9", "true, 9", "true, 0"})
    void layersWithoutNodesAreNoWork(boolean masked, int features) {
        int rows = 512;
        try (Tensor x = backend.allocate(Shape.of(2, rows, features));
                IntTensor mask = backend.allocateInts(Shape.of(2, rows));
                Tensor wx = backend.allocate(Shape.of(features, 0));
                Tensor wh = backend.allocate(Shape.of(0, 0));
                Tensor h = backend.allocate(Shape.of(3, rows, 0));
                Tensor dx = backend.allocate(x.shape())) {
            backend.fill(dx, 1);
            SimpleRnnWeights weights = new SimpleRnnWeights(wx, wh, null);
            SimpleRnnPass pass = new SimpleRnnPass(Activation.TANH, false, masked ? mask : null);
            SimpleRnnForward forward = new SimpleRnnForward(weights, pass, x, h);
            backend.simpleRnnForward(forward);
            backend.simpleRnnBackward(new SimpleRnnBackward(forward, h, dx, weights));
            assertArrayEquals(new float[2 * rows * features], dx.toFloats());
        }
    }

    /** Nobody else can wait for the backend's stream. */
    @Test
    void whatPointsAtATensorWaitsForWhatIsWrittenThere() {
        float[] values = new float[1 << 16];
        for (int i = 0; i < values.length; i++) values[i] = i;
        try (CudaBackend other = CudaBackend.open();
                Tensor written = backend.allocate(Shape.of(values.length));
                Tensor copied = other.allocate(written.shape())) {
            for (int i = 0; i < 2; i++) {
                backend.fill(written, 7);
                written.set(values);
                assertEquals(CUresult.CUDA_SUCCESS, JCudaDriver.cuCtxSetCurrent(new CUcontext()));
                other.copy(other.wrap(backend.pointer(written), written.shape()), copied);
                assertArrayEquals(values, copied.toFloats());
            }
        }
    }

    @Test
    void anotherThreadIsRefused() throws InterruptedException {
        Tensor tensor = backend.allocate(Shape.of(3));
        AtomicReference<Throwable> caught = new AtomicReference<>();
        Thread other = new Thread(
                () -> caught.set(assertThrows(IllegalStateException.class, () -> backend.fill(tensor, 1))), "other");
        other.start();
        other.join();
        assertTrue(
                caught.get().getMessage().contains("belongs to its opening thread"),
                caught.get().getMessage());
        AtomicReference<Throwable> closing = new AtomicReference<>();
        Thread closer =
                new Thread(() -> closing.set(assertThrows(IllegalStateException.class, tensor::close)), "closer");
        closer.start();
        closer.join();
        assertTrue(
                closing.get().getMessage().endsWith("; use and close it on the opening one, or open another here."),
                closing.get().getMessage());
        assertEquals(1, backend.liveTensors());
        backend.fill(tensor, 1);
        assertArrayEquals(new float[] {1, 1, 1}, tensor.toFloats());
        tensor.close();
    }

    @Test
    void whatIsClosedIsRefused() {
        Tensor tensor = backend.allocate(Shape.of(4));
        Tensor view = tensor.view(1, Shape.of(2));
        tensor.close();
        tensor.close();
        assertEquals(0, backend.liveTensors());
        assertThrows(IllegalStateException.class, view::toFloats);
        assertThrows(IllegalStateException.class, () -> backend.fill(view, 0));
        Tensor left = backend.allocate(Shape.of(4));
        assertEquals(1, backend.liveTensors());
        backend.close();
        backend.close();
        assertEquals(0, backend.liveTensors());
        assertThrows(IllegalStateException.class, left::toFloats);
        assertThrows(IllegalStateException.class, () -> backend.allocate(Shape.of(1)));
        left.close();
        assertEquals(0, backend.liveTensors());
    }

    /** An application's own CUDA code may leave the thread with another context, or with none. */
    @Test
    void aTensorIsClosedWhateverTheThreadsContextIs() {
        Tensor tensor = backend.allocate(Shape.of(64));
        assertEquals(CUresult.CUDA_SUCCESS, JCudaDriver.cuCtxSetCurrent(new CUcontext()));
        tensor.close();
        assertEquals(0, backend.liveTensors());
    }

    @Test
    void aBackendIsClosedWhateverTheThreadsContextIs() {
        CudaBackend other = CudaBackend.open();
        other.fill(other.allocate(Shape.of(64)), 1);
        assertEquals(CUresult.CUDA_SUCCESS, JCudaDriver.cuCtxSetCurrent(new CUcontext()));
        assertEquals(List.of("cuda: 1 tensors were never closed"), Logged.during(other::close));
    }

    @Test
    @Tag("provokes-cuda-error")
    void moreMemoryThanThereIsIsSaidAndHarmsNothing() {
        Tensor small = backend.allocate(Shape.of(2));
        OutOfDeviceMemoryException refused =
                assertThrows(OutOfDeviceMemoryException.class, () -> backend.allocate(Shape.of(1 << 30, 1 << 30)));
        assertTrue(refused.getMessage().contains("CUDA_ERROR_OUT_OF_MEMORY"), refused.getMessage());
        assertTrue(refused.getMessage().contains(" bytes, "), refused.getMessage());
        assertTrue(refused.getMessage().contains("Take smaller batches"), refused.getMessage());
        assertEquals(1, backend.liveTensors());
        backend.fill(small, 2);
        assertArrayEquals(new float[] {2, 2}, small.toFloats());
        small.close();
    }

    /** Their bytes, counted in 64 bits, would come to none. */
    @Test
    void moreNumbersThanHaveAddressesAreRefused() {
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> backend.allocate(Shape.of(1 << 30, 1 << 30, 4)));
        assertTrue(refused.getMessage().contains("more than any memory holds"), refused.getMessage());
        assertEquals(0, backend.liveTensors());
    }

    /** It has given back what it had: who asks for less next gets memory, not that. */
    @Test
    @Tag("provokes-cuda-error")
    void aWorkspaceThatCouldNotGrowIsTakenAnew() {
        Workspace workspace = new Workspace(backend.context());
        workspace.of(64);
        assertThrows(OutOfDeviceMemoryException.class, () -> workspace.of(1L << 60));
        long without = backend.context().counters().bytes;
        workspace.of(64);
        assertEquals(without + 64, backend.context().counters().bytes);
    }

    /**
     * A pass back that finds no memory for what it needs beside its operands, the states without what was dropped, the largest of
     * them, has changed none of them: who frees some may call it again.
     */
    @Test
    @Tag("provokes-cuda-error")
    void aPassBackWithoutMemoryHasChangedNothing() {
        try (CudaBackend own = CudaBackend.open(Settings.of("gemm=own"));
                Tensor wx = own.allocate(Shape.of(0, 64));
                Tensor wh = own.allocate(Shape.of(64, 64));
                Tensor x = own.allocate(Shape.of(32, 2048, 0));
                Tensor h = own.allocate(Shape.of(33, 2048, 64));
                Tensor dh = own.allocate(h.shape());
                Tensor dwx = own.allocate(wx.shape());
                Tensor dwh = own.allocate(wh.shape())) {
            SimpleRnnPass pass = new SimpleRnnPass(Activation.TANH, false, null, new Dropout(0.5, 1, 0, true));
            SimpleRnnForward forward = new SimpleRnnForward(new SimpleRnnWeights(wx, wh, null), pass, x, h);
            own.fill(h, 0.5);
            own.fill(dh, 1);
            own.fill(dwh, 2);
            DeviceMemory rest = new DeviceMemory(own.context(), CudaMemoryTest.freeBytes(own) - (12 << 20));
            IllegalStateException refused = assertThrows(
                    IllegalStateException.class,
                    () -> own.simpleRnnBackward(
                            new SimpleRnnBackward(forward, dh, null, new SimpleRnnWeights(dwx, dwh, null))));
            assertTrue(refused.getMessage().contains("CUDA_ERROR_OUT_OF_MEMORY"), refused.getMessage());
            assertArrayEquals(filled(33 * 2048 * 64, 1), dh.toFloats());
            assertArrayEquals(filled(64 * 64, 2), dwh.toFloats());
            rest.close();
        }
    }

    /** So it is for all that it needs: nothing is taken, and no product made that was not announced, once the first one is made. */
    @Test
    void aPassBackTakesAllMemoryBeforeItsFirstProduct() {
        Operands.Rnn sizes = new Operands.Rnn(100, 4, 3, 5);
        try (CudaBackend own = CudaBackend.open(Settings.of("gemm=own"));
                Tensor numbers = own.allocate(Shape.of(4, 100, 5));
                Tensor gradients = own.allocate(Shape.of(4, 4, 100, 5));
                Tensor h = own.allocate(Shape.of(5, 100, 5));
                Tensor dh = own.allocate(h.shape())) {
            long in = own.in(numbers);
            long[] out = IntStream.range(0, 4)
                    .mapToLong(i -> own.in(gradients.slice(i, 1)))
                    .toArray();
            Announced blas = new Announced(own.blas);
            ColumnSums sums = new ColumnSums(own.kernels(), new Workspace(own.context()));
            RecurrentDropout factors = new RecurrentDropout(own.context(), own.kernels());
            LiveRows live = new LiveRows(own.context(), own.kernels(), blas, false);
            TransposedWeights never = new TransposedWeights(own.context(), own.kernels(), false);
            Elementwise elementwise = new Elementwise(own.context(), own.kernels());
            Planner planner = new Planner(List.of(new StepsPlan(own.kernels(), blas, null, elementwise, never)), null);
            Recurrence pass =
                    new Recurrence(sizes, Activation.TANH, false, 0, 0, in, in, 0, 0, in, own.in(h), own.in(dh));
            new CudaSimpleRnn(planner, blas, sums, factors, live)
                    .backward(List.of(new CudaSimpleRnn.Backward(
                            pass, new Dropout(0.5, 1, 0, true), out[0], out[1], out[2], out[3])));
            assertEquals(blas.allocations, own.context().counters().allocations);
            assertEquals(4 + 3, blas.made, "of the steps, and of the gradients dx, dwx and dwh");
        }
    }

    /** Products of a backend, each of which must be announced before the first of them. */
    private static final class Announced extends BlasAround {
        private final Set<String> announced = new HashSet<>();
        private long allocations;
        private int made;

        Announced(Blas inner) {
            super(inner);
        }

        @Override
        void take(Form form, long m, long n, long k) {
            if (made == 0) announced.add(form.of(m, n, k));
            super.take(form, m, n, k);
        }

        @Override
        void product(Form form, boolean add, long a, long b, long c, long m, long n, long k) {
            if (made++ == 0) allocations = context().counters().allocations;
            assertTrue(announced.contains(form.of(m, n, k)), form.of(m, n, k));
            super.product(form, add, a, b, c, m, n, k);
        }
    }

    /** The same of a dense layer: there is no memory for the sums of the weights, or for those of the bias, which come after them. */
    @ParameterizedTest
    @ValueSource(ints = {1 << 18, 1 << 20})
    @Tag("provokes-cuda-error")
    void aDenseLayerWithoutMemoryHasChangedNothing(int left) {
        int columns = 1 << 15;
        try (CudaBackend own = CudaBackend.open(Settings.of("gemm=own"));
                Tensor x = own.allocate(Shape.of(1024, 1));
                Tensor w = own.allocate(Shape.of(1, columns));
                Tensor dw = own.allocate(w.shape());
                Tensor db = own.allocate(Shape.of(columns));
                Tensor dy = own.allocate(Shape.of(1024, columns))) {
            own.fill(x, 1);
            own.fill(dy, 1);
            own.fill(dw, 2);
            DeviceMemory rest = new DeviceMemory(own.context(), CudaMemoryTest.freeBytes(own) - left);
            IllegalStateException refused =
                    assertThrows(IllegalStateException.class, () -> own.denseBackward(x, w, dy, null, dw, db));
            assertTrue(refused.getMessage().contains("CUDA_ERROR_OUT_OF_MEMORY"), refused.getMessage());
            assertArrayEquals(filled(columns, 2), dw.toFloats());
            rest.close();
        }
    }

    private static float[] filled(int size, float value) {
        float[] values = new float[size];
        Arrays.fill(values, value);
        return values;
    }

    @Test
    void aKernelThatIsNotLoadedIsNamed() {
        Required.that(
                !backend.description().contains("own products"),
                "cublas",
                "a kernel that is not loaded",
                "without cuBLAS products are kernels of ours");
        IllegalStateException refused = assertThrows(
                IllegalStateException.class, () -> backend.kernels().get(Kernel.GEMM_NN_32));
        assertTrue(refused.getMessage().startsWith("gemm_nn_32 is not loaded"), refused.getMessage());
    }

    @Test
    void uploadsLargerThanTheStagingBufferArrive() {
        int size = (4 << 20) / 4 * 2 + 17;
        float[] values = new float[size];
        for (int i = 0; i < size; i++) values[i] = i;
        try (Tensor tensor = backend.allocate(Shape.of(size));
                IntTensor ints = backend.allocateInts(Shape.of(3))) {
            ints.set(1, 2, 3);
            tensor.set(values);
            ints.set(4, 5, 6);
            assertArrayEquals(values, tensor.toFloats());
            assertArrayEquals(new int[] {4, 5, 6}, ints.toInts());
        }
    }

    /** A second pass over the same shapes allocates, uploads and downloads nothing, and gives the same bits. */
    @Test
    void aPassStaysOnTheDeviceAndRepeatsItself() {
        try (Pass pass = new Pass(backend, 5, 9, 33, 31)) {
            pass.run();
            float[] first = pass.results();
            long allocations = backend.context().counters().allocations;
            long uploads = backend.context().counters().uploads;
            long downloads = backend.context().counters().downloads;
            long launches = backend.context().counters().launches;
            long products = backend.context().counters().products;
            pass.run();
            assertEquals(allocations, backend.context().counters().allocations);
            assertEquals(uploads, backend.context().counters().uploads);
            assertEquals(downloads, backend.context().counters().downloads);
            // One kernel forward and one back, one level of sums for db.
            assertEquals(1 + 1 + 1, backend.context().counters().launches - launches);
            // Forward one product for all steps, backward three.
            assertEquals(1 + 3, backend.context().counters().products - products);
            assertArrayEquals(first, pass.results());
        }
    }

    /** Several groups and passes, then a few rows, then the first again. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void onTensorCoresABatchAfterTheLargestTakesNoMemory(boolean tf32) {
        SequenceCase.assumePlan(backend, "tensor", 33);
        CudaSettings settings = Settings.of("plan=tensor", "tf32=" + tf32);
        try (CudaBackend cores = CudaBackend.open(settings);
                Pass large = new Pass(cores, 9, 11, 3, 33);
                Pass small = new Pass(cores, 7, 2, 3, 33)) {
            large.run();
            float[] first = large.results();
            long allocations = cores.context().counters().allocations;
            small.run();
            large.run();
            assertEquals(allocations, cores.context().counters().allocations);
            assertArrayEquals(first, large.results());
        }
    }

    /** The other plans of one launch are strict in any case, and the projections are the same. */
    @Test
    void tensorCoresRoundWhereTheProductsDo() {
        SequenceCase.assumePlan(backend, "tensor", 100);
        assertArrayEquals(states("plan=grid"), states("plan=tensor"), 1e-5f);
        float[] exact = states("plan=grid", "tf32=true");
        float[] rounded = states("plan=tensor", "tf32=true");
        assertArrayEquals(exact, rounded, 4e-3f);
        double apart = IntStream.range(0, exact.length)
                .mapToDouble(i -> Math.abs(exact[i] - rounded[i]))
                .max()
                .orElseThrow();
        assertTrue(apart > 2e-5, "they differ by no more than " + apart);
        assertArrayEquals(states("plan=tensor", "gemm=own"), states("plan=tensor", "gemm=own", "tf32=true"));
    }

    private static float[] states(String... chosen) {
        try (CudaBackend backend = CudaBackend.open(Settings.of(chosen));
                Pass pass = new Pass(backend, 5, 3, 4, 100)) {
            pass.run();
            return pass.h.toFloats();
        }
    }

    /** What a user asks for who needs a sequence run step by step to give the same bits on cuBLAS too. */
    @Test
    void projectionsByStepAreOneMoreProductAStepAndTheSameNumbers() {
        try (Pass whole = new Pass(backend, 5, 9, 33, 31);
                CudaBackend other = CudaBackend.open(Settings.of("projectByStep=true"));
                Pass stepped = new Pass(other, 5, 9, 33, 31)) {
            whole.run();
            stepped.run();
            assertEquals(5 + 3, other.context().counters().products);
            assertTrue(other.sameBitsByStep());
            assertEquals(backend.description().contains("own products"), backend.sameBitsByStep());
            assertArrayEquals(whole.results(), stepped.results(), 1e-5f);
        }
    }

    /** One forward and backward pass whose gradients are set to 0 before. */
    private static final class Pass implements AutoCloseable {
        private final CudaBackend backend;
        private final SimpleRnnWeights weights;
        private final SimpleRnnWeights gradients;
        private final SimpleRnnPass pass;
        private final Tensor x;
        private final Tensor h;
        private final Tensor dh;
        private final Tensor dx;

        Pass(CudaBackend backend, int t, int n, int d, int hidden) {
            this.backend = backend;
            weights = weights(d, hidden);
            gradients = weights(d, hidden);
            IntTensor mask = backend.allocateInts(Shape.of(t, n));
            int[] live = new int[t * n];
            for (int i = 0; i < live.length; i++) live[i] = i % 7 == 0 ? 0 : 1;
            mask.set(live);
            pass = new SimpleRnnPass(Activation.TANH, false, mask);
            x = random(t, n, d);
            h = random(t + 1, n, hidden);
            dh = random(t + 1, n, hidden);
            dx = random(t, n, d);
        }

        private SimpleRnnWeights weights(int d, int hidden) {
            return new SimpleRnnWeights(random(d, hidden), random(hidden, hidden), random(hidden));
        }

        private Tensor random(int... extents) {
            Tensor tensor = backend.allocate(Shape.of(extents));
            Random random = new Random(1);
            tensor.set(random.doubles(tensor.shape().size(), -0.3, 0.3).toArray());
            return tensor;
        }

        void run() {
            backend.fill(dh, 0.25);
            backend.fill(gradients.wx(), 0);
            backend.fill(gradients.wh(), 0);
            backend.fill(gradients.b(), 0);
            SimpleRnnForward forward = new SimpleRnnForward(weights, pass, x, h);
            backend.simpleRnnForward(forward);
            backend.simpleRnnBackward(new SimpleRnnBackward(forward, dh, dx, gradients));
        }

        float[] results() {
            float[] all = new float[0];
            for (Tensor tensor : new Tensor[] {h, dh, dx, gradients.wx(), gradients.wh(), gradients.b()}) {
                float[] one = tensor.toFloats();
                int from = all.length;
                all = java.util.Arrays.copyOf(all, from + one.length);
                System.arraycopy(one, 0, all, from, one.length);
            }
            return all;
        }

        @Override
        public void close() {
            for (SimpleRnnWeights each : new SimpleRnnWeights[] {weights, gradients}) {
                each.wx().close();
                each.wh().close();
                each.b().close();
            }
            pass.mask().close();
            x.close();
            h.close();
            dh.close();
            dx.close();
        }
    }
}
