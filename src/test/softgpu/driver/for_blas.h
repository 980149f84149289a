// The seam between libcublas and libcuda: work goes into a stream like a kernel, operands pass the same checks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

extern "C" {
bool softgpuHasContext();
int softgpuWantedStatus(const char* call);
bool softgpuIsStream(void* stream);
int softgpuSubmit(void* stream, const char* name, const std::function<void()>& work);
// These throw the driver's Fault; call them from submitted work.
void softgpuRead(uint64_t address, size_t bytes, const std::string& who);
void softgpuWrite(uint64_t address, size_t bytes, const std::string& who);
void softgpuRange(uint64_t address, size_t bytes, const std::string& who);
void softgpuFail(const std::string& what);
void softgpuReport(const std::string& what);
void softgpuCountGemm();
void softgpuCountHandle(int change);  // cuBLAS handles: 1 made, -1 destroyed
}
