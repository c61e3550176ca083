// "reduce" of device/attrs/. The input is walked in the order of its memory. Depending on what its fastest dimension
// is, runs of it are summed to one value (RowReduce) or added element by element onto a row of values (ColumnReduce).
// Long sums are cut into segments of a size that depends on the shape alone; their partial results lie in the
// workspace and are combined in order, in f64 for sums.
#include "device/attrs/reduce.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "kernel.h"
#include "operand.h"
#include "reduce_kinds.h"
#include "reduce_plan.h"
#include "rows.h"

namespace mpt::cpu {
namespace {

constexpr std::int64_t kBuffer = 4096;    // elements of a buffer for conversion
constexpr std::int64_t kSegment = 65536;  // elements that one partial result covers

template <class C>
class Reduce : public Kernel {
protected:
    Reduce(Pool &pool, const mpt_mod_call &call, const Plan &plan) : pool_(pool), plan_(plan) {
        const mpt_mod_operand &x = call.in[0], &y = call.out[0];
        const auto &attrs = attrs_of<mpt_attrs_reduce>(call);
        kind_ = reduce_kind<C>(attrs.kind);
        scale_ = attrs.scale;
        finite_ = attrs.kind == MPT_REDUCE_LOGSUMEXP;
        load_ = loader<C>(x.dtype);
        store_ = storer<C>(y.dtype);
        if (!load_) unsupported_dtype("reduce", x.dtype);
        if (!is_float(y.dtype)) unsupported_dtype("reduce", y.dtype);
        centred_ = call.n_in > 1 && call.in[1].dtype != MPT_DTYPE_NONE;
        if (centred_ && (call.in[1].dtype != dtype_of<C>() || !same_layout(call.in[1], y)))
            throw Failure{MPT_ERROR_INTERNAL, "reduce: the centre has another form than the output"};
        typed_ = x.dtype == dtype_of<C>();
        in_bytes_ = static_cast<std::int64_t>(bytes_of(x.dtype));
        out_bytes_ = static_cast<std::int64_t>(bytes_of(y.dtype));
    }

    // The centre of the output at this offset.
    C centre(const void *centres, std::int64_t offset) const {
        if (!centred_) return 0;
        const C c = static_cast<const C *>(centres)[offset];
        return finite_ && !std::isfinite(c) ? C{0} : c;
    }
    C finish(double total, double centre) const {
        return static_cast<C>(kind_.finish(total, static_cast<double>(plan_.inputs), scale_, centre));
    }

    Pool &pool_;
    Plan plan_;
    ReduceKind<C> kind_;
    double scale_;
    Load<C> load_;
    Store<C> store_;
    bool typed_;  // the input holds values of C
    bool centred_;
    bool finite_;  // a centre that is not counts as 0
    std::int64_t in_bytes_, out_bytes_;
};

template <class C>
class RowReduce final : public Reduce<C> {
    using Base = Reduce<C>;
    using Base::plan_;

public:
    RowReduce(Pool &pool, const mpt_mod_call &call, const Plan &plan) : Base(pool, call, plan) {
        inner_ = plan_.reduced.back();
        rows_ = inner_.extent > 0 ? plan_.inputs / inner_.extent : 0;
        // A segment is a part of one run, or several whole runs.
        width_ = std::clamp<std::int64_t>(inner_.extent, 1, kSegment);
        rows_per_segment_ = std::max<std::int64_t>(kSegment / width_, 1);
        across_ = (inner_.extent + width_ - 1) / width_;
        segments_ = across_ * ((rows_ + rows_per_segment_ - 1) / rows_per_segment_);
        if (across_ > 1) {
            rows_per_segment_ = 1;
            segments_ = across_ * rows_;
        }
        if (segments_ > 1) Base::workspace_bytes = static_cast<std::size_t>(plan_.outputs * segments_) * sizeof(double);
    }

    void launch(const void *const *in, void *const *out, void *workspace) override {
        const auto *x = static_cast<const std::byte *>(in[0]);
        auto *y = static_cast<std::byte *>(out[0]);
        const void *at = Base::centred_ ? in[1] : nullptr;
        auto *partial = static_cast<double *>(workspace);
        const std::int64_t size = std::max<std::int64_t>(plan_.inputs / std::max<std::int64_t>(segments_, 1), 1);
        Base::pool_.for_range(plan_.outputs * std::max<std::int64_t>(segments_, 1), (kGrain + size - 1) / size,
                              [&](std::int64_t begin, std::int64_t end) {
                                  for (std::int64_t i = begin; i < end; i++) {
                                      if (segments_ > 1)
                                          partial[i] = segment(x, at, i / segments_, i % segments_);
                                      else
                                          write(y, at, i, segment(x, at, i, 0));
                                  }
                              });
        if (segments_ <= 1) return;
        for (std::int64_t i = 0; i < plan_.outputs; i++) {
            double total = Base::kind_.start;
            for (std::int64_t s = 0; s < segments_; s++) total = Base::kind_.combine(total, partial[i * segments_ + s]);
            write(y, at, i, total);
        }
    }

    const char *name() const override { return "cpu:reduce_rows"; }

private:
    double segment(const std::byte *x, const void *centres, std::int64_t output, std::int64_t index) const {
        std::int64_t base = 0, unused = 0, place = 0;
        locate(plan_.kept, plan_.kept.size(), output, base, place);
        const C centre = Base::centre(centres, place);
        const std::int64_t first_row = index / std::max<std::int64_t>(across_, 1) * rows_per_segment_;
        const std::int64_t last_row = std::min(first_row + rows_per_segment_, rows_);
        const std::int64_t column = across_ > 1 ? index % across_ * width_ : 0;
        const std::int64_t n = std::min(width_, inner_.extent - column);
        double total = Base::kind_.start;
        for (std::int64_t r = first_row; r < last_row; r++) {
            std::int64_t offset = base + column * inner_.in;
            locate(plan_.reduced, plan_.reduced.size() - 1, r, offset, unused);
            total = Base::kind_.combine(total, run(x + offset * Base::in_bytes_, n, centre));
        }
        return total;
    }

    // Blocks keep f32 sums short.
    double run(const std::byte *x, std::int64_t n, C centre) const {
        double total = Base::kind_.start;
        alignas(64) C buffer[kBuffer];
        for (std::int64_t i = 0; i < n; i += kBuffer) {
            const std::int64_t length = std::min(kBuffer, n - i);
            const std::byte *at = x + i * inner_.in * Base::in_bytes_;
            const C *values = reinterpret_cast<const C *>(at);
            if (!Base::typed_ || inner_.in != 1) {
                Base::load_(at, 1, length, length, inner_.in, buffer);
                values = buffer;
            }
            total = Base::kind_.combine(total, Base::kind_.run(values, length, centre));
        }
        return total;
    }

    void write(std::byte *y, const void *centres, std::int64_t output, double total) const {
        std::int64_t offset = 0, unused = 0;
        locate(plan_.kept, plan_.kept.size(), output, unused, offset);
        const C value = Base::finish(total, static_cast<double>(Base::centre(centres, offset)));
        Base::store_(&value, y + offset * Base::out_bytes_, 1, 1, 1, 1);
    }

    Dim inner_{};
    std::int64_t rows_, width_, rows_per_segment_, across_, segments_;
};

template <class C>
class ColumnReduce final : public Reduce<C> {
    using Base = Reduce<C>;
    using Base::plan_;

public:
    ColumnReduce(Pool &pool, const mpt_mod_call &call, const Plan &plan) : Base(pool, call, plan) {
        inner_ = plan_.kept.back();
        step_ = plan_.reduced.back();
        rows_ = plan_.inputs;
        // Wide tiles stream better; narrower ones give more threads work when there are few rows.
        width_ = std::clamp<std::int64_t>(inner_.extent, 1, rows_ >= 512 ? kWidth : kWidth / 4);
        across_ = (inner_.extent + width_ - 1) / width_;
        outer_ = inner_.extent > 0 ? plan_.outputs / inner_.extent : 0;
        rows_per_segment_ = std::clamp<std::int64_t>(kSegment / width_, 64, 4096);
        segments_ = std::max<std::int64_t>((rows_ + rows_per_segment_ - 1) / rows_per_segment_, 1);
        // Short rows that follow each other are taken several at a time.
        fold_ = 1;
        if (across_ == 1 && (!Base::typed_ || (inner_.in == 1 && step_.in == width_)))
            while (fold_ * 2 * width_ <= kWidth && fold_ * 16 <= rows_) fold_ *= 2;
        if (segments_ > 1) Base::workspace_bytes = static_cast<std::size_t>(outer_ * segments_ * inner_.extent) * sizeof(C);
    }

    void launch(const void *const *in, void *const *out, void *workspace) override {
        const auto *x = static_cast<const std::byte *>(in[0]);
        auto *y = static_cast<std::byte *>(out[0]);
        const void *at = Base::centred_ ? in[1] : nullptr;
        auto *partial = static_cast<C *>(workspace);
        const std::int64_t size = width_ * std::max<std::int64_t>(rows_ / segments_, 1);
        // Tasks: outer, segment, column tile; so that neighbouring tasks read neighbouring memory.
        Base::pool_.for_range(outer_ * segments_ * across_, (kGrain + size - 1) / size, [&](std::int64_t begin, std::int64_t end) {
            alignas(64) C acc[kWidth], centre[kWidth];
            for (std::int64_t i = begin; i < end; i++) {
                const std::int64_t column = i % across_ * width_, s = i / across_ % segments_, o = i / across_ / segments_;
                const std::int64_t n = std::min(width_, inner_.extent - column);
                centres(at, o, column, n, centre);
                segment(x, o, s, column, n, acc, centre);
                if (segments_ > 1)
                    std::copy_n(acc, n, partial + (o * segments_ + s) * inner_.extent + column);
                else
                    write(y, o, column, n, acc, centre);
            }
        });
        if (segments_ > 1) combine_segments(partial, at, y);
    }

    const char *name() const override { return "cpu:reduce_columns"; }

private:
    static constexpr std::int64_t kWidth = 1024;

    // Those of the columns, once for each row that is folded in.
    void centres(const void *from, std::int64_t o, std::int64_t column, std::int64_t n, C *centre) const {
        std::int64_t offset = column * inner_.out, unused = 0;
        locate(plan_.kept, plan_.kept.size() - 1, o, unused, offset);
        for (std::int64_t j = 0; j < n; j++) centre[j] = Base::centre(from, offset + j * inner_.out);
        for (std::int64_t part = 1; part < fold_; part++) std::copy_n(centre, n, centre + part * n);
    }

    void segment(const std::byte *x, std::int64_t o, std::int64_t s, std::int64_t column, std::int64_t n, C *acc,
                 const C *centre) const {
        std::int64_t base = column * inner_.in, unused = 0;
        locate(plan_.kept, plan_.kept.size() - 1, o, base, unused);
        std::fill_n(acc, n * fold_, Base::kind_.start);
        std::int64_t row = s * rows_per_segment_;
        const std::int64_t end = std::min(row + rows_per_segment_, rows_);
        while (row < end) {
            // Rows that are a fixed step apart.
            std::int64_t offset = base + row % step_.extent * step_.in;
            const std::int64_t n_rows = std::min(end - row, step_.extent - row % step_.extent);
            locate(plan_.reduced, plan_.reduced.size() - 1, row / step_.extent, offset, unused);
            add(x + offset * Base::in_bytes_, n_rows, n, acc, centre);
            row += n_rows;
        }
        for (std::int64_t part = 1; part < fold_; part++)
            for (std::int64_t j = 0; j < n; j++) acc[j] = static_cast<C>(Base::kind_.combine(acc[j], acc[part * n + j]));
    }

    void add(const std::byte *x, std::int64_t rows, std::int64_t n, C *acc, const C *centre) const {
        if (Base::typed_ && inner_.in == 1) {
            add_folded(reinterpret_cast<const C *>(x), rows, step_.in, n, acc, centre);
            return;
        }
        alignas(64) C buffer[kBuffer];
        const std::int64_t most = kBuffer / n;
        for (std::int64_t r = 0; r < rows; r += most) {
            const std::int64_t length = std::min(most, rows - r);
            Base::load_(x + r * step_.in * Base::in_bytes_, length, step_.in, n, inner_.in, buffer);
            add_folded(buffer, length, n, n, acc, centre);
        }
    }

    void add_folded(const C *x, std::int64_t rows, std::int64_t stride, std::int64_t n, C *acc, const C *centre) const {
        const std::int64_t whole = fold_ > 1 ? rows / fold_ : 0;
        if (whole > 0) Base::kind_.column(acc, x, whole, fold_ * n, fold_ * n, centre);
        Base::kind_.column(acc, x + whole * fold_ * stride, rows - whole * fold_, stride, n, centre);
    }

    void combine_segments(const C *partial, const void *from, std::byte *y) const {
        constexpr std::int64_t kColumns = 256;
        const std::int64_t tiles = (inner_.extent + kColumns - 1) / kColumns;
        const std::int64_t size = kColumns * segments_;
        Base::pool_.for_range(outer_ * tiles, (kGrain + size - 1) / size, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; i++) {
                const std::int64_t o = i / tiles, column = i % tiles * kColumns;
                const std::int64_t n = std::min(kColumns, inner_.extent - column);
                double total[kColumns];
                C centre[kWidth];
                centres(from, o, column, n, centre);
                std::fill_n(total, n, static_cast<double>(Base::kind_.start));
                for (std::int64_t s = 0; s < segments_; s++) {
                    const C *row = partial + (o * segments_ + s) * inner_.extent + column;
                    Base::kind_.combine_row(total, row, n);
                }
                write(y, o, column, n, total, centre);
            }
        });
    }

    template <class V>
    void write(std::byte *y, std::int64_t o, std::int64_t column, std::int64_t n, const V *total, const C *centre) const {
        C value[kWidth];
        for (std::int64_t j = 0; j < n; j++) value[j] = Base::finish(total[j], static_cast<double>(centre[j]));
        std::int64_t offset = column * inner_.out, unused = 0;
        locate(plan_.kept, plan_.kept.size() - 1, o, unused, offset);
        Base::store_(value, y + offset * Base::out_bytes_, 1, n, n, inner_.out);
    }

    Dim inner_{}, step_{};
    std::int64_t rows_, width_, across_, outer_, rows_per_segment_, segments_, fold_;
};

template <class C>
std::unique_ptr<Kernel> prepare_typed(Pool &pool, const mpt_mod_call &call) {
    const Plan plan(call.in[0], call.out[0]);
    if (plan.row) return std::make_unique<RowReduce<C>>(pool, call, plan);
    return std::make_unique<ColumnReduce<C>>(pool, call, plan);
}

}  // namespace

static std::unique_ptr<Kernel> prepare_reduce(Pool &pool, const mpt_mod_call &call) {
    return call.in[0].dtype == MPT_F64 ? prepare_typed<double>(pool, call) : prepare_typed<float>(pool, call);
}

static const RegisteredKernel registered_reduce("reduce", prepare_reduce);

}  // namespace mpt::cpu
