package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.Backends;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is read from the system properties; needs no native code. */
class CudaSettingsTest {
    private static final List<String> NAMES =
            List.of("device", "libdir", "tf32", "gemm", "split", "projectByStep", "plan", "onlyLiveRows");

    private static void set(String name, String value) {
        System.setProperty("elman.cuda." + name, value);
    }

    @AfterEach
    void leftOut() {
        for (String name : NAMES) System.clearProperty("elman.cuda." + name);
    }

    @Test
    void whatIsEmptyCountsAsLeftOut() {
        CudaSettings without = CudaSettings.fromProperties();
        for (String name : NAMES) set(name, "");
        assertEquals(without, CudaSettings.fromProperties());
    }

    /** Not even where the processor would serve: who sets something wants it. */
    @ParameterizedTest
    @CsvSource({
        "device, first, the number of a device",
        "device, -1, the number of a device",
        "tf32, yes, true or false",
        "projectByStep, 1, true or false",
        "gemm, fast, cublas or own",
        "split, big, large or all",
        "plan, fastest, 'one of block, cluster, grid, tensor, tensor-block, tensor-cluster, graph, steps'"
    })
    void aValueThatNobodyKnowsIsRefused(String name, String value, String known) {
        set(name, value);
        String message =
                assertThrows(IllegalArgumentException.class, Backends::open).getMessage();
        String said = "elman.cuda." + name + " must be " + known;
        assertTrue(message.contains(said) && message.contains("but is \"" + value + "\""), message);
    }

    @Test
    void aDeviceIsANumberWhateverStandsAroundIt() {
        set("device", " 1 ");
        assertEquals(1, CudaSettings.fromProperties().device());
    }

    @Test
    void flagsAreTrueOrFalse() {
        set("tf32", "true");
        set("projectByStep", "FALSE");
        assertTrue(CudaSettings.fromProperties().tf32());
        assertFalse(CudaSettings.fromProperties().projectByStep());
    }
}
