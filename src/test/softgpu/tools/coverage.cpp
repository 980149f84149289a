// softgpu-coverage FOLDER PTX...: merges what the processes of a test run wrote, and says which lines of each PTX file
// did not run, and which kernels never did. The last lines are the totals.
#include <algorithm>
#include <cstdio>
#include <dirent.h>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace {

using Count = unsigned long long;

// Line to kernel and how often it ran.
using Hits = std::map<int, std::pair<std::string, Count>>;

// What the processes of a test run wrote.
struct Run {
    int processes = 0;
    std::map<std::string, Count> stats;
    std::map<std::string, Hits> modules;
};

// Instructions of PTX files and those that ran, and kernels that never did.
struct Totals {
    size_t all = 0, ran = 0, idle = 0;
};

double percent(size_t part, size_t all) {
    return 100.0 * double(part) / double(std::max<size_t>(1, all));
}

void merge(Run& run, std::istream& in) {
    run.processes++;
    for (std::string what; in >> what;) {
        std::string name, kernel;
        int line;
        Count n;
        in >> name;
        if (what == "stat") {
            in >> n;
            run.stats[name] += n;
        } else {
            in >> kernel >> line >> n;
            auto& l = run.modules[name][line];
            l.first = kernel;
            l.second += n;
        }
    }
}

Run merged(const std::string& folder) {
    Run run;
    if (DIR* d = opendir(folder.c_str())) {
        while (dirent* e = readdir(d)) {
            std::string name = e->d_name;
            if (name.rfind("softgpu-", 0) == 0) {
                std::ifstream in(folder + "/" + name);
                merge(run, in);
            }
        }
        closedir(d);
    }
    return run;
}

std::vector<std::string> linesOf(const char* file) {
    std::vector<std::string> lines;
    std::ifstream in(file);
    for (std::string l; std::getline(in, l);) {
        lines.push_back(l);
    }
    return lines;
}

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

// Of a text's first line, as the driver computes it.
std::string key(const std::string& line) {
    Count h = 14695981039346656037ull;
    for (unsigned char c : line) {
        h = (h ^ c) * 1099511628211ull;
    }
    char b[20];
    snprintf(b, sizeof b, "%016llx", h);
    return b;
}

// Says which kernels never ran, and has the lines of those that no process loaded among the hits.
size_t idleKernels(const char* file, const std::vector<std::string>& lines, Hits& hits) {
    std::map<std::string, Count> runs;
    for (auto& l : hits) {
        runs[l.second.first] += l.second.second;
    }
    size_t idle = 0;
    for (auto& kernel : kernelsOf(lines)) {
        if (runs.find(kernel.first) == runs.end()) {
            for (int line : kernel.second) {
                hits[line].first = kernel.first;
            }
        }
        if (runs[kernel.first] == 0) {
            idle++;
            printf("%s: %s never ran\n", file, kernel.first.c_str());
        }
    }
    return idle;
}

void report(const char* file, Run& run, Totals& totals) {
    std::vector<std::string> lines = linesOf(file);
    Hits& hits = run.modules[key(lines.empty() ? "" : lines[0])];
    totals.idle += idleKernels(file, lines, hits);
    size_t ran = 0;
    for (auto& l : hits) {
        ran += l.second.second > 0;
    }
    printf("%s: %zu of %zu instructions ran (%.1f %%)\n", file, ran, hits.size(), percent(ran, hits.size()));
    for (auto& l : hits) {
        if (l.second.second == 0) {
            std::string source = size_t(l.first) <= lines.size() ? stripped(lines[size_t(l.first) - 1]) : "";
            std::replace(source.begin(), source.end(), '\t', ' ');
            printf("    not run: %s line %d: %s\n", l.second.first.c_str(), l.first, source.c_str());
        }
    }
    totals.all += hits.size();
    totals.ran += ran;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: softgpu-coverage FOLDER PTX...\n");
        return 2;
    }
    Run run = merged(argv[1]);
    Totals totals;
    for (int k = 2; k < argc; k++) {
        report(argv[k], run, totals);
    }
    printf("%zu of the shipped kernels never ran\n", totals.idle);
    printf(
        "PTX coverage: %zu of %zu instructions of the shipped kernels ran (%.1f %%)\n",
        totals.ran,
        totals.all,
        percent(totals.ran, totals.all));
    auto& stats = run.stats;
    printf(
        "software driver: %llu kernel launches, %llu matrix products, %llu copies, %llu thread instructions, %d "
        "processes, %llu findings\n",
        stats["launches"],
        stats["gemms"],
        stats["copies"],
        stats["instructions"],
        run.processes,
        stats["findings"]);
    return 0;
}
