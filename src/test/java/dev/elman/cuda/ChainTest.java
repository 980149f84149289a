package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Each link of the chain to the GPU, broken on purpose: the answer is one sentence that says what to do. */
@EnabledOnOs(OS.LINUX)
class ChainTest {
    private static final String HIDDEN = "LD_LIBRARY_PATH";

    @BeforeAll
    static void nativesAreThere() {
        assumeTrue(
                System.getProperty("java.class.path").contains("jcuda-natives"),
                "not run: the chain, because JCuda's native code is not on the class path");
    }

    @Test
    void withoutADriver() throws Exception {
        List<String> links = examine(ChildJvm.like(Map.of(HIDDEN, ""), Map.of()));
        assumeFalse(links.size() > 1, "not run: this machine has a driver where every program finds it");
        assertBroken(
                links, "binding to the driver's library", "libcuda.so.1 was not found", "install the NVIDIA driver");
    }

    @Test
    void withoutJcudasNativeCode() throws Exception {
        List<String> links = examine(ChildJvm.like(Map.of(), Map.of()).without("jcuda-natives"));
        assertBroken(links, "binding to the driver's library", "org.jcuda:jcuda-natives:12.6.0", "linux-x86_64");
    }

    @Test
    void aDeviceThatIsNoNumber() throws Exception {
        List<String> links = examine(ChildJvm.like(Map.of(), Map.of("elman.cuda.device", "first")));
        assertBroken(links, "settings", "elman.cuda.device must be the number of a device", "\"first\"");
    }

    @Test
    void nowhereToUnpack(@TempDir Path folder) throws Exception {
        List<String> links = examine(ChildJvm.like(
                Map.of(), Map.of("java.io.tmpdir", folder.resolve("missing").toString())));
        assertBroken(links, "binding to the driver's library", "could not be unpacked", "-Djava.io.tmpdir");
    }

    @Test
    @Tag("cuda")
    void everyLinkHolds() throws Exception {
        List<String> links = examine(ChildJvm.like(Map.of(), Map.of()));
        assertEquals(7, links.size(), links.toString());
        for (String link : links) assertTrue(link.startsWith("ok | "), link);
    }

    @Test
    @Tag("cuda")
    void noDeviceIsVisible() throws Exception {
        List<String> links = examine(ChildJvm.like(Map.of("CUDA_VISIBLE_DEVICES", "-1"), Map.of()));
        assertEquals(false, links.get(links.size() - 1).startsWith("ok"), links.toString());
        String last = links.get(links.size() - 1);
        assertTrue(last.contains("shows no GPU") && last.contains("CUDA_VISIBLE_DEVICES is \"-1\""), last);
    }

    @Test
    @Tag("cuda")
    void aDeviceThatIsNotThere() throws Exception {
        List<String> links = examine(ChildJvm.like(Map.of(), Map.of("elman.cuda.device", "99")));
        assertBroken(links, "device", "elman.cuda.device is 99, but CUDA shows 0 ", "CUDA_VISIBLE_DEVICES is");
    }

    @Test
    @Tag("cuda")
    void withoutCublas(@TempDir Path folder) throws Exception {
        Optional<Path> driver = onLibraryPath("libcuda.so.1");
        assumeTrue(
                driver.isPresent(), "not run: the driver is not on LD_LIBRARY_PATH, so cuBLAS cannot be hidden alone");
        Files.createSymbolicLink(folder.resolve("libcuda.so.1"), driver.get());
        List<String> links = examine(ChildJvm.like(Map.of(HIDDEN, folder.toString()), Map.of()));
        assumeFalse(links.size() == 7, "not run: this machine has a cuBLAS 12 where every program finds it");
        assertBroken(links, "cuBLAS 12", "libcublas.so.12", "-Delman.cuda.libdir", "LD_LIBRARY_PATH is " + folder);
    }

    @Test
    @Tag("cuda")
    void cublasFromAFolder(@TempDir Path folder) throws Exception {
        Optional<Path> driver = onLibraryPath("libcuda.so.1");
        Optional<Path> blas = onLibraryPath("libcublas.so.12");
        assumeTrue(driver.isPresent() && blas.isPresent(), "not run: the libraries are not on LD_LIBRARY_PATH");
        Files.createSymbolicLink(folder.resolve("libcuda.so.1"), driver.get());
        List<String> links = examine(ChildJvm.like(
                Map.of(HIDDEN, folder.toString()),
                Map.of("elman.cuda.libdir", blas.get().getParent().toString())));
        assertEquals(7, links.size(), links.toString());
        assertTrue(links.get(5).contains("from " + blas.get().getParent()), links.get(5));
    }

    @Test
    @Tag("cuda")
    void aFolderWithoutCublas(@TempDir Path folder) throws Exception {
        List<String> links = examine(ChildJvm.like(Map.of(), Map.of("elman.cuda.libdir", folder.toString())));
        assertBroken(links, "cuBLAS 12", "elman.cuda.libdir is " + folder, "there is no libcublas.so.12");
    }

    @Test
    @Tag("cuda")
    void aCublasThatIsNoLibrary(@TempDir Path folder) throws Exception {
        Files.writeString(folder.resolve("libcublas.so.12"), "nothing");
        List<String> links = examine(ChildJvm.like(Map.of(), Map.of("elman.cuda.libdir", folder.toString())));
        assertBroken(
                links, "cuBLAS 12", folder + "/libcublas.so.12 could not be loaded", "cuBLAS 12 for this platform");
    }

    @Test
    @Tag("cuda")
    void aTruncatedKernelFile(@TempDir Path folder) throws Exception {
        Path inPackage = Files.createDirectories(folder.resolve("dev/elman/cuda"));
        String whole = Files.readString(Ptx.KERNELS.resolve("rnn.sm75.ptx"));
        Files.writeString(inPackage.resolve("rnn.sm75.ptx"), whole.substring(0, whole.length() / 2));
        List<String> links = examine(ChildJvm.like(Map.of(), Map.of()).before(folder));
        assertBroken(links, "kernels", "refused a kernel file", " rnn", "get the jar anew");
    }

    private static List<String> examine(ChildJvm jvm) throws IOException, InterruptedException {
        String output = jvm.run(ExamineMain.class);
        List<String> links =
                output.lines().filter(line -> line.matches("(ok|no) \\| .*")).toList();
        assertTrue(!links.isEmpty(), output);
        return links;
    }

    /** The last link is the broken one, the only one, and its one sentence has these parts. */
    private static void assertBroken(List<String> links, String name, String... parts) {
        String last = links.get(links.size() - 1);
        assertTrue(last.startsWith("no | " + name + " | CUDA cannot be used: "), last);
        for (String part : parts) assertTrue(last.contains(part), part + " in: " + last);
        for (String link : links.subList(0, links.size() - 1)) assertTrue(link.startsWith("ok | "), link);
    }

    private static Optional<Path> onLibraryPath(String name) {
        String path = System.getenv(HIDDEN);
        if (path == null) return Optional.empty();
        return Arrays.stream(path.split(File.pathSeparator, -1))
                .map(folder -> Path.of(folder).toAbsolutePath().resolve(name))
                .filter(Files::exists)
                .findFirst();
    }
}
