"""Where objects end: on another thread, after their context, twice."""
import threading

import numpy
import pytest

import mpt


def test_a_context_closed_first_leaves_its_tensors_usable():
    ctx = mpt.Context(threads=1)
    x = mpt.ones(3, ctx=ctx)
    ctx.close()
    ctx.close()
    assert x.shape == (3,) and numpy.asarray(x.cast("f32")).tolist() == [1, 1, 1]
    with pytest.raises(mpt.StateError):
        mpt.ones(3, ctx=ctx)


def test_the_last_reference_may_go_on_another_thread():
    ctx = mpt.Context(threads=1)
    before = ctx.memory.in_use
    kept = [mpt.ones(1000, ctx=ctx) for _ in range(50)]
    thread = threading.Thread(target=kept.clear)
    thread.start()
    for _ in range(200):
        mpt.ones(8, ctx=ctx)
    thread.join(30)
    assert not thread.is_alive() and ctx.memory.in_use == before
