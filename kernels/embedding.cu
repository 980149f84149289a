// Embedding: rows by id, and their gradient without atomics. The gradient sorts the positions by (id, position), so that
// equal ids stand together and in a fixed order, and sums each run of equal ids in chunks: runs that lie in one chunk go
// to the table at once, the pieces of longer ones are joined by a second kernel. Offsets are 64 bits wide.

#include "strides.cuh"
typedef unsigned long long Key; // id in the high word, position in the low one

__device__ Index idOf(Key key) { return (Index)(key >> 32); }
__device__ Index positionOf(Key key) { return (Index)(key & 0xffffffffu); }

/// y [M,D] = the rows of table [V,D] that ids [M] name.
extern "C" __global__ void __launch_bounds__(256) embedding_forward(
        const float* table, const int* ids, float* y, Index rows, Index columns) {
    if (columns % 4 == 0 && (((uintptr_t)table | (uintptr_t)y) & 15) == 0) {
        #pragma unroll 1
        for (Index row = firstRow(); row < rows; row += rowStride()) {
            const float* from = table + (Index)ids[row] * columns;
            #pragma unroll 1
            for (Index c = firstUnit() * 4; c < columns; c += unitStride() * 4) {
                *(float4*)(y + row * columns + c) = *(const float4*)(from + c);
            }
        }
        return;
    }
    #pragma unroll 1
    for (Index row = firstRow(); row < rows; row += rowStride()) {
        const float* from = table + (Index)ids[row] * columns;
        #pragma unroll 1
        for (Index c = firstUnit(); c < columns; c += unitStride()) y[row * columns + c] = from[c];
    }
}

/// keys [padded] = (id, position) for the M positions, the largest key for the padding up to a power of two.
extern "C" __global__ void __launch_bounds__(256) embedding_keys(const int* ids, Index size, Key* keys, Index padded) {
    #pragma unroll 1
    for (Index i = firstUnit(); i < padded; i += unitStride()) {
        keys[i] = i < size ? ((Key)(unsigned)ids[i] << 32) | (Key)i : ~(Key)0;
    }
}

/// One pass of Batcher's bitonic sort (1968) over all keys: compares keys that are `distance` apart, in runs of `length`.
extern "C" __global__ void __launch_bounds__(256) sort_pass(Key* keys, Index padded, Index length, Index distance) {
    #pragma unroll 1
    for (Index i = firstUnit(); i < padded; i += unitStride()) {
        Index j = i ^ distance;
        if (j < i) continue;
        Key a = keys[i];
        Key b = keys[j];
        if ((a > b) == ((i & length) == 0)) {
            keys[i] = b;
            keys[j] = a;
        }
    }
}

/// All passes whose distance is below the tile's 512 keys, for the runs from firstLength to lastLength. Launch with 256
/// threads and as many blocks as there are tiles; keys are padded to whole tiles.
extern "C" __global__ void __launch_bounds__(256) sort_tile(Key* keys, Index firstLength, Index lastLength) {
    __shared__ Key tile[512];
    Index origin = (Index)blockIdx.x * 512;
    tile[threadIdx.x] = keys[origin + threadIdx.x];
    tile[threadIdx.x + 256] = keys[origin + threadIdx.x + 256];
    __syncthreads();
    for (Index length = firstLength; length <= lastLength; length *= 2) {
        for (int distance = length < 512 ? (int)length / 2 : 256; distance > 0; distance /= 2) {
            int low = threadIdx.x & (distance - 1);
            int i = (threadIdx.x - low) * 2 + low;
            Key a = tile[i];
            Key b = tile[i + distance];
            if ((a > b) == (((origin + i) & length) == 0)) {
                tile[i] = b;
                tile[i + distance] = a;
            }
            __syncthreads();
        }
    }
    keys[origin + threadIdx.x] = tile[threadIdx.x];
    keys[origin + threadIdx.x + 256] = tile[threadIdx.x + 256];
}

/// The sum over the run of equal ids that begins at i or goes on there, as far as `to`; i moves behind it.
__device__ float runSum(const Key* keys, Index& i, Index to, const float* dy, Index columns, Index c) {
    Index id = idOf(keys[i]);
    float sum = 0.0f;
    do {
        sum += dy[positionOf(keys[i]) * columns + c];
        i++;
    } while (i < to && idOf(keys[i]) == id);
    return sum;
}

/// Sums the runs of equal ids inside each chunk of sorted positions. A run that began in an earlier chunk leaves its sum
/// in pieces [chunk,0,:], one that begins here and goes on in the next chunk leaves it in pieces [chunk,1,:].
extern "C" __global__ void __launch_bounds__(256) embedding_backward_chunks(
        const Key* keys, Index size, Index chunkSize, const float* dy, Index columns, float* dTable, float* pieces) {
    Index chunks = (size + chunkSize - 1) / chunkSize;
#pragma unroll 1
    for (Index chunk = firstRow(); chunk < chunks; chunk += rowStride()) {
        Index from = chunk * chunkSize;
        Index to = from + chunkSize < size ? from + chunkSize : size;
#pragma unroll 1
        for (Index c = firstUnit(); c < columns; c += unitStride()) {
            Index i = from;
            if (from > 0 && idOf(keys[from - 1]) == idOf(keys[from])) {
                pieces[chunk * 2 * columns + c] = runSum(keys, i, to, dy, columns, c);
            }
            while (i < to) {
                Index id = idOf(keys[i]);
                float sum = runSum(keys, i, to, dy, columns, c);
                if (i == to && i < size && idOf(keys[i]) == id) {
                    pieces[(chunk * 2 + 1) * columns + c] = sum;
                } else {
                    dTable[id * columns + c] += sum;
                }
            }
        }
    }
}

/// Joins the pieces of each run that crosses chunks, in the order of the chunks, and adds the sum to the table.
extern "C" __global__ void __launch_bounds__(256) embedding_backward_joins(
        const Key* keys, Index size, Index chunkSize, Index columns, const float* pieces, float* dTable) {
    Index chunks = (size + chunkSize - 1) / chunkSize;
    #pragma unroll 1
    for (Index chunk = firstRow(); chunk + 1 < chunks; chunk += rowStride()) {
        Index next = (chunk + 1) * chunkSize;
        Index id = idOf(keys[next - 1]);
        if (idOf(keys[next]) != id) continue;
        Index from = chunk * chunkSize;
        if (from > 0 && idOf(keys[from - 1]) == id) continue; // it began earlier
        #pragma unroll 1
        for (Index c = firstUnit(); c < columns; c += unitStride()) {
            float sum = pieces[(chunk * 2 + 1) * columns + c];
            for (Index other = chunk + 1; other < chunks && idOf(keys[other * chunkSize]) == id; other++) {
                sum += pieces[other * 2 * columns + c];
            }
            dTable[id * columns + c] += sum;
        }
    }
}
