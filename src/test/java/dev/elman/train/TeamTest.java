package dev.elman.train;

import static dev.elman.train.Callbacks.afterBatch;
import static dev.elman.train.Refusals.refused;
import static dev.elman.train.Refusals.stopped;
import static dev.elman.train.ToyTraining.DATA;
import static dev.elman.train.ToyTraining.ROWS;
import static dev.elman.train.ToyTraining.config;
import static dev.elman.train.ToyTraining.data;
import static dev.elman.train.ToyTraining.fit;
import static dev.elman.train.ToyTraining.rows;
import static dev.elman.train.ToyTraining.trainer;
import static dev.elman.train.ToyTraining.withoutTimes;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.Backends;
import dev.elman.backend.Backend;
import dev.elman.reference.ReferenceBackend;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Several workers give what one plain fit gives, wherever the rows of each come from. */
class TeamTest {
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
}
