// "relu_grad_sum" of device/attrs/fused.h: the columns of a reduction, read through the gradient, which is stored on the way.
#include "reduce_kinds.cuh"

namespace mpt::cuda {
namespace {

template <class T>
struct ReluGradInput {
    using Stored = typename T::Stored;
    const Stored *__restrict__ dy, *__restrict__ y;
    Stored *__restrict__ dx;

    template <int V>
    struct Raw {
        Pack<Stored, V> dy, y;
    };
    template <int V>
    __device__ __forceinline__ Raw<V> raw(std::int64_t at) const {
        return {*reinterpret_cast<const Pack<Stored, V> *>(dy + at), *reinterpret_cast<const Pack<Stored, V> *>(y + at)};
    }
    template <int V>
    __device__ __forceinline__ Pack<Stored, V> value(const Raw<V> &raw, std::int64_t at) const {
        Pack<Stored, V> to;
#pragma unroll
        for (int v = 0; v < V; ++v) to.at[v] = widen<T>(raw.y.at[v]) > 0 ? raw.dy.at[v] : Stored(0.0f);
        *reinterpret_cast<Pack<Stored, V> *>(dx + at) = to;
        return to;
    }
};

std::unique_ptr<Kernel> prepare(Device &, const mpt_mod_call &call) {
    constexpr const char *kName = "relu_grad_sum";
    const mpt_mod_operand &dx = call.out[0], &sum = call.out[1];
    const Fold fold(kName, dx, sum, static_cast<int>(16 / bytes_of(dx.dtype)));
    if (!fold.has_columns()) throw Failure{MPT_ERROR_UNSUPPORTED, std::string(kName) + ": nothing beside each other to add up"};
    const ReduceOutcome outcome{MPT_REDUCE_SUM, sum.dtype, 1, 0};
    std::unique_ptr<Kernel> kernel;
    visit_float(kName, dx.dtype, [&](auto t) {
        using T = decltype(t);
        kernel = kernel_of(
            "cuda:relu_grad_sum",
            [=](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
                using Stored = typename T::Stored;
                const ReluGradInput<T> input{static_cast<const Stored *>(in[0]), static_cast<const Stored *>(in[1]), static_cast<Stored *>(out[0])};
                const bool packed = aligned(in[0], 16) && aligned(in[1], 16) && aligned(out[0], 16);
                fold.run_columns<ReduceSum, T>(stream, outcome, input, packed, nullptr, out[1], workspace);
            },
            static_cast<std::size_t>(fold.partials()) * sizeof(float));
    });
    return kernel;
}
const RegisteredKernel registered("relu_grad_sum", prepare);

}  // namespace
}  // namespace mpt::cuda
