package dev.elman.train;

import dev.elman.backend.Backend;
import dev.elman.backend.Buffer;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * One step of a training after the other: the gradient, its sum over the workers, penalties, clipping, the
 * optimizer, constraints.
 */
final class TrainingStep implements AutoCloseable {
    private final Trainer settings;
    private final Learner learner;
    private final Team team;
    private final Backend backend;
    private final Optimizer.Updater updater;
    /** Loss, hits, norm: all that is downloaded after a batch. */
    private final Buffer metrics;

    TrainingStep(Trainer settings, Learner learner, Team team) {
        this.settings = settings;
        this.learner = learner;
        this.team = team;
        this.backend = learner.backend();
        this.updater = settings.optimizer().start(backend, learner.weights(), learner.gradients());
        this.metrics = new Buffer(backend);
    }

    /** Takes the memory that the learner's largest batch needs, and the optimizer. */
    void warmUp() {
        updater.moments();
        learner.warmUp(lossAndHits());
    }

    private Tensor measured() {
        return metrics.of(Shape.of(3));
    }

    private Tensor lossAndHits() {
        return measured().view(0, Shape.of(2));
    }

    /**
     * What is known of a batch with its gradient.
     *
     * @param weight of its targets
     * @param loss their mean
     * @param norm of the gradient before it was clipped by its norm
     */
    record Measured(double weight, float loss, float hits, float norm) {
        boolean isFinite() {
            return Float.isFinite(loss) && Float.isFinite(norm);
        }

        @Override
        public String toString() {
            return "loss " + loss + ", gradient norm " + norm;
        }
    }

    /** Leaves the clipped gradient of a batch for {@link #update}. */
    Measured gradient(int batch, long step) {
        Tensor gradients = learner.gradients().flat();
        backend.fill(gradients, 0);
        double weight = learner.learn(batch, step, lossAndHits());
        float[] summed = team.size() > 1 ? sumOverTeam(gradients) : null;
        // Once for the whole batch, not once for each worker.
        settings.rules().penalize(backend, learner.weights(), learner.gradients());
        if (settings.clipValue() < Double.POSITIVE_INFINITY) backend.clipValue(gradients, settings.clipValue());
        backend.clipGlobalNorm(gradients, settings.clipNorm(), measured().view(2, Shape.of(1)));
        float[] measured = measured().toFloats();
        if (summed != null) System.arraycopy(summed, summed.length - 2, measured, 0, 2);
        return new Measured(weight, measured[0], measured[1], measured[2]);
    }

    /** Gradients, loss and hits travel together; the gradients go back to the device. */
    private float[] sumOverTeam(Tensor gradients) {
        float[] values = gradients.toFloats();
        int size = values.length;
        float[] all = Arrays.copyOf(values, size + 2);
        System.arraycopy(measured().toFloats(), 0, all, size, 2);
        team.sum(all);
        gradients.set(Arrays.copyOf(all, size));
        return all;
    }

    /** The loss of a batch, and nothing else of it. */
    float loss(int batch, long step) {
        learner.learn(batch, step, lossAndHits());
        float[] loss = Arrays.copyOf(measured().toFloats(), 1);
        if (team.size() > 1) team.sum(loss);
        return loss[0];
    }

    /** Moves the weights along the last gradient. */
    void update(double learningRate) {
        updater.step(learningRate);
        settings.rules().constrain(backend, learner.weights());
    }

    List<Tensor> moments() {
        return updater.moments();
    }

    /** Goes on as after this many steps. */
    void resume(long steps) {
        updater.resume(steps);
    }

    @Override
    public void close() {
        updater.close();
        metrics.close();
    }
}
