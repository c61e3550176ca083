// The descriptors of the update rules and what makes an optimizer of each.
#include <cmath>

#include "api/optimizer.h"
#include "optim/optimizer.h"

using namespace mpt;

namespace {

mpt_sgd_desc default_sgd() {
    mpt_sgd_desc d = {};
    d.struct_size = sizeof d;
    d.lr = 0.01;
    return d;
}

mpt_adam_desc default_adam(double eps, double weight_decay) {
    mpt_adam_desc d = {};
    d.struct_size = sizeof d;
    d.lr = 0.001;
    d.beta1 = 0.9;
    d.beta2 = 0.999;
    d.eps = eps;
    d.weight_decay = weight_decay;
    return d;
}
mpt_adam_desc adam() { return default_adam(1e-8, 0); }
mpt_adam_desc adamw() { return default_adam(1e-8, 0.01); }
mpt_adam_desc lamb() { return default_adam(1e-6, 0.01); }

mpt_adagrad_desc default_adagrad() {
    mpt_adagrad_desc d = {};
    d.struct_size = sizeof d;
    d.lr = 0.01;
    d.eps = 1e-10;
    return d;
}

mpt_adadelta_desc default_adadelta() {
    mpt_adadelta_desc d = {};
    d.struct_size = sizeof d;
    d.lr = 1;
    d.rho = 0.9;
    d.eps = 1e-6;
    return d;
}

mpt_rmsprop_desc default_rmsprop() {
    mpt_rmsprop_desc d = {};
    d.struct_size = sizeof d;
    d.lr = 0.01;
    d.alpha = 0.99;
    d.eps = 1e-8;
    return d;
}

// What every descriptor has.
template <class Desc>
void check_common(const Desc &d) {
    api::rate(d.lr, "argument 'desc': lr");
    api::not_negative(d.weight_decay, "argument 'desc': weight_decay");
}

template <class Make>
mpt_status create_adam(const char *function, mpt_context *ctx, const mpt_adam_desc *desc, mpt_optimizer **out, const mpt_adam_desc &defaults, Make &&make) {
    return api::call(function, ctx, "ctx", [&](Context &c) {
        api::need(out, "out");
        const mpt_adam_desc d = api::read_desc(desc, defaults, "desc");
        check_common(d);
        api::not_negative(d.eps, "argument 'desc': eps");
        api::share(d.beta1, "argument 'desc': beta1");
        api::share(d.beta2, "argument 'desc': beta2");
        api::need_reserved(d.reserved);
        *out = make(c, d).detach();
    });
}

}  // namespace

mpt_status MPT_CALL mpt_sgd_desc_init(mpt_sgd_desc *desc, size_t nbytes) {
    return api::catching("mpt_sgd_desc_init", nullptr, [&] { api::init_desc(desc, nbytes, default_sgd(), "desc"); });
}

mpt_status MPT_CALL mpt_optimizer_sgd(mpt_context *ctx, const mpt_sgd_desc *desc, mpt_optimizer **out) {
    return api::call("mpt_optimizer_sgd", ctx, "ctx", [&](Context &c) {
        api::need(out, "out");
        const mpt_sgd_desc d = api::read_desc(desc, default_sgd(), "desc");
        check_common(d);
        api::not_negative(d.momentum, "argument 'desc': momentum");
        if (!std::isfinite(d.dampening)) fail(MPT_ERROR_ARGUMENT, "argument 'desc': dampening is ", d.dampening, ": it must be finite");
        api::flag(d.nesterov, "desc", "nesterov");
        if (d.nesterov && (d.momentum == 0 || d.dampening != 0))
            fail(MPT_ERROR_ARGUMENT, "argument 'desc': nesterov needs a momentum and no dampening, not ", d.momentum, " and ", d.dampening);
        *out = new_sgd(c, d).detach();
    });
}

mpt_status MPT_CALL mpt_adam_desc_init(mpt_adam_desc *desc, size_t nbytes) {
    return api::catching("mpt_adam_desc_init", nullptr, [&] { api::init_desc(desc, nbytes, adam(), "desc"); });
}
mpt_status MPT_CALL mpt_adamw_desc_init(mpt_adam_desc *desc, size_t nbytes) {
    return api::catching("mpt_adamw_desc_init", nullptr, [&] { api::init_desc(desc, nbytes, adamw(), "desc"); });
}
mpt_status MPT_CALL mpt_lamb_desc_init(mpt_adam_desc *desc, size_t nbytes) {
    return api::catching("mpt_lamb_desc_init", nullptr, [&] { api::init_desc(desc, nbytes, lamb(), "desc"); });
}
mpt_status MPT_CALL mpt_optimizer_adam(mpt_context *ctx, const mpt_adam_desc *desc, mpt_optimizer **out) {
    return create_adam("mpt_optimizer_adam", ctx, desc, out, adam(), [](Context &c, const mpt_adam_desc &d) { return new_adam(c, d, false); });
}
mpt_status MPT_CALL mpt_optimizer_adamw(mpt_context *ctx, const mpt_adam_desc *desc, mpt_optimizer **out) {
    return create_adam("mpt_optimizer_adamw", ctx, desc, out, adamw(), [](Context &c, const mpt_adam_desc &d) { return new_adam(c, d, true); });
}
mpt_status MPT_CALL mpt_optimizer_lamb(mpt_context *ctx, const mpt_adam_desc *desc, mpt_optimizer **out) {
    return create_adam("mpt_optimizer_lamb", ctx, desc, out, lamb(), new_lamb);
}

mpt_status MPT_CALL mpt_adagrad_desc_init(mpt_adagrad_desc *desc, size_t nbytes) {
    return api::catching("mpt_adagrad_desc_init", nullptr, [&] { api::init_desc(desc, nbytes, default_adagrad(), "desc"); });
}

mpt_status MPT_CALL mpt_optimizer_adagrad(mpt_context *ctx, const mpt_adagrad_desc *desc, mpt_optimizer **out) {
    return api::call("mpt_optimizer_adagrad", ctx, "ctx", [&](Context &c) {
        api::need(out, "out");
        const mpt_adagrad_desc d = api::read_desc(desc, default_adagrad(), "desc");
        check_common(d);
        api::not_negative(d.lr_decay, "argument 'desc': lr_decay");
        api::not_negative(d.initial_accumulator, "argument 'desc': initial_accumulator");
        api::not_negative(d.eps, "argument 'desc': eps");
        api::need_reserved(d.reserved);
        *out = new_adagrad(c, d).detach();
    });
}

mpt_status MPT_CALL mpt_adadelta_desc_init(mpt_adadelta_desc *desc, size_t nbytes) {
    return api::catching("mpt_adadelta_desc_init", nullptr, [&] { api::init_desc(desc, nbytes, default_adadelta(), "desc"); });
}

mpt_status MPT_CALL mpt_optimizer_adadelta(mpt_context *ctx, const mpt_adadelta_desc *desc, mpt_optimizer **out) {
    return api::call("mpt_optimizer_adadelta", ctx, "ctx", [&](Context &c) {
        api::need(out, "out");
        const mpt_adadelta_desc d = api::read_desc(desc, default_adadelta(), "desc");
        check_common(d);
        if (!(d.rho >= 0 && d.rho <= 1)) fail(MPT_ERROR_ARGUMENT, "argument 'desc': rho is ", d.rho, ": it must be in [0, 1]");
        api::not_negative(d.eps, "argument 'desc': eps");
        api::need_reserved(d.reserved);
        *out = new_adadelta(c, d).detach();
    });
}

mpt_status MPT_CALL mpt_rmsprop_desc_init(mpt_rmsprop_desc *desc, size_t nbytes) {
    return api::catching("mpt_rmsprop_desc_init", nullptr, [&] { api::init_desc(desc, nbytes, default_rmsprop(), "desc"); });
}

mpt_status MPT_CALL mpt_optimizer_rmsprop(mpt_context *ctx, const mpt_rmsprop_desc *desc, mpt_optimizer **out) {
    return api::call("mpt_optimizer_rmsprop", ctx, "ctx", [&](Context &c) {
        api::need(out, "out");
        const mpt_rmsprop_desc d = api::read_desc(desc, default_rmsprop(), "desc");
        check_common(d);
        api::flag(d.centered, "desc", "centered");
        api::not_negative(d.alpha, "argument 'desc': alpha");
        api::not_negative(d.eps, "argument 'desc': eps");
        api::not_negative(d.momentum, "argument 'desc': momentum");
        *out = new_rmsprop(c, d).detach();
    });
}
