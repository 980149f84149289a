package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.cuda.SequenceKernel.Way;
import dev.elman.cuda.SequenceSize.Family;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Kernels cut out of their files. */
class PtxTextTest {
    private static final int NEWEST = 90;

    @ParameterizedTest
    @FieldSource("dev.elman.cuda.KernelModule#ALL")
    void aKernelAloneIsWhatItWasAndWhereItWas(KernelEntry kernel) {
        PtxText whole = PtxText.read(kernel.file(), NEWEST);
        String alone = whole.alone(kernel).text();
        assertEquals(
                Map.of(kernel.entry(), Ptx.entries(whole.text()).get(kernel.entry())),
                Ptx.entries(alone),
                kernel.entry());
        List<String> lines = alone.lines().toList();
        List<String> before = whole.text().lines().toList();
        assertTrue(lines.size() <= before.size());
        for (int i = 0; i < lines.size(); i++) {
            if (!lines.get(i).isEmpty()) assertEquals(before.get(i), lines.get(i), "line " + (i + 1));
        }
        assertTrue(
                lines.stream().anyMatch(line -> line.startsWith(".version"))
                        && lines.stream().anyMatch(line -> line.startsWith(".target")),
                "the head is lost");
    }

    @Test
    void aKernelThatIsNotThereIsNamed() {
        SequenceKernel kernel = new SequenceKernel(Family.TENSOR_TF32, Way.BACKWARD, 2048, 8);
        PtxText whole = PtxText.read(kernel.file(), NEWEST);
        PtxText without = new PtxText(whole.name(), whole.text().replace(kernel.entry() + "(", "other("));
        String said = assertThrows(IllegalStateException.class, () -> without.alone(kernel))
                .getMessage();
        assertTrue(said.contains(kernel.entry()) && said.contains("not whole"), said);
    }
}
