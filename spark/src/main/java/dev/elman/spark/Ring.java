package dev.elman.spark;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;

/**
 * Sums over all workers, each of whom talks to its two neighbours only (Patarasuk and Yuan 2009): in N - 1 rounds every
 * worker comes to own the sum of one chunk, in N - 1 more the sums go round. A chunk is summed in one order and then copied,
 * so all workers get the same bits. Each sends 2 (N - 1) / N of the values, however many workers there are.
 */
final class Ring {
    private final Mesh mesh;
    private final Lane neighbours;
    private ByteBuffer send = ByteBuffer.allocateDirect(0);
    private ByteBuffer receive = ByteBuffer.allocateDirect(0);
    private float[] received = new float[0];

    Ring(Mesh mesh) throws IOException {
        this.mesh = mesh;
        this.neighbours = mesh.lane(1);
    }

    /** Replaces the values by their sums over all workers. */
    void sum(float[] values) throws IOException {
        int n = mesh.size();
        requireRoom(values.length / n + 1);
        for (int round = 0; round < n - 1; round++) {
            int chunk = pass(values, mesh.rank() - round);
            int start = start(values.length, chunk);
            for (int i = 0; i < end(values.length, chunk) - start; i++) values[start + i] += received[i];
        }
        for (int round = 0; round < n - 1; round++) {
            int chunk = pass(values, mesh.rank() + 1 - round);
            int start = start(values.length, chunk);
            System.arraycopy(received, 0, values, start, end(values.length, chunk) - start);
        }
    }

    /** Sends a chunk on and receives the one before it, whose number is returned. */
    private int pass(float[] values, int number) throws IOException {
        int n = mesh.size();
        int mine = Math.floorMod(number, n);
        int theirs = Math.floorMod(number - 1, n);
        int size = end(values.length, mine) - start(values.length, mine);
        send.clear();
        send.asFloatBuffer().put(values, start(values.length, mine), size);
        send.limit(4 * size);
        receive.clear().limit(4 * (end(values.length, theirs) - start(values.length, theirs)));
        neighbours.swap(send, receive);
        FloatBuffer arrived = receive.flip().asFloatBuffer();
        arrived.get(received, 0, arrived.remaining());
        return theirs;
    }

    private int start(int length, int chunk) {
        return (int) ((long) length * chunk / mesh.size());
    }

    private int end(int length, int chunk) {
        return start(length, chunk + 1);
    }

    private void requireRoom(int floats) {
        if (received.length >= floats) return;
        send = ByteBuffer.allocateDirect(4 * floats);
        receive = ByteBuffer.allocateDirect(4 * floats);
        received = new float[floats];
    }

    /** What every worker gives, by rank. */
    byte[][] gather(byte[] mine) throws IOException {
        byte[][] all = new byte[mesh.size()][];
        all[mesh.rank()] = mine;
        for (int round = 0; round < mesh.size() - 1; round++) {
            int sending = Math.floorMod(mesh.rank() - round, mesh.size());
            int arriving = Math.floorMod(mesh.rank() - round - 1, mesh.size());
            all[arriving] = neighbours.swapSized(ByteBuffer.wrap(all[sending])).array();
        }
        return all;
    }
}
