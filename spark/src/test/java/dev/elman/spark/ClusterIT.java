package dev.elman.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two executor processes, each with a GPU that Spark believes in because a script says so. */
class ClusterIT {
    private static final Rows ROWS = new Rows(101, 1);
    private static SparkSession spark;

    @BeforeAll
    static void start() throws Exception {
        Path script = Files.writeString(
                Path.of("target/gpus.sh"), "#!/bin/sh\necho '{\"name\": \"gpu\", \"addresses\": [\"0\"]}'\n");
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
        spark = SparkHome.started(SparkHome.cluster(SparkHome.userJars())
                .config("spark.worker.resource.gpu.amount", 1)
                .config(
                        "spark.worker.resource.gpu.discoveryScript",
                        script.toAbsolutePath().toString())
                .config("spark.executor.resource.gpu.amount", 1)
                .config("spark.task.resource.gpu.amount", 1));
    }

    @AfterAll
    static void stop() {
        spark.stop();
    }

    /** Loses the worker's whole process in the middle of an epoch, once: a file says that it has happened. */
    private record Crash(String marker, int rank, int inEpoch) implements WorkerHook {
        @Override
        public void begin(TaskContext worker, int epoch) {
            if (worker.partitionId() == rank && epoch == inEpoch) crashOnce(marker);
        }
    }

    private static void crashOnce(String marker) {
        try {
            Files.createFile(Path.of(marker));
        } catch (java.nio.file.FileAlreadyExistsException done) {
            return;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        // In the middle of what follows, and not by any orderly way.
        Thread killer = new Thread(() -> {
            try {
                Thread.sleep(20);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            Runtime.getRuntime().halt(9);
        });
        killer.setDaemon(true);
        killer.start();
    }

    @Test
    void twoProcessesGiveThePlainFitOfTwiceTheBatch() throws Exception {
        Map<String, Object> shown = new ConcurrentHashMap<>();
        SparkListener listener = Rows.accumulators(shown);
        spark.sparkContext().addSparkListener(listener);
        ElmanClassificationModel model = Rows.classifier(0).fit(ROWS.table(spark, 3));
        assertArrayEquals(ROWS.plain(2), Rows.weights(model), 1e-5);
        TrainingSummary summary = model.summary().orElseThrow();
        assertEquals(2, summary.workers().size(), "as many workers as slots");
        assertNotEquals(summary.workers().get(0), summary.workers().get(1), "two executors");
        for (String worker : summary.workers()) {
            // The script's GPU is no GPU, so a machine without one shows that the CPU takes over, and one with shows it
            // used.
            assertTrue(worker.contains("GPU 0 was assigned, but cannot be used") || worker.contains("cuda"), worker);
        }
        spark.sparkContext().listenerBus().waitUntilEmpty();
        spark.sparkContext().removeSparkListener(listener);
        assertEquals(summary.epochs().get(2).loss(), shown.get("elman loss"));
        assertEquals(3.0, shown.get("elman epoch"));
        assertEquals(3L * 101, shown.get("elman rows"));
        assertTrue((Double) shown.get("elman exchange, s") > 0);
        assertEquals(summary.epochs().get(2).exchangeShare(), shown.get("elman exchange, share of time"));
    }

    /** Nor does the other order in which a table may come when it is read again, as after a shuffle. */
    @Test
    void aLostProcessChangesNothing(@TempDir Path folder) throws Exception {
        String crashed = folder.resolve("crashed").toString();
        Dataset<Row> table = ROWS.table(spark, 2);
        Dataset<Row> turned = table.mapPartitions(
                (MapPartitionsFunction<Row, Row>) rows -> {
                    List<Row> all = new ArrayList<>();
                    rows.forEachRemaining(all::add);
                    if (Files.exists(Path.of(crashed))) Collections.reverse(all);
                    return all.iterator();
                },
                Encoders.row(table.schema()));
        ElmanClassificationModel model = Rows.classifier(2)
                .setCheckpointDir(
                        Files.createDirectory(folder.resolve("checkpoints")).toString())
                .onEpoch(new Crash(crashed, 1, 3))
                .fit(turned);
        assertTrue(Files.exists(Path.of(crashed)));
        assertArrayEquals(ROWS.plain(2), Rows.weights(model), 1e-5);
        assertTrue(model.summary().orElseThrow().restarts() >= 1);
        EpochSummary before = model.summary().orElseThrow().epochs().get(1);
        assertTrue(Double.isNaN(before.exchangeShare()), "epoch 2 comes from the checkpoint, so it was not run again");
        SparkHome.started(SparkSession.builder()); // the next test needs both executors again
    }

    @Test
    void averagingSurvivesALostProcess(@TempDir Path folder) throws Exception {
        Dataset<Row> table = ROWS.table(spark, 2);
        ElmanClassifier classifier = Rows.classifier(2).setSyncMode("AVERAGE(2)");
        ElmanClassificationModel undisturbed = classifier.fit(table);
        ElmanClassificationModel model = classifier
                .onEpoch(new Crash(folder.resolve("crashed").toString(), 1, 2))
                .fit(table);
        assertTrue(Files.exists(folder.resolve("crashed")));
        assertArrayEquals(Rows.weights(undisturbed), Rows.weights(model), 1e-5);
        SparkHome.started(SparkSession.builder());
    }
}
