package dev.elman.cli;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** What {@code bench} measures, and for how long. */
final class BenchShapes {
    private static final int[][] USUAL = {
        // N, T, H
        {1, 512, 64}, {1, 512, 512}, {32, 512, 64}, {32, 512, 256}, {32, 512, 512},
        {128, 512, 256}, {128, 512, 512}, {128, 512, 1024}, {512, 128, 512}, {512, 128, 1024}
    };
    private static final int[][] QUICK = {{1, 16, 32}, {16, 16, 64}};

    @Option(names = "--quick", description = "Small shapes and few repetitions: a second for each backend.")
    private boolean quick;

    @Option(names = "--batch-size", paramLabel = "N", split = ",", description = "Rows, one number or more.")
    private List<Integer> rows = List.of();

    @Option(names = "--steps", paramLabel = "T", split = ",", description = "Steps, one number or more.")
    private List<Integer> steps = List.of();

    @Option(
            names = "--hidden",
            paramLabel = "H",
            split = ",",
            description = "Nodes and input features. With --batch-size and --steps: every combination, instead of the"
                    + " usual shapes.")
    private List<Integer> hidden = List.of();

    @Option(
            names = "--unequal",
            description = "Rows of unequal length, as many of each from 1 to T, by a mask; times and traffic count live"
                    + " steps, us/step counts T.")
    private boolean unequal;

    @Option(
            names = "--bidirectional",
            description =
                    "A layer of both directions. Training holds the sum of their gradients of x; the copies that put"
                            + " their states side by side are not measured.")
    private boolean bidirectional;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            description =
                    "Once a result has taken so many seconds, no further sample of it begins; a first run does not"
                            + " count (default: ${DEFAULT-VALUE}).")
    private double seconds = 3;

    /**
     * One shape, D = H.
     *
     * @param directions of the layer, 1 or 2
     * @param unequal whether row i of N has ceil(T (i+1) / N) live steps, in shuffled order, or all have T
     */
    record Shape(int n, int t, int h, int directions, boolean unequal) {
        @Override
        public String toString() {
            return "N = " + n + ", T = " + t + ", H = " + h;
        }
    }

    /** Throws {@link UserException} where the options make no shape. */
    void check() {
        boolean some = !rows.isEmpty() || !steps.isEmpty() || !hidden.isEmpty();
        boolean all = !rows.isEmpty() && !steps.isEmpty() && !hidden.isEmpty();
        if (some && !all) {
            throw new UserException("Shapes of your own take all three of --batch-size, --steps and --hidden, as in"
                    + " --batch-size 32,128 --steps 512 --hidden 256.");
        }
        for (List<Integer> each : List.of(rows, steps, hidden)) {
            for (int number : each) {
                if (number < 1) {
                    throw new UserException(
                            "--batch-size, --steps and --hidden are 1 or more, but " + number + " was given.");
                }
            }
        }
        if (!(seconds > 0)) throw new UserException("--seconds must be above 0, but is " + seconds + ".");
    }

    boolean quick() {
        return quick;
    }

    double seconds() {
        return seconds;
    }

    List<Shape> all() {
        List<Shape> chosen = new ArrayList<>();
        for (int h : hidden) for (int n : rows) for (int t : steps) chosen.add(shape(n, t, h));
        if (!chosen.isEmpty()) return chosen;
        for (int[] shape : quick ? QUICK : USUAL) chosen.add(shape(shape[0], shape[1], shape[2]));
        return chosen;
    }

    private Shape shape(int n, int t, int h) {
        return new Shape(n, t, h, bidirectional ? 2 : 1, unequal);
    }
}
