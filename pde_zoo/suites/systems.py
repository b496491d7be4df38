r"""Systems of ordinary differential equations whose numbers are to be found from the first third of a noisy trajectory.

One draw of a family: 64 samples of every component on $t\in[0,2)$ with white noise of 2 % of the
trajectory, on the domain $[0,6]$. Numbers have the prior of their boxes, initial values are unknown. The protocol is
that of Y. Liu, Z. Zhang, H. Schaeffer, arXiv:2309.16816.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, final

import jax
import jax.numpy as jnp

from pde_zoo.families.ode import ODE_FAMILIES
from sciml import OptionError, Parameter, Problem
from sciml.case import Case
from sciml.family import ProblemFamily
from sciml.reference import FunctionReference
from sciml.runge_kutta import flow
from sciml.trajectories import Trajectories

GIVEN = 64
FINE = 6000


@final
@dataclass(frozen=True, eq=False)
class Path:
    """Cubic Hermite polynomials through states `(S, d)` at equidistant times, with the rates as slopes."""

    end: float
    states: jax.Array
    slopes: jax.Array
    names: tuple[str, ...]

    def __call__(self, points: Mapping[str, Any]) -> dict[str, Any]:
        t = jnp.asarray(points["t"], float)
        step = self.end / (len(self.states) - 1)
        k = jnp.clip(jnp.floor(t / step).astype(int), 0, len(self.states) - 2)
        s = (t / step - k)[..., None]
        here, there = self.states[k], self.states[k + 1]
        chord, first, last = there - here, step * self.slopes[k], step * self.slopes[k + 1]
        value = here + s * chord + s * (1 - s) * ((1 - s) * (first - chord) - s * (last - chord))
        return {name: value[..., i] for i, name in enumerate(self.names)}

    @property
    def reference(self) -> FunctionReference:
        """The curve as a truth."""
        source = "Runge-Kutta of order four; its error is bounded by that of twice as large steps"
        return FunctionReference(self, 1e-6, source, "integrated")


@cache
def _draw(system: str, seed: int) -> tuple[ProblemFamily, Trajectories, Path]:
    """A trajectory and the curve through many more of its states."""
    if system not in ODE_FAMILIES:
        raise OptionError(f"system {system!r}", f"one of {', '.join(ODE_FAMILIES)}", "check the spelling")
    family = ODE_FAMILIES[system]
    made = family.trajectories(jax.random.key(seed), 1)
    numbers, start = {n: jnp.asarray(v[0]) for n, v in made.parameters.items()}, jnp.asarray(made.states[0, 0])
    end = float(family.times[-1])
    times = jnp.linspace(0, end, FINE + 1)
    states = flow(family.rates, times, start, numbers, 2)
    slopes = jax.vmap(lambda t, y: family.rates(t, y, numbers))(times, states)
    return family, made, Path(end, states, slopes, tuple(repr(u) for u in family.unknowns))


def observed(system: str = "lorenz", noise: float = 0.02, seed: int = 0) -> Problem:
    """Numbers of a system from a noisy first third of one trajectory.

    Args:
        system: name of a family in time alone.
        noise: norm of the noise over that of the trajectory.
        seed: of numbers, initial state and noise.

    Truth: the trajectory, by Runge–Kutta steps of order four; halving them changes it by less than 1e-6.
    """
    family, made, path = _draw(system, seed)
    noisy = made.noisy(jax.random.key(1000 + seed), noise)[0]
    template, first = family.template, family.template.box.at(t=0)
    starts = [(u == Parameter(f"{u!r}_start", init=0.0)).on(first) for u in family.unknowns]
    problem = Problem(template.equations, template.domain, starts, reference=path.reference, name=family.name)
    for i, u in enumerate(family.unknowns):
        problem = problem.observe(u, {"t": made.times[:GIVEN]}, noisy[:GIVEN, i])
    return problem


CASES: tuple[Case, ...] = tuple(
    Case(f"systems/{name}", observed, {"t": 192}, {"system": name})
    for name in ("thomas", "lorenz", "chen_lee", "duffing")
)
