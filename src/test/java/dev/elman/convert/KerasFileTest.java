package dev.elman.convert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import dev.elman.backend.Activation;
import dev.elman.backend.Backend;
import dev.elman.backend.Parameters;
import dev.elman.convert.Report.How;
import dev.elman.io.ModelFileException;
import dev.elman.io.Mutations;
import dev.elman.io.NdArray;
import dev.elman.io.Python;
import dev.elman.io.SafeTensors;
import dev.elman.io.ZipArchive;
import dev.elman.io.hdf5.Hdf5;
import dev.elman.io.numpy.Npz;
import dev.elman.reference.ReferenceBackend;
import dev.elman.rnn.Merge;
import dev.elman.rnn.Output;
import dev.elman.rnn.SimpleRnnConfig;
import dev.elman.train.SequenceInput;
import dev.elman.train.SimpleRnnClassifier;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The files of {@code ci/keras_h5.py}: V = 6, D = 3, H = 4, K = 2, and every array counted up from its own number. */
class KerasFileTest {
    private static final Path FIXTURES = Path.of("src/test/resources/keras");
    private static final Hints RELU_LAST =
            Hints.NONE.withActivation(Activation.RELU).withOutput(Output.LAST);

    @TempDir
    private Path folder;

    @Test
    void keras3WithItsConfiguration() throws IOException {
        Imported read = KerasFile.read(FIXTURES.resolve("relu.keras"), Hints.NONE);
        assertEquals("Keras .keras", read.report().format());
        assertEquals(
                List.of(
                        "layer \"tokens\" (Embedding): Keras passes over the id 0 (mask_zero); give elman rows without it."),
                read.report().notes());
        SimpleRnnConfig config =
                SimpleRnnConfig.of(3, 4).withActivation(Activation.RELU).withOutput(Output.LAST);
        assertNetwork(read.network(), 6, config, 2);
        assertEquals(
                new Report.Row("rnn.forward.wh", "layers/simple_rnn/cell/vars/1", "[4,4]", How.COPIED),
                read.report().rows().get(2));
    }

    @Test
    void aFunctionalModelThatIsAChain() throws IOException {
        Imported read = KerasFile.read(FIXTURES.resolve("functional.keras"), Hints.NONE);
        SimpleRnnConfig config =
                SimpleRnnConfig.of(3, 4).withBidirectional(true).withOutput(Output.MAX);
        assertEquals(
                List.of(
                        "layer \"tokens\" (Embedding): Keras passes over the id 0 (mask_zero); give elman rows without it.",
                        "layer \"pool\" (GlobalMaxPooling1D): Keras takes the largest of padded steps too, elman of live ones"
                                + " only."),
                read.report().notes());
        assertNetwork(read.network(), 6, config, 2);
    }

    @Test
    void aStackAndASum() throws IOException {
        Imported read = KerasFile.read(FIXTURES.resolve("stack.keras"), Hints.NONE);
        SimpleRnnConfig config = SimpleRnnConfig.of(3, 4).withLayers(2).withOutput(Output.LAST);
        assertNetwork(read.network(), 6, config, 2);
        read = KerasFile.read(FIXTURES.resolve("sum.keras"), Hints.NONE);
        config = SimpleRnnConfig.of(3, 4)
                .withBidirectional(true)
                .withMerge(Merge.SUM)
                .withOutput(Output.LAST);
        assertNetwork(read.network(), 0, config, 2);
    }

    @Test
    void habitsOfTheLayerAreTaken() throws IOException {
        Path file = changed(
                "relu.keras", "\"go_backwards\": false", "\"go_backwards\": true, \"zero_output_for_mask\": true");
        SimpleRnnConfig read = KerasFile.read(file, Hints.NONE).network().rnn();
        assertTrue(read.goBackwards() && read.zeroOutputForMask(), read.toString());
        file = changed("relu.keras", "\"activation\": \"relu\", ", ""); // Keras then takes its default
        assertEquals(
                Activation.TANH,
                KerasFile.read(file, Hints.NONE).network().rnn().activation());
        file = changed("relu.keras", "\"stateful\": false", "\"stateful\": true");
        assertTrue(KerasFile.read(file, Hints.NONE).network().rnn().stateful());
    }

    @Test
    void whatKerasDoesOtherwiseIsNoted() throws IOException {
        Path file = changed("relu.keras", "\"mask_zero\": true", "\"mask_zero\": false");
        assertEquals(
                List.of(
                        "layer \"tokens\" (Embedding): Keras reads padding like any other token (no mask_zero); give elman"
                                + " the padded rows."),
                KerasFile.read(file, Hints.NONE).report().notes());
        file = changed("relu.keras", "\"go_backwards\": false", "\"zero_output_for_mask\": true");
        List<String> notes = KerasFile.read(file, Hints.NONE).report().notes();
        assertEquals(
                "layer \"simple_rnn_7\" (SimpleRNN): where the last step of a row is masked Keras returns 0"
                        + " (zero_output_for_mask), elman its last live state.",
                notes.get(1));
        assertEquals(2, notes.size(), notes.toString());
    }

    /** Where no configuration says the layer's place. */
    @Test
    void whatKerasMakesOfAMaskedLastStepIsNoted() throws IOException {
        SimpleRnnConfig config =
                SimpleRnnConfig.of(3, 4).withOutput(Output.LAST).withZeroOutputForMask(true);
        Path file = folder.resolve("zero.weights.h5");
        Predicate<String> zero = note -> note.startsWith("Where the last step of a row is masked Keras returns 0");
        for (SimpleRnnConfig one : List.of(config, config.withBidirectional(true), config.withOutput(Output.MEAN))) {
            int noted = one.equals(config) ? 1 : 0;
            List<String> written =
                    KerasFile.write(Samples.network(0, one, 2, 7), file).notes();
            assertEquals(noted, written.stream().filter(zero).count(), written.toString());
            List<String> read = KerasFile.read(file, Hints.of(one)).report().notes();
            assertEquals(noted, read.stream().filter(zero).count(), read.toString());
        }
    }

    @Test
    void weightsAlone() throws IOException {
        Imported read = KerasFile.read(FIXTURES.resolve("bidirectional.weights.h5"), Hints.NONE);
        SimpleRnnConfig config =
                SimpleRnnConfig.of(3, 4).withBidirectional(true).withOutput(Output.LAST);
        assertNetwork(read.network(), 6, config, 2);
        assertEquals(
                List.of(
                        "The file does not say its activation: TANH is taken.",
                        "The file does not say its output: LAST is taken.",
                        "The file does not say its merge: CONCAT is taken.",
                        "The file does not say its zeroOutputForMask, stateful: false is taken."),
                read.report().unsaid());
        read = KerasFile.read(FIXTURES.resolve("latest.weights.h5"), RELU_LAST);
        assertNetwork(
                read.network(),
                6,
                SimpleRnnConfig.of(3, 4).withActivation(Activation.RELU).withOutput(Output.LAST),
                2);
        read = KerasFile.read(FIXTURES.resolve("layer.weights.h5"), Hints.NONE);
        assertNetwork(read.network(), 0, SimpleRnnConfig.of(3, 4).withBias(false), 0);
    }

    @Test
    void theOlderFormat() throws IOException {
        SimpleRnnConfig config = SimpleRnnConfig.of(3, 4).withOutput(Output.LAST);
        Imported read = KerasFile.read(FIXTURES.resolve("legacy.h5"), Hints.NONE);
        assertNetwork(read.network(), 6, config.withActivation(Activation.RELU), 2);
        read = KerasFile.read(FIXTURES.resolve("legacy_weights.h5"), Hints.NONE);
        assertNetwork(read.network(), 6, config.withBidirectional(true), 2);
        read = KerasFile.read(FIXTURES.resolve("legacy_keras3.h5"), Hints.NONE);
        assertNetwork(read.network(), 0, config, 2);
    }

    /** The names of the model and of its layers are the user's; those of the two directions' layers begin as Keras wants it. */
    @ParameterizedTest
    @CsvSource({
        "backward_model/rnn/simple_rnn_cell,",
        "model/backward_reader/simple_rnn_cell,",
        "backward_model/rnn/forward_rnn/simple_rnn_cell_1, backward_model/rnn/backward_rnn/simple_rnn_cell_2",
        "model/forward_rnn/forward_backward/simple_rnn_cell, model/forward_rnn/backward_forward/simple_rnn_cell",
        "backward_rnn/forward_rnn_1, backward_rnn/backward_rnn_1",
    })
    void directionsOfTheOlderFormatAreToldByTheirOwnNames(String forward, String backward) throws IOException {
        if (backward == null) {
            assertEquals(1, older("SimpleRNN", forward).network().rnn().directions());
            return;
        }
        assertEquals(
                2, older("Bidirectional", forward, backward).network().rnn().directions());
        ModelFileException e = assertThrows(ModelFileException.class, () -> older("Bidirectional", backward, forward));
        assertTrue(e.getMessage().contains("expected its forward kernel here"), e.getMessage());
    }

    /** A layer whose cells have these paths, in this order. */
    private static Imported older(String type, String... cells) throws IOException {
        Map<String, NdArray> arrays = new LinkedHashMap<>();
        for (String cell : cells) {
            arrays.put("rnn/" + cell + "/kernel:0", NdArray.ofFloats(new float[6], 2, 3));
            arrays.put("rnn/" + cell + "/recurrent_kernel:0", NdArray.ofFloats(new float[9], 3, 3));
        }
        KerasLayer layer = new KerasLayer(FIXTURES, "rnn", type, new JsonObject(), List.copyOf(arrays.keySet()));
        return KerasFile.network(FIXTURES, "Keras .h5", List.of(layer), new Hdf5(arrays, Map.of()), Hints.NONE);
    }

    /** Files of ci/keras_model.py, with what Keras answers; one has a layer whose name is not ASCII. */
    @ParameterizedTest
    @ValueSource(strings = {"tokens.keras", "tokens.h5", "tokens.weights.h5", "features.keras", "features.h5"})
    void whatKerasWroteAnswersAsInKeras(String name) throws IOException {
        Path file = FIXTURES.resolve("written").resolve(name);
        Map<String, NdArray> asked = Npz.read(file.resolveSibling(name.substring(0, name.indexOf('.')) + ".npz"));
        NdArray x = asked.get("x");
        try (Backend backend = new ReferenceBackend();
                SimpleRnnClassifier model = KerasFile.read(file, Hints.NONE).classifier(backend)) {
            float[][] answers = model.predictProba(name.startsWith("tokens") ? withoutPadding(x) : SequenceInput.of(x));
            assertArrayEquals(asked.get("y").floats(), flat(answers), 1e-6f);
        }
    }

    private static SequenceInput withoutPadding(NdArray ids) {
        int steps = (int) ids.shape()[1];
        int[][] rows = new int[(int) ids.shape()[0]][];
        for (int n = 0; n < rows.length; n++) {
            rows[n] = Arrays.stream(ids.ints(), n * steps, (n + 1) * steps)
                    .filter(id -> id != 0)
                    .toArray();
        }
        return SequenceInput.tokens(rows);
    }

    private static float[] flat(float[][] rows) {
        float[] all = new float[rows.length * rows[0].length];
        for (int n = 0; n < rows.length; n++) System.arraycopy(rows[n], 0, all, n * rows[n].length, rows[n].length);
        return all;
    }

    /** Its arrays are of a type that jhdf knows nothing of, and the file is whole. */
    @Test
    void brainFloatsAreSaidToBeUnknown() {
        assertRefused(FIXTURES.resolve("written/bfloat16.keras"), "or what it does not know (");
    }

    /** One sigmoid of z is the second class of a softmax over 0 and z. */
    @Test
    void aSigmoidBecomesTwoClasses() throws IOException {
        Imported read = KerasFile.read(FIXTURES.resolve("sigmoid.keras"), Hints.NONE);
        assertEquals(2, read.network().classes());
        assertArrayEquals(
                new float[] {0, 4, 0, 4.125f, 0, 4.25f, 0, 4.375f},
                read.network().weights().get("dense.w").floats());
        assertArrayEquals(
                new float[] {0, 5}, read.network().weights().get("dense.b").floats());
        assertTrue(
                read.report().notes().get(0).contains("layer \"answer\" (Dense)"),
                read.report().notes().toString());
    }

    /** Its weights in their order are arrays 0, 1, 2... */
    private static void assertNetwork(Network network, int vocabulary, SimpleRnnConfig config, int classes) {
        assertEquals(config, network.rnn());
        assertEquals(vocabulary, network.vocabulary());
        assertEquals(classes, network.classes());
        int k = 1;
        for (Parameters.Spec spec : network.specs()) {
            float[] found = network.weights().get(spec.name()).floats();
            for (int i = 0; i < found.length; i++) assertEquals(k + i / 8f, found[i], spec.name() + " " + i);
            k++;
        }
    }

    @Test
    void h5pyReadsWhatWeWriteAndSoDoWe() throws IOException {
        for (boolean both : new boolean[] {false, true}) {
            SimpleRnnConfig config = SimpleRnnConfig.of(3, 4)
                    .withLayers(2)
                    .withBidirectional(both)
                    .withOutput(Output.MEAN);
            Network network = Samples.network(5, config, 2, 7);
            String name = both ? "both" : "one";
            Path file = folder.resolve(name + ".weights.h5");
            Report report = KerasFile.write(network, file);
            assertEquals(network.weights().size(), report.rows().size());
            Hints hints = Hints.NONE.withActivation(Activation.TANH).withOutput(Output.MEAN);
            assertEquals(network, KerasFile.read(file, hints).network());
            new SafeTensors(network.weights(), Map.of()).write(folder.resolve(name + ".safetensors"));
        }
        Python.run("KerasFileTest", "h5py", "keras_cases.py", folder);
    }

    @Test
    void whatWeWriteWeRead() throws IOException {
        Path file = folder.resolve("habits.weights.h5");
        for (SimpleRnnConfig habits : Samples.habits(SimpleRnnConfig.of(3, 4))) {
            for (Network network : List.of(
                    Samples.network(0, habits.withBias(false), 0, 7), Samples.network(5, habits.withLayers(2), 2, 7))) {
                Hints hints = Hints.of(network.rnn());
                List<String> notes = KerasFile.write(network, file).notes();
                assertEquals(hints.lost(), notes.get(1));
                Imported read = KerasFile.read(file, hints);
                assertEquals(network, read.network());
                assertEquals(List.of(), read.report().unsaid());
                // What Keras does otherwise is so whichever way the weights go.
                assertEquals(notes.subList(2, notes.size()), read.report().notes());
            }
        }
        SimpleRnnConfig sum = SimpleRnnConfig.of(3, 4).withBidirectional(true).withMerge(Merge.SUM);
        KerasFile.write(Samples.network(0, sum, 2, 7), file);
        assertRefused(file, "dense layer: expected 8 inputs, two directions side by side, found 4");
    }

    @Test
    void whatKerasIsToldOfOurNetwork() throws IOException {
        SimpleRnnConfig plain = SimpleRnnConfig.of(3, 4);
        SimpleRnnConfig stack = plain.withLayers(2);
        assertSaid(
                "activation 'tanh', return_sequences True, go_backwards True in the lowest layer,"
                        + " zero_output_for_mask True, stateful True",
                stack.withGoBackwards(true).withZeroOutputForMask(true).withStateful(true));
        assertSaid(
                "activation 'relu', use_bias False, return_sequences True, then GlobalMaxPooling1D, go_backwards True",
                plain.withActivation(Activation.RELU)
                        .withBias(false)
                        .withOutput(Output.MAX)
                        .withGoBackwards(true));
        assertSaid(
                "activation 'linear', return_sequences True, then GlobalAveragePooling1D, merge_mode 'ave' in the highest"
                        + " layer, 'concat' below it",
                stack.withActivation(Activation.LINEAR)
                        .withOutput(Output.MEAN)
                        .withBidirectional(true)
                        .withMerge(Merge.AVE));
        assertSaid(
                "activation 'tanh', return_sequences False in the highest layer, True below it, merge_mode 'concat'",
                stack.withOutput(Output.LAST).withBidirectional(true));
        assertSaid("activation 'tanh', return_sequences False", plain.withOutput(Output.LAST));
    }

    private void assertSaid(String settings, SimpleRnnConfig config) throws IOException {
        List<String> notes = KerasFile.write(Samples.network(0, config, 0, 7), folder.resolve("a.weights.h5"))
                .notes();
        assertEquals(
                "In Python: load_weights of a Sequential model with these layers, " + settings + ".", notes.get(0));
        boolean turned = config.goBackwards() && config.layers() > 1;
        int more = (config.output() == Output.MAX ? 1 : 0) + (turned ? 1 : 0);
        assertEquals(2 + more, notes.size(), notes.toString());
    }

    /** The largest sum of two directions is not the sum of the largest. */
    @Test
    void whatKerasPoolsOtherwiseIsSaid() throws IOException {
        SimpleRnnConfig config = SimpleRnnConfig.of(3, 4).withOutput(Output.MAX).withMerge(Merge.SUM);
        Path file = folder.resolve("b.weights.h5");
        assertEquals(
                3,
                KerasFile.write(Samples.network(0, config, 2, 7), file).notes().size());
        List<String> notes = KerasFile.write(Samples.network(0, config.withBidirectional(true), 2, 7), file)
                .notes();
        assertTrue(notes.get(2).startsWith("Keras merges the directions before it pools"), notes.toString());
        assertTrue(notes.get(3).startsWith("Under a mask Keras takes the largest of padded steps"), notes.toString());
    }

    /** Its layers and poolings see the steps of a row turned round, and beside them the mask as it was. */
    @Test
    void kerasDoesNotTurnAMaskRound() throws IOException {
        SimpleRnnConfig back = SimpleRnnConfig.of(3, 4).withGoBackwards(true);
        Path file = folder.resolve("c.weights.h5");
        for (SimpleRnnConfig config :
                List.of(back, back.withOutput(Output.LAST).withLayers(2), back.withOutput(Output.MEAN))) {
            boolean noted = KerasFile.write(Samples.network(0, config, 2, 7), file).notes().stream()
                    .anyMatch(note -> note.startsWith("Keras turns the steps round, but not their mask"));
            assertEquals(config.layers() > 1 || config.output() == Output.MEAN, noted, config.toString());
        }
        UnaryOperator<String> mean =
                config -> config.replace("\"class_name\": \"Dropout\"", "\"class_name\": \"GlobalAveragePooling1D\"")
                        .replace("\"return_sequences\": false", "\"return_sequences\": true")
                        .replace("\"go_backwards\": false", "\"go_backwards\": true");
        assertRefused(
                changed("relu.keras", mean), "go_backwards false under mask_zero, for Keras does not turn the mask");
        KerasFile.read(
                changed(
                        "relu.keras",
                        config -> mean.apply(config).replace("\"mask_zero\": true", "\"mask_zero\": false")),
                Hints.NONE);
    }

    @Test
    void twoBiasesBecomeTheirSum() throws IOException {
        Network network = Samples.network(0, SimpleRnnConfig.of(3, 4).withRecurrentBias(true), 0, 7);
        Path file = folder.resolve("biases.weights.h5");
        assertEquals(How.ADDED, KerasFile.write(network, file).rows().get(3).how());
        float[] sum = network.weights().get("rnn.forward.b").floats();
        float[] second = network.weights().get("rnn.forward.bh").floats();
        for (int i = 0; i < sum.length; i++) sum[i] += second[i];
        Network read = KerasFile.read(file, Hints.NONE).network();
        assertArrayEquals(sum, read.weights().get("rnn.forward.b").floats());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "lstm.weights.h5 | layer \"lstm\" (lstm): expected a layer that elman has, found lstm",
                "quantized.weights.h5 | \"layers/dense/vars/0\": expected numbers: floats, or integers of 4 bytes or more, found jhdf's FixedPoint of 1 byte. Save",
                "legacy_mixed.h5 | layer_names: expected the order of model_config: [simple_rnn, dense], found [dense, simple_rnn]",
                "legacy_order.h5 | layer \"dense\" (Dense): expected a SimpleRNN before it, found none",
            })
    void aFileOfAnotherModelIsRefused(String name, String message) {
        assertRefused(FIXTURES.resolve(name), message);
    }

    /** Changes to the configuration of a good file, and what must be said of them. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "relu.keras | \"activation\": \"relu\" | \"activation\": \"gelu\" | layer \"simple_rnn_7\" (SimpleRNN): expected activation tanh, relu or linear, found gelu",
                "relu.keras | \"activation\": \"softmax\" | \"activation\": \"tanh\" | layer \"answer\" (Dense): expected activation linear or softmax, or sigmoid of 1 unit, found tanh",
                "relu.keras | \"activation\": \"relu\" | \"activation\": [1] | layer \"simple_rnn_7\" (SimpleRNN): expected a word as activation",
                "relu.keras | \"SimpleRNN\" | \"GRU\" | layer \"simple_rnn_7\" (GRU): expected a layer that elman has, found GRU",
                "relu.keras | \"Dropout\" | \"Conv1D\" | layer \"dropout\" (Conv1D): expected a layer that elman has",
                "relu.keras | \"Dropout\" | \"SimpleRNN\" | layer \"dropout\" (SimpleRNN): expected return_sequences true in the layer below, found false",
                "relu.keras | \"Embedding\" | \"Dense\" | layer \"tokens\" (Dense): expected a SimpleRNN before it",
                "relu.keras | \"input_dim\": 6 | \"input_dim\": 7 | layer \"tokens\" (Embedding): expected input_dim 6, as its arrays have it, found 7",
                "relu.keras | \"units\": 4 | \"units\": 5 | layer \"simple_rnn_7\" (SimpleRNN): expected units 4",
                "relu.keras | \"units\": 2 | \"units\": 3 | layer \"answer\" (Dense): expected units 2",
                "relu.keras | \"Dropout\" | \"Embedding\" | layer \"dropout\" (Embedding): expected none of its kind after layer \"simple_rnn_7\" (SimpleRNN)",
                "relu.keras | \"registered_name\": null}] | \"registered_name\": null}, {\"class_name\": \"Activation\", \"config\": {\"name\": \"again\", \"activation\": \"softmax\"}}] | layer \"again\" (Activation): expected one softmax, found a second",
                "stack.keras | \"return_sequences\": true | \"return_sequences\": false | layer \"upper\" (SimpleRNN): expected return_sequences true in the layer below",
                "stack.keras | \"activation\": \"tanh\" | \"activation\": \"relu\" | layer \"upper\" (SimpleRNN): expected activation RELU, as the layer below has, found TANH",
                "stack.keras | \"go_backwards\": false | \"go_backwards\": true | layer \"upper\" (SimpleRNN): expected go_backwards false in the layer below",
                "functional.keras | \"go_backwards\": false | \"go_backwards\": true | layer \"bidirectional_2\" (SimpleRNN): expected go_backwards false",
                "stack.keras | \"stateful\": false | \"stateful\": true | layer \"upper\" (SimpleRNN): expected stateful true, as the layer below has, found false",
                "functional.keras | \"stateful\": false | \"stateful\": true | layer \"bidirectional_2\" (Bidirectional): expected two directions of one kind",
                "functional.keras | \"unroll\": false | \"zero_output_for_mask\": true | layer \"bidirectional_2\" (Bidirectional): expected two directions of one kind",
                "functional.keras | \"go_backwards\": true | \"go_backwards\": false | layer \"bidirectional_2\" (Bidirectional): expected two directions of one kind",
                "functional.keras | \"use_bias\": true | \"use_bias\": false | layer \"bidirectional_2\" (Bidirectional): expected two directions of one kind",
                "relu.keras | \"mask_zero\": true | \"mask_zero\": 1 | layer \"tokens\" (Embedding): expected true or false as mask_zero, found 1",
                "relu.keras | \"return_state\": false | \"return_state\": true | expected return_state false, found true",
                "relu.keras | \"stateful\": false | \"stateful\": 7 | expected true or false as stateful, found 7",
                "relu.keras | \"use_bias\": true, \"return_seq | \"use_bias\": false, \"return_seq | expected use_bias true, as its arrays have it",
                "relu.keras | \"layers\": | \"strata\": | model configuration: expected a Sequential or Functional model with layers, found none",
                "relu.keras | {\"module\" | [\"module\" | model configuration: expected JSON",
                "functional.keras | \"merge_mode\": \"concat\" | \"merge_mode\": null | layer \"bidirectional_2\" (Bidirectional): expected merge_mode concat, sum, mul or ave, found null",
                "functional.keras | \"merge_mode\": \"concat\" | \"merge_mode\": \"sum\" | layer \"pool\" (GlobalMaxPooling1D): expected merge_mode concat in the layer before, found SUM",
                "functional.keras | \"class_name\": \"Embedding\" | \"class_name\": \"Flatten\" | layer \"tokens\" (Flatten): expected a layer that elman has",
                "functional.keras | \"SimpleRNN\" | \"LSTM\" | layer \"bidirectional_2\" (Bidirectional): expected a SimpleRNN inside, found LSTM",
                "functional.keras | \"return_sequences\": true | \"return_sequences\": false | expected two directions of one kind",
                "functional.keras | \"keras_history\": [\"bidirectional_2\" | \"keras_history\": [\"tokens\" | layer \"pool\" (GlobalMaxPooling1D): expected input from \"bidirectional_2\" alone, found [tokens]",
                "functional.keras | [\"tokens\", 0, 0]}}], \"kwargs\": {}}] | [\"tokens\", 0, 0]}}]}, {\"args\": [\"bidirectional_2\", 0, 0]}] | layer \"bidirectional_2\" (Bidirectional): expected one use of the layer, found 2",
                "functional.keras | [\"tokens\", 0, 0]}}], \"kwargs\": {}}] | [\"tokens\", 0, 0]}}], \"kwargs\": {\"initial_state\": [{\"class_name\": \"__tensor__\", \"config\": {\"value\": [[1.0]]}}]}}] | layer \"bidirectional_2\" (Bidirectional): expected no input but other layers', found a constant, such as a mask",
                "functional.keras | [\"tokens\", 0, 0]}}], \"kwargs\": {}}] | [\"tokens\", 0, 0]}}], \"kwargs\": {\"mask\": [[true, false]]}}] | layer \"bidirectional_2\" (Bidirectional): expected no input but other layers', found a constant, such as a mask",
                "functional.keras | \"name\": \"answer\"}]} | \"name\": \"answer\"}], \"output_layers\": [[\"pool\", 0, 0], [\"answer\", 0, 0]]} | layer \"answer\" (Dense): expected the model's output from this layer alone, found [pool, answer]",
                "functional.keras | \"name\": \"answer\"}]} | \"name\": \"answer\"}, {\"class_name\": \"Softmax\", \"config\": {\"name\": \"soft\", \"axis\": 0}}]} | layer \"soft\" (Softmax): expected axis -1, the last, found 0",
                "functional.keras | \"name\": \"answer\"}]} | \"name\": \"answer\"}, {\"class_name\": \"Softmax\", \"config\": {\"name\": \"soft\", \"axis\": [1, 0]}}]} | layer \"soft\" (Softmax): expected axis -1, the last, found [1,0]",
                "functional.keras | \"name\": \"pool\", | \"name\": \"pool\", \"data_format\": \"channels_first\", | layer \"pool\" (GlobalMaxPooling1D): expected data_format channels_last, found channels_first",
                "functional.keras | \"name\": \"pool\", | \"name\": \"pool\", \"keepdims\": true, | layer \"pool\" (GlobalMaxPooling1D): expected keepdims false, found true",
                "functional.keras | \"go_backwards\": false, \"stateful\": false, \"unroll\": false, \"dropout\": 0.0, \"recurrent_dropout\": 0.0}, \"registered_name\": null | \"go_backwards\": false}, \"registered_name\": \"my>SimpleRNN\" | layer \"bidirectional_2\" (SimpleRNN): expected Keras's own SimpleRNN, found a class registered as \"my>SimpleRNN\"",
                "relu.keras | \"keras.layers\", \"class_name\": \"Embedding\", \"config\": {\"name\": \"tokens\", \"trainable\": true, \"input_dim\": 6, \"output_dim\": 3, \"mask_zero\": true}, \"registered_name\": null | \"kerasmine\", \"class_name\": \"Embedding\", \"config\": {\"name\": \"tokens\", \"mask_zero\": true}, \"registered_name\": \"Embedding\" | layer \"tokens\" (Embedding): expected Keras's own Embedding, found a class registered as \"Embedding\"",
                "functional.keras | \"name\": \"answer\"}]} | \"name\": \"answer\"}, {\"class_name\": \"Activation\", \"config\": {\"activation\": \"tanh\"}}]} | layer \"activation\" (Activation): expected activation softmax, found tanh",
                "relu.keras | \"Dense\" | \"Softmax\" | layer \"answer\" (Softmax): expected a Dense before it, found none",
                "relu.keras | \"Dense\" | \"Activation\" | layer \"answer\" (Activation): expected a Dense before it, found none",
                "relu.keras | \"unroll\": false | \"time_major\": true | layer \"simple_rnn_7\" (SimpleRNN): expected time_major false, found true",
            })
    void aWrongConfigurationIsNamed(String name, String from, String to, String message) throws IOException {
        assertRefused(changed(name, from, to), message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "\"name\": \"answer\"}]} | \"name\": \"answer\"}], \"output_layers\": [\"answer\", 0, 0]}",
                "\"name\": \"answer\"}]} | \"name\": \"answer\"}, {\"class_name\": \"Softmax\", \"config\": {\"axis\": -1}}]}",
                "\"name\": \"answer\"}]} | \"name\": \"answer\"}, {\"class_name\": \"Softmax\", \"config\": {\"axis\": [1]}}]}",
                "\"name\": \"answer\"}]} | \"name\": \"answer\"}, {\"class_name\": \"Activation\", \"config\": {\"activation\": \"softmax\"}}]}",
                "\"name\": \"answer\"}]} | \"name\": \"answer\"}, {\"class_name\": \"Activation\", \"config\": {\"activation\": null}}]}",
                "\"name\": \"pool\", | \"name\": \"pool\", \"data_format\": \"channels_last\", \"keepdims\": false,",
                "\"keras.layers\", \"class_name\": \"Embedding\", \"config\": {\"name\": \"tokens\", \"trainable\": true, \"input_dim\": 6, \"output_dim\": 3, \"mask_zero\": true}, \"registered_name\": null | \"keras.src.layers.core.embedding\", \"class_name\": \"Embedding\", \"config\": {\"name\": \"tokens\", \"mask_zero\": true}, \"registered_name\": \"Embedding\"",
            })
    void whatTheNetworkDoesAnywayMayBeSaid(String from, String to) throws IOException {
        Network plain =
                KerasFile.read(FIXTURES.resolve("functional.keras"), Hints.NONE).network();
        assertEquals(
                plain,
                KerasFile.read(changed("functional.keras", from, to), Hints.NONE)
                        .network());
    }

    private static String tensorOf(String layer) {
        return "{\"class_name\": \"__keras_tensor__\", \"config\": {\"keras_history\": [\"" + layer + "\", 0, 0]}}";
    }

    /** The functional fixture as Keras 3 writes it, with the mask of mask_zero as a layer and handed to the recurrent one. */
    private Path masked(String source, String number, String registered, boolean maskZero) throws IOException {
        String embedding = "\"kwargs\": {}}], \"name\": \"tokens\"}, ";
        String mask = "{\"module\": \"keras.src.ops.numpy\", \"class_name\": \"NotEqual\", \"config\": {\"name\":"
                + " \"not_equal\"}, \"registered_name\": \"" + registered + "\", \"name\": \"not_equal\","
                + " \"inbound_nodes\": [{\"args\": [" + tensorOf(source) + ", " + number + "], \"kwargs\": {}}]}, ";
        String args = "\"args\": [" + tensorOf("tokens") + "], \"kwargs\": {";
        return changed("functional.keras", config -> {
            assertTrue(config.contains(embedding) && config.contains(args), config);
            return config.replace(embedding, embedding + mask)
                    .replace(args, args + "\"mask\": " + tensorOf("not_equal"))
                    .replace("\"mask_zero\": true", "\"mask_zero\": " + maskZero);
        });
    }

    @Test
    void theMaskOfAFunctionalModelIsThatOfItsEmbedding() throws IOException {
        Imported plain = KerasFile.read(FIXTURES.resolve("functional.keras"), Hints.NONE);
        for (String zero : List.of("0", "0.0")) {
            Imported read = KerasFile.read(masked("input", zero, "NotEqual", true), Hints.NONE);
            assertEquals(plain.network(), read.network());
            assertEquals(plain.report(), read.report());
        }
        String wrong =
                "layer \"not_equal\" (NotEqual): expected no mask but that of an Embedding with mask_zero, found another";
        assertRefused(masked("input", "1", "NotEqual", true), wrong);
        assertRefused(masked("input", "\"0\"", "NotEqual", true), wrong);
        assertRefused(masked("input", "0, 0", "NotEqual", true), wrong);
        assertRefused(masked("tokens", "0", "NotEqual", true), wrong);
        assertRefused(masked("input", "0", "NotEqual", false), wrong);
        assertRefused(masked("input", "0", "my>NotEqual", true), "expected Keras's own NotEqual");
        // As what the layer reads, and not as its mask.
        Path read = changed("functional.keras", config -> config.replace(tensorOf("tokens"), tensorOf("not_equal")));
        assertRefused(
                read, "layer \"bidirectional_2\" (Bidirectional): expected input from \"tokens\" alone, found []");
    }

    /** A copy of a fixture with a change at the first place where its configuration says {@code from}. */
    private Path changed(String name, String from, String to) throws IOException {
        return changed(name, config -> {
            int at = config.indexOf(from);
            assertTrue(at >= 0, config);
            return config.substring(0, at) + to + config.substring(at + from.length());
        });
    }

    private Path changed(String name, UnaryOperator<String> change) throws IOException {
        Map<String, byte[]> members = ZipArchive.read(FIXTURES.resolve(name), member -> true);
        String config = new String(members.get("config.json"), StandardCharsets.UTF_8);
        String changed = change.apply(config);
        assertNotEquals(config, changed);
        members.put("config.json", changed.getBytes(StandardCharsets.UTF_8));
        Path file = folder.resolve(name);
        try (ZipArchive.Writer zip = new ZipArchive.Writer(Files.newOutputStream(file))) {
            for (Map.Entry<String, byte[]> member : members.entrySet()) zip.store(member.getKey(), member.getValue());
        }
        return file;
    }

    @Test
    void otherFilesAreRefused() throws IOException {
        Path file = folder.resolve("model.keras");
        Files.write(file, new byte[100]);
        assertRefused(file, "file: expected an HDF5 file, found something else");
        try (ZipArchive.Writer zip = new ZipArchive.Writer(Files.newOutputStream(file))) {
            zip.store("config.json", new byte[2]);
        }
        assertRefused(file, "member model.weights.h5: expected a .keras of Keras 3, found none");
        assertRefused(folder.resolve("missing.h5"), "path: expected a file, found nothing");
    }

    private static void assertRefused(Path file, String message) {
        ModelFileException e = assertThrows(ModelFileException.class, () -> KerasFile.read(file, Hints.NONE));
        assertTrue(e.getMessage().contains(message), e.getMessage());
        assertEquals(file.toString(), e.file());
    }

    @ParameterizedTest
    @ValueSource(strings = {"bidirectional.weights.h5", "latest.weights.h5", "legacy.h5", "relu.keras"})
    void damagedFiles(String name) throws IOException {
        Path file = folder.resolve(name);
        Files.copy(FIXTURES.resolve(name), file);
        int refused = Mutations.check(file, (int) Files.size(file), path -> KerasFile.read(path, Hints.NONE));
        assertTrue(refused > 200, refused + " of 2000 refused");
    }

    /** The zip's checksums keep damage from the configuration, so it is damaged before it is packed. */
    @Test
    void damagedConfigurations() throws IOException {
        Map<String, byte[]> members = ZipArchive.read(FIXTURES.resolve("functional.keras"), member -> true);
        Hdf5 hdf = Hdf5.parse(FIXTURES, "", members.get("model.weights.h5"));
        byte[] config = members.get("config.json");
        int refused = Mutations.check(
                FIXTURES,
                config,
                config.length,
                bytes -> KerasFile.network(
                        FIXTURES,
                        "",
                        new KerasLayers(FIXTURES, hdf).keras3(new String(bytes, StandardCharsets.UTF_8)),
                        hdf,
                        Hints.NONE));
        assertTrue(refused > 1000, refused + " of 2000 refused");
    }
}
