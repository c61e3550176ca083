"""How the golden file parity.txt is written: inputs by formula, results by PyTorch in f64.

Every input lies on a grid that bf16 and f16 hold exactly, so that one record serves every format. A record is

    case FUNCTION NAME ROOM STORES WIDE_STORES
    set NAME WORD...                        a parameter of the call; constants of mpt.h by name
    in|param|buffer NAME KIND SHAPE NUMBER...   what goes in: arguments in order, a layer's parameters and buffers by name
    out|cot|grad|after NAME KIND SHAPE NUMBER... results, their cotangents, gradients of what goes in, and what a buffer is afterwards

SHAPE: extents with commas, "-" for a scalar. KIND: t, the format in test; wide, the format of its arithmetic (f32 beside 16-bit
formats); none, an argument that is NULL; else a dtype. ROOM: how far a result may be from f64's, in roundoffs of the arithmetic
and relative to the largest element; STORES and WIDE_STORES: besides, in roundoffs of a 16-bit format, for results of kind t and wide.
"""

import zlib

import numpy as np
import torch

GRID = 16  # numbers are multiples of 1/16
DTYPES = {"f64": torch.float64, "f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16, "i64": torch.int64,
          "i32": torch.int32, "u8": torch.uint8, "bool": torch.bool}


class Random:
    """SplitMix64 [Steele et al. 2014], as tests/common/random.h."""

    def __init__(self, name):
        self.state = zlib.crc32(name.encode())

    def bits(self):
        mask = 2**64 - 1
        self.state = (self.state + 0x9E3779B97F4A7C15) & mask
        z = self.state
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & mask
        z = (z ^ z >> 27) * 0x94D049BB133111EB & mask
        return z ^ z >> 31

    def below(self, n):
        return self.bits() % n


class Draft:
    """An input yet to be drawn: numbers from [low, high], no two equal where distinct; or given ones."""

    def __init__(self, shape, low, high, kind, grad, distinct=False, values=None):
        self.shape, self.low, self.high, self.kind, self.grad, self.distinct, self.values = shape, low, high, kind, grad, distinct, values

    def draw(self, random):
        floating = self.kind in ("t", "wide", "f64", "f32", "f16", "bf16")
        if self.values is None:
            n = int(np.prod(self.shape, dtype=int))
            step = 1 / GRID if floating else 1
            first, count = round(self.low / step), round((self.high - self.low) / step) + (1 if floating else 0)
            if self.distinct:
                assert n <= count, "too few numbers to be distinct"
                places = [first + i * count // n for i in range(n)]
                for i in range(n - 1, 0, -1):
                    k = random.below(i + 1)
                    places[i], places[k] = places[k], places[i]
            else:
                places = [first + random.below(count) for _ in range(n)]
            self.values = np.array(places, dtype=float).reshape(self.shape) * step
        dtype = DTYPES.get(self.kind, torch.float64)
        tensor = torch.tensor(np.asarray(self.values), dtype=torch.float64).to(dtype)
        if self.kind in ("t", "wide"):
            for smaller in (torch.bfloat16, torch.float16):
                assert torch.equal(torch.nan_to_num(tensor.to(smaller).double()), torch.nan_to_num(tensor)) or self.kind == "wide"
        return tensor.requires_grad_(self.grad and floating)


def F(*shape, low=-2, high=2, distinct=False):
    """A floating input that has a gradient."""
    return Draft(shape, low, high, "t", True, distinct)


def C(*shape, low=-2, high=2, kind="t"):
    """A floating input without one."""
    return Draft(shape, low, high, kind, False)


def I(*shape, below, kind="i64"):
    """Integers from [0, below)."""
    return Draft(shape, 0, below, kind, False)


def L(values, kind="t", grad=True):
    """Given values."""
    return Draft((), 0, 0, kind, grad, values=np.asarray(values))


class Book:
    def __init__(self):
        self.lines = []

    def begin(self, function, name, room, stores, wide_stores, settings):
        self.lines.append(f"\ncase {function} {name} {room:g} {stores:g} {wide_stores:g}")
        for key, value in settings.items():
            words = value if isinstance(value, (list, tuple)) else [value]
            self.lines.append(" ".join(["set", key, *(str(int(w) if isinstance(w, bool) else w) for w in words)]))

    def array(self, word, name, kind, tensor):
        if tensor is None:
            self.lines.append(f"{word} {name} none -")
            return
        shape = ",".join(map(str, tensor.shape)) or "-"
        numbers = tensor.detach().to(torch.float64).reshape(-1).tolist()
        # + 0.0: no minus in front of 0, whose sign is no part of parity
        self.lines.append(" ".join([word, name, kind, shape, *(f"{v + 0.0:.9g}" for v in numbers)]))

    def results(self, random, leaves, outputs, out_kind, cots):
        """outputs: tensors; leaves: (name, kind, tensor). Gradients of the sum of outputs times cotangents."""
        differentiable = []
        for i, out in enumerate(outputs):
            kind = {torch.int64: "i64", torch.bool: "bool"}.get(out.dtype, out_kind)
            self.array("out", str(i), kind, out)
            if cots and out.requires_grad:
                cot = C(*out.shape).draw(random).to(out.dtype)
                self.array("cot", str(i), kind, cot)
                differentiable.append((out, cot))
        if not differentiable:
            return
        wanted = [(name, kind, t) for name, kind, t in leaves if t is not None and t.requires_grad]
        grads = torch.autograd.grad([o for o, _ in differentiable], [t for _, _, t in wanted], [c for _, c in differentiable], allow_unused=True)
        for (name, kind, t), grad in zip(wanted, grads):
            self.array("grad", name, kind, torch.zeros_like(t) if grad is None else grad)

    def op(self, function, name, inputs, run, room=16, stores=4, wide_stores=0, out_kind="t", cots=True, after=(), **settings):
        """inputs: drafts by name, None for NULL. run gives a tensor or a tuple of them."""
        random = Random(function + name)
        self.begin(function, name, room, stores, wide_stores, settings)
        leaves = [(key, d.kind if d else "none", d.draw(random) if d else None) for key, d in inputs.items()]
        for key, kind, tensor in leaves:
            self.array("in", key, kind, tensor)
        outputs = run(*[t for _, _, t in leaves])
        self.results(random, leaves, outputs if isinstance(outputs, tuple) else (outputs,), out_kind, cots)
        for key, kind, tensor in leaves:
            if key in after:
                self.array("after", key, kind, tensor)

    def layer(self, function, name, module, inputs, run=None, room=16, stores=4, size=1.0, **settings):
        """A module whose parameters and buffers have mpt's names."""
        random = Random(function + name)
        self.begin(function, name, room, stores, 0, settings)
        leaves = [(key, d.kind, d.draw(random)) for key, d in inputs.items()]
        for key, kind, tensor in leaves:
            self.array("in", key, kind, tensor)
        for key, p in module.named_parameters():
            p.data = C(*p.shape, low=-size, high=size).draw(random)
            self.array("param", key, "t", p)
        buffers = [(key, b) for key, b in module.named_buffers() if b.dim()]
        for key, b in buffers:
            b.data = C(*b.shape, low=0.5, high=2).draw(random)
            self.array("buffer", key, "wide", b)
        outputs = (run or module)(*[t for _, _, t in leaves])
        everything = leaves + [(key, "t", p) for key, p in module.named_parameters()]
        self.results(random, everything, outputs if isinstance(outputs, tuple) else (outputs,), "t", True)
        for key, b in buffers:
            self.array("after", key, "wide", b)
