"""One draw of every family: its equation with random numbers and initial data, to be solved as any other case."""

from __future__ import annotations

from functools import cache

import jax
import numpy as np

from pde_zoo.families import FAMILIES, ODE_FAMILIES
from sciml import ComputedReference, Problem
from sciml.case import Case

_IN_TIME = ComputedReference("initial_value", {"rtol": 1e-11}, {"rtol": 1e-8})
_ON_A_CIRCLE = ComputedReference("spectral", {"rtol": 1e-10}, {"rtol": 1e-8, "resolution": 384})


@cache
def draw(family: str = "lorenz", seed: int = 0) -> Problem:
    """A random problem of a family, whether or not its solution stays bounded.

    Args:
        family: its name.
        seed: of numbers and initial data.

    Truth: in time alone by Runge–Kutta steps of order eight, two paths of which agree to 1e-11, its error computed from
    1e-8; on a circle Fourier spectral to a tolerance of 1e-10, its error computed from 384 points and 1e-8.
    """
    chosen = FAMILIES[family]
    numbers, start = chosen.sample(jax.random.key(seed), 1)
    problem = chosen.problem({name: float(values[0]) for name, values in numbers.items()}, np.asarray(start[0]))
    return problem.replace(reference=_IN_TIME if family in ODE_FAMILIES else _ON_A_CIRCLE)


_BOUNDED = {"sprott_linz_f": 1}
"""Seeds other than 0: there the path escapes to infinity."""


def _case(name: str) -> Case:
    points = {"t": 192} if name in ODE_FAMILIES else {"t": 64, "x": 128}
    return Case(f"families/{name}", draw, points, {"family": name, "seed": _BOUNDED.get(name, 0)})


CASES: tuple[Case, ...] = tuple(_case(name) for name in FAMILIES)
