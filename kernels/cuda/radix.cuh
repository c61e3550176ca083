// A stable sort of numbered keys, with CUB. Compiled in one place, since it takes long.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace mpt::cuda {

// Key: std::uint32_t or std::uint64_t, of which the lowest bits count. At most 2^32 - 1 keys.
template <class Key>
class RadixSort {
public:
    struct Pairs {
        Key *keys;
        std::uint32_t *numbers;
    };
    RadixSort() = default;
    RadixSort(std::int64_t most, int bits);

    std::size_t workspace_bytes() const { return 2 * (keys_bytes_ + numbers_bytes_) + temporary_bytes_; }
    // Where the caller puts the keys and their numbers.
    Pairs input(void *workspace) const { return at(workspace, 0); }
    // Sorts the first count of them; they are in the result, the input is spoilt.
    Pairs run(void *workspace, std::int64_t count, cudaStream_t stream) const;

private:
    Pairs at(void *workspace, std::size_t which) const {
        auto *base = static_cast<std::byte *>(workspace) + which * (keys_bytes_ + numbers_bytes_);
        return {reinterpret_cast<Key *>(base), reinterpret_cast<std::uint32_t *>(base + keys_bytes_)};
    }

    std::size_t keys_bytes_ = 0, numbers_bytes_ = 0, temporary_bytes_ = 0;
    int bits_ = 1;
};

// A part of a workspace begins at a multiple of this.
inline std::size_t workspace_part(std::size_t bytes) {
    return (bytes + 255) / 256 * 256;
}

}  // namespace mpt::cuda
