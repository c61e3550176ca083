// "triangle" of device/attrs/shape.h.
#include "device/attrs/shape.h"
#include "units.cuh"

namespace mpt::cuda {
namespace {

struct Part {
    std::int64_t diagonal, step;  // step: how far from the diagonal the next element is more than this one
    bool upper;
    __device__ __forceinline__ bool has(std::int64_t right) const { return upper ? right >= diagonal : right <= diagonal; }
};

// The third offset of an element is its column less its row.
template <class U, int V, class I>
__global__ void keep_triangle(Part part, Index<3> index, I packs, const U *in, U *out) {
    for (I i = blockIdx.x * I{blockDim.x} + threadIdx.x; i < packs; i += I{gridDim.x} * blockDim.x) {
        std::int64_t at[3];
        index.locate(static_cast<I>(i * V), at);
        auto x = *reinterpret_cast<const Pack<U, V> *>(in + at[1]);
#pragma unroll
        for (int v = 0; v < V; ++v) x.at[v] = part.has(at[2] + v * part.step) ? x.at[v] : U{0};
        *reinterpret_cast<Pack<U, V> *>(out + at[0]) = x;
    }
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    const mpt_mod_operand &x = call.in[0], &y = call.out[0];
    const auto &attrs = attrs_of<mpt_attrs_triangle>(call);
    if (x.dtype != y.dtype || y.ndim < 2) throw Failure{MPT_ERROR_INTERNAL, "triangle: the operands do not fit"};
    mpt_mod_operand right = y;
    for (int d = 0; d < y.ndim; ++d) right.strides[d] = d == y.ndim - 1 ? 1 : d == y.ndim - 2 ? -1 : 0;
    const Loop loop("triangle", {&y, &x, &right});
    const Part part{attrs.diagonal, loop.inner_stride(2), attrs.upper != 0};
    std::unique_ptr<Kernel> kernel;
    visit_bits(y.dtype, [&](auto u) {
        using U = decltype(u);
        constexpr int kPack = kLargestUnit / sizeof(U);
        bool packed = loop.inner() % kPack == 0;
        for (int k = 0; k < 2; ++k) {
            packed &= loop.inner_stride(k) == 1;
            for (int d = 0; d + 1 < loop.ndim; ++d) packed &= loop.strides[k][d] % kPack == 0;
        }
        kernel = kernel_of(
            "cuda:triangle", [&device, part, loop, packed](const void *const *in, void *const *out, void *, cudaStream_t stream) {
                const bool packs = packed && aligned(in[0], kLargestUnit) && aligned(out[0], kLargestUnit);
                const std::int64_t count = packs ? loop.count / kPack : loop.count;
                visit_count(loop.count, [&](auto i) {
                    using I = decltype(i);
                    const auto keep = packs ? keep_triangle<U, kPack, I> : keep_triangle<U, 1, I>;
                    keep<<<blocks_for(device, count, kThreads, 16), kThreads, 0, stream>>>(
                        part, Index<3>(loop), static_cast<I>(count), static_cast<const U *>(in[0]), static_cast<U *>(out[0]));
                });
                check_launch("triangle");
            });
    });
    return kernel;
}
const RegisteredKernel registered("triangle", prepare);

}  // namespace
}  // namespace mpt::cuda
