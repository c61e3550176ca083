/* A generator and a discriminator of images of 28 x 28 pixels, with an optimizer each [Goodfellow et al. 2014, Radford et al. 2016].
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SAMPLES_GAN_H
#define SAMPLES_GAN_H

#include <mpt.h>

#include "training.h"

typedef struct gan {
    const training *t;
    int64_t noise;                   /* numbers that an image is made from */
    int64_t width;                   /* channels of the widest images */
    mpt_layer *project, *draw;       /* of the generator: noise [N, noise] -> [N, 2 width 7 7]; [N, 2 width, 7, 7] -> [N, 1, 28, 28] */
    mpt_layer *generator, *discriminator;
    mpt_optimizer *generator_optimizer, *discriminator_optimizer;
} gan;

/* g stays where it is: the generator calls back. Both rates fall to 0 over the steps, so that the game comes to rest. */
void gan_open(gan *g, const training *t, int64_t noise, int64_t width, double rate, int64_t steps);
void gan_close(gan *g);

/* Pixels from -1 to 1 out of noise. Call these two under autocast. */
mpt_tensor *gan_generate(gan *g, mpt_tensor *noise);
/* The loss of telling that images are real (1) or not (0), or anything between. */
mpt_tensor *gan_judge(gan *g, mpt_tensor *images, double real);

/* The discriminator's gradients from real images [N, 1, 28, 28] and as many fresh ones of the generator. Gives the loss. */
mpt_tensor *gan_discriminator_gradients(gan *g, mpt_tensor *real);
/* The generator's gradients from n fresh images. Gives the loss. */
mpt_tensor *gan_generator_gradients(gan *g, int64_t n);

#endif
