// The device that is pretended, chosen by SOFTGPU_DEVICE (sm_75, sm_80, sm_86, sm_89, sm_90 or none).
#pragma once

#include <cstddef>

namespace softgpu {

struct Device {
    int major, minor;
    int threadsPerSm, blocksPerSm;
    int sharedPerSm, sharedOptIn, sharedReserved;
    const char* like;  // the one it takes its limits from
    int capability() const { return 10 * major + minor; }
};

// Null for SOFTGPU_DEVICE=none, and where CUDA_VISIBLE_DEVICES hides it.
const Device* device();
int multiprocessors();

/// Of these, those that the process may use: another process or the application's context may have the rest.
int usableMultiprocessors();
int driverVersion();
// Blocks of a kernel that one multiprocessor holds at a time.
int occupancy(int registers, size_t shared, int threads);

}  // namespace softgpu
