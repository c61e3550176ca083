// "max_pool2d" and "max_pool2d_grad" of device/attrs/pool.h.
#include <cstdint>
#include <limits>
#include <memory>

#include "isa.h"
#include "max_pool16.h"
#include "pool_rows.h"

namespace mpt::cpu {
namespace {

struct Geometry {
    std::int64_t channels, out_width, height, out_height;
    std::int64_t kernel_width;
    std::vector<Window> down, across;
};

Geometry geometry(const mpt_mod_call &call, const mpt_mod_operand &x, const mpt_mod_operand &y) {
    const auto &at = attrs_of<mpt_attrs_pool2d>(call);
    return {x.shape[1],
            y.shape[3],
            x.shape[2],
            y.shape[2],
            at.kernel[1],
            windows_of(at, 0, x.shape[2], y.shape[2]),
            windows_of(at, 1, x.shape[3], y.shape[3])};
}

// Channels at a time. Large, since compilers turn copies of less than 8 KiB into slow string instructions.
constexpr std::int64_t kLanes = 4096;

// One output row. rows[v]: the input row under the window's tap top + v, count of them.
template <class T, class I>
void pool_row(const Geometry *g, const T *const *rows, std::int64_t top, std::int64_t count, T *y, I *index) {
    for (std::int64_t j = 0; j < g->out_width; ++j) {
        const Window &window = g->across[static_cast<std::size_t>(j)];
        const std::int64_t begin = window.begin - window.first, end = window.end - window.first;
        for (std::int64_t c0 = 0; c0 < g->channels; c0 += kLanes) {
            const std::int64_t lanes = std::min(kLanes, g->channels - c0);
            T best[kLanes];
            std::int32_t where[kLanes];
            // An image of nothing but -inf has its maximum at the first tap.
            std::fill_n(best, lanes, -std::numeric_limits<T>::infinity());
            std::fill_n(where, lanes, static_cast<std::int32_t>(top * g->kernel_width + begin));
            for (std::int64_t v = 0; v < count; ++v) {
                for (std::int64_t u = begin; u < end; ++u) {
                    const T *x = rows[v] + (window.first + u) * g->channels + c0;
                    const auto code = static_cast<std::int32_t>((top + v) * g->kernel_width + u);
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
        const Window &window = g->across[static_cast<std::size_t>(j)];
        const T *from = dy + j * g->channels;
        const I *code_of = index + j * g->channels;
        for (std::int64_t w = window.begin; w < window.end; ++w) {
            T *to = dx + w * g->channels;
            const auto code = static_cast<I>(v * g->kernel_width + w - window.first);
            for (std::int64_t c = 0; c < g->channels; ++c) to[c] += code_of[c] == code ? from[c] : T{0};
        }
    }
}

template <class T, class I>
class MaxPool final : public ImageRows {
public:
    MaxPool(Pool &pool, const mpt_mod_call &call)
        : ImageRows(pool),
          g_(geometry(call, call.in[0], call.out[0])),
          x_(call.in[0]),
          y_(call.out[0]),
          index_(call.out[1]),
          pool_row_(Versions<&pool_row<T, I>>::best()) {
        std::int64_t taps = 0;
        for (const Window &w : g_.down) taps = std::max(taps, w.end - w.begin);
        in_row_ = round_up_bytes(x_.row_length * sizeof(T));
        out_row_ = round_up_bytes(y_.row_length * sizeof(T));
        pointers_ = round_up_bytes(taps * sizeof(T *));
        set_work(call.in[0].shape[0] * g_.out_height, taps * x_.row_length,
                 pointers_ + (x_.direct() ? 0 : taps * in_row_) + out_row_ + round_up_bytes(y_.row_length * sizeof(I)));
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
            const Window &window = g_.down[static_cast<std::size_t>(i)];
            for (std::int64_t h = window.begin; h < window.end; ++h)
                taps[h - window.begin] = x_.read(in[0], n, h, reinterpret_cast<T *>(copies + (h - window.begin) * in_row_));
            pool_row_(&g_, taps, window.begin - window.first, window.end - window.begin, y_.target(out[0], n, i, y_scratch),
                      index_.target(out[1], n, i, index_scratch));
            y_.write(out[0], n, i, y_scratch);
            index_.write(out[1], n, i, index_scratch);
        }
    }

private:
    Geometry g_;
    RowView<T> x_, y_;
    RowView<I> index_;
    void (*pool_row_)(const Geometry *, const T *const *, std::int64_t, std::int64_t, T *, I *);
    std::int64_t in_row_, out_row_, pointers_;
};

// Each row of dx gathers from the output rows whose windows meet it, in ascending order: no element is written by two threads.
template <class T, class I>
class MaxPoolGrad final : public ImageRows {
public:
    MaxPoolGrad(Pool &pool, const mpt_mod_call &call)
        : ImageRows(pool),
          g_(geometry(call, call.out[0], call.in[0])),
          readers_(readers_of(g_.down, g_.height)),
          dy_(call.in[0]),
          dx_(call.out[0]),
          index_(call.in[1]),
          scatter_row_(Versions<&scatter_row<T, I>>::best()) {
        dy_row_ = round_up_bytes(dy_.row_length * sizeof(T));
        dx_row_ = round_up_bytes(dx_.row_length * sizeof(T));
        set_work(call.out[0].shape[0] * g_.height, dx_.row_length, dy_row_ + dx_row_ + round_up_bytes(dy_.row_length * sizeof(I)));
    }

    const char *name() const override { return "cpu:max_pool2d"; }

protected:
    void rows(std::int64_t begin, std::int64_t end, const void *const *in, void *const *out, char *scratch) const override {
        T *dx_scratch = reinterpret_cast<T *>(scratch), *dy_scratch = reinterpret_cast<T *>(scratch + dx_row_);
        I *index_scratch = reinterpret_cast<I *>(scratch + dx_row_ + dy_row_);
        for (std::int64_t r = begin; r < end; ++r) {
            const std::int64_t n = r / g_.height, h = r % g_.height;
            T *dx = dx_.target(out[0], n, h, dx_scratch);
            std::fill_n(dx, dx_.row_length, T{0});
            const Readers &readers = readers_[static_cast<std::size_t>(h)];
            for (std::int64_t i = readers.begin; i < readers.end; ++i)
                scatter_row_(&g_, h - g_.down[static_cast<std::size_t>(i)].first, dy_.read(in[0], n, i, dy_scratch),
                             index_.read(in[1], n, i, index_scratch), dx);
            dx_.write(out[0], n, h, dx_scratch);
        }
    }

private:
    Geometry g_;
    std::vector<Readers> readers_;
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

static std::unique_ptr<Kernel> prepare_max_pool2d(Pool &pool, const mpt_mod_call &call) {
    if (auto kernel = prepare_max_pool16(pool, call)) return kernel;
    return prepare<MaxPool>(pool, call, call.out[1]);
}

static std::unique_ptr<Kernel> prepare_max_pool2d_grad(Pool &pool, const mpt_mod_call &call) {
    if (auto kernel = prepare_max_pool_grad16(pool, call)) return kernel;
    return prepare<MaxPoolGrad>(pool, call, call.in[1]);
}

static const RegisteredKernel registered_max_pool2d("max_pool2d", prepare_max_pool2d);
static const RegisteredKernel registered_max_pool2d_grad("max_pool2d_grad", prepare_max_pool2d_grad);

}  // namespace mpt::cpu
