"""How a program in each language is built and run against a folder of libraries: for the golden run and for bench/calls."""
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Skipped(Exception):
    """A tool is missing: the reason."""


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


class Languages:
    """Each method takes a source (Rust: the name of an example) and gives the command that runs it, with what its environment needs."""

    def __init__(self, libraries, work, release=False):
        self.libraries, self.work, self.release = os.path.abspath(libraries), os.path.abspath(work), release
        self.library = os.path.join(self.libraries, "libmpt.so.0")
        self.programs = os.path.join(self.work, "programs")
        os.makedirs(self.programs, exist_ok=True)

    def c(self, source):
        compiler, program = os.environ.get("CC", "cc"), os.path.join(self.programs, os.path.basename(source)[:-2])
        need(compiler)
        execute([compiler, "-std=c99", "-pedantic", "-O2", "-Wall", "-Wextra", "-Werror", "-I" + os.path.join(ROOT, "include"), source, "-o", program,
                 self.library, "-Wl,-rpath," + self.libraries])
        return [program], {}

    def ctypes(self, source):
        return [sys.executable, source, self.library], {}

    def luajit(self, source):
        need("luajit")
        return ["luajit", source, self.library], {}

    def csharp(self, source):
        need("mcs", "mono")
        return [os.path.join(ROOT, "tests", "dlopen", "run_cs.sh"), "mcs", "mono", self.library, source, self.programs], {}

    def python(self, source):
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
        return [python, source], {"PYTHONPATH": os.path.join(binding, "src"), "MPT_LIBRARY": self.library}

    def java(self, source):
        need("javac", "java")
        name = os.path.basename(source).removesuffix(".java")
        binding, out, classes = os.path.join(ROOT, "bindings", "java"), os.path.join(self.work, "java"), os.path.join(self.programs, name)
        jar, libraries = os.path.join(out, "mpt.jar"), [os.path.join(self.libraries, f"lib{n}") for n in ("mpt.so.0", "mpt_cpu.so", "mpt_onednn.so")]
        if stale(jar, os.path.join(binding, "src", "main"), os.path.join(binding, "mpt.i"), os.path.join(binding, "support.c"), *libraries):
            execute([os.path.join(binding, "build.sh"), self.libraries, out])
        execute(["javac", "-Xlint:all,-try", "-Werror", "-cp", jar, "-d", classes, source])
        return ["java", "-Dorg.mpt.cache=" + os.path.join(out, "cache"), "-cp", jar + os.pathsep + classes, name], {}

    def rust(self, example):
        need("cargo")
        target = os.path.join(self.work, "rust")
        # The flags of bindings/rust/test.sh: with others cargo would build all anew.
        execute(["cargo", "build", "--manifest-path", os.path.join(ROOT, "bindings", "rust", "Cargo.toml"), "--example", example] +
                ["--release"] * self.release, MPT_LIB_DIR=self.libraries, CARGO_TARGET_DIR=target, CARGO_NET_OFFLINE="true", RUSTFLAGS="-D warnings")
        return [os.path.join(target, "release" if self.release else "debug", "examples", example)], {}
