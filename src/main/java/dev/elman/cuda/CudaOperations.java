package dev.elman.cuda;

import dev.elman.backend.AdamStep;
import dev.elman.backend.Backend;
import dev.elman.backend.Constraint;
import dev.elman.backend.Dropout;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Operands;
import dev.elman.backend.Pooling;
import dev.elman.backend.SgdStep;
import dev.elman.backend.SimpleRnnBackward;
import dev.elman.backend.SimpleRnnForward;
import dev.elman.backend.Tensor;
import dev.elman.cuda.Blas.Form;
import java.util.List;

/** The operations of {@link CudaBackend}: each checks its operands, finds where they lie and hands its work to the stream. */
abstract class CudaOperations implements Backend {
    final CudaContext context;
    final KernelModule kernels;
    final Blas blas;
    private final ColumnSums sums;
    private final Elementwise elementwise;
    private final OverTime overTime;
    private final CudaSimpleRnn rnn;
    private final EmbeddingGradient embedding;
    private final Losses losses;
    private final Optimizers optimizers;

    CudaOperations(CudaContext context, KernelModule kernels, Blas blas, LiveRows live, Planner planner) {
        this.context = context;
        this.kernels = kernels;
        this.blas = blas;
        Workspace workspace = new Workspace(context);
        sums = new ColumnSums(kernels, workspace);
        elementwise = new Elementwise(context, kernels);
        overTime = new OverTime(kernels);
        rnn = new CudaSimpleRnn(planner, blas, sums, new RecurrentDropout(context, kernels), live);
        embedding = new EmbeddingGradient(kernels, new Workspace(context), workspace);
        losses = new Losses(kernels, workspace);
        optimizers = new Optimizers(kernels, workspace);
    }

    /** Where the elements lie, after a check that this backend may use them; 0 for null. */
    final long in(Tensor tensor) {
        return DeviceArray.address(context, tensor);
    }

    /** As above. */
    final long in(IntTensor tensor) {
        return DeviceArray.address(context, tensor);
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
    public void multiply(Tensor a, Tensor b, Tensor y) {
        long left = in(a);
        long right = in(b);
        long to = in(y);
        long size = Operands.sameSize("multiply", a, b, y);
        context.enter();
        elementwise.multiply(left, right, to, size);
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
        Operands.Mask sizes = Operands.seenSteps(mask, seen);
        context.enter();
        overTime.seenSteps(live, reverse, to, sizes.t(), sizes.n());
    }

    @Override
    public void simpleRnnForward(SimpleRnnForward one) {
        forward(Operands.simpleRnnForward(one), List.of(one));
    }

    @Override
    public void bidirectionalForward(SimpleRnnForward one, SimpleRnnForward other) {
        forward(Operands.bidirectionalForward(one, other), List.of(one, other));
    }

    private void forward(Operands.Rnn sizes, List<SimpleRnnForward> directions) {
        List<CudaSimpleRnn.Forward> all = directions.stream()
                .map(one -> new CudaSimpleRnn.Forward(
                        recurrence(sizes, one, 0), one.pass().recurrentDropout()))
                .toList();
        context.enter();
        rnn.forward(all);
    }

    @Override
    public void simpleRnnBackward(SimpleRnnBackward one) {
        backward(Operands.simpleRnnBackward(one), List.of(one));
    }

    @Override
    public void bidirectionalBackward(SimpleRnnBackward one, SimpleRnnBackward other) {
        backward(Operands.bidirectionalBackward(one, other), List.of(one, other));
    }

    private void backward(Operands.Rnn sizes, List<SimpleRnnBackward> directions) {
        List<CudaSimpleRnn.Backward> all = directions.stream()
                .map(one -> new CudaSimpleRnn.Backward(
                        recurrence(sizes, one.forward(), in(one.dh())),
                        one.forward().pass().recurrentDropout(),
                        in(one.dx()),
                        in(one.gradients().wx()),
                        in(one.gradients().wh()),
                        in(one.gradients().b())))
                .toList();
        context.enter();
        rnn.backward(all);
    }

    private Recurrence recurrence(Operands.Rnn sizes, SimpleRnnForward one, long gradients) {
        return new Recurrence(
                sizes,
                one.pass().activation(),
                one.pass().reverse(),
                in(one.pass().mask()),
                0,
                in(one.weights().wx()),
                in(one.weights().wh()),
                0,
                in(one.weights().b()),
                in(one.x()),
                in(one.h()),
                gradients);
    }

    @Override
    public void embeddingForward(Tensor table, IntTensor ids, Tensor y) {
        long rows = in(table);
        long index = in(ids);
        long to = in(y);
        Operands.Embedding sizes = Operands.embeddingForward(table, ids, y);
        context.enter();
        elementwise.gatherRows(rows, index, to, sizes.m(), sizes.d());
    }

    @Override
    public void embeddingBackward(IntTensor ids, Tensor dy, Tensor dTable) {
        long index = in(ids);
        long from = in(dy);
        long rows = in(dTable);
        Operands.Embedding sizes = Operands.embeddingBackward(ids, dy, dTable);
        context.enter();
        embedding.add(index, sizes.m(), from, sizes.d(), rows);
    }

    @Override
    public void denseForward(Tensor x, Tensor w, Tensor b, Tensor y) {
        dense(Operands.denseForward(x, w, b, y), false, x, w, b, y);
    }

    @Override
    public void denseBackward(Tensor x, Tensor w, Tensor dy, Tensor dx, Tensor dw, Tensor db) {
        denseGradients(Operands.denseBackward(x, w, dy, dx, dw, db), false, x, w, dy, dx, dw, db);
    }

    @Override
    public void linearForward(Tensor x, Tensor w, Tensor b, Tensor y) {
        dense(Operands.linearForward(x, w, b, y), true, x, w, b, y);
    }

    @Override
    public void linearBackward(Tensor x, Tensor w, Tensor dy, Tensor dx, Tensor dw, Tensor db) {
        denseGradients(Operands.linearBackward(x, w, dy, dx, dw, db), true, x, w, dy, dx, dw, db);
    }

    /** @param transposed whether w is stored [K,D] */
    private void dense(Operands.Dense sizes, boolean transposed, Tensor x, Tensor w, Tensor b, Tensor y) {
        long from = in(x);
        long weights = in(w);
        long bias = in(b);
        long to = in(y);
        context.enter();
        blas.multiply(transposed ? Form.NT : Form.NN, false, from, weights, to, sizes.m(), sizes.k(), sizes.d());
        if (b != null) elementwise.addBias(bias, to, sizes.m(), sizes.k());
    }

    private void denseGradients(
            Operands.Dense sizes, boolean transposed, Tensor x, Tensor w, Tensor dy, Tensor dx, Tensor dw, Tensor db) {
        long from = in(x);
        long weights = in(w);
        long upstream = in(dy);
        long dFrom = in(dx);
        long dWeights = in(dw);
        long dBias = in(db);
        context.enter();
        int m = sizes.m();
        Form back = transposed ? Form.NN : Form.NT;
        // Products take what they need before they write; but this sum comes when another was added to.
        if (db != null) sums.reserve(m, sizes.k());
        if (dx != null) blas.multiply(back, false, upstream, weights, dFrom, m, sizes.d(), sizes.k());
        if (transposed) blas.multiply(Form.TN, true, upstream, from, dWeights, sizes.k(), sizes.d(), m);
        else blas.multiply(Form.TN, true, from, upstream, dWeights, sizes.d(), sizes.k(), m);
        if (db != null) sums.add(upstream, m, sizes.k(), dBias);
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
        Operands.Logits sizes = Operands.softmax(x, y);
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
        Operands.Logits sizes = Operands.softmaxCrossEntropy(logits, labels, smoothing, metrics, dLogits);
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
    public void addPenaltyGradient(Tensor w, double l1, double l2, Tensor g) {
        long weights = in(w);
        long gradients = in(g);
        long size = Operands.sameSize("addPenaltyGradient", w, g);
        context.enter();
        optimizers.penalize(weights, l1, l2, gradients, size);
    }

    @Override
    public void constrain(Constraint constraint, Tensor w) {
        long weights = in(w);
        Operands.Matrix sizes = Operands.constrain(w);
        context.enter();
        optimizers.constrain(constraint, weights, sizes);
    }

    @Override
    public void sgdStep(SgdStep step, Tensor w, Tensor g, Tensor velocity) {
        long size = Operands.sgdStep(step, w, g, velocity);
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
