"""Calls every function with every kind of wrong and right argument, in random order from a fixed seed. Nothing may crash, a
failure must have a message and leave its outputs alone, and no failure may be the library's own defect. The only promises
kept to the library are those a caller cannot break in safety: handles are alive, memory is as large as said.

usage: misuse.py LIBRARY API_JSON [CALLS [SEED]]
"""
import ctypes as c
import json
import mmap
import os
import random
import resource
import subprocess
import sys
import tempfile

SCALARS = {"int32_t": c.c_int32, "uint32_t": c.c_uint32, "int64_t": c.c_int64, "uint64_t": c.c_uint64, "size_t": c.c_size_t,
           "double": c.c_double, "void *": c.c_void_p}
INTERNAL = 18  # MPT_ERROR_INTERNAL
SENTINEL = 0x5A
ROOM = 4096    # bytes behind every pointer
MEMORY = 6 << 30  # of the process, so that extents of billions are refused and not a burden on the machine


class Caller:
    def __init__(self, library, api, seed):
        self.lib = c.CDLL(library)
        self.lib.mpt_last_error.restype = c.c_char_p
        self.random = random.Random(seed)
        self.functions = api["functions"]
        self.enums = {e["name"]: list(e["values"].values())[:-1] for e in api["enums"]}
        self.structs = {s["name"]: self.structure(s) for s in api["structs"]}
        self.pool = {handle: [] for handle in api["handles"]}
        self.problems = {}
        self.memory = c.create_string_buffer(ROOM + 128)  # for wrapped tensors: it outlives them
        self.write = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_size_t, c.c_void_p)(lambda *_: self.random.random() < 0.1)
        self.read = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_size_t, c.c_void_p)(
            lambda data, nbytes, _: 1 if nbytes > ROOM else bool(c.memset(data, self.random.choice((0, 32)), nbytes)) and 0)

    def structure(self, struct):
        def kind(text):
            if text.endswith("[MPT_MAX_DIMS]"):
                return kind(text.removesuffix("[MPT_MAX_DIMS]")) * 8
            return SCALARS.get(text) or (c.c_void_p if text.endswith(("_fn", "*")) else c.c_int32)

        fields = [(f["name"], kind(f["type"])) for f in struct["fields"]]
        return type(struct["name"], (c.Structure,), {"_fields_": fields})

    def pick(self, *values):
        return self.random.choice(values)

    def integer(self, name):
        if name in ("ndims", "keep_dims", "requires_grad"):
            return self.pick(-1, 0, 0, 1, 1, 1, 2, 9)
        if name in ("n", "n_inputs", "n_outputs"):
            return self.pick(-1, 0, 1, 1, 1, 2, 3)
        if name == "capacity":
            return self.pick(-1, 0, 1, 4, 8)
        if name == "ndim":
            return self.pick(-1, 0, 1, 1, 1, 2, 2, 2, 2, 2, 2, 4, 4, 8, 9, 2**31 - 1)
        return self.pick(-2**31, -1, 0, 0, 0, 1, 1, 1, 2, 3, 9, 2**31 - 1)

    def extent(self):
        if self.random.random() < 0.8:
            return 2
        return self.pick(0, 1, 1, 2, 3, 4, 5, -1) if self.random.random() < 0.9 else self.pick(2**40, 2**62, -2**63)

    def number(self):
        return self.pick(0.0, 1.0, -1.0, 0.5, 1e-3, 2.0, 1e308, float("nan"), float("inf"))

    def handle(self, kind):
        live = self.pool[kind]
        if not live or self.random.random() < 0.05:
            return None
        # Mostly one context and what was made last, so that handles fit together.
        if kind == "mpt_context" and self.random.random() < 0.9:
            return live[0]
        return self.random.choice(live[-3:] if self.random.random() < 0.5 else live)

    def described(self, kind):
        """A descriptor: the library's defaults with some fields changed, at times of a wrong size."""
        room = c.create_string_buffer(ROOM)
        struct = self.structs[kind].from_buffer(room)
        getattr(self.lib, kind + "_init")(room, c.c_size_t(c.sizeof(struct)))
        for name, field in struct._fields_[1:]:
            if name.startswith(("in_", "out_")):
                setattr(struct, name, 2)
            if field is not c.c_void_p and self.random.random() < 0.1:
                small = self.pick(-1, 0, 1, 2, 3) if name != "reserved" else self.pick(0, 0, 0, 1)
                unsigned = field in (c.c_uint32, c.c_uint64)
                setattr(struct, name, self.number() if field is c.c_double else abs(small) if unsigned else small)
        if self.random.random() < 0.1:
            struct.struct_size = self.pick(0, 3, 4, 12, c.sizeof(struct) + 8, ROOM)
            room[self.random.randrange(c.sizeof(struct), ROOM)] = self.pick(0, 1)
        return room

    def nbytes(self, handles):
        """Often exactly what the tensor of the call needs."""
        numel, dtype = c.c_int64(), c.c_int32()
        if handles and self.random.random() < 0.7 and not self.lib.mpt_tensor_numel(handles[0], c.byref(numel)):
            self.lib.mpt_tensor_dtype(handles[0], c.byref(dtype))
            return min(numel.value * self.lib.mpt_dtype_size(dtype), ROOM)
        return self.pick(0, 1, 4, 8, 12, 64, 256, ROOM)

    def argument(self, parameter, tensors, wraps):
        kind, name = parameter["type"].replace("const ", ""), parameter["name"]
        base = kind.rstrip("* ")
        if "*const *" in parameter["type"]:
            return None if self.random.random() < 0.05 else (c.c_void_p * 4)(*(self.handle("mpt_tensor") for _ in range(4)))
        if name in ("text", "data", "outputs") or name.endswith("out"):
            if self.random.random() < 0.1:
                return None
            if name == "data" and wraps:
                return c.c_void_p(c.addressof(self.memory) + self.pick(0, 0, 0, 0, 1))
            room = c.create_string_buffer(ROOM)
            c.memset(room, SENTINEL, ROOM)
            return room
        if base in self.pool:
            picked = self.handle(base)
            if base == "mpt_tensor" and picked:
                tensors.append(picked)
            return picked
        if base in self.structs:
            return None if self.random.random() < 0.1 else self.described(base)
        if kind == "char *":
            return self.pick(None, b"", b"0", b"a", b"a.b", b"x/y", b"*", b"linear", b"onednn", b"off", b"file", b"\xff\xfe")
        if kind in ("int64_t *", "int32_t *"):
            if self.random.random() < (0.5 if name == "dims" else 0.1):
                return None
            return (c.c_int64 * 16)(*(self.extent() for _ in range(16))) if "64" in kind else (c.c_int32 * 16)(
                *(self.integer("dim") for _ in range(16)))
        if kind == "mpt_dtype" and self.random.random() < 0.6:
            return c.c_int32(2)  # mostly MPT_F32, so that tensors fit together
        if kind in self.enums:
            return c.c_int32(self.random.choice(self.enums[kind]) if self.random.random() < 0.9 else self.pick(-1, 99, 2**31 - 1))
        if kind == "size_t":
            return c.c_size_t(self.nbytes(tensors))
        if kind in ("int64_t", "uint64_t"):
            return c.c_int64(self.extent())
        if kind == "int32_t":
            return c.c_int32(self.integer(name))
        if kind == "double":
            return c.c_double(self.number())
        if kind == "mpt_write_fn":
            return self.pick(None, self.write)
        if kind == "mpt_read_fn":
            return self.pick(None, self.read)
        return None

    def keep(self, function, outputs, count):
        """Takes the handles that a successful call gave; old ones go, so that the pool keeps changing."""
        kind = next(p["type"].rstrip("* ") for p in function["parameters"] if p["type"].endswith("**"))
        if kind not in self.pool:
            return
        for handle in (c.c_void_p * count).from_buffer(outputs):
            self.pool[kind].append(c.c_void_p(handle))
            if len(self.pool[kind]) > (2 if kind == "mpt_context" else 24):
                oldest = 1 if kind == "mpt_context" else self.random.randrange(24)
                getattr(self.lib, kind + "_release")(self.pool[kind].pop(oldest))

    def call(self, function, arguments):
        parameters = function["parameters"]
        status = getattr(self.lib, function["name"])(*arguments)
        if function["returns"] != "mpt_status":
            return None
        outputs = [a for p, a in zip(parameters, arguments) if isinstance(a, c.Array) and a._type_ is c.c_char and
                   (p["name"].endswith("out") or p["type"] in ("mpt_tensor **", "char *", "void *"))]
        if status == 0:
            if parameters[-1]["type"].endswith("**"):
                self.keep(function, outputs[-1], 1)
            elif function["name"] == "mpt_layer_forward":
                self.keep(function, outputs[-1], arguments[-1].value)
            return status
        message = self.lib.mpt_last_error()
        try:
            message.decode()
        except UnicodeDecodeError:
            self.complain(function, "the message is not UTF-8", message)
        if not message:
            self.complain(function, f"status {status} has no message", message)
        if not 0 < status < INTERNAL:
            self.complain(function, f"status {status}", message)
        if any(set(bytes(room)) != {SENTINEL} for room in outputs):
            self.complain(function, f"an output was touched, status {status}", message)
        return status

    def complain(self, function, problem, message):
        self.problems.setdefault(f"{function['name']}: {problem}", message)


def child(library, api_file, calls, seed, note):
    if "LD_PRELOAD" not in os.environ:  # a sanitizer maps far more, and has a limit of its own
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with open(api_file, encoding="utf-8") as file:
        caller = Caller(library, json.load(file), seed)
    trace = mmap.mmap(os.open(note, os.O_RDWR), ROOM)
    for function in caller.functions:
        trace[:ROOM] = f"{function['name']} with NULL and 0 everywhere".encode().ljust(ROOM)
        zeros = [SCALARS.get(p["type"], c.c_void_p)(0) for p in function["parameters"]]
        if caller.call(function, zeros) == 0:
            caller.complain(function, "accepts NULL and 0 everywhere", b"")
    # What makes things and what ends a broken capture weighs more; keep() calls the releases.
    usable = [f for f in caller.functions if f["name"].split("_")[-1] not in ("release", "retain")]
    makers = [f for f in usable if f["name"] in ("mpt_tensor_create", "mpt_layer_linear", "mpt_capture_abort", "mpt_layer_forward",
                                                       "mpt_optimizer_add_group", "mpt_optimizer_add_layer", "mpt_sum", "mpt_backward",
                                                       "mpt_optimizer_step", "mpt_scaler_update", "mpt_capture_end", "mpt_program_run")]
    done = {}
    for number in range(calls):
        function = caller.random.choice(makers if caller.random.random() < 0.2 else usable)
        tensors = []
        arguments = [caller.argument(p, tensors, function["name"] == "mpt_tensor_wrap") for p in function["parameters"]]
        shown = ", ".join(str(list(a)) if isinstance(a, c.Array) and a._type_ is not c.c_char else repr(a) for a in arguments)
        trace[:ROOM] = f"call {number}: {function['name']}({shown})".encode()[:ROOM].ljust(ROOM)
        if caller.call(function, arguments) == 0:
            done[function["name"]] = done.get(function["name"], 0) + 1
    for kind in reversed(list(caller.pool)):
        for handle in caller.pool[kind]:
            getattr(caller.lib, kind + "_release")(handle)
    for problem, message in sorted(caller.problems.items()):
        print(f"{problem}: {message!r}")
    never = sorted(f["name"] for f in usable if f["returns"] == "mpt_status" and f["name"] not in done)
    print(f"{calls} calls, {sum(done.values())} of them in order; never in order: {', '.join(never) or 'none'}")
    return 1 if caller.problems else 0


def main():
    library, api = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    calls, seed = (sys.argv[3:5] + ["30000", "1"][len(sys.argv) - 3:])[:2]
    if os.environ.get("MPT_MISUSE_NOTE"):
        return child(library, api, int(calls), int(seed), os.environ["MPT_MISUSE_NOTE"])
    with tempfile.TemporaryDirectory() as work:
        note = os.path.join(work, "note")
        with open(note, "wb") as file:
            file.write(b" " * ROOM)
        code = subprocess.run([sys.executable, os.path.abspath(__file__), library, api, calls, seed], cwd=work, timeout=100,
                              env=dict(os.environ, MPT_MISUSE_NOTE=note)).returncode
        if code:
            with open(note, encoding="utf-8") as file:
                print(f"exit code {code}, seed {seed}, in {file.read().strip()}")
    return 1 if code else 0


if __name__ == "__main__":
    sys.exit(main())
