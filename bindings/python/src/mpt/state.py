"""Checkpoints: named things on their way to or from a safetensors file."""
from __future__ import annotations

import os
from collections.abc import Iterator, MutableMapping
from typing import Any

from . import _core
from .context import Context, current_context
from .layer import Layer
from .optimizer import Average, Optimizer
from .precision import Policy, Scaler
from .tensor import Tensor


class Random:
    """In a state: the context's random numbers."""


class Fp8:
    """In a state: the scales and histories of a layer's fp8 products under a policy."""

    def __init__(self, policy: Policy, layer: Layer) -> None:
        self.policy, self.layer = policy, layer


class State(_core.mpt_state, _core.Handle, MutableMapping[str, Any]):
    """A mapping from names to what is saved: layers, tensors, optimizers, scalers, averages, mpt.Fp8(policy, layer), mpt.Random() and whole
    numbers.

        state = mpt.State(model=model, optimizer=optimizer, random=mpt.Random(), epoch=0)
        state["epoch"] = 3
        state.save("checkpoint.safetensors")
        state.load("checkpoint.safetensors")    # into the same model and optimizer; state["epoch"] is what was saved

    Numbers can be set again; everything else is there to stay.
    """

    def __init__(self, things: dict[str, Any] | None = None, *, ctx: Context | None = None, **named: Any) -> None:
        entries = {**(things or {}), **named}
        ctx = ctx or next((t._ctx for t in entries.values() if isinstance(t, _core.Handle)), None) or current_context()
        self._adopt(_core.mpt_state_create(ctx), ctx)
        self._things: dict[str, Any] = {}
        for name, thing in entries.items():
            self[name] = thing

    def __setitem__(self, name: str, thing: Any) -> None:
        if name in self._things and self._things[name] is not int:
            raise KeyError(f"{name!r} is there already: only numbers can be set again")
        if name in self._things and not isinstance(thing, int):
            raise KeyError(f"{name!r} is a number")
        if isinstance(thing, Layer):
            _core.mpt_state_add_layer(self, name, thing)
        elif isinstance(thing, Tensor):
            _core.mpt_state_add_tensor(self, name, thing)
        elif isinstance(thing, Optimizer):
            _core.mpt_state_add_optimizer(self, name, thing)
        elif isinstance(thing, Scaler):
            _core.mpt_state_add_scaler(self, name, thing)
        elif isinstance(thing, Average):
            _core.mpt_state_add_average(self, name, thing)
        elif isinstance(thing, Fp8):
            _core.mpt_state_add_fp8(self, name, thing.policy, thing.layer)
        elif isinstance(thing, Random):
            _core.mpt_state_add_random(self, name)
        elif isinstance(thing, int):
            _core.mpt_state_set_number(self, name, thing)
            thing = int
        else:
            raise TypeError(f"{name!r} is a {type(thing).__name__}, which no state can have")
        self._things[name] = thing

    def __getitem__(self, name: str) -> Any:
        thing = self._things[name]
        return int(_core.mpt_state_number(self, name)) if thing is int else thing

    def __delitem__(self, name: str) -> None:
        raise TypeError("nothing can be taken out of a state: make another one")

    def __iter__(self) -> Iterator[str]:
        return iter(self._things)

    def __len__(self) -> int:
        return len(self._things)

    def save(self, file: Any) -> None:
        """Writes to a path, so that a crash leaves the old file or the new one, or to a binary file object."""
        if hasattr(file, "write"):
            _core.state_save_to(self, file.write)
        else:
            _core.mpt_state_save(self, os.fspath(file))

    def load(self, file: Any) -> None:
        """Reads everything back from a path or a binary file object: all of it, or nothing is changed."""
        if hasattr(file, "read"):
            _core.state_load_from(self, file.read)
        else:
            _core.mpt_state_load(self, os.fspath(file))


_core.register("mpt_state", State)

__all__ = ["State", "Fp8", "Random"]
