// "quantize" and "rescale" of device/attrs/fp8.h.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "device/attrs/fp8.h"
#include "isa.h"
#include "kernel.h"
#include "operand.h"
#include "rows.h"

namespace mpt::cpu {
namespace {

constexpr std::int64_t kTile = 2048;
constexpr float kLargestScale = 0x1p126f;  // its inverse is a normal number

// The largest finite magnitude, as bits: they order as the numbers do.
std::uint32_t largest_finite(const float *x, std::int64_t n) {
    std::uint32_t largest = 0;
    for (std::int64_t i = 0; i < n; i++) {
        const std::uint32_t magnitude = std::bit_cast<std::uint32_t>(x[i]) & 0x7FFFFFFFu;
        largest = std::max(largest, magnitude < 0x7F800000u ? magnitude : 0u);
    }
    return largest;
}

// What is not finite becomes NaN: an infinity that saturated would hide an overflow.
void scale_row(const float *x, float *y, std::int64_t n, float scale) {
    for (std::int64_t i = 0; i < n; i++) {
        const bool finite = (std::bit_cast<std::uint32_t>(x[i]) & 0x7F800000u) != 0x7F800000u;
        y[i] = finite ? x[i] * scale : std::bit_cast<float>(0x7FC00000u);
    }
}

float scale_for(float limit, float amax) {
    return amax > 0 ? std::min(limit / amax, kLargestScale) : 1.0f;
}

class Quantize final : public Kernel {
public:
    Quantize(Pool &pool, const mpt_mod_call &call)
        : pool_(pool),
          limit_(static_cast<float>(attrs_of<mpt_attrs_quantize>(call).limit)),
          scaled_(call.in[1].dtype != MPT_DTYPE_NONE),
          loop_("quantize", {&call.out[0], &call.in[0]}),
          tiling_(loop_, kTile),
          load_(loader<float>(call.in[0].dtype)),
          store_(storer<float>(call.out[0].dtype)),
          bytes_(static_cast<std::int64_t>(bytes_of(call.in[0].dtype))) {
        if (!load_) unsupported_dtype("quantize", call.in[0].dtype);
        if (call.out[0].dtype != MPT_F8E4M3 && call.out[0].dtype != MPT_F8E5M2) unsupported_dtype("quantize's result", call.out[0].dtype);
        remembers_ = call.out[2].dtype != MPT_DTYPE_NONE;
        workspace_bytes = static_cast<std::size_t>(tiling_.count) * sizeof(std::uint32_t);
    }

    void launch(const void *const *in, void *const *out, void *workspace) override {
        float scale = scaled_ ? *static_cast<const float *>(in[1]) : 0;
        if (scale == 0 || remembers_) {
            const float amax = largest(in[0], static_cast<std::uint32_t *>(workspace));
            if (scale == 0) scale = scale_for(limit_, amax);
            if (remembers_) *static_cast<float *>(out[2]) = std::max(*static_cast<float *>(out[2]), amax);
        }
        for_tiles(pool_, loop_, tiling_, [&](const Tile &tile) {
            alignas(64) float x[kTile];
            load(in[0], tile, x);
            row_(x, x, tile.rows * tile.n, scale);
            store_(x, static_cast<std::byte *>(out[0]) + tile.offset[0], tile.rows, loop_.outer_stride(0), tile.n, loop_.inner_stride(0));
        });
        *static_cast<float *>(out[1]) = 1 / scale;
    }

    const char *name() const override { return "cpu:quantize"; }

private:
    void load(const void *in, const Tile &tile, float *x) const {
        load_(static_cast<const std::byte *>(in) + tile.offset[1] * bytes_, tile.rows, loop_.outer_stride(1), tile.n, loop_.inner_stride(1), x);
    }

    float largest(const void *in, std::uint32_t *partial) const {
        for_tiles(pool_, loop_, tiling_, [&](const Tile &tile) {
            alignas(64) float x[kTile];
            load(in, tile, x);
            partial[tile.index] = largest_(x, tile.rows * tile.n);
        });
        return tiling_.count > 0 ? std::bit_cast<float>(*std::max_element(partial, partial + tiling_.count)) : 0;
    }

    Pool &pool_;
    const float limit_;
    const bool scaled_;
    Loop loop_;
    Tiling tiling_;
    Load<float> load_;
    Store<float> store_;
    std::int64_t bytes_;
    bool remembers_ = false;
    std::uint32_t (*largest_)(const float *, std::int64_t) = Versions<&largest_finite>::best();
    void (*row_)(const float *, float *, std::int64_t, float) = Versions<&scale_row>::best();
};

void rescale_row(const float *acc, const float *bias, float *y, std::int64_t n, float inverse) {
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < n; i++) y[i] = acc[i] * inverse + bias[i];
}

class Rescale final : public Kernel {
public:
    Rescale(Pool &pool, const mpt_mod_call &call) : pool_(pool), biased_(call.in[3].dtype != MPT_DTYPE_NONE) {
        for (int i = 0; i < 2; i++) present_[i] = call.in[i + 1].dtype != MPT_DTYPE_NONE;
        if (call.in[0].dtype != MPT_F32) unsupported_dtype("rescale", call.in[0].dtype);
        const mpt_mod_operand *bias = biased_ ? &call.in[3] : &call.in[0];
        loop_ = Loop("rescale", {&call.out[0], &call.in[0], bias});
        tiling_ = Tiling(loop_, kTile);
        store_ = storer<float>(call.out[0].dtype);
        bytes_ = static_cast<std::int64_t>(bytes_of(call.out[0].dtype));
        if (!store_) unsupported_dtype("rescale's result", call.out[0].dtype);
        load_ = loader<float>(MPT_F32);
        load_bias_ = loader<float>(bias->dtype);
        bias_bytes_ = static_cast<std::int64_t>(bytes_of(bias->dtype));
        if (!load_bias_) unsupported_dtype("rescale's bias", bias->dtype);
    }

    void launch(const void *const *in, void *const *out, void *) override {
        float inverse = 1;
        for (int i = 0; i < 2; i++)
            if (present_[i]) inverse *= *static_cast<const float *>(in[i + 1]);
        for_tiles(pool_, loop_, tiling_, [&](const Tile &tile) {
            alignas(64) float x[kTile], bias[kTile] = {};
            load_(static_cast<const float *>(in[0]) + tile.offset[1], tile.rows, loop_.outer_stride(1), tile.n, loop_.inner_stride(1), x);
            if (biased_)
                load_bias_(static_cast<const std::byte *>(in[3]) + tile.offset[2] * bias_bytes_, tile.rows, loop_.outer_stride(2), tile.n,
                           loop_.inner_stride(2), bias);
            row_(x, bias, x, tile.rows * tile.n, inverse);
            store_(x, static_cast<std::byte *>(out[0]) + tile.offset[0] * bytes_, tile.rows, loop_.outer_stride(0), tile.n, loop_.inner_stride(0));
        });
    }

    const char *name() const override { return "cpu:rescale"; }

private:
    Pool &pool_;
    const bool biased_;
    bool present_[2];
    Loop loop_;
    Tiling tiling_;
    Load<float> load_, load_bias_;
    Store<float> store_;
    std::int64_t bytes_, bias_bytes_;
    void (*row_)(const float *, const float *, float *, std::int64_t, float) = Versions<&rescale_row>::best();
};

class Fp8Update final : public Kernel {
public:
    explicit Fp8Update(const mpt_mod_call &call) : attrs_(attrs_of<mpt_attrs_fp8_update>(call)) {
        for (std::int64_t i = 0; i < attrs_.n; i++) lengths_.push_back(call.out[i].shape[0]);
    }

    void launch(const void *const *, void *const *out, void *) override {
        const std::int64_t n = attrs_.n;
        for (std::int64_t i = 0; i < n; i++) {
            auto *history = static_cast<float *>(out[i]);
            auto &amax = *static_cast<float *>(out[n + i]);
            auto &scale = *static_cast<float *>(out[2 * n + i]);
            auto &position = *static_cast<std::int64_t *>(out[3 * n + i]);
            const std::int64_t length = lengths_[static_cast<std::size_t>(i)];
            if (amax == 0) continue;
            history[position % length] = amax;
            amax = 0;
            position++;
            scale = scale_for(static_cast<float>(attrs_.limit[i % 3]), *std::max_element(history, history + std::min(position, length)));
        }
    }

    const char *name() const override { return "cpu:fp8_update"; }

private:
    const mpt_attrs_fp8_update attrs_;
    std::vector<std::int64_t> lengths_;
};

std::unique_ptr<Kernel> prepare_quantize(Pool &pool, const mpt_mod_call &call) {
    return std::make_unique<Quantize>(pool, call);
}
std::unique_ptr<Kernel> prepare_rescale(Pool &pool, const mpt_mod_call &call) {
    return std::make_unique<Rescale>(pool, call);
}
std::unique_ptr<Kernel> prepare_fp8_update(Pool &, const mpt_mod_call &call) {
    return std::make_unique<Fp8Update>(call);
}
const RegisteredKernel registered_quantize("quantize", prepare_quantize), registered_rescale("rescale", prepare_rescale),
    registered_update("fp8_update", prepare_fp8_update);

}  // namespace
}  // namespace mpt::cpu
