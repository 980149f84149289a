package dev.elman.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.Backends;
import dev.elman.backend.Activation;
import dev.elman.backend.Backend;
import dev.elman.convert.Network;
import dev.elman.convert.NumpyFile;
import dev.elman.convert.OnnxFile;
import dev.elman.convert.Samples;
import dev.elman.io.NdArray;
import dev.elman.io.SafeTensors;
import dev.elman.io.numpy.Npy;
import dev.elman.rnn.Merge;
import dev.elman.rnn.Output;
import dev.elman.rnn.SimpleRnnConfig;
import dev.elman.train.LanguageModelConfig;
import dev.elman.train.SimpleRnnClassifier;
import dev.elman.train.TextClassifier;
import dev.elman.train.TextGenerator;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConvertTest {
    private static final String KERAS = "src/test/resources/keras/";
    private static final List<String> TEXTS = List.of("Montag", "lundi");

    @TempDir
    private Path folder;

    /** Out to another format and back, with labels and vocabulary from the original: the same answers. */
    @ParameterizedTest
    @ValueSource(strings = {"torch.safetensors", "weights.npz", "keras.weights.h5"})
    void aTextClassifierGoesOutAndComesBack(String other) throws IOException {
        Path model = folder.resolve("days.safetensors");
        Path back = folder.resolve("back.safetensors");
        try (Backend backend = Backends.open("reference");
                TextClassifier classifier = TextClassifier.create(
                        backend,
                        TEXTS,
                        List.of("de", "fr"),
                        shape -> shape.hiddenSize(5).embeddingSize(3))) {
            classifier.save(model);
            String away = convert(model, folder.resolve(other)).out();
            assertTrue(
                    away.contains("What " + model + " holds beside its network, labels and a vocabulary, comes back"
                            + " with `elman convert --like` that file.\n"),
                    away);
            Outcome outcome = convert(folder.resolve(other), back, "--like", model.toString());
            assertTrue(!outcome.out().contains("The file does not say"), outcome.out());
            assertTrue(
                    outcome.out().contains("Configuration, labels and vocabulary are those of " + model),
                    outcome.out());
            try (TextClassifier original = TextClassifier.load(backend, model);
                    TextClassifier copy = TextClassifier.load(backend, back)) {
                assertArrayEquals(original.predictProba(TEXTS), copy.predictProba(TEXTS));
                assertEquals(original.labels(), copy.labels());
            }
        }
    }

    @Test
    void noFileIsReplacedByWhatWasMadeOfIt() throws IOException {
        Path model = folder.resolve("texts.safetensors");
        Path torch = folder.resolve("torch.safetensors");
        try (Backend backend = Backends.open("reference");
                TextGenerator generator = TextGenerator.create(backend, TEXTS, shape -> shape.withSizes(3, 5))) {
            generator.save(model);
        }
        convert(model, torch);
        byte[] before = Files.readAllBytes(model);
        Outcome onto = Outcome.of("convert", model.toString(), model.toString());
        assertEquals(2, onto.code(), onto.err());
        assertTrue(onto.err().contains("is the file of IN; name another OUT"), onto.err());
        Outcome like = Outcome.of("convert", torch.toString(), model.toString(), "--like", model.toString());
        assertEquals(2, like.code(), like.err());
        assertTrue(like.err().contains("is the file of --like; name another OUT"), like.err());
        assertArrayEquals(before, Files.readAllBytes(model));
    }

    @Test
    void aTextGeneratorGoesOutAndComesBack() throws IOException {
        Path model = generator(shape -> shape.withSizes(3, 5));
        Path torch = folder.resolve("torch.safetensors");
        String away = convert(model, torch).out();
        assertTrue(away.contains("What " + model + " holds beside its network, a vocabulary, comes back"), away);
        assertComesBack(torch, model);
    }

    /** What a tied model's layers share PyTorch's save_model writes once. */
    @Test
    void aTiedTextGeneratorComesBackFromSaveModel() throws IOException {
        Path model = generator(shape -> shape.withSizes(5, 5).withTied(true));
        Path torch = folder.resolve("torch.safetensors");
        convert(model, torch);
        Map<String, NdArray> tensors =
                new LinkedHashMap<>(SafeTensors.read(torch).tensors());
        tensors.remove("fc.weight");
        new SafeTensors(tensors, Map.of("fc.weight", "embedding.weight")).write(torch);
        assertComesBack(torch, model);
    }

    private Path generator(UnaryOperator<LanguageModelConfig> shape) throws IOException {
        Path model = folder.resolve("texts.safetensors");
        try (Backend backend = Backends.open("reference");
                TextGenerator generator = TextGenerator.create(backend, TEXTS, shape)) {
            generator.save(model);
        }
        return model;
    }

    private void assertComesBack(Path torch, Path model) throws IOException {
        Path back = folder.resolve("back.safetensors");
        convert(torch, back, "--like", model.toString());
        assertEquals(SafeTensors.read(model), SafeTensors.read(back));
    }

    @Test
    void kerasBecomesElman() throws IOException {
        Path model = folder.resolve("model.safetensors");
        Outcome outcome = convert(Path.of(KERAS, "relu.keras"), model);
        List<String> lines = outcome.out().lines().toList();
        assertEquals(KERAS + "relu.keras (Keras .keras) -> " + model + " (elman)", lines.get(0));
        assertEquals("  layers/embedding/vars/0        [6,3]  ->  embedding.table  [6,3]", lines.get(1));
        assertEquals("  layers/simple_rnn/cell/vars/0  [3,4]  ->  rnn.forward.wx   [3,4]", lines.get(2));
        assertEquals(8, lines.size(), outcome.out());
        try (Backend backend = Backends.open("reference");
                SimpleRnnClassifier classifier = SimpleRnnClassifier.load(backend, model)) {
            assertEquals(Activation.RELU, classifier.config().activation());
            assertEquals(Output.LAST, classifier.config().output());
            assertEquals(6, classifier.config().vocabulary());
            assertEquals(2, classifier.predictProba(new int[][] {{1, 2}})[0].length);
        }
    }

    @Test
    void mergedDirectionsBecomeElman() throws IOException {
        Path model = folder.resolve("model.safetensors");
        convert(Path.of(KERAS, "sum.keras"), model);
        try (Backend backend = Backends.open("reference");
                SimpleRnnClassifier classifier = SimpleRnnClassifier.load(backend, model)) {
            assertEquals(Merge.SUM, classifier.config().merge());
        }
        String out = convert(model, folder.resolve("a.weights.h5")).out();
        assertTrue(!out.contains("labels"), out);
    }

    @Test
    void theTableSaysWhatBecomesOfBiases() throws IOException {
        Path model = folder.resolve("model.safetensors");
        Path torch = folder.resolve("torch.safetensors");
        convert(Path.of(KERAS, "relu.keras"), model);
        String out = convert(model, torch).out();
        assertTrue(out.contains("rnn.forward.b    [4]    ->  rnn.bias_ih_l0, rnn.bias_hh_l0 (zeros)  [4]\n"), out);
        assertTrue(
                out.contains("rnn.forward.wx   [3,4]  ->  rnn.weight_ih_l0                        [4,3]  transposed\n"),
                out);
        assertTrue(out.contains("In Python: torch.nn.RNN(3, 4, nonlinearity='relu')"), out);
        out = convert(torch, folder.resolve("b.npz")).out();
        assertTrue(out.contains("rnn.bias_ih_l0 + rnn.bias_hh_l0  [4]    ->  rnn.forward.b    [4]    added\n"), out);
        out = convert(torch, folder.resolve("b.onnx")).out();
        assertTrue(
                out.contains("rnn.weight_ih_l0                 [4,3]  ->  rnn.W[0]         [4,3]\n"),
                "as it was: " + out);
    }

    @Test
    void namesInCapitalsSayTheSame() throws IOException {
        Path array = folder.resolve("MODEL.NPZ");
        convert(Path.of(KERAS, "relu.keras"), array);
        convert(array, folder.resolve("MODEL.ONNX"));
    }

    @Test
    void labelsAndVocabularyGoIntoTheGraph() throws IOException {
        Path model = folder.resolve("days.safetensors");
        Path graph = folder.resolve("days.onnx");
        try (Backend backend = Backends.open("reference");
                TextClassifier classifier =
                        TextClassifier.create(backend, TEXTS, List.of("de", "fr"), shape -> shape)) {
            classifier.save(model);
        }
        String out = convert(model, graph, "--opset", "20").out();
        assertTrue(out.contains("(ONNX opset 20)"), out);
        assertTrue(out.contains("metadata go along: elman.config, elman.kind, elman.labels, elman.tokenizer, "), out);
        assertTrue(new String(Files.readAllBytes(graph), StandardCharsets.UTF_8).contains("[\"de\",\"fr\"]"));
    }

    @Test
    void whatTheFileDoesNotSayCanBeSaid() throws IOException {
        Path weights = Path.of(KERAS, "latest.weights.h5");
        Path model = folder.resolve("model.safetensors");
        String out = convert(weights, model).out();
        assertTrue(out.contains("The file does not say its activation: TANH is taken."), out);
        out = convert(weights, model, "--activation", "relu", "--output", "mean")
                .out();
        List<String> lines = out.lines().toList();
        String left = "The file does not say its goBackwards, zeroOutputForMask, stateful: false is taken.";
        assertEquals(left, lines.get(lines.size() - 1));
        assertEquals(8, lines.size(), out);
        try (Backend backend = Backends.open("reference");
                SimpleRnnClassifier classifier = SimpleRnnClassifier.load(backend, model)) {
            assertEquals(Activation.RELU, classifier.config().activation());
            assertEquals(Output.MEAN, classifier.config().output());
        }
    }

    /** Weights alone do not say how two directions become one, or which way one reads: whoever converts says it. */
    @ParameterizedTest
    @ValueSource(strings = {"--merge sum", "--go-backwards", "--zero-output-for-mask", "--stateful"})
    void habitsThatAreSaidComeBackFromWeightsAlone(String option) throws IOException {
        SimpleRnnConfig plain = SimpleRnnConfig.of(3, 4).withOutput(Output.LAST);
        SimpleRnnConfig config = switch (option) {
            case "--merge sum" -> plain.withBidirectional(true).withMerge(Merge.SUM);
            case "--go-backwards" -> plain.withGoBackwards(true);
            case "--stateful" -> plain.withStateful(true);
            default -> plain.withZeroOutputForMask(true).withOutput(Output.SEQUENCE);
        };
        Network network = Samples.network(0, config, 2, 1);
        Path npz = folder.resolve("a.npz");
        Path h5 = folder.resolve("a.weights.h5");
        Path graph = folder.resolve("a.onnx");
        String lost = NumpyFile.write(network, npz).notes().get(0);
        String said = option + " --activation tanh --output " + config.output();
        String out = convert(npz, h5, said.split(" ", -1)).out();
        assertTrue(out.contains(lost), out);
        convert(h5, graph, said.split(" ", -1));
        Path expected = folder.resolve("expected.onnx");
        OnnxFile.write(network, expected);
        assertArrayEquals(Files.readAllBytes(expected), Files.readAllBytes(graph));
    }

    /** IN, OUT and options; {@code @} is the temporary folder. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "missing.keras                  | @/a.npz             | missing.keras: path: expected a file, found nothing",
                "missing.safetensors            | @/a.npz             | missing.safetensors: path: expected a file, found nothing",
                "missing.pt                     | @/a.npz             | missing.pt: path: expected a file, found nothing",
                "model.onnx                     | @/a.npz             | elman writes ONNX and does not read it",
                "model.npy                      | @/a.npz             | holds one array; a model's are in a .npz",
                "model.txt                      | @/a.npz             | the name does not say what it is",
                "KERAS/relu.keras               | @/a.txt             | the name does not say what it is to be",
                "KERAS/relu.keras               | @/a.keras           | name the file *.weights.h5",
                "KERAS/relu.keras               | @/none/a.npz        | there is no folder",
                "KERAS/relu.keras               | @/a.onnx --opset 7  | elman writes ONNX's opsets 14 to 22, but was asked for opset 7",
                "KERAS/relu.keras               | @/a.npz --activation tanh | activation: expected TANH, as was said, found RELU",
                "KERAS/relu.keras               | @/a.npz --go-backwards    | goBackwards: expected true, as was said, found false",
                "KERAS/relu.keras               | @/a.npz --merge sum       | merge: expected two directions, since SUM was said",
                "KERAS/relu.keras               | @/a.npz --embedding table | leave out --embedding: it is for an IN of PyTorch's",
                "KERAS/relu.keras               | @/a.npz --dense head      | leave out --dense: it is for an IN of PyTorch's",
                "KERAS/relu.keras               | @/a.npz --opset 17        | leave out --opset: it is for an OUT named *.onnx",
                "KERAS/relu.keras               | @/a.safetensors --like @/b.safetensors --stateful | leave out --stateful: the model that --like names says it",
                "KERAS/bidirectional.weights.h5 | @/a.npz --merge add       | expected one of [CONCAT, SUM, MUL, AVE]",
                "KERAS/relu.keras               | @/a.npz --like @/b.safetensors | --like makes a model of elman's",
                "KERAS/relu.keras               | @/a.safetensors --like @/b.safetensors | b.safetensors: path: expected a file",
                "KERAS/lstm.weights.h5          | @/a.npz             | layer \"lstm\" (lstm)",
                "KERAS/layer.weights.h5         | @/a.safetensors     | layer.weights.h5: layer \"simple_rnn\" (SimpleRNN): expected a dense layer after it, as a classifier has, found none. Copy it to a SimpleRnn",
                "KERAS/latest.weights.h5        | @/a.safetensors --stateful | latest.weights.h5: layer \"simple_rnn\" (SimpleRNN): expected rows that begin anew, as a classifier's do, found stateful true. If each",
                "KERAS/latest.weights.h5        | @/a.safetensors --output sequence | layer \"simple_rnn\" (SimpleRNN): expected one vector for each sequence, output LAST, MAX or MEAN, found output SEQUENCE (return_sequences true). Say the output",
                "KERAS/relu.keras               | @/a.npz --activation gelu | expected one of [TANH, RELU, LINEAR]",
            })
    void whatCannotBeIsRefusedInOneLine(String in, String rest, String message) {
        String line = "convert " + in.replace("KERAS/", KERAS) + " " + rest.replace("@", folder.toString());
        Outcome outcome = Outcome.of(line.split(" ", -1));
        assertEquals(2, outcome.code(), outcome.err());
        assertEquals(1, outcome.err().lines().count(), outcome.err());
        assertTrue(outcome.err().contains(message), outcome.err());
        assertEquals(0, folder.toFile().list().length, "nothing was written");
    }

    @Test
    void aModelOfOtherLayersIsNotLikeIt() throws IOException {
        assertUnlike("one.safetensors", "The model has rnn.reverse.wx, but the network has not");
    }

    /** Weights alone of one direction, and a model of two: nobody has said anything of merging. */
    @Test
    void aModelOfMoreDirectionsIsNamedAsWhoSaysSo() throws IOException {
        assertUnlike("one.npz", "leave that out, or name a --like model of the same layers");
    }

    /** A network of one direction in a file of this name is refused as like a model of two. */
    private void assertUnlike(String file, String message) throws IOException {
        Path one = folder.resolve(file);
        Path other = folder.resolve("other.safetensors");
        convert(Path.of(KERAS, "relu.keras"), one);
        convert(Path.of(KERAS, "functional.keras"), other);
        Outcome outcome = Outcome.of(
                "convert", one.toString(), folder.resolve("a.safetensors").toString(), "--like", other.toString());
        assertEquals(2, outcome.code());
        assertTrue(outcome.err().contains(message), outcome.err());
    }

    /** What a model of elman's is, it says itself. */
    @Test
    void whatChangesNothingIsRefused() throws IOException {
        Path model = folder.resolve("model.safetensors");
        convert(Path.of(KERAS, "relu.keras"), model);
        for (String option : List.of(
                "--activation relu",
                "--output max",
                "--merge sum",
                "--go-backwards",
                "--zero-output-for-mask",
                "--stateful",
                "--embedding a",
                "--dense a")) {
            String line = "convert " + model + " " + folder.resolve("a.npz") + " " + option;
            Outcome outcome = Outcome.of(line.split(" ", -1));
            assertEquals(2, outcome.code(), outcome.out());
            assertTrue(outcome.err().contains("leave out " + option.split(" ", -1)[0] + ": "), outcome.err());
        }
    }

    @Test
    void aTensorThatIsLeftIsNamed() throws IOException {
        Path file = folder.resolve("theirs.safetensors");
        new SafeTensors(Map.of("conv.weight", NdArray.ofFloats(new float[1], 1)), Map.of()).write(file);
        Outcome outcome =
                Outcome.of("convert", file.toString(), folder.resolve("a.npz").toString());
        assertEquals(2, outcome.code());
        assertTrue(outcome.err().contains("\"conv.weight\""), outcome.err());
        Npy.write(NdArray.ofFloats(new float[1], 1), file);
        outcome = Outcome.of("convert", file.toString(), folder.resolve("a.npz").toString());
        assertEquals(2, outcome.code(), outcome.err());
    }

    @Test
    void aPickleIsToldByWhatItHolds() throws IOException {
        Path model = folder.resolve("model.safetensors");
        Path file = folder.resolve("torch.bin");
        Path array = folder.resolve("a.npz");
        convert(Path.of(KERAS, "relu.keras"), model);
        convert(model, folder.resolve("torch.safetensors"));
        Files.move(folder.resolve("torch.safetensors"), file);
        convert(file, array);
        Files.write(file, new byte[] {'P', 'K', 3, 4});
        String pickle = Outcome.of("convert", file.toString(), array.toString()).err();
        assertTrue(pickle.contains("a pickle of torch.save"), pickle);
        Files.write(file, new byte[100]);
        String junk = Outcome.of("convert", file.toString(), array.toString()).err();
        assertTrue(junk.contains("The file is no safetensors file or is damaged"), junk);
    }

    private static Outcome convert(Path in, Path out, String... options) {
        Outcome outcome = Outcome.of(List.of("convert", in.toString(), out.toString()), options);
        assertEquals(0, outcome.code(), outcome.err());
        assertEquals("", outcome.err());
        return outcome;
    }
}
