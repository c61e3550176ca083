"""What layers have in common, containers, and models as classes."""
from __future__ import annotations

from typing import Any, Iterator

from . import _core
from ._enums import Join
from ._support import as_enum, made
from .context import Context, current_context
from .tensor import Tensor


class Layer(_core.mpt_layer, _core.Handle):
    """Parameters and a forward rule. A model of one's own is a class:

        class Model(mpt.Layer):
            def __init__(self):
                super().__init__()
                self.hidden = mpt.Linear(784, 64)
                self.out = mpt.Linear(64, 10)

            def forward(self, x):
                return self.out(self.hidden(x).relu())

    A layer that is assigned to an attribute becomes a child of that name, unless the name begins with "_"; so do parameters and buffers by
    add_parameter and add_buffer. outputs: how many tensors forward returns.
    """

    outputs: int = 1
    _children: list[Any]

    def __init__(self, *, ctx: Context | None = None) -> None:
        ctx = ctx or current_context()
        self._adopt(_core.layer_custom(ctx, self), ctx)

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Layer) and not name.startswith("_"):
            if "this" not in self.__dict__:
                raise AttributeError("call super().__init__() before the first layer is assigned")
            _core.mpt_layer_add(self, name, value)
        object.__setattr__(self, name, value)

    def forward(self, *inputs: Tensor) -> Any:
        """The rule of a class of one's own: tensors in, a tensor or a tuple of `outputs` tensors out."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def _forward(self, inputs: tuple[Tensor, ...], n: int) -> tuple[Tensor, ...]:
        for one in inputs:
            one._ctx = self._ctx
        found = self.forward(*inputs)
        result = tuple(found) if isinstance(found, (tuple, list)) else (found,)
        if len(result) != n:
            raise ValueError(f"{type(self).__name__}.forward returned {len(result)} tensors, {n} are wanted: say so in `outputs`")
        return result

    def __call__(self, *inputs: Tensor, outputs: int | None = None) -> Any:
        """Runs the layer: a tensor, or a tuple where there is more than one output."""
        n = self.outputs if outputs is None else outputs
        result = _core.mpt_layer_forward(self, inputs, n)
        for one in result:
            one._ctx = self._ctx
        return result[0] if n == 1 else result

    def __repr__(self) -> str:
        if self.closed:
            return f"<mpt.{type(self).__name__}, closed>"
        shapes = ", ".join(f"{name} {list(p.shape)}" for name, p in self.named_parameters())
        return f"<mpt.{type(self).__name__}: {shapes or 'no parameters'}>"

    # ---- parts ----
    def add(self, name: str | None, child: Layer) -> Layer:
        """Appends a child to a sequential, a parallel or a class's layer; None: its index is its name."""
        _core.mpt_layer_add(self, name, child)
        self.__dict__.setdefault("_children", []).append(child)
        return child

    def add_parameter(self, name: str, tensor: Tensor) -> Tensor:
        """Gives a class's layer a parameter, which is an attribute from now on and asks for gradients."""
        _core.mpt_layer_add_parameter(self, name, tensor)
        object.__setattr__(self, name, tensor)
        return tensor

    def add_buffer(self, name: str, tensor: Tensor) -> Tensor:
        """Gives a class's layer a tensor that is saved with it and not trained; it is an attribute from now on."""
        _core.mpt_layer_add_buffer(self, name, tensor)
        object.__setattr__(self, name, tensor)
        return tensor

    def parameters(self) -> list[Tensor]:
        """All parameters, children's included, in a fixed order."""
        return [made(_core.mpt_layer_parameter(self, i), self) for i in range(_core.mpt_layer_parameter_count(self))]

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """The same with their names, for example "0.weight"."""
        for i, parameter in enumerate(self.parameters()):
            yield _core.text(_core.mpt_layer_parameter_name, self, i), parameter

    def parameter(self, name: str) -> Tensor:
        """A parameter by its name."""
        return made(_core.mpt_layer_parameter_by_name(self, name), self)

    def buffers(self) -> list[Tensor]:
        """Tensors that belong to the layer and are no parameters, such as running statistics."""
        return [made(_core.mpt_layer_buffer(self, i), self) for i in range(_core.mpt_layer_buffer_count(self))]

    def named_buffers(self) -> Iterator[tuple[str, Tensor]]:
        """The same with their names."""
        for i, buffer in enumerate(self.buffers()):
            yield _core.text(_core.mpt_layer_buffer_name, self, i), buffer

    # ---- modes ----
    @property
    def training(self) -> bool:
        """In training (the start) or in evaluation?"""
        return bool(_core.mpt_layer_training(self))

    def train(self, training: bool = True) -> Layer:
        """Training or evaluation, for the layer and all below it."""
        _core.mpt_layer_set_training(self, 1 if training else 0)
        return self

    def eval(self) -> Layer:
        """train(False)."""
        return self.train(False)

    def freeze(self, frozen: bool = True) -> Layer:
        """No parameter below asks for gradients; False: all do."""
        _core.mpt_layer_freeze(self, 1 if frozen else 0)
        return self


_core.register("mpt_layer", Layer)


class Sequential(Layer):
    """A chain of layers; each gets the one output of the layer before. Keywords name their layers."""

    def __init__(self, *layers: Layer, ctx: Context | None = None, **named: Layer) -> None:
        given = [*layers, *named.values()]
        ctx = ctx or (given[0]._ctx if given else current_context())
        self._adopt(_core.mpt_layer_sequential(ctx), ctx)
        for layer in layers:
            self.add(None, layer)
        for name, layer in named.items():
            self.add(name, layer)


class Residual(Layer):
    """body(x) + shortcut(x), or + x without one."""

    def __init__(self, body: Layer, shortcut: Layer | None = None) -> None:
        self._adopt(_core.mpt_layer_residual(body._ctx, body, shortcut), body._ctx)
        self._children = [body, shortcut]


class Parallel(Layer):
    """Layers that all get the same inputs; join says what comes of their outputs. Keywords name their layers."""

    def __init__(self, *layers: Layer, join: Join | str = "sum", dim: int = 1, ctx: Context | None = None, **named: Layer) -> None:
        given = [*layers, *named.values()]
        ctx = ctx or (given[0]._ctx if given else current_context())
        kind = as_enum(Join, join)
        self._adopt(_core.mpt_layer_parallel(ctx, kind, dim), ctx)
        self._lists = kind == Join.LIST
        for layer in layers:
            self.add(None, layer)
        for name, layer in named.items():
            self.add(name, layer)

    def add(self, name: str | None, child: Layer) -> Layer:
        super().add(name, child)
        if self._lists:
            self.outputs = len(self._children)
        return child


__all__ = ["Layer", "Sequential", "Residual", "Parallel"]
