// "grad_norm" of device/attrs/: one pass over all gradients finds what is not finite and the norm.
#include <bit>
#include <cmath>
#include <cstddef>
#include <string>
#include <type_traits>
#include <vector>

#include "chunks.h"
#include "device/attrs/optimizer.h"
#include "grad_scale.h"
#include "isa.h"
#include "kernel.h"
#include "rows.h"
#include "sums.h"

namespace mpt::cpu {
namespace {

constexpr std::int64_t kChunk = 65536;  // elements that one partial sum covers
constexpr std::int64_t kTile = 2048;

struct Partial {
    double sum;
    double clipped;  // of the values within the limit
    std::int64_t not_finite;
};

// Limited: also what the norm is once each value is within [-limit, limit]; NaN stays.
template <class C, bool Limited>
void measure(const C *x, std::int64_t n, C inv, C limit, Partial &partial) {
    using Bits = std::conditional_t<sizeof(C) == 8, std::uint64_t, std::uint32_t>;
    constexpr Bits kExponent = sizeof(C) == 8 ? Bits(0x7FF0000000000000u) : Bits(0x7F800000u);
    Bits found = 0;
    for (std::int64_t i = 0; i < n; i++) found |= (std::bit_cast<Bits>(x[i]) & kExponent) == kExponent ? Bits{1} : Bits{0};
    partial.not_finite |= static_cast<std::int64_t>(found);

    // In f64 the square of an f32 product is exact.
    constexpr int kLanes = 32;
    alignas(64) double lanes[kLanes] = {}, within[kLanes] = {};
    const auto add = [&](C value, int lane) {
        const double product = static_cast<double>(value);
        lanes[lane] += product * product;
        if constexpr (Limited) {
            const C low = value < -limit ? -limit : value;
            const double clipped = static_cast<double>(low > limit ? limit : low);
            within[lane] += clipped * clipped;
        }
    };
    std::int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes)
        for (int lane = 0; lane < kLanes; lane++) add(x[i + lane] * inv, lane);
    for (; i < n; i++) add(x[i] * inv, 0);
    partial.sum += sum_run(lanes, kLanes);
    if constexpr (Limited) partial.clipped += sum_run(within, kLanes);
}

class GradNorm final : public Kernel {
public:
    GradNorm(Pool &pool, const mpt_mod_call &call)
        : pool_(pool),
          limit_(attrs_of<mpt_attrs_grad_norm>(call).max_value),
          scaled_(call.in[0].dtype != MPT_DTYPE_NONE),
          limited_(call.out[2].dtype != MPT_DTYPE_NONE),
          chunks_(kChunk) {
        if (limited_) {
            narrow_ = Versions<&measure<float, true>>::best();
            wide_ = Versions<&measure<double, true>>::best();
        }
        for (int i = 0; i + 1 < call.n_in; i++) {
            const mpt_mod_operand &x = call.in[i + 1];
            Tensor tensor{x.dtype, static_cast<std::int64_t>(bytes_of(x.dtype)), loader<float>(x.dtype)};
            if (x.dtype != MPT_DTYPE_NONE) {
                if (!is_float(x.dtype)) unsupported_dtype("grad_norm", x.dtype);
                if (!is_dense(x))
                    throw Failure{MPT_ERROR_UNSUPPORTED, "grad_norm: gradient " + std::to_string(i) + " is not dense"};
                chunks_.add(i, numel(x));
            }
            tensors_.push_back(tensor);
        }
        workspace_bytes = static_cast<std::size_t>(chunks_.count()) * sizeof(Partial);
    }

    void launch(const void *const *in, void *const *out, void *workspace) override {
        const float inv = inverse_scale(scaled_ ? in[0] : nullptr);
        auto *partials = static_cast<Partial *>(workspace);
        chunks_.run(pool_, [&](const Chunk &chunk, std::int64_t index) {
            partials[index] = measure_chunk(chunk, in[chunk.tensor + 1], inv);
        });
        Partial total{0, 0, 0};
        for (std::int64_t i = 0; i < chunks_.count(); i++) {
            total.sum += partials[i].sum;
            total.clipped += partials[i].clipped;
            total.not_finite |= partials[i].not_finite;
        }
        *static_cast<float *>(out[0]) = total.not_finite ? 1.0f : 0.0f;
        *static_cast<float *>(out[1]) = static_cast<float>(std::sqrt(total.sum));
        if (limited_) *static_cast<float *>(out[2]) = static_cast<float>(std::sqrt(total.clipped));
    }

    const char *name() const override { return "cpu:grad_norm"; }

private:
    struct Tensor {
        std::int32_t dtype;
        std::int64_t bytes;
        Load<float> load;
    };

    Partial measure_chunk(const Chunk &chunk, const void *base, float inv) const {
        const Tensor &tensor = tensors_[static_cast<std::size_t>(chunk.tensor)];
        const auto *at = static_cast<const std::byte *>(base) + chunk.begin * tensor.bytes;
        Partial partial{0, 0, 0};
        alignas(64) float buffer[kTile];
        for (std::int64_t i = 0; i < chunk.count; i += kTile) {
            const std::int64_t n = std::min(kTile, chunk.count - i);
            const void *tile = at + i * tensor.bytes;
            if (tensor.dtype == MPT_F64) {
                wide_(static_cast<const double *>(tile), n, static_cast<double>(inv), limit_, partial);
            } else if (tensor.dtype == MPT_F32) {
                narrow_(static_cast<const float *>(tile), n, inv, static_cast<float>(limit_), partial);
            } else {
                tensor.load(tile, 1, n, n, 1, buffer);
                narrow_(buffer, n, inv, static_cast<float>(limit_), partial);
            }
        }
        return partial;
    }

    Pool &pool_;
    double limit_;
    bool scaled_, limited_;
    Chunks chunks_;
    std::vector<Tensor> tensors_;
    void (*narrow_)(const float *, std::int64_t, float, float, Partial &) = Versions<&measure<float, false>>::best();
    void (*wide_)(const double *, std::int64_t, double, double, Partial &) = Versions<&measure<double, false>>::best();
};

}  // namespace

static std::unique_ptr<Kernel> prepare_grad_norm(Pool &pool, const mpt_mod_call &call) {
    return std::make_unique<GradNorm>(pool, call);
}

static const RegisteredKernel registered_grad_norm("grad_norm", prepare_grad_norm);

}  // namespace mpt::cpu
