// A kernel in the form that runs: one Op per instruction, operands as offsets into a warp's register file.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace softgpu {

class Machine;
struct Op;

// Carries out one instruction for the lanes of the mask.
using Handler = void (*)(Machine&, const Op&, uint32_t lanes);

// How the scheduler has to treat an instruction; everything but `plain` it handles itself.
enum class Flow : uint8_t {
    plain,
    branch,    // to target
    table,     // brx.idx: to tables[target][register a]
    exit,
    barrier,   // of the block: waits for other warps
    converge,  // of the warp: runs once all lanes of its member mask are here
    cluster,   // barrier of all blocks of a cluster
    mbarrier,  // test of a phase, or wait for it
};

constexpr int LANES = 32;

// In the register file a 32-bit register is 32 words of 4 bytes, one a lane; a 64-bit one 32 words of 8; registers of 8
// and 16 bits live in 32-bit ones, zero-extended. A predicate is one word, one bit a lane.
struct Op {
    Handler run = nullptr;
    uint32_t d = 0, a = 0, b = 0, c = 0, e = 0;
    uint32_t v[4] = {0, 0, 0, 0};  // registers of a vector operand
    int64_t offset = 0;            // displacement of an address
    uint32_t guard = 0;            // slot of the predicate; the slot 0 is always true
    uint32_t target = 0;           // branch: index of an Op; mma: of its Fragments
    uint16_t aux = 0, aux2 = 0;    // what the handler makes of it
    Flow flow = Flow::plain;
    bool guardNegated = false;
    bool wideAddress = true;  // the address register has 64 bits
    bool wideData = false;    // the data register has 64 bits though the type has fewer
};

// For messages and the coverage figure.
struct OpInfo {
    int line = 0;
    std::string source, text;
};

enum class Special : uint8_t {
    tidX, tidY, tidZ, ntidX, ntidY, ntidZ, ctaidX, ctaidY, ctaidZ, nctaidX, nctaidY, nctaidZ,
    laneid, warpid, nwarpid, smid, nsmid, gridid, lanemaskEq, lanemaskLt, lanemaskLe, lanemaskGt, lanemaskGe,
    warpSize, clock, clock64, globaltimer, globaltimerLo, envreg1, envreg2, dynamicShared, totalShared,
    clusterIdX, clusterIdY, clusterIdZ, nclusterIdX, nclusterIdY, nclusterIdZ,
    clusterCtaidX, clusterCtaidY, clusterCtaidZ, clusterNctaidX, clusterNctaidY, clusterNctaidZ,
    clusterCtarank, clusterNctarank,
};

struct Program {
    struct Param {
        std::string name, type;
        size_t offset, size, align;
    };
    struct Constant {
        uint32_t slot;
        uint64_t bits;
        bool wide;
    };
    struct Fragments {  // registers of an mma
        uint32_t d[4], a[4], b[2], c[4];
    };
    struct SpecialSlot {
        uint32_t slot;
        Special what;
        bool wide;
    };

    std::string name, module;
    std::vector<Op> ops;
    std::vector<OpInfo> info;
    std::vector<uint64_t> hits;  // how often each Op was reached by a warp
    std::vector<std::vector<uint32_t>> tables;
    std::vector<Fragments> fragments;
    std::vector<Param> params;
    std::vector<size_t> pointers;  // indices of the parameters that are turned into global addresses
    std::vector<Constant> constants;
    std::vector<SpecialSlot> specials;
    size_t paramBytes = 0;
    size_t registerBytes = 0;  // of one warp's register file
    int registers = 0;         // declared, in units of 32 bits: what a careless compiler would need
    size_t sharedBytes = 0, localBytes = 0;
    bool mbarriers = false;
    int maxThreads = 0;  // .maxntid or .reqntid, 0 if not given
    std::array<int, 3> requiredThreads{0, 0, 0};
    std::array<int, 3> cluster{0, 0, 0};  // .reqnctapercluster
};

// Generic addresses: below these windows they are global.
constexpr uint64_t SHARED_WINDOW = uint64_t(1) << 56;
constexpr uint64_t LOCAL_WINDOW = uint64_t(2) << 56;
constexpr uint64_t PARAM_WINDOW = uint64_t(3) << 56;
constexpr uint64_t WINDOW_MASK = uint64_t(0xff) << 56;
// A shared::cluster address carries the rank of its block, plus one, above the offset.
constexpr int CLUSTER_RANK_SHIFT = 24;

}  // namespace softgpu
