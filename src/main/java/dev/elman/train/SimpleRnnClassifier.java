package dev.elman.train;

import dev.elman.backend.Backend;
import dev.elman.backend.Buffer;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Parameters;
import dev.elman.backend.Shape;
import dev.elman.backend.ShapeMismatchException;
import dev.elman.backend.Tensor;
import dev.elman.rnn.Sequences;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * One class for each sequence: embedding, SimpleRnn, dense layer, softmax.
 *
 * <p>For one thread at a time; a second one is refused. Two models may share a backend, on a GPU if one thread uses both.
 */
public final class SimpleRnnClassifier implements AutoCloseable {
    /** What the model file says it is. */
    public static final String KIND = "sequence-classifier";

    /** Rows that are predicted together: enough to keep a device busy, few enough to bound its memory. */
    private static final int PREDICTION_ROWS = 256;

    /** And their steps, padding included: one long row would else make short ones as long as itself. */
    private static final int PREDICTION_STEPS = 256 * PREDICTION_ROWS;

    private final Backend backend;
    private final ClassifierConfig config;
    private final RnnNetwork network;
    /** For predictions and evaluations. */
    private final Minibatch minibatch;

    private final Buffer metrics;
    private final WeightedLoss weightedLoss;

    /** A model with fresh weights; the backend must outlive it. */
    public SimpleRnnClassifier(Backend backend, ClassifierConfig config) {
        this(backend, config, network(backend, config));
        network.initialize(config.seed());
    }

    /** A model whose weights are all 0, for callers that set them: drawing those of a large layer takes seconds. */
    public static SimpleRnnClassifier zeros(Backend backend, ClassifierConfig config) {
        return new SimpleRnnClassifier(backend, config, network(backend, config));
    }

    private static RnnNetwork network(Backend backend, ClassifierConfig config) {
        List<Parameters> pair = Parameters.allocatePair(backend, config.specs());
        return new RnnNetwork(
                backend,
                config.vocabulary() > 0,
                config.rnn(),
                config.inputDropout(),
                config.dropout(),
                false,
                pair.get(0),
                pair.get(1));
    }

    private SimpleRnnClassifier(Backend backend, ClassifierConfig config, RnnNetwork network) {
        this.backend = backend;
        this.config = config;
        this.network = network;
        this.minibatch = new Minibatch(backend, config.inputSize());
        this.metrics = new Buffer(backend);
        this.weightedLoss = new WeightedLoss(backend);
    }

    /**
     * A model that predicts with weights which another owns and only reads them, so that several backends, one a thread, may
     * share one copy. It cannot be trained, and closing it leaves the weights alone.
     *
     * @param weights on this backend: {@code weights().flat()} of a model with the same configuration, or the same memory
     *     under another backend's name; on a GPU the owner asks {@code CudaBackend.pointer} for it anew once the weights have
     *     changed, before others read them
     * @throws ShapeMismatchException when they are not as many as the configuration takes
     */
    public static SimpleRnnClassifier sharing(Backend backend, ClassifierConfig config, Tensor weights) {
        Parameters shared = Parameters.over(weights, config.specs());
        return new SimpleRnnClassifier(
                backend,
                config,
                new RnnNetwork(backend, config.vocabulary() > 0, config.rnn(), 0, 0, false, shared, null));
    }

    /** What it was made with. A {@code vocabulary} of 0 says that it takes features of its {@code inputSize} and no ids. */
    public ClassifierConfig config() {
        return config;
    }

    /** The weights, to read or to set. */
    public Parameters weights() {
        return network.weights();
    }

    Backend backend() {
        return backend;
    }

    RnnNetwork network() {
        return network;
    }

    /**
     * Trains on these rows from the weights as they are.
     *
     * @param labels class of each row, below K
     * @throws IllegalArgumentException when there are no rows, labels are fewer or more than rows, out of range or all the
     *     same, or the input does not fit the model; nothing has changed then
     * @throws TrainingDivergedException when the loss is no longer a number; the model has its last good weights
     */
    public History fit(SequenceInput input, int[] labels, Trainer trainer) {
        return fit(TrainingData.of(input, labels), trainer, Team.alone(), Checkpoints.none());
    }

    /**
     * The same with weights for the rows, together with other workers, and from epoch to epoch by way of checkpoints:
     * stopped and begun again, it gives the same bits as without the stop. A team of N workers with batches of N times the
     * rows gives what one worker gives with such batches, up to rounding. More epochs than before may be given where the
     * schedule does not depend on their number.
     *
     * @throws IllegalArgumentException as {@link #fit(SequenceInput, int[], Trainer)}, or for a team that is to hold rows
     *     back, or a checkpoint of another training
     */
    public History fit(TrainingData data, Trainer trainer, Team team, Checkpoints checkpoints) {
        return fit(data, null, trainer, team, checkpoints);
    }

    /**
     * The same with rows of your choice to validate on, where the random ones of {@link Trainer.Builder#validationSplit} would be
     * too like those it learns from: of the same patient or recording, for example.
     *
     * @param validation null for what the trainer splits off the data
     * @throws IllegalArgumentException as above, and for validation rows beside a split or a team
     */
    public History fit(
            TrainingData data, TrainingData validation, Trainer trainer, Team team, Checkpoints checkpoints) {
        Objects.requireNonNull(trainer, "trainer");
        return network.alone("fit", () -> train(data, validation, trainer, team, checkpoints));
    }

    private History train(
            TrainingData data, TrainingData validation, Trainer trainer, Team team, Checkpoints checkpoints) {
        int[] labels = data.labels();
        check("fit", data);
        if (validation != null) check("fit, validation", validation);
        requireGradients("fit");
        boolean several = false;
        for (int label : labels) several |= label != labels[0];
        if (!several) {
            throw new IllegalArgumentException("fit: all " + labels.length + " rows are of class " + labels[0]
                    + ". A classifier needs examples of at least two classes.");
        }
        try (ClassifierLearner learner = new ClassifierLearner(this, data, validation, trainer, team)) {
            return trainer.fit(learner, team, checkpoints);
        }
    }

    /** {@link #fit(SequenceInput, int[], Trainer)} on token ids. */
    public History fit(int[][] ids, int[] labels, Trainer trainer) {
        return fit(SequenceInput.tokens(ids), labels, trainer);
    }

    /** {@link #fit(SequenceInput, int[], Trainer)} on features [N,T,D]; T may differ from row to row. */
    public History fit(float[][][] x, int[] labels, Trainer trainer) {
        return fit(SequenceInput.features(x), labels, trainer);
    }

    /**
     * The probability of each class, [N,K].
     *
     * @throws IllegalArgumentException when the input does not fit the model
     */
    public float[][] predictProba(SequenceInput input) {
        return network.alone("predictProba", () -> probabilities(input));
    }

    private float[][] probabilities(SequenceInput input) {
        Objects.requireNonNull(input, "input").check(config);
        float[][] result = new float[input.rows()][];
        for (int[] rows :
                Batches.sorted(input::length, Batches.range(input.rows()), PREDICTION_ROWS, PREDICTION_STEPS)) {
            minibatch.load(input, rows, null);
            Tensor logits = network.predict(minibatch);
            backend.softmax(logits, logits);
            float[][] values = Sequences.rows(logits);
            for (int i = 0; i < rows.length; i++) result[rows[i]] = values[i];
        }
        return result;
    }

    /** {@link #predictProba(SequenceInput)} of token ids. */
    public float[][] predictProba(int[][] ids) {
        return predictProba(SequenceInput.tokens(ids));
    }

    /** {@link #predictProba(SequenceInput)} of features [N,T,D]. */
    public float[][] predictProba(float[][][] x) {
        return predictProba(SequenceInput.features(x));
    }

    /**
     * The probabilities of a batch that lies on the device already: nothing is uploaded, downloaded or waited for, but for what
     * {@code CudaBackend} says of masks.
     *
     * @param ids [T,N], each at least 0 and below V; the caller knows that, for nothing looks
     * @param mask [T,N], 0 where a row has no token; null when all rows have T
     * @param probabilities [N,K], overwritten
     * @throws IllegalArgumentException when the model takes features, or a shape does not fit
     */
    public void predictProba(IntTensor ids, IntTensor mask, Tensor probabilities) {
        config.requireTokens();
        network.alone("predictProba", () -> {
            backend.softmax(network.predict(ids, mask), probabilities);
            return probabilities;
        });
    }

    /** {@link #predictProba(IntTensor, IntTensor, Tensor)} of features x [T,N,D]. */
    public void predictProba(Tensor x, IntTensor mask, Tensor probabilities) {
        config.requireFeatures();
        network.alone("predictProba", () -> {
            backend.softmax(network.predict(x, mask), probabilities);
            return probabilities;
        });
    }

    /** The most probable class of each row; of equally probable ones the first. */
    public int[] predict(SequenceInput input) {
        float[][] probabilities = predictProba(input);
        int[] classes = new int[probabilities.length];
        for (int n = 0; n < classes.length; n++) classes[n] = argmax(probabilities[n]);
        return classes;
    }

    /** {@link #predict(SequenceInput)} of token ids. */
    public int[] predict(int[][] ids) {
        return predict(SequenceInput.tokens(ids));
    }

    /** {@link #predict(SequenceInput)} of features [N,T,D]. */
    public int[] predict(float[][][] x) {
        return predict(SequenceInput.features(x));
    }

    /**
     * Loss, accuracy and confusion on these rows.
     *
     * @throws IllegalArgumentException as {@link #fit(SequenceInput, int[], Trainer)}, but one class is enough
     */
    public Evaluation evaluate(SequenceInput input, int[] labels) {
        return network.alone("evaluate", () -> {
            TrainingData data = TrainingData.of(input, labels);
            check("evaluate", data);
            int[][] confusion = new int[config.classes()][config.classes()];
            Metrics metrics = measure(data, Batches.range(input.rows()), confusion);
            return new Evaluation(metrics.loss(), metrics.accuracy(), confusion);
        });
    }

    /** {@link #evaluate(SequenceInput, int[])} on token ids. */
    public Evaluation evaluate(int[][] ids, int[] labels) {
        return evaluate(SequenceInput.tokens(ids), labels);
    }

    /** {@link #evaluate(SequenceInput, int[])} on features [N,T,D]. */
    public Evaluation evaluate(float[][][] x, int[] labels) {
        return evaluate(SequenceInput.features(x), labels);
    }

    /** Weighted mean loss, without smoothing, and accuracy over some rows. */
    Metrics measure(TrainingData data, int[] chosen) {
        return measure(data, chosen, null);
    }

    /** The same, counting in {@code confusion} [K,K] unless it is null. */
    private Metrics measure(TrainingData data, int[] chosen, int[][] confusion) {
        SequenceInput input = data.input();
        int[] labels = data.labels();
        double loss = 0;
        double hits = 0;
        Tensor sums = metrics.of(Shape.of(2));
        for (int[] rows : Batches.sorted(input::length, chosen, PREDICTION_ROWS, PREDICTION_STEPS)) {
            minibatch.load(input, rows, labels);
            Tensor logits = network.predict(minibatch);
            if (confusion != null) {
                float[][] scores = Sequences.rows(logits);
                for (int i = 0; i < rows.length; i++) confusion[labels[rows[i]]][argmax(scores[i])]++;
            }
            weightedLoss.run(data, rows, minibatch.labels(), 0, 1, logits, sums);
            float[] values = sums.toFloats();
            loss += values[0];
            hits += values[1];
        }
        double weight = data.weight(chosen);
        return new Metrics(loss / weight, Metrics.accuracy(hits, weight), chosen.length);
    }

    /** Writes weights and configuration; a file of that name is replaced in one move, or not at all. */
    public void save(Path file) throws IOException {
        network.save(file, KIND, Map.of(ModelFile.CONFIG, ModelFile.toJson(config)));
    }

    /**
     * Reads what {@link #save} wrote.
     *
     * @throws dev.elman.io.ModelFileException when the file is not such a model, naming what is wrong
     */
    public static SimpleRnnClassifier load(Backend backend, Path file) throws IOException {
        ModelFile saved = ModelFile.read(file, KIND);
        ClassifierConfig config = saved.config(ClassifierConfig.class);
        saved.check(config.specs());
        SimpleRnnClassifier model = zeros(backend, config);
        saved.load(model.weights(), model::close);
        return model;
    }

    void requireGradients(String operation) {
        if (network.gradients() == null) {
            throw new IllegalStateException(
                    operation + ": this model shares weights that another owns. Train the owner.");
        }
    }

    /** Throws {@link IllegalArgumentException} unless every row fits the model and has a label below K. */
    void check(String operation, TrainingData data) {
        int[] labels = data.labels();
        SequenceInput.requireRows(operation, data.input());
        for (int n = 0; n < labels.length; n++) {
            if (labels[n] < 0 || labels[n] >= config.classes()) {
                throw new IllegalArgumentException(operation + ": labels must be at least 0 and below K = "
                        + config.classes() + ", but row " + n + " has " + labels[n] + ".");
            }
        }
        data.input().check(config);
    }

    private static int argmax(float[] values) {
        int best = 0;
        for (int k = 1; k < values.length; k++) {
            if (values[k] > values[best]) best = k;
        }
        return best;
    }

    /** @throws IllegalStateException while another thread is in an operation, or in a callback of one */
    @Override
    public void close() {
        network.close(() -> {
            minibatch.close();
            metrics.close();
            weightedLoss.close();
        });
    }
}
