package dev.elman.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.backend.Backend;
import dev.elman.contract.ChildJvm;
import dev.elman.contract.Required;
import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How it loads, which is once a process: in JVMs of their own. */
class OpenBlasTest {
    @BeforeEach
    void needsOpenBlas() {
        OpenBlasRequired.by("tests of how it loads");
    }

    /** JavaCPP has a limit of its own for that. */
    @Test
    void loadsWhereTheProcessHasManyTimesTheHeap(@TempDir Path folder) throws IOException, InterruptedException {
        Path file = Files.createFile(folder.resolve("memory"));
        String said = ChildJvm.withHeap(32).run(MuchMemory.class, file.toString());
        assertTrue(said.contains("opened: cpu: ") && !said.contains("plain Java"), said);
    }

    /** The first time, when it is unpacked. */
    @Test
    void loadsOnAThreadThatIsInterrupted(@TempDir Path cache) throws IOException, InterruptedException {
        Map<String, String> properties = Map.of("org.bytedeco.javacpp.cachedir", cache.toString());
        String said = ChildJvm.like(Map.of(), properties).run(Interrupted.class);
        assertTrue(said.contains("opened: cpu: ") && !said.contains("plain Java"), said);
        assertTrue(said.contains("interrupted yet: true"), said);
    }

    @Test
    void saysWhatLetsItInWhereJavaLetsNoNativeCodeIn() throws IOException, InterruptedException {
        String said =
                ChildJvm.withoutNativeAccess("OpenBLAS without native access").run(Twice.class);
        String why = "plain Java GEMM: Java lets no native code in; start it with --enable-native";
        assertTrue(said.indexOf(why) < said.lastIndexOf(why), "the second time, too: " + said);
    }

    /** It takes other kernels than the processor's where it is told to. */
    @ParameterizedTest
    @EnabledOnOs(value = OS.LINUX, architectures = "amd64")
    @CsvSource({"Prescott, false", "Nehalem, false", "Haswell, false", "SkylakeX, true"})
    void hasKernelsForSmallProductsWithAvx512Alone(String kernels, boolean small)
            throws IOException, InterruptedException {
        Required.that(!small || hasAvx512(), "avx512", "a test of kernels for AVX-512", "this processor has none");
        String said =
                ChildJvm.like(Map.of("OPENBLAS_CORETYPE", kernels), Map.of()).run(Plain.class);
        assertEquals(small, said.contains("(its kernels for small products)"), said);
    }

    private static boolean hasAvx512() throws IOException {
        return Files.readString(Path.of("/proc/cpuinfo")).contains(" avx512vl ");
    }

    /** Has five times the largest heap, outside of it, before it opens a backend. */
    static final class MuchMemory {
        private static final int BYTES = 160 << 20;
        private static final int PAGE = 4096;

        private MuchMemory() {}

        public static void main(String[] file) throws IOException {
            try (FileChannel channel =
                    FileChannel.open(Path.of(file[0]), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                MappedByteBuffer memory = channel.map(MapMode.PRIVATE, 0, BYTES);
                for (int page = 0; page < BYTES; page += PAGE) memory.put(page, (byte) 1);
                open();
                memory.put(0, (byte) 2); // it is held until here
            }
        }
    }

    static final class Interrupted {
        private Interrupted() {}

        @SuppressWarnings("SystemOut") // which the test reads
        public static void main(String[] none) {
            Thread.currentThread().interrupt();
            open();
            System.out.println("interrupted yet: " + Thread.interrupted());
        }
    }

    static final class Plain {
        private Plain() {}

        public static void main(String[] none) {
            open();
        }
    }

    static final class Twice {
        private Twice() {}

        public static void main(String[] none) {
            open();
            open();
        }
    }

    @SuppressWarnings("SystemOut") // which the tests read
    private static void open() {
        try (Backend backend = CpuBackend.open(1)) {
            System.out.println("opened: " + backend.description());
        }
    }
}
