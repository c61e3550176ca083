// "row_norm_grad" of device/attrs/norm.h. Rows are taken in chunks of a number that depends on the shape alone; each has its own
// sums for dweight and dbias, which are then added in order.
#include "kernel.h"
#include "row_norm.h"
#include "sums.h"

namespace mpt::cpu {
namespace {

// With g = dy * weight: the sum of g; products: of g * (x - mean).
template <class C>
C gradient_sums_run(const C *dy, const C *x, const C *weight, std::int64_t n, C mean, C *products) {
    using L = Lanes<C>;
    typename L::Vector a{}, b{}, c{}, d{};
    std::int64_t i = 0;
    for (; i + 2 * L::count <= n; i += 2 * L::count) {
        const typename L::Vector u = L::at(dy + i) * L::at(weight + i), v = L::at(dy + i + L::count) * L::at(weight + i + L::count);
        a += u;
        b += v;
        c += u * (L::at(x + i) - mean);
        d += v * (L::at(x + i + L::count) - mean);
    }
    C tail = 0, product_tail = 0;
    for (; i < n; i++) {
        const C u = dy[i] * weight[i];
        tail += u;
        product_tail += u * (x[i] - mean);
    }
    *products = L::sum(c + d) + product_tail;
    return L::sum(a + b) + tail;
}

template <class C>
struct RowFactors {
    C mean, rstd, q, r;  // dx = rstd * g + (x - mean) * q + r
};

template <class C>
void gradient_run(const C *dy, const C *x, const C *weight, C *dx, std::int64_t n, const RowFactors<C> *f) {
    const C mean = f->mean, rstd = f->rstd, q = f->q, r = f->r;
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < n; i++) dx[i] = dy[i] * weight[i] * rstd + ((x[i] - mean) * q + r);
}

template <class C>
void add_vectors_run(const C *dy, const C *x, C *dweight, C *dbias, std::int64_t n, const RowFactors<C> *f) {
    const C mean = f->mean, rstd = f->rstd;
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < n; i++) {
        dweight[i] += dy[i] * ((x[i] - mean) * rstd);
        dbias[i] += dy[i];
    }
}

template <class C>
class RowNormGrad final : public Kernel {
public:
    RowNormGrad(Pool &pool, const mpt_mod_call &call)
        : pool_(pool),
          at_(attrs_of<mpt_attrs_row_norm>(call)),
          has_dx_(call.out[0].dtype != MPT_DTYPE_NONE),
          dy_(call.kernel, call.in[0]),
          x_(call.kernel, call.in[1]),
          dx_(call.kernel, has_dx_ ? call.out[0] : call.in[1]),
          n_(row_length(call.in[1])),
          weight_(call.kernel, call.in[2], n_) {
        const mpt_mod_operand dy = row_starts(call.in[0]), x = row_starts(call.in[1]), dx = has_dx_ ? row_starts(call.out[0]) : x;
        loop_ = Loop(call.kernel, {&call.in[4], &x, &dy, &dx});
        for (int i = 0; i < 2; ++i) {
            const mpt_mod_operand &vector = call.out[1 + i];
            has_vector_[i] = vector.dtype != MPT_DTYPE_NONE;
            vector_stride_[i] = has_vector_[i] ? vector.strides[0] : 0;
        }
        chunk_ = std::clamp<std::int64_t>(32768 / std::max<std::int64_t>(n_, 1), 16, 128);
        chunks_ = (loop_.count + chunk_ - 1) / chunk_;
        workspace_bytes = static_cast<std::size_t>(n_) * sizeof(C);
        if (has_vectors()) workspace_bytes += static_cast<std::size_t>(2 * chunks_ * n_) * sizeof(C);
    }

    void launch(const void *const *in, void *const *out, void *workspace) override {
        auto *copy = static_cast<C *>(workspace), *sums = copy + n_;  // [chunk][2][n]
        const C *weight = weight_.read(in[2], 1, copy);
        pool_.for_range(chunks_, kGrain / 4 / std::max<std::int64_t>(chunk_ * n_, 1) + 1,
                        [&](std::int64_t begin, std::int64_t end) {
                            Rows rows{dy_.reader(), x_.reader()};
                            for (std::int64_t k = begin; k < end; k++) {
                                C *vectors = has_vectors() ? sums + k * 2 * n_ : nullptr;
                                if (vectors) std::fill_n(vectors, 2 * n_, C{0});
                                for (std::int64_t r = k * chunk_; r < std::min((k + 1) * chunk_, loop_.count); r++)
                                    row(rows, r, in, out, weight, vectors);
                            }
                        });
        for (int i = 0; i < 2; ++i)
            if (has_vector_[i]) combine(sums + i * n_, static_cast<C *>(out[1 + i]), vector_stride_[i]);
    }

    const char *name() const override { return "cpu:row_norm"; }

private:
    struct Rows {
        RowReader<C> dy, x;
        alignas(64) C buffer[kRowTile] = {};
    };

    bool has_vectors() const { return has_vector_[0] || has_vector_[1]; }

    void row(Rows &rows, std::int64_t r, const void *const *in, void *const *out, const C *weight, C *vectors) const {
        std::int64_t offset[Loop::kOperands];
        locate_row(loop_, r, offset);
        rows.x.start(x_.at(in[1], offset[1]));
        rows.dy.start(dy_.at(in[0], offset[2]));
        const double rstd = static_cast<const C *>(in[4])[offset[0]], count = static_cast<double>(n_);
        RowFactors<C> f{in[3] ? static_cast<const C *>(in[3])[offset[0]] : C{0}, static_cast<C>(rstd), 0, 0};
        if (has_dx_) {
            double first = 0, second = 0;
            each_tile(n_, [&](std::int64_t i, std::int64_t length) {
                C products;
                first += sums_(rows.dy.tile(i, length), rows.x.tile(i, length), weight + i, length, f.mean, &products);
                second += products;
            });
            f.q = static_cast<C>(-rstd * rstd * rstd * (second / count));
            f.r = static_cast<C>(at_.rms ? 0 : -rstd * (first / count));
        }
        std::byte *dx = has_dx_ ? dx_.at(out[0], offset[3]) : nullptr;
        each_tile(n_, [&](std::int64_t i, std::int64_t length) {
            const C *g = rows.dy.tile(i, length), *x = rows.x.tile(i, length);
            if (dx) {
                C *values = dx_.place(dx, i, rows.buffer);
                gradient_(g, x, weight + i, values, length, &f);
                dx_.put(values, dx, i, length, rows.buffer);
            }
            if (vectors) add_vectors_(g, x, vectors + i, vectors + n_ + i, length, &f);
        });
    }

    void combine(const C *sums, C *to, std::int64_t stride) const {
        constexpr std::int64_t kColumns = 256;
        const std::int64_t size = std::max<std::int64_t>(kColumns * chunks_, 1);
        pool_.for_range((n_ + kColumns - 1) / kColumns, (kGrain + size - 1) / size, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; i++) {
                const std::int64_t column = i * kColumns, n = std::min(kColumns, n_ - column);
                double total[kColumns] = {};
                for (std::int64_t k = 0; k < chunks_; k++)
                    for (std::int64_t j = 0; j < n; j++) total[j] += sums[k * 2 * n_ + column + j];
                for (std::int64_t j = 0; j < n; j++) to[(column + j) * stride] = static_cast<C>(total[j]);
            }
        });
    }

    Pool &pool_;
    mpt_attrs_row_norm at_;
    bool has_dx_, has_vector_[2];
    NormRows<C> dy_, x_, dx_;
    std::int64_t n_, vector_stride_[2], chunk_, chunks_;
    RowVector<C> weight_;
    Loop loop_;  // statistics, x, dy, dx
    C (*sums_)(const C *, const C *, const C *, std::int64_t, C, C *) = Versions<&gradient_sums_run<C>>::best();
    void (*gradient_)(const C *, const C *, const C *, C *, std::int64_t,
                      const RowFactors<C> *) = Versions<&gradient_run<C>>::best();
    void (*add_vectors_)(const C *, const C *, C *, C *, std::int64_t,
                         const RowFactors<C> *) = Versions<&add_vectors_run<C>>::best();
};

}  // namespace

static std::unique_ptr<Kernel> prepare_row_norm_grad(Pool &pool, const mpt_mod_call &call) {
    if (call.in[0].dtype == MPT_F64) return std::make_unique<RowNormGrad<double>>(pool, call);
    return std::make_unique<RowNormGrad<float>>(pool, call);
}

static const RegisteredKernel registered_row_norm_grad("row_norm_grad", prepare_row_norm_grad);

}  // namespace mpt::cpu
