// "softmax" and "softmax_grad" of device/attrs/.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "device/attrs/softmax.h"
#include "isa.h"
#include "kernel.h"
#include "softmax_rows.h"

namespace mpt::cpu {
namespace {

template <class C>
void softmax_row(const C *x, C *y, std::int64_t n, C largest, C sum) {
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < n; i++) y[i] = vexp(x[i] - largest) / sum;
}

template <class C>
void divide_row(const C *e, C *y, std::int64_t n, C, C sum) {
    for (std::int64_t i = 0; i < n; i++) y[i] = e[i] / sum;
}

template <class C>
void log_softmax_row(const C *x, C *y, std::int64_t n, C largest, C log_sum) {
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < n; i++) y[i] = (x[i] - largest) - log_sum;
}

template <class C>
void softmax_grad_row(const C *dy, const C *y, C *dx, std::int64_t n, C sum) {
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < n; i++) dx[i] = y[i] * (dy[i] - sum);
}

template <class C>
void log_softmax_grad_row(const C *dy, const C *y, C *dx, std::int64_t n, C sum) {
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < n; i++) dx[i] = dy[i] - vexp(y[i]) * sum;
}

// The rows along `dim` of up to three operands.
template <class C>
class RowKernel : public Kernel {
protected:
    RowKernel(Pool &pool, const mpt_mod_call &call) : pool_(pool), attrs_(attrs_of<mpt_attrs_softmax>(call)) {
        const mpt_mod_operand &y = call.out[0];
        if (attrs_.dim < 0 || attrs_.dim >= y.ndim) throw Failure{MPT_ERROR_INTERNAL, "softmax: dim is outside its range"};
        n_ = y.shape[attrs_.dim];
        add(0, y);
        for (int i = 0; i < call.n_in; i++) add(i + 1, call.in[i]);
        const mpt_mod_operand starts[3] = {without_dim(y, attrs_.dim), without_dim(call.in[0], attrs_.dim),
                                           without_dim(call.in[call.n_in - 1], attrs_.dim)};
        loop_ = Loop(call.kernel, {&starts[0], &starts[1], &starts[2]});
        store_ = storer<C>(y.dtype);
        if (!is_float(y.dtype)) unsupported_dtype(call.kernel, y.dtype);
    }

    // f(begin, end) over the rows.
    template <class F>
    void for_rows(F &&f) const {
        if (n_ == 0 || loop_.count == 0) return;
        pool_.for_range(loop_.count, (kGrain / 4 + n_ - 1) / n_, std::forward<F>(f));
    }

    // In elements, the output's first.
    void offsets(std::int64_t row, std::int64_t *offset) const {
        loop_.locate(row / loop_.inner(), offset);
        for (int k = 0; k < loop_.operands; k++) offset[k] += row % loop_.inner() * loop_.inner_stride(k);
    }

    const std::byte *at(const void *base, int k, std::int64_t offset) const {
        return static_cast<const std::byte *>(base) + offset * bytes_[k];
    }

    // Where a tile's results are computed, and what brings them to their place.
    C *place(std::byte *row, std::int64_t first, C *buffer) const {
        return dtype_[0] == dtype_of<C>() && stride_[0] == 1 ? reinterpret_cast<C *>(row) + first : buffer;
    }
    void put(const C *values, std::byte *row, std::int64_t first, std::int64_t n, const C *buffer) const {
        if (values == buffer) store_(values, row + first * stride_[0] * bytes_[0], 1, n, n, stride_[0]);
    }

    RowReader<C> reader(int k) const { return RowReader<C>(load_[k], dtype_[k], stride_[k]); }

    Pool &pool_;
    mpt_attrs_softmax attrs_;
    std::int64_t n_;

private:
    void add(int k, const mpt_mod_operand &x) {
        load_[k] = loader<C>(x.dtype);
        if (!load_[k]) unsupported_dtype("softmax", x.dtype);
        dtype_[k] = x.dtype;
        bytes_[k] = static_cast<std::int64_t>(bytes_of(x.dtype));
        stride_[k] = x.strides[attrs_.dim];
        if (x.shape[attrs_.dim] != n_) throw Failure{MPT_ERROR_INTERNAL, "softmax: operands of different shapes"};
    }

    Loop loop_;
    Store<C> store_;
    Load<C> load_[3];
    std::int32_t dtype_[3];
    std::int64_t bytes_[3], stride_[3];
};

template <class C>
class Softmax final : public RowKernel<C> {
    using Base = RowKernel<C>;

public:
    Softmax(Pool &pool, const mpt_mod_call &call) : Base(pool, call) {
        held_ = !Base::attrs_.log && Base::n_ <= kRowTile;
        row_ = Base::attrs_.log ? Versions<&log_softmax_row<C>>::best()
               : held_          ? Versions<&divide_row<C>>::best()
                                : Versions<&softmax_row<C>>::best();
    }

    void launch(const void *const *in, void *const *out, void *) override {
        Base::for_rows([&](std::int64_t begin, std::int64_t end) {
            RowReader<C> x = Base::reader(1);
            alignas(64) C buffer[kRowTile], exponentials[kRowTile];
            for (std::int64_t r = begin; r < end; r++) {
                std::int64_t offset[Loop::kOperands];
                Base::offsets(r, offset);
                x.start(Base::at(in[0], 1, offset[1]));
                C largest, sum;
                rows_.statistics(x, Base::n_, exponentials, largest, sum);
                if (Base::attrs_.log) sum = std::log(sum);
                auto *y = const_cast<std::byte *>(Base::at(out[0], 0, offset[0]));
                each_tile(Base::n_, [&](std::int64_t i, std::int64_t length) {
                    C *values = Base::place(y, i, buffer);
                    row_(held_ ? exponentials : x.tile(i, length), values, length, largest, sum);
                    Base::put(values, y, i, length, buffer);
                });
            }
        });
    }

    const char *name() const override { return "cpu:softmax"; }

private:
    SoftmaxRows<C> rows_;
    bool held_;  // the exponentials of a whole row are kept
    void (*row_)(const C *, C *, std::int64_t, C, C);
};

template <class C>
class SoftmaxGrad final : public RowKernel<C> {
    using Base = RowKernel<C>;

public:
    SoftmaxGrad(Pool &pool, const mpt_mod_call &call) : Base(pool, call) {
        row_ = Base::attrs_.log ? Versions<&log_softmax_grad_row<C>>::best() : Versions<&softmax_grad_row<C>>::best();
    }

    void launch(const void *const *in, void *const *out, void *) override {
        Base::for_rows([&](std::int64_t begin, std::int64_t end) {
            RowReader<C> dy = Base::reader(1), y = Base::reader(2);
            alignas(64) C buffer[kRowTile];
            for (std::int64_t r = begin; r < end; r++) {
                std::int64_t offset[Loop::kOperands];
                Base::offsets(r, offset);
                dy.start(Base::at(in[0], 1, offset[1]));
                y.start(Base::at(in[1], 2, offset[2]));
                C sum = 0;
                each_tile(Base::n_, [&](std::int64_t i, std::int64_t length) {
                    const C *g = dy.tile(i, length);
                    sum += Base::attrs_.log ? sum_(g, length) : dot_(g, y.tile(i, length), length);
                });
                auto *dx = const_cast<std::byte *>(Base::at(out[0], 0, offset[0]));
                each_tile(Base::n_, [&](std::int64_t i, std::int64_t length) {
                    C *values = Base::place(dx, i, buffer);
                    row_(dy.tile(i, length), y.tile(i, length), values, length, sum);
                    Base::put(values, dx, i, length, buffer);
                });
            }
        });
    }

    const char *name() const override { return "cpu:softmax_grad"; }

private:
    C (*sum_)(const C *, std::int64_t) = Versions<&sum_run<C>>::best();
    C (*dot_)(const C *, const C *, std::int64_t) = Versions<&dot_run<C>>::best();
    void (*row_)(const C *, const C *, C *, std::int64_t, C);
};

}  // namespace

static std::unique_ptr<Kernel> prepare_softmax(Pool &pool, const mpt_mod_call &call) {
    if (call.in[0].dtype == MPT_F64) return std::make_unique<Softmax<double>>(pool, call);
    return std::make_unique<Softmax<float>>(pool, call);
}

static std::unique_ptr<Kernel> prepare_softmax_grad(Pool &pool, const mpt_mod_call &call) {
    if (call.in[0].dtype == MPT_F64) return std::make_unique<SoftmaxGrad<double>>(pool, call);
    return std::make_unique<SoftmaxGrad<float>>(pool, call);
}

static const RegisteredKernel registered_softmax("softmax", prepare_softmax);
static const RegisteredKernel registered_softmax_grad("softmax_grad", prepare_softmax_grad);

}  // namespace mpt::cpu
