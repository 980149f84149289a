// Where a lane's address leads, after all checks.
#pragma once

#include "lanes.h"

namespace softgpu {

enum Space : uint16_t { GENERIC, GLOBAL, SHARED, CLUSTER, LOCAL, PARAM };

// A place in the shared memory of this block or of another one of the cluster.
struct SharedPlace {
    Block* block;
    uint64_t offset;
    bool own;
};
SharedPlace sharedPlace(Machine& m, Space space, int lane, uint64_t address, unsigned bytes);
// Bytes of an mbarrier are no data.
void noMbarrier(Machine& m, int lane, const SharedPlace& p, unsigned bytes);
[[noreturn]] void race(
    Machine& m, int lane, const char* what, uint64_t offset, unsigned bytes, const SharedMemory::Touch& other);

inline uint64_t laneAddress(Machine& m, const Op& op, int lane) {
    uint64_t base = op.wideAddress ? slot<uint64_t>(m, op.a)[lane] : slot<uint32_t>(m, op.a)[lane];
    return base + uint64_t(op.offset);
}

// The host's address of the bytes a lane reads, writes or changes atomically. `value`: what is going to be written.
const uint8_t* readable(Machine& m, Space space, int lane, uint64_t address, unsigned bytes);
uint8_t* writable(Machine& m, Space space, int lane, uint64_t address, unsigned bytes, const void* value);
uint8_t* changeable(Machine& m, Space space, int lane, uint64_t address, unsigned bytes);

}  // namespace softgpu
