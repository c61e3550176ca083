// "binary" of device/attrs/elementwise.h.
#include "device/attrs/elementwise.h"
#include "elementwise.cuh"
#include "quotient.cuh"

namespace mpt::cuda {
namespace {

template <int Kind>
struct Binary {
    __device__ __forceinline__ float operator()(float a, float b) const {
        if constexpr (Kind == MPT_BINARY_ADD) return a + b;
        if constexpr (Kind == MPT_BINARY_SUB) return a - b;
        if constexpr (Kind == MPT_BINARY_MUL) return a * b;
        if constexpr (Kind == MPT_BINARY_DIV) return a / b;
        if constexpr (Kind == MPT_BINARY_EQ) return a == b ? 1 : 0;
        if constexpr (Kind == MPT_BINARY_RELU_GRAD) return b > 0 ? a : 0;
        if constexpr (Kind == MPT_BINARY_MAX) return a > b || a != a ? a : b;
        if constexpr (Kind == MPT_BINARY_MIN) return a < b || a != a ? a : b;
    }
};

// Long functions that are seldom used: one kernel calls whichever it is.
__device__ __noinline__ float long_function(int kind, float a, float b) {
    switch (kind) {
        case MPT_BINARY_POW:
            return powf(a, b);
        case MPT_BINARY_FMOD:
            return fmodf(a, b);
        case MPT_BINARY_REMAINDER:
            return remainder_of(a, b);
        case MPT_BINARY_FLOOR_DIVIDE:
            return floor_quotient(a, b);
        default:
            return atan2f(a, b);
    }
}
struct LongFunction {
    int kind;
    __device__ __forceinline__ float operator()(float a, float b) const { return long_function(kind, a, b); }
};

// Integers wrap, which only unsigned arithmetic promises.
template <class C>
struct OfIntegers {
    int kind;
    __device__ __forceinline__ C operator()(C a, C b) const {
        using W = std::make_unsigned_t<C>;
        switch (kind) {
            case MPT_BINARY_ADD:
                return static_cast<C>(static_cast<W>(a) + static_cast<W>(b));
            case MPT_BINARY_SUB:
                return static_cast<C>(static_cast<W>(a) - static_cast<W>(b));
            case MPT_BINARY_MUL:
                return static_cast<C>(static_cast<W>(a) * static_cast<W>(b));
            case MPT_BINARY_MAX:
                return a > b ? a : b;
            default:
                return a < b ? a : b;
        }
    }
};

template <class C, class T, class F>
std::unique_ptr<Kernel> make(Device &device, const mpt_mod_call &call, F f) {
    const Elementwise<C, T, T, T> elements(device, "binary", call.out[0], {&call.in[0], &call.in[1]});
    return kernel_of("cuda:binary", [f, elements](const void *const *in, void *const *out, void *, cudaStream_t stream) {
        elements.run(stream, f, {in[0], in[1]}, out[0]);
    });
}

template <class T>
std::unique_ptr<Kernel> of_floats(Device &device, const mpt_mod_call &call, int kind) {
    switch (kind) {
        case MPT_BINARY_ADD:
            return make<float, T>(device, call, Binary<MPT_BINARY_ADD>{});
        case MPT_BINARY_SUB:
            return make<float, T>(device, call, Binary<MPT_BINARY_SUB>{});
        case MPT_BINARY_MUL:
            return make<float, T>(device, call, Binary<MPT_BINARY_MUL>{});
        case MPT_BINARY_DIV:
            return make<float, T>(device, call, Binary<MPT_BINARY_DIV>{});
        case MPT_BINARY_EQ:
            return make<float, T>(device, call, Binary<MPT_BINARY_EQ>{});
        case MPT_BINARY_RELU_GRAD:
            return make<float, T>(device, call, Binary<MPT_BINARY_RELU_GRAD>{});
        case MPT_BINARY_MAX:
            return make<float, T>(device, call, Binary<MPT_BINARY_MAX>{});
        case MPT_BINARY_MIN:
            return make<float, T>(device, call, Binary<MPT_BINARY_MIN>{});
        default:
            return make<float, T>(device, call, LongFunction{kind});
    }
}

bool has_integers(std::int64_t kind) {
    return kind == MPT_BINARY_ADD || kind == MPT_BINARY_SUB || kind == MPT_BINARY_MUL || kind == MPT_BINARY_MAX ||
           kind == MPT_BINARY_MIN;
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    const std::int32_t dtype = call.in[0].dtype;
    const std::int64_t kind = attrs_of<mpt_attrs_binary>(call).kind;
    if (kind < MPT_BINARY_ADD || kind > MPT_BINARY_ATAN2)
        throw Failure{MPT_ERROR_UNSUPPORTED, "binary: kind " + std::to_string(kind) + " is unknown"};
    std::unique_ptr<Kernel> kernel;
    if (is_integer(dtype) && dtype != MPT_BOOL && has_integers(kind))
        visit_integer("binary", dtype, [&](auto t) {
            using T = decltype(t);
            using C = std::conditional_t<sizeof(typename T::Stored) == 8, std::int64_t, std::int32_t>;
            if constexpr (T::dtype != MPT_BOOL) kernel = make<C, T>(device, call, OfIntegers<C>{static_cast<int>(kind)});
        });
    else
        visit_float("binary", dtype, [&](auto t) { kernel = of_floats<decltype(t)>(device, call, static_cast<int>(kind)); });
    return kernel;
}
const RegisteredKernel registered("binary", prepare);

}  // namespace
}  // namespace mpt::cuda
