package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.elman.contract.Required;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import jcuda.JCudaVersion;
import jcuda.nvptxcompiler.JNvPTXCompiler;
import jcuda.nvptxcompiler.nvPTXCompileResult;
import jcuda.nvptxcompiler.nvPTXCompilerHandle;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * NVIDIA's own PTX compiler takes every shipped file and finds registers for all of it. It lies in JCuda's native code and
 * needs neither GPU nor driver.
 */
class KernelAssemblyTest {
    private static final Pattern ASYNCHRONOUS_STORE = Pattern.compile(
            "st\\.async\\.weak\\.shared::cluster\\.mbarrier::complete_tx::bytes(\\.v4)?\\.f32 (.*), \\[\\S+\\](?=;)");
    private static final Pattern SPILLS = Pattern.compile("\\w+\\R.*, [1-9]\\d* bytes spill stores");

    @BeforeAll
    static void loadCompiler() {
        String file = System.mapLibraryName("JNvPTXCompiler-" + JCudaVersion.get() + "-linux-x86_64");
        Required.that(
                KernelAssemblyTest.class.getResource("/lib/" + file) != null
                        && System.getProperty("os.name").startsWith("Linux"),
                "jcuda-natives",
                "kernels by NVIDIA's PTX compiler",
                "JCuda's native code is not on the class path");
        NativeCode.load("JNvPTXCompiler", "jcuda.nvptxcompiler.JNvPTXCompiler", reason -> reason);
        JNvPTXCompiler.setExceptionsEnabled(false);
    }

    /**
     * The compiler that JCuda 12.6.0 holds is of CUDA 12.0 and knows no newer GPU than 9.0. Nor does it know st.async, which
     * came with PTX 8.1: here a plain store into the other block stands in for it. ci/kernels.sh assembles the file as it is,
     * and for 8.0 and 8.6 too, for which 8.9 stands here.
     */
    @ParameterizedTest
    @ValueSource(ints = {75, 89, 90})
    void everyPtxBecomesMachineCode(int capability) throws Exception {
        Map<Path, String> texts = new TreeMap<>();
        for (Path file : Ptx.filesAndProbes()) {
            String target = file.getFileName().toString().replaceAll(".*\\.sm(\\d+)\\.ptx", "$1");
            if (Integer.parseInt(target) > capability) continue;
            String text = ASYNCHRONOUS_STORE.matcher(Files.readString(file)).replaceAll("st.shared::cluster$1.f32 $2");
            texts.put(file, text.replace("\n.version 8.1\n", "\n.version 8.0\n"));
        }
        texts.entrySet().parallelStream()
                .forEach(file -> assertEquals(
                        "", compile(file.getValue(), capability), file.getKey() + " for sm_" + capability));
    }

    @Test
    void whatIsNoPtxIsRefused() throws Exception {
        String text = Files.readString(Ptx.KERNELS.resolve("rnn.sm75.ptx"));
        assertNotEquals("", compile(text.substring(0, text.length() / 2), 75));
        assertTrue(compile(text.replace("add.s64", "ad.s64"), 75).contains("ad"));
    }

    @Test
    void whatDoesNotFitTheRegistersIsFound() {
        String many = IntStream.range(0, 300)
                .mapToObj(i -> "ld.volatile.global.f32 %f" + i + ", [%rd1+" + 4 * i + "];\n")
                .collect(Collectors.joining());
        String all = IntStream.range(0, 300)
                .mapToObj(i -> "st.volatile.global.f32 [%rd1+" + 4 * i + "], %f" + i + ";\n")
                .collect(Collectors.joining());
        String ptx = ".version 7.0\n.target sm_75\n.address_size 64\n.visible .entry much(.param .u64 p)\n"
                + ".maxntid 1024, 1, 1\n{\n.reg .f32 %f<300>;\n.reg .b64 %rd<2>;\nld.param.u64 %rd1, [p];\n"
                + many + all + "ret;\n}\n";
        assertTrue(compile(ptx, 80).contains("spill"), compile(ptx, 80));
    }

    /** Empty if the compiler takes the text and spills nothing into memory, else what it says. */
    private static String compile(String ptx, int capability) {
        byte[] text = ptx.getBytes(StandardCharsets.US_ASCII);
        nvPTXCompilerHandle handle = new nvPTXCompilerHandle();
        assertEquals(
                nvPTXCompileResult.NVPTXCOMPILE_SUCCESS, JNvPTXCompiler.nvPTXCompilerCreate(handle, text.length, text));
        try {
            int result = JNvPTXCompiler.nvPTXCompilerCompile(
                    handle, 2, new String[] {"--gpu-name=sm_" + capability, "--verbose"});
            long[] size = {0};
            if (result == nvPTXCompileResult.NVPTXCOMPILE_SUCCESS) {
                JNvPTXCompiler.nvPTXCompilerGetInfoLogSize(handle, size);
                byte[] log = new byte[(int) size[0] + 1];
                JNvPTXCompiler.nvPTXCompilerGetInfoLog(handle, log);
                String info = new String(log, StandardCharsets.US_ASCII);
                assertTrue(info.contains(" bytes spill stores"), info);
                return SPILLS.matcher(info).results().map(MatchResult::group).collect(Collectors.joining("\n"));
            }
            JNvPTXCompiler.nvPTXCompilerGetErrorLogSize(handle, size);
            byte[] log = new byte[(int) size[0] + 1];
            JNvPTXCompiler.nvPTXCompilerGetErrorLog(handle, log);
            return nvPTXCompileResult.stringFor(result) + " " + new String(log, StandardCharsets.US_ASCII).strip();
        } finally {
            JNvPTXCompiler.nvPTXCompilerDestroy(handle);
        }
    }
}
