#include <cub/device/device_radix_sort.cuh>

#include "kernel.h"
#include "radix.cuh"

namespace mpt::cuda {

template <class Key>
RadixSort<Key>::RadixSort(std::int64_t most, int bits) : bits_(std::max(bits, 1)) {
    if (most > std::int64_t{0xffffffff}) throw Failure{MPT_ERROR_UNSUPPORTED, "a GPU sorts at most 2^32 - 1 elements at once"};
    keys_bytes_ = workspace_part(static_cast<std::size_t>(most) * sizeof(Key));
    numbers_bytes_ = workspace_part(static_cast<std::size_t>(most) * sizeof(std::uint32_t));
    cub::DoubleBuffer<Key> keys(nullptr, nullptr);
    cub::DoubleBuffer<std::uint32_t> numbers(nullptr, nullptr);
    check(cub::DeviceRadixSort::SortPairs(nullptr, temporary_bytes_, keys, numbers, static_cast<std::uint32_t>(most), 0, bits_),
          "a sort");
}

template <class Key>
typename RadixSort<Key>::Pairs RadixSort<Key>::run(void *workspace, std::int64_t count, cudaStream_t stream) const {
    const Pairs first = at(workspace, 0), second = at(workspace, 1);
    cub::DoubleBuffer<Key> keys(first.keys, second.keys);
    cub::DoubleBuffer<std::uint32_t> numbers(first.numbers, second.numbers);
    std::size_t bytes = temporary_bytes_;
    void *temporary = static_cast<std::byte *>(workspace) + 2 * (keys_bytes_ + numbers_bytes_);
    check(cub::DeviceRadixSort::SortPairs(temporary, bytes, keys, numbers, static_cast<std::uint32_t>(count), 0, bits_, stream),
          "a sort");
    return {keys.Current(), numbers.Current()};
}

template class RadixSort<std::uint32_t>;
template class RadixSort<std::uint64_t>;

}  // namespace mpt::cuda
