// "unary" and "unary_grad" of device/attrs/.
#include "unary.h"

#include <string>

#include "device/attrs/elementwise.h"
#include "elementwise.h"
#include "kernel.h"
#include "relu16.h"

namespace mpt::cpu {
namespace {

UnaryFunction function_of(const mpt_attrs_unary &attrs) {
    if (attrs.kind == MPT_UNARY_POW) return power_function(attrs.scale);
    for (const auto find : {arithmetic_function, exponential_function, trigonometric_function, activation_function})
        if (const UnaryFunction found = find(attrs.kind); found.f32.value) return found;
    return {};
}

[[noreturn]] void unknown(const char *kernel, std::int64_t kind) {
    throw Failure{MPT_ERROR_UNSUPPORTED, std::string(kernel) + ": kind " + std::to_string(kind) + " is unknown"};
}

template <class C>
UnaryRows<C> rows_of(const mpt_attrs_unary &attrs) {
    const UnaryFunction function = function_of(attrs);
    if constexpr (sizeof(C) == sizeof(double))
        return function.f64;
    else
        return function.f32;
}

template <class C>
class Unary final : public Kernel {
public:
    Unary(Pool &pool, const mpt_mod_call &call, const mpt_attrs_unary &attrs)
        : pool_(pool),
          elements_("unary", call.out[0], {&call.in[0]}),
          row_(rows_of<C>(attrs).value),
          scale_(static_cast<C>(attrs.scale)),
          shift_(static_cast<C>(attrs.shift)) {
        if (!row_) unknown("unary", attrs.kind);
    }

    void launch(const void *const *in, void *const *out, void *) override {
        elements_.run(pool_, in, out[0], [this](const C *const *x, C *y, std::int64_t n) { row_(x[0], y, n, scale_, shift_); });
    }

    const char *name() const override { return "cpu:unary"; }

private:
    Pool &pool_;
    Elementwise<C, 1> elements_;
    ValueRow<C> row_;
    C scale_, shift_;
};

template <class C>
class UnaryGrad final : public Kernel {
public:
    UnaryGrad(Pool &pool, const mpt_mod_call &call, const mpt_attrs_unary &attrs)
        : pool_(pool),
          elements_("unary_grad", call.out[0], {&call.in[0], &call.in[1]}),
          row_(rows_of<C>(attrs).gradient),
          scale_(static_cast<C>(attrs.scale)),
          shift_(static_cast<C>(attrs.shift)) {
        if (!row_) unknown("unary_grad", attrs.kind);
    }

    void launch(const void *const *in, void *const *out, void *) override {
        elements_.run(pool_, in, out[0],
                      [this](const C *const *x, C *dx, std::int64_t n) { row_(x[0], x[1], dx, n, scale_, shift_); });
    }

    const char *name() const override { return "cpu:unary_grad"; }

private:
    Pool &pool_;
    Elementwise<C, 2> elements_;
    GradRow<C> row_;
    C scale_, shift_;
};

}  // namespace

static std::unique_ptr<Kernel> prepare_unary(Pool &pool, const mpt_mod_call &call) {
    const auto &attrs = attrs_of<mpt_attrs_unary>(call);
    if (attrs.kind == MPT_UNARY_RELU)
        if (auto kernel = prepare_relu16(pool, call)) return kernel;
    if (call.in[0].dtype == MPT_F64) return std::make_unique<Unary<double>>(pool, call, attrs);
    return std::make_unique<Unary<float>>(pool, call, attrs);
}

static std::unique_ptr<Kernel> prepare_unary_grad(Pool &pool, const mpt_mod_call &call) {
    const auto &attrs = attrs_of<mpt_attrs_unary>(call);
    if (call.in[0].dtype == MPT_F64) return std::make_unique<UnaryGrad<double>>(pool, call, attrs);
    return std::make_unique<UnaryGrad<float>>(pool, call, attrs);
}

static const RegisteredKernel registered_unary("unary", prepare_unary);
static const RegisteredKernel registered_unary_grad("unary_grad", prepare_unary_grad);

}  // namespace mpt::cpu
