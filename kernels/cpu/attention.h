// What "attention" and "attention_grad" share [Dao et al. 2022]: the scores are worked out block by block and never held as a
// whole. A block lies in memory as keys x queries (attention_rows.h): so every product takes its factors as they are, with queries
// and gradients transposed once per block of queries and nothing transposed per block of scores.
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "attention_rows.h"
#include "device/attrs/attention.h"
#include "gemm_micro.h"
#include "isa.h"
#include "kernel.h"
#include "operand.h"
#include "rows.h"
#include "runs.h"
#include "transpose.h"

namespace mpt::cpu {

// Matrices are held in panels of columns, two vectors wide (the last one or two), row by row, as the register tiles take their
// second factor; columns past the edge are 0.
template <class C>
class Panels {
public:
    explicit Panels(std::int64_t columns) : columns_(columns) {}

    std::int64_t columns() const { return columns_; }
    std::int64_t size(std::int64_t rows) const { return (columns_ + lanes_ - 1) / lanes_ * lanes_ * rows; }
    // f(first column, columns of the matrix in it, width, the panel's place in a matrix that holds `rows`)
    template <class F>
    void each(std::int64_t rows, F &&f) const {
        for (std::int64_t c = 0; c < columns_; c += 2 * lanes_) {
            const std::int64_t used = std::min(2 * lanes_, columns_ - c);
            f(c, used, used > lanes_ ? 2 * lanes_ : lanes_, c * rows);
        }
    }

private:
    std::int64_t columns_, lanes_ = best_micro<C>().lanes;
};

template <class C>
class AttentionBlocks {
public:
    AttentionBlocks(const mpt_mod_call &call, const mpt_attrs_attention &attrs)
        : batch(call.in[0].shape[0]),
          heads(call.in[0].shape[1]),
          queries(call.in[0].shape[2]),
          keys(call.in[1].shape[2]),
          qk(call.in[0].shape[3]),
          v(call.in[2].shape[3]),
          scale(static_cast<C>(attrs.scale)),
          causal_(attrs.causal != 0),
          dropout_(attrs.dropout > 0),
          kept_(static_cast<C>(1 / (1 - attrs.dropout))),
          threshold_(static_cast<std::uint32_t>(std::ceil(attrs.dropout * 0x1p24))),
          mask_(call.in[3]) {
        for (int i = 0; i < 3; i++) require_float(call, call.in[i]);
        if (mask_.dtype != MPT_DTYPE_NONE && mask_.dtype != MPT_BOOL) {
            load_mask_ = loader<C>(mask_.dtype);
            if (!load_mask_) unsupported_dtype(call.kernel, mask_.dtype);
        }
        if (dropout_ && call.in[call.n_in - 1].dtype != MPT_I64)
            throw Failure{MPT_ERROR_INTERNAL, "attention: dropout without a random state"};
    }

    std::int64_t pairs() const { return batch * heads; }
    bool drops() const { return dropout_; }
    bool masked() const { return mask_.dtype != MPT_DTYPE_NONE; }

    // Keys that are seen by a block of queries; they are the first ones.
    std::int64_t keys_seen(std::int64_t q0, std::int64_t n) const {
        return causal_ ? std::clamp<std::int64_t>(q0 + n + keys - queries, 0, keys) : keys;
    }
    Seen seen(std::int64_t q0, std::int64_t nq, std::int64_t k0, std::int64_t nk) const {
        return {nk, nq, causal_ ? k0 - (keys - queries) - q0 : -keys};
    }

    // The first element of a pair of batch and head, in elements.
    std::int64_t offset(const mpt_mod_operand &x, std::int64_t pair) const {
        return pair / heads * x.strides[0] + pair % heads * x.strides[1];
    }

    // Queries in whole vectors of the elementwise steps: a packed block of queries has so many rows.
    static std::int64_t padded(std::int64_t n) { return vector_start<C>(n + Lanes<C>::count - 1); }

    // Rows of a pair's matrix times factor, packed; rows past the edge are 0 up to `packed`.
    void pack(const mpt_mod_operand &x, const void *base, std::int64_t pair, std::int64_t row0, std::int64_t rows,
              std::int64_t packed, C factor, C *to) const {
        const std::int64_t bytes = float_size(x.dtype);
        const auto *at = static_cast<const std::byte *>(base) + (offset(x, pair) + row0 * x.strides[2]) * bytes;
        Panels<C>(x.shape[3]).each(packed, [&](std::int64_t column, std::int64_t used, std::int64_t width, std::int64_t place) {
            C *row = to + place;
            for (std::int64_t r = 0; r < rows; r++, row += width) {
                read_run(x.dtype, at + (r * x.strides[2] + column * x.strides[3]) * bytes, x.strides[3], row, used);
                std::fill(row + used, row + width, C{0});
                if (factor != C{1})
                    for (std::int64_t i = 0; i < used; i++) row[i] *= factor;
            }
            std::fill_n(row, (packed - rows) * width, C{0});
        });
    }

    // Packed rows times `factor` of their own (none: times `all`) into a pair's matrix.
    void unpack(const C *from, std::int64_t rows, std::int64_t packed, C all, const C *factor, const mpt_mod_operand &x, void *base,
                std::int64_t pair, std::int64_t row0) const {
        const std::int64_t bytes = float_size(x.dtype);
        auto *at = static_cast<std::byte *>(base) + (offset(x, pair) + row0 * x.strides[2]) * bytes;
        Panels<C>(x.shape[3]).each(packed, [&](std::int64_t column, std::int64_t used, std::int64_t width, std::int64_t place) {
            const C *row = from + place;
            C scaled[kQueries];
            for (std::int64_t r = 0; r < rows; r++, row += width) {
                for (std::int64_t i = 0; i < used; i++) scaled[i] = row[i] * (factor ? factor[r] : all);
                write_run(x.dtype, scaled, at + (r * x.strides[2] + column * x.strides[3]) * bytes, x.strides[3], used);
            }
        });
    }

    // A packed block of n queries with `columns`, transposed: in panels of queries, `columns` rows each.
    void turn(const C *from, std::int64_t n, std::int64_t columns, C *to) const {
        Panels<C>(padded(n)).each(columns, [&](std::int64_t q, std::int64_t, std::int64_t width, std::int64_t place) {
            Panels<C>(columns).each(
                padded(n), [&](std::int64_t column, std::int64_t used, std::int64_t from_width, std::int64_t from_place) {
                    transpose(from + from_place + q * from_width, from_width, width, used, to + place + column * width);
                });
        });
    }

    // s = a b: a packed, `rows` of them from row0 on; b transposed queries. Tiles of which nothing is seen are left as they are.
    void scores(const C *a, std::int64_t rows, std::int64_t row0, std::int64_t columns, const C *b, Seen seen, C *s) const {
        const std::int64_t step = tile_rows(seen.keys);
        Panels<C>(padded(seen.queries)).each(columns, [&](std::int64_t q, std::int64_t, std::int64_t width, std::int64_t place) {
            for (std::int64_t r = 0; r < seen.keys; r += step) {
                if (seen.first_query(r) >= std::min(q + width, seen.queries)) break;
                Panels<C>(columns).each(
                    rows, [&](std::int64_t column, std::int64_t used, std::int64_t a_width, std::int64_t a_place) {
                        tile(std::min(step, seen.keys - r), width)(used, a + a_place + (row0 + r) * a_width, a_width, 1,
                                                                   b + place + column * width, s + r * kQueries + q, kQueries,
                                                                   column == 0 ? TileStore::set : TileStore::extend);
                    });
            }
        });
    }

    // to (one row per query) += p^T x, x packed with `rows`, of which the block has those from row0 on.
    void add_over_keys(const C *p, Seen seen, const C *x, std::int64_t rows, std::int64_t row0, std::int64_t columns, C *to) const {
        const std::int64_t step = tile_rows(seen.queries);
        Panels<C>(columns).each(1, [&](std::int64_t column, std::int64_t, std::int64_t width, std::int64_t) {
            for (std::int64_t q = 0; q < seen.queries; q += step) {
                const std::int64_t n = std::min(step, seen.queries - q), count = seen.keys_of(q + n - 1);
                if (count > 0)
                    tile(n, width)(count, p + q, 1, kQueries, x + column * rows + row0 * width,
                                   to + column * padded(seen.queries) + q * width, width, TileStore::add);
            }
        });
    }

    // to (packed with `rows`, those from row0 on) += p x, x one row per query.
    void add_over_queries(const C *p, Seen seen, const C *x, std::int64_t columns, C *to, std::int64_t rows,
                          std::int64_t row0) const {
        const std::int64_t step = tile_rows(seen.keys);
        Panels<C>(columns).each(1, [&](std::int64_t column, std::int64_t, std::int64_t width, std::int64_t) {
            for (std::int64_t r = 0; r < seen.keys; r += step) {
                const std::int64_t q = seen.first_query(r);
                if (q < seen.queries)
                    tile(std::min(step, seen.keys - r), width)(seen.queries - q, p + r * kQueries + q, kQueries, 1,
                                                               x + column * padded(seen.queries) + q * width,
                                                               to + column * rows + (row0 + r) * width, width, TileStore::add);
            }
        });
    }

    // Mask and causality on a block of scores. buffer: kKeys * kQueries.
    void hide(C *s, Seen seen, const void *mask, std::int64_t pair, std::int64_t q0, std::int64_t k0, C *buffer) const {
        if (masked()) {
            load_mask(mask, pair, q0, k0, seen, buffer);
            add_mask_(s, buffer, seen);
        }
        if (causal_ && seen.first + seen.keys > 1) hide_later_(s, seen);
    }

    void dropout(C *z, Seen seen, const void *state, std::int64_t pair, std::int64_t q0, std::int64_t k0) const {
        const auto *words = static_cast<const std::uint64_t *>(state);
        const std::uint64_t step = static_cast<std::uint64_t>((keys + 3) / 4);
        const std::uint64_t row = static_cast<std::uint64_t>(pair * queries + q0);
        dropout_factors_(z, seen, words[0], words[1] + row * step + static_cast<std::uint64_t>(k0 / 4), step, threshold_, kept_);
    }

    std::int64_t batch, heads, queries, keys;
    std::int64_t qk, v;  // features of q and k, and of v
    C scale;

private:
    // Equal tiles: 64 rows are 5 x 11 + 9, not 5 x 12 + 4.
    std::int64_t tile_rows(std::int64_t n) const {
        const std::int64_t tiles = std::max<std::int64_t>(1, (n + micro_.rows - 1) / micro_.rows);
        return (n + tiles - 1) / tiles;
    }
    TileKernel<C> tile(std::int64_t rows, std::int64_t width) const {
        return micro_.tiles[rows - 1][static_cast<std::size_t>(width / micro_.lanes - 1)];
    }

    // As what is added, rows of seen.queries.
    void load_mask(const void *base, std::int64_t pair, std::int64_t q0, std::int64_t k0, Seen seen, C *to) const {
        const std::int64_t at = offset(mask_, pair) + q0 * mask_.strides[2] + k0 * mask_.strides[3];
        if (load_mask_) {
            const auto *from = static_cast<const std::byte *>(base) + at * float_size(mask_.dtype);
            load_mask_(from, seen.keys, mask_.strides[3], seen.queries, mask_.strides[2], to);
            return;
        }
        const auto *from = static_cast<const std::uint8_t *>(base) + at;
        for (std::int64_t c = 0; c < seen.queries; c++)
            for (std::int64_t r = 0; r < seen.keys; r++)
                to[r * seen.queries + c] =
                    from[c * mask_.strides[2] + r * mask_.strides[3]] ? C{0} : -std::numeric_limits<C>::infinity();
    }

    bool causal_, dropout_;
    C kept_;
    std::uint32_t threshold_;
    mpt_mod_operand mask_;
    Load<C> load_mask_ = nullptr;
    const Micro<C> &micro_ = best_micro<C>();
    void (*add_mask_)(C *, const C *, Seen) = Versions<&add_mask<C>>::best();
    void (*hide_later_)(C *, Seen) = Versions<&hide_later<C>>::best();
    void (*dropout_factors_)(C *, Seen, std::uint64_t, std::uint64_t, std::uint64_t, std::uint32_t,
                             C) = Versions<&dropout_factors<C>>::best();
};

// Buffers one behind the other, each on cache lines of its own; counts bytes where there is no memory yet.
class Carver {
public:
    explicit Carver(void *memory = nullptr) : memory_(static_cast<std::byte *>(memory)) {}
    template <class C>
    C *take(std::int64_t n) {
        std::byte *at = memory_ ? memory_ + used_ : nullptr;
        used_ += (static_cast<std::size_t>(n) * sizeof(C) + 63) / 64 * 64;
        return reinterpret_cast<C *>(at);
    }
    std::size_t used() const { return used_; }

private:
    std::byte *memory_;
    std::size_t used_ = 0;
};

// f(part, item) for all items, each taken by whichever thread is free.
template <class F>
void for_items(Pool &pool, int parts, std::int64_t items, F &&f) {
    struct Arg {
        F &f;
        std::int64_t items;
        std::atomic<std::int64_t> next{0};
    } arg{f, items};
    pool.run(
        parts,
        [](std::int32_t part, std::int32_t, void *p) {
            auto *a = static_cast<Arg *>(p);
            for (std::int64_t i; (i = a->next.fetch_add(1, std::memory_order_relaxed)) < a->items;) a->f(part, i);
        },
        &arg);
}

// Threads that the operations of a call are worth.
inline int parts_for(const Pool &pool, double operations, std::int64_t items) {
    constexpr double kWorkPerThread = 1e6;
    return static_cast<int>(
        std::clamp(std::min(operations / kWorkPerThread, static_cast<double>(items)), 1.0, static_cast<double>(pool.threads())));
}

}  // namespace mpt::cpu
