"""Precision: what autocast does, and loss scaling."""
from __future__ import annotations

from typing import Any, NamedTuple

from . import _core
from ._enums import DType, Fp8Recipe, Role, ScalerKind
from ._support import Block, as_dtype, as_enum, descriptor
from .context import Context, current_context


class Policy(_core.mpt_policy, _core.Handle):
    """Runs products in dtype (f32, f16 or bf16) and what needs range in f32. "fp8": linear layers and convolutions in fp8, the rest in bf16."""

    def __init__(self, dtype: Any = DType.bf16, *, ctx: Context | None = None) -> None:
        ctx = ctx or current_context()
        fp8 = dtype == "fp8"
        self._adopt(_core.mpt_policy_create(ctx, DType.bf16 if fp8 else as_dtype(dtype)), ctx)
        if fp8:
            self.set_fp8()

    def set_layer(self, pattern: str, dtype: Any) -> Policy:
        """Products of layers whose path matches pattern ("*head", "blocks.*") run in dtype; the last match counts. "f8e4m3": fp8."""
        _core.mpt_policy_set_layer(self, pattern, as_dtype(dtype))
        return self

    def set_op(self, op: str, dtype: Any) -> Policy:
        """The op of that name runs in dtype."""
        _core.mpt_policy_set_op(self, op, as_dtype(dtype))
        return self

    def set_role(self, role: Role | str, dtype: Any) -> Policy:
        """Products in that role ("forward", "input_gradient", "weight_gradient") run in dtype."""
        _core.mpt_policy_set_role(self, as_enum(Role, role), as_dtype(dtype))
        return self

    def set_fp8(self, recipe: Fp8Recipe | str | None = None, *, history: int | None = None, margin: int | None = None, forward: Any = None,
                backward: Any = None) -> Policy:
        """Linear layers and convolutions run in fp8 by this recipe: "current", "delayed" or "unscaled"."""
        _core.mpt_policy_set_fp8(self, descriptor(_core.mpt_fp8_desc, _core.mpt_fp8_desc_init, {
            "recipe": None if recipe is None else as_enum(Fp8Recipe, recipe), "history": history, "margin": margin,
            "forward": None if forward is None else as_dtype(forward), "backward": None if backward is None else as_dtype(backward)}))
        return self

    def describe(self) -> str:
        """The class lists and the overrides."""
        return _core.text(_core.mpt_policy_describe, self)


class autocast(Block):
    """`with mpt.autocast(policy):` ops run by the policy, or by a new one for a dtype such as "bf16". None switches it off inside."""

    def __init__(self, policy: Policy | str | DType | None, *, ctx: Context | None = None) -> None:
        super().__init__()
        if policy is not None and not isinstance(policy, Policy):
            policy = Policy(policy, ctx=ctx)
        self._policy = policy
        self._given = policy._ctx if policy is not None else ctx

    def __enter__(self) -> Policy | None:
        self._enter(self._given or current_context(), _core.mpt_autocast_begin, self._policy)
        return self._policy

    def __exit__(self, *exception: Any) -> None:
        self._exit(_core.mpt_autocast_end, exception[0] is not None)


class ScalerCounts(NamedTuple):
    """Updates since the start."""
    good: int
    bad: int
    at_minimum: int


class Scaler(_core.mpt_scaler, _core.Handle):
    """A loss scaler: scale and counters live on the device."""

    def __init__(self, kind: ScalerKind | str | None = None, *, initial_scale: float | None = None, growth_factor: float | None = None,
                 backoff_factor: float | None = None, growth_interval: int | None = None, min_scale: float | None = None,
                 max_scale: float | None = None, hysteresis: int | None = None, ctx: Context | None = None) -> None:
        ctx = ctx or current_context()
        self._adopt(_core.mpt_scaler_create(ctx, descriptor(_core.mpt_scaler_desc, _core.mpt_scaler_desc_init, {
            "kind": None if kind is None else as_enum(ScalerKind, kind), "initial_scale": initial_scale, "growth_factor": growth_factor,
            "backoff_factor": backoff_factor, "growth_interval": growth_interval, "min_scale": min_scale, "max_scale": max_scale,
            "hysteresis": hysteresis})), ctx)

    def update(self) -> None:
        """Moves the scale by what the optimizers found; once per iteration."""
        _core.mpt_scaler_update(self)

    @property
    def scale(self) -> float:
        """The scale now. Waits for the device."""
        return float(_core.mpt_scaler_scale(self))

    @property
    def counts(self) -> ScalerCounts:
        """Updates that were good, bad, and bad at the smallest scale. Waits for the device."""
        return ScalerCounts(*_core.mpt_scaler_counts(self))


_core.register("mpt_policy", Policy)
_core.register("mpt_scaler", Scaler)

__all__ = ["Policy", "autocast", "Scaler", "ScalerCounts"]
