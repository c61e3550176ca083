"""The two networks of the comparisons, with initial weights and images that a few lines in any language reproduce.

Uniform numbers come from an integer hash, so that no side needs the other's random generator or a file:
    u(stream, i) = (mix(i * 0x9E3779B1 + stream * 0x85EBCA77) >> 8) * 2^-24,  all in 32-bit unsigned arithmetic,
where mix is the finalizer of MurmurHash3. Everything after that is double arithmetic with + - * / sqrt alone, rounded to
f32 once at the end: every machine gets the same bits.
"""

import math

import numpy as np
import torch
from torch import nn

NAMES = ("cnn", "mlp")


def uniform(stream, index):
    """Numbers in [0, 1) for an array of indices."""
    with np.errstate(over="ignore"):
        x = np.asarray(index, np.uint32) * np.uint32(0x9E3779B1) + np.uint32(stream * 0x85EBCA77 & 0xFFFFFFFF)
        x ^= x >> np.uint32(16)
        x *= np.uint32(0x85EBCA6B)
        x ^= x >> np.uint32(13)
        x *= np.uint32(0xC2B2AE35)
        x ^= x >> np.uint32(16)
    return (x >> np.uint32(8)).astype(np.float64) * 2.0**-24


def build(name):
    """The network with PyTorch's own initial weights; parameters() is in the order of mpt_layer_parameter."""
    if name == "cnn":
        return nn.Sequential(
            nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(64, 64, 3), nn.ReLU(), nn.Flatten(),
            nn.Linear(576, 64), nn.ReLU(), nn.Linear(64, 10))  # fmt: skip
    return nn.Sequential(nn.Linear(784, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 10))


def image_shape(name):
    """The shape of one image as the network takes it."""
    return (1, 28, 28) if name == "cnn" else (784,)


def initial_weights(model, variant=0):
    """Arrays for all parameters: uniform in +-1/sqrt(fan_in) of their layer; parameter k is stream k + 1000 * variant."""
    arrays, bound = [], 0.0
    for k, p in enumerate(model.parameters()):
        if p.dim() > 1:  # a bias follows its weight and shares its bound
            bound = 1.0 / math.sqrt(p[0].numel())
        u = uniform(k + 1000 * variant, np.arange(p.numel()))
        arrays.append((bound * (2.0 * u - 1.0)).astype(np.float32).reshape(p.shape))
    return arrays


def load_weights(model, arrays):
    with torch.no_grad():
        for p, a in zip(model.parameters(), arrays):
            p.copy_(torch.from_numpy(a))


def synthetic_images(first, count):
    """Images first..first+count: the class's own 4 x 4 tiles of grey under noise; f32 [count, 784], u8 [count]."""
    n = np.arange(first, first + count)
    label = (uniform(100, n) * 10.0).astype(np.int64)
    row, column = np.divmod(np.arange(784), 28)
    tile = uniform(101, label[:, None] * 16 + (row // 7 * 4 + column // 7)[None])
    noise = uniform(102, n[:, None] * 784 + np.arange(784)[None])
    return (0.75 * tile + 0.25 * noise).astype(np.float32), label.astype(np.uint8)
