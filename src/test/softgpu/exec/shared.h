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
        uint32_t pc = 0;
        uint32_t time = 0;  // in the order, and the warp of the cluster: of a st.async that of any block
        uint16_t orderedWarp = 0, thread = 0;
        uint8_t bytes = 0;
        bool atomic = false, many = false, manyWarps = false, async = false, landed = false;
    };
    // The access that this one (by the instruction pc) races with, or null. sameValue: a write of what is there
    // already is no race with another write.
    const Touch* access(uint64_t offset, size_t bytes, unsigned thread, uint32_t pc, Kind kind, bool sameValue = false);

    // The same for whole words as most kernels access them: there are no mbarriers, what is read is written, and what is
    // written nobody touched since the last barrier. False, and nothing noted, if it is not so or the range is none.
    bool readWords(uint64_t offset, size_t bytes, unsigned thread, uint32_t pc);
    // The same of all lanes of the mask, lane 0 being this thread: all are noted, or none.
    bool readWords(const uint64_t* offsets, uint32_t lanes, size_t bytes, unsigned firstThread, uint32_t pc);
    bool writeWords(uint64_t offset, size_t bytes, unsigned thread, uint32_t pc);

    // A st.async by `from` is on its way to these bytes: whoever touches them before it landed races with it.
    const Touch* push(uint64_t offset, size_t bytes, Touch from);
    void land(uint64_t offset, size_t bytes, size_t orderedWarp);

    bool written(uint64_t offset, size_t bytes) const;
    void markWritten(uint64_t offset, size_t bytes);

  private:
    struct Word {
        Touch written, read;
    };
    bool holdsWords(uint64_t offset, size_t bytes) const {
        return !order_ && (offset & (bytes - 1)) == 0 && bytes % 4 == 0 && offset < size_ && bytes <= size_ - offset;
    }
    bool readsPlainly(uint64_t offset, size_t bytes) const;
    // Notes a read in the touch of those since the last barrier, or a write.
    void noteRead(Touch& r, unsigned thread, uint32_t pc, uint32_t time, uint8_t bytes);
    void noteWrite(Touch& t, unsigned thread, uint32_t pc, uint32_t time, uint8_t bytes, bool atomic);
    bool conflicts(const Touch& t, unsigned thread, uint8_t bytes) const;
    bool conflictsAsync(const Touch& t, size_t warp, uint8_t bytes) const;
    // With an order: the first read of a word for which this holds, or null.
    template <class F>
    const Touch* firstReader(uint64_t word, F holds) const;

    std::vector<uint8_t> bytes_, written_;
    std::vector<Word> words_;
    std::vector<uint32_t> warpEpoch_;
    size_t size_ = 0;
    uint32_t blockEpoch_ = 0, born_ = 0;
    // With an order: the last read of each word by each warp, and the last st.async to it.
    const Order* order_ = nullptr;
    size_t firstWarp_ = 0, warps_ = 0;
    std::vector<Touch> readers_, pushed_;
    std::vector<uint32_t> readBy_;  // which of these warps read a word
};

inline void SharedMemory::noteRead(Touch& r, unsigned thread, uint32_t pc, uint32_t time, uint8_t bytes) {
    if (r.block != blockEpoch_ || r.time != time) {
        r = Touch();
        r.thread = uint16_t(thread);
        r.pc = pc;
        r.time = time;
        r.orderedWarp = uint16_t(firstWarp_ + thread / 32);
    } else if (r.thread != thread) {
        r.many = true;
        r.manyWarps |= r.thread / 32 != thread / 32;
    }
    r.block = blockEpoch_;
    r.warp = warpEpoch_[r.thread / 32];
    r.bytes |= bytes;
}

inline void SharedMemory::noteWrite(Touch& t, unsigned thread, uint32_t pc, uint32_t time, uint8_t bytes, bool atomic) {
    t = Touch();
    t.block = blockEpoch_;
    t.warp = warpEpoch_[thread / 32];
    t.thread = uint16_t(thread);
    t.pc = pc;
    t.time = time;
    t.orderedWarp = uint16_t(firstWarp_ + thread / 32);
    t.bytes = bytes;
    t.atomic = atomic;
}

inline bool SharedMemory::readsPlainly(uint64_t offset, size_t bytes) const {
    if (!holdsWords(offset, bytes)) {
        return false;
    }
    for (size_t w = offset / 4; w < (offset + bytes) / 4; w++) {
        if (words_[w].written.block == blockEpoch_ || written_[w] != 0xf) {
            return false;
        }
    }
    return true;
}

inline bool SharedMemory::readWords(uint64_t offset, size_t bytes, unsigned thread, uint32_t pc) {
    if (!readsPlainly(offset, bytes)) {
        return false;
    }
    for (size_t w = offset / 4; w < (offset + bytes) / 4; w++) {
        noteRead(words_[w].read, thread, pc, 0, 0xf);
    }
    return true;
}

inline bool SharedMemory::writeWords(uint64_t offset, size_t bytes, unsigned thread, uint32_t pc) {
    if (!holdsWords(offset, bytes)) {
        return false;
    }
    for (size_t w = offset / 4; w < (offset + bytes) / 4; w++) {
        if (words_[w].written.block == blockEpoch_ || words_[w].read.block == blockEpoch_) {
            return false;
        }
    }
    for (size_t w = offset / 4; w < (offset + bytes) / 4; w++) {
        noteWrite(words_[w].written, thread, pc, 0, 0xf, false);
        written_[w] = 0xf;
    }
    return true;
}

}  // namespace softgpu
