package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.contract.ChildJvm;
import dev.elman.contract.Required;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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
        List<String> answers = answers(output);
        assertEquals(7, answers.size(), output);
        // The launch itself may be told of its fault, or the next call that waits.
        String fault = answers.get(0).equals("none") ? answers.get(1) : answers.get(0);
        assertTrue(fault.contains("failed with CUDA_ERROR_ILLEGAL_ADDRESS"), output);
        for (String answer : answers.subList(2, 5)) {
            assertTrue(answer.contains("computes no more since") && answer.contains(fault), answer);
        }
        assertEquals(List.of("none", "none"), answers.subList(5, 7), output);
        assertFalse(output.contains("while closing"), output);
    }

    /** The first call that waits is then the one that gives memory back. */
    @Test
    void aFaultThatComesToLightInClosingIsSaidOnce() throws Exception {
        String output = ChildJvm.like(Map.of(), Map.of("closeFirst", "true")).run(PoisonMain.class);
        List<String> answers = answers(output);
        String fault = answers.get(0).equals("none") ? answers.get(1) : answers.get(0);
        assertTrue(fault.contains("failed with CUDA_ERROR_ILLEGAL_ADDRESS"), output);
        assertEquals(List.of("none", "none"), answers.subList(2, 4), output);
        assertTrue(answers.get(4).contains("computes no more since"), output);
        assertTrue(output.contains("live tensors: 0"), output);
        assertEquals(List.of("none"), answers.subList(5, answers.size()), output);
    }

    /** Whatever fails while a stream captures, or when that is over: nothing of it is left, and there is no second try. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "cuStreamBeginCapture=401",
                "cuLaunchKernel=1,12",
                "cuGraphInstantiateWithFlags=1",
                "cuGraphLaunch=1"
            })
    void aGraphThatCannotBeMadePoisons(String fault) throws Exception {
        Required.that(
                System.getenv("SOFTGPU_LOG") != null,
                "softgpu",
                "a graph that cannot be made",
                "only the software driver can be made to fail");
        String output = ChildJvm.like(Map.of("SOFTGPU_FAIL", fault), Map.of()).run(GraphMain.class);
        List<String> answers = answers(output);
        assertEquals(3, answers.size(), output);
        assertEquals("none", answers.get(0), output);
        assertTrue(answers.get(1).contains(" failed with "), output);
        assertTrue(answers.get(2).contains("computes no more since"), output);
        ChainTest.assertNothingLeft(output);
    }

    private static List<String> answers(String output) {
        return output.lines()
                .filter(line -> line.startsWith("answer: "))
                .map(line -> line.substring("answer: ".length()))
                .toList();
    }

    /** Another process, or the application's context, has most of the device: no plan that needs more is insisted on. */
    @Test
    void aLaunchThatFindsNoPlaceIsDoneByAnotherPlan() throws Exception {
        Required.that(
                System.getenv("SOFTGPU_LOG") != null,
                "softgpu",
                "a launch that finds no place",
                "only the software driver can be crowded");
        Map<String, String> crowded = Map.of("SOFTGPU_MULTIPROCESSORS", "64", "SOFTGPU_USABLE_MULTIPROCESSORS", "4");
        String output = ChildJvm.like(crowded, Map.of()).run(NoPlaceMain.class);
        assertTrue(output.contains("cluster then graph right") || output.contains("cluster then steps right"), output);
        assertTrue(output.contains("not cluster: the driver had no place for it"), output);
        assertTrue(output.contains("the plan cluster is not used: cuLaunchKernel failed with"), output);
        assertTrue(output.contains("then graph right") || output.contains("then steps right"), output);

        output = ChildJvm.like(crowded, Map.of("elman.cuda.plan", "cluster")).run(NoPlaceMain.class);
        assertTrue(output.contains("CUDA_ERROR_INVALID_CLUSTER_SIZE"), output);
    }
}
