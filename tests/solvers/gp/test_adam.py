"""The published algorithm against the numbers of its published run."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sciml import Box, Field, Problem, UnsupportedProblemError, coordinates, normal_derivative, sin, solve
from solvers.gp.adam import AdamGP


def problem():
    (x,) = coordinates("x")
    u, box, w = Field("u", x), Box({x: (0, 2 * np.pi)}), sin(100 * x)
    return Problem([u.dxx == w.dxx], box, [(u == w).on(box.boundary(x))], exact={u: w})


def test_ninety_six_steps_give_the_published_error():
    solution = solve(problem(), AdamGP(steps=96))
    points = np.linspace(0, 2 * np.pi, 300)
    truth = np.sin(100 * points)
    error = np.linalg.norm(solution(x=points) - truth) / np.linalg.norm(truth)
    assert_allclose(solution.history["loss"][0], 9.97500e9, rtol=1e-5)
    assert_allclose(error, 0.27562065, atol=5e-8)


def test_conditions_on_slopes_are_refused():
    (x,) = coordinates("x")
    u, box = Field("u", x), Box({x: (0, 1)})
    conditions = [(normal_derivative(u) == 0).on(box.lower(x)), (u == 0).on(box.upper(x))]
    with pytest.raises(UnsupportedProblemError, match="values of u on faces"):
        solve(Problem([u.dxx == 1], box, conditions), AdamGP())
