// compute_90, PTX 8.1
// Elman's recurrence over a whole sequence in one launch, of up to eight rows by the blocks of a cluster, with the products on
// tensor cores in TF32. As in cluster.cu each block keeps a slice of the columns of Wh in registers, all have the states in shared
// memory, and who computes an element sends it to every block of the cluster. As in tensor.cu the rows are a tile of a tensor core,
// each warp multiplies by the weights of its share of the nodes, and what the warps sum up meets in shared memory. States are rounded
// once, by who sends them.
//
// Otherwise as sequence.cu: projections in place, masks, and bits that depend neither on N nor on T nor on a row's neighbours.
// SIZE is what H is padded to: 384 or 512, on eight blocks.
//
// Floor of a step, in cycles of a multiprocessor: the products of eight rows, SIZE * SLICE / 128 (144 and 256; with mma.sync 1.6 times
// that), and in a chain the reads of the state (60), partial sums (120), tanh (100; the derivative 40) and the way to another block (400
// for one row, SIZE / 2 more for each further one: 8 bytes a cycle come to a block while all send). Bytes of memory: 8 H forward and 12 H
// backward, 4 BLOCKS more with the mask; 4 H BLOCKS between the blocks. A barrier of a block a step, one launch.
//
// An H200 took 0.62, 0.74, 0.98 and 1.19 us forward for 1, 32, 64 and 120 rows of 384 nodes, 0.70, 0.89, 1.19 and 1.42 of 512; back as much.
//
// Built, measured and removed: several passes of eight rows, of which one's numbers travel while another is computed, took 1.4 us for two over
// 384 nodes and 4.7 for five over 512, for what comes to a block bounds them, and tensor.cu, which reads from the second-level cache, was
// faster; and strict float32, of three products for one, where cluster.cu was faster.

#include "cluster.cuh"
#include "mma.cuh"
#include "recurrence.cuh"

const int ROWS = 8; // of a cluster, the columns of a tensor core's tile
const int HALF = ROWS / 2; // rows between the two elements of a thread
const int EARLY = 3; // steps from asking the second-level cache for what a step adds to its use
const int BLOCKS = 8; // of a cluster

template <int NODES>
struct Plan {
    static const int SIZE = NODES;
    static const int SLICE = SIZE / BLOCKS; // columns of a block
    static const int WARPS = 8;
    static const int THREADS = 32 * WARPS;
    static const int SIDES = SIZE == 512 ? 2 : 1; // of the slice, each of other warps
    static const int SHARES = WARPS / SIDES; // of the nodes
    static const int TILES = SLICE / SIDES / 16; // of a warp's columns
    static const int VECTORS = SIZE / SHARES / 16; // of four numbers of a row that a thread multiplies
    static const int CHAINS = SIDES; // of a tile's products, that do not wait for each other
    static const int PLACES = ROWS * SIZE;
};

/// Which elements are a thread's: of one column, in a row and in the fourth one after it. A warp has sixteen columns
/// of two rows, so that it sends whole lines of a mailbox and what it reads of the partial sums lies in banks of its own.
template <typename P>
struct Share {
    int row;
    int inSlice;
    int column;

    __device__ Share() {
        row = kept(firstRow() + (int)(threadIdx.x / 16 % 2));
        inSlice = kept(firstInSlice() + (int)(threadIdx.x % 16));
        column = kept((int)rankInCluster() * P::SLICE + inSlice);
    }

    /// Whether its warp has elements.
    static __device__ bool works() { return firstRow() < HALF; }

    /// Those of its warp's first thread.
    static __device__ int firstRow() { return threadIdx.x / 32 / (P::SLICE / 16) * 2; }
    static __device__ int firstInSlice() { return threadIdx.x / 32 % (P::SLICE / 16) * 16; }
};

/// The states of a cluster's rows in one block, [SIZE/16,ROWS,16]: a buffer for even steps and one for odd ones, and what waits for
/// them. Step s reads what came for it and sends for step s + 1.
template <typename P>
struct Mailbox {
    static const int BYTES = 4 * P::PLACES; // of a buffer

    float values[2][P::PLACES];
    unsigned long long arrivals[2];

    static __device__ int place(int row, int column) { return column / 16 * 128 + row * 16 + column % 16; }

    /// From the values to a step's.
    static __device__ unsigned valuesOf(int step) { return (step & 1) * BYTES; }

    /// From the values to what waits for them.
    static __device__ unsigned arrivalsOf(int step) { return 2 * BYTES + 8 * (step & 1); }

    /// Zeros, and ready for what is sent for the first two of the steps 1 to `last`.
    __device__ void clear(int rows, int last) {
        #pragma unroll 1
        for (int i = threadIdx.x; i < 2 * P::PLACES; i += P::THREADS) values[0][i] = 0.0f;
        if (threadIdx.x < 2) {
            Arrivals mine = {sharedAddress(&arrivals[threadIdx.x])};
            mine.begin();
            if (last >= (threadIdx.x == 0 ? 2 : 1)) mine.expect(4 * rows * P::SIZE);
        }
        __syncthreads();
    }

    /// Waits for what was sent for a step to the mailbox at `address`.
    static __device__ void await(unsigned address, int step) {
        if (step > 0) Arrivals{address + arrivalsOf(step)}.await(step - 1 >> 1 & 1);
        __syncwarp(); // tensor cores take a whole warp
    }

    /// Gets ready for the next step but one, if it comes. By one thread, after it has waited and before the block's threads meet and send, for
    /// who sends for that step waits for what they send.
    static __device__ void prepare(unsigned address, int step, int last, int rows) {
        if (step > 0 && step + 2 <= last) Arrivals{address + arrivalsOf(step)}.expect(4 * rows * P::SIZE);
    }
};

/// What a thread sends for its warp, whose sixteen columns of two rows are a line of eight vectors in a mailbox: one of them, to two
/// blocks. So eight neighbours write a line that lies together into the same block. Each block begins with another one.
template <typename P>
struct Letter {
    static const int VECTORS = 8;
    static const int EACH = VECTORS * BLOCKS / 32; // blocks that a thread sends to

    int from; // the first of the four threads that have the numbers
    int row; // of the first element; beyond all where the warp has none
    unsigned places[EACH]; // in each of these blocks, for an even step
    unsigned arrivals[EACH];

    __device__ Letter(const Share<P>& share, unsigned mailbox) {
        int vector = threadIdx.x % VECTORS;
        int firstColumn = rankInCluster() * P::SLICE + share.firstInSlice();
        from = kept(4 * vector);
        row = kept(share.works() ? share.firstRow() + vector / 4 : ROWS);
        unsigned place = mailbox + 4 * (Mailbox<P>::place(share.firstRow() % HALF, firstColumn) + 4 * vector);
        #pragma unroll
        for (int i = 0; i < EACH; i++) {
            unsigned block = (rankInCluster() + threadIdx.x % 32 / VECTORS + 32 / VECTORS * i) % BLOCKS;
            places[i] = kept(inBlock(block, place));
            arrivals[i] = kept(inBlock(block, mailbox + Mailbox<P>::arrivalsOf(0)));
        }
    }

    /// Sends the warp's elements for a step, those in so many rows. All threads of the warp come here.
    __device__ void send(int step, int rows, const float (&values)[2]) const {
        #pragma unroll
        for (int e = 0; e < 2; e++) {
            float value = roundedResult(values[e]);
            float4 four = {__shfl_sync(ALL, value, from), __shfl_sync(ALL, value, from + 1),
                           __shfl_sync(ALL, value, from + 2), __shfl_sync(ALL, value, from + 3)};
            if (row + e * HALF >= rows) continue;
            #pragma unroll
            for (int i = 0; i < EACH; i++) {
                ::send(places[i] + Mailbox<P>::valuesOf(step) + e * HALF * 64, arrivals[i] + 8 * (step & 1), four);
            }
        }
    }
};

/// What the warps sum up in a step: of each share of the nodes [SLICE,ROWS], where neither those who write, two rows at a time,
/// nor those who read, sixteen columns of two rows, meet in a bank. Warps write again when all has come that this block's warps made of
/// their sums, see Mailbox; so warps that send nothing read nothing.
template <typename P>
struct Partials {
    static const int SHARE = P::SLICE * ROWS;

    float sums[P::SHARES][SHARE];

    static __device__ int at(int row, int column) { return column * ROWS + (row ^ column / 4 % 4 * 2); }

    /// The address of the first share's sum of a thread's first element. That of the second one differs in a bit, for sums begin at a
    /// multiple of 32.
    __device__ unsigned ownAt(const Share<P>& share) const { return sharedAddress(&sums[0][at(share.row % HALF, share.inSlice)]); }

    /// The address where a thread of a warp with these sums writes two rows, of columns 0 to 7 of its first tile.
    __device__ unsigned writtenAt(int share, int side) const {
        int lane = threadIdx.x % 32;
        return sharedAddress(&sums[share][at(lane % 4 * 2, side * P::TILES * 16 + lane / 4)]);
    }

    /// From there to where it writes those of columns 8 to 15.
    static __device__ int toUpper() { return 4 * (8 * ROWS + (threadIdx.x % 4 < 2 ? 4 : -4)); }

    /// When all warps have written, the sums of a thread's elements, where there are so many rows.
    static __device__ void totals(unsigned ownAt, int rows, float (&products)[2]) {
        float parts[2][P::SHARES];
        unsigned secondAt = computedHere(ownAt ^ 4 * HALF);
        #pragma unroll
        for (int i = 0; i < P::SHARES; i++) {
            parts[0][i] = loadShared(ownAt + 4 * i * SHARE);
            parts[1][i] = rows > HALF ? loadShared(secondAt + 4 * i * SHARE) : 0.0f;
        }
        #pragma unroll
        for (int e = 0; e < 2; e++) {
            #pragma unroll
            for (int count = P::SHARES / 2; count > 0; count /= 2) {
                #pragma unroll
                for (int i = 0; i < count; i++) parts[e][i] += parts[e][i + count];
            }
            products[e] = parts[e][0];
        }
    }
};

/// What a warp sums up in a step.
template <typename P>
struct Sums {
    float of[P::CHAINS][P::TILES][4];

    /// Writes them among the partial sums: two rows at `low` and, of columns 8 to 15, at `toUpper` from there, and so on.
    __device__ void put(unsigned low, int toUpper) {
        #pragma unroll
        for (int t = 0; t < P::TILES; t++) {
            #pragma unroll
            for (int i = 0; i < 4 && P::CHAINS > 1; i++) of[0][t][i] += of[P::CHAINS - 1][t][i];
            unsigned at = low + 4 * 16 * ROWS * t;
            storeShared2(at, of[0][t][0], of[0][t][1]);
            storeShared2(at + toUpper, of[0][t][2], of[0][t][3]);
        }
    }
};

/// A warp's part of the block's weights, as a tensor core takes them.
template <typename P>
struct TensorWeights {
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

    /// From a buffer of the mailbox to this thread's first vector there.
    static __device__ unsigned firstVector() { return 4 * (share() * P::VECTORS * 128 + threadIdx.x % 32 * 4); }

    /// This warp's sums over its nodes, from the vectors at an address.
    __device__ void times(unsigned vectors, Sums<P>& sums) const {
        sums = {};
        #pragma unroll
        for (int v = 0; v < P::VECTORS; v++) {
            float4 state = loadShared4(vectors + 4 * 128 * v);
            #pragma unroll
            for (int t = 0; t < P::TILES; t++) multiplyTile(sums.of[0][t], w[v][0][t], state.x, state.y);
            #pragma unroll
            for (int t = 0; t < P::TILES; t++) multiplyTile(sums.of[P::CHAINS - 1][t], w[v][1][t], state.z, state.w);
        }
    }
};

/// Where a thread reads states, in an even step, and where it writes and reads partial sums.
template <typename P>
struct Places {
    unsigned mailbox;
    unsigned vectors;
    unsigned written;
    unsigned own;
    int toUpper; // from where it writes those of columns 0 to 7 to those of 8 to 15

    __device__ Places(const Mailbox<P>& mailbox, const Partials<P>& partials, const Share<P>& share)
        : mailbox(kept(sharedAddress(&mailbox))), vectors(kept(sharedAddress(&mailbox) + TensorWeights<P>::firstVector())),
          written(kept(partials.writtenAt(TensorWeights<P>::share(), TensorWeights<P>::side()))), own(kept(partials.ownAt(share))),
          toUpper(kept(partials.toUpper())) {}
};

/// The rows of a cluster, and the way of a thread's first element and of the row whose mask it looks at through the steps.
template <typename P>
struct Rows {
    Index first;
    int count;
    bool mine[2]; // whether the thread's elements are none of the padding
    Index at; // of the first one in [T+1,N,H]
    Index toSecond;
    Index perStep;
    const int* mask; // [T,N], where this thread looks next; null if nowhere
    Index perMask; // from one step's mask to that of the next
    int left; // steps from there on

    __device__ Rows(
            const Share<P>& share,
            const int* masks,
            Index steps,
            Index rows,
            Index hidden,
            Index rowsPerGroup,
            Index slot,
            Index step,
            int direction) {
        first = (Index)(blockIdx.x / BLOCKS) * rowsPerGroup;
        count = kept((int)min(rowsPerGroup, rows - first));
        #pragma unroll
        for (int e = 0; e < 2; e++) mine[e] = share.works() && share.row + e * HALF < count && share.column < hidden;
        at = (slot * rows + first + share.row) * hidden + share.column;
        toSecond = HALF * hidden;
        perStep = direction * rows * hidden;
        int row = threadIdx.x % ROWS;
        mask = masks && row < count ? masks + step * rows + first + row : nullptr;
        perMask = direction * rows;
        left = (int)steps;
    }

    /// As bits, where there is a mask the live rows of a step, by what each thread saw; of steps without one all.
    __device__ unsigned alive(int seen, bool masked) const {
        return masked ? __ballot_sync(ALL, seen != 0) & (1 << ROWS) - 1 : (1 << count) - 1;
    }

    /// What the mask says of the next step, and of those after it in turns; 0 after the last one.
    __device__ int look() {
        int seen = mask && left > 0 ? *mask : 0;
        mask += mask ? perMask : 0;
        left--;
        return seen;
    }

    /// Where the thread's elements are in [T+1,N,H], the first one at `first`; below 0 if there are none.
    __device__ void find(Index (&places)[2], Index first, bool there) const {
        #pragma unroll
        for (int e = 0; e < 2; e++) places[e] = computedHere(mine[e] && there ? first + e * toSecond : -1);
    }

    /// What lies there.
    static __device__ void fetch(float (&values)[2], const float* of, const Index (&places)[2]) {
        #pragma unroll
        for (int e = 0; e < 2; e++) values[e] = places[e] >= 0 ? of[places[e]] : 0.0f;
    }

    /// Brings what lies there into the second-level cache.
    __device__ void fetchEarly(const float* of, int steps) const {
        #pragma unroll
        for (int e = 0; e < 2; e++) if (mine[e]) prefetch(of + at + steps * perStep + e * toSecond);
    }

    __device__ void store(float* to, const float (&values)[2]) const {
        #pragma unroll
        for (int e = 0; e < 2; e++) if (mine[e]) to[at + e * toSecond] = values[e];
    }

    /// The factors [N,H] of recurrent dropout of the thread's elements.
    __device__ void readFactors(float (&values)[2], const float* factors, const Share<P>& share) const {
        #pragma unroll
        for (int e = 0; e < 2; e++) {
            values[e] = factors && mine[e] ? factors[(first + share.row) * (toSecond / HALF) + share.column + e * toSecond] : 1.0f;
        }
    }
};

template <typename P>
__device__ void forward(FORWARD_OPERANDS, SIZES, int reverse, int activation) {
    __shared__ __align__(128) Mailbox<P> mailbox; // so that lines are lines of memory, too
    __shared__ __align__(32) Partials<P> partials; // see ownAt
    TensorWeights<P> weights;
    weights.load(wh, hidden, hidden, 1);

    const Share<P> share;
    const int last = (int)steps - 1;
    Rows<P> here(
            share, mask, steps, rows, hidden, rowsPerGroup, reverse ? steps - 1 : 1, reverse ? steps - 1 : 0, reverse ? -1 : 1);
    mailbox.clear(here.count, last);
    const float* initial = states + ((reverse ? steps * rows : 0) + here.first) * hidden;
    #pragma unroll 1
    for (int row = 0; row < here.count; row++) {
        #pragma unroll 1
        for (int column = threadIdx.x; column < hidden; column += P::THREADS) {
            float h = initial[row * hidden + column];
            if (factors) h *= factors[(here.first + row) * hidden + column];
            mailbox.values[0][mailbox.place(row, column)] = rounded(h);
        }
    }

    float h[2]; // a masked step's state is that of the one before
    float factor[2]; // by which Wh sees it
    float added[2]; // to the products
    Index from[2]; // where what a step adds lies
    here.find(from, here.at - here.perStep, true);
    here.fetch(h, states, from);
    here.readFactors(factor, factors, share);
    here.find(from, here.at, true);
    here.fetch(added, states, from);
    float b = bias && here.mine[0] ? bias[share.column] : 0.0f;
    // Of this step and of the next one: a mask that was fetched for the next step would be waited for in this one.
    int live[2] = {here.look(), here.look()};
    const Places<P> places(mailbox, partials, share);
    const Letter<P> letter(share, places.mailbox);
    bool works = kept((int)(share.works() && share.firstRow() < here.count));
    bool prepares = kept((int)(threadIdx.x == 0));
    meet();

    #pragma unroll 1
    for (int step = 0; step <= last; step++) {
        float sums[2];
        #pragma unroll
        for (int e = 0; e < 2; e++) sums[e] = computedHere(added[e] + b);
        const Index next = here.at + here.perStep;
        here.find(from, next, step < last);
        unsigned vectors = computedHere(places.vectors + mailbox.valuesOf(step));
        mailbox.await(places.mailbox, step);
        // Between the wait and the products: loads queue behind what is sent, and before the wait they would be waited for first.
        here.fetch(added, states, from);
        Sums<P> ofWarp;
        weights.times(vectors, ofWarp); // where no row is live nobody asks for them
        unsigned alive = here.alive(live[0], mask != nullptr);
        live[0] = live[1];
        live[1] = here.look();
        if (prepares) mailbox.prepare(places.mailbox, step, last, here.count);
        ofWarp.put(places.written, places.toUpper);
        __syncthreads();
        if (works) {
            float products[2];
            partials.totals(places.own, here.count, products);
            #pragma unroll
            for (int e = 0; e < 2; e++) sums[e] += products[e];
            activateAll(activation, sums);
            float seen[2];
            #pragma unroll
            for (int e = 0; e < 2; e++) {
                if (alive >> share.row + e * HALF & 1) h[e] = sums[e];
                seen[e] = factor[e] * (here.mine[e] ? h[e] : 0.0f);
            }
            if (step < last) letter.send(step + 1, here.count, seen);
            here.store(states, h);
            if (step + 1 + EARLY <= last) here.fetchEarly(states, 1 + EARLY);
        }
        here.at = next;
    }
}

/// Slot by slot down to the initial one, which only gains. What goes on to the step before without a product, from a masked
/// one, stays with its thread.
template <typename P>
__device__ void backward(BACKWARD_OPERANDS, SIZES, int reverse, int activation) {
    __shared__ __align__(128) Mailbox<P> mailbox;
    __shared__ __align__(32) Partials<P> partials;
    TensorWeights<P> weights;
    weights.load(wh, hidden, 1, hidden);

    const Share<P> share;
    const int last = (int)steps; // the initial slot comes as one more step
    Rows<P> here(
            share, mask, steps, rows, hidden, rowsPerGroup, reverse ? 0 : steps, reverse ? 0 : steps - 1, reverse ? 1 : -1);
    mailbox.clear(here.count, last);

    float carried[2] = {}; // the gradients
    float factor[2]; // as forward
    float dh[2], h[2];
    here.readFactors(factor, factors, share);
    Index from[2];
    here.find(from, here.at, true);
    here.fetch(dh, gradients, from);
    here.fetch(h, states, from);
    int live[2] = {here.look(), here.look()}; // as forward
    unsigned later = 0; // rows that were live in the step that ran after it
    const Places<P> places(mailbox, partials, share);
    const Letter<P> letter(share, places.mailbox);
    bool works = kept((int)(share.works() && share.firstRow() < here.count));
    bool prepares = kept((int)(threadIdx.x == 0));
    meet();

    #pragma unroll 1
    for (int step = 0; step <= last; step++) {
        float slope[2], gradient[2];
        byActivation(activation, [&](int one) {
            #pragma unroll
            for (int e = 0; e < 2; e++) slope[e] = derivative(one, h[e]);
        });
        #pragma unroll
        for (int e = 0; e < 2; e++) {
            slope[e] = computedHere(slope[e]);
            gradient[e] = computedHere(dh[e]);
        }

        const Index next = here.at + here.perStep;
        here.find(from, next, step < last);
        unsigned vectors = computedHere(places.vectors + mailbox.valuesOf(step));
        mailbox.await(places.mailbox, step);
        here.fetch(dh, gradients, from); // as forward
        here.fetch(h, states, from); // the initial state, too, whose slope is not asked for
        Sums<P> ofWarp;
        weights.times(vectors, ofWarp);
        unsigned alive = step < last ? here.alive(live[0], mask != nullptr) : 0;
        live[0] = live[1];
        live[1] = here.look();
        if (prepares) mailbox.prepare(places.mailbox, step, last, here.count);
        ofWarp.put(places.written, places.toUpper);
        __syncthreads();
        if (works) {
            float products[2], da[2];
            partials.totals(places.own, here.count, products);
            #pragma unroll
            for (int e = 0; e < 2; e++) {
                int row = share.row + e * HALF;
                gradient[e] = later >> row & 1 ? __fmaf_rn(factor[e], products[e], gradient[e]) : gradient[e] + carried[e];
                carried[e] = gradient[e];
                da[e] = here.mine[e] && alive >> row & 1 ? gradient[e] * slope[e] : 0.0f;
            }
            if (step < last) letter.send(step + 1, here.count, da);
            #pragma unroll
            for (int e = 0; e < 2; e++) if (step == last) da[e] = gradient[e]; // the initial slot gains
            here.store(gradients, da);
            if (step + 1 + EARLY <= last) {
                here.fetchEarly(gradients, 1 + EARLY);
                here.fetchEarly(states, 1 + EARLY);
            }
        }
        later = alive;
        here.at = next;
    }
}

/// A group is a cluster: cluster c owns the rows from c * rowsPerGroup on, eight at most.
#define FORWARD(name, size)                                                                                       \
    extern "C" __global__ void __cluster_dims__(BLOCKS, 1, 1) __launch_bounds__(Plan<size>::THREADS, 1) name(     \
            FORWARD_OPERANDS, SIZES, int reverse, int activation, OTHER_FORWARD_OPERANDS) {                       \
        forward<Plan<size>>(                                                                                      \
                FORWARD_OPERANDS_HERE, steps, rows, hidden, rowsPerGroup, reverse ^ (int)blockIdx.z, activation); \
    }

#define BACKWARD(name, size)                                                                                       \
    extern "C" __global__ void __cluster_dims__(BLOCKS, 1, 1) __launch_bounds__(Plan<size>::THREADS, 1) name(      \
            BACKWARD_OPERANDS, SIZES, int reverse, int activation, OTHER_BACKWARD_OPERANDS) {                      \
        backward<Plan<size>>(                                                                                      \
                BACKWARD_OPERANDS_HERE, steps, rows, hidden, rowsPerGroup, reverse ^ (int)blockIdx.z, activation); \
    }

FORWARD(tensor_cluster_tf32_forward_384_8, 384)
FORWARD(tensor_cluster_tf32_forward_512_8, 512)
BACKWARD(tensor_cluster_tf32_backward_384_8, 384)
BACKWARD(tensor_cluster_tf32_backward_512_8, 512)
