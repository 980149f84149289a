// What the blocks of a cooperative launch see of each other's strong writes: as late, and in as strange an order, as the memory
// model lets them.
#pragma once

#include "driver/memory.h"

#include <bitset>
#include <vector>

namespace softgpu {

// Numbers that look random and are the same in each run.
class Chance {
  public:
    explicit Chance(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u | 1) {}
    // One in `of`.
    bool one(unsigned of) { return below(of) == 0; }
    unsigned below(unsigned end) {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        return unsigned((state_ >> 32) * end >> 32);
    }

  private:
    uint64_t state_;
};

// A write is at first seen by its own block alone. It arrives sooner or later, or when somebody waits for it, and at a fence of its
// thread or of one that met it at a barrier since. A load may still give what was there before, until its block has seen the new one,
// or a fence after the arrival says that the block must. One write of a word is on its way at a time. Words of 4 bytes alone.
class WeakMemory {
  public:
    struct Warp {
        unsigned block, first;  // its first thread
        uint64_t met;           // the time of its block's last barrier
        uint64_t acquired;      // arrivals that it must have seen
    };

    explicit WeakMemory(Chance& chance);
    ~WeakMemory();

    // `slow`: it waits for a fence, or for those who wait for it.
    void store(Allocation& a, uint64_t address, uint32_t value, const Warp& by, int lane, uint64_t now, bool slow);
    uint32_t load(const Allocation& a, uint64_t address, const Warp& by) {
        uint32_t number = a.weak ? a.weak[(address - a.base) / 4] : 0;
        return number ? look(words_[number], by) : *(const uint32_t*)address;
    }
    // Before an access of another kind, which sees what is newest.
    void settle(const Allocation& a, uint64_t address, size_t bytes);
    // What these threads of a warp wrote arrives, and what their block wrote before its last barrier.
    void release(const Warp& by, uint32_t lanes);
    // What a block wrote arrives, but for what is slow.
    void pass(unsigned block);
    void end();

    uint64_t arrivals() const { return arrivals_; }
    // Whether something arrived since this was asked last.
    bool moved() {
        bool m = moved_;
        moved_ = false;
        return m;
    }

  private:
    static constexpr unsigned SEEN = 256;  // blocks beyond share a place
    struct Word {
        uint64_t address = 0;
        uint32_t before = 0, value = 0;  // what was there, and what is on its way
        int writer = -1;                 // the block of which a write is on its way
        unsigned thread = 0;
        uint64_t when = 0;
        uint64_t arrived = 0;
        uint8_t asked = 0, old = 0;  // how often somebody looked in vain, and was given the old one
        bool slow = false;
        std::bitset<SEEN> seen;
    };
    static std::vector<Word>& room();
    uint32_t look(Word& w, const Warp& by);
    void arrive(Word& w);
    template <class F>
    void arriveIf(unsigned block, F which);

    Chance& chance_;
    std::vector<Word> words_;      // the first is none
    std::vector<Allocation*> of_;  // whose words have numbers
    std::vector<std::vector<uint32_t>> onTheWay_;  // of each block
    uint64_t arrivals_ = 0;
    bool moved_ = false;
};

}  // namespace softgpu
