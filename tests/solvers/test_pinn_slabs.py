"""PINN in slabs of time, and what is handed on between them."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sciml import RESULTS, Box, Field, Parameter, Problem, coordinates, cos, laplacian, load, pi, sin, solve
from sciml.errors import UnsupportedProblemError
from sciml.optimise import LevenbergMarquardt
from sciml.strong_form.slabs import Trace, slab_problem
from solvers.pinn import MLP, PINN

t, x = coordinates("t x")
u = Field("u", t, x)
STRIP = Box({t: (0, 2), x: (0, 1)})
RING = Box({t: (0, 1), x: (-1, 1)}, periodic=x)


def wave():
    truth = sin(pi * x) * cos(pi * t)
    conditions = [
        (u == sin(pi * x)).on(STRIP.at(t=0)),
        (u.dt == 0).on(STRIP.at(t=0)),
        (u == 0).on(STRIP.boundary(x)),
    ]
    return Problem([u.dtt == u.dxx], STRIP, conditions, exact={u: truth})


def marching(slabs, steps=30, **options):
    optimiser = LevenbergMarquardt(max_steps=steps, tolerance=1e-7)
    return PINN(network=MLP(width=8, depth=2), optimiser=optimiser, num_points=300, slabs=slabs, **options)


def smooth(points):
    return {"u": jnp.exp(jnp.sin(jnp.pi * points["x"])) * (1 + points["t"] ** 2)}


@pytest.mark.parametrize("box", [RING, Box({t: (0, 1), x: (-1, 1)})], ids=["periodic", "with ends"])
def test_a_trace_has_the_values_and_the_derivatives_of_its_field(box):
    trace, rate = (Trace.of(smooth, "u", box, "t", 0.5, is_rate) for is_rate in (False, True))
    places = jnp.linspace(-1, 1, 301)
    found, truth = trace, lambda s: smooth({"x": s, "t": 0.5})["u"]
    np.testing.assert_allclose(rate(places), truth(places) / 1.25, rtol=1e-13)
    for tolerance in (1e-14, 1e-11, 1e-8):
        values = jax.vmap(truth)(places)
        np.testing.assert_allclose(jax.vmap(found)(places), values, atol=tolerance * float(jnp.abs(values).max()))
        found, truth = jax.grad(found), jax.grad(truth)


def test_a_trace_of_two_coordinates():
    names = coordinates("t a b")
    box = Box(dict.fromkeys(names, (0, 1)))
    trace = Trace.of(lambda p: {"w": jnp.sin(3 * p["a"] + p["b"]) * p["t"]}, "w", box, "t", 2.0)
    places = np.random.default_rng(0).uniform(size=(2, 50))
    np.testing.assert_allclose(trace(*map(jnp.asarray, places)), 2 * np.sin(3 * places[0] + places[1]), atol=1e-13)


def test_a_slab_starts_from_value_and_rate_of_the_one_before():
    slab = slab_problem(wave(), (0.5, 1.0), lambda p: {"u": jnp.sin(jnp.pi * p["x"]) * jnp.cos(jnp.pi * p["t"])})
    assert slab.box.bounds["t"] == (0.5, 1.0)
    assert [c.kind for c in slab.placed_conditions] == [
        c.kind for c in [*wave().placed_conditions[2:], *wave().placed_conditions[:2]]
    ]
    rate = slab.arguments.coefficients["end_1_of_slab_before"]
    places = jnp.linspace(0, 1, 31)
    np.testing.assert_allclose(rate(places), -np.pi * np.sin(np.pi * places), atol=1e-12)


def test_waves_march_and_are_stored(tmp_path):
    solution = solve(wave(), marching(2))
    assert solution.result is RESULTS.successful
    assert solution.stats.extra["slabs"] == 2
    assert set(solution.history["slab"]) == {0, 1}
    times, places = np.linspace(0, 2, 41), np.full(41, 0.4)
    truth = np.sin(0.4 * np.pi) * np.cos(np.pi * times)
    np.testing.assert_allclose(solution(t=times, x=places), truth, atol=1e-2)

    def at(time):
        return solution.representation({"t": time, "x": jnp.full_like(time, 0.3)})["u"]

    for f in (at, lambda time: jax.jvp(at, (time,), (jnp.ones_like(time),))[1]):
        before, after = f(jnp.array([1.0, 1.0 + 1e-9]))
        assert float(before) == pytest.approx(float(after), abs=1e-6), "values and rates go on"
    back = load(solution.save(tmp_path))
    np.testing.assert_array_equal(back(t=1.7, x=0.4), solution(t=1.7, x=0.4))


def test_seconds_are_shared_and_alone_end_the_default():
    solver = PINN(network=MLP(width=4, depth=1), num_points=50, slabs=2)
    decay = Problem([u.dt + u == 0], STRIP, [(u == sin(pi * x)).on(STRIP.at(t=0))])
    solution = solve(decay, solver, budget=1.0, throw=False)
    assert solution.result in (RESULTS.budget_exhausted, RESULTS.successful), "no number of steps ends it"
    assert solution.stats.extra["reached"] == 2.0


def steady():
    a, b = coordinates("a b")
    v, box = Field("v", a, b), Box({a: (0, 1), b: (0, 1)})
    return Problem([laplacian(v) == 0], box, [(v == a).on(box.boundary)])


def inverse():
    k = Parameter("k", init=1.0, positive=True)
    conditions = [(u == sin(pi * x)).on(STRIP.at(t=0)), (u == 0).on(STRIP.boundary(x))]
    problem = Problem([u.dt == k * u.dxx], STRIP, conditions)
    return problem.observe("u", {"t": np.ones(3), "x": np.linspace(0.2, 0.8, 3)}, np.zeros(3))


@pytest.mark.parametrize(("make", "reason"), [(steady, "steady"), (inverse, "observations")])
def test_what_cannot_march_is_refused(make, reason):
    with pytest.raises(UnsupportedProblemError, match=reason):
        solve(make(), marching(2))
