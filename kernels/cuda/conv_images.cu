#include "conv_mma.cuh"

namespace mpt::cuda {
namespace {

// Neighbouring threads take neighbouring pixels, so that images with their rows innermost are read in runs, and others in lines
// that stay in the cache for the other channels.
__global__ void __launch_bounds__(kThreads)
    conv_images(const __grid_constant__ ConvImages p, const std::uint16_t *from, std::uint16_t *to) {
    const std::int64_t width = p.to.shape[3], packs = p.to.shape[1] / kConvPack, pixels = p.to.shape[2] * width;
    const std::int64_t count = p.to.shape[0] * packs * pixels;
    for (std::int64_t i = blockIdx.x * std::int64_t{kThreads} + threadIdx.x; i < count; i += std::int64_t{gridDim.x} * kThreads) {
        const std::int64_t pixel = i % pixels, channel = i / pixels % packs * kConvPack, image = i / pixels / packs;
        const std::uint16_t *x =
            from + image * p.from.strides[0] + pixel / width * p.from.strides[2] + pixel % width * p.from.strides[3];
        Pack<std::uint16_t, kConvPack> pack;
#pragma unroll
        for (int v = 0; v < kConvPack; ++v)
            pack.at[v] = channel + v < p.from.shape[1] ? x[(channel + v) * p.from.strides[1]] : std::uint16_t{0};
        *reinterpret_cast<Pack<std::uint16_t, kConvPack> *>(to + (image * pixels + pixel) * p.to.shape[1] + channel) = pack;
    }
}

}  // namespace

const void *ConvImages::place(const Device &device, const void *images, void *workspace, cudaStream_t stream) const {
    if (!copied) return images;
    void *copy = static_cast<char *>(workspace) + at;
    conv_images<<<blocks_for(device, numel(to) / kConvPack, kThreads, 16), kThreads, 0, stream>>>(
        *this, static_cast<const std::uint16_t *>(images), static_cast<std::uint16_t *>(copy));
    check_launch("conv2d");
    return copy;
}

}  // namespace mpt::cuda
