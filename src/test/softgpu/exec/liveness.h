// Which registers of a function may share a place: PTX names each value anew, and few of them live at once.
#pragma once

#include "ptx/ast.h"

#include <map>
#include <string>

namespace softgpu {

// Of each register that the body names, its place among those of the same size: 1 (a predicate), 16, 32 or 64 bits. Two of
// one place are never live at once, nor is one written where the other is read. A register that nothing wrote may hold what
// another one left.
std::map<std::string, size_t> sharedPlaces(const Function& f);

}  // namespace softgpu
