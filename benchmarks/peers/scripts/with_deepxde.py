"""DeepXDE on PyTorch, in its default single precision.

Burgers as in its example `pinn_forward/Burgers.py`: 3 × 20 tanh, 2,540 + 80 + 160 points, Adam for 15,000 iterations,
then L-BFGS. Adam gets at most half of the seconds, so that L-BFGS is reached.
Helmholtz as in `pinn_forward/Helmholtz_Dirichlet_2d.py`: 3 × 150 sine, a factor that vanishes on the boundary, ten
points in a wave length, Adam. Its 5,000 iterations are not counted off: it trains until the seconds are over.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import math
import os
import time
from typing import Any

os.environ["DDE_BACKEND"] = "pytorch"

import deepxde as dde
import exchange
import numpy as np
import torch
from exchange import Answer, Cannot, Request, Watch

BURGERS = {"inside": 2540, "boundary": 80, "initial": 160, "width": 20, "depth": 3, "adam": 15_000, "lbfgs": 15_000}
HELMHOLTZ = {"points_per_wave": 10, "width": 150, "depth": 3}
CHECKS = 25
"""L-BFGS iterations between two looks at the clock; the optimiser goes on with its memory."""


class Alarm(dde.callbacks.Callback):
    """Stops a training at a time."""

    def __init__(self, deadline: float):
        super().__init__()
        self.deadline, self.rang = deadline, False

    def on_epoch_end(self) -> None:
        if time.perf_counter() > self.deadline:
            self.rang = self.model.stop_training = True


def burgers(request: Request, own: dict[str, Any]) -> Any:
    """The problem and its network; columns are x, t."""
    nu = request.numbers["nu"]

    def residual(x: Any, u: Any) -> Any:
        slope, rate = dde.grad.jacobian(u, x, i=0, j=0), dde.grad.jacobian(u, x, i=0, j=1)
        return rate + u * slope - nu * dde.grad.hessian(u, x, i=0, j=0)

    span = dde.geometry.TimeDomain(0, request.numbers["t_end"])
    region = dde.geometry.GeometryXTime(dde.geometry.Interval(-1, 1), span)
    walls = dde.icbc.DirichletBC(region, lambda x: 0, lambda _, on_boundary: on_boundary)
    start = dde.icbc.IC(region, lambda x: -np.sin(np.pi * x[:, 0:1]), lambda _, on_initial: on_initial)
    data = dde.data.TimePDE(
        region, residual, [walls, start],
        num_domain=own["inside"], num_boundary=own["boundary"], num_initial=own["initial"],
    )  # fmt: skip
    network = dde.nn.FNN([2] + [own["width"]] * own["depth"] + [1], "tanh", "Glorot normal")
    return dde.Model(data, network)


def helmholtz(request: Request, own: dict[str, Any]) -> Any:
    """The problem and its network; columns are x, y."""
    a, b = request.numbers["frequencies"]
    k = request.numbers["k"]

    def residual(x: Any, u: Any) -> Any:
        curvature = dde.grad.hessian(u, x, i=0, j=0) + dde.grad.hessian(u, x, i=1, j=1)
        shape = torch.sin(a * math.pi * x[:, 0:1]) * torch.sin(b * math.pi * x[:, 1:2])
        return -curvature - k**2 * u + (k**2 - math.pi**2 * (a**2 + b**2)) * shape

    side = math.ceil(own["points_per_wave"] * max(a, b))  # a side of 2 has `max(a, b)` of the shortest waves
    data = dde.data.PDE(
        dde.geometry.Rectangle([-1, -1], [1, 1]), residual, [], num_domain=side**2, num_boundary=4 * side
    )
    network = dde.nn.FNN([2] + [own["width"]] * own["depth"] + [1], "sin", "Glorot uniform")
    network.apply_output_transform(lambda x, u: (1 - x[:, 0:1] ** 2) * (1 - x[:, 1:2] ** 2) * u)
    return dde.Model(data, network)


def adam(model: Any, watch: Watch, deadline: float, iterations: int) -> bool:
    """Train until the iterations are done (true) or the time has come."""
    alarm = Alarm(deadline)
    with watch.part("compile"):
        model.compile("adam", lr=1e-3)
    with watch.part("train"):
        model.train(iterations=iterations, display_every=1000, verbose=0, callbacks=[alarm])
    return not alarm.rang


def lbfgs(model: Any, watch: Watch, deadline: float, iterations: int) -> bool:
    """Train until the optimiser stops (true) or the time has come."""
    alarm = Alarm(deadline)
    dde.optimizers.set_LBFGS_options(maxiter=iterations)
    dde.optimizers.LBFGS_options["iter_per_step"] = CHECKS
    with watch.part("compile"):
        model.compile("L-BFGS")
    with watch.part("train"):
        model.train(verbose=0, callbacks=[alarm])
    return not alarm.rang


def solve(request: Request, watch: Watch) -> Answer:
    """Train as the example does, for the seconds that there are."""
    dde.config.set_random_seed(request.seed)
    evolves = request.statement == "burgers"
    if not evolves and len(request.numbers["frequencies"]) != 2:
        raise Cannot("two coordinates")
    own = request.settings(**(BURGERS if evolves else HELMHOLTZ))
    with watch.part("setup"):
        model = (burgers if evolves else helmholtz)(request, own)
    now = time.perf_counter()
    end, half = now + watch.remaining, now + watch.remaining / 2
    if evolves:
        adam(model, watch, half, own["adam"])
        adam_iterations = model.train_state.iteration
        finished = lbfgs(model, watch, end, own["lbfgs"])
    else:
        if math.isinf(end):
            raise Cannot("a number of seconds")
        finished = adam(model, watch, end, 10_000_000)
        adam_iterations = model.train_state.iteration
    with watch.part("evaluate"):
        columns = ("x", "t") if evolves else tuple(request.axes)
        found = model.predict(request.points(*columns).astype(np.float32))[:, 0]
    told = {
        **own,
        "adam_iterations": adam_iterations,
        "lbfgs_iterations": model.train_state.iteration - adam_iterations,
    }
    size = sum(weight.numel() for weight in model.net.parameters())
    return Answer({"u": found}, finished, model.train_state.iteration, size, "float32", told)


if __name__ == "__main__":
    exchange.answer_with(solve, "deepxde", "torch", "numpy")
