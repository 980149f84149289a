#include "gemm.h"

#include "driver/for_blas.h"
#include "exec/tf32.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

namespace softgpu {

namespace {

struct Matrix {
    uint64_t base;
    int64_t rows, columns, ld;
    uint64_t bytes() const { return rows && columns ? 4 * uint64_t(ld * (columns - 1) + rows) : 0; }
};

std::string shape(const Matrix& x, const char* call, const char* name) {
    return std::string(call) + " " + name + " [" + std::to_string(x.rows) + " x " + std::to_string(x.columns) +
           ", leading dimension " + std::to_string(x.ld) + "]";
}

void check(const Matrix& x, const char* call, const char* name, bool read) {
    if (x.bytes() == 0) {
        return;
    }
    std::string who = shape(x, call, name);
    softgpuRange(x.base, x.bytes(), who);
    if (read) {
        bool whole = x.ld == x.rows;
        for (int64_t j = 0; j < (whole ? 1 : x.columns); j++) {
            softgpuRead(x.base + 4 * uint64_t(j * x.ld), whole ? x.bytes() : 4 * uint64_t(x.rows), who);
        }
    }
}

// Whether they share an element; their ranges of bytes may interleave without.
bool overlap(const Matrix& x, const Matrix& y) {
    if (x.base + x.bytes() <= y.base || y.base + y.bytes() <= x.base || !x.bytes() || !y.bytes()) {
        return false;
    }
    uint64_t from = std::min(x.base, y.base), to = std::max(x.base + x.bytes(), y.base + y.bytes());
    std::vector<bool> used((to - from) / 4 + 1);
    for (int64_t j = 0; j < x.columns; j++) {
        for (int64_t i = 0; i < x.rows; i++) {
            used[(x.base - from) / 4 + uint64_t(j * x.ld + i)] = true;
        }
    }
    for (int64_t j = 0; j < y.columns; j++) {
        for (int64_t i = 0; i < y.rows; i++) {
            if (used[(y.base - from) / 4 + uint64_t(j * y.ld + i)]) {
                return true;
            }
        }
    }
    return false;
}

constexpr int64_t ROWS = 64, COLUMNS = 4, STEP = 8;

// Terms of 8 k are added to the sum at once, and what float32 cannot hold of that is cut off.
void sumTf32(const float* left, const float* right, int64_t k, float (&sum)[COLUMNS][ROWS]) {
    for (int64_t from = 0; from < k; from += STEP) {
        int64_t to = std::min(k, from + STEP);
        for (int64_t j = 0; j < COLUMNS; j++) {
            double exact[ROWS];
            std::copy(sum[j], sum[j] + ROWS, exact);
            for (int64_t p = from; p < to; p++) {
                for (int64_t i = 0; i < ROWS; i++) {
                    exact[i] += double(left[p * ROWS + i]) * right[p * COLUMNS + j];
                }
            }
            std::transform(exact, exact + ROWS, sum[j], cutOff);
        }
    }
}

void sumFloat(const float* left, const float* right, int64_t k, float (&sum)[COLUMNS][ROWS]) {
    for (int64_t p = 0; p < k; p++) {
        const float *l = left + p * ROWS, *r = right + p * COLUMNS;
        for (int64_t j = 0; j < COLUMNS; j++) {
            for (int64_t i = 0; i < ROWS; i++) {
                sum[j][i] = __builtin_fmaf(l[i], r[j], sum[j][i]);
            }
        }
    }
}

}  // namespace

void checkOperands(const Gemm& g, const char* call) {
    Matrix a{uint64_t(g.a), g.transA ? g.k : g.m, g.transA ? g.m : g.k, g.lda};
    Matrix b{uint64_t(g.b), g.transB ? g.n : g.k, g.transB ? g.k : g.n, g.ldb};
    Matrix c{uint64_t(g.c), g.m, g.n, g.ldc};
    bool reads = g.alpha != 0;
    check(a, call, "A", reads);
    check(b, call, "B", reads);
    check(c, call, "C", g.beta != 0);
    if (overlap(a, c)) {
        softgpuFail(shape(c, call, "C") + " overlaps A");
    }
    if (overlap(b, c)) {
        softgpuFail(shape(c, call, "C") + " overlaps B");
    }
}

void multiply(const Gemm& g) {
    int64_t k = g.alpha == 0 ? 0 : g.k;
    // A tile's rows of op(A), one after the other in k, so that the inner loop runs over neighbours.
    std::vector<float> packed(size_t(std::max<int64_t>(k, 1) * ROWS));
    std::vector<float> right(size_t(std::max<int64_t>(k, 1) * COLUMNS));
    for (int64_t i0 = 0; i0 < g.m; i0 += ROWS) {
        int64_t rows = std::min(ROWS, g.m - i0);
        for (int64_t p = 0; p < k; p++) {
            for (int64_t i = 0; i < ROWS; i++) {
                float v = i < rows ? (g.transA ? g.a[p + (i0 + i) * g.lda] : g.a[i0 + i + p * g.lda]) : 0;
                packed[size_t(p * ROWS + i)] = g.tf32 ? toTf32(v) : v;
            }
        }
        for (int64_t j0 = 0; j0 < g.n; j0 += COLUMNS) {
            int64_t columns = std::min(COLUMNS, g.n - j0);
            for (int64_t p = 0; p < k; p++) {
                for (int64_t j = 0; j < COLUMNS; j++) {
                    float v = j < columns ? (g.transB ? g.b[j0 + j + p * g.ldb] : g.b[p + (j0 + j) * g.ldb]) : 0;
                    right[size_t(p * COLUMNS + j)] = g.tf32 ? toTf32(v) : v;
                }
            }
            float sum[COLUMNS][ROWS] = {};
            (g.tf32 ? sumTf32 : sumFloat)(packed.data(), right.data(), k, sum);
            for (int64_t j = 0; j < columns; j++) {
                float* c = g.c + (j0 + j) * g.ldc + i0;
                for (int64_t i = 0; i < rows; i++) {
                    float product = k ? g.alpha * sum[j][i] : 0;
                    c[i] = g.beta == 0 ? product : __builtin_fmaf(g.beta, c[i], product);
                }
            }
        }
    }
    for (int64_t j = 0; j < g.n; j++) {
        softgpuWrite(uint64_t(g.c + j * g.ldc), 4 * size_t(g.m), "gemm C");
    }
}

}  // namespace softgpu
