package dev.elman.spark;

import dev.elman.Backends;
import dev.elman.backend.Backend;
import dev.elman.train.SimpleRnnClassifier;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.ml.Model;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.DefaultParamsReader$;
import org.apache.spark.ml.util.DefaultParamsWriter$;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWritable;
import org.apache.spark.ml.util.MLWriter;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import scala.Option;

/**
 * A trained classifier that scores tables. Inside is one of the core's model files, which {@link #modelFile} gives and
 * {@code SimpleRnnClassifier.load} reads without Spark; a saved model is a folder with that file and the parameters.
 *
 * <p>Rows are scored in batches as they stream by, by one model for each executor, on the GPU that Spark assigned to the
 * first of its tasks or on all of its cores.
 */
public final class ElmanClassificationModel extends Model<ElmanClassificationModel>
        implements ElmanColumns, MLWritable {
    private static final long serialVersionUID = 1L;

    /** Name of the model file in a saved model's folder. */
    public static final String FILE = "model.safetensors";

    private final String uid;
    private final Holder columns;
    private final byte[] file;
    /** The file's SHA-256: copies of a model are one on the executors. */
    private final String key;

    private final int classes;
    /** V; 0 when the input is vectors. */
    private final int vocabulary;
    /** D, of the embedding or of the vectors. */
    private final int inputSize;

    private TrainingSummary summary;

    /**
     * Around a model file.
     *
     * @throws dev.elman.io.ModelFileException when it is not a classifier's
     */
    ElmanClassificationModel(String uid, byte[] file) throws IOException {
        this.uid = uid;
        this.file = file;
        this.key = sha256(file);
        try (Backend backend = Backends.openCpu(1);
                SimpleRnnClassifier model = ScoreTask.load(backend, file)) {
            classes = model.config().classes();
            vocabulary = model.config().vocabulary();
            inputSize = model.config().inputSize();
        }
        columns = new Holder(this);
        columns.setDefaults(this);
    }

    private static String sha256(byte[] file) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(file));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-256.", e);
        }
    }

    @Override
    public String uid() {
        return uid;
    }

    @Override
    public Holder columns() {
        return columns;
    }

    /** K. */
    public int numClasses() {
        return classes;
    }

    /** The model as the core's file; {@code SimpleRnnClassifier.load} reads it. */
    public byte[] modelFile() {
        return file.clone();
    }

    /** How the fit went; not there in a model that was loaded. */
    public Optional<TrainingSummary> summary() {
        return Optional.ofNullable(summary);
    }

    void setSummary(TrainingSummary summary) {
        this.summary = summary;
    }

    public ElmanClassificationModel setFeaturesCol(String name) {
        set(featuresCol(), name);
        return this;
    }

    public ElmanClassificationModel setPredictionCol(String name) {
        set(predictionCol(), name);
        return this;
    }

    public ElmanClassificationModel setProbabilityCol(String name) {
        set(probabilityCol(), name);
        return this;
    }

    public ElmanClassificationModel setRawPredictionCol(String name) {
        set(rawPredictionCol(), name);
        return this;
    }

    public ElmanClassificationModel setThresholds(double[] values) {
        set(thresholds(), values);
        return this;
    }

    @Override
    public StructType transformSchema(StructType schema) {
        boolean tokens = RowReader.holdsTokens(schema, getFeaturesCol());
        if (tokens != vocabulary > 0) {
            throw new IllegalArgumentException("This model was trained on "
                    + (tokens ? "array<vector>, but column \"" : "array<int>, but column \"") + getFeaturesCol()
                    + "\" is "
                    + (tokens ? "array<int>." : "array<vector>."));
        }
        requireThresholds(classes);
        return withPredictions(schema);
    }

    /**
     * The table with the predictions. All other columns pass through Java's objects, which do not keep bytes of a string
     * that are not UTF-8, the order of a map of more than four entries, and days from 5 to 14 October 1582.
     */
    @Override
    public Dataset<Row> transform(Dataset<?> dataset) {
        StructType before = dataset.schema();
        StructType after = transformSchema(before, true);
        ScoreTask task = task(
                before, JavaSparkContext.fromSparkContext(dataset.sparkSession().sparkContext()));
        // Under names of their own: a join leaves two columns of one name, and without an alias in between Spark hands
        // the rows of a typed operation to the next one as they are, with arrays and lists of any kind.
        String[] names = IntStream.range(0, after.size())
                .mapToObj(i -> "elman column " + i)
                .toArray(String[]::new);
        StructType renamed = new StructType();
        for (StructField field : after.fields())
            renamed = renamed.add(names[renamed.size()], field.dataType(), field.nullable());
        MapPartitionsFunction<Row, Row> score = task::score;
        Dataset<Row> scored =
                dataset.toDF(Arrays.copyOf(names, before.size())).mapPartitions(score, Encoders.row(renamed));
        // The encoder forgets collations, units of intervals and what StringIndexer and others have noted.
        return scored.select(IntStream.range(0, names.length)
                .mapToObj(i -> scored.col(names[i])
                        .cast(after.apply(i).dataType())
                        .as(after.apply(i).name(), after.apply(i).metadata()))
                .toArray(Column[]::new));
    }

    private ScoreTask task(StructType schema, JavaSparkContext context) {
        boolean tokens = vocabulary > 0;
        RowReader reader =
                new RowReader(inputColumn(schema), tokens, vocabulary, tokens ? 0 : inputSize, 0, null, null);
        Broadcast<byte[]> everywhere = context.broadcast(file);
        return new ScoreTask(
                everywhere,
                key,
                reader,
                ExecutorCheck.version(),
                !getRawPredictionCol().isEmpty(),
                !getProbabilityCol().isEmpty(),
                !getPredictionCol().isEmpty(),
                getThresholds());
    }

    @Override
    public ElmanClassificationModel copy(ParamMap extra) {
        try {
            ElmanClassificationModel copy = copyValues(new ElmanClassificationModel(uid, file), extra);
            copy.summary = summary;
            return copy.setParent(parent());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public MLWriter write() {
        return new Writer(this);
    }

    /** Reads what {@link #write} wrote. */
    public static MLReader<ElmanClassificationModel> read() {
        return new Reader();
    }

    public static ElmanClassificationModel load(String path) {
        return read().load(path);
    }

    private static final class Writer extends MLWriter {
        private final ElmanClassificationModel model;

        Writer(ElmanClassificationModel model) {
            this.model = model;
        }

        @Override
        public void saveImpl(String path) {
            DefaultParamsWriter$.MODULE$.saveMetadata(model, path, sparkSession());
            Path target = new Path(path, FILE);
            try {
                FileSystem files = target.getFileSystem(sc().hadoopConfiguration());
                try (OutputStream out = files.create(target, false)) {
                    out.write(model.file);
                }
            } catch (IOException e) {
                throw new UncheckedIOException("cannot write " + target, e);
            }
        }
    }

    private static final class Reader extends MLReader<ElmanClassificationModel> {
        @Override
        public ElmanClassificationModel load(String path) {
            DefaultParamsReader.Metadata metadata = DefaultParamsReader$.MODULE$.loadMetadata(
                    path, sparkSession(), ElmanClassificationModel.class.getName());
            Path source = new Path(path, FILE);
            try {
                FileSystem files = source.getFileSystem(sc().hadoopConfiguration());
                byte[] file;
                try (InputStream in = files.open(source)) {
                    file = in.readAllBytes();
                }
                ElmanClassificationModel model = new ElmanClassificationModel(metadata.uid(), file);
                metadata.getAndSetParams(model, Option.empty());
                return model;
            } catch (IOException e) {
                throw new UncheckedIOException("cannot read " + source, e);
            }
        }
    }
}
