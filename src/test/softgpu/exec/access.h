// Where a lane's address leads, after all checks.
#pragma once

#include "lanes.h"

namespace softgpu {

enum Space : uint16_t { GENERIC, GLOBAL, SHARED, CLUSTER, LOCAL, PARAM };

inline uint64_t laneAddress(Machine& m, const Op& op, int lane) {
    uint64_t base = op.wideAddress ? slot<uint64_t>(m, op.a)[lane] : slot<uint32_t>(m, op.a)[lane];
    return base + uint64_t(op.offset);
}

// The host's address of the bytes a lane reads, writes or changes atomically. `value`: what is going to be written.
const uint8_t* readable(Machine& m, Space space, int lane, uint64_t address, unsigned bytes);
uint8_t* writable(Machine& m, Space space, int lane, uint64_t address, unsigned bytes, const void* value);
uint8_t* changeable(Machine& m, Space space, int lane, uint64_t address, unsigned bytes);

}  // namespace softgpu
