// mma: a product of small matrices by a whole warp, whose lanes hold a piece of each.
#include "decoder.h"
#include "float_math.h"
#include "lanes.h"
#include "tf32.h"

namespace softgpu {

namespace {

constexpr int TERMS = 8;

// Four columns of a row of d, as one register of four lanes has them: the even ones or the odd ones.
typedef double Quad __attribute__((vector_size(32)));

void widenTf32(const float* from, double (&to)[LANES]) {
    for (int lane = 0; lane < LANES; lane++) {
        to[lane] = toTf32(from[lane]);
    }
}

// d [16,8] = a [16,8] b [8,8] + c. Lane l has of a the rows l/4 and l/4+8 with the terms l%4 and l%4+4, of b these terms of
// column l/4, of c and d the columns 2(l%4) and the next one of the two rows. Products are exact; all that is summed is cut
// off once.
void mma(Machine& m, const Op& op, uint32_t lanes) {
    if (lanes != ~0u) {
        int lane = __builtin_ctz(lanes);
        m.fail(LAUNCH_FAILED, lane, format("mma takes all lanes of a warp, and lane %d takes no part", __builtin_ctz(~lanes)));
    }
    const Program::Fragments& f = m.launch().program->fragments[op.target];
    double a[4][LANES], b[2][LANES];
    for (int k = 0; k < 4; k++) {
        widenTf32(slot<float>(m, f.a[k]), a[k]);
    }
    for (int k = 0; k < 2; k++) {
        widenTf32(slot<float>(m, f.b[k]), b[k]);
    }
    float d[4][LANES];
    for (int odd = 0; odd < 2; odd++) {
        Quad right[TERMS];
        for (int t = 0; t < TERMS; t++) {
            const double* first = b[t / 4] + 4 * odd + t % 4;
            right[t] = Quad{first[0], first[8], first[16], first[24]};
        }
        for (int lower = 0; lower < 2; lower++) {
            const float* c = slot<float>(m, f.c[2 * lower + odd]);
            alignas(32) double sums[LANES];
            for (int lane = 0; lane < LANES; lane += 4) {
                Quad sum = {c[lane], c[lane + 1], c[lane + 2], c[lane + 3]};
#pragma GCC unroll 8
                for (int t = 0; t < TERMS; t++) {
                    sum += a[lower + t / 4 * 2][lane + t % 4] * right[t];
                }
                memcpy(sums + lane, &sum, sizeof sum);
            }
            for (int lane = 0; lane < LANES; lane++) {
                d[2 * lower + odd][lane] = canonical(cutOff(sums[lane]));
            }
        }
    }
    for (int k = 0; k < 4; k++) {  // last: a register may be an operand too
        memcpy(slot<float>(m, f.d[k]), d[k], sizeof d[k]);
    }
}

void mmaFamily(Decoder& d) {
    static const std::vector<std::string> KNOWN = {"sync", "aligned", "m16n8k8", "row", "col", "f32", "tf32", "tf32", "f32"};
    if (d.ins().modifiers != KNOWN) {
        d.refuse("only mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32");
    }
    for (auto& modifier : KNOWN) {
        d.take(modifier.c_str());
    }
    d.needs(700, 80);
    d.expectOperands(4, 4);
    auto fragment = [&d](size_t operand, size_t count) -> const std::vector<Operand>& {
        const Operand& o = d.operand(operand);
        if (o.kind != Operand::vector || o.parts.size() != count) {
            d.refuse("a fragment of another size");
        }
        return o.parts;
    };
    Program::Fragments f;
    for (size_t k = 0; k < 4; k++) {
        f.d[k] = d.destination(fragment(0, 4)[k], "f32");
        f.a[k] = d.tf32(fragment(1, 4)[k], true);
        f.c[k] = d.source(fragment(3, 4)[k], "f32");
    }
    for (size_t k = 0; k < 2; k++) {
        f.b[k] = d.tf32(fragment(2, 2)[k], true);
    }
    d.op.target = d.fragments(f);
    d.op.flow = Flow::converge;
    d.op.e = d.constant(~uint32_t(0), false);
    d.op.run = mma;
}

}  // namespace

void addTensorFamilies(std::map<std::string, Family>& table) {
    table["mma"] = mmaFamily;
}

}  // namespace softgpu
