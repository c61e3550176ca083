// Losses of rows of scores, one per class: what cross entropy and nll have in common. Operands: in[0] the scores, in[1] the
// targets, in[2] weights of the classes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "device/attrs/loss.h"
#include "kernel.h"
#include "operand.h"
#include "rows.h"

namespace mpt::cpu {

template <class C>
class ClassRows : public Kernel {
protected:
    // Where a row's index points to when that is no class.
    static constexpr std::int64_t kOutside = -1, kIgnored = -2;

    ClassRows(Pool &pool, const mpt_mod_call &call)
        : pool_(pool),
          attrs_(attrs_of<mpt_attrs_cross_entropy>(call)),
          scores_(call.in[0]),
          target_(call.in[1]),
          weight_(call.in[2]) {
        load_ = loader<C>(scores_.dtype);
        load_target_ = loader<std::int64_t>(target_.dtype);
        if (!load_) unsupported_dtype(call.kernel, scores_.dtype);
        if (!load_target_ && !is_float(target_.dtype)) unsupported_dtype(call.kernel, target_.dtype);
        weighted_ = weight_.dtype != MPT_DTYPE_NONE;
        if (weighted_ && weight_.dtype != dtype_of<C>()) unsupported_dtype(call.kernel, weight_.dtype);
        if (scores_.ndim != 2 || target_.shape[0] != scores_.shape[0] || (weighted_ && weight_.shape[0] != scores_.shape[1]))
            throw Failure{MPT_ERROR_INTERNAL,
                          std::string(call.kernel) + ": scores must be [N,C], weights [C] and targets of N rows"};
        rows_ = scores_.shape[0];
        classes_ = scores_.shape[1];
    }

    const std::byte *score_at(const void *scores, std::int64_t row, std::int64_t column) const {
        return static_cast<const std::byte *>(scores) +
               (row * scores_.strides[0] + column * scores_.strides[1]) * static_cast<std::int64_t>(bytes_of(scores_.dtype));
    }
    C score(const void *scores, std::int64_t row, std::int64_t column) const {
        C value;
        load_(score_at(scores, row, column), 1, 1, 1, 1, &value);
        return value;
    }
    std::int64_t target(const void *targets, std::int64_t row) const {
        const auto *at =
            static_cast<const std::byte *>(targets) + row * target_.strides[0] * static_cast<std::int64_t>(bytes_of(target_.dtype));
        std::int64_t value;
        load_target_(at, 1, 1, 1, 1, &value);
        if (value == attrs_.ignore_index) return kIgnored;
        return value >= 0 && value < classes_ ? value : kOutside;
    }
    C weight(const void *weights, std::int64_t index) const {
        return weighted_ ? static_cast<const C *>(weights)[index * weight_.strides[0]] : C{1};
    }

    Pool &pool_;
    mpt_attrs_cross_entropy attrs_;
    mpt_mod_operand scores_, target_, weight_;
    Load<C> load_;
    std::int64_t rows_, classes_;
    bool weighted_;

private:
    Load<std::int64_t> load_target_;
};

template <class C>
class ClassLoss : public ClassRows<C> {
    using Base = ClassRows<C>;
    static constexpr std::int64_t kRowsPerTask = 16;

protected:
    // row_elements: the work that a row is.
    ClassLoss(Pool &pool, const mpt_mod_call &call, const mpt_mod_operand &divisor, std::int64_t row_elements)
        : Base(pool, call), per_row_(Base::attrs_.reduction == MPT_REDUCTION_NONE) {
        const mpt_mod_operand &loss = call.out[0];
        if (loss.dtype != dtype_of<C>() || divisor.dtype != dtype_of<C>()) unsupported_dtype(call.kernel, loss.dtype);
        if (loss.ndim != (per_row_ ? 1 : 0))
            throw Failure{MPT_ERROR_INTERNAL, std::string(call.kernel) + ": a result of another rank"};
        loss_stride_ = per_row_ ? loss.strides[0] : 0;
        rows_per_task_ = std::clamp<std::int64_t>(kGrain / std::max<std::int64_t>(row_elements, 1), 1, kRowsPerTask);
        tasks_ = (Base::rows_ + rows_per_task_ - 1) / rows_per_task_;
        const std::int64_t size = rows_per_task_ * std::max<std::int64_t>(row_elements, 1);
        tasks_per_thread_ = (kGrain / 4 + size - 1) / size;
        Base::workspace_bytes = static_cast<std::size_t>(2 * tasks_) * sizeof(double);
    }

    // f(begin, end, add) over the rows; add(row, its loss, how much it counts).
    template <class F>
    void reduce(C *loss, C *divisor, void *workspace, F &&f) {
        auto *partial = static_cast<double *>(workspace);
        Base::pool_.for_range(tasks_, tasks_per_thread_, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t task = begin; task < end; task++) {
                double total = 0, counted = 0;
                f(task * rows_per_task_, std::min((task + 1) * rows_per_task_, Base::rows_),
                  [&](std::int64_t row, C value, C counts) {
                      if (per_row_) loss[row * loss_stride_] = value;
                      total += static_cast<double>(value);
                      counted += static_cast<double>(counts);
                  });
                partial[2 * task] = total;
                partial[2 * task + 1] = counted;
            }
        });
        double total = 0, counted = 0;
        for (std::int64_t task = 0; task < tasks_; task++) {
            total += partial[2 * task];
            counted += partial[2 * task + 1];
        }
        const std::int64_t reduction = Base::attrs_.reduction;
        const double by = reduction == MPT_REDUCTION_MEAN         ? counted
                          : reduction == MPT_REDUCTION_BATCH_MEAN ? static_cast<double>(Base::rows_)
                                                                  : 1;
        *divisor = static_cast<C>(by);
        if (!per_row_) *loss = static_cast<C>(total / by);
    }

private:
    bool per_row_;
    std::int64_t loss_stride_, rows_per_task_, tasks_, tasks_per_thread_;
};

template <class C>
class ClassGrad : public ClassRows<C> {
    using Base = ClassRows<C>;

protected:
    ClassGrad(Pool &pool, const mpt_mod_call &call, const mpt_mod_operand &divisor, const mpt_mod_operand &gradient)
        : Base(pool, call), out_(call.out[0]), store_(storer<C>(out_.dtype)) {
        if (!is_float(out_.dtype)) unsupported_dtype(call.kernel, out_.dtype);
        if (divisor.dtype != dtype_of<C>() || gradient.dtype != dtype_of<C>()) unsupported_dtype(call.kernel, gradient.dtype);
        if (gradient.ndim > 1 || out_.ndim != 2)
            throw Failure{MPT_ERROR_INTERNAL, std::string(call.kernel) + ": operands of another rank"};
        gradient_stride_ = gradient.ndim == 1 ? gradient.strides[0] : 0;
        direct_ = out_.dtype == dtype_of<C>() && out_.strides[1] == 1;
    }

    // f(begin, end) over the rows.
    template <class F>
    void for_rows(F &&f) const {
        const std::int64_t n = std::max<std::int64_t>(Base::classes_, 1);
        Base::pool_.for_range(Base::rows_, (kGrain / 4 + n - 1) / n, std::forward<F>(f));
    }
    C scale(const void *divisor, const void *gradient, std::int64_t row) const {
        return static_cast<const C *>(gradient)[row * gradient_stride_] / *static_cast<const C *>(divisor);
    }
    // Where a tile's gradients are computed, and what brings them to their place.
    C *place(void *out, std::int64_t row, std::int64_t first, C *buffer) const {
        return direct_ ? reinterpret_cast<C *>(at(out, row, first)) : buffer;
    }
    void put(const C *values, void *out, std::int64_t row, std::int64_t first, std::int64_t n) const {
        if (!direct_) store_(values, at(out, row, first), 1, n, n, out_.strides[1]);
    }

private:
    std::byte *at(void *out, std::int64_t row, std::int64_t first) const {
        return static_cast<std::byte *>(out) +
               (row * out_.strides[0] + first * out_.strides[1]) * static_cast<std::int64_t>(bytes_of(out_.dtype));
    }

    mpt_mod_operand out_;
    Store<C> store_;
    bool direct_;
    std::int64_t gradient_stride_;
};

}  // namespace mpt::cpu
