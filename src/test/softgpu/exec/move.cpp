// mov in its forms, and cvta.
#include "decoder.h"
#include "lanes.h"

#include <ctime>

namespace softgpu {

namespace {

template <class T>
struct Same {
    static T apply(T a) { return a; }
};

void movPredicate(Machine& m, const Op& op, uint32_t lanes) {
    uint32_t& d = predicate(m, op.d);
    uint32_t a = op.aux & 2 ? 0 : predicate(m, op.a);
    a = op.aux & 1 ? ~a : a;
    d = (d & ~lanes) | (a & lanes);
}

// mov.b64 d, {v0, v1}: T the parts, W the whole.
template <class W, class T, int N>
void pack(Machine& m, const Op& op, uint32_t lanes) {
    alignas(64) W r[LANES];
    for (int i = 0; i < LANES; i++) {
        W w = 0;
        for (int k = 0; k < N; k++) {
            w |= W(T(slot<T>(m, op.v[k])[i])) << (8 * sizeof(T) * k);
        }
        r[i] = w;
    }
    blend(slot<W>(m, op.d), r, lanes);
}

template <class W, class T, int N>
void unpack(Machine& m, const Op& op, uint32_t lanes) {
    W a[LANES];
    memcpy(a, slot<W>(m, op.a), sizeof a);  // a part may be written over the whole
    for (int k = 0; k < N; k++) {
        alignas(64) Slot<T> r[LANES];
        for (int i = 0; i < LANES; i++) {
            r[i] = widen<T>(T(a[i] >> (8 * sizeof(T) * k)));
        }
        blend(slot<T>(m, op.v[k]), r, lanes);
    }
}

// Time is counted in instructions: it advances, and the same run gives the same values.
void clock(Machine& m, const Op& op, uint32_t lanes) {
    uint64_t now = m.now();
    if (op.aux2) {
        uint64_t r[LANES];
        std::fill(r, r + LANES, now);
        blend(slot<uint64_t>(m, op.d), r, lanes);
    } else {
        uint32_t r[LANES];
        std::fill(r, r + LANES, uint32_t(now));
        blend(slot<uint32_t>(m, op.d), r, lanes);
    }
}

bool vectorMove(Decoder& d, const std::string& type) {
    bool packs = d.operand(1).kind == Operand::vector, unpacks = d.operand(0).kind == Operand::vector;
    if (!packs && !unpacks) {
        return false;
    }
    if (packs && unpacks) {
        d.refuse("mov from vector to vector");
    }
    auto& parts = (packs ? d.operand(1) : d.operand(0)).parts;
    size_t bits = bitsOf(type), part = parts.empty() ? 0 : bits / parts.size();
    std::string partType = "b" + std::to_string(part);
    if (type[0] != 'b' || !bitsOf(partType) || part < 16) {
        d.refuse("mov of parts of this size");
    }
    for (size_t k = 0; k < parts.size(); k++) {
        d.op.v[k] = packs ? d.source(parts[k], partType) : d.destination(parts[k], partType);
    }
    if (packs) {
        d.op.d = d.destination(d.operand(0), type);
    } else {
        d.op.a = d.source(d.operand(1), type);
    }
    if (bits == 64 && part == 32) {
        d.op.run = packs ? &pack<uint64_t, uint32_t, 2> : &unpack<uint64_t, uint32_t, 2>;
    } else if (bits == 64 && part == 16) {
        d.op.run = packs ? &pack<uint64_t, uint16_t, 4> : &unpack<uint64_t, uint16_t, 4>;
    } else if (bits == 32 && part == 16) {
        d.op.run = packs ? &pack<uint32_t, uint16_t, 2> : &unpack<uint32_t, uint16_t, 2>;
    }
    return true;
}

void mov(Decoder& d) {
    std::string type = d.type();
    d.expectOperands(2, 2);
    if (type == "pred") {
        bool negated = false;
        d.op.d = d.predicateOut(d.operand(0));
        if (d.operand(1).kind == Operand::integer) {  // 0 or -1
            d.op.aux = uint16_t(2 | (d.operand(1).bits != 0));
        } else {
            d.op.a = d.predicateIn(d.operand(1), &negated);
            d.op.aux = negated;
        }
        d.op.run = movPredicate;
        return;
    }
    if (bitsOf(type) < 16 || type == "f16") {
        d.refuse("mov of ." + type);
    }
    if (vectorMove(d, type)) {
        return;
    }
    d.op.d = d.destination(d.operand(0), type);
    Special which;
    if (d.operand(1).kind == Operand::name && !d.isRegister(d.operand(1)) && d.special(d.operand(1).text, &which) &&
        isClock(which)) {
        bool wide = isWideSpecial(which);
        if ((bitsOf(type) == 64) != wide) {
            d.refuse("the size of the clock");
        }
        d.op.aux2 = wide;
        d.op.run = clock;
        return;
    }
    d.op.a = d.source(d.operand(1), type);
    d.op.run = bitsOf(type) == 64 ? &unary<uint64_t, uint64_t, Same<uint64_t>> : &unary<uint32_t, uint32_t, Same<uint32_t>>;
}

// cvta: between an address within a space and a generic one. Global ones are the same.
template <uint64_t WINDOW>
struct ToGeneric {
    static uint64_t apply(uint64_t a) { return a | WINDOW; }
};
template <uint64_t WINDOW>
struct FromGeneric {
    static uint64_t apply(uint64_t a) { return a & ~WINDOW; }
};

void cvta(Decoder& d) {
    bool to = d.take("to");
    std::string space = d.takeOne({"global", "const", "shared", "shared::cta", "shared::cluster", "local", "param"});
    if (d.type() != "u64" || space.empty()) {
        d.refuse("only between .u64 addresses");
    }
    d.takeOperands({"u64", "u64"});
    using W = uint64_t;
    if (space.compare(0, 6, "shared") == 0) {
        d.op.run = to ? &unary<W, W, FromGeneric<SHARED_WINDOW>> : &unary<W, W, ToGeneric<SHARED_WINDOW>>;
    } else if (space == "local") {
        d.op.run = to ? &unary<W, W, FromGeneric<LOCAL_WINDOW>> : &unary<W, W, ToGeneric<LOCAL_WINDOW>>;
    } else if (space == "param") {
        d.op.run = to ? &unary<W, W, FromGeneric<PARAM_WINDOW>> : &unary<W, W, ToGeneric<PARAM_WINDOW>>;
    } else {
        d.op.run = &unary<W, W, Same<W>>;
        if (to && space == "global") {
            d.becomesGlobal(d.operand(1));
        }
    }
}

}  // namespace

void addMoveFamilies(std::map<std::string, Family>& table) {
    table["mov"] = mov;
    table["cvta"] = cvta;
}

}  // namespace softgpu
