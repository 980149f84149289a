package dev.elman.convert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.Backends;
import dev.elman.backend.Activation;
import dev.elman.backend.Backend;
import dev.elman.io.ModelFileException;
import dev.elman.io.Mutations;
import dev.elman.io.NdArray;
import dev.elman.io.Python;
import dev.elman.io.SafeTensors;
import dev.elman.reference.ReferenceBackend;
import dev.elman.rnn.Merge;
import dev.elman.rnn.Output;
import dev.elman.rnn.SimpleRnnConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class TorchFileTest {
    @TempDir
    private Path folder;

    /** Both ways in one run of Python, because importing torch takes seconds. */
    @Test
    void torchAnswersAsWeDoToOurFilesAndWeAsTorchToTheirs() throws IOException {
        try (Backend backend = Backends.open("reference")) {
            List<String> names = new ArrayList<>();
            for (Activation activation : List.of(Activation.TANH, Activation.RELU)) {
                for (boolean both : new boolean[] {false, true}) {
                    for (boolean bias : new boolean[] {false, true}) {
                        for (int layers = 1; layers <= 3; layers += 2) {
                            SimpleRnnConfig config = SimpleRnnConfig.of(5, 7)
                                    .withLayers(layers)
                                    .withActivation(activation)
                                    .withBidirectional(both)
                                    .withBias(bias)
                                    .withRecurrentBias(bias && layers == 3);
                            String name = "ours_" + names.size();
                            names.add(name);
                            TorchFile.write(Samples.network(0, config, 0, names.size()), path(name + ".safetensors"));
                            Samples.features(config, 4, 3, names.size()).write(path(name + ".in.safetensors"));
                        }
                    }
                }
            }
            SimpleRnnConfig config = SimpleRnnConfig.of(6, 8)
                    .withLayers(2)
                    .withBidirectional(true)
                    .withOutput(Output.LAST);
            TorchFile.write(Samples.network(11, config, 3, 99), path("ours_model.safetensors"));
            Samples.tokens(11, 4, 3, 99).write(path("ours_model.in.safetensors"));
            names.add("ours_model");

            String printed = Python.run("TorchFileTest", "torch", "torch_cases.py", folder);
            List<String> theirs = printed.lines().toList();
            assertEquals(14, theirs.size(), printed);
            names.addAll(theirs);
            for (String name : names) compare(backend, name);
        }
    }

    /** With both of PyTorch's biases the answer is PyTorch's; their sum is rounded to a float, and relu lets that grow. */
    private void compare(Backend backend, String name) throws IOException {
        boolean rounded = name.endsWith("bias") || name.startsWith("ours");
        Hints hints = Hints.NONE;
        if (name.startsWith("theirs")) {
            hints = hints.withActivation(name.contains("relu") ? Activation.RELU : Activation.TANH);
        }
        compare(backend, name, hints, rounded ? 1e-6 : 1e-12);
        if (rounded) compare(backend, name, hints.withRecurrentBias(true), 1e-12);
    }

    private void compare(Backend backend, String name, Hints hints, double tolerance) throws IOException {
        Network network = TorchFile.read(path(name + ".safetensors"), hints).network();
        Map<String, NdArray> in =
                SafeTensors.read(path(name + ".in.safetensors")).tensors();
        Map<String, NdArray> expected =
                SafeTensors.read(path(name + ".out.safetensors")).tensors();
        Map<String, NdArray> found = Samples.run(backend, network, in);
        for (String key : expected.keySet()) {
            assertArrayEquals(expected.get(key).doubles(), found.get(key).doubles(), tolerance, name + " " + key);
        }
    }

    @Test
    void whatWeWriteWeRead() throws IOException {
        for (Output output : Output.values()) {
            SimpleRnnConfig config = SimpleRnnConfig.of(3, 4)
                    .withActivation(Activation.RELU)
                    .withBidirectional(true)
                    .withOutput(output);
            Network network = Samples.network(7, config, 2, 5);
            Path file = path("model.safetensors");
            Report written = TorchFile.write(network, file);
            Imported read = TorchFile.read(file, Hints.NONE);
            assertEquals(network, read.network());
            assertEquals(List.of(), read.report().unsaid());
            assertEquals(List.of(), read.report().notes());
            assertEquals(
                    List.of("In Python: torch.nn.RNN(3, 4, nonlinearity='relu', bidirectional=True)"), written.notes());
        }
    }

    @Test
    void whatTorchDoesOtherwiseIsNoted() throws IOException {
        Path file = path("model.safetensors");
        SimpleRnnConfig config = SimpleRnnConfig.of(3, 4);
        String repeats = "At padded steps of packed sequences nn.RNN gives 0, where elman repeats the last output.";
        String stateful = "nn.RNN keeps no states: give it the h_n of one call as the h_0 of the next.";
        assertEquals(List.of(repeats), notes(config, file));
        assertEquals(List.of(stateful, repeats), notes(config.withStateful(true), file));
        assertEquals(List.of(), notes(config.withZeroOutputForMask(true), file));
        assertEquals(List.of(), notes(config.withBidirectional(true), file));
        assertEquals(List.of(repeats), notes(config.withMerge(Merge.SUM), file), "of one direction nothing is merged");
        assertEquals(List.of(), notes(config.withOutput(Output.MAX), file));
    }

    private static List<String> notes(SimpleRnnConfig config, Path file) throws IOException {
        List<String> notes =
                TorchFile.write(Samples.network(0, config, 0, 1), file).notes();
        return notes.subList(1, notes.size());
    }

    static Stream<SimpleRnnConfig> notTorchs() {
        SimpleRnnConfig config = SimpleRnnConfig.of(2, 3);
        return Stream.of(
                config.withActivation(Activation.LINEAR),
                config.withGoBackwards(true),
                config.withBidirectional(true).withMerge(Merge.AVE));
    }

    @ParameterizedTest
    @MethodSource("notTorchs")
    void whatTorchHasNotIsRefused(SimpleRnnConfig config) {
        Network network = Samples.network(0, config, 0, 1);
        Path file = path("refused.safetensors");
        Exception e = assertThrows(IllegalArgumentException.class, () -> TorchFile.write(network, file));
        assertTrue(e.getMessage().startsWith("torch.nn.RNN has tanh and relu"), e.getMessage());
        assertTrue(e.getMessage().contains("but the network's layer rnn has "), e.getMessage());
        assertTrue(Files.notExists(file));
    }

    @Test
    void whatTheFileDoesNotSayIsNoted() throws IOException {
        Path file = write(arrays());
        assertEquals(
                List.of(
                        "The file does not say its activation: TANH is taken.",
                        "The file does not say its output: LAST is taken.",
                        "The file does not say its zeroOutputForMask: false is taken."),
                TorchFile.read(file, Hints.NONE).report().unsaid());
        Hints hints = Hints.NONE
                .withActivation(Activation.RELU)
                .withOutput(Output.MAX)
                .withZeroOutputForMask(false);
        Imported told = TorchFile.read(file, hints);
        assertEquals(List.of(), told.report().unsaid());
        assertEquals(List.of(), told.report().notes());
        assertEquals(Activation.RELU, told.network().rnn().activation());
        assertEquals(Output.MAX, told.network().rnn().output());
    }

    @Test
    void whatTheFileSaysIsNotContradicted() throws IOException {
        Path file = path("relu.safetensors");
        TorchFile.write(Samples.network(0, SimpleRnnConfig.of(2, 3).withActivation(Activation.RELU), 0, 1), file);
        assertRefused(
                file, Hints.NONE.withActivation(Activation.TANH), "nn.RNN, activation: expected TANH", "found RELU");
    }

    @Test
    void layersOfOtherNamesAreToldByName() throws IOException {
        Map<String, NdArray> arrays = arrays();
        arrays.put("m.chars.weight", arrays.remove("embedding.weight"));
        arrays.put("m.answer.weight", arrays.remove("fc.weight"));
        arrays.put("m.answer.bias", arrays.remove("fc.bias"));
        Path file = write(arrays);
        assertRefused(file, Hints.NONE, "array \"m.chars.weight\"", "and 2 more");
        Network network = TorchFile.read(
                        file, Hints.NONE.withEmbedding("m.chars").withDense("m.answer"))
                .network();
        assertEquals(TorchFile.read(write(arrays()), Hints.NONE).network(), network);
    }

    /** save_model of safetensors.torch writes a tensor that layers share once, and its other name as metadata. */
    @ParameterizedTest
    @CsvSource({
        "fc.weight, embedding.weight",
        "embedding.weight, fc.weight",
        "rnn.weight_hh_l1, rnn.weight_hh_l0",
    })
    void aSharedTensorIsFoundUnderEachOfItsNames(String other, String name) throws IOException {
        Path file = path("shared.safetensors");
        TorchFile.write(Samples.network(6, SimpleRnnConfig.of(3, 3).withLayers(2), 6, 1), file);
        SafeTensors written = SafeTensors.read(file);
        Map<String, NdArray> tensors = new LinkedHashMap<>(written.tensors());
        Map<String, String> metadata = new LinkedHashMap<>(written.metadata());
        tensors.put(other, tensors.get(name));
        new SafeTensors(tensors, metadata).write(file);
        Network writtenTwice = TorchFile.read(file, Hints.NONE).network();
        tensors.remove(other);
        metadata.put(other, name);
        new SafeTensors(tensors, metadata).write(file);
        assertEquals(writtenTwice, TorchFile.read(file, Hints.NONE).network());
    }

    /** As by a list of the layers beside their own names; save_model keeps the name that sorts first. */
    @Test
    void whatIsRegisteredTwiceIsReadOnce() throws IOException {
        Map<String, NdArray> tensors = new LinkedHashMap<>();
        Map<String, String> metadata = new LinkedHashMap<>();
        arrays().forEach((name, array) -> {
            String layer = name.replace("embedding", "layers.0")
                    .replace("rnn", "layers.1")
                    .replace("fc", "layers.2");
            String first = name.compareTo(layer) < 0 ? name : layer;
            tensors.put(first, array);
            metadata.put(first.equals(name) ? layer : name, first);
            if (name.startsWith("fc.")) metadata.put(name.replace("fc", "head"), first);
        });
        assertTrue(tensors.containsKey("layers.1.weight_ih_l0"));
        Path file = path("twice.safetensors");
        new SafeTensors(tensors, metadata).write(file);
        Network network = TorchFile.read(write(arrays()), Hints.NONE).network();
        assertEquals(network, TorchFile.read(file, Hints.NONE).network());
        assertEquals(network, TorchFile.read(file, Hints.NONE.withDense("fc")).network());
    }

    /** The same matrix may be that of a dense layer which is tied to it. */
    @Test
    void whatMayBeTiedIsNotLeftOut() throws IOException {
        Map<String, NdArray> tensors = arrays();
        tensors.keySet().removeIf(name -> name.startsWith("fc."));
        tensors.put("embedding.weight", NdArray.ofFloats(new float[18], 6, 3));
        tensors.put("rnn.weight_ih_l0", NdArray.ofFloats(new float[9], 3, 3));
        Path file = path("tied.safetensors");
        new SafeTensors(tensors, Map.of("again.weight", "embedding.weight", "again.weight_hh_l0", "rnn.weight_hh_l0"))
                .write(file);
        ModelFileException e = assertThrows(ModelFileException.class, () -> TorchFile.read(file, Hints.NONE));
        assertTrue(e.getMessage().contains("again.weight\""), e.getMessage());
        assertEquals(
                6, TorchFile.read(file, Hints.NONE.withDense("again")).network().classes());
    }

    /** h2o is what PyTorch's own tutorial of names calls it. */
    @ParameterizedTest
    @ValueSource(strings = {"h2o", "m.Output_Layer", "module.fc_out"})
    void aDenseLayerOfAUsualNameIsFound(String name) throws IOException {
        Map<String, NdArray> arrays = arrays();
        arrays.put(name + ".weight", arrays.remove("fc.weight"));
        arrays.put(name + ".bias", arrays.remove("fc.bias"));
        Network network = TorchFile.read(write(arrays), Hints.NONE).network();
        assertEquals(TorchFile.read(write(arrays()), Hints.NONE).network(), network);
    }

    @Test
    void oneUnitIsNoClassifierAndSaysWhatWouldBe() throws IOException {
        Map<String, NdArray> arrays = arrays();
        arrays.put("fc.weight", NdArray.ofFloats(new float[] {1, 2, 3}, 1, 3));
        arrays.put("fc.bias", NdArray.ofFloats(new float[] {4}, 1));
        Imported read = TorchFile.read(write(arrays), Hints.NONE);
        assertEquals(1, read.network().classes(), "a regression may be");
        try (Backend backend = new ReferenceBackend()) {
            ModelFileException e = assertThrows(ModelFileException.class, () -> read.classifier(backend));
            assertTrue(e.getMessage().contains("put zeros before it"), e.getMessage());
        }
    }

    @Test
    void twoDirectionsMayBeMergedByTheModule() throws IOException {
        Map<String, NdArray> arrays = arrays();
        for (String name : List.of("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")) {
            arrays.put("rnn." + name + "_reverse", arrays.get("rnn." + name));
        }
        assertRefused(
                write(arrays), Hints.NONE, "expected 6 inputs, two directions side by side, found 3", "Say how: sum,");
        Imported summed = TorchFile.read(write(arrays), Hints.NONE.withMerge(Merge.SUM));
        assertEquals(Merge.SUM, summed.network().rnn().merge());
        assertTrue(summed.report().notes().toString().contains("nn.RNN's h_n"), "which step it is, is not sure");
        arrays.put("fc.weight", NdArray.ofFloats(new float[24], 4, 6));
        assertEquals(
                Merge.CONCAT,
                TorchFile.read(write(arrays), Hints.NONE).network().rnn().merge());
        assertEquals(
                List.of(),
                TorchFile.read(write(arrays), Hints.NONE.withOutput(Output.LAST))
                        .report()
                        .notes());
    }

    /** One thing wrong each: what is done to a good file, and what the message must say. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "rnn.weight_hh_l0 | 12,3 | array \"rnn.weight_hh_l0\": expected [H,H] | [12,3], as nn.LSTM has it",
                "rnn.weight_hh_l0 | 9,3  | array \"rnn.weight_hh_l0\": expected [H,H] | [9,3], as nn.GRU has it",
                "rnn.weight_hh_l0 | 4,3  | array \"rnn.weight_hh_l0\": expected [H,H] | found [4,3]",
                "rnn.weight_hh_l0 | 4,4  | array \"rnn.weight_ih_l0\": expected [4,2] | found [3,2]",
                "rnn.weight_ih_l0 | 3,5  | array \"embedding.weight\": expected [6,5] | found [6,2]",
                "rnn.weight_ih_l0 | 3    | array \"rnn.weight_ih_l0\": expected a matrix | found [3]",
                "rnn.weight_ih_l0 | 3,0  | array \"rnn.weight_ih_l0\": expected a matrix that is not empty | [3, 0]",
                "rnn.weight_ih_l1 | 3,3  | array \"rnn.weight_hh_l1\": expected [3,3] | no array of this name, but [\"embedding.weight\", ",
                "rnn.weight_ih_l2 | 3,3  | array \"rnn.weight_ih_l2\": expected only | found this",
                "rnn.weight_ih_l1 | 3,2  | array \"rnn.weight_ih_l1\": expected [3,3] | found [3,2]",
                "rnn.weight_hr_l0 | 3,3  | array \"rnn.weight_hr_l0\": expected only | found this",
                "rnn.weight_ih_l0_reverse | 3,2 | array \"rnn.weight_hh_l0_reverse\" | no array of this name",
                "rnn.bias_hh_l0   | 4    | array \"rnn.bias_hh_l0\": expected [3] | found [4]",
                "fc.weight        | 4,5  | array \"fc.weight\": expected [4,3] | found [4,5]",
                "fc.bias          | 5    | array \"fc.bias\": expected [4] | found [5]",
                "norm.weight      | 3    | array \"norm.weight\": expected only | found this",
                "linear.weight    | 4,3  | expected one dense layer | \"fc\", \"linear\"",
                "other.weight_ih_l0 | 3,2 | expected those of one torch.nn.RNN | \"other.\", \"rnn.\"",
            })
    void aWrongTensorIsNamed(String name, String shape, String expected, String found) throws IOException {
        Map<String, NdArray> arrays = arrays();
        long[] extents = java.util.Arrays.stream(shape.split(","))
                .mapToLong(Long::parseLong)
                .toArray();
        int size = (int) NdArray.elements(extents);
        arrays.put(name, NdArray.ofFloats(new float[size], extents));
        assertRefused(write(arrays), Hints.NONE, expected, found);
    }

    @Test
    void aWrongTypeAndWrongNumbersAreNamed() throws IOException {
        Map<String, NdArray> arrays = arrays();
        arrays.put("fc.bias", NdArray.ofInts(new int[4], 4));
        assertRefused(write(arrays), Hints.NONE, "array \"fc.bias\": expected F32, F64, F16 or BF16", "found I32 [4]");
        arrays.put("fc.bias", NdArray.ofDoubles(new double[] {0, 1e300, 0, 0}, 4));
        assertRefused(write(arrays), Hints.NONE, "array \"fc.bias\": expected numbers", "found Infinity");
        arrays.put("fc.bias", NdArray.ofFloats(new float[] {0, Float.NaN, 0, 0}, 4));
        assertRefused(write(arrays), Hints.NONE, "array \"fc.bias\": expected numbers", "found NaN");
    }

    @Test
    void noRnnAtAllIsSaid() throws IOException {
        assertRefused(
                write(Map.of("conv.weight", NdArray.ofFloats(new float[1], 1))),
                Hints.NONE,
                "one torch.nn.RNN",
                "conv");
    }

    @Test
    void picklesAreRefusedWithTheWayOut() throws IOException {
        for (byte[] start : new byte[][] {{'P', 'K', 3, 4}, {(byte) 0x80, 2, '}', 'q'}}) {
            Path file = path("it's.pt");
            Files.write(file, start);
            assertRefused(
                    file,
                    Hints.NONE,
                    "a pickle of torch.save",
                    "v.clone()", // save_file refuses memory that tensors share
                    "torch.load('it\\'s.pt'",
                    "'it\\'s.safetensors')");
        }
    }

    @Test
    void damagedFiles() throws IOException {
        Path file = write(arrays());
        int refused = Mutations.check(file, 700, path -> TorchFile.read(path, Hints.NONE));
        assertTrue(refused > 1500, refused + " of 2000 refused");
    }

    private static Map<String, NdArray> arrays() {
        Map<String, NdArray> arrays = new LinkedHashMap<>();
        arrays.put("embedding.weight", NdArray.ofFloats(new float[12], 6, 2));
        arrays.put("rnn.weight_ih_l0", NdArray.ofFloats(new float[6], 3, 2));
        arrays.put("rnn.weight_hh_l0", NdArray.ofFloats(new float[9], 3, 3));
        arrays.put("rnn.bias_ih_l0", NdArray.ofFloats(new float[3], 3));
        arrays.put("rnn.bias_hh_l0", NdArray.ofFloats(new float[3], 3));
        arrays.put("fc.weight", NdArray.ofFloats(new float[12], 4, 3));
        arrays.put("fc.bias", NdArray.ofFloats(new float[4], 4));
        return arrays;
    }

    private Path write(Map<String, NdArray> arrays) throws IOException {
        Path file = path("theirs.safetensors");
        new SafeTensors(arrays, Map.of()).write(file);
        return file;
    }

    private static void assertRefused(Path file, Hints hints, String... parts) {
        ModelFileException e = assertThrows(ModelFileException.class, () -> TorchFile.read(file, hints));
        for (String part : parts) assertTrue(e.getMessage().contains(part), e::getMessage);
        assertEquals(file.toString(), e.file());
    }

    private Path path(String name) {
        return folder.resolve(name);
    }
}
