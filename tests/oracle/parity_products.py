"""Records of products, convolutions, pools, norms, attention, cells and losses."""

import torch
import torch.nn.functional as fn

from parity_book import C, F, I, L


def products(book):
    for a, b, form in (((3, 4), (4, 2), "plain"), ((2, 3, 4), (2, 4, 2), "batched"), ((2, 1, 3, 4), (3, 4, 2), "broadcast")):
        book.op("mpt_matmul", form, {"a": F(*a), "b": F(*b)}, torch.matmul)
    book.op("mpt_linear", "bias", {"x": F(2, 3, 4), "weight": F(2, 4), "bias": F(2)}, fn.linear)
    book.op("mpt_linear", "no_bias", {"x": F(3, 4), "weight": F(5, 4), "bias": None}, fn.linear)


def convolutions(book):
    two = {  # x, weight, transposed's weight, settings
        "plain": ((2, 2, 4, 5), (3, 2, 3, 3), (2, 3, 3, 3), {}),
        "stride_padding": ((1, 2, 5, 6), (2, 2, 3, 2), (2, 2, 3, 2), {"stride": [2, 3], "padding": [1, 1]}),
        "dilation_groups": ((2, 4, 5, 5), (4, 2, 2, 2), (4, 1, 2, 2), {"dilation": [2, 1], "groups": 2}),
        "depthwise": ((1, 3, 4, 4), (3, 1, 3, 3), (3, 1, 3, 3), {"groups": 3, "padding": [1, 1]}),
        "pointwise": ((2, 3, 3, 3), (2, 3, 1, 1), (3, 2, 1, 1), {}),
    }
    for form, (x, weight, back, settings) in two.items():
        book.op("mpt_conv2d", form, {"x": F(*x), "weight": F(*weight), "bias": F(weight[0])}, lambda *t: fn.conv2d(*t, **settings), **settings)
        outputs = back[1] * settings.get("groups", 1)
        book.op("mpt_conv_transpose2d", form, {"x": F(*x), "weight": F(*back), "bias": F(outputs)},
                lambda *t: fn.conv_transpose2d(*t, **settings), **settings)
    book.op("mpt_conv2d", "no_bias", {"x": F(1, 2, 4, 4), "weight": F(2, 2, 2, 2), "bias": None}, fn.conv2d)
    settings = {"stride": [2, 3], "padding": [1, 0], "output_padding": [1, 2]}
    book.op("mpt_conv_transpose2d", "output_padding", {"x": F(1, 2, 3, 2), "weight": F(2, 2, 3, 2), "bias": None},
            lambda x, w, _: fn.conv_transpose2d(x, w, **settings), **settings)
    one = {
        "plain": ((2, 2, 7), (3, 2, 3), (2, 3, 3), {}),
        "all": ((2, 4, 9), (2, 2, 3), (4, 2, 3), {"stride": 2, "padding": 1, "dilation": 2, "groups": 2}),
    }
    for form, (x, weight, back, settings) in one.items():
        book.op("mpt_conv1d", form, {"x": F(*x), "weight": F(*weight), "bias": F(weight[0])}, lambda *t: fn.conv1d(*t, **settings), **settings)
        more = settings | ({"output_padding": 1} if form == "all" else {})
        book.op("mpt_conv_transpose1d", form, {"x": F(*x), "weight": F(*back), "bias": F(back[1] * settings.get("groups", 1))},
                lambda *t: fn.conv_transpose1d(*t, **more), **more)


def pools(book):
    image = lambda *shape: {"x": F(*shape, low=-4, high=4, distinct=True)}
    forms = {
        "plain": {"kernel": [2, 2]},
        "overlap": {"kernel": [3, 2], "stride": [2, 1]},
        "padding": {"kernel": [3, 3], "stride": [2, 2], "padding": [1, 1]},
    }
    for form, settings in forms.items():
        run = {"kernel_size": settings["kernel"], "stride": settings.get("stride"), "padding": settings.get("padding", 0)}
        book.op("mpt_max_pool2d", form, image(2, 2, 5, 6), lambda x: fn.max_pool2d(x, **run), **settings)
        book.op("mpt_avg_pool2d", form, image(2, 2, 5, 6), lambda x: fn.avg_pool2d(x, **run), **settings)
    book.op("mpt_avg_pool2d", "exclude_padding", image(1, 2, 5, 6), lambda x: fn.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
            kernel=[3, 3], stride=[2, 2], padding=[1, 1], exclude_padding=1)
    book.op("mpt_max_pool2d", "ties", {"x": L([[[[1, 1, 0, 0], [1, 1, 0, 0]]]])}, lambda x: fn.max_pool2d(x, 2), kernel=[2, 2])
    for height, width in ((2, 3), (3, 4), (1, 1)):
        form = f"to_{height}x{width}"
        book.op("mpt_adaptive_avg_pool2d", form, image(1, 2, 5, 6), lambda x: fn.adaptive_avg_pool2d(x, (height, width)), height=height, width=width)
        book.op("mpt_adaptive_max_pool2d", form, image(1, 2, 5, 6), lambda x: fn.adaptive_max_pool2d(x, (height, width)), height=height, width=width)
    for kernel, stride, padding in ((2, 0, 0), (3, 2, 1)):
        form, settings = f"kernel_{kernel}", {"kernel": kernel, "stride": stride, "padding": padding}
        book.op("mpt_max_pool1d", form, image(2, 2, 7), lambda x: fn.max_pool1d(x, kernel, stride or None, padding), **settings)
        book.op("mpt_avg_pool1d", form, image(2, 2, 7), lambda x: fn.avg_pool1d(x, kernel, stride or None, padding), **settings)
    for height, width in ((6, 4), (5, 7), (2, 1)):
        for mode in ("nearest", "bilinear"):
            more = {"align_corners": False} if mode == "bilinear" else {}
            book.op("mpt_upsample2d", f"{mode}_{height}x{width}", image(1, 2, 3, 2), lambda x: fn.interpolate(x, (height, width), mode=mode, **more),
                    height=height, width=width, mode="MPT_UPSAMPLE_" + mode.upper())


def norms(book):
    room = 48  # differences of numbers as large as the largest
    for form, shape in (("image", (3, 2, 2, 3)), ("rows", (6, 3))):
        c = shape[1]
        for training in (1, 0):
            book.op("mpt_batch_norm", f"{form}_{'train' if training else 'eval'}",
                    {"x": F(*shape), "weight": F(c), "bias": F(c), "mean": C(c, kind="wide"), "var": C(c, low=0.5, high=2, kind="wide")},
                    lambda x, w, b, m, v: fn.batch_norm(x, m, v, w, b, bool(training), 0.3, 1e-3),
                    room=room, training=training, momentum=0.3, eps=1e-3, after=("mean", "var"))
    book.op("mpt_batch_norm", "bare", {"x": F(4, 2, 3), "weight": None, "bias": None, "mean": None, "var": None},
            lambda x, w, b, m, v: fn.batch_norm(x, m, v, w, b, True, 0.1, 1e-5), room=room, training=1, momentum=0.1, eps=1e-5)
    for dims in (1, 2):
        shape = (5,) if dims == 1 else (3, 5)
        book.op("mpt_layer_norm", f"last_{dims}", {"x": F(2, 3, 5), "weight": F(*shape), "bias": F(*shape)},
                lambda x, w, b: fn.layer_norm(x, shape, w, b, 1e-3), room=room, dims=dims, eps=1e-3)
    book.op("mpt_layer_norm", "bare", {"x": F(4, 6), "weight": None, "bias": None}, lambda x, w, b: fn.layer_norm(x, (6,)), room=room, dims=1, eps=1e-5)
    book.op("mpt_rms_norm", "weight", {"x": F(2, 3, 5), "weight": F(5)}, lambda x, w: fn.rms_norm(x, (5,), w, 1e-3), room=room, eps=1e-3)
    book.op("mpt_rms_norm", "bare", {"x": F(4, 6), "weight": None}, lambda x, w: fn.rms_norm(x, (6,), None, 1e-5), room=room, eps=1e-5)
    for groups in (1, 2):
        book.op("mpt_group_norm", f"groups_{groups}", {"x": F(2, 4, 2, 3), "weight": F(4), "bias": F(4)},
                lambda x, w, b: fn.group_norm(x, groups, w, b, 1e-3), room=room, groups=groups, eps=1e-3)
    book.op("mpt_instance_norm", "affine", {"x": F(2, 3, 2, 3), "weight": F(3), "bias": F(3)},
            lambda x, w, b: fn.instance_norm(x, weight=w, bias=b, eps=1e-3), room=room, eps=1e-3)
    book.op("mpt_instance_norm", "bare", {"x": F(2, 3, 5), "weight": None, "bias": None}, lambda x, w, b: fn.instance_norm(x, eps=1e-5), room=room, eps=1e-5)


def softmaxes(book):
    # The gradient is a difference of sums, of exponentials that are right to two units on a GPU.
    for name, run in (("softmax", torch.softmax), ("log_softmax", torch.log_softmax)):
        for dim in (0, 1, -1):
            book.op("mpt_" + name, f"dim_{dim}".replace("-", "m"), {"x": F(2, 4, 3, low=-4, high=4)}, lambda x: run(x, dim), room=32, dim=dim)
        book.op("mpt_" + name, "far", {"x": L([[200, 198, -200], [-300, -302, -304]])}, lambda x: run(x, 1), dim=1)


def attention(book):
    def inputs(queries, keys, mask=None):
        return {"q": F(2, 2, queries, 4), "k": F(2, 2, keys, 4), "v": F(2, 2, keys, 3), "mask": mask}

    def run(q, k, v, mask, **more):
        return fn.scaled_dot_product_attention(q, k, v, attn_mask=mask, **more)

    low = {"room": 32, "stores": 8}
    book.op("mpt_attention", "plain", inputs(3, 5), run, **low)
    book.op("mpt_attention", "scale", inputs(3, 3), lambda q, k, v, m: run(q, k, v, m, scale=0.25), scale=0.25, **low)
    book.op("mpt_attention", "causal", inputs(4, 4), lambda q, k, v, m: run(q, k, v, m, is_causal=True), causal=1, **low)
    # With more keys than queries mpt's last query sees all keys; torch's is_causal counts from the first.
    seen = torch.ones(2, 5, dtype=torch.bool).tril(3)
    book.op("mpt_attention", "causal_behind", inputs(2, 5), lambda q, k, v, m: run(q, k, v, seen), causal=1, **low)
    hidden = [[True, False, True], [False, False, False], [True, True, False]]  # the second query sees nothing
    book.op("mpt_attention", "bool_mask", inputs(3, 3, L(hidden, "bool")), run, **low)
    book.op("mpt_attention", "added_mask", inputs(3, 3, C(2, 1, 3, 3)), run, **low)


def lstm(gates, cell):
    i, f, g, o = gates.chunk(4, 1)
    new = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(new), new


def gru(x, h, hidden):
    reset, update = (torch.sigmoid(a + b) for a, b in zip(x.chunk(3, 1)[:2], h.chunk(3, 1)[:2]))
    new = torch.tanh(x.chunk(3, 1)[2] + reset * h.chunk(3, 1)[2])
    return (1 - update) * new + update * hidden


def cells(book):  # by torch.nn.LSTM's and GRU's formulas: torch has no op without the products; the layers are compared with the modules
    book.op("mpt_lstm_cell", "plain", {"gates": F(3, 8), "cell": F(3, 2)}, lstm)
    book.op("mpt_gru_cell", "plain", {"input": F(3, 6), "hidden": F(3, 6), "state": F(3, 2)}, gru)


REDUCTIONS = ("mean", "sum", "none")


def reduced(reduction):
    return {"reduction": "MPT_REDUCTION_" + reduction.upper()}


def batch_mean(loss, x):
    return loss.sum() / x.shape[0]


def losses(book):
    def loss(name, form, inputs, run, **settings):
        book.op("mpt_" + name, form, inputs, run, out_kind="wide", **settings)

    pair = lambda **target: {"prediction": F(3, 4), "target": C(3, 4, **target)}
    signs = L([[1, -1, -1, 1], [-1, 1, 1, -1], [1, 1, -1, -1]], grad=False)
    for r in REDUCTIONS + ("batch_mean",):
        s, t = reduced(r), {"reduction": "none" if r == "batch_mean" else r}
        join = batch_mean if r == "batch_mean" else lambda y, x: y
        fold = {"mean": torch.mean, "sum": torch.sum, "none": lambda y: y, "batch_mean": lambda y: y.sum() / 3}[r]
        loss("mse", r, pair(), lambda x, y: join(fn.mse_loss(x, y, **t), x), **s)
        loss("l1", r, pair(), lambda x, y: join(fn.l1_loss(x, y, **t), x), **s)
        loss("huber", r, pair(), lambda x, y: join(fn.huber_loss(x, y, delta=0.76, **t), x), delta=0.76, **s)
        loss("bce_with_logits", r, pair(low=0, high=1), lambda x, y: join(fn.binary_cross_entropy_with_logits(x, y, pos_weight=torch.tensor(2.5), **t), x),
             positive_weight=2.5, **s)
        loss("kl_div", r, {"prediction": F(3, 4, low=-4, high=-0.25), "target": C(3, 4, low=0, high=1)},
             lambda x, y: fn.kl_div(x, y, reduction=r.replace("_", "")), **s)
        loss("hinge", r, {"prediction": F(3, 4), "target": signs}, lambda x, y: fold(torch.relu(1.01 - x * y)), margin=1.01, **s)
        loss("cosine_embedding", r, {"a": F(3, 4), "b": F(3, 4), "target": L([1, -1, -1], grad=False)},
             lambda a, b, y: join(fn.cosine_embedding_loss(a, b, y, margin=-0.5, **t), a), margin=-0.5, room=32, **s)
        classes = lambda: {"logits": F(4, 3), "target": L([2, 0, 1, 2], "i64"), "weight": C(3, low=0.5, high=2, kind="wide")}
        loss("cross_entropy", f"indices_{r}", classes() | {"weight": None}, lambda x, y, w: join(fn.cross_entropy(x, y, **t), x), **s)
        loss("cross_entropy", f"smooth_weighted_{r}", classes(), lambda x, y, w: join(fn.cross_entropy(x, y, w, label_smoothing=0.2, **t), x),
             label_smoothing=0.2, **s)
        loss("cross_entropy", f"probabilities_{r}", {"logits": F(4, 3), "target": C(4, 3, low=0, high=1), "weight": C(3, low=0.5, high=2, kind="wide")},
             lambda x, y, w: join(fn.cross_entropy(x, y, w, label_smoothing=0.1, **t), x), label_smoothing=0.1, **s)
        loss("nll", r, classes(), lambda x, y, w: join(fn.nll_loss(x, y, w, **t), x), **s)
    ignored = lambda: {"logits": F(4, 3), "target": L([2, 1, 1, 0], "i64"), "weight": C(3, low=0.5, high=2, kind="wide")}
    for r in REDUCTIONS:
        loss("cross_entropy", f"ignored_{r}", ignored(), lambda x, y, w: fn.cross_entropy(x, y, w, ignore_index=1, label_smoothing=0.1, reduction=r),
             ignore_index=1, label_smoothing=0.1, **reduced(r))
        loss("nll", f"ignored_{r}", ignored(), lambda x, y, w: fn.nll_loss(x, y, w, ignore_index=1, reduction=r), ignore_index=1, **reduced(r))
    loss("l1", "kink", {"prediction": L([1, 2, 3]), "target": L([1, 1, 4], grad=False)}, lambda x, y: fn.l1_loss(x, y, reduction="sum"), **reduced("sum"))
    far = L([-200, 200, -200, 200])
    loss("bce_with_logits", "far", {"prediction": far, "target": L([0, 1, 1, 0], grad=False)}, lambda x, y: fn.binary_cross_entropy_with_logits(x, y, reduction="none"),
         positive_weight=1, **reduced("none"))
    for dim in (0, -1):
        book.op("mpt_cosine_similarity", f"dim_{dim}".replace("-", "m"), {"a": F(3, 4), "b": F(3, 4)},
                lambda a, b: fn.cosine_similarity(a, b, dim, 1e-8), room=32, out_kind="wide", dim=dim, eps=1e-8)


def ctc(book):
    """Of logits: torch's gradient of log-probabilities is only right where a log-softmax stands before, so both sides have one."""
    inputs = lambda labels, times, lengths: {"logits": F(6, 3, 4), "targets": L(labels, "i64"), "times": L(times, "i64"), "lengths": L(lengths, "i64")}
    low = {"room": 64, "stores": 16, "wide_stores": 16, "out_kind": "wide"}

    def run(x, y, t, n, **more):
        return fn.ctc_loss(x.log_softmax(2), y, t, n, **more)

    repeats = ([[1, 1, 2], [3, 2, 3], [2, 0, 0]], [6, 5, 4], [3, 3, 1])
    for r in REDUCTIONS:
        book.op("mpt_ctc", f"repeats_{r}", inputs(*repeats), lambda *a: run(*a, blank=0, reduction=r), blank=0, zero_infinity=0, **reduced(r), **low)
    last = ([[0, 1, 2], [2, 2, 0], [0, 0, 0]], [6, 6, 5], [3, 2, 3])
    book.op("mpt_ctc", "last_blank", inputs(*last), lambda *a: run(*a, blank=3, reduction="mean"), blank=3, zero_infinity=0, **reduced("mean"), **low)
    impossible = ([[1, 1, 1], [1, 2, 3], [2, 0, 0]], [4, 6, 6], [3, 3, 0])
    book.op("mpt_ctc", "impossible", inputs(*impossible), lambda *a: run(*a, blank=0, reduction="none", zero_infinity=True), blank=0, zero_infinity=1,
            **reduced("none"), **low)
    # Blanks are so likely that the paths that end as they must have e^-120 of what the likeliest places have.
    blanks = {**inputs([[1, 2, 1, 2, 1, 2]], [14], [6]), "logits": L([[[20, 0, 0]]] * 14)}
    book.op("mpt_ctc", "blanks", blanks, lambda *a: run(*a, blank=0, reduction="sum"), blank=0, zero_infinity=0, **reduced("sum"), **low)


def write(book):
    for part in (products, convolutions, pools, norms, softmaxes, attention, cells, losses, ctc):
        part(book)
