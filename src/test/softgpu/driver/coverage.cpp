#include "coverage.h"

#include "runtime.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <unistd.h>

namespace softgpu {

namespace {

std::vector<std::shared_ptr<Program>>& programs() {
    static auto* all = new std::vector<std::shared_ptr<Program>>;
    return *all;
}

// Of each module and kernel, how often its lines ran.
using Hits = std::map<std::pair<std::string, std::string>, std::map<int, uint64_t>>;

Hits hits() {
    Hits hits;
    for (auto& p : programs()) {
        auto& lines = hits[{p->module, p->name}];
        for (size_t k = 0; k < p->ops.size(); k++) {
            if (p->info[k].line) {
                lines[p->info[k].line] += p->hits[k];
            }
        }
    }
    return hits;
}

}  // namespace

// Of the first line alone, which is the stamp: a kernel may be loaded without the others of its file.
std::string coverageKey(const std::string& text) {
    uint64_t h = 14695981039346656037ull;  // FNV-1a
    for (unsigned char c : text.substr(0, text.find('\n'))) {
        h = (h ^ c) * 1099511628211ull;
    }
    return format("%016llx", (unsigned long long)h);
}

void coverProgram(std::shared_ptr<Program> program) {
    programs().push_back(std::move(program));
}

namespace {

// Rewritten as a whole each time. Lines: "stat NAME N", and "line KEY KERNEL LINE HITS".
void writeCoverage() {
    const char* folder = getenv("SOFTGPU_COVERAGE");
    if (!folder) {
        return;
    }
    std::string path = std::string(folder) + format("/softgpu-%d.txt", int(getpid()));
    FILE* f = fopen(path.c_str(), "w");
    if (!f) {
        fprintf(stderr, "softgpu: cannot write %s\n", path.c_str());
        return;
    }
    const Statistics& s = statistics();
    fprintf(f, "stat launches %llu\n", (unsigned long long)s.launches);
    fprintf(f, "stat instructions %llu\n", (unsigned long long)s.instructions);
    fprintf(f, "stat gemms %llu\n", (unsigned long long)s.gemms);
    fprintf(f, "stat copies %llu\n", (unsigned long long)s.copies);
    fprintf(f, "stat findings %llu\n", findings());
    for (auto& h : hits()) {
        for (auto& l : h.second) {
            fprintf(
                f,
                "line %s %s %d %llu\n",
                h.first.first.c_str(),
                h.first.second.c_str(),
                l.first,
                (unsigned long long)l.second);
        }
    }
    fclose(f);
}

// At the end of the process, whether or not the context was released.
struct AtExit {
    ~AtExit() { writeCoverage(); }
} atExit;

}  // namespace

void writeCoverageNowAndThen() {
    using Clock = std::chrono::steady_clock;
    static Clock::time_point next;
    if (Clock::now() >= next) {
        writeCoverage();
        next = Clock::now() + std::chrono::seconds(10);
    }
}

}  // namespace softgpu
