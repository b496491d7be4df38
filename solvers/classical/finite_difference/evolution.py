"""The method of lines: a system on a grid as an ordinary differential equation.

A state holds u and, for equations of second order in time, u_t at every node. Nodes that conditions determine are not
part of the dynamics: their entries rest, and `expand` puts the values in that the conditions give at each time.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from sciml.errors import UnsupportedProblemError
from sciml.expr.evaluation import evaluate
from sciml.expr.linear import partial
from sciml.expr.nodes import Scalar
from sciml.expr.reduce import is_number
from sciml.expr.traverse import atoms, is_unknown
from sciml.known import Arguments, BoundLaws, known_values
from sciml.problem import Problem
from solvers.classical.finite_difference.faces import fill
from solvers.classical.finite_difference.rates import Scheme, rates
from solvers.classical.finite_difference.sampler import Sampler
from solvers.classical.finite_difference.system import System

Numbers = tuple[Arguments, dict[str, Array]]
"""What crosses `jit`: the problem's numbers, and tabulated coefficients."""


def expand(
    system: System, state: Float[Array, "rows *grid"], t: Any, numbers: Numbers
) -> dict[tuple[int, int], Float[Array, "*grid"]]:
    """Node values by unknown and time derivative, with the nodes that conditions determine put in.

    Where a condition determines u, it determines u_t too: by its derivative along (u_t, 1) in (u, t).
    """
    rows = {row: state[n] for n, row in enumerate(system.rows)}
    count = len(system.unknowns)
    values = jnp.stack([rows[i, 0] for i in range(count)])

    def positions(values: Array, t: Array) -> Array:
        return fill(system, 0, values, None, t, *numbers)

    if max(system.depths) == 1:
        filled = positions(values, t)
        return {(i, 0): filled[i] for i in range(count)}
    velocities = jnp.stack([rows.get((i, 1), jnp.zeros(system.grid.shape)) for i in range(count)])
    filled, moving = jax.jvp(positions, (values, jnp.asarray(t, float)), (velocities, jnp.ones(())))
    velocities = jnp.where(system.determined(0), moving, velocities)
    velocities = fill(system, 1, velocities, filled, t, *numbers)
    return {(i, 0): filled[i] for i in range(count)} | {(i, 1): velocities[i] for i in range(count)}


def state_rate(
    scheme: Scheme, t: Any, state: Float[Array, "rows *grid"], numbers: Numbers
) -> Float[Array, "rows *grid"]:
    """Time derivative of a state; zero at nodes that conditions determine."""
    system = scheme.system
    fields = expand(system, state, t, numbers)
    top = rates(scheme, Sampler(system, fields, t, *numbers))
    fixed = [system.determined(0), system.determined(0) | system.determined(1)]
    changes = []
    for i, k in system.rows:
        change = top[i] if k == system.depths[i] - 1 else fields[i, k + 1]
        changes.append(jnp.where(fixed[k][i], 0.0, change))
    return jnp.stack(changes)


def initial_state(problem: Problem, system: System, start: float) -> Float[np.ndarray, "rows *grid"]:
    """The state that the initial conditions give.

    Raises:
        UnsupportedProblemError: an initial condition from which no single value or rate can be computed.
    """
    given: dict[tuple[int, int], np.ndarray] = {}
    assert system.time is not None
    points = {axis.name: system.grid.coordinate(axis.name) for axis in system.grid.axes} | {
        system.time.name: np.asarray(start)
    }
    conditions = [c.residual for c in problem.placed_conditions if c.place.is_initial]
    for e in sorted(conditions, key=lambda e: _target_level(system, e)):
        target, unknown, level = initial_target(system, e)
        values = known_values(atoms(e), points, problem.arguments)
        for atom in atoms(e):
            if is_unknown(atom) and atom is not target:
                i, k, orders = system.position(atom)
                if (i, k) not in given:
                    raise UnsupportedProblemError(
                        f"the initial condition `{e!r}`", f"{atom!r} given before it", "state it first"
                    )
                values[atom] = system.grid.derivative(jnp.asarray(given[i, k]), orders, system.order)
        values[target] = 0.0
        rest, slope = evaluate((e, partial(e, target)), values, BoundLaws(problem.arguments.laws))
        given[unknown, level] = np.broadcast_to(np.asarray(-rest / slope, float), system.grid.shape)
    missing = [row for row in system.rows if row not in given]
    if missing:
        i, k = missing[0]
        what = f"{system.unknowns[i]!r}" if k == 0 else f"the time derivative of {system.unknowns[i]!r}"
        raise UnsupportedProblemError(f"no initial value of {what}", "one for each order in time", "add the condition")
    return np.stack([given[row] for row in system.rows])


def _target_level(system: System, e: Scalar) -> int:
    return max((system.position(a)[1] for a in atoms(e) if is_unknown(a)), default=0)


def initial_target(system: System, e: Scalar) -> tuple[Scalar, int, int]:
    """The atom that an initial condition determines, its unknown and time derivative.

    Raises:
        UnsupportedProblemError: there is none, or the condition is not affine in it.
    """
    level = _target_level(system, e)
    found = []
    for atom in atoms(e):
        if is_unknown(atom):
            i, k, orders = system.position(atom)
            if k == level and not any(orders):
                slope = partial(e, atom)
                if not any(is_unknown(a) and system.position(a)[1] == level for a in atoms(slope)) and not is_number(
                    slope, 0
                ):
                    found.append((atom, i, k))
    if len(found) != 1:
        raise UnsupportedProblemError(
            f"the initial condition `{e!r}`",
            "an equation that is affine in one value or rate",
            "solve it for that value",
        )
    return found[0]
