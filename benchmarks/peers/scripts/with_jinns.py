"""jinns: a network trained by its natural gradient, in double precision.

Burgers as in its notebook `1D_non_stationary_Burgers`: 3 × 16 tanh, 900 points inside, 2,000 on boundary and initial
line, all weights 1. It has no example of Helmholtz; the settings are those of `heat_equation_ngd`, which compares the
natural gradient with Adam: 2 × 16 tanh, 2,028 points inside and on the boundary. Points stay fixed, as they do there.
Its 300 and 100 iterations are not counted off: it trains until the seconds are over.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import time
from typing import Any

import exchange
import jax

jax.config.update("jax_enable_x64", True)

import equinox as eqx  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import jinns  # noqa: E402
import numpy as np  # noqa: E402
from exchange import Answer, Cannot, Request, Watch  # noqa: E402
from jinns.optimizers import vanilla_ngd  # noqa: E402
from jinns.validation import AbstractValidationModule  # noqa: E402

BURGERS = {"width": 16, "depth": 3, "inside": 900, "boundary": 2000, "initial": 2000}
HELMHOLTZ = {"width": 16, "depth": 2, "inside": 2028, "boundary": 2028, "initial": 0}


class Bell:
    """Whether the seconds are over; the time of the first question is kept: until then jinns has compiled."""

    def __init__(self, deadline: float):
        self.deadline, self.first = deadline, 0.0

    def __call__(self, _: Any) -> np.ndarray:
        now = time.perf_counter()
        self.first = self.first or now
        return np.asarray(now > self.deadline)


class Clock(AbstractValidationModule):
    """Ends the training when the bell rings: jinns asks its validation whether to stop."""

    call_every: int = eqx.field(kw_only=True)
    bell: Bell = eqx.field(static=True, kw_only=True)

    def __call__(self, params: Any) -> Any:
        weight = jax.tree.leaves(params.nn_params)[0]  # asked when the step is done
        over = jax.pure_callback(self.bell, jax.ShapeDtypeStruct((), jnp.bool_), weight)
        return self, over, jnp.asarray(0.0), False


class Helmholtz(jinns.loss.PDEStatio):
    """Laplacian and k² u, less the source of the chosen solution."""

    waves: tuple[int, ...] = eqx.field(static=True, kw_only=True)
    k: float = eqx.field(static=True, kw_only=True)

    def equation(self, x: Any, u: Any, params: Any) -> Any:
        curvature = jinns.loss.laplacian_rev(x, u, params, eq_type="PDEStatio")
        shape = jnp.prod(jnp.sin(jnp.pi * jnp.asarray(self.waves) * x))
        source = (self.k**2 - jnp.pi**2 * sum(a**2 for a in self.waves)) * shape
        return jnp.atleast_1d(curvature + self.k**2 * u(x, params).squeeze() - source)


def stated(request: Request, own: dict[str, Any]) -> tuple[Any, Any, Any, Any]:
    """Network, its parameters, points and loss."""
    numbers = request.numbers
    weights_key, points_key = jax.random.split(jax.random.PRNGKey(request.seed))
    layers: list[tuple[Any, ...]] = [(eqx.nn.Linear, 2, own["width"])]
    for _ in range(own["depth"] - 1):
        layers += [(jax.nn.tanh,), (eqx.nn.Linear, own["width"], own["width"])]
    layers += [(jax.nn.tanh,), (eqx.nn.Linear, own["width"], 1)]
    evolves = request.statement == "burgers"
    kind = "PDENonStatio" if evolves else "PDEStatio"
    network, weights = jinns.nn.PINN_MLP.create(key=weights_key, eqx_list=tuple(layers), eq_type=kind)
    if evolves:
        if numbers["t_end"] != 1:
            raise Cannot("a final time of 1")
        parameters = jinns.parameters.Params(nn_params=weights, eq_params={"nu": jnp.asarray(numbers["nu"])})
        points = jinns.data.CubicMeshPDENonStatio(
            key=points_key, n=own["inside"], nb=own["boundary"], ni=own["initial"], dim=1, min_pts=(-1,), max_pts=(1,),
            tmin=0, tmax=1, method="uniform",
        )  # fmt: skip
        loss = jinns.loss.LossPDENonStatio(
            u=network,
            loss_weights=jinns.loss.LossWeightsPDENonStatio(dyn_loss=1, initial_condition=1, boundary_loss=1),
            dynamic_loss=jinns.loss.BurgersEquation(Tmax=1),
            boundary_condition=jinns.loss.Dirichlet(),
            initial_condition_fun=lambda x: -jnp.sin(jnp.pi * x),
            params=parameters,
        )
        return network, parameters, points, loss
    parameters = jinns.parameters.Params(nn_params=weights, eq_params={})
    points = jinns.data.CubicMeshPDEStatio(
        key=points_key, n=own["inside"], nb=own["boundary"], dim=2, min_pts=(-1, -1), max_pts=(1, 1), method="uniform",
        omega_batch_size=None, omega_border_batch_size=None,
    )  # fmt: skip
    loss = jinns.loss.LossPDEStatio(
        u=network,
        loss_weights=jinns.loss.LossWeightsPDEStatio(dyn_loss=1.0, boundary_loss=1.0),
        dynamic_loss=Helmholtz(waves=tuple(numbers["frequencies"]), k=float(numbers["k"])),
        boundary_condition=jinns.loss.Dirichlet(),
        params=parameters,
    )
    return network, parameters, points, loss


def solve(request: Request, watch: Watch) -> Answer:
    """Train to the end of the seconds; what passes until the end of the first step is called compilation."""
    if request.statement == "helmholtz" and len(request.numbers["frequencies"]) != 2:
        raise Cannot("two coordinates")
    own = request.settings(**(BURGERS if request.statement == "burgers" else HELMHOLTZ), iterations=100_000)
    with watch.part("setup"):
        network, start, points, loss = stated(request, own)
    began = time.perf_counter()
    bell = Bell(began + watch.remaining)
    trained = jinns.solve(
        init_params=start,
        data=points,
        optimizer=vanilla_ngd(),
        loss=loss,
        n_iter=own["iterations"],
        validation=Clock(call_every=1, bell=bell),
        verbose=False,
    )
    weights, losses = trained[0], np.asarray(trained[1])
    watch.add("compile", bell.first - began)
    watch.add("train", time.perf_counter() - bell.first)
    done = int(np.count_nonzero(losses))
    with watch.part("evaluate"):
        at = jnp.asarray(request.points(*request.axes))
        found = np.asarray(jax.jit(jax.vmap(lambda x: network(x, weights).squeeze()))(at))
    size = sum(leaf.size for leaf in jax.tree.leaves(eqx.filter(weights.nn_params, eqx.is_inexact_array)))
    told = {**own, "optimiser": "vanilla_ngd", "iterations": done, "loss": float(losses[done - 1]) if done else None}
    return Answer({"u": found}, done == own["iterations"], done, size, "float64", told)


if __name__ == "__main__":
    exchange.answer_with(solve, "jinns", "jax", "jaxlib", "equinox", "optax", "numpy")
