// The register tiles of the matrix product for this machine.
#pragma once

#include <array>
#include <cstdint>

namespace mpt::cpu {

// What a tile does with C: set it, add to it, or go on with the sums that it holds as if k had not been interrupted.
enum class TileStore { set, add, extend };

template <class T>
using TileKernel = void (*)(std::int64_t k_count, const T *a, std::int64_t row_step, std::int64_t k_step, const T *b, T *c,
                            std::int64_t ldc, TileStore how);

template <class T>
struct Micro {
    int rows;                                   // of the largest tile
    int lanes;                                  // elements of a vector; tiles are one or two vectors wide
    const std::array<TileKernel<T>, 2> *tiles;  // [rows - 1][vectors - 1]
};

template <class T>
const Micro<T> &best_micro();

}  // namespace mpt::cpu
