"""Records of update rules, clipping, schedules and averages: STEPS steps of two parameters with given gradients."""

import numpy as np
import torch

from parity_book import C, Random

STEPS = 5
SHAPES = {"a": (2, 3), "b": (4,)}


class Lamb(torch.optim.Optimizer):
    """[You et al. 2020, algorithm 2], which torch does not have."""

    def __init__(self, params, lr, betas, eps, weight_decay):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                state = self.state[p]
                state["t"] = t = state.get("t", 0) + 1
                state["m"] = m = b1 * state.get("m", 0) + (1 - b1) * p.grad
                state["v"] = v = b2 * state.get("v", 0) + (1 - b2) * p.grad**2
                direction = m / (1 - b1**t) / ((v / (1 - b2**t)).sqrt() + group["eps"]) + group["weight_decay"] * p
                p -= group["lr"] * p.norm() / direction.norm() * direction


def adam(make):
    return lambda p, lr, weight_decay, beta1, beta2, eps: make(p, lr=lr, betas=(beta1, beta2), eps=eps, weight_decay=weight_decay)


RULES = {  # function: how torch makes it from mpt's names, and settings
    "sgd": (lambda p, nesterov=0, **s: torch.optim.SGD(p, nesterov=bool(nesterov), **s),
            {"decay": dict(lr=0.1, weight_decay=0.05), "momentum": dict(lr=0.05, momentum=0.8, dampening=0.3, weight_decay=0.01),
             "nesterov": dict(lr=0.05, momentum=0.9, weight_decay=0.02, nesterov=1)}),
    "adam": (adam(torch.optim.Adam), {"plain": dict(lr=0.01, weight_decay=0, beta1=0.9, beta2=0.999, eps=1e-8),
                                      "decay": dict(lr=0.02, weight_decay=0.1, beta1=0.8, beta2=0.95, eps=1e-3)}),
    "adamw": (adam(torch.optim.AdamW), {"plain": dict(lr=0.01, weight_decay=0.01, beta1=0.9, beta2=0.999, eps=1e-8),
                                        "decay": dict(lr=0.02, weight_decay=0.3, beta1=0.7, beta2=0.9, eps=1e-3)}),
    "adagrad": (lambda p, initial_accumulator=0, **s: torch.optim.Adagrad(p, initial_accumulator_value=initial_accumulator, **s),
                {"plain": dict(lr=0.05, eps=1e-10), "decays": dict(lr=0.1, weight_decay=0.05, eps=1e-3, lr_decay=0.2, initial_accumulator=0.1)}),
    "adadelta": (torch.optim.Adadelta, {"plain": dict(lr=1, rho=0.9, eps=1e-6), "decay": dict(lr=0.5, weight_decay=0.1, rho=0.7, eps=1e-3)}),
    "rmsprop": (lambda p, centered=0, **s: torch.optim.RMSprop(p, centered=bool(centered), **s),
                {"plain": dict(lr=0.01, alpha=0.99, eps=1e-8), "centered": dict(lr=0.01, alpha=0.5, eps=1e-2, weight_decay=0.02, momentum=0.9, centered=1),
                 "momentum": dict(lr=0.01, alpha=0.9, eps=1e-3, weight_decay=0.05, momentum=0.8)}),
    "lamb": (adam(Lamb), {"plain": dict(lr=0.05, weight_decay=0, beta1=0.8, beta2=0.95, eps=1e-3),
                          "decay": dict(lr=0.02, weight_decay=0.01, beta1=0.9, beta2=0.999, eps=1e-6)}),
}


def train(book, function, name, make, settings, before_step=None, after_step=None):
    """Writes both parameters, their gradients and what they are after each step. after_step gives that, where it is not the parameters."""
    random = Random(function + name)
    book.begin(function, name, 32, 1, 0, settings)
    params = [C(*shape).draw(random).requires_grad_(True) for shape in SHAPES.values()]
    for key, p in zip(SHAPES, params):
        book.array("in", key, "t", p)
    grads = [C(STEPS, *shape).draw(random) for shape in SHAPES.values()]
    for key, g in zip(SHAPES, grads):
        book.array("cot", key, "t", g)
    optimizer = make(params)
    paths = [[], []]
    for step in range(STEPS):
        for p, g in zip(params, grads):
            p.grad = g[step].clone()
        if before_step:
            before_step(params)
        optimizer.step()
        for path, p in zip(paths, after_step(params) if after_step else params):
            path.append(p.detach().clone())
    for key, path in zip(SHAPES, paths):
        book.array("out", key, "t", torch.stack(path))


def rules(book):
    for rule, (make, forms) in RULES.items():
        for form, settings in forms.items():
            train(book, "mpt_optimizer_" + rule, form, lambda p: make(p, **settings), settings)
    sgd = lambda p: torch.optim.SGD(p, lr=0.1)
    train(book, "mpt_optimizer_set_clip_norm", "sgd", sgd, dict(lr=0.1, clip_norm=0.7), lambda p: torch.nn.utils.clip_grad_norm_(p, 0.7))
    train(book, "mpt_optimizer_set_clip_value", "sgd", sgd, dict(lr=0.1, clip_value=0.3), lambda p: torch.nn.utils.clip_grad_value_(p, 0.3))


def averages(book):
    for decay in (0.75, 0.99):
        state = {}

        def after(params):  # starts with the parameters before the first step, as mpt's
            state["average"] = [decay * a + (1 - decay) * p.detach() for a, p in zip(state["average"], params)]
            holder = state["torch"]
            holder.update_parameters(state["module"])
            for mine, theirs in zip(state["average"], holder.module.parameters()):
                assert torch.allclose(mine, theirs, rtol=1e-14)
            return list(holder.module.parameters())

        def make(params):
            state["average"] = [p.detach().clone() for p in params]
            state["module"] = torch.nn.ParameterList(params)
            state["module"].forward = None
            state["torch"] = torch.optim.swa_utils.AveragedModel(state["module"], multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(decay))
            state["torch"].update_parameters(state["module"])  # the first is a copy
            state["module"] = torch.nn.ParameterList(params)
            return torch.optim.SGD(params, lr=0.1)

        train(book, "mpt_average_create", f"decay_{decay}", make, dict(lr=0.1, decay=decay), after_step=after)


def schedules(book):
    """Rates of 12 steps; which torch scheduler stands for which kind is said in src/device/attrs/schedule.h."""
    from torch.optim import lr_scheduler as s
    base, steps = 0.5, 12

    def warm(optimizer, warmup, then):
        rise = s.LinearLR(optimizer, 1 / warmup, total_iters=warmup - 1)
        return s.SequentialLR(optimizer, [rise, then(optimizer)], milestones=[warmup])

    forms = {
        "constant": (dict(kind="CONSTANT"), lambda o: s.ConstantLR(o, 1)),
        "warmup": (dict(kind="CONSTANT", warmup_steps=4), lambda o: s.LinearLR(o, 1 / 4, total_iters=3)),
        "step": (dict(kind="STEP", interval=3, gamma=0.4), lambda o: s.StepLR(o, 3, 0.4)),
        "warmup_step": (dict(kind="STEP", interval=2, gamma=0.1, warmup_steps=4), lambda o: warm(o, 4, lambda o: s.StepLR(o, 2, 0.1))),
        "cosine": (dict(kind="COSINE", total_steps=11, final_factor=0.1), lambda o: s.CosineAnnealingLR(o, 11, 0.1 * base)),
        "warmup_cosine": (dict(kind="COSINE", total_steps=12, warmup_steps=4), lambda o: warm(o, 4, lambda o: s.CosineAnnealingLR(o, 8))),
        "linear": (dict(kind="LINEAR", total_steps=8, final_factor=0.25), lambda o: s.LinearLR(o, 1, 0.25, total_iters=8)),
        "warmup_linear": (dict(kind="LINEAR", total_steps=10, warmup_steps=3), lambda o: warm(o, 3, lambda o: s.LinearLR(o, 1, 0, total_iters=7))),
        "one_cycle": (dict(kind="ONE_CYCLE", total_steps=12, warmup_steps=4, final_factor=0.02),
                      lambda o: s.OneCycleLR(o, base, 12, pct_start=4 / 12, div_factor=25, final_div_factor=2)),
    }
    for name, (settings, make) in forms.items():
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=base)
        scheduler, rates = make(optimizer), []
        for _ in range(steps):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if len(rates) < steps:
                scheduler.step()
        settings["kind"] = "MPT_SCHEDULE_" + settings["kind"]
        book.begin("mpt_optimizer_set_schedule", name, 4, 0, 0, dict(lr=base) | settings)
        book.array("out", "rate", "wide", torch.tensor(np.array(rates)))


def write(book):
    for part in (rules, averages, schedules):
        part(book)
