// One mechanism for all kernels that compute each output element from the input elements at the same place.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "operand.h"
#include "rows.h"

namespace mpt::cpu {

// C: the type computed in. N inputs. Operands that hold values of C in one run are used where they lie; others pass
// through buffers that stay in the first-level cache.
template <class C, int N>
class Elementwise {
    static_assert(N + 1 <= Loop::kOperands);

public:
    Elementwise(const char *kernel, const mpt_mod_operand &out, const std::array<const mpt_mod_operand *, N> &in) {
        if constexpr (N == 1)
            loop_ = Loop(kernel, {&out, in[0]});
        else if constexpr (N == 2)
            loop_ = Loop(kernel, {&out, in[0], in[1]});
        else
            loop_ = Loop(kernel, {&out, in[0], in[1], in[2]});

        store_ = storer<C>(out.dtype);
        bytes_[0] = bytes_of(out.dtype);
        if (!store_) unsupported_dtype(kernel, out.dtype);
        for (int i = 0; i < N; i++) {
            load_[i] = loader<C>(in[i]->dtype);
            bytes_[i + 1] = bytes_of(in[i]->dtype);
            if (!load_[i]) unsupported_dtype(kernel, in[i]->dtype);
        }

        tiling_ = Tiling(loop_, kGrain);
        bool all = true;
        for (int k = 0; k <= N; k++) all &= direct(k, k == 0 ? out.dtype : in[k - 1]->dtype);
        if (!all) tiling_ = transposed() ? Tiling(loop_, 16, kBuffer / 16) : Tiling(loop_, kBuffer);
        for (int k = 0; k <= N; k++) direct_[k] = direct(k, k == 0 ? out.dtype : in[k - 1]->dtype);
    }

    // row(x, y, n): y[i] from x[0][i], x[1][i], ...; y may be one of the inputs.
    template <class Row>
    void run(Pool &pool, const void *const *in, void *out, Row &&row) const {
        for_tiles(pool, loop_, tiling_, [&](const Tile &tile) {
            alignas(64) C buffer[N + 1][kBuffer];
            const C *x[N];
            for (int i = 0; i < N; i++) {
                const auto *at =
                    static_cast<const std::byte *>(in[i]) + tile.offset[i + 1] * static_cast<std::int64_t>(bytes_[i + 1]);
                if (direct_[i + 1]) {
                    x[i] = reinterpret_cast<const C *>(at);
                } else {
                    load_[i](at, tile.rows, loop_.outer_stride(i + 1), tile.n, loop_.inner_stride(i + 1), buffer[i + 1]);
                    x[i] = buffer[i + 1];
                }
            }
            auto *at = static_cast<std::byte *>(out) + tile.offset[0] * static_cast<std::int64_t>(bytes_[0]);
            if (direct_[0]) {
                row(x, reinterpret_cast<C *>(at), tile.rows * tile.n);
            } else {
                row(x, buffer[0], tile.rows * tile.n);
                store_(buffer[0], at, tile.rows, loop_.outer_stride(0), tile.n, loop_.inner_stride(0));
            }
        });
    }

private:
    static constexpr std::int64_t kBuffer = 512;

    bool direct(int k, std::int32_t dtype) const {
        return dtype == dtype_of<C>() && loop_.inner_stride(k) == 1 &&
               (tiling_.rows == 1 || loop_.outer_stride(k) == tiling_.width);
    }

    // An input runs along the other dimension: square-like tiles use whole cache lines of both.
    bool transposed() const {
        if (loop_.ndim < 2 || loop_.inner() < 32) return false;
        for (int k = 1; k <= N; k++)
            if (loop_.outer_stride(k) == 1 && loop_.inner_stride(k) > 1) return true;
        return false;
    }

    Loop loop_;
    Tiling tiling_;
    Store<C> store_;
    Load<C> load_[N];
    std::size_t bytes_[N + 1];
    bool direct_[N + 1];
};

}  // namespace mpt::cpu
