package dev.elman.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class WorkersTest {
    private static final long MUCH = Long.MAX_VALUE;

    @Test
    void runEveryTaskOnce() {
        try (Workers workers = new Workers(3)) {
            for (int tasks : new int[] {0, 1, 2, 100}) {
                AtomicIntegerArray runs = new AtomicIntegerArray(tasks);
                workers.run(tasks, MUCH, (index, scratch) -> runs.incrementAndGet(index));
                for (int i = 0; i < tasks; i++) assertEquals(1, runs.get(i));
            }
        }
    }

    /** Each of the three tasks waits for the other two, so three threads must be there at once, the caller among them. */
    @Test
    void workAtOnceAndTheCallerWithThem() {
        try (Workers workers = new Workers(3)) {
            CountDownLatch all = new CountDownLatch(3);
            Set<Thread> threads = ConcurrentHashMap.newKeySet();
            workers.run(3, MUCH, (index, scratch) -> {
                threads.add(Thread.currentThread());
                all.countDown();
                try {
                    all.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
            assertEquals(3, threads.size());
            assertTrue(threads.contains(Thread.currentThread()));
        }
    }

    /** Whoever interrupts the group of threads in which a backend was opened interrupts its helpers. */
    @Test
    void sleepAgainAfterAnInterrupt() throws InterruptedException {
        try (Workers workers = new Workers(2)) {
            Thread caller = Thread.currentThread();
            AtomicReference<Thread> helper = new AtomicReference<>();
            workers.runTogether(2, (member, scratch, barrier) -> {
                if (Thread.currentThread() != caller) helper.set(Thread.currentThread());
                barrier.await();
            });
            helper.get().interrupt();
            assertSleepsSoon(helper.get());
        }
    }

    private static void assertSleepsSoon(Thread thread) throws InterruptedException {
        long start = System.nanoTime();
        while (thread.isInterrupted() || thread.getState() != Thread.State.WAITING) {
            assertTrue(System.nanoTime() - start < 10_000_000_000L, "is " + thread.getState() + " yet");
            Thread.sleep(1);
        }
    }

    @Test
    void leaveSmallWorkToTheCaller() {
        try (Workers workers = new Workers(3)) {
            Set<Thread> threads = ConcurrentHashMap.newKeySet();
            workers.run(50, 100, (index, scratch) -> threads.add(Thread.currentThread()));
            assertEquals(Set.of(Thread.currentThread()), threads);
        }
    }

    @Test
    void passOnWhatATaskThrowsAndWorkOn() {
        try (Workers workers = new Workers(2)) {
            IllegalStateException thrown = new IllegalStateException("planted");
            IllegalStateException caught = assertThrows(
                    IllegalStateException.class,
                    () -> workers.run(9, MUCH, (index, scratch) -> {
                        if (index == 4) throw thrown;
                    }));
            assertSame(thrown, caught);
            runEveryTaskOnce();
        }
    }

    /** So it is what the caller gets, whichever of them ends first. */
    @Test
    void throwInOthersOfATeamWhatOneOfThemThrows() {
        try (Workers workers = new Workers(2)) {
            IllegalStateException thrown = new IllegalStateException("planted");
            AtomicReference<Throwable> met = new AtomicReference<>();
            assertThrows(
                    IllegalStateException.class,
                    () -> workers.runTogether(2, (member, scratch, barrier) -> {
                        barrier.await();
                        if (member == 1) throw thrown;
                        met.set(assertThrows(IllegalStateException.class, barrier::await));
                    }));
            assertSame(thrown, met.get());
        }
    }
}
