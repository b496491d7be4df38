"""Batches of trajectories: no local minima on the two systems that have them, and errors that are known."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pde_zoo.families import FAMILIES
from sciml import OptionError
from solvers.identification import Schedule, refit
from solvers.identification.data import Data, Windows, noise_estimate, smooth
from solvers.identification.fitting import fit
from solvers.identification.refit import model_of
from solvers.identification.shooting import Guess, Scales, quadratic

GIVEN = 64


@pytest.mark.parametrize("name", ["chen_lee", "lorenz"])
def test_thirty_two_fits_reach_the_minimum_that_the_truth_leads_to(name: str) -> None:
    family = FAMILIES[name]
    made = family.trajectories(jax.random.key(11), 32)
    noisy = made.noisy(jax.random.key(12), 0.02)
    found = refit(family, made.times[:GIVEN], noisy[:, :GIVEN], ahead=made.times)
    model = model_of(family)
    data = Data.of(made.times[:GIVEN], np.moveaxis(noisy[:, :GIVEN], 0, -1), 3)
    start = Guess(model.raw(made.parameters), jnp.asarray(made.states[:, 0].T)[:, None])
    oracle = fit(model, data, noise=np.asarray(found.fit.noise), start=start)
    assert (np.asarray(found.fit.value) < np.asarray(oracle.value) + 10).all()  # no failure
    assert not bool(found.prediction.lost.any())
    error = np.linalg.norm((found.states - made.states)[:, GIVEN:], axis=(1, 2))
    error /= np.linalg.norm(made.states[:, GIVEN:], axis=(1, 2))
    assert error.mean() < 0.04
    assert np.median(error) < 0.01
    # the noise is found, and standard errors and spread tell the truth about the numbers and about the future
    true_noise = np.sqrt(np.mean((noisy - made.states) ** 2, axis=(1, 2)))
    np.testing.assert_allclose(np.median(np.asarray(found.fit.noise)[0] / true_noise), 1, atol=0.1)
    score = np.stack([(found.parameters[n] - made.parameters[n]) / found.standard_errors[n] for n in found.parameters])
    assert np.mean(np.abs(score) < 2) > 0.9
    deviation = np.moveaxis(np.asarray(found.prediction.deviation), -1, 0)[:, GIVEN:]
    spread = np.linalg.norm(deviation, axis=(1, 2)) / np.linalg.norm(found.states[:, GIVEN:], axis=(1, 2))
    assert np.mean(error < 2 * spread) > 0.8


def test_gradient_and_matrix_are_those_of_the_sum_of_squares() -> None:
    """The assembled normal equations of two windows against automatic differentiation of the same residuals."""
    family = FAMILIES["thomas"]
    made = family.trajectories(jax.random.key(0), 2)
    model = model_of(family)
    data = Data.of(made.times[:6], np.moveaxis(made.noisy(jax.random.key(1), 0.1)[:, :6], 0, -1), 3)
    windows = Windows.of(data, 2)
    scales = Scales(0.1 * jnp.ones((3, 2)), 0.3 * jnp.ones((3, 2)))
    states = jnp.moveaxis(data.values[jnp.array([0, 3])], 0, 1)
    guess = Guess(0.2 * jnp.ones((1, 2)), states)

    def at(flat: jax.Array) -> jax.Array:
        moved = Guess(flat[:1], jnp.moveaxis(flat[1:].reshape(2, 3, -1), 0, 1))
        return quadratic(model, data, windows, moved, scales, jnp.asarray(2)).value

    flat = jnp.concatenate([guess.raw, jnp.moveaxis(guess.states, 0, 1).reshape(6, 2)])
    here = eqx.filter_jit(quadratic)(model, data, windows, guess, scales, jnp.asarray(2))
    basis = jnp.eye(7)[:, :, None] * jnp.ones(2)
    slopes = jax.jit(jax.vmap(lambda e: jax.jvp(at, (flat,), (e,))[1]))(basis)
    np.testing.assert_allclose(2 * here.gradient, slopes, rtol=1e-8, atol=1e-8)
    matrix = np.moveaxis(np.asarray(here.matrix), -1, 0)
    np.testing.assert_allclose(matrix, np.swapaxes(matrix, 1, 2), rtol=1e-10, atol=1e-10)
    assert np.linalg.eigvalsh(matrix).min() > 0


def test_noise_and_curves_from_irregular_values_with_gaps() -> None:
    random = np.random.default_rng(0)
    t = np.sort(random.uniform(0, 3, 300))
    values = np.sin(t)[:, None, None] + 0.05 * random.standard_normal((300, 1, 2))
    values[::7, 0, 1] = np.nan
    data = Data.of(t, values, 1)
    np.testing.assert_allclose(noise_estimate(data), 0.05, rtol=0.3)
    assert data.count.tolist() == [300, 257]
    at = np.linspace(0.2, 2.8, 9)[:, None]
    assert np.sqrt(np.mean((smooth(data, at, 40)[:, 0] - np.sin(at)) ** 2)) < 0.03


def test_values_of_other_shapes_are_refused() -> None:
    with pytest.raises(OptionError, match=r"\(n, T, 3\) at \(T,\) or \(n, T\)"):
        refit(FAMILIES["lorenz"], np.arange(5), np.zeros((2, 5, 2)))
    with pytest.raises(OptionError, match="positive counts"):
        Schedule(windows=0)
