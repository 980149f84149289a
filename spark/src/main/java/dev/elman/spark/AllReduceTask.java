package dev.elman.spark;

import dev.elman.backend.Backend;
import dev.elman.train.Callback;
import dev.elman.train.Checkpoints;
import dev.elman.train.EpochResult;
import dev.elman.train.History;
import dev.elman.train.SimpleRnnClassifier;
import dev.elman.train.TrainingDivergedException;
import java.io.IOException;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.BarrierTaskContext;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.util.SerializableConfiguration;
import scala.Tuple2;

/** One worker of a fit by ALLREDUCE: reads its part of the table, meets the others, trains with them. */
final class AllReduceTask implements Serializable {
    private static final long serialVersionUID = 1L;

    private final FitSettings settings;
    private final byte[] secret;
    private final String checkpointFolder;
    private final SerializableConfiguration configuration;
    private final FitMetrics metrics;
    private final WorkerHook hook;

    /** @param checkpointFolder of this fit alone, or null */
    AllReduceTask(
            FitSettings settings,
            byte[] secret,
            String checkpointFolder,
            SerializableConfiguration configuration,
            FitMetrics metrics,
            WorkerHook hook) {
        this.settings = settings;
        this.secret = secret;
        this.checkpointFolder = checkpointFolder;
        this.configuration = configuration;
        this.metrics = metrics;
        this.hook = hook;
    }

    /** The result of worker 0, and nothing of the others. */
    Iterator<byte[]> run(Iterator<Tuple2<Integer, byte[]>> rows) throws IOException {
        List<Integer> numbers = new ArrayList<>();
        List<byte[]> held = new ArrayList<>();
        rows.forEachRemaining(row -> {
            numbers.add(row._1());
            held.add(row._2());
        });
        BarrierTaskContext task = BarrierTaskContext.get();
        long timeoutMillis = 1000 * SparkEnv.get().conf().getTimeAsSeconds("spark.network.timeout", "120s");
        String host = SparkEnv.get().blockManager().blockManagerId().host();
        try (Mesh mesh = new Mesh(host, secret, task::isInterrupted, timeoutMillis)) {
            String own = mesh.address();
            // The one call that goes by way of the driver: it costs a second, which one worker alone can save.
            mesh.join(task.partitionId(), settings.workers() == 1 ? new String[] {own} : task.allGather(own));
            int[] known = numbers.stream().mapToInt(Integer::intValue).toArray();
            return train(task, mesh, known, held.toArray(new byte[0][]));
        }
    }

    private Iterator<byte[]> train(BarrierTaskContext task, Mesh mesh, int[] numbers, byte[][] held)
            throws IOException {
        Placement.Opened opened = Placement.ofTask().open();
        try (Backend backend = opened.backend();
                SimpleRnnClassifier model = new SimpleRnnClassifier(backend, settings.config())) {
            Ring ring = new Ring(mesh);
            RowStore store = new RowStore(settings, ring.gather(RowStore.describe(numbers, held)));
            ArrayList<String> workers = new ArrayList<>();
            for (byte[] worker : ring.gather(describe(opened))) workers.add(new String(worker, StandardCharsets.UTF_8));
            RowExchange exchange = new RowExchange(mesh, numbers, held, store);
            RingTeam team = new RingTeam(mesh, ring, exchange, epoch -> begin(task, epoch));
            Checkpoints checkpoints = checkpoints(ring, mesh.rank());
            ArrayList<EpochSummary> epochs = new ArrayList<>();
            int attempt = task.stageAttemptNumber();
            History history;
            try {
                history = model.fit(store.data(), settings.trainer(new Report(team, epochs)), team, checkpoints);
            } catch (TrainingDivergedException e) { // on all workers at once
                return result(mesh, new FitResult(null, epochs, workers, attempt, e.getMessage()));
            }
            byte[] file = TempFiles.saved(model);
            addEarlier(history, epochs);
            return result(mesh, new FitResult(file, epochs, workers, attempt, null));
        }
    }

    /** One worker alone waits for nobody, and so would never hear that it should stop. */
    private void begin(TaskContext task, int epoch) throws IOException {
        hook.begin(task, epoch);
        if (task.isInterrupted()) throw new IOException("The task was told to stop.");
    }

    private static Iterator<byte[]> result(Mesh mesh, FitResult result) throws IOException {
        return mesh.rank() == 0
                ? List.of(result.toBytes()).iterator()
                : List.<byte[]>of().iterator();
    }

    private static byte[] describe(Placement.Opened opened) {
        String line = "executor " + SparkEnv.get().executorId() + ": " + opened.description();
        return line.getBytes(StandardCharsets.UTF_8);
    }

    /** All go on from the epoch that worker 0 found: a worker of an attempt before this one may still be writing. */
    private Checkpoints checkpoints(Ring ring, int rank) throws IOException {
        if (checkpointFolder == null) return Checkpoints.none();
        HadoopCheckpoints checkpoints = new HadoopCheckpoints(checkpointFolder, configuration.value());
        int found = rank == 0 ? checkpoints.lastEpoch() : 0;
        byte[][] said = ring.gather(ByteBuffer.allocate(4).putInt(found).array());
        checkpoints.resumeFrom(ByteBuffer.wrap(said[0]).getInt());
        return checkpoints;
    }

    /** The epochs of attempts before this one, of which the checkpoint knows all but the exchange. */
    private void addEarlier(History history, List<EpochSummary> epochs) {
        int missing = history.epochs().size() - epochs.size();
        for (int i = missing - 1; i >= 0; i--)
            epochs.add(0, summary(history.epochs().get(i), Double.NaN));
    }

    private EpochSummary summary(EpochResult result, double exchangeSeconds) {
        return new EpochSummary(
                result.epoch(),
                result.loss(),
                result.accuracy(),
                settings.rows() / result.seconds(),
                exchangeSeconds / result.seconds());
    }

    /** Notes every epoch, and shows it. */
    private final class Report implements Callback {
        private final RingTeam team;
        private final List<EpochSummary> epochs;

        Report(RingTeam team, List<EpochSummary> epochs) {
            this.team = team;
            this.epochs = epochs;
        }

        @Override
        public boolean onEpochEnd(EpochResult result) {
            double exchange = team.seconds();
            metrics.exchangeSeconds.add(exchange);
            if (team.rank() == 0) {
                EpochSummary summary = summary(result, exchange);
                epochs.add(summary);
                metrics.rows.add(settings.rows());
                metrics.set(summary);
            }
            return true;
        }
    }
}
