package dev.elman.train;

import dev.elman.backend.Backend;
import dev.elman.backend.Buffer;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One training: the loop over epochs and batches. */
final class TrainingRun implements AutoCloseable {
    private final Trainer settings;
    private final Learner learner;
    private final Team team;
    private final Checkpoints checkpoints;
    private final Backend backend;
    private final TrainingStep steps;

    /** The weights with which the last epoch began whose first loss was a number. */
    private final Buffer lastGood;

    private int lastGoodEpoch;
    /** Those of the lowest validation loss, where patience watches it. */
    private final Buffer best;

    private final List<EpochResult> results = new ArrayList<>();
    private double bestLoss = Double.POSITIVE_INFINITY;
    private int bestEpoch;
    private long step;
    private double learningRate;
    private boolean warm;
    /** Null as long as no checkpoint was read or written. */
    private TrainingPlan plan;

    TrainingRun(Trainer settings, Learner learner, Team team, Checkpoints checkpoints) {
        this.settings = settings;
        this.learner = learner;
        this.team = team;
        this.checkpoints = checkpoints;
        this.backend = learner.backend();
        this.steps = new TrainingStep(settings, learner, team);
        this.lastGood = new Buffer(backend);
        this.best = new Buffer(backend);
    }

    History fit() {
        keep(lastGood);
        if (watches()) keep(best); // so that its memory is taken before the first batch
        if (saves()) requireRoom();
        resumeLatest();
        boolean goOn = !exhausted(results.size());
        for (int epoch = results.size() + 1; epoch <= settings.epochs() && goOn; epoch++) {
            EpochResult result = epoch(epoch);
            if (result == null) { // interrupted half way
                giveGoodBack();
                return history();
            }
            results.add(result);
            rememberBest(result);
            goOn = !exhausted(epoch);
            if (saves()) checkpoints.save(checkpoint());
            for (Callback callback : settings.callbacks()) goOn &= callback.onEpochEnd(result);
            goOn &= !isInterrupted();
            if (team.size() > 1) goOn = all(goOn);
        }
        if (hasBest()) giveBack(best);
        else proveLast(results.size());
        return history();
    }

    private boolean saves() {
        return checkpoints.wanted() && team.rank() == 0;
    }

    private void requireRoom() {
        Checkpoint.requireRoom(
                tensors().size() + steps.moments().size(),
                learner.weights().flat().shape().size(),
                Runtime.getRuntime().maxMemory());
    }

    /** Whether all workers of the team would go on: one that ended alone would leave the others waiting for its sums. */
    private boolean all(boolean goOn) {
        float[] ending = {goOn ? 0 : 1};
        team.sum(ending);
        return ending[0] == 0;
    }

    /** The workers of a team go on or end together. */
    private boolean isInterrupted() {
        return team.size() == 1 && Thread.currentThread().isInterrupted();
    }

    private History history() {
        return new History(results, hasBest() ? bestEpoch : results.size());
    }

    /** Whether patience has kept weights, which the model gets in the end. */
    private boolean hasBest() {
        return bestEpoch > 0;
    }

    /** What an epoch leaves that does not end: the best weights, or else the last good ones. */
    private void giveGoodBack() {
        giveBack(hasBest() ? best : lastGood);
    }

    private Checkpoint checkpoint() {
        Checkpoint.Counters counters =
                new Checkpoint.Counters(results.size(), step, lastGoodEpoch, bestEpoch, bestLoss, learningRate);
        return Checkpoint.of(plan(step / results.size()), counters, results, tensors(), steps.moments());
    }

    /** By itself, so that the checkpoint is let go of before the training makes others. */
    private void resumeLatest() {
        Checkpoint from = checkpoints.latest();
        if (from != null) resume(from);
    }

    private void resume(Checkpoint from) {
        Checkpoint.Counters counters = from.counters();
        from.restore(plan(counters.step() / counters.epoch()), tensors(), steps.moments());
        results.addAll(from.results());
        step = counters.step();
        lastGoodEpoch = counters.lastGoodEpoch();
        bestEpoch = counters.bestEpoch();
        bestLoss = counters.bestLoss();
        learningRate = counters.learningRate();
        steps.resume(step);
    }

    /** Made once: it reads all that the training learns from. */
    private TrainingPlan plan(long batches) {
        if (plan == null) plan = TrainingPlan.of(settings, learner, batches);
        return plan;
    }

    private Map<String, Tensor> tensors() {
        Shape size = learner.weights().flat().shape();
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        tensors.put(Checkpoint.WEIGHTS, learner.weights().flat());
        tensors.put(Checkpoint.LAST_GOOD, lastGood.of(size));
        if (watches()) tensors.put(Checkpoint.BEST, best.of(size));
        return tensors;
    }

    private void keep(Buffer copy) {
        Tensor weights = learner.weights().flat();
        backend.copy(weights, copy.of(weights.shape()));
    }

    private void giveBack(Buffer copy) {
        Tensor weights = learner.weights().flat();
        backend.copy(copy.of(weights.shape()), weights);
    }

    private boolean watches() {
        return settings.patience() > 0;
    }

    /** Weights are good when a loss has come of them; of the last ones none has, so they get one batch more. */
    private void proveLast(int epoch) {
        int batches = learner.startEpoch(epoch);
        float loss = steps.loss(0, step);
        if (!Float.isFinite(loss)) throw diverged(epoch, batches, "after its step loss " + loss);
    }

    private TrainingDivergedException diverged(int epoch, int batch, String found) {
        giveGoodBack();
        return new TrainingDivergedException(
                epoch,
                batch,
                found,
                step,
                learningRate,
                settings.clipNorm(),
                hasBest() ? bestEpoch : lastGoodEpoch,
                hasBest());
    }

    /** Null when it was interrupted before its last batch. */
    private EpochResult epoch(int epoch) {
        long began = System.nanoTime();
        int batches = learner.startEpoch(epoch);
        if (!warm) steps.warmUp(); // not before: only now are the rows here
        warm = true;
        double loss = 0;
        double hits = 0;
        double norms = 0;
        double targets = 0;
        for (int batch = 0; batch < batches; batch++) {
            TrainingStep.Measured measured = steps.gradient(batch, step);
            if (!measured.isFinite()) throw diverged(epoch, batch + 1, measured.toString());
            learningRate = settings.learningRate(step, (long) batches * settings.epochs());
            if (batch == 0) {
                // Only now is it known what the last update of the epoch before was worth.
                keep(lastGood);
                lastGoodEpoch = epoch - 1;
            }
            steps.update(learningRate);
            step++;
            loss += measured.loss() * measured.weight();
            hits += measured.hits();
            norms += measured.norm();
            targets += measured.weight();
            Progress progress = new Progress(
                    epoch, settings.epochs(), batch + 1, batches, loss / targets, Metrics.accuracy(hits, targets));
            for (Callback callback : settings.callbacks()) callback.onBatchEnd(progress);
            if (isInterrupted() && batch + 1 < batches) return null;
        }
        Metrics held = learner.validate();
        return new EpochResult(
                epoch,
                loss / targets,
                Metrics.accuracy(hits, targets),
                held == null ? Double.NaN : held.loss(),
                held == null ? Double.NaN : held.accuracy(),
                norms / batches,
                learningRate,
                (System.nanoTime() - began) * 1e-9);
    }

    private void rememberBest(EpochResult result) {
        if (!watches() || !(result.validationLoss() < bestLoss)) return;
        bestLoss = result.validationLoss();
        bestEpoch = result.epoch();
        keep(best);
    }

    /** Whether the validation loss has not fallen for too long. */
    private boolean exhausted(int epoch) {
        return watches() && epoch - bestEpoch >= settings.patience();
    }

    @Override
    public void close() {
        steps.close();
        lastGood.close();
        best.close();
    }
}
