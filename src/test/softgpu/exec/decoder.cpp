#include "decoder.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace softgpu {

namespace {

size_t roundUp(size_t n, size_t to) {
    return to ? (n + to - 1) / to * to : n;
}

size_t alignOf(const Variable& v) {
    return std::max(v.align, bitsOf(v.type) / 8 * v.vector);
}

size_t bytesOf(const Variable& v) {
    return bitsOf(v.type) / 8 * v.vector * v.count;
}

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

bool isWideSpecial(Special s) {
    return s == Special::clock64 || s == Special::globaltimer || s == Special::gridid;
}

}  // namespace

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
        return t;
    }();
    return *table;
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
        return r->slot;
    }
    Special which;
    if (special(o.text, &which)) {
        if (which == Special::clock || which == Special::clock64 || which == Special::globaltimer ||
            which == Special::globaltimerLo) {
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
    *bits = r->bits;
    return r->slot;
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

void Decoder::becomesGlobal(uint32_t slot) {
    auto i = loaded_.find(slot);
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

// --- a whole kernel ---

std::shared_ptr<Program> Decoder::decode(const Function& entry) {
    program_ = std::make_shared<Program>();
    program_->name = entry.name;
    fileBytes_ = SINK + 256;  // slot 0: the predicate that is always true; then the sink
    std::set<const Function*> seen;
    layoutShared(entry, seen);
    frames_.push_back({&entry, {}, {}, {}, {}, {}});
    parameters(entry);
    directives(entry);
    body(entry);
    program_->registerBytes = roundUp(fileBytes_, 128);
    program_->hits.assign(program_->ops.size(), 0);
    return program_;
}

void Decoder::parameters(const Function& f) {
    size_t at = 0;
    for (const Variable& v : f.params) {
        if (v.isArray && v.count == 0) {
            throw PtxError(v.line, "a parameter without a size: " + v.name);
        }
        at = roundUp(at, alignOf(v));
        program_->params.push_back({v.name, v.type, at, bytesOf(v), alignOf(v)});
        frames_.back().places[v.name] = {"param", at};
        at += bytesOf(v);
    }
    program_->paramBytes = at;
}

void Decoder::directives(const Function& f) {
    for (auto& d : f.directives) {
        std::array<int, 3> v{1, 1, 1};
        for (size_t k = 0; k < d.second.size() && k < 3; k++) {
            v[k] = d.second[k];
        }
        if (d.first == "maxntid") {
            program_->maxThreads = v[0] * v[1] * v[2];
        } else if (d.first == "reqntid") {
            program_->requiredThreads = v;
        } else if (d.first == "reqnctapercluster") {
            program_->cluster = v;
        }
    }
}

// Static shared variables that the kernel names, and behind them the dynamic one.
void Decoder::layoutShared(const Function& f, std::set<const Function*>& seen) {
    bool outermost = seen.empty();
    if (!seen.insert(&f).second) {
        return;
    }
    std::set<std::string> used;
    auto visit = [&](auto& self, const Operand& o) -> void {
        used.insert(o.text);
        for (auto& p : o.parts) {
            self(self, p);
        }
    };
    for (auto& s : f.body) {
        for (auto& o : s.ins.operands) {
            visit(visit, o);
        }
    }
    size_t& at = program_->sharedBytes;
    auto add = [&](const Variable& v) {
        if (v.space != "shared" || shared_.count(v.name) || v.isExtern || (v.isArray && v.count == 0)) {
            return;
        }
        at = roundUp(at, alignOf(v));
        shared_[v.name] = {"shared", at};
        at += bytesOf(v);
    };
    for (auto& v : f.variables) {
        add(v);
    }
    for (auto& v : module_.variables) {
        if (used.count(v.name)) {
            add(v);
        }
    }
    for (auto& callee : module_.functions) {
        if (used.count(callee->name) && !callee->isDeclaration && !callee->isEntry) {
            layoutShared(*callee, seen);
        }
    }
    if (outermost) {
        size_t align = 1;
        for (auto& v : module_.variables) {
            if (v.space == "shared" && v.isArray && v.count == 0) {
                align = std::max(align, alignOf(v));
            }
        }
        at = roundUp(at, align);
        for (auto& v : module_.variables) {
            if (v.space == "shared" && v.isArray && v.count == 0) {
                shared_[v.name] = {"shared", at};
            }
        }
    }
}

void Decoder::declare(const Function& f) {
    Frame& frame = frames_.back();
    for (const Variable& v : f.variables) {
        if (v.space == "reg") {
            if (v.type == "pred") {
                if (predicateAt_ == predicateEnd_) {
                    predicateAt_ = allocate(128, 128);
                    predicateEnd_ = predicateAt_ + 128;
                }
                frame.registers[v.name] = {uint32_t(predicateAt_), 1};
                predicateAt_ += 4;
            } else {
                size_t bits = std::max<size_t>(bitsOf(v.type), 16);
                if (v.vector != 1) {
                    throw PtxError(v.line, "vector registers are not known: " + v.name);
                }
                frame.registers[v.name] = {allocate(bits == 64 ? 256 : 128, 128), bits};
                program_->registers += bits == 64 ? 2 : 1;
            }
        } else if (v.space == "local" || v.space == "param") {
            // A .param of a body passes arguments to a function that is called: a piece of local memory.
            size_t& at = program_->localBytes;
            at = roundUp(at, std::max<size_t>(alignOf(v), 8));
            frame.places[v.name] = {"local", at};
            at += bytesOf(v);
        } else if (v.space != "shared") {
            throw PtxError(v.line, "a variable of ." + v.space + " inside a function");
        }
    }
}

void Decoder::body(const Function& f) {
    declare(f);
    for (auto& s : f.body) {
        if (s.kind == Statement::mark) {
            frames_.back().labels[{s.scope, s.label}] = uint32_t(program_->ops.size());
        } else if (s.kind == Statement::operation) {
            instruction(s.ins);
        }
    }
    Frame& frame = frames_.back();
    for (auto& b : frame.branches) {
        program_->ops[b.first].target = label(frame, b.second.first, b.second.second);
    }
    if (frames_.size() == 1) {  // falling off the end
        Op end;
        end.flow = Flow::exit;
        program_->ops.push_back(end);
        program_->info.push_back({0, "", "the end of the kernel"});
    }
    for (size_t r : frame.returns) {
        program_->ops[r].target = uint32_t(program_->ops.size());
    }
}

uint32_t Decoder::label(const Frame& f, int scope, const std::string& name) const {
    for (int s = scope; s >= 0; s = f.function->scopeParent[s]) {
        auto i = f.labels.find({s, name});
        if (i != f.labels.end()) {
            return i->second;
        }
    }
    throw PtxError(f.function->line, "unknown label " + name);
}

void Decoder::instruction(const Instruction& i) {
    ins_ = &i;
    left_ = i.modifiers;
    op = Op();
    uint32_t guard = 0;
    bool negated = i.guardNegated;
    if (!i.guard.empty()) {
        const Register* r = find(i.guard);
        if (!r || r->bits != 1) {
            refuse("the guard is no predicate");
        }
        guard = r->slot;
    }
    if (i.opcode == "call") {
        if (guard) {
            refuse("a call under a predicate");
        }
        call();
        return;
    }
    if (i.opcode == "bra") {
        take("uni");
        expectOperands(1, 1);
        op.flow = Flow::branch;
        frames_.back().branches.push_back({program_->ops.size(), {i.scope, operand(0).text}});
    } else if (i.opcode == "brx") {
        if (guard) {
            refuse("a branch table under a predicate");
        }
        branchTable(i);
    } else if (i.opcode == "ret" || i.opcode == "exit") {
        take("uni");
        expectOperands(0, 0);
        if (i.opcode == "ret" && frames_.size() > 1) {
            op.flow = Flow::branch;
            frames_.back().returns.push_back(program_->ops.size());
        } else {
            op.flow = Flow::exit;
        }
    } else {
        auto family = families().find(i.opcode);
        if (family == families().end()) {
            refuse("unknown instruction");
        }
        family->second(*this);
        if (!op.run && op.flow == Flow::plain) {
            refuse("unsupported type or form");
        }
    }
    if (!left_.empty()) {
        refuse("unknown modifier ." + left_[0]);
    }
    op.guard = guard;
    op.guardNegated = negated;
    program_->ops.push_back(op);
    program_->info.push_back({i.line, i.source < 0 ? "" : module_.locations[i.source], i.text});
}

void Decoder::branchTable(const Instruction& i) {
    if (!take("idx")) {
        refuse("only brx.idx");
    }
    take("uni");
    expectOperands(2, 2);
    op.flow = Flow::table;
    op.a = source(operand(0), "u32");
    const Function& f = *frames_.back().function;
    for (auto& s : f.body) {
        if (s.kind == Statement::table && s.label == operand(1).text) {
            // The labels may lie ahead: one jump each, resolved like any branch.
            op.aux = uint16_t(program_->tables.size());
            std::vector<uint32_t> targets;
            for (size_t k = 0; k < s.targets.size(); k++) {
                targets.push_back(uint32_t(program_->ops.size() + 1 + k));
            }
            program_->tables.push_back(targets);
            Op table = op;
            program_->ops.push_back(table);
            program_->info.push_back({i.line, i.source < 0 ? "" : module_.locations[i.source], i.text});
            for (size_t k = 0; k < s.targets.size(); k++) {
                Op jump;
                jump.flow = Flow::branch;
                frames_.back().branches.push_back({program_->ops.size(), {s.scope, s.targets[k]}});
                if (k + 1 < s.targets.size()) {
                    program_->ops.push_back(jump);
                    program_->info.push_back({i.line, "", "entry of the branch table"});
                } else {
                    op = jump;  // the caller appends the last one
                }
            }
            return;
        }
    }
    refuse("unknown branch table");
}

// A called function is decoded anew at each place: no call stack at run time, and no recursion.
void Decoder::call() {
    take("uni");
    if (!left_.empty()) {
        refuse("unknown modifier ." + left_[0]);
    }
    size_t at = 0;
    std::vector<Operand> results, arguments;
    if (operand(0).kind == Operand::tuple) {
        results = operand(0).parts;
        at = 1;
    }
    std::string name = operand(at).text;
    if (operands() > at + 1) {
        arguments = operand(at + 1).parts;
    }
    if (operands() > at + 2) {
        refuse("an indirect call");
    }
    const Function* callee = nullptr;
    for (auto& f : module_.functions) {
        if (f->name == name && !f->isDeclaration) {
            callee = f.get();
        }
    }
    if (!callee || callee->isEntry) {
        refuse("a call of a function that this file does not hold");
    }
    for (auto& f : frames_) {
        if (f.function == callee) {
            refuse("recursion");
        }
    }
    if (callee->params.size() != arguments.size() || callee->returns.size() != results.size()) {
        refuse("wrong number of arguments");
    }
    Frame frame{callee, {}, {}, {}, {}, {}};
    auto bind = [&](const Variable& formal, const Operand& actual) {
        Place p;
        if (formal.space != "param" || !place(actual.text, &p) || p.space != "local") {
            refuse("only .param variables can be passed");
        }
        frame.places[formal.name] = p;
    };
    for (size_t k = 0; k < arguments.size(); k++) {
        bind(callee->params[k], arguments[k]);
    }
    for (size_t k = 0; k < results.size(); k++) {
        bind(callee->returns[k], results[k]);
    }
    frames_.push_back(std::move(frame));
    body(*callee);
    frames_.pop_back();
}

}  // namespace softgpu
