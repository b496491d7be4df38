"""Observations beside nonlinear equations and systems, with conditions and numbers that are missing."""

from __future__ import annotations

import numpy as np
import pytest

from sciml import RESULTS, Box, Field, Parameter, Problem, coordinates, exp, sin, solve
from solvers.gp import KroneckerGP

pytestmark = pytest.mark.filterwarnings("ignore::sciml.errors.ProblemWarning")

NOISE = 0.01
AT = np.random.default_rng(3).uniform(0, 1, 60)
SCATTER = NOISE * np.random.default_rng(4).standard_normal(60)


def cubic(k):
    """u'' - k u³ = f with the solution of k = 5."""
    (x,) = coordinates("x")
    u, w, box = Field("u", x), sin(6 * x) + x, Box({x: (0, 1)})
    return Problem([u.dxx - k * u**3 == w.dxx - 5 * w**3], box, [(u == w).on(box.boundary(x))])


def without_conditions(problem, *observation):
    return problem.observe(*observation).replace(conditions=())


def wave_of_cubic(x):
    return np.sin(6 * x) + x


def test_a_nonlinear_equation_takes_observations_in_place_of_conditions():
    problem = without_conditions(cubic(5.0), "u", {"x": AT}, wave_of_cubic(AT) + SCATTER, NOISE)
    solution = solve(problem, KroneckerGP())
    assert solution.result is RESULTS.successful
    x = np.linspace(0, 1, 201)
    error, deviation = solution(x=x) - wave_of_cubic(x), solution.std(x=x)
    assert np.mean(np.abs(error) <= 2 * deviation) >= 0.9
    assert np.sqrt(np.mean(error**2)) < NOISE / 2
    assert 1e-3 < np.sqrt(np.mean(deviation**2)) < 3e-3  # two numbers from 60 values: NOISE √(2 / 60) = 1.8e-3


@pytest.mark.parametrize("k", [0.0, 15.0, 60.0])
def test_without_conditions_the_error_is_that_of_the_observations(k):
    (x,) = coordinates("x")
    u, w, box = Field("u", x), sin(6 * x) + x, Box({x: (0, 1)})
    problem = Problem([u.dxx - k * u == w.dxx - k * w], box, [(u == w).on(box.boundary(x))])
    solution = solve(without_conditions(problem, "u", {"x": AT}, wave_of_cubic(AT) + SCATTER, NOISE), KroneckerGP())
    inside = np.linspace(0, 1, 201)
    error = np.sqrt(np.mean((solution(x=inside) - wave_of_cubic(inside)) ** 2))
    deviation = np.sqrt(np.mean(solution.std(x=inside) ** 2))
    assert solution.result is RESULTS.successful
    assert 1e-3 < deviation < 3e-3 and error < 2 * deviation  # two numbers from 60 values: NOISE √(2 / 60) = 1.8e-3


def test_a_number_in_a_nonlinear_term_is_inferred():
    unknown = cubic(Parameter("k", init=2.0, positive=True))
    problem = without_conditions(unknown, "u", {"x": AT}, wave_of_cubic(AT) + SCATTER, NOISE)
    found = solve(problem, KroneckerGP())
    estimate = found.parameters["k"]
    assert found.result is RESULTS.successful and estimate.standard_error is not None
    assert abs(estimate.value - 5) < 3 * estimate.standard_error < 3


def test_what_is_observed_may_be_nonlinear():
    (x,) = coordinates("x")
    u, w, box = Field("u", x), exp(sin(5 * x)), Box({x: (0, 1)})
    problem = Problem([u.dxx == w.dxx], box, [(u == w).on(box.boundary(x))])
    values = np.exp(np.sin(5 * AT)) + np.exp(3 * np.sin(5 * AT)) + SCATTER
    solution = solve(without_conditions(problem, u + u**3, {"x": AT}, values, NOISE), KroneckerGP())
    assert solution.result is RESULTS.successful
    inside = np.linspace(0, 1, 201)
    assert np.max(np.abs(solution(x=inside) - np.exp(np.sin(5 * inside)))) < NOISE


def test_one_observed_field_of_a_pair_determines_both():
    (t,) = coordinates("t")
    u, v, box = Field("u", t), Field("v", t), Box({t: (0, 1)})
    conditions = [(u == 0).on(box.at(t=0)), (v == 1).on(box.at(t=0))]
    problem = Problem([u.dt == 7 * v, v.dt == -7 * u], box, conditions)
    problem = without_conditions(problem, "u", {"t": AT}, np.sin(7 * AT) + SCATTER, NOISE)
    solution = solve(problem, KroneckerGP())
    assert solution.result is RESULTS.successful
    inside = np.linspace(0, 1, 101)
    for name, truth in (("u", np.sin(7 * inside)), ("v", np.cos(7 * inside))):
        error, deviation = solution(t=inside)[name] - truth, solution.std(t=inside)[name]
        assert np.sqrt(np.mean(error**2)) < NOISE
        assert np.mean(np.abs(error) <= 2 * deviation) >= 0.9


def test_a_number_of_a_pair_is_inferred():
    (t,) = coordinates("t")
    u, v, rate = Field("u", t), Field("v", t), Parameter("rate", init=5.0, positive=True)
    box = Box({t: (0, 1)})
    conditions = [(u == 0).on(box.at(t=0)), (v == 1).on(box.at(t=0))]
    problem = Problem([u.dt == rate * v, v.dt == -rate * u], box, conditions)
    problem = without_conditions(problem, "u", {"t": AT}, np.sin(7 * AT) + SCATTER, NOISE)
    estimate = solve(problem, KroneckerGP()).parameters["rate"]
    assert estimate.standard_error is not None
    assert abs(estimate.value - 7) < 3 * estimate.standard_error < 0.3
