// Pooling and resizing work on whole image rows, channels innermost, in the computing type; rows that lie so in memory are used
// where they are.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "device/attrs/pool.h"
#include "kernel.h"
#include "runs.h"

namespace mpt::cpu {

// One window along one dimension: elements [begin, end) of the image; taps are counted from first, which may be in the padding.
struct Window {
    std::int64_t first, begin, end;
};

inline std::vector<Window> windows_of(const mpt_attrs_pool2d &at, int dim, std::int64_t in, std::int64_t out) {
    std::vector<Window> windows;
    for (std::int64_t i = 0; i < out; ++i) {
        if (at.adaptive) {
            const std::int64_t begin = i * in / out, end = ((i + 1) * in + out - 1) / out;
            windows.push_back({begin, begin, end});
        } else {
            const std::int64_t first = i * at.stride[dim] - at.padding[dim];
            windows.push_back({first, std::max<std::int64_t>(first, 0), std::min(first + at.kernel[dim], in)});
        }
    }
    return windows;
}

// For each element of the image the outputs [begin, end) that read it. Windows ascend.
struct Readers {
    std::int64_t begin = 0, end = 0;
};
inline std::vector<Readers> readers_of(const std::vector<Window> &windows, std::int64_t in) {
    std::vector<Readers> readers(static_cast<std::size_t>(in));
    for (std::size_t i = 0; i < windows.size(); ++i)
        for (std::int64_t h = windows[i].begin; h < windows[i].end; ++h) {
            Readers &r = readers[static_cast<std::size_t>(h)];
            if (r.end == 0) r.begin = static_cast<std::int64_t>(i);
            r.end = static_cast<std::int64_t>(i) + 1;
        }
    return readers;
}

// An image row in memory, and how it is read and written as width x channels.
template <class E>
struct RowView {
    explicit RowView(const mpt_mod_operand &x)
        : operand(x),
          row_length(x.shape[1] * x.shape[3]),
          dense((x.strides[1] == 1 || x.shape[1] == 1) && (x.strides[3] == x.shape[1] || x.shape[3] == 1)) {}

    const char *at(const void *base, std::int64_t n, std::int64_t h) const {
        return static_cast<const char *>(base) + (n * operand.strides[0] + h * operand.strides[2]) * size();
    }
    std::int64_t size() const { return operand.dtype == MPT_I32 ? 4 : operand.dtype == MPT_U8 ? 1 : float_size(operand.dtype); }
    bool direct() const { return dense && size() == sizeof(E); }

    // The row itself where it needs no conversion, else a copy in scratch.
    const E *read(const void *base, std::int64_t n, std::int64_t h, E *scratch) const {
        const char *src = at(base, n, h);
        if (direct()) return reinterpret_cast<const E *>(src);
        const std::int64_t channels = operand.shape[1], width = operand.shape[3];
        if (dense) {
            read_elements(src, 1, scratch, row_length);
        } else if (by_columns()) {
            for (std::int64_t c = 0; c < channels; ++c)
                each_piece(width, [&](std::int64_t w, std::int64_t count, E *piece) {
                    read_elements(src + (c * operand.strides[1] + w * operand.strides[3]) * size(), operand.strides[3], piece,
                                  count);
                    for (std::int64_t i = 0; i < count; ++i) scratch[(w + i) * channels + c] = piece[i];
                });
        } else {
            for (std::int64_t w = 0; w < width; ++w)
                read_elements(src + w * operand.strides[3] * size(), operand.strides[1], scratch + w * channels, channels);
        }
        return scratch;
    }

    // Where to put a row: in place, or in scratch, which write() then stores.
    E *target(void *base, std::int64_t n, std::int64_t h, E *scratch) const {
        return direct() ? reinterpret_cast<E *>(const_cast<char *>(at(base, n, h))) : scratch;
    }
    void write(void *base, std::int64_t n, std::int64_t h, const E *scratch) const {
        if (direct()) return;
        char *dst = const_cast<char *>(at(base, n, h));
        const std::int64_t channels = operand.shape[1], width = operand.shape[3];
        if (dense) return write_elements(scratch, dst, 1, row_length);
        if (by_columns()) {
            for (std::int64_t c = 0; c < channels; ++c)
                each_piece(width, [&](std::int64_t w, std::int64_t count, E *piece) {
                    for (std::int64_t i = 0; i < count; ++i) piece[i] = scratch[(w + i) * channels + c];
                    write_elements(piece, dst + (c * operand.strides[1] + w * operand.strides[3]) * size(), operand.strides[3],
                                   count);
                });
            return;
        }
        for (std::int64_t w = 0; w < width; ++w)
            write_elements(scratch + w * channels, dst + w * operand.strides[3] * size(), operand.strides[1], channels);
    }

    mpt_mod_operand operand;
    std::int64_t row_length;
    bool dense;

private:
    // Pixels lie closer to each other than channels.
    bool by_columns() const { return operand.strides[3] < operand.strides[1]; }
    template <class F>
    static void each_piece(std::int64_t width, F &&f) {
        constexpr std::int64_t kPiece = 256;
        E piece[kPiece];
        for (std::int64_t w = 0; w < width; w += kPiece) f(w, std::min(kPiece, width - w), piece);
    }
    void read_elements(const char *src, std::int64_t stride, E *dst, std::int64_t n) const {
        if constexpr (std::is_floating_point_v<E>)
            read_run(operand.dtype, src, stride, dst, n);
        else
            for (std::int64_t i = 0; i < n; ++i) dst[i] = reinterpret_cast<const E *>(src)[i * stride];
    }
    void write_elements(const E *src, char *dst, std::int64_t stride, std::int64_t n) const {
        if constexpr (std::is_floating_point_v<E>)
            write_run(operand.dtype, src, dst, stride, n);
        else
            for (std::int64_t i = 0; i < n; ++i) reinterpret_cast<E *>(dst)[i * stride] = src[i];
    }
};

inline std::int64_t round_up_bytes(std::int64_t n) {
    return (n + MPT_MOD_ALIGNMENT - 1) / MPT_MOD_ALIGNMENT * MPT_MOD_ALIGNMENT;
}

// Image rows in pieces, one per thread, each with its own part of the workspace.
class ImageRows : public Kernel {
public:
    void launch(const void *const *in, void *const *out, void *workspace) override {
        Launch launch{this, in, out, static_cast<char *>(workspace)};
        const auto body = [](std::int32_t part, std::int32_t parts, void *p) {
            const auto *l = static_cast<Launch *>(p);
            const std::int64_t begin = l->kernel->rows_ * part / parts, end = l->kernel->rows_ * (part + 1) / parts;
            if (begin < end) l->kernel->rows(begin, end, l->in, l->out, l->workspace + part * l->kernel->scratch_);
        };
        pool_.run(parts_, body, &launch);
    }

protected:
    explicit ImageRows(Pool &pool) : pool_(pool) {}

    void set_work(std::int64_t rows, std::int64_t row_elements, std::int64_t scratch_bytes) {
        constexpr double kElementsPerThread = 32768;
        const double most = static_cast<double>(rows) * static_cast<double>(row_elements) / kElementsPerThread;
        rows_ = rows;
        parts_ = static_cast<int>(std::clamp(std::min(most, static_cast<double>(rows)), 1.0, static_cast<double>(pool_.threads())));
        scratch_ = scratch_bytes;
        workspace_bytes = static_cast<std::size_t>(scratch_ * parts_);
    }

    virtual void rows(std::int64_t begin, std::int64_t end, const void *const *in, void *const *out, char *scratch) const = 0;

private:
    struct Launch {
        const ImageRows *kernel;
        const void *const *in;
        void *const *out;
        char *workspace;
    };
    Pool &pool_;
    std::int64_t rows_ = 0, scratch_ = 0;
    int parts_ = 1;
};

}  // namespace mpt::cpu
