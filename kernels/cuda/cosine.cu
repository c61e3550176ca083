// "cosine" and "cosine_grad" of device/attrs/loss.h. The formats of the two operands are uniform branches (see any_float.cuh).
#include "any_float.cuh"
#include "device/attrs/loss.h"
#include "rows.cuh"

namespace mpt::cuda {
namespace {

constexpr int kPack = 8;

struct Formats {
    std::int32_t a, b, out;
};

template <int V>
__device__ __forceinline__ void take_pair(const void *a, const void *b, const Formats &formats, std::int64_t at_a,
                                          std::int64_t at_b, float (&x)[V], float (&y)[V]) {
    const Fetched<V> of_a = fetch<V>(a, formats.a, at_a), of_b = fetch<V>(b, formats.b, at_b);
    widen(of_a, formats.a, x);
    widen(of_b, formats.b, y);
}

// Operands: a, b, and for each row the similarity, |a| and |b|.
template <int V>
__global__ void __launch_bounds__(1024) cosine(Rows<5> rows, Formats formats, float eps, const void *a, const void *b,
                                               float *similarity, float *length_a, float *length_b) {
    __shared__ float scratch[32];
    for (std::int64_t r = team(); r < rows.count; r += teams()) {
        std::int64_t offset[5];
        rows.locate(r, offset);
        float ab = 0, aa = 0, bb = 0;
#pragma unroll 2
        for (std::int64_t i = threadIdx.x; i < rows.length / V; i += blockDim.x) {
            float x[V], y[V];
            take_pair(a, b, formats, offset[0] + i * V * rows.stride[0], offset[1] + i * V * rows.stride[1], x, y);
#pragma unroll
            for (int v = 0; v < V; ++v) {
                ab += x[v] * y[v];
                aa += x[v] * x[v];
                bb += y[v] * y[v];
            }
        }
        ab = team_reduce(ab, Add(), 0.0f, scratch);
        aa = sqrtf(team_reduce(aa, Add(), 0.0f, scratch));
        bb = sqrtf(team_reduce(bb, Add(), 0.0f, scratch));
        if (threadIdx.x != 0) continue;
        const float product = aa * bb;
        similarity[offset[2]] = ab / (product < eps ? eps : product);
        length_a[offset[3]] = aa;
        length_b[offset[4]] = bb;
    }
}

// d/dx of g cos(x, y) = g / max(|x| |y|, eps) y - g cos / |x|^2 x, the second term only where eps is not the larger one.
// Operands: the result, x, y, and for each row the similarity, |x|, |y| and the gradient of the similarity.
template <int V>
__global__ void __launch_bounds__(1024)
    cosine_grad(Rows<7> rows, Formats formats, float eps, const void *x, const void *y, const float *similarity,
                const float *length_x, const float *length_y, const float *gradient, void *out) {
    for (std::int64_t r = team(); r < rows.count; r += teams()) {
        std::int64_t offset[7];
        rows.locate(r, offset);
        const float g = gradient[offset[6]], own = length_x[offset[4]], product = own * length_y[offset[5]];
        const bool clamped = product < eps;
        const float of_x = clamped ? 0 : g * similarity[offset[3]] / own / own, of_y = g / (clamped ? eps : product);
        for (std::int64_t i = threadIdx.x; i < rows.length / V; i += blockDim.x) {
            float e[V], f[V];
            take_pair(x, y, formats, offset[1] + i * V * rows.stride[1], offset[2] + i * V * rows.stride[2], e, f);
#pragma unroll
            for (int v = 0; v < V; ++v) f[v] = of_y * f[v] - of_x * e[v];
            store_any(out, formats.out, offset[0] + i * V * rows.stride[0], f);
        }
    }
}

void check_formats(const mpt_mod_call &call) {
    for (int k = 0; k < 2; ++k) need_float(call.kernel, call.in[k].dtype);
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    const auto &attrs = attrs_of<mpt_attrs_cosine>(call);
    check_formats(call);
    for (int k = 0; k < 3; ++k)
        if (call.out[k].dtype != MPT_F32) unsupported_dtype(call.kernel, call.out[k].dtype);
    const Rows<5> rows(call.kernel, attrs.dim, {&call.in[0], &call.in[1], &call.out[0], &call.out[1], &call.out[2]});
    const Formats formats{call.in[0].dtype, call.in[1].dtype, MPT_F32};
    const auto eps = static_cast<float>(attrs.eps);
    const Team t = team_that_streams(device, rows.count, rows.length);
    const bool in_packs = rows.packs(kPack, 2);
    return kernel_of("cuda:cosine", [=, &device](const void *const *in, void *const *out, void *, cudaStream_t stream) {
        if (rows.count == 0) return;
        const unsigned grid = t.grid(device, rows.count);
        auto *similarity = static_cast<float *>(out[0]), *length_a = static_cast<float *>(out[1]),
             *length_b = static_cast<float *>(out[2]);
        if (in_packs && aligned(in[0], 16) && aligned(in[1], 16))
            cosine<kPack><<<grid, t.block(), 0, stream>>>(rows, formats, eps, in[0], in[1], similarity, length_a, length_b);
        else
            cosine<1><<<grid, t.block(), 0, stream>>>(rows, formats, eps, in[0], in[1], similarity, length_a, length_b);
        check_launch("cosine");
    });
}

std::unique_ptr<Kernel> prepare_grad(Device &device, const mpt_mod_call &call) {
    const auto &attrs = attrs_of<mpt_attrs_cosine>(call);
    check_formats(call);
    need_float(call.kernel, call.out[0].dtype);
    for (int k = 2; k < 6; ++k)
        if (call.in[k].dtype != MPT_F32) unsupported_dtype(call.kernel, call.in[k].dtype);
    const int x = attrs.side, y = 1 - x;  // the operand, and the other
    const Rows<7> rows(call.kernel, attrs.dim,
                       {&call.out[0], &call.in[x], &call.in[y], &call.in[2], &call.in[3 + x], &call.in[3 + y], &call.in[5]});
    const Formats formats{call.in[x].dtype, call.in[y].dtype, call.out[0].dtype};
    const auto eps = static_cast<float>(attrs.eps);
    const Team t = team_that_streams(device, rows.count, rows.length);
    const bool in_packs = rows.packs(kPack, 3);
    return kernel_of("cuda:cosine_grad", [=, &device](const void *const *in, void *const *out, void *, cudaStream_t stream) {
        const unsigned grid = t.grid(device, rows.count);
        const auto f32 = [&](int k) { return static_cast<const float *>(in[k]); };
        if (in_packs && aligned(in[x], 16) && aligned(in[y], 16) && aligned(out[0], 16))
            cosine_grad<kPack>
                <<<grid, t.block(), 0, stream>>>(rows, formats, eps, in[x], in[y], f32(2), f32(3 + x), f32(3 + y), f32(5), out[0]);
        else
            cosine_grad<1>
                <<<grid, t.block(), 0, stream>>>(rows, formats, eps, in[x], in[y], f32(2), f32(3 + x), f32(3 + y), f32(5), out[0]);
        check_launch("cosine_grad");
    });
}
const RegisteredKernel registered("cosine", prepare);
const RegisteredKernel registered_grad("cosine_grad", prepare_grad);

}  // namespace
}  // namespace mpt::cuda
