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
    Call c(false);
    if (c.error) {
        return c.error;
    }
    *n = 1;
    return SUCCESS;
}

SOFTGPU_API int cuDeviceGet(int* d, int ordinal) {
    Call c(false);
    if (c.error) {
        return c.error;
    }
    if (ordinal != 0) {
        return INVALID_DEVICE;
    }
    *d = 0;
    return SUCCESS;
}

SOFTGPU_API int cuDeviceGetName(char* name, int length, int d) {
    Call c(false);
    if (c.error || d != 0 || length < 1) {
        return c.error ? c.error : d != 0 ? INVALID_DEVICE : INVALID_VALUE;
    }
    snprintf(name, size_t(length), "softgpu: software device, limits of %s", device()->like);
    return SUCCESS;
}

SOFTGPU_API int cuDeviceTotalMem_v2(size_t* bytes, int d) {
    Call c(false);
    if (c.error || d != 0) {
        return c.error ? c.error : INVALID_DEVICE;
    }
    *bytes = Memory::instance().total();
    return SUCCESS;
}

SOFTGPU_API int cuDeviceComputeCapability(int* major, int* minor, int d) {
    Call c(false);
    if (c.error || d != 0) {
        return c.error ? c.error : INVALID_DEVICE;
    }
    *major = device()->major;
    *minor = device()->minor;
    return SUCCESS;
}

SOFTGPU_API int cuDeviceGetUuid(unsigned char* uuid, int d) {
    Call c(false);
    if (c.error || d != 0) {
        return c.error ? c.error : INVALID_DEVICE;
    }
    memcpy(uuid, "softgpu-software", 16);
    return SUCCESS;
}

SOFTGPU_API int cuDeviceGetPCIBusId(char* id, int length, int d) {
    Call c(false);
    if (c.error || d != 0) {
        return c.error ? c.error : INVALID_DEVICE;
    }
    snprintf(id, size_t(length), "0000:00:00.0");
    return SUCCESS;
}

SOFTGPU_API int cuDeviceGetAttribute(int* v, int attribute, int d) {
    Call c(false);
    if (c.error || d != 0) {
        return c.error ? c.error : INVALID_DEVICE;
    }
    const Device& x = *device();
    static const std::map<int, int> SAME_FOR_ALL = {
        {1, 1024}, {2, 1024}, {3, 1024}, {4, 64},           // threads of a block, and its sides
        {5, 2147483647}, {6, 65535}, {7, 65535},            // sides of a grid
        {8, 49152}, {9, 65536}, {10, 32}, {11, 2147483647}, // shared, constant memory, warp, pitch
        {12, 65536}, {13, 1000000}, {14, 512}, {15, 1},     // registers, kHz, texture alignment, overlap
        {17, 0}, {18, 0}, {19, 1}, {20, 0},                 // timeout, integrated, maps host memory, compute mode
        {31, 1}, {32, 0}, {33, 0}, {34, 0}, {35, 0},        // concurrent kernels, ECC, PCI, TCC
        {36, 1000000}, {37, 256}, {38, 4194304}, {40, 1}, {41, 1}, {50, 0}, {78, 1}, {79, 1}, {80, 1},
        {82, 65536}, {83, 0}, {84, 0}, {85, 0}, {86, 0}, {87, 32}, {88, 0}, {89, 0}, {90, 1}, {91, 1}, {92, 0}, {93, 0},
        {94, 0}, {95, 1}, {96, 0}, {98, 0}, {99, 0}, {100, 0}, {101, 0}, {102, 0}, {108, 0}, {109, 0}, {112, 0}, {113, 0},
        {115, 1}};
    switch (attribute) {
        case 16:
            *v = multiprocessors();
            return SUCCESS;
        case 39:
            *v = x.threadsPerSm;
            return SUCCESS;
        case 75:
            *v = x.major;
            return SUCCESS;
        case 76:
            *v = x.minor;
            return SUCCESS;
        case 81:
            *v = x.sharedPerSm;
            return SUCCESS;
        case 97:
            *v = x.sharedOptIn;
            return SUCCESS;
        case 106:
            *v = x.blocksPerSm;
            return SUCCESS;
        case 111:
            *v = x.sharedReserved;
            return SUCCESS;
        case 120:
            *v = x.major >= 9;
            return SUCCESS;
        default:
            break;
    }
    auto i = SAME_FOR_ALL.find(attribute);
    if (i == SAME_FOR_ALL.end()) {
        if (attribute < 1 || attribute > 140) {
            return INVALID_VALUE;
        }
        report(format("cuDeviceGetAttribute: attribute %d is not modelled, it is given as 0", attribute));
        *v = 0;
        return SUCCESS;
    }
    *v = i->second;
    return SUCCESS;
}

SOFTGPU_API int cuGetErrorName(int code, const char** name) {
    *name = statusName(code);
    return *name ? SUCCESS : INVALID_VALUE;
}

SOFTGPU_API int cuGetErrorString(int code, const char** text) {
    *text = statusText(code);
    return *text ? SUCCESS : INVALID_VALUE;
}
