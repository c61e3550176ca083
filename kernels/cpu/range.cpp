// "range" of device/attrs/.
#include <cstddef>
#include <cstdint>

#include "device/attrs/shape.h"
#include "kernel.h"
#include "operand.h"
#include "rows.h"

namespace mpt::cpu {
namespace {

class Range final : public Kernel {
public:
    Range(Pool &pool, const mpt_mod_call &call)
        : pool_(pool),
          attrs_(attrs_of<mpt_attrs_range>(call)),
          bytes_(static_cast<std::int64_t>(bytes_of(call.out[0].dtype))),
          store_(storer<double>(call.out[0].dtype)) {
        if (!store_) unsupported_dtype("range", call.out[0].dtype);
        // An operand whose offsets are the positions in logical order.
        mpt_mod_operand position = call.out[0];
        std::int64_t stride = 1;
        for (int d = position.ndim - 1; d >= 0; d--) {
            position.strides[d] = stride;
            stride *= position.shape[d];
        }
        loop_ = Loop("range", {&call.out[0], &position});
        tiling_ = Tiling(loop_, kTile);
    }

    void launch(const void *const *, void *const *out, void *) override {
        for_tiles(pool_, loop_, tiling_, [&](const Tile &tile) {
            double values[kTile];
            for (std::int64_t r = 0; r < tile.rows; r++) {
                const std::int64_t first = tile.offset[1] + r * loop_.outer_stride(1);
                for (std::int64_t j = 0; j < tile.n; j++)
                    values[r * tile.n + j] = attrs_.start + static_cast<double>(first + j * loop_.inner_stride(1)) * attrs_.step;
            }
            store_(values, static_cast<std::byte *>(out[0]) + tile.offset[0] * bytes_, tile.rows, loop_.outer_stride(0), tile.n,
                   loop_.inner_stride(0));
        });
    }

    const char *name() const override { return "cpu:range"; }

private:
    static constexpr std::int64_t kTile = 1024;
    Pool &pool_;
    mpt_attrs_range attrs_;
    std::int64_t bytes_;
    Store<double> store_;
    Loop loop_;
    Tiling tiling_;
};

}  // namespace

static std::unique_ptr<Kernel> prepare_range(Pool &pool, const mpt_mod_call &call) {
    return std::make_unique<Range>(pool, call);
}

static const RegisteredKernel registered_range("range", prepare_range);

}  // namespace mpt::cpu
