// The tests call the driver as an application does, by its C functions.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

extern "C" {
int cuInit(unsigned);
int cuDevicePrimaryCtxRetain(void**, int);
int cuDevicePrimaryCtxRelease_v2(int);
int cuDevicePrimaryCtxReset_v2(int);
int cuCtxSetCurrent(void*);
int cuCtxGetCurrent(void**);
int cuCtxSynchronize();
int cuMemAlloc_v2(uint64_t*, size_t);
int cuMemFree_v2(uint64_t);
int cuMemHostAlloc(void**, size_t, unsigned);
int cuMemFreeHost(void*);
int cuMemcpyHtoD_v2(uint64_t, const void*, size_t);
int cuMemcpyDtoH_v2(void*, uint64_t, size_t);
int cuMemcpyDtoD_v2(uint64_t, uint64_t, size_t);
int cuMemcpyDtoHAsync_v2(void*, uint64_t, size_t, void*);
int cuMemcpyHtoDAsync_v2(uint64_t, const void*, size_t, void*);
int cuMemcpyDtoDAsync_v2(uint64_t, uint64_t, size_t, void*);
int cuMemsetD32_v2(uint64_t, unsigned, size_t);
int cuModuleLoadDataEx(void**, const void*, unsigned, int*, void**);
int cuModuleUnload(void*);
int cuModuleGetFunction(void**, void*, const char*);
int cuFuncSetAttribute(void*, int, int);
int cuLaunchKernel(
    void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*, void**, void**);
int cuLaunchCooperativeKernel(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*, void**);
int cuStreamCreate(void**, unsigned);
int cuStreamDestroy_v2(void*);
int cuStreamSynchronize(void*);
int cuStreamWaitEvent(void*, void*, unsigned);
int cuStreamBeginCapture_v2(void*, int);
int cuStreamEndCapture(void*, void**);
int cuEventCreate(void**, unsigned);
int cuEventDestroy_v2(void*);
int cuEventRecord(void*, void*);
int cuEventSynchronize(void*);
int cuGraphInstantiateWithFlags(void**, void*, unsigned long long);
int cuGraphLaunch(void*, void*);
int cuGraphDestroy(void*);
int cuGraphExecDestroy(void*);
const char* softgpuLastFinding();
int cublasCreate_v2(void**);
int cublasDestroy_v2(void*);
int cublasSetStream_v2(void*, void*);
int cublasSetWorkspace_v2(void*, void*, size_t);
int cublasSgemm_v2(
    void*, int, int, int, int, int, const float*, const float*, int, const float*, int, const float*, float*, int);
}

namespace test {

extern int failures, checks;

// Counts, and says on stderr what went wrong.
bool expect(bool ok, const std::string& what);

// A module of one kernel: its parameters and its body. `head` comes before the kernel: variables, functions.
std::string kernel(const std::string& params, const std::string& body, const std::string& head = "", const char* target = "sm_75");
void* load(const std::string& ptx, std::string* log = nullptr, int* code = nullptr);
void* function(void* module, const char* name = "k");

template <class T>
uint64_t upload(const std::vector<T>& v) {
    uint64_t p = 0;
    cuMemAlloc_v2(&p, v.size() * sizeof(T));
    cuMemcpyHtoD_v2(p, v.data(), v.size() * sizeof(T));
    return p;
}

void instructions();
void control();
void tensor();
void plantedBugs();

}  // namespace test
