// compute_90, PTX 8.1
// Elman's recurrence over a whole sequence in one launch, of up to eight rows by the blocks of a cluster, with the products on
// tensor cores in TF32. As in cluster.cu each block keeps a slice of the columns of Wh in registers, all have the whole
// state in shared memory, and who computes an element sends it to every block of the cluster. As in tensor.cu the rows are a tile
// of a tensor core, each warp multiplies by the weights of its share of the nodes, and what the warps sum up meets in shared
// memory. States are rounded to TF32 once, by who sends them.
//
// Otherwise as sequence.cu: projections in place, masks, and bits that depend neither on N nor on T nor on a row's neighbours.
// SIZE is what H is padded to: 384 or 512, on eight blocks.
//
// Floor of a step, in cycles of a multiprocessor: the products of eight rows SIZE * SLICE / 128 (144 and 256; with mma.sync 1.6
// times that), and in a chain the reads of the state (60), partial sums (120), tanh (100; the derivative 40) and sending (400
// for one row, SIZE / 4 more for each further one, at 16 bytes a cycle): 0.51 and 0.60 us at 1.98 GHz for three rows forward.
// Bytes of memory: 8 H forward and 12 H backward, 4 BLOCKS more with the mask; 4 H BLOCKS between the blocks. A barrier of
// a block a step, one launch. An H200 took 0.74 and 0.89 us for them forward, 0.72 and 0.86 back, where tensor.cu's ring takes 1.2 and 1.35.
// Not measured since: a warp sends lines of 128 bytes, each to one block, where four neighbours sent the same 16 bytes to four; by what
// that cost cluster.cu up to 0.1 us less is expected.

#include "cluster.cuh"
#include "mma.cuh"
#include "recurrence.cuh"

const int ROWS = 8; // of a cluster, the columns of a tensor core's tile
const int HALF = ROWS / 2; // rows between the two elements of a thread
const int EARLY = 3; // steps from asking the second-level cache for what a step adds to its use

template <int SIZE>
struct Plan {
    static const int BLOCKS = 8; // of a cluster
    static const int SLICE = SIZE / BLOCKS; // columns of a block
    static const int WARPS = 8;
    static const int THREADS = 32 * WARPS;
    static const int SIDES = SIZE == 512 ? 2 : 1; // of the slice, each of other warps
    static const int SHARES = WARPS / SIDES; // of the nodes
    static const int TILES = SLICE / SIDES / 16; // of a warp's columns
    static const int VECTORS = SIZE / SHARES / 16; // of four numbers of a row that a thread multiplies
    static const int CHAINS = SIZE == 512 ? 2 : 1; // of a tile's products, that do not wait for each other: 16 would take long
    static const int PLACES = ROWS * SIZE;
};

/// Which elements of the slice are a thread's: of one column, in a row and in the fourth one after it. A warp has sixteen columns
/// of two rows, so that it sends whole lines of a mailbox and what it reads of the partial sums lies in banks of its own.
template <int SIZE>
struct Share {
    typedef Plan<SIZE> P;

    int row;
    int inSlice;
    int column;
    bool has; // the last warps may have none

    __device__ Share() {
        row = kept(firstRow() + (int)(threadIdx.x / 16 % 2));
        inSlice = kept(firstInSlice() + (int)(threadIdx.x % 16));
        column = kept((int)rankInCluster() * P::SLICE + inSlice);
        has = row < HALF;
    }

    /// Those of its warp's first thread.
    static __device__ int firstRow() { return threadIdx.x / 32 / (P::SLICE / 16) * 2; }
    static __device__ int firstInSlice() { return threadIdx.x / 32 % (P::SLICE / 16) * 16; }
};

/// The states of a cluster's rows in one block, [SIZE/16,ROWS,16]: a buffer for even steps and one for odd ones, and what waits for
/// them. Step s reads what came for it and sends for step s + 1.
template <int SIZE>
struct Mailbox {
    typedef Plan<SIZE> P;

    float values[2][P::PLACES];
    unsigned long long arrivals[2];

    static __device__ int place(int row, int column) { return column / 16 * 128 + row * 16 + column % 16; }

    /// From where `address` the mailbox is, as the rest.
    static __device__ unsigned valuesAt(unsigned address, int step) { return address + (step & 1) * 4 * P::PLACES; }
    static __device__ Arrivals arrivalsAt(unsigned address, int step) { return {address + 8 * P::PLACES + (step & 1) * 8}; }

    /// Zeros, and ready for what is sent for the first two of the steps 1 to `last`.
    __device__ void clear(int rows, int last) {
        #pragma unroll 1
        for (int i = threadIdx.x; i < 2 * P::PLACES; i += P::THREADS) values[0][i] = 0.0f;
        if (threadIdx.x < 2) {
            Arrivals mine = {sharedAddress(&arrivals[threadIdx.x])};
            mine.begin();
            if (last >= (threadIdx.x == 0 ? 2 : 1)) mine.expect(4 * rows * SIZE);
        }
        __syncthreads();
    }

    /// Waits for what was sent for this step, and lets the thread that prepares get ready for the next but one, if it comes.
    static __device__ void await(unsigned address, int step, int last, int rows, bool prepares) {
        Arrivals arrivals = arrivalsAt(address, step);
        arrivals.await(step - 1 >> 1 & 1);
        if (prepares && step + 2 <= last) arrivals.expect(4 * rows * SIZE);
        __syncwarp(); // tensor cores take a whole warp
    }

};

/// What a thread sends for its warp, whose sixteen columns of two rows are a line of eight vectors in a mailbox: one of them, to two
/// blocks. So eight neighbours write a line that lies together into the same block.
template <int SIZE>
struct Letter {
    typedef Plan<SIZE> P;
    typedef Mailbox<SIZE> M;
    static const int VECTORS = 8;

    unsigned offset; // in the values
    int from; // the first of the four threads that have the numbers
    int block; // the first that gets them
    bool sent[2]; // whether there is such a row

    __device__ Letter(const Share<SIZE>& share, int rows) {
        int vector = threadIdx.x % VECTORS;
        int firstColumn = rankInCluster() * P::SLICE + share.firstInSlice();
        offset = kept(4 * (unsigned)(M::place(share.firstRow(), firstColumn) + 4 * vector));
        from = kept(4 * vector);
        block = kept((int)(threadIdx.x % 32 / VECTORS));
        int row = share.firstRow() + vector / 4;
        #pragma unroll
        for (int e = 0; e < 2; e++) sent[e] = row < HALF && row + e * HALF < rows;
    }

    /// Sends the first or the second elements of the warp for this step. All its threads come here.
    __device__ void send(unsigned address, int step, int element, float value) const {
        float4 four = {__shfl_sync(ALL, value, from), __shfl_sync(ALL, value, from + 1),
                       __shfl_sync(ALL, value, from + 2), __shfl_sync(ALL, value, from + 3)};
        if (!sent[element]) return;
        unsigned to = M::valuesAt(address, step) + offset + element * HALF * 64;
        unsigned arrivals = M::arrivalsAt(address, step).address;
        #pragma unroll
        for (int i = 0; i < P::BLOCKS; i += 32 / VECTORS) ::send(to, arrivals, block + i, four);
    }
};

/// What the warps sum up in a step: of each share of the nodes [SLICE,ROWS], where neither those who write, two rows at a time,
/// nor those who read, sixteen columns of two rows, meet in a bank.
template <int SIZE>
struct Partials {
    typedef Plan<SIZE> P;

    float sums[P::SHARES][P::SLICE * ROWS];

    static __device__ int at(int row, int column) { return column * ROWS + (row ^ column / 4 % 4 * 2); }

    /// The address where a thread of a warp with these sums writes two rows, of columns 0 to 7 of its first tile.
    __device__ unsigned written(int share, int side) const {
        int lane = threadIdx.x % 32;
        return sharedAddress(&sums[share][at(lane % 4 * 2, side * P::TILES * 16 + lane / 4)]);
    }

    /// From there to where it writes those of columns 8 to 15.
    static __device__ int other() { return 4 * (8 * ROWS + (threadIdx.x % 4 < 2 ? 4 : -4)); }

    __device__ float total(int place) const {
        float parts[P::SHARES];
        #pragma unroll
        for (int i = 0; i < P::SHARES; i++) parts[i] = sums[i][place];
        #pragma unroll
        for (int count = P::SHARES / 2; count > 0; count /= 2) {
            #pragma unroll
            for (int i = 0; i < count; i++) parts[i] += parts[i + count];
        }
        return parts[0];
    }

    /// When all warps have written, the sums of a thread's elements if there are any, the first of which lies at `place`. Warps write
    /// again when all has come that this block's warps sent after their threads had read here, see Letter.
    __device__ void totals(int place, bool mine, int rows, bool written, float (&products)[2]) const {
        products[0] = products[1] = 0.0f;
        __syncthreads();
        if (!written || !mine) return;
        if (rows > HALF) products[1] = total(place ^ HALF);
        products[0] = total(place);
    }
};

/// A warp's part of the block's weights, as a tensor core takes them.
template <int SIZE>
struct TensorWeights {
    typedef Plan<SIZE> P;

    float w[P::VECTORS][2][P::TILES][4];

    static __device__ int share() { return threadIdx.x / 32 % P::SHARES; }
    static __device__ int side() { return threadIdx.x / 32 / P::SHARES; }

    /// The weight from k to a column is at wh[k * strideK + column * strideC].
    __device__ void load(const float* wh, Index hidden, Index strideK, Index strideC) {
        int lane = threadIdx.x % 32;
        int first = rankInCluster() * P::SLICE + side() * P::TILES * 16 + lane / 4;
        #pragma unroll
        for (int v = 0; v < P::VECTORS; v++) {
            #pragma unroll
            for (int i = 0; i < 4; i++) {
                Index k = (share() * P::VECTORS + v) * 16 + lane % 4 * 4 + i;
                #pragma unroll
                for (int t = 0; t < P::TILES; t++) {
                    #pragma unroll
                    for (int s = 0; s < 2; s++) {
                        Index c = first + t * 16 + 8 * s;
                        w[v][i / 2][t][i % 2 * 2 + s] =
                                k < hidden && c < hidden ? rounded(wh[k * strideK + c * strideC]) : 0.0f;
                    }
                }
            }
        }
    }

    /// The address of this thread's first vector in a mailbox's values.
    static __device__ unsigned read() { return 4 * (share() * P::VECTORS * 128 + threadIdx.x % 32 * 4); }

    /// This warp's sums over its nodes, from the vectors at an address to where it writes among the partial sums.
    __device__ void times(unsigned vectors, unsigned low, int other) const {
        float sums[P::CHAINS][P::TILES][4] = {};
        #pragma unroll
        for (int v = 0; v < P::VECTORS; v++) {
            float4 state = loadShared4(vectors + 4 * 128 * v);
            #pragma unroll
            for (int t = 0; t < P::TILES; t++) multiplyTile(sums[0][t], w[v][0][t], state.x, state.y);
            #pragma unroll
            for (int t = 0; t < P::TILES; t++) multiplyTile(sums[P::CHAINS - 1][t], w[v][1][t], state.z, state.w);
        }
        #pragma unroll
        for (int t = 0; t < P::TILES; t++) {
            if (P::CHAINS > 1) {
                #pragma unroll
                for (int i = 0; i < 4; i++) sums[0][t][i] += sums[P::CHAINS - 1][t][i];
            }
            unsigned at = low + 4 * 16 * ROWS * t;
            storeShared2(at, sums[0][t][0], sums[0][t][1]);
            storeShared2(at + other, sums[0][t][2], sums[0][t][3]);
        }
    }
};

/// The rows of a cluster, and the way of a thread's first element and of a mask through the steps.
template <int SIZE>
struct Rows {
    Index first;
    int count;
    Index at; // of the element in [T+1,N,H]
    Index perStep;
    Index inMask; // of the row in the mask [T,N] that the thread looks at
    Index perMask; // from one step's mask to that of the next
    bool looks; // whether there is one

    __device__ Rows(
            const Share<SIZE>& share, Index rows, Index hidden, Index rowsPerCluster, Index slot, Index step, int direction) {
        first = (Index)(blockIdx.x / Plan<SIZE>::BLOCKS) * rowsPerCluster;
        count = kept((int)min(rowsPerCluster, rows - first));
        at = (slot * rows + first + share.row) * hidden + share.column;
        perStep = direction * rows * hidden;
        inMask = step * rows + first + (Index)(threadIdx.x % ROWS);
        perMask = direction * rows;
        looks = threadIdx.x % ROWS < count;
    }

    __device__ void next() {
        at += perStep;
        inMask += perMask;
    }

    /// Whether the row whose mask the thread looks at is live, so many steps on.
    __device__ int live(const int* mask, int steps) const {
        return !looks ? 0 : mask ? mask[inMask + steps * perMask] : 1;
    }

    /// What of [T+1,N,H] lies where the thread's elements are.
    __device__ void fetch(float (&values)[2], const float* of, const bool (&mine)[2], Index hidden) const {
        #pragma unroll
        for (int e = 0; e < 2; e++) if (mine[e]) values[e] = of[at + e * HALF * hidden];
    }
};

template <int SIZE>
__device__ void forward(
        const float* wh,
        const float* bias,
        float* states,
        const int* mask,
        const float* factors,
        Index steps,
        Index rows,
        Index hidden,
        Index rowsPerCluster,
        int reverse,
        int activation) {
    typedef Plan<SIZE> P;
    __shared__ __align__(16) Mailbox<SIZE> mailbox;
    __shared__ __align__(16) Partials<SIZE> partials;
    TensorWeights<SIZE> weights;
    weights.load(wh, hidden, hidden, 1);

    const Share<SIZE> share;
    const int last = (int)steps - 1;
    Rows<SIZE> here(
            share, rows, hidden, rowsPerCluster, reverse ? steps - 1 : 1, reverse ? steps - 1 : 0, reverse ? -1 : 1);
    mailbox.clear(here.count, last);
    const float* initial = states + ((reverse ? steps * rows : 0) + here.first) * hidden;
    #pragma unroll 1
    for (Index row = 0; row < here.count; row++) {
        #pragma unroll 1
        for (Index column = threadIdx.x; column < hidden; column += P::THREADS) {
            float h = initial[row * hidden + column];
            if (factors) h *= factors[(here.first + row) * hidden + column];
            mailbox.values[0][mailbox.place((int)row, (int)column)] = rounded(h);
        }
    }

    bool mine[2];
    float h[2] = {}; // a masked step's state is that of the one before
    float factor[2] = {1.0f, 1.0f};
    #pragma unroll
    for (int e = 0; e < 2; e++) {
        mine[e] = share.has && share.row + e * HALF < here.count && share.column < hidden;
        if (!mine[e]) continue;
        h[e] = states[here.at - here.perStep + e * HALF * hidden];
        if (factors) factor[e] = factors[(here.first + share.row + e * HALF) * hidden + share.column];
    }
    float b = bias && mine[0] ? bias[share.column] : 0.0f;
    float added[2] = {}; // to the products
    here.fetch(added, states, mine, hidden);
    // Of this step and of the next one: a mask that was fetched for the next step would be waited for in this one.
    int live[2] = {here.live(mask, 0), last > 0 ? here.live(mask, 1) : 0};
    unsigned address = kept(sharedAddress(&mailbox));
    unsigned vectors = kept(weights.read());
    unsigned low = kept(partials.written(weights.share(), weights.side()));
    int other = kept(partials.other());
    int place = kept(partials.at(share.row, share.inSlice));
    const Letter<SIZE> letter(share, here.count);
    bool prepares = kept((int)(threadIdx.x == 0));
    meet();

    #pragma unroll 1
    for (int step = 0; step <= last; step++) {
        unsigned alive = __ballot_sync(ALL, live[0] != 0);
        live[0] = live[1];
        if (step + 2 <= last) live[1] = here.live(mask, 2);
        float sums[2];
        #pragma unroll
        for (int e = 0; e < 2; e++) sums[e] = computedHere(added[e] + b);
        Index at = here.at;
        here.next();
        if (step < last) here.fetch(added, states, mine, hidden);
        if (step + EARLY < last) {
            #pragma unroll
            for (int e = 0; e < 2; e++) if (mine[e]) prefetch(states + here.at + EARLY * here.perStep + e * HALF * hidden);
        }

        if (step > 0) mailbox.await(address, step, last, here.count, prepares);
        if (alive) weights.times(mailbox.valuesAt(address, step) + vectors, low, other);
        float products[2];
        partials.totals(place, mine[0], here.count, alive != 0, products);
        #pragma unroll
        for (int e = 0; e < 2; e++) sums[e] += products[e];
        activateAll(activation, sums);
        #pragma unroll
        for (int e = 0; e < 2; e++) {
            h[e] = alive >> share.row + e * HALF & 1 ? sums[e] : h[e];
            float seen = mine[e] ? rounded(h[e] * factor[e]) : 0.0f;
            if (step < last) letter.send(address, step + 1, e, seen);
            if (mine[e]) states[at + e * HALF * hidden] = h[e];
        }
    }
}

/// Slot by slot down to the initial one, which only gains. What goes on to the step before without a product, from a masked
/// one, stays with its thread.
template <int SIZE>
__device__ void backward(
        const float* wh,
        const float* states,
        float* gradients,
        const int* mask,
        const float* factors,
        Index steps,
        Index rows,
        Index hidden,
        Index rowsPerCluster,
        int reverse,
        int activation) {
    typedef Plan<SIZE> P;
    __shared__ __align__(16) Mailbox<SIZE> mailbox;
    __shared__ __align__(16) Partials<SIZE> partials;
    TensorWeights<SIZE> weights;
    weights.load(wh, hidden, 1, hidden);

    const Share<SIZE> share;
    const int last = (int)steps; // the initial slot comes as one more step
    Rows<SIZE> here(share, rows, hidden, rowsPerCluster, reverse ? 0 : steps, reverse ? 0 : steps - 1, reverse ? 1 : -1);
    mailbox.clear(here.count, last);

    bool mine[2];
    float carried[2] = {};
    float factor[2] = {1.0f, 1.0f};
    #pragma unroll
    for (int e = 0; e < 2; e++) {
        mine[e] = share.has && share.row + e * HALF < here.count && share.column < hidden;
        if (factors && mine[e]) factor[e] = factors[(here.first + share.row + e * HALF) * hidden + share.column];
    }
    float dh[2] = {}, h[2] = {};
    here.fetch(dh, gradients, mine, hidden);
    here.fetch(h, states, mine, hidden);
    int live[2] = {here.live(mask, 0), last > 1 ? here.live(mask, 1) : 0}; // as forward
    unsigned later = 0; // rows that were live in the step that ran after it
    unsigned address = kept(sharedAddress(&mailbox));
    unsigned vectors = kept(weights.read());
    unsigned low = kept(partials.written(weights.share(), weights.side()));
    int other = kept(partials.other());
    int place = kept(partials.at(share.row, share.inSlice));
    const Letter<SIZE> letter(share, here.count);
    bool prepares = kept((int)(threadIdx.x == 0));
    meet();

    #pragma unroll 1
    for (int step = 0; step <= last; step++) {
        unsigned alive = step < last ? __ballot_sync(ALL, live[0] != 0) : 0;
        live[0] = live[1];
        if (step + 2 < last) live[1] = here.live(mask, 2);
        float gradient[2], slope[2];
        byActivation(activation, [&](int one) {
            #pragma unroll
            for (int e = 0; e < 2; e++) slope[e] = derivative(one, h[e]);
        });
        #pragma unroll
        for (int e = 0; e < 2; e++) {
            slope[e] = computedHere(slope[e]);
            gradient[e] = computedHere(dh[e]);
        }
        Index at = here.at;
        here.next();
        if (step < last) {
            here.fetch(dh, gradients, mine, hidden);
            here.fetch(h, states, mine, hidden); // the initial state, too, whose slope is not asked for
        }
        if (step + EARLY < last) {
            #pragma unroll
            for (int e = 0; e < 2; e++) {
                if (!mine[e]) continue;
                prefetch(gradients + here.at + EARLY * here.perStep + e * HALF * hidden);
                prefetch(states + here.at + EARLY * here.perStep + e * HALF * hidden);
            }
        }

        if (step > 0) mailbox.await(address, step, last, here.count, prepares);
        if (later) weights.times(mailbox.valuesAt(address, step) + vectors, low, other);
        float products[2];
        partials.totals(place, mine[0], here.count, later != 0, products);
        #pragma unroll
        for (int e = 0; e < 2; e++) {
            int row = share.row + e * HALF;
            float da = 0.0f;
            if (mine[e]) {
                if (later >> row & 1) gradient[e] += factor[e] * products[e];
                else gradient[e] += carried[e];
                carried[e] = gradient[e];
                if (alive >> row & 1) da = gradient[e] * slope[e];
            }
            if (step < last) letter.send(address, step + 1, e, rounded(da));
            if (mine[e]) gradients[at + e * HALF * hidden] = step == last ? gradient[e] : da;
        }
        later = alive;
    }
}

/// states [T+1,N,H]: in, the initial slot and the projections; out, the states. `bias` [H], `mask` [T,N] and
/// `factors` [N,H] may be null; with factors, those of recurrent dropout, Wh sees factor times state.
/// Cluster c owns the rows from c * rowsPerCluster on, eight at most; a second layer of the grid as in sequence.cu.
#define FORWARD(name, size)                                                                                     \
    extern "C" __global__ void __cluster_dims__(Plan<size>::BLOCKS, 1, 1) __launch_bounds__(Plan<size>::THREADS, 1) name( \
            const float* wh,                                                                                    \
            const float* bias,                                                                                  \
            float* states,                                                                                      \
            const int* mask,                                                                                    \
            const float* factors,                                                                               \
            Index steps,                                                                                        \
            Index rows,                                                                                         \
            Index hidden,                                                                                       \
            Index rowsPerCluster,                                                                               \
            int reverse,                                                                                        \
            int activation,                                                                                     \
            const float* otherWh,                                                                               \
            const float* otherBias,                                                                             \
            float* otherStates,                                                                                 \
            const float* otherFactors) {                                                                        \
        forward<size>(                                                                                          \
                ofDirection(wh, otherWh), ofDirection(bias, otherBias), ofDirection(states, otherStates),       \
                mask, ofDirection(factors, otherFactors), steps, rows, hidden, rowsPerCluster,                  \
                reverse ^ (int)blockIdx.z, activation);                                                         \
    }

/// gradients [T+1,N,H]: in, those of the states as the layers above see them; out, da, and in the initial slot the gradient
/// of the initial state.
#define BACKWARD(name, size)                                                                                    \
    extern "C" __global__ void __cluster_dims__(Plan<size>::BLOCKS, 1, 1) __launch_bounds__(Plan<size>::THREADS, 1) name( \
            const float* wh,                                                                                    \
            const float* states,                                                                                \
            float* gradients,                                                                                   \
            const int* mask,                                                                                    \
            const float* factors,                                                                               \
            Index steps,                                                                                        \
            Index rows,                                                                                         \
            Index hidden,                                                                                       \
            Index rowsPerCluster,                                                                               \
            int reverse,                                                                                        \
            int activation,                                                                                     \
            const float* otherWh,                                                                               \
            const float* otherStates,                                                                           \
            float* otherGradients,                                                                              \
            const float* otherFactors) {                                                                        \
        backward<size>(                                                                                         \
                ofDirection(wh, otherWh), ofDirection(states, otherStates),                                     \
                ofDirection(gradients, otherGradients), mask, ofDirection(factors, otherFactors), steps,        \
                rows, hidden, rowsPerCluster, reverse ^ (int)blockIdx.z, activation);                           \
    }

FORWARD(tensor_cluster_forward_384_8, 384)
FORWARD(tensor_cluster_forward_512_8, 512)
BACKWARD(tensor_cluster_backward_384_8, 384)
BACKWARD(tensor_cluster_backward_512_8, 512)
