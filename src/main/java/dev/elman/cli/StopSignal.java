package dev.elman.cli;

import java.util.concurrent.CountDownLatch;

/**
 * Ctrl-C, or a kill that asks: interrupts the thread that made this, as long as it has something to stop, and keeps the JVM
 * until this is closed, so that what is there can be saved.
 */
final class StopSignal implements AutoCloseable {
    private final Thread worker = Thread.currentThread();
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread hook = new Thread(this::stop, "elman-stop");
    private boolean over;

    StopSignal() {
        Runtime.getRuntime().addShutdownHook(hook);
    }

    private void stop() {
        synchronized (this) {
            if (!over) worker.interrupt();
        }
        try {
            closed.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** To be asked once there is nothing more to stop: whether the thread was interrupted, which it is no longer. */
    synchronized boolean taken() {
        over = true;
        return Thread.interrupted();
    }

    @Override
    public void close() {
        closed.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The JVM is going down, and may do so now.
        }
    }
}
