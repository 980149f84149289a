package dev.elman.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReportTest {
    private static final Result NEAR = result("dwx", .9, true, "");
    private static final Result FIRST = result("dwx", .5, false, "no number");
    private static final Result SECOND = result("dwh", 7, false, "far off");
    private static final Report REPORT =
            new Report("cpu", "a CPU", 3, List.of(NEAR, FIRST, SECOND), Duration.ofSeconds(1));

    private static Result result(String quantity, double error, boolean passed, String message) {
        return new Result("cpu", "simpleRnnBackward", quantity, "T=1", "", error, 1, passed, message);
    }

    /** Whatever its error is. */
    @Test
    void aFailureIsWorseThanWhatPassed() {
        assertFalse(REPORT.passed());
        assertEquals(
                List.of(
                        new Report.Row("simpleRnnBackward", "dwx", 2, 1, FIRST),
                        new Report.Row("simpleRnnBackward", "dwh", 1, 1, SECOND)),
                REPORT.rows());
    }

    @Test
    void theLineNamesTheFirstFailure() {
        assertEquals(
                "cpu does NOT agree with the reference: 2 of 3 results are out, the first: no number", REPORT.line());
    }
}
