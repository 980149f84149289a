package dev.elman.convert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.Backends;
import dev.elman.backend.Backend;
import dev.elman.io.ModelFileException;
import dev.elman.io.NdArray;
import dev.elman.io.SafeTensors;
import dev.elman.rnn.Output;
import dev.elman.rnn.SimpleRnn;
import dev.elman.rnn.SimpleRnnConfig;
import dev.elman.train.ClassifierConfig;
import dev.elman.train.LanguageModel;
import dev.elman.train.LanguageModelConfig;
import dev.elman.train.SimpleRnnClassifier;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NetworkTest {
    @Test
    void modelsGiveAndTakeTheirWeights() {
        try (Backend backend = Backends.open("reference")) {
            ClassifierConfig config = ClassifierConfig.tokens(9, 3)
                    .embeddingSize(4)
                    .hiddenSize(5)
                    .bidirectional(true)
                    .layers(2)
                    .recurrentDropout(0.1)
                    .output(Output.MAX)
                    .build();
            int[][] ids = {{1, 2, 3}, {8}};
            try (SimpleRnnClassifier model = new SimpleRnnClassifier(backend, config);
                    SimpleRnnClassifier copy = Network.of(model).classifier(backend)) {
                assertEquals(Network.of(model), Network.of(copy));
                Network.of(copy).copyTo(model); // as floats, which the reference did not begin with
                assertArrayEquals(model.predictProba(ids), copy.predictProba(ids));
                assertEquals(config.layers(), copy.config().layers());
                assertEquals(0, copy.config().recurrentDropout());
            }
            LanguageModelConfig language = LanguageModelConfig.of(7).withSizes(3, 4);
            try (LanguageModel model = new LanguageModel(backend, language);
                    LanguageModel copy = new LanguageModel(backend, language.withSeed(5))) {
                Network.of(model).copyTo(copy);
                assertEquals(Network.of(model), Network.of(copy));
            }
            LanguageModelConfig tied =
                    LanguageModelConfig.of(7).withSizes(4, 4).withLayers(2).withTied(true);
            try (LanguageModel model = new LanguageModel(backend, tied);
                    LanguageModel copy = new LanguageModel(backend, tied.withSeed(5));
                    LanguageModel free = new LanguageModel(backend, tied.withTied(false))) {
                Network.of(model).copyTo(copy);
                assertEquals(Network.of(model), Network.of(copy));
                assertEquals(7, Network.of(model).classes());
                Network other = Network.of(free);
                assertThrows(IllegalArgumentException.class, () -> other.copyTo(model));
            }
            SimpleRnnConfig layer = SimpleRnnConfig.of(3, 4)
                    .withLayers(2)
                    .withBidirectional(true)
                    .withRecurrentBias(true);
            try (SimpleRnn rnn = SimpleRnn.create(backend, layer, 1);
                    SimpleRnn copy = SimpleRnn.create(backend, layer, 2);
                    SimpleRnn other = SimpleRnn.create(backend, layer.withBidirectional(false), 2);
                    SimpleRnn larger = SimpleRnn.create(backend, layer.withLayers(3), 2)) {
                Network network = Network.of(rnn);
                network.copyTo(copy);
                assertEquals(network, Network.of(copy));
                assertThrows(IllegalArgumentException.class, () -> network.copyTo(other));
                Network before = Network.of(larger);
                assertThrows(IllegalArgumentException.class, () -> network.copyTo(larger));
                assertEquals(before, Network.of(larger), "nothing is copied where not all fits");
            }
        }
    }

    @Test
    void weightsMustBeTheLayers() {
        SimpleRnnConfig config = SimpleRnnConfig.of(2, 3);
        Map<String, NdArray> weights =
                new HashMap<>(Samples.network(0, config, 0, 1).weights());
        weights.put("x", NdArray.ofFloats(new float[1], 1));
        assertThrows(IllegalArgumentException.class, () -> new Network(0, config, 0, weights));
        weights.remove("x");
        weights.put("rnn.forward.b", NdArray.ofFloats(new float[2], 2));
        assertThrows(IllegalArgumentException.class, () -> new Network(0, config, 0, weights));
        // What NumPy makes of plain numbers: a file of ONNX would have it as whole numbers.
        weights.put("rnn.forward.b", NdArray.ofDoubles(new double[3], 3));
        assertThrows(IllegalArgumentException.class, () -> new Network(0, config, 0, weights));
        weights.remove("rnn.forward.b");
        assertThrows(IllegalArgumentException.class, () -> new Network(0, config, 0, weights));
        assertThrows(IllegalArgumentException.class, () -> new Network(-1, config.withBias(false), 0, weights));
        assertThrows(IllegalArgumentException.class, () -> new Network(0, config.withBias(false), -1, weights));
        assertEquals(
                2, new Network(0, config.withBias(false), 0, weights).weights().size());
    }

    @Test
    void anArrayIsUsedOnce() throws IOException {
        NetworkBuilder builder =
                new NetworkBuilder(Path.of("model.npz"), "", Map.of("a", NdArray.ofFloats(new float[2], 2)));
        builder.copy("rnn.forward.b", "a", 2);
        ModelFileException e = assertThrows(ModelFileException.class, () -> builder.copy("rnn.reverse.b", "a", 2));
        assertTrue(e.getMessage().contains("\"a\": expected one use of each array, found a second"), e.getMessage());
    }

    /** Whatever habits a layer has that returns one vector: the classifier answers as its layers one by one. */
    @Test
    void aClassifierHasEveryHabitOfItsLayer(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("model.safetensors");
        SafeTensors in = Samples.tokens(7, 4, 3, 5);
        int[] x = in.tensors().get("x").ints();
        int[][] ids = new int[3][4];
        for (int i = 0; i < x.length; i++) ids[i % 3][i / 3] = x[i];
        int seen = 0;
        try (Backend backend = Backends.open("reference")) {
            for (boolean bias : new boolean[] {false, true}) {
                SimpleRnnConfig config = SimpleRnnConfig.of(3, 4).withBias(bias).withRecurrentBias(bias);
                for (SimpleRnnConfig habits : Samples.habits(config)) {
                    if (habits.stateful() || habits.output() == Output.SEQUENCE) continue;
                    seen++;
                    Network network = Samples.network(7, habits.withZeroOutputForMask(seen % 2 == 0), 2, seen);
                    double[] logits =
                            Samples.run(backend, network, in.tensors()).get("y").doubles();
                    try (SimpleRnnClassifier model = network.classifier(backend)) {
                        model.save(file);
                    }
                    try (SimpleRnnClassifier model = SimpleRnnClassifier.load(backend, file)) {
                        assertEquals(network.weights(), Network.of(model).weights());
                        assertEquals(habits, model.config().rnn());
                        float[][] found = model.predictProba(ids);
                        for (int n = 0; n < 3; n++) {
                            double second = 1 / (1 + Math.exp(logits[2 * n] - logits[2 * n + 1]));
                            assertEquals(second, found[n][1], 1e-6, habits.toString());
                        }
                    }
                }
            }
        }
        assertEquals(38, seen);
    }

    @Test
    void notEveryNetworkIsAClassifier() {
        SimpleRnnConfig config = SimpleRnnConfig.of(2, 3).withOutput(Output.LAST);
        assertNoClassifier(Samples.network(0, config, 0, 1), "expected a dense layer after it", "found none");
        assertNoClassifier(
                Samples.network(0, config, 1, 1), "expected 2 classes or more in the dense layer", "found 1");
        assertNoClassifier(
                Samples.network(0, config.withOutput(Output.SEQUENCE), 2, 1),
                "expected one vector for each sequence, output LAST, MAX or MEAN",
                "found output SEQUENCE (return_sequences true)");
        assertNoClassifier(
                Samples.network(0, config.withStateful(true), 2, 1),
                "expected rows that begin anew",
                "found stateful true");
    }

    private static void assertNoClassifier(Network network, String expected, String found) {
        Path file = Path.of("model.keras");
        Imported read =
                new Imported(network, new Report("", List.of(), List.of()), file, "layer \"rnn_7\" (SimpleRNN)");
        try (Backend backend = Backends.open("reference")) {
            ModelFileException e = assertThrows(ModelFileException.class, () -> read.classifier(backend));
            String place = "model.keras: layer \"rnn_7\" (SimpleRNN): ";
            assertTrue(e.getMessage().startsWith(place + expected), e.getMessage());
            assertTrue(e.getMessage().contains(found + ". "), e.getMessage());
            assertTrue(
                    e.getMessage()
                            .endsWith("opy it to a SimpleRnn of its configuration in Java, or convert it to .npz,"
                                    + " .weights.h5 or .onnx"),
                    e.getMessage());
            IllegalArgumentException plain =
                    assertThrows(IllegalArgumentException.class, () -> network.classifier(backend));
            assertTrue(plain.getMessage().contains(expected), plain.getMessage());
        }
    }
}
