// Races in global memory: who wrote each word last, and whether a barrier lies between.
#pragma once

#include "driver/memory.h"

namespace softgpu {

// The last write of a word by a kernel: when, by which warp of which launch, and whether it was strong (.relaxed and the like, or atomic).
// Two accesses by different warps, the first of them a write, are a race unless both are strong or something orders them: a barrier of the
// block or cluster; or a fence of the device by the writer's block after it, and then one by the other's.
class Writes {
  public:
    // A new launch: whatever was written before comes before it.
    Writes() : born_(++clock_) {}
    // The time after which a write has not met the barrier that is over now.
    static uint64_t barrier() { return ++clock_; }

    static uint64_t now() { return clock_; }

    // Not followed in what is larger: the record takes twice the memory.
    static bool follows(const Allocation& a) { return a.size <= MOST; }

    uint64_t stamp(uint64_t warp, bool strong) const { return clock_ << SHIFT | uint64_t(strong) << WARP_BITS | (warp & WARPS); }
    bool ofThisLaunch(uint64_t stamp) const { return stamp >> SHIFT >= born_; }
    static bool by(uint64_t stamp, uint64_t warp) { return (stamp & WARPS) == (warp & WARPS); }
    // The same number was written by several.
    static bool bySeveral(uint64_t stamp) { return by(stamp, severalWarps()); }
    static uint64_t severalWarps() { return WARPS; }
    static uint64_t timeOf(uint64_t stamp) { return stamp >> SHIFT; }
    static uint64_t warpOf(uint64_t stamp) { return stamp & WARPS; }
    static bool strong(uint64_t stamp) { return stamp >> WARP_BITS & 1; }
    static bool since(uint64_t stamp, uint64_t barrier) { return stamp >> SHIFT >= barrier; }

    // Whether a strong or a plain access of these words by that warp needs no closer look: nobody wrote them in this launch but by another
    // strong one, or the warp itself by another plain one.
    bool quiet(const uint64_t* stamps, size_t words, uint64_t warp, bool strongly) const {
        bool loud = false;
        for (size_t k = 0; k < words; k++) {
            bool same = strongly ? strong(stamps[k]) : by(stamps[k], warp) & !strong(stamps[k]);
            loud |= ofThisLaunch(stamps[k]) & !same;
        }
        return !loud;
    }

  private:
    static constexpr int WARP_BITS = 23, SHIFT = WARP_BITS + 1;
    static constexpr uint64_t WARPS = (1 << WARP_BITS) - 1;
    static constexpr size_t MOST = 64 << 20;

    static inline uint64_t clock_ = 1;
    uint64_t born_;
};

}  // namespace softgpu
