"""Times one training step of mpt and of PyTorch on a GPU, side by side.

    python bench/peers/gpu.py --step build/bin/mpt_step

Both sides get the same initial weights and the same made-up images, which lie in the GPU's memory (or in the host's: pinned on
PyTorch's side, plain on mpt's). For each network the losses of
the first steps must agree before a time counts; then the sides take turns in blocks. The whole step counts: the next batch,
forward, backward, update (fused Adam). Ratios are of medians: mpt eager to PyTorch eager, mpt captured to the fastest of
PyTorch's modes (its convolutions tuned, too). Tuned: mpt's option "tune". Ends with status 1 when losses differ.
"""

import argparse
import concurrent.futures
import datetime
import math
import os
import shlex
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

import networks
import workers
from compare import CHECKED, TOLERANCE, largest_difference

CASES = ("mlp:128:bf16", "mlp:8192:bf16", "resnet18:512:bf16")
MODES = ("eager", "compile", "compile-graphs", "graph")


def prepare(folder, names, count):
    images, labels = networks.synthetic_images(0, count)
    (np.clip(images, 0, 1) * 255).astype(np.uint8).tofile(f"{folder}/images.bin")
    labels.tofile(f"{folder}/labels.bin")
    for name in names:
        arrays = networks.initial_weights(networks.build(name))
        np.concatenate([a.ravel() for a in arrays]).tofile(f"{folder}/{name}.weights")


def ceilings():
    """Bytes per second of a copy, and operations per second of a large bf16 product."""
    a = torch.empty(1 << 30, dtype=torch.uint8, device="cuda")
    b = torch.empty_like(a)
    x = torch.randn(8192, 8192, dtype=torch.bfloat16, device="cuda")
    y = torch.randn(8192, 8192, dtype=torch.bfloat16, device="cuda")

    def best(f):
        seconds = []
        for _ in range(12):
            start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            start.record()
            f()
            end.record()
            torch.cuda.synchronize()
            seconds.append(start.elapsed_time(end) / 1e3)
        return sorted(seconds)[len(seconds) // 2]

    return 2 * a.numel() / best(lambda: b.copy_(a)), 2 * 8192**3 / best(lambda: x @ y)


def estimate(worker):
    worker.block(20)
    return worker.block(20)


def compare(args, folder, case):
    model, batch, precision, *data = case.split(":")
    cores = os.sched_getaffinity(0)
    common = [*workers.arguments(folder, model, precision, 0, int(batch)), "--device", "cuda", "--data", *(data or ["device"])]
    commands = {}
    for mode, options in (("eager", ()), ("captured", ()), ("captured, tuned", ("--tune", "on"))):
        commands["mpt " + mode] = [args.step, *common, "--mode", mode.split(",")[0], *options]
    layout = "channels_last" if model in workers.IMAGES else "contiguous"
    common[common.index("--threads") + 1] = "4"
    for mode in args.modes:
        commands["torch " + mode] = [sys.executable, str(workers.HERE / "torch_step.py"), *common, "--mode", mode, "--layout", layout, "--adam", "fused"]
    # Processes start at once, which takes seconds for each; what they compile and try comes one by one, with their first losses.
    with concurrent.futures.ThreadPoolExecutor(len(commands)) as pool:
        starting = {name: pool.submit(workers.Worker, name, command, cores) for name, command in commands.items()}
    sides = {}
    for name, worker in starting.items():
        try:
            sides[name] = worker.result()
        except RuntimeError as error:
            print(f"- {name} does not run here ({error})", flush=True)

    print(f"\n## {model}, batch {batch}, {precision}{', from the host' if data == ['host'] else ''}\n\n{sides['mpt eager'].version}; {sides['torch eager'].version}\n")
    losses = {name: side.losses(CHECKED) for name, side in sides.items()}
    agree = True
    for name in sides:
        gap = largest_difference(losses[name], losses["torch eager"])
        agree = agree and gap <= TOLERANCE[precision]
        print(f"- losses, {name}: {losses[name][0]:.5f} {losses[name][1]:.5f} ... {losses[name][-1]:.5f} (largest difference {gap:.1e})", flush=True)
    if not agree:
        print(f"\nTHE LOSSES DIFFER by more than {TOLERANCE[precision]}")
    steps = {name: max(5, math.ceil(args.block_seconds / estimate(side))) for name, side in sides.items()}
    times = {name: [] for name in sides}
    for turn in range(args.rounds):
        for name in sides if turn % 2 == 0 else reversed(sides):
            times[name].append(sides[name].block(steps[name]))
    medians = {name: workers.summary(t)[0] for name, t in times.items()}
    best = min((m, name) for name, m in medians.items() if name.startswith("torch"))
    print("\n| side | median ms | least ms | spread | samples/s | ratio |\n|---|---|---|---|---|---|")
    for name in sides:
        median, least, spread = workers.summary(times[name])
        to = medians["torch eager"] if name == "mpt eager" else best[0]
        print(f"| {name} | {1e3 * median:.4g} | {1e3 * least:.4g} | {spread:.2f} | {int(batch) / median:.4g} | {median / to:.2f} |", flush=True)
        sides[name].close()
    return agree


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--step", required=True, help="the program mpt_step")
    parser.add_argument("--cases", nargs="+", default=CASES, help="network:batch:precision, and :host where batches are to come from the host's memory")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=MODES)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--block-seconds", type=float, default=2.0)
    args = parser.parse_args()
    copy, product = ceilings()
    print(f"{datetime.date.today()}, {torch.cuda.get_device_name()}, torch {torch.__version__}, cuDNN {torch.backends.cudnn.version()}")
    print("python " + shlex.join(sys.argv))
    print(f"ceilings: copy {copy / 1e12:.2f} TB/s, bf16 product of order 8192 {product / 1e12:.0f} TFLOP/s")
    # As many images as four batches need, or the bytes of so much text.
    count = max(4 * int(batch) * (networks.CONTEXTS.get(model, 0) // 784 + 1) for model, batch, *_ in (case.split(":") for case in args.cases))
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder), {case.split(":")[0] for case in args.cases}, count)
        for case in args.cases:
            failed |= not compare(args, folder, case)
    sys.exit(failed)


if __name__ == "__main__":
    main()
