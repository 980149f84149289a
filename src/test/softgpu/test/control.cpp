// What is more than one instruction: branches, calls, memory of all kinds, threads together, streams and graphs.
#include "harness.h"

#include <cstring>

namespace test {

namespace {

const std::string START =
    ".reg .b64 %x, %y, %z, %g;\n.reg .b32 %i, %j, %t, %n, %v, %w, %u;\n.reg .f32 %f, %h;\n.reg .pred %p, %q;\n.reg .b16 %s;\n"
    "ld.param.u64 %x, [x]; cvta.to.global.u64 %x, %x; mov.u32 %t, %tid.x;\nmov.u32 %i, %ctaid.x; mov.u32 %n, %ntid.x;\n"
    "mad.lo.u32 %i, %i, %n, %t; mad.wide.u32 %y, %i, 4, %x;\n";

struct Shape {
    unsigned grid = 1, block = 32, shared = 0;
    bool cooperative = false;
    const char* target = "sm_75";
};

// Runs the body with one int a thread, that holds its number; compares with f(number).
void run(
    const char* name, const std::string& body, const std::function<uint32_t(uint32_t)>& f, Shape s = Shape(),
    const std::string& head = "", const char* directives = "") {
    std::string text = kernel(".param .u64 x", START + body, head, s.target);
    text.insert(text.find("\n{\n"), std::string("\n") + directives);
    void* m = load(text);
    if (!m) {
        return;
    }
    uint32_t n = s.grid * s.block;
    std::vector<uint32_t> data(n);
    for (uint32_t i = 0; i < n; i++) {
        data[i] = i;
    }
    uint64_t x = upload(data);
    void* args[] = {&x};
    int e = s.cooperative ? cuLaunchCooperativeKernel(function(m), s.grid, 1, 1, s.block, 1, 1, s.shared, nullptr, args)
                          : cuLaunchKernel(function(m), s.grid, 1, 1, s.block, 1, 1, s.shared, nullptr, args, nullptr);
    e = e ? e : cuMemcpyDtoH_v2(data.data(), x, 4 * n);
    if (!expect(e == 0, std::string(name) + ": error " + std::to_string(e) + " " + softgpuLastFinding())) {
        cuDevicePrimaryCtxReset_v2(0);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        expect(
            data[i] == f(i),
            std::string(name) + ": thread " + std::to_string(i) + " has " + std::to_string(data[i]) + ", expected " +
                std::to_string(f(i)));
    }
    cuMemFree_v2(x);
    cuModuleUnload(m);
}

void branches() {
    run("a loop of different length in each lane",
        "mov.u32 %v, 0; mov.u32 %j, 0; L: setp.ge.u32 %p, %j, %i; @%p bra E; add.u32 %v, %v, %j; add.u32 %j, %j, 1; bra L; E: st.global.u32 [%y], %v;",
        [](uint32_t i) { return i ? i * (i - 1) / 2 : 0; }, {2, 50});
    run("nested branches meet again",
        "mov.u32 %v, 0; and.b32 %j, %t, 1; setp.eq.u32 %p, %j, 0; @%p bra A; and.b32 %j, %t, 2; setp.eq.u32 %q, %j, 0; @%q bra B;"
        "mov.u32 %v, 3; bra E; B: mov.u32 %v, 2; bra E; A: mov.u32 %v, 1; E: activemask.b32 %w; popc.b32 %w, %w;"
        "mad.lo.u32 %v, %w, 10, %v; st.global.u32 [%y], %v;",
        [](uint32_t i) { return 320 + (i % 2 == 0 ? 1u : i & 2 ? 3u : 2u); });
    run("a predicated return", "setp.gt.u32 %p, %t, 9; @%p ret; st.global.u32 [%y], 77;",
        [](uint32_t i) { return i > 9 ? i : 77; });
    run("a predicated store and its opposite",
        "and.b32 %j, %t, 1; setp.eq.u32 %p, %j, 1; @%p st.global.u32 [%y], 1; @!%p st.global.u32 [%y], 2;",
        [](uint32_t i) { return i % 2 ? 1 : 2; });
    run("a branch table",
        "and.b32 %j, %t, 3; ts: .branchtargets A, B, C, D; brx.idx %j, ts; A: mov.u32 %v, 10; bra E; B: mov.u32 %v, 11; bra E;"
        "C: mov.u32 %v, 12; bra E; D: mov.u32 %v, 13; E: st.global.u32 [%y], %v;",
        [](uint32_t i) { return 10 + i % 4; });
    run("a function called twice",
        "{ .param .b32 a; .param .b32 r; st.param.b32 [a+0], %i; call.uni (r), twice, (a); ld.param.b32 %v, [r+0]; }"
        "{ .param .b32 a; .param .b32 r; st.param.b32 [a+0], %v; call (r), twice, (a); ld.param.b32 %v, [r+0]; } st.global.u32 [%y], %v;",
        [](uint32_t i) { return 4 * i; }, Shape(),
        ".func (.param .b32 r) twice(.param .b32 a) { .reg .b32 %v; .reg .pred %p; ld.param.b32 %v, [a+0]; setp.eq.u32 %p, %v, 0; @%p bra Z;"
        "add.u32 %v, %v, %v; Z: st.param.b32 [r+0], %v; ret; }");
    run("special registers",
        "mov.u32 %v, %laneid; mov.u32 %w, %warpid; mad.lo.u32 %v, %w, 32, %v; mov.u32 %w, %nctaid.x; mad.lo.u32 %v, %w, 1000, %v;"
        "mov.u32 %w, %lanemask_lt; popc.b32 %w, %w; mad.lo.u32 %v, %w, 10000, %v; st.global.u32 [%y], %v;",
        [](uint32_t i) { return i % 64 + 2000 + i % 32 * 10000; }, {2, 64});
    run("time goes on", "mov.u64 %z, %clock64; mov.u64 %g, %clock64; setp.gt.u64 %p, %g, %z; selp.u32 %v, 1, 0, %p; st.global.u32 [%y], %v;",
        [](uint32_t) { return 1; });
}

void memories() {
    run("local memory",
        ".local .align 8 .b8 a[64]; and.b32 %j, %t, 15; mov.u32 %v, 0; L: mov.u64 %z, a; mad.wide.u32 %z, %v, 4, %z;"
        "add.u32 %w, %v, %t; st.local.u32 [%z], %w; add.u32 %v, %v, 1; setp.lt.u32 %p, %v, 16; @%p bra L;"
        "mov.u64 %z, a; mad.wide.u32 %z, %j, 4, %z; ld.local.u32 %v, [%z]; st.global.u32 [%y], %v;",
        [](uint32_t i) { return i + i % 16; });
    run("local memory by generic addresses",
        ".local .align 8 .b8 a[8]; mov.u64 %z, a; cvta.local.u64 %z, %z; st.u32 [%z+4], %t; ld.u32 %v, [%z+4]; st.global.u32 [%y], %v;",
        [](uint32_t i) { return i; });
    run("shared memory, static and dynamic, and generic addresses",
        ".shared .align 4 .b32 s[64]; mov.u32 %j, s; mad.lo.u32 %j, %t, 4, %j; st.shared.u32 [%j], %t; mov.u64 %z, dyn; cvta.shared.u64 %z, %z;"
        "mad.wide.u32 %z, %t, 4, %z; mul.lo.u32 %w, %t, 3; st.u32 [%z], %w; bar.sync 0; xor.b32 %w, %t, 63; mov.u32 %j, s;"
        "mad.lo.u32 %j, %w, 4, %j; ld.shared.u32 %v, [%j]; mov.u32 %j, dyn; mad.lo.u32 %j, %w, 4, %j; ld.shared.u32 %w, [%j];"
        "add.u32 %v, %v, %w; st.global.u32 [%y], %v;",
        [](uint32_t i) { return 4 * (i % 64 ^ 63); }, {2, 64, 256}, ".extern .shared .align 16 .b8 dyn[];");
    run("vectors",
        "and.b32 %j, %t, 28; mad.wide.u32 %z, %j, 4, %x; ld.global.v4.u32 {%u, %v, %w, %j}, [%z]; bar.warp.sync -1; add.u32 %u, %u, %v;"
        "add.u32 %w, %w, %j; add.u32 %u, %u, %w; st.global.u32 [%y], %u;",
        [](uint32_t i) { return 4 * (i & ~3u) + 6; });
    run("bytes and halves, sign-extended",
        "mul.lo.u32 %v, %t, 9; st.global.u8 [%y], %v; ld.global.s8 %w, [%y]; ld.global.u8 %s, [%y]; cvt.u32.u16 %u, %s;"
        "st.global.u32 [%y], 0; add.u32 %u, %u, %w; st.global.u32 [%y], %u;",
        [](uint32_t i) { return uint32_t(int8_t(i * 9)) + uint8_t(i * 9); });
    run("module variables", "and.b32 %j, %t, 3; mov.u64 %z, table; mad.wide.u32 %z, %j, 4, %z; ld.const.u32 %v, [%z]; ld.global.u32 %w, [zero];"
        "add.u32 %v, %v, %w; st.global.u32 [%y], %v;",
        [](uint32_t i) { return 5 + i % 4; }, Shape(), ".const .align 4 .u32 table[4] = {5, 6, 7, 8}; .global .u32 zero;");
    run("cp.async",
        ".shared .align 16 .b32 s[32]; mov.u32 %j, s; mad.lo.u32 %j, %t, 4, %j; cp.async.ca.shared.global [%j], [%y], 4; cp.async.commit_group;"
        "cp.async.wait_group 0; ld.shared.u32 %v, [%j]; add.u32 %v, %v, 1; st.global.u32 [%y], %v;",
        [](uint32_t i) { return i + 1; }, {1, 32, 0, false, "sm_80"});
}

void threads() {
    run("shfl.bfly", "shfl.sync.bfly.b32 %v, %t, 5, 31, -1; st.global.u32 [%y], %v;", [](uint32_t i) { return i ^ 5; });
    run("shfl.down, a predicate for the last", "shfl.sync.down.b32 %v|%p, %t, 3, 31, -1; selp.u32 %w, 100, 0, %p; add.u32 %v, %v, %w; st.global.u32 [%y], %v;",
        [](uint32_t i) { return i < 29 ? i + 103 : i; });
    run("shfl.up in segments of 8", "shfl.sync.up.b32 %v, %t, 1, 6144, -1; st.global.u32 [%y], %v;", [](uint32_t i) { return i % 8 ? i - 1 : i; });
    run("shfl.idx in segments of 16", "shfl.sync.idx.b32 %v, %t, 3, 4127, -1; st.global.u32 [%y], %v;",
        [](uint32_t i) { return (i & 16) | 3; });
    run("shfl among half a warp", "setp.lt.u32 %p, %t, 16; @!%p bra E; shfl.sync.bfly.b32 %v, %t, 1, 31, 65535; st.global.u32 [%y], %v; E:",
        [](uint32_t i) { return i < 16 ? i ^ 1 : i; });
    run("votes",
        "setp.lt.u32 %p, %t, 5; vote.sync.ballot.b32 %v, %p, -1; vote.sync.any.pred %q, %p, -1; @%q add.u32 %v, %v, 100; vote.sync.all.pred %q, %p, -1;"
        "@%q add.u32 %v, %v, 1000; st.global.u32 [%y], %v;",
        [](uint32_t) { return 131; });
    run("match", "shr.u32 %v, %t, 2; match.any.sync.b32 %w, %v, -1; st.global.u32 [%y], %w;", [](uint32_t i) { return 15u << (i & ~3u); });
    run("redux", "redux.sync.add.s32 %v, %t, -1; st.global.u32 [%y], %v;", [](uint32_t) { return 496; }, {1, 32, 0, false, "sm_80"});
    run("bar.red", "setp.lt.u32 %p, %t, 7; bar.red.popc.u32 %v, 0, %p; bar.red.or.pred %q, 0, %p; @%q add.u32 %v, %v, 100; bar.red.and.pred %q, 0, %p; @%q add.u32 %v, %v, 1000; st.global.u32 [%y], %v;",
        [](uint32_t) { return 107; }, {1, 96});
    run("producers and consumers by a named barrier",
        ".shared .b32 s[1]; setp.lt.u32 %p, %t, 32; @%p bra A; setp.eq.u32 %q, %t, 32; @%q st.shared.u32 [s], 9; bar.arrive 1, 64; ret;"
        "A: bar.sync 1, 64; ld.shared.u32 %v, [s]; st.global.u32 [%y], %v;",
        [](uint32_t i) { return i < 32 ? 9 : i; }, {1, 64});
    run("atomics in shared memory",
        ".shared .b32 s[4]; setp.lt.u32 %p, %t, 4; mov.u32 %j, s; mad.lo.u32 %w, %t, 4, %j; @%p st.shared.u32 [%w], 0; bar.sync 0;"
        "atom.shared.add.u32 %v, [s], 2; red.shared.max.u32 [s+4], %t; red.shared.or.b32 [s+8], %t; atom.shared.cas.b32 %v, [s+12], 0, 5; bar.sync 0;"
        "ld.shared.u32 %v, [s]; ld.shared.u32 %w, [s+4]; mad.lo.u32 %v, %w, 1000, %v; ld.shared.u32 %w, [s+8]; mad.lo.u32 %v, %w, 1000000, %v;"
        "ld.shared.u32 %w, [s+12]; mad.lo.u32 %v, %w, 100000000, %v; st.global.u32 [%y], %v;",
        [](uint32_t) { return 128 + 63000 + 63000000 + 500000000; }, {1, 64});
    run("atomic sum of floats, inc and exch",
        "ld.global.u32 %v, [sum]; atom.global.add.f32 %f, [sum], 0f3F800000; atom.global.inc.u32 %v, [count], 9; bar.sync 0; ld.global.f32 %f, [sum];"
        "cvt.rzi.u32.f32 %v, %f; ld.global.u32 %w, [count]; mad.lo.u32 %v, %w, 100, %v; st.global.u32 [%y], %v;",
        [](uint32_t) { return 64 + 400; }, {1, 64}, ".global .f32 sum; .global .u32 count;");
    run("a grid-wide barrier of a cooperative launch",
        "atom.global.add.u32 %v, [count], 1; W: ld.acquire.gpu.global.u32 %v, [count]; setp.lt.u32 %p, %v, 256; @%p bra W; st.global.u32 [%y], %v;",
        [](uint32_t) { return 256; }, {8, 32, 0, true}, ".global .u32 count;");
    run("spinning lanes and the one that they wait for",
        "setp.ne.u32 %p, %t, 31; @%p bra W; st.volatile.global.u32 [flag], 1; bra E; W: ld.volatile.global.u32 %v, [flag]; setp.eq.u32 %q, %v, 0; @%q bra W;"
        "E: st.global.u32 [%y], 8;",
        [](uint32_t) { return 8; }, Shape(), ".global .u32 flag;");
    run("distributed shared memory of a cluster",
        ".shared .b32 s[32]; mov.u32 %j, s; mad.lo.u32 %j, %t, 4, %j; mov.u32 %u, %cluster_ctarank; mad.lo.u32 %w, %u, 100, %t; st.shared.u32 [%j], %w;"
        "barrier.cluster.arrive.release.aligned; barrier.cluster.wait.acquire.aligned; xor.b32 %u, %u, 1; mapa.shared::cluster.u32 %j, %j, %u;"
        "ld.shared::cluster.u32 %v, [%j]; barrier.cluster.arrive.aligned; barrier.cluster.wait.aligned; st.global.u32 [%y], %v;",
        [](uint32_t i) { return (i / 32 % 2 ? 0 : 100) + i % 32; }, {4, 32, 0, false, "sm_90"}, "", ".explicitcluster .reqnctapercluster 2, 1, 1");
}

// The same kernel three times from a graph, with a copy in between.
void graphs() {
    void* m = load(kernel(".param .u64 x", START + "ld.global.u32 %v, [%y]; mad.lo.u32 %v, %v, 2, 1; st.global.u32 [%y], %v;"));
    uint64_t x = upload(std::vector<uint32_t>(32, 1)), y = 0;
    cuMemAlloc_v2(&y, 128);
    void *s, *t, *graph, *exec, *event, *back;
    cuStreamCreate(&s, 1);
    cuStreamCreate(&t, 1);
    cuEventCreate(&event, 2);
    cuEventCreate(&back, 2);
    void* args[] = {&x};
    cuStreamBeginCapture_v2(s, 0);
    cuLaunchKernel(function(m), 1, 1, 1, 32, 1, 1, 0, s, args, nullptr);
    cuEventRecord(event, s);
    cuStreamWaitEvent(t, event, 0);  // the second stream joins
    cuMemcpyDtoDAsync_v2(y, x, 128, t);
    cuEventRecord(back, t);
    cuStreamWaitEvent(s, back, 0);
    int e = cuStreamEndCapture(s, &graph);
    cuGraphInstantiateWithFlags(&exec, graph, 0);
    cuGraphDestroy(graph);
    for (int k = 0; k < 3; k++) {
        cuGraphLaunch(exec, s);
    }
    cuStreamSynchronize(s);
    uint32_t got[32] = {};
    cuMemcpyDtoH_v2(got, y, 128);
    expect(e == 0 && got[31] == 15, "a graph of two streams, three times: " + std::to_string(got[31]));
    cuGraphExecDestroy(exec);
    cuStreamDestroy_v2(s);
    cuStreamDestroy_v2(t);
    cuEventDestroy_v2(event);
    cuEventDestroy_v2(back);
    cuMemFree_v2(x);
    cuMemFree_v2(y);
    cuModuleUnload(m);
}

}  // namespace

void control() {
    branches();
    memories();
    threads();
    graphs();
}

}  // namespace test
