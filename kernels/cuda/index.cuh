// From an element's number to its place in operands of any strides.
#pragma once

#include <cstdint>

#include "kernel.h"

namespace mpt::cuda {

// Division by a number that is known before the launch: a multiplication and a shift [Granlund and Montgomery 1994], for
// numerators below 2^31.
class Divider {
public:
    Divider() = default;
    explicit Divider(std::uint32_t d) : d_(d) {
        if (d == 0) return;  // of an empty tensor, which no kernel runs on
        for (shift_ = 0; shift_ < 32 && (std::uint64_t{1} << shift_) < d; ++shift_) continue;
        magic_ = static_cast<std::uint32_t>(((std::uint64_t{1} << 32) * ((std::uint64_t{1} << shift_) - d)) / d + 1);
    }
    // n becomes the quotient; gives the remainder.
    __device__ __forceinline__ std::uint32_t divide(std::uint32_t &n) const {
        const std::uint32_t q = (__umulhi(n, magic_) + n) >> shift_;
        const std::uint32_t r = n - q * d_;
        n = q;
        return r;
    }
    __device__ __forceinline__ std::uint64_t divide(std::uint64_t &n) const {
        const std::uint64_t q = n / d_;
        const std::uint64_t r = n - q * d_;
        n = q;
        return r;
    }

private:
    std::uint32_t d_ = 1, magic_ = 1, shift_ = 0;
};

// A Loop as a kernel's parameter. I: std::uint32_t where there are fewer than 2^31 elements, else std::uint64_t (then every extent
// but the outermost is below 2^32, which is all that memory can hold).
template <int Operands>
struct Index {
    Index() = default;
    explicit Index(const Loop &loop) : ndim(loop.ndim) {
        for (int d = 0; d < loop.ndim; ++d) {
            extents[d] = Divider(static_cast<std::uint32_t>(loop.shape[d]));
            for (int k = 0; k < Operands; ++k) strides[k][d] = loop.strides[k][d];
        }
    }
    // Offsets, in elements, of element i.
    template <class I>
    __device__ __forceinline__ void locate(I i, std::int64_t (&offset)[Operands]) const {
#pragma unroll
        for (int k = 0; k < Operands; ++k) offset[k] = 0;
        for (int d = ndim - 1; d > 0; --d) {
            const I at = extents[d].divide(i);
#pragma unroll
            for (int k = 0; k < Operands; ++k) offset[k] += static_cast<std::int64_t>(at) * strides[k][d];
        }
#pragma unroll
        for (int k = 0; k < Operands; ++k) offset[k] += static_cast<std::int64_t>(i) * strides[k][0];
    }

    int ndim = 1;
    Divider extents[MPT_MAX_DIMS];
    std::int64_t strides[Operands][MPT_MAX_DIMS];
};

inline constexpr int kThreads = 256;  // of a block, where nothing asks for another number

inline bool small(std::int64_t elements) {
    return elements < (std::int64_t{1} << 31);
}

// Blocks for work items that each thread takes in steps of the whole grid.
inline unsigned blocks_for(const Device &device, std::int64_t items, int threads = kThreads, int per_multiprocessor = 8) {
    const std::int64_t wanted = (items + threads - 1) / threads, most = std::int64_t{1} * device.multiprocessors() * per_multiprocessor;
    return static_cast<unsigned>(wanted < 1 ? 1 : wanted < most ? wanted : most);
}

}  // namespace mpt::cuda
