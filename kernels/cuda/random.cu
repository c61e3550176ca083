// "random" and "random_advance" of device/attrs/data.h.
#include "device/attrs/data.h"
#include "philox.cuh"
#include "units.cuh"

namespace mpt::cuda {
namespace {

__device__ __forceinline__ float unit(std::uint32_t lane) {
    return static_cast<float>(lane >> 8) * 0x1p-24f;
}

// a + b * x with the CPU's two roundings.
__device__ __forceinline__ float scaled(float a, float b, float x) {
    return __fadd_rn(a, __fmul_rn(b, x));
}

__device__ __forceinline__ float4 numbers(const uint4 &block, bool normal, float a, float b) {
    if (!normal)
        return {scaled(a, b, unit(block.x)), scaled(a, b, unit(block.y)), scaled(a, b, unit(block.z)), scaled(a, b, unit(block.w))};
    float4 x;
    const auto pair = [&](std::uint32_t first, std::uint32_t second, float &cosine, float &sine) {
        const float r = sqrtf(-2.0f * logf(unit(first) + 0x1p-24f));
        sincospif(2 * unit(second), &sine, &cosine);
        cosine = scaled(a, b, r * cosine);
        sine = scaled(a, b, r * sine);
    };
    pair(block.x, block.y, x.x, x.y);
    pair(block.z, block.w, x.z, x.w);
    return x;
}

struct Numbers {
    std::int64_t offset;
    bool normal;
    float a, b;
};

// A thread makes a block of numbers. Dense: elements lie in memory in logical order; else the second offsets of index are theirs.
template <class T, bool Dense, class I>
__global__ void fill_random(Numbers what, Index<2> index, I count, const std::uint64_t *state, typename T::Stored *out) {
    const std::uint64_t seed = state[0], counter = state[1] + static_cast<std::uint64_t>(what.offset);
    const I blocks = count / 4 + (count % 4 != 0);
    for (I i = blockIdx.x * I{blockDim.x} + threadIdx.x; i < blocks; i += I{gridDim.x} * blockDim.x) {
        const float4 x = numbers(philox(seed, counter + i), what.normal, what.a, what.b);
        const Pack<typename T::Stored, 4> y{narrow<T>(x.x), narrow<T>(x.y), narrow<T>(x.z), narrow<T>(x.w)};
        if (Dense && 4 * i + 4 <= count) {
            reinterpret_cast<Pack<typename T::Stored, 4> *>(out)[i] = y;
            continue;
        }
#pragma unroll
        for (unsigned v = 0; v < 4; ++v) {
            const I element = 4 * i + v;
            if (element >= count) break;
            std::int64_t at[2];
            index.locate(element, at);
            out[at[1]] = y.at[v];
        }
    }
}

// "random" stores f64, too: the numbers are f32's.
template <class F>
void visit_stored(std::int32_t dtype, F &&f) {
    if (dtype == MPT_F64) return f(F64{});
    visit_float("random", dtype, f);
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    const mpt_mod_operand &y = call.out[0];
    const auto &attrs = attrs_of<mpt_attrs_random>(call);
    if (attrs.kind != MPT_RANDOM_UNIFORM && attrs.kind != MPT_RANDOM_NORMAL)
        throw Failure{MPT_ERROR_UNSUPPORTED, "random: kind " + std::to_string(attrs.kind) + " is unknown"};
    const bool normal = attrs.kind == MPT_RANDOM_NORMAL;
    const Numbers what{attrs.offset, normal, static_cast<float>(attrs.a), static_cast<float>(normal ? attrs.b : attrs.b - attrs.a)};
    const mpt_mod_operand order = row_major(y);
    const Loop loop("random", {&order, &y});
    const bool dense = loop.ndim == 1 && loop.inner_stride(1) == 1;
    std::unique_ptr<Kernel> kernel;
    visit_stored(y.dtype, [&](auto t) {
        using T = decltype(t);
        using Stored = typename T::Stored;
        kernel = kernel_of(
            "cuda:philox", [&device, what, loop, dense](const void *const *in, void *const *out, void *, cudaStream_t stream) {
                const unsigned blocks = blocks_for(device, (loop.count + 3) / 4, kThreads, 16);
                visit_count(loop.count, [&](auto i) {
                    using I = decltype(i);
                    const auto fill =
                        dense && aligned(out[0], alignof(Pack<Stored, 4>)) ? fill_random<T, true, I> : fill_random<T, false, I>;
                    fill<<<blocks, kThreads, 0, stream>>>(what, Index<2>(loop), static_cast<I>(loop.count),
                                                          static_cast<const std::uint64_t *>(in[0]), static_cast<Stored *>(out[0]));
                });
                check_launch("random");
            });
    });
    return kernel;
}

__global__ void advance(std::uint64_t *state, std::uint64_t blocks) {
    state[1] += blocks;
}

std::unique_ptr<Kernel> prepare_advance(Device &, const mpt_mod_call &call) {
    const auto blocks = static_cast<std::uint64_t>(attrs_of<mpt_attrs_random_advance>(call).blocks);
    return kernel_of("cuda:random_advance", [blocks](const void *const *, void *const *out, void *, cudaStream_t stream) {
        advance<<<1, 1, 0, stream>>>(static_cast<std::uint64_t *>(out[0]), blocks);
        check_launch("random_advance");
    });
}

const RegisteredKernel registered("random", prepare), registered_advance("random_advance", prepare_advance);

}  // namespace
}  // namespace mpt::cuda
