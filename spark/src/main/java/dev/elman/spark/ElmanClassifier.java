package dev.elman.spark;

import dev.elman.spark.RowReader.Column;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.ml.Estimator;
import org.apache.spark.ml.attribute.Attribute;
import org.apache.spark.ml.attribute.NominalAttribute;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.DefaultParamsWritable;
import org.apache.spark.ml.util.Identifiable$;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWriter;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StructType;

/**
 * Trains one sequence classifier (embedding, SimpleRnn, dense layer, softmax) on a table's rows, by several workers.
 *
 * <p>A worker is a task, on the GPU that Spark assigned to it or on {@code spark.task.cpus} threads. A batch has {@code
 * batchSize} rows for each worker. What comes out depends on the table's order of rows, the parameters and the number of
 * workers, not on which executor holds which rows: N workers give what the core's {@code fit} gives for batches of N times
 * {@code batchSize} rows, up to rounding, and one worker gives its very bits.
 */
public final class ElmanClassifier extends Estimator<ElmanClassificationModel>
        implements ElmanColumns, ElmanTraining, DefaultParamsWritable {
    private static final long serialVersionUID = 1L;

    private final String uid;
    private final Holder columns;
    private final Training training;
    private WorkerHook hook = WorkerHook.nothing();

    public ElmanClassifier() {
        this(Identifiable$.MODULE$.randomUID("elmanClassifier"));
    }

    /** With a name of one's own. */
    public ElmanClassifier(String uid) {
        this.uid = uid;
        columns = new Holder(this);
        training = new Training(uid);
        columns.setDefaults(this);
        training.setDefaults(this);
    }

    @Override
    public String uid() {
        return uid;
    }

    @Override
    public Holder columns() {
        return columns;
    }

    @Override
    public Training training() {
        return training;
    }

    public ElmanClassifier setFeaturesCol(String value) {
        set(featuresCol(), value);
        return this;
    }

    public ElmanClassifier setPredictionCol(String value) {
        set(predictionCol(), value);
        return this;
    }

    public ElmanClassifier setProbabilityCol(String value) {
        set(probabilityCol(), value);
        return this;
    }

    public ElmanClassifier setRawPredictionCol(String value) {
        set(rawPredictionCol(), value);
        return this;
    }

    public ElmanClassifier setThresholds(double[] value) {
        set(thresholds(), value);
        return this;
    }

    public ElmanClassifier setLabelCol(String value) {
        set(labelCol(), value);
        return this;
    }

    public ElmanClassifier setWeightCol(String value) {
        set(weightCol(), value);
        return this;
    }

    public ElmanClassifier setMaxIter(int value) {
        set(maxIter(), value);
        return this;
    }

    public ElmanClassifier setStepSize(double value) {
        set(stepSize(), value);
        return this;
    }

    public ElmanClassifier setBatchSize(int value) {
        set(batchSize(), value);
        return this;
    }

    public ElmanClassifier setHiddenSize(int value) {
        set(hiddenSize(), value);
        return this;
    }

    public ElmanClassifier setEmbeddingSize(int value) {
        set(embeddingSize(), value);
        return this;
    }

    public ElmanClassifier setVocabSize(int value) {
        set(vocabSize(), value);
        return this;
    }

    public ElmanClassifier setBidirectional(boolean value) {
        set(bidirectional(), value);
        return this;
    }

    public ElmanClassifier setInputDropout(double value) {
        set(inputDropout(), value);
        return this;
    }

    public ElmanClassifier setDropout(double value) {
        set(dropout(), value);
        return this;
    }

    public ElmanClassifier setOptimizer(String value) {
        set(optimizer(), value);
        return this;
    }

    public ElmanClassifier setClipNorm(double value) {
        set(clipNorm(), value);
        return this;
    }

    public ElmanClassifier setSeed(long value) {
        set(seed(), value);
        return this;
    }

    public ElmanClassifier setNumWorkers(int value) {
        set(numWorkers(), value);
        return this;
    }

    public ElmanClassifier setSyncMode(String value) {
        set(syncMode(), value);
        return this;
    }

    public ElmanClassifier setCheckpointDir(String value) {
        set(checkpointDir(), value);
        return this;
    }

    @Override
    public StructType transformSchema(StructType schema) {
        SyncMode.parse(getOrDefault(syncMode()));
        RowReader.holdsTokens(schema, getFeaturesCol());
        requireNumeric(schema, getOrDefault(labelCol()), "labelCol");
        if (!getOrDefault(weightCol()).isEmpty()) requireNumeric(schema, getOrDefault(weightCol()), "weightCol");
        return withPredictions(schema);
    }

    private static void requireNumeric(StructType schema, String column, String param) {
        if (RowReader.typeOf(schema, column, param) instanceof NumericType) return;
        throw new IllegalArgumentException("Column \"" + column + "\" must hold numbers, but is "
                + schema.apply(column).dataType().catalogString()
                + (param.equals("labelCol") ? ". StringIndexer makes classes of strings." : "."));
    }

    /**
     * Trains.
     *
     * @throws IllegalArgumentException when a column is missing, there twice or of another type, there are no rows, there
     *     are no slots to take the number of workers from, ALLREDUCE has fewer slots than workers or dynamic allocation, or the
     *     network is too large
     * @throws BadRowException for a row that cannot be used
     * @throws IllegalStateException when an executor lacks a jar or has another version of elman, the table gives other rows
     *     when it is read again after an executor was lost, training diverges, or the thread is interrupted, which cancels
     *     the fit's jobs
     */
    @Override
    public ElmanClassificationModel fit(Dataset<?> dataset) {
        SparkContext context = dataset.sparkSession().sparkContext();
        return InterruptibleJobs.run(context, () -> fit(dataset, context));
    }

    private ElmanClassificationModel fit(Dataset<?> dataset, SparkContext context) {
        StructType schema = dataset.schema();
        transformSchema(schema, true);
        SyncMode mode = SyncMode.parse(getOrDefault(syncMode()));
        int workers = Slots.workers(context, (Integer) getOrDefault(numWorkers()), mode.allReduce());
        boolean tokens = RowReader.holdsTokens(schema, getFeaturesCol());
        boolean weighted = !getOrDefault(weightCol()).isEmpty();
        int known = classes(schema);
        int vocabulary = (Integer) getOrDefault(vocabSize());
        RowReader reader = new RowReader(
                new Column(getFeaturesCol(), 0),
                tokens,
                vocabulary,
                0,
                known,
                new Column(getOrDefault(labelCol()), 1),
                weighted ? new Column(getOrDefault(weightCol()), 2) : null);
        try (Table table = new Table(select(dataset, weighted), reader)) {
            FitSettings settings = settings(table, tokens, weighted, known, workers);
            settings.config(); // refused here rather than on the executors
            requireThresholds(settings.classes());
            FitResult result = run(context, table, settings, mode);
            if (result.failure() != null) throw new IllegalStateException(result.failure());
            ElmanClassificationModel model = new ElmanClassificationModel(uid, result.modelFile());
            model.setSummary(new TrainingSummary(result.epochs(), result.workers(), result.attempt()));
            return copyValues(model.setParent(this), ParamMap.empty());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private FitResult run(SparkContext context, Table table, FitSettings settings, SyncMode mode) {
        FitMetrics metrics = new FitMetrics(context);
        ProgressLog progress = new ProgressLog(settings.epochs(), metrics);
        context.addSparkListener(progress);
        try {
            if (mode.allReduce()) {
                FitResult result =
                        AllReduceFit.run(context, table, settings, getOrDefault(checkpointDir()), metrics, hook);
                result.epochs().forEach(progress::report); // those that no heartbeat has told of
                return result;
            }
            JavaSparkContext java = JavaSparkContext.fromSparkContext(context);
            return new AverageFit(java, table, settings, mode.localSteps(), metrics, hook).run(progress::report);
        } finally {
            context.removeSparkListener(progress);
        }
    }

    private Dataset<Row> select(Dataset<?> dataset, boolean weighted) {
        List<org.apache.spark.sql.Column> wanted = new ArrayList<>();
        // By an alias, without which rows of a map would come as they are, see ElmanClassificationModel.transform.
        wanted.add(dataset.col(getFeaturesCol()).as("elman features"));
        wanted.add(dataset.col(getOrDefault(labelCol())).cast(DataTypes.DoubleType));
        if (weighted) wanted.add(dataset.col(getOrDefault(weightCol())).cast(DataTypes.DoubleType));
        return dataset.select(wanted.toArray(new org.apache.spark.sql.Column[0]));
    }

    /** K as the label column's metadata state it, which StringIndexer writes; 0 for none. */
    private int classes(StructType schema) {
        Attribute attribute = Attribute.fromStructField(schema.apply(getOrDefault(labelCol())));
        if (!(attribute instanceof NominalAttribute nominal)
                || nominal.getNumValues().isEmpty()) return 0;
        return (Integer) nominal.getNumValues().get();
    }

    FitSettings settings(Table table, boolean tokens, boolean weighted, int known, int workers) {
        table.requireTwoClasses();
        if ((long) (Integer) getOrDefault(batchSize()) * workers > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("fit: batchSize " + getOrDefault(batchSize()) + " for each of " + workers
                    + " workers is more rows than a batch can have. Set a smaller batchSize.");
        }
        if (!tokens && table.features() < 1) {
            throw new IllegalArgumentException("fit: no row of column \"" + getFeaturesCol()
                    + "\" has a step, so the vectors' size is not known.");
        }
        int vocabulary = (Integer) getOrDefault(vocabSize());
        if (tokens && vocabulary == 0) vocabulary = Math.max(1, table.vocabulary());
        return new FitSettings(
                tokens ? vocabulary : 0,
                tokens ? (Integer) getOrDefault(embeddingSize()) : table.features(),
                (Integer) getOrDefault(hiddenSize()),
                known > 0 ? known : table.classes(),
                (Boolean) getOrDefault(bidirectional()),
                (Double) getOrDefault(inputDropout()),
                (Double) getOrDefault(dropout()),
                (Long) getOrDefault(seed()),
                (Integer) getOrDefault(maxIter()),
                getOrDefault(optimizer()),
                (Double) getOrDefault(stepSize()),
                (Double) getOrDefault(clipNorm()),
                (Integer) getOrDefault(batchSize()),
                workers,
                weighted,
                table.count());
    }

    /** For tests: what happens to each worker when an epoch begins. */
    ElmanClassifier onEpoch(WorkerHook what) {
        hook = what;
        return this;
    }

    @Override
    public ElmanClassifier copy(ParamMap extra) {
        ElmanClassifier copy = copyValues(new ElmanClassifier(uid), extra);
        copy.hook = hook;
        return copy;
    }

    @Override
    public MLWriter write() {
        return DefaultParamsWritable.super.write();
    }

    /** Reads what {@link #write} wrote. */
    public static MLReader<ElmanClassifier> read() {
        return new StageReader<>(ElmanClassifier.class, ElmanClassifier::new);
    }

    public static ElmanClassifier load(String path) {
        return read().load(path);
    }
}
