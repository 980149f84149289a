package dev.elman.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Activation;
import dev.elman.io.ModelFileException;
import dev.elman.io.Mutations;
import dev.elman.io.NdArray;
import dev.elman.io.numpy.Npz;
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
        for (boolean both : new boolean[] {false, true}) {
            for (boolean bias : new boolean[] {false, true}) {
                SimpleRnnConfig config = SimpleRnnConfig.of(3, 4)
                        .withBidirectional(both)
                        .withBias(bias)
                        .withActivation(Activation.RELU)
                        .withOutput(Output.MEAN);
                assertRead(Samples.network(0, config, 0, 1));
                assertRead(Samples.network(5, config.withLayers(3).withRecurrentBias(bias), 2, 2));
            }
        }
    }

    private void assertRead(Network network) throws IOException {
        Path file = folder.resolve("model.npz");
        Report report = NumpyFile.write(network, file);
        assertEquals(List.of("The file does not hold the activation, RELU, nor the output, MEAN."), report.notes());
        assertEquals(network.weights().size(), report.rows().size());
        assertEquals(network, NumpyFile.read(file, HINTS).network());
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
