// What is more than one instruction: branches, calls, memory of all kinds, threads together, streams and graphs.
#include "harness.h"

#include <cstring>

namespace test {

namespace {

const std::string START =
    ".reg .b64 %x, %y, %z, %g;\n.reg .b32 %i, %j, %t, %n, %v, %w, %u;\n.reg .f32 %f, %h;\n.reg .pred %p, %q;\n.reg .b16 %s;\n.reg .b32 %s32;\n"
    "ld.param.u64 %x, [x]; cvta.to.global.u64 %x, %x; mov.u32 %t, %tid.x;\nmov.u32 %i, %ctaid.x; mov.u32 %n, %ntid.x;\n"
    "mad.lo.u32 %i, %i, %n, %t; mad.wide.u32 %y, %i, 4, %x;\n";

const char* const PAIRS = ".explicitcluster .reqnctapercluster 2, 1, 1";

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
    // Registers that are not needed at once share a place; these are, though the text alone does not say so.
    const std::string more = ".reg .b32 %a, %b, %c, %d, %e, %k;";
    run("a register that the next turn of a loop reads",
        more + "mov.u32 %j, 0; L: mov.u32 %a, 99; add.u32 %d, %a, %j; setp.eq.u32 %p, %j, 0; @%p bra F; add.u32 %c, %b, %d; bra N; F: mov.u32 %c, %t;"
        "N: mov.u32 %v, %c; mov.u32 %b, %c; mov.u32 %e, 3; mov.u32 %k, 2; sub.u32 %e, %e, %k; add.u32 %j, %j, %e; setp.lt.u32 %p, %j, 3; { @%p bra L; } st.global.u32 [%y], %v;",
        [](uint32_t i) { return i + 201; });
    run("a register that only some lanes write anew",
        more + "mov.u32 %b, 5; mov.u32 %j, 0; mov.u32 %v, 0; L: and.b32 %u, %t, 1; setp.eq.u32 %p, %u, 0; @%p mov.u32 %b, %j; add.u32 %v, %v, %b;"
        "mov.u32 %a, 1; add.u32 %j, %j, %a; setp.lt.u32 %q, %j, 3; @%q bra L; st.global.u32 [%y], %v;",
        [](uint32_t i) { return i % 2 ? 15 : 3; });
    run("a register read above where it is written, by a branch table",
        more + "bra S; A: mov.u32 %c, 3; add.u32 %d, %c, %t; add.u32 %d, %d, %a; st.global.u32 [%y], %d; ret; B: st.global.u32 [%y], 1; ret; S: add.u32 %a, %t, 50; and.b32 %b, %t, 1; ts: .branchtargets A, B; brx.idx %b, ts;",
        [](uint32_t i) { return i % 2 ? 1 : 2 * i + 53; });
    run("predicates of different turns",
        ".reg .pred %a, %b; mov.u32 %j, 0; mov.u32 %v, 0; setp.lt.u32 %b, %t, 8; L: setp.lt.u32 %a, %t, 16; @%a add.u32 %v, %v, 1; @%b add.u32 %v, %v, 100;"
        "setp.gt.u32 %p, %t, 99; @%p add.u32 %v, %v, 7; add.u32 %j, %j, 1; setp.lt.u32 %q, %j, 3; @%q bra L; st.global.u32 [%y], %v;",
        [](uint32_t i) { return (i < 8 ? 300 : 0) + (i < 16 ? 3 : 0); });
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
    run("prefetches of what is there and of what is not",
        "prefetch.global.L2 [%y]; prefetch.global.L1 [%y+1234567890]; mov.u64 %z, 3; prefetch.L2 [%z]; mov.u32 %v, 6; st.global.u32 [%y], %v;",
        [](uint32_t) { return 6; });
    run("atomics in shared memory",
        ".shared .b32 s[4]; setp.lt.u32 %p, %t, 4; mov.u32 %j, s; mad.lo.u32 %w, %t, 4, %j; @%p st.shared.u32 [%w], 0; bar.sync 0;"
        "atom.shared.add.u32 %v, [s], 2; red.shared.max.u32 [s+4], %t; red.shared.or.b32 [s+8], %t; atom.shared.cas.b32 %v, [s+12], 0, 5; bar.sync 0;"
        "ld.shared.u32 %v, [s]; ld.shared.u32 %w, [s+4]; mad.lo.u32 %v, %w, 1000, %v; ld.shared.u32 %w, [s+8]; mad.lo.u32 %v, %w, 1000000, %v;"
        "ld.shared.u32 %w, [s+12]; mad.lo.u32 %v, %w, 100000000, %v; st.global.u32 [%y], %v;",
        [](uint32_t) { return 128 + 63000 + 63000000 + 500000000; }, {1, 64});
    run("atomic sum of floats, inc and exch",
        "ld.relaxed.gpu.global.u32 %v, [sum]; atom.global.add.f32 %f, [sum], 0f3F800000; atom.global.inc.u32 %v, [count], 9; bar.sync 0; ld.global.f32 %f, [sum];"
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
        [](uint32_t i) { return (i / 32 % 2 ? 0 : 100) + i % 32; }, {4, 32, 0, false, "sm_90"}, "", PAIRS);
}

// Blocks of a cluster that send each other their numbers by st.async and wait at mbarriers.
void mbarriers() {
    // One mbarrier for one arrival and the bytes of a whole block; where the other one's is.
    const std::string begin =
        ".shared .align 16 .b8 buf[512]; .shared .align 8 .b8 bars[16]; mov.u32 %u, %cluster_ctarank; xor.b32 %u, %u, 1;\n"
        "setp.ne.s32 %p, %t, 0; @%p bra READY; mov.u32 %w, bars; mbarrier.init.shared::cta.b64 [%w], 1; mbarrier.init.shared.b64 [bars+8], 64;\n"
        "fence.mbarrier_init.release.cluster; mbarrier.arrive.expect_tx.shared::cta.b64 _, [%w], 256;\n"
        "READY: barrier.cluster.arrive.release.aligned; barrier.cluster.wait.acquire.aligned; mov.u32 %w, bars; mapa.shared::cluster.u32 %w, %w, %u;\n"
        "mov.u32 %j, buf; mad.lo.u32 %j, %t, 4, %j; mapa.shared::cluster.u32 %j, %j, %u;\n";
    const std::string wait =
        "{ .reg .pred P; WAIT: mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 P, [bars], 0; @P bra DONE; bra WAIT; DONE: }\n";
    // The last arrival of the other block: it may exit now.
    const std::string end = "barrier.cluster.arrive.relaxed.aligned; barrier.cluster.wait.aligned;\n";
    const std::string mirrored = "xor.b32 %j, %t, 63; mov.u32 %w, buf; mad.lo.u32 %j, %j, 4, %w; ld.shared.u32 %v, [%j]; st.global.u32 [%y], %v;\n";
    const std::string send = "st.async.shared::cluster.mbarrier::complete_tx::bytes.b32 [%j], %i, [%w]; fence.proxy.async.shared::cta;\n";
    Shape four{4, 64, 0, false, "sm_90"};
    auto other = [](uint32_t i) { return (i / 64 ^ 1) * 64 + (i % 64 ^ 63); };
    run("st.async to the other block", begin + send + wait + mirrored + end, other, four, "", PAIRS);
    run("a block that sends before the other one expects it",
        "mov.u32 %n, %cluster_ctarank;" + begin + "setp.eq.u32 %p, %n, 0; @%p bra S; barrier.cluster.arrive; barrier.cluster.wait; S:" + send +
            "setp.ne.u32 %p, %n, 0; @%p bra T; barrier.cluster.arrive; barrier.cluster.wait; T:" + wait + mirrored + end,
        other, four, "", PAIRS);
    run("complete_tx before expect_tx in one phase",
        ".shared .align 8 .b64 bar; .shared .b32 s[32]; setp.ne.s32 %p, %t, 0; @!%p mbarrier.init.shared::cta.b64 [bar], 32; bar.sync 0; mov.u32 %j, s;"
        "mad.lo.u32 %j, %t, 4, %j; mov.u32 %w, bar; st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.u32 [%j], %i, [%w];"
        "mbarrier.test_wait.parity.shared::cta.b64 %q, [bar], 0; selp.u32 %v, 1000, 0, %q; mbarrier.arrive.expect_tx.release.cta.shared::cta.b64 _, [bar], 4;"
        "{ .reg .pred P; WAIT: mbarrier.try_wait.parity.shared::cta.b64 P, [bar], 0, 1000; @!P bra WAIT; }"
        "xor.b32 %t, %t, 31; mov.u32 %j, s; mad.lo.u32 %j, %t, 4, %j; ld.shared.u32 %u, [%j]; add.u32 %v, %v, %u;"
        "setp.ne.s32 %p, %t, 0; @!%p mbarrier.inval.shared.b64 [bar]; st.global.u32 [%y], %v;",
        [](uint32_t i) { return i ^ 31; }, {1, 32, 0, false, "sm_90"});
    run("vectors by st.async",
        ".shared .align 8 .b64 bar; .shared .align 16 .b8 s[1024]; setp.ne.s32 %p, %t, 0; @%p bra GO; mbarrier.init.shared::cta.b64 [bar], 1;"
        "mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [bar], 1024; mbarrier.arrive.shared::cta.b64 %g, [bar], 1; GO: bar.sync 0; mov.u32 %j, s;"
        "mad.lo.u32 %j, %t, 32, %j; mov.u32 %w, bar; add.u32 %u, %t, 100; mov.b64 %z, {%u, %t}; mov.b32 %f, %t; mov.b32 %h, %u;"
        "st.async.shared::cluster.mbarrier::complete_tx::bytes.v4.f32 [%j+16], {%f, %h, %f, %h}, [%w];"
        "st.async.shared::cluster.mbarrier::complete_tx::bytes.v2.b32 [%j], {%u, %u}, [%w+0];"
        "st.async.shared::cluster.mbarrier::complete_tx::bytes.b64 [%j+8], %z, [%w];"
        "{ .reg .pred P; WAIT: mbarrier.test_wait.parity.shared::cta.b64 P, [bar], 0; @!P bra WAIT; }"
        "ld.shared.v4.u32 {%n, %u, %v, %w}, [%j]; sub.u32 %n, %n, %u; mad.lo.u32 %n, %w, 1000, %n; sub.u32 %v, %v, 100; mad.lo.u32 %n, %v, 1000000, %n;"
        "ld.shared.v4.u32 {%u, %v, %w, %j}, [%j+16]; add.u32 %n, %n, %u; sub.u32 %v, %v, %j; add.u32 %n, %n, %v; sub.u32 %w, %w, %u; add.u32 %n, %n, %w;"
        "st.global.u32 [%y], %n;",
        [](uint32_t i) { return i * 1001001; }, {1, 32, 0, false, "sm_90"});
    run("arrivals, counts and states; what is written before an arrival is seen after the wait",
        ".shared .align 8 .b64 bar; .shared .b32 s[64]; setp.ne.s32 %p, %t, 0; @!%p mbarrier.init.shared.b64 [bar], 128; bar.sync 0; mov.u32 %j, s;"
        "mad.lo.u32 %w, %t, 4, %j; st.shared.u32 [%w], %t; mbarrier.arrive.release.cta.shared::cta.b64 %z, [bar], 2;"
        "W: mbarrier.try_wait.acquire.cta.shared::cta.b64 %p, [bar], %z; @!%p bra W; mbarrier.test_wait.shared.b64 %q, [bar], %z; selp.u32 %v, 100, 0, %q;"
        "xor.b32 %u, %t, 63; mad.lo.u32 %w, %u, 4, %j; ld.shared.u32 %u, [%w]; add.u32 %v, %v, %u; mbarrier.test_wait.parity.shared.b64 %q, [bar], 1;"
        "selp.u32 %u, 1000, 0, %q; add.u32 %v, %v, %u; st.global.u32 [%y], %v;",
        [](uint32_t i) { return 100 + (i ^ 63); }, {1, 64, 0, false, "sm_90"});
    run("arrivals at another block's mbarrier",
        begin + "add.u32 %w, %w, 8; mov.u32 %j, buf; mad.lo.u32 %j, %t, 4, %j; mapa.shared::cluster.u32 %j, %j, %u; st.shared::cluster.u32 [%j], %i;"
        "mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%w];"
        "W: mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 %p, [bars+8], 0; @!%p bra W;" + mirrored + end +
            "mov.u32 %w, bars; mapa.shared::cluster.u32 %w, %w, %u; mov.u32 %j, buf; mad.lo.u32 %j, %t, 4, %j; mapa.shared::cluster.u32 %j, %j, %u;" + send + wait,
        other, four, "", PAIRS);
    // 20 steps, two buffers, two mbarriers: a block may be one step ahead. Each sends what it received, plus one.
    run("steps by st.async, with no barrier but the mbarriers'",
        ".shared .align 16 .b32 buf[128]; .shared .align 8 .b64 bars[2]; .reg .b32 %k, %m, %o, %r, %b, %c; mov.u32 %u, %cluster_ctarank; xor.b32 %u, %u, 1;\n"
        "setp.ne.s32 %p, %t, 0; @%p bra READY; mbarrier.init.shared::cta.b64 [bars], 1; mbarrier.init.shared::cta.b64 [bars+8], 1;\n"
        "fence.mbarrier_init.release.cluster; mbarrier.arrive.expect_tx.shared::cta.b64 _, [bars], 256; mbarrier.arrive.expect_tx.shared::cta.b64 _, [bars+8], 256;\n"
        "READY: barrier.cluster.arrive.release.aligned; barrier.cluster.wait.acquire.aligned; mov.u32 %v, %i; mov.u32 %k, 0;\n"
        "STEP: and.b32 %m, %k, 1; shr.u32 %o, %k, 1; and.b32 %o, %o, 1; mov.u32 %j, buf; mad.lo.u32 %j, %m, 256, %j; mad.lo.u32 %j, %t, 4, %j;\n"
        "mov.u32 %b, bars; mad.lo.u32 %b, %m, 8, %b; mapa.shared::cluster.u32 %r, %j, %u; mapa.shared::cluster.u32 %c, %b, %u;\n"
        "st.async.shared::cluster.mbarrier::complete_tx::bytes.u32 [%r], %v, [%c];\n"
        "W: mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 %p, [%b], %o; @!%p bra W; ld.shared.u32 %v, [%j]; add.u32 %v, %v, 1;\n"
        "bar.sync 0; setp.ne.s32 %p, %t, 0; setp.ge.u32 %q, %k, 18; or.pred %p, %p, %q; @%p bra ARMED;\n"
        "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%b], 256; ARMED: add.u32 %k, %k, 1; setp.lt.u32 %p, %k, 20; @%p bra STEP;\n"
        "st.global.u32 [%y], %v;" + end,
        [](uint32_t i) { return i + 20; }, four, "", PAIRS);
}

// Blocks of a cooperative grid that exchange through global memory.
void cooperative() {
    run("numbers through global memory, counted by red.release and awaited by ld.acquire",
        "mov.u32 %u, %nctaid.x; mov.u32 %j, %ctaid.x; add.u32 %w, %i, 1000; st.relaxed.gpu.global.u32 [%y], %w; bar.sync 0; setp.ne.s32 %p, %t, 0; @%p bra S;"
        "red.release.gpu.global.add.u32 [count], 1; W: ld.acquire.gpu.global.u32 %v, [count]; setp.lt.u32 %q, %v, %u; @%q bra W; S: bar.sync 0;"
        "add.u32 %j, %j, 1; setp.eq.u32 %p, %j, %u; selp.u32 %j, 0, %j, %p; mad.lo.u32 %j, %j, %n, %t; and.b32 %j, %j, -4; mad.wide.u32 %z, %j, 4, %x; prefetch.global.L2 [%z];"
        "ld.relaxed.gpu.global.v4.u32 {%u, %v, %w, %j}, [%z]; bar.sync 0; @%p bra E; E: setp.ne.s32 %p, %t, 0; @%p bra T; fence.acq_rel.gpu;"
        "atom.add.acq_rel.gpu.global.u32 %s32, [count], 1; X: ld.relaxed.gpu.global.u32 %s32, [count]; mov.u32 %i, %nctaid.x; shl.b32 %i, %i, 1; setp.lt.u32 %q, %s32, %i; @%q bra X;"
        "fence.acq_rel.cluster; T: bar.sync 0; add.u32 %u, %u, %j; st.release.gpu.global.u32 [%y], %u;",
        [](uint32_t i) { return 2 * ((i + 256) % 2048 / 4 * 4 + 1000) + 3; }, {8, 256, 48 << 10, true, "sm_90"},
        ".global .u32 count; .extern .shared .align 16 .b8 dyn[];", "");
    run("blocks of as many threads as .maxntid says fit, however many registers are named",
        ".reg .b32 %many<2000>; mov.u32 %v, %nctaid.x; st.global.u32 [%y], %v;", [](uint32_t) { return 4; }, {4, 512, 0, true}, "",
        ".maxntid 512, 1, 1 .minnctapersm 1");
    run("cp.async.cg and loads through the read-only path",
        ".shared .align 16 .b8 s[512]; mov.u32 %j, s; mad.lo.u32 %j, %t, 16, %j; and.b32 %u, %t, 7; mul.wide.u32 %z, %u, 16; add.u64 %z, %z, %x; cp.async.cg.shared.global [%j], [%z], 16;"
        "cp.async.commit_group; cp.async.wait_group 0; ld.shared.u32 %v, [%j+12]; ld.global.nc.v4.f32 {%f, %h, %f, %h}, [%z]; mov.b32 %w, %h; mad.lo.u32 %v, %w, 100, %v; bar.sync 0; st.global.u32 [%y], %v;",
        [](uint32_t i) { return 101 * (i % 8 * 4 + 3); }, {1, 32, 0, false, "sm_90"});
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
    mbarriers();
    cooperative();
    graphs();
}

}  // namespace test
