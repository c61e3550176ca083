// "sort" of device/attrs/. An element becomes a key whose order as an unsigned integer is the one asked for, with its
// place behind it: all are different, so that equal elements keep their order whatever the algorithm.
#include "device/attrs/sort.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "isa.h"
#include "kernel.h"
#include "operand.h"
#include "rows.h"
#include "tiled_row.h"

namespace mpt::cpu {
namespace {

// Ascending with NaN, whatever its sign and bits, behind all others and -0 as 0.
template <class Key, class C>
Key key_of(C x, Key flip) {
    constexpr Key kSign = Key{1} << (8 * sizeof(Key) - 1);
    Key bits = x != x ? std::numeric_limits<Key>::max() >> 1 : std::bit_cast<Key>(x + C{0});
    bits = bits & kSign ? ~bits : bits | kSign;
    return bits ^ flip;
}

template <class Key, class C>
void keys_of(const C *x, Key *keys, std::int64_t n, Key flip) {
    for (std::int64_t i = 0; i < n; i++) keys[i] = key_of<Key>(x[i], flip);
}

struct Item32 {
    using Key = std::uint32_t;
    using Value = float;
    std::uint64_t bits;
    Item32() = default;
    Item32(Key key, std::int64_t place) : bits(std::uint64_t{key} << 32 | static_cast<std::uint64_t>(place)) {}
    std::int64_t place() const { return static_cast<std::int64_t>(bits & 0xffffffffu); }
    Key key() const { return static_cast<Key>(bits >> 32); }
    friend bool operator<(const Item32 &a, const Item32 &b) { return a.bits < b.bits; }
};

struct Item64 {
    using Key = std::uint64_t;
    using Value = double;
    std::uint64_t bits;
    std::int64_t at;
    Item64() = default;
    Item64(Key key, std::int64_t place) : bits(key), at(place) {}
    std::int64_t place() const { return at; }
    Key key() const { return bits; }
    friend bool operator<(const Item64 &a, const Item64 &b) { return a.bits != b.bits ? a.bits < b.bits : a.at < b.at; }
};

// By the bytes of the key, lowest first; a byte that all keys share is passed over. Returns where the result is: items or other.
Item32 *sort_by_bytes(Item32 *items, Item32 *other, std::int64_t n) {
    std::int64_t counts[4][256] = {};
    for (std::int64_t i = 0; i < n; i++)
        for (int b = 0; b < 4; b++) counts[b][items[i].bits >> (32 + 8 * b) & 255]++;
    for (int b = 0; b < 4; b++) {
        const int shift = 32 + 8 * b;
        if (counts[b][items[0].bits >> shift & 255] == n) continue;
        std::int64_t place[256], next = 0;
        for (int v = 0; v < 256; v++) {
            place[v] = next;
            next += counts[b][v];
        }
        for (std::int64_t i = 0; i < n; i++) other[place[items[i].bits >> shift & 255]++] = items[i];
        std::swap(items, other);
    }
    return items;
}

template <class Item>
class Sort final : public Kernel {
    using Key = typename Item::Key;
    using C = typename Item::Value;

public:
    Sort(Pool &pool, const mpt_mod_call &call) : pool_(pool) {
        const mpt_mod_operand &x = call.in[0], &y = call.out[0], &places = call.out[1];
        const auto &attrs = attrs_of<mpt_attrs_sort>(call);
        if (attrs.dim < 0 || attrs.dim >= x.ndim || y.dtype != x.dtype || places.dtype != MPT_I64 || !same_layout(y, places))
            throw Failure{MPT_ERROR_INTERNAL, "sort: the operands do not fit"};
        load_ = loader<C>(x.dtype);
        if (!load_) unsupported_dtype("sort", x.dtype);
        bytes_ = static_cast<std::int64_t>(bytes_of(x.dtype));
        flip_ = attrs.descending ? std::numeric_limits<Key>::max() : Key{0};
        n_ = x.shape[attrs.dim];
        k_ = y.shape[attrs.dim];
        step_ = y.strides[attrs.dim];
        x_step_ = x.strides[attrs.dim];
        const mpt_mod_operand to = without_dim(y, attrs.dim), from = without_dim(x, attrs.dim);
        loop_ = Loop("sort", {&to, &from});
        parts_ = static_cast<int>(std::clamp<std::int64_t>(loop_.count, 1, pool.threads()));
        workspace_bytes = static_cast<std::size_t>(parts_ * 2 * n_) * sizeof(Item);
    }

    void launch(const void *const *in, void *const *out, void *workspace) override {
        // Half the grain of elementwise work: sorting costs far more per element.
        const std::int64_t worth = (loop_.count * n_ + kGrain / 2 - 1) / (kGrain / 2);
        struct Arg {
            const Sort *self;
            const std::byte *x;
            std::byte *values;
            std::int64_t *places;
            Item *items;
        } arg{this, static_cast<const std::byte *>(in[0]), static_cast<std::byte *>(out[0]), static_cast<std::int64_t *>(out[1]),
              static_cast<Item *>(workspace)};
        pool_.run(
            static_cast<int>(std::clamp<std::int64_t>(worth, 1, parts_)),
            [](std::int32_t part, std::int32_t parts, void *p) {
                const Arg &a = *static_cast<const Arg *>(p);
                const std::int64_t count = a.self->loop_.count;
                for (std::int64_t line = count * part / parts; line < count * (part + 1) / parts; line++)
                    a.self->sort_line(line, a.x, a.values, a.places, a.items + part * 2 * a.self->n_);
            },
            &arg);
    }

    const char *name() const override { return "cpu:sort"; }

private:
    static constexpr std::int64_t kRadix = 1024;  // from this length on bytes are faster than comparisons
    static constexpr std::int64_t kFew = 16;      // up to this part of a line a heap is

    void sort_line(std::int64_t line, const std::byte *x, std::byte *values, std::int64_t *places, Item *items) const {
        std::int64_t offset[Loop::kOperands];
        loop_.locate(line / loop_.inner(), offset);
        for (int k = 0; k < 2; k++) offset[k] += line % loop_.inner() * loop_.inner_stride(k);
        x += offset[1] * bytes_;
        items = k_ <= n_ / kFew ? first_few(x, items) : all(x, items);
        for (std::int64_t i = 0; i < k_; i++) {
            const std::int64_t place = items[i].place(), to = offset[0] + i * step_;
            std::memcpy(values + to * bytes_, x + place * x_step_ * bytes_, static_cast<std::size_t>(bytes_));
            places[to] = place;
        }
    }

    // f(first, keys, length) for the pieces of a line.
    template <class F>
    void each_keys(const std::byte *x, F &&f) const {
        each_tile(n_, [&](std::int64_t first, std::int64_t length) {
            C v[kRowTile];
            Key keys[kRowTile];
            load_(x + first * x_step_ * bytes_, 1, length, length, x_step_, v);
            keys_(v, keys, length, flip_);
            f(first, keys, length);
        });
    }

    // The first k in order: a heap of the best so far, whose last is what a newcomer has to beat. One with an equal key comes
    // later.
    Item *first_few(const std::byte *x, Item *items) const {
        std::int64_t held = 0;
        Key last = 0;
        each_keys(x, [&](std::int64_t first, const Key *keys, std::int64_t length) {
            for (std::int64_t j = 0; j < length; j++) {
                if (held == k_) {
                    if (keys[j] >= last) continue;
                    std::pop_heap(items, items + held--);
                }
                items[held++] = Item(keys[j], first + j);
                std::push_heap(items, items + held);
                last = items[0].key();
            }
        });
        std::sort_heap(items, items + held);
        return items;
    }

    // All in order, or the first k of them.
    Item *all(const std::byte *x, Item *items) const {
        each_keys(x, [&](std::int64_t first, const Key *keys, std::int64_t length) {
            for (std::int64_t j = 0; j < length; j++) items[first + j] = Item(keys[j], first + j);
        });
        if (k_ < n_ / 4) {
            std::nth_element(items, items + k_, items + n_);
            std::sort(items, items + k_);
            return items;
        }
        if constexpr (std::is_same_v<Item, Item32>)
            if (n_ >= kRadix) return sort_by_bytes(items, items + n_, n_);
        std::sort(items, items + n_);
        return items;
    }

    Pool &pool_;
    Load<C> load_;
    void (*keys_)(const C *, Key *, std::int64_t, Key) = Versions<&keys_of<Key, C>>::best();
    Key flip_;
    std::int64_t bytes_, n_, k_, step_, x_step_;
    Loop loop_;
    int parts_;
};

}  // namespace

static std::unique_ptr<Kernel> prepare_sort(Pool &pool, const mpt_mod_call &call) {
    if (call.in[0].dtype == MPT_F64) return std::make_unique<Sort<Item64>>(pool, call);
    return std::make_unique<Sort<Item32>>(pool, call);
}

static const RegisteredKernel registered_sort("sort", prepare_sort);

}  // namespace mpt::cpu
