// Attributes of kernels, and how many of their blocks fit.
#include "module.h"

using namespace softgpu;

SOFTGPU_API int cuFuncGetModule(void** module, void* function) {
    Call c;
    if (c.error) {
        return c.error;
    }
    auto* f = functionOf(function, "cuFuncGetModule");
    if (!f) {
        return INVALID_HANDLE;
    }
    *module = f->module;
    return SUCCESS;
}

SOFTGPU_API int cuFuncGetAttribute(int* value, int attribute, void* function) {
    Call c;
    if (c.error) {
        return c.error;
    }
    auto* f = functionOf(function, "cuFuncGetAttribute");
    if (!f) {
        return INVALID_HANDLE;
    }
    const Program& p = *f->program;
    switch (attribute) {
        case 0:  // MAX_THREADS_PER_BLOCK
            *value = p.maxThreads ? p.maxThreads : 1024;
            return SUCCESS;
        case 1:  // SHARED_SIZE_BYTES
            *value = int(p.sharedBytes);
            return SUCCESS;
        case 2:  // CONST_SIZE_BYTES
            *value = 0;
            return SUCCESS;
        case 3:  // LOCAL_SIZE_BYTES
            *value = int(p.localBytes);
            return SUCCESS;
        case 4:  // NUM_REGS: a guess, as no assembler ran
            *value = f->registers();
            return SUCCESS;
        case 5:  // PTX_VERSION
        case 6:  // BINARY_VERSION
            *value = device()->capability();
            return SUCCESS;
        case 7:  // CACHE_MODE_CA
            *value = 0;
            return SUCCESS;
        case 8:  // MAX_DYNAMIC_SHARED_SIZE_BYTES
            *value = f->maxDynamicShared;
            return SUCCESS;
        case 9:  // PREFERRED_SHARED_MEMORY_CARVEOUT
            *value = -1;
            return SUCCESS;
        case 10:  // CLUSTER_SIZE_MUST_BE_SET
            *value = 0;
            return SUCCESS;
        case 11:
        case 12:
        case 13:  // REQUIRED_CLUSTER_WIDTH, HEIGHT, DEPTH
            *value = p.cluster[attribute - 11] ? p.cluster[attribute - 11] : f->cluster[attribute - 11];
            return SUCCESS;
        case 14:  // NON_PORTABLE_CLUSTER_SIZE_ALLOWED
            *value = f->largeClusters;
            return SUCCESS;
        default:
            return INVALID_VALUE;
    }
}

SOFTGPU_API int cuFuncSetAttribute(void* function, int attribute, int value) {
    Call c;
    if (c.error) {
        return c.error;
    }
    auto* f = functionOf(function, "cuFuncSetAttribute");
    if (!f) {
        return INVALID_HANDLE;
    }
    switch (attribute) {
        case 8:
            if (value < 0 || size_t(value) + f->program->sharedBytes > size_t(device()->sharedOptIn)) {
                report(format(
                    "cuFuncSetAttribute: kernel %s: %d bytes of dynamic shared memory and %zu static ones; the device has %d",
                    f->program->name.c_str(),
                    value,
                    f->program->sharedBytes,
                    device()->sharedOptIn));
                return INVALID_VALUE;
            }
            f->maxDynamicShared = value;
            return SUCCESS;
        case 9:
            return value >= -1 && value <= 100 ? SUCCESS : INVALID_VALUE;
        case 11:
        case 12:
        case 13:
            if (f->program->cluster[0] || device()->major < 9 || value < 1) {
                return INVALID_VALUE;  // a size fixed in the PTX cannot be changed
            }
            f->cluster[attribute - 11] = value;
            return SUCCESS;
        case 14:
            f->largeClusters = value;
            return device()->major >= 9 ? SUCCESS : INVALID_VALUE;
        default:
            return INVALID_VALUE;
    }
}

SOFTGPU_API int cuFuncSetCacheConfig(void* function, int) {
    Call c;
    return c.error ? c.error : functionOf(function, "cuFuncSetCacheConfig") ? SUCCESS : INVALID_HANDLE;
}

SOFTGPU_API int cuFuncSetSharedMemConfig(void* function, int) {
    Call c;
    return c.error ? c.error : functionOf(function, "cuFuncSetSharedMemConfig") ? SUCCESS : INVALID_HANDLE;
}

SOFTGPU_API int cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, void* function, int threads, size_t dynamic) {
    Call c;
    if (c.error) {
        return c.error;
    }
    auto* f = functionOf(function, "cuOccupancyMaxActiveBlocksPerMultiprocessor");
    if (!f) {
        return INVALID_HANDLE;
    }
    if (threads < 1) {
        return INVALID_VALUE;
    }
    bool fits = threads <= 1024 && dynamic <= size_t(f->maxDynamicShared);
    *blocks = fits ? occupancy(f->registers(), f->program->sharedBytes + dynamic, threads) : 0;
    return SUCCESS;
}

SOFTGPU_API int cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
    int* blocks, void* function, int threads, size_t dynamic, unsigned) {
    return cuOccupancyMaxActiveBlocksPerMultiprocessor(blocks, function, threads, dynamic);
}

SOFTGPU_API int cuOccupancyAvailableDynamicSMemPerBlock(size_t* bytes, void* function, int blocks, int) {
    Call c;
    if (c.error) {
        return c.error;
    }
    auto* f = functionOf(function, "cuOccupancyAvailableDynamicSMemPerBlock");
    if (!f) {
        return INVALID_HANDLE;
    }
    if (blocks < 1) {
        return INVALID_VALUE;
    }
    long each = device()->sharedPerSm / blocks - device()->sharedReserved - long(f->program->sharedBytes);
    *bytes = size_t(std::max(0l, std::min(each, long(device()->sharedOptIn))));
    return SUCCESS;
}
