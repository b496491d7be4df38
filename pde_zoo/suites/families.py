"""One draw of every family: its equation with random numbers and initial data, to be solved as any other case."""

from __future__ import annotations

import jax

from pde_zoo.families import FAMILIES, ODE_FAMILIES
from pde_zoo.suites.systems import drawn
from sciml import ComputedReference, Problem
from sciml.case import Case


def draw(family: str = "lorenz", seed: int = 0) -> Problem:
    """A random problem of a family.

    Args:
        family: its name.
        seed: of numbers and initial data.

    Truth: in time alone by Runge–Kutta steps of order four, halving which changes it by less than 1e-6; on a circle
    Fourier spectral to a tolerance of 1e-10, its error computed with it from 384 points and 1e-8.
    """
    if family in ODE_FAMILIES:
        _, made, path = drawn(family, seed)
        reference = path.reference
    else:
        made = FAMILIES[family].trajectories(jax.random.key(seed), 1)
        reference = ComputedReference("spectral", {"rtol": 1e-10}, {"rtol": 1e-8, "resolution": 384})
    numbers = {name: float(values[0]) for name, values in made.parameters.items()}
    return FAMILIES[family].problem(numbers, made.states[0, 0]).replace(reference=reference)


def _case(name: str) -> Case:
    points = {"t": 192} if name in ODE_FAMILIES else {"t": 64, "x": 128}
    return Case(f"families/{name}", draw, points, {"family": name})


CASES: tuple[Case, ...] = tuple(_case(name) for name in FAMILIES)
