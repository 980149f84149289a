// An mbarrier object in the shared memory of a block.
#pragma once

#include "order.h"

#include <map>
#include <string>

namespace softgpu {

// A phase completes once no arrival and no byte is missing.
struct Mbarrier {
    static constexpr int64_t LIMIT = (1 << 20) - 1;  // of the counts, and of the bytes either way
    static constexpr unsigned BYTES = 8;

    uint32_t expected = 0, pending = 0;
    int64_t bytes = 0;   // that are missing; negative where they come before somebody expects them
    uint32_t phase = 0;  // how many have completed
    struct Store {
        uint64_t offset;
        unsigned bytes;
    };
    std::vector<Store> onTheWay;  // st.async of this phase
    Clock gathered, completed;    // what comes before the end of this phase, and before that of the last one
    size_t initWarp = 0;          // of the cluster, and its time
    uint32_t initTime = 0;

    std::string describe() const;
};

// By offset.
using Mbarriers = std::map<uint64_t, Mbarrier>;

// The object that these bytes belong to, or null.
inline const Mbarrier* mbarrierAt(const Mbarriers& all, uint64_t offset, unsigned bytes) {
    auto next = all.lower_bound(offset + bytes);
    return next != all.begin() && (--next)->first + Mbarrier::BYTES > offset ? &next->second : nullptr;
}

}  // namespace softgpu
