// A recurrent layer beside the same steps written out op by op: its weight's gradient is made of all steps at once.
#include <cmath>

#include "common/random.h"
#include "dump.h"

using namespace net;

namespace {

constexpr std::int64_t kSteps = 7, kIn = 5;

struct Case {
    const char *name;
    mpt_recurrent_kind kind;
    std::int64_t read;  // how many of the outputs the loss sees
    bool first_state;
    std::int64_t hidden = 4, batch = 3;
};
void PrintTo(const Case &c, std::ostream *out) { *out << c.name; }

mpt_dtype precise() { return device() == MPT_DEVICE_CPU ? MPT_F64 : MPT_F32; }

Tensor random_tensor(mpt_context *ctx, const std::vector<std::int64_t> &shape, std::uint64_t seed, bool tracked) {
    std::int64_t n = 1;
    for (const std::int64_t e : shape) n *= e;
    test::Random random(seed);
    std::vector<float> values(static_cast<std::size_t>(n));
    for (float &v : values) v = static_cast<float>(random.uniform(-1, 1));
    const Tensor f32 = tensor(ctx, MPT_F32, shape, values);
    Tensor t;
    MUST(mpt_cast(f32, precise(), t.out()));
    if (tracked) MUST(mpt_tensor_set_requires_grad(t, 1));
    return t;
}

// x, the layer's four parameters, first states; and a loss of the first outputs.
class Sequence {
public:
    explicit Sequence(const Case &c) : ctx(context(3)), case_(c), gates_(c.kind == MPT_RECURRENT_LSTM ? 4 : c.kind == MPT_RECURRENT_GRU ? 3 : 1) {
        x = random_tensor(ctx, {kSteps, c.batch, kIn}, 1, true);
        mpt_recurrent_desc d;
        MUST(mpt_recurrent_desc_init(&d, sizeof d));
        d.kind = c.kind;
        d.input_size = kIn;
        d.hidden_size = c.hidden;
        d.dtype = precise();
        MUST(mpt_layer_recurrent(ctx, &d, layer.out()));
        const char *const names[] = {"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"};
        for (int i = 0; i < 4; ++i) MUST(mpt_layer_parameter_by_name(layer, names[i], parameters[i].out()));
        for (int i = 0; i < states(); ++i) first[i] = random_tensor(ctx, {1, c.batch, c.hidden}, static_cast<std::uint64_t>(7 + i), c.first_state);
        factor = random_tensor(ctx, {c.read, c.batch, c.hidden}, 9, false);
    }

    Tensor by_layer() {
        mpt_tensor *in[] = {x, first[0], first[1]}, *y = nullptr;
        MUST(mpt_layer_forward(layer, in, case_.first_state ? 1 + states() : 1, &y, 1));
        return loss_of(Tensor(y));
    }
    Tensor by_ops() {
        Tensor all, hidden, cell;
        MUST(mpt_linear(x, parameters[0], parameters[2], all.out()));
        const std::int64_t state[] = {case_.batch, case_.hidden}, gates[] = {case_.batch, gates_ * case_.hidden};
        for (auto [from, to] : {std::pair{&first[0], &hidden}, std::pair{&first[1], &cell}}) {
            if (case_.first_state && *from) {
                MUST(mpt_reshape(*from, 2, state, to->out()));
            } else {
                MUST(mpt_tensor_create(ctx, precise(), 2, state, to->out()));
                MUST(mpt_tensor_fill(*to, 0));
            }
        }
        std::vector<Tensor> results(kSteps);
        std::vector<mpt_tensor *> list{hidden};
        for (std::int64_t i = 0; i < kSteps; ++i) {
            Tensor part, input, own, &next = results[static_cast<std::size_t>(i)];
            MUST(mpt_slice(all, 0, i, 1, part.out()));
            MUST(mpt_reshape(part, 2, gates, input.out()));
            MUST(mpt_linear(list.back(), parameters[1], parameters[3], own.out()));
            if (case_.kind == MPT_RECURRENT_GRU) {
                MUST(mpt_gru_cell(input, own, list.back(), next.out()));
            } else {
                Tensor sum;
                MUST(mpt_add(input, own, sum.out()));
                if (case_.kind == MPT_RECURRENT_LSTM) {
                    Tensor next_cell;
                    MUST(mpt_lstm_cell(sum, cell, next.out(), next_cell.out()));
                    cell = std::move(next_cell);
                } else {
                    MUST(mpt_tanh(sum, next.out()));
                }
            }
            list.push_back(next);
        }
        Tensor y;
        MUST(mpt_stack(list.data() + 1, kSteps, 0, y.out()));
        return loss_of(std::move(y));
    }
    // Of x, the parameters and the first states.
    std::vector<std::vector<float>> gradients(const Tensor &loss, mpt_grad_mode mode = MPT_GRAD_WRITE) {
        MUST(mpt_backward(loss, nullptr, mode));
        std::vector<mpt_tensor *> of{x};
        for (const Tensor &p : parameters) of.push_back(p);
        if (case_.first_state)
            for (int i = 0; i < states(); ++i) of.push_back(first[i]);
        std::vector<std::vector<float>> list;
        for (mpt_tensor *t : of) {
            Tensor gradient, f32;
            MUST(mpt_tensor_grad(t, gradient.out()));
            MUST(mpt_cast(gradient, MPT_F32, f32.out()));
            list.push_back(floats(f32));
        }
        return list;
    }

    Context ctx;
    Layer layer;
    Tensor x, parameters[4], first[2], factor;

private:
    int states() const { return case_.kind == MPT_RECURRENT_LSTM ? 2 : 1; }
    Tensor loss_of(Tensor y) {
        Tensor head, product, loss;
        MUST(mpt_slice(y, 0, 0, case_.read, head.out()));
        MUST(mpt_mul(head, factor, product.out()));
        MUST(mpt_sum(product, 0, nullptr, 0, loss.out()));
        return loss;
    }

    const Case case_;
    const std::int64_t gates_;
};

class RecurrentSteps : public testing::TestWithParam<Case> {};

const Case kCases[] = {
    {"lstm", MPT_RECURRENT_LSTM, kSteps, false},     {"lstm_first_state", MPT_RECURRENT_LSTM, kSteps, true}, {"lstm_early_outputs", MPT_RECURRENT_LSTM, 3, true},
    {"gru", MPT_RECURRENT_GRU, kSteps, false},       {"gru_first_state", MPT_RECURRENT_GRU, kSteps, true},   {"gru_early_outputs", MPT_RECURRENT_GRU, 2, true},
    {"tanh_first_state", MPT_RECURRENT_TANH, kSteps, true},
    // Several panels of units and tiles of rows, neither full.
    {"lstm_wide", MPT_RECURRENT_LSTM, 5, true, 77, 29},       {"lstm_deep", MPT_RECURRENT_LSTM, kSteps, false, 680, 2},
    {"gru_wide", MPT_RECURRENT_GRU, 5, true, 77, 29},         {"gru_deep", MPT_RECURRENT_GRU, kSteps, false, 680, 2},
};

void expect_near(const std::vector<std::vector<float>> &a, const std::vector<std::vector<float>> &b) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        ASSERT_EQ(a[i].size(), b[i].size()) << i;
        double sum = 0;
        for (std::size_t k = 0; k < a[i].size(); ++k) {
            EXPECT_NEAR(a[i][k], b[i][k], 1e-5 * (1 + std::fabs(b[i][k]))) << "gradient " << i << ", element " << k;
            sum += std::fabs(b[i][k]);
        }
        EXPECT_GT(sum, 1e-3) << "gradient " << i;
    }
}

}  // namespace

TEST_P(RecurrentSteps, GiveTheGradientsOfTheOps) {
    Sequence sequence(GetParam());
    const auto layer = sequence.gradients(sequence.by_layer()), ops = sequence.gradients(sequence.by_ops());
    expect_near(layer, ops);
    // A second time on top, and once more afresh: nothing is left of the walks before.
    auto twice = sequence.gradients(sequence.by_layer(), MPT_GRAD_ADD);
    for (auto &list : twice)
        for (float &v : list) v /= 2;
    expect_near(twice, ops);
    EXPECT_EQ(layer, sequence.gradients(sequence.by_layer()));
}

INSTANTIATE_TEST_SUITE_P(Of, RecurrentSteps, testing::ValuesIn(kCases), [](const auto &info) { return std::string(info.param.name); });

namespace {

std::string plan_of(const Case &c) {
    Sequence sequence(c);
    Program program;
    MUST(mpt_capture_begin(sequence.ctx));
    const Tensor loss = sequence.by_layer();
    MUST(mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
    mpt_tensor *outputs[] = {loss};
    MUST(mpt_capture_end(sequence.ctx, outputs, 1, program.out()));
    return dump(program);
}

int times(const std::string &text, const std::string &part) {
    int n = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
    return n;
}

// Of the weights' gradients.
void expect_two_products(const std::string &text) {
    int products = 0, sums = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find('\n', at);
        const std::string line = text.substr(at, end - at);
        if (line.find("\twgrad\t") != std::string::npos) {
            products += line.find("\tmatmul\t") != std::string::npos;
            sums += line.find("\tsum\t") != std::string::npos;
        }
        at = end == std::string::npos ? text.size() : end + 1;
    }
    EXPECT_EQ(2, products) << text;  // of the input's weight and of the state's
    EXPECT_EQ(2, sums) << text;
}

}  // namespace

TEST(RecurrentPlan, HasOneProductForTheWeightOfAllSteps) {
    const std::string text = plan_of({"", MPT_RECURRENT_TANH, kSteps, false});
    expect_two_products(text);
    EXPECT_EQ(kSteps, times(text, "\ttanh\t"));
}

TEST(RecurrentPlan, HasOneCallForASequenceOnACpu) {
    if (device() != MPT_DEVICE_CPU) GTEST_SKIP() << "on a GPU that is for 16 bits";
    for (const auto &[kind, name] : {std::pair{MPT_RECURRENT_LSTM, std::string("lstm_")}, std::pair{MPT_RECURRENT_GRU, std::string("gru_")}}) {
        const std::string text = plan_of({"", kind, kSteps, false});
        expect_two_products(text);
        EXPECT_EQ(1, times(text, "\tcpu:" + name + "sequence\tfwd\t")) << text;
        EXPECT_EQ(1, times(text, "\tcpu:" + name + "sequence\tdgrad\t")) << text;
        EXPECT_EQ(0, times(text, name + "cell")) << text;
    }
}

TEST(RecurrentPlan, TakesTheStepsForAStateOfAnotherType) {  // a GRU's is one with its results
    const Context ctx = context();
    const mpt_dtype low = device() == MPT_DEVICE_CPU ? MPT_F32 : MPT_F16, high = device() == MPT_DEVICE_CPU ? MPT_F64 : MPT_F32;
    mpt_recurrent_desc d;
    MUST(mpt_recurrent_desc_init(&d, sizeof d));
    d.input_size = d.hidden_size = 64;
    d.dtype = low;
    Layer layer;
    MUST(mpt_layer_recurrent(ctx, &d, layer.out()));
    Tensor x, hidden, cell;
    const std::int64_t in[] = {kSteps, 8, 64}, state[] = {1, 8, 64};
    MUST(mpt_tensor_create(ctx, low, 3, in, x.out()));
    for (Tensor *t : {&hidden, &cell}) MUST(mpt_tensor_create(ctx, high, 3, state, t->out()));
    MUST(mpt_tensor_fill(x, 0.5));
    MUST(mpt_tensor_fill(hidden, 0.25));
    MUST(mpt_tensor_fill(cell, -0.5));
    for (mpt_tensor *first : {static_cast<mpt_tensor *>(nullptr), static_cast<mpt_tensor *>(hidden)}) {
        mpt_tensor *inputs[] = {x, first, cell}, *y = nullptr;
        Program program;
        MUST(mpt_capture_begin(ctx));
        MUST(mpt_layer_forward(layer, inputs, first ? 3 : 1, &y, 1));
        const Tensor held(y);
        MUST(mpt_capture_end(ctx, &y, 1, program.out()));
        const std::string text = dump(program);
        EXPECT_EQ(first ? 0 : 1, times(text, "\tlstm_sequence\t")) << text;
        EXPECT_EQ(first ? kSteps : 0, times(text, "\tlstm_cell\t")) << text;
        MUST(mpt_program_run(program));
        for (const float v : floats(held)) ASSERT_TRUE(std::isfinite(v));
    }
}

TEST(RecurrentStates, MayLieAnywhere) {
    Sequence sequence({"", MPT_RECURRENT_LSTM, kSteps, true});
    const auto expected = floats(sequence.by_layer());
    for (Tensor &t : sequence.first) {  // the same, with units outside of rows
        const std::int32_t order[] = {0, 2, 1};
        Tensor turned, dense;
        MUST(mpt_transpose(t, 3, order, turned.out()));
        MUST(mpt_contiguous(turned, dense.out()));
        MUST(mpt_transpose(dense, 3, order, t.out()));
    }
    EXPECT_EQ(expected, floats(sequence.by_layer()));
}
