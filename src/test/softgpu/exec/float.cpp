// Arithmetic of f32 and f64, and the opcodes that integers and floats share.
#include "decoder.h"
#include "float_math.h"
#include "lanes.h"

namespace softgpu {

void decodeIntegerBinary(Decoder& d, const std::string& type);
void decodeIntegerUnary(Decoder& d, const std::string& type);
void decodeIntegerMultiply(Decoder& d, const std::string& type, bool mad);

namespace {

// Around each operation: denormals to zero if .ftz, [0, 1] if .sat, and the one NaN that the hardware gives.
template <class T, class F, bool FTZ, bool SAT>
struct Float2 {
    static T apply(T a, T b) {
        return finish<T, FTZ, SAT>(F::apply(flush<T, FTZ>(a), flush<T, FTZ>(b)));
    }
};
template <class T, class F, bool FTZ, bool SAT>
struct Float3 {
    static T apply(T a, T b, T c) {
        return finish<T, FTZ, SAT>(F::apply(flush<T, FTZ>(a), flush<T, FTZ>(b), flush<T, FTZ>(c)));
    }
};
template <class T, class F, bool FTZ>
struct Float1 {
    static T apply(T a) { return finish<T, FTZ, false>(F::apply(flush<T, FTZ>(a))); }
};

struct Add {
    template <class T>
    static T apply(T a, T b) {
        return a + b;
    }
};
struct Sub {
    template <class T>
    static T apply(T a, T b) {
        return a - b;
    }
};
struct Mul {
    template <class T>
    static T apply(T a, T b) {
        return a * b;
    }
};
struct Div {
    template <class T>
    static T apply(T a, T b) {
        return a / b;
    }
};
struct Fma {
    static float apply(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
    static double apply(double a, double b, double c) { return __builtin_fma(a, b, c); }
};
struct Sqrt {
    static float apply(float a) { return __builtin_sqrtf(a); }
    static double apply(double a) { return __builtin_sqrt(a); }
};
struct Rcp {
    template <class T>
    static T apply(T a) {
        return T(1) / a;
    }
};
// A NaN operand gives the other one, unless .NaN is asked for; -0 is less than +0.
template <bool NAN_WINS>
struct Min {
    template <class T>
    static T apply(T a, T b) {
        T r = a < b ? a : b < a ? b : (__builtin_signbit(a) ? a : b);
        T lone = NAN_WINS ? T(NAN) : (a != a ? b : a);
        return a != a || b != b ? lone : r;
    }
};
template <bool NAN_WINS>
struct Max {
    template <class T>
    static T apply(T a, T b) {
        T r = a > b ? a : b > a ? b : (__builtin_signbit(a) ? b : a);
        T lone = NAN_WINS ? T(NAN) : (a != a ? b : a);
        return a != a || b != b ? lone : r;
    }
};

// Only the sign changes, NaN or not.
template <class T, bool FTZ>
struct Neg {
    static T apply(T a) { return -flush<T, FTZ>(a); }
};
template <class T, bool FTZ>
struct Abs {
    static T apply(T a) { return std::fabs(flush<T, FTZ>(a)); }
};
template <class T>
struct CopySign {  // the sign of a on the value of b
    static T apply(T a, T b) { return std::copysign(b, a); }
};

template <float (*FN)(float), bool FTZ>
struct Approx {
    static float apply(float a) { return finish<float, FTZ, false>(FN(flush<float, FTZ>(a))); }
};

// --- decoding ---

bool isFloat(const std::string& t) {
    return t[0] == 'f';
}

template <class T, class F>
Handler two(bool ftz, bool sat) {
    return ftz ? (sat ? &binary<T, T, T, Float2<T, F, true, true>> : &binary<T, T, T, Float2<T, F, true, false>>)
               : (sat ? &binary<T, T, T, Float2<T, F, false, true>> : &binary<T, T, T, Float2<T, F, false, false>>);
}

template <class T, class F>
Handler one(bool ftz) {
    return ftz ? &unary<T, T, Float1<T, F, true>> : &unary<T, T, Float1<T, F, false>>;
}

template <class F>
Handler twoOf(const std::string& type, bool ftz, bool sat) {
    return type == "f32" ? two<float, F>(ftz, sat) : type == "f64" && !ftz && !sat ? two<double, F>(false, false) : nullptr;
}

template <class F>
Handler oneOf(const std::string& type, bool ftz) {
    return type == "f32" ? one<float, F>(ftz) : type == "f64" && !ftz ? one<double, F>(false) : nullptr;
}

// .rz, .rm and .rp go through handlers that switch the host's rounding.
bool directed(Decoder& d, Rounded what, const std::string& type, const std::string& rounding, bool ftz, bool sat) {
    if (rounding.empty() || rounding == "rn") {
        return false;
    }
    d.op.run = roundedHandler(type == "f64");
    if (type == "f64" && (ftz || sat)) {
        d.refuse("not for .f64");
    }
    d.op.aux = uint16_t(what);
    d.op.aux2 = uint16_t((rounding == "rz" ? 0 : rounding == "rm" ? 1 : 2) | ftz << 4 | sat << 5);
    return true;
}

void addSubMul(Decoder& d) {
    std::string type = d.type();
    const std::string& name = d.ins().opcode;
    if (!isFloat(type)) {
        if (name == "mul") {
            decodeIntegerMultiply(d, type, false);
        } else {
            decodeIntegerBinary(d, type);
        }
        return;
    }
    std::string rounding = d.takeOne({"rn", "rz", "rm", "rp"});
    bool ftz = d.take("ftz"), sat = d.take("sat");
    d.takeOperands({type, type, type});
    Rounded what = name == "add" ? Rounded::add : name == "sub" ? Rounded::sub : Rounded::mul;
    if (!directed(d, what, type, rounding, ftz, sat)) {
        d.op.run = name == "add" ? twoOf<Add>(type, ftz, sat)
                   : name == "sub" ? twoOf<Sub>(type, ftz, sat)
                                   : twoOf<Mul>(type, ftz, sat);
    }
}

void fma(Decoder& d) {
    std::string type = d.type();
    if (!isFloat(type)) {
        if (d.ins().opcode == "fma") {
            d.refuse("fma of integers");
        }
        decodeIntegerMultiply(d, type, true);
        return;
    }
    std::string rounding = d.takeOne({"rn", "rz", "rm", "rp"});
    if (rounding.empty()) {
        d.refuse("fma without a rounding");
    }
    bool ftz = d.take("ftz"), sat = d.take("sat");
    d.takeOperands({type, type, type, type});
    if (directed(d, Rounded::fma, type, rounding, ftz, sat)) {
        return;
    }
    if (type == "f64") {
        d.op.run = ftz || sat ? nullptr : &ternary<double, double, double, double, Float3<double, Fma, false, false>>;
    } else if (type == "f32") {
        using F = float;
        d.op.run = ftz ? (sat ? &ternary<F, F, F, F, Float3<F, Fma, true, true>> : &ternary<F, F, F, F, Float3<F, Fma, true, false>>)
                       : (sat ? &ternary<F, F, F, F, Float3<F, Fma, false, true>> : &ternary<F, F, F, F, Float3<F, Fma, false, false>>);
    }
}

void divide(Decoder& d) {
    std::string type = d.type();
    if (!isFloat(type)) {
        decodeIntegerBinary(d, type);
        return;
    }
    std::string rounding = d.takeOne({"rn", "rz", "rm", "rp", "approx", "full"});
    bool ftz = d.take("ftz");
    if (rounding.empty()) {
        d.refuse("div without a rounding");
    }
    d.takeOperands({type, type, type});
    if (rounding == "approx" || rounding == "full") {
        struct Approximate {
            static float apply(float a, float b) { return divApprox(a, b); }
        };
        d.op.run = type != "f32" ? nullptr : rounding == "full" ? two<float, Div>(ftz, false) : two<float, Approximate>(ftz, false);
    } else if (!directed(d, Rounded::div, type, rounding, ftz, false)) {
        d.op.run = twoOf<Div>(type, ftz, false);
    }
}

void minMax(Decoder& d) {
    std::string type = d.type();
    if (!isFloat(type)) {
        decodeIntegerBinary(d, type);
        return;
    }
    bool ftz = d.take("ftz"), nan = d.take("NaN");
    d.takeOperands({type, type, type});
    bool min = d.ins().opcode == "min";
    if (type == "f64" && nan) {
        d.refuse(".NaN of .f64");
    }
    d.op.run = min ? (nan ? twoOf<Min<true>>(type, ftz, false) : twoOf<Min<false>>(type, ftz, false))
                   : (nan ? twoOf<Max<true>>(type, ftz, false) : twoOf<Max<false>>(type, ftz, false));
}

void negAbs(Decoder& d) {
    std::string type = d.type();
    if (!isFloat(type)) {
        decodeIntegerUnary(d, type);
        return;
    }
    bool ftz = d.take("ftz"), neg = d.ins().opcode == "neg";
    d.takeOperands({type, type});
    if (type == "f32") {
        d.op.run = neg ? (ftz ? &unary<float, float, Neg<float, true>> : &unary<float, float, Neg<float, false>>)
                       : (ftz ? &unary<float, float, Abs<float, true>> : &unary<float, float, Abs<float, false>>);
    } else if (type == "f64" && !ftz) {
        d.op.run = neg ? &unary<double, double, Neg<double, false>> : &unary<double, double, Abs<double, false>>;
    }
}

void copySign(Decoder& d) {
    std::string type = d.type();
    d.takeOperands({type, type, type});
    d.op.run = type == "f32"   ? &binary<float, float, float, CopySign<float>>
               : type == "f64" ? &binary<double, double, double, CopySign<double>>
                               : nullptr;
}

template <float (*FN)(float)>
Handler approx(bool ftz) {
    return ftz ? &unary<float, float, Approx<FN, true>> : &unary<float, float, Approx<FN, false>>;
}

void rcpSqrt(Decoder& d) {
    std::string type = d.type();
    bool rcp = d.ins().opcode == "rcp";
    std::string rounding = d.takeOne({"rn", "rz", "rm", "rp", "approx"});
    bool ftz = d.take("ftz");
    if (rounding.empty()) {
        d.refuse("a rounding is missing");
    }
    d.takeOperands({type, type});
    if (rounding == "approx") {
        if (type == "f64" && rcp && ftz) {
            struct Coarse {
                static double apply(double a) { return rcpApprox64(a); }
            };
            d.op.run = &unary<double, double, Float1<double, Coarse, false>>;
        } else if (type == "f32") {
            d.op.run = rcp ? one<float, Rcp>(ftz) : one<float, Sqrt>(ftz);
        }
    } else if (!directed(d, rcp ? Rounded::rcp : Rounded::sqrt, type, rounding, ftz, false)) {
        d.op.run = rcp ? oneOf<Rcp>(type, ftz) : oneOf<Sqrt>(type, ftz);
    }
}

void transcendental(Decoder& d) {
    const std::string& name = d.ins().opcode;
    if (!d.take("approx")) {
        d.refuse("only .approx");
    }
    bool ftz = d.take("ftz");
    std::string type = d.type();
    d.takeOperands({type, type});
    if (type == "f64") {
        struct Coarse {
            static double apply(double a) { return rsqrtApprox64(a); }
        };
        d.op.run = name == "rsqrt" ? &unary<double, double, Float1<double, Coarse, false>> : nullptr;
    } else if (type == "f32") {
        d.op.run = name == "ex2"     ? approx<ex2Approx>(ftz)
                   : name == "lg2"   ? approx<lg2Approx>(ftz)
                   : name == "rsqrt" ? approx<rsqrtApprox>(ftz)
                   : name == "sin"   ? approx<sinApprox>(ftz)
                   : name == "cos"   ? approx<cosApprox>(ftz)
                   : !ftz            ? approx<tanhApprox>(false)
                                     : nullptr;
    }
}

}  // namespace

void addFloatFamilies(std::map<std::string, Family>& table) {
    table["add"] = table["sub"] = table["mul"] = addSubMul;
    table["fma"] = table["mad"] = fma;
    table["div"] = divide;
    table["min"] = table["max"] = minMax;
    table["neg"] = table["abs"] = negAbs;
    table["copysign"] = copySign;
    table["rcp"] = table["sqrt"] = rcpSqrt;
    for (const char* n : {"ex2", "lg2", "rsqrt", "sin", "cos", "tanh"}) {
        table[n] = transcendental;
    }
}

}  // namespace softgpu
