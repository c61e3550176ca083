// "grad_norm" of device/attrs.h: one pass over all gradients finds what is not finite and the norm.
#include <bit>
#include <cmath>
#include <cstddef>
#include <string>
#include <type_traits>
#include <vector>

#include "chunks.h"
#include "grad_scale.h"
#include "isa.h"
#include "kernels.h"
#include "rows.h"
#include "sums.h"

namespace mpt::cpu {
namespace {

constexpr std::int64_t kChunk = 65536;  // elements that one partial sum covers
constexpr std::int64_t kTile = 2048;

struct Partial {
    double sum;
    std::int64_t not_finite;
};

template <class C>
void measure(const C *x, std::int64_t n, C inv, Partial &partial) {
    using Bits = std::conditional_t<sizeof(C) == 8, std::uint64_t, std::uint32_t>;
    constexpr Bits kExponent = sizeof(C) == 8 ? Bits(0x7FF0000000000000u) : Bits(0x7F800000u);
    Bits found = 0;
    for (std::int64_t i = 0; i < n; i++) found |= (std::bit_cast<Bits>(x[i]) & kExponent) == kExponent ? Bits{1} : Bits{0};
    partial.not_finite |= static_cast<std::int64_t>(found);

    // In f64 the square of an f32 product is exact.
    constexpr int kLanes = 32;
    alignas(64) double lanes[kLanes] = {};
    std::int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) {
        for (int lane = 0; lane < kLanes; lane++) {
            const double product = static_cast<double>(x[i + lane] * inv);
            lanes[lane] += product * product;
        }
    }
    for (; i < n; i++) {
        const double product = static_cast<double>(x[i] * inv);
        lanes[0] += product * product;
    }
    partial.sum += sum_run(lanes, kLanes);
}

class GradNorm final : public Kernel {
public:
    GradNorm(Pool &pool, const mpt_mod_call &call) : pool_(pool), scaled_(call.in[0].dtype != MPT_DTYPE_NONE), chunks_(kChunk) {
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
        Partial total{0, 0};
        for (std::int64_t i = 0; i < chunks_.count(); i++) {
            total.sum += partials[i].sum;
            total.not_finite |= partials[i].not_finite;
        }
        *static_cast<float *>(out[0]) = total.not_finite ? 1.0f : 0.0f;
        *static_cast<float *>(out[1]) = static_cast<float>(std::sqrt(total.sum));
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
        Partial partial{0, 0};
        alignas(64) float buffer[kTile];
        for (std::int64_t i = 0; i < chunk.count; i += kTile) {
            const std::int64_t n = std::min(kTile, chunk.count - i);
            const void *tile = at + i * tensor.bytes;
            if (tensor.dtype == MPT_F64) {
                wide_(static_cast<const double *>(tile), n, static_cast<double>(inv), partial);
            } else if (tensor.dtype == MPT_F32) {
                narrow_(static_cast<const float *>(tile), n, inv, partial);
            } else {
                tensor.load(tile, 1, n, n, 1, buffer);
                narrow_(buffer, n, inv, partial);
            }
        }
        return partial;
    }

    Pool &pool_;
    bool scaled_;
    Chunks chunks_;
    std::vector<Tensor> tensors_;
    void (*narrow_)(const float *, std::int64_t, float, Partial &) = Versions<&measure<float>>::best();
    void (*wide_)(const double *, std::int64_t, double, Partial &) = Versions<&measure<double>>::best();
};

}  // namespace

std::unique_ptr<Kernel> prepare_grad_norm(Pool &pool, const mpt_mod_call &call) {
    return std::make_unique<GradNorm>(pool, call);
}

}  // namespace mpt::cpu
