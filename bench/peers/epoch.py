"""Times epochs of mpt in two precisions in alternation, and prints the ratio of the medians.

    python bench/peers/epoch.py --step build/bin/mpt_step --at-most 0.65

Ends with status 1 when the ratio is above --at-most.
"""

import argparse
import os
import sys
import tempfile

import networks
import workers


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--step", required=True, help="the program mpt_step")
    parser.add_argument("--model", choices=networks.SMALL, default="cnn")
    parser.add_argument("--precisions", nargs=2, choices=("f32", "bf16", "f16"), default=("bf16", "f32"))
    parser.add_argument("--steps", type=int, default=469, help="of an epoch: 60000 images in batches of 128")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--at-most", type=float, default=float("inf"))
    parser.add_argument("--dataset", default=workers.DATASET)
    args = parser.parse_args()
    cores = set(sorted(os.sched_getaffinity(0))[: args.threads])
    with tempfile.TemporaryDirectory() as folder:
        workers.prepare(folder, args.dataset)
        sides = [workers.mpt_worker(args.step, folder, args.model, p, args.threads, args.batch, cores) for p in args.precisions]
        for side in sides:
            side.block(20)
        times = [[], []]
        for turn in range(args.epochs):
            for i in (0, 1) if turn % 2 == 0 else (1, 0):
                times[i].append(sides[i].block(args.steps) * args.steps)
        for side in sides:
            side.close()
    medians = []
    for precision, seconds in zip(args.precisions, times):
        median, least, spread = workers.summary(seconds)
        medians.append(median)
        print(f"{args.model} {precision}: median {median:.3f} s, least {least:.3f} s, spread {spread:.2f}, "
              f"each {' '.join(f'{s:.3f}' for s in seconds)}")  # fmt: skip
    ratio = medians[0] / medians[1]
    print(f"{args.precisions[0]} to {args.precisions[1]}: {ratio:.3f}")
    sys.exit(ratio > args.at_most)


main()
