// fp8 products: what they compute, how their scales move, and that nothing about them is lost.
#include <cmath>

#include "common/random.h"
#include "common/tensors.h"
#include "net.h"

using namespace net;

namespace {

double limit(mpt_dtype dtype) { return dtype == MPT_F8E4M3 ? 448 : 57344; }

float largest(const std::vector<double> &x) {
    float m = 0;
    for (double v : x) m = std::max(m, std::fabs(static_cast<float>(v)));
    return m;
}

// x as fp8 holds it under a scale: the elements' values times 1 / scale.
std::vector<double> held(const std::vector<double> &x, mpt_dtype dtype, float scale) {
    std::vector<double> y;
    const float inverse = 1 / scale;
    for (double v : x) y.push_back(test::rounded(dtype, static_cast<float>(v) * scale) * inverse);
    return y;
}

struct Fp8 : testing::Test {
    Context ctx = context();
    Policy policy;
    mpt_fp8_desc desc;
    std::vector<double> xs, ws, bs, ds;
    Tensor x, w, b, y;

    void SetUp() override {
        MUST(mpt_policy_create(ctx, MPT_F32, policy.out()));  // results as they leave the scales
        MUST(mpt_fp8_desc_init(&desc, sizeof desc));
        test::Random random(5);
        for (int i = 0; i < 4 * 6; ++i) xs.push_back(static_cast<float>(random.uniform(-3, 3)));
        for (int i = 0; i < 5 * 6; ++i) ws.push_back(static_cast<float>(random.uniform(-0.02, 0.02)));
        for (int i = 0; i < 5; ++i) bs.push_back(static_cast<float>(random.uniform(-1, 1)));
        for (int i = 0; i < 4 * 5; ++i) ds.push_back(static_cast<float>(random.uniform(-1e-4, 1e-4)));
        x = test::make(ctx, MPT_F32, test::Values{{4, 6}, xs});
        w = test::make(ctx, MPT_F32, test::Values{{5, 6}, ws});
        b = test::make(ctx, MPT_F32, bs);
        for (mpt_tensor *t : {(mpt_tensor *)x, (mpt_tensor *)w, (mpt_tensor *)b}) MUST(mpt_tensor_set_requires_grad(t, 1));
    }
    void forward() {
        MUST(mpt_policy_set_fp8(policy, &desc));
        MUST(mpt_autocast_begin(ctx, policy));
        MUST(mpt_linear(x, w, b, y.out()));
        MUST(mpt_autocast_end(ctx));
    }
    void backward(const std::vector<double> &d) {
        Tensor start = test::make(ctx, MPT_F32, test::Values{{4, 5}, d});
        mpt_tensor *root = y, *cotangent = start;
        MUST(mpt_backward_from(&root, &cotangent, 1, MPT_GRAD_WRITE));
    }
    static void expect_near(const std::vector<double> &got, const std::vector<double> &want) {
        ASSERT_EQ(got.size(), want.size());
        double size = 0;
        for (double v : want) size = std::max(size, std::fabs(v));
        for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-5 * size) << i;
    }
    // The linear layer and its gradients on the values that fp8 holds.
    void expect_linear(float sx, float sw, float sd) {
        const std::vector<double> x8 = held(xs, desc.forward, sx), w8 = held(ws, desc.forward, sw), d8 = held(ds, desc.backward, sd);
        std::vector<double> y8(20), dx(24), dw(30), db(5);
        for (int n = 0; n < 4; ++n)
            for (int o = 0; o < 5; ++o) {
                const auto at = [](int r, int c, int width) { return static_cast<std::size_t>(r * width + c); };
                y8[at(n, o, 5)] = bs[static_cast<std::size_t>(o)];
                db[static_cast<std::size_t>(o)] += ds[at(n, o, 5)];
                for (int i = 0; i < 6; ++i) {
                    y8[at(n, o, 5)] += x8[at(n, i, 6)] * w8[at(o, i, 6)];
                    dx[at(n, i, 6)] += d8[at(n, o, 5)] * w8[at(o, i, 6)];
                    dw[at(o, i, 6)] += d8[at(n, o, 5)] * x8[at(n, i, 6)];
                }
            }
        expect_near(test::read(y), y8);
        backward(ds);
        expect_near(test::read(test::gradient(x)), dx);
        expect_near(test::read(test::gradient(w)), dw);
        expect_near(test::read(test::gradient(b)), db);
    }
    float scale(mpt_dtype dtype, const std::vector<double> &values) const {
        return static_cast<float>(std::ldexp(limit(dtype), -desc.margin)) / largest(values);
    }
};

}  // namespace

TEST_F(Fp8, CurrentScalesComeFromTheTensorItself) {
    for (mpt_dtype forward_type : {MPT_F8E4M3, MPT_F8E5M2})
        for (int margin : {0, 2}) {
            desc.forward = forward_type;
            desc.margin = margin;
            forward();
            expect_linear(scale(desc.forward, xs), scale(desc.forward, ws), scale(desc.backward, ds));
        }
}

TEST_F(Fp8, UnscaledHoldsTheValuesThemselves) {
    desc.recipe = MPT_FP8_UNSCALED;
    forward();
    expect_linear(1, 1, 1);
    EXPECT_NE(test::read(test::gradient(w)), std::vector<double>(30)) << "E5M2 holds these gradients";
}

// The first step's scales are its own; later ones come from the largest of the last steps, and move only when an optimizer steps.
TEST_F(Fp8, DelayedScalesComeFromEarlierSteps) {
    desc.recipe = MPT_FP8_DELAYED;
    desc.history = 2;
    Optimizer sgd;
    mpt_sgd_desc rule;
    MUST(mpt_sgd_desc_init(&rule, sizeof rule));
    rule.lr = 0;
    MUST(mpt_optimizer_sgd(ctx, &rule, sgd.out()));
    mpt_tensor *parameters[] = {w};
    MUST(mpt_optimizer_add_group(sgd, "w", parameters, 1, nullptr));
    const std::vector<double> first = xs, gradients = ds;
    const auto times = [](std::vector<double> v, double f) {
        for (double &e : v) e *= f;
        return v;
    };
    const auto feed = [&](double f) {
        xs = times(first, f);
        ds = times(gradients, f);
        MUST(mpt_no_grad_begin(ctx));
        test::write(x, xs);
        MUST(mpt_no_grad_end(ctx));
    };
    const float sw = scale(desc.forward, ws);
    const auto expect_step = [&](double factor, double scaled_by) {
        SCOPED_TRACE(factor);
        feed(factor);
        forward();
        expect_linear(scale(desc.forward, times(first, scaled_by)), sw, scale(desc.backward, times(gradients, scaled_by)));
        MUST(mpt_optimizer_step(sgd, nullptr));
    };
    expect_step(1, 1);
    expect_step(4, 1);     // saturates: the scale is the first step's
    expect_step(0.5, 4);   // the largest of 1, 4
    expect_step(0.5, 4);   // of 4, 0.5
    expect_step(0.5, 0.5);
    // Micro-batches: the largest counts, and the scale stays during the iteration.
    for (double factor : {2.0, 8.0, 1.0}) {
        feed(factor);
        forward();
        expect_linear(scale(desc.forward, times(first, 0.5)), sw, scale(desc.backward, times(gradients, 0.5)));
    }
    MUST(mpt_optimizer_step(sgd, nullptr));
    expect_step(1, 8);
}

TEST_F(Fp8, AnEvaluationLeavesNoTrace) {
    desc.recipe = MPT_FP8_DELAYED;
    forward();
    backward(ds);
    Optimizer sgd;
    MUST(mpt_optimizer_sgd(ctx, nullptr, sgd.out()));
    mpt_tensor *parameters[] = {w};
    MUST(mpt_optimizer_add_group(sgd, "w", parameters, 1, nullptr));
    MUST(mpt_optimizer_set_lr(sgd, 0));
    MUST(mpt_optimizer_step(sgd, nullptr));
    forward();
    const std::vector<double> before = test::read(y);
    MUST(mpt_no_grad_begin(ctx));
    test::write(x, std::vector<double>(24, 1000.0));
    forward();
    test::write(x, xs);
    MUST(mpt_no_grad_end(ctx));
    MUST(mpt_optimizer_step(sgd, nullptr));
    forward();
    EXPECT_EQ(before, test::read(y)) << "the evaluation's 1000 moved a scale";
}

// An infinite gradient must not saturate into a finite one.
TEST_F(Fp8, NonFiniteGradientsStayVisible) {
    for (const double bad : {HUGE_VAL, -HUGE_VAL, std::nan("")}) {
        forward();
        std::vector<double> d = ds;
        d[7] = bad;
        backward(d);
        const std::vector<double> dw = test::read(test::gradient(w)), dx = test::read(test::gradient(x));
        for (int i = 0; i < 6; ++i) {
            EXPECT_TRUE(std::isnan(dw[static_cast<std::size_t>(2 * 6 + i)])) << bad;
            EXPECT_TRUE(std::isnan(dx[static_cast<std::size_t>(1 * 6 + i)])) << bad;
            EXPECT_TRUE(std::isfinite(dw[static_cast<std::size_t>(i)])) << bad;
        }
    }
}

TEST_F(Fp8, OverridesTakeLayersAndRolesOut) {
    Layer net;
    mpt_linear_desc layer;
    Layer head, trunk;
    MUST(mpt_layer_sequential(ctx, net.out()));
    MUST(mpt_linear_desc_init(&layer, sizeof layer));
    layer.in_features = layer.out_features = 6;
    MUST(mpt_layer_linear(ctx, &layer, trunk.out()));
    MUST(mpt_layer_linear(ctx, &layer, head.out()));
    MUST(mpt_layer_add(net, "trunk", trunk));
    MUST(mpt_layer_add(net, "head", head));
    const auto run = [&](mpt_policy *p) {
        Tensor out;
        mpt_tensor *in = x;
        MUST(mpt_autocast_begin(ctx, p));
        MUST(mpt_layer_forward(net, &in, 1, out.out(), 1));
        MUST(mpt_autocast_end(ctx));
        return test::read(out);
    };
    Policy plain, all, but_head, only_trunk, op;
    for (Policy *p : {&plain, &all, &but_head, &only_trunk, &op}) MUST(mpt_policy_create(ctx, MPT_BF16, p->out()));
    for (Policy *p : {&all, &but_head, &op}) MUST(mpt_policy_set_fp8(*p, nullptr));
    MUST(mpt_policy_set_layer(but_head, "head*", MPT_BF16));
    MUST(mpt_policy_set_layer(only_trunk, "trunk", MPT_F8E4M3));
    MUST(mpt_policy_set_op(op, "linear", MPT_BF16));
    EXPECT_NE(run(plain), run(all));
    EXPECT_NE(run(all), run(but_head));
    EXPECT_NE(run(plain), run(but_head));
    EXPECT_EQ(run(but_head), run(only_trunk));
    EXPECT_EQ(run(plain), run(op));

    // Gradients in f32 from what the forward held in fp8.
    MUST(mpt_policy_set_role(policy, MPT_ROLE_WEIGHT_GRADIENT, MPT_F32));
    forward();
    const std::vector<double> x8 = held(xs, desc.forward, scale(desc.forward, xs));
    std::vector<double> dw(30);
    for (int n = 0; n < 4; ++n)
        for (int o = 0; o < 5; ++o)
            for (int i = 0; i < 6; ++i) dw[static_cast<std::size_t>(o * 6 + i)] += ds[static_cast<std::size_t>(n * 5 + o)] * x8[static_cast<std::size_t>(n * 6 + i)];
    backward(ds);
    expect_near(test::read(test::gradient(w)), dw);
}

// A convolution in fp8 is the same convolution of the values that fp8 holds.
TEST_F(Fp8, Convolutions) {
    test::Random random(9);
    std::vector<double> image, filter;
    for (int i = 0; i < 2 * 4 * 5 * 5; ++i) image.push_back(static_cast<float>(random.uniform(-2, 2)));
    for (int i = 0; i < 6 * 2 * 3 * 3; ++i) filter.push_back(static_cast<float>(random.uniform(-0.1, 0.1)));
    mpt_conv2d_params params;
    MUST(mpt_conv2d_params_init(&params, sizeof params));
    params.groups = 2;
    params.padding_h = params.padding_w = 1;
    const auto run = [&](mpt_policy *p, const std::vector<double> &xi, const std::vector<double> &wi, const std::vector<double> &di) {
        Tensor xt = test::make(ctx, MPT_F32, test::Values{{2, 4, 5, 5}, xi}), wt = test::make(ctx, MPT_F32, test::Values{{6, 2, 3, 3}, wi});
        Tensor bt = test::make(ctx, MPT_F32, {1, -1, 0.5, 0.25, 2, -3}), out, start = test::make(ctx, MPT_F32, test::Values{{2, 6, 5, 5}, di});
        for (mpt_tensor *t : {(mpt_tensor *)xt, (mpt_tensor *)wt, (mpt_tensor *)bt}) MUST(mpt_tensor_set_requires_grad(t, 1));
        MUST(mpt_autocast_begin(ctx, p));
        MUST(mpt_conv2d(xt, wt, bt, &params, out.out()));
        MUST(mpt_autocast_end(ctx));
        mpt_tensor *root = out, *cotangent = start;
        MUST(mpt_backward_from(&root, &cotangent, 1, MPT_GRAD_WRITE));
        return std::vector<std::vector<double>>{test::read(out), test::read(test::gradient(xt)), test::read(test::gradient(wt)), test::read(test::gradient(bt))};
    };
    std::vector<double> d;
    for (int i = 0; i < 2 * 6 * 5 * 5; ++i) d.push_back(static_cast<float>(random.uniform(-1e-3, 1e-3)));
    MUST(mpt_policy_set_fp8(policy, &desc));
    const auto got = run(policy, image, filter, d);
    const auto want = run(nullptr, held(image, desc.forward, scale(desc.forward, image)), held(filter, desc.forward, scale(desc.forward, filter)),
                          held(d, desc.backward, scale(desc.backward, d)));
    for (int i = 0; i < 3; ++i) expect_near(got[static_cast<std::size_t>(i)], want[static_cast<std::size_t>(i)]);
    std::vector<double> db(6);
    for (std::size_t i = 0; i < d.size(); ++i) db[i / 25 % 6] += d[i];
    expect_near(got[3], db);  // of the gradient itself
}

TEST_F(Fp8, SignalsAndTransposes) {
    test::Random random(11);
    const auto draw = [&](int n, double bound) {
        std::vector<double> v;
        for (int i = 0; i < n; ++i) v.push_back(static_cast<float>(random.uniform(-bound, bound)));
        return v;
    };
    const std::vector<double> signal = draw(2 * 4 * 7, 2), filter = draw(4 * 4 * 3, 0.1), bias = draw(4, 1);
    MUST(mpt_policy_set_fp8(policy, &desc));
    for (auto function : {mpt_conv1d, mpt_conv_transpose1d}) {
        const auto run = [&](mpt_policy *p, const std::vector<double> &xi, const std::vector<double> &wi) {
            Tensor xt = test::make(ctx, MPT_F32, test::Values{{2, 4, 7}, xi}), wt = test::make(ctx, MPT_F32, test::Values{{4, 4, 3}, wi});
            Tensor bt = test::make(ctx, MPT_F32, bias), out;
            MUST(mpt_autocast_begin(ctx, p));
            MUST(function(xt, wt, bt, nullptr, out.out()));
            MUST(mpt_autocast_end(ctx));
            return test::read(out);
        };
        const std::vector<double> got = run(policy, signal, filter);
        expect_near(got, run(nullptr, held(signal, desc.forward, scale(desc.forward, signal)), held(filter, desc.forward, scale(desc.forward, filter))));
        EXPECT_NE(got, run(nullptr, signal, filter));
    }
}

namespace {

// A network in fp8 with delayed scales, a scaler and Adam.
struct Training {
    Context ctx = context();
    Layer net;
    Policy policy;
    Scaler scaler;
    Optimizer adam;
    Tensor x, y, loss;
    Program program;

    explicit Training(bool captured) {
        mpt_linear_desc d;
        mpt_fp8_desc recipe;
        Layer first, relu, second;
        MUST(mpt_layer_sequential(ctx, net.out()));
        MUST(mpt_linear_desc_init(&d, sizeof d));
        d.in_features = 12, d.out_features = 16;
        MUST(mpt_layer_linear(ctx, &d, first.out()));
        d.in_features = 16, d.out_features = 4;
        MUST(mpt_layer_linear(ctx, &d, second.out()));
        MUST(mpt_layer_relu(ctx, relu.out()));
        for (mpt_layer *l : {(mpt_layer *)first, (mpt_layer *)relu, (mpt_layer *)second}) MUST(mpt_layer_add(net, nullptr, l));
        MUST(mpt_policy_create(ctx, MPT_BF16, policy.out()));
        MUST(mpt_fp8_desc_init(&recipe, sizeof recipe));
        recipe.recipe = MPT_FP8_DELAYED;
        recipe.history = 4;
        MUST(mpt_policy_set_fp8(policy, &recipe));
        MUST(mpt_scaler_create(ctx, nullptr, scaler.out()));
        MUST(mpt_optimizer_adam(ctx, nullptr, adam.out()));
        MUST(mpt_optimizer_add_layer(adam, net));
        x = tensor(ctx, MPT_F32, {8, 12});
        y = tensor(ctx, MPT_U8, {8});
        if (!captured) return;
        MUST(mpt_capture_begin(ctx));
        step();
        mpt_tensor *outputs[] = {loss};
        MUST(mpt_capture_end(ctx, outputs, 1, program.out()));
    }
    void step() {
        Tensor out;
        mpt_tensor *in = x;
        MUST(mpt_autocast_begin(ctx, policy));
        MUST(mpt_layer_forward(net, &in, 1, out.out(), 1));
        MUST(mpt_cross_entropy(out, y, nullptr, loss.out()));
        MUST(mpt_autocast_end(ctx));
        MUST(mpt_backward(loss, scaler, MPT_GRAD_WRITE));
        MUST(mpt_optimizer_step(adam, scaler));
        MUST(mpt_scaler_update(scaler));
    }
    void run(int number) {
        test::Random random(static_cast<unsigned>(100 + number));
        std::vector<float> batch(8 * 12);
        std::vector<std::uint8_t> labels(8);
        for (float &v : batch) v = static_cast<float>(random.uniform(-1, 1) * (1 + number % 3));
        for (std::size_t i = 0; i < 8; ++i) labels[i] = static_cast<std::uint8_t>(i % 4);
        if (number == 3) batch[5] = INFINITY;
        MUST(mpt_tensor_write(x, batch.data(), batch.size() * 4));
        MUST(mpt_tensor_write(y, labels.data(), 8));
        if (program)
            MUST(mpt_program_run(program));
        else
            step();
    }
    State state() {
        State s;
        MUST(mpt_state_create(ctx, s.out()));
        MUST(mpt_state_add_layer(s, "model", net));
        MUST(mpt_state_add_optimizer(s, "adam", adam));
        MUST(mpt_state_add_scaler(s, "scaler", scaler));
        MUST(mpt_state_add_fp8(s, "fp8", policy, net));
        return s;
    }
    std::string bytes() {
        std::string all;
        MUST(mpt_state_save_to(
            state(), [](const void *data, std::size_t n, void *to) { return static_cast<std::string *>(to)->append(static_cast<const char *>(data), n), 0; },
            &all));
        return all;
    }
};

}  // namespace

TEST(Fp8Training, CapturedEqualsEager) {
    Training eager(false), captured(true);
    for (int i = 0; i < 8; ++i) {
        eager.run(i);
        captured.run(i);
        ASSERT_EQ(eager.bytes(), captured.bytes()) << "step " << i;
    }
}

TEST(Fp8Training, ResumedEqualsUninterrupted) {
    for (bool captured : {false, true}) {
        Training whole(captured), before(captured), after(captured);
        for (int i = 0; i < 8; ++i) whole.run(i);
        for (int i = 0; i < 4; ++i) before.run(i);
        const std::string saved = before.bytes();
        EXPECT_NE(saved.find("fp8.0.weight.input_history"), std::string::npos);
        struct Source {
            const std::string &bytes;
            std::size_t at = 0;
        } source{saved};
        MUST(mpt_state_load_from(
            after.state(),
            [](void *data, std::size_t n, void *from) {
                auto &s = *static_cast<Source *>(from);
                if (s.at + n > s.bytes.size()) return 1;
                s.bytes.copy(static_cast<char *>(data), n, s.at);
                s.at += n;
                return 0;
            },
            &source));
        for (int i = 4; i < 8; ++i) after.run(i);
        EXPECT_EQ(whole.bytes(), after.bytes()) << (captured ? "captured" : "eager");
    }
}
