package dev.elman.peers;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;

/** Compares what a peer computes with plain loops in double. */
final class Check {
    /** The most that an element may be off, as a share of the largest element. */
    private static final double TOLERANCE = 2e-5;

    private final Reference reference;

    Check(Problem problem) {
        this.reference = new Reference(problem);
    }

    /**
     * The largest deviation of each output, as a share of the largest element, in all modes the peer has; it was
     * prepared.
     *
     * @throws IOException when an output is off by more than the tolerance
     */
    Map<Output, Double> of(PeerProcess peer) throws IOException {
        Map<Output, Double> worst = new EnumMap<>(Output.class);
        Path folder = Files.createTempDirectory("elman-peers");
        for (Mode mode : Mode.values()) {
            if (!peer.can(mode)) continue;
            peer.ask("save", mode, folder);
            for (Output output : Output.of(mode)) {
                Path file = folder.resolve(output.name());
                double deviation = deviation(reference.get(output), read(file));
                Files.delete(file);
                if (!(deviation <= TOLERANCE)) {
                    throw new IOException(mode.title() + ": " + output.title() + " is off by " + deviation
                            + " of its largest element, not by " + TOLERANCE + " at most");
                }
                worst.merge(output, deviation, Math::max);
            }
        }
        Files.delete(folder);
        return worst;
    }

    private static float[] read(Path file) throws IOException {
        FloatBuffer values = ByteBuffer.wrap(Files.readAllBytes(file))
                .order(ByteOrder.LITTLE_ENDIAN)
                .asFloatBuffer();
        float[] copy = new float[values.remaining()];
        values.get(copy);
        return copy;
    }

    /**
     * The largest difference as a share of the largest expected element; infinite where something is no number or
     * missing.
     */
    static double deviation(double[] expected, float[] actual) {
        if (expected.length != actual.length) return Double.POSITIVE_INFINITY;
        double largest = 0;
        double difference = 0;
        for (int i = 0; i < expected.length; i++) {
            if (Float.isNaN(actual[i])) return Double.POSITIVE_INFINITY;
            difference = Math.max(difference, Math.abs(actual[i] - expected[i]));
            largest = Math.max(largest, Math.abs(expected[i]));
        }
        return difference == 0 ? 0 : difference / largest;
    }
}
