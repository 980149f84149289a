package dev.elman.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import jcuda.Pointer;
import jcuda.driver.CUfunction;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.CUjit_option;
import jcuda.driver.CUmodule;
import jcuda.driver.JCudaDriver;
import jcuda.driver.JITOptions;

/** The kernels, compiled by the driver for this device from the newest PTX that it can take. */
final class KernelModule {
    /** Compute capabilities that PTX may be shipped for, newest first; each runs on all that follow it. */
    private static final int[] TARGETS = {90, 80, 75};

    private static final int LOG_BYTES = 8 << 10;

    private final CudaContext context;
    private final Map<Kernel, Launch> launches = new EnumMap<>(Kernel.class);
    private final List<CUmodule> modules = new ArrayList<>();
    private final List<String> spilled = new ArrayList<>();

    /**
     * Loads every file of the launch table but those that are not needed: the driver compiles them one by one.
     *
     * @param capability 10 * major + minor of the device's compute capability
     * @param unneeded names of files
     */
    KernelModule(CudaContext context, int capability, Set<String> unneeded) {
        this.context = context;
        try {
            loadAll(capability, unneeded);
        } catch (RuntimeException failure) {
            close();
            throw failure;
        }
    }

    private void loadAll(int capability, Set<String> unneeded) {
        Map<String, CUmodule> byFile = new HashMap<>();
        for (Kernel kernel : Kernel.values()) {
            if (unneeded.contains(kernel.file())) continue;
            CUmodule module = byFile.computeIfAbsent(kernel.file(), file -> load(resource(file, capability)));
            CUfunction function = new CUfunction();
            context.calls()
                    .driver(
                            "cuModuleGetFunction",
                            kernel.entry() + " of " + kernel.file(),
                            () -> JCudaDriver.cuModuleGetFunction(function, module, kernel.entry()));
            int[] bytes = {0};
            context.calls()
                    .driver(
                            "cuFuncGetAttribute",
                            "local memory of " + kernel.entry(),
                            () -> JCudaDriver.cuFuncGetAttribute(
                                    bytes, CUfunction_attribute.CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES, function));
            if (bytes[0] > 0) spilled.add(kernel.entry());
            launches.put(kernel, new Launch(context, kernel, function));
        }
    }

    /** Begins a launch; its parameters come next. */
    Launch get(Kernel kernel) {
        return launches.get(kernel);
    }

    /** How many files are loaded, and where this driver's compiler found too few registers, which it should nowhere. */
    String state() {
        String state = modules.size() + " PTX files, compiled by the driver";
        if (spilled.isEmpty()) return state;
        return state + "; it keeps registers in memory in " + String.join(", ", spilled)
                + ", which works but is slow: please report it with the driver's version";
    }

    /** Unloads all files: the primary context, and so what is loaded there, outlives us if anybody else holds it. */
    void close() {
        for (CUmodule module : modules) CudaCalls.driverStatus(() -> JCudaDriver.cuModuleUnload(module));
        modules.clear();
    }

    /** The name of the newest PTX of {@code file} that a device of this compute capability takes. */
    static String resource(String file, int capability) {
        for (int target : TARGETS) {
            String name = file + ".sm" + target + ".ptx";
            if (target <= capability && KernelModule.class.getResource(name) != null) return name;
        }
        throw new IllegalStateException("There is no " + file + ".sm75.ptx in the package of "
                + KernelModule.class.getName() + "; the jar is not whole.");
    }

    private CUmodule load(String name) {
        ByteBuffer text = zeroTerminated(name);
        byte[] log = new byte[LOG_BYTES];
        JITOptions options = new JITOptions();
        options.putBytes(CUjit_option.CU_JIT_ERROR_LOG_BUFFER, log);
        options.putInt(CUjit_option.CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, LOG_BYTES);
        CUmodule module = new CUmodule();
        context.calls()
                .driver(
                        "cuModuleLoadData",
                        new Object() {
                            @Override
                            public String toString() {
                                String said = new String(log, StandardCharsets.UTF_8)
                                        .replace('\0', ' ')
                                        .strip();
                                return name + (said.isEmpty() ? "" : ": " + said);
                            }
                        },
                        () -> JCudaDriver.cuModuleLoadDataJIT(module, Pointer.to(text), options));
        modules.add(module);
        return module;
    }

    /** A direct buffer: the driver compiles for a while, and an array would hold the garbage collector until it is done. */
    private static ByteBuffer zeroTerminated(String name) {
        try (InputStream in = KernelModule.class.getResourceAsStream(name)) {
            byte[] text = in.readAllBytes();
            ByteBuffer terminated = ByteBuffer.allocateDirect(text.length + 1);
            return terminated.put(text).rewind();
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot read " + name + " from the jar.", e);
        }
    }
}
