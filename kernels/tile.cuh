// Elman's recurrence over a whole sequence for eight rows at a time, a tile of a tensor core: tensor_block.cu, where one block of
// threads has all nodes, and tensor_pair.cu, where two share them. Wh is in registers, the states are in shared memory. Each warp
// multiplies all nodes by sixteen columns: so no sums have to meet, and a thread keeps its elements from step to step. States are
// split into what TF32 holds and the rest, or rounded to TF32, once, by who computes them.
//
// In strict float32 three products are summed as in tensor.cu, which says what becomes of numbers that are not finite. A sum
// of a tensor core takes 12 products of 8 terms at most before float32 goes on.

#include "mma.cuh"
#include "recurrence.cuh"

const int ROWS = 8; // of a group, the columns of a tensor core's tile
const int EARLY = 3; // steps from asking the second-level cache for what a step adds to its use
const int ELEMENTS = 4; // of a thread: two rows of a column, and of the eighth column after it

/// An Exchange brings the states of a group's blocks to each other, which share its columns; here a block has all of them. All warps
/// send, those with nothing but padding zeros: what came from a warp says that it has read what may now be overwritten.
struct Nobody {
    static const int BLOCKS = 1;

    static __device__ int rank() { return 0; }

    /// Ready for what is sent for the first two of the steps 1 to `last`; returns how many bytes come for each.
    template <typename P>
    __device__ int begin(int rows, int last) {
        return 0;
    }

    /// When all blocks of the group are ready.
    __device__ void start() const {}

    /// Waits for what was sent for this step, and gets ready for the next but one, if it comes.
    __device__ void await(int step, int last, int comes) const {}

    /// Sends a number to where it lies here, for this step.
    __device__ void send(unsigned address, int step, float value) const {}
};

template <int SIZE, bool IN_FLOAT32, typename Exchange>
struct Plan {
    static const bool STRICT = IN_FLOAT32;
    static const int SLICE = SIZE / Exchange::BLOCKS; // columns of a block
    static const int WARPS = SLICE / 16; // each has sixteen columns
    static const int THREADS = 32 * WARPS;
    static const int VECTORS = SIZE / 16; // of four numbers of a row that a thread multiplies
    static const int PLACES = ROWS * SIZE;
    static const int PARTS = STRICT ? 2 : 1; // of a state or a weight: high and low
    static const int APART = STRICT ? 3 : 1; // sums that meet last: low parts of weights, of states, and none
    static const int CHAINS = STRICT ? 6 : WARPS <= 8 ? 4 : 2; // of products that do not wait for each other
};

/// Which elements are a thread's, as a tensor core leaves them.
struct Share {
    int row;
    int column;

    /// `first` is the block's first column.
    __device__ Share(int first) {
        row = kept((int)(threadIdx.x % 4 * 2));
        column = kept((int)(first + threadIdx.x / 32 * 16 + threadIdx.x % 32 / 4));
    }

    __device__ int rowOf(int element) const { return row + element % 2; }
    __device__ int columnOf(int element) const { return column + element / 2 * 8; }
};

/// The states of a group's rows in one block, [SIZE/16,ROWS,16]: a buffer that a step reads and one that it fills, of high parts
/// and perhaps low ones. Rows and, within a row, vectors change places so that neither those who read, vectors of two rows at a
/// time, nor those who write, columns of every other row, meet in a bank.
template <typename P>
struct States {
    float values[2][P::PARTS][P::PLACES];

    static __device__ int place(int row, int column) {
        return column / 16 * 128 + (row ^ row / 2 % 2) * 16 + (column % 16 ^ row / 4 * 8);
    }

    /// The address of an element in the buffer that even steps read.
    __device__ unsigned at(int row, int column) const { return sharedAddress(&values[0][0][place(row, column)]); }

    /// The address of this thread's first vector there.
    __device__ unsigned read() const { return at(threadIdx.x % 32 / 4, threadIdx.x % 4 * 4); }

    /// From the buffer of even steps to that of this step.
    static __device__ unsigned turn(int step) { return (step & 1) * 4 * P::PARTS * P::PLACES; }

    /// From the address of a thread's first element to that of another one: the buffers begin at a multiple of 128.
    static __device__ unsigned other(unsigned first, int element) { return first ^ element % 2 * 64 ^ element / 2 * 32; }

    __device__ void clear() {
        #pragma unroll 1
        for (int i = threadIdx.x; i < 2 * P::PARTS * P::PLACES; i += P::THREADS) values[0][0][i] = 0.0f;
        __syncthreads();
    }

    /// Leaves an element at an address, and in the other blocks of the group for this step.
    template <typename Exchange>
    static __device__ void put(unsigned address, float value, const Exchange& exchange, int step) {
        float parts[P::PARTS];
        if (P::STRICT) split(value, parts[0], parts[P::PARTS - 1]);
        else parts[0] = roundedResult(value);
        #pragma unroll
        for (int i = 0; i < P::PARTS; i++) {
            storeShared(address + 4 * i * P::PLACES, parts[i]);
            exchange.send(address + 4 * i * P::PLACES, step, parts[i]);
        }
    }
};

/// A warp's columns of the weights, as a tensor core takes them.
template <typename P>
struct TensorWeights {
    float w[P::PARTS][P::VECTORS][2][4];

    /// The weight from k to a column is at wh[k * strideK + column * strideC].
    __device__ void load(const float* wh, Index hidden, Index strideK, Index strideC, const Share& share) {
        #pragma unroll
        for (int v = 0; v < P::VECTORS; v++) {
            #pragma unroll
            for (int i = 0; i < 8; i++) {
                Index k = v * 16 + threadIdx.x % 4 * 4 + i / 2;
                Index c = share.column + i % 2 * 8;
                float weight = k < hidden && c < hidden ? wh[k * strideK + c * strideC] : 0.0f;
                float high = P::STRICT ? cut(weight) : rounded(weight);
                w[0][v][i / 4][i % 4] = high;
                if (P::STRICT) w[P::PARTS - 1][v][i / 4][i % 4] = weight - high;
            }
        }
    }

    /// Adds the products of this thread's elements, from the vectors at an address.
    __device__ void times(unsigned vectors, float (&products)[ELEMENTS]) const {
        float sums[P::CHAINS][ELEMENTS] = {};
        #pragma unroll
        for (int v = 0; v < P::VECTORS; v++) {
            float4 high = loadShared4(vectors + 4 * 128 * v);
            float4 low;
            if (P::STRICT) low = loadShared4(vectors + 4 * (P::PLACES + 128 * v));
            #pragma unroll
            for (int half = 0; half < 2; half++) {
                float b0 = half == 0 ? high.x : high.z;
                float b1 = half == 0 ? high.y : high.w;
                if (P::STRICT) {
                    float b0Low = half == 0 ? low.x : low.z;
                    float b1Low = half == 0 ? low.y : low.w;
                    multiplyTile(sums[3 * half], w[P::PARTS - 1][v][half], b0, b1);
                    multiplyTile(sums[3 * half + 1], w[0][v][half], b0Low, b1Low);
                    multiplyTile(sums[(3 * half + 2) % P::CHAINS], w[0][v][half], b0, b1);
                } else {
                    multiplyTile(sums[(2 * v + half) % P::CHAINS], w[0][v][half], b0, b1);
                }
            }
        }
        #pragma unroll
        for (int e = 0; e < ELEMENTS; e++) {
            #pragma unroll
            for (int i = P::APART; i < P::CHAINS; i++) sums[i % P::APART][e] += sums[i][e];
            #pragma unroll
            for (int i = 1; i < P::APART; i++) sums[0][e] += sums[i][e];
            products[e] += sums[0][e];
        }
    }
};

/// The rows of a group.
struct Rows {
    Index first;
    int count;

    __device__ Rows(int blocks, Index rows, Index rowsPerGroup) {
        first = (Index)(blockIdx.x / blocks) * rowsPerGroup;
        count = kept((int)min(rowsPerGroup, rows - first));
    }

    /// Whether an element of a thread is left for the next step, be it padding.
    template <typename Exchange>
    __device__ bool puts(const Share& share, int element) const {
        return Exchange::BLOCKS == 1 || share.rowOf(element) < count;
    }
};

/// Where a thread's elements lie in a slot of [T+1,N,H].
struct Places {
    unsigned bits[ELEMENTS]; // of the row of each, as in a ballot over the rows; 0 if the thread has no such element
    // From the first one to each; for one that it has not, to the group's first number in the slot, which is read when its own would be
    // and not used: so reads need no branch.
    int reads[ELEMENTS];
    int hidden;

    __device__ Places(const Rows& group, const Share& share, Index hidden) : hidden(kept((int)hidden)) {
        #pragma unroll
        for (int e = 0; e < ELEMENTS; e++) {
            bool has = share.rowOf(e) < group.count && share.columnOf(e) < hidden;
            bits[e] = has ? 1u << share.rowOf(e) : 0;
            reads[e] = has ? apart(e) : -(share.row * (int)hidden + share.column);
        }
    }

    __device__ int apart(int element) const { return element % 2 * hidden + element / 2 * 8; }

    /// From the first element in a slot.
    __device__ void read(float (&values)[ELEMENTS], const float* first) const {
        #pragma unroll
        for (int e = 0; e < ELEMENTS; e++) values[e] = first[reads[e]];
    }

    __device__ void write(float* first, const float (&values)[ELEMENTS]) const {
        float* second = first + hidden;
        #pragma unroll
        for (int e = 0; e < ELEMENTS; e++) if (bits[e] != 0) (e % 2 == 0 ? first : second)[e / 2 * 8] = values[e];
    }

    /// What lies at each element, `first` being where the first one lies; `otherwise` where there is none or `first` is null.
    __device__ void readOnce(float (&values)[ELEMENTS], const float* first, float otherwise) const {
        #pragma unroll
        for (int e = 0; e < ELEMENTS; e++) values[e] = first && bits[e] != 0 ? first[apart(e)] : otherwise;
    }
};

/// Which rows of a group are live, step by step. A warp looks at the masks of all rows in four steps at once, four steps before
/// the first of them.
struct LiveRows {
    static const int AT_ONCE = 32 / ROWS; // steps

    unsigned all; // rows, as bits
    const int* mask; // [T,N], where this thread looks next; or null
    Index perFetch; // from there to where it looks then
    int left; // steps from there on
    bool looks;
    int fetched;
    unsigned bits; // of each row in each of these four steps

    /// `step` is the first of `steps` steps.
    __device__ LiveRows(const Rows& group, const int* masks, Index steps, Index rows, Index step, int direction) {
        int row = threadIdx.x % ROWS;
        int ahead = threadIdx.x % 32 / ROWS;
        all = (1u << group.count) - 1;
        perFetch = AT_ONCE * direction * rows;
        looks = row < group.count;
        left = (int)steps - ahead;
        mask = masks ? masks + (step + direction * ahead) * rows + group.first + row : nullptr;
        fetched = 0;
        bits = 0;
        if (!masks) return;
        fetch();
        bits = __ballot_sync(ALL, fetched != 0);
        fetch();
    }

    __device__ void fetch() {
        fetched = 0;
        if (looks && left > 0) fetched = *mask;
        mask += perFetch;
        left -= AT_ONCE;
    }

    /// As bits, those of a step.
    __device__ unsigned of(int step, bool masked) {
        if (!masked) return all;
        int inFetch = step % AT_ONCE;
        unsigned alive = bits >> inFetch * ROWS & 0xffu;
        if (inFetch == AT_ONCE - 1) bits = __ballot_sync(ALL, fetched != 0);
        else if (inFetch == 0 && step > 0) fetch();
        return alive;
    }
};

/// Where a thread asks the second-level cache, EARLY steps ahead, for what others read: eight columns of a row.
struct Asks {
    Index at; // in [T+1,N,H]
    bool any;

    /// `slot` is that of the first step.
    __device__ Asks(const Rows& group, const Share& share, Index rows, Index hidden, Index slot, Index perStep) {
        int row = threadIdx.x % ROWS;
        int column = share.column - threadIdx.x % 32 / 4 + threadIdx.x % 32 / ROWS * 8;
        any = row < group.count && threadIdx.x % 32 < 2 * ROWS && column < hidden;
        at = (slot * rows + group.first + row) * hidden + column + EARLY * perStep;
    }
};

template <int SIZE, bool STRICT, typename Exchange>
__device__ void forward(FORWARD_OPERANDS, SIZES, int reverse, int activation) {
    typedef Plan<SIZE, STRICT, Exchange> P;
    typedef States<P> S;
    __shared__ __align__(128) S buffers;
    __shared__ Exchange exchange;
    const Share share(Exchange::rank() * P::SLICE);
    TensorWeights<P> weights;
    weights.load(wh, hidden, hidden, 1, share);
    buffers.clear();

    const int last = (int)steps - 1;
    const Rows group(Exchange::BLOCKS, rows, rowsPerGroup);
    const int comes = exchange.template begin<P>(group.count, last);
    const float* initial = states + ((reverse ? steps * rows : 0) + group.first) * hidden;
    #pragma unroll 1
    for (int row = 0; row < group.count; row++) {
        #pragma unroll 1
        for (int column = threadIdx.x; column < (int)hidden; column += P::THREADS) {
            float seen = __fmul_rn( // by 1, too: rounded is what an instruction computed
                    initial[row * hidden + column], factors ? factors[(group.first + row) * hidden + column] : 1.0f);
            S::put(buffers.at(row, column), seen, Nobody(), 0);
        }
    }
    const Places places(group, share, hidden);
    const Index slot = reverse ? steps - 1 : 1;
    const Index perStep = (reverse ? -1 : 1) * rows * hidden;
    const Index inRows = (group.first + share.row) * hidden + share.column;
    LiveRows liveRows(group, mask, steps, rows, reverse ? steps - 1 : 0, reverse ? -1 : 1);
    Asks asks(group, share, rows, hidden, slot, perStep);
    float* at = states + slot * rows * hidden + inRows; // this step's first element
    float h[ELEMENTS]; // a masked step's state is that of the one before
    float added[ELEMENTS]; // to the products
    float factor[ELEMENTS];
    float b[ELEMENTS / 2];
    places.readOnce(h, at - perStep, 0.0f);
    places.read(added, at);
    places.readOnce(factor, factors ? factors + inRows : nullptr, 1.0f);
    #pragma unroll
    for (int e = 0; e < ELEMENTS; e += 2) b[e / 2] = bias && places.bits[e] != 0 ? bias[share.columnOf(e)] : 0.0f;
    unsigned vectors = kept(buffers.read());
    unsigned place = kept(buffers.at(share.row, share.column));
    __syncthreads();
    exchange.start();

    #pragma unroll 1
    for (int step = 0; step <= last; step++) {
        unsigned alive = liveRows.of(step, mask != nullptr);
        float sums[ELEMENTS];
        #pragma unroll
        for (int e = 0; e < ELEMENTS; e++) sums[e] = computedHere(added[e] + b[e / 2]);
        if (step < last) places.read(added, at + perStep);
        if (asks.any && step + EARLY <= last) prefetch(states + asks.at);
        asks.at += perStep;

        exchange.await(step, last, comes);
        if (alive) weights.times(vectors + S::turn(step), sums);
        activateAll(activation, sums);
        #pragma unroll
        for (int e = 0; e < ELEMENTS; e++) h[e] = alive & places.bits[e] ? sums[e] : h[e];
        if (Exchange::BLOCKS == 1 || step < last) {
            #pragma unroll
            for (int e = 0; e < ELEMENTS; e++) {
                if (!group.puts<Exchange>(share, e)) continue;
                S::put(S::other(place, e) + S::turn(step + 1), __fmul_rn(h[e], factor[e]), exchange, step + 1);
            }
        }
        places.write(at, h);
        at += perStep;
        __syncthreads();
    }
}

/// Slot by slot down to the initial one, which only gains. What goes on to the step before without a product, from a masked
/// one, stays with its thread.
template <int SIZE, bool STRICT, typename Exchange>
__device__ void backward(BACKWARD_OPERANDS, SIZES, int reverse, int activation) {
    typedef Plan<SIZE, STRICT, Exchange> P;
    typedef States<P> S;
    __shared__ __align__(128) S buffers;
    __shared__ Exchange exchange;
    const Share share(Exchange::rank() * P::SLICE);
    TensorWeights<P> weights;
    weights.load(wh, hidden, 1, hidden, share);
    buffers.clear();

    const int last = (int)steps; // the initial slot comes as one more step
    const Rows group(Exchange::BLOCKS, rows, rowsPerGroup);
    const int comes = exchange.template begin<P>(group.count, last);
    const Places places(group, share, hidden);
    const Index slot = reverse ? 0 : steps;
    const Index perStep = (reverse ? 1 : -1) * rows * hidden;
    const Index inRows = (group.first + share.row) * hidden + share.column;
    LiveRows liveRows(group, mask, steps, rows, reverse ? 0 : steps - 1, reverse ? 1 : -1);
    Asks asks(group, share, rows, hidden, slot, perStep);
    Index first = slot * rows * hidden + inRows; // this step's first element
    float* at = gradients + first;
    const float* ofStates = states + first;
    float dh[ELEMENTS];
    float h[ELEMENTS];
    float carried[ELEMENTS] = {};
    float factor[ELEMENTS];
    places.read(dh, at);
    places.read(h, ofStates);
    places.readOnce(factor, factors ? factors + inRows : nullptr, 1.0f);
    unsigned later = 0; // rows that were live in the step that ran after it
    unsigned vectors = kept(buffers.read());
    unsigned place = kept(buffers.at(share.row, share.column));
    __syncthreads(); // what stands for an element that a thread has not is another's, who writes it in the first step
    exchange.start();

    #pragma unroll 1
    for (int step = 0; step <= last; step++) {
        unsigned alive = liveRows.of(step, mask != nullptr);
        if (step == last) alive = 0;
        float gradient[ELEMENTS], slope[ELEMENTS];
        byActivation(activation, [&](int one) {
            #pragma unroll
            for (int e = 0; e < ELEMENTS; e++) slope[e] = derivative(one, h[e]);
        });
        #pragma unroll
        for (int e = 0; e < ELEMENTS; e++) {
            slope[e] = computedHere(slope[e]);
            gradient[e] = computedHere(dh[e]);
        }
        ofStates += perStep;
        if (step < last) {
            places.read(dh, at + perStep);
            places.read(h, ofStates); // the initial state, too, whose slope is not asked for
        }
        if (asks.any && step + EARLY <= last) {
            prefetch(gradients + asks.at);
            prefetch(states + asks.at);
        }
        asks.at += perStep;

        exchange.await(step, last, comes);
        float products[ELEMENTS] = {};
        if (later) weights.times(vectors + S::turn(step), products);
        float da[ELEMENTS];
        #pragma unroll
        for (int e = 0; e < ELEMENTS; e++) {
            gradient[e] += later & places.bits[e] ? factor[e] * products[e] : carried[e];
            carried[e] = gradient[e];
            da[e] = alive & places.bits[e] ? gradient[e] * slope[e] : 0.0f;
        }
        if (Exchange::BLOCKS == 1 || step < last) {
            #pragma unroll
            for (int e = 0; e < ELEMENTS; e++) {
                if (group.puts<Exchange>(share, e)) S::put(S::other(place, e) + S::turn(step + 1), da[e], exchange, step + 1);
            }
        }
        #pragma unroll
        for (int e = 0; e < ELEMENTS; e++) if (step == last) da[e] = gradient[e]; // the initial slot gains
        places.write(at, da);
        at += perStep;
        __syncthreads();
        later = alive;
    }
}

/// Group g, a block or the CLUSTER that the including file defines, owns the rows from g * rowsPerGroup on, eight at most.
#define FORWARD(name, size, strict, exchange)                                                                     \
    extern "C" __global__ void CLUSTER __launch_bounds__(Plan<size, strict, exchange>::THREADS, 1) name(          \
            FORWARD_OPERANDS, SIZES, int reverse, int activation, OTHER_FORWARD_OPERANDS) {                       \
        forward<size, strict, exchange>(                                                                          \
                FORWARD_OPERANDS_HERE, steps, rows, hidden, rowsPerGroup, reverse ^ (int)blockIdx.z, activation); \
    }

#define BACKWARD(name, size, strict, exchange)                                                                     \
    extern "C" __global__ void CLUSTER __launch_bounds__(Plan<size, strict, exchange>::THREADS, 1) name(           \
            BACKWARD_OPERANDS, SIZES, int reverse, int activation, OTHER_BACKWARD_OPERANDS) {                      \
        backward<size, strict, exchange>(                                                                          \
                BACKWARD_OPERANDS_HERE, steps, rows, hidden, rowsPerGroup, reverse ^ (int)blockIdx.z, activation); \
    }
