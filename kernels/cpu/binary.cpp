// "binary" of device/attrs/.
#include <cmath>
#include <cstdint>
#include <string>
#include <type_traits>

#include "device/attrs/elementwise.h"
#include "elementwise.h"
#include "isa.h"
#include "kernel.h"
#include "quotient.h"
#include "relu16.h"

namespace mpt::cpu {
namespace {

template <class C>
using Row = void (*)(const C *a, const C *b, C *y, std::int64_t n);

template <class C, int Kind>
inline C value(C a, C b) {
    // Integers wrap, which only unsigned arithmetic promises.
    using W = typename std::conditional_t<std::is_integral_v<C>, std::make_unsigned<std::int64_t>, std::type_identity<C>>::type;
    if constexpr (Kind == MPT_BINARY_ADD)
        return static_cast<C>(static_cast<W>(a) + static_cast<W>(b));
    else if constexpr (Kind == MPT_BINARY_SUB)
        return static_cast<C>(static_cast<W>(a) - static_cast<W>(b));
    else if constexpr (Kind == MPT_BINARY_MUL)
        return static_cast<C>(static_cast<W>(a) * static_cast<W>(b));
    else if constexpr (Kind == MPT_BINARY_DIV)
        return a / b;
    else if constexpr (Kind == MPT_BINARY_EQ)
        return a == b ? C{1} : C{0};
    else if constexpr (Kind == MPT_BINARY_RELU_GRAD)
        return b > C{0} ? a : C{0};
    else if constexpr (Kind == MPT_BINARY_MAX)
        return a > b || a != a ? a : b;
    else if constexpr (Kind == MPT_BINARY_MIN)
        return a < b || a != a ? a : b;
    else if constexpr (Kind == MPT_BINARY_POW)
        return std::pow(a, b);
    else if constexpr (Kind == MPT_BINARY_FMOD)
        return std::fmod(a, b);
    else if constexpr (Kind == MPT_BINARY_REMAINDER)
        return remainder(a, b);
    else if constexpr (Kind == MPT_BINARY_FLOOR_DIVIDE)
        return floor_quotient(a, b);
    else
        return std::atan2(a, b);
}

template <class C, int Kind>
void binary_row(const C *a, const C *b, C *y, std::int64_t n) {
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < n; i++) y[i] = value<C, Kind>(a[i], b[i]);
}

template <class C>
Row<C> row_of(std::int64_t kind) {
    switch (kind) {
        case MPT_BINARY_ADD:
            return Versions<&binary_row<C, MPT_BINARY_ADD>>::best();
        case MPT_BINARY_SUB:
            return Versions<&binary_row<C, MPT_BINARY_SUB>>::best();
        case MPT_BINARY_MUL:
            return Versions<&binary_row<C, MPT_BINARY_MUL>>::best();
        case MPT_BINARY_MAX:
            return Versions<&binary_row<C, MPT_BINARY_MAX>>::best();
        case MPT_BINARY_MIN:
            return Versions<&binary_row<C, MPT_BINARY_MIN>>::best();
        default:
            break;
    }
    if constexpr (std::is_floating_point_v<C>) {
        switch (kind) {
            case MPT_BINARY_DIV:
                return Versions<&binary_row<C, MPT_BINARY_DIV>>::best();
            case MPT_BINARY_EQ:
                return Versions<&binary_row<C, MPT_BINARY_EQ>>::best();
            case MPT_BINARY_RELU_GRAD:
                return Versions<&binary_row<C, MPT_BINARY_RELU_GRAD>>::best();
            // libm for every element: one version.
            case MPT_BINARY_POW:
                return binary_row<C, MPT_BINARY_POW>;
            case MPT_BINARY_FMOD:
                return binary_row<C, MPT_BINARY_FMOD>;
            case MPT_BINARY_REMAINDER:
                return binary_row<C, MPT_BINARY_REMAINDER>;
            case MPT_BINARY_FLOOR_DIVIDE:
                return binary_row<C, MPT_BINARY_FLOOR_DIVIDE>;
            case MPT_BINARY_ATAN2:
                return binary_row<C, MPT_BINARY_ATAN2>;
            default:
                break;
        }
    }
    throw Failure{MPT_ERROR_UNSUPPORTED, "binary: kind " + std::to_string(kind) + " is unknown or not for integers"};
}

template <class C>
class Binary final : public Kernel {
public:
    Binary(Pool &pool, const mpt_mod_call &call)
        : pool_(pool),
          elements_("binary", call.out[0], {&call.in[0], &call.in[1]}),
          row_(row_of<C>(attrs_of<mpt_attrs_binary>(call).kind)) {}

    void launch(const void *const *in, void *const *out, void *) override {
        elements_.run(pool_, in, out[0], [this](const C *const *x, C *y, std::int64_t n) { row_(x[0], x[1], y, n); });
    }

    const char *name() const override { return "cpu:binary"; }

private:
    Pool &pool_;
    Elementwise<C, 2> elements_;
    Row<C> row_;
};

}  // namespace

static std::unique_ptr<Kernel> prepare_binary(Pool &pool, const mpt_mod_call &call) {
    const std::int32_t dtype = call.in[0].dtype;
    if (attrs_of<mpt_attrs_binary>(call).kind == MPT_BINARY_RELU_GRAD)
        if (auto kernel = prepare_relu_grad16(pool, call)) return kernel;
    if (dtype == MPT_BOOL) unsupported_dtype("binary", dtype);
    if (dtype == MPT_F64) return std::make_unique<Binary<double>>(pool, call);
    if (is_float(dtype)) return std::make_unique<Binary<float>>(pool, call);
    return std::make_unique<Binary<std::int64_t>>(pool, call);
}

static const RegisteredKernel registered_binary("binary", prepare_binary);

}  // namespace mpt::cpu
