// What the kernels that walk a whole sequence share: sequence.cu, cluster.cu, grid.cu and those on tensor cores. Each says who holds
// which columns of Wh and how a state reaches those who need it; here is how a block of threads multiplies by its columns and how its
// threads fetch what a step adds.

#include <stdint.h>

typedef long long Index;

enum Activation { TANH, RELU, LINEAR };

/// The activation's derivative, told by its result. In one rounding: left apart, the driver's compiler may make one of two, or not.
__device__ float derivative(int activation, float h) {
    if (activation == TANH) return fmaf(-h, h, 1.0f);
    if (activation == RELU) return h > 0.0f ? 1.0f : 0.0f;
    return 1.0f;
}

/// Asks once for all elements of a thread which activation it is: asked for each, their chains would run one after the other.
template <typename Work>
__device__ void byActivation(int activation, Work work) {
    if (activation == TANH) work(TANH);
    else if (activation == RELU) work(RELU);
    else work(LINEAR);
}

/// The same number, computed here: where what it is made of is fetched anew before it is used, the compiler would else compute it at
/// its use, and so wait for what was fetched to move it. The driver's compiler may still move it.
__device__ float computedHere(float value) {
    asm volatile("" : "+f"(value));
    return value;
}

__device__ int computedHere(int value) {
    asm volatile("" : "+r"(value));
    return value;
}

__device__ unsigned computedHere(unsigned value) {
    asm volatile("" : "+r"(value));
    return value;
}

__device__ Index computedHere(Index value) {
    asm volatile("" : "+l"(value));
    return value;
}

template <typename T>
__device__ T* computedHere(T* value) {
    asm volatile("" : "+l"(value));
    return value;
}

const int AHEAD = 3; // passes from a fetch to its use
const unsigned ALL = 0xffffffffu;
const unsigned EMPTY = 0x7ff0e1a0u; // a NaN that no instruction makes: what a place of a ring holds until it is filled
const unsigned NOT_A_NUMBER = 0x7fffffffu; // what is sent for it

/// The address of something in this block's shared memory, as the instructions take it.
__device__ unsigned sharedAddress(const void* place) { return (unsigned)__cvta_generic_to_shared(place); }

__device__ float4 loadShared4(unsigned address) {
    float4 v;
    asm volatile("ld.shared.v4.f32 {%0, %1, %2, %3}, [%4];" : "=f"(v.x), "=f"(v.y), "=f"(v.z), "=f"(v.w) : "r"(address) : "memory");
    return v;
}

__device__ float loadShared(unsigned address) {
    float v;
    asm volatile("ld.shared.f32 %0, [%1];" : "=f"(v) : "r"(address) : "memory");
    return v;
}

/// Brings what is at `place` into the second-level cache.
__device__ void prefetch(const float* place) { asm volatile("prefetch.global.L2 [%0];" ::"l"(place)); }

__device__ void storeShared(unsigned address, float value) {
    asm volatile("st.shared.f32 [%0], %1;" ::"r"(address), "f"(value) : "memory");
}

__device__ void storeShared2(unsigned address, float x, float y) {
    asm volatile("st.shared.v2.f32 [%0], {%1, %2};" ::"r"(address), "f"(x), "f"(y) : "memory");
}

/// Those who read what was written after it, and fence then, see what was written before it: see the ring of grid.cu.
/// __threadfence() orders more, and takes longer.
__device__ void deviceFence() { asm volatile("fence.acq_rel.gpu;" ::: "memory"); }

/// Of what the two directions of a layer have of their own, this block's: the second layer of the grid walks the second direction,
/// which runs the other way. A grid of one layer walks one.
template <typename T>
__device__ T ofDirection(T one, T other) {
    return blockIdx.z == 0 ? one : other;
}

// What all kernels over a sequence are given, in this order: operands, what a kernel has beside them, sizes, perhaps more of those,
// whether the steps run from the last to the first, the activation, and the operands of a layer's second direction, which the second
// layer of the grid, if there is one, walks the other way.
//
// Wh [H,H]; `bias` [H], `mask` [T,N] and `factors` [N,H] may be null. Factors are those of recurrent dropout, by which Wh sees a state.
// `states` [T+1,N,H]: forward in, the initial slot and the projections x_t Wx; out, the states. `gradients` [T+1,N,H]: in, those of the
// states as the layers above see them; out, da, and in the initial slot the gradient of the initial state.
#define FORWARD_OPERANDS const float *wh, const float *bias, float *states, const int *mask, const float *factors
#define BACKWARD_OPERANDS const float *wh, const float *states, float *gradients, const int *mask, const float *factors
#define OTHER_FORWARD_OPERANDS const float *otherWh, const float *otherBias, float *otherStates, const float *otherFactors
#define OTHER_BACKWARD_OPERANDS const float *otherWh, const float *otherStates, float *otherGradients, const float *otherFactors
#define SIZES Index steps, Index rows, Index hidden, Index rowsPerGroup

// Those of this block's direction, handed on.
#define FORWARD_OPERANDS_HERE \
    ofDirection(wh, otherWh), ofDirection(bias, otherBias), ofDirection(states, otherStates), mask, ofDirection(factors, otherFactors)
#define BACKWARD_OPERANDS_HERE \
    ofDirection(wh, otherWh), ofDirection(states, otherStates), ofDirection(gradients, otherGradients), mask, \
            ofDirection(factors, otherFactors)

/// The same number, kept in a register: what follows from a thread's place alone is else computed anew in every step, from
/// special registers that take longer to read.
template <typename T>
__device__ T kept(T value) {
    return __shfl_sync(ALL, value, threadIdx.x % 32);
}

/// What CUDA's tanhf gives, bit by bit, of several sums, the steps of all of them side by side: the compiler leaves whole chains of it one
/// after the other. tanhf takes 1 beyond 9.01, which comes out here by itself: there 2 / (1 + e^2a) is less than half of the last bit of
/// 1, by more than ex2 and rcp may err.
template <int COUNT>
__device__ void tanhAll(float (&values)[COUNT]) {
    float large[COUNT], small[COUNT];
    #pragma unroll
    for (int i = 0; i < COUNT; i++) asm volatile("ex2.approx.ftz.f32 %0, %1;" : "=f"(large[i]) : "f"(fabsf(values[i]) * 2.88539004f));
    #pragma unroll
    for (int i = 0; i < COUNT; i++) asm volatile("rcp.approx.ftz.f32 %0, %1;" : "=f"(large[i]) : "f"(large[i] + 1.0f));
    #pragma unroll
    for (int i = 0; i < COUNT; i++) {
        float square = values[i] * values[i];
        float p = fmaf(0.0157396831f, square, -0.0523039624f);
        p = fmaf(p, square, 0.133152977f);
        p = fmaf(p, square, -0.333327681f);
        p = fmaf(p, square, 0.0f);
        small[i] = computedHere(fmaf(p, values[i], values[i]));
    }
    #pragma unroll
    for (int i = 0; i < COUNT; i++) {
        // Chosen by bits: a thread has few places for results of comparisons, and elements would wait for each other.
        int isLarge = 0x3f199999 - (__float_as_int(values[i]) & 0x7fffffff) >> 31; // from 0.6 on, and a NaN
        int ofLarge = __float_as_int(copysignf(fmaf(large[i], -2.0f, 1.0f), values[i]));
        values[i] = __int_as_float(ofLarge & isLarge | __float_as_int(small[i]) & ~isLarge);
    }
}

/// What is no tanh.
__device__ float rectified(int activation, float a) {
    return activation == RELU && a <= 0.0f ? 0.0f : a; // a NaN stays NaN
}

/// The activation of one, without a branch, which would take longer than all that it could spare.
__device__ float activate(int activation, float a) {
    float values[1] = {a};
    tanhAll(values);
    return activation == TANH ? values[0] : rectified(activation, a);
}

/// The activation of all elements of a thread.
template <int COUNT>
__device__ void activateAll(int activation, float (&values)[COUNT]) {
    if (COUNT == 1) {
        values[0] = activate(activation, values[0]);
    } else if (activation == TANH) {
        tanhAll(values);
    } else {
        #pragma unroll
        for (int i = 0; i < COUNT; i++) values[i] = rectified(activation, values[i]);
    }
}

/// One thread's part of a block's weights: PARTS threads of a warp share COLUMNS columns. Each holds a part of their
/// SIZE weights in registers and sums a part of the products, for ROWS rows at once; shuffles add the parts up as one tree.
/// With fewer PARTS than lanes neighbours have the same part of different columns: they read the same vectors, which takes half the time.
/// A row's arithmetic is the same for any ROWS, so its bits depend neither on N nor on its neighbours.
template <int SIZE, int PARTS, int COLUMNS, int ROWS>
struct Weights {
    static const int LINES = ROWS == 3 ? 4 : ROWS; // rows in the tree, which halves
    static const int SUMS = LINES * COLUMNS;
    static const int TWINS = PARTS / SUMS; // threads that end with the same sum
    static const int APART = 32 / PARTS; // lanes from a part to the next one
    static const int QUADS = SIZE / PARTS / 4; // of weights in a column
    static const int IN_FLIGHT = 4; // reads of vectors

    static_assert(PARTS % SUMS == 0, "in the end each thread has one sum");
    static_assert(32 % PARTS == 0, "a warp has all parts of a column");

    float w[SIZE / PARTS][COLUMNS];

    __device__ static int part() { return threadIdx.x % 32 / APART; }
    __device__ static int firstColumn() { return (threadIdx.x / 32 * APART + threadIdx.x % APART) * COLUMNS; }

    /// Whose sum is this thread's in the end: the row of a pass, the column of the block, and which of the twins it is.
    __device__ static int line() { return part() / TWINS / COLUMNS; }
    __device__ static int column() { return firstColumn() + part() / TWINS % COLUMNS; }
    __device__ static int twin() { return part() % TWINS; }

    __device__ static int node(int i) { return i / 4 * 4 * PARTS + part() * 4 + i % 4; }

    /// The weight from k to a column is at wh[k * strideK + column * strideC]; the block's columns begin at `first`.
    __device__ void load(const float* wh, Index hidden, Index first, Index strideK, Index strideC) {
        #pragma unroll
        for (int i = 0; i < SIZE / PARTS; i++) {
            Index k = node(i);
            #pragma unroll
            for (int j = 0; j < COLUMNS; j++) {
                Index c = first + firstColumn() + j;
                w[i][j] = k < hidden && c < hidden ? wh[k * strideK + c * strideC] : 0.0f;
            }
        }
    }

    /// Makes the factors [H] of recurrent dropout part of the weights, where they are those of a single row: Wh sees factor
    /// times state.
    __device__ void multiplyNodes(const float* factors, Index hidden) {
        #pragma unroll
        for (int i = 0; i < SIZE / PARTS; i++) {
            float m = node(i) < hidden ? factors[node(i)] : 0.0f;
            #pragma unroll
            for (int j = 0; j < COLUMNS; j++) w[i][j] *= m;
        }
    }

    /// The same for the way back, where the state is what comes out.
    __device__ void multiplyColumns(const float* factors, Index hidden, Index first) {
        #pragma unroll
        for (int j = 0; j < COLUMNS; j++) {
            Index c = first + firstColumn() + j;
            float m = c < hidden ? factors[c] : 0.0f;
            #pragma unroll
            for (int i = 0; i < SIZE / PARTS; i++) w[i][j] *= m;
        }
    }

    /// Adds the products of the quads FROM to TO to this thread's sums. `vectors` is the address in shared memory of this
    /// thread's part of the vectors [ROWS,SIZE]; some of it is always on its way.
    template <int FROM, int TO>
    __device__ void multiply(unsigned vectors, float (&sums)[SUMS]) const {
        float4 v[IN_FLIGHT];
        #pragma unroll
        for (int n = FROM * ROWS; n < TO * ROWS + IN_FLIGHT; n++) {
            if (n >= FROM * ROWS + IN_FLIGHT) {
                const int quad = (n - IN_FLIGHT) / ROWS;
                const int row = (n - IN_FLIGHT) % ROWS;
                const float4 u = v[n % IN_FLIGHT];
                #pragma unroll
                for (int j = 0; j < COLUMNS; j++) {
                    float& sum = sums[row * COLUMNS + j];
                    sum = fmaf(u.x, w[4 * quad][j], sum);
                    sum = fmaf(u.y, w[4 * quad + 1][j], sum);
                    sum = fmaf(u.z, w[4 * quad + 2][j], sum);
                    sum = fmaf(u.w, w[4 * quad + 3][j], sum);
                }
            }
            if (n < TO * ROWS) v[n % IN_FLIGHT] = loadShared4(vectors + 4 * (n % ROWS * SIZE + n / ROWS * 4 * PARTS));
        }
    }

    /// Adds the parts up. In each round a thread gives half of its sums away and keeps the other half, until one is left.
    /// `part` is this thread's.
    __device__ static float total(float (&sums)[SUMS], int part) {
        int count = SUMS;
        #pragma unroll
        for (int distance = PARTS / 2; distance > 0; distance /= 2) {
            if (count > 1) {
                count /= 2;
                bool upper = (part & distance) != 0;
                #pragma unroll
                for (int i = 0; i < SUMS / 2; i++) {
                    if (i >= count) break;
                    float given = upper ? sums[i] : sums[i + count];
                    float kept = upper ? sums[i + count] : sums[i];
                    sums[i] = kept + __shfl_xor_sync(ALL, given, distance * APART);
                }
            } else {
                sums[0] += __shfl_xor_sync(ALL, sums[0], distance * APART);
            }
        }
        return sums[0];
    }

    /// The vectors times the weights, added to what the parts' sums begin with; returns the sum that is this thread's.
    __device__ float times(unsigned vectors, int part, float (&sums)[SUMS]) const {
        multiply<0, QUADS>(vectors, sums);
        return total(sums, part);
    }

    __device__ float times(unsigned vectors, int part) const {
        float sums[SUMS] = {};
        return times(vectors, part, sums);
    }
};

/// How many passes so many rows of a group take, ROWS at once: fewer than 32, which the last operation says to the compiler, for offsets
/// of 32 bits.
template <int ROWS>
__device__ int passesOf(Index rows) {
    return ROWS == 1 ? 1 : (int)(rows + ROWS - 1) / ROWS & 31;
}

/// How a group's passes follow each other in a [T+1,N,H] buffer and in the mask [T,N].
struct Course {
    int passes; // over the rows of the group, ROWS at once; then comes the next step
    Index hidden;
    Index perStep; // negative where slots go down
    Index rowsPerStep;
};

/// The elements of a thread, one a pass.
template <int ROWS>
struct Walk {
    Index at; // offset of the element in the buffer
    Index row; // offset of its row in the mask
    int pass;

    __device__ void next(const Course& course) {
        if (++pass < course.passes) {
            at += ROWS * course.hidden;
            row += ROWS;
        } else {
            pass = 0;
            Index back = (Index)(course.passes - 1) * ROWS;
            at += course.perStep - back * course.hidden;
            row += course.rowsPerStep - back;
        }
    }
};

/// Which of a thread's elements are live, fetched AHEAD passes before.
template <int ROWS>
struct LiveFeed {
    int live[AHEAD];
    Walk<ROWS> ahead;
    Index unfetched; // passes

    /// `there` says whether the pass that is ahead has an element of this thread.
    __device__ void next(const Course& course, const int* mask, bool there) {
        #pragma unroll
        for (int i = 0; i < AHEAD - 1; i++) live[i] = live[i + 1];
        live[AHEAD - 1] = there ? mask ? mask[ahead.row] : 1 : 0;
        ahead.next(course);
    }
};

/// What a thread's element needs forward beside the product: its projection, fetched AHEAD passes before.
template <int ROWS>
struct ForwardFeed : LiveFeed<ROWS> {
    float sums[AHEAD];

    /// `passes` is how many passes of a step have a row for this thread; from that one on it fetches nothing.
    __device__ void begin(
            const Walk<ROWS>& first, const Course& course, Index steps, const float* states, const int* mask, int passes) {
        this->ahead = first;
        this->unfetched = steps * course.passes;
        #pragma unroll
        for (int i = 0; i < AHEAD; i++) next(course, states, mask, passes);
    }

    __device__ void next(const Course& course, const float* states, const int* mask, int passes) {
        #pragma unroll
        for (int i = 0; i < AHEAD - 1; i++) sums[i] = sums[i + 1];
        bool there = this->unfetched-- > 0 && this->ahead.pass < passes;
        sums[AHEAD - 1] = there ? states[this->ahead.at] : 0.0f;
        LiveFeed<ROWS>::next(course, mask, there);
    }
};

/// The same for the way back: the gradient from above and the state, slot by slot down to the initial one.
template <int ROWS>
struct BackwardFeed {
    float dhs[AHEAD];
    float hs[AHEAD];
    int live[AHEAD];
    int liveLater[AHEAD]; // the step that ran after it
    Walk<ROWS> ahead;
    Index fetched; // passes
    Index ofSteps; // passes before those of the initial slot

    __device__ void begin(
            const Walk<ROWS>& first,
            const Course& course,
            Index steps,
            const float* states,
            const float* gradients,
            const int* mask,
            int passes) {
        ahead = first;
        fetched = 0;
        ofSteps = steps * course.passes;
        #pragma unroll
        for (int i = 0; i < AHEAD; i++) next(course, states, gradients, mask, passes);
    }

    __device__ void next(const Course& course, const float* states, const float* gradients, const int* mask, int passes) {
        #pragma unroll
        for (int i = 0; i < AHEAD - 1; i++) {
            dhs[i] = dhs[i + 1];
            hs[i] = hs[i + 1];
            live[i] = live[i + 1];
            liveLater[i] = liveLater[i + 1];
        }
        bool there = fetched < ofSteps + course.passes && ahead.pass < passes;
        bool step = fetched < ofSteps;
        dhs[AHEAD - 1] = there ? gradients[ahead.at] : 0.0f;
        hs[AHEAD - 1] = there && step ? states[ahead.at] : 0.0f;
        live[AHEAD - 1] = there && step ? mask ? mask[ahead.row] : 1 : 0;
        liveLater[AHEAD - 1] = there && fetched >= course.passes ? mask ? mask[ahead.row - course.rowsPerStep] : 1 : 0;
        fetched++;
        ahead.next(course);
    }
};
