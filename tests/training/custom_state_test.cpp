// Custom layers with buffers and two ways to run, custom ops under autocast, and names of a checkpoint without a prefix.
#include "common/safetensors.h"
#include "common/tensors.h"
#include "net.h"

using namespace net;

namespace {

mpt_custom_layer_desc rule(mpt_custom_layer_fn forward) {
    mpt_custom_layer_desc d;
    MUST(mpt_custom_layer_desc_init(&d, sizeof d));
    d.forward = forward;
    return d;
}

// x - m, where m is the mean over rows; in training that of the batch, which moves the buffer half of the way, else the buffer.
mpt_status MPT_CALL centre(mpt_layer *layer, mpt_tensor *const *in, std::int32_t, mpt_tensor **out, std::int32_t, void *) {
    std::int32_t training = -1;
    const std::int32_t rows = 0;
    Tensor running, mean, old, fresh, moved;
    mpt_status status = mpt_layer_training(layer, &training);
    if (status == MPT_OK) status = mpt_layer_buffer(layer, 0, running.out());
    if (status == MPT_OK && !training) return mpt_sub(in[0], running, out);
    if (status == MPT_OK) status = mpt_mean(in[0], 1, &rows, 0, mean.out());
    if (status == MPT_OK) status = mpt_affine(running, 0.5, 0, old.out());
    if (status == MPT_OK) status = mpt_affine(mean, 0.5, 0, fresh.out());
    if (status == MPT_OK) status = mpt_add(old, fresh, moved.out());
    if (status == MPT_OK) status = mpt_tensor_copy(running, moved);
    if (status == MPT_OK) status = mpt_sub(in[0], mean, out);
    return status;
}

std::string saved(mpt_state *state) {
    std::string whole;
    MUST(mpt_state_save_to(
        state,
        [](const void *data, std::size_t n, void *to) {
            static_cast<std::string *>(to)->append(static_cast<const char *>(data), n);
            return 0;
        },
        &whole));
    return whole;
}

struct Centred : testing::Test {
    Context ctx = context();
    Layer net, own;
    Tensor running = test::make(ctx, MPT_F32, std::vector<double>{0, 0}),
           x = test::make(ctx, MPT_F32, test::Values{{2, 2}, {1, 2, 3, 8}});
    Centred() {
        const mpt_custom_layer_desc d = rule(centre);
        MUST(mpt_layer_custom(ctx, &d, own.out()));
        MUST(mpt_layer_add_buffer(own, "running", running));
        MUST(mpt_layer_sequential(ctx, net.out()));
        linear(ctx, net, "linear", 2, 2, MPT_F32);  // so that what comes in has a gradient
        MUST(mpt_layer_add(net, "centre", own));
        Tensor weight, bias;
        MUST(mpt_layer_parameter_by_name(net, "linear.weight", weight.out()));
        MUST(mpt_layer_parameter_by_name(net, "linear.bias", bias.out()));
        MUST(mpt_no_grad_begin(ctx));
        test::write(weight, {1, 0, 0, 1});
        test::write(bias, {0, 0});
        MUST(mpt_no_grad_end(ctx));
    }
    Tensor forward() {
        Tensor y;
        mpt_tensor *in = x;
        MUST(mpt_layer_forward(net, &in, 1, y.out(), 1));
        return y;
    }
};

}  // namespace

TEST_F(Centred, TheBufferMovesInTrainingAndIsReadInEvaluation) {
    std::int32_t count = 0, on = -1;
    OK(mpt_layer_buffer_count(net, &count));
    EXPECT_EQ(count, 1);
    OK(mpt_layer_parameter_count(net, &count));
    EXPECT_EQ(count, 2) << "a buffer is no parameter";
    OK(mpt_layer_training(own, &on));
    EXPECT_EQ(on, 1) << "from the start";
    EXPECT_EQ(test::read(forward()), (std::vector<double>{-1, -3, 1, 3}));
    EXPECT_EQ(test::read(running), (std::vector<double>{1, 2.5}));
    OK(mpt_layer_set_training(net, 0));
    OK(mpt_layer_training(own, &on));
    EXPECT_EQ(on, 0) << "set above it";
    EXPECT_EQ(test::read(forward()), (std::vector<double>{0, -0.5, 2, 5.5}));
    EXPECT_EQ(test::read(running), (std::vector<double>{1, 2.5}));
    std::int32_t tracked = -1;
    OK(mpt_tensor_requires_grad(running, &tracked));
    EXPECT_EQ(tracked, 0) << "though the mean that it was copied from has a gradient";
}

TEST_F(Centred, AProgramMovesTheBufferAtEachRun) {
    Tensor loss;
    Program program;
    OK(mpt_capture_begin(ctx));
    {
        const Tensor y = forward();
        OK(mpt_sum(y, 0, nullptr, 0, loss.out()));
        OK(mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
    }
    mpt_tensor *outputs[] = {loss};
    OK(mpt_capture_end(ctx, outputs, 1, program.out()));
    EXPECT_EQ(test::read(running), (std::vector<double>{0, 0})) << "recording runs nothing";
    OK(mpt_program_run(program));
    EXPECT_EQ(test::read(running), (std::vector<double>{1, 2.5}));
    OK(mpt_program_run(program));
    EXPECT_EQ(test::read(running), (std::vector<double>{1.5, 3.75}));
}

TEST_F(Centred, TheBufferIsSavedWithTheLayer) {
    forward();
    State state;
    OK(mpt_state_create(ctx, state.out()));
    OK(mpt_state_add_layer(state, "net", net));
    const std::string file = saved(state);
    EXPECT_EQ(test::entry(file, "net.centre.running", MPT_F32), (std::vector<double>{1, 2.5}));
}

// As other programs name what they save: without a prefix.
TEST_F(Centred, NoPrefixMeansBareNames) {
    for (const char *prefix : {"", static_cast<const char *>(nullptr)}) {
        State state;
        OK(mpt_state_create(ctx, state.out()));
        OK(mpt_state_add_layer(state, prefix, net));
        OK(mpt_state_add_random(state, prefix));
        const std::string file = saved(state);
        EXPECT_EQ(test::entry(file, "linear.weight", MPT_F32), (std::vector<double>{1, 0, 0, 1}));
        for (const char *name : {"linear.bias", "centre.running", "state"}) EXPECT_NO_THROW(test::find_entry(file, name));
        EXPECT_EQ(file.find("\"."), std::string::npos) << "a leading dot";
    }
}

TEST_F(Centred, AMissingNameComesWithThoseThatAreThere) {
    State with, without;
    OK(mpt_state_create(ctx, with.out()));
    OK(mpt_state_add_layer(with, "net", net));
    std::string file = saved(with);
    OK(mpt_state_create(ctx, without.out()));
    OK(mpt_state_add_layer(without, "", net));
    const auto read = [](void *to, std::size_t n, void *from) {
        auto &rest = *static_cast<std::string *>(from);
        if (rest.size() < n) return 1;
        std::memcpy(to, rest.data(), n);
        rest.erase(0, n);
        return 0;
    };
    EXPECT_EQ(MPT_ERROR_NOT_FOUND, mpt_state_load_from(without, read, &file));
    EXPECT_NE(std::string(mpt_last_error()).find("no 'linear.weight' but 'net.linear.weight'"), std::string::npos)
        << mpt_last_error();
}

namespace {

struct Seen {
    mpt_dtype forward = MPT_DTYPE_NONE, backward = MPT_DTYPE_NONE;
    mpt_status answer = MPT_OK;
};

// What is computed does not matter here: zeros.
mpt_status zeros(mpt_buffer *out) {
    std::int64_t n = 1;
    for (int i = 0; i < out->ndim; ++i) n *= out->shape[i];
    std::memset(out->data, 0, static_cast<std::size_t>(n) * mpt_dtype_size(out->dtype));
    return MPT_OK;
}

mpt_custom_op_desc watcher(Seen &seen) {
    mpt_custom_op_desc d;
    MUST(mpt_custom_op_desc_init(&d, sizeof d));
    d.user_data = &seen;
    d.shape = [](const mpt_buffer *in, std::int32_t, mpt_buffer *out, std::int32_t, void *) {
        *out = *in;
        return MPT_OK;
    };
    d.forward = [](const mpt_buffer *in, std::int32_t, mpt_buffer *out, std::int32_t, void *user_data) {
        auto &s = *static_cast<Seen *>(user_data);
        s.forward = in->dtype;
        return s.answer == MPT_OK ? zeros(out) : s.answer;
    };
    d.backward = [](const mpt_buffer *in, std::int32_t, mpt_buffer *out, std::int32_t, void *user_data) {
        static_cast<Seen *>(user_data)->backward = in[2].dtype;
        return zeros(out);
    };
    return d;
}

}  // namespace

TEST(CustomOp, GetsWhatThePolicyGaveUnlessTheHostSetsItsType) {
    for (const mpt_dtype wanted : {MPT_DTYPE_NONE, MPT_F32}) {
        Context ctx = context();
        Layer net;
        OK(mpt_layer_sequential(ctx, net.out()));
        linear(ctx, net, "linear", 2, 2, MPT_F32);
        Policy policy;
        OK(mpt_policy_create(ctx, MPT_BF16, policy.out()));
        if (wanted != MPT_DTYPE_NONE) OK(mpt_policy_set_op(policy, "custom", wanted));
        const mpt_dtype expected = wanted == MPT_DTYPE_NONE ? MPT_BF16 : wanted;
        Seen seen;
        const mpt_custom_op_desc d = watcher(seen);
        Tensor x = test::make(ctx, MPT_F32, test::Values{{1, 2}, {1, 2}}), hidden, y, loss;
        mpt_tensor *in = x;
        OK(mpt_autocast_begin(ctx, policy));
        OK(mpt_layer_forward(net, &in, 1, hidden.out(), 1));
        EXPECT_EQ(test::dtype_of(hidden), MPT_BF16);
        in = hidden;
        OK(mpt_custom_op(ctx, "watcher", &d, &in, 1, y.out(), 1));
        OK(mpt_sum(y, 0, nullptr, 0, loss.out()));
        OK(mpt_autocast_end(ctx));
        OK(mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
        EXPECT_EQ(seen.forward, expected);
        EXPECT_EQ(seen.backward, expected);
        EXPECT_EQ(test::dtype_of(y), expected);
    }
}

TEST(CustomOp, AFailedCallbacksMessageNamesTheDtypes) {
    Context ctx = context();
    Seen seen;
    seen.answer = MPT_ERROR_DTYPE;
    mpt_custom_op_desc d = watcher(seen);
    const Tensor x = test::make(ctx, MPT_F32, std::vector<double>{1}), h = test::make(ctx, MPT_BF16, std::vector<double>{1});
    mpt_tensor *in[] = {h, x}, *out = nullptr;
    EXPECT_EQ(MPT_ERROR_DTYPE, mpt_custom_op(ctx, "watcher", &d, in, 2, &out, 1));
    EXPECT_NE(std::string(mpt_last_error()).find("forward callback returned MPT_ERROR_DTYPE for inputs of bf16, f32"),
              std::string::npos)
        << mpt_last_error();
    d.shape = [](const mpt_buffer *, std::int32_t, mpt_buffer *, std::int32_t, void *) { return MPT_ERROR_DTYPE; };
    EXPECT_EQ(MPT_ERROR_DTYPE, mpt_custom_op(ctx, "watcher", &d, in, 2, &out, 1));
    EXPECT_NE(std::string(mpt_last_error()).find("shape callback returned MPT_ERROR_DTYPE for inputs of bf16, f32"),
              std::string::npos)
        << mpt_last_error();
}
