"""Baselines that solve nothing give exactly what they claim."""

from __future__ import annotations

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from pde_zoo import burgers, jelly_drop, poisson
from sciml import Box, Field, Problem, coordinates, load, pi, sin, solve, uniform_grid
from solvers.trivial import Lift, Zero


def test_zero_is_zero_and_its_relative_error_is_one(tmp_path: Path) -> None:
    problem = burgers()
    solution = solve(problem, Zero())
    grid = uniform_grid(problem.box, {"t": 5, "x": 33})
    assert solution.errors(problem.reference, grid)["u"]["relative_l2"] == pytest.approx(1.0, abs=1e-14)
    assert not np.any(load(solution.save(tmp_path))(t=0.5, x=0.25))


def test_the_lift_holds_initial_data_between_the_data_of_the_faces(tmp_path: Path) -> None:
    t, x = coordinates("t x")
    u = Field("u", t, x)
    box = Box({t: (0, 2), x: (0, 1)})
    conditions = [(u == sin(pi * x)).on(box.at(t=0)), (u == t).on(box.at(x=0)), (u == 0).on(box.at(x=1))]
    solution = solve(Problem([u.dt == u.dxx], box, conditions), Lift())
    xs = np.linspace(0, 1, 11)
    np.testing.assert_allclose(solution(t=1.5, x=xs), np.sin(np.pi * xs) + 1.5 * (1 - xs), atol=1e-14)
    np.testing.assert_array_equal(load(solution.save(tmp_path))(t=1.5, x=xs), solution(t=1.5, x=xs))


def test_the_lift_says_where_there_is_nothing_to_hold() -> None:
    x, y = coordinates("x y")
    u = Field("u", x, y)
    box = Box({x: (0, 1), y: (0, 1)}, periodic=(x, y))
    free = Problem([u.dxx + u.dyy - u == sin(2 * pi * x)], box)
    assert Lift().check(free) == ["no condition gives initial or Dirichlet data that can be held"]
    assert Lift().check(poisson()) == []
    assert "not a Box" in Lift().check(jelly_drop())[0]
    assert bool(jnp.all(jnp.asarray(solve(free, Zero())(x=0.5, y=0.5)) == 0))
