// "gather" and "index_select" of device/attrs/: elements one by one, or whole runs of them.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "device/attrs/index.h"
#include "kernel.h"
#include "operand.h"
#include "rows.h"
#include "tiled_row.h"

namespace mpt::cpu {
namespace {

// What both know of their source.
class Source : public Kernel {
protected:
    Source(Pool &pool, const mpt_mod_call &call) : pool_(pool), attrs_(attrs_of<mpt_attrs_index>(call)) {
        const mpt_mod_operand &x = call.in[0], &index = call.in[1], &y = call.out[0];
        if (attrs_.dim < 0 || attrs_.dim >= x.ndim || y.dtype != x.dtype)
            throw Failure{MPT_ERROR_INTERNAL, std::string(call.kernel) + ": the operands do not fit"};
        extent_ = static_cast<std::uint64_t>(x.shape[attrs_.dim]);
        step_ = x.strides[attrs_.dim];
        bytes_ = static_cast<std::int64_t>(bytes_of(y.dtype));
        load_ = loader<std::int64_t>(index.dtype);
        const Store<double> store = storer<double>(y.dtype);
        if (!store) unsupported_dtype(call.kernel, y.dtype);
        if (!load_) unsupported_dtype(call.kernel, index.dtype);
        index_bytes_ = static_cast<std::int64_t>(bytes_of(index.dtype));
        const double outside = is_float(y.dtype) && attrs_.zero == 0 ? std::numeric_limits<double>::quiet_NaN() : 0;
        store(&outside, outside_, 1, 1, 1, 1);
    }

    bool inside(std::int64_t i) const { return static_cast<std::uint64_t>(i) < extent_; }

    Pool &pool_;
    mpt_attrs_index attrs_;
    std::uint64_t extent_;
    std::int64_t step_, bytes_, index_bytes_;
    Load<std::int64_t> load_;
    alignas(8) std::byte outside_[8] = {};  // an element
};

// U: an element's bits.
template <class U>
class Gather final : public Source {
public:
    // index has y's shape, by strides of 0 where it is one for several elements.
    Gather(Pool &pool, const mpt_mod_call &call, const mpt_mod_operand &index) : Source(pool, call) {
        mpt_mod_operand x = call.in[0];
        std::copy_n(index.shape, index.ndim, x.shape);
        x.strides[attrs_.dim] = 0;
        loop_ = Loop(call.kernel, {&call.out[0], &index, &x});
        tiling_ = Tiling(loop_, kTile);
    }

    void launch(const void *const *in, void *const *out, void *) override {
        U outside;
        std::copy_n(outside_, sizeof outside, reinterpret_cast<std::byte *>(&outside));
        for_tiles(pool_, loop_, tiling_, [&](const Tile &tile) {
            const auto *x = static_cast<const U *>(in[0]) + tile.offset[2];
            const auto *index = static_cast<const std::byte *>(in[1]) + tile.offset[1] * index_bytes_;
            auto *y = static_cast<U *>(out[0]) + tile.offset[0];
            std::int64_t at[kTile];
            load_(index, tile.rows, loop_.outer_stride(1), tile.n, loop_.inner_stride(1), at);
            const std::int64_t to = loop_.inner_stride(0), from = loop_.inner_stride(2);
            for (std::int64_t r = 0; r < tile.rows; r++) {
                const std::int64_t *i = at + r * tile.n;
                for (std::int64_t j = 0; j < tile.n; j++) y[j * to] = inside(i[j]) ? x[j * from + i[j] * step_] : outside;
                x += loop_.outer_stride(2);
                y += loop_.outer_stride(0);
            }
        });
    }

    const char *name() const override { return "cpu:gather"; }

private:
    static constexpr std::int64_t kTile = 1024;
    Loop loop_;
    Tiling tiling_;
};

// The runs along another dimension, each moved as a whole.
class Runs final : public Source {
public:
    Runs(Pool &pool, const mpt_mod_call &call, const Loop &loop)
        : Source(pool, call), loop_(loop), move_(mover(static_cast<std::size_t>(bytes_))) {
        count_ = call.in[1].shape[0];
        index_step_ = call.in[1].strides[0];
        out_step_ = call.out[0].strides[attrs_.dim];
        width_ = std::min(loop_.inner(), kGrain);
        across_ = (loop_.inner() + width_ - 1) / width_;
    }

    void launch(const void *const *in, void *const *out, void *) override {
        const auto *x = static_cast<const std::byte *>(in[0]);
        const auto *index = static_cast<const std::byte *>(in[1]);
        auto *y = static_cast<std::byte *>(out[0]);
        const std::int64_t rows = loop_.count / loop_.inner();
        pool_.for_range(rows * count_ * across_, (kGrain + width_ - 1) / width_, [&](std::int64_t begin, std::int64_t end) {
            std::int64_t offset[Loop::kOperands], row = -1;
            for (std::int64_t t = begin; t < end; t++) {
                const std::int64_t k = t / across_ % count_, column = t % across_ * width_;
                if (t / across_ / count_ != row) loop_.locate(row = t / across_ / count_, offset);
                std::int64_t i;
                load_(index + k * index_step_ * index_bytes_, 1, 1, 1, 1, &i);
                const std::int64_t n = std::min(width_, loop_.inner() - column);
                auto *to = y + (offset[0] + column * loop_.inner_stride(0) + k * out_step_) * bytes_;
                if (inside(i))
                    move_(x + (offset[1] + column * loop_.inner_stride(1) + i * step_) * bytes_, n, loop_.inner_stride(1), to, n,
                          loop_.inner_stride(0), 1, n);
                else
                    move_(outside_, 0, 0, to, n, loop_.inner_stride(0), 1, n);
            }
        });
    }

    const char *name() const override { return "cpu:index_select"; }

private:
    Loop loop_;
    Move move_;
    std::int64_t count_, index_step_, out_step_, width_, across_;
};

std::unique_ptr<Kernel> gather_of(Pool &pool, const mpt_mod_call &call, const mpt_mod_operand &index) {
    switch (bytes_of(call.out[0].dtype)) {
        case 1:
            return std::make_unique<Gather<std::uint8_t>>(pool, call, index);
        case 2:
            return std::make_unique<Gather<std::uint16_t>>(pool, call, index);
        case 4:
            return std::make_unique<Gather<std::uint32_t>>(pool, call, index);
        case 8:
            return std::make_unique<Gather<std::uint64_t>>(pool, call, index);
        default:
            unsupported_dtype(call.kernel, call.out[0].dtype);
    }
}

}  // namespace

static std::unique_ptr<Kernel> prepare_gather(Pool &pool, const mpt_mod_call &call) {
    return gather_of(pool, call, call.in[1]);
}

static std::unique_ptr<Kernel> prepare_index_select(Pool &pool, const mpt_mod_call &call) {
    const mpt_mod_operand &y = call.out[0];
    const std::int32_t dim = attrs_of<mpt_attrs_index>(call).dim;
    const mpt_mod_operand to = without_dim(y, dim), from = without_dim(call.in[0], dim);
    const Loop loop(call.kernel, {&to, &from});
    constexpr std::int64_t kShort = 8;
    if (y.strides[dim] != 1 && loop.inner() >= kShort) return std::make_unique<Runs>(pool, call, loop);
    mpt_mod_operand index = y;
    index.dtype = call.in[1].dtype;
    std::fill_n(index.strides, index.ndim, 0);
    index.strides[dim] = call.in[1].strides[0];
    return gather_of(pool, call, index);
}

static const RegisteredKernel registered_gather("gather", prepare_gather);
static const RegisteredKernel registered_index_select("index_select", prepare_index_select);

}  // namespace mpt::cpu
