"""Runs the golden program of every language and compares: the same weights, bit for bit, by the hash that each prints.

usage: run.py LIBRARY_FOLDER WORK_FOLDER

LIBRARY_FOLDER holds libmpt.so.0 and its modules. WORK_FOLDER/{python,java,rust} are what the bindings' test.sh leave there and are used again; what is
missing or older than its sources is built. MPT_GOLDEN_REQUIRE: languages, or "all", whose absence is a failure instead of a line that says why.
All have to see the same libraries: without oneDNN bf16 ends with other bits. The number of threads changes nothing.
"""
import os
import sys

from languages import ROOT, Languages, Skipped, execute

HERE, DLOPEN = os.path.join(ROOT, "tests", "golden"), os.path.join(ROOT, "tests", "dlopen")
PROGRAMS = {"c": f"{HERE}/golden.c", "ctypes": f"{DLOPEN}/train.py", "luajit": f"{DLOPEN}/train.lua", "csharp": f"{DLOPEN}/Train.cs",
            "python": f"{HERE}/golden.py", "java": f"{HERE}/Golden.java", "rust": "golden"}
PRECISIONS, MODES = ("f32", "f16", "bf16", "fp8"), ("eager", "captured")


def hashes(text):
    """{(precision, mode): hash}, each of them there exactly once, and nothing else."""
    lines = [line.split() for line in text.splitlines()]
    found = {(line[0], line[1]): line[2] for line in lines if len(line) == 3 and len(line[2]) == 16}
    if len(lines) != len(found) or set(found) != {(p, m) for p in PRECISIONS for m in MODES}:
        raise RuntimeError(f"it printed something else than its hashes:\n{text}")
    return found


def compare(found):
    """What is wrong with the hashes of all languages, which are compared with C's."""
    reference = found["c"]
    wrong = [f"{language}: {' '.join(key)} is {mine[key]}" for language, mine in found.items() for key in reference if mine[key] != reference[key]]
    wrong += [f"{p}: eager and captured differ" for p in PRECISIONS if reference[p, "eager"] != reference[p, "captured"]]
    if len({reference[p, "eager"] for p in PRECISIONS}) != len(PRECISIONS):
        wrong.append("two precisions have the same weights: a policy did nothing")
    return wrong


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    languages = Languages(sys.argv[1], sys.argv[2])
    required = {"c", "ctypes", *os.environ.get("MPT_GOLDEN_REQUIRE", "").replace(",", " ").split()}
    if "all" in required:
        required = set(PROGRAMS)
    if required - set(PROGRAMS):
        sys.exit(f"MPT_GOLDEN_REQUIRE: no such language: {' '.join(required - set(PROGRAMS))}; use all or {' '.join(PROGRAMS)}")
    failures, found = [], {}
    for language, program in PROGRAMS.items():
        try:
            command, environment = getattr(languages, language)(program)
            found[language] = hashes(execute(command, **environment))
        except Skipped as reason:
            print(f"skipped: {language}: {reason}")
            if language in required:
                failures.append(f"{language} is required and did not run")
        except RuntimeError as problem:
            failures.append(f"{language}: {problem}")
    if "c" in found:
        for key, value in found["c"].items():
            print(f"{key[0]:5} {key[1]:9} {value}  {' '.join(language for language in found if found[language][key] == value)}")
        failures += compare(found)
    for failure in failures:
        print(f"FAILED: {failure}")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
