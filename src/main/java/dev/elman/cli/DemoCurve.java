package dev.elman.cli;

import dev.elman.data.Example;
import dev.elman.train.Callback;
import dev.elman.train.EpochResult;
import dev.elman.train.Evaluation;
import dev.elman.train.Progress;
import dev.elman.train.TextClassifier;
import java.util.ArrayList;
import java.util.List;

/**
 * Measures a classifier on rows of our choice after each epoch: the trainer's own validation split would tear the
 * translations of a concept apart.
 */
final class DemoCurve implements Callback {
    private final TextClassifier model;
    private final List<String> texts;
    private final List<String> labels;
    private final Callback shown;
    private final List<EpochResult> epochs = new ArrayList<>();

    /**
     * A curve without points.
     *
     * @param shown is told of all progress, with these measurements for validation
     */
    DemoCurve(TextClassifier model, List<Example> validation, Callback shown) {
        this.model = model;
        this.texts = DemoData.texts(validation);
        this.labels = DemoData.labels(validation);
        this.shown = shown;
    }

    List<EpochResult> epochs() {
        return epochs;
    }

    @Override
    public void onBatchEnd(Progress progress) {
        shown.onBatchEnd(progress);
    }

    @Override
    public boolean onEpochEnd(EpochResult result) {
        Evaluation held = model.evaluate(texts, labels);
        EpochResult measured = new EpochResult(
                result.epoch(),
                result.loss(),
                result.accuracy(),
                held.loss(),
                held.accuracy(),
                result.gradientNorm(),
                result.learningRate(),
                result.seconds());
        epochs.add(measured);
        return shown.onEpochEnd(measured);
    }
}
