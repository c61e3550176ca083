#include "device/attrs/pool.h"
#include "max_pool16.h"

#include <algorithm>
#include <cstdint>

#include "isa.h"
#include "operand.h"

namespace mpt::cpu {
namespace {

using Bits = std::uint16_t;
constexpr std::int64_t kLanes = 32;  // channels handled together
constexpr std::int16_t kNan = 0x7FFF;  // above every number's key, and the one NaN that is stored

// Numbers in their order as integers; both zeros are 0, every NaN is the largest.
inline std::int16_t key(Bits x, Bits infinity) {
    const auto magnitude = static_cast<std::int16_t>(x & 0x7FFF);
    const auto sign = static_cast<std::int16_t>(static_cast<std::int16_t>(x) >> 15);
    const auto number = static_cast<std::int16_t>((magnitude ^ sign) - sign);
    return magnitude > static_cast<std::int16_t>(infinity) ? kNan : number;
}

inline void pool_lanes(const Bits *x0, const Bits *x1, const Bits *x2, const Bits *x3, Bits *y, std::uint8_t *index, std::int64_t n,
                       Bits infinity) {
    MPT_CPU_INDEPENDENT
    for (std::int64_t c = 0; c < n; ++c) {
        Bits best = x0[c], where = 0;
        std::int16_t largest = key(x0[c], infinity);
        const auto take = [&](Bits x, Bits tap) {
            const std::int16_t k = key(x, infinity);
            const bool larger = k > largest;  // the first of equals stays
            best = larger ? x : best;
            where = larger ? tap : where;
            largest = larger ? k : largest;
        };
        take(x1[c], 1);
        take(x2[c], 2);
        take(x3[c], 3);
        y[c] = largest == kNan ? static_cast<Bits>(kNan) : best;
        index[c] = static_cast<std::uint8_t>(where);
    }
}

// One output row from two input rows.
void pool_row(const Bits *top, const Bits *bottom, Bits *y, std::uint8_t *index, std::int64_t width, std::int64_t channels, Bits infinity) {
    for (std::int64_t j = 0; j < width; ++j) {
        const Bits *x0 = top + 2 * j * channels, *x2 = bottom + 2 * j * channels;
        std::int64_t c = 0;
        for (; c + kLanes <= channels; c += kLanes)
            pool_lanes(x0 + c, x0 + channels + c, x2 + c, x2 + channels + c, y + j * channels + c, index + j * channels + c, kLanes, infinity);
        pool_lanes(x0 + c, x0 + channels + c, x2 + c, x2 + channels + c, y + j * channels + c, index + j * channels + c, channels - c, infinity);
    }
}

inline void scatter_lanes(const Bits *dy, const std::uint8_t *index, Bits *left, Bits *right, std::int64_t n, Bits tap) {
    MPT_CPU_INDEPENDENT
    for (std::int64_t c = 0; c < n; ++c) {
        const Bits where = index[c];
        left[c] = where == tap ? dy[c] : Bits{0};
        right[c] = where == tap + 1 ? dy[c] : Bits{0};
    }
}

// One row of dx from one output row; tap: the code of its left element, 0 or 2.
void scatter_row(const Bits *dy, const std::uint8_t *index, Bits *dx, std::int64_t width, std::int64_t channels, Bits tap) {
    for (std::int64_t j = 0; j < width; ++j) {
        Bits *left = dx + 2 * j * channels;
        const Bits *from = dy + j * channels;
        const std::uint8_t *where = index + j * channels;
        std::int64_t c = 0;
        for (; c + kLanes <= channels; c += kLanes) scatter_lanes(from + c, where + c, left + c, left + channels + c, kLanes, tap);
        scatter_lanes(from + c, where + c, left + c, left + channels + c, channels - c, tap);
    }
}

bool channels_innermost(const mpt_mod_operand &x) {
    const std::int64_t c = x.shape[1], h = x.shape[2], w = x.shape[3];
    return is_dense(x) && (c == 1 || x.strides[1] == 1) && (w == 1 || x.strides[3] == c) && (h == 1 || x.strides[2] == w * c);
}

// large: the images; small: their pooled form, or its gradient.
bool fits(const mpt_mod_call &call, const mpt_mod_operand &large, const mpt_mod_operand &small, const mpt_mod_operand &index) {
    const auto &a = attrs_of<mpt_attrs_pool2d>(call);
    for (int i = 0; i < 2; ++i)
        if (a.adaptive || a.kernel[i] != 2 || a.stride[i] != 2 || a.padding[i] != 0) return false;
    return (large.dtype == MPT_F16 || large.dtype == MPT_BF16) && small.dtype == large.dtype && index.dtype == MPT_U8 &&
           channels_innermost(large) && channels_innermost(small) && channels_innermost(index);
}

struct Extents {
    explicit Extents(const mpt_mod_operand &large, const mpt_mod_operand &small)
        : images(large.shape[0]), channels(large.shape[1]), height(large.shape[2]), width(large.shape[3]), out_height(small.shape[2]),
          out_width(small.shape[3]) {}
    std::int64_t images, channels, height, width, out_height, out_width;
};

class MaxPool16 final : public Kernel {
public:
    MaxPool16(Pool &pool, const mpt_mod_operand &x, const mpt_mod_operand &y)
        : pool_(pool), e_(x, y), infinity_(x.dtype == MPT_F16 ? 0x7C00 : 0x7F80), row_(Versions<&pool_row>::best()) {}

    void launch(const void *const *in, void *const *out, void *) override {
        const auto *x = static_cast<const Bits *>(in[0]);
        auto *y = static_cast<Bits *>(out[0]);
        auto *index = static_cast<std::uint8_t *>(out[1]);
        const std::int64_t row = e_.width * e_.channels, out_row = e_.out_width * e_.channels;
        pool_.for_range(e_.images * e_.out_height, kGrain / std::max<std::int64_t>(row, 1) + 1, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t r = begin; r < end; ++r) {
                const Bits *top = x + (r / e_.out_height * e_.height + r % e_.out_height * 2) * row;
                row_(top, top + row, y + r * out_row, index + r * out_row, e_.out_width, e_.channels, infinity_);
            }
        });
    }
    const char *name() const override { return "cpu:max_pool16"; }

private:
    Pool &pool_;
    Extents e_;
    Bits infinity_;
    void (*row_)(const Bits *, const Bits *, Bits *, std::uint8_t *, std::int64_t, std::int64_t, Bits);
};

class MaxPoolGrad16 final : public Kernel {
public:
    MaxPoolGrad16(Pool &pool, const mpt_mod_operand &dx, const mpt_mod_operand &dy)
        : pool_(pool), e_(dx, dy), row_(Versions<&scatter_row>::best()) {}

    void launch(const void *const *in, void *const *out, void *) override {
        const auto *dy = static_cast<const Bits *>(in[0]);
        const auto *index = static_cast<const std::uint8_t *>(in[1]);
        auto *dx = static_cast<Bits *>(out[0]);
        const std::int64_t row = e_.width * e_.channels, out_row = e_.out_width * e_.channels, used = 2 * out_row;
        pool_.for_range(e_.images * e_.height, kGrain / std::max<std::int64_t>(row, 1) + 1, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t r = begin; r < end; ++r) {
                const std::int64_t h = r % e_.height, from = (r / e_.height * e_.out_height + h / 2) * out_row;
                Bits *to = dx + r * row;
                const bool met = h / 2 < e_.out_height;  // a last odd row or column is in no window
                if (met) row_(dy + from, index + from, to, e_.out_width, e_.channels, static_cast<Bits>(h % 2 * 2));
                std::fill(to + (met ? used : 0), to + row, Bits{0});
            }
        });
    }
    const char *name() const override { return "cpu:max_pool_grad16"; }

private:
    Pool &pool_;
    Extents e_;
    void (*row_)(const Bits *, const std::uint8_t *, Bits *, std::int64_t, std::int64_t, Bits);
};

}  // namespace

std::unique_ptr<Kernel> prepare_max_pool16(Pool &pool, const mpt_mod_call &call) {
    if (!fits(call, call.in[0], call.out[0], call.out[1])) return nullptr;
    return std::make_unique<MaxPool16>(pool, call.in[0], call.out[0]);
}

std::unique_ptr<Kernel> prepare_max_pool_grad16(Pool &pool, const mpt_mod_call &call) {
    if (!fits(call, call.out[0], call.in[0], call.in[1])) return nullptr;
    return std::make_unique<MaxPoolGrad16>(pool, call.out[0], call.in[0]);
}

}  // namespace mpt::cpu
