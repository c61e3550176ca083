// "unscale" of device/attrs/.
#include <string>

#include "tensor_list.cuh"

namespace mpt::cuda {
namespace {

constexpr const char *kName = "cuda:unscale";
constexpr int kPacks = 4;  // of 16 bytes that a thread asks for at once

template <class Format>
__device__ __forceinline__ void multiply(typename Format::Stored *x, int count, bool packed, float factor) {
    constexpr int kPack = 16 / sizeof(typename Format::Stored);
    using P = Pack<typename Format::Stored, kPack>;
    const int packs = packed ? count / kPack : 0;
    auto *all = reinterpret_cast<P *>(x);
#pragma unroll 1
    for (int base = static_cast<int>(threadIdx.x); base < packs; base += kPacks * kThreads) {
        P pack[kPacks];
#pragma unroll
        for (int u = 0; u < kPacks; ++u) {
            const int i = base + u * kThreads;
            pack[u] = all[i < packs ? i : base];  // loads need no branch
        }
        loads_are_asked_for();
#pragma unroll
        for (int u = 0; u < kPacks; ++u) {
            if (base + u * kThreads >= packs) break;
#pragma unroll
            for (int v = 0; v < kPack; ++v) pack[u].at[v] = narrow<Format>(widen<Format>(pack[u].at[v]) * factor);
            all[base + u * kThreads] = pack[u];
        }
    }
#pragma unroll 1
    for (int i = packs * kPack + static_cast<int>(threadIdx.x); i < count; i += kThreads)
        x[i] = narrow<Format>(widen<Format>(x[i]) * factor);
}

template <class Table>
__global__ void __launch_bounds__(kThreads) unscale(const __grid_constant__ Table table, const float *scale) {
    const float inv = inverse_scale(scale);
    const Piece piece = table.piece(blockIdx.x);
    switch (piece.dtype(0)) {
        case MPT_F32:
            return multiply<F32>(table.template address<float>(piece, 0) + piece.begin, piece.count, piece.packed(), inv);
        case MPT_F16:
            return multiply<F16>(table.template address<__half>(piece, 0) + piece.begin, piece.count, piece.packed(), inv);
        default:
            return multiply<BF16>(table.template address<__nv_bfloat16>(piece, 0) + piece.begin, piece.count, piece.packed(), inv);
    }
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    std::vector<TensorList::Tensor> tensors;
    for (int i = 0; i < call.n_out; ++i) {
        const mpt_mod_operand &x = call.out[i];
        if (!present(x)) continue;
        visit_float("unscale", x.dtype, [](auto) {});
        if (!is_dense(x)) throw Failure{MPT_ERROR_UNSUPPORTED, "unscale: gradient " + std::to_string(i) + " is not dense"};
        tensors.push_back({i, numel(x), static_cast<std::uint64_t>(x.dtype)});
    }
    const TensorList list(device, 1, 8, 8 * kThreads, 4, std::move(tensors));
    const bool scaled = present(call.in[0]);
    return kernel_of(kName, [list, scaled](const void *const *in, void *const *out, void *, cudaStream_t stream) {
        const auto *scale = scaled ? static_cast<const float *>(in[0]) : nullptr;
        list.launch([&](int i, int) { return out[i]; },
                    [&](const auto &table) {
                        unscale<<<table.pieces, kThreads, 0, stream>>>(table, scale);
                        check_launch(kName);
                    });
    });
}
const RegisteredKernel registered("unscale", prepare);

}  // namespace
}  // namespace mpt::cuda
