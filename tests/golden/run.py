"""Runs the golden program of every language and compares: the same weights, bit for bit, by the hash that each prints.

usage: run.py LIBRARY_FOLDER WORK_FOLDER

LIBRARY_FOLDER holds libmpt.so.0 and its modules. WORK_FOLDER/{python,java,rust} are what the bindings' test.sh leave there and are used again; what is
missing or older than its sources is built. MPT_GOLDEN_REQUIRE: languages, or "all", whose absence is a failure instead of a line that says why.
"""
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PRECISIONS, MODES = ("f32", "f16", "bf16", "fp8"), ("eager", "captured")


class Skipped(Exception):
    pass


def need(*tools):
    for tool in tools:
        if not shutil.which(tool):
            raise Skipped(f"{tool} is not installed")


def execute(command, **environment):
    """What the command prints; a build script's 77 means that it lacks something."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **environment})
    if done.returncode == 77:
        raise Skipped(done.stdout.strip().splitlines()[-1])
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


def stale(product, *sources):
    """Is the product missing, or older than a source or a file in a folder of sources?"""
    if not os.path.exists(product):
        return True
    files = [s for s in sources if os.path.isfile(s)]
    for folder in sources:
        for path, _, names in os.walk(folder):
            files += [os.path.join(path, name) for name in names]
    return any(os.path.getmtime(file) > os.path.getmtime(product) for file in files)


class Golden:
    def __init__(self, libraries, work):
        self.libraries, self.work = os.path.abspath(libraries), os.path.abspath(work)
        self.library = os.path.join(self.libraries, "libmpt.so.0")
        self.modules = [os.path.join(self.libraries, name) for name in ("libmpt.so.0", "libmpt_cpu.so", "libmpt_onednn.so")]
        os.makedirs(os.path.join(self.work, "golden"), exist_ok=True)

    def c(self):
        compiler, program = os.environ.get("CC", "cc"), os.path.join(self.work, "golden", "golden")
        need(compiler)
        execute([compiler, "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-I" + os.path.join(ROOT, "include"), os.path.join(HERE, "golden.c"),
                 "-o", program, self.library, "-Wl,-rpath," + self.libraries])
        return execute([program])

    def ctypes(self):
        return execute([sys.executable, os.path.join(ROOT, "tests", "dlopen", "train.py"), self.library])

    def luajit(self):
        need("luajit")
        return execute(["luajit", os.path.join(ROOT, "tests", "dlopen", "train.lua"), self.library])

    def csharp(self):
        need("mcs", "mono")
        return execute([os.path.join(ROOT, "tests", "dlopen", "train_cs.sh"), "mcs", "mono", self.library])

    def python(self):
        binding, environment = os.path.join(ROOT, "bindings", "python"), os.path.join(self.work, "python")
        python = os.path.join(environment, "bin", "python")
        core = os.path.join(binding, "src", "mpt", "_swig_core.abi3.so")
        if stale(core, os.path.join(binding, "mpt.i"), os.path.join(binding, "src", "support.h"), os.path.join(ROOT, "include", "mpt.h")):
            if not os.path.exists(os.path.join(environment, "bin", "swig")):
                try:
                    execute([sys.executable, "-m", "venv", environment])
                    execute([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "swig>=4.2"])
                except RuntimeError as problem:
                    raise Skipped(f"no SWIG 4.2 or newer: {problem}")
            execute([os.path.join(binding, "build.sh"), self.libraries, python])
        elif not os.path.exists(python):
            python = sys.executable
        return execute([python, os.path.join(HERE, "golden.py")], PYTHONPATH=os.path.join(binding, "src"), MPT_LIBRARY=self.library)

    def java(self):
        need("javac", "java")
        binding, out, classes = os.path.join(ROOT, "bindings", "java"), os.path.join(self.work, "java"), os.path.join(self.work, "golden", "java")
        jar = os.path.join(out, "mpt.jar")
        if stale(jar, os.path.join(binding, "src", "main"), os.path.join(binding, "mpt.i"), os.path.join(binding, "support.c"), *self.modules):
            execute([os.path.join(binding, "build.sh"), self.libraries, out])
        execute(["javac", "-Xlint:all,-try", "-Werror", "-cp", jar, "-d", classes, os.path.join(HERE, "Golden.java")])
        return execute(["java", "-Dorg.mpt.cache=" + os.path.join(out, "cache"), "-cp", jar + os.pathsep + classes, "Golden"])

    def rust(self):
        need("cargo")
        target = os.path.join(self.work, "rust")
        # The flags of bindings/rust/test.sh: with others cargo would build all anew.
        execute(["cargo", "build", "--manifest-path", os.path.join(ROOT, "bindings", "rust", "Cargo.toml"), "--example", "golden"],
                MPT_LIB_DIR=self.libraries, CARGO_TARGET_DIR=target, CARGO_NET_OFFLINE="true", RUSTFLAGS="-D warnings")
        return execute([os.path.join(target, "debug", "examples", "golden")])


LANGUAGES = ("c", "ctypes", "luajit", "csharp", "python", "java", "rust")


def hashes(language, text):
    """{(precision, mode): hash}, each of them there exactly once, and nothing else."""
    lines = [line.split() for line in text.splitlines()]
    found = {(line[0], line[1]): line[2] for line in lines if len(line) == 3 and len(line[2]) == 16}
    if len(lines) != len(found) or set(found) != {(p, m) for p in PRECISIONS for m in MODES}:
        raise RuntimeError(f"{language} printed something else than its hashes:\n{text}")
    return found


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    golden = Golden(sys.argv[1], sys.argv[2])
    required = set(os.environ.get("MPT_GOLDEN_REQUIRE", "").replace(",", " ").split())
    required = set(LANGUAGES) if "all" in required else required | {"c", "ctypes"}
    if required - set(LANGUAGES):
        sys.exit(f"MPT_GOLDEN_REQUIRE: no such language: {' '.join(required - set(LANGUAGES))}")
    failures, found = [], {}
    for language in LANGUAGES:
        try:
            found[language] = hashes(language, getattr(golden, language)())
        except Skipped as reason:
            print(f"skipped: {language}: {reason}")
            if language in required:
                failures.append(f"{language} did not run")
        except RuntimeError as problem:
            failures.append(f"{language}: {problem}")
    if "c" in found:
        reference = found["c"]
        for key, value in reference.items():
            print(f"{key[0]:5} {key[1]:9} {value}  {' '.join(l for l in found if found[l][key] == value)}")
        failures += [f"{language}: {' '.join(key)} is {mine[key]}" for language, mine in found.items() for key in reference if mine[key] != reference[key]]
        failures += [f"{p}: eager and captured differ" for p in PRECISIONS if reference[p, "eager"] != reference[p, "captured"]]
        if len({reference[p, "eager"] for p in PRECISIONS}) != len(PRECISIONS):
            failures.append("two precisions have the same weights: a policy did nothing")
    for failure in failures:
        print(f"FAILED: {failure}")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
