// LSTMs and GRUs in 16 bits, whose steps a GPU takes in one launch, beside the same layers in doubles.
#include <cmath>
#include <string>
#include <vector>

#include "common/devices.h"
#include "common/random.h"
#include "common/tensors.h"

namespace test {

namespace {

struct Form {
    const char *name;
    mpt_dtype dtype;
    std::int64_t steps, batch, in, hidden;
    int layers = 1;
    bool bidirectional = false, batch_first = false, bias = true, first_state = false, last_state = false;
    mpt_recurrent_kind kind = MPT_RECURRENT_LSTM;
    bool autocast = false;  // parameters and x in f32, so that states stay wide
};
std::ostream &operator<<(std::ostream &out, const Form &form) {
    return out << form.name;
}

std::vector<Form> forms() {
    return {
        {"Bf16", MPT_BF16, 9, 16, 24, 64},
        {"F16", MPT_F16, 9, 16, 24, 64},
        {"OneStep", MPT_F16, 1, 5, 8, 128, 1, false, false, true, true, true},
        {"States", MPT_F16, 7, 13, 16, 128, 1, false, false, true, true, true},
        {"StatesBatchFirst", MPT_F16, 7, 13, 16, 128, 1, false, true, true, true, true},
        {"BothDirections", MPT_F16, 6, 11, 16, 64, 2, true, false, true, true, true},
        {"BothDirectionsBatchFirst", MPT_BF16, 6, 11, 16, 64, 2, true, true},
        {"NoBias", MPT_F16, 8, 8, 16, 192, 1, false, true, false},
        // Groups of blocks; tiles of rows in each; the last of them not full.
        {"Wide", MPT_F16, 5, 64, 32, 512},
        {"Widest", MPT_BF16, 5, 40, 32, 1024, 1, false, true},
        {"ManyRows", MPT_F16, 4, 333, 16, 512, 1, false, false, true, true, true},
        {"Long", MPT_F16, 150, 9, 8, 64},
        {"Autocast", MPT_BF16, 7, 21, 24, 128, 2, true, true, true, true, true, MPT_RECURRENT_LSTM, true},
        {"Gru", MPT_BF16, 9, 16, 24, 64, 1, false, false, true, false, false, MPT_RECURRENT_GRU},
        {"GruStates", MPT_F16, 7, 13, 16, 128, 1, false, true, true, true, true, MPT_RECURRENT_GRU},
        {"GruBothDirections", MPT_F16, 6, 11, 16, 64, 2, true, false, true, true, true, MPT_RECURRENT_GRU},
        {"GruWidest", MPT_BF16, 5, 40, 32, 1024, 1, false, true, false, false, false, MPT_RECURRENT_GRU},
        {"GruManyRows", MPT_F16, 4, 333, 16, 512, 1, false, false, true, true, true, MPT_RECURRENT_GRU},
        {"GruAutocast", MPT_BF16, 7, 21, 24, 128, 2, true, true, true, true, true, MPT_RECURRENT_GRU, true},
    };
}

struct Ran {
    std::vector<std::vector<std::uint8_t>> bits;  // y and last states, then gradients of x, first states and parameters
    bool operator==(const Ran &) const = default;
};

// The layer with its inputs.
struct Net {
    Context ctx;
    Layer layer;
    Tensor x, states[2], cotangents[3];
    std::vector<Tensor> parameters;
    Policy policy;
    mpt_dtype dtype;
    bool tracks_states, reads_states;
    int states_count;

    Net(const Form &f, Context &&context, mpt_dtype type)
        : ctx(std::move(context)),
          dtype(type == f.dtype && f.autocast ? MPT_F32 : type),
          tracks_states(f.first_state),
          reads_states(f.last_state),
          states_count(f.kind == MPT_RECURRENT_LSTM ? 2 : 1) {
        if (dtype != type) MUST(mpt_policy_create(ctx, type, policy.out()));
        mpt_recurrent_desc d;
        MUST(mpt_recurrent_desc_init(&d, sizeof d));
        d.kind = f.kind;
        d.input_size = f.in;
        d.hidden_size = f.hidden;
        d.layers = f.layers;
        d.bidirectional = f.bidirectional;
        d.batch_first = f.batch_first;
        d.no_bias = !f.bias;
        d.dtype = dtype;
        MUST(mpt_layer_recurrent(ctx, &d, layer.out()));
        Random random(11);
        const auto make_tensor = [&](const Shape &shape, double size, bool tracked) {
            std::vector<double> data(static_cast<std::size_t>(count(shape)));
            for (double &v : data) v = rounded(f.dtype, random.uniform(-size, size));
            Tensor t = make(ctx, dtype, Values{shape, data});
            if (tracked) MUST(mpt_tensor_set_requires_grad(t, 1));
            return t;
        };
        std::int32_t n = 0;
        MUST(mpt_layer_parameter_count(layer, &n));
        for (std::int32_t i = 0; i < n; ++i) {
            Tensor p;
            MUST(mpt_layer_parameter(layer, i, p.out()));
            std::int64_t shape[2] = {};
            std::int32_t dims = 0;
            MUST(mpt_tensor_ndim(p, &dims));
            MUST(mpt_tensor_shape(p, shape, 2));
            const Tensor value = make_tensor(Shape(shape, shape + dims), 2 / std::sqrt(static_cast<double>(f.hidden)), false);
            MUST(mpt_no_grad_begin(ctx));
            MUST(mpt_tensor_copy(p, value));
            MUST(mpt_no_grad_end(ctx));
            parameters.push_back(std::move(p));
        }
        const int sides = f.bidirectional ? 2 : 1;
        const Shape state = {f.layers * sides, f.batch, f.hidden};
        x = make_tensor(f.batch_first ? Shape{f.batch, f.steps, f.in} : Shape{f.steps, f.batch, f.in}, 1, true);
        for (int i = 0; i < states_count; ++i) states[i] = make_tensor(state, 1, f.first_state);
        // In y's type: autocast's own for an LSTM, which hands on what it has multiplied.
        const Shape y = {f.batch_first ? f.batch : f.steps, f.batch_first ? f.steps : f.batch, sides * f.hidden};
        cotangents[0] = make_tensor(y, 1, false);
        if (policy && f.kind == MPT_RECURRENT_LSTM) {
            Tensor low;
            MUST(mpt_cast(cotangents[0], f.dtype, low.out()));
            cotangents[0] = std::move(low);
        }
        for (int i = 1; i <= states_count; ++i) cotangents[i] = make_tensor(state, 1, false);
    }

    std::vector<Tensor> outputs() {
        mpt_tensor *in[] = {x, states[0], states[1]}, *out[3] = {};
        if (policy) MUST(mpt_autocast_begin(ctx, policy));
        MUST(mpt_layer_forward(layer, in, tracks_states ? 1 + states_count : 1, out, reads_states ? 1 + states_count : 1));
        if (policy) MUST(mpt_autocast_end(ctx));
        std::vector<Tensor> list;
        for (mpt_tensor *t : out)
            if (t) list.emplace_back(t);
        return list;
    }
    std::vector<Tensor> step() {
        std::vector<Tensor> list = outputs();
        std::vector<mpt_tensor *> roots, seeds;
        for (std::size_t i = 0; i < list.size(); ++i) roots.push_back(list[i]), seeds.push_back(cotangents[i]);
        MUST(mpt_backward_from(roots.data(), seeds.data(), static_cast<std::int32_t>(roots.size()), MPT_GRAD_WRITE));
        return list;
    }
    std::vector<mpt_tensor *> leaves() {
        std::vector<mpt_tensor *> list{x};
        if (tracks_states)
            for (int i = 0; i < states_count; ++i) list.push_back(states[i]);
        for (const Tensor &p : parameters) list.push_back(p);
        return list;
    }
    Ran ran(const std::vector<Tensor> &list) {
        Ran all;
        for (const Tensor &t : list) all.bits.push_back(read_bytes(t));
        for (mpt_tensor *leaf : leaves()) all.bits.push_back(read_bytes(gradient(leaf)));
        return all;
    }
    std::vector<std::vector<double>> values(const std::vector<Tensor> &list) {
        std::vector<std::vector<double>> all;
        for (const Tensor &t : list) all.push_back(read(t));
        for (mpt_tensor *leaf : leaves()) all.push_back(read(gradient(leaf)));
        return all;
    }
};

class RecurrentSequence : public testing::TestWithParam<Form> {
protected:
    void SetUp() override {
        const mpt_status status = open(Device::Cuda, 2, ctx_);
        if (status == MPT_ERROR_DEVICE) GTEST_SKIP() << mpt_last_error();
        must(status, "mpt_context_create");
    }
    Context ctx_;
};

double norm_of(const std::vector<double> &x) {
    double sum = 0;
    for (const double v : x) sum += v * v;
    return std::sqrt(sum);
}

int times(const Program &program, const std::string &kernel) {
    std::size_t needed = 0;
    MUST(mpt_program_dump(program, nullptr, 0, &needed));
    std::string text(needed, '\0');
    MUST(mpt_program_dump(program, text.data(), needed, nullptr));
    int n = 0;
    for (std::size_t at = text.find(kernel); at != std::string::npos; at = text.find(kernel, at + 1)) ++n;
    return n;
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Of, RecurrentSequence, testing::ValuesIn(forms()),
                         [](const auto &info) { return std::string(info.param.name); });

// Each tensor as a whole: what is rounded at a step goes through the steps behind it.
TEST_P(RecurrentSequence, IsThatOfDoubles) {
    const Form &f = GetParam();
    Net net(f, std::move(ctx_), f.dtype), reference(f, must_open(Device::Cpu), MPT_F64);
    const auto got = net.values(net.step()), expected = reference.values(reference.step());
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
        ASSERT_EQ(got[i].size(), expected[i].size());
        std::vector<double> apart(got[i].size());
        for (std::size_t k = 0; k < apart.size(); ++k) apart[k] = got[i][k] - expected[i][k];
        ASSERT_GT(norm_of(expected[i]), 0) << "tensor " << i;
        EXPECT_LE(norm_of(apart), 6 * roundoff(f.dtype) * norm_of(expected[i])) << "tensor " << i;
    }
}

TEST_P(RecurrentSequence, HasTheSameBitsEagerAndRecorded) {
    const Form &f = GetParam();
    Net net(f, std::move(ctx_), f.dtype);
    const Ran eager = net.ran(net.step());
    EXPECT_TRUE(net.ran(net.step()) == eager);
    MUST(mpt_capture_begin(net.ctx));
    const std::vector<Tensor> outputs = net.step();
    std::vector<mpt_tensor *> list;
    for (const Tensor &t : outputs) list.push_back(t);
    Program program;
    MUST(mpt_capture_end(net.ctx, list.data(), static_cast<std::int32_t>(list.size()), program.out()));
    for (int run = 0; run < 3; ++run) {
        MUST(mpt_program_run(program));
        ASSERT_TRUE(net.ran(outputs) == eager) << "run " << run;
    }
    const int sequences = f.layers * (f.bidirectional ? 2 : 1);
    const std::string kernel = f.kind == MPT_RECURRENT_LSTM ? "cuda:lstm_" : "cuda:gru_";
    EXPECT_EQ(times(program, kernel + "sequence\t"), sequences);
    EXPECT_EQ(times(program, kernel + "sequence_grad\t"), sequences);
    EXPECT_EQ(times(program, kernel + "cell"), 0);
}

}  // namespace test
