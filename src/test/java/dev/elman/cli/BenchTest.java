package dev.elman.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import org.junit.jupiter.api.Test;

class BenchTest {
    @Test
    void jsonHasTimesAndShares() {
        Outcome outcome = Outcome.of("bench", "--quick", "--json", "--backend", "cpu");
        assertEquals(0, outcome.code(), outcome.err());
        JsonObject cpu = outcome.json().getAsJsonArray("backends").get(0).getAsJsonObject();
        assertEquals("cpu", cpu.get("backend").getAsString());
        assertTrue(cpu.get("peakGflops").getAsDouble() > 0);
        assertTrue(cpu.get("copyGigabytes").getAsDouble() > 0);
        assertEquals(4, cpu.getAsJsonArray("rows").size());
        for (JsonElement row : cpu.getAsJsonArray("rows")) {
            for (String number : new String[] {"millis", "microsPerStep", "gflops", "shareOfPeak", "shareOfCopy"}) {
                assertTrue(row.getAsJsonObject().get(number).getAsDouble() > 0, row + " " + number);
            }
        }
    }

    @Test
    void theTableNamesWhatItMeasures() {
        String text = Outcome.of("bench", "--quick", "--backend", "cpu").out();
        assertTrue(text.contains("measured peaks: product ") && text.contains("us/step"), text);
        assertTrue(text.lines().anyMatch(line -> line.startsWith("forward, backward  ")), text);
    }
}
