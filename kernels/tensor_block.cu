// compute_80
// Elman's recurrence over a whole sequence in one launch, for large batches of few nodes, with the products on tensor cores: as
// in sequence.cu a block of threads owns rows of the batch and walks all their steps. Here it owns eight, see tile.cuh.
//
// Otherwise as sequence.cu: projections in place, masks, and bits that depend neither on N nor on T nor on a row's neighbours.
// SIZE is what H is padded to: 64 or 128, in TF32 also 192.
//
// Floor of a step, in cycles of a multiprocessor: the products SIZE^2 / 128 (32, 128, 288; with mma.sync 1.6 times that), three
// times that in float32; each warp reads all states, SIZE^2 / 64 (64, 256, 576), twice that in float32; tanh of 8 SIZE elements
// SIZE * 1.6 (100, 200, 300); and in a chain, beside what of these does not overlap, the first read (30), the products of a chain
// (130 to 400), tanh (100; the derivative 40), the barrier (30).
// Bytes of memory: 8 rows of 8 H forward and of 12 H backward, 4 more with the mask. One barrier a step, one launch.
// No GPU has run it; expected are 0.27, 0.38 and 0.6 us in TF32 and 0.29 and 0.5 in float32, up to 1056 rows on an H100, which took
// 0.48, 0.73 and 1.40 for 512 rows with sequence.cu.

#include "tile.cuh"

/// states [T+1,N,H]: in, the initial slot and the projections; out, the states. `bias` [H], `mask` [T,N] and
/// `factors` [N,H] may be null; with factors, those of recurrent dropout, Wh sees factor times state.
/// Block b owns the rows from b * rowsPerBlock on, eight at most; a second layer of the grid as in sequence.cu.
#define FORWARD(name, size, strict)                                                                             \
    extern "C" __global__ void __launch_bounds__(Plan<size, strict, Nobody>::THREADS, 1) name(                  \
            const float* wh,                                                                                    \
            const float* bias,                                                                                  \
            float* states,                                                                                      \
            const int* mask,                                                                                    \
            const float* factors,                                                                               \
            Index steps,                                                                                        \
            Index rows,                                                                                         \
            Index hidden,                                                                                       \
            Index rowsPerBlock,                                                                                 \
            int reverse,                                                                                        \
            int activation,                                                                                     \
            const float* otherWh,                                                                               \
            const float* otherBias,                                                                             \
            float* otherStates,                                                                                 \
            const float* otherFactors) {                                                                        \
        forward<size, strict, Nobody>(                                                                          \
                ofDirection(wh, otherWh), ofDirection(bias, otherBias), ofDirection(states, otherStates),       \
                mask, ofDirection(factors, otherFactors), steps, rows, hidden, rowsPerBlock,                    \
                reverse ^ (int)blockIdx.z, activation);                                                         \
    }

/// gradients [T+1,N,H]: in, those of the states as the layers above see them; out, da, and in the initial slot the gradient
/// of the initial state.
#define BACKWARD(name, size, strict)                                                                            \
    extern "C" __global__ void __launch_bounds__(Plan<size, strict, Nobody>::THREADS, 1) name(                  \
            const float* wh,                                                                                    \
            const float* states,                                                                                \
            float* gradients,                                                                                   \
            const int* mask,                                                                                    \
            const float* factors,                                                                               \
            Index steps,                                                                                        \
            Index rows,                                                                                         \
            Index hidden,                                                                                       \
            Index rowsPerBlock,                                                                                 \
            int reverse,                                                                                        \
            int activation,                                                                                     \
            const float* otherWh,                                                                               \
            const float* otherStates,                                                                           \
            float* otherGradients,                                                                              \
            const float* otherFactors) {                                                                        \
        backward<size, strict, Nobody>(                                                                         \
                ofDirection(wh, otherWh), ofDirection(states, otherStates),                                     \
                ofDirection(gradients, otherGradients), mask, ofDirection(factors, otherFactors), steps,        \
                rows, hidden, rowsPerBlock, reverse ^ (int)blockIdx.z, activation);                             \
    }

FORWARD(tensor_block_forward_64_8, 64, true)
FORWARD(tensor_block_forward_128_8, 128, true)
BACKWARD(tensor_block_backward_64_8, 64, true)
BACKWARD(tensor_block_backward_128_8, 128, true)
FORWARD(tensor_block_tf32_forward_64_8, 64, false)
FORWARD(tensor_block_tf32_forward_128_8, 128, false)
FORWARD(tensor_block_tf32_forward_192_8, 192, false)
BACKWARD(tensor_block_tf32_backward_64_8, 64, false)
BACKWARD(tensor_block_tf32_backward_128_8, 128, false)
BACKWARD(tensor_block_tf32_backward_192_8, 192, false)
