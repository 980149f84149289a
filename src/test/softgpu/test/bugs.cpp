// Planted bugs: each must be caught, with the error that the driver gives for it and a message that says where.
#include "harness.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace test {

namespace {

int planted = 0, caught = 0;

void bug(const char* name, bool found, const std::string& how) {
    planted++;
    caught += found;
    expect(found, std::string("planted bug not caught: ") + name + " (" + how + ")");
}

bool contains(const std::string& text, std::initializer_list<const char*> parts) {
    for (const char* p : parts) {
        if (text.find(p) == std::string::npos) {
            return false;
        }
    }
    return true;
}

// The driver must give this error and its last message must hold these words. Clears the error.
void caughtAs(const char* name, int got, int wanted, std::initializer_list<const char*> words) {
    std::string message = softgpuLastFinding();
    bug(name, got == wanted && contains(message, words), std::to_string(got) + ": " + message);
    cuDevicePrimaryCtxReset_v2(0);
}

// Each launch runs its blocks and warps in another order, in which another thing may be found first: one launch of many must end so, and
// all of them where nothing is wrong.
void inSomeOrder(const char* name, const std::function<int()>& launch, int wanted, std::initializer_list<const char*> words) {
    int got = 0;
    for (int i = 0; i < 64; i++) {
        got = launch();
        bool so = got == wanted && contains(softgpuLastFinding(), words);
        if (so != (wanted == 0)) {
            break;
        }
        cuDevicePrimaryCtxReset_v2(0);
    }
    caughtAs(name, got, wanted, words);
}

struct Shape {
    unsigned grid = 1, block = 32, shared = 0;
};

int run(void* f, std::vector<void*> args, Shape s = Shape()) {
    int e = cuLaunchKernel(f, s.grid, 1, 1, s.block, 1, 1, s.shared, nullptr, args.data(), nullptr);
    return e ? e : cuCtxSynchronize();
}

const std::string REGISTERS =
    ".reg .b64 %x, %y, %z;\n.reg .b32 %i, %t, %n, %v, %w;\n.reg .f32 %f;\n.reg .pred %p;\nmov.u32 %t, %tid.x;\n";

// A kernel over one array x of 100 floats, with thread number %t and its element's address %y.
void onArray(const char* name, const std::string& body, int wanted, std::initializer_list<const char*> words, Shape s = Shape()) {
    void* m = load(kernel(
        ".param .u64 x",
        REGISTERS + "ld.param.u64 %x, [x];\ncvta.to.global.u64 %x, %x;\nmad.wide.u32 %y, %t, 4, %x;\n" + body,
        ".extern .shared .align 16 .b8 dyn[];"));
    uint64_t x = upload(std::vector<float>(100, 1));
    caughtAs(name, run(function(m), {&x}, s), wanted, words);
}

const std::string MMA = "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 ";

constexpr int INVALID = 1, ADDRESS = 700, MISALIGNED = 716, FAILED = 719;

void memory() {
    onArray("read one past the end", "ld.global.f32 %f, [%y];", ADDRESS,
            {"read of 4 bytes at offset 400", "400 bytes", "thread (100,0,0)", "PTX line", "ld.global.f32"}, {1, 101});
    onArray("write one past the end", "st.global.f32 [%y], 0f3F800000;", ADDRESS, {"write of 4 bytes at offset 400"}, {1, 101});
    onArray("read before the start", "ld.global.f32 %f, [%y+-4];", ADDRESS, {"offset -4"});
    onArray("a vector over the end", "ld.global.v4.f32 {%f, %f, %f, %f}, [%x+400];", ADDRESS, {"read of 16 bytes"});
    onArray("a null pointer", "mov.u64 %x, 0; ld.global.f32 %f, [%x];", ADDRESS, {"0, which is no device memory"});
    onArray("a wild pointer", "mov.u64 %x, 1234567890124; st.global.u32 [%x], 0;", ADDRESS, {"which is no device memory"});
    onArray("a 32-bit product as an address", "mul.lo.u32 %i, %t, 536870912; cvt.u64.u32 %z, %i; add.u64 %z, %z, %x; ld.global.f32 %f, [%z];", ADDRESS, {"thread (1,0,0)"});
    onArray("misaligned", "ld.global.f32 %f, [%x+2];", MISALIGNED, {"misaligned access: 4 bytes"});
    onArray("misaligned vector", "ld.global.v2.f32 {%f, %f}, [%x+4];", MISALIGNED, {"8 bytes"});
    onArray("shared memory out of bounds", ".shared .b32 s[32]; st.shared.u32 [s+128], %t;", ADDRESS, {"offset 128 of 128"});
    onArray("no dynamic shared memory asked for", "mov.u32 %i, dyn; st.shared.u32 [%i], %t;", ADDRESS, {"of 0"});
    onArray("shared memory misaligned", ".shared .b32 s[32]; setp.eq.u32 %p, %t, 0; @%p st.shared.u32 [s+1], %t;", MISALIGNED, {"misaligned"});
    onArray("shared memory before its first byte", ".shared .b32 s[32]; mov.u32 %i, 0; ld.shared.u8 %i, [%i+-1];", ADDRESS, {"offset -1 of 128"});
    onArray("shared memory that nothing wrote", ".shared .b32 s[32]; ld.shared.u32 %i, [s];", FAILED, {"nothing wrote", "shared"});
    onArray("local memory out of bounds", ".local .b32 a[4]; st.local.u32 [a+16], %t;", ADDRESS, {"local memory", "offset 16"});
    onArray("local memory that nothing wrote", ".local .b32 a[4]; ld.local.u32 %i, [a];", FAILED, {"nothing wrote", "local"});
    onArray("an atomic out of bounds", "atom.global.add.u32 %i, [%x+400], 1;", ADDRESS, {"offset 400"});
    onArray("trap", "trap;", FAILED, {"trap"});

    uint64_t x = 0, y = 0;
    void* copy = nullptr;
    unsigned n = 32;
    auto again = [&] {
        x = upload(std::vector<float>(100, 1));
        cuMemAlloc_v2(&y, 400);
        copy = load(kernel(".param .u64 x, .param .u64 y, .param .u32 n",
            REGISTERS + "ld.param.u64 %x, [x]; ld.param.u64 %y, [y]; ld.param.u32 %n, [n]; cvta.to.global.u64 %x, %x;\n"
            "cvta.to.global.u64 %y, %y; setp.ge.s32 %p, %t, %n; @%p bra END; mad.wide.u32 %x, %t, 4, %x;\n"
            "mad.wide.u32 %y, %t, 4, %y; ld.global.f32 %f, [%x]; st.global.f32 [%y], %f; END:"));
    };
    again();
    cuMemFree_v2(x);
    caughtAs("use after free", run(function(copy), {&x, &y, &n}), ADDRESS, {"FREED"});
    again();
    caughtAs("read of what nothing wrote", run(function(copy), {&y, &x, &n}), FAILED, {"nothing wrote", "offset 0"});
    again();
    uint64_t number = 32;
    caughtAs("parameters in the wrong order", run(function(copy), {&number, &y, &x}), ADDRESS, {"parameter 0 (x)"});
    again();
    caughtAs("a missing parameter", run(function(copy), {&x, &y, nullptr}), INVALID, {"parameter 2 of 3 is missing"});
    again();
    n = 200;
    int first = run(function(copy), {&x, &y, &n}, {1, 256}), later = cuMemcpyDtoH_v2(&n, x, 4);
    bug("the error stays with the context", first == ADDRESS && later == ADDRESS, std::to_string(later));
    cuDevicePrimaryCtxReset_v2(0);

    again();
    cuMemFree_v2(x);
    caughtAs("double free", cuMemFree_v2(x), INVALID, {"second free"});
    again();
    caughtAs("free of the middle", cuMemFree_v2(x + 256), INVALID, {"not what cuMemAlloc gave"});
    again();
    std::vector<float> host(200);
    caughtAs("copy to the device beyond a buffer", cuMemcpyHtoD_v2(x, host.data(), 404), INVALID, {"404 bytes", "400 bytes"});
    again();
    caughtAs("copy to the host beyond a buffer", cuMemcpyDtoH_v2(host.data(), x + 200, 204), INVALID, {"offset 200"});
    again();
    caughtAs("copy on the device beyond a buffer", cuMemcpyDtoD_v2(y + 4, x, 400), INVALID, {"offset 4"});
    again();
    caughtAs("download of what nothing wrote", cuMemcpyDtoH_v2(host.data(), y, 400), FAILED, {"cuMemcpyDtoH", "nothing wrote"});
    again();
    caughtAs("fill beyond a buffer", cuMemsetD32_v2(x, 0, 101), INVALID, {"404 bytes"});
    void* pinned;
    again();
    cuMemHostAlloc(&pinned, 100, 0);
    int e = cuMemcpyDtoHAsync_v2(pinned, x, 104, nullptr);
    std::string message = softgpuLastFinding();
    bug("copy beyond pinned memory", e == INVALID && contains(message, {"pinned host memory ends after 100"}), message);
    cuMemFreeHost(pinned);
    cuDevicePrimaryCtxReset_v2(0);
    again();
    e = cuMemAlloc_v2(&y, size_t(1) << 50);
    bug("more memory than there is", e == 2, std::to_string(e));
    cuDevicePrimaryCtxReset_v2(0);
    again();
    cuModuleUnload(copy);
    cuMemFree_v2(y);
    cuDevicePrimaryCtxReset_v2(0);
    message = softgpuLastFinding();
    bug("leak", contains(message, {"leak", "400 bytes", "cuMemAlloc"}), message);

    int ends[2];
    char said[1000] = {};
    expect(pipe(ends) == 0, "pipe");
    fflush(nullptr);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 2);
        exit(0);
    }
    close(ends[1]);
    bool any = read(ends[0], said, sizeof said - 1) > 0;
    close(ends[0]);
    waitpid(child, nullptr, 0);
    bug("a context that stays", any && contains(said, {"leak", "the primary context is held 1 times"}), said);
}

void together() {
    std::string own = ".shared .b32 s[128]; mov.u32 %i, s; mad.lo.u32 %i, %t, 4, %i; st.shared.u32 [%i], %t;\n";
    std::string other = "xor.b32 %n, %t, 127; mov.u32 %i, s; mad.lo.u32 %i, %n, 4, %i;\n";
    onArray("race: write, no barrier, read", own + "bar.sync 0; not.b32 %w, %t; st.shared.u32 [%i], %w;\n" + other + "ld.shared.u32 %v, [%i];", FAILED,
            {"race in shared memory", "PTX line", "st.shared", "ld.shared"}, {1, 128});
    onArray("race: read, no barrier, write", own + "bar.sync 0;" + other + "ld.shared.u32 %v, [%i]; mov.u32 %i, s; mad.lo.u32 %i, %t, 4, %i; st.shared.u32 [%i], %n;",
            FAILED, {"race in shared memory"}, {1, 128});
    for (std::string first : {"", "!"}) {
        onArray("race: one warp reads, another one writes", own + "bar.sync 0; setp.lt.u32 %p, %t, 32; xor.b32 %n, %i, 128; @" + first +
                "%p ld.shared.u32 %v, [%n]; not.b32 %w, %t; setp.ge.u32 %p, %t, 32; @" + first + "%p st.shared.u32 [%i], %w;",
                FAILED, {"race in shared memory"}, {1, 64});
    }
    onArray("race: two writes", ".shared .b32 s[1]; st.shared.u32 [s], %t;", FAILED, {"race in shared memory", "write"});
    onArray("race within a warp", own + "xor.b32 %n, %t, 1; mov.u32 %i, s; mad.lo.u32 %i, %n, 4, %i; ld.shared.u32 %v, [%i];", FAILED,
            {"race in shared memory"});
    onArray("race: atomic and plain read", ".shared .b32 s[1]; setp.eq.u32 %p, %t, 0; @%p st.shared.u32 [s], 0; bar.sync 0; atom.shared.add.u32 %i, [s], 1; ld.shared.u32 %i, [s];",
            FAILED, {"race in shared memory"}, {1, 64});
    onArray("barrier in one branch only", "setp.lt.u32 %p, %t, 32; @%p bra END; bar.sync 0; END:", FAILED,
            {"barrier that not all threads reach", "bar.sync 0", "have exited"}, {1, 64});
    onArray("barrier in a divergent warp", "setp.lt.u32 %p, %t, 7; @%p bra END; bar.sync 0; END: bar.sync 0;", FAILED,
            {"deadlock"}, {1, 64});
    onArray("barrier after an early return", "setp.ge.u32 %p, %t, 50; @%p ret; bar.sync 0;", FAILED, {"have exited"}, {1, 64});
    onArray("shuffle among lanes that are elsewhere",
            "setp.lt.u32 %p, %t, 16; @%p bra A; shfl.sync.bfly.b32 %v, %t, 16, 31, -1; bra END; A: shfl.sync.bfly.b32 %v, %t, 16, 31, -1; END:",
            FAILED, {"lanes of its warp that do not come"});
    onArray("shuffle by a lane outside its mask", "shfl.sync.down.b32 %v, %t, 1, 31, 65535;", FAILED, {"not in its own member mask"});
    onArray("shuffle from an absent lane", "setp.lt.u32 %p, %t, 16; @!%p ret; shfl.sync.idx.b32 %v, %t, 20, 31, 65535;", FAILED,
            {"shuffle from lane 20"});
    const std::string mma = MMA + "{%f,%f,%f,%f}, {%v,%v,%v,%v}, {%v,%v}, {%f,%f,%f,%f};\n";
    auto onWarp = [&](const char* name, const std::string& body, std::initializer_list<const char*> words, unsigned threads = 32) {
        void* m = load(kernel("", REGISTERS + "mov.b32 %v, 0; mov.f32 %f, 0f00000000; setp.lt.u32 %p, %t, 20;\n" + body, "", "sm_80"));
        caughtAs(name, run(function(m), {}, {1, threads}), FAILED, words);
    };
    onWarp("mma after some lanes have returned", "@!%p ret;" + mma, {"mma takes all lanes of a warp, and lane 20 takes no part", "mma.sync"});
    onWarp("mma in a warp that is not full", mma, {"mma takes all lanes", "lane 8 takes no part"}, 40);
    onWarp("mma in two branches", "@%p bra A;" + mma + "bra E; A:" + mma + "E:", {"lanes of its warp that do not come", "mma.sync"});
    onWarp("mma for a part of the lanes", "@%p " + mma + "bar.sync 0;", {"lanes of its warp that do not come", "mma.sync"});
    onArray("a wait that nobody ends", "W: ld.volatile.global.u32 %v, [%x]; setp.eq.u32 %p, %v, 0; @!%p bra W;", FAILED,
            {"waits for memory that nobody changes", "cooperative"});
    onArray("a barrier number that is none", "bar.sync 16;", FAILED, {"no barrier 16"});
}

// What threads do to each other through global memory; x are 100 words of 1.0.
void betweenBlocks() {
    auto planted = [](const char* name, const std::string& body, int wanted, std::initializer_list<const char*> words, Shape s, bool together = false) {
        auto launch = [&] {
            void* f = function(load(kernel(".param .u64 x", REGISTERS + "ld.param.u64 %x, [x]; cvta.to.global.u64 %x, %x; mov.u32 %n, %ctaid.x;\n"
                                                                       "mad.wide.u32 %y, %t, 4, %x; mad.wide.u32 %z, %n, 4, %x;\n" + body)));
            uint64_t x = upload(std::vector<float>(100, 1));
            std::vector<void*> args = {&x};
            int e = together ? cuLaunchCooperativeKernel(f, s.grid, 1, 1, s.block, 1, 1, 0, nullptr, args.data()) : run(f, args, s);
            return e ? e : cuCtxSynchronize();
        };
        inSomeOrder(name, launch, wanted, words);
    };
    const std::string race = "race in global memory";
    planted("no fault: each block its own word", "st.global.u32 [%z], %n; ld.global.u32 %v, [%z];", 0, {}, {4, 32});
    planted("no fault: the same number by all", "st.global.u32 [%x], 9;", 0, {}, {4, 64});
    planted("a read of what another block writes", "st.global.u32 [%z], %n; ld.global.u32 %v, [%x+8];", FAILED,
            {race.c_str(), "read of 4 bytes that warp 0 of block 2", "block (1,0,0)", "ld.global"}, {3, 32});
    planted("a read of what a block before writes", "st.global.u32 [%z], %n; ld.global.u32 %v, [%x];", FAILED,
            {race.c_str(), "read of 4 bytes that warp 0 of block 0", "block (1,0,0)"}, {3, 32});
    planted("two blocks write a word", "st.global.u32 [%x], %n;", FAILED, {race.c_str(), "write of 4 bytes that"}, {2, 32});
    planted("a vector over a word of another block", "mad.wide.u32 %z, %n, 16, %x; ld.global.v4.u32 {%v,%v,%v,%v}, [%z]; st.global.u32 [%z+20], %t;", FAILED,
            {race.c_str(), "read of 16 bytes that"}, {2, 32});
    planted("an atomic of one block and a plain read of another", "setp.eq.u32 %p, %n, 0; @%p atom.global.add.u32 %v, [%x], 1; @!%p ld.global.u32 %v, [%x];", FAILED, {race.c_str()}, {2, 32});
    planted("no fault: atomics of all", "atom.global.add.u32 %v, [%x], 1; ld.relaxed.gpu.global.u32 %v, [%x];", 0, {}, {4, 32});
    planted("two warps without a barrier", "st.global.u32 [%y], %t; xor.b32 %i, %t, 32; mad.wide.u32 %z, %i, 4, %x; ld.global.u32 %v, [%z];", FAILED,
            {race.c_str(), "of block 0", "ld.global"}, {1, 64});
    planted("no fault: the same number by all, read back", "st.global.u32 [%x], 9; ld.global.u32 %v, [%x];", 0, {}, {4, 64});
    planted("no fault: with a barrier", "st.global.u32 [%y], %t; xor.b32 %i, %t, 32; mad.wide.u32 %z, %i, 4, %x; bar.sync 0; ld.global.u32 %v, [%z];", 0, {}, {1, 64});

    // Block 0 leaves a 5 and then a sign, for which block 1 waits.
    auto message = [](const char* before, const char* after) {
        return std::string("setp.ne.u32 %p, %t, 0; @%p bra E; setp.eq.u32 %p, %n, 0; @%p bra P;\n"
                           "W: ld.relaxed.gpu.global.u32 %v, [%x]; setp.ne.u32 %p, %v, 7; @%p bra W;") +
               after + "ld.relaxed.gpu.global.u32 %v, [%x+64]; setp.eq.u32 %p, %v, 5; @%p bra E; trap;\n"
                       "P: st.relaxed.gpu.global.u32 [%x+64], 5;" +
               before + "st.relaxed.gpu.global.u32 [%x], 7; E:";
    };
    const char* fence = "fence.acq_rel.gpu;";
    // The same with plain numbers.
    auto plain = [&](const char* before, const char* after) {
        std::string text = message(before, after);
        for (std::string number : {"ld.relaxed.gpu.global.u32 %v, [%x+64]", "st.relaxed.gpu.global.u32 [%x+64]"}) {
            text.replace(text.find(number), 14, number.substr(0, 2));
        }
        return text;
    };
    std::string generic = message(fence, fence);
    for (size_t at; (at = generic.find(".gpu.global.u32")) != std::string::npos;) {
        generic.erase(at + 4, 7);
    }
    planted("no fault: a fence on both sides", message(fence, fence), 0, {}, {2, 32}, true);
    planted("no fence where it is written", message("", fence), FAILED, {"trap", "block (1,0,0)"}, {2, 32}, true);
    planted("no fence where it is read", message(fence, ""), FAILED, {"trap", "block (1,0,0)"}, {2, 32}, true);
    planted("no fault: a plain number, a fence on both sides", plain(fence, fence), 0, {}, {2, 32}, true);
    planted("a plain number, no fence where it is written", plain("", fence), FAILED, {race.c_str(), "block (1,0,0)"}, {2, 32}, true);
    planted("a plain number, no fence where it is read", plain(fence, ""), FAILED, {race.c_str(), "block (1,0,0)"}, {2, 32}, true);
    planted("no fault: strong accesses by generic addresses", generic, 0, {}, {2, 32}, true);
    planted("a fence of the block alone", message("fence.acq_rel.cta;", fence), FAILED, {"trap", "block (1,0,0)"}, {2, 32}, true);
    planted("no fault: a number that is its own sign",
            "setp.ne.u32 %p, %t, 0; @%p bra E; setp.eq.u32 %p, %n, 0; @%p st.relaxed.gpu.global.u32 [%x], 7; @%p bra E;\n"
            "W: ld.relaxed.gpu.global.u32 %v, [%x]; setp.ne.u32 %p, %v, 7; @%p bra W; E:", 0, {}, {2, 32}, true);
}

// Two blocks of a cluster, each with an mbarrier for one arrival and 128 bytes, and a word for each thread of the other one:
// at %v, its mbarrier at %w.
void mbarriers() {
    const std::string object = ".shared .align 8 .b64 bar; .shared .align 16 .b32 buf[32]; .reg .b32 %u, %o; .reg .b64 %s; .reg .pred %q;\n";
    const std::string init = object + "setp.eq.s32 %p, %t, 0; @%p mbarrier.init.shared::cta.b64 [bar], 1;\n";
    const std::string expect = "@%p mbarrier.arrive.expect_tx.shared::cta.b64 _, [bar], 128;\n";
    const std::string meet = "barrier.cluster.arrive; barrier.cluster.wait;\n";
    const std::string other = "mov.u32 %u, %cluster_ctarank; xor.b32 %u, %u, 1; mov.u32 %o, buf; mad.lo.u32 %o, %t, 4, %o; mapa.shared::cluster.u32 %v, %o, %u;\n"
                              "mov.u32 %w, bar; mapa.shared::cluster.u32 %w, %w, %u;\n";
    const std::string push = "st.async.shared::cluster.mbarrier::complete_tx::bytes.u32 [%v], %t, [%w];\n";
    const std::string wait = "{ .reg .pred P; W: mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 P, [bar], 0; @!P bra W; }\n";
    const std::string read = "ld.shared.u32 %i, [%o];\n";
    auto planted = [](const char* name, const std::string& body, int wanted, std::initializer_list<const char*> words) {
        std::string text = kernel("", REGISTERS + body, "", "sm_90");
        text.insert(text.find("\n{\n"), "\n.explicitcluster .reqnctapercluster 2, 1, 1");
        inSomeOrder(name, [&] { return run(function(load(text)), {}, {2, 32}); }, wanted, words);
    };
    planted("no fault", init + expect + meet + other + push + wait + read + meet, 0, {});
    planted("no init of the mbarrier", object + meet + other + push, FAILED, {"no mbarrier.init", "thread (0,0,0)", "st.async"});
    planted("no barrier after the init", init + expect + other + "setp.eq.u32 %p, %u, 0; @%p " + push + meet, FAILED,
            {"no barrier lies between the mbarrier's init", "block (1,0,0)"});
    planted("a second init", init + "@%p mbarrier.init.shared::cta.b64 [bar], 1;", FAILED, {"belongs to an mbarrier"});
    planted("an mbarrier for nobody", object + "mbarrier.init.shared::cta.b64 [bar], 0;", FAILED, {"an mbarrier for 0 arrivals"});
    planted("a store over an mbarrier", init + "@%p st.shared.u32 [bar+4], 0;", FAILED, {"belongs to an mbarrier", "st.shared"});
    planted("more arrivals than the mbarrier takes", init + "bar.sync 0; mbarrier.arrive.expect_tx.shared::cta.b64 _, [bar], 8;", FAILED,
            {"1 arrivals", "0 of 1 arrivals and 16 bytes are missing"});
    planted("an end of an mbarrier in use", init + expect + "@%p mbarrier.inval.shared::cta.b64 [bar];", FAILED, {"the end of an mbarrier in use", "128 bytes"});
    planted("too many bytes", init + "@%p mbarrier.arrive.expect_tx.shared::cta.b64 _, [bar], 1048576;", FAILED, {"beyond the range"});
    planted("an exit with bytes missing", init + expect + meet, FAILED, {"exits before its mbarrier at offset 0 is done", "128 bytes"});
    planted("an exit with a st.async on the way", init + meet + other + push + meet, FAILED, {"exits before", "-128 bytes"});
    planted("a wait for the other block's mbarrier",
            init + meet + other + "{ .reg .pred P; mbarrier.test_wait.parity.shared::cta.b64 P, [%w], 0; }", ADDRESS, {"an mbarrier of another block"});
    planted("a phase that does not end", init + expect + meet + wait, FAILED,
            {"deadlock", "a phase of an mbarrier that does not end: 0 of 1 arrivals and 128 bytes are missing in its phase 0", "try_wait"});
    planted("a phase that test_wait awaits for ever",
            init + "bar.sync 0; { .reg .pred P; W: mbarrier.test_wait.parity.shared::cta.b64 P, [bar], 0; @!P bra W; }", FAILED, {"waits for memory that nobody changes"});
    planted("data to one block, the mbarrier of the other", init + expect + meet + other + "mov.u32 %w, bar;" + push, FAILED, {"an mbarrier of another one"});
    planted("a read that does not wait", init + expect + meet + other + push + meet + read + wait, FAILED,
            {"a st.async of thread 0 wrote, with no wait", "ld.shared"});
    planted("a read while the data is on its way", init + expect + meet + other + "@!%p " + push + meet + "@!%p " + read, FAILED,
            {"a st.async of thread 1 is on its way to"});
    planted("a st.async over what the other block still reads",
            init + expect + "mov.u32 %o, buf; mad.lo.u32 %o, %t, 4, %o; st.shared.u32 [%o], 7;" + meet + other + read +
                "setp.eq.u32 %p, %u, 1; @%p " + push + "@%p bra E;" + wait + "E:",
            FAILED, {"race in shared memory: st.async of 4 bytes", "ld.shared", "block (0,0,0)"});
    planted("two st.async to one word", init + expect + meet + other + push + push, FAILED, {"race in shared memory: st.async", "a st.async of thread 0"});
    // Eight threads send the words of four each; lane 3 reads the last word of the first vector.
    const std::string vectors = "mad.lo.u32 %v, %t, 12, %v; setp.lt.u32 %q, %t, 8;\n"
                                "@%q st.async.shared::cluster.mbarrier::complete_tx::bytes.v4.u32 [%v], {%t, %t, %t, %t}, [%w];\n";
    const std::string readLast = "setp.eq.u32 %q, %t, 3; @%q ld.shared.u32 %i, [%o];\n";
    planted("no fault in vectors", init + expect + meet + other + vectors + wait + read + meet, 0, {});
    planted("a vector by st.async that is not aligned", init + expect + meet + other + "add.u32 %v, %v, 8;" + vectors, MISALIGNED,
            {"misaligned access: 16 bytes", "thread (0,0,0)", "st.async"});
    planted("a vector by st.async beyond shared memory", init + expect + meet + other + "add.u32 %v, %v, 16;" + vectors, ADDRESS, {"16 bytes at offset 144 of 144"});
    planted("a vector by st.async over an mbarrier", init + expect + meet + other + "mov.u32 %v, %w;" + vectors, FAILED, {"belongs to an mbarrier"});
    planted("vectors for which too few bytes are expected", init + "@%p mbarrier.arrive.expect_tx.shared::cta.b64 _, [bar], 112;" + meet + other + vectors + meet, FAILED,
            {"exits before", "-16 bytes"});
    planted("a read of a vector's last word that does not wait", init + expect + meet + other + vectors + meet + readLast + wait, FAILED,
            {"a st.async of thread 0 wrote, with no wait", "ld.shared"});
    planted("a st.async to a vector's last word", init + expect + meet + other + "mov.u32 %i, %v;" + vectors + "setp.eq.u32 %q, %t, 3; mov.u32 %v, %i; @%q " + push, FAILED,
            {"race in shared memory: st.async of 4 bytes", "a st.async of thread 0"});
    planted("a vector by st.async whose last word the other block still reads",
            init + expect + "mov.u32 %o, buf; mad.lo.u32 %o, %t, 4, %o; st.shared.u32 [%o], 7;" + meet + other + readLast +
                "setp.ne.u32 %p, %u, 1; @%p bra R;" + vectors + "bra E; R:" + wait + "E:",
            FAILED, {"race in shared memory: st.async of 16 bytes", "ld.shared", "block (0,0,0)"});
    planted("a state of long ago",
            init + "bar.sync 0; @!%p bra E; mbarrier.arrive.shared.b64 %s, [bar]; mbarrier.arrive.shared.b64 _, [bar]; { .reg .pred P; mbarrier.test_wait.shared.b64 P, [bar], %s; } E:",
            FAILED, {"a state that is neither"});
    planted("two arrivals at the cluster's barrier", "barrier.cluster.arrive; barrier.cluster.arrive; barrier.cluster.wait;", FAILED, {"a second arrival"});
}

void launches() {
    auto limits = [](const char* name, Shape s, int wanted, std::initializer_list<const char*> words, const char* body = "") {
        onArray(name, body, wanted, words, s);
    };
    limits("a block too large", {1, 1025}, INVALID, {"block of (1025,1,1)"});
    limits("an empty grid", {0, 32}, INVALID, {"empty grid"});
    limits("an empty block", {1, 0}, INVALID, {"empty"});
    limits("too much shared memory", {1, 32, 49153}, INVALID, {"49153 bytes of dynamic shared memory"});

    std::string text = kernel(".param .u64 x", "", ".extern .shared .align 16 .b8 dyn[];");
    size_t at = text.find("\n{\n");
    text.insert(at, "\n.maxntid 64, 1, 1");
    void* m = load(text);
    uint64_t x = upload(std::vector<float>(1, 0));
    caughtAs("more threads than .maxntid", run(function(m), {&x}, {1, 65}), 701, {".maxntid says 64"});
    m = load(kernel("", "", ".extern .shared .align 16 .b8 dyn[];"));
    caughtAs("more shared memory than the device has", cuFuncSetAttribute(function(m), 8, 1 << 20), INVALID, {"the device has"});
    m = load(kernel("", ""));
    int e = cuLaunchCooperativeKernel(function(m), 1000000, 1, 1, 32, 1, 1, 0, nullptr, nullptr);
    caughtAs("a cooperative grid too large", e, 720, {"1000000 blocks at once"});
}

void streams() {
    void *s, *t, *event, *pinned;
    uint64_t x = upload(std::vector<float>(8, 1)), y = 0;
    cuStreamCreate(&s, 1);
    cuMemHostAlloc(&pinned, 32, 0);
    memset(pinned, 0, 32);
    cuMemcpyDtoHAsync_v2(pinned, x, 32, s);
    float early = *(volatile float*)pinned;
    cuStreamSynchronize(s);
    bug("the host reads too early", early != early && *(float*)pinned == 1, std::to_string(early));
    cuMemcpyHtoDAsync_v2(x, pinned, 32, s);
    *(volatile float*)pinned = 5;  // before the copy is done
    float got[8];
    cuStreamSynchronize(s);
    cuMemcpyDtoH_v2(got, x, 32);
    bug("the host writes too early", got[0] == 5, std::to_string(got[0]));
    cuMemFreeHost(pinned);
    cuStreamDestroy_v2(s);
    caughtAs("a stream after its destroy", cuStreamSynchronize(s), 400, {"used after its destroy"});

    // y is filled in one stream and copied in another: without the event in between too early.
    auto order = [&](bool wait) {
        x = upload(std::vector<float>(8, 1));
        cuMemAlloc_v2(&y, 32);
        cuStreamCreate(&s, 1);
        cuStreamCreate(&t, 1);
        cuEventCreate(&event, 2);
        cuMemHostAlloc(&pinned, 32, 0);
        memset(pinned, 0, 32);
        cuMemcpyHtoDAsync_v2(y, pinned, 32, s);
        cuEventRecord(event, s);
        if (wait) {
            cuStreamWaitEvent(t, event, 0);
        }
        float host[8];
        int e = cuMemcpyDtoHAsync_v2(host, y, 32, t);
        return e ? e : cuStreamSynchronize(t);
    };
    expect(order(true) == 0, "two streams with the event in between");
    cuMemFreeHost(pinned);
    cuDevicePrimaryCtxReset_v2(0);
    int e = order(false);
    std::string message = softgpuLastFinding();
    cuMemFreeHost(pinned);
    bug("two streams without the event", e == FAILED && contains(message, {"nothing wrote"}), message);
    cuDevicePrimaryCtxReset_v2(0);

    cuEventCreate(&event, 2);
    cuEventDestroy_v2(event);
    caughtAs("an event after its destroy", cuEventSynchronize(event), 400, {"used after its destroy"});

    void *graph, *exec;
    x = upload(std::vector<float>(8, 1));
    cuMemAlloc_v2(&y, 32);
    cuStreamCreate(&s, 1);
    cuStreamBeginCapture_v2(s, 0);
    cuMemcpyDtoDAsync_v2(y, x, 32, s);
    cuStreamEndCapture(s, &graph);
    cuGraphInstantiateWithFlags(&exec, graph, 0);
    cuGraphLaunch(exec, s);
    cuStreamSynchronize(s);
    expect(cuMemcpyDtoH_v2(got, y, 32) == 0 && got[7] == 1, "a graph replays");
    cuMemFree_v2(x);
    cuGraphLaunch(exec, s);
    e = cuStreamSynchronize(s);
    caughtAs("a graph over freed memory", e, ADDRESS, {"FREED"});
    cuStreamCreate(&s, 1);
    cuStreamBeginCapture_v2(s, 0);
    cuStreamEndCapture(s, &graph);
    cuGraphInstantiateWithFlags(&exec, graph, 0);
    cuGraphExecDestroy(exec);
    caughtAs("a graph after its destroy", cuGraphLaunch(exec, s), INVALID, {"used after its destroy"});
    cuStreamCreate(&s, 1);
    cuStreamBeginCapture_v2(s, 0);
    e = cuMemAlloc_v2(&x, 4);
    int end = cuStreamEndCapture(s, &graph);
    bug("an allocation while capturing", e == 900 && end == 901, std::to_string(e));
    void* context;
    cuCtxGetCurrent(&context);
    for (int mode : {0, 1}) {
        cuStreamBeginCapture_v2(s, mode);
        std::thread([&] {
            cuCtxSetCurrent(context);
            e = cuMemAlloc_v2(&x, 4);
            end = cuStreamEndCapture(s, &graph);
        }).join();
        bug("the end of a capture in another thread", end == 908, std::to_string(end));
        end = cuStreamEndCapture(s, &graph);
        if (mode == 0) {
            bug("an allocation in another thread while any may break the capture", e == 900 && end == 901, std::to_string(e));
        } else {
            expect(e == 0 && end == 0, "an allocation in another thread does a thread's own capture no harm");
        }
    }
    cuDevicePrimaryCtxReset_v2(0);
}

void products() {
    void* h;
    uint64_t a, b, c;
    float one = 1, zero = 0;
    auto start = [&] {
        cublasCreate_v2(&h);
        a = upload(std::vector<float>(100, 1));
        b = upload(std::vector<float>(100, 1));
        cuMemAlloc_v2(&c, 400);
    };
    auto sgemm = [&](int ta, int m, int n, int k, uint64_t pa, int lda, int ldb, int ldc, const float* beta) {
        int e = cublasSgemm_v2(h, ta, 0, m, n, k, &one, (float*)pa, lda, (float*)b, ldb, beta, (float*)c, ldc);
        return e ? e : cuCtxSynchronize();
    };
    start();
    float got[100];
    int e = sgemm(0, 10, 10, 10, a, 10, 10, 10, &zero);
    expect(e == 0 && cuMemcpyDtoH_v2(got, c, 400) == 0 && got[99] == 10, "a right product");
    start();
    caughtAs("a leading dimension too small", sgemm(0, 10, 10, 10, a, 9, 10, 10, &zero), 7,
             {"lda 9 is less than A's 10 rows"});
    start();
    caughtAs("a leading dimension too large", sgemm(0, 10, 10, 10, a, 11, 10, 10, &zero), ADDRESS,
             {"cublasSgemm A [10 x 10"});
    start();
    caughtAs("rows and columns swapped", sgemm(1, 5, 10, 20, a, 5, 20, 5, &zero), 7, {"lda 5 is less than A's 20 rows"});
    start();
    caughtAs("more rows than there are", sgemm(0, 11, 10, 10, a, 11, 10, 11, &zero), ADDRESS, {"cublasSgemm A"});
    start();
    caughtAs("beta over what nothing wrote", sgemm(0, 10, 10, 10, a, 10, 10, 10, &one), FAILED,
             {"cublasSgemm C", "nothing wrote"});
    start();
    caughtAs("an operand that nothing wrote", sgemm(0, 10, 10, 10, c, 10, 10, 10, &zero), FAILED, {"nothing wrote"});
    start();
    c = a;
    caughtAs("the result over an operand", sgemm(0, 10, 10, 10, a, 10, 10, 10, &zero), FAILED, {"overlaps A"});
    start();
    cublasDestroy_v2(h);
    e = sgemm(0, 10, 10, 10, a, 10, 10, 10, &zero);
    caughtAs("a handle after its destroy", e, 1, {"handle is destroyed"});
    cublasCreate_v2(&h);
    cuDevicePrimaryCtxReset_v2(0);
    std::string message = softgpuLastFinding();
    bug("a cuBLAS handle that stays", contains(message, {"leak", "1 cuBLAS handles"}), message);
    start();
    void* m = load(kernel("", ""));
    void* f = function(m);
    cuLaunchKernel(f, 1, 1, 1, 1, 1, 1, 0, nullptr, nullptr, nullptr);
    cuModuleUnload(m);
    message = softgpuLastFinding();
    bug("a module that is unloaded while its kernel waits", contains(message, {"unfinished", "1 kernels"}), message);
    caughtAs("a kernel of an unloaded module", run(f, {}), 400, {"used after its destroy"});
}

void refusals() {
    auto refused = [](const char* name, const std::string& text, int code, std::initializer_list<const char*> words) {
        std::string log;
        int e = 0;
        load(text, &log, &e);
        bug(name, e == code && contains(log, words), std::to_string(e) + ": " + log);
    };
    std::string r = ".reg .b16 %h; .reg .b32 %r; .reg .f32 %f; .reg .b64 %d; .reg .pred %p;\n";
    auto body = [&](const std::string& i) { return kernel("", r + i); };
    refused("an unknown instruction", body("frobnicate.f32 %f, %f;"), 218, {"line 8", "unknown instruction", "frobnicate"});
    refused("f16 arithmetic", body("add.f16 %h, %h, %h;"), 218, {"line 8", "add.f16"});
    refused("f16 conversion", body("cvt.f32.f16 %f, %h;"), 218, {"line 8", "cvt.f32.f16"});
    refused("bf16 conversion", body("cvt.rn.bf16.f32 %h, %f;"), 218, {"line 8", "bf16"});
    refused("an unknown modifier", body("add.rn.ftz.relu.f32 %f, %f, %f;"), 218, {"unknown modifier .relu"});
    refused("an unknown rounding", body("add.rna.f32 %f, %f, %f;"), 218, {"unknown modifier .rna"});
    refused("mma before sm_80", body(MMA + "{%f,%f,%f,%f}, {%r,%r,%r,%r}, {%r,%r}, {%f,%f,%f,%f};"), 218, {"line 8", "needs .target sm_80"});
    auto refused80 = [&](const char* name, const std::string& i, const char* why) {
        refused(name, kernel("", r + i, "", "sm_80"), 218, {"line 8", why});
    };
    refused80("mma of another shape", "mma.sync.aligned.m16n8k4.row.col.f32.tf32.tf32.f32 {%f,%f,%f,%f}, {%r,%r}, {%r}, {%f,%f,%f,%f};", "only mma.sync");
    refused80("mma of bf16", "mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32 {%f,%f,%f,%f}, {%r,%r}, {%r}, {%f,%f,%f,%f};", "only mma.sync");
    refused80("mma with a fragment too small", MMA + "{%f,%f,%f,%f}, {%r,%r,%r,%r}, %r, {%f,%f,%f,%f};", "a fragment of another size");
    refused80("mma with registers of floats", MMA + "{%f,%f,%f,%f}, {%r,%r,%r,%f}, {%r,%r}, {%f,%f,%f,%f};", "the type of %f does not go with .tf32");
    refused80("tf32 in a register of floats", "cvt.rna.tf32.f32 %f, %f;", "the type of %f does not go with .tf32");
    refused80("another rounding to tf32", "cvt.rn.tf32.f32 %r, %f;", "only cvt.rna.tf32.f32");
    refused80("from tf32", "cvt.rna.f32.tf32 %f, %r;", "only cvt.rna.tf32.f32");
    refused("tf32 before sm_80", body("cvt.rna.tf32.f32 %r, %f;"), 218, {"needs .target sm_80"});
    refused("a prefetch without a level", body("prefetch.global [%d];"), 218, {"a prefetch without a level"});
    refused("a prefetch of shared memory", body(".shared .b32 s; prefetch.L1 [s];"), 218, {"in another space"});
    refused("a register of the wrong size", body("add.s32 %d, %r, %r;"), 218, {"size"});
    refused("an unknown register", body("add.s32 %r, %nosuch, %r;"), 218, {"unknown name %nosuch"});
    refused("a missing operand", body("add.s32 %r, %r;"), 218, {"wrong number of operands"});
    refused("an unknown label", body("bra NOWHERE;"), 218, {"line 8", "unknown label NOWHERE"});
    refused("a register of floats for integers", body("add.u32 %r, %f, %r;"), 218, {"line 8", "the type of %f does not go with .u32"});
    refused("a float literal for an integer", body("add.s32 %r, %r, 0f3F800000;"), 218, {"0f literal"});
    refused("an unsigned comparison of signed", body("setp.lo.s32 %p, %r, %r;"), 218, {".lo"});
    refused("a conversion without rounding", body("cvt.f32.s32 %f, %r;"), 218, {"without a rounding"});
    refused("redux before sm_80", body("redux.sync.add.s32 %r, %r, -1;"), 218, {"sm_80"});
    std::string whole = body("add.s32 %r, %r, 1;");
    refused("a truncated file", whole.substr(0, whole.size() - 12), 218, {"line"});
    std::string newer = whole;
    newer.replace(newer.find("7.8"), 3, "9.0");
    auto refused90 = [&](const char* name, const std::string& i, const char* why) {
        refused(name, kernel("", r + i, "", "sm_90"), 218, {"line 8", why});
    };
    refused("an mbarrier before sm_80", body("mbarrier.init.shared.b64 [%r], 1;"), 218, {"needs .target sm_80"});
    std::string older = kernel("", r + "st.async.shared::cluster.mbarrier::complete_tx::bytes.f32 [%r], %f, [%r];", "", "sm_90");
    older.replace(older.find("8.1"), 3, "8.0");
    refused("st.async before .version 8.1", older, 218, {"needs .version 8.1"});
    refused90("st.async without bytes", "st.async.shared::cluster.f32 [%r], %f, [%r];", "unknown form of st.async");
    refused90("st.async of 32 bytes", "st.async.shared::cluster.mbarrier::complete_tx::bytes.v4.b64 [%r], {%d,%d,%d,%d}, [%r];", "unknown form of st.async");
    refused90("st.async of a vector from too few registers", "st.async.shared::cluster.mbarrier::complete_tx::bytes.v4.f32 [%r], {%f,%f}, [%r];", "the vector's size");
    refused90("a wait at another block", "mbarrier.try_wait.parity.shared::cluster.b64 %p, [%r], 0;", "only on an mbarrier of the own block");
    refused90("a state from another block", "mbarrier.arrive.shared::cluster.b64 %d, [%r];", "gives no state");
    refused90("an order without a scope", "mbarrier.arrive.release.shared.b64 %d, [%r];", ".release without a scope");
    refused90("a relaxed load without a scope", "ld.relaxed.global.f32 %f, [%d];", ".relaxed without a scope");
    refused90("a load that releases", "ld.release.gpu.global.f32 %f, [%d];", "unknown modifier .release");
    refused90("an arrival that acquires", "barrier.cluster.arrive.acquire;", "unknown modifier .acquire");
    refused90("a proxy fence of another kind", "fence.proxy.alias;", "only the proxy .async");
    refused("PTX newer than the driver", newer, 222, {"9.0"});
    refused("PTX for a newer device", kernel("", "", "", "sm_100"), 218, {"line 2", "sm_100"});
    refused("no PTX at all", "hello", 200, {"no PTX"});
}

}  // namespace

void plantedBugs() {
    memory();
    together();
    betweenBlocks();
    mbarriers();
    launches();
    streams();
    products();
    refusals();
    printf("planted bugs: %d, caught: %d\n", planted, caught);
}

}  // namespace test
