"""The cavity flow satisfies the Navier–Stokes equations and the lid's condition, corners included."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from pde_zoo import lid_driven_cavity
from pde_zoo.cavity_flow import CavityFlow
from sciml.errors import SolveError

RNG = np.random.default_rng(0)
SLOPE = np.array([1, -8, 0, 8, -1]) / 12
BEND = np.array([-1, 16, -30, 16, -1]) / 12
STEP = 2e-3


@pytest.fixture(scope="module")
def coarse() -> CavityFlow:
    return CavityFlow(100.0, degree=20)


def fields(flow: CavityFlow, x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    return {name: np.asarray(v) for name, v in flow({"x": x, "y": y}).items()}


def derivatives(flow: CavityFlow, x: np.ndarray, y: np.ndarray) -> Callable[[str, str], np.ndarray]:
    """Fourth-order central differences: `d("p", "x")`, `d("v[0]", "yy")`."""
    offsets = STEP * np.arange(-2, 3)
    lines = {"x": (x[:, None] + offsets, y[:, None]), "y": (x[:, None], y[:, None] + offsets)}
    sampled = {axis: fields(flow, *line) for axis, line in lines.items()}

    def along(name: str, directions: str) -> np.ndarray:
        weights = SLOPE if len(directions) == 1 else BEND
        return sampled[directions[0]][name] @ weights / STEP ** len(directions)

    return along


def test_satisfies_the_equations(coarse: CavityFlow) -> None:
    x, y = RNG.uniform(0.05, 0.95, (2, 64))
    d, values = derivatives(coarse, x, y), fields(coarse, x, y)
    u, v = values["v[0]"], values["v[1]"]
    assert np.max(np.abs(d("v[0]", "x") + d("v[1]", "y"))) < 1e-6
    for name, axis in (("v[0]", "x"), ("v[1]", "y")):
        convection = u * d(name, "x") + v * d(name, "y")
        residual = convection + d("p", axis) - (d(name, "xx") + d(name, "yy")) / 100
        assert np.max(np.abs(residual)) < 5e-3 * np.max(np.abs(convection))


def test_satisfies_the_conditions(coarse: CavityFlow) -> None:
    s, zero, one = RNG.uniform(0, 1, 64), np.zeros(64), np.ones(64)
    lid = fields(coarse, s, one)
    assert np.max(np.abs(lid["v[0]"] - 4 * s * (1 - s))) < 1e-6
    assert np.max(np.abs(lid["v[1]"])) < 1e-6
    for x, y in ((zero, s), (one, s), (s, zero)):
        wall = fields(coarse, x, y)
        assert max(np.max(np.abs(wall["v[0]"])), np.max(np.abs(wall["v[1]"]))) < 1e-6
    assert fields(coarse, np.array([0.5]), np.array([0.0]))["p"] == pytest.approx(0, abs=1e-12)


def test_corner_functions_carry_the_jump_of_the_lid(coarse: CavityFlow) -> None:
    close = 1e-4
    values = fields(coarse, np.array([close, close]), np.array([1.0, 1 - close]))
    assert values["v[0]"][0] == pytest.approx(4 * close * (1 - close), rel=1e-3)
    stokes = 4 * close + 2 * close * (2 * np.pi / 4 - np.pi)
    assert values["v[0]"][1] == pytest.approx(stokes, rel=1e-2)


def test_error_falls_with_the_degree(coarse: CavityFlow) -> None:
    finer = CavityFlow(100.0, degree=28)
    assert finer.error < coarse.error / 2 < 1e-3
    x, y = np.array([0.5, 0.2]), np.array([0.5, 0.8])
    ours, theirs = fields(finer, x, y), fields(coarse, x, y)
    assert max(np.max(np.abs(ours[name] - theirs[name])) for name in ours) < 1e-4


def test_slow_flow_is_symmetric() -> None:
    slow = CavityFlow(1e-3, degree=14)
    y = np.linspace(0.1, 0.9, 5)
    left, right = (fields(slow, np.full(5, x), y) for x in (0.3, 0.7))
    assert np.max(np.abs(left["v[0]"] - right["v[0]"])) < 1e-5
    assert np.max(np.abs(left["v[1]"] + right["v[1]"])) < 1e-5


def test_a_flow_that_is_not_found_is_no_truth() -> None:
    with pytest.raises(SolveError, match="no steady flow at Reynolds number"):
        CavityFlow(1e5, degree=8)({"x": np.array([0.5]), "y": np.array([0.5])})


def test_follows_the_reynolds_number_of_the_problem() -> None:
    assert lid_driven_cavity().replace(reynolds=50.0).reference == CavityFlow(50.0)
    assert lid_driven_cavity(reynolds=None).reference is None
