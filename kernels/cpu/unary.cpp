// "unary" of device/attrs.h.
#include <cmath>
#include <string>

#include "elementwise.h"
#include "isa.h"
#include "kernels.h"
#include "relu16.h"
#include "vector_math.h"

namespace mpt::cpu {
namespace {

template <class C>
using Row = void (*)(const C *x, C *y, std::int64_t n, C scale, C shift);

template <class C, int Kind>
inline C value(C x, C scale, C shift) {
    if constexpr (Kind == MPT_UNARY_NEG)
        return -x;
    else if constexpr (Kind == MPT_UNARY_EXP)
        return vexp(x);
    else if constexpr (Kind == MPT_UNARY_LOG)
        return vlog(x);
    else if constexpr (Kind == MPT_UNARY_SQRT)
        return std::sqrt(x);
    else if constexpr (Kind == MPT_UNARY_RELU)
        return x < C{0} ? C{0} : x;  // NaN stays
    else
        return scale * x + shift;
}

template <class C, int Kind>
void unary_row(const C *x, C *y, std::int64_t n, C scale, C shift) {
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < n; i++) y[i] = value<C, Kind>(x[i], scale, shift);
}

template <class C>
Row<C> row_of(std::int64_t kind) {
    switch (kind) {
        case MPT_UNARY_NEG:
            return Versions<&unary_row<C, MPT_UNARY_NEG>>::best();
        case MPT_UNARY_EXP:
            return Versions<&unary_row<C, MPT_UNARY_EXP>>::best();
        case MPT_UNARY_LOG:
            return Versions<&unary_row<C, MPT_UNARY_LOG>>::best();
        case MPT_UNARY_SQRT:
            return Versions<&unary_row<C, MPT_UNARY_SQRT>>::best();
        case MPT_UNARY_RELU:
            return Versions<&unary_row<C, MPT_UNARY_RELU>>::best();
        case MPT_UNARY_AFFINE:
            return Versions<&unary_row<C, MPT_UNARY_AFFINE>>::best();
        default:
            throw Failure{MPT_ERROR_UNSUPPORTED, "unary: kind " + std::to_string(kind) + " is unknown"};
    }
}

template <class C>
class Unary final : public Kernel {
public:
    Unary(Pool &pool, const mpt_mod_call &call)
        : pool_(pool),
          elements_("unary", call.out[0], {&call.in[0]}),
          row_(row_of<C>(attrs_of<mpt_attrs_unary>(call).kind)),
          scale_(static_cast<C>(attrs_of<mpt_attrs_unary>(call).scale)),
          shift_(static_cast<C>(attrs_of<mpt_attrs_unary>(call).shift)) {}

    void launch(const void *const *in, void *const *out, void *) override {
        elements_.run(pool_, in, out[0], [this](const C *const *x, C *y, std::int64_t n) { row_(x[0], y, n, scale_, shift_); });
    }

    const char *name() const override { return "cpu:unary"; }

private:
    Pool &pool_;
    Elementwise<C, 1> elements_;
    Row<C> row_;
    C scale_, shift_;
};

}  // namespace

std::unique_ptr<Kernel> prepare_unary(Pool &pool, const mpt_mod_call &call) {
    if (attrs_of<mpt_attrs_unary>(call).kind == MPT_UNARY_RELU)
        if (auto kernel = prepare_relu16(pool, call)) return kernel;
    if (call.in[0].dtype == MPT_F64) return std::make_unique<Unary<double>>(pool, call);
    return std::make_unique<Unary<float>>(pool, call);
}

}  // namespace mpt::cpu
