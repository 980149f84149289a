// Integer arithmetic, logic, shifts and bit fields.
#include "decoder.h"
#include "lanes.h"

#include <limits>

namespace softgpu {

namespace {

// Arithmetic wraps: done on unsigned values, where wrapping is defined.
template <class T>
using U = std::make_unsigned_t<T>;
template <class T>
using Wider = std::conditional_t<
    (sizeof(T) <= 2),
    std::conditional_t<std::is_signed_v<T>, int32_t, uint32_t>,
    std::conditional_t<
        sizeof(T) == 4,
        std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>,
        std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>>>;

template <class T>
struct Add {
    static T apply(T a, T b) { return T(uint64_t(a) + uint64_t(b)); }
};
template <class T>
struct Sub {
    static T apply(T a, T b) { return T(uint64_t(a) - uint64_t(b)); }
};
template <class T>
T clampTo32(int64_t v) {
    return T(v > INT32_MAX ? INT32_MAX : v < INT32_MIN ? INT32_MIN : v);
}
struct AddSat {
    static int32_t apply(int32_t a, int32_t b) { return clampTo32<int32_t>(int64_t(a) + b); }
};
struct SubSat {
    static int32_t apply(int32_t a, int32_t b) { return clampTo32<int32_t>(int64_t(a) - b); }
};
template <class T>
struct MulLo {
    static T apply(T a, T b) { return T(uint64_t(a) * uint64_t(b)); }
};
template <class T>
struct MulHi {
    static T apply(T a, T b) { return T((Wider<T>(a) * Wider<T>(b)) >> (8 * sizeof(T))); }
};
template <class T>
struct MulWide {
    static Wider<T> apply(T a, T b) { return Wider<T>(a) * Wider<T>(b); }
};
template <class T>
struct MadLo {
    static T apply(T a, T b, T c) { return T(uint64_t(a) * uint64_t(b) + uint64_t(c)); }
};
template <class T>
struct MadHi {
    static T apply(T a, T b, T c) { return T(uint64_t(MulHi<T>::apply(a, b)) + uint64_t(c)); }
};
template <class T>
struct MadWide {
    static Wider<T> apply(T a, T b, Wider<T> c) {
        return Wider<T>(U<Wider<T>>(MulWide<T>::apply(a, b)) + U<Wider<T>>(c));
    }
};
// PTX leaves division by zero open; the hardware gives all ones, and the dividend as the rest.
template <class T>
struct Div {
    static T apply(T a, T b) {
        if (b == 0) {
            return T(~uint64_t(0));
        }
        if (std::is_signed_v<T> && b == T(-1)) {
            return T(0 - uint64_t(a));
        }
        return T(a / b);
    }
};
template <class T>
struct Rem {
    static T apply(T a, T b) { return b == 0 ? a : std::is_signed_v<T> && b == T(-1) ? T(0) : T(a % b); }
};
template <class T>
struct Min {
    static T apply(T a, T b) { return a < b ? a : b; }
};
template <class T>
struct Max {
    static T apply(T a, T b) { return a < b ? b : a; }
};
template <class T>
struct Neg {
    static T apply(T a) { return T(0 - uint64_t(a)); }
};
template <class T>
struct Abs {
    static T apply(T a) { return a < 0 ? T(0 - uint64_t(a)) : a; }
};
template <class T>
struct And {
    static T apply(T a, T b) { return a & b; }
};
template <class T>
struct Or {
    static T apply(T a, T b) { return a | b; }
};
template <class T>
struct Xor {
    static T apply(T a, T b) { return a ^ b; }
};
template <class T>
struct Not {
    static T apply(T a) { return T(~a); }
};
template <class T>
struct CNot {
    static T apply(T a) { return a == 0; }
};
// Shift counts beyond the width act like the width.
template <class T>
struct Shl {
    static T apply(T a, uint32_t n) { return n >= 8 * sizeof(T) ? T(0) : T(uint64_t(a) << n); }
};
template <class T>
struct Shr {
    static T apply(T a, uint32_t n) {
        constexpr uint32_t width = 8 * sizeof(T);
        return n < width ? T(a >> n) : std::is_signed_v<T> && a < 0 ? T(-1) : T(0);
    }
};
template <bool LEFT, bool WRAP>
struct Funnel {  // of the 64 bits b:a
    static uint32_t apply(uint32_t a, uint32_t b, uint32_t c) {
        uint32_t n = WRAP ? c & 31 : c > 32 ? 32 : c;
        uint64_t v = uint64_t(b) << 32 | a;
        return LEFT ? uint32_t((v << n) >> 32) : uint32_t(v >> n);
    }
};
template <class T>
struct Popc {
    static uint32_t apply(T a) { return uint32_t(__builtin_popcountll(a)); }
};
template <class T>
struct Clz {
    static uint32_t apply(T a) {
        return a == 0 ? 8 * sizeof(T) : uint32_t(__builtin_clzll(a)) - (64 - 8 * sizeof(T));
    }
};
template <class T>
struct Brev {
    static T apply(T a) {
        T r = 0;
        for (unsigned i = 0; i < 8 * sizeof(T); i++) {
            r |= T((a >> i & 1) << (8 * sizeof(T) - 1 - i));
        }
        return r;
    }
};
template <class T, bool SHIFT>
struct Bfind {  // the highest bit that is not the sign; all ones if there is none
    static uint32_t apply(T a) {
        U<T> v = std::is_signed_v<T> && a < 0 ? U<T>(~a) : U<T>(a);
        if (v == 0) {
            return ~0u;
        }
        uint32_t at = 63 - uint32_t(__builtin_clzll(v));
        return SHIFT ? 8 * sizeof(T) - 1 - at : at;
    }
};
template <class T>
struct Bfe {
    static T apply(T a, uint32_t b, uint32_t c) {
        uint32_t pos = b & 255, len = c & 255, msb = 8 * sizeof(T) - 1;
        bool negative = std::is_signed_v<T> && len > 0 && (a >> (pos + len - 1 < msb ? pos + len - 1 : msb) & 1);
        U<T> bits = pos > msb ? 0 : U<T>(U<T>(a) >> pos);
        if (len > msb) {  // all that is left of the value
            len = msb + 1;
        }
        U<T> keep = len == msb + 1 ? U<T>(~U<T>(0)) : U<T>((U<T>(1) << len) - 1);
        U<T> inside = pos > msb ? 0 : U<T>(~U<T>(0)) >> pos;  // bits that come from a
        U<T> r = bits & keep & inside;
        return T(negative ? U<T>(r | ~(keep & inside)) : r);
    }
};

// d = b with the lowest `len` bits of a put in at `pos`.
template <class T>
void bfi(Machine& m, const Op& op, uint32_t lanes) {
    const T *a = slot<T>(m, op.a), *b = slot<T>(m, op.b);
    const uint32_t *c = slot<uint32_t>(m, op.c), *e = slot<uint32_t>(m, op.e);
    alignas(64) T r[LANES];
    for (int i = 0; i < LANES; i++) {
        uint32_t pos = c[i] & 255, len = e[i] & 255, width = 8 * sizeof(T);
        T field = len >= width ? T(~T(0)) : T((T(1) << len) - 1);
        T mask = pos >= width ? 0 : T(field << pos);
        r[i] = (b[i] & ~mask) | (pos >= width ? 0 : T(a[i] << pos) & mask);
    }
    blend(slot<T>(m, op.d), r, lanes);
}

struct Prmt {
    static uint32_t apply(uint32_t a, uint32_t b, uint32_t c) {
        uint64_t bytes = uint64_t(b) << 32 | a;
        uint32_t r = 0;
        for (int i = 0; i < 4; i++) {
            uint32_t select = c >> (4 * i) & 15;
            uint32_t byte = uint32_t(bytes >> (8 * (select & 7))) & 0xff;
            if (select & 8) {  // its sign, eight times
                byte = byte & 0x80 ? 0xff : 0;
            }
            r |= byte << (8 * i);
        }
        return r;
    }
};

void lop3(Machine& m, const Op& op, uint32_t lanes) {
    const uint32_t *a = slot<uint32_t>(m, op.a), *b = slot<uint32_t>(m, op.b), *c = slot<uint32_t>(m, op.c);
    alignas(64) uint32_t r[LANES];
    for (int i = 0; i < LANES; i++) {
        r[i] = 0;
        for (int k = 0; k < 8; k++) {  // one term of the truth table a bit of the immediate
            if (op.aux >> k & 1) {
                r[i] |= (k & 4 ? a[i] : ~a[i]) & (k & 2 ? b[i] : ~b[i]) & (k & 1 ? c[i] : ~c[i]);
            }
        }
    }
    blend(slot<uint32_t>(m, op.d), r, lanes);
}

template <int OP>
void logicPred(Machine& m, const Op& op, uint32_t lanes) {
    uint32_t a = predicate(m, op.a), b = predicate(m, op.b);
    uint32_t r = OP == 0 ? a & b : OP == 1 ? a | b : OP == 2 ? a ^ b : ~a;
    uint32_t& d = predicate(m, op.d);
    d = (d & ~lanes) | (r & lanes);
}

// --- decoding ---

#define BINARY(F) [](auto t) -> Handler { using T = typename decltype(t)::type; return &binary<T, T, T, F<T>>; }
#define UNARY(F) [](auto t) -> Handler { using T = typename decltype(t)::type; return &unary<T, T, F<T>>; }

}  // namespace

// Shared with the float families, which take over where the type is a float.
void decodeIntegerBinary(Decoder& d, const std::string& type) {
    const std::string& name = d.ins().opcode;
    bool saturate = d.take("sat");
    d.takeOperands({type, type, type});
    if (saturate) {
        if (type != "s32" || (name != "add" && name != "sub")) {
            d.refuse("saturation of this type");
        }
        d.op.run = name == "add" ? &binary<int32_t, int32_t, int32_t, AddSat> : &binary<int32_t, int32_t, int32_t, SubSat>;
    } else if (name == "add") {
        d.op.run = byType<ALL_INTS>(type, BINARY(Add));
    } else if (name == "sub") {
        d.op.run = byType<ALL_INTS>(type, BINARY(Sub));
    } else if (name == "div") {
        d.op.run = byType<ALL_INTS>(type, BINARY(Div));
    } else if (name == "rem") {
        d.op.run = byType<ALL_INTS>(type, BINARY(Rem));
    } else if (name == "min") {
        d.op.run = byType<ALL_INTS>(type, BINARY(Min));
    } else if (name == "max") {
        d.op.run = byType<ALL_INTS>(type, BINARY(Max));
    }
}

void decodeIntegerUnary(Decoder& d, const std::string& type) {
    d.takeOperands({type, type});
    if (d.ins().opcode == "neg") {
        d.op.run = byType<int16_t, int32_t, int64_t>(type, UNARY(Neg));
    } else {
        d.op.run = byType<int16_t, int32_t, int64_t>(type, UNARY(Abs));
    }
}

void decodeIntegerMultiply(Decoder& d, const std::string& type, bool mad) {
    std::string part = d.takeOne({"lo", "hi", "wide"});
    std::string result = type;
    if (part == "wide") {
        if (type.substr(1) == "64") {
            d.refuse("no wide product of 64 bits");
        }
        result = type.substr(0, 1) + (type.substr(1) == "16" ? "32" : "64");
    }
    if (mad) {
        d.takeOperands({result, type, type, result});
    } else {
        d.takeOperands({result, type, type});
    }
    if (part == "lo") {
        d.op.run = mad ? byType<ALL_INTS>(type, [](auto t) -> Handler {
            using T = typename decltype(t)::type;
            return &ternary<T, T, T, T, MadLo<T>>;
        })
                       : byType<ALL_INTS>(type, BINARY(MulLo));
    } else if (part == "hi") {
        d.op.run = mad ? byType<ALL_INTS>(type, [](auto t) -> Handler {
            using T = typename decltype(t)::type;
            return &ternary<T, T, T, T, MadHi<T>>;
        })
                       : byType<ALL_INTS>(type, BINARY(MulHi));
    } else if (part == "wide") {
        d.op.run = byType<int16_t, uint16_t, int32_t, uint32_t>(type, [mad](auto t) -> Handler {
            using T = typename decltype(t)::type;
            using W = Wider<T>;
            return mad ? Handler(&ternary<W, T, T, W, MadWide<T>>) : Handler(&binary<W, T, T, MulWide<T>>);
        });
    }
}

namespace {

void logic(Decoder& d) {
    const std::string& name = d.ins().opcode;
    std::string type = d.type();
    bool isUnary = name == "not" || name == "cnot";
    if (type == "pred") {
        bool negated = false, any = false;
        d.expectOperands(isUnary ? 2 : 3, isUnary ? 2 : 3);
        d.op.d = d.predicateOut(d.operand(0));
        d.op.a = d.predicateIn(d.operand(1), &negated);
        any |= negated;
        if (!isUnary) {
            d.op.b = d.predicateIn(d.operand(2), &negated);
            any |= negated;
        }
        if (any || name == "cnot") {
            d.refuse("a negated predicate");
        }
        d.op.run = name == "and" ? logicPred<0> : name == "or" ? logicPred<1> : name == "xor" ? logicPred<2> : logicPred<3>;
        return;
    }
    if (type[0] != 'b') {
        d.refuse("logic on ." + type);
    }
    if (isUnary) {
        d.takeOperands({type, type});
    } else {
        d.takeOperands({type, type, type});
    }
    std::string u = asUnsigned(type);
    if (name == "and") {
        d.op.run = byType<uint16_t, uint32_t, uint64_t>(u, BINARY(And));
    } else if (name == "or") {
        d.op.run = byType<uint16_t, uint32_t, uint64_t>(u, BINARY(Or));
    } else if (name == "xor") {
        d.op.run = byType<uint16_t, uint32_t, uint64_t>(u, BINARY(Xor));
    } else if (name == "not") {
        d.op.run = byType<uint16_t, uint32_t, uint64_t>(u, UNARY(Not));
    } else {
        d.op.run = byType<uint16_t, uint32_t, uint64_t>(u, UNARY(CNot));
    }
}

void shift(Decoder& d) {
    std::string type = d.type();
    bool left = d.ins().opcode == "shl";
    d.takeOperands({type, type, "u32"});
    if (left) {
        d.op.run = type[0] != 'b' ? nullptr
                                  : byType<uint16_t, uint32_t, uint64_t>(asUnsigned(type), [](auto t) -> Handler {
                                        using T = typename decltype(t)::type;
                                        return &binary<T, T, uint32_t, Shl<T>>;
                                    });
    } else {
        d.op.run = byType<ALL_INTS>(asUnsigned(type), [](auto t) -> Handler {
            using T = typename decltype(t)::type;
            return &binary<T, T, uint32_t, Shr<T>>;
        });
    }
}

void funnel(Decoder& d) {
    bool left = d.take("l");
    if (!left && !d.take("r")) {
        d.refuse("shf without a direction");
    }
    bool wrap = d.take("wrap");
    if (!wrap && !d.take("clamp")) {
        d.refuse("shf without a mode");
    }
    std::string type = d.type();
    if (type != "b32") {
        d.refuse("shf of ." + type);
    }
    d.takeOperands({type, type, type, type});
    using W = uint32_t;
    d.op.run = left ? (wrap ? &ternary<W, W, W, W, Funnel<true, true>> : &ternary<W, W, W, W, Funnel<true, false>>)
                    : (wrap ? &ternary<W, W, W, W, Funnel<false, true>> : &ternary<W, W, W, W, Funnel<false, false>>);
}

void bits(Decoder& d) {
    const std::string& name = d.ins().opcode;
    bool amount = name == "bfind" && d.take("shiftamt");
    std::string type = d.type();
    if (name == "brev") {
        d.takeOperands({type, type});
        d.op.run = type[0] != 'b' ? nullptr : byType<uint32_t, uint64_t>(asUnsigned(type), UNARY(Brev));
        return;
    }
    d.takeOperands({"u32", type});
    if (name == "bfind") {
        d.op.run = byType<int32_t, uint32_t, int64_t, uint64_t>(type, [amount](auto t) -> Handler {
            using T = typename decltype(t)::type;
            return amount ? Handler(&unary<uint32_t, T, Bfind<T, true>>) : Handler(&unary<uint32_t, T, Bfind<T, false>>);
        });
        return;
    }
    if (type[0] != 'b') {
        d.refuse("unsupported type");
    }
    bool popc = name == "popc";
    d.op.run = byType<uint32_t, uint64_t>(asUnsigned(type), [popc](auto t) -> Handler {
        using T = typename decltype(t)::type;
        return popc ? Handler(&unary<uint32_t, T, Popc<T>>) : Handler(&unary<uint32_t, T, Clz<T>>);
    });
}

void bfeFamily(Decoder& d) {
    std::string type = d.type();
    d.takeOperands({type, type, "u32", "u32"});
    d.op.run = byType<int32_t, uint32_t, int64_t, uint64_t>(type, [](auto t) -> Handler {
        using T = typename decltype(t)::type;
        return &ternary<T, T, uint32_t, uint32_t, Bfe<T>>;
    });
}

void bfiFamily(Decoder& d) {
    std::string type = d.type();
    d.takeOperands({type, type, type, "u32", "u32"});
    d.op.run = type == "b32" ? &bfi<uint32_t> : type == "b64" ? &bfi<uint64_t> : nullptr;
}

void prmtFamily(Decoder& d) {
    if (d.type() != "b32") {
        d.refuse("prmt of another type than .b32");
    }
    d.takeOperands({"b32", "b32", "b32", "b32"});
    d.op.run = &ternary<uint32_t, uint32_t, uint32_t, uint32_t, Prmt>;
}

void lop3Family(Decoder& d) {
    if (d.type() != "b32") {
        d.refuse("lop3 of another type than .b32");
    }
    d.expectOperands(5, 5);
    d.op.d = d.destination(d.operand(0), "b32");
    d.op.a = d.source(d.operand(1), "b32");
    d.op.b = d.source(d.operand(2), "b32");
    d.op.c = d.source(d.operand(3), "b32");
    if (d.operand(4).kind != Operand::integer || d.operand(4).bits > 255) {
        d.refuse("the table of lop3 is no constant");
    }
    d.op.aux = uint16_t(d.operand(4).bits);
    d.op.run = &lop3;
}

void remFamily(Decoder& d) {
    decodeIntegerBinary(d, d.type());
}

}  // namespace

void addIntegerFamilies(std::map<std::string, Family>& table) {
    for (const char* n : {"and", "or", "xor", "not", "cnot"}) {
        table[n] = logic;
    }
    table["shl"] = table["shr"] = shift;
    table["shf"] = funnel;
    for (const char* n : {"popc", "clz", "brev", "bfind"}) {
        table[n] = bits;
    }
    table["bfe"] = bfeFamily;
    table["bfi"] = bfiFamily;
    table["prmt"] = prmtFamily;
    table["lop3"] = lop3Family;
    table["rem"] = remFamily;
}

}  // namespace softgpu
