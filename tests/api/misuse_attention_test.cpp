#include <cmath>

#include "api/misuse.h"

namespace {

net::Tensor of(misuse::World &w, mpt_dtype dtype, const std::vector<std::int64_t> &shape) { return net::tensor(w.ctx, dtype, shape); }

// Attention on tensors of these shapes; w.image [1, 2, 6, 6] is a fine q, k and v.
mpt_status shapes(misuse::World &w, const std::vector<std::int64_t> &q, const std::vector<std::int64_t> &k, const std::vector<std::int64_t> &v) {
    const net::Tensor a = of(w, MPT_F32, q), b = of(w, MPT_F32, k), c = of(w, MPT_F32, v);
    return mpt_attention(a, b, c, nullptr, nullptr, w.out());
}
mpt_status masked(misuse::World &w, mpt_dtype dtype, const std::vector<std::int64_t> &shape) {
    const net::Tensor mask = of(w, dtype, shape);
    MUST(mpt_tensor_fill(mask, 1));
    return mpt_attention(w.image, w.image, w.image, mask, nullptr, w.out());
}

struct Attention {
    static constexpr const char *function = "mpt_attention", *argument = "params";
    static mpt_attention_params good() {
        mpt_attention_params p;
        MUST(mpt_attention_params_init(&p, sizeof p));
        return p;
    }
    static mpt_status use(misuse::World &w, const mpt_attention_params *p) { return mpt_attention(w.image, w.image, w.image, nullptr, p, w.out()); }
};

const misuse::Rows rows{
    INIT_ROWS(mpt_attention_params_init, "params"),
    ROW(Null, "q", "", mpt_attention, nullptr, w.image, w.image, nullptr, nullptr, w.out()),
    ROW(Null, "k", "", mpt_attention, w.image, nullptr, w.image, nullptr, nullptr, w.out()),
    ROW(Null, "v", "", mpt_attention, w.image, w.image, nullptr, nullptr, nullptr, w.out()),
    ROW(Null, "out", "", mpt_attention, w.image, w.image, w.image, nullptr, nullptr, nullptr),
    ROW(Taken, "mask", "", mpt_attention, w.image, w.image, w.image, nullptr, nullptr, w.out()),
    ROW(Taken, "params", "", mpt_attention, w.image, w.image, w.image, nullptr, nullptr, w.out()),
    ROW(Foreign, "k", "", mpt_attention, w.image, w.other.image, w.image, nullptr, nullptr, w.out()),
    ROW(Foreign, "v", "", mpt_attention, w.image, w.image, w.other.image, nullptr, nullptr, w.out()),
    ROW(Foreign, "mask", "", mpt_attention, w.image, w.image, w.image, w.other.bools, nullptr, w.out()),
    ROW(State, "q", "", mpt_attention, w.output, w.image, w.image, nullptr, nullptr, w.out()),
    ROW(State, "mask", "", mpt_attention, w.image, w.image, w.image, w.output, nullptr, w.out()),
    ROW(Shape, "q", "[2, 3]", mpt_attention, w.x, w.image, w.image, nullptr, nullptr, w.out()),
    ROW(Shape, "k", "[2, 3]", mpt_attention, w.image, w.x, w.image, nullptr, nullptr, w.out()),
    ROW(Shape, "v", "[4]", mpt_attention, w.image, w.image, w.row, nullptr, nullptr, w.out()),
    STEPS("mpt_attention", Shape, "k", "[2, 2, 4, 3]", return shapes(w, {1, 2, 5, 3}, {2, 2, 4, 3}, {1, 2, 4, 3})),
    STEPS("mpt_attention", Shape, "v", "[1, 1, 4, 3]", return shapes(w, {1, 2, 5, 3}, {1, 2, 4, 3}, {1, 1, 4, 3})),
    STEPS("mpt_attention", Shape, "k", "must be 3", return shapes(w, {1, 2, 5, 3}, {1, 2, 4, 6}, {1, 2, 4, 3})),
    STEPS("mpt_attention", Shape, "v", "must be 4", return shapes(w, {1, 2, 5, 3}, {1, 2, 4, 3}, {1, 2, 5, 3})),
    STEPS("mpt_attention", Shape, "q", "[1, 2, 5, 0]", return shapes(w, {1, 2, 5, 0}, {1, 2, 4, 0}, {1, 2, 4, 3})),
    STEPS("mpt_attention", Taken, "v", "", return shapes(w, {1, 2, 5, 3}, {1, 2, 4, 3}, {1, 2, 4, 0})),
    STEPS("mpt_attention", Taken, "k", "", return shapes(w, {1, 2, 5, 3}, {1, 2, 0, 3}, {1, 2, 0, 3})),
    STEPS("mpt_attention", Taken, "q", "", return shapes(w, {1, 2, 0, 3}, {1, 2, 4, 3}, {1, 2, 4, 3})),
    STEPS("mpt_attention", Dtype, "q", "is i32", net::Tensor q = of(w, MPT_I32, {1, 2, 6, 6});
          return mpt_attention(q, w.image, w.image, nullptr, nullptr, w.out())),
    STEPS("mpt_attention", Dtype, "k", "is i32", net::Tensor k = of(w, MPT_I32, {1, 2, 6, 6});
          return mpt_attention(w.image, k, w.image, nullptr, nullptr, w.out())),
    STEPS("mpt_attention", Dtype, "v", "is bool", net::Tensor v = of(w, MPT_BOOL, {1, 2, 6, 6});
          return mpt_attention(w.image, w.image, v, nullptr, nullptr, w.out())),
    STEPS("mpt_attention", Dtype, "mask", "is i32", return masked(w, MPT_I32, {6, 6})),
    STEPS("mpt_attention", Dtype, "mask", "is u8", return masked(w, MPT_U8, {6, 6})),
    STEPS("mpt_attention", Taken, "mask", "", return masked(w, MPT_BOOL, {6, 6})),
    STEPS("mpt_attention", Taken, "mask", "", return masked(w, MPT_F16, {1, 1, 6})),
    STEPS("mpt_attention", Shape, "mask", "[5, 6]", return masked(w, MPT_BOOL, {5, 6})),
    STEPS("mpt_attention", Shape, "mask", "[2, 2, 6, 6]", return masked(w, MPT_BOOL, {2, 2, 6, 6})),
    STEPS("mpt_attention", Shape, "mask", "[1, 1, 2, 6, 6]", return masked(w, MPT_BOOL, {1, 1, 2, 6, 6})),
    DESCRIPTOR_ROWS(Attention),
    FIELD(Attention, Range, "causal is 2", d.causal = 2),
    FIELD(Attention, Range, "causal is -1", d.causal = -1),
    FIELD(Attention, Range, "scale is inf", d.scale = HUGE_VAL),
    FIELD(Attention, Range, "scale is nan", d.scale = std::nan("")),
    FIELD(Attention, Taken, "", d.scale = -1),
    FIELD(Attention, Range, "dropout is 1", d.dropout = 1),
    FIELD(Attention, Range, "dropout is -0.5", d.dropout = -0.5),
    FIELD(Attention, Range, "dropout is nan", d.dropout = std::nan("")),
    FIELD(Attention, Taken, "", d.dropout = 0.5),
};

}  // namespace
