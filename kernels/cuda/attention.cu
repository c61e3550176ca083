// Scaled-dot-product attention without the matrix of scores in memory [Rabe and Staats 2021]. See device/attrs/attention.h.
//
// A warp has one row of q; its lanes take 32 rows of k and v at a time from shared memory, which the warps of a block share.
#include "attention.cuh"
#include "attention.h"

namespace mpt::cuda {
namespace {

using namespace attention;
constexpr const char *kName = "attention";

// Shared: tiles of k and v, then for each warp a row of q and one of the result.
template <class T>
__global__ void __launch_bounds__(kWarps * 32) forward(Problem p, const void *q, const void *k, const void *v, const void *mask, const std::int64_t *random,
                                                       void *out, float *lse, std::int64_t *random_out) {
    extern __shared__ float shared[];
    const int warp = threadIdx.x / 32, lane_id = threadIdx.x % 32;
    float *keys = shared, *values = keys + kTile * (p.D + 1);
    float *query = values + kTile * (p.E + 1) + warp * (p.D + p.E), *sum = query + p.D;
    const std::int64_t tiles = (p.T + kWarps - 1) / kWarps;
    const std::int64_t bh = blockIdx.x / tiles, b = bh / p.H, h = bh % p.H, first = blockIdx.x % tiles * kWarps, i = first + warp;
    if (random_out && blockIdx.x == 0 && threadIdx.x < 2) random_out[threadIdx.x] = random[threadIdx.x];

    if (i < p.T) load_row<T>(query, q, p.q, b * p.q.batch + h * p.q.head, i, p.D, lane_id);
    for (int e = lane_id; e < p.E; e += 32) sum[e] = 0;
    float largest = -INFINITY, total = 0;
    // With causal, nobody here looks behind the last row's end.
    const std::int64_t end = p.causal ? min(p.S, first + kWarps + p.S - p.T) : p.S;
    for (std::int64_t j0 = 0; j0 < end; j0 += kTile) {
        __syncthreads();
        load_tile<T>(keys, k, p.k, b * p.k.batch + h * p.k.head, j0, p.S, p.D);
        load_tile<T>(values, v, p.v, b * p.v.batch + h * p.v.head, j0, p.S, p.E);
        __syncthreads();
        const std::int64_t j = j0 + lane_id;
        const float s = score<T>(p, dot(query, keys + lane_id * (p.D + 1), p.D), mask, b, h, i, j);
        const float top = Max{}(largest, warp_reduce(s, Max{}));
        const bool none = top == -INFINITY;  // nothing was seen yet
        const float weight = none ? 0.f : expf(s - top), old = none ? 1.f : expf(largest - top);
        total = total * old + warp_reduce(weight, Add{});
        largest = top;
        const float kept = weight == 0 ? weight : weight * dropped(p, random, bh, i, j);
        for (int e0 = 0; e0 < p.E; e0 += 32) {
            const int e = e0 + lane_id;
            float acc = e < p.E ? sum[e] * old : 0.f;
            for (int r = 0; r < kTile; ++r) {
                const float w = __shfl_sync(~0u, kept, r);
                if (e < p.E && w != 0) acc = fmaf(w, values[r * (p.E + 1) + e], acc);
            }
            if (e < p.E) sum[e] = acc;
        }
    }
    if (i >= p.T) return;
    auto *row = static_cast<typename T::Stored *>(out) + b * p.out.batch + h * p.out.head + i * p.out.row;
    for (int e = lane_id; e < p.E; e += 32) row[e * p.out.column] = narrow<T>(total == 0 ? 0.f : sum[e] / total);
    if (lane_id == 0) lse[bh * p.T + i] = total == 0 ? INFINITY : largest + logf(total);
}

template <class T>
std::unique_ptr<Kernel> make(const mpt_mod_call &call) {
    const Problem p = problem_of(call, call.out[0]);
    const std::size_t shared = (tile_floats(p.D) + tile_floats(p.E) + static_cast<std::size_t>(kWarps) * (p.D + p.E)) * sizeof(float);
    allow_shared(forward<T>, shared, kName);
    const std::int64_t blocks = call.in[0].shape[0] * p.H * ((p.T + kWarps - 1) / kWarps);
    return kernel_of("cuda:attention", [p, shared, blocks](const void *const *in, void *const *out, void *, cudaStream_t stream) {
        if (blocks == 0) return;
        forward<T><<<static_cast<unsigned>(blocks), kWarps * 32, shared, stream>>>(p, in[0], in[1], in[2], in[3], static_cast<const std::int64_t *>(in[4]), out[0],
                                                                                  static_cast<float *>(out[1]), static_cast<std::int64_t *>(out[2]));
        check_launch(kName);
    });
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    std::unique_ptr<Kernel> kernel;
    visit_float(kName, call.in[0].dtype, [&](auto t) { kernel = make<decltype(t)>(call); });
    return by_cudnn(device, call, on_tensor_cores(call, std::move(kernel)));
}
const RegisteredKernel registered(kName, prepare);

}  // namespace
}  // namespace mpt::cuda
