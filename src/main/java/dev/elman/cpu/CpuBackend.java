package dev.elman.cpu;

import dev.elman.backend.AdamStep;
import dev.elman.backend.Backend;
import dev.elman.backend.Constraint;
import dev.elman.backend.Dropout;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Operands;
import dev.elman.backend.Pooling;
import dev.elman.backend.SgdStep;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnBackward;
import dev.elman.backend.SimpleRnnForward;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;

/**
 * float32 on the processors of this machine. Results are the same bits for any number of threads.
 *
 * <p>System properties: {@code elman.cpu.threads}, by default all processors; {@code elman.cpu.gemm}, {@code openblas} or
 * {@code java}, by default the first that loads; an empty one counts as left out. Any thread may call; operations wait for each
 * other, as they share the threads and memory beside their operands, and to set a tensor of floats waits for them. Nobody closes
 * a tensor that another thread is using: memory is freed at once.
 */
public final class CpuBackend implements Backend {
    private static final System.Logger LOG = System.getLogger(CpuBackend.class.getName());
    private static final String THREADS = "elman.cpu.threads";

    private final Allocations allocations = new Allocations(this);
    private final Gemm gemm;
    private final Workers workers;
    private final Elementwise elementwise;
    private final Rows rows;
    private final Workspace workspace = new Workspace(allocations);

    CpuBackend(Gemm gemm, int threads) {
        this.gemm = gemm;
        this.workers = new Workers(threads);
        this.elementwise = new Elementwise(workers);
        this.rows = new Rows(workers);
    }

    /**
     * Opens it; nothing but a wrong system property or a lack of memory or threads keeps it from that.
     *
     * @throws dev.elman.backend.BackendUnavailableException when OpenBLAS is forced and does not load, or the system starts no more
     *     threads
     * @throws IllegalArgumentException when a system property is wrong
     */
    public static Backend open() {
        return open(threads());
    }

    /** As {@link #open()}, with so many threads, at least 1, whatever {@code elman.cpu.threads} says. */
    public static Backend open(int threads) {
        if (threads < 1) throw new IllegalArgumentException("threads must be at least 1, but is " + threads + ".");
        return new CpuBackend(Gemms.open(), threads);
    }

    private static int threads() {
        String text = System.getProperty(THREADS, "");
        if (text.isEmpty()) return Runtime.getRuntime().availableProcessors();
        try {
            int threads = Integer.parseInt(text.strip());
            if (threads >= 1) return threads;
        } catch (NumberFormatException notANumber) {
            // Said below.
        }
        throw new IllegalArgumentException(THREADS + " must be a number of threads, at least 1, but is \"" + text
                + "\"; leave it out to take all processors.");
    }

    @Override
    public String name() {
        return "cpu";
    }

    @Override
    public String description() {
        String threads = workers.threads() + (workers.threads() == 1 ? " thread, " : " threads, ");
        return "cpu: float32, " + threads + gemm.description();
    }

    @Override
    public double unitRoundoff() {
        return 0x1p-24;
    }

    @Override
    public boolean sameBitsByStep() {
        return gemm.rowsAlone();
    }

    @Override
    public Tensor allocate(Shape shape) {
        return new CpuTensor(allocations.allocate(shape), shape);
    }

    @Override
    public IntTensor allocateInts(Shape shape) {
        return new CpuIntTensor(allocations.allocate(shape), shape);
    }

    @Override
    public int liveTensors() {
        return allocations.count();
    }

    @Override
    public synchronized void close() {
        workers.close();
        workspace.close();
        gemm.close();
        int left = allocations.close();
        if (left > 0) LOG.log(System.Logger.Level.WARNING, "cpu: " + left + " tensors were never closed");
    }

    /** An operand that the operation only reads; null stays null. */
    private CpuTensor read(Tensor tensor) {
        return CpuTensor.of(allocations, tensor);
    }

    private CpuIntTensor read(IntTensor tensor) {
        return CpuIntTensor.of(allocations, tensor);
    }

    private Recurrence.Weights read(Operands.Rnn sizes, SimpleRnnWeights weights) {
        return Recurrence.Weights.of(sizes, read(weights.wx()), read(weights.wh()), read(weights.b()));
    }

    /** One that it writes: what was laid out of it before is void. */
    private CpuTensor written(Tensor tensor) {
        CpuTensor own = read(tensor);
        if (own != null) own.mayChange();
        return own;
    }

    /** Whole numbers have no laid-out copies that a change would make stale. */
    private CpuIntTensor written(IntTensor tensor) {
        return read(tensor);
    }

    private Recurrence.Weights written(Operands.Rnn sizes, SimpleRnnWeights gradients) {
        return Recurrence.Weights.of(sizes, written(gradients.wx()), written(gradients.wh()), written(gradients.b()));
    }

    // ---- whole tensors

    @Override
    public synchronized void fill(Tensor y, double value) {
        elementwise.fill(written(y), (float) value);
    }

    @Override
    public synchronized void copy(Tensor x, Tensor y) {
        Operands.sameSize("copy", x, y);
        elementwise.copy(read(x), written(y));
    }

    @Override
    public synchronized void axpy(double alpha, Tensor x, Tensor y) {
        Operands.sameSize("axpy", x, y);
        elementwise.axpy((float) alpha, read(x), written(y));
    }

    @Override
    public synchronized void multiply(Tensor a, Tensor b, Tensor y) {
        Operands.sameSize("multiply", a, b, y);
        elementwise.multiply(read(a), read(b), written(y));
    }

    @Override
    public synchronized void copyColumns(Tensor x, int fromX, Tensor y, int fromY, int columns) {
        int count = Operands.copyColumns(x, fromX, y, fromY, columns);
        int widthX = x.shape().extent(-1);
        int widthY = y.shape().extent(-1);
        rows.copyColumns(count, read(x), widthX, fromX, written(y), widthY, fromY, columns);
    }

    @Override
    public synchronized void maskRows(Tensor x, IntTensor keep, Tensor y) {
        rows.mask(Operands.maskRows(x, keep, y), read(x), read(keep), written(y));
    }

    @Override
    public synchronized void seenSteps(IntTensor mask, boolean reverse, IntTensor seen) {
        Operands.Mask sizes = Operands.seenSteps(mask, seen);
        CpuIntTensor live = read(mask);
        CpuIntTensor to = written(seen);
        int[] met = new int[sizes.n()];
        int[] now = new int[sizes.n()];
        for (int step = 0; step < sizes.t(); step++) {
            int t = reverse ? sizes.t() - 1 - step : step;
            live.read(t * sizes.n(), now, now.length);
            for (int n = 0; n < met.length; n++) met[n] |= now[n] == 0 ? 0 : 1;
            to.write(t * sizes.n(), met, met.length);
        }
    }

    // ---- layers

    @Override
    public synchronized void simpleRnnForward(SimpleRnnForward one) {
        forward(Operands.simpleRnnForward(one), one).run();
    }

    @Override
    public synchronized void bidirectionalForward(SimpleRnnForward one, SimpleRnnForward other) {
        Operands.Rnn sizes = Operands.bidirectionalForward(one, other);
        Runnable first = forward(sizes, one);
        Runnable second = forward(sizes, other);
        first.run();
        second.run();
    }

    private Runnable forward(Operands.Rnn sizes, SimpleRnnForward one) {
        Recurrence recurrence = Recurrence.of(sizes, one.pass(), read(one.pass().mask()));
        Recurrence.Weights parameters = read(sizes, one.weights());
        CpuTensor inputs = read(one.x());
        CpuTensor states = written(one.h());
        return () -> {
            if (recurrence.empty()) return;
            new Forward(gemm, workers, workspace, recurrence, parameters, inputs, states).run();
        };
    }

    @Override
    public synchronized void simpleRnnBackward(SimpleRnnBackward one) {
        backward(Operands.simpleRnnBackward(one), one).run();
    }

    @Override
    public synchronized void bidirectionalBackward(SimpleRnnBackward one, SimpleRnnBackward other) {
        Operands.Rnn sizes = Operands.bidirectionalBackward(one, other);
        Runnable first = backward(sizes, one);
        Runnable second = backward(sizes, other);
        first.run();
        second.run();
    }

    private Runnable backward(Operands.Rnn sizes, SimpleRnnBackward one) {
        SimpleRnnForward forward = one.forward();
        Recurrence recurrence =
                Recurrence.of(sizes, forward.pass(), read(forward.pass().mask()));
        Recurrence.Weights parameters = read(sizes, forward.weights());
        Recurrence.Weights sums = written(sizes, one.gradients());
        CpuTensor inputs = read(forward.x());
        CpuTensor states = read(forward.h());
        CpuTensor stateGradients = written(one.dh());
        CpuTensor inputGradients = written(one.dx());
        return () -> {
            if (!recurrence.empty()) {
                new Backward(gemm, workers, workspace, recurrence, states, stateGradients)
                        .run(parameters, inputs, inputGradients, sums);
            } else if (inputGradients != null) {
                elementwise.fill(inputGradients, 0);
            }
        };
    }

    @Override
    public synchronized void embeddingForward(Tensor table, IntTensor ids, Tensor y) {
        rows.gather(Operands.embeddingForward(table, ids, y), read(table), read(ids), written(y));
    }

    @Override
    public synchronized void embeddingBackward(IntTensor ids, Tensor dy, Tensor dTable) {
        rows.scatterAdd(Operands.embeddingBackward(ids, dy, dTable), read(ids), read(dy), written(dTable));
    }

    @Override
    public synchronized void denseForward(Tensor x, Tensor w, Tensor b, Tensor y) {
        dense(Operands.denseForward(x, w, b, y), false, x, w, b, y);
    }

    @Override
    public synchronized void denseBackward(Tensor x, Tensor w, Tensor dy, Tensor dx, Tensor dw, Tensor db) {
        denseGradients(Operands.denseBackward(x, w, dy, dx, dw, db), false, x, w, dy, dx, dw, db);
    }

    @Override
    public synchronized void linearForward(Tensor x, Tensor w, Tensor b, Tensor y) {
        dense(Operands.linearForward(x, w, b, y), true, x, w, b, y);
    }

    @Override
    public synchronized void linearBackward(Tensor x, Tensor w, Tensor dy, Tensor dx, Tensor dw, Tensor db) {
        denseGradients(Operands.linearBackward(x, w, dy, dx, dw, db), true, x, w, dy, dx, dw, db);
    }

    /** @param transposed whether w is stored [K,D] */
    private void dense(Operands.Dense sizes, boolean transposed, Tensor x, Tensor w, Tensor b, Tensor y) {
        Matrix from = read(x).matrix(sizes.m(), sizes.d());
        Matrix weights = weights(sizes, transposed, read(w));
        CpuTensor to = written(y);
        if (b != null) rows.fill(read(b), to, sizes.m(), sizes.k());
        Matrix result = to.matrix(sizes.m(), sizes.k());
        try (Gemm.Factor right = gemm.rightInAnyOrder(weights, sizes.m(), workers)) {
            new Tiles(gemm, workers).multiply(from, right, result, b != null).run();
        }
    }

    private void denseGradients(
            Operands.Dense sizes, boolean transposed, Tensor x, Tensor w, Tensor dy, Tensor dx, Tensor dw, Tensor db) {
        CpuTensor dSum = written(db);
        CpuTensor dInput = written(dx);
        Matrix from = read(x).matrix(sizes.m(), sizes.d());
        Matrix weights = weights(sizes, transposed, read(w));
        Matrix gradient = read(dy).matrix(sizes.m(), sizes.k());
        CpuTensor dWeights = written(dw);
        Tiles tiles = new Tiles(gemm, workers);
        if (transposed) tiles.addTransposed(gradient, from, dWeights.matrix(sizes.k(), sizes.d()));
        else tiles.addTransposed(from, gradient, dWeights.matrix(sizes.d(), sizes.k()));
        if (dSum != null) tiles.addRows(gradient, dSum.matrix(1, sizes.k()));
        if (dInput == null) {
            tiles.run();
        } else {
            try (Gemm.Factor right = gemm.rightInAnyOrder(weights.transpose(), sizes.m(), workers)) {
                tiles.multiply(gradient, right, dInput.matrix(sizes.m(), sizes.d()), false)
                        .run();
            }
        }
    }

    /** The matrix [D,K], whichever way it is stored. */
    private static Matrix weights(Operands.Dense sizes, boolean transposed, CpuTensor w) {
        return transposed ? w.matrix(sizes.k(), sizes.d()).transpose() : w.matrix(sizes.d(), sizes.k());
    }

    @Override
    public synchronized void poolForward(Pooling pooling, Tensor x, IntTensor mask, Tensor y, IntTensor argmax) {
        PoolOverTime pool = new PoolOverTime(workers, Operands.poolForward(pooling, x, mask, y, argmax), read(mask));
        switch (pooling) {
            case MAX -> pool.maxForward(read(x), written(y), written(argmax));
            case MEAN -> pool.meanForward(read(x), written(y));
        }
    }

    @Override
    public synchronized void poolBackward(Pooling pooling, Tensor dy, IntTensor mask, IntTensor argmax, Tensor dx) {
        PoolOverTime pool = new PoolOverTime(workers, Operands.poolBackward(pooling, dy, mask, argmax, dx), read(mask));
        switch (pooling) {
            case MAX -> pool.maxBackward(read(dy), read(argmax), written(dx));
            case MEAN -> pool.meanBackward(read(dy), written(dx));
        }
    }

    @Override
    public synchronized void dropout(Dropout dropout, Tensor x, Tensor y) {
        rows.dropout(dropout, Operands.dropout(x, y), read(x), written(y));
    }

    @Override
    public synchronized void softmax(Tensor x, Tensor y) {
        new CrossEntropy(workers, Operands.softmax(x, y)).softmax(read(x), written(y));
    }

    @Override
    public synchronized void softmaxCrossEntropy(
            Tensor logits, IntTensor labels, double smoothing, double scale, Tensor metrics, Tensor dLogits) {
        Operands.Logits sizes = Operands.softmaxCrossEntropy(logits, labels, smoothing, metrics, dLogits);
        new CrossEntropy(workers, sizes)
                .run(read(logits), read(labels), smoothing, scale, written(metrics), written(dLogits));
    }

    // ---- training

    @Override
    public synchronized void clipValue(Tensor g, double limit) {
        Operands.clipValue(limit);
        elementwise.clip(written(g), (float) limit);
    }

    @Override
    public synchronized void clipGlobalNorm(Tensor g, double maxNorm, Tensor norm) {
        Operands.clipGlobalNorm(maxNorm, norm);
        CpuTensor measured = written(norm);
        double length = elementwise.norm(read(g));
        measured.write(0, new float[] {(float) length}, 1);
        // Not "if larger": of a norm that is no number nothing remains as if it were fine.
        if (!(length <= maxNorm)) elementwise.scale(written(g), maxNorm / length);
    }

    @Override
    public synchronized void addPenaltyGradient(Tensor w, double l1, double l2, Tensor g) {
        Operands.sameSize("addPenaltyGradient", w, g);
        elementwise.penalize(read(w), (float) l1, (float) (2 * l2), written(g));
    }

    @Override
    public synchronized void constrain(Constraint constraint, Tensor w) {
        Operands.Matrix sizes = Operands.constrain(w);
        if (constraint.kind() == Constraint.Kind.NON_NEGATIVE) elementwise.rectify(written(w));
        else Rows.constrain(constraint, sizes, written(w));
    }

    @Override
    public synchronized void sgdStep(SgdStep step, Tensor w, Tensor g, Tensor velocity) {
        Operands.sgdStep(step, w, g, velocity);
        elementwise.sgd(step, written(w), read(g), written(velocity));
    }

    @Override
    public synchronized void adamStep(AdamStep step, Tensor w, Tensor g, Tensor m, Tensor v) {
        Operands.sameSize("adamStep", w, g, m, v);
        elementwise.adam(step, written(w), read(g), written(m), written(v));
    }
}
