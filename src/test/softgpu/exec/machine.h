// Runs one launch: blocks, warps and threads are data, stepped by one host thread.
#pragma once

#include "driver/memory.h"
#include "mbarrier.h"
#include "program.h"
#include "races.h"
#include "shared.h"
#include "weak.h"

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace softgpu {

struct Dim {
    unsigned x = 1, y = 1, z = 1;
    uint64_t count() const { return uint64_t(x) * y * z; }
};

// The n-th place of a box, x first.
inline Dim unflatten(uint64_t n, const Dim& d) {
    return {unsigned(n % d.x), unsigned(n / d.x % d.y), unsigned(n / d.x / d.y)};
}

// Lanes of a warp that are at the same instruction.
struct Group {
    enum State : uint8_t { runs, atBarrier, waitsForLanes, atCluster, atMbarrier };
    uint32_t pc = 0, lanes = 0;
    State state = runs;
    uint8_t barrier = 0;
};

struct Warp {
    uint8_t* registers = nullptr;
    uint8_t* local = nullptr;         // local memory of lane 0; the others follow
    uint8_t* localWritten = nullptr;  // its written-map
    std::vector<Group> groups;        // disjoint; lanes in none have exited
    unsigned index = 0;
    uint32_t born = 0;      // lanes that exist at all
    uint32_t tried = 0;     // lanes whose last mbarrier.try_wait failed
    unsigned turn = 0;
    uint64_t acquired = 0;  // of what other blocks wrote: arrivals that it must have seen
    uint32_t clusterArrivals[LANES] = {};
    uint32_t live() const {
        uint32_t m = 0;
        for (auto& g : groups) {
            m |= g.lanes;
        }
        return m;
    }
};

struct Barrier {
    unsigned arrived = 0, expected = 0;
    uint32_t reduced = 0;  // bar.red: predicates so far, and how many were true
    uint32_t count = 0;
};

// All blocks of a cluster share one.
struct Cluster {
    unsigned arrived = 0, expected = 0;
    uint32_t completed = 0;  // how often all threads arrived
    std::vector<struct Block*> blocks;
    Dim at;
    Order order;  // where the kernel has mbarriers, and of the cluster's barrier: what comes before its next and last end
    Clock gathered, passed;
    uint64_t met = 0;  // when all threads met at a barrier of the cluster last
};

struct Block {
    size_t turn = 0;  // the warp that ran last
    Dim at;
    uint64_t number = 0;
    std::vector<Warp> warps;
    std::vector<uint8_t> registerFile, localFile, localWritten;
    SharedMemory shared;
    Mbarriers mbarriers;
    std::array<Barrier, 16> barriers;
    unsigned threads = 0, alive = 0;
    // When its threads met at a barrier last, and when one released to other blocks last, and acquired what they had released.
    uint64_t met = 0, released = 0, acquired = 0;
    std::shared_ptr<Cluster> cluster;
    unsigned clusterRank = 0;
};

struct Launch {
    Program* program = nullptr;
    Dim grid, block;
    Dim cluster;
    size_t dynamicShared = 0;
    std::vector<uint8_t> params;
    bool cooperative = false;
};

struct LaunchStats {
    uint64_t instructions = 0;  // counted per thread
};

class Machine {
  public:
    Machine(const Launch& launch, LaunchStats& stats);
    ~Machine();
    void run();  // throws a Fault

    // --- what handlers use ---
    uint8_t* registers = nullptr;  // of the warp that runs
    Warp* warp = nullptr;
    Block* block = nullptr;

    const Launch& launch() const { return launch_; }
    uint64_t now() { return stats_.instructions + executed_ + LANES * ++clockReads_; }
    // "kernel k, block (0,0,0), thread (3,0,0), PTX line 12 (f.cu:3): add.f32 ..."
    std::string where(int lane) const;
    [[noreturn]] void fail(Status code, int lane, const std::string& what) const;
    // A load that other threads may be waited for with, and anything that changes memory.
    void strongLoad() {
        strongLoads_++;
        looked_ = true;
    }
    void changedMemory() {
        strongLoads_ = 0;
        changes_++;
    }
    // A fence of the device, or half of one.
    void release(uint32_t lanes);
    void acquire();
    // Null where no other block runs.
    WeakMemory* weak() { return weak_.get(); }
    WeakMemory::Warp weakWarp() const { return {unsigned(block->number), warp->index * LANES, block->met, warp->acquired}; }
    Chance& chance() { return chance_; }
    Writes& writes() { return writes_; }
    // Whether that block may have released since then: of one that does not run now nobody knows.
    bool released(uint64_t number, uint64_t since) const {
        uint64_t k = number - first_;
        return number < first_ || k >= pool_.size() || pool_[k]->released > since;
    }
    uint64_t warpOfLaunch() const { return block->number * block->warps.size() + warp->index; }
    uint32_t pc() const { return pc_; }
    // The allocation of global memory that this instruction hit last, or another one, or null. Records are never deleted.
    Allocation*& recent() { return recent_[pc_ % recent_.size()]; }
    const OpInfo& info(uint32_t pc) const { return program_.info[pc]; }
    uint64_t gridWorkspace() const { return workspace_ ? workspace_->base : 0; }
    void clusterArrive(uint32_t lanes);
    // The order of the cluster's warps, or null; and which of them runs.
    Order* order() { return program_.mbarriers ? &block->cluster->order : nullptr; }
    size_t orderedWarp() const { return block->clusterRank * block->warps.size() + warp->index; }
    // A phase of one of the block's mbarriers is over: those that wait look again.
    void wake(Block& b);

  private:
    void start(Block& b, uint64_t number, std::shared_ptr<Cluster> cluster);
    void fillSpecials(Block& b, Warp& w);
    void runTogether(uint64_t first, uint64_t count);
    bool step(Block& b, uint64_t budget);  // false when nothing could move
    bool stepWarp(Warp& w, uint64_t budget);
    bool pick(Warp& w, size_t* index);
    void runGroup(Warp& w, size_t index, uint64_t budget);
    // Carries out what is not plain.
    void control(Warp& w, size_t index, const Op& op);
    void split(Warp& w, size_t index, uint32_t lanes, uint32_t pc);
    void arriveAtBarrier(Warp& w, size_t index, const Op& op, uint32_t lanes);
    void releaseBarrier(unsigned id);
    void waitAtMbarrier(Warp& w, size_t index, const Op& op, uint32_t lanes);
    std::string waitsFor(Block& b, Warp& w, const Group& g);
    void checkLeft(int lane);  // as a block exits
    [[noreturn]] void stuck(const std::vector<std::unique_ptr<Block>>& blocks, const char* why);
    std::string describe(const Block& b, unsigned thread) const;
    uint32_t guarded(const Op& op, uint32_t lanes) const;

    void metAtBarrier(Block& b);

    const Launch& launch_;
    LaunchStats& stats_;
    Chance chance_;
    Writes writes_;
    std::unique_ptr<WeakMemory> weak_;
    Program& program_;
    Allocation* workspace_ = nullptr;
    uint32_t pc_ = 0;  // of the instruction that runs, for messages
    uint64_t executed_ = 0;
    uint64_t strongLoads_ = 0;
    uint64_t clockReads_ = 0;
    uint64_t limit_ = 0;  // instructions that a launch may take
    // The warp has looked in its turn at what others may change; and it waits, or seems to: others get their turn.
    bool looked_ = false, yields_ = false;
    // How often memory changed, and how often it had when waits for mbarriers last ran out of time.
    uint64_t changes_ = 0, changesAtTimeout_ = ~uint64_t(0);
    std::vector<std::unique_ptr<Block>> pool_;  // of those that run together
    uint64_t first_ = 0;                        // the number of the first of them
    std::array<Allocation*, 16> recent_{};
};

}  // namespace softgpu
