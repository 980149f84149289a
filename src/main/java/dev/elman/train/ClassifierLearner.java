package dev.elman.train;

import dev.elman.backend.Backend;
import dev.elman.backend.Tensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A {@link SimpleRnnClassifier} before a {@link Trainer}: its rows, cut into training and validation, and its share of them. */
final class ClassifierLearner implements Learner, AutoCloseable {
    private final SimpleRnnClassifier model;
    private final TrainingData data;
    private final Trainer trainer;
    private final Team team;
    private final int[] training;
    /** The data itself where rows of it are held back. */
    private final TrainingData validationData;

    private final int[] validation;
    private final ClassifierPass pass;
    private List<int[]> batches = List.of();

    /** @param validation null for what the trainer splits off */
    ClassifierLearner(
            SimpleRnnClassifier model, TrainingData data, TrainingData validation, Trainer trainer, Team team) {
        this.model = model;
        this.data = data;
        this.trainer = trainer;
        this.team = team;
        if (team.rank() < 0 || team.rank() >= team.size()) {
            throw new IllegalArgumentException("A team has ranks from 0 to size - 1, but its size is " + team.size()
                    + " and this worker's rank " + team.rank() + ".");
        }
        if (team.size() > 1 && (trainer.validationSplit() > 0 || validation != null)) {
            throw new IllegalArgumentException("A team holds no rows back: set validationSplit to 0, and evaluate the"
                    + " model on rows of your choice.");
        }
        if (trainer.validationSplit() > 0 && validation != null) {
            throw new IllegalArgumentException("fit: there are rows to validate on, and validationSplit "
                    + trainer.validationSplit() + " would hold others back. Set it to 0.");
        }
        int[] rows = Batches.range(data.input().rows());
        int held = (int) Math.round(trainer.validationSplit() * rows.length);
        if (held > 0) Batches.shuffle(rows, Seeds.random(trainer.seed()));
        this.validationData = validation == null ? data : validation;
        this.validation = validation == null
                ? Arrays.copyOf(rows, held)
                : Batches.range(validation.input().rows());
        training = Arrays.copyOfRange(rows, held, rows.length);
        if (training.length == 0 || (held == 0 && trainer.validationSplit() > 0)) {
            throw new IllegalArgumentException("validationSplit " + trainer.validationSplit() + " of " + rows.length
                    + " rows leaves one side empty. Give more rows, another share, or 0 to hold"
                    + " nothing back.");
        }
        requireWeight("to train on", data, training);
        if (validates())
            requireWeight(
                    validation == null ? "that validationSplit holds back" : "to validate on",
                    validationData,
                    this.validation);
        pass = new ClassifierPass(model);
    }

    /** Rows of weight 0 have no mean. */
    private static void requireWeight(String which, TrainingData data, int[] rows) {
        if (data.weight(rows) == 0) {
            throw new IllegalArgumentException("fit: all " + rows.length + " rows " + which
                    + " have weight 0. Give at least one of them another.");
        }
    }

    @Override
    public Backend backend() {
        return model.backend();
    }

    @Override
    public RnnNetwork network() {
        return model.network();
    }

    /** Of rows that come as an epoch needs them, what every worker knows of all: number, lengths, labels, weights. */
    @Override
    public Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        ModelFile.entries(model.config()).forEach((name, value) -> settings.put("model " + name, value));
        putHashes("", data, settings);
        if (trainer.validationSplit() == 0 && validates()) {
            putHashes(" to validate on", validationData, settings);
        }
        return settings;
    }

    private static void putHashes(String which, TrainingData data, Map<String, String> settings) {
        int[] lengths = Arrays.stream(Batches.range(data.input().rows()))
                .map(data.input()::length)
                .toArray();
        settings.put("number of rows" + which, "" + lengths.length);
        settings.put("hash of the lengths" + which, "" + RowsHash.of(lengths));
        settings.put("hash of the labels" + which, "" + RowsHash.of(data.labels()));
        settings.put("hash of the weights" + which, "" + RowsHash.of(data.weights()));
        if (!data.input().partial()) settings.put(TrainingPlan.ROWS + which, "" + hash(data.input()));
    }

    private static long hash(SequenceInput input) {
        return input instanceof SequenceInput.Tokens tokens
                ? RowsHash.of(tokens.ids())
                : RowsHash.of(((SequenceInput.Features) input).x());
    }

    @Override
    public int startEpoch(int epoch) {
        batches = trainer.batches(data.input()::length, training, row -> data.weight(row) > 0, epoch);
        team.startEpoch(epoch, batches);
        if (data.input().partial()) data.input().check(model.config());
        return batches.size();
    }

    @Override
    public void warmUp(Tensor metrics) {
        // A worker of a team has only its share of each batch, and meets the largest as it comes.
        if (team.size() > 1) return;
        for (int[] rows : Batches.largest(data.input()::length, training, trainer.batchSize())) {
            pass.learn(data, rows, 0, data.weight(rows), Seeds.of(trainer.seed(), 0), metrics);
        }
    }

    @Override
    public double learn(int batch, long step, Tensor metrics) {
        int[] rows = batches.get(batch);
        double total = data.weight(rows);
        int from = Team.shareStart(rows.length, team.rank(), team.size());
        int to = Team.shareStart(rows.length, team.rank() + 1, team.size());
        long seed = Seeds.of(trainer.seed(), step);
        if (from < to) pass.learn(data, Arrays.copyOfRange(rows, from, to), from, total, seed, metrics);
        else backend().fill(metrics, 0); // fewer rows than workers
        return total;
    }

    @Override
    public boolean validates() {
        return validation.length > 0;
    }

    @Override
    public Metrics validate() {
        return validates() ? model.measure(validationData, validation) : null;
    }

    @Override
    public void close() {
        pass.close();
    }
}
