// "dropout" and "dropout_grad" of device/attrs/dropout.h.
#include <cmath>

#include "device/attrs/dropout.h"
#include "elementwise.cuh"
#include "philox.cuh"
#include "units.cuh"

namespace mpt::cuda {
namespace {

constexpr int kPack = 8;  // elements of a thread: two blocks of random numbers

// Output and mask are one dense row, in which packs are aligned where packs_out says so; index leads to the elements of x. Packed:
// x's elements of a pack lie together.
template <class T, bool Packed, class I>
__global__ void drop(Index<2> index, I count, bool packs_out, std::uint32_t threshold, float scale, const std::uint64_t *state,
                     const typename T::Stored *x, typename T::Stored *y, std::uint8_t *mask) {
    using Elements = Pack<typename T::Stored, kPack>;
    using Mask = Pack<std::uint8_t, kPack>;
    const std::uint64_t seed = state[0], counter = state[1];
    const I packs = count / kPack + (count % kPack != 0);
    for (I i = blockIdx.x * I{blockDim.x} + threadIdx.x; i < packs; i += I{gridDim.x} * blockDim.x) {
        const uint4 numbers[2] = {philox(seed, counter + 2 * std::uint64_t{i}), philox(seed, counter + 2 * std::uint64_t{i} + 1)};
        const I first = i * kPack;
        const bool whole = first + kPack <= count;
        Elements from, to;
        std::int64_t at[2];
        if (Packed && whole) {
            index.locate(first, at);
            from = *reinterpret_cast<const Elements *>(x + at[1]);
        } else {
#pragma unroll
            for (int v = 0; v < kPack; ++v)
                if (first + v < count) {
                    index.locate(static_cast<I>(first + v), at);
                    from.at[v] = x[at[1]];
                }
        }
        Mask kept;
#pragma unroll
        for (int v = 0; v < kPack; ++v) {
            kept.at[v] = lane(numbers[v / 4], v % 4) >> 8 >= threshold;
            to.at[v] = narrow<T>(kept.at[v] ? widen<T>(from.at[v]) * scale : 0.0f);  // not a product: 0 * inf
        }
        if (whole && packs_out) {
            reinterpret_cast<Elements *>(y)[i] = to;
            reinterpret_cast<Mask *>(mask)[i] = kept;
        } else {
#pragma unroll
            for (int v = 0; v < kPack; ++v)
                if (first + v < count) {
                    y[first + v] = to.at[v];
                    mask[first + v] = kept.at[v];
                }
        }
    }
}

float scale_of(const mpt_mod_call &call) {
    return static_cast<float>(1 / (1 - attrs_of<mpt_attrs_dropout>(call).p));
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    const mpt_mod_operand &x = call.in[0], &y = call.out[0], &mask = call.out[1];
    if (!is_dense(y) || !same_layout(y, mask) || mask.dtype != MPT_U8 || x.dtype != y.dtype)
        throw Failure{MPT_ERROR_INTERNAL, "dropout: the mask is not dense beside the result"};
    const Loop loop("dropout", {&y, &x});
    const auto threshold = static_cast<std::uint32_t>(std::ceil(attrs_of<mpt_attrs_dropout>(call).p * 0x1p24));
    bool packed = loop.inner_stride(1) == 1 && (loop.ndim == 1 || loop.inner() % kPack == 0);
    for (int d = 0; d + 1 < loop.ndim; ++d) packed &= loop.strides[1][d] % kPack == 0;
    std::unique_ptr<Kernel> kernel;
    visit_float("dropout", x.dtype, [&](auto t) {
        using T = decltype(t);
        using Stored = typename T::Stored;
        kernel = kernel_of("cuda:dropout", [=, &device, scale = scale_of(call)](const void *const *in, void *const *out, void *,
                                                                                cudaStream_t stream) {
            const bool packs_out = aligned(out[0], kLargestUnit) && aligned(out[1], kPack);
            visit_count(loop.count, [&](auto i) {
                using I = decltype(i);
                const auto run = packed && aligned(in[0], kLargestUnit) ? drop<T, true, I> : drop<T, false, I>;
                run<<<blocks_for(device, (loop.count + kPack - 1) / kPack, kThreads, 16), kThreads, 0, stream>>>(
                    Index<2>(loop), static_cast<I>(loop.count), packs_out, threshold, scale,
                    static_cast<const std::uint64_t *>(in[1]), static_cast<const Stored *>(in[0]), static_cast<Stored *>(out[0]),
                    static_cast<std::uint8_t *>(out[1]));
            });
            check_launch("dropout");
        });
    });
    return kernel;
}

struct Keep {
    float scale;
    __device__ float operator()(float dy, float mask) const { return mask != 0 ? dy * scale : 0.0f; }
};

std::unique_ptr<Kernel> prepare_grad(Device &device, const mpt_mod_call &call) {
    if (call.in[1].dtype != MPT_U8 || call.in[0].dtype != call.out[0].dtype)
        throw Failure{MPT_ERROR_INTERNAL, "dropout_grad: the operands do not fit"};
    std::unique_ptr<Kernel> kernel;
    visit_float("dropout_grad", call.in[0].dtype, [&](auto t) {
        using T = decltype(t);
        const Elementwise<float, T, T, U8> loop(device, "dropout_grad", call.out[0], {&call.in[0], &call.in[1]});
        kernel = kernel_of("cuda:dropout", [loop, keep = Keep{scale_of(call)}](const void *const *in, void *const *out, void *,
                                                                               cudaStream_t stream) {
            loop.run(stream, keep, {in[0], in[1]}, out[0]);
        });
    });
    return kernel;
}

const RegisteredKernel registered("dropout", prepare), registered_grad("dropout_grad", prepare_grad);

}  // namespace
}  // namespace mpt::cuda
