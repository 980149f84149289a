// Which instruction runs next: blocks that may wait for each other, their warps, the groups of lanes in a warp.
#include "machine.h"

#include "lanes.h"

#include <algorithm>
#include <cstdlib>

namespace softgpu {

namespace {

// Loads that may be a wait for another thread, with no change of memory by anybody in between: after so many of them
// nothing will change any more.
constexpr uint64_t HOPELESS = 400000;  // for up to 8 blocks; more of them look more often while one computes
// How many instructions a warp runs before others get their turn.
constexpr uint64_t SLICE = 20000;

// Another one for each launch, and the same in each run.
uint64_t nextSeed() {
    static uint64_t launches = [] {
        const char* seed = getenv("SOFTGPU_SEED");
        return seed ? strtoull(seed, nullptr, 10) << 32 : 0;
    }();
    return ++launches;
}

}  // namespace

Machine::Machine(const Launch& launch, LaunchStats& stats)
    : launch_(launch), stats_(stats), chance_(nextSeed()), program_(*launch.program) {
    const char* limit = getenv("SOFTGPU_MAX_INSTRUCTIONS");
    limit_ = limit ? strtoull(limit, nullptr, 10) : 20000000000ull;
    if (launch.cooperative) {
        weak_ = std::make_unique<WeakMemory>(chance_);
        // Cooperative groups keep their grid barrier here; %envreg1 and 2 lead to it.
        workspace_ = Memory::instance().allocate(64, Allocation::driver, "the grid barrier");
        memset((void*)workspace_->base, 0, 64);
        markWritten(workspace_->written, 0, 64);
    }
}

Machine::~Machine() {
    stats_.instructions += executed_;
    if (workspace_) {
        Memory::instance().release(workspace_);
    }
}

void Machine::run() {
    uint64_t blocks = launch_.grid.count();
    uint64_t together = launch_.cooperative ? blocks : launch_.cluster.count();
    // No order is promised: every other launch begins at the end.
    bool backwards = chance_.one(2);
    for (uint64_t first = 0; first < blocks; first += together) {
        runTogether(backwards ? blocks - first - together : first, together);
    }
    if (weak_) {
        weak_->end();
    }
}

// Blocks that may wait for each other: the whole grid of a cooperative launch, or one cluster.
void Machine::runTogether(uint64_t first, uint64_t count) {
    while (pool_.size() < count) {
        pool_.emplace_back(new Block);
    }
    first_ = first;
    const Dim& c = launch_.cluster;
    Dim clusters{launch_.grid.x / c.x, launch_.grid.y / c.y, launch_.grid.z / c.z};
    std::shared_ptr<Cluster> cluster;
    for (uint64_t k = 0; k < count; k++) {
        uint64_t rank = (first + k) % c.count();
        if (rank == 0) {
            cluster = std::make_shared<Cluster>();
            cluster->expected = unsigned(c.count() * launch_.block.count());
            cluster->at = unflatten((first + k) / c.count(), clusters);
            if (program_.mbarriers) {
                cluster->order.start(c.count() * ((launch_.block.count() + LANES - 1) / LANES), c.count());
            }
        }
        Block& b = *pool_[k];
        b.clusterRank = unsigned(rank);
        Dim in = unflatten(rank, c), at = cluster->at;
        b.at = {at.x * c.x + in.x, at.y * c.y + in.y, at.z * c.z + in.z};
        cluster->blocks.push_back(&b);
        start(b, first + k, cluster);
    }
    uint64_t late = 0;  // a block that seldom gets its turn
    for (bool alive = true; alive;) {
        alive = false;
        bool moved = false, left = false;
        if (chance_.one(16)) {
            late = chance_.below(unsigned(count));
        }
        for (uint64_t i = 0, from = chance_.below(unsigned(count)); i < count; i++) {
            uint64_t k = (from + i) % count;
            Block& b = *pool_[k];
            if (!b.alive) {
                continue;
            }
            alive = true;
            if (count > 1 && k == late && !chance_.one(8)) {
                left = true;
                continue;
            }
            moved |= step(b, count == 1 ? 50 * SLICE : SLICE / (chance_.one(8) ? 160 : 10));
            if (weak_) {
                weak_->pass(unsigned(b.number));
                if (weak_->moved()) {
                    changedMemory();
                }
            }
        }
        if (alive && !moved && !left) {
            if (changes_ == changesAtTimeout_) {
                stuck(pool_, "deadlock");
            }
            changesAtTimeout_ = changes_;  // try_wait does not wait for ever: the threads may do something else
            for (uint64_t k = 0; k < count; k++) {
                wake(*pool_[k]);
            }
        }
        if (strongLoads_ > HOPELESS * (1 + count / 8)) {
            stuck(
                pool_,
                launch_.cooperative ? "waits for memory that nobody changes"
                                    : "waits for memory that nobody changes (a wait for other blocks needs a "
                                      "cooperative launch)");
        }
        if (executed_ > limit_) {
            throw Fault(LAUNCH_TIMEOUT, "does not end (SOFTGPU_MAX_INSTRUCTIONS)");
        }
    }
}

bool Machine::step(Block& b, uint64_t budget) {
    block = &b;
    bool moved = false;
    uint64_t end = executed_ + budget * LANES;
    b.turn += chance_.below(unsigned(b.warps.size()));
    // In turns: warps that look for something again and again must not keep those from running that would write it.
    for (size_t i = 0; i < b.warps.size() && executed_ <= end; i++) {
        b.turn = (b.turn + 1) % b.warps.size();
        Warp& w = b.warps[b.turn];
        if (!w.groups.empty()) {
            moved |= stepWarp(w, std::min(budget, SLICE));
        }
    }
    return moved;
}

bool Machine::stepWarp(Warp& w, uint64_t budget) {
    warp = &w;
    registers = w.registers;
    uint64_t until = executed_ + budget * LANES;
    bool moved = false;
    looked_ = false;
    size_t index;
    while (pick(w, &index)) {
        moved = true;
        yields_ = false;
        runGroup(w, index, budget / 4 + 1);
        if (executed_ >= until || yields_) {
            break;  // others may be what this one waits for
        }
    }
    return moved;
}

// The lanes that are furthest behind go first: so those that took different ways meet again. Now and then others get
// a turn, as those in front may be what the ones behind wait for.
bool Machine::pick(Warp& w, size_t* index) {
    std::vector<Group>& groups = w.groups;
    for (size_t i = 0; groups.size() > 1 && i < groups.size(); i++) {
        for (size_t k = i + 1; k < groups.size();) {
            Group &a = groups[i], &b = groups[k];
            auto free = [](const Group& g) { return g.state == Group::runs || g.state == Group::waitsForLanes; };
            if (a.pc == b.pc && free(a) && free(b)) {
                a.lanes |= b.lanes;
                a.state = Group::runs;
                groups.erase(groups.begin() + long(k));
            } else {
                k++;
            }
        }
    }
    size_t best = groups.size(), runnable = 0;
    for (size_t i = 0; i < groups.size(); i++) {
        if (groups[i].state == Group::runs) {
            runnable++;
            if (best == groups.size() || groups[i].pc < groups[best].pc) {
                best = i;
            }
        }
    }
    if (runnable > 1 && ++w.turn % 16 == 0) {
        size_t skip = w.turn / 16 % runnable;
        for (size_t i = 0; i < groups.size(); i++) {
            if (groups[i].state == Group::runs && skip-- == 0) {
                best = i;
                break;
            }
        }
    }
    *index = best;
    return best < groups.size();
}

uint32_t Machine::guarded(const Op& op, uint32_t lanes) const {
    uint32_t p = *reinterpret_cast<const uint32_t*>(registers + op.guard);
    return lanes & (op.guardNegated ? ~p : p);
}

void Machine::runGroup(Warp& w, size_t index, uint64_t budget) {
    const Op* ops = program_.ops.data();
    uint64_t* hits = program_.hits.data();
    Group* g = &w.groups[index];
    // Where the next group stands that this one could meet.
    uint32_t meet = UINT32_MAX;
    for (auto& o : w.groups) {
        if (&o != g && o.pc > g->pc && o.state != Group::atBarrier) {
            meet = std::min(meet, o.pc);
        }
    }
    const bool alone = w.groups.size() == 1;
    const uint32_t lanes = g->lanes;
    uint64_t count = 0;
    uint32_t pc = g->pc;
    auto settle = [&] {
        g->pc = pc;
        executed_ += count * unsigned(__builtin_popcount(lanes));
        count = 0;
    };
    try {
        while (count < budget) {
            const Op& op = ops[pc];
            pc_ = pc;
            hits[pc]++;
            count++;
            uint32_t active = guarded(op, lanes);
            if (op.flow == Flow::plain) {
                if (active) {
                    op.run(*this, op, active);
                }
                pc++;
            } else if (op.flow == Flow::branch && (active == lanes || active == 0)) {
                bool backward = active && op.target <= pc;
                pc = active ? op.target : pc + 1;
                if (backward && (!alone || looked_)) {
                    yields_ = looked_;
                    break;  // others may be further behind now, or what this one waits for
                }
            } else {
                settle();
                control(w, index, op);  // may move the groups: nothing here is valid after it
                return;
            }
            if (pc >= meet) {
                break;
            }
        }
    } catch (...) {
        executed_ += count * unsigned(__builtin_popcount(lanes));
        throw;
    }
    settle();
}

void Machine::split(Warp& w, size_t index, uint32_t lanes, uint32_t pc) {
    w.groups[index].lanes &= ~lanes;
    w.groups.push_back(Group{pc, lanes, Group::runs, 0});
}

void Machine::control(Warp& w, size_t index, const Op& op) {
    Group& g = w.groups[index];
    uint32_t lanes = guarded(op, g.lanes), pc = g.pc;
    if (lanes == 0) {
        g.pc++;
        return;
    }
    if (lanes != g.lanes && op.flow != Flow::branch) {
        split(w, index, g.lanes & ~lanes, pc + 1);  // invalidates g
        w.groups[index].lanes = lanes;
    }
    switch (op.flow) {
        case Flow::branch:
            split(w, index, lanes, op.target);
            w.groups[index].pc = pc + 1;
            return;
        case Flow::table: {
            const auto& targets = program_.tables[op.aux];
            const uint32_t* choice = slot<uint32_t>(*this, op.a);
            Group whole = w.groups[index];
            w.groups.erase(w.groups.begin() + long(index));
            forLanes(whole.lanes, [&](int lane) {
                if (choice[lane] >= targets.size()) {
                    fail(LAUNCH_FAILED, lane, format("the branch table has no entry %u", choice[lane]));
                }
                w.groups.push_back(Group{targets[choice[lane]], 1u << lane, Group::runs, 0});
            });
            return;
        }
        case Flow::exit:
            block->alive -= unsigned(__builtin_popcount(lanes));
            w.groups.erase(w.groups.begin() + long(index));
            if (block->alive == 0) {
                checkLeft(__builtin_ctz(lanes));
            }
            return;
        case Flow::converge: {
            const uint32_t* member = slot<uint32_t>(*this, op.e);
            int first = __builtin_ctz(lanes);
            forLanes(lanes, [&](int lane) {
                if (!(member[lane] >> lane & 1)) {
                    fail(LAUNCH_FAILED, lane, format("the thread is not in its own member mask %#x", member[lane]));
                }
                if (member[lane] != member[first]) {
                    fail(LAUNCH_FAILED, lane, "threads of one warp name different member masks");
                }
            });
            if (member[first] & w.live() & ~lanes) {
                w.groups[index].state = Group::waitsForLanes;
                return;
            }
            op.run(*this, op, lanes);
            w.groups[index].pc++;
            return;
        }
        case Flow::barrier:
            arriveAtBarrier(w, index, op, lanes);
            return;
        case Flow::cluster: {
            bool wait = false;
            forLanes(lanes, [&](int lane) { wait |= block->cluster->completed < w.clusterArrivals[lane]; });
            w.groups[index].state = wait ? Group::atCluster : Group::runs;
            w.groups[index].pc += wait ? 0 : 1;
            if (!wait && order()) {
                order()->acquire(orderedWarp(), block->cluster->passed);
            }
            return;
        }
        case Flow::mbarrier:
            waitAtMbarrier(w, index, op, lanes);
            return;
        case Flow::plain:
            return;
    }
}

}  // namespace softgpu
