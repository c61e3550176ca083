"""Writes trajectory.txt, the golden state of trajectory_test.cpp: what PyTorch on the CPU makes of 20 steps.

    python tests/oracle/make_trajectory.py        (needs PyTorch 2.x and NumPy; run by hand, the result is committed)

Two networks, batch 32, Adam at 1e-3, on images and initial weights by formula (bench/peers/networks.py), so that the test needs
neither a data set nor a file of weights. Recorded, by network and precision:

    losses      of every step, before its update
    weights     mean and norm of every parameter after the last step (f64 and f32 alone: the norms of small biases are a poor
                measure of low precision, one ensemble's most is twice another's)
    gradients   of the first step: distance of every parameter's from f64's, relative to f64's norm; the mean over ENSEMBLE
                starts
    strays      how far low precision strays from f64 over a run: the largest difference of a loss; the most over ENSEMBLE starts

One start is no yardstick for the last two: a value that rounds to the other side of a ReLU's zero changes a gradient at one stroke,
Adam's first steps turn the sign of a tiny gradient into a whole step, and so luck makes a factor of three.
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
    def __init__(self, name, precision, variant=0):
        self.losses = []
        model = networks.build(name)
        networks.load_weights(model, networks.initial_weights(model, variant))
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

    def gap(self, truth):
        """The largest difference of a loss."""
        return max(abs(a - b) for a, b in zip(self.losses, truth.losses))

    def distances(self, truth):
        """Of every parameter's first gradient, relative to the norm."""
        return [((a - b).norm() / b.norm()).item() for a, b in zip(self.gradients, truth.gradients)]


def main():
    torch.set_num_threads(1)
    lines = [f"# PyTorch {torch.__version__} on the CPU; written by make_trajectory.py, which says what the lines mean."]

    def line(*words):
        lines.append(" ".join(w if isinstance(w, str) else f"{w:.9g}" for w in words))

    for name in networks.NAMES:
        truths = [Run(name, "f64", i) for i in range(ENSEMBLE)]
        for precision in ("f64", "f32", "bf16", "f16"):
            run = Run(name, precision)
            line("losses", name, precision, *run.losses)
            if precision not in LOWER:
                for k, summary in enumerate(run.summaries):
                    line("weights", name, precision, k, *summary)
            else:
                runs = [Run(name, precision, i) for i in range(ENSEMBLE)]
                gaps = [run.gap(truth) for run, truth in zip(runs, truths)]
                distances = [run.distances(truth) for run, truth in zip(runs, truths)]
                line("gradients", name, precision, *np.mean(distances, axis=0))
                line("strays", name, precision, max(gaps))
                print(name, precision, "largest difference of a loss, each start:", *(f"{g:.4f}" for g in gaps), flush=True)
    (pathlib.Path(__file__).parent / "trajectory.txt").write_text("\n".join(lines) + "\n", encoding="ascii")


main()
