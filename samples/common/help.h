/* The help of the samples, one string a line. scripts/demo.sh shows that of Fashion-MNIST from here, before anything is built: it takes
 * the strings in their order. SPDX-License-Identifier: Apache-2.0 */
#ifndef SAMPLES_HELP_H
#define SAMPLES_HELP_H

/* clang-format off */
#define HELP_FASHION_MNIST \
    "Trains a small convolutional network on Fashion-MNIST with mpt.\n" \
    "\n" \
    "  --epochs N                how often to go over the training images (default 10)\n" \
    "  --batch N                 images per step (default 128)\n" \
    "  --limit N                 use only the first N images of each set (default 0: all)\n"

/* What every sample has. */
#define HELP_COMMON \
    "  --precision f32|f16|bf16|fp8\n" \
    "                            what products compute in (default f32); f16 scales the loss\n" \
    "  --recipe current|delayed|unscaled\n" \
    "                            how fp8 finds its scales (default current)\n" \
    "  --keep PATTERNS           layers that fp8 leaves in bf16, for example 'conv1,*head'; a pattern that\n" \
    "                            matches none is refused with the list of layers\n" \
    "  --seed N                  of weights, order and noise (default 0)\n" \
    "  --device auto|cpu|cuda    where to compute (default auto: the GPU when it works)\n" \
    "  --threads N               threads of the CPU (default 0: one per core)\n" \
    "  --eager                   run each operation at once instead of a captured program\n" \
    "  --data DIR                the folder of the data\n" \
    "  --out DIR                 where checkpoint, log and plot go (default demo-output)\n" \
    "  --resume FILE             go on from a checkpoint\n" \
    "  --stop N                  end after row N of the table, to be resumed (default 0: the last)\n" \
    "  --help                    this text\n" \
    "\n" \
    "NO_COLOR switches colours off. Exit codes: 0 done, 1 failed, 2 wrong options.\n"
/* clang-format on */

#endif
