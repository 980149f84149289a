package dev.elman.convert;

import dev.elman.backend.Backend;
import dev.elman.backend.Parameters;
import dev.elman.backend.Shape;
import dev.elman.backend.SimpleRnnWeights;
import dev.elman.backend.Tensor;
import dev.elman.io.NdArray;
import dev.elman.rnn.Dense;
import dev.elman.rnn.Embedding;
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
import java.util.stream.IntStream;

/**
 * A network on the host: an embedding or none, a {@link SimpleRnn}, a dense layer or none. Its weights have the names,
 * shapes and orientation that they have in elman's models: {@code embedding.table} [V,D], {@code rnn.forward.wx} [D,H],
 * {@code .wh} [H,H], {@code .b} [H], {@code rnn.reverse...}, {@code dense.w} [C,K], {@code dense.b} [K].
 *
 * @param vocabulary V; 0 when there is no embedding
 * @param rnn shape and habits of the recurrent layer
 * @param classes K; 0 when there is no dense layer
 * @param weights F32, in the order of {@link #specs()}
 */
public record Network(int vocabulary, SimpleRnnConfig rnn, int classes, Map<String, NdArray> weights) {
    static final String EMBEDDING = "embedding";
    static final String RNN = "rnn";
    static final String DENSE = "dense";

    /** @throws IllegalArgumentException unless there are exactly the weights of {@link #specs()}, in their shapes */
    public Network {
        Map<String, NdArray> ordered = new LinkedHashMap<>();
        for (Parameters.Spec spec : specs(vocabulary, rnn, classes)) {
            NdArray array = weights.get(spec.name());
            if (array == null || !array.hasShape(extents(spec.shape()))) {
                throw new IllegalArgumentException("Network: expected " + spec.name() + " " + spec.shape() + ", found "
                        + (array == null ? "none" : array) + ".");
            }
            ordered.put(spec.name(), array);
        }
        if (weights.size() > ordered.size()) {
            throw new IllegalArgumentException(
                    "Network: expected the weights " + ordered.keySet() + ", found " + weights.keySet() + ".");
        }
        weights = Collections.unmodifiableMap(ordered);
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

    /** The name of a weight of one direction: 0 forward, 1 reverse. */
    static String rnn(int direction, String weight) {
        return RNN + (direction == 0 ? ".forward." : ".reverse.") + weight;
    }

    private static long[] extents(Shape shape) {
        return IntStream.range(0, shape.rank()).mapToLong(shape::extent).toArray();
    }

    /** The network of a classifier. */
    public static Network of(SimpleRnnClassifier model) {
        ClassifierConfig config = model.config();
        return new Network(config.vocabulary(), config.rnn(), config.classes(), arrays(model.weights()));
    }

    /** The network of a language model. */
    public static Network of(LanguageModel model) {
        int vocabulary = model.config().vocabulary();
        return new Network(vocabulary, model.config().rnn(), vocabulary, arrays(model.weights()));
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
        return NdArray.ofFloats(view.toFloats(), extents(view.shape()));
    }

    private static Map<String, Tensor> views(SimpleRnn layer) {
        Map<String, Tensor> views = new LinkedHashMap<>();
        for (int direction = 0; direction < layer.config().directions(); direction++) {
            SimpleRnnWeights weights = layer.weights(direction);
            views.put(rnn(direction, "wx"), weights.wx());
            views.put(rnn(direction, "wh"), weights.wh());
            if (weights.b() != null) views.put(rnn(direction, "b"), weights.b());
        }
        return views;
    }

    /**
     * A classifier with these weights: rows of token ids where there is an embedding, else of features. Whoever calls
     * closes it.
     *
     * @throws IllegalArgumentException when the network is none: no dense layer, or one for every step
     */
    public SimpleRnnClassifier classifier(Backend backend) {
        SimpleRnnClassifier model = new SimpleRnnClassifier(backend, classifierConfig());
        copyTo(model);
        return model;
    }

    private ClassifierConfig classifierConfig() {
        if (classes == 0) {
            throw new IllegalArgumentException("A classifier needs a dense layer, which this network has not."
                    + " Create a SimpleRnn of its configuration and copy the weights to that.");
        }
        ClassifierConfig.Builder builder = vocabulary > 0
                ? ClassifierConfig.tokens(vocabulary, classes).embeddingSize(rnn.inputSize())
                : ClassifierConfig.features(rnn.inputSize(), classes);
        ClassifierConfig config = builder.hiddenSize(rnn.hiddenSize())
                .activation(rnn.activation())
                .bidirectional(rnn.bidirectional())
                .output(rnn.output())
                .build();
        if (!config.rnn().equals(rnn)) {
            throw new IllegalArgumentException(
                    "A classifier has " + config.rnn() + ", but this network has " + rnn + ".");
        }
        return config;
    }

    /** Sets a classifier's weights. @throws IllegalArgumentException when it has others, or in other shapes */
    public void copyTo(SimpleRnnClassifier model) {
        copyTo(model.weights().views());
    }

    /** Sets a language model's weights. @throws IllegalArgumentException when it has others, or in other shapes */
    public void copyTo(LanguageModel model) {
        copyTo(model.weights().views());
    }

    /** Sets a layer's weights. @throws IllegalArgumentException when it has others, or in other shapes */
    public void copyTo(SimpleRnn layer) {
        copyTo(views(layer));
    }

    private void copyTo(Map<String, Tensor> views) {
        if (!views.keySet().equals(weights.keySet())) {
            throw new IllegalArgumentException(
                    "The model has the weights " + views.keySet() + ", the network has " + weights.keySet() + ".");
        }
        views.forEach((name, view) -> {
            if (!weights.get(name).hasShape(extents(view.shape()))) {
                throw new IllegalArgumentException("The model's " + name + " is " + view.shape() + ", the network's is "
                        + weights.get(name) + ".");
            }
        });
        views.forEach((name, view) -> view.set(weights.get(name).floats()));
    }
}
