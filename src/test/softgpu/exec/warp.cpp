// What threads do together: barriers, shuffles, votes; and trap.
#include "access.h"
#include "decoder.h"

namespace softgpu {

namespace {

// For Flow::converge the scheduler has seen to it that all lanes of the member mask (op.e) are here.

enum Shuffle : uint16_t { UP, DOWN, BFLY, IDX };

void shfl(Machine& m, const Op& op, uint32_t lanes) {
    const uint32_t *a = slot<uint32_t>(m, op.a), *b = slot<uint32_t>(m, op.b), *c = slot<uint32_t>(m, op.c);
    uint32_t r[LANES] = {}, valid = 0;
    forLanes(lanes, [&](int lane) {
        int by = int(b[lane] & 31), clamp = int(c[lane] & 31), segment = int(c[lane] >> 8 & 31);
        int first = lane & segment, last = first | (clamp & ~segment);
        int from = 0;
        bool inside = false;
        switch (op.aux) {
            case UP:
                from = lane - by;
                inside = from >= last;
                break;
            case DOWN:
                from = lane + by;
                inside = from <= last;
                break;
            case BFLY:
                from = lane ^ by;
                inside = from <= last;
                break;
            default:
                from = first | (by & ~segment);
                inside = from <= last;
                break;
        }
        if (!inside) {
            from = lane;
        }
        if (!(lanes >> from & 1)) {
            m.fail(LAUNCH_FAILED, lane, format("a shuffle from lane %d, which takes no part", from));
        }
        r[lane] = a[from];
        valid |= uint32_t(inside) << lane;
    });
    blend(slot<uint32_t>(m, op.d), r, lanes);
    uint32_t& p = predicate(m, op.v[0]);
    p = (p & ~lanes) | (valid & lanes);
}

enum Vote : uint16_t { ALL, ANY, UNI, BALLOT };

void vote(Machine& m, const Op& op, uint32_t lanes) {
    uint32_t p = predicate(m, op.a);
    p = (op.aux2 ? ~p : p) & lanes;
    if (op.aux == BALLOT) {
        uint32_t r[LANES];
        std::fill(r, r + LANES, p);
        blend(slot<uint32_t>(m, op.d), r, lanes);
        return;
    }
    bool yes = op.aux == ALL ? p == lanes : op.aux == ANY ? p != 0 : p == 0 || p == lanes;
    uint32_t& d = predicate(m, op.d);
    d = yes ? d | lanes : d & ~lanes;
}

template <class T>
void match(Machine& m, const Op& op, uint32_t lanes) {
    const T* a = slot<T>(m, op.a);
    uint32_t r[LANES] = {};
    forLanes(lanes, [&](int i) { forLanes(lanes, [&](int k) { r[i] |= uint32_t(a[i] == a[k]) << k; }); });
    blend(slot<uint32_t>(m, op.d), r, lanes);
}

template <class T>
void redux(Machine& m, const Op& op, uint32_t lanes) {
    const T* a = slot<T>(m, op.a);
    T r = a[__builtin_ctz(lanes)];
    forLanes(lanes & (lanes - 1), [&](int i) {
        switch (op.aux) {
            case 0:
                r = T(uint32_t(r) + uint32_t(a[i]));
                break;
            case 1:
                r = a[i] < r ? a[i] : r;
                break;
            case 2:
                r = r < a[i] ? a[i] : r;
                break;
            case 3:
                r &= a[i];
                break;
            case 4:
                r |= a[i];
                break;
            default:
                r ^= a[i];
                break;
        }
    });
    T all[LANES];
    std::fill(all, all + LANES, r);
    blend(slot<T>(m, op.d), all, lanes);
}

void activemask(Machine& m, const Op& op, uint32_t lanes) {
    uint32_t r[LANES];
    std::fill(r, r + LANES, lanes);
    blend(slot<uint32_t>(m, op.d), r, lanes);
}

void warpSync(Machine& m, const Op&, uint32_t) {
    m.block->shared.warpBarrier(m.warp->index);
}

void reduces(Machine&, const Op&, uint32_t) {}

void trap(Machine& m, const Op&, uint32_t lanes) {
    const char* hint = m.gridWorkspace() ? "" : " (a grid-wide wait traps when the launch is not cooperative)";
    m.fail(LAUNCH_FAILED, __builtin_ctz(lanes), std::string("trap") + hint);
}

void clusterArrive(Machine& m, const Op&, uint32_t lanes) {
    m.clusterArrive(lanes);
}

// The address of the same variable in another block of the cluster.
template <class T>
void mapa(Machine& m, const Op& op, uint32_t lanes) {
    const T* a = slot<T>(m, op.a);
    const uint32_t* rank = slot<uint32_t>(m, op.b);
    T r[LANES] = {};
    forLanes(lanes, [&](int i) {
        if (rank[i] >= m.block->cluster->blocks.size()) {
            m.fail(ILLEGAL_ADDRESS, i, format("mapa: the cluster has no block of rank %u", rank[i]));
        }
        r[i] = T(a[i] & ~(T(0xff) << CLUSTER_RANK_SHIFT)) | T(T(rank[i] + 1) << CLUSTER_RANK_SHIFT);
    });
    blend(slot<T>(m, op.d), r, lanes);
}

// --- decoding ---

void converges(Decoder& d, size_t maskOperand) {
    d.op.flow = Flow::converge;
    d.op.e = d.source(d.operand(maskOperand), "b32");
}

void shflFamily(Decoder& d) {
    if (!d.take("sync")) {
        d.refuse("shuffles without .sync are gone since sm_70");
    }
    int mode = d.takeIndex({"up", "down", "bfly", "idx"});  // as in Shuffle
    if (mode < 0 || d.type() != "b32") {
        d.refuse("unknown shuffle");
    }
    d.expectOperands(5, 5);
    d.op.aux = uint16_t(mode);
    const Operand& to = d.operand(0);
    d.op.v[0] = d.sink();
    if (to.kind == Operand::pair) {
        d.op.d = d.destination(to.parts[0], "b32");
        d.op.v[0] = d.predicateOut(to.parts[1]);
    } else {
        d.op.d = d.destination(to, "b32");
    }
    d.op.a = d.source(d.operand(1), "b32");
    d.op.b = d.source(d.operand(2), "b32");
    d.op.c = d.source(d.operand(3), "b32");
    converges(d, 4);
    d.op.run = shfl;
}

void voteFamily(Decoder& d) {
    if (!d.take("sync")) {
        d.refuse("votes without .sync are gone since sm_70");
    }
    int mode = d.takeIndex({"all", "any", "uni", "ballot"});  // as in Vote
    if (mode < 0 || d.type() != (mode == BALLOT ? "b32" : "pred")) {
        d.refuse("unknown vote");
    }
    d.expectOperands(3, 3);
    d.op.aux = uint16_t(mode);
    bool negated = false;
    d.op.d = mode == BALLOT ? d.destination(d.operand(0), "b32") : d.predicateOut(d.operand(0));
    d.op.a = d.predicateIn(d.operand(1), &negated);
    d.op.aux2 = negated;
    converges(d, 2);
    d.op.run = vote;
}

void matchFamily(Decoder& d) {
    if (!d.take("any") || !d.take("sync")) {
        d.refuse("only match.any.sync");
    }
    std::string type = d.type();
    d.expectOperands(3, 3);
    d.op.d = d.destination(d.operand(0), "b32");
    d.op.a = d.source(d.operand(1), type);
    converges(d, 2);
    d.op.run = type == "b32" ? &match<uint32_t> : type == "b64" ? &match<uint64_t> : nullptr;
}

void reduxFamily(Decoder& d) {
    if (!d.take("sync") || d.target() < 80) {
        d.refuse("redux.sync of sm_80");
    }
    int how = d.takeIndex({"add", "min", "max", "and", "or", "xor"});
    std::string type = d.type();
    bool bits = how >= 3;
    if (how < 0 || bits != (type == "b32")) {
        d.refuse("unknown operation");
    }
    d.op.aux = uint16_t(how);
    d.expectOperands(3, 3);
    d.op.d = d.destination(d.operand(0), type);
    d.op.a = d.source(d.operand(1), type);
    converges(d, 2);
    d.op.run = type == "s32" ? &redux<int32_t> : type == "u32" || type == "b32" ? &redux<uint32_t> : nullptr;
}

void activemaskFamily(Decoder& d) {
    if (d.type() != "b32") {
        d.refuse("activemask of another type");
    }
    d.expectOperands(1, 1);
    d.op.d = d.destination(d.operand(0), "b32");
    d.op.run = activemask;
}

void clusterBarrier(Decoder& d) {
    if (d.target() < 90) {
        d.refuse("clusters are of sm_90");
    }
    bool arrive = d.take("arrive");
    if (!arrive && !d.take("wait")) {
        d.refuse("unknown barrier");
    }
    if (!(arrive ? d.takeOne({"release", "relaxed"}) : d.takeOne({"acquire"})).empty()) {
        d.needs(800, 90);
    }
    d.take("aligned");
    d.expectOperands(0, 0);
    if (arrive) {
        d.op.run = clusterArrive;
    } else {
        d.op.flow = Flow::cluster;
    }
}

void barrierFamily(Decoder& d) {
    bool isBar = d.ins().opcode == "bar";
    if (isBar && d.take("warp")) {
        if (!d.take("sync")) {
            d.refuse("unknown barrier");
        }
        d.expectOperands(1, 1);
        converges(d, 0);
        d.op.run = warpSync;
        return;
    }
    if (!isBar && d.take("cluster")) {
        clusterBarrier(d);
        return;
    }
    d.take("cta");
    std::string what = d.takeOne({"sync", "arrive", "red"});
    if (what.empty()) {
        d.refuse("unknown barrier");
    }
    d.op.flow = Flow::barrier;
    d.op.aux = uint16_t(isBar || d.take("aligned"));
    size_t at = 0;
    bool reducing = what == "red";
    if (reducing) {
        std::string how = d.takeOne({"popc", "and", "or"}), type = d.type();
        if (how.empty() || type != (how == "popc" ? "u32" : "pred")) {
            d.refuse("unknown reduction");
        }
        d.op.d = how == "popc" ? d.destination(d.operand(0), "u32") : d.predicateOut(d.operand(0));
        d.op.aux2 = how == "popc" ? 0 : how == "and" ? 1 : 2;
        d.op.run = reduces;
        at = 1;
    }
    d.expectOperands(at + 1 + reducing, at + 2 + reducing);
    d.op.a = d.source(d.operand(at), "u32");
    bool counted = d.operands() == at + 2 + reducing;
    d.op.b = counted ? d.source(d.operand(at + 1), "u32") : d.constant(0, false);
    if (reducing) {
        bool negated = false;
        d.op.c = d.predicateIn(d.operand(d.operands() - 1), &negated);
        d.op.aux |= uint16_t(4 | (negated ? 8 : 0));
    } else if (what == "arrive") {
        if (!counted) {
            d.refuse("an arrival without a number of threads");
        }
        d.op.aux |= 2;
    }
}

void trapFamily(Decoder& d) {
    d.expectOperands(0, 0);
    d.op.run = trap;
}

void mapaFamily(Decoder& d) {
    if (d.target() < 90) {
        d.refuse("clusters are of sm_90");
    }
    d.takeOne({"shared::cluster"});
    std::string type = d.type();
    d.takeOperands({type, type, "u32"});
    d.op.run = type == "u32" ? &mapa<uint32_t> : type == "u64" ? &mapa<uint64_t> : nullptr;
}

}  // namespace

void addWarpFamilies(std::map<std::string, Family>& table) {
    table["shfl"] = shflFamily;
    table["vote"] = voteFamily;
    table["match"] = matchFamily;
    table["redux"] = reduxFamily;
    table["activemask"] = activemaskFamily;
    table["bar"] = table["barrier"] = barrierFamily;
    table["trap"] = trapFamily;
    table["mapa"] = mapaFamily;
}

}  // namespace softgpu
