"""What optimizers have in common, and moving averages of weights."""
from __future__ import annotations

from typing import Any, Iterable, Iterator, NamedTuple

import contextlib

from . import _core
from ._enums import Rounding, ScheduleKind
from ._support import as_enum, descriptor
from .context import Context, current_context
from .layer import Layer
from .precision import Scaler
from .tensor import Tensor


class OptimizerCounts(NamedTuple):
    """Steps since the start."""
    stepped: int
    skipped: int


class Optimizer(_core.mpt_optimizer, _core.Handle):
    """An update rule with its state. SGD, Adam and the others are its classes."""

    def __init__(self, *arguments: Any) -> None:
        raise TypeError("use SGD, Adam or another class of optimizers")

    @staticmethod
    def _params(params: Any, ctx: Context | None) -> tuple[Any, Context]:
        if params is not None and not isinstance(params, Layer):
            params = list(params)
            ctx = ctx or (params[0]._ctx if params else None)
        elif params is not None:
            ctx = ctx or params._ctx
        return params, ctx or current_context()

    def _add(self, params: Any) -> None:
        if isinstance(params, Layer):
            self.add_layer(params)
        elif params:
            self.add_group("params", params)

    def add_layer(self, layer: Layer) -> None:
        """A group "layer" of all parameters of a layer."""
        _core.mpt_optimizer_add_layer(self, layer)

    def add_group(self, name: str, params: Iterable[Tensor], *, rounding: Rounding | str | None = None, lr_scale: float | None = None,
                  weight_decay_scale: float | None = None) -> None:
        """A group of parameters of one dtype; rounding: how f16 and bf16 ones take updates."""
        _core.mpt_optimizer_add_group(self, name, list(params), descriptor(_core.mpt_group_desc, _core.mpt_group_desc_init, {
            "rounding": None if rounding is None else as_enum(Rounding, rounding), "lr_scale": lr_scale, "weight_decay_scale": weight_decay_scale}))

    @property
    def lr(self) -> float:
        """The rate that the last step used, schedule included. Set: the base rate from the next step on, in programs too."""
        return float(_core.mpt_optimizer_lr(self))

    @lr.setter
    def lr(self, value: float) -> None:
        _core.mpt_optimizer_set_lr(self, value)

    def clip_norm(self, max_norm: float) -> None:
        """Clip by the norm of all gradients together; 0: no clipping."""
        _core.mpt_optimizer_set_clip_norm(self, max_norm)

    def clip_value(self, max_value: float) -> None:
        """Clip each element of the gradients; 0: no clipping."""
        _core.mpt_optimizer_set_clip_value(self, max_value)

    def schedule(self, kind: ScheduleKind | str | None, *, warmup_steps: int | None = None, total_steps: int | None = None,
                 interval: int | None = None, gamma: float | None = None, final_factor: float | None = None) -> None:
        """The rate follows the step count: "step", "cosine", "linear", "one_cycle" or "constant" (with a warm-up). None: no schedule."""
        _core.mpt_optimizer_set_schedule(self, None if kind is None else descriptor(_core.mpt_schedule_desc, _core.mpt_schedule_desc_init, {
            "kind": as_enum(ScheduleKind, kind), "warmup_steps": warmup_steps, "total_steps": total_steps, "interval": interval, "gamma": gamma,
            "final_factor": final_factor}))

    def zero_grad(self) -> None:
        """Sets all gradients to zero. Not needed where backward writes."""
        _core.mpt_optimizer_zero_grad(self)

    def unscale(self, scaler: Scaler) -> None:
        """Divides the gradients by the scale, so that the host can look at them before the step."""
        _core.mpt_optimizer_unscale(self, scaler)

    def step(self, scaler: Scaler | None = None) -> None:
        """Unscale unless done, check, clip, then step or skip, all on the device."""
        _core.mpt_optimizer_step(self, scaler)

    @property
    def counts(self) -> OptimizerCounts:
        """Steps done and skipped. Waits for the device."""
        return OptimizerCounts(*_core.mpt_optimizer_counts(self))

    @property
    def grad_norm(self) -> float:
        """The norm of all gradients at the last step with clipping or a scaler, before clipping. Waits for the device."""
        return float(_core.mpt_optimizer_grad_norm(self))


class Average(_core.mpt_average, _core.Handle):
    """An exponential moving average of an optimizer's parameters."""

    def __init__(self, optimizer: Optimizer, decay: float) -> None:
        self._adopt(_core.mpt_average_create(optimizer, decay), optimizer._ctx)

    def update(self) -> None:
        """Moves the average; nothing happens where the optimizer has not stepped."""
        _core.mpt_average_update(self)

    def swap(self) -> None:
        """Exchanges averages and parameters."""
        _core.mpt_average_swap(self)

    @contextlib.contextmanager
    def swapped(self) -> Iterator[None]:
        """`with average.swapped():` the parameters are the averages."""
        self.swap()
        try:
            yield
        finally:
            self.swap()


_core.register("mpt_optimizer", Optimizer)
_core.register("mpt_average", Average)

__all__ = ["Optimizer", "OptimizerCounts", "Average"]
