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

class MemoryTest {
    private final Allocations allocations = new Allocations();

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

    @Test
    void refusesWhatADirectBufferCannotHold() {
        String message = assertThrows(
                        IllegalArgumentException.class, () -> allocations.allocate(Shape.of(1 << 15, 1 << 14)))
                .getMessage();
        assertTrue(message.contains("[32768,16384]") && message.contains("536870912"), message);
        assertTrue(message.contains("" + Memory.LARGEST), message);
    }
}
