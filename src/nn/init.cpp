#include "nn/init.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/error.h"
#include "device/attrs/data.h"
#include "ops/ops.h"
#include "ops/transfer.h"

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

// Gram-Schmidt on normal numbers, on the host: [out, rest] has orthonormal rows, or columns where there are more rows than columns.
void orthogonal(const Ref<Tensor> &weight) {
    Context &ctx = *weight->ctx;
    if (ctx.recording) fail(MPT_ERROR_STATE, "argument 'init' is MPT_INIT_ORTHOGONAL, which is computed on the host: call it outside of a capture");
    const std::int64_t rows = weight->shape[0], columns = rows > 0 ? weight->numel() / rows : 0;
    const std::int64_t count = std::min(rows, columns), length = std::max(rows, columns);
    const Ref<Tensor> drawn = new_tensor(ctx, MPT_F64, {count, length});
    normal(drawn, 1);
    std::vector<double> q(static_cast<std::size_t>(count * length));
    read(drawn, q.data());
    const auto row = [&](std::int64_t i) { return q.begin() + i * length; };
    for (std::int64_t i = 0; i < count; ++i) {
        for (int pass = 0; pass < 2; ++pass)  // a second pass removes what rounding left
            for (std::int64_t j = 0; j < i; ++j) {
                const double dot = std::inner_product(row(i), row(i) + length, row(j), 0.0);
                std::transform(row(i), row(i) + length, row(j), row(i), [=](double a, double b) { return a - dot * b; });
            }
        const double norm = std::sqrt(std::inner_product(row(i), row(i) + length, row(i), 0.0));
        std::transform(row(i), row(i) + length, row(i), [=](double a) { return a / norm; });
    }
    write(drawn, q.data());
    const Ref<Tensor> flat = rows <= columns ? drawn : ops::transpose_last(drawn);
    ops::copy_into(weight, ops::reshape(flat, weight->shape));
}

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
        case MPT_INIT_LECUN_NORMAL: return normal(weight, std::sqrt(1 / f.in));
        case MPT_INIT_ONES: return ops::fill(weight, 1);
        case MPT_INIT_ORTHOGONAL: return orthogonal(weight);
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
