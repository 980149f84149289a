package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.contract.Required;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A failed launch poisons the backend: a message, never silent zeros. */
@Tag("cuda")
@Tag("provokes-cuda-error")
class CudaPoisonTest {
    @BeforeAll
    static void needsADevice() {
        Required.open("cuda", CudaBackend::open).close();
    }

    @Test
    void afterAFaultOnTheDeviceNothingIsComputed() throws Exception {
        String output = ChildJvm.like(Map.of(), Map.of()).run(PoisonMain.class);
        List<String> answers = output.lines()
                .filter(line -> line.startsWith("answer: "))
                .map(line -> line.substring("answer: ".length()))
                .toList();
        assertEquals(7, answers.size(), output);
        // The launch itself may be told of its fault, or the next call that waits.
        String fault = answers.get(0).equals("none") ? answers.get(1) : answers.get(0);
        assertTrue(fault.contains("failed with CUDA_ERROR_ILLEGAL_ADDRESS"), output);
        for (String answer : answers.subList(2, 5)) {
            assertTrue(answer.contains("computes no more since") && answer.contains(fault), answer);
        }
        assertEquals(List.of("none", "none"), answers.subList(5, 7), output);
    }
}
