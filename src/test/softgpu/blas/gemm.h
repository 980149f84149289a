// C = alpha * op(A) * op(B) + beta * C, column-major, the terms of each element summed in order of k: the same bits
// every time.
#pragma once

#include <cstdint>

namespace softgpu {

struct Gemm {
    bool transA = false, transB = false;
    int64_t m = 0, n = 0, k = 0;
    const float *a = nullptr, *b = nullptr;
    float* c = nullptr;
    int64_t lda = 0, ldb = 0, ldc = 0;
    float alpha = 1, beta = 0;
    bool tf32 = false;  // as tensor cores do: inputs cut to 10 bits of mantissa, sums cut off
};

// The bounds of the operands, whether all that is read was written, whether C overlaps A or B; throws a Fault.
void checkOperands(const Gemm& g, const char* call);
void multiply(const Gemm& g);

}  // namespace softgpu
