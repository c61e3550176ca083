#include "ops/op_test.h"
#include "ops/reference.h"

namespace test {

namespace {

// The difference is exact to one rounding; a mean's terms are positive.
constexpr Bound kLoss{4, Scale::Result, 4, 1, Scale::Result};

std::vector<Case> cases() {
    struct Form {
        const char *name;
        Shape shape;
        mpt_reduction reduction;
        Layout prediction, target;
    };
    const Layout plain = Layout::Contiguous;
    const Form forms[] = {
        {"Mean", {3, 5}, MPT_REDUCTION_MEAN, plain, plain},
        {"Sum", {3, 5}, MPT_REDUCTION_SUM, plain, plain},
        {"None", {3, 5}, MPT_REDUCTION_NONE, plain, plain},
        {"Scalar", {}, MPT_REDUCTION_MEAN, plain, plain},
        {"Transposed", {4, 5}, MPT_REDUCTION_MEAN, Layout::Transposed, plain},
        {"TransposedNone", {4, 5}, MPT_REDUCTION_NONE, plain, Layout::Transposed},
        {"Sliced", {2, 3, 4}, MPT_REDUCTION_SUM, Layout::Sliced, Layout::Strided},
        {"SumOfNothing", {0, 4}, MPT_REDUCTION_SUM, plain, plain},
        {"MeanOfNothing", {0, 4}, MPT_REDUCTION_MEAN, plain, plain},
        {"Large", {70, 501}, MPT_REDUCTION_MEAN, plain, plain},
    };
    std::vector<Case> all;
    for (const Form &f : forms)
        all.push_back({.op = "mpt_mse",
                       .name = f.name,
                       .inputs = {{.shape = f.shape, .layout = f.prediction}, {.shape = f.shape, .layout = f.target}},
                       .apply = [=](In in, Out out) { return mpt_mse(in[0], in[1], f.reduction, out); },
                       .reference =
                           [=](const std::vector<Values> &in) {
                               const Values squares = zip(in[0], in[1], [](double a, double b) { return (a - b) * (a - b); });
                               if (f.reduction == MPT_REDUCTION_NONE) return squares;
                               const Values sum = fold(squares, (1u << f.shape.size()) - 1, false, 0,
                                                       [](long double a, long double b) { return a + b; });
                               const auto n = static_cast<double>(squares.data.size());
                               return f.reduction == MPT_REDUCTION_SUM ? sum : map(sum, [=](double x) { return x / n; });
                           },
                       .bound = kLoss});
    return all;
}

}  // namespace

INSTANTIATE_OP_TESTS(Mse, cases());

}  // namespace test
