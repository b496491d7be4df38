"""The pieces of a PINN: architectures, features, causal weights, continuation."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sciml import RESULTS, Box, Field, OptionError, Parameter, Problem, coordinates, load, pi, sin, solve, uniform_grid
from sciml.errors import UnsupportedProblemError
from sciml.optimise import LevenbergMarquardt
from sciml.strong_form.frequencies import data_frequencies
from sciml.strong_form.preparation import formulate
from solvers.pinn import MLP, PINN, SIREN, Embedding, GatedMLP, ResidualNet
from solvers.pinn.causality import CausalDraw, causal_importance

t, x = coordinates("t x")
u = Field("u", t, x)
STRIP = Box({t: (0, 1), x: (0, 1)})


def heat(rate=0.2):
    k = Parameter("k", rate, positive=True)
    truth = sin(pi * x) * (1 + t)
    source = sin(pi * x) + k * pi**2 * truth
    conditions = [(u == sin(pi * x)).on(STRIP.at(t=0)), (u == 0).on(STRIP.boundary(x))]
    return Problem([u.dt == k * u.dxx + source], STRIP, conditions, exact={u: truth})


def oscillating():
    a, b = coordinates("a b")
    v, box = Field("v", a, b), Box({a: (-1, 1), b: (0, 2)})
    truth = sin(4 * pi * a) * sin(5 * pi * b)
    return Problem([v.daa + v.dbb == -41 * pi**2 * truth], box, [(v == 0).on(box.boundary)], exact={v: truth})


def tiny(steps=30, **options):
    optimiser = LevenbergMarquardt(max_steps=steps, tolerance=1e-7)
    return PINN(**{"network": MLP(width=8, depth=2), "optimiser": optimiser, "num_points": 300, **options})


def error_of(problem, solver):
    solution = solve(problem, solver)
    assert solution.result is RESULTS.successful
    (values,) = solution.errors(problem.reference, uniform_grid(problem.box, 21)).values()
    return values["relative_l2"]


@pytest.mark.parametrize("network", [GatedMLP(6, 2), ResidualNet(6, 1), SIREN(8, 2, 2.0)], ids=str)
def test_architectures_solve_and_are_stored(network, tmp_path):
    solution = solve(heat(), tiny(network=network))
    assert solution.result is RESULTS.successful
    errors = solution.errors(solution.problem.reference, uniform_grid(STRIP, 17))
    assert errors["u"]["relative_l2"] < 1e-3
    back = load(solution.save(tmp_path))
    np.testing.assert_array_equal(back(t=0.3, x=0.4), solution(t=0.3, x=0.4))


def test_residual_blocks_begin_as_the_identity():
    network = ResidualNet(width=6, blocks=2)
    weights = network.init(jax.random.key(0), 3, 2)
    z = jnp.array([0.2, -0.4, 0.9])
    matrix, bias = weights["first"]
    last, shift = weights["last"]
    np.testing.assert_allclose(network(weights, z), last @ jnp.tanh(matrix @ z + bias) + shift, rtol=1e-14)


def test_sines_keep_their_size_from_layer_to_layer():
    network = SIREN(width=200, depth=4, frequency=30.0)
    weights = network.init(jax.random.key(1), 2, 1)
    z = jax.random.uniform(jax.random.key(2), (500, 2), minval=-1.0, maxval=1.0)
    for layer in weights[:-1]:
        z = jnp.sin(z @ layer[0].T + layer[1])
        assert 0.6 < float(jnp.std(z)) < 0.8


@pytest.mark.parametrize("make", [lambda: GatedMLP(0), lambda: ResidualNet(8, 0), lambda: SIREN(frequency=-1.0)])
def test_sizes_that_are_not_positive_are_refused(make):
    with pytest.raises(OptionError, match="positive"):
        make()


def test_frequencies_are_read_from_the_source():
    found = dict(data_frequencies(oscillating(), 3))
    np.testing.assert_allclose(found["a"][0], 4 * np.pi, rtol=1e-3)
    np.testing.assert_allclose(found["b"][0], 5 * np.pi, rtol=1e-3)
    assert data_frequencies(heat(), 3) == (), "half a wave is no line"


def test_lines_are_features():
    embedding = Embedding(lines=(("a", (3.0, 5.0)), ("b", (2.0,))))
    bounds = {"a": (jnp.asarray(-1.0), jnp.asarray(1.0)), "b": (jnp.asarray(0.0), jnp.asarray(2.0))}
    point = {"a": jnp.asarray(0.3), "b": jnp.asarray(0.7)}
    z = embedding(point, ("a", "b"), frozenset(), bounds)
    assert embedding.size(("a", "b"), frozenset()) == z.shape[0] == 8
    np.testing.assert_allclose(z[2:6], [*np.cos([3.9, 6.5]), *np.sin([3.9, 6.5])])
    assert embedding.size(("b",), frozenset()) == 3


def test_networks_that_know_the_frequencies_solve_what_others_do_not_start_on():
    (a,) = coordinates("a")
    v, box, truth = Field("v", a), Box({a: (0, 1)}), sin(10 * pi * a)
    problem = Problem([v.daa == -100 * pi**2 * truth], box, [(v == 0).on(box.boundary)], exact={v: truth})
    informed = tiny(steps=40, num_lines=1)
    assert error_of(problem, informed) < 1e-2
    plain = solve(problem, dataclasses.replace(informed, num_lines=0))
    assert plain.errors(problem.reference, uniform_grid(box, 101))["v"]["relative_l2"] > 0.3


def test_importance_falls_where_earlier_times_do_not_hold():
    solver = tiny(causality=2.0, num_points=100)
    formulation, weights = formulate(heat(), solver, jax.random.key(0))
    times = np.array([0.01, 0.2, 0.9])
    importance = causal_importance(times, np.array([3.0, 1.0, 5.0]), (0.0, 1.0), 2.0)
    np.testing.assert_allclose(importance, np.exp([0.0, -3.0, -4.0]))
    block = CausalDraw(formulation.uniform, formulation, 2.0)(jax.random.key(1), weights)[0]
    assert float(block.points[1].max()) == 1.0
    assert float(block.points[1].min()) < 0.9
    earliest = jnp.argsort(block.points[0]["t"])
    assert np.all(np.diff(np.asarray(block.points[1])[earliest]) <= 0)


def test_causal_training_solves_and_is_judged_without_its_weights():
    assert error_of(heat(), tiny(causality=1.0)) < 1e-3


def test_continuation_ends_at_the_problem_s_own_number():
    solver = tiny(continuation=(("k", (1.0, 0.5)),))
    solution = solve(heat(), solver)
    assert solution.parameters["k"].value == 0.2
    assert error_of(heat(), solver) < 1e-3


@pytest.mark.parametrize(
    ("options", "words"), [({"continuation": (("q", (1.0,)),)}, "'q'"), ({"causality": 1.0}, "no time")]
)
def test_pieces_that_do_not_fit_the_problem_are_refused(options, words):
    problem = heat() if "continuation" in options else oscillating()
    with pytest.raises(UnsupportedProblemError, match=words):
        solve(problem, tiny(**options))


@pytest.mark.parametrize("options", [{"num_lines": -1}, {"causality": -1.0}])
def test_negative_options_are_refused(options):
    with pytest.raises(OptionError):
        tiny(**options)
