// ld, st, atom, red, cp.async and fences.
#include "access.h"
#include "decoder.h"
#include "float_math.h"

namespace softgpu {

namespace {

// aux: elements of the vector, 8: strong, so other threads may be waited for with this load, 16: the register has 16 bits,
// 32: .acquire or .release. aux2: the Space.
constexpr uint16_t STRONG = 8, ORDERED = 32;

// From the lowest to the highest byte that the lanes access; whether each accesses whole words, and whether all between are accessed
// unless some are twice.
struct Range {
    uint64_t first = 0, bytes = 0;
    bool words = false, dense = false;
};

Range rangeOf(const Addresses& address, uint32_t lanes, unsigned bytes) {
    uint64_t any = address[size_t(__builtin_ctz(lanes))], first = any, last = any, low = bytes % 4;
    for (size_t i = 0; i < LANES; i++) {
        uint64_t at = lanes >> i & 1 ? address[i] : any;
        first = std::min(first, at);
        last = std::max(last, at);
        low |= at & (bytes - 1);
    }
    uint64_t all = last - first + bytes;
    return {first, all, low == 0, all <= unsigned(__builtin_popcount(lanes)) * bytes};
}

// Whether the whole range consists of words of global memory that were written, with which no read races.
bool plainWords(Machine& m, const Allocation& a, uint64_t address, size_t bytes, bool strong) {
    const uint8_t* written = a.written + (address - a.base) / 4;
    bool all = true;
    for (size_t w = 0; w < bytes / 4; w++) {
        all &= written[w] == 0xf;
    }
    return all && quiet(m, a, address, bytes, strong);
}

// Whether all lanes read whole words that were written, and race with nobody; else that takes a closer look. If so they are noted, and
// `*host` is the host's address of the space.
bool plainReads(Machine& m, Space space, const Addresses& address, uint32_t lanes, unsigned bytes, bool strong, uint64_t* host) {
    *host = 0;
    if (space == SHARED) {
        SharedMemory& s = m.block->shared;
        *host = uint64_t(s.at(0));
        return s.readWords(address.data(), lanes, bytes, m.warp->index * LANES, m.pc());
    }
    if (space != GLOBAL) {
        return false;
    }
    Range r = rangeOf(address, lanes, bytes);
    Allocation* a = r.words ? allocationOf(m, r.first, r.bytes) : nullptr;
    if (!a) {
        return false;
    }
    if (r.dense && plainWords(m, *a, r.first, r.bytes, strong)) {
        return true;
    }
    bool plain = true;
    forLanes(lanes, [&](int lane) { plain = plain && plainWords(m, *a, address[lane], bytes, strong); });
    return plain;
}

template <class D, class T>
void load(Machine& m, const Op& op, uint32_t lanes) {
    unsigned n = op.aux & 7, bytes = unsigned(sizeof(T)) * n;
    bool strong = op.aux & STRONG;
    WeakMemory::Warp warp = m.weakWarp();
    if (strong) {
        m.strongLoad();
    }
    Addresses address = laneAddresses(m, op);  // a register loaded may be one of them
    uint64_t host;
    bool plain = plainReads(m, Space(op.aux2), address, lanes, bytes, strong, &host);
    D kept = op.aux & 16 ? D(0xffff) : ~D(0);
    if (plain && !(strong && m.weak())) {
        for (unsigned k = 0; k < n; k++) {
            D* d = slot<D>(m, op.v[k]);
            forLanes(lanes, [&](int lane) {
                T t;
                memcpy(&t, (const uint8_t*)(host + address[lane]) + k * sizeof(T), sizeof t);
                d[lane] = D(t) & kept;
            });
        }
        lanes = 0;
    }
    forLanes(lanes, [&](int lane) {
        auto* p = plain ? (const uint8_t*)(host + address[lane])
                        : readable(m, Space(op.aux2), lane, address[lane], bytes, strong);
        bool weak = strong && weakly(m, Space(op.aux2), address[lane]);
        if (weak && sizeof(T) != 4) {
            m.weak()->settle(*m.recent(), address[lane] & ~uint64_t(3), bytes);
        }
        for (unsigned k = 0; k < n; k++) {
            T t;
            memcpy(&t, p + k * sizeof(T), sizeof t);
            if (weak && sizeof(T) == 4) {
                uint64_t at = address[lane] + k * sizeof(T);
                uint32_t seen = m.weak()->load(*m.recent(), at, warp);
                memcpy(&t, &seen, std::min(sizeof t, sizeof seen));
            }
            slot<D>(m, op.v[k])[lane] = D(t) & kept;
        }
    });
    if (op.aux & ORDERED) {
        m.acquire();
    }
}

// The allocation of global memory to which all lanes write whole words, and race with nobody; null where that takes a closer look.
Allocation* plainWrites(Machine& m, Space space, const Addresses& address, uint32_t lanes, unsigned bytes, bool strong) {
    Range r = space == GLOBAL ? rangeOf(address, lanes, bytes) : Range{};
    Allocation* a = r.words && r.dense ? allocationOf(m, r.first, r.bytes) : nullptr;
    return a && quiet(m, *a, r.first, r.bytes, strong) ? a : nullptr;
}

template <class D, class T>
void store(Machine& m, const Op& op, uint32_t lanes) {
    unsigned n = op.aux & 7, bytes = unsigned(sizeof(T)) * n;
    bool strong = op.aux & STRONG, slow = strong && m.chance().one(8);
    WeakMemory::Warp warp = m.weakWarp();
    if (op.aux & ORDERED) {
        m.release(lanes);
    }
    Addresses addresses = laneAddresses(m, op);
    Allocation* plain = plainWrites(m, Space(op.aux2), addresses, lanes, bytes, strong);
    forLanes(lanes, [&](int lane) {
        T value[4];
        for (unsigned k = 0; k < n; k++) {
            value[k] = T(slot<D>(m, op.v[k])[lane]);
        }
        uint64_t address = addresses[lane];
        uint8_t* to = plain ? writeWords(m, *plain, address, bytes, strong)
                            : writable(m, Space(op.aux2), lane, address, bytes, value, strong);
        bool weak = strong && weakly(m, Space(op.aux2), address);
        if (weak && sizeof(T) != 4) {
            m.weak()->settle(*m.recent(), address & ~uint64_t(3), bytes);
        }
        for (unsigned k = 0; k < n; k++) {
            if (weak && sizeof(T) == 4) {
                uint32_t bits = uint32_t(slot<D>(m, op.v[k])[lane]);
                m.weak()->store(*m.recent(), address + k * sizeof(T), bits, warp, lane, Writes::now(), slow);
            } else {
                memcpy(to + k * sizeof(T), value + k, sizeof(T));
            }
        }
    });
}

// The access of nearly every kernel: 32 neighbouring words of 4 bytes of one allocation, checked at one go.
bool neighbours(Machine& m, const Op& op, uint32_t lanes, uint64_t* first) {
    if (lanes != ~0u || !op.wideAddress) {
        return false;
    }
    const uint64_t* a = slot<uint64_t>(m, op.a);
    uint64_t off = 0;
    for (int i = 0; i < LANES; i++) {
        off |= a[i] ^ (a[0] + 4 * uint64_t(i));
    }
    *first = a[0] + uint64_t(op.offset);
    return off == 0 && (*first & 3) == 0;
}

void loadGlobalWord(Machine& m, const Op& op, uint32_t lanes) {
    uint64_t at;
    if (neighbours(m, op, lanes, &at)) {
        static const std::array<uint8_t, 32> ALL = [] {
            std::array<uint8_t, 32> x;
            x.fill(0xf);
            return x;
        }();
        Allocation* a = allocationOf(m, at, 128);
        if (a && quiet(m, *a, at, 128, false) && memcmp(a->written + (at - a->base) / 4, ALL.data(), 32) == 0) {
            memcpy(m.registers + op.v[0], (const void*)at, 128);
            return;
        }
    }
    load<uint32_t, uint32_t>(m, op, lanes);
}

void storeGlobalWord(Machine& m, const Op& op, uint32_t lanes) {
    uint64_t at;
    if (neighbours(m, op, lanes, &at)) {
        Allocation* a = allocationOf(m, at, 128);
        if (a && quiet(m, *a, at, 128, false)) {
            memset(a->written + (at - a->base) / 4, 0xf, 32);
            stamp(m, *a, at, 128, false);
            memcpy((void*)at, m.registers + op.v[0], 128);
            m.changedMemory();
            return;
        }
    }
    store<uint32_t, uint32_t>(m, op, lanes);
}

// All lanes read the same parameter.
template <class T>
void loadParam(Machine& m, const Op& op, uint32_t lanes) {
    T v;
    memcpy(&v, readable(m, PARAM, __builtin_ctz(lanes), uint64_t(op.offset), sizeof(T)), sizeof(T));
    alignas(64) T r[LANES];
    for (int i = 0; i < LANES; i++) {
        r[i] = v;
    }
    blend(slot<T>(m, op.v[0]), r, lanes);
}

// --- atomics ---

enum Atom : uint16_t { ADD, MIN, MAX, AND, OR, XOR, EXCH, CAS, INC, DEC };

template <class T>
T combine(Atom how, T old, T b, T c) {
    using I = std::conditional_t<std::is_floating_point_v<T>, uint32_t, T>;
    switch (how) {
        case ADD:
            if constexpr (std::is_floating_point_v<T>) {
                return canonical(T(old + b));
            } else {
                return T(uint64_t(old) + uint64_t(b));
            }
        case MIN:
            return b < old ? b : old;
        case MAX:
            return old < b ? b : old;
        case EXCH:
            return b;
        case CAS:
            return old == b ? c : old;
        case INC:
            return old >= b ? T(0) : T(old + 1);
        case DEC:
            return old == T(0) || old > b ? b : T(old - 1);
        default:
            break;
    }
    if constexpr (!std::is_floating_point_v<T>) {
        return how == AND ? T(I(old) & I(b)) : how == OR ? T(I(old) | I(b)) : T(I(old) ^ I(b));
    }
    return old;
}

// On global memory a float sum is without denormals, in shared memory with them.
template <class T, bool HAS_OLD>
void atomic(Machine& m, const Op& op, uint32_t lanes) {
    m.strongLoad();
    if (op.aux & ORDERED) {
        m.release(lanes);
    }
    forLanes(lanes, [&](int lane) {
        uint64_t address = laneAddress(m, op, lane);
        uint8_t* p = changeable(m, Space(op.aux2), lane, address, sizeof(T));
        T old, b = slot<T>(m, op.b)[lane], c = slot<T>(m, op.c)[lane];
        memcpy(&old, p, sizeof old);
        Atom how = Atom(op.aux & ~ORDERED);
        T r = combine(how, old, b, c);
        if constexpr (std::is_same_v<T, float>) {
            bool inShared = op.aux2 == SHARED || (op.aux2 == GENERIC && (address & WINDOW_MASK) == SHARED_WINDOW);
            if (how == ADD && !inShared) {
                r = finish<float, true, false>(flush<float, true>(old) + flush<float, true>(b));
            }
        }
        if (memcmp(&r, &old, sizeof r) != 0) {
            m.changedMemory();
        }
        memcpy(p, &r, sizeof r);
        if (HAS_OLD) {
            slot<T>(m, op.d)[lane] = old;
        }
    });
    if (op.aux & ORDERED) {
        m.acquire();
    }
}

// --- decoding ---

struct Modes {
    Space space = GENERIC;
    bool isConst = false, isParam = false, strong = false, ordered = false;
};

std::string scope(Decoder& d) {
    return d.takeOne({"cta", "cluster", "gpu", "sys"});
}

// Whether blocks meet there that are of no cluster.
bool ofDevice(const std::string& scope) {
    return scope == "gpu" || scope == "sys";
}

Modes modes(Decoder& d) {
    Modes m;
    std::string space = d.takeOne(
        {"global", "shared", "shared::cta", "shared::cluster", "local", "param", "param::entry", "param::func", "const"});
    if (space == "global" || space == "const") {
        m.space = GLOBAL;
        m.isConst = space == "const";
    } else if (space == "shared" || space == "shared::cta") {
        m.space = SHARED;
    } else if (space == "shared::cluster") {
        m.space = CLUSTER;
    } else if (space == "local") {
        m.space = LOCAL;
    } else if (!space.empty()) {
        m.space = PARAM;
        m.isParam = true;
    }
    bool loads = d.ins().opcode != "st";
    std::string order = d.takeOne({"weak", "volatile", "relaxed", loads ? "acquire" : "release"});
    m.strong = !order.empty() && order != "weak";
    std::string among = m.strong && order != "volatile" ? scope(d) : "sys";
    if (m.strong && among.empty()) {
        d.refuse("." + order + " without a scope");
    }
    m.ordered = (order == "acquire" || order == "release") && ofDevice(among);
    d.takeOne({"ca", "cg", "cs", "lu", "cv", "wb", "wt"});
    d.takePrefix("L1::");
    d.takePrefix("L2::");
    return m;
}

// A .param that is no kernel parameter is a variable of the body, kept in local memory.
void place(Decoder& d, Modes& m, const std::string& named) {
    if (m.isParam && named == "local") {
        m.space = LOCAL;
    } else if (!named.empty()) {
        bool fits = (m.space == GLOBAL && (named == "global" || named == "const")) || (m.space == SHARED && named == "shared") ||
                    (m.space == CLUSTER && named == "shared") || (m.space == LOCAL && named == "local") ||
                    (m.space == PARAM && named == "param") || (m.space == GENERIC && (named == "global" || named == "const"));
        if (!fits) {
            d.refuse("the variable is in another space");
        }
    } else if (m.isParam) {
        d.refuse("a parameter by an address in a register");
    }
    d.op.aux2 = m.space;
}

void ldFamily(Decoder& d) {
    Modes m = modes(d);
    bool readOnly = d.take("nc");
    if (readOnly && m.space != GLOBAL) {
        d.refuse(".nc of another space than .global");
    }
    unsigned count = d.takeVectorSize();
    std::string type = d.type();
    d.expectOperands(2, 2);
    if (type == "pred" || type == "f16" || bitsOf(type) * count > 128) {
        d.refuse("a load of this type");
    }
    place(d, m, d.address(d.operand(1)));
    size_t bits = d.elements(d.operand(0), type, count, false);
    d.op.aux = uint16_t(count | (m.strong ? STRONG : 0) | (bits == 16 ? 16 : 0) | (m.ordered ? ORDERED : 0));
    if (d.op.aux2 == PARAM && count == 1 && bits == bitsOf(type)) {
        d.loadsParameter(d.operand(0), uint64_t(d.op.offset));
        d.op.run = bits == 64 ? &loadParam<uint64_t> : bits == 32 ? &loadParam<uint32_t> : nullptr;
    }
    if (d.op.run) {
        return;
    }
    if (d.op.aux2 == GLOBAL && count == 1 && bits == 32 && bitsOf(type) == 32 && !m.strong) {
        d.op.run = &loadGlobalWord;
        return;
    }
    // Floats are bits here; signed types are extended by their sign.
    std::string as = type[0] == 'f' || type[0] == 'b' ? "u" + type.substr(1) : type;
    bool wide = bits == 64;
    d.op.run = byType<uint8_t, int8_t, uint16_t, int16_t, uint32_t, int32_t, uint64_t, int64_t>(as, [wide](auto t) -> Handler {
        using T = typename decltype(t)::type;
        if constexpr (sizeof(T) == 8) {
            return &load<uint64_t, T>;
        } else {
            return wide ? Handler(&load<uint64_t, T>) : Handler(&load<uint32_t, T>);
        }
    });
}

void stFamily(Decoder& d) {
    if (d.take("async")) {
        asyncStore(d);
        return;
    }
    Modes m = modes(d);
    unsigned count = d.takeVectorSize();
    std::string type = d.type();
    d.expectOperands(2, 2);
    if (type == "pred" || type == "f16" || m.isConst || bitsOf(type) * count > 128) {
        d.refuse("a store of this type");
    }
    place(d, m, d.address(d.operand(0)));
    size_t bits = d.elements(d.operand(1), type, count, true);
    d.op.aux = uint16_t(count | (m.strong ? STRONG : 0) | (m.ordered ? ORDERED : 0));
    if (d.op.aux2 == GLOBAL && count == 1 && bits == 32 && bitsOf(type) == 32 && !m.strong) {
        d.op.run = &storeGlobalWord;
        return;
    }
    bool wide = bits == 64;
    d.op.run = byType<uint8_t, uint16_t, uint32_t, uint64_t>("u" + type.substr(1), [wide](auto t) -> Handler {
        using T = typename decltype(t)::type;
        if constexpr (sizeof(T) == 8) {
            return &store<uint64_t, T>;
        } else {
            return wide ? Handler(&store<uint64_t, T>) : Handler(&store<uint32_t, T>);
        }
    });
}

void atomFamily(Decoder& d) {
    bool red = d.ins().opcode == "red";
    Modes m;
    std::string space = d.takeOne({"global", "shared", "shared::cta", "shared::cluster"});
    m.space = space.empty() ? GENERIC : space == "global" ? GLOBAL : space == "shared::cluster" ? CLUSTER : SHARED;
    std::string order = d.takeOne({"relaxed", "acquire", "release", "acq_rel"});
    bool ordered = ofDevice(scope(d)) && !order.empty() && order != "relaxed";
    // As in Atom.
    int how = d.takeIndex({"add", "min", "max", "and", "or", "xor", "exch", "cas", "inc", "dec"});
    std::string type = d.type();
    if (how < 0 || (red && (how == EXCH || how == CAS))) {
        d.refuse("unknown operation");
    }
    bool bits = how == AND || how == OR || how == XOR || how == EXCH || how == CAS;
    bool counts = how == INC || how == DEC;
    bool isFloat = type[0] == 'f';
    if ((bits && type[0] != 'b') || (!bits && type[0] == 'b') || (counts && type != "u32") || (isFloat && how != ADD) ||
        (how == ADD && type == "s64")) {
        d.refuse("this operation of ." + type);
    }
    size_t at = red ? 0 : 1;
    d.expectOperands(at + 2 + (how == CAS), at + 2 + (how == CAS));
    d.op.d = d.sink();
    if (!red) {
        d.op.d = d.destination(d.operand(0), type);
    }
    place(d, m, d.address(d.operand(at)));
    d.op.b = d.source(d.operand(at + 1), type);
    d.op.c = how == CAS ? d.source(d.operand(at + 2), type) : d.op.b;
    d.op.aux = uint16_t(how | (ordered ? ORDERED : 0));
    d.op.run = byType<uint32_t, int32_t, uint64_t, int64_t, float, double>(asUnsigned(type), [red](auto t) -> Handler {
        using T = typename decltype(t)::type;
        return red ? Handler(&atomic<T, false>) : Handler(&atomic<T, true>);
    });
}

// --- cp.async: carried out at once ---

void cpAsync(Machine& m, const Op& op, uint32_t lanes) {
    unsigned size = op.aux;
    forLanes(lanes, [&](int lane) {
        uint64_t from = slot<uint64_t>(m, op.b)[lane] + uint64_t(op.v[0]);
        uint8_t bytes[16] = {};
        unsigned n = op.wideData ? slot<uint32_t>(m, op.c)[lane] : size;
        if (n > size) {
            m.fail(ILLEGAL_ADDRESS, lane, "cp.async of more bytes than its size");
        }
        if (n == size) {
            memcpy(bytes, readable(m, GLOBAL, lane, from, n), n);
        } else {
            for (unsigned k = 0; k < n; k++) {
                bytes[k] = *readable(m, GLOBAL, lane, from + k, 1);
            }
        }
        memcpy(writable(m, SHARED, lane, laneAddress(m, op, lane), size, bytes), bytes, size);
    });
}

void nothing(Machine&, const Op&, uint32_t) {}

void deviceFence(Machine& m, const Op&, uint32_t lanes) {
    m.release(lanes);
    m.acquire();
}

void cpFamily(Decoder& d) {
    if (!d.take("async")) {
        d.refuse("only cp.async");
    }
    if (d.take("commit_group") || d.take("wait_all")) {
        d.expectOperands(0, 0);
        d.op.run = nothing;
        return;
    }
    if (d.take("wait_group")) {
        d.expectOperands(1, 1);
        d.op.run = nothing;
        return;
    }
    bool l1 = d.take("ca");
    if ((!l1 && !d.take("cg")) || !(d.take("shared") || d.take("shared::cta")) || !d.take("global")) {
        d.refuse("unknown form of cp.async");
    }
    d.takePrefix("L2::");
    d.expectOperands(3, 4);
    d.address(d.operand(1));
    uint32_t from = d.op.a;
    int64_t offset = d.op.offset;
    bool wide = d.op.wideAddress;
    d.address(d.operand(0));
    const Operand& size = d.operand(2);
    bool known = size.kind == Operand::integer && (size.bits == 16 || (l1 && (size.bits == 4 || size.bits == 8)));
    if (!known || !wide || offset < 0 || offset > INT32_MAX) {
        d.refuse("unknown form of cp.async");
    }
    d.op.b = from;
    d.op.v[0] = uint32_t(offset);
    d.op.aux = uint16_t(size.bits);
    d.op.wideData = d.operands() == 4;
    if (d.op.wideData) {
        d.op.c = d.source(d.operand(3), "u32");
    }
    d.op.run = cpAsync;
}

void fenceFamily(Decoder& d) {
    const std::string& name = d.ins().opcode;
    d.op.run = nothing;
    if (name == "membar") {
        d.op.run = d.takeOne({"cta", "gl", "sys"}) == "cta" ? nothing : deviceFence;
    } else if (name == "fence") {
        if (d.take("mbarrier_init")) {
            d.needs(800, 90);
            if (!d.take("release") || !d.take("cluster")) {
                d.refuse("only .release.cluster");
            }
        } else if (d.take("proxy")) {
            d.needs(800, 90);
            if (!d.take("async")) {
                d.refuse("only the proxy .async");
            }
            d.takeOne({"global", "shared::cta", "shared::cluster"});
        } else {
            d.takeOne({"sc", "acq_rel", "acquire", "release"});
            d.op.run = ofDevice(scope(d)) ? deviceFence : nothing;
        }
        d.expectOperands(0, 0);
    } else if (name == "nanosleep") {
        d.take("u32");
        d.expectOperands(1, 1);
    } else {  // prefetch: one of an address that leads nowhere is no error either
        std::string space = d.takeOne({"global", "local"});
        if (d.takeOne({"L1", "L2"}).empty()) {
            d.refuse("a prefetch without a level");
        }
        d.expectOperands(1, 1);
        std::string named = d.address(d.operand(0));
        if (!named.empty() && named != (space.empty() ? "global" : space)) {
            d.refuse("the variable is in another space");
        }
    }
}

}  // namespace

void addMemoryFamilies(std::map<std::string, Family>& table) {
    table["ld"] = table["ldu"] = ldFamily;
    table["st"] = stFamily;
    table["atom"] = table["red"] = atomFamily;
    table["cp"] = cpFamily;
    for (const char* n : {"membar", "fence", "nanosleep", "prefetch"}) {
        table[n] = fenceFamily;
    }
}

}  // namespace softgpu
