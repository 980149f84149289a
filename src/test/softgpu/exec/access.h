// Where a lane's address leads, after all checks.
#pragma once

#include "lanes.h"

#include <algorithm>

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

// Of all lanes, also of those that do not take part.
using Addresses = std::array<uint64_t, LANES>;
inline Addresses laneAddresses(Machine& m, const Op& op) {
    Addresses x;
    for (int i = 0; i < LANES; i++) {
        x[size_t(i)] = laneAddress(m, op, i);
    }
    return x;
}

// The host's address of the bytes a lane reads, writes or changes atomically. `value`: what is going to be written. `strong`: .relaxed and
// the like.
const uint8_t* readableChecked(Machine& m, Space space, int lane, uint64_t address, unsigned bytes, bool strong);
uint8_t* writableChecked(Machine& m, Space space, int lane, uint64_t address, unsigned bytes, const void* value, bool strong);
uint8_t* changeable(Machine& m, Space space, int lane, uint64_t address, unsigned bytes);

// The allocation that holds the range, or null.
inline Allocation* allocationOf(Machine& m, uint64_t address, size_t bytes) {
    Allocation*& recent = m.recent();
    if (!recent || !recent->holds(address, bytes)) {
        recent = Memory::instance().near(address);
    }
    return recent && recent->holds(address, bytes) ? recent : nullptr;
}

// Fails if an access of global memory races with a write of this launch. `value`: what is going to be written, or null; a write of what
// is there already is no race with another one, and gives true.
bool checkRace(Machine& m, int lane, Allocation& a, uint64_t address, unsigned bytes, const void* value, bool strong);

// Whether an access of these bytes is sure to race with none.
inline bool quiet(Machine& m, const Allocation& a, uint64_t address, unsigned bytes, bool strong) {
    size_t first = (address - a.base) / 4, end = (address - a.base + bytes + 3) / 4;
    return !a.stamps || m.writes().quiet(a.stamps + first, end - first, m.warpOfLaunch(), strong);
}

inline void stamp(Machine& m, Allocation& a, uint64_t address, unsigned bytes, bool strong, bool several = false) {
    if (Writes::follows(a)) {
        size_t first = (address - a.base) / 4, end = (address - a.base + bytes + 3) / 4;
        uint64_t warp = several ? Writes::severalWarps() : m.warpOfLaunch();
        std::fill(a.stamped() + first, a.stamped() + end, m.writes().stamp(warp, strong));
    }
}

// Whether a strong access of words at this address goes by the weak memory, once it was checked.
inline bool weakly(Machine& m, Space space, uint64_t address) {
    bool global = space == GLOBAL || (space == GENERIC && !(address & WINDOW_MASK));
    return m.weak() && global && Writes::follows(*m.recent());
}

// The allocation that holds whole words of global memory, an access of which is sure to race with none; or null.
inline Allocation* quietWords(Machine& m, uint64_t address, unsigned bytes, bool strong) {
    bool words = (address & (bytes - 1)) == 0 && bytes % 4 == 0;
    Allocation* a = words ? allocationOf(m, address, bytes) : nullptr;
    return a && quiet(m, *a, address, bytes, strong) ? a : nullptr;
}

// Notes that these words are written, and gives the host's address.
inline uint8_t* writeWords(Machine& m, Allocation& a, uint64_t address, unsigned bytes, bool strong) {
    uint8_t* written = a.written + (address - a.base) / 4;
    for (unsigned k = 0; k < bytes; k += 4) {
        *written++ = 0xf;
    }
    stamp(m, a, address, bytes, strong);
    m.changedMemory();
    return (uint8_t*)address;
}

// First what is quick to see.
inline const uint8_t* readable(Machine& m, Space space, int lane, uint64_t address, unsigned bytes, bool strong = false) {
    if (space == GLOBAL) {
        if (Allocation* a = quietWords(m, address, bytes, strong)) {
            const uint8_t* written = a->written + (address - a->base) / 4;
            unsigned k = 0;
            while (k < bytes / 4 && written[k] == 0xf) {
                k++;
            }
            if (k == bytes / 4) {
                return (const uint8_t*)address;
            }
        }
    } else if (space == SHARED) {
        SharedMemory& s = m.block->shared;
        if (s.readWords(address, bytes, m.warp->index * LANES + unsigned(lane), m.pc())) {
            return s.at(address);
        }
    }
    return readableChecked(m, space, lane, address, bytes, strong);
}

inline uint8_t* writable(
    Machine& m, Space space, int lane, uint64_t address, unsigned bytes, const void* value, bool strong = false) {
    if (space == GLOBAL) {
        if (Allocation* a = quietWords(m, address, bytes, strong)) {
            return writeWords(m, *a, address, bytes, strong);
        }
    } else if (space == SHARED) {
        SharedMemory& s = m.block->shared;
        if (s.writeWords(address, bytes, m.warp->index * LANES + unsigned(lane), m.pc())) {
            m.changedMemory();
            return s.at(address);
        }
    }
    return writableChecked(m, space, lane, address, bytes, value, strong);
}

}  // namespace softgpu
