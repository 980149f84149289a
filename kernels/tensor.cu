// compute_80
// Elman's recurrence over a whole sequence in one cooperative launch, with the products on tensor cores: for batches of more
// rows than the other kernels that walk a sequence take in their stride. As in grid.cu a group of blocks shares rows, each
// block keeps a slice of the columns of Wh in registers, and states reach the others through a ring of slots in memory, which
// says by itself what is there. Eight rows are taken in a pass, a tile of a tensor core. Within a block each warp sums over
// the products of its own eighth of the nodes, so it needs only their states, which it reads from the ring straight into
// the registers from which a tensor core takes them; what the warps sum up meets in shared memory.
//
// TF32 keeps 10 bits of a mantissa. In strict float32 each operand is split into what TF32 keeps and the rest, and three
// products are summed, the small ones on their own: up to rest times rest, 2^-21 of a product at most, that is float32.
// Tensor cores cut sums off instead of rounding them, 2^-25 of the sum for every 8 terms; no warp sums more than 256.
//
// Otherwise as sequence.cu: projections in place, masks, and bits that depend neither on N nor on T nor on a row's neighbours.
#include "recurrence.cuh"

const int THREADS = 256;
const int WARPS = THREADS / 32;
const int ROWS = 8;
const unsigned EMPTY = 0x7ff0e1a0u; // a NaN that no instruction makes
const unsigned NOT_A_NUMBER = 0x7fffffffu;

template <int SIZE>
struct Plan {
    static const int SLICE = SIZE <= 512 ? 64 : SIZE <= 1024 ? 32 : 16; // columns of a block
    static const int BLOCKS = SIZE / SLICE; // of a group
    static const int TILES = SLICE / 16; // of columns
    static const int VECTORS = SIZE / WARPS / 16; // of four numbers that a thread reads in a pass
    static const int LINES = THREADS / SLICE < ROWS ? THREADS / SLICE : ROWS; // rows whose elements are other threads'
    static const int ELEMENTS = ROWS / LINES; // of a thread in a pass
    static const int MOST_PASSES = SLICE == 64 ? 6 : 16;
    static const int PASS = ROWS * SIZE;
};

__device__ float rounded(float value) { return __uint_as_float(__float_as_uint(value) + 0x1000u & 0xffffe000u); }

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

/// Shared memory for what the warps sum up, of two passes in turns.
template <int SIZE>
struct Partials {
    static const int STRIDE = Plan<SIZE>::SLICE + 4; // no two threads of a warp write to the same bank
    float sums[2][WARPS][ROWS][STRIDE];
};

/// The states of a group's rows on their way: [slots,passes,SIZE/16,ROWS,16]. Step s reads slot s % slots and fills the next
/// one. A place that step s filled is emptied in step s + 2, when what all blocks made of it is here; fences as in grid.cu.
template <int SIZE>
struct Ring {
    typedef Plan<SIZE> P;

    const float* read; // this thread's first vector in the first pass of the first slot
    float* own; // this thread's first element there
    Index slots;
    Index passes;
    float4 vectors[P::VECTORS]; // of a pass

    __device__ void begin(float* all, Index slotsOfRing, Index group, Index passesOfGroup, int line, Index column) {
        slots = slotsOfRing;
        passes = passesOfGroup;
        float* places = all + group * slots * passes * P::PASS;
        read = places + threadIdx.x / 32 * P::VECTORS * 128 + threadIdx.x % 32 * 4;
        own = places + column / 16 * 128 + line * 16 + column % 16;
    }

    __device__ Index at(Index step, Index pass) const { return ((step & (slots - 1)) * passes + pass) * P::PASS; }

    static __device__ float4 load(const float* from) {
        float4 v;
        asm volatile("ld.relaxed.gpu.global.v4.f32 {%0, %1, %2, %3}, [%4];"
                     : "=f"(v.x), "=f"(v.y), "=f"(v.z), "=f"(v.w)
                     : "l"(from)
                     : "memory");
        return v;
    }

    static __device__ bool empty(float4 v) {
        return __float_as_uint(v.x) == EMPTY || __float_as_uint(v.y) == EMPTY || __float_as_uint(v.z) == EMPTY
                || __float_as_uint(v.w) == EMPTY;
    }

    __device__ void ask(Index step, Index pass) {
        const float* from = read + at(step, pass);
        #pragma unroll
        for (int i = 0; i < P::VECTORS; i++) vectors[i] = load(from + 128 * i);
    }

    __device__ void await(Index step, Index pass) {
        const float* from = read + at(step, pass);
        bool complete;
        do {
            complete = true;
            #pragma unroll
            for (int i = 0; i < P::VECTORS; i++) if (empty(vectors[i])) vectors[i] = load(from + 128 * i);
            #pragma unroll
            for (int i = 0; i < P::VECTORS; i++) complete &= !empty(vectors[i]);
        } while (!__all_sync(ALL, complete));
    }

    /// Sends an element of a pass that step `step` made, and empties the place of the step before the last.
    __device__ void send(Index step, Index pass, int element, float value) const {
        unsigned bits = __float_as_uint(value) == EMPTY ? NOT_A_NUMBER : __float_as_uint(value);
        float* place = own + element * P::LINES * 16;
        asm volatile("st.relaxed.gpu.global.u32 [%0], %1;" ::"l"(place + at(step + 1, pass)), "r"(bits) : "memory");
        if (step > 0) {
            asm volatile("st.relaxed.gpu.global.u32 [%0], %1;" ::"l"(place + at(step - 1, pass)), "r"(EMPTY) : "memory");
        }
    }

    __device__ void fence(Index step) const {
        if ((step & (slots / 4 - 1)) == 0) __threadfence();
    }
};

/// A warp's part of the block's weights, as a tensor core takes them.
template <int SIZE, bool STRICT>
struct Weights8 {
    typedef Plan<SIZE> P;

    float w[P::VECTORS][2][P::TILES][4];

    __device__ void load(const float* wh, Index hidden, Index first, Index strideK, Index strideC) {
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
                        Index c = first + t * 16 + lane / 4 + 8 * s;
                        float weight = k < hidden && c < hidden ? wh[k * strideK + c * strideC] : 0.0f;
                        w[v][i / 2][t][i % 2 * 2 + s] = STRICT ? weight : rounded(weight);
                    }
                }
            }
        }
    }

    /// This warp's sums over its nodes, into its place in shared memory. If there is a next pass to look at, asks for its
    /// vectors, each as soon as its place in the registers is free.
    __device__ void times(Ring<SIZE>& ring, const float* next, float (&partials)[ROWS][Partials<SIZE>::STRIDE]) const {
        float sums[P::TILES][4] = {};
        float small[P::TILES][4] = {};
        #pragma unroll
        for (int v = 0; v < P::VECTORS; v++) {
            float4 u = ring.vectors[v];
            if (next) ring.vectors[v] = Ring<SIZE>::load(next + 128 * v);
            #pragma unroll
            for (int half = 0; half < 2; half++) {
                float b0 = half == 0 ? u.x : u.z;
                float b1 = half == 0 ? u.y : u.w;
                if (STRICT) {
                    float high0 = rounded(b0);
                    float high1 = rounded(b1);
                    float low0 = b0 - high0;
                    float low1 = b1 - high1;
                    #pragma unroll
                    for (int t = 0; t < P::TILES; t++) {
                        float high[4], low[4];
                        #pragma unroll
                        for (int i = 0; i < 4; i++) {
                            high[i] = cut(w[v][half][t][i]);
                            low[i] = w[v][half][t][i] - high[i];
                        }
                        multiplyTile(small[t], low, high0, high1);
                        multiplyTile(sums[t], high, high0, high1);
                        multiplyTile(small[t], high, low0, low1);
                    }
                } else {
                    #pragma unroll
                    for (int t = 0; t < P::TILES; t++) multiplyTile(sums[t], w[v][half][t], b0, b1);
                }
            }
        }
        int row = threadIdx.x % 4 * 2;
        int column = threadIdx.x % 32 / 4;
        #pragma unroll
        for (int t = 0; t < P::TILES; t++) {
            #pragma unroll
            for (int i = 0; i < 4; i++) partials[row + i % 2][16 * t + column + i / 2 * 8] = sums[t][i] + small[t][i];
        }
    }
};

/// What the warps summed up for an element.
template <int SIZE>
__device__ float total(const Partials<SIZE>& partials, int turn, int row, int column) {
    float sums[WARPS];
    #pragma unroll
    for (int i = 0; i < WARPS; i++) sums[i] = partials.sums[turn][i][row][column];
    #pragma unroll
    for (int n = WARPS / 2; n > 0; n /= 2) {
        #pragma unroll
        for (int i = 0; i < n; i++) sums[i] += sums[i + n];
    }
    return sums[0];
}

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
    const int E = P::ELEMENTS;
    __shared__ __align__(16) Partials<SIZE> partials;
    Weights8<SIZE, STRICT> weights;
    Index firstColumn = (Index)blockIdx.x * P::SLICE;
    weights.load(wh, hidden, firstColumn, hidden, 1);

    Index group = blockIdx.y;
    Index first = group * rowsPerGroup;
    Index left = min(rowsPerGroup, rows - first);
    int line = kept((int)threadIdx.x / P::SLICE);
    int inSlice = kept((int)threadIdx.x % P::SLICE);
    Index column = firstColumn + inSlice;
    bool sends = line < P::LINES;
    int mine = sends && column < hidden ? (int)left - line : 0; // rows from this thread's first on
    int looks = (int)left - (int)(threadIdx.x % ROWS); // the same of the rows whose masks it reads

    Course course = {(rowsPerGroup + ROWS - 1) / ROWS, hidden, reverse ? -rows * hidden : rows * hidden,
                     reverse ? -rows : rows};
    Index initial = (reverse ? steps * rows : 0) + first;
    Walk<ROWS> here = {(initial + line) * hidden + column + course.perStep, 0, 0};
    Walk<ROWS> ahead = {here.at, (reverse ? (steps - 1) * rows : 0) + first + (Index)(threadIdx.x % ROWS), 0};
    Index unfetched = steps * course.passes;
    float fetched[AHEAD][E];
    int live[AHEAD];
    auto fetch = [&]() {
        #pragma unroll
        for (int i = 0; i < AHEAD - 1; i++) {
            live[i] = live[i + 1];
            #pragma unroll
            for (int e = 0; e < E; e++) fetched[i][e] = fetched[i + 1][e];
        }
        bool more = unfetched-- > 0;
        int done = (int)ahead.pass * ROWS;
        live[AHEAD - 1] = more && done < looks ? mask ? mask[ahead.row] : 1 : 0;
        #pragma unroll
        for (int e = 0; e < E; e++) {
            bool there = more && done + e * P::LINES < mine;
            fetched[AHEAD - 1][e] = there ? states[ahead.at + e * P::LINES * hidden] : 0.0f;
        }
        ahead.next(course);
    };
    #pragma unroll
    for (int i = 0; i < AHEAD; i++) fetch();
    float b = bias && mine > 0 ? bias[column] : 0.0f;

    Ring<SIZE> ring;
    ring.begin(places, slots, group, course.passes, line, column);
    Index ofElement = (first + line) * hidden + column; // in the factors
    #pragma unroll 1
    for (int pass = 0; pass < (int)course.passes; pass++) {
        #pragma unroll
        for (int e = 0; e < E; e++) {
            float seen = 0.0f;
            Index row = pass * ROWS + e * P::LINES;
            if (row < mine) {
                seen = states[(initial + line + row) * hidden + column];
                if (factors) seen *= factors[ofElement + row * hidden];
            }
            if (sends) ring.send(-1, pass, e, STRICT ? seen : rounded(seen));
        }
    }
    bool severalPasses = course.passes > 1;
    if (severalPasses) ring.ask(0, 0);
    int turn = 0;
    #pragma unroll 1
    for (Index step = 0; step < steps; step++) {
        ring.fence(step);
        #pragma unroll 1
        for (Index pass = 0; pass < course.passes; pass++) {
            unsigned alive = __ballot_sync(ALL, live[0] != 0);
            float sums[E];
            #pragma unroll
            for (int e = 0; e < E; e++) sums[e] = fetched[0][e];
            fetch();
            if (!severalPasses) ring.ask(step, 0);
            ring.await(step, pass);

            bool last = pass == course.passes - 1;
            bool more = severalPasses && step + last < steps;
            const float* next = more ? ring.read + ring.at(step + last, last ? 0 : pass + 1) : nullptr;
            if (alive) weights.times(ring, next, partials.sums[turn][threadIdx.x / 32]);
            else if (more) ring.ask(step + last, last ? 0 : pass + 1);
            __syncthreads();
            #pragma unroll
            for (int e = 0; e < E; e++) {
                int row = line + e * P::LINES;
                Index at = here.at + e * P::LINES * hidden;
                float seen = 0.0f;
                if ((int)pass * ROWS + e * P::LINES < mine) {
                    float h;
                    if (alive >> row & 1) h = activate(activation, sums[e] + total<SIZE>(partials, turn, row, inSlice) + b);
                    else h = states[at - course.perStep];
                    states[at] = h;
                    seen = factors ? h * factors[ofElement + (pass * ROWS + e * P::LINES) * hidden] : h;
                }
                if (sends && step + 1 < steps) ring.send(step, pass, e, STRICT ? seen : rounded(seen));
            }
            here.next(course);
            turn ^= 1;
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
    const int E = P::ELEMENTS;
    __shared__ __align__(16) Partials<SIZE> partials;
    __shared__ float carried[P::MOST_PASSES][E][P::LINES * P::SLICE];
    Weights8<SIZE, STRICT> weights;
    Index firstColumn = (Index)blockIdx.x * P::SLICE;
    weights.load(wh, hidden, firstColumn, 1, hidden);

    Index group = blockIdx.y;
    Index first = group * rowsPerGroup;
    Index left = min(rowsPerGroup, rows - first);
    int line = kept((int)threadIdx.x / P::SLICE);
    int inSlice = kept((int)threadIdx.x % P::SLICE);
    Index column = firstColumn + inSlice;
    bool sends = line < P::LINES;
    int mine = sends && column < hidden ? (int)left - line : 0;
    int looks = (int)left - (int)(threadIdx.x % ROWS);

    Course course = {(rowsPerGroup + ROWS - 1) / ROWS, hidden, reverse ? rows * hidden : -rows * hidden,
                     reverse ? rows : -rows};
    Index last = (reverse ? 0 : steps * rows) + first; // the slot of the step that ran last
    Walk<ROWS> here = {(last + line) * hidden + column, 0, 0};
    Walk<ROWS> ahead = {here.at, (reverse ? 0 : (steps - 1) * rows) + first + (Index)(threadIdx.x % ROWS), 0};
    Index count = 0; // passes fetched
    Index ofSteps = steps * course.passes; // passes before those of the initial slot
    float dhs[AHEAD][E], hs[AHEAD][E];
    int live[AHEAD], liveLater[AHEAD];
    auto fetch = [&]() {
        #pragma unroll
        for (int i = 0; i < AHEAD - 1; i++) {
            live[i] = live[i + 1];
            liveLater[i] = liveLater[i + 1];
            #pragma unroll
            for (int e = 0; e < E; e++) {
                dhs[i][e] = dhs[i + 1][e];
                hs[i][e] = hs[i + 1][e];
            }
        }
        bool step = count < ofSteps;
        bool more = count < ofSteps + course.passes;
        int done = (int)ahead.pass * ROWS;
        live[AHEAD - 1] = step && done < looks ? mask ? mask[ahead.row] : 1 : 0;
        liveLater[AHEAD - 1] =
                more && count >= course.passes && done < looks ? mask ? mask[ahead.row - course.rowsPerStep] : 1 : 0;
        #pragma unroll
        for (int e = 0; e < E; e++) {
            bool there = done + e * P::LINES < mine;
            Index at = ahead.at + e * P::LINES * hidden;
            dhs[AHEAD - 1][e] = more && there ? gradients[at] : 0.0f;
            hs[AHEAD - 1][e] = step && there ? states[at] : 0.0f;
        }
        count++;
        ahead.next(course);
    };
    #pragma unroll
    for (int i = 0; i < AHEAD; i++) fetch();
    if (sends) {
        for (int pass = 0; pass < (int)course.passes; pass++) {
            #pragma unroll
            for (int e = 0; e < E; e++) carried[pass][e][threadIdx.x] = 0.0f;
        }
    }

    Ring<SIZE> ring;
    ring.begin(places, slots, group, course.passes, line, column);
    Index ofElement = (first + line) * hidden + column;
    bool severalPasses = course.passes > 1;
    int turn = 0;
    #pragma unroll 1
    for (Index step = 0; step <= steps; step++) {
        ring.fence(step);
        #pragma unroll 1
        for (Index pass = 0; pass < course.passes; pass++) {
            unsigned alive = __ballot_sync(ALL, live[0] != 0);
            unsigned later = __ballot_sync(ALL, liveLater[0] != 0);
            float g[E], h[E];
            #pragma unroll
            for (int e = 0; e < E; e++) {
                g[e] = dhs[0][e];
                h[e] = hs[0][e];
            }
            fetch();
            bool end = pass == course.passes - 1;
            Index nextStep = step + end;
            bool more = severalPasses && nextStep > 0 && nextStep <= steps;
            if (step > 0) {
                if (!severalPasses) ring.ask(step, 0);
                ring.await(step, pass);
            }
            const float* next = more ? ring.read + ring.at(nextStep, end ? 0 : pass + 1) : nullptr;
            if (later) weights.times(ring, next, partials.sums[turn][threadIdx.x / 32]);
            else if (more) ring.ask(nextStep, end ? 0 : pass + 1);
            __syncthreads();
            #pragma unroll
            for (int e = 0; e < E; e++) {
                int row = line + e * P::LINES;
                Index at = here.at + e * P::LINES * hidden;
                Index ofPass = pass * ROWS + e * P::LINES;
                float da = 0.0f;
                if ((int)ofPass < mine) {
                    float& carry = carried[pass][e][threadIdx.x];
                    float gradient = g[e];
                    if (later >> row & 1) {
                        float sum = total<SIZE>(partials, turn, row, inSlice);
                        gradient += factors ? factors[ofElement + ofPass * hidden] * sum : sum;
                    } else {
                        gradient += carry;
                    }
                    carry = gradient;
                    if (alive >> row & 1) da = gradient * derivative(activation, h[e]);
                    gradients[at] = step == steps ? gradient : da;
                }
                if (sends && step < steps) ring.send(step, pass, e, STRICT ? da : rounded(da));
            }
            here.next(course);
            turn ^= 1;
        }
    }
}

/// states [T+1,N,H]: in, the initial slot and the projections; out, the states. `bias` [H], `mask` [T,N] and
/// `factors` [N,H] may be null; with factors, those of recurrent dropout, Wh sees factor times state.
/// Blocks are [BLOCKS,groups]. Group g owns the rows from g * rowsPerGroup on; `places` are EMPTY, and `slots` is a power of
/// two, 8 or more.
#define FORWARD(name, size, strict)                                                                             \
    extern "C" __global__ void __launch_bounds__(THREADS, 1) name(                                              \
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
    extern "C" __global__ void __launch_bounds__(THREADS, 1) name(                                              \
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

#define ALL_OF(size)                                  \
    FORWARD(tensor_forward_##size, size, true)         \
    FORWARD(tensor_forward_##size##_tf32, size, false) \
    BACKWARD(tensor_backward_##size, size, true)       \
    BACKWARD(tensor_backward_##size##_tf32, size, false)

ALL_OF(256)
ALL_OF(384)
ALL_OF(512)
ALL_OF(768)
ALL_OF(1024)
ALL_OF(2048)
