"""exponax: Fourier in space, exponential Runge–Kutta in time, on periodic boxes."""

# pyright: reportMissingImports=false
from __future__ import annotations

import math
from typing import Any

import exchange
import jax

jax.config.update("jax_enable_x64", True)

import exponax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from exchange import Answer, Cannot, Request, Watch  # noqa: E402


def stated(request: Request, points: int, step: float, **settings: Any) -> tuple[Any, Any, float, float]:
    """Stepper, initial values as a function, lower end of the period and its length."""
    numbers = request.numbers
    common = {**settings, "num_spatial_dims": 1, "num_points": points, "dt": step}
    match request.statement:
        case "burgers":  # odd data between walls are the same as odd data on a period of 2
            stepper = exponax.stepper.Burgers(domain_extent=2.0, diffusivity=numbers["nu"], **common)
            return stepper, lambda x: -jnp.sin(jnp.pi * x), -1.0, 2.0
        case "heat" if numbers["dimensions"] == 1:  # the same, continued oddly to twice the length
            del common["order"], common["dealiasing_fraction"]  # linear: the step is exact
            stepper = exponax.stepper.Diffusion(domain_extent=2.0, diffusivity=numbers["kappa"], **common)
            return stepper, lambda x: jnp.sin(jnp.pi * x) + jnp.sin(3 * jnp.pi * x) / 2, 0.0, 2.0
        case "korteweg_de_vries":
            stepper = exponax.stepper.KortewegDeVries(
                domain_extent=2.0,
                convection_scale=numbers["eta"],
                dispersivity=numbers["mu"] ** 2,
                hyper_diffusivity=0.0,
                **common,
            )
            return stepper, lambda x: jnp.cos(jnp.pi * x), -1.0, 2.0
        case "kuramoto_sivashinsky":
            stepper = exponax.stepper.KuramotoSivashinskyConservative(
                domain_extent=2 * math.pi,
                convection_scale=numbers["alpha"],
                second_order_scale=numbers["beta"],
                fourth_order_scale=numbers["gamma"],
                **common,
            )
            return stepper, lambda x: jnp.cos(x) * (1 + jnp.sin(x)), 0.0, 2 * math.pi
    raise Cannot(f"a statement of {request.statement} with these numbers")


def solve(request: Request, watch: Watch) -> Answer:
    """March through the times of the test grid, then evaluate the Fourier series at its nodes."""
    own = request.settings(points=1024, steps=40, order=4, dealiasing_fraction=2 / 3)
    times, nodes = request.axes["t"], request.axes["x"]
    gap = float(times[1] - times[0])
    if not np.allclose(np.diff(times), gap) or times[0] != 0:
        raise Cannot("a test grid with equally spaced times from 0 on")
    with watch.part("setup"):
        settings = {name: own[name] for name in ("order", "dealiasing_fraction")}
        stepper, initial, lower, length = stated(request, own["points"], gap / own["steps"], **settings)
        start = initial(lower + length * jnp.arange(own["points"]) / own["points"])[None]
        march = exponax.rollout(exponax.RepeatedStepper(stepper, own["steps"]), times.size - 1, include_init=True)
    with watch.part("compile"):
        compiled = jax.jit(march).lower(start).compile()
    with watch.part("train"):
        states = jax.block_until_ready(compiled(start))
    with watch.part("evaluate"):
        at = jnp.asarray(nodes - lower)[:, None]

        def values(state: jax.Array) -> jax.Array:
            return jax.vmap(exponax.FourierInterpolator(state, domain_extent=length))(at)[:, 0]

        found = np.asarray(jax.jit(lambda all_states: jax.lax.map(values, all_states))(states))
    steps = own["steps"] * (times.size - 1)
    return Answer({"u": found.reshape(-1)}, True, steps, own["points"], "float64", own)


if __name__ == "__main__":
    exchange.answer_with(solve, "exponax", "jax", "jaxlib", "equinox", "numpy")
