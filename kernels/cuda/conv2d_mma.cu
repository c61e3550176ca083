// Convolutions of 16-bit images, and the gradients of their inputs, on tensor cores.
//
// result[pixel, column] = sum over the patch of patch[pixel, k] filter[column, k]: channels are innermost in both factors, so tiles
// of 64 elements of the patch are copied to shared memory as they lie. The filter is first copied to the workspace in this order.
#include "conv.h"
#include "conv_mma.cuh"

namespace mpt::cuda {
namespace {

constexpr int kDepth = 64;  // of a stage
constexpr int kStages = 3;
constexpr int kTilePixels = 128;
constexpr int kRowsAtOnce = kThreads / 8;

// Four warps down and two across, each for 32 x kColumns / 2.
template <int Columns>
struct Tile {
    static constexpr int kColumns = Columns, kWarpColumns = Columns / 2;
    static constexpr int kStageBytes = (kTilePixels + Columns) * kDepth * 2;
};

struct Operands {
    const void *images, *filter;
    void *result;
    Vector bias;
    bool pairs;  // the result takes two columns at a time
};

template <class T, class Tile>
__global__ void __launch_bounds__(kThreads, 2) conv_mma(const __grid_constant__ Conv c, const __grid_constant__ Operands at) {
    extern __shared__ __align__(128) char shared[];
    __shared__ ConvPlace pixels[kTilePixels];
    constexpr int kPixelRows = kTilePixels / kRowsAtOnce, kColumnRows = Tile::kColumns / kRowsAtOnce;
    constexpr int kPixelBytes = kTilePixels * kDepth * 2;
    const int tid = static_cast<int>(threadIdx.x), lane = tid % 32, warp = tid / 32;
    const auto base = static_cast<std::uint32_t>(__cvta_generic_to_shared(shared));

    const int column_tiles = (c.columns + Tile::kColumns - 1) / Tile::kColumns;
    const int column0 = static_cast<int>(blockIdx.x) % column_tiles * Tile::kColumns;
    const std::int64_t units = std::int64_t{column_tiles} * c.groups, group = blockIdx.x % units / column_tiles;
    const std::int64_t pixel0 = blockIdx.x / units * kTilePixels, image0 = pixel0 / c.pixels;
    const auto within0 = static_cast<std::uint32_t>(pixel0 % c.pixels);
    const auto length = static_cast<int>(c.length());

    // The rows that this thread copies, of each the same pack of 8.
    const auto *images = static_cast<const typename T::Stored *>(at.images) + group * c.depth;
    const auto *filter = static_cast<const typename T::Stored *>(at.filter) + (group * c.columns + column0) * length;
    const int own = tid % 8, row0 = tid / 8;
    if (tid < kTilePixels) pixels[tid] = conv_pixel(c, image0, within0 + static_cast<std::uint32_t>(tid));
    __syncthreads();
    const auto copy_stage = [&](int step) {
        const std::uint32_t stage = base + static_cast<std::uint32_t>(step % kStages * Tile::kStageBytes);
        const int k = step * kDepth + own * kConvPack;
        const ConvPlace tap = conv_tap(c, static_cast<std::uint32_t>(k));
#pragma unroll
        for (int r = 0; r < kPixelRows; ++r) {
            const ConvPlace &pixel = pixels[row0 + r * kRowsAtOnce];
            std::int32_t row = pixel.row + tap.row, column = pixel.column + tap.column;
            const bool wanted = c.axis[0].find(row) && c.axis[1].find(column);
            conv_copy_pack(stage + conv_pack_at(row0 + r * kRowsAtOnce, own, kDepth),
                           wanted ? images + (pixel.in + tap.in + row * c.in[2] + column * c.in[3]) : at.images, wanted);
        }
#pragma unroll
        for (int r = 0; r < kColumnRows; ++r) {
            const int column = row0 + r * kRowsAtOnce;
            const bool wanted = column0 + column < c.columns && k < length;
            conv_copy_pack(stage + kPixelBytes + conv_pack_at(column, own, kDepth),
                           wanted ? filter + (std::int64_t{column} * length + k) : at.filter, wanted);
        }
    };

    float sum[2][Tile::kWarpColumns / 8][4] = {};
    const int warp_pixel = warp / 2 * 32, warp_column = warp % 2 * Tile::kWarpColumns;
    const int steps = (length + kDepth - 1) / kDepth;
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
        const std::uint32_t patches = base + static_cast<std::uint32_t>(step % kStages * Tile::kStageBytes);
        const std::uint32_t columns = patches + kPixelBytes;
#pragma unroll
        for (int k = 0; k < kDepth; k += 16) {
            std::uint32_t a[2][4];
#pragma unroll
            for (int i = 0; i < 2; ++i)
                load_matrices(a[i], patches + conv_pack_at(warp_pixel + i * 16 + lane % 16, k / 8 + lane / 16, kDepth));
#pragma unroll
            for (int j = 0; j < Tile::kWarpColumns / 16; ++j) {
                std::uint32_t b[4];
                load_matrices(
                    b, columns + conv_pack_at(warp_column + j * 16 + lane / 16 * 8 + lane % 8, k / 8 + lane / 8 % 2, kDepth));
#pragma unroll
                for (int i = 0; i < 2; ++i) {
                    multiply_add<T>(sum[i][2 * j], a[i], b[0], b[1]);
                    multiply_add<T>(sum[i][2 * j + 1], a[i], b[2], b[3]);
                }
            }
        }
    }

    auto *result = static_cast<typename T::Stored *>(at.result);
#pragma unroll
    for (int i = 0; i < 2; ++i)
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const int row = warp_pixel + i * 16 + half * 8 + lane / 4;
            if (pixel0 + row >= c.all_pixels()) continue;
            const std::int64_t to = pixels[row].other;
#pragma unroll
            for (int j = 0; j < Tile::kWarpColumns / 8; ++j) {
                const int column = column0 + warp_column + j * 8 + lane % 4 * 2;
                const std::int64_t channel = group * c.columns + column;
                Pack<typename T::Stored, 2> pair;
#pragma unroll
                for (int v = 0; v < 2; ++v) {
                    if (column + v >= c.columns) continue;
                    pair.at[v] = narrow<T>(sum[i][j][2 * half + v] + at.bias.read(channel + v, 0));
                    if (!at.pairs) result[to + (channel + v) * c.out[1]] = pair.at[v];
                }
                if (at.pairs && column < c.columns) *reinterpret_cast<Pack<typename T::Stored, 2> *>(result + to + channel) = pair;
            }
        }
}

// [group][column][patch], channels innermost, those beyond `depth` 0.
__global__ void __launch_bounds__(kThreads)
    conv_filter(const __grid_constant__ Conv c, int depth, const std::uint16_t *from, std::uint16_t *to) {
    const std::int64_t packs = c.length() / kConvPack, count = std::int64_t{c.groups} * c.columns * packs;
    for (std::int64_t i = blockIdx.x * std::int64_t{kThreads} + threadIdx.x; i < count; i += std::int64_t{gridDim.x} * kThreads) {
        const std::int64_t k = i % packs * kConvPack, column = i / packs % c.columns, group = i / packs / c.columns;
        const auto channel = static_cast<int>(k % c.depth);
        const std::uint16_t *w =
            from + group * c.filter_group + column * c.filter_column + conv_tap(c, static_cast<std::uint32_t>(k)).other;
        Pack<std::uint16_t, kConvPack> pack;
#pragma unroll
        for (int v = 0; v < kConvPack; ++v) pack.at[v] = channel + v < depth ? w[v * c.filter_depth] : std::uint16_t{0};
        *reinterpret_cast<Pack<std::uint16_t, kConvPack> *>(to + i * kConvPack) = pack;
    }
}

class ConvMma final : public Kernel {
public:
    ConvMma(Device &device, const mpt_mod_call &call, ConvPass pass, std::unique_ptr<Kernel> portable)
        : device_(device), images_(call.in[0], attrs_of<mpt_attrs_conv2d>(call).groups), portable_(std::move(portable)) {
        name_ = pass == ConvPass::Forward ? "conv2d" : "conv2d_dgrad";
        conv_ =
            conv_of(name_, attrs_of<mpt_attrs_conv2d>(call), images_.to, call.out[0], call.in[1], pass == ConvPass::InputGradient);
        depth_ = static_cast<int>(call.in[0].shape[1] / conv_.groups);
        dtype_ = call.in[0].dtype;
        if (call.n_in > 2) bias_ = Vector(name_, call.in[2], call.out[0].shape[1]);
        pairs_ = conv_.out[1] == 1 && conv_.columns % 2 == 0;
        for (int d : {0, 2, 3}) pairs_ &= call.out[0].shape[d] == 1 || conv_.out[d] % 2 == 0;
        wide_ = conv_.columns > 64;
        const std::int64_t columns = wide_ ? 128 : 64;
        blocks_ = (conv_.all_pixels() + kTilePixels - 1) / kTilePixels * ((conv_.columns + columns - 1) / columns) * conv_.groups;
        if (blocks_ > INT32_MAX)
            throw Failure{MPT_ERROR_UNSUPPORTED, std::string(name_) + ": images of this size are not supported on a GPU"};
        filter_packs_ = std::int64_t{conv_.groups} * conv_.columns * conv_.length() / kConvPack;
        filter_at_ = take(workspace_bytes, static_cast<std::size_t>(filter_packs_) * 16);
        images_.at = take(workspace_bytes, images_.bytes());
        workspace_bytes = std::max(workspace_bytes, portable_->workspace_bytes);
        visit_tile([&](auto t, auto tile) {
            check(cudaFuncSetAttribute(conv_mma<decltype(t), decltype(tile)>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                       kStages * decltype(tile)::kStageBytes),
                  name_);
        });
    }

    void launch(const void *const *in, void *const *out, void *workspace, cudaStream_t stream) override {
        if (!images_.usable(in[0])) return portable_->launch(in, out, workspace, stream);
        auto *filter = reinterpret_cast<std::uint16_t *>(static_cast<char *>(workspace) + filter_at_);
        conv_filter<<<blocks_for(device_, filter_packs_), kThreads, 0, stream>>>(conv_, depth_,
                                                                                 static_cast<const std::uint16_t *>(in[1]), filter);
        check_launch(name_);
        Operands at{images_.place(device_, in[0], workspace, stream), filter, out[0], bias_, pairs_ && aligned(out[0], 4)};
        if (bias_.dtype != MPT_DTYPE_NONE) at.bias = bias_.at(in[2]);
        visit_tile([&](auto t, auto tile) {
            conv_mma<decltype(t), decltype(tile)>
                <<<static_cast<unsigned>(blocks_), kThreads, kStages *decltype(tile)::kStageBytes, stream>>>(conv_, at);
        });
        check_launch(name_);
    }
    const char *name() const override { return "cuda:conv_mma"; }

private:
    // f(format, tile) for those of this call.
    template <class F>
    void visit_tile(F &&f) const {
        const auto of = [&](auto t) { wide_ ? f(t, Tile<128>{}) : f(t, Tile<64>{}); };
        dtype_ == MPT_BF16 ? of(BF16{}) : of(F16{});
    }

    const Device &device_;
    ConvImages images_;
    std::unique_ptr<Kernel> portable_;
    const char *name_;
    Conv conv_;
    Vector bias_;
    std::int32_t dtype_;
    int depth_;
    bool pairs_, wide_;
    std::int64_t blocks_, filter_packs_;
    std::size_t filter_at_;
};

}  // namespace

std::unique_ptr<Kernel> prepare_conv_mma(Device &device, const mpt_mod_call &call, ConvPass pass,
                                         std::unique_ptr<Kernel> &portable) {
    const mpt_mod_operand &images = call.in[0];
    if ((images.dtype != MPT_F16 && images.dtype != MPT_BF16) || numel(images) == 0 || numel(call.out[0]) == 0) return nullptr;
    if (!ConvImages::can(images, attrs_of<mpt_attrs_conv2d>(call).groups)) return nullptr;
    return std::make_unique<ConvMma>(device, call, pass, std::move(portable));
}

}  // namespace mpt::cuda
