package dev.elman.train;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;

/** Workers in threads, which add up in the order of their ranks. */
final class ThreadTeam {
    private final float[][] values;
    private final CyclicBarrier barrier;

    private ThreadTeam(int size) {
        values = new float[size][];
        barrier = new CyclicBarrier(size);
    }

    /** What each worker's work gives. */
    static <T> List<T> run(int size, Function<Team, T> work) throws Exception {
        ThreadTeam team = new ThreadTeam(size);
        ExecutorService threads = Executors.newFixedThreadPool(size);
        try {
            List<Callable<T>> calls = new ArrayList<>();
            for (int rank = 0; rank < size; rank++) {
                Team member = team.new Member(rank);
                calls.add(() -> work.apply(member));
            }
            List<T> results = new ArrayList<>();
            for (Future<T> future : threads.invokeAll(calls)) results.add(future.get());
            return results;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException failure) throw failure;
            throw e;
        } finally {
            threads.shutdownNow();
        }
    }

    private final class Member implements Team {
        private final int rank;

        Member(int rank) {
            this.rank = rank;
        }

        @Override
        public int size() {
            return values.length;
        }

        @Override
        public int rank() {
            return rank;
        }

        @Override
        public void sum(float[] mine) {
            values[rank] = mine.clone();
            await();
            for (int i = 0; i < mine.length; i++) {
                mine[i] = 0;
                for (float[] others : values) mine[i] += others[i];
            }
            await();
        }

        private void await() {
            try {
                barrier.await();
            } catch (InterruptedException | BrokenBarrierException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
