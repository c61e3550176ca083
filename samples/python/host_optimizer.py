"""The host's own optimizer: mpt gives parameters and gradients as NumPy arrays of the same memory, NumPy does the update.

The rule is Lion [Chen et al. 2023], which mpt does not have. Products run in bf16.
"""
import numpy as np
from numpy.typing import NDArray

import mpt


class Lion:
    """p -= lr * (sign(b1 m + (1 - b1) g) + decay p); m = b2 m + (1 - b2) g"""

    def __init__(self, parameters: list[mpt.Tensor], lr: float = 0.003, b1: float = 0.9, b2: float = 0.99, decay: float = 0.01) -> None:
        self.parameters = parameters
        self.moments = [np.zeros(p.shape, np.float32) for p in parameters]
        self.lr, self.b1, self.b2, self.decay = lr, b1, b2, decay

    def step(self) -> None:
        for parameter, m in zip(self.parameters, self.moments):
            g = parameter.grad.numpy()  # no copy on the CPU
            with parameter.writable() as p:  # at its end mpt knows that p was changed
                p -= self.lr * (np.sign(self.b1 * m + (1 - self.b1) * g) + self.decay * p)
            m += (1 - self.b2) * (g - m)


def spirals(n: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Two interleaved spirals of n points each: no straight line separates them."""
    radius = np.repeat(np.arange(1, n + 1) / n, 2)
    classes = np.tile([0, 1], n)
    angle = 4.5 * radius + np.pi * classes
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).astype(np.float32), classes.astype(np.int64)


def main() -> None:
    points, classes = spirals(128)
    with mpt.Context(seed=1):
        x, y = mpt.tensor(points), mpt.tensor(classes)
        model = mpt.Sequential(mpt.Linear(2, 64), mpt.ReLU(), mpt.Linear(64, 64), mpt.ReLU(), mpt.Linear(64, 2))
        optimizer = Lion(model.parameters())
        policy = mpt.Policy("bf16")

        with mpt.capture() as program:
            with mpt.autocast(policy):
                loss = mpt.cross_entropy(model(x), y)
            loss.backward()
            program.outputs = loss

        for step in range(401):
            program.run()
            optimizer.step()
            if step % 100 == 0:
                print(f"step {step:3d}  loss {loss.item():.4f}")
        with mpt.no_grad():
            right = (model(x).argmax(1) == y).numpy().mean()
        print(f"{100 * right:.1f} % right")


if __name__ == "__main__":
    main()
