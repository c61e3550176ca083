#!/usr/bin/env python3
"""The header as Doxygen shall see it, on standard output: what mpt.h says once for many declarations, in its first comment, stands at each of them.
usage: doxygen_filter.py mpt.h

What no rule below knows stays without a comment, which Doxygen makes an error."""
import re
import sys

FIELDS = {  # by what they are called everywhere
    "struct_size": "Written by the init function: the size that the caller knows.",
    "reserved": "0.",
    "free": "Takes back what alloc gave.",
    "init": "How the weight starts; default MPT_INIT_DEFAULT.",
    "forward": "Computes the outputs.",
    "data": "The first element; NULL where only the form is known.",
    "shape": "Extents.",
    "dtype": "The element type.",
    "ndim": "The number of dimensions.",
}
NAMES = {
    "MPT_CALL": "How functions and callbacks are called.",
    "MPT_API": "Marks what the library exports.",
    "mpt_log_level": "How important a log line is.",
    "mpt_gelu_kind": "Forms of GELU.",
    "mpt_upsample_mode": "How up-sampling fills in.",
    "mpt_recurrent_kind": "Cells of recurrent layers.",
    "mpt_tensor_dtype": "The element type.",
    "mpt_tensor_ndim": "The number of dimensions.",
    "mpt_tensor_requires_grad": "Whether the tensor asks for gradients: 1 or 0.",
    "mpt_state_number": "A number of the host's own, as mpt_state_set_number says.",
}


def of_function(name):
    if name in NAMES:
        return NAMES[name]
    for ending, text in (
        ("_retain", "Another reference. From any thread."),
        ("_release", "Gives a reference back; NULL is fine. From any thread."),
        ("_init", "Writes the defaults into the first nbytes bytes and sets struct_size to nbytes."),
        ("_end", f"Ends what {name[:-4]}_begin began."),
    ):
        if name.endswith(ending):
            return text
    return None


def of_type(name):
    if name in NAMES:
        return NAMES[name]
    return f"Settings; {name}_init writes the defaults." if name.endswith(("_desc", "_params")) else None


def main():
    lines = open(sys.argv[1], encoding="utf-8").read().replace("/*\n", "/** @file\n", 1).split("\n")
    out = []

    def put(line, text):
        documented = any(a.rstrip().endswith("*/") and "----" not in a for a in out[-1:])
        if text and not documented:
            out.append(f"{line[:len(line) - len(line.lstrip())]}/** {text} */")
        out.append(line)

    for line in lines:
        field = re.match(r"    (?!return)([\w ]+? \*?)(\w+)(\[\w+\])?((?:, \w+(?:\[\w+\])?)*);(?:\s*(/\*\*< .*))?$", line)
        function = re.match(r"MPT_API .*?MPT_CALL (\w+)\(", line)
        of = re.match(r"typedef (?:struct|enum) (\w+) \{", line)
        macro = re.match(r"#define (MPT_\w+)", line)
        if field:
            kind, first, extent, more, comment = field.groups()
            if not comment:
                text = "Given to the callbacks." if first.endswith("user_data") else FIELDS.get(first)
                comment = f"/**< {text} */" if text else ""
            for name in [first + (extent or ""), *filter(None, more.split(", "))]:
                out.append(f"    {kind}{name}; {comment}")
        elif function:
            put(line, of_function(function[1]))
        elif of:
            put(line, of_type(of[1]))
        elif macro:
            put(line, NAMES.get(macro[1]))
        else:
            out.append(line)
    print("\n".join(out))


main()
