// cvt, between all integer types, f32 and f64, and from f32 to tf32. f16 and below are refused.
#include "decoder.h"
#include "float_math.h"
#include "lanes.h"

#include <cfenv>
#include <limits>

namespace softgpu {

namespace {

enum Rounding : uint16_t { nearest, zero, down, up };

struct Mode {
    Rounding rounding;
    bool toInteger, ftz, sat;
};

template <class T>
T roundToInteger(T a, Rounding r) {
    switch (r) {
        case nearest:
            return std::nearbyint(a);
        case zero:
            return std::trunc(a);
        case down:
            return std::floor(a);
        default:
            return std::ceil(a);
    }
}

// Out of range goes to the nearest end of the range; NaN to 0, or for 64 bits or from f64 to the highest bit alone.
template <class D, class S>
D floatToInteger(S a, Mode m) {
    using L = std::numeric_limits<D>;
    if (a != a) {
        bool wide = sizeof(D) == 8 || sizeof(S) == 8;
        return wide ? D(uint64_t(1) << (8 * sizeof(D) - 1)) : D(0);
    }
    S r = roundToInteger(a, m.rounding);
    if (r <= S(L::min())) {
        return L::min();
    }
    // The first value too large is a power of two, so it is exact in S.
    S tooLarge = std::ldexp(S(1), int(8 * sizeof(D)) - (std::is_signed_v<D> ? 1 : 0));
    return r >= tooLarge ? L::max() : D(r);
}

template <class D, class S>
D directed(S a, Rounding r) {
    static const int MODES[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};
    int before = fegetround();
    fesetround(MODES[r]);
    volatile S x = a;
    volatile D d = D(x);
    fesetround(before);
    return d;
}

template <class D, class S>
D convert(S a, Mode m) {
    constexpr bool toFloat = std::is_floating_point_v<D>, fromFloat = std::is_floating_point_v<S>;
    if constexpr (fromFloat && sizeof(S) == 4) {
        a = m.ftz ? flush<S, true>(a) : a;
    }
    if constexpr (toFloat) {
        D r;
        if constexpr (fromFloat) {
            r = m.toInteger ? D(roundToInteger(a, m.rounding)) : m.rounding == nearest ? D(a) : directed<D>(a, m.rounding);
        } else {
            r = m.rounding == nearest ? D(a) : directed<D>(a, m.rounding);
        }
        if constexpr (sizeof(D) == 4) {
            r = m.ftz ? flush<D, true>(r) : r;
        }
        return m.sat ? finish<D, false, true>(r) : canonical(r);
    } else if constexpr (fromFloat) {
        return floatToInteger<D, S>(a, m);
    } else {
        if (m.sat) {
            using L = std::numeric_limits<D>;
            __int128 v = a, lo = L::min(), hi = L::max();
            return D(v < lo ? lo : v > hi ? hi : v);
        }
        return D(a);
    }
}

// aux: rounding, 4 to an integral value, 8 .ftz, 16 .sat. aux2: 1 the source register has 64 bits though the type has
// fewer, and the destination's bits above.
template <class D, class S>
void cvt(Machine& m, const Op& op, uint32_t lanes) {
    Mode mode{Rounding(op.aux & 3), bool(op.aux & 4), bool(op.aux & 8), bool(op.aux & 16)};
    bool wideSource = op.aux2 & 1;
    unsigned bits = op.aux2 >> 1;
    const Slot<S>* a = slot<S>(m, op.a);
    const uint64_t* a64 = slot<uint64_t>(m, op.a);
    uint64_t r[LANES];
    for (int i = 0; i < LANES; i++) {
        S x;
        if constexpr (std::is_floating_point_v<S> || sizeof(S) == 8) {
            x = a[i];
        } else {
            x = wideSource ? S(a64[i]) : S(a[i]);
        }
        D d = convert<D, S>(x, mode);
        if constexpr (sizeof(D) == 8) {
            r[i] = bitCast<uint64_t>(d);
        } else if constexpr (std::is_floating_point_v<D>) {
            r[i] = bitCast<uint32_t>(d);
        } else {
            r[i] = uint64_t(d);  // extended by its sign into a wider register
        }
    }
    if (bits == 64) {
        blend(slot<uint64_t>(m, op.d), r, lanes);
        return;
    }
    alignas(64) uint32_t n[LANES];
    for (int i = 0; i < LANES; i++) {
        n[i] = bits == 16 ? uint16_t(r[i]) : uint32_t(r[i]);
    }
    blend(slot<uint32_t>(m, op.d), n, lanes);
}

// The three that address arithmetic is full of.
template <class D, class S>
struct Extend {
    static D apply(S a) { return D(a); }
};
struct IntToFloat {
    static float apply(int32_t a) { return float(a); }
};

// To 10 bits of the mantissa, halves away from zero.
struct FloatToTf32 {
    static uint32_t apply(float a) {
        float b = canonical(a);
        return std::fabs(b) <= FLT_MAX ? (bitCast<uint32_t>(b) + 0x1000) & ~0x1fffu : bitCast<uint32_t>(b);
    }
};

void toTf32(Decoder& d) {
    static const std::vector<std::string> KNOWN = {"rna", "tf32", "f32"};
    if (d.ins().modifiers != KNOWN || !d.take("rna") || !d.take("f32")) {
        d.refuse("only cvt.rna.tf32.f32");
    }
    d.needs(700, 80);
    d.expectOperands(2, 2);
    d.op.d = d.tf32(d.operand(0), false);
    d.op.a = d.source(d.operand(1), "f32");
    d.op.run = &unary<uint32_t, float, FloatToTf32>;
}

#define CVT_TYPES uint8_t, int8_t, uint16_t, int16_t, uint32_t, int32_t, uint64_t, int64_t, float, double

void cvtFamily(Decoder& d) {
    if (d.take("tf32")) {
        toTf32(d);
        return;
    }
    std::string rounding = d.takeOne({"rn", "rz", "rm", "rp", "rni", "rzi", "rmi", "rpi"});
    bool ftz = d.take("ftz"), sat = d.take("sat");
    std::string to = d.type(), from = d.type();
    bool toFloat = to[0] == 'f', fromFloat = from[0] == 'f', toInteger = rounding.size() == 3;
    if (to[0] == 'b' || from[0] == 'b' || to == "f16" || from == "f16" || to == "pred" || from == "pred") {
        d.refuse("a conversion between ." + from + " and ." + to);
    }
    bool needs = (fromFloat && !toFloat) || (toFloat && !fromFloat) || (to == "f32" && from == "f64");
    if (needs && rounding.empty()) {
        d.refuse("a conversion without a rounding");
    }
    bool integral = fromFloat && (!toFloat || to == from);
    if (!rounding.empty() && (toInteger ? !integral : !toFloat || (fromFloat && to == from) || to + from == "f64f32")) {
        d.refuse("." + rounding + " in a conversion from ." + from + " to ." + to);
    }
    if (ftz && to != "f32" && from != "f32") {
        d.refuse(".ftz without .f32");
    }
    d.expectOperands(2, 2);
    size_t toBits, fromBits;
    d.op.d = d.relaxed(d.operand(0), to, false, &toBits);
    d.op.a = d.relaxed(d.operand(1), from, true, &fromBits);
    if ((toFloat && toBits != bitsOf(to)) || (fromFloat && fromBits != bitsOf(from))) {
        d.refuse("a register wider than its float");
    }
    char r = rounding.empty() ? 'n' : rounding[1];
    int mode = r == 'n' ? nearest : r == 'z' ? zero : r == 'm' ? down : up;
    d.op.aux = uint16_t(mode | toInteger << 2 | ftz << 3 | sat << 4);
    d.op.aux2 = uint16_t((fromBits == 64 && bitsOf(from) < 64) | toBits << 1);
    bool plain = !sat && !ftz && !(d.op.aux2 & 1);
    if (plain && toBits == 64 && fromBits == 32 && (to == "u64" || to == "s64") && (from == "u32" || from == "s32")) {
        d.op.run = from == "u32" ? &unary<uint64_t, uint32_t, Extend<uint64_t, uint32_t>>
                                 : &unary<int64_t, int32_t, Extend<int64_t, int32_t>>;
        return;
    }
    if (plain && to == "f32" && from == "s32" && rounding == "rn") {
        d.op.run = &unary<float, int32_t, IntToFloat>;
        return;
    }
    d.op.run = byType<CVT_TYPES>(to, [&from](auto t) -> Handler {
        using D = typename decltype(t)::type;
        return byType<CVT_TYPES>(from, [](auto s) -> Handler { return &cvt<D, typename decltype(s)::type>; });
    });
}

}  // namespace

void addConvertFamilies(std::map<std::string, Family>& table) {
    table["cvt"] = cvtFamily;
}

}  // namespace softgpu
