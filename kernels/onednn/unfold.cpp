#include "unfold.h"

#include <cstring>

namespace mpt::onednn {
namespace {

struct Unfold {
    std::int64_t images, in_height, in_width, out_height, out_width, kernel_height, kernel_width;
    std::int64_t stride[2], padding[2], dilation[2];
    std::size_t pixel;  // bytes of a pixel's channels

    void run(const char *x, char *row) const {
        const std::size_t image = static_cast<std::size_t>(in_height * in_width) * pixel;
        for (std::int64_t n = 0; n < images; ++n, x += image)
            for (std::int64_t i = 0; i < out_height; ++i)
                for (std::int64_t j = 0; j < out_width; ++j)
                    for (std::int64_t u = 0; u < kernel_height; ++u, row += static_cast<std::size_t>(kernel_width) * pixel)
                        copy_row(x, i * stride[0] - padding[0] + u * dilation[0], j * stride[1] - padding[1], row);
    }

    // One row of a window: its first pixel is at (h, w) of the image, which may be outside.
    void copy_row(const char *x, std::int64_t h, std::int64_t w, char *to) const {
        const bool inside = h >= 0 && h < in_height;
        if (inside && dilation[1] == 1 && w >= 0 && w + kernel_width <= in_width) {
            std::memcpy(to, x + static_cast<std::size_t>(h * in_width + w) * pixel, static_cast<std::size_t>(kernel_width) * pixel);
            return;
        }
        for (std::int64_t v = 0; v < kernel_width; ++v, to += pixel, w += dilation[1]) {
            if (inside && w >= 0 && w < in_width)
                std::memcpy(to, x + static_cast<std::size_t>(h * in_width + w) * pixel, pixel);
            else
                std::memset(to, 0, pixel);
        }
    }
};

}  // namespace

Step unfold(const Convolution &conv, Range images, Place x, Place rows) {
    const Unfold work{images.size(),
                      conv.x.shape[2],
                      conv.x.shape[3],
                      conv.y.shape[2],
                      conv.y.shape[3],
                      conv.weights_shape[2],
                      conv.weights_shape[3],
                      {conv.stride[0], conv.stride[1]},
                      {conv.before[0], conv.before[1]},
                      {conv.dilation[0] + 1, conv.dilation[1] + 1},
                      static_cast<std::size_t>(conv.x.shape[1]) * bytes_of(conv.x.type)};
    return Step([work, x, rows](const Step::Addresses &addresses) { work.run(addresses.of(x), addresses.of(rows)); });
}

}  // namespace mpt::onednn
