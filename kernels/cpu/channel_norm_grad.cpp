// "channel_norm_grad" of device/attrs/norm.h. With d = x - mean, one pass gives the sums of dy and of dy * d per channel; dx is
// then dy * p + d * q + r with factors per channel.
#include "channel_norm.h"
#include "kernel.h"

namespace mpt::cpu {
namespace {

template <class C, int V>
inline void gradient_sums_block(const C *x, std::int64_t ldx, const C *dy, std::int64_t lddy, std::int64_t rows, const C *mean,
                                C *s1, C *s2) {
    using L = Lanes<C>;
    typename L::Vector m[V], a[V], b[V];
    for (int v = 0; v < V; v++) {
        m[v] = L::at(mean + v * L::count);
        a[v] = L::at(s1 + v * L::count);
        b[v] = L::at(s2 + v * L::count);
    }
    for (std::int64_t r = 0; r < rows; r++, x += ldx, dy += lddy) {
        for (int v = 0; v < V; v++) {
            const typename L::Vector g = L::at(dy + v * L::count);
            a[v] += g;
            b[v] += g * (L::at(x + v * L::count) - m[v]);
        }
    }
    for (int v = 0; v < V; v++) {
        reinterpret_cast<typename L::Unaligned &>(s1[v * L::count]) = a[v];
        reinterpret_cast<typename L::Unaligned &>(s2[v * L::count]) = b[v];
    }
}

// s1[j] += dy[r, j], s2[j] += dy[r, j] (x[r, j] - mean[j])
template <class C>
void gradient_sums(const C *x, std::int64_t ldx, const C *dy, std::int64_t lddy, std::int64_t rows, std::int64_t n, const C *mean,
                   C *s1, C *s2) {
    constexpr int kOne = Lanes<C>::count;
    for (std::int64_t first = 0; first < rows; first += kStrip, x += kStrip * ldx, dy += kStrip * lddy) {
        const std::int64_t strip = std::min(kStrip, rows - first);
        std::int64_t j = 0;
        for (; j + 2 * kOne <= n; j += 2 * kOne)
            gradient_sums_block<C, 2>(x + j, ldx, dy + j, lddy, strip, mean + j, s1 + j, s2 + j);
        for (; j + kOne <= n; j += kOne) gradient_sums_block<C, 1>(x + j, ldx, dy + j, lddy, strip, mean + j, s1 + j, s2 + j);
        for (std::int64_t r = 0; r < strip && j < n; r++) {
            for (std::int64_t i = j; i < n; i++) {
                s1[i] += dy[r * lddy + i];
                s2[i] += dy[r * lddy + i] * (x[r * ldx + i] - mean[i]);
            }
        }
    }
}

// Factors of dx; an element for each channel of a task.
template <class C>
struct Factors {
    const C *mean, *p, *q, *r;
};

template <class C>
void gradient(const C *x, std::int64_t ldx, const C *dy, std::int64_t lddy, C *dx, std::int64_t lddx, std::int64_t rows,
              std::int64_t n, const Factors<C> *f) {
    const C *mean = f->mean, *p = f->p, *q = f->q, *r = f->r;
    for (std::int64_t row = 0; row < rows; row++, x += ldx, dy += lddy, dx += lddx) {
        MPT_CPU_INDEPENDENT
        for (std::int64_t j = 0; j < n; j++) dx[j] = dy[j] * p[j] + ((x[j] - mean[j]) * q[j] + r[j]);
    }
}

template <class C>
class ChannelNormGrad final : public Kernel {
public:
    ChannelNormGrad(Pool &pool, const mpt_mod_call &call)
        : pool_(pool),
          at_(attrs_of<mpt_attrs_channel_norm>(call)),
          has_dx_(call.out[0].dtype != MPT_DTYPE_NONE),
          tiles_(has_dx_ ? ChannelTiles<C>(call.kernel, at_.per_image != 0, {&call.in[1], &call.in[0], &call.out[0]})
                         : ChannelTiles<C>(call.kernel, at_.per_image != 0, {&call.in[1], &call.in[0]})),
          s_(tiles_.space()),
          weight_(call.kernel, call.in[2], s_.channels),
          sums_(Versions<&gradient_sums<C>>::best()),
          gradient_(Versions<&gradient<C>>::best()) {
        for (int i = 0; i < 2; ++i) {
            const mpt_mod_operand &vector = call.out[1 + i];
            has_vector_[i] = vector.dtype != MPT_DTYPE_NONE;
            vector_stride_[i] = has_vector_[i] ? vector.strides[0] : 0;
        }
        needs_sums_ = has_vector_[0] || has_vector_[1] || !at_.given;
        per_group_ = at_.groups > 0 ? s_.channels / at_.groups : 0;
        const std::int64_t values = s_.items * s_.channels;
        vectors_ = aligned(s_.channels * 8);
        sums_bytes_ = aligned(2 * values * 8);
        coefficients_ = aligned(4 * values * static_cast<std::int64_t>(sizeof(C)));
        workspace_bytes = static_cast<std::size_t>(vectors_ + sums_bytes_ + coefficients_) +
                          (needs_sums_ ? static_cast<std::size_t>(ChannelSums<C>::size(s_)) * sizeof(C) : 0);
    }

    void launch(const void *const *in, void *const *out, void *workspace) override {
        auto *memory = static_cast<char *>(workspace);
        const std::int64_t channels = s_.channels, values = s_.items * channels;
        auto *weight = reinterpret_cast<double *>(memory), *of_channels = reinterpret_cast<double *>(memory + vectors_);
        auto *mean = reinterpret_cast<C *>(memory + vectors_ + sums_bytes_), *p = mean + values, *q = p + values, *r = q + values;
        const auto *means = static_cast<const C *>(in[3]), *rstds = static_cast<const C *>(in[4]);
        weight_.read(in[2], channels, 1, weight);
        for (std::int64_t i = 0; i < values; ++i) mean[i] = means[i / per_group_];
        if (needs_sums_) {
            const ChannelSums<C> sums(s_, reinterpret_cast<C *>(memory + vectors_ + sums_bytes_ + coefficients_));
            measure(in, mean, sums);
            combine(sums, of_channels, rstds);
            for (int i = 0; i < 2; ++i)
                if (has_vector_[i])
                    write_vector(static_cast<C *>(out[1 + i]), vector_stride_[i], of_channels + (i == 0 ? channels : 0));
        }
        if (!has_dx_) return;
        const auto count = static_cast<double>(per_group_ * s_.rows);
        each_group(pool_, s_.items, at_.groups, per_group_ * 4, [&](std::int64_t item, std::int64_t group) {
            const double rstd = rstds[item * at_.groups + group];
            const std::int64_t first = group * per_group_;
            double s1 = 0, s2 = 0;  // of the gradient behind the weight, and of that times the normalised x
            if (!at_.given) {
                const double *of_item = of_channels + item * 2 * channels;
                for (std::int64_t c = first; c < first + per_group_; ++c) {
                    s1 += weight[c] * of_item[c];
                    s2 += weight[c] * of_item[channels + c];
                }
            }
            for (std::int64_t c = first; c < first + per_group_; ++c) {
                const std::int64_t at = item * channels + c;
                p[at] = static_cast<C>(rstd * weight[c]);
                q[at] = static_cast<C>(at_.given ? 0 : -rstd * rstd * (s2 / count));
                r[at] = static_cast<C>(at_.given ? 0 : -rstd * (s1 / count));
            }
        });
        pool_.for_range(s_.tasks(), kGrain / s_.task_size() + 1, [&](std::int64_t begin, std::int64_t end) {
            alignas(64) C lanes[4][ChannelSpace::kLanes];
            for (std::int64_t i = begin; i < end; ++i) {
                const ChannelTask t = s_.task(i);
                const Factors<C> f{tiles_.spread(mean, t, lanes[0]), tiles_.spread(p, t, lanes[1]), tiles_.spread(q, t, lanes[2]),
                                   tiles_.spread(r, t, lanes[3])};
                tiles_.template visit<2, true>(
                    {in[1], in[0]}, out[0], t,
                    [&](const C *const *x, const std::int64_t *ld, C *dx, std::int64_t lddx, std::int64_t rows, std::int64_t n) {
                        gradient_(x[0], ld[0], x[1], ld[1], dx, lddx, rows, n, &f);
                    });
            }
        });
    }

    const char *name() const override { return s_.columns ? "cpu:channel_norm_columns" : "cpu:channel_norm_rows"; }

private:
    void measure(const void *const *in, const C *mean, const ChannelSums<C> &sums) const {
        pool_.for_range(s_.tasks(), kGrain / s_.task_size() + 1, [&](std::int64_t begin, std::int64_t end) {
            alignas(64) C lanes[3][ChannelSpace::kLanes];
            for (std::int64_t i = begin; i < end; ++i) {
                const ChannelTask t = s_.task(i);
                C *to[2] = {sums.at(t.item, t.chunk, 0, t.channel), sums.at(t.item, t.chunk, 1, t.channel)};
                C *s1 = s_.columns ? to[0] : lanes[1], *s2 = s_.columns ? to[1] : lanes[2];
                const std::int64_t used = s_.columns ? t.n : ChannelSpace::kLanes;
                std::fill_n(s1, used, C{0});
                std::fill_n(s2, used, C{0});
                const C *m = tiles_.spread(mean, t, lanes[0]);
                tiles_.template visit<2, false>({in[1], in[0]}, nullptr, t,
                                                [&](const C *const *x, const std::int64_t *ld, C *, std::int64_t, std::int64_t rows,
                                                    std::int64_t n) { sums_(x[0], ld[0], x[1], ld[1], rows, n, m, s1, s2); });
                if (s_.columns) continue;
                tiles_.fold(s1);
                tiles_.fold(s2);
                *to[0] = *s1;
                *to[1] = *s2;
            }
        });
    }

    // Each item's channels: the sum of dy, and of dy times the normalised x, [item][2][channel].
    void combine(const ChannelSums<C> &sums, double *to, const C *rstds) const {
        each_combined(pool_, s_, [&](std::int64_t item, std::int64_t channel, std::int64_t n) {
            double total[2][kCombined] = {};
            for (std::int64_t k = 0; k < s_.chunks; ++k)
                for (int i = 0; i < 2; ++i) {
                    const C *from = sums.at(item, k, i, channel);
                    for (std::int64_t j = 0; j < n; ++j) total[i][j] += from[j];
                }
            double *at = to + item * 2 * s_.channels + channel;
            for (std::int64_t j = 0; j < n; ++j) {
                at[j] = total[0][j];
                at[s_.channels + j] = total[1][j] * rstds[item * at_.groups + (channel + j) / per_group_];
            }
        });
    }

    void write_vector(C *to, std::int64_t stride, const double *sums) const {
        for (std::int64_t c = 0; c < s_.channels; ++c) {
            double total = 0;
            for (std::int64_t item = 0; item < s_.items; ++item) total += sums[item * 2 * s_.channels + c];
            to[c * stride] = static_cast<C>(total);
        }
    }

    Pool &pool_;
    mpt_attrs_channel_norm at_;
    bool has_dx_;
    ChannelTiles<C> tiles_;
    const ChannelSpace &s_;
    ChannelVector weight_;
    void (*sums_)(const C *, std::int64_t, const C *, std::int64_t, std::int64_t, std::int64_t, const C *, C *, C *);
    void (*gradient_)(const C *, std::int64_t, const C *, std::int64_t, C *, std::int64_t, std::int64_t, std::int64_t,
                      const Factors<C> *);
    bool has_vector_[2], needs_sums_;
    std::int64_t vector_stride_[2], per_group_, vectors_, sums_bytes_, coefficients_;
};

}  // namespace

static std::unique_ptr<Kernel> prepare_channel_norm_grad(Pool &pool, const mpt_mod_call &call) {
    if (call.in[0].dtype == MPT_F64) return std::make_unique<ChannelNormGrad<double>>(pool, call);
    return std::make_unique<ChannelNormGrad<float>>(pool, call);
}

static const RegisteredKernel registered_channel_norm_grad("channel_norm_grad", prepare_channel_norm_grad);

}  // namespace mpt::cpu
