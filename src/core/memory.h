// Device memory of a context: a cache of free blocks above the host's or the device's allocator, with exact
// counts. An eager step asks for the same sizes again and again; without the cache the operating system would map
// and clear pages for each.
#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "mpt.h"

namespace mpt {

class Memory {
public:
    // Where blocks come from. Both are set once, before the first allocation.
    mpt_alloc_fn alloc = nullptr;
    mpt_free_fn free = nullptr;
    void *user_data = nullptr;
    void *stream = nullptr;  // the context's, on which what lies in the memory is used

    ~Memory() { trim(); }

    // 64-byte aligned; MPT_ERROR_MEMORY when there is none. 0 bytes give NULL.
    void *take(std::size_t nbytes, const char *purpose);
    void give(void *ptr, std::size_t nbytes);
    // Exactly nbytes from the allocator, past the cache: for a program's arena, which is planned to the byte.
    void *take_exact(std::size_t nbytes, const char *purpose);
    void give_exact(void *ptr, std::size_t nbytes);
    void trim();

    std::size_t in_use() const { return in_use_; }
    std::size_t peak() const { return peak_; }
    std::size_t reserved() const { return reserved_; }

private:
    static std::size_t rounded(std::size_t nbytes);
    void *from_allocator(std::size_t nbytes, const char *purpose);
    void count(std::size_t nbytes);

    std::map<std::size_t, std::vector<void *>> idle_;
    std::size_t in_use_ = 0, peak_ = 0, reserved_ = 0;
};

}  // namespace mpt
