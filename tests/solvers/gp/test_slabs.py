"""Time in slabs: each starts where the one before ended, and knows how well that is known."""

from __future__ import annotations

import numpy as np
import pytest

from sciml import (
    RESULTS,
    Box,
    Field,
    Problem,
    UnsupportedProblemError,
    coordinates,
    cos,
    exp,
    laplacian,
    load,
    sin,
    solve,
)
from solvers.gp import KroneckerGP, StudentT

PI = np.pi


def heat(end=1.0):
    t, x = coordinates("t x")
    u, w, box = Field("u", t, x), exp(-t) * sin(9 * x), Box({t: (0, end), x: (0, 1)})
    conditions = [(u == w).on(box.at(t=0)), (u == w).on(box.boundary(x))]
    return Problem([u.dt - u.dxx == w.dt - w.dxx], box, conditions, exact={u: w})


def reaction():
    t, x = coordinates("t x")
    u, w, box = Field("u", t, x), exp(-t) * cos(3 * x), Box({t: (0, 1), x: (0, 1)})
    conditions = [(u == w).on(box.at(t=0)), (u == w).on(box.boundary(x))]
    return Problem([u.dt - u.dxx + u**2 == w.dt - w.dxx + w**2], box, conditions, exact={u: w})


def wave(end=2.0):
    t, x = coordinates("t x")
    u, box = Field("u", t, x), Box({t: (0, end), x: (0, 1)})
    w = sin(2 * PI * x) * cos(2 * PI * t)
    conditions = [(u == w).on(box.at(t=0)), (u.dt == 0).on(box.at(t=0)), (u == 0).on(box.boundary(x))]
    return Problem([u.dtt == u.dxx], box, conditions, exact={u: w})


@pytest.mark.parametrize(("build", "bound"), [(heat, 1e-7), (reaction, 1e-7), (wave, 1e-8)])
def test_three_slabs_are_one_solution(build, bound):
    problem = build()
    solution = solve(problem, KroneckerGP(slabs=3))
    assert solution.result is RESULTS.successful
    assert solution.stats.extra["slabs"] == 3
    rng = np.random.default_rng(0)
    inside = {x: rng.uniform(*b, 300) for x, b in problem.box.bounds.items()}
    error = solution(**inside) - np.asarray(problem.reference(inside)["u"])
    assert np.linalg.norm(error) <= bound * np.linalg.norm(problem.reference(inside)["u"])
    assert np.mean(np.abs(error) <= 2 * solution.std(**inside)) >= 0.9


def test_slabs_meet():
    solution = solve(wave(), KroneckerGP(slabs=2))
    x = np.linspace(0, 1, 21)
    before, after = (solution(t=1 + side, x=x) for side in (-1e-9, 1e-9))
    np.testing.assert_allclose(before, after, atol=1e-7)


def test_a_march_is_saved_and_loaded(tmp_path):
    solution = solve(heat(), KroneckerGP(slabs=2))
    again = load(solution.save(tmp_path))
    at = {"t": np.array([0.2, 0.5, 0.9]), "x": np.array([0.1, 0.5, 0.7])}
    np.testing.assert_array_equal(again(**at), solution(**at))
    np.testing.assert_array_equal(again.std(**at), solution.std(**at))
    assert again.spectrum().keys() == {"t", "x"}


def test_a_spent_budget_ends_the_march_and_is_said():
    solution = solve(heat(), KroneckerGP(slabs=4), budget=1e-3)
    assert solution.result is RESULTS.budget_exhausted
    assert solution.stats.extra["reached"] < 1


def steady():
    x, y = coordinates("x y")
    u, box = Field("u", x, y), Box({x: (0, 1), y: (0, 1)})
    return Problem([laplacian(u) == sin(x)], box, [(u == 0).on(box.boundary)])


@pytest.mark.parametrize(
    ("problem", "solver"),
    [
        (steady(), KroneckerGP(slabs=2)),
        (wave(), KroneckerGP(slabs=2, shape=StudentT())),
        (heat().observe("u", {"t": [0.5], "x": [0.5]}, [0.1], 0.1), KroneckerGP(slabs=2)),
    ],
    ids=["no time", "rough lines of second order", "observations"],
)
def test_what_cannot_march_is_refused(problem, solver):
    with pytest.raises(UnsupportedProblemError, match="slabs"):
        solve(problem, solver)
