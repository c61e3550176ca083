"""The golden run (tests/golden/golden.c) with nothing but ctypes and the facts of mpt.h.
usage: train.py LIBRARY [CHECKPOINT]"""
import array
import ctypes as c
import sys

lib = c.CDLL(sys.argv[1])
lib.mpt_last_error.restype, lib.mpt_tensor_release.restype = c.c_char_p, None
F32, F16, BF16, I64, WRITE = 2, 3, 4, 19, 0  # mpt_dtype, mpt_grad_mode


def call(name, *args):
    status = getattr(lib, "mpt_" + name)(*args)
    if status:
        raise RuntimeError(f"mpt_{name}: status {status}: {lib.mpt_last_error().decode()}")


def make(name, *args, out=c.c_void_p):
    """Calls a function whose last argument is where the result goes."""
    made = out()
    call(name, *args, c.byref(made))
    return made


def desc(name, fields):
    """A size-prefixed descriptor with the library's defaults."""
    struct = type(name, (c.Structure,), {"_fields_": [("struct_size", c.c_uint32)] + fields})()
    call(name + "_init", c.byref(struct), c.c_size_t(c.sizeof(struct)))
    return struct


def tensor(ctx, dtype, shape, values):
    made = make("tensor_create", ctx, dtype, len(shape), (c.c_int64 * len(shape))(*shape))
    call("tensor_write", made, values.tobytes(), c.c_size_t(len(values) * values.itemsize))
    return made


def train(precision, dtype, captured, checkpoint):
    options = desc("context_desc", [("device", c.c_int32), ("device_index", c.c_int32), ("threads", c.c_int32),
                                    ("seed", c.c_uint64), ("pointers", c.c_void_p * 7), ("log_level", c.c_int32), ("reserved", c.c_uint32)])
    options.seed = 1
    ctx = make("context_create", c.byref(options))
    s, points = 1, []
    for _ in range(512):
        s = (s * 1664525 + 1013904223) % 2**32
        points.append((s >> 24) / 128 - 1)
    x = tensor(ctx, F32, (256, 2), array.array("f", points))
    y = tensor(ctx, I64, (256,), array.array("q", [(a >= 0) == (b >= 0) for a, b in zip(points[::2], points[1::2])]))
    model, linear = make("layer_sequential", ctx), desc("linear_desc", [("no_bias", c.c_int32), ("in_features", c.c_int64),
                                                                    ("out_features", c.c_int64), ("init", c.c_int32), ("dtype", c.c_int32)])
    for linear.in_features, linear.out_features in ((2, 64), (64, 2)):
        call("layer_add", model, None, make("layer_linear", ctx, c.byref(linear)))
        if linear.in_features == 2:
            call("layer_add", model, None, make("layer_relu", ctx))
    adam = desc("adam_desc", [("reserved", c.c_uint32)] + [(name, c.c_double) for name in ("lr", "beta1", "beta2", "eps", "weight_decay")])
    adam.lr = 0.02
    optimizer, scaler, policy = make("optimizer_adam", ctx, c.byref(adam)), make("scaler_create", ctx, None), make("policy_create", ctx, dtype)
    call("optimizer_add_layer", optimizer, model)
    if precision == "fp8":
        call("policy_set_fp8", policy, None)

    def step():
        logits = c.c_void_p()
        call("autocast_begin", ctx, policy)
        call("layer_forward", model, c.byref(x), 1, c.byref(logits), 1)
        loss = make("cross_entropy", logits, y, None)
        call("autocast_end", ctx)
        call("backward", loss, scaler, WRITE)
        call("optimizer_step", optimizer, scaler)
        call("scaler_update", scaler)
        lib.mpt_tensor_release(logits)
        return loss

    if captured:
        call("capture_begin", ctx)
        result = step()
        program = make("capture_end", ctx, c.byref(result), 1)
    losses = []
    for _ in range(100):
        loss = call("program_run", program) or result if captured else step()
        losses.append(make("tensor_item", loss, out=c.c_double).value)
    if checkpoint:
        state = make("state_create", ctx)
        call("state_add_layer", state, b"model", model)
        call("state_save", state, checkpoint.encode())
    value = 0xcbf29ce484222325
    for i in range(make("layer_parameter_count", model, out=c.c_int32).value):
        parameter = make("layer_parameter", model, i)
        data = c.create_string_buffer(4 * make("tensor_numel", parameter, out=c.c_int64).value)
        call("tensor_read", parameter, data, c.c_size_t(len(data)))
        for byte in data.raw:
            value = (value ^ byte) * 0x100000001b3 % 2**64
    print(f"{precision} {'captured' if captured else 'eager'} {value:016x}")
    assert 0.4 < losses[0] < 1.5 and losses[-1] < 0.1 * losses[0], losses


for captured in (False, True):
    for precision, dtype in (("f32", F32), ("f16", F16), ("bf16", BF16), ("fp8", BF16)):
        train(precision, dtype, captured, sys.argv[2] if len(sys.argv) > 2 else None)
