package dev.elman.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.elman.Backends;
import dev.elman.backend.Backend;
import dev.elman.backend.Tensor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
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

    @Test
    void whoIsOutIsToldAndFails() {
        Outcome outcome = Outcome.ofCommand(
                terminal -> new VerifyCommand(terminal, VerifyTest::withoutBias), "--quick", "--backend", "cpu");
        assertEquals(1, outcome.code(), outcome.err());
        assertTrue(outcome.out().lines().anyMatch(line -> line.startsWith("denseForward") && line.contains("OUT")));
        assertTrue(outcome.out().contains("does NOT agree with the reference"), outcome.out());
        assertFalse(outcome.out().lines().anyMatch(line -> line.startsWith("softmax ") && line.contains("OUT")));
    }

    /** The reference, or what forgets the bias of a dense layer. */
    private static Backend withoutBias(String name) {
        Backend reference = Backends.open("reference");
        if (name.equals("reference")) return reference;
        return (Backend) Proxy.newProxyInstance(
                VerifyTest.class.getClassLoader(), new Class<?>[] {Backend.class}, (proxy, method, args) -> {
                    try {
                        if (!method.getName().equals("denseForward")) return method.invoke(reference, args);
                        reference.denseForward((Tensor) args[0], (Tensor) args[1], null, (Tensor) args[3]);
                        return null;
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }
}
