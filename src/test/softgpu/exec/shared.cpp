#include "shared.h"

#include "driver/memory.h"

#include <algorithm>
#include <cstring>

namespace softgpu {

namespace {

// Calls f(word, mask of its bytes) for each word of the range until it gives something.
template <class F>
const SharedMemory::Touch* eachWord(uint64_t offset, size_t bytes, F f) {
    for (uint64_t at = offset, end = offset + bytes; at < end;) {
        uint64_t w = at / 4, stop = std::min(end, 4 * (w + 1));
        if (auto* found = f(w, uint8_t(((1u << (stop - at)) - 1) << (at & 3)))) {
            return found;
        }
        at = stop;
    }
    return nullptr;
}

}  // namespace

void SharedMemory::start(size_t bytes, const Order* order, size_t firstWarp, size_t warps) {
    size_ = bytes;
    if (bytes_.size() < bytes) {
        bytes_.resize(bytes);
        words_.resize(bytes / 4 + 1);
    }
    written_.assign(bytes / 4 + 8, 0);
    memset(bytes_.data(), 0xff, bytes);  // NaN, should a check miss it
    warpEpoch_.assign(64, 0);
    born_ = ++blockEpoch_;  // what earlier blocks did is past
    order_ = order;
    firstWarp_ = firstWarp;
    warps_ = warps;
    if (order) {
        readers_.assign((bytes / 4 + 1) * warps, Touch());
        pushed_.assign(bytes / 4 + 1, Touch());
        readBy_.assign(bytes / 4 + 1, 0);
    }
}

void SharedMemory::warpBarrier(unsigned warp) {
    warpEpoch_[warp]++;
}

bool SharedMemory::readWords(const uint64_t* offsets, uint32_t lanes, size_t bytes, unsigned firstThread, uint32_t pc) {
    uint64_t last = 0;
    for (uint32_t left = lanes; left; left &= left - 1) {
        uint64_t offset = offsets[__builtin_ctz(left)];
        if ((left == lanes || offset != last) && !readsPlainly(offset, bytes)) {
            return false;
        }
        last = offset;
    }
    unsigned times = 0;
    for (uint32_t left = lanes; left; left &= left - 1) {
        unsigned lane = unsigned(__builtin_ctz(left));
        times = offsets[lane] == last ? times + 1 : 1;
        last = offsets[lane];
        if (times > 2) {
            continue;  // that several threads of this warp read it is noted
        }
        for (size_t w = last / 4; w < (last + bytes) / 4; w++) {
            noteRead(words_[w].read, firstThread + lane, pc, 0, 0xf);
        }
    }
    return true;
}

bool SharedMemory::written(uint64_t offset, size_t bytes) const {
    return allWritten(written_.data(), offset, bytes);
}

void SharedMemory::markWritten(uint64_t offset, size_t bytes) {
    softgpu::markWritten(written_.data(), offset, bytes);
}

bool SharedMemory::conflicts(const Touch& t, unsigned thread, uint8_t bytes) const {
    if (t.block < born_ || (t.block != blockEpoch_ && !order_) || !(t.bytes & bytes)) {
        return false;
    }
    if (t.thread == thread && !t.many) {
        return false;
    }
    unsigned warp = thread / 32;
    if (t.thread / 32 == warp && !t.manyWarps) {
        return t.block == blockEpoch_ && t.warp == warpEpoch_[warp];
    }
    return !order_ || !order_->before(t.orderedWarp, t.time, firstWarp_ + warp);
}

bool SharedMemory::conflictsAsync(const Touch& t, size_t warp, uint8_t bytes) const {
    return (t.bytes & bytes) && (!t.landed || !order_->before(t.orderedWarp, t.time, warp));
}

template <class F>
const SharedMemory::Touch* SharedMemory::firstReader(uint64_t word, F holds) const {
    for (uint32_t left = readBy_[word]; left; left &= left - 1) {
        const Touch& t = readers_[word * warps_ + unsigned(__builtin_ctz(left))];
        if (holds(t)) {
            return &t;
        }
    }
    return nullptr;
}

const SharedMemory::Touch* SharedMemory::push(uint64_t offset, size_t bytes, Touch from) {
    return eachWord(offset, bytes, [&](uint64_t w, uint8_t mask) -> const Touch* {
        auto clashes = [&](const Touch& t) {
            return t.block >= born_ && (t.bytes & mask) && !order_->before(t.orderedWarp, t.time, from.orderedWarp);
        };
        if (conflictsAsync(pushed_[w], from.orderedWarp, mask)) {
            return &pushed_[w];
        }
        if (clashes(words_[w].written)) {
            return &words_[w].written;
        }
        if (auto* reader = firstReader(w, clashes)) {
            return reader;
        }
        from.bytes = mask;
        pushed_[w] = from;
        return nullptr;
    });
}

void SharedMemory::land(uint64_t offset, size_t bytes, size_t orderedWarp) {
    eachWord(offset, bytes, [&](uint64_t w, uint8_t) -> const Touch* {
        pushed_[w].landed = true;
        pushed_[w].orderedWarp = uint16_t(orderedWarp);
        pushed_[w].time = order_->now(orderedWarp);
        return nullptr;
    });
}

const SharedMemory::Touch* SharedMemory::access(
    uint64_t offset, size_t bytes, unsigned thread, uint32_t pc, Kind kind, bool sameValue) {
    unsigned warp = thread / 32;
    uint32_t time = order_ ? order_->now(firstWarp_ + warp) : 0;
    return eachWord(offset, bytes, [&](uint64_t w, uint8_t mask) -> const Touch* {
        Word& word = words_[w];
        Touch& last = word.written;
        if (order_ && conflictsAsync(pushed_[w], firstWarp_ + warp, mask)) {
            return &pushed_[w];
        }
        bool bothAtomic = kind == atomic && last.atomic;
        bool harmless = kind == write && sameValue && !last.atomic;
        if (!bothAtomic && !harmless && conflicts(last, thread, mask)) {
            return &last;
        }
        if (kind == read) {
            noteRead(order_ ? readers_[w * warps_ + warp] : word.read, thread, pc, time, mask);
            if (order_) {
                readBy_[w] |= 1u << warp;
            }
        } else {
            auto races = [&](const Touch& t) { return conflicts(t, thread, mask); };
            auto* reader = order_ ? firstReader(w, races) : races(word.read) ? &word.read : nullptr;
            if (reader) {
                return reader;
            }
            noteWrite(last, thread, pc, time, mask, kind == atomic);
        }
        return nullptr;
    });
}

}  // namespace softgpu
