package dev.elman.train;

import static dev.elman.train.Callbacks.afterBatch;
import static dev.elman.train.Callbacks.afterEpoch;
import static dev.elman.train.Refusals.stopped;
import static dev.elman.train.ToyTraining.ROWS;
import static dev.elman.train.ToyTraining.config;
import static dev.elman.train.ToyTraining.data;
import static dev.elman.train.ToyTraining.fit;
import static dev.elman.train.ToyTraining.trainer;
import static dev.elman.train.ToyTraining.withoutTimes;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.Backends;
import dev.elman.backend.Backend;
import dev.elman.contract.ChildJvm;
import dev.elman.io.ModelFileException;
import dev.elman.io.NdArray;
import dev.elman.io.SafeTensors;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A training goes on from its checkpoint as if it had never stopped; one that cannot be written or read is refused. */
class CheckpointTest {
    @ParameterizedTest
    @CsvSource({"false, false", "true, false", "false, true"})
    void aTrainingGoesOnFromACheckpointAsIfItHadNeverStopped(boolean patience, boolean momentum, @TempDir Path folder)
            throws Exception {
        Trainer.Builder settings = trainer().epochs(6).schedule(LearningRateSchedule.cosine());
        if (patience) settings.validationSplit(0.2).patience(2);
        if (momentum) settings.optimizer(Optimizer.sgd(0.1).withMomentum(0.9));
        double[] uninterrupted = fit(data(), settings.build());
        Path file = folder.resolve("training.safetensors");
        Trainer stopping = settings.callback(afterEpoch(result -> {
                    if (result.epoch() == 3) throw new IllegalStateException("pulled the plug");
                }))
                .build();
        stopped("pulled the plug", () -> fit(data(), stopping, Team.alone(), Checkpoints.in(file)));
        assertEquals(3, Checkpoint.read(file).epoch());
        // Its callback throws after epoch 3, which is over.
        double[] resumed = fit(data(), stopping, Team.alone(), Checkpoints.in(file));
        assertArrayEquals(uninterrupted, resumed);
    }

    /** It would take memory beside each that is made, which a training that was never stopped does without. */
    @Test
    void theCheckpointThatATrainingGoesOnFromIsNotKept(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("training.safetensors");
        fit(data(), trainer().epochs(1).build(), Team.alone(), Checkpoints.in(file));
        List<WeakReference<Checkpoint>> read = new ArrayList<>();
        List<Checkpoint> kept = new ArrayList<>();
        Checkpoints goingOn = new Checkpoints() {
            @Override
            public Checkpoint latest() {
                Checkpoint checkpoint = Checkpoints.in(file).latest();
                read.add(new WeakReference<>(checkpoint));
                return checkpoint;
            }

            @Override
            public void save(Checkpoint checkpoint) {
                System.gc();
                kept.add(read.get(0).get());
            }
        };
        fit(data(), trainer().epochs(2).build(), Team.alone(), goingOn);
        assertEquals(Collections.singletonList(null), kept);
    }

    /** The loss of epoch 4 lies between that of the best and that of the third, after which the training goes on. */
    @Test
    void aTrainingThatGoesOnKnowsItsEpochsAndTheBestOfThem(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("training.safetensors");
        Trainer.Builder settings = trainer()
                .batchSize(81)
                .validationSplit(0.2)
                .patience(9)
                .schedule((step, total) -> step == 2 ? 100 : step == 3 ? 3 : 1);
        History begun = history(settings.epochs(3).build(), Checkpoints.in(file));
        History resumed = history(settings.epochs(4).build(), Checkpoints.in(file));
        History whole = history(settings.build(), Checkpoints.none());
        double[] losses =
                whole.epochs().stream().mapToDouble(EpochResult::validationLoss).toArray();
        assertTrue(losses[1] < losses[3] && losses[3] < losses[2], Arrays.toString(losses));
        assertEquals(2, whole.bestEpoch());
        assertEquals(2, resumed.bestEpoch());
        assertEquals(begun.epochs(), resumed.epochs().subList(0, 3), "and what they took");
        assertEquals(withoutTimes(whole), withoutTimes(resumed));
        double[] best = fit(data(), settings.build(), Team.alone(), Checkpoints.in(file));
        assertArrayEquals(fit(data(), settings.build()), best);
    }

    /** Kept in memory, while the training that made it goes on. */
    @Test
    void aCheckpointStaysWhatItWas() {
        List<Checkpoint> kept = new ArrayList<>();
        Checkpoints first = new Checkpoints() {
            @Override
            public Checkpoint latest() {
                return kept.isEmpty() ? null : kept.get(0);
            }

            @Override
            public void save(Checkpoint checkpoint) {
                kept.add(checkpoint);
            }
        };
        double[] whole = fit(data(), trainer().build(), Team.alone(), first);
        assertEquals(3, kept.size());
        assertArrayEquals(whole, fit(data(), trainer().build(), Team.alone(), first));
    }

    @Test
    void aTrainingThatPatienceHasEndedDoesNotGoOn(@TempDir Path folder) {
        Path file = folder.resolve("training.safetensors");
        Trainer trainer = trainer()
                .epochs(9)
                .batchSize(81)
                .validationSplit(0.2)
                .patience(1)
                .schedule((step, total) -> step < 2 ? 1 : 100)
                .build();
        History ended = history(trainer, Checkpoints.in(file));
        assertEquals(3, ended.epochs().size());
        assertEquals(withoutTimes(ended), withoutTimes(history(trainer, Checkpoints.in(file))));
    }

    /** The last step ruined the weights, which only the loss after it tells. */
    @Test
    void aTrainingThatGoesOnFromRuinedWeightsSaysTheSame(@TempDir Path folder) {
        Trainer trainer = trainer()
                .epochs(2)
                .batchSize(ROWS)
                .schedule((step, total) -> step == 1 ? Double.POSITIVE_INFINITY : 1)
                .build();
        Checkpoints here = Checkpoints.in(folder.resolve("training.safetensors"));
        List<String> said = new ArrayList<>();
        for (int run = 0; run < 2; run++) {
            TrainingDivergedException e =
                    assertThrows(TrainingDivergedException.class, () -> fit(data(), trainer, Team.alone(), here));
            assertEquals(1, e.lastGoodEpoch());
            said.add(e.getMessage());
        }
        assertEquals(said.get(0), said.get(1));
    }

    private static History history(Trainer trainer, Checkpoints checkpoints) {
        try (Backend backend = Backends.openCpu(1);
                SimpleRnnClassifier model = new SimpleRnnClassifier(backend, config().build())) {
            return model.fit(data(), trainer, Team.alone(), checkpoints);
        }
    }

    /** 1.2 million weights, those the epoch began with and two moments, as doubles, have room, but not to be made. */
    @Test
    void aCheckpointLargerThanTheHeapIsRefusedBeforeTheFirstBatch(@TempDir Path folder) throws Exception {
        String file = folder.resolve("training.safetensors").toString();
        String said = ChildJvm.withHeap(44).run(LargeTraining.class, file);
        assertTrue(said.contains("A checkpoint of this training takes 52"), said);
        assertTrue(said.contains("bytes of the heap, which has 46137344. Start java with a larger -Xmx"), said);
        assertTrue(!said.contains("a batch was learnt"), said);
    }

    /** Says why it did not begin. */
    static final class LargeTraining {
        private LargeTraining() {}

        @SuppressWarnings("SystemOut") // which the test reads
        public static void main(String[] args) {
            ClassifierConfig large = ClassifierConfig.tokens(300_000, ToyData.CLASSES)
                    .embeddingSize(4)
                    .hiddenSize(4)
                    .build();
            Callback trained = afterBatch(progress -> System.out.println("a batch was learnt"));
            try (Backend backend = Backends.openCpu(1);
                    SimpleRnnClassifier model = new SimpleRnnClassifier(backend, large)) {
                Checkpoints here = Checkpoints.in(Path.of(args[0]));
                model.fit(data(), trainer().callback(trained).build(), Team.alone(), here);
            } catch (IllegalArgumentException e) {
                System.out.println(e.getMessage());
            }
        }
    }

    /** Not after an epoch, which would be lost. */
    @Test
    void aCheckpointWhereNoneCanBeIsRefusedBeforeTheFirstBatch(@TempDir Path folder) {
        Callback trained = afterBatch(progress -> {
            throw new AssertionError("a batch was learnt");
        });
        Map<Path, String> refused = Map.of(
                folder.resolve("missing").resolve("training.safetensors"),
                "missing: the folder of the checkpoint is not there",
                folder,
                folder + ": path: expected a file, found something else");
        refused.forEach((path, said) -> {
            UncheckedIOException e = assertThrows(
                    UncheckedIOException.class,
                    () -> fit(data(), trainer().callback(trained).build(), Team.alone(), Checkpoints.in(path)));
            assertTrue(e.getMessage().contains(said), e.getMessage());
        });
    }

    @Test
    void aDamagedCheckpointIsRefusedAndStays(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("training.safetensors");
        fit(data(), trainer().epochs(1).build(), Team.alone(), Checkpoints.in(file));
        byte[] bytes = Files.readAllBytes(file);
        byte[] cut = Arrays.copyOf(bytes, bytes.length - 1);
        Files.write(file, cut);
        assertThrows(
                UncheckedIOException.class, () -> fit(data(), trainer().build(), Team.alone(), Checkpoints.in(file)));
        assertArrayEquals(cut, Files.readAllBytes(file));
    }

    @Test
    void whatIsNoCheckpointIsNamed(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("training.safetensors");
        fit(data(), trainer().epochs(2).build(), Team.alone(), Checkpoints.in(file));
        SafeTensors good = SafeTensors.read(file);
        Map<String, String> model = new LinkedHashMap<>(good.metadata());
        model.put("elman.kind", SimpleRnnClassifier.KIND);
        new SafeTensors(good.tensors(), model).write(file);
        wrong("expected checkpoint, found sequence-classifier", file);
        new SafeTensors(good.tensors(), Map.of()).write(file);
        wrong("expected checkpoint, found null", file);
        NdArray counters = good.tensors().get("counters");
        NdArray results = good.tensors().get("results");
        wrong("counters: expected F64, found F32", file, good, NdArray.ofFloats(new float[6], 6), results);
        String sizes = "expected counters and results, found none of their size";
        wrong(sizes, file, good, NdArray.ofDoubles(new double[6], 6), NdArray.ofDoubles(new double[0], 0, 8));
        wrong(sizes, file, good, NdArray.ofDoubles(Arrays.copyOf(counters.doubles(), 5), 5), results);
        wrong(sizes, file, good, NdArray.ofDoubles(Arrays.copyOf(counters.doubles(), 7), 7), results);
        wrong(sizes, file, good, counters, NdArray.ofDoubles(new double[8], 1, 8));
        wrong(sizes, file, good, counters, NdArray.ofDoubles(new double[24], 3, 8));
        wrong(sizes, file, good, null, results);
        wrong(sizes, file, good, counters, null);
    }

    private static void wrong(String part, Path file, SafeTensors good, NdArray counters, NdArray results)
            throws IOException {
        Map<String, NdArray> tensors = new LinkedHashMap<>(good.tensors());
        tensors.put("counters", counters);
        tensors.put("results", results);
        tensors.values().removeIf(Objects::isNull);
        new SafeTensors(tensors, good.metadata()).write(file);
        wrong(part, file);
    }

    private static void wrong(String part, Path file) {
        ModelFileException e = assertThrows(ModelFileException.class, () -> Checkpoint.read(file));
        assertTrue(e.getMessage().contains(part), e.getMessage());
    }
}
