// "scatter_add" of device/attrs/. What is added to one element comes along dim, in order, by one thread: the additions of
// different lines along dim never meet.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "device/attrs/index.h"
#include "kernel.h"
#include "operand.h"
#include "rows.h"
#include "tiled_row.h"

namespace mpt::cpu {
namespace {

mpt_mod_operand contiguous_like(const mpt_mod_operand &x, std::int32_t dtype) {
    mpt_mod_operand out = x;
    out.dtype = dtype;
    std::int64_t stride = 1;
    for (int d = x.ndim - 1; d >= 0; d--) {
        out.strides[d] = stride;
        stride *= x.shape[d];
    }
    return out;
}

// C: what is added in. 16-bit sums stand in the workspace until all is added.
template <class C>
class ScatterAdd final : public Kernel {
public:
    ScatterAdd(Pool &pool, const mpt_mod_call &call) : pool_(pool) {
        const mpt_mod_operand &x = call.in[0], &index = call.in[1], &src = call.in[2], &y = call.out[0];
        const std::int32_t dim = attrs_of<mpt_attrs_index>(call).dim;
        if (dim < 0 || dim >= x.ndim || src.dtype != y.dtype || x.dtype != y.dtype)
            throw Failure{MPT_ERROR_INTERNAL, "scatter_add: the operands do not fit"};
        load_ = loader<C>(y.dtype);
        load_index_ = loader<std::int64_t>(index.dtype);
        store_ = storer<C>(y.dtype);
        if (!load_) unsupported_dtype("scatter_add", y.dtype);
        if (!load_index_) unsupported_dtype("scatter_add", index.dtype);
        bytes_ = static_cast<std::int64_t>(bytes_of(y.dtype));
        index_bytes_ = static_cast<std::int64_t>(bytes_of(index.dtype));

        direct_ = y.dtype == dtype_of<C>();
        const mpt_mod_operand sums = direct_ ? y : contiguous_like(y, dtype_of<C>());
        if (!direct_) workspace_bytes = static_cast<std::size_t>(numel(y)) * sizeof(C);
        same_ = same_layout(x, y);
        begin_ = Loop("scatter_add", {&sums, &x});
        begin_tiling_ = Tiling(begin_, kBuffer);
        end_ = Loop("scatter_add", {&y, &sums});
        end_tiling_ = Tiling(end_, kBuffer);

        mpt_mod_operand places = sums;
        std::copy_n(index.shape, index.ndim, places.shape);
        const mpt_mod_operand to = without_dim(places, dim), at = without_dim(index, dim), from = without_dim(src, dim);
        lines_ = Loop("scatter_add", {&to, &at, &from});
        count_ = index.shape[dim];
        extent_ = static_cast<std::uint64_t>(y.shape[dim]);
        step_ = sums.strides[dim];
        index_step_ = index.strides[dim];
        src_step_ = src.strides[dim];
        width_ = std::clamp<std::int64_t>(lines_.inner(), 1, kWidth);
        across_ = (lines_.inner() + width_ - 1) / width_;
        along_ = lines_.inner() < 8 || src_step_ == 1;
    }

    void launch(const void *const *in, void *const *out, void *workspace) override {
        C *sums = static_cast<C *>(direct_ ? out[0] : workspace);
        if (!direct_ || !same_ || in[0] != out[0]) begin(in[0], sums);
        if (count_ > 0 && lines_.count > 0) add(in[1], in[2], sums);
        if (!direct_) end(sums, out[0]);
    }

    const char *name() const override { return "cpu:scatter_add"; }

private:
    static constexpr std::int64_t kBuffer = 2048, kWidth = 256;

    void begin(const void *x, C *sums) const {
        const Move move = mover(sizeof(C));
        for_tiles(pool_, begin_, begin_tiling_, [&](const Tile &tile) {
            const auto *from = static_cast<const std::byte *>(x) + tile.offset[1] * bytes_;
            C *to = sums + tile.offset[0];
            const std::int64_t row = begin_.outer_stride(1), step = begin_.inner_stride(1);
            if (direct_) {
                move(from, row, step, to, begin_.outer_stride(0), begin_.inner_stride(0), tile.rows, tile.n);
                return;
            }
            alignas(64) C buffer[kBuffer];
            load_(from, tile.rows, row, tile.n, step, buffer);
            move(buffer, tile.n, 1, to, begin_.outer_stride(0), begin_.inner_stride(0), tile.rows, tile.n);
        });
    }

    void end(const C *sums, void *y) const {
        const Move move = mover(sizeof(C));
        for_tiles(pool_, end_, end_tiling_, [&](const Tile &tile) {
            alignas(64) C buffer[kBuffer];
            move(sums + tile.offset[1], end_.outer_stride(1), end_.inner_stride(1), buffer, tile.n, 1, tile.rows, tile.n);
            store_(buffer, static_cast<std::byte *>(y) + tile.offset[0] * bytes_, tile.rows, end_.outer_stride(0), tile.n,
                   end_.inner_stride(0));
        });
    }

    void add(const void *index, const void *src, C *sums) const {
        const std::int64_t size = width_ * count_, rows = lines_.count / lines_.inner();
        pool_.for_range(rows * across_, (kGrain + size - 1) / size, [&](std::int64_t first, std::int64_t last) {
            for (std::int64_t t = first; t < last; t++) {
                std::int64_t offset[Loop::kOperands];
                lines_.locate(t / across_, offset);
                const std::int64_t column = t % across_ * width_;
                for (int k = 0; k < 3; k++) offset[k] += column * lines_.inner_stride(k);
                const auto *at = static_cast<const std::byte *>(index) + offset[1] * index_bytes_;
                const auto *from = static_cast<const std::byte *>(src) + offset[2] * bytes_;
                const std::int64_t n = std::min(width_, lines_.inner() - column);
                if (along_)
                    for (std::int64_t j = 0; j < n; j++)
                        add_line(at + j * lines_.inner_stride(1) * index_bytes_, from + j * lines_.inner_stride(2) * bytes_,
                                 sums + offset[0] + j * lines_.inner_stride(0));
                else
                    for (std::int64_t k = 0; k < count_; k++)
                        add_across(at + k * index_step_ * index_bytes_, from + k * src_step_ * bytes_, sums + offset[0], n);
            }
        });
    }

    // One line along dim.
    void add_line(const std::byte *at, const std::byte *from, C *to) const {
        std::int64_t i[kWidth];
        C v[kWidth];
        for (std::int64_t k = 0; k < count_; k += kWidth) {
            const std::int64_t n = std::min(kWidth, count_ - k);
            load_index_(at + k * index_step_ * index_bytes_, 1, n, n, index_step_, i);
            load_(from + k * src_step_ * bytes_, 1, n, n, src_step_, v);
            for (std::int64_t j = 0; j < n; j++)
                if (static_cast<std::uint64_t>(i[j]) < extent_) to[i[j] * step_] += v[j];
        }
    }

    // One element of each of n lines.
    void add_across(const std::byte *at, const std::byte *from, C *to, std::int64_t n) const {
        std::int64_t i[kWidth];
        C v[kWidth];
        load_index_(at, 1, n, n, lines_.inner_stride(1), i);
        load_(from, 1, n, n, lines_.inner_stride(2), v);
        const std::int64_t stride = lines_.inner_stride(0);
        for (std::int64_t j = 0; j < n; j++)
            if (static_cast<std::uint64_t>(i[j]) < extent_) to[j * stride + i[j] * step_] += v[j];
    }

    Pool &pool_;
    Load<C> load_;
    Load<std::int64_t> load_index_;
    Store<C> store_;
    std::int64_t bytes_, index_bytes_;
    bool direct_, same_, along_;
    Loop begin_, end_, lines_;
    Tiling begin_tiling_, end_tiling_;
    std::int64_t count_, step_, index_step_, src_step_, width_, across_;
    std::uint64_t extent_;
};

}  // namespace

static std::unique_ptr<Kernel> prepare_scatter_add(Pool &pool, const mpt_mod_call &call) {
    if (call.out[0].dtype == MPT_F64) return std::make_unique<ScatterAdd<double>>(pool, call);
    return std::make_unique<ScatterAdd<float>>(pool, call);
}

static const RegisteredKernel registered_scatter_add("scatter_add", prepare_scatter_add);

}  // namespace mpt::cpu
