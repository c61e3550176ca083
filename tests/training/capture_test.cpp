// A captured step against the eager one: the same bits, no allocation, the memory that was planned, and the rules of
// docs: what is born inside, what comes from outside, what a failure leaves.
#include <atomic>
#include <cmath>
#include <cstdlib>

#include "net.h"

using namespace net;

namespace {

struct Case {
    Kind kind;
    mpt_dtype precision, parameters;
    double clip;
    bool sgd;
};

std::vector<Case> cases() {
    std::vector<Case> list;
    for (const Kind kind : {Kind::Regression, Kind::Mlp, Kind::Cnn})
        for (const mpt_dtype precision : {MPT_F32, MPT_F16, MPT_BF16}) list.push_back({kind, precision, MPT_F32, 0, false});
    list.push_back({Kind::Mlp, MPT_F16, MPT_F32, 0.5, false});
    list.push_back({Kind::Mlp, MPT_BF16, MPT_F32, 0.5, true});
    list.push_back({Kind::Mlp, MPT_BF16, MPT_BF16, 0, false});  // low-precision parameters with masters
    list.push_back({Kind::Mlp, MPT_F16, MPT_BF16, 0, false});   // whose copies are of the parameters, not of the masters
    list.push_back({Kind::Cnn, MPT_F16, MPT_F16, 1, true});
    return list;
}

class Captured : public testing::TestWithParam<Case> {
protected:
    Trainer::Options options() const {
        const Case &c = GetParam();
        return {c.kind, c.precision, true, c.clip, c.parameters, 1, 2, c.sgd};
    }
};

std::string label(const testing::TestParamInfo<Case> &info) {
    const Case &c = info.param;
    return std::string(name(c.kind)) + "_" + mpt_dtype_name(c.precision) + "_params_" + mpt_dtype_name(c.parameters) + (c.clip > 0 ? "_clip" : "") +
           (c.sgd ? "_sgd" : "_adam");
}

}  // namespace

TEST_P(Captured, EqualsEagerBitForBitWithInjectedInfinities) {
    Trainer eager(options()), captured(options());
    captured.capture();
    std::int64_t skipped = 0;
    for (int i = 0; i < 10; ++i) {
        const bool poisoned = i == 2 || i == 3 || i == 7;
        const std::string before = eager.snapshot();
        eager.step(i, poisoned);
        captured.step(i, poisoned);
        ASSERT_EQ(bytes(eager.loss), bytes(captured.loss)) << "loss of step " << i;
        ASSERT_EQ(eager.snapshot(), captured.snapshot()) << "state after step " << i;
        ASSERT_NE(before, eager.snapshot()) << "step " << i << " did nothing";
    }
    OK(mpt_optimizer_counts(captured.optimizer, nullptr, &skipped));
    EXPECT_EQ(3, skipped);
}

TEST_P(Captured, ResumedEqualsUninterrupted) {
    const std::string path = std::string(MPT_TEST_SCRATCH) + "/resume-" + label({GetParam(), 0}) + ".safetensors";
    Trainer whole(options()), first(options());
    whole.capture();
    first.capture();
    for (int i = 0; i < 8; ++i) whole.step(i, i == 2);
    for (int i = 0; i < 4; ++i) first.step(i, i == 2);
    State saved = first.state();
    OK(mpt_state_save(saved, path.c_str()));

    Trainer::Options other = options();
    other.seed = 99;  // other weights: everything must come from the file
    Trainer eager(other), captured(other);
    captured.capture();
    captured.step(50);  // and a program that has run already must see it
    for (Trainer *t : {&eager, &captured}) {
        State s = t->state();
        OK(mpt_state_load(s, path.c_str()));
        ASSERT_EQ(first.snapshot(), t->snapshot());
        for (int i = 4; i < 8; ++i) t->step(i);
        EXPECT_EQ(whole.snapshot(), t->snapshot()) << (t == &eager ? "eager" : "captured");
    }
}

TEST_P(Captured, SkippedStepLeavesEverythingButTheScaleUnchanged) {
    Trainer t(options());
    for (int i = 0; i < 2; ++i) t.step(i);
    std::int32_t count = 0;
    OK(mpt_layer_parameter_count(t.net, &count));
    std::vector<std::vector<unsigned char>> before;
    for (std::int32_t i = 0; i < count; ++i) {
        Tensor p;
        OK(mpt_layer_parameter(t.net, i, p.out()));
        before.push_back(bytes(p));
    }
    double scale = 0, scale_after = 0;
    OK(mpt_scaler_scale(t.scaler, &scale));
    t.step(2, true);
    OK(mpt_scaler_scale(t.scaler, &scale_after));
    EXPECT_EQ(scale / 2, scale_after);
    for (std::int32_t i = 0; i < count; ++i) {
        Tensor p;
        OK(mpt_layer_parameter(t.net, i, p.out()));
        EXPECT_EQ(before[static_cast<std::size_t>(i)], bytes(p));
    }
    std::int64_t stepped = 0, skipped = 0;
    OK(mpt_optimizer_counts(t.optimizer, &stepped, &skipped));
    EXPECT_EQ(2, stepped);
    EXPECT_EQ(1, skipped);
}

TEST_P(Captured, TheLossFalls) {
    Trainer t(options());
    t.capture();
    t.step(0);
    const double first = t.loss_value();
    for (int i = 0; i < 40; ++i) t.step(0);
    EXPECT_LT(t.loss_value(), 0.95 * first);
}

INSTANTIATE_TEST_SUITE_P(Step, Captured, testing::ValuesIn(cases()), label);

// ---- memory ----

namespace {

struct Counter {
    std::atomic<std::int64_t> allocations{0}, bytes{0};
};

void *MPT_CALL counted_alloc(size_t n, void *, void *user) {
    auto *c = static_cast<Counter *>(user);
    ++c->allocations;
    c->bytes += static_cast<std::int64_t>(n);
    return std::aligned_alloc(64, (n + 63) / 64 * 64);
}
void MPT_CALL counted_free(void *p, size_t n, void *, void *user) {
    static_cast<Counter *>(user)->bytes -= static_cast<std::int64_t>(n);
    std::free(p);
}

}  // namespace

TEST(ProgramMemory, NoAllocationPerRunAndThePlannedBytesAreTheBytesTaken) {
    Counter counter;
    {
        mpt_context_desc desc;
        OK(mpt_context_desc_init(&desc, sizeof desc));
        desc.alloc = counted_alloc;
        desc.free = counted_free;
        desc.alloc_user_data = &counter;
        desc.threads = 2;
        Context ctx;
        OK(mpt_context_create(&desc, ctx.out()));
        Layer net = model(ctx, Kind::Cnn);
        Policy policy;
        Optimizer optimizer;
        OK(mpt_policy_create(ctx, MPT_BF16, policy.out()));
        OK(mpt_optimizer_adam(ctx, nullptr, optimizer.out()));
        OK(mpt_optimizer_add_layer(optimizer, net));
        Tensor x = tensor(ctx, MPT_F32, {16, 1, 28, 28}), y = tensor(ctx, MPT_U8, {16}), logits, loss;
        const Batch b = batch(Kind::Cnn, 0);
        Program program;
        const auto record = [&] {
            mpt_tensor *in = x;
            MUST(mpt_capture_begin(ctx));
            MUST(mpt_autocast_begin(ctx, policy));
            MUST(mpt_layer_forward(net, &in, 1, logits.out(), 1));
            MUST(mpt_cross_entropy(logits, y, nullptr, loss.out()));
            MUST(mpt_autocast_end(ctx));
            MUST(mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
            MUST(mpt_optimizer_step(optimizer, nullptr));
            mpt_tensor *outputs[] = {loss};
            MUST(mpt_capture_end(ctx, outputs, 1, program.out()));
        };
        record();  // gradients, moments and shadows are made here
        OK(mpt_context_trim(ctx));
        const std::int64_t before = counter.bytes;
        record();  // the first program is released after the second was made
        OK(mpt_context_trim(ctx));
        std::size_t arena = 0, outputs = 0;
        OK(mpt_program_memory(program, &arena, &outputs));
        EXPECT_GT(arena, 0u);
        EXPECT_EQ(sizeof(float), outputs);
        EXPECT_EQ(before, counter.bytes) << "the second program takes what the first one took";
        program = Program();
        OK(mpt_context_trim(ctx));
        EXPECT_EQ(static_cast<std::int64_t>(arena), before - counter.bytes) << "the arena is exactly what was planned";

        record();
        OK(mpt_program_feed(program, x, b.x.data(), b.x.size() * sizeof(float)));
        OK(mpt_program_feed(program, y, b.labels.data(), b.labels.size()));
        OK(mpt_program_run(program));
        const std::int64_t allocations = counter.allocations;
        for (int i = 0; i < 5; ++i) {
            OK(mpt_program_feed(program, x, b.x.data(), b.x.size() * sizeof(float)));
            OK(mpt_program_run(program));
        }
        EXPECT_EQ(allocations, counter.allocations) << "a run allocates nothing";
    }
    EXPECT_EQ(0, counter.bytes) << "everything went back";
}
