// Pooling over time and dropout. x is [T,N,C], row-major; grids cover channels in x and rows in y, loops stride by the
// grid. Offsets are 64 bits wide.

#include "strides.cuh"

__device__ bool live(const int* mask, Index t, Index n, Index rows) { return !mask || mask[t * rows + n] != 0; }

/// Larger, or the first NaN: a NaN must not vanish in a maximum.
__device__ bool beats(float candidate, float best) { return candidate > best || (candidate != candidate && best == best); }

/// y [N,C] = the largest live value, 0 where there is none; argmax [N,C] = its step, the earliest of equal ones, or -1.
extern "C" __global__ void __launch_bounds__(256) pool_max_forward(
        const float* x, const int* mask, float* y, int* argmax, Index steps, Index rows, Index channels) {
    #pragma unroll 1
    for (Index n = firstRow(); n < rows; n += rowStride()) {
        #pragma unroll 1
        for (Index c = firstUnit(); c < channels; c += unitStride()) {
            float best = 0.0f;
            Index step = -1;
            for (Index t = 0; t < steps; t++) {
                if (!live(mask, t, n, rows)) continue;
                float v = x[(t * rows + n) * channels + c];
                if (step < 0 || beats(v, best)) {
                    best = v;
                    step = t;
                }
            }
            y[n * channels + c] = best;
            argmax[n * channels + c] = (int)step;
        }
    }
}

/// dx [T,N,C] = dy [N,C] at the step argmax names, 0 elsewhere.
extern "C" __global__ void __launch_bounds__(256) pool_max_backward(
        const float* dy, const int* argmax, float* dx, Index steps, Index rows, Index channels) {
    #pragma unroll 1
    for (Index n = firstRow(); n < rows; n += rowStride()) {
        #pragma unroll 1
        for (Index c = firstUnit(); c < channels; c += unitStride()) {
            float g = dy[n * channels + c];
            Index step = argmax[n * channels + c];
            for (Index t = 0; t < steps; t++) dx[(t * rows + n) * channels + c] = t == step ? g : 0.0f;
        }
    }
}

/// y [N,C] = the mean of the live values, 0 where there is none.
extern "C" __global__ void __launch_bounds__(256) pool_mean_forward(
        const float* x, const int* mask, float* y, Index steps, Index rows, Index channels) {
    #pragma unroll 1
    for (Index n = firstRow(); n < rows; n += rowStride()) {
        #pragma unroll 1
        for (Index c = firstUnit(); c < channels; c += unitStride()) {
            float sum = 0.0f;
            Index count = 0;
            for (Index t = 0; t < steps; t++) {
                if (!live(mask, t, n, rows)) continue;
                sum += x[(t * rows + n) * channels + c];
                count++;
            }
            y[n * channels + c] = count == 0 ? 0.0f : sum / (float)count;
        }
    }
}

/// dx [T,N,C] = dy [N,C] / number of live steps at live steps, 0 elsewhere.
extern "C" __global__ void __launch_bounds__(256) pool_mean_backward(
        const float* dy, const int* mask, float* dx, Index steps, Index rows, Index channels) {
    #pragma unroll 1
    for (Index n = firstRow(); n < rows; n += rowStride()) {
        Index count = 0;
        for (Index t = 0; t < steps; t++) count += live(mask, t, n, rows) ? 1 : 0;
        #pragma unroll 1
        for (Index c = firstUnit(); c < channels; c += unitStride()) {
            float g = dy[n * channels + c] / (float)count;
            #pragma unroll 1
            for (Index t = 0; t < steps; t++) {
                dx[(t * rows + n) * channels + c] = live(mask, t, n, rows) ? g : 0.0f;
            }
        }
    }
}

/// The four words of Philox4x32-10 (Salmon, Moraes, Dror and Shaw, SC 2011) for counter (c0, c1, c2, 0).
__device__ uint4 philox(unsigned c0, unsigned c1, unsigned c2, unsigned k0, unsigned k1) {
    uint4 c = make_uint4(c0, c1, c2, 0);
#pragma unroll
    for (int round = 0; round < 10; round++) {
        unsigned high0 = __umulhi(0xD2511F53u, c.x);
        unsigned low0 = 0xD2511F53u * c.x;
        unsigned high1 = __umulhi(0xCD9E8D57u, c.z);
        unsigned low1 = 0xCD9E8D57u * c.z;
        c = make_uint4(high1 ^ c.y ^ k0, low1, high0 ^ c.w ^ k1, low0);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return c;
}

__device__ float drop(float x, unsigned word, unsigned threshold, float scale) {
    return word >= threshold ? x * scale : 0.0f;
}

/// y [T,N,H] = x * scale where the element's word is at least the threshold, else 0; y may be x. Variational: every step
/// counts as step 0. A thread takes the four channels that share a counter.
extern "C" __global__ void __launch_bounds__(256) dropout(
        const float* x,
        float* y,
        Index steps,
        Index rows,
        Index channels,
        unsigned variational,
        unsigned firstRowNumber,
        unsigned seedLow,
        unsigned seedHigh,
        unsigned threshold,
        float scale) {
    bool quads = channels % 4 == 0 && aligned(x, y);
    #pragma unroll 1
    for (Index row = firstRow(); row < steps * rows; row += rowStride()) {
        unsigned t = variational ? 0 : (unsigned)(row / rows);
        unsigned n = (unsigned)(row % rows);
        #pragma unroll 1
        for (Index quad = firstUnit(); quad * 4 < channels; quad += unitStride()) {
            uint4 word = philox((unsigned)quad, t, firstRowNumber + n, seedLow, seedHigh);
            Index i = row * channels + quad * 4;
            if (quads) {
                float4 v = *(const float4*)(x + i);
                v.x = drop(v.x, word.x, threshold, scale);
                v.y = drop(v.y, word.y, threshold, scale);
                v.z = drop(v.z, word.z, threshold, scale);
                v.w = drop(v.w, word.w, threshold, scale);
                *(float4*)(y + i) = v;
            } else {
                Index left = channels - quad * 4;
                y[i] = drop(x[i], word.x, threshold, scale);
                if (left > 1) y[i + 1] = drop(x[i + 1], word.y, threshold, scale);
                if (left > 2) y[i + 2] = drop(x[i + 2], word.z, threshold, scale);
                if (left > 3) y[i + 3] = drop(x[i + 3], word.w, threshold, scale);
            }
        }
    }
}
