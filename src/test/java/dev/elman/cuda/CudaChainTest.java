package dev.elman.cuda;

import static dev.elman.cuda.ChainTest.assertBroken;
import static dev.elman.cuda.ChainTest.assertNothingLeft;
import static dev.elman.cuda.ChainTest.examine;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.contract.ChildJvm;
import dev.elman.contract.Required;
import java.io.File;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The other links, on a machine where the whole chain holds; each is broken on purpose. */
@Tag("cuda")
@Tag("provokes-cuda-error")
@EnabledOnOs(OS.LINUX)
class CudaChainTest {
    private static final String HIDDEN = "LD_LIBRARY_PATH";

    @BeforeAll
    static void needsADevice() {
        Required.open("cuda", CudaBackend::open).close();
    }

    @Test
    void everyLinkHolds() throws Exception {
        List<String> links = examine(ChildJvm.like(Map.of(), Map.of()));
        assertEquals(9, links.size(), links.toString());
        for (String link : links) assertTrue(link.startsWith("ok | "), link);
        long everywhere = KernelModule.ALL.stream()
                .filter(kernel -> Set.of("sequence", "grid").contains(kernel.file()))
                .count();
        int later = number(links.get(8)) - number(links.get(6));
        assertTrue(later >= everywhere - 2, later + " are compiled later, and should be all but one of each file");
    }

    @Test
    void nativeCodeFromAFolder(@TempDir Path folder) throws Exception {
        String file = "libJCudaDriver-12.6.0-linux-x86_64.so";
        try (InputStream packed = CudaChainTest.class.getResourceAsStream("/lib/" + file)) {
            Files.copy(packed, folder.resolve(file));
        }
        Map<String, String> there = Map.of("java.library.path", folder.toString());
        List<String> links = examine(ChildJvm.like(Map.of(), there).without("jcuda-natives"));
        assertEquals("ok | binding to the driver's library | " + file + " from java.library.path", links.get(0));
    }

    /** Plans, cuBLAS and kernels go when nothing needs them any more. */
    @Test
    void closingWaits() throws Exception {
        assertNothingLeft(ChildJvm.like(Map.of(), Map.of()).run(CloseMain.class));
    }

    /** Where the JVM has no room for the kernels' text. */
    @Test
    void whatIsOpenedIsGivenBackWhereMemoryOfTheJvmEnds() throws Exception {
        String output = ChildJvm.with("-XX:MaxDirectMemorySize=64k").run(CloseMain.class);
        assertTrue(output.contains("OutOfMemoryError"), output);
        assertNothingLeft(output);
    }

    /** The rest is given back nevertheless. */
    @ParameterizedTest
    @CsvSource({
        "cuMemFree=900, cuMemFree failed with CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED",
        "'cuMemFreeHost=1,2', cuMemFreeHost failed with CUDA_ERROR_INVALID_VALUE",
        "cuStreamDestroy=400, cuStreamDestroy failed with CUDA_ERROR_INVALID_HANDLE",
        "cuDevicePrimaryCtxRelease=201, cuDevicePrimaryCtxRelease failed with CUDA_ERROR_INVALID_CONTEXT"
    })
    void whatCannotBeGivenBackIsLogged(String fault, String said) throws Exception {
        Required.that(
                System.getenv("SOFTGPU_LOG") != null,
                "softgpu",
                "what cannot be given back",
                "only the software driver can be made to fail");
        Map<String, String> faulty = Map.of("SOFTGPU_FAIL", fault, "SOFTGPU_LOG", "");
        String output = ChildJvm.like(faulty, Map.of()).run(CloseMain.class);
        assertTrue(output.contains("cuda: " + said + " while closing"), output);
        assertEquals(
                1,
                output.lines()
                        .filter(line -> line.startsWith("softgpu: ERROR: "))
                        .count(),
                output);
    }

    private static int number(String link) {
        return Integer.parseInt(link.replaceAll(".*\\| (\\d+) compiled.*", "$1"));
    }

    @Test
    void noDeviceIsVisible() throws Exception {
        List<String> links =
                examine(ChildJvm.like(Map.of("CUDA_VISIBLE_DEVICES", "-1", "SOFTGPU_DEVICE", "none"), Map.of()));
        assertEquals(false, links.get(links.size() - 1).startsWith("ok"), links.toString());
        String last = links.get(links.size() - 1);
        assertTrue(last.contains("shows no GPU") && last.contains("CUDA_VISIBLE_DEVICES is \"-1\""), last);
    }

    @Test
    void aPlanThatThereIsNot() throws Exception {
        List<String> links = examine(ChildJvm.like(Map.of(), Map.of("elman.cuda.plan", "fastest")));
        assertBroken(links, "settings and JCuda", "elman.cuda.plan must be one of block, ", "but is \"fastest\"");
    }

    @Test
    void aPlanThatThisDeviceCannotRun() throws Exception {
        List<String> links =
                examine(ChildJvm.like(Map.of("SOFTGPU_DEVICE", "sm_80"), Map.of("elman.cuda.plan", "cluster")));
        Required.that(
                !links.get(links.size() - 1).startsWith("ok"),
                "softgpu",
                "a plan that the device cannot run",
                "only the software driver can be another device");
        assertBroken(links, "recurrence plans", "elman.cuda.plan is \"cluster\", but clusters of blocks need", "9.0;");
    }

    @Test
    void aDriverThatIsTooOld() throws Exception {
        List<String> links = examine(ChildJvm.like(Map.of("SOFTGPU_DRIVER_VERSION", "11080"), Map.of()));
        Required.that(
                links.size() < 9, "softgpu", "a driver that is too old", "only the software driver can be made old");
        assertBroken(links, "driver", "is for CUDA 11.8 and too old", "install the NVIDIA driver 525 or newer");
    }

    @Test
    void aDeviceThatIsTooOld() throws Exception {
        List<String> links = examine(ChildJvm.like(Map.of("SOFTGPU_DEVICE", "sm_70"), Map.of()));
        Required.that(
                links.size() < 9,
                "softgpu",
                "a device that is too old",
                "only the software driver can be another device");
        assertBroken(links, "compute capability", "limits of V100 has compute capability 7.0", "need 7.5");
    }

    @Test
    void theOldestDriverAndDeviceServe() throws Exception {
        List<String> links =
                examine(ChildJvm.like(Map.of("SOFTGPU_DRIVER_VERSION", "12000", "SOFTGPU_DEVICE", "sm_75"), Map.of()));
        for (String link : links) assertTrue(link.startsWith("ok | "), link);
    }

    @Test
    void aDeviceThatIsNotThere() throws Exception {
        // The software driver has one.
        String first = System.getenv("SOFTGPU_LOG") != null ? "1" : "99";
        List<String> links = examine(ChildJvm.like(Map.of(), Map.of("elman.cuda.device", first)));
        assertBroken(
                links, "device", "elman.cuda.device is " + first + ", but CUDA shows 0 ", "CUDA_VISIBLE_DEVICES is");
    }

    @Test
    void withoutCublas(@TempDir Path folder) throws Exception {
        Optional<Path> driver = onLibraryPath("libcuda.so.1");
        Required.that(
                driver.isPresent(),
                "hidden-cublas",
                "a chain without cuBLAS",
                "the driver is not on LD_LIBRARY_PATH, so cuBLAS cannot be hidden alone");
        Files.createSymbolicLink(folder.resolve("libcuda.so.1"), driver.get());
        List<String> links = examine(ChildJvm.like(Map.of(HIDDEN, folder.toString()), Map.of()));
        assertEquals(9, links.size(), links.toString());
        Required.that(
                !links.get(5).contains(", cuBLAS 1"),
                "hidden-cublas",
                "a chain without cuBLAS",
                "this machine has a cuBLAS 12 where every program finds it");
        for (String part : List.of(
                "ok | matrix products | by kernels of our own",
                "libcublas.so.12 was not found",
                "elman.cuda.libdir is not set",
                "LD_LIBRARY_PATH is " + folder,
                "install cuBLAS 12",
                "-Delman.cuda.libdir")) {
            assertTrue(links.get(5).contains(part), part + " in: " + links.get(5));
        }
        List<String> demanded =
                examine(ChildJvm.like(Map.of(HIDDEN, folder.toString()), Map.of("elman.cuda.gemm", "cublas")));
        assertBroken(demanded, "matrix products", "libcublas.so.12 was not found", "install cuBLAS 12");
    }

    @ParameterizedTest
    @CsvSource({
        "jcublas-natives, put org.jcuda:jcublas-natives:12.6.0 with the classifier linux-x86_64 on the class path",
        "jcuda/jcublas/, put org.jcuda:jcublas:12.6.0 on the class path"
    })
    void withoutJcublas(String jar, String remedy) throws Exception {
        ChildJvm whole = ChildJvm.like(Map.of(), Map.of("elman.cuda.gemm", "cublas"));
        assertBroken(examine(whole.without(jar)), "matrix products", remedy);
    }

    @Test
    void ourOwnProductsOnDemand() throws Exception {
        List<String> links = examine(ChildJvm.like(Map.of(), Map.of("elman.cuda.gemm", "own")));
        assertEquals(9, links.size(), links.toString());
        assertTrue(links.get(5).startsWith("ok | matrix products | by kernels of our own"), links.get(5));
        assertTrue(links.get(5).endsWith("as elman.cuda.gemm asks"), links.get(5));
    }

    @Test
    void productsOfSplitOperands() {
        for (String which : List.of("all", "large")) {
            String said = products("split=" + which);
            assertTrue(said.endsWith(", " + which + " products as three of TF32 parts"), said);
        }
        for (String[] none : new String[][] {{}, {"split=all", "tf32=true"}}) {
            String said = products(none);
            assertFalse(said.contains("three"), said);
        }
    }

    /** The link, in this process: no kernels are compiled for it that only doctor needs. */
    private static String products(String... settings) {
        CudaChain chain = new CudaChain(Settings.of(settings));
        chain.open();
        chain.kernels().close();
        chain.blas().close();
        chain.context().close();
        return chain.links().get(5).detail();
    }

    @Test
    void cublasFromAFolder(@TempDir Path folder) throws Exception {
        Optional<Path> driver = onLibraryPath("libcuda.so.1");
        Optional<Path> blas = onLibraryPath("libcublas.so.12");
        Required.that(
                driver.isPresent() && blas.isPresent(),
                "hidden-cublas",
                "cuBLAS from a folder",
                "driver and cuBLAS are not on LD_LIBRARY_PATH");
        Files.createSymbolicLink(folder.resolve("libcuda.so.1"), driver.get());
        Path relative = Path.of("").toAbsolutePath().relativize(blas.get().getParent());
        List<String> links = examine(
                ChildJvm.like(Map.of(HIDDEN, folder.toString()), Map.of("elman.cuda.libdir", relative.toString())));
        assertEquals(9, links.size(), links.toString());
        assertTrue(links.get(5).contains("from " + blas.get().getParent()), links.get(5));
    }

    /** As of two web applications of one server, each with elman's jar of its own. */
    @Test
    void cublasFromAFolderServesEveryClassLoader() throws Exception {
        Optional<Path> blas = onLibraryPath("libcublas.so.12");
        Required.that(blas.isPresent(), "hidden-cublas", "cuBLAS from a folder", "cuBLAS is not on LD_LIBRARY_PATH");
        Map<String, String> folder =
                Map.of("elman.cuda.libdir", blas.get().getParent().toString());
        String output = ChildJvm.like(Map.of(), folder).run(LoadersMain.class);
        assertEquals(
                2,
                output.lines().filter(line -> line.startsWith("cuda: device ")).count(),
                output);
    }

    @Test
    void aFolderWithoutCublas(@TempDir Path folder) throws Exception {
        List<String> links = examine(ChildJvm.like(Map.of(), Map.of("elman.cuda.libdir", folder.toString())));
        assertBroken(links, "matrix products", "elman.cuda.libdir is " + folder, "there is no libcublas.so.12");
    }

    /** The second one, which the first needs, is loaded before it. */
    @ParameterizedTest
    @ValueSource(strings = {"libcublas.so.12", "libcublasLt.so.12"})
    void aCublasThatIsNoLibrary(String first, @TempDir Path folder) throws Exception {
        Files.writeString(folder.resolve("libcublas.so.12"), "nothing");
        Files.writeString(folder.resolve(first), "nothing");
        List<String> links = examine(ChildJvm.like(Map.of(), Map.of("elman.cuda.libdir", folder.toString())));
        assertBroken(
                links, "matrix products", folder + "/" + first + " could not be loaded", "cuBLAS 12 for this platform");
    }

    @Test
    void aTruncatedKernelFile(@TempDir Path folder) throws Exception {
        Path inPackage = Files.createDirectories(folder.resolve("dev/elman/cuda"));
        String whole = Files.readString(Ptx.KERNELS.resolve("rnn.sm75.ptx"));
        Files.writeString(inPackage.resolve("rnn.sm75.ptx"), whole.substring(0, whole.length() / 2));
        List<String> links = examine(ChildJvm.like(Map.of(), Map.of()).before(folder));
        assertBroken(links, "kernels", "refused a kernel file", "rnn", "get the jar anew");
    }

    /** Of a file whose kernels are compiled when they are launched, the last are lost: only doctor compiles them all. */
    @Test
    void aTruncatedFileOfKernelsThatAreCompiledLater(@TempDir Path folder) throws Exception {
        Path inPackage = Files.createDirectories(folder.resolve("dev/elman/cuda"));
        String whole = Files.readString(Ptx.KERNELS.resolve("grid.sm75.ptx"));
        String last = whole.substring(whole.lastIndexOf(".visible .entry"));
        String begun = whole.substring(0, whole.length() - last.length() / 2);
        Files.writeString(inPackage.resolve("grid.sm75.ptx"), begun);
        List<String> links = examine(ChildJvm.like(Map.of(), Map.of()).before(folder));
        assertBroken(links, "kernels of all sizes", "refused a kernel file", "grid", "get the jar anew");
        Files.writeString(inPackage.resolve("grid.sm75.ptx"), whole.substring(0, whole.length() - last.length()));
        links = examine(ChildJvm.like(Map.of(), Map.of()).before(folder));
        assertBroken(links, "kernels of all sizes", "grid_backward_2048_2", "the jar is not whole");
        // One of the file is compiled at once.
        Files.writeString(
                inPackage.resolve("grid.sm75.ptx"), whole.substring(0, whole.indexOf(".visible .entry") + 99));
        links = examine(ChildJvm.like(Map.of(), Map.of()).before(folder));
        assertBroken(links, "kernels", "refused a kernel file", "grid", "get the jar anew");
    }

    @Test
    void aKernelThatSpillsRegistersIsNamed(@TempDir Path folder) throws Exception {
        Path inPackage = Files.createDirectories(folder.resolve("dev/elman/cuda"));
        String ptx = Files.readString(Ptx.KERNELS.resolve("rnn.sm75.ptx"));
        int body = ptx.indexOf("{", ptx.indexOf(".entry rnn_forward_relu")) + 1;
        Files.writeString(
                inPackage.resolve("rnn.sm75.ptx"),
                ptx.substring(0, body) + "\n.local .align 8 .b8 kept[64];" + ptx.substring(body));
        List<String> links = examine(ChildJvm.like(Map.of(), Map.of()).before(folder));
        assertEquals(9, links.size(), links.toString());
        Required.that(
                links.get(2).contains("software device"),
                "softgpu",
                "a kernel that spills",
                "a real compiler sees that nothing is kept there");
        assertTrue(links.get(6).contains("in memory in rnn_forward_relu, which"), links.get(6));
    }

    /** Turing has no TF32, and where tensor cores are hardly faster three products in TF32 are slower than one in float32. */
    @ParameterizedTest
    @CsvSource({
        "sm_75, elman.cuda.tf32=true, 'strict float32, cuBLAS', tensor cores that take TF32 need compute capability 8.0",
        "sm_80, elman.cuda.tf32=true, 'TF32 products, cuBLAS', library path",
        "sm_89, elman.cuda.split=large, 'strict float32, cuBLAS', library path",
        "sm_80, elman.cuda.split=large, 'strict float32, cuBLAS', large products as three of TF32 parts"
    })
    void productsAreInTf32WhereThatIsFaster(String device, String setting, String begin, String end) throws Exception {
        String[] property = setting.split("=", 2);
        List<String> links = examine(ChildJvm.like(Map.of("SOFTGPU_DEVICE", device), Map.of(property[0], property[1])));
        Required.that(
                links.get(2).contains("software device"),
                "softgpu",
                "products on other devices",
                "only the software driver can be another device");
        String products = links.stream()
                .filter(link -> link.startsWith("ok | matrix products | "))
                .findFirst()
                .orElseThrow();
        assertTrue(products.contains(begin) && products.endsWith(end), products);
    }

    /** Whatever call of the chain fails, its link says so and what was opened before it is given back. */
    @ParameterizedTest
    @CsvSource({
        "cuDevicePrimaryCtxRetain=3, context, cuDevicePrimaryCtxRetain failed with CUDA_ERROR_NOT_INITIALIZED",
        "cuStreamCreate=2, context, the device has no memory left",
        "cuStreamGetFlags=400, context, cuStreamGetFlags failed with CUDA_ERROR_INVALID_HANDLE",
        "cuMemHostAlloc=2, context, the computer has no page-locked memory left",
        "'cuMemHostAlloc=2,2', kernels, the computer has no page-locked memory left",
        "'cuModuleLoadDataEx=2,3', kernels, the device has no memory left",
        "'cuModuleGetFunction=500,3', kernels, the driver refused a kernel file of ours",
        "'cuFuncGetAttribute=1,3', kernels, cuFuncGetAttribute failed with CUDA_ERROR_INVALID_VALUE",
        "'cuModuleGetFunction=2,150', kernels of all sizes, the device has no memory left",
        "cublasCreate=1, matrix products, cuBLAS could not start on the device",
        "cublasSetStream=7, matrix products, cublasSetStream failed with CUBLAS_STATUS_INVALID_VALUE",
        "cuMemAlloc=2, matrix products, the device has no memory left",
        "cublasGetVersion=1, matrix products, cuBLAS could not start on the device"
    })
    void aCallThatFails(String fault, String link, String said) throws Exception {
        List<String> links = examine(ChildJvm.like(Map.of("SOFTGPU_FAIL", fault), Map.of()));
        Required.that(
                links.get(2).contains("software device"),
                "softgpu",
                "a call that fails",
                "only the software driver can be made to fail");
        assertBroken(links, link, said);
    }

    /** Nobody gave back what the chain had opened. */
    @Test
    void aBackendAsksNothingMoreThatCouldFail() throws Exception {
        List<String> links = examine(ChildJvm.like(Map.of("SOFTGPU_FAIL", "cublasGetVersion=1,2"), Map.of()));
        assertEquals(9, links.size(), links.toString());
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
