#include "machine.h"

#include "lanes.h"

#include <algorithm>
#include <cstdlib>

namespace softgpu {

namespace {

// Loads that may be a wait for another thread, with no change of memory by anybody in between: after so many of them
// nothing will change any more.
constexpr uint64_t HOPELESS = 400000;
// How many instructions a warp runs before others get their turn.
constexpr uint64_t SLICE = 20000;

Dim unflatten(uint64_t n, const Dim& d) {
    return {unsigned(n % d.x), unsigned(n / d.x % d.y), unsigned(n / d.x / d.y)};
}

}  // namespace

Machine::Machine(const Launch& launch, LaunchStats& stats) : launch_(launch), stats_(stats), program_(*launch.program) {
    const char* limit = getenv("SOFTGPU_MAX_INSTRUCTIONS");
    limit_ = limit ? strtoull(limit, nullptr, 10) : 20000000000ull;
    if (launch.cooperative) {
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
    for (uint64_t first = 0; first < blocks; first += together) {
        runTogether(first, std::min(together, blocks - first));
    }
}

// Blocks that may wait for each other: the whole grid of a cooperative launch, or one cluster.
void Machine::runTogether(uint64_t first, uint64_t count) {
    while (pool_.size() < count) {
        pool_.emplace_back(new Block);
    }
    const Dim& c = launch_.cluster;
    Dim clusters{launch_.grid.x / c.x, launch_.grid.y / c.y, launch_.grid.z / c.z};
    std::shared_ptr<Cluster> cluster;
    for (uint64_t k = 0; k < count; k++) {
        uint64_t rank = (first + k) % c.count();
        if (rank == 0) {
            cluster = std::make_shared<Cluster>();
            cluster->expected = unsigned(c.count() * launch_.block.count());
            cluster->at = unflatten((first + k) / c.count(), clusters);
        }
        Block& b = *pool_[k];
        b.clusterRank = unsigned(rank);
        Dim in = unflatten(rank, c), at = cluster->at;
        b.at = {at.x * c.x + in.x, at.y * c.y + in.y, at.z * c.z + in.z};
        cluster->blocks.push_back(&b);
        start(b, first + k, cluster);
    }
    for (bool alive = true; alive;) {
        alive = false;
        bool moved = false;
        for (uint64_t k = 0; k < count; k++) {
            Block& b = *pool_[k];
            if (b.alive) {
                moved |= step(b, count == 1 ? 50 * SLICE : SLICE / 10);
                alive |= b.alive > 0;
            }
        }
        if (alive && !moved) {
            stuck(pool_, "deadlock");
        }
        if (strongLoads_ > HOPELESS) {
            stuck(
                pool_,
                launch_.cooperative ? "waits for memory that nobody changes"
                                    : "waits for memory that nobody changes (a wait for other blocks needs a "
                                      "cooperative launch)");
        }
        if (executed_ > limit_) {
            throw Fault(LAUNCH_TIMEOUT, "kernel " + program_.name + " does not end (SOFTGPU_MAX_INSTRUCTIONS)");
        }
    }
}

void Machine::start(Block& b, uint64_t number, std::shared_ptr<Cluster> cluster) {
    b.number = number;
    b.cluster = std::move(cluster);
    b.threads = unsigned(launch_.block.count());
    b.alive = b.threads;
    b.barriers = {};
    b.shared.start(program_.sharedBytes + launch_.dynamicShared);
    size_t warps = (b.threads + LANES - 1) / LANES, perWarp = program_.registerBytes;
    bool fresh = b.warps.size() != warps;
    if (fresh) {
        b.warps.assign(warps, Warp());
        b.registerFile.assign(warps * perWarp + 128, 0);
    }
    size_t local = (program_.localBytes + 15) / 16 * 16, written = local / 4 + 2;
    if (local) {
        b.localFile.resize(warps * LANES * local);
        b.localWritten.assign(warps * LANES * written, 0);
    }
    uint8_t* file = b.registerFile.data();
    file += (128 - uintptr_t(file) % 128) % 128;
    for (size_t k = 0; k < warps; k++) {
        Warp& w = b.warps[k];
        unsigned lanes = std::min<unsigned>(LANES, b.threads - unsigned(k) * LANES);
        w.index = unsigned(k);
        w.registers = file + k * perWarp;
        w.local = local ? &b.localFile[k * LANES * local] : nullptr;
        w.localWritten = local ? &b.localWritten[k * LANES * written] : nullptr;
        w.born = lanes == LANES ? ~0u : (1u << lanes) - 1;
        w.groups.assign(1, Group{0, w.born, Group::runs, 0});
        std::fill(w.clusterArrivals, w.clusterArrivals + LANES, 0);
        registers = w.registers;
        if (fresh) {
            predicate(*this, 0) = ~0u;
            for (auto& c : program_.constants) {
                if (c.wide) {
                    std::fill_n(slot<uint64_t>(*this, c.slot), LANES, c.bits);
                } else {
                    std::fill_n(slot<uint32_t>(*this, c.slot), LANES, uint32_t(c.bits));
                }
            }
        }
        fillSpecials(b, w);
    }
}

void Machine::fillSpecials(Block& b, Warp& w) {
    const Dim &n = launch_.block, &g = launch_.grid, &c = launch_.cluster;
    Dim in = unflatten(b.clusterRank, c);
    for (auto& s : program_.specials) {
        for (int lane = 0; lane < LANES; lane++) {
            unsigned thread = w.index * LANES + unsigned(lane);
            Dim t = unflatten(thread, n);
            uint64_t v = 0;
            switch (s.what) {
                case Special::tidX: v = t.x; break;
                case Special::tidY: v = t.y; break;
                case Special::tidZ: v = t.z; break;
                case Special::ntidX: v = n.x; break;
                case Special::ntidY: v = n.y; break;
                case Special::ntidZ: v = n.z; break;
                case Special::ctaidX: v = b.at.x; break;
                case Special::ctaidY: v = b.at.y; break;
                case Special::ctaidZ: v = b.at.z; break;
                case Special::nctaidX: v = g.x; break;
                case Special::nctaidY: v = g.y; break;
                case Special::nctaidZ: v = g.z; break;
                case Special::laneid: v = unsigned(lane); break;
                case Special::warpid: v = w.index; break;
                case Special::nwarpid: v = b.warps.size(); break;
                case Special::smid: v = b.number % 4; break;
                case Special::nsmid: v = 4; break;
                case Special::gridid: v = 1; break;
                case Special::lanemaskEq: v = 1u << lane; break;
                case Special::lanemaskLt: v = (1u << lane) - 1; break;
                case Special::lanemaskLe: v = (2u << lane) - 1; break;
                case Special::lanemaskGt: v = ~((2u << lane) - 1); break;
                case Special::lanemaskGe: v = ~((1u << lane) - 1); break;
                case Special::warpSize: v = LANES; break;
                case Special::envreg1: v = gridWorkspace() >> 32; break;
                case Special::envreg2: v = uint32_t(gridWorkspace()); break;
                case Special::dynamicShared: v = launch_.dynamicShared; break;
                case Special::totalShared: v = b.shared.size(); break;
                case Special::clusterIdX: v = b.cluster->at.x; break;
                case Special::clusterIdY: v = b.cluster->at.y; break;
                case Special::clusterIdZ: v = b.cluster->at.z; break;
                case Special::nclusterIdX: v = g.x / c.x; break;
                case Special::nclusterIdY: v = g.y / c.y; break;
                case Special::nclusterIdZ: v = g.z / c.z; break;
                case Special::clusterCtaidX: v = in.x; break;
                case Special::clusterCtaidY: v = in.y; break;
                case Special::clusterCtaidZ: v = in.z; break;
                case Special::clusterNctaidX: v = c.x; break;
                case Special::clusterNctaidY: v = c.y; break;
                case Special::clusterNctaidZ: v = c.z; break;
                case Special::clusterCtarank: v = b.clusterRank; break;
                case Special::clusterNctarank: v = c.count(); break;
                case Special::clock:
                case Special::clock64:
                case Special::globaltimer:
                case Special::globaltimerLo:
                    break;  // read by mov as it runs
            }
            if (s.wide) {
                slot<uint64_t>(*this, s.slot)[lane] = v;
            } else {
                slot<uint32_t>(*this, s.slot)[lane] = uint32_t(v);
            }
        }
    }
}

bool Machine::step(Block& b, uint64_t budget) {
    block = &b;
    bool moved = false;
    uint64_t end = executed_ + budget * LANES;
    for (auto& w : b.warps) {
        if (!w.groups.empty()) {
            moved |= stepWarp(w, std::min(budget, SLICE));
        }
        if (executed_ > end) {
            break;
        }
    }
    return moved;
}

bool Machine::stepWarp(Warp& w, uint64_t budget) {
    warp = &w;
    registers = w.registers;
    uint64_t until = executed_ + budget * LANES, strong = strongLoads_;
    bool moved = false;
    size_t index;
    while (pick(w, &index)) {
        moved = true;
        runGroup(w, index, budget / 4 + 1);
        if (executed_ >= until || strongLoads_ > strong + 32) {
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
            bool mixable = a.state <= Group::runs || a.state == Group::waitsForLanes;
            bool other = b.state <= Group::runs || b.state == Group::waitsForLanes;
            if (a.pc == b.pc && mixable && other) {
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
    if (runnable > 1 && ++turn_ % 16 == 0) {
        size_t skip = turn_ / 16 % runnable;
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
                if (backward && !alone) {
                    break;  // others may be further behind now
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
            return;
        }
        case Flow::plain:
            return;
    }
}

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
    block->shared.blockBarrier();
}

void Machine::clusterArrive(uint32_t lanes) {
    Cluster& c = *block->cluster;
    forLanes(lanes, [&](int lane) { warp->clusterArrivals[lane]++; });
    c.arrived += unsigned(__builtin_popcount(lanes));
    if (c.arrived < c.expected) {
        return;
    }
    c.arrived = 0;
    c.completed++;
    changedMemory();
    for (Block* b : c.blocks) {
        b->shared.blockBarrier();
        for (auto& w : b->warps) {
            for (auto& g : w.groups) {
                if (g.state == Group::atCluster) {
                    g.state = Group::runs;
                }
            }
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

void Machine::stuck(const std::vector<std::unique_ptr<Block>>& blocks, const char* why) {
    std::string text = format("kernel %s: %s", program_.name.c_str(), why);
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
                const char* state = g.state == Group::atBarrier        ? "a barrier that not all threads reach"
                                    : g.state == Group::waitsForLanes ? "a wait for lanes of its warp that do not come"
                                    : g.state == Group::atCluster     ? "a cluster barrier that not all threads reach"
                                                                      : "running";
                text += format(
                    "\n    %s and %d more: %s, PTX line %d%s: %s",
                    describe(*b, thread).c_str(),
                    __builtin_popcount(g.lanes) - 1,
                    state,
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
