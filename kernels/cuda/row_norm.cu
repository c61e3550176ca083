// "row_norm" of device/attrs/norm.h. Rows of up to 16384 elements (4096, where they are not in packs) stay in registers, so that
// memory is read once; longer ones are read again for each step.
#include "row_norm.cuh"

namespace mpt::cuda {
namespace {

using namespace row_norm;

template <class T>
struct Plain {
    const typename T::Stored *__restrict__ x;
    typename T::Stored *__restrict__ y;

    template <int V>
    __device__ __forceinline__ void load(const Rows<3> &rows, const std::int64_t (&offset)[3], std::int64_t i, float (&to)[V]) const {
        take<T>(x + offset[1], rows.stride[1], i, to);
    }
    template <int V>
    __device__ __forceinline__ void store(const Rows<3> &rows, const std::int64_t (&offset)[3], std::int64_t i, const float (&from)[V]) const {
        put<T>(y + offset[0], rows.stride[0], i, from);
    }
};

template <class T, int V>
__global__ void row_norm_streamed(Rows<3> rows, Plain<T> at, Operands o) {
    __shared__ float scratch[32];
    const std::int64_t packs = rows.length / V;
    for (std::int64_t r = team(); r < rows.count; r += teams()) {
        std::int64_t offset[3];
        rows.locate(r, offset);
        float mean = 0;
        if (!o.rms) {
            float sum = 0;
#pragma unroll 4
            for (std::int64_t i = threadIdx.x; i < packs; i += blockDim.x) {
                float x[V];
                at.load(rows, offset, i, x);
#pragma unroll
                for (int v = 0; v < V; ++v) sum += x[v];
            }
            mean = team_reduce(sum, Add(), 0.0f, scratch) / static_cast<float>(rows.length);
        }
        float apart = 0, squares = 0;
#pragma unroll 4
        for (std::int64_t i = threadIdx.x; i < packs; i += blockDim.x) {
            float x[V];
            at.load(rows, offset, i, x);
#pragma unroll
            for (int v = 0; v < V; ++v) {
                const float d = x[v] - mean;
                apart += d;
                squares += d * d;
            }
        }
        if (!o.rms) apart = team_reduce(apart, Add(), 0.0f, scratch);
        squares = team_reduce(squares, Add(), 0.0f, scratch);
        const Statistics s = statistics(o, mean, apart, squares, rows.length);
        if (threadIdx.x == 0) {
            if (o.mean) o.mean[offset[2]] = s.mean;
            o.rstd[offset[2]] = s.rstd;
        }
        for (std::int64_t i = threadIdx.x; i < packs; i += blockDim.x) {
            float x[V];
            at.load(rows, offset, i, x);
            normalise(o, s, i, x);
            at.store(rows, offset, i, x);
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
    const Teams teams(device, rows.count, rows.length, V);
    return kernel_of("cuda:row_norm", [=, &device](const void *const *in, void *const *out, void *, cudaStream_t stream) {
        if (rows.count == 0) return;
        const Plain<T> at{static_cast<const typename T::Stored *>(in[0]), static_cast<typename T::Stored *>(out[0])};
        const Operands o{static_cast<float *>(out[1]), static_cast<float *>(out[2]), weight.at(in[1]), bias.at(in[2]), eps, rms};
        const bool packs = in_packs && aligned(at.x, 16) && aligned(at.y, 16) && o.weight.packs() && o.bias.packs();
        const Team &t = packs ? teams.packed : teams.single;
        const unsigned grid = t.grid(device, rows.count);
        if (packs && t.held == kFew)
            held<Plain<T>, V, kFew><<<grid, t.block(), 0, stream>>>(rows, at, o);
        else if (packs && t.held)
            held<Plain<T>, V, kMany><<<grid, t.block(), 0, stream>>>(rows, at, o);
        else if (packs)
            row_norm_streamed<T, V><<<grid, t.block(), 0, stream>>>(rows, at, o);
        else if (t.held)
            held<Plain<T>, 1, kFew><<<grid, t.block(), 0, stream>>>(rows, at, o);
        else
            row_norm_streamed<T, 1><<<grid, t.block(), 0, stream>>>(rows, at, o);
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
