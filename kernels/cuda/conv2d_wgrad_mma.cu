// The gradient of a filter from 16-bit images on tensor cores.
//
// dw[column, patch] = sum over pixels of dy[pixel, column] x[pixel, patch]: both factors lie with their channels innermost, so
// tiles of 32 pixels are copied to shared memory as they lie, and transposed when they are read from there. Images of other
// layouts, or of channels that are no multiple of 8, are first copied to the workspace.
#include "conv.h"
#include "conv_mma.cuh"
#include "conv_partials.cuh"

namespace mpt::cuda {
namespace {

constexpr const char *kName = "conv2d_wgrad";
constexpr int kPixels = 32;  // of a stage
constexpr int kStages = 4;

// A block computes kColumns x kPatch elements with warps of 64 x kPatch / 4.
template <int Columns, int Patch>
struct Tile {
    static constexpr int kColumns = Columns, kPatch = Patch;
    static constexpr int kThreads = 2 * Columns, kRowsAtOnce = kThreads / 8;
    static constexpr int kWarpPatch = Patch / 4;
    static constexpr int kStageBytes = kPixels * (Columns + Patch) * 2;
    static constexpr int kBlocks = Columns == 64 ? 3 : 1;  // of a multiprocessor
};

struct Operands {
    const void *x, *dy;
    float *partials;
    std::int64_t chunk;
};

template <class T, class Tile>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kBlocks)
    conv_wgrad_mma(const __grid_constant__ Conv c, const __grid_constant__ Operands at) {
    extern __shared__ __align__(128) char shared[];
    constexpr int kColumnPacks = Tile::kColumns / 64, kPatchPacks = Tile::kPatch / 64, kRows = kPixels / Tile::kRowsAtOnce;
    constexpr int kColumnBytes = kPixels * Tile::kColumns * 2;
    const int tid = static_cast<int>(threadIdx.x), lane = tid % 32, warp = tid / 32;
    const auto base = static_cast<std::uint32_t>(__cvta_generic_to_shared(shared));

    const int patch_tiles = static_cast<int>((c.length() + Tile::kPatch - 1) / Tile::kPatch),
              column_tiles = (c.columns + Tile::kColumns - 1) / Tile::kColumns;
    const int patch0 = static_cast<int>(blockIdx.x) % patch_tiles * Tile::kPatch;
    const int column0 = static_cast<int>(blockIdx.x) / patch_tiles % column_tiles * Tile::kColumns;
    const std::int64_t group = static_cast<int>(blockIdx.x) / patch_tiles / column_tiles;

    const std::int64_t pixel0 = blockIdx.y * at.chunk, image0 = pixel0 / c.pixels;
    const auto within0 = static_cast<std::uint32_t>(pixel0 % c.pixels);
    const int depth = static_cast<int>(max(std::int64_t{0}, min(at.chunk, c.all_pixels() - pixel0)));

    // The packs that this thread copies: of every pixel the same.
    const auto *x = static_cast<const typename T::Stored *>(at.x) + group * c.depth,
               *dy = static_cast<const typename T::Stored *>(at.dy) + group * c.columns;
    const int own = tid % 8, row0 = tid / 8;
    ConvPlace tap[kPatchPacks];
#pragma unroll
    for (int j = 0; j < kPatchPacks; ++j) {
        tap[j] = conv_tap(c, static_cast<std::uint32_t>(patch0 + 64 * j + own * kConvPack));
        tap[j].in += tap[j].row * c.in[2] + tap[j].column * c.in[3];
    }
    const auto copy_stage = [&](int step) {
        const std::uint32_t stage = base + static_cast<std::uint32_t>(step % kStages * Tile::kStageBytes);
#pragma unroll
        for (int r = 0; r < kRows; ++r) {
            const int row = row0 + r * Tile::kRowsAtOnce, number = step * kPixels + row;
            const ConvPlace pixel = conv_pixel(c, image0, within0 + static_cast<std::uint32_t>(number));
            const auto *dy_at = dy + pixel.other;
            const std::int64_t x_at = pixel.in + pixel.row * c.in[2] + pixel.column * c.in[3];
#pragma unroll
            for (int j = 0; j < kColumnPacks; ++j) {
                const int column = column0 + 64 * j + own * kConvPack;
                const bool wanted = number < depth && column < c.columns;
                conv_copy_pack(stage + conv_pack_at(row, 8 * j + own, Tile::kColumns), wanted ? dy_at + column : at.dy, wanted);
            }
#pragma unroll
            for (int j = 0; j < kPatchPacks; ++j) {
                const bool wanted =
                    number < depth &&
                    static_cast<std::uint32_t>(pixel.row + tap[j].row) < static_cast<std::uint32_t>(c.axis[0].extent) &&
                    static_cast<std::uint32_t>(pixel.column + tap[j].column) < static_cast<std::uint32_t>(c.axis[1].extent);
                conv_copy_pack(stage + kColumnBytes + conv_pack_at(row, 8 * j + own, Tile::kPatch),
                               wanted ? x + (x_at + tap[j].in) : at.x, wanted);
            }
        }
    };

    float sum[4][Tile::kWarpPatch / 8][4] = {};
    const int warp_column = warp / 4 * 64, warp_patch = warp % 4 * Tile::kWarpPatch;
    const int steps = (depth + kPixels - 1) / kPixels;
#pragma unroll
    for (int s = 0; s < kStages - 1; ++s) {
        if (s < steps) copy_stage(s);
        asm volatile("cp.async.commit_group;\n" ::: "memory");
    }
    for (int step = 0; step < steps; ++step) {
        asm volatile("cp.async.wait_group %0;\n" ::"n"(kStages - 2) : "memory");
        __syncthreads();  // this stage is there, and the one before it has been read
        if (step + kStages - 1 < steps) copy_stage(step + kStages - 1);
        asm volatile("cp.async.commit_group;\n" ::: "memory");
        const std::uint32_t columns = base + static_cast<std::uint32_t>(step % kStages * Tile::kStageBytes),
                            patches = columns + kColumnBytes;
#pragma unroll
        for (int k = 0; k < kPixels; k += 16) {
            std::uint32_t a[4][4];
#pragma unroll
            for (int i = 0; i < 4; ++i)
                load_matrices_transposed(a[i], columns + conv_pack_at(k + lane / 16 * 8 + lane % 8,
                                                                      (warp_column + i * 16) / 8 + lane / 8 % 2, Tile::kColumns));
#pragma unroll
            for (int j = 0; j < Tile::kWarpPatch / 16; ++j) {
                std::uint32_t b[4];
                load_matrices_transposed(b, patches + conv_pack_at(k + lane / 8 % 2 * 8 + lane % 8,
                                                                   (warp_patch + j * 16) / 8 + lane / 16, Tile::kPatch));
#pragma unroll
                for (int i = 0; i < 4; ++i) {
                    multiply_add<T>(sum[i][2 * j], a[i], b[0], b[1]);
                    multiply_add<T>(sum[i][2 * j + 1], a[i], b[2], b[3]);
                }
            }
        }
    }

    float *part = at.partials + (blockIdx.y * std::int64_t{c.groups} + group) * c.columns * c.length();
#pragma unroll
    for (int i = 0; i < 4; ++i)
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const int column = column0 + warp_column + i * 16 + half * 8 + lane / 4;
            if (column >= c.columns) continue;
#pragma unroll
            for (int j = 0; j < Tile::kWarpPatch / 8; ++j) {
                const int patch = patch0 + warp_patch + j * 8 + lane % 4 * 2;  // their number is a multiple of 8
                if (patch < c.length())
                    *reinterpret_cast<float2 *>(part + column * c.length() + patch) = {sum[i][j][2 * half],
                                                                                       sum[i][j][2 * half + 1]};
            }
        }
}

// How many parts the pixels are cut into: the fewest stages in a row on one multiprocessor, a part's sum counted in.
std::int64_t parts_of(const Device &device, std::int64_t tiles, std::int64_t blocks_at_once, std::int64_t stages) {
    constexpr std::int64_t kStart = 8, kPartial = 12, kMostParts = 1024;
    const std::int64_t slots = device.multiprocessors() * blocks_at_once;
    std::int64_t best = 1 + (stages >> 24), best_cost = INT64_MAX;
    for (std::int64_t parts = 1 + (stages >> 24); parts <= std::min(stages, kMostParts); ++parts) {
        const std::int64_t rounds = (tiles * parts + slots - 1) / slots;
        const std::int64_t cost = rounds * ((stages + parts - 1) / parts + kStart) + parts * tiles * kPartial / slots;
        if (cost < best_cost) best = parts, best_cost = cost;
    }
    return best;
}

class WgradMma final : public Kernel {
public:
    WgradMma(Device &device, const mpt_mod_call &call, std::unique_ptr<Kernel> portable)
        : device_(device), x_(call.in[0], groups(call)), dy_(call.in[1], groups(call)), portable_(std::move(portable)) {
        conv_ = conv_of(kName, attrs_of<mpt_attrs_conv2d>(call), x_.to, dy_.to, call.out[0], false);
        dtype_ = call.out[0].dtype;
        const auto padded = [](std::int64_t n, std::int64_t tile) { return (n + tile - 1) / tile * tile; };
        wide_columns_ = padded(conv_.columns, 128) == padded(conv_.columns, 64) && conv_.columns > 64;
        wide_patch_ = padded(conv_.length(), 192) <= padded(conv_.length(), 128);
        const std::int64_t columns = wide_columns_ ? 128 : 64, patch = wide_patch_ ? 192 : 128;
        tiles_ = conv_.groups * (padded(conv_.columns, columns) / columns) * (padded(conv_.length(), patch) / patch);
        const std::int64_t stages = (conv_.all_pixels() + kPixels - 1) / kPixels;
        const std::int64_t parts =
            parts_of(device, tiles_, wide_columns_ ? Tile<128, 192>::kBlocks : Tile<64, 192>::kBlocks, stages);
        chunk_ = (stages + parts - 1) / parts * kPixels;
        form_ = {static_cast<std::int32_t>((conv_.all_pixels() + chunk_ - 1) / chunk_),
                 static_cast<std::int32_t>(call.in[1].shape[1] / conv_.groups),
                 static_cast<std::int32_t>(call.in[0].shape[1] / conv_.groups)};
        take(workspace_bytes, form_.bytes(conv_));
        x_.at = take(workspace_bytes, x_.bytes());
        dy_.at = take(workspace_bytes, dy_.bytes());
        workspace_bytes = std::max(workspace_bytes, portable_->workspace_bytes);
        visit_tile(
            [](auto t, auto tile) {
                check(cudaFuncSetAttribute(conv_wgrad_mma<decltype(t), decltype(tile)>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                           kStages * decltype(tile)::kStageBytes),
                      kName);
            },
            call.in[0].dtype);
        in_dtype_ = call.in[0].dtype;
    }

    void launch(const void *const *in, void *const *out, void *workspace, cudaStream_t stream) override {
        if (!x_.usable(in[0]) || !dy_.usable(in[1])) return portable_->launch(in, out, workspace, stream);
        const Operands at{x_.place(device_, in[0], workspace, stream), dy_.place(device_, in[1], workspace, stream),
                          static_cast<float *>(workspace), chunk_};
        visit_tile(
            [&](auto t, auto tile) {
                using Of = decltype(tile);
                conv_wgrad_mma<decltype(t), Of><<<dim3(static_cast<unsigned>(tiles_), static_cast<unsigned>(form_.parts)),
                                                  Of::kThreads, kStages * Of::kStageBytes, stream>>>(conv_, at);
            },
            in_dtype_);
        check_launch(kName);
        sum_partials(conv_, form_, at.partials, out[0], dtype_, stream);
    }
    const char *name() const override { return "cuda:conv_mma"; }

    static std::int64_t groups(const mpt_mod_call &call) { return attrs_of<mpt_attrs_conv2d>(call).groups; }

private:
    // f(format, tile) for those of this call.
    template <class F>
    void visit_tile(F &&f, std::int32_t dtype) const {
        const auto of = [&](auto t) {
            if (wide_columns_)
                wide_patch_ ? f(t, Tile<128, 192>{}) : f(t, Tile<128, 128>{});
            else
                wide_patch_ ? f(t, Tile<64, 192>{}) : f(t, Tile<64, 128>{});
        };
        dtype == MPT_BF16 ? of(BF16{}) : of(F16{});
    }

    const Device &device_;
    ConvImages x_, dy_;
    std::unique_ptr<Kernel> portable_;
    Conv conv_;
    ConvPartials form_;
    std::int32_t dtype_, in_dtype_;
    bool wide_columns_, wide_patch_;
    std::int64_t tiles_, chunk_;
};

}  // namespace

std::unique_ptr<Kernel> prepare_conv_wgrad_mma(Device &device, const mpt_mod_call &call, std::unique_ptr<Kernel> &portable) {
    const mpt_mod_operand &x = call.in[0], &dy = call.in[1];
    const std::int64_t groups = WgradMma::groups(call);
    if ((x.dtype != MPT_F16 && x.dtype != MPT_BF16) || numel(x) == 0 || numel(dy) == 0) return nullptr;
    if (!ConvImages::can(x, groups) || !ConvImages::can(dy, groups)) return nullptr;
    return std::make_unique<WgradMma>(device, call, std::move(portable));
}

}  // namespace mpt::cuda
