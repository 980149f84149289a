package dev.elman.spark;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What an executor keeps from task to task: a backend and something on it, for each a thread of its own, because a backend
 * on a GPU belongs to its thread. Tasks that ask for the same take turns. What nobody asked for during a minute is closed.
 */
final class DeviceThreads {
    private static final Logger LOG = LoggerFactory.getLogger(DeviceThreads.class);
    private static final long IDLE_SECONDS = 60;
    private static final Map<String, Entry> ENTRIES = new LinkedHashMap<>();
    private static final ThreadFactory DAEMON = run -> {
        Thread thread = new Thread(run, "elman-device");
        thread.setDaemon(true);
        return thread;
    };
    private static ScheduledExecutorService janitor;

    private DeviceThreads() {}

    /** Makes something on a backend that has just been opened. */
    interface Maker<S extends AutoCloseable> {
        S make(Placement.Opened opened) throws Exception;
    }

    /** Uses it, on its thread. */
    interface Use<S, T> {
        T use(S made) throws Exception;
    }

    private static final class Entry {
        private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(DAEMON);
        private Placement.Opened opened;
        private AutoCloseable made;
        private int users;
        private long lastUse;
    }

    /** Uses what is there under this key, or makes it first. The key stands for one type. */
    static <S extends AutoCloseable, T> T call(String key, Placement placement, Maker<S> maker, Use<S, T> use) {
        Entry entry = enter(key);
        try {
            return entry.thread
                    .submit(() -> {
                        if (entry.made == null) make(entry, placement, maker);
                        @SuppressWarnings("unchecked")
                        S made = (S) entry.made;
                        return use.use(made);
                    })
                    .get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("The task was interrupted.", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException failure) throw failure;
            if (e.getCause() instanceof Error error) throw error;
            throw new IllegalStateException(e.getCause());
        } finally {
            leave(entry);
        }
    }

    private static <S extends AutoCloseable> void make(Entry entry, Placement placement, Maker<S> maker)
            throws Exception {
        Placement.Opened opened = placement.open();
        try {
            entry.made = maker.make(opened);
            entry.opened = opened;
        } finally {
            if (entry.made == null) opened.backend().close();
        }
    }

    private static Entry enter(String key) {
        synchronized (ENTRIES) {
            if (janitor == null) {
                janitor = Executors.newSingleThreadScheduledExecutor(DAEMON);
                ScheduledFuture<?> unused = janitor.scheduleWithFixedDelay(
                        () -> closeIdle(TimeUnit.SECONDS.toNanos(IDLE_SECONDS)), 5, 5, TimeUnit.SECONDS);
            }
            Entry entry = ENTRIES.computeIfAbsent(key, none -> new Entry());
            entry.users++;
            return entry;
        }
    }

    private static void leave(Entry entry) {
        synchronized (ENTRIES) {
            entry.users--;
            entry.lastUse = System.nanoTime();
        }
    }

    /** How many there are. */
    static int count() {
        synchronized (ENTRIES) {
            return ENTRIES.size();
        }
    }

    /** Closes what has not been used for so long. */
    static void closeIdle(long nanos) {
        synchronized (ENTRIES) {
            for (Iterator<Entry> i = ENTRIES.values().iterator(); i.hasNext(); ) {
                Entry entry = i.next();
                if (entry.users > 0 || System.nanoTime() - entry.lastUse < nanos) continue;
                i.remove();
                entry.thread.execute(() -> close(entry));
                entry.thread.shutdown();
            }
        }
    }

    private static void close(Entry entry) {
        try {
            if (entry.made != null) entry.made.close();
            if (entry.opened != null) entry.opened.backend().close();
        } catch (Exception e) {
            LOG.warn("cannot close what was idle", e);
        }
    }
}
