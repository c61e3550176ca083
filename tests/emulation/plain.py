"""Makes CUDA sources plain C++ for language.h: launches become calls, dynamic shared memory a pointer, and the few lines of assembly what
they compute. Assembly that is not in the list is an error: such a kernel is not emulated.

    plain.py OUT FILE...    writes OUT/FILE for headers, OUT/FILE.cpp for .cu
"""

import pathlib
import re
import sys

ASSEMBLY = [
    (r'asm\("ex2\.approx\.ftz\.f32[^;]*;"[^;]*\);', "y = std::exp2(x * 1.4426950408889634f);"),
    (r'asm\("rcp\.approx\.ftz\.f32[^;]*;"[^;]*\);', "r = 1.0f / d;"),
    (r'asm volatile\("st\.global\.v4\.b32[^;]*;"[^;]*\);',
     "*reinterpret_cast<uint4 *>(to) = make_uint4(e.words[0], e.words[1], e.words[2], e.words[3]);"),
    (r'asm volatile\("prefetch\.global\.L2[^;]*;"[^;]*\);', ";"),
]


def opening(text, close, pair):
    """Where the bracket opens that closes at `close`."""
    depth = 0
    for i in range(close, -1, -1):
        depth += (text[i] == pair[1]) - (text[i] == pair[0])
        if depth == 0:
            return i
    raise ValueError(pair)


def closing(text, open_, pair):
    depth = 0
    for i in range(open_, len(text)):
        depth += (text[i] == pair[0]) - (text[i] == pair[1])
        if depth == 0:
            return i
    raise ValueError(pair)


def without_launches(text):
    while (at := text.find("<<<")) >= 0:
        end = text.index(">>>", at)
        name = len(text[:at].rstrip())
        if text[name - 1] == ">":  # template arguments
            name = len(text[: opening(text, name - 1, "<>")].rstrip())
        while text[name - 1].isalnum() or text[name - 1] in "_:":
            name -= 1
        first = text.index("(", end)
        last = closing(text, first, "()")
        call = text[name:at].strip() + text[first : last + 1]
        text = f"{text[:name]}emulation::launch({text[at + 3:end]}, [&] {{ {call}; }}){text[last + 1:]}"
    return text


def plain(text):
    text = re.sub(r"//[^\n]*", "", text)
    text = re.sub(r"^\s*#pragma unroll.*$", "", text, flags=re.M)
    text = re.sub(r"extern __shared__ (?:__align__\(\d+\) )?([\w:<> ]+?) (\w+)\[\];",
                  r"\1 *const \2 = reinterpret_cast<\1 *>(emulation::dynamic_shared());", text)
    for pattern, instead in ASSEMBLY:
        text = re.sub(pattern, instead, text)
    return without_launches(text)


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:]:
        source = pathlib.Path(name)
        text = plain(source.read_text())
        if source.suffix == ".cu":
            if re.search(r"\basm\b", text):
                sys.exit(f"{source.name}: assembly that plain.py does not know")
            text = '#include "language.h"\n' + text
        to = out / (source.name + ".cpp" if source.suffix == ".cu" else source.name)
        if not to.exists() or to.read_text() != text:
            to.write_text(text)


main()
