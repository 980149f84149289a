// Which rows share a pass, and in which steps each pass takes part: tensor.cu.

/// A pass in a step.
struct Turn {
    int step;
    int pass;
    unsigned rest; // as bits, the passes that come after it in its step
};

/// Which rows a group has, and in which steps each of its passes takes part: from the first one in which a row of it is live to the
/// last one. With `ranks`, rows are dealt out by their number of live steps, a pass of one group after the other and in the next pass
/// back again: so those of a pass end together, if they begin together, and all groups have as much to do. Blocks are [..,groups]. Lies
/// in shared memory.
template <int ROWS, int MOST_PASSES>
struct Order {
    static const int LANES = 32; // each looks after a pass, or none

    int numbers[MOST_PASSES * ROWS]; // of the rows, pass by pass; -1 where there is none
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

    /// Without ranks, as bits, the passes that take part in every step, if any does; else none.
    __device__ unsigned always(const int* ranks) const {
        int2 span = ownSpan();
        return __ballot_sync(ALL, !ranks && span.x < span.y);
    }

    /// The span that this thread looks after.
    __device__ int2 ownSpan() const { return spans[threadIdx.x % LANES]; }

    /// The turn after this one; its step is `steps` or beyond, and its pass -1, if there is none.
    __device__ Turn next(Turn turn, unsigned always, int steps) const {
        while (turn.rest == 0 && ++turn.step < steps) {
            turn.rest = always;
            if (always != 0) break;
            int2 own = ownSpan();
            turn.rest = __ballot_sync(ALL, turn.step >= own.x && turn.step < own.y);
        }
        turn.pass = __ffs(turn.rest) - 1;
        turn.rest &= turn.rest - 1;
        return turn;
    }
};
