package dev.elman.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Workers in threads, over real sockets. */
class MeshTest {
    private static final String HOST = "127.0.0.1";

    /** What a worker does with its mesh. */
    interface Work<T> {
        T with(Mesh mesh) throws Exception;
    }

    static <T> List<T> run(int size, Work<T> work) throws Exception {
        return run(size, 5_000, work);
    }

    private static <T> List<T> run(int size, long timeoutMillis, Work<T> work) throws Exception {
        byte[] secret = Handshake.newSecret();
        List<Mesh> meshes = new ArrayList<>();
        for (int rank = 0; rank < size; rank++) meshes.add(new Mesh(HOST, secret, () -> false, timeoutMillis));
        String[] addresses = new String[size];
        for (int rank = 0; rank < size; rank++)
            addresses[rank] = meshes.get(rank).address();
        ExecutorService threads = Executors.newFixedThreadPool(size);
        try {
            List<Callable<T>> calls = new ArrayList<>();
            for (int rank = 0; rank < size; rank++) {
                int mine = rank;
                calls.add(() -> {
                    try (Mesh mesh = meshes.get(mine)) {
                        mesh.join(mine, addresses);
                        return work.with(mesh);
                    }
                });
            }
            List<T> results = new ArrayList<>();
            for (Future<T> future : threads.invokeAll(calls)) results.add(future.get());
            return results;
        } finally {
            threads.shutdownNow();
        }
    }

    @ParameterizedTest
    @CsvSource({"2,1", "2,7", "3,2", "3,100003", "5,4", "5,1000000"})
    void theRingSumsAndAllHaveTheSameBits(int size, int length) throws Exception {
        List<float[]> sums = run(size, mesh -> {
            float[] values = new float[length];
            for (int i = 0; i < length; i++) values[i] = (mesh.rank() + 1) * 0.1f + i % 13;
            Ring ring = new Ring(mesh);
            for (int again = 0; again < 2; again++) ring.sum(values);
            return values;
        });
        for (int i = 0; i < length; i++) {
            double once = 0.1 * size * (size + 1) / 2 + size * (i % 13);
            assertEquals(once * size, sums.get(0)[i], 1e-4 * once * size);
        }
        for (float[] other : sums) assertArrayEquals(sums.get(0), other);
    }

    @Test
    void everyWorkerHearsWhatAllGive() throws Exception {
        for (byte[][] heard : run(4, mesh -> new Ring(mesh).gather(new byte[mesh.rank() * 100_000]))) {
            for (int rank = 0; rank < 4; rank++) assertEquals(rank * 100_000, heard[rank].length);
        }
    }

    @Test
    void whoDoesNotKnowTheSecretGetsNothing() throws Exception {
        try (Mesh mesh = new Mesh(HOST, Handshake.newSecret(), () -> false, 1_000);
                Mesh stranger = new Mesh(HOST, Handshake.newSecret(), () -> false, 1_000)) {
            String[] addresses = {mesh.address(), stranger.address()};
            mesh.join(0, addresses);
            stranger.join(1, addresses);
            IOException e = assertThrows(IOException.class, () -> stranger.lane(1));
            assertTrue(e.getMessage().contains("cannot reach worker 0"), e.getMessage());
        }
    }

    /** Each side by itself, for a stranger will not stop at its own check. */
    @Test
    void bothSidesAskForTheSecret() throws Exception {
        Handshake ours = new Handshake(Handshake.newSecret());
        InetAddress host = InetAddress.getLoopbackAddress();
        try (ServerSocket server = new ServerSocket(0, 1, host);
                Socket connecting = new Socket(host, server.getLocalPort());
                Socket accepting = server.accept()) {
            connecting.getOutputStream().write(new byte[4 + 16 + 32]); // worker 0, a number, no proof
            IOException e = assertThrows(IOException.class, () -> ours.meet(accepting, 1));
            assertTrue(e.getMessage().startsWith("somebody at"), e.getMessage());
            accepting.getOutputStream().write(new byte[32]); // after the challenge, no proof
            e = assertThrows(IOException.class, () -> ours.introduce(connecting, 0, 1));
            assertTrue(e.getMessage().startsWith("worker 1 at"), e.getMessage());
        }
    }

    @Test
    void aLostWorkerIsNamed() {
        ExecutionException e = assertThrows(
                ExecutionException.class,
                () -> run(3, mesh -> {
                    Ring ring = new Ring(mesh);
                    if (mesh.rank() == 2) return null;
                    ring.sum(new float[1000]);
                    return null;
                }));
        assertTrue(e.getCause().getMessage().startsWith("Lost worker "), e.toString());
    }

    @Test
    void aSilentWorkerIsNotWaitedForForever() {
        ExecutionException e = assertThrows(
                ExecutionException.class,
                () -> run(2, 1_000, mesh -> {
                    Ring ring = new Ring(mesh);
                    if (mesh.rank() == 1) Thread.sleep(3_000);
                    else ring.sum(new float[1000]);
                    return null;
                }));
        assertTrue(e.getCause().getMessage().contains("spark.network.timeout"), e.toString());
    }

    @Test
    void theWaitAfterAnEpochIsInNone() throws Exception {
        FitSettings settings = new FitSettings(
                Rows.VOCABULARY, 8, 16, Rows.CLASSES, false, 0, 0, 7, 1, FitSettings.SGD, 0.1, 0, 8, 2, false, 0);
        List<Double> shares = run(2, mesh -> {
            RowExchange noRows =
                    new RowExchange(mesh, new int[0], new byte[0][], new RowStore(settings, new byte[0][]));
            RingTeam team = new RingTeam(mesh, new Ring(mesh), noRows, epoch -> {});
            team.startEpoch(1, List.of());
            if (mesh.rank() == 1) Thread.sleep(500);
            long began = System.nanoTime();
            team.sum(new float[1]);
            double waited = (System.nanoTime() - began) * 1e-9;
            team.startEpoch(2, List.of());
            return team.seconds() / waited;
        });
        assertTrue(shares.get(0) < 0.5, shares.toString());
    }
}
