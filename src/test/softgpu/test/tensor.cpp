// mma against plain loops over the matrices, with the places of their elements in a warp as the PTX manual gives them.
#include "harness.h"

#include <cfloat>
#include <cmath>
#include <cstdio>
#include <cstring>

namespace test {

namespace {

constexpr int ROWS = 16, COLUMNS = 8, TERMS = 8, LANES = 32;

uint32_t bitsOf(float f) {
    uint32_t b;
    memcpy(&b, &f, 4);
    return b;
}

float floatOf(uint32_t b) {
    float f;
    memcpy(&f, &b, 4);
    return f;
}

struct Tile {
    float a[ROWS][TERMS] = {}, b[TERMS][COLUMNS] = {}, c[ROWS][COLUMNS] = {};
};

// d of which warp, row and column.
struct Result {
    std::vector<uint32_t> words;
    uint32_t at(int tile, int row, int column) const {
        int lane = row % 8 * 4 + column / 2, element = row / 8 * 2 + column % 2;
        return words[size_t((tile * 4 + element) * LANES + lane)];
    }
    float number(int tile, int row, int column) const { return floatOf(at(tile, row, column)); }
};

const char* const MMA = "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 ";

// One warp a tile, its ten words a lane of a, b and c one after the other.
Result multiply(const std::vector<Tile>& tiles, const std::string& operands) {
    std::vector<uint32_t> in;
    for (const Tile& t : tiles) {
        for (int word = 0; word < 10; word++) {
            for (int lane = 0; lane < LANES; lane++) {
                int group = lane >> 2, inGroup = lane % 4;
                if (word < 4) {
                    int row = word == 0 || word == 2 ? group : group + 8, term = word < 2 ? inGroup : inGroup + 4;
                    in.push_back(bitsOf(t.a[row][term]));
                } else if (word < 6) {
                    in.push_back(bitsOf(t.b[word == 4 ? inGroup : inGroup + 4][group]));
                } else {
                    int element = word - 6, row = element < 2 ? group : group + 8, column = inGroup * 2 + (element & 1);
                    in.push_back(bitsOf(t.c[row][column]));
                }
            }
        }
    }
    std::string body =
        ".reg .b64 %x, %y; .reg .b32 %t, %w, %a<4>, %b<2>, %c<4>, %d<4>;\nld.param.u64 %x, [x]; ld.param.u64 %y, [y];\n"
        "mov.u32 %t, %tid.x; mov.u32 %w, %ctaid.x; mad.wide.u32 %x, %w, 1280, %x; mad.wide.u32 %x, %t, 4, %x;\n"
        "mad.wide.u32 %y, %w, 512, %y; mad.wide.u32 %y, %t, 4, %y;\n";
    static const char* const WORDS[] = {"a0", "a1", "a2", "a3", "b0", "b1", "c0", "c1", "c2", "c3"};
    for (int word = 0; word < 10; word++) {
        body += std::string("ld.global.b32 %") + WORDS[word] + ", [%x+" + std::to_string(128 * word) + "];\n";
    }
    body += MMA + operands + ";\n";
    for (size_t element = 0; element < 4; element++) {  // operands begins with {%d0, %d1, %d2, %d3}
        body += "st.global.b32 [%y+" + std::to_string(128 * element) + "], " + operands.substr(1 + 5 * element, 3) + ";\n";
    }
    Result r{std::vector<uint32_t>(tiles.size() * 4 * LANES)};
    void* m = load(kernel(".param .u64 x, .param .u64 y", body, "", "sm_80"));
    if (!m) {
        return r;
    }
    uint64_t x = upload(in), y = upload(r.words);
    void* args[] = {&x, &y};
    int e = cuLaunchKernel(function(m), unsigned(tiles.size()), 1, 1, LANES, 1, 1, 0, nullptr, args, nullptr);
    e = e ? e : cuMemcpyDtoH_v2(r.words.data(), y, 4 * r.words.size());
    expect(e == 0, "mma: error " + std::to_string(e) + " " + softgpuLastFinding());
    cuMemFree_v2(x);
    cuMemFree_v2(y);
    cuModuleUnload(m);
    return r;
}

const char* const APART = "{%d0, %d1, %d2, %d3}, {%a0, %a1, %a2, %a3}, {%b0, %b1}, {%c0, %c1, %c2, %c3}";

Result multiply(const std::vector<Tile>& tiles) {
    return multiply(tiles, APART);
}

// The exact sum, cut off towards zero at 24 bits.
float expected(const Tile& t, int row, int column) {
    auto cut = [](float f) { return (long double)floatOf(bitsOf(f) & 0xffffe000u); };
    long double sum = t.c[row][column];
    for (int k = 0; k < TERMS; k++) {
        sum += cut(t.a[row][k]) * cut(t.b[k][column]);
    }
    int exponent;
    long double mantissa = std::frexp(sum, &exponent);
    return float(std::ldexp(std::trunc(std::ldexp(mantissa, 24)), exponent - 24));
}

void same(const char* name, uint32_t got, float wanted) {
    char text[200];
    snprintf(text, sizeof text, "mma, %s: %#x (%.9g), expected %#x (%.9g)", name, got, double(floatOf(got)), bitsOf(wanted),
             double(wanted));
    expect(got == bitsOf(wanted), text);
}

void sameAll(const char* name, const std::vector<Tile>& tiles, const Result& r) {
    for (size_t i = 0; i < tiles.size(); i++) {
        for (int row = 0; row < ROWS; row++) {
            for (int column = 0; column < COLUMNS; column++) {
                same(name, r.at(int(i), row, column), expected(tiles[i], row, column));
            }
        }
    }
}

Tile distinct() {
    Tile t;
    for (int k = 0; k < TERMS; k++) {
        for (int row = 0; row < ROWS; row++) {
            t.a[row][k] = float(row * TERMS + k + 1);
        }
        for (int column = 0; column < COLUMNS; column++) {
            t.b[k][column] = float(300 + (k * COLUMNS + column) * (column % 2 ? -3 : 2));
        }
    }
    for (int row = 0; row < ROWS; row++) {
        for (int column = 0; column < COLUMNS; column++) {
            t.c[row][column] = float(1000 * row + 7 * column);
        }
    }
    return t;
}

void places() {
    std::vector<Tile> tiles{distinct()};
    Result r = multiply(tiles);
    sameAll("distinct numbers", tiles, r);
    int plain = 0;
    for (int k = 0; k < TERMS; k++) {
        plain += (3 * TERMS + k + 1) * (300 + (k * COLUMNS + 5) * -3);
    }
    same("row 3, column 5 in integers", r.at(0, 3, 5), float(plain + 3035));
    sameAll("the sums in place", tiles, multiply(tiles, "{%c0, %c1, %c2, %c3}, {%a0, %a1, %a2, %a3}, {%b0, %b1}, {%c0, %c1, %c2, %c3}"));
    sameAll("the result over operands", tiles, multiply(tiles, "{%c3, %b1, %a2, %c0}, {%a0, %a1, %a2, %a3}, {%b0, %b1}, {%c0, %c1, %c2, %c3}"));
    Tile sumless = distinct();
    memset(sumless.c, 0, sizeof sumless.c);
    sameAll("no sums so far", {sumless},
            multiply({sumless}, "{%d0, %d1, %d2, %d3}, {%a0, %a1, %a2, %a3}, {%b0, %b1}, {0f00000000, 0f00000000, 0f00000000, 0f00000000}"));
}

// Numbers whose sums are exact in 64 bits: all 23 bits of the mantissas, exponents from -4 to 4.
void numbers() {
    uint32_t state = 12345;
    auto random = [&state] {
        state = state * 1664525 + 1013904223;
        uint32_t high = state >> 8;
        state = state * 1664525 + 1013904223;
        return floatOf((high & 1) << 31 | (123 + (high >> 1) % 9) << 23 | state >> 9);
    };
    std::vector<Tile> tiles(50);
    for (Tile& t : tiles) {
        for (float* all : {&t.a[0][0], &t.b[0][0], &t.c[0][0]}) {
            for (int i = 0; i < (all == &t.b[0][0] ? TERMS * COLUMNS : ROWS * 8); i++) {
                all[i] = random();
            }
        }
    }
    sameAll("random numbers", tiles, multiply(tiles));
}

// One sum with two products, the other terms zero.
Tile single(float c, float a0, float b0, float a1 = 0, float b1 = 0) {
    Tile t;
    t.c[9][3] = c;
    t.a[9][2] = a0;
    t.b[2][3] = b0;
    t.a[9][6] = a1;
    t.b[6][3] = b1;
    return t;
}

void edges() {
    const float nan = floatOf(0x7fffffff), odd = floatOf(0x3f803fff), cut = floatOf(0x3f802000);
    struct {
        const char* name;
        Tile tile;
        float wanted;
    } cases[] = {
        {"a is cut off", single(0, odd, 1), cut},
        {"b is cut off", single(0, 1, -odd), -cut},
        {"a sum is cut off", single(1, 0x1p-12f, 0x1p-12f, 0x1p-12f, 0x1p-13f), 1},
        {"a negative sum is cut off", single(-1, 0x1p-12f, -0x1p-12f, 0x1p-12f, -0x1p-13f), -1},
        {"a little less", single(1, 0x1p-15f, -0x1p-15f), floatOf(0x3f7fffff)},
        {"it is cut off once", single(0x1p24f, 1, 1, 1, 1), 0x1p24f + 2},
        {"terms that cancel", single(-0x1p20f, 0x1p10f, 0x1p10f, 0x1p-10f, 0x1p-10f), 0x1p-20f},
        {"not yet infinite", single(FLT_MAX, 0x1p100f, 0x1p3f), FLT_MAX},
        {"infinite", single(FLT_MAX, 0x1p100f, 0x1p4f), INFINITY},
        {"infinitely negative", single(-FLT_MAX, 0x1p127f, -0x1p127f), -INFINITY},
        {"a product without end that is taken back", single(0, 0x1p127f, 2, 0x1p127f, -2), 0},
        {"a denormal operand", single(0, 0x1p-130f, 1), 0x1p-130f},
        {"a denormal sum is cut off", single(0, 0x1.8p-100f, 0x1p-49f), 0x1p-149f},
        {"infinity", single(5, INFINITY, 2), INFINITY},
        {"infinity times zero", single(5, INFINITY, 0), nan},
        {"infinity less infinity", single(INFINITY, -INFINITY, 1), nan},
        {"a NaN in c", single(floatOf(0xffc00001), 1, 1), nan},
        {"a NaN in a", single(1, floatOf(0x7fc00000), 1), nan},
        {"a NaN in b", single(1, 1, floatOf(0xff802000)), nan},
    };
    std::vector<Tile> tiles;
    for (auto& c : cases) {
        tiles.push_back(c.tile);
    }
    Result r = multiply(tiles);
    for (size_t i = 0; i < tiles.size(); i++) {
        same(cases[i].name, r.at(int(i), 9, 3), cases[i].wanted);
    }

    Tile spread = distinct();
    spread.a[12][1] = floatOf(0x7fffffff);
    spread.c[2][6] = floatOf(0x7fffffff);
    r = multiply({spread});
    for (int row = 0; row < ROWS; row++) {
        for (int column = 0; column < COLUMNS; column++) {
            bool isNan = row == 12 || (row == 2 && column == 6);
            same("a NaN goes no further", r.at(0, row, column), isNan ? nan : expected(spread, row, column));
        }
    }
}

}  // namespace

void tensor() {
    places();
    numbers();
    edges();
}

}  // namespace test
