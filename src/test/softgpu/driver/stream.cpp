// Streams and events. Work waits in its stream until somebody synchronises with it, as late as a real device
// could be: what reads too early finds nothing, what misses an event runs in the wrong order.
#include "runtime.h"

#include <algorithm>

namespace softgpu {

namespace {

constexpr size_t LONGEST_QUEUE = 4096;  // a real driver blocks at about a thousand

void run(Runtime& r, Stream* s) {
    Work w = std::move(s->queue.front());
    s->queue.pop_front();
    r.execute(w);
}

}  // namespace

void Runtime::execute(const Work& w) {
    Context* c = current ? current : &primary;
    if (c->sticky) {
        return;
    }
    try {
        w.run();
    } catch (Fault& f) {
        report(w.name + ": " + f.what() + "\n    gives " + statusName(f.code));
        c->sticky = f.code;
    }
}

void Runtime::flush(Stream* s) {
    while (!s->queue.empty()) {
        run(*this, s);
    }
}

void Runtime::flushAll() {
    flush(&nullStream);
    for (auto* s : std::set<Stream*>(streams.live())) {
        flush(s);
    }
}

size_t Runtime::waiting(const void* module) {
    auto all = streams.live();
    all.insert(&nullStream);
    size_t n = 0;
    for (auto* s : all) {
        n += std::count_if(s->queue.begin(), s->queue.end(), [module](const Work& w) { return w.module == module; });
    }
    return n;
}

Stream* Runtime::stream(const void* handle) {
    // 0, and the names of the legacy and the per-thread default stream
    return (uintptr_t)handle <= 2 ? &nullStream : streams.get(handle, "CUstream");
}

int Runtime::breaksCapture(const char* call) {
    for (auto* s : streams.live()) {
        Graph* c = s->capture;
        if (c && (c->mode == 0 || (c->mode == 1 && c->thread == std::this_thread::get_id()))) {
            s->capture->invalid = true;
            report(std::string(call) + " while a stream captures: the capture is invalid now");
            return STREAM_CAPTURE_UNSUPPORTED;
        }
    }
    return SUCCESS;
}

int Runtime::submit(Stream* s, const std::string& name, std::function<void()> work, const void* module) {
    if (s->capture) {
        if (s->capture->invalid) {
            return STREAM_CAPTURE_INVALIDATED;
        }
        s->capture->nodes.push_back({name, std::move(work), module});
        return SUCCESS;
    }
    // The legacy stream and the blocking ones wait for each other.
    if (s->isNull) {
        for (auto* o : std::set<Stream*>(streams.live())) {
            if (!(o->flags & 1)) {
                if (o->capture) {
                    o->capture->invalid = true;
                    return STREAM_CAPTURE_IMPLICIT;
                }
                flush(o);
            }
        }
    } else if (!(s->flags & 1)) {
        flush(&nullStream);
    }
    s->queue.push_back({name, std::move(work), module});
    if (!lazy || s->queue.size() > LONGEST_QUEUE) {
        flush(s);
    }
    return current->sticky;
}

}  // namespace softgpu

using namespace softgpu;

SOFTGPU_API int cuStreamCreate(void** stream, unsigned flags) {
    ENTER();
    if (!stream || flags > 1) {
        return INVALID_VALUE;
    }
    Stream* s = r.streams.create();
    s->context = current;
    s->flags = flags;
    *stream = s;
    return SUCCESS;
}

SOFTGPU_API int cuStreamDestroy_v2(void* stream) {
    ENTER();
    Stream* s = r.streams.get(stream, "cuStreamDestroy");
    if (!s) {
        return INVALID_HANDLE;
    }
    r.flush(s);
    r.streams.destroy(s);
    return SUCCESS;
}

SOFTGPU_API int cuStreamSynchronize(void* stream) {
    ENTER();
    Stream* s = r.stream(stream);
    if (!s) {
        return INVALID_HANDLE;
    }
    if (s->capture) {
        s->capture->invalid = true;
        return STREAM_CAPTURE_UNSUPPORTED;
    }
    if (s->isNull) {
        for (auto* o : std::set<Stream*>(r.streams.live())) {
            if (!(o->flags & 1)) {
                r.flush(o);
            }
        }
    }
    r.flush(s);
    return current->sticky;
}

// Asked often enough the work gets done: one piece a question.
SOFTGPU_API int cuStreamQuery(void* stream) {
    ENTER();
    Stream* s = r.stream(stream);
    if (!s) {
        return INVALID_HANDLE;
    }
    if (s->queue.empty()) {
        return SUCCESS;
    }
    run(r, s);
    return current->sticky ? current->sticky : NOT_READY;
}

SOFTGPU_API int cuStreamGetFlags(void* stream, unsigned* flags) {
    ENTER();
    Stream* s = r.stream(stream);
    if (!s) {
        return INVALID_HANDLE;
    }
    *flags = s->flags;
    return SUCCESS;
}

SOFTGPU_API int cuStreamGetCtx(void* stream, void** ctx) {
    ENTER();
    Stream* s = r.stream(stream);
    if (!s) {
        return INVALID_HANDLE;
    }
    *ctx = s->isNull ? current : s->context;
    return SUCCESS;
}

// --- events ---

SOFTGPU_API int cuEventCreate(void** event, unsigned flags) {
    ENTER();
    if (!event) {
        return INVALID_VALUE;
    }
    Event* e = r.events.create();
    e->flags = flags;
    *event = e;
    return SUCCESS;
}

SOFTGPU_API int cuEventDestroy_v2(void* event) {
    ENTER();
    Event* e = r.events.get(event, "cuEventDestroy");
    if (!e) {
        return INVALID_HANDLE;
    }
    r.events.destroy(e);
    return SUCCESS;
}

SOFTGPU_API int cuEventRecord(void* event, void* stream) {
    ENTER();
    Event* e = r.events.get(event, "cuEventRecord");
    Stream* s = e ? r.stream(stream) : nullptr;
    if (!s) {
        return INVALID_HANDLE;
    }
    e->stream = s;
    e->capture = s->capture;
    if (s->capture) {
        return s->capture->invalid ? STREAM_CAPTURE_INVALIDATED : SUCCESS;
    }
    uint64_t version = ++e->recorded;
    return r.submit(s, "cuEventRecord", [e, version] {
        e->completed = version;
        e->nanos = nanoTime();
    });
}

namespace {

void complete(Runtime& r, Event* e, uint64_t version) {
    while (e->completed < version && e->stream && !e->stream->queue.empty()) {
        run(r, e->stream);
    }
}

}  // namespace

SOFTGPU_API int cuEventSynchronize(void* event) {
    ENTER();
    Event* e = r.events.get(event, "cuEventSynchronize");
    if (!e) {
        return INVALID_HANDLE;
    }
    if (e->capture) {
        return CAPTURED_EVENT;
    }
    complete(r, e, e->recorded);
    return current->sticky;
}

SOFTGPU_API int cuEventElapsedTime(float* millis, void* start, void* end) {
    ENTER();
    Event* a = r.events.get(start, "cuEventElapsedTime");
    Event* b = r.events.get(end, "cuEventElapsedTime");
    if (!a || !b || !a->recorded || !b->recorded || ((a->flags | b->flags) & 2)) {
        return INVALID_HANDLE;
    }
    if (a->completed < a->recorded || b->completed < b->recorded) {
        return NOT_READY;
    }
    *millis = float((double(b->nanos) - double(a->nanos)) * 1e-6);
    return SUCCESS;
}

SOFTGPU_API int cuStreamWaitEvent(void* stream, void* event, unsigned) {
    ENTER();
    Event* e = r.events.get(event, "cuStreamWaitEvent");
    Stream* s = e ? r.stream(stream) : nullptr;
    if (!s) {
        return INVALID_HANDLE;
    }
    if (e->capture) {  // the stream joins that capture
        if (s->capture && s->capture != e->capture) {
            return STREAM_CAPTURE_MERGE;
        }
        s->capture = e->capture;
        e->capture->streams.insert(s);
        return SUCCESS;
    }
    if (s->capture) {
        s->capture->invalid = true;
        return STREAM_CAPTURE_ISOLATION;
    }
    uint64_t version = e->recorded;
    if (version == 0) {
        return SUCCESS;  // as on a real device: nothing to wait for
    }
    return r.submit(s, "cuStreamWaitEvent", [&r, e, version] { complete(r, e, version); });
}
