package dev.elman.train;

import dev.elman.backend.Tensor;
import dev.elman.io.DType;
import dev.elman.io.ModelFileException;
import dev.elman.io.NdArray;
import dev.elman.io.SafeTensors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** All that a training needs to go on after an epoch with the same bits as if it had never stopped. */
public final class Checkpoint {
    /** What such a file says of itself in its metadata, under {@code elman.kind}. */
    public static final String KIND = "checkpoint";

    static final String WEIGHTS = "weights";
    static final String LAST_GOOD = "lastGood";
    static final String BEST = "best";
    private static final String MOMENT = "moment.";
    private static final String RESULTS = "results";
    private static final String COUNTERS = "counters";
    private static final String RATES = "rates";
    private static final String SETTING = "elman.training.";
    private static final int COLUMNS = 8;
    /** Elements of a tensor. */
    private static final int MOST = NdArray.most(DType.F64);

    private static final String REMEDY =
            "Remove the file to begin anew, or go on with the model and trainer that wrote it.";

    private final String origin;
    private final TrainingPlan plan;
    private final Counters counters;
    private final List<EpochResult> results;
    /** As the file has them. */
    private final Map<String, NdArray> tensors;

    /** Where a training is besides its numbers. */
    record Counters(int epoch, long step, int lastGoodEpoch, int bestEpoch, double bestLoss, double learningRate) {}

    private Checkpoint(
            String origin,
            TrainingPlan plan,
            Counters counters,
            List<EpochResult> results,
            Map<String, NdArray> tensors) {
        this.origin = origin;
        this.plan = plan;
        this.counters = counters;
        this.results = List.copyOf(results);
        this.tensors = tensors;
    }

    /** A copy of these tensors. */
    static Checkpoint of(
            TrainingPlan plan,
            Counters counters,
            List<EpochResult> results,
            Map<String, Tensor> tensors,
            List<Tensor> moments) {
        Map<String, NdArray> copies = new LinkedHashMap<>();
        pieces(tensors, moments).forEach((name, piece) -> copies.put(name, vector(piece.toDoubles())));
        return new Checkpoint("the checkpoint", plan, counters, results, copies);
    }

    /**
     * Refuses a training whose checkpoints the heap cannot hold, before its first epoch is lost to the first of them.
     *
     * @param tensors and moments, how many there are
     * @param numbers of each
     * @throws IllegalArgumentException when they, and one of them on its way as doubles and floats, are larger than the heap
     */
    static void requireRoom(int tensors, long numbers, long heap) {
        long bytes = tensors * numbers * Double.BYTES + Math.min(numbers, MOST) * (Double.BYTES + Float.BYTES);
        if (bytes > heap) {
            throw new IllegalArgumentException("A checkpoint of this training takes " + bytes
                    + " bytes of the heap, which has " + heap
                    + ". Start java with a larger -Xmx, or train without checkpoints.");
        }
    }

    private static Map<String, Tensor> pieces(Map<String, Tensor> tensors, List<Tensor> moments) {
        Map<String, Tensor> all = new LinkedHashMap<>(tensors);
        for (int i = 0; i < moments.size(); i++) all.put(MOMENT + i, moments.get(i));
        return Pieces.of(all, MOST);
    }

    private static NdArray vector(double[] values) {
        return NdArray.ofDoubles(values, values.length);
    }

    /** The epoch that had ended, counted from 1. */
    public int epoch() {
        return counters.epoch();
    }

    Counters counters() {
        return counters;
    }

    List<EpochResult> results() {
        return results;
    }

    /**
     * Copies everything back.
     *
     * @throws IllegalArgumentException when the training is another one's; nothing has changed then
     */
    void restore(TrainingPlan now, Map<String, Tensor> into, List<Tensor> moments) {
        String difference = plan.difference(now);
        if (difference != null) throw other(difference);
        if (epoch() > now.epochs()) {
            throw other("it is of the end of epoch " + epoch() + ", but this training has " + now.epochs() + " epochs");
        }
        Map<String, Tensor> all = pieces(into, moments);
        if (!all.keySet().equals(tensors.keySet())) {
            throw other("it has " + tensors.keySet() + ", but this training needs " + all.keySet());
        }
        all.forEach((name, tensor) -> {
            if (tensors.get(name).size() != tensor.shape().size()) {
                throw other(name + " has " + tensors.get(name).size() + " numbers, but this model has "
                        + tensor.shape().size());
            }
        });
        all.forEach((name, tensor) -> tensor.set(tensors.get(name).doubles()));
    }

    private IllegalArgumentException other(String difference) {
        return new IllegalArgumentException(origin + " is of another training: " + difference + ". " + REMEDY);
    }

    /** Writes it as safetensors, in one move or not at all. */
    public void write(Path file) throws IOException {
        Map<String, NdArray> entries = new LinkedHashMap<>(tensors);
        double[] rows = new double[results.size() * COLUMNS];
        for (int i = 0; i < results.size(); i++) System.arraycopy(row(results.get(i)), 0, rows, i * COLUMNS, COLUMNS);
        double[] rates = plan.rates().stream().mapToDouble(Double::doubleValue).toArray();
        entries.put(RATES, vector(rates));
        entries.put(RESULTS, NdArray.ofDoubles(rows, results.size(), COLUMNS));
        double[] counts = {
            counters.epoch(),
            counters.step(),
            counters.lastGoodEpoch(),
            counters.bestEpoch(),
            counters.bestLoss(),
            counters.learningRate()
        };
        entries.put(COUNTERS, vector(counts));
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put(ModelFile.KIND, KIND);
        plan.settings().forEach((name, value) -> metadata.put(SETTING + name, value));
        new SafeTensors(entries, metadata).write(file);
    }

    private static double[] row(EpochResult result) {
        return new double[] {
            result.epoch(),
            result.loss(),
            result.accuracy(),
            result.validationLoss(),
            result.validationAccuracy(),
            result.gradientNorm(),
            result.learningRate(),
            result.seconds()
        };
    }

    /**
     * Reads what {@link #write} wrote.
     *
     * @throws ModelFileException when the file is not a checkpoint, naming what is wrong
     */
    public static Checkpoint read(Path file) throws IOException {
        SafeTensors contents = SafeTensors.read(file);
        String kind = contents.metadata().get(ModelFile.KIND);
        if (!KIND.equals(kind)) {
            throw new ModelFileException(
                    file, "metadata " + ModelFile.KIND, KIND, "" + kind, "Name another file for the checkpoint.");
        }
        Map<String, NdArray> tensors = new LinkedHashMap<>(contents.tensors());
        for (Map.Entry<String, NdArray> tensor : tensors.entrySet()) {
            if (tensor.getValue().dtype() != DType.F64) {
                throw new ModelFileException(
                        file, tensor.getKey(), "F64", tensor.getValue().toString(), REMEDY);
            }
        }
        double[] counts = doubles(tensors.remove(COUNTERS));
        double[] rows = doubles(tensors.remove(RESULTS));
        if (counts == null
                || counts.length != 6
                || counts[0] < 1
                || rows == null
                || rows.length != counts[0] * COLUMNS) {
            throw new ModelFileException(file, "tensors", COUNTERS + " and " + RESULTS, "none of their size", REMEDY);
        }
        double[] rates = doubles(tensors.remove(RATES));
        Map<String, String> settings = new LinkedHashMap<>();
        contents.metadata().forEach((name, value) -> {
            if (name.startsWith(SETTING)) settings.put(name.substring(SETTING.length()), value);
        });
        List<Double> ofEpochs =
                rates == null ? List.of() : Arrays.stream(rates).boxed().toList();
        TrainingPlan plan = new TrainingPlan(settings, ofEpochs.size() / 2, ofEpochs);
        List<EpochResult> results = new ArrayList<>();
        for (int i = 0; i < rows.length; i += COLUMNS) {
            results.add(new EpochResult(
                    (int) rows[i],
                    rows[i + 1],
                    rows[i + 2],
                    rows[i + 3],
                    rows[i + 4],
                    rows[i + 5],
                    rows[i + 6],
                    rows[i + 7]));
        }
        Counters counters =
                new Counters((int) counts[0], (long) counts[1], (int) counts[2], (int) counts[3], counts[4], counts[5]);
        return new Checkpoint(file.toString(), plan, counters, results, tensors);
    }

    private static double[] doubles(NdArray array) {
        return array == null ? null : array.doubles();
    }
}
