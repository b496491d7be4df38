"""The adaptive march on ordinary differential equations with exact solutions."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from sciml.results import RESULTS
from solvers.classical.collocation import chebyshev_nodes
from solvers.classical.marching import NODES, Semilinear, march


def _logistic(time, state, rate):
    return rate * state * (1 - state)


def _square(time, state, arguments):
    return state**2


def _forced(time, state, arguments):
    return 200 * jnp.cos(time) - jnp.sin(time) + 0 * state


def _nothing(time, state, arguments):
    return jnp.zeros_like(state)


def _run(system, start, span, rtol=1e-10, **options):
    options = {"refine": lambda state, states: None, "tail": lambda states: 0.0, **options}
    return march(system, np.array([[start]], dtype=complex), span, rtol=rtol, **options)


def _evaluated(trajectory, times):
    values = np.empty(len(times))
    for index, time in enumerate(times):
        panel = next(p for p in trajectory.panels if p.start <= time <= p.end)
        x = (2 * time - panel.start - panel.end) / (panel.end - panel.start)
        values[index] = np.polynomial.chebyshev.chebval(x, panel.coefficients[:, 0, 0].real)
    return values


def test_dense_output_is_accurate_at_any_time():
    trajectory = _run(Semilinear(np.zeros((1, 1), complex), _logistic, jnp.asarray(8.0)), 0.01, (0.0, 3.0))
    assert trajectory.result is RESULTS.successful
    times = np.linspace(0, 3, 301)
    exact = 1 / (1 + 99 * np.exp(-8 * times))
    assert np.max(np.abs(_evaluated(trajectory, times) - exact)) < 1e-9


def test_a_stiff_relaxation_is_resolved_in_its_layer():
    system = Semilinear(np.full((1, 1), -200.0 + 0j), _forced, None)
    trajectory = _run(system, 0.0, (0.0, 2.0))
    times = np.concatenate([np.geomspace(1e-5, 0.1, 50), np.linspace(0.1, 2, 50)])
    exact = np.cos(times) - np.exp(-200 * times)
    assert np.max(np.abs(_evaluated(trajectory, times) - exact)) < 1e-8
    lengths = [panel.end - panel.start for panel in trajectory.panels]
    assert max(lengths) > 4 * min(lengths)


def test_panels_cover_the_span_without_gaps():
    trajectory = _run(Semilinear(np.full((1, 1), 30j), _nothing, None), 1.0, (1.0, 4.0))
    edges = [trajectory.panels[0].start, *(p.end for p in trajectory.panels)]
    assert edges[0] == 1.0
    assert edges[-1] == 4.0
    assert all(a.end == b.start for a, b in zip(trajectory.panels, trajectory.panels[1:], strict=False))
    first = trajectory.panels[0]
    assert first.coefficients.shape == (NODES, 1, 1)
    at = first.start + (first.end - first.start) * (1 + chebyshev_nodes(NODES)) / 2
    values = np.polynomial.chebyshev.chebval(chebyshev_nodes(NODES), first.coefficients[:, 0, 0])
    assert np.max(np.abs(values - np.exp(30j * (at - 1)))) < 1e-12


def test_blow_up_is_not_a_success():
    trajectory = _run(Semilinear(np.zeros((1, 1), complex), _square, None), 1.0, (0.0, 2.0), rtol=1e-6)
    assert trajectory.result in (RESULTS.nonfinite, RESULTS.stagnated)
    assert 0.99 < trajectory.panels[-1].end < 1.0


def test_a_tail_that_cannot_be_refined_is_under_resolved():
    trajectory = _run(Semilinear(np.zeros((1, 1), complex), _nothing, None), 1.0, (0.0, 1.0), tail=lambda states: 1e-3)
    assert trajectory.result is RESULTS.under_resolved
    assert trajectory.space_tail == pytest.approx(1e-3)


def test_an_outcome_of_proceed_ends_the_run():
    system = Semilinear(np.full((1, 1), 400j), _nothing, None)
    trajectory = _run(
        system, 1.0, (0.0, 1.0), proceed=lambda time, steps: RESULTS.budget_exhausted if time > 0.5 else None
    )
    assert trajectory.result is RESULTS.budget_exhausted
    assert 0.5 < trajectory.panels[-1].end < 1.0


def test_new_numbers_do_not_compile_again():
    def run(rate):
        return _run(Semilinear(np.zeros((1, 1), complex), _logistic, jnp.asarray(rate)), 0.5, (0.0, 1.0))

    first = run(1.0)
    second = run(1.1)
    assert second.compile_seconds < max(0.1, first.compile_seconds / 3)
