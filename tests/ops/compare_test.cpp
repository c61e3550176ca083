// Comparisons, predicates and logic: BOOL results, which the shared body sees through a choice between two inputs.
#include "ops/elementwise_forms.h"

namespace test {

namespace {

struct Comparison {
    const char *op;
    BinaryFunction function;
    bool (*holds)(double, double);
};
const Comparison kComparisons[] = {
    {"mpt_equal", mpt_equal, [](double a, double b) { return a == b; }},
    {"mpt_not_equal", mpt_not_equal, [](double a, double b) { return a != b; }},
    {"mpt_less", mpt_less, [](double a, double b) { return a < b; }},
    {"mpt_less_equal", mpt_less_equal, [](double a, double b) { return a <= b; }},
    {"mpt_greater", mpt_greater, [](double a, double b) { return a > b; }},
    {"mpt_greater_equal", mpt_greater_equal, [](double a, double b) { return a >= b; }},
};
const Comparison kLogic[] = {
    {"mpt_logical_and", mpt_logical_and, [](double a, double b) { return a != 0 && b != 0; }},
    {"mpt_logical_or", mpt_logical_or, [](double a, double b) { return a != 0 || b != 0; }},
    {"mpt_logical_xor", mpt_logical_xor, [](double a, double b) { return (a != 0) != (b != 0); }},
};

// Few different values, so that some are equal.
double coarse(double x) {
    return std::nearbyint(2 * x);
}
void coarse(mpt_tensor *x, Tensor &out) {
    Tensor doubled;
    MUST(mpt_affine(x, 2, 0, doubled.out()));
    MUST(mpt_round(doubled, out.out()));
}

struct Predicate {
    const char *op;
    UnaryFunction before, function;  // function(before(x)) is true
    bool (*holds)(double);           // where this is
};
const Predicate kPredicates[] = {
    {"mpt_isnan", mpt_sqrt, mpt_isnan, [](double x) { return x < 0; }},
    {"mpt_isinf", mpt_reciprocal, mpt_isinf, [](double x) { return coarse(x) == 0; }},
    {"mpt_isfinite", mpt_reciprocal, mpt_isfinite, [](double x) { return coarse(x) != 0; }},
    {"mpt_logical_not", mpt_abs, mpt_logical_not, [](double x) { return coarse(x) == 0; }},
};

std::vector<Case> cases() {
    std::vector<Case> all;
    const Bound bound{1, Scale::Result, 8, 2, Scale::Largest};
    for (const Comparison &c : kComparisons) {
        for (const BinaryForm &form : binary_forms())
            all.push_back({.op = c.op,
                           .name = form.name,
                           .inputs = {{.shape = form.a, .layout = form.la}, {.shape = form.b, .layout = form.lb}},
                           .apply =
                               [=](In in, Out out) {
                                   Tensor a, b, truth;
                                   coarse(in[0], a), coarse(in[1], b);
                                   MUST(c.function(a, b, truth.out()));
                                   return mpt_where(truth, in[0], in[1], out);
                               },
                           .reference =
                               [=](const std::vector<Values> &in) {
                                   return zip(in[0], in[1],
                                              [=](double a, double b) { return c.holds(coarse(a), coarse(b)) ? a : b; });
                               },
                           .bound = bound,
                           .any_thread_count = true});
    }
    for (const Comparison &c : kLogic)
        for (const BinaryForm &form : binary_forms()) {
            const Operand p{.shape = form.a, .low = 0, .high = 2, .layout = form.la, .index = MPT_BOOL},
                q{.shape = form.b, .low = 0, .high = 2, .layout = form.lb, .index = MPT_BOOL};
            all.push_back({.op = c.op,
                           .name = form.name,
                           .inputs = {p, q, {.shape = broadcast(form.a, form.b)}},
                           .apply =
                               [=](In in, Out out) {
                                   Tensor truth, minus;
                                   MUST(c.function(in[0], in[1], truth.out()));
                                   MUST(mpt_neg(in[2], minus.out()));
                                   return mpt_where(truth, in[2], minus, out);
                               },
                           .reference =
                               [=](const std::vector<Values> &in) {
                                   const Values truth =
                                       zip(in[0], in[1], [=](double a, double b) { return c.holds(a, b) ? 1.0 : -1.0; });
                                   return zip(truth, in[2], [](double sign, double x) { return sign * x; });
                               },
                           .bound = kExact,
                           .any_thread_count = true});
        }
    for (const Predicate &p : kPredicates)
        add_unary(
            all, p.op,
            [=](mpt_tensor *x, mpt_tensor **out) {
                Tensor few, y, truth, minus;
                if (p.before != mpt_sqrt) coarse(x, few);
                MUST(p.before(few ? static_cast<mpt_tensor *>(few) : x, y.out()));
                MUST(p.function(y, truth.out()));
                MUST(mpt_neg(x, minus.out()));
                return mpt_where(truth, minus, x, out);
            },
            [=](double x) { return p.holds(x) ? -x : x; }, {}, kExact);
    return all;
}

class Compare : public ElementwiseTest {
protected:
    void expect_truth(BinaryFunction f, const Tensor &a, const Tensor &b, const std::vector<double> &wanted,
                      const std::string &what) {
        Tensor out;
        MUST(f(a, b, out.out()));
        EXPECT_EQ(dtype_of(out), MPT_BOOL) << what;
        EXPECT_EQ(read(out), wanted) << what;
    }
};

}  // namespace

INSTANTIATE_OP_TESTS(Comparison, cases());
INSTANTIATE_ON_EVERY_DEVICE(Compare);

TEST_P(Compare, EveryDtype) {
    for (mpt_dtype dtype : {MPT_F64, MPT_F32, MPT_F16, MPT_BF16, MPT_I8, MPT_I16, MPT_I32, MPT_I64, MPT_U8, MPT_BOOL}) {
        if (GetParam() == Device::Cuda && dtype == MPT_F64) continue;
        const std::vector<double> x = {0, 0, 1, 1}, y = {0, 1, 0, 1};
        for (const Comparison &c : kComparisons) {
            std::vector<double> wanted;
            for (std::size_t i = 0; i < x.size(); ++i) wanted.push_back(c.holds(x[i], y[i]));
            expect_truth(c.function, make(ctx, dtype, x), make(ctx, dtype, y), wanted,
                         std::string(c.op) + " of " + mpt_dtype_name(dtype));
        }
        Tensor none;
        MUST(mpt_logical_not(make(ctx, dtype, {0, 1, 0}), none.out()));
        EXPECT_EQ(dtype_of(none), MPT_BOOL);
        EXPECT_EQ(read(none), (std::vector<double>{1, 0, 1})) << mpt_dtype_name(dtype);
    }
}

// Integers are compared as they are: these two are one number in f64.
TEST_P(Compare, LargeIntegers) {
    const std::int64_t a = (std::int64_t{1} << 53) + 1, b = std::int64_t{1} << 53;
    const Tensor left = create(ctx, MPT_I64, {1}), right = create(ctx, MPT_I64, {1});
    MUST(mpt_tensor_write(left, &a, sizeof a));
    MUST(mpt_tensor_write(right, &b, sizeof b));
    expect_truth(mpt_greater, left, right, {1}, "greater");
    expect_truth(mpt_equal, left, right, {0}, "equal");
    expect_truth(mpt_less, make(ctx, MPT_I8, {-128}), make(ctx, MPT_I8, {127}), {1}, "signed");
    expect_truth(mpt_less, make(ctx, MPT_U8, {200}), make(ctx, MPT_U8, {100}), {0}, "unsigned");
}

TEST_P(Compare, NanAndZeros) {
    for (mpt_dtype dtype : {MPT_F32, MPT_F16, MPT_BF16}) {
        const Tensor a = make(ctx, dtype, {kNan, kNan, 1, -0.0, kInfinity}), b = make(ctx, dtype, {kNan, 1, kNan, 0, kInfinity});
        expect_truth(mpt_equal, a, b, {0, 0, 0, 1, 1}, "equal");
        expect_truth(mpt_not_equal, a, b, {1, 1, 1, 0, 0}, "not equal");
        expect_truth(mpt_less, a, b, {0, 0, 0, 0, 0}, "less");
        expect_truth(mpt_greater_equal, a, b, {0, 0, 0, 1, 1}, "greater or equal");
        const std::vector<double> x = {kNan, -kInfinity, kInfinity, 0, 1};
        expect_same(apply(mpt_isnan, dtype, x), {1, 0, 0, 0, 0});
        expect_same(apply(mpt_isinf, dtype, x), {0, 1, 1, 0, 0});
        expect_same(apply(mpt_isfinite, dtype, x), {0, 0, 0, 1, 1});
        expect_same(apply(mpt_logical_not, dtype, {kNan, -0.0, 0, 2}), {0, 1, 1, 0});
    }
}

// Mixed floating types meet in the widest: 1/3 is another number in each of them.
TEST_P(Compare, MixedTypesArePromoted) {
    const double third = 1.0 / 3;
    expect_truth(mpt_equal, make(ctx, MPT_F16, {third}), make(ctx, MPT_F32, {third}), {0}, "f16 and f32");
    expect_truth(mpt_equal, make(ctx, MPT_BF16, {0.5}), make(ctx, MPT_F16, {0.5}), {1}, "bf16 and f16");
    expect_truth(mpt_not_equal, make(ctx, MPT_BF16, {third}), make(ctx, MPT_F16, {third}), {1}, "bf16 and f16");
}

}  // namespace test
