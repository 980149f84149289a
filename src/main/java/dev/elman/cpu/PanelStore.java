package dev.elman.cpu;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;

/**
 * Right factors in panels, and the memory they are laid out in. A closed one serves again when the same is asked for and
 * nobody wrote what it was made of: a model that predicts lays its weights out once. In training, where weights change from
 * step to step, a closed one's memory goes to the next, so that there is no more of it than factors are open at a time.
 */
final class PanelStore implements AutoCloseable {
    /** What a factor is made of. */
    private record Source(Matrix b, boolean room, long version) {
        static Source of(Matrix b, boolean room) {
            return new Source(b, room, b.memory().version());
        }

        boolean unchanged() {
            return b.memory().version() == version;
        }
    }

    /** A factor, and what becomes of it once it is closed. */
    private static final class Kept {
        final Source source;

        /** Null where all panels are stored ones. */
        final OffHeap memory;

        /** Whether the same was asked for before. */
        boolean again;

        Panels panels;

        Kept(Source source, OffHeap memory, boolean again) {
            this.source = source;
            this.memory = memory;
            this.again = again;
        }

        boolean worthKeeping() {
            return again && source.unchanged();
        }
    }

    /** The last closed first: its memory may be in the cache yet. */
    private final Deque<Kept> closed = new ArrayDeque<>();

    /** What was asked for and has not changed since. */
    private final Set<Source> seen = new HashSet<>();

    /**
     * Such a factor; what is not laid out yet is left to the caller, see {@link Panels#toLayOut}. For a few rows not all of it
     * is worth that, unless it is asked for again.
     */
    Panels open(Matrix b, boolean room, long rows) {
        if (Panels.storedWhole(b, room)) return new Panels(b, room, 1, null, () -> {});
        return open(Source.of(b, room), rows);
    }

    private synchronized Panels open(Source source, long rows) {
        for (Kept kept : closed) {
            if (!kept.panels.allLaidOut() || !kept.source.equals(source)) continue;
            closed.remove(kept);
            kept.again = true;
            return kept.panels;
        }
        boolean again = seen.contains(source);
        Matrix b = source.b;
        int stored = again ? 0 : Panels.storedPanels(b, rows);
        boolean all = b.columns() <= stored * Panels.WIDTH;
        Kept kept = new Kept(source, all ? null : memory(Panels.bytes(b, source.room, stored), again), again);
        kept.panels = new Panels(b, source.room, stored, kept.memory, () -> close(kept));
        return kept.panels;
    }

    private synchronized void close(Kept kept) {
        seen.removeIf(source -> !source.unchanged());
        if (kept.source.unchanged()) seen.add(kept.source);
        if (kept.memory != null) closed.addFirst(kept);
    }

    /** Memory of a closed factor, the smallest that is large enough; or new memory, in place of the largest that is not. */
    private OffHeap memory(int bytes, boolean again) {
        Kept best = null;
        for (Kept kept : closed) {
            if (kept.worthKeeping() || (again && kept.source.unchanged())) continue;
            if (best == null
                    || better(
                            kept.memory.bytes().capacity(), best.memory.bytes().capacity(), bytes)) best = kept;
        }
        if (best != null) {
            closed.remove(best);
            if (best.memory.bytes().capacity() >= bytes) return best.memory;
            best.memory.free();
        }
        return OffHeap.allocate(bytes);
    }

    private static boolean better(int capacity, int other, int needed) {
        if (other < needed) return capacity > other;
        return capacity >= needed && capacity < other;
    }

    @Override
    public synchronized void close() {
        closed.forEach(kept -> kept.memory.free());
        closed.clear();
        seen.clear();
    }
}
