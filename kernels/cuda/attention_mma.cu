// Attention on tensor cores: a block has 128 rows of q, a warp 16 of them, and walks over tiles of keys and values while the next
// ones come [Dao 2023]. See attention_mma.cuh and device/attrs/attention.h.
#include "attention_mma.cuh"

namespace mpt::cuda::attention {
namespace {

constexpr const char *kName = "attention";
constexpr int kForwardWarps = 8, kRows = kForwardWarps * 16;

template <int D>
constexpr std::size_t shared_bytes() {
    return static_cast<std::size_t>(kRows + 4 * kKeys) * D * 2;
}

// The largest or the sum of a row, of which four lanes have a part each.
template <class F>
__device__ __forceinline__ float row_reduce(float x, const F &f) {
    x = f(x, __shfl_xor_sync(~0u, x, 1));
    return f(x, __shfl_xor_sync(~0u, x, 2));
}

// Shared: q, then two stages of a tile of k and one of v.
template <class T, int D>
__global__ void __launch_bounds__(kForwardWarps * 32, D == 64 ? 2 : 1)
    forward(const __grid_constant__ Problem p, const void *q, const void *k, const void *v, void *out, float *lse) {
    using Stored = typename T::Stored;
    constexpr int threads = kForwardWarps * 32;
    constexpr std::uint32_t tile_bytes = kKeys * D * 2;
    extern __shared__ __align__(128) unsigned char shared_tiles[];
    const std::uint32_t queries = shared_at(shared_tiles), stages = queries + kRows * D * 2;
    const int T_ = static_cast<int>(p.T), S = static_cast<int>(p.S), tiles = (T_ + kRows - 1) / kRows;
    // With causal, the last rows have the most to do: they begin.
    const int first = (tiles - 1 - static_cast<int>(blockIdx.x % tiles)) * kRows;
    const std::int64_t bh = blockIdx.x / tiles, b = bh / p.H, h = bh % p.H;
    const int warp = threadIdx.x / 32, lane_id = threadIdx.x % 32, row = first + warp * 16, mine = row + lane_id / 4;
    const auto *keys = static_cast<const Stored *>(k) + b * p.k.batch + h * p.k.head;
    const auto *values = static_cast<const Stored *>(v) + b * p.v.batch + h * p.v.head;
    // Row i sees keys up to i + beyond.
    const int beyond = p.causal ? S - T_ : S, end = min(S, first + kRows + beyond), count = end > 0 ? (end + kKeys - 1) / kKeys : 0;
    const auto stage = [&](int tile) {
        const std::uint32_t to = stages + static_cast<std::uint32_t>(tile % 2) * 2 * tile_bytes;
        copy_tile<T, D, kKeys, threads>(to, keys, p.k.row, tile * kKeys, S);
        copy_tile<T, D, kKeys, threads>(to + tile_bytes, values, p.v.row, tile * kKeys, S);
        copies_end();
    };
    copy_tile<T, D, kRows, threads>(queries, static_cast<const Stored *>(q) + b * p.q.batch + h * p.q.head, p.q.row, first, T_);
    if (count > 0) stage(0);

    const float factor = p.scale * kLog2e;
    float sum[D / 8][4] = {}, largest[2] = {-INFINITY, -INFINITY}, total[2] = {};
    std::uint32_t query[D / 16][4];
    for (int tile = 0; tile < count; ++tile) {
        if (tile + 1 < count) {
            stage(tile + 1);
            copies_wait<1>();
        } else {
            copies_wait<0>();
        }
        __syncthreads();
        if (tile == 0) {
#pragma unroll
            for (int n = 0; n < D / 16; ++n) load_left<D>(query[n], queries, warp * 16, n);
        }
        const int j0 = tile * kKeys;
        const std::uint32_t at = stages + static_cast<std::uint32_t>(tile % 2) * 2 * tile_bytes;
        if (j0 <= row + 15 + beyond) {  // else none of the warp's rows sees this tile
            float s[kKeys / 8][4] = {};
            multiply_rows<T, D>(
                s,
                [&](std::uint32_t(&a)[4], int n) {
#pragma unroll
                    for (int i = 0; i < 4; ++i) a[i] = query[n][i];
                },
                at, 0);
            const bool whole = j0 + kKeys <= S && j0 + kKeys - 1 <= row + beyond;
            float top[2] = {largest[0], largest[1]};
#pragma unroll
            for (int n = 0; n < kKeys / 8; ++n)
#pragma unroll
                for (int i = 0; i < 4; ++i) {
                    const int j = j0 + n * 8 + lane_id % 4 * 2 + i % 2;
                    s[n][i] *= factor;
                    if (!whole && (j >= S || j > mine + i / 2 * 8 + beyond)) s[n][i] = -INFINITY;
                    top[i / 2] = fmaxf(top[i / 2], s[n][i]);
                }
            float base[2];
#pragma unroll
            for (int r = 0; r < 2; ++r) {
                top[r] = row_reduce(top[r], [](float x, float y) { return fmaxf(x, y); });
                base[r] = top[r] == -INFINITY ? 0.f : top[r];  // nothing was seen yet
                const float old = exp2f(largest[r] - base[r]);
                largest[r] = top[r];
                total[r] *= old;
#pragma unroll
                for (int n = 0; n < D / 8; ++n) sum[n][2 * r] *= old, sum[n][2 * r + 1] *= old;
            }
#pragma unroll
            for (int n = 0; n < kKeys / 8; ++n)
#pragma unroll
                for (int i = 0; i < 4; ++i) total[i / 2] += s[n][i] = exp2f(s[n][i] - base[i / 2]);
            multiply_columns<T, D>(sum, s, at + tile_bytes, 0);
        }
        __syncthreads();  // the next but one takes this tile's room
    }
    copies_wait<0>();
    float inverse[2];
#pragma unroll
    for (int r = 0; r < 2; ++r) {
        total[r] = row_reduce(total[r], [](float x, float y) { return x + y; });
        inverse[r] = total[r] == 0 ? 0.f : 1 / total[r];
        const int i = mine + r * 8;
        if (i < T_ && lane_id % 4 == 0) lse[bh * p.T + i] = total[r] == 0 ? INFINITY : largest[r] / kLog2e + logf(total[r]);
    }
    store_rows<T, D>(out, p.out, b * p.out.batch + h * p.out.head, row, T_, sum, inverse[0], inverse[1]);
}

}  // namespace

std::unique_ptr<Kernel> on_tensor_cores(const mpt_mod_call &call, std::unique_ptr<Kernel> otherwise) {
    if (!tensor_cores(call, call.in[4]) || !packs(call.out[0])) return otherwise;
    std::unique_ptr<Kernel> kernel;
    visit_tensor_cores(call.in[0], [&](auto format, auto columns) {
        using T = decltype(format);
        constexpr int D = decltype(columns)::value;
        const Problem p = problem_of(call, call.out[0]);
        allow_shared(forward<T, D>, shared_bytes<D>(), kName);
        const std::int64_t blocks = call.in[0].shape[0] * p.H * ((p.T + kRows - 1) / kRows);
        const std::size_t workspace = otherwise->workspace_bytes;
        const auto launch = [p, blocks, other = std::shared_ptr<Kernel>(std::move(otherwise))](
                                const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
            if (blocks == 0) return;
            if (!aligned(in[0], 16) || !aligned(in[1], 16) || !aligned(in[2], 16) || !aligned(out[0], 16))
                return other->launch(in, out, workspace, stream);
            forward<T, D><<<static_cast<unsigned>(blocks), kForwardWarps * 32, shared_bytes<D>(), stream>>>(
                p, in[0], in[1], in[2], out[0], static_cast<float *>(out[1]));
            check_launch(kName);
        };
        kernel = kernel_of("cuda:attention_mma", launch, workspace);
    });
    return kernel;
}

}  // namespace mpt::cuda::attention
