// The gradient of attention: probabilities are worked out again from the scores and their log-sum-exp [Dao et al. 2022]. See
// device/attrs/attention.h. One kernel walks over keys for each row of q, another over queries for each row of k and v, so nothing
// is added by two threads.
#include "attention.cuh"
#include "attention.h"

namespace mpt::cuda {
namespace {

using namespace attention;
constexpr const char *kName = "attention_grad";

struct Gradients {
    Place y, dy, dq, dk, dv;
};

// delta_i = sum_e y_ie dy_ie, a warp for each row.
template <class T>
__global__ void __launch_bounds__(kWarps * 32) deltas(Problem p, Gradients g, std::int64_t rows, const void *y, const void *dy, float *delta) {
    const std::int64_t row = blockIdx.x * std::int64_t{kWarps} + threadIdx.x / 32;
    if (row >= rows) return;
    const std::int64_t i = row % p.T, bh = row / p.T, b = bh / p.H, h = bh % p.H;
    const auto *yp = static_cast<const typename T::Stored *>(y) + b * g.y.batch + h * g.y.head + i * g.y.row;
    const auto *dp = static_cast<const typename T::Stored *>(dy) + b * g.dy.batch + h * g.dy.head + i * g.dy.row;
    float sum = 0;
    for (int e = threadIdx.x % 32; e < p.E; e += 32) sum = fmaf(widen<T>(yp[e * g.y.column]), widen<T>(dp[e * g.dy.column]), sum);
    sum = warp_reduce(sum, Add{});
    if (threadIdx.x % 32 == 0) delta[row] = sum;
}

struct Terms {
    float p, ds;  // the probability behind dropout; the gradient of the score, times scale
};

__device__ __forceinline__ Terms terms(const Problem &p, float s, float lse, float dp, float delta, float drop) {
    if (s == -INFINITY || lse == INFINITY) return {0, 0};
    const float probability = expf(s - lse);
    return {probability * drop, probability * (dp * drop - delta) * p.scale};
}

// Shared: tiles of k and v, then for each warp rows of q, dy and dq.
template <class T>
__global__ void __launch_bounds__(kWarps * 32) queries(Problem p, Gradients g, const void *q, const void *k, const void *v, const void *mask, const float *lse,
                                                       const void *dy, const std::int64_t *random, const float *delta, void *dq) {
    extern __shared__ float shared[];
    const int warp = threadIdx.x / 32, lane_id = threadIdx.x % 32;
    float *keys = shared, *values = keys + kTile * (p.D + 1);
    float *query = values + kTile * (p.E + 1) + warp * (2 * p.D + p.E), *up = query + p.D, *sum = up + p.E;
    const std::int64_t tiles = (p.T + kWarps - 1) / kWarps;
    const std::int64_t bh = blockIdx.x / tiles, b = bh / p.H, h = bh % p.H, first = blockIdx.x % tiles * kWarps, i = first + warp;
    float l = INFINITY, d = 0;
    if (i < p.T) {
        load_row<T>(query, q, p.q, b * p.q.batch + h * p.q.head, i, p.D, lane_id);
        load_row<T>(up, dy, g.dy, b * g.dy.batch + h * g.dy.head, i, p.E, lane_id);
        l = lse[bh * p.T + i], d = delta[bh * p.T + i];
    }
    for (int c = lane_id; c < p.D; c += 32) sum[c] = 0;
    const std::int64_t end = p.causal ? min(p.S, first + kWarps + p.S - p.T) : p.S;
    for (std::int64_t j0 = 0; j0 < end; j0 += kTile) {
        __syncthreads();
        load_tile<T>(keys, k, p.k, b * p.k.batch + h * p.k.head, j0, p.S, p.D);
        load_tile<T>(values, v, p.v, b * p.v.batch + h * p.v.head, j0, p.S, p.E);
        __syncthreads();
        const std::int64_t j = j0 + lane_id;
        const float s = score<T>(p, dot(query, keys + lane_id * (p.D + 1), p.D), mask, b, h, i, j);
        float ds = 0;
        if (s != -INFINITY) ds = terms(p, s, l, dot(up, values + lane_id * (p.E + 1), p.E), d, dropped(p, random, bh, i, j)).ds;
        for (int c0 = 0; c0 < p.D; c0 += 32) {
            const int c = c0 + lane_id;
            float acc = c < p.D ? sum[c] : 0.f;
            for (int r = 0; r < kTile; ++r) {
                const float w = __shfl_sync(~0u, ds, r);
                if (c < p.D && w != 0) acc = fmaf(w, keys[r * (p.D + 1) + c], acc);
            }
            if (c < p.D) sum[c] = acc;
        }
    }
    if (i >= p.T) return;
    auto *row = static_cast<typename T::Stored *>(dq) + b * g.dq.batch + h * g.dq.head + i * g.dq.row;
    for (int c = lane_id; c < p.D; c += 32) row[c * g.dq.column] = narrow<T>(sum[c]);
}

// Shared: tiles of q and dy, then for each warp rows of k, v, dk and dv.
template <class T>
__global__ void __launch_bounds__(kWarps * 32) keys(Problem p, Gradients g, const void *q, const void *k, const void *v, const void *mask, const float *lse,
                                                    const void *dy, const std::int64_t *random, const float *delta, void *dk, void *dv) {
    extern __shared__ float shared[];
    const int warp = threadIdx.x / 32, lane_id = threadIdx.x % 32;
    float *queries = shared, *ups = queries + kTile * (p.D + 1);
    float *key = ups + kTile * (p.E + 1) + warp * 2 * (p.D + p.E), *value = key + p.D, *sum_k = value + p.E, *sum_v = sum_k + p.D;
    const std::int64_t tiles = (p.S + kWarps - 1) / kWarps;
    const std::int64_t bh = blockIdx.x / tiles, b = bh / p.H, h = bh % p.H, first = blockIdx.x % tiles * kWarps, j = first + warp;
    if (j < p.S) {
        load_row<T>(key, k, p.k, b * p.k.batch + h * p.k.head, j, p.D, lane_id);
        load_row<T>(value, v, p.v, b * p.v.batch + h * p.v.head, j, p.E, lane_id);
    }
    for (int c = lane_id; c < p.D; c += 32) sum_k[c] = 0;
    for (int e = lane_id; e < p.E; e += 32) sum_v[e] = 0;
    // With causal, the first row that sees these keys.
    const std::int64_t begin = p.causal ? max(std::int64_t{0}, first - (p.S - p.T)) / kTile * kTile : 0;
    for (std::int64_t i0 = begin; i0 < p.T; i0 += kTile) {
        __syncthreads();
        load_tile<T>(queries, q, p.q, b * p.q.batch + h * p.q.head, i0, p.T, p.D);
        load_tile<T>(ups, dy, g.dy, b * g.dy.batch + h * g.dy.head, i0, p.T, p.E);
        __syncthreads();
        const std::int64_t i = i0 + lane_id;
        const float s = score<T>(p, dot(key, queries + lane_id * (p.D + 1), p.D), mask, b, h, i, j);
        Terms t = {0, 0};
        if (s != -INFINITY)
            t = terms(p, s, lse[bh * p.T + i], dot(value, ups + lane_id * (p.E + 1), p.E), delta[bh * p.T + i], dropped(p, random, bh, i, j));
        for (int c0 = 0; c0 < p.D; c0 += 32) {
            const int c = c0 + lane_id;
            float acc = c < p.D ? sum_k[c] : 0.f;
            for (int r = 0; r < kTile; ++r) {
                const float w = __shfl_sync(~0u, t.ds, r);
                if (c < p.D && w != 0) acc = fmaf(w, queries[r * (p.D + 1) + c], acc);
            }
            if (c < p.D) sum_k[c] = acc;
        }
        for (int e0 = 0; e0 < p.E; e0 += 32) {
            const int e = e0 + lane_id;
            float acc = e < p.E ? sum_v[e] : 0.f;
            for (int r = 0; r < kTile; ++r) {
                const float w = __shfl_sync(~0u, t.p, r);
                if (e < p.E && w != 0) acc = fmaf(w, ups[r * (p.E + 1) + e], acc);
            }
            if (e < p.E) sum_v[e] = acc;
        }
    }
    if (j >= p.S) return;
    if (dk) {
        auto *row = static_cast<typename T::Stored *>(dk) + b * g.dk.batch + h * g.dk.head + j * g.dk.row;
        for (int c = lane_id; c < p.D; c += 32) row[c * g.dk.column] = narrow<T>(sum_k[c]);
    }
    if (dv) {
        auto *row = static_cast<typename T::Stored *>(dv) + b * g.dv.batch + h * g.dv.head + j * g.dv.row;
        for (int e = lane_id; e < p.E; e += 32) row[e * g.dv.column] = narrow<T>(sum_v[e]);
    }
}

template <class T>
std::unique_ptr<Kernel> make(const mpt_mod_call &call) {
    const Problem p = problem_of(call, call.in[4]);
    Gradients g = {place_of(call.in[4]), place_of(call.in[6]), {}, {}, {}};
    if (present(call.out[0])) g.dq = place_of(call.out[0]);
    if (present(call.out[1])) g.dk = place_of(call.out[1]);
    if (present(call.out[2])) g.dv = place_of(call.out[2]);
    const std::size_t tiles = tile_floats(p.D) + tile_floats(p.E);
    const std::size_t shared_q = (tiles + static_cast<std::size_t>(kWarps) * (2 * p.D + p.E)) * sizeof(float);
    const std::size_t shared_k = (tiles + static_cast<std::size_t>(kWarps) * 2 * (p.D + p.E)) * sizeof(float);
    allow_shared(queries<T>, shared_q, kName);
    allow_shared(keys<T>, shared_k, kName);
    const std::int64_t pairs = call.in[0].shape[0] * p.H, rows = pairs * p.T;
    const auto blocks = [](std::int64_t of) { return static_cast<unsigned>((of + kWarps - 1) / kWarps); };
    const auto launch = [=](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
        const auto *lse = static_cast<const float *>(in[5]);
        const auto *random = static_cast<const std::int64_t *>(in[7]);
        auto *delta = static_cast<float *>(workspace);
        if (rows > 0) {
            deltas<T><<<blocks(rows), kWarps * 32, 0, stream>>>(p, g, rows, in[4], in[6], delta);
            check_launch(kName);
        }
        if (out[0] && rows > 0) {
            queries<T><<<static_cast<unsigned>(pairs) * blocks(p.T), kWarps * 32, shared_q, stream>>>(p, g, in[0], in[1], in[2], in[3], lse, in[6], random, delta,
                                                                                                     out[0]);
            check_launch(kName);
        }
        if ((out[1] || out[2]) && pairs * p.S > 0) {
            keys<T><<<static_cast<unsigned>(pairs) * blocks(p.S), kWarps * 32, shared_k, stream>>>(p, g, in[0], in[1], in[2], in[3], lse, in[6], random, delta,
                                                                                                  out[1], out[2]);
            check_launch(kName);
        }
    };
    return kernel_of("cuda:attention_grad", launch, static_cast<std::size_t>(rows) * sizeof(float));
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    std::unique_ptr<Kernel> kernel;
    visit_float(kName, call.in[0].dtype, [&](auto t) { kernel = make<decltype(t)>(call); });
    return gradient_by_cudnn(device, call, gradient_on_tensor_cores(call, std::move(kernel)));
}
const RegisteredKernel registered(kName, prepare);

}  // namespace
}  // namespace mpt::cuda
