// "binary_grad" of device/attrs/elementwise.h.
#include "device/attrs/elementwise.h"
#include "elementwise.cuh"
#include "quotient.cuh"

namespace mpt::cuda {
namespace {

// The gradients of a; that of b is taken from (dy, b, a).
struct MaxGrad {
    __device__ __forceinline__ float operator()(float dy, float a, float b) const { return a == b ? 0.5f * dy : a < b ? 0 : dy; }
};
struct MinGrad {
    __device__ __forceinline__ float operator()(float dy, float a, float b) const { return a == b ? 0.5f * dy : a > b ? 0 : dy; }
};

// x / (a^2 + b^2), by the larger one so that no square overflows; 0 at the origin [PyTorch] and infinitely far from it.
__device__ inline float over_squares(float x, float a, float b) {
    const float m = fabsf(a) > fabsf(b) || a != a ? fabsf(a) : fabsf(b);  // NaN wins
    if (m == 0 || isinf(m)) return 0;
    const float p = a / m, q = b / m;
    return x / m / (p * p + q * q) / m;
}

// Long functions that are seldom used: one kernel calls whichever it is.
enum class Long { PowByA, PowByB, Fmod, Remainder, Atan2ByA, Atan2ByB };
__device__ __noinline__ float long_gradient(Long which, float dy, float a, float b) {
    switch (which) {
        case Long::PowByA:
            return b == 0 ? 0 : dy * (b * powf(a, b - 1));
        case Long::PowByB:
            return a == 0 && b >= 0 ? 0 : dy * (powf(a, b) * logf(a));
        case Long::Fmod:
            return -dy * truncated_quotient(a, b);
        case Long::Remainder:
            return -dy * floor_quotient(a, b);
        case Long::Atan2ByA:
            return dy * over_squares(b, a, b);
        default:
            return -dy * over_squares(a, a, b);
    }
}
struct LongGrad {
    Long which;
    __device__ __forceinline__ float operator()(float dy, float a, float b) const { return long_gradient(which, dy, a, b); }
};

template <class F>
std::unique_ptr<Kernel> make(Device &device, const mpt_mod_call &call, F f, int a = 1, int b = 2) {
    std::unique_ptr<Kernel> kernel;
    visit_float("binary_grad", call.in[0].dtype, [&](auto t) {
        using T = decltype(t);
        const Elementwise<float, T, T, T, T> elements(device, "binary_grad", call.out[0], {&call.in[0], &call.in[a], &call.in[b]});
        kernel = kernel_of("cuda:binary_grad", [=](const void *const *in, void *const *out, void *, cudaStream_t stream) {
            elements.run(stream, f, {in[0], in[a], in[b]}, out[0]);
        });
    });
    return kernel;
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    const auto &attrs = attrs_of<mpt_attrs_binary_grad>(call);
    const bool by_a = attrs.operand == 0;
    const int a = by_a ? 1 : 2, b = by_a ? 2 : 1;
    switch (attrs.kind) {
        case MPT_BINARY_MAX:
            return make(device, call, MaxGrad{}, a, b);
        case MPT_BINARY_MIN:
            return make(device, call, MinGrad{}, a, b);
        case MPT_BINARY_POW:
            return make(device, call, LongGrad{by_a ? Long::PowByA : Long::PowByB});
        case MPT_BINARY_FMOD:
            return make(device, call, LongGrad{Long::Fmod});
        case MPT_BINARY_REMAINDER:
            return make(device, call, LongGrad{Long::Remainder});
        case MPT_BINARY_ATAN2:
            return make(device, call, LongGrad{by_a ? Long::Atan2ByA : Long::Atan2ByB});
        default:
            throw Failure{MPT_ERROR_UNSUPPORTED, "binary_grad: kind " + std::to_string(attrs.kind) + " is unknown"};
    }
}
const RegisteredKernel registered("binary_grad", prepare);

}  // namespace
}  // namespace mpt::cuda
