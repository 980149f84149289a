// Contexts: the primary one, and those that an application makes itself.
#include "runtime.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace softgpu {

thread_local Context* current = nullptr;

namespace {
thread_local std::vector<Context*> stack;  // under the current one
}

// A process that ends with a hold on the primary context has a backend that nobody closed.
static void atExit() {
    Runtime& r = Runtime::instance();
    std::unique_lock<std::recursive_mutex> lock(r.lock, std::try_to_lock);
    if (lock && r.primary.retained > 0 && !r.primary.sticky) {
        report(format("leak: the primary context is held %d times at the end of the process", r.primary.retained));
    }
}

Runtime& Runtime::instance() {
    static Runtime* r = [] {
        atexit(atExit);
        auto* x = new Runtime;
        x->lazy = getenv("SOFTGPU_EAGER") == nullptr;
        x->nullStream.isNull = true;
        x->primary.primary = true;
        return x;
    }();
    return *r;
}

Statistics& statistics() {
    static Statistics s;
    return s;
}

uint64_t nanoTime() {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return uint64_t(t.tv_sec) * 1000000000u + uint64_t(t.tv_nsec);
}

// NAME=STATUS, or NAME=STATUS,COUNT for a later call of that name than the first.
int wantedStatus(const char* call) {
    static char name[64];
    static int status = 0, left = 1;
    static const bool wanted = [] {
        const char* fault = getenv("SOFTGPU_FAIL");
        return fault && sscanf(fault, "%63[^=]=%d,%d", name, &status, &left) >= 2;
    }();
    if (!wanted || std::string(call).rfind(name, 0) != 0) {
        return SUCCESS;
    }
    const char* version = call + strlen(name);
    return (!*version || !strcmp(version, "_v2")) && --left == 0 ? status : int(SUCCESS);
}

Call::Call(bool needsContext, const char* name) : lock(Runtime::instance().lock) {
    Runtime& r = Runtime::instance();
    if ((error = wantedStatus(name))) {
        return;
    }
    if (!r.initialized) {
        error = NOT_INITIALIZED;
    } else if (needsContext && !current) {
        error = INVALID_CONTEXT;
    } else if (needsContext && !current->alive) {
        error = CONTEXT_IS_DESTROYED;
    } else if (needsContext) {
        error = current->sticky;
    }
}

namespace {

// What is left when a context goes is a leak. After an error nothing can be freed, so then it is none.
void end(Context* c, const char* call) {
    Runtime& r = Runtime::instance();
    r.flushAll();
    if (!c->sticky) {
        Memory::instance().reportLeaks(call);
        reportHostLeaks();
        size_t streams = r.streams.live().size(), events = r.events.live().size();
        if (r.cublasHandles > 0) {
            report(format("leak: %d cuBLAS handles are not destroyed at %s", r.cublasHandles, call));
        }
        if (loadedModules() > 0) {
            report(format("leak: %zu modules are not unloaded at %s", loadedModules(), call));
        }
        if (streams + events + r.graphs.live().size() + r.graphExecs.live().size() > 0) {
            report(format(
                "leak: %zu streams, %zu events, %zu graphs, %zu instantiated graphs are not destroyed at %s",
                streams,
                events,
                r.graphs.live().size(),
                r.graphExecs.live().size(),
                call));
        }
    }
    forgetHostMemory();
    forgetModules();
    r.cublasHandles = 0;
    Memory::instance().releaseAll(Allocation::user);
    Memory::instance().releaseAll(Allocation::module);
    for (auto* s : std::set<Stream*>(r.streams.live())) {
        r.streams.destroy(s);
    }
    for (auto* e : std::set<Event*>(r.events.live())) {
        r.events.destroy(e);
    }
    for (auto* g : std::set<Graph*>(r.graphs.live())) {
        r.graphs.destroy(g);
    }
    for (auto* g : std::set<Graph*>(r.graphExecs.live())) {
        r.graphExecs.destroy(g);
    }
    r.nullStream.queue.clear();
    c->sticky = 0;
    writeCoverageNowAndThen();
}

}  // namespace

}  // namespace softgpu

using namespace softgpu;

SOFTGPU_API int cuDevicePrimaryCtxRetain(void** ctx, int d) {
    ENTER(false);
    if (d != 0) {
        return INVALID_DEVICE;
    }
    r.primary.alive = true;
    r.primary.retained++;
    *ctx = &r.primary;
    return SUCCESS;
}

SOFTGPU_API int cuDevicePrimaryCtxRelease_v2(int d) {
    ENTER(false);
    if (d != 0) {
        return INVALID_DEVICE;
    }
    if (r.primary.retained == 0) {
        return INVALID_CONTEXT;
    }
    if (--r.primary.retained == 0) {
        end(&r.primary, "the last cuDevicePrimaryCtxRelease");
        r.primary.alive = false;
    }
    return SUCCESS;
}

SOFTGPU_API int cuDevicePrimaryCtxReset_v2(int d) {
    ENTER(false);
    if (d != 0) {
        return INVALID_DEVICE;
    }
    end(&r.primary, "cuDevicePrimaryCtxReset");
    return SUCCESS;
}

SOFTGPU_API int cuCtxCreate_v2(void** ctx, unsigned, int d) {
    ENTER(false);
    if (d != 0) {
        return INVALID_DEVICE;
    }
    Context* x = r.contexts.create();
    if (current) {
        stack.push_back(current);
    }
    current = x;
    *ctx = x;
    return SUCCESS;
}

SOFTGPU_API int cuCtxDestroy_v2(void* ctx) {
    ENTER(false);
    Context* x = ctx == &r.primary ? nullptr : r.contexts.get(ctx, "cuCtxDestroy");
    if (!x) {
        return INVALID_CONTEXT;
    }
    end(x, "cuCtxDestroy");
    x->alive = false;
    r.contexts.destroy(x);
    if (current == x) {
        current = stack.empty() ? nullptr : stack.back();
        if (!stack.empty()) {
            stack.pop_back();
        }
    }
    return SUCCESS;
}

SOFTGPU_API int cuCtxSetCurrent(void* ctx) {
    ENTER(false);
    auto* x = (Context*)ctx;
    if (x && x != &r.primary && !r.contexts.live().count(x)) {
        return INVALID_CONTEXT;
    }
    current = x;
    return SUCCESS;
}

SOFTGPU_API int cuCtxGetCurrent(void** ctx) {
    ENTER(false);
    *ctx = current;
    return SUCCESS;
}

SOFTGPU_API int cuCtxGetDevice(int* d) {
    Call c;
    if (c.error == INVALID_CONTEXT || c.error == NOT_INITIALIZED) {
        return c.error;
    }
    *d = 0;
    return SUCCESS;
}

SOFTGPU_API int cuCtxSynchronize() {
    ENTER();
    if (int broken = r.breaksCapture("cuCtxSynchronize")) {
        return broken;
    }
    r.flushAll();
    return current->sticky;
}
