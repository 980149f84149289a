package dev.elman.spark;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.function.BooleanSupplier;

/** A connection to one worker and one from another, used at the same time, so that nobody waits in a circle. */
final class Lane implements AutoCloseable {
    private static final long LOOK_UP_MILLIS = 500;

    private final SocketChannel out;
    private final SocketChannel in;
    private final int to;
    private final int from;
    private final Selector selector;
    private final SelectionKey writable;
    private final SelectionKey readable;
    private final BooleanSupplier stopped;
    private final long timeoutMillis;

    Lane(SocketChannel out, int to, SocketChannel in, int from, BooleanSupplier stopped, long timeoutMillis)
            throws IOException {
        this.out = out;
        this.to = to;
        this.in = in;
        this.from = from;
        this.stopped = stopped;
        this.timeoutMillis = timeoutMillis;
        selector = Selector.open();
        out.configureBlocking(false);
        in.configureBlocking(false);
        writable = out.register(selector, 0);
        readable = in.register(selector, 0);
    }

    /** Sends all that remains of one buffer and fills what remains of the other. */
    void swap(ByteBuffer send, ByteBuffer receive) throws IOException {
        long lastMove = System.nanoTime();
        while (send.hasRemaining() || receive.hasRemaining()) {
            int moved = send.hasRemaining() ? write(send) : 0;
            if (receive.hasRemaining()) moved += read(receive);
            if (moved > 0) lastMove = System.nanoTime();
            else await(send.hasRemaining(), receive.hasRemaining(), lastMove);
        }
    }

    /** Swaps buffers of which the other side does not know the size; returns what came. */
    ByteBuffer swapSized(ByteBuffer send) throws IOException {
        ByteBuffer mine = ByteBuffer.allocate(4).putInt(send.remaining()).flip();
        ByteBuffer theirs = ByteBuffer.allocate(4);
        swap(mine, theirs);
        ByteBuffer received = ByteBuffer.allocate(theirs.flip().getInt());
        swap(send, received);
        return received.flip();
    }

    private int write(ByteBuffer send) throws IOException {
        try {
            return out.write(send);
        } catch (IOException e) {
            throw lost(to, e);
        }
    }

    private int read(ByteBuffer receive) throws IOException {
        int count;
        try {
            count = in.read(receive);
        } catch (IOException e) {
            throw lost(from, e);
        }
        if (count < 0) throw lost(from, new EOFException("it closed the connection"));
        return count;
    }

    private static IOException lost(int worker, IOException cause) {
        return new IOException("Lost worker " + worker + ": " + cause.getMessage(), cause);
    }

    private void await(boolean writing, boolean reading, long lastMove) throws IOException {
        if (stopped.getAsBoolean()) throw new IOException("The task was told to stop.");
        if (System.nanoTime() - lastMove > timeoutMillis * 1_000_000) {
            throw new IOException("Nothing moved to worker " + to + " or from worker " + from + " for " + timeoutMillis
                    + " ms. spark.network.timeout says how long that may take.");
        }
        writable.interestOps(writing ? SelectionKey.OP_WRITE : 0);
        readable.interestOps(reading ? SelectionKey.OP_READ : 0);
        selector.select(LOOK_UP_MILLIS);
        selector.selectedKeys().clear();
    }

    @Override
    public void close() throws IOException {
        selector.close();
        out.close();
        in.close();
    }
}
