package dev.elman.spark;

import dev.elman.train.Team;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;

/** The workers of a barrier stage as a team of the core's. */
final class RingTeam implements Team {
    private final Mesh mesh;
    private final Ring ring;
    private final RowExchange rows;
    private final EpochStart onEpoch;
    private int epochHere;
    private long nanos;

    /** Told when an epoch begins, before its rows are brought. */
    interface EpochStart {
        void begin(int epoch) throws IOException;
    }

    RingTeam(Mesh mesh, Ring ring, RowExchange rows, EpochStart onEpoch) {
        this.mesh = mesh;
        this.ring = ring;
        this.rows = rows;
        this.onEpoch = onEpoch;
    }

    @Override
    public int size() {
        return mesh.size();
    }

    @Override
    public int rank() {
        return mesh.rank();
    }

    @Override
    public void sum(float[] values) {
        long began = System.nanoTime();
        try {
            ring.sum(values);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        nanos += System.nanoTime() - began;
    }

    @Override
    public void startEpoch(int epoch, List<int[]> batches) {
        if (epoch == epochHere) return;
        nanos = 0; // the wait for the others after an epoch is in no epoch's time
        long began = System.nanoTime();
        try {
            onEpoch.begin(epoch);
            rows.bring(batches);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        epochHere = epoch;
        nanos += System.nanoTime() - began;
    }

    /** Seconds spent on exchange since the epoch began. */
    double seconds() {
        return nanos * 1e-9;
    }
}
