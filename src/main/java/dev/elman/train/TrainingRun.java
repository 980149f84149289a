package dev.elman.train;

import dev.elman.backend.Backend;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import java.util.ArrayList;
import java.util.List;

/** One training: the loop over epochs and batches. */
final class TrainingRun implements AutoCloseable {
    private final Trainer settings;
    private final Learner learner;
    private final Backend backend;
    private final Optimizer.Updater updater;
    /** Loss, hits, norm: all that is downloaded after a batch. */
    private final Tensor metrics;

    /** The weights with which the last epoch began whose first loss was a number. */
    private final Tensor lastGood;

    private int lastGoodEpoch;
    private final Tensor best;
    private final List<EpochResult> results = new ArrayList<>();
    private double bestLoss = Double.POSITIVE_INFINITY;
    private int bestEpoch;
    private long step;
    private double learningRate;

    TrainingRun(Trainer settings, Learner learner) {
        this.settings = settings;
        this.learner = learner;
        this.backend = learner.backend();
        Shape size = learner.weights().flat().shape();
        this.updater = settings.optimizer().start(backend, learner.weights(), learner.gradients());
        this.metrics = backend.allocate(Shape.of(3));
        this.lastGood = backend.allocate(size);
        this.best = settings.patience() > 0 ? backend.allocate(size) : null;
    }

    History fit() {
        Tensor weights = learner.weights().flat();
        backend.copy(weights, lastGood);
        boolean goOn = true;
        for (int epoch = 1; epoch <= settings.epochs() && goOn; epoch++) {
            EpochResult result = epoch(epoch);
            results.add(result);
            goOn = !exhausted(result);
            for (Callback callback : settings.callbacks()) goOn &= callback.onEpochEnd(result);
        }
        if (best != null && bestEpoch > 0) backend.copy(best, weights);
        return new History(results, best == null || bestEpoch == 0 ? results.size() : bestEpoch);
    }

    private EpochResult epoch(int epoch) {
        long began = System.nanoTime();
        int batches = learner.startEpoch(epoch);
        double loss = 0;
        double hits = 0;
        double norms = 0;
        long targets = 0;
        for (int batch = 0; batch < batches; batch++) {
            backend.fill(learner.gradients().flat(), 0);
            int count = learner.learn(batch, step, metrics.view(0, Shape.of(2)));
            learningRate = settings.optimizer().learningRate()
                    * settings.schedule().factor(step, (long) batches * settings.epochs());
            clip();
            float[] measured = metrics.toFloats();
            if (!Float.isFinite(measured[0]) || !Float.isFinite(measured[2])) {
                backend.copy(lastGood, learner.weights().flat());
                throw new TrainingDivergedException(
                        epoch, batch + 1, measured[0], measured[2], learningRate, lastGoodEpoch);
            }
            if (batch == 0) {
                // Only now is it known what the last update of the epoch before was worth.
                backend.copy(learner.weights().flat(), lastGood);
                lastGoodEpoch = epoch - 1;
            }
            updater.step(learningRate);
            step++;
            loss += (double) measured[0] * count;
            hits += measured[1];
            norms += measured[2];
            targets += count;
            Progress progress =
                    new Progress(epoch, settings.epochs(), batch + 1, batches, loss / targets, hits / targets);
            for (Callback callback : settings.callbacks()) callback.onBatchEnd(progress);
        }
        Metrics held = learner.validate();
        return new EpochResult(
                epoch,
                loss / targets,
                hits / targets,
                held == null ? Double.NaN : held.loss(),
                held == null ? Double.NaN : held.accuracy(),
                norms / batches,
                learningRate,
                (System.nanoTime() - began) * 1e-9);
    }

    private void clip() {
        Tensor gradients = learner.gradients().flat();
        if (settings.clipValue() < Double.POSITIVE_INFINITY) backend.clipValue(gradients, settings.clipValue());
        backend.clipGlobalNorm(gradients, settings.clipNorm(), metrics.view(2, Shape.of(1)));
    }

    /** Whether the validation loss has not fallen for too long; remembers the weights when it has fallen. */
    private boolean exhausted(EpochResult result) {
        if (best == null) return false;
        if (result.validationLoss() < bestLoss) {
            bestLoss = result.validationLoss();
            bestEpoch = result.epoch();
            backend.copy(learner.weights().flat(), best);
        }
        return result.epoch() - bestEpoch >= settings.patience();
    }

    @Override
    public void close() {
        updater.close();
        metrics.close();
        lastGood.close();
        if (best != null) best.close();
    }
}
