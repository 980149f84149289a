package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.Backends;
import dev.elman.backend.Backend;
import dev.elman.backend.BackendUnavailableException;
import dev.elman.contract.Required;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** The driver keeps what is current for each thread of the system's, and a virtual thread changes those. */
class VirtualThreadTest {
    @Test
    void noCudaOnAVirtualThread() throws Exception {
        AtomicReference<String> refused = new AtomicReference<>();
        AtomicReference<String> chosen = new AtomicReference<>();
        onVirtualThread(() -> {
            try {
                CudaBackend.open().close();
            } catch (BackendUnavailableException e) {
                refused.set(e.getMessage());
            }
            try (Backend backend = Backends.open()) {
                chosen.set(backend.name());
            }
        });
        assertNotNull(refused.get());
        assertTrue(refused.get().contains("open the backend on a platform thread"), refused.get());
        assertEquals("cpu", chosen.get());
    }

    private static void onVirtualThread(Runnable task) throws Exception {
        int java = Runtime.version().feature();
        Required.that(java >= 21, "java-21", "CUDA on a virtual thread", "Java " + java + " has none");
        Thread thread = (Thread)
                Thread.class.getMethod("startVirtualThread", Runnable.class).invoke(null, task);
        thread.join();
    }
}
