// "ctc" and "ctc_grad" of device/attrs/ctc.h: the forward-backward algorithm [Graves et al. 2006] in logarithms. A time's values
// are kept relative to the largest of them, and a gradient relative to the sum of its own time, so that f32 is enough for long
// inputs. The largest place need not be one where paths end: what is relative to it may be far below exp's range.
#include "device/attrs/ctc.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include "isa.h"
#include "kernel.h"
#include "operand.h"
#include "rows.h"
#include "sums.h"
#include "vector_math.h"

namespace mpt::cpu {
namespace {

constexpr int kBefore = 2;  // places in front of a row that read as -inf

template <class C>
constexpr C kNever = -std::numeric_limits<C>::infinity();

// to[s] = log(exp(from[s]) + exp(from[s - 1]) + exp(from[s - 2] + skip[s])).
template <class C>
void advance_row(const C *from, const C *skip, C *to, std::int64_t n) {
    for (std::int64_t s = 0; s < n; s++) {
        const C a = from[s], b = from[s - 1], c = from[s - 2] + skip[s];
        const C most = larger(larger(a, b), c);
        const C shift = most == kNever<C> ? C{0} : most;
        to[s] = shift + vlog(vexp(a - shift) + vexp(b - shift) + vexp(c - shift));
    }
}

// x[s] += y[s], then less the largest, which is returned.
template <class C>
C add_row(C *x, const C *y, std::int64_t n) {
    for (std::int64_t s = 0; s < n; s++) x[s] += y[s];
    const C most = max_run(x, n);
    if (most == kNever<C>) return most;
    for (std::int64_t s = 0; s < n; s++) x[s] -= most;
    return most;
}

// e[s] = exp(a[s] + b[n - 1 - s]) up to a factor; returns their sum.
template <class C>
C join_row(const C *a, const C *b, C *e, std::int64_t n) {
    for (std::int64_t s = 0; s < n; s++) e[s] = a[s] + b[n - 1 - s];
    const C most = max_run(e, n);
    for (std::int64_t s = 0; s < n; s++) e[s] = vexp(e[s] - most);
    return sum_run(e, n);
}

// The elements at `place` of a row with this stride.
template <class C>
using Gather = void (*)(const void *row, std::int64_t stride, const std::int64_t *place, C *dst, std::int64_t n);
template <class From, class C>
void gather_row(const void *row, std::int64_t stride, const std::int64_t *place, C *dst, std::int64_t n) {
    const auto *x = static_cast<const typename From::Stored *>(row);
    for (std::int64_t s = 0; s < n; s++) dst[s] = widen<From, C>(x[place[s] * stride]);
}
template <class C>
Gather<C> gatherer(std::int32_t dtype) {
    Gather<C> found = nullptr;
    visit_float(dtype, [&](auto format) { found = gather_row<decltype(format), C>; });
    return found;
}

template <class C>
class CtcItems : public Kernel {
protected:
    CtcItems(Pool &pool, const mpt_mod_call &call) : pool_(pool), attrs_(attrs_of<mpt_attrs_ctc>(call)), x_(call.in[0]) {
        gather_ = gatherer<C>(x_.dtype);
        if (!gather_ || (dtype_of<C>() == MPT_F32 && x_.dtype == MPT_F64)) unsupported_dtype(call.kernel, x_.dtype);
        for (int k = 0; k < 3; k++) {
            index_[k] = call.in[k + 1];
            load_[k] = loader<std::int64_t>(index_[k].dtype);
            if (!load_[k]) unsupported_dtype(call.kernel, index_[k].dtype);
        }
        if (x_.ndim != 3 || index_[0].ndim != 2) throw Failure{MPT_ERROR_INTERNAL, "ctc: operands of another rank"};
        times_ = x_.shape[0];
        items_ = x_.shape[1];
        classes_ = x_.shape[2];
        most_labels_ = index_[0].shape[1];
        places_ = 2 * most_labels_ + 1;
    }

    // An item's labels with blanks around them, and what goes with each place. Everything lies in a workspace.
    struct Item {
        std::int64_t times, places;  // 0 places: a length or label that cannot be
        std::int64_t *label;
        C *skip;        // 0 where the place before the last may be left out, else -inf
        C *emission;    // log-probabilities at one time
        C *row, *next;  // with kBefore places in front
    };
    std::size_t item_bytes() const {
        const std::size_t n = static_cast<std::size_t>(places_);
        return n * sizeof(std::int64_t) + (4 * n + 2 * kBefore) * sizeof(C);
    }

    Item item(const void *const *in, std::int64_t index, bool reversed, void *memory) const {
        Item item;
        item.label = static_cast<std::int64_t *>(memory);
        item.skip = reinterpret_cast<C *>(item.label + places_);
        item.emission = item.skip + places_;
        item.row = item.emission + places_ + kBefore;
        item.next = item.row + places_ + kBefore;
        item.times = at(1, in, index, 0);
        const std::int64_t labels = at(2, in, index, 0);
        item.places = 0;
        if (item.times < 0 || item.times > times_ || labels < 0 || labels > most_labels_) return item;
        const std::int64_t n = 2 * labels + 1;
        for (std::int64_t s = 0; s < n; s++) {
            const std::int64_t place = reversed ? n - 1 - s : s;
            item.label[s] = place % 2 == 0 ? attrs_.blank : at(0, in, index, place / 2);
            if (item.label[s] < 0 || item.label[s] >= classes_ || (place % 2 == 1 && item.label[s] == attrs_.blank)) return item;
            item.skip[s] = s % 2 == 1 && s > 1 && item.label[s] != item.label[s - 2] ? C{0} : kNever<C>;
        }
        std::fill_n(item.row - kBefore, kBefore, kNever<C>);
        std::fill_n(item.next - kBefore, kBefore, kNever<C>);
        item.places = n;
        return item;
    }
    // The first one or two places, where paths begin.
    void begin(const Item &item, C *row) const {
        std::fill_n(row, item.places, kNever<C>);
        std::fill_n(row, std::min<std::int64_t>(item.places, 2), C{0});
    }
    void emissions(const Item &item, const void *x, std::int64_t time, std::int64_t index) const {
        const auto *row = static_cast<const std::byte *>(x) +
                          (time * x_.strides[0] + index * x_.strides[1]) * static_cast<std::int64_t>(bytes_of(x_.dtype));
        gather_(row, x_.strides[2], item.label, item.emission, item.places);
    }
    std::int64_t target_length(const void *const *in, std::int64_t index) const { return at(2, in, index, 0); }

    template <class F>
    void for_items(F &&f) const {
        const std::int64_t size = std::max<std::int64_t>(times_ * places_, 1);
        pool_.for_range(items_, (kGrain / 16 + size - 1) / size, std::forward<F>(f));
    }

    Pool &pool_;
    mpt_attrs_ctc attrs_;
    mpt_mod_operand x_;
    std::int64_t times_, items_, classes_, most_labels_, places_;
    void (*advance_)(const C *, const C *, C *, std::int64_t) = Versions<&advance_row<C>>::best();
    C (*add_)(C *, const C *, std::int64_t) = Versions<&add_row<C>>::best();

private:
    std::int64_t at(int k, const void *const *in, std::int64_t row, std::int64_t column) const {
        const mpt_mod_operand &x = index_[k];
        const std::int64_t offset = row * x.strides[0] + (x.ndim == 2 ? column * x.strides[1] : 0);
        std::int64_t value;
        load_[k](static_cast<const std::byte *>(in[k + 1]) + offset * static_cast<std::int64_t>(bytes_of(x.dtype)), 1, 1, 1, 1,
                 &value);
        return value;
    }

    mpt_mod_operand index_[3];  // labels, input lengths, target lengths
    Load<std::int64_t> load_[3];
    Gather<C> gather_;
};

template <class C>
class Ctc final : public CtcItems<C> {
    using Base = CtcItems<C>;
    using Item = typename Base::Item;

public:
    Ctc(Pool &pool, const mpt_mod_call &call) : Base(pool, call), loss_(call.out[0]) {
        for (int k = 0; k < 3; k++)
            if (call.out[k].dtype != dtype_of<C>()) unsupported_dtype(call.kernel, call.out[k].dtype);
        item_stride_ = call.out[1].strides[0];
        Base::workspace_bytes = static_cast<std::size_t>(Base::items_) * Base::item_bytes();
    }

    void launch(const void *const *in, void *const *out, void *workspace) override {
        auto *of_items = static_cast<C *>(out[1]), *reached = static_cast<C *>(out[2]);
        Base::for_items([&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; i++)
                of_items[i * item_stride_] =
                    loss(in, i, reached + i * Base::times_ * Base::places_,
                         static_cast<std::byte *>(workspace) + static_cast<std::size_t>(i) * Base::item_bytes());
        });
        auto *loss = static_cast<C *>(out[0]);
        const std::int64_t reduction = Base::attrs_.reduction;
        double total = 0;
        for (std::int64_t i = 0; i < Base::items_; i++) {
            C value = of_items[i * item_stride_];
            if (Base::attrs_.zero_infinity && value == -kNever<C>) value = 0;
            if (reduction == MPT_REDUCTION_NONE)
                loss[i * loss_.strides[0]] = value;
            else
                total += static_cast<double>(value) / (reduction == MPT_REDUCTION_MEAN ? labels_of(in, i) : 1);
        }
        if (reduction == MPT_REDUCTION_NONE) return;
        const bool mean = reduction == MPT_REDUCTION_MEAN || reduction == MPT_REDUCTION_BATCH_MEAN;
        *loss = static_cast<C>(mean ? total / static_cast<double>(Base::items_) : total);
    }

    const char *name() const override { return "cpu:ctc"; }

private:
    double labels_of(const void *const *in, std::int64_t i) const {
        return static_cast<double>(std::max<std::int64_t>(Base::target_length(in, i), 1));
    }

    C loss(const void *const *in, std::int64_t index, C *reached, void *memory) const {
        const Item item = Base::item(in, index, false, memory);
        if (item.places == 0) return std::numeric_limits<C>::quiet_NaN();
        if (item.times == 0) return item.places == 1 ? C{0} : -kNever<C>;
        double offset = 0;  // what was taken off the rows
        C *row = item.row, *next = item.next;
        for (std::int64_t t = 0; t < item.times; t++) {
            if (t == 0)
                Base::begin(item, next);
            else
                Base::advance_(row, item.skip, next, item.places);
            Base::emissions(item, in[0], t, index);
            offset += static_cast<double>(Base::add_(next, item.emission, item.places));
            std::swap(row, next);
            std::copy_n(row, item.places, reached + t * Base::places_);
        }
        const C last = row[item.places - 1], before = item.places > 1 ? row[item.places - 2] : kNever<C>;
        const C most = larger(last, before);
        const C shift = most == kNever<C> ? C{0} : most;
        const C rest = std::log(std::exp(last - shift) + std::exp(before - shift));
        return static_cast<C>(-(offset + static_cast<double>(shift) + static_cast<double>(rest)));
    }

    mpt_mod_operand loss_;
    std::int64_t item_stride_;
};

template <class C>
class CtcGrad final : public CtcItems<C> {
    using Base = CtcItems<C>;
    using Item = typename Base::Item;

public:
    CtcGrad(Pool &pool, const mpt_mod_call &call)
        : Base(pool, call), out_(call.out[0]), gradient_(call.in[6]), store_(storer<C>(out_.dtype)) {
        if (!is_float(out_.dtype)) unsupported_dtype(call.kernel, out_.dtype);
        for (int k = 4; k < 7; k++)
            if (call.in[k].dtype != dtype_of<C>()) unsupported_dtype(call.kernel, call.in[k].dtype);
        item_stride_ = call.in[4].strides[0];
        bytes_ = Base::item_bytes() + static_cast<std::size_t>(Base::classes_) * sizeof(C);
        bytes_ = (bytes_ + sizeof(std::int64_t) - 1) / sizeof(std::int64_t) * sizeof(std::int64_t);
        Base::workspace_bytes = static_cast<std::size_t>(Base::items_) * bytes_;
    }

    void launch(const void *const *in, void *const *out, void *workspace) override {
        Base::for_items([&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; i++)
                gradient(in, out[0], i, static_cast<std::byte *>(workspace) + static_cast<std::size_t>(i) * bytes_);
        });
    }

    const char *name() const override { return "cpu:ctc_grad"; }

private:
    // Of the loss in an item's own.
    C scale(const void *const *in, std::int64_t index) const {
        const auto *gradient = static_cast<const C *>(in[6]);
        const std::int64_t reduction = Base::attrs_.reduction;
        if (reduction == MPT_REDUCTION_NONE) return gradient[index * gradient_.strides[0]];
        const auto items = static_cast<C>(Base::items_);
        if (reduction == MPT_REDUCTION_BATCH_MEAN) return *gradient / items;
        if (reduction == MPT_REDUCTION_SUM) return *gradient;
        return *gradient / (items * static_cast<C>(std::max<std::int64_t>(Base::target_length(in, index), 1)));
    }

    void gradient(const void *const *in, void *out, std::int64_t index, std::byte *memory) const {
        const Item item = Base::item(in, index, true, memory);
        C *classes = item.next + Base::places_;
        const C loss = static_cast<const C *>(in[4])[index * item_stride_];
        const bool infinite = loss == -kNever<C>;
        const bool flows = item.places > 0 && !(infinite && Base::attrs_.zero_infinity);
        const std::int64_t times = flows ? item.times : 0;
        std::fill_n(classes, Base::classes_, C{0});
        for (std::int64_t t = times; t < Base::times_; t++) put(classes, out, t, index);
        if (infinite) {
            std::fill_n(classes, Base::classes_, std::numeric_limits<C>::quiet_NaN());
            for (std::int64_t t = 0; t < times; t++) put(classes, out, t, index);
            return;
        }
        const C by = -scale(in, index);
        const auto *reached = static_cast<const C *>(in[5]) + index * Base::times_ * Base::places_;
        C *row = item.row, *next = item.next;
        for (std::int64_t t = times - 1; t >= 0; t--) {
            if (t == times - 1)
                Base::begin(item, next);
            else
                Base::advance_(row, item.skip, next, item.places);
            Base::emissions(item, in[0], t, index);
            // The row that held the time behind is free for what each place contributes.
            const C share = by / join_(next, reached + t * Base::places_, row, item.places);
            for (std::int64_t s = 0; s < item.places; s++) classes[item.label[s]] += share * row[s];
            put(classes, out, t, index);
            for (std::int64_t s = 0; s < item.places; s++) classes[item.label[s]] = 0;
            Base::add_(next, item.emission, item.places);
            std::swap(row, next);
        }
    }

    void put(const C *classes, void *out, std::int64_t time, std::int64_t index) const {
        auto *to = static_cast<std::byte *>(out) +
                   (time * out_.strides[0] + index * out_.strides[1]) * static_cast<std::int64_t>(bytes_of(out_.dtype));
        store_(classes, to, 1, Base::classes_, Base::classes_, out_.strides[2]);
    }

    mpt_mod_operand out_, gradient_;
    Store<C> store_;
    std::int64_t item_stride_;
    std::size_t bytes_;
    C (*join_)(const C *, const C *, C *, std::int64_t) = Versions<&join_row<C>>::best();
};

}  // namespace

static std::unique_ptr<Kernel> prepare_ctc(Pool &pool, const mpt_mod_call &call) {
    if (call.in[0].dtype == MPT_F64) return std::make_unique<Ctc<double>>(pool, call);
    return std::make_unique<Ctc<float>>(pool, call);
}

static std::unique_ptr<Kernel> prepare_ctc_grad(Pool &pool, const mpt_mod_call &call) {
    if (call.in[0].dtype == MPT_F64) return std::make_unique<CtcGrad<double>>(pool, call);
    return std::make_unique<CtcGrad<float>>(pool, call);
}

static const RegisteredKernel registered_ctc("ctc", prepare_ctc);
static const RegisteredKernel registered_ctc_grad("ctc_grad", prepare_ctc_grad);

}  // namespace mpt::cpu
