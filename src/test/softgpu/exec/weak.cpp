#include "weak.h"

#include <cstdlib>

namespace softgpu {

namespace {

// Looks in vain after which somebody counts as waiting.
constexpr unsigned PATIENCE = 2;

}  // namespace

// The room that the words of the launch before took; some launches need megabytes.
std::vector<WeakMemory::Word>& WeakMemory::room() {
    static auto* room = new std::vector<Word>;
    return *room;
}

WeakMemory::WeakMemory(Chance& chance) : chance_(chance) {
    words_.swap(room());
    words_.resize(1);
}

WeakMemory::~WeakMemory() {
    words_.clear();
    words_.swap(room());
    for (Allocation* a : of_) {
        free(a->weak);
        a->weak = nullptr;
    }
}

void WeakMemory::arrive(Word& w) {
    auto* memory = (uint32_t*)w.address;
    w.before = *memory;
    *memory = w.value;
    w.arrived = ++arrivals_;
    w.seen.reset();
    w.seen.set(unsigned(w.writer) % SEEN);
    w.writer = -1;
    w.asked = w.old = 0;
    moved_ = true;
}

template <class F>
void WeakMemory::arriveIf(unsigned block, F which) {
    if (block >= onTheWay_.size()) {
        return;
    }
    auto& list = onTheWay_[block];
    size_t left = 0;
    for (uint32_t number : list) {
        Word& w = words_[number];
        if (w.writer != int(block)) {
            continue;  // somebody waited for it
        }
        if (which(w)) {
            arrive(w);
        } else {
            list[left++] = number;
        }
    }
    list.resize(left);
}

void WeakMemory::store(Allocation& a, uint64_t address, uint32_t value, const Warp& by, int lane, uint64_t now, bool slow) {
    if (!a.weak) {
        a.weak = (uint32_t*)calloc(a.size / 4 + 1, sizeof(uint32_t));
        of_.push_back(&a);
    }
    uint32_t& number = a.weak[(address - a.base) / 4];
    if (!number) {
        number = uint32_t(words_.size());
        words_.emplace_back();
        words_.back().address = address;
    }
    Word& w = words_[number];
    if (w.writer >= 0) {
        arrive(w);
    }
    w.value = value;
    w.writer = int(by.block);
    w.thread = by.first + unsigned(lane);
    w.when = now;
    w.slow = slow;
    if (by.block >= onTheWay_.size()) {
        onTheWay_.resize(by.block + 1);
    }
    onTheWay_[by.block].push_back(number);
}

uint32_t WeakMemory::look(Word& w, const Warp& by) {
    if (w.writer == int(by.block)) {
        return w.value;
    }
    if (w.writer >= 0 && w.asked++ >= PATIENCE) {
        arrive(w);
    }
    bool mayBeOld = w.arrived > by.acquired && !w.seen[by.block % SEEN];
    if (mayBeOld && w.old < PATIENCE && chance_.one(2)) {
        w.old++;
        return w.before;
    }
    w.seen.set(by.block % SEEN);
    return *(const uint32_t*)w.address;
}

void WeakMemory::settle(const Allocation& a, uint64_t address, size_t bytes) {
    for (size_t k = 0; a.weak && k < bytes; k += 4) {
        Word& w = words_[a.weak[(address + k - a.base) / 4]];
        if (w.writer >= 0) {
            arrive(w);
        }
        w.arrived = 0;
    }
}

void WeakMemory::release(const Warp& by, uint32_t lanes) {
    arriveIf(by.block, [&](const Word& w) {
        unsigned lane = w.thread - by.first;
        return w.when < by.met || (lane < 32 && lanes >> lane & 1);
    });
}

void WeakMemory::pass(unsigned block) {
    arriveIf(block, [&](const Word& w) { return !w.slow; });
}

void WeakMemory::end() {
    for (unsigned b = 0; b < onTheWay_.size(); b++) {
        arriveIf(b, [](const Word&) { return true; });
    }
}

}  // namespace softgpu
