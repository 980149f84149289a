package dev.elman.convert;

import dev.elman.backend.Backend;
import dev.elman.backend.Parameters;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import dev.elman.io.DType;
import dev.elman.io.NdArray;
import dev.elman.rnn.Dense;
import dev.elman.rnn.Embedding;
import dev.elman.rnn.Output;
import dev.elman.rnn.SimpleRnn;
import dev.elman.rnn.SimpleRnnConfig;
import dev.elman.train.ClassifierConfig;
import dev.elman.train.LanguageModel;
import dev.elman.train.SimpleRnnClassifier;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A network on the host: an embedding or none, a {@link SimpleRnn}, a dense layer or none. Its weights have the names,
 * shapes and orientation that they have in elman's models: {@code embedding.table} [V,D], {@code rnn.forward.wx} [D,H],
 * {@code .wh} [H,H], {@code .b} [H], for a second bias {@code .bh} [H], {@code rnn.reverse...}, those of the layers above
 * {@code rnn.l1.forward...} and so on, {@code dense.w} [C,K], {@code dense.b} [K].
 *
 * @param vocabulary V; 0 when there is no embedding
 * @param rnn shape and settings of the recurrent layer
 * @param classes K; 0 when there is no dense layer
 * @param weights F32, in the order of {@link #specs()}
 */
public record Network(int vocabulary, SimpleRnnConfig rnn, int classes, Map<String, NdArray> weights) {
    private static final String EMBEDDING = "embedding";
    static final String RNN = "rnn";
    private static final String DENSE = "dense";
    static final String TABLE = EMBEDDING + ".table";
    static final String DENSE_W = DENSE + ".w";
    static final String DENSE_B = DENSE + ".b";

    /**
     * @throws IllegalArgumentException unless there are exactly the weights of {@link #specs()}, F32 in their shapes, or when V or
     *     K is negative
     */
    public Network {
        if (vocabulary < 0 || classes < 0) {
            throw new IllegalArgumentException(
                    "Network: V and K must be at least 0, but V = " + vocabulary + " and K = " + classes + ".");
        }
        Map<String, NdArray> ordered = new LinkedHashMap<>();
        for (Parameters.Spec spec : specs(vocabulary, rnn, classes)) {
            NdArray array = weights.get(spec.name());
            if (array == null
                    || array.dtype() != DType.F32
                    || !array.hasShape(spec.shape().extents())) {
                throw new IllegalArgumentException("Network: expected " + spec.name() + ", F32 " + spec.shape()
                        + ", found " + (array == null ? "none" : array) + ".");
            }
            ordered.put(spec.name(), array);
        }
        if (weights.size() > ordered.size()) {
            throw new IllegalArgumentException(
                    "Network: expected the weights " + ordered.keySet() + ", found " + weights.keySet() + ".");
        }
        weights = Collections.unmodifiableMap(ordered);
        // What is dropped while training is no part of a network.
        rnn = rnn.withInputDropout(0).withRecurrentDropout(0).withLayerDropout(0);
    }

    /** Names and shapes of the weights. */
    public List<Parameters.Spec> specs() {
        return specs(vocabulary, rnn, classes);
    }

    private static List<Parameters.Spec> specs(int vocabulary, SimpleRnnConfig rnn, int classes) {
        List<Parameters.Spec> specs = new ArrayList<>();
        if (vocabulary > 0) specs.addAll(Embedding.specs(EMBEDDING, vocabulary, rnn.inputSize()));
        specs.addAll(SimpleRnn.specs(RNN, rnn));
        if (classes > 0) specs.addAll(Dense.specs(DENSE, rnn.outputSize(), classes));
        return specs;
    }

    /** The name of a weight of one direction, 0 forward, 1 reverse, of one layer, 0 the lowest. */
    static String rnn(int layer, int direction, String weight) {
        return SimpleRnn.directionName(RNN, layer, direction) + "." + weight;
    }

    /** The network of a classifier. */
    public static Network of(SimpleRnnClassifier model) {
        ClassifierConfig config = model.config();
        return new Network(config.vocabulary(), config.rnn(), config.classes(), arrays(model.weights()));
    }

    /** The network of a language model; of a tied one with a dense layer of its own, equal to the embedding. */
    public static Network of(LanguageModel model) {
        int vocabulary = model.config().vocabulary();
        Map<String, NdArray> weights = arrays(model.weights());
        if (model.config().tied()) weights.put(DENSE_W, transposed(weights.get(TABLE)));
        return new Network(vocabulary, model.config().rnn(), vocabulary, weights);
    }

    /** A recurrent layer alone. */
    public static Network of(SimpleRnn layer) {
        Map<String, NdArray> weights = new LinkedHashMap<>();
        views(layer).forEach((name, view) -> weights.put(name, array(view)));
        return new Network(0, layer.config(), 0, weights);
    }

    private static Map<String, NdArray> arrays(Parameters parameters) {
        Map<String, NdArray> weights = new LinkedHashMap<>();
        parameters.views().forEach((name, view) -> weights.put(name, array(view)));
        return weights;
    }

    private static NdArray array(Tensor view) {
        return NdArray.ofFloats(view.toFloats(), view.shape().extents());
    }

    private static Map<String, Tensor> views(SimpleRnn layer) {
        Map<String, Tensor> views = new LinkedHashMap<>();
        int directions = layer.config().directions();
        for (int i = 0; i < layer.config().layers() * directions; i++) {
            SimpleRnnWeights weights = layer.weights(i);
            views.put(rnn(i / directions, i % directions, "wx"), weights.wx());
            views.put(rnn(i / directions, i % directions, "wh"), weights.wh());
            if (weights.b() != null) views.put(rnn(i / directions, i % directions, "b"), weights.b());
            Tensor second = layer.recurrentBias(i);
            if (second != null) views.put(rnn(i / directions, i % directions, "bh"), second);
        }
        return views;
    }

    /** What a network has that a classifier has not. */
    record Misfit(String expected, String found, String remedy) {}

    /**
     * A classifier with these weights: rows of token ids where there is an embedding, else of features. Whoever calls
     * closes it.
     *
     * @throws IllegalArgumentException when the network is none: no dense layer, fewer than 2 classes, a class for every
     *     step, or states that are kept
     */
    public SimpleRnnClassifier classifier(Backend backend) {
        Misfit misfit = misfit();
        if (misfit != null) {
            throw new IllegalArgumentException("classifier: expected " + misfit.expected() + ", but the network has "
                    + misfit.found() + ". " + misfit.remedy() + ".");
        }
        SimpleRnnClassifier model = SimpleRnnClassifier.zeros(backend, classifierConfig());
        try {
            copyTo(model);
        } catch (RuntimeException | Error e) {
            model.close();
            throw e;
        }
        return model;
    }

    /** Why it is no classifier, or null. */
    Misfit misfit() {
        String way = "Copy it to a SimpleRnn of its configuration in Java, or convert it to .npz, .weights.h5 or .onnx";
        if (classes == 0) return new Misfit("a dense layer after it, as a classifier has", "none", way);
        if (classes == 1) {
            String zeros =
                    "If it is the logit of yes, put zeros before it, in weight and bias, since sigmoid(z) is the second of"
                            + " softmax(0, z). Or: ";
            return new Misfit("2 classes or more in the dense layer", "1", zeros + way);
        }
        if (rnn.output() == Output.SEQUENCE) {
            return new Misfit(
                    "one vector for each sequence, output LAST, MAX or MEAN",
                    "output SEQUENCE (return_sequences true)",
                    "Say the output if the file does not; else: " + way);
        }
        if (rnn.stateful()) {
            return new Misfit(
                    "rows that begin anew, as a classifier's do",
                    "stateful true",
                    "If each row is a whole sequence, save the model with stateful false; else: " + way);
        }
        return null;
    }

    /** What stands at masked steps is nothing to a classifier, which returns no steps. */
    private ClassifierConfig classifierConfig() {
        ClassifierConfig.Builder builder = vocabulary > 0
                ? ClassifierConfig.tokens(vocabulary, classes).embeddingSize(rnn.inputSize())
                : ClassifierConfig.features(rnn.inputSize(), classes);
        return builder.hiddenSize(rnn.hiddenSize())
                .layers(rnn.layers())
                .activation(rnn.activation())
                .bias(rnn.bias())
                .recurrentBias(rnn.recurrentBias())
                .bidirectional(rnn.bidirectional())
                .merge(rnn.merge())
                .goBackwards(rnn.goBackwards())
                .output(rnn.output())
                .build();
    }

    /** Sets a classifier's weights. Throws {@link IllegalArgumentException} when it has others, or in other shapes. */
    public void copyTo(SimpleRnnClassifier model) {
        copy(weights, model.weights().views());
    }

    /**
     * Sets a language model's weights.
     *
     * @throws IllegalArgumentException when it has others, or in other shapes, or is tied while the dense layer is not the
     *     embedding
     */
    public void copyTo(LanguageModel model) {
        Map<String, NdArray> own = new LinkedHashMap<>(weights);
        if (model.config().tied()) {
            NdArray dense = own.remove(DENSE_W);
            NdArray table = weights.get(TABLE);
            if (dense == null || table == null || !dense.equals(transposed(table))) {
                throw new IllegalArgumentException(
                        "The model is tied: its dense layer is its embedding; but the network's"
                                + " dense.w is not the transpose of its embedding.table.");
            }
        }
        copy(own, model.weights().views());
    }

    /** Sets a layer's weights. Throws {@link IllegalArgumentException} when it has others, or in other shapes. */
    public void copyTo(SimpleRnn layer) {
        copy(weights, views(layer));
    }

    /** [columns, rows] of [rows, columns]. */
    static NdArray transposed(NdArray matrix) {
        int rows = (int) matrix.shape()[0];
        int columns = (int) matrix.shape()[1];
        float[] values = matrix.floats();
        float[] result = new float[values.length];
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < columns; c++) result[c * rows + r] = values[r * columns + c];
        }
        return NdArray.ofFloats(result, columns, rows);
    }

    private static void copy(Map<String, NdArray> weights, Map<String, Tensor> views) {
        for (String name : views.keySet()) {
            if (!weights.containsKey(name)) {
                throw new IllegalArgumentException("The model has " + name + ", but the network has not. It has "
                        + String.join(", ", weights.keySet()) + ".");
            }
        }
        for (String name : weights.keySet()) {
            if (!views.containsKey(name)) {
                throw new IllegalArgumentException("The network has " + name + ", but the model has not. It has "
                        + String.join(", ", views.keySet()) + ".");
            }
        }
        views.forEach((name, view) -> {
            if (!weights.get(name).hasShape(view.shape().extents())) {
                throw new IllegalArgumentException("The model's " + name + " is " + view.shape() + ", the network's is "
                        + weights.get(name) + ".");
            }
        });
        views.forEach((name, view) -> view.set(weights.get(name).floats()));
    }
}
