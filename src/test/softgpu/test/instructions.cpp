// Each instruction against the host's arithmetic, over the values where arithmetic goes wrong.
#include "harness.h"

#include <cfenv>
#include <cfloat>
#include <algorithm>
#include <climits>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>

namespace test {

namespace {

template <class To, class From>
To bits(From f) {
    To t{};
    memcpy(&t, &f, sizeof f < sizeof t ? sizeof f : sizeof t);
    return t;
}

float f32(uint64_t b) {
    return bits<float>(uint32_t(b));
}
double f64(uint64_t b) {
    return bits<double>(b);
}
// Results: the one NaN of the device.
uint64_t out(float v) {
    return v != v ? 0x7fffffffu : bits<uint32_t>(v);
}
uint64_t out(double v) {
    return v != v ? 0xfff8000000000000u : bits<uint64_t>(v);
}

const std::vector<uint64_t> F32 = [] {
    std::vector<uint64_t> v;
    for (float f : {0.0f, 1.0f, 0.5f, 1.5f, 2.5f, 3.0f, 0.1f, 1e-20f, 7.25f, 100.75f, FLT_MIN, FLT_MAX, INFINITY,
                    1.4e-45f, 1.1754942e-38f, 2147483648.0f, 4294967296.0f, 9.2233720e18f, 1.8446744e19f, 16777217.0f,
                    2147483520.0f, 3e38f, 1.0000001f}) {
        v.push_back(bits<uint32_t>(f));
        v.push_back(bits<uint32_t>(-f));
    }
    v.push_back(0x7fc00000);
    v.push_back(0xffc12345);
    v.push_back(0x7f800001);
    return v;
}();

const std::vector<uint64_t> F64 = [] {
    std::vector<uint64_t> v;
    for (double f : {0.0, 1.0, 0.5, 2.5, 0.1, 1e-300, 1e300, DBL_MIN, DBL_MAX, double(INFINITY), 4.9e-324, 2147483648.5,
                     1e-45, 3.5e38, 9.3e18, 1.85e19, 1.00000006}) {
        v.push_back(bits<uint64_t>(f));
        v.push_back(bits<uint64_t>(-f));
    }
    v.push_back(0x7ff8000000000000);
    return v;
}();

const std::vector<uint64_t> INTS = {
    0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 33, 63, 64, 65, 127, 128, 255, 256, 0x7fff, 0x8000, 0xffff, 0x10000, 0x12345678,
    0x7fffffff, 0x80000000, 0x80000001, 0xfffffff9, 0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000,
    0xfffffffffffffff9, 0xffffffffffffffff, 0xaaaaaaaa55555555};

using Expected = std::function<uint64_t(uint64_t, uint64_t, uint64_t)>;

size_t width(const std::string& t) {
    return t == "pred" ? 1 : size_t(stoi(t.substr(1)));
}

uint64_t masked(uint64_t v, size_t bits) {
    return bits >= 64 ? v : v & ((uint64_t(1) << bits) - 1);
}

std::string declare(const char* name, const std::string& type) {
    return ".reg ." + (type == "pred" ? "pred" : "b" + std::to_string(width(type))) + " %" + name + ";\n";
}

std::string load(const char* name, const std::string& type, int at) {
    std::string n = name, o = std::to_string(8 * at);
    if (type == "pred") {
        return "ld.global.b32 %t, [%in+" + o + "];\nand.b32 %t, %t, 1;\nsetp.ne.u32 %" + n + ", %t, 0;\n";
    }
    return "ld.global.b" + std::to_string(width(type)) + " %" + n + ", [%in+" + o + "];\n";
}

// The instruction in a kernel, one thread for each combination of operands.
void check(
    const std::string& instruction, const std::string& d, const std::vector<std::string>& types,
    const std::vector<const std::vector<uint64_t>*>& values, Expected expected, const char* target = "sm_75") {
    std::vector<uint64_t> in;
    size_t n = types.size();
    std::vector<size_t> at(n, 0);
    for (bool more = true; more;) {
        for (size_t k = 0; k < 3; k++) {
            in.push_back(k < n ? masked((*values[k])[at[k]], width(types[k])) : 0);
        }
        size_t k = 0;
        while (k < n && ++at[k] == values[k]->size()) {
            at[k++] = 0;
        }
        more = k < n;
    }
    unsigned count = unsigned(in.size() / 3);
    static const char* const NAMES[] = {"a", "b", "c"};
    std::string body = ".reg .b64 %in, %out, %n;\n.reg .b32 %t, %i;\n.reg .pred %p, %q;\n" + declare("d", d);
    for (size_t k = 0; k < n; k++) {
        body += declare(NAMES[k], types[k]);
    }
    body +=
        "ld.param.u64 %in, [x];\nld.param.u64 %out, [y];\nld.param.u32 %t, [n];\nmov.u32 %i, %ctaid.x;\n"
        "mad.lo.u32 %i, %i, 128, %tid.x;\nsetp.ge.u32 %p, %i, %t;\n@%p bra DONE;\n"
        "mad.wide.u32 %in, %i, 24, %in;\nmad.wide.u32 %out, %i, 8, %out;\n";
    for (size_t k = 0; k < n; k++) {
        body += load(NAMES[k], types[k], int(k));
    }
    body += instruction + "\n";
    if (d == "pred") {
        body += "selp.u32 %t, 1, 0, %d;\nst.global.u32 [%out], %t;\n";
    } else {
        body += "st.global.b" + std::to_string(width(d)) + " [%out], %d;\n";
    }
    body += "DONE:\n";
    void* module = test::load(kernel(".param .u64 x, .param .u64 y, .param .u32 n", body, "", target));
    if (!module) {
        return;
    }
    uint64_t x = upload(in), y = upload(std::vector<uint64_t>(count, 0));
    void* args[] = {&x, &y, &count};
    int e = cuLaunchKernel(function(module), (count + 127) / 128, 1, 1, 128, 1, 1, 0, nullptr, args, nullptr);
    std::vector<uint64_t> got(count);
    e = e ? e : cuMemcpyDtoH_v2(got.data(), y, 8 * count);
    expect(e == 0, instruction + ": error " + std::to_string(e));
    int bad = 0;
    for (unsigned i = 0; i < count && e == 0; i++) {
        uint64_t *v = &in[3 * i], want = masked(expected(v[0], v[1], v[2]), width(d));
        char text[300];
        snprintf(
            text, sizeof text, "%s of %#llx, %#llx, %#llx: %#llx, expected %#llx", instruction.c_str(),
            (unsigned long long)v[0], (unsigned long long)v[1], (unsigned long long)v[2], (unsigned long long)got[i],
            (unsigned long long)want);
        if (got[i] != want && ++bad > 3) {
            continue;
        }
        expect(got[i] == want, text);
    }
    cuMemFree_v2(x);
    cuMemFree_v2(y);
    cuModuleUnload(module);
}

void one(const std::string& i, const std::string& d, const std::string& a, const std::vector<uint64_t>& va, Expected f) {
    check(i + " %d, %a;", d, {a}, {&va}, f);
}
void two(const std::string& i, const std::string& t, const std::vector<uint64_t>& v, Expected f) {
    check(i + " %d, %a, %b;", t, {t, t}, {&v, &v}, f);
}

float ftz(float v) {
    return std::fabs(v) < FLT_MIN ? std::copysign(0.0f, v) : v;
}
float sat(float v) {
    return v > 0 ? (v < 1 ? v : 1) : 0;
}

// Read anew each time: nothing is computed before the rounding mode is set.
template <class T>
T opaque(T v) {
    volatile T x = v;
    return x;
}

template <class F>
float under(int mode, F f) {
    fesetround(mode);
    volatile float r = f();
    fesetround(FE_TONEAREST);
    return r;
}

void floats() {
    two("add.f32", "f32", F32, [](auto a, auto b, auto) { return out(f32(a) + f32(b)); });
    two("add.rn.ftz.f32", "f32", F32, [](auto a, auto b, auto) { return out(ftz(ftz(f32(a)) + ftz(f32(b)))); });
    two("add.sat.f32", "f32", F32, [](auto a, auto b, auto) { return out(sat(f32(a) + f32(b))); });
    two("sub.f32", "f32", F32, [](auto a, auto b, auto) { return out(f32(a) - f32(b)); });
    two("mul.rn.f32", "f32", F32, [](auto a, auto b, auto) { return out(f32(a) * f32(b)); });
    two("mul.ftz.f32", "f32", F32, [](auto a, auto b, auto) { return out(ftz(ftz(f32(a)) * ftz(f32(b)))); });
    two("div.rn.f32", "f32", F32, [](auto a, auto b, auto) { return out(f32(a) / f32(b)); });
    two("div.full.f32", "f32", F32, [](auto a, auto b, auto) { return out(f32(a) / f32(b)); });
    two("div.approx.f32", "f32", F32, [](auto a, auto b, auto) {
        float x = f32(a), y = f32(b);
        if (std::fabs(y) > 8.507059173e37f && std::fabs(y) < INFINITY) {
            return std::isinf(x) || x != x ? out(float(NAN)) : out(std::copysign(0.0f, x) * std::copysign(1.0f, y));
        }
        return out(x / y);
    });
    struct {
        const char* name;
        int mode;
    } roundings[] = {{"rz", FE_TOWARDZERO}, {"rm", FE_DOWNWARD}, {"rp", FE_UPWARD}};
    for (auto& r : roundings) {
        int m = r.mode;
        std::string n = r.name;
        two("add." + n + ".f32", "f32", F32, [m](auto a, auto b, auto) {
            return out(under(m, [&] { return opaque(f32(a)) + f32(b); }));
        });
        two("mul." + n + ".f32", "f32", F32, [m](auto a, auto b, auto) {
            return out(under(m, [&] { return opaque(f32(a)) * f32(b); }));
        });
        two("div." + n + ".f32", "f32", F32, [m](auto a, auto b, auto) {
            return out(under(m, [&] { return opaque(f32(a)) / f32(b); }));
        });
        check("fma." + n + ".f32 %d, %a, %b, %c;", "f32", {"f32", "f32", "f32"}, {&F32, &F32, &F32},
              [m](auto a, auto b, auto c) {
                  return out(under(m, [&] { return std::fma(opaque(f32(a)), f32(b), f32(c)); }));
              });
        one("rcp." + n + ".f32", "f32", "f32", F32, [m](auto a, auto, auto) {
            return out(under(m, [&] { return 1.0f / opaque(f32(a)); }));
        });
        two("sub." + n + ".f32", "f32", F32, [m](auto a, auto b, auto) {
            return out(under(m, [&] { return opaque(f32(a)) - f32(b); }));
        });
        two("add." + n + ".f64", "f64", F64, [m](auto a, auto b, auto) {
            fesetround(m);
            volatile double r = opaque(f64(a)) + f64(b);
            fesetround(FE_TONEAREST);
            return out(double(r));
        });
        one("cvt." + n + ".f32.u64", "f32", "u64", INTS, [m](auto a, auto, auto) {
            return out(under(m, [&] { return float(opaque(uint64_t(a))); }));
        });
        one("sqrt." + n + ".f32", "f32", "f32", F32, [m](auto a, auto, auto) {
            return out(under(m, [&] { return std::sqrt(opaque(f32(a))); }));
        });
        one("cvt." + n + ".f32.f64", "f32", "f64", F64, [m](auto a, auto, auto) {
            return out(under(m, [&] { return float(opaque(f64(a))); }));
        });
        one("cvt." + n + ".f32.s32", "f32", "s32", INTS, [m](auto a, auto, auto) {
            return out(under(m, [&] { return float(opaque(int32_t(a))); }));
        });
    }
    check("fma.rn.f32 %d, %a, %b, %c;", "f32", {"f32", "f32", "f32"}, {&F32, &F32, &F32},
          [](auto a, auto b, auto c) { return out(std::fma(f32(a), f32(b), f32(c))); });
    check("fma.rn.ftz.sat.f32 %d, %a, %b, %c;", "f32", {"f32", "f32", "f32"}, {&F32, &F32, &F32},
          [](auto a, auto b, auto c) { return out(sat(ftz(std::fma(ftz(f32(a)), ftz(f32(b)), ftz(f32(c)))))); });
    check("mad.rn.f32 %d, %a, %b, %c;", "f32", {"f32", "f32", "f32"}, {&F32, &F32, &F32},
          [](auto a, auto b, auto c) { return out(std::fma(f32(a), f32(b), f32(c))); });
    two("min.f64", "f64", F64, [](auto a, auto b, auto) {
        double x = f64(a), y = f64(b);
        return out(x != x ? y : y != y ? x : x < y || (x == y && std::signbit(x)) ? x : y);
    });
    two("max.f64", "f64", F64, [](auto a, auto b, auto) {
        double x = f64(a), y = f64(b);
        return out(x != x ? y : y != y ? x : x > y || (x == y && !std::signbit(x)) ? x : y);
    });
    two("copysign.f64", "f64", F64, [](auto a, auto b, auto) {
        uint64_t sign = uint64_t(1) << 63;
        return (a & sign) | (b & ~sign);
    });
    two("min.NaN.f32", "f32", F32, [](auto a, auto b, auto) {
        float x = f32(a), y = f32(b);
        return out(x != x || y != y ? float(NAN) : x < y || (x == y && std::signbit(x)) ? x : y);
    });
    one("sqrt.approx.f32", "f32", "f32", F32, [](auto a, auto, auto) { return out(std::sqrt(f32(a))); });
    one("rcp.rn.f64", "f64", "f64", F64, [](auto a, auto, auto) { return out(1 / f64(a)); });
    one("sqrt.rn.f32", "f32", "f32", F32, [](auto a, auto, auto) { return out(std::sqrt(f32(a))); });
    one("rcp.rn.f32", "f32", "f32", F32, [](auto a, auto, auto) { return out(1 / f32(a)); });
    one("rcp.approx.ftz.f32", "f32", "f32", F32, [](auto a, auto, auto) { return out(ftz(1 / ftz(f32(a)))); });
    one("rsqrt.approx.f32", "f32", "f32", F32, [](auto a, auto, auto) { return out(float(1 / std::sqrt(double(f32(a))))); });
    one("ex2.approx.ftz.f32", "f32", "f32", F32,
        [](auto a, auto, auto) { return out(ftz(float(std::exp2(double(ftz(f32(a))))))); });
    one("lg2.approx.f32", "f32", "f32", F32, [](auto a, auto, auto) { return out(float(std::log2(double(f32(a))))); });
    one("sin.approx.f32", "f32", "f32", F32, [](auto a, auto, auto) { return out(float(std::sin(double(f32(a))))); });
    one("cos.approx.f32", "f32", "f32", F32, [](auto a, auto, auto) { return out(float(std::cos(double(f32(a))))); });
    one("tanh.approx.f32", "f32", "f32", F32, [](auto a, auto, auto) { return out(float(std::tanh(double(f32(a))))); });
    one("neg.f32", "f32", "f32", F32, [](auto a, auto, auto) { return uint32_t(a) ^ 0x80000000u; });
    one("abs.f32", "f32", "f32", F32, [](auto a, auto, auto) { return uint32_t(a) & 0x7fffffffu; });
    one("neg.ftz.f32", "f32", "f32", F32, [](auto a, auto, auto) { return bits<uint32_t>(-ftz(f32(a))); });
    two("copysign.f32", "f32", F32, [](auto a, auto b, auto) { return (a & 0x80000000u) | (b & 0x7fffffffu); });
    auto less = [](float x, float y) { return x < y || (x == y && std::signbit(x) && !std::signbit(y)); };
    two("min.f32", "f32", F32, [less](auto a, auto b, auto) {
        float x = f32(a), y = f32(b);
        return out(x != x ? y : y != y ? x : less(y, x) ? y : x);
    });
    two("max.f32", "f32", F32, [less](auto a, auto b, auto) {
        float x = f32(a), y = f32(b);
        return out(x != x ? y : y != y ? x : less(x, y) ? y : x);
    });
    two("max.NaN.f32", "f32", F32, [less](auto a, auto b, auto) {
        float x = f32(a), y = f32(b);
        return out(x != x || y != y ? float(NAN) : less(x, y) ? y : x);
    });
    two("add.f64", "f64", F64, [](auto a, auto b, auto) { return out(f64(a) + f64(b)); });
    two("sub.f64", "f64", F64, [](auto a, auto b, auto) { return out(f64(a) - f64(b)); });
    two("mul.rn.f64", "f64", F64, [](auto a, auto b, auto) { return out(f64(a) * f64(b)); });
    two("div.rn.f64", "f64", F64, [](auto a, auto b, auto) { return out(f64(a) / f64(b)); });
    check("fma.rn.f64 %d, %a, %b, %c;", "f64", {"f64", "f64", "f64"}, {&F64, &F64, &F64},
          [](auto a, auto b, auto c) { return out(std::fma(f64(a), f64(b), f64(c))); });
    one("sqrt.rn.f64", "f64", "f64", F64, [](auto a, auto, auto) { return out(std::sqrt(f64(a))); });
    one("neg.f64", "f64", "f64", F64, [](auto a, auto, auto) { return a ^ (uint64_t(1) << 63); });
    one("abs.f64", "f64", "f64", F64, [](auto a, auto, auto) { return a & ~(uint64_t(1) << 63); });
}

// --- integers ---

template <class T>
void integers(const std::string& t) {
    using U = std::make_unsigned_t<T>;
    constexpr bool isSigned = std::is_signed_v<T>;
    using W = std::conditional_t<isSigned, __int128, unsigned __int128>;
    size_t w = 8 * sizeof(T);
    two("add." + t, t, INTS, [](auto a, auto b, auto) { return U(T(a)) + U(T(b)); });
    two("sub." + t, t, INTS, [](auto a, auto b, auto) { return U(U(T(a)) - U(T(b))); });
    two("mul.lo." + t, t, INTS, [](auto a, auto b, auto) { return uint64_t(W(T(a)) * W(T(b))); });
    two("mul.hi." + t, t, INTS, [w](auto a, auto b, auto) { return uint64_t((W(T(a)) * W(T(b))) >> w); });
    check("mad.lo." + t + " %d, %a, %b, %c;", t, {t, t, t}, {&INTS, &INTS, &INTS},
          [](auto a, auto b, auto c) { return uint64_t(W(T(a)) * W(T(b)) + W(T(c))); });
    if (w < 64) {
        std::string wide = t.substr(0, 1) + std::to_string(2 * w);
        check("mul.wide." + t + " %d, %a, %b;", wide, {t, t}, {&INTS, &INTS},
              [](auto a, auto b, auto) { return uint64_t(W(T(a)) * W(T(b))); });
        check("mad.wide." + t + " %d, %a, %b, %c;", wide, {t, t, wide}, {&INTS, &INTS, &INTS},
              [](auto a, auto b, auto c) { return uint64_t(W(T(a)) * W(T(b))) + uint64_t(c); });
    }
    two("div." + t, t, INTS, [](auto a, auto b, auto) {
        return T(b) == 0 ? ~uint64_t(0) : uint64_t(W(T(a)) / W(T(b)));
    });
    two("rem." + t, t, INTS, [](auto a, auto b, auto) { return T(b) == 0 ? uint64_t(T(a)) : uint64_t(W(T(a)) % W(T(b))); });
    two("min." + t, t, INTS, [](auto a, auto b, auto) { return uint64_t(T(a) < T(b) ? T(a) : T(b)); });
    two("max." + t, t, INTS, [](auto a, auto b, auto) { return uint64_t(T(a) < T(b) ? T(b) : T(a)); });
    std::string b = "b" + std::to_string(w);
    check("shr." + t + " %d, %a, %b;", t, {t, "u32"}, {&INTS, &INTS}, [w](auto a, auto n, auto) {
        uint32_t s = uint32_t(n);
        return uint64_t(s >= w ? (isSigned && T(a) < 0 ? T(-1) : T(0)) : T(T(a) >> s));
    });
    if (isSigned) {
        one("neg." + t, t, t, INTS, [](auto a, auto, auto) { return 0 - a; });
        one("abs." + t, t, t, INTS, [](auto a, auto, auto) { return T(a) < 0 ? 0 - a : a; });
    } else {
        check("shl." + b + " %d, %a, %b;", t, {t, "u32"}, {&INTS, &INTS},
              [w](auto a, auto n, auto) { return uint32_t(n) >= w ? 0 : a << uint32_t(n); });
        two("and." + b, t, INTS, [](auto a, auto c, auto) { return a & c; });
        two("or." + b, t, INTS, [](auto a, auto c, auto) { return a | c; });
        two("xor." + b, t, INTS, [](auto a, auto c, auto) { return a ^ c; });
        one("not." + b, t, t, INTS, [](auto a, auto, auto) { return ~a; });
        one("cnot." + b, t, t, INTS, [](auto a, auto, auto) { return uint64_t(a == 0); });
    }
    struct {
        const char* name;
        std::function<bool(T, T)> holds;
    } compares[] = {{"eq", [](T x, T y) { return x == y; }}, {"ne", [](T x, T y) { return x != y; }},
                    {"lt", [](T x, T y) { return x < y; }},  {"le", [](T x, T y) { return x <= y; }},
                    {"gt", [](T x, T y) { return x > y; }},  {"ge", [](T x, T y) { return x >= y; }}};
    for (auto& c : compares) {
        check("setp." + std::string(c.name) + "." + t + " %d, %a, %b;", "pred", {t, t}, {&INTS, &INTS},
              [&c](auto x, auto y, auto) { return uint64_t(c.holds(T(x), T(y))); });
    }
    check("selp." + t + " %d, %a, %b, %c;", t, {t, t, "pred"}, {&INTS, &INTS, &INTS},
          [](auto x, auto y, auto p) { return p & 1 ? x : y; });
}

template <class T>
uint64_t bfe(T a, uint32_t b, uint32_t c) {
    // As the PTX book writes it, bit by bit.
    uint32_t msb = 8 * sizeof(T) - 1, pos = b & 255, len = c & 255;
    bool sbit = std::is_signed_v<T> && len != 0 && (uint64_t(a) >> std::min(pos + len - 1, msb) & 1);
    uint64_t d = 0;
    for (uint32_t i = 0; i <= msb; i++) {
        bool bit = i < len && pos + i <= msb ? (uint64_t(a) >> (pos + i) & 1) : sbit;
        d |= uint64_t(bit) << i;
    }
    return d;
}

template <class T>
uint64_t bfi(T a, T b, uint32_t pos, uint32_t len) {
    uint64_t f = b;
    for (uint32_t i = 0; i < len && pos + i < 8 * sizeof(T); i++) {
        f = (f & ~(uint64_t(1) << (pos + i))) | (uint64_t(a >> i & 1) << (pos + i));
    }
    return f;
}

void bitFields() {
    check("bfe.u32 %d, %a, %b, %c;", "u32", {"u32", "u32", "u32"}, {&INTS, &INTS, &INTS},
          [](auto a, auto b, auto c) { return bfe<uint32_t>(uint32_t(a), uint32_t(b), uint32_t(c)); });
    check("bfe.s32 %d, %a, %b, %c;", "s32", {"s32", "u32", "u32"}, {&INTS, &INTS, &INTS},
          [](auto a, auto b, auto c) { return bfe<int32_t>(int32_t(a), uint32_t(b), uint32_t(c)); });
    check("bfe.u64 %d, %a, %b, %c;", "u64", {"u64", "u32", "u32"}, {&INTS, &INTS, &INTS},
          [](auto a, auto b, auto c) { return bfe<uint64_t>(a, uint32_t(b), uint32_t(c)); });
    check("bfe.s64 %d, %a, %b, %c;", "s64", {"s64", "u32", "u32"}, {&INTS, &INTS, &INTS},
          [](auto a, auto b, auto c) { return bfe<int64_t>(int64_t(a), uint32_t(b), uint32_t(c)); });
    for (auto pl : {std::make_pair(0, 8), {5, 7}, {31, 4}, {0, 32}, {3, 0}, {40, 4}}) {
        std::string f = ", " + std::to_string(pl.first) + ", " + std::to_string(pl.second) + ";";
        check("bfi.b32 %d, %a, %b" + f, "u32", {"u32", "u32"}, {&INTS, &INTS}, [pl](auto a, auto b, auto) {
            return bfi<uint32_t>(uint32_t(a), uint32_t(b), uint32_t(pl.first), uint32_t(pl.second));
        });
        check("bfi.b64 %d, %a, %b" + f, "u64", {"u64", "u64"}, {&INTS, &INTS}, [pl](auto a, auto b, auto) {
            return bfi<uint64_t>(a, b, uint32_t(pl.first), uint32_t(pl.second));
        });
    }
    check("prmt.b32 %d, %a, %b, %c;", "u32", {"u32", "u32", "u32"}, {&INTS, &INTS, &INTS}, [](auto a, auto b, auto c) {
        uint8_t all[8];
        uint64_t v = b << 32 | a;
        memcpy(all, &v, 8);
        uint32_t d = 0;
        for (int i = 0; i < 4; i++) {
            unsigned s = unsigned(c >> (4 * i)) & 15;
            int8_t x = int8_t(all[s & 7]);
            d |= uint32_t(uint8_t(s & 8 ? x >> 7 : x)) << (8 * i);
        }
        return uint64_t(d);
    });
    check("shf.l.wrap.b32 %d, %a, %b, %c;", "u32", {"u32", "u32", "u32"}, {&INTS, &INTS, &INTS}, [](auto a, auto b, auto c) {
        unsigned n = c & 31;
        return n ? (b << n | a >> (32 - n)) : b;
    });
    check("shf.r.clamp.b32 %d, %a, %b, %c;", "u32", {"u32", "u32", "u32"}, {&INTS, &INTS, &INTS}, [](auto a, auto b, auto c) {
        unsigned n = c > 32 ? 32 : unsigned(c);
        return n == 32 ? b : n ? (b << (32 - n) | a >> n) : a;
    });
    check("lop3.b32 %d, %a, %b, %c, 0xe8;", "u32", {"u32", "u32", "u32"}, {&INTS, &INTS, &INTS},
          [](auto a, auto b, auto c) { return (a & b) | (b & c) | (a & c); });
    one("popc.b32", "u32", "u32", INTS, [](auto a, auto, auto) { return uint64_t(__builtin_popcountll(a)); });
    one("popc.b64", "u32", "u64", INTS, [](auto a, auto, auto) { return uint64_t(__builtin_popcountll(a)); });
    one("clz.b32", "u32", "u32", INTS, [](auto a, auto, auto) {
        uint64_t n = 0;
        while (n < 32 && !(a >> (31 - n) & 1)) {
            n++;
        }
        return n;
    });
    one("clz.b64", "u32", "u64", INTS, [](auto a, auto, auto) { return a ? uint64_t(__builtin_clzll(a)) : 64; });
    one("brev.b32", "u32", "u32", INTS, [](auto a, auto, auto) {
        uint64_t r = 0;
        for (int i = 0; i < 32; i++) {
            r |= (a >> i & 1) << (31 - i);
        }
        return r;
    });
    one("bfind.u32", "u32", "u32", INTS, [](auto a, auto, auto) { return a ? 63 - uint64_t(__builtin_clzll(a)) : ~uint64_t(0); });
    one("bfind.shiftamt.u32", "u32", "u32", INTS,
        [](auto a, auto, auto) { return a ? uint64_t(__builtin_clzll(a)) - 32 : ~uint64_t(0); });
    one("bfind.s32", "u32", "s32", INTS, [](auto a, auto, auto) {
        uint32_t v = int32_t(a) < 0 ? ~uint32_t(a) : uint32_t(a);
        return v ? 63 - uint64_t(__builtin_clzll(v)) : ~uint64_t(0);
    });
    two("add.sat.s32", "s32", INTS, [](auto a, auto b, auto) {
        int64_t s = int64_t(int32_t(a)) + int32_t(b);
        return uint64_t(s > INT_MAX ? INT_MAX : s < INT_MIN ? INT_MIN : s);
    });
}

void compares() {
    struct {
        const char* name;
        std::function<bool(float, float)> holds;
    } all[] = {
        {"eq", [](float x, float y) { return x == y; }},
        {"ne", [](float x, float y) { return x < y || x > y; }},
        {"lt", [](float x, float y) { return x < y; }},
        {"le", [](float x, float y) { return x <= y; }},
        {"gt", [](float x, float y) { return x > y; }},
        {"ge", [](float x, float y) { return x >= y; }},
        {"equ", [](float x, float y) { return !(x < y || x > y); }},
        {"neu", [](float x, float y) { return !(x == y); }},
        {"ltu", [](float x, float y) { return !(x >= y); }},
        {"leu", [](float x, float y) { return !(x > y); }},
        {"gtu", [](float x, float y) { return !(x <= y); }},
        {"geu", [](float x, float y) { return !(x < y); }},
        {"num", [](float x, float y) { return x == x && y == y; }},
        {"nan", [](float x, float y) { return x != x || y != y; }},
    };
    for (auto& c : all) {
        std::string n = c.name;
        check("setp." + n + ".f32 %d, %a, %b;", "pred", {"f32", "f32"}, {&F32, &F32},
              [&c](auto x, auto y, auto) { return uint64_t(c.holds(f32(x), f32(y))); });
        check("setp." + n + ".ftz.f32 %d, %a, %b;", "pred", {"f32", "f32"}, {&F32, &F32},
              [&c](auto x, auto y, auto) { return uint64_t(c.holds(ftz(f32(x)), ftz(f32(y)))); });
        check("set." + n + ".u32.f32 %d, %a, %b;", "u32", {"f32", "f32"}, {&F32, &F32},
              [&c](auto x, auto y, auto) { return c.holds(f32(x), f32(y)) ? 0xffffffffu : 0u; });
        check("setp." + n + ".and.f32 %d|%q, %a, %b, !%c;", "pred", {"f32", "f32", "pred"}, {&F32, &F32, &INTS},
              [&c](auto x, auto y, auto p) { return uint64_t(c.holds(f32(x), f32(y)) && !(p & 1)); });
        check("setp." + n + ".xor.f32 %q|%d, %a, %b, %c;", "pred", {"f32", "f32", "pred"}, {&F32, &F32, &INTS},
              [&c](auto x, auto y, auto p) { return uint64_t(!c.holds(f32(x), f32(y)) != bool(p & 1)); });
    }
    for (auto& c : all) {
        std::string n = c.name;
        check("setp." + n + ".f64 %d, %a, %b;", "pred", {"f64", "f64"}, {&F64, &F64}, [&n](auto x, auto y, auto) {
            double v = f64(x), w = f64(y);
            bool less = v < w, equal = v == w, more = v > w, un = v != v || w != w;
            std::string o = n.size() == 3 && n != "num" && n != "nan" ? n.substr(0, 2) : n;
            bool r = o == "eq"   ? equal
                     : o == "ne" ? less || more
                     : o == "lt" ? less
                     : o == "le" ? less || equal
                     : o == "gt" ? more
                     : o == "ge" ? more || equal
                     : o == "num" ? !un
                                  : un;
            return uint64_t(r || (o != n && un));
        });
        check("set." + n + ".f32.f32 %d, %a, %b;", "f32", {"f32", "f32"}, {&F32, &F32},
              [&c](auto x, auto y, auto) { return c.holds(f32(x), f32(y)) ? 0x3f800000u : 0u; });
    }
    check("selp.f32 %d, %a, %b, %c;", "f32", {"f32", "f32", "pred"}, {&F32, &F32, &INTS},
          [](auto x, auto y, auto p) { return p & 1 ? x : y; });
    check("selp.f64 %d, %a, %b, %c;", "f64", {"f64", "f64", "pred"}, {&F64, &F64, &INTS},
          [](auto x, auto y, auto p) { return p & 1 ? x : y; });
    check("slct.s32.f32 %d, %a, %b, %c;", "s32", {"s32", "s32", "f32"}, {&INTS, &INTS, &F32},
          [](auto x, auto y, auto c) { return f32(c) >= 0 ? x : y; });
    check("testp.infinite.f32 %d, %a;", "pred", {"f32"}, {&F32}, [](auto a, auto, auto) { return uint64_t(std::isinf(f32(a))); });
    check("testp.number.f32 %d, %a;", "pred", {"f32"}, {&F32}, [](auto a, auto, auto) { return uint64_t(!std::isnan(f32(a))); });
    check("slct.f32.s32 %d, %a, %b, %c;", "f32", {"f32", "f32", "s32"}, {&F32, &F32, &INTS},
          [](auto x, auto y, auto c) { return int32_t(c) >= 0 ? x : y; });
    check("testp.finite.f32 %d, %a;", "pred", {"f32"}, {&F32}, [](auto a, auto, auto) { return uint64_t(std::isfinite(f32(a))); });
    check("testp.subnormal.f32 %d, %a;", "pred", {"f32"}, {&F32},
          [](auto a, auto, auto) { return uint64_t(std::fpclassify(f32(a)) == FP_SUBNORMAL); });
    check("testp.notanumber.f32 %d, %a;", "pred", {"f32"}, {&F32}, [](auto a, auto, auto) { return uint64_t(std::isnan(f32(a))); });
    check("and.pred %d, %a, %b;", "pred", {"pred", "pred"}, {&INTS, &INTS}, [](auto a, auto b, auto) { return a & b & 1; });
    check("or.pred %d, %a, %b;", "pred", {"pred", "pred"}, {&INTS, &INTS}, [](auto a, auto b, auto) { return (a | b) & 1; });
    check("xor.pred %d, %a, %b;", "pred", {"pred", "pred"}, {&INTS, &INTS}, [](auto a, auto b, auto) { return (a ^ b) & 1; });
    check("not.pred %d, %a;", "pred", {"pred"}, {&INTS}, [](auto a, auto, auto) { return ~a & 1; });
    check("mov.pred %d, -1;", "pred", {"pred"}, {&INTS}, [](auto, auto, auto) { return uint64_t(1); });
}

// --- conversions ---

template <class D, class S>
uint64_t toInt(S v, S rounded) {
    if (v != v) {
        return sizeof(D) == 8 || sizeof(S) == 8 ? uint64_t(1) << (8 * sizeof(D) - 1) : 0;
    }
    long double r = rounded, lo = std::numeric_limits<D>::min(), hi = std::numeric_limits<D>::max();
    return uint64_t(r < lo ? std::numeric_limits<D>::min() : r > hi ? std::numeric_limits<D>::max() : D(r));
}

template <class D>
void floatToInt(const std::string& d) {
    std::string reg = width(d) < 16 ? "u16" : d;
    uint64_t keep = width(d) == 8 ? 0xffff : ~uint64_t(0);
    struct {
        const char* name;
        double (*f)(double);
    } modes[] = {{"rni", nearbyint}, {"rzi", trunc}, {"rmi", floor}, {"rpi", ceil}};
    for (auto& m : modes) {
        std::string n = m.name;
        one("cvt." + n + "." + d + ".f32", reg, "f32", F32, [&m, keep](auto a, auto, auto) {
            return toInt<D, float>(f32(a), float(m.f(double(f32(a))))) & keep;
        });
        one("cvt." + n + "." + d + ".f64", reg, "f64", F64, [&m, keep](auto a, auto, auto) {
            return toInt<D, double>(f64(a), m.f(f64(a))) & keep;
        });
    }
}

template <class D, class S>
void intToInt(const std::string& d, const std::string& s) {
    // Through a register wider than the type where the type has 8 bits.
    std::string to = width(d) < 16 ? "u16" : d, from = width(s) < 16 ? "u16" : s;
    one("cvt." + d + "." + s, to, from, INTS, [](auto a, auto, auto) {
        uint64_t r = uint64_t(D(S(a)));
        return sizeof(D) == 1 ? r & 0xffff : r;
    });
    one("cvt.sat." + d + "." + s, to, from, INTS, [](auto a, auto, auto) {
        __int128 v = S(a), lo = std::numeric_limits<D>::min(), hi = std::numeric_limits<D>::max();
        uint64_t r = uint64_t(D(v < lo ? lo : v > hi ? hi : v));
        return sizeof(D) == 1 ? r & 0xffff : r;
    });
}

template <class S>
void fromInt(const std::string& s) {
    intToInt<uint8_t, S>("u8", s);
    intToInt<int8_t, S>("s8", s);
    intToInt<uint16_t, S>("u16", s);
    intToInt<int16_t, S>("s16", s);
    intToInt<uint32_t, S>("u32", s);
    intToInt<int32_t, S>("s32", s);
    intToInt<uint64_t, S>("u64", s);
    intToInt<int64_t, S>("s64", s);
    one("cvt.rn.f32." + s, "f32", width(s) < 16 ? "u16" : s, INTS, [](auto a, auto, auto) { return out(float(S(a))); });
    one("cvt.rn.f64." + s, "f64", width(s) < 16 ? "u16" : s, INTS, [](auto a, auto, auto) { return out(double(S(a))); });
}

void conversions() {
    floatToInt<uint8_t>("u8");
    floatToInt<int16_t>("s16");
    floatToInt<uint32_t>("u32");
    floatToInt<int32_t>("s32");
    floatToInt<uint64_t>("u64");
    floatToInt<int64_t>("s64");
    fromInt<uint8_t>("u8");
    fromInt<int8_t>("s8");
    fromInt<uint16_t>("u16");
    fromInt<int16_t>("s16");
    fromInt<uint32_t>("u32");
    fromInt<int32_t>("s32");
    fromInt<uint64_t>("u64");
    fromInt<int64_t>("s64");
    one("cvt.rn.f32.f64", "f32", "f64", F64, [](auto a, auto, auto) { return out(float(f64(a))); });
    one("cvt.f64.f32", "f64", "f32", F32, [](auto a, auto, auto) { return out(double(f32(a))); });
    one("cvt.sat.f32.f32", "f32", "f32", F32, [](auto a, auto, auto) { return out(sat(f32(a))); });
    one("cvt.ftz.f32.f32", "f32", "f32", F32, [](auto a, auto, auto) { return out(ftz(f32(a))); });
    one("cvt.rni.f32.f32", "f32", "f32", F32, [](auto a, auto, auto) { return out(std::nearbyint(f32(a))); });
    one("cvt.rzi.f32.f32", "f32", "f32", F32, [](auto a, auto, auto) { return out(std::trunc(f32(a))); });
    one("cvt.rmi.f32.f32", "f32", "f32", F32, [](auto a, auto, auto) { return out(std::floor(f32(a))); });
    std::vector<uint64_t> halves = F32;
    for (uint32_t b : {0x3f801000u, 0x3f800fffu, 0x3f803000u, 0x3f802fffu, 0x3ffff000u, 0x7f7fefffu, 0x7f7ff000u, 0x00001000u, 0x007ff000u}) {
        halves.push_back(b);
        halves.push_back(b | 0x80000000u);
    }
    check("cvt.rna.tf32.f32 %d, %a;", "u32", {"f32"}, {&halves}, [](auto a, auto, auto) {
        double x = f32(a), unit = std::ldexp(1.0, std::max(std::isfinite(x) && x != 0 ? std::ilogb(x) : 0, -126) - 10);
        return out(std::isfinite(x) ? std::copysign(float(std::round(x / unit) * unit), float(x)) : float(x));
    }, "sm_80");
    one("cvt.rpi.f32.f32", "f32", "f32", F32, [](auto a, auto, auto) { return out(std::ceil(f32(a))); });
}

void moves() {
    one("mov.b32", "u32", "u32", INTS, [](auto a, auto, auto) { return a; });
    one("mov.f64", "f64", "f64", F64, [](auto a, auto, auto) { return a; });
    check("{ .reg .b32 %l, %h; mov.b64 {%l, %h}, %a; mov.b64 %d, {%h, %l}; }", "u64", {"u64"}, {&INTS},
          [](auto a, auto, auto) { return a << 32 | a >> 32; });
    check("{ .reg .b16 %l, %h; mov.b32 {%l, %h}, %a; mov.b32 %d, {%h, %l}; }", "u32", {"u32"}, {&INTS},
          [](auto a, auto, auto) { return (a << 16 | a >> 16) & 0xffffffffu; });
    check("mov.b32 %d, 0f3F800000;", "u32", {"u32"}, {&INTS}, [](auto, auto, auto) { return uint64_t(0x3f800000); });
    check("add.s32 %d, %a, -5;", "u32", {"u32"}, {&INTS}, [](auto a, auto, auto) { return a - 5; });
    check("{ .reg .b64 %g; cvt.u64.u32 %g, %a; cvta.shared.u64 %g, %g; cvta.to.shared.u64 %d, %g; }", "u64", {"u32"}, {&INTS},
          [](auto a, auto, auto) { return a; });
}

}  // namespace

void instructions() {
    floats();
    integers<int16_t>("s16");
    integers<uint16_t>("u16");
    integers<int32_t>("s32");
    integers<uint32_t>("u32");
    integers<int64_t>("s64");
    integers<uint64_t>("u64");
    bitFields();
    compares();
    conversions();
    moves();
}

}  // namespace test
