"""PyTorch's side of the step comparison: a worker that takes commands from stdin and answers each with a line of JSON.

Commands are those of mpt_step (bench/step.c):
    reset       back to the initial weights and a fresh optimizer
    losses N    N steps; answers {"losses": [...]}
    steps N     N steps; answers {"seconds": s, "steps": N}
    quit
and one more:
    product N   N matrix products of order 2048 in the precision; answers {"gflops": best rate}
Between commands the worker waits in a read and uses no processor time.
"""

import argparse
import json
import sys
import time

import numpy as np
import torch
from torch import nn

import networks

DTYPES = {"f32": None, "bf16": torch.bfloat16, "f16": torch.float16}


class Trainer:
    def __init__(self, args):
        self.args = args
        pixels = 784
        images = np.fromfile(args.images, np.uint8).reshape(-1, pixels)
        labels = np.fromfile(args.labels, np.uint8)
        self.device = torch.device(args.device)
        self.batches = len(images) // args.batch
        # Batches are cut and laid out beforehand: where they lie on the device, feeding costs this side nothing.
        if args.model in networks.CONTEXTS:  # the pixels' bytes as a text
            text, count = torch.from_numpy(images).reshape(-1), args.batch * networks.CONTEXTS[args.model]
            self.batches = min((len(text) - 1) // count, 512)
            cut = [text[i * count : (i + 1) * count + 1].long() for i in range(self.batches)]
            self.x = [c[:-1].reshape(args.batch, -1) for c in cut]
            self.y = [c[1:] for c in cut]
        else:
            x = torch.from_numpy(images).float().div_(255.0).reshape(-1, *networks.image_shape(args.model))
            self.x = [self.layout(b) for b in x.split(args.batch)]
            self.y = list(torch.from_numpy(labels).long().split(args.batch))
        place = torch.Tensor.pin_memory if args.data == "host" else lambda x: x.to(self.device)
        self.x, self.y = [place(x) for x in self.x], [place(y) for y in self.y]
        self.reset()

    def layout(self, tensor):
        if self.args.layout == "channels_last" and tensor.dim() == 4:
            return tensor.contiguous(memory_format=torch.channels_last)
        return tensor

    def reset(self):
        args = self.args
        self.model = networks.build(args.model)
        weights, arrays = np.fromfile(args.weights, np.float32), []
        for p in self.model.parameters():
            arrays.append(weights[: p.numel()].reshape(p.shape))
            weights = weights[p.numel() :]
        networks.load_weights(self.model, arrays)
        if args.layout == "channels_last":
            self.model = self.model.to(memory_format=torch.channels_last)
        self.model.to(self.device)
        self.optimizer = torch.optim.Adam(
            self.model.parameters(), lr=1e-3, fused=args.adam == "fused" or None, foreach=args.adam == "foreach" or None,
            capturable=args.mode == "graph")
        criterion = nn.CrossEntropyLoss()
        dtype = DTYPES[args.precision]
        self.scaler = torch.amp.GradScaler(args.device) if args.precision == "f16" else None

        def loss(x, y):
            with torch.autocast(args.device, dtype=dtype or torch.bfloat16, enabled=dtype is not None):
                return criterion(self.model(x), y)

        modes = {"compile": None, "compile-graphs": "reduce-overhead", "max-autotune": "max-autotune"}
        self.loss = torch.compile(loss, mode=modes[args.mode]) if args.mode in modes else loss
        self.next = 0
        self.graph = self.capture() if args.mode == "graph" else None

    def capture(self):
        """The whole step as one CUDA graph, as PyTorch's manual captures it; the steps that warm it up are undone."""
        self.static = self.x[0].to(self.device, copy=True), self.y[0].to(self.device, copy=True)
        before = [p.detach().clone() for p in self.model.parameters()]
        buffers = [b.clone() for b in self.model.buffers()]
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                self.plain_step(*self.static)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        self.optimizer.zero_grad(set_to_none=True)
        with torch.cuda.graph(graph):
            self.static_loss = self.plain_step(*self.static)
        with torch.no_grad():
            for p, a in zip(self.model.parameters(), before):
                p.copy_(a)
            for b, a in zip(self.model.buffers(), buffers):
                b.copy_(a)
            for state in self.optimizer.state.values():
                for value in state.values():
                    value.zero_()
        return graph

    def step(self):
        i = self.next % self.batches
        self.next += 1
        if self.graph is None:
            return self.plain_step(self.x[i].to(self.device, non_blocking=True), self.y[i].to(self.device, non_blocking=True))
        self.static[0].copy_(self.x[i], non_blocking=True)
        self.static[1].copy_(self.y[i], non_blocking=True)
        self.graph.replay()
        return self.static_loss

    def plain_step(self, x, y):
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(x, y)
        if self.scaler is None:
            loss.backward()
            self.optimizer.step()
        else:
            self.scaler.scale(loss).backward()
            self.scaler.step(self.optimizer)
            self.scaler.update()
        return loss.detach()


def product(dtype, count):
    """The best rate of a large product: what this machine gives at most."""
    n = 2048
    a, b = torch.randn(n, n).to(dtype), torch.randn(n, n).to(dtype)
    out = torch.empty(n, n, dtype=dtype)
    best = float("inf")
    for _ in range(count):
        start = time.perf_counter()
        torch.mm(a, b, out=out)
        best = min(best, time.perf_counter() - start)
    return 2.0 * n**3 / best / 1e9


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=networks.NAMES, required=True)
    parser.add_argument("--precision", choices=DTYPES, default="f32")
    parser.add_argument("--mode", choices=("eager", "compile", "compile-graphs", "max-autotune", "graph"), default="eager")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--data", choices=("device", "host"), default="device", help="where batches lie; the host's memory is pinned")
    parser.add_argument("--layout", choices=("contiguous", "channels_last"), default="contiguous")
    parser.add_argument("--adam", choices=("default", "foreach", "fused"), default="default")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--images", required=True, help="raw u8, 784 bytes an image")
    parser.add_argument("--labels", required=True, help="raw u8")
    parser.add_argument("--weights", required=True, help="raw f32, all parameters in order")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.backends.cudnn.benchmark = args.device == "cuda"
    trainer = Trainer(args)
    print(json.dumps({"ready": "torch " + torch.__version__}), flush=True)
    for line in sys.stdin:
        command, *rest = line.split()
        count = int(rest[0]) if rest else 0
        if command == "reset":
            trainer.reset()
            answer = {}
        elif command == "losses":
            answer = {"losses": [trainer.step().item() for _ in range(count)]}
        elif command == "steps":
            start = time.perf_counter()
            for _ in range(count):
                trainer.step()
            if args.device == "cuda":
                torch.cuda.synchronize()
            answer = {"seconds": time.perf_counter() - start, "steps": count}
        elif command == "product":
            answer = {"gflops": product(DTYPES[args.precision] or torch.float32, count)}
        elif command == "quit":
            break
        else:
            answer = {"error": "unknown command " + command}
        print(json.dumps(answer), flush=True)


main()
