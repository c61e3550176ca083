import array
import threading

import pytest

import mpt
from mpt._support import NUMPY_NAMES

numpy = pytest.importorskip("numpy")


def test_made_from_lists_and_buffers():
    x = mpt.tensor([[1, 2.5], [3, 4]])
    assert x.shape == (2, 2) and x.dtype == mpt.f32 and x.tolist() == [[1, 2.5], [3, 4]]
    assert mpt.tensor([1, 2]).dtype == mpt.i64 and mpt.tensor([True]).dtype == mpt.DType.bool and mpt.tensor(3.0).item() == 3
    assert mpt.tensor(array.array("d", [1, 2])).dtype == mpt.f64
    assert mpt.tensor([1.5], "bf16").tolist() == [1.5]
    with pytest.raises(mpt.ShapeError):
        mpt.tensor([[1], [1, 2]])
    assert mpt.empty((2, 0)).tolist() == [[], []] and mpt.zeros((0, 3)).tolist() == []
    assert mpt.arange(3).tolist() == [0, 1, 2]


@pytest.mark.parametrize("dtype", ["f64", "f32", "f16", "i8", "i16", "i32", "i64", "u8", "bool"])
def test_buffer_and_numpy(dtype):
    given = numpy.array([[0, 1, 1], [1, 0, 1]]).astype(NUMPY_NAMES[mpt.DType[dtype]])
    x = mpt.tensor(given)
    assert x.dtype.name == dtype
    view = memoryview(x)
    assert view.readonly and view.shape == (2, 3) and view.tobytes() == given.tobytes()
    assert (numpy.asarray(x) == given).all() and numpy.asarray(x).ctypes.data == x.data_ptr
    assert (numpy.from_dlpack(x) == given).all()
    assert numpy.asarray(x.transpose()).tolist() == given.T.tolist()
    with pytest.raises(BufferError):
        x.__dlpack__(dl_device=(2, 0))


def test_low_precision_through_ml_dtypes():
    ml = pytest.importorskip("ml_dtypes")
    for name, kind in (("bf16", ml.bfloat16), ("f8e4m3", ml.float8_e4m3fn), ("f8e5m2", ml.float8_e5m2)):
        x = mpt.tensor([0.5, 2, -4], name)
        assert x.numpy().dtype == kind and x.numpy().astype("f4").tolist() == [0.5, 2, -4]
        assert mpt.tensor(x.numpy()).dtype.name == name
        with pytest.raises(BufferError, match="ml_dtypes"):
            memoryview(x)


def test_shared_memory():
    a = numpy.arange(6, dtype="f4").reshape(2, 3)
    x = mpt.from_dlpack(a)
    x.fill_(7)
    assert a.tolist() == [[7] * 3] * 2
    y = mpt.from_buffer(a)
    a[0, 0] = 1
    assert y[0, 0].item() == 1
    with x.writable() as w:
        w[1] = 5
    assert x.tolist() == [[1, 7, 7], [5, 5, 5]]
    z = mpt.from_address(a.ctypes.data, (3, 2), "f32", strides=(1, 3), owner=a)
    assert z.tolist() == a.T.tolist()
    a.flags.writeable = False
    with pytest.raises((mpt.ArgumentError, BufferError)):  # of mpt, or of a NumPy that gives none out
        mpt.from_dlpack(a)
    with pytest.raises((BufferError, ValueError)):
        mpt.from_buffer(a)
    with pytest.raises(mpt.DTypeError, match="type code 5"):
        mpt.from_dlpack(numpy.zeros(2, "c8"))
    capsule = y.__dlpack__(max_version=(1, 1))
    assert mpt.from_dlpack(capsule).data_ptr == a.ctypes.data
    with pytest.raises(BufferError, match="used"):
        mpt.from_dlpack(capsule)


def test_memory_outlives_its_tensor(ctx):
    x = mpt.tensor([1.0, 2.0])
    view, array_, shared = memoryview(x), x.numpy(), numpy.from_dlpack(x)
    x.close()
    ctx.close()
    del x
    assert view.tolist() == array_.tolist() == shared.tolist() == [1, 2]


def test_operators():
    a, b = mpt.tensor([[1.0, 2.0], [3.0, 4.0]]), mpt.tensor([10.0, 20.0])
    n, m = a.numpy().copy(), b.numpy().copy()
    for x, y in ((a + b, n + m), (a - 1, n - 1), (1 - a, 1 - n), (a * b, n * m), (2 * a, 2 * n), (a / b, n / m), (2 / a, 2 / n), (a @ a, n @ n),
                 (a ** 2, n ** 2), (2 ** a, 2.0 ** n), (a // 2, n // 2), (a % 2, n % 2), (-a, -n), (abs(-a), n), (a.T, n.T), (a > 2, n > 2), (a == a, n == n),
                 (a != 2, n != 2), (~(a > 2), ~(n > 2)), ((a > 1) & (a < 4), (n > 1) & (n < 4)), (a[1], n[1]), (a[:, 1:], n[:, 1:]), (a[-1, 0], n[-1, 0]),
                 (a[..., None], n[..., None]), (a + m, n + m), (m + a, m + n)):
        assert numpy.allclose(x.numpy(), y)
    i = mpt.tensor([1, 2, 3])
    assert (i + 1).tolist() == [2, 3, 4] and (i + 1).dtype == mpt.i64 and (5 - i).tolist() == [4, 3, 2]
    assert i[mpt.tensor([2, 0])].tolist() == [3, 1]
    a[0] = 9
    assert a.tolist() == [[9, 9], [3, 4]] and [r.tolist() for r in a] == a.tolist()
    with pytest.raises(IndexError):
        a[2]
    values, indices = a.sort(1)
    assert indices.dtype == mpt.i64 and len(a.split([1, 1])) == 2 and mpt.concat([a, a]).shape == (4, 2)
    assert a.pad([(1, 0), (0, 2)]).shape == (3, 4)
    assert mpt.where(a > 5, a, 0).tolist() == [[9, 9], [0, 0]]


def test_gradients():
    x = mpt.tensor([1.0, 2.0], requires_grad=True)
    (x * x).sum().backward()
    assert x.grad.tolist() == [2, 4]
    loss = (x * x).sum()
    mpt.backward(loss, mode="add")
    assert x.grad.tolist() == [4, 8]
    with pytest.raises(mpt.StaleError):
        loss.backward()
    with mpt.no_grad():
        assert not (x * x).requires_grad
    y = x * 3
    mpt.backward_from([y], [mpt.tensor([1.0, 10.0])])
    assert x.grad.tolist() == [3, 30]


def test_errors_carry_the_message():
    with pytest.raises(mpt.ShapeError, match="mpt_matmul.*'b'") as caught:
        mpt.ones((2, 3)) @ mpt.ones((2, 3))
    assert caught.value.status == mpt.Status.SHAPE and isinstance(caught.value, ValueError) and mpt.last_error() == caught.value.message
    with pytest.raises(mpt.DTypeError):
        mpt.tensor([1]).exp()
    with pytest.raises(TypeError, match="argument 1 must be a tensor, not int"):
        mpt._core.mpt_relu(3)
    with pytest.raises(mpt.ArgumentError, match="NULL"):
        mpt._core.mpt_relu(None)
    with pytest.raises(mpt.ContextError), mpt.Context(threads=1):
        mpt.add(mpt.tensor(1.0), mpt.tensor(1.0, ctx=mpt.Context(threads=1)))
    with pytest.raises(ValueError, match="none of"):
        mpt.mse(mpt.ones(1), mpt.ones(1), "median")
    if mpt.Context("auto").device != mpt.Device.CUDA:
        with pytest.raises(mpt.DeviceError):
            mpt.Context("cuda")


def test_closed_is_an_error(ctx):
    x = mpt.ones(3)
    x.close()
    x.close()
    assert x.closed and "closed" in repr(x)
    for use in (lambda: x + 1, lambda: x.shape, lambda: memoryview(x), lambda: x.numpy(), lambda: mpt.concat([x, x]), lambda: x.__dlpack__()):
        with pytest.raises((mpt.StateError, BufferError), match="closed"):
            use()
    y = mpt.ones(3)
    ctx.close()
    assert (y + y).tolist() == [2, 2, 2]
    with pytest.raises(mpt.StateError, match="closed"):
        mpt.ones(3)


def test_lock_is_released():
    """Another thread computes while a long call runs."""
    a = mpt.uniform((1500, 1500))
    done = threading.Event()
    seen = []

    def count():
        n = 0
        while not done.is_set():
            n += 1
        seen.append(n)

    thread = threading.Thread(target=count)
    thread.start()
    for _ in range(3):
        a @ a
    done.set()
    thread.join()
    assert seen[0] > 1000


def test_threads_with_contexts_of_their_own():
    results = []

    def work(seed):
        with mpt.Context(threads=1, seed=seed):
            x = mpt.uniform((64, 64))
            for _ in range(50):
                x = (x @ x).softmax(-1)
            results.append(x.sum().item())

    threads = [threading.Thread(target=work, args=(7,)) for _ in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert len(set(results)) == 1 and len(results) == 4
