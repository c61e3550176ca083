// "one_hot" of device/attrs/.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "device/attrs/index.h"
#include "kernel.h"
#include "operand.h"
#include "rows.h"
#include "tiled_row.h"

namespace mpt::cpu {
namespace {

class OneHot final : public Kernel {
public:
    OneHot(Pool &pool, const mpt_mod_call &call) : pool_(pool) {
        const mpt_mod_operand &index = call.in[0], &y = call.out[0];
        classes_ = y.shape[y.ndim - 1];
        stride_ = y.strides[y.ndim - 1];
        bytes_ = static_cast<std::int64_t>(bytes_of(y.dtype));
        index_bytes_ = static_cast<std::int64_t>(bytes_of(index.dtype));
        load_ = loader<std::int64_t>(index.dtype);
        move_ = mover(static_cast<std::size_t>(bytes_));
        const Store<double> store = storer<double>(y.dtype);
        if (!load_) unsupported_dtype("one_hot", index.dtype);
        if (!store) unsupported_dtype("one_hot", y.dtype);
        const double one = 1;
        store(&one, one_, 1, 1, 1, 1);
        const mpt_mod_operand rows = without_dim(y, y.ndim - 1);
        loop_ = Loop("one_hot", {&rows, &index});
        tiling_ = Tiling(loop_, std::clamp<std::int64_t>(kGrain / std::max<std::int64_t>(classes_, 1), 1, kTile));
    }

    void launch(const void *const *in, void *const *out, void *) override {
        const std::int64_t size = tiling_.rows * tiling_.width * std::max<std::int64_t>(classes_, 1);
        pool_.for_range(tiling_.count, (kGrain + size - 1) / size, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t t = begin; t < end; t++) {
                const Tile tile = tiling_.at(loop_, t);
                std::int64_t at[kTile];
                load_(static_cast<const std::byte *>(in[0]) + tile.offset[1] * index_bytes_, tile.rows, loop_.outer_stride(1),
                      tile.n, loop_.inner_stride(1), at);
                for (std::int64_t i = 0; i < tile.rows * tile.n; i++) {
                    const std::int64_t row =
                        tile.offset[0] + i / tile.n * loop_.outer_stride(0) + i % tile.n * loop_.inner_stride(0);
                    write(static_cast<std::byte *>(out[0]) + row * bytes_, at[i]);
                }
            }
        });
    }

    const char *name() const override { return "cpu:one_hot"; }

private:
    static constexpr std::int64_t kTile = 256;

    void write(std::byte *row, std::int64_t hot) const {
        constexpr std::byte kZero[8] = {};  // in every format
        move_(kZero, 0, 0, row, 0, stride_, 1, classes_);
        if (hot >= 0 && hot < classes_) std::memcpy(row + hot * stride_ * bytes_, one_, static_cast<std::size_t>(bytes_));
    }

    Pool &pool_;
    std::int64_t classes_, stride_, bytes_, index_bytes_;
    Load<std::int64_t> load_;
    Move move_;
    Loop loop_;
    Tiling tiling_;
    alignas(8) std::byte one_[8] = {};
};

}  // namespace

static std::unique_ptr<Kernel> prepare_one_hot(Pool &pool, const mpt_mod_call &call) {
    return std::make_unique<OneHot>(pool, call);
}

static const RegisteredKernel registered_one_hot("one_hot", prepare_one_hot);

}  // namespace mpt::cpu
