package dev.elman.train;

import dev.elman.backend.Constraint;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.IntPredicate;
import java.util.function.IntUnaryOperator;

/**
 * How a model is trained; {@code fit} of a model takes one. The same trainer on the same data, model seed and backend gives
 * the same bits. {@link #builder} says what the settings mean and what they are unless set.
 */
public record Trainer(
        int epochs,
        int batchSize,
        Optimizer optimizer,
        LearningRateSchedule schedule,
        double clipNorm,
        double clipValue,
        double validationSplit,
        int patience,
        long seed,
        WeightRules rules,
        List<Callback> callbacks) {
    /**
     * Checks the settings.
     *
     * @throws IllegalArgumentException when one is out of its range
     */
    public Trainer {
        Require.atLeast(1, "epochs", epochs);
        Require.atLeast(1, "batchSize", batchSize);
        Objects.requireNonNull(optimizer, "optimizer");
        Objects.requireNonNull(schedule, "schedule");
        Require.positive("clipNorm", clipNorm);
        Require.positive("clipValue", clipValue);
        Require.below(1, "validationSplit", validationSplit);
        Require.atLeast(0, "patience", patience);
        Objects.requireNonNull(rules, "rules");
        callbacks = List.copyOf(callbacks);
    }

    /** Adam with rate 0.001, 20 epochs, 32 rows a batch, gradients clipped to norm 5, constant rate, seed 0. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * The batches of an epoch, counted from 1, as {@code fit} walks them when nothing is held back: every row once, by number.
     * The first has a row that counts, for its loss is to prove the weights before it.
     *
     * @param lengths of all rows
     * @param counts whether a row has weight; at least one has
     * @throws IllegalArgumentException when none has, or a length is negative
     */
    public List<int[]> batches(int[] lengths, IntPredicate counts, int epoch) {
        int[] rows = Batches.range(lengths.length);
        if (Arrays.stream(rows).noneMatch(counts)) {
            throw new IllegalArgumentException("batches: of " + rows.length + " rows none counts. Give one that does.");
        }
        for (int row : rows) {
            if (lengths[row] < 0) {
                throw new IllegalArgumentException(
                        "batches: lengths must be at least 0, but that of row " + row + " is " + lengths[row] + ".");
            }
        }
        return batches(row -> lengths[row], rows, counts, epoch);
    }

    List<int[]> batches(IntUnaryOperator lengths, int[] rows, IntPredicate counts, int epoch) {
        List<int[]> batches = Batches.shuffled(lengths, rows, batchSize, Seeds.of(seed, epoch));
        int first = 0;
        while (Arrays.stream(batches.get(first)).noneMatch(counts)) first++;
        Collections.swap(batches, 0, first);
        return batches;
    }

    /**
     * The rate of a step, counted from 0.
     *
     * @param total steps of the whole training
     * @throws IllegalArgumentException when the schedule's factor is negative or NaN
     */
    double learningRate(long step, long total) {
        double factor = schedule.factor(step, total);
        if (!(factor >= 0)) {
            throw new IllegalArgumentException("schedule: factors must be at least 0, but that of step " + step + " of "
                    + total + " is " + factor + ". Correct the schedule.");
        }
        return optimizer.learningRate() * factor;
    }

    /** What decides a training's bits besides {@link #learningRate}, by name. */
    Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("batchSize", "" + batchSize);
        settings.put("optimizer", optimizer.toString());
        settings.put("clipNorm", "" + clipNorm);
        settings.put("clipValue", "" + clipValue);
        settings.put("validationSplit", "" + validationSplit);
        settings.put("seed", "" + seed);
        settings.put("regularizers", new TreeMap<>(rules.regularizers()).toString());
        settings.put("constraints", new TreeMap<>(rules.constraints()).toString());
        return settings;
    }

    /** Trains, and leaves the learner with the last weights, or the best ones where patience asks for them. */
    History fit(Learner learner, Team team, Checkpoints checkpoints) {
        if (patience > 0 && !learner.validates()) {
            throw new IllegalArgumentException(
                    "patience needs held-back data to watch: set validationSplit, 0.1 for"
                            + " example, or give SimpleRnnClassifier.fit rows to validate on. A team has none: leave patience out.");
        }
        try (TrainingRun run = new TrainingRun(this, learner, team, checkpoints)) {
            return run.fit();
        }
    }

    /** Settings of a {@link Trainer}. */
    public static final class Builder {
        private int epochs = 20;
        private int batchSize = 32;
        private Optimizer optimizer = Optimizer.adam(0.001);
        private LearningRateSchedule schedule = LearningRateSchedule.constant();
        private double clipNorm = 5;
        private double clipValue = Double.POSITIVE_INFINITY;
        private double validationSplit;
        private int patience;
        private long seed;
        private final Map<WeightKind, Regularizer> regularizers = new EnumMap<>(WeightKind.class);
        private final Map<WeightKind, Constraint> constraints = new EnumMap<>(WeightKind.class);
        private final List<Callback> callbacks = new ArrayList<>();

        private Builder() {}

        /** How often the training data is walked; at least 1. */
        public Builder epochs(int count) {
            epochs = count;
            return this;
        }

        /** Rows N of a minibatch; at least 1. */
        public Builder batchSize(int rows) {
            batchSize = rows;
            return this;
        }

        /** How the weights follow their gradients; {@link Optimizer#adam} with rate 0.001 unless set, Keras's and PyTorch's rate. */
        public Builder optimizer(Optimizer choice) {
            optimizer = choice;
            return this;
        }

        /** What the optimizer's rate is multiplied by as the training goes on. */
        public Builder schedule(LearningRateSchedule choice) {
            schedule = choice;
            return this;
        }

        /** Largest norm of all gradients together (Keras's global_clipnorm, PyTorch's clip_grad_norm_); infinity for no limit. */
        public Builder clipNorm(double limit) {
            clipNorm = limit;
            return this;
        }

        /** Largest magnitude of one gradient (clipvalue, clip_grad_value_), applied before {@link #clipNorm}; infinity for no limit. */
        public Builder clipValue(double limit) {
            clipValue = limit;
            return this;
        }

        /** Share of the training data, chosen by the seed, that is held back for validation. */
        public Builder validationSplit(double share) {
            validationSplit = share;
            return this;
        }

        /**
         * Stops after this many epochs without a lower validation loss, and gives the model its best weights back. Needs
         * {@link #validationSplit}, or rows to validate on in {@code fit}.
         */
        public Builder patience(int epochsWithoutGain) {
            patience = epochsWithoutGain;
            return this;
        }

        /** Decides the order of the rows, the validation rows and what dropout drops. */
        public Builder seed(long value) {
            seed = value;
            return this;
        }

        /** Penalty on the weights of this kind, instead of an earlier one. */
        public Builder regularizer(WeightKind kind, Regularizer choice) {
            regularizers.put(Objects.requireNonNull(kind, "kind"), Objects.requireNonNull(choice, "regularizer"));
            return this;
        }

        /** What the weights of this kind keep to after every step, instead of an earlier choice. */
        public Builder constraint(WeightKind kind, Constraint choice) {
            constraints.put(Objects.requireNonNull(kind, "kind"), Objects.requireNonNull(choice, "constraint"));
            return this;
        }

        /** Adds one to be told of the progress. */
        public Builder callback(Callback callback) {
            callbacks.add(Objects.requireNonNull(callback, "callback"));
            return this;
        }

        /**
         * The trainer.
         *
         * @throws IllegalArgumentException when a setting is out of its range
         */
        public Trainer build() {
            return new Trainer(
                    epochs,
                    batchSize,
                    optimizer,
                    schedule,
                    clipNorm,
                    clipValue,
                    validationSplit,
                    patience,
                    seed,
                    new WeightRules(regularizers, constraints),
                    callbacks);
        }
    }
}
