"""The ops: functions of tensors, and the same as methods.

Written by generate.py from the description of mpt.h: change that instead."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Sequence, Union

from . import _core
from ._enums import *
from ._support import (Dims, Pair, as_dtype, as_enum, descriptor as _descriptor, dims as _dims, first as _first, made as _made,
                       made_all as _made_all, operands as _operands, second as _second)

if TYPE_CHECKING:
    from .tensor import Tensor
    Operand = Union[Tensor, float, int, bool]


def add(a: Operand, b: Operand) -> Tensor:
    """a + b, with broadcasting as NumPy's. Floating and integer dtypes."""
    a, b = _operands(a, b)
    return _made(_core.mpt_add(a, b), a)


def sub(a: Operand, b: Operand) -> Tensor:
    """a - b, with broadcasting. Floating and integer dtypes."""
    a, b = _operands(a, b)
    return _made(_core.mpt_sub(a, b), a)


def mul(a: Operand, b: Operand) -> Tensor:
    """a * b, element by element, with broadcasting. Floating and integer dtypes."""
    a, b = _operands(a, b)
    return _made(_core.mpt_mul(a, b), a)


def div(a: Operand, b: Operand) -> Tensor:
    """a / b, element by element, with broadcasting."""
    a, b = _operands(a, b)
    return _made(_core.mpt_div(a, b), a)


def affine(x: Tensor, scale: float = 1.0, shift: float = 0.0) -> Tensor:
    """scale * x + shift."""
    return _made(_core.mpt_affine(x, scale, shift), x)


def neg(x: Tensor) -> Tensor:
    """-x."""
    return _made(_core.mpt_neg(x), x)


def exp(x: Tensor) -> Tensor:
    """e to the x."""
    return _made(_core.mpt_exp(x), x)


def log(x: Tensor) -> Tensor:
    """The natural logarithm."""
    return _made(_core.mpt_log(x), x)


def sqrt(x: Tensor) -> Tensor:
    """The square root."""
    return _made(_core.mpt_sqrt(x), x)


def relu(x: Tensor) -> Tensor:
    """max(x, 0); NaN stays NaN; the gradient at 0 is 0."""
    return _made(_core.mpt_relu(x), x)


def abs(x: Tensor) -> Tensor:
    """|x|; the gradient at 0 is 0."""
    return _made(_core.mpt_abs(x), x)


def sign(x: Tensor) -> Tensor:
    """-1, 0 or 1; NaN stays; the gradient is 0."""
    return _made(_core.mpt_sign(x), x)


def square(x: Tensor) -> Tensor:
    """x * x."""
    return _made(_core.mpt_square(x), x)


def rsqrt(x: Tensor) -> Tensor:
    """1 / sqrt(x)."""
    return _made(_core.mpt_rsqrt(x), x)


def reciprocal(x: Tensor) -> Tensor:
    """1 / x."""
    return _made(_core.mpt_reciprocal(x), x)


def exp2(x: Tensor) -> Tensor:
    """2 to the x."""
    return _made(_core.mpt_exp2(x), x)


def expm1(x: Tensor) -> Tensor:
    """exp(x) - 1, exact near 0."""
    return _made(_core.mpt_expm1(x), x)


def log2(x: Tensor) -> Tensor:
    """The logarithm to base 2."""
    return _made(_core.mpt_log2(x), x)


def log10(x: Tensor) -> Tensor:
    """The logarithm to base 10."""
    return _made(_core.mpt_log10(x), x)


def log1p(x: Tensor) -> Tensor:
    """log(1 + x), exact near 0."""
    return _made(_core.mpt_log1p(x), x)


def sin(x: Tensor) -> Tensor:
    """The sine of x in radians."""
    return _made(_core.mpt_sin(x), x)


def cos(x: Tensor) -> Tensor:
    """The cosine of x in radians."""
    return _made(_core.mpt_cos(x), x)


def tan(x: Tensor) -> Tensor:
    """The tangent of x in radians."""
    return _made(_core.mpt_tan(x), x)


def asin(x: Tensor) -> Tensor:
    """The arc sine."""
    return _made(_core.mpt_asin(x), x)


def acos(x: Tensor) -> Tensor:
    """The arc cosine."""
    return _made(_core.mpt_acos(x), x)


def atan(x: Tensor) -> Tensor:
    """The arc tangent."""
    return _made(_core.mpt_atan(x), x)


def sinh(x: Tensor) -> Tensor:
    """The hyperbolic sine."""
    return _made(_core.mpt_sinh(x), x)


def cosh(x: Tensor) -> Tensor:
    """The hyperbolic cosine."""
    return _made(_core.mpt_cosh(x), x)


def tanh(x: Tensor) -> Tensor:
    """The hyperbolic tangent."""
    return _made(_core.mpt_tanh(x), x)


def asinh(x: Tensor) -> Tensor:
    """The inverse hyperbolic sine."""
    return _made(_core.mpt_asinh(x), x)


def acosh(x: Tensor) -> Tensor:
    """The inverse hyperbolic cosine."""
    return _made(_core.mpt_acosh(x), x)


def atanh(x: Tensor) -> Tensor:
    """The inverse hyperbolic tangent."""
    return _made(_core.mpt_atanh(x), x)


def erf(x: Tensor) -> Tensor:
    """The error function."""
    return _made(_core.mpt_erf(x), x)


def floor(x: Tensor) -> Tensor:
    """The largest integer not above x; the gradient is 0."""
    return _made(_core.mpt_floor(x), x)


def ceil(x: Tensor) -> Tensor:
    """The smallest integer not below x; the gradient is 0."""
    return _made(_core.mpt_ceil(x), x)


def round(x: Tensor) -> Tensor:
    """The nearest integer, halves to even; the gradient is 0."""
    return _made(_core.mpt_round(x), x)


def trunc(x: Tensor) -> Tensor:
    """x without its fraction; the gradient is 0."""
    return _made(_core.mpt_trunc(x), x)


def sigmoid(x: Tensor) -> Tensor:
    """1 / (1 + exp(-x))."""
    return _made(_core.mpt_sigmoid(x), x)


def silu(x: Tensor) -> Tensor:
    """x * sigmoid(x) [Elfwing et al. 2018]."""
    return _made(_core.mpt_silu(x), x)


def softplus(x: Tensor) -> Tensor:
    """log(1 + exp(x))."""
    return _made(_core.mpt_softplus(x), x)


def isnan(x: Tensor) -> Tensor:
    """Is x NaN? BOOL."""
    return _made(_core.mpt_isnan(x), x)


def isinf(x: Tensor) -> Tensor:
    """Is x infinite? BOOL."""
    return _made(_core.mpt_isinf(x), x)


def isfinite(x: Tensor) -> Tensor:
    """Is x neither NaN nor infinite? BOOL."""
    return _made(_core.mpt_isfinite(x), x)


def logical_not(x: Tensor) -> Tensor:
    """1 where x is 0, else 0. Every dtype but fp8; BOOL."""
    return _made(_core.mpt_logical_not(x), x)


def leaky_relu(x: Tensor, slope: float = 0.01) -> Tensor:
    """x where x > 0, else slope * x."""
    return _made(_core.mpt_leaky_relu(x, slope), x)


def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """x where x > 0, else alpha * (exp(x) - 1) [Clevert et al. 2016]."""
    return _made(_core.mpt_elu(x, alpha), x)


def gelu(x: Tensor, kind: GeluKind | str = "exact") -> Tensor:
    """x times the normal distribution's function of x, exact or approximate."""
    return _made(_core.mpt_gelu(x, as_enum(GeluKind, kind)), x)


def clamp(x: Tensor, low: float = -math.inf, high: float = math.inf) -> Tensor:
    """min(max(x, low), high); low and high may be infinite; NaN stays; no gradient outside and at the limits, as
    torch.clamp."""
    return _made(_core.mpt_clamp(x, low, high), x)


def pow_scalar(x: Tensor, exponent: float) -> Tensor:
    """x to the exponent."""
    return _made(_core.mpt_pow_scalar(x, exponent), x)


def pow(a: Operand, b: Operand) -> Tensor:
    """a to the b, element by element, with broadcasting."""
    a, b = _operands(a, b)
    return _made(_core.mpt_pow(a, b), a)


def maximum(a: Operand, b: Operand) -> Tensor:
    """The larger of a and b (NaN wins; equal ones share the gradient), with broadcasting. Floating and integer
    dtypes."""
    a, b = _operands(a, b)
    return _made(_core.mpt_maximum(a, b), a)


def minimum(a: Operand, b: Operand) -> Tensor:
    """The smaller of a and b (NaN wins; equal ones share the gradient), with broadcasting. Floating and integer
    dtypes."""
    a, b = _operands(a, b)
    return _made(_core.mpt_minimum(a, b), a)


def fmod(a: Operand, b: Operand) -> Tensor:
    """The remainder of a / b with the sign of a [C fmod], with broadcasting."""
    a, b = _operands(a, b)
    return _made(_core.mpt_fmod(a, b), a)


def remainder(a: Operand, b: Operand) -> Tensor:
    """The remainder of a / b with the sign of b [NumPy remainder], with broadcasting."""
    a, b = _operands(a, b)
    return _made(_core.mpt_remainder(a, b), a)


def floor_divide(a: Operand, b: Operand) -> Tensor:
    """floor(a / b) of the exact quotient, with broadcasting: -1 for -5 and infinity [NumPy floor_divide]; the
    gradient is 0."""
    a, b = _operands(a, b)
    return _made(_core.mpt_floor_divide(a, b), a)


def atan2(a: Operand, b: Operand) -> Tensor:
    """The angle of the point (b, a) in radians [C atan2], with broadcasting."""
    a, b = _operands(a, b)
    return _made(_core.mpt_atan2(a, b), a)


def equal(a: Operand, b: Operand) -> Tensor:
    """a == b as BOOL, with broadcasting. Every dtype but fp8; no gradient."""
    a, b = _operands(a, b)
    return _made(_core.mpt_equal(a, b), a)


def not_equal(a: Operand, b: Operand) -> Tensor:
    """a != b as BOOL, with broadcasting. Every dtype but fp8; no gradient."""
    a, b = _operands(a, b)
    return _made(_core.mpt_not_equal(a, b), a)


def less(a: Operand, b: Operand) -> Tensor:
    """a < b as BOOL, with broadcasting. Every dtype but fp8; no gradient."""
    a, b = _operands(a, b)
    return _made(_core.mpt_less(a, b), a)


def less_equal(a: Operand, b: Operand) -> Tensor:
    """a <= b as BOOL, with broadcasting. Every dtype but fp8; no gradient."""
    a, b = _operands(a, b)
    return _made(_core.mpt_less_equal(a, b), a)


def greater(a: Operand, b: Operand) -> Tensor:
    """a > b as BOOL, with broadcasting. Every dtype but fp8; no gradient."""
    a, b = _operands(a, b)
    return _made(_core.mpt_greater(a, b), a)


def greater_equal(a: Operand, b: Operand) -> Tensor:
    """a >= b as BOOL, with broadcasting. Every dtype but fp8; no gradient."""
    a, b = _operands(a, b)
    return _made(_core.mpt_greater_equal(a, b), a)


def logical_and(a: Operand, b: Operand) -> Tensor:
    """Logical and of BOOL tensors, with broadcasting."""
    a, b = _operands(a, b)
    return _made(_core.mpt_logical_and(a, b), a)


def logical_or(a: Operand, b: Operand) -> Tensor:
    """Logical or of BOOL tensors, with broadcasting."""
    a, b = _operands(a, b)
    return _made(_core.mpt_logical_or(a, b), a)


def logical_xor(a: Operand, b: Operand) -> Tensor:
    """Logical xor of BOOL tensors, with broadcasting."""
    a, b = _operands(a, b)
    return _made(_core.mpt_logical_xor(a, b), a)


def where(condition: Tensor, a: Operand, b: Operand) -> Tensor:
    """a where condition (BOOL) is true, else b, with broadcasting of all three. a and b of every dtype but fp8."""
    a, b = _operands(a, b, condition)
    return _made(_core.mpt_where(condition, a, b), condition)


def sum(x: Tensor, dims: Dims | None = None, keep_dims: bool = False) -> Tensor:
    """Sum over ndims dimensions (dims None: all). keep_dims 1 leaves extents of 1. Accumulates in f32 (f64 for
    f64)."""
    return _made(_core.mpt_sum(x, _dims(dims), 1 if keep_dims else 0), x)


def mean(x: Tensor, dims: Dims | None = None, keep_dims: bool = False) -> Tensor:
    """Mean over dimensions; conventions as sum."""
    return _made(_core.mpt_mean(x, _dims(dims), 1 if keep_dims else 0), x)


def max(x: Tensor, dims: Dims | None = None, keep_dims: bool = False) -> Tensor:
    """Largest element over dimensions (NaN wins); equal maxima share the gradient [torch.amax]. Conventions as
    sum."""
    return _made(_core.mpt_max(x, _dims(dims), 1 if keep_dims else 0), x)


def min(x: Tensor, dims: Dims | None = None, keep_dims: bool = False) -> Tensor:
    """Smallest element over dimensions; conventions as max."""
    return _made(_core.mpt_min(x, _dims(dims), 1 if keep_dims else 0), x)


def prod(x: Tensor, dims: Dims | None = None, keep_dims: bool = False) -> Tensor:
    """Product over dimensions, accumulated in f32 (f64 for f64); conventions as sum."""
    return _made(_core.mpt_prod(x, _dims(dims), 1 if keep_dims else 0), x)


def var(x: Tensor, dims: Dims | None = None, keep_dims: bool = False, correction: float = 1.0) -> Tensor:
    """Variance over dimensions: the sum of squared distances from the mean divided by (count - correction);
    conventions as sum."""
    return _made(_core.mpt_var(x, _dims(dims), 1 if keep_dims else 0, correction), x)


def norm(x: Tensor, dims: Dims | None = None, keep_dims: bool = False) -> Tensor:
    """Euclidean norm over dimensions; the gradient of a norm of 0 is 0; conventions as sum."""
    return _made(_core.mpt_norm(x, _dims(dims), 1 if keep_dims else 0), x)


def logsumexp(x: Tensor, dims: Dims | None = None, keep_dims: bool = False) -> Tensor:
    """log(sum(exp(x))) over dimensions without overflow; conventions as sum."""
    return _made(_core.mpt_logsumexp(x, _dims(dims), 1 if keep_dims else 0), x)


def any(x: Tensor, dims: Dims | None = None, keep_dims: bool = False) -> Tensor:
    """Is any element of a BOOL tensor true? Conventions as sum."""
    return _made(_core.mpt_any(x, _dims(dims), 1 if keep_dims else 0), x)


def all(x: Tensor, dims: Dims | None = None, keep_dims: bool = False) -> Tensor:
    """Are all elements of a BOOL tensor true? Conventions as sum."""
    return _made(_core.mpt_all(x, _dims(dims), 1 if keep_dims else 0), x)


def argmax(x: Tensor, dim: int, keep_dims: bool = False) -> Tensor:
    """The index (I64) of the largest element along dim, the first of equals; NaN wins. keep_dims as in sum. No
    gradient."""
    return _made(_core.mpt_argmax(x, dim, 1 if keep_dims else 0), x)


def argmin(x: Tensor, dim: int, keep_dims: bool = False) -> Tensor:
    """The index (I64) of the smallest element along dim; conventions as argmax."""
    return _made(_core.mpt_argmin(x, dim, 1 if keep_dims else 0), x)


def cumsum(x: Tensor, dim: int) -> Tensor:
    """Running sum along dim, accumulated in f32 (f64 for f64)."""
    return _made(_core.mpt_cumsum(x, dim), x)


def sort(x: Tensor, dim: int = -1, descending: bool = False) -> tuple[Tensor, Tensor]:
    """The elements along dim in ascending (descending 1: descending) order and where they were (I64). Stable; NaN
    counts as the largest."""
    return _made_all(_core.mpt_sort(x, dim, 1 if descending else 0), x)


def topk(x: Tensor, k: int, dim: int = -1, largest: bool = True) -> tuple[Tensor, Tensor]:
    """The k largest (largest 0: smallest) elements along dim, best first, and where they were (I64)."""
    return _made_all(_core.mpt_topk(x, k, dim, 1 if largest else 0), x)


def reshape(x: Tensor, shape: Dims) -> Tensor:
    """Another shape for the same elements in logical order; one extent may be -1. A view where strides allow,
    else a copy. Every dtype."""
    return _made(_core.mpt_reshape(x, _dims(shape)), x)


def transpose(x: Tensor, dims: Dims | None = None) -> Tensor:
    """A view with dimensions reordered: dimension i of out is dims[i] of x. dims None: the last two exchanged.
    Every dtype."""
    return _made(_core.mpt_transpose(x, _dims(dims)), x)


def slice(x: Tensor, dim: int, start: int, length: int) -> Tensor:
    """A view of length elements from start along dim. Every dtype."""
    return _made(_core.mpt_slice(x, dim, start, length), x)


def cast(x: Tensor, dtype: DType | str) -> Tensor:
    """Another dtype, rounding to nearest even; x itself (retained) when it has that dtype. Every dtype."""
    return _made(_core.mpt_cast(x, as_dtype(dtype)), x)


def expand(x: Tensor, shape: Dims) -> Tensor:
    """x with broadcasting to shape: a view with strides of 0. Every dtype."""
    return _made(_core.mpt_expand(x, _dims(shape)), x)


def squeeze(x: Tensor, dim: int) -> Tensor:
    """A view without dimension dim, whose extent is 1. Every dtype."""
    return _made(_core.mpt_squeeze(x, dim), x)


def unsqueeze(x: Tensor, dim: int) -> Tensor:
    """A view with an extent of 1 in front of dimension dim. Every dtype."""
    return _made(_core.mpt_unsqueeze(x, dim), x)


def contiguous(x: Tensor) -> Tensor:
    """A contiguous copy; x itself (retained) where it is contiguous. Every dtype."""
    return _made(_core.mpt_contiguous(x), x)


def concat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """The n tensors one after the other along dim; other extents equal. Every dtype but fp8; floating ones are
    promoted."""
    return _made(_core.mpt_concat(tensors, dim), tensors[0])


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """The n tensors of one shape along a new dimension dim. Dtypes as concat."""
    return _made(_core.mpt_stack(tensors, dim), tensors[0])


def split(x: Tensor, lengths: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """n views of the given lengths along dim, which must add up to its extent. outputs: room for n. Every dtype."""
    return _made_all(_core.mpt_split(x, dim, lengths), x)


def pad(x: Tensor, padding: Sequence[tuple[int, int]], value: float = 0.0) -> Tensor:
    """value in front of and behind each dimension: before[i] and after[i] elements, ndim of each; negative ones
    cut. Every dtype but fp8."""
    return _made(_core.mpt_pad(x, padding, value), x)


def flip(x: Tensor, dims: Dims) -> Tensor:
    """The order of elements reversed along ndims dimensions. Every dtype but fp8."""
    return _made(_core.mpt_flip(x, _dims(dims)), x)


def tile(x: Tensor, repeats: Dims) -> Tensor:
    """x repeated repeats[i] times along dimension i; ndim may be larger than x's [numpy.tile]. Every dtype but
    fp8."""
    return _made(_core.mpt_tile(x, _dims(repeats)), x)


def tril(x: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of the last two dimensions, up to that diagonal; 0 above."""
    return _made(_core.mpt_tril(x, diagonal), x)


def triu(x: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of the last two dimensions, from that diagonal on; 0 below."""
    return _made(_core.mpt_triu(x, diagonal), x)


def index_select(x: Tensor, dim: int, index: Tensor) -> Tensor:
    """out[..., i, ...] = x[..., index[i], ...] along dim; index [K]. Every dtype but fp8."""
    return _made(_core.mpt_index_select(x, dim, index), x)


def gather(x: Tensor, dim: int, index: Tensor) -> Tensor:
    """out[i][j][k] = x[index[i][j][k]][j][k] for dim 0, and so on [torch.gather]. Every dtype but fp8."""
    return _made(_core.mpt_gather(x, dim, index), x)


def scatter_add(x: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """x with src added at the places that index names, the reverse of gather [torch.scatter_add]; the order of
    additions is fixed."""
    return _made(_core.mpt_scatter_add(x, dim, index, src), x)


def one_hot(index: Tensor, classes: int, dtype: DType | str = "f32") -> Tensor:
    """[...] -> [..., classes] of dtype: 1 at the index, else 0; all 0 for an index outside."""
    return _made(_core.mpt_one_hot(index, classes, as_dtype(dtype)), index)


def embedding(index: Tensor, weight: Tensor, padding_index: int = -1) -> Tensor:
    """Rows of weight [count, dim] by index [...] -> [..., dim]; the row padding_index (-1: none) receives no
    gradient [torch.nn.Embedding]."""
    return _made(_core.mpt_embedding(index, weight, padding_index), index)


def matmul(a: Tensor, b: Tensor) -> Tensor:
    """Matrix product [..., M, K] x [..., K, N] -> [..., M, N]; leading dimensions broadcast. Accumulates in f32
    (f64 for f64). Contiguous, but for large results in f16 and bf16 on a GPU: their rows start at multiples of
    16 bytes (see tensor_strides, contiguous)."""
    return _made(_core.mpt_matmul(a, b), a)


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x W^T + bias: [..., in] x [out, in] -> [..., out]; bias [out] or None. Strides as of matmul."""
    return _made(_core.mpt_linear(x, weight, bias), x)


def conv2d(x: Tensor, weight: Tensor, bias: Tensor | None = None, *, stride: Pair | None = None, padding: Pair | None = None, dilation: Pair | None = None, groups: int | None = None) -> Tensor:
    """Cross-correlation [N,C,H,W] with [O,C/groups,KH,KW] -> [N,O,H',W'], H' = (H + 2 pad - dil (KH-1) - 1) /
    stride + 1 [torch.nn.Conv2d]. bias [O] or None; params None: the defaults. The result is dense with C
    innermost in memory."""
    return _made(_core.mpt_conv2d(x, weight, bias, _descriptor(_core.mpt_conv2d_params, _core.mpt_conv2d_params_init, {"stride_h": _first(stride), "stride_w": _second(stride), "padding_h": _first(padding), "padding_w": _second(padding), "dilation_h": _first(dilation), "dilation_w": _second(dilation), "groups": groups})), x)


def conv_transpose2d(x: Tensor, weight: Tensor, bias: Tensor | None = None, *, stride: Pair | None = None, padding: Pair | None = None, dilation: Pair | None = None, groups: int | None = None, output_padding: Pair | None = None) -> Tensor:
    """The transposed convolution, the input gradient of conv2d: [N,C,H,W] with [C,O/groups,KH,KW] -> [N,O,H',W'],
    H' = (H - 1) stride - 2 pad + dil (KH - 1) + output_padding + 1 [torch.nn.ConvTranspose2d]. bias [O] or
    None; params None: the defaults."""
    return _made(_core.mpt_conv_transpose2d(x, weight, bias, _descriptor(_core.mpt_conv2d_params, _core.mpt_conv2d_params_init, {"stride_h": _first(stride), "stride_w": _second(stride), "padding_h": _first(padding), "padding_w": _second(padding), "dilation_h": _first(dilation), "dilation_w": _second(dilation), "groups": groups, "output_padding_h": _first(output_padding), "output_padding_w": _second(output_padding)})), x)


def conv1d(x: Tensor, weight: Tensor, bias: Tensor | None = None, *, stride: int | None = None, padding: int | None = None, dilation: int | None = None, groups: int | None = None) -> Tensor:
    """conv2d in one dimension: [N,C,L] with [O,C/groups,K] -> [N,O,L']."""
    return _made(_core.mpt_conv1d(x, weight, bias, _descriptor(_core.mpt_conv1d_params, _core.mpt_conv1d_params_init, {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups})), x)


def conv_transpose1d(x: Tensor, weight: Tensor, bias: Tensor | None = None, *, stride: int | None = None, padding: int | None = None, dilation: int | None = None, groups: int | None = None, output_padding: int | None = None) -> Tensor:
    """conv_transpose2d in one dimension: [N,C,L] with [C,O/groups,K] -> [N,O,L']."""
    return _made(_core.mpt_conv_transpose1d(x, weight, bias, _descriptor(_core.mpt_conv1d_params, _core.mpt_conv1d_params_init, {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups, "output_padding": output_padding})), x)


def max_pool2d(x: Tensor, *, kernel: Pair | None = None, stride: Pair | None = None, padding: Pair | None = None) -> Tensor:
    """Largest element of each window, [N,C,H,W] -> [N,C,H',W'], rounding H' down; the first maximum takes the
    gradient. params None: the defaults."""
    return _made(_core.mpt_max_pool2d(x, _descriptor(_core.mpt_pool2d_params, _core.mpt_pool2d_params_init, {"kernel_h": _first(kernel), "kernel_w": _second(kernel), "stride_h": _first(stride), "stride_w": _second(stride), "padding_h": _first(padding), "padding_w": _second(padding)})), x)


def avg_pool2d(x: Tensor, *, kernel: Pair | None = None, stride: Pair | None = None, padding: Pair | None = None, exclude_padding: bool = False) -> Tensor:
    """Mean of each window, zeros of the padding included unless exclude_padding; forms as max_pool2d."""
    return _made(_core.mpt_avg_pool2d(x, _descriptor(_core.mpt_pool2d_params, _core.mpt_pool2d_params_init, {"kernel_h": _first(kernel), "kernel_w": _second(kernel), "stride_h": _first(stride), "stride_w": _second(stride), "padding_h": _first(padding), "padding_w": _second(padding), "exclude_padding": 1 if exclude_padding else None})), x)


def adaptive_avg_pool2d(x: Tensor, height: int, width: int) -> Tensor:
    """Means of windows that divide the image evenly: window i is [floor(i H / h), ceil((i + 1) H / h))
    [torch.nn.AdaptiveAvgPool2d]."""
    return _made(_core.mpt_adaptive_avg_pool2d(x, height, width), x)


def adaptive_max_pool2d(x: Tensor, height: int, width: int) -> Tensor:
    """Largest elements of such windows; the first maximum takes the gradient."""
    return _made(_core.mpt_adaptive_max_pool2d(x, height, width), x)


def max_pool1d(x: Tensor, kernel: int, stride: int = 0, padding: int = 0) -> Tensor:
    """max_pool2d in one dimension: [N,C,L] -> [N,C,L']. stride 0: the kernel's."""
    return _made(_core.mpt_max_pool1d(x, kernel, stride, padding), x)


def avg_pool1d(x: Tensor, kernel: int, stride: int = 0, padding: int = 0) -> Tensor:
    """avg_pool2d in one dimension, padding counted. stride 0: the kernel's."""
    return _made(_core.mpt_avg_pool1d(x, kernel, stride, padding), x)


def upsample2d(x: Tensor, height: int, width: int, mode: UpsampleMode | str = "nearest") -> Tensor:
    """[N,C,H,W] -> [N,C,height,width] by the nearest pixel (floor(i H / height)) or between pixels."""
    return _made(_core.mpt_upsample2d(x, height, width, as_enum(UpsampleMode, mode)), x)


def batch_norm(x: Tensor, weight: Tensor | None = None, bias: Tensor | None = None, running_mean: Tensor | None = None, running_var: Tensor | None = None, training: bool = False, momentum: float = 0.1, eps: float = 1e-5) -> Tensor:
    """(x - mean) / sqrt(variance + eps) * weight + bias per channel of [N,C,...] [Ioffe and Szegedy 2015].
    training 1: statistics of the batch (more than one element per channel), and running = (1 - momentum)
    running + momentum batch, with the unbiased variance; 0: running statistics. running_mean and running_var
    [C], f32 (f64 for f64), both or none; written in place, whatever the loss scaler finds later."""
    return _made(_core.mpt_batch_norm(x, weight, bias, running_mean, running_var, 1 if training else 0, momentum, eps), x)


def layer_norm(x: Tensor, ndims: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5) -> Tensor:
    """The same over the last ndims dimensions, whose shape weight and bias have [Ba et al. 2016]."""
    return _made(_core.mpt_layer_norm(x, ndims, weight, bias, eps), x)


def rms_norm(x: Tensor, weight: Tensor | None = None, eps: float = 1e-5) -> Tensor:
    """x / sqrt(mean(x^2) + eps) * weight over the last dimension [Zhang and Sennrich 2019]."""
    return _made(_core.mpt_rms_norm(x, weight, eps), x)


def group_norm(x: Tensor, groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5) -> Tensor:
    """The same over each image's groups of C / groups channels of [N,C,...]; weight and bias [C] [Wu and He
    2018]."""
    return _made(_core.mpt_group_norm(x, groups, weight, bias, eps), x)


def instance_norm(x: Tensor, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5) -> Tensor:
    """group_norm with a group per channel [Ulyanov et al. 2016]."""
    return _made(_core.mpt_instance_norm(x, weight, bias, eps), x)


def dropout(x: Tensor, p: float = 0.5) -> Tensor:
    """0 with probability p (from [0, 1)), else x / (1 - p) [Srivastava et al. 2014], by the context's random
    numbers: the same for any thread count."""
    return _made(_core.mpt_dropout(x, p), x)


def softmax(x: Tensor, dim: int = -1) -> Tensor:
    """exp(x) / sum(exp(x)) along dim (negative: from the end), computed in f32 or wider."""
    return _made(_core.mpt_softmax(x, dim), x)


def log_softmax(x: Tensor, dim: int = -1) -> Tensor:
    """log(softmax(x)) along dim."""
    return _made(_core.mpt_log_softmax(x, dim), x)


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None, *, causal: bool = False, scale: float | None = None, dropout: float | None = None) -> Tensor:
    """softmax(scale q k^T + mask) v: q [B,H,T,D], k [B,H,S,D], v [B,H,S,E] -> [B,H,T,E] [Vaswani et al. 2017].
    mask None, BOOL (true: seen) or floating (added), broadcast to [B,H,T,S]; it receives no gradient. Softmax
    in f32 (f64 for f64). A row that sees nothing gives 0. params None: the defaults."""
    return _made(_core.mpt_attention(q, k, v, mask, _descriptor(_core.mpt_attention_params, _core.mpt_attention_params_init, {"causal": 1 if causal else None, "scale": scale, "dropout": dropout})), q)


def lstm_cell(gates: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
    """One LSTM step behind the products: gates [N,4H] (input, forget, cell, output; before their functions), cell
    [N,H] -> new hidden and cell [N,H]."""
    return _made_all(_core.mpt_lstm_cell(gates, cell), gates)


def gru_cell(input_gates: Tensor, hidden_gates: Tensor, hidden: Tensor) -> Tensor:
    """One GRU step behind the products: from input and hidden state [N,3H] each (reset, update, new), hidden
    [N,H] -> new hidden [N,H]."""
    return _made(_core.mpt_gru_cell(input_gates, hidden_gates, hidden), input_gates)


def cross_entropy(logits: Tensor, target: Tensor, *, reduction: Reduction | str | None = None, label_smoothing: float | None = None, ignore_index: int | None = None, weight: Tensor | None = None) -> Tensor:
    """Cross-entropy of logits [N,C] against class indices [N] (U8, I32 or I64) or probabilities [N,C]
    [torch.nn.functional.cross_entropy]; params None: the defaults. An index outside [0, C) that is not
    ignore_index gives NaN for its row and no gradient."""
    return _made(_core.mpt_cross_entropy(logits, target, _descriptor(_core.mpt_cross_entropy_params, _core.mpt_cross_entropy_params_init, {"reduction": None if reduction is None else as_enum(Reduction, reduction), "label_smoothing": label_smoothing, "ignore_index": ignore_index, "weight": weight})), logits)


def nll(log_probabilities: Tensor, target: Tensor, *, reduction: Reduction | str | None = None, label_smoothing: float | None = None, ignore_index: int | None = None, weight: Tensor | None = None) -> Tensor:
    """The same of log-probabilities [N,C] against class indices; label_smoothing must be 0
    [torch.nn.functional.nll_loss]."""
    return _made(_core.mpt_nll(log_probabilities, target, _descriptor(_core.mpt_cross_entropy_params, _core.mpt_cross_entropy_params_init, {"reduction": None if reduction is None else as_enum(Reduction, reduction), "label_smoothing": label_smoothing, "ignore_index": ignore_index, "weight": weight})), log_probabilities)


def mse(prediction: Tensor, target: Tensor, reduction: Reduction | str = "mean") -> Tensor:
    """(prediction - target)^2; shapes equal, here and below."""
    return _made(_core.mpt_mse(prediction, target, as_enum(Reduction, reduction)), prediction)


def l1(prediction: Tensor, target: Tensor, reduction: Reduction | str = "mean") -> Tensor:
    """|prediction - target|; the gradient at 0 is 0."""
    return _made(_core.mpt_l1(prediction, target, as_enum(Reduction, reduction)), prediction)


def huber(prediction: Tensor, target: Tensor, delta: float = 1.0, reduction: Reduction | str = "mean") -> Tensor:
    """d^2/2 for |d| <= delta, else delta (|d| - delta/2) [Huber 1964]."""
    return _made(_core.mpt_huber(prediction, target, delta, as_enum(Reduction, reduction)), prediction)


def bce_with_logits(logits: Tensor, target: Tensor, positive_weight: float = 1.0, reduction: Reduction | str = "mean") -> Tensor:
    """-(w t log s + (1 - t) log(1 - s)), s = sigmoid(logits), without overflow; w: positive_weight, 1 for none."""
    return _made(_core.mpt_bce_with_logits(logits, target, positive_weight, as_enum(Reduction, reduction)), logits)


def kl_div(log_prediction: Tensor, target: Tensor, reduction: Reduction | str = "mean") -> Tensor:
    """target (log target - log_prediction), 0 where target is 0 [torch.nn.functional.kl_div]."""
    return _made(_core.mpt_kl_div(log_prediction, target, as_enum(Reduction, reduction)), log_prediction)


def hinge(prediction: Tensor, target: Tensor, margin: float = 1.0, reduction: Reduction | str = "mean") -> Tensor:
    """max(0, margin - prediction * target) for targets of 1 and -1."""
    return _made(_core.mpt_hinge(prediction, target, margin, as_enum(Reduction, reduction)), prediction)


def cosine_similarity(a: Tensor, b: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """a.b / max(|a| |b|, eps) along dim, which goes; gradients to both."""
    return _made(_core.mpt_cosine_similarity(a, b, dim, eps), a)


def cosine_embedding(a: Tensor, b: Tensor, target: Tensor, margin: float = 0.0, reduction: Reduction | str = "mean") -> Tensor:
    """Of rows of a and b [N,D]: 1 - cosine for target 1, max(0, cosine - margin) for -1; gradients to a and b
    [torch.nn.CosineEmbeddingLoss]."""
    return _made(_core.mpt_cosine_embedding(a, b, target, margin, as_enum(Reduction, reduction)), a)


def ctc(log_probabilities: Tensor, targets: Tensor, input_lengths: Tensor, target_lengths: Tensor, blank: int = 0, reduction: Reduction | str = "mean", zero_infinity: bool = False) -> Tensor:
    """-log of the probability of all alignments of targets [N,S] (I32 or I64) to log_probabilities [T,N,C]
    [Graves et al. 2006, as torch.nn.CTCLoss]. input_lengths and target_lengths [N] (I32 or I64). MEAN divides
    each by its target length first. zero_infinity 1: impossible ones give 0. A target that is no class or the
    blank, and a length that does not fit, give NaN without a gradient, whatever zero_infinity says."""
    return _made(_core.mpt_ctc(log_probabilities, targets, input_lengths, target_lengths, blank, as_enum(Reduction, reduction), 1 if zero_infinity else 0), log_probabilities)


_add = add
_sub = sub
_mul = mul
_div = div
_affine = affine
_neg = neg
_exp = exp
_log = log
_sqrt = sqrt
_relu = relu
_abs = abs
_sign = sign
_square = square
_rsqrt = rsqrt
_reciprocal = reciprocal
_exp2 = exp2
_expm1 = expm1
_log2 = log2
_log10 = log10
_log1p = log1p
_sin = sin
_cos = cos
_tan = tan
_asin = asin
_acos = acos
_atan = atan
_sinh = sinh
_cosh = cosh
_tanh = tanh
_asinh = asinh
_acosh = acosh
_atanh = atanh
_erf = erf
_floor = floor
_ceil = ceil
_round = round
_trunc = trunc
_sigmoid = sigmoid
_silu = silu
_softplus = softplus
_isnan = isnan
_isinf = isinf
_isfinite = isfinite
_logical_not = logical_not
_leaky_relu = leaky_relu
_elu = elu
_gelu = gelu
_clamp = clamp
_maximum = maximum
_minimum = minimum
_fmod = fmod
_remainder = remainder
_floor_divide = floor_divide
_atan2 = atan2
_equal = equal
_not_equal = not_equal
_less = less
_less_equal = less_equal
_greater = greater
_greater_equal = greater_equal
_logical_and = logical_and
_logical_or = logical_or
_logical_xor = logical_xor
_sum = sum
_mean = mean
_max = max
_min = min
_prod = prod
_var = var
_norm = norm
_logsumexp = logsumexp
_any = any
_all = all
_argmax = argmax
_argmin = argmin
_cumsum = cumsum
_sort = sort
_topk = topk
_reshape = reshape
_transpose = transpose
_cast = cast
_expand = expand
_squeeze = squeeze
_unsqueeze = unsqueeze
_contiguous = contiguous
_split = split
_pad = pad
_flip = flip
_tile = tile
_tril = tril
_triu = triu
_index_select = index_select
_gather = gather
_scatter_add = scatter_add
_one_hot = one_hot
_matmul = matmul
_conv2d = conv2d
_conv_transpose2d = conv_transpose2d
_conv1d = conv1d
_conv_transpose1d = conv_transpose1d
_max_pool2d = max_pool2d
_avg_pool2d = avg_pool2d
_adaptive_avg_pool2d = adaptive_avg_pool2d
_adaptive_max_pool2d = adaptive_max_pool2d
_max_pool1d = max_pool1d
_avg_pool1d = avg_pool1d
_upsample2d = upsample2d
_batch_norm = batch_norm
_layer_norm = layer_norm
_rms_norm = rms_norm
_group_norm = group_norm
_instance_norm = instance_norm
_dropout = dropout
_softmax = softmax
_log_softmax = log_softmax
_cross_entropy = cross_entropy
_nll = nll
_mse = mse
_l1 = l1
_huber = huber
_bce_with_logits = bce_with_logits
_kl_div = kl_div
_hinge = hinge
_cosine_similarity = cosine_similarity
_cosine_embedding = cosine_embedding
_ctc = ctc


class TensorMethods:
    """The ops as methods of a tensor."""

    __slots__ = ()

    def add(self: Any, b: Operand) -> Tensor:
        """a + b, with broadcasting as NumPy's. Floating and integer dtypes."""
        return _add(self, b)

    def sub(self: Any, b: Operand) -> Tensor:
        """a - b, with broadcasting. Floating and integer dtypes."""
        return _sub(self, b)

    def mul(self: Any, b: Operand) -> Tensor:
        """a * b, element by element, with broadcasting. Floating and integer dtypes."""
        return _mul(self, b)

    def div(self: Any, b: Operand) -> Tensor:
        """a / b, element by element, with broadcasting."""
        return _div(self, b)

    def affine(self: Any, scale: float = 1.0, shift: float = 0.0) -> Tensor:
        """scale * x + shift."""
        return _affine(self, scale, shift)

    def neg(self: Any) -> Tensor:
        """-x."""
        return _neg(self)

    def exp(self: Any) -> Tensor:
        """e to the x."""
        return _exp(self)

    def log(self: Any) -> Tensor:
        """The natural logarithm."""
        return _log(self)

    def sqrt(self: Any) -> Tensor:
        """The square root."""
        return _sqrt(self)

    def relu(self: Any) -> Tensor:
        """max(x, 0); NaN stays NaN; the gradient at 0 is 0."""
        return _relu(self)

    def abs(self: Any) -> Tensor:
        """|x|; the gradient at 0 is 0."""
        return _abs(self)

    def sign(self: Any) -> Tensor:
        """-1, 0 or 1; NaN stays; the gradient is 0."""
        return _sign(self)

    def square(self: Any) -> Tensor:
        """x * x."""
        return _square(self)

    def rsqrt(self: Any) -> Tensor:
        """1 / sqrt(x)."""
        return _rsqrt(self)

    def reciprocal(self: Any) -> Tensor:
        """1 / x."""
        return _reciprocal(self)

    def exp2(self: Any) -> Tensor:
        """2 to the x."""
        return _exp2(self)

    def expm1(self: Any) -> Tensor:
        """exp(x) - 1, exact near 0."""
        return _expm1(self)

    def log2(self: Any) -> Tensor:
        """The logarithm to base 2."""
        return _log2(self)

    def log10(self: Any) -> Tensor:
        """The logarithm to base 10."""
        return _log10(self)

    def log1p(self: Any) -> Tensor:
        """log(1 + x), exact near 0."""
        return _log1p(self)

    def sin(self: Any) -> Tensor:
        """The sine of x in radians."""
        return _sin(self)

    def cos(self: Any) -> Tensor:
        """The cosine of x in radians."""
        return _cos(self)

    def tan(self: Any) -> Tensor:
        """The tangent of x in radians."""
        return _tan(self)

    def asin(self: Any) -> Tensor:
        """The arc sine."""
        return _asin(self)

    def acos(self: Any) -> Tensor:
        """The arc cosine."""
        return _acos(self)

    def atan(self: Any) -> Tensor:
        """The arc tangent."""
        return _atan(self)

    def sinh(self: Any) -> Tensor:
        """The hyperbolic sine."""
        return _sinh(self)

    def cosh(self: Any) -> Tensor:
        """The hyperbolic cosine."""
        return _cosh(self)

    def tanh(self: Any) -> Tensor:
        """The hyperbolic tangent."""
        return _tanh(self)

    def asinh(self: Any) -> Tensor:
        """The inverse hyperbolic sine."""
        return _asinh(self)

    def acosh(self: Any) -> Tensor:
        """The inverse hyperbolic cosine."""
        return _acosh(self)

    def atanh(self: Any) -> Tensor:
        """The inverse hyperbolic tangent."""
        return _atanh(self)

    def erf(self: Any) -> Tensor:
        """The error function."""
        return _erf(self)

    def floor(self: Any) -> Tensor:
        """The largest integer not above x; the gradient is 0."""
        return _floor(self)

    def ceil(self: Any) -> Tensor:
        """The smallest integer not below x; the gradient is 0."""
        return _ceil(self)

    def round(self: Any) -> Tensor:
        """The nearest integer, halves to even; the gradient is 0."""
        return _round(self)

    def trunc(self: Any) -> Tensor:
        """x without its fraction; the gradient is 0."""
        return _trunc(self)

    def sigmoid(self: Any) -> Tensor:
        """1 / (1 + exp(-x))."""
        return _sigmoid(self)

    def silu(self: Any) -> Tensor:
        """x * sigmoid(x) [Elfwing et al. 2018]."""
        return _silu(self)

    def softplus(self: Any) -> Tensor:
        """log(1 + exp(x))."""
        return _softplus(self)

    def isnan(self: Any) -> Tensor:
        """Is x NaN? BOOL."""
        return _isnan(self)

    def isinf(self: Any) -> Tensor:
        """Is x infinite? BOOL."""
        return _isinf(self)

    def isfinite(self: Any) -> Tensor:
        """Is x neither NaN nor infinite? BOOL."""
        return _isfinite(self)

    def logical_not(self: Any) -> Tensor:
        """1 where x is 0, else 0. Every dtype but fp8; BOOL."""
        return _logical_not(self)

    def leaky_relu(self: Any, slope: float = 0.01) -> Tensor:
        """x where x > 0, else slope * x."""
        return _leaky_relu(self, slope)

    def elu(self: Any, alpha: float = 1.0) -> Tensor:
        """x where x > 0, else alpha * (exp(x) - 1) [Clevert et al. 2016]."""
        return _elu(self, alpha)

    def gelu(self: Any, kind: GeluKind | str = "exact") -> Tensor:
        """x times the normal distribution's function of x, exact or approximate."""
        return _gelu(self, kind)

    def clamp(self: Any, low: float = -math.inf, high: float = math.inf) -> Tensor:
        """min(max(x, low), high); low and high may be infinite; NaN stays; no gradient outside and at the limits,
        as torch.clamp."""
        return _clamp(self, low, high)

    def maximum(self: Any, b: Operand) -> Tensor:
        """The larger of a and b (NaN wins; equal ones share the gradient), with broadcasting. Floating and
        integer dtypes."""
        return _maximum(self, b)

    def minimum(self: Any, b: Operand) -> Tensor:
        """The smaller of a and b (NaN wins; equal ones share the gradient), with broadcasting. Floating and
        integer dtypes."""
        return _minimum(self, b)

    def fmod(self: Any, b: Operand) -> Tensor:
        """The remainder of a / b with the sign of a [C fmod], with broadcasting."""
        return _fmod(self, b)

    def remainder(self: Any, b: Operand) -> Tensor:
        """The remainder of a / b with the sign of b [NumPy remainder], with broadcasting."""
        return _remainder(self, b)

    def floor_divide(self: Any, b: Operand) -> Tensor:
        """floor(a / b) of the exact quotient, with broadcasting: -1 for -5 and infinity [NumPy floor_divide]; the
        gradient is 0."""
        return _floor_divide(self, b)

    def atan2(self: Any, b: Operand) -> Tensor:
        """The angle of the point (b, a) in radians [C atan2], with broadcasting."""
        return _atan2(self, b)

    def equal(self: Any, b: Operand) -> Tensor:
        """a == b as BOOL, with broadcasting. Every dtype but fp8; no gradient."""
        return _equal(self, b)

    def not_equal(self: Any, b: Operand) -> Tensor:
        """a != b as BOOL, with broadcasting. Every dtype but fp8; no gradient."""
        return _not_equal(self, b)

    def less(self: Any, b: Operand) -> Tensor:
        """a < b as BOOL, with broadcasting. Every dtype but fp8; no gradient."""
        return _less(self, b)

    def less_equal(self: Any, b: Operand) -> Tensor:
        """a <= b as BOOL, with broadcasting. Every dtype but fp8; no gradient."""
        return _less_equal(self, b)

    def greater(self: Any, b: Operand) -> Tensor:
        """a > b as BOOL, with broadcasting. Every dtype but fp8; no gradient."""
        return _greater(self, b)

    def greater_equal(self: Any, b: Operand) -> Tensor:
        """a >= b as BOOL, with broadcasting. Every dtype but fp8; no gradient."""
        return _greater_equal(self, b)

    def logical_and(self: Any, b: Operand) -> Tensor:
        """Logical and of BOOL tensors, with broadcasting."""
        return _logical_and(self, b)

    def logical_or(self: Any, b: Operand) -> Tensor:
        """Logical or of BOOL tensors, with broadcasting."""
        return _logical_or(self, b)

    def logical_xor(self: Any, b: Operand) -> Tensor:
        """Logical xor of BOOL tensors, with broadcasting."""
        return _logical_xor(self, b)

    def sum(self: Any, dims: Dims | None = None, keep_dims: bool = False) -> Tensor:
        """Sum over ndims dimensions (dims None: all). keep_dims 1 leaves extents of 1. Accumulates in f32 (f64
        for f64)."""
        return _sum(self, dims, keep_dims)

    def mean(self: Any, dims: Dims | None = None, keep_dims: bool = False) -> Tensor:
        """Mean over dimensions; conventions as sum."""
        return _mean(self, dims, keep_dims)

    def max(self: Any, dims: Dims | None = None, keep_dims: bool = False) -> Tensor:
        """Largest element over dimensions (NaN wins); equal maxima share the gradient [torch.amax]. Conventions
        as sum."""
        return _max(self, dims, keep_dims)

    def min(self: Any, dims: Dims | None = None, keep_dims: bool = False) -> Tensor:
        """Smallest element over dimensions; conventions as max."""
        return _min(self, dims, keep_dims)

    def prod(self: Any, dims: Dims | None = None, keep_dims: bool = False) -> Tensor:
        """Product over dimensions, accumulated in f32 (f64 for f64); conventions as sum."""
        return _prod(self, dims, keep_dims)

    def var(self: Any, dims: Dims | None = None, keep_dims: bool = False, correction: float = 1.0) -> Tensor:
        """Variance over dimensions: the sum of squared distances from the mean divided by (count - correction);
        conventions as sum."""
        return _var(self, dims, keep_dims, correction)

    def norm(self: Any, dims: Dims | None = None, keep_dims: bool = False) -> Tensor:
        """Euclidean norm over dimensions; the gradient of a norm of 0 is 0; conventions as sum."""
        return _norm(self, dims, keep_dims)

    def logsumexp(self: Any, dims: Dims | None = None, keep_dims: bool = False) -> Tensor:
        """log(sum(exp(x))) over dimensions without overflow; conventions as sum."""
        return _logsumexp(self, dims, keep_dims)

    def any(self: Any, dims: Dims | None = None, keep_dims: bool = False) -> Tensor:
        """Is any element of a BOOL tensor true? Conventions as sum."""
        return _any(self, dims, keep_dims)

    def all(self: Any, dims: Dims | None = None, keep_dims: bool = False) -> Tensor:
        """Are all elements of a BOOL tensor true? Conventions as sum."""
        return _all(self, dims, keep_dims)

    def argmax(self: Any, dim: int, keep_dims: bool = False) -> Tensor:
        """The index (I64) of the largest element along dim, the first of equals; NaN wins. keep_dims as in sum.
        No gradient."""
        return _argmax(self, dim, keep_dims)

    def argmin(self: Any, dim: int, keep_dims: bool = False) -> Tensor:
        """The index (I64) of the smallest element along dim; conventions as argmax."""
        return _argmin(self, dim, keep_dims)

    def cumsum(self: Any, dim: int) -> Tensor:
        """Running sum along dim, accumulated in f32 (f64 for f64)."""
        return _cumsum(self, dim)

    def sort(self: Any, dim: int = -1, descending: bool = False) -> tuple[Tensor, Tensor]:
        """The elements along dim in ascending (descending 1: descending) order and where they were (I64). Stable;
        NaN counts as the largest."""
        return _sort(self, dim, descending)

    def topk(self: Any, k: int, dim: int = -1, largest: bool = True) -> tuple[Tensor, Tensor]:
        """The k largest (largest 0: smallest) elements along dim, best first, and where they were (I64)."""
        return _topk(self, k, dim, largest)

    def reshape(self: Any, shape: Dims) -> Tensor:
        """Another shape for the same elements in logical order; one extent may be -1. A view where strides allow,
        else a copy. Every dtype."""
        return _reshape(self, shape)

    def transpose(self: Any, dims: Dims | None = None) -> Tensor:
        """A view with dimensions reordered: dimension i of out is dims[i] of x. dims None: the last two
        exchanged. Every dtype."""
        return _transpose(self, dims)

    def cast(self: Any, dtype: DType | str) -> Tensor:
        """Another dtype, rounding to nearest even; x itself (retained) when it has that dtype. Every dtype."""
        return _cast(self, dtype)

    def expand(self: Any, shape: Dims) -> Tensor:
        """x with broadcasting to shape: a view with strides of 0. Every dtype."""
        return _expand(self, shape)

    def squeeze(self: Any, dim: int) -> Tensor:
        """A view without dimension dim, whose extent is 1. Every dtype."""
        return _squeeze(self, dim)

    def unsqueeze(self: Any, dim: int) -> Tensor:
        """A view with an extent of 1 in front of dimension dim. Every dtype."""
        return _unsqueeze(self, dim)

    def contiguous(self: Any) -> Tensor:
        """A contiguous copy; x itself (retained) where it is contiguous. Every dtype."""
        return _contiguous(self)

    def split(self: Any, lengths: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
        """n views of the given lengths along dim, which must add up to its extent. outputs: room for n. Every
        dtype."""
        return _split(self, lengths, dim)

    def pad(self: Any, padding: Sequence[tuple[int, int]], value: float = 0.0) -> Tensor:
        """value in front of and behind each dimension: before[i] and after[i] elements, ndim of each; negative
        ones cut. Every dtype but fp8."""
        return _pad(self, padding, value)

    def flip(self: Any, dims: Dims) -> Tensor:
        """The order of elements reversed along ndims dimensions. Every dtype but fp8."""
        return _flip(self, dims)

    def tile(self: Any, repeats: Dims) -> Tensor:
        """x repeated repeats[i] times along dimension i; ndim may be larger than x's [numpy.tile]. Every dtype
        but fp8."""
        return _tile(self, repeats)

    def tril(self: Any, diagonal: int = 0) -> Tensor:
        """The lower triangle of the last two dimensions, up to that diagonal; 0 above."""
        return _tril(self, diagonal)

    def triu(self: Any, diagonal: int = 0) -> Tensor:
        """The upper triangle of the last two dimensions, from that diagonal on; 0 below."""
        return _triu(self, diagonal)

    def index_select(self: Any, dim: int, index: Tensor) -> Tensor:
        """out[..., i, ...] = x[..., index[i], ...] along dim; index [K]. Every dtype but fp8."""
        return _index_select(self, dim, index)

    def gather(self: Any, dim: int, index: Tensor) -> Tensor:
        """out[i][j][k] = x[index[i][j][k]][j][k] for dim 0, and so on [torch.gather]. Every dtype but fp8."""
        return _gather(self, dim, index)

    def scatter_add(self: Any, dim: int, index: Tensor, src: Tensor) -> Tensor:
        """x with src added at the places that index names, the reverse of gather [torch.scatter_add]; the order
        of additions is fixed."""
        return _scatter_add(self, dim, index, src)

    def one_hot(self: Any, classes: int, dtype: DType | str = "f32") -> Tensor:
        """[...] -> [..., classes] of dtype: 1 at the index, else 0; all 0 for an index outside."""
        return _one_hot(self, classes, dtype)

    def matmul(self: Any, b: Tensor) -> Tensor:
        """Matrix product [..., M, K] x [..., K, N] -> [..., M, N]; leading dimensions broadcast. Accumulates in
        f32 (f64 for f64). Contiguous, but for large results in f16 and bf16 on a GPU: their rows start at
        multiples of 16 bytes (see tensor_strides, contiguous)."""
        return _matmul(self, b)

    def conv2d(self: Any, weight: Tensor, bias: Tensor | None = None, *, stride: Pair | None = None, padding: Pair | None = None, dilation: Pair | None = None, groups: int | None = None) -> Tensor:
        """Cross-correlation [N,C,H,W] with [O,C/groups,KH,KW] -> [N,O,H',W'], H' = (H + 2 pad - dil (KH-1) - 1) /
        stride + 1 [torch.nn.Conv2d]. bias [O] or None; params None: the defaults. The result is dense with C
        innermost in memory."""
        return _conv2d(self, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups)

    def conv_transpose2d(self: Any, weight: Tensor, bias: Tensor | None = None, *, stride: Pair | None = None, padding: Pair | None = None, dilation: Pair | None = None, groups: int | None = None, output_padding: Pair | None = None) -> Tensor:
        """The transposed convolution, the input gradient of conv2d: [N,C,H,W] with [C,O/groups,KH,KW] ->
        [N,O,H',W'], H' = (H - 1) stride - 2 pad + dil (KH - 1) + output_padding + 1
        [torch.nn.ConvTranspose2d]. bias [O] or None; params None: the defaults."""
        return _conv_transpose2d(self, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups, output_padding=output_padding)

    def conv1d(self: Any, weight: Tensor, bias: Tensor | None = None, *, stride: int | None = None, padding: int | None = None, dilation: int | None = None, groups: int | None = None) -> Tensor:
        """conv2d in one dimension: [N,C,L] with [O,C/groups,K] -> [N,O,L']."""
        return _conv1d(self, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups)

    def conv_transpose1d(self: Any, weight: Tensor, bias: Tensor | None = None, *, stride: int | None = None, padding: int | None = None, dilation: int | None = None, groups: int | None = None, output_padding: int | None = None) -> Tensor:
        """conv_transpose2d in one dimension: [N,C,L] with [C,O/groups,K] -> [N,O,L']."""
        return _conv_transpose1d(self, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups, output_padding=output_padding)

    def max_pool2d(self: Any, *, kernel: Pair | None = None, stride: Pair | None = None, padding: Pair | None = None) -> Tensor:
        """Largest element of each window, [N,C,H,W] -> [N,C,H',W'], rounding H' down; the first maximum takes the
        gradient. params None: the defaults."""
        return _max_pool2d(self, kernel=kernel, stride=stride, padding=padding)

    def avg_pool2d(self: Any, *, kernel: Pair | None = None, stride: Pair | None = None, padding: Pair | None = None, exclude_padding: bool = False) -> Tensor:
        """Mean of each window, zeros of the padding included unless exclude_padding; forms as max_pool2d."""
        return _avg_pool2d(self, kernel=kernel, stride=stride, padding=padding, exclude_padding=exclude_padding)

    def adaptive_avg_pool2d(self: Any, height: int, width: int) -> Tensor:
        """Means of windows that divide the image evenly: window i is [floor(i H / h), ceil((i + 1) H / h))
        [torch.nn.AdaptiveAvgPool2d]."""
        return _adaptive_avg_pool2d(self, height, width)

    def adaptive_max_pool2d(self: Any, height: int, width: int) -> Tensor:
        """Largest elements of such windows; the first maximum takes the gradient."""
        return _adaptive_max_pool2d(self, height, width)

    def max_pool1d(self: Any, kernel: int, stride: int = 0, padding: int = 0) -> Tensor:
        """max_pool2d in one dimension: [N,C,L] -> [N,C,L']. stride 0: the kernel's."""
        return _max_pool1d(self, kernel, stride, padding)

    def avg_pool1d(self: Any, kernel: int, stride: int = 0, padding: int = 0) -> Tensor:
        """avg_pool2d in one dimension, padding counted. stride 0: the kernel's."""
        return _avg_pool1d(self, kernel, stride, padding)

    def upsample2d(self: Any, height: int, width: int, mode: UpsampleMode | str = "nearest") -> Tensor:
        """[N,C,H,W] -> [N,C,height,width] by the nearest pixel (floor(i H / height)) or between pixels."""
        return _upsample2d(self, height, width, mode)

    def batch_norm(self: Any, weight: Tensor | None = None, bias: Tensor | None = None, running_mean: Tensor | None = None, running_var: Tensor | None = None, training: bool = False, momentum: float = 0.1, eps: float = 1e-5) -> Tensor:
        """(x - mean) / sqrt(variance + eps) * weight + bias per channel of [N,C,...] [Ioffe and Szegedy 2015].
        training 1: statistics of the batch (more than one element per channel), and running = (1 - momentum)
        running + momentum batch, with the unbiased variance; 0: running statistics. running_mean and
        running_var [C], f32 (f64 for f64), both or none; written in place, whatever the loss scaler finds
        later."""
        return _batch_norm(self, weight, bias, running_mean, running_var, training, momentum, eps)

    def layer_norm(self: Any, ndims: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5) -> Tensor:
        """The same over the last ndims dimensions, whose shape weight and bias have [Ba et al. 2016]."""
        return _layer_norm(self, ndims, weight, bias, eps)

    def rms_norm(self: Any, weight: Tensor | None = None, eps: float = 1e-5) -> Tensor:
        """x / sqrt(mean(x^2) + eps) * weight over the last dimension [Zhang and Sennrich 2019]."""
        return _rms_norm(self, weight, eps)

    def group_norm(self: Any, groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5) -> Tensor:
        """The same over each image's groups of C / groups channels of [N,C,...]; weight and bias [C] [Wu and He
        2018]."""
        return _group_norm(self, groups, weight, bias, eps)

    def instance_norm(self: Any, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5) -> Tensor:
        """group_norm with a group per channel [Ulyanov et al. 2016]."""
        return _instance_norm(self, weight, bias, eps)

    def dropout(self: Any, p: float = 0.5) -> Tensor:
        """0 with probability p (from [0, 1)), else x / (1 - p) [Srivastava et al. 2014], by the context's random
        numbers: the same for any thread count."""
        return _dropout(self, p)

    def softmax(self: Any, dim: int = -1) -> Tensor:
        """exp(x) / sum(exp(x)) along dim (negative: from the end), computed in f32 or wider."""
        return _softmax(self, dim)

    def log_softmax(self: Any, dim: int = -1) -> Tensor:
        """log(softmax(x)) along dim."""
        return _log_softmax(self, dim)

    def cross_entropy(self: Any, target: Tensor, *, reduction: Reduction | str | None = None, label_smoothing: float | None = None, ignore_index: int | None = None, weight: Tensor | None = None) -> Tensor:
        """Cross-entropy of logits [N,C] against class indices [N] (U8, I32 or I64) or probabilities [N,C]
        [torch.nn.functional.cross_entropy]; params None: the defaults. An index outside [0, C) that is not
        ignore_index gives NaN for its row and no gradient."""
        return _cross_entropy(self, target, reduction=reduction, label_smoothing=label_smoothing, ignore_index=ignore_index, weight=weight)

    def nll(self: Any, target: Tensor, *, reduction: Reduction | str | None = None, label_smoothing: float | None = None, ignore_index: int | None = None, weight: Tensor | None = None) -> Tensor:
        """The same of log-probabilities [N,C] against class indices; label_smoothing must be 0
        [torch.nn.functional.nll_loss]."""
        return _nll(self, target, reduction=reduction, label_smoothing=label_smoothing, ignore_index=ignore_index, weight=weight)

    def mse(self: Any, target: Tensor, reduction: Reduction | str = "mean") -> Tensor:
        """(prediction - target)^2; shapes equal, here and below."""
        return _mse(self, target, reduction)

    def l1(self: Any, target: Tensor, reduction: Reduction | str = "mean") -> Tensor:
        """|prediction - target|; the gradient at 0 is 0."""
        return _l1(self, target, reduction)

    def huber(self: Any, target: Tensor, delta: float = 1.0, reduction: Reduction | str = "mean") -> Tensor:
        """d^2/2 for |d| <= delta, else delta (|d| - delta/2) [Huber 1964]."""
        return _huber(self, target, delta, reduction)

    def bce_with_logits(self: Any, target: Tensor, positive_weight: float = 1.0, reduction: Reduction | str = "mean") -> Tensor:
        """-(w t log s + (1 - t) log(1 - s)), s = sigmoid(logits), without overflow; w: positive_weight, 1 for
        none."""
        return _bce_with_logits(self, target, positive_weight, reduction)

    def kl_div(self: Any, target: Tensor, reduction: Reduction | str = "mean") -> Tensor:
        """target (log target - log_prediction), 0 where target is 0 [torch.nn.functional.kl_div]."""
        return _kl_div(self, target, reduction)

    def hinge(self: Any, target: Tensor, margin: float = 1.0, reduction: Reduction | str = "mean") -> Tensor:
        """max(0, margin - prediction * target) for targets of 1 and -1."""
        return _hinge(self, target, margin, reduction)

    def cosine_similarity(self: Any, b: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
        """a.b / max(|a| |b|, eps) along dim, which goes; gradients to both."""
        return _cosine_similarity(self, b, dim, eps)

    def cosine_embedding(self: Any, b: Tensor, target: Tensor, margin: float = 0.0, reduction: Reduction | str = "mean") -> Tensor:
        """Of rows of a and b [N,D]: 1 - cosine for target 1, max(0, cosine - margin) for -1; gradients to a and b
        [torch.nn.CosineEmbeddingLoss]."""
        return _cosine_embedding(self, b, target, margin, reduction)

    def ctc(self: Any, targets: Tensor, input_lengths: Tensor, target_lengths: Tensor, blank: int = 0, reduction: Reduction | str = "mean", zero_infinity: bool = False) -> Tensor:
        """-log of the probability of all alignments of targets [N,S] (I32 or I64) to log_probabilities [T,N,C]
        [Graves et al. 2006, as torch.nn.CTCLoss]. input_lengths and target_lengths [N] (I32 or I64). MEAN
        divides each by its target length first. zero_infinity 1: impossible ones give 0. A target that is no
        class or the blank, and a length that does not fit, give NaN without a gradient, whatever zero_infinity
        says."""
        return _ctc(self, targets, input_lengths, target_lengths, blank, reduction, zero_infinity)


__all__ = ["add", "sub", "mul", "div", "affine", "neg", "exp", "log", "sqrt", "relu", "abs", "sign", "square", "rsqrt", "reciprocal", "exp2", "expm1", "log2", "log10", "log1p", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "floor", "ceil", "round", "trunc", "sigmoid", "silu", "softplus", "isnan", "isinf", "isfinite", "logical_not", "leaky_relu", "elu", "gelu", "clamp", "pow_scalar", "pow", "maximum", "minimum", "fmod", "remainder", "floor_divide", "atan2", "equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "logical_and", "logical_or", "logical_xor", "where", "sum", "mean", "max", "min", "prod", "var", "norm", "logsumexp", "any", "all", "argmax", "argmin", "cumsum", "sort", "topk", "reshape", "transpose", "slice", "cast", "expand", "squeeze", "unsqueeze", "contiguous", "concat", "stack", "split", "pad", "flip", "tile", "tril", "triu", "index_select", "gather", "scatter_add", "one_hot", "embedding", "matmul", "linear", "conv2d", "conv_transpose2d", "conv1d", "conv_transpose1d", "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d", "max_pool1d", "avg_pool1d", "upsample2d", "batch_norm", "layer_norm", "rms_norm", "group_norm", "instance_norm", "dropout", "softmax", "log_softmax", "attention", "lstm_cell", "gru_cell", "cross_entropy", "nll", "mse", "l1", "huber", "bce_with_logits", "kl_div", "hinge", "cosine_similarity", "cosine_embedding", "ctc"]
