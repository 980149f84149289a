package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * N T H beyond 2^31 is legal: no global address in the PTX goes through an integer of 32 bits that could overflow. Goes
 * back from each address through all that it is made of; where that was 32 bits wide, its range must fit.
 */
class KernelAddressTest {
    private static final int MOST_ROWS = 1 << 14;
    private static final int MOST_NODES = 1 << 11;
    private static final int MOST_ROWS_OF_A_GROUP = 128;

    /**
     * The most that the kernels on tensor cores get: steps, rows, nodes and rows of a group in 64 bits; the slots of a ring, where
     * there is one, direction and activation in 32. Without a ring there may be any number of rows.
     */
    private static Map<Integer, Integer> most(String kernel) {
        if (!kernel.startsWith("tensor_")) return Map.of();
        String types = KernelModule.ALL.stream()
                .filter(each -> each.entry().equals(kernel))
                .findFirst()
                .orElseThrow()
                .parameters();
        int steps = types.indexOf('l');
        int direction = types.lastIndexOf('i') - 1;
        Map<Integer, Integer> most = new HashMap<>(Map.of(
                steps,
                Integer.MAX_VALUE,
                steps + 2,
                MOST_NODES,
                steps + 3,
                MOST_ROWS_OF_A_GROUP,
                direction,
                1,
                direction + 1,
                2));
        if (direction == steps + 5) most.putAll(Map.of(steps + 1, MOST_ROWS, steps + 4, Ring.MOST_SLOTS));
        return most;
    }

    @Test
    void boundsAreThoseOfTheParameters() {
        assertEquals(
                Map.of(7, Integer.MAX_VALUE, 8, MOST_ROWS, 9, MOST_NODES, 10, 128, 11, 256, 12, 1, 13, 2),
                most("tensor_forward_256_8"));
        assertEquals(
                Map.of(5, Integer.MAX_VALUE, 7, MOST_NODES, 8, 128, 9, 1, 10, 2),
                most("tensor_cluster_tf32_forward_256_8"));
        assertEquals(Map.of(), most("grid_forward_256_1"));
    }

    @Test
    void everyGlobalAddressIsFormedIn64Bits() throws IOException {
        int addresses = 0;
        List<String> faults = new ArrayList<>();
        for (Path file : Ptx.files()) {
            for (Ptx.Entry entry : Ptx.entries(Files.readString(file)).values()) {
                AddressRanges ranges = new AddressRanges(entry, most(entry.name()));
                addresses += ranges.addresses().size();
                for (String fault : ranges.faults()) faults.add(file.getFileName() + " " + entry.name() + ": " + fault);
            }
        }
        assertTrue(addresses > 300, "only " + addresses + " addresses found");
        assertTrue(faults.isEmpty(), () -> String.join("\n", faults));
    }

    /** So these kernels count the places of a group's ring in 32 bits, and the elements of a step. */
    @Test
    void aRingAndAStepOnTensorCoresAreSmall() {
        for (SequenceSize size : SequenceSize.ALL) {
            if (!size.family().name().startsWith("TENSOR")) continue;
            assertTrue(size.mostRows(false, false) <= MOST_ROWS_OF_A_GROUP, size.toString());
            assertTrue(size.hidden() <= MOST_NODES, size.toString());
            long places = (long) Ring.MOST_SLOTS * size.mostRows(false, false) * size.hidden();
            assertTrue(places <= Integer.MAX_VALUE, size.toString());
            // On far more multiprocessors than there are.
            assertTrue(size.groups(1024) * size.mostRows(false, false) <= MOST_ROWS, size.toString());
        }
    }

    @Test
    void aProductOf32BitsIsFound() {
        assertEquals(
                1,
                faultsOf("mad.lo.s32 %r4, %r1, %r2, %r3;\ncvt.s64.s32 %rd2, %r4;")
                        .size());
        assertEquals(
                1,
                faultsOf("mul.lo.s32 %r4, %r1, %r2;\nmul.wide.s32 %rd2, %r4, 4;")
                        .size());
    }

    @Test
    void aLoopIn32BitsIsFound() {
        assertEquals(
                1,
                faultsOf("mov.u32 %r4, 0;\nadd.s32 %r4, %r4, 1;\nmul.wide.s32 %rd2, %r4, 4;")
                        .size());
    }

    @Test
    void bitsThatWereCutOffAreFound() {
        assertEquals(
                1, faultsOf("cvt.u32.u64 %r4, %rd1;\ncvt.u64.u32 %rd2, %r4;").size());
    }

    @Test
    void aWideProductACountOfBitsAndAThreadsOwnNumberPass() {
        assertEquals(List.of(), faultsOf("mul.wide.u32 %rd2, %r1, %r2;"));
        assertEquals(List.of(), faultsOf("ld.global.u32 %r4, [%rd1];\npopc.b32 %r5, %r4;\ncvt.u64.u32 %rd2, %r5;"));
        assertEquals(List.of(), faultsOf("and.b32 %r4, %r3, 31;\nadd.s32 %r5, %r4, %r3;\ncvt.u64.u32 %rd2, %r5;"));
    }

    @Test
    void theNumberOfABitAndAnotherThreadsNumberPass() {
        assertEquals(List.of(), faultsOf("bfind.shiftamt.u32 %r4, %r3;\nmul.wide.s32 %rd2, %r4, 4;"));
        String shuffled =
                "shfl.sync.idx.b32 %r4|%p1, %r3, 0, 31, -1;\nshl.b32 %r5, %r4, 9;\nmul.wide.s32 %rd2, %r5, 4;";
        assertEquals(List.of(), faultsOf(shuffled));
        assertEquals(1, faultsOf(shuffled.replace("%r3, 0", "%r1, 0")).size());
    }

    /** Round a loop without arithmetic, the value is one of those from outside. */
    @Test
    void copiesPassAndWhatIsAddedToThemIsFound() {
        String loop = "mov.u32 %r4, %r3;\nmov.u32 %r5, %r4;\nmov.u32 %r4, %r5;\nmul.wide.s32 %rd2, %r5, 4;";
        assertEquals(List.of(), faultsOf(loop));
        assertEquals(
                1,
                faultsOf(loop.replace("mov.u32 %r5, %r4", "add.s32 %r5, %r4, 1"))
                        .size());
    }

    /** Of an address that was shuffled; any others may have lost bits. */
    @Test
    void halvesOfAnAddressPass() {
        String halves = "mov.b64 {%r4, %r5}, %rd1;\nshfl.sync.idx.b32 %r6|%p1, %r4, 0, 31, -1;\n"
                + "shfl.sync.idx.b32 %r7|%p1, %r5, 0, 31, -1;\nmov.b64 %rd2, {%r6, %r7};";
        assertEquals(List.of(), faultsOf(halves));
        String product = "mul.lo.s32 %r9, %r1, %r2;\nmul.wide.s32 %rd9, %r9, 4;\n" + halves.replace("%rd1;", "%rd9;");
        assertEquals(1, faultsOf(product).size());
        assertFalse(faultsOf(halves.replace("{%r6, %r7}", "{%r6, %r8}") + "\nmul.lo.s32 %r8, %r1, %r2;")
                .isEmpty());
    }

    /** A small mask bounds what it is laid on, and says nothing of it. */
    @Test
    void whatWasMaskedIsNotSmall() {
        String masked = """
                ld.global.u32 %r8, [%rd1];
                mul.hi.u32 %r9, %r8, %r8;
                ld.param.u32 %r5, [tried_param_1];
                and.b32 %r10, %r9, %r5;
                mul.hi.u32 %r11, %r10, %r10;
                mul.wide.u32 %rd2, %r11, 4;""";
        assertEquals(List.of(), faultsOf(masked, Map.of(1, 99)));
        String both = masked.replace("%r11, %r10, %r10", "%r11, %r10, %r9");
        assertEquals(1, faultsOf(both, Map.of(1, 99)).size());
    }

    @Test
    void aChoiceAndAProductOfEitherSignHaveBounds() {
        String chosen = "selp.b32 %r4, 1, -1, %p1;\nmul.lo.s32 %r5, %r4, %r3;\nmul.wide.s32 %rd2, %r5, 4;";
        assertEquals(List.of(), faultsOf(chosen));
        assertEquals(1, faultsOf(chosen.replace("1, -1", "%r1, 9")).size());
    }

    /** The second parameter is taken to be small, the third is not. */
    @Test
    void whatIsMadeOfSmallParametersPasses() {
        String loop = "mov.u32 %r4, 0;\nld.param.u32 %r5, [tried_param_1];\nadd.s32 %r4, %r4, %r5;\n"
                + "mul.wide.s32 %rd2, %r4, 4;";
        assertEquals(List.of(), faultsOf(loop, Map.of(1, 99)));
        assertEquals(1, faultsOf(loop, Map.of(1, Integer.MAX_VALUE)).size());
        assertEquals(1, faultsOf(loop).size());
        assertEquals(
                1, faultsOf(loop.replace("param_1", "param_2"), Map.of(1, 99)).size());
        String narrowed = "ld.param.u64 %rd4, [tried_param_2];\ncvt.u32.u64 %r5, %rd4;\nmul.lo.s32 %r4, %r5, %r3;\n"
                + "cvt.s64.s32 %rd2, %r4;";
        assertEquals(List.of(), faultsOf(narrowed, Map.of(2, 99)));
        assertEquals(1, faultsOf(narrowed, Map.of(2, Integer.MAX_VALUE)).size());
        assertEquals(1, faultsOf(narrowed, Map.of(1, 99)).size());
        assertEquals(
                List.of(),
                faultsOf(
                        narrowed.replace("mul.lo.s32 %r4, %r5, %r3", "add.s32 %r4, %r5, -1"),
                        Map.of(2, Integer.MAX_VALUE)));
        String read = "ld.global.u32 %r5, [%rd1];\nadd.s32 %r4, %r4, %r5;\nmul.wide.s32 %rd2, %r4, 4;";
        assertEquals(1, faultsOf(read, Map.of(1, 99)).size());
    }

    private static List<String> faultsOf(String index) {
        return faultsOf(index, Map.of());
    }

    private static List<String> faultsOf(String index, Map<Integer, Integer> most) {
        String ptx = """
                .visible .entry tried(
                	.param .u64 tried_param_0
                )
                {
                	ld.param.u64 %%rd1, [tried_param_0];
                	mov.u32 %%r1, %%ctaid.x;
                	mov.u32 %%r2, %%ntid.x;
                	mov.u32 %%r3, %%tid.x;
                	%s
                	add.s64 %%rd3, %%rd1, %%rd2;
                	ld.global.f32 %%f1, [%%rd3+4];
                	ret;
                }
                """.formatted(index);
        Map<String, Ptx.Entry> entries = Ptx.entries(ptx);
        assertFalse(entries.isEmpty());
        return new AddressRanges(entries.get("tried"), most).faults();
    }
}
