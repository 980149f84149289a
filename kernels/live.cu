// The live rows of [T*N] under a mask: their numbers in order, so that products over all steps can be made of them alone, and
// their way back. Two launches find them: blocks count, then each block adds up what the blocks before it counted. No atomics:
// the order is that of the rows, always. Offsets are 64 bits wide.
//
// Floor: 8 bytes of memory for an element of the mask, which is read twice, and 4 for a live row; two launches. scatter_rows:
// 8 bytes for a number, one launch. Not measured yet.

typedef long long Index;

const int WARPS = 8;
const int EACH = 4; // elements of the mask that a thread looks at, 32 apart

__device__ Index firstRow() { return (Index)blockIdx.y * blockDim.y + threadIdx.y; }
__device__ Index rowStride() { return (Index)gridDim.y * blockDim.y; }
__device__ Index firstUnit() { return (Index)blockIdx.x * blockDim.x + threadIdx.x; }
__device__ Index unitStride() { return (Index)gridDim.x * blockDim.x; }

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
    bool vectors = columns % 4 == 0 && (((unsigned long long)x | (unsigned long long)y) & 15) == 0;
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
