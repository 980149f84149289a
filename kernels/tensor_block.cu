// compute_80
// Elman's recurrence over a whole sequence in one launch, for large batches of few nodes, with the products on tensor cores: as
// in sequence.cu a block of threads owns rows of the batch and walks all their steps, with Wh in registers and the states in
// shared memory. Here it owns eight, a tile of a tensor core, and each warp multiplies all nodes by sixteen columns: so no sums
// have to meet, and a thread keeps four elements from step to step. States are split into what TF32 holds and the rest, or rounded
// to TF32, once, by who computes them.
//
// In strict float32 three products are summed as in tensor.cu, which says what becomes of numbers that are not finite. A sum
// of a tensor core takes 12 products of 8 terms at most before float32 goes on.
//
// Otherwise as sequence.cu: projections in place, masks, and bits that depend neither on N nor on T nor on a row's neighbours.
// SIZE is what H is padded to: 64 or 128, in TF32 also 192.
//
// Floor of a step, in cycles of a multiprocessor: the products SIZE^2 / 128 (32, 128, 288; with mma.sync 1.6 times that), three
// times that in float32; each warp reads all states, SIZE^2 / 64 (64, 256, 576), twice that in float32; tanh of 8 SIZE elements
// SIZE * 1.6 (100, 200, 300); and in a chain, beside what of these does not overlap, the first read (30), the products of a chain
// (130 to 400), tanh (100; the derivative 40), the barrier (30).
// Bytes of memory: 8 rows of 8 H forward and of 12 H backward, 4 more with the mask. One barrier a step, one launch.
// No GPU has run it; expected are 0.27, 0.38 and 0.6 us in TF32 and 0.29 and 0.5 in float32, up to 1056 rows on an H100, which took
// 0.48, 0.73 and 1.40 for 512 rows with sequence.cu.

#include "mma.cuh"
#include "recurrence.cuh"

const int ROWS = 8; // of a block, the columns of a tensor core's tile
const int EARLY = 3; // steps from asking the second-level cache for what a step adds to its use
const int ELEMENTS = 4; // of a thread: two rows of a column, and of the eighth column after it

template <int SIZE, bool STRICT>
struct Plan {
    static const int WARPS = SIZE / 16; // each has sixteen columns
    static const int THREADS = 32 * WARPS;
    static const int VECTORS = SIZE / 16; // of four numbers of a row that a thread multiplies
    static const int PLACES = ROWS * SIZE;
    static const int PARTS = STRICT ? 2 : 1; // of a state: high and low
    static const int APART = STRICT ? 3 : 1; // sums that meet last: low parts of weights, of states, and none
    static const int CHAINS = STRICT ? 6 : SIZE <= 128 ? 4 : 2; // of products that do not wait for each other
};

/// Which elements are a thread's, as a tensor core leaves them.
struct Share {
    int row;
    int column;

    __device__ Share() {
        row = kept((int)(threadIdx.x % 4 * 2));
        column = kept((int)(threadIdx.x / 32 * 16 + threadIdx.x % 32 / 4));
    }

    __device__ int rowOf(int element) const { return row + element % 2; }
    __device__ int columnOf(int element) const { return column + element / 2 * 8; }
};

/// The states of a block's rows, [SIZE/16,ROWS,16]: a buffer that a step reads and one that it fills, of high parts and perhaps low
/// ones. Rows and, within a row, vectors change places so that neither those who read, vectors of two rows at a time,
/// nor those who write, columns of every other row, meet in a bank.
template <int SIZE, bool STRICT>
struct States {
    typedef Plan<SIZE, STRICT> P;

    float values[2][P::PARTS][P::PLACES];

    static __device__ int place(int row, int column) {
        return column / 16 * 128 + (row ^ row / 2 % 2) * 16 + (column % 16 ^ row / 4 * 8);
    }

    /// The address of a thread's first vector in the buffer that even steps read.
    __device__ unsigned read() const {
        int lane = threadIdx.x % 32;
        return sharedAddress(&values[0][0][place(lane / 4, lane % 4 * 4)]);
    }

    /// The address of a thread's first element there.
    __device__ unsigned written(const Share& share) const { return sharedAddress(&values[0][0][place(share.row, share.column)]); }

    /// From the buffer of even steps to that of this step.
    static __device__ unsigned turn(int step) { return (step & 1) * 4 * P::PARTS * P::PLACES; }

    __device__ void clear() {
        #pragma unroll 1
        for (int i = threadIdx.x; i < 2 * P::PARTS * P::PLACES; i += P::THREADS) values[0][0][i] = 0.0f;
        __syncthreads();
    }

    /// From the address of a thread's first element to that of another one: the buffers begin at a multiple of 128.
    static __device__ unsigned other(unsigned first, int element) { return first ^ element % 2 * 64 ^ element / 2 * 32; }

    /// Leaves an element at an address.
    static __device__ void put(unsigned address, float value) {
        if (STRICT) {
            float high, low;
            split(value, high, low);
            storeShared(address, high);
            storeShared(address + 4 * P::PLACES, low);
        } else {
            storeShared(address, rounded(value));
        }
    }
};

/// A warp's columns of the weights, as a tensor core takes them.
template <int SIZE, bool STRICT>
struct TensorWeights {
    typedef Plan<SIZE, STRICT> P;

    float w[P::PARTS][P::VECTORS][2][4]; // high and low

    /// The weight from k to a column is at wh[k * strideK + column * strideC].
    __device__ void load(const float* wh, Index hidden, Index strideK, Index strideC, const Share& share) {
        #pragma unroll
        for (int v = 0; v < P::VECTORS; v++) {
            #pragma unroll
            for (int i = 0; i < 8; i++) {
                Index k = v * 16 + threadIdx.x % 4 * 4 + i / 2;
                Index c = share.column + i % 2 * 8;
                float weight = k < hidden && c < hidden ? wh[k * strideK + c * strideC] : 0.0f;
                float high = STRICT ? cut(weight) : rounded(weight);
                w[0][v][i / 4][i % 4] = high;
                if (STRICT) w[P::PARTS - 1][v][i / 4][i % 4] = weight - high;
            }
        }
    }

    /// The products of this thread's elements, from the vectors at an address.
    __device__ void times(unsigned vectors, float (&products)[ELEMENTS]) const {
        float sums[P::CHAINS][ELEMENTS] = {};
        #pragma unroll
        for (int v = 0; v < P::VECTORS; v++) {
            float4 high = loadShared4(vectors + 4 * 128 * v);
            float4 low;
            if (STRICT) low = loadShared4(vectors + 4 * (P::PLACES + 128 * v));
            #pragma unroll
            for (int half = 0; half < 2; half++) {
                float b0 = half == 0 ? high.x : high.z;
                float b1 = half == 0 ? high.y : high.w;
                if (STRICT) {
                    float b0Low = half == 0 ? low.x : low.z;
                    float b1Low = half == 0 ? low.y : low.w;
                    multiplyTile(sums[3 * half], w[P::PARTS - 1][v][half], b0, b1);
                    multiplyTile(sums[3 * half + 1], w[0][v][half], b0Low, b1Low);
                    multiplyTile(sums[(3 * half + 2) % P::CHAINS], w[0][v][half], b0, b1);
                } else {
                    multiplyTile(sums[(2 * v + half) % P::CHAINS], w[0][v][half], b0, b1);
                }
            }
        }
        #pragma unroll
        for (int e = 0; e < ELEMENTS; e++) {
            #pragma unroll
            for (int i = P::APART; i < P::CHAINS; i++) sums[i % P::APART][e] += sums[i][e];
            #pragma unroll
            for (int i = 0; i < P::APART; i++) products[e] += sums[i][e];
        }
    }
};

/// The way of a thread's elements, and of what it looks at for the others, through the steps.
struct Way {
    int count; // rows of the block
    Index at; // of the first element in [T+1,N,H]
    Index perStep;
    Index asked; // where it asks the second-level cache for eight columns of a row
    bool asks;
    Index inMask; // of the row in the mask [T,N] that it looks at
    Index perMask; // from one step's mask to that of the next
    bool looks; // whether there is one

    __device__ Way(const Share& share, Index rows, Index hidden, Index rowsPerBlock, Index slot, Index step, int direction) {
        Index first = (Index)blockIdx.x * rowsPerBlock;
        Index row = threadIdx.x % ROWS;
        Index column = threadIdx.x / 32 * 16 + threadIdx.x % 32 / ROWS * 8;
        count = kept((int)min(rowsPerBlock, rows - first));
        at = (slot * rows + first + share.row) * hidden + share.column;
        perStep = direction * rows * hidden;
        looks = row < count;
        asks = looks && threadIdx.x % 32 < 2 * ROWS && column < hidden;
        asked = (slot * rows + first + row) * hidden + column + EARLY * perStep;
        inMask = step * rows + first + row;
        perMask = direction * rows;
    }

    __device__ void next() {
        at += perStep;
        asked += perStep;
        inMask += perMask;
    }

    __device__ int live(const int* mask) const { return !looks ? 0 : mask ? mask[inMask] : 1; }
};

/// From a thread's first element to another one in [N,H].
__device__ Index apart(int element, Index hidden) { return element % 2 * hidden + element / 2 * 8; }

template <int SIZE, bool STRICT>
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
    typedef States<SIZE, STRICT> S;
    __shared__ __align__(128) S buffers;
    const Share share;
    TensorWeights<SIZE, STRICT> weights;
    weights.load(wh, hidden, hidden, 1, share);
    buffers.clear();

    const int last = (int)steps - 1;
    Way here(share, rows, hidden, rowsPerBlock, reverse ? steps - 1 : 1, reverse ? steps - 1 : 0, reverse ? -1 : 1);
    unsigned place = kept(buffers.written(share));
    Index inRows = (Index)blockIdx.x * rowsPerBlock * hidden + share.row * hidden + share.column; // of [N,H]
    bool mine[ELEMENTS];
    float h[ELEMENTS] = {}; // a masked step's state is that of the one before
    float added[ELEMENTS] = {};
    float factor[ELEMENTS];
    #pragma unroll
    for (int e = 0; e < ELEMENTS; e++) {
        mine[e] = share.rowOf(e) < here.count && share.columnOf(e) < hidden;
        factor[e] = factors && mine[e] ? factors[inRows + apart(e, hidden)] : 1.0f;
        if (!mine[e]) continue;
        h[e] = states[here.at - here.perStep + apart(e, hidden)];
        added[e] = states[here.at + apart(e, hidden)];
        S::put(S::other(place, e), h[e] * factor[e]);
    }
    float b[2];
    for (int s = 0; s < 2; s++) b[s] = bias && share.column + 8 * s < hidden ? bias[share.column + 8 * s] : 0.0f;
    int live = here.live(mask);
    unsigned vectors = kept(buffers.read());
    __syncthreads();

    #pragma unroll 1
    for (int step = 0; step <= last; step++) {
        unsigned alive = __ballot_sync(ALL, live != 0);
        float sums[ELEMENTS];
        #pragma unroll
        for (int e = 0; e < ELEMENTS; e++) sums[e] = added[e] + b[e / 2];
        float* at = states + here.at;
        if (here.asks && step + EARLY <= last) prefetch(states + here.asked);
        here.next();
        if (step < last) {
            live = here.live(mask);
            #pragma unroll
            for (int e = 0; e < ELEMENTS; e++) if (mine[e]) added[e] = states[here.at + apart(e, hidden)];
        }

        float products[ELEMENTS] = {};
        if (alive) weights.times(vectors + S::turn(step), products);
        #pragma unroll
        for (int e = 0; e < ELEMENTS; e++) {
            if (!mine[e]) continue;
            if (alive >> share.rowOf(e) & 1) h[e] = activate(activation, sums[e] + products[e]);
            S::put(S::other(place, e) + S::turn(step + 1), h[e] * factor[e]);
            at[apart(e, hidden)] = h[e];
        }
        __syncthreads();
    }
}

/// Slot by slot down to the initial one, which only gains. What goes on to the step before without a product, from a masked
/// one, stays with its thread.
template <int SIZE, bool STRICT>
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
    typedef States<SIZE, STRICT> S;
    __shared__ __align__(128) S buffers;
    const Share share;
    TensorWeights<SIZE, STRICT> weights;
    weights.load(wh, hidden, 1, hidden, share);
    buffers.clear();

    const int last = (int)steps; // the initial slot comes as one more step
    Way here(share, rows, hidden, rowsPerBlock, reverse ? 0 : steps, reverse ? 0 : steps - 1, reverse ? 1 : -1);
    unsigned place = kept(buffers.written(share));
    Index inRows = (Index)blockIdx.x * rowsPerBlock * hidden + share.row * hidden + share.column; // of [N,H]
    bool mine[ELEMENTS];
    float dh[ELEMENTS] = {};
    float h[ELEMENTS] = {};
    float carried[ELEMENTS] = {};
    float factor[ELEMENTS];
    #pragma unroll
    for (int e = 0; e < ELEMENTS; e++) {
        mine[e] = share.rowOf(e) < here.count && share.columnOf(e) < hidden;
        factor[e] = factors && mine[e] ? factors[inRows + apart(e, hidden)] : 1.0f;
        if (!mine[e]) continue;
        dh[e] = gradients[here.at + apart(e, hidden)];
        h[e] = states[here.at + apart(e, hidden)];
    }
    int live = here.live(mask);
    unsigned later = 0; // rows that were live in the step that ran after it
    unsigned vectors = kept(buffers.read());

    #pragma unroll 1
    for (int step = 0; step <= last; step++) {
        unsigned alive = step < last ? __ballot_sync(ALL, live != 0) : 0;
        float gradient[ELEMENTS], slope[ELEMENTS];
        #pragma unroll
        for (int e = 0; e < ELEMENTS; e++) {
            gradient[e] = dh[e];
            slope[e] = derivative(activation, h[e]);
        }
        float* at = gradients + here.at;
        if (here.asks && step + EARLY < last) {
            prefetch(gradients + here.asked);
            prefetch(states + here.asked);
        }
        here.next();
        if (step < last) {
            if (step + 1 < last) live = here.live(mask);
            #pragma unroll
            for (int e = 0; e < ELEMENTS; e++) {
                if (!mine[e]) continue;
                dh[e] = gradients[here.at + apart(e, hidden)];
                if (step + 1 < last) h[e] = states[here.at + apart(e, hidden)];
            }
        }

        float products[ELEMENTS] = {};
        if (later) weights.times(vectors + S::turn(step), products);
        #pragma unroll
        for (int e = 0; e < ELEMENTS; e++) {
            if (!mine[e]) continue;
            if (later >> share.rowOf(e) & 1) gradient[e] += factor[e] * products[e];
            else gradient[e] += carried[e];
            carried[e] = gradient[e];
            float da = alive >> share.rowOf(e) & 1 ? gradient[e] * slope[e] : 0.0f;
            if (step < last) S::put(S::other(place, e) + S::turn(step + 1), da);
            at[apart(e, hidden)] = step == last ? gradient[e] : da;
        }
        __syncthreads();
        later = alive;
    }
}

/// states [T+1,N,H]: in, the initial slot and the projections; out, the states. `bias` [H], `mask` [T,N] and
/// `factors` [N,H] may be null; with factors, those of recurrent dropout, Wh sees factor times state.
/// Block b owns the rows from b * rowsPerBlock on, eight at most; a second layer of the grid as in sequence.cu.
#define FORWARD(name, size, strict)                                                                             \
    extern "C" __global__ void __launch_bounds__(Plan<size, strict>::THREADS, 1) name(                          \
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
            int activation,                                                                                     \
            const float* otherWh,                                                                               \
            const float* otherBias,                                                                             \
            float* otherStates,                                                                                 \
            const float* otherFactors) {                                                                        \
        forward<size, strict>(                                                                                  \
                ofDirection(wh, otherWh), ofDirection(bias, otherBias), ofDirection(states, otherStates),       \
                mask, ofDirection(factors, otherFactors), steps, rows, hidden, rowsPerBlock,                    \
                reverse ^ (int)blockIdx.z, activation);                                                         \
    }

/// gradients [T+1,N,H]: in, those of the states as the layers above see them; out, da, and in the initial slot the gradient
/// of the initial state.
#define BACKWARD(name, size, strict)                                                                            \
    extern "C" __global__ void __launch_bounds__(Plan<size, strict>::THREADS, 1) name(                          \
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
            int activation,                                                                                     \
            const float* otherWh,                                                                               \
            const float* otherStates,                                                                           \
            float* otherGradients,                                                                              \
            const float* otherFactors) {                                                                        \
        backward<size, strict>(                                                                                 \
                ofDirection(wh, otherWh), ofDirection(states, otherStates),                                     \
                ofDirection(gradients, otherGradients), mask, ofDirection(factors, otherFactors), steps,        \
                rows, hidden, rowsPerBlock, reverse ^ (int)blockIdx.z, activation);                             \
    }

FORWARD(tensor_block_forward_64_8, 64, true)
FORWARD(tensor_block_forward_128_8, 128, true)
BACKWARD(tensor_block_backward_64_8, 64, true)
BACKWARD(tensor_block_backward_128_8, 128, true)
FORWARD(tensor_block_tf32_forward_64_8, 64, false)
FORWARD(tensor_block_tf32_forward_128_8, 128, false)
FORWARD(tensor_block_tf32_forward_192_8, 192, false)
BACKWARD(tensor_block_tf32_backward_64_8, 64, false)
BACKWARD(tensor_block_tf32_backward_128_8, 128, false)
BACKWARD(tensor_block_tf32_backward_192_8, 192, false)
