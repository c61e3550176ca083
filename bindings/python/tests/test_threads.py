"""Several threads use one context: calls take turns, and whoever waits for the context lets the interpreter go on."""
import subprocess
import sys
import threading

import numpy
import pytest

import mpt

# Another thread asks for what the context knows while a callback, which needs the interpreter, is inside of it. Who waited with the
# interpreter's lock in hand would wait for ever: hence a process with a time limit.
CALLBACK = """
import threading, time
import numpy, mpt
ctx = mpt.Context(threads=1)
inside = threading.Event()
class Slow(mpt.CustomOp):
    def forward(self, inputs, outputs):
        inside.set()
        time.sleep(0.3)
        outputs[0][...] = inputs[0]
x = mpt.ones(3, ctx=ctx)
slow = threading.Thread(target=lambda: Slow()(x))
slow.start()
assert inside.wait(10)
USE
slow.join(10)
assert not slow.is_alive()
print("over")
"""


@pytest.mark.parametrize("use", ["x.shape", "x.dtype", "x.strides", "memoryview(x)", "x.data_ptr", "x.__dlpack__()", "mpt.from_dlpack(numpy.ones(2), ctx=ctx)",
                                 "mpt.from_buffer(bytearray(4), 'f32', (1,), ctx=ctx)", "x.requires_grad"])
def test_who_waits_for_a_context_lets_its_callback_run(use):
    done = subprocess.run([sys.executable, "-c", CALLBACK.replace("USE", use)], capture_output=True, text=True, timeout=30)
    assert done.stdout == "over\n", done.stderr


def test_threads_share_a_context():
    ctx = mpt.Context(threads=1)
    total = mpt.zeros(8, ctx=ctx)
    failures = []

    def work():
        try:
            for _ in range(200):
                mpt.empty((8,), "f32", ctx=ctx).copy_(mpt.ones(8, ctx=ctx))
                with pytest.raises(mpt.ShapeError):
                    mpt.ones(3, ctx=ctx) + mpt.ones(4, ctx=ctx)
                assert (mpt.ones(8, ctx=ctx) * 3).tolist() == [3] * 8
                assert numpy.asarray(total).shape == (8,)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures and not any(thread.is_alive() for thread in threads)
