// Indices of any integer type, chosen when a kernel runs.
#pragma once

#include "element.cuh"

namespace mpt::cuda {

class IndexReader {
public:
    IndexReader(const char *kernel, std::int32_t dtype) {
        visit_integer(kernel, dtype, [&](auto format) { bytes_ = sizeof(typename decltype(format)::Stored); });
        is_signed_ = dtype != MPT_U8 && dtype != MPT_BOOL;
    }
    __device__ __forceinline__ std::int64_t at(const void *index, std::int64_t i) const {
        switch (bytes_) {
            case 8:
                return static_cast<const std::int64_t *>(index)[i];
            case 4:
                return static_cast<const std::int32_t *>(index)[i];
            case 2:
                return static_cast<const std::int16_t *>(index)[i];
            default:
                return is_signed_ ? std::int64_t{static_cast<const std::int8_t *>(index)[i]}
                                  : std::int64_t{static_cast<const std::uint8_t *>(index)[i]};
        }
    }

private:
    int bytes_ = 0;
    bool is_signed_;
};

}  // namespace mpt::cuda
