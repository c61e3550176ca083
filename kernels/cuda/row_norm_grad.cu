// "row_norm_grad" of device/attrs/norm.h. With g = dy * weight and d = x - mean: dx = rstd g + d q + r with factors of the row. A
// team takes rows at fixed distances and adds up dweight and dbias as it goes; the teams' sums are then added in order.
#include "row_norm_grad.cuh"

namespace mpt::cuda {
namespace {

using namespace row_norm_grad;

template <class T>
struct Plain {
    static constexpr int kAhead = sizeof(typename T::Stored) == 2 ? kMany : 0;
    const typename T::Stored *__restrict__ x, *__restrict__ dy;
    typename T::Stored *__restrict__ dx;

    template <int V>
    struct Packs {
        Elements<T, V> x, dy;
    };
    template <int V>
    __device__ __forceinline__ void load(const Rows<4> &rows, const std::int64_t (&offset)[4], std::int64_t i, Packs<V> &to) const {
        to.x = cuda::load<T, V, true>(x + offset[0] + i * (V == 1 ? rows.stride[0] : V));
        to.dy = cuda::load<T, V, true>(dy + offset[1] + i * (V == 1 ? rows.stride[1] : V));
    }
    template <int V>
    __device__ __forceinline__ void store(const Rows<4> &rows, const std::int64_t (&offset)[4], std::int64_t i, const Packs<V> &, const float (&from)[V]) const {
        put<T>(dx + offset[3], rows.stride[3], i, from);
    }
};

// dx of rows that are too long to keep.
template <class T, int V>
__global__ void row_norm_grad_streamed(Rows<4> rows, Plain<T> at, Operands o) {
    __shared__ float scratch[32];
    const std::int64_t packs = rows.length / V;
    for (std::int64_t r = team(); r < rows.count; r += teams()) {
        std::int64_t offset[4];
        rows.locate(r, offset);
        Factors f = start(o, offset[2]);
        const typename T::Stored *row = at.x + offset[0], *dy_row = at.dy + offset[1];
        float first = 0, second = 0;
#pragma unroll 2
        for (std::int64_t i = threadIdx.x; i < packs; i += blockDim.x) {
            float x[V], dy[V], weight[V];
            take<T>(row, rows.stride[0], i, x);
            take<T>(dy_row, rows.stride[1], i, dy);
            o.weight.read(i * V, 1, weight);
#pragma unroll
            for (int v = 0; v < V; ++v) {
                const float g = dy[v] * weight[v];
                first += g;
                second += g * (x[v] - f.mean);
            }
        }
        if (!o.rms) first = team_reduce(first, Add(), 0.0f, scratch);
        second = team_reduce(second, Add(), 0.0f, scratch);
        finish(f, first, second, rows.length, o.rms);
        for (std::int64_t i = threadIdx.x; i < packs; i += blockDim.x) {
            float x[V], dy[V], weight[V];
            take<T>(row, rows.stride[0], i, x);
            take<T>(dy_row, rows.stride[1], i, dy);
            o.weight.read(i * V, 1, weight);
#pragma unroll
            for (int v = 0; v < V; ++v) dy[v] = dy[v] * weight[v] * f.rstd + ((x[v] - f.mean) * f.q + f.r);
            put<T>(at.dx + offset[3], rows.stride[3], i, dy);
        }
    }
}

// dweight and dbias of a chunk of such rows, in 32 columns.
template <class T>
__global__ void row_norm_grad_columns(Rows<4> rows, Plain<T> at, Operands o, unsigned across) {
    __shared__ float parts[2][8][33];
    const std::int64_t chunk = blockIdx.x / across, column = std::int64_t{blockIdx.x % across} * 32 + threadIdx.x;
    const std::int64_t end = (chunk + 1) * kChunk < rows.count ? (chunk + 1) * kChunk : rows.count;
    float dweight = 0, dbias = 0;
    if (column < rows.length)
        for (std::int64_t r = chunk * kChunk + threadIdx.y; r < end; r += blockDim.y) {
            std::int64_t offset[4];
            rows.locate(r, offset);
            const Factors f = start(o, offset[2]);
            const float x = widen<T>(at.x[offset[0] + column * rows.stride[0]]),
                        dy = widen<T>(at.dy[offset[1] + column * rows.stride[1]]);
            dweight += dy * ((x - f.mean) * f.rstd);
            dbias += dy;
        }
    parts[0][threadIdx.y][threadIdx.x] = dweight;
    parts[1][threadIdx.y][threadIdx.x] = dbias;
    __syncthreads();
    if (threadIdx.y > 1 || column >= rows.length) return;
    float sum = 0;
    for (int k = 0; k < 8; ++k) sum += parts[threadIdx.y][k][threadIdx.x];
    o.sums[(chunk * 2 + threadIdx.y) * rows.length + column] = sum;
}

template <class T>
std::unique_ptr<Kernel> make(Device &device, const mpt_mod_call &call) {
    constexpr int V = 16 / sizeof(typename T::Stored);
    using Stored = typename T::Stored;
    const bool rms = attrs_of<mpt_attrs_row_norm>(call).rms != 0, has_dx = present(call.out[0]);
    const mpt_mod_operand &x = call.in[1];
    const Rows<4> rows(call.kernel, x.ndim - 1, {&x, &call.in[0], &call.in[4], has_dx ? &call.out[0] : &x});
    const Vector weight(call.kernel, call.in[2], rows.length);
    const Results results(call);
    bool in_packs = rows.length % V == 0;
    for (int k : {0, 1, 3}) {
        in_packs &= rows.stride[k] == 1;
        for (int d = 0; d < rows.starts.ndim; ++d) in_packs &= rows.starts.strides[k][d] % V == 0;
    }
    const Shape packed(device, rows.count, rows.length, V, results.any), single(device, rows.count, rows.length, 1, results.any);
    const std::size_t bytes = static_cast<std::size_t>(std::max(packed.sums, single.sums) * 2 * rows.length) * sizeof(float);
    const auto launch = [=](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
        const Plain<T> at{static_cast<const Stored *>(in[1]), static_cast<const Stored *>(in[0]), has_dx ? static_cast<Stored *>(out[0]) : nullptr};
        const Operands o{rms ? nullptr : static_cast<const float *>(in[3]), static_cast<const float *>(in[4]),
                         results.any ? static_cast<float *>(workspace) : nullptr, weight.at(in[2]), rms, has_dx};
        const bool packs = in_packs && aligned(at.x, 16) && aligned(at.dy, 16) && aligned(at.dx, 16) && o.weight.packs();
        const Shape &s = packs ? packed : single;
        const Team &t = s.team;
        if (rows.count > 0 && rows.length > 0) {
            const std::size_t shared = s.shared(rows.length);
            if (packs && t.held == kFew)
                held<Plain<T>, V, kFew><<<s.grid, t.block(), shared, stream>>>(rows, at, o);
            else if (packs && t.held)
                held<Plain<T>, V, kMany><<<s.grid, t.block(), shared, stream>>>(rows, at, o);
            else if (t.held)
                held<Plain<T>, 1, kFew><<<s.grid, t.block(), shared, stream>>>(rows, at, o);
            else if (has_dx && packs)
                row_norm_grad_streamed<T, V><<<s.grid, t.block(), 0, stream>>>(rows, at, o);
            else if (has_dx)
                row_norm_grad_streamed<T, 1><<<s.grid, t.block(), 0, stream>>>(rows, at, o);
            check_launch("row_norm_grad");
            if (results.any && !t.held) {
                const auto across = static_cast<unsigned>((rows.length + 31) / 32);
                row_norm_grad_columns<T><<<static_cast<unsigned>(s.sums) * across, dim3(32, 8), 0, stream>>>(rows, at, o, across);
                check_launch("row_norm_grad");
            }
        }
        results.run(o.sums, rows.count > 0 ? s.sums : 0, rows.length, out[1], out[2], stream);
    };
    return kernel_of("cuda:row_norm_grad", launch, bytes);
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    std::unique_ptr<Kernel> kernel;
    visit_float(call.kernel, call.in[1].dtype, [&](auto t) { kernel = make<decltype(t)>(device, call); });
    return kernel;
}
const RegisteredKernel registered("row_norm_grad", prepare);

}  // namespace
}  // namespace mpt::cuda
