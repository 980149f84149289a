// compute_90, PTX 8.1
// Elman's recurrence over a whole sequence in one launch, for more nodes than one multiprocessor holds: the blocks of a
// cluster share the rows of a batch, and each keeps a slice of the columns of Wh in registers. All have the whole state in
// shared memory: who computes an element sends it into the memory of every block of the cluster, and what is sent is counted
// there by a barrier object, one for each buffer of each pass. So a block waits for nothing but the numbers that it reads, and
// while a cluster has several passes, the numbers of one travel while another is computed. Needs compute capability 9.0; the
// size of a cluster is compiled in, so an ordinary launch will do, and clusters do not wait for each other.
//
// Otherwise as sequence.cu: projections in place and fetched three passes ahead, masks, and bits that depend neither on N nor
// on T nor on a row's neighbours. SIZE is what H is padded to: 256 on two blocks, 384 on four, 512 on eight; of four an H100 has room
// for 30 clusters, of eight for 15.
//
// Floor of a step of one row, in cycles of a multiprocessor: SIZE^2 / BLOCKS / 128 for the products (256, 288, 256), and in a
// chain the reads of the state (30), shuffles (100), tanh (100; the derivative 40) and sending (about 400, measured; with the
// cluster's own barrier, whose release waits for all writes to memory, 1400): 0.45, 0.46 and 0.45 us at 1.98 GHz. A further row
// takes its products and brings a block SIZE numbers, of which 8 bytes a cycle come while all clusters send, 16 while one does, and to
// one of two blocks: 0.16, 0.24 and 0.26 us. Bytes of memory: 8 H forward and 12 H backward, 4 BLOCKS more with the mask; 4 H BLOCKS
// between the blocks. No barrier, one launch. An H200 took 0.46, 0.61 and 0.53 us forward and 0.51, 0.55 and 0.52 back over one row of 256,
// 384 and 512 nodes, 0.67 and 0.84 for two of 256 and of 384, and 1.15 for three of 512. By the clock in the kernel, when tanh had
// branches, these three were 2,460 cycles: products 1,110, for the two warps of a scheduler have the same waits, waiting for numbers 310,
// shuffles 280, tanh 240, sending 160, and 360 before and after all that.
//
// Sending several rows in vectors of four columns took longer (1.75 us for 32 rows of 512 nodes, with the products over all steps, and 1.62
// as they are sent now); so did 384 nodes on eight blocks from two rows on: 0.53 us for one row, 0.88 for 32, 1.52 for 64.

#include "cluster.cuh"
#include "recurrence.cuh"

template <int SIZE>
struct Plan {
    static const int BLOCKS = SIZE == 256 ? 2 : SIZE == 384 ? 4 : 8; // of a cluster
    static const int SLICE = SIZE / BLOCKS; // columns of a block
    static const int COLUMNS = SIZE == 256 ? 8 : 4; // of a thread
    static const int THREADS = SIZE == 384 ? 384 : 256;
    static const int PARTS = THREADS * COLUMNS / SLICE;
};

/// The states of a cluster's rows in one block, and what waits for them: a buffer for even steps and one for odd ones.
template <int SIZE, int ROWS>
struct Buffers {
    typedef Plan<SIZE> P;
    typedef Weights<SIZE, P::PARTS, P::COLUMNS, ROWS> W;
    static const int FITTING = 6112 / (ROWS * SIZE); // into 48 KiB
    static const int MOST_PASSES = ROWS == 1 ? 1 : FITTING < 8 ? FITTING : 8;
    static const int PASS = ROWS * SIZE;
    static const int BYTES = 4 * PASS;

    float values[2][MOST_PASSES][PASS];
    unsigned long long arrivals[2][MOST_PASSES];

    /// Zeros, and ready for what the other blocks send for the first two of the steps 1 to `last`.
    __device__ void clear(int passes, int last) {
        #pragma unroll 1
        for (int i = threadIdx.x; i < 2 * MOST_PASSES * PASS; i += P::THREADS) values[0][0][i] = 0.0f;
        if (threadIdx.x < 2 * MOST_PASSES) {
            Arrivals mine = {sharedAddress(arrivals) + 8 * threadIdx.x};
            mine.begin();
            if (threadIdx.x % MOST_PASSES < passes && last >= (threadIdx.x < MOST_PASSES ? 2 : 1)) mine.expect(BYTES);
        }
        __syncthreads();
    }

    /// Where the values of a pass are before step `step`, of which 0 is the first, from where `address` the buffers are.
    __device__ static unsigned valuesAt(unsigned address, int step, int pass) {
        return address + ((step & 1) * MOST_PASSES + pass) * BYTES;
    }

    __device__ static Arrivals arrivalsAt(unsigned address, int step, int pass) {
        return {address + 2 * MOST_PASSES * BYTES + ((step & 1) * MOST_PASSES + pass) * 8};
    }

    /// Waits for what was sent for this step, and lets the thread that prepares get ready for the next but one, if it comes.
    __device__ static void await(unsigned address, int step, int last, int pass, bool prepares) {
        Arrivals arrivals = arrivalsAt(address, step, pass);
        arrivals.await((step - 1) >> 1 & 1);
        if (prepares && step + 2 <= last) arrivals.expect(BYTES);
    }

    /// Where a thread's number goes in each block.
    struct Destination {
        unsigned place;
        unsigned arrivals;
    };

    /// That of what is at `offset` of a pass, for this step.
    __device__ static Destination destination(unsigned address, int step, int pass, unsigned offset) {
        return {computedHere(valuesAt(address, step, pass) + offset), computedHere(arrivalsAt(address, step, pass).address)};
    }

    /// Sends a thread's number to all blocks; each twin sends to some of them.
    __device__ static void sendAll(Destination to, int twin, float value) {
        static_assert(P::BLOCKS % W::TWINS == 0, "each twin sends to as many blocks");
        #pragma unroll
        for (int i = 0; i < P::BLOCKS; i += W::TWINS) send(to.place, to.arrivals, i + twin, value);
    }
};

template <int SIZE, int ROWS>
__device__ void forward(FORWARD_OPERANDS, SIZES, int reverse, int activation) {
    typedef Plan<SIZE> P;
    typedef Buffers<SIZE, ROWS> B;
    typedef typename B::W W;
    __shared__ __align__(16) B buffers;
    W weights;
    int firstColumn = rankInCluster() * P::SLICE;
    Index first = (Index)(blockIdx.x / P::BLOCKS) * rowsPerGroup;
    weights.load(wh, hidden, firstColumn, hidden, 1);
    if (ROWS == 1 && factors) weights.multiplyNodes(factors + first * hidden, hidden);
    Index left = min(rowsPerGroup, rows - first);
    int passes = passesOf<ROWS>(left);
    int last = (int)steps - 1;
    buffers.clear(passes, last);
    int line = W::line(); // the row in a pass and the column whose sum is this thread's
    int column = firstColumn + W::column();
    int part = kept(W::part());
    int twin = kept(W::twin());
    int mine = column < hidden && line < ROWS ? (int)((left - line + ROWS - 1) / ROWS) : 0; // passes with a row for it and its twins
    unsigned offset = kept(4 * (line * SIZE + column)); // in the values of a pass
    unsigned address = kept(sharedAddress(&buffers));
    bool prepares = kept((int)(threadIdx.x == 0));
    bool sends = kept((int)(line < ROWS));

    Course course = {passes, hidden, reverse ? -rows * hidden : rows * hidden,
                     reverse ? -rows : rows};
    Index initial = (reverse ? steps * rows : 0) + first;
    #pragma unroll 1
    for (Index r = 0; r < left; r++) {
        #pragma unroll 1
        for (Index c = threadIdx.x; c < hidden; c += P::THREADS) {
            buffers.values[0][(int)r / ROWS][(int)r % ROWS * SIZE + c] = states[(initial + r) * hidden + c];
        }
    }
    Walk<ROWS> here = {
            (initial + line) * hidden + column + course.perStep, (reverse ? (steps - 1) * rows : 0) + first + line, 0};
    ForwardFeed<ROWS> feed;
    feed.begin(here, course, steps, states, mask, mine);
    float b = bias && mine > 0 ? bias[column] : 0.0f;
    bool anyLive = __any_sync(ALL, feed.live[0] != 0);
    meet();

    #pragma unroll 1
    for (int step = 0; step <= last; step++) {
        #pragma unroll 1
        for (int pass = 0; pass < passes; pass++) {
            float sum = feed.sums[0];
            bool alive = feed.live[0] != 0;
            feed.next(course, states, mask, mine);

            unsigned now = B::valuesAt(address, step, pass);
            typename B::Destination to = B::destination(address, step + 1, pass, offset);
            if (step > 0) B::await(address, step, last, pass, prepares);
            float before = pass < mine ? loadShared(now + offset) : 0.0f;
            if (anyLive) sum += weights.times(now + 16 * part, part);
            float h = activate(activation, sum + b);
            if (!alive) h = before;
            if (sends && step < last) B::sendAll(to, twin, h); // first, for the others wait for it
            if (pass < mine && twin == 0) states[here.at] = h;
            anyLive = __any_sync(ALL, feed.live[0] != 0);
            here.next(course);
        }
    }
}

/// The buffers hold da after a live step and the gradient as it came after a masked one, which goes on to the step before
/// without a product. Slot by slot down to the initial one, which only gains.
template <int SIZE, int ROWS>
__device__ void backward(BACKWARD_OPERANDS, SIZES, int reverse, int activation) {
    typedef Plan<SIZE> P;
    typedef Buffers<SIZE, ROWS> B;
    typedef typename B::W W;
    __shared__ __align__(16) B buffers;
    W weights;
    int firstColumn = rankInCluster() * P::SLICE;
    Index first = (Index)(blockIdx.x / P::BLOCKS) * rowsPerGroup;
    weights.load(wh, hidden, firstColumn, 1, hidden);
    if (ROWS == 1 && factors) weights.multiplyColumns(factors + first * hidden, hidden, firstColumn);
    Index left = min(rowsPerGroup, rows - first);
    int passes = passesOf<ROWS>(left);
    buffers.clear(passes, (int)steps);
    int line = W::line();
    int column = firstColumn + W::column();
    int part = kept(W::part());
    int twin = kept(W::twin());
    int mine = column < hidden && line < ROWS ? (int)((left - line + ROWS - 1) / ROWS) : 0;
    unsigned offset = kept(4 * (line * SIZE + column));
    unsigned address = kept(sharedAddress(&buffers));
    bool prepares = kept((int)(threadIdx.x == 0));
    bool sends = kept((int)(line < ROWS));

    Course course = {passes, hidden, reverse ? rows * hidden : -rows * hidden,
                     reverse ? rows : -rows};
    Index last = (reverse ? 0 : steps * rows) + first + line; // the slot of the step that ran last
    Walk<ROWS> here = {last * hidden + column, (reverse ? 0 : (steps - 1) * rows) + first + line, 0};
    BackwardFeed<ROWS> feed;
    feed.begin(here, course, steps, states, gradients, mask, mine);
    bool anyLater = false;
    meet();

    #pragma unroll 1
    for (int step = 0; step <= (int)steps; step++) {
        #pragma unroll 1
        for (int pass = 0; pass < passes; pass++) {
            float g = feed.dhs[0];
            float h = feed.hs[0];
            bool alive = feed.live[0] != 0;
            bool later = feed.liveLater[0] != 0;
            feed.next(course, states, gradients, mask, mine);

            unsigned now = B::valuesAt(address, step, pass);
            typename B::Destination to = B::destination(address, step + 1, pass, offset);
            float slope = computedHere(alive ? derivative(activation, h) : 1.0f);
            if (step > 0) B::await(address, step, (int)steps, pass, prepares);
            float before = pass < mine ? loadShared(now + offset) : 0.0f;
            float sum = 0.0f;
            if (anyLater) sum = weights.times(now + 16 * part, part);
            g = (g + (later ? sum : before)) * slope;
            if (sends && step < (int)steps) B::sendAll(to, twin, g);
            if (pass < mine && twin == 0) gradients[here.at] = alive || step == (int)steps ? g : 0.0f;
            anyLater = __any_sync(ALL, feed.liveLater[0] != 0);
            here.next(course);
        }
    }
}

/// A group is a cluster: cluster c owns the rows from c * rowsPerGroup on, `rowsAtOnce` in a pass, as many passes as Buffers holds.
/// `factors` are not read where a pass has several rows.
#define FORWARD(name, size, rowsAtOnce)                                                                                \
    extern "C" __global__ void __cluster_dims__(Plan<size>::BLOCKS, 1, 1) __launch_bounds__(Plan<size>::THREADS) name( \
            FORWARD_OPERANDS, SIZES, int reverse, int activation, OTHER_FORWARD_OPERANDS) {                            \
        forward<size, rowsAtOnce>(                                                                                     \
                FORWARD_OPERANDS_HERE, steps, rows, hidden, rowsPerGroup, reverse ^ (int)blockIdx.z, activation);      \
    }

#define BACKWARD(name, size, rowsAtOnce)                                                                               \
    extern "C" __global__ void __cluster_dims__(Plan<size>::BLOCKS, 1, 1) __launch_bounds__(Plan<size>::THREADS) name( \
            BACKWARD_OPERANDS, SIZES, int reverse, int activation, OTHER_BACKWARD_OPERANDS) {                          \
        backward<size, rowsAtOnce>(                                                                                    \
                BACKWARD_OPERANDS_HERE, steps, rows, hidden, rowsPerGroup, reverse ^ (int)blockIdx.z, activation);     \
    }

FORWARD(cluster_forward_256_1, 256, 1)
FORWARD(cluster_forward_256_2, 256, 2)
FORWARD(cluster_forward_384_1, 384, 1)
FORWARD(cluster_forward_384_2, 384, 2)
FORWARD(cluster_forward_384_3, 384, 3)
FORWARD(cluster_forward_384_4, 384, 4)
FORWARD(cluster_forward_512_1, 512, 1)
FORWARD(cluster_forward_512_2, 512, 2)
FORWARD(cluster_forward_512_3, 512, 3)
BACKWARD(cluster_backward_256_1, 256, 1)
BACKWARD(cluster_backward_256_2, 256, 2)
BACKWARD(cluster_backward_384_1, 384, 1)
BACKWARD(cluster_backward_384_2, 384, 2)
BACKWARD(cluster_backward_384_3, 384, 3)
BACKWARD(cluster_backward_384_4, 384, 4)
BACKWARD(cluster_backward_512_1, 512, 1)
BACKWARD(cluster_backward_512_2, 512, 2)
BACKWARD(cluster_backward_512_3, 512, 3)
