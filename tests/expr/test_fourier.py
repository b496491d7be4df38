"""Fourier sums go through their data, between them too, and are refused where data do not tell them."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sciml import coordinates
from sciml.expr.evaluation import evaluate
from sciml.expr.fourier import fourier_sum

(x,) = coordinates("x")
START, LENGTH, COUNT = -0.5, 2.0, 16

waves = st.lists(st.tuples(st.integers(1, 7), st.floats(0.1, 2), st.floats(0, 6)), min_size=1, max_size=3)


def sampled(parts, places):
    angles = 2 * np.pi * (np.asarray(places) - START) / LENGTH
    return sum(size * np.cos(k * angles + phase) for k, size, phase in parts) + 0.3


@given(waves)
def test_it_is_the_function_between_the_data(parts):
    nodes = START + LENGTH * np.arange(COUNT) / COUNT
    found = fourier_sum(x, START, LENGTH, sampled(parts, nodes), most=8)
    between = np.linspace(START, START + LENGTH, 41)
    (values,) = evaluate((found,), {x: jnp.asarray(between)})
    np.testing.assert_allclose(values, sampled(parts, between), atol=1e-12)


def test_constant_data_are_a_number():
    assert fourier_sum(x, 0.0, 1.0, np.full(8, 0.25), most=4) == pytest.approx(0.25)


def test_more_waves_than_allowed_or_than_data_tell_are_refused():
    random = np.random.default_rng(0).standard_normal(16)
    assert fourier_sum(x, 0.0, 1.0, random, most=4) is None
    assert fourier_sum(x, 0.0, 1.0, np.array([1.0, -1.0] * 4), most=4) is None
