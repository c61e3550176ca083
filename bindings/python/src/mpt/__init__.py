"""mpt: mixed-precision training.

    import mpt

    model = mpt.Sequential(mpt.Linear(784, 64), mpt.ReLU(), mpt.Linear(64, 10))
    optimizer = mpt.Adam(model, lr=1e-3)
    policy = mpt.Policy("bf16")

    @mpt.capture
    def step(images, labels):
        with mpt.autocast(policy):
            loss = mpt.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss
"""
from __future__ import annotations

from . import _core
from . import layers as layers
from . import ops as ops
from . import optimizers as optimizers
from ._enums import *  # noqa: F403
from ._enums import DType, Status
from .context import *  # noqa: F403
from .custom import *  # noqa: F403
from .errors import *  # noqa: F403
from .layer import *  # noqa: F403
from .layers import *  # noqa: F403
from .ops import *  # noqa: F403
from .optimizer import *  # noqa: F403
from .optimizers import *  # noqa: F403
from .precision import *  # noqa: F403
from .program import *  # noqa: F403
from .state import *  # noqa: F403
from .tensor import *  # noqa: F403

f64, f32, f16, bf16 = DType.f64, DType.f32, DType.f16, DType.bf16
f8e4m3, f8e5m2 = DType.f8e4m3, DType.f8e5m2
i8, i16, i32, i64, u8, bool_ = DType.i8, DType.i16, DType.i32, DType.i64, DType.u8, DType.bool


def library_version() -> tuple[int, int, int]:
    """The version of the library in use."""
    number = int(_core.mpt_version())
    return number // 10000, number // 100 % 100, number % 100


def status_name(status: Status) -> str:
    """The name of a status in C."""
    return str(_core.mpt_status_name(status))


def last_error() -> str:
    """The message of this thread's last failed call; exceptions carry it already."""
    return str(_core.mpt_last_error())


__version__ = ".".join(map(str, library_version()))
