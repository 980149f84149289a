package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Backend;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import dev.elman.contract.Required;
import dev.elman.reference.ReferenceBackend;
import dev.elman.train.Callback;
import dev.elman.train.ClassifierConfig;
import dev.elman.train.EpochResult;
import dev.elman.train.History;
import dev.elman.train.Optimizer;
import dev.elman.train.Progress;
import dev.elman.train.SimpleRnnClassifier;
import dev.elman.train.Trainer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Training on the device: the losses of the reference, and between upload and download of a minibatch nothing crosses. */
@Tag("cuda")
class CudaTrainingTest {
    private static final int ROWS = 96;
    private static final int BATCH = 16;
    /** So many batches that the longest does not come first by chance. */
    private static final int SMALL_BATCH = 4;

    private static final int EPOCHS = 3;

    private final int[][] ids = new int[ROWS][];
    private final int[] labels = new int[ROWS];

    CudaTrainingTest() {
        Random random = new Random(5);
        for (int n = 0; n < ROWS; n++) {
            ids[n] = random.ints(2 + random.nextInt(6), 1, 6).toArray();
            labels[n] = ids[n][0] % 3;
        }
    }

    @Test
    void lossesAgreeWithTheReferenceAndOnlyMinibatchesCross() {
        List<long[]> crossings = new ArrayList<>();
        try (CudaBackend cuda = Required.open("cuda", CudaBackend::open);
                Backend reference = new ReferenceBackend()) {
            History expected = fit(reference, null);
            History given = fit(cuda, new Callback() {
                @Override
                public boolean onEpochEnd(EpochResult result) {
                    CudaContext.Counters now = cuda.context().counters();
                    crossings.add(new long[] {now.allocations, now.uploads, now.downloads, now.launches});
                    return true;
                }
            });
            for (int epoch = 0; epoch < EPOCHS; epoch++) {
                double loss = expected.epochs().get(epoch).loss();
                assertEquals(loss, given.epochs().get(epoch).loss(), 1e-4 * loss, "epoch " + epoch);
            }
            assertEquals(0, cuda.liveTensors());
        }
        long[] second = crossings.get(1);
        long[] third = crossings.get(2);
        assertEquals(second[0], third[0], "allocations in the third epoch");
        // Ids, mask and labels of a minibatch go up in one piece, loss and norm come down in one.
        long batches = ROWS / BATCH;
        assertEquals(batches, third[1] - second[1], "uploads");
        assertEquals(batches, third[2] - second[2], "downloads");
        assertTrue(third[3] - second[3] > 20 * batches, "kernels were launched");
    }

    /** More sums of squares than the kernel that adds them up takes in one round, and than it takes in four. */
    @ParameterizedTest
    @ValueSource(ints = {300 * 4096, 1030 * 4096})
    void theNormOfManyGradients(int size) {
        float[] values = new float[size];
        Random random = new Random(7);
        double squares = 0;
        for (int i = 0; i < size; i++) {
            values[i] = (float) random.nextGaussian();
            squares += (double) values[i] * values[i];
        }
        try (CudaBackend cuda = Required.open("cuda", CudaBackend::open);
                Tensor gradients = cuda.allocate(Shape.of(size));
                Tensor norm = cuda.allocate(Shape.of(1))) {
            gradients.set(values);
            cuda.clipGlobalNorm(gradients, 10, norm);
            double expected = Math.sqrt(squares);
            assertEquals(expected, norm.toFloats()[0], 1e-7 * expected);
            assertEquals(
                    10 / expected * values[size - 1],
                    gradients.view(size - 1, Shape.of(1)).toFloats()[0],
                    1e-6);
        }
    }

    /** Lengths come in any order, and the rows held back are more than a batch: still it is all taken at once. */
    @Test
    void noBatchAfterTheFirstTakesMemoryAndNoEvaluationAfterTheFirst() {
        List<Long> first = new ArrayList<>();
        List<Long> second = new ArrayList<>();
        try (CudaBackend cuda = Required.open("cuda", CudaBackend::open)) {
            fit(
                    cuda,
                    new Callback() {
                        @Override
                        public void onBatchEnd(Progress progress) {
                            (progress.epoch() == 1 ? first : second)
                                    .add(cuda.context().counters().allocations);
                        }
                    },
                    0.5,
                    SMALL_BATCH);
            second.add(cuda.context().counters().allocations);
        }
        assertEquals(ROWS / 2 / SMALL_BATCH, first.size());
        assertEquals(1, Set.copyOf(first).size(), "allocations after each batch of the first epoch " + first);
        assertEquals(1, Set.copyOf(second).size(), "allocations after each batch of the others " + second);
    }

    private History fit(Backend backend, Callback callback) {
        return fit(backend, callback, 0, BATCH);
    }

    private History fit(Backend backend, Callback callback, double validationSplit, int batchSize) {
        ClassifierConfig config = ClassifierConfig.tokens(6, 3)
                .embeddingSize(8)
                .hiddenSize(12)
                .bidirectional(true)
                .dropout(0.1)
                .seed(1)
                .build();
        Trainer.Builder trainer = Trainer.builder()
                .epochs(EPOCHS)
                .batchSize(batchSize)
                .optimizer(Optimizer.adam(0.02))
                .validationSplit(validationSplit)
                .seed(3);
        if (callback != null) trainer.callback(callback);
        try (SimpleRnnClassifier model = new SimpleRnnClassifier(backend, config)) {
            return model.fit(ids, labels, trainer.build());
        }
    }
}
