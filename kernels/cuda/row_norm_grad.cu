// "row_norm_grad" of device/attrs/norm.h. With g = dy * weight and d = x - mean: dx = rstd g + d q + r with factors of the row. A
// team takes rows at fixed distances and adds up dweight and dbias as it goes; the teams' sums are then added in order.
#include "any_float.cuh"
#include "device/attrs/norm.h"
#include "rows.cuh"

namespace mpt::cuda {
namespace {

constexpr int kFew = 8, kMany = 16;   // elements that a thread keeps
constexpr unsigned kMost = 512;       // threads that keep elements
constexpr std::int64_t kChunk = 128;  // rows that are added up in f32

// Operands of Rows: x, dy, rstd, dx (x where that is absent). Null: dx, mean and sums where they are absent.
template <class T>
struct Operands {
    const typename T::Stored *__restrict__ x, *__restrict__ dy;
    const float *__restrict__ mean, *__restrict__ rstd;
    typename T::Stored *__restrict__ dx;
    float *sums;  // [teams or chunks][dweight, dbias][length]
    Vector weight;
    bool rms;
};

struct Factors {
    float mean, rstd, q, r;
};

template <class T>
__device__ __forceinline__ Factors start(const Operands<T> &o, std::int64_t row) {
    return {o.mean ? o.mean[row] : 0, o.rstd[row], 0, 0};
}
// Of the sums of g and of g d.
__device__ __forceinline__ void finish(Factors &f, float first, float second, std::int64_t length, bool rms) {
    const float count = static_cast<float>(length);
    f.q = -f.rstd * f.rstd * (f.rstd * (second / count));
    f.r = rms ? 0 : -f.rstd * (first / count);
}

// A row's packs as a thread fetched them.
template <class T, int V, int N>
struct HeldRow {
    Elements<T, V> x[N], dy[N];
    float mean, rstd;
    std::int64_t to;

    __device__ __forceinline__ void fetch(const Rows<4> &rows, const Operands<T> &o, std::int64_t r) {
        const int packs = static_cast<int>(rows.length / V), thread = static_cast<int>(threadIdx.x),
                  step = static_cast<int>(blockDim.x);
        std::int64_t offset[4];
        rows.locate(r, offset);
        mean = o.mean ? o.mean[offset[2]] : 0;
        rstd = o.rstd[offset[2]];
        to = offset[3];
#pragma unroll
        for (int k = 0; k < N; ++k)
            if (thread + k * step < packs) {
                const std::int64_t i = thread + k * step;
                x[k] = load<T, V, true>(o.x + offset[0] + i * (V == 1 ? rows.stride[0] : V));
                dy[k] = load<T, V, true>(o.dy + offset[1] + i * (V == 1 ? rows.stride[1] : V));
            }
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

// Rows of 16-bit elements are fetched one ahead: their registers suffice for that, and a block is often alone on its
// multiprocessor.
template <class T, int V, int E>
__global__ void __launch_bounds__(kMost) row_norm_grad_held(Rows<4> rows, Operands<T> o) {
    extern __shared__ float of_block[];  // dweight and dbias of one team
    __shared__ float2 scratch[2][32];
    constexpr int kPacks = E / V;
    constexpr bool kAhead = V > 1 && sizeof *o.x == 2;
    const int packs = static_cast<int>(rows.length / V), thread = static_cast<int>(threadIdx.x),
              step = static_cast<int>(blockDim.x);
    float weight[kPacks][V], dweight[kPacks][V] = {}, dbias[kPacks][V] = {};
#pragma unroll
    for (int k = 0; k < kPacks; ++k)
        if (thread + k * step < packs) o.weight.read(std::int64_t{thread + k * step} * V, 1, weight[k]);
    HeldRow<T, V, kPacks> row, next;
    int turn = 0;
    if (kAhead && team() < rows.count) next.fetch(rows, o, team());
    for (std::int64_t r = team(); r < rows.count; r += teams(), turn ^= 1) {
        if constexpr (kAhead) {
            row = next;
            if (r + teams() < rows.count) next.fetch(rows, o, r + teams());
        } else {
            row.fetch(rows, o, r);
        }
        Factors f{row.mean, row.rstd, 0, 0};
        float2 sums = {0, 0};
#pragma unroll
        for (int k = 0; k < kPacks; ++k)
            if (thread + k * step < packs)
#pragma unroll
                for (int v = 0; v < V; ++v) {
                    const float x = row.x[k][v] - f.mean, dy = row.dy[k][v], g = dy * weight[k][v];
                    dweight[k][v] += dy * (x * f.rstd);
                    dbias[k][v] += dy;
                    sums.x += g;
                    sums.y += g * x;
                }
        if (!o.dx) continue;
        sums = team_sums(sums, scratch[turn]);
        finish(f, sums.x, sums.y, rows.length, o.rms);
#pragma unroll
        for (int k = 0; k < kPacks; ++k)
            if (thread + k * step < packs) {
                float dx[V];
#pragma unroll
                for (int v = 0; v < V; ++v) dx[v] = row.dy[k][v] * weight[k][v] * f.rstd + ((row.x[k][v] - f.mean) * f.q + f.r);
                put<T>(o.dx + row.to, rows.stride[3], thread + k * step, dx);
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

// dx of rows that are too long to keep.
template <class T, int V>
__global__ void row_norm_grad_streamed(Rows<4> rows, Operands<T> o) {
    __shared__ float scratch[32];
    const std::int64_t packs = rows.length / V;
    for (std::int64_t r = team(); r < rows.count; r += teams()) {
        std::int64_t offset[4];
        rows.locate(r, offset);
        Factors f = start(o, offset[2]);
        const typename T::Stored *row = o.x + offset[0], *dy_row = o.dy + offset[1];
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
            put<T>(o.dx + offset[3], rows.stride[3], i, dy);
        }
    }
}

// dweight and dbias of a chunk of such rows, in 32 columns.
template <class T>
__global__ void row_norm_grad_columns(Rows<4> rows, Operands<T> o, unsigned across) {
    __shared__ float parts[2][8][33];
    const std::int64_t chunk = blockIdx.x / across, column = std::int64_t{blockIdx.x % across} * 32 + threadIdx.x;
    const std::int64_t end = (chunk + 1) * kChunk < rows.count ? (chunk + 1) * kChunk : rows.count;
    float dweight = 0, dbias = 0;
    if (column < rows.length)
        for (std::int64_t r = chunk * kChunk + threadIdx.y; r < end; r += blockDim.y) {
            std::int64_t offset[4];
            rows.locate(r, offset);
            const Factors f = start(o, offset[2]);
            const float x = widen<T>(o.x[offset[0] + column * rows.stride[0]]),
                        dy = widen<T>(o.dy[offset[1] + column * rows.stride[1]]);
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

constexpr int kAcross = 8, kDeep = 64;  // threads of a block of the last step

// to[which][i] = the sum over k of sums[k][which][i].
__global__ void add_sums(const float *__restrict__ sums, std::int64_t n, std::int64_t length, float *dweight, float *dbias,
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

template <class T>
std::unique_ptr<Kernel> make(Device &device, const mpt_mod_call &call) {
    constexpr int V = 16 / sizeof(typename T::Stored);
    const bool rms = attrs_of<mpt_attrs_row_norm>(call).rms != 0, has_dx = present(call.out[0]);
    const mpt_mod_operand &x = call.in[1];
    const Rows<4> rows(call.kernel, x.ndim - 1, {&x, &call.in[0], &call.in[4], has_dx ? &call.out[0] : &x});
    const Vector weight(call.kernel, call.in[2], rows.length);
    const bool has_sums = present(call.out[1]) || present(call.out[2]);
    const std::int64_t dweight_stride = present(call.out[1]) ? call.out[1].strides[0] : 0,
                       dbias_stride = present(call.out[2]) ? call.out[2].strides[0] : 0;
    bool in_packs = rows.length % V == 0;
    for (int k : {0, 1, 3}) {
        in_packs &= rows.stride[k] == 1;
        for (int d = 0; d < rows.starts.ndim; ++d) in_packs &= rows.starts.strides[k][d] % V == 0;
    }
    struct Shape {
        Team team;
        unsigned grid;
        std::int64_t sums;  // how many there are
    };
    const auto shape = [&](int v) {
        Shape s{team_that_holds(device, rows.count, rows.length, v, kFew, v == 1 ? kFew : kMany, kMost), 1, 0};
        s.grid = s.team.grid(device, rows.count);
        if (s.team.held && has_sums) {  // no more teams than run at once, but short sums
            const auto per_multiprocessor = static_cast<int>((s.team.held == kFew ? 768 : 512) / (s.team.x * s.team.y));
            const unsigned some = blocks_for(device, rows.count, static_cast<int>(s.team.y), per_multiprocessor);
            const auto needed = static_cast<unsigned>((rows.count + kChunk * s.team.y - 1) / (kChunk * s.team.y));
            s.grid = std::max(some, needed);
        }
        s.sums = !has_sums ? 0 : s.team.held ? s.grid : (rows.count + kChunk - 1) / kChunk;
        return s;
    };
    const Shape packed = shape(V), single = shape(1);
    const std::size_t bytes = static_cast<std::size_t>(std::max(packed.sums, single.sums) * 2 * rows.length) * sizeof(float);
    const auto launch = [=, &device](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
        Operands<T> o{static_cast<const typename T::Stored *>(in[1]),
                      static_cast<const typename T::Stored *>(in[0]),
                      rms ? nullptr : static_cast<const float *>(in[3]),
                      static_cast<const float *>(in[4]),
                      has_dx ? static_cast<typename T::Stored *>(out[0]) : nullptr,
                      has_sums ? static_cast<float *>(workspace) : nullptr,
                      weight.at(in[2]),
                      rms};
        const bool packs = in_packs && aligned(o.x, 16) && aligned(o.dy, 16) && aligned(o.dx, 16) && o.weight.packs();
        const Shape &s = packs ? packed : single;
        const Team &t = s.team;
        const std::size_t shared = has_sums && t.y > 1 ? static_cast<std::size_t>(2 * rows.length) * sizeof(float) : 0;
        if (rows.count > 0 && rows.length > 0) {
            if (packs && t.held == kFew)
                row_norm_grad_held<T, V, kFew><<<s.grid, t.block(), shared, stream>>>(rows, o);
            else if (packs && t.held)
                row_norm_grad_held<T, V, kMany><<<s.grid, t.block(), shared, stream>>>(rows, o);
            else if (t.held)
                row_norm_grad_held<T, 1, kFew><<<s.grid, t.block(), shared, stream>>>(rows, o);
            else if (has_dx && packs)
                row_norm_grad_streamed<T, V><<<s.grid, t.block(), 0, stream>>>(rows, o);
            else if (has_dx)
                row_norm_grad_streamed<T, 1><<<s.grid, t.block(), 0, stream>>>(rows, o);
            check_launch("row_norm_grad");
            if (has_sums && !t.held) {
                const auto across = static_cast<unsigned>((rows.length + 31) / 32);
                row_norm_grad_columns<T><<<static_cast<unsigned>(s.sums) * across, dim3(32, 8), 0, stream>>>(rows, o, across);
                check_launch("row_norm_grad");
            }
        }
        if (has_sums && rows.length > 0) {
            const auto blocks = static_cast<unsigned>((2 * rows.length + kAcross - 1) / kAcross);
            add_sums<<<blocks, dim3(kAcross, kDeep), 0, stream>>>(o.sums, rows.count > 0 ? s.sums : 0, rows.length,
                                                                  static_cast<float *>(out[1]), static_cast<float *>(out[2]),
                                                                  dweight_stride, dbias_stride);
            check_launch("row_norm_grad");
        }
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
