package dev.elman.spark;

import static org.apache.spark.sql.functions.array;
import static org.apache.spark.sql.functions.expr;
import static org.apache.spark.sql.functions.lit;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.spark.SparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is refused, and that the message names what is wrong. */
class BadInputTest {
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

    static void refused(String part, Runnable action) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, action::run);
        for (String one : part.split("\\|", -1)) assertTrue(e.getMessage().contains(one), e.getMessage());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "tokens; cast(null as array<int>); Column \"tokens\"|null",
                "tokens; array(1, null); Column \"tokens\"|null at step 1",
                "tokens; array(1, -1); Column \"tokens\"|-1 at step 1",
                "tokens; array(1, 6); Column \"tokens\"|6 at step 1|0 to 5",
                "label; cast(null as double); Column \"label\"|null",
                "label; 1.5D; Column \"label\"|1.5",
                "label; -1D; Column \"label\"|-1.0",
                "label; double('NaN'); Column \"label\"|NaN",
                "weight; -2D; Column \"weight\"|-2.0",
                "weight; cast(null as double); Column \"weight\"|null"
            })
    void aBadRowIsNamed(String column, String value, String message) {
        Dataset<Row> table = ROWS.table(spark, 2);
        Dataset<Row> bad = table.union(table.limit(1).withColumn(column, expr(value)));
        refused(
                message,
                () -> Rows.classifier(2).setVocabSize(6).setWeightCol("weight").fit(bad));
    }

    @Test
    void raggedVectorsAreNamed() {
        Dataset<Row> table = ROWS.table(spark, 2);
        Dataset<Row> other = table.limit(1)
                .withColumn("steps", array(org.apache.spark.ml.functions.array_to_vector(array(lit(1.0), lit(2.0)))));
        ElmanClassifier classifier = Rows.classifier(2).setFeaturesCol("steps");
        refused("size 6|size 2", () -> classifier.fit(table.union(other).coalesce(1)));
        refused("size 6|size 2", () -> classifier.fit(table.union(other)));
        assertTrue(spark.sparkContext().getPersistentRDDs().isEmpty(), "the table is dropped");
        Dataset<Row> within = table.limit(1)
                .withColumn(
                        "steps",
                        array(
                                org.apache.spark.ml.functions.array_to_vector(array(lit(1.0), lit(2.0))),
                                org.apache.spark.ml.functions.array_to_vector(array(lit(1.0)))));
        refused("Column \"steps\"|size 1 at step 1", () -> classifier.fit(within));
    }

    @Test
    void anUnknownTokenIsNamedWhenScoring() {
        ElmanClassificationModel model = Rows.classifier(1).setMaxIter(1).fit(ROWS.table(spark, 1));
        Dataset<Row> bad = ROWS.table(spark, 1).withColumn("tokens", array(lit(2), lit(17)));
        Exception e = assertThrows(Exception.class, () -> model.transform(bad).count());
        assertTrue(
                everything(e).contains("Column \"tokens\" must hold arrays of token ids from 0 to 5"), everything(e));
        assertTrue(everything(e).contains("17 at step 1"), everything(e));
    }

    /** As Spark itself decides: locally the setting means nothing, unless Spark tests itself. */
    @Test
    void dynamicAllocationIsRefusedForWorkersThatTrainTogether() {
        SparkContext context = spark.sparkContext();
        context.conf().set("spark.dynamicAllocation.enabled", "true");
        try {
            assertEquals(2, Slots.workers(context, 0, true));
            context.conf().set("spark.dynamicAllocation.testing", "true");
            refused("ALLREDUCE|spark.dynamicAllocation.enabled to false", () -> Slots.workers(context, 3, true));
            assertEquals(2, Slots.workers(context, 0, false));
        } finally {
            context.conf().remove("spark.dynamicAllocation.enabled");
            context.conf().remove("spark.dynamicAllocation.testing");
        }
    }

    /** The step of one batch leaves no numbers, and the other batch is of a row of weight 0, whichever comes first. */
    @ParameterizedTest
    @CsvSource({"AVERAGE(1),0", "AVERAGE(1),1", "AVERAGE(1000),1"})
    void weightsThatTheLastStepSpoiledAreNoModel(String mode, double label) {
        Dataset<Row> table = ROWS.table(spark, 1)
                .filter("label < 2 and size(tokens) > 0")
                .dropDuplicates("label")
                .withColumn("weight", expr("double(label = " + label + ")"));
        ElmanClassifier classifier = Rows.classifier(1)
                .setWeightCol("weight")
                .setBatchSize(1)
                .setMaxIter(1)
                .setOptimizer("sgd")
                .setClipNorm(0)
                .setStepSize(1e300) // infinite as a float: what has no gradient is no number either
                .setSyncMode(mode);
        IllegalStateException e = assertThrows(IllegalStateException.class, () -> classifier.fit(table));
        assertTrue(e.getMessage().startsWith("Training diverged in epoch 1 between batches "), e.getMessage());
        assertTrue(e.getMessage().contains(" and 2. Try"), e.getMessage());
        assertTrue(spark.sparkContext().getPersistentRDDs().isEmpty(), "table and shares are dropped");
    }

    static String everything(Throwable failure) {
        StringBuilder all = new StringBuilder();
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) all.append(cause.getMessage());
        return all.toString();
    }

    @Test
    void badSettingsAreNamed() {
        Dataset<Row> table = ROWS.table(spark, 1);
        refused("numWorkers is 3|2 slots", () -> Rows.classifier(3).fit(table));
        assertEquals(3, Slots.workers(spark.sparkContext(), 3, false), "AVERAGE's need not run at once");
        refused(
                "no column \"text\"|tokens, steps, label, weight",
                () -> Rows.classifier(1).setFeaturesCol("text").fit(table));
        refused(
                "array<int>|double",
                () -> Rows.classifier(1).setFeaturesCol("label").fit(table));
        refused(
                "must hold numbers|StringIndexer",
                () -> Rows.classifier(1).setLabelCol("steps").fit(table));
        refused("AVERAGE(0)", () -> Rows.classifier(1).setSyncMode("AVERAGE(0)").fit(table));
        refused(
                "\"weight\" already",
                () -> Rows.classifier(1).setPredictionCol("weight").fit(table));
        refused(
                "\"Weight\" already",
                () -> Rows.classifier(1).setPredictionCol("Weight").fit(table));
        refused(
                "\"Text\" already",
                () -> new KerasTokenizer().setOutputCol("Text").fit(table.withColumn("text", lit("a"))));
        refused(
                "are 2 columns \"label\"",
                () -> Rows.classifier(1).fit(table.withColumn("2", lit(2)).toDF("tokens", "label", "label", "a", "b")));
        refused(
                "more than the 2147483647 numbers",
                () -> Rows.classifier(1).setHiddenSize(50_000).fit(table));
        refused("no rows", () -> Rows.classifier(1).fit(table.limit(0)));
        refused("at least two classes", () -> Rows.classifier(1).fit(table.filter("label = 0")));
        refused(
                "all 101 rows have weight 0",
                () -> Rows.classifier(1).setWeightCol("weight").fit(table.withColumn("weight", lit(0.0))));
        IllegalStateException e = assertThrows(
                IllegalStateException.class,
                () -> Rows.classifier(2)
                        .setOptimizer("sgd")
                        .setClipNorm(0)
                        .setStepSize(1e38) // with 1e30 one run in CI stayed finite: what saturates has no gradient
                        .fit(table));
        assertTrue(e.getMessage().startsWith("Training diverged in epoch 1"), e.getMessage());
        refused(
                "thresholds",
                () -> Rows.classifier(1).setThresholds(new double[] {1}).fit(table));
        assertNull(Rows.classifier(1).getThresholds());
        assertFalse(SyncMode.parse("AVERAGE(4)").allReduce());
    }
}
