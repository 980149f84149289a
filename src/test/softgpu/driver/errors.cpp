#include "errors.h"

#include <cstdio>
#include <cstdlib>

namespace softgpu {

namespace {

unsigned long long found = 0;
std::string last;

}  // namespace

const char* statusName(int code) {
    switch (code) {
#define SOFTGPU_NAME(name, number) \
    case name:                     \
        return "CUDA_ERROR_" #name;
        SOFTGPU_ERRORS(SOFTGPU_NAME)
#undef SOFTGPU_NAME
        default:
            return "CUDA_SUCCESS";
    }
}

std::string format(const char* pattern, ...) {
    va_list args, again;
    va_start(args, pattern);
    va_copy(again, args);
    int n = vsnprintf(nullptr, 0, pattern, args);
    std::string out(n, '\0');
    vsnprintf(&out[0], n + 1, pattern, again);
    va_end(again);
    va_end(args);
    return out;
}

void report(const std::string& message) {
    found++;
    last = message;
    fprintf(stderr, "softgpu: ERROR: %s\n", message.c_str());
    if (const char* path = getenv("SOFTGPU_LOG")) {
        if (FILE* f = fopen(path, "a")) {
            fprintf(f, "%s\n", message.c_str());
            fclose(f);
        }
    }
}

unsigned long long findings() {
    return found;
}

void note(const std::string& message) {
    static const bool verbose = getenv("SOFTGPU_VERBOSE") != nullptr;
    if (verbose) {
        fprintf(stderr, "softgpu: %s\n", message.c_str());
    }
}

}  // namespace softgpu

// For the tests of this folder.
extern "C" __attribute__((visibility("default"))) const char* softgpuLastFinding() {
    return softgpu::last.c_str();
}
