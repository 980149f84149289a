// Device memory: host pages in an address range of our own, with a record of each allocation and of which bytes were
// ever written. Addresses are never handed out twice, so a stale pointer cannot hit somebody else's memory.
#pragma once

#include "errors.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace softgpu {

enum class Access { read, write };

struct Allocation {
    enum Kind { user, module, driver };  // driver: our own, such as the workspace of the grid barrier

    uint64_t base = 0;
    size_t size = 0;
    Kind kind = user;
    bool freed = false;
    uint64_t serial = 0;
    std::string owner;  // who asked for it: the API, and the Java stack where it is known
    // For each 4 bytes one mask of those that were written.
    uint8_t* written = nullptr;
    // For each 4 bytes the last write by a kernel, see exec/races.h; null where there was none.
    uint64_t* stamps = nullptr;
    uint64_t pages = 0;  // of the mapping, guard page excluded
    size_t pagesSize = 0;

    // The same, made where there are none.
    uint64_t* stamped();
    // For each 4 bytes its number in the WeakMemory of the launch that runs, 0 for none; null where all are none.
    uint32_t* weak = nullptr;

    bool holds(uint64_t address, size_t bytes) const {
        return !freed && address - base < size && bytes <= size - (address - base);
    }
};

class Memory {
  public:
    static Memory& instance();

    // Null when the pretended device is full.
    Allocation* allocate(size_t bytes, Allocation::Kind kind, const std::string& owner);
    // Gives the pages back and keeps the record, so that later uses are recognised.
    void release(Allocation* a);

    // The live or freed allocation that holds the address or ends within a page before it; null if there is none.
    Allocation* near(uint64_t address);
    // The live allocation that starts at the address; null if there is none.
    Allocation* startingAt(uint64_t address);

    // Throws the Fault of an access that is not wholly inside one live allocation; else gives that allocation.
    Allocation& check(uint64_t address, size_t bytes, Access access, const std::string& who);
    // check, and every byte must have been written before.
    void checkRead(uint64_t address, size_t bytes, const std::string& who);
    // check, and the bytes count as written from now on.
    void checkWrite(uint64_t address, size_t bytes, const std::string& who);
    // Copies which bytes were written, not the bytes.
    void copyWritten(uint64_t to, uint64_t from, size_t bytes);

    // "offset 12 of allocation #3 (400 bytes, cuMemAlloc by ...)", or what else lies there.
    std::string describe(uint64_t address);

    size_t total() const { return total_; }
    size_t inUse() const { return inUse_; }
    // Reports each live user allocation as a leak; gives their number.
    size_t reportLeaks(const char* when);
    // Forgets all user allocations, as the end of a context does.
    void releaseAll(Allocation::Kind kind);

  private:
    Memory();
    uint64_t reserve(size_t bytes);

    std::map<uint64_t, Allocation*> byBase_;
    uint64_t next_ = 0, end_ = 0;
    uint64_t serial_ = 0;
    size_t total_ = 0, inUse_ = 0;
};

// Marks bytes [offset, offset + bytes) in a written-map, and asks whether all of them are marked.
void markWritten(uint8_t* written, size_t offset, size_t bytes);
bool allWritten(const uint8_t* written, size_t offset, size_t bytes);
// The first byte of the range that was not written; offset + bytes if all were.
size_t firstUnwritten(const uint8_t* written, size_t offset, size_t bytes);

}  // namespace softgpu
