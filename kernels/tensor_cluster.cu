// compute_90, PTX 8.1
// Elman's recurrence over a whole sequence in one launch, by the blocks of a cluster, with the products on tensor cores. As in
// cluster.cu each block keeps a slice of the columns of Wh in registers, all have the states in shared memory, and who computes an
// element sends it to every block of the cluster; while a cluster has several passes, the numbers of one travel while another is
// computed. As in tensor.cu eight rows of a pass are a tile of a tensor core, each warp multiplies by the weights of its share of the
// nodes, and what the warps sum up meets in shared memory; and under a mask rows of like lengths share a pass, which takes part only
// from its first live step to its last one. In TF32 states are rounded once, by who sends them; in strict float32 they and the weights
// are split, three products for one, as tensor.cu says, and a tensor core sums 24 products of 8 terms at most.
//
// Otherwise as sequence.cu: projections in place, masks, and bits that depend neither on N nor on T nor on a row's neighbours.
// SIZE is what H is padded to: 384 or 512, on eight blocks.
//
// Floor of a step, in cycles of a multiprocessor: for each pass the products of eight rows, SIZE * SLICE / 128 (144 and 256; with
// mma.sync 1.6 times that, in float32 three times as many); for each row but the first SIZE / 4 to bring it to a block, at 16 bytes a cycle; and
// where a pass waits for itself, for there is no other, a chain: the reads of the state (60), partial sums (120), tanh (100; the
// derivative 40) and the way to another block (400). In TF32 0.51 and 0.60 us at 1.98 GHz for three rows forward, 1.6 and 2.2 us for 35.
// Bytes of memory: 8 H forward and 12 H backward for each row, 4 BLOCKS more with the mask; 4 H BLOCKS between the blocks. A barrier
// of a block a pass, one launch.
// An H200 took 0.74 and 0.89 us for three rows in TF32, 0.72 and 0.86 back, where tensor.cu's ring takes 1.2 and 1.35.
//
// Not measured since: a warp sends lines of 128 bytes, each to one block, where four neighbours sent the same 16 bytes to four; by what
// that cost cluster.cu up to 0.1 us less is expected. Several passes, and float32: by the floor and what one pass took beyond it, 128 and
// 512 rows, nine and 35 for each of 15 clusters, are expected to take 0.88 and 2.2 us over 384 nodes in TF32, 1.05 and 3.2 over 512; in
// float32 1.15 and 3.4, 1.9 and 5.4. tensor.cu took 1.2 and 3.3, 1.6 and 4.4; in float32 1.7 and 4.9, 2.4 and 8.3.

#include "cluster.cuh"
#include "mma.cuh"
#include "recurrence.cuh"
#include "order.cuh"

const int ROWS = 8; // of a pass at most, the columns of a tensor core's tile
const int HALF = ROWS / 2; // rows between the two elements of a thread
const int MOST_PASSES = 5; // of a cluster
const int AT_ONCE = 4; // loads on their way where gradients only add up
const int SOON = 16; // steps from asking the second-level cache for them
const int EARLY = 3; // steps from asking the second-level cache for what a step adds to its use
const int BLOCKS = 8; // of a cluster

template <int NODES, bool SPLIT>
struct Plan {
    static const int SIZE = NODES;
    static const bool STRICT = SPLIT;
    static const int SLICE = SIZE / BLOCKS; // columns of a block
    static const int WARPS = 8;
    static const int THREADS = 32 * WARPS;
    static const int SIDES = SIZE == 512 ? 2 : 1; // of the slice, each of other warps
    static const int SHARES = WARPS / SIDES; // of the nodes
    static const int TILES = SLICE / SIDES / 16; // of a warp's columns
    static const int VECTORS = SIZE / SHARES / 16; // of four numbers of a row that a thread multiplies
    static const int CHAINS = SIZE == 512 ? 2 : 1; // of a tile's products, that do not wait for each other: 16 would take long
    static const int PLACES = ROWS * SIZE;
    static const bool IDLE = SLICE / 16 * 2 < WARPS; // whether there are warps without elements
};

/// Which elements of a pass are a thread's: of one column, in a row and in the fourth one after it. A warp has sixteen columns
/// of two rows, so that it sends whole lines of a mailbox and what it reads of the partial sums lies in banks of its own.
template <typename P>
struct Share {
    int row;
    int inSlice;
    int column;
    int bit; // of the first element's row in a byte of rows; far beyond where the thread has nothing but padding

    __device__ Share(Index hidden) {
        row = kept(firstRow() + (int)(threadIdx.x / 16 % 2));
        inSlice = kept(firstInSlice() + (int)(threadIdx.x % 16));
        column = kept((int)rankInCluster() * P::SLICE + inSlice);
        bit = kept(row < HALF && column < hidden ? row : 24);
    }

    __device__ bool has() const { return bit < HALF; }

    /// Whether its warp has elements.
    static __device__ bool works() { return firstRow() < HALF; }

    /// Those of its warp's first thread.
    static __device__ int firstRow() { return threadIdx.x / 32 / (P::SLICE / 16) * 2; }
    static __device__ int firstInSlice() { return threadIdx.x / 32 % (P::SLICE / 16) * 16; }
};

const Index NOWHERE = -(1ll << 61); // an offset that stays below 0 whatever is added

struct Group {
    static __device__ unsigned number() { return blockIdx.x / BLOCKS; }
    static __device__ unsigned count() { return gridDim.x / BLOCKS; }
};

/// The rows of a cluster, shared out evenly among as few passes as they need. Lies in shared memory.
struct Rows : Order<ROWS, MOST_PASSES, Group> {
    int counts[MOST_PASSES]; // rows of each pass
    Index offsets[MOST_PASSES * ROWS]; // of the rows in [N,H]; NOWHERE where there is none

    __device__ void fill(
            const int* ranks, int steps, Index rows, Index hidden, Index rowsPerCluster, bool reverse, bool back) {
        int passes = passesOf(rowsPerCluster);
        Order::fill(ranks, steps, rows, rowsPerCluster, ((int)rowsPerCluster + passes - 1) / passes, reverse, back);
        int pass = threadIdx.x;
        if (pass < passes) {
            int count = 0;
            while (count < ROWS && numbers[pass * ROWS + count] >= 0) count++;
            counts[pass] = count;
        }
        if (threadIdx.x < passes * ROWS) {
            int row = numbers[threadIdx.x];
            offsets[threadIdx.x] = row < 0 ? NOWHERE : row * hidden;
        }
        __syncthreads();
    }
};

/// The states of a cluster's rows in one block, of each pass [SIZE/16,ROWS,16]: a buffer for even steps and one for odd ones, and what
/// waits for them. Step s reads what came for it and sends for step s + 1.
template <typename P>
struct Mailbox {
    static const int BYTES = 4 * P::PLACES; // of a buffer

    unsigned values; // their address; they are handed to the block at the launch
    unsigned arrivals;

    static __device__ int place(int row, int column) { return column / 16 * 128 + row * 16 + column % 16; }

    /// The number of a pass's buffer for this step; that for the next one is its neighbour.
    static __device__ int buffer(int step, int pass) { return 2 * pass + (step & 1); }

    __device__ unsigned valuesOf(int buffer) const { return values + buffer * BYTES; }
    __device__ Arrivals arrivalsOf(int buffer) const { return {arrivals + 8 * buffer}; }

    /// Zeros, and ready for what is sent for the first two steps of each pass, but for the very first.
    __device__ Mailbox(const Rows& rows, int passes) {
        extern __shared__ __align__(128) float4 handed[]; // so that lines are lines of memory, too
        __shared__ unsigned long long barriers[2 * MOST_PASSES];
        values = kept(sharedAddress(handed));
        arrivals = kept(sharedAddress(barriers));
        #pragma unroll 1
        for (int i = threadIdx.x; i < 2 * passes * P::PLACES; i += P::THREADS) storeShared(values + 4 * i, 0.0f);
        if (threadIdx.x < passes) {
            int pass = threadIdx.x;
            int begin = rows.begin(pass);
            #pragma unroll
            for (int i = 1; i <= 2; i++) {
                Arrivals mine = arrivalsOf(buffer(begin + i, pass));
                mine.begin();
                if (begin + i < rows.end(pass)) mine.expect(4 * rows.counts[pass] * P::SIZE);
            }
        }
        __syncthreads();
    }

    /// Waits for what was sent for a pass's step number `done`, of which 0 is the first.
    __device__ void await(int buffer, int done) const { arrivalsOf(buffer).await(done - 1 >> 1 & 1); }

    /// Gets ready for so many rows of the step after the next one. By one thread, after it has waited and before the block's threads
    /// meet and send, for who sends them waits for that.
    __device__ void expect(int buffer, int rows) const { arrivalsOf(buffer).expect(4 * rows * P::SIZE); }
};

/// What a thread sends for its warp, whose sixteen columns of two rows are a line of eight vectors in a mailbox: one of them, to two
/// blocks. So eight neighbours write a line that lies together into the same block. Each block begins with another one.
template <typename P>
struct Letter {
    static const int VECTORS = 8;
    static const int EACH = VECTORS * BLOCKS / 32; // blocks that a thread sends to

    int from; // the first of the four threads that have the numbers
    int row; // of the first element; beyond all where the warp has none
    unsigned places[EACH]; // in each of these blocks, in the first buffer
    unsigned arrivals[EACH];

    __device__ Letter(const Share<P>& share, const Mailbox<P>& mailbox) {
        int vector = threadIdx.x % VECTORS;
        int firstColumn = rankInCluster() * P::SLICE + share.firstInSlice();
        from = kept(4 * vector);
        row = kept(share.works() ? share.firstRow() + vector / 4 : ROWS);
        unsigned place = mailbox.values + 4 * (Mailbox<P>::place(share.firstRow() % HALF, firstColumn) + 4 * vector);
        #pragma unroll
        for (int i = 0; i < EACH; i++) {
            unsigned block = (rankInCluster() + threadIdx.x % 32 / VECTORS + 32 / VECTORS * i) % BLOCKS;
            places[i] = kept(inBlock(block, place));
            arrivals[i] = kept(inBlock(block, mailbox.arrivals));
        }
    }

    /// Sends the warp's elements into this buffer, those in rows of a pass that has so many. All threads of the warp come here.
    __device__ void send(int buffer, int rows, const float (&values)[2]) const {
        #pragma unroll
        for (int e = 0; e < 2; e++) {
            float value = P::STRICT ? values[e] : rounded(values[e]);
            float4 four = {__shfl_sync(ALL, value, from), __shfl_sync(ALL, value, from + 1),
                           __shfl_sync(ALL, value, from + 2), __shfl_sync(ALL, value, from + 3)};
            if (row + e * HALF >= rows) continue;
            #pragma unroll
            for (int i = 0; i < EACH; i++) {
                ::send(places[i] + buffer * Mailbox<P>::BYTES + e * HALF * 64, arrivals[i] + 8 * buffer, four);
            }
        }
    }
};

/// What the warps sum up in a pass: of each share of the nodes [SLICE,ROWS], where neither those who write, two rows at a time,
/// nor those who read, sixteen columns of two rows, meet in a bank. Of two buffers warps write into one while others still read the
/// other.
template <typename P>
struct Partials {
    static const int SHARE = P::SLICE * ROWS;
    static const int BUFFER = P::SHARES * SHARE;

    float sums[2][P::SHARES][SHARE];

    static __device__ int at(int row, int column) { return column * ROWS + (row ^ column / 4 % 4 * 2); }

    /// The address of the first share's sum of a thread's first element, in the first buffer. That of the second element differs in a
    /// bit, for sums begin at a multiple of 32.
    __device__ unsigned ownAt(const Share<P>& share) const { return sharedAddress(&sums[0][0][at(share.row % HALF, share.inSlice)]); }

    /// The address where a thread of a warp with these sums writes two rows, of columns 0 to 7 of its first tile.
    __device__ unsigned writtenAt(int share, int side) const {
        int lane = threadIdx.x % 32;
        return sharedAddress(&sums[0][share][at(lane % 4 * 2, side * P::TILES * 16 + lane / 4)]);
    }

    /// From there to where it writes those of columns 8 to 15.
    static __device__ int toUpper() { return 4 * (8 * ROWS + (threadIdx.x % 4 < 2 ? 4 : -4)); }

    /// When all warps have written, the sums of a thread's elements in a pass of so many rows.
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

/// What a warp sums up in a pass.
template <typename P>
struct Sums {
    float of[P::CHAINS][P::TILES][4];

    /// Writes them among the partial sums: two rows at `low` and, of columns 8 to 15, at `toUpper` from there, and so on.
    __device__ void put(unsigned low, int toUpper) {
        #pragma unroll
        for (int t = 0; t < P::TILES; t++) {
            if (P::CHAINS > 1) {
                #pragma unroll
                for (int i = 0; i < 4; i++) of[0][t][i] += of[P::CHAINS - 1][t][i];
            }
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
                        float weight = k < hidden && c < hidden ? wh[k * strideK + c * strideC] : 0.0f;
                        w[v][i / 2][t][i % 2 * 2 + s] = P::STRICT ? weight : rounded(weight);
                    }
                }
            }
        }
    }

    /// From a buffer's address to that of this thread's first vector there.
    static __device__ unsigned firstVector() { return 4 * (share() * P::VECTORS * 128 + threadIdx.x % 32 * 4); }

    /// This warp's sums over its nodes, from the vectors at an address.
    __device__ void times(unsigned vectors, Sums<P>& sums) const {
        sums = {};
        #pragma unroll
        for (int v = 0; v < P::VECTORS; v++) {
            float4 state = loadShared4(vectors + 4 * 128 * v);
            addTiles(sums.of[0], w[v][0], state.x, state.y);
            addTiles(sums.of[P::CHAINS - 1], w[v][1], state.z, state.w);
        }
    }

    /// Adds the products of two numbers of each row to the sums of all tiles.
    static __device__ void addTiles(float (&sums)[P::TILES][4], const float (&a)[P::TILES][4], float b0, float b1) {
        if (P::STRICT) {
            float b0High, b0Low, b1High, b1Low;
            split(b0, b0High, b0Low);
            split(b1, b1High, b1Low);
            #pragma unroll
            for (int t = 0; t < P::TILES; t++) {
                float high[4], low[4];
                #pragma unroll
                for (int i = 0; i < 4; i++) {
                    high[i] = cut(a[t][i]);
                    low[i] = a[t][i] - high[i];
                }
                multiplyTile(sums[t], low, b0High, b1High);
                multiplyTile(sums[t], high, b0Low, b1Low);
                multiplyTile(sums[t], high, b0High, b1High);
            }
        } else {
            #pragma unroll
            for (int t = 0; t < P::TILES; t++) multiplyTile(sums[t], a[t], b0, b1);
        }
    }
};

/// Where a thread's elements and the mask it looks at lie.
template <typename P>
struct Layout {
    const Rows& order;
    const Share<P>& share;
    const int* mask;
    Index column; // NOWHERE for threads that have no elements
    int lookedAt; // the row in a pass whose mask this thread looks at
    Index firstSlot; // offset in [T+1,N,H] of the slot of step 0
    Index perSlot; // from there to that of the next step, below 0 where slots and steps go down
    Index firstStep; // offset in [T,N] of the mask of step 0
    Index perStep; // from there to that of the next step

    __device__ Layout(
            const Rows& order,
            const Share<P>& share,
            const int* mask,
            Index rows,
            Index hidden,
            Index firstSlot,
            Index firstStep,
            int direction)
        : order(order), share(share), mask(mask), column(share.has() ? share.column : NOWHERE),
          lookedAt(kept((int)(threadIdx.x % ROWS))),
          firstSlot(kept(firstSlot * rows * hidden)), perSlot(kept(direction * rows * hidden)), firstStep(kept(firstStep * rows)),
          perStep(kept(direction * rows)) {}

    /// The offset in [N,H] of an element of a pass, below 0 if there is none.
    __device__ Index offset(int pass, int e) const {
        return order.offsets[pass * ROWS + (share.row & HALF - 1) + e * HALF] + column;
    }

    /// The offset in [T+1,N,H] of the slot of a step.
    __device__ Index slot(int step) const { return firstSlot + step * perSlot; }

    /// Where in the mask it is said whether the row that this thread looks at is live in a turn; below 0 where there is nothing to see.
    /// The first threads bring what is there some steps on into the second-level cache.
    __device__ Index looked(Turn turn, int steps) const {
        if (!mask) return -1;
        int row = order.numbers[max(turn.pass, 0) * ROWS + lookedAt];
        Index at = row >= 0 && turn.step < steps ? firstStep + turn.step * perStep + row : -1;
        if (threadIdx.x < ROWS && at >= 0 && turn.step + EARLY < steps) prefetch((const float*)mask + at + EARLY * perStep);
        return at;
    }

    /// What is said there.
    __device__ int look(Index at) const { return at >= 0 ? mask[at] : 0; }

    /// As bits, the live rows of a turn of so many rows, by what each thread saw.
    __device__ unsigned alive(int seen, int count) const {
        return mask ? __ballot_sync(ALL, seen != 0) & (1 << ROWS) - 1 : (1 << count) - 1;
    }

    /// The offsets in [T+1,N,H] of the thread's elements of a turn, below 0 where there are none.
    __device__ void find(Index (&at)[2], Turn turn, int last) const {
        Index ofSlot = turn.step <= last ? slot(turn.step) : NOWHERE;
        #pragma unroll
        for (int e = 0; e < 2; e++) at[e] = ofSlot + offset(max(turn.pass, 0), e);
    }

    /// What lies there.
    static __device__ void fetch(float (&values)[2], const float* of, const Index (&at)[2]) {
        #pragma unroll
        for (int e = 0; e < 2; e++) values[e] = at[e] >= 0 ? of[at[e]] : 0.0f;
    }

    /// Brings what lies there some steps on into the second-level cache.
    __device__ void fetchEarly(const float* of, const Index (&at)[2]) const {
        #pragma unroll
        for (int e = 0; e < 2; e++) if (at[e] >= 0) prefetch(of + at[e] + EARLY * perSlot);
    }
};

/// Where a thread reads states, and writes and reads partial sums in a turn; the next one takes the other buffer of these.
template <typename P>
struct Places {
    unsigned vectors; // from a buffer of the mailbox to the thread's first vector
    unsigned written;
    unsigned own;
    int toUpper; // from where it writes those of columns 0 to 7 to those of 8 to 15
    int toOther; // from this turn's buffer to that of the next one

    __device__ Places(const Partials<P>& partials, const Share<P>& share)
        : vectors(kept(TensorWeights<P>::firstVector())),
          written(kept(partials.writtenAt(TensorWeights<P>::share(), TensorWeights<P>::side()))), own(kept(partials.ownAt(share))),
          toUpper(kept(partials.toUpper())), toOther(4 * partials.BUFFER) {}

    __device__ void next() {
        written += toOther;
        own += toOther;
        toOther = -toOther;
    }
};

/// Numbers that a thread keeps from step to step, of each element of each pass.
template <typename P>
struct Keep {
    float values[MOST_PASSES][2][P::THREADS];

    /// Of this thread's first one.
    __device__ unsigned address() const { return kept(sharedAddress(&values[0][0][threadIdx.x])); }

    /// From there to another one.
    static __device__ int to(int pass, int e) { return 4 * P::THREADS * (2 * pass + e); }
};

template <typename P>
__device__ void forward(
        const float* wh,
        const float* bias,
        float* states,
        const int* mask,
        const float* factors,
        const int* ranks,
        Index steps,
        Index rows,
        Index hidden,
        Index rowsPerCluster,
        int reverse,
        int activation) {
    __shared__ __align__(32) Partials<P> partials; // see ownAt
    __shared__ Keep<P> before; // the states, which a masked step keeps
    __shared__ Keep<P> seen; // the factors by which Wh sees them
    __shared__ Rows order;
    TensorWeights<P> weights;
    weights.load(wh, hidden, hidden, 1);

    const Share<P> share(hidden);
    const int last = (int)steps - 1;
    order.fill(ranks, (int)steps, rows, hidden, rowsPerCluster, reverse, false);
    const int passes = order.passesOf(rowsPerCluster);
    const Layout<P> layout(
            order, share, mask, rows, hidden, reverse ? steps - 1 : 1, reverse ? steps - 1 : 0, reverse ? -1 : 1);
    const unsigned always = order.always(ranks);
    const Mailbox<P> mailbox(order, passes);
    const float* initial = states + (reverse ? steps * rows * hidden : 0);
    unsigned beforeAt = before.address();
    unsigned seenAt = seen.address();
    #pragma unroll 1
    for (int pass = 0; pass < passes; pass++) {
        int begin = order.begin(pass);
        unsigned values = mailbox.valuesOf(mailbox.buffer(begin, pass));
        #pragma unroll 1
        for (int column = threadIdx.x; column < hidden; column += P::THREADS) {
            float h[ROWS], factor[ROWS];
            #pragma unroll
            for (int row = 0; row < ROWS; row++) {
                Index at = order.offsets[pass * ROWS + row] + column;
                h[row] = at >= 0 ? initial[at] : 0.0f;
                factor[row] = factors && at >= 0 ? factors[at] : 1.0f;
            }
            #pragma unroll
            for (int row = 0; row < ROWS; row++) {
                float seen = h[row] * factor[row];
                storeShared(values + 4 * mailbox.place(row, column), P::STRICT ? seen : rounded(seen));
            }
        }
        // Before its first step a pass keeps what it begins with.
        #pragma unroll 1
        for (int e = 0; e < 2; e++) {
            Index at = layout.offset(pass, e);
            float h = at >= 0 ? initial[at] : 0.0f;
            storeShared(beforeAt + before.to(pass, e), h);
            storeShared(seenAt + seen.to(pass, e), factors && at >= 0 ? factors[at] : 1.0f);
            #pragma unroll 1
            for (int step = 0; step < begin && at >= 0; step++) states[layout.slot(step) + at] = h;
        }
    }

    float b = bias && share.has() ? bias[share.column] : 0.0f;
    const int2 own = order.ownSpan();
    auto after = [&](Turn turn) { return order.next(turn, always, last + 1, [&] { return own; }); };
    Turn here = after({-1, 0, 0});
    Turn next = after(here);
    Index at[2]; // of the elements of the turn that comes
    float added[2] = {}; // to their products
    layout.find(at, here, last);
    layout.fetch(added, states, at);
    int live[2] = {layout.look(layout.looked(here, last + 1)), layout.look(layout.looked(next, last + 1))}; // two turns ahead
    const Letter<P> letter(share, mailbox);
    Places<P> places(partials, share);
    bool works = kept((int)share.works());
    bool prepares = kept((int)(threadIdx.x == 0));
    meet();

    #pragma unroll 1
    while (here.step <= last) {
        int step = here.step;
        int pass = here.pass;
        int count = order.counts[pass];
        int2 span = order.spans[pass];
        int buffer = mailbox.buffer(step, pass);
        Turn third = after(next);
        Index looked = layout.looked(third, last + 1);
        float sums[2], h[2], factor[2];
        #pragma unroll
        for (int e = 0; e < 2; e++) {
            sums[e] = computedHere(added[e] + b);
            h[e] = loadShared(beforeAt + before.to(pass, e));
            factor[e] = loadShared(seenAt + seen.to(pass, e));
        }
        Index target[2] = {at[0], at[1]};
        layout.find(at, next, last);
        if (next.step + EARLY <= last) layout.fetchEarly(states, at);
        unsigned read = computedHere(mailbox.valuesOf(buffer) + places.vectors);

        if (step > span.x) mailbox.await(buffer, step - span.x);
        __syncwarp(); // tensor cores take a whole warp
        Sums<P> ofWarp;
        weights.times(read, ofWarp); // where no row is live nobody asks for them
        // What the next turns need: not before the wait, which empties the first-level cache and for that waits for all loads.
        layout.fetch(added, states, at);
        bool lives[2];
        unsigned alive = layout.alive(live[0], count);
        #pragma unroll
        for (int e = 0; e < 2; e++) lives[e] = alive >> share.bit + e * HALF & 1;
        live[0] = live[1];
        live[1] = layout.look(looked);
        if (prepares && step > span.x && step + 2 < span.y) mailbox.expect(buffer, count);
        ofWarp.put(places.written, places.toUpper);
        __syncthreads();
        if (!P::IDLE || works) {
            float products[2];
            partials.totals(places.own, count, products);
            #pragma unroll
            for (int e = 0; e < 2; e++) sums[e] += products[e];
            activateAll(activation, sums);
        }
        #pragma unroll
        for (int e = 0; e < 2; e++) {
            if (lives[e]) h[e] = sums[e];
            factor[e] *= h[e];
        }
        if (step + 1 < span.y) letter.send(buffer ^ 1, count, factor);
        #pragma unroll
        for (int e = 0; e < 2; e++) {
            storeShared(beforeAt + before.to(pass, e), h[e]);
            if (target[e] >= 0) states[target[e]] = h[e];
        }
        places.next();
        here = next;
        next = third;
    }

    // After its last step it keeps that one's.
    #pragma unroll 1
    for (int pass = 0; pass < passes; pass++) {
        if (order.end(pass) <= order.begin(pass)) continue;
        #pragma unroll 1
        for (int e = 0; e < 2; e++) {
            Index at = layout.offset(pass, e);
            float h = loadShared(beforeAt + before.to(pass, e));
            #pragma unroll 1
            for (int step = order.end(pass); step <= last && at >= 0; step++) states[layout.slot(step) + at] = h;
        }
    }
}

/// Slot by slot down to the initial one, which only gains. What goes on to the step before without a product, from a masked
/// one, stays with its thread.
template <typename P>
__device__ void backward(
        const float* wh,
        const float* states,
        float* gradients,
        const int* mask,
        const float* factors,
        const int* ranks,
        Index steps,
        Index rows,
        Index hidden,
        Index rowsPerCluster,
        int reverse,
        int activation) {
    __shared__ __align__(32) Partials<P> partials; // see ownAt
    __shared__ Keep<P> carried; // the gradients
    __shared__ Keep<P> seen; // as forward
    __shared__ unsigned liveRows[2 * MOST_PASSES]; // of each pass in the step of a buffer
    __shared__ Rows order;
    TensorWeights<P> weights;
    weights.load(wh, hidden, 1, hidden);

    const Share<P> share(hidden);
    const int last = (int)steps; // the initial slot comes as one more step
    order.fill(ranks, (int)steps, rows, hidden, rowsPerCluster, reverse, true);
    const int passes = order.passesOf(rowsPerCluster);
    const Layout<P> layout(
            order, share, mask, rows, hidden, reverse ? 0 : steps, reverse ? 0 : steps - 1, reverse ? 1 : -1);
    const unsigned always = order.always(ranks);
    const Mailbox<P> mailbox(order, passes);
    unsigned carriedAt = carried.address();
    unsigned liveAt = kept(sharedAddress(liveRows));
    if (threadIdx.x < 2 * MOST_PASSES) storeShared(liveAt + 4 * threadIdx.x, 0.0f);
    unsigned seenAt = seen.address();

    // Where a pass takes no part gradients add up; the initial slot gains.
    auto gather = [&](int pass, int from, int to) {
        float sums[2];
        Index at[2];
        #pragma unroll
        for (int e = 0; e < 2; e++) {
            sums[e] = loadShared(carriedAt + carried.to(pass, e));
            at[e] = layout.slot(from) + layout.offset(pass, e);
        }
        #pragma unroll 1
        for (int left = to - from; left > 0; left -= AT_ONCE) {
            float dh[AT_ONCE][2];
            #pragma unroll
            for (int i = 0; i < AT_ONCE; i++) {
                #pragma unroll
                for (int e = 0; e < 2; e++) {
                    bool there = at[e] >= 0 && i < left;
                    dh[i][e] = there ? gradients[at[e] + i * layout.perSlot] : 0.0f;
                    if (there && i + SOON < left) prefetch(gradients + at[e] + (i + SOON) * layout.perSlot);
                }
            }
            #pragma unroll
            for (int i = 0; i < AT_ONCE; i++) {
                #pragma unroll
                for (int e = 0; e < 2; e++) {
                    sums[e] += dh[i][e];
                    if (at[e] >= 0 && i < left) gradients[at[e] + i * layout.perSlot] = 0.0f;
                }
            }
            #pragma unroll
            for (int e = 0; e < 2; e++) at[e] += AT_ONCE * layout.perSlot;
        }
        #pragma unroll
        for (int e = 0; e < 2; e++) {
            storeShared(carriedAt + carried.to(pass, e), sums[e]);
            Index initial = layout.slot(last) + layout.offset(pass, e);
            if (to > last && initial >= 0) gradients[initial] = sums[e];
        }
    };
    #pragma unroll 1
    for (int pass = 0; pass < passes; pass++) {
        #pragma unroll
        for (int e = 0; e < 2; e++) {
            Index at = layout.offset(pass, e);
            storeShared(carriedAt + carried.to(pass, e), 0.0f);
            storeShared(seenAt + seen.to(pass, e), factors && at >= 0 ? factors[at] : 1.0f);
        }
        gather(pass, 0, order.begin(pass));
    }

    const int2 own = order.ownSpan();
    auto after = [&](Turn turn) { return order.next(turn, always, last + 1, [&] { return own; }); };
    Turn here = after({-1, 0, 0});
    Turn next = after(here);
    Index at[2]; // as forward
    float dh[2] = {}, h[2] = {};
    layout.find(at, here, last);
    layout.fetch(dh, gradients, at);
    layout.fetch(h, states, at);
    int live[2] = {layout.look(layout.looked(here, last)), layout.look(layout.looked(next, last))}; // as forward
    const Letter<P> letter(share, mailbox);
    Places<P> places(partials, share);
    bool works = kept((int)share.works());
    bool prepares = kept((int)(threadIdx.x == 0));
    meet();

    #pragma unroll 1
    while (here.step <= last) {
        int step = here.step;
        int pass = here.pass;
        int count = order.counts[pass];
        int2 span = order.spans[pass];
        int buffer = mailbox.buffer(step, pass);
        unsigned later = __float_as_uint(loadShared(liveAt + 4 * (buffer ^ 1))); // rows that were live in the step that ran after it
        Turn third = after(next);
        Index looked = layout.looked(third, last);
        float gradient[2], slope[2], was[2], factor[2];
        byActivation(activation, [&](int one) {
            #pragma unroll
            for (int e = 0; e < 2; e++) slope[e] = derivative(one, h[e]);
        });
        #pragma unroll
        for (int e = 0; e < 2; e++) {
            slope[e] = computedHere(slope[e]);
            gradient[e] = computedHere(dh[e]);
            was[e] = loadShared(carriedAt + carried.to(pass, e));
            factor[e] = loadShared(seenAt + seen.to(pass, e));
        }
        Index target[2] = {at[0], at[1]};
        layout.find(at, next, last);
        if (next.step + EARLY <= last) {
            layout.fetchEarly(gradients, at);
            layout.fetchEarly(states, at);
        }
        unsigned read = computedHere(mailbox.valuesOf(buffer) + places.vectors);

        if (step > span.x) mailbox.await(buffer, step - span.x);
        __syncwarp();
        Sums<P> ofWarp;
        weights.times(read, ofWarp);
        layout.fetch(dh, gradients, at); // as forward
        layout.fetch(h, states, at); // the initial state, too, whose slope is not asked for
        bool gains[2], lives[2];
        unsigned alive = step < last ? layout.alive(live[0], count) : 0;
        #pragma unroll
        for (int e = 0; e < 2; e++) {
            gains[e] = later >> share.bit + e * HALF & 1;
            lives[e] = alive >> share.bit + e * HALF & 1;
        }
        live[0] = live[1];
        live[1] = layout.look(looked);
        if (prepares) {
            storeShared(liveAt + 4 * buffer, __uint_as_float(alive));
            if (step > span.x && step + 2 < span.y) mailbox.expect(buffer, count);
        }
        ofWarp.put(places.written, places.toUpper);
        __syncthreads();
        float products[2] = {};
        if (!P::IDLE || works) partials.totals(places.own, count, products);
        float da[2];
        #pragma unroll
        for (int e = 0; e < 2; e++) {
            gradient[e] = gains[e] ? __fmaf_rn(factor[e], products[e], gradient[e]) : gradient[e] + was[e];
            da[e] = lives[e] ? gradient[e] * slope[e] : 0.0f;
        }
        if (step + 1 < span.y) letter.send(buffer ^ 1, count, da);
        #pragma unroll
        for (int e = 0; e < 2; e++) {
            storeShared(carriedAt + carried.to(pass, e), gradient[e]);
            if (target[e] >= 0) gradients[target[e]] = step == last ? gradient[e] : da[e];
        }
        places.next();
        here = next;
        next = third;
    }

    #pragma unroll 1
    for (int pass = 0; pass < passes; pass++) {
        if (order.begin(pass) < order.end(pass)) gather(pass, order.end(pass), last + 1);
    }
}

/// states [T+1,N,H]: in, the initial slot and the projections; out, the states. `bias` [H], `mask` [T,N] and
/// `factors` [N,H] may be null; with factors, those of recurrent dropout, Wh sees factor times state.
/// Without `ranks`, see Order, cluster c owns the rows from c * rowsPerCluster on, MOST_PASSES * ROWS at most; with them a cluster has as
/// many passes. Its blocks are handed the mailboxes of their passes; a second layer of the grid as in sequence.cu.
#define FORWARD(name, size, strict)                                                                             \
    extern "C" __global__ void __cluster_dims__(BLOCKS, 1, 1) __launch_bounds__(Plan<size, strict>::THREADS, 1) name( \
            const float* wh,                                                                                    \
            const float* bias,                                                                                  \
            float* states,                                                                                      \
            const int* mask,                                                                                    \
            const float* factors,                                                                               \
            const int* ranks,                                                                                   \
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
        forward<Plan<size, strict>>(                                                                            \
                ofDirection(wh, otherWh), ofDirection(bias, otherBias), ofDirection(states, otherStates),       \
                mask, ofDirection(factors, otherFactors), ranks, steps, rows, hidden, rowsPerCluster,           \
                reverse ^ (int)blockIdx.z, activation);                                                         \
    }

/// gradients [T+1,N,H]: in, those of the states as the layers above see them; out, da, and in the initial slot the gradient
/// of the initial state.
#define BACKWARD(name, size, strict)                                                                            \
    extern "C" __global__ void __cluster_dims__(BLOCKS, 1, 1) __launch_bounds__(Plan<size, strict>::THREADS, 1) name( \
            const float* wh,                                                                                    \
            const float* states,                                                                                \
            float* gradients,                                                                                   \
            const int* mask,                                                                                    \
            const float* factors,                                                                               \
            const int* ranks,                                                                                   \
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
        backward<Plan<size, strict>>(                                                                           \
                ofDirection(wh, otherWh), ofDirection(states, otherStates),                                     \
                ofDirection(gradients, otherGradients), mask, ofDirection(factors, otherFactors), ranks, steps, \
                rows, hidden, rowsPerCluster, reverse ^ (int)blockIdx.z, activation);                           \
    }

#define OF_SIZE(size)                                       \
    FORWARD(tensor_cluster_forward_##size##_8, size, true)   \
    FORWARD(tensor_cluster_tf32_forward_##size##_8, size, false) \
    BACKWARD(tensor_cluster_backward_##size##_8, size, true) \
    BACKWARD(tensor_cluster_tf32_backward_##size##_8, size, false)

OF_SIZE(384)
OF_SIZE(512)
