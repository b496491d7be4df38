"""The cavity flow satisfies the Navier–Stokes equations and the lid's condition, corners included."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from pde_zoo import lid_driven_cavity
from pde_zoo.cavity_flow import CavityFlow
from sciml.statement import statement_residuals


@pytest.fixture(scope="module")
def coarse() -> CavityFlow:
    return CavityFlow(100.0, degree=24)


def test_satisfies_the_statement(coarse: CavityFlow) -> None:
    residuals = statement_residuals(lid_driven_cavity(), coarse, jax.random.key(0), 32)
    conditions = [r.relative for name, r in residuals.items() if not name.startswith("equation")]
    momentum_x, momentum_y, mass = (r.relative for name, r in residuals.items() if name.startswith("equation"))
    assert max(conditions) < 1e-7  # boundary values are interpolated by polynomials
    assert mass < 1e-12  # there is a stream function
    assert max(momentum_x, momentum_y) < 2e-3


def test_corner_functions_carry_the_jump_of_the_lid(coarse: CavityFlow) -> None:
    close = 1e-4
    values = coarse({"x": np.array([close, close]), "y": np.array([1.0, 1 - close])})
    assert values["v[0]"][0] == pytest.approx(4 * close * (1 - close), rel=1e-3)
    stokes = 4 * close + 2 * close * (2 * np.pi / 4 - np.pi)
    assert values["v[0]"][1] == pytest.approx(stokes, rel=1e-2)


def test_error_falls_with_the_degree(coarse: CavityFlow) -> None:
    finer = CavityFlow(100.0, degree=32)
    assert finer.error < coarse.error / 2 < 1e-3
    points = {"x": np.array([0.5, 0.2]), "y": np.array([0.5, 0.8])}
    for name, value in finer(points).items():
        assert np.max(np.abs(value - coarse(points)[name])) < 1e-5


def test_slow_flow_is_symmetric() -> None:
    slow = CavityFlow(1e-3, degree=16)
    y = np.linspace(0.1, 0.9, 5)
    left, right = (slow({"x": np.full(5, x), "y": y}) for x in (0.3, 0.7))
    assert np.max(np.abs(left["v[0]"] - right["v[0]"])) < 1e-5
    assert np.max(np.abs(left["v[1]"] + right["v[1]"])) < 1e-5
