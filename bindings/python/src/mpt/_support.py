"""What the ops and layers share: arguments in their many forms."""
from __future__ import annotations

import contextlib
import threading
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Sequence, TypeVar, Union

from . import _core
from ._enums import DType
from .errors import Error

if TYPE_CHECKING:
    from .context import Context
    from .tensor import Tensor

Dims = Union[int, Sequence[int]]
Pair = Union[int, tuple[int, int]]
E = TypeVar("E", bound=IntEnum)

_DTYPES = {"float64": DType.f64, "float32": DType.f32, "float16": DType.f16, "bfloat16": DType.bf16, "float8_e4m3fn": DType.f8e4m3,
           "float8_e5m2": DType.f8e5m2, "int8": DType.i8, "int16": DType.i16, "int32": DType.i32, "int64": DType.i64, "uint8": DType.u8,
           "bool": DType.bool, "double": DType.f64, "float": DType.f32, "half": DType.f16}
NUMPY_NAMES = {DType.f64: "float64", DType.f32: "float32", DType.f16: "float16", DType.bf16: "bfloat16", DType.f8e4m3: "float8_e4m3fn",
               DType.f8e5m2: "float8_e5m2", DType.i8: "int8", DType.i16: "int16", DType.i32: "int32", DType.i64: "int64", DType.u8: "uint8",
               DType.bool: "bool"}
FLOATING = {DType.f64, DType.f32, DType.f16, DType.bf16, DType.f8e4m3, DType.f8e5m2}


def as_dtype(value: Any) -> DType:
    """A dtype from itself, its name ("bf16", "bfloat16"), or NumPy's dtype of it."""
    if isinstance(value, DType):
        return value
    if isinstance(value, str):
        if value in DType.__members__:
            return DType[value]
        if value in _DTYPES:
            return _DTYPES[value]
    else:
        name = getattr(value, "name", None) or getattr(value, "__name__", None) or str(value)
        if name in _DTYPES:
            return _DTYPES[name]
    raise ValueError(f"{value!r} is no dtype of mpt: there are " + ", ".join(d.name for d in DType if d))


def as_enum(cls: type[E], value: Any) -> E:
    """A member from itself or its name in lower case."""
    if isinstance(value, cls):
        return value
    if isinstance(value, str):
        for member in cls:
            if member.name.lower() == value.lower():
                return member
    raise ValueError(f"{value!r} is none of: " + ", ".join(member.name.lower() for member in cls))


def dims(value: Dims | None) -> Sequence[int] | None:
    return (value,) if isinstance(value, int) else value


class Block(contextlib.ContextDecorator):
    """A `with` block of a context, which several threads may use at once, each in its own context."""

    def __init__(self) -> None:
        self._open: dict[int, list[Context]] = {}

    def _enter(self, ctx: Context, call: Any, *arguments: Any) -> None:
        ctx._begin(call, ctx, *arguments)
        self._open.setdefault(threading.get_ident(), []).append(ctx)

    def _exit(self, call: Any, failed: bool) -> None:
        mine = threading.get_ident()
        opened = self._open[mine]
        ctx = opened.pop()
        if not opened:
            del self._open[mine]
        try:
            ctx._end(call)
        except Error:
            # In a capture that has failed nothing can be called, and the end of the capture ends the block: the exception on its way says why.
            if not failed:
                raise


def first(value: Pair | None) -> int | None:
    return value[0] if isinstance(value, (tuple, list)) else value


def second(value: Pair | None) -> int | None:
    return value[1] if isinstance(value, (tuple, list)) else value


def descriptor(cls: Any, init: Any, fields: dict[str, Any]) -> Any:
    """A descriptor with the library's defaults, but for what is given. A tensor in it lives as long as it does."""
    made = cls()
    init(made)
    for name, value in fields.items():
        if value is not None:
            setattr(made, name, value)
            if hasattr(value, "this"):
                made.__dict__["_kept_" + name] = value
    return made


def made(out: Any, like: Any) -> Tensor:
    out._ctx = like._ctx
    return out  # type: ignore[no-any-return] # the core says nothing of types


def made_all(out: Any, like: Any) -> Any:
    for one in out:
        one._ctx = like._ctx
    return out


def operands(a: Any, b: Any, like: Any = None) -> tuple[Tensor, Tensor]:
    """Both as tensors: a number becomes one of the other's dtype."""
    if isinstance(a, _core.mpt_tensor) and isinstance(b, _core.mpt_tensor):
        return a, b  # type: ignore[return-value] # without the import below, which takes as long as an op
    from .tensor import Tensor, scalar
    if not isinstance(a, Tensor):
        a = scalar(a, b if isinstance(b, Tensor) else None, like)
    if not isinstance(b, Tensor):
        b = scalar(b, a, like)
    return a, b
