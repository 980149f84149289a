// TF32, as tensor cores take it and as they sum: for mma and for the matrix products.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

namespace softgpu {

// The lower bits cut off, as a tensor core does that is fed float32; who rounds first does better. A NaN stays one here only
// if its upper bits say so.
inline float toTf32(float v) {
    uint32_t bits;
    memcpy(&bits, &v, 4);
    bits &= ~0x1fffu;
    memcpy(&v, &bits, 4);
    return v;
}

// A tensor core's sum in float32: what float32 cannot hold is cut off, towards zero. From 2^128 on it is infinite.
inline float cutOff(double sum) {
    float nearest = float(sum);
    uint32_t bits;
    memcpy(&bits, &nearest, 4);
    bits -= std::fabs(double(nearest)) > std::fabs(sum) && std::fabs(sum) < 0x1p128;
    memcpy(&nearest, &bits, 4);
    return nearest;
}

}  // namespace softgpu
