// What "row_norm_grad" and the gradient of a norm with a residual sum in front share: the rows that stay in registers, and the last step of
// the sums of dweight and dbias.
#pragma once

#include <algorithm>

#include "any_float.cuh"
#include "device/attrs/norm.h"
#include "rows.cuh"

namespace mpt::cuda::row_norm_grad {

inline constexpr int kFew = 8, kMany = 16;   // elements that a thread keeps
inline constexpr unsigned kMost = 512;       // threads that keep elements
inline constexpr std::int64_t kChunk = 128;  // rows that are added up in f32

// Beside x, dy and dx. Null: mean and sums where they are absent.
struct Operands {
    const float *__restrict__ mean, *__restrict__ rstd;
    float *sums;  // [teams or chunks][dweight, dbias][length]
    Vector weight;
    bool rms, has_dx;
};

struct Factors {
    float mean, rstd, q, r;
};

__device__ __forceinline__ Factors start(const Operands &o, std::int64_t row) {
    return {o.mean ? o.mean[row] : 0, o.rstd[row], 0, 0};
}
// Of the sums of g and of g d.
__device__ __forceinline__ void finish(Factors &f, float first, float second, std::int64_t length, bool rms) {
    const float count = static_cast<float>(length);
    f.q = -f.rstd * f.rstd * (f.rstd * (second / count));
    f.r = rms ? 0 : -f.rstd * (first / count);
}

// A row's packs as a thread fetched them.
template <class Places, int V, int N>
struct HeldRow {
    typename Places::template Packs<V> packs[N];
    float mean, rstd;
    std::int64_t offset[4];

    __device__ __forceinline__ void fetch(const Rows<4> &rows, const Places &at, const Operands &o, std::int64_t r) {
        const int count = static_cast<int>(rows.length / V), thread = static_cast<int>(threadIdx.x),
                  step = static_cast<int>(blockDim.x);
        rows.locate(r, offset);
        mean = o.mean ? o.mean[offset[2]] : 0;
        rstd = o.rstd[offset[2]];
#pragma unroll
        for (int k = 0; k < N; ++k)
            if (thread + k * step < count) at.load(rows, offset, thread + k * step, packs[k]);
    }
};

// Two sums at once, for each thread. scratch: 32 elements, which the next call must not get, but the one behind it may.
__device__ __forceinline__ float2 team_sums(float2 x, float2 *scratch) {
    x = {warp_reduce(x.x, Add()), warp_reduce(x.y, Add())};
    if (blockDim.x == 32) return x;
    const unsigned lane = threadIdx.x % 32;
    if (lane == 0) scratch[threadIdx.x / 32] = x;
    __syncthreads();
    x = lane < blockDim.x / 32 ? scratch[lane] : float2{0, 0};
    return {warp_reduce(x.x, Add()), warp_reduce(x.y, Add())};
}

// Rows are fetched one ahead where registers suffice for that: a block is often alone on its multiprocessor.
// Places: offset of a row of x, dy, rstd and dx.
//   Packs<V>: x and dy of V elements, as they were loaded; kAhead: up to how many elements of a thread a row is fetched ahead
//   load(rows, offset, i, packs), store(rows, offset, i, packs, dx)
template <class Places, int V, int E>
__global__ void __launch_bounds__(kMost) held(Rows<4> rows, Places at, Operands o) {
    extern __shared__ float of_block[];  // dweight and dbias of one team
    __shared__ float2 scratch[2][32];
    constexpr int kPacks = E / V;
    constexpr bool kAhead = V > 1 && E <= Places::kAhead;
    const int packs = static_cast<int>(rows.length / V), thread = static_cast<int>(threadIdx.x),
              step = static_cast<int>(blockDim.x);
    float weight[kPacks][V], dweight[kPacks][V] = {}, dbias[kPacks][V] = {};
#pragma unroll
    for (int k = 0; k < kPacks; ++k)
        if (thread + k * step < packs) o.weight.read(std::int64_t{thread + k * step} * V, 1, weight[k]);
    HeldRow<Places, V, kPacks> row, next;
    int turn = 0;
    if (kAhead && team() < rows.count) next.fetch(rows, at, o, team());
    for (std::int64_t r = team(); r < rows.count; r += teams(), turn ^= 1) {
        if constexpr (kAhead) {
            row = next;
            if (r + teams() < rows.count) next.fetch(rows, at, o, r + teams());
        } else {
            row.fetch(rows, at, o, r);
        }
        Factors f{row.mean, row.rstd, 0, 0};
        float2 sums = {0, 0};
#pragma unroll
        for (int k = 0; k < kPacks; ++k)
            if (thread + k * step < packs)
#pragma unroll
                for (int v = 0; v < V; ++v) {
                    const float x = row.packs[k].x[v] - f.mean, dy = row.packs[k].dy[v], g = dy * weight[k][v];
                    dweight[k][v] += dy * (x * f.rstd);
                    dbias[k][v] += dy;
                    sums.x += g;
                    sums.y += g * x;
                }
        if (!o.has_dx) continue;
        sums = team_sums(sums, scratch[turn]);
        finish(f, sums.x, sums.y, rows.length, o.rms);
#pragma unroll
        for (int k = 0; k < kPacks; ++k)
            if (thread + k * step < packs) {
                float dx[V];
#pragma unroll
                for (int v = 0; v < V; ++v) dx[v] = row.packs[k].dy[v] * weight[k][v] * f.rstd + ((row.packs[k].x[v] - f.mean) * f.q + f.r);
                at.store(rows, row.offset, thread + k * step, row.packs[k], dx);
            }
    }
    if (!o.sums) return;
    // The teams of a block become one, in order.
    for (unsigned y = 1; y < blockDim.y; ++y) {
        if (threadIdx.y == y)
#pragma unroll
            for (int k = 0; k < kPacks; ++k)
                if (thread + k * step < packs)
#pragma unroll
                    for (int v = 0; v < V; ++v) {
                        of_block[(thread + k * step) * V + v] = dweight[k][v];
                        of_block[(packs + thread + k * step) * V + v] = dbias[k][v];
                    }
        __syncthreads();
        if (threadIdx.y == 0)
#pragma unroll
            for (int k = 0; k < kPacks; ++k)
                if (thread + k * step < packs)
#pragma unroll
                    for (int v = 0; v < V; ++v) {
                        dweight[k][v] += of_block[(thread + k * step) * V + v];
                        dbias[k][v] += of_block[(packs + thread + k * step) * V + v];
                    }
        __syncthreads();
    }
    if (threadIdx.y != 0) return;
    float *sums = o.sums + std::int64_t{blockIdx.x} * 2 * rows.length;
#pragma unroll
    for (int k = 0; k < kPacks; ++k)
        if (thread + k * step < packs)
#pragma unroll
            for (int v = 0; v < V; ++v) {
                sums[(thread + k * step) * V + v] = dweight[k][v];
                sums[rows.length + (thread + k * step) * V + v] = dbias[k][v];
            }
}

inline constexpr int kAcross = 8, kDeep = 64;  // threads of a block of the last step

// to[which][i] = the sum over k of sums[k][which][i].
static __global__ void add_sums(const float *__restrict__ sums, std::int64_t n, std::int64_t length, float *dweight, float *dbias,
                         std::int64_t dweight_stride, std::int64_t dbias_stride) {
    __shared__ double parts[kDeep][kAcross + 1];
    const std::int64_t at = std::int64_t{blockIdx.x} * kAcross + threadIdx.x;
    double sum = 0;
    if (at < 2 * length)
#pragma unroll 4
        for (std::int64_t k = threadIdx.y; k < n; k += kDeep) sum += static_cast<double>(sums[k * 2 * length + at]);
    parts[threadIdx.y][threadIdx.x] = sum;
    for (int half = kDeep / 2; half > 0; half /= 2) {
        __syncthreads();
        if (static_cast<int>(threadIdx.y) < half) parts[threadIdx.y][threadIdx.x] += parts[threadIdx.y + half][threadIdx.x];
    }
    if (threadIdx.y != 0 || at >= 2 * length) return;
    const auto total = static_cast<float>(parts[0][threadIdx.x]);
    if (at < length && dweight) dweight[at * dweight_stride] = total;
    if (at >= length && dbias) dbias[(at - length) * dbias_stride] = total;
}

// Teams of threads, and how many sums they leave.
struct Shape {
    Shape(const Device &device, std::int64_t rows, std::int64_t length, int v, bool has_sums)
        : team(team_that_holds(device, rows, length, v, kFew, v == 1 ? kFew : kMany, kMost)), grid(team.grid(device, rows)) {
        if (team.held && has_sums) {  // no more teams than run at once, but short sums
            const auto per_multiprocessor = static_cast<int>((team.held == kFew ? 768 : 512) / (team.x * team.y));
            const unsigned some = blocks_for(device, rows, static_cast<int>(team.y), per_multiprocessor);
            const auto needed = static_cast<unsigned>((rows + kChunk * team.y - 1) / (kChunk * team.y));
            grid = std::max(some, needed);
        }
        sums = !has_sums ? 0 : team.held ? grid : (rows + kChunk - 1) / kChunk;
    }
    std::size_t shared(std::int64_t length) const { return sums && team.y > 1 ? static_cast<std::size_t>(2 * length) * sizeof(float) : 0; }

    Team team;
    unsigned grid;
    std::int64_t sums;
};

// What dweight and dbias are written to; either may be absent.
struct Results {
    explicit Results(const mpt_mod_call &call)
        : any(present(call.out[1]) || present(call.out[2])),
          dweight_stride(present(call.out[1]) ? call.out[1].strides[0] : 0),
          dbias_stride(present(call.out[2]) ? call.out[2].strides[0] : 0) {}
    void run(const float *sums, std::int64_t count, std::int64_t length, void *dweight, void *dbias, cudaStream_t stream) const {
        if (!any || length == 0) return;
        const auto blocks = static_cast<unsigned>((2 * length + kAcross - 1) / kAcross);
        add_sums<<<blocks, dim3(kAcross, kDeep), 0, stream>>>(sums, count, length, static_cast<float *>(dweight), static_cast<float *>(dbias), dweight_stride,
                                                              dbias_stride);
        check_launch("row_norm_grad");
    }

    bool any;
    std::int64_t dweight_stride, dbias_stride;
};

}  // namespace mpt::cuda::row_norm_grad
