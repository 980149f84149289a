package dev.elman.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Processes that share the contract between them leave nothing out. */
class ContractPartTest {
    private static final List<Integer> ALL = IntStream.range(0, 11).boxed().toList();

    @Test
    void eachCheckIsInOnePart() {
        List<Integer> shared = new ArrayList<>();
        for (int part = 1; part <= 4; part++) shared.addAll(BackendContract.part(ALL, part + "/4"));
        assertEquals(ALL, shared.stream().sorted().toList());
        assertEquals(List.of(2, 6, 10), BackendContract.part(ALL, "3/4"));
        assertEquals(ALL, BackendContract.part(ALL, "1/1"));
    }

    @Test
    void aPartThatIsNotThereIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> BackendContract.part(ALL, "5/4"));
        assertThrows(IllegalArgumentException.class, () -> BackendContract.part(ALL, "0/4"));
    }
}
