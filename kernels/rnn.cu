// Elman's recurrence, the part of a step that is not a matrix product. The products run in cuBLAS: before a forward
// kernel `after` holds x_t Wx + h_before Wh, after a backward kernel da Wh^T is still to be added to dh_before.
//
// All matrices are [rows, columns] = [N,H], row-major. `mask` [N] belongs to the step and may be null. The grid covers
// columns in x and rows in y; every loop strides by the grid, so any grid gives the same result. Offsets are 64 bits wide.
//
// Recurrent dropout has its factors m [N,H] in memory, 0 where a channel is dropped; null means that nothing is.

#include "strides.cuh"

enum Activation { TANH, RELU, LINEAR };

template <Activation A>
__device__ float activate(float a) {
    if (A == TANH) return tanhf(a);
    if (A == RELU) return !(a <= 0.0f) ? a : 0.0f; // a NaN stays NaN
    return a;
}

/// The activation's derivative, told by its result.
template <Activation A>
__device__ float derivative(float h) {
    if (A == TANH) return __fmaf_rn(-h, h, 1.0f);
    if (A == RELU) return h > 0.0f ? 1.0f : 0.0f;
    return 1.0f;
}

/// m * v; nothing of what is dropped comes through, be it infinite.
__device__ float kept(float m, float v) { return m != 0.0f ? __fmul_rn(m, v) : 0.0f; }

/// g + m * v, in one rounding wherever it is computed.
__device__ float addKept(float g, float m, float v) { return m != 0.0f ? __fmaf_rn(m, v, g) : g; }

__device__ float4 kept(float4 m, float4 v) {
    return make_float4(kept(m.x, v.x), kept(m.y, v.y), kept(m.z, v.z), kept(m.w, v.w));
}

__device__ float4 addKept(float4 g, float4 m, float4 v) {
    return make_float4(
            addKept(g.x, m.x, v.x), addKept(g.y, m.y, v.y), addKept(g.z, m.z, v.z), addKept(g.w, m.w, v.w));
}

/// Whether every row of these matrices begins at a multiple of 16 bytes, so that four numbers move at once.
__device__ bool quads(Index columns, const void* p, const void* q, const void* r) {
    return columns % 4 == 0 && aligned(p, q, r);
}

template <Activation A>
__device__ void forward(
        const float* bias,
        const float* before,
        float* after,
        const int* mask,
        const float* factors,
        float* seen,
        Index rows,
        Index columns) {
    if (quads(columns, bias, before, after) && quads(columns, factors, seen, seen)) {
        #pragma unroll 1
        for (Index c = firstUnit() * 4; c < columns; c += unitStride() * 4) {
            float4 b = bias ? *(const float4*)(bias + c) : make_float4(0, 0, 0, 0);
            #pragma unroll 1
            for (Index row = firstRow(); row < rows; row += rowStride()) {
                Index i = row * columns + c;
                float4 v;
                if (mask && mask[row] == 0) {
                    v = *(const float4*)(before + i);
                } else {
                    v = *(float4*)(after + i);
                    v.x = activate<A>(v.x + b.x);
                    v.y = activate<A>(v.y + b.y);
                    v.z = activate<A>(v.z + b.z);
                    v.w = activate<A>(v.w + b.w);
                }
                *(float4*)(after + i) = v;
                if (factors) *(float4*)(seen + i) = kept(*(const float4*)(factors + i), v);
            }
        }
        return;
    }
    #pragma unroll 1
    for (Index c = firstUnit(); c < columns; c += unitStride()) {
        float b = bias ? bias[c] : 0.0f;
        #pragma unroll 1
        for (Index row = firstRow(); row < rows; row += rowStride()) {
            Index i = row * columns + c;
            float v = mask && mask[row] == 0 ? before[i] : activate<A>(after[i] + b);
            after[i] = v;
            if (factors) seen[i] = kept(factors[i], v);
        }
    }
}

template <Activation A>
__device__ void backward(
        const float* h,
        float* dh,
        float* dhBefore,
        const int* mask,
        const float* factors,
        const float* product,
        Index rows,
        Index columns) {
    if (quads(columns, h, dh, dhBefore) && quads(columns, factors, product, product)) {
        #pragma unroll 1
        for (Index c = firstUnit() * 4; c < columns; c += unitStride() * 4) {
            #pragma unroll 1
            for (Index row = firstRow(); row < rows; row += rowStride()) {
                Index i = row * columns + c;
                float4 g = *(float4*)(dh + i);
                if (factors) g = addKept(g, *(const float4*)(factors + i), *(const float4*)(product + i));
                if (mask && mask[row] == 0) {
                    float4 d = *(float4*)(dhBefore + i);
                    d.x += g.x;
                    d.y += g.y;
                    d.z += g.z;
                    d.w += g.w;
                    *(float4*)(dhBefore + i) = d;
                    g = make_float4(0, 0, 0, 0);
                } else {
                    float4 v = *(const float4*)(h + i);
                    g.x *= derivative<A>(v.x);
                    g.y *= derivative<A>(v.y);
                    g.z *= derivative<A>(v.z);
                    g.w *= derivative<A>(v.w);
                }
                *(float4*)(dh + i) = g;
            }
        }
        return;
    }
    #pragma unroll 1
    for (Index c = firstUnit(); c < columns; c += unitStride()) {
        #pragma unroll 1
        for (Index row = firstRow(); row < rows; row += rowStride()) {
            Index i = row * columns + c;
            float g = dh[i];
            if (factors) g = addKept(g, factors[i], product[i]);
            if (mask && mask[row] == 0) {
                dhBefore[i] += g;
                dh[i] = 0.0f;
            } else {
                dh[i] = g * derivative<A>(h[i]);
            }
        }
    }
}

/// after = activation(after + bias) in live rows, = before in masked ones. `bias` [H] may be null. With factors, `seen`
/// [N,H] = m * after: what the next step's product sees. Bounds
/// of 64 registers, for ptxas aims at 40 by itself and then spills on sm_120.
#define FORWARD(name, A)                                                                                     \
    extern "C" __global__ void __launch_bounds__(256, 4) name(                                               \
            const float* bias, const float* before, float* after, const int* mask, const float* factors,     \
            float* seen, Index rows, Index columns) {                                                        \
        forward<A>(bias, before, after, mask, factors, seen, rows, columns);                                 \
    }

/// With factors, first dh += m * product, the da Wh^T [N,H] of the step that ran before. Then live rows: dh *=
/// activation'(h). Masked rows: dhBefore += dh, dh = 0.
#define BACKWARD(name, A)                                                                                  \
    extern "C" __global__ void __launch_bounds__(256) name(                                                \
            const float* h, float* dh, float* dhBefore, const int* mask, const float* factors,             \
            const float* product, Index rows, Index columns) {                                             \
        backward<A>(h, dh, dhBefore, mask, factors, product, rows, columns);                               \
    }

FORWARD(rnn_forward_tanh, TANH)
FORWARD(rnn_forward_relu, RELU)
FORWARD(rnn_forward_linear, LINEAR)
BACKWARD(rnn_backward_tanh, TANH)
BACKWARD(rnn_backward_relu, RELU)
BACKWARD(rnn_backward_linear, LINEAR)

/// y [T,N,H] = m * x at every step, or y += m * x.
template <bool ADD>
__device__ void keep(const float* factors, const float* x, float* y, Index steps, Index rows, Index columns) {
    bool four = quads(columns, factors, x, y);
    #pragma unroll 1
    for (Index row = firstRow(); row < steps * rows; row += rowStride()) {
        Index n;
        // By hand: nvcc would try 32 bits first, and no address of ours is formed in 32 bits.
        asm("rem.s64 %0, %1, %2;" : "=l"(n) : "l"(row), "l"(rows));
        const float* m = factors + n * columns;
        const float* from = x + row * columns;
        float* to = y + row * columns;
        if (four) {
            #pragma unroll 1
            for (Index c = firstUnit() * 4; c < columns; c += unitStride() * 4) {
                float4 factor = *(const float4*)(m + c);
                float4 v = *(const float4*)(from + c);
                *(float4*)(to + c) = ADD ? addKept(*(float4*)(to + c), factor, v) : kept(factor, v);
            }
        } else {
            #pragma unroll 1
            for (Index c = firstUnit(); c < columns; c += unitStride()) {
                to[c] = ADD ? addKept(to[c], m[c], from[c]) : kept(m[c], from[c]);
            }
        }
    }
}

#define KEEP(name, ADD)                                                                                          \
    extern "C" __global__ void __launch_bounds__(256) name(                                                      \
            const float* factors, const float* x, float* y, Index steps, Index rows, Index columns) {            \
        keep<ADD>(factors, x, y, steps, rows, columns);                                                          \
    }

KEEP(rnn_keep, false)
KEEP(rnn_keep_add, true)
