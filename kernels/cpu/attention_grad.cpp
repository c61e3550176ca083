// "attention_grad" of device/attrs/.
#include <memory>

#include "attention.h"
#include "sums.h"

namespace mpt::cpu {
namespace {

// delta[r] = the product of row r of two packed matrices.
template <class C>
void row_products(const C *a, const C *b, std::int64_t rows, std::int64_t width, C *delta) {
    for (std::int64_t r = 0; r < rows; r++) delta[r] += dot_run(a + r * width, b + r * width, width);
}

template <class C>
void add_rows(const C *x, std::int64_t n, C *sum) {
    for (std::int64_t i = 0; i < n; i++) sum[i] += x[i];
}

template <class C>
class AttentionGrad final : public Kernel {
public:
    AttentionGrad(Pool &pool, const mpt_mod_call &call) : pool_(pool), b_(call, attrs_of<mpt_attrs_attention>(call)) {
        for (int i = 0; i < 3; i++) {
            in_[i] = call.in[i];
            grad_[i] = call.out[i];
            wanted_[i] = call.out[i].dtype != MPT_DTYPE_NONE;
        }
        out_ = call.in[4];
        dout_ = call.in[6];
        // An item is a chunk of a pair's keys, against all queries. Where pairs are few their keys are shared out, by the shape
        // alone; then each chunk has a dq of its own, and these are added in order.
        constexpr std::int64_t kItems = 32;
        const std::int64_t blocks = std::max<std::int64_t>((b_.keys + kKeys - 1) / kKeys, 1),
                           pairs = std::max<std::int64_t>(b_.pairs(), 1);
        chunks_ = std::clamp<std::int64_t>((kItems + pairs - 1) / pairs, 1, std::max<std::int64_t>(blocks / 2, 1));
        chunk_keys_ = (blocks + chunks_ - 1) / chunks_ * kKeys;
        const double scores = static_cast<double>(b_.pairs() * b_.queries) * static_cast<double>(b_.keys);
        parts_ = parts_for(pool, scores * static_cast<double>(6 * b_.qk + 4 * b_.v + 24), b_.pairs() * chunks_);
        Carver size;
        Work(size, *this);
        work_bytes_ = size.used();
        parts_bytes_ = work_bytes_ * static_cast<std::size_t>(parts_);
        const std::int64_t partial = chunks_ > 1 && wanted_[0] ? b_.pairs() * chunks_ * b_.queries * b_.qk : 0;
        workspace_bytes = parts_bytes_ + static_cast<std::size_t>(partial) * sizeof(C);
    }

    void launch(const void *const *in, void *const *out, void *workspace) override {
        C *partial = reinterpret_cast<C *>(static_cast<std::byte *>(workspace) + parts_bytes_);
        for_items(pool_, parts_, b_.pairs() * chunks_, [&](std::int32_t part, std::int64_t item) {
            Carver memory(static_cast<std::byte *>(workspace) + work_bytes_ * static_cast<std::size_t>(part));
            Work work(memory, *this);
            chunk(in, out, item, partial, work);
        });
        if (chunks_ > 1 && wanted_[0]) add_partial(partial, out[0]);
    }

    const char *name() const override { return "cpu:attention_grad"; }

private:
    struct Work {  // one thread's buffers
        Work(Carver &memory, const AttentionGrad &g) {
            const std::int64_t keys = std::min(g.chunk_keys_, g.b_.keys);
            const Panels<C> qk(g.b_.qk), v(g.b_.v);
            k = memory.take<C>(qk.size(keys));
            v_ = memory.take<C>(v.size(keys));
            dk = memory.take<C>(qk.size(keys));
            dv = memory.take<C>(v.size(keys));
            q = memory.take<C>(qk.size(kQueries));
            dq = memory.take<C>(qk.size(kQueries));
            out = memory.take<C>(v.size(kQueries));
            dout = memory.take<C>(v.size(kQueries));
            qt = memory.take<C>(qk.columns() * kQueries);
            dout_t = memory.take<C>(v.columns() * kQueries);
            p = memory.take<C>(kKeys * kQueries);
            ds = memory.take<C>(kKeys * kQueries);
            extra = memory.take<C>(g.b_.masked() || g.b_.drops() ? kKeys * kQueries : 0);
        }
        C *k, *v_, *dk, *dv, *q, *dq, *out, *dout, *qt, *dout_t, *p, *ds;
        C *extra;  // mask, then dropout
    };

    void chunk(const void *const *in, void *const *out, std::int64_t item, C *partial, Work &w) const {
        const std::int64_t pair = item / chunks_, first = item % chunks_ * chunk_keys_;
        const std::int64_t keys = std::min(chunk_keys_, b_.keys - first);
        if (keys > 0) {
            b_.pack(in_[1], in[1], pair, first, keys, keys, C{1}, w.k);
            b_.pack(in_[2], in[2], pair, first, keys, keys, C{1}, w.v_);
            std::fill_n(w.dk, Panels<C>(b_.qk).size(keys), C{0});
            std::fill_n(w.dv, Panels<C>(b_.v).size(keys), C{0});
        }
        for (std::int64_t q0 = 0; q0 < b_.queries; q0 += kQueries) {
            const std::int64_t n = std::min(kQueries, b_.queries - q0);
            std::fill_n(w.dq, Panels<C>(b_.qk).size(b_.padded(n)), C{0});
            const std::int64_t last = std::min(first + keys, b_.keys_seen(q0, n));
            if (first < last) rows(in, pair, q0, n, first, last, keys, w);
            if (!wanted_[0]) continue;
            if (chunks_ == 1)
                b_.unpack(w.dq, n, b_.padded(n), b_.scale, nullptr, grad_[0], out[0], pair, q0);
            else
                b_.unpack(w.dq, n, b_.padded(n), b_.scale, nullptr, partial_form(), partial, item, q0);
        }
        if (keys <= 0) return;
        if (wanted_[1]) b_.unpack(w.dk, keys, keys, C{1}, nullptr, grad_[1], out[1], pair, first);
        if (wanted_[2]) b_.unpack(w.dv, keys, keys, C{1}, nullptr, grad_[2], out[2], pair, first);
    }

    // A block of queries against the keys [first, last) of a chunk that holds `packed` from first on.
    void rows(const void *const *in, std::int64_t pair, std::int64_t q0, std::int64_t n, std::int64_t first, std::int64_t last,
              std::int64_t packed, Work &w) const {
        const std::int64_t padded = b_.padded(n);
        b_.pack(in_[0], in[0], pair, q0, n, padded, b_.scale, w.q);
        b_.turn(w.q, n, b_.qk, w.qt);
        b_.pack(dout_, in[6], pair, q0, n, padded, C{1}, w.dout);
        b_.turn(w.dout, n, b_.v, w.dout_t);
        b_.pack(out_, in[4], pair, q0, n, padded, C{1}, w.out);
        alignas(64) C lse[kQueries] = {}, delta[kQueries] = {};
        std::copy_n(static_cast<const C *>(in[5]) + pair * b_.queries + q0, n, lse);
        Panels<C>(b_.v).each(padded, [&](std::int64_t, std::int64_t, std::int64_t width, std::int64_t place) {
            row_products_(w.dout + place, w.out + place, n, width, delta);
        });

        for (std::int64_t k0 = first; k0 < last; k0 += kKeys) {
            const Seen seen = b_.seen(q0, n, k0, std::min(kKeys, last - k0));
            b_.scores(w.k, packed, k0 - first, b_.qk, w.qt, seen, w.p);
            b_.hide(w.p, seen, in[3], pair, q0, k0, w.extra);
            b_.scores(w.v_, packed, k0 - first, b_.v, w.dout_t, seen, w.ds);
            if (b_.drops()) {
                b_.dropout(w.extra, seen, in[7], pair, q0, k0);
                multiply_(w.ds, w.extra, seen);
            }
            score_gradients_(w.p, w.ds, seen, lse, delta);
            if (b_.drops()) multiply_(w.p, w.extra, seen);
            if (wanted_[2]) b_.add_over_queries(w.p, seen, w.dout, b_.v, w.dv, packed, k0 - first);
            if (wanted_[1]) b_.add_over_queries(w.ds, seen, w.q, b_.qk, w.dk, packed, k0 - first);
            if (wanted_[0]) b_.add_over_keys(w.ds, seen, w.k, packed, k0 - first, b_.qk, w.dq);
        }
    }

    // The dq of every item, dense, as if each item were a pair of its own.
    mpt_mod_operand partial_form() const {
        mpt_mod_operand x = {};
        x.dtype = dtype_of<C>();
        x.ndim = 4;
        x.shape[3] = b_.qk;
        x.strides[0] = b_.heads * b_.queries * b_.qk;
        x.strides[1] = b_.queries * b_.qk;
        x.strides[2] = b_.qk;
        x.strides[3] = 1;
        return x;
    }

    void add_partial(C *partial, void *dq) const {
        const std::int64_t size = b_.queries * b_.qk, bytes = float_size(grad_[0].dtype);
        pool_.for_range(b_.pairs() * b_.queries, std::max<std::int64_t>(1, kGrain / (b_.qk * chunks_)),
                        [&](std::int64_t begin, std::int64_t end) {
                            for (std::int64_t i = begin; i < end; i++) {
                                const std::int64_t pair = i / b_.queries, row = i % b_.queries;
                                C *sum = partial + pair * chunks_ * size + row * b_.qk;
                                for (std::int64_t c = 1; c < chunks_; c++) add_rows_(sum + c * size, b_.qk, sum);
                                auto *to =
                                    static_cast<std::byte *>(dq) + (b_.offset(grad_[0], pair) + row * grad_[0].strides[2]) * bytes;
                                write_run(grad_[0].dtype, sum, to, grad_[0].strides[3], b_.qk);
                            }
                        });
    }

    Pool &pool_;
    AttentionBlocks<C> b_;
    mpt_mod_operand in_[3], grad_[3], out_, dout_;
    bool wanted_[3];
    std::int64_t chunks_, chunk_keys_;  // chunks per pair, keys per chunk
    int parts_;
    std::size_t work_bytes_, parts_bytes_;
    void (*row_products_)(const C *, const C *, std::int64_t, std::int64_t, C *) = Versions<&row_products<C>>::best();
    void (*add_rows_)(const C *, std::int64_t, C *) = Versions<&add_rows<C>>::best();
    void (*score_gradients_)(C *, C *, Seen, const C *, const C *) = Versions<&score_gradients<C>>::best();
    void (*multiply_)(C *, const C *, Seen) = Versions<&multiply_block<C>>::best();
};

std::unique_ptr<Kernel> prepare_attention_grad(Pool &pool, const mpt_mod_call &call) {
    if (call.in[0].dtype == MPT_F64) return std::make_unique<AttentionGrad<double>>(pool, call);
    return std::make_unique<AttentionGrad<float>>(pool, call);
}

const RegisteredKernel registered("attention_grad", prepare_attention_grad);

}  // namespace
}  // namespace mpt::cpu
