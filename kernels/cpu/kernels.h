// The prepare function of every portable CPU kernel: prepare_<name in device/attrs.h>. module.cpp lists them.
#pragma once

#include <memory>

#include "kernel.h"

namespace mpt::cpu {

std::unique_ptr<Kernel> prepare_fill(Pool &pool, const mpt_mod_call &call);
std::unique_ptr<Kernel> prepare_copy(Pool &pool, const mpt_mod_call &call);
std::unique_ptr<Kernel> prepare_random(Pool &pool, const mpt_mod_call &call);
std::unique_ptr<Kernel> prepare_random_advance(Pool &pool, const mpt_mod_call &call);

std::unique_ptr<Kernel> prepare_unary(Pool &pool, const mpt_mod_call &call);
std::unique_ptr<Kernel> prepare_binary(Pool &pool, const mpt_mod_call &call);
std::unique_ptr<Kernel> prepare_reduce(Pool &pool, const mpt_mod_call &call);

std::unique_ptr<Kernel> prepare_matmul(Pool &pool, const mpt_mod_call &call);
std::unique_ptr<Kernel> prepare_conv2d(Pool &pool, const mpt_mod_call &call);
std::unique_ptr<Kernel> prepare_conv2d_dgrad(Pool &pool, const mpt_mod_call &call);
std::unique_ptr<Kernel> prepare_conv2d_wgrad(Pool &pool, const mpt_mod_call &call);
std::unique_ptr<Kernel> prepare_max_pool2d(Pool &pool, const mpt_mod_call &call);
std::unique_ptr<Kernel> prepare_max_pool2d_grad(Pool &pool, const mpt_mod_call &call);

std::unique_ptr<Kernel> prepare_softmax(Pool &pool, const mpt_mod_call &call);
std::unique_ptr<Kernel> prepare_softmax_grad(Pool &pool, const mpt_mod_call &call);
std::unique_ptr<Kernel> prepare_cross_entropy(Pool &pool, const mpt_mod_call &call);
std::unique_ptr<Kernel> prepare_cross_entropy_grad(Pool &pool, const mpt_mod_call &call);
std::unique_ptr<Kernel> prepare_mse(Pool &pool, const mpt_mod_call &call);
std::unique_ptr<Kernel> prepare_mse_grad(Pool &pool, const mpt_mod_call &call);

std::unique_ptr<Kernel> prepare_grad_norm(Pool &pool, const mpt_mod_call &call);
std::unique_ptr<Kernel> prepare_unscale(Pool &pool, const mpt_mod_call &call);
std::unique_ptr<Kernel> prepare_adam(Pool &pool, const mpt_mod_call &call);
std::unique_ptr<Kernel> prepare_sgd(Pool &pool, const mpt_mod_call &call);
std::unique_ptr<Kernel> prepare_scaler_update(Pool &pool, const mpt_mod_call &call);

}  // namespace mpt::cpu
