package dev.elman.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.elman.Backends;
import dev.elman.backend.Backend;
import dev.elman.backend.Tensor;
import dev.elman.contract.Intercepted;
import dev.elman.verify.Report;
import dev.elman.verify.Result;
import java.util.List;
import org.junit.jupiter.api.Test;

class VerifyTest {
    @Test
    void jsonListsBackendOperationShapeErrorAndTolerance() {
        Outcome outcome = Outcome.of("verify", "--quick", "--json", "--backend", "cpu");
        assertEquals(0, outcome.code(), outcome.err());
        JsonObject json = outcome.json();
        assertTrue(json.get("passed").getAsBoolean());
        assertTrue(json.getAsJsonArray("results").size() > 100);
        boolean forward = false;
        for (JsonElement element : json.getAsJsonArray("results")) {
            JsonObject row = element.getAsJsonObject();
            assertEquals("cpu", row.get("backend").getAsString());
            assertTrue(row.get("passed").getAsBoolean(), row.toString());
            assertTrue(
                    row.get("worstError").getAsDouble() <= row.get("tolerance").getAsDouble(), row.toString());
            assertTrue(row.has("shape") && row.has("quantity"), row.toString());
            forward |= row.get("operation").getAsString().equals("simpleRnnForward");
        }
        assertTrue(forward);
    }

    /** What passes before it does not help. */
    @Test
    void whoIsOutIsToldAndFails() {
        Outcome outcome = Outcome.ofCommand(
                terminal -> new VerifyCommand(terminal, VerifyTest::opened), "--quick", "--backend", "cuda");
        assertEquals(1, outcome.code(), outcome.err());
        assertTrue(outcome.out().contains("agrees with the reference"), outcome.out());
        assertTrue(outcome.out().lines().anyMatch(line -> line.startsWith("denseForward") && line.contains("OUT")));
        assertTrue(outcome.out().contains("does NOT agree with the reference"), outcome.out());
        assertFalse(outcome.out().lines().anyMatch(line -> line.startsWith("softmax ") && line.contains("OUT")));
    }

    /** A broken promise has no tolerance, as what is exact. */
    @Test
    void aBrokenPromiseHasALineOfItsOwn() {
        Result broken = new Result("cpu", "copy", "inputs unchanged", "N=1", "", 1, 0, false, "changed");
        Report.Row row = new Report.Row("copy", "inputs unchanged", 2, 1, broken);
        String line = VerifyTable.lines(List.of(row)).get(1);
        assertTrue(line.matches("copy +inputs unchanged +1.0e\\+00 +0 +2 +1 OUT +N=1"), line);
    }

    /** The reference, but for TF32 what forgets the bias of a dense layer. */
    private static Backend opened(String name) {
        Backend reference = Backends.open("reference");
        if (!name.equals(Backends.CUDA_TF32)) return reference;
        return Intercepted.of(reference, call -> {
            if (!call.operation().equals("denseForward")) return call.proceed();
            reference.denseForward(
                    call.argument(0, Tensor.class),
                    call.argument(1, Tensor.class),
                    null,
                    call.argument(3, Tensor.class));
            return null;
        });
    }
}
