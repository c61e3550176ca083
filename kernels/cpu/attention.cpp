// "attention" of device/attrs/.
#include "attention.h"

#include <cstring>
#include <memory>

namespace mpt::cpu {
namespace {

// After a block: the shift of exponentials moves from `shift` to what `largest` allows; old sums and results count times `factor`.
template <class C>
void move_shift(const C *largest, C *shift, C *sum, C *factor) {
    for (std::int64_t c = 0; c < kQueries; c++) {
        // -inf, where nothing was seen yet, would give NaN; any finite shift does.
        const C to = largest[c] == -std::numeric_limits<C>::infinity() ? C{0} : largest[c];
        factor[c] = sum[c] == C{0} ? C{1} : vexp(shift[c] - to);
        shift[c] = to;
        sum[c] *= factor[c];
    }
}

template <class C>
class Attention final : public Kernel {
public:
    Attention(Pool &pool, const mpt_mod_call &call)
        : pool_(pool),
          b_(call, attrs_of<mpt_attrs_attention>(call)),
          q_(call.in[0]),
          k_(call.in[1]),
          v_(call.in[2]),
          out_(call.out[0]) {
        const std::int64_t blocks = (b_.queries + kQueries - 1) / kQueries;
        // A chunk of a pair's queries is an item: several per thread, so that one that comes late takes fewer.
        const std::int64_t wanted = pool.threads() > 1 ? 4 * pool.threads() : 1;
        chunks_ = std::clamp<std::int64_t>((wanted + b_.pairs() - 1) / std::max<std::int64_t>(b_.pairs(), 1), 1,
                                           std::max<std::int64_t>(blocks, 1));
        blocks_ = (blocks + chunks_ - 1) / chunks_;
        const double scores = static_cast<double>(b_.pairs() * b_.queries) * static_cast<double>(b_.keys);
        parts_ = parts_for(pool, scores * static_cast<double>(2 * (b_.qk + b_.v) + 16), b_.pairs() * chunks_);
        Carver size;
        Work(size, b_);
        work_bytes_ = size.used();
        workspace_bytes = work_bytes_ * static_cast<std::size_t>(parts_);
    }

    void launch(const void *const *in, void *const *out, void *workspace) override {
        for_items(pool_, parts_, b_.pairs() * chunks_, [&](std::int32_t part, std::int64_t item) {
            Carver memory(static_cast<std::byte *>(workspace) + work_bytes_ * static_cast<std::size_t>(part));
            Work work(memory, b_);
            const std::int64_t pair = item / chunks_, first = item % chunks_ * blocks_ * kQueries;
            const std::int64_t end = std::min(first + blocks_ * kQueries, b_.queries);
            if (first >= end) return;
            const std::int64_t keys = b_.keys_seen(first, end - first);
            b_.pack(k_, in[1], pair, 0, keys, keys, C{1}, work.k);
            b_.pack(v_, in[2], pair, 0, keys, keys, C{1}, work.v);
            for (std::int64_t q0 = first; q0 < end; q0 += kQueries)
                rows(in, out, pair, q0, std::min(kQueries, end - q0), keys, work);
        });
        if (b_.drops()) std::memcpy(out[2], in[4], 2 * sizeof(std::int64_t));
    }

    const char *name() const override { return "cpu:attention"; }

private:
    struct Work {  // one thread's buffers
        Work(Carver &memory, const AttentionBlocks<C> &b)
            : k(memory.take<C>(Panels<C>(b.qk).size(b.keys))),
              v(memory.take<C>(Panels<C>(b.v).size(b.keys))),
              q(memory.take<C>(Panels<C>(b.qk).size(kQueries))),
              qt(memory.take<C>(b.qk * kQueries)),
              s(memory.take<C>(kKeys * kQueries)),
              extra(memory.take<C>(b.masked() || b.drops() ? kKeys * kQueries : 0)),
              out(memory.take<C>(Panels<C>(b.v).size(kQueries))) {}
        C *k, *v, *q, *qt, *s;
        C *extra;  // mask, then dropout
        C *out;
    };

    // A block of queries against all keys that it sees; packed: keys in the buffers.
    void rows(const void *const *in, void *const *out, std::int64_t pair, std::int64_t q0, std::int64_t n, std::int64_t packed,
              Work &w) const {
        constexpr C kInfinity = std::numeric_limits<C>::infinity();
        alignas(64) C largest[kQueries], shift[kQueries], sum[kQueries], factor[kQueries];
        std::fill_n(largest, kQueries, -kInfinity);
        std::fill_n(shift, kQueries, C{0});
        std::fill_n(sum, kQueries, C{0});
        const std::int64_t padded = b_.padded(n);
        std::fill_n(w.out, Panels<C>(b_.v).size(padded), C{0});
        b_.pack(q_, in[0], pair, q0, n, padded, b_.scale, w.q);
        b_.turn(w.q, n, b_.qk, w.qt);

        const std::int64_t keys = b_.keys_seen(q0, n);
        for (std::int64_t k0 = 0; k0 < keys; k0 += kKeys) {
            const Seen seen = b_.seen(q0, n, k0, std::min(kKeys, keys - k0));
            b_.scores(w.k, packed, k0, b_.qk, w.qt, seen, w.s);
            b_.hide(w.s, seen, in[3], pair, q0, k0, w.extra);
            raise_largest_(w.s, seen, largest);
            move_shift_(largest, shift, sum, factor);
            if (k0 > 0) scale_rows(w.out, padded, factor);
            exponentials_(w.s, seen, shift, sum);
            if (b_.drops()) {
                b_.dropout(w.extra, seen, in[4], pair, q0, k0);
                multiply_(w.s, w.extra, seen);
            }
            b_.add_over_keys(w.s, seen, w.v, packed, k0, b_.v, w.out);
        }

        C *lse = static_cast<C *>(out[1]) + pair * b_.queries + q0;
        for (std::int64_t i = 0; i < n; i++) {
            lse[i] = sum[i] == C{0} ? kInfinity : shift[i] + std::log(sum[i]);
            factor[i] = sum[i] == C{0} ? C{0} : C{1} / sum[i];
        }
        b_.unpack(w.out, n, padded, C{1}, factor, out_, out[0], pair, q0);
    }

    void scale_rows(C *x, std::int64_t n, const C *factor) const {
        Panels<C>(b_.v).each(n, [&](std::int64_t, std::int64_t, std::int64_t width, std::int64_t place) {
            for (std::int64_t r = 0; r < n; r++)
                for (std::int64_t i = 0; i < width; i++) x[place + r * width + i] *= factor[r];
        });
    }

    Pool &pool_;
    AttentionBlocks<C> b_;
    mpt_mod_operand q_, k_, v_, out_;
    std::int64_t chunks_, blocks_;  // chunks per pair; blocks of queries per chunk
    int parts_;
    std::size_t work_bytes_;
    void (*raise_largest_)(const C *, Seen, C *) = Versions<&raise_largest<C>>::best();
    void (*move_shift_)(const C *, C *, C *, C *) = Versions<&move_shift<C>>::best();
    void (*exponentials_)(C *, Seen, const C *, C *) = Versions<&exponentials<C>>::best();
    void (*multiply_)(C *, const C *, Seen) = Versions<&multiply_block<C>>::best();
};

std::unique_ptr<Kernel> prepare_attention(Pool &pool, const mpt_mod_call &call) {
    if (call.in[0].dtype == MPT_F64) return std::make_unique<Attention<double>>(pool, call);
    return std::make_unique<Attention<float>>(pool, call);
}

const RegisteredKernel registered("attention", prepare_attention);

}  // namespace
}  // namespace mpt::cpu
