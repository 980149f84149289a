package dev.elman.cli;

import dev.elman.train.Callback;
import dev.elman.train.EpochResult;
import dev.elman.train.Progress;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.function.LongSupplier;

/**
 * Shows a training: a bar that is redrawn with loss, accuracy (or perplexity) and the time left for the whole training, as
 * Keras does it, and one line that stays for each epoch. Where nobody watches, only that line.
 */
final class ProgressBar implements Callback, AutoCloseable {
    private static final int WIDTH = 20;
    private static final long REDRAW_NANOS = 100_000_000;

    private final StatusLine line;
    private final LongSupplier nanos;
    private final int epochs;
    private final TextTask.Kind kind;
    private long drawn;
    /** When this run's first batch ended, which takes longer than others: what is computed is made ready in it. */
    private long began;
    /** Batches that were done then, those of an earlier run among them, from whose checkpoint this one goes on; -1 before. */
    private long doneThen = -1;

    /**
     * A bar for a training that begins now.
     *
     * @param live whether the line may be redrawn
     * @param epochs how many there will be at most
     * @param kind whose figure is shown: accuracy of a classifier, perplexity of a generator
     */
    ProgressBar(PrintWriter out, boolean live, int epochs, TextTask.Kind kind) {
        this(out, live, epochs, kind, System::nanoTime);
    }

    ProgressBar(PrintWriter out, boolean live, int epochs, TextTask.Kind kind, LongSupplier nanos) {
        this.line = new StatusLine(out, live);
        this.epochs = epochs;
        this.kind = kind;
        this.nanos = nanos;
        this.drawn = nanos.getAsLong() - REDRAW_NANOS;
    }

    @Override
    public void onBatchEnd(Progress progress) {
        long now = nanos.getAsLong();
        if (doneThen < 0) {
            doneThen = done(progress);
            began = now;
        }
        if (now - drawn < REDRAW_NANOS) return;
        drawn = now;
        line.show(bar(progress, now));
    }

    @Override
    public boolean onEpochEnd(EpochResult result) {
        line.keep(summary(result));
        return true;
    }

    /** Wipes a bar that a training left half way. */
    @Override
    public void close() {
        line.close();
    }

    /** Batches of the whole training. */
    private static long done(Progress progress) {
        return (progress.epoch() - 1L) * progress.batches() + progress.batch();
    }

    private String bar(Progress progress, long now) {
        int full = WIDTH * progress.batch() / progress.batches();
        String bar = "=".repeat(full) + (full < WIDTH ? ">" + ".".repeat(WIDTH - full - 1) : "");
        long done = done(progress);
        long all = (long) progress.epochs() * progress.batches();
        String left = done == doneThen ? "" : " ETA " + time((now - began) * 1e-9 / (done - doneThen) * (all - done));
        return String.format(
                Locale.ROOT,
                "%s [%s] %d/%d %s%s",
                epoch(progress.epoch()),
                bar,
                progress.batch(),
                progress.batches(),
                figures("", progress.loss(), progress.accuracy()),
                left);
    }

    private String summary(EpochResult result) {
        String validation = Double.isNaN(result.validationLoss())
                ? ""
                : "  " + figures("val_", result.validationLoss(), result.validationAccuracy());
        return String.format(
                Locale.ROOT,
                "%s  %s%s  %.1f s",
                epoch(result.epoch()),
                figures("", result.loss(), result.accuracy()),
                validation,
                result.seconds());
    }

    private String figures(String prefix, double loss, double accuracy) {
        return kind == TextTask.Kind.classify
                ? String.format(Locale.ROOT, "%sloss %.4f %sacc %.4f", prefix, loss, prefix, accuracy)
                : String.format(Locale.ROOT, "%sloss %.4f %sppl %.2f", prefix, loss, prefix, Math.exp(loss));
    }

    private String epoch(int epoch) {
        int digits = Integer.toString(epochs).length();
        return String.format(Locale.ROOT, "Epoch %" + digits + "d/%d", epoch, epochs);
    }

    /** As on a clock: 0:09, 1:02:03. */
    static String time(double seconds) {
        long whole = Math.round(seconds);
        long hours = whole / 3600;
        long minutes = whole / 60 % 60;
        return hours > 0
                ? String.format(Locale.ROOT, "%d:%02d:%02d", hours, minutes, whole % 60)
                : String.format(Locale.ROOT, "%d:%02d", minutes, whole % 60);
    }
}
