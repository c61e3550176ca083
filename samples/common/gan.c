/* A generator and a discriminator. SPDX-License-Identifier: Apache-2.0 */
#include "gan.h"

#include <string.h>

#include "check.h"
#include "layers.h"

/* Where the discriminator is never quite sure of real images, it leaves the generator a gradient [Salimans et al. 2016]. */
static const double smoothed = 0.9;

static mpt_status MPT_CALL generator_forward(mpt_layer *layer, mpt_tensor *const *in, int32_t n_in, mpt_tensor **out, int32_t n_out,
                                             void *user_data) {
    gan *g = user_data;
    mpt_tensor *flat, *small;
    (void)layer, (void)n_in;
    CHECK(mpt_layer_forward(g->project, in, 1, &flat, 1));
    CHECK(mpt_reshape(flat, 4, (const int64_t[]){-1, 2 * g->width, 7, 7}, &small));
    CHECK(mpt_layer_forward(g->draw, &small, 1, out, n_out));
    mpt_tensor_release(flat);
    mpt_tensor_release(small);
    return MPT_OK;
}

static void build_generator(gan *g) {
    mpt_context *ctx = g->t->ctx;
    const int64_t w = g->width;
    mpt_custom_layer_desc desc;
    CHECK(mpt_custom_layer_desc_init(&desc, sizeof desc));
    desc.forward = generator_forward;
    desc.user_data = g;
    CHECK(mpt_layer_custom(ctx, &desc, &g->generator));
    g->project = new_linear(ctx, g->noise, 2 * w * 7 * 7);
    g->draw = new_sequential(ctx);
    add_layer(g->draw, "norm1", new_batch_norm(ctx, 2 * w));
    add_layer(g->draw, "relu1", new_activation(ctx, MPT_ACTIVATION_RELU));
    add_layer(g->draw, "conv1", new_deconvolution(ctx, 2 * w, w, 4, 2, 1, 0)); /* -> [N, w, 14, 14] */
    add_layer(g->draw, "norm2", new_batch_norm(ctx, w));
    add_layer(g->draw, "relu2", new_activation(ctx, MPT_ACTIVATION_RELU));
    add_layer(g->draw, "conv2", new_deconvolution(ctx, w, 1, 4, 2, 1, 1)); /* -> [N, 1, 28, 28] */
    add_layer(g->draw, "tanh", new_activation(ctx, MPT_ACTIVATION_TANH));
    add_layer(g->generator, "project", g->project); /* borrowed from here on */
    add_layer(g->generator, "draw", g->draw);
}

static void build_discriminator(gan *g) {
    mpt_context *ctx = g->t->ctx;
    const int64_t w = g->width;
    g->discriminator = new_sequential(ctx);
    add_layer(g->discriminator, "conv1", new_convolution(ctx, 1, w, 4, 2, 1, 1)); /* -> [N, w, 14, 14] */
    add_layer(g->discriminator, "relu1", new_activation(ctx, MPT_ACTIVATION_LEAKY_RELU));
    add_layer(g->discriminator, "conv2", new_convolution(ctx, w, 2 * w, 4, 2, 1, 1)); /* -> [N, 2 w, 7, 7] */
    add_layer(g->discriminator, "relu2", new_activation(ctx, MPT_ACTIVATION_LEAKY_RELU));
    add_layer(g->discriminator, "flatten", new_flatten(ctx));
    add_layer(g->discriminator, "linear", new_linear(ctx, 2 * w * 7 * 7, 1));
}

static mpt_optimizer *make_optimizer(mpt_context *ctx, mpt_layer *layer, double rate, int64_t steps) {
    mpt_optimizer *optimizer;
    mpt_schedule_desc schedule;
    mpt_adam_desc desc;
    CHECK(mpt_adam_desc_init(&desc, sizeof desc));
    desc.lr = rate;
    desc.beta1 = 0.5;
    CHECK(mpt_optimizer_adam(ctx, &desc, &optimizer));
    CHECK(mpt_optimizer_add_layer(optimizer, layer));
    CHECK(mpt_schedule_desc_init(&schedule, sizeof schedule));
    schedule.kind = MPT_SCHEDULE_COSINE;
    schedule.total_steps = steps;
    CHECK(mpt_optimizer_set_schedule(optimizer, &schedule));
    return optimizer;
}

void gan_open(gan *g, const training *t, int64_t noise, int64_t width, double rate, int64_t steps) {
    memset(g, 0, sizeof *g);
    g->t = t;
    g->noise = noise;
    g->width = width;
    build_generator(g);
    build_discriminator(g);
    g->generator_optimizer = make_optimizer(t->ctx, g->generator, rate, steps);
    g->discriminator_optimizer = make_optimizer(t->ctx, g->discriminator, rate, steps);
}

void gan_close(gan *g) {
    mpt_optimizer_release(g->generator_optimizer);
    mpt_optimizer_release(g->discriminator_optimizer);
    mpt_layer_release(g->generator);
    mpt_layer_release(g->discriminator);
}

mpt_tensor *gan_generate(gan *g, mpt_tensor *noise) {
    mpt_tensor *images;
    CHECK(mpt_layer_forward(g->generator, &noise, 1, &images, 1));
    return images;
}

mpt_tensor *gan_judge(gan *g, mpt_tensor *images, double real) {
    mpt_tensor *logits, *target, *loss;
    int64_t shape[2];
    CHECK(mpt_layer_forward(g->discriminator, &images, 1, &logits, 1));
    CHECK(mpt_tensor_shape(logits, shape, 2));
    CHECK(mpt_tensor_create(g->t->ctx, MPT_F32, 2, shape, &target));
    CHECK(mpt_tensor_fill(target, real));
    CHECK(mpt_bce_with_logits(logits, target, 1, MPT_REDUCTION_MEAN, &loss));
    mpt_tensor_release(logits);
    mpt_tensor_release(target);
    return loss;
}

/* n images from fresh noise of the context. */
static mpt_tensor *fresh_images(gan *g, int64_t n) {
    const int64_t shape[2] = {n, g->noise};
    mpt_tensor *noise, *images;
    CHECK(mpt_tensor_create(g->t->ctx, MPT_F32, 2, shape, &noise));
    CHECK(mpt_tensor_random_normal(noise, 0, 1));
    images = gan_generate(g, noise);
    mpt_tensor_release(noise);
    return images;
}

mpt_tensor *gan_discriminator_gradients(gan *g, mpt_tensor *real) {
    mpt_tensor *fake, *of_real, *of_fake, *loss;
    int64_t shape[4];
    CHECK(mpt_tensor_shape(real, shape, 4));
    CHECK(mpt_autocast_begin(g->t->ctx, g->t->policy));
    CHECK(mpt_no_grad_begin(g->t->ctx)); /* the generator does not learn from this */
    fake = fresh_images(g, shape[0]);
    CHECK(mpt_no_grad_end(g->t->ctx));
    of_real = gan_judge(g, real, smoothed);
    of_fake = gan_judge(g, fake, 0);
    CHECK(mpt_add(of_real, of_fake, &loss));
    CHECK(mpt_autocast_end(g->t->ctx));
    CHECK(mpt_backward(loss, g->t->scaler, MPT_GRAD_WRITE));
    mpt_tensor_release(fake);
    mpt_tensor_release(of_real);
    mpt_tensor_release(of_fake);
    return loss;
}

/* The discriminator gets gradients here too, which nobody steps by: its own come anew in the next iteration. */
mpt_tensor *gan_generator_gradients(gan *g, int64_t n) {
    mpt_tensor *fake, *loss;
    CHECK(mpt_autocast_begin(g->t->ctx, g->t->policy));
    fake = fresh_images(g, n);
    loss = gan_judge(g, fake, 1);
    CHECK(mpt_autocast_end(g->t->ctx));
    CHECK(mpt_backward(loss, g->t->scaler, MPT_GRAD_WRITE));
    mpt_tensor_release(fake);
    return loss;
}
