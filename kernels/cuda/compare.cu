// "compare" and "predicate" of device/attrs/elementwise.h: truth values from elements of any dtype.
#include <cmath>

#include "device/attrs/elementwise.h"
#include "elementwise.cuh"

namespace mpt::cuda {
namespace {

// Truth is 1 or 0 in the type compared in, which the store turns into BOOL. A comparison is the set of answers to how a lies to b,
// a bit each, for which it holds: so that all share a kernel without a choice in it.
enum : unsigned { kLess = 1, kEqual = 2, kGreater = 4, kUnordered = 8 };
template <class C>
struct Compare {
    unsigned holds_for;
    __device__ __forceinline__ C operator()(C a, C b) const {
        const unsigned answer = a < b ? kLess : a == b ? kEqual : a > b ? kGreater : kUnordered;
        return (answer & holds_for) != 0 ? 1 : 0;
    }
};
unsigned set_of(std::int64_t kind) {
    switch (kind) {
        case MPT_COMPARE_EQUAL:
            return kEqual;
        case MPT_COMPARE_NOT_EQUAL:
        case MPT_COMPARE_XOR:
            return kLess | kGreater | kUnordered;
        case MPT_COMPARE_LESS:
            return kLess;
        case MPT_COMPARE_LESS_EQUAL:
            return kLess | kEqual;
        case MPT_COMPARE_GREATER:
            return kGreater;
        case MPT_COMPARE_GREATER_EQUAL:
            return kGreater | kEqual;
        default:
            throw Failure{MPT_ERROR_UNSUPPORTED, "compare: kind " + std::to_string(kind) + " is unknown or not for this dtype"};
    }
}

// Of truth values: how many must hold.
struct AtLeast {
    int wanted;
    __device__ __forceinline__ int operator()(int a, int b) const { return a + b >= wanted; }
};

template <class C>
struct Predicate {
    int kind;
    __device__ __forceinline__ C operator()(C x) const {
        if constexpr (std::is_floating_point_v<C>) {
            if (kind == MPT_PREDICATE_NAN) return x != x;
            if (kind == MPT_PREDICATE_INF) return std::isinf(x);
            if (kind == MPT_PREDICATE_FINITE) return std::isfinite(x);
        }
        return x == 0;
    }
};

// f(Format{}, C{}) with the type that elements of the dtype are compared in. This is no arithmetic: f64 too.
template <class F>
void visit_comparable(const char *kernel, std::int32_t dtype, F &&f) {
    if (dtype == MPT_F64)
        f(F64{}, double{});
    else if (is_integer(dtype))
        visit_integer(kernel, dtype, [&](auto t) {
            f(t, std::conditional_t<sizeof(typename decltype(t)::Stored) == 8, std::int64_t, std::int32_t>{});
        });
    else
        visit_float(kernel, dtype, [&](auto t) { f(t, float{}); });
}

template <class C, class T, class F>
std::unique_ptr<Kernel> make_compare(Device &device, const mpt_mod_call &call, F f) {
    const Elementwise<C, Bool, T, T> elements(device, "compare", call.out[0], {&call.in[0], &call.in[1]});
    return kernel_of("cuda:compare", [f, elements](const void *const *in, void *const *out, void *, cudaStream_t stream) {
        elements.run(stream, f, {in[0], in[1]}, out[0]);
    });
}

std::unique_ptr<Kernel> prepare_compare(Device &device, const mpt_mod_call &call) {
    const std::int64_t kind = attrs_of<mpt_attrs_compare>(call).kind;
    const std::int32_t dtype = call.in[0].dtype;
    if (dtype == MPT_BOOL && (kind == MPT_COMPARE_AND || kind == MPT_COMPARE_OR))
        return make_compare<int, Bool>(device, call, AtLeast{kind == MPT_COMPARE_AND ? 2 : 1});
    const unsigned holds_for = set_of(kind);
    std::unique_ptr<Kernel> kernel;
    visit_comparable("compare", dtype, [&](auto t, auto c) {
        using C = decltype(c);
        kernel = make_compare<C, decltype(t)>(device, call, Compare<C>{holds_for});
    });
    return kernel;
}
const RegisteredKernel registered_compare("compare", prepare_compare);

std::unique_ptr<Kernel> prepare_predicate(Device &device, const mpt_mod_call &call) {
    const std::int64_t kind = attrs_of<mpt_attrs_predicate>(call).kind;
    const std::int32_t dtype = call.in[0].dtype;
    if (kind < MPT_PREDICATE_NAN || kind > MPT_PREDICATE_NOT || (kind != MPT_PREDICATE_NOT && is_integer(dtype)))
        throw Failure{MPT_ERROR_UNSUPPORTED, "predicate: kind " + std::to_string(kind) + " is unknown or not for this dtype"};
    std::unique_ptr<Kernel> kernel;
    visit_comparable("predicate", dtype, [&](auto t, auto c) {
        const Predicate<decltype(c)> f{static_cast<int>(kind)};
        const Elementwise<decltype(c), Bool, decltype(t)> elements(device, "predicate", call.out[0], {&call.in[0]});
        kernel = kernel_of("cuda:predicate", [f, elements](const void *const *in, void *const *out, void *, cudaStream_t stream) {
            elements.run(stream, f, {in[0]}, out[0]);
        });
    });
    return kernel;
}
const RegisteredKernel registered_predicate("predicate", prepare_predicate);

}  // namespace
}  // namespace mpt::cuda
