// "unscale" of device/attrs/.
#include <cstddef>
#include <string>
#include <vector>

#include "chunks.h"
#include "grad_scale.h"
#include "isa.h"
#include "kernel.h"
#include "rows.h"

namespace mpt::cpu {
namespace {

constexpr std::int64_t kTile = 1024;

template <class C>
void multiply_row(C *x, std::int64_t n, C factor) {
    for (std::int64_t i = 0; i < n; i++) x[i] *= factor;
}

class Unscale final : public Kernel {
public:
    Unscale(Pool &pool, const mpt_mod_call &call) : pool_(pool), scaled_(call.in[0].dtype != MPT_DTYPE_NONE), chunks_(kGrain) {
        for (int i = 0; i < call.n_out; i++) {
            const mpt_mod_operand &x = call.out[i];
            Tensor tensor{x.dtype, static_cast<std::int64_t>(bytes_of(x.dtype)), loader<float>(x.dtype), storer<float>(x.dtype)};
            if (x.dtype != MPT_DTYPE_NONE) {
                if (!is_float(x.dtype)) unsupported_dtype("unscale", x.dtype);
                if (!is_dense(x)) throw Failure{MPT_ERROR_UNSUPPORTED, "unscale: gradient " + std::to_string(i) + " is not dense"};
                chunks_.add(i, numel(x));
            }
            tensors_.push_back(tensor);
        }
    }

    void launch(const void *const *in, void *const *out, void *) override {
        const float inv = inverse_scale(scaled_ ? in[0] : nullptr);
        chunks_.run(pool_, [&](const Chunk &chunk, std::int64_t) {
            const Tensor &tensor = tensors_[static_cast<std::size_t>(chunk.tensor)];
            auto *at = static_cast<std::byte *>(out[chunk.tensor]) + chunk.begin * tensor.bytes;
            if (tensor.dtype == MPT_F64) {
                wide_(reinterpret_cast<double *>(at), chunk.count, static_cast<double>(inv));
            } else if (tensor.dtype == MPT_F32) {
                narrow_(reinterpret_cast<float *>(at), chunk.count, inv);
            } else {
                alignas(64) float buffer[kTile];
                for (std::int64_t i = 0; i < chunk.count; i += kTile) {
                    const std::int64_t n = std::min(kTile, chunk.count - i);
                    tensor.load(at + i * tensor.bytes, 1, n, n, 1, buffer);
                    narrow_(buffer, n, inv);
                    tensor.store(buffer, at + i * tensor.bytes, 1, n, n, 1);
                }
            }
        });
    }

    const char *name() const override { return "cpu:unscale"; }

private:
    struct Tensor {
        std::int32_t dtype;
        std::int64_t bytes;
        Load<float> load;
        Store<float> store;
    };

    Pool &pool_;
    bool scaled_;
    Chunks chunks_;
    std::vector<Tensor> tensors_;
    void (*narrow_)(float *, std::int64_t, float) = Versions<&multiply_row<float>>::best();
    void (*wide_)(double *, std::int64_t, double) = Versions<&multiply_row<double>>::best();
};

}  // namespace

static std::unique_ptr<Kernel> prepare_unscale(Pool &pool, const mpt_mod_call &call) {
    return std::make_unique<Unscale>(pool, call);
}

static const RegisteredKernel registered_unscale("unscale", prepare_unscale);

}  // namespace mpt::cpu
