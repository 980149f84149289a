// setp, set, selp, slct, testp: comparisons and what is chosen by them.
#include "decoder.h"
#include "float_math.h"
#include "lanes.h"

namespace softgpu {

namespace {

// As bits: less 1, equal 2, greater 4, unordered 8. A comparison is the set of outcomes for which it holds.
const std::map<std::string, int>& outcomes() {
    static const std::map<std::string, int> O = {
        {"lt", 1},  {"eq", 2},  {"gt", 4},   {"le", 3},   {"ge", 6},   {"ne", 5},   {"lo", 1},  {"ls", 3},  {"hi", 4},
        {"hs", 6}, {"equ", 10}, {"neu", 13}, {"ltu", 9}, {"leu", 11}, {"gtu", 12}, {"geu", 14}, {"num", 7}, {"nan", 8}};
    return O;
}

enum Join : uint16_t { none, withAnd, withOr, withXor };

template <int HOLDS, class T, bool FTZ>
uint32_t compareAll(const Slot<T>* a, const Slot<T>* b) {
    uint32_t bits = 0;
    for (int i = 0; i < LANES; i++) {
        T x = T(a[i]), y = T(b[i]);
        if constexpr (std::is_floating_point_v<T>) {
            x = flush<T, FTZ>(x);
            y = flush<T, FTZ>(y);
        }
        bool r = (HOLDS & 1 && x < y) || (HOLDS & 2 && x == y) || (HOLDS & 4 && x > y);
        if constexpr (HOLDS & 8) {
            r = r || x != x || y != y;
        }
        bits |= uint32_t(r) << i;
    }
    return bits;
}

template <class T, bool FTZ>
uint32_t compare(Machine& m, const Op& op) {
    const Slot<T>*a = slot<T>(m, op.a), *b = slot<T>(m, op.b);
    switch (op.aux & 15) {
        case 1:
            return compareAll<1, T, FTZ>(a, b);
        case 2:
            return compareAll<2, T, FTZ>(a, b);
        case 3:
            return compareAll<3, T, FTZ>(a, b);
        case 4:
            return compareAll<4, T, FTZ>(a, b);
        case 5:
            return compareAll<5, T, FTZ>(a, b);
        case 6:
            return compareAll<6, T, FTZ>(a, b);
        case 7:
            return compareAll<7, T, FTZ>(a, b);
        case 8:
            return compareAll<8, T, FTZ>(a, b);
        case 9:
            return compareAll<9, T, FTZ>(a, b);
        case 10:
            return compareAll<10, T, FTZ>(a, b);
        case 11:
            return compareAll<11, T, FTZ>(a, b);
        case 12:
            return compareAll<12, T, FTZ>(a, b);
        case 13:
            return compareAll<13, T, FTZ>(a, b);
        default:
            return compareAll<14, T, FTZ>(a, b);
    }
}

uint32_t join(Machine& m, const Op& op, uint32_t r) {
    uint32_t c = op.aux2 & 4 ? ~predicate(m, op.c) : predicate(m, op.c);
    switch (op.aux2 & 3) {
        case withAnd:
            return r & c;
        case withOr:
            return r | c;
        case withXor:
            return r ^ c;
        default:
            return r;
    }
}

template <class T, bool FTZ>
void setp(Machine& m, const Op& op, uint32_t lanes) {
    uint32_t r = compare<T, FTZ>(m, op);
    uint32_t p = join(m, op, r), q = join(m, op, ~r);
    uint32_t& dp = predicate(m, op.d);
    dp = (dp & ~lanes) | (p & lanes);
    uint32_t& dq = predicate(m, op.e);
    dq = (dq & ~lanes) | (q & lanes);
}

// set: all ones or 0; for a result of .f32 1.0 or 0.0.
template <class T, bool FTZ>
void set(Machine& m, const Op& op, uint32_t lanes) {
    uint32_t p = join(m, op, compare<T, FTZ>(m, op));
    uint32_t yes = op.aux & 16 ? 0x3f800000u : ~0u;
    alignas(64) uint32_t r[LANES];
    for (int i = 0; i < LANES; i++) {
        r[i] = p >> i & 1 ? yes : 0;
    }
    blend(slot<uint32_t>(m, op.d), r, lanes);
}

template <class T>
void selp(Machine& m, const Op& op, uint32_t lanes) {
    uint32_t p = predicate(m, op.c);
    const T *a = slot<T>(m, op.a), *b = slot<T>(m, op.b);
    alignas(64) T r[LANES];
    for (int i = 0; i < LANES; i++) {
        r[i] = p >> i & 1 ? a[i] : b[i];
    }
    blend(slot<T>(m, op.d), r, lanes);
}

template <class T>
struct SlctInt {
    static T apply(T a, T b, int32_t c) { return c >= 0 ? a : b; }
};
template <class T>
struct SlctFloat {  // NaN takes b, -0 takes a
    static T apply(T a, T b, float c) { return c >= 0 ? a : b; }
};

template <class T>
void testp(Machine& m, const Op& op, uint32_t lanes) {
    const T* a = slot<T>(m, op.a);
    uint32_t bits = 0;
    for (int i = 0; i < LANES; i++) {
        bool r = false;
        switch (op.aux) {
            case 0:
                r = std::isfinite(a[i]);
                break;
            case 1:
                r = std::isinf(a[i]);
                break;
            case 2:
                r = !std::isnan(a[i]);
                break;
            case 3:
                r = std::isnan(a[i]);
                break;
            case 4:
                r = std::isnormal(a[i]) || a[i] == 0;  // the PTX book counts zero among the normal ones
                break;
            default:
                r = std::fpclassify(a[i]) == FP_SUBNORMAL;
                break;
        }
        bits |= uint32_t(r) << i;
    }
    uint32_t& d = predicate(m, op.d);
    d = (d & ~lanes) | (bits & lanes);
}

// The comparison's name and the joining operator, off the modifiers.
bool comparison(Decoder& d, bool isFloat, bool isSignedOrBits) {
    for (auto& o : outcomes()) {
        if (!d.take(o.first.c_str())) {
            continue;
        }
        bool floatOnly = o.second & 8 || o.first == "num";
        bool unsignedOnly = o.first == "lo" || o.first == "ls" || o.first == "hi" || o.first == "hs";
        if ((floatOnly && !isFloat) || (unsignedOnly && (isFloat || isSignedOrBits))) {
            d.refuse("." + o.first + " of this type");
        }
        d.op.aux = uint16_t(isFloat && o.first == "ne" ? 5 : o.second);
        return true;
    }
    return false;
}

void joinOperand(Decoder& d, size_t index) {
    std::string join = d.takeOne({"and", "or", "xor"});
    d.expectOperands(index + !join.empty(), index + !join.empty());
    if (!join.empty()) {
        bool negated = false;
        d.op.c = d.predicateIn(d.operand(index), &negated);
        d.op.aux2 = uint16_t((join == "and" ? withAnd : join == "or" ? withOr : withXor) | (negated ? 4 : 0));
    }
}

void setFamily(Decoder& d) {
    bool isSetp = d.ins().opcode == "setp";
    std::string result = isSetp ? "pred" : d.type(), type = d.type();
    bool isFloat = type[0] == 'f', ftz = d.take("ftz");
    if (!comparison(d, isFloat, type[0] == 's' || type[0] == 'b')) {
        d.refuse("a comparison is missing");
    }
    if (type[0] == 'b' && d.op.aux != 2 && d.op.aux != 5) {
        d.refuse("bits are equal or not");
    }
    joinOperand(d, 3);
    const Operand& to = d.operand(0);
    d.op.e = d.sink();
    if (isSetp && to.kind == Operand::pair) {
        d.op.d = d.predicateOut(to.parts[0]);
        d.op.e = d.predicateOut(to.parts[1]);
    } else if (isSetp) {
        d.op.d = d.predicateOut(to);
    } else {
        if (result != "u32" && result != "s32" && result != "f32") {
            d.refuse("set of ." + result);
        }
        d.op.d = d.destination(to, result);
        d.op.aux |= result == "f32" ? 16 : 0;
    }
    d.op.a = d.source(d.operand(1), type);
    d.op.b = d.source(d.operand(2), type);
    if (isFloat) {
        if (ftz && type != "f32") {
            d.refuse(".ftz of ." + type);
        }
        if (type == "f32") {
            d.op.run = isSetp ? (ftz ? &setp<float, true> : &setp<float, false>) : (ftz ? &set<float, true> : &set<float, false>);
        } else if (type == "f64") {
            d.op.run = isSetp ? &setp<double, false> : &set<double, false>;
        }
        return;
    }
    if (ftz) {
        d.refuse(".ftz of ." + type);
    }
    d.op.run = byType<ALL_INTS>(asUnsigned(type), [isSetp](auto t) -> Handler {
        using T = typename decltype(t)::type;
        return isSetp ? Handler(&setp<T, false>) : Handler(&set<T, false>);
    });
}

void selpFamily(Decoder& d) {
    std::string type = d.type();
    d.expectOperands(4, 4);
    bool negated = false;
    d.op.d = d.destination(d.operand(0), type);
    d.op.a = d.source(d.operand(1), type);
    d.op.b = d.source(d.operand(2), type);
    d.op.c = d.predicateIn(d.operand(3), &negated);
    if (negated) {
        d.refuse("a negated predicate");
    }
    d.op.run = bitsOf(type) == 64 ? &selp<uint64_t> : bitsOf(type) >= 16 && type != "f16" ? &selp<uint32_t> : nullptr;
}

void slctFamily(Decoder& d) {
    bool ftz = d.take("ftz");
    std::string type = d.type(), by = d.type();
    d.takeOperands({type, type, type, by});
    bool wide = bitsOf(type) == 64;
    if (bitsOf(type) < 32 || (ftz && by != "f32")) {
        d.refuse("unsupported type");
    }
    if (by == "s32") {
        d.op.run = wide ? &ternary<uint64_t, uint64_t, uint64_t, int32_t, SlctInt<uint64_t>>
                        : &ternary<uint32_t, uint32_t, uint32_t, int32_t, SlctInt<uint32_t>>;
    } else if (by == "f32") {
        d.op.run = wide ? &ternary<uint64_t, uint64_t, uint64_t, float, SlctFloat<uint64_t>>
                        : &ternary<uint32_t, uint32_t, uint32_t, float, SlctFloat<uint32_t>>;
        if (ftz) {
            d.refuse(".ftz of slct");
        }
    }
}

void testpFamily(Decoder& d) {
    int kind = d.takeIndex({"finite", "infinite", "number", "notanumber", "normal", "subnormal"});
    if (kind < 0) {
        d.refuse("unknown test");
    }
    d.op.aux = uint16_t(kind);
    std::string type = d.type();
    d.expectOperands(2, 2);
    d.op.d = d.predicateOut(d.operand(0));
    d.op.a = d.source(d.operand(1), type);
    d.op.run = type == "f32" ? &testp<float> : type == "f64" ? &testp<double> : nullptr;
}

}  // namespace

void addCompareFamilies(std::map<std::string, Family>& table) {
    table["setp"] = table["set"] = setFamily;
    table["selp"] = selpFamily;
    table["slct"] = slctFamily;
    table["testp"] = testpFamily;
}

}  // namespace softgpu
