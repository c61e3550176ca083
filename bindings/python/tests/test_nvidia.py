"""Where the libraries of NVIDIA's wheels are looked for, and that nobody looks for them before a GPU is asked for. The folders are made up."""
import ctypes
import sys

import pytest

import mpt

FOLDERS = {"cu13": ["libcudart.so.13", "libcublasLt.so.13", "libcublas.so.13", "libnvrtc.so.13", "libother.so.1"], "cudnn": ["libcudnn.so.9"]}


@pytest.fixture
def opened(tmp_path, monkeypatch):
    for folder, names in FOLDERS.items():
        (tmp_path / "nvidia" / folder / "lib").mkdir(parents=True)
        for name in names:
            (tmp_path / "nvidia" / folder / "lib" / name).touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [n for n in sys.modules if n.partition(".")[0] == "nvidia"]:
        monkeypatch.delitem(sys.modules, name)
    paths = []
    monkeypatch.setattr(ctypes, "CDLL", lambda path, mode=0: paths.append((path, mode)))
    yield lambda: [(path[len(str(tmp_path)) + 1:], mode) for path, mode in paths]


def test_the_cpu_looks_for_nothing(opened):
    mpt.Context("cpu")
    assert opened() == []


@pytest.mark.parametrize("device", ["cuda", "auto"])
def test_a_gpu_opens_them_in_the_order_of_their_needs(opened, device):
    try:
        mpt.Context(device)
    except mpt.Error:
        pass  # there is no GPU, or the made-up libraries are of no use
    names = [path for path, _ in opened()]
    assert names == ["nvidia/cu13/lib/libcudart.so.13", "nvidia/cu13/lib/libnvrtc.so.13", "nvidia/cu13/lib/libcublasLt.so.13",
                     "nvidia/cu13/lib/libcublas.so.13", "nvidia/cudnn/lib/libcudnn.so.9"]
    assert all(mode == ctypes.RTLD_GLOBAL for _, mode in opened())
