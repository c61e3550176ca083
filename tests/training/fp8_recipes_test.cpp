// A weight under several recipes: the histories of one are nobody else's.
#include "common/tensors.h"
#include "net.h"

using namespace net;

namespace {

constexpr int kSteps = 6;

struct Trained {
    Context ctx = context();
    Layer net;
    Policy delayed, other;
    Optimizer sgd;
    Tensor x = tensor(ctx, MPT_F32, {2, 4}), y, loss;
    Program program;

    explicit Trained(mpt_fp8_recipe second) {
        MUST(mpt_layer_sequential(ctx, net.out()));
        linear(ctx, net, "linear", 4, 2, MPT_F32);
        mpt_fp8_desc d;
        MUST(mpt_fp8_desc_init(&d, sizeof d));
        d.history = 16;
        for (const auto &[policy, recipe] : {std::pair{&delayed, MPT_FP8_DELAYED}, {&other, second}}) {
            d.recipe = recipe;
            MUST(mpt_policy_create(ctx, MPT_BF16, policy->out()));
            MUST(mpt_policy_set_fp8(*policy, &d));
            d.margin = 1;
        }
        MUST(mpt_optimizer_sgd(ctx, nullptr, sgd.out()));
        MUST(mpt_optimizer_add_layer(sgd, net));
    }
    void forward(mpt_policy *policy) {
        mpt_tensor *in = x;
        MUST(mpt_autocast_begin(ctx, policy));
        MUST(mpt_layer_forward(net, &in, 1, y.out(), 1));
        MUST(mpt_autocast_end(ctx));
    }
    void record_or_run() {
        Tensor squares;
        forward(delayed);
        MUST(mpt_square(y, squares.out()));
        MUST(mpt_mean(squares, 0, nullptr, 0, loss.out()));
        MUST(mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
        MUST(mpt_optimizer_step(sgd, nullptr));
    }
    void capture() {
        MUST(mpt_capture_begin(ctx));
        record_or_run();
        mpt_tensor *outputs[] = {loss};
        MUST(mpt_capture_end(ctx, outputs, 1, program.out()));
    }
    void step(int number) {
        std::vector<float> batch;
        for (int i = 0; i < 8; ++i) batch.push_back(static_cast<float>((i - 3.5) * (number == 0 ? 100 : 1 + number % 3)));
        MUST(mpt_tensor_write(x, batch.data(), batch.size() * sizeof(float)));
        if (program)
            MUST(mpt_program_run(program));
        else
            record_or_run();
    }
    void evaluate(bool gradients) {
        if (!gradients) MUST(mpt_no_grad_begin(ctx));
        forward(other);
        if (!gradients) MUST(mpt_no_grad_end(ctx));
    }
    std::string histories() {
        State state;
        std::string bytes;
        MUST(mpt_state_create(ctx, state.out()));
        MUST(mpt_state_add_fp8(state, "fp8", delayed, net));
        MUST(mpt_state_add_layer(state, "net", net));
        MUST(mpt_state_save_to(
            state, [](const void *data, std::size_t n, void *to) { return static_cast<std::string *>(to)->append(static_cast<const char *>(data), n), 0; }, &bytes));
        return bytes;
    }
};

}  // namespace

TEST(Fp8Recipes, AForwardUnderAnotherLeavesHistoriesAlone) {
    for (mpt_fp8_recipe second : {MPT_FP8_UNSCALED, MPT_FP8_CURRENT, MPT_FP8_DELAYED})
        for (bool gradients : {false, true}) {
            Trained plain(second), evaluated(second), captured(second);
            captured.capture();
            for (int i = 0; i < kSteps; ++i) {
                for (Trained *t : {&plain, &evaluated, &captured}) t->step(i);
                ASSERT_EQ(plain.histories(), evaluated.histories()) << "step " << i << ", recipe " << second;
                ASSERT_EQ(plain.histories(), captured.histories()) << "step " << i << ", recipe " << second;
                if (i == 1) {
                    evaluated.evaluate(gradients);
                    captured.evaluate(gradients);
                }
            }
        }
}

// Two that a weight is trained with have histories of their own.
TEST(Fp8Recipes, EachDelayedOneKeepsItsOwn) {
    Trained t(MPT_FP8_DELAYED);
    t.step(0);
    const std::string first = t.histories();
    std::swap(t.delayed, t.other);
    EXPECT_NE(first, t.histories()) << "none yet";
    std::swap(t.delayed, t.other);
    EXPECT_EQ(first, t.histories());
}
