"""Writes trajectory.txt, the golden state of trajectory_test.cpp: what PyTorch on the CPU makes of 20 steps.

    python tests/oracle/make_trajectory.py        (needs PyTorch 2.x and NumPy; run by hand, the result is committed)

Two networks, batch 32, Adam at 1e-3, on images and initial weights by formula (bench/peers/networks.py), so that the test needs
neither a data set nor a file of weights. Recorded: the loss of every step before its update, and mean and norm of
every parameter after the last. f64 is there to tell how far f32's own rounding carries.
"""

import pathlib
import sys

import numpy as np
import torch
from torch import nn

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench" / "peers"))
import networks  # noqa: E402

STEPS, BATCH = 20, 32
LOWER = {"bf16": torch.bfloat16, "f16": torch.float16}


def train(name, precision):
    model = networks.build(name)
    networks.load_weights(model, networks.initial_weights(model))
    dtype = torch.float64 if precision == "f64" else torch.float32
    model.to(dtype)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    scaler = torch.amp.GradScaler("cpu", enabled=precision == "f16")
    losses = []
    for step in range(STEPS):
        x, y = networks.synthetic_images(step * BATCH, BATCH)
        x = torch.from_numpy(x).to(dtype).reshape(-1, *networks.image_shape(name))
        y = torch.from_numpy(y.astype(np.int64))
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=LOWER.get(precision, torch.bfloat16), enabled=precision in LOWER):
            loss = nn.functional.cross_entropy(model(x), y)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        losses.append(loss.item())
    return model, losses


def main():
    torch.set_num_threads(1)
    lines = [f"# PyTorch {torch.__version__} on the CPU; written by make_trajectory.py, see there.",
             f"# losses NETWORK PRECISION {STEPS} numbers; weights NETWORK PRECISION PARAMETER mean norm"]  # fmt: skip
    for name in networks.NAMES:
        for precision in ("f64", "f32", "bf16", "f16"):
            model, losses = train(name, precision)
            lines.append(f"losses {name} {precision} " + " ".join(f"{x:.9g}" for x in losses))
            for k, p in enumerate(model.parameters()):
                p = p.detach().double()
                lines.append(f"weights {name} {precision} {k} {p.mean().item():.9g} {p.norm().item():.9g}")
    (pathlib.Path(__file__).parent / "trajectory.txt").write_text("\n".join(lines) + "\n", encoding="ascii")


main()
