package dev.elman.cpu;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** Daemon threads that help the caller with numbered tasks; they sleep when there are none. */
final class Workers implements AutoCloseable {
    /** One numbered part of a piece of work; parts may run at the same time and in any order. */
    interface Task {
        void run(int index, Scratch scratch);
    }

    /** Arithmetic operations, some 20 microseconds' worth; waking a thread for less costs more than it gives. */
    private static final long WORTH_WAKING = 500_000;

    private final int threads;
    private final ThreadPoolExecutor helpers;
    private final ThreadLocal<Scratch> scratch = ThreadLocal.withInitial(Scratch::new);

    /** @param threads how many work at once, the caller among them */
    Workers(int threads) {
        this.threads = threads;
        AtomicInteger number = new AtomicInteger();
        this.helpers = new ThreadPoolExecutor(
                Math.max(1, threads - 1),
                Math.max(1, threads - 1),
                0,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                run -> {
                    Thread thread = new Thread(run, "elman-cpu-" + number.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
    }

    int threads() {
        return threads;
    }

    /**
     * Runs tasks 0 to {@code tasks} - 1 and waits for them; what one throws is thrown here, and the rest is left out.
     *
     * @param work arithmetic operations of all of them, roughly
     */
    void run(int tasks, long work, Task task) {
        Job job = new Job(tasks, task);
        if (work >= WORTH_WAKING) {
            for (int helper = 1; helper < Math.min(threads, tasks); helper++) helpers.execute(job);
        }
        job.run();
        job.await();
    }

    @Override
    public void close() {
        helpers.shutdown();
    }

    private final class Job implements Runnable {
        private final int tasks;
        private final Task task;
        private final AtomicInteger next = new AtomicInteger();
        private final CountDownLatch running;
        private final AtomicReference<Throwable> failure = new AtomicReference<>();

        Job(int tasks, Task task) {
            this.tasks = tasks;
            this.task = task;
            this.running = new CountDownLatch(tasks);
        }

        @Override
        public void run() {
            Scratch mine = scratch.get();
            for (int index = next.getAndIncrement(); index < tasks; index = next.getAndIncrement()) {
                try {
                    if (failure.get() == null) task.run(index, mine);
                } catch (RuntimeException | Error e) {
                    failure.compareAndSet(null, e);
                } finally {
                    running.countDown();
                }
            }
        }

        /** Not interruptible: a task may still be writing into the caller's tensors. */
        void await() {
            boolean interrupted = false;
            while (true) {
                try {
                    running.await();
                    break;
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) Thread.currentThread().interrupt();
            if (failure.get() instanceof Error e) throw e;
            if (failure.get() instanceof RuntimeException e) throw e;
        }
    }
}
