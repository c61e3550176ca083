// "channel_norm" of device/attrs/norm.h. One pass over x gives each chunk's mean and sum of squared distances from it, around the
// chunk's first element, so that a large mean costs no digits; chunks, channels of a group and images are combined in f64
// [Chan et al. 1979]. A second pass writes y.
#include "channel_norm.h"

#include <cmath>

#include "kernel.h"

namespace mpt::cpu {
namespace {

template <class C, int V>
inline void moments_block(const C *x, std::int64_t ld, std::int64_t rows, const C *shift, C *s1, C *s2) {
    using L = Lanes<C>;
    typename L::Vector m[V], a[V], b[V];
    for (int v = 0; v < V; v++) {
        m[v] = L::at(shift + v * L::count);
        a[v] = L::at(s1 + v * L::count);
        b[v] = L::at(s2 + v * L::count);
    }
    for (std::int64_t r = 0; r < rows; r++, x += ld) {
        for (int v = 0; v < V; v++) {
            const typename L::Vector d = L::at(x + v * L::count) - m[v];
            a[v] += d;
            b[v] += d * d;
        }
    }
    for (int v = 0; v < V; v++) {
        reinterpret_cast<typename L::Unaligned &>(s1[v * L::count]) = a[v];
        reinterpret_cast<typename L::Unaligned &>(s2[v * L::count]) = b[v];
    }
}

// s1[j] += x[r, j] - shift[j], s2[j] += (x[r, j] - shift[j])^2
template <class C>
void moments(const C *x, std::int64_t ld, std::int64_t rows, std::int64_t n, const C *shift, C *s1, C *s2) {
    constexpr int kOne = Lanes<C>::count;
    for (std::int64_t first = 0; first < rows; first += kStrip, x += kStrip * ld) {
        const std::int64_t strip = std::min(kStrip, rows - first);
        std::int64_t j = 0;
        for (; j + 2 * kOne <= n; j += 2 * kOne) moments_block<C, 2>(x + j, ld, strip, shift + j, s1 + j, s2 + j);
        for (; j + kOne <= n; j += kOne) moments_block<C, 1>(x + j, ld, strip, shift + j, s1 + j, s2 + j);
        for (std::int64_t r = 0; r < strip && j < n; r++) {
            for (std::int64_t i = j; i < n; i++) {
                const C d = x[r * ld + i] - shift[i];
                s1[i] += d;
                s2[i] += d * d;
            }
        }
    }
}

template <class C>
void normalize(const C *x, std::int64_t ld, C *y, std::int64_t ldy, std::int64_t rows, std::int64_t n, const C *mean,
               const C *scale, const C *shift) {
    for (std::int64_t r = 0; r < rows; r++, x += ld, y += ldy) {
        MPT_CPU_INDEPENDENT
        for (std::int64_t j = 0; j < n; j++) y[j] = (x[j] - mean[j]) * scale[j] + shift[j];
    }
}

template <class C>
class ChannelNorm final : public Kernel {
public:
    ChannelNorm(Pool &pool, const mpt_mod_call &call)
        : pool_(pool),
          at_(attrs_of<mpt_attrs_channel_norm>(call)),
          tiles_(call.kernel, at_.per_image != 0, {&call.in[0], &call.out[0]}),
          s_(tiles_.space()),
          weight_(call.kernel, call.in[1], s_.channels),
          bias_(call.kernel, call.in[2], s_.channels),
          moments_(Versions<&moments<C>>::best()),
          normalize_(Versions<&normalize<C>>::best()) {
        given_mean_ = ChannelVector(call.kernel, call.in[3], s_.channels);
        given_variance_ = ChannelVector(call.kernel, call.in[4], s_.channels);
        for (int i = 0; i < 2; ++i) {
            const mpt_mod_operand &running = call.out[3 + i];
            running_stride_[i] = running.dtype == MPT_DTYPE_NONE ? 0 : running.strides[0];
        }
        per_group_ = at_.groups > 0 ? s_.channels / at_.groups : 0;
        const std::int64_t values = s_.items * s_.channels;
        vectors_ = aligned(4 * s_.channels * 8);
        moments_bytes_ = aligned(2 * values * 8);
        coefficients_ = aligned(3 * values * static_cast<std::int64_t>(sizeof(C)));
        workspace_bytes = static_cast<std::size_t>(vectors_ + moments_bytes_ + coefficients_) +
                          (given_mean_.present() ? 0 : static_cast<std::size_t>(ChannelSums<double>::size(s_)) * sizeof(double));
    }

    void launch(const void *const *in, void *const *out, void *workspace) override {
        auto *memory = static_cast<char *>(workspace);
        const std::int64_t channels = s_.channels, values = s_.items * channels;
        auto *weight = reinterpret_cast<double *>(memory), *bias = weight + channels, *given = bias + channels;
        auto *of_channels = reinterpret_cast<double *>(memory + vectors_);
        auto *mean = reinterpret_cast<C *>(memory + vectors_ + moments_bytes_), *scale = mean + values, *shift = scale + values;
        weight_.read(in[1], channels, 1, weight);
        bias_.read(in[2], channels, 0, bias);
        if (given_mean_.present()) {
            given_mean_.read(in[3], channels, 0, given);
            given_variance_.read(in[4], channels, 0, given + channels);
        } else {
            const ChannelSums<double> sums(s_, reinterpret_cast<double *>(memory + vectors_ + moments_bytes_ + coefficients_));
            measure(in[0], sums);
            combine(sums, of_channels);
        }
        each_group(pool_, s_.items, at_.groups, per_group_ * 4, [&](std::int64_t item, std::int64_t group) {
            const std::int64_t first = group * per_group_, statistic = item * at_.groups + group;
            double center, variance;
            if (given_mean_.present()) {
                center = given[first];
                variance = given[channels + first];
            } else {
                statistics(of_channels + item * 2 * channels + first, center, variance);
                if (out[3]) run_on(out, first, center, variance);
            }
            const double rstd = 1 / std::sqrt(variance + at_.eps);
            const C rounded = static_cast<C>(center);
            static_cast<C *>(out[1])[statistic] = rounded;
            static_cast<C *>(out[2])[statistic] = static_cast<C>(rstd);
            for (std::int64_t c = first; c < first + per_group_; ++c) {
                const std::int64_t at = item * channels + c;
                mean[at] = rounded;
                scale[at] = static_cast<C>(rstd * weight[c]);
                // What rounding took from the mean.
                const double lost = rounded - center;
                shift[at] = static_cast<C>(lost == lost ? bias[c] + lost * rstd * weight[c] : bias[c]);
            }
        });
        pool_.for_range(s_.tasks(), kGrain / s_.task_size() + 1, [&](std::int64_t begin, std::int64_t end) {
            alignas(64) C lanes[3][ChannelSpace::kLanes];
            for (std::int64_t i = begin; i < end; ++i) {
                const ChannelTask t = s_.task(i);
                const C *m = tiles_.spread(mean, t, lanes[0]), *a = tiles_.spread(scale, t, lanes[1]),
                        *b = tiles_.spread(shift, t, lanes[2]);
                tiles_.template visit<1, true>(
                    {in[0]}, out[0], t,
                    [&](const C *const *x, const std::int64_t *ld, C *y, std::int64_t ldy, std::int64_t rows, std::int64_t n) {
                        normalize_(x[0], ld[0], y, ldy, rows, n, m, a, b);
                    });
            }
        });
    }

    const char *name() const override { return s_.columns ? "cpu:channel_norm_columns" : "cpu:channel_norm_rows"; }

private:
    void measure(const void *from, const ChannelSums<double> &sums) const {
        pool_.for_range(s_.tasks(), kGrain / s_.task_size() + 1, [&](std::int64_t begin, std::int64_t end) {
            constexpr std::int64_t kMost = std::max(ChannelSpace::kWidth, ChannelSpace::kLanes);
            alignas(64) C shift[kMost], s1[kMost], s2[kMost];
            for (std::int64_t i = begin; i < end; ++i) {
                const ChannelTask t = s_.task(i);
                const std::int64_t sums_used = s_.columns ? t.n : ChannelSpace::kLanes;
                std::fill_n(s1, sums_used, C{0});
                std::fill_n(s2, sums_used, C{0});
                bool first = true;
                tiles_.template visit<1, false>(
                    {from}, nullptr, t,
                    [&](const C *const *x, const std::int64_t *ld, C *, std::int64_t, std::int64_t rows, std::int64_t n) {
                        if (first && s_.columns)
                            std::copy_n(x[0], n, shift);
                        else if (first)
                            std::fill_n(shift, ChannelSpace::kLanes, x[0][0]);
                        first = false;
                        moments_(x[0], ld[0], rows, n, shift, s1, s2);
                    });
                tiles_.fold(s1);
                tiles_.fold(s2);
                const auto rows = static_cast<double>(s_.rows_of(t.chunk));
                double *means = sums.at(t.item, t.chunk, 0, t.channel), *squares = sums.at(t.item, t.chunk, 1, t.channel);
                for (std::int64_t j = 0; j < t.n; ++j) {
                    const double apart = s1[j] / rows, rest = s2[j] - s1[j] * apart;
                    means[j] = shift[j] + apart;  // in f64: f32 would round a large one
                    squares[j] = rest < 0 ? 0 : rest;
                }
            }
        });
    }

    // Each item's channels: mean and sum of squares, [item][2][channel].
    void combine(const ChannelSums<double> &sums, double *to) const {
        each_combined(pool_, s_, [&](std::int64_t item, std::int64_t channel, std::int64_t n) {
            double mean[kCombined] = {}, squares[kCombined] = {};
            for (std::int64_t k = 0; k < s_.chunks; ++k) {
                const auto rows = static_cast<double>(s_.rows_of(k));
                const double *means = sums.at(item, k, 0, channel);
                for (std::int64_t j = 0; j < n; ++j) mean[j] += rows * means[j];
            }
            for (std::int64_t j = 0; j < n; ++j) mean[j] /= static_cast<double>(std::max<std::int64_t>(s_.rows, 1));
            for (std::int64_t k = 0; k < s_.chunks; ++k) {
                const auto rows = static_cast<double>(s_.rows_of(k));
                const double *means = sums.at(item, k, 0, channel), *chunk_squares = sums.at(item, k, 1, channel);
                for (std::int64_t j = 0; j < n; ++j) {
                    const double apart = means[j] - mean[j];
                    squares[j] += chunk_squares[j] + rows * apart * apart;
                }
            }
            double *at = to + item * 2 * s_.channels + channel;
            std::copy_n(mean, n, at);
            std::copy_n(squares, n, at + s_.channels);
        });
    }

    // Of a group of channels.
    void statistics(const double *of_channels, double &mean, double &variance) const {
        mean = 0;
        double squares = 0;
        for (std::int64_t c = 0; c < per_group_; ++c) mean += of_channels[c];
        mean /= static_cast<double>(per_group_);
        for (std::int64_t c = 0; c < per_group_; ++c) {
            const double apart = of_channels[c] - mean;
            squares += of_channels[s_.channels + c] + static_cast<double>(s_.rows) * apart * apart;
        }
        const auto count = static_cast<double>(per_group_ * s_.rows);
        variance = count > 0 ? squares / count : 0;
    }

    void run_on(void *const *out, std::int64_t channel, double mean, double variance) const {
        const auto count = static_cast<double>(s_.rows);
        const double batch[2] = {mean, variance * count / (count - 1)};
        for (int i = 0; i < 2; ++i) {
            C &running = static_cast<C *>(out[3 + i])[channel * running_stride_[i]];
            running = static_cast<C>((1 - at_.momentum) * running + at_.momentum * batch[i]);
        }
    }

    Pool &pool_;
    mpt_attrs_channel_norm at_;
    ChannelTiles<C> tiles_;
    const ChannelSpace &s_;
    ChannelVector weight_, bias_, given_mean_, given_variance_;
    void (*moments_)(const C *, std::int64_t, std::int64_t, std::int64_t, const C *, C *, C *);
    void (*normalize_)(const C *, std::int64_t, C *, std::int64_t, std::int64_t, std::int64_t, const C *, const C *, const C *);
    std::int64_t running_stride_[2], per_group_, vectors_, moments_bytes_, coefficients_;
};

}  // namespace

static std::unique_ptr<Kernel> prepare_channel_norm(Pool &pool, const mpt_mod_call &call) {
    if (call.in[0].dtype == MPT_F64) return std::make_unique<ChannelNorm<double>>(pool, call);
    return std::make_unique<ChannelNorm<float>>(pool, call);
}

static const RegisteredKernel registered_channel_norm("channel_norm", prepare_channel_norm);

}  // namespace mpt::cpu
