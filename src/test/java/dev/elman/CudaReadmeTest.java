package dev.elman;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Backend;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import dev.elman.contract.Required;
import dev.elman.cuda.CudaBackend;
import dev.elman.reference.ReferenceBackend;
import dev.elman.rnn.Output;
import dev.elman.rnn.SimpleRnn;
import dev.elman.rnn.SimpleRnnConfig;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The README's example of an application with CUDA of its own does what it says. */
@Tag("cuda")
class CudaReadmeTest {
    private static final String BEFORE = "h of row 0 begins with ";

    @TempDir
    private Path folder;

    @BeforeEach
    void needsADevice() {
        Required.open("cuda", CudaBackend::open).close();
    }

    @Test
    void theAttachedLayerAnswersAsTheReferenceDoes() throws Exception {
        String printed = new ExampleCode(ReadmeTest.example("CudaBackend.attach"))
                .run(folder)
                .strip();
        assertTrue(printed.startsWith(BEFORE), printed);
        try (Backend reference = new ReferenceBackend();
                SimpleRnn rnn =
                        SimpleRnn.create(reference, SimpleRnnConfig.of(5, 64).withOutput(Output.LAST), 1);
                Tensor x = reference.allocate(Shape.of(7, 32, 5))) {
            reference.fill(x, 0.5);
            double expected = rnn.forward(x, null).toDoubles()[0];
            assertEquals(expected, Double.parseDouble(printed.substring(BEFORE.length())), 1e-5);
        }
    }
}
