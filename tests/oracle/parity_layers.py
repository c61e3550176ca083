"""Records of layers: torch.nn modules, whose parameters have mpt's names."""

import torch
from torch import nn

from parity_book import C, F, I, L


class Residual(nn.Module):
    def __init__(self, body, shortcut=None):
        super().__init__()
        self.body = body
        if shortcut:
            self.shortcut = shortcut

    def forward(self, x):
        return self.body(x) + (self.shortcut(x) if hasattr(self, "shortcut") else x)


def products(book):
    for bias in (True, False):
        form = "bias" if bias else "no_bias"
        book.layer("mpt_layer_linear", form, nn.Linear(4, 3, bias), {"x": F(2, 4)}, in_features=4, out_features=3, no_bias=not bias)
    two = {"in_channels": 4, "out_channels": 2, "kernel": [2, 3], "stride": [2, 1], "padding": [1, 1], "dilation": [1, 2], "groups": 2}
    torch_two = {"kernel_size" if k == "kernel" else k: v for k, v in two.items()}
    book.layer("mpt_layer_conv2d", "all", nn.Conv2d(**torch_two), {"x": F(2, 4, 5, 5)}, **two)
    book.layer("mpt_layer_conv2d", "no_bias", nn.Conv2d(2, 3, 3, bias=False), {"x": F(1, 2, 4, 4)}, in_channels=2, out_channels=3, kernel=[3, 3], no_bias=1)
    book.layer("mpt_layer_conv_transpose2d", "all", nn.ConvTranspose2d(**torch_two, output_padding=[1, 0]), {"x": F(2, 4, 3, 4)}, **two, output_padding=[1, 0])
    one = {"in_channels": 4, "out_channels": 2, "kernel": 3, "stride": 2, "padding": 1, "dilation": 2, "groups": 2}
    torch_one = {"kernel_size" if k == "kernel" else k: v for k, v in one.items()}
    book.layer("mpt_layer_conv1d", "all", nn.Conv1d(**torch_one), {"x": F(2, 4, 9)}, **one)
    book.layer("mpt_layer_conv_transpose1d", "all", nn.ConvTranspose1d(**torch_one, output_padding=1), {"x": F(2, 4, 5)}, **one, output_padding=1)
    for padding in (-1, 2):
        module = nn.Embedding(5, 3, padding_idx=None if padding < 0 else padding)
        book.layer("mpt_layer_embedding", "plain" if padding < 0 else "padding", module, {"index": L([[0, 2, 2], [1, 4, 0]], "i64")},
                   count=5, dim=3, padding_index=padding)


def norms(book):
    for training in (1, 0):
        module = nn.BatchNorm2d(3, eps=1e-3, momentum=0.3).train(bool(training))
        book.layer("mpt_layer_batch_norm", "train" if training else "eval", module, {"x": F(2, 3, 2, 3)}, room=48,
                   features=3, eps=1e-3, momentum=0.3, training=training)
    book.layer("mpt_layer_batch_norm", "no_running", nn.BatchNorm1d(3, track_running_stats=False, affine=False), {"x": F(5, 3)}, room=48,
               features=3, no_running=1, no_affine=1)
    book.layer("mpt_layer_layer_norm", "plain", nn.LayerNorm(5, eps=1e-3), {"x": F(2, 3, 5)}, room=48, features=5, eps=1e-3)
    book.layer("mpt_layer_layer_norm", "no_bias", nn.LayerNorm(5, bias=False), {"x": F(3, 5)}, room=48, features=5, no_bias=1)
    book.layer("mpt_layer_rms_norm", "plain", nn.RMSNorm(5, eps=1e-3), {"x": F(2, 3, 5)}, room=48, features=5, eps=1e-3)
    book.layer("mpt_layer_group_norm", "plain", nn.GroupNorm(2, 4, eps=1e-3), {"x": F(2, 4, 2, 3)}, room=48, features=4, groups=2, eps=1e-3)
    book.layer("mpt_layer_instance_norm", "plain", nn.InstanceNorm2d(3, eps=1e-3, affine=True), {"x": F(2, 3, 2, 3)}, room=48, features=3, eps=1e-3)


KINDS = {"MPT_RECURRENT_TANH": lambda *a, **k: nn.RNN(*a, nonlinearity="tanh", **k), "MPT_RECURRENT_RELU": lambda *a, **k: nn.RNN(*a, nonlinearity="relu", **k),
         "MPT_RECURRENT_LSTM": nn.LSTM, "MPT_RECURRENT_GRU": nn.GRU}


def recurrent(book):
    for kind, make in KINDS.items():
        short, lstm = kind.split("_")[-1].lower(), kind == "MPT_RECURRENT_LSTM"
        low = {"room": 96, "stores": 24, "size": 0.5}  # the roundings of all steps and layers before

        def flat(module, x, h=None, c=None):
            y, last = module(x, (h, c) if c is not None else h)
            return (y, *last) if lstm else (y, last)

        module = make(3, 2)
        book.layer("mpt_layer_recurrent", f"{short}_plain", module, {"x": F(4, 2, 3)}, lambda x: flat(module, x)[0],
                   kind=kind, input_size=3, hidden_size=2, **low)
        both = make(3, 2, num_layers=2, bidirectional=True, batch_first=True)
        states = {"h": F(4, 2, 2)} | ({"c": F(4, 2, 2)} if lstm else {})
        book.layer("mpt_layer_recurrent", f"{short}_two_layers_both_ways", both, {"x": F(2, 3, 3)} | states, lambda *t: flat(both, *t),
                   kind=kind, input_size=3, hidden_size=2, layers=2, bidirectional=1, batch_first=1, **low)
    bare = nn.LSTM(3, 2, bias=False)
    book.layer("mpt_layer_recurrent", "lstm_no_bias", bare, {"x": F(3, 2, 3)}, lambda x: flat_last(bare, x), kind="MPT_RECURRENT_LSTM",
               input_size=3, hidden_size=2, no_bias=1, room=96, stores=24, size=0.5)


def flat_last(module, x):
    y, last = module(x)
    return (y, *last)


def attention(book):
    low = {"room": 64, "stores": 24, "size": 0.5}

    def layer(form, inputs, run, bias=True, **settings):
        module = nn.MultiheadAttention(4, 2, bias=bias, batch_first=True)
        book.layer("mpt_layer_attention", form, module, inputs, lambda *t: run(module, *t)[0], embed_dim=4, heads=2, no_bias=not bias, **settings, **low)

    hidden = torch.ones(3, 3, dtype=torch.bool).triu(1)
    layer("self", {"x": F(2, 3, 4)}, lambda m, x: m(x, x, x))
    layer("causal", {"x": F(2, 3, 4)}, lambda m, x: m(x, x, x, attn_mask=hidden), causal=1)
    three = {"query": F(2, 2, 4), "key": F(2, 3, 4), "value": F(2, 3, 4)}
    layer("cross_no_bias", three, lambda m, q, k, v: m(q, k, v), bias=False)
    # mpt's mask says what is seen, torch's what is hidden.
    seen = {"query": F(2, 2, 4), "key": F(2, 3, 4), "value": F(2, 3, 4), "mask": L([[True, False, True], [False, True, True]], "bool")}
    layer("mask", seen, lambda m, q, k, v, mask: m(q, k, v, attn_mask=~mask))


def functions(book):
    image = lambda: {"x": F(2, 2, 4, 6, low=-4, high=4, distinct=True)}
    book.layer("mpt_layer_max_pool2d", "all", nn.MaxPool2d((3, 2), (2, 1), (1, 1)), image(), kernel=[3, 2], stride=[2, 1], padding=[1, 1])
    book.layer("mpt_layer_avg_pool2d", "all", nn.AvgPool2d((3, 2), (2, 1), (1, 1), count_include_pad=False), image(),
               kernel=[3, 2], stride=[2, 1], padding=[1, 1], exclude_padding=1)
    book.layer("mpt_layer_adaptive_avg_pool2d", "uneven", nn.AdaptiveAvgPool2d((3, 4)), image(), height=3, width=4)
    book.layer("mpt_layer_adaptive_max_pool2d", "uneven", nn.AdaptiveMaxPool2d((3, 4)), image(), height=3, width=4)
    row = lambda: {"x": F(2, 2, 7, low=-4, high=4, distinct=True)}
    book.layer("mpt_layer_max_pool1d", "padding", nn.MaxPool1d(3, 2, 1), row(), kernel=3, stride=2, padding=1)
    book.layer("mpt_layer_avg_pool1d", "padding", nn.AvgPool1d(3, 2, 1), row(), kernel=3, stride=2, padding=1)
    for mode in ("nearest", "bilinear"):
        book.layer("mpt_layer_upsample2d", mode, nn.Upsample(scale_factor=(2, 3), mode=mode), {"x": F(1, 2, 3, 2)}, factor_h=2, factor_w=3,
                   mode="MPT_UPSAMPLE_" + mode.upper())
    book.layer("mpt_layer_dropout", "eval", nn.Dropout(0.5).eval(), {"x": F(2, 3)}, p=0.5, training=0)
    activations = {"relu": nn.ReLU(), "leaky_relu": nn.LeakyReLU(0.1), "gelu": nn.GELU(), "gelu_tanh": nn.GELU("tanh"), "silu": nn.SiLU(), "elu": nn.ELU(0.7),
                   "sigmoid": nn.Sigmoid(), "tanh": nn.Tanh(), "softplus": nn.Softplus()}
    for name, module in activations.items():
        parameter = {"leaky_relu": 0.1, "elu": 0.7}.get(name, 0)
        book.layer("mpt_layer_activation", name, module, {"x": F(3, 4)}, kind="MPT_ACTIVATION_" + name.upper(), parameter=parameter)
    book.layer("mpt_layer_relu", "plain", nn.ReLU(), {"x": F(3, 4)})
    book.layer("mpt_layer_softmax", "middle", nn.Softmax(1), {"x": F(2, 4, 3)}, dim=1)
    book.layer("mpt_layer_flatten", "plain", nn.Flatten(), {"x": F(2, 3, 2)})


def containers(book):
    """Linear layers in them are 4 to 4; the test builds the same."""
    linear = lambda: nn.Linear(4, 4)
    stores = {"stores": 12}
    book.layer("mpt_layer_sequential", "three", nn.Sequential(linear(), nn.Tanh(), linear()), {"x": F(2, 4)}, **stores)
    book.layer("mpt_layer_residual", "identity", Residual(linear()), {"x": F(2, 4)}, shortcut=0, **stores)
    book.layer("mpt_layer_residual", "shortcut", Residual(linear(), linear()), {"x": F(2, 4)}, shortcut=1, **stores)
    joins = {"sum": lambda a, b: a + b, "concat": lambda a, b: torch.cat([a, b], 1), "list": lambda a, b: (a, b)}
    for name, join in joins.items():
        module = nn.Sequential(linear(), linear())
        book.layer("mpt_layer_parallel", name, module, {"x": F(2, 4)}, lambda x: join(module[0](x), module[1](x)), join="MPT_JOIN_" + name.upper(),
                   dim=1, **stores)


def write(book):
    for part in (products, norms, recurrent, attention, functions, containers):
        part(book)
