// The live rows of [T*N] under a mask: their numbers in order, so that products over all steps can be made of them alone, and
// their way back. Two launches find them: blocks count, then each block adds up what the blocks before it counted. No atomics:
// the order is that of the rows, always. Offsets are 64 bits wide.
//
// And the rows of [N] by their number of live steps, for kernels that take rows of like lengths together; two launches too.
//
// Floor: 8 bytes of memory for an element of the mask, which is read twice, and 4 for a live row; two launches. scatter_rows:
// 8 bytes for a number, one launch. row_spans: 4 bytes for an element of the mask; row_ranks: 4 N^2 bytes from the caches, one
// launch each. Measured on an H200: counting takes a pass 30 us
// longer (ci/measured/2026-11-27-h200-notes-78da582.md); the others by themselves not yet.

#include "strides.cuh"

const int WARPS = 8;
const int EACH = 4; // elements of the mask that a thread looks at, 32 apart

/// What a warp finds in its elements of the mask.
struct Found {
    Index first; // of the thread
    unsigned live[EACH]; // a bit for each thread

    __device__ Found(const int* mask, Index size) {
        Index ofBlock = (Index)blockIdx.x * (WARPS * EACH * 32);
        first = ofBlock + threadIdx.x / 32 * (EACH * 32) + threadIdx.x % 32;
        #pragma unroll
        for (int i = 0; i < EACH; i++) {
            bool is = first + 32 * i < size && mask[first + 32 * i] != 0;
            live[i] = __ballot_sync(0xffffffffu, is);
        }
    }

    __device__ int count() const {
        int sum = 0;
        #pragma unroll
        for (int i = 0; i < EACH; i++) sum += __popc(live[i]);
        return sum;
    }
};

/// The sum of all threads' values before this warp's in the block; `all` becomes the whole sum.
__device__ Index before(Index ofWarp, Index& all) {
    __shared__ Index sums[WARPS];
    if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = ofWarp;
    __syncthreads();
    Index sum = 0;
    all = 0;
    #pragma unroll
    for (int warp = 0; warp < WARPS; warp++) {
        if (warp < threadIdx.x / 32) sum += sums[warp];
        all += sums[warp];
    }
    __syncthreads();
    return sum;
}

/// counts [blocks]: how many elements of mask [size] are not 0 in each block's 1024. Launch with 256 threads.
extern "C" __global__ void __launch_bounds__(256) live_counts(const int* mask, Index size, int* counts) {
    Index all;
    before(Found(mask, size).count(), all);
    if (threadIdx.x == 0) counts[blockIdx.x] = (int)all;
}

/// numbers: where mask [size] is not 0, in order; counts [blocks + 1] gains how many there are. Launch as the one above.
extern "C" __global__ void __launch_bounds__(256) live_rows(const int* mask, Index size, int* counts, int* numbers) {
    Index mine = 0;
    #pragma unroll 1
    for (Index block = threadIdx.x; block < blockIdx.x; block += 256) mine += counts[block];
    #pragma unroll
    for (int distance = 16; distance > 0; distance /= 2) mine += __shfl_xor_sync(0xffffffffu, mine, distance);
    Index ofBlocksBefore;
    before(mine, ofBlocksBefore);

    Found found(mask, size);
    Index ofBlock;
    Index place = ofBlocksBefore + before(found.count(), ofBlock);
    unsigned lower = (1u << threadIdx.x % 32) - 1;
    #pragma unroll
    for (int i = 0; i < EACH; i++) {
        if (found.live[i] >> threadIdx.x % 32 & 1) {
            numbers[place + __popc(found.live[i] & lower)] = (int)(found.first + 32 * i);
        }
        place += __popc(found.live[i]);
    }
    if (blockIdx.x == gridDim.x - 1 && threadIdx.x == 0) counts[gridDim.x] = (int)(ofBlocksBefore + ofBlock);
}

/// Row numbers[i] of y = row i of x [M,C]; the numbers differ.
extern "C" __global__ void __launch_bounds__(256) scatter_rows(
        const float* x, const int* numbers, float* y, Index rows, Index columns) {
    bool vectors = columns % 4 == 0 && aligned(x, y);
    #pragma unroll 1
    for (Index row = firstRow(); row < rows; row += rowStride()) {
        const float* from = x + row * columns;
        float* to = y + (Index)numbers[row] * columns;
        if (vectors) {
            #pragma unroll 1
            for (Index c = firstUnit() * 4; c < columns; c += unitStride() * 4) *(float4*)(to + c) = *(const float4*)(from + c);
        } else {
            #pragma unroll 1
            for (Index c = firstUnit(); c < columns; c += unitStride()) to[c] = from[c];
        }
    }
}

/// What the steps of a row that one warp looks at are like.
struct Span {
    int count; // of live ones
    int begin; // the first, `steps` if none is live
    int end; // behind the last, 0 if none is
};

/// spans [3,rows]: how many steps of a row are live in mask [steps,rows], the first one, and the one behind the last. Launch with
/// 256 threads for 32 rows.
extern "C" __global__ void __launch_bounds__(256) row_spans(const int* mask, Index steps, Index rows, int* spans) {
    __shared__ Span parts[WARPS][32];
    Index row = (Index)blockIdx.x * 32 + threadIdx.x % 32;
    Span span = {0, (int)steps, 0};
    const int* from = mask + min(row, rows - 1); // a row that is not there is looked at and not written
    #pragma unroll 8
    for (Index step = threadIdx.x / 32; step < steps; step += WARPS) {
        bool is = from[step * rows] != 0;
        span.count += is;
        span.begin = min(span.begin, (int)(is ? step : steps));
        span.end = is ? (int)step + 1 : span.end;
    }
    parts[threadIdx.x / 32][threadIdx.x % 32] = span;
    __syncthreads();
    if (threadIdx.x >= 32 || row >= rows) return;
    #pragma unroll
    for (int warp = 1; warp < WARPS; warp++) {
        Span part = parts[warp][threadIdx.x];
        span.count += part.count;
        span.begin = min(span.begin, part.begin);
        span.end = max(span.end, part.end);
    }
    spans[row] = span.count;
    spans[rows + row] = span.begin;
    spans[2 * rows + row] = span.end;
}

/// ranks [3,rows]: the rows, those with the most live steps first and of equals the first one, and of each what `spans` says of
/// its first live step and the one behind its last. Launch with 256 threads for as many rows.
extern "C" __global__ void __launch_bounds__(256) row_ranks(const int* spans, Index rows, int* ranks) {
    Index row = (Index)blockIdx.x * 256 + threadIdx.x;
    if (row >= rows) return;
    int count = spans[row];
    Index rank = 0;
    #pragma unroll 8
    for (Index other = 0; other < rows; other++) {
        int counted = spans[other];
        if (counted > count || (counted == count && other < row)) rank++;
    }
    ranks[rank] = (int)row;
    ranks[rows + rank] = spans[rows + row];
    ranks[2 * rows + rank] = spans[2 * rows + row];
}
