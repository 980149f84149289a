// For kernels over matrices whose grid covers columns, or groups of them, in x and rows in y; both loops stride by the grid, so
// any grid gives the same result.

#include <stdint.h>

typedef long long Index;

__device__ Index firstRow() { return (Index)blockIdx.y * blockDim.y + threadIdx.y; }
__device__ Index rowStride() { return (Index)gridDim.y * blockDim.y; }
__device__ Index firstUnit() { return (Index)blockIdx.x * blockDim.x + threadIdx.x; }
__device__ Index unitStride() { return (Index)gridDim.x * blockDim.x; }

/// Whether all begin at multiples of 16 bytes, so that four numbers move at once.
template <typename... Pointers>
__device__ bool aligned(Pointers... pointers) {
    return ((... | (uintptr_t)pointers) & 15) == 0;
}
