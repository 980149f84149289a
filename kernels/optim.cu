// Optimizer steps and clipping over one flat tensor. Four numbers move at once where all operands begin at a multiple of
// 16 bytes. Offsets are 64 bits wide.

#include <float.h>

#include "strides.cuh"

__device__ float clamp(float g, float limit) { return g < -limit ? -limit : g > limit ? limit : g; } // NaN stays NaN

/// g clamped into [-limit, limit].
extern "C" __global__ void __launch_bounds__(256) clip_value(float* g, float limit, Index size) {
    Index done = 0;
    if (aligned(g)) {
        #pragma unroll 1
        for (Index i = firstUnit(); i < size / 4; i += unitStride()) {
            float4 v = ((float4*)g)[i];
            ((float4*)g)[i] =
                    make_float4(clamp(v.x, limit), clamp(v.y, limit), clamp(v.z, limit), clamp(v.w, limit));
        }
        done = size / 4 * 4;
    }
    #pragma unroll 1
    for (Index i = done + firstUnit(); i < size; i += unitStride()) g[i] = clamp(g[i], limit);
}

/// The sum over 256 threads as a tree, in double: squares of floats neither overflow nor vanish there.
__device__ double treeSum(double v) {
    __shared__ double sums[256];
    sums[threadIdx.x] = v;
    __syncthreads();
    for (int half = 128; half > 0; half /= 2) {
        if (threadIdx.x < half) sums[threadIdx.x] += sums[threadIdx.x + half];
        __syncthreads();
    }
    return sums[0];
}

/// partial [blocks] = sums of squares; the order depends on the size and the number of blocks alone.
extern "C" __global__ void __launch_bounds__(256) squares(const float* g, Index size, double* partial) {
    double sum = 0;
    #pragma unroll 1
    for (Index i = firstUnit(); i < size; i += unitStride()) sum += (double)g[i] * g[i];
    sum = treeSum(sum);
    if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

/// norm [1] = square root of the sum of partial; factor [1] = min(1, maxNorm / norm). Launch one block of 256 threads.
extern "C" __global__ void __launch_bounds__(256) norm_finish(
        const double* partial, Index count, double maxNorm, float* norm, double* factor) {
    double sum = 0;
    for (Index i = threadIdx.x; i < count; i += 256) sum += partial[i];
    sum = treeSum(sum);
    if (threadIdx.x == 0) {
        double length = sqrt(sum);
        norm[0] = (float)length;
        factor[0] = length <= maxNorm ? 1 : maxNorm / length;
    }
}

/// Below the normal numbers a float has fewer digits, or none; most GPUs have few units for double.
__device__ float scaled(float g, double factor) {
    return factor < FLT_MIN ? (float)(g * factor) : g * (float)factor;
}

/// g *= factor [1], which lies on the device: the norm never travels to the host.
extern "C" __global__ void __launch_bounds__(256) scale_by(float* g, const double* factor, Index size) {
    double f = factor[0];
    if (f == 1) return;
    Index done = 0;
    if (aligned(g)) {
        #pragma unroll 1
        for (Index i = firstUnit(); i < size / 4; i += unitStride()) {
            float4 v = ((float4*)g)[i];
            ((float4*)g)[i] = make_float4(scaled(v.x, f), scaled(v.y, f), scaled(v.z, f), scaled(v.w, f));
        }
        done = size / 4 * 4;
    }
    #pragma unroll 1
    for (Index i = done + firstUnit(); i < size; i += unitStride()) g[i] = scaled(g[i], f);
}

__device__ void sgd(
        float& w, float g, bool remembers, float& v, float learningRate, float momentum, int nesterov, float decay) {
    g += decay * w;
    if (remembers) {
        v = momentum * v + g;
        g = nesterov ? g + momentum * v : v;
    }
    w = __fmaf_rn(-learningRate, g, w);
}

/// PyTorch's SGD without dampening; `velocity` may be null.
extern "C" __global__ void __launch_bounds__(256) sgd_step(
        float* w,
        const float* g,
        float* velocity,
        float learningRate,
        float momentum,
        int nesterov,
        float decay,
        Index size) {
    bool remembers = velocity != nullptr;
    Index done = 0;
    if (aligned(w, g, velocity)) {
        #pragma unroll 1
        for (Index i = firstUnit(); i < size / 4; i += unitStride()) {
            float4 a = ((float4*)w)[i];
            float4 b = ((const float4*)g)[i];
            float4 c = remembers ? ((float4*)velocity)[i] : make_float4(0, 0, 0, 0);
            sgd(a.x, b.x, remembers, c.x, learningRate, momentum, nesterov, decay);
            sgd(a.y, b.y, remembers, c.y, learningRate, momentum, nesterov, decay);
            sgd(a.z, b.z, remembers, c.z, learningRate, momentum, nesterov, decay);
            sgd(a.w, b.w, remembers, c.w, learningRate, momentum, nesterov, decay);
            ((float4*)w)[i] = a;
            if (remembers) ((float4*)velocity)[i] = c;
        }
        done = size / 4 * 4;
    }
    #pragma unroll 1
    for (Index i = done + firstUnit(); i < size; i += unitStride()) {
        float v = remembers ? velocity[i] : 0.0f;
        sgd(w[i], g[i], remembers, v, learningRate, momentum, nesterov, decay);
        if (remembers) velocity[i] = v;
    }
}

struct AdamFactors {
    float learningRate;
    float beta1;
    float rest1; // 1 - beta1, rounded from double
    float beta2;
    float rest2;
    float epsilon;
    float coupledDecay; // added to the gradient
    float keep; // the weight's factor when decay is decoupled, else 1
    float correction1; // 1 - beta1^step
    float correction2; // 1 / sqrt(1 - beta2^step): v times its square may be more than a float holds
};

__device__ void adam(float& w, float g, float& m, float& v, const AdamFactors& f) {
    g += f.coupledDecay * w;
    m = f.beta1 * m + f.rest1 * g;
    v = f.beta2 * v + f.rest2 * g * g;
    float step = m / f.correction1 / (sqrtf(v) * f.correction2 + f.epsilon);
    w = __fmaf_rn(-f.learningRate, step, __fmul_rn(w, f.keep)); // which of the two products is rounded, is said here
}

/// Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019), PyTorch's formulas.
extern "C" __global__ void __launch_bounds__(256) adam_step(
        float* w,
        const float* g,
        float* m,
        float* v,
        float learningRate,
        float beta1,
        float rest1,
        float beta2,
        float rest2,
        float epsilon,
        float coupledDecay,
        float keep,
        float correction1,
        float correction2,
        Index size) {
    AdamFactors f = {
        learningRate, beta1, rest1, beta2, rest2, epsilon, coupledDecay, keep, correction1, correction2};
    Index done = 0;
    if (aligned(w, g, m, v)) {
        #pragma unroll 1
        for (Index i = firstUnit(); i < size / 4; i += unitStride()) {
            float4 a = ((float4*)w)[i];
            float4 b = ((const float4*)g)[i];
            float4 c = ((float4*)m)[i];
            float4 d = ((float4*)v)[i];
            adam(a.x, b.x, c.x, d.x, f);
            adam(a.y, b.y, c.y, d.y, f);
            adam(a.z, b.z, c.z, d.z, f);
            adam(a.w, b.w, c.w, d.w, f);
            ((float4*)w)[i] = a;
            ((float4*)m)[i] = c;
            ((float4*)v)[i] = d;
        }
        done = size / 4 * 4;
    }
    #pragma unroll 1
    for (Index i = done + firstUnit(); i < size; i += unitStride()) adam(w[i], g[i], m[i], v[i], f);
}
