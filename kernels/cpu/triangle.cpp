// "triangle" of device/attrs/.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "device/attrs/shape.h"
#include "kernel.h"
#include "operand.h"
#include "rows.h"
#include "tiled_row.h"

namespace mpt::cpu {
namespace {

class Triangle final : public Kernel {
public:
    Triangle(Pool &pool, const mpt_mod_call &call) : pool_(pool), attrs_(attrs_of<mpt_attrs_triangle>(call)) {
        const mpt_mod_operand &x = call.in[0], &y = call.out[0];
        if (x.dtype != y.dtype || y.ndim < 2) throw Failure{MPT_ERROR_INTERNAL, "triangle: the operands do not fit"};
        bytes_ = static_cast<std::int64_t>(bytes_of(y.dtype));
        move_ = mover(static_cast<std::size_t>(bytes_));
        if (!move_) unsupported_dtype("triangle", y.dtype);
        const int last = y.ndim - 1;
        height_ = y.shape[last - 1];
        width_ = y.shape[last];
        for (int k = 0; k < 2; k++) {
            const mpt_mod_operand &operand = k == 0 ? y : x;
            row_step_[k] = operand.strides[last - 1];
            step_[k] = operand.strides[last];
        }
        const mpt_mod_operand to = without_dim(without_dim(y, last), last - 1), from = without_dim(without_dim(x, last), last - 1);
        loop_ = Loop("triangle", {&to, &from});
    }

    void launch(const void *const *in, void *const *out, void *) override {
        const auto *x = static_cast<const std::byte *>(in[0]);
        auto *y = static_cast<std::byte *>(out[0]);
        pool_.for_range(loop_.count * height_, (kGrain + width_ - 1) / width_, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t r = begin; r < end; r++) {
                const std::int64_t matrix = r / height_, i = r % height_;
                std::int64_t offset[Loop::kOperands];
                loop_.locate(matrix / loop_.inner(), offset);
                for (int k = 0; k < 2; k++) offset[k] += matrix % loop_.inner() * loop_.inner_stride(k) + i * row_step_[k];
                // The first column behind the lower triangle, or of the upper one; diagonal may be any number.
                const std::int64_t border =
                    attrs_.diagonal > width_ ? width_ : i + std::max(attrs_.diagonal, -height_) + (attrs_.upper ? 0 : 1);
                const std::int64_t edge = std::clamp<std::int64_t>(border, 0, width_);
                const std::int64_t begin_kept = attrs_.upper ? edge : 0, end_kept = attrs_.upper ? width_ : edge;
                std::byte *row = y + offset[0] * bytes_;
                clear(row, 0, begin_kept);
                move_(x + (offset[1] + begin_kept * step_[1]) * bytes_, 0, step_[1], row + begin_kept * step_[0] * bytes_, 0,
                      step_[0], 1, end_kept - begin_kept);
                clear(row, end_kept, width_);
            }
        });
    }

    const char *name() const override { return "cpu:triangle"; }

private:
    void clear(std::byte *row, std::int64_t begin, std::int64_t end) const {
        constexpr std::byte kZero[8] = {};  // in every format
        move_(kZero, 0, 0, row + begin * step_[0] * bytes_, 0, step_[0], 1, end - begin);
    }

    Pool &pool_;
    mpt_attrs_triangle attrs_;
    std::int64_t bytes_, height_, width_;
    std::int64_t row_step_[2], step_[2];  // of output and input
    Loop loop_;
    Move move_;
};

}  // namespace

static std::unique_ptr<Kernel> prepare_triangle(Pool &pool, const mpt_mod_call &call) {
    return std::make_unique<Triangle>(pool, call);
}

static const RegisteredKernel registered_triangle("triangle", prepare_triangle);

}  // namespace mpt::cpu
