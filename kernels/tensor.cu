// compute_80
// Elman's recurrence over a whole sequence in one cooperative launch, with the products on tensor cores: for batches of more
// rows than the other kernels that walk a sequence take in their stride. As in grid.cu a group of blocks shares rows, each
// block keeps a slice of the columns of Wh in registers, and states reach the others through a ring of slots in memory, which
// says by itself what is there. Eight rows are taken in a pass, a tile of a tensor core, or two such sets. Each warp multiplies
// by the weights of its share of the nodes, so it needs only their states, which it reads from the ring straight into the
// registers from which a tensor core takes them; what the warps of a block sum up meets in shared memory.
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
// Floor of a pass of eight rows, in cycles of a multiprocessor: the products SIZE * SLICE / 64, three times that in float32
// (512 and 1536 for 512 nodes); from the second-level cache 32 SIZE bytes a block (700 when all blocks read), which fly while another pass is
// computed; and in a chain, where a group has one pass, the way through that cache (750), a barrier or two and partial sums (200), tanh
// (100; the derivative 40). Bytes of memory as in grid.cu. One launch. An H200 took for 128 rows 1.4, 1.6, 2.3, 4.1, 7.5 and 28.7 us a step
// forward in float32 for 256, 384, 512, 768, 1024 and 2048 nodes, in 1, 1, 1, 2, 4 and, of sixteen rows, 8 passes, and in TF32 1.2, 1.2,
// 1.5, 2.2, 3.9 and 15.0, that of 1024 nodes in 2 of sixteen rows; back up to a quarter more. A mask adds 0.2 to 0.4 us where a group has one
// pass. Most of it are fixed latencies of 350 instructions, a third of them of what the next pass needs, between products and barrier.
//
// Sixteen rows in a pass wait once for what two passes of eight wait for twice: 0.79 to 0.95 of their time.
#include "mma.cuh"
#include "recurrence.cuh"
#include "order.cuh"

const int TILE = 8; // rows, the columns of a tensor core's tile
const int MOST_ROWS = 1 << 14; // more than there is room for
const int MOST_NODES = 1 << 11; // so that what both bound says itself that it fits into 32 bits
const int AT_ONCE = 2; // loads on their way where gradients only add up
const int SOON = 16; // steps from asking the second-level cache for them
const int EARLY = 3; // steps from asking memory for what a step adds to asking the second-level cache for it, a pass ahead

/// Of passes of one or two tiles of rows. Blocks are [BLOCKS,groups].
template <int NODES, int TOGETHER, bool SPLIT, bool BACKWARD_PASS>
struct Plan {
    static const int SIZE = NODES;
    static const int ROWS = TOGETHER; // of a pass
    static const bool STRICT = SPLIT;
    static const bool BACK = BACKWARD_PASS;
    static const int SLICE = SIZE == 384 || SIZE == 768 ? 48 : SIZE <= 512 ? 64 : SIZE <= 1024 ? 32 : 16; // columns of a block
    static const int BLOCKS = SIZE / SLICE; // of a group
    static const int WARPS = SLICE == 48 ? 12 : 16;
    static const int THREADS = 32 * WARPS;
    static const int ELEMENTS = ROWS * SLICE > THREADS ? 2 : 1; // of a pass that a thread has, TILE rows apart, if it has any
    static const int TILES = SLICE / 16; // of columns
    static const int SETS = ROWS / TILE; // of rows
    static const int VECTORS = SIZE / WARPS / 16; // of four numbers that a thread reads of each set in a pass
    // Of them on their way at the same time: of one set all, of two as many as the registers leave room for.
    static const int HELD = SETS == 1 || VECTORS < 4 ? VECTORS : BACK ? STRICT ? 1 : VECTORS / 4 : STRICT ? 2 : VECTORS / 4 + 1;
    static const int GROUP = SETS == 2 && SLICE == 64 ? 1 : TILES; // of columns that a warp sums up at the same time
    static const int BUFFERS = SETS == 1 && SLICE < 64 && !BACK ? 2 : 1; // of partial sums: with two, warps write while others read
    static const int MOST_PASSES = (SLICE == 64 ? 48 : 128) / ROWS;
    // In registers: else sums are written before anything is asked for.
    static const bool ROOM = SETS == 1 && !(BACK && (SIZE >= 1024 || STRICT && SIZE == 512));
    static const int OWNERS = ROWS * SLICE / ELEMENTS; // threads that have elements
    static const int SET = TILE * SIZE;
    static const int PASS = ROWS * SIZE;
    typedef Order<ROWS, MOST_PASSES> Rows;

    static_assert(BUFFERS == 1 || !BACK, "the way back has one");
    static_assert(ELEMENTS == 1 || THREADS == TILE * SLICE, "each thread has an element of each set");
    static_assert(GROUP == TILES || HELD == VECTORS, "each group of columns needs all vectors");
    static_assert(GROUP == TILES || !ROOM, "sums of several groups do not wait to be written");
};

/// Which elements of a pass are a thread's. A warp has sixteen columns of two rows, or of four.
template <typename P>
struct Share {
    int row; // in a pass, of the first element
    int inSlice;
    int column;
    bool sends; // whether the thread has elements
    bool has; // and whether they are none of the padding

    __device__ Share(int hidden) {
        int warp = threadIdx.x / 32;
        row = kept((int)(warp / P::TILES * 2 + threadIdx.x / 16 % 2));
        inSlice = kept((int)(warp % P::TILES * 16 + threadIdx.x % 16));
        column = (int)blockIdx.x * P::SLICE + inSlice & MOST_NODES - 1;
        sends = row < P::ROWS / P::ELEMENTS;
        has = sends && column < hidden;
    }

    /// Which tile of rows the first element is in.
    __device__ int set() const { return P::SETS == P::ELEMENTS ? 0 : row / TILE; }

    __device__ int rowInSet() const { return row - TILE * set(); }
};

/// The same number, kept in a register if there is room.
template <bool ROOM, typename T>
__device__ T keptIf(T value) {
    return ROOM ? kept(value) : value;
}

/// What the warps sum up in a pass: of each warp and set of rows [SLICE,TILE], where neither those who write, two rows at a time,
/// nor those who read, sixteen columns of two rows, meet in a bank.
template <typename P>
struct Partials {
    static const int SET = P::SLICE * TILE;

    static const int BUFFER = P::WARPS * P::SETS * SET;

    float sums[P::BUFFERS][P::WARPS][P::SETS * SET];

    /// Where they lie. A kernel declares no more than 48 KiB by itself; those of two sets are handed the room at the launch.
    static __device__ Partials& ofBlock() {
        if constexpr (P::SETS == 1) {
            __shared__ __align__(16) Partials partials;
            return partials;
        } else {
            extern __shared__ float4 handed[];
            return *(Partials*)handed;
        }
    }

    static __device__ int at(int row, int column) { return column * TILE + (row ^ column / 4 % 4 * 2); }

    /// The address of the first warp's sum of a thread's first element.
    __device__ unsigned addressOf(const Share<P>& share) const {
        return keptIf<P::ROOM>(sharedAddress(&sums[0][0][share.set() * SET + at(share.rowInSet(), share.inSlice)]));
    }

    /// From the buffer of this turn, the first or the second one, to that of the next one.
    static __device__ int toOther(int buffer) { return P::BUFFERS == 1 ? 0 : buffer == 0 ? 4 * BUFFER : -4 * BUFFER; }

    static __device__ float total(unsigned address) {
        float parts[P::WARPS];
        #pragma unroll
        for (int i = 0; i < P::WARPS; i++) parts[i] = loadShared(address + 4 * i * P::SETS * SET);
        #pragma unroll
        for (int i = 8; i < P::WARPS; i++) parts[i - 8] += parts[i];
        #pragma unroll
        for (int i = 0; i < 4; i++) parts[i] += parts[i + 4];
        return (parts[0] + parts[2]) + (parts[1] + parts[3]);
    }

    /// When all warps have written, the sums of this thread's elements. With one buffer warps may then write again; with two into the
    /// other one, and into this one after the next turn's barrier.
    static __device__ void total(float (&products)[P::ELEMENTS], const Share<P>& share, unsigned address, bool written) {
        __syncthreads();
        #pragma unroll
        for (int e = 0; e < P::ELEMENTS; e++) products[e] = share.sends && written ? total(address + 4 * e * SET) : 0.0f;
        if (P::BUFFERS == 1) __syncthreads();
    }
};

/// What a warp sums up at the same time: of some tiles of columns, and of each set of rows.
template <typename P>
struct Sums {
    float of[P::GROUP][P::SETS][4];
};

/// Where a thread of a tensor core's tile writes among the partial sums.
template <typename P>
struct Writes {
    unsigned low; // the address of two rows, of columns 0 to 7 of the first tile and set
    int high; // from there to columns 8 to 15

    __device__ Writes(Partials<P>& partials) {
        int lane = threadIdx.x % 32;
        low = keptIf<P::ROOM>(sharedAddress(&partials.sums[0][threadIdx.x / 32][partials.at(lane % 4 * 2, lane / 4)]));
        high = keptIf<P::ROOM>(4 * (8 * TILE + (lane % 4 < 2 ? 4 : -4)));
    }

    /// `first` is the first tile of these.
    __device__ void put(const Sums<P>& sums, int first) const {
        #pragma unroll
        for (int t = 0; t < P::GROUP; t++) {
            #pragma unroll
            for (int s = 0; s < P::SETS; s++) {
                const float(&of)[4] = sums.of[t][s];
                unsigned at = low + 4 * (s * Partials<P>::SET + 16 * TILE * (first + t));
                storeShared2(at, of[0], of[1]);
                storeShared2(at + high, of[2], of[3]);
            }
        }
    }
};

/// The states of a group's rows on their way: [slots,passes,SETS,SIZE/16,TILE,16]. Step s reads slot s % slots and fills the next
/// one. A place that step s filled is emptied in step s + 2, when what all blocks made of it is here; fences as in grid.cu.
template <typename P>
struct Ring {
    const float* read; // this thread's first vector in the first pass of the first slot
    int own; // from there to this thread's first element
    int last; // slot
    int perSlot;
    float4 vectors[P::HELD][P::SETS]; // of a pass

    __device__ Ring(float* places, int slots, int passes, const Share<P>& share) {
        perSlot = passes * P::PASS;
        last = slots - 1;
        float* ofGroup = places + ((Index)blockIdx.z * gridDim.y + blockIdx.y) * slots * perSlot;
        int first = threadIdx.x / 32 * P::VECTORS * 128 + threadIdx.x % 32 * 4;
        read = (const float*)kept((Index)(ofGroup + first));
        own = -first + share.set() * P::SET + share.column / 16 * 128 + share.rowInSet() * 16 + share.column % 16;
    }

    /// Where the slot begins that a step reads.
    __device__ int slot(int step) const { return (step & last) * perSlot; }

    /// Asks for vector `v` of the pass at `place`; it may be there or not.
    __device__ void ask(int place, int v) {
        #pragma unroll
        for (int s = 0; s < P::SETS; s++) {
            float4& u = vectors[v % P::HELD][s];
            asm volatile("ld.relaxed.gpu.global.v4.f32 {%0, %1, %2, %3}, [%4];"
                         : "=f"(u.x), "=f"(u.y), "=f"(u.z), "=f"(u.w)
                         : "l"(read + place + s * P::SET + 128 * v)
                         : "memory");
        }
    }

    /// Asks for as many as it holds.
    __device__ void ask(int place) {
        #pragma unroll
        for (int v = 0; v < P::HELD; v++) ask(place, v);
    }

    static __device__ bool empty(float value) { return __float_as_uint(value) == EMPTY; }

    __device__ bool incomplete(int v) const {
        bool lacks = false;
        #pragma unroll
        for (int s = 0; s < P::SETS; s++) {
            const float4& u = vectors[v % P::HELD][s];
            lacks |= empty(u.x) || empty(u.y) || empty(u.z) || empty(u.w);
        }
        return lacks;
    }

    __device__ bool incomplete() const {
        bool lacks = false;
        #pragma unroll
        for (int v = 0; v < P::HELD; v++) lacks |= incomplete(v);
        return lacks;
    }

    /// Waits until the vectors are there that were asked for.
    __device__ void await(int place) {
        while (__any_sync(ALL, incomplete())) ask(place);
    }

    __device__ void await(int place, int v) {
        while (__any_sync(ALL, incomplete(v))) ask(place, v);
    }

    /// Waits for those that it does not hold, too, as `TensorWeights::times` does.
    __device__ void awaitOthers(int place) {
        #pragma unroll
        for (int v = P::HELD; v < P::VECTORS; v++) {
            ask(place, v);
            await(place, v);
        }
    }

    /// From `read` to this thread's first element of the pass at `place`.
    __device__ int element(int place) const { return computedHere(place + own); }

    /// Puts this thread's element e into a pass, where its first one is.
    __device__ void put(int first, int e, float value) const {
        store(first, e, empty(value) ? NOT_A_NUMBER : __float_as_uint(value));
    }

    __device__ void clear(int first, int e) const { store(first, e, EMPTY); }

    __device__ void store(int first, int e, unsigned bits) const {
        asm volatile("st.relaxed.gpu.global.u32 [%0], %1;" ::"l"(read + first + e * P::SET), "r"(bits) : "memory");
    }
};

/// A warp's part of the block's weights, as a tensor core takes them.
template <typename P>
struct TensorWeights {
    float w[P::VECTORS][2][P::TILES][4];

    /// The weight from k to a column is at wh[k * strideK + column * strideC].
    __device__ void load(const float* wh, Index hidden, Index strideK, Index strideC) {
        int lane = threadIdx.x % 32;
        Index firstC = (Index)blockIdx.x * P::SLICE + lane / 4;
        #pragma unroll
        for (int v = 0; v < P::VECTORS; v++) {
            Index firstK = kept((Index)((threadIdx.x / 32 * P::VECTORS + v) * 16 + lane % 4 * 4));
            const float* at = wh + firstK * strideK + firstC * strideC;
            #pragma unroll
            for (int i = 0; i < 4; i++) {
                #pragma unroll
                for (int t = 0; t < P::TILES; t++) {
                    #pragma unroll
                    for (int s = 0; s < 2; s++) {
                        int c = t * 16 + 8 * s;
                        float weight = firstK + i < hidden && firstC + c < hidden ? at[i * strideK + c * strideC] : 0.0f;
                        w[v][i / 2][t][i % 2 * 2 + s] = P::STRICT ? weight : rounded(weight);
                    }
                }
            }
        }
    }

    /// Adds up this warp's products over its nodes; with ROOM the sums are left to the caller, else they go among the partial sums. The
    /// first vectors of the pass at `place` have been awaited; where not all are held, the others are asked for as their room becomes free.
    __device__ void times(Ring<P>& ring, int place, const Writes<P>& writes, Sums<P>& sums) const {
        #pragma unroll
        for (int first = 0; first < P::TILES; first += P::GROUP) {
            sums = {};
            #pragma unroll
            for (int v = 0; v < P::VECTORS; v++) {
                if (v >= P::HELD) ring.await(place, v);
                addTiles(sums.of, first, v, ring.vectors[v % P::HELD]);
                if (v + P::HELD < P::VECTORS) ring.ask(place, v + P::HELD);
            }
            if (!P::ROOM) writes.put(sums, first);
        }
    }

    /// Adds the products of vector `v` to the sums of the tiles from `first` on.
    __device__ void addTiles(float (&sums)[P::GROUP][P::SETS][4], int first, int v, const float4 (&vectors)[P::SETS]) const {
        #pragma unroll
        for (int half = 0; half < 2; half++) {
            float b[P::SETS][2];
            #pragma unroll
            for (int s = 0; s < P::SETS; s++) {
                b[s][0] = half == 0 ? vectors[s].x : vectors[s].z;
                b[s][1] = half == 0 ? vectors[s].y : vectors[s].w;
            }
            if (P::STRICT) {
                float bHigh[P::SETS][2], bLow[P::SETS][2];
                #pragma unroll
                for (int s = 0; s < P::SETS; s++) {
                    #pragma unroll
                    for (int i = 0; i < 2; i++) split(b[s][i], bHigh[s][i], bLow[s][i]);
                }
                #pragma unroll
                for (int t = 0; t < P::GROUP; t++) {
                    const float(&a)[4] = w[v][half][first + t];
                    float aHigh[4], aLow[4];
                    #pragma unroll
                    for (int i = 0; i < 4; i++) {
                        aHigh[i] = cut(a[i]);
                        aLow[i] = a[i] - aHigh[i];
                    }
                    #pragma unroll
                    for (int s = 0; s < P::SETS; s++) {
                        multiplyTile(sums[t][s], aLow, bHigh[s][0], bHigh[s][1]);
                        multiplyTile(sums[t][s], aHigh, bLow[s][0], bLow[s][1]);
                        multiplyTile(sums[t][s], aHigh, bHigh[s][0], bHigh[s][1]);
                    }
                }
            } else {
                #pragma unroll
                for (int t = 0; t < P::GROUP; t++) {
                    #pragma unroll
                    for (int s = 0; s < P::SETS; s++) multiplyTile(sums[t][s], w[v][half][first + t], b[s][0], b[s][1]);
                }
            }
        }
    }
};

/// Where what a thread reads and writes in step after step lies.
template <typename P>
struct Layout {
    const typename P::Rows& order;
    const Share<P>& share;
    unsigned numbers; // the address of that of the first element's row in the first pass
    const int* mask;
    Index rows;
    int hidden;
    Index first; // offset in [T+1,N,H] of the slot of step 0
    Index firstStep; // of the mask [T,N]
    int perSlot; // from a step's slot to that of the next one, below 0 where slots and steps go down

    __device__ Layout(
            const typename P::Rows& order,
            const Share<P>& share,
            const int* mask,
            Index rows,
            Index hidden,
            Index firstSlot,
            Index firstStep,
            int direction)
        : order(order), share(share), numbers(P::ROOM ? kept(sharedAddress(&order.numbers[share.row & P::ROWS - 1])) : 0),
          mask(mask), rows(rows), hidden((int)hidden), first(kept(firstSlot * rows * hidden)),
          firstStep(kept(firstStep)), perSlot(kept(direction * (int)rows * (int)hidden)) {}

    /// The offset in [N,H] of the thread's element e of a pass, -1 if it has none.
    __device__ int offset(int pass, int e) const {
        int inGroup = pass * P::ROWS + TILE * e;
        int row = P::ROOM ? __float_as_int(loadShared(numbers + 4 * inGroup))
                          : order.numbers[inGroup + (share.row & P::ROWS - 1)]; // -1 for none
        return share.has && row >= 0 ? (row & MOST_ROWS - 1) * hidden + share.column : -1;
    }

    /// The offset in [T+1,N,H] of the slot of a step.
    __device__ Index slot(int step) const { return first + (Index)step * perSlot; }

    /// Whether the row of a pass whose mask this thread reads is live.
    __device__ int live(int step, int pass) const {
        if (!mask) return 1;
        int row = order.numbers[pass * P::ROWS + threadIdx.x % P::ROWS];
        return row < 0 ? 0 : mask[(firstStep + (perSlot < 0 ? -step : step)) * rows + row];
    }
};

template <typename P>
__device__ void forward(FORWARD_OPERANDS, float* places, const int* ranks, SIZES, int slots, int reverse, int activation) {
    Partials<P>& partials = Partials<P>::ofBlock();
    __shared__ typename P::Rows order;
    const Share<P> share((int)hidden);
    order.fill(ranks, (int)steps, rows, rowsPerGroup, reverse, false);
    const int passes = order.passesOf(rowsPerGroup);
    const int last = (int)steps - 1;
    const Layout<P> layout(
            order, share, mask, rows, hidden, reverse ? steps - 1 : 1, reverse ? steps - 1 : 0, reverse ? -1 : 1);
    const unsigned always = order.always(ranks);
    Writes<P> writes(partials);
    unsigned sumsAt = partials.addressOf(share);
    float b = bias && share.has ? bias[share.column] : 0.0f;

    // Before its first step a pass keeps what it begins with.
    Ring<P> ring(places, slots, passes, share);
    #pragma unroll 1
    for (int pass = 0; pass < passes; pass++) {
        int begin = order.begin(pass);
        #pragma unroll 1
        for (int e = 0; e < P::ELEMENTS; e++) {
            int offset = layout.offset(pass, e);
            float seen = 0.0f;
            if (offset >= 0) {
                float* at = states + layout.slot(0) + offset;
                float h = at[-layout.perSlot];
                #pragma unroll 1
                for (int step = 0; step < begin; step++, at += layout.perSlot) *at = h;
                seen = factors ? __fmul_rn(h, factors[offset]) : h;
            }
            if (share.sends && begin <= last) ring.put(ring.element(ring.slot(begin) + pass * P::PASS), e, P::STRICT ? seen : rounded(seen));
        }
    }

    TensorWeights<P> weights;
    weights.load(wh, hidden, hidden, 1);
    float added[P::ELEMENTS] = {}; // to the products
    int live = 0; // the row whose mask this thread reads
    auto fetch = [&](Turn turn) {
        if (turn.step > last) return;
        live = layout.live(turn.step, turn.pass);
        #pragma unroll
        for (int e = 0; e < P::ELEMENTS; e++) {
            int offset = layout.offset(turn.pass, e);
            if (offset < 0) continue;
            float* at = states + layout.slot(turn.step) + offset;
            added[e] = *at;
            if (turn.step + EARLY <= last) prefetch(at + EARLY * layout.perSlot);
        }
    };

    Turn turn = order.next({-1, 0, 0}, always, last + 1);
    fetch(turn);
    bool asked = false;
    int buffer = 0; // of the partial sums
    #pragma unroll 1
    while (turn.step <= last) {
        int step = turn.step;
        int pass = turn.pass;
        int offsetInSlot = pass * P::PASS;
        if (!asked) ring.ask(ring.slot(step) + offsetInSlot);
        unsigned alive = __ballot_sync(ALL, live != 0);

        Turn next;
        float h[P::ELEMENTS];
        auto prepare = [&] {
            next = order.next(turn, always, last + 1);
            #pragma unroll
            for (int e = 0; e < P::ELEMENTS; e++) h[e] = computedHere(added[e] + b);
            fetch(next);
        };
        // Vectors that were asked for a turn ago are here, and the products go first; else there is time while they come. Sixteen rows
        // need the registers until their products are summed.
        bool late = P::SETS == 2 || asked;
        if (!late) prepare();
        ring.await(ring.slot(step) + offsetInSlot);
        Sums<P> sums = {};
        if (alive) weights.times(ring, ring.slot(step) + offsetInSlot, writes, sums);
        else ring.awaitOthers(ring.slot(step) + offsetInSlot);
        if (late) prepare();
        asked = next.step <= last && next.pass != pass; // its own next step is not there yet
        if (asked) ring.ask(ring.slot(next.step) + next.pass * P::PASS);
        if (alive && P::ROOM) writes.put(sums, 0);
        // All that can be known before the sums are.
        int offsets[P::ELEMENTS];
        float ofDropout[P::ELEMENTS];
        float before[P::ELEMENTS]; // what masked rows keep
        bool lives[P::ELEMENTS];
        #pragma unroll
        for (int e = 0; e < P::ELEMENTS; e++) {
            int offset = offsets[e] = layout.offset(pass, e);
            lives[e] = offset >= 0 && alive >> (share.row + TILE * e) & 1;
            before[e] = offset >= 0 && !lives[e] ? states[layout.slot(step - 1) + offset] : 0.0f;
            ofDropout[e] = factors && offset >= 0 ? factors[offset] : 1.0f;
        }
        int sent = ring.element(ring.slot(step + 1) + offsetInSlot);
        int spent = ring.element(ring.slot(step - 1) + offsetInSlot);
        float products[P::ELEMENTS];
        Partials<P>::total(products, share, sumsAt, alive != 0);
        writes.low += partials.toOther(buffer);
        sumsAt += partials.toOther(buffer);
        buffer ^= 1;
        if (share.sends) {
            #pragma unroll
            for (int e = 0; e < P::ELEMENTS; e++) h[e] += products[e];
            activateAll(activation, h);
            #pragma unroll
            for (int e = 0; e < P::ELEMENTS; e++) {
                if (!lives[e]) h[e] = before[e];
                float seen = __fmul_rn(h[e], ofDropout[e]);
                if (step < last) ring.put(sent, e, P::STRICT ? seen : roundedResult(seen));
                if (step > 0) ring.clear(spent, e);
                if (offsets[e] >= 0) states[layout.slot(step) + offsets[e]] = h[e];
            }
        }
        if (next.step != step && (next.step & slots / 4 - 1) == 0) deviceFence();
        turn = next;
    }

    // After its last step it keeps that one's.
    #pragma unroll 1
    for (int pass = 0; pass < passes; pass++) {
        int end = order.end(pass);
        if (end <= order.begin(pass)) continue;
        #pragma unroll 1
        for (int e = 0; e < P::ELEMENTS; e++) {
            int offset = layout.offset(pass, e);
            if (offset < 0) continue;
            float* at = states + layout.slot(end) + offset;
            float h = at[-layout.perSlot];
            #pragma unroll 1
            for (int left = last + 1 - end; left > 0; left--, at += layout.perSlot) *at = h;
        }
    }
}

/// Slot by slot down to the initial one, which only gains. What goes on to the step before without a product, from a masked
/// one, stays with its thread.
template <typename P>
__device__ void backward(BACKWARD_OPERANDS, float* places, const int* ranks, SIZES, int slots, int reverse, int activation) {
    Partials<P>& partials = Partials<P>::ofBlock();
    __shared__ float carried[P::MOST_PASSES][P::ELEMENTS][P::OWNERS];
    __shared__ unsigned liveRows[2][P::MOST_PASSES]; // of each pass in this step and in the one that ran after it
    __shared__ typename P::Rows order;

    const Share<P> share((int)hidden);
    order.fill(ranks, (int)steps, rows, rowsPerGroup, reverse, true);
    const int passes = order.passesOf(rowsPerGroup);
    const int last = (int)steps; // the initial slot comes as one more step
    const Layout<P> layout(
            order, share, mask, rows, hidden, reverse ? 0 : steps, reverse ? 0 : steps - 1, reverse ? 1 : -1);
    const unsigned always = order.always(ranks);
    const Writes<P> writes(partials);
    const unsigned sumsAt = partials.addressOf(share);

    // Where a pass takes no part gradients add up.
    auto gather = [&](int pass, int e, int from, int to) {
        int offset = layout.offset(pass, e);
        if (offset < 0) return;
        float sum = carried[pass][e][threadIdx.x];
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
        carried[pass][e][threadIdx.x] = sum;
    };
    Ring<P> ring(places, slots, passes, share);
    #pragma unroll 1
    for (int pass = 0; pass < passes; pass++) {
        int begin = order.begin(pass);
        if (threadIdx.x < 2) liveRows[threadIdx.x][pass] = 0;
        #pragma unroll 1
        for (int e = 0; e < P::ELEMENTS; e++) {
            if (share.sends) carried[pass][e][threadIdx.x] = 0.0f;
            gather(pass, e, 0, begin);
            if (share.sends && begin <= last) ring.put(ring.element(ring.slot(begin) + pass * P::PASS), e, 0.0f);
        }
    }
    __syncthreads();

    TensorWeights<P> weights;
    weights.load(wh, hidden, 1, hidden);
    float dh[P::ELEMENTS] = {};
    float h[P::ELEMENTS] = {};
    int live = 0; // the row whose mask this thread reads
    auto fetch = [&](Turn turn) {
        if (turn.step > last) return;
        live = turn.step < last ? layout.live(turn.step, turn.pass) : 0;
        #pragma unroll
        for (int e = 0; e < P::ELEMENTS; e++) {
            int offset = layout.offset(turn.pass, e);
            if (offset < 0) continue;
            Index at = layout.slot(turn.step) + offset;
            dh[e] = gradients[at];
            if (turn.step < last) h[e] = states[at];
            if (turn.step + EARLY < last) {
                Index early = at + EARLY * layout.perSlot;
                prefetch(gradients + early);
                prefetch(states + early);
            }
        }
    };

    unsigned liveRowsAt = sharedAddress(liveRows);
    unsigned carriedAt = kept(sharedAddress(&carried[0][0][threadIdx.x]));
    Turn turn = order.next({-1, 0, 0}, always, last + 1);
    fetch(turn);
    bool asked = false;
    #pragma unroll 1
    while (turn.step <= last) {
        int step = turn.step;
        int pass = turn.pass;
        int offsetInSlot = pass * P::PASS;
        if (!asked) ring.ask(ring.slot(step) + offsetInSlot);
        unsigned alive = __ballot_sync(ALL, live != 0);
        unsigned liveRowsHere = liveRowsAt + 4 * pass + (step & 1) * 4 * P::MOST_PASSES;
        if (threadIdx.x == 0) storeShared(liveRowsHere, __uint_as_float(alive));
        // Rows that were live in the step that ran after it.
        unsigned later = __float_as_uint(loadShared(liveRowsAt + 4 * pass + (step + 1 & 1) * 4 * P::MOST_PASSES));
        bool anyLater = later != 0;

        Turn next;
        float slopes[P::ELEMENTS], sum[P::ELEMENTS];
        unsigned carriedHere = carriedAt + 4 * pass * P::ROWS * P::SLICE;
        auto prepare = [&] {
            next = order.next(turn, always, last + 1);
            #pragma unroll
            for (int e = 0; e < P::ELEMENTS; e++) {
                slopes[e] = computedHere(derivative(activation, h[e]));
                sum[e] = dh[e];
                if (share.sends && !(later >> (share.row + TILE * e) & 1)) sum[e] += loadShared(carriedHere + 4 * e * P::OWNERS);
                sum[e] = computedHere(sum[e]);
            }
            fetch(next);
        };
        bool late = P::SETS == 2 || asked; // as forward
        if (!late) prepare();
        ring.await(ring.slot(step) + offsetInSlot);
        Sums<P> sums = {};
        if (anyLater) weights.times(ring, ring.slot(step) + offsetInSlot, writes, sums);
        else ring.awaitOthers(ring.slot(step) + offsetInSlot);
        if (late) prepare();
        asked = next.step <= last && next.pass != pass; // its own next step is not there yet
        if (asked) ring.ask(ring.slot(next.step) + next.pass * P::PASS);
        if (anyLater && P::ROOM) writes.put(sums, 0);
        int offsets[P::ELEMENTS]; // as forward
        float factor[P::ELEMENTS];
        #pragma unroll
        for (int e = 0; e < P::ELEMENTS; e++) {
            offsets[e] = layout.offset(pass, e);
            factor[e] = factors && offsets[e] >= 0 ? factors[offsets[e]] : 1.0f;
        }
        int sent = ring.element(ring.slot(step + 1) + offsetInSlot);
        int spent = ring.element(ring.slot(step - 1) + offsetInSlot);
        float products[P::ELEMENTS];
        Partials<P>::total(products, share, sumsAt, anyLater);
        // As it was, without a register for it while products are summed.
        if (P::SETS == 2) alive = __float_as_uint(loadShared(liveRowsHere));
        if (share.sends) {
            #pragma unroll
            for (int e = 0; e < P::ELEMENTS; e++) {
                int offset = offsets[e];
                float gained = __fmaf_rn(factor[e], products[e], sum[e]);
                if (offset >= 0 && later >> (share.row + TILE * e) & 1) sum[e] = gained;
                float da = sum[e] * slopes[e];
                if (offset < 0 || !(alive >> (share.row + TILE * e) & 1)) da = 0.0f;
                if (step < last) ring.put(sent, e, P::STRICT ? da : roundedResult(da));
                if (step > 0) ring.clear(spent, e);
                storeShared(carriedHere + 4 * e * P::OWNERS, sum[e]);
                if (offset >= 0) gradients[layout.slot(step) + offset] = step == last ? sum[e] : da;
            }
        }
        if (next.step != step && (next.step & slots / 4 - 1) == 0) deviceFence();
        turn = next;
    }

    #pragma unroll 1
    for (int pass = 0; pass < passes; pass++) {
        if (order.begin(pass) >= order.end(pass)) continue;
        #pragma unroll 1
        for (int e = 0; e < P::ELEMENTS; e++) gather(pass, e, order.end(pass), last + 1);
    }
}

/// Blocks are [BLOCKS,groups]. Without `ranks`, see Order, group g owns the rows from g * rowsPerGroup on; with them a group has as many
/// passes. `places` are EMPTY, and `slots` is a power of two, 8 or more.
#define FORWARD(name, size, together, strict)                                                                                           \
    extern "C" __global__ void __launch_bounds__(Plan<size, together, strict, false>::THREADS, 1) name(                                 \
            FORWARD_OPERANDS, float* places, const int* ranks, SIZES, int slots, int reverse, int activation, OTHER_FORWARD_OPERANDS) { \
        forward<Plan<size, together, strict, false>>(                                                                                   \
                FORWARD_OPERANDS_HERE, places, ranks, steps, rows, hidden, rowsPerGroup, slots, reverse ^ (int)blockIdx.z, activation); \
    }

#define BACKWARD(name, size, together, strict)                                                                                            \
    extern "C" __global__ void __launch_bounds__(Plan<size, together, strict, true>::THREADS, 1) name(                                    \
            BACKWARD_OPERANDS, float* places, const int* ranks, SIZES, int slots, int reverse, int activation, OTHER_BACKWARD_OPERANDS) { \
        backward<Plan<size, together, strict, true>>(                                                                                     \
                BACKWARD_OPERANDS_HERE, places, ranks, steps, rows, hidden, rowsPerGroup, slots, reverse ^ (int)blockIdx.z, activation);  \
    }

#define OF_EIGHT(size)                                        \
    FORWARD(tensor_forward_##size##_8, size, 8, true)         \
    FORWARD(tensor_tf32_forward_##size##_8, size, 8, false)   \
    BACKWARD(tensor_backward_##size##_8, size, 8, true)       \
    BACKWARD(tensor_tf32_backward_##size##_8, size, 8, false)

OF_EIGHT(256)
OF_EIGHT(384)
OF_EIGHT(512)
OF_EIGHT(768)
OF_EIGHT(1024)
OF_EIGHT(2048)

#define STRICT_OF_SIXTEEN(size)                         \
    FORWARD(tensor_forward_##size##_16, size, 16, true) \
    BACKWARD(tensor_backward_##size##_16, size, 16, true)

#define TF32_OF_SIXTEEN(size)                                 \
    FORWARD(tensor_tf32_forward_##size##_16, size, 16, false) \
    BACKWARD(tensor_tf32_backward_##size##_16, size, 16, false)

// The others need more registers than there are.
STRICT_OF_SIXTEEN(256)
STRICT_OF_SIXTEEN(384)
STRICT_OF_SIXTEEN(2048)
TF32_OF_SIXTEEN(256)
TF32_OF_SIXTEEN(384)
FORWARD(tensor_tf32_forward_512_16, 512, 16, false)
TF32_OF_SIXTEEN(1024)
TF32_OF_SIXTEEN(2048)
