// Barriers of a block and of a cluster, and what is said when nobody can go on.
#include "access.h"

#include <algorithm>

namespace softgpu {

// op.a: number of the barrier, op.b: threads that take part (0: all). aux: 1 aligned, 2 arrive only, 4 reduces.
void Machine::arriveAtBarrier(Warp& w, size_t index, const Op& op, uint32_t lanes) {
    int first = __builtin_ctz(lanes);
    uint32_t id = slot<uint32_t>(*this, op.a)[first], wanted = slot<uint32_t>(*this, op.b)[first];
    if (id > 15) {
        fail(LAUNCH_FAILED, first, format("there is no barrier %u", id));
    }
    if (wanted % LANES != 0) {
        fail(LAUNCH_FAILED, first, format("a barrier of %u threads: no multiple of the warp", wanted));
    }
    if ((op.aux & 1) && lanes != w.live()) {
        w.groups[index].state = Group::waitsForLanes;  // .aligned: the warp arrives as one
        return;
    }
    Barrier& b = block->barriers[id];
    b.expected = wanted ? wanted : block->threads;
    b.arrived += unsigned(__builtin_popcount(lanes));
    if (op.aux & 4) {
        uint32_t p = predicate(*this, op.c);
        p = (op.aux & 8 ? ~p : p) & lanes;
        b.count += unsigned(__builtin_popcount(p));
    }
    if (op.aux & 2) {
        w.groups[index].pc++;
    } else {
        w.groups[index].state = Group::atBarrier;
        w.groups[index].barrier = uint8_t(id);
    }
    // A last warp that is not full counts as a full one where a number of threads is named.
    unsigned arrived = b.arrived + (wanted ? (LANES - block->threads % LANES) % LANES : 0);
    if (b.arrived >= b.expected || (wanted > block->threads && arrived >= wanted)) {
        releaseBarrier(id);
    }
}

void Machine::releaseBarrier(unsigned id) {
    Barrier& b = block->barriers[id];
    uint8_t* current = registers;
    for (auto& w : block->warps) {
        for (auto& g : w.groups) {
            if (g.state == Group::atBarrier && g.barrier == id) {
                const Op& op = program_.ops[g.pc];
                registers = w.registers;
                if (op.run) {  // bar.red: its result, from how many predicates were true
                    uint32_t all = b.count == b.arrived, any = b.count > 0;
                    if (op.aux2 == 0) {
                        uint32_t* d = slot<uint32_t>(*this, op.d);
                        forLanes(g.lanes, [&](int lane) { d[lane] = b.count; });
                    } else {
                        uint32_t& d = predicate(*this, op.d);
                        d = (op.aux2 == 1 ? all : any) ? d | g.lanes : d & ~g.lanes;
                    }
                }
                g.state = Group::runs;
                g.pc++;
            }
        }
    }
    registers = current;
    b = Barrier();
    metAtBarrier(*block);
    if (order()) {
        order()->meet(orderedWarp() - warp->index, block->warps.size());
    }
}

// What one of its threads has seen of other blocks, all see from now on.
void Machine::metAtBarrier(Block& b) {
    b.shared.blockBarrier();
    b.met = Writes::barrier();
    uint64_t acquired = 0;
    for (auto& w : b.warps) {
        acquired = std::max(acquired, w.acquired);
    }
    for (auto& w : b.warps) {
        w.acquired = acquired;
    }
}

void Machine::release(uint32_t lanes) {
    block->released = Writes::barrier();
    if (weak_) {
        weak_->release(weakWarp(), lanes);
        if (weak_->moved()) {
            changedMemory();
        }
    }
}

void Machine::acquire() {
    block->acquired = Writes::barrier();
    if (weak_) {
        warp->acquired = weak_->arrivals();
    }
}

void Machine::clusterArrive(uint32_t lanes) {
    Cluster& c = *block->cluster;
    forLanes(lanes, [&](int lane) {
        if (warp->clusterArrivals[lane]++ > c.completed) {
            fail(LAUNCH_FAILED, lane, "a second arrival at the barrier of the cluster, before the first is over");
        }
    });
    if (order()) {
        order()->release(orderedWarp(), c.gathered);
        order()->tick(orderedWarp());
    }
    c.arrived += unsigned(__builtin_popcount(lanes));
    if (c.arrived < c.expected) {
        return;
    }
    c.arrived = 0;
    c.completed++;
    c.passed = std::move(c.gathered);
    c.gathered.clear();
    changedMemory();
    c.met = Writes::barrier();
    for (Block* b : c.blocks) {
        metAtBarrier(*b);
        for (auto& w : b->warps) {
            for (auto& g : w.groups) {
                if (g.state == Group::atCluster) {
                    g.state = Group::runs;
                }
            }
        }
    }
}

// A try_wait may fail at any time: it does once, so that its loop is tried, and waits when it comes again. Its time runs out
// when nobody else can go on.
void Machine::waitAtMbarrier(Warp& w, size_t index, const Op& op, uint32_t lanes) {
    op.run(*this, op, lanes);
    uint32_t failed = lanes & ~predicate(*this, op.d);
    bool waits = op.aux & 1;
    if (waits && failed == lanes && (w.tried & lanes) == lanes) {
        w.groups[index].state = Group::atMbarrier;
        return;
    }
    w.tried = waits ? (w.tried & ~lanes) | failed : w.tried;
    w.groups[index].pc++;
    if (failed) {
        strongLoad();
        yields_ = true;
    }
}

void Machine::wake(Block& b) {
    for (auto& w : b.warps) {
        w.tried = 0;
        for (auto& g : w.groups) {
            if (g.state == Group::atMbarrier) {
                g.state = Group::runs;
            }
        }
    }
}

void Machine::checkLeft(int lane) {
    for (auto& m : block->mbarriers) {
        if (m.second.bytes || !m.second.onTheWay.empty()) {
            fail(
                LAUNCH_FAILED,
                lane,
                format("the block exits before its mbarrier at offset %llu is done: ", (unsigned long long)m.first) +
                    m.second.describe());
        }
    }
}

// --- messages ---

std::string Machine::describe(const Block& b, unsigned thread) const {
    Dim t = unflatten(thread, launch_.block);
    return format("block (%u,%u,%u), thread (%u,%u,%u)", b.at.x, b.at.y, b.at.z, t.x, t.y, t.z);
}

std::string Machine::where(int lane) const {
    const OpInfo& i = program_.info[pc_];
    std::string source = i.source.empty() ? "" : " (" + i.source + ")";
    return "kernel " + program_.name + ", " + describe(*block, warp->index * LANES + unsigned(lane)) +
           format(", PTX line %d", i.line) + source + ": " + i.text;
}

void Machine::fail(Status code, int lane, const std::string& what) const {
    throw Fault(code, what + "\n    in " + where(lane));
}

std::string Machine::waitsFor(Block& b, Warp& w, const Group& g) {
    registers = w.registers;
    const Op& op = program_.ops[g.pc];
    auto m = b.mbarriers.find(laneAddress(*this, op, __builtin_ctz(g.lanes)));
    return "a wait for a phase of an mbarrier that does not end" + (m == b.mbarriers.end() ? "" : ": " + m->second.describe());
}

void Machine::stuck(const std::vector<std::unique_ptr<Block>>& blocks, const char* why) {
    std::string text = why;
    int lines = 0;
    for (auto& b : blocks) {
        unsigned exited = 0;
        int someExited = -1;
        for (auto& w : b->warps) {
            uint32_t gone = w.born & ~w.live();
            exited += unsigned(__builtin_popcount(gone));
            if (gone && someExited < 0) {
                someExited = int(w.index * LANES) + __builtin_ctz(gone);
            }
        }
        if (b->alive == 0) {
            continue;
        }
        for (auto& w : b->warps) {
            for (auto& g : w.groups) {
                if (lines++ >= 4) {
                    continue;
                }
                const OpInfo& i = program_.info[g.pc];
                unsigned thread = w.index * LANES + unsigned(__builtin_ctz(g.lanes));
                std::string state = g.state == Group::atBarrier        ? "a barrier that not all threads reach"
                                    : g.state == Group::waitsForLanes ? "a wait for lanes of its warp that do not come"
                                    : g.state == Group::atCluster     ? "a cluster barrier that not all threads reach"
                                    : g.state == Group::atMbarrier    ? waitsFor(*b, w, g)
                                                                      : "running";
                text += format(
                    "\n    %s and %d more: %s, PTX line %d%s: %s",
                    describe(*b, thread).c_str(),
                    __builtin_popcount(g.lanes) - 1,
                    state.c_str(),
                    i.line,
                    i.source.empty() ? "" : (" (" + i.source + ")").c_str(),
                    i.text.c_str());
            }
        }
        if (exited && lines <= 5) {
            text += format("\n    %s and %u more have exited", describe(*b, unsigned(someExited)).c_str(), exited - 1);
        }
    }
    throw Fault(LAUNCH_FAILED, text);
}

}  // namespace softgpu
