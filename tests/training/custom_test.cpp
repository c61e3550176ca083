// The host's own arithmetic: custom ops and custom layers, eager and captured.
#include <cmath>
#include <cstring>

#include "common/random.h"
#include "common/tensors.h"
#include "dump.h"

using namespace net;

namespace {

// out0 = a * b (elementwise), out1 = sum(a); counts its calls.
struct Product {
    int shapes = 0, forwards = 0, backwards = 0, released = 0;
    mpt_status answer = MPT_OK;
};
Product &of(void *user_data) { return *static_cast<Product *>(user_data); }

const float *floats(const mpt_buffer &b) { return static_cast<const float *>(b.data); }
float *floats(mpt_buffer &b) { return static_cast<float *>(b.data); }
std::int64_t count(const mpt_buffer &b) {
    std::int64_t n = 1;
    for (int i = 0; i < b.ndim; ++i) n *= b.shape[i];
    return n;
}
// Element i in logical order of a buffer of two dimensions.
float at(const mpt_buffer &b, std::int64_t i) { return floats(b)[i / b.shape[1] * b.strides[0] + i % b.shape[1] * b.strides[1]]; }

mpt_status MPT_CALL shape(const mpt_buffer *in, std::int32_t n_in, mpt_buffer *out, std::int32_t n_out, void *user_data) {
    ++of(user_data).shapes;
    if (n_in != 2 || n_out != 2 || in[0].data || out[0].data) return MPT_ERROR_INTERNAL;
    out[0].dtype = out[1].dtype = MPT_F32;
    out[0].ndim = 2;
    out[0].shape[0] = in[0].shape[0];
    out[0].shape[1] = in[0].shape[1];
    out[1].ndim = 0;
    return MPT_OK;
}
mpt_status MPT_CALL forward(const mpt_buffer *in, std::int32_t, mpt_buffer *out, std::int32_t, void *user_data) {
    ++of(user_data).forwards;
    float sum = 0;
    for (std::int64_t i = 0; i < count(in[0]); ++i) {
        floats(out[0])[i] = at(in[0], i) * at(in[1], i);
        sum += at(in[0], i);
    }
    *floats(out[1]) = sum;
    return of(user_data).answer;
}
mpt_status MPT_CALL backward(const mpt_buffer *in, std::int32_t n_in, mpt_buffer *out, std::int32_t n_out, void *user_data) {
    ++of(user_data).backwards;
    if (n_in != 6 || n_out != 2) return MPT_ERROR_INTERNAL;
    for (std::int64_t i = 0; i < count(in[0]); ++i) {
        if (out[0].data) floats(out[0])[i] = at(in[4], i) * at(in[1], i) + *floats(in[5]);
        if (out[1].data) floats(out[1])[i] = at(in[4], i) * at(in[0], i);
    }
    return MPT_OK;
}

mpt_custom_op_desc product(Product &state, bool differentiable = true) {
    mpt_custom_op_desc d;
    MUST(mpt_custom_op_desc_init(&d, sizeof d));
    d.shape = shape;
    d.forward = forward;
    if (differentiable) d.backward = backward;
    d.release = [](void *user_data) { ++of(user_data).released; };
    d.user_data = &state;
    return d;
}

struct Custom : testing::Test {
    Context ctx = context();
    Product state;
    Tensor a, b, y, sum;
    void SetUp() override {
        a = test::make(ctx, MPT_F32, test::Values{{2, 3}, {1, 2, 3, 4, 5, 6}});
        b = test::make(ctx, MPT_F32, test::Values{{2, 3}, {2, -1, 0.5, 3, 1, -2}});
        MUST(mpt_tensor_set_requires_grad(a, 1));
        MUST(mpt_tensor_set_requires_grad(b, 1));
    }
    mpt_status apply(const mpt_custom_op_desc &d, mpt_tensor *x0, mpt_tensor *x1) {
        mpt_tensor *inputs[] = {x0, x1}, *outputs[2] = {};
        const mpt_status status = mpt_custom_op(ctx, "product", &d, inputs, 2, outputs, 2);
        y = Tensor(outputs[0]);
        sum = Tensor(outputs[1]);
        return status;
    }
};

}  // namespace

TEST_F(Custom, OpRunsWithItsGradient) {
    OK(apply(product(state), a, b));
    EXPECT_EQ(test::read(y), (std::vector<double>{2, -2, 1.5, 12, 5, -12}));
    EXPECT_EQ(test::read(sum), (std::vector<double>{21}));
    Tensor total, loss;
    OK(mpt_sum(y, 0, nullptr, 0, total.out()));
    Tensor scaled;
    OK(mpt_affine(sum, 10, 0, scaled.out()));
    OK(mpt_add(total, scaled, loss.out()));
    OK(mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
    EXPECT_EQ(test::read(test::gradient(a)), (std::vector<double>{12, 9, 10.5, 13, 11, 8}));
    EXPECT_EQ(test::read(test::gradient(b)), (std::vector<double>{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(state.forwards, 1);
    EXPECT_EQ(state.backwards, 1);
    y = Tensor(), sum = Tensor(), total = Tensor(), scaled = Tensor(), loss = Tensor();
    EXPECT_EQ(state.released, 1) << "with the last tensor of its graph";
}

TEST_F(Custom, AnOutputThatNobodyUsesHasAGradientOfZero) {
    OK(apply(product(state), a, b));
    Tensor loss;
    OK(mpt_sum(y, 0, nullptr, 0, loss.out()));
    OK(mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
    EXPECT_EQ(test::read(test::gradient(a)), test::read(b));
}

TEST_F(Custom, StridedInputsComeWithTheirStrides) {
    Tensor wide = test::make(ctx, MPT_F32, test::Values{{3, 2}, {1, 4, 2, 5, 3, 6}}), t;
    OK(mpt_transpose(wide, 0, nullptr, t.out()));
    OK(apply(product(state), t, b));
    EXPECT_EQ(test::read(y), (std::vector<double>{2, -2, 1.5, 12, 5, -12}));
}

TEST_F(Custom, WithoutBackwardThereIsNoGraph) {
    OK(apply(product(state, false), a, b));
    Tensor loss;
    OK(mpt_sum(y, 0, nullptr, 0, loss.out()));
    EXPECT_EQ(MPT_ERROR_STATE, mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
}

TEST_F(Custom, ACallbacksStatusFailsTheCall) {
    state.answer = MPT_ERROR_IO;
    EXPECT_EQ(MPT_ERROR_IO, apply(product(state), a, b));
    EXPECT_NE(std::string(mpt_last_error()).find("'product'"), std::string::npos) << mpt_last_error();
    EXPECT_NE(std::string(mpt_last_error()).find("forward"), std::string::npos) << mpt_last_error();
    EXPECT_EQ(state.released, 0) << "a failed call takes nothing";
}

TEST_F(Custom, CapturedStepsCallBackAtEveryRun) {
    Program program;
    Tensor loss;
    OK(mpt_tensor_set_requires_grad(a, 0));  // it will be fed
    OK(mpt_capture_begin(ctx));
    OK(apply(product(state), a, b));
    OK(mpt_sum(y, 0, nullptr, 0, loss.out()));
    OK(mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
    mpt_tensor *outputs[] = {loss};
    OK(mpt_capture_end(ctx, outputs, 1, program.out()));
    EXPECT_EQ(state.forwards, 0) << "recording runs nothing";
    for (int run = 1; run <= 3; ++run) {
        const std::vector<double> values{1.0 * run, 2, 3, 4, 5, 6};
        const std::vector<std::uint8_t> bytes = test::pack(MPT_F32, values);
        OK(mpt_program_feed(program, a, bytes.data(), bytes.size()));
        OK(mpt_program_run(program));
        EXPECT_EQ(state.forwards, run);
        EXPECT_EQ(state.backwards, run);
        EXPECT_EQ(test::read(loss), (std::vector<double>{2.0 * run - 2 + 1.5 + 12 + 5 - 12}));
        EXPECT_EQ(test::read(test::gradient(b)), values);
    }
    state.answer = MPT_ERROR_IO;
    EXPECT_EQ(MPT_ERROR_IO, mpt_program_run(program));
    state.answer = MPT_OK;
    OK(mpt_program_run(program));
    const std::string text = dump(program);
    EXPECT_NE(text.find("product"), std::string::npos) << text;
    y = Tensor(), sum = Tensor(), loss = Tensor();
    EXPECT_EQ(state.released, 0) << "the program still calls it";
    program = Program();
    EXPECT_EQ(state.released, 1);
}

// Which output is the integer one decides nothing: the floating one has its gradient, and nothing flows through the other.
TEST_F(Custom, AnIntegerOutputCarriesNoGradientWhereverItStands) {
    for (int place = 0; place < 2; ++place) {
        mpt_custom_op_desc d;
        MUST(mpt_custom_op_desc_init(&d, sizeof d));
        d.user_data = &place;
        d.shape = [](const mpt_buffer *in, std::int32_t, mpt_buffer *out, std::int32_t n_out, void *user_data) {
            for (std::int32_t i = 0; i < n_out; ++i) {
                out[i] = in[0];
                out[i].dtype = i == *static_cast<int *>(user_data) ? MPT_I64 : MPT_F32;
            }
            return MPT_OK;
        };
        d.forward = [](const mpt_buffer *in, std::int32_t, mpt_buffer *out, std::int32_t, void *user_data) {
            const int integer = *static_cast<int *>(user_data);
            for (std::int64_t i = 0; i < count(in[0]); ++i) {
                static_cast<std::int64_t *>(out[integer].data)[i] = i;
                floats(out[1 - integer])[i] = 2 * at(in[0], i);
            }
            return MPT_OK;
        };
        d.backward = [](const mpt_buffer *in, std::int32_t, mpt_buffer *out, std::int32_t, void *user_data) {
            const mpt_buffer &dy = in[3 + 1 - *static_cast<int *>(user_data)];
            for (std::int64_t i = 0; i < count(out[0]); ++i) floats(out[0])[i] = 2 * at(dy, i);
            return MPT_OK;
        };
        mpt_tensor *input = a, *outputs[2] = {};
        OK(mpt_custom_op(ctx, "doubled", &d, &input, 1, outputs, 2));
        const Tensor integers(outputs[place]), doubled(outputs[1 - place]);
        std::int32_t tracked = -1;
        OK(mpt_tensor_requires_grad(integers, &tracked));
        EXPECT_EQ(tracked, 0);
        Tensor loss;
        OK(mpt_sum(doubled, 0, nullptr, 0, loss.out()));
        OK(mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
        EXPECT_EQ(test::read(test::gradient(a)), std::vector<double>(6, 2));
    }
}

namespace {

// y = relu(x W) + child(x)
mpt_status MPT_CALL mixed(mpt_layer *layer, mpt_tensor *const *inputs, std::int32_t n_inputs, mpt_tensor **outputs, std::int32_t n_outputs, void *user_data) {
    ++*static_cast<int *>(user_data);
    if (n_inputs != 1 || n_outputs != 1) return MPT_ERROR_ARGUMENT;
    mpt_tensor *w = nullptr, *xw = nullptr, *r = nullptr, *c = nullptr;
    mpt_status status = mpt_layer_parameter_by_name(layer, "w", &w);
    if (status == MPT_OK) status = mpt_matmul(inputs[0], w, &xw);
    if (status == MPT_OK) status = mpt_relu(xw, &r);
    if (status == MPT_OK) status = mpt_tanh(inputs[0], &c);
    if (status == MPT_OK) status = mpt_add(r, c, &outputs[0]);
    for (mpt_tensor *t : {w, xw, r, c}) mpt_tensor_release(t);
    return status;
}

}  // namespace

TEST(CustomLayer, IsALayerLikeOthers) {
    Context ctx = context();
    int calls = 0;
    mpt_custom_layer_desc d;
    MUST(mpt_custom_layer_desc_init(&d, sizeof d));
    d.forward = mixed;
    d.user_data = &calls;
    d.release = [](void *user_data) { *static_cast<int *>(user_data) += 1000; };
    Tensor out, x = test::make(ctx, MPT_F32, test::Values{{2, 2}, {1, -2, 0.5, 3}}), loss;
    {
        Layer layer, net;
        OK(mpt_layer_custom(ctx, &d, layer.out()));
        Tensor w = test::make(ctx, MPT_F32, test::Values{{2, 2}, {1, 0, 2, -1}});
        OK(mpt_layer_add_parameter(layer, "w", w));
        EXPECT_EQ(MPT_ERROR_ARGUMENT, mpt_layer_add_parameter(layer, "w", w)) << "a name twice";
        OK(mpt_layer_sequential(ctx, net.out()));
        OK(mpt_layer_add(net, "own", layer));
        std::int32_t n = 0;
        OK(mpt_layer_parameter_count(net, &n));
        EXPECT_EQ(n, 1);
        Tensor named;
        OK(mpt_layer_parameter_by_name(net, "own.w", named.out()));
        mpt_tensor *in = x;
        OK(mpt_layer_forward(net, &in, 1, out.out(), 1));
        const std::vector<double> got = test::read(out);
        EXPECT_NEAR(got[0], std::tanh(1.0), 1e-6);      // relu(1 - 4) = 0
        EXPECT_NEAR(got[1], 2 + std::tanh(-2.0), 1e-6);  // relu(0 + 2)
        OK(mpt_sum(out, 0, nullptr, 0, loss.out()));
        OK(mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
        EXPECT_EQ(test::read(test::gradient(w)), (std::vector<double>{0.5, 1, 3, -2}));
        EXPECT_EQ(calls, 1);
        mpt_tensor *two[] = {x, x};
        Tensor ignored;
        EXPECT_EQ(MPT_ERROR_ARGUMENT, mpt_layer_forward(net, two, 2, ignored.out(), 1)) << "the callback's own status";
    }
    EXPECT_EQ(calls, 1002) << "released with the layer";
}

TEST(CustomLayer, ChildrenRunUnderTheirNames) {
    Context ctx = context();
    Layer net, trunk, inner;
    mpt_custom_layer_desc d;
    MUST(mpt_custom_layer_desc_init(&d, sizeof d));
    mpt_layer *called = nullptr;
    d.user_data = &called;
    d.forward = [](mpt_layer *, mpt_tensor *const *in, std::int32_t n_in, mpt_tensor **out, std::int32_t n_out, void *user_data) {
        return mpt_layer_forward(*static_cast<mpt_layer **>(user_data), in, n_in, out, n_out);
    };
    OK(mpt_layer_custom(ctx, &d, trunk.out()));
    OK(mpt_layer_sequential(ctx, inner.out()));
    linear(ctx, inner, "head", 4, 2, MPT_F32);
    OK(mpt_layer_add(trunk, "inner", inner));
    OK(mpt_layer_sequential(ctx, net.out()));
    OK(mpt_layer_add(net, "trunk", trunk));
    Tensor x = test::make(ctx, MPT_F32, test::Values{{1, 4}, {1, 2, 3, 4}}), own;
    OK(mpt_layer_parameter_by_name(net, "trunk.inner.head.weight", own.out()));
    called = inner;
    for (const auto &[pattern, dtype] : {std::pair{"elsewhere", MPT_BF16}, {"trunk.inner.head", MPT_F32}, {"*head", MPT_F32}, {"trunk", MPT_BF16}}) {
        Policy policy;
        OK(mpt_policy_create(ctx, MPT_BF16, policy.out()));
        OK(mpt_policy_set_layer(policy, pattern, MPT_F32));
        Tensor y;
        mpt_tensor *in = x;
        OK(mpt_autocast_begin(ctx, policy));
        OK(mpt_layer_forward(net, &in, 1, y.out(), 1));
        OK(mpt_autocast_end(ctx));
        mpt_dtype got = MPT_DTYPE_NONE;
        OK(mpt_tensor_dtype(y, &got));
        EXPECT_EQ(got, dtype) << pattern;
    }
}

// The message is about this failure, not about an earlier one elsewhere; and that one is still there where nothing fails.
TEST(CustomLayer, AFailureHasItsOwnReason) {
    Context ctx = context();
    Layer layer;
    mpt_custom_layer_desc d;
    MUST(mpt_custom_layer_desc_init(&d, sizeof d));
    mpt_status answer = MPT_ERROR_IO;
    d.user_data = &answer;
    d.forward = [](mpt_layer *, mpt_tensor *const *in, std::int32_t, mpt_tensor **out, std::int32_t, void *user_data) {
        const mpt_status wanted = *static_cast<mpt_status *>(user_data);
        if (wanted == MPT_ERROR_SHAPE) return mpt_matmul(in[0], in[0], &out[0]);
        return wanted == MPT_OK ? mpt_relu(in[0], &out[0]) : wanted;
    };
    OK(mpt_layer_custom(ctx, &d, layer.out()));
    Tensor x = test::make(ctx, MPT_F32, test::Values{{2, 3}, {1, 2, 3, 4, 5, 6}}), y;
    const std::int64_t seven = 7;
    mpt_tensor *in = x;
    ASSERT_EQ(MPT_ERROR_SHAPE, mpt_reshape(x, 1, &seven, y.out()));
    const std::string earlier = mpt_context_last_error(ctx);
    EXPECT_EQ(MPT_ERROR_IO, mpt_layer_forward(layer, &in, 1, y.out(), 1));
    EXPECT_EQ(std::string(mpt_last_error()).find("reshape"), std::string::npos) << mpt_last_error();
    EXPECT_NE(std::string(mpt_last_error()).find("no reason"), std::string::npos) << mpt_last_error();
    answer = MPT_ERROR_SHAPE;
    EXPECT_EQ(MPT_ERROR_SHAPE, mpt_layer_forward(layer, &in, 1, y.out(), 1));
    EXPECT_NE(std::string(mpt_last_error()).find("mpt_matmul"), std::string::npos) << mpt_last_error();
    ASSERT_EQ(MPT_ERROR_SHAPE, mpt_reshape(x, 1, &seven, y.out()));
    answer = MPT_OK;
    OK(mpt_layer_forward(layer, &in, 1, y.out(), 1));
    EXPECT_EQ(earlier, mpt_context_last_error(ctx));
}
