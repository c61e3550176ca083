// Images [N, C, H, W] whose pixels are computed one by one, or some channels of a pixel at a time where these lie together.
#pragma once

#include <cstdint>

#include "element.cuh"
#include "index.cuh"

namespace mpt::cuda {

struct Image {
    explicit Image(const mpt_mod_operand &x) {
        for (int d = 0; d < 4; ++d) strides[d] = x.strides[d];
    }
    template <class Pixel>
    __device__ __forceinline__ std::int64_t at(const Pixel &p, int h, int w) const {
        return p.n * strides[0] + p.c * strides[1] + h * strides[2] + w * strides[3];
    }
    // So many channels at a time can be read or written as one.
    bool packs(const mpt_mod_operand &x, int channels) const { return run(x, 1, channels); }
    // So many pixels of a row can.
    bool rows(const mpt_mod_operand &x, int columns) const { return run(x, 3, columns); }

    std::int64_t strides[4];

private:
    bool run(const mpt_mod_operand &x, int dim, int n) const {
        bool fit = strides[dim] == 1 && x.shape[dim] % n == 0;
        for (int d = 0; d < 4; ++d) fit &= d == dim || x.shape[d] == 1 || strides[d] % n == 0;
        return fit;
    }
};

inline constexpr int kColumns = 4;  // pixels of a row that a thread makes, where channels do not lie together

// The pixels of an image in the order of its memory, some channels of each or some of a row at a time. I: as for Index.
template <class I>
class Pixels {
public:
    struct Pixel {
        std::int64_t n, c;
        int h, w;
    };

    Pixels(const mpt_mod_operand &x, int channels, int columns = 1)
        : channels_last(x.strides[1] < (x.shape[3] > 1   ? x.strides[3]
                                        : x.shape[2] > 1 ? x.strides[2]
                                                         : x.strides[0])),
          channels(channels),
          columns(columns),
          c(static_cast<std::uint32_t>(x.shape[1] / channels)),
          h(static_cast<std::uint32_t>(x.shape[2])),
          w(static_cast<std::uint32_t>(x.shape[3] / columns)),
          count(static_cast<I>(x.shape[0] * (x.shape[1] / channels) * x.shape[2] * (x.shape[3] / columns))) {}

    __device__ __forceinline__ Pixel at(I i) const {
        Pixel p;
        if (channels_last) {
            p.c = static_cast<std::int64_t>(c.divide(i)) * channels;
            p.w = static_cast<int>(w.divide(i)) * columns;
            p.h = static_cast<int>(h.divide(i));
        } else {
            p.w = static_cast<int>(w.divide(i)) * columns;
            p.h = static_cast<int>(h.divide(i));
            p.c = static_cast<std::int64_t>(c.divide(i)) * channels;
        }
        p.n = static_cast<std::int64_t>(i);
        return p;
    }

private:
    bool channels_last;
    int channels, columns;
    Divider c, h, w;

public:
    I count;
};

// i n / m, rounded down or up.
class Proportion {
public:
    Proportion(std::int64_t n, std::int64_t m)
        : by_(static_cast<std::uint32_t>(m)), n_(n), m_(m), narrow_(small((n + 1) * (m + 1))) {}
    __device__ __forceinline__ int down(int i) const { return divided(i * n_); }
    __device__ __forceinline__ int up(int i) const { return divided(i * n_ + m_ - 1); }

private:
    __device__ __forceinline__ int divided(std::int64_t x) const {
        if (!narrow_) return static_cast<int>(x / m_);
        auto q = static_cast<std::uint32_t>(x);
        by_.divide(q);
        return static_cast<int>(q);
    }
    Divider by_;
    std::int64_t n_, m_;
    bool narrow_;
};

// Elements [begin, end).
struct Range {
    int begin, end;
};

}  // namespace mpt::cuda
