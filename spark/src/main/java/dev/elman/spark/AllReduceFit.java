package dev.elman.spark;

import java.io.IOException;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.util.SerializableConfiguration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.Tuple2;
import scala.jdk.javaapi.CollectionConverters;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;
import scala.runtime.AbstractFunction1;

/** The driver's side of a fit by ALLREDUCE: one barrier stage, whose first worker returns the model. */
final class AllReduceFit {
    private static final Logger LOG = LoggerFactory.getLogger(AllReduceFit.class);

    private AllReduceFit() {}

    /** @param checkpointDir folder in which this fit makes one of its own, or empty */
    static FitResult run(
            SparkContext context,
            Table table,
            FitSettings settings,
            String checkpointDir,
            FitMetrics metrics,
            WorkerHook hook) {
        SerializableConfiguration configuration = new SerializableConfiguration(context.hadoopConfiguration());
        String folder = null;
        if (checkpointDir.isEmpty()) {
            LOG.warn(
                    "ALLREDUCE without checkpointDir: a lost worker costs all epochs so far, up to {}, for Spark then"
                            + " begins the fit anew. Set checkpointDir to a folder that the driver and all executors"
                            + " see, and it costs one.",
                    settings.epochs());
        } else {
            folder = HadoopCheckpoints.newFolder(checkpointDir, configuration.value());
        }
        AllReduceTask task = new AllReduceTask(settings, Handshake.newSecret(), folder, configuration, metrics, hook);
        try {
            JavaRDD<Tuple2<Integer, byte[]>> rows = table.numbered();
            if (folder != null) rows = kept(rows, folder, configuration);
            // By a shuffle, for a barrier stage takes no other change of the number of partitions.
            return first(rows.repartition(settings.workers()), task);
        } catch (Exception e) { // also Spark's, which Scala does not declare
            throw ExecutorCheck.explain(e);
        } finally {
            if (folder != null) remove(folder, configuration);
        }
    }

    /**
     * The rows as they are now, for the checkpoints are of these numbers: what a lost executor held is read again, after a
     * shuffle in another order.
     */
    static JavaRDD<Tuple2<Integer, byte[]>> kept(
            JavaRDD<Tuple2<Integer, byte[]>> rows, String folder, SerializableConfiguration configuration) {
        String path = folder + "/rows";
        rows.mapPartitions(some -> {
                    new HadoopCheckpoints(folder, configuration.value()).requireFolder(); // which the output would make
                    return some;
                })
                .saveAsObjectFile(path);
        return JavaSparkContext.fromSparkContext(rows.context()).objectFile(path);
    }

    /** What cannot be removed costs neither the model nor the reason why there is none. */
    private static void remove(String folder, SerializableConfiguration configuration) {
        try {
            new HadoopCheckpoints(folder, configuration.value()).remove();
        } catch (IOException e) {
            LOG.warn("cannot remove the checkpoints in {}", folder, e);
        }
    }

    /** The result goes through a shuffle: Spark begins a barrier stage again only if another stage comes after it. */
    private static FitResult first(JavaRDD<Tuple2<Integer, byte[]>> rows, AllReduceTask task) throws IOException {
        ClassTag<byte[]> tag = ClassTag$.MODULE$.apply(byte[].class);
        List<byte[]> results = JavaRDD.fromRDD(rows.rdd().barrier().mapPartitions(new Work(task), false, tag), tag)
                .repartition(1)
                .collect();
        return FitResult.fromBytes(results.get(0));
    }

    /** JavaRDD has no barrier(), so this is the function as Scala takes it. */
    private static final class Work
            extends AbstractFunction1<
                    scala.collection.Iterator<Tuple2<Integer, byte[]>>, scala.collection.Iterator<byte[]>>
            implements java.io.Serializable {
        private static final long serialVersionUID = 1L;

        private final AllReduceTask task;

        Work(AllReduceTask task) {
            this.task = task;
        }

        @Override
        public scala.collection.Iterator<byte[]> apply(scala.collection.Iterator<Tuple2<Integer, byte[]>> rows) {
            Iterator<Tuple2<Integer, byte[]>> mine = CollectionConverters.asJava(rows);
            try {
                return CollectionConverters.asScala(task.run(mine));
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }
    }
}
