// "compare" and "predicate" of device/attrs/: truth values from elements of any dtype.
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>

#include "device/attrs/elementwise.h"
#include "elementwise.h"
#include "isa.h"
#include "kernel.h"

namespace mpt::cpu {
namespace {

template <class C>
using Compare = void (*)(const C *a, const C *b, C *y, std::int64_t n);
template <class C>
using Predicate = void (*)(const C *x, C *y, std::int64_t n);

// Truth as 1 or 0 in the type of the elements, which the store turns into BOOL.
template <class C, int Kind>
void compare_row(const C *a, const C *b, C *y, std::int64_t n) {
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < n; i++) {
        if constexpr (Kind == MPT_COMPARE_EQUAL)
            y[i] = a[i] == b[i] ? C{1} : C{0};
        else if constexpr (Kind == MPT_COMPARE_NOT_EQUAL || Kind == MPT_COMPARE_XOR)
            y[i] = a[i] != b[i] ? C{1} : C{0};
        else if constexpr (Kind == MPT_COMPARE_LESS)
            y[i] = a[i] < b[i] ? C{1} : C{0};
        else if constexpr (Kind == MPT_COMPARE_LESS_EQUAL)
            y[i] = a[i] <= b[i] ? C{1} : C{0};
        else if constexpr (Kind == MPT_COMPARE_GREATER)
            y[i] = a[i] > b[i] ? C{1} : C{0};
        else if constexpr (Kind == MPT_COMPARE_GREATER_EQUAL)
            y[i] = a[i] >= b[i] ? C{1} : C{0};
        else if constexpr (Kind == MPT_COMPARE_AND)
            y[i] = a[i] & b[i];
        else
            y[i] = a[i] | b[i];
    }
}

template <class C>
Compare<C> compare_of(std::int64_t kind) {
    switch (kind) {
        case MPT_COMPARE_EQUAL:
            return Versions<&compare_row<C, MPT_COMPARE_EQUAL>>::best();
        case MPT_COMPARE_NOT_EQUAL:
        case MPT_COMPARE_XOR:
            return Versions<&compare_row<C, MPT_COMPARE_NOT_EQUAL>>::best();
        case MPT_COMPARE_LESS:
            return Versions<&compare_row<C, MPT_COMPARE_LESS>>::best();
        case MPT_COMPARE_LESS_EQUAL:
            return Versions<&compare_row<C, MPT_COMPARE_LESS_EQUAL>>::best();
        case MPT_COMPARE_GREATER:
            return Versions<&compare_row<C, MPT_COMPARE_GREATER>>::best();
        case MPT_COMPARE_GREATER_EQUAL:
            return Versions<&compare_row<C, MPT_COMPARE_GREATER_EQUAL>>::best();
        default:
            break;
    }
    if constexpr (std::is_integral_v<C>) {
        if (kind == MPT_COMPARE_AND) return Versions<&compare_row<C, MPT_COMPARE_AND>>::best();
        if (kind == MPT_COMPARE_OR) return Versions<&compare_row<C, MPT_COMPARE_OR>>::best();
    }
    throw Failure{MPT_ERROR_UNSUPPORTED, "compare: kind " + std::to_string(kind) + " is unknown or not for floats"};
}

template <class C, int Kind>
void predicate_row(const C *x, C *y, std::int64_t n) {
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < n; i++) {
        if constexpr (Kind == MPT_PREDICATE_NAN)
            y[i] = x[i] != x[i] ? C{1} : C{0};
        else if constexpr (Kind == MPT_PREDICATE_INF)
            y[i] = std::fabs(x[i]) == std::numeric_limits<C>::infinity() ? C{1} : C{0};
        else if constexpr (Kind == MPT_PREDICATE_FINITE)
            y[i] = std::fabs(x[i]) < std::numeric_limits<C>::infinity() ? C{1} : C{0};
        else
            y[i] = x[i] == C{0} ? C{1} : C{0};
    }
}

template <class C>
Predicate<C> predicate_of(std::int64_t kind) {
    if (kind == MPT_PREDICATE_NOT) return Versions<&predicate_row<C, MPT_PREDICATE_NOT>>::best();
    if constexpr (std::is_floating_point_v<C>) {
        if (kind == MPT_PREDICATE_NAN) return Versions<&predicate_row<C, MPT_PREDICATE_NAN>>::best();
        if (kind == MPT_PREDICATE_INF) return Versions<&predicate_row<C, MPT_PREDICATE_INF>>::best();
        if (kind == MPT_PREDICATE_FINITE) return Versions<&predicate_row<C, MPT_PREDICATE_FINITE>>::best();
    }
    throw Failure{MPT_ERROR_UNSUPPORTED, "predicate: kind " + std::to_string(kind) + " is unknown or not for integers"};
}

template <class C>
class CompareKernel final : public Kernel {
public:
    CompareKernel(Pool &pool, const mpt_mod_call &call)
        : pool_(pool),
          elements_("compare", call.out[0], {&call.in[0], &call.in[1]}),
          row_(compare_of<C>(attrs_of<mpt_attrs_compare>(call).kind)) {}

    void launch(const void *const *in, void *const *out, void *) override {
        elements_.run(pool_, in, out[0], [this](const C *const *x, C *y, std::int64_t n) { row_(x[0], x[1], y, n); });
    }
    const char *name() const override { return "cpu:compare"; }

private:
    Pool &pool_;
    Elementwise<C, 2> elements_;
    Compare<C> row_;
};

template <class C>
class PredicateKernel final : public Kernel {
public:
    PredicateKernel(Pool &pool, const mpt_mod_call &call)
        : pool_(pool),
          elements_("predicate", call.out[0], {&call.in[0]}),
          row_(predicate_of<C>(attrs_of<mpt_attrs_predicate>(call).kind)) {}

    void launch(const void *const *in, void *const *out, void *) override {
        elements_.run(pool_, in, out[0], [this](const C *const *x, C *y, std::int64_t n) { row_(x[0], y, n); });
    }
    const char *name() const override { return "cpu:predicate"; }

private:
    Pool &pool_;
    Elementwise<C, 1> elements_;
    Predicate<C> row_;
};

template <template <class> class K>
std::unique_ptr<Kernel> prepare(Pool &pool, const mpt_mod_call &call) {
    const std::int32_t dtype = call.in[0].dtype;
    if (dtype == MPT_F64) return std::make_unique<K<double>>(pool, call);
    if (is_float(dtype)) return std::make_unique<K<float>>(pool, call);
    return std::make_unique<K<std::int64_t>>(pool, call);
}

}  // namespace

static const RegisteredKernel registered_compare("compare", prepare<CompareKernel>);
static const RegisteredKernel registered_predicate("predicate", prepare<PredicateKernel>);

}  // namespace mpt::cpu
