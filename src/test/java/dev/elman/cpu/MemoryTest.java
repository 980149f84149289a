package dev.elman.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Shape;
import dev.elman.backend.Tensor;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.FloatBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class MemoryTest {
    private final Allocations allocations = new Allocations(new Object());

    /** From Java 22 on the JDK itself says that memory is gone; until then its count of bytes does. */
    @Test
    void isGivenBackAtOnceAndNotWhenTheCollectorComes() {
        int size = 16 << 20;
        long before = directBytes();
        Memory memory = allocations.allocate(Shape.of(size));
        FloatBuffer floats = memory.floats();
        long with = directBytes();
        memory.close();
        assertEquals(0, allocations.count());
        if (Runtime.version().feature() >= 22) {
            assertThrows(IllegalStateException.class, () -> floats.get(0));
        } else {
            assertTrue(with >= before + 4L * size);
            assertTrue(directBytes() < before + 4L * size);
        }
    }

    private static long directBytes() {
        return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .mapToLong(BufferPoolMXBean::getMemoryUsed)
                .sum();
    }

    @Test
    void isNotUsedAfterItsEnd() {
        Shape shape = Shape.of(2, 3);
        Tensor tensor = new CpuTensor(allocations.allocate(shape), shape);
        Tensor view = tensor.slice(1, 1);
        tensor.close();
        tensor.close();
        assertThrows(IllegalStateException.class, () -> view.set(1f, 2f, 3f));
        assertThrows(IllegalStateException.class, view::toFloats);
        assertEquals(shape, tensor.shape());
        Tensor left = new CpuTensor(allocations.allocate(shape), shape);
        assertEquals(1, allocations.close());
        IllegalStateException closed = assertThrows(IllegalStateException.class, left::toDoubles);
        assertEquals("This backend is closed.", closed.getMessage());
        assertThrows(IllegalStateException.class, () -> allocations.allocate(shape));
    }

    /** Whoever asks, and whatever holds it. From Java 22 on there is that much, where the machine has it. */
    @Test
    void saysAllThatIsHeldWhereThereIsNoMore() {
        if (Runtime.version().feature() >= 22) return;
        Shape shape = Shape.of(1 << 20);
        Shape all = Shape.of(Memory.LARGEST);
        try (Workspace workspace = new Workspace(allocations)) {
            workspace.of(Workspace.STATES, shape);
            assertEquals(0, allocations.count());
            Memory tensor = allocations.allocate(shape);
            OffHeap panels = tensor.beside(4 << 20);
            assertSaysHeld("12 MiB", () -> allocations.allocate(all));
            assertSaysHeld("12 MiB", () -> workspace.of(Workspace.DROPPED, all));
            panels.free();
            tensor.close();
            assertSaysHeld("4 MiB", () -> allocations.allocate(all));
            assertSaysHeld("0 MiB", () -> workspace.of(Workspace.STATES, all));
        }
    }

    private static void assertSaysHeld(String amount, Executable asking) {
        String message = assertThrows(OutOfMemoryError.class, asking).getMessage();
        assertTrue(message.contains("[" + Memory.LARGEST + "] needs 2048 MiB"), message);
        assertTrue(message.contains("already holds " + amount + ";"), message);
    }

    @Test
    void refusesWhatADirectBufferCannotHold() {
        String message = assertThrows(
                        IllegalArgumentException.class, () -> allocations.allocate(Shape.of(1 << 15, 1 << 14)))
                .getMessage();
        assertTrue(message.contains("[32768,16384]") && message.contains("536870912"), message);
        assertTrue(message.contains("" + Memory.LARGEST), message);
    }
}
