/* Fits y = 3 x + 2 from noisy points, with products in f16 and loss scaling. SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

int main(void) {
    const int64_t shape[2] = {256, 1};
    mpt_linear_desc desc;
    mpt_context *ctx;
    mpt_layer *model;
    mpt_optimizer *optimizer;
    mpt_policy *policy;
    mpt_scaler *scaler;
    mpt_tensor *x, *noise, *line, *y, *prediction, *loss, *weight, *bias;
    double w, b, scale;
    int64_t skipped;
    int step;

    CHECK(mpt_context_create(NULL, &ctx));
    CHECK(mpt_linear_desc_init(&desc, sizeof desc));
    desc.in_features = desc.out_features = 1;
    CHECK(mpt_layer_linear(ctx, &desc, &model));
    CHECK(mpt_policy_create(ctx, MPT_F16, &policy));
    CHECK(mpt_scaler_create(ctx, NULL, &scaler));
    CHECK(mpt_optimizer_sgd(ctx, NULL, &optimizer));
    CHECK(mpt_optimizer_add_layer(optimizer, model));
    CHECK(mpt_optimizer_set_lr(optimizer, 0.1));

    CHECK(mpt_tensor_create(ctx, MPT_F32, 2, shape, &x));
    CHECK(mpt_tensor_create(ctx, MPT_F32, 2, shape, &noise));
    CHECK(mpt_tensor_random_uniform(x, -1, 1));
    CHECK(mpt_tensor_random_normal(noise, 0, 0.1));
    CHECK(mpt_affine(x, 3, 2, &line));
    CHECK(mpt_add(line, noise, &y));

    for (step = 0; step < 200; ++step) {
        CHECK(mpt_autocast_begin(ctx, policy));
        CHECK(mpt_layer_forward(model, &x, 1, &prediction, 1));
        CHECK(mpt_mse(prediction, y, MPT_REDUCTION_MEAN, &loss));
        CHECK(mpt_autocast_end(ctx));
        CHECK(mpt_backward(loss, scaler, MPT_GRAD_WRITE)); /* gradients of scale * loss */
        CHECK(mpt_optimizer_step(optimizer, scaler));      /* skipped where one of them overflowed */
        CHECK(mpt_scaler_update(scaler));                  /* then with a lower scale */
        mpt_tensor_release(prediction);
        mpt_tensor_release(loss);
    }

    CHECK(mpt_layer_parameter_by_name(model, "weight", &weight));
    CHECK(mpt_layer_parameter_by_name(model, "bias", &bias));
    CHECK(mpt_tensor_item(weight, &w));
    CHECK(mpt_tensor_item(bias, &b));
    CHECK(mpt_scaler_scale(scaler, &scale));
    CHECK(mpt_optimizer_counts(optimizer, NULL, &skipped));
    printf("y = %.3f x + %.3f  (loss scale %.6g, %d steps skipped)\n", w, b, scale, (int)skipped);

    mpt_tensor_release(x), mpt_tensor_release(noise), mpt_tensor_release(line), mpt_tensor_release(y);
    mpt_tensor_release(weight), mpt_tensor_release(bias);
    mpt_optimizer_release(optimizer), mpt_scaler_release(scaler), mpt_policy_release(policy);
    mpt_layer_release(model), mpt_context_release(ctx);
    return EXIT_OK;
}
