"""Separable direct solves against exact solutions and dense algebra."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from solvers.classical import collocation as col
from solvers.classical import fast_diagonalisation as fast


def _laplace_axis(count: int, rows: str = "dd", weight: float = 1.0, drift: float = 0.0) -> fast.Axis:
    """weight u'' + drift u' on [-1, 1] with Dirichlet (d), Neumann (n) or Robin u + u_n (r) rows."""
    nodes = col.legendre_nodes(count)
    first, second = col.differentiation_matrices(nodes, 2)
    value = np.eye(count)
    kinds = {"d": (value, 0 * value), "n": (0 * value, first), "r": (value, first)}
    low, high = (kinds[kind] for kind in rows)
    conditions = np.stack([low[0][0] - low[1][0], high[0][-1] + high[1][-1]])
    return fast.Axis(
        weight * second + drift * first, conditions, np.array([0, count - 1]), weights=col.legendre_weights(count)
    )


def _dense(axes, constant, data):
    """The same system assembled and solved whole."""
    shape = data.shape
    size = data.size
    matrix = constant * np.eye(size)
    for k, axis in enumerate(axes):
        factors = [np.eye(n) for n in shape]
        factors[k] = axis.matrix
        term = np.ones((1, 1))
        for factor in factors:
            term = np.kron(term, factor)
        matrix += term
    index = np.arange(size).reshape(shape)
    for k in range(len(axes) - 1, -1, -1):
        axis = axes[k]
        lines = np.moveaxis(index, k, 0)
        for row, node in zip(axis.conditions, axis.replaced, strict=True):
            targets = lines[node].ravel()
            matrix[targets] = 0
            for weight, line in zip(row, lines, strict=True):
                matrix[targets, line.ravel()] = weight
    return np.linalg.solve(matrix, data.ravel()).reshape(shape)


@pytest.mark.parametrize("rows", [("dd", "dd"), ("nd", "rd"), ("rr", "dn"), ("nn", "rr")])
@pytest.mark.parametrize("drift", [0.0, 3.0])
def test_two_dimensional_solve_equals_dense_solve(rows, drift):
    axes = [_laplace_axis(9, rows[0], drift=drift), _laplace_axis(8, rows[1], weight=0.5)]
    data = np.random.default_rng(0).normal(size=(9, 8))
    assert_allclose(fast.solve(fast.factorise(axes, -1.3), data), _dense(axes, -1.3, data), rtol=1e-8, atol=1e-9)


def test_three_dimensional_solve_equals_dense_solve():
    axes = [_laplace_axis(6, "dd"), _laplace_axis(5, "nd"), _laplace_axis(7, "rd")]
    data = np.random.default_rng(1).normal(size=(6, 5, 7))
    assert_allclose(fast.solve(fast.factorise(axes, 0.7), data), _dense(axes, 0.7, data), rtol=1e-8, atol=1e-9)


def test_time_axis_takes_the_schur_form():
    nodes = col.legendre_nodes(24)
    (first,) = col.differentiation_matrices(nodes, 1)
    time = fast.Axis(first, np.eye(24)[:1], np.array([0]))
    space = _laplace_axis(10, "dd", weight=-1.0)
    factorisation = fast.factorise([time, space])
    assert factorisation.spectra[0].triangular is not None
    data = np.random.default_rng(1).normal(size=(24, 10))
    assert_allclose(fast.solve(factorisation, data), _dense([time, space], 0.0, data), rtol=1e-8, atol=1e-9)


def test_periodic_axis_without_conditions():
    count = 16
    modes = np.fft.fftfreq(count, 1 / count)
    second = np.real(np.fft.ifft(-(modes**2)[:, None] * np.fft.fft(np.eye(count), axis=0), axis=0))
    periodic = fast.Axis(second, np.empty((0, count)), np.empty(0, dtype=int))
    wall = _laplace_axis(16)
    angle = 2 * np.pi * np.arange(count) / count
    x = col.legendre_nodes(16)
    exact = np.cos(2 * angle)[:, None] * np.cos(np.pi / 2 * x)
    data = -(4 + (np.pi / 2) ** 2 + 1) * exact
    data[:, [0, -1]] = 0.0
    assert_allclose(fast.solve(fast.factorise([periodic, wall], -1.0), data), exact, atol=1e-12)


def test_clamped_fourth_order_rows():
    count = 20
    nodes = col.legendre_nodes(count)
    first, _, _, fourth = col.differentiation_matrices(nodes, 4)
    conditions = np.stack([np.eye(count)[0], first[0], np.eye(count)[-1], first[-1]])
    axis = fast.Axis(fourth, conditions, np.array([0, 1, count - 2, count - 1]))
    exact = np.sin(3 * nodes)
    data = 81 * exact
    data[[0, 1, -2, -1]] = conditions @ exact
    assert_allclose(fast.solve(fast.factorise([axis]), data), exact, atol=1e-10)


def test_pure_neumann_is_reported_singular_and_solved_up_to_a_constant():
    axes = [_laplace_axis(20, "nn"), _laplace_axis(20, "nn")]
    factorisation = fast.factorise(axes)
    assert factorisation.singular
    x = col.legendre_nodes(20)
    exact = np.cos(np.pi * x)[:, None] * np.cos(np.pi * x)
    data = -2 * np.pi**2 * exact
    data[[0, -1]], data[:, [0, -1]] = 0, 0
    found = fast.solve(factorisation, data)
    assert_allclose(found - found[10, 10], exact - exact[10, 10], atol=1e-11)


@pytest.mark.parametrize(("modes", "count", "bound"), [((1, 4), 32, 1e-10), ((4, 4), 32, 1e-10), ((10, 10), 64, 1e-12)])
def test_helmholtz_reaches_the_published_classical_error(modes, count, bound):
    axes = [_laplace_axis(count), _laplace_axis(count)]
    x = col.legendre_nodes(count)
    exact = np.sin(modes[0] * np.pi * x)[:, None] * np.sin(modes[1] * np.pi * x)
    data = (1 - np.pi**2 * (modes[0] ** 2 + modes[1] ** 2)) * exact
    data[[0, -1]], data[:, [0, -1]] = 0, 0
    found = fast.solve(fast.factorise(axes, 1.0), data)
    assert np.linalg.norm(found - exact) <= bound * np.linalg.norm(exact)


def test_poisson_in_five_dimensions_reaches_round_off():
    count = 14
    x = (1 + col.legendre_nodes(count)) / 2
    axes = [_laplace_axis(count, weight=4.0) for _ in range(5)]
    exact = sum(np.cos(np.pi * x).reshape([-1 if a == k else 1 for a in range(5)]) for k in range(5))
    data = -(np.pi**2) * np.asarray(exact)
    for k in range(5):
        at: list[slice | list[int]] = [slice(None)] * 5
        at[k] = [0, -1]
        data[tuple(at)] = np.asarray(exact)[tuple(at)]
    found = fast.solve(fast.factorise(axes), data)
    assert np.linalg.norm(found - exact) <= 1e-13 * np.linalg.norm(exact)
