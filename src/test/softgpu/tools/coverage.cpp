// softgpu-coverage FOLDER PTX...: merges what the processes of a test run wrote, and says which lines of each PTX file
// did not run, and which kernels never did. The last lines are the totals.
#include <algorithm>
#include <cstdio>
#include <dirent.h>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace {

std::string read(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

struct Lines {
    std::map<int, std::pair<std::string, unsigned long long>> hits;  // line to kernel and count
};

std::string stripped(const std::string& line) {
    size_t from = line.find_first_not_of(" \t");
    return from == std::string::npos ? "" : line.substr(from);
}

// The kernels of a PTX text, each with the lines of its instructions.
std::map<std::string, std::vector<int>> kernelsOf(const std::vector<std::string>& lines) {
    static const std::string entry = ".visible .entry ";
    std::map<std::string, std::vector<int>> kernels;
    std::string name;
    for (size_t k = 0; k < lines.size(); k++) {
        if (lines[k].rfind(entry, 0) == 0) {
            name = lines[k].substr(entry.size(), lines[k].find('(') - entry.size());
            kernels[name];
        }
        std::string s = stripped(lines[k]);
        if (!name.empty() && !s.empty() && s.back() == ';' && s[0] != '.') {
            kernels[name].push_back(int(k) + 1);
        }
    }
    return kernels;
}

}  // namespace

// As the driver computes it.
static std::string key(const std::string& text) {
    unsigned long long h = 14695981039346656037ull;
    for (unsigned char c : text.substr(0, text.find('\n'))) {
        h = (h ^ c) * 1099511628211ull;
    }
    char b[20];
    snprintf(b, sizeof b, "%016llx", h);
    return b;
}

int main(int argc, char** argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: softgpu-coverage FOLDER PTX...\n");
        return 2;
    }
    std::map<std::string, unsigned long long> stats;
    std::map<std::string, Lines> modules;
    int processes = 0;
    if (DIR* d = opendir(argv[1])) {
        while (dirent* e = readdir(d)) {
            std::string name = e->d_name;
            if (name.rfind("softgpu-", 0) != 0) {
                continue;
            }
            processes++;
            std::ifstream in(std::string(argv[1]) + "/" + name);
            for (std::string what; in >> what;) {
                if (what == "stat") {
                    std::string stat;
                    unsigned long long n;
                    in >> stat >> n;
                    stats[stat] += n;
                } else {
                    std::string module, kernel;
                    int line;
                    unsigned long long n;
                    in >> module >> kernel >> line >> n;
                    auto& l = modules[module].hits[line];
                    l.first = kernel;
                    l.second += n;
                }
            }
        }
        closedir(d);
    }
    size_t all = 0, ran = 0, idle = 0;
    for (int k = 2; k < argc; k++) {
        std::string text = read(argv[k]);
        std::vector<std::string> lines;
        std::istringstream in(text);
        for (std::string l; std::getline(in, l);) {
            lines.push_back(l);
        }
        auto& hits = modules[key(text)].hits;
        std::map<std::string, unsigned long long> runs;
        for (auto& l : hits) {
            runs[l.second.first] += l.second.second;
        }
        for (auto& kernel : kernelsOf(lines)) {
            if (runs.find(kernel.first) == runs.end()) {  // never loaded
                for (int line : kernel.second) {
                    hits[line].first = kernel.first;
                }
            }
            if (runs[kernel.first] == 0) {
                idle++;
                printf("%s: %s never ran\n", argv[k], kernel.first.c_str());
            }
        }
        size_t here = 0, hit = 0;
        for (auto& l : hits) {
            here++;
            hit += l.second.second > 0;
        }
        printf("%s: %zu of %zu instructions ran (%.1f %%)\n", argv[k], hit, here, 100.0 * double(hit) / double(std::max<size_t>(1, here)));
        for (auto& l : hits) {
            if (l.second.second == 0) {
                std::string source = size_t(l.first) <= lines.size() ? stripped(lines[size_t(l.first) - 1]) : "";
                std::replace(source.begin(), source.end(), '\t', ' ');
                printf("    not run: %s line %d: %s\n", l.second.first.c_str(), l.first, source.c_str());
            }
        }
        all += here;
        ran += hit;
    }
    printf("%zu of the shipped kernels never ran\n", idle);
    printf(
        "PTX coverage: %zu of %zu instructions of the shipped kernels ran (%.1f %%)\n",
        ran,
        all,
        100.0 * double(ran) / double(std::max<size_t>(1, all)));
    printf(
        "software driver: %llu kernel launches, %llu matrix products, %llu copies, %llu thread instructions, %d "
        "processes, %llu findings\n",
        stats["launches"],
        stats["gemms"],
        stats["copies"],
        stats["instructions"],
        processes,
        stats["findings"]);
    return 0;
}
