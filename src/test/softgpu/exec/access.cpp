#include "access.h"

namespace softgpu {

namespace {

void aligned(Machine& m, int lane, uint64_t address, unsigned bytes) {
    if (address & (bytes - 1)) {
        m.fail(
            MISALIGNED_ADDRESS,
            lane,
            format("misaligned access: %u bytes at %#llx", bytes, (unsigned long long)address));
    }
}

Allocation& global(Machine& m, int lane, uint64_t address, unsigned bytes, Access access) {
    aligned(m, lane, address, bytes);
    Allocation* a = allocationOf(m, address, bytes);
    if (!a) {
        m.fail(
            ILLEGAL_ADDRESS,
            lane,
            format("%s of %u bytes at ", access == Access::read ? "read" : "write", bytes) +
                Memory::instance().describe(address));
    }
    return *a;
}

void unwritten(Machine& m, int lane, const std::string& what) {
    m.fail(LAUNCH_FAILED, lane, "read of memory that nothing wrote, at " + what);
}

}  // namespace

SharedPlace sharedPlace(Machine& m, Space space, int lane, uint64_t address, unsigned bytes) {
    aligned(m, lane, address, bytes);
    SharedPlace p{m.block, address, true};
    uint64_t rank = address >> CLUSTER_RANK_SHIFT;
    if (space == CLUSTER && rank) {
        if (rank > m.block->cluster->blocks.size()) {
            m.fail(ILLEGAL_ADDRESS, lane, format("the cluster has no block of rank %llu", (unsigned long long)rank - 1));
        }
        p.block = m.block->cluster->blocks[rank - 1];
        p.offset = address & ((1u << CLUSTER_RANK_SHIFT) - 1);
        p.own = p.block == m.block;
        if (p.block->alive == 0) {
            m.fail(ILLEGAL_ADDRESS, lane, "shared memory of a block that has exited");
        }
    }
    size_t size = p.block->shared.size();
    if (p.offset >= size || bytes > size - p.offset) {
        m.fail(
            ILLEGAL_ADDRESS,
            lane,
            format("shared memory: %u bytes at offset %lld of %zu", bytes, (long long)p.offset, size));
    }
    return p;
}

void noMbarrier(Machine& m, int lane, const SharedPlace& p, unsigned bytes) {
    if (mbarrierAt(p.block->mbarriers, p.offset, bytes)) {
        m.fail(
            LAUNCH_FAILED,
            lane,
            format("offset %llu of shared memory belongs to an mbarrier", (unsigned long long)p.offset));
    }
}

void race(Machine& m, int lane, const char* what, uint64_t offset, unsigned bytes, const SharedMemory::Touch& other) {
    const OpInfo& i = m.info(other.pc);
    std::string who = format("thread %u of the block accessed since the last barrier", other.thread);
    if (other.async) {
        who = format("a st.async of thread %u ", other.thread) +
              (other.landed ? "wrote, with no wait for its mbarrier in between" : "is on its way to");
    }
    m.fail(
        LAUNCH_FAILED,
        lane,
        format("race in shared memory: %s of %u bytes at offset %llu, which ", what, bytes, (unsigned long long)offset) + who +
            format(", PTX line %d: ", i.line) + i.text);
}

bool checkRace(Machine& m, int lane, Allocation& a, uint64_t address, unsigned bytes, const void* value, bool strong) {
    bool same = false;
    const Block& b = *m.block;
    const Writes& writes = m.writes();
    for (size_t w = (address - a.base) / 4; a.stamps && w <= (address - a.base + bytes - 1) / 4; w++) {
        uint64_t stamp = a.stamps[w];
        if (!writes.ofThisLaunch(stamp)) {
            continue;
        }
        if (m.weak() && Writes::strong(stamp) && !strong) {
            m.weak()->settle(a, a.base + 4 * w, 4);
        }
        if (Writes::by(stamp, m.warpOfLaunch()) || (strong && Writes::strong(stamp))) {
            continue;
        }
        // Where there are mbarriers, they may have come between the warps of a cluster.
        if (value && memcmp((const void*)address, value, bytes) == 0) {
            same = true;
            continue;
        }
        if (Writes::bySeveral(stamp) && !value) {
            continue;
        }
        uint64_t number = Writes::warpOf(stamp) / b.warps.size(), inCluster = b.cluster->blocks.size();
        bool sameBlock = number == b.number, sameCluster = number / inCluster == b.number / inCluster;
        uint64_t met = sameBlock ? b.met : sameCluster ? b.cluster->met : 0;
        uint64_t acquired = m.released(number, Writes::timeOf(stamp)) ? b.acquired : 0;
        if ((sameCluster && m.order()) || !Writes::since(stamp, std::max(met, acquired))) {
            continue;
        }
        m.fail(
            LAUNCH_FAILED,
            lane,
            format(
                "race in global memory: %s of %u bytes that warp %llu of block %llu of the grid wrote, with nothing in between that orders them, at ",
                value ? "write" : "read",
                bytes,
                (unsigned long long)(Writes::warpOf(stamp) % b.warps.size()),
                (unsigned long long)number) +
                Memory::instance().describe(address));
    }
    return same;
}

namespace {

void touch(Machine& m, int lane, const SharedPlace& p, unsigned bytes, SharedMemory::Kind kind, bool same) {
    noMbarrier(m, lane, p, bytes);
    if (!p.own) {
        return;  // between blocks only the cluster's barrier orders; that is not followed
    }
    unsigned thread = m.warp->index * LANES + unsigned(lane);
    if (auto* other = p.block->shared.access(p.offset, bytes, thread, m.pc(), kind, same)) {
        static const char* const NAMES[] = {"read", "write", "atomic"};
        race(m, lane, NAMES[kind], p.offset, bytes, *other);
    }
}

struct LocalPlace {
    uint8_t *data, *written;
};

LocalPlace local(Machine& m, int lane, uint64_t address, unsigned bytes) {
    aligned(m, lane, address, bytes);
    size_t size = m.launch().program->localBytes, stride = (size + 15) / 16 * 16;
    if (address >= size || bytes > size - address) {
        m.fail(
            ILLEGAL_ADDRESS,
            lane,
            format("local memory: %u bytes at offset %lld of %zu", bytes, (long long)address, size));
    }
    return {m.warp->local + unsigned(lane) * stride, m.warp->localWritten + unsigned(lane) * (stride / 4 + 2)};
}

Space resolve(Space space, uint64_t& address) {
    if (space != GENERIC) {
        return space;
    }
    uint64_t window = address & WINDOW_MASK;
    if (window == SHARED_WINDOW || window == LOCAL_WINDOW || window == PARAM_WINDOW) {
        address &= ~WINDOW_MASK;
        return window == SHARED_WINDOW ? CLUSTER : window == LOCAL_WINDOW ? LOCAL : PARAM;
    }
    return GLOBAL;
}

}  // namespace

const uint8_t* readableChecked(Machine& m, Space space, int lane, uint64_t address, unsigned bytes, bool strong) {
    switch (resolve(space, address)) {
        case SHARED:
        case CLUSTER: {
            SharedPlace p = sharedPlace(m, space == GENERIC ? CLUSTER : space, lane, address, bytes);
            touch(m, lane, p, bytes, SharedMemory::read, false);
            if (!p.block->shared.written(p.offset, bytes)) {
                unwritten(m, lane, format("offset %llu of shared memory", (unsigned long long)p.offset));
            }
            return p.block->shared.at(p.offset);
        }
        case LOCAL: {
            LocalPlace p = local(m, lane, address, bytes);
            if (!allWritten(p.written, address, bytes)) {
                unwritten(m, lane, format("offset %llu of local memory", (unsigned long long)address));
            }
            return p.data + address;
        }
        case PARAM: {
            aligned(m, lane, address, bytes);
            auto& params = m.launch().params;
            if (address >= params.size() || bytes > params.size() - address) {
                m.fail(ILLEGAL_ADDRESS, lane, "a parameter beyond the kernel's own");
            }
            return params.data() + address;
        }
        default: {
            Allocation& a = global(m, lane, address, bytes, Access::read);
            if (!allWritten(a.written, address - a.base, bytes)) {
                unwritten(m, lane, Memory::instance().describe(address));
            }
            checkRace(m, lane, a, address, bytes, nullptr, strong);
            return (const uint8_t*)address;
        }
    }
}

uint8_t* writableChecked(Machine& m, Space space, int lane, uint64_t address, unsigned bytes, const void* value, bool strong) {
    switch (resolve(space, address)) {
        case SHARED:
        case CLUSTER: {
            SharedPlace p = sharedPlace(m, space == GENERIC ? CLUSTER : space, lane, address, bytes);
            uint8_t* to = p.block->shared.at(p.offset);
            bool same = memcmp(to, value, bytes) == 0 && p.block->shared.written(p.offset, bytes);
            touch(m, lane, p, bytes, SharedMemory::write, same);
            p.block->shared.markWritten(p.offset, bytes);
            m.changedMemory();
            return to;
        }
        case LOCAL: {
            LocalPlace p = local(m, lane, address, bytes);
            markWritten(p.written, address, bytes);
            return p.data + address;
        }
        case PARAM:
            m.fail(ILLEGAL_ADDRESS, lane, "write to a kernel parameter");
        default: {
            Allocation& a = global(m, lane, address, bytes, Access::write);
            bool several = checkRace(m, lane, a, address, bytes, value, strong);
            markWritten(a.written, address - a.base, bytes);
            stamp(m, a, address, bytes, strong, several);
            m.changedMemory();
            return (uint8_t*)address;
        }
    }
}

uint8_t* changeable(Machine& m, Space space, int lane, uint64_t address, unsigned bytes) {
    Space s = resolve(space, address);
    if (s == SHARED || s == CLUSTER) {
        SharedPlace p = sharedPlace(m, s, lane, address, bytes);
        touch(m, lane, p, bytes, SharedMemory::atomic, false);
        if (!p.block->shared.written(p.offset, bytes)) {
            unwritten(m, lane, format("offset %llu of shared memory", (unsigned long long)p.offset));
        }
        return p.block->shared.at(p.offset);
    }
    if (s != GLOBAL) {
        m.fail(INVALID_ADDRESS_SPACE, lane, "an atomic operation on this kind of memory");
    }
    Allocation& a = global(m, lane, address, bytes, Access::write);
    if (!allWritten(a.written, address - a.base, bytes)) {
        unwritten(m, lane, Memory::instance().describe(address));
    }
    checkRace(m, lane, a, address, bytes, nullptr, true);
    if (m.weak()) {
        m.weak()->settle(a, address & ~uint64_t(3), bytes);
    }
    stamp(m, a, address, bytes, true);
    return (uint8_t*)address;
}

}  // namespace softgpu
