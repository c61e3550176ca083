// Every update rule, clipping, schedule and average against PyTorch's steps in parity.txt.
#include "ops/update_rules.h"
#include "oracle/parity.h"

namespace parity {

namespace {

using test::Optimizer;
using test::Rule;
using test::Tensor;

// The rule that each function's records are stepped with.
const std::map<std::string, decltype(Rule::kind)> kRuleOf = {
    {"mpt_optimizer_sgd", Rule::Sgd},
    {"mpt_optimizer_adam", Rule::Adam},
    {"mpt_optimizer_adamw", Rule::AdamW},
    {"mpt_optimizer_adagrad", Rule::Adagrad},
    {"mpt_optimizer_adadelta", Rule::Adadelta},
    {"mpt_optimizer_rmsprop", Rule::Rmsprop},
    {"mpt_optimizer_lamb", Rule::Lamb},
    {"mpt_optimizer_set_clip_norm", Rule::Sgd},
    {"mpt_optimizer_set_clip_value", Rule::Sgd},
    {"mpt_optimizer_set_schedule", Rule::Sgd},
    {"mpt_average_create", Rule::Sgd},
};

Rule rule(const Args &a, decltype(Rule::kind) kind) {
    Rule r{.name = "", .kind = kind, .lr = 0, .decay = 0};
    a.take("lr", r.lr);
    a.take("weight_decay", r.decay);
    a.take("momentum", r.momentum);
    a.take("dampening", r.dampening);
    a.take("nesterov", r.nesterov);
    a.take("centered", r.centered);
    a.take("beta1", r.beta1);
    a.take("beta2", r.beta2);
    a.take("rho", r.beta1);  // Adadelta's and RMSprop's names for the decay of the second moment
    a.take("alpha", r.beta1);
    a.take("eps", r.eps);
    a.take("lr_decay", r.lr_decay);
    a.take("initial_accumulator", r.initial);
    a.take("clip_norm", r.clip);
    a.take("clip_value", r.clip_value);
    return r;
}

// Element `step` along the first dimension.
Array part(const Array &path, std::int64_t step) {
    Array a{path.name, path.kind, {path.shape.begin() + 1, path.shape.end()}, {}};
    const auto n = static_cast<std::ptrdiff_t>(test::count(a.shape));
    a.data.assign(path.data.begin() + step * n, path.data.begin() + (step + 1) * n);
    return a;
}

void step_through(mpt_context *ctx, const Record &record, mpt_dtype format) {
    const Args args(record, ctx, format);
    const Optimizer optimizer = test::create(ctx, rule(args, kRuleOf.at(record.function)));
    std::vector<Tensor> parameters;
    for (const Array &in : record.list("in")) parameters.push_back(test::parameter(ctx, format, {in.shape, in.data}));
    test::add_group(optimizer, "p", parameters);
    test::Average average;
    if (args.has("decay")) MUST(mpt_average_create(optimizer, args.number("decay"), average.out()));
    EXPECT_EQ(args.unused(), "") << "settings of the record that the call did not get";

    const std::vector<Array> &gradients = record.list("cot"), &paths = record.list("out");
    ASSERT_EQ(gradients.size(), parameters.size());
    ASSERT_EQ(paths.size(), parameters.size());
    for (std::int64_t step = 0; step < paths[0].shape[0]; ++step) {
        for (std::size_t i = 0; i < parameters.size(); ++i)
            test::write(test::gradient(parameters[i]), part(gradients[i], step).data);
        MUST(mpt_optimizer_step(optimizer, nullptr));
        if (average) MUST(mpt_average_update(average));
        if (average) MUST(mpt_average_swap(average));
        for (std::size_t i = 0; i < parameters.size(); ++i)
            expect_close(parameters[i], part(paths[i], step), record, format,
                         paths[i].name + " after step " + std::to_string(step));
        if (average) MUST(mpt_average_swap(average));
    }
}

void follow_schedule(mpt_context *ctx, const Record &record, mpt_dtype format) {
    const Args args(record, ctx, format);
    const Optimizer optimizer = test::create(ctx, rule(args, Rule::Sgd));
    std::vector<Tensor> parameters;
    parameters.push_back(test::parameter(ctx, format, {{1}, {1}}));
    test::write(test::gradient(parameters[0]), {0});
    test::add_group(optimizer, "p", parameters);
    mpt_schedule_desc d;
    MUST(mpt_schedule_desc_init(&d, sizeof d));
    d.kind = args.constant<mpt_schedule_kind>("kind");
    args.take("warmup_steps", d.warmup_steps);
    args.take("total_steps", d.total_steps);
    args.take("interval", d.interval);
    args.take("gamma", d.gamma);
    args.take("final_factor", d.final_factor);
    MUST(mpt_optimizer_set_schedule(optimizer, &d));
    EXPECT_EQ(args.unused(), "") << "settings of the record that the call did not get";

    std::vector<double> rates;
    const Array &exact = record.list("out").at(0);
    for (std::size_t step = 0; step < exact.data.size(); ++step) {
        double rate = 0;
        MUST(mpt_optimizer_step(optimizer, nullptr));
        MUST(mpt_optimizer_lr(optimizer, &rate));
        rates.push_back(rate);
    }
    expect_close(rates, exact, record, format == MPT_F64 ? MPT_F32 : format, "rates");  // which are f32 for every format
}

}  // namespace

class OptimizerParity : public ParityTest {};

TEST_P(OptimizerParity, IsPyTorchs) {
    each_record(GetParam().function == "mpt_optimizer_set_schedule" ? follow_schedule : step_through);
}

INSTANTIATE_TEST_SUITE_P(Oracle, OptimizerParity, testing::ValuesIn(subjects(keys(kRuleOf))), label);

}  // namespace parity
