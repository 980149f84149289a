#include "liveness.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <unordered_map>
#include <vector>

namespace softgpu {

namespace {

// These write the registers of their first operand and do not read them. Of all others each register counts as read,
// which costs room only.
const std::set<std::string> WRITERS = {
    "abs", "add", "and", "atom", "bfe", "bfi", "brev", "clz", "copysign", "cos", "cvt", "cvta", "div", "ex2", "fma", "ld", "lg2",
    "lop3", "mad", "max", "min", "mma", "mov", "mul", "neg", "not", "or", "popc", "prmt", "rcp", "rem", "rsqrt", "selp", "setp",
    "shf", "shfl", "shl", "shr", "sin", "sqrt", "sub", "tanh", "vote", "xor"};

class Bits {
  public:
    explicit Bits(size_t n) : words_((n + 63) / 64) {}
    bool has(size_t k) const { return words_[k / 64] >> (k % 64) & 1; }
    void add(size_t k) { words_[k / 64] |= uint64_t(1) << (k % 64); }
    void addAll(const Bits& other) {
        for (size_t w = 0; w < words_.size(); w++) {
            words_[w] |= other.words_[w];
        }
    }
    // Those of `other` that are not in `without`. Tells whether any is new.
    bool addAll(const Bits& other, const Bits& without) {
        bool more = false;
        for (size_t w = 0; w < words_.size(); w++) {
            uint64_t all = words_[w] | (other.words_[w] & ~without.words_[w]);
            more |= all != words_[w];
            words_[w] = all;
        }
        return more;
    }

  private:
    std::vector<uint64_t> words_;
};

// Instructions without a branch in between; read: before anything in it writes them.
struct Stretch {
    size_t first, last;
    std::vector<size_t> next;
    Bits read, written, liveIn, liveOut;
};

class Liveness {
  public:
    explicit Liveness(const Function& f) : f_(f) {
        for (auto& v : f.variables) {
            if (v.space == "reg") {
                numbers_.emplace(v.name, registers_.size());
                registers_.push_back({v.name, v.type == "pred" ? 1 : std::max<size_t>(bitsOf(v.type), 16), SIZE_MAX, 0});
            }
        }
        for (auto& s : f.body) {
            if (s.kind == Statement::mark) {
                labels_[{s.scope, s.label}] = code_.size();
            } else if (s.kind == Statement::operation) {
                code_.push_back({&s.ins, {}, {}});
                name(code_.back());
            }
        }
    }

    std::map<std::string, size_t> places() {
        stretches();
        flow();
        for (auto& s : stretches_) {
            for (size_t r = 0; r < registers_.size(); r++) {
                if (s.liveIn.has(r)) {
                    extend(r, s.first);
                }
                if (s.liveOut.has(r)) {
                    extend(r, s.last + 1);
                }
            }
        }
        return share();
    }

  private:
    struct Register {
        std::string name;
        size_t bits, first, last;  // instructions
    };
    struct Code {
        const Instruction* ins;
        std::vector<size_t> reads, writes;
    };

    void name(Code& code) const {
        auto visit = [&](auto& self, const Operand& o, std::vector<size_t>& to) -> void {
            auto r = o.parts.empty() ? numbers_.find(o.text) : numbers_.end();
            if (r != numbers_.end()) {
                to.push_back(r->second);
            }
            for (auto& p : o.parts) {
                self(self, p, to);
            }
        };
        const Instruction& i = *code.ins;
        bool writes = WRITERS.count(i.opcode);
        for (size_t k = 0; k < i.operands.size(); k++) {
            visit(visit, i.operands[k], k == 0 && writes ? code.writes : code.reads);
        }
        auto guard = numbers_.find(i.guard);
        if (guard != numbers_.end()) {
            code.reads.push_back(guard->second);
        }
    }

    void extend(size_t r, size_t at) {
        registers_[r].first = std::min(registers_[r].first, at);
        registers_[r].last = std::max(registers_[r].last, at);
    }

    std::vector<size_t> targets(const Instruction& i) const {
        std::vector<std::pair<int, std::string>> names;
        if (i.opcode == "bra" && i.operands.size() == 1) {
            names.push_back({i.scope, i.operands[0].text});
        } else if (i.opcode == "brx" && i.operands.size() == 2) {
            for (auto& s : f_.body) {
                for (size_t k = 0; s.kind == Statement::table && s.label == i.operands[1].text && k < s.targets.size(); k++) {
                    names.push_back({s.scope, s.targets[k]});
                }
            }
        }
        std::vector<size_t> found;
        for (auto& n : names) {
            for (int scope = n.first; scope >= 0; scope = f_.scopeParent[size_t(scope)]) {
                auto l = labels_.find({scope, n.second});
                if (l != labels_.end()) {
                    found.push_back(l->second);
                    break;
                }
            }
        }
        return found;
    }

    void stretches() {
        std::set<size_t> starts{0};
        auto leaves = [](const Instruction& i) {
            return i.opcode == "bra" || i.opcode == "brx" || i.opcode == "ret" || i.opcode == "exit";
        };
        for (auto& l : labels_) {
            starts.insert(l.second);
        }
        for (size_t k = 0; k < code_.size(); k++) {
            if (leaves(*code_[k].ins)) {
                starts.insert(k + 1);
            }
        }
        std::map<size_t, size_t> byStart;
        for (auto s = starts.begin(); s != starts.end() && *s < code_.size(); ++s) {
            auto after = std::next(s);
            size_t end = after == starts.end() ? code_.size() : *after;
            byStart[*s] = stretches_.size();
            Bits none(registers_.size());
            stretches_.push_back({*s, end - 1, {}, none, none, none, none});
        }
        for (auto& s : stretches_) {
            const Instruction& last = *code_[s.last].ins;
            std::vector<size_t> to = targets(last);
            if (!leaves(last) || !last.guard.empty()) {
                to.push_back(s.last + 1);
            }
            for (size_t t : to) {
                if (t < code_.size()) {
                    s.next.push_back(byStart[t]);
                }
            }
            for (size_t k = s.first; k <= s.last; k++) {
                for (size_t r : code_[k].reads) {
                    extend(r, k);
                    if (!s.written.has(r)) {
                        s.read.add(r);
                    }
                }
                for (size_t r : code_[k].writes) {
                    extend(r, k);
                    if (code_[k].ins->guard.empty()) {
                        s.written.add(r);
                    }
                }
            }
            s.liveIn.addAll(s.read);
        }
    }

    void flow() {
        for (bool more = true; more;) {
            more = false;
            for (size_t k = stretches_.size(); k-- > 0;) {
                Stretch& s = stretches_[k];
                for (size_t n : s.next) {
                    s.liveOut.addAll(stretches_[n].liveIn);
                }
                more |= s.liveIn.addAll(s.liveOut, s.written);
            }
        }
    }

    // In order of their first instruction, each to the place whose last user went last: it is still in the cache.
    std::map<std::string, size_t> share() const {
        std::vector<const Register*> order;
        for (auto& r : registers_) {
            if (r.first != SIZE_MAX) {
                order.push_back(&r);
            }
        }
        std::stable_sort(order.begin(), order.end(), [](auto* x, auto* y) { return x->first < y->first; });
        std::map<std::string, size_t> places;
        std::map<size_t, std::set<std::pair<size_t, size_t>>> taken;  // by size: until when, and the place
        for (auto* r : order) {
            auto& all = taken[r->bits];
            size_t place = all.size();
            auto past = all.lower_bound({r->first, 0});
            if (past != all.begin()) {
                place = (--past)->second;
                all.erase(past);
            }
            all.insert({r->last, place});
            places[r->name] = place;
        }
        return places;
    }

    const Function& f_;
    std::unordered_map<std::string, size_t> numbers_;
    std::vector<Register> registers_;
    std::map<std::pair<int, std::string>, size_t> labels_;
    std::vector<Code> code_;
    std::vector<Stretch> stretches_;
};

}  // namespace

std::map<std::string, size_t> sharedPlaces(const Function& f) {
    return Liveness(f).places();
}

}  // namespace softgpu
