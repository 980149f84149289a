package dev.elman.cpu;

import dev.elman.backend.BackendUnavailableException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * Daemon threads that help the caller with numbered tasks. After a job they look out for the next for a moment, for waking
 * one that sleeps takes as long as many a layer; then they sleep.
 */
final class Workers implements AutoCloseable {
    /** One numbered part of a piece of work; parts may run at the same time and in any order. */
    interface Task {
        void run(int index, Scratch scratch);
    }

    /** Arithmetic operations, some 5 microseconds' worth; telling a thread of less costs more than it gives. */
    private static final long WORTH_TELLING = 1_000_000;

    /** How long a thread looks out before it sleeps. */
    private static final long LOOK_OUT_NANOS = 200_000;

    private final Helper[] helpers;

    /** The caller's; one calls at a time. */
    private final Scratch own = new Scratch();

    private final AtomicLong number = new AtomicLong();
    private volatile boolean closed;

    /** The job that has tasks left; null when there is none. */
    private volatile Job current;

    /**
     * Takes the memory of all threads before one starts: a helper that got none later would be missing in a team for good.
     *
     * @param threads how many work at once, the caller among them
     * @throws BackendUnavailableException when not so many may be started
     */
    Workers(int threads) {
        helpers = new Helper[threads - 1];
        for (int i = 0; i < helpers.length; i++) helpers[i] = new Helper("elman-cpu-" + (i + 1));
        try {
            for (Helper helper : helpers) helper.start();
        } catch (OutOfMemoryError e) { // Java's way to say that the system starts no more
            close(); // those that run already
            throw new BackendUnavailableException(
                    "cpu: the system does not start " + threads + " threads for this process (" + e.getMessage()
                            + "); choose fewer, as with -Delman.cpu.threads=" + threads / 2 + ", or allow it more.",
                    e);
        }
    }

    /** Whether so many arithmetic operations are worth telling another thread. */
    static boolean worthTelling(long work) {
        return work >= WORTH_TELLING;
    }

    int threads() {
        return helpers.length + 1;
    }

    /**
     * Runs tasks 0 to {@code tasks} - 1 and waits for them; what one throws is thrown here, and the rest is left out.
     *
     * @param work arithmetic operations of all of them, roughly
     */
    void run(int tasks, long work, Task task) {
        Job job = new Job(number.incrementAndGet(), tasks, task);
        if (worthTelling(work) && tasks > 1) {
            current = job;
            for (int i = 0; i < Math.min(helpers.length, tasks - 1); i++) helpers[i].wake();
        }
        job.run(own);
        current = null;
        job.await();
    }

    /** One of the members of a team, each on a thread of its own. */
    interface Member {
        void run(int index, Scratch scratch, Barrier barrier);
    }

    /** Runs members 0 to {@code members} - 1, at most {@link #threads}, all at once: they may wait for each other. */
    void runTogether(int members, Member member) {
        Barrier barrier = new Barrier(members);
        run(members, Long.MAX_VALUE, (index, scratch) -> {
            try {
                member.run(index, scratch, barrier);
            } catch (RuntimeException | Error e) {
                barrier.breakUp(e);
                throw e;
            }
        });
    }

    @Override
    public void close() {
        closed = true;
        for (Helper helper : helpers) LockSupport.unpark(helper);
    }

    /** Where the members of a team wait for the last of them. They spin: a step takes microseconds. */
    static final class Barrier {
        private final int members;
        private final AtomicInteger arrived = new AtomicInteger();
        private volatile int round;
        private volatile Throwable broken;

        Barrier(int members) {
            this.members = members;
        }

        /** Returns once all members are here, or throws what another one threw, so that the caller gets it whichever ends first. */
        void await() {
            int mine = round;
            if (arrived.incrementAndGet() == members) {
                arrived.set(0);
                round = mine + 1;
                return;
            }
            for (int spins = 0; round == mine; spins++) {
                rethrow(broken);
                pause(spins);
            }
        }

        void breakUp(Throwable reason) {
            broken = reason;
        }
    }

    /** Spinning on a machine with fewer free processors than threads would keep the others from finishing: so it yields. */
    @SuppressWarnings("ThreadPriorityCheck")
    private static void pause(int spins) {
        if (spins % 1024 == 1023) Thread.yield();
        else Thread.onSpinWait();
    }

    /** What a task threw; null for nothing. */
    private static void rethrow(Throwable failure) {
        if (failure instanceof Error e) throw e;
        if (failure instanceof RuntimeException e) throw e;
    }

    private final class Helper extends Thread {
        private final Scratch scratch = new Scratch();
        private volatile boolean asleep;

        Helper(String name) {
            super(name);
            setDaemon(true);
        }

        /** To be called after the job was put where {@link #next} looks: one of the two then sees the other's change. */
        void wake() {
            if (asleep) LockSupport.unpark(this);
        }

        @Override
        public void run() {
            long done = 0;
            for (Job job = next(done); job != null; job = next(done)) {
                done = job.number;
                job.run(scratch);
            }
        }

        /** A job after number {@code done}; null when there will be none. */
        private Job next(long done) {
            long start = System.nanoTime();
            for (int spins = 0; !closed; spins++) {
                Job job = current;
                if (job != null && job.number > done) return job;
                if (spins % 64 == 63 && System.nanoTime() - start > LOOK_OUT_NANOS) {
                    asleep = true;
                    if (current == null && !closed) LockSupport.park(this);
                    Thread.interrupted(); // else it would never sleep again
                    asleep = false;
                    start = System.nanoTime();
                }
                pause(spins);
            }
            return null;
        }
    }

    private static final class Job {
        private final long number;
        private final int tasks;
        private final Task task;
        private final AtomicInteger next = new AtomicInteger();
        private final CountDownLatch running;
        private final AtomicReference<Throwable> failure = new AtomicReference<>();

        Job(long number, int tasks, Task task) {
            this.number = number;
            this.tasks = tasks;
            this.task = task;
            this.running = new CountDownLatch(tasks);
        }

        /** Takes tasks as long as there are any. */
        void run(Scratch scratch) {
            for (int index = next.getAndIncrement(); index < tasks; index = next.getAndIncrement()) {
                try {
                    if (failure.get() == null) task.run(index, scratch);
                } catch (RuntimeException | Error e) {
                    failure.compareAndSet(null, e);
                } finally {
                    running.countDown();
                }
            }
        }

        /** Not interruptible: a task may still be writing into the caller's tensors. */
        void await() {
            long start = System.nanoTime();
            for (int spins = 0; running.getCount() > 0; spins++) {
                if (spins % 64 == 63 && System.nanoTime() - start > LOOK_OUT_NANOS) break;
                pause(spins);
            }
            boolean interrupted = false;
            while (running.getCount() > 0) {
                try {
                    running.await();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) Thread.currentThread().interrupt();
            rethrow(failure.get());
        }
    }
}
