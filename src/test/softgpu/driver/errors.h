// How a check that failed travels: a Fault up to the stream that runs the work, which reports it and poisons the context.
#pragma once

#include "status.h"

#include <cstdarg>
#include <stdexcept>
#include <string>

namespace softgpu {

struct Fault : std::runtime_error {
    Fault(Status code, const std::string& what) : std::runtime_error(what), code(code) {}
    Status code;
};

// printf into a std::string.
std::string format(const char* pattern, ...) __attribute__((format(printf, 1, 2)));

// One finding: to stderr and, where SOFTGPU_LOG names a file, appended to that. Counted.
void report(const std::string& message);
// How many findings this process has reported.
unsigned long long findings();

// A line that is no finding (what was loaded, launched); printed under SOFTGPU_VERBOSE=1 only.
void note(const std::string& message);

}  // namespace softgpu
