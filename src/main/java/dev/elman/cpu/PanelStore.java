package dev.elman.cpu;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Iterator;
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

        boolean changed() {
            return b.memory().version() != version;
        }
    }

    /** A factor that is open, or closed and may serve again. */
    private static final class Entry {
        final Source source;

        /** Null where all panels are stored ones. */
        final OffHeap memory;

        /** Whether the same was asked for before. */
        boolean again;

        Panels panels;

        Entry(Source source, OffHeap memory, boolean again) {
            this.source = source;
            this.memory = memory;
            this.again = again;
        }
    }

    /** The last closed first: its memory may be in the cache yet. */
    private final Deque<Entry> closed = new ArrayDeque<>();

    /** Memory of factors that serve no more. */
    private final Deque<OffHeap> free = new ArrayDeque<>();

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
        forgetChanged();
        for (Entry entry : closed) {
            if (!entry.source.equals(source)) continue;
            closed.remove(entry);
            entry.again = true;
            return entry.panels;
        }
        boolean again = seen.contains(source);
        Matrix b = source.b;
        int stored = again ? 0 : Panels.storedPanels(b, rows);
        boolean all = b.columns() <= stored * Panels.WIDTH;
        Entry entry = new Entry(source, all ? null : memory(b, Panels.bytes(b, source.room, stored), again), again);
        entry.panels = new Panels(b, source.room, stored, entry.memory, () -> close(entry));
        return entry.panels;
    }

    /** What was kept of weights that changed, or are closed, gives its memory back; the rest of it goes from factor to factor. */
    private void forgetChanged() {
        seen.removeIf(Source::changed);
        for (Iterator<Entry> entries = closed.iterator(); entries.hasNext(); ) {
            Entry entry = entries.next();
            if (!entry.source.changed()) continue;
            entries.remove();
            if (entry.again) entry.memory.free();
            else free.addLast(entry.memory);
        }
    }

    private synchronized void close(Entry entry) {
        seen.add(entry.source);
        if (entry.memory == null) return;
        if (entry.panels.allLaidOut()) closed.addFirst(entry);
        else free.addFirst(entry.memory);
    }

    /**
     * Free memory that is large enough, or else that of a factor that was not asked for again; or new memory. One that is asked
     * for again stays, and so takes no memory that is much too large for it.
     */
    private OffHeap memory(Matrix b, int bytes, boolean again) {
        if (free.isEmpty() && !again) dropOne();
        OffHeap largest = null;
        for (OffHeap memory : free) {
            int capacity = memory.bytes().capacity();
            if (capacity >= bytes && (!again || capacity / 2 <= bytes)) {
                free.remove(memory);
                return memory;
            }
            if (largest == null || capacity > largest.bytes().capacity()) largest = memory;
        }
        if (largest != null && !again) {
            free.remove(largest);
            largest.free();
        }
        try {
            return b.memory().beside(bytes);
        } catch (OutOfMemoryError e) {
            close(); // what was kept is laid out anew when it is asked for
            return b.memory().beside(bytes);
        }
    }

    /** Frees the memory of a factor that was not asked for again. */
    private void dropOne() {
        for (Entry entry : closed) {
            if (entry.again) continue;
            closed.remove(entry);
            free.addFirst(entry.memory);
            return;
        }
    }

    /** Pieces of memory that no open factor has. */
    synchronized int pieces() {
        return closed.size() + free.size();
    }

    /** Gives them back. */
    @Override
    public synchronized void close() {
        closed.forEach(entry -> entry.memory.free());
        free.forEach(OffHeap::free);
        closed.clear();
        free.clear();
        seen.clear();
    }
}
