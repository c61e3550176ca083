// "fill" of device/attrs/.
#include <cstddef>

#include "device/attrs/data.h"
#include "kernel.h"
#include "operand.h"
#include "rows.h"

namespace mpt::cpu {
namespace {

class Fill final : public Kernel {
public:
    Fill(Pool &pool, const mpt_mod_call &call)
        : pool_(pool),
          loop_("fill", {&call.out[0]}),
          tiling_(loop_, kGrain),
          bytes_(bytes_of(call.out[0].dtype)),
          move_(mover(bytes_)) {
        const Store<double> store = storer<double>(call.out[0].dtype);
        if (!store) unsupported_dtype("fill", call.out[0].dtype);
        const double value = attrs_of<mpt_attrs_fill>(call).value;
        store(&value, element_, 1, 1, 1, 1);
    }

    void launch(const void *const *, void *const *out, void *) override {
        for_tiles(pool_, loop_, tiling_, [&](const Tile &tile) {
            auto *at = static_cast<std::byte *>(out[0]) + tile.offset[0] * static_cast<std::int64_t>(bytes_);
            move_(element_, 0, 0, at, loop_.outer_stride(0), loop_.inner_stride(0), tile.rows, tile.n);
        });
    }

    const char *name() const override { return "cpu:fill"; }

private:
    Pool &pool_;
    Loop loop_;
    Tiling tiling_;
    std::size_t bytes_;
    Move move_;
    alignas(8) std::byte element_[8] = {};
};

}  // namespace

static std::unique_ptr<Kernel> prepare_fill(Pool &pool, const mpt_mod_call &call) {
    return std::make_unique<Fill>(pool, call);
}

static const RegisteredKernel registered_fill("fill", prepare_fill);

}  // namespace mpt::cpu
