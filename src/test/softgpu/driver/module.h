// What a CUmodule and a CUfunction stand for.
#pragma once

#include "exec/decoder.h"
#include "runtime.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>

namespace softgpu {

struct LoadedFunction;

struct LoadedModule {
    std::string key;  // of the text, for the coverage
    std::map<std::string, Symbol> symbols;
    std::map<std::string, std::shared_ptr<Program>> programs;
    std::vector<LoadedFunction*> functions;
};

struct LoadedFunction {
    std::shared_ptr<Program> program;
    LoadedModule* module = nullptr;
    int maxDynamicShared = 0;
    std::array<int, 3> cluster{0, 0, 0};
    int largeClusters = 0;
    // No assembler says how many registers a thread takes; PTX names each value anew, a third of that is near. As an assembler
    // it sees to it that a block of .maxntid threads fits.
    int registers() const {
        int fit = program->maxThreads ? 65536 / program->maxThreads / 8 * 8 : 255;
        return std::min({255, fit, 16 + program->registers / 3});
    }
};

// Null, after a report, for what is no function.
LoadedFunction* functionOf(const void* handle, const char* call);

}  // namespace softgpu
