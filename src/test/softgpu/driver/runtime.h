// What all parts of the driver share: the lock, the contexts, the handles, the streams.
#pragma once

#include "device.h"
#include "memory.h"

#include <deque>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#define SOFTGPU_API extern "C" __attribute__((visibility("default")))

namespace softgpu {

// Handles are addresses of objects that are never deleted: a use after the destroy is recognised, not undefined.
template <class T>
class Handles {
  public:
    T* create() {
        T* t = new T;
        live_.insert(t);
        return t;
    }
    // Null, after a report, for what is no live handle.
    T* get(const void* handle, const char* what) {
        T* t = (T*)handle;
        if (live_.count(t)) {
            return t;
        }
        report(std::string(what) + (dead_.count(t) ? ": used after its destroy" : ": no such handle"));
        return nullptr;
    }
    void destroy(T* t) {
        live_.erase(t);
        dead_.insert(t);
    }
    std::set<T*>& live() { return live_; }

  private:
    std::set<T*> live_, dead_;
};

struct Context {
    bool primary = false, alive = true;
    int retained = 0;
    int sticky = 0;  // the error that every later call gives
};

struct Graph;

struct Work {
    std::string name;  // "kernel tanh_fwd", "cuMemcpyDtoHAsync"
    std::function<void()> run;
    const void* module = nullptr;  // of a kernel
};

struct Stream {
    Context* context = nullptr;
    unsigned flags = 0;
    std::deque<Work> queue;
    Graph* capture = nullptr;
    bool captureOrigin = false;
    bool isNull = false;
};

struct Event {
    unsigned flags = 0;
    uint64_t recorded = 0, completed = 0;  // how often
    uint64_t nanos = 0;
    Stream* stream = nullptr;  // of the last record
    Graph* capture = nullptr;
};

struct Graph {
    std::vector<Work> nodes;
    int mode = 0;  // 0: calls of any thread can break the capture, 1: of its own, 2: none
    std::thread::id thread;
    bool invalid = false;
    std::set<Stream*> streams;
};

struct Runtime {
    std::recursive_mutex lock;
    bool initialized = false;
    bool lazy = true;
    Context primary;
    Handles<Context> contexts;
    Handles<Stream> streams;
    Handles<Event> events;
    Handles<Graph> graphs, graphExecs;
    Stream nullStream;
    int cublasHandles = 0;  // live ones

    static Runtime& instance();

    // Queues the work, runs it at once (SOFTGPU_EAGER), or adds it to the graph that the stream captures.
    int submit(Stream* s, const std::string& name, std::function<void()> run, const void* module = nullptr);
    void flush(Stream* s);
    void flushAll();
    void execute(const Work& w);
    size_t waiting(const void* module);  // how many of its kernels are in the streams
    Stream* stream(const void* handle);  // null after a report
    // Gives CUDA_ERROR_STREAM_CAPTURE_... if this kind of call breaks a capture that is under way.
    int breaksCapture(const char* call);
};

extern thread_local Context* current;

// The status that SOFTGPU_FAIL wants of this call, SUCCESS for none.
int wantedStatus(const char* call);

// Holds the lock, and has the error to return if there is one.
struct Call {
    explicit Call(bool needsContext = true, const char* name = __builtin_FUNCTION());
    std::lock_guard<std::recursive_mutex> lock;
    int error = 0;
};

// The start of nearly every call, given what Call takes.
#define ENTER(...)                         \
    Call entered{__VA_ARGS__};             \
    if (entered.error) {                   \
        return entered.error;              \
    }                                      \
    Runtime& r = Runtime::instance();      \
    (void)r

uint64_t nanoTime();

// Counters, printed by the statistics.
struct Statistics {
    uint64_t launches = 0, instructions = 0, gemms = 0, copies = 0;
};
Statistics& statistics();

// The stack of the Java code that called, for the owner of an allocation; "" where it is not known.
std::string callerStack();

// Pinned host memory: gives the bytes from the address to its end, 0 if the address is in none.
size_t pinnedBytes(const void* address);
void reportHostLeaks();
size_t loadedModules();
// At the end of a context.
void forgetHostMemory();
void forgetModules();

// As a context ends, so that a process that is killed leaves something; every ten seconds at most, for some make thousands.
void writeCoverageNowAndThen();

}  // namespace softgpu
