package dev.elman.spark;

import dev.elman.Backends;
import dev.elman.backend.Backend;
import dev.elman.train.ClassifierConfig;
import dev.elman.train.Optimizer;
import dev.elman.train.SequenceInput;
import dev.elman.train.SimpleRnnClassifier;
import dev.elman.train.Trainer;
import dev.elman.train.TrainingData;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.scheduler.AccumulableInfo;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerStageCompleted;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import scala.jdk.javaapi.CollectionConverters;

/** Rows whose class is easy to state, which of the tokens 1 to 3 comes first, as arrays and as tables. */
final class Rows {
    static final int VOCABULARY = 6;
    static final int CLASSES = 3;
    static final int WORKER_BATCH = 8;
    static final int EPOCHS = 3;

    final int[][] ids;
    final int[] labels;
    final float[] weights;

    Rows(int rows, long seed) {
        Random random = new Random(seed);
        ids = new int[rows][];
        labels = new int[rows];
        weights = new float[rows];
        for (int n = 0; n < rows; n++) {
            ids[n] = new int[1 + random.nextInt(7)];
            labels[n] = random.nextInt(CLASSES);
            for (int t = 0; t < ids[n].length; t++) ids[n][t] = t == 0 ? 1 + labels[n] : 1 + random.nextInt(5);
            weights[n] = random.nextInt(3);
        }
        ids[rows / 2] = new int[0];
        ids[0][0] = VOCABULARY - 1;
    }

    float[][][] steps() {
        float[][][] x = new float[ids.length][][];
        for (int n = 0; n < x.length; n++) {
            x[n] = new float[ids[n].length][VOCABULARY];
            for (int t = 0; t < x[n].length; t++) x[n][t][ids[n][t]] = 0.5f;
        }
        return x;
    }

    /** Columns tokens, steps, label and weight. */
    Dataset<Row> table(SparkSession spark, int partitions) {
        float[][][] x = steps();
        List<Row> rows = new ArrayList<>();
        for (int n = 0; n < ids.length; n++) {
            List<Integer> tokens = new ArrayList<>();
            List<Vector> vectors = new ArrayList<>();
            for (int id : ids[n]) tokens.add(id);
            for (float[] step : x[n]) {
                double[] values = new double[step.length];
                for (int d = 0; d < values.length; d++) values[d] = step[d];
                vectors.add(Vectors.dense(values));
            }
            rows.add(RowFactory.create(
                    tokens.toArray(new Integer[0]), vectors.toArray(new Vector[0]), (double) labels[n], (double)
                            weights[n]));
        }
        StructType schema = new StructType()
                .add("tokens", DataTypes.createArrayType(DataTypes.IntegerType))
                .add("steps", DataTypes.createArrayType(SQLDataTypes.VectorType()))
                .add("label", DataTypes.DoubleType)
                .add("weight", DataTypes.DoubleType);
        return spark.createDataFrame(
                org.apache.spark.api.java.JavaSparkContext.fromSparkContext(spark.sparkContext())
                        .parallelize(rows, partitions),
                schema);
    }

    static ElmanClassifier classifier(int workers) {
        return new ElmanClassifier()
                .setFeaturesCol("tokens")
                .setHiddenSize(16)
                .setEmbeddingSize(8)
                .setBidirectional(true)
                .setInputDropout(0.1)
                .setDropout(0.2)
                .setBatchSize(WORKER_BATCH)
                .setStepSize(0.01)
                .setSeed(7)
                .setMaxIter(EPOCHS)
                .setNumWorkers(workers);
    }

    /** A session with two slots in this JVM; a failed task may be tried again. */
    static SparkSession.Builder local() {
        return SparkSession.builder()
                .master("local[2,4]")
                .config("spark.ui.enabled", false)
                .config("spark.serializer", "org.apache.spark.serializer.KryoSerializer")
                .config("spark.sql.shuffle.partitions", 2)
                .config("spark.driver.bindAddress", "127.0.0.1")
                .config("spark.driver.host", "127.0.0.1");
    }

    /** Notes what Spark's UI shows of accumulators when a stage is over, by name. */
    static SparkListener accumulators(Map<String, Object> shown) {
        return new SparkListener() {
            @Override
            public void onStageCompleted(SparkListenerStageCompleted stage) {
                for (AccumulableInfo info : CollectionConverters.asJava(
                        stage.stageInfo().accumulables().values())) {
                    if (info.name().isDefined() && info.value().isDefined()) {
                        shown.put(info.name().get(), info.value().get());
                    }
                }
            }
        };
    }

    TrainingData data(boolean tokens, boolean weighted) {
        SequenceInput input = tokens ? SequenceInput.tokens(ids) : SequenceInput.features(steps());
        return new TrainingData(input, labels, weighted ? weights : null);
    }

    /** The weights after the core's own fit, in one JVM, with batches for so many workers. */
    static double[] plain(TrainingData data, int workers, Optimizer optimizer, double clipNorm) {
        boolean tokens = data.input() instanceof SequenceInput.Tokens;
        ClassifierConfig.Builder config = tokens
                ? ClassifierConfig.tokens(VOCABULARY, CLASSES).embeddingSize(8)
                : ClassifierConfig.features(VOCABULARY, CLASSES);
        config.hiddenSize(16).bidirectional(true).inputDropout(0.1).dropout(0.2).seed(7);
        Trainer trainer = Trainer.builder()
                .epochs(EPOCHS)
                .batchSize(WORKER_BATCH * workers)
                .optimizer(optimizer)
                .clipNorm(clipNorm)
                .seed(7)
                .build();
        try (Backend backend = Backends.openCpu(1);
                SimpleRnnClassifier model = new SimpleRnnClassifier(backend, config.build())) {
            model.fit(data, trainer, dev.elman.train.Team.alone(), dev.elman.train.Checkpoints.none());
            return model.weights().flat().toDoubles();
        }
    }

    double[] plain(int workers) {
        return plain(data(true, false), workers, Optimizer.adam(0.01), 5);
    }

    /** The weights in a model's file, as the core reads it. */
    static double[] weights(ElmanClassificationModel model) throws Exception {
        try (Backend backend = Backends.openCpu(1);
                SimpleRnnClassifier loaded = ScoreTask.load(backend, model.modelFile())) {
            return loaded.weights().flat().toDoubles();
        }
    }
}
