// Elman's recurrence over a whole sequence in one launch: each block of threads owns a few rows of the batch and walks all
// their steps, so that nothing but its own barrier is waited for. Wh stays in registers, the state in shared memory. The
// projections x_t Wx stand in the states' slots before, as for rnn.cu, and are fetched three passes ahead; or, where D is
// at most 8, the fused kernels fetch x_t and project it themselves.
//
// Eight threads of a warp, the "parts", share COLUMNS columns: each holds an eighth of their weights and sums an eighth
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
// and 12 H backward, 4 more with the mask. One barrier a step, one launch. A busy H200 took 0.28, 0.30 and 0.44 us forward
// and 0.33, 0.38 and 0.52 back, one that had been idle up to a quarter more: the waits of the chain are what it is made of, two warps of a
// scheduler hide little of them.
//
// Predicted for the fused kernels, of which only a single step was measured: the same chain, SIZE / 16 cycles of multiply-adds more (4, 8,
// 12), most of them in the shadow of the chain's waits: at most a tenth more a step. 4 (H + D) bytes forward where product and kernel
// together move 12 H + 4 D, and one launch for two.

#include <type_traits>

#include "recurrence.cuh"

const int EARLY = 8; // steps from asking the second-level cache for what a step adds to its use

const Index MANY = 4 << 20; // numbers [T,N,H], as many as 64 rows of 128 nodes have in 512 steps

/// Whether a thread asks for what its element's step adds: for itself and seven neighbours, a sector of 32 bytes, and only where there are
/// so many numbers that an H200's second-level cache does not bring them soon enough. Without it 128 rows of 128 nodes took 0.41 us and 64
/// rows 0.29; with it 128 rows take 0.34.
__device__ bool asksEarly(Index numbers, Index column) { return numbers > MANY && column % 8 == 0; }

template <int SIZE, int ROWS>
struct Plan {
    static const int COLUMNS = SIZE == 64 ? 2 : 4; // of a thread
    static const int PARTS = 8;
    static const int THREADS = SIZE / COLUMNS * PARTS;
    static const int MOST_ROWS = ROWS == 1 ? 1 : 8; // of a block
    static const int LENGTH = MOST_ROWS * SIZE; // of a buffer
    typedef Weights<SIZE, PARTS, COLUMNS, ROWS> W;
};

/// What a thread of a fused kernel needs forward beside the product: of each row of a pass the one feature that is its
/// part's. The feature's weights stay in registers, and its products are what the part's sums begin with.
template <int SIZE, int ROWS>
struct FusedFeed : LiveFeed<ROWS> {
    typedef typename Plan<SIZE, ROWS>::W W;
    static const int COLUMNS = Plan<SIZE, ROWS>::COLUMNS;

    float w[COLUMNS];
    float xs[AHEAD][ROWS];
    Index inputs;
    int count; // rows of the group; 0 without such a feature

    /// `left` is how many rows the group has.
    __device__ void load(const float* wx, Index features, Index hidden, Index left) {
        inputs = features;
        count = kept(W::part() < features && W::firstColumn() < hidden ? (int)left : 0);
        #pragma unroll
        for (int j = 0; j < COLUMNS; j++) {
            Index c = W::firstColumn() + j;
            w[j] = W::part() < features && c < hidden ? wx[W::part() * hidden + c] : 0.0f;
        }
    }

    __device__ void begin(
            const Walk<ROWS>& first, const Course& course, Index steps, const float* x, const int* mask, int passes) {
        this->ahead = first;
        this->ahead.at = (first.row - W::line()) * inputs + W::part(); // in x, of the first row of a pass
        this->unfetched = steps * course.passes;
        #pragma unroll
        for (int i = 0; i < AHEAD; i++) next(course, x, mask, passes);
    }

    /// Masked rows are fetched, too: what they hold meets no other row.
    __device__ void next(const Course& course, const float* x, const int* mask, int passes) {
        #pragma unroll
        for (int i = 0; i < AHEAD - 1; i++) {
            #pragma unroll
            for (int r = 0; r < ROWS; r++) xs[i][r] = xs[i + 1][r];
        }
        bool more = this->unfetched-- > 0;
        int left = more ? count - this->ahead.pass * ROWS : 0;
        #pragma unroll
        for (int r = 0; r < ROWS; r++) xs[AHEAD - 1][r] = r < left ? x[this->ahead.at + r * inputs] : 0.0f;
        Course ofX = {course.passes, inputs, course.rowsPerStep * inputs, course.rowsPerStep};
        LiveFeed<ROWS>::next(ofX, mask, more && this->ahead.pass < passes);
    }

    /// What the sums of a pass begin with.
    __device__ void start(float (&sums)[W::SUMS]) const {
        #pragma unroll
        for (int i = 0; i < ROWS * COLUMNS; i++) sums[i] = xs[0][i / COLUMNS] * w[i % COLUMNS];
    }
};

/// Both buffers of the states of a block, [2,MOST_ROWS,SIZE], all zeros.
template <int SIZE, int ROWS>
__device__ void clear(float* buffers) {
    #pragma unroll 1
    for (int i = threadIdx.x; i < 2 * Plan<SIZE, ROWS>::LENGTH; i += Plan<SIZE, ROWS>::THREADS) buffers[i] = 0.0f;
    __syncthreads();
}

template <int SIZE, int ROWS, bool FUSES>
__device__ void forward(FORWARD_OPERANDS, const float* x, const float* wx, SIZES, Index inputs, int reverse, int activation) {
    typedef Plan<SIZE, ROWS> P;
    typedef typename P::W W;
    __shared__ __align__(16) float buffers[2 * P::LENGTH];
    W weights;
    Index first = (Index)blockIdx.x * rowsPerGroup;
    weights.load(wh, hidden, 0, hidden, 1);
    if (ROWS == 1 && factors) weights.multiplyNodes(factors + first * hidden, hidden);
    clear<SIZE, ROWS>(buffers);

    Index left = min(rowsPerGroup, rows - first);
    int line = W::line(); // the row in a pass and the column whose sum is this thread's
    Index column = W::column();
    // Passes with a row for it; kept, or the compiler would compute it anew in each step.
    int mine = kept(W::twin() == 0 && column < hidden ? (int)((left - line + ROWS - 1) / ROWS) : 0);
    int place = line * SIZE + (int)column; // in a buffer

    Course course = {passesOf<ROWS>(left), hidden, reverse ? -rows * hidden : rows * hidden,
                     reverse ? -rows : rows};
    Index initial = (reverse ? steps * rows : 0) + first + line;
    #pragma unroll 1
    for (Index pass = 0; pass < mine; pass++) {
        buffers[pass * ROWS * SIZE + place] = states[(initial + pass * ROWS) * hidden + column];
    }
    Walk<ROWS> here = {initial * hidden + column + course.perStep, (reverse ? (steps - 1) * rows : 0) + first + line, 0};
    std::conditional_t<FUSES, FusedFeed<SIZE, ROWS>, ForwardFeed<ROWS>> feed;
    if constexpr (FUSES) {
        feed.load(wx, inputs, hidden, left);
    }
    const float* source = FUSES ? x : states;
    feed.begin(here, course, steps, source, mask, mine);
    float b = bias && mine > 0 ? bias[column] : 0.0f;
    int part = kept(W::part());
    unsigned own = kept(4 * place);
    unsigned now = kept(sharedAddress(buffers));
    unsigned then = now + 4 * P::LENGTH;
    bool anyLive = __any_sync(ALL, feed.live[0] != 0);
    __syncthreads();

    const bool asks = kept((int)asksEarly(steps * rows * hidden, column));
    const Index early = EARLY * course.passes;
    const Index toEarly = EARLY * course.perStep;
    #pragma unroll 1
    for (Index remaining = steps * course.passes; remaining > 0; remaining--) {
        float sum = 0.0f;
        float sums[W::SUMS] = {};
        if constexpr (FUSES) feed.start(sums);
        else sum = feed.sums[0];
        bool alive = feed.live[0] != 0;
        feed.next(course, source, mask, mine);

        unsigned offset = 4 * (unsigned)here.pass * ROWS * SIZE;
        bool has = here.pass < mine;
        float before = has ? loadShared(now + offset + own) : 0.0f;
        if (anyLive) sum += weights.times(now + offset + 16 * part, part, sums);
        float h = activate(activation, sum + b);
        if (!alive) h = before;
        if (has) {
            storeShared(then + offset + own, h);
            states[here.at] = h;
            if (!FUSES && asks && remaining > early) prefetch(states + here.at + toEarly);
        }
        anyLive = __any_sync(ALL, feed.live[0] != 0);
        here.next(course);
        if (here.pass == 0) {
            unsigned read = now;
            now = then;
            then = read;
            __syncthreads();
        }
    }
}

/// The buffers hold da after a live step and the gradient as it came after a masked one, which goes on to the step before
/// without a product. Slot by slot down to the initial one, which only gains.
template <int SIZE, int ROWS>
__device__ void backward(BACKWARD_OPERANDS, SIZES, int reverse, int activation) {
    typedef Plan<SIZE, ROWS> P;
    typedef typename P::W W;
    __shared__ __align__(16) float buffers[2 * P::LENGTH];
    W weights;
    Index first = (Index)blockIdx.x * rowsPerGroup;
    weights.load(wh, hidden, 0, 1, hidden);
    if (ROWS == 1 && factors) weights.multiplyColumns(factors + first * hidden, hidden, 0);
    clear<SIZE, ROWS>(buffers);

    Index left = min(rowsPerGroup, rows - first);
    int line = W::line();
    Index column = W::column();
    int mine = kept(W::twin() == 0 && column < hidden ? (int)((left - line + ROWS - 1) / ROWS) : 0);
    int place = line * SIZE + (int)column;

    Course course = {passesOf<ROWS>(left), hidden, reverse ? rows * hidden : -rows * hidden,
                     reverse ? rows : -rows};
    Index last = (reverse ? 0 : steps * rows) + first + line; // the slot of the step that ran last
    Walk<ROWS> here = {last * hidden + column, (reverse ? 0 : (steps - 1) * rows) + first + line, 0};
    BackwardFeed<ROWS> feed;
    feed.begin(here, course, steps, states, gradients, mask, mine);
    int part = kept(W::part());
    unsigned own = kept(4 * place);
    unsigned now = kept(sharedAddress(buffers));
    unsigned then = now + 4 * P::LENGTH;
    bool anyLater = false;

    const bool asks = kept((int)asksEarly(steps * rows * hidden, column));
    const Index early = EARLY * course.passes;
    const Index toEarly = EARLY * course.perStep;
    #pragma unroll 1
    for (Index remaining = (steps + 1) * course.passes; remaining > 0; remaining--) {
        float g = feed.dhs[0];
        float h = feed.hs[0];
        bool alive = feed.live[0] != 0;
        bool later = feed.liveLater[0] != 0;
        feed.next(course, states, gradients, mask, mine);

        unsigned offset = 4 * (unsigned)here.pass * ROWS * SIZE;
        bool has = here.pass < mine;
        float before = has ? loadShared(now + offset + own) : 0.0f;
        float slope = computedHere(alive ? derivative(activation, h) : 1.0f);
        float sum = 0.0f;
        if (anyLater) sum = weights.times(now + offset + 16 * part, part);
        g = (g + (later ? sum : before)) * slope;
        if (has) {
            storeShared(then + offset + own, g);
            gradients[here.at] = alive || remaining <= course.passes ? g : 0.0f;
            if (asks && remaining > early) {
                prefetch(states + here.at + toEarly);
                prefetch(gradients + here.at + toEarly);
            }
        }
        anyLater = __any_sync(ALL, feed.liveLater[0] != 0);
        here.next(course);
        if (here.pass == 0) {
            unsigned read = now;
            now = then;
            then = read;
            __syncthreads();
        }
    }
}

/// A group is a block: block b owns the rows from b * rowsPerGroup on, one or up to eight, `rowsAtOnce` in a pass. `factors` are not read
/// where a pass has several rows.
#define FORWARD(name, size, rowsAtOnce, blocks)                                                                                        \
    extern "C" __global__ void __launch_bounds__(Plan<size, rowsAtOnce>::THREADS, blocks) name(                                        \
            FORWARD_OPERANDS, SIZES, int reverse, int activation, OTHER_FORWARD_OPERANDS) {                                            \
        forward<size, rowsAtOnce, false>(                                                                                              \
                FORWARD_OPERANDS_HERE, nullptr, nullptr, steps, rows, hidden, rowsPerGroup, 0, reverse ^ (int)blockIdx.z, activation); \
    }

/// The same with x [T,N,D] and Wx [D,H] in place of the projections, `inputs` is D, 8 at most; of the states only the initial slot is
/// read.
#define FUSED(name, size, rowsAtOnce, blocks)                                                                                            \
    extern "C" __global__ void __launch_bounds__(Plan<size, rowsAtOnce>::THREADS, blocks) name(                                          \
            FORWARD_OPERANDS, const float* x, const float* wx, SIZES, Index inputs, int reverse, int activation, OTHER_FORWARD_OPERANDS, \
            const float* otherX, const float* otherWx) {                                                                                 \
        forward<size, rowsAtOnce, true>(                                                                                                 \
                FORWARD_OPERANDS_HERE, ofDirection(x, otherX), ofDirection(wx, otherWx), steps, rows, hidden, rowsPerGroup, inputs,      \
                reverse ^ (int)blockIdx.z, activation);                                                                                  \
    }

#define BACKWARD(name, size, rowsAtOnce, blocks)                                                                   \
    extern "C" __global__ void __launch_bounds__(Plan<size, rowsAtOnce>::THREADS, blocks) name(                    \
            BACKWARD_OPERANDS, SIZES, int reverse, int activation, OTHER_BACKWARD_OPERANDS) {                      \
        backward<size, rowsAtOnce>(                                                                                \
                BACKWARD_OPERANDS_HERE, steps, rows, hidden, rowsPerGroup, reverse ^ (int)blockIdx.z, activation); \
    }

FORWARD(sequence_forward_64_1, 64, 1, 2)
FORWARD(sequence_forward_64_4, 64, 4, 2)
FORWARD(sequence_forward_128_1, 128, 1, 2)
FORWARD(sequence_forward_128_2, 128, 2, 2)
FORWARD(sequence_forward_192_1, 192, 1, 1)
FORWARD(sequence_forward_192_2, 192, 2, 1)
FUSED(sequence_fused_64_1, 64, 1, 2)
FUSED(sequence_fused_64_4, 64, 4, 2)
FUSED(sequence_fused_128_1, 128, 1, 2)
FUSED(sequence_fused_128_2, 128, 2, 2)
FUSED(sequence_fused_192_1, 192, 1, 1)
FUSED(sequence_fused_192_2, 192, 2, 1)
BACKWARD(sequence_backward_64_1, 64, 1, 2)
BACKWARD(sequence_backward_64_4, 64, 4, 2)
BACKWARD(sequence_backward_128_1, 128, 1, 2)
BACKWARD(sequence_backward_128_2, 128, 2, 2)
BACKWARD(sequence_backward_192_1, 192, 1, 1)
BACKWARD(sequence_backward_192_2, 192, 2, 1)
