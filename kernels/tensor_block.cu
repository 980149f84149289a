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
