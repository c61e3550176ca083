// The gradient of attention on tensor cores [Dao 2023]: a kernel walks over keys for rows of q, another over queries for rows of k
// and v, so every result is written once and nothing is added by two blocks. See attention_mma.cuh and device/attrs/attention.h.
#include "attention_mma.cuh"

namespace mpt::cuda::attention {
namespace {

constexpr const char *kName = "attention_grad";
constexpr int kGradWarps = 4, kThreads = kGradWarps * 32, kRows = kGradWarps * 16, kPart = 32;  // kPart: rows of a tile at once
static_assert(kRows == kKeys);

struct Gradients {
    Place y, dy, dq, dk, dv;
};

// delta_i = sum_e y_ie dy_ie; D / 8 threads have a row.
template <class T, int D>
__global__ void __launch_bounds__(256) deltas(const __grid_constant__ Problem p, const __grid_constant__ Gradients g,
                                              std::int64_t rows, const void *y, const void *dy, float *delta) {
    using P = Pack<typename T::Stored, 8>;
    const std::int64_t row = (blockIdx.x * std::int64_t{256} + threadIdx.x) / (D / 8);
    const int c = threadIdx.x % (D / 8);
    float sum = 0;
    if (row < rows) {
        const std::int64_t i = row % p.T, bh = row / p.T, b = bh / p.H, h = bh % p.H;
        const P a = *reinterpret_cast<const P *>(static_cast<const typename T::Stored *>(y) + b * g.y.batch + h * g.y.head +
                                                 i * g.y.row + c * 8);
        const P d = *reinterpret_cast<const P *>(static_cast<const typename T::Stored *>(dy) + b * g.dy.batch + h * g.dy.head +
                                                 i * g.dy.row + c * 8);
#pragma unroll
        for (int e = 0; e < 8; ++e) sum = fmaf(widen<T>(a.at[e]), widen<T>(d.at[e]), sum);
    }
#pragma unroll
    for (int step = D / 16; step > 0; step /= 2) sum += __shfl_xor_sync(~0u, sum, step);
    if (row < rows && c == 0) delta[row] = sum;
}

// Shared: two tiles that stay, then two stages of two tiles.
template <int D>
constexpr std::size_t shared_bytes() {
    return static_cast<std::size_t>(6 * kKeys) * D * 2;
}

// Where a block works, and how a pair of tiles is brought.
template <class T, int D>
struct Tiles {
    using Stored = typename T::Stored;
    static constexpr std::uint32_t kBytes = kKeys * D * 2;
    std::uint32_t base;
    __device__ std::uint32_t stage(int n) const { return base + static_cast<std::uint32_t>(2 + n % 2 * 2) * kBytes; }
    __device__ void bring(std::uint32_t to, const Stored *one, std::int64_t one_stride, const Stored *two, std::int64_t two_stride,
                          int first, int rows) const {
        copy_tile<T, D, kKeys, kThreads>(to, one, one_stride, first, rows);
        copy_tile<T, D, kKeys, kThreads>(to + kBytes, two, two_stride, first, rows);
        copies_end();
    }
};

// The probability, and the gradient of the score before scale: 0 where nothing is seen.
__device__ __forceinline__ void terms(float &s, float &dp, float factor, float lse, float delta, bool seen) {
    s = seen && lse != INFINITY ? exp2f(fmaf(s, factor, -lse)) : 0.f;
    dp = s == 0 ? 0.f : s * (dp - delta);
}

template <class T, int D>
__global__ void __launch_bounds__(kThreads, D == 64 ? 3 : 2)
    queries(const __grid_constant__ Problem p, const __grid_constant__ Gradients g, const void *q, const void *k, const void *v,
            const float *lse, const void *dy, const float *delta, void *dq) {
    using Stored = typename T::Stored;
    extern __shared__ __align__(128) unsigned char shared_tiles[];
    const Tiles<T, D> at{shared_at(shared_tiles)};
    const int rows = static_cast<int>(p.T), S = static_cast<int>(p.S), tiles = (rows + kRows - 1) / kRows;
    const int first = (tiles - 1 - static_cast<int>(blockIdx.x % tiles)) * kRows;  // with causal, the longest begin
    const std::int64_t bh = blockIdx.x / tiles, b = bh / p.H, h = bh % p.H;
    const int warp = threadIdx.x / 32, lane_id = threadIdx.x % 32, row = first + warp * 16, mine = row + lane_id / 4;
    const auto *keys = static_cast<const Stored *>(k) + b * p.k.batch + h * p.k.head;
    const auto *values = static_cast<const Stored *>(v) + b * p.v.batch + h * p.v.head;
    const int beyond = p.causal ? S - rows : S, end = min(S, first + kRows + beyond),
              count = end > 0 ? (end + kKeys - 1) / kKeys : 0;
    at.bring(at.base, static_cast<const Stored *>(q) + b * p.q.batch + h * p.q.head, p.q.row,
             static_cast<const Stored *>(dy) + b * g.dy.batch + h * g.dy.head, g.dy.row, first, rows);
    if (count > 0) at.bring(at.stage(0), keys, p.k.row, values, p.v.row, 0, S);
    float l[2], d[2];
#pragma unroll
    for (int r = 0; r < 2; ++r) {
        const int i = mine + 8 * r;
        l[r] = i < rows ? lse[bh * p.T + i] * kLog2e : INFINITY;
        d[r] = i < rows ? delta[bh * p.T + i] : 0.f;
    }
    const float factor = p.scale * kLog2e;
    float sum[D / 8][4] = {};
    for (int tile = 0; tile < count; ++tile) {
        if (tile + 1 < count) {
            at.bring(at.stage(tile + 1), keys, p.k.row, values, p.v.row, (tile + 1) * kKeys, S);
            copies_wait<1>();
        } else {
            copies_wait<0>();
        }
        __syncthreads();
        const std::uint32_t here = at.stage(tile);
#pragma unroll
        for (int part = 0; part < kKeys; part += kPart) {
            const int j0 = tile * kKeys + part;
            if (j0 > row + 15 + beyond) continue;
            float s[kPart / 8][4] = {}, dp[kPart / 8][4] = {};
            multiply_rows<T, D>(
                s, [&](std::uint32_t(&a)[4], int n) { load_left<D>(a, at.base, warp * 16, n); }, here, part);
            multiply_rows<T, D>(
                dp, [&](std::uint32_t(&a)[4], int n) { load_left<D>(a, at.base + at.kBytes, warp * 16, n); }, here + at.kBytes,
                part);
#pragma unroll
            for (int n = 0; n < kPart / 8; ++n)
#pragma unroll
                for (int i = 0; i < 4; ++i) {
                    const int j = j0 + n * 8 + lane_id % 4 * 2 + i % 2;
                    terms(s[n][i], dp[n][i], factor, l[i / 2], d[i / 2], j < S && j <= mine + i / 2 * 8 + beyond);
                }
            multiply_columns<T, D>(sum, dp, here, part);
        }
        __syncthreads();
    }
    copies_wait<0>();
    store_rows<T, D>(dq, g.dq, b * g.dq.batch + h * g.dq.head, row, rows, sum, p.scale, p.scale);
}

template <class T, int D>
__global__ void __launch_bounds__(kThreads, 2)
    keys(const __grid_constant__ Problem p, const __grid_constant__ Gradients g, const void *q, const void *k, const void *v,
         const float *lse, const void *dy, const float *delta, void *dk, void *dv) {
    using Stored = typename T::Stored;
    extern __shared__ __align__(128) unsigned char shared_tiles[];
    __shared__ float numbers[2][2][kRows];  // lse and delta of a stage's queries
    const Tiles<T, D> at{shared_at(shared_tiles)};
    const int rows = static_cast<int>(p.T), S = static_cast<int>(p.S), tiles = (S + kKeys - 1) / kKeys;
    const int first = static_cast<int>(blockIdx.x % tiles) * kKeys;
    const std::int64_t bh = blockIdx.x / tiles, b = bh / p.H, h = bh % p.H;
    const int warp = threadIdx.x / 32, lane_id = threadIdx.x % 32, row = first + warp * 16, mine = row + lane_id / 4;
    const auto *queries = static_cast<const Stored *>(q) + b * p.q.batch + h * p.q.head;
    const auto *ups = static_cast<const Stored *>(dy) + b * g.dy.batch + h * g.dy.head;
    // With causal, key j is seen by rows from j - beyond on.
    const int beyond = p.causal ? S - rows : S, begin = max(0, first - beyond) / kRows, end = (rows + kRows - 1) / kRows;
    const auto stage = [&](int tile) {
        if (threadIdx.x < kRows) {
            const int i = tile * kRows + static_cast<int>(threadIdx.x);
            numbers[tile % 2][0][threadIdx.x] = i < rows ? lse[bh * p.T + i] * kLog2e : INFINITY;
            numbers[tile % 2][1][threadIdx.x] = i < rows ? delta[bh * p.T + i] : 0.f;
        }
        at.bring(at.stage(tile), queries, p.q.row, ups, g.dy.row, tile * kRows, rows);
    };
    at.bring(at.base, static_cast<const Stored *>(k) + b * p.k.batch + h * p.k.head, p.k.row,
             static_cast<const Stored *>(v) + b * p.v.batch + h * p.v.head, p.v.row, first, S);
    if (begin < end) stage(begin);
    const float factor = p.scale * kLog2e;
    float sum_k[D / 8][4] = {}, sum_v[D / 8][4] = {};
    for (int tile = begin; tile < end; ++tile) {
        if (tile + 1 < end) {
            stage(tile + 1);
            copies_wait<1>();
        } else {
            copies_wait<0>();
        }
        __syncthreads();
        const std::uint32_t here = at.stage(tile);
#pragma unroll
        for (int part = 0; part < kRows; part += kPart) {
            const int i0 = tile * kRows + part;
            if (row > i0 + kPart - 1 + beyond) continue;        // none of these rows sees the warp's keys
            float s[kPart / 8][4] = {}, dp[kPart / 8][4] = {};  // keys down, queries across
            multiply_rows<T, D>(
                s, [&](std::uint32_t(&a)[4], int n) { load_left<D>(a, at.base, warp * 16, n); }, here, part);
            multiply_rows<T, D>(
                dp, [&](std::uint32_t(&a)[4], int n) { load_left<D>(a, at.base + at.kBytes, warp * 16, n); }, here + at.kBytes,
                part);
#pragma unroll
            for (int n = 0; n < kPart / 8; ++n)
#pragma unroll
                for (int i = 0; i < 4; ++i) {
                    const int local = part + n * 8 + lane_id % 4 * 2 + i % 2, j = mine + i / 2 * 8;
                    terms(s[n][i], dp[n][i], factor, numbers[tile % 2][0][local], numbers[tile % 2][1][local],
                          j < S && j <= tile * kRows + local + beyond);
                }
            multiply_columns<T, D>(sum_v, s, here + at.kBytes, part);
            multiply_columns<T, D>(sum_k, dp, here, part);
        }
        __syncthreads();
    }
    copies_wait<0>();
    if (dk) store_rows<T, D>(dk, g.dk, b * g.dk.batch + h * g.dk.head, row, S, sum_k, p.scale, p.scale);
    if (dv) store_rows<T, D>(dv, g.dv, b * g.dv.batch + h * g.dv.head, row, S, sum_v, 1, 1);
}

template <class T, int D>
std::unique_ptr<Kernel> make(const mpt_mod_call &call, std::unique_ptr<Kernel> otherwise) {
    const Problem p = problem_of(call, call.in[4]);
    Gradients g = {place_of(call.in[4]), place_of(call.in[6]), {}, {}, {}};
    Place *const places[] = {&g.dq, &g.dk, &g.dv};
    for (int i = 0; i < 3; ++i)
        if (present(call.out[i])) *places[i] = place_of(call.out[i]);
    constexpr std::size_t shared = shared_bytes<D>();
    allow_shared(queries<T, D>, shared, kName);
    allow_shared(keys<T, D>, shared, kName);
    const std::int64_t pairs = call.in[0].shape[0] * p.H, rows = pairs * p.T;
    const auto blocks = [](std::int64_t of, std::int64_t each) { return static_cast<unsigned>((of + each - 1) / each); };
    const std::size_t workspace_bytes = std::max(otherwise->workspace_bytes, static_cast<std::size_t>(rows) * sizeof(float));
    const auto launch = [=, other = std::shared_ptr<Kernel>(std::move(otherwise))](const void *const *in, void *const *out,
                                                                                   void *workspace, cudaStream_t stream) {
        for (const void *x : {in[0], in[1], in[2], in[4], in[6], static_cast<const void *>(out[0]),
                              static_cast<const void *>(out[1]), static_cast<const void *>(out[2])})
            if (!aligned(x, 16)) return other->launch(in, out, workspace, stream);
        const auto *lse = static_cast<const float *>(in[5]);
        auto *delta = static_cast<float *>(workspace);
        if (rows > 0) {
            deltas<T, D><<<blocks(rows, 256 / (D / 8)), 256, 0, stream>>>(p, g, rows, in[4], in[6], delta);
            check_launch(kName);
        }
        if (out[0] && rows > 0) {
            queries<T, D><<<static_cast<unsigned>(pairs) * blocks(p.T, kRows), kThreads, shared, stream>>>(
                p, g, in[0], in[1], in[2], lse, in[6], delta, out[0]);
            check_launch(kName);
        }
        if ((out[1] || out[2]) && pairs * p.S > 0) {
            keys<T, D><<<static_cast<unsigned>(pairs) * blocks(p.S, kKeys), kThreads, shared, stream>>>(
                p, g, in[0], in[1], in[2], lse, in[6], delta, out[1], out[2]);
            check_launch(kName);
        }
    };
    return kernel_of("cuda:attention_mma_grad", launch, workspace_bytes);
}

}  // namespace

std::unique_ptr<Kernel> gradient_on_tensor_cores(const mpt_mod_call &call, std::unique_ptr<Kernel> otherwise) {
    if (!tensor_cores(call, call.in[7]) || !packs(call.in[4]) || !packs(call.in[6])) return otherwise;
    for (int i = 0; i < 3; ++i)
        if (!packs(call.out[i])) return otherwise;
    std::unique_ptr<Kernel> kernel;
    visit_tensor_cores(call.in[0], [&](auto format, auto columns) {
        kernel = make<decltype(format), decltype(columns)::value>(call, std::move(otherwise));
    });
    return kernel;
}

}  // namespace mpt::cuda::attention
