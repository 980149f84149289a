// libcublas.so.12: handles, settings and the products that the library calls.
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

enum Status { SUCCESS = 0, NOT_INITIALIZED = 1, INVALID_VALUE = 7, EXECUTION_FAILED = 13, NOT_SUPPORTED = 15 };

struct Handle {
    void* stream = nullptr;
    int pointerMode = 0;  // 1: alpha and beta are on the device
    int mathMode = 0;     // 2 pedantic, 3 TF32
    int atomics = 0;
    int smTarget = 0;
    uint64_t workspace = 0;
    size_t workspaceSize = 0;
};

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

// What the header of each product says about its sizes.
int checkShapes(const char* call, const Gemm& g, int opA, int opB) {
    if (opA < 0 || opA > 2 || opB < 0 || opB > 2) {
        return invalid(call, "unknown operation on A or B");
    }
    if (g.m < 0 || g.n < 0 || g.k < 0) {
        return invalid(call, "a negative size: m " + number(g.m) + ", n " + number(g.n) + ", k " + number(g.k));
    }
    int64_t rowsA = g.transA ? g.k : g.m, rowsB = g.transB ? g.n : g.k, one = 1;
    if (g.lda < std::max(one, rowsA)) {
        return invalid(call, "lda " + number(g.lda) + " is less than A's " + number(rowsA) + " rows");
    }
    if (g.ldb < std::max(one, rowsB)) {
        return invalid(call, "ldb " + number(g.ldb) + " is less than B's " + number(rowsB) + " rows");
    }
    if (g.ldc < std::max(one, g.m)) {
        return invalid(call, "ldc " + number(g.ldc) + " is less than C's " + number(g.m) + " rows");
    }
    return SUCCESS;
}

struct Strides {
    int64_t a = 0, b = 0, c = 0;
    int count = 1;
};

int run(Handle* h, const char* call, Gemm g, int opA, int opB, const void* alpha, const void* beta, Strides s) {
    if (int bad = checkShapes(call, g, opA, opB)) {
        return bad;
    }
    if (s.count < 0 || !alpha || !beta) {
        return invalid(call, "no alpha, no beta or a negative count");
    }
    if (g.m == 0 || g.n == 0 || s.count == 0) {
        return SUCCESS;
    }
    if (!g.c || (g.k > 0 && (!g.a || !g.b))) {
        return invalid(call, "a null matrix");
    }
    if (s.count > 1 && std::llabs(s.c) < g.ldc * (g.n - 1) + g.m) {
        return invalid(call, "the results of a batch overlap");
    }
    bool onDevice = h->pointerMode == 1;
    if (!onDevice) {
        g.alpha = *(const float*)alpha;
        g.beta = *(const float*)beta;
    }
    std::string name = call;
    int e = softgpuSubmit(h->stream, call, [=] {
        Gemm one = g;
        if (onDevice) {
            softgpuRead(uint64_t(alpha), 4, name + " alpha");
            softgpuRead(uint64_t(beta), 4, name + " beta");
            one.alpha = *(const float*)alpha;
            one.beta = *(const float*)beta;
        }
        for (int q = 0; q < s.count; q++) {
            one.a = g.a + q * s.a;
            one.b = g.b + q * s.b;
            one.c = g.c + q * s.c;
            checkOperands(one, name.c_str());
            multiply(one);
        }
        softgpuCountGemm();
    });
    return e ? EXECUTION_FAILED : SUCCESS;
}

Gemm gemm(
    int ta, int tb, int m, int n, int k, const void* a, int lda, const void* b, int ldb, void* c, int ldc) {
    Gemm g;
    g.transA = ta != 0;
    g.transB = tb != 0;
    g.m = m;
    g.n = n;
    g.k = k;
    g.a = (const float*)a;
    g.b = (const float*)b;
    g.c = (float*)c;
    g.lda = lda;
    g.ldb = ldb;
    g.ldc = ldc;
    return g;
}

bool tensorCoresHaveTf32() {
    const char* d = getenv("SOFTGPU_DEVICE");
    return !d || strcmp(d, "sm_75") != 0;
}

// CUBLAS_COMPUTE_32F, _PEDANTIC, _FAST_TF32 over CUDA_R_32F.
int precision(const char* call, const Handle* h, int typeA, int typeB, int typeC, int compute, bool* tf32) {
    bool known = compute == 68 || compute == 69 || compute == 77;
    if (typeA != 0 || typeB != 0 || typeC != 0 || !known) {
        softgpuReport(std::string(call) + ": only 32-bit floats are modelled");
        return NOT_SUPPORTED;
    }
    *tf32 = (compute == 77 || (compute == 68 && (h->mathMode & 15) == 3)) && tensorCoresHaveTf32();
    return SUCCESS;
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

API int cublasGetProperty(int which, int* value) {
    static const int VERSION[] = {12, 6, 3};
    if (which < 0 || which > 2) {
        return INVALID_VALUE;
    }
    *value = VERSION[which];
    return SUCCESS;
}

API int cublasSetStream_v2(void* h, void* stream) {
    HANDLE("cublasSetStream");
    if (!softgpuIsStream(stream)) {
        return INVALID_VALUE;
    }
    x->stream = stream;
    x->workspace = 0;  // as the manual says: the workspace is the default one again
    x->workspaceSize = 0;
    return SUCCESS;
}

API int cublasGetStream_v2(void* h, void** stream) {
    HANDLE("cublasGetStream");
    *stream = x->stream;
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
    x->workspace = uint64_t(workspace);
    x->workspaceSize = bytes;
    return SUCCESS;
}

API int cublasSetPointerMode_v2(void* h, int mode) {
    HANDLE("cublasSetPointerMode");
    if (mode != 0 && mode != 1) {
        return INVALID_VALUE;
    }
    x->pointerMode = mode;
    return SUCCESS;
}

API int cublasGetPointerMode_v2(void* h, int* mode) {
    HANDLE("cublasGetPointerMode");
    *mode = x->pointerMode;
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

API int cublasGetMathMode(void* h, int* mode) {
    HANDLE("cublasGetMathMode");
    *mode = x->mathMode;
    return SUCCESS;
}

API int cublasSetAtomicsMode(void* h, int mode) {
    HANDLE("cublasSetAtomicsMode");
    if (mode != 0 && mode != 1) {
        return INVALID_VALUE;
    }
    x->atomics = mode;
    return SUCCESS;
}

API int cublasGetAtomicsMode(void* h, int* mode) {
    HANDLE("cublasGetAtomicsMode");
    *mode = x->atomics;
    return SUCCESS;
}

API int cublasSetSmCountTarget(void* h, int count) {
    HANDLE("cublasSetSmCountTarget");
    if (count < 0) {
        return INVALID_VALUE;
    }
    x->smTarget = count;
    return SUCCESS;
}

API int cublasGetSmCountTarget(void* h, int* count) {
    HANDLE("cublasGetSmCountTarget");
    *count = x->smTarget;
    return SUCCESS;
}

API const char* cublasGetStatusName(int status) {
    switch (status) {
        case SUCCESS:
            return "CUBLAS_STATUS_SUCCESS";
        case NOT_INITIALIZED:
            return "CUBLAS_STATUS_NOT_INITIALIZED";
        case INVALID_VALUE:
            return "CUBLAS_STATUS_INVALID_VALUE";
        case EXECUTION_FAILED:
            return "CUBLAS_STATUS_EXECUTION_FAILED";
        case NOT_SUPPORTED:
            return "CUBLAS_STATUS_NOT_SUPPORTED";
        default:
            return "CUBLAS_STATUS_UNKNOWN";
    }
}

API const char* cublasGetStatusString(int status) {
    return cublasGetStatusName(status);
}

// --- products ---

API int cublasSgemm_v2(
    void* h, int ta, int tb, int m, int n, int k, const float* alpha, const float* a, int lda, const float* b, int ldb,
    const float* beta, float* c, int ldc) {
    HANDLE("cublasSgemm");
    Gemm g = gemm(ta, tb, m, n, k, a, lda, b, ldb, c, ldc);
    g.tf32 = (x->mathMode & 15) == 3 && tensorCoresHaveTf32();
    return run(x, "cublasSgemm", g, ta, tb, alpha, beta, {});
}

API int cublasSgemmStridedBatched(
    void* h, int ta, int tb, int m, int n, int k, const float* alpha, const float* a, int lda, long long strideA,
    const float* b, int ldb, long long strideB, const float* beta, float* c, int ldc, long long strideC, int count) {
    HANDLE("cublasSgemmStridedBatched");
    Gemm g = gemm(ta, tb, m, n, k, a, lda, b, ldb, c, ldc);
    g.tf32 = (x->mathMode & 15) == 3 && tensorCoresHaveTf32();
    return run(x, "cublasSgemmStridedBatched", g, ta, tb, alpha, beta, {strideA, strideB, strideC, count});
}

API int cublasGemmEx(
    void* h, int ta, int tb, int m, int n, int k, const void* alpha, const void* a, int typeA, int lda, const void* b,
    int typeB, int ldb, const void* beta, void* c, int typeC, int ldc, int compute, int) {
    HANDLE("cublasGemmEx");
    Gemm g = gemm(ta, tb, m, n, k, a, lda, b, ldb, c, ldc);
    if (int bad = precision("cublasGemmEx", x, typeA, typeB, typeC, compute, &g.tf32)) {
        return bad;
    }
    return run(x, "cublasGemmEx", g, ta, tb, alpha, beta, {});
}

API int cublasGemmStridedBatchedEx(
    void* h, int ta, int tb, int m, int n, int k, const void* alpha, const void* a, int typeA, int lda,
    long long strideA, const void* b, int typeB, int ldb, long long strideB, const void* beta, void* c, int typeC,
    int ldc, long long strideC, int count, int compute, int) {
    HANDLE("cublasGemmStridedBatchedEx");
    Gemm g = gemm(ta, tb, m, n, k, a, lda, b, ldb, c, ldc);
    if (int bad = precision("cublasGemmStridedBatchedEx", x, typeA, typeB, typeC, compute, &g.tf32)) {
        return bad;
    }
    return run(x, "cublasGemmStridedBatchedEx", g, ta, tb, alpha, beta, {strideA, strideB, strideC, count});
}
