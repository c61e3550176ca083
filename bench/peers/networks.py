"""The networks of the comparisons, with initial weights and images that a few lines in any language reproduce.

Uniform numbers come from an integer hash, so that no side needs the other's random generator or a file:
    u(stream, i) = (mix(i * 0x9E3779B1 + stream * 0x85EBCA77) >> 8) * 2^-24,  all in 32-bit unsigned arithmetic,
where mix is the finalizer of MurmurHash3. Everything after that is double arithmetic with + - * / sqrt alone, rounded to
f32 once at the end: every machine gets the same bits.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

SMALL = ("cnn", "mlp", "resnet18", "gpt", "lstm")  # for a CPU
NAMES = (*SMALL, "gpt2")
CONTEXTS = {"gpt": 128, "gpt2": 1024, "lstm": 128}  # of the networks that read tokens
SIZES = {"gpt": (128, 4, 4, 256), "gpt2": (768, 12, 12, 50257)}  # width, heads, blocks, symbols


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


class BasicBlock(nn.Module):
    """As bench/models.c builds it: body, then shortcut, then their sum."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs))  # fmt: skip
        self.shortcut = nn.Identity() if stride == 1 and inputs == outputs else nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))  # fmt: skip

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x))


def resnet18():
    layers, width = [nn.Conv2d(1, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()], 64
    for stage in range(4):
        outputs = 64 << stage
        layers += [BasicBlock(width, outputs, 2 if stage else 1), BasicBlock(outputs, outputs, 1)]
        width = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.inputs = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)

    def forward(self, x):
        n, t, e = x.shape
        q, k, v = (p.view(n, t, self.heads, e // self.heads).transpose(1, 2) for p in self.inputs(x).split(e, dim=2))
        return self.output(F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(n, t, e))


class Residual(nn.Module):
    def __init__(self, *body):
        super().__init__()
        self.body = nn.Sequential(*body)

    def forward(self, x):
        return x + self.body(x)


class Embedding(nn.Module):
    def __init__(self, context, width, symbols):
        super().__init__()
        self.position = nn.Parameter(torch.zeros(context, width))
        self.token = nn.Embedding(symbols, width)

    def forward(self, x):
        return self.token(x) + self.position


def gpt(name):
    (e, heads, count, symbols), blocks = SIZES[name], []
    for _ in range(count):
        blocks += [Residual(nn.LayerNorm(e), Attention(e, heads)),
                   Residual(nn.LayerNorm(e), nn.Linear(e, 4 * e), nn.GELU(), nn.Linear(4 * e, e))]  # fmt: skip
    return nn.Sequential(Embedding(CONTEXTS[name], e, symbols), *blocks, nn.LayerNorm(e), nn.Linear(e, symbols), nn.Flatten(0, 1))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.cells = nn.LSTM(256, 512, 2, batch_first=True)

    def forward(self, x):
        return self.cells(x)[0]


def lstm():
    return nn.Sequential(nn.Embedding(256, 256), Recurrent(), nn.Linear(512, 256), nn.Flatten(0, 1))


def build(name):
    """The network with PyTorch's own initial weights; parameters() is in the order of mpt_layer_parameter."""
    if name == "cnn":
        return nn.Sequential(
            nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(64, 64, 3), nn.ReLU(), nn.Flatten(),
            nn.Linear(576, 64), nn.ReLU(), nn.Linear(64, 10))  # fmt: skip
    if name == "resnet18":
        return resnet18()
    if name in CONTEXTS:
        return lstm() if name == "lstm" else gpt(name)
    return nn.Sequential(nn.Linear(784, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 10))


def image_shape(name):
    """The shape of one image as the network takes it."""
    return (784,) if name == "mlp" else (1, 28, 28)


def example(name, batch):
    """An input of the network, on the default device."""
    if name in CONTEXTS:
        return torch.zeros(batch, CONTEXTS[name], dtype=torch.long)
    return torch.zeros(batch, *image_shape(name))


def initial_weights(model, variant=0):
    """Arrays for all parameters: uniform in +-1/sqrt(fan_in) of their layer; parameter k is stream k + 1000 * variant. Norms: 1 and 0."""
    arrays, bound, norms = [], 0.0, {}
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm2d, nn.LayerNorm)):
            norms.update({module.weight: 1, module.bias: 0})
    for k, p in enumerate(model.parameters()):
        if p in norms:
            arrays.append(np.full(p.shape, norms[p], np.float32))
            continue
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
