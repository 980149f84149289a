package dev.elman.reference;

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
import dev.elman.backend.SimpleRnnPass;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Every operation as its formula says, in double, on the calling thread. Slow on purpose: it refuses blocking, threads, fused
 * passes, tables and approximations. The formulas and their sources stand at {@link Backend}.
 */
public final class ReferenceBackend implements Backend {
    private static final System.Logger LOG = System.getLogger(ReferenceBackend.class.getName());

    private final AtomicInteger live = new AtomicInteger();
    private volatile boolean closed;

    @Override
    public String name() {
        return "reference";
    }

    @Override
    public String description() {
        return "reference: plain loops in double, one thread, for checking";
    }

    @Override
    public double unitRoundoff() {
        return 0x1p-53;
    }

    @Override
    public Tensor allocate(Shape shape) {
        checkOpen();
        Memory.requireSize(shape);
        return new ReferenceTensor(this, shape);
    }

    @Override
    public IntTensor allocateInts(Shape shape) {
        checkOpen();
        Memory.requireSize(shape);
        return new ReferenceIntTensor(this, shape);
    }

    @Override
    public int liveTensors() {
        return live.get();
    }

    @Override
    public void close() {
        closed = true;
        int left = live.getAndSet(0);
        if (left > 0) LOG.log(System.Logger.Level.WARNING, "reference: " + left + " tensors were never closed");
    }

    void opened() {
        live.incrementAndGet();
    }

    void closed() {
        if (!closed) live.decrementAndGet();
    }

    void checkOpen() {
        if (closed) throw new IllegalStateException("This backend is closed.");
    }

    private ReferenceTensor in(Tensor tensor) {
        return tensor == null ? null : ReferenceTensor.of(this, tensor);
    }

    private ReferenceIntTensor in(IntTensor tensor) {
        return tensor == null ? null : ReferenceIntTensor.of(this, tensor);
    }

    @Override
    public void fill(Tensor y, double value) {
        ReferenceTensor to = in(y);
        for (int i = 0; i < to.shape().size(); i++) to.put(i, value);
    }

    @Override
    public void copy(Tensor x, Tensor y) {
        ReferenceTensor from = in(x);
        ReferenceTensor to = in(y);
        long size = Operands.sameSize("copy", x, y);
        for (int i = 0; i < size; i++) to.put(i, from.get(i));
    }

    @Override
    public void axpy(double alpha, Tensor x, Tensor y) {
        ReferenceTensor from = in(x);
        ReferenceTensor to = in(y);
        long size = Operands.sameSize("axpy", x, y);
        for (int i = 0; i < size; i++) to.add(i, alpha * from.get(i));
    }

    @Override
    public void multiply(Tensor a, Tensor b, Tensor y) {
        ReferenceTensor left = in(a);
        ReferenceTensor right = in(b);
        ReferenceTensor to = in(y);
        long size = Operands.sameSize("multiply", a, b, y);
        for (int i = 0; i < size; i++) to.put(i, left.get(i) * right.get(i));
    }

    @Override
    public void copyColumns(Tensor x, int fromX, Tensor y, int fromY, int columns) {
        ReferenceTensor from = in(x);
        ReferenceTensor to = in(y);
        int rows = Operands.copyColumns(x, fromX, y, fromY, columns);
        int widthX = x.shape().extent(-1);
        int widthY = y.shape().extent(-1);
        for (int m = 0; m < rows; m++) {
            for (int c = 0; c < columns; c++) to.put(m * widthY + fromY + c, from.get(m * widthX + fromX + c));
        }
    }

    @Override
    public void maskRows(Tensor x, IntTensor keep, Tensor y) {
        ReferenceTensor from = in(x);
        ReferenceIntTensor kept = in(keep);
        ReferenceTensor to = in(y);
        Operands.Matrix sizes = Operands.maskRows(x, keep, y);
        for (int m = 0; m < sizes.m(); m++) {
            for (int c = 0; c < sizes.c(); c++) {
                int i = m * sizes.c() + c;
                to.put(i, kept.get(m) == 0 ? 0 : from.get(i));
            }
        }
    }

    @Override
    public void seenSteps(IntTensor mask, boolean reverse, IntTensor seen) {
        ReferenceIntTensor live = in(mask);
        ReferenceIntTensor to = in(seen);
        Operands.Mask sizes = Operands.seenSteps(mask, seen);
        for (int n = 0; n < sizes.n(); n++) {
            boolean met = false;
            for (int step = 0; step < sizes.t(); step++) {
                int i = (reverse ? sizes.t() - 1 - step : step) * sizes.n() + n;
                met |= live.get(i) != 0;
                to.put(i, met ? 1 : 0);
            }
        }
    }

    @Override
    public void simpleRnnForward(SimpleRnnForward one) {
        forward(Operands.simpleRnnForward(one), one).run();
    }

    @Override
    public void bidirectionalForward(SimpleRnnForward one, SimpleRnnForward other) {
        Operands.Rnn sizes = Operands.bidirectionalForward(one, other);
        Runnable first = forward(sizes, one);
        Runnable second = forward(sizes, other);
        first.run();
        second.run();
    }

    private Runnable forward(Operands.Rnn sizes, SimpleRnnForward one) {
        Recurrence recurrence = recurrence(sizes, one.pass());
        ReferenceTensor wx = in(one.weights().wx());
        ReferenceTensor wh = in(one.weights().wh());
        ReferenceTensor b = in(one.weights().b());
        ReferenceTensor input = in(one.x());
        ReferenceTensor states = in(one.h());
        return () -> recurrence.forward(wx, wh, b, input, states);
    }

    @Override
    public void simpleRnnBackward(SimpleRnnBackward one) {
        backward(Operands.simpleRnnBackward(one), one).run();
    }

    @Override
    public void bidirectionalBackward(SimpleRnnBackward one, SimpleRnnBackward other) {
        Operands.Rnn sizes = Operands.bidirectionalBackward(one, other);
        Runnable first = backward(sizes, one);
        Runnable second = backward(sizes, other);
        first.run();
        second.run();
    }

    private Runnable backward(Operands.Rnn sizes, SimpleRnnBackward one) {
        SimpleRnnWeights weights = one.forward().weights();
        SimpleRnnWeights gradients = one.gradients();
        ReferenceTensor wx = in(weights.wx());
        ReferenceTensor wh = in(weights.wh());
        in(weights.b()); // has no part in its own gradient, but must be one of ours all the same
        ReferenceTensor input = in(one.forward().x());
        ReferenceTensor states = in(one.forward().h());
        ReferenceTensor upstream = in(one.dh());
        ReferenceTensor dInput = in(one.dx());
        ReferenceTensor dwx = in(gradients.wx());
        ReferenceTensor dwh = in(gradients.wh());
        ReferenceTensor db = in(gradients.b());
        Recurrence recurrence = recurrence(sizes, one.forward().pass());
        return () -> {
            recurrence.backward(wh, states, upstream);
            if (dInput != null) recurrence.inputGradient(wx, upstream, dInput);
            recurrence.weightGradients(input, states, upstream, dwx, dwh, db);
        };
    }

    private Recurrence recurrence(Operands.Rnn sizes, SimpleRnnPass pass) {
        return new Recurrence(sizes, pass, in(pass.mask()));
    }

    @Override
    public void embeddingForward(Tensor table, IntTensor ids, Tensor y) {
        ReferenceTensor rows = in(table);
        ReferenceIntTensor index = in(ids);
        ReferenceTensor to = in(y);
        Operands.Embedding sizes = Operands.embeddingForward(table, ids, y);
        for (int m = 0; m < sizes.m(); m++) {
            for (int d = 0; d < sizes.d(); d++) to.put(m * sizes.d() + d, rows.get(index.get(m) * sizes.d() + d));
        }
    }

    @Override
    public void embeddingBackward(IntTensor ids, Tensor dy, Tensor dTable) {
        ReferenceIntTensor index = in(ids);
        ReferenceTensor from = in(dy);
        ReferenceTensor rows = in(dTable);
        Operands.Embedding sizes = Operands.embeddingBackward(ids, dy, dTable);
        for (int m = 0; m < sizes.m(); m++) {
            for (int d = 0; d < sizes.d(); d++) rows.add(index.get(m) * sizes.d() + d, from.get(m * sizes.d() + d));
        }
    }

    @Override
    public void denseForward(Tensor x, Tensor w, Tensor b, Tensor y) {
        Operands.Dense sizes = Operands.denseForward(x, w, b, y);
        new DenseLayer(sizes, false).forward(in(x), in(w), in(b), in(y));
    }

    @Override
    public void denseBackward(Tensor x, Tensor w, Tensor dy, Tensor dx, Tensor dw, Tensor db) {
        Operands.Dense sizes = Operands.denseBackward(x, w, dy, dx, dw, db);
        new DenseLayer(sizes, false).backward(in(x), in(w), in(dy), in(dx), in(dw), in(db));
    }

    @Override
    public void linearForward(Tensor x, Tensor w, Tensor b, Tensor y) {
        Operands.Dense sizes = Operands.linearForward(x, w, b, y);
        new DenseLayer(sizes, true).forward(in(x), in(w), in(b), in(y));
    }

    @Override
    public void linearBackward(Tensor x, Tensor w, Tensor dy, Tensor dx, Tensor dw, Tensor db) {
        Operands.Dense sizes = Operands.linearBackward(x, w, dy, dx, dw, db);
        new DenseLayer(sizes, true).backward(in(x), in(w), in(dy), in(dx), in(dw), in(db));
    }

    @Override
    public void poolForward(Pooling pooling, Tensor x, IntTensor mask, Tensor y, IntTensor argmax) {
        Operands.Sequence sizes = Operands.poolForward(pooling, x, mask, y, argmax);
        PoolOverTime pool = new PoolOverTime(sizes, in(mask));
        switch (pooling) {
            case MAX -> pool.maxForward(in(x), in(y), in(argmax));
            case MEAN -> pool.meanForward(in(x), in(y));
        }
    }

    @Override
    public void poolBackward(Pooling pooling, Tensor dy, IntTensor mask, IntTensor argmax, Tensor dx) {
        Operands.Sequence sizes = Operands.poolBackward(pooling, dy, mask, argmax, dx);
        PoolOverTime pool = new PoolOverTime(sizes, in(mask));
        switch (pooling) {
            case MAX -> pool.maxBackward(in(dy), in(argmax), in(dx));
            case MEAN -> pool.meanBackward(in(dy), in(dx));
        }
    }

    @Override
    public void dropout(Dropout dropout, Tensor x, Tensor y) {
        ReferenceTensor from = in(x);
        ReferenceTensor to = in(y);
        Operands.Sequence sizes = Operands.dropout(x, y);
        for (int t = 0; t < sizes.t(); t++) {
            for (int n = 0; n < sizes.n(); n++) {
                for (int c = 0; c < sizes.c(); c++) {
                    int i = (t * sizes.n() + n) * sizes.c() + c;
                    to.put(i, Dropouts.apply(dropout, t, n, c, from.get(i)));
                }
            }
        }
    }

    @Override
    public void softmax(Tensor x, Tensor y) {
        Operands.Logits sizes = Operands.softmax(x, y);
        ReferenceTensor from = in(x);
        ReferenceTensor to = in(y);
        for (int m = 0; m < sizes.m(); m++) CrossEntropy.softmax(from, to, m, sizes.k());
    }

    @Override
    public void softmaxCrossEntropy(
            Tensor logits, IntTensor labels, double smoothing, double scale, Tensor metrics, Tensor dLogits) {
        Operands.Logits sizes = Operands.softmaxCrossEntropy(logits, labels, smoothing, metrics, dLogits);
        new CrossEntropy(sizes, smoothing, scale).run(in(logits), in(labels), in(metrics), in(dLogits));
    }

    @Override
    public void clipValue(Tensor g, double limit) {
        Operands.clipValue(limit);
        ReferenceTensor all = in(g);
        for (int i = 0; i < all.shape().size(); i++) all.put(i, Math.max(-limit, Math.min(limit, all.get(i))));
    }

    @Override
    public void clipGlobalNorm(Tensor g, double maxNorm, Tensor norm) {
        Operands.clipGlobalNorm(maxNorm, norm);
        ReferenceTensor all = in(g);
        double squares = 0;
        for (int i = 0; i < all.shape().size(); i++) squares += all.get(i) * all.get(i);
        double length = Math.sqrt(squares);
        in(norm).put(0, length);
        if (length <= maxNorm) return;
        for (int i = 0; i < all.shape().size(); i++) all.put(i, all.get(i) * (maxNorm / length));
    }

    @Override
    public void addPenaltyGradient(Tensor w, double l1, double l2, Tensor g) {
        ReferenceTensor weights = in(w);
        ReferenceTensor gradients = in(g);
        long size = Operands.sameSize("addPenaltyGradient", w, g);
        for (int i = 0; i < size; i++) {
            gradients.add(i, l1 * Math.signum(weights.get(i)) + 2 * l2 * weights.get(i));
        }
    }

    @Override
    public void constrain(Constraint constraint, Tensor w) {
        ReferenceTensor weights = in(w);
        Operands.Matrix sizes = Operands.constrain(w);
        for (int c = 0; c < sizes.c(); c++) {
            double squares = 0;
            for (int m = 0; m < sizes.m(); m++) squares += Math.pow(weights.get(m * sizes.c() + c), 2);
            double factor = constraint.factor(Math.sqrt(squares));
            for (int m = 0; m < sizes.m(); m++) {
                int i = m * sizes.c() + c;
                boolean limited = constraint.kind() == Constraint.Kind.NON_NEGATIVE;
                weights.put(i, limited ? Math.max(weights.get(i), 0) : weights.get(i) * factor);
            }
        }
    }

    @Override
    public void sgdStep(SgdStep step, Tensor w, Tensor g, Tensor velocity) {
        long size = Operands.sgdStep(step, w, g, velocity);
        ReferenceTensor weights = in(w);
        ReferenceTensor gradients = in(g);
        ReferenceTensor momenta = in(velocity);
        for (int i = 0; i < size; i++) {
            double gradient = gradients.get(i) + step.weightDecay() * weights.get(i);
            if (momenta != null) {
                momenta.put(i, step.momentum() * momenta.get(i) + gradient);
                gradient = step.nesterov() ? gradient + step.momentum() * momenta.get(i) : momenta.get(i);
            }
            weights.add(i, -step.learningRate() * gradient);
        }
    }

    @Override
    public void adamStep(AdamStep step, Tensor w, Tensor g, Tensor m, Tensor v) {
        long size = Operands.sameSize("adamStep", w, g, m, v);
        ReferenceTensor weights = in(w);
        ReferenceTensor gradients = in(g);
        ReferenceTensor mean = in(m);
        ReferenceTensor square = in(v);
        double meanCorrection = 1 - Math.pow(step.beta1(), (double) step.step());
        double squareCorrection = 1 - Math.pow(step.beta2(), (double) step.step());
        for (int i = 0; i < size; i++) {
            double gradient = gradients.get(i);
            if (step.decoupled()) {
                weights.put(i, weights.get(i) * (1 - step.learningRate() * step.weightDecay()));
            } else {
                gradient += step.weightDecay() * weights.get(i);
            }
            mean.put(i, step.beta1() * mean.get(i) + (1 - step.beta1()) * gradient);
            square.put(i, step.beta2() * square.get(i) + (1 - step.beta2()) * gradient * gradient);
            double direction =
                    mean.get(i) / meanCorrection / (Math.sqrt(square.get(i) / squareCorrection) + step.epsilon());
            weights.add(i, -step.learningRate() * direction);
        }
    }
}
