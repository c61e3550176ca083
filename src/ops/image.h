// Ops on images [N, C, H, W] and on signals [N, C, L]; kernels see a signal as an image of height 1, without a copy.
#pragma once

#include "ops/emit.h"

namespace mpt {

inline constexpr int kImage = 4, kSignal = 3;  // dimensions

void check_image(const Tensor &x, int rank);

// Attributes have two elements, for H and W. The one for spatial dimension i of a tensor of this rank: signals use the second.
inline int axis(int i, int rank) { return i + kImage - rank; }
inline int spatial(int rank) { return rank - 2; }

// Dense strides with C innermost.
Dims channels_innermost(const Dims &shape);
// Image rows lie innermost, rather than channels; and dense strides of either kind.
bool rows_innermost(const Dims &strides);
inline Dims image_strides(const Dims &shape, bool rows) { return rows ? contiguous(shape) : channels_innermost(shape); }
// Every dimension but the channels, as bits.
inline unsigned all_but_channels(int rank) { return ((1u << rank) - 1) & ~2u; }

// For arrange: operands of 3 dimensions get a height of 1.
void see_images(KernelCall &kernel);

}  // namespace mpt
