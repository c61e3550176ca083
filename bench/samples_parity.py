#!/usr/bin/env python3
"""Trains every sample in every precision with several seeds and prints how far each ends from f32, as a table.

    bench/samples_parity.py --bin build/bin --log parity.json

A run that the log already has is not made again, so the program may be stopped and started. The gate is on the mean over the seeds:
0.5 % of f32's (fp8: 1 %), relative, in the figure that the sample prints at its end.
SPDX-License-Identifier: Apache-2.0
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

PRECISIONS = {"f32": 0.0, "bf16": 0.5, "f16": 0.5, "fp8": 1.0}  # per cent

# What takes hours on two cores is made smaller; the options are printed with the figures.
SAMPLES = {
    "fashion_mnist": ([], r"test accuracy: ([-\d.]+) %"),
    "autoencoder": ([], r"test mse: ([-\d.]+)"),
    "lstm": ([], r"test accuracy: ([-\d.]+) %"),
    "gpt": (["--steps", "1000"], r"validation loss: ([-\d.]+) nats"),
    "gan": (["--epochs", "4"], r"test match: ([-\d.]+) %"),
    "resnet18": (["--epochs", "2", "--width", "16"], r"test accuracy: ([-\d.]+) %"),
}


def train(program, options, pattern):
    with tempfile.TemporaryDirectory() as out:
        start = time.monotonic()
        done = subprocess.run([program, *options, "--out", out], capture_output=True, text=True)
        seconds = time.monotonic() - start
    found = re.search(pattern, done.stdout)
    if done.returncode != 0 or not found:
        sys.exit(f"{program} {' '.join(options)}: exit code {done.returncode}\n{done.stdout[-1000:]}{done.stderr[-1000:]}")
    return float(found.group(1)), seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path("build/bin"), help="the folder of the samples")
    parser.add_argument("--log", type=pathlib.Path, required=True, help="results, kept after each run")
    parser.add_argument("--samples", nargs="*", default=list(SAMPLES), choices=list(SAMPLES))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()

    log = json.loads(args.log.read_text()) if args.log.exists() else {}
    for seed in range(args.seeds):
        for sample in args.samples:
            for precision in PRECISIONS:
                options, pattern = SAMPLES[sample]
                options = [*options, "--precision", precision, "--seed", str(seed), "--device", args.device]
                key = f"{sample} {' '.join(options)}"
                if key not in log:
                    log[key] = train(args.bin / sample, options, pattern)
                    args.log.write_text(json.dumps(log, indent=1))
                    print(f"{key}: {log[key][0]} in {log[key][1]:.0f} s", file=sys.stderr, flush=True)

    print("| sample | precision | per seed | mean | off f32 | gate | |\n|---|---|---|---|---|---|---|")
    missed = False
    for sample in args.samples:
        shown = f"`{' '.join([sample, *SAMPLES[sample][0]])}`"
        for precision, gate in PRECISIONS.items():
            seeds = [log[" ".join([sample, *SAMPLES[sample][0], "--precision", precision, "--seed", str(s), "--device", args.device])][0]
                     for s in range(args.seeds)]
            mean = sum(seeds) / len(seeds)
            if precision == "f32":
                f32 = mean
            off = abs(mean - f32) / abs(f32) * 100
            missed |= off > gate
            verdict = "" if precision == "f32" else "holds" if off <= gate else "MISSED"
            print(f"| {shown} | {precision} | {', '.join(f'{x:g}' for x in seeds)} | {mean:.5g} | {off:.2f} % | {gate} % | {verdict} |")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
