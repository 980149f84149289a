#include "harness.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace test {

int failures = 0, checks = 0;

bool expect(bool ok, const std::string& what) {
    checks++;
    if (!ok && ++failures <= 40) {
        fprintf(stderr, "FAILED: %s\n", what.c_str());
    }
    return ok;
}

std::string kernel(const std::string& params, const std::string& body, const std::string& head, const char* target) {
    return std::string(strcmp(target, "sm_90") ? ".version 7.8" : ".version 8.1") + "\n.target " + target + "\n.address_size 64\n" + head + "\n.visible .entry k(" +
           params + ")\n{\n" + body + "\nret;\n}\n";
}

void* load(const std::string& ptx, std::string* log, int* code) {
    char buffer[4096] = {};
    int options[] = {5, 6};
    void* values[] = {buffer, (void*)sizeof buffer};
    void* module = nullptr;
    int e = cuModuleLoadDataEx(&module, ptx.c_str(), 2, options, values);
    if (log) {
        *log = buffer;
    }
    if (code) {
        *code = e;
    } else if (e) {
        fprintf(stderr, "FAILED: PTX refused: %s\n%s\n", buffer, ptx.c_str());
        failures++;
    }
    return e ? nullptr : module;
}

void* function(void* module, const char* name) {
    void* f = nullptr;
    cuModuleGetFunction(&f, module, name);
    return f;
}

}  // namespace test

int main(int argc, char** argv) {
    cuInit(0);
    void* context;
    cuDevicePrimaryCtxRetain(&context, 0);
    cuCtxSetCurrent(context);
    std::string only = argc > 1 ? argv[1] : "";
    struct {
        const char* name;
        void (*run)();
    } parts[] = {{"instructions", test::instructions}, {"control", test::control}, {"tensor", test::tensor}, {"bugs", test::plantedBugs}};
    for (auto& p : parts) {
        if (only.empty() || only == p.name) {
            int before = test::checks, failed = test::failures;
            p.run();
            printf("%-14s %6d checks, %d failed\n", p.name, test::checks - before, test::failures - failed);
        }
    }
    return test::failures != 0;
}
