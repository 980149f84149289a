package dev.elman.cuda;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import jcuda.Pointer;
import jcuda.driver.CUfunction;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.CUjit_option;
import jcuda.driver.CUmodule;
import jcuda.driver.JCudaDriver;
import jcuda.driver.JITOptions;

/**
 * The kernels, compiled by the driver for this device from the newest PTX that it can take. Those that walk whole sequences
 * are many and large, and one size of a network uses a few of them: the driver compiles each when it is first launched.
 */
final class KernelModule {
    /** Every kernel that is shipped. */
    static final List<KernelEntry> ALL = Stream.concat(
                    Arrays.stream(Kernel.values()), SequenceSize.ALL.stream().flatMap(SequenceSize::everyKernel))
            .toList();

    private static final int LOG_BYTES = 8 << 10;

    private final CudaContext context;
    private final Device device;
    private final boolean products;
    /** Those of all launches. */
    private final HostMemory parameters;

    private int parametersUsed;
    private final Map<KernelEntry, Launch> launches = new HashMap<>();
    /** Of the files whose kernels are compiled when they are launched. */
    private final Map<String, PtxText> texts = new HashMap<>();

    private final List<CUmodule> modules = new ArrayList<>();
    private final List<String> spilled = new ArrayList<>();

    /**
     * Loads every file of the launch table that the device can run; of kernels that are compiled when they are launched it loads
     * one, so that a driver that cannot take their file says so now.
     *
     * @param products whether those of {@link OwnBlas} are needed
     */
    KernelModule(CudaContext context, Device device, boolean products) {
        this.context = context;
        this.device = device;
        this.products = products;
        this.parameters = HostMemory.allocate(
                context, ALL.stream().mapToInt(Launch::bytes).sum());
        try {
            loadFiles();
        } catch (RuntimeException | Error failure) {
            close();
            throw failure;
        }
    }

    private void loadFiles() {
        Map<String, CUmodule> byFile = new HashMap<>();
        for (KernelEntry kernel : ALL) {
            String file = kernel.file();
            if (!loads(kernel)) continue;
            if (!kernel.compiledAtLaunch()) {
                add(kernel, byFile.computeIfAbsent(file, name -> load(PtxText.read(name, device.capability()))));
            } else if (!texts.containsKey(file)) {
                texts.put(file, PtxText.read(file, device.capability()));
                get(kernel);
            }
        }
    }

    private boolean loads(KernelEntry kernel) {
        return kernel.runsOn(device) && (products || !kernel.file().equals("gemm"));
    }

    private Launch add(KernelEntry kernel, CUmodule module) {
        CUfunction function = new CUfunction();
        context.calls()
                .driver(
                        "cuModuleGetFunction",
                        () -> kernel.entry() + " of " + kernel.file(),
                        () -> JCudaDriver.cuModuleGetFunction(function, module, kernel.entry()));
        int[] bytes = {0};
        context.calls()
                .driver(
                        "cuFuncGetAttribute",
                        () -> "local memory of " + kernel.entry(),
                        () -> JCudaDriver.cuFuncGetAttribute(
                                bytes, CUfunction_attribute.CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES, function));
        if (bytes[0] > 0) spilled.add(kernel.entry());
        Launch launch = new Launch(context, kernel, function, parameters, parametersUsed);
        parametersUsed += Launch.bytes(kernel);
        launches.put(kernel, launch);
        return launch;
    }

    /** Begins a launch; its parameters come next. */
    Launch get(KernelEntry kernel) {
        Launch launch = launches.get(kernel);
        if (launch != null) return launch;
        PtxText text = texts.get(kernel.file());
        if (text == null) {
            throw new IllegalStateException(kernel.entry() + " is not loaded: this device or its driver cannot take "
                    + kernel.file() + ".cu, or another does its work. Ask the plan for its refusal first.");
        }
        CUmodule module = load(text.alone(kernel));
        try {
            return add(kernel, module);
        } catch (RuntimeException failure) {
            // It may be tried again, when there is memory.
            modules.remove(module);
            CudaCalls.driverStatus(() -> JCudaDriver.cuModuleUnload(module));
            throw failure;
        }
    }

    /** Compiles what has not been launched yet, and says what {@link #state} does. */
    String compileAll() {
        for (KernelEntry kernel : ALL) if (loads(kernel)) get(kernel);
        return state();
    }

    /** How many kernels are compiled, and where this driver's compiler found too few registers, which it should nowhere. */
    String state() {
        String state = launches.size() + " compiled by the driver";
        if (spilled.isEmpty()) return state;
        return state + "; it keeps registers in memory in " + String.join(", ", spilled)
                + ", which works but is slow: please report it with the driver's version";
    }

    /** Unloads all files: the primary context, and so what is loaded there, outlives us if anybody else holds it. */
    void close() {
        for (CUmodule module : modules) CudaCalls.driverStatus(() -> JCudaDriver.cuModuleUnload(module));
        parameters.free();
    }

    private CUmodule load(PtxText ptx) {
        ByteBuffer text = zeroTerminated(ptx.text());
        byte[] log = new byte[LOG_BYTES];
        JITOptions options = new JITOptions();
        options.putBytes(CUjit_option.CU_JIT_ERROR_LOG_BUFFER, log);
        options.putInt(CUjit_option.CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, LOG_BYTES);
        CUmodule module = new CUmodule();
        context.calls()
                .driver(
                        "cuModuleLoadData",
                        () -> {
                            String said = new String(log, StandardCharsets.UTF_8)
                                    .replace('\0', ' ')
                                    .strip();
                            return ptx.name() + (said.isEmpty() ? "" : ": " + said);
                        },
                        () -> JCudaDriver.cuModuleLoadDataJIT(module, Pointer.to(text), options));
        modules.add(module);
        return module;
    }

    /** A direct buffer: the driver compiles for a while, and an array would hold the garbage collector until it is done. */
    private static ByteBuffer zeroTerminated(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocateDirect(bytes.length + 1).put(bytes).rewind();
    }
}
