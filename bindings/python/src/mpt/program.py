"""Capture: a step is recorded once, planned as a whole and replayed."""
from __future__ import annotations

import functools
from typing import Any, Callable, NamedTuple

from . import _core
from .context import Context, current_context
from .tensor import Tensor, _buffer_for, empty, host_form, no_grad


class ProgramMemory(NamedTuple):
    """Bytes of a program."""
    arena: int
    outputs: int


def _tensors(found: Any, out: list[Tensor]) -> None:
    if isinstance(found, Tensor):
        out.append(found)
    elif isinstance(found, dict):
        for one in found.values():
            _tensors(one, out)
    elif isinstance(found, (tuple, list)):
        for one in found:
            _tensors(one, out)
    elif found is not None:
        raise TypeError(f"a captured step gives tensors, in tuples, lists and dicts, and no {type(found).__name__}")


class Program(_core.mpt_program, _core.Handle):
    """A captured step. outputs: what was given to it while recording, new values after each run."""

    def __init__(self, *arguments: Any) -> None:
        raise TypeError("use `with mpt.capture() as program:` or @mpt.capture")

    outputs: Any = None

    def feed(self, input: Tensor, data: Any) -> None:
        """Copies the next run's data into a tensor from outside that the program reads."""
        _core.mpt_program_feed(self, input, _buffer_for(input, data))

    def run(self) -> Any:
        """Runs the program once; gives its outputs."""
        _core.mpt_program_run(self)
        return self.outputs

    __call__ = run

    @property
    def memory(self) -> ProgramMemory:
        """Bytes of temporaries and of the outputs."""
        return ProgramMemory(*_core.mpt_program_memory(self))

    def dump(self) -> str:
        """The plan as text: a line per step."""
        return _core.text(_core.mpt_program_dump, self)


_core.register("mpt_program", Program)


class _Capture:
    def __init__(self, ctx: Context | None) -> None:
        self._given = ctx

    def __call__(self, function: Callable[..., Any]) -> CapturedFunction:
        return CapturedFunction(function, self._given)

    def __enter__(self) -> Program:
        self._ctx = self._given or current_context()
        self._ctx._begin(_core.mpt_capture_begin, self._ctx)
        self._program = Program.__new__(Program)
        return self._program

    def __exit__(self, kind: Any, value: Any, trace: Any) -> None:
        if kind is not None:
            self._ctx._end(_core.mpt_capture_abort)
            return
        try:
            outputs: list[Tensor] = []
            _tensors(self._program.outputs, outputs)
            self._program._adopt(_core.mpt_capture_end(self._ctx, outputs), self._ctx)
        except BaseException:
            self._ctx._end(_core.mpt_capture_abort)
            raise
        self._ctx._left()


class CapturedFunction:
    """A function whose first call with arrays of a form records a program, which later calls of that form feed and run.

    Tensors, arrays and buffers among the arguments are data; everything else, numbers too, is part of the form. What it returns is valid
    until the next call of the form.
    """

    def __init__(self, function: Callable[..., Any], ctx: Context | None) -> None:
        self._function = function
        self._given = ctx
        self.programs: dict[Any, tuple[Program, list[Tensor]]] = {}
        functools.update_wrapper(self, function)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    @staticmethod
    def _is_data(value: Any) -> bool:
        return isinstance(value, (Tensor, memoryview, bytearray)) or hasattr(value, "__array_interface__") or hasattr(value, "__dlpack__") or \
            type(value).__name__ == "array"

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        ctx = self._given or current_context()
        labels = [*range(len(arguments)), *named]
        key: list[Any] = [ctx]
        data: list[tuple[Any, Any, Any]] = []
        for label, value in zip(labels, [*arguments, *named.values()]):
            if self._is_data(value):
                if not isinstance(value, Tensor) and hasattr(value, "__dlpack__") and "numpy" not in type(value).__module__:
                    from .tensor import from_dlpack
                    value = from_dlpack(value, ctx=ctx)
                if isinstance(value, Tensor):
                    dtype, shape, source = value.dtype, value.shape, value
                else:
                    source, dtype, shape = host_form(value)
                data.append((label, source, (dtype, shape)))
                key.append((label, dtype, shape))
            else:
                key.append((label, value))
        ctx._begin(lambda: None)
        try:
            return self._run(ctx, tuple(key), arguments, named, data)
        finally:
            ctx._left()

    def _run(self, ctx: Context, key: Any, arguments: tuple[Any, ...], named: dict[str, Any], data: list[Any]) -> Any:
        found = self.programs.get(key)
        if found is None:
            found = self.programs[key] = self._record(ctx, arguments, named, data)
        program, inputs = found
        for target, (_, source, _) in zip(inputs, data):
            if isinstance(source, Tensor):
                with no_grad(ctx):
                    target.copy_(source)
            else:
                _core.mpt_program_feed(program, target, source)
        return program.run()

    def _record(self, ctx: Context, arguments: tuple[Any, ...], named: dict[str, Any], data: list[Any]) -> tuple[Program, list[Tensor]]:
        inputs = [empty(shape, dtype, ctx=ctx) for _, _, (dtype, shape) in data]
        positional, keywords = list(arguments), dict(named)
        for (label, _, _), tensor in zip(data, inputs):
            if isinstance(label, int):
                positional[label] = tensor
            else:
                keywords[label] = tensor
        with _Capture(ctx) as program:
            program.outputs = self._function(*positional, **keywords)
        return program, inputs

    def clear(self) -> None:
        """Forgets the programs, so that the next call records anew."""
        self.programs.clear()


def capture(function: Callable[..., Any] | None = None, *, ctx: Context | None = None) -> Any:
    """A step as a program. As a decorator (`@mpt.capture`) it gives a CapturedFunction. In a `with` statement the body is recorded:

        with mpt.capture() as program:
            program.outputs = loss = step(x, y)
        program.feed(x, batch)
        program.run()

    An exception in the body throws the recording away.
    """
    return _Capture(ctx) if function is None else CapturedFunction(function, ctx)


__all__ = ["Program", "ProgramMemory", "CapturedFunction", "capture"]
