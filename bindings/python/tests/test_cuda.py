"""NVIDIA's libraries are looked for in their wheels' folders, before the CUDA module is opened and only where it is asked for."""
import os
import shutil
import subprocess
import sys

import pytest

COMPILER = shutil.which(os.environ.get("CC", "cc"))
WHEELS = {"cu13": ["libnvrtc.so.13", "libcublasLt.so.13", "libcublas.so.13", "libcufft.so.12"], "cudnn": ["libcudnn.so.9", "libcudnn_ops.so.9"]}

PROGRAM = """
import sys
import mpt
def mapped():
    return sorted({line.split()[-1].rpartition("/")[2] for line in open("/proc/self/maps") if "/nvidia/" in line})
def module():
    return "libmpt_cuda" in open("/proc/self/maps").read()
x = mpt.ones(2)
print(mapped(), module())
for device in ("cuda", "auto"):
    try:
        print(mpt.Context(device).device.name)
    except mpt.Error as error:
        print(type(error).__name__, error)
    print(mapped())
print((x + 1).tolist(), (mpt.ones(2, ctx=mpt.Context(threads=1)) + 1).tolist())
"""


def lines(site):
    # A loader that finds the system's own libraries would answer for the wheels.
    environment = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
    environment["PYTHONPATH"] = os.pathsep.join([str(site), *sys.path])
    return subprocess.run([sys.executable, "-X", "faulthandler", "-c", PROGRAM], env=environment, check=True, capture_output=True, text=True,
                          timeout=100).stdout.splitlines()


def fake(site, content=None):
    for folder, names in WHEELS.items():
        lib = site / "nvidia" / folder / "lib"
        lib.mkdir(parents=True)
        for name in names:
            if content is None:
                subprocess.run([COMPILER, "-shared", "-fPIC", "-x", "c", "-", f"-Wl,-soname,{name}", "-o", lib / name], input=b"int nothing;", check=True)
            else:
                (lib / name).write_bytes(content)


@pytest.mark.skipif(COMPILER is None, reason="no C compiler to make libraries with")
def test_wheels_are_found_and_only_when_asked_for(tmp_path):
    fake(tmp_path)
    found = lines(tmp_path)
    assert found[0] == "[] False"
    wanted = str(sorted(["libnvrtc.so.13", "libcublasLt.so.13", "libcublas.so.13", "libcudnn.so.9"]))
    # The module took the fake one, which has nothing in it; a library that was built without CUDA has no module.
    assert "libmpt_cuda.so: undefined symbol: cublas" in found[1] or "libmpt_cuda.so: cannot open" in found[1], found[1]
    assert found[2] == wanted
    assert found[3] in ("CPU", "CUDA") and found[4] == wanted
    assert found[5] == "[2.0, 2.0] [2.0, 2.0]"


def test_what_cannot_be_opened_is_left_alone(tmp_path):
    fake(tmp_path, b"no library")
    found = lines(tmp_path)
    assert found[0] == "[] False" and found[2] == "[]" and found[5] == "[2.0, 2.0] [2.0, 2.0]"


def test_without_a_gpu_the_error_is_clear(tmp_path):
    """And everything on the CPU goes on."""
    found = lines(tmp_path)
    if found[1] == "CUDA":
        pytest.skip("there is a GPU")
    assert found[1].startswith("DeviceError mpt_context_create: CUDA: ") and len(found[1]) > 45
    assert found[3] == "CPU" and found[5] == "[2.0, 2.0] [2.0, 2.0]"
