#!/usr/bin/env python3
"""Trains every sample in every precision with several seeds and prints how far each ends from f32, as a table.

    bench/samples_parity.py --bin build/bin --log parity.json

A run that the log already has is not made again, so the program may be stopped and started. The gate is on the mean over the seeds:
0.5 % of f32's (fp8: 1 %), relative, in the figure that the sample prints at its end.
SPDX-License-Identifier: Apache-2.0
"""
import argparse
import concurrent.futures
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

PRECISIONS = {"f32": 0.0, "bf16": 0.5, "f16": 0.5, "fp8": 1.0}  # per cent

# What takes hours on two cores is made smaller there; the options are printed with the figures.
SAMPLES = {
    "fashion_mnist": ([], r"test accuracy: ([-\d.]+) %"),
    "autoencoder": ([], r"test mse: ([-\d.]+)"),
    "lstm": ([], r"test accuracy: ([-\d.]+) %"),
    "gpt": (["--steps", "1000"], r"validation loss: ([-\d.]+) nats"),
    "gan": (["--epochs", "4"], r"test match: ([-\d.]+) %"),
    "resnet18": (["--epochs", "2", "--width", "16"], r"test accuracy: ([-\d.]+) %"),
}


ON_A_GPU = {"gpt": [], "gan": [], "resnet18": ["--epochs", "3"]}


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
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=0, help="of each run on the CPU; 0: all cores")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    args = parser.parse_args()
    size = {s: ON_A_GPU.get(s, options) if args.device == "cuda" else options for s, (options, _) in SAMPLES.items()}

    def key(sample, precision, seed):
        return " ".join([sample, *size[sample], "--precision", precision, "--seed", str(seed), "--device", args.device])

    log = json.loads(args.log.read_text()) if args.log.exists() else {}

    def run(work):
        name = key(*work)
        if name not in log:
            options = [*name.split()[1:], *(["--threads", str(args.threads)] if args.device == "cpu" else [])]
            log[name] = train(args.bin / work[0], options, SAMPLES[work[0]][1])
            args.log.write_text(json.dumps(dict(log), indent=1))
            print(f"{name}: {log[name][0]} in {log[name][1]:.0f} s", file=sys.stderr, flush=True)

    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        list(pool.map(run, [(s, p, seed) for seed in range(args.seeds) for s in args.samples for p in PRECISIONS]))

    print("| sample | precision | per seed | mean | off f32 | gate | |\n|---|---|---|---|---|---|---|")
    missed = False
    for sample in args.samples:
        shown = f"`{' '.join([sample, *size[sample]])}`"
        for precision, gate in PRECISIONS.items():
            seeds = [log[key(sample, precision, s)][0] for s in range(args.seeds)]
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
