// Tensor cores in TF32: tensor.cu, tensor_cluster.cu and tile.cuh. Needs compute capability 8.0.

/// To the nearest number of TF32.
__device__ float rounded(float value) {
    unsigned bits;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(value));
    return __uint_as_float(bits);
}

/// The same of what an instruction computed, whose NaN is 0x7fffffff, not of what was only loaded or chosen: a NaN from 0xfffff000 on would
/// become 0. Without a comparison, for a thread has few places for results of those, and four elements would wait for each other.
__device__ float roundedResult(float value) {
    int bits = min(__float_as_int(value), 0x7fffefff); // or a NaN would become a number
    return __int_as_float(bits + 0x1000 & 0xffffe000);
}

/// value = high + low, where TF32 holds high and all but 2 bits of low. What has no finite part that is high is low.
__device__ void split(float value, float& high, float& low) {
    high = __uint_as_float(__float_as_uint(value) + 0x1000u & 0xffffe000u);
    if (!(fabsf(high) < __uint_as_float(0x7f800000u))) high = 0.0f;
    low = value - high;
}

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
