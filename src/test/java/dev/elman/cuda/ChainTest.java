package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.BackendUnavailableException;
import dev.elman.backend.OutOfDeviceMemoryException;
import dev.elman.contract.ChildJvm;
import dev.elman.contract.Required;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import jcuda.driver.CUresult;
import jcuda.jcublas.cublasStatus;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The links that break before there is a device, broken on purpose: one sentence each, that says what to do. */
@EnabledOnOs(OS.LINUX)
class ChainTest {
    @BeforeAll
    static void nativesAreThere() {
        Required.that(
                System.getProperty("java.class.path").contains("jcuda-natives"),
                "jcuda-natives",
                "the chain",
                "JCuda's native code is not on the class path");
    }

    @Test
    void withoutADriver() throws Exception {
        List<String> links = examine(ChildJvm.like(Map.of("LD_LIBRARY_PATH", ""), Map.of()));
        Required.that(
                links.size() == 1,
                "no-driver",
                "a chain without a driver",
                "this machine has a driver where every program finds it");
        assertBroken(
                links,
                "binding to the driver's library",
                "libcuda.so.1 was not found",
                "LD_LIBRARY_PATH is not set",
                "install the NVIDIA driver");
    }

    @Test
    void withoutJcudasNativeCode() throws Exception {
        List<String> links = examine(ChildJvm.like(Map.of(), Map.of()).without("jcuda-natives"));
        assertBroken(links, "binding to the driver's library", "org.jcuda:jcuda-natives:12.6.0", "linux-x86_64");
    }

    @Test
    void withoutJcuda() throws Exception {
        List<String> links = examine(ChildJvm.like(Map.of(), Map.of()).without("org/jcuda"));
        assertBroken(links, "settings and JCuda", "JCuda is not on the class path", "org.jcuda:jcuda");
    }

    @Test
    void withoutTheModuleThatJcudaLogsBy() throws Exception {
        List<String> links = examine(ChildJvm.with("--limit-modules", "java.base"));
        assertBroken(
                links,
                "binding to the driver's library",
                "JCuda needs the class java.util.logging.Logger, which is not there",
                "the module java.logging");
    }

    @Test
    void whereJavaLetsNoNativeCodeIn() throws Exception {
        List<String> links = examine(ChildJvm.withoutNativeAccess("a chain without native access"));
        assertBroken(
                links,
                "binding to the driver's library",
                "Java lets no native code in",
                "start it with --enable-native-access=ALL-UNNAMED");
    }

    @Test
    void aModuleThatJavaDoesNotLetIn() {
        String said = CudaChain.remedy(new IllegalCallerException("Illegal native access from module jcublas"));
        assertTrue(said.contains("from module jcublas); start it with --enable-native-access="), said);
    }

    @Test
    void aDeviceThatIsNoNumber() throws Exception {
        List<String> links = examine(ChildJvm.like(Map.of(), Map.of("elman.cuda.device", "first")));
        assertBroken(links, "settings and JCuda", "elman.cuda.device must be the number of a device", "\"first\"");
    }

    @Test
    void productsThatNobodyMakes() throws Exception {
        List<String> links = examine(ChildJvm.like(Map.of(), Map.of("elman.cuda.gemm", "fast")));
        assertBroken(links, "settings and JCuda", "elman.cuda.gemm must be cublas or own", "\"fast\"");
    }

    @Test
    void aSplitThatIsNeitherOnNorOff() throws Exception {
        List<String> links = examine(ChildJvm.like(Map.of(), Map.of("elman.cuda.split", "big")));
        assertBroken(links, "settings and JCuda", "elman.cuda.split must be large or all", "\"big\"");
    }

    @Test
    void nowhereToUnpack(@TempDir Path folder) throws Exception {
        List<String> links = examine(ChildJvm.like(
                Map.of(), Map.of("java.io.tmpdir", folder.resolve("missing").toString())));
        assertBroken(links, "binding to the driver's library", "could not be unpacked", "-Djava.io.tmpdir");
    }

    /** Whether there is a driver or not, JCuda's native code is not what is missing. */
    @Test
    void theFolderForTemporaryFilesMayBeRelative() throws Exception {
        String first = examine(ChildJvm.like(Map.of(), Map.of("java.io.tmpdir", "target")))
                .get(0);
        assertFalse(first.contains("jcuda-natives"), first);
    }

    @Test
    void nativeCodeIsLoadedOnceAndTemporaryFilesStayWhereTheyWere(@TempDir Path folder) throws Exception {
        Path temporary = Files.createDirectory(folder.resolve("tmp"));
        String output = ChildJvm.like(Map.of(), Map.of("java.io.tmpdir", temporary.toString()))
                .run(LoadMain.class);
        assertTrue(output.strip().endsWith(" from the jar, true"), output);
    }

    @Test
    void aDeviceWithoutMemorySaysWhatToDo() {
        CudaCallException full = new CudaCallException("cuMemAlloc", "CUDA_ERROR_OUT_OF_MEMORY", "16 bytes");
        for (RuntimeException failure : List.of(full, new OutOfDeviceMemoryException("Take smaller batches", full))) {
            String remedy = CudaChain.remedy(failure);
            assertTrue(remedy.startsWith("the device has no memory left; close what uses it"), remedy);
        }
    }

    @Test
    void aCublasThatDoesNotStartCanBeDoneWithout() {
        String said = CudaChain.remedy(new CudaCallException("cublasCreate", "CUBLAS_STATUS_NOT_INITIALIZED", ""));
        assertTrue(said.contains("-Delman.cuda.gemm=own"), said);
    }

    /** A status is compared by the name that JCuda gives it; one that JCuda does not know would never be met. */
    @Test
    void everyStatusThatIsComparedIsOneOfJcudas() throws IOException {
        Pattern name = Pattern.compile("\"((CUDA_ERROR|CUBLAS_STATUS)_\\w+)\"");
        Set<String> compared = new TreeSet<>();
        try (Stream<Path> files = Files.list(Path.of("src/main/java/dev/elman/cuda"))) {
            for (Path file : files.toList()) {
                name.matcher(Files.readString(file)).results().forEach(found -> compared.add(found.group(1)));
            }
        }
        Set<String> known = Stream.of(CUresult.class, cublasStatus.class)
                .flatMap(type -> Arrays.stream(type.getFields()))
                .map(Field::getName)
                .collect(Collectors.toSet());
        assertTrue(compared.contains("CUDA_ERROR_STUB_LIBRARY"), compared.toString());
        compared.removeAll(known);
        assertEquals(Set.of(), compared);
    }

    /** Which stand somewhere in the stack traces that JCuda writes into its message; the file is one that we have unpacked. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "Can't find dependent libraries",
                "libcuda.so.1: cannot open shared object file: No such file or directory",
                "failed to map segment from shared object",
                "undefined symbol: cuGraphLaunch",
                "file too short",
                "invalid ELF header",
                "/lib/libc.so.6: version `GLIBC_2.34' not found"
            })
    void theLoadersWordsAreFoundInJcudas(String words) {
        String message = "Error while loading native library\nStack trace:\n"
                + "java.lang.UnsatisfiedLinkError: no JCudaDriver in java.library.path: /usr/lib\n\tat Loader\n"
                + "java.lang.UnsatisfiedLinkError: /tmp/elman-cuda-1/JCudaDriver.so: " + words + "\n\tat Loader";
        assertEquals(words, NativeCode.rootOf(new UnsatisfiedLinkError(message)));
        Throwable again = new NoClassDefFoundError("Could not initialize class jcuda.driver.JCudaDriver")
                .initCause(new ExceptionInInitializerError("Exception " + message));
        assertEquals(words, NativeCode.rootOf(again), "an application had failed to load it before");
    }

    @Test
    void aFolderThatLetsNoLibraryBeLoadedIsNamed() {
        String said = whyNot(Unmapped.class);
        String folder = System.getProperty("java.io.tmpdir");
        assertTrue(said.startsWith("the folder for temporary files, " + folder + ", does not let libraries"), said);
        assertTrue(
                said.endsWith(" (failed to map segment from shared object); choose another with -Djava.io.tmpdir."),
                said);
    }

    @Test
    void aClassThatNativeCodeLacksIsNamed() {
        String said = whyNot(Minimized.class);
        assertTrue(
                said.startsWith("JCuda needs the class jcuda.cuComplex, which is not there; put JCuda's jars"), said);
    }

    /** A class that once failed to start says nothing more of why. */
    @Test
    void whyALibraryDidNotLoadIsSaidEveryTime() {
        String said = whyNot(Unloadable.class);
        assertTrue(said.contains("(libcuda.so.1: cannot open shared object file; "), said);
        assertEquals(said, whyNot(Unloadable.class));
    }

    private static String whyNot(Class<?> binding) {
        return assertThrows(
                        BackendUnavailableException.class,
                        () -> NativeCode.load("None", binding.getName(), NativeCode::driverSentence))
                .getMessage();
    }

    /** A binding whose library lacks another one. */
    private static final class Unloadable {
        static {
            fail("libcuda.so.1: cannot open shared object file");
        }
    }

    /** One whose library lies where none may be loaded. */
    private static final class Unmapped {
        static {
            String file = "/tmp/elman-cuda-1/JCudaDriver.so: ";
            fail(file + file + "failed to map segment from shared object");
        }
    }

    /** One of a jar without the classes that no other class names. */
    private static final class Minimized {
        static {
            fail("Error while loading native library\nStack trace:\njava.lang.NoClassDefFoundError: jcuda/cuComplex\n"
                    + "Caused by: java.lang.ClassNotFoundException: jcuda.cuComplex\n\t... 23 more");
        }
    }

    private static void fail(String words) {
        throw new UnsatisfiedLinkError(words);
    }

    static List<String> examine(ChildJvm jvm) throws IOException, InterruptedException {
        String output = jvm.run(ExamineMain.class);
        List<String> links =
                output.lines().filter(line -> line.matches("(ok|no) \\| .*")).toList();
        assertTrue(!links.isEmpty(), output);
        assertNothingLeft(output);
        return links;
    }

    /** What the software driver says of a backend that is not closed, closed too soon, or twice. */
    static void assertNothingLeft(String output) {
        List<String> left = output.lines()
                .filter(line -> line.matches("softgpu: ERROR: (leak:|unfinished:|.* used after its destroy).*"))
                .toList();
        assertEquals(List.of(), left);
    }

    /** The last link is the broken one, the only one, and its one sentence has these parts. */
    static void assertBroken(List<String> links, String name, String... parts) {
        String last = links.get(links.size() - 1);
        assertTrue(last.startsWith("no | " + name + " | CUDA cannot be used: "), last);
        for (String part : parts) assertTrue(last.contains(part), part + " in: " + last);
        for (String link : links.subList(0, links.size() - 1)) assertTrue(link.startsWith("ok | "), link);
    }
}
