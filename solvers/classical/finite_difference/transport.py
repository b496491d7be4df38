r"""Choice of an advection scheme: central unless advection outruns diffusion from node to node.

The cell Péclet number $P = |a| h / d$, with the speed $a$ and diffusivity $d$ that the equations have at the initial
state, tells whether central differences resolve the fronts that form. Where $P$ is large, upwind differences of high
order carry linear transport, and WENO carries nonlinear transport, which steepens.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array

from sciml.errors import LoweringError
from sciml.expr.calculus import D
from sciml.expr.linear import partial
from sciml.expr.reduce import is_number
from sciml.expr.traverse import atoms, is_unknown
from sciml.problem import Problem
from solvers.classical.finite_difference.advection import WENO, AbstractAdvection, Central, Upwind
from solvers.classical.finite_difference.evolution import Numbers, expand
from solvers.classical.finite_difference.sampler import Sampler
from solvers.classical.finite_difference.system import System

CELL_PECLET = 4.0


def choose_advection(problem: Problem, system: System, state: Array, t: Any, numbers: Numbers) -> AbstractAdvection:
    """`Central()`, or `Upwind` or `WENO` where the cell Péclet number exceeds 4.

    Args:
        problem: an evolution problem.
        system: the same on a grid.
        state: initial state.
        t: initial time.
        numbers: the problem's numbers.
    """
    try:
        lowered = problem.residuals
    except LoweringError:
        return Central()
    chosen: AbstractAdvection = Central()
    sampler = Sampler(system, expand(system, state, t, numbers), t, *numbers)
    for u, rate in zip(system.unknowns, system.rates, strict=True):
        e = next(r for r in lowered if not is_number(partial(r, rate), 0))
        for k, x in enumerate(system.space):
            if any(atom in atoms(e) for atom in (D(u, x, x, x), D(u, x, x, x, x))):
                continue
            coefficients = tuple(partial(e, D(u, *[x] * m)) for m in (1, 2))
            size, diffusivity = (_largest(sampler, (c, partial(e, rate))) for c in coefficients)
            if size * system.grid.axes[k].spacing > CELL_PECLET * diffusivity:
                if any(is_unknown(atom) for atom in atoms(coefficients[0])):
                    return WENO()
                chosen = Upwind(3 if system.order == 2 else 5)
    return chosen


def _largest(sampler: Sampler, ratio: tuple[Any, Any]) -> float:
    """Largest |a / b| of two lowered scalars over the nodes."""
    still: dict[Any, Any] = dict.fromkeys(sampler.system.rates, 0.0)
    top, bottom = sampler.evaluate(ratio, sampler.values(ratio, sampler.nodes, still))
    return float(jnp.max(jnp.abs(jnp.asarray(top, float) / bottom)))
