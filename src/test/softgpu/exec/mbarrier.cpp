// mbarrier and st.async: phases that end once no arrival and no byte is missing.
#include "mbarrier.h"

#include "access.h"
#include "decoder.h"

namespace softgpu {

std::string Mbarrier::describe() const {
    return format("%u of %u arrivals and %lld bytes are missing in its phase %u", pending, expected, (long long)bytes, phase);
}

namespace {

struct Found {
    Block* block;
    uint64_t offset;
    Mbarrier* it;
};

Found object(Machine& m, Space space, int lane, uint64_t address) {
    SharedPlace p = sharedPlace(m, space, lane, address, Mbarrier::BYTES);
    auto i = p.block->mbarriers.find(p.offset);
    if (i == p.block->mbarriers.end()) {
        m.fail(
            LAUNCH_FAILED,
            lane,
            format("no mbarrier.init made an mbarrier at offset %llu of shared memory", (unsigned long long)p.offset));
    }
    Mbarrier& it = i->second;
    if (!m.order()->before(it.initWarp, it.initTime, m.orderedWarp())) {
        m.fail(LAUNCH_FAILED, lane, "no barrier lies between the mbarrier's init and this");
    }
    return {p.block, p.offset, &it};
}

Found object(Machine& m, const Op& op, int lane) {
    uint64_t address = laneAddress(m, op, lane);
    if (op.aux2 == SHARED && address >> CLUSTER_RANK_SHIFT) {
        m.fail(ILLEGAL_ADDRESS, lane, "an mbarrier of another block, where only one of the own block will do");
    }
    return object(m, Space(op.aux2), lane, address);
}

void missing(Machine& m, int lane, Mbarrier& x, int64_t more) {
    x.bytes += more;
    if (x.bytes > Mbarrier::LIMIT || x.bytes < -Mbarrier::LIMIT) {
        m.fail(LAUNCH_FAILED, lane, format("%lld missing bytes: beyond the range of an mbarrier", (long long)x.bytes));
    }
}

// After each change: whether that was the last thing that the phase waits for.
void settle(Machine& m, const Found& f) {
    Mbarrier& x = *f.it;
    m.changedMemory();
    if (x.pending || x.bytes) {
        return;
    }
    x.phase++;
    x.pending = x.expected;
    size_t pushed = m.order()->pushed(f.block->clusterRank);
    for (auto& s : x.onTheWay) {
        f.block->shared.land(s.offset, s.bytes, pushed);
    }
    x.onTheWay.clear();
    m.order()->release(pushed, x.completed);
    m.order()->tick(pushed);
    join(x.completed, x.gathered);
    x.gathered.clear();
    m.wake(*f.block);
}

void init(Machine& m, const Op& op, uint32_t lanes) {
    forLanes(lanes, [&](int lane) {
        SharedPlace p = sharedPlace(m, SHARED, lane, laneAddress(m, op, lane), Mbarrier::BYTES);
        noMbarrier(m, lane, p, Mbarrier::BYTES);
        uint32_t count = slot<uint32_t>(m, op.b)[lane];
        if (count == 0 || count > Mbarrier::LIMIT) {
            m.fail(LAUNCH_FAILED, lane, format("an mbarrier for %u arrivals", count));
        }
        Mbarrier& x = p.block->mbarriers[p.offset];
        x.expected = x.pending = count;
        x.initWarp = m.orderedWarp();
        x.initTime = m.order()->now(x.initWarp);
    });
    m.changedMemory();
    m.order()->tick(m.orderedWarp());
}

void inval(Machine& m, const Op& op, uint32_t lanes) {
    forLanes(lanes, [&](int lane) {
        Found f = object(m, op, lane);
        if (f.it->bytes || !f.it->onTheWay.empty()) {
            m.fail(LAUNCH_FAILED, lane, "the end of an mbarrier in use: " + f.it->describe());
        }
        f.block->mbarriers.erase(f.offset);
    });
}

// What a state says: whose phase it is. b: arrivals, c: bytes expected; aux: 1 arrives, 2 expects.
uint64_t stateOf(const Found& f) {
    return f.offset << 32 | f.it->phase;
}

void arrive(Machine& m, const Op& op, uint32_t lanes) {
    forLanes(lanes, [&](int lane) {
        Found f = object(m, op, lane);
        uint64_t state = stateOf(f);
        if (op.aux & 2) {
            missing(m, lane, *f.it, slot<uint32_t>(m, op.c)[lane]);
        }
        if (op.aux & 1) {
            uint32_t count = slot<uint32_t>(m, op.b)[lane];
            if (count == 0 || count > f.it->pending) {
                m.fail(LAUNCH_FAILED, lane, format("%u arrivals at an mbarrier: ", count) + f.it->describe());
            }
            m.order()->release(m.orderedWarp(), f.it->gathered);
            f.it->pending -= count;
        }
        slot<uint64_t>(m, op.d)[lane] = state;
        settle(m, f);
    });
    m.order()->tick(m.orderedWarp());
}

// aux: 1 waits, 2 by parity.
void test(Machine& m, const Op& op, uint32_t lanes) {
    uint32_t& done = predicate(m, op.d);
    forLanes(lanes, [&](int lane) {
        Found f = object(m, op, lane);
        bool over;
        if (op.aux & 2) {
            uint32_t parity = slot<uint32_t>(m, op.b)[lane];
            if (parity > 1) {
                m.fail(LAUNCH_FAILED, lane, format("a parity of %u", parity));
            }
            over = (f.it->phase & 1) != parity;
        } else {
            uint64_t state = slot<uint64_t>(m, op.b)[lane], now = stateOf(f);
            over = state != now;
            if (over && state + 1 != now) {
                m.fail(LAUNCH_FAILED, lane, "a state that is neither of the mbarrier's phase nor of the one before");
            }
        }
        done = over ? done | 1u << lane : done & ~(1u << lane);
        if (over) {
            m.order()->acquire(m.orderedWarp(), f.it->completed);
        }
    });
}

// d.v: the data; a: where to; b: the mbarrier, its displacement in c.
template <class T>
void pushData(Machine& m, const Op& op, uint32_t lanes) {
    unsigned n = op.aux, bytes = unsigned(sizeof(T)) * n;
    forLanes(lanes, [&](int lane) {
        SharedPlace p = sharedPlace(m, CLUSTER, lane, laneAddress(m, op, lane), bytes);
        uint64_t at = op.wideData ? slot<uint64_t>(m, op.b)[lane] : slot<uint32_t>(m, op.b)[lane];
        Found f = object(m, CLUSTER, lane, at + op.c);
        if (f.block != p.block) {
            m.fail(LAUNCH_FAILED, lane, "st.async to one block, with an mbarrier of another one");
        }
        noMbarrier(m, lane, p, bytes);
        SharedMemory::Touch from;
        from.thread = m.warp->index * LANES + unsigned(lane);
        from.pc = m.pc();
        from.orderedWarp = uint32_t(m.orderedWarp());
        from.time = m.order()->now(m.orderedWarp());
        from.async = true;
        if (auto* other = p.block->shared.push(p.offset, bytes, from)) {
            race(m, lane, "st.async", p.offset, bytes, *other);
        }
        uint8_t* to = p.block->shared.at(p.offset);
        for (unsigned k = 0; k < n; k++) {
            memcpy(to + k * sizeof(T), &slot<T>(m, op.v[k])[lane], sizeof(T));
        }
        p.block->shared.markWritten(p.offset, bytes);
        f.it->onTheWay.push_back({p.offset, bytes});
        missing(m, lane, *f.it, -int64_t(bytes));
        m.order()->release(m.orderedWarp(), f.it->gathered);
        settle(m, f);
    });
    m.order()->tick(m.orderedWarp());
}

// --- decoding ---

// .sem and .scope come together.
void order(Decoder& d, const char* sem) {
    if (d.take(sem)) {
        d.needs(800, 80);
        std::string scope = d.takeOne({"cta", "cluster"});
        if (scope.empty()) {
            d.refuse(std::string(".") + sem + " without a scope");
        }
        d.needs(800, scope == "cluster" ? 90 : 80);
    }
}

void mbarrierFamily(Decoder& d) {
    d.needs(700, 80);
    d.usesMbarriers();
    std::string what = d.takeOne({"init", "inval", "arrive", "expect_tx", "test_wait", "try_wait"});
    bool arrives = what == "arrive", expects = what == "expect_tx", waits = what == "try_wait", tests = waits || what == "test_wait";
    if (arrives && d.take("expect_tx")) {
        expects = true;
    }
    if (expects) {
        d.needs(800, 90);
    }
    if (waits) {
        d.needs(708, 90);
    }
    order(d, arrives ? "release" : tests ? "acquire" : "relaxed");
    bool parity = tests && d.take("parity");
    bool remote = d.take("shared::cluster");
    if (remote) {
        d.needs(800, 90);
    }
    if (what.empty() || (!remote && !d.take("shared") && !d.take("shared::cta")) || d.type() != "b64") {
        d.refuse("unknown form of mbarrier");
    }
    if (remote && !arrives && !expects) {
        d.refuse("only on an mbarrier of the own block");
    }
    size_t at = arrives || tests ? 1 : 0;
    std::string space = d.address(d.operand(at));
    if (!space.empty() && space != "shared") {
        d.refuse("the variable is in another space");
    }
    d.op.aux2 = remote ? CLUSTER : SHARED;
    d.op.d = d.sink();
    if (tests) {
        d.expectOperands(3, waits ? 4 : 3);
        d.op.d = d.predicateOut(d.operand(0));
        d.op.b = parity ? d.source(d.operand(2), "u32") : d.source(d.operand(2), "b64");
        if (d.operands() == 4) {
            d.source(d.operand(3), "u32");  // after which time the wait fails, which it may do at any time
        }
        d.op.aux = uint16_t((waits ? 1 : 0) | (parity ? 2 : 0));
        d.op.flow = Flow::mbarrier;
        d.op.run = test;
    } else if (arrives) {
        d.expectOperands(expects ? 3 : 2, 3);
        if (remote && d.operand(0).text != "_") {
            d.refuse("an arrival at another block gives no state");
        }
        d.op.d = d.destination(d.operand(0), "b64");
        bool counted = !expects && d.operands() == 3;
        d.op.b = counted ? d.source(d.operand(2), "u32") : d.constant(1, false);
        d.op.c = expects ? d.source(d.operand(2), "u32") : d.op.b;
        d.op.aux = uint16_t(1 | (expects ? 2 : 0));
        d.op.run = arrive;
    } else if (what == "inval") {
        d.expectOperands(1, 1);
        d.op.run = inval;
    } else {
        d.expectOperands(2, 2);
        d.op.b = d.op.c = d.source(d.operand(1), "u32");
        d.op.aux = 2;
        d.op.run = what == "init" ? init : expects ? arrive : nullptr;
    }
}

}  // namespace

void asyncStore(Decoder& d) {
    d.needs(801, 90);
    d.usesMbarriers();
    d.take("weak");
    unsigned count = d.takeVectorSize();
    std::string type = d.type();
    if (!d.take("shared::cluster") || !d.take("mbarrier::complete_tx::bytes") || bitsOf(type) < 32 || bitsOf(type) * count > 128) {
        d.refuse("unknown form of st.async");
    }
    d.expectOperands(3, 3);
    auto address = [&](size_t k) {
        std::string space = d.address(d.operand(k));
        if (!space.empty() && space != "shared") {
            d.refuse("the variable is in another space");
        }
    };
    address(2);
    d.op.b = d.op.a;
    d.op.wideData = d.op.wideAddress;
    d.op.c = uint32_t(d.op.offset);
    if (d.op.offset < 0 || d.op.offset > INT32_MAX) {
        d.refuse("unknown form of address");
    }
    address(0);
    if (d.elements(d.operand(1), type, count, true) != bitsOf(type)) {
        d.refuse("registers wider than the type");
    }
    d.op.aux = uint16_t(count);
    d.op.run = bitsOf(type) == 64 ? &pushData<uint64_t> : &pushData<uint32_t>;
}

void addMbarrierFamilies(std::map<std::string, Family>& table) {
    table["mbarrier"] = mbarrierFamily;
}

}  // namespace softgpu
