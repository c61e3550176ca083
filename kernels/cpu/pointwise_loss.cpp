// "pointwise_loss" and "pointwise_loss_grad" of device/attrs/loss.h.
#include "pointwise_loss.h"

#include <cstddef>

#include "elementwise.h"
#include "isa.h"
#include "kernel.h"
#include "sums.h"

namespace mpt::cpu {
namespace {

constexpr std::int64_t kTile = 1024;  // elements that one partial sum covers

template <class C, int Kind>
void loss_row(const C *p, const C *t, C *y, std::int64_t n, C parameter) {
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < n; i++) y[i] = PointwiseLoss<Kind>::value(p[i], t[i], parameter);
}

template <class C, int Kind>
C loss_sum(const C *p, const C *t, std::int64_t n, C parameter) {
    alignas(64) C y[kTile];
    loss_row<C, Kind>(p, t, y, n, parameter);
    return sum_run(y, n);
}

template <class C, int Kind, bool Target>
inline C derivative(C p, C t, C parameter) {
    if constexpr (Target)
        return PointwiseLoss<Kind>::of_target(p, t, parameter);
    else
        return PointwiseLoss<Kind>::of_prediction(p, t, parameter);
}
// The gradient of the loss is one number, or one for each element.
template <class C, int Kind, bool Target>
void shared_grad_row(const C *p, const C *t, C *y, std::int64_t n, C parameter, C gradient) {
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < n; i++) y[i] = derivative<C, Kind, Target>(p[i], t[i], parameter) * gradient;
}
template <class C, int Kind, bool Target>
void grad_row(const C *p, const C *t, const C *gradient, C *y, std::int64_t n, C parameter) {
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < n; i++) y[i] = derivative<C, Kind, Target>(p[i], t[i], parameter) * gradient[i];
}

template <class C>
struct Rows {
    void (*loss)(const C *, const C *, C *, std::int64_t, C) = nullptr;
    C (*sum)(const C *, const C *, std::int64_t, C) = nullptr;
    void (*shared_grad)(const C *, const C *, C *, std::int64_t, C, C) = nullptr;
    void (*grad)(const C *, const C *, const C *, C *, std::int64_t, C) = nullptr;
};

template <class C, int Kind>
void take(const mpt_attrs_pointwise_loss &attrs, Rows<C> &rows) {
    if (attrs.kind != Kind) return;
    rows.loss = Versions<&loss_row<C, Kind>>::best();
    rows.sum = Versions<&loss_sum<C, Kind>>::best();
    if (attrs.side == 0) {
        rows.shared_grad = Versions<&shared_grad_row<C, Kind, false>>::best();
        rows.grad = Versions<&grad_row<C, Kind, false>>::best();
    } else if constexpr (Kind != MPT_LOSS_COSINE) {
        rows.shared_grad = Versions<&shared_grad_row<C, Kind, true>>::best();
        rows.grad = Versions<&grad_row<C, Kind, true>>::best();
    }
}

template <class C>
Rows<C> rows_of(const mpt_attrs_pointwise_loss &attrs) {
    Rows<C> rows;
    take<C, MPT_LOSS_MSE>(attrs, rows);
    take<C, MPT_LOSS_L1>(attrs, rows);
    take<C, MPT_LOSS_HUBER>(attrs, rows);
    take<C, MPT_LOSS_BCE_LOGITS>(attrs, rows);
    take<C, MPT_LOSS_KL>(attrs, rows);
    take<C, MPT_LOSS_HINGE>(attrs, rows);
    take<C, MPT_LOSS_COSINE>(attrs, rows);
    if (!rows.grad) throw Failure{MPT_ERROR_INTERNAL, "pointwise_loss: there is no such kind or side"};
    return rows;
}

// What the sum of elements of this form is divided by.
double divisor(std::int64_t reduction, const mpt_mod_operand &x) {
    if (reduction == MPT_REDUCTION_MEAN) return static_cast<double>(numel(x));
    return reduction == MPT_REDUCTION_BATCH_MEAN ? static_cast<double>(x.shape[0]) : 1;
}

template <class C>
class PointwiseKernel : public Kernel {
public:
    const char *name() const override { return "cpu:pointwise_loss"; }

protected:
    PointwiseKernel(Pool &pool, const mpt_mod_call &call) : pool_(pool), attrs_(attrs_of<mpt_attrs_pointwise_loss>(call)) {}
    Pool &pool_;
    mpt_attrs_pointwise_loss attrs_;
    Rows<C> rows_ = rows_of<C>(attrs_);
    C parameter_ = static_cast<C>(attrs_.parameter);
};

// No reduction.
template <class C>
class ElementLosses final : public PointwiseKernel<C> {
    using Base = PointwiseKernel<C>;

public:
    ElementLosses(Pool &pool, const mpt_mod_call &call)
        : Base(pool, call), elements_(call.kernel, call.out[0], {&call.in[0], &call.in[1]}) {}

    void launch(const void *const *in, void *const *out, void *) override {
        elements_.run(Base::pool_, in, out[0],
                      [this](const C *const *x, C *y, std::int64_t n) { Base::rows_.loss(x[0], x[1], y, n, Base::parameter_); });
    }

private:
    Elementwise<C, 2> elements_;
};

// The sum of each tile goes to the workspace; they are added in order, in f64.
template <class C>
class ReducedLoss final : public PointwiseKernel<C> {
    using Base = PointwiseKernel<C>;

public:
    ReducedLoss(Pool &pool, const mpt_mod_call &call)
        : Base(pool, call),
          divisor_(divisor(Base::attrs_.reduction, call.in[0])),
          loop_(call.kernel, {&call.in[0], &call.in[1]}),
          tiling_(loop_, kTile) {
        if (call.out[0].dtype != dtype_of<C>()) unsupported_dtype(call.kernel, call.out[0].dtype);
        for (int k = 0; k < 2; k++) {
            const std::int32_t dtype = call.in[k].dtype;
            load_[k] = loader<C>(dtype);
            if (!load_[k]) unsupported_dtype(call.kernel, dtype);
            bytes_[k] = static_cast<std::int64_t>(bytes_of(dtype));
            direct_[k] = dtype == dtype_of<C>() && loop_.inner_stride(k) == 1 &&
                         (tiling_.rows == 1 || loop_.outer_stride(k) == tiling_.width);
        }
        Base::workspace_bytes = static_cast<std::size_t>(tiling_.count) * sizeof(double);
    }

    void launch(const void *const *in, void *const *out, void *workspace) override {
        auto *partial = static_cast<double *>(workspace);
        for_tiles(Base::pool_, loop_, tiling_, [&](const Tile &tile) {
            alignas(64) C buffer[2][kTile];
            const C *x[2];
            for (int k = 0; k < 2; k++) {
                const auto *at = static_cast<const std::byte *>(in[k]) + tile.offset[k] * bytes_[k];
                x[k] = direct_[k] ? reinterpret_cast<const C *>(at) : buffer[k];
                if (!direct_[k]) load_[k](at, tile.rows, loop_.outer_stride(k), tile.n, loop_.inner_stride(k), buffer[k]);
            }
            partial[tile.index] = static_cast<double>(Base::rows_.sum(x[0], x[1], tile.rows * tile.n, Base::parameter_));
        });
        double total = 0;
        for (std::int64_t i = 0; i < tiling_.count; i++) total += partial[i];
        *static_cast<C *>(out[0]) = static_cast<C>(total / divisor_);
    }

private:
    double divisor_;
    Loop loop_;
    Tiling tiling_;
    Load<C> load_[2];
    std::int64_t bytes_[2];
    bool direct_[2];
};

template <class C>
class ReducedLossGrad final : public PointwiseKernel<C> {
    using Base = PointwiseKernel<C>;

public:
    ReducedLossGrad(Pool &pool, const mpt_mod_call &call)
        : Base(pool, call),
          elements_(call.kernel, call.out[0], {&call.in[0], &call.in[1]}),
          factor_(static_cast<C>(1 / divisor(Base::attrs_.reduction, call.in[0]))) {
        if (call.in[2].dtype != dtype_of<C>() || call.in[2].ndim != 0) unsupported_dtype(call.kernel, call.in[2].dtype);
    }

    void launch(const void *const *in, void *const *out, void *) override {
        const C gradient = *static_cast<const C *>(in[2]) * factor_;
        elements_.run(Base::pool_, in, out[0], [&](const C *const *x, C *y, std::int64_t n) {
            Base::rows_.shared_grad(x[0], x[1], y, n, Base::parameter_, gradient);
        });
    }

private:
    Elementwise<C, 2> elements_;
    C factor_;
};

template <class C>
class ElementLossesGrad final : public PointwiseKernel<C> {
    using Base = PointwiseKernel<C>;

public:
    ElementLossesGrad(Pool &pool, const mpt_mod_call &call)
        : Base(pool, call), elements_(call.kernel, call.out[0], {&call.in[0], &call.in[1], &call.in[2]}) {}

    void launch(const void *const *in, void *const *out, void *) override {
        elements_.run(Base::pool_, in, out[0], [this](const C *const *x, C *y, std::int64_t n) {
            Base::rows_.grad(x[0], x[1], x[2], y, n, Base::parameter_);
        });
    }

private:
    Elementwise<C, 3> elements_;
};

bool per_element(const mpt_mod_call &call) {
    return attrs_of<mpt_attrs_pointwise_loss>(call).reduction == MPT_REDUCTION_NONE;
}

template <class C>
std::unique_ptr<Kernel> loss_kernel(Pool &pool, const mpt_mod_call &call) {
    if (per_element(call)) return std::make_unique<ElementLosses<C>>(pool, call);
    return std::make_unique<ReducedLoss<C>>(pool, call);
}

template <class C>
std::unique_ptr<Kernel> grad_kernel(Pool &pool, const mpt_mod_call &call) {
    if (per_element(call)) return std::make_unique<ElementLossesGrad<C>>(pool, call);
    return std::make_unique<ReducedLossGrad<C>>(pool, call);
}

bool in_f64(const mpt_mod_call &call) {
    return call.in[0].dtype == MPT_F64 || call.in[1].dtype == MPT_F64;
}

}  // namespace

static std::unique_ptr<Kernel> prepare_pointwise_loss(Pool &pool, const mpt_mod_call &call) {
    return in_f64(call) ? loss_kernel<double>(pool, call) : loss_kernel<float>(pool, call);
}

static std::unique_ptr<Kernel> prepare_pointwise_loss_grad(Pool &pool, const mpt_mod_call &call) {
    return in_f64(call) ? grad_kernel<double>(pool, call) : grad_kernel<float>(pool, call);
}

static const RegisteredKernel registered_pointwise_loss("pointwise_loss", prepare_pointwise_loss);
static const RegisteredKernel registered_pointwise_loss_grad("pointwise_loss_grad", prepare_pointwise_loss_grad);

}  // namespace mpt::cpu
