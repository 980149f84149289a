// A PTX module as it is written: names resolved to their scope, nothing yet about what an instruction means.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace softgpu {

struct Operand {
    enum Kind { name, integer, real32, real64, decimal, vector, address, pair, tuple } kind = name;
    std::string text;      // name: as declared, made unique by its scope
    bool negated = false;  // !%p
    uint64_t bits = 0;     // integer, real32 (0f...), real64 (0d...)
    double value = 0;      // decimal
    int64_t offset = 0;    // name+4, [name+4]
    std::vector<Operand> parts;  // vector {a,b}, tuple (a,b), pair a|b, address: its base (a name or an integer)
};

struct Instruction {
    std::string opcode;                  // "add", of add.rn.f32
    std::vector<std::string> modifiers;  // "rn", "f32"
    std::vector<Operand> operands;
    std::string guard;  // register of @%p, or empty
    bool guardNegated = false;
    int line = 0;
    int source = -1;  // index into Module::locations
    std::string text;
    int scope = 0;  // innermost block, for its labels
};

struct Variable {
    std::string space;  // reg, shared, local, param, global, const
    std::string type;   // b8, f32, pred ...
    std::string name;
    size_t align = 0, count = 1;
    int vector = 1;
    bool isArray = false, isExtern = false;
    std::vector<Operand> init;
    int line = 0;
};

struct Statement {
    enum Kind { operation, mark, table } kind;  // table: name: .branchtargets a, b;
    Instruction ins;
    std::string label;
    std::vector<std::string> targets;
    int scope = 0;
};

struct Function {
    std::string name;
    bool isEntry = false, isDeclaration = false;
    std::vector<Variable> params, returns;
    std::vector<Variable> variables;   // of the body: registers, shared, local, param
    std::vector<Statement> body;
    std::vector<int> scopeParent;      // scope -> the one around it, -1 for the function's own
    std::map<std::string, std::vector<int>> directives;  // maxntid -> 256
    int line = 0;
};

struct Module {
    std::string version, target;
    int targetLine = 1;
    std::vector<Variable> variables;
    std::vector<std::shared_ptr<Function>> functions;
    std::map<int, std::string> files;
    std::vector<std::string> locations;  // "file:line" of .loc
};

size_t bitsOf(const std::string& type);  // 0 for what is no type; 1 for pred

std::shared_ptr<Module> parsePtx(const std::string& text);

}  // namespace softgpu
