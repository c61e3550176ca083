"""What the drivers share: the data both sides read, and workers that compute only when asked."""

import gzip
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np

import networks

HERE = pathlib.Path(__file__).resolve().parent
DATASET = "/usr/share/datasets/fashion-mnist"
IMAGES = ("cnn", "resnet18")
PAUSE = 0.1  # seconds between blocks: OpenMP's threads spin for some milliseconds after their work


def prepare(folder, dataset=DATASET):
    """Writes images.bin, labels.bin (raw u8) and NAME.weights (raw f32) for both sides."""
    folder = pathlib.Path(folder)
    for kind, header, out in (("images-idx3", 16, "images.bin"), ("labels-idx1", 8, "labels.bin")):
        with gzip.open(pathlib.Path(dataset) / f"train-{kind}-ubyte.gz") as f:
            (folder / out).write_bytes(f.read()[header:])
    for name in networks.SMALL:
        arrays = networks.initial_weights(networks.build(name))
        np.concatenate([a.ravel() for a in arrays]).tofile(folder / f"{name}.weights")


class Worker:
    """A process that answers commands with lines of JSON; it sleeps in a read between them."""

    def __init__(self, name, command, cores, environment=None):
        self.name = name
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})},
            preexec_fn=lambda: os.sched_setaffinity(0, cores))
        self.version = self.answer()["ready"]

    def answer(self):
        for line in self.process.stdout:
            if line.startswith("{"):
                answer = json.loads(line)
                if "error" in answer:
                    raise RuntimeError(f"{self.name}: {answer['error']}")
                return answer
        raise RuntimeError(f"{self.name} ended with status {self.process.wait()}")

    def ask(self, command):
        try:
            self.process.stdin.write(command + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        return self.answer()

    def losses(self, count):
        self.ask("reset")
        return self.ask(f"losses {count}")["losses"]

    def block(self, steps):
        """Seconds per step over one block."""
        answer = self.ask(f"steps {steps}")
        time.sleep(PAUSE)
        return answer["seconds"] / answer["steps"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def arguments(folder, model, precision, threads, batch):
    return [
        "--model", model, "--precision", precision, "--threads", str(threads), "--batch", str(batch),
        "--images", f"{folder}/images.bin", "--labels", f"{folder}/labels.bin", "--weights", f"{folder}/{model}.weights",
    ]  # fmt: skip


def mpt_worker(step, folder, model, precision, threads, batch, cores, mode="captured"):
    command = [step, *arguments(folder, model, precision, threads, batch), "--mode", mode]
    return Worker(f"mpt {mode}", command, cores)


# glibc gives a large block back to the system when it is freed, and every step then pays for fresh pages. Raising its thresholds
# is a known remedy for PyTorch on CPUs, so the peer gets to use it.
KEEP_PAGES = {"MALLOC_MMAP_THRESHOLD_": "1073741824", "MALLOC_TRIM_THRESHOLD_": "4294967296", "MALLOC_TOP_PAD_": "268435456"}


def torch_modes(model):
    """(mode, layout, adam, pages) of every way in which PyTorch could run the step."""
    layouts = ("contiguous", "channels_last") if model in IMAGES else ("contiguous",)
    for layout in layouts:
        yield "eager", layout, "default", "returned"
        for mode in ("eager", "compile", "max-autotune"):
            for pages in ("returned", "kept"):
                yield mode, layout, "fused", pages


def torch_worker(folder, model, precision, threads, batch, cores, mode, layout, adam, pages):
    command = [sys.executable, str(HERE / "torch_step.py"), *arguments(folder, model, precision, threads, batch),
               "--mode", mode, "--layout", layout, "--adam", adam]  # fmt: skip
    name = " ".join(["torch", mode] + ([layout] if model in IMAGES else []) + [adam + " Adam"] +
                    (["pages kept"] if pages == "kept" else []))  # fmt: skip
    return Worker(name, command, cores, {"OMP_NUM_THREADS": str(threads), **(KEEP_PAGES if pages == "kept" else {})})


def summary(times):
    """Median, minimum and spread (largest over smallest) of seconds."""
    return statistics.median(times), min(times), max(times) / min(times)
