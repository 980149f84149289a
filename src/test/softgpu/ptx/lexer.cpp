#include "lexer.h"

#include <cctype>

namespace softgpu {

namespace {

bool startsWord(char c) {
    return isalpha((unsigned char)c) || c == '_' || c == '$' || c == '%' || c == '.';
}

bool inWord(char c) {
    return isalnum((unsigned char)c) || c == '_' || c == '$' || c == '%' || c == '.';
}

}  // namespace

std::vector<Token> lex(const std::string& s) {
    std::vector<Token> out;
    int line = 1;
    size_t i = 0, n = s.size();
    while (i < n) {
        char c = s[i];
        if (c == '\n') {
            line++;
            i++;
        } else if (isspace((unsigned char)c)) {
            i++;
        } else if (s.compare(i, 2, "//") == 0) {
            while (i < n && s[i] != '\n') {
                i++;
            }
        } else if (s.compare(i, 2, "/*") == 0) {
            size_t close = s.find("*/", i + 2);
            if (close == std::string::npos) {
                throw PtxError(line, "comment without end");
            }
            for (; i < close + 2; i++) {
                line += s[i] == '\n';
            }
        } else if (c == '"') {
            size_t close = s.find('"', i + 1);
            if (close == std::string::npos) {
                throw PtxError(line, "string without end");
            }
            out.push_back({Token::string, s.substr(i + 1, close - i - 1), line});
            i = close + 1;
        } else if (isdigit((unsigned char)c)) {
            size_t from = i;
            while (i < n && (isalnum((unsigned char)s[i]) || s[i] == '.')) {
                bool exponent = (s[i] == 'e' || s[i] == 'E') && s.compare(from, 2, "0x") != 0 &&
                                tolower(s[from + 1]) != 'f' && tolower(s[from + 1]) != 'd';
                i++;
                if (exponent && i < n && (s[i] == '-' || s[i] == '+')) {
                    i++;
                }
            }
            out.push_back({Token::number, s.substr(from, i - from), line});
        } else if (startsWord(c)) {
            size_t from = i;
            while (i < n && (inWord(s[i]) || (s.compare(i, 2, "::") == 0))) {
                i += s[i] == ':' ? 2 : 1;
            }
            out.push_back({Token::word, s.substr(from, i - from), line});
        } else {
            out.push_back({Token::punct, std::string(1, c), line});
            i++;
        }
    }
    out.push_back({Token::end, "", line});
    return out;
}

}  // namespace softgpu
