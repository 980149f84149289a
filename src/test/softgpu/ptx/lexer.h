// PTX text to tokens. Opcodes with their modifiers (ld.global.f32, st.shared::cluster.b32) are one word.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace softgpu {

// What is wrong with a PTX text, and where.
struct PtxError : std::runtime_error {
    PtxError(int line, const std::string& what)
        : std::runtime_error("line " + std::to_string(line) + ": " + what), line(line) {}
    int line;
};

struct Token {
    enum Kind { word, number, string, punct, end } kind;
    std::string text;
    int line;
    bool is(const char* s) const { return kind != string && text == s; }
};

std::vector<Token> lex(const std::string& text);

}  // namespace softgpu
