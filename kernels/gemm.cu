// Matrix products in float32, row-major: what the backend computes with where there is no cuBLAS.
//
// c [m,n] = op(a) op(b), or added to what is there. A block of 256 threads makes one square tile of c; TILE is 128, 64 or
// 32, and a thread holds TILE/16 x TILE/16 sums of it in registers. The operands come in slabs of 1024/TILE values of k,
// through two buffers in shared memory: while one is multiplied, the next is on its way into registers; one barrier a slab.
//
// Every element is one chain of fused multiply-adds in the order of k, whatever the tile. So a row of c has the same bits
// (but for the sign of a zero) for every m, every n and every tile, and on every GPU. Only where k is cut into slices, for
// the gradients of weights, does the order depend on k; the slices' sums are added up by column_sums, in a fixed order.
// No atomics.
//
// Floor of m x n x k on a GPU of P multiply-adds a second: m n k / P, and per tile and value of k 8 TILE bytes from L2,
// 8 TILE into shared memory and TILE^2/256 multiply-adds a thread for TILE/32 (128, 64) or 2 (32) vector reads of it.
// Two blocks of the largest tile fit a multiprocessor. Expected were 128 cycles of all multiply-add units for a value of k
// in the largest tile, 60 to 75 % of the peak once there are more tiles than multiprocessors; an H200 made 39, 41 and 43
// TFLOP/s of its 67 (58, 61 and 64 %) of 65,536 rows and n = k = 512, 1,024 and 2,048. Expected and not measured: 40 cycles
// in the middle one, 20 in the smallest.

#include <stdint.h>

typedef long long Index;

/// Four numbers at a time where a thread holds four in a row, else two.
template <int WIDTH>
struct Vector;
template <>
struct Vector<4> {
    typedef float4 type;
};
template <>
struct Vector<2> {
    typedef float2 type;
};

template <int TILE>
struct Sizes {
    static const int DEPTH = 1024 / TILE; // values of k in a slab
    static const int SIDE = TILE / 16; // rows and columns of a thread
    static const int WIDTH = SIDE < 4 ? SIDE : 4; // neighbours among them
    static const int PITCH = TILE + WIDTH; // keeps vectors aligned, and the columns of a slab apart in the banks
};

/// One operand on its way: each thread carries four neighbours of every slab. ALONG_K: they differ in k, else in the row of
/// op(A) or the column of op(B), the "line". Zeros stand for what the matrix does not have.
template <int TILE, bool ALONG_K>
struct Loader {
    static const int DEPTH = Sizes<TILE>::DEPTH;
    static const int WIDTH = Sizes<TILE>::WIDTH;
    static const int PITCH = Sizes<TILE>::PITCH;

    const float* from;
    Index step;
    int lines; // of the four that exist; ALONG_K: whether the one does
    bool vectors;
    float held[4];

    __device__ static int depth() { return ALONG_K ? threadIdx.x % (DEPTH / 4) * 4 : threadIdx.x / (TILE / 4); }
    __device__ static int line() { return ALONG_K ? threadIdx.x / (DEPTH / 4) : threadIdx.x % (TILE / 4) * 4; }

    __device__ Loader(const float* x, Index stride, Index firstLine, Index allLines, Index k) {
        from = x + (ALONG_K ? (firstLine + line()) * stride + k + depth() : (k + depth()) * stride + firstLine + line());
        step = ALONG_K ? DEPTH : DEPTH * stride;
        lines = (int)max((Index)0, min((Index)4, allLines - firstLine - line()));
        vectors = stride % 4 == 0 && ((uintptr_t)x & 15) == 0;
    }

    /// The next slab, of which `left` values of k exist.
    __device__ void load(int left) {
        int ahead = left - depth();
        int count = ALONG_K ? (lines > 0 ? ahead : 0) : ahead > 0 ? lines : 0;
        if (vectors && count >= 4) {
            float4 four = *(const float4*)from;
            held[0] = four.x;
            held[1] = four.y;
            held[2] = four.z;
            held[3] = four.w;
        } else {
            #pragma unroll
            for (int i = 0; i < 4; i++) held[i] = i < count ? from[i] : 0.0f;
        }
        from += step;
    }

    __device__ void store(float* slab) const {
        typedef typename Vector<WIDTH>::type Piece;
        if (ALONG_K) {
            #pragma unroll
            for (int i = 0; i < 4; i++) slab[(depth() + i) * PITCH + line()] = held[i];
        } else {
            #pragma unroll
            for (int i = 0; i < 4; i += WIDTH) *(Piece*)(slab + depth() * PITCH + line() + i) = *(const Piece*)(held + i);
        }
    }
};

/// The place in the tile of a thread's i-th row or column, where `number` counts threads in that direction.
template <int TILE>
__device__ int placeOf(int number, int i) {
    const int WIDTH = Sizes<TILE>::WIDTH;
    return i / WIDTH * 16 * WIDTH + number * WIDTH + i % WIDTH;
}

template <int TILE>
__device__ void fetch(const float* line, int number, float* values) {
    const int WIDTH = Sizes<TILE>::WIDTH;
    typedef typename Vector<WIDTH>::type Piece;
    #pragma unroll
    for (int i = 0; i < Sizes<TILE>::SIDE; i += WIDTH) {
        *(Piece*)(values + i) = *(const Piece*)(line + placeOf<TILE>(number, i));
    }
}

/// Block (tile, slice): tiles run along the rows of c, tilesAcross for each band of rows; slice s takes the values of k from s * perSlice on (below 2^31 of them) and writes
/// its sums sliceStride behind those of the slice before.
template <int TILE, bool TRANSPOSE_A, bool TRANSPOSE_B>
__device__ void product(
        const float* a,
        Index strideA,
        const float* b,
        Index strideB,
        float* c,
        Index strideC,
        int add,
        unsigned tilesAcross,
        Index m,
        Index n,
        Index k,
        Index perSlice,
        Index sliceStride) {
    const int DEPTH = Sizes<TILE>::DEPTH;
    const int SIDE = Sizes<TILE>::SIDE;
    const int WIDTH = Sizes<TILE>::WIDTH;
    const int PITCH = Sizes<TILE>::PITCH;
    __shared__ __align__(16) float slabsA[2][DEPTH * PITCH];
    __shared__ __align__(16) float slabsB[2][DEPTH * PITCH];
    __shared__ Index corner[2]; // waits here for the end: registers are short

    unsigned down = blockIdx.x / tilesAcross;
    Index firstRow = (Index)down * TILE;
    Index firstColumn = (blockIdx.x - (Index)down * tilesAcross) * TILE;
    Index firstK = (Index)blockIdx.y * perSlice;
    int left = (int)min(k - firstK, perSlice);
    int x = threadIdx.x % 16;
    int y = threadIdx.x / 16;
    if (threadIdx.x == 0) {
        corner[0] = firstRow;
        corner[1] = firstColumn;
    }

    Loader<TILE, !TRANSPOSE_A> loaderA(a, strideA, firstRow, m, firstK);
    Loader<TILE, TRANSPOSE_B> loaderB(b, strideB, firstColumn, n, firstK);
    loaderA.load(left);
    loaderB.load(left);
    loaderA.store(slabsA[0]);
    loaderB.store(slabsB[0]);
    __syncthreads();

    float sums[SIDE][SIDE] = {};
    #pragma unroll 1
    for (int now = 0; left > 0; now ^= 1) {
        left -= DEPTH;
        if (left > 0) {
            loaderA.load(left);
            loaderB.load(left);
        }
        #pragma unroll
        for (int step = 0; step < DEPTH; step++) {
            float p[SIDE];
            float q[SIDE];
            fetch<TILE>(slabsA[now] + step * PITCH, y, p);
            fetch<TILE>(slabsB[now] + step * PITCH, x, q);
            #pragma unroll
            for (int i = 0; i < SIDE; i++) {
                #pragma unroll
                for (int j = 0; j < SIDE; j++) sums[i][j] = fmaf(p[i], q[j], sums[i][j]);
            }
        }
        if (left > 0) {
            loaderA.store(slabsA[now ^ 1]);
            loaderB.store(slabsB[now ^ 1]);
        }
        __syncthreads();
    }

    firstRow = corner[0];
    firstColumn = corner[1];
    c += (Index)blockIdx.y * sliceStride;
    // Through shared memory, sixteen rows at a time, so that a warp writes neighbours whatever the alignment.
    typedef typename Vector<WIDTH>::type Piece;
    float* rows = slabsA[0];
    Index column = firstColumn + threadIdx.x % TILE;
    #pragma unroll
    for (int i = 0; i < SIDE; i++) {
        #pragma unroll
        for (int j = 0; j < SIDE; j += WIDTH) {
            *(Piece*)(rows + y * TILE + placeOf<TILE>(x, j)) = *(const Piece*)(sums[i] + j);
        }
        __syncthreads();
        #pragma unroll 1
        for (Index number = threadIdx.x / TILE; number < 16; number += 256 / TILE) {
            Index row = firstRow + i / WIDTH * 16 * WIDTH + number * WIDTH + i % WIDTH;
            if (row < m && column < n) {
                float sum = rows[number * TILE + threadIdx.x % TILE];
                float* to = c + row * strideC + column;
                *to = add ? *to + sum : sum;
            }
        }
        __syncthreads();
    }
}

#define PRODUCT(name, tile, transposeA, transposeB)                                             \
    extern "C" __global__ void __launch_bounds__(256, 2) name(                                  \
            const float* a,                                                                     \
            Index strideA,                                                                      \
            const float* b,                                                                     \
            Index strideB,                                                                      \
            float* c,                                                                           \
            Index strideC,                                                                      \
            int add,                                                                            \
            unsigned tilesAcross,                                                               \
            Index m,                                                                            \
            Index n,                                                                            \
            Index k,                                                                            \
            Index perSlice,                                                                     \
            Index sliceStride) {                                                                \
        product<tile, transposeA, transposeB>(                                                  \
                a, strideA, b, strideB, c, strideC, add, tilesAcross, m, n, k, perSlice, sliceStride); \
    }

PRODUCT(gemm_nn_128, 128, false, false)
PRODUCT(gemm_nn_64, 64, false, false)
PRODUCT(gemm_nn_32, 32, false, false)
PRODUCT(gemm_nt_128, 128, false, true)
PRODUCT(gemm_nt_64, 64, false, true)
PRODUCT(gemm_nt_32, 32, false, true)
PRODUCT(gemm_tn_128, 128, true, false)
PRODUCT(gemm_tn_64, 64, true, false)
PRODUCT(gemm_tn_32, 32, true, false)
