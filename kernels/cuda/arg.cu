// "arg" of device/attrs/: element and place become one number, the larger the better and the earlier the better.
#include "any_float.cuh"
#include "device/attrs/sort.h"
#include "fold.cuh"

namespace mpt::cuda {
namespace {

struct Nothing {};

template <bool Largest>
struct Arg {
    using Acc = unsigned long long;
    using Wide = Acc;
    template <class A>
    static __device__ __forceinline__ A start() {
        return 0;  // below every element, whose lower half is never 0
    }
    static __device__ __forceinline__ float centre(float c) { return c; }
    // NaN is the best in both orders, -0 is 0.
    static __device__ __forceinline__ Acc take(Acc acc, float x, float, std::uint32_t index) {
        std::uint32_t key = __float_as_uint(x + 0.0f);
        key ^= static_cast<std::uint32_t>(static_cast<std::int32_t>(key) >> 31) | 0x80000000u;
        if (!Largest) key = ~key;
        if (x != x) key = ~0u;
        return combine(acc, Acc{key} << 32 | ~index);
    }
    static __device__ __forceinline__ Acc combine(Acc a, Acc b) { return a > b ? a : b; }
    static __device__ __forceinline__ void store(const Nothing &, Acc best, std::int64_t at, float, void *y) {
        static_cast<std::int64_t *>(y)[at] = ~static_cast<std::uint32_t>(best);
    }
};

template <bool Largest>
void launch(cudaStream_t stream, const Fold &fold, std::int32_t dtype, const void *x, void *y, void *workspace) {
    visit_float("arg", dtype, [&](auto t) { fold.run<Arg<Largest>, decltype(t)>(stream, Nothing{}, x, nullptr, y, workspace); });
}

std::unique_ptr<Kernel> prepare(Device &, const mpt_mod_call &call) {
    const mpt_mod_operand &x = call.in[0], &y = call.out[0];
    const auto &attrs = attrs_of<mpt_attrs_sort>(call);
    if (attrs.dim < 0 || attrs.dim >= x.ndim || y.dtype != MPT_I64)
        throw Failure{MPT_ERROR_INTERNAL, "arg: the operands do not fit"};
    need_float("arg", x.dtype);
    const Fold fold("arg", x, y, static_cast<int>(16 / bytes_of(x.dtype)));
    const auto run = attrs.descending ? launch<true> : launch<false>;
    return kernel_of(
        "cuda:arg",
        [=, dtype = x.dtype](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
            run(stream, fold, dtype, in[0], out[0], workspace);
        },
        static_cast<std::size_t>(fold.partials()) * sizeof(std::uint64_t));
}
const RegisteredKernel registered("arg", prepare);

}  // namespace
}  // namespace mpt::cuda
