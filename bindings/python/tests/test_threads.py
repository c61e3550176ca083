"""Two threads on one context: calls wait for each other without a deadlock; what spans several calls is one thread's."""
import io
import os
import subprocess
import sys
import threading

import pytest

import mpt


def together(*works):
    """Runs each on a thread; what they raised."""
    raised = []

    def guarded(work):
        try:
            work()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    [t.start() for t in threads]
    [t.join() for t in threads]
    return raised


# A callback that lets other threads in while its context is locked, and everything that looks at a tensor meanwhile. It would hang: the
# test ends it from outside.
DEADLOCK = """
import array, faulthandler, io, threading, time
import numpy, mpt
faulthandler.dump_traceback_later(50)
ctx = mpt.Context(threads=1, log=lambda level, text: time.sleep(0.0005), log_level="debug")
with ctx:
    class Slow(mpt.Layer):
        def forward(self, x):
            time.sleep(0.002)
            with mpt.no_grad(), mpt.autocast("bf16"):     # a callback calls mpt itself
                y = x @ x
            return y.cast("f32") + 1
    class Op(mpt.CustomOp):
        def forward(self, inputs, outputs):
            time.sleep(0.002)
            outputs[0][...] = inputs[0] + 1
    slow, op, x = Slow(), Op(), mpt.ones((4, 4))
    class File(io.BytesIO):
        def write(self, data):
            time.sleep(0.001)
            return super().write(data)
    net = mpt.Linear(4, 4)
    state = mpt.State(net=net)
done, seen, ram = threading.Event(), set(), array.array("f", [1] * 16)
def look():
    with ctx:
        while not done.is_set():
            for n, use in enumerate((lambda: x.shape, lambda: x.strides, lambda: x.dtype, lambda: x.ndim, lambda: x.size, lambda: x.data_ptr,
                                     lambda: x.requires_grad, lambda: memoryview(x), lambda: numpy.asarray(x), lambda: numpy.from_dlpack(x),
                                     lambda: mpt.from_dlpack(numpy.ones(3, "f4")), lambda: mpt.from_buffer(ram), Slow, lambda: repr(x), x.tolist,
                                     lambda: mpt.from_address(ram.buffer_info()[0], 16, "f32", owner=ram), lambda: x + 1, x.detach)):
                use()
                seen.add(n)
thread = threading.Thread(target=look)
thread.start()
with ctx:
    for _ in range(100):
        assert slow(x).tolist() == [[5] * 4] * 4
        assert op(x).tolist() == [[2] * 4] * 4
        state.save(File())
done.set()
thread.join()
assert len(seen) == 18, seen
print("well")
"""


def test_no_deadlock_of_the_two_locks():
    pytest.importorskip("numpy")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run([sys.executable, "-X", "faulthandler", "-c", DEADLOCK], env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0 and ended.stdout == "well\n", ended.stderr


def test_calls_of_two_threads_give_what_one_gives(ctx):
    weights = [mpt.uniform((24, 24)) for _ in range(4)]

    def chain(w):
        x = w
        for _ in range(30):
            x = (x @ w).softmax(-1) + w
        return x.tobytes()

    alone, shared = [chain(w) for w in weights], {}
    assert not together(*(lambda n=n, w=w: shared.update({n: chain(w)}) for n, w in enumerate(weights)))
    assert [shared[n] for n in range(4)] == alone


def test_a_block_belongs_to_its_thread(ctx):
    x = mpt.ones(3)
    twice = mpt.capture(lambda t: t * 2, ctx=ctx)
    twice(x)
    uses = (lambda: mpt.autocast("bf16", ctx=ctx).__enter__(), lambda: mpt.no_grad(ctx).__enter__(), lambda: mpt.capture(ctx=ctx).__enter__(),
            lambda: twice(x), lambda: x.write([1.0, 2.0, 3.0]))
    for block in (mpt.autocast("bf16"), mpt.no_grad(), mpt.capture()):
        with pytest.raises(KeyError), block:
            raised = together(*uses)
            assert len(raised) == len(uses) and all(isinstance(e, mpt.StateError) and "another thread's block" in str(e) for e in raised)
            raise KeyError
    # It is free again, for any thread, and the failed ones have left nothing open.
    assert not together(lambda: twice(x)) and not together(lambda: x.write([1.0, 2.0, 3.0]))
    with mpt.autocast("bf16"), mpt.no_grad(), mpt.autocast(None):
        pass
    assert not ctx._blocks and not ctx._depth
    assert (mpt.ones((2, 2)) @ mpt.ones((2, 2))).dtype == mpt.f32


def test_one_block_object_on_many_threads():
    """Decorators are shared by all who call the function."""
    barrier = threading.Barrier(4, timeout=30)

    @mpt.no_grad()
    def look(x):
        barrier.wait()
        result = (x * x).requires_grad
        barrier.wait()
        return result

    seen = []

    def work():
        with mpt.Context(threads=1):
            x = mpt.ones(2)
            x.requires_grad = True
            for _ in range(20):
                seen.append((look(x), (x * x).requires_grad))

    assert not together(*[work] * 4)
    assert seen == [(False, True)] * 80


def test_one_context_entered_on_many_threads(ctx):
    barrier = threading.Barrier(3, timeout=30)

    def work():
        for _ in range(50):
            with ctx:
                barrier.wait()
                assert mpt.current_context() is ctx
            barrier.wait()

    assert not together(*[work] * 3)


def test_the_default_context_is_made_once():
    code = ("import sys, threading, mpt\nsys.setswitchinterval(1e-6)\nfound = []\nbarrier = threading.Barrier(8)\n"
            "def work():\n    barrier.wait()\n    found.append(mpt.current_context())\n"
            "threads = [threading.Thread(target=work) for _ in range(8)]\n[t.start() for t in threads]\n[t.join() for t in threads]\n"
            "assert len(found) == 8 and len({id(c) for c in found}) == 1")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=60)


def test_exceptions_stay_on_their_thread():
    """A callback's exception comes out of the call that failed because of it, whatever fails elsewhere at that time."""
    class Failing(mpt.CustomOp):
        def __init__(self, barrier):
            self.barrier = barrier

        def forward(self, inputs, outputs):
            try:
                raise KeyError("mine")
            finally:
                self.barrier.wait()  # between the exception and its way out the other thread has errors of its own

    class Slow(mpt.Layer):
        def forward(self, x):
            for barrier in barriers:
                barrier.wait()
            raise IndexError("theirs")

    barriers = [threading.Barrier(2, timeout=30) for _ in range(20)]

    def ops():
        with mpt.Context(threads=1):
            x = mpt.ones(1)
            for barrier in barriers:
                with pytest.raises(KeyError, match="mine"):
                    Failing(barrier)(x)

    def layers():
        with mpt.Context(threads=1):
            layer = Slow()
            with pytest.raises(IndexError, match="theirs"):
                layer(mpt.ones(1))

    def errors():
        with mpt.Context(threads=1):
            x = mpt.ones((2, 3))
            for _ in range(3000):
                with pytest.raises(mpt.ShapeError):
                    mpt.matmul(x, x)

    assert not together(ops, layers, errors, errors)


def test_training_by_turns(ctx):
    """With a lock of one's own a model is trained by many threads, as one would have."""
    def run(threads):
        with mpt.Context(threads=1, seed=5):
            net = mpt.Linear(4, 2)
            optimizer = mpt.SGD(net, lr=0.1)
            x, y = mpt.uniform((8, 4)), mpt.tensor([0, 1] * 4)
            step = mpt.capture(lambda x, y: losses(net, optimizer, x, y))
            lock, context = threading.Lock(), mpt.current_context()

            def work():
                with context:
                    for _ in range(40 // threads):
                        with lock:
                            step(x, y)

            assert not together(*[work] * threads)
            file = io.BytesIO()
            mpt.State(net=net).save(file)
            return file.getvalue()

    def losses(net, optimizer, x, y):
        with mpt.autocast("bf16"):
            loss = mpt.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        return loss

    assert run(4) == run(1)
