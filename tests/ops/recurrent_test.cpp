#include <cmath>

#include "ops/op_test.h"
#include "ops/reference.h"

namespace test {

namespace {

// Results are sums of products of functions in [-1, 1], each within 3 units; the sum of two gates in front of a GRU's function adds
// one.
constexpr Bound kCell{8, Scale::Largest, 16, 1, Scale::Largest};

double sigmoid(double x) {
    return 1 / (1 + std::exp(-x));
}

struct Lstm {
    Values hidden, cell;
};
Lstm lstm(const Values &gates, const Values &cell) {
    const std::int64_t width = cell.shape[1];
    const auto gate = [&](const Shape &at, std::int64_t k) { return element(gates, {at[0], k * width + at[1]}); };
    Lstm out;
    out.cell = tabulate(cell.shape, [&](const Shape &at) {
        return sigmoid(gate(at, 1)) * element(cell, at) + sigmoid(gate(at, 0)) * std::tanh(gate(at, 2));
    });
    out.hidden = tabulate(cell.shape, [&](const Shape &at) { return sigmoid(gate(at, 3)) * std::tanh(element(out.cell, at)); });
    return out;
}

Values gru(const Values &x, const Values &y, const Values &hidden) {
    const std::int64_t width = hidden.shape[1];
    return tabulate(hidden.shape, [&](const Shape &at) {
        const auto gate = [&](const Values &v, std::int64_t k) { return element(v, {at[0], k * width + at[1]}); };
        const double r = sigmoid(gate(x, 0) + gate(y, 0)), z = sigmoid(gate(x, 1) + gate(y, 1)),
                     n = std::tanh(gate(x, 2) + r * gate(y, 2));
        return (1 - z) * n + z * element(hidden, at);
    });
}

enum class Use { Hidden, Cell, Both };

// The result that is looked at decides which gradients reach the cell.
void add_lstm(std::vector<Case> &all, const std::string &name, std::int64_t n, std::int64_t width, Use use, bool wide = false,
              Layout layout = Layout::Contiguous) {
    all.push_back({.op = "mpt_lstm_cell",
                   .name = name + (use == Use::Hidden ? "Hidden"
                                   : use == Use::Cell ? "Cell"
                                                      : "Both"),
                   .inputs = {{.shape = {n, 4 * width}, .low = -4, .high = 4, .layout = layout},
                              {.shape = {n, width}, .low = -2, .high = 2, .layout = layout, .wide = wide}},
                   .apply =
                       [=](In in, Out out) {
                           Tensor hidden, cell;
                           MUST(mpt_lstm_cell(in[0], in[1], hidden.out(), cell.out()));
                           if (use == Use::Both) return mpt_mul(hidden, cell, out);
                           return mpt_affine(use == Use::Hidden ? hidden : cell, 1, 0, out);
                       },
                   .reference =
                       [=](const std::vector<Values> &in) {
                           const Lstm o = lstm(in[0], in[1]);
                           if (use == Use::Both) return zip(o.hidden, o.cell, [](double a, double b) { return a * b; });
                           return use == Use::Hidden ? o.hidden : o.cell;
                       },
                   .bound = kCell,
                   .any_thread_count = true});
}

void add_gru(std::vector<Case> &all, const char *name, std::int64_t n, std::int64_t width, bool wide = false,
             Layout layout = Layout::Contiguous) {
    all.push_back({.op = "mpt_gru_cell",
                   .name = name,
                   .inputs = {{.shape = {n, 3 * width}, .low = -3, .high = 3, .layout = layout},
                              {.shape = {n, 3 * width}, .low = -3, .high = 3, .layout = layout},
                              {.shape = {n, width}, .low = -1, .high = 1, .layout = layout, .wide = wide}},
                   .apply = [](In in, Out out) { return mpt_gru_cell(in[0], in[1], in[2], out); },
                   .reference = [](const std::vector<Values> &in) { return gru(in[0], in[1], in[2]); },
                   .bound = kCell,
                   .any_thread_count = true});
}

std::vector<Case> lstm_cases() {
    std::vector<Case> all;
    add_lstm(all, "Small", 3, 5, Use::Hidden);
    add_lstm(all, "Small", 3, 5, Use::Cell);
    add_lstm(all, "WideCell", 4, 7, Use::Hidden, true);
    add_lstm(all, "WideCell", 4, 7, Use::Cell, true);
    add_lstm(all, "Transposed", 6, 10, Use::Hidden, false, Layout::Transposed);
    add_lstm(all, "Sliced", 3, 9, Use::Cell, false, Layout::Sliced);
    add_lstm(all, "OneUnit", 5, 1, Use::Hidden);
    add_lstm(all, "NoRows", 0, 4, Use::Hidden);
    add_lstm(all, "LongRows", 2, 700, Use::Hidden);
    add_lstm(all, "Large", 130, 64, Use::Cell);
    return all;
}

std::vector<Case> gru_cases() {
    std::vector<Case> all;
    add_gru(all, "Small", 3, 5);
    add_gru(all, "WideState", 4, 7, true);
    add_gru(all, "Transposed", 6, 10, false, Layout::Transposed);
    add_gru(all, "Sliced", 3, 9, false, Layout::Sliced);
    add_gru(all, "OneUnit", 5, 1);
    add_gru(all, "NoRows", 0, 4);
    add_gru(all, "LongRows", 2, 700);
    add_gru(all, "Large", 130, 64);
    return all;
}

class Recurrent : public DeviceTest {};

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

INSTANTIATE_OP_TESTS(LstmCell, lstm_cases());
INSTANTIATE_OP_TESTS(GruCell, gru_cases());
INSTANTIATE_ON_EVERY_DEVICE(Recurrent);

// Gradients of both outputs meet in one call of the rule.
TEST_P(Recurrent, BothOutputsOfAnLstmCellPassGradients) {
    Random random(3);
    Values g{{3, 20}, {}}, c{{3, 5}, {}}, dh{{3, 5}, {}}, dc{{3, 5}, {}};
    for (Values *v : {&g, &c, &dh, &dc})
        for (std::int64_t i = 0; i < count(v->shape); ++i) v->data.push_back(random.uniform(-1, 1));
    const auto run = [&](bool with_hidden, bool with_cell) {
        const Tensor gates = make(ctx, MPT_F64, g), cell = make(ctx, MPT_F64, c);
        MUST(mpt_tensor_set_requires_grad(gates, 1));
        MUST(mpt_tensor_set_requires_grad(cell, 1));
        Tensor hidden, next;
        MUST(mpt_lstm_cell(gates, cell, hidden.out(), next.out()));
        const Tensor a = make(ctx, MPT_F64, dh), b = make(ctx, MPT_F64, dc);
        std::vector<mpt_tensor *> roots, starts;
        if (with_hidden) roots.push_back(hidden), starts.push_back(a);
        if (with_cell) roots.push_back(next), starts.push_back(b);
        MUST(mpt_backward_from(roots.data(), starts.data(), static_cast<std::int32_t>(roots.size()), MPT_GRAD_WRITE));
        std::vector<double> both = read(gradient(gates)), more = read(gradient(cell));
        both.insert(both.end(), more.begin(), more.end());
        return both;
    };
    if (GetParam() == Device::Cuda) GTEST_SKIP() << "f64 is the CPU's alone";
    const std::vector<double> both = run(true, true), hidden = run(true, false), cell = run(false, true);
    for (std::size_t i = 0; i < both.size(); ++i) {
        EXPECT_NEAR(both[i], hidden[i] + cell[i], 1e-15);
        EXPECT_NE(hidden[i], 0);
    }
}

TEST_P(Recurrent, SaturatedGatesStayFinite) {
    for (mpt_dtype dtype : {MPT_F32, MPT_F16, MPT_BF16}) {
        const Tensor gates = make(ctx, dtype, Values{{2, 4}, {30000, 30000, 30000, 30000, -30000, -30000, -30000, -30000}});
        const Tensor cell = make(ctx, dtype, Values{{2, 1}, {3, 3}});
        MUST(mpt_tensor_set_requires_grad(gates, 1));
        Tensor hidden, next;
        MUST(mpt_lstm_cell(gates, cell, hidden.out(), next.out()));
        EXPECT_EQ(read(next), (std::vector<double>{4, 0})) << mpt_dtype_name(dtype);
        EXPECT_NEAR(read(hidden)[0], std::tanh(4.0), roundoff(dtype) + 1e-6);
        mpt_tensor *root = hidden, *start = nullptr;
        const Tensor ones = make(ctx, dtype, Values{{2, 1}, {1, 1}});
        start = ones;
        MUST(mpt_backward_from(&root, &start, 1, MPT_GRAD_WRITE));
        for (double x : read(gradient(gates))) EXPECT_EQ(x, 0) << mpt_dtype_name(dtype);
    }
}

TEST_P(Recurrent, NanAndInfinityPassOn) {
    const double nan = std::nan("");
    const Tensor gates = make(ctx, MPT_F32, Values{{2, 4}, {nan, 0, 0, 0, 0, 0, 0, 0}}),
                 cell = make(ctx, MPT_F32, Values{{2, 1}, {1, kInfinity}});
    Tensor hidden, next;
    MUST(mpt_lstm_cell(gates, cell, hidden.out(), next.out()));
    EXPECT_TRUE(std::isnan(read(next)[0]) && std::isnan(read(hidden)[0]));
    EXPECT_EQ(read(next)[1], kInfinity);
    EXPECT_EQ(read(hidden)[1], 0.5);
    const Tensor x = make(ctx, MPT_F32, Values{{1, 3}, {0, nan, 0}}), state = make(ctx, MPT_F32, Values{{1, 1}, {1}});
    Tensor out;
    MUST(mpt_gru_cell(x, x, state, out.out()));
    EXPECT_TRUE(std::isnan(read(out)[0]));
}

// Under autocast the gates become low; what a state carries from step to step keeps its type.
TEST_P(Recurrent, StatesStayWideUnderAutocast) {
    Policy policy;
    MUST(mpt_policy_create(ctx, MPT_BF16, policy.out()));
    const Tensor gates = make(ctx, MPT_F32, Values{{1, 12}, std::vector<double>(12, 0.3)}),
                 x = make(ctx, MPT_F32, Values{{1, 9}, std::vector<double>(9, 0.3)});
    const Tensor state = make(ctx, MPT_F32, Values{{1, 3}, {1, 2, 3}}), low = make(ctx, MPT_BF16, Values{{1, 3}, {1, 2, 3}});
    Tensor hidden, cell, out;
    MUST(mpt_autocast_begin(ctx, policy));
    MUST(mpt_lstm_cell(gates, state, hidden.out(), cell.out()));
    EXPECT_EQ(dtype_of(hidden), MPT_BF16);
    EXPECT_EQ(dtype_of(cell), MPT_F32);
    MUST(mpt_lstm_cell(gates, low, hidden.out(), cell.out()));
    EXPECT_EQ(dtype_of(cell), MPT_BF16);
    MUST(mpt_gru_cell(x, x, state, out.out()));
    EXPECT_EQ(dtype_of(out), MPT_F32);
    MUST(mpt_gru_cell(x, x, low, out.out()));
    EXPECT_EQ(dtype_of(out), MPT_BF16);
    MUST(mpt_autocast_end(ctx));
}

}  // namespace test
