// Launches: the limits that a real driver checks, then the machine.
#include "exec/machine.h"
#include "module.h"

#include <cstring>

namespace softgpu {

namespace {

struct Refused {
    int code;
    std::string why;
};

void limits(const Launch& l, const LoadedFunction& f) {
    const Program& p = *f.program;
    const Dim &g = l.grid, &b = l.block, &c = l.cluster;
    if (!g.count() || !b.count()) {
        throw Refused{INVALID_VALUE, "an empty grid or block"};
    }
    if (b.count() > 1024 || b.x > 1024 || b.y > 1024 || b.z > 64) {
        throw Refused{INVALID_VALUE, format("a block of (%u,%u,%u) threads", b.x, b.y, b.z)};
    }
    if (g.x > 2147483647u || g.y > 65535 || g.z > 65535) {
        throw Refused{INVALID_VALUE, format("a grid of (%u,%u,%u) blocks", g.x, g.y, g.z)};
    }
    const auto& r = p.requiredThreads;
    if (r[0] && (b.x != unsigned(r[0]) || b.y != unsigned(r[1]) || b.z != unsigned(r[2]))) {
        throw Refused{INVALID_VALUE, format("the kernel is for blocks of exactly (%d,%d,%d) threads", r[0], r[1], r[2])};
    }
    if (p.maxThreads && b.count() > uint64_t(p.maxThreads)) {
        throw Refused{LAUNCH_OUT_OF_RESOURCES, format("%llu threads, and .maxntid says %d", (unsigned long long)b.count(), p.maxThreads)};
    }
    if (l.dynamicShared > size_t(f.maxDynamicShared)) {
        throw Refused{
            INVALID_VALUE,
            format("%zu bytes of dynamic shared memory, and %d are allowed (CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES)",
                   l.dynamicShared,
                   f.maxDynamicShared)};
    }
    if (p.sharedBytes > 49152) {
        throw Refused{LAUNCH_OUT_OF_RESOURCES, format("%zu bytes of static shared memory", p.sharedBytes)};
    }
    if (c.count() > 1) {
        if (g.x % c.x || g.y % c.y || g.z % c.z) {
            throw Refused{INVALID_VALUE, "the grid is no multiple of the cluster"};
        }
        bool placed = usableMultiprocessors() == multiprocessors() || c.count() <= uint64_t(usableMultiprocessors());
        if (c.count() > (f.largeClusters ? 16u : 8u) || !placed) {
            throw Refused{INVALID_CLUSTER_SIZE, format("a cluster of %llu blocks", (unsigned long long)c.count())};
        }
    }
    int perSm = occupancy(f.registers(), p.sharedBytes + l.dynamicShared, int(b.count()));
    if (l.cooperative && g.count() > uint64_t(perSm) * uint64_t(usableMultiprocessors())) {
        throw Refused{
            COOPERATIVE_LAUNCH_TOO_LARGE,
            format("%llu blocks at once, and %d multiprocessors hold %d each",
                   (unsigned long long)g.count(),
                   usableMultiprocessors(),
                   perSm)};
    }
}

void parameters(Launch& l, const Program& p, void** args, void** extra) {
    l.params.assign(p.paramBytes, 0);
    if (extra) {
        throw Refused{INVALID_VALUE, "parameters by `extra` are not modelled"};
    }
    for (size_t k = 0; k < p.params.size(); k++) {
        const auto& x = p.params[k];
        if (!args || !args[k]) {
            throw Refused{INVALID_VALUE, format("parameter %zu of %zu is missing", k, p.params.size())};
        }
        memcpy(&l.params[x.offset], args[k], x.size);
    }
}

// A pointer that leads nowhere, though the kernel may not follow it: most likely the parameters are in the wrong order.
void pointers(const Launch& l) {
    const Program& p = *l.program;
    for (size_t k : p.pointers) {
        uint64_t value;
        memcpy(&value, &l.params[p.params[k].offset], 8);
        Allocation* a = value ? Memory::instance().near(value) : nullptr;
        if (value && (!a || a->freed || value < a->base || value > a->base + a->size)) {
            throw Fault(
                ILLEGAL_ADDRESS,
                format("parameter %zu (%s) is a pointer to ", k, p.params[k].name.c_str()) +
                    Memory::instance().describe(value));
        }
    }
}

int launch(void* function, Dim grid, Dim block, unsigned dynamic, void* stream, void** args, void** extra, bool cooperative) {
    ENTER(true, cooperative ? "cuLaunchCooperativeKernel" : "cuLaunchKernel");
    auto* f = functionOf(function, "cuLaunchKernel");
    Stream* s = f ? r.stream(stream) : nullptr;
    if (!s) {
        return INVALID_HANDLE;
    }
    auto program = f->program;
    Launch l;
    l.program = program.get();
    l.grid = grid;
    l.block = block;
    l.dynamicShared = dynamic;
    l.cooperative = cooperative;
    const auto& c = program->cluster[0] ? program->cluster : f->cluster;
    l.cluster = {unsigned(std::max(1, c[0])), unsigned(std::max(1, c[1])), unsigned(std::max(1, c[2]))};
    try {
        limits(l, *f);
        parameters(l, *program, args, extra);
    } catch (Refused& no) {
        report("launch of " + program->name + ": " + no.why + "\n    gives " + statusName(no.code));
        return no.code;
    }
    return r.submit(s, "kernel " + program->name, [l, program] {
        LaunchStats stats;
        uint64_t start = nanoTime();
        try {
            pointers(l);
            Machine(l, stats).run();
        } catch (...) {
            statistics().launches++;
            statistics().instructions += stats.instructions;
            throw;
        }
        statistics().launches++;
        statistics().instructions += stats.instructions;
        double ms = double(nanoTime() - start) * 1e-6;
        note(format(
            "%s grid (%u,%u,%u) block (%u,%u,%u): %llu thread instructions, %.3f ms, %.0f M/s",
            program->name.c_str(),
            l.grid.x,
            l.grid.y,
            l.grid.z,
            l.block.x,
            l.block.y,
            l.block.z,
            (unsigned long long)stats.instructions,
            ms,
            double(stats.instructions) / ms / 1e3));
    }, f->module);
}

}  // namespace

}  // namespace softgpu

using namespace softgpu;

SOFTGPU_API int cuLaunchKernel(
    void* f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, void* stream,
    void** args, void** extra) {
    return launch(f, {gx, gy, gz}, {bx, by, bz}, shared, stream, args, extra, false);
}

SOFTGPU_API int cuLaunchCooperativeKernel(
    void* f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, void* stream,
    void** args) {
    return launch(f, {gx, gy, gz}, {bx, by, bz}, shared, stream, args, nullptr, true);
}
