// cuMem...: allocation, copies, fills, pinned host memory.
#include "runtime.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace softgpu {

namespace {

std::map<uintptr_t, size_t> pinned;  // what cuMemHostAlloc gave

// An error of the caller that a real driver answers at once, without harm to the context.
template <class F>
int atOnce(F f) {
    try {
        f();
        return SUCCESS;
    } catch (Fault& fault) {
        report(std::string(fault.what()) + "\n    gives CUDA_ERROR_INVALID_VALUE");
        return INVALID_VALUE;
    }
}

void hostRange(const void* host, size_t bytes, const char* call) {
    size_t left = pinnedBytes(host);
    if (left && left < bytes) {
        throw Fault(
            INVALID_VALUE, format("%s: %zu bytes, and the pinned host memory ends after %zu", call, bytes, left));
    }
}

enum Direction { toDevice, toHost, onDevice };

int copy(Direction direction, uint64_t to, uint64_t from, size_t bytes, void* stream, const char* call, bool async) {
    ENTER(true, call);
    if (bytes == 0) {
        return SUCCESS;
    }
    Stream* s = r.stream(stream);
    if (!s) {
        return INVALID_HANDLE;
    }
    if (!async && direction != onDevice) {
        if (int broken = r.breaksCapture(call)) {
            return broken;
        }
    }
    Memory& memory = Memory::instance();
    int bad = atOnce([&] {
        if (direction != toDevice) {
            memory.check(from, bytes, Access::read, call);
        } else {
            hostRange((void*)from, bytes, call);
        }
        if (direction != toHost) {
            memory.check(to, bytes, Access::write, call);
        } else {
            hostRange((void*)to, bytes, call);
        }
    });
    if (bad) {
        return bad;
    }
    statistics().copies++;
    std::string name = call;
    auto work = [direction, to, from, bytes, name] {
        Memory& m = Memory::instance();
        if (direction == toHost) {
            m.checkRead(from, bytes, name);
        } else {
            m.checkWrite(to, bytes, name);
            if (direction == onDevice) {
                m.check(from, bytes, Access::read, name);
                m.copyWritten(to, from, bytes);
            }
        }
        memmove((void*)to, (const void*)from, bytes);
    };
    bool pageable = direction != onDevice && !pinnedBytes((void*)(direction == toHost ? to : from));
    if (async && direction == toHost && !pageable && !s->capture && r.lazy) {
        memset((void*)to, 0xff, bytes);  // NaN until the copy is done: so late the host may see it
    }
    int e = r.submit(s, call, work);
    // Pageable memory: the driver takes what it needs before it returns.
    if (!e && (!async || pageable) && !s->capture && direction != onDevice) {
        r.flush(s);
        e = current->sticky;
    }
    return e;
}

int fill(uint64_t to, uint32_t value, size_t count, void* stream, const char* call) {
    ENTER(true, call);
    Stream* s = r.stream(stream);
    if (!s) {
        return INVALID_HANDLE;
    }
    if (count == 0) {
        return SUCCESS;
    }
    if (to % 4) {
        return INVALID_VALUE;
    }
    if (int bad = atOnce([&] { Memory::instance().check(to, 4 * count, Access::write, call); })) {
        return bad;
    }
    std::string name = call;
    return r.submit(s, call, [=] {
        Memory::instance().checkWrite(to, 4 * count, name);
        std::fill_n((uint32_t*)to, count, value);
    });
}

}  // namespace

size_t pinnedBytes(const void* address) {
    auto i = pinned.upper_bound(uintptr_t(address));
    if (i == pinned.begin()) {
        return 0;
    }
    --i;
    uintptr_t end = i->first + i->second;
    return uintptr_t(address) < end ? end - uintptr_t(address) : 0;
}

void reportHostLeaks() {
    if (!pinned.empty()) {
        report(format("leak: %zu pieces of pinned host memory are not freed", pinned.size()));
    }
}

// The memory itself stays: buffers of the application may lie over it.
void forgetHostMemory() {
    pinned.clear();
}

}  // namespace softgpu

using namespace softgpu;

SOFTGPU_API int cuMemAlloc_v2(uint64_t* p, size_t bytes) {
    ENTER();
    if (!p || bytes == 0) {
        return INVALID_VALUE;
    }
    if (int broken = r.breaksCapture("cuMemAlloc")) {
        return broken;
    }
    std::string stack = callerStack();
    Allocation* a = Memory::instance().allocate(bytes, Allocation::user, stack.empty() ? "cuMemAlloc" : "cuMemAlloc by " + stack);
    if (!a) {
        return OUT_OF_MEMORY;
    }
    *p = a->base;
    return SUCCESS;
}

SOFTGPU_API int cuMemFree_v2(uint64_t p) {
    ENTER();
    if (!p) {
        return SUCCESS;
    }
    if (int broken = r.breaksCapture("cuMemFree")) {
        return broken;
    }
    r.flushAll();  // it waits for the device
    if (current->sticky) {
        return current->sticky;
    }
    Memory& memory = Memory::instance();
    Allocation* a = memory.startingAt(p);
    if (!a || a->kind != Allocation::user || a->freed) {
        report((a && a->freed ? "cuMemFree: second free of " : "cuMemFree: not what cuMemAlloc gave: ") + memory.describe(p));
        return INVALID_VALUE;
    }
    memory.release(a);
    return SUCCESS;
}

SOFTGPU_API int cuMemGetInfo_v2(size_t* free, size_t* total) {
    ENTER();
    *total = Memory::instance().total();
    *free = *total - Memory::instance().inUse();
    return SUCCESS;
}

SOFTGPU_API int cuMemGetAddressRange_v2(uint64_t* base, size_t* bytes, uint64_t p) {
    ENTER();
    Allocation* a = Memory::instance().near(p);
    if (!a || !a->holds(p, 1)) {
        return NOT_FOUND;
    }
    if (base) {
        *base = a->base;
    }
    if (bytes) {
        *bytes = a->size;
    }
    return SUCCESS;
}

// --- pinned host memory ---

SOFTGPU_API int cuMemHostAlloc(void** p, size_t bytes, unsigned) {
    ENTER();
    if (!p || bytes == 0) {
        return INVALID_VALUE;
    }
    *p = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
    pinned[uintptr_t(*p)] = bytes;
    return SUCCESS;
}

SOFTGPU_API int cuMemFreeHost(void* p) {
    ENTER();
    if (!pinned.count(uintptr_t(p))) {
        report("cuMemFreeHost: not what cuMemHostAlloc gave, or freed before");
        return INVALID_VALUE;
    }
    r.flushAll();
    pinned.erase(uintptr_t(p));
    free(p);
    return SUCCESS;
}

// --- copies and fills ---

SOFTGPU_API int cuMemcpyHtoD_v2(uint64_t to, const void* from, size_t bytes) {
    return copy(toDevice, to, uint64_t(from), bytes, nullptr, "cuMemcpyHtoD", false);
}
SOFTGPU_API int cuMemcpyDtoH_v2(void* to, uint64_t from, size_t bytes) {
    return copy(toHost, uint64_t(to), from, bytes, nullptr, "cuMemcpyDtoH", false);
}
SOFTGPU_API int cuMemcpyDtoD_v2(uint64_t to, uint64_t from, size_t bytes) {
    return copy(onDevice, to, from, bytes, nullptr, "cuMemcpyDtoD", false);
}
SOFTGPU_API int cuMemcpyHtoDAsync_v2(uint64_t to, const void* from, size_t bytes, void* stream) {
    return copy(toDevice, to, uint64_t(from), bytes, stream, "cuMemcpyHtoDAsync", true);
}
SOFTGPU_API int cuMemcpyDtoHAsync_v2(void* to, uint64_t from, size_t bytes, void* stream) {
    return copy(toHost, uint64_t(to), from, bytes, stream, "cuMemcpyDtoHAsync", true);
}
SOFTGPU_API int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void* stream) {
    return copy(onDevice, to, from, bytes, stream, "cuMemcpyDtoDAsync", true);
}

SOFTGPU_API int cuMemsetD32Async(uint64_t to, unsigned value, size_t count, void* stream) {
    return fill(to, value, count, stream, "cuMemsetD32Async");
}
SOFTGPU_API int cuMemsetD32_v2(uint64_t to, unsigned value, size_t count) {
    return fill(to, value, count, nullptr, "cuMemsetD32");
}
