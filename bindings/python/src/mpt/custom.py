"""Custom ops: the host's own arithmetic in NumPy."""
from __future__ import annotations

from typing import Any, Sequence

from . import _core
from ._enums import DType
from ._support import as_dtype, made_all
from .tensor import _ML_DTYPES, _TYPESTR, Tensor, _ml_dtype


class _At:
    def __init__(self, form: tuple[int, int, tuple[int, ...], tuple[int, ...]], read_only: bool) -> None:
        data, kind, shape, strides = form
        size = int(_core.mpt_dtype_size(kind))
        self.__array_interface__ = {"version": 3, "shape": shape, "typestr": _TYPESTR[DType(kind)], "data": (data, read_only),
                                    "strides": tuple(s * size for s in strides)}


def _arrays(forms: list[Any], read_only: bool) -> list[Any]:
    import numpy
    out: list[Any] = []
    for form in forms:
        dtype = DType(form[1])
        if dtype == DType.none:
            out.append(None)
            continue
        found = numpy.asarray(_At(form, read_only)) if form[0] else numpy.empty(form[2], numpy.dtype(_TYPESTR[dtype]))
        out.append(found.view(_ml_dtype(dtype)) if dtype in _ML_DTYPES else found)
    return out


class CustomOp:
    """An op of one's own on NumPy arrays, a class:

        class Cube(mpt.CustomOp):
            def forward(self, inputs, outputs):
                outputs[0][...] = inputs[0] ** 3

            def backward(self, inputs, outputs, gradients, input_gradients):
                input_gradients[0][...] = 3 * inputs[0] ** 2 * gradients[0]

        y = Cube()(x)

    Without a backward there is no gradient. Inside a capture both are called at each run, maybe on another thread; they must not call mpt and
    must not keep the arrays. Under autocast they get tensors as they come: policy.set_op("custom", "f32") has them converted.
    """

    outputs: int = 1
    backward: Any = None

    def shapes(self, inputs: list[tuple[tuple[int, ...], DType]]) -> Sequence[tuple[Sequence[int], Any]]:
        """(shape, dtype) of each output from those of the inputs; as the first input unless said otherwise."""
        return [inputs[0]] * self.outputs

    def forward(self, inputs: list[Any], outputs: list[Any]) -> None:
        """Writes outputs."""
        raise NotImplementedError

    def __call__(self, *inputs: Tensor) -> Any:
        if not inputs:
            raise ValueError("an op needs an input")
        ctx = inputs[0]._ctx
        result = made_all(_core.custom_op(ctx, type(self).__name__, self, int(self.backward is not None), inputs, self.outputs), inputs[0])
        return result[0] if self.outputs == 1 else result

    def _shape(self, inputs: list[Any], n: int) -> list[tuple[tuple[int, ...], int]]:
        found = [(tuple(shape), int(as_dtype(dtype))) for shape, dtype in self.shapes([(i[2], DType(i[1])) for i in inputs])]
        if len(found) != n:
            raise ValueError(f"{type(self).__name__}.shapes gave {len(found)} outputs, {n} are wanted")
        return found

    def _forward(self, inputs: list[Any], outputs: list[Any]) -> None:
        self.forward(_arrays(inputs, True), _arrays(outputs, False))

    def _backward(self, inputs: list[Any], outputs: list[Any]) -> None:
        n = self.outputs
        count = len(inputs) - 2 * n
        arrays = _arrays(inputs, True)
        self.backward(arrays[:count], arrays[count:count + n], arrays[count + n:], _arrays(outputs, False))


__all__ = ["CustomOp"]
