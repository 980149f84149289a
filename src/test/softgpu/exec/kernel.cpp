// From a function's text to a Program: its parameters, variables, labels and the functions that it calls.
#include "decoder.h"
#include "liveness.h"

#include <algorithm>

namespace softgpu {

namespace {

size_t alignOf(const Variable& v) {
    return std::max(v.align, bitsOf(v.type) / 8 * v.vector);
}

size_t bytesOf(const Variable& v) {
    return bitsOf(v.type) / 8 * v.vector * v.count;
}

}  // namespace

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

uint32_t Decoder::predicateSlot() {
    if (predicateAt_ == predicateEnd_) {
        predicateAt_ = allocate(128, 128);
        predicateEnd_ = predicateAt_ + 128;
    }
    predicateAt_ += 4;
    return uint32_t(predicateAt_ - 4);
}

void Decoder::declare(const Function& f) {
    Frame& frame = frames_.back();
    std::map<std::string, size_t> places = sharedPlaces(f);
    std::map<std::pair<size_t, size_t>, uint32_t> slots;  // by size and place
    for (const Variable& v : f.variables) {
        if (v.space == "reg") {
            size_t bits = v.type == "pred" ? 1 : std::max<size_t>(bitsOf(v.type), 16);
            if (v.vector != 1) {
                throw PtxError(v.line, "vector registers are not known: " + v.name);
            }
            program_->registers += bits == 64 ? 2 : bits == 1 ? 0 : 1;
            auto place = places.find(v.name);
            if (place == places.end()) {
                continue;  // nothing names it
            }
            auto slot = slots.emplace(std::make_pair(bits, place->second), 0);
            if (slot.second) {
                slot.first->second = bits == 1 ? predicateSlot() : allocate(bits == 64 ? 256 : 128, 128);
            }
            frame.registers[v.name] = {slot.first->second, bits, v.type[0]};
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
        program_->ops[b.first].target = label(frame, b.second.first, b.second.second, program_->info[b.first].line);
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

uint32_t Decoder::label(const Frame& f, int scope, const std::string& name, int line) const {
    for (int s = scope; s >= 0; s = f.function->scopeParent[s]) {
        auto i = f.labels.find({s, name});
        if (i != f.labels.end()) {
            return i->second;
        }
    }
    throw PtxError(line, "unknown label " + name);
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
