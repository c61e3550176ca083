// "where" of device/attrs/: elements are chosen as bits, so only their size matters.
#include <cstddef>
#include <cstdint>

#include "isa.h"
#include "kernel.h"
#include "operand.h"
#include "rows.h"

namespace mpt::cpu {
namespace {

constexpr std::int64_t kBuffer = 512;

// Absent operands are zeros.
template <class U, bool HasA, bool HasB>
void where_row(const std::uint8_t *condition, const void *a_at, const void *b_at, void *y_at, std::int64_t n) {
    const U *a = static_cast<const U *>(a_at), *b = static_cast<const U *>(b_at);
    U *y = static_cast<U *>(y_at);
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < n; i++) {
        // Masks: a choice between two loads would become a branch.
        const U mask = static_cast<U>(U{0} - static_cast<U>(condition[i] != 0));
        U chosen = 0;
        if constexpr (HasA) chosen = static_cast<U>(a[i] & mask);
        if constexpr (HasB) chosen = static_cast<U>(chosen | (b[i] & static_cast<U>(~mask)));
        y[i] = chosen;
    }
}

using Row = void (*)(const std::uint8_t *, const void *, const void *, void *, std::int64_t);

template <class U>
Row row_of(bool a, bool b) {
    if (a && b) return Versions<&where_row<U, true, true>>::best();
    if (a) return Versions<&where_row<U, true, false>>::best();
    return Versions<&where_row<U, false, true>>::best();
}

Row row_of(std::int64_t bytes, bool a, bool b) {
    switch (bytes) {
        case 1:
            return row_of<std::uint8_t>(a, b);
        case 2:
            return row_of<std::uint16_t>(a, b);
        case 4:
            return row_of<std::uint32_t>(a, b);
        default:
            return row_of<std::uint64_t>(a, b);
    }
}

class Where final : public Kernel {
public:
    Where(Pool &pool, const mpt_mod_call &call)
        : pool_(pool),
          has_{true, true, call.in[1].dtype != MPT_DTYPE_NONE, call.in[2].dtype != MPT_DTYPE_NONE},
          // An absent operand stands in the loop as its neighbour does.
          loop_("where", {&call.out[0], &call.in[0], &call.in[has_[2] ? 1 : 2], &call.in[has_[3] ? 2 : 1]}) {
        const auto bytes = static_cast<std::int64_t>(bytes_of(call.out[0].dtype));
        if (bytes == 0) unsupported_dtype("where", call.out[0].dtype);
        for (int k = 0; k < 4; k++) {
            bytes_[k] = k == 1 ? 1 : bytes;
            move_[k] = mover(static_cast<std::size_t>(bytes_[k]));
        }
        row_ = row_of(bytes, has_[2], has_[3]);
        tiling_ = Tiling(loop_, kGrain);
        bool all = true;
        for (int k = 0; k < 4; k++) all &= !has_[k] || direct(k);
        if (!all) tiling_ = Tiling(loop_, kBuffer);
        for (int k = 0; k < 4; k++) direct_[k] = direct(k);
    }

    void launch(const void *const *in, void *const *out, void *) override {
        for_tiles(pool_, loop_, tiling_, [&](const Tile &tile) {
            alignas(64) std::byte buffer[4][kBuffer * 8];
            const void *x[4] = {};
            for (int k = 1; k < 4; k++) {
                if (!has_[k]) continue;
                x[k] = static_cast<const std::byte *>(in[k - 1]) + tile.offset[k] * bytes_[k];
                if (direct_[k]) continue;
                move_[k](x[k], loop_.outer_stride(k), loop_.inner_stride(k), buffer[k], tile.n, 1, tile.rows, tile.n);
                x[k] = buffer[k];
            }
            std::byte *y = static_cast<std::byte *>(out[0]) + tile.offset[0] * bytes_[0];
            void *to = direct_[0] ? y : buffer[0];
            row_(static_cast<const std::uint8_t *>(x[1]), x[2], x[3], to, tile.rows * tile.n);
            if (!direct_[0]) move_[0](buffer[0], tile.n, 1, y, loop_.outer_stride(0), loop_.inner_stride(0), tile.rows, tile.n);
        });
    }

    const char *name() const override { return "cpu:where"; }

private:
    bool direct(int k) const { return loop_.inner_stride(k) == 1 && (tiling_.rows == 1 || loop_.outer_stride(k) == tiling_.width); }

    Pool &pool_;
    bool has_[4];  // out, condition, a, b
    Loop loop_;
    Tiling tiling_;
    std::int64_t bytes_[4];
    Move move_[4];
    bool direct_[4];
    Row row_;
};

}  // namespace

static std::unique_ptr<Kernel> prepare_where(Pool &pool, const mpt_mod_call &call) {
    return std::make_unique<Where>(pool, call);
}

static const RegisteredKernel registered_where("where", prepare_where);

}  // namespace mpt::cpu
