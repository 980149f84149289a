// Modules: loading PTX, with the log that a JIT compiler writes.
#include "module.h"

#include "coverage.h"
#include "ptx/lexer.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace softgpu {

namespace {

Handles<LoadedModule> modules;
Handles<LoadedFunction> functions;

// The options of cuModuleLoadDataEx that carry text back.
struct JitLog {
    char *info = nullptr, *error = nullptr;
    size_t infoSize = 0, errorSize = 0;
    void **infoSizeOut = nullptr, **errorSizeOut = nullptr;

    JitLog(unsigned count, const int* options, void** values) {
        for (unsigned k = 0; options && values && k < count; k++) {
            switch (options[k]) {
                case 3:  // CU_JIT_INFO_LOG_BUFFER
                    info = (char*)values[k];
                    break;
                case 4:
                    infoSize = (unsigned)(uintptr_t)values[k];
                    infoSizeOut = &values[k];
                    break;
                case 5:  // CU_JIT_ERROR_LOG_BUFFER
                    error = (char*)values[k];
                    break;
                case 6:
                    errorSize = (unsigned)(uintptr_t)values[k];
                    errorSizeOut = &values[k];
                    break;
                default:
                    break;  // registers, optimisation level, ...: no meaning here
            }
        }
    }
    static void write(char* to, size_t size, void** sizeOut, const std::string& text) {
        size_t n = to && size ? std::min(size - 1, text.size()) : 0;
        if (to && size) {
            memcpy(to, text.data(), n);
            to[n] = 0;
        }
        if (sizeOut) {
            *sizeOut = (void*)(uintptr_t)n;
        }
    }
    void finish(const std::string& infoText, const std::string& errorText) {
        write(info, infoSize, infoSizeOut, infoText);
        write(error, errorSize, errorSizeOut, errorText);
    }
};

// The newest that a driver of CUDA 12.x knows is 8.x by its minor version, see the release notes of PTX.
int newestPtx() {
    int driver = driverVersion();
    if (driver >= 13000) {
        return 900 + (driver - 13000) / 10;
    }
    static const int BY_MINOR[] = {800, 801, 802, 803, 804, 805, 805, 805, 807, 808};
    return driver < 12000 ? 708 : BY_MINOR[std::min(9, (driver - 12000) / 10)];
}

void fillVariable(const Variable& v, uint64_t address) {
    size_t width = bitsOf(v.type) / 8, at = 0, room = width * v.vector * v.count;
    auto put = [&](auto& self, const Operand& o) -> void {
        if (o.kind == Operand::vector) {
            for (auto& p : o.parts) {
                self(self, p);
            }
            return;
        }
        uint64_t bits = o.bits;
        if (o.kind == Operand::decimal && v.type == "f32") {
            float f = float(o.value);
            uint32_t b;
            memcpy(&b, &f, 4);
            bits = b;
        } else if (o.kind == Operand::decimal && v.type == "f64") {
            memcpy(&bits, &o.value, 8);
        } else if (o.kind == Operand::name || o.kind == Operand::decimal) {
            throw PtxError(v.line, "an initial value of this kind: " + v.name);
        }
        if (at + width > room) {
            throw PtxError(v.line, "too many initial values: " + v.name);
        }
        memcpy((char*)address + at, &bits, width);
        at += width;
    };
    for (auto& o : v.init) {
        put(put, o);
    }
}

// What a text became before: each context of a process loads the same kernels. Of modules without variables alone, whose
// addresses are in the code.
std::map<std::string, LoadedModule>& known() {
    static auto* modules = new std::map<std::string, LoadedModule>;
    return *modules;
}

void load(LoadedModule& m, const std::string& text) {
    auto before = known().find(text);
    if (before != known().end()) {
        m = before->second;
        return;
    }
    auto ast = parsePtx(text);
    if (ptxVersion(ast->version) > newestPtx()) {
        throw Fault(
            UNSUPPORTED_PTX_VERSION,
            "Unsupported .version " + ast->version + format("; current version is '%d.%d'", newestPtx() / 100, newestPtx() % 100));
    }
    int target = ast->target.compare(0, 3, "sm_") == 0 ? atoi(ast->target.c_str() + 3) : 0;
    bool exact = !ast->target.empty() && (ast->target.back() == 'a' || ast->target.back() == 'f');
    if (target == 0 || target > device()->capability() || (exact && target != device()->capability())) {
        throw PtxError(ast->targetLine, "SM version specified by .target " + ast->target + format(" does not suit an sm_%d", device()->capability()));
    }
    for (auto& v : ast->variables) {
        if (v.space == "global" || v.space == "const") {
            size_t bytes = bitsOf(v.type) / 8 * v.vector * v.count;
            Allocation* a = Memory::instance().allocate(std::max<size_t>(bytes, 1), Allocation::module, "module variable " + v.name);
            if (!a) {
                throw Fault(OUT_OF_MEMORY, "no memory for " + v.name);
            }
            markWritten(a->written, 0, bytes);  // zero unless said otherwise
            fillVariable(v, a->base);
            m.symbols[v.name] = {v.space, a->base};
        } else if (v.space != "shared") {
            throw PtxError(v.line, "a variable of ." + v.space + " outside a function");
        }
    }
    m.key = coverageKey(text);
    for (auto& f : ast->functions) {
        if (f->isEntry && !f->isDeclaration) {
            auto program = Decoder(*ast, m.symbols).decode(*f);
            program->module = m.key;
            m.programs[f->name] = program;
        }
    }
    for (auto& p : m.programs) {
        coverProgram(p.second);
    }
    if (m.symbols.empty()) {
        known()[text] = m;
    }
}

int failed(JitLog& log, int code, const std::string& what) {
    log.finish("", code == INVALID_PTX ? "ptxas application ptx input, " + what + "\n" : what + "\n");
    report("cuModuleLoadData: " + what + "\n    gives " + statusName(code));
    return code;
}

}  // namespace

size_t loadedModules() {
    return modules.live().size();
}

void forgetModules() {
    for (auto* m : std::set<LoadedModule*>(modules.live())) {
        for (auto* f : m->functions) {
            functions.destroy(f);
        }
        modules.destroy(m);
    }
}

LoadedFunction* functionOf(const void* handle, const char* call) {
    return functions.get(handle, call);
}

}  // namespace softgpu

using namespace softgpu;

SOFTGPU_API int cuModuleLoadDataEx(void** module, const void* image, unsigned count, int* options, void** values) {
    ENTER();
    if (!module || !image) {
        return INVALID_VALUE;
    }
    if (int broken = r.breaksCapture("cuModuleLoadData")) {
        return broken;
    }
    JitLog log(count, options, values);
    std::string text = (const char*)image;
    if (text.find(".version") == std::string::npos) {
        return failed(log, INVALID_IMAGE, "the image is no PTX");
    }
    auto* m = modules.create();
    try {
        load(*m, text);
    } catch (PtxError& e) {
        modules.destroy(m);
        return failed(log, INVALID_PTX, e.what());
    } catch (Fault& e) {
        modules.destroy(m);
        return failed(log, e.code, e.what());
    }
    log.finish(format("softgpu: %zu kernels\n", m->programs.size()), "");
    *module = m;
    return SUCCESS;
}

SOFTGPU_API int cuModuleLoadData(void** module, const void* image) {
    return cuModuleLoadDataEx(module, image, 0, nullptr, nullptr);
}

SOFTGPU_API int cuModuleUnload(void* module) {
    ENTER();
    auto* m = modules.get(module, "cuModuleUnload");
    if (!m) {
        return INVALID_HANDLE;
    }
    // No manual says that it waits for kernels: who takes their module has waited.
    size_t n = r.waiting(m);
    if (n > 0) {
        report(format("unfinished: %zu kernels wait in their streams when cuModuleUnload takes their module", n));
    }
    if (n > 0 || !m->symbols.empty()) {
        r.flushAll();
    }
    for (auto& s : m->symbols) {
        Allocation* a = Memory::instance().startingAt(s.second.address);
        if (a && !a->freed) {
            Memory::instance().release(a);
        }
    }
    for (auto* f : m->functions) {
        functions.destroy(f);
    }
    modules.destroy(m);
    return SUCCESS;
}

SOFTGPU_API int cuModuleGetFunction(void** function, void* module, const char* name) {
    ENTER();
    auto* m = modules.get(module, "cuModuleGetFunction");
    if (!m) {
        return INVALID_HANDLE;
    }
    auto i = m->programs.find(name);
    if (i == m->programs.end()) {
        return NOT_FOUND;
    }
    auto* f = functions.create();
    f->program = i->second;
    f->module = m;
    f->maxDynamicShared = std::max(0, 49152 - int(f->program->sharedBytes));
    m->functions.push_back(f);
    *function = f;
    return SUCCESS;
}
