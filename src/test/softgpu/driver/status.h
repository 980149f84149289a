// The CUresult values this driver returns.
#pragma once

namespace softgpu {

// Names without the CUDA_ERROR_ prefix, and the numbers of cuda.h.
#define SOFTGPU_ERRORS(X)                \
    X(INVALID_VALUE, 1)                  \
    X(OUT_OF_MEMORY, 2)                  \
    X(NOT_INITIALIZED, 3)                \
    X(NO_DEVICE, 100)                    \
    X(INVALID_DEVICE, 101)               \
    X(INVALID_IMAGE, 200)                \
    X(INVALID_CONTEXT, 201)              \
    X(INVALID_PTX, 218)                  \
    X(UNSUPPORTED_PTX_VERSION, 222)      \
    X(INVALID_HANDLE, 400)               \
    X(ILLEGAL_STATE, 401)                \
    X(NOT_FOUND, 500)                    \
    X(NOT_READY, 600)                    \
    X(ILLEGAL_ADDRESS, 700)              \
    X(LAUNCH_OUT_OF_RESOURCES, 701)      \
    X(LAUNCH_TIMEOUT, 702)               \
    X(CONTEXT_IS_DESTROYED, 709)         \
    X(MISALIGNED_ADDRESS, 716)           \
    X(INVALID_ADDRESS_SPACE, 717)        \
    X(LAUNCH_FAILED, 719)                \
    X(COOPERATIVE_LAUNCH_TOO_LARGE, 720) \
    X(STREAM_CAPTURE_UNSUPPORTED, 900)   \
    X(STREAM_CAPTURE_INVALIDATED, 901)   \
    X(STREAM_CAPTURE_MERGE, 902)         \
    X(STREAM_CAPTURE_UNMATCHED, 903)     \
    X(STREAM_CAPTURE_ISOLATION, 905)     \
    X(STREAM_CAPTURE_IMPLICIT, 906)      \
    X(CAPTURED_EVENT, 907)               \
    X(STREAM_CAPTURE_WRONG_THREAD, 908)  \
    X(INVALID_CLUSTER_SIZE, 912)

enum Status : int {
    SUCCESS = 0,
#define SOFTGPU_STATUS(name, number) name = number,
    SOFTGPU_ERRORS(SOFTGPU_STATUS)
#undef SOFTGPU_STATUS
};

// "CUDA_ERROR_ILLEGAL_ADDRESS".
const char* statusName(int code);
}  // namespace softgpu
