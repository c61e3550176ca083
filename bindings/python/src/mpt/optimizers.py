"""The optimizers. params: a layer, or tensors; more come with add_group and add_layer.

Written by generate.py from the description of mpt.h: change that instead."""

from __future__ import annotations

from typing import Iterable

from . import _core
from ._support import as_enum, descriptor as _descriptor
from .context import Context
from .layer import Layer
from .optimizer import Optimizer
from .tensor import Tensor


class SGD(Optimizer):
    """[torch.optim.SGD]; desc None: the defaults."""

    def __init__(self, params: Layer | Iterable[Tensor] | None = None, *, nesterov: bool = False, lr: float | None = None, momentum: float | None = None, dampening: float | None = None, weight_decay: float | None = None, ctx: Context | None = None) -> None:
        params, ctx = self._params(params, ctx)
        self._adopt(_core.mpt_optimizer_sgd(ctx, _descriptor(_core.mpt_sgd_desc, _core.mpt_sgd_desc_init, {"nesterov": 1 if nesterov else None, "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay})), ctx)
        self._add(params)


class Adam(Optimizer):
    """[Kingma and Ba 2015, as torch.optim.Adam]: weight decay is added to the gradient. desc None: the defaults."""

    def __init__(self, params: Layer | Iterable[Tensor] | None = None, *, lr: float | None = None, beta1: float | None = None, beta2: float | None = None, eps: float | None = None, weight_decay: float | None = None, ctx: Context | None = None) -> None:
        params, ctx = self._params(params, ctx)
        self._adopt(_core.mpt_optimizer_adam(ctx, _descriptor(_core.mpt_adam_desc, _core.mpt_adam_desc_init, {"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps, "weight_decay": weight_decay})), ctx)
        self._add(params)


class AdamW(Optimizer):
    """[Loshchilov and Hutter 2019, as torch.optim.AdamW]: p *= 1 - lr * weight_decay first. desc None: the
    defaults."""

    def __init__(self, params: Layer | Iterable[Tensor] | None = None, *, lr: float | None = None, beta1: float | None = None, beta2: float | None = None, eps: float | None = None, weight_decay: float | None = None, ctx: Context | None = None) -> None:
        params, ctx = self._params(params, ctx)
        self._adopt(_core.mpt_optimizer_adamw(ctx, _descriptor(_core.mpt_adam_desc, _core.mpt_adamw_desc_init, {"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps, "weight_decay": weight_decay})), ctx)
        self._add(params)


class Adagrad(Optimizer):
    """[Duchi et al. 2011, as torch.optim.Adagrad]; desc None: the defaults."""

    def __init__(self, params: Layer | Iterable[Tensor] | None = None, *, lr: float | None = None, lr_decay: float | None = None, weight_decay: float | None = None, initial_accumulator: float | None = None, eps: float | None = None, ctx: Context | None = None) -> None:
        params, ctx = self._params(params, ctx)
        self._adopt(_core.mpt_optimizer_adagrad(ctx, _descriptor(_core.mpt_adagrad_desc, _core.mpt_adagrad_desc_init, {"lr": lr, "lr_decay": lr_decay, "weight_decay": weight_decay, "initial_accumulator": initial_accumulator, "eps": eps})), ctx)
        self._add(params)


class Adadelta(Optimizer):
    """[Zeiler 2012, as torch.optim.Adadelta]; desc None: the defaults."""

    def __init__(self, params: Layer | Iterable[Tensor] | None = None, *, lr: float | None = None, rho: float | None = None, eps: float | None = None, weight_decay: float | None = None, ctx: Context | None = None) -> None:
        params, ctx = self._params(params, ctx)
        self._adopt(_core.mpt_optimizer_adadelta(ctx, _descriptor(_core.mpt_adadelta_desc, _core.mpt_adadelta_desc_init, {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay})), ctx)
        self._add(params)


class RMSprop(Optimizer):
    """[Tieleman and Hinton 2012, as torch.optim.RMSprop]; desc None: the defaults."""

    def __init__(self, params: Layer | Iterable[Tensor] | None = None, *, centered: bool = False, lr: float | None = None, alpha: float | None = None, eps: float | None = None, weight_decay: float | None = None, momentum: float | None = None, ctx: Context | None = None) -> None:
        params, ctx = self._params(params, ctx)
        self._adopt(_core.mpt_optimizer_rmsprop(ctx, _descriptor(_core.mpt_rmsprop_desc, _core.mpt_rmsprop_desc_init, {"centered": 1 if centered else None, "lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay, "momentum": momentum})), ctx)
        self._add(params)


class LAMB(Optimizer):
    """[You et al. 2020, algorithm 2, phi the identity]: AdamW's direction, scaled per parameter by |p| /
    |direction| (1 where one is 0). desc None: the defaults."""

    def __init__(self, params: Layer | Iterable[Tensor] | None = None, *, lr: float | None = None, beta1: float | None = None, beta2: float | None = None, eps: float | None = None, weight_decay: float | None = None, ctx: Context | None = None) -> None:
        params, ctx = self._params(params, ctx)
        self._adopt(_core.mpt_optimizer_lamb(ctx, _descriptor(_core.mpt_adam_desc, _core.mpt_lamb_desc_init, {"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps, "weight_decay": weight_decay})), ctx)
        self._add(params)


__all__ = ["SGD", "Adam", "AdamW", "Adagrad", "Adadelta", "RMSprop", "LAMB"]
