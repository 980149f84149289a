package dev.elman.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Activation;
import dev.elman.io.ModelFileException;
import dev.elman.io.Mutations;
import dev.elman.io.NdArray;
import dev.elman.io.numpy.Npz;
import dev.elman.rnn.Merge;
import dev.elman.rnn.Output;
import dev.elman.rnn.SimpleRnnConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NumpyFileTest {
    private static final Hints HINTS =
            Hints.NONE.withActivation(Activation.RELU).withOutput(Output.MEAN);

    @TempDir
    private Path folder;

    @Test
    void whatWeWriteWeRead() throws IOException {
        for (boolean bias : new boolean[] {false, true}) {
            for (SimpleRnnConfig habits :
                    Samples.habits(SimpleRnnConfig.of(3, 4).withBias(bias))) {
                assertRead(Samples.network(0, habits, 0, 1));
                assertRead(Samples.network(5, habits.withLayers(3).withRecurrentBias(bias), 2, 2));
            }
        }
    }

    private void assertRead(Network network) throws IOException {
        Path file = folder.resolve("model.npz");
        Report report = NumpyFile.write(network, file);
        assertEquals(List.of(Hints.of(network.rnn()).lost()), report.notes());
        assertEquals(network.weights().size(), report.rows().size());
        Imported read = NumpyFile.read(file, Hints.of(network.rnn()));
        assertEquals(network, read.network());
        assertEquals(List.of(), read.report().unsaid());
        assertEquals(List.of(), read.report().notes());
    }

    @Test
    void whatTheFileLosesIsSaid() {
        SimpleRnnConfig config = SimpleRnnConfig.of(3, 4);
        assertEquals(
                "The file holds weights alone; who reads it must say: activation TANH, output SEQUENCE.",
                Hints.of(config).lost());
        SimpleRnnConfig backwards =
                config.withGoBackwards(true).withStateful(true).withZeroOutputForMask(true);
        assertEquals(
                "The file holds weights alone; who reads it must say: activation TANH, output SEQUENCE, goBackwards,"
                        + " zeroOutputForMask, stateful.",
                Hints.of(backwards).lost());
        SimpleRnnConfig product = config.withBidirectional(true).withMerge(Merge.MUL);
        assertEquals(
                "The file holds weights alone; who reads it must say: activation TANH, output SEQUENCE, merge MUL.",
                Hints.of(product).lost());
    }

    @Test
    void whatNobodySaysIsNoted() throws IOException {
        Path file = folder.resolve("model.npz");
        SimpleRnnConfig config = SimpleRnnConfig.of(3, 4).withOutput(Output.LAST);
        NumpyFile.write(Samples.network(0, config.withGoBackwards(true), 2, 1), file);
        Imported read = NumpyFile.read(file, Hints.NONE);
        assertEquals(config, read.network().rnn());
        assertEquals(
                List.of(
                        "The file does not say its activation: TANH is taken.",
                        "The file does not say its output: LAST is taken.",
                        "The file does not say its goBackwards, zeroOutputForMask, stateful: false is taken."),
                read.report().unsaid());
        NumpyFile.write(Samples.network(0, config.withBidirectional(true), 2, 1), file);
        read = NumpyFile.read(file, HINTS);
        assertEquals(
                List.of(
                        "The file does not say its merge: CONCAT is taken.",
                        "The file does not say its zeroOutputForMask, stateful: false is taken."),
                read.report().unsaid());
    }

    /** The dense layer's size shows that two directions were merged, but not how. */
    @Test
    void aMergeThatNobodySaysIsAskedFor() throws IOException {
        Path file = folder.resolve("model.npz");
        SimpleRnnConfig config =
                SimpleRnnConfig.of(3, 4).withBidirectional(true).withMerge(Merge.AVE);
        NumpyFile.write(Samples.network(0, config, 2, 1), file);
        ModelFileException e = assertThrows(ModelFileException.class, () -> NumpyFile.read(file, HINTS));
        assertEquals(
                file
                        + ": dense layer: expected 8 inputs, two directions side by side, found 4, the two merged into one."
                        + " Say how: sum, mul or ave (--merge, or Hints.withMerge)",
                e.getMessage());
        e = assertThrows(ModelFileException.class, () -> NumpyFile.read(file, HINTS.withMerge(Merge.CONCAT)));
        assertTrue(e.getMessage().contains("array \"dense.w\": expected [8,2], found [4,2]"), e.getMessage());
    }

    @Test
    void whatTheArraysContradictIsRefused() throws IOException {
        Path file = folder.resolve("model.npz");
        NumpyFile.write(Samples.network(0, SimpleRnnConfig.of(3, 4), 0, 1), file);
        ModelFileException e =
                assertThrows(ModelFileException.class, () -> NumpyFile.read(file, HINTS.withMerge(Merge.SUM)));
        assertTrue(
                e.getMessage().contains("merge: expected two directions, since SUM was said, found one"),
                e::getMessage);
        NumpyFile.write(Samples.network(0, SimpleRnnConfig.of(3, 4).withBidirectional(true), 0, 1), file);
        e = assertThrows(ModelFileException.class, () -> NumpyFile.read(file, HINTS.withGoBackwards(true)));
        assertTrue(e.getMessage().contains("goBackwards: expected one direction, since that was said"), e::getMessage);
    }

    @Test
    void wrongNamesAndShapesAreNamed() throws IOException {
        Map<String, NdArray> weights = new LinkedHashMap<>(
                Samples.network(5, SimpleRnnConfig.of(3, 4), 2, 2).weights());
        weights.remove("rnn.forward.wh");
        assertRefused(weights, "array \"rnn.forward.wh\": expected [4,4], found no array of this name");
        weights.put("rnn.forward.wh", NdArray.ofFloats(new float[12], 4, 3));
        assertRefused(weights, "array \"rnn.forward.wh\": expected [4,4], found [4,3]");
        weights.put("rnn.forward.wh", NdArray.ofFloats(new float[16], 4, 4));
        weights.put("attention", NdArray.ofFloats(new float[1], 1));
        assertRefused(weights, "array \"attention\": expected only an embedding");
        weights.remove("attention");
        weights.put("rnn.forward.bh", weights.remove("rnn.forward.b"));
        assertRefused(weights, "array \"rnn.forward.b\": expected a first bias, since there is a second, bh");
        assertRefused(Map.of(), "array \"rnn.forward.wx\"");
    }

    private void assertRefused(Map<String, NdArray> weights, String message) throws IOException {
        Path file = folder.resolve("wrong.npz");
        Npz.write(weights, file);
        ModelFileException e = assertThrows(ModelFileException.class, () -> NumpyFile.read(file, HINTS));
        assertTrue(e.getMessage().contains(message), e.getMessage());
    }

    @Test
    void damagedFiles() throws IOException {
        Path file = folder.resolve("model.npz");
        NumpyFile.write(Samples.network(5, SimpleRnnConfig.of(3, 4), 2, 2), file);
        int refused = Mutations.check(file, 3000, path -> NumpyFile.read(path, HINTS));
        assertTrue(refused > 1500, refused + " of 2000 refused");
    }
}
