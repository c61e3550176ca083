// The gradient of a filter of 3 x 3 taps from 16-bit images of many channels on Hopper's tensor cores.
//
// As in conv2d_wgrad_mma.cu, dw[column, patch] = sum over pixels of dy[pixel, column] x[pixel, patch]. But the pixels come in
// strips of rows, with every pixel of x that their taps meet, so that all nine taps read one copy of x in shared memory, each a row
// or a column further, where patches would bring each pixel nine times. The rows of the swizzle are pixels, so that a matrix may
// begin at any of them. A block has 64 columns and 64 channels of all the taps;
// each of its three warpgroups has a row of the taps.
#include <cuda.h>

#include "conv.h"
#include "conv_mma.cuh"
#include "conv_partials.cuh"
#include "shared_memory.cuh"

namespace mpt::cuda {
namespace {

constexpr const char *kName = "conv2d_wgrad";
constexpr int kTapsDown = 3, kTapsAcross = 3;
constexpr int kColumns = 64, kChannels = 64;  // of a block
constexpr int kStripThreads = 128 * kTapsDown;
constexpr int kPitch = kChannels * 2;  // bytes of a pixel: one row of the swizzle of 128 bytes
constexpr int kGroup = 8;              // pixels that lie one behind the other
constexpr int kAlignment = kGroup * kPitch;
constexpr int kMostPixels = 128, kLeastStages = 3, kMostStages = 4;

// What shared memory holds behind the stages.
struct Tables {
    std::uint64_t there[kMostStages];           // barriers
    std::int32_t groups[kMostPixels / kGroup];  // where x's pixels for a tap of 0 begin
};

// The pixels of a strip, and those of x that their taps meet.
struct Strips {
    std::int32_t images, rows, columns, pixels;
    std::int32_t read_rows, read_columns, read_pixels;
    std::int32_t across;    // strips side by side
    std::int32_t of_image;  // strips in an image, or in images that share one
    std::int32_t stages;
    std::int64_t count;

    __host__ __device__ int stage_bytes() const { return (pixels + read_pixels) * kPitch; }
    int shared_bytes() const { return stages * stage_bytes() + static_cast<int>(sizeof(Tables)) + kAlignment; }
};

struct Operands {
    CUtensorMap x, dy;  // [N, H, W, C], read in boxes of a strip; what lies outside is 0
    float *partials;
    std::int64_t chunk;  // strips of a part
};

#ifdef __CUDA_ARCH_FEAT_SM90_ALL

__device__ __forceinline__ void expect_bytes(std::uint32_t barrier, int bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;\n" ::"r"(barrier), "r"(bytes) : "memory");
}
__device__ __forceinline__ void wait_for(std::uint32_t barrier, std::uint32_t phase) {
    asm volatile(
        "{\n"
        ".reg .pred done;\n"
        "again:\n"
        "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
        "@!done bra again;\n"
        "}\n" ::"r"(barrier),
        "r"(phase)
        : "memory");
}
__device__ __forceinline__ void copy_box(std::uint32_t to, const CUtensorMap &images, std::uint32_t barrier, int channel,
                                         int column, int row, int image) {
    asm volatile(
        "cp.async.bulk.tensor.4d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5, %6}], [%2];\n" ::"r"(
            to),
        "l"(&images), "r"(barrier), "r"(channel), "r"(column), "r"(row), "r"(image)
        : "memory");
}

// Of matrices of 64 x 16 with their 64 innermost, as two groups of 8 rows each.
__device__ __forceinline__ std::uint64_t matrices(std::uint32_t at, std::uint32_t to_next, std::uint32_t to_second_group) {
    constexpr std::uint64_t kSwizzle128 = std::uint64_t{1} << 62;
    return kSwizzle128 | (std::uint64_t{to_second_group >> 4} << 32) | (std::uint64_t{to_next >> 4} << 16) | (at >> 4 & 0x3fff);
}

#define MPT_EIGHT(i) \
    "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), "+f"(d[i + 6]), "+f"(d[i + 7])
#define MPT_WGMMA(FORMAT)                                                                                                    \
    asm volatile("wgmma.mma_async.sync.aligned.m64n192k16.f32." FORMAT "." FORMAT                                            \
                 " {"                                                                                                        \
                 "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, %20, %21, %22, " \
                 "%23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, " \
                 "%44, %45, %46, %47, %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, %64, " \
                 "%65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, %80, %81, %82, %83, %84, %85, " \
                 "%86, %87, %88, %89, %90, %91, %92, %93, %94, %95}"                                                         \
                 ", %96, %97, 1, 1, 1, 1, 1;\n"                                                                              \
                 : MPT_EIGHT(0), MPT_EIGHT(8), MPT_EIGHT(16), MPT_EIGHT(24), MPT_EIGHT(32), MPT_EIGHT(40), MPT_EIGHT(48),    \
                   MPT_EIGHT(56), MPT_EIGHT(64), MPT_EIGHT(72), MPT_EIGHT(80), MPT_EIGHT(88)                                 \
                 : "l"(a), "l"(b)                                                                                            \
                 : "memory")

// d += a^T b for a matrix a and three of b; all are read as they lie, pixel by pixel.
template <class T>
__device__ __forceinline__ void multiply_add_group(float (&d)[96], std::uint64_t a, std::uint64_t b) {
    if constexpr (T::dtype == MPT_BF16)
        MPT_WGMMA("bf16");
    else
        MPT_WGMMA("f16");
}
#undef MPT_WGMMA
#undef MPT_EIGHT

#endif

template <class T>
__global__ void __launch_bounds__(kStripThreads, 1)
    conv_wgrad_strips(const __grid_constant__ Conv c, const __grid_constant__ Strips s, const __grid_constant__ Operands at) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
    extern __shared__ __align__(1024) char unaligned[];
    const std::uint32_t skip = -static_cast<std::uint32_t>(__cvta_generic_to_shared(unaligned)) % kAlignment;
    char *shared = unaligned + skip;
    const auto base = static_cast<std::uint32_t>(__cvta_generic_to_shared(shared));
    const int tid = static_cast<int>(threadIdx.x), lane = tid % 32, warp = tid / 32;
    const int stage_bytes = s.stage_bytes();
    auto &tables = *reinterpret_cast<Tables *>(shared + s.stages * stage_bytes);
    const auto barrier = static_cast<std::uint32_t>(__cvta_generic_to_shared(tables.there));
    for (int i = tid; i < s.pixels / kGroup; i += kStripThreads) {
        const int column = i * kGroup % s.columns, row = i * kGroup / s.columns % s.rows, image = i * kGroup / s.columns / s.rows;
        tables.groups[i] = (image * s.read_rows + row) * s.read_columns + column;
    }
    if (tid == 0) {
        for (int i = 0; i < s.stages; ++i)
            asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;\n" ::"r"(barrier + 8 * static_cast<std::uint32_t>(i)) : "memory");
        asm volatile("fence.mbarrier_init.release.cluster;\n" ::: "memory");
    }
    __syncthreads();

    const int channel_tiles = (c.depth + kChannels - 1) / kChannels;
    const int channel0 = static_cast<int>(blockIdx.x) % channel_tiles * kChannels,
              column0 = static_cast<int>(blockIdx.x) / channel_tiles * kColumns;
    const auto copy_strip = [&](std::int64_t strip, int stage) {
        const auto image = static_cast<int>(strip / s.of_image) * s.images, within = static_cast<int>(strip % s.of_image);
        const int row = within / s.across * s.rows, column = within % s.across * s.columns;
        const std::uint32_t to = base + static_cast<std::uint32_t>(stage * stage_bytes),
                            there = barrier + 8 * static_cast<std::uint32_t>(stage);
        expect_bytes(there, (s.pixels + s.images * s.read_rows * s.read_columns) * kPitch);
        copy_box(to, at.dy, there, column0, column, row, image);
        copy_box(to + static_cast<std::uint32_t>(s.pixels * kPitch), at.x, there, channel0, column + c.axis[1].base,
                 row + c.axis[0].base, image);
    };

    // Where this warpgroup's taps begin in the strip, and how far they are from each other, in bytes.
    const int tap_down = warp / 4;
    const auto taps_at = static_cast<std::uint32_t>(tap_down * c.axis[0].step * s.read_columns * kPitch),
               to_next_tap = static_cast<std::uint32_t>(c.axis[1].step * kPitch);

    float sum[kTapsAcross * kChannels / 2] = {};
    const std::int64_t first = blockIdx.y * at.chunk;
    const auto steps = static_cast<int>(max(std::int64_t{0}, min(at.chunk, s.count - first)));
    int fill = min(s.stages - 2, steps), use = 0;  // stages, in turn
    std::uint32_t phase = 0;
    if (tid == 0)
        for (int i = 0; i < fill; ++i) copy_strip(first + i, i);
    for (int step = 0; step < steps; ++step) {
        __syncthreads();  // the strip two before this one has been read
        if (tid == 0 && step + s.stages - 2 < steps) copy_strip(first + step + s.stages - 2, fill);
        wait_for(barrier + 8 * static_cast<std::uint32_t>(use), phase);
        const std::uint32_t dy_stage = base + static_cast<std::uint32_t>(use * stage_bytes),
                            x_stage = dy_stage + static_cast<std::uint32_t>(s.pixels * kPitch);
        for (int k = 0; k < s.pixels / kGroup; k += 2) {
            asm volatile("wgmma.fence.sync.aligned;\n" ::: "memory");
            const int place = tables.groups[k];
            const auto to_second = static_cast<std::uint32_t>((tables.groups[k + 1] - place) * kPitch);
            multiply_add_group<T>(sum, matrices(dy_stage + static_cast<std::uint32_t>(k * kAlignment), 0, kAlignment),
                                  matrices(x_stage + static_cast<std::uint32_t>(place * kPitch) + taps_at, to_next_tap, to_second));
        }
        asm volatile("wgmma.commit_group.sync.aligned;\n" ::: "memory");
        asm volatile("wgmma.wait_group.sync.aligned 1;\n" ::: "memory");
        fill = fill + 1 == s.stages ? 0 : fill + 1;
        if (++use == s.stages) use = 0, phase ^= 1;
    }
    asm volatile("wgmma.wait_group.sync.aligned 0;\n" ::: "memory");

    float *part = at.partials + blockIdx.y * std::int64_t{c.columns} * c.length();
#pragma unroll
    for (int t = 0; t < kTapsAcross; ++t)
#pragma unroll
        for (int j = 0; j < kChannels / 8; ++j) {
            const int tap = tap_down * kTapsAcross + t, channel = channel0 + j * 8 + lane % 4 * 2;  // their number is even
#pragma unroll
            for (int half = 0; half < 2; ++half) {
                const int column = column0 + warp % 4 * 16 + half * 8 + lane / 4;
                if (column < c.columns && channel < c.depth)
                    *reinterpret_cast<float2 *>(part + column * c.length() + std::int64_t{tap} * c.depth + channel) = {
                        sum[32 * t + 4 * j + 2 * half], sum[32 * t + 4 * j + 2 * half + 1]};
            }
        }
#endif
}

// The strip that reads the fewest pixels of x and dy for each pixel of its own, in stages that find room. None where none is of
// whole groups of pixels, two for each matrix instruction.
bool find_strips(const Conv &c, std::int64_t height, std::int64_t width, int room, Strips &best) {
    constexpr int kMostRead = 1024, kMostAcross = 256;  // of a box
    const int reach[2] = {c.axis[0].step * (kTapsDown - 1), c.axis[1].step * (kTapsAcross - 1)};
    if (reach[0] > kMostRead || reach[1] > kMostRead) return false;
    const auto parts = [](std::int64_t n, std::int64_t part) { return (n + part - 1) / part; };
    double best_cost = 0;
    for (int columns = kGroup; columns <= std::min<std::int64_t>(width + kGroup - 1, kMostPixels); columns += kGroup)
        for (int rows = 1; rows <= std::min<std::int64_t>(height, kMostPixels / columns); ++rows)
            for (int images = 1; images <= (rows == height && columns >= width ? kMostPixels / columns / rows : 1); ++images) {
                Strips s{};
                s.images = images, s.rows = rows, s.columns = columns, s.pixels = images * rows * columns;
                if (s.pixels % (2 * kGroup) != 0) continue;
                s.read_rows = rows + reach[0];
                s.read_columns = columns + reach[1];
                const std::int64_t read = parts(std::int64_t{images} * s.read_rows * s.read_columns, kGroup) * kGroup;
                const std::int64_t of_image = parts(height, rows) * parts(width, columns);
                if (read > kMostRead || s.read_rows > kMostAcross || s.read_columns > kMostAcross || of_image > INT32_MAX) continue;
                s.read_pixels = static_cast<std::int32_t>(read);
                s.across = static_cast<std::int32_t>(parts(width, columns));
                s.of_image = static_cast<std::int32_t>(of_image);
                s.count = parts(c.images, images) * of_image;
                for (s.stages = kMostStages; s.stages >= kLeastStages && s.shared_bytes() > room;) --s.stages;
                if (s.stages < kLeastStages) continue;
                // Bytes copied, what the multiplications take beside them, and a barrier for each strip.
                const double cost = static_cast<double>(s.count) * (s.stage_bytes() + 64 * s.pixels + 4096);
                if (best_cost == 0 || cost < best_cost) best = s, best_cost = cost;
            }
    return best_cost > 0;
}

using Encode = decltype(&cuTensorMapEncodeTiled);

class WgradStrips final : public Kernel {
public:
    WgradStrips(const mpt_mod_call &call, const Conv &c, const Strips &strips, Encode encode, int multiprocessors,
                std::unique_ptr<Kernel> portable)
        : conv_(c),
          strips_(strips),
          portable_(std::move(portable)),
          x_(call.in[0]),
          dy_(call.in[1]),
          encode_(encode),
          result_dtype_(call.out[0].dtype) {
        const auto tiles = [](std::int64_t n, std::int64_t tile) { return (n + tile - 1) / tile; };
        tiles_ = tiles(c.columns, kColumns) * tiles(c.depth, kChannels);
        // The fewest strips in a row on one multiprocessor, the start and the sum of the parts counted in.
        std::int64_t parts = 1, best = INT64_MAX;
        for (std::int64_t n = 1; n <= std::min<std::int64_t>(strips.count, 512); ++n) {
            const std::int64_t rounds = tiles(tiles_ * n, multiprocessors);
            const std::int64_t cost = rounds * (tiles(strips.count, n) + 4) + 4 * tiles_ * n / multiprocessors;
            if (cost < best) parts = n, best = cost;
        }
        chunk_ = tiles(strips.count, parts);
        form_ = {static_cast<std::int32_t>(tiles(strips.count, chunk_)), c.columns, c.depth};
        workspace_bytes = std::max(form_.bytes(c), portable_->workspace_bytes);
        visit([&](auto t) {
            allow_shared(conv_wgrad_strips<decltype(t)>, static_cast<std::size_t>(strips_.shared_bytes()), kName);
        });
    }

    void launch(const void *const *in, void *const *out, void *workspace, cudaStream_t stream) override {
        Operands at{{}, {}, static_cast<float *>(workspace), chunk_};
        if (!map(at.x, x_, in[0], strips_.read_rows, strips_.read_columns) ||
            !map(at.dy, dy_, in[1], strips_.rows, strips_.columns))
            return portable_->launch(in, out, workspace, stream);
        visit([&](auto t) {
            conv_wgrad_strips<decltype(t)><<<dim3(static_cast<unsigned>(tiles_), static_cast<unsigned>(form_.parts)), kStripThreads,
                                             strips_.shared_bytes(), stream>>>(conv_, strips_, at);
        });
        check_launch(kName);
        sum_partials(conv_, form_, at.partials, out[0], result_dtype_, stream);
    }
    const char *name() const override { return "cuda:conv_strips"; }

private:
    template <class F>
    void visit(F &&f) const {
        x_.dtype == MPT_BF16 ? f(BF16{}) : f(F16{});
    }

    // Not where the images do not begin at a multiple of 16 bytes, or their strides are none that boxes can have.
    bool map(CUtensorMap &to, const mpt_mod_operand &images, const void *address, int rows, int columns) const {
        constexpr int kOrder[] = {1, 3, 2, 0};
        const cuuint32_t box[] = {kChannels, static_cast<cuuint32_t>(columns), static_cast<cuuint32_t>(rows),
                                  static_cast<cuuint32_t>(strips_.images)},
                         steps[] = {1, 1, 1, 1};
        cuuint64_t extents[4], strides[4] = {2};  // of bytes
        for (int i = 0; i < 4; ++i) {
            const int d = kOrder[i];
            extents[i] = static_cast<cuuint64_t>(images.shape[d]);
            if (i == 0) continue;
            if (images.shape[d] > 1 && images.strides[d] <= 0) return false;
            strides[i] = images.shape[d] > 1 ? static_cast<cuuint64_t>(images.strides[d]) * 2 : strides[i - 1] * extents[i - 1];
        }
        return encode_(&to, images.dtype == MPT_BF16 ? CU_TENSOR_MAP_DATA_TYPE_BFLOAT16 : CU_TENSOR_MAP_DATA_TYPE_FLOAT16, 4,
                       const_cast<void *>(address), extents, strides + 1, box, steps, CU_TENSOR_MAP_INTERLEAVE_NONE,
                       CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
                       CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE) == CUDA_SUCCESS;
    }

    Conv conv_;
    Strips strips_;
    std::unique_ptr<Kernel> portable_;
    mpt_mod_operand x_, dy_;
    Encode encode_;
    ConvPartials form_;
    std::int32_t result_dtype_;
    std::int64_t tiles_, chunk_;
};

// The driver's, which describes images to the copy engine.
Encode find_encode() {
    void *function = nullptr;
    cudaDriverEntryPointQueryResult result;
    if (cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function, 12000, cudaEnableDefault, &result) == cudaSuccess &&
        result == cudaDriverEntryPointSuccess)
        return reinterpret_cast<Encode>(function);
    cudaGetLastError();
    return nullptr;
}

}  // namespace

std::unique_ptr<Kernel> prepare_conv_wgrad_strips(Device &device, const mpt_mod_call &call, std::unique_ptr<Kernel> &portable) {
#ifdef MPT_CUDA_HOPPER
    constexpr bool kThere = true;
#else
    constexpr bool kThere = false;  // this module has no code for Hopper alone
#endif
    const mpt_mod_operand &x = call.in[0], &dy = call.in[1], &dw = call.out[0];
    const auto &attrs = attrs_of<mpt_attrs_conv2d>(call);
    if (!kThere || device.capability() != 90) return nullptr;
    if ((x.dtype != MPT_F16 && x.dtype != MPT_BF16) || attrs.groups != 1 || attrs.stride[0] != 1 || attrs.stride[1] != 1 ||
        dw.shape[2] != kTapsDown || dw.shape[3] != kTapsAcross)
        return nullptr;
    if (numel(x) == 0 || numel(dy) == 0) return nullptr;
    for (const mpt_mod_operand *images : {&x, &dy}) {
        if (ConvImages(*images, 1).copied) return nullptr;
        const std::int64_t channels = images->shape[1], rest = channels % kChannels;
        if (channels < 48 || (rest != 0 && rest < 32 && channels < 512)) return nullptr;  // blocks would compute much in vain
    }
    const Conv c = conv_of(kName, attrs, x, dy, dw, false);
    int room = 0;
    check(cudaDeviceGetAttribute(&room, cudaDevAttrMaxSharedMemoryPerBlockOptin, device.index()), kName);
    Strips strips;
    const Encode encode = find_encode();
    if (!encode || !find_strips(c, dy.shape[2], dy.shape[3], room, strips)) return nullptr;
    return std::make_unique<WgradStrips>(call, c, strips, encode, device.multiprocessors(), std::move(portable));
}

}  // namespace mpt::cuda
