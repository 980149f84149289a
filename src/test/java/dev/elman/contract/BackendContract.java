package dev.elman.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.elman.backend.Backend;
import dev.elman.backend.Shape;
import dev.elman.reference.ReferenceBackend;
import dev.elman.verify.Bench;
import dev.elman.verify.Check;
import dev.elman.verify.Checks;
import dev.elman.verify.Result;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * All checks, for the backend that a subclass names. One that cannot be opened is skipped, see {@link Required}.
 *
 * <p>With {@code -Delman.contract.part=2/8} every eighth check from the second on: a tool that watches each launch takes so
 * long over all of them that several processes share the work.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class BackendContract {
    private final String name;
    private final Supplier<Backend> opener;
    private Bench bench;

    BackendContract(String name, Supplier<Backend> opener) {
        this.name = name;
        this.opener = opener;
    }

    @BeforeAll
    void open() {
        bench = Bench.open(() -> Required.open(name, opener), ReferenceBackend::new);
    }

    @AfterAll
    void nothingIsLeftOpen() {
        if (bench == null) return;
        assertEquals(0, bench.tested().liveTensors());
        bench.close();
    }

    @TestFactory
    Stream<DynamicContainer> checks() {
        List<Check> all = Checks.all().stream().filter(this::asks).toList();
        return part(all, System.getProperty("elman.contract.part", "1/1")).stream()
                .collect(Collectors.groupingBy(Check::operation))
                .entrySet()
                .stream()
                .map(group -> dynamicContainer(group.getKey(), tests(group.getValue())));
    }

    @Test
    void whatItSaysOfItselfItSaysAfterCloseToo() {
        Backend own = bench.opener().get();
        List<Object> open = says(own);
        own.close();
        assertEquals(open, says(own));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void whatIsLeftIsFreedAndLogged(int left) {
        Backend own = bench.opener().get();
        List<String> logged = Logged.during(() -> {
            for (int i = 0; i < left; i++) own.allocate(Shape.of(3));
            own.close();
        });
        String said = own.name() + ": " + left + " tensors were never closed";
        assertEquals(left == 0 ? List.of() : List.of(said), logged);
        assertEquals(0, own.liveTensors());
    }

    private static List<Object> says(Backend backend) {
        return List.of(
                backend.name(),
                backend.description(),
                backend.unitRoundoff(),
                backend.sameBitsByStep(),
                backend.recurrence(3, 4, 5, 6, 1, true),
                backend.liveTensors());
    }

    static <T> List<T> part(List<T> all, String asked) {
        String[] numbers = asked.split("/", 2);
        int part = Integer.parseInt(numbers[0]);
        int parts = Integer.parseInt(numbers[numbers.length - 1]);
        if (part < 1 || part > parts)
            throw new IllegalArgumentException("There is no part " + asked + " of the contract.");
        return IntStream.range(0, all.size())
                .filter(i -> i % parts == part - 1)
                .mapToObj(all::get)
                .toList();
    }

    /** Which checks the subclass is for; all of them unless it says otherwise. */
    boolean asks(Check check) {
        return true;
    }

    /** For those that judge how products are made: at these sizes a mask changes none, and the software driver is slow. */
    final boolean recurrenceOfProducts(Check check) {
        boolean slow = bench.tested().description().contains("software device");
        return check.operation().matches("(simpleRnn|bidirectional).*")
                && (!slow || check.variant().contains("no mask"));
    }

    private Stream<DynamicTest> tests(List<Check> checks) {
        return checks.stream().map(check -> dynamicTest(check.name(), () -> assertPasses(check)));
    }

    private void assertPasses(Check check) {
        String failures = check.run(bench).stream()
                .filter(result -> !result.passed())
                .map(Result::message)
                .collect(Collectors.joining("\n"));
        if (!failures.isEmpty()) fail(failures);
    }
}
