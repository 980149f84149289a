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
// An H200 took 0.30, 0.52 and 0.79 us in TF32 and 0.37 and 0.73 in float32, up to 1056 rows, where sequence.cu took 0.47, 0.71 and 1.29 for
// 512: 200 to 280 instructions, of one to three warps a scheduler, most of which wait for the one before.

#define CLUSTER // a group is a block
#include "tile.cuh"

FORWARD(tensor_block_forward_64_8, 64, true, Nobody)
FORWARD(tensor_block_forward_128_8, 128, true, Nobody)
BACKWARD(tensor_block_backward_64_8, 64, true, Nobody)
BACKWARD(tensor_block_backward_128_8, 128, true, Nobody)
FORWARD(tensor_block_tf32_forward_64_8, 64, false, Nobody)
FORWARD(tensor_block_tf32_forward_128_8, 128, false, Nobody)
FORWARD(tensor_block_tf32_forward_192_8, 192, false, Nobody)
BACKWARD(tensor_block_tf32_backward_64_8, 64, false, Nobody)
BACKWARD(tensor_block_tf32_backward_128_8, 128, false, Nobody)
BACKWARD(tensor_block_tf32_backward_192_8, 192, false, Nobody)
