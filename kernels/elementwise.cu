// Rows and columns: sums, masks, biases and copies. Matrices are row-major; grids as in rnn.cu: columns in x, rows in y,
// loops stride by the grid. Offsets are 64 bits wide.

#include "strides.cuh"

/// y += alpha x.
extern "C" __global__ void __launch_bounds__(256) axpy(float alpha, const float* x, float* y, Index size) {
    Index done = 0;
    if (aligned(x, y)) {
        #pragma unroll 1
        for (Index i = firstUnit(); i < size / 4; i += unitStride()) {
            float4 a = ((const float4*)x)[i];
            float4 b = ((float4*)y)[i];
            b.x += alpha * a.x;
            b.y += alpha * a.y;
            b.z += alpha * a.z;
            b.w += alpha * a.w;
            ((float4*)y)[i] = b;
        }
        done = size / 4 * 4;
    }
    #pragma unroll 1
    for (Index i = done + firstUnit(); i < size; i += unitStride()) y[i] += alpha * x[i];
}

/// y = a * b; y may be one of them.
extern "C" __global__ void __launch_bounds__(256) multiply(const float* a, const float* b, float* y, Index size) {
    Index done = 0;
    if (aligned(a, y) && aligned(b, y)) {
        #pragma unroll 1
        for (Index i = firstUnit(); i < size / 4; i += unitStride()) {
            float4 p = ((const float4*)a)[i];
            float4 q = ((const float4*)b)[i];
            ((float4*)y)[i] = make_float4(p.x * q.x, p.y * q.y, p.z * q.z, p.w * q.w);
        }
        done = size / 4 * 4;
    }
    #pragma unroll 1
    for (Index i = done + firstUnit(); i < size; i += unitStride()) y[i] = a[i] * b[i];
}

/// y [M,C] += bias [C] in every row.
extern "C" __global__ void __launch_bounds__(256) add_bias(const float* bias, float* y, Index rows, Index columns) {
    if (columns % 4 == 0 && aligned(bias, y)) {
        #pragma unroll 1
        for (Index c = firstUnit() * 4; c < columns; c += unitStride() * 4) {
            float4 b = *(const float4*)(bias + c);
            #pragma unroll 1
            for (Index row = firstRow(); row < rows; row += rowStride()) {
                float4 v = *(float4*)(y + row * columns + c);
                v.x += b.x;
                v.y += b.y;
                v.z += b.z;
                v.w += b.w;
                *(float4*)(y + row * columns + c) = v;
            }
        }
        return;
    }
    #pragma unroll 1
    for (Index c = firstUnit(); c < columns; c += unitStride()) {
        float b = bias[c];
        #pragma unroll 1
        for (Index row = firstRow(); row < rows; row += rowStride()) y[row * columns + c] += b;
    }
}

/// y [M,C] = x [M,C] where keep [M] is not 0, else 0; y may be x.
extern "C" __global__ void __launch_bounds__(256) mask_rows(
        const float* x, const int* keep, float* y, Index rows, Index columns) {
    if (columns % 4 == 0 && aligned(x, y)) {
        #pragma unroll 1
        for (Index c = firstUnit() * 4; c < columns; c += unitStride() * 4) {
            #pragma unroll 1
            for (Index row = firstRow(); row < rows; row += rowStride()) {
                Index i = row * columns + c;
                *(float4*)(y + i) = keep[row] != 0 ? *(const float4*)(x + i) : make_float4(0, 0, 0, 0);
            }
        }
        return;
    }
    #pragma unroll 1
    for (Index c = firstUnit(); c < columns; c += unitStride()) {
        #pragma unroll 1
        for (Index row = firstRow(); row < rows; row += rowStride()) {
            Index i = row * columns + c;
            y[i] = keep[row] != 0 ? x[i] : 0.0f;
        }
    }
}

/// The first `columns` columns of each row; x and y already point at the first one, their rows are widthX and widthY apart.
extern "C" __global__ void __launch_bounds__(256) copy_columns(
        const float* x, Index widthX, float* y, Index widthY, Index rows, Index columns) {
    if (columns % 4 == 0 && widthX % 4 == 0 && widthY % 4 == 0 && aligned(x, y)) {
        #pragma unroll 1
        for (Index c = firstUnit() * 4; c < columns; c += unitStride() * 4) {
            #pragma unroll 1
            for (Index row = firstRow(); row < rows; row += rowStride()) {
                *(float4*)(y + row * widthY + c) = *(const float4*)(x + row * widthX + c);
            }
        }
        return;
    }
    #pragma unroll 1
    for (Index c = firstUnit(); c < columns; c += unitStride()) {
        #pragma unroll 1
        for (Index row = firstRow(); row < rows; row += rowStride()) y[row * widthY + c] = x[row * widthX + c];
    }
}

/// x = high + low, where high has the 10 bits of mantissa that a tensor core reads and low, which is exact, what they leave.
/// Unlike the split of mma.cuh, which rounds, this one cuts, so that a finite x has a finite high.
/// What is not finite goes to low, and high is 0: in the sums of high and low products an infinity meets a true factor once
/// and otherwise 0. A NaN is one whose upper bits say so.
__device__ void split(float x, float& high, float& low) {
    uint32_t bits = __float_as_uint(x);
    bool finite = (bits & 0x7f800000) != 0x7f800000;
    uint32_t rounded = (bits + 0x1000) & 0xffffe000;
    if ((rounded & 0x7f800000) == 0x7f800000) rounded = bits & 0xffffe000;
    high = finite ? __uint_as_float(rounded) : 0.0f;
    low = finite ? x - high : x == x ? x : __uint_as_float(0x7fffffff);
}

/// high and low [M,C], without gaps, of the first `columns` columns of each row; x already points at the first one, its rows
/// are widthX apart.
extern "C" __global__ void __launch_bounds__(256) split_columns(
        const float* x, Index widthX, float* high, float* low, Index rows, Index columns) {
    if (columns % 4 == 0 && widthX % 4 == 0 && aligned(x, high) && aligned(x, low)) {
        #pragma unroll 1
        for (Index c = firstUnit() * 4; c < columns; c += unitStride() * 4) {
            #pragma unroll 1
            for (Index row = firstRow(); row < rows; row += rowStride()) {
                float4 v = *(const float4*)(x + row * widthX + c);
                float4 h;
                float4 l;
                split(v.x, h.x, l.x);
                split(v.y, h.y, l.y);
                split(v.z, h.z, l.z);
                split(v.w, h.w, l.w);
                *(float4*)(high + row * columns + c) = h;
                *(float4*)(low + row * columns + c) = l;
            }
        }
        return;
    }
    #pragma unroll 1
    for (Index c = firstUnit(); c < columns; c += unitStride()) {
        #pragma unroll 1
        for (Index row = firstRow(); row < rows; row += rowStride()) {
            split(x[row * widthX + c], high[row * columns + c], low[row * columns + c]);
        }
    }
}

/// seen [T,N] = 1 once the row of mask [T,N] has met a live step, walking from step 0 or, in reverse, from T-1.
extern "C" __global__ void __launch_bounds__(256) seen_steps(
        const int* mask, int reverse, int* seen, Index steps, Index rows) {
    #pragma unroll 1
    for (Index n = firstUnit(); n < rows; n += unitStride()) {
        int met = 0;
        for (Index step = 0; step < steps; step++) {
            Index i = (reverse ? steps - 1 - step : step) * rows + n;
            if (mask[i] != 0) met = 1;
            seen[i] = met;
        }
    }
}

/// One level of the tree that sums the rows of x [M,C]: block (column tile, chunk) sums rowsPerChunk rows into row `chunk`
/// of y, or adds them to it. The order depends on M and rowsPerChunk alone. Launch with 32 x 8 threads.
extern "C" __global__ void __launch_bounds__(256) column_sums(
        const float* x, Index rows, Index columns, Index rowsPerChunk, float* y, int add) {
    __shared__ float sums[8][33];
    Index c = firstUnit();
    Index from = (Index)blockIdx.y * rowsPerChunk;
    Index to = from + rowsPerChunk < rows ? from + rowsPerChunk : rows;
    float sum = 0.0f;
    if (c < columns) {
        for (Index row = from + threadIdx.y; row < to; row += 8) sum += x[row * columns + c];
    }
    sums[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    for (int half = 4; half > 0; half /= 2) {
        if (threadIdx.y < half) sums[threadIdx.y][threadIdx.x] += sums[threadIdx.y + half][threadIdx.x];
        __syncthreads();
    }
    if (threadIdx.y == 0 && c < columns) {
        Index i = (Index)blockIdx.y * columns + c;
        y[i] = (add ? y[i] : 0.0f) + sums[0][threadIdx.x];
    }
}

/// y [C,M] = x [M,C] transposed. Launch with 32 x 8 threads for 32 x 32 elements; not in place. 8 bytes of memory an element, one
/// launch.
extern "C" __global__ void __launch_bounds__(256) transpose(const float* x, float* y, Index rows, Index columns) {
    __shared__ float tile[32][33]; // so that a column's elements lie in banks of their own
    Index row = (Index)blockIdx.y * 32;
    Index column = (Index)blockIdx.x * 32;
    #pragma unroll
    for (int i = 0; i < 32; i += 8) {
        Index r = row + threadIdx.y + i;
        Index c = column + threadIdx.x;
        if (r < rows && c < columns) tile[threadIdx.y + i][threadIdx.x] = x[r * columns + c];
    }
    __syncthreads();
    #pragma unroll
    for (int i = 0; i < 32; i += 8) {
        Index r = row + threadIdx.x;
        Index c = column + threadIdx.y + i;
        if (r < rows && c < columns) y[c * rows + r] = tile[threadIdx.x][threadIdx.y + i];
    }
}
