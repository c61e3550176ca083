"""Records of the ops that compute element by element, reduce, move or index."""

import numpy as np
import torch
import torch.nn.functional as fn

from parity_book import C, F, I, L

NAN, INF = float("nan"), float("inf")


def unary(book):
    plain = {
        "neg": torch.neg, "exp": torch.exp, "abs": torch.abs, "square": torch.square, "exp2": torch.exp2, "expm1": torch.expm1,
        "sin": torch.sin, "cos": torch.cos, "atan": torch.atan, "sinh": torch.sinh, "cosh": torch.cosh, "tanh": torch.tanh,
        "asinh": torch.asinh, "erf": torch.erf, "floor": torch.floor, "ceil": torch.ceil, "round": torch.round, "trunc": torch.trunc,
        "sign": torch.sign, "relu": torch.relu, "sigmoid": torch.sigmoid, "silu": fn.silu, "softplus": fn.softplus,
    }
    for name, run in plain.items():
        book.op("mpt_" + name, "plain", {"x": F(3, 5)}, run)
    positive = {"log": torch.log, "sqrt": torch.sqrt, "rsqrt": torch.rsqrt, "reciprocal": torch.reciprocal, "log2": torch.log2, "log10": torch.log10}
    for name, run in positive.items():
        book.op("mpt_" + name, "plain", {"x": F(3, 5, low=0.25, high=4)}, run)
    ranges = {"log1p": (torch.log1p, -0.75, 3), "tan": (torch.tan, -1.25, 1.25), "asin": (torch.asin, -0.875, 0.875),
              "acos": (torch.acos, -0.875, 0.875), "acosh": (torch.acosh, 1.25, 4), "atanh": (torch.atanh, -0.875, 0.875)}
    for name, (run, low, high) in ranges.items():
        book.op("mpt_" + name, "plain", {"x": F(3, 5, low=low, high=high)}, run)
    for name in ("isnan", "isinf", "isfinite"):
        book.op("mpt_" + name, "special", {"x": L([0, 1, NAN, INF, -INF, -2], grad=False)}, getattr(torch, name))
    book.op("mpt_logical_not", "floats", {"x": L([0, 1, NAN, -2], grad=False)}, torch.logical_not)
    book.op("mpt_logical_not", "bools", {"x": I(4, below=2, kind="bool")}, torch.logical_not)
    book.op("mpt_round", "halves", {"x": L([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])}, torch.round)
    book.op("mpt_abs", "kink", {"x": L([-1, 0, 2])}, torch.abs)
    book.op("mpt_relu", "kink", {"x": L([-1, 0, 2])}, torch.relu)
    book.op("mpt_relu", "special", {"x": L([NAN, INF, -INF], grad=False)}, torch.relu)
    book.op("mpt_exp", "special", {"x": L([NAN, INF, -INF, 0], grad=False)}, torch.exp)
    book.op("mpt_log", "special", {"x": L([NAN, INF, 0, -1], grad=False)}, torch.log)
    book.op("mpt_softplus", "far", {"x": L([-40, -12, 12, 40, 200])}, lambda x: torch.logaddexp(x, torch.zeros_like(x)))
    book.op("mpt_sigmoid", "far", {"x": L([-40, -12, 12, 40, 200])}, torch.sigmoid)
    book.op("mpt_affine", "plain", {"x": F(3, 5)}, lambda x: 0.75 * x - 1.5, scale=0.75, shift=-1.5)
    for slope in (0.01, 0.25):
        book.op("mpt_leaky_relu", f"slope_{slope}", {"x": F(3, 5)}, lambda x: fn.leaky_relu(x, slope), slope=slope)
    for alpha in (1.0, 0.5):
        book.op("mpt_elu", f"alpha_{alpha}", {"x": F(3, 5)}, lambda x: fn.elu(x, alpha), alpha=alpha)
    book.op("mpt_gelu", "exact", {"x": F(3, 5, low=-4, high=4)}, fn.gelu, kind="MPT_GELU_EXACT")
    book.op("mpt_gelu", "tanh", {"x": F(3, 5, low=-4, high=4)}, lambda x: fn.gelu(x, approximate="tanh"), kind="MPT_GELU_TANH")
    book.op("mpt_clamp", "both", {"x": F(3, 5)}, lambda x: x.clamp(-0.51, 0.76), low=-0.51, high=0.76)
    book.op("mpt_clamp", "one_side", {"x": F(3, 5)}, lambda x: x.clamp(min=0.26), low=0.26, high="inf")
    book.op("mpt_clamp", "at_bounds", {"x": L([-2, -1, 0, 0.5, 1])}, lambda x: x.clamp(-1, 0.5), low=-1, high=0.5)
    for exponent in (2.0, 0.5, -0.5, -1.0, 1.7, 0.0):
        book.op("mpt_pow_scalar", f"to_{exponent}", {"x": F(3, 5, low=0.25, high=3)}, lambda x: x**exponent, exponent=exponent)
    book.op("mpt_pow_scalar", "negative_base", {"x": L([-2, -0.5, 0, 1.5])}, lambda x: x**3, exponent=3)


def binary(book):
    pairs = {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "maximum": torch.maximum, "minimum": torch.minimum, "atan2": torch.atan2}
    for name, run in pairs.items():
        book.op("mpt_" + name, "plain", {"a": F(3, 4), "b": F(3, 4)}, run)
        book.op("mpt_" + name, "broadcast", {"a": F(2, 1, 3), "b": F(4, 1)}, run)
    for name in ("add", "sub", "mul", "maximum", "minimum"):
        book.op("mpt_" + name, "integers", {"a": I(3, 4, below=9, kind="i32"), "b": I(4, below=9, kind="i32")},
                lambda a, b: pairs[name](a, b).int(), out_kind="i32")
    for name in ("maximum", "minimum"):
        book.op("mpt_" + name, "ties", {"a": L([1, 2, -1, 0.5]), "b": L([1, 1.5, -1, 0.75])}, pairs[name])
        book.op("mpt_" + name, "nan", {"a": L([NAN, 1, INF], grad=False), "b": L([1, NAN, 2], grad=False)}, pairs[name])
    for a, b, form in (((3, 4), (3, 4), "plain"), ((2, 1, 3), (4, 1), "broadcast"), ((3,), (), "scalar")):
        book.op("mpt_div", form, {"a": F(*a), "b": F(*b, low=0.5, high=3)}, torch.div)
        book.op("mpt_pow", form, {"a": F(*a, low=0.25, high=3), "b": F(*b)}, torch.pow)
        # A quotient that is whole is so without rounding, and the others are far from whole.
        inputs = lambda: {"a": F(*a, low=-6, high=6), "b": L(np.resize([1.34375, -0.71875, 2.21875, -1.65625], b))}
        book.op("mpt_fmod", form, inputs(), torch.fmod)
        book.op("mpt_remainder", form, inputs(), torch.remainder)
        book.op("mpt_floor_divide", form, inputs(), lambda p, q: torch.floor_divide(p, q).detach() + 0 * (p + q))
    book.op("mpt_pow", "zero_base", {"a": L([0, 0, 2, 1]), "b": L([2, 1, 0, 3])}, torch.pow)
    for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"):
        run = {"equal": torch.eq, "not_equal": torch.ne}.get(name) or getattr(torch, name)
        book.op("mpt_" + name, "special", {"a": L([0, 1, NAN, INF, 2, 2], grad=False), "b": L([0, NAN, NAN, INF, 3, 1], grad=False)}, run)
        book.op("mpt_" + name, "broadcast", {"a": I(3, 1, below=4, kind="i64"), "b": I(4, below=4, kind="i64")}, run)
    for name in ("and", "or", "xor"):
        book.op("mpt_logical_" + name, "broadcast", {"a": L([[False], [True]], "bool"), "b": L([False, True], "bool")}, getattr(torch, "logical_" + name))
    book.op("mpt_where", "plain", {"condition": I(3, 4, below=2, kind="bool"), "a": F(3, 4), "b": F(3, 4)}, torch.where)
    book.op("mpt_where", "broadcast", {"condition": I(4, 1, below=2, kind="bool"), "a": F(3), "b": F(2, 1, 1)}, torch.where)


def reductions(book):
    forms = {"all": None, "last": [-1], "first_kept": [0], "two": [0, 2]}
    runs = {"sum": torch.sum, "mean": torch.mean, "max": torch.amax, "min": torch.amin, "logsumexp": torch.logsumexp,
            "norm": lambda x, dim, keepdim: torch.linalg.vector_norm(x, 2, dim, keepdim)}
    for form, dims in forms.items():
        keep = form == "first_kept"
        settings = {"keep_dims": keep} | ({} if dims is None else {"dims": dims})
        every = dims if dims is not None else [0, 1, 2]
        for name, run in runs.items():
            book.op("mpt_" + name, form, {"x": F(2, 3, 4)}, lambda x: run(x, dim=every, keepdim=keep), **settings)
        for correction in (0.0, 1.0):
            book.op("mpt_var", f"{form}_{correction:g}", {"x": F(2, 3, 4)}, lambda x: torch.var(x, every, correction=correction, keepdim=keep),
                    correction=correction, **settings)

        def prod(x):
            for d in sorted((d % 3 for d in every), reverse=True):
                x = torch.prod(x, d, keepdim=keep)
            return x
        book.op("mpt_prod", form, {"x": F(2, 3, 4, low=0.5, high=1.5)}, prod, **settings)
        for name, run in (("any", torch.any), ("all", torch.all)):
            book.op("mpt_" + name, form, {"x": I(2, 3, 4, below=2, kind="bool")}, lambda x: run(x, dim=tuple(every), keepdim=keep), **settings)
    for name in ("max", "min"):
        run = runs[name]
        book.op("mpt_" + name, "ties", {"x": L([[1, 2, 2], [0, 0, 0]])}, lambda x: run(x, dim=1), keep_dims=0, dims=1)
        book.op("mpt_" + name, "nan", {"x": L([[1, NAN, 2], [INF, 0, -INF]], grad=False)}, lambda x: run(x, dim=1), keep_dims=0, dims=1)
        arg = getattr(torch, "arg" + name)
        book.op("mpt_arg" + name, "ties", {"x": L([[1, 2, 2], [0, 0, 0]], grad=False)}, lambda x: arg(x, 1), dim=1, keep_dims=0)
        book.op("mpt_arg" + name, "nan", {"x": L([[1, NAN, NAN], [INF, 0, -INF]], grad=False)}, lambda x: arg(x, 1, True), dim=-1, keep_dims=1)
        book.op("mpt_arg" + name, "middle", {"x": C(2, 3, 4)}, lambda x: arg(x, 1), dim=1, keep_dims=0)
    book.op("mpt_prod", "zeros", {"x": L([[0, 2, 3], [0, 0, 4], [1, 2, 3]])}, lambda x: x.prod(1), keep_dims=0, dims=1)
    book.op("mpt_norm", "zero", {"x": L([[0, 0], [3, 4]])}, lambda x: torch.linalg.vector_norm(x, 2, 1), keep_dims=0, dims=1)
    book.op("mpt_logsumexp", "far", {"x": L([[200, 198, -200], [-300, -302, -304]])}, lambda x: x.logsumexp(1), keep_dims=0, dims=1)
    for dim in (0, 1, -1):
        book.op("mpt_cumsum", f"dim_{dim}".replace("-", "m"), {"x": F(2, 3, 4)}, lambda x: x.cumsum(dim), dim=dim)
    for dim, descending in ((0, 0), (1, 1), (-1, 0)):
        book.op("mpt_sort", f"dim_{dim}".replace("-", "m"), {"x": F(3, 4, 2, distinct=True)},
                lambda x: tuple(torch.sort(x, dim=dim, descending=bool(descending), stable=True)), dim=dim, descending=descending)
    book.op("mpt_sort", "ties", {"x": L([1, 0, 1, 0, 1, 2])}, lambda x: tuple(torch.sort(x, dim=0, stable=True)), dim=0, descending=0)
    for descending in (0, 1):
        book.op("mpt_sort", f"nan_{descending}", {"x": L([1, NAN, INF, 0], grad=False)},
                lambda x: tuple(torch.sort(x, dim=0, descending=bool(descending), stable=True)), dim=0, descending=descending)
    for dim, largest in ((0, 1), (-1, 0)):
        book.op("mpt_topk", f"largest_{largest}", {"x": F(4, 5, distinct=True)}, lambda x: tuple(torch.topk(x, 2, dim, bool(largest))),
                k=2, dim=dim, largest=largest)


def shapes(book):
    x = lambda: {"x": F(2, 3, 4)}
    book.op("mpt_reshape", "inferred", x(), lambda x: x.reshape(4, -1), shape=[4, -1])
    book.op("mpt_transpose", "all", x(), lambda x: x.permute(2, 0, 1), dims=[2, 0, 1])
    book.op("mpt_transpose", "last_two", x(), lambda x: x.mT)
    book.op("mpt_slice", "middle", x(), lambda x: x.narrow(1, 1, 2), dim=1, start=1, length=2)
    book.op("mpt_slice", "negative", x(), lambda x: x.narrow(-1, 2, 1), dim=-1, start=2, length=1)
    book.op("mpt_expand", "plain", {"x": F(3, 1)}, lambda x: x.expand(2, 3, 4), shape=[2, 3, 4])
    book.op("mpt_squeeze", "middle", {"x": F(2, 1, 3)}, lambda x: x.squeeze(1), dim=1)
    book.op("mpt_unsqueeze", "middle", x(), lambda x: x.unsqueeze(1), dim=1)
    book.op("mpt_unsqueeze", "end", x(), lambda x: x.unsqueeze(-1), dim=-1)
    book.op("mpt_contiguous", "of_transposed", x(), lambda x: x.mT.contiguous())
    book.op("mpt_concat", "middle", {"a": F(2, 1, 3), "b": F(2, 2, 3), "c": F(2, 1, 3)}, lambda *t: torch.cat(t, 1), dim=1)
    book.op("mpt_concat", "end", {"a": F(2, 1), "b": F(2, 2)}, lambda *t: torch.cat(t, -1), dim=-1)
    book.op("mpt_stack", "front", {"a": F(2, 3), "b": F(2, 3)}, lambda *t: torch.stack(t, 0), dim=0)
    book.op("mpt_stack", "end", {"a": F(2, 3), "b": F(2, 3)}, lambda *t: torch.stack(t, -1), dim=-1)
    book.op("mpt_split", "uneven", {"x": F(2, 6)}, lambda x: torch.split(x, [1, 3, 2], 1), dim=1, lengths=[1, 3, 2])
    book.op("mpt_pad", "value", {"x": F(2, 3)}, lambda x: fn.pad(x, (1, 2, 0, 1), value=1.5), before=[0, 1], behind=[1, 2], value=1.5)
    book.op("mpt_pad", "cut", {"x": F(3, 4)}, lambda x: fn.pad(x, (-1, 1, 2, -1)), before=[2, -1], behind=[-1, 1], value=0)
    book.op("mpt_flip", "two", x(), lambda x: x.flip(0, 2), dims=[0, 2])
    book.op("mpt_flip", "negative", x(), lambda x: x.flip(-2), dims=[-2])
    book.op("mpt_tile", "more_dimensions", {"x": F(2, 3)}, lambda x: x.tile(2, 1, 3), repeats=[2, 1, 3])  # numpy.tile's form
    for diagonal in (0, 1, -2):
        name = f"diagonal_{diagonal}".replace("-", "m")
        book.op("mpt_tril", name, {"x": F(2, 4, 3)}, lambda x: x.tril(diagonal), diagonal=diagonal)
        book.op("mpt_triu", name, {"x": F(2, 4, 3)}, lambda x: x.triu(diagonal), diagonal=diagonal)
    # Numbers between those of the 16-bit formats, ties among them: which way they round is in the record.
    between = [1 + 2.0**-8, 1 + 3 * 2.0**-8, 1 + 2.0**-11, 1 + 3 * 2.0**-11, -1.2345678, 3.1e-6, 65519, 1e-40, 300.7, NAN, INF]
    for dtype, to in (("f16", torch.float16), ("bf16", torch.bfloat16), ("f64", torch.float64)):
        book.op("mpt_cast", f"f32_to_{dtype}", {"x": L(between, "f32", grad=False)}, lambda x: x.to(to), out_kind=dtype, dtype="MPT_" + dtype.upper())
    book.op("mpt_cast", "gradient", {"x": F(2, 3)}, lambda x: 1 * x, out_kind="f32", dtype="MPT_F32")
    book.op("mpt_cast", "integers", {"x": I(2, 3, below=99, kind="i64")}, lambda x: x.double(), out_kind="f32", dtype="MPT_F32")


def indices(book):
    book.op("mpt_index_select", "repeats", {"x": F(3, 4, 2), "index": L([2, 0, 2, 3, 1], "i64")}, lambda x, i: x.index_select(1, i), dim=1)
    book.op("mpt_index_select", "bytes", {"x": F(3, 4), "index": L([1, 1, 0], "u8")}, lambda x, i: x.index_select(0, i.long()), dim=0)
    for dim in (0, 1, -1):
        name, extent = f"dim_{dim}".replace("-", "m"), 3 if dim == 0 else 4
        book.op("mpt_gather", name, {"x": F(3, 4), "index": I(2, 3, below=extent, kind="i32")}, lambda x, i: x.gather(dim, i.long()), dim=dim)
        book.op("mpt_scatter_add", name, {"x": F(3, 4), "index": I(2, 3, below=extent, kind="i64"), "src": F(2, 3)},
                lambda x, i, s: x.scatter_add(dim, i, s), dim=dim)
    # An index outside gives zeros, which torch.nn.functional.one_hot refuses.
    book.op("mpt_one_hot", "outside", {"index": L([[0, 2], [3, 7]], "i64")}, lambda i: (i[..., None] == torch.arange(4)).double(),
            out_kind="f32", classes=4, dtype="MPT_F32")
    book.op("mpt_one_hot", "plain", {"index": I(5, below=3, kind="u8")}, lambda i: fn.one_hot(i.long(), 3), out_kind="i64", classes=3, dtype="MPT_I64")
    index = lambda: L([[0, 2, 2], [1, 4, 0]], "i64")
    book.op("mpt_embedding", "plain", {"index": index(), "weight": F(5, 3)}, fn.embedding, padding_index=-1)
    book.op("mpt_embedding", "padding", {"index": index(), "weight": F(5, 3)}, lambda i, w: fn.embedding(i, w, padding_idx=2), padding_index=2)


def write(book):
    for part in (unary, binary, reductions, shapes, indices):
        part(book)
