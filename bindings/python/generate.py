#!/usr/bin/env python3
"""Writes the part of the package that follows from the header: enums, ops, layers and optimizers, from abi/mpt.json.

usage: generate.py [FOLDER]     default: src/mpt beside this file; what is there must be what this writes
"""
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
API = json.loads((HERE.parent.parent / "abi" / "mpt.json").read_text(encoding="utf-8"))
FUNCTIONS = {f["name"]: f for f in API["functions"]}
STRUCTS = {s["name"]: s for s in API["structs"]}
ENUMS = {e["name"]: e for e in API["enums"] if e["name"]}
HEAD = '"""{0}\n\nWritten by generate.py from the description of mpt.h: change that instead."""\n'

# ---- enums ----
CLASSES = {"mpt_status": "Status", "mpt_dtype": "DType", "mpt_device": "Device", "mpt_log_level": "LogLevel", "mpt_reduction": "Reduction",
           "mpt_grad_mode": "GradMode", "mpt_init": "Init", "mpt_role": "Role", "mpt_scaler_kind": "ScalerKind", "mpt_fp8_recipe": "Fp8Recipe",
           "mpt_rounding": "Rounding", "mpt_schedule_kind": "ScheduleKind", "mpt_activation": "ActivationKind", "mpt_gelu_kind": "GeluKind",
           "mpt_upsample_mode": "UpsampleMode", "mpt_recurrent_kind": "RecurrentKind", "mpt_join": "Join"}
PREFIXES = ("MPT_DTYPE_", "MPT_DEVICE_", "MPT_LOG_", "MPT_REDUCTION_", "MPT_GRAD_", "MPT_INIT_", "MPT_ROLE_", "MPT_SCALER_", "MPT_FP8_",
            "MPT_ROUNDING_", "MPT_SCHEDULE_", "MPT_ACTIVATION_", "MPT_GELU_", "MPT_UPSAMPLE_", "MPT_RECURRENT_", "MPT_JOIN_", "MPT_ERROR_", "MPT_")


def member(name):
    for prefix in PREFIXES:
        if name.startswith(prefix):
            return name[len(prefix):]
    raise ValueError(name)


def enums():
    out = [HEAD.format("The enums of mpt; a function that takes one takes its name in lower case too."), "from enum import IntEnum\n"]
    for name, enum in ENUMS.items():
        if name not in CLASSES:
            raise SystemExit(f"generate.py: name a class for {name} in CLASSES")
        out.append(f'\nclass {CLASSES[name]}(IntEnum):\n    """{enum["doc"] or name}"""\n')
        for key, value in enum["values"].items():
            if not key.endswith("FORCE_32"):
                text = member(key)
                if text == "F8E4M3" or text == "F8E5M2" or name == "mpt_dtype":
                    text = text.lower() if text != "NONE" else "none"
                out.append(f"    {text} = {value}")
        out.append("")
    return "\n".join(out)


# ---- signatures ----
OPTIONAL = {"bias", "mask", "running_mean", "running_var"}
NORM_WEIGHTS = {"mpt_batch_norm", "mpt_layer_norm", "mpt_rms_norm", "mpt_group_norm", "mpt_instance_norm"}
FLAGS = {"keep_dims": "False", "descending": "False", "largest": "True", "training": "False", "zero_infinity": "False"}
DEFAULTS = {"slope": "0.01", "alpha": "1.0", "correction": "1.0", "momentum": "0.1", "eps": "1e-5", "p": "0.5", "delta": "1.0", "margin": "0.0",
            "positive_weight": "1.0", "diagonal": "0", "padding_index": "-1", "blank": "0", "value": "0.0", "scale": "1.0", "shift": "0.0",
            "reduction": '"mean"', "mode": '"nearest"', "kind": '"exact"', "stride": "0", "padding": "0", "parameter": "0.0", "join": '"sum"',
            "low": "-math.inf", "high": "math.inf"}
OVERRIDES = {("mpt_cosine_similarity", "eps"): "1e-8", ("mpt_cosine_similarity", "dim"): "1", ("mpt_hinge", "margin"): "1.0",
             ("mpt_softmax", "dim"): "-1", ("mpt_log_softmax", "dim"): "-1", ("mpt_concat", "dim"): "0", ("mpt_stack", "dim"): "0",
             ("mpt_sort", "dim"): "-1", ("mpt_topk", "dim"): "-1", ("mpt_one_hot", "dtype"): '"f32"', ("mpt_split", "dim"): "0",
             ("mpt_layer_leaky_relu", "parameter"): "0.01", ("mpt_layer_parallel", "dim"): "1", ("mpt_layer_softmax", "dim"): "-1",
             ("mpt_layer_activation", "kind"): None}
# The dimension comes behind what it divides.
ORDER = {"mpt_split": ["x", "lengths", "dim"], "mpt_flip": ["x", "dims"], "mpt_topk": ["x", "k", "dim", "largest"],
         "mpt_batch_norm": ["x", "weight", "bias", "running_mean", "running_var", "training", "momentum", "eps"],
         "mpt_rms_norm": ["x", "weight", "eps"], "mpt_huber": ["prediction", "target", "delta", "reduction"]}


def snake_pairs(fields):
    """Fields as Python arguments: (argument, kind, [fields])."""
    out, seen = [], set()
    for field in fields:
        name, kind = field["name"], field["type"]
        if name in ("struct_size", "reserved") or name in seen:
            continue
        if name.endswith("_h") and any(f["name"] == name[:-2] + "_w" for f in fields):
            out.append((name[:-2], "pair", [name, name[:-2] + "_w"]))
            seen.add(name[:-2] + "_w")
        elif name.startswith("no_"):
            out.append((name[3:], "not", [name]))
        elif kind == "int32_t" and name in ("causal", "exclude_padding", "bidirectional", "batch_first", "nesterov", "centered"):
            out.append((name, "flag", [name]))
        elif kind in CLASSES:
            out.append((name, CLASSES[kind], [name]))
        elif kind == "double":
            out.append((name, "float", [name]))
        elif kind.startswith("mpt_tensor"):
            out.append((name, "tensor", [name]))
        else:
            out.append((name, "int", [name]))
    return out


HINTS = {"pair": "Pair | None", "not": "bool", "flag": "bool", "float": "float | None", "int": "int | None", "tensor": "Tensor | None"}


def keyword(argument, kind, skip=()):
    hint = HINTS.get(kind) or f"{kind} | str | None"
    default = "True" if kind == "not" else "False" if kind == "flag" else "None"
    return f"{argument}: {hint} = {default}"


def setting(argument, kind, fields):
    """The entries of a descriptor's dict."""
    if kind == "pair":
        return f'"{fields[0]}": _first({argument}), "{fields[1]}": _second({argument})'
    if kind == "not":
        return f'"{fields[0]}": None if {argument} else 1'
    if kind == "flag":
        return f'"{fields[0]}": 1 if {argument} else None'
    if kind in ("float", "int", "tensor"):
        return f'"{fields[0]}": {argument}'
    if kind == "DType":
        return f'"{fields[0]}": None if {argument} is None else as_dtype({argument})'
    return f'"{fields[0]}": None if {argument} is None else as_enum({kind}, {argument})'


def made_from(struct, init, arguments):
    settings = ", ".join(setting(*a) for a in arguments)
    return f"_descriptor(_core.{struct}, _core.{init}, {{{settings}}})"


def python_doc(text):
    """The header's words for Python's readers."""
    text = re.sub(r"\bNULL\b", "None", text)
    text = re.sub(r"\bMPT_(F8E4M3|F8E5M2|F64|F32|F16|BF16|U8|I32|I64|BOOL)\b", lambda m: m.group(1).lower(), text)
    text = re.sub(r"\bmpt_(\w+)", r"\1", text)
    return text.replace("\\", "\\\\").replace('"""', "'''")


def doc(text, indent):
    words, lines, line = python_doc(text).split(), [], ""
    for word in words:
        if len(line) + len(word) > 110 - indent:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    lines.append(line)
    return '"""' + ("\n" + " " * indent).join(lines) + '"""'


def operation(name):
    """An op as (Python name, parameters, call arguments, keywords, number of outputs, first tensor)."""
    function = FUNCTIONS[name]
    parameters = [p for p in function["parameters"]]
    wanted, arguments, keywords, outputs = {}, [], [], 0
    first = None
    i = 0
    while i < len(parameters):
        p = parameters[i]
        kind, label = p["type"], p["name"]
        default = OVERRIDES.get((name, label), DEFAULTS.get(label))
        following = parameters[i + 1]["name"] if i + 1 < len(parameters) else ""
        if kind == "mpt_tensor **" and label != "outputs":
            outputs += 1
        elif kind == "mpt_tensor *":
            first = first or label
            optional = label in OPTIONAL or (name in NORM_WEIGHTS and label == "weight")
            wanted[label] = f"{label}: Tensor | None = None" if optional else f"{label}: Tensor"
            arguments.append(label)
        elif kind == "mpt_tensor *const *":
            first = f"{label}[0]"
            wanted[label] = f"{label}: Sequence[Tensor]"
            arguments.append(label)
            i += 1
        elif kind == "int32_t" and label in ("ndim", "ndims") and following in ("dims", "shape", "repeats", "before"):
            values = following
            if values == "before":
                wanted["padding"] = "padding: Sequence[tuple[int, int]]"
                arguments.append("padding")
                i += 1
            elif values == "dims":
                none = "" if name == "mpt_flip" else " | None = None"
                wanted["dims"] = f"dims: Dims{none}"
                arguments.append("_dims(dims)")
            else:
                wanted[values] = f"{values}: Dims"
                arguments.append(f"_dims({values})")
            i += 1
        elif kind == "const int64_t *" and label == "lengths":
            wanted[label] = f"{label}: Sequence[int]"
            arguments.append(label)
            outputs = -1
            i += 2
        elif kind.startswith("const mpt_") and kind.endswith("_params *"):
            struct = kind[6:-2]
            rest = snake_pairs(STRUCTS[struct]["fields"])
            if not name.startswith("mpt_conv_transpose"):
                rest = [r for r in rest if r[0] != "output_padding"]
            if not name.endswith("avg_pool2d"):
                rest = [r for r in rest if r[0] != "exclude_padding"]
            keywords = [keyword(a, k) for a, k, _ in rest]
            arguments.append(made_from(struct, struct + "_init", rest))
        elif kind in CLASSES:
            cls = CLASSES[kind]
            wanted[label] = f"{label}: {cls} | str" + (f" = {default}" if default else "")
            arguments.append(f"as_dtype({label})" if cls == "DType" else f"as_enum({cls}, {label})")
        elif label in FLAGS and kind == "int32_t":
            wanted[label] = f"{label}: bool = {FLAGS[label]}"
            arguments.append(f"1 if {label} else 0")
        else:
            hint = "float" if kind == "double" else "int"
            wanted[label] = f"{label}: {hint}" + (f" = {default}" if default else "")
            arguments.append(label)
        i += 1
    order = ORDER.get(name, list(wanted))
    signature = [wanted[o] for o in order]
    # An argument without a default cannot follow one with.
    seen = False
    for k, text in enumerate(signature):
        if "=" in text:
            seen = True
        elif seen:
            signature[k] = None
            raise SystemExit(f"generate.py: {name}: '{text}' follows an argument with a default")
    return signature, arguments, keywords, outputs, first, order


NOT_OPS = re.compile(r"mpt_(version|status|dtype|last|context|tensor|custom|backward|no_grad|policy|autocast|layer_(?!norm$)|scaler|optimizer|average|"
                     r"capture|program|state|fp8|\w+_(desc|params)_init)")
BINARY = {f["name"] for f in API["functions"] if [p["name"] for p in f["parameters"]] == ["a", "b", "out"] and f["name"] != "mpt_matmul"}
NOT_METHODS = {"mpt_concat", "mpt_stack", "mpt_where", "mpt_lstm_cell", "mpt_gru_cell", "mpt_attention", "mpt_embedding", "mpt_linear",
               "mpt_slice", "mpt_pow", "mpt_pow_scalar"}
RENAMED = {"mpt_slice": "slice"}


def operations():
    return [f["name"] for f in API["functions"] if not NOT_OPS.match(f["name"])]


def ops():
    out = [HEAD.format("The ops: functions of tensors, and the same as methods."),
           "from __future__ import annotations\n",
           "import math\nfrom typing import TYPE_CHECKING, Any, Sequence, Union\n",
           "from . import _core\nfrom ._enums import *\n"
           "from ._support import (Dims, Pair, as_dtype, as_enum, descriptor as _descriptor, dims as _dims, first as _first, made as _made,\n"
           "                       made_all as _made_all, operands as _operands, second as _second)\n",
           "if TYPE_CHECKING:\n    from .tensor import Tensor\n    Operand = Union[Tensor, float, int, bool]\n"]
    methods = ["\nclass TensorMethods:\n    \"\"\"The ops as methods of a tensor.\"\"\"\n\n    __slots__ = ()\n"]
    for name in operations():
        signature, arguments, keywords, outputs, first, order = operation(name)
        python = name[4:]
        words = doc(FUNCTIONS[name]["doc"], 4)
        result = "Tensor" if outputs == 1 else "tuple[Tensor, ...]" if outputs < 0 else "tuple[" + ", ".join(["Tensor"] * outputs) + "]"
        if name in BINARY:
            signature = ["a: Operand", "b: Operand"]
            before = "    a, b = _operands(a, b)\n"
        elif name == "mpt_where":
            signature = ["condition: Tensor", "a: Operand", "b: Operand"]
            before = "    a, b = _operands(a, b, condition)\n"
        else:
            before = ""
        declared = ", ".join(signature + (["*"] + keywords if keywords else []))
        made = "_made" if outputs == 1 else "_made_all"
        out.append(f"\ndef {python}({declared}) -> {result}:\n    {words}\n{before}    return {made}(_core.{name}({', '.join(arguments)}), {first})\n")
        if name not in NOT_METHODS and not first.endswith("]"):
            own = signature[1:]
            passed = ", ".join(["self"] + order[1:] + [f"{k.split(':')[0]}={k.split(':')[0]}" for k in keywords])
            declared = ", ".join(["self: Any"] + own + (["*"] + keywords if keywords else []))
            methods.append(f"    def {python}({declared}) -> {result}:\n        {doc(FUNCTIONS[name]['doc'], 8)}\n        return _{python}({passed})\n")
    # A method's own name hides the function inside the class body only for readers; calls go through names of their own.
    aliases = "\n".join(f"_{n[4:]} = {n[4:]}" for n in operations() if n not in NOT_METHODS and not operation(n)[4].endswith("]"))
    text = "\n".join(out) + "\n\n" + aliases + "\n\n" + "\n".join(methods)
    names = ", ".join(f'"{n[4:]}"' for n in operations())
    return text + f"\n\n__all__ = [{names}]\n"


# ---- layers ----
LAYERS = {"Linear": ("mpt_layer_linear", ["in_features", "out_features"]), "Conv2d": ("mpt_layer_conv2d", ["in_channels", "out_channels", "kernel"]),
          "ConvTranspose2d": ("mpt_layer_conv_transpose2d", ["in_channels", "out_channels", "kernel"]),
          "Conv1d": ("mpt_layer_conv1d", ["in_channels", "out_channels", "kernel"]),
          "ConvTranspose1d": ("mpt_layer_conv_transpose1d", ["in_channels", "out_channels", "kernel"]),
          "BatchNorm": ("mpt_layer_batch_norm", ["features"]), "LayerNorm": ("mpt_layer_layer_norm", ["features"]),
          "RMSNorm": ("mpt_layer_rms_norm", ["features"]), "GroupNorm": ("mpt_layer_group_norm", ["groups", "features"]),
          "InstanceNorm": ("mpt_layer_instance_norm", ["features"]), "Embedding": ("mpt_layer_embedding", ["count", "dim"]),
          "Recurrent": ("mpt_layer_recurrent", ["input_size", "hidden_size"]),
          "MultiHeadAttention": ("mpt_layer_attention", ["embed_dim", "heads"]), "MaxPool2d": ("mpt_layer_max_pool2d", ["kernel"]),
          "AvgPool2d": ("mpt_layer_avg_pool2d", ["kernel"]), "AdaptiveAvgPool2d": ("mpt_layer_adaptive_avg_pool2d", None),
          "AdaptiveMaxPool2d": ("mpt_layer_adaptive_max_pool2d", None), "MaxPool1d": ("mpt_layer_max_pool1d", None),
          "AvgPool1d": ("mpt_layer_avg_pool1d", None), "Upsample2d": ("mpt_layer_upsample2d", None), "Dropout": ("mpt_layer_dropout", None),
          "Activation": ("mpt_layer_activation", None), "ReLU": ("mpt_layer_relu", None), "Softmax": ("mpt_layer_softmax", None),
          "Flatten": ("mpt_layer_flatten", None)}
DROPPED = {"Conv2d": ["output_padding"], "Conv1d": ["output_padding"], "BatchNorm": ["groups"], "LayerNorm": ["groups", "momentum", "running"],
           "RMSNorm": ["groups", "momentum", "running", "bias"], "GroupNorm": ["momentum", "running"], "InstanceNorm": ["groups", "momentum", "running"],
           "MaxPool2d": ["exclude_padding"]}
ACTIVATIONS = {"LeakyReLU": ("LEAKY_RELU", "slope", "0.01"), "GELU": ("GELU", None, None), "SiLU": ("SILU", None, None), "ELU": ("ELU", "alpha", "1.0"),
               "Sigmoid": ("SIGMOID", None, None), "Tanh": ("TANH", None, None), "Softplus": ("SOFTPLUS", None, None)}
OPTIMIZERS = {"SGD": ("mpt_optimizer_sgd", "mpt_sgd_desc", "mpt_sgd_desc_init"), "Adam": ("mpt_optimizer_adam", "mpt_adam_desc", "mpt_adam_desc_init"),
              "AdamW": ("mpt_optimizer_adamw", "mpt_adam_desc", "mpt_adamw_desc_init"),
              "Adagrad": ("mpt_optimizer_adagrad", "mpt_adagrad_desc", "mpt_adagrad_desc_init"),
              "Adadelta": ("mpt_optimizer_adadelta", "mpt_adadelta_desc", "mpt_adadelta_desc_init"),
              "RMSprop": ("mpt_optimizer_rmsprop", "mpt_rmsprop_desc", "mpt_rmsprop_desc_init"),
              "LAMB": ("mpt_optimizer_lamb", "mpt_adam_desc", "mpt_lamb_desc_init")}


def layers():
    out = [HEAD.format("The layers that come with mpt. ctx: the context that they are made in, the current one where it is not given."),
           "from __future__ import annotations\n",
           "from . import _core\nfrom ._enums import *\n"
           "from ._support import Pair, as_dtype, as_enum, descriptor as _descriptor, first as _first, second as _second\n"
           "from .context import Context, current_context\nfrom .layer import Layer\n"]
    names = []
    for cls, (name, required) in LAYERS.items():
        function = FUNCTIONS[name]
        struct = next((p["type"][6:-2] for p in function["parameters"] if p["type"].startswith("const mpt_")), None)
        if struct:
            rest = [r for r in snake_pairs(STRUCTS[struct]["fields"]) if r[0] not in DROPPED.get(cls, [])]
            by_name = {r[0]: r for r in rest}
            pool = cls.endswith("Pool2d")
            signature = []
            for label in required:
                kind = by_name[label][1]
                default = " | None = None" if pool else " = 3" if label == "kernel" else ""
                signature.append(f"{label}: {'Pair' if kind == 'pair' else 'int'}{default}")
            signature += ["*"] + [keyword(a, k) for a, k, _ in rest if a not in required] + ["ctx: Context | None = None"]
            made = f"_core.{name}(ctx, {made_from(struct, struct + '_init', rest)})"
        else:
            signature, arguments = [], []
            for p in function["parameters"][1:-1]:
                label, kind = p["name"], p["type"]
                default = OVERRIDES[(name, label)] if (name, label) in OVERRIDES else DEFAULTS.get(label)
                hint = f"{CLASSES[kind]} | str" if kind in CLASSES else "float" if kind == "double" else "int"
                signature.append(f"{label}: {hint}" + (f" = {default}" if default else ""))
                arguments.append(f"as_enum({CLASSES[kind]}, {label})" if kind in CLASSES else label)
            signature += ["*", "ctx: Context | None = None"]
            made = f"_core.{name}({', '.join(['ctx'] + arguments)})"
        out.append(f"\nclass {cls}(Layer):\n    {doc(function['doc'], 4)}\n\n    def __init__(self, {', '.join(signature)}) -> None:\n"
                   f"        ctx = ctx or current_context()\n        self._adopt({made}, ctx)\n")
        names.append(cls)
    for cls, (kind, label, default) in ACTIVATIONS.items():
        parameter = f"{label}: float = {default}, " if label else ""
        out.append(f"\nclass {cls}(Activation):\n    \"\"\"The op `{kind.lower()}` as a layer.\"\"\"\n\n"
                   f"    def __init__(self, {parameter}*, ctx: Context | None = None) -> None:\n"
                   f"        super().__init__(ActivationKind.{kind}, {label or '0.0'}, ctx=ctx)\n")
        names.append(cls)
    for cls, kind in (("LSTM", "LSTM"), ("GRU", "GRU"), ("RNN", "TANH")):
        rest = [r for r in snake_pairs(STRUCTS["mpt_recurrent_desc"]["fields"]) if r[0] not in ("kind", "input_size", "hidden_size")]
        passed = ", ".join(f"{a}={a}" for a, _, _ in rest)
        out.append(f"\nclass {cls}(Recurrent):\n    \"\"\"`Recurrent` of kind {kind}.\"\"\"\n\n    def __init__(self, input_size: int, hidden_size: int, *, "
                   f"{', '.join(keyword(a, k) for a, k, _ in rest)}, ctx: Context | None = None) -> None:\n"
                   f"        super().__init__(input_size, hidden_size, kind=RecurrentKind.{kind}, {passed}, ctx=ctx)\n")
        names.append(cls)
    return "\n".join(out) + f"\n\n__all__ = {json.dumps(names)}\n"


def optimizers():
    out = [HEAD.format("The optimizers. params: a layer, or tensors; more come with add_group and add_layer."),
           "from __future__ import annotations\n",
           "from typing import Iterable\n",
           "from . import _core\nfrom ._support import as_enum, descriptor as _descriptor\n"
           "from .context import Context\nfrom .layer import Layer\nfrom .optimizer import Optimizer\nfrom .tensor import Tensor\n"]
    for cls, (name, struct, init) in OPTIMIZERS.items():
        rest = snake_pairs(STRUCTS[struct]["fields"])
        out.append(f"\nclass {cls}(Optimizer):\n    {doc(FUNCTIONS[name]['doc'], 4)}\n\n    def __init__(self, params: Layer | Iterable[Tensor] | None = None, *, "
                   f"{', '.join(keyword(a, k) for a, k, _ in rest)}, ctx: Context | None = None) -> None:\n"
                   f"        params, ctx = self._params(params, ctx)\n"
                   f"        self._adopt(_core.{name}(ctx, {made_from(struct, init, rest)}), ctx)\n        self._add(params)\n")
    return "\n".join(out) + f"\n\n__all__ = {json.dumps(list(OPTIMIZERS))}\n"


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "src" / "mpt"
    for name, write in (("_enums", enums), ("ops", ops), ("layers", layers), ("optimizers", optimizers)):
        (folder / f"{name}.py").write_text(write(), encoding="utf-8")


if __name__ == "__main__":
    main()
