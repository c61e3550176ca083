"""Any order of closing, many times: an error in Python at most, and no memory is lost."""
import gc
import itertools
import os
import random
import resource
import subprocess
import sys
import threading

import pytest

import mpt

CYCLES = int(os.environ.get("MPT_CYCLES", "100000"))


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def steady(work, cycles):
    for _ in range(cycles // 10):
        work()
    gc.collect()
    before = resident()
    for _ in range(cycles):
        work()
    gc.collect()
    assert resident() - before < 4 << 20


def test_tensors_come_and_go():
    x = mpt.ones(16)
    steady(lambda: (x + 1).close(), CYCLES)
    steady(lambda: mpt.tensor([1.0, 2.0]), CYCLES // 5)


def test_shared_memory_comes_and_goes():
    numpy = pytest.importorskip("numpy")
    a = numpy.ones(16, "f4")

    def work():
        x = mpt.from_dlpack(a)
        numpy.from_dlpack(x)
        memoryview(x)
        x.numpy()
        mpt.from_buffer(a)
        x.__dlpack__()
        x.__dlpack__(max_version=(1, 0))

    steady(work, CYCLES // 10)
    assert sys.getrefcount(a) == 2


def test_errors_come_and_go():
    x, y = mpt.ones((2, 3)), mpt.ones((2, 3))

    def work():
        with pytest.raises(mpt.Error):
            mpt._core.mpt_matmul(x, y)
        with pytest.raises(TypeError):
            mpt._core.mpt_concat([x, 3], 0)

    steady(work, CYCLES // 20)


def test_models_and_contexts_come_and_go():
    class Net(mpt.Layer):
        def __init__(self):
            super().__init__()
            self.a = mpt.Linear(2, 2)

        def forward(self, x):
            return self.a(x)

    def work():
        with mpt.Context(threads=1):
            net = Net()
            optimizer = mpt.Adam(net)
            with mpt.capture() as program:
                loss = net(mpt.ones((1, 2))).sum()
                loss.backward()
                optimizer.step()
                program.outputs = loss
            program.run()

    steady(work, CYCLES // 500)


def test_any_order_of_closing():
    def things():
        ctx = mpt.Context(threads=1)
        with ctx:
            net = mpt.Sequential(mpt.Linear(2, 2), mpt.Dropout(0.1))
            x = mpt.ones((1, 2))
            optimizer, scaler, policy = mpt.Adam(net), mpt.Scaler(), mpt.Policy("bf16")
            with mpt.capture() as program:
                with mpt.autocast(policy):
                    loss = net(x).sum()
                loss.backward(scaler)
                optimizer.step(scaler)
                scaler.update()
                program.outputs = loss
            average = mpt.Average(optimizer, 0.5)
            state = mpt.State(model=net, optimizer=optimizer, scaler=scaler)
        return [ctx, net, x, optimizer, scaler, policy, program, average, state]

    def use(t):
        ctx, net, x, optimizer, scaler, policy, program, average, state = t
        for call in (program.run, lambda: net(x), lambda: optimizer.step(scaler), scaler.update, average.update, lambda: state.save("/dev/null"),
                     policy.describe, lambda: mpt.ones(1, ctx=ctx), lambda: program.outputs.item(), lambda: x.grad):
            try:
                call()
            except mpt.Error:
                pass

    generator = random.Random(1)
    for _ in range(60):
        made = things()
        for thing in generator.sample(made, len(made)):
            thing.close()
            use(made)
            thing.close()


def test_closing_on_another_thread_while_in_use():
    for _ in range(20):
        x = mpt.uniform((400, 400))
        thread = threading.Thread(target=x.close)
        thread.start()
        try:
            for _ in range(3):
                x @ x
        except mpt.StateError:
            pass
        thread.join()


def test_context_closed_inside_its_statements():
    for ways in itertools.product((0, 1), repeat=3):
        ctx = mpt.Context(threads=1)
        try:
            with ctx, mpt.autocast("bf16"), mpt.no_grad():
                if ways[0]:
                    with mpt.capture():
                        mpt.ones(1)
                        if ways[1]:
                            ctx.close()
                if ways[2]:
                    ctx.close()
        except mpt.Error:
            pass


@pytest.mark.parametrize("code", [
    "x = mpt.ones(3)", "c = mpt.capture().__enter__(); x = mpt.ones(3)", "import numpy; x = mpt.from_dlpack(numpy.ones(3)); y = x.numpy()",
    "mpt.x = mpt.Context(log=print, log_level='debug'); mpt.y = mpt.ones(2, ctx=mpt.x)", "import threading; threading.Thread(target=lambda: mpt.ones(3) @ mpt.ones(3)).start()",
    "net = mpt.Sequential(mpt.Linear(1, 1)); net.me = net._me = net"])
def test_the_end_of_the_process(code):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run([sys.executable, "-X", "faulthandler", "-c", "import mpt\n" + code], env=environment, capture_output=True, text=True, timeout=100)
    assert ended.returncode in (0, 1) and "Fatal" not in ended.stderr, ended.stderr
