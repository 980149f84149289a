package dev.elman.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.elman.Backends;
import dev.elman.backend.Backend;
import dev.elman.contract.Intercepted;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
        assertTrue(text.lines().anyMatch(line -> line.startsWith("training  ")), text);
    }

    @Test
    void shapesOfOnesOwnAreMeasuredInEveryCombination() {
        Outcome outcome = Outcome.of(
                "bench",
                "--quick",
                "--backend",
                "cpu",
                "--batch-size",
                "1,3",
                "--steps",
                "4",
                "--hidden",
                "5,8",
                "--tsv");
        assertEquals(0, outcome.code(), outcome.err());
        List<String[]> rows = tsv(outcome);
        assertEquals(
                List.of("1 4 5", "1 4 5", "3 4 5", "3 4 5", "1 4 8", "1 4 8", "3 4 8", "3 4 8"),
                rows.stream().map(row -> row[5] + " " + row[6] + " " + row[7]).toList());
        for (String[] row : rows) {
            assertEquals("cpu fp32 full 1", row[0] + " " + row[1] + " " + row[3] + " " + row[4]);
            double low = Double.parseDouble(row[10]);
            double high = Double.parseDouble(row[11]);
            double median = Double.parseDouble(row[9]);
            assertTrue(0 < low && low <= median && median <= high, String.join(" ", row));
        }
    }

    @Test
    void rowsOfUnequalLengthCountTheirLiveSteps() {
        Outcome outcome = Outcome.of(
                "bench",
                "--quick",
                "--backend",
                "cpu",
                "--batch-size",
                "4",
                "--steps",
                "8",
                "--hidden",
                "16",
                "--unequal",
                "--json");
        JsonObject row = outcome.json()
                .getAsJsonArray("backends")
                .get(0)
                .getAsJsonObject()
                .getAsJsonArray("rows")
                .get(0)
                .getAsJsonObject();
        assertEquals("unequal", row.get("lengths").getAsString());
        // Rows of 2, 4, 6 and 8 steps.
        double flops = 20 * 2 * 16 * 32;
        assertEquals(
                flops, 1e6 * row.get("gflops").getAsDouble() * row.get("millis").getAsDouble(), 1e-6 * flops);
    }

    /** Twice the products, and the states of both beside the one x. */
    @Test
    void bothDirectionsCountTheirInputOnce() {
        Outcome outcome = Outcome.of("bench", "--quick", "--backend", "cpu", "--bidirectional", "--json");
        JsonObject cpu = outcome.json().getAsJsonArray("backends").get(0).getAsJsonObject();
        double copy = cpu.get("copyGigabytes").getAsDouble();
        int training = 0;
        for (JsonElement each : cpu.getAsJsonArray("rows")) {
            JsonObject row = each.getAsJsonObject();
            assertEquals(2, row.get("directions").getAsInt());
            double millis = row.get("millis").getAsDouble();
            double steps = 16.0 * row.get("n").getAsInt();
            double h = row.get("h").getAsDouble();
            double flops = (1 + 2 * training) * 2 * steps * 2 * h * 2 * h;
            double bytes = (1 + training) * 4 * steps * (h + 2 * h);
            assertEquals(flops, 1e6 * row.get("gflops").getAsDouble() * millis, 1e-6 * flops);
            assertEquals(bytes, 1e6 * row.get("shareOfCopy").getAsDouble() * copy * millis, 1e-6 * bytes);
            training = 1 - training;
        }
    }

    @Test
    void bothDirectionsAreTimedInOneCallThereAndOneBack() {
        List<String> calls = new ArrayList<>();
        try (Backend cpu = Backends.open("cpu")) {
            Backend watched = Intercepted.of(cpu, call -> {
                if (call.isVoid()) calls.add(call.operation());
                return call.proceed();
            });
            RecurrenceBench bench = new RecurrenceBench(watched, true, 1);
            calls.clear();
            bench.measure(new BenchShapes.Shape(2, 3, 4, 2, true));
        }
        List<String> training = List.of("bidirectionalForward", "fill", "fill", "bidirectionalBackward", "axpy");
        assertEquals(training, calls.subList(calls.size() - training.size(), calls.size()));
        assertEquals(new HashSet<>(training), new HashSet<>(calls));
    }

    /** A long one but the first, that is; and no second sample is begun when the time is over. */
    @ParameterizedTest
    @CsvSource({"1e-9, 1", "60, 3"})
    void aLongRunIsMadeOnceForEachSample(double seconds, int samples) {
        AtomicInteger runs = new AtomicInteger();
        try (Backend cpu = Backends.open("cpu")) {
            Backend slow = Intercepted.of(cpu, call -> {
                if (call.operation().equals("simpleRnnForward")) {
                    runs.incrementAndGet();
                    Thread.sleep(10);
                }
                return call.proceed();
            });
            List<RecurrenceBench.Row> rows =
                    new RecurrenceBench(slow, true, seconds).measure(new BenchShapes.Shape(2, 3, 4, 1, false));
            assertEquals(
                    List.of(samples, samples),
                    rows.stream().map(RecurrenceBench.Row::samples).toList());
            assertEquals(2 * (1 + samples), runs.get());
        }
    }

    @Test
    void theMedianOfAnEvenNumberLiesBetweenTheMiddleTwo() {
        assertEquals(2.5, RecurrenceBench.median(List.of(1., 2., 3., 9.)));
        assertEquals(2, RecurrenceBench.median(List.of(1., 2., 9.)));
    }

    @Test
    void bothDirectionsAreToldFromOne() {
        for (String[] row : tsv(Outcome.of("bench", "--quick", "--backend", "cpu", "--bidirectional", "--tsv"))) {
            assertEquals("2", row[4]);
        }
        String text = Outcome.of("bench", "--quick", "--backend", "cpu", "--bidirectional")
                .out();
        assertTrue(text.contains(" 2 x 32 "), text);
    }

    @Test
    void whatWasMeasuredBeforeAShapeFailedIsKept() {
        String[] shapes = {"bench", "--quick", "--backend", "cpu", "--batch-size=1", "--steps=2", "--hidden=4,1000000"};
        Outcome table = Outcome.of(shapes);
        assertEquals(2, table.code(), table.out());
        assertTrue(table.err().contains("[1000000,1000000]"), table.err());
        assertTrue(table.out().lines().anyMatch(line -> line.startsWith("training  ")), table.out());
        shapes = Arrays.copyOf(shapes, shapes.length + 1);
        shapes[shapes.length - 1] = "--json";
        JsonElement cpu = Outcome.of(shapes).json().getAsJsonArray("backends").get(0);
        assertEquals(2, cpu.getAsJsonObject().getAsJsonArray("rows").size());
    }

    @Test
    void halfAShapeIsRefused() {
        Outcome outcome = Outcome.of("bench", "--quick", "--hidden", "5");
        assertEquals(2, outcome.code());
        assertTrue(outcome.err().contains("--batch-size, --steps and --hidden"), outcome.err());
        assertEquals(
                2,
                Outcome.of("bench", "--batch-size", "0", "--steps", "1", "--hidden", "1")
                        .code());
        assertEquals(2, Outcome.of("bench", "--quick", "--seconds", "0").code());
        assertEquals(2, Outcome.of("bench", "--quick", "--json", "--tsv").code());
    }

    private static List<String[]> tsv(Outcome outcome) {
        List<String> lines =
                outcome.out().lines().filter(line -> !line.startsWith("#")).toList();
        assertTrue(
                lines.get(0).startsWith("who\tprecision\tpass\tlengths\tdirections\tN\tT\tH\tsamples\tms\t"),
                lines.get(0));
        return lines.stream().skip(1).map(line -> line.split("\t", -1)).toList();
    }
}
