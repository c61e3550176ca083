// The optimizers' update rules, written again in double from their definitions, and settings of each.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "common/handles.h"
#include "common/random.h"
#include "common/tensors.h"

namespace test {

struct Rule {
    const char *name;
    enum { Sgd, Adam, AdamW, Adagrad, Adadelta, Rmsprop, Lamb } kind;
    double lr, decay;
    double momentum = 0, dampening = 0;
    bool nesterov = false, centered = false;
    double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
    double lr_decay = 0, initial = 0;
    double clip = 0, clip_value = 0;
};

inline const Rule kRules[] = {
    {.name = "Sgd", .kind = Rule::Sgd, .lr = 0.1, .decay = 0},
    {.name = "SgdDecay", .kind = Rule::Sgd, .lr = 0.1, .decay = 0.05},
    {.name = "SgdMomentum", .kind = Rule::Sgd, .lr = 0.05, .decay = 0, .momentum = 0.9},
    {.name = "SgdDampening", .kind = Rule::Sgd, .lr = 0.05, .decay = 0.01, .momentum = 0.8, .dampening = 0.3},
    {.name = "SgdNesterov", .kind = Rule::Sgd, .lr = 0.05, .decay = 0.02, .momentum = 0.9, .nesterov = true},
    {.name = "SgdClip", .kind = Rule::Sgd, .lr = 0.1, .decay = 0.05, .momentum = 0.5, .clip = 0.7},
    {.name = "SgdClipValue", .kind = Rule::Sgd, .lr = 0.1, .decay = 0.05, .clip_value = 0.05},
    {.name = "Adam", .kind = Rule::Adam, .lr = 0.01, .decay = 0},
    {.name = "AdamDecay", .kind = Rule::Adam, .lr = 0.02, .decay = 0.1, .beta1 = 0.8, .beta2 = 0.95, .eps = 1e-3},
    {.name = "AdamClip", .kind = Rule::Adam, .lr = 0.01, .decay = 0, .eps = 0.1, .clip = 0.5},
    {.name = "AdamW", .kind = Rule::AdamW, .lr = 0.02, .decay = 0.1},
    {.name = "AdamWClip", .kind = Rule::AdamW, .lr = 0.02, .decay = 0.1, .beta1 = 0.7, .beta2 = 0.9, .clip = 0.3},
    {.name = "AdamWClipBoth", .kind = Rule::AdamW, .lr = 0.02, .decay = 0.1, .eps = 0.01, .clip = 0.3, .clip_value = 0.06},
    {.name = "Adagrad", .kind = Rule::Adagrad, .lr = 0.05, .decay = 0, .eps = 1e-10},
    {.name = "AdagradDecays", .kind = Rule::Adagrad, .lr = 0.1, .decay = 0.05, .eps = 1e-3, .lr_decay = 0.2, .initial = 0.1},
    {.name = "AdagradClip", .kind = Rule::Adagrad, .lr = 0.1, .decay = 0, .eps = 0.1, .clip = 0.5, .clip_value = 0.3},
    {.name = "Adadelta", .kind = Rule::Adadelta, .lr = 1, .decay = 0, .beta1 = 0.9, .eps = 1e-6},
    {.name = "AdadeltaDecay", .kind = Rule::Adadelta, .lr = 0.5, .decay = 0.1, .beta1 = 0.7, .eps = 1e-3, .clip = 0.5},
    {.name = "Rmsprop", .kind = Rule::Rmsprop, .lr = 0.01, .decay = 0, .beta1 = 0.99},
    {.name = "RmspropMomentum", .kind = Rule::Rmsprop, .lr = 0.01, .decay = 0.05, .momentum = 0.8, .beta1 = 0.9, .eps = 1e-3},
    {.name = "RmspropCentered", .kind = Rule::Rmsprop, .lr = 0.01, .decay = 0, .centered = true, .beta1 = 0.8, .eps = 1e-2},
    {.name = "RmspropAll",
     .kind = Rule::Rmsprop,
     .lr = 0.01,
     .decay = 0.02,
     .momentum = 0.9,
     .centered = true,
     .beta1 = 0.4,
     .eps = 1e-2,
     .clip = 0.5},
    {.name = "Lamb", .kind = Rule::Lamb, .lr = 0.02, .decay = 0.01, .eps = 1e-6},
    {.name = "LambPlain", .kind = Rule::Lamb, .lr = 0.05, .decay = 0, .beta1 = 0.8, .beta2 = 0.95, .eps = 1e-3, .clip = 0.5},
};

inline Optimizer create(mpt_context *ctx, const Rule &r) {
    Optimizer optimizer;
    if (r.kind == Rule::Sgd) {
        mpt_sgd_desc d;
        MUST(mpt_sgd_desc_init(&d, sizeof d));
        d.lr = r.lr, d.weight_decay = r.decay, d.momentum = r.momentum, d.dampening = r.dampening, d.nesterov = r.nesterov;
        MUST(mpt_optimizer_sgd(ctx, &d, optimizer.out()));
    } else if (r.kind == Rule::Adagrad) {
        mpt_adagrad_desc d;
        MUST(mpt_adagrad_desc_init(&d, sizeof d));
        d.lr = r.lr, d.weight_decay = r.decay, d.lr_decay = r.lr_decay, d.initial_accumulator = r.initial, d.eps = r.eps;
        MUST(mpt_optimizer_adagrad(ctx, &d, optimizer.out()));
    } else if (r.kind == Rule::Adadelta) {
        mpt_adadelta_desc d;
        MUST(mpt_adadelta_desc_init(&d, sizeof d));
        d.lr = r.lr, d.weight_decay = r.decay, d.rho = r.beta1, d.eps = r.eps;
        MUST(mpt_optimizer_adadelta(ctx, &d, optimizer.out()));
    } else if (r.kind == Rule::Rmsprop) {
        mpt_rmsprop_desc d;
        MUST(mpt_rmsprop_desc_init(&d, sizeof d));
        d.lr = r.lr, d.weight_decay = r.decay, d.alpha = r.beta1, d.eps = r.eps, d.momentum = r.momentum, d.centered = r.centered;
        MUST(mpt_optimizer_rmsprop(ctx, &d, optimizer.out()));
    } else {
        mpt_adam_desc d;
        MUST(mpt_adam_desc_init(&d, sizeof d));
        d.lr = r.lr, d.weight_decay = r.decay, d.beta1 = r.beta1, d.beta2 = r.beta2, d.eps = r.eps;
        const auto make = r.kind == Rule::Adam    ? mpt_optimizer_adam
                          : r.kind == Rule::AdamW ? mpt_optimizer_adamw
                                                  : mpt_optimizer_lamb;
        MUST(make(ctx, &d, optimizer.out()));
    }
    if (r.clip > 0) MUST(mpt_optimizer_set_clip_norm(optimizer, r.clip));
    if (r.clip_value > 0) MUST(mpt_optimizer_set_clip_value(optimizer, r.clip_value));
    return optimizer;
}

// One parameter of the reference with its state.
struct Reference {
    std::vector<double> p, first, second, third;
    explicit Reference(std::vector<double> start) : p(std::move(start)), first(p.size()), second(p.size()), third(p.size()) {}

    void step(const Rule &r, double lr, double decay, int t, const std::vector<double> &grad, double factor) {
        if (t == 1 && r.kind == Rule::Adagrad) first.assign(p.size(), r.initial);
        std::vector<double> direction(p.size());
        for (std::size_t i = 0; i < p.size(); ++i) {
            double g = grad[i];
            if (r.clip_value > 0) g = std::fmin(std::fmax(g, -r.clip_value), r.clip_value);
            direction[i] = change(r, lr, decay, t, i, g * factor);
        }
        double ratio = 1;
        if (r.kind == Rule::Lamb && norm(p) > 0 && norm(direction) > 0) ratio = norm(p) / norm(direction);
        for (std::size_t i = 0; i < p.size(); ++i) p[i] -= (r.kind == Rule::Lamb ? lr * ratio : 1) * direction[i];
    }

private:
    static double norm(const std::vector<double> &x) {
        double squares = 0;
        for (double v : x) squares += v * v;
        return std::sqrt(squares);
    }

    // What is subtracted from element i, for LAMB up to its factor.
    double change(const Rule &r, double lr, double decay, int t, std::size_t i, double g) {
        const double b1 = r.beta1, b2 = r.beta2;
        if (r.kind != Rule::AdamW && r.kind != Rule::Lamb) g += decay * p[i];
        switch (r.kind) {
            case Rule::Sgd:
                if (r.momentum == 0) return lr * g;
                first[i] = t == 1 ? g : r.momentum * first[i] + (1 - r.dampening) * g;
                return lr * (r.nesterov ? g + r.momentum * first[i] : first[i]);
            case Rule::Adagrad:
                first[i] += g * g;
                return lr / (1 + (t - 1) * r.lr_decay) * g / (std::sqrt(first[i]) + r.eps);
            case Rule::Adadelta: {
                first[i] = b1 * first[i] + (1 - b1) * g * g;
                const double delta = std::sqrt(second[i] + r.eps) / std::sqrt(first[i] + r.eps) * g;
                second[i] = b1 * second[i] + (1 - b1) * delta * delta;
                return lr * delta;
            }
            case Rule::Rmsprop: {
                first[i] = b1 * first[i] + (1 - b1) * g * g;
                second[i] = b1 * second[i] + (1 - b1) * g;
                const double spread = r.centered ? std::fmax(0, first[i] - second[i] * second[i]) : first[i];
                third[i] = r.momentum * third[i] + g / (std::sqrt(spread) + r.eps);
                return lr * third[i];
            }
            default:
                break;
        }
        first[i] = b1 * first[i] + (1 - b1) * g;
        second[i] = b2 * second[i] + (1 - b2) * g * g;
        const double m = first[i] / (1 - std::pow(b1, t)), v = second[i] / (1 - std::pow(b2, t));
        const double adam = m / (std::sqrt(v) + r.eps);
        if (r.kind == Rule::Lamb) return adam + decay * p[i];
        return lr * adam + (r.kind == Rule::AdamW ? lr * decay * p[i] : 0);
    }
};

inline std::vector<double> draw(Random &random, std::int64_t n, mpt_dtype dtype, double size) {
    std::vector<double> values;
    for (std::int64_t i = 0; i < n; ++i) values.push_back(rounded(dtype, random.uniform(-size, size)));
    return values;
}

inline Tensor parameter(mpt_context *ctx, mpt_dtype dtype, const Values &values) {
    Tensor p = make(ctx, dtype, values);
    MUST(mpt_tensor_set_requires_grad(p, 1));
    return p;
}

inline mpt_group_desc group_desc(mpt_rounding rounding = MPT_ROUNDING_MASTER, double lr_scale = 1, double decay_scale = 1) {
    mpt_group_desc d;
    MUST(mpt_group_desc_init(&d, sizeof d));
    d.rounding = rounding, d.lr_scale = lr_scale, d.weight_decay_scale = decay_scale;
    return d;
}

inline void add_group(mpt_optimizer *optimizer, const char *name, const std::vector<Tensor> &parameters,
                      const mpt_group_desc &d = group_desc()) {
    std::vector<mpt_tensor *> list(parameters.begin(), parameters.end());
    MUST(mpt_optimizer_add_group(optimizer, name, list.data(), static_cast<std::int32_t>(list.size()), &d));
}

}  // namespace test
