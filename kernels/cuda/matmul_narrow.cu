// cuBLASLt takes three times what reading the matrix takes, and splits the sum for it in another kernel. Here a block has 16 rows,
// and its warps share the depth; the few columns are read from the cache by each of them.
#include "any_float.cuh"
#include "factors.cuh"
#include "matmul_narrow.h"

namespace mpt::cuda {
namespace {

using namespace factors;

constexpr int kWarps = 8, kThreads = 32 * kWarps, kPack = 8;
constexpr std::int64_t kLeastDepth = 64, kMostDepth = 8192;  // a block is alone with it

template <class Stored>
struct Rows {
    const Stored *at;
    std::int64_t step;
};

struct Result {
    void *at;
    std::int64_t row, column;
};

template <class T, class Out>
__global__ void __launch_bounds__(kThreads) narrow_product(Rows<typename T::Stored> x, Rows<typename T::Stored> w, Vector bias,
                                                           Result y, std::int64_t rows, int columns, int depth, bool lie_well) {
    __shared__ float partials[kWarps * kTile];
    const int thread = static_cast<int>(threadIdx.x), warp = thread / 32;
    const std::int64_t first = std::int64_t{blockIdx.x} * kSide;
    const int count = static_cast<int>(min(rows - first, std::int64_t{kSide}));
    float sum[2][4] = {};
#pragma unroll 4
    for (int from = warp * 32; from < depth; from += kWarps * 32) {
        uint4 left[2], right[2];
        read_rows<T>(
            left, [&](int r) { return w.at + r * w.step; }, from, columns, lie_well, depth);
        read_rows<T>(
            right, [&](int r) { return x.at + (first + r) * x.step; }, from, count, lie_well, depth);
        Left factors;
        factors = left;
        multiply<T>(sum, factors, right);
    }
    put(partials + warp * kTile, sum);
    __syncthreads();
    const int column = thread % kSide, row = thread / kSide;
    if (row >= count || column >= columns) return;
    float total = 0;
#pragma unroll
    for (int i = 0; i < kWarps; ++i) total += partials[i * kTile + row * kPitch + column];
    static_cast<typename Out::Stored *>(y.at)[(first + row) * y.row + column * y.column] =
        narrow<Out>(total + bias.read(column, 0));
}

template <class T, class Out>
std::unique_ptr<Kernel> make(const mpt_mod_call &call) {
    const mpt_mod_operand x = call.in[0], w = call.in[1], y = call.out[0];
    const Vector bias(call.kernel, call.in[2], w.shape[1]);
    return kernel_of("cuda:matmul, narrow", [=](const void *const *in, void *const *out, void *, cudaStream_t stream) {
        using Stored = typename T::Stored;
        const auto blocks = static_cast<unsigned>((x.shape[0] + kSide - 1) / kSide);
        const bool lie_well = aligned(in[0], 16) && aligned(in[1], 16);
        narrow_product<T, Out><<<blocks, kThreads, 0, stream>>>(
            {static_cast<const Stored *>(in[0]), x.strides[0]}, {static_cast<const Stored *>(in[1]), w.strides[1]}, bias.at(in[2]),
            {out[0], y.strides[0], y.strides[1]}, x.shape[0], static_cast<int>(w.shape[1]), static_cast<int>(x.shape[1]), lie_well);
        check_launch("matmul");
    });
}

}  // namespace

std::unique_ptr<Kernel> prepare_narrow(Device &, const mpt_mod_call &call) {
    const mpt_mod_operand &x = call.in[0], &w = call.in[1], &y = call.out[0];
    if ((x.dtype != MPT_F16 && x.dtype != MPT_BF16) || x.ndim != 2) return nullptr;
    const std::int64_t rows = x.shape[0], depth = x.shape[1], columns = w.shape[1];
    if (columns > kSide || depth < kLeastDepth || depth > kMostDepth || depth % kPack != 0 || rows == 0) return nullptr;
    const auto packs = [](std::int64_t along, std::int64_t step, std::int64_t count) {
        return along == 1 && (count == 1 || step % kPack == 0);
    };
    if (!packs(x.strides[1], x.strides[0], rows) || !packs(w.strides[0], w.strides[1], columns)) return nullptr;
    std::unique_ptr<Kernel> kernel;
    visit_float(call.kernel, x.dtype, [&](auto t) {
        using T = decltype(t);
        if constexpr (sizeof(typename T::Stored) == 2) {
            if (y.dtype == T::dtype)
                kernel = make<T, T>(call);
            else if (y.dtype == MPT_F32)
                kernel = make<T, F32>(call);
        }
    });
    return kernel;
}

}  // namespace mpt::cuda
