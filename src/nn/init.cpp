#include "nn/init.h"

#include <cmath>

#include "core/error.h"
#include "ops/ops.h"

namespace mpt {

namespace {

struct Fans {
    double in, out;
};
Fans fans(const Dims &shape) {
    double rest = 1;
    for (int i = 2; i < shape.n; ++i) rest *= static_cast<double>(shape[i]);
    return {std::max(1.0, static_cast<double>(shape[1]) * rest), std::max(1.0, static_cast<double>(shape[0]) * rest)};
}

void uniform(const Ref<Tensor> &x, double bound) { ops::random(x, MPT_RANDOM_UNIFORM, -bound, bound); }
void normal(const Ref<Tensor> &x, double std) { ops::random(x, MPT_RANDOM_NORMAL, 0, std); }

}  // namespace

void initialize(const Ref<Tensor> &weight, mpt_init init) {
    ScopeGuard guard(*weight->ctx);
    weight->ctx->scope.grad = false;
    const Fans f = fans(weight->shape);
    switch (init) {
        case MPT_INIT_DEFAULT: return uniform(weight, 1 / std::sqrt(f.in));
        case MPT_INIT_ZEROS: return ops::fill(weight, 0);
        case MPT_INIT_XAVIER_UNIFORM: return uniform(weight, std::sqrt(6 / (f.in + f.out)));
        case MPT_INIT_XAVIER_NORMAL: return normal(weight, std::sqrt(2 / (f.in + f.out)));
        case MPT_INIT_KAIMING_UNIFORM: return uniform(weight, std::sqrt(6 / f.in));
        case MPT_INIT_KAIMING_NORMAL: return normal(weight, std::sqrt(2 / f.in));
        case MPT_INIT_FORCE_32: break;
    }
    fail(MPT_ERROR_ARGUMENT, "argument 'init' is ", static_cast<int>(init), ", which is none of mpt_init");
}

void initialize_bias(const Ref<Tensor> &bias, const Tensor &weight, mpt_init init) {
    if (init == MPT_INIT_DEFAULT)
        uniform(bias, 1 / std::sqrt(fans(weight.shape).in));
    else
        ops::fill(bias, 0);
}

}  // namespace mpt
