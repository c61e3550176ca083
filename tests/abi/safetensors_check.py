"""Reads a checkpoint that the library wrote with the safetensors package: the files are what they claim to be.

usage: safetensors_check.py LIBRARY VENV   (exit code 77: the package cannot be had)
"""
import os
import subprocess
import sys
import tempfile
import venv

library, folder = sys.argv[1], sys.argv[2]
python = os.path.join(folder, "bin", "python3")

CHECK = """
import sys, numpy
from safetensors.numpy import load_file
tensors = load_file(sys.argv[1])
for name, array in sorted(tensors.items()):
    print(name, array.dtype, array.shape, float(numpy.abs(array).max()))
    assert array.dtype == numpy.float32 and numpy.isfinite(array).all() and numpy.abs(array).max() > 0
shapes = {name: array.shape for name, array in tensors.items()}
assert shapes == {"model.0.weight": (64, 2), "model.0.bias": (64,), "model.2.weight": (2, 64), "model.2.bias": (2,)}, shapes
"""


def main():
    if not os.path.exists(python):
        try:
            venv.create(folder, with_pip=True)
        except (subprocess.CalledProcessError, OSError) as problem:
            print(f"skipped: no virtual environment: {problem}")
            return 77
    if subprocess.run([python, "-c", "import safetensors, numpy"], stderr=subprocess.DEVNULL).returncode:
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1", "safetensors", "numpy"]
        if subprocess.run(install, timeout=240).returncode:
            print("skipped: pip cannot install safetensors and numpy (no package index?)")
            return 77
    with tempfile.TemporaryDirectory() as work:
        path = os.path.join(work, "model.safetensors")
        trainer = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "dlopen", "train.py")
        subprocess.run([sys.executable, trainer, library, path], check=True)
        subprocess.run([python, "-c", CHECK, path], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
