// "random" and "random_advance" of device/attrs/: Philox 4x32-10 [Salmon et al. 2011].
#include <cmath>
#include <cstdint>
#include <string>

#include "device/attrs/data.h"
#include "isa.h"
#include "kernel.h"
#include "operand.h"
#include "philox.h"
#include "rows.h"
#include "vector_math.h"

namespace mpt::cpu {
namespace {

constexpr int kBlocks = 128;  // Philox blocks made at once
constexpr std::int64_t kValues = 4 * kBlocks;

inline float unit(std::uint32_t lane) {
    return static_cast<float>(static_cast<std::int32_t>(lane >> 8)) * 0x1p-24f;
}

// kValues values from block `first` on.
using Generate = void (*)(std::uint64_t seed, std::uint64_t first, float a, float b, float *out);

void uniform(std::uint64_t seed, std::uint64_t first, float low, float range, float *out) {
    std::uint32_t lanes[4][kBlocks];
    philox(seed, first, lanes);
    for (std::int64_t b = 0; b < kBlocks; b++)
        for (int l = 0; l < 4; l++) out[4 * b + l] = low + range * unit(lanes[l][b]);
}

void normal(std::uint64_t seed, std::uint64_t first, float mean, float deviation, float *out) {
    std::uint32_t lanes[4][kBlocks];
    philox(seed, first, lanes);
    for (int pair = 0; pair < 2; pair++) {
        for (std::int64_t b = 0; b < kBlocks; b++) {
            const float r = std::sqrt(-2.0f * vlog(unit(lanes[2 * pair][b]) + 0x1p-24f));
            float sine, cosine;
            vsincos_turns(unit(lanes[2 * pair + 1][b]), sine, cosine);
            out[4 * b + 2 * pair] = mean + deviation * (r * cosine);
            out[4 * b + 2 * pair + 1] = mean + deviation * (r * sine);
        }
    }
}

class Random final : public Kernel {
public:
    Random(Pool &pool, const mpt_mod_call &call)
        : pool_(pool),
          attrs_(attrs_of<mpt_attrs_random>(call)),
          out_(call.out[0]),
          count_(numel(out_)),
          bytes_(bytes_of(out_.dtype)) {
        store_ = storer<float>(out_.dtype);
        if (!store_) unsupported_dtype("random", out_.dtype);
        if (attrs_.kind != MPT_RANDOM_UNIFORM && attrs_.kind != MPT_RANDOM_NORMAL)
            throw Failure{MPT_ERROR_UNSUPPORTED, "random: kind " + std::to_string(attrs_.kind) + " is unknown"};
        const bool flat = attrs_.kind == MPT_RANDOM_UNIFORM;
        generate_ = flat ? Versions<&uniform>::best() : Versions<&normal>::best();
        a_ = static_cast<float>(attrs_.a);
        b_ = static_cast<float>(flat ? attrs_.b - attrs_.a : attrs_.b);
        std::int64_t stride = 1;
        for (int d = out_.ndim - 1; d >= 0; d--) {
            row_major_ &= out_.shape[d] == 1 || out_.strides[d] == stride;
            stride *= out_.shape[d];
        }
    }

    void launch(const void *const *in, void *const *out, void *) override {
        const auto *state = static_cast<const std::int64_t *>(in[0]);
        const std::uint64_t seed = static_cast<std::uint64_t>(state[0]);
        const std::uint64_t counter = static_cast<std::uint64_t>(state[1]) + static_cast<std::uint64_t>(attrs_.offset);
        auto *to = static_cast<std::byte *>(out[0]);
        pool_.for_range((count_ + kValues - 1) / kValues, 8, [&](std::int64_t begin, std::int64_t end) {
            alignas(64) float values[kValues];
            for (std::int64_t i = begin; i < end; i++) {
                generate_(seed, counter + static_cast<std::uint64_t>(i * kBlocks), a_, b_, values);
                write(values, to, i * kValues, std::min(kValues, count_ - i * kValues));
            }
        });
    }

    const char *name() const override { return "cpu:philox"; }

private:
    // values[i] to the element first + i in logical order.
    void write(const float *values, std::byte *to, std::int64_t first, std::int64_t n) const {
        if (row_major_) {
            store_(values, to + first * static_cast<std::int64_t>(bytes_), 1, n, n, 1);
            return;
        }
        const int last = out_.ndim - 1;
        for (std::int64_t done = 0; done < n;) {
            std::int64_t row = (first + done) / out_.shape[last];
            const std::int64_t column = (first + done) % out_.shape[last];
            std::int64_t offset = column * out_.strides[last];
            for (int d = last - 1; d >= 0; d--) {
                offset += row % out_.shape[d] * out_.strides[d];
                row /= out_.shape[d];
            }
            const std::int64_t run = std::min(n - done, out_.shape[last] - column);
            store_(values + done, to + offset * static_cast<std::int64_t>(bytes_), 1, run, run, out_.strides[last]);
            done += run;
        }
    }

    Pool &pool_;
    mpt_attrs_random attrs_;
    mpt_mod_operand out_;
    std::int64_t count_;
    std::size_t bytes_;
    Store<float> store_;
    Generate generate_;
    float a_, b_;
    bool row_major_ = true;
};

class RandomAdvance final : public Kernel {
public:
    explicit RandomAdvance(const mpt_mod_call &call) : blocks_(attrs_of<mpt_attrs_random_advance>(call).blocks) {}

    void launch(const void *const *, void *const *out, void *) override {
        auto *state = static_cast<std::uint64_t *>(out[0]);
        state[1] += static_cast<std::uint64_t>(blocks_);
    }

    const char *name() const override { return "cpu:random_advance"; }

private:
    std::int64_t blocks_;
};

}  // namespace

static std::unique_ptr<Kernel> prepare_random(Pool &pool, const mpt_mod_call &call) {
    return std::make_unique<Random>(pool, call);
}

static std::unique_ptr<Kernel> prepare_random_advance(Pool &, const mpt_mod_call &call) {
    return std::make_unique<RandomAdvance>(call);
}

static const RegisteredKernel registered_random("random", prepare_random);
static const RegisteredKernel registered_random_advance("random_advance", prepare_random_advance);

}  // namespace mpt::cpu
