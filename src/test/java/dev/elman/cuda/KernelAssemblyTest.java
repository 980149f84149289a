package dev.elman.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import jcuda.JCudaVersion;
import jcuda.nvptxcompiler.JNvPTXCompiler;
import jcuda.nvptxcompiler.nvPTXCompileResult;
import jcuda.nvptxcompiler.nvPTXCompilerHandle;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** NVIDIA's own PTX compiler takes every shipped file. It lies in JCuda's native code and needs neither GPU nor driver. */
class KernelAssemblyTest {
    @BeforeAll
    static void loadCompiler() {
        String file = System.mapLibraryName("JNvPTXCompiler-" + JCudaVersion.get() + "-linux-x86_64");
        assumeTrue(
                KernelAssemblyTest.class.getResource("/lib/" + file) != null
                        && System.getProperty("os.name").startsWith("Linux"),
                "not run: the PTX compiler, because JCuda's native code is not on the class path");
        NativeCode.load("JNvPTXCompiler", "jcuda.nvptxcompiler.JNvPTXCompiler", reason -> reason);
        JNvPTXCompiler.setExceptionsEnabled(false);
    }

    /** The compiler that JCuda 12.6.0 holds is of CUDA 12.0 and knows no newer GPU than 9.0. */
    @ParameterizedTest
    @ValueSource(ints = {75, 80, 86, 89, 90})
    void everyPtxBecomesMachineCode(int capability) throws Exception {
        for (Path file : Ptx.filesAndProbes()) {
            String target = file.getFileName().toString().replaceAll(".*\\.sm(\\d+)\\.ptx", "$1");
            if (Integer.parseInt(target) > capability) continue;
            assertEquals("", compile(Files.readString(file), capability), file + " for sm_" + capability);
        }
    }

    @Test
    void whatIsNoPtxIsRefused() throws Exception {
        String text = Files.readString(Ptx.files().get(0));
        assertNotEquals("", compile(text.substring(0, text.length() / 2), 75));
        assertTrue(compile(text.replace("add.s64", "ad.s64"), 75).contains("ad"));
    }

    /** Empty if the compiler takes the text, else what it says. */
    private static String compile(String ptx, int capability) {
        byte[] text = ptx.getBytes(StandardCharsets.US_ASCII);
        nvPTXCompilerHandle handle = new nvPTXCompilerHandle();
        assertEquals(
                nvPTXCompileResult.NVPTXCOMPILE_SUCCESS, JNvPTXCompiler.nvPTXCompilerCreate(handle, text.length, text));
        try {
            int result = JNvPTXCompiler.nvPTXCompilerCompile(handle, 1, new String[] {"--gpu-name=sm_" + capability});
            if (result == nvPTXCompileResult.NVPTXCOMPILE_SUCCESS) return "";
            long[] size = {0};
            JNvPTXCompiler.nvPTXCompilerGetErrorLogSize(handle, size);
            byte[] log = new byte[(int) size[0] + 1];
            JNvPTXCompiler.nvPTXCompilerGetErrorLog(handle, log);
            return nvPTXCompileResult.stringFor(result) + " " + new String(log, StandardCharsets.US_ASCII).strip();
        } finally {
            JNvPTXCompiler.nvPTXCompilerDestroy(handle);
        }
    }
}
