#!/usr/bin/env python3
"""Writes the part of org.mpt that follows from the header: enums, options, and the methods that a table can say.

usage: generate.py API_JSON HEADER OUTPUT_FOLDER
What a table cannot say (memory, callbacks, captures, records of figures) is written by hand beside it; the test Coverage finds what neither has.
"""
import json
import pathlib
import re
import sys

from words import DESCRIBED, PLAIN, SAID, UNSAID

API = json.load(open(sys.argv[1], encoding="utf-8"))
HEADER = open(sys.argv[2], encoding="utf-8").read()
INTO = pathlib.Path(sys.argv[3]) / "org" / "mpt"

NAMES = {p["name"] for f in API["functions"] for p in f["parameters"]} | {f["name"] for s in API["structs"] for f in s["fields"]}
HANDLES = {name: name[4:].capitalize() for name in API["handles"]}
ENUMS = {e["name"]: e for e in API["enums"] if e["name"]}
STRUCTS = {s["name"]: s for s in API["structs"]}
FUNCTIONS = {f["name"]: f for f in API["functions"]}
# Written by hand, or with a reason in src/test/not-covered.txt.
BY_HAND = {
    "mpt_tensor_wrap", "mpt_tensor_shape", "mpt_tensor_strides", "mpt_tensor_data", "mpt_tensor_write", "mpt_tensor_read", "mpt_custom_op",
    "mpt_layer_custom", "mpt_layer_forward", "mpt_backward_from", "mpt_context_memory", "mpt_scaler_counts", "mpt_optimizer_counts",
    "mpt_program_memory", "mpt_program_feed", "mpt_capture_begin", "mpt_capture_end", "mpt_capture_abort", "mpt_autocast_begin",
    "mpt_autocast_end", "mpt_no_grad_begin", "mpt_no_grad_end", "mpt_state_save_to", "mpt_state_load_from", "mpt_context_create",
    "mpt_concat", "mpt_stack", "mpt_split", "mpt_sort", "mpt_topk", "mpt_lstm_cell", "mpt_optimizer_add_group", "mpt_layer_parameter",
    "mpt_layer_parameter_name", "mpt_layer_buffer", "mpt_layer_buffer_name", "mpt_layer_parameter_count", "mpt_layer_buffer_count",
    "mpt_backward", "mpt_program_run", "mpt_context_last_error",
    "mpt_tensor_to_dlpack", "mpt_tensor_to_dlpack_unversioned", "mpt_tensor_from_dlpack", "mpt_tensor_from_dlpack_unversioned",
}
FLAGS = {"keep_dims", "training", "descending", "largest", "zero_infinity", "requires_grad", "frozen", "no_bias", "no_affine", "no_running", "causal",
         "bidirectional", "batch_first", "nesterov", "centered", "exclude_padding"}
RENAMED = {"mpt_optimizer_lr": "learningRate", "mpt_optimizer_set_lr": "setLearningRate", "mpt_tensor_item": "item", "mpt_equal": "equalTo",
           "mpt_tensor_init": "initialize", "mpt_tensor_ndim": "rank", "mpt_pow_scalar": "pow", "mpt_context_seed": "setSeed",
           "mpt_layer_buffer": "buffers", "mpt_layer_parameter": "parameters"}
KEYWORDS = {"double": "value"}
NOTICE = "// Written by generate.py from the header; do not edit.\n"
OUT = {"double *": ("double", "doubles[0]"), "int64_t *": ("long", "longs[0]"), "int32_t *": ("int", "ints[0]"), "mpt_dtype *": ("DType", "DType.of(s.ints[0])"),
       "mpt_device *": ("Device", "Device.of(s.ints[0])"), "void **": ("long", "longs[0]")}


# Of these Java has something else: words without a link.
UNLINKED = {"mpt_no_grad_begin", "mpt_no_grad_end", "mpt_autocast_begin", "mpt_autocast_end", "mpt_capture_begin", "mpt_capture_end", "mpt_capture_abort"}


def camel(name, upper=False):
    text = re.sub(r"_(\w)", lambda m: m.group(1).upper(), name)
    return text[0].upper() + text[1:] if upper else text


def enum_class(name):
    return {"mpt_dtype": "DType"}.get(name, camel(name[4:], True))


def constant(enum, name):
    names = [n for n in ENUMS[enum]["values"] if not n.endswith("FORCE_32")]
    prefix = names[0]
    for other in names:
        while not other.startswith(prefix) or not prefix.endswith("_"):
            prefix = prefix[:-1]
    return re.sub(r"^(ERROR_|DTYPE_)", "", name[len(prefix):])


CONSTANTS = {n: f"{enum_class(e)}.{constant(e, n)}" for e in ENUMS for n in ENUMS[e]["values"] if not n.endswith("FORCE_32")}


def options_class(struct):
    return camel(re.sub(r"_desc$", "_options", struct[4:]), True)


def java_words(text):
    for pattern, instead in SAID:
        text = re.sub(pattern, instead, text)
    return re.sub(r"(?<![.\"\w])[a-z]+(?:_[a-z]+)+\b", lambda m: camel(m.group(0)) if m.group(0) in NAMES else m.group(0), text)


def html(text):
    text = java_words(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("@", "&#64;").replace("*/", "*&#47;")

    def name(m):
        word = m.group(0)
        if word in CONSTANTS:
            return "{@link " + CONSTANTS[word].replace(".", "#") + "}"
        if word in FUNCTIONS:
            return ("{@code %s}" if word in UNLINKED else "{@link %s}") % "".join(place(word))
        if word in ENUMS:
            return "{@link " + enum_class(word) + "}"
        if word in STRUCTS:
            return "{@link " + options_class(word) + "}"
        return "{@code " + word + "}"
    return re.sub(r"\bmpt_\w+|\bMPT_\w+", name, text)


def doc(text, tags=(), indent="    "):
    words = html(text).split()
    lines, line = [], ""
    for word in words:
        if len(line) + len(word) > 130:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    lines = [l for l in lines + [line] if l] + list(tags)
    if len(lines) == 1:
        return f"{indent}/** {lines[0]} */\n"
    return f"{indent}/**\n" + "".join(f"{indent} * {l}\n" for l in lines).replace(" * \n", " *\n") + f"{indent} */\n"


def owner(name):
    """The class that a function belongs to, and whether it is one of its static methods."""
    parameters = FUNCTIONS[name]["parameters"]
    first = parameters[0]["type"].replace("const ", "").rstrip(" *") if parameters else ""
    made = parameters[-1]["type"].rstrip(" *") if parameters and parameters[-1]["type"].endswith("**") else ""
    if made in HANDLES and made != first and name.startswith(made + "_"):
        return made, True
    return first, False


def place(name):
    of, _ = owner(name)
    method = RENAMED.get(name)
    if not method:
        method = name[4:]
        if of in HANDLES and method.startswith(of[4:] + "_"):
            method = method[len(of) - 3:]
        method = camel(method)
    return HANDLES.get(of, ""), "#" if of in HANDLES else "", method


def value_docs():
    found = {}
    for m in re.finditer(r"(MPT_\w+) = \w+,?\s*/\*\*<\s*(.*?)\s*\*/", HEADER, re.S):
        found[m.group(1)] = " ".join(m.group(2).split())
    return found


def field_doc(struct, field):
    body = re.search(r"typedef struct " + struct + r"\s*\{(.*?)\}\s*" + struct, HEADER, re.S).group(1)
    m = re.search(r"\b" + field + r"\b[^;\n]*;\s*/\*\*<\s*(.*?)\s*\*/", body, re.S)
    return " ".join(m.group(1).split()) if m else ""


def write_enum(enum):
    docs, cls = value_docs(), enum_class(enum)
    values = [(n, v) for n, v in ENUMS[enum]["values"].items() if not n.endswith("FORCE_32")]
    text = NOTICE + "package org.mpt;\n\n" + doc(ENUMS[enum]["doc"] or {"mpt_log_level": "How important a line of the log is.", "mpt_gelu_kind": "Which GELU.",
        "mpt_upsample_mode": "How pixels are made of others.", "mpt_recurrent_kind": "The rule of a recurrent layer."}.get(enum, cls + "."), indent="")
    text += f"public enum {cls} {{\n"
    for n, v in values:
        text += doc(docs.get(n) or PLAIN[constant(enum, n)])
        text += f"    {constant(enum, n)}({v}){';' if n == values[-1][0] else ','}\n"
    text += f"\n    final int number;\n\n    {cls}(int number) {{\n        this.number = number;\n    }}\n\n"
    text += doc("The number that mpt.h has for it.", ["", "@return the number"]) + "    public int number() {\n        return number;\n    }\n\n"
    text += f"    static {cls} of(int number) {{\n        for ({cls} value : values()) {{\n            if (value.number == number) return value;\n        }}\n"
    text += f"        throw new IllegalArgumentException(\"no {cls} is \" + number);\n    }}\n"
    if enum == "mpt_dtype":
        text += doc("The bytes of one element.", ["", "@return the bytes; 0 for NONE"]) + "    public int size() {\n        return (int) org.mpt.internal.MptNative.mpt_dtype_size(number);\n    }\n"
        text += doc("The name that the library has for the type, for example bf16.", ["", "@return the name"])
        text += "    public String label() {\n        return Text.of(org.mpt.internal.MptNative.mpt_dtype_name(number));\n    }\n"
    if enum == "mpt_status":
        text += doc("The name that the library has for the status, for example MPT_ERROR_SHAPE.", ["", "@return the name"])
        text += "    public String label() {\n        return Text.of(org.mpt.internal.MptNative.mpt_status_name(number));\n    }\n"
    (INTO / f"{cls}.java").write_text(text + "}\n", encoding="utf-8")


def write_options(struct):
    cls, core = options_class(struct), "org.mpt.internal." + struct
    text = NOTICE + "package org.mpt;\n\n" + doc(f"Settings, {struct[4:].replace('_desc', '').replace('_', ' ')}: what is not set has the default of the library.", indent="")
    text += f"public final class {cls} {{\n"
    fields, setters, fill = "", "", ""
    names = [f["name"] for f in STRUCTS[struct]["fields"]]
    hidden = {"struct_size", "reserved", "alloc", "free", "alloc_user_data", "log", "log_user_data", "error", "error_user_data"}
    if struct == "mpt_context_desc":
        fields += "    LogListener listener;\n"
        setters += doc("Receives the log and the errors of the context. It is kept until everything of the context is closed.",
                       ["", "@param listener the receiver; null: none", "@return this"])
        setters += f"    public {cls} listener(LogListener listener) {{\n        this.listener = listener;\n        return this;\n    }}\n\n"
    for field in STRUCTS[struct]["fields"]:
        name, kind = field["name"], field["type"]
        if name in hidden:
            continue
        flag = name in FLAGS
        inverted = name.startswith("no_") and flag
        java = camel(name[3:] if inverted else name)
        java = KEYWORDS.get(java, java)
        said = field_doc(struct, name) or f"The {name.replace('_', ' ')}."
        if inverted:
            said = {"no_bias": "With a bias? Default true.", "no_affine": "With weight and bias? Default true.", "no_running": "With running statistics? Default true."}[name]
        elif flag:
            said = re.sub(r"^1: ", "Whether: ", said).replace("default 0", "default false")
        box, get = ({"int32_t": ("Integer", "{}"), "int64_t": ("Long", "{}"), "uint64_t": ("Long", "{}"), "double": ("Double", "{}"), "mpt_tensor *": ("Tensor", "")}.get(kind)
                    or (enum_class(kind), "{}.number"))
        if flag:
            box, get = "Boolean", "{} ? 0 : 1" if inverted else "{} ? 1 : 0"
        primitive = {"Integer": "int", "Long": "long", "Double": "double", "Boolean": "boolean"}.get(box, box)
        setter = "set" + name[0].upper() + name[1:]
        fields += f"    private {box} {java};\n"
        if kind == "mpt_tensor *":
            fill += f"        if ({java} != null) to.{setter}(s.of({java}));\n"
        else:
            fill += f"        if ({java} != null) to.{setter}({get.format(java)});\n"
        setters += doc(said, ["", f"@param {java} the value", "@return this"])
        setters += f"    public {cls} {java}({primitive} {java}) {{\n        this.{java} = {java};\n        return this;\n    }}\n\n"
        if name.endswith("_w") and name[:-2] + "_h" in names:
            both = camel(name[:-2])
            setters += doc(f"Height and width of {name[:-2].replace('_', ' ')}.", ["", f"@param {both} for both", "@return this"])
            setters += f"    public {cls} {both}(int {both}) {{\n        return {both}H({both}).{both}W({both});\n    }}\n\n"
    init = ""
    if struct == "mpt_adam_desc":
        init = "    /** The optimizer whose defaults count. */\n    enum Kind { ADAM, ADAMW, LAMB }\n\n"
        init += f"    {core} core(Session s, Kind kind) {{\n        {core} to = new {core}();\n        switch (kind) {{\n            case ADAM -> org.mpt.internal.MptNative.mpt_adam_desc_init(to);\n"
        init += "            case ADAMW -> org.mpt.internal.MptNative.mpt_adamw_desc_init(to);\n            case LAMB -> org.mpt.internal.MptNative.mpt_lamb_desc_init(to);\n        }\n"
    else:
        init = f"    {core} core(Session s) {{\n        {core} to = new {core}();\n"
        init += f"        org.mpt.internal.MptNative.{struct}_init(to);\n"
    text += fields + f"\n    /** Nothing is set: the defaults. */\n    public {cls}() {{}}\n\n" + setters
    # An options object whose tensor is closed throws here: what was made goes with it.
    text += init + "        try {\n            fill(s, to);\n            return to;\n        } catch (RuntimeException e) {\n            to.delete();\n            throw e;\n        }\n    }\n\n"
    text += f"    private void fill(Session s, {core} to) {{\n{fill}    }}\n}}\n"
    (INTO / f"{cls}.java").write_text(text, encoding="utf-8")


def parameter_doc(java, kind):
    if java in DESCRIBED:
        return DESCRIBED[java]
    if any(kind == enum_class(e) for e in ENUMS):
        return "which " + re.sub(r"(?<!^)([A-Z])", r" \1", kind).lower()
    return "the " + re.sub(r"([A-Z])", lambda m: " " + m.group(1).lower(), java)


def method(function, of, static):
    """Java of one method, or None where the table cannot say it."""
    name, parameters = function["name"], list(function["parameters"])
    _, _, java_name = place(name)
    if not static:
        parameters = parameters[1:]
    signature, arguments, result, tail = [], [], ("void", None), []
    struct = None
    i = 0
    while i < len(parameters):
        kind, raw = parameters[i]["type"], parameters[i]["name"]
        java = KEYWORDS.get(camel(raw), camel(raw))
        base = kind.replace("const ", "").rstrip(" *")
        after = parameters[i + 1] if i + 1 < len(parameters) else None
        last = i == len(parameters) - 1
        if raw in ("ndim", "ndims") and after and after["type"] in ("const int64_t *", "const int32_t *"):
            element = "long" if "64" in after["type"] else "int"
            many = camel(after["name"])
            tail.append((f"{element}... {many}", many))
            empty = f"{many}.length == 0 ? null : {many}" if element == "int" else many
            arguments += [f"{many}.length", empty]
            i += 1
        elif kind == "const int64_t *":
            return None
        elif last and kind.endswith("**") and base in HANDLES:
            result = (HANDLES[base], f"new {HANDLES[base]}(context, s.longs[0])")
            arguments.append("s.longs")
        elif last and kind in OUT and raw == "out":
            result = OUT[kind]
            if kind == "int32_t *" and name in ("mpt_tensor_requires_grad", "mpt_layer_training"):
                result = ("boolean", "ints[0] != 0")
            arguments.append({"double *": "s.doubles", "int64_t *": "s.longs", "void **": "s.longs"}.get(kind, "s.ints"))
            result = (result[0], result[1] if result[1].startswith(("DType", "Device")) else "s." + result[1])
        elif kind == "char *" and raw == "text":
            result = ("String", "TEXT")
            i += 2
        elif kind.endswith("*") and base in HANDLES:
            signature.append((HANDLES[base], java))
            arguments.append(f"s.of({java})")
        elif kind.endswith("*") and base in STRUCTS:
            struct = base
            word = "options" if base.endswith("_desc") else "params"
            signature.append((options_class(base), word))
            arguments.append("core")
        elif kind == "const char *":
            signature.append(("String", java))
            arguments.append(f"Text.utf8({java})")
        elif kind in ENUMS:
            signature.append((enum_class(kind), java))
            arguments.append(f"{java}.number")
        elif kind == "int32_t":
            signature.append(("boolean" if raw in FLAGS else "int", java))
            arguments.append(f"{java} ? 1 : 0" if raw in FLAGS else java)
        elif kind in ("int64_t", "uint64_t"):
            signature.append(("long", java))
            arguments.append(java)
        elif kind == "double":
            signature.append(("double", java))
            arguments.append(java)
        elif kind == "void *" and raw == "stream":
            signature.append(("long", java))
            arguments.append(java)
        else:
            return None
        i += 1
    tags = [f"@param {j} {parameter_doc(j, k)}" for k, j in signature] + [f"@param {j} {parameter_doc(j, '')}" for _, j in tail]
    if result[0] != "void":
        said = {"Tensor": "the result", "String": "the text"}.get(result[0], "a new object, to be closed" if result[0] in HANDLES.values() else "the value")
        tags.append("@return " + said)
    declared = ", ".join([f"{k} {j}" for k, j in signature] + [t for t, _ in tail])
    keyword = "static " if static else ""
    head = f"    public {keyword}{result[0]} {java_name}({declared}) {{\n"
    if static:
        first = signature[0][1]
        setup = f"        Context context = {first}{'' if signature[0][0] == 'Context' else '.context'};\n        Session s = context.session;\n"
        first_argument = []
    else:
        setup = "        Session s = session;\n"
        first_argument = ["s.of(this)"]
    call = f"MptNative.{name}({', '.join(first_argument + arguments)});"
    body = ""
    if struct:
        kind = {"mpt_optimizer_adam": ", AdamOptions.Kind.ADAM", "mpt_optimizer_adamw": ", AdamOptions.Kind.ADAMW", "mpt_optimizer_lamb": ", AdamOptions.Kind.LAMB"}.get(name, "")
        word = "options" if struct.endswith("_desc") else "params"
        body += f"            org.mpt.internal.{struct} core = {word} == null ? null : {word}.core(s{kind});\n            try {{\n                {call}\n"
        body += "            } finally {\n                if (core != null) core.delete();\n            }\n"
        if result[1]:
            body += f"            return {result[1]};\n"
    elif result[1] == "TEXT":
        core = ", ".join(first_argument + arguments)
        body += f"            return Text.read(s, (text, needed) -> MptNative.{name}({core}, text, needed));\n"
    else:
        body += f"            {call}\n" + (f"            return {result[1]};\n" if result[1] else "")
    text = doc(function["doc"] or UNSAID[name], ([""] + tags) if tags else []) + head + setup
    text += "        s.enter();\n        try {\n" + body + "        } finally {\n            s.leave();\n        }\n    }\n\n"
    # Overloads: without the last options, and reductions without keepDims.
    if struct and signature and signature[-1][1] in ("options", "params") and re.search(r"NULL: the defaults", function["doc"] + " ") or name == "mpt_attention" or name in ("mpt_nll",):
        short = [(k, j) for k, j in signature[:-1]]
        tags = [f"@param {j} {parameter_doc(j, k)}" for k, j in short] + (["@return " + ("the result" if result[0] == "Tensor" else "a new object, to be closed")] if result[0] != "void" else [])
        text += doc("The same with the defaults.", ([""] + tags) if tags else [])
        text += f"    public {keyword}{result[0]} {java_name}({', '.join(f'{k} {j}' for k, j in short)}) {{\n"
        text += f"        {'return ' if result[0] != 'void' else ''}{java_name}({', '.join([j for _, j in short] + ['null'])});\n    }}\n\n"
    if [j for _, j in signature] == ["keepDims"] and tail:
        text += doc("The same without keeping dimensions; none named: over all.", ["", "@param dims the dimensions", "@return the result"])
        text += f"    public Tensor {java_name}(int... dims) {{\n        return {java_name}(false, dims);\n    }}\n\n"
    return text


def main():
    INTO.mkdir(parents=True, exist_ok=True)
    for enum in ENUMS:
        write_enum(enum)
    for struct in STRUCTS:
        if struct not in ("mpt_buffer", "mpt_custom_op_desc", "mpt_custom_layer_desc"):
            write_options(struct)
    bodies = {name: "" for name in HANDLES}
    left = []
    for name, function in FUNCTIONS.items():
        of, static = owner(name)
        if name in BY_HAND or name.endswith(("_init", "_retain", "_release")) and name != "mpt_tensor_init":
            continue
        if of not in HANDLES:
            left.append(name)
            continue
        text = method(function, of, static)
        if text is None:
            left.append(name)
        else:
            bodies[of] += text
    for handle, cls in HANDLES.items():
        text = NOTICE + "package org.mpt;\n\nimport org.mpt.internal.MptNative;\n\n/** The methods of {@link " + cls + "} that follow from the header. */\n"
        text += f"abstract sealed class {cls}Methods extends Handle permits {'TensorMemory' if cls == 'Tensor' else cls} {{\n"
        text += f"    {cls}Methods(Context context, long address) {{\n        super(context, address, Handle.Kind.{cls.upper()});\n    }}\n\n" if cls != "Context" else \
            f"    ContextMethods(Session session, long address) {{\n        super(session, address);\n    }}\n\n"
        (INTO / f"{cls}Methods.java").write_text(text + bodies[handle].rstrip("\n") + "\n}\n", encoding="utf-8")
    unknown = [name for name in left if owner(name)[0] in HANDLES and name != "mpt_pad"]
    if unknown:
        raise SystemExit("no table says how to write these: put them into BY_HAND and write them: " + " ".join(unknown))


main()
