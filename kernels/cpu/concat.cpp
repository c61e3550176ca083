// "concat" of device/attrs/: a copy into a part of the output for each input, all shared by the threads at once.
#include <algorithm>
#include <cstddef>
#include <vector>

#include "device/attrs/shape.h"
#include "kernel.h"
#include "operand.h"
#include "rows.h"

namespace mpt::cpu {
namespace {

class Concat final : public Kernel {
public:
    Concat(Pool &pool, const mpt_mod_call &call) : pool_(pool) {
        const mpt_mod_operand &y = call.out[0];
        const std::int64_t dim = attrs_of<mpt_attrs_concat>(call).dim;
        bytes_ = static_cast<std::int64_t>(bytes_of(y.dtype));
        move_ = mover(static_cast<std::size_t>(bytes_));
        if (!move_) unsupported_dtype("concat", y.dtype);
        if (dim < 0 || dim >= y.ndim) throw Failure{MPT_ERROR_INTERNAL, "concat: dim is outside its range"};
        std::int64_t place = 0;
        for (int i = 0; i < call.n_in; i++) {
            const mpt_mod_operand &x = call.in[i];
            if (x.dtype != y.dtype) throw Failure{MPT_ERROR_INTERNAL, "concat: operands of different dtypes"};
            mpt_mod_operand to = y;
            to.shape[dim] = x.shape[dim];
            const Loop loop("concat", {&to, &x});
            if (loop.count > 0) parts_.push_back({i, place * y.strides[dim], tiles_, loop, Tiling(loop, kGrain)});
            if (loop.count > 0) tiles_ += parts_.back().tiling.count;
            place += x.shape[dim];
        }
        elements_ = numel(y);
    }

    void launch(const void *const *in, void *const *out, void *) override {
        // Many small inputs: as many tiles to a thread as make it worth waking.
        const std::int64_t grain = elements_ > 0 ? (tiles_ * kGrain + elements_ - 1) / elements_ : 1;
        pool_.for_range(tiles_, grain, [&](std::int64_t begin, std::int64_t end) {
            auto part =
                std::upper_bound(parts_.begin(), parts_.end(), begin, [](std::int64_t t, const Part &p) { return t < p.first; }) -
                1;
            for (std::int64_t t = begin; t < end; part++) {
                Tile tile = part->tiling.at(part->loop, t - part->first);
                for (;; part->tiling.advance(part->loop, tile)) {
                    move(*part, tile, in, out);
                    if (++t == end || tile.index + 1 == part->tiling.count) break;
                }
            }
        });
    }

    const char *name() const override { return "cpu:concat"; }

private:
    struct Part {
        int input;
        std::int64_t place;  // of its first element in the output
        std::int64_t first;  // tile
        Loop loop;
        Tiling tiling;
    };

    void move(const Part &part, const Tile &tile, const void *const *in, void *const *out) const {
        const Loop &loop = part.loop;
        move_(static_cast<const std::byte *>(in[part.input]) + tile.offset[1] * bytes_, loop.outer_stride(1), loop.inner_stride(1),
              static_cast<std::byte *>(out[0]) + (part.place + tile.offset[0]) * bytes_, loop.outer_stride(0), loop.inner_stride(0),
              tile.rows, tile.n);
    }

    Pool &pool_;
    std::int64_t bytes_, tiles_ = 0, elements_;
    Move move_;
    std::vector<Part> parts_;
};

}  // namespace

static std::unique_ptr<Kernel> prepare_concat(Pool &pool, const mpt_mod_call &call) {
    return std::make_unique<Concat>(pool, call);
}

static const RegisteredKernel registered_concat("concat", prepare_concat);

}  // namespace mpt::cpu
