// "softmax" and "softmax_grad" of device/attrs/. Rows of up to 16384 elements (their gradients: 8192; 4096, where they are not in
// packs) stay in registers, so that memory is read once, longer ones in shared memory where they are dense; else they are read
// twice. Where neighbouring rows lie beside each other instead of the elements of a row, a thread goes down a row and a warp takes
// 32 of them.
#include "device/attrs/softmax.h"
#include "softmax_kept.cuh"

namespace mpt::cuda {
namespace {

constexpr int kFew = 8, kMany = 32, kManyOfGradient = 16;  // elements that a thread keeps
constexpr unsigned kMost = 512;                            // threads that keep elements

// Operands of Rows: the output, then the inputs.
template <class Out, class In, int V, int E>
__global__ void __launch_bounds__(kMost)
    softmax_held(Rows<2> rows, bool log, const typename In::Stored *__restrict__ x, typename Out::Stored *__restrict__ y) {
    __shared__ float scratch[32];
    constexpr int kPacks = E / V;
    const int packs = static_cast<int>(rows.length / V), thread = static_cast<int>(threadIdx.x),
              step = static_cast<int>(blockDim.x);
    for (std::int64_t r = team(); r < rows.count; r += teams()) {
        std::int64_t offset[2];
        rows.locate(r, offset);
        float e[kPacks][V], largest = Exponentials<Out>::kNone, sum = 0;
#pragma unroll
        for (int k = 0; k < kPacks; ++k)
            if (thread + k * step < packs) take<In>(x + offset[1], rows.stride[1], thread + k * step, e[k]);
#pragma unroll
        for (int k = 0; k < kPacks; ++k)
            if (thread + k * step < packs)
#pragma unroll
                for (int v = 0; v < V; ++v) largest = fmaxf(largest, e[k][v]);
        largest = team_reduce(largest, Max(), Exponentials<Out>::kNone, scratch);
#pragma unroll
        for (int k = 0; k < kPacks; ++k)
            if (thread + k * step < packs)
#pragma unroll
                for (int v = 0; v < V; ++v) {
                    e[k][v] -= largest;
                    const float part = exponential<Out>(e[k][v]);
                    sum += part;
                    if (!log) e[k][v] = part;
                }
        sum = team_reduce(sum, Add(), 0.0f, scratch);
        const float log_sum = logf(sum), inverse = 1 / sum;
#pragma unroll
        for (int k = 0; k < kPacks; ++k)
            if (thread + k * step < packs) {
#pragma unroll
                for (int v = 0; v < V; ++v) e[k][v] = log ? e[k][v] - log_sum : e[k][v] * inverse;
                put<Out>(y + offset[0], rows.stride[0], thread + k * step, e[k]);
            }
    }
}

template <class Out, class In, int V>
__global__ void softmax_streamed(Rows<2> rows, bool log, const typename In::Stored *__restrict__ x,
                                 typename Out::Stored *__restrict__ y) {
    __shared__ float scratch[32];
    for (std::int64_t r = team(); r < rows.count; r += teams()) {
        std::int64_t offset[2];
        rows.locate(r, offset);
        Exponentials<Out> exponentials;
        exponentials.template add_row<In, V>(x + offset[1], rows.stride[1], rows.length, scratch);
        const float largest = exponentials.largest, log_sum = logf(exponentials.sum), inverse = 1 / exponentials.sum;
#pragma unroll 4
        for (std::int64_t i = threadIdx.x; i < rows.length / V; i += blockDim.x) {
            float e[V];
            take<In>(x + offset[1], rows.stride[1], i, e);
#pragma unroll
            for (int v = 0; v < V; ++v) e[v] = log ? (e[v] - largest) - log_sum : exponential<Out>(e[v] - largest) * inverse;
            put<Out>(y + offset[0], rows.stride[0], i, e);
        }
    }
}

// A block has 32 rows and cuts each into blockDim.y parts.
template <class Out, class In>
__global__ void softmax_beside(Rows<2> rows, bool log, const typename In::Stored *__restrict__ x,
                               typename Out::Stored *__restrict__ y) {
    __shared__ float parts[2][32][33];
    for (std::int64_t first = std::int64_t{blockIdx.x} * 32; first < rows.count; first += std::int64_t{gridDim.x} * 32) {
        const std::int64_t r = first + threadIdx.x;
        std::int64_t offset[2] = {};
        Exponentials<Out> exponentials;
        if (r < rows.count) {
            rows.locate(r, offset);
            for (std::int64_t i = threadIdx.y; i < rows.length; i += 4 * blockDim.y) {
                float part[4];
#pragma unroll
                for (int k = 0; k < 4; ++k) {
                    const std::int64_t at = i + std::int64_t{k} * blockDim.y;
                    part[k] = at < rows.length ? widen<In>(x[offset[1] + at * rows.stride[1]]) : Exponentials<Out>::kNone;
                }
                exponentials.add(part);
            }
        }
        float largest = exponentials.largest, sum = exponentials.sum;
        if (blockDim.y > 1) {
            parts[0][threadIdx.y][threadIdx.x] = largest;
            parts[1][threadIdx.y][threadIdx.x] = sum;
            __syncthreads();
            largest = parts[0][0][threadIdx.x];
            for (unsigned k = 1; k < blockDim.y; ++k) largest = Max()(largest, parts[0][k][threadIdx.x]);
            const float shift = largest == Exponentials<Out>::kNone ? 0 : largest;
            sum = 0;
            for (unsigned k = 0; k < blockDim.y; ++k)
                sum += parts[1][k][threadIdx.x] * exponential<Out>(parts[0][k][threadIdx.x] - shift);
            __syncthreads();
        }
        if (largest == Exponentials<Out>::kNone) sum = std::numeric_limits<float>::quiet_NaN();
        const float log_sum = logf(sum), inverse = 1 / sum;
        if (r < rows.count)
#pragma unroll 4
            for (std::int64_t i = threadIdx.y; i < rows.length; i += blockDim.y) {
                const float e = widen<In>(x[offset[1] + i * rows.stride[1]]) - largest;
                y[offset[0] + i * rows.stride[0]] = narrow<Out>(log ? e - log_sum : exponential<Out>(e) * inverse);
            }
    }
}

template <class Out>
__device__ __forceinline__ float gradient(bool log, float dy, float y, float sum) {
    return log ? dy - exponential<Out>(y) * sum : y * (dy - sum);
}

// Out: dx; In: dy and y.
template <class Out, class In, int V, int E>
__global__ void __launch_bounds__(kMost)
    softmax_grad_held(Rows<3> rows, bool log, const typename In::Stored *__restrict__ dy, const typename In::Stored *__restrict__ y,
                      typename Out::Stored *__restrict__ dx) {
    __shared__ float scratch[32];
    constexpr int kPacks = E / V;
    const int packs = static_cast<int>(rows.length / V), thread = static_cast<int>(threadIdx.x),
              step = static_cast<int>(blockDim.x);
    for (std::int64_t r = team(); r < rows.count; r += teams()) {
        std::int64_t offset[3];
        rows.locate(r, offset);
        float g[kPacks][V], e[kPacks][V], sum = 0;
#pragma unroll
        for (int k = 0; k < kPacks; ++k)
            if (thread + k * step < packs) {
                take<In>(dy + offset[1], rows.stride[1], thread + k * step, g[k]);
                take<In>(y + offset[2], rows.stride[2], thread + k * step, e[k]);
            }
#pragma unroll
        for (int k = 0; k < kPacks; ++k)
            if (thread + k * step < packs)
#pragma unroll
                for (int v = 0; v < V; ++v) sum += log ? g[k][v] : g[k][v] * e[k][v];
        sum = team_reduce(sum, Add(), 0.0f, scratch);
#pragma unroll
        for (int k = 0; k < kPacks; ++k)
            if (thread + k * step < packs) {
#pragma unroll
                for (int v = 0; v < V; ++v) g[k][v] = gradient<Out>(log, g[k][v], e[k][v], sum);
                put<Out>(dx + offset[0], rows.stride[0], thread + k * step, g[k]);
            }
    }
}

template <class Out, class In, int V>
__global__ void softmax_grad_streamed(Rows<3> rows, bool log, const typename In::Stored *__restrict__ dy,
                                      const typename In::Stored *__restrict__ y, typename Out::Stored *__restrict__ dx) {
    __shared__ float scratch[32];
    for (std::int64_t r = team(); r < rows.count; r += teams()) {
        std::int64_t offset[3];
        rows.locate(r, offset);
        float sum = 0;
#pragma unroll 4
        for (std::int64_t i = threadIdx.x; i < rows.length / V; i += blockDim.x) {
            float g[V], e[V];
            take<In>(dy + offset[1], rows.stride[1], i, g);
            if (!log) take<In>(y + offset[2], rows.stride[2], i, e);
#pragma unroll
            for (int v = 0; v < V; ++v) sum += log ? g[v] : g[v] * e[v];
        }
        sum = team_reduce(sum, Add(), 0.0f, scratch);
#pragma unroll 4
        for (std::int64_t i = threadIdx.x; i < rows.length / V; i += blockDim.x) {
            float g[V], e[V];
            take<In>(dy + offset[1], rows.stride[1], i, g);
            take<In>(y + offset[2], rows.stride[2], i, e);
#pragma unroll
            for (int v = 0; v < V; ++v) g[v] = gradient<Out>(log, g[v], e[v], sum);
            put<Out>(dx + offset[0], rows.stride[0], i, g);
        }
    }
}

template <class Out, class In>
__global__ void softmax_grad_beside(Rows<3> rows, bool log, const typename In::Stored *__restrict__ dy,
                                    const typename In::Stored *__restrict__ y, typename Out::Stored *__restrict__ dx) {
    __shared__ float parts[32][33];
    for (std::int64_t first = std::int64_t{blockIdx.x} * 32; first < rows.count; first += std::int64_t{gridDim.x} * 32) {
        const std::int64_t r = first + threadIdx.x;
        std::int64_t offset[3] = {};
        float sum = 0;
        if (r < rows.count) {
            rows.locate(r, offset);
#pragma unroll 4
            for (std::int64_t i = threadIdx.y; i < rows.length; i += blockDim.y) {
                const float g = widen<In>(dy[offset[1] + i * rows.stride[1]]);
                sum += log ? g : g * widen<In>(y[offset[2] + i * rows.stride[2]]);
            }
        }
        if (blockDim.y > 1) {
            parts[threadIdx.y][threadIdx.x] = sum;
            __syncthreads();
            sum = 0;
            for (unsigned k = 0; k < blockDim.y; ++k) sum += parts[k][threadIdx.x];
            __syncthreads();
        }
        if (r < rows.count)
#pragma unroll 4
            for (std::int64_t i = threadIdx.y; i < rows.length; i += blockDim.y)
                dx[offset[0] + i * rows.stride[0]] = narrow<Out>(gradient<Out>(log, widen<In>(dy[offset[1] + i * rows.stride[1]]),
                                                                               widen<In>(y[offset[2] + i * rows.stride[2]]), sum));
    }
}

// How a kernel runs: as packs where the addresses allow it, element by element, or with rows beside each other.
template <int K>
struct Plan {
    Rows<K> rows;
    Team packed, single;
    bool packs, beside, log;
    unsigned parts = 1;  // of a row, where they lie beside each other

    Plan(const Device &device, const mpt_mod_call &call, const std::array<const mpt_mod_operand *, K> &list, int v, int few,
         int many) {
        const auto &attrs = attrs_of<mpt_attrs_softmax>(call);
        rows = Rows<K>(call.kernel, attrs.dim, list);
        log = attrs.log != 0;
        packs = rows.packs(v);
        beside = rows.beside(0);
        packed = team_that_holds(device, rows.count, rows.length, v, few, many, kMost);
        single = team_that_holds(device, rows.count, rows.length, 1, few, few, kMost);
        // Threads for a whole GPU, with some elements for each.
        while (parts < 32 && parts * 8 < rows.length && rows.count * parts < 1024 * std::int64_t{device.multiprocessors()})
            parts *= 2;
    }
    unsigned blocks_beside(const Device &device) const { return blocks_for(device, rows.count, 32, 32); }
};

template <class Out, class In>
std::unique_ptr<Kernel> softmax(Device &device, const mpt_mod_call &call) {
    constexpr int V = 16 / (sizeof(typename In::Stored) < sizeof(typename Out::Stored) ? sizeof(typename In::Stored)
                                                                                       : sizeof(typename Out::Stored));
    const Plan<2> p(device, call, {&call.out[0], &call.in[0]}, V, kFew, kMany);
    KeptRows k;
    if constexpr (std::is_same_v<Out, In>) {
        k = KeptRows(device, p.rows, V, 1);
        if (k.fits) allow_shared(softmax_kept<Out>, k.nbytes, call.kernel);
    }
    return kernel_of("cuda:softmax", [p, k, &device](const void *const *in, void *const *out, void *, cudaStream_t stream) {
        const auto *x = static_cast<const typename In::Stored *>(in[0]);
        auto *y = static_cast<typename Out::Stored *>(out[0]);
        const bool packs = p.packs && aligned(x, 16) && aligned(y, 16);
        const Team &t = packs ? p.packed : p.single;
        const unsigned grid = t.grid(device, p.rows.count);
        if constexpr (std::is_same_v<Out, In>)
            if (k.fits && !p.beside && !(packs && t.held) && aligned_alike(x, y)) {
                softmax_kept<Out><<<k.blocks, k.threads, k.nbytes, stream>>>(p.rows, p.log, k.kept[0], x, y);
                return check_launch("softmax");
            }
        if (p.beside)
            softmax_beside<Out, In><<<p.blocks_beside(device), dim3(32, p.parts), 0, stream>>>(p.rows, p.log, x, y);
        else if (packs && t.held == kFew)
            softmax_held<Out, In, V, kFew><<<grid, t.block(), 0, stream>>>(p.rows, p.log, x, y);
        else if (packs && t.held)
            softmax_held<Out, In, V, kMany><<<grid, t.block(), 0, stream>>>(p.rows, p.log, x, y);
        else if (packs)
            softmax_streamed<Out, In, V><<<grid, t.block(), 0, stream>>>(p.rows, p.log, x, y);
        else if (t.held)
            softmax_held<Out, In, 1, kFew><<<grid, t.block(), 0, stream>>>(p.rows, p.log, x, y);
        else
            softmax_streamed<Out, In, 1><<<grid, t.block(), 0, stream>>>(p.rows, p.log, x, y);
        check_launch("softmax");
    });
}

template <class Out, class In>
std::unique_ptr<Kernel> softmax_grad(Device &device, const mpt_mod_call &call) {
    constexpr int V = 16 / (sizeof(typename In::Stored) < sizeof(typename Out::Stored) ? sizeof(typename In::Stored)
                                                                                       : sizeof(typename Out::Stored));
    const Plan<3> p(device, call, {&call.out[0], &call.in[0], &call.in[1]}, V, kFew, kManyOfGradient);
    KeptRows k;
    if constexpr (std::is_same_v<Out, In>) {
        k = KeptRows(device, p.rows, V, 2, most_in_cluster(device));
        if (k.fits) {
            allow_shared(softmax_grad_kept<Out>, k.nbytes, call.kernel);
            k.threads = std::clamp(k.threads / 2, 64u, kMostOfGradient);
            const std::int64_t clusters =
                clusters_at_once(device, softmax_grad_kept<Out>, k.threads, k.nbytes, k.in_cluster, call.kernel);
            k.blocks = static_cast<unsigned>(std::clamp<std::int64_t>(p.rows.count, 1, clusters) * k.in_cluster);
        }
    }
    return kernel_of("cuda:softmax_grad", [p, k, &device](const void *const *in, void *const *out, void *, cudaStream_t stream) {
        const auto *dy = static_cast<const typename In::Stored *>(in[0]), *y = static_cast<const typename In::Stored *>(in[1]);
        auto *dx = static_cast<typename Out::Stored *>(out[0]);
        const bool packs = p.packs && aligned(dy, 16) && aligned(y, 16) && aligned(dx, 16);
        const Team &t = packs ? p.packed : p.single;
        const unsigned grid = t.grid(device, p.rows.count);
        if constexpr (std::is_same_v<Out, In>)
            if (k.fits && !p.beside && !(packs && t.held) && aligned_alike(dy, y) && aligned_alike(dx, y)) {
                return launch_clusters(softmax_grad_kept<Out>, k.blocks, k.threads, k.nbytes, k.in_cluster, stream, "softmax_grad",
                                       p.rows, p.log, k.in_cluster, k.kept[0], k.kept[1], dy, y, dx);
            }
        if (p.beside)
            softmax_grad_beside<Out, In><<<p.blocks_beside(device), dim3(32, p.parts), 0, stream>>>(p.rows, p.log, dy, y, dx);
        else if (packs && t.held == kFew)
            softmax_grad_held<Out, In, V, kFew><<<grid, t.block(), 0, stream>>>(p.rows, p.log, dy, y, dx);
        else if (packs && t.held)
            softmax_grad_held<Out, In, V, kManyOfGradient><<<grid, t.block(), 0, stream>>>(p.rows, p.log, dy, y, dx);
        else if (packs)
            softmax_grad_streamed<Out, In, V><<<grid, t.block(), 0, stream>>>(p.rows, p.log, dy, y, dx);
        else if (t.held)
            softmax_grad_held<Out, In, 1, kFew><<<grid, t.block(), 0, stream>>>(p.rows, p.log, dy, y, dx);
        else
            softmax_grad_streamed<Out, In, 1><<<grid, t.block(), 0, stream>>>(p.rows, p.log, dy, y, dx);
        check_launch("softmax_grad");
    });
}

// T, beside T or f32.
std::unique_ptr<Kernel> prepare_softmax(Device &device, const mpt_mod_call &call) {
    std::unique_ptr<Kernel> kernel;
    const bool same = call.in[0].dtype == call.out[0].dtype;
    if (!same && call.out[0].dtype != MPT_F32) unsupported_dtype(call.kernel, call.out[0].dtype);
    visit_float(call.kernel, call.in[0].dtype, [&](auto t) {
        using T = decltype(t);
        kernel = same ? softmax<T, T>(device, call) : softmax<F32, T>(device, call);
    });
    return kernel;
}
std::unique_ptr<Kernel> prepare_softmax_grad(Device &device, const mpt_mod_call &call) {
    std::unique_ptr<Kernel> kernel;
    const bool same = call.in[0].dtype == call.out[0].dtype;
    if (call.in[1].dtype != call.in[0].dtype || (!same && call.in[0].dtype != MPT_F32))
        unsupported_dtype(call.kernel, call.in[0].dtype);
    visit_float(call.kernel, call.out[0].dtype, [&](auto t) {
        using T = decltype(t);
        kernel = same ? softmax_grad<T, T>(device, call) : softmax_grad<T, F32>(device, call);
    });
    return kernel;
}
const RegisteredKernel registered_softmax("softmax", prepare_softmax);
const RegisteredKernel registered_softmax_grad("softmax_grad", prepare_softmax_grad);

}  // namespace
}  // namespace mpt::cuda
