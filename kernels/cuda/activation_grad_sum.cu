// "activation_grad_sum" of device/attrs/fused.h: the columns of a reduction, read through the gradient, which is stored on the way.
#include "device/attrs/fused.h"
#include "reduce_kinds.cuh"
#include "unary.cuh"

namespace mpt::cuda {
namespace {

struct ReluOfOutput {
    static __device__ __forceinline__ float gradient(float dy, float y, float, float) { return y > 0 ? dy : 0; }
};

template <class T, class Function>
struct GradientInput {
    using Stored = typename T::Stored;
    const Stored *__restrict__ dy, *__restrict__ v;
    Stored *__restrict__ dx;

    template <int V>
    struct Raw {
        Pack<Stored, V> dy, v;
    };
    template <int V>
    __device__ __forceinline__ Raw<V> raw(std::int64_t at) const {
        return {*reinterpret_cast<const Pack<Stored, V> *>(dy + at), *reinterpret_cast<const Pack<Stored, V> *>(v + at)};
    }
    template <int V>
    __device__ __forceinline__ Pack<Stored, V> value(const Raw<V> &raw, std::int64_t at) const {
        Pack<Stored, V> to;
#pragma unroll
        for (int i = 0; i < V; ++i) to.at[i] = narrow<T>(Function::gradient(widen<T>(raw.dy.at[i]), widen<T>(raw.v.at[i]), 0, 0));
        *reinterpret_cast<Pack<Stored, V> *>(dx + at) = to;
        return to;
    }
};

constexpr const char *kName = "activation_grad_sum";

template <class Function>
std::unique_ptr<Kernel> make(const mpt_mod_call &call, const Fold &fold, const ReduceOutcome &outcome) {
    std::unique_ptr<Kernel> kernel;
    visit_float(kName, call.out[0].dtype, [&](auto t) {
        using T = decltype(t);
        kernel = kernel_of(
            "cuda:activation_grad_sum",
            [=](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
                using Stored = typename T::Stored;
                const GradientInput<T, Function> input{static_cast<const Stored *>(in[0]), static_cast<const Stored *>(in[1]),
                                                       static_cast<Stored *>(out[0])};
                const bool packed = aligned(in[0], 16) && aligned(in[1], 16) && aligned(out[0], 16);
                fold.run_columns<ReduceSum, T>(stream, outcome, input, packed, nullptr, out[1], workspace);
            },
            static_cast<std::size_t>(fold.partials()) * sizeof(float));
    });
    return kernel;
}

std::unique_ptr<Kernel> prepare(Device &, const mpt_mod_call &call) {
    const mpt_mod_operand &dx = call.out[0], &sum = call.out[1];
    const auto &attrs = attrs_of<mpt_attrs_activation_grad_sum>(call);
    const Fold fold(kName, dx, sum, static_cast<int>(16 / bytes_of(dx.dtype)));
    if (!fold.has_columns()) throw Failure{MPT_ERROR_UNSUPPORTED, std::string(kName) + ": nothing beside each other to add up"};
    const ReduceOutcome outcome{MPT_REDUCE_SUM, sum.dtype, 1, 0};
    if (attrs.relu != 0) return make<ReluOfOutput>(call, fold, outcome);
    switch (attrs.unary.kind) {
        case MPT_UNARY_GELU:
            return make<Gelu>(call, fold, outcome);
        case MPT_UNARY_GELU_TANH:
            return make<GeluTanh>(call, fold, outcome);
        case MPT_UNARY_SILU:
            return make<Silu>(call, fold, outcome);
        default:
            throw Failure{MPT_ERROR_UNSUPPORTED, std::string(kName) + ": another activation"};
    }
}
const RegisteredKernel registered(kName, prepare);

}  // namespace
}  // namespace mpt::cuda
