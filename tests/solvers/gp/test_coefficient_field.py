"""Coefficient fields inferred from observations of the state: accuracy, coverage, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from sciml import (
    RESULTS,
    Box,
    D,
    Field,
    Parameter,
    Problem,
    UnsupportedProblemError,
    coordinates,
    cos,
    div,
    exp,
    grad,
    load,
    pi,
    sin,
    solve,
)
from solvers.gp import KroneckerGP

pytestmark = pytest.mark.filterwarnings("ignore::sciml.errors.ProblemWarning")

POINTS = np.linspace(0.01, 0.99, 25)


def observed(problem, state, count, noise, seed, known=True):
    """The problem with values of a state at random points, under noise relative to its standard deviation."""
    rng = np.random.default_rng(seed)
    points = {name: rng.uniform(lower, upper, count) for name, (lower, upper) in problem.box.bounds.items()}
    clean = state(**points)
    sigma = noise * np.std(clean)
    return problem.observe("u", points, clean + sigma * rng.standard_normal(count), sigma if known else None)


def steady(count=200, seed=0, known=True):
    (x,) = coordinates("x")
    u, a, box = Field("u", x), Field("a", x), Box({x: (0, 1)})
    w, truth = sin(2 * pi * x) + x, 1 + 0.5 * sin(2 * pi * x)
    problem = Problem([-D(a * u.dx, x) == -D(truth * w.dx, x)], box, [(u == w).on(box.boundary(x))])
    return observed(problem, lambda x: np.sin(2 * np.pi * x) + x, count, 0.01, seed, known)


def heat():
    t, x = coordinates("t x")
    u, a, box = Field("u", t, x), Field("a", x), Box({t: (0, 1), x: (0, 1)})
    w, truth = exp(-t) * sin(pi * x) + 0.5 * x * (1 + t), 1 + 0.4 * cos(2 * pi * x) + 0.2 * x
    equation = u.dt - D(a * u.dx, x) == w.dt - D(truth * w.dx, x)
    problem = Problem([equation], box, [(u == w).on(box.at(t=0) | box.boundary(x))])
    return observed(problem, lambda t, x: np.exp(-t) * np.sin(np.pi * x) + 0.5 * x * (1 + t), 300, 0.01, 0)


def darcy():
    x, y = coordinates("x y")
    u, b, box = Field("u", x, y), Field("b", x, y), Box({x: (0, 1), y: (0, 1)})
    w, truth = sin(pi * x) * sin(pi * y) + 0.3 * x, exp(0.5 * sin(2 * pi * x) * cos(pi * y))
    problem = Problem([-div(exp(b) * grad(u)) == -div(truth * grad(w))], box, [(u == w).on(box.boundary)])
    return observed(problem, lambda x, y: np.sin(np.pi * x) * np.sin(np.pi * y) + 0.3 * x, 400, 0.01, 0)


def judge(solution, name, truth, at, logarithmic=False):
    """Relative error of the coefficient, and the share of points where two deviations cover it."""
    found, spread = solution(**at)[name], solution.std(**at)[name]
    covered = float(np.mean(np.abs(found - (np.log(truth) if logarithmic else truth)) <= 2 * spread))
    value = np.exp(found) if logarithmic else found
    return float(np.linalg.norm(value - truth) / np.linalg.norm(truth)), covered


def test_a_conductivity_of_a_steady_equation_and_its_deviation(tmp_path):
    solution = solve(steady(), KroneckerGP())
    error, covered = judge(solution, "a", 1 + 0.5 * np.sin(2 * np.pi * POINTS), {"x": POINTS})
    assert solution.result is RESULTS.successful
    assert error < 0.05
    assert covered >= 0.85
    np.testing.assert_array_equal(load(solution.save(tmp_path))(x=POINTS)["a"], solution(x=POINTS)["a"])


def test_unknown_noise_is_found_beside_the_coefficient():
    problem = steady(known=False)
    solution = solve(problem, KroneckerGP())
    x = problem.observations[0].points["x"]
    np.testing.assert_allclose(solution.stats.extra["noise"], 0.01 * np.std(np.sin(2 * np.pi * x) + x), rtol=0.2)
    assert judge(solution, "a", 1 + 0.5 * np.sin(2 * np.pi * POINTS), {"x": POINTS})[0] < 0.05


def test_a_conductivity_that_does_not_depend_on_time():
    solution = solve(heat(), KroneckerGP(nodes=48))
    truth = 1 + 0.4 * np.cos(2 * np.pi * POINTS) + 0.2 * POINTS
    error, covered = judge(solution, "a", truth, {"t": 0.3, "x": POINTS})
    assert error < 0.05
    assert covered >= 0.85
    np.testing.assert_allclose(solution(t=0.9, x=POINTS)["a"], solution(t=0.3, x=POINTS)["a"], rtol=1e-9)


def test_the_logarithm_of_a_permeability_in_the_plane():
    solution = solve(darcy(), KroneckerGP(nodes=48))
    x, y = np.meshgrid(POINTS, POINTS, indexing="ij")
    truth = np.exp(0.5 * np.sin(2 * np.pi * x) * np.cos(np.pi * y))
    error, covered = judge(solution, "b", truth, {"x": x, "y": y}, logarithmic=True)
    assert error < 0.05
    assert covered >= 0.85


def test_what_cannot_be_inferred_is_refused_with_reasons():
    (x,) = coordinates("x")
    u, v, a, k, box = Field("u", x), Field("v", x), Field("a", x), Parameter("k"), Box({x: (0, 1)})
    conditions = [(u == 0).on(box.boundary(x))]
    blind = Problem([D(a * u.dx, x) == 1], box, conditions)
    with pytest.raises(UnsupportedProblemError, match="observations to infer a"):
        solve(blind, KroneckerGP())
    seen = Problem([D(a * u.dx, x) + k * u == 1], box, conditions).observe("u", {"x": [0.5]}, [0.1], 0.1)
    assert any("parameter k" in r for r in KroneckerGP().check(seen))
    pair = Problem([D(a * u.dx, x) == v, v.dxx == u], box, [*conditions, (v == 0).on(box.boundary(x))]).observe(
        "u", {"x": [0.5]}, [0.1], 0.1
    )
    (reason,) = KroneckerGP().check(pair)
    assert "2 for 3" in reason
