// "grad_norm" of device/attrs/: one pass over all gradients finds what is not finite and the norm. Each block leaves a partial sum,
// and one block adds these up in their order; gradients that are work for one block alone need no second launch.
#include <cstddef>
#include <string>

#include "device/attrs/optimizer.h"
#include "reduction.cuh"
#include "tensor_list.cuh"

namespace mpt::cuda {
namespace {

constexpr const char *kName = "cuda:grad_norm";
constexpr int kPacks = 4;       // of 16 bytes that a thread asks for at once
constexpr int kBlocksEach = 6;  // of a multiprocessor
constexpr int kAlone = 3;       // pieces that one block measures sooner than two launches do
constexpr int kLastThreads = 1024;

struct Partial {
    double sum;
    double clipped;  // of the values within the limit
    std::int64_t not_finite;
};

struct Results {
    float *found, *norm, *clipped;
};

// Of all threads; thread 0 gets it.
__device__ __forceinline__ Partial add_up(Partial own) {
    __shared__ double scratch[32];
    own.sum = block_reduce(own.sum, Add{}, 0.0, scratch);
    own.clipped = block_reduce(own.clipped, Add{}, 0.0, scratch);
    own.not_finite = __syncthreads_or(own.not_finite != 0);
    return own;
}

__device__ __forceinline__ void store(const Partial &total, const Results &results) {
    *results.found = total.not_finite ? 1.0f : 0.0f;
    *results.norm = static_cast<float>(sqrt(total.sum));
    if (results.clipped) *results.clipped = static_cast<float>(sqrt(total.clipped));
}

// Limited: also what the norm is once each value is within [-limit, limit]; NaN stays.
template <bool Limited>
struct Measure {
    float inv, limit;
    double sum = 0, clipped = 0;
    bool not_finite = false;

    __device__ __forceinline__ void add(float x) {
        not_finite |= (__float_as_uint(x) & 0x7F800000u) == 0x7F800000u;
        const float value = __fmul_rn(x, inv);
        const double product = static_cast<double>(value);
        sum += product * product;  // the square of an f32 is exact in f64
        if constexpr (Limited) {
            const float low = value < -limit ? -limit : value;
            const double within = static_cast<double>(low > limit ? limit : low);
            clipped += within * within;
        }
    }

    template <class Format>
    __device__ __forceinline__ void piece(const typename Format::Stored *x, int count, bool packed) {
        constexpr int kPack = 16 / sizeof(typename Format::Stored);
        using P = Pack<typename Format::Stored, kPack>;
        const int packs = packed ? count / kPack : 0;
#pragma unroll 1
        for (int base = static_cast<int>(threadIdx.x); base < packs; base += kPacks * kThreads) {
            P pack[kPacks];
#pragma unroll
            for (int u = 0; u < kPacks; ++u) {
                const int i = base + u * kThreads;
                pack[u] = reinterpret_cast<const P *>(x)[i < packs ? i : base];
            }
            // No branches: all loads are asked for before the first is waited for.
#pragma unroll
            for (int u = 0; u < kPacks; ++u)
#pragma unroll
                for (int v = 0; v < kPack; ++v) add(base + u * kThreads < packs ? widen<Format>(pack[u].at[v]) : 0.0f);
        }
#pragma unroll 1
        for (int i = packs * kPack + static_cast<int>(threadIdx.x); i < count; i += kThreads) add(widen<Format>(x[i]));
    }
};

// Pieces number blockIdx.x, blockIdx.x + gridDim.x, ... alone: the block is the only one, and gives the results.
template <bool Limited, class Table>
__global__ void __launch_bounds__(kThreads, kBlocksEach)
    measure_gradients(const __grid_constant__ Table table, const float *scale, float limit, bool alone, Partial *partials,
                      Results results) {
    Measure<Limited> measure{inverse_scale(scale), limit};
    for (std::uint32_t i = blockIdx.x; i < table.pieces; i += gridDim.x) {
        const Piece piece = table.piece(i);
        switch (piece.dtype(0)) {
            case MPT_F32:
                measure.template piece<F32>(table.template address<const float>(piece, 0) + piece.begin, piece.count,
                                            piece.packed());
                break;
            case MPT_F16:
                measure.template piece<F16>(table.template address<const __half>(piece, 0) + piece.begin, piece.count,
                                            piece.packed());
                break;
            default:
                measure.template piece<BF16>(table.template address<const __nv_bfloat16>(piece, 0) + piece.begin, piece.count,
                                             piece.packed());
        }
    }
    const Partial total = add_up({measure.sum, measure.clipped, measure.not_finite});
    if (threadIdx.x != 0) return;
    if (alone)
        store(total, results);
    else
        partials[blockIdx.x] = total;
}

__global__ void add_partials(const Partial *partials, int count, Results results) {
    Partial own{};
    for (int i = static_cast<int>(threadIdx.x); i < count; i += kLastThreads) {
        own.sum += partials[i].sum;
        own.clipped += partials[i].clipped;
        own.not_finite |= partials[i].not_finite;
    }
    const Partial total = add_up(own);
    if (threadIdx.x == 0) store(total, results);
}

TensorList gradients(const Device &device, const mpt_mod_call &call) {
    std::vector<TensorList::Tensor> tensors;
    int pack = 8;
    for (int i = 0; i + 1 < call.n_in; ++i) {
        const mpt_mod_operand &x = call.in[i + 1];
        if (!present(x)) continue;
        visit_float("grad_norm", x.dtype, [](auto) {});
        if (!is_dense(x)) throw Failure{MPT_ERROR_UNSUPPORTED, "grad_norm: gradient " + std::to_string(i) + " is not dense"};
        if (x.dtype == MPT_F32) pack = 4;
        tensors.push_back({i, numel(x), static_cast<std::uint64_t>(x.dtype)});
    }
    return {device, 1, 8, pack * kThreads, kPacks, std::move(tensors)};
}

class GradNorm final : public Kernel {
public:
    GradNorm(Device &device, const mpt_mod_call &call)
        : limit_(static_cast<float>(attrs_of<mpt_attrs_grad_norm>(call).max_value)),
          scaled_(present(call.in[0])),
          limited_(present(call.out[2])),
          blocks_(static_cast<unsigned>(kBlocksEach * device.multiprocessors())),
          list_(gradients(device, call)) {
        workspace_bytes = static_cast<std::size_t>(list_.pieces()) * sizeof(Partial);
    }

    void launch(const void *const *in, void *const *out, void *workspace, cudaStream_t stream) override {
        const Results results{static_cast<float *>(out[0]), static_cast<float *>(out[1]),
                              limited_ ? static_cast<float *>(out[2]) : nullptr};
        const auto *scale = scaled_ ? static_cast<const float *>(in[0]) : nullptr;
        auto *partials = static_cast<Partial *>(workspace);
        const bool alone = list_.pieces() > 0 && list_.pieces() <= kAlone;
        int count = 0;
        list_.launch([&](int i, int) { return in[i + 1]; },
                     [&](const auto &table) {
                         const unsigned blocks = alone ? 1 : std::min(table.pieces, blocks_);
                         if (limited_)
                             measure_gradients<true>
                                 <<<blocks, kThreads, 0, stream>>>(table, scale, limit_, alone, partials + count, results);
                         else
                             measure_gradients<false>
                                 <<<blocks, kThreads, 0, stream>>>(table, scale, limit_, alone, partials + count, results);
                         check_launch(kName);
                         count += static_cast<int>(blocks);
                     });
        if (alone) return;
        add_partials<<<1, kLastThreads, 0, stream>>>(partials, count, results);
        check_launch(kName);
    }

    const char *name() const override { return kName; }

private:
    float limit_;
    bool scaled_, limited_;
    unsigned blocks_;
    TensorList list_;
};

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    return std::make_unique<GradNorm>(device, call);
}
const RegisteredKernel registered("grad_norm", prepare);

}  // namespace
}  // namespace mpt::cuda
