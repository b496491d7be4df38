"""Parameters are recovered from observations, and their standard errors mean what they say."""

from __future__ import annotations

import numpy as np
import pytest

from sciml import RESULTS, Box, Field, Parameter, Problem, UnsupportedProblemError, coordinates, sin, solve
from solvers.gp import KroneckerGP

pytestmark = pytest.mark.filterwarnings("ignore::sciml.errors.ProblemWarning")


def reaction(noise, seed, values=40):
    """u'' - k u = f on [0, 1] with the solution of k = 7, observed."""
    (x,) = coordinates("x")
    u, k, box, w = Field("u", x), Parameter("k", init=3.0, positive=True), Box({x: (0, 1)}), sin(9 * x) + x
    problem = Problem([u.dxx - k * u == w.dxx - 7 * w], box, [(u == w).on(box.boundary(x))])
    random = np.random.default_rng(seed)
    at = random.uniform(0, 1, values)
    measured = np.sin(9 * at) + at + noise * random.standard_normal(values)
    return problem.observe("u", {"x": at}, measured, noise)


def test_standard_errors_are_those_of_the_scatter():
    errors, deviations = [], []
    for seed in range(8):
        solution = solve(reaction(0.02, seed), KroneckerGP())
        estimate = solution.parameters["k"]
        assert solution.result is RESULTS.successful and estimate.standard_error is not None
        errors.append(estimate.value - 7)
        deviations.append(estimate.standard_error)
    assert max(deviations) < 1.5
    assert 0.4 < np.sqrt(np.mean(np.square(np.array(errors) / deviations))) < 1.7


def test_two_parameters_without_boundary_conditions():
    (x,) = coordinates("x")
    u, box, w = Field("u", x), Box({x: (0, 1)}), sin(9 * x) + x
    k, c = Parameter("k", init=3.0, positive=True), Parameter("c", init=0.5)
    source = w.dxx + 2 * w.dx - 7 * w
    problem = Problem([u.dxx + c * u.dx - k * u == source], box, [(u == w).on(box.boundary(x))])
    at = np.random.default_rng(1).uniform(0, 1, 80)
    measured = np.sin(9 * at) + at + 0.002 * np.random.default_rng(2).standard_normal(80)
    problem = problem.observe("u", {"x": at}, measured, 0.002).replace(conditions=())
    found = solve(problem, KroneckerGP()).parameters
    for name, true in (("k", 7.0), ("c", 2.0)):
        spread = found[name].standard_error
        assert spread is not None
        assert abs(found[name].value - true) < 4 * spread < 0.4 * true


def test_unknown_numbers_without_observations_are_refused():
    problem = reaction(0.1, 0).replace(observations=())
    with pytest.raises(UnsupportedProblemError, match="a number for the parameter k, or observations"):
        solve(problem, KroneckerGP())


def test_a_number_of_a_nonlinear_equation_that_its_conditions_determine():
    (x,) = coordinates("x")
    u, k, w, box = Field("u", x), Parameter("k", init=2.0, positive=True), sin(6 * x) + x, Box({x: (0, 1)})
    problem = Problem([u.dxx - k * u**3 == w.dxx - 5 * w**3], box, [(u == w).on(box.boundary(x))])
    random = np.random.default_rng(0)
    at = random.uniform(0, 1, 60)
    measured = np.sin(6 * at) + at + 0.01 * random.standard_normal(60)
    told, untold = (solve(problem.observe("u", {"x": at}, measured, noise), KroneckerGP()) for noise in (0.01, None))
    for solution in (told, untold):
        estimate = solution.parameters["k"]
        assert solution.result is RESULTS.successful and estimate.standard_error is not None
        assert abs(estimate.value - 5) < 3 * estimate.standard_error < 1.0
    inside = np.linspace(0, 1, 101)
    error, deviation = told(x=inside) - (np.sin(6 * inside) + inside), told.std(x=inside)
    assert np.mean(np.abs(error) <= 3 * deviation) >= 0.9  # one number is unknown: all points err together
    assert np.sqrt(np.mean(deviation**2)) < 0.01
    assert untold.stats.extra["noise"] == pytest.approx(0.01, rel=0.3)


def test_a_number_that_observations_do_not_tell_is_said_to_be_open():
    (t,) = coordinates("t")
    u, k, box = Field("u", t), Parameter("k", init=1.0, positive=True), Box({t: (0, 1)})
    problem = Problem([u.dt == k * u], box, [(u == 0).on(box.at(t=0))])
    solution = solve(problem.observe("u", {"t": np.linspace(0.1, 0.9, 9)}, np.zeros(9), 0.1), KroneckerGP())
    assert solution.result is RESULTS.under_resolved
