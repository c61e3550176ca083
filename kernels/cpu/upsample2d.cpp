// "upsample2d" and "upsample2d_grad" of device/attrs/upsample.h.
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>

#include "device/attrs/upsample.h"
#include "isa.h"
#include "pool_rows.h"

namespace mpt::cpu {
namespace {

// What an output element is made of along one dimension: from[0] * weight[0] + from[1] * weight[1]; a weight of 0 is not read.
template <class T>
struct Mix {
    std::int64_t from[2];
    T weight[2];
};

template <class T>
std::vector<Mix<T>> mixes_of(std::int64_t mode, std::int64_t in, std::int64_t out) {
    std::vector<Mix<T>> mixes;
    for (std::int64_t i = 0; i < out; ++i) {
        if (mode == MPT_UPSAMPLE_NEAREST) {
            const auto at = static_cast<std::int64_t>(static_cast<__int128>(i) * in / out);
            mixes.push_back({{at, at}, {1, 0}});
            continue;
        }
        const double position =
            std::max((static_cast<double>(i) + 0.5) * static_cast<double>(in) / static_cast<double>(out) - 0.5, 0.0);
        const std::int64_t at = std::min(static_cast<std::int64_t>(position), in - 1), next = std::min(at + 1, in - 1);
        const double weight = next == at ? 0 : position - static_cast<double>(at);
        mixes.push_back({{at, next}, {static_cast<T>(1 - weight), static_cast<T>(weight)}});
    }
    return mixes;
}

template <class T>
struct Geometry {
    std::int64_t channels, height, out_height, out_width;
    std::vector<Mix<T>> down, across;
};

template <class T>
Geometry<T> geometry(const mpt_mod_call &call, const mpt_mod_operand &x, const mpt_mod_operand &y) {
    const std::int64_t mode = attrs_of<mpt_attrs_upsample2d>(call).mode;
    if (mode != MPT_UPSAMPLE_NEAREST && mode != MPT_UPSAMPLE_BILINEAR)
        throw Failure{MPT_ERROR_UNSUPPORTED, "upsample2d: mode " + std::to_string(mode) + " is unknown"};
    return {x.shape[1],
            x.shape[2],
            y.shape[2],
            y.shape[3],
            mixes_of<T>(mode, x.shape[2], y.shape[2]),
            mixes_of<T>(mode, x.shape[3], y.shape[3])};
}

// y (first: =, else +=) weight * x along the width.
template <class T>
void mix_row(const Geometry<T> *g, const T *x, T weight, bool first, T *y) {
    for (std::int64_t j = 0; j < g->out_width; ++j) {
        const Mix<T> &mix = g->across[static_cast<std::size_t>(j)];
        const T *a = x + mix.from[0] * g->channels, *b = x + mix.from[1] * g->channels;
        const T wa = mix.weight[0], wb = mix.weight[1];
        T *to = y + j * g->channels;
        for (std::int64_t c = 0; c < g->channels; ++c) {
            const T value = weight * (wb == 0 ? a[c] * wa : a[c] * wa + b[c] * wb);
            to[c] = first ? value : to[c] + value;
        }
    }
}

// dx += weight * (the share of each element in dy).
template <class T>
void unmix_row(const Geometry<T> *g, const T *dy, T weight, T *dx) {
    for (std::int64_t j = 0; j < g->out_width; ++j) {
        const Mix<T> &mix = g->across[static_cast<std::size_t>(j)];
        const T *from = dy + j * g->channels;
        for (int k = 0; k < 2; ++k) {
            if (mix.weight[k] == 0) continue;
            const T share = weight * mix.weight[k];
            T *to = dx + mix.from[k] * g->channels;
            for (std::int64_t c = 0; c < g->channels; ++c) to[c] += from[c] * share;
        }
    }
}

template <class T>
class Upsample final : public ImageRows {
public:
    Upsample(Pool &pool, const mpt_mod_call &call)
        : ImageRows(pool), g_(geometry<T>(call, call.in[0], call.out[0])), x_(call.in[0]), y_(call.out[0]) {
        in_row_ = round_up_bytes(x_.row_length * sizeof(T));
        set_work(call.in[0].shape[0] * g_.out_height, x_.row_length + y_.row_length,
                 in_row_ + round_up_bytes(y_.row_length * sizeof(T)));
    }

    const char *name() const override { return "cpu:upsample2d"; }

protected:
    void rows(std::int64_t begin, std::int64_t end, const void *const *in, void *const *out, char *scratch) const override {
        T *x_scratch = reinterpret_cast<T *>(scratch), *y_scratch = reinterpret_cast<T *>(scratch + in_row_);
        for (std::int64_t r = begin; r < end; ++r) {
            const std::int64_t n = r / g_.out_height, i = r % g_.out_height;
            const Mix<T> &mix = g_.down[static_cast<std::size_t>(i)];
            T *y = y_.target(out[0], n, i, y_scratch);
            bool first = true;
            for (int k = 0; k < 2; ++k) {
                if (mix.weight[k] == 0) continue;
                mix_row_(&g_, x_.read(in[0], n, mix.from[k], x_scratch), mix.weight[k], first, y);
                first = false;
            }
            y_.write(out[0], n, i, y_scratch);
        }
    }

private:
    Geometry<T> g_;
    RowView<T> x_, y_;
    void (*mix_row_)(const Geometry<T> *, const T *, T, bool, T *) = Versions<&mix_row<T>>::best();
    std::int64_t in_row_;
};

// Each row of dx gathers from the rows of dy that it has a share in, in ascending order: no element is written by two threads.
template <class T>
class UpsampleGrad final : public ImageRows {
public:
    UpsampleGrad(Pool &pool, const mpt_mod_call &call)
        : ImageRows(pool), g_(geometry<T>(call, call.out[0], call.in[0])), dy_(call.in[0]), dx_(call.out[0]) {
        std::vector<Window> windows;
        for (const Mix<T> &mix : g_.down) windows.push_back({mix.from[0], mix.from[0], mix.from[1] + 1});
        readers_ = readers_of(windows, g_.height);
        dx_row_ = round_up_bytes(dx_.row_length * sizeof(T));
        set_work(call.out[0].shape[0] * g_.height, dx_.row_length + dy_.row_length,
                 dx_row_ + round_up_bytes(dy_.row_length * sizeof(T)));
    }

    const char *name() const override { return "cpu:upsample2d"; }

protected:
    void rows(std::int64_t begin, std::int64_t end, const void *const *in, void *const *out, char *scratch) const override {
        T *dx_scratch = reinterpret_cast<T *>(scratch), *dy_scratch = reinterpret_cast<T *>(scratch + dx_row_);
        for (std::int64_t r = begin; r < end; ++r) {
            const std::int64_t n = r / g_.height, h = r % g_.height;
            T *dx = dx_.target(out[0], n, h, dx_scratch);
            std::fill_n(dx, dx_.row_length, T{0});
            const Readers &readers = readers_[static_cast<std::size_t>(h)];
            for (std::int64_t i = readers.begin; i < readers.end; ++i) {
                const Mix<T> &mix = g_.down[static_cast<std::size_t>(i)];
                for (int k = 0; k < 2; ++k)
                    if (mix.from[k] == h && mix.weight[k] != 0)
                        unmix_row_(&g_, dy_.read(in[0], n, i, dy_scratch), mix.weight[k], dx);
            }
            dx_.write(out[0], n, h, dx_scratch);
        }
    }

private:
    Geometry<T> g_;
    std::vector<Readers> readers_;
    RowView<T> dy_, dx_;
    void (*unmix_row_)(const Geometry<T> *, const T *, T, T *) = Versions<&unmix_row<T>>::best();
    std::int64_t dx_row_;
};

template <template <class> class K>
std::unique_ptr<Kernel> prepare(Pool &pool, const mpt_mod_call &call) {
    require_float(call, call.in[0]);
    if (call.in[0].dtype == MPT_F64) return std::make_unique<K<double>>(pool, call);
    return std::make_unique<K<float>>(pool, call);
}

}  // namespace

static std::unique_ptr<Kernel> prepare_upsample2d(Pool &pool, const mpt_mod_call &call) {
    return prepare<Upsample>(pool, call);
}
static std::unique_ptr<Kernel> prepare_upsample2d_grad(Pool &pool, const mpt_mod_call &call) {
    return prepare<UpsampleGrad>(pool, call);
}

static const RegisteredKernel registered_upsample2d("upsample2d", prepare_upsample2d);
static const RegisteredKernel registered_upsample2d_grad("upsample2d_grad", prepare_upsample2d_grad);

}  // namespace mpt::cpu
