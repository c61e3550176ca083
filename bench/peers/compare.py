"""Times one training step of mpt and of PyTorch on the CPU, side by side.

    python bench/peers/compare.py --step build/bin/mpt_step

Both sides get the same initial weights, the same Fashion-MNIST batches, the same cores and the same number of threads. For each
network and precision the losses of the first 20 steps must agree before a time counts; then the sides take turns in blocks.
PyTorch is the fastest of its modes: each is tried in short blocks, and the fastest with glibc's malloc as it comes and the
fastest with pages kept (see workers.KEEP_PAGES) enter the comparison. The whole step counts: handing over the batch
(mpt copies it, PyTorch reads it in place), forward, backward, update. Ends with status 1 when the losses differ.
"""

import argparse
import datetime
import math
import os
import platform
import re
import shlex
import sys
import tempfile

import torch
from torch.utils.flop_counter import FlopCounterMode

import networks
import workers

WARM_UP = 20
CHECKED = 20  # losses to compare
# Largest difference over the loss's size that rounding alone makes in so many steps: f32 differs in the order of its sums,
# low precision in where intermediate results are rounded.
TOLERANCE = {"f32": 1e-4, "bf16": 3e-2, "f16": 1e-2}


def processor():
    with open("/proc/cpuinfo", encoding="ascii") as f:
        text = f.read()
    name = re.search(r"model name\s*: (.*)", text).group(1)
    wide = [x for x in ("avx2", "avx512f", "avx512_bf16", "avx512_fp16", "amx_bf16") if re.search(rf"\b{x}\b", text)]
    return f"{name} ({', '.join(wide)})"


def flops(model, batch):
    """Floating-point operations of the products and convolutions of one step."""
    with torch.device("meta"):
        net, x = networks.build(model), networks.example(model, batch)
    with FlopCounterMode(display=False) as counter:
        net(x).sum().backward()
    return counter.get_total_flops()


def largest_difference(a, b):
    """Over max(1, |b|), so that losses near zero do not count as far apart."""
    gap = max(abs(x - y) / max(1.0, abs(y)) for x, y in zip(a, b))
    return gap if not math.isnan(gap) and len(a) == len(b) else math.inf


def table(rows):
    print("| network | precision | side | median ms | least ms | spread | to best PyTorch | GFLOP/s | of large product |")
    print("|---|---|---|---|---|---|---|---|---|")
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)


def estimate(worker):
    worker.block(WARM_UP)
    return min(worker.block(10) for _ in range(3))


def choose(args, folder, model, precision, cores):
    """The fastest worker for each handling of pages, out of all modes asked for."""
    best = {}
    for way in workers.torch_modes(model):
        if way[0] not in args.modes:
            continue
        try:
            worker = workers.torch_worker(folder, model, precision, args.threads, args.batch, cores, *way)
            seconds = estimate(worker)
        except RuntimeError as error:
            print(f"- {' '.join(way)}: does not run here ({error})")
            continue
        print(f"- {worker.name}: {1e3 * seconds:.2f} ms", flush=True)
        held = best.get(way[-1])
        if held is None or seconds < held[0]:
            best[way[-1]] = seconds, worker
            worker = held and held[1]
        if worker:
            worker.close()
    if not best:
        raise SystemExit("none of PyTorch's modes runs here")
    return [worker for _, worker in best.values()]


def compare(args, folder, model, precision, cores):
    """One network in one precision. Returns (rows of the table, whether the losses agreed)."""
    print(f"\n## {model} {precision}\n\nTried, best of three short blocks:\n")
    torch_sides = choose(args, folder, model, precision, cores)
    mpt_sides = [workers.mpt_worker(args.step, folder, model, precision, args.threads, args.batch, cores, mode)
                 for mode in ("captured", "eager")]  # fmt: skip
    sides = mpt_sides + torch_sides
    print(f"\n{mpt_sides[0].version}; {torch_sides[0].version}\n")

    losses = {side.name: side.losses(CHECKED) for side in sides}
    reference = losses[torch_sides[0].name]
    agree = True
    for side in sides:
        gap = largest_difference(losses[side.name], reference)
        print(f"losses, {side.name}: " + " ".join(f"{x:.5f}" for x in losses[side.name]) + f" (largest difference {gap:.1e})")
        agree = agree and gap <= TOLERANCE[precision]
    if not agree:
        print(f"THE LOSSES DIFFER by more than {TOLERANCE[precision]}: no times")
        for side in sides:
            side.close()
        return [], False

    steps = {side: max(1, math.ceil(args.block_seconds / estimate(side))) for side in sides}
    times = {side: [] for side in sides}
    for turn in range(args.rounds):
        for side in sides if turn % 2 == 0 else reversed(sides):
            times[side].append(side.block(steps[side]))
    ceiling = torch_sides[0].ask("product 20")["gflops"]
    work = flops(model, args.batch)
    peer = min(workers.summary(times[side])[0] for side in torch_sides)
    print(f"\nlarge product: {ceiling:.0f} GFLOP/s; products and convolutions of a step: {work / 1e9:.2f} GFLOP\n")
    rows = []
    for side in sides:
        median, least, spread = workers.summary(times[side])
        rows.append((model, precision, side.name, f"{1e3 * median:.2f}", f"{1e3 * least:.2f}", f"{spread:.2f}",
                     f"{median / peer:.2f}", f"{work / median / 1e9:.0f}", f"{work / median / 1e9 / ceiling:.0%}"))  # fmt: skip
        side.close()
    table(rows)
    return rows, True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--step", required=True, help="the program mpt_step")
    parser.add_argument("--models", nargs="+", choices=networks.SMALL, default=networks.SMALL)
    parser.add_argument("--precisions", nargs="+", choices=TOLERANCE, default=("f32", "bf16"))
    parser.add_argument("--modes", nargs="+", choices=("eager", "compile", "max-autotune"), default=("eager", "compile"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--block-seconds", type=float, default=2.0)
    parser.add_argument("--dataset", default=workers.DATASET, help="the folder with Fashion-MNIST's four files")
    args = parser.parse_args()
    cores = set(sorted(os.sched_getaffinity(0))[: args.threads])
    print(f"{datetime.date.today()}, {processor()}, cores {sorted(cores)}, {args.threads} threads, Linux {platform.release()}")
    load = os.getloadavg()[0]
    print(f"load before the start: {load:.2f}; {args.rounds} rounds of blocks of {args.block_seconds:g} s")
    print("python " + shlex.join(sys.argv))
    if load > 0.5:
        # OpenMP's barriers suffer far more from a lost core than a step's own work does: PyTorch's modes become a lottery.
        print("THE MACHINE IS BUSY: with more than one thread these times say nothing")
    rows, failed = [], False
    with tempfile.TemporaryDirectory() as folder:
        workers.prepare(folder, args.dataset)
        for model in args.models:
            for precision in args.precisions:
                more, agreed = compare(args, folder, model, precision, cores)
                rows += more
                failed = failed or not agreed
    print("\n## All\n")
    table(rows)
    sys.exit(failed)


if __name__ == "__main__":
    main()
