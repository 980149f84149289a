package dev.elman.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.train.EpochResult;
import dev.elman.train.Progress;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class ProgressBarTest {
    private static final EpochResult EPOCH = new EpochResult(3, 1.25, 0.5, 1.5, 0.25, 1, 0.001, 12.34);

    private final StringWriter written = new StringWriter();
    private long nanos;

    private ProgressBar bar(boolean live) {
        return new ProgressBar(new PrintWriter(written), live, 20, TextTask.Kind.classify, () -> nanos);
    }

    /** Without what tells a screen to cut lines. */
    private String written() {
        return written.toString().replaceAll("\u001B\\[\\?7[lh]", "");
    }

    @Test
    void aNarrowScreenCutsTheLineAndWrapsOthers() {
        PrintWriter out = new PrintWriter(written);
        StatusLine line = new StatusLine(out, true, true);
        line.show("a bar");
        line.keep("kept");
        assertEquals(
                "\u001B[?7l\ra bar\u001B[?7h\u001B[?7l\r     \u001B[?7h\rkept" + System.lineSeparator(),
                written.toString());
        new StatusLine(out, true, false).show("a bar");
        assertTrue(written.toString().endsWith("kept" + System.lineSeparator() + "\ra bar"), written.toString());
    }

    @Test
    void whereNobodyWatchesOnlyEpochs() {
        try (ProgressBar bar = bar(false)) {
            bar.onBatchEnd(new Progress(3, 20, 83, 166, 1.25, 0.5));
            bar.onEpochEnd(EPOCH);
        }
        assertEquals(
                "Epoch  3/20  loss 1.2500 acc 0.5000  val_loss 1.5000 val_acc 0.2500  12.3 s" + System.lineSeparator(),
                written.toString());
    }

    @Test
    void withoutValidationNothingOfIt() {
        bar(false).onEpochEnd(new EpochResult(1, 1.25, 0.5, Double.NaN, Double.NaN, 1, 0.001, 0.04));
        assertEquals("Epoch  1/20  loss 1.2500 acc 0.5000  0.0 s" + System.lineSeparator(), written.toString());
    }

    @Test
    void aGeneratorsFigureIsItsPerplexity() {
        ProgressBar bar = new ProgressBar(new PrintWriter(written), false, 20, TextTask.Kind.generate, () -> nanos);
        bar.onEpochEnd(EPOCH);
        assertEquals(
                "Epoch  3/20  loss 1.2500 ppl 3.49  val_loss 1.5000 val_ppl 4.48  12.3 s" + System.lineSeparator(),
                written.toString());
    }

    @Test
    void whereSomebodyWatchesABarWithTheTimeLeft() {
        ProgressBar bar = bar(true);
        bar.onBatchEnd(new Progress(1, 20, 1, 166, 1.25, 0.5));
        nanos = 60_000_000_000L;
        // 2 and a half of 20 epochs but a batch in a minute: 7 minutes and a second are left.
        bar.onBatchEnd(new Progress(3, 20, 83, 166, 1.25, 0.5));
        assertTrue(
                written().endsWith("\rEpoch  3/20 [==========>.........] 83/166 loss 1.2500 acc 0.5000 ETA 7:01"),
                written());
    }

    /** What an earlier run did took this one no time. */
    @Test
    void theTimeLeftIsThatOfThisRun() {
        ProgressBar bar = bar(true);
        bar.onBatchEnd(new Progress(11, 20, 1, 166, 1.25, 0.5));
        nanos = 60_000_000_000L;
        bar.onBatchEnd(new Progress(15, 20, 166, 166, 1.25, 0.5));
        assertTrue(written().endsWith("ETA 1:00"), written());
    }

    /** A compiler warms up in it, and a device: an hour, here. */
    @Test
    void theFirstBatchSaysNothingOfTheOthers() {
        ProgressBar bar = bar(true);
        nanos = 3_600_000_000_000L;
        bar.onBatchEnd(new Progress(1, 20, 1, 100, 1.25, 0.5));
        assertTrue(written().endsWith("1/100 loss 1.2500 acc 0.5000"), written());
        nanos += 1_000_000_000L;
        bar.onBatchEnd(new Progress(1, 20, 2, 100, 1.25, 0.5));
        assertTrue(written().endsWith("ETA 33:18"), written());
    }

    @Test
    void isRedrawnAtMostTenTimesASecond() {
        ProgressBar bar = bar(true);
        for (int batch = 1; batch <= 166; batch++) {
            nanos += 10_000_000;
            bar.onBatchEnd(new Progress(1, 20, batch, 166, 1.25, 0.5));
        }
        assertEquals(17, written.toString().chars().filter(c -> c == '\r').count());
    }

    @Test
    void fitsEightyColumnsAndIsWipedByShorterLines() {
        ProgressBar bar = bar(true);
        bar.onBatchEnd(new Progress(1, 20, 1, 166, 12.25, 0.5));
        nanos = 1_000_000_000_000L;
        bar.onBatchEnd(new Progress(4, 20, 165, 166, 12.25, 0.5));
        int width = written().length() - 1 - written().lastIndexOf('\r');
        assertTrue(written().endsWith("ETA 1:06:54"), written());
        assertTrue(width < 80, written());
        bar.close();
        assertTrue(written().endsWith("\r" + " ".repeat(width) + "\r"), written());
    }

    @Test
    void timesAsOnAClock() {
        assertEquals("0:09", ProgressBar.time(9.4));
        assertEquals("1:00", ProgressBar.time(59.6));
        assertEquals("1:02:03", ProgressBar.time(3723));
    }
}
