"""Trains a small net with nothing but ctypes and the facts of mpt.h, in f32 and in bf16, as captured programs.

usage: train_ctypes.py LIBRARY [CHECKPOINT]
"""
import array
import ctypes as c
import math
import sys

lib = c.CDLL(sys.argv[1])
lib.mpt_last_error.restype = c.c_char_p
F32, BF16, I64 = 2, 4, 19  # mpt_dtype
WRITE = 0                  # mpt_grad_mode


def desc(name, fields):
    """A size-prefixed descriptor with the library's defaults."""
    struct = type(name, (c.Structure,), {"_fields_": [("struct_size", c.c_uint32)] + fields})()
    call(f"mpt_{name}_init", c.byref(struct), c.c_size_t(c.sizeof(struct)))
    return struct


def call(name, *args):
    status = getattr(lib, name)(*args)
    if status:
        raise RuntimeError(f"{name}: status {status}: {lib.mpt_last_error().decode()}")


def make(name, *args):
    """Calls a function whose last argument is the handle that it makes."""
    out = c.c_void_p()
    call(name, *args, c.byref(out))
    return out


def tensor(ctx, dtype, shape, values):
    made = make("mpt_tensor_create", ctx, dtype, len(shape), (c.c_int64 * len(shape))(*shape))
    call("mpt_tensor_write", made, values.tobytes(), c.c_size_t(len(values) * values.itemsize))
    return made


def spirals(n):
    """Two interleaved spirals of n points each: no straight line separates them."""
    points, classes = array.array("f"), array.array("q")
    for i in range(2 * n):
        radius = (i // 2 + 1) / n
        angle = 4.5 * radius + math.pi * (i % 2)
        points.extend((radius * math.cos(angle), radius * math.sin(angle)))
        classes.append(i % 2)
    return points, classes


def train(dtype, steps, checkpoint):
    options = desc("context_desc", [("device", c.c_int32), ("device_index", c.c_int32), ("threads", c.c_int32),
                                    ("seed", c.c_uint64), ("pointers", c.c_void_p * 7), ("log_level", c.c_int32),
                                    ("reserved", c.c_uint32)])
    options.seed = 1
    ctx = make("mpt_context_create", c.byref(options))
    points, classes = spirals(128)
    x, y = tensor(ctx, F32, (256, 2), points), tensor(ctx, I64, (256,), classes)
    model = make("mpt_layer_sequential", ctx)
    linear = desc("linear_desc", [("in_features", c.c_int64), ("out_features", c.c_int64), ("no_bias", c.c_int32),
                                  ("init", c.c_int32), ("dtype", c.c_int32), ("reserved", c.c_uint32)])
    for linear.in_features, linear.out_features in ((2, 64), (64, 2)):
        if linear.in_features == 64:
            call("mpt_layer_add", model, None, make("mpt_layer_relu", ctx))
        call("mpt_layer_add", model, None, make("mpt_layer_linear", ctx, c.byref(linear)))
    adam = desc("adam_desc", [("reserved", c.c_uint32)] + [(name, c.c_double) for name in ("lr", "b1", "b2", "eps", "decay")])
    adam.lr = 0.02
    optimizer, scaler = make("mpt_optimizer_adam", ctx, c.byref(adam)), make("mpt_scaler_create", ctx, None)
    call("mpt_optimizer_add_layer", optimizer, model)
    call("mpt_capture_begin", ctx)
    call("mpt_autocast_begin", ctx, make("mpt_policy_create", ctx, dtype))
    logits = c.c_void_p()
    call("mpt_layer_forward", model, c.byref(x), 1, c.byref(logits), 1)
    call("mpt_autocast_end", ctx)
    loss = make("mpt_cross_entropy", logits, y, None)
    call("mpt_backward", loss, scaler, WRITE)
    call("mpt_optimizer_step", optimizer, scaler)
    call("mpt_scaler_update", scaler)
    program, value, losses = make("mpt_capture_end", ctx, c.byref(loss), 1), c.c_double(), []
    for _ in range(steps):
        call("mpt_program_run", program)
        call("mpt_tensor_item", loss, c.byref(value))
        losses.append(value.value)
    if checkpoint:
        state = make("mpt_state_create", ctx)
        call("mpt_state_add_layer", state, b"model", model)
        call("mpt_state_save", state, checkpoint.encode())
    print(f"dtype {dtype}: loss {losses[0]:.4f} -> {losses[-1]:.4f} in {steps} steps")
    assert 0.4 < losses[0] < 1.5 and losses[-1] < 0.1 * losses[0], "the net did not learn the spirals"
    return losses


CURVES = [train(kind, 400, sys.argv[2] if len(sys.argv) > 2 else None) for kind in (F32, BF16)]
assert CURVES[0] != CURVES[1], "the policy changed nothing"
