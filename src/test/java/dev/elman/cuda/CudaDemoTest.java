package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.elman.backend.Backend;
import dev.elman.contract.Required;
import dev.elman.cpu.CpuBackend;
import dev.elman.data.Example;
import dev.elman.data.LanguageNames;
import dev.elman.train.EpochResult;
import dev.elman.train.TextClassifier;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The demo's model, data and trainer on 300 names: what the GPU learns is what the CPU learns. */
@Tag("cuda")
class CudaDemoTest {
    private static final int ROWS = 300;
    private static final int EPOCHS = 2;

    @Test
    void lossesAreThoseOfTheCpu() {
        List<Example> names = new ArrayList<>(LanguageNames.load().examples());
        Collections.shuffle(names, new Random(42));
        List<Example> rows = names.subList(0, ROWS);
        try (Backend cuda = Required.open("cuda", CudaBackend::open);
                Backend cpu = CpuBackend.open()) {
            List<EpochResult> given = train(cuda, rows);
            List<EpochResult> expected = train(cpu, rows);
            for (int epoch = 0; epoch < EPOCHS; epoch++) {
                double loss = expected.get(epoch).loss();
                assertEquals(loss, given.get(epoch).loss(), 1e-4 * loss, "epoch " + epoch);
            }
            assertEquals(0, cuda.liveTensors());
        }
    }

    private static List<EpochResult> train(Backend backend, List<Example> rows) {
        List<String> texts = rows.stream().map(Example::text).toList();
        List<String> labels = rows.stream().map(Example::label).toList();
        try (TextClassifier model = TextClassifier.create(backend, texts, labels, shape -> shape.seed(0))) {
            return model.fit(
                            texts,
                            labels,
                            TextClassifier.defaultTrainer()
                                    .epochs(EPOCHS)
                                    .seed(0)
                                    .build())
                    .epochs();
        }
    }
}
