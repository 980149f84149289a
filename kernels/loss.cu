// Softmax, and cross-entropy with label smoothing (Szegedy et al. 2016) and its gradient. One block takes a row of
// [M,K] at a time; its sums are trees of fixed shape. Offsets are 64 bits wide.

typedef long long Index;

__device__ float larger(float a, float b) { return a > b ? a : b; }

/// The largest value of the block's threads, given to all of them. A NaN may be passed over; sums then carry it on.
__device__ float blockMax(float v, float* scratch) {
    for (int lane = 16; lane > 0; lane /= 2) v = larger(v, __shfl_xor_sync(~0u, v, lane));
    if (threadIdx.x % 32 == 0) scratch[threadIdx.x / 32] = v;
    __syncthreads();
    v = scratch[0];
    for (int warp = 1; warp < blockDim.x / 32; warp++) v = larger(v, scratch[warp]);
    __syncthreads();
    return v;
}

/// The sum over the block's threads, given to all of them.
__device__ float blockSum(float v, float* scratch) {
    for (int lane = 16; lane > 0; lane /= 2) v += __shfl_xor_sync(~0u, v, lane);
    if (threadIdx.x % 32 == 0) scratch[threadIdx.x / 32] = v;
    __syncthreads();
    v = scratch[0];
    for (int warp = 1; warp < blockDim.x / 32; warp++) v += scratch[warp];
    __syncthreads();
    return v;
}

/// The column of the largest value, the first of equal ones; column 0 if that is NaN, other NaNs are passed over.
__device__ Index blockArgmax(float v, Index column, float* scratch, Index* columns) {
    for (int lane = 16; lane > 0; lane /= 2) {
        float other = __shfl_xor_sync(~0u, v, lane);
        Index at = __shfl_xor_sync(~0u, column, lane);
        if (other > v || (other == v && at < column)) {
            v = other;
            column = at;
        }
    }
    if (threadIdx.x % 32 == 0) {
        scratch[threadIdx.x / 32] = v;
        columns[threadIdx.x / 32] = column;
    }
    __syncthreads();
    v = scratch[0];
    column = columns[0];
    for (int warp = 1; warp < blockDim.x / 32; warp++) {
        if (scratch[warp] > v || (scratch[warp] == v && columns[warp] < column)) {
            v = scratch[warp];
            column = columns[warp];
        }
    }
    __syncthreads();
    return column;
}

__device__ float rowMax(const float* row, Index columns, float* scratch) {
    float max = -INFINITY;
    for (Index k = threadIdx.x; k < columns; k += blockDim.x) max = larger(row[k], max);
    return blockMax(max, scratch);
}

__device__ float rowExpSum(const float* row, Index columns, float max, float* scratch) {
    float sum = 0.0f;
    for (Index k = threadIdx.x; k < columns; k += blockDim.x) sum += expf(row[k] - max);
    return blockSum(sum, scratch);
}

/// Each row of y = softmax of that row of x; y may be x.
extern "C" __global__ void __launch_bounds__(256) softmax(const float* x, float* y, Index rows, Index columns) {
    __shared__ float scratch[32];
    for (Index row = blockIdx.x; row < rows; row += gridDim.x) {
        const float* from = x + row * columns;
        float max = rowMax(from, columns, scratch);
        float sum = rowExpSum(from, columns, max, scratch);
        float* to = y + row * columns;
        for (Index k = threadIdx.x; k < columns; k += blockDim.x) to[k] = expf(from[k] - max) / sum;
    }
}

/// For each row with a label of at least 0: rowMetrics [M,2] = {loss, 1 where the first largest logit is the label's},
/// dLogits = scale (softmax - target); zeros in the other rows. The target is onLabel more at the label than the `offLabel`
/// it is everywhere. dLogits may be logits.
extern "C" __global__ void __launch_bounds__(256) cross_entropy(
        const float* logits,
        const int* labels,
        float onLabel,
        float offLabel,
        float scale,
        float* dLogits,
        float* rowMetrics,
        Index rows,
        Index columns) {
    __shared__ float scratch[32];
    __shared__ Index where[32];
    for (Index row = blockIdx.x; row < rows; row += gridDim.x) {
        const float* x = logits + row * columns;
        float* dx = dLogits + row * columns;
        Index label = labels[row];
        if (label < 0) {
            for (Index k = threadIdx.x; k < columns; k += blockDim.x) dx[k] = 0.0f;
            if (threadIdx.x < 2) rowMetrics[row * 2 + threadIdx.x] = 0.0f;
            continue;
        }
        float best = -INFINITY;
        Index at = columns;
        for (Index k = threadIdx.x; k < columns; k += blockDim.x) {
            // A NaN in column 0 is never beaten.
            float v = k == 0 && x[0] != x[0] ? INFINITY : x[k];
            if (v > best || (v == best && k < at)) {
                best = v;
                at = k;
            }
        }
        at = blockArgmax(best, at, scratch, where);
        float max = rowMax(x, columns, scratch);
        float sum = rowExpSum(x, columns, max, scratch);
        float logSum = logf(sum);
        float loss = 0.0f;
        for (Index k = threadIdx.x; k < columns; k += blockDim.x) {
            float v = x[k];
            float target = (k == label ? onLabel : 0.0f) + offLabel;
            loss += target * (max - v + logSum);
            dx[k] = scale * (expf(v - max) / sum - target);
        }
        loss = blockSum(loss, scratch);
        if (threadIdx.x == 0) {
            rowMetrics[row * 2] = loss;
            rowMetrics[row * 2 + 1] = at == label ? 1.0f : 0.0f;
        }
    }
}

/// metrics [2] = {scale * sum of losses, sum of hits}. Launch one block of 256 threads.
extern "C" __global__ void __launch_bounds__(256) cross_entropy_sum(
        const float* rowMetrics, Index rows, float scale, float* metrics) {
    __shared__ double losses[256];
    __shared__ double hits[256];
    double loss = 0;
    double hit = 0;
    for (Index row = threadIdx.x; row < rows; row += 256) {
        loss += rowMetrics[row * 2];
        hit += rowMetrics[row * 2 + 1];
    }
    losses[threadIdx.x] = loss;
    hits[threadIdx.x] = hit;
    __syncthreads();
    for (int half = 128; half > 0; half /= 2) {
        if (threadIdx.x < half) {
            losses[threadIdx.x] += losses[threadIdx.x + half];
            hits[threadIdx.x] += hits[threadIdx.x + half];
        }
        __syncthreads();
    }
    if (threadIdx.x == 0) {
        metrics[0] = (float)(scale * losses[0]);
        metrics[1] = (float)hits[0];
    }
}
