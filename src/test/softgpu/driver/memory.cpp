#include "memory.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <malloc.h>
#include <sys/mman.h>

namespace softgpu {

namespace {

constexpr size_t PAGE = 4096;
constexpr size_t ALIGN = 256;            // what cuMemAlloc promises
constexpr size_t AT_ONCE = 1 << 20;
constexpr int ANEW = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
constexpr size_t ARENA = size_t(1) << 40;  // reserved address space, without memory behind it

size_t roundUp(size_t n, size_t to) {
    return (n + to - 1) / to * to;
}

// Which of the 4 bytes of granule g lie in [from, to).
uint8_t maskOf(size_t g, size_t from, size_t to) {
    uint8_t m = 0;
    for (size_t k = 0; k < 4; k++) {
        size_t at = 4 * g + k;
        m |= uint8_t((at >= from && at < to) << k);
    }
    return m;
}

}  // namespace

void markWritten(uint8_t* written, size_t offset, size_t bytes) {
    size_t end = offset + bytes, g = offset / 4, last = (end + 3) / 4;
    for (; g < last && 4 * g < offset; g++) {
        written[g] |= maskOf(g, offset, end);
    }
    size_t whole = std::max(g, end / 4);
    memset(written + g, 0xf, whole - g);
    for (g = whole; g < last; g++) {
        written[g] |= maskOf(g, offset, end);
    }
}

size_t firstUnwritten(const uint8_t* written, size_t offset, size_t bytes) {
    size_t end = offset + bytes;
    for (size_t at = offset; at < end;) {
        if (at % 4 == 0 && written[at / 4] == 0xf) {
            at += 4;
        } else if (written[at / 4] >> (at % 4) & 1) {
            at++;
        } else {
            return at;
        }
    }
    return end;
}

bool allWritten(const uint8_t* written, size_t offset, size_t bytes) {
    return firstUnwritten(written, offset, bytes) >= offset + bytes;
}

uint64_t* Allocation::stamped() {
    if (!stamps) {
        stamps = (uint64_t*)calloc(size / 4 + 1, sizeof(uint64_t));
    }
    return stamps;
}

Memory& Memory::instance() {
    static Memory* memory = new Memory;  // never destroyed: the JVM may call until the very end
    return *memory;
}

Memory::Memory() {
    // Each launch takes and gives back some megabytes, which the kernel would have to clear each time.
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    const char* mib = getenv("SOFTGPU_MEMORY_MIB");
    total_ = (mib ? strtoull(mib, nullptr, 10) : 8192) << 20;
}

uint64_t Memory::reserve(size_t bytes) {
    if (next_ + bytes > end_) {
        size_t arena = std::max(ARENA, roundUp(bytes, ARENA));
        void* p = mmap(nullptr, arena, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (p == MAP_FAILED) {
            return 0;
        }
        next_ = uint64_t(p);
        end_ = next_ + arena;
    }
    uint64_t at = next_;
    next_ += bytes;
    return at;
}

Allocation* Memory::allocate(size_t bytes, Allocation::Kind kind, const std::string& owner) {
    if (bytes > total_ - inUse_) {
        return nullptr;
    }
    // The end lies at a page without access, as near as the alignment lets it; the page before the start is one too.
    size_t used = roundUp(bytes, ALIGN), pages = roundUp(used, PAGE);
    uint64_t at = reserve(PAGE + pages + PAGE);
    int atOnce = pages <= AT_ONCE ? MAP_POPULATE : 0;  // else page by page as they are touched, which is dear and often in vain
    if (!at || mmap((void*)(at + PAGE), pages, PROT_READ | PROT_WRITE, ANEW | atOnce, -1, 0) == MAP_FAILED) {
        return nullptr;
    }
    auto* a = new Allocation;
    a->base = at + PAGE + pages - used;
    a->size = bytes;
    a->kind = kind;
    a->serial = ++serial_;
    a->owner = owner;
    a->pages = at + PAGE;
    a->pagesSize = pages;
    a->written = (uint8_t*)calloc(bytes / 4 + 8, 1);
    byBase_[a->base] = a;
    inUse_ += bytes;
    return a;
}

void Memory::release(Allocation* a) {
    a->freed = true;
    inUse_ -= a->size;
    // A new mapping in place of mprotect: the memory goes back, and the kernel joins it with its neighbours.
    mmap((void*)a->pages, a->pagesSize, PROT_NONE, ANEW, -1, 0);
    free(a->written);
    a->written = nullptr;
    free(a->stamps);
    a->stamps = nullptr;
}

Allocation* Memory::near(uint64_t address) {
    auto i = byBase_.upper_bound(address);
    if (i != byBase_.begin()) {
        Allocation* a = std::prev(i)->second;
        if (address < a->base + a->size + PAGE) {
            return a;
        }
    }
    if (i != byBase_.end() && i->first - address <= PAGE) {
        return i->second;
    }
    return nullptr;
}

Allocation* Memory::startingAt(uint64_t address) {
    auto i = byBase_.find(address);
    return i == byBase_.end() ? nullptr : i->second;
}

std::string Memory::describe(uint64_t address) {
    Allocation* a = near(address);
    if (!a) {
        return format("%#llx, which is no device memory", (unsigned long long)address);
    }
    return format(
        "offset %lld of %sallocation #%llu (%zu bytes, %s)",
        (long long)(address - a->base),
        a->freed ? "FREED " : "",
        (unsigned long long)a->serial,
        a->size,
        a->owner.c_str());
}

Allocation& Memory::check(uint64_t address, size_t bytes, Access access, const std::string& who) {
    Allocation* a = near(address);
    if (!a || !a->holds(address, bytes)) {
        throw Fault(
            ILLEGAL_ADDRESS,
            format("%s: %s of %zu bytes at ", who.c_str(), access == Access::read ? "read" : "write", bytes) +
                describe(address));
    }
    return *a;
}

void Memory::checkRead(uint64_t address, size_t bytes, const std::string& who) {
    if (bytes == 0) {
        return;
    }
    Allocation& a = check(address, bytes, Access::read, who);
    size_t from = address - a.base, bad = firstUnwritten(a.written, from, bytes);
    if (bad < from + bytes) {
        throw Fault(
            LAUNCH_FAILED,
            format("%s: read of memory that nothing wrote, at ", who.c_str()) + describe(a.base + bad));
    }
}

void Memory::checkWrite(uint64_t address, size_t bytes, const std::string& who) {
    if (bytes == 0) {
        return;
    }
    Allocation& a = check(address, bytes, Access::write, who);
    markWritten(a.written, address - a.base, bytes);
}

void Memory::copyWritten(uint64_t to, uint64_t from, size_t bytes) {
    Allocation *t = near(to), *f = near(from);
    size_t k = 0;
    if ((to - t->base) % 4 == 0 && (from - f->base) % 4 == 0) {
        memmove(t->written + (to - t->base) / 4, f->written + (from - f->base) / 4, bytes / 4);
        k = bytes / 4 * 4;
    }
    for (; k < bytes; k++) {
        size_t d = to - t->base + k, s = from - f->base + k;
        if (f->written[s / 4] >> (s % 4) & 1) {
            t->written[d / 4] |= uint8_t(1 << (d % 4));
        } else {
            t->written[d / 4] &= uint8_t(~(1 << (d % 4)));
        }
    }
}

size_t Memory::reportLeaks(const char* when) {
    size_t n = 0;
    for (auto& entry : byBase_) {
        Allocation* a = entry.second;
        if (a->kind == Allocation::user && !a->freed && ++n <= 10) {
            report(format(
                "leak: allocation #%llu (%zu bytes, %s) is not freed at %s",
                (unsigned long long)a->serial,
                a->size,
                a->owner.c_str(),
                when));
        }
    }
    if (n > 10) {
        report(format("leak: %zu more", n - 10));
    }
    return n;
}

void Memory::releaseAll(Allocation::Kind kind) {
    for (auto& entry : byBase_) {
        if (entry.second->kind == kind && !entry.second->freed) {
            release(entry.second);
        }
    }
}

}  // namespace softgpu
