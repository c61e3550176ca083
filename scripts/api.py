#!/usr/bin/env python3
"""Reads include/mpt.h into data: what the ABI tests compare and what runtimes that bind by dlopen can generate from.

usage: api.py HEADER functions|enums|layout|json
"""
import json
import re
import sys


def read(path):
    """The header as a dict: version, enums, structs, handles, callbacks and functions, each in the header's order."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    text = text[text.index('extern "C" {'):]
    docs, position = {}, 0
    # A documentation comment belongs to the declaration that follows it; its place is kept, its text is blanked.
    for match in re.finditer(r"/\*.*?\*/", text, re.S):
        if match.group().startswith("/**"):
            words = re.sub(r"\n\s*\* ?", " ", match.group()[3:-2])
            docs[match.end()] = " ".join(words.split())
    plain = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)

    def doc_before(start):
        ends = [end for end in docs if end <= start and not plain[end:start].strip()]
        return docs[max(ends)] if ends else ""

    api = {"enums": [], "structs": [], "handles": [], "callbacks": [], "functions": []}
    for match in re.finditer(r"(typedef )?enum\s*(\w*)\s*\{(.*?)\}\s*(\w*);", plain, re.S):
        values = {}
        for item in filter(str.strip, match.group(3).split(",")):
            name, value = (part.strip() for part in item.split("="))
            values[name] = int(value, 0)
        api["enums"].append({"name": match.group(4), "values": values, "doc": doc_before(match.start())})
    for match in re.finditer(r"typedef struct (\w+)\s*\{(.*?)\}\s*\1;", plain, re.S):
        fields = []
        for line in filter(str.strip, match.group(2).split(";")):
            declared = parameter(line.split(",")[0])
            fields.append(declared)
            fields += [{"name": more.strip(), "type": declared["type"]} for more in line.split(",")[1:]]
        api["structs"].append({"name": match.group(1), "fields": fields, "doc": doc_before(match.start())})
    for match in re.finditer(r"typedef struct (\w+) \1;", plain):
        api["handles"].append(match.group(1))
    for match in re.finditer(r"typedef ([\w ]+?\s*\**)\s*\(MPT_CALL \*(\w+)\)\((.*?)\);", plain, re.S):
        api["callbacks"].append({"name": match.group(2), "returns": match.group(1).strip(),
                                 "parameters": parameters(match.group(3)), "doc": doc_before(match.start())})
    for match in re.finditer(r"^MPT_API (.*?)MPT_CALL (\w+)\((.*?)\);", plain, re.S | re.M):
        api["functions"].append({"name": match.group(2), "returns": match.group(1).strip(),
                                 "parameters": parameters(match.group(3)), "doc": doc_before(match.start())})
    # A declaration that this reader does not understand must not go unnoticed.
    if len(api["functions"]) != len(re.findall(r"\bMPT_API\b", plain)):
        raise SystemExit("a line with MPT_API was not understood: it must read 'MPT_API type MPT_CALL name(...);'")
    return api


def parameters(text):
    return [] if text.strip() == "void" else [parameter(item) for item in text.split(",")]


def parameter(text):
    kind, name, array = re.fullmatch(r"(.*?)(\w+)((?:\[\w+\])?)", " ".join(text.split())).groups()
    return {"name": name, "type": kind.strip() + array}


def layout(api):
    """C11 source whose compilation asserts every size, offset and enum value; the numbers come from the compiler (see abi-update.sh)."""
    lines = ['#include "mpt.h"', "#include <stdio.h>", "int main(void) {"]
    for struct in api["structs"]:
        name = struct["name"]
        lines.append(f'    printf("_Static_assert(sizeof({name}) == %zu, \\"{name}\\");\\n", sizeof({name}));')
        for field in (f["name"] for f in struct["fields"]):
            lines.append(f'    printf("_Static_assert(offsetof({name}, {field}) == %zu, \\"{name}.{field}\\");\\n",'
                         f" offsetof({name}, {field}));")
    for enum in api["enums"]:
        for name in enum["values"]:
            lines.append(f'    printf("_Static_assert({name} == %d, \\"{name}\\");\\n", (int){name});')
        if enum["name"]:
            lines.append(f'    printf("_Static_assert(sizeof({enum["name"]}) == %zu, \\"{enum["name"]}\\");\\n", sizeof({enum["name"]}));')
    return "\n".join(lines + ["    return 0;", "}"])


def main():
    api = read(sys.argv[1])
    if sys.argv[2] == "functions":
        print("\n".join(sorted(f["name"] for f in api["functions"])))
    elif sys.argv[2] == "enums":
        for enum in api["enums"]:
            for name, value in enum["values"].items():
                print(enum["name"] or "-", name, value)
    elif sys.argv[2] == "layout":
        print(layout(api))
    elif sys.argv[2] == "json":
        print(json.dumps(api, indent=1))
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
