// "one_hot" of device/attrs/index.h.
#include <algorithm>

#include "index_read.cuh"
#include "units.cuh"

namespace mpt::cuda {
namespace {

// The third offset of an element is its class. step: of the class along a pack.
template <class U, int V, class I>
__global__ void write_one_hot(Index<3> index, I packs, IndexReader reader, int step, U one, const void *classes, U *out) {
    for (I i = blockIdx.x * I{blockDim.x} + threadIdx.x; i < packs; i += I{gridDim.x} * blockDim.x) {
        std::int64_t at[3];
        index.locate(static_cast<I>(i * V), at);
        const std::int64_t hot = reader.at(classes, at[1]);
        Pack<U, V> y;
#pragma unroll
        for (int v = 0; v < V; ++v) y.at[v] = at[2] + v * step == hot ? one : U{0};
        *reinterpret_cast<Pack<U, V> *>(out + at[0]) = y;
    }
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    const mpt_mod_operand &index = call.in[0], &y = call.out[0];
    if (y.ndim != index.ndim + 1) throw Failure{MPT_ERROR_INTERNAL, "one_hot: the operands do not fit"};
    const int last = y.ndim - 1;
    mpt_mod_operand rows = y, place = y;
    std::copy_n(index.strides, last, rows.strides);
    rows.strides[last] = 0;
    std::fill_n(place.strides, last, 0);
    place.strides[last] = 1;
    const Loop loop("one_hot", {&y, &rows, &place});
    const IndexReader reader("one_hot", index.dtype);
    const uint4 one = encoded("one_hot", y.dtype, 1);
    std::unique_ptr<Kernel> kernel;
    visit_bits(y.dtype, [&](auto u) {
        using U = decltype(u);
        constexpr int kPack = kLargestUnit / sizeof(U);
        // A pack has one index: its elements are classes.
        bool packed = loop.inner_stride(0) == 1 && loop.inner_stride(1) == 0 && loop.inner() % kPack == 0;
        for (int d = 0; d + 1 < loop.ndim; ++d) packed &= loop.strides[0][d] % kPack == 0;
        kernel = kernel_of("cuda:one_hot", [&device, loop, reader, one, packed](const void *const *in, void *const *out, void *,
                                                                                cudaStream_t stream) {
            const bool packs = packed && aligned(out[0], kLargestUnit);
            const std::int64_t count = packs ? loop.count / kPack : loop.count;
            visit_count(loop.count, [&](auto i) {
                using I = decltype(i);
                const auto write = packs ? write_one_hot<U, kPack, I> : write_one_hot<U, 1, I>;
                write<<<blocks_for(device, count, kThreads, 16), kThreads, 0, stream>>>(
                    Index<3>(loop), static_cast<I>(count), reader, static_cast<int>(loop.inner_stride(2)), part_of<U>(one), in[0],
                    static_cast<U *>(out[0]));
            });
            check_launch("one_hot");
        });
    });
    return kernel;
}
const RegisteredKernel registered("one_hot", prepare);

}  // namespace
}  // namespace mpt::cuda
