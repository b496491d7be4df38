"""Ordinary differential equations against exact solutions and an independent integrator."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from pde_zoo import heat
from pde_zoo.families import FAMILIES
from sciml import RESULTS, Box, Field, Parameter, Problem, UnsupportedProblemError, coordinates, cos, load, solve
from solvers.classical import InitialValue

(t,) = coordinates("t")
u, v = Field("u", t), Field("v", t)


def box(end: float = 10.0) -> Box:
    return Box({t: (0, end)})


def test_second_order_with_a_forcing_that_depends_on_time():
    domain = box()
    problem = Problem(
        [u.dtt + 4 * u == 3 * cos(t)], domain, [(u == 1).on(domain.at(t=0)), (u.dt == 2).on(domain.at(t=0))]
    )
    solution = solve(problem, InitialValue())
    times = np.linspace(0, 10, 77)
    assert solution.result is RESULTS.successful
    assert solution.stats.extra["error"] < 1e-9
    np.testing.assert_allclose(solution(t=times), np.cos(times) + np.sin(2 * times), atol=1e-9)


def test_a_chaotic_path_agrees_with_another_integrator():
    family = FAMILIES["lorenz"]
    problem = family.problem(family.centre, np.array([1.0, -1.0, 0.5]))
    solution = solve(problem, InitialValue())
    s, r, b = family.centre.values()
    times = np.linspace(0, 6, 50)
    other = solve_ivp(
        lambda _, y: [s * (y[1] - y[0]), y[0] * (r - y[2]) - y[1], y[0] * y[1] - b * y[2]],
        (0, 6), [1.0, -1.0, 0.5], "DOP853", times, rtol=1e-13, atol=1e-13,
    )  # fmt: skip
    assert solution.result is RESULTS.successful
    for i, path in enumerate(solution(t=times).values()):
        np.testing.assert_allclose(path, other.y[i], atol=1e-6)


def test_a_stiff_system_falls_to_the_implicit_method():
    domain = box(2.0)
    problem = Problem(
        [u.dt == -1e6 * (u - cos(t)), v.dt == u - v], domain, [(u == 1).on(domain.at(t=0)), (v == 0).on(domain.at(t=0))]
    )
    solution = solve(problem, InitialValue(rtol=1e-5))
    assert solution.result is RESULTS.successful
    times = np.linspace(0, 2, 20)
    exact = (np.cos(times) + np.sin(times) - np.exp(-times)) / 2
    np.testing.assert_allclose(solution(t=times)["v"], exact, atol=1e-4)


def test_a_solution_that_blows_up_is_no_success():
    domain = box(2.0)
    solution = solve(Problem([u.dt == u**2], domain, [(u == 1).on(domain.at(t=0))]), InitialValue(), throw=False)
    assert solution.result in (RESULTS.nonfinite, RESULTS.max_steps_reached)


def test_the_path_is_saved_and_loaded(tmp_path):
    domain, times = box(1.0), np.linspace(0, 1, 9)
    solution = solve(Problem([u.dt == -u], domain, [(u == 1).on(domain.at(t=0))]), InitialValue())
    loaded = load(solution.save(tmp_path / "path"))
    np.testing.assert_array_equal(loaded(t=times), solution(t=times))


def test_what_it_cannot_solve_is_said():
    domain = box()
    assert "time alone" in InitialValue().check(heat())[0]
    started = [(u == 1).on(domain.at(t=0))]
    unknown = Problem([u.dt == Parameter("k", init=1.0) * u], domain, started)
    assert InitialValue().check(unknown) == ["it needs a number for parameter k"]
    with pytest.raises(UnsupportedProblemError):
        solve(heat(), InitialValue())
