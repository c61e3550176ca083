// "conv2d_wgrad": through cuDNN, from 16-bit formats by a kernel on tensor cores, or by kernels of our own that take any call. The
// pixels are cut into chunks; each one's sum is kept, then they are added in order. The gradient of the bias is a reduction like
// any other.
#include "conv.h"
#include "conv_partials.cuh"
#include "conv_tiles.cuh"
#include "device/attrs/reduce.h"

namespace mpt::cuda {
namespace {

constexpr const char *kName = "conv2d_wgrad";
constexpr int kLanes = 32, kShares = kThreads / kLanes;

// A block's elements neighbour each other in dw, where taps_innermost tells which those are; so many shares has each of their sums.
template <int Shares>
__global__ void __launch_bounds__(kThreads)
    conv_sum_partials(const __grid_constant__ Conv c, ConvPartials form, bool taps_innermost, const float *partials, void *dw,
                      std::int32_t dtype) {
    constexpr int kElements = kThreads / Shares;
    __shared__ float sums[Shares][kElements];
    const int lane = static_cast<int>(threadIdx.x % kElements), share = static_cast<int>(threadIdx.x / kElements);
    const std::int64_t elements = ConvPartials::elements(c), i = blockIdx.x * std::int64_t{kElements} + lane;
    const auto length = static_cast<std::uint32_t>(c.length()), within = static_cast<std::uint32_t>(i % length);
    const std::int64_t row = i / length, column = row % c.columns, group = row / c.columns;
    const auto taps = static_cast<std::uint32_t>(c.taps);
    const std::uint32_t k = taps_innermost ? within % taps * static_cast<std::uint32_t>(c.depth) + within / taps : within;
    float sum = 0;
    if (i < elements) {
        const float *part = partials + row * length + k;
#pragma unroll 8
        for (int p = share; p < form.parts; p += Shares) sum += part[p * elements];
    }
    if constexpr (Shares > 1) {
        sums[share][lane] = sum;
        __syncthreads();
    }
    if (share > 0 || i >= elements) return;
    for (int s = 1; s < Shares; ++s) sum += sums[s][lane];
    if (column >= form.columns || static_cast<std::int32_t>(k) % c.depth >= form.depth) return;
    const float value[1] = {sum};
    store_any(dw, dtype, group * c.filter_group + column * c.filter_column + conv_tap(c, k).other, value);
}

// For groups of few columns: lanes are neighbouring channels of dy; eight warps share a chunk of pixels.
template <class T>
__global__ void __launch_bounds__(kThreads)
    conv_gradient_elements(const __grid_constant__ Conv c, const __grid_constant__ ConvOperands at) {
    __shared__ float sums[kShares][kLanes];
    const int lane = static_cast<int>(threadIdx.x % kLanes), share = static_cast<int>(threadIdx.x / kLanes);
    const auto *x = static_cast<const typename T::Stored *>(at.images), *dy = static_cast<const typename T::Stored *>(at.other);
    const std::int64_t channels = std::int64_t{c.groups} * c.columns, channel = blockIdx.x * std::int64_t{kLanes} + lane;
    const std::int64_t pixel0 = blockIdx.z * at.chunk, image0 = pixel0 / c.pixels;
    const auto within0 = static_cast<std::uint32_t>(pixel0 % c.pixels);
    const auto depth = static_cast<std::uint32_t>(max(std::int64_t{0}, min(at.chunk, c.all_pixels() - pixel0)));
    const auto *group_x = x + channel / c.columns * c.depth * c.in[1];
    for (std::uint32_t k = blockIdx.y; k < static_cast<std::uint32_t>(c.length()); k += gridDim.y) {
        const ConvPlace tap = conv_tap(c, k);
        float sum = 0;
        if (channel < channels) {
            for (auto p = static_cast<std::uint32_t>(share); p < depth; p += kShares) {
                const ConvPlace pixel = conv_pixel(c, image0, within0 + p);
                sum = fmaf(conv_read<T>(c, group_x, pixel, tap), widen<T>(dy[pixel.other + channel * c.out[1]]), sum);
            }
        }
        sums[share][lane] = sum;
        __syncthreads();
        if (share == 0 && channel < channels) {
            for (int s = 1; s < kShares; ++s) sum += sums[s][lane];
            static_cast<float *>(at.result)[(blockIdx.z * channels + channel) * c.length() + k] = sum;
        }
        __syncthreads();
    }
}

std::unique_ptr<Kernel> portable(Device &, const mpt_mod_call &call) {
    constexpr std::int64_t kBlocks = 528, kLeastChunk = 256, kMostPartials = std::int64_t{256} << 20;
    const mpt_mod_operand &x = call.in[0], &dy = call.in[1], &dw = call.out[0];
    const Conv c = conv_of(kName, attrs_of<mpt_attrs_conv2d>(call), x, dy, dw, false);
    need_float(kName, dw.dtype);
    ConvOperands at{};
    at.images_along_depth = std::abs(c.in[3]) < std::abs(c.in[1]);
    at.other_along_depth = std::abs(c.out[3]) < std::abs(c.out[1]);
    const bool elements = c.groups > 1 && c.columns <= 8;
    const std::int64_t across = elements ? (std::int64_t{c.groups} * c.columns + kLanes - 1) / kLanes
                                         : (c.length() + ConvTile::kWide - 1) / ConvTile::kWide;
    const std::int64_t down =
        elements ? c.length() : std::int64_t{c.groups} * ((c.columns + ConvTile::kNarrow - 1) / ConvTile::kNarrow);
    std::int64_t parts =
        std::min((kBlocks + across * down - 1) / (across * down), (c.all_pixels() + kLeastChunk - 1) / kLeastChunk);
    parts = std::min(parts, kMostPartials / 4 / ConvPartials::elements(c));
    parts = std::clamp<std::int64_t>(std::max(parts, c.all_pixels() >> 29), 1, 65535);
    at.chunk = (c.all_pixels() + parts - 1) / parts;
    if (at.chunk >> 30)
        throw Failure{MPT_ERROR_UNSUPPORTED, std::string(kName) + ": images of this size are not supported on a GPU"};
    at.partial = elements || parts > 1;
    at.result_dtype = at.partial ? std::int32_t{MPT_F32} : dw.dtype;
    const ConvPartials form{static_cast<std::int32_t>(parts), c.columns, c.depth};
    const dim3 grid(static_cast<unsigned>(across), static_cast<unsigned>(std::min<std::int64_t>(down, 65535)),
                    static_cast<unsigned>(parts));
    std::unique_ptr<Kernel> kernel;
    visit_float(kName, x.dtype, [&](auto t) {
        using T = decltype(t);
        kernel = kernel_of(
            "cuda:conv",
            [=, dtype = dw.dtype](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
                ConvOperands placed = at;
                placed.images = in[0];
                placed.other = in[1];
                placed.result = at.partial ? workspace : out[0];
                if (elements)
                    conv_gradient_elements<T><<<grid, kThreads, 0, stream>>>(c, placed);
                else
                    conv_tiles<T, true><<<grid, kThreads, 0, stream>>>(c, placed);
                check_launch(kName);
                if (at.partial) sum_partials(c, form, static_cast<const float *>(workspace), out[0], dtype, stream);
            },
            at.partial ? form.bytes(c) : 0);
    });
    return kernel;
}

// The sum of dy over all but its channels.
std::unique_ptr<Kernel> prepare_bias(Device &device, const mpt_mod_operand &dy, const mpt_mod_operand &db) {
    mpt_mod_operand out = dy;
    out.dtype = db.dtype;
    for (int d = 0; d < 4; ++d) {
        out.shape[d] = d == 1 ? dy.shape[1] : 1;
        out.strides[d] = d == 1 ? db.strides[0] : 0;
    }
    const mpt_attrs_reduce attrs{MPT_REDUCE_SUM, 0b1101, 0};
    const mpt_mod_call call{"reduce", &dy, &out, 1, 1, &attrs, sizeof attrs};
    return RegisteredKernel::find("reduce")(device, call);
}

// Is cuDNN faster with 16-bit images than our own kernels on tensor cores? Measured on an H100: it is with large filters, but not
// where strips are and images are wide enough to fill them.
bool cudnn_wins(const Device &device, const mpt_mod_call &call, bool strips) {
    constexpr std::int64_t kManyChannels = 64, kLargeFilter = 1 << 20, kNarrow = 5;
    const mpt_mod_operand &x = call.in[0], &dy = call.in[1];
    for (const mpt_mod_operand *images : {&x, &dy})
        if (images->strides[1] != 1 || images->shape[1] % 8 != 0 || images->shape[1] < kManyChannels) return false;
    return device.capability() >= 90 && attrs_of<mpt_attrs_conv2d>(call).groups == 1 && numel(call.out[0]) >= kLargeFilter &&
           !(strips && dy.shape[3] > kNarrow);
}

std::unique_ptr<Kernel> prepare_filter(Device &device, const mpt_mod_call &call) {
    std::unique_ptr<Kernel> otherwise = portable(device, call);
    // cuDNN 9.14's sums in f32 lose more digits than the order of additions explains (270 pixels: 300 units of the last place).
    if (call.in[0].dtype == MPT_F32 && !device.tf32) return otherwise;
    std::unique_ptr<Kernel> kernel = prepare_conv_wgrad_strips(device, call, otherwise);
    const bool strips = kernel != nullptr;
    if (!strips) kernel = prepare_conv_wgrad_mma(device, call, otherwise);
    if (kernel && !cudnn_wins(device, call, strips)) return kernel;
    return prepare_conv_cudnn(device, call, ConvPass::FilterGradient, std::move(kernel ? kernel : otherwise));
}

class Conv2dWgrad final : public Kernel {
public:
    Conv2dWgrad(Device &device, const mpt_mod_call &call) {
        if (numel(call.out[0]) > 0) filter_ = prepare_filter(device, call);
        if (call.n_out > 1 && present(call.out[1])) bias_ = prepare_bias(device, call.in[1], call.out[1]);
        for (const Kernel *kernel : {filter_.get(), bias_.get()})
            if (kernel) workspace_bytes = std::max(workspace_bytes, kernel->workspace_bytes);
    }
    // One behind the other, so they share the workspace.
    void launch(const void *const *in, void *const *out, void *workspace, cudaStream_t stream) override {
        if (filter_) filter_->launch(in, out, workspace, stream);
        if (bias_) bias_->launch(in + 1, out + 1, workspace, stream);
    }
    const char *name() const override { return filter_ ? filter_->name() : bias_->name(); }

private:
    std::unique_ptr<Kernel> filter_, bias_;
};

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    return std::make_unique<Conv2dWgrad>(device, call);
}
const RegisteredKernel registered(kName, prepare);

}  // namespace

void sum_partials(const Conv &c, const ConvPartials &form, const float *partials, void *dw, std::int32_t dtype,
                  cudaStream_t stream) {
    constexpr std::int64_t kEnough = 512;  // blocks for a GPU
    const std::int64_t elements = ConvPartials::elements(c);
    const bool shared = elements < kEnough * kThreads;
    // Blocks of few elements would read too little at a place.
    const bool taps_innermost = !shared && std::abs(c.filter_tap[1]) < std::abs(c.filter_depth);
    const std::int64_t of_block = shared ? kThreads / kShares : kThreads;
    const auto kernel = shared ? conv_sum_partials<kShares> : conv_sum_partials<1>;
    kernel<<<static_cast<unsigned>((elements + of_block - 1) / of_block), kThreads, 0, stream>>>(c, form, taps_innermost, partials,
                                                                                                 dw, dtype);
    check_launch(kName);
}

}  // namespace mpt::cuda
