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
// (30) and what lies between (25): 0.15, 0.20 and 0.28 us at 1.98 GHz for 64, 128 and 192 nodes. Bytes of memory: 8 H forward
// and 12 H backward, 4 more with the mask. One barrier a step, one launch. An H100 took 0.28, 0.37 and 0.52 us forward and
// 0.30, 0.42 and 0.57 back: the waits of the chain are what it is made of, two warps of a scheduler hide little of them.

#include "recurrence.cuh"

template <int SIZE, int ROWS>
struct Plan {
    static const int COLUMNS = SIZE == 64 ? 2 : 4; // of a thread
    static const int PARTS = 8;
    static const int THREADS = SIZE / COLUMNS * PARTS;
    static const int MOST_ROWS = ROWS == 1 ? 1 : 8; // of a block
    static const int LENGTH = MOST_ROWS * SIZE; // of a buffer
    typedef Weights<SIZE, PARTS, COLUMNS, ROWS> W;
};

/// Both buffers of the states of a block, [2,MOST_ROWS,SIZE], all zeros.
template <int SIZE, int ROWS>
__device__ void clear(float* buffers) {
    #pragma unroll 1
    for (int i = threadIdx.x; i < 2 * Plan<SIZE, ROWS>::LENGTH; i += Plan<SIZE, ROWS>::THREADS) buffers[i] = 0.0f;
    __syncthreads();
}

template <int SIZE, int ROWS>
__device__ void forward(
        const float* wh,
        const float* bias,
        float* states,
        const int* mask,
        const float* factors,
        Index steps,
        Index rows,
        Index hidden,
        Index rowsPerBlock,
        int reverse,
        int activation) {
    typedef Plan<SIZE, ROWS> P;
    typedef typename P::W W;
    __shared__ __align__(16) float buffers[2 * P::LENGTH];
    W weights;
    weights.load(wh, hidden, 0, hidden, 1);
    clear<SIZE, ROWS>(buffers);

    Index first = (Index)blockIdx.x * rowsPerBlock;
    Index left = min(rowsPerBlock, rows - first);
    int line = W::line(); // the row in a pass and the column whose sum is this thread's
    Index column = W::column();
    int mine = W::twin() == 0 && column < hidden ? (int)((left - line + ROWS - 1) / ROWS) : 0; // passes with a row for it
    int place = line * SIZE + (int)column; // in a buffer

    Course course = {ROWS == 1 ? 1 : (left + ROWS - 1) / ROWS, hidden, reverse ? -rows * hidden : rows * hidden,
                     reverse ? -rows : rows};
    Index initial = (reverse ? steps * rows : 0) + first + line;
    Index ofElement = (first + line) * hidden + column; // in the factors
    #pragma unroll 1
    for (Index pass = 0; pass < mine; pass++) {
        float m = factors ? factors[ofElement + pass * ROWS * hidden] : 1.0f;
        buffers[pass * ROWS * SIZE + place] = m * states[(initial + pass * ROWS) * hidden + column];
    }
    Walk<ROWS> here = {initial * hidden + column + course.perStep, (reverse ? (steps - 1) * rows : 0) + first + line, 0};
    ForwardFeed<ROWS> feed;
    feed.begin(here, course, steps, states, mask, mine);
    float b = bias && mine > 0 ? bias[column] : 0.0f;
    int part = kept(W::part());
    unsigned now = kept(sharedAddress(buffers));
    unsigned then = now + 4 * P::LENGTH;
    bool anyLive = __any_sync(ALL, feed.live[0] != 0);
    __syncthreads();

    #pragma unroll 1
    for (Index remaining = steps * course.passes; remaining > 0; remaining--) {
        float sum = feed.sums[0];
        bool alive = feed.live[0] != 0;
        feed.next(course, states, mask, mine);
        float m = factors && here.pass < mine ? factors[ofElement + here.pass * ROWS * hidden] : 1.0f;

        unsigned offset = 4 * (unsigned)here.pass * ROWS * SIZE;
        if (anyLive) sum += weights.times(now + offset + 16 * part, part);
        if (here.pass < mine) {
            float h = activate(activation, sum + b);
            float seen = alive ? m * h : loadShared(now + offset + 4 * place);
            if (!alive) h = factors ? states[here.at - course.perStep] : seen;
            storeShared(then + offset + 4 * place, seen);
            states[here.at] = h;
        }
        anyLive = __any_sync(ALL, feed.live[0] != 0);
        here.next(course);
        if (here.pass == 0) {
            unsigned before = now;
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
        const float* factors,
        Index steps,
        Index rows,
        Index hidden,
        Index rowsPerBlock,
        int reverse,
        int activation) {
    typedef Plan<SIZE, ROWS> P;
    typedef typename P::W W;
    __shared__ __align__(16) float buffers[2 * P::LENGTH];
    W weights;
    weights.load(wh, hidden, 0, 1, hidden);
    clear<SIZE, ROWS>(buffers);

    Index first = (Index)blockIdx.x * rowsPerBlock;
    Index left = min(rowsPerBlock, rows - first);
    int line = W::line();
    Index column = W::column();
    int mine = W::twin() == 0 && column < hidden ? (int)((left - line + ROWS - 1) / ROWS) : 0;
    int place = line * SIZE + (int)column;

    Course course = {ROWS == 1 ? 1 : (left + ROWS - 1) / ROWS, hidden, reverse ? rows * hidden : -rows * hidden,
                     reverse ? rows : -rows};
    Index last = (reverse ? 0 : steps * rows) + first + line; // the slot of the step that ran last
    Index ofElement = (first + line) * hidden + column;
    Walk<ROWS> here = {last * hidden + column, (reverse ? 0 : (steps - 1) * rows) + first + line, 0};
    BackwardFeed<ROWS> feed;
    feed.begin(here, course, steps, states, gradients, mask, mine);
    int part = kept(W::part());
    unsigned now = kept(sharedAddress(buffers));
    unsigned then = now + 4 * P::LENGTH;
    bool anyLater = false;

    #pragma unroll 1
    for (Index remaining = (steps + 1) * course.passes; remaining > 0; remaining--) {
        float g = feed.dhs[0];
        float h = feed.hs[0];
        bool alive = feed.live[0] != 0;
        bool later = feed.liveLater[0] != 0;
        feed.next(course, states, gradients, mask, mine);
        float m = factors && here.pass < mine ? factors[ofElement + here.pass * ROWS * hidden] : 1.0f;

        unsigned offset = 4 * (unsigned)here.pass * ROWS * SIZE;
        float sum = 0.0f;
        if (anyLater) sum = weights.times(now + offset + 16 * part, part);
        if (here.pass < mine) {
            g += later ? m * sum : loadShared(now + offset + 4 * place);
            if (alive) g *= derivative(activation, h);
            storeShared(then + offset + 4 * place, g);
            gradients[here.at] = alive || remaining <= course.passes ? g : 0.0f;
        }
        anyLater = __any_sync(ALL, feed.liveLater[0] != 0);
        here.next(course);
        if (here.pass == 0) {
            unsigned before = now;
            now = then;
            then = before;
            __syncthreads();
        }
    }
}

/// states [T+1,N,H]: in, the initial slot and the projections; out, the states. `bias` [H], `mask` [T,N] and
/// `factors` [N,H] may be null; with factors, those of recurrent dropout, Wh sees factor times state.
/// Block b owns the rows from b * rowsPerBlock on: one, or up to eight, `rowsAtOnce` in a pass.
#define FORWARD(name, size, rowsAtOnce, blocks)                                                                 \
    extern "C" __global__ void __launch_bounds__(Plan<size, rowsAtOnce>::THREADS, blocks) name(                 \
            const float* wh,                                                                                    \
            const float* bias,                                                                                  \
            float* states,                                                                                      \
            const int* mask,                                                                                    \
            const float* factors,                                                                               \
            Index steps,                                                                                        \
            Index rows,                                                                                         \
            Index hidden,                                                                                       \
            Index rowsPerBlock,                                                                                 \
            int reverse,                                                                                        \
            int activation) {                                                                                   \
        forward<size, rowsAtOnce>(                                                                              \
                wh, bias, states, mask, factors, steps, rows, hidden, rowsPerBlock, reverse, activation);                \
    }

/// gradients [T+1,N,H]: in, those of the states as the layers above see them; out, da, and in the initial slot the gradient
/// of the initial state.
#define BACKWARD(name, size, rowsAtOnce, blocks)                                                                \
    extern "C" __global__ void __launch_bounds__(Plan<size, rowsAtOnce>::THREADS, blocks) name(                 \
            const float* wh,                                                                                    \
            const float* states,                                                                                \
            float* gradients,                                                                                   \
            const int* mask,                                                                                    \
            const float* factors,                                                                               \
            Index steps,                                                                                        \
            Index rows,                                                                                         \
            Index hidden,                                                                                       \
            Index rowsPerBlock,                                                                                 \
            int reverse,                                                                                        \
            int activation) {                                                                                   \
        backward<size, rowsAtOnce>(                                                                             \
                wh, states, gradients, mask, factors, steps, rows, hidden, rowsPerBlock, reverse, activation);           \
    }

FORWARD(sequence_forward_64_1, 64, 1, 2)
FORWARD(sequence_forward_64_4, 64, 4, 2)
FORWARD(sequence_forward_128_1, 128, 1, 2)
FORWARD(sequence_forward_128_2, 128, 2, 2)
FORWARD(sequence_forward_192_1, 192, 1, 1)
FORWARD(sequence_forward_192_2, 192, 2, 1)
BACKWARD(sequence_backward_64_1, 64, 1, 2)
BACKWARD(sequence_backward_64_4, 64, 4, 2)
BACKWARD(sequence_backward_128_1, 128, 1, 2)
BACKWARD(sequence_backward_128_2, 128, 2, 2)
BACKWARD(sequence_backward_192_1, 192, 1, 1)
BACKWARD(sequence_backward_192_2, 192, 2, 1)
