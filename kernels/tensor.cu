// compute_80
// Elman's recurrence over a whole sequence in one cooperative launch, with the products on tensor cores: for batches of more
// rows than the other kernels that walk a sequence take in their stride. As in grid.cu a group of blocks shares rows, each
// block keeps a slice of the columns of Wh in registers, and states reach the others through a ring of slots in memory, which
// says by itself what is there. Eight rows are taken in a pass, a tile of a tensor core. Each warp multiplies by the weights
// of its share of the nodes, so it needs only their states, which it reads from the ring straight into the registers
// from which a tensor core takes them; what the warps of a block sum up meets in shared memory.
//
// TF32 keeps 10 bits of a mantissa. In strict float32 each operand is split into what TF32 keeps and the rest, and three
// products are summed: up to rest times rest and what TF32 loses of a rest, 2^-20 of a product at most, that is float32. Tensor
// cores cut sums off instead of rounding them, 2^-25 of the sum for each product of 8 terms; a warp sums 48 of them at most, then
// warps add up in float32. An infinite state gives what it should; an infinite weight gives NaN, and so may a product beyond 2^127.
//
// Otherwise as sequence.cu: projections in place, masks, and bits that depend neither on N nor on T nor on a row's neighbours.
//
// Under a mask a pass takes part only from its first live step to its last one. Before and after, its states do not change:
// their threads write them without waiting for anybody. So that passes finish early, rows of like lengths share them, see Order.
//
// Floor of a pass, in cycles of a multiprocessor: the products SIZE * SLICE / 64, three times that in float32 (512 and 1536 for
// 512 nodes); from the second-level cache 32 SIZE bytes a block (700 when all blocks read), which fly while another pass is
// computed; and in a chain, where a group has one pass, the way through that cache (750), barriers and partial sums (200), tanh
// (100; the derivative 40). Bytes of memory as in grid.cu. One launch. An H200 took for a pass 1.4, 1.4, 2.1, 2.1, 1.9 and 2.3 us
// forward in float32 for 256, 384, 512, 768, 1024 and 2048 nodes and 1.1, 0.9, 1.3, 1.1, 1.0 and 1.2 in TF32, back up to a
// third more. Of a variant with two warps a scheduler issued in 45 % of the cycles, and latencies took the rest. That was before
// passes took part by spans; no GPU has run it since. Four passes of 1024 nodes and rows of 1 to T steps should take 4.3 us in
// float32 where they took 7.6, and 2.4 in TF32 where they took 4.2.
#include "mma.cuh"
#include "recurrence.cuh"

const int ROWS = 8; // of a pass, the columns of a tensor core's tile
const int AT_ONCE = 2; // loads on their way where gradients only add up
const int SOON = 16; // steps from asking the second-level cache for them
const int EARLY = 3; // steps from asking memory for what a step adds to asking the second-level cache for it, a pass ahead

template <int SIZE>
struct Plan {
    static const int SLICE = SIZE == 384 || SIZE == 768 ? 48 : SIZE <= 512 ? 64 : SIZE <= 1024 ? 32 : 16; // columns of a block
    static const int BLOCKS = SIZE / SLICE; // of a group
    static const int WARPS = SLICE == 48 ? 12 : 16;
    static const int THREADS = 32 * WARPS; // each has one element of a pass, or none
    static const int TILES = SLICE / 16; // of columns
    static const int VECTORS = SIZE / WARPS / 16; // of four numbers that a thread reads in a pass
    static const int MOST_PASSES = SLICE == 64 ? 6 : 16;
    static const int PASS = ROWS * SIZE;
};

/// Which element of a pass is a thread's. A warp has sixteen columns of two rows.
template <int SIZE>
struct Share {
    typedef Plan<SIZE> P;

    int row; // in a pass
    int inSlice;
    int column;
    bool sends; // whether the thread has an element
    int columnOrNone; // far below 0, by more than N * H, where the column is padding or the thread has no element

    __device__ Share(int hidden) {
        int warp = threadIdx.x / 32;
        row = kept((int)(warp / P::TILES * 2 + threadIdx.x / 16 % 2));
        inSlice = kept((int)(warp % P::TILES * 16 + threadIdx.x % 16));
        column = (int)blockIdx.x * P::SLICE + inSlice;
        sends = row < ROWS;
        columnOrNone = sends && column < hidden ? column : -(1 << 30);
    }
};

/// A pass in a step.
struct Turn {
    int step;
    int pass;
    unsigned rest; // as bits, the passes that come after it in its step
};

/// Which rows a group has, and in which steps each of its passes takes part: from the first one in which a row of it is live to the
/// last one. With `ranks`, rows are dealt out by their number of live steps, eight at a time to a pass of one group after the
/// other and in the next pass back again: so those of a pass end together, if they begin together, and all groups have as much
/// to do. Lies in shared memory.
template <int SIZE>
struct Order {
    static const int LANES = 32; // each looks after a pass, or none

    int numbers[Plan<SIZE>::MOST_PASSES * ROWS]; // of the rows, pass by pass; -1 where there is none
    int2 spans[LANES]; // of each pass, as steps run: the first one, beyond all where it has none, and the one after the last

    /// `ranks` [3,N]: the rows, the most live steps first, where each begins to be live and where it ends; or null. On the way
    /// back step s sees the slot that step steps - 1 - s filled and, behind them all, the initial one; a pass takes part from its
    /// last live step on, and one step beyond its first one, to which the product of that one goes.
    __device__ void fill(const int* ranks, int steps, Index rows, Index rowsPerGroup, bool reverse, bool back) {
        Index first = (Index)blockIdx.y * rowsPerGroup;
        int pass = threadIdx.x;
        if (pass < LANES) {
            int from = steps;
            int to = 0;
            int places = pass < passesOf(rowsPerGroup) ? ROWS : 0;
            #pragma unroll 1
            for (int i = 0; i < places; i++) {
                Index place = ranks ? rankOf(pass) + i : first + pass * ROWS + i;
                bool there = place < (ranks ? rows : min(rows, first + rowsPerGroup));
                numbers[pass * ROWS + i] = !there ? -1 : ranks ? ranks[place] : (int)place;
                if (!there) continue;
                int begins = ranks ? ranks[rows + place] : 0;
                int ends = ranks ? ranks[2 * rows + place] : steps;
                from = min(from, reverse ? steps - ends : begins);
                to = max(to, reverse ? steps - begins : ends);
            }
            bool lives = from < to;
            if (!back) spans[pass] = make_int2(from, to);
            else spans[pass] = lives ? make_int2(steps - to, steps - from + 1) : make_int2(steps + 1, 0);
        }
        __syncthreads();
    }

    static __device__ int passesOf(Index rowsPerGroup) { return (int)(rowsPerGroup + ROWS - 1) / ROWS; }

    /// Of the first row of a pass.
    static __device__ Index rankOf(int pass) {
        unsigned group = pass % 2 == 0 ? blockIdx.y : gridDim.y - 1 - blockIdx.y;
        return ((Index)pass * gridDim.y + group) * ROWS;
    }

    __device__ int begin(int pass) const { return spans[pass].x; }
    __device__ int end(int pass) const { return spans[pass].y; }

    __device__ Turn first(int steps) const { return next({-1, 0, 0}, steps); }

    /// The turn after this one; its step is `steps` if there is none.
    __device__ Turn next(Turn turn, int steps) const {
        while (turn.rest == 0 && ++turn.step < steps) {
            int2 span = spans[threadIdx.x % LANES];
            turn.rest = __ballot_sync(ALL, turn.step >= span.x && turn.step < span.y);
        }
        turn.pass = __ffs(turn.rest) - 1;
        turn.rest &= turn.rest - 1;
        return turn;
    }
};

/// What the warps sum up in a pass: of each warp [SLICE,ROWS], where neither those who write, two rows at a time, nor those
/// who read, sixteen columns of two rows, meet in a bank.
template <int SIZE>
struct Partials {
    typedef Plan<SIZE> P;

    float sums[P::WARPS][P::SLICE * ROWS];

    static __device__ int at(int row, int column) { return column * ROWS + (row ^ column / 4 % 4 * 2); }

    /// Where a thread of a tensor core's tile writes two rows, of columns 0 to 7 of the first tile.
    __device__ float* written() {
        int lane = threadIdx.x % 32;
        return &sums[threadIdx.x / 32][at(lane % 4 * 2, lane / 4)];
    }

    __device__ float total(int place) const {
        float parts[P::WARPS];
        #pragma unroll
        for (int i = 0; i < P::WARPS; i++) parts[i] = sums[i][place];
        #pragma unroll
        for (int i = 8; i < P::WARPS; i++) parts[i - 8] += parts[i];
        #pragma unroll
        for (int i = 0; i < 4; i++) parts[i] += parts[i + 4];
        return (parts[0] + parts[2]) + (parts[1] + parts[3]);
    }

    /// When all warps have written, the sum of this thread's element; from then on they may write again.
    __device__ float total(const Share<SIZE>& share, int place, bool written) const {
        __syncthreads();
        float sum = share.sends && written ? total(place) : 0.0f;
        __syncthreads();
        return sum;
    }
};

/// The states of a group's rows on their way: [slots,passes,SIZE/16,ROWS,16]. Step s reads slot s % slots and fills the next
/// one. A place that step s filled is emptied in step s + 2, when what all blocks made of it is here; fences as in grid.cu.
template <int SIZE>
struct Ring {
    typedef Plan<SIZE> P;

    const float* read; // this thread's first vector in the first pass of the first slot
    int own; // from there to this thread's element
    int last; // slot
    int perSlot;
    float4 vectors[P::VECTORS]; // of a pass

    __device__ Ring(float* places, int slots, int passes, const Share<SIZE>& share) {
        perSlot = passes * P::PASS;
        last = slots - 1;
        float* ofGroup = places + ((Index)blockIdx.z * gridDim.y + blockIdx.y) * slots * perSlot;
        int first = threadIdx.x / 32 * P::VECTORS * 128 + threadIdx.x % 32 * 4;
        read = (const float*)kept((Index)(ofGroup + first));
        own = -first + share.column / 16 * 128 + share.row * 16 + share.column % 16;
    }

    /// Where the slot begins that a step reads.
    __device__ int slot(int step) const { return (step & last) * perSlot; }

    /// Asks for the vectors of the pass at `place`; they may be there or not.
    __device__ void ask(int place) {
        #pragma unroll
        for (int i = 0; i < P::VECTORS; i++) {
            asm volatile("ld.relaxed.gpu.global.v4.f32 {%0, %1, %2, %3}, [%4];"
                         : "=f"(vectors[i].x), "=f"(vectors[i].y), "=f"(vectors[i].z), "=f"(vectors[i].w)
                         : "l"(read + place + 128 * i)
                         : "memory");
        }
    }

    static __device__ bool empty(float value) { return __float_as_uint(value) == EMPTY; }

    __device__ bool incomplete() const {
        bool lacks = false;
        #pragma unroll
        for (int i = 0; i < P::VECTORS; i++) {
            lacks |= empty(vectors[i].x) || empty(vectors[i].y) || empty(vectors[i].z) || empty(vectors[i].w);
        }
        return __any_sync(ALL, lacks);
    }

    /// Waits until the vectors are there that were asked for.
    __device__ void await(int place) {
        while (incomplete()) ask(place);
    }

    /// Puts this thread's element into the pass at `place`.
    __device__ void put(int place, float value) const { store(place, empty(value) ? NOT_A_NUMBER : __float_as_uint(value)); }

    __device__ void clear(int place) const { store(place, EMPTY); }

    __device__ void store(int place, unsigned bits) const {
        asm volatile("st.relaxed.gpu.global.u32 [%0], %1;" ::"l"(read + (place + own)), "r"(bits) : "memory");
    }
};

/// A warp's part of the block's weights, as a tensor core takes them.
template <int SIZE, bool STRICT>
struct TensorWeights {
    typedef Plan<SIZE> P;

    float w[P::VECTORS][2][P::TILES][4];

    /// The weight from k to a column is at wh[k * strideK + column * strideC].
    __device__ void load(const float* wh, Index hidden, Index strideK, Index strideC) {
        int lane = threadIdx.x % 32;
        #pragma unroll
        for (int v = 0; v < P::VECTORS; v++) {
            #pragma unroll
            for (int i = 0; i < 4; i++) {
                Index k = (threadIdx.x / 32 * P::VECTORS + v) * 16 + lane % 4 * 4 + i;
                #pragma unroll
                for (int t = 0; t < P::TILES; t++) {
                    #pragma unroll
                    for (int s = 0; s < 2; s++) {
                        Index c = (Index)blockIdx.x * P::SLICE + t * 16 + lane / 4 + 8 * s;
                        float weight = k < hidden && c < hidden ? wh[k * strideK + c * strideC] : 0.0f;
                        w[v][i / 2][t][i % 2 * 2 + s] = STRICT ? weight : rounded(weight);
                    }
                }
            }
        }
    }

    /// This warp's sums over its nodes, to where it writes in the partial sums.
    __device__ void times(const float4 (&vectors)[P::VECTORS], float* low) const {
        float sums[P::TILES][4] = {};
        int other = 8 * ROWS + (threadIdx.x % 4 < 2 ? 4 : -4); // from columns 0 to 7 to columns 8 to 15
        #pragma unroll
        for (int v = 0; v < P::VECTORS; v++) {
            #pragma unroll
            for (int half = 0; half < 2; half++) {
                float b0 = half == 0 ? vectors[v].x : vectors[v].z;
                float b1 = half == 0 ? vectors[v].y : vectors[v].w;
                if (STRICT) {
                    float b0High, b0Low, b1High, b1Low;
                    split(b0, b0High, b0Low);
                    split(b1, b1High, b1Low);
                    #pragma unroll
                    for (int t = 0; t < P::TILES; t++) {
                        float aHigh[4], aLow[4];
                        #pragma unroll
                        for (int i = 0; i < 4; i++) {
                            aHigh[i] = cut(w[v][half][t][i]);
                            aLow[i] = w[v][half][t][i] - aHigh[i];
                        }
                        multiplyTile(sums[t], aLow, b0High, b1High);
                        multiplyTile(sums[t], aHigh, b0Low, b1Low);
                        multiplyTile(sums[t], aHigh, b0High, b1High);
                    }
                } else {
                    #pragma unroll
                    for (int t = 0; t < P::TILES; t++) multiplyTile(sums[t], w[v][half][t], b0, b1);
                }
            }
        }
        #pragma unroll
        for (int t = 0; t < P::TILES; t++) {
            *(float2*)(low + 16 * ROWS * t) = make_float2(sums[t][0], sums[t][1]);
            *(float2*)(low + 16 * ROWS * t + other) = make_float2(sums[t][2], sums[t][3]);
        }
    }
};

/// Where what a thread reads and writes in step after step lies.
template <int SIZE>
struct Layout {
    const Order<SIZE>& order;
    const Share<SIZE>& share;
    const int* mask;
    Index rows;
    int hidden;
    Index first; // offset in [T+1,N,H] of the slot of step 0
    Index firstStep; // of the mask [T,N]
    int perSlot; // from a step's slot to that of the next one, below 0 where slots and steps go down

    __device__ Layout(
            const Order<SIZE>& order,
            const Share<SIZE>& share,
            const int* mask,
            Index rows,
            Index hidden,
            Index firstSlot,
            Index firstStep,
            int direction)
        : order(order), share(share), mask(mask), rows(rows), hidden((int)hidden), first(kept(firstSlot * rows * hidden)),
          firstStep(kept(firstStep)), perSlot(kept(direction * (int)rows * (int)hidden)) {}

    /// The thread's row in a pass, -1 for none.
    __device__ int row(int pass) const { return order.numbers[pass * ROWS + (share.row & ROWS - 1)]; }

    /// The offset in [N,H] of the thread's element of its row, below 0 if it has none.
    __device__ Index offset(int row) const { return (Index)row * hidden + share.columnOrNone; }

    /// The offset in [T+1,N,H] of the slot of a step.
    __device__ Index slot(int step) const { return first + (Index)step * perSlot; }

    /// Whether the row of a pass whose mask this thread reads is live.
    __device__ int live(int step, int pass) const {
        if (!mask) return 1;
        int row = order.numbers[pass * ROWS + threadIdx.x % ROWS];
        return row < 0 ? 0 : mask[(firstStep + (perSlot < 0 ? -step : step)) * rows + row];
    }
};

template <int SIZE, bool STRICT>
__device__ void forward(
        const float* wh,
        const float* bias,
        float* states,
        const int* mask,
        const float* factors,
        float* places,
        const int* ranks,
        Index steps,
        Index rows,
        Index hidden,
        Index rowsPerGroup,
        int slots,
        int reverse,
        int activation) {
    typedef Plan<SIZE> P;
    __shared__ __align__(16) Partials<SIZE> partials;
    __shared__ Order<SIZE> order;
    const Share<SIZE> share((int)hidden);
    order.fill(ranks, (int)steps, rows, rowsPerGroup, reverse, false);
    const int passes = order.passesOf(rowsPerGroup);
    const int last = (int)steps - 1;
    const Layout<SIZE> layout(
            order, share, mask, rows, hidden, reverse ? steps - 1 : 1, reverse ? steps - 1 : 0, reverse ? -1 : 1);
    float* low = partials.written();
    int total = Partials<SIZE>::at(share.row, share.inSlice);
    float b = bias && share.columnOrNone >= 0 ? bias[share.column] : 0.0f;

    // Before its first step a pass keeps what it begins with.
    Ring<SIZE> ring(places, slots, passes, share);
    #pragma unroll 1
    for (int pass = 0; pass < passes; pass++) {
        int begin = order.begin(pass);
        Index offset = layout.offset(layout.row(pass));
        float seen = 0.0f;
        if (offset >= 0) {
            float* at = states + layout.slot(0) + offset;
            float h = at[-layout.perSlot];
            #pragma unroll 1
            for (int step = 0; step < begin; step++, at += layout.perSlot) *at = h;
            seen = factors ? h * factors[offset] : h;
        }
        if (share.sends && begin <= last) ring.put(ring.slot(begin) + pass * P::PASS, STRICT ? seen : rounded(seen));
    }

    TensorWeights<SIZE, STRICT> weights;
    weights.load(wh, hidden, hidden, 1);
    float added = 0.0f; // to the product
    int live = 0; // the row whose mask this thread reads
    auto fetch = [&](Turn turn) {
        if (turn.step > last) return;
        Index offset = layout.offset(layout.row(turn.pass));
        live = layout.live(turn.step, turn.pass);
        if (offset < 0) return;
        float* at = states + layout.slot(turn.step) + offset;
        added = *at;
        if (turn.step + EARLY <= last) prefetch(at + EARLY * layout.perSlot);
    };

    Turn turn = order.first(last + 1);
    fetch(turn);
    bool asked = false;
    #pragma unroll 1
    while (turn.step <= last) {
        int step = turn.step;
        int offsetInSlot = turn.pass * P::PASS;
        if (!asked) ring.ask(ring.slot(step) + offsetInSlot);
        float sum = added + b;
        unsigned alive = __ballot_sync(ALL, live != 0);
        Turn next = order.next(turn, last + 1);
        fetch(next);

        ring.await(ring.slot(step) + offsetInSlot);
        if (alive) weights.times(ring.vectors, low);
        asked = next.step <= last && next.pass != turn.pass; // its own next step is not there yet
        if (asked) ring.ask(ring.slot(next.step) + next.pass * P::PASS);
        Index offset = layout.offset(layout.row(turn.pass));
        float factor = factors && offset >= 0 ? factors[offset] : 1.0f;
        float product = partials.total(share, total, alive != 0);
        if (share.sends) {
            float h = 0.0f;
            if (offset >= 0) {
                if (alive >> share.row & 1) h = activate(activation, sum + product);
                else h = states[layout.slot(step - 1) + offset];
            }
            float seen = h * factor;
            if (step < last) ring.put(ring.slot(step + 1) + offsetInSlot, STRICT ? seen : rounded(seen));
            if (step > 0) ring.clear(ring.slot(step - 1) + offsetInSlot);
            if (offset >= 0) states[layout.slot(step) + offset] = h;
        }
        if (next.step != step && (next.step & slots / 4 - 1) == 0) __threadfence();
        turn = next;
    }

    // After its last step it keeps that one's.
    #pragma unroll 1
    for (int pass = 0; pass < passes; pass++) {
        int end = order.end(pass);
        Index offset = layout.offset(layout.row(pass));
        if (offset < 0 || end <= order.begin(pass)) continue;
        float* at = states + layout.slot(end) + offset;
        float h = at[-layout.perSlot];
        #pragma unroll 1
        for (int left = last + 1 - end; left > 0; left--, at += layout.perSlot) *at = h;
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
        float* places,
        const int* ranks,
        Index steps,
        Index rows,
        Index hidden,
        Index rowsPerGroup,
        int slots,
        int reverse,
        int activation) {
    typedef Plan<SIZE> P;
    __shared__ __align__(16) Partials<SIZE> partials;
    __shared__ float carried[P::MOST_PASSES][ROWS * P::SLICE];
    __shared__ unsigned liveRows[2][P::MOST_PASSES]; // of each pass in this step and in the one that ran after it
    __shared__ Order<SIZE> order;

    const Share<SIZE> share((int)hidden);
    order.fill(ranks, (int)steps, rows, rowsPerGroup, reverse, true);
    const int passes = order.passesOf(rowsPerGroup);
    const int last = (int)steps; // the initial slot comes as one more step
    const Layout<SIZE> layout(
            order, share, mask, rows, hidden, reverse ? 0 : steps, reverse ? 0 : steps - 1, reverse ? 1 : -1);
    float* low = partials.written();
    int total = Partials<SIZE>::at(share.row, share.inSlice);

    // Where a pass takes no part gradients add up.
    auto gather = [&](int pass, int from, int to) {
        Index offset = layout.offset(layout.row(pass));
        if (offset < 0) return;
        float sum = carried[pass][threadIdx.x];
        float* at = gradients + layout.slot(from) + offset;
        #pragma unroll 1
        for (int left = to - from; left > 0; left -= AT_ONCE) {
            float dh[AT_ONCE];
            #pragma unroll
            for (int i = 0; i < AT_ONCE; i++) {
                if (i < left) dh[i] = at[i * layout.perSlot];
                if (i + SOON < left) prefetch(at + (i + SOON) * layout.perSlot);
            }
            #pragma unroll
            for (int i = 0; i < AT_ONCE; i++) {
                if (i >= left) break;
                sum += dh[i];
                at[i * layout.perSlot] = i == left - 1 && to > last ? sum : 0.0f; // the initial slot gains
            }
            at += AT_ONCE * layout.perSlot;
        }
        carried[pass][threadIdx.x] = sum;
    };
    Ring<SIZE> ring(places, slots, passes, share);
    #pragma unroll 1
    for (int pass = 0; pass < passes; pass++) {
        int begin = order.begin(pass);
        if (threadIdx.x < 2) liveRows[threadIdx.x][pass] = 0;
        if (share.sends) carried[pass][threadIdx.x] = 0.0f;
        gather(pass, 0, begin);
        if (share.sends && begin <= last) ring.put(ring.slot(begin) + pass * P::PASS, 0.0f);
    }
    __syncthreads();

    TensorWeights<SIZE, STRICT> weights;
    weights.load(wh, hidden, 1, hidden);
    float dh = 0.0f;
    float h = 0.0f;
    int live = 0; // the row whose mask this thread reads
    auto fetch = [&](Turn turn) {
        if (turn.step > last) return;
        Index offset = layout.offset(layout.row(turn.pass));
        live = turn.step < last ? layout.live(turn.step, turn.pass) : 0;
        if (offset < 0) return;
        Index at = layout.slot(turn.step) + offset;
        dh = gradients[at];
        if (turn.step < last) h = states[at];
        if (turn.step + EARLY < last) {
            Index early = at + EARLY * layout.perSlot;
            prefetch(gradients + early);
            prefetch(states + early);
        }
    };

    Turn turn = order.first(last + 1);
    fetch(turn);
    bool asked = false;
    #pragma unroll 1
    while (turn.step <= last) {
        int step = turn.step;
        int pass = turn.pass;
        int offsetInSlot = pass * P::PASS;
        if (!asked) ring.ask(ring.slot(step) + offsetInSlot);
        float slope = derivative(activation, h);
        unsigned alive = __ballot_sync(ALL, live != 0);
        if (threadIdx.x == 0) liveRows[step & 1][pass] = alive;
        unsigned later = liveRows[step + 1 & 1][pass]; // rows that were live in the step that ran after it
        if (share.sends) carried[pass][threadIdx.x] = later >> share.row & 1 ? dh : carried[pass][threadIdx.x] + dh;
        bool anyLater = later != 0;
        Turn next = order.next(turn, last + 1);
        fetch(next);

        ring.await(ring.slot(step) + offsetInSlot);
        if (anyLater) weights.times(ring.vectors, low);
        asked = next.step <= last && next.pass != pass; // its own next step is not there yet
        if (asked) ring.ask(ring.slot(next.step) + next.pass * P::PASS);
        int row = layout.row(pass);
        float gradient = share.sends ? carried[pass][threadIdx.x] : 0.0f;
        bool gains = later >> share.row & 1;
        bool lives = alive >> share.row & 1;
        float product = partials.total(share, total, anyLater);
        if (share.sends) {
            float da = 0.0f;
            Index offset = layout.offset(row);
            if (offset >= 0) {
                if (gains) {
                    gradient += factors ? factors[offset] * product : product;
                    carried[pass][threadIdx.x] = gradient;
                }
                if (lives) da = gradient * slope;
            }
            if (step < last) ring.put(ring.slot(step + 1) + offsetInSlot, STRICT ? da : rounded(da));
            if (step > 0) ring.clear(ring.slot(step - 1) + offsetInSlot);
            if (offset >= 0) gradients[layout.slot(step) + offset] = step == last ? gradient : da;
        }
        if (next.step != step && (next.step & slots / 4 - 1) == 0) __threadfence();
        turn = next;
    }

    #pragma unroll 1
    for (int pass = 0; pass < passes; pass++) {
        if (order.begin(pass) < order.end(pass)) gather(pass, order.end(pass), last + 1);
    }
}

/// states [T+1,N,H]: in, the initial slot and the projections; out, the states. `bias` [H], `mask` [T,N] and
/// `factors` [N,H] may be null; with factors, those of recurrent dropout, Wh sees factor times state.
/// Blocks are [BLOCKS,groups], a second layer of the grid as in sequence.cu. Without `ranks`, see Order, group g owns the rows
/// from g * rowsPerGroup on; with them a group has as many passes. `places` are EMPTY, and `slots` is a power of two, 8 or more.
#define FORWARD(name, size, strict)                                                                             \
    extern "C" __global__ void __launch_bounds__(Plan<size>::THREADS, 1) name(                                  \
            const float* wh,                                                                                    \
            const float* bias,                                                                                  \
            float* states,                                                                                      \
            const int* mask,                                                                                    \
            const float* factors,                                                                               \
            float* places,                                                                                      \
            const int* ranks,                                                                                   \
            Index steps,                                                                                        \
            Index rows,                                                                                         \
            Index hidden,                                                                                       \
            Index rowsPerGroup,                                                                                 \
            int slots,                                                                                          \
            int reverse,                                                                                        \
            int activation,                                                                                     \
            const float* otherWh,                                                                               \
            const float* otherBias,                                                                             \
            float* otherStates,                                                                                 \
            const float* otherFactors) {                                                                        \
        forward<size, strict>(                                                                                  \
                ofDirection(wh, otherWh), ofDirection(bias, otherBias), ofDirection(states, otherStates),       \
                mask, ofDirection(factors, otherFactors), places, ranks, steps, rows, hidden, rowsPerGroup,     \
                slots, reverse ^ (int)blockIdx.z, activation);                                                  \
    }

/// gradients [T+1,N,H]: in, those of the states as the layers above see them; out, da, and in the initial slot the gradient
/// of the initial state.
#define BACKWARD(name, size, strict)                                                                            \
    extern "C" __global__ void __launch_bounds__(Plan<size>::THREADS, 1) name(                                  \
            const float* wh,                                                                                    \
            const float* states,                                                                                \
            float* gradients,                                                                                   \
            const int* mask,                                                                                    \
            const float* factors,                                                                               \
            float* places,                                                                                      \
            const int* ranks,                                                                                   \
            Index steps,                                                                                        \
            Index rows,                                                                                         \
            Index hidden,                                                                                       \
            Index rowsPerGroup,                                                                                 \
            int slots,                                                                                          \
            int reverse,                                                                                        \
            int activation,                                                                                     \
            const float* otherWh,                                                                               \
            const float* otherStates,                                                                           \
            float* otherGradients,                                                                              \
            const float* otherFactors) {                                                                        \
        backward<size, strict>(                                                                                 \
                ofDirection(wh, otherWh), ofDirection(states, otherStates),                                     \
                ofDirection(gradients, otherGradients), mask, ofDirection(factors, otherFactors), places,       \
                ranks, steps, rows, hidden, rowsPerGroup, slots, reverse ^ (int)blockIdx.z, activation);        \
    }

#define ALL_OF(size)                                       \
    FORWARD(tensor_forward_##size##_8, size, true)         \
    FORWARD(tensor_tf32_forward_##size##_8, size, false)   \
    BACKWARD(tensor_backward_##size##_8, size, true)       \
    BACKWARD(tensor_tf32_backward_##size##_8, size, false)

ALL_OF(256)
ALL_OF(384)
ALL_OF(512)
ALL_OF(768)
ALL_OF(1024)
ALL_OF(2048)
