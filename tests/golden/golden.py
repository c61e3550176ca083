"""The golden run in Python: see golden.c."""
import array

import mpt


def points(n):
    x, y, s = array.array("f"), array.array("q"), 1
    for _ in range(n):
        s = (s * 1664525 + 1013904223) % 2**32
        a = s >> 24
        s = (s * 1664525 + 1013904223) % 2**32
        b = s >> 24
        x.extend(((a - 128) / 128, (b - 128) / 128))
        y.append((a >= 128) == (b >= 128))
    return x, y


def fnv1a(parameters):
    value = 0xcbf29ce484222325
    for parameter in parameters:
        for byte in parameter.tobytes():
            value = (value ^ byte) * 0x100000001b3 % 2**64
    return value


def train(precision, captured):
    with mpt.Context(seed=1):
        a, b = points(256)
        x, y = mpt.from_buffer(a, shape=(256, 2)), mpt.from_buffer(b)
        model = mpt.Sequential(mpt.Linear(2, 64), mpt.ReLU(), mpt.Linear(64, 2))
        optimizer, scaler, policy = mpt.Adam(model, lr=0.02), mpt.Scaler(), mpt.Policy(precision)

        def step(x, y):
            with mpt.autocast(policy):
                loss = mpt.cross_entropy(model(x), y)
            loss.backward(scaler)
            optimizer.step(scaler)
            scaler.update()
            return loss

        run = mpt.capture(step) if captured else step
        losses = [run(x, y).item() for _ in range(100)]
        print(f"{precision} {'captured' if captured else 'eager'} {fnv1a(model.parameters()):016x}")
        assert 0.4 < losses[0] < 1.5 and losses[-1] < 0.1 * losses[0], losses


for captured in (False, True):
    for precision in ("f32", "f16", "bf16", "fp8"):
        train(precision, captured)
