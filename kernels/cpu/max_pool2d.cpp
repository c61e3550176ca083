// "max_pool2d" and "max_pool2d_grad". Both work on whole image rows, channels innermost, in the computing type; rows that
// lie so in memory are used where they are.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>

#include "isa.h"
#include "kernels.h"
#include "max_pool16.h"
#include "runs.h"

namespace mpt::cpu {
namespace {

struct Geometry {
    std::int64_t images, channels, height, width, out_height, out_width;
    std::int64_t kernel[2], stride[2], padding[2];
};

Geometry geometry(const mpt_mod_call &call, const mpt_mod_operand &x, const mpt_mod_operand &y) {
    const auto &at = attrs_of<mpt_attrs_pool2d>(call);
    return {x.shape[0],
            x.shape[1],
            x.shape[2],
            x.shape[3],
            y.shape[2],
            y.shape[3],
            {at.kernel[0], at.kernel[1]},
            {at.stride[0], at.stride[1]},
            {at.padding[0], at.padding[1]}};
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
        if (dense) {
            read_elements(src, 1, scratch, row_length);
        } else {
            for (std::int64_t w = 0; w < operand.shape[3]; ++w)
                read_elements(src + w * operand.strides[3] * size(), operand.strides[1], scratch + w * operand.shape[1],
                              operand.shape[1]);
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
        if (dense) return write_elements(scratch, dst, 1, row_length);
        for (std::int64_t w = 0; w < operand.shape[3]; ++w)
            write_elements(scratch + w * operand.shape[1], dst + w * operand.strides[3] * size(), operand.strides[1],
                           operand.shape[1]);
    }

    mpt_mod_operand operand;
    std::int64_t row_length;
    bool dense;

private:
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

// Channels at a time. Large, since compilers turn copies of less than 8 KiB into slow string instructions.
constexpr std::int64_t kLanes = 4096;

// One output row. rows[v]: the input row under vertical tap v, nullptr outside the image.
template <class T, class I>
void pool_row(const Geometry *g, const T *const *rows, T *y, I *index) {
    std::int64_t top = 0;
    while (top + 1 < g->kernel[0] && !rows[top]) ++top;
    for (std::int64_t j = 0; j < g->out_width; ++j) {
        const std::int64_t left = j * g->stride[1] - g->padding[1];
        const std::int64_t begin = std::max<std::int64_t>(0, -left), end = std::min(g->kernel[1], g->width - left);
        for (std::int64_t c0 = 0; c0 < g->channels; c0 += kLanes) {
            const std::int64_t lanes = std::min(kLanes, g->channels - c0);
            T best[kLanes];
            std::int32_t where[kLanes];
            // An image of nothing but -inf has its maximum at the first tap.
            std::fill_n(best, lanes, -std::numeric_limits<T>::infinity());
            std::fill_n(where, lanes, static_cast<std::int32_t>(top * g->kernel[1] + begin));
            for (std::int64_t v = top; v < g->kernel[0] && rows[v]; ++v) {
                for (std::int64_t u = begin; u < end; ++u) {
                    const T *x = rows[v] + (left + u) * g->channels + c0;
                    const auto code = static_cast<std::int32_t>(v * g->kernel[1] + u);
                    for (std::int64_t c = 0; c < lanes; ++c) {
                        // Not (x <= best) is true for NaN as well; a NaN already found stays.
                        const bool take = !(x[c] <= best[c]) & (best[c] == best[c]);
                        where[c] = take ? code : where[c];
                        best[c] = take ? x[c] : best[c];
                    }
                }
            }
            T *to = y + j * g->channels + c0;
            I *code_to = index + j * g->channels + c0;
            for (std::int64_t c = 0; c < lanes; ++c) to[c] = best[c];
            for (std::int64_t c = 0; c < lanes; ++c) code_to[c] = static_cast<I>(where[c]);
        }
    }
}

// Adds to one row of dx what an output row passes back; v: the vertical tap that the rows are apart.
template <class T, class I>
void scatter_row(const Geometry *g, std::int64_t v, const T *dy, const I *index, T *dx) {
    for (std::int64_t j = 0; j < g->out_width; ++j) {
        const std::int64_t left = j * g->stride[1] - g->padding[1];
        const T *from = dy + j * g->channels;
        const I *code_of = index + j * g->channels;
        for (std::int64_t u = std::max<std::int64_t>(0, -left); u < std::min(g->kernel[1], g->width - left); ++u) {
            T *to = dx + (left + u) * g->channels;
            const auto code = static_cast<I>(v * g->kernel[1] + u);
            for (std::int64_t c = 0; c < g->channels; ++c) to[c] += code_of[c] == code ? from[c] : T{0};
        }
    }
}

std::int64_t round_up_bytes(std::int64_t n) {
    return (n + MPT_MOD_ALIGNMENT - 1) / MPT_MOD_ALIGNMENT * MPT_MOD_ALIGNMENT;
}

// Image rows in pieces, one per thread, each with its own part of the workspace.
class RowKernel : public Kernel {
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
    RowKernel(Pool &pool) : pool_(pool) {}

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
        const RowKernel *kernel;
        const void *const *in;
        void *const *out;
        char *workspace;
    };
    Pool &pool_;
    std::int64_t rows_ = 0, scratch_ = 0;
    int parts_ = 1;
};

template <class T, class I>
class MaxPool final : public RowKernel {
public:
    MaxPool(Pool &pool, const mpt_mod_call &call)
        : RowKernel(pool),
          g_(geometry(call, call.in[0], call.out[0])),
          x_(call.in[0]),
          y_(call.out[0]),
          index_(call.out[1]),
          pool_row_(Versions<&pool_row<T, I>>::best()) {
        in_row_ = round_up_bytes(x_.row_length * sizeof(T));
        out_row_ = round_up_bytes(y_.row_length * sizeof(T));
        pointers_ = round_up_bytes(g_.kernel[0] * sizeof(T *));
        const std::int64_t copies = x_.direct() ? 0 : g_.kernel[0] * in_row_;
        set_work(g_.images * g_.out_height, g_.kernel[0] * x_.row_length,
                 pointers_ + copies + out_row_ + round_up_bytes(y_.row_length * sizeof(I)));
    }

    const char *name() const override { return "cpu:max_pool2d"; }

protected:
    void rows(std::int64_t begin, std::int64_t end, const void *const *in, void *const *out, char *scratch) const override {
        auto **taps = reinterpret_cast<const T **>(scratch);
        T *y_scratch = reinterpret_cast<T *>(scratch + pointers_);
        I *index_scratch = reinterpret_cast<I *>(scratch + pointers_ + out_row_);
        char *copies = scratch + pointers_ + out_row_ + round_up_bytes(y_.row_length * sizeof(I));
        for (std::int64_t r = begin; r < end; ++r) {
            const std::int64_t n = r / g_.out_height, i = r % g_.out_height;
            for (std::int64_t v = 0; v < g_.kernel[0]; ++v) {
                const std::int64_t h = i * g_.stride[0] - g_.padding[0] + v;
                taps[v] = h < 0 || h >= g_.height ? nullptr : x_.read(in[0], n, h, reinterpret_cast<T *>(copies + v * in_row_));
            }
            pool_row_(&g_, taps, y_.target(out[0], n, i, y_scratch), index_.target(out[1], n, i, index_scratch));
            y_.write(out[0], n, i, y_scratch);
            index_.write(out[1], n, i, index_scratch);
        }
    }

private:
    Geometry g_;
    RowView<T> x_, y_;
    RowView<I> index_;
    void (*pool_row_)(const Geometry *, const T *const *, T *, I *);
    std::int64_t in_row_, out_row_, pointers_;
};

// Each row of dx gathers from the output rows whose windows meet it, in ascending order: no element is written by two threads.
template <class T, class I>
class MaxPoolGrad final : public RowKernel {
public:
    MaxPoolGrad(Pool &pool, const mpt_mod_call &call)
        : RowKernel(pool),
          g_(geometry(call, call.out[0], call.in[0])),
          dy_(call.in[0]),
          dx_(call.out[0]),
          index_(call.in[1]),
          scatter_row_(Versions<&scatter_row<T, I>>::best()) {
        dy_row_ = round_up_bytes(dy_.row_length * sizeof(T));
        dx_row_ = round_up_bytes(dx_.row_length * sizeof(T));
        set_work(g_.images * g_.height, dx_.row_length, dy_row_ + dx_row_ + round_up_bytes(dy_.row_length * sizeof(I)));
    }

    const char *name() const override { return "cpu:max_pool2d"; }

protected:
    void rows(std::int64_t begin, std::int64_t end, const void *const *in, void *const *out, char *scratch) const override {
        T *dx_scratch = reinterpret_cast<T *>(scratch), *dy_scratch = reinterpret_cast<T *>(scratch + dx_row_);
        I *index_scratch = reinterpret_cast<I *>(scratch + dx_row_ + dy_row_);
        for (std::int64_t r = begin; r < end; ++r) {
            const std::int64_t n = r / g_.height, h = r % g_.height, top = h + g_.padding[0];
            T *dx = dx_.target(out[0], n, h, dx_scratch);
            std::fill_n(dx, dx_.row_length, T{0});
            const std::int64_t first = top < g_.kernel[0] ? 0 : (top - g_.kernel[0]) / g_.stride[0] + 1;
            for (std::int64_t i = first; i <= std::min(top / g_.stride[0], g_.out_height - 1); ++i)
                scatter_row_(&g_, top - i * g_.stride[0], dy_.read(in[0], n, i, dy_scratch),
                             index_.read(in[1], n, i, index_scratch), dx);
            dx_.write(out[0], n, h, dx_scratch);
        }
    }

private:
    Geometry g_;
    RowView<T> dy_, dx_;
    RowView<I> index_;
    void (*scatter_row_)(const Geometry *, std::int64_t, const T *, const I *, T *);
    std::int64_t dy_row_, dx_row_;
};

template <template <class, class> class K>
std::unique_ptr<Kernel> prepare(Pool &pool, const mpt_mod_call &call, const mpt_mod_operand &index) {
    require_float(call, call.in[0]);
    const bool f64 = call.in[0].dtype == MPT_F64;
    if (index.dtype == MPT_U8)
        return f64 ? std::unique_ptr<Kernel>(std::make_unique<K<double, std::uint8_t>>(pool, call))
                   : std::make_unique<K<float, std::uint8_t>>(pool, call);
    if (index.dtype != MPT_I32) unsupported_dtype(call.kernel, index.dtype);
    return f64 ? std::unique_ptr<Kernel>(std::make_unique<K<double, std::int32_t>>(pool, call))
               : std::make_unique<K<float, std::int32_t>>(pool, call);
}

}  // namespace

std::unique_ptr<Kernel> prepare_max_pool2d(Pool &pool, const mpt_mod_call &call) {
    if (auto kernel = prepare_max_pool16(pool, call)) return kernel;
    return prepare<MaxPool>(pool, call, call.out[1]);
}

std::unique_ptr<Kernel> prepare_max_pool2d_grad(Pool &pool, const mpt_mod_call &call) {
    if (auto kernel = prepare_max_pool_grad16(pool, call)) return kernel;
    return prepare<MaxPoolGrad>(pool, call, call.in[1]);
}

}  // namespace mpt::cpu
