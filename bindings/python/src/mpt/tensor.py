"""Tensors: strided arrays that speak the buffer protocol, NumPy and DLPack."""
from __future__ import annotations

import array
import builtins
import contextlib
import math
import sys
from typing import Any, Iterator, Sequence

from . import _core, ops
from ._enums import Device, DType, GradMode, Init
from ._support import FLOATING, Block, Dims, as_dtype, as_enum, dims as _dims, made
from .context import Context, current_context
from .errors import ShapeError

_FORMATS = {"d": DType.f64, "f": DType.f32, "e": DType.f16, "b": DType.i8, "h": DType.i16, "i": DType.i32, "l": DType.i64, "q": DType.i64,
            "B": DType.u8, "?": DType.bool}
_TYPESTR = {DType.f64: "<f8", DType.f32: "<f4", DType.f16: "<f2", DType.bf16: "<u2", DType.f8e4m3: "|u1", DType.f8e5m2: "|u1",
            DType.i8: "|i1", DType.i16: "<i2", DType.i32: "<i4", DType.i64: "<i8", DType.u8: "|u1", DType.bool: "|b1"}
_ML_DTYPES = {DType.bf16: "bfloat16", DType.f8e4m3: "float8_e4m3fn", DType.f8e5m2: "float8_e5m2"}
_ARRAY_CODES = {DType.f64: "d", DType.f32: "f", DType.i8: "b", DType.i16: "h", DType.i32: "i", DType.i64: "q", DType.u8: "B", DType.bool: "B"}


class _Memory:
    """A tensor's memory as NumPy's array interface; it keeps the tensor."""

    def __init__(self, tensor: Tensor, read_only: bool) -> None:
        self.kept = tensor.detach()
        dtype, size = tensor.dtype, dtype_size(tensor.dtype)
        self.__array_interface__ = {"version": 3, "shape": tensor.shape, "typestr": _TYPESTR[dtype],
                                    "data": (_core.mpt_tensor_data(tensor), read_only), "strides": tuple(s * size for s in tensor.strides)}


class Tensor(ops.TensorMethods, _core.mpt_tensor, _core.TensorBuffer, _core.Handle):
    """A strided array of a context. Views share memory. Made by mpt.tensor, mpt.zeros and the like, and by ops."""

    __array_priority__ = 1000  # array + tensor is the tensor's to answer

    def __init__(self, *arguments: Any) -> None:
        raise TypeError("use mpt.tensor(data), mpt.empty(shape) or another function that makes tensors")

    # ---- form ----
    @property
    def dtype(self) -> DType:
        """The element type."""
        return DType(_core.mpt_tensor_dtype(self))

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return int(_core.mpt_tensor_ndim(self))

    @property
    def shape(self) -> tuple[int, ...]:
        """The extents."""
        return tuple(_core.mpt_tensor_shape(self))

    @property
    def strides(self) -> tuple[int, ...]:
        """Distances in elements."""
        return tuple(_core.mpt_tensor_strides(self))

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(_core.mpt_tensor_numel(self))

    @property
    def nbytes(self) -> int:
        """The bytes of its elements."""
        return self.size * dtype_size(self.dtype)

    @property
    def data_ptr(self) -> int:
        """The first element's address on the device."""
        return int(_core.mpt_tensor_data(self) or 0)

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("a scalar has no length")
        return self.shape[0]

    def __repr__(self) -> str:
        if self.closed:
            return "<mpt.Tensor, closed>"
        form = f"shape={self.shape}, dtype={self.dtype.name}" + (", requires_grad=True" if self.requires_grad else "")
        if self.size > 64:
            return f"mpt.Tensor({form})"
        try:
            return f"mpt.Tensor({self.tolist()}, {form})"
        except Exception:  # inside a capture there are no values
            return f"mpt.Tensor({form})"

    # ---- values ----
    def item(self) -> float:
        """The one element as a number. Waits for the device."""
        return float(_core.mpt_tensor_item(self))

    def __float__(self) -> float:
        return self.item()

    def __int__(self) -> int:
        return int(self.item())

    def __bool__(self) -> bool:
        return self.item() != 0

    def read(self, into: Any) -> None:
        """Copies the elements, in logical order, into a writable buffer of as many bytes. Waits for the device."""
        _core.mpt_tensor_read(self, into)

    def write(self, data: Any) -> None:
        """Copies elements of the tensor's dtype, in logical order, from a buffer of as many bytes or an array of this shape."""
        with no_grad(self._ctx):
            _core.mpt_tensor_write(self, _buffer_for(self, data))

    def tobytes(self) -> bytes:
        """The elements in logical order."""
        into = bytearray(self.nbytes)
        self.read(into)
        return bytes(into)

    def tolist(self) -> Any:
        """The elements as numbers in nested lists."""
        source = self if self.dtype in _ARRAY_CODES else self.detach().cast(DType.f32)
        flat: Any = array.array(_ARRAY_CODES[source.dtype])
        flat.frombytes(source.tobytes())
        values = [bool(v) for v in flat] if self.dtype == DType.bool else list(flat)
        for extent in reversed(self.shape[1:]):
            count = len(values) // extent if extent else 0
            values = [values[i * extent:(i + 1) * extent] for i in range(count or math.prod(self.shape[:-1]))]
        return values if self.ndim else values[0]

    def numpy(self) -> Any:
        """A read-only NumPy array of the same memory on the CPU, a copy from a GPU. bf16 and fp8 need ml_dtypes."""
        import numpy
        dtype = self.dtype
        if self._on_gpu():
            found = numpy.empty(self.shape, numpy.dtype(_TYPESTR[dtype]))
            if self.size:
                self.read(found.reshape(-1).view(numpy.uint8))
        elif self.size:
            found = numpy.asarray(_Memory(self, True))
        else:
            found = numpy.empty(self.shape, numpy.dtype(_TYPESTR[dtype]))
        return found.view(_ml_dtype(dtype)) if dtype in _ML_DTYPES else found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        found = self.numpy()
        if dtype is not None and found.dtype != dtype:
            return found.astype(dtype)
        return found.copy() if copy else found

    @contextlib.contextmanager
    def writable(self) -> Iterator[Any]:
        """A NumPy array of the same memory, to write to: `with parameter.writable() as a: a -= 0.1 * gradient`. At the end mpt is told."""
        import numpy
        if self._on_gpu():
            raise BufferError("the tensor is on a GPU: use write(), or DLPack")
        found = numpy.asarray(_Memory(self, False)) if self.size else numpy.empty(self.shape, numpy.dtype(_TYPESTR[self.dtype]))
        try:
            yield found.view(_ml_dtype(self.dtype)) if self.dtype in _ML_DTYPES else found
        finally:
            self.mark_modified()

    def mark_modified(self) -> None:
        """Says that the memory was written to behind mpt's back: low-precision copies are made anew."""
        _core.mpt_tensor_mark_modified(self)

    def _on_gpu(self) -> bool:
        return self._ctx is not None and not self._ctx.closed and self._ctx.device == Device.CUDA

    def _check_readable(self) -> None:
        if self._on_gpu():
            raise BufferError("the tensor is on a GPU: use numpy() for a copy, or DLPack")

    # ---- DLPack ----
    def __dlpack_device__(self) -> tuple[int, int]:
        return (2, self._ctx.index) if self._on_gpu() else (1, 0)

    def __dlpack__(self, *, stream: int | None = None, max_version: tuple[int, int] | None = None, dl_device: tuple[int, int] | None = None,
                   copy: bool | None = None) -> Any:
        """A capsule of this memory. stream: the consumer's, as the protocol says: None is CUDA's default stream, -1 orders nothing."""
        if self.requires_grad:
            raise BufferError("the tensor asks for gradients: use detach()")
        if dl_device is not None and tuple(dl_device) != self.__dlpack_device__():
            raise BufferError("mpt does not move tensors to other devices")
        given = self
        if copy:
            given = empty(self.shape, self.dtype, ctx=self._ctx).copy_(self)
        if stream == 0 and self._on_gpu():
            raise BufferError("stream is 0, which is ambiguous: give 1 for CUDA's default stream, 2 for the thread's own, or -1")
        if stream is None and self._on_gpu():
            stream = 1
        return _core.to_dlpack(given, None if stream == -1 else stream, int(max_version is not None and max_version[0] >= 1))

    # ---- in place ----
    def fill_(self, value: float) -> Tensor:
        """Sets every element."""
        _core.mpt_tensor_fill(self, value)
        return self

    def uniform_(self, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Uniform numbers from [low, high)."""
        _core.mpt_tensor_random_uniform(self, low, high)
        return self

    def normal_(self, mean: float = 0.0, std: float = 1.0) -> Tensor:
        """Normal numbers."""
        _core.mpt_tensor_random_normal(self, mean, std)
        return self

    def init_(self, init: Init | str = "default") -> Tensor:
        """Fills a weight [out, in, ...] as a layer would."""
        _core.mpt_tensor_init(self, as_enum(Init, init))
        return self

    def range_(self, start: float = 0.0, step: float = 1.0) -> Tensor:
        """Sets element i, in logical order, to start + i * step."""
        _core.mpt_tensor_fill_range(self, start, step)
        return self

    def copy_(self, source: Tensor) -> Tensor:
        """Copies source in, converting the dtype and broadcasting."""
        _core.mpt_tensor_copy(self, source)
        return self

    # ---- gradients ----
    @property
    def requires_grad(self) -> bool:
        """Does a backward leave a gradient here?"""
        return bool(_core.mpt_tensor_requires_grad(self))

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        _core.mpt_tensor_set_requires_grad(self, 1 if value else 0)

    @property
    def grad(self) -> Tensor:
        """The gradient, an ordinary tensor, zero when first asked for. Scaled after a backward with a scaler."""
        return made(_core.mpt_tensor_grad(self), self)

    def detach(self) -> Tensor:
        """A view that is cut from the graph of gradients."""
        return made(_core.mpt_tensor_detach(self), self)

    def backward(self, scaler: Any = None, mode: GradMode | str = "write") -> None:
        """Gradients of this scalar in every leaf that asks for them."""
        backward(self, scaler, mode)

    # ---- operators ----
    def __add__(self, other: Any) -> Tensor:
        return self.affine(1.0, other) if _number(other) and self.dtype in FLOATING else ops.add(self, other)

    def __sub__(self, other: Any) -> Tensor:
        return self.affine(1.0, -other) if _number(other) and self.dtype in FLOATING else ops.sub(self, other)

    def __mul__(self, other: Any) -> Tensor:
        return self.affine(other, 0.0) if _number(other) and self.dtype in FLOATING else ops.mul(self, other)

    def __rsub__(self, other: Any) -> Tensor:
        return self.affine(-1.0, other) if _number(other) and self.dtype in FLOATING else ops.sub(other, self)

    def __truediv__(self, other: Any) -> Tensor:
        return ops.div(self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return ops.div(other, self)

    __radd__, __rmul__ = __add__, __mul__

    def __floordiv__(self, other: Any) -> Tensor:
        return ops.floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Tensor:
        return ops.floor_divide(other, self)

    def __mod__(self, other: Any) -> Tensor:
        return ops.remainder(self, other)

    def __rmod__(self, other: Any) -> Tensor:
        return ops.remainder(other, self)

    def __pow__(self, other: Any) -> Tensor:
        return ops.pow_scalar(self, other) if _number(other) else ops.pow(self, other)

    def __rpow__(self, other: Any) -> Tensor:
        return ops.pow(other, self)

    def __matmul__(self, other: Tensor) -> Tensor:
        return ops.matmul(self, other)

    def __neg__(self) -> Tensor:
        return ops.neg(self)

    def __abs__(self) -> Tensor:
        return ops.abs(self)

    def __invert__(self) -> Tensor:
        return ops.logical_not(self)

    def __and__(self, other: Any) -> Tensor:
        return ops.logical_and(self, other)

    def __or__(self, other: Any) -> Tensor:
        return ops.logical_or(self, other)

    def __xor__(self, other: Any) -> Tensor:
        return ops.logical_xor(self, other)

    def __eq__(self, other: Any) -> Any:
        return ops.equal(self, other) if isinstance(other, Tensor) or _number(other) or hasattr(other, "__array__") else NotImplemented

    def __ne__(self, other: Any) -> Any:
        return ops.not_equal(self, other) if isinstance(other, Tensor) or _number(other) or hasattr(other, "__array__") else NotImplemented

    def __lt__(self, other: Any) -> Tensor:
        return ops.less(self, other)

    def __le__(self, other: Any) -> Tensor:
        return ops.less_equal(self, other)

    def __gt__(self, other: Any) -> Tensor:
        return ops.greater(self, other)

    def __ge__(self, other: Any) -> Tensor:
        return ops.greater_equal(self, other)

    __hash__ = object.__hash__

    @property
    def T(self) -> Tensor:
        """The last two dimensions exchanged."""
        return self.transpose()

    def __getitem__(self, index: Any) -> Tensor:
        """Numbers, slices without a step, ..., None, and one tensor of indices."""
        if not isinstance(index, tuple):
            index = (index,)
        given = builtins.sum(i is not None and i is not Ellipsis for i in index)
        if given > self.ndim:
            raise IndexError(f"{given} indices for {self.ndim} dimensions")
        result, dim = self, 0
        for i in index:
            if i is None:
                result, dim = ops.unsqueeze(result, dim), dim + 1
            elif i is Ellipsis:
                dim += self.ndim - given
            elif isinstance(i, Tensor):
                result, dim = ops.index_select(result, dim, i), dim + 1
            elif isinstance(i, builtins.slice):
                start, stop, step = i.indices(result.shape[dim])
                if step != 1:
                    raise IndexError("slices with a step are not to be had: use flip or index_select")
                result, dim = ops.slice(result, dim, start, builtins.max(stop - start, 0)), dim + 1
            else:
                extent, at = result.shape[dim], i.__index__()
                if not -extent <= at < extent:
                    raise IndexError(f"index {at} is outside of dimension {dim} with {extent} elements")
                result = ops.squeeze(ops.slice(result, dim, at % extent, 1), dim)
        return made(_core.mpt_slice(self, 0, 0, self.shape[0]), self) if result is self and self.ndim else result

    def __setitem__(self, index: Any, value: Any) -> None:
        with no_grad(self._ctx):
            part = self[index]
            part.copy_(value if isinstance(value, Tensor) else tensor(value, part.dtype, ctx=self._ctx))

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))


_core.register("mpt_tensor", Tensor)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float))


def _ml_dtype(dtype: DType) -> Any:
    try:
        import ml_dtypes
    except ImportError as error:
        raise ImportError(f"NumPy has no {dtype.name} of its own: install ml_dtypes") from error
    return getattr(ml_dtypes, _ML_DTYPES[dtype])


def dtype_size(dtype: Any) -> int:
    """The bytes of an element."""
    return int(_core.mpt_dtype_size(as_dtype(dtype)))


def dtype_name(dtype: Any) -> str:
    """The name of an element type, such as "bf16"."""
    return str(_core.mpt_dtype_name(as_dtype(dtype)))


def _flatten(data: Any, shape: list[int], depth: int, out: list[Any]) -> None:
    if isinstance(data, (list, tuple)):
        if len(shape) == depth:
            shape.append(len(data))
        elif shape[depth] != len(data):
            raise ShapeError(f"nested lists of different lengths: {shape[depth]} and {len(data)}")
        for one in data:
            _flatten(one, shape, depth + 1, out)
    else:
        if len(shape) != depth:
            raise ShapeError("nested lists of different depths")
        out.append(data)


def host_form(data: Any) -> tuple[Any, DType, tuple[int, ...]]:
    """(buffer, dtype, shape) of an array, of any object with a buffer, or of numbers in nested lists."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and not isinstance(data, numpy.ndarray) and isinstance(data, numpy.generic):
        data = numpy.asarray(data)
    if numpy is not None and isinstance(data, numpy.ndarray):
        dtype, shape = as_dtype(data.dtype), data.shape
        dense = numpy.ascontiguousarray(data)
        return dense.reshape(-1).view(numpy.uint8), dtype, shape
    if not isinstance(data, (list, tuple, int, float)):
        view = memoryview(data)
        code = view.format.lstrip("@=<") if view.format else "B"
        if code not in _FORMATS:
            raise TypeError(f"a buffer of format {view.format!r} is nothing that mpt has")
        return (view if view.c_contiguous else view.tobytes()), _FORMATS[code], tuple(view.shape or ())
    shape_list: list[int] = []
    flat: list[Any] = []
    _flatten(data, shape_list, 0, flat)
    if all(isinstance(v, bool) for v in flat) and flat:
        dtype = DType.bool
    elif all(isinstance(v, int) for v in flat) and flat:
        dtype = DType.i64
    else:
        dtype = DType.f32
    return array.array(_ARRAY_CODES[dtype], flat), dtype, tuple(shape_list)


def _buffer_for(target: Tensor, data: Any) -> Any:
    """Bytes of the target's dtype from what the host has."""
    if isinstance(data, (bytes, bytearray)):
        return data
    buffer, dtype, shape = host_form(data)
    if dtype == target.dtype:
        if shape != target.shape and not isinstance(data, (memoryview, array.array)):
            raise ShapeError(f"the tensor has shape {list(target.shape)}, the data {list(shape)}")
        return buffer
    converted = tensor(data, ctx=target._ctx).cast(target.dtype)
    if shape != target.shape:
        raise ShapeError(f"the tensor has shape {list(target.shape)}, the data {list(shape)}")
    return converted.tobytes()


# ---- making tensors ----
def empty(shape: Dims, dtype: Any = DType.f32, *, ctx: Context | None = None) -> Tensor:
    """A tensor with undefined contents."""
    ctx = ctx or current_context()
    out: Tensor = _core.mpt_tensor_create(ctx, as_dtype(dtype), _dims(shape))
    out._ctx = ctx
    return out


def full(shape: Dims, value: float, dtype: Any = DType.f32, *, ctx: Context | None = None) -> Tensor:
    """A tensor of one value."""
    return empty(shape, dtype, ctx=ctx).fill_(value)


def zeros(shape: Dims, dtype: Any = DType.f32, *, ctx: Context | None = None) -> Tensor:
    """A tensor of zeros."""
    return full(shape, 0.0, dtype, ctx=ctx)


def ones(shape: Dims, dtype: Any = DType.f32, *, ctx: Context | None = None) -> Tensor:
    """A tensor of ones."""
    return full(shape, 1.0, dtype, ctx=ctx)


def arange(count: int, dtype: Any = DType.i64, *, start: float = 0, step: float = 1, ctx: Context | None = None) -> Tensor:
    """count numbers from start on."""
    return empty(count, dtype, ctx=ctx).range_(start, step)


def uniform(shape: Dims, low: float = 0.0, high: float = 1.0, dtype: Any = DType.f32, *, ctx: Context | None = None) -> Tensor:
    """Uniform numbers from [low, high), of the context's random numbers."""
    return empty(shape, dtype, ctx=ctx).uniform_(low, high)


def normal(shape: Dims, mean: float = 0.0, std: float = 1.0, dtype: Any = DType.f32, *, ctx: Context | None = None) -> Tensor:
    """Normal numbers, of the context's random numbers."""
    return empty(shape, dtype, ctx=ctx).normal_(mean, std)


def tensor(data: Any, dtype: Any = None, *, requires_grad: bool = False, ctx: Context | None = None) -> Tensor:
    """A copy of a number, nested lists, a NumPy array, anything with a buffer or DLPack. Floats are f32 where nothing else says."""
    ctx = ctx or current_context()
    wanted = None if dtype is None else as_dtype(dtype)
    if isinstance(data, Tensor):
        out = empty(data.shape, wanted or data.dtype, ctx=ctx)
        if data._ctx is ctx:
            with no_grad(ctx):
                out.copy_(data)
        else:
            out.write(data.detach().cast(out.dtype).tobytes())
    elif hasattr(data, "__dlpack__") and "numpy" not in type(data).__module__:
        shared = from_dlpack(data, ctx=ctx)
        out = empty(shared.shape, wanted or shared.dtype, ctx=ctx).copy_(shared)
    else:
        buffer, found, shape = host_form(data)
        out = empty(shape, found, ctx=ctx)
        if out.size:
            _core.mpt_tensor_write(out, buffer)
        if wanted is not None and wanted != found:
            out = out.cast(wanted)
    if requires_grad:
        out.requires_grad = True
    return out


def scalar(value: Any, like: Tensor | None, other: Tensor | None = None) -> Tensor:
    """An operand: a number in the dtype of what it meets, or an array."""
    source = like if like is not None else other
    ctx = source._ctx if source is not None else None
    if isinstance(value, (bool, int, float)):
        dtype = like.dtype if like is not None else DType.f32
        if isinstance(value, float) and dtype not in FLOATING:
            dtype = DType.f32
        return full((), value, dtype, ctx=ctx)
    return tensor(value, ctx=ctx)


def from_dlpack(data: Any, *, ctx: Context | None = None) -> Tensor:
    """A tensor of the same memory as another library's array."""
    ctx = ctx or current_context()
    if not hasattr(data, "__dlpack__"):
        capsule = data
    else:
        arguments: dict[str, Any] = {}
        if ctx.device == Device.CUDA:
            arguments["stream"] = ctx.stream or 1
        try:
            capsule = data.__dlpack__(max_version=(1, 1), **arguments)
        except TypeError:
            capsule = data.__dlpack__(**arguments)
    out: Tensor = _core.from_dlpack(ctx, capsule)
    out._ctx = ctx
    return out


def from_buffer(data: Any, dtype: Any = None, shape: Dims | None = None, *, ctx: Context | None = None) -> Tensor:
    """A tensor of the same memory as a writable, contiguous buffer, for example an array.array or a NumPy array. bf16 and fp8, which have no
    buffer: a view of them as uint16 or uint8, with dtype and shape given. After writing to it say mark_modified."""
    ctx = ctx or current_context()
    view = memoryview(data)
    kind = _FORMATS[(view.format or "B").lstrip("@=<")] if dtype is None else as_dtype(dtype)
    out: Tensor = _core.wrap_buffer(ctx, kind, _dims(shape) if shape is not None else tuple(view.shape or ()), data)
    out._ctx = ctx
    return out


def from_address(address: int, shape: Dims, dtype: Any, *, strides: Sequence[int] | None = None, nbytes: int | None = None,
                 owner: Any = None, ctx: Context | None = None) -> Tensor:
    """A tensor of memory on the context's device. owner is kept as long as mpt uses it."""
    ctx = ctx or current_context()
    kind, extents = as_dtype(dtype), tuple(_dims(shape) or ())
    if nbytes is None:
        last = 1 + builtins.sum((e - 1) * s for e, s in zip(extents, strides)) if strides else math.prod(extents)
        nbytes = (last if math.prod(extents) else 0) * dtype_size(kind)
    out: Tensor = _core.wrap(ctx, kind, extents, strides, address, nbytes, owner)
    out._ctx = ctx
    return out


# ---- gradients ----
class no_grad(Block):
    """`with mpt.no_grad():` nothing is remembered for gradients. Also a decorator."""

    def __init__(self, ctx: Context | None = None) -> None:
        super().__init__()
        self._given = ctx

    def __enter__(self) -> None:
        self._enter(self._given or current_context(), _core.mpt_no_grad_begin)

    def __exit__(self, *exception: Any) -> None:
        self._exit(_core.mpt_no_grad_end, exception[0] is not None)


def backward(loss: Tensor, scaler: Any = None, mode: GradMode | str = "write") -> None:
    """Gradients of a scalar, times the scaler's scale, in every leaf that asks for them. mode "add" accumulates."""
    _core.mpt_backward(loss, scaler, as_enum(GradMode, mode))


def backward_from(roots: Sequence[Tensor], cotangents: Sequence[Tensor], mode: GradMode | str = "write") -> None:
    """The same from several roots with their cotangents."""
    _core.mpt_backward_from((roots, cotangents), as_enum(GradMode, mode))


__all__ = ["Tensor", "dtype_size", "dtype_name", "empty", "full", "zeros", "ones", "arange", "uniform", "normal", "tensor", "from_dlpack",
           "from_buffer", "from_address", "no_grad", "backward", "backward_from"]
