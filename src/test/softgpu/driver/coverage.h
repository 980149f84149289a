// Which lines of which PTX text ran. One file a process, in the folder that SOFTGPU_COVERAGE names; `make coverage`
// merges them.
#pragma once

#include "exec/program.h"

#include <memory>
#include <string>

namespace softgpu {

// Tells texts apart: a hash of the bytes.
std::string coverageKey(const std::string& text);
void coverProgram(std::shared_ptr<Program> program);

}  // namespace softgpu
