// "copy" of device/attrs/: one dtype and layout to another.
#include <algorithm>
#include <cstddef>

#include "kernel.h"
#include "operand.h"
#include "rows.h"

namespace mpt::cpu {
namespace {

// Tiles of a copy: long runs where both sides lie in one order, else near-square pieces that use whole cache lines of both.
Tiling copy_tiling(const Loop &loop, std::int64_t most) {
    const bool transposed = loop.ndim > 1 && loop.inner() >= 32 && loop.outer_stride(1) == 1 && loop.inner_stride(1) > 1;
    return transposed ? Tiling(loop, kTransposedTile / 32, 32) : Tiling(loop, most);
}

// The same dtype: bits are moved and never change.
class SameDtype final : public Kernel {
public:
    SameDtype(Pool &pool, const mpt_mod_call &call)
        : pool_(pool),
          loop_("copy", {&call.out[0], &call.in[0]}),
          tiling_(copy_tiling(loop_, kGrain)),
          bytes_(static_cast<std::int64_t>(bytes_of(call.out[0].dtype))),
          move_(mover(static_cast<std::size_t>(bytes_))) {
        if (!move_) unsupported_dtype("copy", call.out[0].dtype);
    }

    void launch(const void *const *in, void *const *out, void *) override {
        for_tiles(pool_, loop_, tiling_, [&](const Tile &tile) {
            const auto *from = static_cast<const std::byte *>(in[0]) + tile.offset[1] * bytes_;
            auto *to = static_cast<std::byte *>(out[0]) + tile.offset[0] * bytes_;
            move_(from, loop_.outer_stride(1), loop_.inner_stride(1), to, loop_.outer_stride(0), loop_.inner_stride(0), tile.rows,
                  tile.n);
        });
    }

    const char *name() const override { return "cpu:copy"; }

private:
    Pool &pool_;
    Loop loop_;
    Tiling tiling_;
    std::int64_t bytes_;
    Move move_;
};

// C: a type that holds every value of the source.
template <class C>
class Convert final : public Kernel {
public:
    Convert(Pool &pool, const mpt_mod_call &call)
        : pool_(pool),
          loop_("copy", {&call.out[0], &call.in[0]}),
          load_(loader<C>(call.in[0].dtype)),
          store_(storer<C>(call.out[0].dtype)) {
        if (!load_) unsupported_dtype("copy", call.in[0].dtype);
        if (!store_) unsupported_dtype("copy", call.out[0].dtype);
        bytes_[0] = static_cast<std::int64_t>(bytes_of(call.out[0].dtype));
        bytes_[1] = static_cast<std::int64_t>(bytes_of(call.in[0].dtype));
        // Where one side holds values of C in one run, the other side's function does all in one pass.
        tiling_ = copy_tiling(loop_, kGrain);
        from_source_ = direct(1, call.in[0].dtype);
        to_target_ = !from_source_ && direct(0, call.out[0].dtype);
        if (!from_source_ && !to_target_) tiling_ = copy_tiling(loop_, kBuffer);
    }

    void launch(const void *const *in, void *const *out, void *) override {
        for_tiles(pool_, loop_, tiling_, [&](const Tile &tile) {
            const auto *from = static_cast<const std::byte *>(in[0]) + tile.offset[1] * bytes_[1];
            auto *to = static_cast<std::byte *>(out[0]) + tile.offset[0] * bytes_[0];
            alignas(64) C buffer[kBuffer];
            C *values = to_target_ ? reinterpret_cast<C *>(to) : buffer;
            if (!from_source_) load_(from, tile.rows, loop_.outer_stride(1), tile.n, loop_.inner_stride(1), values);
            const C *result = from_source_ ? reinterpret_cast<const C *>(from) : buffer;
            if (!to_target_) store_(result, to, tile.rows, loop_.outer_stride(0), tile.n, loop_.inner_stride(0));
        });
    }

    const char *name() const override { return "cpu:copy"; }

private:
    static constexpr std::int64_t kBuffer = kTransposedTile;

    bool direct(int k, std::int32_t dtype) const {
        return dtype == dtype_of<C>() && loop_.inner_stride(k) == 1 &&
               (tiling_.rows == 1 || loop_.outer_stride(k) == tiling_.width);
    }

    Pool &pool_;
    Loop loop_;
    Tiling tiling_;
    Load<C> load_;
    Store<C> store_;
    std::int64_t bytes_[2];
    bool from_source_, to_target_;
};

}  // namespace

static std::unique_ptr<Kernel> prepare_copy(Pool &pool, const mpt_mod_call &call) {
    const std::int32_t from = call.in[0].dtype, to = call.out[0].dtype;
    if (from == to) return std::make_unique<SameDtype>(pool, call);
    const auto small = [](std::int32_t dtype) { return dtype == MPT_F8E4M3 || dtype == MPT_F8E5M2; };
    if (!is_float(from) && !small(from)) return std::make_unique<Convert<std::int64_t>>(pool, call);
    if (from != MPT_F64 && (is_float(to) || small(to))) return std::make_unique<Convert<float>>(pool, call);
    return std::make_unique<Convert<double>>(pool, call);
}

static const RegisteredKernel registered_copy("copy", prepare_copy);

}  // namespace mpt::cpu
