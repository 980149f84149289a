// A block before its first instruction: registers, special registers, shared and local memory.
#include "lanes.h"
#include "machine.h"

#include <algorithm>

namespace softgpu {

void Machine::start(Block& b, uint64_t number, std::shared_ptr<Cluster> cluster) {
    b.number = number;
    b.cluster = std::move(cluster);
    b.threads = unsigned(launch_.block.count());
    b.alive = b.threads;
    b.barriers = {};
    b.met = b.released = b.acquired = 0;
    size_t warps = (b.threads + LANES - 1) / LANES, perWarp = program_.registerBytes;
    b.mbarriers.clear();
    b.shared.start(
        program_.sharedBytes + launch_.dynamicShared,
        program_.mbarriers ? &b.cluster->order : nullptr,
        b.clusterRank * warps,
        warps);
    bool fresh = b.warps.size() != warps;
    if (fresh) {
        b.warps.assign(warps, Warp());
        b.registerFile.assign(warps * perWarp + 128, 0);
    }
    size_t local = (program_.localBytes + 15) / 16 * 16, written = local / 4 + 2;
    if (local) {
        b.localFile.resize(warps * LANES * local);
        b.localWritten.assign(warps * LANES * written, 0);
    }
    uint8_t* file = b.registerFile.data();
    file += (128 - uintptr_t(file) % 128) % 128;
    for (size_t k = 0; k < warps; k++) {
        Warp& w = b.warps[k];
        unsigned lanes = std::min<unsigned>(LANES, b.threads - unsigned(k) * LANES);
        w.index = unsigned(k);
        w.registers = file + k * perWarp;
        w.local = local ? &b.localFile[k * LANES * local] : nullptr;
        w.localWritten = local ? &b.localWritten[k * LANES * written] : nullptr;
        w.born = lanes == LANES ? ~0u : (1u << lanes) - 1;
        w.groups.assign(1, Group{0, w.born, Group::runs, 0});
        w.tried = 0;
        w.acquired = 0;
        std::fill(w.clusterArrivals, w.clusterArrivals + LANES, 0);
        registers = w.registers;
        if (fresh) {
            predicate(*this, 0) = ~0u;
            for (auto& c : program_.constants) {
                if (c.wide) {
                    std::fill_n(slot<uint64_t>(*this, c.slot), LANES, c.bits);
                } else {
                    std::fill_n(slot<uint32_t>(*this, c.slot), LANES, uint32_t(c.bits));
                }
            }
        }
        fillSpecials(b, w);
    }
}

void Machine::fillSpecials(Block& b, Warp& w) {
    const Dim &n = launch_.block, &g = launch_.grid, &c = launch_.cluster;
    Dim in = unflatten(b.clusterRank, c);
    for (auto& s : program_.specials) {
        for (int lane = 0; lane < LANES; lane++) {
            unsigned thread = w.index * LANES + unsigned(lane);
            Dim t = unflatten(thread, n);
            uint64_t v = 0;
            switch (s.what) {
                case Special::tidX: v = t.x; break;
                case Special::tidY: v = t.y; break;
                case Special::tidZ: v = t.z; break;
                case Special::ntidX: v = n.x; break;
                case Special::ntidY: v = n.y; break;
                case Special::ntidZ: v = n.z; break;
                case Special::ctaidX: v = b.at.x; break;
                case Special::ctaidY: v = b.at.y; break;
                case Special::ctaidZ: v = b.at.z; break;
                case Special::nctaidX: v = g.x; break;
                case Special::nctaidY: v = g.y; break;
                case Special::nctaidZ: v = g.z; break;
                case Special::laneid: v = unsigned(lane); break;
                case Special::warpid: v = w.index; break;
                case Special::nwarpid: v = b.warps.size(); break;
                case Special::smid: v = b.number % 4; break;
                case Special::nsmid: v = 4; break;
                case Special::gridid: v = 1; break;
                case Special::lanemaskEq: v = 1u << lane; break;
                case Special::lanemaskLt: v = (1u << lane) - 1; break;
                case Special::lanemaskLe: v = (2u << lane) - 1; break;
                case Special::lanemaskGt: v = ~((2u << lane) - 1); break;
                case Special::lanemaskGe: v = ~((1u << lane) - 1); break;
                case Special::warpSize: v = LANES; break;
                case Special::envreg1: v = gridWorkspace() >> 32; break;
                case Special::envreg2: v = uint32_t(gridWorkspace()); break;
                case Special::dynamicShared: v = launch_.dynamicShared; break;
                case Special::totalShared: v = b.shared.size(); break;
                case Special::clusterIdX: v = b.cluster->at.x; break;
                case Special::clusterIdY: v = b.cluster->at.y; break;
                case Special::clusterIdZ: v = b.cluster->at.z; break;
                case Special::nclusterIdX: v = g.x / c.x; break;
                case Special::nclusterIdY: v = g.y / c.y; break;
                case Special::nclusterIdZ: v = g.z / c.z; break;
                case Special::clusterCtaidX: v = in.x; break;
                case Special::clusterCtaidY: v = in.y; break;
                case Special::clusterCtaidZ: v = in.z; break;
                case Special::clusterNctaidX: v = c.x; break;
                case Special::clusterNctaidY: v = c.y; break;
                case Special::clusterNctaidZ: v = c.z; break;
                case Special::clusterCtarank: v = b.clusterRank; break;
                case Special::clusterNctarank: v = c.count(); break;
                case Special::clock:
                case Special::clock64:
                case Special::globaltimer:
                case Special::globaltimerLo:
                    break;  // read by mov as it runs
            }
            if (s.wide) {
                slot<uint64_t>(*this, s.slot)[lane] = v;
            } else {
                slot<uint32_t>(*this, s.slot)[lane] = uint32_t(v);
            }
        }
    }
}

}  // namespace softgpu
