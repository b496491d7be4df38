"""Observations condition the posterior; the deviation covers; samples scatter as it says; the spectrum is there."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from benchmarks.coverage import coverage, line, plane
from sciml import (
    RESULTS,
    Box,
    Field,
    Problem,
    SolveError,
    coordinates,
    cos,
    load,
    normal_derivative,
    sin,
    solve,
)
from sciml.plotting import plot_spectrum
from solvers.classical import Spectral
from solvers.gp import KroneckerGP, StudentGP
from solvers.gp.representation import ExactDeviation, KroneckerMean

pytestmark = pytest.mark.filterwarnings("ignore::sciml.errors.ProblemWarning")


@pytest.mark.parametrize("known", [True, False], ids=["noise known", "noise unknown"])
@pytest.mark.parametrize(("build", "values"), [(line, 60), (plane, 150)], ids=["line", "plane"])
def test_two_deviations_cover_the_truth_under_ten_percent_of_noise(build, values, known):
    found = coverage(build(), 0.1, known=known, values=values, draws=5)
    assert 0.85 <= found.covered <= 1
    assert 0.5 <= found.ratio <= 1.5


def observed(noise, count=60, seed=0):
    problem = line()
    x = np.random.default_rng(seed).uniform(0, 2 * np.pi, count)
    values = np.sin(x) + 0.5 * np.sin(20 * x) + noise * np.random.default_rng(seed + 1).standard_normal(count)
    return problem.observe("u", {"x": x}, values, noise).replace(conditions=())


def test_unknown_noise_is_found():
    (o,) = observed(0.05, 400).observations
    blind = line().observe("u", o.points, o.values).replace(conditions=())
    assert_allclose(solve(blind, KroneckerGP()).stats.extra["noise"], 0.05, rtol=0.1)


def test_an_observation_fixes_the_constant_of_a_pure_neumann_problem():
    (x,) = coordinates("x")
    u, box, w = Field("u", x), Box({x: (0, 1)}), cos(np.pi * x) + 3
    dirichlet = Problem([u.dxx == w.dxx], box, [(u == w).on(box.boundary(x))])
    neumann = [(normal_derivative(u) == 0).on(box.boundary(x))]
    problem = dirichlet.observe("u", {"x": [0.5]}, [3.0], 1e-6).replace(conditions=neumann)
    xs = np.linspace(0, 1, 9)
    assert_allclose(solve(problem, KroneckerGP())(x=xs), np.cos(np.pi * xs) + 3, atol=1e-5)


def test_observations_that_contradict_the_equation_are_not_called_a_success():
    given = observed(0.05)
    (o,) = given.observations
    wrong = line().observe("u", o.points, o.values + np.sin(7 * o.points["x"]), 0.05).replace(conditions=())
    assert solve(wrong, KroneckerGP()).result is RESULTS.under_resolved


def test_samples_scatter_as_the_deviation_says():
    solution = solve(observed(0.1), KroneckerGP())
    xs = {"x": np.linspace(0.2, 6.0, 5)}
    spread, mean = solution.deviation, solution.representation
    assert isinstance(spread, ExactDeviation) and isinstance(mean, KroneckerMean)
    at = {"x": jnp.asarray(xs["x"])}
    draws = np.array(jax.vmap(lambda key: spread.draw(mean, key)(at)["u"])(jax.random.split(jax.random.key(0), 4000)))
    assert_allclose(draws.mean(axis=0), solution(**xs), atol=4 * solution.std(**xs).max() / np.sqrt(4000))
    assert_allclose(draws.std(axis=0), solution.std(**xs), rtol=0.05)


@pytest.mark.parametrize("solver", [KroneckerGP(), StudentGP(nodes=200)], ids=["gaussian", "student"])
def test_the_learned_spectrum_is_part_of_the_solution_and_its_file(solver, tmp_path):
    (x,) = coordinates("x")
    u, box, w = Field("u", x), Box({x: (0, 2 * np.pi)}), x + 0.1 * sin(40 * x)
    solution = solve(Problem([u.dxx == w.dxx], box, [(u == w).on(box.boundary(x))]), solver)
    lines = load(solution.save(tmp_path)).spectrum()["x"]
    assert_allclose(lines.frequencies, [0, 40], atol=1e-3)
    assert_allclose(lines.amplitudes[1], 0.1 / np.sqrt(2), rtol=0.05)
    assert len(plot_spectrum(solution).axes) == 2


def test_a_solver_without_a_spectrum_says_so():
    with pytest.raises(SolveError, match="no spectrum"):
        solve(line(), Spectral()).spectrum()
