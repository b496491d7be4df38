"""The loop: budget, callbacks, rollback, resampling, history; and the gradient methods that run in it."""

from __future__ import annotations

import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sciml.errors import OptionError
from sciml.optimise import LBFGS, Adam, LevenbergMarquardt, ResidualBlock, Sequential
from sciml.results import RESULTS
from sciml.training import Resampling

OPTIMISERS = {
    "levenberg_marquardt": LevenbergMarquardt(
        max_steps=10_000, tolerance=1e-14, gradient_tolerance=0.0, patience=10_000
    ),
    "adam": Adam(max_steps=100_000, tolerance=1e-14),
    "lbfgs": LBFGS(max_steps=100_000, tolerance=1e-14),
}


@pytest.fixture(params=OPTIMISERS, ids=str)
def optimiser(request):
    return OPTIMISERS[request.param]


def test_every_optimiser_keeps_its_budget(regression, optimiser):
    optimiser.minimise(regression.start, regression.blocks(), 4.0, callback=lambda state: True)
    start = time.perf_counter()
    run = optimiser.minimise(regression.start, regression.blocks(), 4.0, budget=0.4)
    assert time.perf_counter() - start < 1.5
    assert run.result is RESULTS.budget_exhausted
    assert run.seconds >= 0.4
    assert run.history["loss"][-1] < 0.1 * run.history["loss"][0]


def test_a_callback_stops_the_run_and_sees_the_state(regression, optimiser):
    seen = []

    def callback(state):
        seen.append(state)
        return len(seen) == 3

    run = optimiser.minimise(regression.start, regression.blocks(), 4.0, callback=callback)
    assert run.result is RESULTS.interrupted
    assert [state.step for state in seen] == list(run.history["step"])
    assert run.steps == seen[-1].step
    assert seen[-1].losses["fit"] == pytest.approx(seen[-1].loss)
    np.testing.assert_array_equal(seen[-1].weights["last"], run.weights["last"])


def test_the_same_key_gives_the_same_run(poisson, optimiser):
    def run():
        def draw(key, weights):
            return poisson.blocks(jax.random.uniform(key, (40,)))

        return optimiser.minimise(
            poisson.start,
            draw(jax.random.key(0), None),
            key=jax.random.key(3),
            callback=lambda state: state.step >= 30 * max(1, getattr(optimiser, "updates_per_step", 1)),
            resampling=Resampling(draw, every=10),
        )

    one, two = run(), run()
    np.testing.assert_array_equal(one.history["loss"], two.history["loss"])
    np.testing.assert_array_equal(one.history["fresh"], two.history["fresh"])


@pytest.mark.parametrize("method", [Adam(learning_rate=1e-2, max_steps=2000), LBFGS(max_steps=400)])
def test_gradient_methods_reduce_the_loss(regression, method):
    run = method.minimise(regression.start, regression.blocks(), 4.0)
    assert run.result in (RESULTS.max_steps_reached, RESULTS.successful)
    assert np.sqrt(2 * run.history["loss"][-1]) < 2e-2


def test_lbfgs_reaches_the_minimum_of_a_curved_valley(rosenbrock):
    run = LBFGS(max_steps=200, tolerance=1e-9).minimise(rosenbrock.start, rosenbrock.blocks())
    assert run.result is RESULTS.successful
    np.testing.assert_allclose([run.weights["x"], run.weights["y"]], 1.0, rtol=1e-7)


@pytest.mark.parametrize("method", [Adam(max_steps=200), LBFGS(max_steps=200)])
def test_gradient_methods_do_not_retrace(method):
    traces = []

    def residual(weights, x, args):
        traces.append(1)
        return jnp.cosh(weights * x) - args

    blocks = [ResidualBlock("curve", residual, jnp.ones(4))]
    method.minimise(jnp.asarray(0.5), blocks, jnp.asarray(1.0), callback=lambda state: True)
    before = len(traces)
    method.minimise(jnp.asarray(0.5), blocks, jnp.asarray(2.0))
    assert len(traces) == before + 1, "only the abstract evaluation that counts components"


def test_a_step_into_nan_is_undone():
    """log(w) leaves the reals where a step overshoots zero."""
    blocks = [ResidualBlock("log", lambda w, p, args: jnp.log(w) + 3.0, jnp.zeros(1))]
    adam = Adam(learning_rate=0.7, max_steps=4000, updates_per_step=5, tolerance=1e-6)
    run = adam.minimise(jnp.asarray(1.0), blocks)
    assert np.isfinite(run.weights)
    assert run.result is RESULTS.successful
    np.testing.assert_allclose(run.weights, np.exp(-3.0), rtol=1e-5)
    damped = LevenbergMarquardt(initial_damping=1e-12).minimise(jnp.asarray(1.0), blocks)
    assert damped.result is RESULTS.successful
    np.testing.assert_allclose(damped.weights, np.exp(-3.0), rtol=1e-9)


def test_what_cannot_stay_finite_returns_the_last_finite_weights():
    blocks = [ResidualBlock("cliff", lambda w, p, args: jnp.where(w < 1.0, jnp.nan, w), jnp.zeros(1))]
    run = Adam(learning_rate=1e-2, max_steps=10_000).minimise(jnp.asarray(1.2), blocks)
    assert run.result is RESULTS.nonfinite
    assert run.weights >= 1.0
    assert np.isfinite(run.history["loss"]).all()


def test_a_start_that_is_not_finite_is_reported(optimiser):
    blocks = [ResidualBlock("log", lambda w, p, args: jnp.log(w), jnp.zeros(1))]
    run = optimiser.minimise(jnp.asarray(-1.0), blocks)
    assert run.result is RESULTS.nonfinite
    assert run.steps == 0
    assert run.weights == -1.0


def test_fresh_points_show_what_training_points_hide():
    """Five weights interpolate five values; only fresh points see that the fit is wrong between them."""

    def residual(weights, x, args):
        return jnp.polyval(weights, x) - 1 / (1 + 25 * x**2)

    def draw(key, weights):
        return [ResidualBlock("fit", residual, jnp.linspace(-1.0, 1.0, 5))]

    def fresh(key, weights):
        return [ResidualBlock("fit", residual, jax.random.uniform(key, (5,), minval=-1.0))]

    run = LevenbergMarquardt(max_steps=30, tolerance=1e-8).minimise(
        jnp.zeros(5), draw(None, None), key=jax.random.key(0), resampling=Resampling(draw, every=5, fresh=fresh)
    )
    assert run.result is not RESULTS.successful
    assert np.sqrt(2 * run.history["loss"][-1]) < 1e-8
    assert run.history["fresh"][-1] > 1e-2


def test_a_redraw_that_is_not_finite_keeps_the_old_points():
    def residual(weights, x, args):
        return weights - 2.0 + 0 * jnp.log(x)

    calls = []

    def draw(key, weights):
        calls.append(1)
        return [ResidualBlock("r", residual, jnp.full(3, -1.0 if len(calls) % 2 else 1.0))]

    blocks = [ResidualBlock("r", residual, jnp.ones(3))]
    adam = Adam(learning_rate=1e-2, max_steps=400, updates_per_step=10)
    run = adam.minimise(jnp.asarray(1.0), blocks, resampling=Resampling(draw, every=100))
    assert run.result is RESULTS.max_steps_reached
    assert len(calls) >= 4
    assert np.isfinite(run.history["loss"]).all()


def test_optimisers_run_one_after_the_other(regression):
    chain = Sequential((Adam(learning_rate=1e-2, max_steps=200), LevenbergMarquardt(max_steps=25)))
    run = chain.minimise(regression.start, regression.blocks(), 4.0)
    assert run.steps == 225
    assert np.all(np.diff(run.history["step"]) > 0)
    assert np.all(np.diff(run.history["seconds"]) > 0)
    assert np.isnan(run.history["damping"][0])
    assert run.history["damping"][-1] > 0
    assert run.history["loss"][-1] < 1e-3 * run.history["loss"][3]
    stopped = chain.minimise(regression.start, regression.blocks(), 4.0, callback=lambda state: True)
    assert stopped.result is RESULTS.interrupted
    assert stopped.steps == 50


@pytest.mark.parametrize(
    "build",
    [
        lambda: Sequential(()),
        lambda: Sequential((Adam(), "lbfgs")),
        lambda: Adam(learning_rate=0.0),
        lambda: LBFGS(memory_size=0),
        lambda: Resampling(lambda key, weights: [], every=0),
        lambda: Adam().minimise(jnp.ones(()), [ResidualBlock("r", lambda w, p, a: w, jnp.ones(1))], budget=0.0),
    ],
)
def test_bad_options_end_in_a_sentence(build):
    with pytest.raises(OptionError, match="needed"):
        build()


def test_no_progress_bar_in_a_pipe(rosenbrock, capfd):
    LevenbergMarquardt().minimise(rosenbrock.start, rosenbrock.blocks())
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""
