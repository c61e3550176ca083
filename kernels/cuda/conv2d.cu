// "conv2d" and "conv2d_dgrad": through cuDNN where it is there and takes the call, else on tensor cores, or by kernels that take
// any call.
#include "conv.h"
#include "conv_tiles.cuh"

namespace mpt::cuda {
namespace {

// For groups of few columns, of which a tile would compute many in vain: a thread for each element of the result.
template <class T>
__global__ void __launch_bounds__(kThreads)
    conv_elements(const __grid_constant__ Conv c, const __grid_constant__ ConvOperands at, bool channels_innermost) {
    const auto *images = static_cast<const typename T::Stored *>(at.images),
               *filter = static_cast<const typename T::Stored *>(at.other);
    const std::int64_t channels = std::int64_t{c.groups} * c.columns, count = c.all_pixels() * channels;
    for (std::int64_t i = blockIdx.x * std::int64_t{kThreads} + threadIdx.x; i < count; i += std::int64_t{gridDim.x} * kThreads) {
        const std::int64_t image = i / (c.pixels * channels), within = i - image * c.pixels * channels;
        const std::int64_t channel = channels_innermost ? within % channels : within / c.pixels;
        const ConvPlace pixel =
            conv_pixel(c, image, static_cast<std::uint32_t>(channels_innermost ? within / channels : within % c.pixels));
        const std::int64_t group = channel / c.columns;
        const auto *group_images = images + group * c.depth * c.in[1];
        const auto *column = filter + group * c.filter_group + channel % c.columns * c.filter_column;
        float sum = 0;
        for (std::uint32_t k = 0; k < static_cast<std::uint32_t>(c.length()); ++k) {
            const ConvPlace tap = conv_tap(c, k);
            sum = fmaf(conv_read<T>(c, group_images, pixel, tap), widen<T>(column[tap.other]), sum);
        }
        const float value[1] = {sum + at.bias.read(channel, 0)};
        store_any(at.result, at.result_dtype, pixel.other + channel * c.out[1], value);
    }
}

std::unique_ptr<Kernel> portable(Device &device, const mpt_mod_call &call, bool transposed) {
    const char *name = transposed ? "conv2d_dgrad" : "conv2d";
    const Conv c = conv_of(name, attrs_of<mpt_attrs_conv2d>(call), call.in[0], call.out[0], call.in[1], transposed);
    ConvOperands at{};
    at.result_dtype = call.out[0].dtype;
    at.images_along_depth = std::abs(c.in[1]) <= std::abs(c.in[3]);
    at.other_along_depth = std::abs(c.filter_depth) <= std::abs(c.filter_column);
    if (call.n_in > 2) at.bias = Vector(name, call.in[2], call.out[0].shape[1]);
    const bool elements = c.groups > 1 && c.columns <= 8, channels_innermost = std::abs(c.out[1]) <= std::abs(c.out[3]);
    const std::int64_t blocks = (c.all_pixels() + ConvTile::kWide - 1) / ConvTile::kWide;
    const std::int64_t units = std::int64_t{c.groups} * ((c.columns + ConvTile::kNarrow - 1) / ConvTile::kNarrow);
    if (blocks > INT32_MAX)
        throw Failure{MPT_ERROR_UNSUPPORTED, std::string(name) + ": images of this size are not supported on a GPU"};
    const dim3 grid = elements ? dim3(blocks_for(device, numel(call.out[0]), kThreads, 32))
                               : dim3(static_cast<unsigned>(blocks), static_cast<unsigned>(std::min<std::int64_t>(units, 65535)));
    std::unique_ptr<Kernel> kernel;
    visit_float(name, call.in[0].dtype, [&](auto t) {
        using T = decltype(t);
        kernel = kernel_of("cuda:conv", [=](const void *const *in, void *const *out, void *, cudaStream_t stream) {
            ConvOperands placed = at;
            placed.images = in[0];
            placed.other = in[1];
            placed.result = out[0];
            if (at.bias.dtype != MPT_DTYPE_NONE) placed.bias = at.bias.at(in[2]);
            if (elements)
                conv_elements<T><<<grid, kThreads, 0, stream>>>(c, placed, channels_innermost);
            else
                conv_tiles<T, false><<<grid, kThreads, 0, stream>>>(c, placed);
            check_launch(name);
        });
    });
    return kernel;
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call, ConvPass pass) {
    std::unique_ptr<Kernel> kernel = portable(device, call, pass == ConvPass::InputGradient);
    if (std::unique_ptr<Kernel> faster = prepare_conv_mma(device, call, pass, kernel)) kernel = std::move(faster);
    return prepare_conv_cudnn(device, call, pass, std::move(kernel));
}
std::unique_ptr<Kernel> prepare_forward(Device &device, const mpt_mod_call &call) {
    return prepare(device, call, ConvPass::Forward);
}
std::unique_ptr<Kernel> prepare_dgrad(Device &device, const mpt_mod_call &call) {
    return prepare(device, call, ConvPass::InputGradient);
}
const RegisteredKernel registered_forward("conv2d", prepare_forward), registered_dgrad("conv2d_dgrad", prepare_dgrad);

}  // namespace
}  // namespace mpt::cuda
