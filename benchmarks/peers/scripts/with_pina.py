"""PINA on PyTorch and Lightning, in single precision.

It has no trained example of either case. The settings are those of its tutorial 17, a Poisson problem on a square:
2 × 120 tanh, 1,000 random points inside and 100 on the boundary (as many on the initial line), Adam with its default
rate. Its 1,000 epochs are not counted off: it trains until the seconds are over.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import logging
import math
import time
from typing import Any

import exchange
import numpy as np
import torch
from exchange import Answer, Cannot, Request, Watch
from lightning.pytorch import seed_everything
from lightning.pytorch.callbacks import Callback
from pina import Condition, LabelTensor, Trainer
from pina.domain import CartesianDomain
from pina.equation import Equation, FixedValue
from pina.model import FeedForward
from pina.operator import grad, laplacian
from pina.problem import SpatialProblem, TimeDependentProblem
from pina.solver import PINN

OWN = {"width": 120, "depth": 2, "inside": 1000, "boundary": 100, "initial": 100}


class Alarm(Callback):
    """Stops a training at a time."""

    def __init__(self, deadline: float):
        self.deadline = deadline

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        if time.perf_counter() > self.deadline:
            trainer.should_stop = True


def burgers(numbers: Any) -> Any:
    """The problem, as PINA spells one."""
    nu, space = numbers["nu"], CartesianDomain({"x": [-1, 1]})
    span = CartesianDomain({"t": [0, numbers["t_end"]]})

    def residual(x: Any, u: Any) -> Any:
        return grad(u, x, d=["t"]) + u * grad(u, x, d=["x"]) - nu * laplacian(u, x, d=["x"])

    def start(x: Any, u: Any) -> Any:
        return u + torch.sin(math.pi * x.extract(["x"]))

    class Burgers(TimeDependentProblem, SpatialProblem):
        output_variables = ["u"]  # noqa: RUF012
        spatial_domain = space
        temporal_domain = span
        domains = {  # noqa: RUF012
            "inside": space.update(span),
            "initial": space.update(CartesianDomain({"t": 0})),
            "boundary": space.partial().update(span),
        }
        conditions = {  # noqa: RUF012
            "inside": Condition(domain="inside", equation=Equation(residual)),
            "initial": Condition(domain="initial", equation=Equation(start)),
            "boundary": Condition(domain="boundary", equation=FixedValue(0.0)),
        }

    return Burgers()


def helmholtz(numbers: Any) -> Any:
    """The problem, as PINA spells one."""
    a, b = numbers["frequencies"]
    k, square = numbers["k"], CartesianDomain({"x": [-1, 1], "y": [-1, 1]})

    def residual(x: Any, u: Any) -> Any:
        shape = torch.sin(a * math.pi * x.extract(["x"])) * torch.sin(b * math.pi * x.extract(["y"]))
        return laplacian(u, x, d=["x", "y"]) + k**2 * u - (k**2 - math.pi**2 * (a**2 + b**2)) * shape

    class Helmholtz(SpatialProblem):
        output_variables = ["u"]  # noqa: RUF012
        spatial_domain = square
        domains = {"inside": square, "boundary": square.partial()}  # noqa: RUF012
        conditions = {  # noqa: RUF012
            "inside": Condition(domain="inside", equation=Equation(residual)),
            "boundary": Condition(domain="boundary", equation=FixedValue(0.0)),
        }

    return Helmholtz()


def solve(request: Request, watch: Watch) -> Answer:
    """Train until the seconds are over."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    seed_everything(request.seed, verbose=False)
    own = request.settings(**OWN)
    if math.isinf(watch.remaining):
        raise Cannot("a number of seconds")
    evolves = request.statement == "burgers"
    if not evolves and len(request.numbers["frequencies"]) != 2:
        raise Cannot("two coordinates")
    deadline = time.perf_counter() + watch.remaining
    with watch.part("setup"):
        problem = burgers(request.numbers) if evolves else helmholtz(request.numbers)
        problem.discretise_domain(own["inside"], "random", domains=["inside"])
        for place in ("boundary", "initial") if evolves else ("boundary",):
            problem.discretise_domain(own[place], "random", domains=[place])
        network = FeedForward(
            input_dimensions=2, output_dimensions=1, layers=[own["width"]] * own["depth"], func=torch.nn.Tanh
        )
        pinn = PINN(problem=problem, model=network)
        quiet = {"enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False}
        parts = {"train_size": 1.0, "val_size": 0.0, "test_size": 0.0}
        trainer = Trainer(
            pinn, max_epochs=10_000_000, accelerator="cpu", logger=False, callbacks=[Alarm(deadline)], **quiet, **parts
        )
    with watch.part("train"):
        trainer.train()
    with watch.part("evaluate"), torch.no_grad():
        names = list(problem.input_variables)
        at = LabelTensor(torch.tensor(request.points(*names).astype(np.float32)), names)
        found = network(at).detach().numpy().reshape(-1)
    size = sum(weight.numel() for weight in network.parameters())
    epochs = int(trainer.current_epoch)
    return Answer({"u": found}, False, epochs, size, "float32", {**own, "epochs": epochs, "optimiser": "Adam, 1e-3"})


if __name__ == "__main__":
    exchange.answer_with(solve, "pina-mathlab", "torch", "lightning", "numpy")
