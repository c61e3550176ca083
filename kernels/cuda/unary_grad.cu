// "unary_grad" of device/attrs/elementwise.h.
#include "unary.cuh"

namespace mpt::cuda {
namespace {

template <class Function>
struct Gradient {
    float scale, shift;
    __device__ __forceinline__ float operator()(float dy, float v) const { return Function::gradient(dy, v, scale, shift); }
};

template <class Function>
std::unique_ptr<Kernel> prepare_gradient(Device &device, const mpt_mod_call &call, const mpt_attrs_unary &attrs) {
    std::unique_ptr<Kernel> kernel;
    visit_float("unary_grad", call.in[0].dtype, [&](auto t) {
        using T = decltype(t);
        const Gradient<Function> f{static_cast<float>(attrs.scale), static_cast<float>(attrs.shift)};
        const Elementwise<float, T, T, T> elements(device, "unary_grad", call.out[0], {&call.in[0], &call.in[1]});
        kernel = kernel_of("cuda:unary_grad", [f, elements](const void *const *in, void *const *out, void *, cudaStream_t stream) {
            elements.run(stream, f, {in[0], in[1]}, out[0]);
        });
    });
    return kernel;
}

PrepareUnary gradient_of_power(double exponent) {
    if (exponent == -1) return prepare_gradient<PowMinus1>;
    if (exponent == -0.5) return prepare_gradient<PowMinusHalf>;
    if (exponent == 0.5) return prepare_gradient<PowHalf>;
    if (exponent == 2) return prepare_gradient<Square>;
    if (exponent == 3) return prepare_gradient<Pow3>;
    return prepare_gradient<Pow>;
}

PrepareUnary gradient_of(const mpt_attrs_unary &attrs) {
    switch (attrs.kind) {
        case MPT_UNARY_SQRT:
            return prepare_gradient<Sqrt>;
        case MPT_UNARY_ABS:
            return prepare_gradient<Abs>;
        case MPT_UNARY_SQUARE:
            return prepare_gradient<Square>;
        case MPT_UNARY_RSQRT:
            return prepare_gradient<Rsqrt>;
        case MPT_UNARY_RECIPROCAL:
            return prepare_gradient<Reciprocal>;
        case MPT_UNARY_CLAMP:
            return prepare_gradient<Clamp>;
        case MPT_UNARY_EXP2:
            return prepare_gradient<Exp2>;
        case MPT_UNARY_EXPM1:
            return prepare_gradient<Expm1>;
        case MPT_UNARY_LOG2:
            return prepare_gradient<Log2>;
        case MPT_UNARY_LOG10:
            return prepare_gradient<Log10>;
        case MPT_UNARY_LOG1P:
            return prepare_gradient<Log1p>;
        case MPT_UNARY_ERF:
            return prepare_gradient<Erf>;
        case MPT_UNARY_SIN:
            return prepare_gradient<Sin>;
        case MPT_UNARY_COS:
            return prepare_gradient<Cos>;
        case MPT_UNARY_TAN:
            return prepare_gradient<Tan>;
        case MPT_UNARY_ASIN:
            return prepare_gradient<Asin>;
        case MPT_UNARY_ACOS:
            return prepare_gradient<Acos>;
        case MPT_UNARY_ATAN:
            return prepare_gradient<Atan>;
        case MPT_UNARY_SINH:
            return prepare_gradient<Sinh>;
        case MPT_UNARY_COSH:
            return prepare_gradient<Cosh>;
        case MPT_UNARY_TANH:
            return prepare_gradient<Tanh>;
        case MPT_UNARY_ASINH:
            return prepare_gradient<Asinh>;
        case MPT_UNARY_ACOSH:
            return prepare_gradient<Acosh>;
        case MPT_UNARY_ATANH:
            return prepare_gradient<Atanh>;
        case MPT_UNARY_SIGMOID:
            return prepare_gradient<Sigmoid>;
        case MPT_UNARY_SILU:
            return prepare_gradient<Silu>;
        case MPT_UNARY_SOFTPLUS:
            return prepare_gradient<Softplus>;
        case MPT_UNARY_LEAKY_RELU:
            return prepare_gradient<LeakyRelu>;
        case MPT_UNARY_ELU:
            return prepare_gradient<Elu>;
        case MPT_UNARY_GELU:
            return prepare_gradient<Gelu>;
        case MPT_UNARY_GELU_TANH:
            return prepare_gradient<GeluTanh>;
        case MPT_UNARY_POW:
            return gradient_of_power(attrs.scale);
        default:
            throw Failure{MPT_ERROR_UNSUPPORTED, "unary_grad: kind " + std::to_string(attrs.kind) + " is unknown"};
    }
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    const auto &attrs = attrs_of<mpt_attrs_unary>(call);
    return gradient_of(attrs)(device, call, attrs);
}
const RegisteredKernel registered("unary_grad", prepare);

}  // namespace
}  // namespace mpt::cuda
