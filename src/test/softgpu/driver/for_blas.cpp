// What libcublas uses of the driver. Not part of CUDA.
#include "for_blas.h"

#include "runtime.h"

#include <algorithm>

using namespace softgpu;

SOFTGPU_API bool softgpuHasContext() {
    return current && current->alive && !current->sticky;
}

SOFTGPU_API int softgpuWantedStatus(const char* call) {
    return wantedStatus(call);
}

SOFTGPU_API bool softgpuIsStream(void* stream) {
    Call c;
    return !c.error && Runtime::instance().stream(stream);
}

SOFTGPU_API int softgpuSubmit(void* stream, const char* name, const std::function<void()>& work) {
    ENTER();
    Stream* s = r.stream(stream);
    return s ? r.submit(s, name, work) : int(INVALID_HANDLE);
}

SOFTGPU_API void softgpuRead(uint64_t address, size_t bytes, const std::string& who) {
    Memory::instance().checkRead(address, bytes, who);
}

SOFTGPU_API void softgpuWrite(uint64_t address, size_t bytes, const std::string& who) {
    Memory::instance().checkWrite(address, bytes, who);
}

SOFTGPU_API void softgpuRange(uint64_t address, size_t bytes, const std::string& who) {
    Memory::instance().check(address, bytes, Access::write, who);
}

SOFTGPU_API void softgpuFail(const std::string& what) {
    throw Fault(LAUNCH_FAILED, what);
}

SOFTGPU_API void softgpuReport(const std::string& what) {
    report(what);
}

SOFTGPU_API void softgpuCountGemm() {
    statistics().gemms++;
}

SOFTGPU_API void softgpuCountHandle(int change) {
    int& n = Runtime::instance().cublasHandles;
    n = std::max(0, n + change);  // a handle may outlive its context
}
