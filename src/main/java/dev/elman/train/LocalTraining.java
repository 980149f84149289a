package dev.elman.train;

import dev.elman.backend.Backend;
import dev.elman.backend.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/**
 * Steps of a training on a worker's own shares of the batches, from one state to the next, for those who average states
 * instead of adding up gradients. With plain SGD and no clipping, averaging after every step by the weight of the shares
 * gives what a {@link Team} gives.
 */
public final class LocalTraining implements AutoCloseable {
    private final SimpleRnnClassifier model;
    private final Trainer trainer;
    private final long totalSteps;
    private final ClassifierPass pass;
    private final TrainingStep steps;
    private TrainingData share;
    private int firstRow;
    private long step;
    private boolean closed;

    /**
     * A training that begins with the model's weights.
     *
     * @param totalSteps of the whole training, for the trainer's schedule
     * @throws IllegalArgumentException when the trainer has patience, for which nothing is validated here
     * @throws IllegalStateException when the model shares weights that another owns
     */
    public LocalTraining(SimpleRnnClassifier model, Trainer trainer, long totalSteps) {
        model.requireGradients("LocalTraining");
        if (trainer.patience() > 0) {
            throw new IllegalArgumentException(
                    "patience needs held-back data to watch, and there is none. Leave it out.");
        }
        this.model = model;
        this.trainer = trainer;
        this.totalSteps = totalSteps;
        this.pass = new ClassifierPass(model);
        this.steps = new TrainingStep(trainer, new Share(), Team.alone());
    }

    /**
     * Weights, then the optimizer's moments, one after the other.
     *
     * @throws IllegalStateException when this or the model is closed, or another thread is in an operation of it
     */
    public float[] state() {
        return alone("state", this::read);
    }

    private float[] read() {
        List<Tensor> moments = steps.moments();
        float[] weights = model.weights().flat().toFloats();
        float[] state = new float[weights.length * (1 + moments.size())];
        System.arraycopy(weights, 0, state, 0, weights.length);
        for (int i = 0; i < moments.size(); i++) {
            System.arraycopy(moments.get(i).toFloats(), 0, state, (i + 1) * weights.length, weights.length);
        }
        return state;
    }

    /**
     * Goes on from a state after this many steps.
     *
     * @throws IllegalArgumentException when the state is not as long as {@link #state}'s, or the steps are fewer than 0; nothing has
     *     changed then
     * @throws IllegalStateException when this or the model is closed, or another thread is in an operation of it
     */
    public void restore(float[] state, long stepsBefore) {
        alone("restore", () -> {
            if (stepsBefore < 0) {
                throw new IllegalArgumentException(
                        "restore: stepsBefore must be at least 0, but is " + stepsBefore + ".");
            }
            write(state);
            step = stepsBefore;
            return null;
        });
    }

    private void write(float[] state) {
        int size = (int) model.weights().flat().shape().size();
        long expected = (long) size * (1 + steps.moments().size());
        if (state.length != expected) {
            throw new IllegalArgumentException("restore: the state has " + state.length
                    + " numbers, but this model's weights and its optimizer's moments are " + expected
                    + ". Give it what state() of the same model and optimizer gave.");
        }
        int place = 0;
        model.weights().flat().set(Arrays.copyOfRange(state, 0, size));
        for (Tensor moment : steps.moments()) {
            place += size;
            moment.set(Arrays.copyOfRange(state, place, place + size));
        }
    }

    /**
     * One step along the gradient of the mean loss of this share; none for a share without rows or weight.
     *
     * @param firstRow number that the share's first row has in the whole batch
     * @return of the share; when the loss is not finite, the weights are as they were before the step
     * @throws IllegalArgumentException when a row or label does not fit the model; nothing has changed then
     * @throws IllegalStateException when this or the model is closed, or another thread is in an operation of it
     */
    public Metrics step(TrainingData share, int firstRow) {
        return alone("step", () -> {
            if (share.input().rows() > 0) model.check("step", share);
            return checkedStep(share, firstRow);
        });
    }

    private Metrics checkedStep(TrainingData share, int firstRow) {
        this.share = share;
        this.firstRow = firstRow;
        double weight = share.weight(Batches.range(share.input().rows()));
        Metrics metrics = new Metrics(0, 0, share.input().rows());
        if (weight > 0) {
            TrainingStep.Measured measured = steps.gradient(0, step);
            steps.resume(step);
            if (measured.isFinite()) steps.update(trainer.learningRate(step, totalSteps));
            double loss = measured.isFinite() ? measured.loss() : Double.NaN;
            metrics = new Metrics(
                    loss,
                    Metrics.accuracy(measured.hits(), weight),
                    share.input().rows());
        }
        step++;
        return metrics;
    }

    /** Closed, its moments would begin anew, in memory that nobody frees. */
    private <T> T alone(String operation, Supplier<T> work) {
        return model.network().alone(operation, () -> {
            if (closed) throw new IllegalStateException(operation + ": this training is closed. Make another.");
            return work.get();
        });
    }

    @Override
    public void close() {
        closed = true;
        steps.close();
        pass.close();
    }

    /** The one batch that there is at a time. */
    private final class Share implements Learner {
        @Override
        public Backend backend() {
            return model.backend();
        }

        @Override
        public RnnNetwork network() {
            return model.network();
        }

        @Override
        public int startEpoch(int epoch) {
            return 1;
        }

        @Override
        public double learn(int batch, long number, Tensor metrics) {
            int[] rows = Batches.range(share.input().rows());
            double total = share.weight(rows);
            pass.learn(share, rows, firstRow, total, Seeds.of(trainer.seed(), number), metrics);
            return total;
        }
    }
}
