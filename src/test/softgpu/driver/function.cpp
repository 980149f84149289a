// Attributes of kernels.
#include "module.h"

using namespace softgpu;

SOFTGPU_API int cuFuncGetAttribute(int* value, int attribute, void* function) {
    ENTER();
    auto* f = functionOf(function, "cuFuncGetAttribute");
    if (!f) {
        return INVALID_HANDLE;
    }
    if (attribute != 3) {  // LOCAL_SIZE_BYTES
        report(format("cuFuncGetAttribute: attribute %d is not modelled", attribute));
        return INVALID_VALUE;
    }
    *value = int(f->program->localBytes);
    return SUCCESS;
}

SOFTGPU_API int cuFuncSetAttribute(void* function, int attribute, int value) {
    ENTER();
    auto* f = functionOf(function, "cuFuncSetAttribute");
    if (!f) {
        return INVALID_HANDLE;
    }
    switch (attribute) {
        case 8:  // MAX_DYNAMIC_SHARED_SIZE_BYTES
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
        case 11:
        case 12:
        case 13:  // REQUIRED_CLUSTER_WIDTH, HEIGHT, DEPTH
            if (f->program->cluster[0] || device()->major < 9 || value < 1) {
                return INVALID_VALUE;  // a size fixed in the PTX cannot be changed
            }
            f->cluster[attribute - 11] = value;
            return SUCCESS;
        case 14:  // NON_PORTABLE_CLUSTER_SIZE_ALLOWED
            f->largeClusters = value;
            return device()->major >= 9 ? SUCCESS : INVALID_VALUE;
        default:
            return INVALID_VALUE;
    }
}
