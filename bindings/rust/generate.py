#!/usr/bin/env python3
"""Writes mpt/src/generated.rs: what of the safe layer follows a pattern, from abi/mpt.json and the comments of include/mpt.h.

Enums, builders of descriptors and parameters, operations of tensors and layers without a descriptor. The rest is written by hand.
usage: generate.py > mpt/src/generated.rs
"""
import json
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
API = json.loads((ROOT / "abi/mpt.json").read_text())
HEADER = (ROOT / "include/mpt.h").read_text()
FUNCTIONS = {f["name"]: f for f in API["functions"]}
STRUCTS = {s["name"]: s for s in API["structs"]}

# ---- tables: what C does not say ----

# enum: (name in Rust, prefix of its values, value for what a newer library may send, its documentation where the header has none)
ENUMS = {
    "mpt_status": ("Status", "MPT_ERROR_", "Internal", ""),
    "mpt_dtype": ("DType", "MPT_", "None", ""),
    "mpt_device": ("Device", "MPT_DEVICE_", "Cpu", ""),
    "mpt_log_level": ("LogLevel", "MPT_LOG_", "Debug", "How important a log line is."),
    "mpt_reduction": ("Reduction", "MPT_REDUCTION_", None, ""),
    "mpt_grad_mode": ("GradMode", "MPT_GRAD_", None, ""),
    "mpt_init": ("Init", "MPT_INIT_", None, ""),
    "mpt_role": ("Role", "MPT_ROLE_", None, ""),
    "mpt_scaler_kind": ("ScalerKind", "MPT_SCALER_", None, ""),
    "mpt_fp8_recipe": ("Fp8Recipe", "MPT_FP8_", None, ""),
    "mpt_rounding": ("Rounding", "MPT_ROUNDING_", None, ""),
    "mpt_schedule_kind": ("ScheduleKind", "MPT_SCHEDULE_", None, ""),
    "mpt_activation": ("Activation", "MPT_ACTIVATION_", None, ""),
    "mpt_gelu_kind": ("GeluKind", "MPT_GELU_", None, "Which GELU."),
    "mpt_upsample_mode": ("UpsampleMode", "MPT_UPSAMPLE_", None, "How pixels are found between pixels."),
    "mpt_recurrent_kind": ("RecurrentKind", "MPT_RECURRENT_", None, "What a recurrent layer does with its state."),
    "mpt_join": ("Join", "MPT_JOIN_", None, ""),
}
VARIANTS = {"MPT_OK": "Ok", "MPT_ERROR_DTYPE": "DType", "MPT_DTYPE_NONE": "None", "MPT_F8E4M3": "F8E4M3", "MPT_F8E5M2": "F8E5M2"}

# builder: (descriptor, init, constructor or None, what that gives, required fields, fields that it does not have, its documentation)
LAYER, OPTIMIZER, SCALER = "Layer", "Optimizer", "Scaler"
TRANSPOSED = ["output_padding", "output_padding_h", "output_padding_w"]
NORM = ["groups", "momentum", "no_running", "no_bias"]
BUILDERS = {
    "Linear": ("mpt_linear_desc", None, "mpt_layer_linear", LAYER, ["in_features", "out_features"], []),
    "Conv2d": ("mpt_conv2d_desc", None, "mpt_layer_conv2d", LAYER, ["in_channels", "out_channels"], TRANSPOSED),
    "ConvTranspose2d": ("mpt_conv2d_desc", None, "mpt_layer_conv_transpose2d", LAYER, ["in_channels", "out_channels"], []),
    "Conv1d": ("mpt_conv1d_desc", None, "mpt_layer_conv1d", LAYER, ["in_channels", "out_channels"], TRANSPOSED),
    "ConvTranspose1d": ("mpt_conv1d_desc", None, "mpt_layer_conv_transpose1d", LAYER, ["in_channels", "out_channels"], []),
    "BatchNorm": ("mpt_norm_desc", None, "mpt_layer_batch_norm", LAYER, ["features"], ["groups"]),
    "LayerNorm": ("mpt_norm_desc", None, "mpt_layer_layer_norm", LAYER, ["features"], ["groups", "momentum", "no_running"]),
    "RmsNorm": ("mpt_norm_desc", None, "mpt_layer_rms_norm", LAYER, ["features"], ["groups", "momentum", "no_running", "no_bias"]),
    "GroupNorm": ("mpt_norm_desc", None, "mpt_layer_group_norm", LAYER, ["groups", "features"], ["momentum", "no_running"]),
    "InstanceNorm": ("mpt_norm_desc", None, "mpt_layer_instance_norm", LAYER, ["features"], ["groups", "momentum", "no_running"]),
    "Embedding": ("mpt_embedding_desc", None, "mpt_layer_embedding", LAYER, ["count", "dim"], []),
    "Recurrent": ("mpt_recurrent_desc", None, "mpt_layer_recurrent", LAYER, ["input_size", "hidden_size"], []),
    "Attention": ("mpt_attention_desc", None, "mpt_layer_attention", LAYER, ["embed_dim", "heads"], []),
    "Scaling": ("mpt_scaler_desc", None, "mpt_scaler_create", SCALER, [], []),
    "Sgd": ("mpt_sgd_desc", None, "mpt_optimizer_sgd", OPTIMIZER, [], []),
    "Adam": ("mpt_adam_desc", None, "mpt_optimizer_adam", OPTIMIZER, [], []),
    "AdamW": ("mpt_adam_desc", "mpt_adamw_desc_init", "mpt_optimizer_adamw", OPTIMIZER, [], []),
    "Lamb": ("mpt_adam_desc", "mpt_lamb_desc_init", "mpt_optimizer_lamb", OPTIMIZER, [], []),
    "Adagrad": ("mpt_adagrad_desc", None, "mpt_optimizer_adagrad", OPTIMIZER, [], []),
    "Adadelta": ("mpt_adadelta_desc", None, "mpt_optimizer_adadelta", OPTIMIZER, [], []),
    "RmsProp": ("mpt_rmsprop_desc", None, "mpt_optimizer_rmsprop", OPTIMIZER, [], []),
    "Group": ("mpt_group_desc", None, None, "Settings of a group of parameters: [`Optimizer::add_group`].", [], []),
    "Schedule": ("mpt_schedule_desc", None, None, "How the rate moves with the steps: [`Optimizer::set_schedule`].", [], []),
    "Fp8": ("mpt_fp8_desc", None, None, "How products run in fp8: [`Policy::set_fp8`](crate::Policy::set_fp8).", [], []),
    "Conv2dParams": ("mpt_conv2d_params", None, None, "Settings of [`Tensor::conv2d`] and [`Tensor::conv_transpose2d`].", [], []),
    "Conv1dParams": ("mpt_conv1d_params", None, None, "Settings of [`Tensor::conv1d`] and [`Tensor::conv_transpose1d`].", [], []),
    "Pool2dParams": ("mpt_pool2d_params", None, None, "Settings of pooling: [`Tensor::max_pool2d`], [`Layer::max_pool2d`] and their like.", [], []),
    "AttentionParams": ("mpt_attention_params", None, None, "Settings of [`Tensor::attention`].", [], []),
    "CrossEntropyParams": ("mpt_cross_entropy_params", None, None, "Settings of [`Tensor::cross_entropy`] and [`Tensor::nll`].", [], []),
}
PARAMS = {desc: name for name, (desc, _, maker, *_) in BUILDERS.items() if not maker}
INVERTED = {"no_bias": "bias", "no_affine": "affine", "no_running": "running"}
BOOLS = {"bidirectional", "batch_first", "causal", "centered", "nesterov", "exclude_padding", "keep_dims", "descending", "largest", "training", "zero_infinity"}
RENAMED = {"mpt_where": "select"}  # "where" is a word of Rust's
NULLABLE = {("mpt_linear", "bias"), ("mpt_conv2d", "bias"), ("mpt_conv1d", "bias"), ("mpt_conv_transpose2d", "bias"), ("mpt_conv_transpose1d", "bias"),
            ("mpt_attention", "mask"), ("mpt_layer_residual", "shortcut")}
NULLABLE |= {(f"mpt_{norm}_norm", p) for norm in ("batch", "layer", "rms", "group", "instance") for p in ("weight", "bias", "running_mean", "running_var")}

# Functions whose place in Rust does not follow from their names; the rest of the names that documentation mentions.
PLACES = {
    "mpt_backward": "Tensor::backward", "mpt_backward_from": "Tensor::backward_from", "mpt_scaler_create": "Scaling",
    "mpt_autocast_begin": "Context::autocast", "mpt_autocast_end": "Context::autocast", "mpt_no_grad_begin": "Context::no_grad",
    "mpt_no_grad_end": "Context::no_grad", "mpt_capture_begin": "Context::capture", "mpt_capture_end": "Context::capture",
    "mpt_tensor_copy": "Tensor::copy_from", "mpt_layer_add": "Layer::add", "mpt_custom_op": "Context::custom_op", "mpt_layer_custom": "Layer::custom",
}
HANDLES = {"tensor": "Tensor", "layer": "Layer", "policy": "Policy", "scaler": "Scaler", "optimizer": "Optimizer", "program": "Program",
           "average": "Average", "state": "State", "context": "Context"}

# ---- documentation ----


def is_op(f):
    return any(p["type"] == "mpt_tensor **" for p in f["parameters"]) and not re.match(r"mpt_(tensor|layer|custom|capture)_(?!norm$)", f["name"])


def place(name):
    """The item of Rust that a function of C has become, for links."""
    if name in PLACES:
        return PLACES[name]
    for builder, (_, _, maker, *_) in BUILDERS.items():
        if maker == name:
            return builder
    if name in FUNCTIONS and is_op(FUNCTIONS[name]):
        return f"Tensor::{RENAMED.get(name, name[4:])}"
    m = re.match(r"mpt_([a-z]+)_(\w+)$", name)
    if name in FUNCTIONS and m and m[1] in HANDLES and not name.endswith("_init"):
        return f"{HANDLES[m[1]]}::{m[2]}"
    return None


def variant(value, prefix):
    if value in VARIANTS:
        return VARIANTS[value]
    return "".join(word.capitalize() for word in value.removeprefix(prefix).split("_"))


VALUES = {}
for c_enum in API["enums"]:
    if c_enum["name"] in ENUMS:
        rust, prefix, *_ = ENUMS[c_enum["name"]]
        for value in c_enum["values"]:
            if not value.endswith("_FORCE_32"):
                VALUES[value] = f"{rust}::{variant(value, prefix)}"


def doc(text, indent=""):
    """The header's words as a comment of Rust."""
    text = re.sub(r"\s+", " ", text.replace("\n", " ")).strip()
    text = re.sub(r"([\[\]<>*_`])", r"\\\1", text)

    def link(m):
        name = m[0].replace("\\", "")
        target = VALUES.get(name) or place(name)
        if name in {s for s in STRUCTS}:
            return f"`{name}`"
        return f"[`{target}`]" if target else f"`{name}`"

    text = re.sub(r"\bmpt(\\_\w+?)+\b|\bMPT(\\_[A-Z0-9]+)+\b", link, text)
    text = re.sub(r"\bNULL\b", "`None`", text)
    if text and text[-1] not in ".:?!":
        text += "."
    lines, line = [], ""
    for word in text.split(" "):
        if line and len(line) + len(word) > 125:
            lines.append(line)
            line = ""
        line += (" " if line else "") + word
    lines.append(line)
    return "".join(f"{indent}/// {line}\n" for line in lines)


def value_docs():
    docs = {}
    for m in re.finditer(r"\b(MPT_\w+) = \d+,?\s*/\*\*<\s*(.*?)\s*\*/", HEADER, re.S):
        docs[m[1]] = m[2]
    return docs


def field_docs(struct):
    body = re.search(r"typedef struct %s \{(.*?)\n\} %s;" % (struct, struct), HEADER, re.S)[1]
    docs = {}
    for m in re.finditer(r"^\s+[\w ]+?[ *]((?:\w+, )*\w+);[ \t]*(?:/\*\*<\s*(.*?)\s*\*/)?", body, re.M | re.S):
        for name in m[1].split(", "):
            docs[name] = m[2] or ""
    return docs


# ---- what is written ----

OUT = []


def put(text):
    OUT.append(text)


def words(name):
    return name.replace("_", " ")


def write_enum(c_enum):
    rust, prefix, fallback, own_doc = ENUMS[c_enum["name"]]
    docs = value_docs()
    values = {v: n for v, n in c_enum["values"].items() if not v.endswith("_FORCE_32")}
    put(doc(c_enum["doc"] or own_doc))
    put("#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]\n#[non_exhaustive]\n")
    put(f"pub enum {rust} {{\n")
    for value in values:
        name = variant(value, prefix)
        put(doc(docs.get(value) or {"Ok": "It worked."}.get(name) or words(value.removeprefix(prefix)).capitalize(), "    ") + f"    {name},\n")
    put("}\n\n")
    put(f"impl {rust} {{\n    pub(crate) fn raw(self) -> sys::{c_enum['name']} {{\n        match self {{\n")
    for value in values:
        put(f"            {rust}::{variant(value, prefix)} => sys::{c_enum['name']}::{value},\n")
    put("        }\n    }\n")
    if fallback:
        put(f"\n    pub(crate) fn from_raw(raw: sys::{c_enum['name']}) -> {rust} {{\n        match raw {{\n")
        for value in values:
            put(f"            sys::{c_enum['name']}::{value} => {rust}::{variant(value, prefix)},\n")
        put(f"            _ => {rust}::{fallback},\n        }}\n    }}\n")
    if rust == "DType":
        put("\n    /// The bytes of one element.\n    pub fn size(self) -> usize {\n        // SAFETY: any value is fine.\n"
            "        unsafe { sys::mpt_dtype_size(self.raw()) }\n    }\n")
    put("}\n\n")
    if rust in ("Status", "DType"):
        put(f"impl std::fmt::Display for {rust} {{\n    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {{\n"
            f"        // SAFETY: any value is fine, and the name is static.\n"
            f"        f.pad(&text_of(unsafe {{ sys::{c_enum['name']}_name(self.raw()) }}))\n    }}\n}}\n\n")


def scalar(c_type, name):
    """(type in Rust, expression for C) of a plain value."""
    if c_type == "int32_t" and name in BOOLS:
        return "bool", f"{name}.into()"
    if c_type in ENUMS:
        return ENUMS[c_type][0], f"{name}.raw()"
    return {"int32_t": "i32", "int64_t": "i64", "uint64_t": "u64", "double": "f64"}[c_type], name


def write_builder(name, entry):
    desc, init, maker, target, required, without = entry
    init = init or f"{desc}_init"
    fields = [f for f in STRUCTS[desc]["fields"] if f["name"] not in ("struct_size", "reserved", *without)]
    docs = field_docs(desc)
    types = {f["name"]: f["type"] for f in fields}
    weighted = "weight" in types
    put(doc(f"Builder of [{target}]: ".replace("[", "").replace("]", "").replace(f"Builder of {target}: ", "") + FUNCTIONS[maker]["doc"].replace("desc NULL: the defaults.", "")
            if maker else "") if maker else f"/// {target}\n")
    if maker:
        put(f"///\n/// Gives a [`{target}`] by [`build`]({name}::build).\n")
    put("#[derive(Clone)]\n#[must_use]\n")
    put(f"pub struct {name} {{\n    desc: sys::{desc},\n" + ("    weight: Option<Tensor>,\n" if weighted else "") + "}\n\n")
    put(f"impl {name} {{\n")
    parameters = ", ".join(f"{r}: {scalar(types[r], r)[0]}" for r in required)
    put("    /// " + (", ".join(words(r) for r in required).capitalize() + "; all else has its default." if required else "The defaults.") + "\n")
    put(f"    pub fn new({parameters}) -> {name} {{\n        // SAFETY: plain data; init fills it in.\n"
        f"        let mut desc: sys::{desc} = unsafe {{ std::mem::zeroed() }};\n"
        f"        // Where this failed, the size stays 0, which whatever takes the description refuses.\n"
        f"        // SAFETY: the size is that of desc.\n"
        f"        unsafe {{ sys::{init}(&mut desc, std::mem::size_of_val(&desc)) }};\n")
    for r in required:
        put(f"        desc.{r} = {r};\n")
    put(f"        {name} {{ desc" + (", weight: None" if weighted else "") + " }\n    }\n")
    for field in fields:
        f, c_type = field["name"], field["type"]
        if f in required or (f.endswith("_w") and f[:-2] + "_h" in types):
            continue
        text = docs[f]
        if f.endswith("_h") and f[:-2] + "_w" in types:
            base = f[:-2]
            put("\n" + doc(f"{words(base).capitalize()} in height and width" + (f": {text}" if text else ""), "    "))
            put(f"    pub fn {base}(mut self, {base}: impl Into<Pair>) -> Self {{\n        let Pair(height, width) = {base}.into();\n"
                f"        self.desc.{base}_h = height;\n        self.desc.{base}_w = width;\n        self\n    }}\n")
        elif f in INVERTED:
            label = {"no_bias": "With a bias? By default it is.", "no_affine": "With weight and bias? By default it is.",
                     "no_running": "With running statistics? By default it is."}[f]
            put(f"\n    /// {label}\n    pub fn {INVERTED[f]}(mut self, {INVERTED[f]}: bool) -> Self {{\n        self.desc.{f} = (!{INVERTED[f]}).into();\n        self\n    }}\n")
        elif c_type == "mpt_tensor *":
            put("\n" + doc(text, "    ") + f"    pub fn {f}(mut self, {f}: &Tensor) -> Self {{\n        self.{f} = Some({f}.clone());\n        self\n    }}\n")
        else:
            rust, expression = scalar(c_type, f)
            if rust == "bool":
                text = re.sub(r"\s*1: ", "", text)
            put("\n" + doc(f"{words(f).capitalize()}" + (f": {text}" if text else ""), "    "))
            put(f"    pub fn {f}(mut self, {f}: {rust}) -> Self {{\n        self.desc.{f} = {expression};\n        self\n    }}\n")
    if maker:
        put(f"\n    /// Makes it in a context.\n    pub fn build(&self, ctx: &Context) -> Result<{target}> {{\n"
            f"        // SAFETY: the context is alive, and the handle that comes is owned and of this context.\n        unsafe {{\n"
            f"            let raw = make(|out| sys::{maker}(ctx.raw(), &self.desc, out))?;\n            Ok({target}::from_raw(raw, ctx.shared()))\n        }}\n    }}\n")
    else:
        put(f"\n    pub(crate) fn desc(&self) -> sys::{desc} {{\n")
        if weighted:
            put("        let mut desc = self.desc;\n        desc.weight = self.weight.as_ref().map_or(std::ptr::null_mut(), |w| w.raw());\n        desc\n    }\n")
        else:
            put("        self.desc\n    }\n")
    put("}\n\n")
    put(f"impl std::fmt::Debug for {name} {{\n    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {{\n        f.debug_struct(\"{name}\")\n")
    for field in fields:
        value = "self.weight" if field["type"] == "mpt_tensor *" else f"self.desc.{field['name']}" + (".0" if field["type"] in ENUMS else "")
        put(f"            .field(\"{field['name']}\", &{value})\n")
    put("            .finish()\n    }\n}\n\n")
    if not required:
        put(f"impl Default for {name} {{\n    fn default() -> {name} {{\n        {name}::new()\n    }}\n}}\n\n")
    if maker and target == LAYER:
        put(f"impl LayerSpec for {name} {{\n    fn build(self, ctx: &Context) -> Result<Layer> {{\n        {name}::build(&self, ctx)\n    }}\n}}\n\n"
            f"impl LayerSpec for &{name} {{\n    fn build(self, ctx: &Context) -> Result<Layer> {{\n        {name}::build(self, ctx)\n    }}\n}}\n\n")


def arguments(f, parameters):
    """(parameters in Rust, statements before the call, arguments for C)"""
    rust, before, c, i = [], [], [], 0
    while i < len(parameters):
        p = parameters[i]
        name, c_type = p["name"], p["type"]
        after = parameters[i + 1]["type"] if i + 1 < len(parameters) else ""
        if c_type == "int32_t" and after == "const int32_t *":
            if f["name"] == "mpt_transpose":
                rust.append("dims: Option<&[i32]>")
                c += ["dims.map_or(0, |d| count(d.len()))", "dims.map_or(std::ptr::null(), |d| d.as_ptr())"]
            else:
                rust.append("dims: impl Into<Dims>")
                before.append("let dims = dims.into();")
                c += ["dims.len()", "dims.as_ptr()"]
            i += 2
        elif c_type == "int32_t" and after == "const int64_t *":
            lists = [q["name"] for q in parameters[i + 1:] if q["type"] == "const int64_t *"]
            for q in lists:
                rust.append(f"{q}: impl AsRef<[i64]>")
                before.append(f"let {q} = {q}.as_ref();")
            for q in lists[1:]:
                before.append(f"same_length({lists[0]}, {q})?;")
            c += [f"count({lists[0]}.len())"] + [f"{q}.as_ptr()" for q in lists]
            i += 1 + len(lists)
        elif c_type in ("mpt_tensor *", "mpt_layer *"):
            kind = "Tensor" if c_type == "mpt_tensor *" else "Layer"
            if (f["name"], name) in NULLABLE:
                rust.append(f"{name}: Option<&{kind}>")
                c.append(f"{name}.map_or(std::ptr::null_mut(), |t| t.raw())")
            else:
                rust.append(f"{name}: &{kind}")
                c.append(f"{name}.raw()")
            i += 1
        elif c_type.startswith("const mpt_"):
            rust.append(f"{name}: Option<&{PARAMS[c_type[6:-2]]}>")
            before.append(f"let {name} = {name}.map(|p| p.desc());")
            c.append(f"{name}.as_ref().map_or(std::ptr::null(), |p| p)")
            i += 1
        else:
            kind, expression = scalar(c_type, name)
            rust.append(f"{name}: {kind}")
            c.append(expression)
            i += 1
    return rust, before, c


def write_op(f):
    name, parameters = f["name"], f["parameters"]
    method = RENAMED.get(name, name[4:])
    outs = [p for p in parameters if p["type"] == "mpt_tensor **"]
    put("\n" + doc(f["doc"], "    "))
    if parameters[0]["type"] == "mpt_tensor *const *":
        put(f"    pub fn {method}(tensors: &[impl Borrow<Tensor>], dim: i32) -> Result<Tensor> {{\n"
            f"        let tensors = references(tensors);\n        let first = first_of(&tensors)?;\n        let list = handles(&tensors);\n        // SAFETY: the tensors are alive, and as many as told.\n"
            f"        first.result(|out| unsafe {{ sys::{name}(list.as_ptr(), count(list.len()), dim, out) }})\n    }}\n")
        return
    if name == "mpt_split":
        put("    pub fn split(&self, dim: i32, lengths: impl AsRef<[i64]>) -> Result<Vec<Tensor>> {\n        let lengths = lengths.as_ref();\n"
            "        // SAFETY: there is room for as many outputs as there are lengths.\n"
            "        Tensor::results(self.context().shared(), lengths.len(), |out| unsafe {\n"
            "            sys::mpt_split(self.raw(), dim, lengths.as_ptr(), count(lengths.len()), out)\n        })\n    }\n")
        return
    rust, before, c = arguments(f, [p for p in parameters[1:] if p not in outs])
    result = "Tensor" if len(outs) == 1 else "(Tensor, Tensor)"
    put(f"    pub fn {method}({', '.join(['&self'] + rust)}) -> Result<{result}> {{\n")
    for line in before:
        put(f"        {line}\n")
    names = ", ".join(["out", "second"][:len(outs)])
    put("        // SAFETY: handles are alive and lists as long as told.\n")
    put(f"        self.{'result' if len(outs) == 1 else 'two_results'}(|{names}| unsafe {{ sys::{name}({', '.join(['self.raw()'] + c)}, {names}) }})\n    }}\n")


def write_layer(f):
    name, parameters = f["name"], f["parameters"]
    rust, before, c = arguments(f, parameters[1:-1])
    put("\n" + doc(f["doc"], "    "))
    put(f"    pub fn {name.removeprefix('mpt_layer_')}({', '.join(['ctx: &Context'] + rust)}) -> Result<Layer> {{\n")
    for line in before:
        put(f"        {line}\n")
    put(f"        // SAFETY: handles are alive.\n        Layer::make(ctx, |out| unsafe {{ sys::{name}({', '.join(['ctx.raw()'] + c)}, out) }})\n    }}\n")


put("""//! Written by generate.py from the header: enums, builders, operations of tensors, layers without a descriptor.

use std::borrow::Borrow;

use crate::error::{count, make, text_of};
use crate::tensor::{handles, references};
use crate::{sys, Context, Dims, Error, Layer, LayerSpec, Optimizer, Pair, Result, Scaler, Tensor};

fn same_length(a: &[i64], b: &[i64]) -> Result<()> {
    if a.len() == b.len() {
        return Ok(());
    }
    Err(Error::new(Status::Argument, format!("lists of {} and {} numbers where equally many are needed", a.len(), b.len())))
}

fn first_of<'t>(tensors: &[&'t Tensor]) -> Result<&'t Tensor> {
    tensors.first().copied().ok_or_else(|| Error::new(Status::Argument, "an empty list of tensors: give at least one"))
}

""")
for c_enum in API["enums"]:
    if c_enum["name"]:
        write_enum(c_enum)
for builder in BUILDERS.items():
    write_builder(*builder)
put("/// # Operations\n///\n/// Each gives a new tensor (views: one that shares storage) and knows its gradient.\nimpl Tensor {")
for function in API["functions"]:
    if is_op(function) and function["parameters"][0]["type"] in ("mpt_tensor *", "mpt_tensor *const *") and function["name"] != "mpt_backward_from":
        write_op(function)
put("}\n\n/// # Layers without parameters, and containers\nimpl Layer {")
made = {entry[2] for entry in BUILDERS.values()}
for function in API["functions"]:
    p = function["parameters"]
    if p and p[0]["type"] == "mpt_context *" and p[-1]["type"] == "mpt_layer **" and function["name"] not in made | {"mpt_layer_custom"}:
        write_layer(function)
put("}\n")
print("".join(OUT).replace("impl Tensor {\n\n", "impl Tensor {\n").replace("impl Layer {\n\n", "impl Layer {\n"), end="")
