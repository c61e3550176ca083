"""Trains a small convolutional network on Fashion-MNIST, in f32, f16, bf16 or fp8: samples/c/fashion_mnist.c in Python.

The same options, table, log and checkpoint; a seed gives the same weights as there. The bar needs tqdm, the plot matplotlib: without them
there are lines of text and no plot.
"""
from __future__ import annotations

import argparse
import csv
import fnmatch
import gzip
import math
import os
import pathlib
import sys
import time
from typing import Any, Callable, Iterator

import numpy as np
from numpy.typing import NDArray

import mpt

MEAN, DEVIATION = np.float32(0.2860), np.float32(0.3530)
TEST_BATCH, STEPS_PER_READOUT = 500, 10
Set = tuple[NDArray[np.float32], NDArray[np.uint8]]  # images and labels
COLUMNS = ["epoch", "seconds", "learning_rate", "train_loss", "train_accuracy", "test_loss", "test_accuracy", "loss_scale", "skipped"]


# ---- options ----

def whole(least: int, most: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        value = int(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text}: a whole number from {least} to {most} is needed")
        return value
    return convert


def options() -> argparse.Namespace:
    p = argparse.ArgumentParser(description="Trains a small convolutional network on Fashion-MNIST with mpt.", allow_abbrev=False)
    p.add_argument("--epochs", type=whole(1, 1000), default=10, metavar="N", help="how often to go over the training images (default 10)")
    p.add_argument("--batch", type=whole(1, 60000), default=128, metavar="N", help="images per step (default 128)")
    p.add_argument("--limit", type=whole(0, 2**31 - 1), default=0, metavar="N", help="use only the first N images of each set (default 0: all)")
    p.add_argument("--precision", choices=["f32", "f16", "bf16", "fp8"], default="f32", help="what products compute in (default f32)")
    p.add_argument("--recipe", choices=["current", "delayed", "unscaled"], default="current", help="how fp8 finds its scales")
    p.add_argument("--keep", default="", metavar="PATTERNS", help="layers that fp8 leaves in bf16, for example 'conv1,*2'")
    p.add_argument("--seed", type=whole(0, 2**63 - 1), default=0, metavar="N", help="of weights and order (default 0)")
    p.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto", help="where to compute (default auto)")
    p.add_argument("--threads", type=whole(0, 1024), default=0, metavar="N", help="threads of the CPU (default 0: one per core)")
    p.add_argument("--eager", action="store_true", help="run each operation at once instead of a captured program")
    p.add_argument("--data", default="/usr/share/datasets/fashion-mnist", metavar="DIR", help="the folder of the data")
    p.add_argument("--out", default="demo-output", metavar="DIR", help="where checkpoint, log and plot go (default demo-output)")
    p.add_argument("--resume", metavar="FILE", help="go on from a checkpoint")
    p.add_argument("--stop", type=whole(0, 1000), default=0, metavar="N", help="end after row N of the table, to be resumed")
    return p.parse_args()


# ---- data ----

def read_idx(folder: str, name: str, ndim: int) -> NDArray[np.uint8]:
    path = pathlib.Path(folder, name)
    try:
        data = path.read_bytes()
    except OSError as error:
        sys.exit(f"the Fashion-MNIST data set is not there ({error})\n"
                 "install it with:  sudo apt-get install dataset-fashion-mnist\nor name the folder that holds it with --data")
    data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    shape = np.frombuffer(data, ">i4", ndim, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * ndim).reshape(shape)


def load(folder: str, part: str, limit: int) -> Set:
    images = read_idx(folder, f"{part}-images-idx3-ubyte.gz", 3)[:limit or None]
    labels = read_idx(folder, f"{part}-labels-idx1-ubyte.gz", 1)[:limit or None]
    pixels = (images.astype(np.float32) / np.float32(255) - MEAN) / DEVIATION
    return np.ascontiguousarray(pixels[:, None]), np.ascontiguousarray(labels)


def splitmix(state: int) -> tuple[int, int]:
    """[Steele et al. 2014]"""
    mask = 2**64 - 1
    state = (state + 0x9E3779B97F4A7C15) & mask
    z = state
    z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & mask
    return state, z ^ z >> 31


def shuffled(n: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order that the C samples have."""
    state = (splitmix(seed)[1] + epoch) & (2**64 - 1)
    order = list(range(n))
    for i in range(n - 1, 0, -1):
        state, number = splitmix(state)
        j = number % (i + 1)
        order[i], order[j] = order[j], order[i]
    return np.array(order)


# ---- the model ----

def build_model() -> mpt.Layer:
    return mpt.Sequential(
        conv1=mpt.Conv2d(1, 32), relu1=mpt.ReLU(), pool1=mpt.MaxPool2d(),   # [N, 1, 28, 28] -> [N, 32, 13, 13]
        conv2=mpt.Conv2d(32, 64), relu2=mpt.ReLU(), pool2=mpt.MaxPool2d(),  # -> [N, 64, 5, 5]
        conv3=mpt.Conv2d(64, 64), relu3=mpt.ReLU(),                         # -> [N, 64, 3, 3]
        flatten=mpt.Flatten(), linear1=mpt.Linear(576, 64), relu4=mpt.ReLU(), linear2=mpt.Linear(64, 10))


def make_policy(o: argparse.Namespace, model: mpt.Layer) -> mpt.Policy | None:
    if o.precision == "f32":
        return None
    if o.precision != "fp8":
        return mpt.Policy(o.precision)
    policy = mpt.Policy("bf16").set_fp8(o.recipe)
    layers = sorted({name.rpartition(".")[0] for name, p in model.named_parameters() if p.ndim >= 2})
    for pattern in filter(None, o.keep.split(",")):
        if not any(fnmatch.fnmatchcase(name, pattern) for name in layers):
            sys.stderr.write(f"--keep {pattern}: no layer has such a name. The layers with weights are\n  " + "\n  ".join(layers) + "\n")
            sys.exit(2)
        policy.set_layer(pattern, "bf16")
    return policy


class Trainer:
    def __init__(self, o: argparse.Namespace) -> None:
        self.o = o
        self.model = build_model()
        self.policy = make_policy(o, self.model)
        self.scaler = mpt.Scaler() if o.precision == "f16" else None
        self.optimizer = mpt.Adam(self.model)
        self.train: Any = self.train_step if o.eager else mpt.capture(self.train_step)
        self.test: Any = self.test_step if o.eager else mpt.capture(self.test_step)

    def forward(self, images: mpt.Tensor, labels: mpt.Tensor) -> tuple[mpt.Tensor, mpt.Tensor]:
        """Under autocast products run in the policy's type, the loss in f32."""
        with mpt.autocast(self.policy):
            logits = self.model(images)
            loss = mpt.cross_entropy(logits, labels)
        return loss, logits.cast("f32")

    def train_step(self, images: mpt.Tensor, labels: mpt.Tensor) -> tuple[mpt.Tensor, mpt.Tensor]:
        loss, logits = self.forward(images, labels)
        loss.backward(self.scaler)        # of the scaled loss, so that small gradients survive f16
        self.optimizer.step(self.scaler)  # unscales, and skips the step where a gradient overflowed
        if self.scaler:
            self.scaler.update()          # a lower scale after a skip, a higher one after many good steps
        return loss, logits

    def test_step(self, images: mpt.Tensor, labels: mpt.Tensor) -> tuple[mpt.Tensor, mpt.Tensor]:
        with mpt.no_grad():
            return self.forward(images, labels)

    def run(self, step: Any, images: NDArray[np.float32], labels: NDArray[np.uint8]) -> Any:
        return step(mpt.tensor(images), mpt.tensor(labels)) if self.o.eager else step(images, labels)

    def state(self, seed: int) -> mpt.State:
        state = mpt.State(model=self.model, optimizer=self.optimizer)
        if self.policy and self.o.precision == "fp8":
            state["fp8"] = mpt.Fp8(self.policy, self.model)
        if self.scaler:
            state["scaler"] = self.scaler
        state.update(random=mpt.Random(), epoch=0, seed=seed)
        return state


class Figures:
    """Sums over rows, so that batches of different sizes can be put together."""

    def __init__(self) -> None:
        self.sums, self.n = np.zeros(2), 0

    def add(self, result: tuple[mpt.Tensor, mpt.Tensor], labels: NDArray[np.uint8]) -> None:
        loss, logits = result
        n = len(labels)
        self.sums += np.array([loss.item() * n, np.count_nonzero(logits.numpy().argmax(1) == labels)])
        self.n += n

    @property
    def means(self) -> NDArray[np.float64]:
        return self.sums / self.n if self.n else np.full(2, math.nan)


# ---- the loop ----

def batches(data: Set, size: int, order: NDArray[np.int64] | None = None) -> Iterator[Set]:
    images, labels = data
    for start in range(0, len(labels), size):
        rows: Any = slice(start, start + size) if order is None else order[start:start + size]
        yield images[rows], labels[rows]


class Progress:
    """A bar on a terminal, by tqdm where that is there; a line each tenth elsewhere."""

    def __init__(self, title: str, steps: int, later: int) -> None:
        self.title, self.steps, self.later, self.tenth, self.start = title, steps, later, 0, time.monotonic()
        self.bar: Any = None
        self.loss = self.accuracy = math.nan
        if sys.stdout.isatty():
            try:
                from tqdm import tqdm
                self.bar = tqdm(total=steps, desc=title, unit="step", leave=False, file=sys.stdout)
            except ImportError:
                pass

    def update(self, done: int, scale: str, skipped: int) -> None:
        if self.bar is not None:
            self.bar.set_postfix(loss=f"{self.loss:.4f}", acc=f"{100 * self.accuracy:.1f} %", scale=scale, skipped=skipped, refresh=False)
            self.bar.update()
        elif done * 10 // self.steps != self.tenth:
            self.tenth = done * 10 // self.steps
            rate = done / max(time.monotonic() - self.start, 1e-9)
            left = int((self.steps - done + self.later) / rate + 0.5)
            duration = f"{left // 60}:{left % 60:02d}" if left < 3600 else f"{left // 3600}:{left // 60 % 60:02d}:{left % 60:02d}"
            print(f"{self.title} {self.tenth * 10:3d} %  {done}/{self.steps}  {rate:.1f} steps/s  left {duration}  loss {self.loss:.4f}  "
                  f"acc {100 * self.accuracy:.1f} %  scale {scale}  skipped {skipped}", flush=True)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()


def print_row(row: list[Any]) -> None:
    scale = f"{row[7]:.6g}" if row[7] > 0 else "-"
    print(f"{row[0]:5d}  {row[1]:8.1f}  {row[3]:10.4f}  {100 * row[4]:11.2f}  {row[5]:9.4f}  {100 * row[6]:10.2f}  {scale:>10}  {row[8]:7d}", flush=True)


def write_log(path: pathlib.Path, rows: list[list[Any]]) -> None:
    draft = pathlib.Path(f"{path}.{os.getpid()}.part")
    with open(draft, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([r[0], f"{r[1]:.3f}", *(f"{v:.9g}" for v in r[2:8]), r[8]] for r in rows)
    draft.replace(path)


def read_log(path: pathlib.Path, last: int) -> list[list[Any]]:
    try:
        with open(path, newline="") as file:
            lines = list(csv.reader(file))
    except OSError:
        return []
    if not lines or lines[0] != COLUMNS:
        return []
    rows: list[list[Any]] = [[int(r[0]), *map(float, r[1:8]), int(r[8])] for r in lines[1:] if len(r) == 9]
    return [r for r in rows if r[0] <= last]


def write_plot(path: pathlib.Path, rows: list[list[Any]], title: str) -> bool:
    try:
        import matplotlib
    except ImportError:
        return False
    matplotlib.use("svg")
    from matplotlib import pyplot
    epochs = [r[0] for r in rows]
    figure, axes = pyplot.subplots(1, 2, figsize=(9.2, 3.8))
    for axis, name, label, at, factor in ((axes[0], "Loss", "cross-entropy", 3, 1), (axes[1], "Accuracy", "% right", 4, 100)):
        axis.plot(epochs, [factor * r[at] for r in rows], "o-", label="train")
        axis.plot(epochs, [factor * r[at + 2] for r in rows], "o-", label="test")
        axis.set(title=name, xlabel="epoch", ylabel=label)
        axis.legend()
    figure.suptitle(title)
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)
    return True


def resume(o: argparse.Namespace, state: mpt.State) -> tuple[int, int]:
    codes = {"f32": mpt.f32, "f16": mpt.f16, "bf16": mpt.bf16, "fp8": mpt.f8e4m3}
    first = mpt.State(precision=int(codes[o.precision]))
    saved = o.precision
    try:
        first.load(o.resume)
        saved = next((name for name, code in codes.items() if code == first["precision"]), saved)
    except mpt.Error:
        pass
    try:
        state.load(o.resume)
    except mpt.Error as error:
        if saved == o.precision:
            raise
        sys.stderr.write(f"--resume {o.resume}: it was saved with --precision {saved} and cannot go on with --precision {o.precision}:\n  {error}\n")
        sys.exit(2)
    if saved != o.precision:
        print(f"{o.resume} was saved with --precision {saved} and goes on with --precision {o.precision}")
    return state["epoch"], state["seed"]


def train(o: argparse.Namespace, ctx: mpt.Context) -> None:
    train_set, test_set = load(o.data, "train", o.limit), load(o.data, "t10k", o.limit)
    trainer = Trainer(o)
    state, epoch, seed, rows = trainer.state(o.seed), 0, o.seed, []
    out = pathlib.Path(o.out)
    out.mkdir(parents=True, exist_ok=True)
    if o.resume:
        epoch, seed = resume(o, state)
        rows = read_log(out / "log.csv", epoch)
    state["precision"] = int({"fp8": mpt.f8e4m3}.get(o.precision) or mpt.DType[o.precision])
    title = f"Fashion-MNIST in {o.precision}, seed {seed}"
    print(f"{title}, {'eager' if o.eager else 'captured'}\non {ctx.describe()}")
    print(f"{'epoch':>5}  {'time s':>8}  {'train loss':>10}  {'train acc %':>11}  {'test loss':>9}  {'test acc %':>10}  {'loss scale':>10}  {'skipped':>7}")
    for row in rows:
        print_row(row)
    end = o.stop if 0 < o.stop < o.epochs else o.epochs
    steps = -(-len(train_set[1]) // o.batch)

    def test() -> Figures:
        tested = Figures()
        for images, labels in batches(test_set, TEST_BATCH):
            tested.add(trainer.run(trainer.test, images, labels), labels)
        return tested

    tested = test() if epoch >= end else Figures()
    plotted = False
    while epoch < end:
        trainer.optimizer.lr = 1e-3 * 0.8**epoch  # a captured program sees it too
        trained, start = Figures(), time.monotonic()
        bar, scale, skipped = Progress(f"epoch {epoch + 1}/{o.epochs}", steps, steps * (end - epoch - 1)), "-", 0
        for step, (images, labels) in enumerate(batches(train_set, o.batch, shuffled(len(train_set[1]), seed, epoch)), 1):
            result = trainer.run(trainer.train, images, labels)
            if step % STEPS_PER_READOUT == 1 or step == steps:  # reading waits for the device
                trained.add(result, labels)
                bar.loss, bar.accuracy = result[0].item(), trained.means[1]
                scale = f"{trainer.scaler.scale:.6g}" if trainer.scaler else "-"
                skipped = trainer.optimizer.counts.skipped
            bar.update(step, scale, skipped)
        seconds = time.monotonic() - start
        tested = test()
        bar.close()
        epoch += 1
        rows.append([epoch, seconds, trainer.optimizer.lr, *trained.means, *tested.means, trainer.scaler.scale if trainer.scaler else 0.0, trainer.optimizer.counts.skipped])
        print_row(rows[-1])
        state["epoch"] = epoch
        state.save(out / "checkpoint.safetensors")
        write_log(out / "log.csv", rows)
        plotted = write_plot(out / "plot.svg", rows, title)
    print(f"written: {out / 'checkpoint.safetensors'}, {out / 'log.csv'}" + (f", {out / 'plot.svg'}" if plotted else ""))
    print(f"test accuracy: {100 * tested.means[1]:.2f} %")


def main() -> None:
    o = options()
    with mpt.Context(o.device, threads=o.threads, seed=o.seed) as ctx:
        train(o, ctx)


if __name__ == "__main__":
    try:
        main()
    except mpt.Error as error:
        sys.exit(str(error))
