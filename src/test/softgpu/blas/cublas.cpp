// libcublas.so.12: handles, settings and the product that the library calls.
#include "driver/for_blas.h"
#include "gemm.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <set>

#define API extern "C" __attribute__((visibility("default")))

namespace {

using softgpu::Gemm;

enum Status { SUCCESS = 0, NOT_INITIALIZED = 1, INVALID_VALUE = 7, EXECUTION_FAILED = 13 };

struct Handle {
    void* stream = nullptr;
    int mathMode = 0;  // 2 pedantic, 3 TF32
};

constexpr const char* SGEMM = "cublasSgemm";

std::mutex lock;
std::set<Handle*> live, dead;

Handle* get(void* h, const char* call) {
    std::lock_guard<std::mutex> l(lock);
    auto* x = (Handle*)h;
    if (live.count(x)) {
        return x;
    }
    softgpuReport(std::string(call) + (dead.count(x) ? ": the cuBLAS handle is destroyed" : ": no cuBLAS handle"));
    return nullptr;
}

int invalid(const char* call, const std::string& why) {
    softgpuReport(std::string(call) + ": " + why + "\n    gives CUBLAS_STATUS_INVALID_VALUE");
    return INVALID_VALUE;
}

std::string number(int64_t n) {
    return std::to_string(n);
}

// What the manual says about the sizes.
int checkShapes(const Gemm& g, int opA, int opB) {
    if (opA < 0 || opA > 2 || opB < 0 || opB > 2) {
        return invalid(SGEMM, "unknown operation on A or B");
    }
    if (g.m < 0 || g.n < 0 || g.k < 0) {
        return invalid(SGEMM, "a negative size: m " + number(g.m) + ", n " + number(g.n) + ", k " + number(g.k));
    }
    int64_t rowsA = g.transA ? g.k : g.m, rowsB = g.transB ? g.n : g.k, one = 1;
    if (g.lda < std::max(one, rowsA)) {
        return invalid(SGEMM, "lda " + number(g.lda) + " is less than A's " + number(rowsA) + " rows");
    }
    if (g.ldb < std::max(one, rowsB)) {
        return invalid(SGEMM, "ldb " + number(g.ldb) + " is less than B's " + number(rowsB) + " rows");
    }
    if (g.ldc < std::max(one, g.m)) {
        return invalid(SGEMM, "ldc " + number(g.ldc) + " is less than C's " + number(g.m) + " rows");
    }
    return SUCCESS;
}

bool tensorCoresHaveTf32() {
    const char* d = getenv("SOFTGPU_DEVICE");
    return !d || strcmp(d, "sm_75") != 0;
}

}  // namespace

#define HANDLE(name)                        \
    Handle* x = get(h, name);               \
    if (!x) {                               \
        return NOT_INITIALIZED;             \
    }                                       \
    if (int e = softgpuWantedStatus(name)) { \
        return e;                           \
    }

API int cublasCreate_v2(void** h) {
    if (int e = softgpuWantedStatus("cublasCreate")) {
        return e;
    }
    if (!softgpuHasContext()) {
        return NOT_INITIALIZED;
    }
    std::lock_guard<std::mutex> l(lock);
    auto* x = new Handle;
    live.insert(x);
    softgpuCountHandle(1);
    *h = x;
    return SUCCESS;
}

API int cublasDestroy_v2(void* h) {
    HANDLE("cublasDestroy");
    std::lock_guard<std::mutex> l(lock);
    live.erase(x);
    dead.insert(x);
    softgpuCountHandle(-1);
    return SUCCESS;
}

API int cublasGetVersion_v2(void* h, int* version) {
    HANDLE("cublasGetVersion");
    *version = 120603;
    return SUCCESS;
}

API int cublasSetStream_v2(void* h, void* stream) {
    HANDLE("cublasSetStream");
    if (!softgpuIsStream(stream)) {
        return INVALID_VALUE;
    }
    x->stream = stream;
    return SUCCESS;
}

API int cublasSetWorkspace_v2(void* h, void* workspace, size_t bytes) {
    HANDLE("cublasSetWorkspace");
    if ((workspace == nullptr) != (bytes == 0) || uint64_t(workspace) % 256) {
        return invalid("cublasSetWorkspace", "an address that is no multiple of 256, or no address");
    }
    if (workspace) {
        // Only whether it is there: nothing is kept in it.
        int e = softgpuSubmit(x->stream, "cublasSetWorkspace", [=] { softgpuRange(uint64_t(workspace), bytes, "cublasSetWorkspace"); });
        if (e) {
            return EXECUTION_FAILED;
        }
    }
    return SUCCESS;
}

API int cublasSetMathMode(void* h, int mode) {
    HANDLE("cublasSetMathMode");
    if (mode < 0 || (mode & ~16) > 3) {
        return INVALID_VALUE;
    }
    x->mathMode = mode;
    return SUCCESS;
}

API int cublasSetAtomicsMode(void* h, int mode) {
    HANDLE("cublasSetAtomicsMode");
    return mode == 0 || mode == 1 ? SUCCESS : INVALID_VALUE;
}

API int cublasSgemm_v2(
    void* h, int ta, int tb, int m, int n, int k, const float* alpha, const float* a, int lda, const float* b, int ldb,
    const float* beta, float* c, int ldc) {
    HANDLE(SGEMM);
    bool tf32 = (x->mathMode & 15) == 3 && tensorCoresHaveTf32();
    Gemm g{ta != 0, tb != 0, m, n, k, a, b, c, lda, ldb, ldc, 1, 0, tf32};
    if (int bad = checkShapes(g, ta, tb)) {
        return bad;
    }
    if (!alpha || !beta) {
        return invalid(SGEMM, "no alpha or no beta");
    }
    if (m == 0 || n == 0) {
        return SUCCESS;
    }
    if (!c || (k > 0 && (!a || !b))) {
        return invalid(SGEMM, "a null matrix");
    }
    g.alpha = *alpha;
    g.beta = *beta;
    int e = softgpuSubmit(x->stream, SGEMM, [g] {
        checkOperands(g, SGEMM);
        multiply(g);
        softgpuCountGemm();
    });
    return e ? EXECUTION_FAILED : SUCCESS;
}
