// What a warp knows of the other warps of its cluster: vector clocks, kept for kernels with mbarriers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace softgpu {

// For each warp of the cluster a time up to which its work comes before. Empty: nothing.
using Clock = std::vector<uint32_t>;

inline void join(Clock& into, const Clock& from) {
    into.resize(std::max(into.size(), from.size()), 0);
    for (size_t k = 0; k < from.size(); k++) {
        into[k] = std::max(into[k], from[k]);
    }
}

class Order {
  public:
    // Each block has one more, that of what comes by st.async: only its mbarrier tells that it came, no other barrier.
    void start(size_t warps, size_t blocks) {
        warps_ = warps;
        clocks_.assign(warps + blocks, Clock(warps + blocks, 0));
        for (size_t w = 0; w < warps + blocks; w++) {
            tick(w);
        }
    }
    size_t pushed(size_t block) const { return warps_ + block; }
    uint32_t now(size_t warp) const { return clocks_[warp][warp]; }
    // What `other` did up to that time comes before what the warp does now.
    bool before(size_t other, uint32_t time, size_t warp) const { return clocks_[warp][other] >= time; }
    // What the warp did comes before what acquires this. A tick must follow, or later work would count as well.
    void release(size_t warp, Clock& into) const { join(into, clocks_[warp]); }
    void tick(size_t warp) { clocks_[warp][warp]++; }
    void acquire(size_t warp, const Clock& from) { join(clocks_[warp], from); }
    // A barrier of these warps.
    void meet(size_t first, size_t count) {
        Clock all;
        for (size_t w = first; w < first + count; w++) {
            release(w, all);
        }
        for (size_t w = first; w < first + count; w++) {
            acquire(w, all);
            tick(w);
        }
    }

  private:
    std::vector<Clock> clocks_;
    size_t warps_ = 0;
};

}  // namespace softgpu
