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

from . import _core, layers, ops, optimizers
# "as" says to type checkers that a name is for users.
from ._enums import *  # noqa: F403
from ._enums import DType as DType, Status as Status
from .context import (
    Context as Context, ContextMemory as ContextMemory, current_context as current_context, set_default_context as set_default_context)
from .custom import CustomOp as CustomOp
from .errors import *  # noqa: F403
from .layer import Layer as Layer, Parallel as Parallel, Residual as Residual, Sequential as Sequential
from .layers import *  # noqa: F403
from .ops import *  # noqa: F403
from .optimizer import Average as Average, Optimizer as Optimizer, OptimizerCounts as OptimizerCounts
from .optimizers import *  # noqa: F403
from .precision import Policy as Policy, Scaler as Scaler, ScalerCounts as ScalerCounts, autocast as autocast
from .program import CapturedFunction as CapturedFunction, Program as Program, ProgramMemory as ProgramMemory, capture as capture
from .state import Fp8 as Fp8, Random as Random, State as State
from .tensor import (
    Tensor as Tensor, arange as arange, backward as backward, backward_from as backward_from, dtype_name as dtype_name, dtype_size as dtype_size,
    empty as empty, from_address as from_address, from_buffer as from_buffer, from_dlpack as from_dlpack, full as full, no_grad as no_grad,
    normal as normal, ones as ones, tensor as tensor, uniform as uniform, zeros as zeros)

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
