package dev.elman.spark;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.spark.RowReader.Column;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;

/**
 * Measures what exchange costs, on two executor processes: ours and MLlib's way with the same network in one run. Prints
 * the table, writes it to {@code target/exchange.txt}, and what follows from it on paper to {@code target/scaling.txt}.
 */
class ExchangeIT {
    private static final int ROWS = 1024;
    private static final int BATCH = 64;
    private static final int EPOCHS = 3;

    private static ElmanClassifier classifier(int workers) {
        return new ElmanClassifier()
                .setFeaturesCol("tokens")
                .setVocabSize(Rows.VOCABULARY)
                .setHiddenSize(128)
                .setBidirectional(true)
                .setBatchSize(BATCH)
                .setMaxIter(EPOCHS)
                .setOptimizer("sgd")
                .setClipNorm(0)
                .setNumWorkers(workers);
    }

    @Test
    void measure() throws Exception {
        List<String> lines = new ArrayList<>();
        lines.add("| way | workers | rows/s | share of time in exchange |");
        lines.add("| --- | ---: | ---: | ---: |");
        double[] one;
        double[] two;
        double[] tree;
        // On executors as users have them.
        SparkSession.Builder cluster = SparkHome.cluster(SparkHome.userJars()).config(SparkHome.EXECUTOR_OPTIONS, "");
        try (SparkSession spark = SparkHome.started(cluster)) {
            JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
            Dataset<Row> table = new Rows(ROWS, 1).table(spark, 2);
            one = fit(table, 1, "ALLREDUCE", lines);
            two = fit(table, 2, "ALLREDUCE", lines);
            fit(table, 2, "AVERAGE(8)", lines);
            treeAggregate(context, table, 1, lines);
            tree = treeAggregate(context, table, 2, lines);
        }
        assertTrue(two[1] > 0 && two[1] < tree[1], "the ring spends less of the time on exchange than a job a step");
        Files.write(Path.of("target/exchange.txt"), lines);
        double stepSeconds = BATCH / one[0];
        List<String> scaling = Scaling.report(stepSeconds, Scaling.PARAMETERS, LinkProbe.measure(), tree);
        Files.write(Path.of("target/scaling.txt"), scaling);
        lines.forEach(System.out::println);
        scaling.forEach(System.out::println);
    }

    /** Of the last epoch, when everything is warm. */
    private static double[] fit(Dataset<Row> table, int workers, String mode, List<String> lines) {
        List<EpochSummary> epochs = classifier(workers)
                .setSyncMode(mode)
                .fit(table)
                .summary()
                .orElseThrow()
                .epochs();
        EpochSummary last = epochs.get(epochs.size() - 1);
        return line(lines, mode, workers, last.rowsPerSecond(), last.exchangeShare());
    }

    private static double[] treeAggregate(
            JavaSparkContext context, Dataset<Row> table, int workers, List<String> lines) {
        RowReader reader = new RowReader(
                new Column("tokens", 0), true, Rows.VOCABULARY, 0, Rows.CLASSES, new Column("label", 1), null);
        try (Table rows = new Table(table.select("tokens", "label"), reader)) {
            FitSettings settings = classifier(workers).settings(rows, true, false, Rows.CLASSES, workers);
            double[] measured = TreeAggregateWay.epoch(context, rows, settings);
            return line(lines, "MLlib's: broadcast, treeAggregate", workers, measured[0], measured[1]);
        }
    }

    private static double[] line(List<String> lines, String way, int workers, double rowsPerSecond, double share) {
        lines.add(
                String.format(Locale.ROOT, "| %s | %d | %,.0f | %.0f %% |", way, workers, rowsPerSecond, 100 * share));
        return new double[] {rowsPerSecond, share};
    }
}
