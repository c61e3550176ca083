#include "core/memory.h"

#include <algorithm>
#include <cstdint>

#include "core/error.h"

namespace mpt {

// Classes of sizes: 64-byte steps for small blocks, an eighth of the power of two above, so that little is wasted
// and last batches of another size still find a block.
std::size_t Memory::rounded(std::size_t nbytes) {
    std::size_t step = 64;
    while (step * 16 < nbytes) step *= 2;
    return (nbytes + step - 1) / step * step;
}

void Memory::count(std::size_t nbytes) {
    in_use_ += nbytes;
    peak_ = std::max(peak_, in_use_);
}

void *Memory::from_allocator(std::size_t nbytes, const char *purpose) {
    void *ptr = alloc(nbytes, stream, user_data);
    if (!ptr) {
        trim();
        ptr = alloc(nbytes, stream, user_data);
    }
    if (!ptr)
        fail(MPT_ERROR_MEMORY, "no memory for ", nbytes, " bytes (", purpose, "); ", in_use_, " bytes are in use: use a smaller batch, or release tensors");
    if (reinterpret_cast<std::uintptr_t>(ptr) % 64 != 0) {
        free(ptr, nbytes, stream, user_data);
        fail(MPT_ERROR_ARGUMENT, "the host's alloc gave memory that is not aligned to 64 bytes: align it");
    }
    reserved_ += nbytes;
    return ptr;
}

void *Memory::take(std::size_t nbytes, const char *purpose) {
    if (nbytes == 0) return nullptr;
    const std::size_t size = rounded(nbytes);
    void *ptr = nullptr;
    auto found = idle_.find(size);
    if (found != idle_.end() && !found->second.empty()) {
        ptr = found->second.back();
        found->second.pop_back();
    } else {
        ptr = from_allocator(size, purpose);
    }
    count(size);
    return ptr;
}

void Memory::give(void *ptr, std::size_t nbytes) {
    if (!ptr) return;
    const std::size_t size = rounded(nbytes);
    in_use_ -= size;
    try {
        idle_[size].push_back(ptr);
    } catch (...) {  // no memory even for the note: give the block back at once
        free(ptr, size, stream, user_data);
        reserved_ -= size;
    }
}

void *Memory::take_exact(std::size_t nbytes, const char *purpose) {
    if (nbytes == 0) return nullptr;
    void *ptr = from_allocator(nbytes, purpose);
    count(nbytes);
    return ptr;
}

void Memory::give_exact(void *ptr, std::size_t nbytes) {
    if (!ptr) return;
    free(ptr, nbytes, stream, user_data);
    in_use_ -= nbytes;
    reserved_ -= nbytes;
}

void Memory::trim() {
    for (auto &[size, blocks] : idle_) {
        for (void *ptr : blocks) free(ptr, size, stream, user_data);
        reserved_ -= size * blocks.size();
        blocks.clear();
    }
    idle_.clear();
}

}  // namespace mpt
