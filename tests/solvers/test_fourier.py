"""Truncated Fourier series against trigonometric polynomials."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from sciml.errors import OptionError
from solvers.classical import fourier

SHAPES = [((16,), (2.0,)), ((15,), (2.0,)), ((12, 10), (2.0, 3.0)), ((9, 10, 8), (1.0, 2 * np.pi, 3.0))]


def _polynomial(seed: int, lengths):
    """A random real trigonometric polynomial of degree two per axis, and its first derivatives."""
    rng, terms = np.random.default_rng(seed), []
    for _ in range(6):
        terms.append((rng.normal(), rng.integers(-2, 3, size=len(lengths)), rng.uniform(0, 2 * np.pi)))

    def value(*points, along=None):
        total = 0.0
        for weight, modes, phase in terms:
            waves = [2 * np.pi * k / size for k, size in zip(modes, lengths, strict=True)]
            angle = phase + sum(k * x for k, x in zip(waves, points, strict=True))
            total = total + (weight * np.cos(angle) if along is None else -weight * waves[along] * np.sin(angle))
        return total

    return value


@pytest.mark.parametrize(("shape", "lengths"), SHAPES)
def test_round_trip_derivative_and_values_anywhere(shape, lengths):
    origin = [-1.0] * len(shape)
    grid = fourier.grid_points(shape, lengths, origin)
    function = _polynomial(3, lengths)
    tops = [fourier.cutoff(n, dealias=True) for n in shape]
    spectrum = fourier.from_grid(jnp.asarray(function(*grid)), tops)
    assert spectrum.shape == (*(2 * k + 1 for k in tops[:-1]), tops[-1] + 1)
    assert_allclose(fourier.to_grid(spectrum, shape), function(*grid), atol=1e-13)
    for axis, waves in enumerate(fourier.wavenumbers(tops, lengths)):
        assert_allclose(fourier.to_grid(1j * waves * spectrum, shape), function(*grid, along=axis), atol=1e-12)
    targets = np.random.default_rng(0).uniform(-1, 0, size=(7, len(shape)))
    values = np.asarray(spectrum)[None].repeat(7, 0)
    for axis in reversed(range(len(shape))):
        rows = fourier.series_matrix(targets[:, axis] + 1, tops[axis], lengths[axis], half=axis == len(shape) - 1)
        values = np.einsum("p...k,pk->p...", values, rows)
    assert_allclose(values.real, function(*targets.T), atol=1e-13)


@pytest.mark.parametrize(("shape", "lengths"), SHAPES)
def test_resize_keeps_the_function(shape, lengths):
    function = _polynomial(1, lengths)
    tops = [fourier.cutoff(n, dealias=True) for n in shape]
    grid = fourier.grid_points(shape, lengths, [0.0] * len(shape))
    spectrum = fourier.from_grid(jnp.asarray(function(*grid)), tops)
    larger = fourier.resize(spectrum, [k + 3 for k in tops])
    finer = [2 * n for n in shape]
    assert_allclose(
        fourier.to_grid(larger, finer), function(*fourier.grid_points(finer, lengths, [0.0] * len(shape))), atol=1e-13
    )
    assert_allclose(fourier.resize(larger, tops), spectrum, atol=1e-15)


def test_product_of_kept_modes_is_not_aliased():
    points, top = 24, fourier.cutoff(24, dealias=True)
    x = fourier.grid_points([points], [2 * np.pi], [0.0])[0]
    product = fourier.from_grid(jnp.asarray(np.cos(top * x) * np.cos((top - 1) * x)), [top])
    expected = np.zeros(top + 1)
    expected[1] = 0.25  # cos a cos b = (cos(a - b) + cos(a + b)) / 2: the sum frequency is cut, not folded back
    assert_allclose(product, expected, atol=1e-15)


@pytest.mark.parametrize("parity", [1, -1])
@pytest.mark.parametrize("axis", [0, 1])
def test_parity_extension_gives_sine_and_cosine_series(parity, axis):
    shape, tops = (24, 20), (7, 6)
    x, y = (
        np.linspace(0, np.pi, n // 2 + 1) if a == axis else 2 * np.pi * np.arange(n) / n for a, n in enumerate(shape)
    )
    trig, other = (np.cos, np.sin) if parity == 1 else (np.sin, np.cos)
    pieces = [trig(3 * x), 1 + other(2 * y)] if axis == 0 else [1 + other(2 * x), trig(3 * y)]
    values = fourier.extend(np.outer(*pieces), parity, axis)
    assert values.shape == shape
    full = np.meshgrid(*(2 * np.pi * np.arange(n) / n for n in shape), indexing="ij")
    assert_allclose(values, trig(3 * full[axis]) * (1 + other(2 * full[1 - axis])), atol=1e-13)
    spectrum = fourier.from_grid(jnp.asarray(values), tops)
    assert_allclose(fourier.reflect(spectrum, axis, 2), parity * spectrum, atol=1e-15)
    noisy = spectrum + 1e-3 * fourier.from_grid(jnp.asarray(np.random.default_rng(0).normal(size=shape)), tops)
    clean = fourier.symmetrise(noisy, axis, 2, parity)
    assert_allclose(fourier.reflect(clean, axis, 2), parity * clean, atol=1e-15)


def test_tail_fraction_sees_each_axis():
    spectrum = np.zeros((41, 21), complex)
    spectrum[1, 1] = 1.0
    assert_allclose(fourier.tail_fraction(spectrum, 2), [0, 0])
    spectrum[1, 20] = 1e-3
    assert_allclose(fourier.tail_fraction(spectrum, 2), [0, 1e-3], rtol=1e-5)
    spectrum[-20, 1] = 1e-2
    assert_allclose(fourier.tail_fraction(spectrum, 2), [1e-2, 1e-3], rtol=1e-3)


def test_a_grid_too_coarse_is_refused():
    with pytest.raises(OptionError, match="at least 4"):
        fourier.cutoff(3, dealias=True)
