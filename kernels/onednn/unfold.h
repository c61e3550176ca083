// The windows of a convolution written out (im2col).
#pragma once

#include "convolution.h"

namespace mpt::onednn {

// From x (C innermost) to a matrix with a row for each pixel of y, [KH, KW, C] in it; zeros where a window leaves the image.
Step unfold(const Convolution &conv, Range images, Place x, Place rows);

}  // namespace mpt::onednn
