// "cumsum" of device/attrs/, in double. Lines along the fastest dimension are scanned by blocks, tile after tile; neighbouring
// short or crosswise lines by one thread each. Where there are few lines, pieces of them are first summed, and a piece begins with
// the sums of those in front of it.
#include "device/attrs/scan.h"
#include "rows.cuh"

namespace mpt::cuda {
namespace {

constexpr int kItems = 8;                   // elements of a thread in a tile
constexpr std::int64_t kBlocks = 1056;      // eight on each multiprocessor of a large GPU
constexpr std::int64_t kPieces = 32;        // of a line that threads scan
constexpr std::int64_t kColumns = 1 << 17;  // threads that fill a large GPU

struct Plan {
    Rows<2> lines;  // of y and x; the starts are those of the elements that come first in the sums
    std::int64_t piece, pieces;
    std::int64_t step[2];
};

// f(thread's elements) of a tile: element t of the sums' order and the seven behind it. Backwards they lie the other way round.
template <class T>
__device__ __forceinline__ void load(const typename T::Stored *x, std::int64_t step, bool packed, std::int64_t t, std::int64_t n,
                                     double (&v)[kItems]) {
    if (packed) {
        const auto pack = *reinterpret_cast<const Pack<typename T::Stored, kItems> *>(step > 0 ? x + t : x - t - (kItems - 1));
#pragma unroll
        for (int j = 0; j < kItems; ++j) v[j] = widen<T>(step > 0 ? pack.at[j] : pack.at[kItems - 1 - j]);
    } else {
#pragma unroll
        for (int j = 0; j < kItems; ++j) v[j] = t + j < n ? widen<T>(x[(t + j) * step]) : 0.0f;
    }
}

template <class T>
__device__ __forceinline__ void store(typename T::Stored *y, std::int64_t step, bool packed, std::int64_t t, std::int64_t n,
                                      const double (&v)[kItems]) {
    if (packed) {
        Pack<typename T::Stored, kItems> pack;
#pragma unroll
        for (int j = 0; j < kItems; ++j) pack.at[j] = narrow<T>(static_cast<float>(step > 0 ? v[j] : v[kItems - 1 - j]));
        *reinterpret_cast<Pack<typename T::Stored, kItems> *>(step > 0 ? y + t : y - t - (kItems - 1)) = pack;
    } else {
#pragma unroll
        for (int j = 0; j < kItems; ++j)
            if (t + j < n) y[(t + j) * step] = narrow<T>(static_cast<float>(v[j]));
    }
}

// A block for each piece of a line. sums: [line][piece].
template <class T>
__global__ void __launch_bounds__(256)
    sum_lines(const __grid_constant__ Plan plan, bool packed, const typename T::Stored *x, double *sums) {
    __shared__ double scratch[32];
    const std::int64_t line = blockIdx.x / plan.pieces, begin = blockIdx.x % plan.pieces * plan.piece;
    std::int64_t at[2];
    plan.lines.locate(line, at);
    const std::int64_t end = min(begin + plan.piece, plan.lines.length);
    double total = 0;
    for (std::int64_t t = begin + threadIdx.x * kItems; t < end; t += std::int64_t{blockDim.x} * kItems) {
        double v[kItems];
        load<T>(x + at[1], plan.step[1], packed, t, end, v);
        total += ((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7]));
    }
    total = block_reduce(total, Add{}, 0.0, scratch);
    if (threadIdx.x == 0) sums[blockIdx.x] = total;
}

template <class T>
__global__ void __launch_bounds__(256) scan_lines(const __grid_constant__ Plan plan, bool packed, const typename T::Stored *x,
                                                  typename T::Stored *y, const double *sums) {
    __shared__ double scratch[32], of_warps[2][8];
    const std::int64_t line = blockIdx.x / plan.pieces, piece = blockIdx.x % plan.pieces, begin = piece * plan.piece;
    std::int64_t at[2];
    plan.lines.locate(line, at);
    const std::int64_t end = min(begin + plan.piece, plan.lines.length);
    const unsigned warp = threadIdx.x / 32, lane = threadIdx.x % 32, warps = blockDim.x / 32;
    double before = 0;
    if (piece > 0) {
        for (std::int64_t i = threadIdx.x; i < piece; i += blockDim.x) before += sums[line * plan.pieces + i];
        before = block_reduce(before, Add{}, 0.0, scratch);
    }
    int turn = 0;
    for (std::int64_t first = begin; first < end; first += std::int64_t{blockDim.x} * kItems, turn ^= 1) {
        const std::int64_t t = first + threadIdx.x * kItems;
        double v[kItems] = {};
        if (t < end) load<T>(x + at[1], plan.step[1], packed, t, end, v);
#pragma unroll
        for (int j = 1; j < kItems; ++j) v[j] += v[j - 1];
        double through = v[kItems - 1];
#pragma unroll
        for (int distance = 1; distance < 32; distance *= 2) {
            const double other = __shfl_up_sync(~0u, through, distance);
            if (lane >= distance) through += other;
        }
        if (lane == 31) of_warps[turn][warp] = through;  // two of them, so that one barrier in a turn is enough
        through = __shfl_up_sync(~0u, through, 1);
        __syncthreads();
        double mine = before;
        for (unsigned w = 0; w < warps; ++w) {
            if (w == warp) mine = before;
            before += of_warps[turn][w];
        }
        if (lane > 0) mine += through;
#pragma unroll
        for (int j = 0; j < kItems; ++j) v[j] += mine;
        if (t < end) store<T>(y + at[0], plan.step[0], packed, t, end, v);
    }
}

// A thread for each piece of a line; the lines lie side by side. sums: [piece][line].
template <class T>
__global__ void __launch_bounds__(128) sum_columns(const __grid_constant__ Plan plan, const typename T::Stored *x, double *sums) {
    const std::int64_t line = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x, begin = blockIdx.y * plan.piece;
    if (line >= plan.lines.count) return;
    std::int64_t at[2];
    plan.lines.locate(line, at);
    const std::int64_t end = min(begin + plan.piece, plan.lines.length);
    double total = 0;
#pragma unroll 8
    for (std::int64_t i = begin; i < end; ++i) total += static_cast<double>(widen<T>(x[at[1] + i * plan.step[1]]));
    sums[blockIdx.y * plan.lines.count + line] = total;
}

template <class T>
__global__ void __launch_bounds__(128) scan_columns(const __grid_constant__ Plan plan, const typename T::Stored *__restrict__ x,
                                                    typename T::Stored *__restrict__ y, const double *__restrict__ sums) {
    const std::int64_t line = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x, begin = blockIdx.y * plan.piece;
    if (line >= plan.lines.count) return;
    std::int64_t at[2];
    plan.lines.locate(line, at);
    const std::int64_t end = min(begin + plan.piece, plan.lines.length);
    double total = 0;
#pragma unroll 4
    for (unsigned p = 0; p < blockIdx.y; ++p) total += sums[p * plan.lines.count + line];
#pragma unroll 8
    for (std::int64_t i = begin; i < end; ++i) {
        total += static_cast<double>(widen<T>(x[at[1] + i * plan.step[1]]));
        y[at[0] + i * plan.step[0]] = narrow<T>(static_cast<float>(total));
    }
}

template <class T>
std::unique_ptr<Kernel> make(const mpt_mod_call &call, bool reverse, int dim) {
    using Stored = typename T::Stored;
    Plan plan{Rows<2>("cumsum", dim, {&call.out[0], &call.in[0]}), 0, 1, {}};
    const std::int64_t n = plan.lines.length, count = plan.lines.count;
    std::int64_t last[2];
    for (int k = 0; k < 2; ++k) {
        plan.step[k] = reverse ? -plan.lines.stride[k] : plan.lines.stride[k];
        last[k] = reverse ? (n - 1) * plan.lines.stride[k] : 0;
    }
    const bool columns = n <= 64 || plan.lines.beside(0);
    if (columns)
        plan.pieces = std::clamp<std::int64_t>(std::min(kColumns / std::max<std::int64_t>(count, 1), n / 64), 1, kPieces);
    else
        plan.pieces = std::clamp<std::int64_t>(std::min(kBlocks / std::max<std::int64_t>(count, 1), n / 8192), 1, kBlocks);
    plan.piece = (n + plan.pieces - 1) / plan.pieces;
    plan.piece = (plan.piece + kItems - 1) / kItems * kItems;
    plan.pieces = std::max<std::int64_t>((n + plan.piece - 1) / plan.piece, 1);
    unsigned threads = columns ? 128 : 32;
    while (!columns && threads < 256 && threads * kItems < plan.piece) threads *= 2;
    const dim3 grid = columns ? dim3(static_cast<unsigned>((count + threads - 1) / threads), static_cast<unsigned>(plan.pieces))
                              : dim3(static_cast<unsigned>(count * plan.pieces));
    const bool packs = plan.lines.packs(kItems);
    return kernel_of(
        columns ? "cuda:cumsum_columns" : "cuda:cumsum_lines",
        [=](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
            const Stored *x = static_cast<const Stored *>(in[0]) + last[1];
            Stored *y = static_cast<Stored *>(out[0]) + last[0];
            double *sums = static_cast<double *>(workspace);
            if (columns) {
                if (plan.pieces > 1) sum_columns<T><<<grid, threads, 0, stream>>>(plan, x, sums);
                scan_columns<T><<<grid, threads, 0, stream>>>(plan, x, y, sums);
            } else {
                const bool packed = packs && aligned(in[0], 16) && aligned(out[0], 16);
                if (plan.pieces > 1) sum_lines<T><<<grid, threads, 0, stream>>>(plan, packed, x, sums);
                scan_lines<T><<<grid, threads, 0, stream>>>(plan, packed, x, y, sums);
            }
            check_launch("cumsum");
        },
        plan.pieces > 1 ? static_cast<std::size_t>(count * plan.pieces) * sizeof(double) : 0);
}

std::unique_ptr<Kernel> prepare(Device &, const mpt_mod_call &call) {
    const auto &attrs = attrs_of<mpt_attrs_scan>(call);
    if (call.in[0].dtype != call.out[0].dtype) throw Failure{MPT_ERROR_INTERNAL, "cumsum: the operands do not fit"};
    std::unique_ptr<Kernel> kernel;
    visit_float("cumsum", call.in[0].dtype, [&](auto t) { kernel = make<decltype(t)>(call, attrs.reverse != 0, attrs.dim); });
    return kernel;
}
const RegisteredKernel registered("cumsum", prepare);

}  // namespace
}  // namespace mpt::cuda
