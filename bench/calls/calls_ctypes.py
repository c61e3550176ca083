"""What a call costs through Python's ctypes: see calls.c. usage: calls_ctypes.py LIBRARY"""
import array
import ctypes as c
import sys

lib = c.CDLL(sys.argv[1])
lib.mpt_last_error.restype = c.c_char_p
lib.mpt_tensor_release.restype = None
for name in ("tensor_ndim", "tensor_item", "tensor_release", "add", "program_run"):
    getattr(lib, "mpt_" + name).argtypes = [c.c_void_p] * {"tensor_release": 1, "program_run": 1, "add": 3}.get(name, 2)
lib.mpt_program_feed.argtypes = [c.c_void_p, c.c_void_p, c.c_void_p, c.c_size_t]
F32, BF16, I64 = 2, 4, 19
BATCH, PIXELS = 128, 784


def ok(status):
    if status:
        raise RuntimeError(f"status {status}: {lib.mpt_last_error().decode()}")


def make(name, *args):
    out = c.c_void_p()
    ok(getattr(lib, "mpt_" + name)(*args, c.byref(out)))
    return out


def tensor(dtype, *shape):
    made = make("tensor_create", ctx, dtype, len(shape), (c.c_int64 * len(shape))(*shape))
    ok(lib.mpt_tensor_fill(made, c.c_double(1)))
    return made


class ContextDesc(c.Structure):
    _fields_ = [("struct_size", c.c_uint32), ("device", c.c_int32), ("device_index", c.c_int32), ("threads", c.c_int32)]


class LinearDesc(c.Structure):
    _fields_ = [("struct_size", c.c_uint32), ("no_bias", c.c_int32), ("in_features", c.c_int64), ("out_features", c.c_int64)]


def perceptron():
    model = make("layer_sequential", ctx)
    for inputs, outputs in ((PIXELS, 1024), (1024, 1024), (1024, 10)):
        desc = LinearDesc()
        ok(lib.mpt_linear_desc_init(c.byref(desc), c.c_size_t(c.sizeof(desc))))
        desc.in_features, desc.out_features = inputs, outputs
        ok(lib.mpt_layer_add(model, None, make("layer_linear", ctx, c.byref(desc))))
        if outputs != 10:
            ok(lib.mpt_layer_add(model, None, make("layer_relu", ctx)))
    return model


def capture():
    model, policy, logits = perceptron(), make("policy_create", ctx, BF16), c.c_void_p()
    optimizer = make("optimizer_adam", ctx, None)
    ok(lib.mpt_optimizer_add_layer(optimizer, model))
    ok(lib.mpt_capture_begin(ctx))
    ok(lib.mpt_autocast_begin(ctx, policy))
    ok(lib.mpt_layer_forward(model, c.byref(x), 1, c.byref(logits), 1))
    loss = make("cross_entropy", logits, y, None)
    ok(lib.mpt_autocast_end(ctx))
    ok(lib.mpt_backward(loss, None, 0))
    ok(lib.mpt_optimizer_step(optimizer, None))
    return make("capture_end", ctx, c.byref(loss), 1)


def ndim(n):
    out = c.c_int32()
    where = c.byref(out)
    for _ in range(n):
        ok(lib.mpt_tensor_ndim(one, where))
        out.value


def add(n):
    out = c.c_void_p()
    where = c.byref(out)
    for _ in range(n):
        ok(lib.mpt_add(one, one, where))
        lib.mpt_tensor_release(out)


def item(n):
    out = c.c_double()
    where = c.byref(out)
    for _ in range(n):
        ok(lib.mpt_tensor_item(one, where))
        out.value


def step(n):
    for _ in range(n):
        ok(lib.mpt_program_feed(program, x, images.buffer_info()[0], 4 * len(images)))
        ok(lib.mpt_program_feed(program, y, labels.buffer_info()[0], 8 * len(labels)))
        ok(lib.mpt_program_run(program))


options = ContextDesc()
ok(lib.mpt_context_desc_init(c.byref(options), c.c_size_t(c.sizeof(options))))
options.threads = 1
ctx = make("context_create", c.byref(options))
images = array.array("f", [i % 251 / 251 for i in range(BATCH * PIXELS)])
labels = array.array("q", [i % 10 for i in range(BATCH)])
one, x, y = tensor(F32, 1), tensor(F32, BATCH, PIXELS), tensor(I64, BATCH)
program = capture()
for line in sys.stdin:
    what, count = line.split()
    globals()[what](int(count))
    print("done", flush=True)
