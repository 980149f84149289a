package dev.elman.train;

import dev.elman.backend.Backend;
import java.util.Random;

/** Sequences whose class is easy to state: which of the tokens 1 to 3 comes first. 4 and 5 are noise before and between. */
final class ToyData {
    static final int VOCABULARY = 6;
    static final int CLASSES = 3;

    final int[][] ids;
    final int[] labels;

    ToyData(int rows, long seed) {
        Random random = new Random(seed);
        ids = new int[rows][];
        labels = new int[rows];
        for (int n = 0; n < rows; n++) {
            ids[n] = new int[2 + random.nextInt(5)];
            labels[n] = random.nextInt(CLASSES);
            ids[n][0] = random.nextBoolean() ? 4 : 1 + labels[n];
            ids[n][1] = 1 + labels[n];
            for (int t = 2; t < ids[n].length; t++) ids[n][t] = 1 + random.nextInt(5);
        }
    }

    /** The same rows with one feature vector a token. */
    float[][][] features() {
        float[][][] x = new float[ids.length][][];
        for (int n = 0; n < x.length; n++) {
            x[n] = new float[ids[n].length][VOCABULARY];
            for (int t = 0; t < x[n].length; t++) x[n][t][ids[n][t]] = 1;
        }
        return x;
    }

    static ClassifierConfig.Builder config() {
        return ClassifierConfig.tokens(VOCABULARY, CLASSES)
                .embeddingSize(8)
                .hiddenSize(16)
                .seed(1);
    }

    /** One of {@link #config}. */
    static SimpleRnnClassifier model(Backend backend) {
        return new SimpleRnnClassifier(backend, config().build());
    }

    static Trainer.Builder trainer() {
        return Trainer.builder()
                .epochs(15)
                .batchSize(16)
                .optimizer(Optimizer.adam(0.02))
                .seed(3);
    }
}
