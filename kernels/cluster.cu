// compute_90
// Elman's recurrence over a whole sequence in one launch, for more nodes than one multiprocessor holds: the blocks of a
// cluster share the rows of a batch, and each keeps a slice of the columns of Wh in registers. All have the whole state in
// shared memory; who computes an element writes it into the memory of every block of the cluster. Needs compute capability
// 9.0; the size of a cluster is compiled in, so an ordinary launch will do, and clusters do not wait for each other.
//
// Otherwise as sequence.cu: projections in place and fetched three passes ahead, eight parts of the products, masks, and bits
// that depend neither on N nor on T nor on a row's neighbours. SIZE is what H is padded to: 256 on four blocks, 512 on eight.
//
// Floor of a step of one row, in cycles of a multiprocessor: SIZE^2 / BLOCKS / 128 for the products (128, 256), and in a
// chain the reads of the state (30), shuffles (100), tanh (100; the derivative 40), the writes to the other blocks and the
// cluster's barrier (790, from microbenchmarks of others) and what lies between (25). Bytes of memory: 8 H forward and 12 H
// backward, 4 BLOCKS more with the mask; 4 H BLOCKS between the blocks. One barrier of a cluster a step, one launch.
// Predicted on an H200 at 1.75 GHz for N <= 33 and H = 256, N <= 16 and H = 512, not yet measured on a GPU: 0.67 and 0.74 us a
// step forward, 0.64 and 0.71 backward. Each further row in a cluster adds its products: 0.07 and 0.15.

#include <stdint.h>

typedef long long Index;

enum Activation { TANH, RELU, LINEAR };

__device__ float activate(int activation, float a) {
    if (activation == TANH) return tanhf(a);
    if (activation == RELU) return !(a <= 0.0f) ? a : 0.0f; // a NaN stays NaN
    return a;
}

/// The activation's derivative, told by its result.
__device__ float derivative(int activation, float h) {
    if (activation == TANH) return 1.0f - h * h;
    if (activation == RELU) return h > 0.0f ? 1.0f : 0.0f;
    return 1.0f;
}

const int PARTS = 8;
const int AHEAD = 3; // passes from a fetch to its use
const unsigned ALL = 0xffffffffu;

template <int SIZE, int ROWS>
struct Plan {
    static const int BLOCKS = SIZE == 256 ? 4 : 8; // of a cluster
    static const int SLICE = SIZE / BLOCKS; // columns of a block
    static const int COLUMNS = 2; // of a thread
    static const int THREADS = SLICE / COLUMNS * PARTS;
    static const int SUMS = ROWS * COLUMNS;
    static const int MOST_ROWS = ROWS == 1 ? 1 : 8; // of a cluster
};

__device__ unsigned rankInCluster() {
    unsigned rank;
    asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
    return rank;
}

/// All threads of the cluster meet, and see what the others wrote.
__device__ void meet() {
    asm volatile("barrier.cluster.arrive.release;\n\tbarrier.cluster.wait.acquire;" ::: "memory");
}

/// Writes into the shared memory of block `rank` of the cluster, where `place` is in this one.
__device__ void give(float* place, unsigned rank, float value) {
    unsigned here = (unsigned)__cvta_generic_to_shared(place);
    unsigned there;
    asm volatile("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(there) : "r"(here), "r"(rank));
    asm volatile("st.shared::cluster.f32 [%0], %1;" ::"r"(there), "f"(value) : "memory");
}

/// One thread's part of the weights of its columns.
template <int SIZE, int ROWS>
struct Weights {
    static const int COLUMNS = Plan<SIZE, ROWS>::COLUMNS;
    static const int SUMS = Plan<SIZE, ROWS>::SUMS;

    float w[SIZE / PARTS][COLUMNS];

    __device__ static int part() { return threadIdx.x % PARTS; }
    __device__ static int column() { return threadIdx.x / PARTS * COLUMNS; }

    /// The weight from k to a column is at wh[k * strideK + column * strideC]; the block's columns begin at `first`.
    __device__ void load(const float* wh, Index hidden, int first, Index strideK, Index strideC) {
        #pragma unroll
        for (int i = 0; i < SIZE / PARTS; i++) {
            Index k = i / 4 * 4 * PARTS + part() * 4 + i % 4;
            #pragma unroll
            for (int j = 0; j < COLUMNS; j++) {
                Index c = first + column() + j;
                w[i][j] = k < hidden && c < hidden ? wh[k * strideK + c * strideC] : 0.0f;
            }
        }
    }

    /// Vectors [ROWS,SIZE] times the weights; returns the sum that is this thread's, see sumOf.
    __device__ float times(const float* vectors) const {
        float sums[SUMS] = {};
        #pragma unroll
        for (int i = 0; i < SIZE / PARTS; i += 4) {
            #pragma unroll
            for (int row = 0; row < ROWS; row++) {
                float4 v = *(const float4*)(vectors + row * SIZE + i * PARTS + part() * 4);
                #pragma unroll
                for (int j = 0; j < COLUMNS; j++) {
                    float& sum = sums[row * COLUMNS + j];
                    sum = fmaf(v.x, w[i][j], sum);
                    sum = fmaf(v.y, w[i + 1][j], sum);
                    sum = fmaf(v.z, w[i + 2][j], sum);
                    sum = fmaf(v.w, w[i + 3][j], sum);
                }
            }
        }
        // In each round a thread gives half of its sums away and keeps the other half, until one is left.
        int count = SUMS;
        #pragma unroll
        for (int distance = PARTS / 2; distance > 0; distance /= 2) {
            if (count > 1) {
                count /= 2;
                bool upper = (part() & distance) != 0;
                #pragma unroll
                for (int i = 0; i < SUMS / 2; i++) {
                    if (i >= count) break;
                    float given = upper ? sums[i] : sums[i + count];
                    float kept = upper ? sums[i + count] : sums[i];
                    sums[i] = kept + __shfl_xor_sync(ALL, given, distance);
                }
            } else {
                sums[0] += __shfl_xor_sync(ALL, sums[0], distance);
            }
        }
        return sums[0];
    }

    /// Which of the SUMS is this thread's in the end; where there are fewer than parts, several threads have the same.
    __device__ static int sumOf() { return part() / (PARTS / SUMS); }
    __device__ static int twin() { return part() % (PARTS / SUMS); }

    /// Gives the element of this thread's sum, which its first twin knows, to all blocks: each twin to some of them.
    __device__ static void giveAll(float* place, float value) {
        const int TWINS = PARTS / SUMS;
        if (TWINS > 1) value = __shfl_sync(ALL, value, threadIdx.x % 32 - twin());
        if (!place) return;
        #pragma unroll
        for (int i = 0; i < Plan<SIZE, ROWS>::BLOCKS / TWINS; i++) give(place, i * TWINS + twin(), value);
    }
};

/// The elements of this thread, one a pass: pass after pass over the rows of the block, then the next step.
template <int SIZE, int ROWS>
struct Walk {
    typedef Weights<SIZE, ROWS> W;

    Index at; // offset of the element in a [T+1,N,H] buffer
    Index row; // offset of its row in the mask
    int pass;

    __device__ void next(Index passes, Index hidden, Index perStep, Index rowsPerStep) {
        if (++pass < (int)passes) {
            at += ROWS * hidden;
            row += ROWS;
        } else {
            pass = 0;
            at += perStep - (passes - 1) * ROWS * hidden;
            row += rowsPerStep - (passes - 1) * ROWS;
        }
    }
};

/// Both buffers of the states of a block, [2,MOST_ROWS,SIZE], all zeros.
template <int SIZE, int ROWS>
__device__ void clear(float* buffers) {
    const int LENGTH = 2 * Plan<SIZE, ROWS>::MOST_ROWS * SIZE;
    #pragma unroll 1
    for (int i = threadIdx.x; i < LENGTH; i += Plan<SIZE, ROWS>::THREADS) buffers[i] = 0.0f;
    __syncthreads();
}

template <int SIZE, int ROWS>
__device__ void forward(
        const float* wh,
        const float* bias,
        float* states,
        const int* mask,
        Index steps,
        Index rows,
        Index hidden,
        Index rowsPerCluster,
        int reverse,
        int activation) {
    typedef Weights<SIZE, ROWS> W;
    const int LENGTH = Plan<SIZE, ROWS>::MOST_ROWS * SIZE; // of a buffer
    __shared__ __align__(16) float buffers[2 * LENGTH];
    W weights;
    int firstColumn = rankInCluster() * Plan<SIZE, ROWS>::SLICE;
    weights.load(wh, hidden, firstColumn, hidden, 1);
    clear<SIZE, ROWS>(buffers);

    Index first = (Index)(blockIdx.x / Plan<SIZE, ROWS>::BLOCKS) * rowsPerCluster;
    Index left = min(rowsPerCluster, rows - first);
    Index passes = ROWS == 1 ? 1 : (left + ROWS - 1) / ROWS;
    int line = W::sumOf() / W::COLUMNS; // the row in a pass and the column whose sum is this thread's
    int column = firstColumn + W::column() + W::sumOf() % W::COLUMNS;
    int ours = column < hidden ? (int)((left - line + ROWS - 1) / ROWS) : 0; // passes with a row for it and its twins
    int mine = W::twin() == 0 ? ours : 0;
    int place = line * SIZE + column; // in a buffer

    Index perStep = reverse ? -rows * hidden : rows * hidden;
    Index rowsPerStep = reverse ? -rows : rows;
    Index initial = (reverse ? steps * rows : 0) + first;
    #pragma unroll 1
    for (Index r = 0; r < left; r++) {
        #pragma unroll 1
        for (Index c = threadIdx.x; c < hidden; c += Plan<SIZE, ROWS>::THREADS) {
            buffers[r * SIZE + c] = states[(initial + r) * hidden + c];
        }
    }
    Walk<SIZE, ROWS> here = {(initial + line) * hidden + column + perStep, (reverse ? (steps - 1) * rows : 0) + first + line, 0};
    Walk<SIZE, ROWS> ahead = here;
    Index toFetch = steps * passes;
    float b = bias && mine > 0 ? bias[column] : 0.0f;

    float sums[AHEAD];
    int live[AHEAD];
    #pragma unroll
    for (int i = 0; i < AHEAD; i++) {
        bool there = toFetch-- > 0 && ahead.pass < mine;
        sums[i] = there ? states[ahead.at] : 0.0f;
        live[i] = there ? mask ? mask[ahead.row] : 1 : 0;
        ahead.next(passes, hidden, perStep, rowsPerStep);
    }
    bool anyLive = __any_sync(ALL, live[0] != 0);
    meet();

    float* now = buffers;
    float* then = buffers + LENGTH;
    #pragma unroll 1
    for (Index remaining = steps * passes; remaining > 0; remaining--) {
        float sum = sums[0];
        bool alive = live[0] != 0;
        #pragma unroll
        for (int i = 0; i < AHEAD - 1; i++) {
            sums[i] = sums[i + 1];
            live[i] = live[i + 1];
        }
        bool there = remaining > AHEAD && ahead.pass < mine;
        sums[AHEAD - 1] = there ? states[ahead.at] : 0.0f;
        live[AHEAD - 1] = there ? mask ? mask[ahead.row] : 1 : 0;
        ahead.next(passes, hidden, perStep, rowsPerStep);

        if (anyLive) sum += weights.times(now + here.pass * ROWS * SIZE);
        int i = here.pass * ROWS * SIZE + place;
        float h = 0.0f;
        if (here.pass < mine) {
            h = alive ? activate(activation, sum + b) : now[i];
            states[here.at] = h;
        }
        W::giveAll(here.pass < ours ? then + i : nullptr, h);
        anyLive = __any_sync(ALL, live[0] != 0);
        here.next(passes, hidden, perStep, rowsPerStep);
        if (here.pass == 0) {
            float* before = now;
            now = then;
            then = before;
            meet();
        }
    }
}

/// The buffers hold da after a live step and the gradient as it came after a masked one, which goes on to the step before
/// without a product. Slot by slot down to the initial one, which only gains.
template <int SIZE, int ROWS>
__device__ void backward(
        const float* wh,
        const float* states,
        float* gradients,
        const int* mask,
        Index steps,
        Index rows,
        Index hidden,
        Index rowsPerCluster,
        int reverse,
        int activation) {
    typedef Weights<SIZE, ROWS> W;
    const int LENGTH = Plan<SIZE, ROWS>::MOST_ROWS * SIZE;
    __shared__ __align__(16) float buffers[2 * LENGTH];
    W weights;
    int firstColumn = rankInCluster() * Plan<SIZE, ROWS>::SLICE;
    weights.load(wh, hidden, firstColumn, 1, hidden);
    clear<SIZE, ROWS>(buffers);

    Index first = (Index)(blockIdx.x / Plan<SIZE, ROWS>::BLOCKS) * rowsPerCluster;
    Index left = min(rowsPerCluster, rows - first);
    Index passes = ROWS == 1 ? 1 : (left + ROWS - 1) / ROWS;
    int line = W::sumOf() / W::COLUMNS;
    int column = firstColumn + W::column() + W::sumOf() % W::COLUMNS;
    int ours = column < hidden ? (int)((left - line + ROWS - 1) / ROWS) : 0;
    int mine = W::twin() == 0 ? ours : 0;
    int place = line * SIZE + column;

    Index perStep = reverse ? rows * hidden : -rows * hidden;
    Index rowsPerStep = reverse ? rows : -rows;
    Index last = (reverse ? 0 : steps * rows) + first + line; // the slot of the step that ran last
    Walk<SIZE, ROWS> here = {last * hidden + column, (reverse ? 0 : (steps - 1) * rows) + first + line, 0};
    Walk<SIZE, ROWS> ahead = here;

    float dhs[AHEAD];
    float hs[AHEAD];
    int live[AHEAD];
    int liveLater[AHEAD]; // the step that ran after it
    Index fetched = 0;
    Index stepPasses = steps * passes;
    #pragma unroll
    for (int i = 0; i < AHEAD; i++) {
        bool there = fetched < stepPasses + passes && ahead.pass < mine;
        bool step = fetched < stepPasses;
        dhs[i] = there ? gradients[ahead.at] : 0.0f;
        hs[i] = there && step ? states[ahead.at] : 0.0f;
        live[i] = there && step ? mask ? mask[ahead.row] : 1 : 0;
        liveLater[i] = there && fetched >= passes ? mask ? mask[ahead.row - rowsPerStep] : 1 : 0;
        fetched++;
        ahead.next(passes, hidden, perStep, rowsPerStep);
    }
    bool anyLive = false;
    meet();
    float* now = buffers;
    float* then = buffers + LENGTH;
    #pragma unroll 1
    for (Index done = 0; done < stepPasses + passes; done++) {
        float g = dhs[0];
        float h = hs[0];
        bool alive = live[0] != 0;
        bool later = liveLater[0] != 0;
        #pragma unroll
        for (int i = 0; i < AHEAD - 1; i++) {
            dhs[i] = dhs[i + 1];
            hs[i] = hs[i + 1];
            live[i] = live[i + 1];
            liveLater[i] = liveLater[i + 1];
        }
        bool there = fetched < stepPasses + passes && ahead.pass < mine;
        bool step = fetched < stepPasses;
        dhs[AHEAD - 1] = there ? gradients[ahead.at] : 0.0f;
        hs[AHEAD - 1] = there && step ? states[ahead.at] : 0.0f;
        live[AHEAD - 1] = there && step ? mask ? mask[ahead.row] : 1 : 0;
        liveLater[AHEAD - 1] = there && fetched >= passes ? mask ? mask[ahead.row - rowsPerStep] : 1 : 0;
        fetched++;
        ahead.next(passes, hidden, perStep, rowsPerStep);

        float sum = 0.0f;
        if (anyLive) sum = weights.times(now + here.pass * ROWS * SIZE);
        int i = here.pass * ROWS * SIZE + place;
        if (here.pass < mine) {
            g += later ? sum : now[i];
            if (alive) g *= derivative(activation, h);
            gradients[here.at] = alive || done >= stepPasses ? g : 0.0f;
        }
        W::giveAll(here.pass < ours ? then + i : nullptr, g);
        anyLive = __any_sync(ALL, liveLater[0] != 0);
        here.next(passes, hidden, perStep, rowsPerStep);
        if (here.pass == 0) {
            float* before = now;
            now = then;
            then = before;
            meet();
        }
    }
}

/// states [T+1,N,H]: in, the initial slot and the projections; out, the states. `bias` [H] and `mask` [T,N] may be null.
/// Cluster c owns the rows from c * rowsPerCluster on: one, or up to eight in whole passes.
#define FORWARD(name, size, rowsAtOnce, threads, blocks)                                                \
    extern "C" __global__ void __cluster_dims__(blocks, 1, 1) __launch_bounds__(threads) name(          \
            const float* wh,                                                                            \
            const float* bias,                                                                          \
            float* states,                                                                              \
            const int* mask,                                                                            \
            Index steps,                                                                                \
            Index rows,                                                                                 \
            Index hidden,                                                                               \
            Index rowsPerCluster,                                                                       \
            int reverse,                                                                                \
            int activation) {                                                                           \
        forward<size, rowsAtOnce>(                                                                      \
                wh, bias, states, mask, steps, rows, hidden, rowsPerCluster, reverse, activation);      \
    }

/// gradients [T+1,N,H]: in, those of the states as the layers above see them; out, da, and in the initial slot the gradient
/// of the initial state.
#define BACKWARD(name, size, rowsAtOnce, threads, blocks)                                               \
    extern "C" __global__ void __cluster_dims__(blocks, 1, 1) __launch_bounds__(threads) name(          \
            const float* wh,                                                                            \
            const float* states,                                                                        \
            float* gradients,                                                                           \
            const int* mask,                                                                            \
            Index steps,                                                                                \
            Index rows,                                                                                 \
            Index hidden,                                                                               \
            Index rowsPerCluster,                                                                       \
            int reverse,                                                                                \
            int activation) {                                                                           \
        backward<size, rowsAtOnce>(                                                                     \
                wh, states, gradients, mask, steps, rows, hidden, rowsPerCluster, reverse, activation); \
    }

FORWARD(cluster_forward_256_row, 256, 1, 256, 4)
FORWARD(cluster_forward_256_rows, 256, 4, 256, 4)
FORWARD(cluster_forward_512_row, 512, 1, 256, 8)
FORWARD(cluster_forward_512_rows, 512, 4, 256, 8)
BACKWARD(cluster_backward_256_row, 256, 1, 256, 4)
BACKWARD(cluster_backward_256_rows, 256, 4, 256, 4)
BACKWARD(cluster_backward_512_row, 512, 1, 256, 8)
BACKWARD(cluster_backward_512_rows, 512, 4, 256, 8)
