import gc
import io
import weakref

import pytest

import mpt


def data():
    return mpt.uniform((32, 4), -1, 1), mpt.tensor([i % 3 for i in range(32)])


def model():
    return mpt.Sequential(mpt.Linear(4, 16), mpt.ReLU(), out=mpt.Linear(16, 3))


class Model(mpt.Layer):
    def __init__(self):
        super().__init__()
        self.hidden = mpt.Linear(4, 8)
        self.out = mpt.Linear(8, 3)
        self.add_parameter("gain", mpt.ones(3))
        self.add_buffer("calls", mpt.zeros(1))

    def forward(self, x):
        if self.training:
            self.calls.copy_(self.calls + 1)
        return self.out(self.hidden(x).relu()) * self.gain


@pytest.mark.parametrize("make", [mpt.SGD, mpt.Adam, mpt.AdamW, mpt.Adagrad, mpt.Adadelta, mpt.RMSprop, mpt.LAMB])
def test_optimizers_lower_the_loss(make):
    x, y = data()
    net = model()
    optimizer = make(net, lr=1.0 if make is mpt.Adadelta else 0.01)
    losses = []
    for _ in range(30):
        loss = mpt.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] and optimizer.counts == (30, 0)


@pytest.mark.parametrize("precision", ["f32", "f16", "bf16", "fp8"])
def test_captured_is_eager(precision):
    def run(captured):
        with mpt.Context(threads=1, seed=3):
            x, y = data()
            net = Model()
            optimizer, scaler, policy = mpt.Adam(net), mpt.Scaler(), mpt.Policy(precision)

            def step(x, y):
                with mpt.autocast(policy):
                    loss = mpt.cross_entropy(net(x), y)
                loss.backward(scaler)
                optimizer.step(scaler)
                scaler.update()
                return {"loss": loss}

            if captured:
                step = mpt.capture(step)
            for _ in range(10):
                loss = step(x, y)["loss"].item()
            return loss, [p.tobytes() for p in net.parameters()], net.calls.item()

    assert run(True) == run(False)


def test_capture_in_a_with_statement():
    x = mpt.ones(3)
    with mpt.capture() as program:
        program.outputs = x * 2
    assert program.run().tolist() == [2, 2, 2]
    program.feed(x, [1.0, 2.0, 3.0])
    assert program().tolist() == [2, 4, 6]
    assert "affine" in program.dump() and program.memory.outputs > 0


def test_exceptions_in_a_capture():
    with pytest.raises(ZeroDivisionError):
        with mpt.capture():
            mpt.ones(3) * 2
            1 / 0
    with pytest.raises(mpt.ShapeError):
        with mpt.capture():
            mpt.ones(3) @ mpt.ones(2)

    class Failing(mpt.Layer):
        def forward(self, x):
            raise KeyError("mine")

    failing = Failing()
    for _ in range(3):
        with pytest.raises(KeyError, match="mine"):
            with mpt.capture() as program:
                program.outputs = failing(mpt.ones(1))
    with pytest.raises(TypeError, match="no int"):
        with mpt.capture() as program:
            program.outputs = 3
    with mpt.capture() as program:
        program.outputs = mpt.ones(3) + 1
    assert program.run().tolist() == [2, 2, 2]


def test_captured_function_forms():
    calls = []

    @mpt.capture
    def double(x, factor=2):
        calls.append(factor)
        return x * factor, None

    assert double(mpt.ones(2))[0].tolist() == [2, 2]
    assert double(mpt.full(2, 3.0))[0].tolist() == [6, 6]
    assert double(mpt.ones(3))[0].tolist() == [2, 2, 2]
    assert double(mpt.ones(2), factor=5)[0].tolist() == [5, 5]
    assert calls == [2, 2, 5]


def test_models_as_classes():
    net = Model()
    assert [name for name, _ in net.named_parameters()] == ["gain", "hidden.weight", "hidden.bias", "out.weight", "out.bias"]
    assert [name for name, _ in net.named_buffers()] == ["calls"] and net.parameter("out.bias").shape == (3,)
    with pytest.raises(mpt.NotFoundError, match="hidden.weight"):
        net.parameter("nothing")
    x, _ = data()
    net(x)
    net.eval()
    assert not net.hidden.training
    net(x)
    assert net.calls.item() == 1
    net.freeze()
    assert not net.out.parameters()[0].requires_grad
    with pytest.raises(ValueError, match="returned 1 tensors"):
        net(x, outputs=2)
    with pytest.raises(AttributeError, match="super"):
        class Early(mpt.Layer):
            def __init__(self):
                self.a = mpt.ReLU()
        Early()


def test_a_model_goes_with_its_last_reference():
    net = Model()
    gone = weakref.ref(net)
    del net
    gc.collect()
    assert gone() is None
    inner = Model()
    outer = mpt.Sequential(inner)
    del inner
    gc.collect()
    assert outer(mpt.ones((1, 4))).shape == (1, 3)


def test_layers_run():
    x, image, line = mpt.uniform((2, 5, 8)), mpt.uniform((2, 4, 6, 6)), mpt.uniform((2, 4, 7))
    for layer in (mpt.LSTM(8, 3, batch_first=True), mpt.GRU(8, 3, layers=2, batch_first=True, bidirectional=True), mpt.RNN(8, 3), mpt.MultiHeadAttention(8, 2),
                  mpt.LayerNorm(8), mpt.RMSNorm(8), mpt.Dropout(0.2), mpt.GELU(), mpt.SiLU(), mpt.ELU(), mpt.Tanh(), mpt.Sigmoid(), mpt.Softplus(),
                  mpt.LeakyReLU(), mpt.Activation("relu"), mpt.Softmax(), mpt.Residual(mpt.Linear(8, 8)), mpt.Flatten(),
                  mpt.Parallel(mpt.Linear(8, 2), mpt.Linear(8, 2), join="concat", dim=2)):
        layer(x)
    for layer in (mpt.Conv2d(4, 2), mpt.Conv2d(4, 8, (3, 1), padding=(1, 0), groups=2), mpt.ConvTranspose2d(4, 2, 2, stride=2), mpt.BatchNorm(4), mpt.GroupNorm(2, 4), mpt.InstanceNorm(4),
                  mpt.MaxPool2d(), mpt.AvgPool2d(3, exclude_padding=True), mpt.AdaptiveAvgPool2d(2, 2), mpt.AdaptiveMaxPool2d(2, 2), mpt.Upsample2d(2, 2)):
        layer(image)
    for layer in (mpt.Conv1d(4, 2), mpt.ConvTranspose1d(4, 2), mpt.MaxPool1d(2), mpt.AvgPool1d(2)):
        layer(line)
    y, h, c = mpt.LSTM(8, 3, batch_first=True)(x, outputs=3)
    assert y.shape == (2, 5, 3) and h.shape == c.shape == (1, 2, 3)
    a, b = mpt.Parallel(mpt.Linear(8, 2), mpt.Linear(8, 3), join="list")(x)
    assert a.shape[-1] == 2 and b.shape[-1] == 3
    assert mpt.Embedding(5, 3)(mpt.tensor([1, 2])).shape == (2, 3)
    assert mpt.conv2d(image, mpt.ones((1, 4, 3, 3)), padding=1).shape == (2, 1, 6, 6)
    assert mpt.attention(image, image, image, causal=True).shape == image.shape


def test_policies(ctx):
    policy = mpt.Policy("bf16").set_layer("*out", "f32").set_op("matmul", "f32").set_role("weight_gradient", "f32")
    assert "out" in policy.describe()
    x = mpt.ones((2, 2))
    layer = mpt.Linear(2, 2)
    with mpt.autocast(policy):
        assert layer(x).dtype == mpt.bf16
        with mpt.autocast(None):
            assert layer(x).dtype == mpt.f32
    assert layer(x).dtype == mpt.f32
    with pytest.raises(ZeroDivisionError), mpt.autocast("f16"):
        1 / 0
    assert layer(x).dtype == mpt.f32
    with pytest.raises(mpt.DTypeError):
        mpt.Policy("i32")


def test_scaler_order():
    net, scaler = model(), mpt.Scaler(initial_scale=4.0)
    optimizer = mpt.SGD(net)
    with pytest.raises(mpt.ScalerOrderError) as caught:
        scaler.update()
    assert caught.value.status == mpt.Status.UPDATE_WITHOUT_STEP
    x, y = data()
    mpt.cross_entropy(net(x), y).backward(scaler)
    optimizer.unscale(scaler)
    with pytest.raises(mpt.ScalerOrderError):
        optimizer.unscale(scaler)
    optimizer.step(scaler)
    scaler.update()
    assert scaler.scale == 4 and scaler.counts.good == 1 and optimizer.grad_norm > 0


def test_groups_schedules_averages():
    net = model()
    optimizer = mpt.AdamW(lr=0.1)
    weights = [p for n, p in net.named_parameters() if n.endswith("weight")]
    optimizer.add_group("weights", weights, lr_scale=0.5)
    optimizer.add_group("biases", [p for n, p in net.named_parameters() if n.endswith("bias")], weight_decay_scale=0)
    optimizer.schedule("cosine", warmup_steps=2, total_steps=10)
    optimizer.clip_norm(1.0)
    optimizer.clip_value(0.5)
    average = mpt.Average(optimizer, 0.5)
    x, y = data()
    for _ in range(2):
        mpt.cross_entropy(net(x), y).backward()
        optimizer.step()
        average.update()
    before = weights[0].tolist()
    with average.swapped():
        assert weights[0].tolist() != before
    assert weights[0].tolist() == before
    assert optimizer.lr == pytest.approx(0.1)
    optimizer.lr = 0.01
    optimizer.zero_grad()
    assert weights[0].grad.abs().sum().item() == 0


def test_states(tmp_path):
    def everything():
        net = model()
        optimizer = mpt.Adam(net)
        return net, optimizer, mpt.State({"extra.numbers": mpt.ones(3)}, model=net, optimizer=optimizer, scaler=mpt.Scaler(), average=mpt.Average(optimizer, 0.9),
                                         fp8=mpt.Fp8(mpt.Policy("fp8").set_fp8("delayed"), net), random=mpt.Random(), epoch=0)

    net, optimizer, state = everything()
    x, y = data()
    mpt.cross_entropy(net(x), y).backward()
    optimizer.step()
    state["epoch"] = 5
    state.save(tmp_path / "a.safetensors")
    memory = io.BytesIO()
    state.save(memory)
    assert memory.getvalue() == (tmp_path / "a.safetensors").read_bytes()
    other, _, loaded = everything()
    assert other.parameters()[0].tolist() != net.parameters()[0].tolist()
    loaded.load(tmp_path / "a.safetensors")
    assert loaded["epoch"] == 5 and other.parameters()[0].tolist() == net.parameters()[0].tolist()
    loaded["epoch"] = 0
    memory.seek(0)
    loaded.load(memory)
    assert dict(loaded)["epoch"] == 5 and loaded["model"] is other and "scaler" in loaded and len(loaded) == 8
    with pytest.raises(KeyError):
        loaded["model"] = net
    with pytest.raises(TypeError):
        del loaded["epoch"]
    with pytest.raises(mpt.FileError):
        loaded.load(tmp_path / "none")
    with pytest.raises(ZeroDivisionError):
        class Broken:
            def write(self, data):
                1 / 0
        state.save(Broken())
    with pytest.raises(mpt.FileError):
        loaded.load(io.BytesIO(memory.getvalue()[:100]))


class Cube(mpt.CustomOp):
    def forward(self, inputs, outputs):
        outputs[0][...] = inputs[0] ** 3

    def backward(self, inputs, outputs, gradients, input_gradients):
        input_gradients[0][...] = 3 * inputs[0] ** 2 * gradients[0]


@pytest.mark.parametrize("captured", [False, True])
def test_custom_ops(captured):
    pytest.importorskip("numpy")
    x = mpt.tensor([1.0, 2.0], requires_grad=True)

    def rule():
        y = Cube()(x)
        y.sum().backward()
        return y

    assert (mpt.capture(rule) if captured else rule)().tolist() == [1, 8]
    assert x.grad.tolist() == [3, 12]

    class Failing(mpt.CustomOp):
        def forward(self, inputs, outputs):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        (mpt.capture(Failing()) if captured else Failing())(x)


def test_logs():
    lines = []
    with mpt.Context(threads=1, log=lambda level, text: lines.append((level, text)), log_level="debug") as ctx:
        layer = mpt.Linear(2, 2)
        with mpt.capture() as program:
            program.outputs = layer(mpt.ones((1, 2)))
        program.run()
        assert ctx.memory.in_use > 0
        ctx.synchronize()
        ctx.trim()
        ctx.seed(4)
        ctx.set_option("onednn", "off")
        assert ctx.stream is None and ctx.threads == 1 and ctx.device == mpt.Device.CPU
        with pytest.raises(mpt.NotFoundError):
            ctx.set_option("nothing", "on")
        assert "nothing" in ctx.last_error
