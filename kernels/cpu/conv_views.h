// Views of images and filters as the factors of a product (implicit im2col).
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "gemm_views.h"

namespace mpt::cpu {

// The taps of a filter along one dimension: output position i reads input position i * step + offset[t], which is tap
// index[t] of the filter.
struct Taps {
    std::int64_t step = 1;
    std::vector<std::int64_t> offset;
    std::vector<std::int64_t> index;

    std::int64_t count() const { return static_cast<std::int64_t>(offset.size()); }
    bool inside(std::int64_t position, std::size_t tap, std::int64_t size) const {
        const std::int64_t at = position * step + offset[tap];
        return at >= 0 && at < size;
    }
    bool consecutive() const {
        for (std::size_t t = 1; t < offset.size(); ++t)
            if (offset[t] != offset[t - 1] + 1) return false;
        return true;
    }
};

// Row: an output pixel. Columns: (vertical tap, horizontal tap, channel), 0 outside the image.
template <class T>
class Patches final : public RowSource<T> {
public:
    Patches(const mpt_mod_operand &x, std::int64_t groups, PixelGrid grid, Taps down, Taps across)
        : dtype_(x.dtype),
          size_(float_size(x.dtype)),
          channels_(x.shape[1] / groups),
          height_(x.shape[2]),
          width_(x.shape[3]),
          n_stride_(x.strides[0]),
          c_stride_(x.strides[1]),
          h_stride_(x.strides[2]),
          w_stride_(x.strides[3]),
          grid_(grid),
          down_(std::move(down)),
          across_(std::move(across)) {
        // Neighbouring taps of a row are one run where pixels lie without a gap.
        const bool dense = (c_stride_ == 1 || channels_ == 1) && w_stride_ == channels_;
        run_taps_ = dense && across_.consecutive() ? across_.count() : 1;
        run_stride_ = dense ? 1 : c_stride_;
    }

    void read(const void *base, std::int64_t item, std::int64_t row0, std::int64_t rows, std::int64_t col0, std::int64_t cols,
              T *dst, std::int64_t ld) const override {
        const auto *image = static_cast<const char *>(base) + item * channels_ * c_stride_ * size_;
        const std::int64_t run_length = run_taps_ * channels_, runs = across_.count() / run_taps_;
        const std::int64_t first = col0 / run_length, start = col0 % run_length;
        Pixel pixel(grid_, row0);
        for (std::int64_t r = 0; r < rows; ++r, pixel.next(grid_)) {
            const auto *at_n = image + pixel.n * n_stride_ * size_;
            T *out = dst + r * ld;
            std::int64_t left = cols, begin = start, tap = first % runs * run_taps_;
            for (auto v = static_cast<std::size_t>(first / runs); left > 0; ++v) {
                const std::int64_t h = pixel.i * down_.step + down_.offset[v];
                const bool inside = h >= 0 && h < height_;
                const auto *at_h = at_n + h * h_stride_ * size_;
                for (; tap < across_.count() && left > 0; tap += run_taps_, begin = 0) {
                    const std::int64_t end = std::min(run_length, begin + left);
                    const std::int64_t w = pixel.j * across_.step + across_.offset[static_cast<std::size_t>(tap)];
                    if (inside)
                        read_clipped(at_h, w, begin, end, out);
                    else
                        std::fill_n(out, end - begin, T{});
                    out += end - begin;
                    left -= end - begin;
                }
                tap = 0;
            }
        }
    }

    // The taps that are inside the image for any of the rows; horizontally, all between the first and the last of them.
    ColumnRanges used_columns(std::int64_t row0, std::int64_t rows) const override {
        std::int64_t first = across_.count(), last = -1;
        std::uint64_t down_used = 0;
        for (std::int64_t r = row0 - row0 % grid_.group; r < row0 + rows; r += grid_.group) {
            const Pixel pixel(grid_, r);
            for (std::size_t v = 0; v < down_.offset.size(); ++v)
                if (down_.inside(pixel.i, v, height_)) down_used |= std::uint64_t{1} << v;
            for (std::int64_t u = 0; u < across_.count(); ++u) {
                if (!across_.inside(pixel.j, static_cast<std::size_t>(u), width_)) continue;
                first = std::min(first, u);
                last = std::max(last, u);
            }
        }
        ColumnRanges ranges;
        for (std::int64_t v = 0; v < down_.count() && first <= last; ++v) {
            if (!(down_used >> v & 1)) continue;
            ranges.begin[ranges.count] = (v * across_.count() + first) * channels_;
            ranges.end[ranges.count++] = (v * across_.count() + last + 1) * channels_;
        }
        return ranges;
    }

private:
    // Elements [begin, end) of the run that starts at column w of an image row.
    void read_clipped(const char *row, std::int64_t w, std::int64_t begin, std::int64_t end, T *out) const {
        const std::int64_t low = std::clamp(-w * channels_, begin, end), high = std::clamp((width_ - w) * channels_, low, end);
        if (low > begin) std::fill_n(out, low - begin, T{});
        if (high > low)
            read_run(dtype_, row + (w * w_stride_ + low * run_stride_) * size_, run_stride_, out + (low - begin), high - low);
        if (end > high) std::fill_n(out + (high - begin), end - high, T{});
    }

    std::int32_t dtype_;
    std::int64_t size_, channels_, height_, width_;
    std::int64_t n_stride_, c_stride_, h_stride_, w_stride_;
    PixelGrid grid_;
    Taps down_, across_;
    std::int64_t run_taps_, run_stride_;
};

// The same matrix transposed. Row: (vertical tap, horizontal tap, channel); columns: output pixels, which lie along image rows.
// For few channels, and for images whose rows are contiguous.
template <class T>
class PatchColumns final : public RowSource<T> {
public:
    PatchColumns(const mpt_mod_operand &x, std::int64_t groups, PixelGrid grid, Taps down, Taps across)
        : x_(x),
          size_(float_size(x.dtype)),
          channels_(x.shape[1] / groups),
          grid_(grid),
          down_(std::move(down)),
          across_(std::move(across)) {}

    void read(const void *base, std::int64_t item, std::int64_t row0, std::int64_t rows, std::int64_t col0, std::int64_t cols,
              T *dst, std::int64_t ld) const override {
        for (std::int64_t r = row0; r < row0 + rows; ++r, dst += ld) {
            const std::int64_t c = item * channels_ + r % channels_, tap = r / channels_;
            const std::int64_t down = down_.offset[static_cast<std::size_t>(tap / across_.count())];
            const std::int64_t right = across_.offset[static_cast<std::size_t>(tap % across_.count())];
            // Columns of the grid for which the tap is inside the image.
            const std::int64_t first = std::clamp<std::int64_t>((across_.step - 1 - right) / across_.step, 0, grid_.width);
            const std::int64_t last =
                right >= x_.shape[3] ? first : std::clamp((x_.shape[3] - 1 - right) / across_.step + 1, first, grid_.width);
            const auto *channel = static_cast<const char *>(base) + c * x_.strides[1] * size_;
            Pixel pixel(grid_, col0);
            for (std::int64_t done = 0; done < cols;) {
                const std::int64_t end = std::min(grid_.width, pixel.j + cols - done), h = pixel.i * down_.step + down;
                T *out = dst + done;
                if (h < 0 || h >= x_.shape[2]) {
                    std::fill_n(out, end - pixel.j, T{});
                } else {
                    const std::int64_t low = std::clamp(first, pixel.j, end), high = std::clamp(last, low, end);
                    std::fill_n(out, low - pixel.j, T{});
                    const std::int64_t at =
                        pixel.n * x_.strides[0] + h * x_.strides[2] + (low * across_.step + right) * x_.strides[3];
                    read_run(x_.dtype, channel + at * size_, across_.step * x_.strides[3], out + (low - pixel.j), high - low);
                    std::fill_n(out + (high - pixel.j), end - high, T{});
                }
                done += end - pixel.j;
                pixel.j = end - 1;
                pixel.next(grid_);
            }
        }
    }

private:
    mpt_mod_operand x_;
    std::int64_t size_, channels_;
    PixelGrid grid_;
    Taps down_, across_;
};

// The part of the product of patches with a filter that is not with zeros outside the image.
inline double inside_part(const mpt_mod_operand &x, const PixelGrid &grid, const Taps &down, const Taps &across) {
    const auto part = [](const Taps &taps, std::int64_t positions, std::int64_t size) {
        std::int64_t inside = 0;
        for (std::int64_t p = 0; p < positions; ++p)
            for (std::size_t t = 0; t < taps.offset.size(); ++t) inside += taps.inside(p, t, size);
        return static_cast<double>(inside) / static_cast<double>(std::max<std::int64_t>(1, positions * taps.count()));
    };
    return part(down, grid.height, x.shape[2]) * part(across, grid.width, x.shape[3]);
}

// Few channels, or contiguous image rows: PatchColumns reads memory in the longer runs.
inline bool read_by_columns(const mpt_mod_operand &x, std::int64_t groups, const Taps &across) {
    const std::int64_t channels = x.shape[1] / groups;
    return channels * across.count() < 16 || (x.strides[3] == 1 && x.strides[1] != 1);
}

// In which order pixels are taken when they are the rows of a product: one pixel of several images together where that lets
// a good part of the filter be skipped (small images, wide borders).
inline PixelGrid choose_grid(const mpt_mod_operand &x, std::int64_t groups, std::int64_t height, std::int64_t width,
                             const Taps &down, const Taps &across) {
    constexpr std::int64_t kLeast = 8, kMost = 48;
    PixelGrid grid{height, width};
    if (read_by_columns(x, groups, across) || down.count() > ColumnRanges::kMost || inside_part(x, grid, down, across) > 0.85)
        return grid;
    for (std::int64_t g = kMost; g >= kLeast && grid.group == 1; --g)
        if (x.shape[0] % g == 0) grid.group = g;
    return grid;
}

// Patches in the form that suits x.
template <class T>
class PatchMatrix {
public:
    PatchMatrix(const mpt_mod_operand &x, std::int64_t groups, const PixelGrid &grid, const Taps &down, const Taps &across)
        : columns_(down.count() * across.count() * (x.shape[1] / groups)), rows_are_pixels_(!read_by_columns(x, groups, across)) {
        if (rows_are_pixels_)
            source_ = std::make_unique<Patches<T>>(x, groups, grid, down, across);
        else
            source_ = std::make_unique<PatchColumns<T>>(x, groups, grid, down, across);
    }

    std::int64_t columns() const { return columns_; }
    Factor<T> pixels_are_k() const { return {source_.get(), rows_are_pixels_}; }
    Factor<T> columns_are_k() const { return {source_.get(), !rows_are_pixels_}; }

private:
    std::unique_ptr<RowSource<T>> source_;
    std::int64_t columns_;
    bool rows_are_pixels_;
};

// The shape of (pixels of the grid) x (taps, channels) times (taps, channels) x n.
inline GemmShape pixel_product(std::int64_t images, const PixelGrid &grid, std::int64_t items, std::int64_t n, std::int64_t k) {
    GemmShape s;
    s.items = items;
    s.m = images * grid.height * grid.width;
    s.n = n;
    s.k = k;
    s.skip_zeros = grid.group > 1;
    s.segment = grid.group > 1 ? grid.group : 0;
    return s;
}

// A filter as the matrix that goes with Patches. Row: (vertical tap, horizontal tap, inner channel). Columns: the outer channel.
template <class T>
class Filter final : public RowSource<T> {
public:
    // inner, outer: the strides of the channels that are summed over and of those that are not.
    Filter(const mpt_mod_operand &w, std::int64_t inner, std::int64_t inner_stride, std::int64_t outer_stride,
           std::int64_t item_step, const Taps &down, const Taps &across)
        : dtype_(w.dtype), inner_(inner), inner_stride_(inner_stride), outer_stride_(outer_stride), item_step_(item_step) {
        for (const std::int64_t v : down.index)
            for (const std::int64_t u : across.index) tap_offset_.push_back(v * w.strides[2] + u * w.strides[3]);
    }

    void read(const void *base, std::int64_t item, std::int64_t row0, std::int64_t rows, std::int64_t col0, std::int64_t cols,
              T *dst, std::int64_t ld) const override {
        const std::int64_t size = float_size(dtype_);
        const auto *src = static_cast<const char *>(base) + (item * item_step_ + col0 * outer_stride_) * size;
        for (std::int64_t r = row0; r < row0 + rows; ++r) {
            const std::int64_t offset = tap_offset_[static_cast<std::size_t>(r / inner_)] + r % inner_ * inner_stride_;
            read_run(dtype_, src + offset * size, outer_stride_, dst + (r - row0) * ld, cols);
        }
    }

private:
    std::int32_t dtype_;
    std::int64_t inner_, inner_stride_, outer_stride_, item_step_;
    std::vector<std::int64_t> tap_offset_;
};

}  // namespace mpt::cpu
