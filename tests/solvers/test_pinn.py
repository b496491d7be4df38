"""PINN on small problems with exact solutions; each trains a tiny network for a few steps."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sciml import (
    RESULTS,
    Box,
    D,
    Field,
    Law,
    OptionError,
    Parameter,
    Problem,
    UnsupportedProblemError,
    VectorField,
    coordinates,
    cos,
    div,
    exp,
    grad,
    integral,
    laplacian,
    pi,
    sin,
    solve,
    uniform_grid,
    vector,
    where,
)
from sciml.optimise import LevenbergMarquardt
from sciml.strong_form.assessment import outcome
from sciml.strong_form.preparation import formulate
from solvers.pinn import MLP, PINN, Embedding

t, x = coordinates("t x")
u = Field("u", t, x)
(z,) = coordinates("z")
w = Field("w", z)
LINE = Box({z: (0, 1)})
STRIP = Box({t: (0, 1), x: (0, 1)})


def tiny(steps=40, width=8, **options):
    optimiser = LevenbergMarquardt(max_steps=steps, tolerance=1e-7)
    return PINN(network=MLP(width=width, depth=2), optimiser=optimiser, **options)


def relative_errors(solution):
    grid = uniform_grid(solution.problem.box, 17)
    return {name: e["relative_l2"] for name, e in solution.errors(solution.problem.reference, grid).items()}


def heat(k=0.2, **options):
    rate = Parameter("k", k, init=1.0, positive=True)
    conditions = [(u == sin(pi * x)).on(STRIP.at(t=0)), (u == 0).on(STRIP.boundary(x))]
    return Problem([u.dt == rate * u.dxx], STRIP, conditions, **options)


def wave():
    exact = sin(pi * x) * (cos(2 * pi * t) + sin(2 * pi * t) / 2)
    conditions = [
        (u == sin(pi * x)).on(STRIP.at(t=0)),
        (u.dt == pi * sin(pi * x)).on(STRIP.at(t=0)),
        (u == 0).on(STRIP.boundary(x)),
    ]
    return Problem([u.dtt == 4 * u.dxx], STRIP, conditions, exact={u: exact})


def test_initial_value_and_rate_are_exact_before_and_after_training():
    solution = solve(wave(), tiny(steps=80))
    assert solution.result is RESULTS.successful
    assert relative_errors(solution)["u"] < 1e-2
    xs = np.linspace(0, 1, 31)
    np.testing.assert_allclose(solution(t=0.0, x=xs), np.sin(np.pi * xs), atol=1e-13)
    np.testing.assert_allclose(solution(t=np.linspace(0, 1, 31), x=1.0), 0.0, atol=1e-13)

    def at(time):
        return solution.representation({"t": jnp.full(31, time), "x": jnp.asarray(xs)})["u"]

    rate = jax.jvp(at, (0.0,), (1.0,))[1]
    np.testing.assert_allclose(rate, np.pi * np.sin(np.pi * xs), atol=1e-12)


def test_poisson_with_data_on_every_face():
    a, b = coordinates("a b")
    v = Field("v", a, b)
    box = Box({a: (0, 1), b: (-1, 1)})
    exact = sin(pi * a) * cos(pi * b / 2) + a * b
    equation = laplacian(v) == -1.25 * pi**2 * sin(pi * a) * cos(pi * b / 2)
    solution = solve(Problem([equation], box, [(v == exact).on(box.boundary)], exact={v: exact}), tiny())
    assert solution.result is RESULTS.successful
    assert relative_errors(solution)["v"] < 5e-4
    assert solution.stats.extra["fresh_residual"] < 1e-2
    edge = np.linspace(0, 1, 21)
    np.testing.assert_allclose(solution(a=edge, b=1.0), edge, atol=1e-13)


def test_soft_faces_are_met_as_well_as_the_equation():
    problem = Problem([w.dzz == -sin(pi * z)], LINE, [(w == 1).on(LINE.boundary)], exact={w: 1 + sin(pi * z) / pi**2})
    solution = solve(problem, tiny(hard=False))
    assert solution.result is RESULTS.successful
    assert relative_errors(solution)["w"] < 1e-3
    assert 1e-13 < np.abs(solution(z=np.array([0.0, 1.0])) - 1).max() < 1e-3


@pytest.mark.parametrize(("axes", "soft"), [(3, 0), (4, 8)])
def test_faces_of_more_than_three_axes_are_residuals(axes, soft):
    names = coordinates(" ".join("abcd"[:axes]))
    v, box = Field("v", *names), Box(dict.fromkeys(names, (0, 1)))
    problem = Problem([laplacian(v) == 0], box, [(v == names[0] * names[1]).on(box.boundary)])
    formulation, _ = formulate(problem, tiny(), jax.random.key(0))
    assert len(formulation.soft) == soft


def test_periodic_axes_are_exactly_periodic():
    ring = Box({t: (0, 1), x: (0, 2)}, periodic=x)
    problem = Problem([u.dt + u.dx == 0], ring, [(u == sin(pi * x)).on(ring.at(t=0))], exact={u: sin(pi * (x - t))})
    solution = solve(problem, tiny())
    assert relative_errors(solution)["u"] < 5e-3
    times = np.linspace(0, 1, 9)
    np.testing.assert_allclose(solution(t=times, x=0.0), solution(t=times, x=2.0), atol=1e-13)
    slopes = [
        jax.vmap(jax.grad(lambda s, time: solution.representation({"t": time[None], "x": s[None]})["u"][0]))(
            jnp.full(9, end), jnp.asarray(times)
        )
        for end in (0.0, 2.0)
    ]
    np.testing.assert_allclose(slopes[0], slopes[1], atol=1e-11)


def test_neumann_and_robin_faces():
    conditions = [(w.dz == 1).on(LINE.lower(z)), (w + w.dz == 2 * np.e).on(LINE.upper(z))]
    solution = solve(Problem([w.dzz == w], LINE, conditions, exact={w: exp(z)}), tiny())
    assert solution.result is RESULTS.successful
    assert relative_errors(solution)["w"] < 1e-3


def test_stokes_flow_with_a_gauge():
    a, b = coordinates("a b")
    v, p = VectorField("v", 2, a, b), Field("p", a, b)
    box = Box({a: (0, 1), b: (0, 1)})
    flow = vector(sin(pi * a) * cos(pi * b), -cos(pi * a) * sin(pi * b))
    force = (2 * pi**2 * flow[0] + b, 2 * pi**2 * flow[1] + a)
    problem = Problem(
        [-laplacian(v) + grad(p) == force, div(v) == 0],
        box,
        [(v == flow).on(box.boundary), (integral(p, a, b) == 0).on(box)],
        exact={v: flow, p: a * b - 0.25},
    )
    errors = relative_errors(solve(problem, tiny(width=14)))
    assert errors["v[0]"] < 2e-3
    assert errors["v[1]"] < 2e-3
    assert errors["p"] < 5e-2


def test_fourth_order_beam_with_clamped_ends():
    equation = D(w, z, z, z, z) == -8 * pi**4 * cos(2 * pi * z)
    conditions = [(w == 0).on(LINE.boundary), (w.dz == 0).on(LINE.boundary)]
    problem = Problem([equation], LINE, conditions, exact={w: sin(pi * z) ** 2})
    optimiser = LevenbergMarquardt(max_steps=80)
    solution = solve(problem, PINN(network=MLP(width=12, depth=1, first_scale=4.0), optimiser=optimiser))
    assert solution.result is RESULTS.successful
    assert relative_errors(solution)["w"] < 2e-3


def test_a_bound_law_is_differentiated():
    """-(D(w) w')' = s with D(w) = 1 + w² and w = sin(pi z) by construction of s."""
    law = Law("diffusivity", w)
    flux = (1 + sin(pi * z) ** 2) * pi * cos(pi * z)
    problem = Problem([-div(law * grad(w)) == -D(flux, z)], LINE, [(w == 0).on(LINE.boundary)], exact={w: sin(pi * z)})
    assert "diffusivity" in PINN().check(problem)[0]
    solution = solve(problem.bind("diffusivity", lambda v: 1 + v**2), tiny(steps=60))
    assert relative_errors(solution)["w"] < 1e-3


def observed_heat(noise, seed, count=100):
    generator = np.random.default_rng(seed)
    points = {"t": generator.uniform(0, 1, count), "x": generator.uniform(0, 1, count)}
    truth = np.exp(-0.2 * np.pi**2 * points["t"]) * np.sin(np.pi * points["x"])
    values = truth + noise * generator.normal(size=count)
    return heat(k=None).observe("u", points, values, noise=noise)


def test_an_unknown_diffusivity_is_recovered_with_honest_standard_errors():
    scores, errors = [], []
    for seed in range(8):
        solution = solve(observed_heat(0.05, seed), tiny(steps=60), key=seed)
        estimate = solution.parameters["k"]
        scores.append((estimate.value - 0.2) / estimate.standard_error)
        errors.append(estimate.standard_error)
    assert solution.result is RESULTS.successful
    assert np.mean(np.abs(scores) < 1.96) >= 6 / 8
    assert 0.4 < np.sqrt(np.mean(np.square(scores))) < 2.0
    assert np.mean(errors) == pytest.approx(0.005, rel=0.3)


def test_a_run_that_stops_before_it_fits_gives_no_standard_error():
    solution = solve(observed_heat(0.05, 0), tiny(steps=60), budget=1e-6)
    assert solution.result is RESULTS.budget_exhausted
    assert solution.parameters["k"].standard_error is None


def test_heteroscedastic_noise_and_a_prior():
    """Half of the values are worthless; told so, the fit ignores them. A sharp wrong prior is believed."""
    generator = np.random.default_rng(3)
    points = {"t": generator.uniform(0, 1, 100), "x": generator.uniform(0, 1, 100)}
    noise = np.where(np.arange(100) < 50, 0.01, 2.0)
    truth = np.exp(-0.2 * np.pi**2 * points["t"]) * np.sin(np.pi * points["x"])
    values = truth + noise * generator.normal(size=100)
    estimate = solve(heat(k=None).observe("u", points, values, noise=noise), tiny(steps=60)).parameters["k"]
    assert abs(estimate.value - 0.2) < 3 * estimate.standard_error
    assert estimate.standard_error < 0.01
    rate = Parameter("k", init=1.0, positive=True, prior=(np.log(0.3), 1e-4))
    conditions = [(u == sin(pi * x)).on(STRIP.at(t=0)), (u == 0).on(STRIP.boundary(x))]
    believed = Problem([u.dt == rate * u.dxx], STRIP, conditions).observe("u", points, truth, noise=0.05)
    assert solve(believed, tiny(steps=60)).parameters["k"].value == pytest.approx(0.3, rel=5e-3)


def test_an_unknown_coefficient_field():
    a = Field("a", z)
    source = D(exp(z) * pi * cos(pi * z), z)
    zs = np.linspace(0, 1, 41)
    with pytest.warns(UserWarning, match="measured values"):
        problem = Problem(
            [D(a * w.dz, z) == source],
            LINE,
            [(w == 0).on(LINE.boundary), (a == 1).on(LINE.lower(z))],
            exact={w: sin(pi * z), a: exp(z)},
        )
    solution = solve(problem.observe("w", {"z": zs}, np.sin(np.pi * zs), noise=1e-4), tiny(steps=60))
    assert relative_errors(solution)["a"] < 1e-2


def test_a_new_number_does_not_recompile():
    first = solve(heat(k=0.2), tiny(steps=3))
    assert first.stats.compile > 0.1
    second = solve(heat(k=0.3), tiny(steps=3))
    assert second.stats.compile < 0.2 * first.stats.compile
    grid = {"t": 0.5, "x": 0.5}
    assert abs(first(**grid) - second(**grid)) > 1e-6


def test_keys_decide_the_run():
    runs = [solve(heat(), tiny(steps=3), key=key).history["loss"] for key in (1, 1, 2)]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


def test_data_that_disagree_at_corners_leave_a_soft_condition():
    box = Box({t: (0, 1), x: (0, 1)})
    conditions = [(u == 1).on(box.at(t=0)), (u == 0).on(box.boundary(x))]
    with pytest.warns(UserWarning, match="jump"):
        problem = Problem([u.dt == u.dxx], box, conditions)
    formulation, weights = formulate(problem, tiny(), jax.random.key(0))
    assert [c.kind.value for c in formulation.soft] == ["initial"]
    fields = formulation.ansatz.fields(weights, formulation.numbers)
    assert abs(fields({"t": jnp.asarray(0.4), "x": jnp.asarray(1.0)})["u"]) < 1e-13


def test_rough_data_are_soft():
    step = where(x < 0.5, 1.0, 0.0) * sin(pi * x) * 0 + where(x < 0.5, x, 1 - x)
    problem = Problem([u.dt == u.dxx], STRIP, [(u == step).on(STRIP.at(t=0)), (u == 0).on(STRIP.boundary(x))])
    formulation, _ = formulate(problem, tiny(), jax.random.key(0))
    assert [c.kind.value for c in formulation.soft] == ["initial"]


def test_points_follow_the_residual():
    problem = Problem(
        [u.dt == u.dxx + 50 * exp(-1000 * (x - 0.3) ** 2)],
        STRIP,
        [(u == 0).on(STRIP.at(t=0)), (u == 0).on(STRIP.boundary(x))],
    )
    formulation, weights = formulate(problem, tiny(adaptive_share=0.5, num_points=400), jax.random.key(0))
    points = formulation.adaptive(jax.random.key(1), weights)[0].points[0]
    assert points["x"].shape == (400,)
    near = float(jnp.mean(jnp.abs(points["x"] - 0.3) < 0.1))
    even = formulation.uniform(jax.random.key(1), weights)[0].points[0]
    assert near > 0.38 > 1.5 * float(jnp.mean(jnp.abs(even["x"] - 0.3) < 0.1))


@pytest.mark.parametrize(
    ("trained", "fresh", "expected"),
    [
        (RESULTS.successful, 1e-3, RESULTS.successful),
        (RESULTS.successful, 0.3, RESULTS.stagnated),
        (RESULTS.budget_exhausted, 0.3, RESULTS.budget_exhausted),
        (RESULTS.budget_exhausted, 1e-3, RESULTS.successful),
        (RESULTS.interrupted, 1e-3, RESULTS.interrupted),
        (RESULTS.max_steps_reached, float("nan"), RESULTS.nonfinite),
        (RESULTS.nonfinite, 1e-3, RESULTS.nonfinite),
    ],
)
def test_success_is_decided_on_fresh_points(trained, fresh, expected):
    assert outcome(trained, fresh, tolerance=1e-2) is expected


def test_callback_and_budget_reach_the_optimiser():
    seen = []
    solution = solve(heat(), tiny(), callback=lambda state: seen.append(state.step) or len(seen) == 2)
    assert solution.result is RESULTS.interrupted
    assert seen == [1, 2]
    short = solve(heat(), tiny(steps=10_000, tolerance=1e-9), budget=1.0)
    assert short.result is RESULTS.budget_exhausted
    assert short.stats.total < 3.0


def test_orders_above_four_are_refused():
    ring = Box({t: (0, 1), x: (0, 1)}, periodic=x)
    problem = Problem([u.dt + D(u, x, x, x, x, x) + u == 0], ring, [(u == sin(2 * pi * x)).on(ring.at(t=0))])
    with pytest.raises(UnsupportedProblemError, match="order 5"):
        solve(problem, PINN())


@pytest.mark.parametrize(
    "build",
    [
        lambda: PINN(num_points=0),
        lambda: PINN(adaptive_share=1.5),
        lambda: PINN(condition_weight=0.0),
        lambda: PINN(resample_every=0),
        lambda: MLP(width=0),
        lambda: MLP(first_scale=-1.0),
        lambda: Embedding(harmonics=0),
        lambda: Embedding(fourier_features=-1),
    ],
)
def test_bad_options_end_in_a_sentence(build):
    with pytest.raises(OptionError, match="needed"):
        build()


def test_random_fourier_features_are_part_of_the_architecture():
    embedding = Embedding(fourier_features=5, scale=2.0)
    point, bounds = {"z": jnp.asarray(0.3)}, {"z": (0.0, 1.0)}
    features = embedding(point, ("z",), frozenset(), bounds)
    assert features.shape == (embedding.size(("z",), frozenset()),) == (11,)
    np.testing.assert_array_equal(
        features, Embedding(fourier_features=5, scale=2.0)(point, ("z",), frozenset(), bounds)
    )
    assert not np.allclose(
        features, Embedding(fourier_features=5, scale=2.0, seed=1)(point, ("z",), frozenset(), bounds)
    )
    np.testing.assert_allclose(features[1:6] ** 2 + features[6:] ** 2, 1.0, rtol=1e-12)
