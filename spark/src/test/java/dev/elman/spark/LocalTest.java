package dev.elman.spark;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.expr;
import static org.apache.spark.sql.functions.lit;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.Backends;
import dev.elman.backend.Backend;
import dev.elman.text.Tokenizer;
import dev.elman.train.Optimizer;
import dev.elman.train.SimpleRnnClassifier;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator;
import org.apache.spark.ml.feature.StringIndexer;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.tuning.CrossValidator;
import org.apache.spark.ml.tuning.CrossValidatorModel;
import org.apache.spark.ml.tuning.ParamGridBuilder;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.storage.StorageLevel;
import org.apache.spark.util.SerializableConfiguration;
import org.apache.spark.util.TaskCompletionListener;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import scala.Tuple2;

/** Two slots in this JVM. */
class LocalTest {
    private static final Rows ROWS = new Rows(101, 1);
    private static SparkSession spark;

    @BeforeAll
    static void start() {
        spark = Rows.local().getOrCreate();
    }

    @AfterAll
    static void stop() {
        spark.stop();
    }

    /** One worker takes the core's own steps; the table may lie in any number of partitions. */
    @ParameterizedTest
    @CsvSource({"ALLREDUCE,1", "ALLREDUCE,3", "AVERAGE(1),3"})
    void oneWorkerGivesTheBitsOfThePlainFit(String mode, int partitions) throws Exception {
        ElmanClassificationModel model = Rows.classifier(1).setSyncMode(mode).fit(ROWS.table(spark, partitions));
        assertArrayEquals(ROWS.plain(1), Rows.weights(model));
    }

    @Test
    void twoWorkersGiveThePlainFitOfTwiceTheBatch() throws Exception {
        ElmanClassificationModel model = Rows.classifier(2).fit(ROWS.table(spark, 3));
        assertArrayEquals(ROWS.plain(2), Rows.weights(model), 1e-5);
        TrainingSummary summary = model.summary().orElseThrow();
        assertEquals(Rows.EPOCHS, summary.epochs().size());
        assertEquals(2, summary.workers().size());
        assertTrue(
                summary.workers().get(1).contains("cpu: float32, 1 thread"),
                summary.workers().get(1));
        EpochSummary last = summary.epochs().get(2);
        assertTrue(last.loss() < summary.epochs().get(0).loss());
        assertTrue(last.rowsPerSecond() > 0 && last.exchangeShare() > 0 && last.exchangeShare() < 1, last.toString());
    }

    @Test
    void averagingEveryStepOfPlainSgdIsTheSame() throws Exception {
        ElmanClassificationModel model = Rows.classifier(2)
                .setSyncMode("average(1)")
                .setOptimizer("sgd")
                .setStepSize(0.1)
                .setClipNorm(0)
                .fit(ROWS.table(spark, 3));
        double[] plain = Rows.plain(ROWS.data(true, false), 2, Optimizer.sgd(0.1), Double.POSITIVE_INFINITY);
        assertArrayEquals(plain, Rows.weights(model), 1e-5);
    }

    /** By three workers, on two slots. */
    @Test
    void averagingRarelyLearnsToo() {
        Dataset<Row> table = ROWS.table(spark, 2);
        ElmanClassificationModel model =
                Rows.classifier(3).setSyncMode("AVERAGE(3)").setMaxIter(12).fit(table);
        assertTrue(accuracy(model.transform(table)) > 0.9);
    }

    @Test
    void averagedWorkersAreListedByRank() {
        Averaged all = new Averaged(1, new float[] {1}, 0, 0, 6, 10, "executor 1");
        for (int rank : new int[] {9, 2}) {
            all = all.plus(new Averaged(1, new float[] {4}, 0, 0, 3, rank, "executor " + rank));
        }
        assertEquals(List.of("executor 2", "executor 9", "executor 1"), all.devices());
        assertArrayEquals(new float[] {3}, all.state(), 1e-6f);
        assertEquals(4, all.computeSeconds());
    }

    @ParameterizedTest
    @ValueSource(strings = {"ALLREDUCE", "AVERAGE(1)"})
    void weightsAndVectors(String mode) throws Exception {
        ElmanClassificationModel model = Rows.classifier(2)
                .setFeaturesCol("steps")
                .setWeightCol("weight")
                .setOptimizer("sgd")
                .setStepSize(0.1)
                .setClipNorm(0)
                .setSyncMode(mode)
                .fit(ROWS.table(spark, 3));
        double[] plain = Rows.plain(ROWS.data(false, true), 2, Optimizer.sgd(0.1), Double.POSITIVE_INFINITY);
        assertArrayEquals(plain, Rows.weights(model), 1e-5);
        assertTrue(accuracy(model.transform(ROWS.table(spark, 3))) > 0.3);
    }

    private static double accuracy(Dataset<Row> scored) {
        return new MulticlassClassificationEvaluator().setMetricName("accuracy").evaluate(scored);
    }

    // ---- lost workers

    private static final AtomicInteger LOST = new AtomicInteger();
    private static final AtomicInteger BEGUN = new AtomicInteger();

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aFailedWorkerChangesNothing(boolean checkpoints, @TempDir Path folder) throws Exception {
        LOST.set(0);
        BEGUN.set(0);
        ElmanClassificationModel model = Rows.classifier(2)
                .setCheckpointDir(checkpoints ? folder.toString() : "")
                .onEpoch((worker, epoch) -> {
                    if (epoch == 3 && worker.partitionId() == 1 && LOST.getAndIncrement() == 0) {
                        throw new IllegalStateException("pulled the plug");
                    }
                    if (epoch == 2 && worker.partitionId() == 1) BEGUN.incrementAndGet();
                })
                .fit(ROWS.table(spark, 2));
        assertArrayEquals(ROWS.plain(2), Rows.weights(model), 1e-5);
        assertEquals(1, model.summary().orElseThrow().restarts());
        assertEquals(Rows.EPOCHS, model.summary().orElseThrow().epochs().size());
        assertEquals(checkpoints ? 1 : 2, BEGUN.get(), "epoch 2 is run again only without a checkpoint");
        try (var files = Files.list(folder)) {
            assertEquals(0, files.count(), "checkpoints are removed at the end");
        }
    }

    @Test
    void aFailedFitLeavesNoCheckpoints(@TempDir Path folder) throws Exception {
        ElmanClassifier classifier = Rows.classifier(1)
                .setCheckpointDir(folder.toString())
                .onEpoch((worker, epoch) -> {
                    if (epoch == 2) throw new IllegalStateException("pulled the plug");
                });
        assertThrows(Exception.class, () -> classifier.fit(ROWS.table(spark, 1)));
        try (var files = Files.list(folder)) {
            assertEquals(0, files.count());
        }
    }

    private static final AtomicInteger CLASSES = new AtomicInteger();

    /** As it is when what an executor held is lost. */
    @ParameterizedTest
    @CsvSource({"3,2", "2,3"})
    void aTableThatGivesOtherRowsWhenItIsReadAgainIsRefused(int classes, int again) {
        CLASSES.set(classes);
        Dataset<Row> table = ROWS.table(spark, 2).filter((org.apache.spark.api.java.function.FilterFunction<Row>)
                row -> row.getDouble(2) < CLASSES.get());
        ElmanClassifier classifier = Rows.classifier(2)
                .setSyncMode("AVERAGE(1)")
                .onEpoch((worker, epoch) -> {
                    if (epoch != 2) return;
                    CLASSES.set(again);
                    JavaSparkContext.fromSparkContext(spark.sparkContext()).getPersistentRDDs().values().stream()
                            .filter(rdd -> rdd.getStorageLevel().equals(StorageLevel.DISK_ONLY()))
                            .forEach(rdd -> rdd.unpersist(true));
                });
        IllegalStateException e = assertThrows(IllegalStateException.class, () -> classifier.fit(table));
        assertTrue(e.getMessage().startsWith("The table gives other rows when it is read again"), e.getMessage());
    }

    /** Their task removes it, as if it were on another machine. */
    @Test
    void rowsAreNotKeptInAFolderThatOnlyTheDriverSees(@TempDir Path dir) throws Exception {
        SerializableConfiguration configuration =
                new SerializableConfiguration(spark.sparkContext().hadoopConfiguration());
        String folder = HadoopCheckpoints.newFolder(dir.toString(), configuration.value());
        JavaRDD<Tuple2<Integer, byte[]>> rows = JavaSparkContext.fromSparkContext(spark.sparkContext())
                .parallelize(List.of(new Tuple2<>(0, new byte[1])), 1)
                .mapPartitions(some -> {
                    new HadoopCheckpoints(folder, configuration.value()).remove();
                    return some;
                });
        Exception e = assertThrows(Exception.class, () -> AllReduceFit.kept(rows, folder, configuration));
        assertTrue(BadInputTest.everything(e).contains("this executor does not see the driver's"), e.toString());
    }

    private static final CountDownLatch ENDED = new CountDownLatch(1);

    @Test
    void aCancelledWorkerThatIsAloneStops() throws Exception {
        BEGUN.set(0);
        ElmanClassifier classifier = Rows.classifier(1).setMaxIter(50).onEpoch((worker, epoch) -> {
            BEGUN.incrementAndGet();
            if (epoch > 1) return;
            worker.addTaskCompletionListener((TaskCompletionListener) done -> ENDED.countDown());
            spark.sparkContext().cancelAllJobs();
            while (!worker.isInterrupted()) LockSupport.parkNanos(1_000_000);
        });
        assertThrows(Exception.class, () -> classifier.fit(ROWS.table(spark, 1)));
        assertTrue(ENDED.await(60, TimeUnit.SECONDS));
        assertEquals(1, BEGUN.get(), "epochs begun");
    }

    private static final AtomicReference<Thread> FITTING = new AtomicReference<>();
    private static final AtomicReference<CountDownLatch> TOLD = new AtomicReference<>();

    @ParameterizedTest
    @ValueSource(strings = {"ALLREDUCE", "AVERAGE(1000)"})
    void anInterruptedFitEndsItsJobs(String mode) throws Exception {
        FITTING.set(Thread.currentThread());
        TOLD.set(new CountDownLatch(1));
        ElmanClassifier classifier = Rows.classifier(1).setSyncMode(mode).onEpoch((worker, epoch) -> {
            if (epoch != 2) return;
            FITTING.get().interrupt();
            long deadline = System.nanoTime() + 10_000_000_000L;
            while (!worker.isInterrupted() && System.nanoTime() < deadline) LockSupport.parkNanos(1_000_000);
            if (worker.isInterrupted()) TOLD.get().countDown();
        });
        IllegalStateException e = assertThrows(IllegalStateException.class, () -> classifier.fit(ROWS.table(spark, 1)));
        assertTrue(Thread.interrupted(), "the thread is interrupted still");
        assertEquals("The fit was interrupted, and its jobs are cancelled.", e.getMessage());
        assertInstanceOf(InterruptedException.class, e.getCause());
        assertTrue(TOLD.get().await(10, TimeUnit.SECONDS), "the worker is told to stop");
        assertTrue(spark.sparkContext().getJobTags().isEmpty());
    }

    /** As Spark reads it. */
    @Test
    void aNetworkTimeoutWithoutUnitIsInSeconds() {
        SparkConf settings = spark.sparkContext().conf();
        settings.set("spark.network.timeout", "120");
        try {
            ElmanClassificationModel model = Rows.classifier(2)
                    .onEpoch((worker, epoch) -> {
                        if (epoch == 2 && worker.partitionId() == 1) LockSupport.parkNanos(1_000_000_000);
                    })
                    .fit(ROWS.table(spark, 2));
            assertEquals(0, model.summary().orElseThrow().restarts());
        } finally {
            settings.remove("spark.network.timeout");
        }
    }

    @Test
    void aFailedTaskOfARoundIsRunAgain() throws Exception {
        ElmanClassifier classifier = Rows.classifier(2).setSyncMode("AVERAGE(2)");
        ElmanClassificationModel undisturbed = classifier.fit(ROWS.table(spark, 2));
        LOST.set(0);
        ElmanClassificationModel model = classifier
                .onEpoch((worker, epoch) -> {
                    if (epoch == 2 && worker.partitionId() == 1 && LOST.getAndIncrement() == 0) {
                        throw new IllegalStateException("pulled the plug");
                    }
                })
                .fit(ROWS.table(spark, 2));
        assertTrue(LOST.get() > 1);
        assertArrayEquals(Rows.weights(undisturbed), Rows.weights(model), 1e-6);
    }

    // ---- scoring

    @Test
    void scoringIsTheCoresAndStreams() throws Exception {
        Dataset<Row> table = ROWS.table(spark, 2);
        ElmanClassificationModel model = Rows.classifier(2).fit(table);
        List<Row> scored = model.transform(table).collectAsList();
        try (Backend backend = Backends.openCpu(1);
                SimpleRnnClassifier plain = ScoreTask.load(backend, model.modelFile())) {
            float[][] expected = plain.predictProba(ROWS.ids);
            for (int n = 0; n < expected.length; n++) {
                Vector p = scored.get(n).getAs("probability");
                Vector raw = scored.get(n).getAs("rawPrediction");
                for (int k = 0; k < Rows.CLASSES; k++) {
                    assertEquals(expected[n][k], p.apply(k), 1e-6);
                    assertEquals(p.apply(k), Math.exp(raw.apply(k)), 1e-6);
                }
                assertEquals(p.argmax(), scored.get(n).<Double>getAs("prediction"));
            }
        }
        DeviceThreads.closeIdle(0);
        Dataset<Row> longer = table.crossJoin(spark.range(100).toDF("copy"));
        assertEquals(
                101 * 100, model.transform(longer).filter("prediction >= 0").count());
        assertEquals(1, DeviceThreads.count(), "one model for all tasks of this JVM");
        DeviceThreads.closeIdle(0);
        assertEquals(0, DeviceThreads.count());
    }

    /** No more rows than a batch are read before the first comes out, however many there are. */
    @Test
    void scoringStreams() {
        ElmanClassificationModel model = Rows.classifier(1).setMaxIter(1).fit(ROWS.table(spark, 1));
        int read = readBeforeTheFirst(model, new Rows(1000, 1).table(spark, 1));
        assertTrue(read <= 260, "read " + read + " rows for the first");
    }

    /** Of 0.8 MB each. */
    @Test
    void longRowsAreScoredInSmallBatches() {
        Column step = org.apache.spark.ml.functions.array_to_vector(expr("array_repeat(0.5D, 20000)"));
        Dataset<Row> table = spark.range(0, 60, 1, 1)
                .select(step.as("step"), expr("id % 2").as("label"))
                .withColumn("steps", expr("array_repeat(step, 10)"));
        ElmanClassificationModel model =
                Rows.classifier(1).setFeaturesCol("steps").setMaxIter(1).fit(table.limit(2));
        int read = readBeforeTheFirst(model, table);
        assertTrue(read <= 22, "read " + read + " rows for the first");
    }

    private static int readBeforeTheFirst(ElmanClassificationModel model, Dataset<Row> table) {
        READ.set(0);
        Dataset<Row> counted = table.map(
                (org.apache.spark.api.java.function.MapFunction<Row, Row>) row -> {
                    READ.incrementAndGet();
                    return row;
                },
                Encoders.row(table.schema()));
        return model.transform(counted)
                .mapPartitions(
                        (org.apache.spark.api.java.function.MapPartitionsFunction<Row, Integer>) rows -> {
                            assertTrue(rows.hasNext());
                            rows.next();
                            return List.of(READ.get()).iterator();
                        },
                        Encoders.INT())
                .collectAsList()
                .get(0);
    }

    private static final AtomicInteger READ = new AtomicInteger();

    /** Spark hands such rows from a typed operation to the next as they are, with Java's arrays in them. */
    @Test
    void rowsStraightOutOfAMapAreFittedAndScored() throws Exception {
        Dataset<Row> table = ROWS.table(spark, 2).select("tokens", "label");
        Dataset<Row> mapped = table.map(
                (org.apache.spark.api.java.function.MapFunction<Row, Row>)
                        row -> org.apache.spark.sql.RowFactory.create(
                                row.<Integer>getList(0).stream()
                                        .mapToInt(Integer::intValue)
                                        .toArray(),
                                row.getDouble(1)),
                Encoders.row(table.schema()));
        ElmanClassificationModel model = Rows.classifier(1).fit(mapped);
        assertArrayEquals(ROWS.plain(1), Rows.weights(model));
        assertEquals(
                model.transform(table).collectAsList(), model.transform(mapped).collectAsList());
    }

    @Test
    void scoringKeepsTheOtherColumnsAsTheyAre() {
        Dataset<Row> table = ROWS.table(spark, 1);
        ElmanClassificationModel model = Rows.classifier(1).setMaxIter(1).fit(table);
        Dataset<Row> wide = table.withColumn("text", expr("'A' collate UTF8_LCASE"))
                .withColumn("texts", expr("array(text)"))
                .withColumn("days", expr("interval 3 days"));
        Dataset<Row> joined = wide.join(spark.range(1).toDF("text"));
        Dataset<Row> scored = model.transform(joined);
        assertEquals(
                List.of(joined.schema().fields()),
                List.of(scored.schema().fields()).subList(0, joined.schema().size()));
        assertEquals(101, model.transform(wide).filter("text = 'a'").count());
    }

    @Test
    void thresholdsMoveThePrediction() {
        assertEquals(1, ScoreTask.predict(new float[] {.3f, .4f, .3f}, null));
        assertEquals(2, ScoreTask.predict(new float[] {.3f, .4f, .3f}, new double[] {1, 1, .5}));
        assertEquals(0, ScoreTask.predict(new float[] {.1f, .6f, .3f}, new double[] {0, 1, 1}));
        Dataset<Row> table = ROWS.table(spark, 1);
        ElmanClassificationModel model = Rows.classifier(1).setMaxIter(1).fit(table);
        model.setThresholds(new double[] {1, 1, 1e-6}).setRawPredictionCol("").setProbabilityCol("p");
        Dataset<Row> scored = model.transform(table);
        assertEquals(List.of("tokens", "steps", "label", "weight", "p", "prediction"), List.of(scored.columns()));
        assertEquals(101, scored.filter("prediction = 2").count());
        BadInputTest.refused(
                "thresholds", () -> model.setThresholds(new double[] {1, 1}).transform(table));
    }

    // ---- pipelines

    private static Dataset<Row> texts() {
        List<String> words =
                List.of("b a b", "c a", "", "d d c", "a e", "b b", "c c c", "d a", "a b", "c d", "d c", "b a a");
        return spark.createDataset(words, Encoders.STRING())
                .toDF("text")
                .repartition(1)
                .withColumn(
                        "language",
                        org.apache
                                .spark
                                .sql
                                .functions
                                .when(col("text").contains("b"), "x")
                                .otherwise("y"));
    }

    @Test
    void aPipelineTokenizesIndexesAndClassifies(@TempDir Path folder) throws Exception {
        Dataset<Row> table = texts();
        Pipeline pipeline = new Pipeline().setStages(new PipelineStage[] {
            new KerasTokenizer().setOovToken("?"),
            new StringIndexer().setInputCol("language").setOutputCol("label"),
            Rows.classifier(2).setVocabSize(9).setMaxIter(40)
        });
        PipelineModel fitted = pipeline.fit(table);
        assertEquals(1, accuracy(fitted.transform(table)));
        fitted.write().overwrite().save(folder.resolve("model").toString());
        PipelineModel loaded = PipelineModel.load(folder.resolve("model").toString());
        assertEquals(
                fitted.transform(table).select("probability").collectAsList(),
                loaded.transform(table).select("probability").collectAsList());
        assertEquals(
                fitted.transform(table).select("probability").collectAsList(),
                serialized(fitted).transform(table).select("probability").collectAsList());
        assertEquals(
                fitted.transform(table).select("probability").collectAsList(),
                serialized(pipeline)
                        .fit(table)
                        .transform(table)
                        .select("probability")
                        .collectAsList());
        pipeline.write().overwrite().save(folder.resolve("pipeline").toString());
        PipelineModel again =
                Pipeline.load(folder.resolve("pipeline").toString()).fit(table);
        assertEquals(
                fitted.transform(table).select("probability").collectAsList(),
                again.transform(table).select("probability").collectAsList());
        // The model file inside is the core's.
        ElmanClassificationModel inside = (ElmanClassificationModel) loaded.stages()[2];
        assertTrue(inside.summary().isEmpty());
        try (var files = Files.walk(folder.resolve("model"))) {
            Path file = files.filter(path -> path.endsWith(ElmanClassificationModel.FILE))
                    .findFirst()
                    .orElseThrow();
            try (Backend backend = Backends.openCpu(1);
                    SimpleRnnClassifier plain = SimpleRnnClassifier.load(backend, file)) {
                assertEquals(2, plain.config().classes());
            }
        }
    }

    /** What comes out of Java's serialization again, by which Spark broadcasts. */
    @SuppressWarnings("unchecked")
    private static <T> T serialized(T stage) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(stage);
        }
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            return (T) in.readObject();
        }
    }

    @Test
    void aCrossValidatorChooses() {
        ElmanClassifier classifier = Rows.classifier(1).setMaxIter(8);
        ParamMap[] grid = new ParamGridBuilder()
                .addGrid(classifier.stepSize(), new double[] {1e-6, 0.02})
                .build();
        CrossValidatorModel model = new CrossValidator()
                .setEstimator(classifier)
                .setEstimatorParamMaps(grid)
                .setEvaluator(new MulticlassClassificationEvaluator().setMetricName("accuracy"))
                .setNumFolds(2)
                .setSeed(1)
                .fit(ROWS.table(spark, 2));
        assertTrue(model.avgMetrics()[1] > model.avgMetrics()[0] + 0.1, Arrays.toString(model.avgMetrics()));
    }

    @Test
    void theTokenizerNumbersWordsAsOneTokenizerWould() {
        List<String> texts = texts().as(Encoders.tuple(Encoders.STRING(), Encoders.STRING()))
                .map(
                        (org.apache.spark.api.java.function.MapFunction<Tuple2<String, String>, String>) Tuple2::_1,
                        Encoders.STRING())
                .collectAsList();
        Dataset<Row> parts =
                spark.createDataset(texts, Encoders.STRING()).toDF("text").repartition(3);
        List<String> order = parts.as(Encoders.STRING()).collectAsList();
        Tokenizer whole = Tokenizer.builder().numWords(4).build();
        whole.fitOnTexts(order);
        KerasTokenizerModel model = new KerasTokenizer().setNumWords(4).fit(parts);
        assertEquals(whole.wordIndex(), model.tokenizer().wordIndex());
        assertEquals(4, model.vocabularySize());
        List<Row> ids = model.transform(parts).select("tokens").collectAsList();
        for (int n = 0; n < order.size(); n++) {
            assertEquals(
                    Arrays.stream(whole.textToSequence(order.get(n))).boxed().toList(),
                    ids.get(n).getList(0));
        }
        BadRowException e = assertThrows(
                BadRowException.class,
                () -> new KerasTokenizer()
                        .fit(parts.withColumn("text", lit(null).cast("string"))));
        assertTrue(e.getMessage().contains("Column \"text\""), e.getMessage());
    }

    /** Texts that hold the OOV token give it the id of its count: one beyond the words, or beyond numWords. */
    @ParameterizedTest
    @CsvSource({"true,?,0", "false,b,3", "false,e,3", "false,?,1"})
    void theVocabularyEndsWithTheLargestId(boolean charLevel, String oov, int numWords) {
        Dataset<Row> table = texts().withColumn("text", expr("concat(text, ' b?')"));
        KerasTokenizerModel model = new KerasTokenizer()
                .setCharLevel(charLevel)
                .setOovToken(oov)
                .setNumWords(numWords)
                .fit(table);
        int largest = model.transform(table)
                .selectExpr("max(array_max(tokens))")
                .first()
                .getInt(0);
        assertEquals(largest + 1, model.vocabularySize());
    }

    @Test
    void theTokenizerBringsOnePartitionsWordsAtATime() {
        SparkConf settings = spark.sparkContext().conf();
        settings.set("spark.driver.maxResultSize", "1m");
        try {
            Dataset<Row> table = spark.range(0, 20_000, 1, 4).selectExpr("concat('word', id) as text");
            assertEquals(20_001, new KerasTokenizer().fit(table).vocabularySize());
        } finally {
            settings.remove("spark.driver.maxResultSize");
        }
    }
}
