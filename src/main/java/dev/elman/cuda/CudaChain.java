package dev.elman.cuda;

import dev.elman.backend.BackendUnavailableException;
import dev.elman.backend.ChainLink;
import dev.elman.backend.OutOfDeviceMemoryException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/**
 * The chain from the JVM to a GPU that computes, gone through link by link and noted down: opening a backend and asking why
 * there is none are the same walk.
 */
final class CudaChain {
    /** How everything begins that is said about a link that does not hold. */
    static final String UNUSABLE = "CUDA cannot be used: ";

    private static final int OLDEST_DRIVER = 12000;
    private static final int OLDEST_CAPABILITY = 75;

    private final CudaSettings settings;
    private final CudaCalls calls = new CudaCalls();
    private final List<ChainLink> links = new ArrayList<>();
    private Device device;
    private CudaContext context;
    private KernelModule kernels;
    private Blas blas;
    private LiveRows live;
    private Planner planner;
    private String deviceLine;

    CudaChain(CudaSettings settings) {
        this.settings = settings;
    }

    /** Tries every link until one does not hold; then {@link BackendUnavailableException} says which and why. */
    void open() {
        walk(() -> {
            CUdevice chosen = new CUdevice();
            link("device", () -> choose(chosen));
            link("compute capability", () -> capability(chosen));
            link("context", () -> {
                context = CudaContext.open(calls, chosen);
                return context.memoryState();
            });
        });
    }

    /**
     * As {@link #open}, but with an application's context and so its device.
     *
     * @throws IllegalArgumentException when the stream is not of that context
     */
    void attach(CUcontext theirs, CUstream stream) {
        walk(() -> {
            link("context", () -> {
                context = CudaContext.attach(calls, theirs, stream);
                return context.memoryState();
            });
            link("device", () -> {
                deviceLine = nameOf(context.device());
                return deviceLine;
            });
            link("compute capability", () -> capability(context.device()));
        });
    }

    private void walk(Runnable toContext) {
        try {
            link("binding to the driver's library", NativeCode::loadDriver);
            link("driver", this::initialize);
            toContext.run();
            link("matrix products", this::products);
            link("kernels", () -> {
                kernels = new KernelModule(context, device, blas == null);
                if (blas == null) blas = new OwnBlas(context, kernels, device.multiprocessors());
                if (blas instanceof Cublas strict && splits()) blas = new SplitBlas(strict, kernels, splitsAll());
                return kernels.state();
            });
            link("recurrence plans", () -> {
                live = new LiveRows(context, kernels, blas, settings.onlyLiveRows());
                planner = Planner.of(context, kernels, blas, live, settings, device);
                return planner.summary();
            });
        } catch (RuntimeException | Error failure) {
            if (kernels != null) kernels.close();
            if (blas != null) blas.close();
            if (context != null) context.close();
            throw failure;
        }
    }

    /** One link more: the kernels that are else compiled when they are launched. */
    void compileAll() {
        link("kernels of all sizes", kernels::compileAll);
    }

    private void link(String name, Supplier<String> test) {
        try {
            links.add(new ChainLink(name, true, test.get()));
        } catch (IllegalArgumentException refused) {
            links.add(new ChainLink(name, false, refused.getMessage()));
            throw refused;
        } catch (RuntimeException | LinkageError failure) {
            String sentence = UNUSABLE + remedy(failure);
            links.add(new ChainLink(name, false, sentence));
            throw new BackendUnavailableException(sentence, failure);
        }
    }

    /** The links up to and with the first that does not hold. */
    List<ChainLink> links() {
        return List.copyOf(links);
    }

    CudaContext context() {
        return context;
    }

    KernelModule kernels() {
        return kernels;
    }

    Blas blas() {
        return blas;
    }

    LiveRows live() {
        return live;
    }

    Planner planner() {
        return planner;
    }

    /** The device's name, after its number where it was chosen by that. */
    String deviceLine() {
        return deviceLine;
    }

    /** Opens cuBLAS, or says why our own kernels make the products. */
    private String products() {
        String own = "by kernels of our own, in strict float32";
        if (settings.products() == CudaSettings.Products.OWN) return own + ", as elman.cuda.gemm asks";
        String from;
        try {
            from = NativeCode.loadBlas(settings.libraries());
        } catch (BackendUnavailableException missing) {
            // Who names a folder, or cuBLAS itself, wants to know that it is not there.
            if (settings.products() == CudaSettings.Products.CUBLAS || settings.libraries() != null) throw missing;
            return own + "; cuBLAS would be faster, but " + missing.getMessage();
        }
        String without = settings.tf32() ? device.withoutTensorCores() : null;
        blas = new Cublas(context, settings.tf32() && without == null);
        return blas.description() + " " + from
                + (without == null ? "" : ", for " + without)
                + (splits() ? ", " + SplitBlas.note(splitsAll()) : "");
    }

    /** Large ones where three products in TF32 take less time than one in float32. */
    private boolean splits() {
        return !settings.tf32()
                && (splitsAll() || (settings.split() == CudaSettings.Split.LARGE && device.fastTensorCores()));
    }

    private boolean splitsAll() {
        return settings.split() == CudaSettings.Split.ALL;
    }

    private String initialize() {
        calls.driver("cuInit", () -> JCudaDriver.cuInit(0));
        int driver = Device.driver(calls);
        String number = driver / 1000 + "." + driver % 1000 / 10;
        if (driver < OLDEST_DRIVER) {
            throw new BackendUnavailableException("the driver is for CUDA " + number
                    + " and too old; install the NVIDIA driver 525 or newer, which is for CUDA 12.0.");
        }
        return "for CUDA " + number;
    }

    private String choose(CUdevice chosen) {
        int[] count = {0};
        calls.driver("cuDeviceGetCount", () -> JCudaDriver.cuDeviceGetCount(count));
        if (count[0] == 0) throw new BackendUnavailableException(noDevice());
        if (settings.device() >= count[0]) {
            StringBuilder there = new StringBuilder();
            for (int i = 0; i < count[0]; i++) there.append(i == 0 ? "" : ", ").append(nameOf(i, new CUdevice()));
            throw new BackendUnavailableException("elman.cuda.device is " + settings.device() + ", but CUDA shows "
                    + there + " (CUDA_VISIBLE_DEVICES is " + visibleDevices() + ").");
        }
        deviceLine = nameOf(settings.device(), chosen);
        return deviceLine;
    }

    private String nameOf(int number, CUdevice device) {
        calls.driver("cuDeviceGet", () -> "" + number, () -> JCudaDriver.cuDeviceGet(device, number));
        return number + " " + nameOf(device);
    }

    private String nameOf(CUdevice device) {
        byte[] name = new byte[256];
        calls.driver("cuDeviceGetName", device::toString, () -> JCudaDriver.cuDeviceGetName(name, name.length, device));
        int end = 0;
        while (end < name.length && name[end] != 0) end++;
        return new String(name, 0, end, StandardCharsets.UTF_8);
    }

    private String capability(CUdevice chosen) {
        device = Device.of(calls, chosen);
        String number = device.capability() / 10 + "." + device.capability() % 10;
        if (device.capability() < OLDEST_CAPABILITY) {
            throw new BackendUnavailableException("device " + deviceLine
                    + " has compute capability " + number
                    + ", and the kernels need 7.5 (Turing) or newer; choose another with -Delman.cuda.device.");
        }
        return number;
    }

    private static String noDevice() {
        return "the driver shows no GPU (CUDA_VISIBLE_DEVICES is " + visibleDevices()
                + "); check nvidia-smi, and in a container that it was started with the NVIDIA runtime.";
    }

    private static String visibleDevices() {
        String value = System.getenv("CUDA_VISIBLE_DEVICES");
        return value == null ? "not set" : "\"" + value + "\"";
    }

    /** What was found and what to do about it, by the status of the call that failed. */
    static String remedy(Throwable failure) {
        if (failure instanceof BackendUnavailableException) return failure.getMessage();
        // Of a module's first native call.
        if (failure instanceof IllegalCallerException) return NativeCode.denied(failure.getMessage());
        Throwable found = failure instanceof OutOfDeviceMemoryException ? failure.getCause() : failure;
        if (!(found instanceof CudaCallException call)) return NativeCode.rootOf(failure);
        if (call.status().equals("CUDA_ERROR_NO_DEVICE")) return noDevice();
        String remedy = remedy(call.call(), call.status());
        return remedy == null ? call.getMessage() : remedy + " (" + call.getMessage() + ")";
    }

    /** The same for a call and its status; null where there is nothing to say beside them. */
    private static String remedy(String call, String status) {
        return switch (status) {
            case "CUDA_ERROR_STUB_LIBRARY" ->
                "the driver found is the stub that programs are linked with; install the NVIDIA driver, or take the"
                        + " folder of the stubs from LD_LIBRARY_PATH";
            case "CUDA_ERROR_UNSUPPORTED_PTX_VERSION",
                    "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH",
                    "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE" ->
                "the driver is too old for this program or does not fit its own kernel module; install the NVIDIA driver"
                        + " 525 or newer and restart";
            case "CUDA_ERROR_INVALID_PTX",
                    "CUDA_ERROR_INVALID_IMAGE",
                    "CUDA_ERROR_INVALID_SOURCE",
                    "CUDA_ERROR_NOT_FOUND" ->
                "the driver refused a kernel file of ours, which is damaged or not for this device; get the jar anew, and"
                        + " report it if that does not help";
            case "CUDA_ERROR_JIT_COMPILER_NOT_FOUND", "CUDA_ERROR_JIT_COMPILATION_DISABLED" ->
                "the driver cannot compile kernels: its library libnvidia-ptxjitcompiler.so.1 was not found, or"
                        + " CUDA_DISABLE_PTX_JIT is set; install the whole driver, in a container start it with the NVIDIA"
                        + " runtime";
            case "CUDA_ERROR_OUT_OF_MEMORY", "CUBLAS_STATUS_ALLOC_FAILED" ->
                call.equals("cuMemHostAlloc")
                        ? "the computer has no page-locked memory left; close what uses its memory, or give the container"
                                + " more"
                        : "the device has no memory left; close what uses it (nvidia-smi shows that) or choose another with"
                                + " -Delman.cuda.device";
            case "CUDA_ERROR_DEVICE_UNAVAILABLE", "CUDA_ERROR_DEVICE_NOT_LICENSED", "CUDA_ERROR_SYSTEM_NOT_READY" ->
                "the device is busy or not ready, perhaps in exclusive use by another program (nvidia-smi shows that)";
            case "CUDA_ERROR_UNKNOWN", "CUDA_ERROR_ECC_UNCORRECTABLE" ->
                "the device is lost; check nvidia-smi and the system's log, then reset or restart";
            case "CUBLAS_STATUS_NOT_INITIALIZED" ->
                "cuBLAS could not start on the device, for want of memory or because it does not fit the driver; check"
                        + " that libcublas is of CUDA 12, or do without it by -Delman.cuda.gemm=own";
            default -> null;
        };
    }
}
