"""PINN against the truth at full size: minutes each, run by `make accuracy`."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pde_zoo.burgers import burgers
from sciml import RESULTS, Parameter, solve, uniform_grid
from sciml.optimise import LevenbergMarquardt
from solvers.pinn import PINN

VISCOSITY = 0.01 / math.pi
COUNT, NOISE = 200, 0.01


@pytest.mark.accuracy
def test_burgers_in_two_minutes():
    problem = burgers()
    solution = solve(problem, PINN(), budget=115.0)
    assert solution.result is RESULTS.successful
    assert solution.errors(problem.reference, uniform_grid(problem.box, {"t": 51, "x": 257}))["u"]["relative_l2"] < 1e-2


def _observed(seed: int):
    """Noisy values near the front, where the viscosity can be seen, and the least standard error that they allow.

    The Cramér-Rao bound is noise / |∂u/∂ν|, the derivative along the truth of the forward problem.
    """
    generator = np.random.default_rng(seed)
    points = {"t": generator.uniform(0.02, 1, COUNT), "x": generator.uniform(-0.1, 0.1, COUNT)}
    step = 1e-4 * VISCOSITY
    below, at, above = (np.asarray(burgers(nu=VISCOSITY + s).reference(points)["u"]) for s in (-step, 0.0, step))
    bound = NOISE / np.linalg.norm((above - below) / (2 * step))
    unknown = burgers(nu=Parameter("nu", init=0.1, positive=True))
    return unknown.observe("u", points, at + NOISE * generator.normal(size=COUNT), noise=NOISE), bound


@pytest.mark.accuracy
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_viscosity_from_two_hundred_noisy_values(seed):
    problem, bound = _observed(seed)
    solution = solve(problem, PINN(optimiser=LevenbergMarquardt(max_steps=250)), key=seed)
    estimate = solution.parameters["nu"]
    assert abs(estimate.value / VISCOSITY - 1) < 0.02
    assert abs(estimate.value - VISCOSITY) < 3 * estimate.standard_error
    assert estimate.standard_error == pytest.approx(bound, rel=0.25)
