// Shared memory of one block: the bytes, which of them were written, and who touched them since the last barrier.
#pragma once

#include "order.h"

#include <cstdint>
#include <string>
#include <vector>

namespace softgpu {

// Two accesses to a word by different threads, one of them a write, are a race unless a barrier lies between. Where the
// kernel has mbarriers, `order` tells what lies between; without, the block's barriers are counted.
class SharedMemory {
  public:
    // For a new block: nothing is written. With an order: which of its warps are this block's.
    void start(size_t bytes, const Order* order, size_t firstWarp, size_t warps);

    uint8_t* at(uint64_t offset) { return bytes_.data() + offset; }
    size_t size() const { return size_; }

    // All threads of the block met at a barrier; the lanes of a warp met at a warp barrier.
    void blockBarrier() { blockEpoch_++; }
    void warpBarrier(unsigned warp);

    enum Kind { read, write, atomic };
    struct Touch {
        uint32_t block = 0, warp = 0;  // epochs
        uint32_t thread = 0, pc = 0;
        uint32_t time = 0;  // in the order, and the warp of the cluster: of a st.async that of any block
        uint32_t orderedWarp = 0;
        uint8_t bytes = 0;
        bool atomic = false, many = false, manyWarps = false, async = false, landed = false;
    };
    // The access that this one (by the instruction pc) races with, or null. sameValue: a write of what is there
    // already is no race with another write.
    const Touch* access(uint64_t offset, size_t bytes, unsigned thread, uint32_t pc, Kind kind, bool sameValue = false);

    // A st.async by `from` is on its way to these bytes: whoever touches them before it landed races with it.
    const Touch* push(uint64_t offset, size_t bytes, Touch from);
    void land(uint64_t offset, size_t bytes, size_t orderedWarp);

    bool written(uint64_t offset, size_t bytes) const;
    void markWritten(uint64_t offset, size_t bytes);

  private:
    struct Word {
        Touch written, read;
    };
    bool conflicts(const Touch& t, unsigned thread, uint8_t bytes) const;
    bool conflictsAsync(const Touch& t, size_t warp, uint8_t bytes) const;

    std::vector<uint8_t> bytes_, written_;
    std::vector<Word> words_;
    std::vector<uint32_t> warpEpoch_;
    size_t size_ = 0;
    uint32_t blockEpoch_ = 0, born_ = 0;
    // With an order: the last read of each word by each warp, and the last st.async to it.
    const Order* order_ = nullptr;
    size_t firstWarp_ = 0, warps_ = 0;
    std::vector<Touch> readers_, pushed_;
};

}  // namespace softgpu
