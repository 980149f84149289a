package dev.elman.train;

import static dev.elman.train.Callbacks.afterBatch;
import static dev.elman.train.Callbacks.afterEpoch;
import static dev.elman.train.Refusals.refused;
import static dev.elman.train.Refusals.stopped;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.Backends;
import dev.elman.backend.Activation;
import dev.elman.backend.Backend;
import dev.elman.backend.Constraint;
import dev.elman.contract.ChildJvm;
import dev.elman.io.ModelFileException;
import dev.elman.io.NdArray;
import dev.elman.io.SafeTensors;
import dev.elman.reference.ReferenceBackend;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Several workers, checkpoints, weights of rows: all must give what one plain fit gives. */
class TeamTest {
    private static final int ROWS = 101; // the short batch has fewer rows than there are workers
    private static final ToyData DATA = new ToyData(ROWS, 1);

    private static Trainer.Builder trainer() {
        return ToyData.trainer().epochs(3).batchSize(14).clipValue(0.5);
    }

    private static ClassifierConfig.Builder config() {
        return ToyData.config().inputDropout(0.2).dropout(0.3).bidirectional(true);
    }

    private static TrainingData data() {
        return TrainingData.of(SequenceInput.tokens(DATA.ids), DATA.labels);
    }

    /** The weights after a fit on a backend of its own. */
    private static double[] fit(TrainingData data, Trainer trainer, Team team, Checkpoints checkpoints) {
        try (Backend backend = Backends.openCpu(1);
                SimpleRnnClassifier model = new SimpleRnnClassifier(backend, config().build())) {
            model.fit(data, trainer, team, checkpoints);
            return model.weights().flat().toDoubles();
        }
    }

    private static double[] fit(TrainingData data, Trainer trainer) {
        return fit(data, trainer, Team.alone(), Checkpoints.none());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7})
    void aTeamGivesWhatOneWorkerGives(int size) throws Exception {
        Trainer trainer = trainer().build();
        double[] alone = fit(data(), trainer);
        for (double[] weights : ThreadTeam.run(size, team -> fit(data(), trainer, team, Checkpoints.none()))) {
            assertArrayEquals(alone, weights, size == 1 ? 0 : 1e-5);
        }
    }

    @Test
    void allWorkersHaveTheSameBitsAndTheSameHistory() throws Exception {
        Trainer trainer = trainer().build();
        List<History> histories = ThreadTeam.run(3, team -> {
            try (Backend backend = Backends.openCpu(1);
                    SimpleRnnClassifier model = new SimpleRnnClassifier(backend, config().build())) {
                return model.fit(data(), trainer, team, Checkpoints.none());
            }
        });
        for (History history : histories) assertEquals(withoutTimes(histories.get(0)), withoutTimes(history));
        List<double[]> weights = ThreadTeam.run(3, team -> fit(data(), trainer, team, Checkpoints.none()));
        assertArrayEquals(weights.get(0), weights.get(2));
    }

    /** Counted from 1, the last one's shares would lie behind its batches. */
    @Test
    void ranksAreCountedFromZero() {
        for (int[] team : new int[][] {{2, 2}, {2, -1}, {0, 0}}) {
            Team wrong = worker(team[0], team[1]);
            refused(
                    "ranks from 0 to size - 1, but its size is " + team[0] + " and this worker's rank " + team[1],
                    () -> fit(data(), trainer().build(), wrong, Checkpoints.none()));
        }
    }

    /** A worker whose others add nothing. */
    private static Team worker(int size, int rank) {
        return new Team() {
            @Override
            public int size() {
                return size;
            }

            @Override
            public int rank() {
                return rank;
            }

            @Override
            public void sum(float[] values) {}
        };
    }

    /** The others would wait for it; that of this team adds nothing. */
    @Test
    void anInterruptEndsNoWorkerOfATeamAlone() {
        Callback interrupting = afterBatch(progress -> Thread.currentThread().interrupt());
        try (Backend backend = new ReferenceBackend();
                SimpleRnnClassifier model = ToyData.model(backend)) {
            Trainer trainer = trainer().callback(interrupting).build();
            assertEquals(
                    3,
                    model.fit(rows(Batches.range(20)), trainer, worker(2, 0), Checkpoints.none())
                            .epochs()
                            .size());
        } finally {
            assertTrue(Thread.interrupted());
        }
    }

    /** Else the others would wait for sums that nobody adds to. */
    @Test
    void aCallbackOfOneWorkerEndsTheTrainingOfAll() throws Exception {
        double[] alone = fit(data(), trainer().epochs(2).build());
        List<double[]> weights = assertTimeoutPreemptively(
                Duration.ofMinutes(1),
                () -> ThreadTeam.run(3, team -> {
                    Callback ending = new Callback() {
                        @Override
                        public boolean onEpochEnd(EpochResult result) {
                            assertTrue(result.epoch() <= 2, "another epoch");
                            return team.rank() != 1 || result.epoch() < 2;
                        }
                    };
                    return fit(data(), trainer().callback(ending).build(), team, Checkpoints.none());
                }));
        for (double[] each : weights) assertArrayEquals(alone, each, 1e-5);
    }

    /** Of one row, one of two workers has none, and so no loss of its own to show it. */
    @Test
    void allWorkersLearnThatTheLastStepRuinedTheWeights() throws Exception {
        Trainer trainer = trainer()
                .epochs(1)
                .batchSize(1)
                .schedule((step, total) -> step == total - 1 ? Double.POSITIVE_INFINITY : 1)
                .build();
        ThreadTeam.run(
                2,
                team -> assertThrows(
                        TrainingDivergedException.class,
                        () -> fit(rows(Batches.range(4)), trainer, team, Checkpoints.none())));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void aWorkerNeedsOnlyTheRowsOfItsShares(int size) throws Exception {
        Trainer trainer = trainer().build();
        int[] lengths = Arrays.stream(DATA.ids).mapToInt(row -> row.length).toArray();
        double[] alone = fit(data(), trainer);
        List<double[]> weights = ThreadTeam.run(size, team -> {
            int[][] here = new int[ROWS][];
            TrainingData data = TrainingData.of(SequenceInput.tokens(here, lengths), DATA.labels);
            return fit(data, trainer, new BringingTeam(team, here), Checkpoints.none());
        });
        assertArrayEquals(alone, weights.get(size - 1), 1e-5);
        stopped(
                "Row ",
                () -> fit(TrainingData.of(SequenceInput.tokens(new int[ROWS][], lengths), DATA.labels), trainer));
    }

    /** Else it would be an id of other weights, or of memory that is nobody's. */
    @Test
    void aRowThatComesIsChecked() {
        int[] lengths = Arrays.stream(DATA.ids).mapToInt(row -> row.length).toArray();
        int[][] here = new int[ROWS][];
        TrainingData data = TrainingData.of(SequenceInput.tokens(here, lengths), DATA.labels);
        Team bringing = new BringingTeam(Team.alone(), here) {
            @Override
            public void startEpoch(int epoch, List<int[]> batches) {
                super.startEpoch(epoch, batches);
                here[7] = new int[lengths[7]];
                Arrays.fill(here[7], ToyData.VOCABULARY);
            }
        };
        Exception e = assertThrows(
                IllegalArgumentException.class, () -> fit(data, trainer().build(), bringing, Checkpoints.none()));
        assertTrue(e.getMessage().contains("row 7, step 0 has " + ToyData.VOCABULARY), e.getMessage());
    }

    /** Whether rows are here when it begins is no part of a training: they may be left from the last one. */
    @Test
    void rowsThatComeAreNoPartOfACheckpoint(@TempDir Path folder) throws Exception {
        int[] lengths = Arrays.stream(DATA.ids).mapToInt(row -> row.length).toArray();
        int[][] here = new int[ROWS][];
        TrainingData coming = TrainingData.of(SequenceInput.tokens(here, lengths), DATA.labels);
        Team bringing = new BringingTeam(Team.alone(), here);
        Path file = folder.resolve("training.safetensors");
        fit(coming, trainer().epochs(1).build(), bringing, Checkpoints.in(file));
        fit(coming, trainer().epochs(2).build(), bringing, Checkpoints.in(file));
        fit(data(), trainer().epochs(3).build(), Team.alone(), Checkpoints.in(file));
        double[] on = fit(coming, trainer().epochs(4).build(), bringing, Checkpoints.in(file));
        assertArrayEquals(fit(data(), trainer().epochs(4).build()), on);
    }

    /** A longer row would overwrite the labels of its batch, a shorter one would be read on as zeros. */
    @ParameterizedTest
    @ValueSource(ints = {-1, 1})
    void aRowThatComesHasTheLengthThatWasSaid(int more) {
        int[] lengths = Arrays.stream(DATA.ids).mapToInt(row -> row.length).toArray();
        int[][] here = DATA.ids.clone();
        TrainingData tokens = TrainingData.of(SequenceInput.tokens(here, lengths), DATA.labels);
        here[5] = Arrays.copyOf(here[5], here[5].length + more);
        stopped("Row 5 came with " + here[5].length, () -> fit(tokens, trainer().build()));
        float[][][] x = DATA.features();
        SequenceInput features = SequenceInput.features(x, lengths);
        x[5] = Arrays.copyOf(x[5], x[5].length + more);
        if (more > 0) x[5][x[5].length - 1] = new float[ToyData.VOCABULARY];
        ClassifierConfig config =
                ClassifierConfig.features(ToyData.VOCABULARY, ToyData.CLASSES).build();
        try (Backend backend = new ReferenceBackend();
                SimpleRnnClassifier model = new SimpleRnnClassifier(backend, config)) {
            stopped("Row 5 came with " + x[5].length, () -> model.predict(features));
        }
    }

    /** Brings the rows of its own shares before each epoch and takes all others away. */
    private static class BringingTeam implements Team {
        private final Team team;
        private final int[][] here;

        BringingTeam(Team team, int[][] here) {
            this.team = team;
            this.here = here;
        }

        @Override
        public int size() {
            return team.size();
        }

        @Override
        public int rank() {
            return team.rank();
        }

        @Override
        public void sum(float[] values) {
            team.sum(values);
        }

        @Override
        public void startEpoch(int epoch, List<int[]> batches) {
            Arrays.fill(here, null);
            for (int[] batch : batches) {
                int end = Team.shareStart(batch.length, rank() + 1, size());
                for (int i = Team.shareStart(batch.length, rank(), size()); i < end; i++) {
                    here[batch[i]] = DATA.ids[batch[i]];
                }
            }
        }
    }

    @Test
    void aTeamHoldsNothingBack() {
        Trainer trainer = trainer().validationSplit(0.2).build();
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class,
                () -> ThreadTeam.run(2, team -> fit(data(), trainer, team, Checkpoints.none())));
        assertTrue(e.getMessage().contains("validationSplit"), e.getMessage());
        try (Backend backend = new ReferenceBackend();
                SimpleRnnClassifier model = new SimpleRnnClassifier(backend, config().build())) {
            refused(
                    "A team holds no rows back",
                    () -> model.fit(data(), data(), trainer().build(), worker(2, 0), Checkpoints.none()));
        }
    }

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
    void theFirstWorkerAloneKeepsCheckpoints() throws Exception {
        int[] kept = new int[2];
        ThreadTeam.run(
                2,
                team -> fit(data(), trainer().epochs(3).build(), team, new Checkpoints() {
                    @Override
                    public Checkpoint latest() {
                        return null;
                    }

                    @Override
                    public void save(Checkpoint checkpoint) {
                        kept[team.rank()]++;
                    }
                }));
        assertArrayEquals(new int[] {3, 0}, kept);
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

    private static List<EpochResult> withoutTimes(History history) {
        return history.epochs().stream()
                .map(result -> new EpochResult(
                        result.epoch(),
                        result.loss(),
                        result.accuracy(),
                        result.validationLoss(),
                        result.validationAccuracy(),
                        result.gradientNorm(),
                        result.learningRate(),
                        0))
                .toList();
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

    /** Though all that it says of itself is this training's. */
    @Test
    void aCheckpointOfOtherTensorsIsRefused(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("training.safetensors");
        fit(data(), trainer().epochs(1).build(), Team.alone(), Checkpoints.in(file));
        SafeTensors good = SafeTensors.read(file);
        int size = good.tensors().get("weights").doubles().length;
        otherTensor("lastGood", null, "it has [weights, ", file, good);
        otherTensor("more", new double[1], "it has [weights, ", file, good);
        String numbers = " numbers, but this model has " + size + ". Remove the file";
        otherTensor("weights", new double[size - 1], "weights has " + (size - 1) + numbers, file, good);
        otherTensor("moment.1", new double[size + 1], "moment.1 has " + (size + 1) + numbers, file, good);
    }

    private static void otherTensor(String name, double[] values, String part, Path file, SafeTensors good)
            throws IOException {
        Map<String, NdArray> tensors = new LinkedHashMap<>(good.tensors());
        tensors.put(name, values == null ? null : NdArray.ofDoubles(values, values.length));
        tensors.values().removeIf(Objects::isNull);
        new SafeTensors(tensors, good.metadata()).write(file);
        refused(
                file + " is of another training: " + part,
                () -> fit(data(), trainer().epochs(1).build(), Team.alone(), Checkpoints.in(file)));
    }

    @Test
    void aCheckpointOfAnotherTrainingIsRefusedByWhatDiffers(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("training.safetensors");
        fit(data(), trainer().epochs(2).build(), Team.alone(), Checkpoints.in(file));
        another("optimizer was Adam[", data(), trainer().optimizer(Optimizer.sgd(0.1)), file);
        another("batchSize was 14, but is 15", data(), trainer().batchSize(15), file);
        another("clipNorm was 5.0, but is 1.0", data(), trainer().clipNorm(1), file);
        another("clipValue was 0.5, but is 2.0", data(), trainer().clipValue(2), file);
        another("validationSplit was 0.0, but is 0.1", data(), trainer().validationSplit(0.1), file);
        another("seed was 3, but is 4", data(), trainer().seed(4), file);
        another(
                "regularizers was {}, but is {KERNEL=Regularizer[l1=0.0, l2=0.1]}",
                data(),
                trainer().regularizer(WeightKind.KERNEL, Regularizer.l2(0.1)),
                file);
        another(
                "constraints was {}, but is {KERNEL=",
                data(),
                trainer().constraint(WeightKind.KERNEL, Constraint.nonNegative()),
                file);
        another(
                "it is of the end of epoch 2, but this training has 1 epochs",
                data(),
                trainer().epochs(1),
                file);
        another(
                "its learning rates are for 2 epochs in all, and not for 3",
                data(),
                trainer().schedule(LearningRateSchedule.cosine()),
                file);
        int[] labels = DATA.labels.clone();
        labels[0] = (labels[0] + 1) % ToyData.CLASSES;
        another(
                "the labels are not those of then",
                TrainingData.of(SequenceInput.tokens(DATA.ids), labels),
                trainer(),
                file);
        int[][] ids = DATA.ids.clone();
        ids[0] = new int[9];
        another("the lengths are not those", TrainingData.of(SequenceInput.tokens(ids), DATA.labels), trainer(), file);
        ids[0] = new int[DATA.ids[0].length];
        another("the rows are not those", TrainingData.of(SequenceInput.tokens(ids), DATA.labels), trainer(), file);
        TrainingData exchanged = TrainingData.of(SequenceInput.tokens(exchanged()), DATA.labels);
        another("the rows are not those", exchanged, trainer(), file);
        float[] weights = new float[ROWS];
        weights[0] = 2;
        another("the weights are not those of then", weighted(weights), trainer(), file);
        another("number of rows was 101, but is 100", rows(Batches.range(100)), trainer(), file);
        try (Backend backend = Backends.openCpu(1);
                SimpleRnnClassifier model =
                        new SimpleRnnClassifier(backend, config().dropout(0.4).build())) {
            refused(
                    "is of another training: model dropout was 0.3, but is 0.4. Remove the file",
                    () -> model.fit(data(), trainer().build(), Team.alone(), Checkpoints.in(file)));
        }
    }

    @Test
    void aCheckpointWithOtherRowsToValidateOnIsRefused(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("training.safetensors");
        validated(rows(Batches.range(20)), file);
        refused(
                "another training: number of rows to validate on was 20, but is 21",
                () -> validated(rows(Batches.range(21)), file));
        another("number of rows to validate on was 20, but is null", data(), trainer(), file);
    }

    private static void validated(TrainingData validation, Path file) {
        try (Backend backend = Backends.openCpu(1);
                SimpleRnnClassifier model = new SimpleRnnClassifier(backend, config().build())) {
            model.fit(data(), validation, trainer().epochs(1).build(), Team.alone(), Checkpoints.in(file));
        }
    }

    @Test
    void aCheckpointOfOtherFeaturesIsRefused(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("training.safetensors");
        float[][][] x = DATA.features();
        ofFeatures(x, file);
        x[3][1][0] = 0.5f;
        refused("another training: the rows are not those", () -> ofFeatures(x, file));
    }

    private static void ofFeatures(float[][][] x, Path file) {
        ClassifierConfig config =
                ClassifierConfig.features(ToyData.VOCABULARY, ToyData.CLASSES).build();
        TrainingData data = TrainingData.of(SequenceInput.features(x), DATA.labels);
        try (Backend backend = Backends.openCpu(1);
                SimpleRnnClassifier model = new SimpleRnnClassifier(backend, config)) {
            model.fit(data, trainer().epochs(1).build(), Team.alone(), Checkpoints.in(file));
        }
    }

    /** The end of one row and the last but one of the next have changed places, which Arrays.deepHashCode does not see. */
    private static int[][] exchanged() {
        int[][] ids = Arrays.stream(DATA.ids).map(int[]::clone).toArray(int[][]::new);
        for (int n = 0; ; n++) {
            int end = ids[n].length - 1;
            int lastButOne = ids[n + 1].length - 2;
            int id = ids[n][end];
            if (id == ids[n + 1][lastButOne]) continue;
            ids[n][end] = ids[n + 1][lastButOne];
            ids[n + 1][lastButOne] = id;
            return ids;
        }
    }

    private static void another(String part, TrainingData data, Trainer.Builder trainer, Path file) {
        refused(
                "is of another training: " + part,
                () -> fit(data, trainer.build(), Team.alone(), Checkpoints.in(file)));
    }

    /** A schedule that may fall later is another one, though it has not fallen yet. */
    @Test
    void moreEpochsMayFollowWhereTheRatesStayTheSame(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("training.safetensors");
        fit(data(), trainer().epochs(2).build(), Team.alone(), Checkpoints.in(file));
        LearningRateSchedule falling = LearningRateSchedule.stepDecay(0.5, 0.5);
        double[] on = fit(data(), trainer().epochs(4).build(), Team.alone(), Checkpoints.in(file));
        assertArrayEquals(fit(data(), trainer().epochs(4).build()), on);
        another(
                "the learning rate at the begin of epoch 3 of 4",
                data(),
                trainer().epochs(4).schedule(falling),
                file);
    }

    /** One that is over within the first epoch, but after another number of steps. */
    @Test
    void aWarmUpOfOtherStepsIsAnotherTraining(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("training.safetensors");
        Trainer.Builder warmed =
                trainer().schedule(LearningRateSchedule.constant().withWarmup(0.2));
        fit(data(), warmed.epochs(2).build(), Team.alone(), Checkpoints.in(file));
        another("its learning rates are for 2 epochs in all, and not for 4", data(), warmed.epochs(4), file);
    }

    @Test
    void aCheckpointThatDoesNotSayOfWhichTrainingIsRefused(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("training.safetensors");
        fit(data(), trainer().epochs(1).build(), Team.alone(), Checkpoints.in(file));
        SafeTensors written = SafeTensors.read(file);
        Map<String, NdArray> tensors = new LinkedHashMap<>(written.tensors());
        tensors.remove("rates");
        new SafeTensors(tensors, Map.of("elman.kind", "checkpoint")).write(file);
        another("it does not say of which", data(), trainer(), file);
    }

    @Test
    void aRowCountsAsManyTimesAsItsWeightSays() {
        int[] twice = {3, 3, 4, 5, 6, 6};
        int[] once = {3, 4, 7, 5, 6};
        float[] weights = {2, 1, 0, 1, 2};
        Trainer trainer = trainer().batchSize(ROWS).build();
        double[][] results = new double[2][];
        for (int run = 0; run < 2; run++) {
            int[] rows = run == 0 ? twice : once;
            TrainingData data = new TrainingData(
                    SequenceInput.tokens(
                            Arrays.stream(rows).mapToObj(row -> DATA.ids[row]).toArray(int[][]::new)),
                    Arrays.stream(rows).map(row -> DATA.labels[row]).toArray(),
                    run == 0 ? null : weights);
            try (Backend backend = new ReferenceBackend();
                    SimpleRnnClassifier model = ToyData.model(backend)) {
                model.fit(data, trainer, Team.alone(), Checkpoints.none());
                results[run] = model.weights().flat().toDoubles();
            }
        }
        assertArrayEquals(results[0], results[1], 1e-6); // weight / total is rounded to float nowhere else
    }

    /** The rows that are held back do not depend on their weights, so a first run without weights gives their numbers. */
    @Test
    void eachRowHasOneLabelAndOneWeight() {
        SequenceInput two = SequenceInput.tokens(new int[][] {{1}, {2}});
        for (int count : new int[] {1, 3}) {
            String rows = ", but there are " + count;
            refused("one label a row" + rows, () -> TrainingData.of(two, new int[count]));
            refused("one weight a row" + rows, () -> new TrainingData(two, new int[2], new float[count]));
        }
        for (float weight : new float[] {-1e-9f, Float.POSITIVE_INFINITY, Float.NaN}) {
            refused("row 1 has " + weight, () -> new TrainingData(two, new int[2], new float[] {1, weight}));
        }
    }

    /** With a rate of 0 the weights stay. */
    @Test
    void aWeightedEpochTellsTheMeansOfAllItsBatches() {
        Trainer still = trainer().epochs(1).schedule((step, total) -> 0).build();
        float[] weights = new float[ROWS];
        for (int n = 0; n < ROWS; n++) weights[n] = n % 3;
        try (Backend backend = new ReferenceBackend();
                SimpleRnnClassifier model = ToyData.model(backend)) {
            EpochResult epoch = model.fit(weighted(weights), still, Team.alone(), Checkpoints.none())
                    .last();
            Metrics all = model.measure(weighted(weights), Batches.range(ROWS));
            assertEquals(all.loss(), epoch.loss(), 1e-6);
            assertEquals(all.accuracy(), epoch.accuracy(), 1e-6);
        }
    }

    /** Though its states overflow and its loss is no number. */
    @Test
    void aRowWithoutWeightIsNoPartOfAMean() {
        try (Backend backend = new ReferenceBackend();
                SimpleRnnClassifier model = new SimpleRnnClassifier(
                        backend, ToyData.config().activation(Activation.LINEAR).build())) {
            backend.fill(model.weights().get("rnn.forward.wh"), 1e200);
            SequenceInput both = SequenceInput.tokens(new int[][] {{1}, {1, 1, 1, 1}});
            double alone = model.evaluate(new int[][] {{1}}, new int[1]).loss();
            assertEquals(Double.NaN, model.evaluate(both, new int[2]).loss());
            TrainingData first = new TrainingData(both, new int[2], new float[] {1, 0});
            assertEquals(alone, model.measure(first, Batches.range(2)).loss(), 1e-6);
        }
    }

    @Test
    void weightsCountInValidation() {
        Trainer trainer = trainer().epochs(1).validationSplit(0.2).build();
        int[] order = Batches.range(ROWS);
        Batches.shuffle(order, Seeds.random(trainer.seed()));
        int[] held = Arrays.copyOf(order, 20);
        float[] weights = new float[ROWS];
        for (int n = 0; n < ROWS; n++) weights[n] = 1 + n % 3;
        double loss = 0;
        double hits = 0;
        double total = 0;
        try (Backend backend = new ReferenceBackend();
                SimpleRnnClassifier model = ToyData.model(backend)) {
            EpochResult result = model.fit(weighted(weights), trainer, Team.alone(), Checkpoints.none())
                    .last();
            float[][] probabilities = model.predictProba(DATA.ids);
            int[] predicted = model.predict(DATA.ids);
            for (int n : held) {
                loss -= weights[n] * Math.log(probabilities[n][DATA.labels[n]]);
                hits += predicted[n] == DATA.labels[n] ? weights[n] : 0;
                total += weights[n];
            }
            assertEquals(loss / total, result.validationLoss(), 1e-6);
            assertEquals(hits / total, result.validationAccuracy(), 1e-6);
        }
        float[] heldOnly = new float[ROWS];
        for (int n : held) heldOnly[n] = 1;
        refused("all 81 rows to train on have weight 0", () -> fit(weighted(heldOnly), trainer));
        float[] trainingOnly = new float[ROWS];
        for (int n = 0; n < ROWS; n++) trainingOnly[n] = 1 - heldOnly[n];
        refused("all 20 rows that validationSplit holds back", () -> fit(weighted(trainingOnly), trainer));
    }

    /** Three times 0.1 is a little more in float than in double. */
    @Test
    void allHitsAreAnAccuracyOf1() {
        int[][] ids = {{1}, {2}, {3}, {4}};
        float[] weights = {.1f, .1f, .1f, 0}; // a fit wants two classes
        TrainingData data = new TrainingData(SequenceInput.tokens(ids), new int[] {0, 0, 0, 1}, weights);
        List<Double> shown = new ArrayList<>();
        Callback progress = afterBatch(now -> shown.add(now.accuracy()));
        Trainer trainer = trainer().epochs(1).callback(progress).build();
        try (Backend backend = Backends.openCpu(1);
                SimpleRnnClassifier model = new SimpleRnnClassifier(backend, config().build());
                LocalTraining local = new LocalTraining(model, trainer, 1)) {
            model.weights().get("dense.b").set(100, 0, 0);
            EpochResult result = model.fit(data, data, trainer, Team.alone(), Checkpoints.none())
                    .last();
            assertEquals(List.of(1.0), shown);
            assertEquals(1, result.accuracy());
            assertEquals(1, result.validationAccuracy());
            assertEquals(1, local.step(data, 0).accuracy());
        }
    }

    private static TrainingData weighted(float[] weights) {
        return new TrainingData(SequenceInput.tokens(DATA.ids), DATA.labels, weights);
    }

    @Test
    void equalWeightsAreNone() {
        float[] ones = new float[ROWS];
        Arrays.fill(ones, 1);
        assertArrayEquals(
                fit(data(), trainer().build()), fit(weighted(ones), trainer().build()));
        refused(
                "all " + ROWS + " rows to train on have weight 0",
                () -> fit(weighted(new float[ROWS]), trainer().build()));
        ones[7] = Float.NaN;
        refused("row 7", () -> weighted(ones));
    }

    /** Averaging after each step is adding up gradients, for plain SGD that clips nothing. */
    @Test
    void averagedLocalStepsAreTheTeamsSteps() {
        Trainer trainer = trainer()
                .optimizer(Optimizer.sgd(0.1))
                .clipNorm(Double.POSITIVE_INFINITY)
                .clipValue(Double.POSITIVE_INFINITY)
                .build();
        double[] alone = fit(data(), trainer);
        int workers = 3;
        int[] lengths = Arrays.stream(DATA.ids).mapToInt(row -> row.length).toArray();
        try (Backend backend = Backends.openCpu(1);
                SimpleRnnClassifier model = new SimpleRnnClassifier(backend, config().build());
                LocalTraining local = new LocalTraining(model, trainer, 1)) {
            float[] state = local.state();
            long step = 0;
            for (int epoch = 1; epoch <= 3; epoch++) {
                for (int[] batch : trainer.batches(lengths, row -> true, epoch)) {
                    double[] mean = new double[state.length];
                    for (int rank = 0; rank < workers; rank++) {
                        int from = Team.shareStart(batch.length, rank, workers);
                        int to = Team.shareStart(batch.length, rank + 1, workers);
                        int[] rows = Arrays.copyOfRange(batch, from, to);
                        local.restore(state, step);
                        local.step(rows(rows), from);
                        float[] moved = local.state();
                        for (int i = 0; i < mean.length; i++) mean[i] += moved[i] * (double) rows.length / batch.length;
                    }
                    for (int i = 0; i < mean.length; i++) state[i] = (float) mean[i];
                    step++;
                }
            }
            double[] averaged =
                    IntStream.range(0, alone.length).mapToDouble(i -> state[i]).toArray();
            assertArrayEquals(alone, averaged, 1e-5);
        }
    }

    /** A state is all that the next step needs, and each may be taken by another. */
    @Test
    void localStepsFromStateToStateAreTheStepsOfAFit() {
        Trainer trainer = trainer().schedule(LearningRateSchedule.linear()).build();
        int[] lengths = Arrays.stream(DATA.ids).mapToInt(row -> row.length).toArray();
        int steps = 3 * trainer.batches(lengths, row -> true, 1).size();
        try (Backend backend = Backends.openCpu(1);
                SimpleRnnClassifier model = new SimpleRnnClassifier(backend, config().build())) {
            float[] state = null;
            long step = 0;
            for (int epoch = 1; epoch <= 3; epoch++) {
                for (int[] batch : trainer.batches(lengths, row -> true, epoch)) {
                    try (LocalTraining local = new LocalTraining(model, trainer, steps)) {
                        if (state == null) state = local.state();
                        local.restore(state, step++);
                        assertArrayEquals(state, local.state());
                        local.step(rows(batch), 0);
                        state = local.state();
                    }
                }
            }
            assertArrayEquals(fit(data(), trainer), model.weights().flat().toDoubles());
        }
    }

    /** A share without rows, as of a batch of fewer rows than workers, or without weight: moments alone would move the weights. */
    @Test
    void aLocalStepOfNothingIsCountedAndNoMore() {
        TrainingData nine = rows(Batches.range(9));
        TrainingData none = rows(new int[0]);
        TrainingData weightless = new TrainingData(SequenceInput.tokens(new int[][] {{1}}), new int[1], new float[1]);
        float[][] ends = new float[2][];
        try (Backend backend = Backends.openCpu(1)) {
            for (int run = 0; run < 2; run++) {
                try (SimpleRnnClassifier model = new SimpleRnnClassifier(backend, config().build());
                        LocalTraining local = new LocalTraining(model, trainer().build(), 4)) {
                    local.step(nine, 0);
                    float[] state = local.state();
                    if (run == 0) {
                        assertEquals(new Metrics(0, 0, 0), local.step(none, 0));
                        assertEquals(new Metrics(0, 0, 1), local.step(weightless, 0));
                        assertArrayEquals(state, local.state());
                    } else {
                        local.restore(state, 3);
                    }
                    local.step(nine, 0);
                    ends[run] = local.state();
                }
            }
            assertEquals(0, backend.liveTensors());
        }
        assertArrayEquals(ends[1], ends[0]);
    }

    @Test
    void aStateOfAnotherLengthIsRefusedAndChangesNothing() {
        try (Backend backend = new ReferenceBackend();
                SimpleRnnClassifier model = ToyData.model(backend);
                LocalTraining local = new LocalTraining(model, trainer().build(), 1)) {
            float[] state = local.state();
            for (int length : new int[] {0, state.length / 3, state.length - 1, state.length + 1}) {
                refused("restore: the state has " + length, () -> local.restore(new float[length], 0));
                assertArrayEquals(state, local.state());
            }
            // Adam would divide by 0 in its step 0.
            refused("restore: stepsBefore must be at least 0, but is -1", () -> local.restore(state, -1));
        }
    }

    @Test
    void aClosedLocalTrainingIsRefused() {
        try (Backend backend = new ReferenceBackend();
                SimpleRnnClassifier model = ToyData.model(backend)) {
            LocalTraining local = new LocalTraining(model, trainer().build(), 1);
            float[] state = local.state();
            local.close();
            int live = backend.liveTensors();
            Map<String, Executable> operations = Map.of(
                    "state", local::state,
                    "restore", () -> local.restore(state, 0),
                    "step", () -> local.step(data(), 0));
            operations.forEach((name, operation) -> assertEquals(
                    name + ": this training is closed. Make another.",
                    assertThrows(IllegalStateException.class, operation).getMessage()));
            assertEquals(live, backend.liveTensors());
        }
    }

    @Test
    void aLocalStepWhoseLossIsNoNumberChangesNothing() {
        try (Backend backend = new ReferenceBackend();
                SimpleRnnClassifier model = ToyData.model(backend);
                LocalTraining local = new LocalTraining(model, trainer().build(), 1)) {
            model.weights().get("dense.b").set(new float[] {0, Float.NaN, 0});
            float[] state = local.state();
            assertEquals(Double.NaN, local.step(rows(Batches.range(9)), 0).loss());
            assertArrayEquals(state, local.state());
        }
        Trainer infinite = trainer()
                .regularizer(WeightKind.KERNEL, Regularizer.l2(1e300))
                .clipValue(Double.POSITIVE_INFINITY)
                .build();
        try (Backend backend = new ReferenceBackend();
                SimpleRnnClassifier model = ToyData.model(backend);
                LocalTraining local = new LocalTraining(model, infinite, 1)) {
            float[] state = local.state();
            assertEquals(Double.NaN, local.step(rows(Batches.range(9)), 0).loss(), "nor is its gradient");
            assertArrayEquals(state, local.state());
        }
    }

    @Test
    void aLocalStepThatCannotBeIsRefusedAndChangesNothing() {
        try (Backend backend = new ReferenceBackend();
                SimpleRnnClassifier model = ToyData.model(backend);
                SimpleRnnClassifier sharing = SimpleRnnClassifier.sharing(
                        backend, model.config(), model.weights().flat());
                LocalTraining local = new LocalTraining(model, trainer().build(), 1)) {
            float[] state = local.state();
            int[][] row = {{ToyData.VOCABULARY}};
            refused(
                    "Token ids must be at least 0 and below V = 6",
                    () -> local.step(TrainingData.of(SequenceInput.tokens(row), new int[1]), 0));
            row[0][0] = 1;
            refused(
                    "step: labels must be at least 0 and below K = 3",
                    () -> local.step(TrainingData.of(SequenceInput.tokens(row), new int[] {3}), 0));
            assertArrayEquals(state, local.state());
            refused(
                    "patience",
                    () -> new LocalTraining(
                            model, trainer().patience(1).validationSplit(0.1).build(), 1));
            IllegalStateException e = assertThrows(
                    IllegalStateException.class,
                    () -> new LocalTraining(sharing, trainer().build(), 1));
            assertTrue(e.getMessage().contains("shares weights that another owns"), e.getMessage());
        }
    }

    private static TrainingData rows(int[] rows) {
        return TrainingData.of(
                SequenceInput.tokens(
                        Arrays.stream(rows).mapToObj(row -> DATA.ids[row]).toArray(int[][]::new)),
                Arrays.stream(rows).map(row -> DATA.labels[row]).toArray());
    }
}
