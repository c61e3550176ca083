"""What a call costs in Python: see calls.c."""
import array
import sys

import mpt

BATCH, PIXELS = 128, 784


def ndim(n):
    for _ in range(n):
        one.ndim


def add(n):
    for _ in range(n):
        one + one


def item(n):
    for _ in range(n):
        one.item()


def step(n):
    for _ in range(n):
        program.feed(x, images)
        program.feed(y, labels)
        program.run()


with mpt.Context(threads=1):
    images = array.array("f", [i % 251 / 251 for i in range(BATCH * PIXELS)])
    labels = array.array("q", [i % 10 for i in range(BATCH)])
    one, x, y = mpt.ones(1), mpt.ones((BATCH, PIXELS)), mpt.ones(BATCH, "i64")
    model = mpt.Sequential(mpt.Linear(PIXELS, 1024), mpt.ReLU(), mpt.Linear(1024, 1024), mpt.ReLU(), mpt.Linear(1024, 10))
    optimizer = mpt.Adam(model)
    with mpt.capture() as program:
        with mpt.autocast("bf16"):
            program.outputs = loss = mpt.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
    for line in sys.stdin:
        what, n = line.split()
        globals()[what](int(n))
        print("done", flush=True)
