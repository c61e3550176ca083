// "mse" and "mse_grad" of device/attrs.h.
#include <cstddef>

#include "elementwise.h"
#include "isa.h"
#include "kernels.h"
#include "sums.h"

namespace mpt::cpu {
namespace {

constexpr std::int64_t kTile = 1024;  // elements that one partial sum covers

template <class C>
void square_row(const C *prediction, const C *target, C *y, std::int64_t n) {
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < n; i++) {
        const C d = prediction[i] - target[i];
        y[i] = d * d;
    }
}

template <class C>
C square_sum(const C *prediction, const C *target, std::int64_t n) {
    alignas(64) C y[kTile];
    square_row(prediction, target, y, n);
    return sum_run(y, n);
}

template <class C>
void grad_row(const C *prediction, const C *target, const C *gradient, C *y, std::int64_t n, C factor) {
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < n; i++) y[i] = factor * (prediction[i] - target[i]) * gradient[i];
}

// No reduction.
template <class C>
class SquaredErrors final : public Kernel {
public:
    SquaredErrors(Pool &pool, const mpt_mod_call &call) : pool_(pool), elements_("mse", call.out[0], {&call.in[0], &call.in[1]}) {}

    void launch(const void *const *in, void *const *out, void *) override {
        elements_.run(pool_, in, out[0], [this](const C *const *x, C *y, std::int64_t n) { row_(x[0], x[1], y, n); });
    }

    const char *name() const override { return "cpu:mse"; }

private:
    Pool &pool_;
    Elementwise<C, 2> elements_;
    void (*row_)(const C *, const C *, C *, std::int64_t) = Versions<&square_row<C>>::best();
};

// The sum of each tile goes to the workspace; they are added in order, in f64.
template <class C>
class MeanSquaredError final : public Kernel {
public:
    MeanSquaredError(Pool &pool, const mpt_mod_call &call)
        : pool_(pool),
          mean_(attrs_of<mpt_attrs_loss>(call).reduction == MPT_REDUCTION_MEAN),
          loop_("mse", {&call.in[0], &call.in[1]}),
          tiling_(loop_, kTile) {
        if (call.out[0].dtype != dtype_of<C>()) unsupported_dtype("mse's result", call.out[0].dtype);
        for (int k = 0; k < 2; k++) {
            const std::int32_t dtype = call.in[k].dtype;
            load_[k] = loader<C>(dtype);
            if (!load_[k]) unsupported_dtype("mse", dtype);
            bytes_[k] = static_cast<std::int64_t>(bytes_of(dtype));
            direct_[k] = dtype == dtype_of<C>() && loop_.inner_stride(k) == 1 &&
                         (tiling_.rows == 1 || loop_.outer_stride(k) == tiling_.width);
        }
        workspace_bytes = static_cast<std::size_t>(tiling_.count) * sizeof(double);
    }

    void launch(const void *const *in, void *const *out, void *workspace) override {
        auto *partial = static_cast<double *>(workspace);
        for_tiles(pool_, loop_, tiling_, [&](const Tile &tile) {
            alignas(64) C buffer[2][kTile];
            const C *x[2];
            for (int k = 0; k < 2; k++) {
                const auto *at = static_cast<const std::byte *>(in[k]) + tile.offset[k] * bytes_[k];
                x[k] = direct_[k] ? reinterpret_cast<const C *>(at) : buffer[k];
                if (!direct_[k]) load_[k](at, tile.rows, loop_.outer_stride(k), tile.n, loop_.inner_stride(k), buffer[k]);
            }
            partial[tile.index] = sum_(x[0], x[1], tile.rows * tile.n);
        });
        double total = 0;
        for (std::int64_t i = 0; i < tiling_.count; i++) total += partial[i];
        *static_cast<C *>(out[0]) = static_cast<C>(mean_ ? total / static_cast<double>(loop_.count) : total);
    }

    const char *name() const override { return "cpu:mse"; }

private:
    Pool &pool_;
    bool mean_;
    Loop loop_;
    Tiling tiling_;
    Load<C> load_[2];
    std::int64_t bytes_[2];
    bool direct_[2];
    C (*sum_)(const C *, const C *, std::int64_t) = Versions<&square_sum<C>>::best();
};

template <class C>
class MseGrad final : public Kernel {
public:
    MseGrad(Pool &pool, const mpt_mod_call &call, const mpt_mod_operand &gradient)
        : pool_(pool), elements_("mse_grad", call.out[0], {&call.in[0], &call.in[1], &gradient}) {
        const bool mean = attrs_of<mpt_attrs_loss>(call).reduction == MPT_REDUCTION_MEAN;
        factor_ = static_cast<C>(mean ? 2.0 / static_cast<double>(numel(call.in[0])) : 2.0);
    }

    void launch(const void *const *in, void *const *out, void *) override {
        elements_.run(pool_, in, out[0],
                      [this](const C *const *x, C *y, std::int64_t n) { row_(x[0], x[1], x[2], y, n, factor_); });
    }

    const char *name() const override { return "cpu:mse_grad"; }

private:
    Pool &pool_;
    Elementwise<C, 3> elements_;
    C factor_;
    void (*row_)(const C *, const C *, const C *, C *, std::int64_t, C) = Versions<&grad_row<C>>::best();
};

template <class C>
std::unique_ptr<Kernel> prepare_typed(Pool &pool, const mpt_mod_call &call) {
    if (attrs_of<mpt_attrs_loss>(call).reduction == MPT_REDUCTION_NONE) return std::make_unique<SquaredErrors<C>>(pool, call);
    return std::make_unique<MeanSquaredError<C>>(pool, call);
}

}  // namespace

std::unique_ptr<Kernel> prepare_mse(Pool &pool, const mpt_mod_call &call) {
    return call.in[0].dtype == MPT_F64 ? prepare_typed<double>(pool, call) : prepare_typed<float>(pool, call);
}

std::unique_ptr<Kernel> prepare_mse_grad(Pool &pool, const mpt_mod_call &call) {
    const mpt_mod_operand gradient = expanded(call.in[2], call.in[0]);
    if (call.in[0].dtype == MPT_F64) return std::make_unique<MseGrad<double>>(pool, call, gradient);
    return std::make_unique<MseGrad<float>>(pool, call, gradient);
}

}  // namespace mpt::cpu
