"""Observations of the inverse cases: drawn from the truth, with the noise they state, the same for the same seed."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from pde_zoo.suites.inverse import exchange, speed, viscosity
from sciml.statement import statement_residuals

BUILDERS = [viscosity, exchange, speed]


def observed_values(problem):
    return np.concatenate([observation.values for observation in problem.observations])


@pytest.mark.parametrize("build", BUILDERS)
def test_observations_are_the_truth_and_the_noise_they_state(build):
    problem = build(noise=0.05, count=3000)
    for observation in problem.observations:
        truth = np.asarray(problem.reference(observation.points)[repr(observation.expression)])
        size = np.sqrt(np.mean(truth**2))
        assert np.std(observation.values - truth) == pytest.approx(0.05 * size, rel=0.06)
        np.testing.assert_allclose(observation.noise, 0.05 * size)


@pytest.mark.parametrize("build", BUILDERS)
def test_seeds_repeat_and_differ(build):
    np.testing.assert_array_equal(observed_values(build(seed=3)), observed_values(build(seed=3)))
    assert np.abs(observed_values(build(seed=3)) - observed_values(build(seed=4))).max() > 0.1


@pytest.mark.parametrize("build", BUILDERS)
def test_the_numbers_are_unknown_and_not_started_from(build):
    unknown = build().unknown_parameters
    assert {p.name for p in unknown} == {viscosity: {"nu"}, exchange: {"D", "k"}, speed: {"c"}}[build]
    truths = {"nu": 0.05, "D": 0.05, "k": 1.0, "c": 1.0}
    assert all(abs(p.init / truths[p.name] - 1) > 0.25 for p in unknown)


@pytest.mark.parametrize("build", [exchange, speed])
def test_the_truth_solves_the_equations_with_the_true_numbers(build):
    problem = build()
    truths = {"D": 0.05, "k": 1.0, "c": 1.0}
    known = problem.replace(**{p.name: truths[p.name] for p in problem.unknown_parameters})
    residuals = statement_residuals(known, problem.reference, jax.random.key(7), 32)
    assert max(r.relative for r in residuals.values()) < 2e-12
