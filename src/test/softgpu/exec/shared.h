// Shared memory of one block: the bytes, which of them were written, and who touched them since the last barrier.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace softgpu {

// Two accesses to a word by different threads, one of them a write, are a race unless a barrier lies between.
class SharedMemory {
  public:
    void start(size_t bytes);  // for a new block: nothing is written

    uint8_t* at(uint64_t offset) { return bytes_.data() + offset; }
    size_t size() const { return size_; }

    // All threads of the block met at a barrier; the lanes of a warp met at a warp barrier.
    void blockBarrier() { blockEpoch_++; }
    void warpBarrier(unsigned warp);

    enum Kind { read, write, atomic };
    struct Touch {
        uint32_t block = 0, warp = 0;  // epochs
        uint32_t thread = 0, pc = 0;
        uint8_t bytes = 0;
        bool atomic = false, many = false, manyWarps = false;
    };
    // The access that this one (by the instruction pc) races with, or null. sameValue: a write of what is there
    // already is no race with another write.
    const Touch* access(uint64_t offset, size_t bytes, unsigned thread, uint32_t pc, Kind kind, bool sameValue = false);

    bool written(uint64_t offset, size_t bytes) const;
    void markWritten(uint64_t offset, size_t bytes);

  private:
    struct Word {
        Touch written, read;
    };
    bool conflicts(const Touch& t, unsigned thread, uint8_t bytes) const;

    std::vector<uint8_t> bytes_, written_;
    std::vector<Word> words_;
    std::vector<uint32_t> warpEpoch_;
    size_t size_ = 0;
    uint32_t blockEpoch_ = 0;
};

}  // namespace softgpu
