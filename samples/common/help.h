/* The help of the Fashion-MNIST sample, one string a line: scripts/demo.sh reads it here too, before anything is built.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SAMPLES_HELP_H
#define SAMPLES_HELP_H

/* clang-format off */
static const char help_text[] =
    "Trains a small convolutional network on Fashion-MNIST with mpt.\n"
    "\n"
    "  --precision f32|f16|bf16  what products compute in (default f32); f16 scales the loss\n"
    "  --epochs N                how often to go over the training images (default 10)\n"
    "  --batch N                 images per step (default 128)\n"
    "  --seed N                  of weights and shuffling (default 0)\n"
    "  --device auto|cpu|cuda    where to compute (default auto: the GPU when it works)\n"
    "  --threads N               threads of the CPU (default 0: one per core)\n"
    "  --eager                   run each operation at once instead of a captured program\n"
    "  --limit N                 use only the first N images of each set (default 0: all)\n"
    "  --data DIR                the folder of the data set\n"
    "  --out DIR                 where checkpoint, log and plot go (default demo-output)\n"
    "  --resume FILE             go on from a checkpoint\n"
    "  --help                    this text\n"
    "\n"
    "NO_COLOR switches colours off. Exit codes: 0 done, 1 failed, 2 wrong options.\n";
/* clang-format on */

#endif
