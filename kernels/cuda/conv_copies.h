// Images and filters in the layouts that tensor cores are fed from: as they lie, or copies in the workspace.
#pragma once

#include "kernel.h"
#include "workspace.h"

namespace mpt::cuda {

inline constexpr int kConvPack = 8;  // channels of 16 bytes

// An image as [N, H, W, channels] with groups of channels that are multiples of 8 and rows that start at multiples of 16 bytes: as
// it lies, or a copy in the workspace, whose channels beyond those of the image are 0.
struct ConvImages {
    bool copied = false;
    mpt_mod_operand from{}, to{};
    std::size_t at = 0;  // in the workspace

    ConvImages(const mpt_mod_operand &x, std::int64_t groups) : from(x), to(x) {
        copied = x.shape[1] / groups % kConvPack != 0 || x.strides[1] != 1;
        for (int d : {0, 2, 3}) copied |= x.shape[d] != 1 && x.strides[d] % kConvPack != 0;
        if (!copied) return;
        to.shape[1] = (x.shape[1] + kConvPack - 1) / kConvPack * kConvPack;
        to.strides[1] = 1;
        to.strides[3] = to.shape[1];
        to.strides[2] = to.strides[3] * to.shape[3];
        to.strides[0] = to.strides[2] * to.shape[2];
    }
    // Padding would move the first channels of the groups.
    static bool can(const mpt_mod_operand &x, std::int64_t groups) { return groups == 1 || x.shape[1] / groups % kConvPack == 0; }
    std::size_t bytes() const { return copied ? static_cast<std::size_t>(numel(to)) * 2 : 0; }
    bool usable(const void *images) const { return copied || reinterpret_cast<std::uintptr_t>(images) % 16 == 0; }
    // Where the kernels read them. conv_images.cu.
    const void *place(const Device &device, const void *images, void *workspace, cudaStream_t stream) const;
};

// A filter [O, C, KH, KW] as [O, KH, KW, C], of 16-bit elements or of f32; the copy may have more channels, which are 0.
struct ConvFilter {
    mpt_mod_operand filter{}, last{};  // any strides; channels innermost, dense

    ConvFilter() = default;
    ConvFilter(const mpt_mod_operand &w, std::int64_t channels);
    // Does the copy differ from the filter?
    bool differs() const;
    static bool can(const mpt_mod_operand &w);
    std::size_t bytes() const;
    // conv_filters.cu.
    void to_last(const void *filter, void *last, cudaStream_t stream) const;
    void from_last(const void *last, void *filter, cudaStream_t stream) const;
};

}  // namespace mpt::cuda
