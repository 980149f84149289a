package dev.elman.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Activation;
import dev.elman.backend.Backend;
import dev.elman.backend.Tensor;
import dev.elman.reference.ReferenceBackend;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class ChecksTest {
    /** A seam with one operation more than there are checks for. */
    interface Wider extends Backend {
        void gruForward(Tensor x, Tensor y);
    }

    @Test
    void everyOperationHasChecksInBothLists() {
        assertEquals(Set.of(), Checks.withoutCheck(Checks.all()));
        assertEquals(Set.of(), Checks.withoutCheck(Checks.quick()));
    }

    @Test
    void anOperationWithoutACheckIsFound() {
        assertEquals(Set.of("gruForward"), Checks.withoutCheck(Wider.class, Checks.all()));
    }

    @Test
    void anOperationWithoutACheckFailsTheReport() {
        List<Check> some = Checks.quick().stream()
                .filter(check -> !check.operation().equals("dropout")
                        && !check.operation().startsWith("simpleRnn"))
                .toList();
        Report report = Verifier.run(ReferenceBackend::new, ReferenceBackend::new, some, check -> {});
        assertFalse(report.passed());
        Set<String> failed = report.failures().stream().map(Result::operation).collect(Collectors.toSet());
        assertEquals(Set.of("dropout", "simpleRnnForward", "simpleRnnBackward"), failed);
    }

    @Test
    void everyOperationHasThreeShapesOrMore() {
        var shapes = Checks.all().stream()
                .collect(Collectors.groupingBy(
                        Check::operation, Collectors.mapping(Check::shape, Collectors.toCollection(TreeSet::new))));
        for (String operation : Checks.withoutCheck(List.of())) {
            assertTrue(shapes.get(operation).size() >= 3, operation + " has only " + shapes.get(operation));
        }
    }

    /** Design: T 1, 2, 7; N 1, 3, 33; D and H 1, 5, 31, 33, 100; each activation, with and without a mask. */
    @Test
    void bothPassesOfTheRecurrenceCoverTheFullCross() {
        Set<String> names = Checks.all().stream()
                .map(check -> check.operation() + " " + check.shape() + " " + parts(check.variant()))
                .collect(Collectors.toSet());
        int count = 0;
        for (String operation : List.of("simpleRnnForward", "simpleRnnBackward")) {
            for (int t : new int[] {1, 2, 7}) {
                for (int n : new int[] {1, 3, 33}) {
                    for (int d : new int[] {1, 5, 31, 33, 100}) {
                        for (int h : new int[] {1, 5, 31, 33, 100}) {
                            for (Activation activation : Activation.values()) {
                                for (boolean masked : new boolean[] {false, true}) {
                                    String size = " T=" + t + " N=" + n + " D=" + d + " H=" + h + " ";
                                    String rest = activation.name().toLowerCase(java.util.Locale.ROOT) + " " + masked;
                                    assertTrue(names.contains(operation + size + rest), operation + size + rest);
                                    count++;
                                }
                            }
                        }
                    }
                }
            }
        }
        assertEquals(2 * 3 * 3 * 5 * 5 * 3 * 2, count);
    }

    /** The activation, and whether there is a mask. */
    private static String parts(String variant) {
        return variant.split(",", 2)[0] + " " + !variant.contains("no mask");
    }

    @Test
    void noTwoChecksHaveOneName() {
        List<String> names = Checks.all().stream().map(Check::name).toList();
        assertEquals(names.size(), Set.copyOf(names).size());
    }

    @Test
    void quickIsATenthOfEachOperation() {
        var all = Checks.all().stream().collect(Collectors.groupingBy(Check::operation, Collectors.counting()));
        var quick = Checks.quick().stream().collect(Collectors.groupingBy(Check::operation, Collectors.counting()));
        all.forEach((operation, count) -> assertEquals((count + 9) / 10, quick.get(operation), operation));
        assertTrue(Set.copyOf(Checks.all().stream().map(Check::name).toList())
                .containsAll(Checks.quick().stream().map(Check::name).toList()));
    }

    @Test
    void theReferenceAgreesWithItself() {
        Report report = Verifier.run(ReferenceBackend::new, ReferenceBackend::new, Checks.quick(), check -> {});
        assertTrue(report.passed(), report::line);
        assertTrue(report.line().startsWith("reference agrees with the reference: "), report::line);
        assertEquals(
                report.results().size(),
                report.rows().stream().mapToInt(Report.Row::results).sum());
    }
}
