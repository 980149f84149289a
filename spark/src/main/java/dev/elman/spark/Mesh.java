package dev.elman.spark;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connections of one worker to all others, made when they are first needed. A connection carries data one way, from the
 * worker that made it. Listens on the executor's own address only, and lets in who knows the run's secret.
 */
final class Mesh implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Mesh.class);
    private static final int HANDSHAKE_MILLIS = 10_000;
    private static final int WAITING_CONNECTIONS = 1024;

    private final Handshake handshake;
    private final ServerSocketChannel server;
    private final ExecutorService greeters = Executors.newCachedThreadPool(run -> {
        Thread thread = new Thread(run, "elman-mesh");
        thread.setDaemon(true);
        return thread;
    });
    private final Map<Integer, SocketChannel> incoming = new HashMap<>();
    private final Map<Integer, Lane> lanes = new HashMap<>();
    private final BooleanSupplier stopped;
    private final long timeoutMillis;
    private String[] addresses;
    private int rank;

    /**
     * Begins to listen.
     *
     * @param host of this executor
     * @param stopped whether the task has been told to stop
     * @param timeoutMillis how long a worker may be silent before it counts as lost
     */
    Mesh(String host, byte[] secret, BooleanSupplier stopped, long timeoutMillis) throws IOException {
        this.handshake = new Handshake(secret);
        this.stopped = stopped;
        this.timeoutMillis = timeoutMillis;
        this.server = ServerSocketChannel.open();
        server.bind(new InetSocketAddress(InetAddress.getByName(host), 0), WAITING_CONNECTIONS);
    }

    /** Where the others find this worker, as {@code host:port}. */
    String address() throws IOException {
        InetSocketAddress address = (InetSocketAddress) server.getLocalAddress();
        return address.getAddress().getHostAddress() + ":" + address.getPort();
    }

    /** From now on this is worker {@code rank} of those at these addresses. */
    void join(int rank, String[] addresses) {
        this.rank = rank;
        this.addresses = addresses.clone();
        greeters.execute(this::accept);
    }

    int rank() {
        return rank;
    }

    int size() {
        return addresses.length;
    }

    private void accept() {
        while (server.isOpen()) {
            try {
                SocketChannel channel = server.accept();
                greeters.execute(() -> greet(channel));
            } catch (IOException e) {
                if (server.isOpen()) LOG.warn("Worker {} cannot accept a connection: {}", rank, e.toString());
                return;
            }
        }
    }

    private void greet(SocketChannel channel) {
        try {
            channel.socket().setSoTimeout(HANDSHAKE_MILLIS);
            int theirs = handshake.meet(channel.socket(), rank);
            synchronized (incoming) {
                if (!server.isOpen()) throw new ClosedChannelException();
                incoming.put(theirs, channel);
                incoming.notifyAll();
            }
        } catch (IOException e) {
            LOG.warn("Worker {} refused a connection: {}", rank, e.toString());
            closeQuietly(channel);
        }
    }

    /** The lane on which this worker sends to the one {@code distance} further and hears from the one as far behind. */
    Lane lane(int distance) throws IOException {
        Lane lane = lanes.get(distance);
        if (lane == null) {
            int to = (rank + distance) % size();
            int from = (rank - distance + size()) % size();
            SocketChannel out = connect(to);
            try {
                lane = new Lane(out, to, awaitFrom(from), from, stopped, timeoutMillis);
            } catch (IOException e) {
                closeQuietly(out);
                throw e;
            }
            lanes.put(distance, lane);
        }
        return lane;
    }

    private SocketChannel connect(int to) throws IOException {
        int colon = addresses[to].lastIndexOf(':');
        InetAddress host = InetAddress.getByName(addresses[to].substring(0, colon));
        int port = Integer.parseInt(addresses[to].substring(colon + 1));
        SocketChannel channel = SocketChannel.open();
        try {
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            channel.socket()
                    .connect(new InetSocketAddress(host, port), (int) Math.min(timeoutMillis, HANDSHAKE_MILLIS));
            channel.socket().setSoTimeout(HANDSHAKE_MILLIS);
            handshake.introduce(channel.socket(), rank, to);
            return channel;
        } catch (IOException e) {
            closeQuietly(channel);
            throw new IOException(
                    "Worker " + rank + " cannot reach worker " + to + " at " + addresses[to] + ": " + e.getMessage()
                            + ". Executors must be able to connect to each other.",
                    e);
        }
    }

    private SocketChannel awaitFrom(int from) throws IOException {
        long deadline = System.nanoTime() + timeoutMillis * 1_000_000;
        synchronized (incoming) {
            while (!incoming.containsKey(from)) {
                if (stopped.getAsBoolean()) throw new IOException("The task was told to stop.");
                if (System.nanoTime() > deadline) {
                    throw new IOException(
                            "Worker " + rank + " waited " + timeoutMillis + " ms for worker " + from + ".");
                }
                try {
                    incoming.wait(100);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new IOException("The task was interrupted.", e);
                }
            }
            return incoming.remove(from);
        }
    }

    private static void closeQuietly(AutoCloseable resource) {
        try {
            resource.close();
        } catch (Exception e) {
            LOG.debug("closing", e);
        }
    }

    @Override
    public void close() {
        closeQuietly(server);
        lanes.values().forEach(Mesh::closeQuietly);
        synchronized (incoming) {
            incoming.values().forEach(Mesh::closeQuietly);
        }
        greeters.shutdownNow();
    }
}
