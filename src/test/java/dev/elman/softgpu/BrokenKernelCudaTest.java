package dev.elman.softgpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.contract.ChildJvm;
import dev.elman.contract.Required;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The software driver notices a shipped kernel that is broken on purpose, and its message points at the line. Each breakage
 * runs in a JVM of its own, with the broken file before the right one on the class path.
 */
@Tag("softgpu")
class BrokenKernelCudaTest {
    private static final Path KERNELS = Path.of("kernels");
    private static final Pattern PLACE =
            Pattern.compile("in kernel (\\w+), block .*, thread .*, PTX line (\\d+)[^:]*: (\\S+)");

    @TempDir
    private Path folder;

    @BeforeAll
    static void onTheSoftwareDriver() {
        Required.that(
                System.getenv("SOFTGPU_LOG") != null,
                "softgpu",
                "kernels that are broken on purpose",
                "only the software driver looks at every access");
    }

    @Test
    void theRightKernelsPass() throws Exception {
        String output = run(BrokenKernelMain.class, "rnn.sm75.ptx", ptx -> ptx);
        assertTrue(output.contains("all right"), output);
        assertTrue(!output.contains("softgpu: ERROR"), output);
    }

    @Test
    void anIndexOffByOne() throws Exception {
        assertCaught(
                "rnn.sm75.ptx",
                ptx -> ptx.replace("setp.ge.s64", "setp.gt.s64"),
                "rnn_forward_tanh",
                "of allocation",
                "CUDA_ERROR_ILLEGAL_ADDRESS");
    }

    @Test
    void parametersInTheWrongOrder() throws Exception {
        assertCaught(
                "rnn.sm75.ptx",
                ptx -> ptx.replace("_param_0]", "_swapped]")
                        .replace("_param_2]", "_param_0]")
                        .replace("_swapped]", "_param_2]"),
                "rnn_forward_tanh",
                "of allocation",
                "CUDA_ERROR_ILLEGAL_ADDRESS");
    }

    @Test
    void aMissingBarrier() throws Exception {
        assertCaught(
                "loss.sm75.ptx",
                ptx -> ptx.replaceAll("\\tbar\\.sync[^;]*;", ""),
                "softmax",
                "race in shared memory",
                "CUDA_ERROR_LAUNCH_FAILED");
    }

    /** Nothing the driver could object to: the numbers lie in the output, but not where they should. */
    @Test
    void aStoreOfFourNumbersInTheWrongPlaceFailsTheContract() throws Exception {
        String right = run(DropoutChecksMain.class, "layers.sm75.ptx", ptx -> ptx);
        assertTrue(right.contains("failed: 0 of "), right);
        String output = run(DropoutChecksMain.class, "layers.sm75.ptx", ptx -> {
            int quads = ptx.indexOf("ld.global.v4.f32", ptx.indexOf(".entry dropout("));
            Matcher store = Pattern.compile("st\\.global\\S*\\s+\\[%rd\\d+").matcher(ptx);
            assertTrue(store.find(quads), "the kernel has changed: break it in another way");
            return ptx.substring(0, store.end()) + "+16" + ptx.substring(store.end());
        });
        assertTrue(output.contains("failed: ") && !output.contains("failed: 0 of "), output);
        assertTrue(output.contains("dropout T="), output);
    }

    private void assertCaught(String file, UnaryOperator<String> breakage, String kernel, String... parts)
            throws Exception {
        String right = Files.readString(KERNELS.resolve(file));
        String broken = breakage.apply(right);
        assertNotEquals(right, broken, "the kernel has changed: break it in another way");
        String output = run(BrokenKernelMain.class, file, breakage);
        assertTrue(output.contains("refused: ") && !output.contains("all right"), output);
        for (String part : parts) assertTrue(output.contains(part), part + " in: " + output);
        Matcher place = PLACE.matcher(output);
        assertTrue(place.find(), output);
        assertEquals(kernel, place.group(1), output);
        String line = broken.lines().toList().get(Integer.parseInt(place.group(2)) - 1);
        assertTrue(line.contains(place.group(3)), line + " is not the line of: " + output);
    }

    private String run(Class<?> main, String file, UnaryOperator<String> breakage)
            throws IOException, InterruptedException {
        Path inPackage = Files.createDirectories(folder.resolve("dev/elman/cuda"));
        Files.writeString(inPackage.resolve(file), breakage.apply(Files.readString(KERNELS.resolve(file))));
        return ChildJvm.like(Map.of("SOFTGPU_LOG", ""), Map.of()).before(folder).run(main);
    }
}
