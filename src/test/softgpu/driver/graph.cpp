// Capture of a stream into a graph, and its replay. Nodes stay in the order in which they were captured.
#include "runtime.h"

using namespace softgpu;

SOFTGPU_API int cuStreamBeginCapture_v2(void* stream, int mode) {
    ENTER();
    Stream* s = r.stream(stream);
    if (!s) {
        return INVALID_HANDLE;
    }
    if (s->isNull) {
        return STREAM_CAPTURE_UNSUPPORTED;
    }
    if (s->capture || mode < 0 || mode > 2) {
        return s->capture ? ILLEGAL_STATE : INVALID_VALUE;
    }
    s->capture = r.graphs.create();
    s->capture->mode = mode;
    s->capture->thread = std::this_thread::get_id();
    s->capture->streams = {s};
    s->captureOrigin = true;
    return SUCCESS;
}

SOFTGPU_API int cuStreamEndCapture(void* stream, void** graph) {
    ENTER();
    Stream* s = r.stream(stream);
    if (!s) {
        return INVALID_HANDLE;
    }
    if (!s->capture) {
        return ILLEGAL_STATE;
    }
    if (!s->captureOrigin) {
        return STREAM_CAPTURE_UNMATCHED;
    }
    Graph* g = s->capture;
    if (g->mode != 2 && g->thread != std::this_thread::get_id()) {
        return STREAM_CAPTURE_WRONG_THREAD;
    }
    for (Stream* o : g->streams) {
        o->capture = nullptr;
    }
    s->captureOrigin = false;
    if (g->invalid) {
        r.graphs.destroy(g);
        *graph = nullptr;
        return STREAM_CAPTURE_INVALIDATED;
    }
    *graph = g;
    return SUCCESS;
}

SOFTGPU_API int cuGraphInstantiateWithFlags(void** exec, void* graph, unsigned long long) {
    ENTER();
    Graph* g = r.graphs.get(graph, "cuGraphInstantiate");
    if (!g) {
        return INVALID_VALUE;
    }
    // What it takes on a GPU is not known; where nothing is left, it has no place.
    if (Memory::instance().inUse() >= Memory::instance().total()) {
        return OUT_OF_MEMORY;
    }
    Graph* e = r.graphExecs.create();
    e->nodes = g->nodes;
    *exec = e;
    return SUCCESS;
}

SOFTGPU_API int cuGraphLaunch(void* exec, void* stream) {
    ENTER();
    Graph* g = r.graphExecs.get(exec, "cuGraphLaunch");
    Stream* s = g ? r.stream(stream) : nullptr;
    if (!s) {
        return g ? INVALID_HANDLE : INVALID_VALUE;
    }
    for (auto& w : g->nodes) {
        if (int e = r.submit(s, w.name, w.run, w.module)) {
            return e;
        }
    }
    return SUCCESS;
}

SOFTGPU_API int cuGraphDestroy(void* graph) {
    ENTER();
    Graph* g = r.graphs.get(graph, "cuGraphDestroy");
    if (!g) {
        return INVALID_VALUE;
    }
    r.graphs.destroy(g);
    return SUCCESS;
}

SOFTGPU_API int cuGraphExecDestroy(void* exec) {
    ENTER();
    Graph* g = r.graphExecs.get(exec, "cuGraphExecDestroy");
    if (!g) {
        return INVALID_VALUE;
    }
    r.graphExecs.destroy(g);
    return SUCCESS;
}
