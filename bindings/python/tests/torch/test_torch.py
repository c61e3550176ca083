"""PyTorch: a convolutional network's weights through safetensors and back, and memory shared without a copy."""
import gc

import pytest

import mpt

numpy = pytest.importorskip("numpy")
torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors.torch")


def torch_net():
    torch.manual_seed(1)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.BatchNorm2d(8), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
        torch.nn.Conv2d(8, 12, 3, stride=2, groups=2, bias=False), torch.nn.BatchNorm2d(12, eps=1e-3), torch.nn.ReLU(),
        torch.nn.Flatten(), torch.nn.Linear(12 * 9, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10))


def mpt_net():
    return mpt.Sequential(
        mpt.Conv2d(3, 8, 3, padding=1), mpt.BatchNorm(8), mpt.ReLU(), mpt.MaxPool2d(2),
        mpt.Conv2d(8, 12, 3, stride=2, groups=2, bias=False), mpt.BatchNorm(12, eps=1e-3), mpt.ReLU(),
        mpt.Flatten(), mpt.Linear(12 * 9, 32), mpt.ReLU(), mpt.Linear(32, 10))


def images(n=16):
    return torch.randn(n, 3, 16, 16, generator=torch.Generator().manual_seed(2)), torch.arange(n) % 10


def outputs_agree(net, model):
    """Both against PyTorch in f64: mpt in f32 is no farther from it than a few roundings of f32."""
    x, _ = images()
    model.eval()
    net.eval()
    with torch.no_grad():
        theirs = model(x)
        model.double()
        exact = model(x.double())
        model.float()
    ours = torch.from_dlpack(net(mpt.from_dlpack(x)).detach())
    scale, eps = exact.abs().max().item(), 2.0 ** -24
    assert (theirs - exact).abs().max().item() < 16 * eps * scale
    return (ours - exact).abs().max().item() < 16 * eps * scale


def test_weights_from_torch_and_back(tmp_path):
    model, (x, y) = torch_net(), images()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    for _ in range(5):  # so that the running statistics are those of something
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    safetensors.save_file(model.state_dict(), str(tmp_path / "torch.safetensors"))

    net = mpt_net()
    assert not outputs_agree(net, model)
    mpt.State({"": net}).load(tmp_path / "torch.safetensors")
    assert outputs_agree(net, model)

    net.train()
    adam = mpt.Adam(net, lr=0.01)
    for _ in range(5):
        mpt.cross_entropy(net(mpt.from_dlpack(x)), mpt.from_dlpack(y)).backward()
        adam.step()
    assert not outputs_agree(net, model)
    mpt.State({"": net}).save(tmp_path / "mpt.safetensors")
    missing, unexpected = model.load_state_dict(safetensors.load_file(str(tmp_path / "mpt.safetensors")), strict=False)
    assert not unexpected and all(name.endswith("num_batches_tracked") for name in missing)
    assert outputs_agree(net, model)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16", "int8", "int16", "int32", "int64", "uint8"])
def test_memory_is_shared_both_ways(dtype):
    t = torch.arange(6).reshape(2, 3).to(getattr(torch, dtype))
    x = mpt.from_dlpack(t)
    assert x.data_ptr == t.data_ptr() and x.shape == (2, 3) and str(t.dtype) == f"torch.{mpt._support.NUMPY_NAMES[x.dtype]}"
    t[0, 0] = 5
    assert x[0, 0].item() == 5
    x.fill_(3)
    assert t.tolist() == [[3] * 3] * 2
    back = torch.from_dlpack(x)
    assert back.data_ptr() == t.data_ptr() and back.dtype == t.dtype
    turned = torch.from_dlpack(x.transpose())
    assert turned.shape == (3, 2) and turned.stride() == (1, 3) and turned.data_ptr() == t.data_ptr()
    assert mpt.from_dlpack(t.t()).strides == (1, 3)


def test_memory_outlives_both_owners():
    t = torch.full((1000,), 7.0)
    x = mpt.from_dlpack(t)
    address = t.data_ptr()
    del t
    gc.collect()
    torch.zeros(1000)
    assert x.data_ptr == address and x.sum().item() == 7000
    back = torch.from_dlpack(x)
    x.close()
    del x
    gc.collect()
    torch.zeros(1000)
    assert back.sum().item() == 7000 and back.data_ptr() == address


def test_three_libraries_on_one_memory():
    a = numpy.arange(4, dtype="f4")
    x = mpt.from_dlpack(a)
    t = torch.from_dlpack(x)
    t += 1
    assert a.tolist() == x.tolist() == [1, 2, 3, 4]
    assert numpy.from_dlpack(x).ctypes.data == numpy.asarray(x).ctypes.data == a.ctypes.data == t.data_ptr()


def test_a_gradient_is_shared():
    """PyTorch's optimizer trains mpt's parameters."""
    net = mpt_net()
    parameters = [torch.nn.Parameter(torch.from_dlpack(p.detach())) for p in net.parameters()]
    optimizer = torch.optim.SGD(parameters, lr=0.2)
    x, y = (mpt.from_dlpack(t) for t in images())
    losses = []
    for _ in range(10):
        loss = mpt.cross_entropy(net(x), y)
        loss.backward()
        for ours, theirs in zip(net.parameters(), parameters):
            theirs.grad = torch.from_dlpack(ours.grad)
            assert theirs.grad.data_ptr() == ours.grad.data_ptr
        optimizer.step()
        for ours in net.parameters():
            ours.mark_modified()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0], losses
