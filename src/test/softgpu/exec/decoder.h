// From the parsed text to a Program. Refuses, with the line, whatever it does not know for certain.
#pragma once

#include "program.h"
#include "ptx/ast.h"
#include "ptx/lexer.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace softgpu {

// A variable of the module that has an address before any kernel runs.
struct Symbol {
    std::string space;  // global, const
    uint64_t address = 0;
};

class Decoder {
  public:
    Decoder(const Module& module, const std::map<std::string, Symbol>& symbols);
    std::shared_ptr<Program> decode(const Function& entry);

    // --- for the families of instructions: each takes what it knows; what is left over refuses the instruction ---

    const Instruction& ins() const { return *ins_; }
    Op op;
    [[noreturn]] void refuse(const std::string& why) const;
    bool take(const char* modifier);
    // The first of these that is there; "" if none is.
    std::string takeOne(std::initializer_list<const char*> modifiers);
    // Its index; -1 if none is.
    int takeIndex(std::initializer_list<const char*> modifiers);
    unsigned takeVectorSize();
    bool takePrefix(const char* prefix);  // L1::..., L2::...
    // The next modifier that is a type; refuses if there is none.
    std::string type();
    const Operand& operand(size_t index) const;
    size_t operands() const { return ins_->operands.size(); }
    void expectOperands(size_t from, size_t to) const;
    // A destination and sources of these types, and no more: into op.d, a, b, c and e.
    void takeOperands(std::initializer_list<std::string> types);

    // Offsets of registers. A source may be an immediate, a special register or a variable's address.
    uint32_t destination(const Operand& o, const std::string& type);
    uint32_t source(const Operand& o, const std::string& type);
    uint32_t predicateOut(const Operand& o);
    uint32_t predicateIn(const Operand& o, bool* negated);
    // ld, st and cvt take registers wider than the type. Gives the register's bits.
    uint32_t relaxed(const Operand& o, const std::string& type, bool isSource, size_t* bits);
    // Fills op.a, op.offset, op.wideAddress; gives the state space of a variable that was named, or "".
    std::string address(const Operand& o);
    uint32_t constant(uint64_t bits, bool wide);
    // The special register of that name, if it is one.
    bool special(const std::string& name, Special* which) const;
    // A register for .tf32, which ptxas takes as .b32 only, or an immediate.
    uint32_t tf32(const Operand& o, bool isSource);
    uint32_t fragments(const Program::Fragments& f);
    uint32_t sink() const { return SINK; }
    bool isRegister(const Operand& o) const;
    // The registers of a vector or the one of a scalar, into op.v; gives the bits of a register.
    size_t elements(const Operand& o, const std::string& type, unsigned count, bool isSource);
    int target() const { return smTarget_; }
    // Refuses what is newer than the PTX says it is, "8.1" being 801, or than its target.
    void needs(int version, int target) const;
    void usesMbarriers() { program_->mbarriers = true; }
    // A parameter was loaded into that register; what is in that register becomes a global address.
    void loadsParameter(const Operand& o, uint64_t offset) { loaded_[o.text] = offset; }
    void becomesGlobal(const Operand& o);

  private:
    static constexpr uint32_t SINK = 128;

    struct Register {
        uint32_t slot;
        size_t bits;  // 1 for a predicate
        char kind;    // of its type: s, u, f, b or p
    };
    struct Place {  // of a variable of the kernel
        std::string space;
        uint64_t offset;
    };
    // One function body being decoded: the entry's, or that of a function at one place where it is called.
    struct Frame {
        const Function* function;
        std::map<std::string, Register> registers;
        std::map<std::string, Place> places;
        std::map<std::pair<int, std::string>, uint32_t> labels;
        std::vector<std::pair<size_t, std::pair<int, std::string>>> branches;  // Op, and where to
        std::vector<size_t> returns;
    };

    void body(const Function& f);
    void instruction(const Instruction& i);
    void call();
    void branchTable(const Instruction& i);
    void declare(const Function& f);
    void layoutShared(const Function& f, std::set<const Function*>& seen);
    void parameters(const Function& f);
    void directives(const Function& f);
    uint32_t label(const Frame& f, int scope, const std::string& name, int line) const;
    uint32_t allocate(size_t bytes, size_t align);
    uint32_t predicateSlot();
    const Register* find(const std::string& name) const;
    void checkKind(const Register& r, const Operand& o, const std::string& type) const;
    uint64_t literal(const Operand& o, const std::string& type) const;
    bool place(const std::string& name, Place* p) const;

    const Module& module_;
    const std::map<std::string, Symbol>& symbols_;
    std::shared_ptr<Program> program_;
    std::vector<Frame> frames_;
    std::map<std::string, Place> shared_;
    std::map<std::pair<uint64_t, bool>, uint32_t> constants_;
    std::map<Special, uint32_t> specials_;
    std::map<std::string, uint64_t> loaded_;  // register to parameter
    size_t fileBytes_ = 0, predicateAt_ = 0, predicateEnd_ = 0;
    const Instruction* ins_ = nullptr;
    std::vector<std::string> left_;  // modifiers not taken yet
    int smTarget_ = 0;
};

using Family = void (*)(Decoder&);

// Opcode to what decodes it. Each file of instructions adds its own.
std::map<std::string, Family>& families();
void addIntegerFamilies(std::map<std::string, Family>& table);
void addFloatFamilies(std::map<std::string, Family>& table);
void addCompareFamilies(std::map<std::string, Family>& table);
void addConvertFamilies(std::map<std::string, Family>& table);
void addMemoryFamilies(std::map<std::string, Family>& table);
void addWarpFamilies(std::map<std::string, Family>& table);
void addMoveFamilies(std::map<std::string, Family>& table);
void addMbarrierFamilies(std::map<std::string, Family>& table);
void addTensorFamilies(std::map<std::string, Family>& table);
void asyncStore(Decoder& d);  // st.async, which completes mbarriers

bool isClock(Special s);
bool isWideSpecial(Special s);

inline size_t roundUp(size_t n, size_t to) {
    return to ? (n + to - 1) / to * to : n;
}

// "7.8" is 708.
int ptxVersion(const std::string& v);

// Picks make<T>() by the name of a type among Ts; null if it is none of them.
template <class T>
struct TypeName;
#define SOFTGPU_TYPE(T, N)                                       \
    template <>                                                  \
    struct TypeName<T> {                                         \
        static bool is(const std::string& s) { return s == N; } \
    };
SOFTGPU_TYPE(uint8_t, "u8")
SOFTGPU_TYPE(int8_t, "s8")
SOFTGPU_TYPE(uint16_t, "u16")
SOFTGPU_TYPE(int16_t, "s16")
SOFTGPU_TYPE(uint32_t, "u32")
SOFTGPU_TYPE(int32_t, "s32")
SOFTGPU_TYPE(uint64_t, "u64")
SOFTGPU_TYPE(int64_t, "s64")
SOFTGPU_TYPE(float, "f32")
SOFTGPU_TYPE(double, "f64")
#undef SOFTGPU_TYPE

template <class T>
struct Tag {
    using type = T;
};

template <class... Ts, class Make>
Handler byType(const std::string& name, Make make) {
    Handler h = nullptr;
    ((TypeName<Ts>::is(name) ? void(h = make(Tag<Ts>())) : void()), ...);
    return h;
}

#define ALL_INTS int16_t, uint16_t, int32_t, uint32_t, int64_t, uint64_t

// b32 as u32: for instructions that only look at bits.
inline std::string asUnsigned(std::string type) {
    if (type[0] == 'b') {
        type[0] = 'u';
    }
    return type;
}

}  // namespace softgpu
