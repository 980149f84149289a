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
const uint8_t* readableChecked(Machine& m, Space space, int lane, uint64_t address, unsigned bytes);
uint8_t* writableChecked(Machine& m, Space space, int lane, uint64_t address, unsigned bytes, const void* value);
uint8_t* changeable(Machine& m, Space space, int lane, uint64_t address, unsigned bytes);

// The allocation that holds the range, or null.
inline Allocation* allocationOf(Machine& m, uint64_t address, size_t bytes) {
    Allocation*& recent = m.recent();
    if (!recent || !recent->holds(address, bytes)) {
        recent = Memory::instance().near(address);
    }
    return recent && recent->holds(address, bytes) ? recent : nullptr;
}

// Where the written-map of whole words of global memory is, or null.
inline uint8_t* wordsWritten(Machine& m, uint64_t address, unsigned bytes) {
    bool words = (address & (bytes - 1)) == 0 && bytes % 4 == 0;
    Allocation* a = words ? allocationOf(m, address, bytes) : nullptr;
    return a ? a->written + (address - a->base) / 4 : nullptr;
}

// First what is quick to see.
inline const uint8_t* readable(Machine& m, Space space, int lane, uint64_t address, unsigned bytes) {
    if (space == GLOBAL) {
        const uint8_t* written = wordsWritten(m, address, bytes);
        unsigned k = 0;
        while (written && k < bytes / 4 && written[k] == 0xf) {
            k++;
        }
        if (k == bytes / 4 && written) {
            return (const uint8_t*)address;
        }
    } else if (space == SHARED) {
        SharedMemory& s = m.block->shared;
        if (s.readWords(address, bytes, m.warp->index * LANES + unsigned(lane), m.pc())) {
            return s.at(address);
        }
    }
    return readableChecked(m, space, lane, address, bytes);
}

inline uint8_t* writable(Machine& m, Space space, int lane, uint64_t address, unsigned bytes, const void* value) {
    if (space == GLOBAL) {
        if (uint8_t* written = wordsWritten(m, address, bytes)) {
            memset(written, 0xf, bytes / 4);
            m.changedMemory();
            return (uint8_t*)address;
        }
    } else if (space == SHARED) {
        SharedMemory& s = m.block->shared;
        if (s.writeWords(address, bytes, m.warp->index * LANES + unsigned(lane), m.pc())) {
            m.changedMemory();
            return s.at(address);
        }
    }
    return writableChecked(m, space, lane, address, bytes, value);
}

}  // namespace softgpu
