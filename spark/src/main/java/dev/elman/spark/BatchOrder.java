package dev.elman.spark;

import dev.elman.train.Callback;
import java.io.Serializable;
import java.util.List;

/** What decides the order of the rows besides the settings, so that each executor can work it out for itself. */
final class BatchOrder implements Serializable {
    private static final long serialVersionUID = 1L;

    private final int[] lengths;
    private final boolean[] weightless;

    private BatchOrder(int[] lengths, boolean[] weightless) {
        this.lengths = lengths;
        this.weightless = weightless;
    }

    static BatchOrder of(Table table, FitSettings settings) {
        return new BatchOrder(table.lengths(), settings.weighted() ? table.weightless() : new boolean[settings.rows()]);
    }

    /** Of an epoch, as the core's {@code fit} walks them. */
    List<int[]> batches(FitSettings settings, int epoch) {
        return settings.trainer(new Callback() {}).batches(lengths, row -> !weightless[row], epoch);
    }

    /** The worker in whose share each row is. */
    int[] owners(FitSettings settings, int epoch) {
        return RowExchange.owners(batches(settings, epoch), lengths.length, settings.workers());
    }
}
