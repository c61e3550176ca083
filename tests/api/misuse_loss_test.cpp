#include "api/misuse.h"

namespace {

net::Tensor of(misuse::World &w, mpt_dtype dtype, const std::vector<std::int64_t> &shape) { return net::tensor(w.ctx, dtype, shape); }

mpt_cross_entropy_params defaults() {
    mpt_cross_entropy_params p;
    MUST(mpt_cross_entropy_params_init(&p, sizeof p));
    return p;
}
struct CrossEntropy {
    static constexpr const char *function = "mpt_cross_entropy", *argument = "params";
    static mpt_cross_entropy_params good() { return defaults(); }
    static mpt_status use(misuse::World &w, const mpt_cross_entropy_params *p) { return mpt_cross_entropy(w.x, w.labels, p, w.out()); }
};
struct Nll {
    static constexpr const char *function = "mpt_nll", *argument = "params";
    static mpt_cross_entropy_params good() { return defaults(); }
    static mpt_status use(misuse::World &w, const mpt_cross_entropy_params *p) { return mpt_nll(w.x, w.labels, p, w.out()); }
};

// Use and function: one of the two above.
#define CLASS_ROWS(Use, function, first)                                                                                       \
    ROW(Null, first, "", function, nullptr, w.labels, nullptr, w.out()),                                                       \
    ROW(Null, "target", "", function, w.x, nullptr, nullptr, w.out()),                                                         \
    ROW(Taken, "params", "", function, w.x, w.labels, nullptr, w.out()),                                                       \
    ROW(Null, "out", "", function, w.x, w.labels, nullptr, nullptr),                                                           \
    ROW(Foreign, "target", "", function, w.x, w.other.labels, nullptr, w.out()),                                               \
    ROW(Shape, first, "[4]", function, w.row, w.labels, nullptr, w.out()),                                                     \
    ROW(Shape, "target", "[2]", function, w.weight, w.labels, nullptr, w.out()),                                               \
    ROW(Dtype, first, "is i32", function, w.ints, w.labels, nullptr, w.out()),                                                 \
    ROW(Dtype, "target", "is bool", function, w.x, w.bools, nullptr, w.out()),                                                 \
    ROW(State, first, "", function, w.output, w.labels, nullptr, w.out()),                                                     \
    DESCRIPTOR_ROWS(Use),                                                                                                      \
    FIELD(Use, Range, "reduction' is -1", d.reduction = static_cast<mpt_reduction>(-1)),                                       \
    FIELD(Use, Range, "reduction' is 4", d.reduction = static_cast<mpt_reduction>(4)),                                         \
    FIELD(Use, Range, "label_smoothing is -0.5", d.label_smoothing = -0.5),                                                    \
    FIELD(Use, Range, "label_smoothing is 1.5", d.label_smoothing = 1.5),                                                      \
    FIELD(Use, Range, "label_smoothing is nan", d.label_smoothing = NAN),                                                      \
    FIELD(Use, Foreign, "weight", d.weight = w.other.row),                                                                     \
    FIELD(Use, State, "", d.weight = w.output),                                                                                \
    FIELD(Use, Shape, "weight has shape [4]", d.weight = w.row),                                                               \
    STEPS(#function, Dtype, "params", "weight is f64", auto d = Use::good(); net::Tensor f = of(w, MPT_F64, {3}); d.weight = f; \
          return Use::use(w, &d)),                                                                                             \
    STEPS(#function, Taken, "params", "", auto d = Use::good(); net::Tensor f = of(w, MPT_F32, {3}); d.weight = f; return Use::use(w, &d)), \
    FIELD(Use, Taken, "", d.reduction = MPT_REDUCTION_BATCH_MEAN),                                                             \
    FIELD(Use, Taken, "", d.ignore_index = INT64_MIN)

// Losses of two tensors of one shape: ... is what stands between them and the reduction.
#define PAIR_ROWS(function, first, ...)                                                                                        \
    ROW(Null, first, "", function, nullptr, w.x, __VA_ARGS__ MPT_REDUCTION_MEAN, w.out()),                                     \
    ROW(Null, "target", "", function, w.x, nullptr, __VA_ARGS__ MPT_REDUCTION_MEAN, w.out()),                                  \
    ROW(Null, "out", "", function, w.x, w.x, __VA_ARGS__ MPT_REDUCTION_MEAN, nullptr),                                         \
    ROW(Foreign, "target", "", function, w.x, w.other.x, __VA_ARGS__ MPT_REDUCTION_MEAN, w.out()),                             \
    ROW(Range, "reduction", "is -1", function, w.x, w.x, __VA_ARGS__ static_cast<mpt_reduction>(-1), w.out()),                 \
    ROW(Range, "reduction", "is 4", function, w.x, w.x, __VA_ARGS__ static_cast<mpt_reduction>(4), w.out()),                   \
    ROW(Shape, "reduction", "scalar", function, w.scalar, w.scalar, __VA_ARGS__ MPT_REDUCTION_BATCH_MEAN, w.out()),            \
    ROW(Shape, "target", "[4]", function, w.x, w.row, __VA_ARGS__ MPT_REDUCTION_MEAN, w.out()),                                \
    ROW(Dtype, first, "is i32", function, w.ints, w.ints, __VA_ARGS__ MPT_REDUCTION_MEAN, w.out()),                            \
    ROW(Dtype, "target", "is i32", function, w.x, w.ints, __VA_ARGS__ MPT_REDUCTION_MEAN, w.out()),                            \
    ROW(State, first, "", function, w.output, w.x, __VA_ARGS__ MPT_REDUCTION_MEAN, w.out()),                                   \
    ROW(State, "target", "", function, w.x, w.output, __VA_ARGS__ MPT_REDUCTION_MEAN, w.out()),                                \
    ROW(Taken, "target", "", function, w.x, w.half, __VA_ARGS__ MPT_REDUCTION_BATCH_MEAN, w.out())

// [T, N, C] = [5, 2, 3] and what goes with it.
struct CtcCall {
    net::Tensor x, labels, times, lengths;
    explicit CtcCall(misuse::World &w)
        : x(of(w, MPT_F32, {5, 2, 3})), labels(of(w, MPT_I64, {2, 2})), times(of(w, MPT_I64, {2})), lengths(of(w, MPT_I32, {2})) {}
};
#define CTC_ROW(kind, argument, value, ...) STEPS("mpt_ctc", kind, argument, value, CtcCall c(w); __VA_ARGS__)

const misuse::Rows rows{
    INIT_ROWS(mpt_cross_entropy_params_init, "params"),
    CLASS_ROWS(CrossEntropy, mpt_cross_entropy, "logits"),
    ROW(Shape, "target", "[4]", mpt_cross_entropy, w.weight, w.row, nullptr, w.out()),
    ROW(Taken, "target", "", mpt_cross_entropy, w.x, w.half, nullptr, w.out()),
    FIELD(CrossEntropy, Taken, "", d.label_smoothing = 1),
    CLASS_ROWS(Nll, mpt_nll, "log_probabilities"),
    ROW(Dtype, "target", "is f32", mpt_nll, w.x, w.x, nullptr, w.out()),
    FIELD(Nll, Range, "label_smoothing is 0.5", d.label_smoothing = 0.5),

    PAIR_ROWS(mpt_mse, "prediction", ),
    PAIR_ROWS(mpt_l1, "prediction", ),
    PAIR_ROWS(mpt_huber, "prediction", 1, ),
    ROW(Range, "delta", "is 0", mpt_huber, w.x, w.x, 0, MPT_REDUCTION_MEAN, w.out()),
    ROW(Range, "delta", "is -1", mpt_huber, w.x, w.x, -1, MPT_REDUCTION_MEAN, w.out()),
    ROW(Range, "delta", "is nan", mpt_huber, w.x, w.x, NAN, MPT_REDUCTION_MEAN, w.out()),
    ROW(Range, "delta", "is inf", mpt_huber, w.x, w.x, INFINITY, MPT_REDUCTION_MEAN, w.out()),
    PAIR_ROWS(mpt_bce_with_logits, "logits", 1, ),
    ROW(Range, "positive_weight", "is -1", mpt_bce_with_logits, w.x, w.x, -1, MPT_REDUCTION_MEAN, w.out()),
    ROW(Range, "positive_weight", "is nan", mpt_bce_with_logits, w.x, w.x, NAN, MPT_REDUCTION_MEAN, w.out()),
    ROW(Range, "positive_weight", "is inf", mpt_bce_with_logits, w.x, w.x, INFINITY, MPT_REDUCTION_MEAN, w.out()),
    ROW(Taken, "positive_weight", "", mpt_bce_with_logits, w.x, w.x, 0, MPT_REDUCTION_MEAN, w.out()),
    PAIR_ROWS(mpt_kl_div, "log_prediction", ),
    PAIR_ROWS(mpt_hinge, "prediction", 1, ),
    ROW(Range, "margin", "is nan", mpt_hinge, w.x, w.x, NAN, MPT_REDUCTION_MEAN, w.out()),
    ROW(Range, "margin", "is inf", mpt_hinge, w.x, w.x, INFINITY, MPT_REDUCTION_MEAN, w.out()),
    ROW(Taken, "margin", "", mpt_hinge, w.x, w.x, -1, MPT_REDUCTION_MEAN, w.out()),

    ROW(Null, "a", "", mpt_cosine_similarity, nullptr, w.x, 1, 1e-8, w.out()),
    ROW(Null, "b", "", mpt_cosine_similarity, w.x, nullptr, 1, 1e-8, w.out()),
    ROW(Null, "out", "", mpt_cosine_similarity, w.x, w.x, 1, 1e-8, nullptr),
    ROW(Foreign, "b", "", mpt_cosine_similarity, w.x, w.other.x, 1, 1e-8, w.out()),
    ROW(Range, "dim", "is 2: 'a'", mpt_cosine_similarity, w.x, w.x, 2, 1e-8, w.out()),
    ROW(Range, "dim", "is -3", mpt_cosine_similarity, w.x, w.x, -3, 1e-8, w.out()),
    ROW(Range, "dim", "is 0", mpt_cosine_similarity, w.scalar, w.scalar, 0, 1e-8, w.out()),
    ROW(Range, "eps", "is -1", mpt_cosine_similarity, w.x, w.x, 1, -1, w.out()),
    ROW(Range, "eps", "is nan", mpt_cosine_similarity, w.x, w.x, 1, NAN, w.out()),
    ROW(Taken, "eps", "", mpt_cosine_similarity, w.x, w.half, -2, 0, w.out()),
    ROW(Shape, "b", "[4]", mpt_cosine_similarity, w.x, w.row, 1, 1e-8, w.out()),
    ROW(Dtype, "a", "is i32", mpt_cosine_similarity, w.ints, w.x, 1, 1e-8, w.out()),
    ROW(Dtype, "b", "is i32", mpt_cosine_similarity, w.x, w.ints, 1, 1e-8, w.out()),
    ROW(State, "b", "", mpt_cosine_similarity, w.x, w.output, 1, 1e-8, w.out()),

    ROW(Null, "a", "", mpt_cosine_embedding, nullptr, w.weight, w.row, 0, MPT_REDUCTION_MEAN, w.out()),
    ROW(Null, "b", "", mpt_cosine_embedding, w.weight, nullptr, w.row, 0, MPT_REDUCTION_MEAN, w.out()),
    ROW(Null, "target", "", mpt_cosine_embedding, w.weight, w.weight, nullptr, 0, MPT_REDUCTION_MEAN, w.out()),
    ROW(Null, "out", "", mpt_cosine_embedding, w.weight, w.weight, w.row, 0, MPT_REDUCTION_MEAN, nullptr),
    ROW(Foreign, "b", "", mpt_cosine_embedding, w.weight, w.other.weight, w.row, 0, MPT_REDUCTION_MEAN, w.out()),
    ROW(Foreign, "target", "", mpt_cosine_embedding, w.weight, w.weight, w.other.row, 0, MPT_REDUCTION_MEAN, w.out()),
    ROW(Range, "margin", "is nan", mpt_cosine_embedding, w.weight, w.weight, w.row, NAN, MPT_REDUCTION_MEAN, w.out()),
    ROW(Range, "reduction", "is 4", mpt_cosine_embedding, w.weight, w.weight, w.row, 0, static_cast<mpt_reduction>(4), w.out()),
    ROW(Shape, "a", "[4]", mpt_cosine_embedding, w.row, w.row, w.row, 0, MPT_REDUCTION_MEAN, w.out()),
    ROW(Shape, "b", "[2, 3]", mpt_cosine_embedding, w.weight, w.x, w.row, 0, MPT_REDUCTION_MEAN, w.out()),
    ROW(Shape, "target", "[4]", mpt_cosine_embedding, w.x, w.x, w.row, 0, MPT_REDUCTION_MEAN, w.out()),
    STEPS("mpt_cosine_embedding", Dtype, "a", "is i32", net::Tensor t = of(w, MPT_F32, {2});
          return mpt_cosine_embedding(w.ints, w.x, t, 0, MPT_REDUCTION_MEAN, w.out())),
    ROW(Dtype, "target", "is i64", mpt_cosine_embedding, w.x, w.x, w.labels, 0, MPT_REDUCTION_MEAN, w.out()),
    ROW(State, "a", "", mpt_cosine_embedding, w.output, w.x, w.row, 0, MPT_REDUCTION_MEAN, w.out()),

    CTC_ROW(Null, "log_probabilities", "", return mpt_ctc(nullptr, c.labels, c.times, c.lengths, 0, MPT_REDUCTION_MEAN, 0, w.out())),
    CTC_ROW(Null, "targets", "", return mpt_ctc(c.x, nullptr, c.times, c.lengths, 0, MPT_REDUCTION_MEAN, 0, w.out())),
    CTC_ROW(Null, "input_lengths", "", return mpt_ctc(c.x, c.labels, nullptr, c.lengths, 0, MPT_REDUCTION_MEAN, 0, w.out())),
    CTC_ROW(Null, "target_lengths", "", return mpt_ctc(c.x, c.labels, c.times, nullptr, 0, MPT_REDUCTION_MEAN, 0, w.out())),
    CTC_ROW(Null, "out", "", return mpt_ctc(c.x, c.labels, c.times, c.lengths, 0, MPT_REDUCTION_MEAN, 0, nullptr)),
    CTC_ROW(Foreign, "targets", "", return mpt_ctc(c.x, w.other.labels, c.times, c.lengths, 0, MPT_REDUCTION_MEAN, 0, w.out())),
    CTC_ROW(Foreign, "input_lengths", "", return mpt_ctc(c.x, c.labels, w.other.labels, c.lengths, 0, MPT_REDUCTION_MEAN, 0, w.out())),
    CTC_ROW(Foreign, "target_lengths", "", return mpt_ctc(c.x, c.labels, c.times, w.other.labels, 0, MPT_REDUCTION_MEAN, 0, w.out())),
    CTC_ROW(Range, "blank", "is -1", return mpt_ctc(c.x, c.labels, c.times, c.lengths, -1, MPT_REDUCTION_MEAN, 0, w.out())),
    CTC_ROW(Range, "blank", "is 3", return mpt_ctc(c.x, c.labels, c.times, c.lengths, 3, MPT_REDUCTION_MEAN, 0, w.out())),
    CTC_ROW(Range, "reduction", "is 4", return mpt_ctc(c.x, c.labels, c.times, c.lengths, 0, static_cast<mpt_reduction>(4), 0, w.out())),
    CTC_ROW(Range, "zero_infinity", "is 2", return mpt_ctc(c.x, c.labels, c.times, c.lengths, 0, MPT_REDUCTION_MEAN, 2, w.out())),
    CTC_ROW(Shape, "log_probabilities", "[2, 3]", return mpt_ctc(w.x, c.labels, c.times, c.lengths, 0, MPT_REDUCTION_MEAN, 0, w.out())),
    CTC_ROW(Shape, "targets", "[2]", return mpt_ctc(c.x, w.labels, c.times, c.lengths, 0, MPT_REDUCTION_MEAN, 0, w.out())),
    CTC_ROW(Shape, "targets", "[4, 2]", net::Tensor t = of(w, MPT_I64, {4, 2}); return mpt_ctc(c.x, t, c.times, c.lengths, 0, MPT_REDUCTION_MEAN, 0, w.out())),
    CTC_ROW(Shape, "input_lengths", "[2, 2]", return mpt_ctc(c.x, c.labels, c.labels, c.lengths, 0, MPT_REDUCTION_MEAN, 0, w.out())),
    CTC_ROW(Shape, "target_lengths", "[2, 2]", return mpt_ctc(c.x, c.labels, c.times, c.labels, 0, MPT_REDUCTION_MEAN, 0, w.out())),
    CTC_ROW(Dtype, "log_probabilities", "is i32", net::Tensor x = of(w, MPT_I32, {5, 2, 3}); return mpt_ctc(x, c.labels, c.times, c.lengths, 0, MPT_REDUCTION_MEAN, 0, w.out())),
    CTC_ROW(Dtype, "targets", "is f32", return mpt_ctc(c.x, w.x, c.times, c.lengths, 0, MPT_REDUCTION_MEAN, 0, w.out())),
    CTC_ROW(Dtype, "input_lengths", "is f32", return mpt_ctc(c.x, c.labels, w.row, c.lengths, 0, MPT_REDUCTION_MEAN, 0, w.out())),
    CTC_ROW(Dtype, "target_lengths", "is u8", net::Tensor t = of(w, MPT_U8, {2}); return mpt_ctc(c.x, c.labels, c.times, t, 0, MPT_REDUCTION_MEAN, 0, w.out())),
    CTC_ROW(State, "log_probabilities", "", return mpt_ctc(w.output, c.labels, c.times, c.lengths, 0, MPT_REDUCTION_MEAN, 0, w.out())),
    CTC_ROW(Taken, "zero_infinity", "", return mpt_ctc(c.x, c.labels, c.times, c.lengths, 2, MPT_REDUCTION_NONE, 1, w.out())),
};

}  // namespace
