"""The layers that come with mpt. ctx: the context that they are made in, the current one where it is not given.

Written by generate.py from the description of mpt.h: change that instead."""

from __future__ import annotations

from . import _core
from ._enums import *
from ._support import Pair, as_dtype, as_enum, descriptor as _descriptor, first as _first, second as _second
from .context import Context, current_context
from .layer import Layer


class Linear(Layer):
    """Parameters "weight" [out, in] and "bias" [out], initialised from the context's random numbers."""

    def __init__(self, in_features: int, out_features: int, *, bias: bool = True, init: Init | str | None = None, dtype: DType | str | None = None, ctx: Context | None = None) -> None:
        ctx = ctx or current_context()
        self._adopt(_core.mpt_layer_linear(ctx, _descriptor(_core.mpt_linear_desc, _core.mpt_linear_desc_init, {"no_bias": None if bias else 1, "in_features": in_features, "out_features": out_features, "init": None if init is None else as_enum(Init, init), "dtype": None if dtype is None else as_dtype(dtype)})), ctx)


class Conv2d(Layer):
    """Parameters "weight" [out, in/groups, kh, kw] and "bias" [out]. On a GPU the weight's channels lie beside
    each other in memory: see tensor_strides. Files and initial values are in logical order. Likewise in the
    other convolutions."""

    def __init__(self, in_channels: int, out_channels: int, kernel: Pair = 3, *, groups: int | None = None, stride: Pair | None = None, padding: Pair | None = None, dilation: Pair | None = None, bias: bool = True, init: Init | str | None = None, dtype: DType | str | None = None, ctx: Context | None = None) -> None:
        ctx = ctx or current_context()
        self._adopt(_core.mpt_layer_conv2d(ctx, _descriptor(_core.mpt_conv2d_desc, _core.mpt_conv2d_desc_init, {"groups": groups, "in_channels": in_channels, "out_channels": out_channels, "kernel_h": _first(kernel), "kernel_w": _second(kernel), "stride_h": _first(stride), "stride_w": _second(stride), "padding_h": _first(padding), "padding_w": _second(padding), "dilation_h": _first(dilation), "dilation_w": _second(dilation), "no_bias": None if bias else 1, "init": None if init is None else as_enum(Init, init), "dtype": None if dtype is None else as_dtype(dtype)})), ctx)


class ConvTranspose2d(Layer):
    """conv_transpose2d. Parameters "weight" [in, out/groups, kh, kw] and "bias" [out]."""

    def __init__(self, in_channels: int, out_channels: int, kernel: Pair = 3, *, groups: int | None = None, stride: Pair | None = None, padding: Pair | None = None, dilation: Pair | None = None, output_padding: Pair | None = None, bias: bool = True, init: Init | str | None = None, dtype: DType | str | None = None, ctx: Context | None = None) -> None:
        ctx = ctx or current_context()
        self._adopt(_core.mpt_layer_conv_transpose2d(ctx, _descriptor(_core.mpt_conv2d_desc, _core.mpt_conv2d_desc_init, {"groups": groups, "in_channels": in_channels, "out_channels": out_channels, "kernel_h": _first(kernel), "kernel_w": _second(kernel), "stride_h": _first(stride), "stride_w": _second(stride), "padding_h": _first(padding), "padding_w": _second(padding), "dilation_h": _first(dilation), "dilation_w": _second(dilation), "output_padding_h": _first(output_padding), "output_padding_w": _second(output_padding), "no_bias": None if bias else 1, "init": None if init is None else as_enum(Init, init), "dtype": None if dtype is None else as_dtype(dtype)})), ctx)


class Conv1d(Layer):
    """Parameters "weight" [out, in/groups, k] and "bias" [out]."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 3, *, groups: int | None = None, stride: int | None = None, padding: int | None = None, dilation: int | None = None, bias: bool = True, init: Init | str | None = None, dtype: DType | str | None = None, ctx: Context | None = None) -> None:
        ctx = ctx or current_context()
        self._adopt(_core.mpt_layer_conv1d(ctx, _descriptor(_core.mpt_conv1d_desc, _core.mpt_conv1d_desc_init, {"groups": groups, "in_channels": in_channels, "out_channels": out_channels, "kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation, "no_bias": None if bias else 1, "init": None if init is None else as_enum(Init, init), "dtype": None if dtype is None else as_dtype(dtype)})), ctx)


class ConvTranspose1d(Layer):
    """conv_transpose1d. Parameters "weight" [in, out/groups, k] and "bias" [out]."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 3, *, groups: int | None = None, stride: int | None = None, padding: int | None = None, dilation: int | None = None, output_padding: int | None = None, bias: bool = True, init: Init | str | None = None, dtype: DType | str | None = None, ctx: Context | None = None) -> None:
        ctx = ctx or current_context()
        self._adopt(_core.mpt_layer_conv_transpose1d(ctx, _descriptor(_core.mpt_conv1d_desc, _core.mpt_conv1d_desc_init, {"groups": groups, "in_channels": in_channels, "out_channels": out_channels, "kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation, "output_padding": output_padding, "no_bias": None if bias else 1, "init": None if init is None else as_enum(Init, init), "dtype": None if dtype is None else as_dtype(dtype)})), ctx)


class BatchNorm(Layer):
    """batch_norm. Parameters "weight" and "bias" [features], buffers "running_mean" and "running_var". In a
    program each run moves the statistics."""

    def __init__(self, features: int, *, eps: float | None = None, momentum: float | None = None, affine: bool = True, running: bool = True, bias: bool = True, dtype: DType | str | None = None, ctx: Context | None = None) -> None:
        ctx = ctx or current_context()
        self._adopt(_core.mpt_layer_batch_norm(ctx, _descriptor(_core.mpt_norm_desc, _core.mpt_norm_desc_init, {"features": features, "eps": eps, "momentum": momentum, "no_affine": None if affine else 1, "no_running": None if running else 1, "no_bias": None if bias else 1, "dtype": None if dtype is None else as_dtype(dtype)})), ctx)


class LayerNorm(Layer):
    """layer_norm over the last dimension. Parameters "weight" and "bias". (The op has the name layer_norm.)"""

    def __init__(self, features: int, *, eps: float | None = None, affine: bool = True, bias: bool = True, dtype: DType | str | None = None, ctx: Context | None = None) -> None:
        ctx = ctx or current_context()
        self._adopt(_core.mpt_layer_layer_norm(ctx, _descriptor(_core.mpt_norm_desc, _core.mpt_norm_desc_init, {"features": features, "eps": eps, "no_affine": None if affine else 1, "no_bias": None if bias else 1, "dtype": None if dtype is None else as_dtype(dtype)})), ctx)


class RMSNorm(Layer):
    """rms_norm. Parameter "weight"."""

    def __init__(self, features: int, *, eps: float | None = None, affine: bool = True, dtype: DType | str | None = None, ctx: Context | None = None) -> None:
        ctx = ctx or current_context()
        self._adopt(_core.mpt_layer_rms_norm(ctx, _descriptor(_core.mpt_norm_desc, _core.mpt_norm_desc_init, {"features": features, "eps": eps, "no_affine": None if affine else 1, "dtype": None if dtype is None else as_dtype(dtype)})), ctx)


class GroupNorm(Layer):
    """group_norm. Parameters "weight" and "bias"."""

    def __init__(self, groups: int, features: int, *, eps: float | None = None, affine: bool = True, bias: bool = True, dtype: DType | str | None = None, ctx: Context | None = None) -> None:
        ctx = ctx or current_context()
        self._adopt(_core.mpt_layer_group_norm(ctx, _descriptor(_core.mpt_norm_desc, _core.mpt_norm_desc_init, {"groups": groups, "features": features, "eps": eps, "no_affine": None if affine else 1, "no_bias": None if bias else 1, "dtype": None if dtype is None else as_dtype(dtype)})), ctx)


class InstanceNorm(Layer):
    """instance_norm. Parameters "weight" and "bias"."""

    def __init__(self, features: int, *, eps: float | None = None, affine: bool = True, bias: bool = True, dtype: DType | str | None = None, ctx: Context | None = None) -> None:
        ctx = ctx or current_context()
        self._adopt(_core.mpt_layer_instance_norm(ctx, _descriptor(_core.mpt_norm_desc, _core.mpt_norm_desc_init, {"features": features, "eps": eps, "no_affine": None if affine else 1, "no_bias": None if bias else 1, "dtype": None if dtype is None else as_dtype(dtype)})), ctx)


class Embedding(Layer):
    """embedding of integers. Parameter "weight" [count, dim]."""

    def __init__(self, count: int, dim: int, *, dtype: DType | str | None = None, padding_index: int | None = None, std: float | None = None, ctx: Context | None = None) -> None:
        ctx = ctx or current_context()
        self._adopt(_core.mpt_layer_embedding(ctx, _descriptor(_core.mpt_embedding_desc, _core.mpt_embedding_desc_init, {"dtype": None if dtype is None else as_dtype(dtype), "count": count, "dim": dim, "padding_index": padding_index, "std": std})), ctx)


class Recurrent(Layer):
    """Inputs x, or x and the first state (h [layers * directions, N, hidden]; LSTM: and c). Outputs y, or y and
    the last state (1, 2 or 3 tensors). Parameters as torch.nn.LSTM names them: "weight_ih_l0", "weight_hh_l0",
    "bias_ih_l0", "bias_hh_l0", "..._reverse"."""

    def __init__(self, input_size: int, hidden_size: int, *, kind: RecurrentKind | str | None = None, layers: int | None = None, bidirectional: bool = False, batch_first: bool = False, bias: bool = True, dropout: float | None = None, dtype: DType | str | None = None, ctx: Context | None = None) -> None:
        ctx = ctx or current_context()
        self._adopt(_core.mpt_layer_recurrent(ctx, _descriptor(_core.mpt_recurrent_desc, _core.mpt_recurrent_desc_init, {"kind": None if kind is None else as_enum(RecurrentKind, kind), "input_size": input_size, "hidden_size": hidden_size, "layers": layers, "bidirectional": 1 if bidirectional else None, "batch_first": 1 if batch_first else None, "no_bias": None if bias else 1, "dropout": dropout, "dtype": None if dtype is None else as_dtype(dtype)})), ctx)


class MultiHeadAttention(Layer):
    """Multi-head attention [Vaswani et al. 2017]. Inputs x [N,T,E] (self-attention), or query, key, value, or
    these and a mask as attention's; one output [N,T,E]. Parameters as torch.nn.MultiheadAttention:
    "in_proj_weight" [3E,E], "in_proj_bias", "out_proj.weight", "out_proj.bias"; biases start at 0."""

    def __init__(self, embed_dim: int, heads: int, *, dropout: float | None = None, causal: bool = False, bias: bool = True, dtype: DType | str | None = None, ctx: Context | None = None) -> None:
        ctx = ctx or current_context()
        self._adopt(_core.mpt_layer_attention(ctx, _descriptor(_core.mpt_attention_desc, _core.mpt_attention_desc_init, {"heads": heads, "embed_dim": embed_dim, "dropout": dropout, "causal": 1 if causal else None, "no_bias": None if bias else 1, "dtype": None if dtype is None else as_dtype(dtype)})), ctx)


class MaxPool2d(Layer):
    """max_pool2d as a layer; params None: the defaults."""

    def __init__(self, kernel: Pair | None = None, *, stride: Pair | None = None, padding: Pair | None = None, ctx: Context | None = None) -> None:
        ctx = ctx or current_context()
        self._adopt(_core.mpt_layer_max_pool2d(ctx, _descriptor(_core.mpt_pool2d_params, _core.mpt_pool2d_params_init, {"kernel_h": _first(kernel), "kernel_w": _second(kernel), "stride_h": _first(stride), "stride_w": _second(stride), "padding_h": _first(padding), "padding_w": _second(padding)})), ctx)


class AvgPool2d(Layer):
    """avg_pool2d as a layer; params None: the defaults."""

    def __init__(self, kernel: Pair | None = None, *, stride: Pair | None = None, padding: Pair | None = None, exclude_padding: bool = False, ctx: Context | None = None) -> None:
        ctx = ctx or current_context()
        self._adopt(_core.mpt_layer_avg_pool2d(ctx, _descriptor(_core.mpt_pool2d_params, _core.mpt_pool2d_params_init, {"kernel_h": _first(kernel), "kernel_w": _second(kernel), "stride_h": _first(stride), "stride_w": _second(stride), "padding_h": _first(padding), "padding_w": _second(padding), "exclude_padding": 1 if exclude_padding else None})), ctx)


class AdaptiveAvgPool2d(Layer):
    """adaptive_avg_pool2d as a layer."""

    def __init__(self, height: int, width: int, *, ctx: Context | None = None) -> None:
        ctx = ctx or current_context()
        self._adopt(_core.mpt_layer_adaptive_avg_pool2d(ctx, height, width), ctx)


class AdaptiveMaxPool2d(Layer):
    """adaptive_max_pool2d as a layer."""

    def __init__(self, height: int, width: int, *, ctx: Context | None = None) -> None:
        ctx = ctx or current_context()
        self._adopt(_core.mpt_layer_adaptive_max_pool2d(ctx, height, width), ctx)


class MaxPool1d(Layer):
    """max_pool1d as a layer."""

    def __init__(self, kernel: int, stride: int = 0, padding: int = 0, *, ctx: Context | None = None) -> None:
        ctx = ctx or current_context()
        self._adopt(_core.mpt_layer_max_pool1d(ctx, kernel, stride, padding), ctx)


class AvgPool1d(Layer):
    """avg_pool1d as a layer."""

    def __init__(self, kernel: int, stride: int = 0, padding: int = 0, *, ctx: Context | None = None) -> None:
        ctx = ctx or current_context()
        self._adopt(_core.mpt_layer_avg_pool1d(ctx, kernel, stride, padding), ctx)


class Upsample2d(Layer):
    """upsample2d by whole factors as a layer."""

    def __init__(self, factor_h: int, factor_w: int, mode: UpsampleMode | str = "nearest", *, ctx: Context | None = None) -> None:
        ctx = ctx or current_context()
        self._adopt(_core.mpt_layer_upsample2d(ctx, factor_h, factor_w, as_enum(UpsampleMode, mode)), ctx)


class Dropout(Layer):
    """dropout in training, nothing in evaluation."""

    def __init__(self, p: float = 0.5, *, ctx: Context | None = None) -> None:
        ctx = ctx or current_context()
        self._adopt(_core.mpt_layer_dropout(ctx, p), ctx)


class Activation(Layer):
    """An activation function as a layer. parameter: as activation says, else ignored."""

    def __init__(self, kind: ActivationKind | str, parameter: float = 0.0, *, ctx: Context | None = None) -> None:
        ctx = ctx or current_context()
        self._adopt(_core.mpt_layer_activation(ctx, as_enum(ActivationKind, kind), parameter), ctx)


class ReLU(Layer):
    """relu as a layer."""

    def __init__(self, *, ctx: Context | None = None) -> None:
        ctx = ctx or current_context()
        self._adopt(_core.mpt_layer_relu(ctx), ctx)


class Softmax(Layer):
    """softmax as a layer."""

    def __init__(self, dim: int = -1, *, ctx: Context | None = None) -> None:
        ctx = ctx or current_context()
        self._adopt(_core.mpt_layer_softmax(ctx, dim), ctx)


class Flatten(Layer):
    """[N, ...] -> [N, product of the rest]."""

    def __init__(self, *, ctx: Context | None = None) -> None:
        ctx = ctx or current_context()
        self._adopt(_core.mpt_layer_flatten(ctx), ctx)


class LeakyReLU(Activation):
    """The op `leaky_relu` as a layer."""

    def __init__(self, slope: float = 0.01, *, ctx: Context | None = None) -> None:
        super().__init__(ActivationKind.LEAKY_RELU, slope, ctx=ctx)


class GELU(Activation):
    """The op `gelu` as a layer."""

    def __init__(self, *, ctx: Context | None = None) -> None:
        super().__init__(ActivationKind.GELU, 0.0, ctx=ctx)


class SiLU(Activation):
    """The op `silu` as a layer."""

    def __init__(self, *, ctx: Context | None = None) -> None:
        super().__init__(ActivationKind.SILU, 0.0, ctx=ctx)


class ELU(Activation):
    """The op `elu` as a layer."""

    def __init__(self, alpha: float = 1.0, *, ctx: Context | None = None) -> None:
        super().__init__(ActivationKind.ELU, alpha, ctx=ctx)


class Sigmoid(Activation):
    """The op `sigmoid` as a layer."""

    def __init__(self, *, ctx: Context | None = None) -> None:
        super().__init__(ActivationKind.SIGMOID, 0.0, ctx=ctx)


class Tanh(Activation):
    """The op `tanh` as a layer."""

    def __init__(self, *, ctx: Context | None = None) -> None:
        super().__init__(ActivationKind.TANH, 0.0, ctx=ctx)


class Softplus(Activation):
    """The op `softplus` as a layer."""

    def __init__(self, *, ctx: Context | None = None) -> None:
        super().__init__(ActivationKind.SOFTPLUS, 0.0, ctx=ctx)


class LSTM(Recurrent):
    """`Recurrent` of kind LSTM."""

    def __init__(self, input_size: int, hidden_size: int, *, layers: int | None = None, bidirectional: bool = False, batch_first: bool = False, bias: bool = True, dropout: float | None = None, dtype: DType | str | None = None, ctx: Context | None = None) -> None:
        super().__init__(input_size, hidden_size, kind=RecurrentKind.LSTM, layers=layers, bidirectional=bidirectional, batch_first=batch_first, bias=bias, dropout=dropout, dtype=dtype, ctx=ctx)


class GRU(Recurrent):
    """`Recurrent` of kind GRU."""

    def __init__(self, input_size: int, hidden_size: int, *, layers: int | None = None, bidirectional: bool = False, batch_first: bool = False, bias: bool = True, dropout: float | None = None, dtype: DType | str | None = None, ctx: Context | None = None) -> None:
        super().__init__(input_size, hidden_size, kind=RecurrentKind.GRU, layers=layers, bidirectional=bidirectional, batch_first=batch_first, bias=bias, dropout=dropout, dtype=dtype, ctx=ctx)


class RNN(Recurrent):
    """`Recurrent` of kind TANH."""

    def __init__(self, input_size: int, hidden_size: int, *, layers: int | None = None, bidirectional: bool = False, batch_first: bool = False, bias: bool = True, dropout: float | None = None, dtype: DType | str | None = None, ctx: Context | None = None) -> None:
        super().__init__(input_size, hidden_size, kind=RecurrentKind.TANH, layers=layers, bidirectional=bidirectional, batch_first=batch_first, bias=bias, dropout=dropout, dtype=dtype, ctx=ctx)


__all__ = ["Linear", "Conv2d", "ConvTranspose2d", "Conv1d", "ConvTranspose1d", "BatchNorm", "LayerNorm", "RMSNorm", "GroupNorm", "InstanceNorm", "Embedding", "Recurrent", "MultiHeadAttention", "MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d", "AdaptiveMaxPool2d", "MaxPool1d", "AvgPool1d", "Upsample2d", "Dropout", "Activation", "ReLU", "Softmax", "Flatten", "LeakyReLU", "GELU", "SiLU", "ELU", "Sigmoid", "Tanh", "Softplus", "LSTM", "GRU", "RNN"]
