// Elman's recurrence over a whole sequence in one cooperative launch, for more nodes than a cluster of blocks holds, and for
// GPUs without clusters: a group of blocks shares the rows of a batch, and each keeps a slice of the columns of Wh in
// registers. A state reaches the others through a ring of slots in memory, which stays in the second-level cache. Nothing
// says that it is there but itself: an empty place holds a NaN that no state is, and who needs a number reads until it
// is another. So blocks wait for nothing but the numbers that they read, and while a group has several passes, the numbers of
// one travel while another is computed. All blocks must run at the same time, which a cooperative launch promises.
//
// Who wrote a place empties it when all have surely read it: when their next states are here. Between that and the next
// write there is a fence on both sides, see Ring.
//
// Otherwise as sequence.cu: projections in place, masks, and bits that depend neither on N nor on T nor on a row's neighbours.
//
// Floor of a step of one row, in cycles of a multiprocessor: 256 for the products (64 for 256 nodes, 192 for 768), and in a
// chain the reads (30), shuffles (125), tanh (100; the derivative 40) and the way through the second-level cache (750 for
// 8 blocks, 1050 for 32, 2000 for 128, measured): 0.79 us at 1.98 GHz for 1024 nodes. Bytes: 8 H forward and 12 H backward,
// 4 BLOCKS more with the mask; in the second-level cache 8 H written and 4 H BLOCKS read. No barrier of the grid, one launch.
// An H200 took 0.73, 0.84, 0.85, 0.98 and 1.14 us for 256, 512, 768, 1024 and 2048 nodes; a barrier of the grid alone is 1.2.

#include "recurrence.cuh"

template <int SIZE>
struct Plan {
    static const int SLICE = SIZE <= 512 ? 64 : SIZE <= 1024 ? 32 : 16; // columns of a block
    static const int BLOCKS = SIZE / SLICE; // of a group
    static const int COLUMNS = SIZE <= 512 ? 8 : SIZE <= 1024 ? 4 : 2; // of a thread
    static const int THREADS = 256;
    static const int PARTS = THREADS * COLUMNS / SLICE;
};

const int MOST_PASSES = 16;
static_assert(MOST_PASSES < 32, "passesOf knows no more");

/// The states of a group's rows on their way to the other blocks: [slots,rows,SIZE], where rows fill whole passes. The
/// numbers that step s makes are in slot (s + 1) % slots, and are read in step s + 1.
///
/// A place that step s filled is emptied in step s + 2, when what all blocks made of it is here, and filled again in step
/// s + slots. Every quarter of the slots each thread makes a fence: one after a place was emptied, and one in each reader
/// after it has read what was written after that fence, both before the place is read again; so nobody takes the old
/// number for the new one.
template <int SIZE, int ROWS>
struct Ring {
    typedef Plan<SIZE> P;
    static const int PASS = ROWS * SIZE;
    static const int QUADS = (PASS / 4 + P::THREADS - 1) / P::THREADS; // of a thread in a pass

    float* places;
    float* own; // this thread's in the first pass of the first slot
    Index slots;
    Index passes;

    float4 vectors[QUADS]; // of the pass that comes

    /// The ring of a group, where all groups' rings lie one after the other; `offset` is this thread's number in a pass.
    __device__ void begin(float* all, Index slotsOfRing, Index group, Index rowsOfGroup, Index offset) {
        slots = slotsOfRing;
        passes = ROWS == 1 ? 1 : (rowsOfGroup + ROWS - 1) / ROWS;
        places = (float*)kept((Index)(all + group * slots * passes * PASS));
        own = places + offset;
    }

    __device__ Index at(Index step, Index pass) const { return ((step & (slots - 1)) * passes + pass) * PASS; }

    static __device__ bool mine(int quad) { return PASS % (4 * P::THREADS) == 0 || quad * P::THREADS + threadIdx.x < PASS / 4; }

    __device__ float4 read(const float* from, int quad) const {
        float4 v;
        asm volatile("ld.relaxed.gpu.global.v4.f32 {%0, %1, %2, %3}, [%4];"
                     : "=f"(v.x), "=f"(v.y), "=f"(v.z), "=f"(v.w)
                     : "l"(from + (quad * P::THREADS + threadIdx.x) * 4)
                     : "memory");
        return v;
    }

    static __device__ bool empty(float4 v) {
        return __float_as_uint(v.x) == EMPTY || __float_as_uint(v.y) == EMPTY || __float_as_uint(v.z) == EMPTY
                || __float_as_uint(v.w) == EMPTY;
    }

    /// Puts into shared memory what nothing was sent for: rows of `hidden` numbers one after the other, zeros where there are no
    /// numbers.
    static __device__ void fill(float* buffer, const float* from, Index rows, Index hidden) {
        #pragma unroll 1
        for (Index row = 0; row < ROWS; row++) {
            #pragma unroll 1
            for (Index column = threadIdx.x; column < SIZE; column += P::THREADS) {
                float v = row < rows && column < hidden ? from[row * hidden + column] : 0.0f;
                buffer[row * SIZE + column] = v;
            }
        }
    }

    /// Asks for the vectors of a pass; they may be there or not.
    __device__ void ask(Index step, Index pass) {
        const float* from = places + at(step, pass);
        #pragma unroll
        for (int i = 0; i < QUADS; i++) if (mine(i)) vectors[i] = read(from, i);
    }

    /// Waits until the vectors are there that were asked for.
    __device__ void await(Index step, Index pass) {
        const float* from = places + at(step, pass);
        bool complete;
        do {
            complete = true;
            #pragma unroll
            for (int i = 0; i < QUADS; i++) if (mine(i) && empty(vectors[i])) vectors[i] = read(from, i);
            #pragma unroll
            for (int i = 0; i < QUADS; i++) complete &= !mine(i) || !empty(vectors[i]);
        } while (!complete);
    }

    /// Puts them into shared memory.
    __device__ void put(float* buffer) const {
        #pragma unroll
        for (int i = 0; i < QUADS; i++) if (mine(i)) ((float4*)buffer)[i * P::THREADS + threadIdx.x] = vectors[i];
    }

    /// Where this thread's number goes that step `step` makes, and what is emptied then: the place of the step before the last.
    struct Destination {
        float* place;
        float* old;
    };

    __device__ Destination destination(Index step, Index pass) const {
        return {computedHere(own + at(step + 1, pass)), computedHere(own + at(step - 1, pass))};
    }

    static __device__ void send(Destination to, Index step, float value) {
        unsigned bits = __float_as_uint(value) == EMPTY ? NOT_A_NUMBER : __float_as_uint(value);
        asm volatile("st.relaxed.gpu.global.u32 [%0], %1;" ::"l"(to.place), "r"(bits) : "memory");
        if (step > 1) asm volatile("st.relaxed.gpu.global.u32 [%0], %1;" ::"l"(to.old), "r"(EMPTY) : "memory");
    }

    __device__ void fence(Index step) const {
        if ((step & (slots / 4 - 1)) == 0) deviceFence();
    }
};

template <int SIZE, int ROWS>
__device__ void forward(FORWARD_OPERANDS, float* places, SIZES, int slots, int reverse, int activation) {
    typedef Plan<SIZE> P;
    typedef Weights<SIZE, P::PARTS, P::COLUMNS, ROWS> W;
    __shared__ __align__(16) float buffers[2][ROWS * SIZE];
    W weights;
    Index firstColumn = (Index)blockIdx.x * P::SLICE;
    Index group = blockIdx.y;
    Index first = group * rowsPerGroup;
    weights.load(wh, hidden, firstColumn, hidden, 1);
    if (ROWS == 1 && factors) weights.multiplyNodes(factors + first * hidden, hidden);
    Index left = min(rowsPerGroup, rows - first);
    int line = W::line();
    Index column = firstColumn + W::column();
    int part = kept(W::part());
    bool sends = kept((int)(W::twin() == 0));
    int mine = sends && column < hidden ? (int)((left - line + ROWS - 1) / ROWS) : 0;
    unsigned offset = kept(4 * (line * SIZE + (unsigned)column)); // in a buffer
    unsigned address = kept(sharedAddress(buffers));

    Course course = {passesOf<ROWS>(left), hidden, reverse ? -rows * hidden : rows * hidden,
                     reverse ? -rows : rows};
    Index initial = (reverse ? steps * rows : 0) + first;
    Walk<ROWS> here = {
            (initial + line) * hidden + column + course.perStep, (reverse ? (steps - 1) * rows : 0) + first + line, 0};
    ForwardFeed<ROWS> feed;
    feed.begin(here, course, steps, states, mask, mine);
    float b = bias && mine > 0 ? bias[column] : 0.0f;

    Ring<SIZE, ROWS> ring;
    ring.begin(places, slots, (Index)blockIdx.z * gridDim.y + group, rowsPerGroup, line * SIZE + column);
    int turn = 0;
    #pragma unroll 1
    for (Index step = 0; step < steps; step++) {
        ring.fence(step);
        #pragma unroll 1
        for (Index pass = 0; pass < course.passes; pass++) {
            float sum = feed.sums[0];
            bool alive = feed.live[0] != 0;
            bool anyLive = __any_sync(ALL, alive);
            feed.next(course, states, mask, mine);

            typename Ring<SIZE, ROWS>::Destination to = ring.destination(step, pass);
            if (step == 0) {
                ring.fill(buffers[turn], states + (initial + pass * ROWS) * hidden, left - pass * ROWS, hidden);
            } else {
                if (course.passes == 1) ring.ask(step, 0);
                ring.await(step, pass);
                ring.put(buffers[turn]);
            }
            __syncthreads();
            if (course.passes > 1) {
                bool last = pass == course.passes - 1;
                Index nextStep = last ? step + 1 : step;
                if (nextStep > 0 && nextStep < steps) ring.ask(nextStep, last ? 0 : pass + 1);
            }
            unsigned now = address + turn * 4 * ROWS * SIZE;
            float before = pass < mine ? loadShared(now + offset) : 0.0f;
            if (anyLive) sum += weights.times(now + 16 * part, part);
            float h = activate(activation, sum + b);
            if (!alive) h = before;
            if (sends && step + 1 < steps) ring.send(to, step, h); // first, for the others wait for it
            if (pass < mine) states[here.at] = h;
            here.next(course);
            turn ^= 1;
        }
    }
}

/// Slot by slot down to the initial one, which only gains. What goes on to the step before without a product, from a masked
/// one, stays with its thread.
template <int SIZE, int ROWS>
__device__ void backward(BACKWARD_OPERANDS, float* places, SIZES, int slots, int reverse, int activation) {
    typedef Plan<SIZE> P;
    typedef Weights<SIZE, P::PARTS, P::COLUMNS, ROWS> W;
    __shared__ __align__(16) float buffers[2][ROWS * SIZE];
    __shared__ float carried[ROWS == 1 ? 1 : MOST_PASSES][P::THREADS];
    W weights;
    Index firstColumn = (Index)blockIdx.x * P::SLICE;
    Index group = blockIdx.y;
    Index first = group * rowsPerGroup;
    weights.load(wh, hidden, firstColumn, 1, hidden);
    if (ROWS == 1 && factors) weights.multiplyColumns(factors + first * hidden, hidden, firstColumn);
    Index left = min(rowsPerGroup, rows - first);
    int line = W::line();
    Index column = firstColumn + W::column();
    int part = kept(W::part());
    bool sends = kept((int)(W::twin() == 0));
    int mine = sends && column < hidden ? (int)((left - line + ROWS - 1) / ROWS) : 0;
    unsigned address = kept(sharedAddress(buffers));
    unsigned carry = kept(sharedAddress(&carried[0][threadIdx.x]));

    Course course = {passesOf<ROWS>(left), hidden, reverse ? rows * hidden : -rows * hidden,
                     reverse ? rows : -rows};
    Index last = (reverse ? 0 : steps * rows) + first; // the slot of the step that ran last
    Walk<ROWS> here = {(last + line) * hidden + column, (reverse ? 0 : (steps - 1) * rows) + first + line, 0};
    BackwardFeed<ROWS> feed;
    feed.begin(here, course, steps, states, gradients, mask, mine);
    for (int pass = 0; pass < mine; pass++) storeShared(carry + 4 * pass * P::THREADS, 0.0f);

    Ring<SIZE, ROWS> ring;
    ring.begin(places, slots, (Index)blockIdx.z * gridDim.y + group, rowsPerGroup, line * SIZE + column);
    int turn = 0;
    #pragma unroll 1
    for (Index step = 0; step <= steps; step++) {
        ring.fence(step);
        #pragma unroll 1
        for (Index pass = 0; pass < course.passes; pass++) {
            float g = feed.dhs[0];
            float h = feed.hs[0];
            bool alive = feed.live[0] != 0;
            bool later = feed.liveLater[0] != 0;
            bool anyLater = __any_sync(ALL, later);
            feed.next(course, states, gradients, mask, mine);

            typename Ring<SIZE, ROWS>::Destination to = ring.destination(step, pass);
            float slope = computedHere(alive ? derivative(activation, h) : 0.0f);
            if (step > 0) {
                if (course.passes == 1) ring.ask(step, 0);
                ring.await(step, pass);
                ring.put(buffers[turn]);
            }
            __syncthreads();
            if (course.passes > 1) {
                bool end = pass == course.passes - 1;
                Index nextStep = end ? step + 1 : step;
                if (nextStep > 0 && nextStep <= steps) ring.ask(nextStep, end ? 0 : pass + 1);
            }
            unsigned place = carry + 4 * (unsigned)pass * P::THREADS;
            float before = pass < mine ? loadShared(place) : 0.0f;
            float sum = 0.0f;
            if (anyLater) sum = weights.times(address + turn * 4 * ROWS * SIZE + 16 * part, part);
            g += later ? sum : before;
            float da = alive ? g * slope : 0.0f;
            if (sends && step < steps) ring.send(to, step, da);
            if (pass < mine) {
                storeShared(place, g);
                gradients[here.at] = step == steps ? g : da;
            }
            here.next(course);
            turn ^= 1;
        }
    }
}

/// Blocks are [BLOCKS,groups]. Group g owns the rows from g * rowsPerGroup on, `rowsAtOnce` in a pass; `places` are EMPTY, and `slots`
/// is a power of two, 8 or more. `factors` are not read where a pass has several rows.
#define FORWARD(name, size, rowsAtOnce)                                                                                          \
    extern "C" __global__ void __launch_bounds__(Plan<size>::THREADS, 1) name(                                                   \
            FORWARD_OPERANDS, float* places, SIZES, int slots, int reverse, int activation, OTHER_FORWARD_OPERANDS) {            \
        forward<size, rowsAtOnce>(                                                                                               \
                FORWARD_OPERANDS_HERE, places, steps, rows, hidden, rowsPerGroup, slots, reverse ^ (int)blockIdx.z, activation); \
    }

#define BACKWARD(name, size, rowsAtOnce)                                                                                          \
    extern "C" __global__ void __launch_bounds__(Plan<size>::THREADS, 1) name(                                                    \
            BACKWARD_OPERANDS, float* places, SIZES, int slots, int reverse, int activation, OTHER_BACKWARD_OPERANDS) {           \
        backward<size, rowsAtOnce>(                                                                                               \
                BACKWARD_OPERANDS_HERE, places, steps, rows, hidden, rowsPerGroup, slots, reverse ^ (int)blockIdx.z, activation); \
    }

FORWARD(grid_forward_256_1, 256, 1)
FORWARD(grid_forward_256_4, 256, 4)
FORWARD(grid_forward_512_1, 512, 1)
FORWARD(grid_forward_512_4, 512, 4)
FORWARD(grid_forward_768_1, 768, 1)
FORWARD(grid_forward_768_4, 768, 4)
FORWARD(grid_forward_1024_1, 1024, 1)
FORWARD(grid_forward_1024_4, 1024, 4)
FORWARD(grid_forward_2048_1, 2048, 1)
FORWARD(grid_forward_2048_2, 2048, 2)
BACKWARD(grid_backward_256_1, 256, 1)
BACKWARD(grid_backward_256_4, 256, 4)
BACKWARD(grid_backward_512_1, 512, 1)
BACKWARD(grid_backward_512_4, 512, 4)
BACKWARD(grid_backward_768_1, 768, 1)
BACKWARD(grid_backward_768_4, 768, 4)
BACKWARD(grid_backward_1024_1, 1024, 1)
BACKWARD(grid_backward_1024_4, 1024, 4)
BACKWARD(grid_backward_2048_1, 2048, 1)
BACKWARD(grid_backward_2048_2, 2048, 2)
