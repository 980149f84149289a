#include "shared.h"

#include "driver/memory.h"

#include <cstring>

namespace softgpu {

void SharedMemory::start(size_t bytes) {
    size_ = bytes;
    if (bytes_.size() < bytes) {
        bytes_.resize(bytes);
        words_.resize(bytes / 4 + 1);
    }
    written_.assign(bytes / 4 + 8, 0);
    memset(bytes_.data(), 0xff, bytes);  // NaN, should a check miss it
    warpEpoch_.assign(64, 0);
    blockEpoch_++;  // what earlier blocks did is past
}

void SharedMemory::warpBarrier(unsigned warp) {
    warpEpoch_[warp]++;
}

bool SharedMemory::written(uint64_t offset, size_t bytes) const {
    return allWritten(written_.data(), offset, bytes);
}

void SharedMemory::markWritten(uint64_t offset, size_t bytes) {
    softgpu::markWritten(written_.data(), offset, bytes);
}

bool SharedMemory::conflicts(const Touch& t, unsigned thread, uint8_t bytes) const {
    if (t.block != blockEpoch_ || !(t.bytes & bytes)) {
        return false;
    }
    if (t.thread == thread && !t.many) {
        return false;
    }
    unsigned warp = thread / 32;
    if (t.thread / 32 == warp && !t.manyWarps) {
        return t.warp == warpEpoch_[warp];
    }
    return true;
}

const SharedMemory::Touch* SharedMemory::access(
    uint64_t offset, size_t bytes, unsigned thread, uint32_t pc, Kind kind, bool sameValue) {
    unsigned warp = thread / 32;
    for (uint64_t at = offset; at < offset + bytes;) {
        uint64_t w = at / 4, end = offset + bytes < 4 * (w + 1) ? offset + bytes : 4 * (w + 1);
        uint8_t mask = uint8_t(((1u << (end - at)) - 1) << (at & 3));
        Word& word = words_[w];
        Touch& last = word.written;
        bool bothAtomic = kind == atomic && last.atomic;
        bool harmless = kind == write && sameValue && !last.atomic;
        if (!bothAtomic && !harmless && conflicts(last, thread, mask)) {
            return &last;
        }
        Touch& readers = word.read;
        if (kind == read) {
            if (readers.block != blockEpoch_) {
                readers = Touch();
                readers.thread = thread;
                readers.pc = pc;
            } else if (readers.thread != thread) {
                readers.many = true;
                readers.manyWarps |= readers.thread / 32 != warp;
            }
            readers.block = blockEpoch_;
            readers.warp = warpEpoch_[readers.thread / 32];
            readers.bytes |= mask;
        } else {
            if (conflicts(readers, thread, mask)) {
                return &readers;
            }
            last = Touch();
            last.block = blockEpoch_;
            last.warp = warpEpoch_[warp];
            last.thread = thread;
            last.pc = pc;
            last.bytes = mask;
            last.atomic = kind == atomic;
        }
        at = end;
    }
    return nullptr;
}

}  // namespace softgpu
