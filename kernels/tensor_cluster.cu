// compute_90, PTX 8.1
// Elman's recurrence over a whole sequence in one launch, by the blocks of a cluster, with the products on tensor cores. As in
// cluster.cu each block keeps a slice of the columns of Wh in registers, all have the states in shared memory, and who computes an
// element sends it to every block of the cluster; while a cluster has several passes, the numbers of one travel while another is
// computed. As in tensor.cu eight rows of a pass are a tile of a tensor core, each warp multiplies by the weights of its share of the
// nodes, and what the warps sum up meets in shared memory. In TF32 states are rounded once, by who sends them; in strict float32
// they and the weights are split, three products for one, as tensor.cu says, and a tensor core sums 48 products of 8 terms at most.
//
// Otherwise as sequence.cu: projections in place, masks, and bits that depend neither on N nor on T nor on a row's neighbours.
// SIZE is what H is padded to: 384 or 512, on eight blocks.
//
// Floor of a pass, in cycles of a multiprocessor: the products of eight rows SIZE * SLICE / 128 (144 and 256; with mma.sync 1.6
// times that, in float32 three times as many), and in a chain the reads of the state (60), partial sums (120), tanh (100; the
// derivative 40) and, hidden where there are several passes, sending: 400 for one row and SIZE / 4 more for each further one, at 16 bytes a
// cycle. In TF32 0.51 and 0.60 us at 1.98 GHz for three rows forward. Bytes of memory: 8 H forward and 12 H backward, 4 BLOCKS more with
// the mask; 4 H BLOCKS between the blocks. A barrier of a block a pass, one launch.
// An H200 took 0.74 and 0.89 us for these in TF32, 0.72 and 0.86 back, where tensor.cu's ring takes 1.2 and 1.35.
//
// Not measured since: a warp sends lines of 128 bytes, each to one block, where four neighbours sent the same 16 bytes to four; by what
// that cost cluster.cu up to 0.1 us less is expected. Several passes, and float32: by the floor and what one pass took beyond it, 128 and
// 512 rows, nine and 35 for each of 15 clusters, are expected to take 0.88 and 2.2 us over 384 nodes in TF32, 1.05 and 3.2 over 512; in
// float32 1.2 and 3.4, 1.9 and 5.4. tensor.cu took 1.2 and 3.3, 1.6 and 4.4; in float32 1.7 and 4.9, 2.4 and 8.3.

#include "cluster.cuh"
#include "mma.cuh"
#include "recurrence.cuh"

const int ROWS = 8; // of a pass at most, the columns of a tensor core's tile
const int HALF = ROWS / 2; // rows between the two elements of a thread
const int MOST_PASSES = 5; // of a cluster
const int EARLY = 3; // steps from asking the second-level cache for what a step adds to its use

template <int NODES, bool SPLIT>
struct Plan {
    static const int SIZE = NODES;
    static const bool STRICT = SPLIT;
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

/// Which elements of a pass are a thread's: of one column, in a row and in the fourth one after it. A warp has sixteen columns
/// of two rows, so that it sends whole lines of a mailbox and what it reads of the partial sums lies in banks of its own.
template <typename P>
struct Share {
    int row;
    int inSlice;
    int column;
    bool has; // the last warps may have none, and the last columns may be padding

    __device__ Share(Index hidden) {
        row = kept(firstRow() + (int)(threadIdx.x / 16 % 2));
        inSlice = kept(firstInSlice() + (int)(threadIdx.x % 16));
        column = kept((int)rankInCluster() * P::SLICE + inSlice);
        has = row < HALF && column < hidden;
    }

    /// Those of its warp's first thread.
    static __device__ int firstRow() { return threadIdx.x / 32 / (P::SLICE / 16) * 2; }
    static __device__ int firstInSlice() { return threadIdx.x / 32 % (P::SLICE / 16) * 16; }
};

/// The rows of a cluster, shared out evenly among as few passes as they need.
struct Rows {
    Index first;
    int count;
    int passes;
    int together; // in a pass; the last one may have fewer

    __device__ Rows(Index rows, Index rowsPerCluster, int blocks) {
        first = (Index)(blockIdx.x / blocks) * rowsPerCluster;
        count = kept((int)min(rowsPerCluster, rows - first));
        passes = kept((count + ROWS - 1) / ROWS) & 7; // says itself that it is small, as does the next
        together = kept((count + passes - 1) / passes) & 2 * ROWS - 1;
    }

    __device__ int of(int pass) const { return min(together, count - pass * together); }
};

/// A turn of a walk through the passes of all steps.
struct Turn {
    int step;
    int pass;
    Index at; // of what belongs to it, in whatever is walked
};

/// How turns follow each other there.
struct Way {
    Index perPass;
    Index toNextStep; // from a step's last pass to the first one of the next step

    __device__ Way(const Rows& rows, Index perRow, Index perStep)
        : perPass(kept(rows.together * perRow)), toNextStep(kept(perStep - (rows.passes - 1) * perPass)) {}

    __device__ void next(Turn& turn, int passes) const {
        if (++turn.pass < passes) {
            turn.at += perPass;
        } else {
            turn.pass = 0;
            turn.step++;
            turn.at += toNextStep;
        }
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

    /// Zeros, and ready for what is sent for the first two of the steps 1 to `last`.
    __device__ Mailbox(const Rows& rows, int last) {
        extern __shared__ float4 handed[];
        __shared__ unsigned long long barriers[2 * MOST_PASSES];
        values = kept(sharedAddress(handed));
        arrivals = kept(sharedAddress(barriers));
        #pragma unroll 1
        for (int i = threadIdx.x; i < 2 * rows.passes * P::PLACES; i += P::THREADS) storeShared(values + 4 * i, 0.0f);
        int mine = threadIdx.x;
        if (mine < 2 * rows.passes) {
            arrivalsOf(mine).begin();
            if (last >= 2 - mine % 2) arrivalsOf(mine).expect(4 * rows.of(mine / 2) * P::SIZE);
        }
        __syncthreads();
    }

    /// Waits for what was sent for this step, of so many rows, and lets the thread that prepares get ready for the next but one, if it
    /// comes.
    __device__ void await(int buffer, int step, int last, int rows, bool prepares) const {
        arrivalsOf(buffer).await(step - 1 >> 1 & 1);
        if (prepares && step + 2 <= last) arrivalsOf(buffer).expect(4 * rows * P::SIZE);
        __syncwarp(); // tensor cores take a whole warp
    }
};

/// What a thread sends for its warp, whose sixteen columns of two rows are a line of eight vectors in a mailbox: one of them, to two
/// blocks. So eight neighbours write a line that lies together into the same block.
template <typename P>
struct Letter {
    static const int VECTORS = 8;

    static const int EACH = VECTORS * P::BLOCKS / 32; // blocks that a thread sends to

    unsigned offset; // in a buffer
    int from; // the first of the four threads that have the numbers
    int block; // the first that gets them
    int row; // of the first element; beyond all where the warp has none

    __device__ Letter(const Share<P>& share) {
        int vector = threadIdx.x % VECTORS;
        int firstColumn = rankInCluster() * P::SLICE + share.firstInSlice();
        offset = kept(4 * (unsigned)(Mailbox<P>::place(share.firstRow(), firstColumn) + 4 * vector));
        from = kept(4 * vector);
        block = kept((int)(threadIdx.x % 32 / VECTORS));
        row = kept(share.firstRow() < HALF ? share.firstRow() + vector / 4 : ROWS);
    }

    /// Where it goes, in each of the blocks.
    struct Destination {
        unsigned places[EACH];
        unsigned arrivals[EACH];
    };

    __device__ Destination destination(const Mailbox<P>& mailbox, int buffer) const {
        Destination to;
        #pragma unroll
        for (int i = 0; i < EACH; i++) {
            unsigned rank = block + 32 / VECTORS * i;
            to.places[i] = computedHere(inBlock(rank, mailbox.valuesOf(buffer) + offset));
            to.arrivals[i] = computedHere(inBlock(rank, mailbox.arrivalsOf(buffer).address));
        }
        return to;
    }

    /// Sends the first or the second elements of the warp, if a pass has so many rows. All threads of the warp come here.
    __device__ void send(const Destination& to, int rows, int element, float value) const {
        float4 four = {__shfl_sync(ALL, value, from), __shfl_sync(ALL, value, from + 1),
                       __shfl_sync(ALL, value, from + 2), __shfl_sync(ALL, value, from + 3)};
        if (row + element * HALF >= rows) return;
        #pragma unroll
        for (int i = 0; i < EACH; i++) ::send(to.places[i] + element * HALF * 64, to.arrivals[i], four);
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

    /// The address of the first share's sum of a thread's first element in the first buffer; that of the second element is other().
    __device__ unsigned read(const Share<P>& share) const { return sharedAddress(&sums[0][0][at(share.row & HALF - 1, share.inSlice)]); }

    static __device__ unsigned other(unsigned first) { return first ^ 4 * HALF; }

    /// The address where a thread of a warp with these sums writes two rows, of columns 0 to 7 of its first tile.
    __device__ unsigned written(int share, int side) const {
        int lane = threadIdx.x % 32;
        return sharedAddress(&sums[0][share][at(lane % 4 * 2, side * P::TILES * 16 + lane / 4)]);
    }

    /// From there to where it writes those of columns 8 to 15.
    static __device__ int toUpper() { return 4 * (8 * ROWS + (threadIdx.x % 4 < 2 ? 4 : -4)); }

    static __device__ float total(unsigned address) {
        float parts[P::SHARES];
        #pragma unroll
        for (int i = 0; i < P::SHARES; i++) parts[i] = loadShared(address + 4 * i * SHARE);
        #pragma unroll
        for (int count = P::SHARES / 2; count > 0; count /= 2) {
            #pragma unroll
            for (int i = 0; i < count; i++) parts[i] += parts[i + count];
        }
        return parts[0];
    }

    /// When all warps have written, the sums of a thread's elements, the first of which lies at `address`.
    static __device__ void totals(unsigned address, int rows, bool written, float (&products)[2]) {
        products[0] = products[1] = 0.0f;
        __syncthreads();
        if (!written) return;
        if (rows > HALF) products[1] = total(other(address));
        products[0] = total(address);
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
    static __device__ unsigned read() { return 4 * (share() * P::VECTORS * 128 + threadIdx.x % 32 * 4); }

    /// This warp's sums over its nodes, from the vectors at an address to where it writes among the partial sums.
    __device__ void times(unsigned vectors, unsigned low, int toUpper) const {
        float sums[P::CHAINS][P::TILES][4] = {};
        #pragma unroll
        for (int v = 0; v < P::VECTORS; v++) {
            float4 state = loadShared4(vectors + 4 * 128 * v);
            addTiles(sums[0], w[v][0], state.x, state.y);
            addTiles(sums[P::CHAINS - 1], w[v][1], state.z, state.w);
        }
        #pragma unroll
        for (int t = 0; t < P::TILES; t++) {
            if (P::CHAINS > 1) {
                #pragma unroll
                for (int i = 0; i < 4; i++) sums[0][t][i] += sums[P::CHAINS - 1][t][i];
            }
            unsigned at = low + 4 * 16 * ROWS * t;
            storeShared2(at, sums[0][t][0], sums[0][t][1]);
            storeShared2(at + toUpper, sums[0][t][2], sums[0][t][3]);
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
    const Rows& rows;
    const Share<P>& share;
    Index hidden;
    int lookedAt; // the row in a pass whose mask this thread looks at
    Index perStep; // in [T+1,N,H], below 0 where slots and steps go down
    Way elements;
    Way looks; // through the mask [T,N]

    __device__ Layout(const Rows& rows, const Share<P>& share, Index all, Index hidden, int direction)
        : rows(rows), share(share), hidden(hidden), lookedAt(kept((int)(threadIdx.x % ROWS)) & ROWS - 1),
          perStep(kept(direction * all * hidden)), elements(rows, hidden, perStep), looks(rows, 1, direction * all) {}

    /// The turn of the first pass of a slot.
    __device__ Turn first(Index slot, Index all) const {
        return {0, 0, (slot * all + rows.first + share.row) * hidden + share.column};
    }

    /// The same of a walk through the mask.
    __device__ Turn firstLook(Index step, Index all) const { return {0, 0, step * all + rows.first + lookedAt}; }

    /// Whether a pass of so many rows has this element.
    __device__ bool mine(int count, int e) const { return share.has && share.row + e * HALF < count; }

    __device__ void next(Turn& turn) const { elements.next(turn, rows.passes); }

    /// Whether the row whose mask this thread looks at is live in this turn of a walk through the mask, which goes on then.
    __device__ int live(Turn& looked, const int* mask, Index steps) const {
        bool there = looked.step < steps && lookedAt < rows.of(looked.pass);
        int live = there ? mask ? mask[looked.at] : 1 : 0;
        looks.next(looked, rows.passes);
        return live;
    }

    /// What of [T+1,N,H] lies where the thread's elements are in a turn of so many rows.
    __device__ void fetch(float (&values)[2], const float* of, const Turn& turn, int count) const {
        #pragma unroll
        for (int e = 0; e < 2; e++) values[e] = mine(count, e) ? of[turn.at + e * HALF * hidden] : 0.0f;
    }

    /// Brings what lies there some steps on into the second-level cache.
    __device__ void fetchEarly(const float* of, const Turn& turn, int count) const {
        #pragma unroll
        for (int e = 0; e < 2; e++) if (mine(count, e)) prefetch(of + turn.at + EARLY * perStep + e * HALF * hidden);
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

    /// Fills it with what lies at an address in [N,H] for each element, and `none` where there is nothing.
    __device__ void fill(const Layout<P>& layout, const float* of, float none) const {
        Turn turn = layout.first(0, 0);
        #pragma unroll 1
        for (int pass = 0; pass < layout.rows.passes; pass++) {
            #pragma unroll
            for (int e = 0; e < 2; e++) {
                bool has = of && layout.mine(layout.rows.of(pass), e);
                storeShared(address() + to(pass, e), has ? of[turn.at + e * HALF * layout.hidden] : none);
            }
            layout.next(turn);
        }
    }
};

template <typename P>
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
    __shared__ __align__(32) Partials<P> partials; // for other()
    __shared__ Keep<P> before; // the states, which a masked step keeps
    __shared__ Keep<P> seen; // the factors by which Wh sees them
    TensorWeights<P> weights;
    weights.load(wh, hidden, hidden, 1);

    const Share<P> share(hidden);
    const Rows mine(rows, rowsPerCluster, P::BLOCKS);
    const Layout<P> layout(mine, share, rows, hidden, reverse ? -1 : 1);
    const int last = (int)steps - 1;
    const Mailbox<P> mailbox(mine, last);
    const float* initial = states + (reverse ? steps * rows * hidden : 0);
    Index ofRow = mine.first * hidden;
    #pragma unroll 1
    for (int pass = 0; pass < mine.passes; pass++) {
        #pragma unroll 1
        for (int row = 0; row < mine.of(pass); row++, ofRow += hidden) {
            #pragma unroll 1
            for (int column = threadIdx.x; column < hidden; column += P::THREADS) {
                float h = initial[ofRow + column];
                if (factors) h *= factors[ofRow + column];
                storeShared(mailbox.valuesOf(mailbox.buffer(0, pass)) + 4 * mailbox.place(row, column), P::STRICT ? h : rounded(h));
            }
        }
    }
    before.fill(layout, initial, 0.0f);
    seen.fill(layout, factors, 1.0f);

    Turn here = layout.first(reverse ? steps - 1 : 1, rows);
    float b = bias && share.has ? bias[share.column] : 0.0f;
    int count = mine.of(0); // rows of the turn that comes
    float added[2]; // to its products
    layout.fetch(added, states, here, count);
    Turn looked = layout.firstLook(reverse ? steps - 1 : 0, rows);
    // Of this turn and of the next one: a mask that was fetched for the next turn would be waited for in this one.
    int live[2];
    #pragma unroll
    for (int i = 0; i < 2; i++) live[i] = layout.live(looked, mask, steps);
    const Letter<P> letter(share);
    unsigned vectors = kept(weights.read());
    unsigned low = kept(partials.written(weights.share(), weights.side()));
    unsigned sumsAt = kept(partials.read(share));
    int toUpper = kept(partials.toUpper());
    int toOther = 4 * partials.BUFFER; // from the buffer of partial sums of this turn to that of the next one
    unsigned beforeAt = before.address();
    unsigned seenAt = seen.address();
    bool prepares = kept((int)(threadIdx.x == 0));
    meet();

    #pragma unroll 1
    while (here.step <= last) {
        int step = here.step;
        int pass = here.pass;
        int ofPass = count;
        int buffer = mailbox.buffer(step, pass);
        unsigned alive = __ballot_sync(ALL, live[0] != 0);
        live[0] = live[1];
        live[1] = layout.live(looked, mask, steps);
        float sums[2], was[2], factor[2];
        bool has[2], lives[2];
        #pragma unroll
        for (int e = 0; e < 2; e++) {
            has[e] = layout.mine(ofPass, e);
            lives[e] = share.has && (alive >> share.row + e * HALF & 1);
            sums[e] = computedHere(added[e] + b);
            was[e] = loadShared(beforeAt + before.to(pass, e));
            factor[e] = loadShared(seenAt + seen.to(pass, e));
        }
        Index at = here.at;
        layout.next(here);
        count = mine.of(here.pass);
        if (here.step <= last) layout.fetch(added, states, here, count);
        if (here.step + EARLY <= last) layout.fetchEarly(states, here, count);

        typename Letter<P>::Destination to = letter.destination(mailbox, buffer ^ 1);
        if (step > 0) mailbox.await(buffer, step, last, ofPass, prepares);
        if (alive) weights.times(mailbox.valuesOf(buffer) + vectors, low, toUpper);
        float products[2];
        partials.totals(sumsAt, ofPass, alive != 0, products);
        #pragma unroll
        for (int e = 0; e < 2; e++) sums[e] += products[e];
        activateAll(activation, sums);
        #pragma unroll
        for (int e = 0; e < 2; e++) {
            float h = lives[e] ? sums[e] : was[e];
            float sent = h * factor[e];
            if (step < last) letter.send(to, ofPass, e, P::STRICT ? sent : rounded(sent));
            storeShared(beforeAt + before.to(pass, e), h);
            if (has[e]) states[at + e * HALF * hidden] = h;
        }
        low += toOther;
        sumsAt += toOther;
        toOther = -toOther;
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
        Index steps,
        Index rows,
        Index hidden,
        Index rowsPerCluster,
        int reverse,
        int activation) {
    __shared__ __align__(32) Partials<P> partials; // for other()
    __shared__ Keep<P> carried; // the gradients
    __shared__ Keep<P> seen; // as forward
    TensorWeights<P> weights;
    weights.load(wh, hidden, 1, hidden);

    const Share<P> share(hidden);
    const Rows mine(rows, rowsPerCluster, P::BLOCKS);
    const Layout<P> layout(mine, share, rows, hidden, reverse ? 1 : -1);
    const int last = (int)steps; // the initial slot comes as one more step
    const Mailbox<P> mailbox(mine, last);
    carried.fill(layout, nullptr, 0.0f);
    seen.fill(layout, factors, 1.0f);

    Turn here = layout.first(reverse ? 0 : steps, rows);
    int count = mine.of(0); // as forward
    float dh[2], h[2];
    layout.fetch(dh, gradients, here, count);
    layout.fetch(h, states, here, count);
    Turn looked = layout.firstLook(reverse ? 0 : steps - 1, rows);
    int live[2]; // as forward
    #pragma unroll
    for (int i = 0; i < 2; i++) live[i] = layout.live(looked, mask, steps);
    unsigned long long history = 0; // a byte for each of the turns of a step before this one: the rows that were live
    int newest = kept(8 * (mine.passes - 1)); // bits below its last one
    const Letter<P> letter(share);
    unsigned vectors = kept(weights.read());
    unsigned low = kept(partials.written(weights.share(), weights.side()));
    unsigned sumsAt = kept(partials.read(share));
    int toUpper = kept(partials.toUpper());
    int toOther = 4 * partials.BUFFER; // as forward
    unsigned carriedAt = carried.address();
    unsigned seenAt = seen.address();
    bool prepares = kept((int)(threadIdx.x == 0));
    meet();

    #pragma unroll 1
    while (here.step <= last) {
        int step = here.step;
        int pass = here.pass;
        int ofPass = count;
        int buffer = mailbox.buffer(step, pass);
        unsigned alive = __ballot_sync(ALL, live[0] != 0) & 255;
        unsigned later = (unsigned)history & 255; // rows that were live in the step that ran after it
        history = history >> 8 | (unsigned long long)alive << newest;
        live[0] = live[1];
        live[1] = layout.live(looked, mask, steps);
        float gradient[2], slope[2], was[2], factor[2];
        bool has[2], added[2], lives[2];
        byActivation(activation, [&](int one) {
            #pragma unroll
            for (int e = 0; e < 2; e++) slope[e] = derivative(one, h[e]);
        });
        #pragma unroll
        for (int e = 0; e < 2; e++) {
            int row = share.row + e * HALF;
            has[e] = layout.mine(ofPass, e);
            added[e] = share.has && (later >> row & 1);
            lives[e] = share.has && (alive >> row & 1);
            slope[e] = computedHere(slope[e]);
            gradient[e] = computedHere(dh[e]);
            was[e] = loadShared(carriedAt + carried.to(pass, e));
            factor[e] = loadShared(seenAt + seen.to(pass, e));
        }
        Index at = here.at;
        layout.next(here);
        count = mine.of(here.pass);
        if (here.step <= last) {
            layout.fetch(dh, gradients, here, count);
            layout.fetch(h, states, here, count); // the initial state, too, whose slope is not asked for
        }
        if (here.step + EARLY <= last) {
            layout.fetchEarly(gradients, here, count);
            layout.fetchEarly(states, here, count);
        }

        typename Letter<P>::Destination to = letter.destination(mailbox, buffer ^ 1);
        if (step > 0) mailbox.await(buffer, step, last, ofPass, prepares);
        if (later) weights.times(mailbox.valuesOf(buffer) + vectors, low, toUpper);
        float products[2];
        partials.totals(sumsAt, ofPass, later != 0, products);
        #pragma unroll
        for (int e = 0; e < 2; e++) {
            gradient[e] += added[e] ? factor[e] * products[e] : was[e];
            float da = lives[e] ? gradient[e] * slope[e] : 0.0f;
            if (step < last) letter.send(to, ofPass, e, P::STRICT ? da : rounded(da));
            storeShared(carriedAt + carried.to(pass, e), gradient[e]);
            if (has[e]) gradients[at + e * HALF * hidden] = step == last ? gradient[e] : da;
        }
        low += toOther;
        sumsAt += toOther;
        toOther = -toOther;
    }
}

/// states [T+1,N,H]: in, the initial slot and the projections; out, the states. `bias` [H], `mask` [T,N] and
/// `factors` [N,H] may be null; with factors, those of recurrent dropout, Wh sees factor times state.
/// Cluster c owns the rows from c * rowsPerCluster on, MOST_PASSES * ROWS at most, and its blocks are handed the mailboxes of their
/// passes; a second layer of the grid as in sequence.cu.
#define FORWARD(name, size, strict)                                                                             \
    extern "C" __global__ void __cluster_dims__(Plan<size, strict>::BLOCKS, 1, 1)                               \
            __launch_bounds__(Plan<size, strict>::THREADS, 1) name(                                             \
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
        forward<Plan<size, strict>>(                                                                            \
                ofDirection(wh, otherWh), ofDirection(bias, otherBias), ofDirection(states, otherStates),       \
                mask, ofDirection(factors, otherFactors), steps, rows, hidden, rowsPerCluster,                  \
                reverse ^ (int)blockIdx.z, activation);                                                         \
    }

/// gradients [T+1,N,H]: in, those of the states as the layers above see them; out, da, and in the initial slot the gradient
/// of the initial state.
#define BACKWARD(name, size, strict)                                                                            \
    extern "C" __global__ void __cluster_dims__(Plan<size, strict>::BLOCKS, 1, 1)                               \
            __launch_bounds__(Plan<size, strict>::THREADS, 1) name(                                             \
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
        backward<Plan<size, strict>>(                                                                           \
                ofDirection(wh, otherWh), ofDirection(states, otherStates),                                     \
                ofDirection(gradients, otherGradients), mask, ofDirection(factors, otherFactors), steps,        \
                rows, hidden, rowsPerCluster, reverse ^ (int)blockIdx.z, activation);                           \
    }

#define OF_SIZE(size)                                       \
    FORWARD(tensor_cluster_forward_##size##_8, size, true)   \
    FORWARD(tensor_cluster_tf32_forward_##size##_8, size, false) \
    BACKWARD(tensor_cluster_backward_##size##_8, size, true) \
    BACKWARD(tensor_cluster_tf32_backward_##size##_8, size, false)

OF_SIZE(384)
OF_SIZE(512)
