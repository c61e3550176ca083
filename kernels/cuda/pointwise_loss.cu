// "pointwise_loss" and "pointwise_loss_grad" of device/attrs/loss.h. Formats and kinds are uniform branches: the kernels wait for
// memory anyway, and operands mix freely. Reduced losses are added up per block, then over the blocks, in f64.
#include <array>
#include <type_traits>

#include "any_float.cuh"
#include "index.cuh"
#include "pointwise_loss.cuh"
#include "reduction.cuh"

namespace mpt::cuda {
namespace {

constexpr int kPack = 8;

// A loop over operands of formats of their own.
template <int K>
struct Places {
    Places(const Loop &loop, const std::array<std::int32_t, K> &formats)
        : index(loop), count(loop.count), small_count(small(loop.count)) {
        well = loop.inner() % kPack == 0 || loop.ndim == 1;  // a single row may have a tail
        for (int k = 0; k < K; ++k) {
            dtype[k] = formats[k];
            repeats[k] = loop.inner_stride(k) == 0;
            well &= repeats[k] || loop.inner_stride(k) == 1;
            for (int d = 0; d + 1 < loop.ndim; ++d) well &= repeats[k] || loop.strides[k][d] % kPack == 0;
        }
    }
    // Whether it may be taken kPack elements at a time.
    bool packs(const std::array<const void *, K> &addresses) const {
        bool all = well;
        for (int k = 0; k < K; ++k) all &= repeats[k] || aligned(addresses[k], 16);
        return all;
    }
    __device__ __forceinline__ void locate(std::int64_t i, std::int64_t (&offset)[K]) const {
        if (small_count)
            index.locate(static_cast<std::uint32_t>(i), offset);
        else
            index.locate(static_cast<std::uint64_t>(i), offset);
    }
    template <int V>
    __device__ __forceinline__ Fetched<V> fetch(int k, const void *base, const std::int64_t (&offset)[K]) const {
        if (V == 1 || !repeats[k]) return cuda::fetch<V>(base, dtype[k], offset[k]);
        const std::uint32_t one = cuda::fetch<1>(base, dtype[k], offset[k]).bits[0],
                            both = dtype[k] == MPT_F32 ? one : one << 16 | one;
        Fetched<V> x;
#pragma unroll
        for (int v = 0; v < V; ++v) x.bits[v] = both;
        return x;
    }

    Index<K> index;
    std::int64_t count;
    std::int32_t dtype[K];
    bool repeats[K];  // one element for a whole row
    bool small_count, well;
};

struct Kind {
    int kind, side;
    float parameter, factor;
};

template <int V>
__device__ __forceinline__ void losses(const Kind &kind, const float (&p)[V], const float (&t)[V], float (&y)[V]) {
    visit_loss(kind.kind, [&](auto loss) {
#pragma unroll
        for (int v = 0; v < V; ++v) y[v] = loss.value(p[v], t[v], kind.parameter);
    });
}

// f(first element, V of it as a constant) for all packs, and for the elements behind the last one by one.
template <int V, class F>
__device__ __forceinline__ void each_pack(std::int64_t count, F &&f) {
    const std::int64_t thread = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
    for (std::int64_t i = thread; i < count / V; i += std::int64_t{gridDim.x} * blockDim.x)
        f(i * V, std::integral_constant<int, V>());
    if (V > 1 && thread < count % V) f(count / V * V + thread, std::integral_constant<int, 1>());
}

// Operands: the loss, p, t.
template <int Packed>
__global__ void element_losses(Places<3> places, Kind kind, void *out, const void *prediction, const void *target) {
    each_pack<Packed>(places.count, [&](std::int64_t i, auto v) {
        constexpr int V = decltype(v)::value;
        std::int64_t offset[3];
        places.locate(i, offset);
        const Fetched<V> of_p = places.template fetch<V>(1, prediction, offset), of_t = places.template fetch<V>(2, target, offset);
        float p[V], t[V], y[V];
        widen(of_p, places.dtype[1], p);
        widen(of_t, places.dtype[2], t);
        losses(kind, p, t, y);
        store_any(out, MPT_F32, offset[0], y);
    });
}

// The sums of the blocks; that of a block that is alone is the result.
__device__ __forceinline__ void finish(double sum, double divisor, double *of_blocks, float *out) {
    __shared__ double scratch[32];
    sum = block_reduce(sum, Add(), 0.0, scratch);
    if (threadIdx.x != 0) return;
    if (gridDim.x == 1)
        *out = static_cast<float>(sum / divisor);
    else
        of_blocks[blockIdx.x] = sum;
}

// Operands: p, t.
template <int Packed>
__global__ void sum_losses(Places<2> places, Kind kind, const void *prediction, const void *target, double divisor,
                           double *of_blocks, float *out) {
    double sum = 0;
    each_pack<Packed>(places.count, [&](std::int64_t i, auto v) {
        constexpr int V = decltype(v)::value;
        std::int64_t offset[2];
        places.locate(i, offset);
        const Fetched<V> of_p = places.template fetch<V>(0, prediction, offset), of_t = places.template fetch<V>(1, target, offset);
        float p[V], t[V], y[V];
        widen(of_p, places.dtype[0], p);
        widen(of_t, places.dtype[1], t);
        losses(kind, p, t, y);
#pragma unroll
        for (int half = V / 2; half > 0; half /= 2)
#pragma unroll
            for (int k = 0; k < half; ++k) y[k] += y[k + half];
        sum += static_cast<double>(y[0]);
    });
    finish(sum, divisor, of_blocks, out);
}

__global__ void add_blocks(double *of_blocks, unsigned blocks, double divisor, float *out) {
    double sum = 0;
    for (unsigned i = threadIdx.x; i < blocks; i += blockDim.x) sum += of_blocks[i];
    finish(sum, divisor, nullptr, out);
}

// Operands: the gradient, p, t, the gradient of the loss.
template <int Packed>
__global__ void gradients(Places<4> places, Kind kind, void *out, const void *prediction, const void *target,
                          const void *gradient) {
    each_pack<Packed>(places.count, [&](std::int64_t i, auto v) {
        constexpr int V = decltype(v)::value;
        std::int64_t offset[4];
        places.locate(i, offset);
        const Fetched<V> of_p = places.template fetch<V>(1, prediction, offset), of_t = places.template fetch<V>(2, target, offset),
                         of_g = places.template fetch<V>(3, gradient, offset);
        float p[V], t[V], g[V], y[V];
        widen(of_p, places.dtype[1], p);
        widen(of_t, places.dtype[2], t);
        widen(of_g, MPT_F32, g);
        visit_loss(kind.kind, [&](auto loss) {
            if (kind.side == 0)
#pragma unroll
                for (int k = 0; k < V; ++k) y[k] = loss.of_prediction(p[k], t[k], kind.parameter);
            else
#pragma unroll
                for (int k = 0; k < V; ++k) y[k] = loss.of_target(p[k], t[k], kind.parameter);
        });
#pragma unroll
        for (int k = 0; k < V; ++k) y[k] *= g[k] * kind.factor;
        store_any(out, places.dtype[0], offset[0], y);
    });
}

// What the sum of elements of this form is divided by.
double divisor_of(std::int64_t reduction, const mpt_mod_operand &x) {
    if (reduction == MPT_REDUCTION_MEAN) return static_cast<double>(numel(x));
    return reduction == MPT_REDUCTION_BATCH_MEAN ? static_cast<double>(x.shape[0]) : 1;
}

Kind kind_of(const mpt_mod_call &call) {
    const auto &attrs = attrs_of<mpt_attrs_pointwise_loss>(call);
    if (attrs.kind < MPT_LOSS_MSE || attrs.kind > MPT_LOSS_COSINE || (attrs.kind == MPT_LOSS_COSINE && attrs.side != 0))
        throw Failure{MPT_ERROR_INTERNAL, "pointwise_loss: there is no such kind or side"};
    for (int k = 0; k < 2; ++k) need_float(call.kernel, call.in[k].dtype);
    return {attrs.kind, attrs.side, static_cast<float>(attrs.parameter),
            static_cast<float>(1 / divisor_of(attrs.reduction, call.in[0]))};
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    const Kind kind = kind_of(call);
    const std::int64_t reduction = attrs_of<mpt_attrs_pointwise_loss>(call).reduction;
    const mpt_mod_operand &p = call.in[0], &t = call.in[1], &loss = call.out[0];
    if (loss.dtype != MPT_F32) unsupported_dtype(call.kernel, loss.dtype);
    if (reduction == MPT_REDUCTION_NONE) {
        const Places<3> places(Loop(call.kernel, {&loss, &p, &t}), {MPT_F32, p.dtype, t.dtype});
        return kernel_of("cuda:pointwise_loss", [=, &device](const void *const *in, void *const *out, void *, cudaStream_t stream) {
            const bool packs = places.packs({out[0], in[0], in[1]});
            const unsigned grid = blocks_for(device, places.count / (packs ? kPack : 1), kThreads, 32);
            if (packs)
                element_losses<kPack><<<grid, kThreads, 0, stream>>>(places, kind, out[0], in[0], in[1]);
            else
                element_losses<1><<<grid, kThreads, 0, stream>>>(places, kind, out[0], in[0], in[1]);
            check_launch("pointwise_loss");
        });
    }
    const Places<2> places(Loop(call.kernel, {&p, &t}), {p.dtype, t.dtype});
    const double divisor = divisor_of(reduction, p);
    const std::size_t bytes = blocks_for(device, places.count) * sizeof(double);
    const auto launch = [=, &device](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
        auto *of_blocks = static_cast<double *>(workspace);
        auto *result = static_cast<float *>(out[0]);
        const bool packs = places.packs({in[0], in[1]});
        const unsigned grid = blocks_for(device, places.count / (packs ? kPack : 1));
        if (packs)
            sum_losses<kPack><<<grid, kThreads, 0, stream>>>(places, kind, in[0], in[1], divisor, of_blocks, result);
        else
            sum_losses<1><<<grid, kThreads, 0, stream>>>(places, kind, in[0], in[1], divisor, of_blocks, result);
        check_launch("pointwise_loss");
        if (grid > 1) {
            add_blocks<<<1, kThreads, 0, stream>>>(of_blocks, grid, divisor, result);
            check_launch("pointwise_loss");
        }
    };
    return kernel_of("cuda:pointwise_loss", launch, bytes);
}

std::unique_ptr<Kernel> prepare_grad(Device &device, const mpt_mod_call &call) {
    Kind kind = kind_of(call);
    const mpt_mod_operand &p = call.in[0], &t = call.in[1], &out_form = call.out[0];
    need_float(call.kernel, out_form.dtype);
    if (call.in[2].dtype != MPT_F32) unsupported_dtype(call.kernel, call.in[2].dtype);
    if (attrs_of<mpt_attrs_pointwise_loss>(call).reduction == MPT_REDUCTION_NONE) kind.factor = 1;
    const mpt_mod_operand gradient = expanded(call.in[2], out_form);
    const Places<4> places(Loop(call.kernel, {&out_form, &p, &t, &gradient}), {out_form.dtype, p.dtype, t.dtype, MPT_F32});
    return kernel_of("cuda:pointwise_loss_grad",
                     [=, &device](const void *const *in, void *const *out, void *, cudaStream_t stream) {
                         const bool packs = places.packs({out[0], in[0], in[1], in[2]});
                         const unsigned grid = blocks_for(device, places.count / (packs ? kPack : 1), kThreads, 32);
                         if (packs)
                             gradients<kPack><<<grid, kThreads, 0, stream>>>(places, kind, out[0], in[0], in[1], in[2]);
                         else
                             gradients<1><<<grid, kThreads, 0, stream>>>(places, kind, out[0], in[0], in[1], in[2]);
                         check_launch("pointwise_loss_grad");
                     });
}
const RegisteredKernel registered("pointwise_loss", prepare);
const RegisteredKernel registered_grad("pointwise_loss_grad", prepare_grad);

}  // namespace
}  // namespace mpt::cuda
