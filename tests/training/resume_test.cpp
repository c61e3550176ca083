// Every optimizer with every rounding and every schedule: captured equals eager, 2k steps equal k, save, load and k more, and a skipped step
// leaves everything but the counts.
#include <string>

#include "common/random.h"
#include "common/safetensors.h"
#include "net.h"
#include "ops/update_rules.h"
#include "training/toy.h"

using namespace net;

namespace {

struct Storage {
    mpt_dtype dtype;
    mpt_rounding rounding;
};
const Storage kStorages[] = {
    {MPT_F32, MPT_ROUNDING_MASTER},  {MPT_F64, MPT_ROUNDING_MASTER},      {MPT_BF16, MPT_ROUNDING_MASTER}, {MPT_F16, MPT_ROUNDING_MASTER},
    {MPT_BF16, MPT_ROUNDING_NEAREST}, {MPT_BF16, MPT_ROUNDING_STOCHASTIC}, {MPT_BF16, MPT_ROUNDING_KAHAN},  {MPT_F16, MPT_ROUNDING_KAHAN},
    {MPT_F16, MPT_ROUNDING_NEAREST},
};
const mpt_schedule_kind kSchedules[] = {MPT_SCHEDULE_CONSTANT, MPT_SCHEDULE_STEP, MPT_SCHEDULE_COSINE, MPT_SCHEDULE_LINEAR, MPT_SCHEDULE_ONE_CYCLE};
constexpr int kSteps = 8, kPoisoned = 2;

struct Training {
    Context ctx = context(3, 1);
    std::vector<Tensor> p;
    Optimizer optimizer;
    Scaler scaler;
    Program program;

    Training(const test::Rule &rule, const Storage &storage, mpt_schedule_kind kind, std::uint64_t seed = 1) {
        test::Random random(seed);
        for (const std::int64_t n : {37, 2}) p.push_back(test::parameter(ctx, storage.dtype, {{n}, test::draw(random, n, storage.dtype, 1)}));
        optimizer = test::create(ctx, rule);
        test::add_group(optimizer, "p", p, test::group_desc(storage.rounding));
        mpt_schedule_desc schedule;
        MUST(mpt_schedule_desc_init(&schedule, sizeof schedule));
        schedule.kind = kind;
        schedule.warmup_steps = 2;
        schedule.total_steps = kSteps;
        schedule.interval = 2;
        MUST(mpt_optimizer_set_schedule(optimizer, kind == MPT_SCHEDULE_CONSTANT ? nullptr : &schedule));
        mpt_scaler_desc scaling;
        MUST(mpt_scaler_desc_init(&scaling, sizeof scaling));
        scaling.initial_scale = 4;
        scaling.growth_interval = 3;
        MUST(mpt_scaler_create(ctx, &scaling, scaler.out()));
        gradients(0);
    }
    void gradients(int step) {
        test::Random random(static_cast<std::uint64_t>(100 + step));
        for (const Tensor &one : p) {
            std::vector<double> g = test::draw(random, test::count(test::shape_of(one)), MPT_BF16, 1);
            if (step == kPoisoned) g[1] = INFINITY;
            test::write(test::gradient(one), g);
        }
    }
    void update() {
        MUST(mpt_optimizer_step(optimizer, scaler));
        MUST(mpt_scaler_update(scaler));
    }
    void capture() {
        MUST(mpt_capture_begin(ctx));
        update();
        MUST(mpt_capture_end(ctx, nullptr, 0, program.out()));
    }
    void step(int number) {
        gradients(number);
        if (program)
            MUST(mpt_program_run(program));
        else
            update();
    }
    State state() {
        State s;
        MUST(mpt_state_create(ctx, s.out()));
        for (std::size_t i = 0; i < p.size(); ++i) MUST(mpt_state_add_tensor(s, (std::to_string(i) + ".p").c_str(), p[i]));
        MUST(mpt_state_add_optimizer(s, "optimizer", optimizer));
        MUST(mpt_state_add_scaler(s, "scaler", scaler));
        MUST(mpt_state_add_random(s, "random"));
        return s;
    }
    std::string snapshot() { return contents(state()); }
    // What a skipped step must not change.
    std::string trained() {
        std::string file = snapshot();
        for (const char *name : {"optimizer.p.counts", "scaler.scale", "scaler.tracker", "scaler.counts", "random.state"}) file = test::without(file, name);
        return file;
    }
};

class Resume : public testing::TestWithParam<test::Rule> {
protected:
    template <class F>
    void each(F &&f) {
        for (const Storage &storage : kStorages)
            for (const mpt_schedule_kind kind : kSchedules) {
                if (!computes(storage.dtype)) continue;
                SCOPED_TRACE(std::string(mpt_dtype_name(storage.dtype)) + " rounding " + std::to_string(storage.rounding) + " schedule " + std::to_string(kind));
                f(storage, kind);
                if (HasFatalFailure()) return;
            }
    }
};

}  // namespace

TEST_P(Resume, CapturedEqualsEager) {
    each([&](const Storage &storage, mpt_schedule_kind kind) {
        Training eager(GetParam(), storage, kind), captured(GetParam(), storage, kind);
        captured.capture();
        for (int i = 0; i < kSteps; ++i) {
            const std::string before = eager.trained();
            eager.step(i);
            captured.step(i);
            ASSERT_TRUE(eager.snapshot() == captured.snapshot()) << "step " << i;
            ASSERT_EQ(i == kPoisoned, before == eager.trained()) << "step " << i << ": a skipped step changes nothing, a real one something";
        }
    });
}

TEST_P(Resume, ResumedEqualsUninterrupted) {
    each([&](const Storage &storage, mpt_schedule_kind kind) {
        Training whole(GetParam(), storage, kind), first(GetParam(), storage, kind);
        for (int i = 0; i < kSteps; ++i) whole.step(i);
        for (int i = 0; i < kSteps / 2; ++i) first.step(i);
        const std::string file = first.snapshot();
        Training eager(GetParam(), storage, kind, 77), captured(GetParam(), storage, kind, 77);
        captured.capture();
        captured.step(50);  // a program that has run already must see what is loaded
        for (Training *run : {&eager, &captured}) {
            load(run->state(), file);
            ASSERT_TRUE(file == run->snapshot());
            for (int i = kSteps / 2; i < kSteps; ++i) run->step(i);
            ASSERT_TRUE(whole.snapshot() == run->snapshot()) << (run == &eager ? "eager" : "captured");
        }
    });
}

INSTANTIATE_TEST_SUITE_P(Rules, Resume, testing::ValuesIn(test::kRules), [](const testing::TestParamInfo<test::Rule> &info) { return std::string(info.param.name); });
