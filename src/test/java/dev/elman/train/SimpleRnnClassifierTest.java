package dev.elman.train;

import static dev.elman.train.Callbacks.afterEpoch;
import static dev.elman.train.Refusals.missing;
import static dev.elman.train.Refusals.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.IntTensor;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import dev.elman.contract.OnReference;
import dev.elman.io.ModelFileException;
import dev.elman.rnn.Merge;
import dev.elman.rnn.Output;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SimpleRnnClassifierTest extends OnReference {
    private final ToyData data = new ToyData(200, 1);
    private final ToyData fresh = new ToyData(100, 2);

    @ParameterizedTest
    @CsvSource({"LAST,false", "LAST,true", "MAX,false", "MEAN,true"})
    void learnsWhichTokenComesFirst(Output output, boolean bidirectional) {
        ClassifierConfig config = ToyData.config()
                .output(output)
                .bidirectional(bidirectional)
                .dropout(0.1)
                .labelSmoothing(0.05)
                .build();
        try (SimpleRnnClassifier model = new SimpleRnnClassifier(backend, config)) {
            History history = model.fit(data.ids, data.labels, ToyData.trainer().build());
            assertTrue(history.last().loss() < history.epochs().get(0).loss());
            Evaluation evaluation = model.evaluate(fresh.ids, fresh.labels);
            assertTrue(evaluation.accuracy() > 0.9, "accuracy " + evaluation.accuracy());
            int rows = Arrays.stream(evaluation.confusion())
                    .flatMapToInt(Arrays::stream)
                    .sum();
            assertEquals(fresh.labels.length, rows);
        }
    }

    @Test
    void comesBackFromAFile(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("model.safetensors");
        ClassifierConfig config = ToyData.config().bidirectional(true).build();
        try (SimpleRnnClassifier model = new SimpleRnnClassifier(backend, config)) {
            model.save(file);
            try (SimpleRnnClassifier copy = SimpleRnnClassifier.load(backend, file)) {
                assertEquals(config, copy.config());
                assertArrayEquals(
                        model.weights().flat().toFloats(), copy.weights().flat().toFloats());
            }
        }
        ModelFileException e = assertThrows(ModelFileException.class, () -> TextClassifier.load(backend, file));
        assertTrue(e.getMessage().contains("expected text-classifier, found sequence-classifier"), e.getMessage());
    }

    @Test
    void aStackWithDropoutEverywhereLearns() {
        ClassifierConfig config = ToyData.config()
                .layers(2)
                .bidirectional(true)
                .recurrentDropout(0.1)
                .dropout(0.1)
                .build();
        try (SimpleRnnClassifier model = new SimpleRnnClassifier(backend, config)) {
            model.fit(data.ids, data.labels, ToyData.trainer().build());
            assertTrue(model.evaluate(fresh.ids, fresh.labels).accuracy() > 0.9);
        }
        refused("layers", () -> ToyData.config().layers(0).build());
    }

    @Test
    void everyKindOfLayerLearnsAndComesBack(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("model.safetensors");
        for (ClassifierConfig.Builder builder : List.of(
                ToyData.config().bias(false),
                ToyData.config().recurrentBias(true),
                ToyData.config().goBackwards(true),
                ToyData.config().bidirectional(true).merge(Merge.SUM),
                ToyData.config().bidirectional(true).merge(Merge.MUL),
                ToyData.config().bidirectional(true).merge(Merge.AVE))) {
            ClassifierConfig config = builder.build();
            try (SimpleRnnClassifier model = new SimpleRnnClassifier(backend, config)) {
                model.fit(data.ids, data.labels, ToyData.trainer().build());
                assertTrue(model.evaluate(fresh.ids, fresh.labels).accuracy() > 0.9, config.toString());
                model.save(file);
                try (SimpleRnnClassifier copy = SimpleRnnClassifier.load(backend, file)) {
                    assertEquals(config, copy.config());
                    assertEquals(
                            model.weights().views().keySet(),
                            copy.weights().views().keySet());
                }
            }
        }
        refused(
                "recurrentBias",
                () -> ToyData.config().bias(false).recurrentBias(true).build());
        refused(
                "goBackwards",
                () -> ToyData.config().goBackwards(true).bidirectional(true).build());
    }

    @Test
    void learnsFromFeatures() {
        ClassifierConfig config = ClassifierConfig.features(ToyData.VOCABULARY, ToyData.CLASSES)
                .hiddenSize(16)
                .build();
        try (SimpleRnnClassifier model = new SimpleRnnClassifier(backend, config)) {
            model.fit(data.features(), data.labels, ToyData.trainer().build());
            assertTrue(model.evaluate(fresh.features(), fresh.labels).accuracy() > 0.9);
        }
    }

    @Test
    void sameSeedSameBits() {
        ClassifierConfig config =
                ToyData.config().dropout(0.3).inputDropout(0.1).build();
        Trainer trainer = ToyData.trainer().epochs(2).build();
        double[][] weights = new double[2][];
        for (int run = 0; run < 2; run++) {
            try (SimpleRnnClassifier model = new SimpleRnnClassifier(backend, config)) {
                model.fit(data.ids, data.labels, trainer);
                weights[run] = model.weights().flat().toDoubles();
            }
        }
        assertArrayEquals(weights[0], weights[1]);
        try (SimpleRnnClassifier model = new SimpleRnnClassifier(backend, config)) {
            model.fit(data.ids, data.labels, ToyData.trainer().epochs(2).seed(4).build());
            assertTrue(!Arrays.equals(weights[0], model.weights().flat().toDoubles()), "another seed, other bits");
        }
    }

    @Test
    void predictionsComeInTheOrderOfTheRows() {
        try (SimpleRnnClassifier model = ToyData.model(backend)) {
            float[][] together = model.predictProba(fresh.ids);
            for (int n = 0; n < 10; n++) {
                float[] alone = model.predictProba(new int[][] {fresh.ids[n]})[0];
                assertArrayEquals(alone, together[n], 1e-6f, "row " + n);
                assertEquals(1, alone[0] + alone[1] + alone[2], 1e-6);
            }
        }
    }

    @Test
    void emptyRowsAreLegal() {
        try (SimpleRnnClassifier model = ToyData.model(backend)) {
            float[][] alone = model.predictProba(new int[][] {{}});
            float[][] padded = model.predictProba(new int[][] {{1, 2}, {}});
            assertArrayEquals(alone[0], padded[1], 1e-6f);
            assertEquals(0, model.predict(new int[0][]).length);
        }
    }

    @Test
    void weightsOfZerosAreForWhoSetsThem() {
        ClassifierConfig config = ToyData.config().build();
        try (SimpleRnnClassifier model = SimpleRnnClassifier.zeros(backend, config);
                SimpleRnnClassifier drawn = new SimpleRnnClassifier(backend, config)) {
            assertArrayEquals(
                    new double[(int) model.weights().flat().shape().size()],
                    model.weights().flat().toDoubles());
            backend.copy(drawn.weights().flat(), model.weights().flat());
            assertArrayEquals(drawn.predictProba(data.ids), model.predictProba(data.ids));
        }
    }

    @Test
    void badInputIsNamedAndChangesNothing() {
        Trainer trainer = ToyData.trainer().build();
        int[][] ids = {{1, 2}, {3}};
        try (SimpleRnnClassifier model = ToyData.model(backend)) {
            double[] before = model.weights().flat().toDoubles();
            refused("no rows", () -> model.fit(new int[0][], new int[0], trainer));
            refused("1 labels for 2 rows", () -> model.fit(ids, new int[1], trainer));
            refused("below K = 3, but row 1 has 3", () -> model.fit(ids, new int[] {0, 3}, trainer));
            refused("row 0 has -1", () -> model.fit(ids, new int[] {-1, 1}, trainer));
            refused("of class 2", () -> model.fit(ids, new int[] {2, 2}, trainer));
            refused("below V = 6, but row 1, step 0 has 6", () -> model.predict(new int[][] {{1}, {6}}));
            refused("takes token ids", () -> model.predict(new float[1][1][6]));
            for (double share : new double[] {0.1, 0.9}) {
                Trainer split = ToyData.trainer().validationSplit(share).build();
                refused("leaves one side empty", () -> model.fit(ids, new int[] {0, 1}, split));
            }
            assertArrayEquals(before, model.weights().flat().toDoubles());
        }
        ClassifierConfig features = ClassifierConfig.features(2, 2).build();
        try (SimpleRnnClassifier model = new SimpleRnnClassifier(backend, features)) {
            refused("takes features, D = 2", () -> model.predict(ids));
            refused("row 0, step 1 is null", () -> model.predict(new float[][][] {{{1, 2}, null}}));
            refused("row 0, step 1 has 3", () -> model.predict(new float[][][] {{{1, 2}, {1, 2, 3}}}));
            refused("feature 1 is Infinity", () -> model.predict(new float[][][] {{{1, Float.POSITIVE_INFINITY}}}));
        }
        refused("K = 1", () -> ClassifierConfig.tokens(3, 1).build());
        refused("vocabulary", () -> ClassifierConfig.tokens(0, 2).build());
        refused("2147483647", () -> ToyData.config().hiddenSize(50_000).build());
        refused("not SEQUENCE", () -> ToyData.config().output(Output.SEQUENCE).build());
        refused(
                "H = 0",
                () -> new SimpleRnnClassifier(
                        backend, ToyData.config().hiddenSize(0).build()));
        refused("dropout", () -> ToyData.config().dropout(1).build());
    }

    @Test
    void aSecondThreadIsRefused() throws Exception {
        CountDownLatch training = new CountDownLatch(1);
        CountDownLatch asked = new CountDownLatch(1);
        AtomicReference<Throwable> met = new AtomicReference<>();
        try (SimpleRnnClassifier model = ToyData.model(backend);
                LocalTraining local = new LocalTraining(model, ToyData.trainer().build(), 1)) {
            float[] state = local.state();
            Thread other = new Thread(() -> {
                try {
                    training.await();
                    stopped("save", () -> model.save(Path.of("never")));
                    stopped("close", model::close);
                    stopped("state", local::state);
                    stopped("restore", () -> local.restore(state, 0));
                    model.predict(data.ids);
                } catch (Throwable e) {
                    met.set(e);
                }
                asked.countDown();
            });
            other.start();
            Callback meanwhile = new Callback() {
                @Override
                public boolean onEpochEnd(EpochResult result) {
                    assertEquals(data.ids.length, model.predict(data.ids).length, "its own thread may");
                    training.countDown();
                    try {
                        asked.await();
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                    return false;
                }
            };
            model.fit(
                    data.ids, data.labels, ToyData.trainer().callback(meanwhile).build());
            other.join();
            assertTrue(met.get() instanceof IllegalStateException, "" + met.get());
            assertTrue(met.get().getMessage().startsWith("predictProba: another thread is using this model"));
            CompletableFuture<int[]> afterwards = CompletableFuture.supplyAsync(() -> model.predict(data.ids));
            assertEquals(data.ids.length, afterwards.get().length, "any thread may when none is in it");
        }
    }

    @Test
    void aModelIsNotClosedInItsOwnCallback() {
        try (SimpleRnnClassifier model = ToyData.model(backend)) {
            Runnable close = model::close;
            Callback closing = afterEpoch(result -> close.run());
            Trainer trainer = ToyData.trainer().callback(closing).build();
            IllegalStateException e =
                    assertThrows(IllegalStateException.class, () -> model.fit(data.ids, data.labels, trainer));
            assertTrue(e.getMessage().contains("returns false"), e.getMessage());
            assertEquals(data.ids.length, model.predict(data.ids).length, "nothing is lost");
        }
    }

    private static void stopped(String operation, Executable action) {
        IllegalStateException e = assertThrows(IllegalStateException.class, action);
        assertTrue(e.getMessage().startsWith(operation + ": another thread is using this model"), e.getMessage());
    }

    @Test
    void validatesOnRowsOfTheUsersChoice() {
        ToyData other = new ToyData(40, 5);
        TrainingData rows = TrainingData.of(SequenceInput.tokens(data.ids), data.labels);
        TrainingData held = TrainingData.of(SequenceInput.tokens(other.ids), other.labels);
        try (SimpleRnnClassifier model = ToyData.model(backend)) {
            Trainer trainer = ToyData.trainer().epochs(3).patience(3).build();
            refused("patience needs held-back data", () -> model.fit(rows, trainer, Team.alone(), Checkpoints.none()));
            Trainer split = ToyData.trainer().validationSplit(0.1).build();
            refused("validationSplit 0.1", () -> model.fit(rows, held, split, Team.alone(), Checkpoints.none()));
            History history = model.fit(rows, held, trainer, Team.alone(), Checkpoints.none());
            EpochResult best = history.epochs().get(history.bestEpoch() - 1);
            Evaluation evaluation = model.evaluate(other.ids, other.labels);
            assertEquals(evaluation.loss(), best.validationLoss(), 1e-12);
            assertEquals(evaluation.accuracy(), best.validationAccuracy(), 1e-12);
            int[] wrong = other.labels.clone();
            wrong[3] = 3;
            refused(
                    "fit, validation: labels must be at least 0 and below K = 3, but row 3",
                    () -> model.fit(
                            rows, TrainingData.of(held.input(), wrong), trainer, Team.alone(), Checkpoints.none()));
        }
    }

    @Test
    void whatIsNullIsNamed() {
        Trainer trainer = ToyData.trainer().build();
        SequenceInput input = SequenceInput.tokens(data.ids);
        try (SimpleRnnClassifier model = ToyData.model(backend)) {
            missing("ids", () -> model.predict((int[][]) null));
            missing("x", () -> model.predict((float[][][]) null));
            missing("input", () -> model.predict((SequenceInput) null));
            missing("input", () -> model.evaluate((SequenceInput) null, data.labels));
            missing("labels", () -> model.evaluate(input, null));
            missing("input", () -> model.fit((SequenceInput) null, data.labels, trainer));
            missing("labels", () -> model.fit(input, null, trainer));
            missing("trainer", () -> model.fit(input, data.labels, null));
        }
    }

    @Test
    void aModelThatSharesWeightsOnlyReadsThem() {
        ClassifierConfig config = ToyData.config().build();
        try (SimpleRnnClassifier owner = new SimpleRnnClassifier(backend, config)) {
            float[][] expected = owner.predictProba(fresh.ids);
            try (SimpleRnnClassifier shared =
                    SimpleRnnClassifier.sharing(backend, config, owner.weights().flat())) {
                assertTrue(Arrays.deepEquals(expected, shared.predictProba(fresh.ids)));
                IllegalStateException e = assertThrows(
                        IllegalStateException.class,
                        () -> shared.fit(
                                data.ids, data.labels, ToyData.trainer().build()));
                assertEquals("fit: this model shares weights that another owns. Train the owner.", e.getMessage());
            }
            assertTrue(Arrays.deepEquals(expected, owner.predictProba(fresh.ids)), "it is closed, the owner is not");
        }
    }

    /** The bias of class 0 is so large that every row is taken for it. */
    @Test
    void confusionIsByClassAndThenByAnswer() {
        try (SimpleRnnClassifier model = ToyData.model(backend)) {
            model.weights().get("dense.b").set(new float[] {1000, 0, 0});
            int[][] expected = {{1, 0, 0}, {2, 0, 0}, {0, 0, 0}};
            int[][] found = model.evaluate(new int[][] {{1}, {2}, {3}}, new int[] {1, 1, 0})
                    .confusion();
            assertArrayEquals(expected, found);
        }
    }

    @Test
    void anEvaluationCountsTheHitsOfAllItsBatches() {
        ToyData many = new ToyData(600, 3);
        try (SimpleRnnClassifier model = ToyData.model(backend)) {
            Evaluation found = model.evaluate(many.ids, many.labels);
            int hits = 0;
            for (int k = 0; k < ToyData.CLASSES; k++) hits += found.confusion()[k][k];
            assertEquals(hits / 600.0, found.accuracy(), 1e-9);
        }
    }

    @Test
    void theEmbeddingBeginsWithinAHalf() {
        try (SimpleRnnClassifier model = new SimpleRnnClassifier(
                backend, ToyData.config().embeddingSize(100).build())) {
            double[] table = model.weights().get("embedding.table").toDoubles();
            double largest = Arrays.stream(table).map(Math::abs).max().orElseThrow();
            assertTrue(largest <= .5 && largest > .49, "largest " + largest);
        }
    }

    @Test
    void useAfterCloseIsRefused(@TempDir Path folder) {
        SimpleRnnClassifier model = ToyData.model(backend);
        model.close();
        Trainer trainer = ToyData.trainer().build();
        closed("predictProba", () -> model.predict(fresh.ids));
        closed("evaluate", () -> model.evaluate(fresh.ids, fresh.labels));
        closed("fit", () -> model.fit(fresh.ids, fresh.labels, trainer));
        closed("save", () -> model.save(folder.resolve("model.safetensors")));
        try (IntTensor ids = backend.allocateInts(Shape.of(1, 1));
                Tensor probabilities = backend.allocate(Shape.of(1, 3))) {
            closed("predictProba", () -> model.predictProba(ids, null, probabilities));
        }
    }

    private static void closed(String operation, Executable action) {
        IllegalStateException e = assertThrows(IllegalStateException.class, action);
        assertEquals(operation + ": this model is closed. Create or load another.", e.getMessage());
    }

    @Test
    void aBatchOfEmptyFeatureRowsIsLegal() {
        ClassifierConfig config = ClassifierConfig.features(2, 2).hiddenSize(3).build();
        try (SimpleRnnClassifier model = new SimpleRnnClassifier(backend, config)) {
            float[][] alone = model.predictProba(new float[1][0][]);
            float[][] together = model.predictProba(new float[][][] {{}, {{1, 2}}});
            assertArrayEquals(together[0], alone[0]);
        }
    }
}
