package dev.elman.spark;

import dev.elman.Backends;
import dev.elman.backend.Backend;
import dev.elman.train.Callback;
import dev.elman.train.LocalTraining;
import dev.elman.train.SimpleRnnClassifier;
import dev.elman.train.Team;
import dev.elman.train.Trainer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.apache.spark.HashPartitioner;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function2;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.storage.StorageLevel;
import scala.Tuple2;
import scala.jdk.javaapi.CollectionConverters;

/**
 * The driver's side of a fit by AVERAGE(k): rounds of one job each, in which every worker takes k steps for itself from the
 * same state; then weights and moments are averaged by the weight of the rows. Once an epoch the rows are shuffled to where
 * their shares are.
 */
final class AverageFit {
    private final JavaSparkContext context;
    private final Table table;
    private final FitSettings settings;
    private final int localSteps;
    private final FitMetrics metrics;
    private final WorkerHook hook;
    private final String fit = "fit " + UUID.randomUUID();
    private final Trainer trainer;
    private final List<EpochSummary> epochs = new ArrayList<>();
    private List<String> workers = List.of();
    private float[] state;
    private long steps;

    AverageFit(
            JavaSparkContext context,
            Table table,
            FitSettings settings,
            int localSteps,
            FitMetrics metrics,
            WorkerHook hook) {
        this.context = context;
        this.table = table;
        this.settings = settings;
        this.localSteps = localSteps;
        this.metrics = metrics;
        this.hook = hook;
        this.trainer = settings.trainer(new Callback() {});
    }

    /** @param onEpoch told of each epoch when it is over */
    FitResult run(Consumer<EpochSummary> onEpoch) {
        try (Backend backend = Backends.openCpu(1);
                SimpleRnnClassifier model = new SimpleRnnClassifier(backend, settings.config());
                LocalTraining training = new LocalTraining(model, trainer, 1)) {
            state = training.state();
            Broadcast<BatchOrder> order = context.broadcast(BatchOrder.of(table, settings));
            for (int epoch = 1; epoch <= settings.epochs(); epoch++) {
                epoch(epoch, order);
                onEpoch.accept(epochs.get(epoch - 1));
            }
            order.destroy();
            training.restore(state, steps);
            byte[] file = TempFiles.saved(model);
            return new FitResult(file, new ArrayList<>(epochs), new ArrayList<>(workers), 0, null);
        } catch (Exception e) { // also Spark's, which Scala does not declare
            throw ExecutorCheck.explain(e);
        }
    }

    private void epoch(int epoch, Broadcast<BatchOrder> order) {
        long began = System.nanoTime();
        JavaRDD<EpochShares> shares = shares(table, settings, epoch, order);
        shares.persist(StorageLevel.MEMORY_AND_DISK());
        try {
            epochs.add(train(epoch, shares, began));
            if (epoch == settings.epochs()) proveLast(shares);
        } finally {
            shares.unpersist(false);
        }
    }

    private EpochSummary train(int epoch, JavaRDD<EpochShares> shares, long began) {
        double weight = 0;
        double loss = 0;
        double accuracy = 0;
        double computing = 0;
        for (int batch = 0; batch < settings.batches(); batch += localSteps) {
            Averaged round = round(shares, epoch, batch);
            weight += round.weight();
            loss += round.loss();
            accuracy += round.accuracy();
            computing += round.computeSeconds();
            workers = round.devices();
        }
        double seconds = (System.nanoTime() - began) * 1e-9;
        return new EpochSummary(
                epoch, loss / weight, accuracy / weight, settings.rows() / seconds, 1 - computing / seconds);
    }

    private Averaged round(JavaRDD<EpochShares> shares, int epoch, int firstBatch) {
        EpochSummary before = epochs.isEmpty() ? null : epochs.get(epochs.size() - 1);
        int batches = batchesOfRound(firstBatch);
        AverageTask task = new AverageTask(settings, fit, firstBatch, batches, steps, metrics, before, hook);
        Averaged mean = mean(shares, task::run);
        requireFinite(mean, epoch, firstBatch);
        state = mean.state();
        steps += batches;
        return mean;
    }

    private int batchesOfRound(int firstBatch) {
        return Math.min(localSteps, settings.batches() - firstBatch);
    }

    /** Weights are good when a loss has come of them; of the last ones none has, so they get one batch more. */
    private void proveLast(JavaRDD<EpochShares> shares) {
        AverageTask task = new AverageTask(settings, fit, 0, 1, steps, metrics, null, hook);
        int lastRound = (settings.batches() - 1) / localSteps * localSteps;
        requireFinite(mean(shares, task::learn), settings.epochs(), lastRound);
    }

    private Averaged mean(JavaRDD<EpochShares> shares, Function2<EpochShares, float[], Averaged> task) {
        Broadcast<float[]> from = context.broadcast(state);
        Averaged mean = shares.map(mine -> task.call(mine, from.value())).treeReduce(Averaged::plus);
        from.destroy();
        return mean;
    }

    private void requireFinite(Averaged mean, int epoch, int firstBatch) {
        if (Double.isFinite(mean.loss())) return;
        throw new IllegalStateException("Training diverged in epoch " + epoch + " between batches " + (firstBatch + 1)
                + " and " + (firstBatch + batchesOfRound(firstBatch)) + ". Try a smaller stepSize, or clipNorm 1.");
    }

    /** One element a worker. */
    static JavaRDD<EpochShares> shares(Table table, FitSettings settings, int epoch, Broadcast<BatchOrder> order) {
        int n = settings.workers();
        return table.numbered()
                .mapPartitionsToPair(some -> address(some, order.value().owners(settings, epoch)))
                .partitionBy(new HashPartitioner(n))
                .mapPartitionsWithIndex(
                        (rank, some) -> List.of(collect(some, order.value().batches(settings, epoch), rank, settings))
                                .iterator(),
                        true);
    }

    /** Rows by the worker whose share they are in; a small int's hash is itself. */
    private static Iterator<Tuple2<Integer, Tuple2<Integer, byte[]>>> address(
            Iterator<Tuple2<Integer, byte[]>> rows, int[] owners) {
        return CollectionConverters.asJava(
                CollectionConverters.asScala(rows).map(row -> new Tuple2<>(owners[row._1()], row)));
    }

    private static EpochShares collect(
            Iterator<Tuple2<Integer, Tuple2<Integer, byte[]>>> arrived,
            List<int[]> batches,
            int rank,
            FitSettings settings) {
        byte[][] here = new byte[settings.rows()][];
        arrived.forEachRemaining(row -> here[row._2()._1()] = row._2()._2());
        EpochShares shares = new EpochShares();
        for (int[] batch : batches) {
            int from = Team.shareStart(batch.length, rank, settings.workers());
            int to = Team.shareStart(batch.length, rank + 1, settings.workers());
            List<byte[]> share = new ArrayList<>();
            for (int row : Arrays.copyOfRange(batch, from, to)) share.add(here[row]);
            shares.add(from, share);
        }
        return shares;
    }
}
