// "avg_pool2d" and "avg_pool2d_grad" of device/attrs/pool.h.
#include <cstdint>
#include <memory>

#include "isa.h"
#include "pool_rows.h"

namespace mpt::cpu {
namespace {

struct Geometry {
    std::int64_t channels, out_width, height, out_height;
    std::int64_t elements;  // of a window, 0: those inside the image
    std::vector<Window> down, across;

    double share(std::int64_t i, std::int64_t j) const {
        const Window &v = down[static_cast<std::size_t>(i)], &u = across[static_cast<std::size_t>(j)];
        return 1.0 / static_cast<double>(elements ? elements : (v.end - v.begin) * (u.end - u.begin));
    }
};

Geometry geometry(const mpt_mod_call &call, const mpt_mod_operand &x, const mpt_mod_operand &y) {
    const auto &at = attrs_of<mpt_attrs_pool2d>(call);
    return {x.shape[1],
            y.shape[3],
            x.shape[2],
            y.shape[2],
            at.adaptive || at.exclude_padding ? 0 : std::int64_t{at.kernel[0]} * at.kernel[1],
            windows_of(at, 0, x.shape[2], y.shape[2]),
            windows_of(at, 1, x.shape[3], y.shape[3])};
}

constexpr std::int64_t kLanes = 64;  // channels that are added up together

// Adds an input row to the sums of an output row.
template <class T>
void sum_row(const Geometry *g, const T *x, T *y) {
    for (std::int64_t j = 0; j < g->out_width; ++j) {
        const Window &window = g->across[static_cast<std::size_t>(j)];
        T *to = y + j * g->channels;
        std::int64_t c0 = 0;
        for (; c0 + kLanes <= g->channels; c0 += kLanes) {
            T sum[kLanes] = {};
            for (std::int64_t w = window.begin; w < window.end; ++w)
                for (std::int64_t c = 0; c < kLanes; ++c) sum[c] += x[w * g->channels + c0 + c];
            for (std::int64_t c = 0; c < kLanes; ++c) to[c0 + c] += sum[c];
        }
        if (c0 == g->channels) continue;
        T sum[kLanes] = {};
        const std::int64_t rest = g->channels - c0;
        for (std::int64_t w = window.begin; w < window.end; ++w)
            for (std::int64_t c = 0; c < rest; ++c) sum[c] += x[w * g->channels + c0 + c];
        for (std::int64_t c = 0; c < rest; ++c) to[c0 + c] += sum[c];
    }
}

template <class T>
void scale_row(const Geometry *g, std::int64_t i, T *y) {
    for (std::int64_t j = 0; j < g->out_width; ++j) {
        const T share = static_cast<T>(g->share(i, j));
        T *to = y + j * g->channels;
        for (std::int64_t c = 0; c < g->channels; ++c) to[c] *= share;
    }
}

// Adds to one row of dx what output row i passes back.
template <class T>
void spread_row(const Geometry *g, std::int64_t i, const T *dy, T *dx) {
    for (std::int64_t j = 0; j < g->out_width; ++j) {
        const Window &window = g->across[static_cast<std::size_t>(j)];
        const T share = static_cast<T>(g->share(i, j));
        const T *from = dy + j * g->channels;
        for (std::int64_t w = window.begin; w < window.end; ++w) {
            T *to = dx + w * g->channels;
            for (std::int64_t c = 0; c < g->channels; ++c) to[c] += from[c] * share;
        }
    }
}

template <class T>
class AvgPool final : public ImageRows {
public:
    AvgPool(Pool &pool, const mpt_mod_call &call)
        : ImageRows(pool), g_(geometry(call, call.in[0], call.out[0])), x_(call.in[0]), y_(call.out[0]) {
        in_row_ = round_up_bytes(x_.row_length * sizeof(T));
        std::int64_t taps = 0;
        for (const Window &w : g_.down) taps = std::max(taps, w.end - w.begin);
        set_work(call.in[0].shape[0] * g_.out_height, taps * x_.row_length, in_row_ + round_up_bytes(y_.row_length * sizeof(T)));
    }

    const char *name() const override { return "cpu:avg_pool2d"; }

protected:
    void rows(std::int64_t begin, std::int64_t end, const void *const *in, void *const *out, char *scratch) const override {
        T *x_scratch = reinterpret_cast<T *>(scratch), *y_scratch = reinterpret_cast<T *>(scratch + in_row_);
        for (std::int64_t r = begin; r < end; ++r) {
            const std::int64_t n = r / g_.out_height, i = r % g_.out_height;
            const Window &window = g_.down[static_cast<std::size_t>(i)];
            T *y = y_.target(out[0], n, i, y_scratch);
            std::fill_n(y, y_.row_length, T{0});
            for (std::int64_t h = window.begin; h < window.end; ++h) sum_row_(&g_, x_.read(in[0], n, h, x_scratch), y);
            scale_row_(&g_, i, y);
            y_.write(out[0], n, i, y_scratch);
        }
    }

private:
    Geometry g_;
    RowView<T> x_, y_;
    void (*sum_row_)(const Geometry *, const T *, T *) = Versions<&sum_row<T>>::best();
    void (*scale_row_)(const Geometry *, std::int64_t, T *) = Versions<&scale_row<T>>::best();
    std::int64_t in_row_;
};

// Each row of dx gathers from the output rows whose windows meet it, in ascending order: no element is written by two threads.
template <class T>
class AvgPoolGrad final : public ImageRows {
public:
    AvgPoolGrad(Pool &pool, const mpt_mod_call &call)
        : ImageRows(pool),
          g_(geometry(call, call.out[0], call.in[0])),
          readers_(readers_of(g_.down, g_.height)),
          dy_(call.in[0]),
          dx_(call.out[0]) {
        dx_row_ = round_up_bytes(dx_.row_length * sizeof(T));
        set_work(call.out[0].shape[0] * g_.height, dx_.row_length, dx_row_ + round_up_bytes(dy_.row_length * sizeof(T)));
    }

    const char *name() const override { return "cpu:avg_pool2d"; }

protected:
    void rows(std::int64_t begin, std::int64_t end, const void *const *in, void *const *out, char *scratch) const override {
        T *dx_scratch = reinterpret_cast<T *>(scratch), *dy_scratch = reinterpret_cast<T *>(scratch + dx_row_);
        for (std::int64_t r = begin; r < end; ++r) {
            const std::int64_t n = r / g_.height, h = r % g_.height;
            T *dx = dx_.target(out[0], n, h, dx_scratch);
            std::fill_n(dx, dx_.row_length, T{0});
            const Readers &readers = readers_[static_cast<std::size_t>(h)];
            for (std::int64_t i = readers.begin; i < readers.end; ++i) spread_row_(&g_, i, dy_.read(in[0], n, i, dy_scratch), dx);
            dx_.write(out[0], n, h, dx_scratch);
        }
    }

private:
    Geometry g_;
    std::vector<Readers> readers_;
    RowView<T> dy_, dx_;
    void (*spread_row_)(const Geometry *, std::int64_t, const T *, T *) = Versions<&spread_row<T>>::best();
    std::int64_t dx_row_;
};

template <template <class> class K>
std::unique_ptr<Kernel> prepare(Pool &pool, const mpt_mod_call &call) {
    require_float(call, call.in[0]);
    if (call.in[0].dtype == MPT_F64) return std::make_unique<K<double>>(pool, call);
    return std::make_unique<K<float>>(pool, call);
}

}  // namespace

static std::unique_ptr<Kernel> prepare_avg_pool2d(Pool &pool, const mpt_mod_call &call) {
    return prepare<AvgPool>(pool, call);
}
static std::unique_ptr<Kernel> prepare_avg_pool2d_grad(Pool &pool, const mpt_mod_call &call) {
    return prepare<AvgPoolGrad>(pool, call);
}

static const RegisteredKernel registered_avg_pool2d("avg_pool2d", prepare_avg_pool2d);
static const RegisteredKernel registered_avg_pool2d_grad("avg_pool2d_grad", prepare_avg_pool2d_grad);

}  // namespace mpt::cpu
