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
// Floor of a pass, in cycles of a multiprocessor: the products SIZE * SLICE / 64, three times that in float32 (512 and 1536 for
// 512 nodes); from the second-level cache 32 SIZE bytes a block (700 when all blocks read), which fly while another pass is
// computed; and in a chain, where a group has one pass, the way through that cache (750), barriers and partial sums (200), tanh
// (100; the derivative 40). Bytes of memory as in grid.cu. One launch. An H200 took for a pass 1.4, 1.4, 2.1, 2.1, 1.9 and 2.3 us
// forward in float32 for 256, 384, 512, 768, 1024 and 2048 nodes and 1.1, 0.9, 1.3, 1.1, 1.0 and 1.2 in TF32, back up to a
// third more. Of a variant with two warps a scheduler issued in 45 % of the cycles, and latencies took the rest.
#include "recurrence.cuh"

const int ROWS = 8; // of a pass, the columns of a tensor core's tile
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

/// To the nearest number of TF32.
__device__ float rounded(float value) {
    unsigned bits;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(value));
    return __uint_as_float(bits);
}

/// value = high + low, where TF32 holds high and all but 2 bits of low. What has no finite part that is high is low.
__device__ void split(float value, float& high, float& low) {
    high = __uint_as_float(__float_as_uint(value) + 0x1000u & 0xffffe000u);
    if (!(fabsf(high) < __uint_as_float(0x7f800000u))) high = 0.0f;
    low = value - high;
}

/// What TF32 keeps. Volatile: weights are cut anew each time, for which there is time, and not kept, for which there is no room.
__device__ float cut(float value) {
    unsigned bits;
    asm volatile("and.b32 %0, %1, 0xffffe000;" : "=r"(bits) : "r"(__float_as_uint(value)));
    return __uint_as_float(bits);
}

/// sums [16,8] += a [16,8] b [8,8], by the warp.
__device__ void multiplyTile(float (&sums)[4], const float (&a)[4], float b0, float b1) {
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
        : "r"(__float_as_uint(a[0])), "r"(__float_as_uint(a[1])), "r"(__float_as_uint(a[2])), "r"(__float_as_uint(a[3])),
          "r"(__float_as_uint(b0)), "r"(__float_as_uint(b1)));
}

__device__ void prefetch(const float* place) { asm volatile("prefetch.global.L2 [%0];" ::"l"(place)); }

/// What a block has to do, and which element of a pass is a thread's. A warp has sixteen columns of two rows.
template <int SIZE>
struct Share {
    typedef Plan<SIZE> P;

    Index first; // row of the group
    int passes;
    int row; // in a pass
    int inSlice;
    int column;
    bool sends; // whether the thread has an element
    int mine; // rows of the group from the thread's first on, none where the column is padding
    int looks; // the same of the rows whose masks it reads

    __device__ Share(Index rows, Index hidden, Index rowsPerGroup) {
        int warp = threadIdx.x / 32;
        row = kept((int)(warp / P::TILES * 2 + threadIdx.x / 16 % 2));
        inSlice = kept((int)(warp % P::TILES * 16 + threadIdx.x % 16));
        column = (int)blockIdx.x * P::SLICE + inSlice;
        sends = row < ROWS;
        first = (Index)blockIdx.y * rowsPerGroup;
        passes = (int)(rowsPerGroup + ROWS - 1) / ROWS;
        int left = (int)min(rowsPerGroup, rows - first);
        mine = sends && column < hidden ? left - row : 0;
        looks = left - (int)(threadIdx.x % ROWS);
    }

    /// The offset in [N,H] of the thread's element of a pass.
    __device__ Index element(int pass, Index hidden) const { return (first + pass * ROWS + row) * hidden + column; }
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

    __device__ Ring(float* places, int slots, const Share<SIZE>& share) {
        perSlot = share.passes * P::PASS;
        last = slots - 1;
        float* ofGroup = places + (Index)blockIdx.y * slots * perSlot;
        int first = threadIdx.x / 32 * P::VECTORS * 128 + threadIdx.x % 32 * 4;
        read = ofGroup + first;
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

template <int SIZE, bool STRICT>
__device__ void forward(
        const float* wh,
        const float* bias,
        float* states,
        const int* mask,
        const float* factors,
        float* places,
        Index steps,
        Index rows,
        Index hidden,
        Index rowsPerGroup,
        int slots,
        int reverse,
        int activation) {
    typedef Plan<SIZE> P;
    __shared__ __align__(16) Partials<SIZE> partials;
    TensorWeights<SIZE, STRICT> weights;
    weights.load(wh, hidden, hidden, 1);

    const Share<SIZE> share(rows, hidden, rowsPerGroup);
    const int passes = share.passes;
    const int last = (int)steps - 1;
    float* low = partials.written();
    int total = Partials<SIZE>::at(share.row, share.inSlice);

    Index perPass = ROWS * hidden;
    Index perStep = reverse ? -rows * hidden : rows * hidden;
    Index rowsPerStep = reverse ? -rows : rows;
    Index at = (reverse ? steps * rows : 0) * hidden + share.element(0, hidden); // this thread's element
    Index looked = (reverse ? last * rows : 0) + share.first + (Index)(threadIdx.x % ROWS); // the row whose mask it reads
    float b = bias && share.mine > 0 ? bias[share.column] : 0.0f;

    Ring<SIZE> ring(places, slots, share);
    #pragma unroll 1
    for (int pass = 0; pass < passes; pass++) {
        float seen = 0.0f;
        if (pass * ROWS < share.mine) {
            seen = states[at + pass * perPass];
            if (factors) seen *= factors[share.element(pass, hidden)];
        }
        if (share.sends) ring.put(pass * P::PASS, STRICT ? seen : rounded(seen));
    }
    at += perStep;
    float added = share.mine > 0 ? states[at] : 0.0f;
    int live = share.looks > 0 ? mask ? mask[looked] : 1 : 0;
    bool several = passes > 1;
    if (several) ring.ask(0);
    #pragma unroll 1
    for (int step = 0; step <= last; step++) {
        if ((step & slots / 4 - 1) == 0) __threadfence();
        int now = ring.slot(step);
        #pragma unroll 1
        for (int pass = 0; pass < passes; pass++) {
            if (!several) ring.ask(now);
            bool end = pass == passes - 1;
            bool more = !end || step < last;
            int nextRow = end ? 0 : (pass + 1) * ROWS;
            unsigned alive = __ballot_sync(ALL, live != 0);
            float sum = added + b;
            Index toNext = end ? perStep - (passes - 1) * perPass : perPass;
            looked += end ? rowsPerStep - (passes - 1) * ROWS : ROWS;
            live = more && nextRow < share.looks ? mask ? mask[looked] : 1 : 0;
            added = more && nextRow < share.mine ? states[at + toNext] : 0.0f;
            bool there = pass * ROWS < share.mine;
            if (there && step + EARLY <= last) prefetch(states + at + EARLY * perStep);

            ring.await(now);
            if (alive) weights.times(ring.vectors, low);
            if (several && more) ring.ask(end ? ring.slot(step + 1) : now + P::PASS);
            float product = partials.total(share, total, alive != 0);
            if (share.sends) {
                float seen = 0.0f;
                if (there) {
                    float h;
                    if (alive >> share.row & 1) h = activate(activation, sum + product);
                    else h = states[at - perStep];
                    states[at] = h;
                    seen = factors ? h * factors[share.element(pass, hidden)] : h;
                }
                if (step < last) ring.put(ring.slot(step + 1) + pass * P::PASS, STRICT ? seen : rounded(seen));
                if (step > 0) ring.clear(ring.slot(step - 1) + pass * P::PASS);
            }
            at += toNext;
            now += P::PASS;
        }
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
    TensorWeights<SIZE, STRICT> weights;
    weights.load(wh, hidden, 1, hidden);

    const Share<SIZE> share(rows, hidden, rowsPerGroup);
    const int passes = share.passes;
    const int last = (int)steps; // the initial slot comes as one more step
    float* low = partials.written();
    int total = Partials<SIZE>::at(share.row, share.inSlice);

    Index perPass = ROWS * hidden;
    Index perStep = reverse ? rows * hidden : -rows * hidden;
    Index rowsPerStep = reverse ? rows : -rows;
    Index at = (reverse ? 0 : steps * rows) * hidden + share.element(0, hidden); // in the slot of the step that ran last
    Index looked = (reverse ? 0 : (steps - 1) * rows) + share.first + (Index)(threadIdx.x % ROWS);
    if (share.sends) {
        for (int pass = 0; pass < passes; pass++) carried[pass][threadIdx.x] = 0.0f;
    }

    Ring<SIZE> ring(places, slots, share);
    float dh = share.mine > 0 ? gradients[at] : 0.0f;
    float h = share.mine > 0 ? states[at] : 0.0f;
    int live = share.looks > 0 ? mask ? mask[looked] : 1 : 0;
    int liveLater = 0; // the step that ran after it
    bool several = passes > 1;
    #pragma unroll 1
    for (int step = 0; step <= last; step++) {
        if ((step & slots / 4 - 1) == 0) __threadfence();
        int now = ring.slot(step);
        int after = ring.slot(step + 1);
        int before = ring.slot(step - 1);
        #pragma unroll 1
        for (int pass = 0; pass < passes; pass++) {
            if (!several && step > 0) ring.ask(now);
            bool end = pass == passes - 1;
            int nextStep = end ? step + 1 : step;
            int nextRow = end ? 0 : (pass + 1) * ROWS;
            unsigned alive = __ballot_sync(ALL, live != 0);
            unsigned later = __ballot_sync(ALL, liveLater != 0);
            float gradient = dh;
            float slope = derivative(activation, h);
            Index toNext = end ? perStep - (passes - 1) * perPass : perPass;
            looked += end ? rowsPerStep - (passes - 1) * ROWS : ROWS;
            bool looks = nextRow < share.looks;
            bool fetches = nextStep <= last && nextRow < share.mine;
            live = nextStep < last && looks ? mask ? mask[looked] : 1 : 0;
            liveLater = nextStep > 0 && nextStep <= last && looks ? mask ? mask[looked - rowsPerStep] : 1 : 0;
            dh = fetches ? gradients[at + toNext] : 0.0f;
            h = fetches && nextStep < last ? states[at + toNext] : 0.0f;
            bool there = pass * ROWS < share.mine;
            if (there && step + EARLY < last) {
                prefetch(gradients + at + EARLY * perStep);
                prefetch(states + at + EARLY * perStep);
            }

            if (step > 0) ring.await(now);
            if (later) weights.times(ring.vectors, low);
            if (several && nextStep > 0 && nextStep <= last) ring.ask(end ? ring.slot(step + 1) : now + P::PASS);
            float product = partials.total(share, total, later != 0);
            if (share.sends) {
                float da = 0.0f;
                if (there) {
                    if (later >> share.row & 1) gradient += factors ? factors[share.element(pass, hidden)] * product : product;
                    else gradient += carried[pass][threadIdx.x];
                    carried[pass][threadIdx.x] = gradient;
                    if (alive >> share.row & 1) da = gradient * slope;
                    gradients[at] = step == last ? gradient : da;
                }
                if (step < last) ring.put(after, STRICT ? da : rounded(da));
                if (step > 1) ring.clear(before);
            }
            at += toNext;
            now += P::PASS;
            after += P::PASS;
            before += P::PASS;
        }
    }
}

/// states [T+1,N,H]: in, the initial slot and the projections; out, the states. `bias` [H], `mask` [T,N] and
/// `factors` [N,H] may be null; with factors, those of recurrent dropout, Wh sees factor times state.
/// Blocks are [BLOCKS,groups]. Group g owns the rows from g * rowsPerGroup on; `places` are EMPTY, and `slots` is a power of
/// two, 8 or more.
#define FORWARD(name, size, strict)                                                                             \
    extern "C" __global__ void __launch_bounds__(Plan<size>::THREADS, 1) name(                                  \
            const float* wh,                                                                                    \
            const float* bias,                                                                                  \
            float* states,                                                                                      \
            const int* mask,                                                                                    \
            const float* factors,                                                                               \
            float* places,                                                                                      \
            Index steps,                                                                                        \
            Index rows,                                                                                         \
            Index hidden,                                                                                       \
            Index rowsPerGroup,                                                                                 \
            int slots,                                                                                          \
            int reverse,                                                                                        \
            int activation) {                                                                                   \
        forward<size, strict>(                                                                                  \
                wh, bias, states, mask, factors, places, steps, rows, hidden, rowsPerGroup, slots, reverse, activation); \
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
            Index steps,                                                                                        \
            Index rows,                                                                                         \
            Index hidden,                                                                                       \
            Index rowsPerGroup,                                                                                 \
            int slots,                                                                                          \
            int reverse,                                                                                        \
            int activation) {                                                                                   \
        backward<size, strict>(                                                                                 \
                wh, states, gradients, mask, factors, places, steps, rows, hidden, rowsPerGroup, slots, reverse, activation); \
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
