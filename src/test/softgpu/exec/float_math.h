// Scalar pieces of float arithmetic as the device does it.
#pragma once

#include "program.h"

#include <cfloat>
#include <cmath>
#include <string>

namespace softgpu {

template <class T, bool FTZ>
inline T flush(T a) {
    if constexpr (FTZ) {
        return std::fabs(a) < FLT_MIN ? std::copysign(T(0), a) : a;
    } else {
        return a;
    }
}

// Every NaN that arithmetic makes is the same one.
template <class T>
inline T canonical(T a) {
    if constexpr (sizeof(T) == 4) {
        uint32_t bits = 0x7fffffff;
        T nan;
        __builtin_memcpy(&nan, &bits, 4);
        return a != a ? nan : a;
    } else {
        uint64_t bits = 0xfff8000000000000;
        T nan;
        __builtin_memcpy(&nan, &bits, 8);
        return a != a ? nan : a;
    }
}

template <class T, bool FTZ, bool SAT>
inline T finish(T a) {
    a = flush<T, FTZ>(a);
    if constexpr (SAT) {
        return a > T(0) ? (a < T(1) ? a : T(1)) : T(0);  // NaN gives 0
    }
    return canonical(a);
}

// The device's approximations, here to the last bit or nearly so: how far it is off in truth is not modelled.
float ex2Approx(float a);
float lg2Approx(float a);
float rsqrtApprox(float a);
float sinApprox(float a);
float cosApprox(float a);
float tanhApprox(float a);
float divApprox(float a, float b);
double rcpApprox64(double a);    // 20 bits of the mantissa
double rsqrtApprox64(double a);

enum class Rounded : uint16_t { add, sub, mul, fma, div, rcp, sqrt };
// Runs op.aux (a Rounded) under op.aux2: 0 towards zero, 1 down, 2 up; 16 for .ftz, 32 for .sat.
Handler roundedHandler(bool isDouble);

}  // namespace softgpu
