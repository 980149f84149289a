package dev.elman.convert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.elman.Backends;
import dev.elman.backend.Activation;
import dev.elman.backend.Backend;
import dev.elman.io.NdArray;
import dev.elman.io.Python;
import dev.elman.rnn.Merge;
import dev.elman.rnn.Output;
import dev.elman.rnn.SimpleRnnConfig;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** ONNX Runtime gives our answers. */
class OnnxFileTest {
    private static final int STEPS = 5;
    /** Full, short, one step, none. */
    private static final int[] LENGTHS = {5, 3, 1, 0};

    private static final int ROWS = LENGTHS.length;

    @TempDir
    private Path folder;

    static Stream<Network> networks() {
        List<Network> networks = new ArrayList<>();
        for (Activation activation : Activation.values()) {
            for (boolean both : new boolean[] {false, true}) {
                SimpleRnnConfig config =
                        SimpleRnnConfig.of(3, 6).withActivation(activation).withBidirectional(both);
                for (Output output : Output.values()) {
                    networks.add(Samples.network(0, config.withOutput(output), 0, networks.size()));
                    networks.add(Samples.network(9, config.withOutput(output).withBias(false), 4, networks.size()));
                    networks.add(Samples.network(9, config.withOutput(output).withStateful(true), 4, networks.size()));
                }
            }
        }
        for (Output output : Output.values()) {
            SimpleRnnConfig config = SimpleRnnConfig.of(3, 6).withOutput(output);
            networks.add(Samples.network(0, config.withLayers(2).withRecurrentBias(true), 0, networks.size()));
            networks.add(Samples.network(0, config.withGoBackwards(true), 0, networks.size()));
            for (Merge merge : Merge.values()) {
                SimpleRnnConfig merged = config.withBidirectional(true).withMerge(merge);
                networks.add(Samples.network(0, merged.withLayers(3), 0, networks.size()));
                networks.add(Samples.network(9, merged, 4, networks.size()));
            }
        }
        return networks.stream();
    }

    @ParameterizedTest
    @MethodSource("networks")
    void runtimeAnswersAsWeDo(Network network) throws IOException, OrtException {
        Path file = folder.resolve("model.onnx");
        Report report = OnnxFile.write(network, file);
        assertEquals(network.weights().size(), report.rows().size());
        try (Backend backend = Backends.open("reference")) {
            assertSame(backend, network, file);
        }
    }

    @Test
    void theReportNamesTheDirections() throws IOException {
        Network network = Samples.network(0, SimpleRnnConfig.of(3, 6).withBidirectional(true), 0, 1);
        Report report = OnnxFile.write(network, folder.resolve("model.onnx"));
        assertEquals(
                List.of("rnn.W[0]", "rnn.R[0]", "rnn.B[0]", "rnn.W[1]", "rnn.R[1]", "rnn.B[1]"),
                report.rows().stream().map(Report.Row::array).toList());
    }

    @ParameterizedTest
    @ValueSource(ints = {14, 15, 16, 17, 18, 19, 20, 21, 22})
    void everyOpsetThatWeWrite(int opset) throws IOException, OrtException {
        Path file = folder.resolve("model.onnx");
        try (Backend backend = Backends.open("reference")) {
            for (Output output : Output.values()) {
                SimpleRnnConfig config =
                        SimpleRnnConfig.of(3, 6).withBidirectional(true).withOutput(output);
                Network network = Samples.network(9, config, 4, opset);
                Report report = OnnxFile.write(network, Map.of("elman.labels", "[\"é\"]"), opset, file);
                assertEquals("ONNX opset " + opset, report.format());
                assertSame(backend, network, file);
            }
        }
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession session = environment.createSession(file.toString())) {
            assertEquals(
                    Map.of("elman.labels", "[\"é\"]"), session.getMetadata().getCustomMetadata());
            assertEquals("elman", session.getMetadata().getProducerName());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 7, 13, 23, 99})
    void otherOpsetsAreRefused(int opset) {
        Path file = folder.resolve("model.onnx");
        Network network = Samples.network(0, SimpleRnnConfig.of(3, 6), 0, 1);
        Exception e =
                assertThrows(IllegalArgumentException.class, () -> OnnxFile.write(network, Map.of(), opset, file));
        assertEquals("elman writes ONNX's opsets 14 to 22, but was asked for opset " + opset + ".", e.getMessage());
        assertTrue(Files.notExists(file));
    }

    /** One matrix many times over, for which the heap has room. */
    @Test
    void weightsOfMoreThanTwoGigabytesAreRefused() {
        int size = 2048;
        NdArray matrix = NdArray.ofFloats(new float[size * size], size, size);
        SimpleRnnConfig config = SimpleRnnConfig.of(size, size).withLayers(65).withBias(false);
        Map<String, NdArray> weights = new HashMap<>();
        for (int layer = 0; layer < config.layers(); layer++) {
            weights.put(Network.rnn(layer, 0, "wx"), matrix);
            weights.put(Network.rnn(layer, 0, "wh"), matrix);
        }
        Network network = new Network(0, config, 0, weights);
        Path file = folder.resolve("model.onnx");
        Exception e = assertThrows(IllegalArgumentException.class, () -> OnnxFile.write(network, file));
        assertEquals(
                "A .onnx holds at most 2 GiB, but the network's weights are 2181038080 bytes. Write a .safetensors or"
                        + " .npz.",
                e.getMessage());
        assertTrue(Files.notExists(file));
    }

    /** ONNX's own checker, of Debian's python3-onnx, which knows opsets up to 17. */
    @Test
    void theCheckerFindsNoFault() throws IOException {
        int written = 0;
        for (Network network : networks().toList()) {
            for (int opset : new int[] {14, 17}) {
                OnnxFile.write(network, Map.of("a", "b"), opset, folder.resolve(written++ + ".onnx"));
            }
        }
        assertEquals(
                written + " models",
                Python.run("OnnxFileTest", "onnx", "onnx_check.py", folder).strip());
    }

    private static void assertSame(Backend backend, Network network, Path file) throws OrtException {
        SimpleRnnConfig config = network.rnn();
        boolean state = config.stateful() || network.classes() == 0;
        Map<String, NdArray> in =
                new HashMap<>(Samples.features(config, STEPS, ROWS, 3).tensors());
        if (network.vocabulary() > 0)
            in.putAll(Samples.tokens(network.vocabulary(), STEPS, ROWS, 3).tensors());
        if (!state) in.remove("h0");
        int[] mask = new int[STEPS * ROWS];
        for (int t = 0; t < STEPS; t++) {
            for (int n = 0; n < ROWS; n++) mask[t * ROWS + n] = t < LENGTHS[n] ? 1 : 0;
        }
        in.put("mask", NdArray.ofInts(mask, STEPS, ROWS));
        Map<String, NdArray> expected = Samples.run(backend, network, in);

        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession session = environment.createSession(file.toString());
                OnnxTensor input = input(environment, network, in.get("x"));
                OnnxTensor lengths = OnnxTensor.createTensor(environment, IntBuffer.wrap(LENGTHS), new long[] {ROWS});
                OnnxTensor h0 = state ? tensor(environment, in.get("h0")) : null) {
            Map<String, OnnxTensor> feeds = new HashMap<>();
            feeds.put(network.vocabulary() > 0 ? "ids" : "x", input);
            feeds.put("lengths", lengths);
            if (state) feeds.put("h0", h0);
            try (OrtSession.Result result = session.run(feeds)) {
                String name = network.classes() > 0 ? "logits" : "y";
                double[] y = numbers(result, name);
                double[] ours = expected.get("y").doubles();
                if (config.output() == Output.SEQUENCE) {
                    ours = rowFirst(expected.get("y"));
                    // Backwards the padded steps come first, and both give 0.
                    if (!config.goBackwards()) {
                        y = live(y, expected.get("y"));
                        ours = live(ours, expected.get("y"));
                    }
                }
                assertArrayEquals(ours, y, 1e-5, network + " " + name);
                if (state)
                    assertArrayEquals(expected.get("hn").doubles(), numbers(result, "hn"), 1e-5, network + " hn");
                assertEquals(state ? 2 : 1, result.size());
            }
        }
    }

    private static OnnxTensor input(OrtEnvironment environment, Network network, NdArray x) throws OrtException {
        if (network.vocabulary() == 0) {
            float[] values = floats(rowFirst(x));
            return OnnxTensor.createTensor(environment, FloatBuffer.wrap(values), new long[] {
                ROWS, STEPS, network.rnn().inputSize()
            });
        }
        long[] ids = new long[STEPS * ROWS];
        int[] timeFirst = x.ints();
        for (int n = 0; n < ROWS; n++) {
            for (int t = 0; t < STEPS; t++) ids[n * STEPS + t] = timeFirst[t * ROWS + n];
        }
        return OnnxTensor.createTensor(environment, LongBuffer.wrap(ids), new long[] {ROWS, STEPS});
    }

    private static OnnxTensor tensor(OrtEnvironment environment, NdArray array) throws OrtException {
        return OnnxTensor.createTensor(environment, FloatBuffer.wrap(floats(array.doubles())), array.shape());
    }

    private static float[] floats(double[] values) {
        float[] result = new float[values.length];
        for (int i = 0; i < values.length; i++) result[i] = (float) values[i];
        return result;
    }

    /** [N,T,C] of [T,N,C]. */
    private static double[] rowFirst(NdArray array) {
        int channels = (int) array.shape()[2];
        double[] timeFirst = array.doubles();
        double[] result = new double[timeFirst.length];
        for (int n = 0; n < ROWS; n++) {
            for (int t = 0; t < STEPS; t++) {
                System.arraycopy(timeFirst, (t * ROWS + n) * channels, result, (n * STEPS + t) * channels, channels);
            }
        }
        return result;
    }

    /** Padded steps, where the two differ by design, made 0. */
    private static double[] live(double[] rowFirst, NdArray shape) {
        int channels = (int) shape.shape()[2];
        double[] result = rowFirst.clone();
        for (int n = 0; n < ROWS; n++) {
            java.util.Arrays.fill(result, (n * STEPS + LENGTHS[n]) * channels, (n + 1) * STEPS * channels, 0);
        }
        return result;
    }

    private static double[] numbers(OrtSession.Result result, String name) throws OrtException {
        FloatBuffer buffer = ((OnnxTensor) result.get(name).orElseThrow()).getFloatBuffer();
        double[] numbers = new double[buffer.remaining()];
        for (int i = 0; i < numbers.length; i++) numbers[i] = buffer.get(i);
        return numbers;
    }
}
