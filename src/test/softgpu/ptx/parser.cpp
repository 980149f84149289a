#include "ast.h"
#include "lexer.h"

#include <cstdlib>
#include <cstring>
#include <set>

namespace softgpu {

size_t bitsOf(const std::string& t) {
    static const std::map<std::string, size_t> BITS = {
        {"pred", 1}, {"b8", 8},   {"u8", 8},   {"s8", 8},   {"b16", 16}, {"u16", 16}, {"s16", 16}, {"f16", 16},
        {"b32", 32}, {"u32", 32}, {"s32", 32}, {"f32", 32}, {"b64", 64}, {"u64", 64}, {"s64", 64}, {"f64", 64}};
    auto i = BITS.find(t);
    return i == BITS.end() ? 0 : i->second;
}

namespace {

class Parser {
  public:
    explicit Parser(const std::string& text) : tokens_(lex(text)), module_(std::make_shared<Module>()) {}

    std::shared_ptr<Module> run() {
        while (peek().kind != Token::end) {
            topLevel();
        }
        if (module_->version.empty()) {
            fail("no .version: this is no PTX");
        }
        for (auto& l : lines_) {  // .file comes at the end of the text
            auto f = module_->files.find(l.first);
            std::string name = f == module_->files.end() ? "file " + std::to_string(l.first) : f->second;
            size_t slash = name.rfind('/');
            name = slash == std::string::npos ? name : name.substr(slash + 1);
            module_->locations.push_back(name + ":" + std::to_string(l.second));
        }
        return module_;
    }

  private:
    std::vector<Token> tokens_;
    size_t at_ = 0;
    std::shared_ptr<Module> module_;
    Function* function_ = nullptr;
    // One entry per open block: what a name written there means. The function's own block keeps names as they are.
    std::vector<std::map<std::string, std::string>> scopes_;
    std::vector<int> scopeIds_;
    int location_ = -1;
    std::vector<std::pair<int, int64_t>> lines_;  // of .loc: number of the file, line

    // --- tokens ---

    const Token& peek(int ahead = 0) const {
        size_t k = at_ + ahead;
        return tokens_[k < tokens_.size() ? k : tokens_.size() - 1];
    }
    Token next() {
        Token t = peek();
        if (t.kind == Token::end) {
            fail("the text ends too early");
        }
        at_++;
        return t;
    }
    [[noreturn]] void fail(const std::string& what) const { throw PtxError(peek().line, what); }
    bool accept(const char* s) {
        if (peek().is(s)) {
            at_++;
            return true;
        }
        return false;
    }
    void expect(const char* s) {
        if (!accept(s)) {
            fail(std::string("expected ") + s + ", found " + (peek().kind == Token::end ? "the end" : peek().text));
        }
    }
    std::string word() {
        if (peek().kind != Token::word) {
            fail("expected a name, found " + peek().text);
        }
        return next().text;
    }
    static bool isSpace(const std::string& d) {
        return d == ".global" || d == ".const" || d == ".shared" || d == ".local" || d == ".param" || d == ".reg";
    }

    // --- numbers ---

    static Operand literal(const std::string& s, int line) {
        Operand o;
        char* end = nullptr;
        if (s.size() == 10 && (s[1] == 'f' || s[1] == 'F')) {
            o.kind = Operand::real32;
            o.bits = strtoull(s.c_str() + 2, &end, 16);
        } else if (s.size() == 18 && (s[1] == 'd' || s[1] == 'D')) {
            o.kind = Operand::real64;
            o.bits = strtoull(s.c_str() + 2, &end, 16);
        } else if (s.size() > 2 && s[0] == '0' && (s[1] == 'b' || s[1] == 'B')) {
            o.kind = Operand::integer;
            o.bits = strtoull(s.c_str() + 2, &end, 2);
        } else if (s.find('.') != std::string::npos) {
            o.kind = Operand::decimal;
            o.value = strtod(s.c_str(), &end);
        } else {
            o.kind = Operand::integer;
            o.bits = strtoull(s.c_str(), &end, 0);
        }
        if (end && *end == 'U') {
            end++;
        }
        if (!end || *end) {
            throw PtxError(line, "not a number: " + s);
        }
        return o;
    }
    Operand numberOperand() {
        bool minus = accept("-");
        if (peek().kind != Token::number) {
            fail("expected a number, found " + peek().text);
        }
        Token t = next();
        Operand o = literal(t.text, t.line);
        if (minus && o.kind == Operand::integer) {
            o.bits = 0 - o.bits;
        } else if (minus && o.kind == Operand::decimal) {
            o.value = -o.value;
        } else if (minus) {
            o.bits ^= o.kind == Operand::real32 ? 1ull << 31 : 1ull << 63;
        }
        return o;
    }
    int64_t integer() {
        Operand o = numberOperand();
        if (o.kind != Operand::integer) {
            fail("expected an integer");
        }
        return int64_t(o.bits);
    }

    // --- operands ---

    std::string resolve(const std::string& name) const {
        for (auto s = scopes_.rbegin(); s != scopes_.rend(); ++s) {
            auto i = s->find(name);
            if (i != s->end()) {
                return i->second;
            }
        }
        return name;
    }
    std::vector<Operand> list(const char* close) {
        std::vector<Operand> out;
        while (!accept(close)) {
            out.push_back(operand());
            if (!peek().is(close)) {
                expect(",");
            }
        }
        return out;
    }
    Operand operand() {
        Operand o;
        if (accept("!")) {
            o = operand();
            o.negated = !o.negated;
        } else if (accept("{")) {
            o.kind = Operand::vector;
            o.parts = list("}");
        } else if (accept("(")) {
            o.kind = Operand::tuple;
            o.parts = list(")");
        } else if (accept("[")) {
            o.kind = Operand::address;
            o.parts = {operand()};
            expect("]");
        } else if (peek().kind == Token::number || peek().is("-")) {
            o = numberOperand();
        } else {
            o.text = resolve(word());
        }
        while (peek().is("+") || (o.kind == Operand::name && peek().is("-"))) {
            bool plus = next().text == "+";
            int64_t k = integer();
            o.offset += plus ? k : -k;
        }
        if (accept("|")) {
            Operand p;
            p.kind = Operand::pair;
            p.parts = {o, operand()};
            return p;
        }
        return o;
    }

    // --- declarations ---

    // After the linkage words: .space [.align n] [.vN] .type [.ptr ...] name[count] [= init] {, name}
    std::vector<Variable> declaration(bool isExtern) {
        std::vector<Variable> out;
        Variable v;
        v.isExtern = isExtern;
        v.line = peek().line;
        v.space = word().substr(1);
        if (v.space.find("::") != std::string::npos) {
            v.space = v.space.substr(0, v.space.find("::"));
        }
        while (peek().kind == Token::word && peek().text[0] == '.') {
            std::string d = word().substr(1);
            if (d == "align") {
                v.align = size_t(integer());
            } else if (d == "v2" || d == "v4") {
                v.vector = d[1] - '0';
            } else if (d == "ptr" || ((isSpace("." + d)) && v.space == "param")) {
                continue;  // what the parameter points to: a hint
            } else if (bitsOf(d)) {
                v.type = d;
            } else {
                fail("unknown type or attribute ." + d);
            }
        }
        if (v.type.empty()) {
            fail("a variable without a type");
        }
        do {
            Variable one = v;
            one.name = word();
            if (accept("<")) {  // %r<10> declares %r0 to %r9
                int64_t n = integer();
                expect(">");
                for (int64_t k = 0; k < n; k++) {
                    Variable r = v;
                    r.name = one.name + std::to_string(k);
                    out.push_back(r);
                }
                continue;
            }
            while (accept("[")) {
                one.isArray = true;
                one.count = peek().is("]") ? 0 : one.count * size_t(integer());
                expect("]");
            }
            if (accept("=")) {
                one.init = peek().is("{") ? operand().parts : std::vector<Operand>{operand()};
            }
            out.push_back(one);
        } while (!inParameters_ && accept(","));
        return out;
    }
    bool inParameters_ = false;

    std::vector<Variable> parameters() {
        std::vector<Variable> out;
        inParameters_ = true;
        while (!accept(")")) {
            for (auto& v : declaration(false)) {
                out.push_back(v);
            }
            if (!peek().is(")")) {
                expect(",");
            }
        }
        inParameters_ = false;
        return out;
    }

    void topLevel() {
        const Token& t = peek();
        if (accept(".version")) {
            module_->version = next().text;
        } else if (accept(".target")) {
            module_->targetLine = t.line;
            module_->target = word();
            while (accept(",")) {
                word();
            }
        } else if (accept(".address_size")) {
            if (integer() != 64) {
                fail("only .address_size 64");
            }
        } else if (accept(".file")) {
            int64_t k = integer();
            module_->files[int(k)] = next().text;
            while (accept(",")) {
                integer();
            }
        } else if (accept(".section")) {
            while (!accept("}")) {  // debug information
                next();
            }
        } else if (accept(".pragma")) {
            while (!accept(";")) {
                next();
            }
        } else if (t.kind == Token::word && t.text[0] == '.') {
            bool isExtern = false;
            while (peek().is(".visible") || peek().is(".weak") || peek().is(".extern") || peek().is(".common")) {
                isExtern |= next().text == ".extern";
            }
            if (peek().is(".entry") || peek().is(".func")) {
                function();
            } else if (isSpace(peek().text)) {
                for (auto& v : declaration(isExtern)) {
                    module_->variables.push_back(v);
                }
                expect(";");
            } else {
                fail("unknown directive " + peek().text);
            }
        } else {
            fail("unexpected " + (t.kind == Token::end ? std::string("end") : t.text));
        }
    }

    // --- functions ---

    void function() {
        auto f = std::make_shared<Function>();
        function_ = f.get();
        f->line = peek().line;
        f->isEntry = next().text == ".entry";
        scopes_ = {{}};
        scopeIds_ = {0};
        f->scopeParent = {-1};
        location_ = -1;
        if (accept("(")) {
            f->returns = parameters();
        }
        f->name = word();
        if (accept("(")) {
            f->params = parameters();
        }
        static const std::set<std::string> KNOWN = {
            ".maxntid", ".reqntid", ".minnctapersm", ".maxnctapersm", ".maxnreg", ".noreturn",
            ".reqnctapercluster", ".explicitcluster", ".maxclusterrank"};
        while (!peek().is("{") && !peek().is(";")) {
            std::string d = word();
            if (d == ".pragma") {
                next();
                expect(";");
                continue;
            }
            if (!KNOWN.count(d)) {
                fail("unknown directive " + d);
            }
            auto& values = f->directives[d.substr(1)];
            while (peek().kind == Token::number) {
                values.push_back(int(integer()));
                accept(",");
            }
        }
        module_->functions.push_back(f);
        if (accept(";")) {
            f->isDeclaration = true;
            return;
        }
        expect("{");
        while (!accept("}")) {
            statement();
        }
        function_ = nullptr;
    }

    void statement() {
        if (accept("{")) {
            scopes_.push_back({});
            function_->scopeParent.push_back(scopeIds_.back());
            scopeIds_.push_back(int(function_->scopeParent.size()) - 1);
            while (!accept("}")) {
                statement();
            }
            scopes_.pop_back();
            scopeIds_.pop_back();
            return;
        }
        if (accept(";")) {
            return;
        }
        const Token& t = peek();
        if (t.kind == Token::word && peek(1).is(":")) {
            Statement s{Statement::mark, {}, next().text, {}, scopeIds_.back()};
            expect(":");
            if (accept(".branchtargets")) {
                s.kind = Statement::table;
                do {
                    s.targets.push_back(word());
                } while (accept(","));
                expect(";");
            }
            function_->body.push_back(s);
            return;
        }
        if (t.is(".loc")) {
            loc();
        } else if (t.is(".pragma")) {
            while (!accept(";")) {
                next();
            }
        } else if (t.kind == Token::word && isSpace(t.text)) {
            for (auto& v : declaration(false)) {
                if (scopes_.size() > 1) {
                    std::string unique = v.name + "#" + std::to_string(scopeIds_.back());
                    scopes_.back()[v.name] = unique;
                    v.name = unique;
                }
                function_->variables.push_back(v);
            }
            expect(";");
        } else if (t.is("@") || (t.kind == Token::word && t.text[0] != '.')) {
            instruction();
        } else {
            fail("unexpected " + t.text);
        }
    }

    void loc() {
        int line = peek().line;
        next();
        int64_t file = integer(), at = integer();
        integer();
        while (peek().line == line && peek().kind != Token::end && !peek().is("}")) {
            next();  // function_name and inlined_at: where the call was, not where the code is
        }
        lines_.push_back({int(file), at});
        location_ = int(lines_.size()) - 1;
    }

    void instruction() {
        Statement s{Statement::operation, {}, "", {}, scopeIds_.back()};
        Instruction& i = s.ins;
        size_t first = at_;
        i.line = peek().line;
        i.source = location_;
        i.scope = scopeIds_.back();
        if (accept("@")) {
            i.guardNegated = accept("!");
            i.guard = resolve(word());
        }
        std::string op = word();
        size_t dot = op.find('.');
        i.opcode = op.substr(0, dot);
        while (dot != std::string::npos) {
            size_t end = op.find('.', dot + 1);
            i.modifiers.push_back(op.substr(dot + 1, end == std::string::npos ? end : end - dot - 1));
            dot = end;
        }
        while (!accept(";")) {
            i.operands.push_back(operand());
            if (!peek().is(";")) {
                expect(",");
            }
        }
        for (size_t k = first; k + 1 < at_; k++) {
            bool tight = k == first || tokens_[k - 1].is("[") || tokens_[k - 1].is("@") || tokens_[k - 1].is("!") ||
                         tokens_[k].is("]") || tokens_[k].is(",") || tokens_[k].is("+") || tokens_[k - 1].is("+");
            i.text += (tight ? "" : " ") + tokens_[k].text;
        }
        function_->body.push_back(s);
    }
};

}  // namespace

std::shared_ptr<Module> parsePtx(const std::string& text) {
    return Parser(text).run();
}

}  // namespace softgpu
