"""Writes trajectory.txt, the golden state of trajectory_test.cpp: what PyTorch on the CPU makes of 20 steps.

    python tests/oracle/make_trajectory.py        (needs PyTorch 2.x and NumPy; run by hand, the result is committed)

Two networks, batch 32, Adam at 1e-3, on images and initial weights by formula (bench/peers/networks.py), so that the test needs
neither a data set nor a file of weights. Recorded, by network and precision:

    losses      of every step, before its update
    weights     mean and norm of every parameter after the last step
    gradients   of the first step: distance of every parameter's from f64's, relative to f64's norm
    strays      how far low precision strays from f64 over a run: the largest difference of a loss, and of a parameter's mean
                or norm relative to the norm, over ENSEMBLE runs whose initial weights differ by a thousandth

One run is no yardstick for the last: Adam's first steps turn the sign of a tiny gradient into a whole step, so that where a value
is rounded decides how far a run strays, by a factor of three from one run to the next.
"""

import pathlib
import sys

import numpy as np
import torch
from torch import nn

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench" / "peers"))
import networks  # noqa: E402

STEPS, BATCH, ENSEMBLE = 20, 32, 12
LOWER = {"bf16": torch.bfloat16, "f16": torch.float16}


class Run:
    def __init__(self, name, precision, perturbation=0):
        self.losses = []
        model = networks.build(name)
        random = np.random.default_rng(perturbation)
        start = networks.initial_weights(model)
        if perturbation:
            start = [(a * (1 + 1e-3 * random.standard_normal(a.shape))).astype(np.float32) for a in start]
        networks.load_weights(model, start)
        dtype = torch.float64 if precision == "f64" else torch.float32
        model.to(dtype)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        scaler = torch.amp.GradScaler("cpu", enabled=precision == "f16")
        for step in range(STEPS):
            x, y = networks.synthetic_images(step * BATCH, BATCH)
            x = torch.from_numpy(x).to(dtype).reshape(-1, *networks.image_shape(name))
            y = torch.from_numpy(y.astype(np.int64))
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype=LOWER.get(precision, torch.bfloat16), enabled=precision in LOWER):
                loss = nn.functional.cross_entropy(model(x), y)
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            if step == 0:
                self.gradients = [p.grad.double().clone() for p in model.parameters()]
            scaler.step(optimizer)
            scaler.update()
            self.losses.append(loss.item())
        weights = [p.detach().double() for p in model.parameters()]
        self.summaries = [(w.mean().item(), w.norm().item()) for w in weights]

    def gaps(self, truth):
        """The largest difference of a loss, and of a parameter's mean or norm relative to the norm."""
        loss = max(abs(a - b) for a, b in zip(self.losses, truth.losses))
        weight = max(max(abs(a[0] - b[0]), abs(a[1] - b[1])) / b[1] for a, b in zip(self.summaries, truth.summaries))
        return loss, weight


def main():
    torch.set_num_threads(1)
    lines = [f"# PyTorch {torch.__version__} on the CPU; written by make_trajectory.py, which says what the lines mean."]

    def line(*words):
        lines.append(" ".join(w if isinstance(w, str) else f"{w:.9g}" for w in words))

    for name in networks.NAMES:
        truths = [Run(name, "f64", i) for i in range(ENSEMBLE)]
        truth = truths[0]
        for precision in ("f64", "f32", "bf16", "f16"):
            run = Run(name, precision)
            line("losses", name, precision, *run.losses)
            for k, summary in enumerate(run.summaries):
                line("weights", name, precision, k, *summary)
            if precision in LOWER:
                distances = [((a - b).norm() / b.norm()).item() for a, b in zip(run.gradients, truth.gradients)]
                line("gradients", name, precision, *distances)
                gaps = [Run(name, precision, i).gaps(t) for i, t in enumerate(truths)]
                line("strays", name, precision, *map(max, zip(*gaps)))
                print(name, precision, "largest difference of a loss, each run:", *(f"{g[0]:.4f}" for g in gaps), flush=True)
    (pathlib.Path(__file__).parent / "trajectory.txt").write_text("\n".join(lines) + "\n", encoding="ascii")


main()
