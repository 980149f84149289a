package dev.elman.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Backend;
import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import dev.elman.contract.ChildJvm;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Moments in which another library has all the memory that there is outside the heap; in a JVM where that is little. */
class NoMemoryTest {
    private static final long MOST_MILLISECONDS = 60_000;

    @Test
    void passesAndLeavesNothingBehind() throws IOException, InterruptedException {
        String said = ChildJvm.withHeap(64).run(Moments.class);
        assertTrue(said.contains("a team without memory: done"), said);
        assertTrue(said.contains("opening without memory: java.lang.OutOfMemoryError"), said);
        assertTrue(said.contains("a product without memory: "), said);
        assertTrue(said.contains("a product afterwards: done"), said);
        try (Backend backend = CpuBackend.open(1)) {
            assertTrue(said.contains("opened afterwards: "), said);
            assertEquals(backend.description().contains("plain Java"), said.contains("plain Java"), said);
        }
    }

    /** Says how it went. */
    static final class Moments {
        private static final int[] CHUNKS = {1 << 20, 512};

        private Moments() {}

        public static void main(String[] args) throws InterruptedException {
            Thread all = new Thread(Moments::live);
            all.setDaemon(true); // ends with this one, though it hang
            all.start();
            all.join(MOST_MILLISECONDS);
        }

        private static void live() {
            Workers workers = new Workers(3);
            workers.run(1, 0, (index, scratch) -> {}); // the caller has worked before, the helpers have not
            List<ByteBuffer> taken = takeAll();
            say("a team without memory", () -> workers.runTogether(3, (member, scratch, barrier) -> barrier.await()));
            say("opening without memory", () -> CpuBackend.open(2).close());
            taken.clear();

            try (Backend backend = CpuBackend.open(2);
                    Tensor x = backend.allocate(Shape.of(100, 8));
                    Tensor w = backend.allocate(Shape.of(80, 8));
                    Tensor y = backend.allocate(Shape.of(100, 80))) {
                say("opened afterwards", backend.description());
                taken = takeAll();
                say("a product without memory", () -> backend.linearForward(x, w, null, y));
                taken.clear();
                say("a product afterwards", () -> backend.linearForward(x, w, null, y));
            }
        }

        private static List<ByteBuffer> takeAll() {
            List<ByteBuffer> taken = new ArrayList<>();
            for (int bytes : CHUNKS) {
                try {
                    while (true) taken.add(ByteBuffer.allocateDirect(bytes));
                } catch (OutOfMemoryError e) {
                    // So there is none.
                }
            }
            return taken;
        }

        private static void say(String what, Runnable how) {
            try {
                how.run();
                say(what, "done");
            } catch (RuntimeException | Error e) {
                say(what, e.toString());
            }
        }

        @SuppressWarnings("SystemOut") // which the test reads
        private static void say(String what, String how) {
            System.out.println(what + ": " + how);
        }
    }
}
