// "row_norm" of device/attrs/norm.h. Rows of up to 16384 elements (4096, where they are not in packs) stay in registers, so that
// memory is read once; longer ones are read again for each step.
#include "any_float.cuh"
#include "device/attrs/norm.h"
#include "rows.cuh"

namespace mpt::cuda {
namespace {

constexpr int kFew = 8, kMany = 32;  // elements that a thread keeps
constexpr unsigned kMost = 512;      // threads that keep elements

// Operands of Rows: y, x, rstd. mean: null with rms.
template <class T>
struct Operands {
    const typename T::Stored *__restrict__ x;
    typename T::Stored *__restrict__ y;
    float *mean, *rstd;
    Vector weight, bias;
    double eps;
};

struct Statistics {
    float mean, rstd;
    float shift;  // what rounding took from the mean, times rstd
};

// Of a row's sums of x - mean and of (x - mean)^2.
__device__ __forceinline__ Statistics statistics(float mean, float apart, float squares, std::int64_t length, bool rms,
                                                 double eps) {
    const float count = static_cast<float>(length);
    apart = rms ? 0 : apart / count;
    const float variance = squares / count - apart * apart;
    const auto rstd = static_cast<float>(rsqrt(static_cast<double>(variance < 0 ? 0 : variance) + eps));
    return {mean, rstd, -apart * rstd};
}

template <class T, int V>
__device__ __forceinline__ void write(const Operands<T> &o, const Statistics &s, typename T::Stored *y, std::int64_t stride,
                                      std::int64_t i, float (&x)[V]) {
    float weight[V], bias[V];
    o.weight.read(i * V, 1, weight);
    o.bias.read(i * V, 0, bias);
#pragma unroll
    for (int v = 0; v < V; ++v) x[v] = ((x[v] - s.mean) * s.rstd + s.shift) * weight[v] + bias[v];
    put<T>(y, stride, i, x);
}

template <class T, int V, int E>
__global__ void __launch_bounds__(kMost) row_norm_held(Rows<3> rows, Operands<T> o, bool rms) {
    __shared__ float scratch[32];
    constexpr int kPacks = E / V;
    const int packs = static_cast<int>(rows.length / V), thread = static_cast<int>(threadIdx.x),
              step = static_cast<int>(blockDim.x);
    for (std::int64_t r = team(); r < rows.count; r += teams()) {
        std::int64_t offset[3];
        rows.locate(r, offset);
        float x[kPacks][V], sum = 0;
#pragma unroll
        for (int k = 0; k < kPacks; ++k)
            if (thread + k * step < packs) take<T>(o.x + offset[1], rows.stride[1], thread + k * step, x[k]);
        float mean = 0;
        if (!rms) {
#pragma unroll
            for (int k = 0; k < kPacks; ++k)
                if (thread + k * step < packs)
#pragma unroll
                    for (int v = 0; v < V; ++v) sum += x[k][v];
            mean = team_reduce(sum, Add(), 0.0f, scratch) / static_cast<float>(rows.length);
        }
        float apart = 0, squares = 0;
#pragma unroll
        for (int k = 0; k < kPacks; ++k)
            if (thread + k * step < packs)
#pragma unroll
                for (int v = 0; v < V; ++v) {
                    const float d = x[k][v] - mean;
                    apart += d;
                    squares += d * d;
                }
        if (!rms) apart = team_reduce(apart, Add(), 0.0f, scratch);
        squares = team_reduce(squares, Add(), 0.0f, scratch);
        const Statistics s = statistics(mean, apart, squares, rows.length, rms, o.eps);
        if (thread == 0) {
            if (o.mean) o.mean[offset[2]] = s.mean;
            o.rstd[offset[2]] = s.rstd;
        }
#pragma unroll
        for (int k = 0; k < kPacks; ++k)
            if (thread + k * step < packs) write(o, s, o.y + offset[0], rows.stride[0], thread + k * step, x[k]);
    }
}

template <class T, int V>
__global__ void row_norm_streamed(Rows<3> rows, Operands<T> o, bool rms) {
    __shared__ float scratch[32];
    const std::int64_t packs = rows.length / V;
    for (std::int64_t r = team(); r < rows.count; r += teams()) {
        std::int64_t offset[3];
        rows.locate(r, offset);
        const typename T::Stored *row = o.x + offset[1];
        float mean = 0;
        if (!rms) {
            float sum = 0;
#pragma unroll 4
            for (std::int64_t i = threadIdx.x; i < packs; i += blockDim.x) {
                float x[V];
                take<T>(row, rows.stride[1], i, x);
#pragma unroll
                for (int v = 0; v < V; ++v) sum += x[v];
            }
            mean = team_reduce(sum, Add(), 0.0f, scratch) / static_cast<float>(rows.length);
        }
        float apart = 0, squares = 0;
#pragma unroll 4
        for (std::int64_t i = threadIdx.x; i < packs; i += blockDim.x) {
            float x[V];
            take<T>(row, rows.stride[1], i, x);
#pragma unroll
            for (int v = 0; v < V; ++v) {
                const float d = x[v] - mean;
                apart += d;
                squares += d * d;
            }
        }
        if (!rms) apart = team_reduce(apart, Add(), 0.0f, scratch);
        squares = team_reduce(squares, Add(), 0.0f, scratch);
        const Statistics s = statistics(mean, apart, squares, rows.length, rms, o.eps);
        if (threadIdx.x == 0) {
            if (o.mean) o.mean[offset[2]] = s.mean;
            o.rstd[offset[2]] = s.rstd;
        }
        for (std::int64_t i = threadIdx.x; i < packs; i += blockDim.x) {
            float x[V];
            take<T>(row, rows.stride[1], i, x);
            write(o, s, o.y + offset[0], rows.stride[0], i, x);
        }
    }
}

template <class T>
std::unique_ptr<Kernel> make(Device &device, const mpt_mod_call &call) {
    constexpr int V = 16 / sizeof(typename T::Stored);
    const auto &attrs = attrs_of<mpt_attrs_row_norm>(call);
    const Rows<3> rows(call.kernel, call.in[0].ndim - 1, {&call.out[0], &call.in[0], &call.out[2]});
    const Vector weight(call.kernel, call.in[1], rows.length), bias(call.kernel, call.in[2], rows.length);
    const bool rms = attrs.rms != 0, in_packs = rows.packs(V, 2);
    const double eps = attrs.eps;
    const Team packed = team_that_holds(device, rows.count, rows.length, V, kFew, kMany, kMost),
               single = team_that_holds(device, rows.count, rows.length, 1, kFew, kFew, kMost);
    return kernel_of("cuda:row_norm", [=, &device](const void *const *in, void *const *out, void *, cudaStream_t stream) {
        if (rows.count == 0) return;
        const Operands<T> o{static_cast<const typename T::Stored *>(in[0]),
                            static_cast<typename T::Stored *>(out[0]),
                            static_cast<float *>(out[1]),
                            static_cast<float *>(out[2]),
                            weight.at(in[1]),
                            bias.at(in[2]),
                            eps};
        const bool packs = in_packs && aligned(o.x, 16) && aligned(o.y, 16) && o.weight.packs() && o.bias.packs();
        const Team &t = packs ? packed : single;
        const unsigned grid = t.grid(device, rows.count);
        if (packs && t.held == kFew)
            row_norm_held<T, V, kFew><<<grid, t.block(), 0, stream>>>(rows, o, rms);
        else if (packs && t.held)
            row_norm_held<T, V, kMany><<<grid, t.block(), 0, stream>>>(rows, o, rms);
        else if (packs)
            row_norm_streamed<T, V><<<grid, t.block(), 0, stream>>>(rows, o, rms);
        else if (t.held)
            row_norm_held<T, 1, kFew><<<grid, t.block(), 0, stream>>>(rows, o, rms);
        else
            row_norm_streamed<T, 1><<<grid, t.block(), 0, stream>>>(rows, o, rms);
        check_launch("row_norm");
    });
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    std::unique_ptr<Kernel> kernel;
    visit_float(call.kernel, call.in[0].dtype, [&](auto t) { kernel = make<decltype(t)>(device, call); });
    return kernel;
}
const RegisteredKernel registered("row_norm", prepare);

}  // namespace
}  // namespace mpt::cuda
