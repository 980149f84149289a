package dev.elman.spark;

import dev.elman.train.Team;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Brings every worker the rows of its shares before an epoch. A row stays on the worker that read it; a copy goes to the one
 * whose share it is in. Each pair of workers swaps once an epoch, so that together they move every row once.
 */
final class RowExchange {
    private final Mesh mesh;
    private final int[] numbers;
    private final byte[][] held;
    private final RowStore store;

    /**
     * @param numbers that the held rows have in the table
     * @param store where the epoch's rows go
     */
    RowExchange(Mesh mesh, int[] numbers, byte[][] held, RowStore store) {
        this.mesh = mesh;
        this.numbers = numbers;
        this.held = held;
        this.store = store;
    }

    void bring(List<int[]> batches) throws IOException {
        store.clear();
        List<List<Integer>> outgoing = new ArrayList<>();
        for (int rank = 0; rank < mesh.size(); rank++) outgoing.add(new ArrayList<>());
        int[] owners = owners(batches, store.rows(), mesh.size());
        for (int i = 0; i < held.length; i++) outgoing.get(owners[numbers[i]]).add(i);
        for (int i : outgoing.get(mesh.rank())) store.put(numbers[i], held[i]);
        for (int distance = 1; distance < mesh.size(); distance++) {
            int to = (mesh.rank() + distance) % mesh.size();
            receive(mesh.lane(distance).swapSized(pack(outgoing.get(to))));
        }
    }

    /** The worker in whose share each row is. */
    static int[] owners(List<int[]> batches, int rows, int workers) {
        int[] owners = new int[rows];
        for (int[] batch : batches) {
            for (int rank = 0; rank < workers; rank++) {
                int end = Team.shareStart(batch.length, rank + 1, workers);
                for (int i = Team.shareStart(batch.length, rank, workers); i < end; i++) owners[batch[i]] = rank;
            }
        }
        return owners;
    }

    private ByteBuffer pack(List<Integer> places) {
        long bytes = 0;
        for (int i : places) bytes += 8 + held[i].length;
        if (bytes > Integer.MAX_VALUE - 8) {
            throw new UncheckedIOException(new IOException("Two workers would have to swap " + bytes
                    + " bytes of rows, more than fit one array. Use more workers."));
        }
        ByteBuffer packed = ByteBuffer.allocate((int) bytes);
        for (int i : places) packed.putInt(numbers[i]).putInt(held[i].length).put(held[i]);
        return packed.flip();
    }

    private void receive(ByteBuffer packed) {
        while (packed.hasRemaining()) {
            int number = packed.getInt();
            byte[] row = new byte[packed.getInt()];
            packed.get(row);
            store.put(number, row);
        }
    }
}
