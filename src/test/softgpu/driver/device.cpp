#include "runtime.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace softgpu {

namespace {

const Device DEVICES[] = {
    {7, 0, 2048, 32, 98304, 98304, 0, "V100"},
    {7, 5, 1024, 16, 65536, 65536, 0, "T4"},
    {8, 0, 2048, 32, 167936, 166912, 1024, "A100"},
    {8, 6, 1536, 16, 102400, 101376, 1024, "A10"},
    {8, 9, 1536, 24, 102400, 101376, 1024, "L4"},
    {9, 0, 2048, 32, 233472, 232448, 1024, "H100"},
};

int number(const char* variable, int otherwise) {
    const char* s = getenv(variable);
    return s ? atoi(s) : otherwise;
}

// CUDA_VISIBLE_DEVICES lists what may be seen; the first entry that does not exist ends the list.
bool hidden() {
    const char* visible = getenv("CUDA_VISIBLE_DEVICES");
    return visible && strncmp(visible, "GPU-", 4) != 0 && (*visible == 0 || strtol(visible, nullptr, 10) != 0);
}

}  // namespace

const Device* device() {
    static const Device* chosen = [] {
        const char* name = getenv("SOFTGPU_DEVICE");
        if ((name && strcmp(name, "none") == 0) || hidden()) {
            return (const Device*)nullptr;
        }
        int wanted = name && strncmp(name, "sm_", 3) == 0 ? atoi(name + 3) : 90;
        for (const Device& d : DEVICES) {
            if (d.capability() == wanted) {
                return &d;
            }
        }
        fprintf(stderr, "softgpu: SOFTGPU_DEVICE=%s is none of sm_70, sm_75, sm_80, sm_86, sm_89, sm_90, none\n", name);
        abort();
    }();
    return chosen;
}

// Few: a grid that fills the device is as quick to run as a real one is not.
int multiprocessors() {
    static const int n = number("SOFTGPU_MULTIPROCESSORS", 4);
    return n;
}

int usableMultiprocessors() {
    static const int n = number("SOFTGPU_USABLE_MULTIPROCESSORS", multiprocessors());
    return n;
}

int driverVersion() {
    static const int v = number("SOFTGPU_DRIVER_VERSION", 12060);
    return v;
}

int occupancy(int registers, size_t shared, int threads) {
    const Device& d = *device();
    int warps = (threads + 31) / 32;
    int byThreads = d.threadsPerSm / std::max(1, warps * 32);
    int byRegisters = 65536 / std::max(1, registers * warps * 32);
    int byShared = int(size_t(d.sharedPerSm) / std::max<size_t>(1, shared + size_t(d.sharedReserved)));
    return std::max(0, std::min({byThreads, byRegisters, byShared, d.blocksPerSm}));
}

}  // namespace softgpu

using namespace softgpu;

SOFTGPU_API int cuInit(unsigned flags) {
    Runtime& r = Runtime::instance();
    std::lock_guard<std::recursive_mutex> l(r.lock);
    if (flags) {
        return INVALID_VALUE;
    }
    if (!device()) {
        return NO_DEVICE;
    }
    r.initialized = true;
    return SUCCESS;
}

SOFTGPU_API int cuDriverGetVersion(int* v) {
    if (!v) {
        return INVALID_VALUE;
    }
    *v = driverVersion();
    return SUCCESS;
}

SOFTGPU_API int cuDeviceGetCount(int* n) {
    ENTER(false);
    *n = 1;
    return SUCCESS;
}

SOFTGPU_API int cuDeviceGet(int* d, int ordinal) {
    ENTER(false);
    if (ordinal != 0) {
        return INVALID_DEVICE;
    }
    *d = 0;
    return SUCCESS;
}

SOFTGPU_API int cuDeviceGetName(char* name, int length, int d) {
    ENTER(false);
    if (d != 0 || length < 1) {
        return d != 0 ? INVALID_DEVICE : INVALID_VALUE;
    }
    snprintf(name, size_t(length), "softgpu: software device, limits of %s", device()->like);
    return SUCCESS;
}

SOFTGPU_API int cuDeviceGetAttribute(int* v, int attribute, int d) {
    ENTER(false);
    if (d != 0) {
        return INVALID_DEVICE;
    }
    switch (attribute) {
        case 16:  // MULTIPROCESSOR_COUNT
            *v = multiprocessors();
            return SUCCESS;
        case 75:  // COMPUTE_CAPABILITY_MAJOR
            *v = device()->major;
            return SUCCESS;
        case 76:  // COMPUTE_CAPABILITY_MINOR
            *v = device()->minor;
            return SUCCESS;
        case 95:  // COOPERATIVE_LAUNCH
            *v = 1;
            return SUCCESS;
        default:
            report(format("cuDeviceGetAttribute: attribute %d is not modelled", attribute));
            return INVALID_VALUE;
    }
}
