// Captured equals eager, bit for bit, for 200 networks by chance: precision, optimizer, scaler, clipping, schedule, accumulation, a last
// partial batch, evaluation in between, infinities, and what a host does between two runs.
#include "random_network.h"

using namespace net;

namespace {

constexpr std::int64_t kBatch = 4, kRest = 3;

class Trained {
public:
    Trained(std::uint64_t number, bool captured) : net(number), captured_(captured) {
        choose_precision();
        choose_optimizer();
        accumulates_ = net.chance(0.3);
        smoothing_ = net.chance(0.3) ? 0.1 : 0;
        for (std::size_t i = 0; i < 2; ++i) {
            std::vector<std::int64_t> shape{i == 0 ? kBatch : kRest};
            x_[i] = tensor(net.ctx(), MPT_F32, (shape.insert(shape.end(), net.input.begin(), net.input.end()), shape));
            y_[i] = tensor(net.ctx(), MPT_U8, {i == 0 ? kBatch : kRest});
        }
    }

    // A training step on batch number; the last one of an epoch is smaller.
    void step(int number, bool partial, bool poisoned) {
        const std::size_t i = partial ? 1 : 0;
        if (!accumulates_) {
            feed(i, number, poisoned);
            phase(Whole, i);
            return;
        }
        feed(i, number, poisoned);
        phase(Write, i);
        feed(i, number + 100, false);
        phase(Add, i);
        phase(Update, i);
    }
    std::vector<unsigned char> evaluate(int number) {
        feed(0, number, false);
        MUST(mpt_layer_set_training(net.model, 0));
        phase(Evaluate, 0);
        MUST(mpt_layer_set_training(net.model, 1));
        return ::net::bytes(result_[Evaluate][0]);
    }
    State state() {
        State s;
        MUST(mpt_state_create(net.ctx(), s.out()));
        MUST(mpt_state_add_layer(s, "model", net.model));
        MUST(mpt_state_add_optimizer(s, "optimizer", optimizer));
        if (scaler) MUST(mpt_state_add_scaler(s, "scaler", scaler));
        if (policy) MUST(mpt_state_add_fp8(s, "fp8", policy, net.model));
        if (average) MUST(mpt_state_add_average(s, "average", average));
        MUST(mpt_state_add_random(s, "random"));
        return s;
    }
    std::string bytes() { return contents(state()); }

    // What a host may do between two runs.
    void host_write() {
        Tensor p;
        MUST(mpt_layer_parameter(net.model, 0, p.out()));
        std::vector<float> values = floats(p);
        for (float &v : values) v = v * 0.75f + 0.01f;
        MUST(mpt_no_grad_begin(net.ctx()));
        MUST(mpt_tensor_write(p, values.data(), values.size() * sizeof(float)));
        MUST(mpt_no_grad_end(net.ctx()));
    }

    RandomNetwork net;
    Policy policy;
    Scaler scaler;
    Optimizer optimizer;
    Average average;

private:
    enum Phase { Whole, Write, Add, Update, Evaluate, kPhases };

    void choose_precision() {
        const std::int64_t kind = net.below(6);
        const char *names[] = {"f32", "bf16", "f16", "fp8 current", "fp8 delayed", "no autocast"};
        net.text += std::string(" | ") + names[kind];
        if (kind == 5) return;
        MUST(mpt_policy_create(net.ctx(), kind == 0 ? MPT_F32 : kind == 2 ? MPT_F16 : MPT_BF16, policy.out()));
        if (kind >= 3) {
            mpt_fp8_desc d;
            MUST(mpt_fp8_desc_init(&d, sizeof d));
            d.recipe = kind == 3 ? MPT_FP8_CURRENT : MPT_FP8_DELAYED;
            d.history = 3;
            MUST(mpt_policy_set_fp8(policy, &d));
        }
        if (kind != 2 && net.chance(0.4)) return;
        mpt_scaler_desc d;
        MUST(mpt_scaler_desc_init(&d, sizeof d));
        const mpt_scaler_kind kinds[] = {MPT_SCALER_STATIC, MPT_SCALER_TORCH, MPT_SCALER_HYSTERESIS, MPT_SCALER_MEGATRON};
        d.kind = net.one_of(kinds);
        d.initial_scale = 1024;
        d.growth_interval = 2;
        MUST(mpt_scaler_create(net.ctx(), &d, scaler.out()));
    }

    template <class Desc>
    void make_optimizer(const char *name, mpt_status (*init)(Desc *, std::size_t), mpt_status (*make)(mpt_context *, const Desc *, mpt_optimizer **)) {
        Desc d;
        MUST(init(&d, sizeof d));
        if (d.lr > 0.01) d.lr = 0.01;
        d.weight_decay = net.chance(0.5) ? 0.01 : 0;
        MUST(make(net.ctx(), &d, optimizer.out()));
        net.text += std::string(" | ") + name;
    }
    void choose_optimizer() {
        switch (net.below(7)) {
            case 0: make_optimizer<mpt_sgd_desc>("sgd", mpt_sgd_desc_init, mpt_optimizer_sgd); break;
            case 1: make_optimizer<mpt_adam_desc>("adam", mpt_adam_desc_init, mpt_optimizer_adam); break;
            case 2: make_optimizer<mpt_adam_desc>("adamw", mpt_adamw_desc_init, mpt_optimizer_adamw); break;
            case 3: make_optimizer<mpt_adagrad_desc>("adagrad", mpt_adagrad_desc_init, mpt_optimizer_adagrad); break;
            case 4: make_optimizer<mpt_adadelta_desc>("adadelta", mpt_adadelta_desc_init, mpt_optimizer_adadelta); break;
            case 5: make_optimizer<mpt_rmsprop_desc>("rmsprop", mpt_rmsprop_desc_init, mpt_optimizer_rmsprop); break;
            default: make_optimizer<mpt_adam_desc>("lamb", mpt_lamb_desc_init, mpt_optimizer_lamb);
        }
        MUST(mpt_optimizer_add_layer(optimizer, net.model));
        if (net.chance(0.4)) MUST(mpt_optimizer_set_clip_norm(optimizer, 0.5));
        if (net.chance(0.2)) MUST(mpt_optimizer_set_clip_value(optimizer, 0.05));
        if (net.chance(0.4)) {
            const mpt_schedule_kind kinds[] = {MPT_SCHEDULE_STEP, MPT_SCHEDULE_COSINE, MPT_SCHEDULE_LINEAR, MPT_SCHEDULE_ONE_CYCLE};
            mpt_schedule_desc d;
            MUST(mpt_schedule_desc_init(&d, sizeof d));
            d.kind = net.one_of(kinds);
            d.warmup_steps = 2;
            d.total_steps = 12;
            d.interval = 3;
            MUST(mpt_optimizer_set_schedule(optimizer, &d));
        }
        if (net.chance(0.3)) MUST(mpt_average_create(optimizer, 0.9, average.out()));
    }

    void feed(std::size_t i, int number, bool poisoned) {
        const std::int64_t n = i == 0 ? kBatch : kRest;
        std::int64_t per = 1;
        for (std::int64_t extent : net.input) per *= extent;
        test::Random random(static_cast<std::uint64_t>(number) + 1000);
        std::vector<float> x(static_cast<std::size_t>(n * per));
        for (float &v : x) v = static_cast<float>(random.uniform(-1, 1));
        if (poisoned) x[static_cast<std::size_t>(random.below(n * per))] = INFINITY;
        std::vector<std::uint8_t> y(static_cast<std::size_t>(n));
        for (std::uint8_t &v : y) v = static_cast<std::uint8_t>(random.below(net.outputs));
        MUST(mpt_tensor_write(x_[i], x.data(), x.size() * sizeof(float)));
        MUST(mpt_tensor_write(y_[i], y.data(), y.size()));
    }

    // The calls of a phase, run at once or recorded the first time and then replayed.
    void phase(Phase p, std::size_t i) {
        if (!captured_) return rule(p, i);
        Program &program = programs_[p][i];
        if (!program) {
            MUST(mpt_capture_begin(net.ctx()));
            rule(p, i);
            mpt_tensor *outputs[] = {result_[p][i]};
            MUST(mpt_capture_end(net.ctx(), outputs, p == Update ? 0 : 1, program.out()));
        }
        MUST(mpt_program_run(program));
    }
    void rule(Phase p, std::size_t i) {
        if (p == Update) return update();
        Tensor out;
        mpt_tensor *in = x_[i];
        if (p == Evaluate) MUST(mpt_no_grad_begin(net.ctx()));
        if (policy) MUST(mpt_autocast_begin(net.ctx(), policy));
        MUST(mpt_layer_forward(net.model, &in, 1, out.out(), 1));
        if (p == Evaluate) {
            MUST(mpt_cast(out, MPT_F32, result_[p][i].out()));
        } else {
            mpt_cross_entropy_params params;
            MUST(mpt_cross_entropy_params_init(&params, sizeof params));
            params.label_smoothing = smoothing_;
            MUST(mpt_cross_entropy(out, y_[i], &params, result_[p][i].out()));
        }
        if (policy) MUST(mpt_autocast_end(net.ctx()));
        if (p == Evaluate) return MUST(mpt_no_grad_end(net.ctx()));
        MUST(mpt_backward(result_[p][i], scaler, p == Add ? MPT_GRAD_ADD : MPT_GRAD_WRITE));
        if (p == Whole) update();
    }
    void update() {
        MUST(mpt_optimizer_step(optimizer, scaler));
        if (scaler) MUST(mpt_scaler_update(scaler));
        if (average) MUST(mpt_average_update(average));
    }

    const bool captured_;
    bool accumulates_ = false;
    double smoothing_ = 0;
    Tensor x_[2], y_[2], result_[kPhases][2];
    Program programs_[kPhases][2];
};

// What happens, the same on both sides; the number decides.
void run(std::uint64_t number) {
    Trained eager(number, false), captured(number, true);
    SCOPED_TRACE("network " + std::to_string(number) + ": " + eager.net.text);
    Trained *sides[] = {&eager, &captured};
    ASSERT_EQ(eager.net.text, captured.net.text);
    std::string saved;
    for (int i = 0; i < 8; ++i) {
        SCOPED_TRACE("step " + std::to_string(i));
        for (Trained *side : sides) {
            // Without a scaler an infinity would end in NaN weights, which say nothing.
            side->step(i, i % 4 == 3, i == 2 && side->scaler);
            if (i == 1) saved = side->bytes();
            if (i == 3) side->host_write();
            if (i == 4) MUST(mpt_optimizer_set_lr(side->optimizer, 0.003));
            if (i == 5 && side->average) {
                MUST(mpt_average_swap(side->average));
                side->evaluate(50);
                MUST(mpt_average_swap(side->average));
            }
            if (i == 6) load(side->state(), saved);
        }
        ASSERT_EQ(eager.bytes() == captured.bytes(), true) << "parameters, states or counters differ";
        ASSERT_EQ(eager.evaluate(i), captured.evaluate(i));
    }
}

class RandomNetworks : public testing::TestWithParam<int> {};

}  // namespace

TEST_P(RandomNetworks, CapturedEqualsEager) {
    for (int i = 0; i < 20; ++i) {
        run(static_cast<std::uint64_t>(GetParam() * 20 + i));
        if (HasFatalFailure()) return;
    }
}
INSTANTIATE_TEST_SUITE_P(Of, RandomNetworks, testing::Range(0, 10));
