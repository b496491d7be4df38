"""Scores with answers known by hand."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from pde_zoo import heat
from sciml import Box, Field, Problem, coordinates, pi, sin, solve, uniform_grid
from sciml.domains.grids import Grid, gauss_legendre_grid, scattered_grid
from sciml.scores import (
    coverage,
    field_scores,
    h1_seminorm,
    norms,
    over_time,
    spectral_bands,
    statement_of,
    violations,
)
from solvers.classical import Spectral
from solvers.gp import KroneckerGP
from solvers.trivial import Lift, Zero

t, x = coordinates("t x")
BOX = Box({t: (0, 2), x: (0, 1)})


def grid(**n: int) -> Grid:
    return uniform_grid(BOX, n or {"t": 5, "x": 201})


def test_norms_are_relative_to_the_truth_and_absolute_where_it_vanishes() -> None:
    own = grid()
    weights, one = np.asarray(own.quadrature()), np.ones(own.shape)
    found = norms(3 * one, 2 * one, weights)
    assert found == pytest.approx({"relative_l1": 0.5, "relative_l2": 0.5, "max": 1.0, "relative_max": 0.5})
    assert norms(one, 0 * one, weights)["relative_l2"] == pytest.approx(np.sqrt(2))  # the volume is 2


def test_the_h1_seminorm_weighs_an_error_by_its_frequency() -> None:
    own = grid(t=5, x=401)
    xs = np.asarray(own.points()["x"])
    truth, error = np.sin(np.pi * xs), 1e-3 * np.sin(8 * np.pi * xs)
    assert h1_seminorm(truth + error, truth, own) == pytest.approx(8e-3, rel=1e-3)
    assert h1_seminorm(truth, truth, uniform_grid(BOX, {"t": 2, "x": 9})) is None
    assert h1_seminorm(xs, np.ones_like(xs), own) is None


def test_an_error_falls_into_the_band_of_its_half_waves() -> None:
    own = grid()
    k = np.arange(201)
    truth = np.ones(own.shape)
    for waves, band in ((3, "low"), (4, "low"), (5, "middle"), (16, "middle"), (17, "high")):
        error = 0.1 * np.cos(np.pi * waves * (k + 0.5) / 201) * np.ones(own.shape)
        found = spectral_bands(truth + error, truth, own)
        assert found is not None and found.pop(band) == pytest.approx(0.1 / np.sqrt(2))
        assert max(found.values()) < 1e-12
    assert spectral_bands(truth, truth, gauss_legendre_grid(BOX, 7)) is None


def test_errors_over_time_and_the_defect_of_the_integral() -> None:
    own = grid()
    ts = np.asarray(own.points()["t"])
    found = over_time(1 + 0.1 * ts, np.ones(own.shape), own, "t")
    assert found is not None
    assert found["time"] == [0.0, 0.5, 1.0, 1.5, 2.0]
    np.testing.assert_allclose(found["relative_l2"], [0, 0.05, 0.1, 0.15, 0.2], atol=1e-14)
    np.testing.assert_allclose(found["integral_defect"], found["relative_l2"])
    assert over_time(ts, ts, own, None) is None


def test_coverage_of_a_gaussian_that_is_honest_and_of_one_that_is_not() -> None:
    own = uniform_grid(BOX, {"t": 401, "x": 401})
    error = np.random.default_rng(0).standard_normal(own.shape)
    weights, zero = np.asarray(own.quadrature()), np.zeros(own.shape)
    honest = coverage(error, zero + 1, zero, weights)
    assert honest == pytest.approx({"one_std": 0.683, "two_std": 0.954, "ratio": 1.0}, abs=0.01)
    assert coverage(error, zero + 0.1, zero, weights)["ratio"] == pytest.approx(10, rel=0.02)


def test_violations_tell_solutions_from_guesses() -> None:
    problem, key = heat(), jax.random.key(3)
    good = violations(solve(problem, Spectral()), key)
    held = violations(solve(problem, Lift()), key)
    nothing = violations(solve(problem, Zero()), key)
    assert good is not None and held is not None and nothing is not None
    assert good["equation"] < 1e-6 and good["condition"] < 1e-9
    assert held["equation"] > 0.1 and held["condition"] < 1e-12
    assert nothing["equation"] == 0 and nothing["condition"] == pytest.approx(1, rel=0.1)
    assert problem.reference is not None
    residual = statement_of(problem, problem.reference, key)
    assert residual is not None and residual < 1e-12


def test_scores_of_a_solution_with_uncertainty_and_on_scattered_points() -> None:
    (z,) = coordinates("z")
    u = Field("u", z)
    box = Box({z: (0, 1)})
    problem = Problem([u.dzz == -(pi**2) * sin(pi * z)], box, [(u == 0).on(box.boundary)], exact={u: sin(pi * z)})
    solution, own = solve(problem, KroneckerGP()), uniform_grid(box, 101)
    truth = problem.reference({"z": own.nodes["z"]})
    scores = field_scores(own, solution, truth)["u"]
    assert set(scores["coverage"]) == {"one_std", "two_std", "ratio"} and scores["over_time"] is None
    assert scores["relative_l2"] < 1e-6 and scores["h1"] < 1e-3
    points = scattered_grid(box, 64)
    few = field_scores(points, solution, problem.reference(points.points()))["u"]
    assert "h1" not in few and few["relative_l2"] < 1e-6
