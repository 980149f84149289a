// Elman's recurrence over a whole sequence in one launch: each block of threads owns a few rows of the batch and walks all
// their steps, so that nothing but its own barrier is waited for. Wh stays in registers, the state in shared memory. The
// projections x_t Wx stand in the states' slots before, as for rnn.cu, and are fetched three passes ahead.
//
// Eight neighbouring threads, the "parts", share COLUMNS columns: each holds an eighth of their weights and sums an eighth
// of the products; shuffles add the parts up as one tree. A pass does this for ROWS rows at once, which leaves one sum to
// each thread when ROWS * COLUMNS is 8. A row's arithmetic is the same in every pass, every block and every batch: its bits
// depend neither on N nor on T nor on its neighbours. No atomics.
//
// SIZE is what H is padded to with zeros: 64, 128 or 192. ROWS is 1 for small batches, so that a row waits for no other.
//
// Masked rows keep their state; a pass whose rows are all masked computes nothing, so a row that has ended costs no more
// than carrying its state.
//
// Floor of a step of one row, in cycles of a multiprocessor with 128 multiply-adds a cycle: SIZE^2 / 128 for the products
// (32, 128, 288), and in a chain the reads of the state (30), three shuffles (75), tanh (100; the derivative 40), the barrier
// (30) and what lies between (25). Bytes of memory: 8 H forward and 12 H backward, 4 more with the mask. One barrier a
// step, one launch. Predicted on an H200 at 1.75 GHz for N <= 132, not yet measured on a GPU: forward 0.17, 0.22 and 0.31 us
// a step for H = 64, 128 and 192, backward 0.13, 0.19 and 0.28. Each further row on a multiprocessor adds its products:
// 0.02, 0.07 and 0.16.

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
    static const int COLUMNS = SIZE == 64 ? 2 : 4; // of a thread
    static const int THREADS = SIZE / COLUMNS * PARTS;
    static const int SUMS = ROWS * COLUMNS;
    static const int MOST_ROWS = ROWS == 1 ? 1 : 8; // of a block
};

/// One thread's part of the weights of its columns.
template <int SIZE, int ROWS>
struct Weights {
    static const int COLUMNS = Plan<SIZE, ROWS>::COLUMNS;
    static const int SUMS = Plan<SIZE, ROWS>::SUMS;

    float w[SIZE / PARTS][COLUMNS];

    __device__ static int part() { return threadIdx.x % PARTS; }
    __device__ static int column() { return threadIdx.x / PARTS * COLUMNS; }

    /// The weight from k to a column is at wh[k * strideK + column * strideC].
    __device__ void load(const float* wh, Index hidden, Index strideK, Index strideC) {
        #pragma unroll
        for (int i = 0; i < SIZE / PARTS; i++) {
            Index k = i / 4 * 4 * PARTS + part() * 4 + i % 4;
            #pragma unroll
            for (int j = 0; j < COLUMNS; j++) {
                Index c = column() + j;
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
    __device__ static bool owner() { return part() % (PARTS / SUMS) == 0; }
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
        Index rowsPerBlock,
        int reverse,
        int activation) {
    typedef Weights<SIZE, ROWS> W;
    const int LENGTH = Plan<SIZE, ROWS>::MOST_ROWS * SIZE; // of a buffer
    __shared__ __align__(16) float buffers[2 * LENGTH];
    W weights;
    weights.load(wh, hidden, hidden, 1);
    clear<SIZE, ROWS>(buffers);

    Index first = (Index)blockIdx.x * rowsPerBlock;
    Index left = min(rowsPerBlock, rows - first);
    Index passes = ROWS == 1 ? 1 : (left + ROWS - 1) / ROWS;
    int line = W::sumOf() / W::COLUMNS; // the row in a pass and the column whose sum is this thread's
    int column = W::column() + W::sumOf() % W::COLUMNS;
    int mine = W::owner() && column < hidden ? (int)((left - line + ROWS - 1) / ROWS) : 0; // passes with a row for it
    int place = line * SIZE + column; // in a buffer

    Index perStep = reverse ? -rows * hidden : rows * hidden;
    Index rowsPerStep = reverse ? -rows : rows;
    Index initial = (reverse ? steps * rows : 0) + first + line;
    #pragma unroll 1
    for (Index pass = 0; pass < mine; pass++) {
        buffers[pass * ROWS * SIZE + place] = states[(initial + pass * ROWS) * hidden + column];
    }
    Walk<SIZE, ROWS> here = {initial * hidden + column + perStep, (reverse ? (steps - 1) * rows : 0) + first + line, 0};
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
    __syncthreads();

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
        if (here.pass < mine) {
            int i = here.pass * ROWS * SIZE + place;
            float h = alive ? activate(activation, sum + b) : now[i];
            then[i] = h;
            states[here.at] = h;
        }
        anyLive = __any_sync(ALL, live[0] != 0);
        here.next(passes, hidden, perStep, rowsPerStep);
        if (here.pass == 0) {
            float* before = now;
            now = then;
            then = before;
            __syncthreads();
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
        Index rowsPerBlock,
        int reverse,
        int activation) {
    typedef Weights<SIZE, ROWS> W;
    const int LENGTH = Plan<SIZE, ROWS>::MOST_ROWS * SIZE;
    __shared__ __align__(16) float buffers[2 * LENGTH];
    W weights;
    weights.load(wh, hidden, 1, hidden);
    clear<SIZE, ROWS>(buffers);

    Index first = (Index)blockIdx.x * rowsPerBlock;
    Index left = min(rowsPerBlock, rows - first);
    Index passes = ROWS == 1 ? 1 : (left + ROWS - 1) / ROWS;
    int line = W::sumOf() / W::COLUMNS;
    int column = W::column() + W::sumOf() % W::COLUMNS;
    int mine = W::owner() && column < hidden ? (int)((left - line + ROWS - 1) / ROWS) : 0;
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
        if (here.pass < mine) {
            int i = here.pass * ROWS * SIZE + place;
            g += later ? sum : now[i];
            if (alive) g *= derivative(activation, h);
            then[i] = g;
            gradients[here.at] = alive || done >= stepPasses ? g : 0.0f;
        }
        anyLive = __any_sync(ALL, liveLater[0] != 0);
        here.next(passes, hidden, perStep, rowsPerStep);
        if (here.pass == 0) {
            float* before = now;
            now = then;
            then = before;
            __syncthreads();
        }
    }
}

/// states [T+1,N,H]: in, the initial slot and the projections; out, the states. `bias` [H] and `mask` [T,N] may be null.
/// Block b owns the rows from b * rowsPerBlock on: one, or up to eight in whole passes.
#define FORWARD(name, size, rowsAtOnce, threads, blocks)                                               \
    extern "C" __global__ void __launch_bounds__(threads, blocks) name(                                \
            const float* wh,                                                                           \
            const float* bias,                                                                         \
            float* states,                                                                             \
            const int* mask,                                                                           \
            Index steps,                                                                               \
            Index rows,                                                                                \
            Index hidden,                                                                              \
            Index rowsPerBlock,                                                                        \
            int reverse,                                                                               \
            int activation) {                                                                          \
        forward<size, rowsAtOnce>(                                                                     \
                wh, bias, states, mask, steps, rows, hidden, rowsPerBlock, reverse, activation);       \
    }

/// gradients [T+1,N,H]: in, those of the states as the layers above see them; out, da, and in the initial slot the gradient
/// of the initial state.
#define BACKWARD(name, size, rowsAtOnce, threads, blocks)                                              \
    extern "C" __global__ void __launch_bounds__(threads, blocks) name(                                \
            const float* wh,                                                                           \
            const float* states,                                                                       \
            float* gradients,                                                                          \
            const int* mask,                                                                           \
            Index steps,                                                                               \
            Index rows,                                                                                \
            Index hidden,                                                                              \
            Index rowsPerBlock,                                                                        \
            int reverse,                                                                               \
            int activation) {                                                                          \
        backward<size, rowsAtOnce>(                                                                    \
                wh, states, gradients, mask, steps, rows, hidden, rowsPerBlock, reverse, activation);  \
    }

FORWARD(sequence_forward_64_row, 64, 1, 256, 2)
FORWARD(sequence_forward_64_rows, 64, 4, 256, 2)
FORWARD(sequence_forward_128_row, 128, 1, 256, 2)
FORWARD(sequence_forward_128_rows, 128, 2, 256, 2)
FORWARD(sequence_forward_192_row, 192, 1, 384, 1)
FORWARD(sequence_forward_192_rows, 192, 2, 384, 1)
BACKWARD(sequence_backward_64_row, 64, 1, 256, 2)
BACKWARD(sequence_backward_64_rows, 64, 4, 256, 2)
BACKWARD(sequence_backward_128_row, 128, 1, 256, 2)
BACKWARD(sequence_backward_128_rows, 128, 2, 256, 2)
BACKWARD(sequence_backward_192_row, 192, 1, 384, 1)
BACKWARD(sequence_backward_192_rows, 192, 2, 384, 1)
