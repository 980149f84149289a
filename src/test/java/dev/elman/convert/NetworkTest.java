package dev.elman.convert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.Backends;
import dev.elman.backend.Backend;
import dev.elman.io.NdArray;
import dev.elman.rnn.Output;
import dev.elman.rnn.SimpleRnn;
import dev.elman.rnn.SimpleRnnConfig;
import dev.elman.train.ClassifierConfig;
import dev.elman.train.LanguageModel;
import dev.elman.train.LanguageModelConfig;
import dev.elman.train.SimpleRnnClassifier;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

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
        weights.remove("rnn.forward.b");
        assertThrows(IllegalArgumentException.class, () -> new Network(0, config, 0, weights));
        assertEquals(
                2, new Network(0, config.withBias(false), 0, weights).weights().size());
    }

    @Test
    void notEveryNetworkIsAClassifier() {
        try (Backend backend = Backends.open("reference")) {
            SimpleRnnConfig config = SimpleRnnConfig.of(2, 3);
            Network layer = Samples.network(0, config.withOutput(Output.LAST), 0, 1);
            Exception e = assertThrows(IllegalArgumentException.class, () -> layer.classifier(backend));
            assertTrue(e.getMessage().contains("dense layer"), e.getMessage());
            Network everyStep = Samples.network(0, config, 2, 1);
            assertThrows(IllegalArgumentException.class, () -> everyStep.classifier(backend));
            Network plain = Samples.network(0, config.withOutput(Output.LAST).withBias(false), 2, 1);
            assertThrows(IllegalArgumentException.class, () -> plain.classifier(backend));
            Network deep = Samples.network(
                    0, config.withOutput(Output.LAST).withLayers(3).withStateful(true), 2, 1);
            e = assertThrows(IllegalArgumentException.class, () -> deep.classifier(backend));
            assertTrue(e.getMessage().contains("this network has states"), e.getMessage());
        }
    }
}
