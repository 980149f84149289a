// Compiled with -frounding-math: the handlers below switch the host's rounding mode.
#include "float_math.h"

#include "lanes.h"

#include <cfenv>
#include <cstring>

namespace softgpu {

float ex2Approx(float a) {
    return float(std::exp2(double(a)));
}

float lg2Approx(float a) {
    return float(std::log2(double(a)));
}

float rsqrtApprox(float a) {
    return float(1.0 / std::sqrt(double(a)));
}

float sinApprox(float a) {
    return float(std::sin(double(a)));
}

float cosApprox(float a) {
    return float(std::cos(double(a)));
}

float tanhApprox(float a) {
    return float(std::tanh(double(a)));
}

// a * (1 / b), and the reciprocal of a large b is flushed.
float divApprox(float a, float b) {
    float size = std::fabs(b);
    if (size > 8.507059173e37f && size < INFINITY) {
        return std::isinf(a) || a != a ? NAN : std::copysign(0.0f, a) * std::copysign(1.0f, b);
    }
    return a / b;
}

namespace {

double upperHalf(double v) {
    uint64_t bits;
    memcpy(&bits, &v, 8);
    bits &= ~uint64_t(0xffffffff);
    memcpy(&v, &bits, 8);
    return v;
}

double noDenormal(double v) {
    return std::fabs(v) < DBL_MIN ? std::copysign(0.0, v) : v;
}

}  // namespace

double rcpApprox64(double a) {
    return noDenormal(upperHalf(1.0 / noDenormal(a)));
}

double rsqrtApprox64(double a) {
    return noDenormal(upperHalf(1.0 / std::sqrt(noDenormal(a))));
}

namespace {

template <class T>
T compute(Rounded what, T a, T b, T c) {
    // volatile: nothing may be computed before the rounding mode is set, or at compile time.
    volatile T x = a, y = b, z = c;
    volatile T r;
    switch (what) {
        case Rounded::add:
            r = x + y;
            break;
        case Rounded::sub:
            r = x - y;
            break;
        case Rounded::mul:
            r = x * y;
            break;
        case Rounded::div:
            r = x / y;
            break;
        case Rounded::rcp:
            r = T(1) / x;
            break;
        case Rounded::sqrt:
            r = std::sqrt(T(x));
            break;
        default:
            r = std::fma(T(x), T(y), T(z));
            break;
    }
    return r;
}

template <class T>
void rounded(Machine& m, const Op& op, uint32_t lanes) {
    static const int MODES[] = {FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};
    bool ftz = op.aux2 & 16, sat = op.aux2 & 32;
    const T *a = slot<T>(m, op.a), *b = slot<T>(m, op.b), *c = slot<T>(m, op.c);
    T r[LANES];
    int before = fegetround();
    fesetround(MODES[op.aux2 & 3]);
    for (int i = 0; i < LANES; i++) {
        if (lanes >> i & 1) {
            T x = a[i], y = b[i], z = c[i];
            r[i] = ftz ? compute(Rounded(op.aux), flush<T, true>(x), flush<T, true>(y), flush<T, true>(z))
                       : compute(Rounded(op.aux), x, y, z);
        } else {
            r[i] = 0;
        }
    }
    fesetround(before);
    for (int i = 0; i < LANES; i++) {
        r[i] = ftz ? finish<T, true, false>(r[i]) : finish<T, false, false>(r[i]);
        r[i] = sat ? finish<T, false, true>(r[i]) : r[i];
    }
    blend(slot<T>(m, op.d), r, lanes);
}

}  // namespace

Handler roundedHandler(bool isDouble) {
    return isDouble ? &rounded<double> : &rounded<float>;
}

}  // namespace softgpu
