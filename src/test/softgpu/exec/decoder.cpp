// What the families of instructions ask: modifiers, types, registers, addresses.
#include "decoder.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace softgpu {

namespace {

const std::map<std::string, Special>& specialNames() {
    static const std::map<std::string, Special> NAMES = {
        {"%tid.x", Special::tidX}, {"%tid.y", Special::tidY}, {"%tid.z", Special::tidZ},
        {"%ntid.x", Special::ntidX}, {"%ntid.y", Special::ntidY}, {"%ntid.z", Special::ntidZ},
        {"%ctaid.x", Special::ctaidX}, {"%ctaid.y", Special::ctaidY}, {"%ctaid.z", Special::ctaidZ},
        {"%nctaid.x", Special::nctaidX}, {"%nctaid.y", Special::nctaidY}, {"%nctaid.z", Special::nctaidZ},
        {"%laneid", Special::laneid}, {"%warpid", Special::warpid}, {"%nwarpid", Special::nwarpid},
        {"%smid", Special::smid}, {"%nsmid", Special::nsmid}, {"%gridid", Special::gridid},
        {"%lanemask_eq", Special::lanemaskEq}, {"%lanemask_lt", Special::lanemaskLt},
        {"%lanemask_le", Special::lanemaskLe}, {"%lanemask_gt", Special::lanemaskGt},
        {"%lanemask_ge", Special::lanemaskGe}, {"WARP_SZ", Special::warpSize},
        {"%clock", Special::clock}, {"%clock64", Special::clock64},
        {"%globaltimer", Special::globaltimer}, {"%globaltimer_lo", Special::globaltimerLo},
        {"%envreg1", Special::envreg1}, {"%envreg2", Special::envreg2},
        {"%dynamic_smem_size", Special::dynamicShared}, {"%total_smem_size", Special::totalShared},
        {"%clusterid.x", Special::clusterIdX}, {"%clusterid.y", Special::clusterIdY},
        {"%clusterid.z", Special::clusterIdZ}, {"%nclusterid.x", Special::nclusterIdX},
        {"%nclusterid.y", Special::nclusterIdY}, {"%nclusterid.z", Special::nclusterIdZ},
        {"%cluster_ctaid.x", Special::clusterCtaidX}, {"%cluster_ctaid.y", Special::clusterCtaidY},
        {"%cluster_ctaid.z", Special::clusterCtaidZ}, {"%cluster_nctaid.x", Special::clusterNctaidX},
        {"%cluster_nctaid.y", Special::clusterNctaidY}, {"%cluster_nctaid.z", Special::clusterNctaidZ},
        {"%cluster_ctarank", Special::clusterCtarank}, {"%cluster_nctarank", Special::clusterNctarank}};
    return NAMES;
}

}  // namespace

bool isClock(Special s) {
    return s == Special::clock || s == Special::clock64 || s == Special::globaltimer || s == Special::globaltimerLo;
}

bool isWideSpecial(Special s) {
    return s == Special::clock64 || s == Special::globaltimer || s == Special::gridid;
}

std::map<std::string, Family>& families() {
    static std::map<std::string, Family>* table = [] {
        auto* t = new std::map<std::string, Family>;
        addIntegerFamilies(*t);
        addFloatFamilies(*t);
        addCompareFamilies(*t);
        addConvertFamilies(*t);
        addMoveFamilies(*t);
        addMemoryFamilies(*t);
        addWarpFamilies(*t);
        addMbarrierFamilies(*t);
        addTensorFamilies(*t);
        return t;
    }();
    return *table;
}

int ptxVersion(const std::string& v) {
    int major = 0, minor = 0;
    sscanf(v.c_str(), "%d.%d", &major, &minor);
    return 100 * major + minor;
}

Decoder::Decoder(const Module& module, const std::map<std::string, Symbol>& symbols)
    : module_(module), symbols_(symbols) {
    smTarget_ = module.target.compare(0, 3, "sm_") == 0 ? atoi(module.target.c_str() + 3) : 0;
}

// --- what an instruction's family asks ---

void Decoder::refuse(const std::string& why) const {
    throw PtxError(ins_->line, why + ": " + ins_->text);
}

bool Decoder::take(const char* modifier) {
    auto i = std::find(left_.begin(), left_.end(), modifier);
    if (i == left_.end()) {
        return false;
    }
    left_.erase(i);
    return true;
}

std::string Decoder::takeOne(std::initializer_list<const char*> modifiers) {
    for (const char* m : modifiers) {
        if (take(m)) {
            return m;
        }
    }
    return "";
}

int Decoder::takeIndex(std::initializer_list<const char*> modifiers) {
    int index = 0;
    for (const char* m : modifiers) {
        if (take(m)) {
            return index;
        }
        index++;
    }
    return -1;
}

unsigned Decoder::takeVectorSize() {
    return take("v2") ? 2 : take("v4") ? 4 : 1;
}

bool Decoder::takePrefix(const char* prefix) {
    for (auto i = left_.begin(); i != left_.end(); ++i) {
        if (i->compare(0, strlen(prefix), prefix) == 0) {
            left_.erase(i);
            return true;
        }
    }
    return false;
}

std::string Decoder::type() {
    for (auto i = left_.begin(); i != left_.end(); ++i) {
        if (bitsOf(*i)) {
            std::string t = *i;
            left_.erase(i);
            return t;
        }
    }
    refuse("a known type is missing");
}

const Operand& Decoder::operand(size_t index) const {
    if (index >= ins_->operands.size()) {
        refuse("an operand is missing");
    }
    return ins_->operands[index];
}

void Decoder::expectOperands(size_t from, size_t to) const {
    if (operands() < from || operands() > to) {
        refuse("wrong number of operands");
    }
}

void Decoder::takeOperands(std::initializer_list<std::string> types) {
    expectOperands(types.size(), types.size());
    uint32_t* to[] = {&op.d, &op.a, &op.b, &op.c, &op.e};
    size_t k = 0;
    for (auto& t : types) {
        *to[k] = k == 0 ? destination(operand(k), t) : source(operand(k), t);
        k++;
    }
}

const Decoder::Register* Decoder::find(const std::string& name) const {
    auto& registers = frames_.back().registers;
    auto i = registers.find(name);
    return i == registers.end() ? nullptr : &i->second;
}

bool Decoder::isRegister(const Operand& o) const {
    return o.kind == Operand::name && find(o.text) != nullptr;
}

bool Decoder::special(const std::string& name, Special* which) const {
    auto i = specialNames().find(name);
    if (i == specialNames().end()) {
        return false;
    }
    *which = i->second;
    return true;
}

// As ptxas: .s and .u mix, .b goes with all, but a register of .f is none for an integer instruction, nor the reverse.
void Decoder::checkKind(const Register& r, const Operand& o, const std::string& type) const {
    auto isInteger = [](char kind) { return kind == 's' || kind == 'u'; };
    if ((r.kind == 'f' && isInteger(type[0])) || (isInteger(r.kind) && type[0] == 'f')) {
        refuse("the type of " + o.text + " does not go with ." + type);
    }
}

uint32_t Decoder::destination(const Operand& o, const std::string& type) {
    if (o.kind == Operand::name && o.text == "_") {
        return SINK;
    }
    const Register* r = o.kind == Operand::name && !o.negated && !o.offset ? find(o.text) : nullptr;
    if (!r) {
        refuse("the destination is no register");
    }
    if (r->bits != bitsOf(type)) {
        refuse("the destination's size is not that of ." + type);
    }
    checkKind(*r, o, type);
    return r->slot;
}

uint64_t Decoder::literal(const Operand& o, const std::string& type) const {
    size_t bits = bitsOf(type);
    uint64_t mask = bits == 64 ? ~uint64_t(0) : (uint64_t(1) << bits) - 1;
    switch (o.kind) {
        case Operand::integer:
            if (type[0] == 'f') {
                refuse("an integer where a real number must be");
            }
            return o.bits & mask;
        case Operand::real32:
            if (bits != 32 || type[0] == 'u' || type[0] == 's') {
                refuse("a 0f literal for ." + type);
            }
            return o.bits;
        case Operand::real64:
            if (bits != 64 || type[0] == 'u' || type[0] == 's') {
                refuse("a 0d literal for ." + type);
            }
            return o.bits;
        case Operand::decimal:
            if (type == "f32") {
                float f = float(o.value);
                uint32_t b;
                memcpy(&b, &f, 4);
                return b;
            }
            if (type == "f64") {
                uint64_t b;
                memcpy(&b, &o.value, 8);
                return b;
            }
            refuse("a real number for ." + type);
        default:
            refuse("unknown operand " + o.text);
    }
}

bool Decoder::place(const std::string& name, Place* p) const {
    auto& own = frames_.back().places;
    auto i = own.find(name);
    if (i != own.end()) {
        *p = i->second;
        return true;
    }
    auto s = shared_.find(name);
    if (s != shared_.end()) {
        *p = s->second;
        return true;
    }
    auto g = symbols_.find(name);
    if (g != symbols_.end()) {
        *p = {g->second.space, g->second.address};
        return true;
    }
    return false;
}

uint32_t Decoder::source(const Operand& o, const std::string& type) {
    if (o.negated) {
        refuse("a negated operand");
    }
    if (o.kind != Operand::name) {
        return constant(literal(o, type), bitsOf(type) == 64);
    }
    if (const Register* r = find(o.text)) {
        if (r->bits != bitsOf(type) || o.offset) {
            refuse("the size of " + o.text + " is not that of ." + type);
        }
        checkKind(*r, o, type);
        return r->slot;
    }
    Special which;
    if (special(o.text, &which)) {
        if (isClock(which)) {
            refuse("a clock is read by mov only");
        }
        if (bitsOf(type) != (isWideSpecial(which) ? 64u : 32u)) {
            refuse("the size of " + o.text + " is not that of ." + type);
        }
        auto known = specials_.find(which);
        if (known != specials_.end()) {
            return known->second;
        }
        uint32_t slot = allocate(isWideSpecial(which) ? 256 : 128, 128);
        program_->specials.push_back({slot, which, isWideSpecial(which)});
        return specials_[which] = slot;
    }
    Place p;
    if (place(o.text, &p)) {
        if (bitsOf(type) < 32 || (bitsOf(type) == 32 && (p.space == "global" || p.space == "const"))) {
            refuse("the address of " + o.text + " does not fit");
        }
        return constant(p.offset + uint64_t(o.offset), bitsOf(type) == 64);
    }
    refuse("unknown name " + o.text);
}

uint32_t Decoder::predicateOut(const Operand& o) {
    if (o.kind == Operand::name && o.text == "_") {
        return SINK;
    }
    return destination(o, "pred");
}

uint32_t Decoder::predicateIn(const Operand& o, bool* negated) {
    *negated = o.negated;
    const Register* r = o.kind == Operand::name ? find(o.text) : nullptr;
    if (!r || r->bits != 1) {
        refuse("not a predicate: " + o.text);
    }
    return r->slot;
}

uint32_t Decoder::relaxed(const Operand& o, const std::string& type, bool isSource, size_t* bits) {
    const Register* r = o.kind == Operand::name && !o.negated && !o.offset ? find(o.text) : nullptr;
    if (!r) {
        *bits = std::max<size_t>(bitsOf(type), 32);
        return isSource ? source(o, type) : destination(o, type);
    }
    if (r->bits < bitsOf(type) || r->bits == 1) {
        refuse("the register is smaller than ." + type);
    }
    checkKind(*r, o, type);
    *bits = r->bits;
    return r->slot;
}

uint32_t Decoder::tf32(const Operand& o, bool isSource) {
    const Register* r = o.kind == Operand::name ? find(o.text) : nullptr;
    if (r && r->kind != 'b') {
        refuse("the type of " + o.text + " does not go with .tf32");
    }
    return isSource ? source(o, "b32") : destination(o, "b32");
}

uint32_t Decoder::fragments(const Program::Fragments& f) {
    program_->fragments.push_back(f);
    return uint32_t(program_->fragments.size() - 1);
}

size_t Decoder::elements(const Operand& o, const std::string& type, unsigned count, bool isSource) {
    if ((o.kind == Operand::vector) != (count > 1) || (count > 1 && o.parts.size() != count)) {
        refuse("the vector's size");
    }
    size_t bits = 0;
    for (unsigned k = 0; k < count; k++) {
        size_t b;
        op.v[k] = relaxed(count > 1 ? o.parts[k] : o, type, isSource, &b);
        if (k > 0 && b != bits) {
            refuse("registers of different sizes");
        }
        bits = b;
    }
    return bits;
}

void Decoder::needs(int version, int target) const {
    if (ptxVersion(module_.version) < version) {
        refuse("needs .version " + std::to_string(version / 100) + "." + std::to_string(version % 100));
    }
    if (smTarget_ < target) {
        refuse("needs .target sm_" + std::to_string(target));
    }
}

std::string Decoder::address(const Operand& o) {
    if (o.kind != Operand::address) {
        refuse("expected an address");
    }
    const Operand& base = o.parts.at(0);
    op.wideAddress = true;
    if (base.kind == Operand::integer) {
        op.a = constant(0, true);
        op.offset = int64_t(base.bits);
        return "";
    }
    if (base.kind != Operand::name) {
        refuse("unknown form of address");
    }
    op.offset = base.offset;
    if (const Register* r = find(base.text)) {
        if (r->bits != 32 && r->bits != 64) {
            refuse("an address in a register of the wrong size");
        }
        op.a = r->slot;
        op.wideAddress = r->bits == 64;
        return "";
    }
    Place p;
    if (!place(base.text, &p)) {
        refuse("unknown name " + base.text);
    }
    op.a = constant(0, true);
    op.offset += int64_t(p.offset);
    return p.space;
}

uint32_t Decoder::constant(uint64_t bits, bool wide) {
    auto key = std::make_pair(bits, wide);
    auto known = constants_.find(key);
    if (known != constants_.end()) {
        return known->second;
    }
    uint32_t slot = allocate(wide ? 256 : 128, 128);
    program_->constants.push_back({slot, bits, wide});
    return constants_[key] = slot;
}

void Decoder::becomesGlobal(const Operand& o) {
    auto i = loaded_.find(o.text);
    for (size_t k = 0; i != loaded_.end() && k < program_->params.size(); k++) {
        if (program_->params[k].offset == i->second && program_->params[k].size == 8) {
            program_->pointers.push_back(k);
        }
    }
}

uint32_t Decoder::allocate(size_t bytes, size_t align) {
    fileBytes_ = roundUp(fileBytes_, align);
    fileBytes_ += bytes;
    return uint32_t(fileBytes_ - bytes);
}

}  // namespace softgpu
