// What is asked of weights besides a small loss: penalties and constraints. Weights are few beside activations, so numbers
// move one by one. Offsets are 64 bits wide.

#include "strides.cuh"

/// g += l1 * sign(w) + twiceL2 * w.
extern "C" __global__ void __launch_bounds__(256) penalize(
        const float* w, float l1, float twiceL2, float* g, Index size) {
    #pragma unroll 1
    for (Index i = firstUnit(); i < size; i += unitStride()) {
        float v = w[i];
        float sign = v > 0.0f ? 1.0f : v < 0.0f ? -1.0f : v; // a NaN stays NaN
        g[i] += l1 * sign + twiceL2 * v;
    }
}

/// Columns of w [M,C] longer than the limit are scaled to it, or, if `all`, every column that is not zero. A block takes 32
/// columns with 32 x 8 threads; the order of the sums depends on M alone.
extern "C" __global__ void __launch_bounds__(256) scale_columns(
        float* w, Index rows, Index columns, int all, float limit) {
    __shared__ double sums[8][33];
    Index c = firstUnit();
    double sum = 0;
    if (c < columns) {
        for (Index row = threadIdx.y; row < rows; row += 8) {
            double v = w[row * columns + c];
            sum += v * v;
        }
    }
    sums[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    for (int half = 4; half > 0; half /= 2) {
        if (threadIdx.y < half) sums[threadIdx.y][threadIdx.x] += sums[threadIdx.y + half][threadIdx.x];
        __syncthreads();
    }
    double norm = sqrt(sums[0][threadIdx.x]);
    if (c >= columns || norm == 0 || (!all && norm <= limit)) return;
    double factor = limit / norm; // of a column that is tiny no float holds it
    for (Index row = threadIdx.y; row < rows; row += 8) {
        w[row * columns + c] = (float)(w[row * columns + c] * factor);
    }
}

/// What is below 0 becomes 0.
extern "C" __global__ void __launch_bounds__(256) rectify(float* w, Index size) {
    #pragma unroll 1
    for (Index i = firstUnit(); i < size; i += unitStride()) w[i] = !(w[i] <= 0.0f) ? w[i] : 0.0f;
}
