"""The parts of FiniteDifference that know nothing of equations: stencils, advection schemes, interpolation."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sciml.errors import OptionError
from solvers.classical.finite_difference.advection import WENO, Central, Upwind
from solvers.classical.finite_difference.grid import Axis, Grid
from solvers.classical.finite_difference.interpolation import interpolate
from solvers.classical.finite_difference.stencils import (
    HIGHEST_DERIVATIVE,
    ORDERS,
    Lattice,
    fornberg_weights,
    one_sided_weights,
)

NODES, FACES = Lattice.nodes, Lattice.faces


@pytest.fixture(autouse=True)
def _double_precision():
    with jax.enable_x64(True):
        yield


def sine_derivative(x: np.ndarray, k: float, m: int) -> np.ndarray:
    return k**m * np.sin(k * x + m * np.pi / 2)


def observed_order(coarse: float, fine: float) -> float:
    return float(np.log2(coarse / fine))


@pytest.mark.parametrize("derivative", range(5))
def test_fornberg_weights_are_exact_for_polynomials(derivative):
    nodes = np.array([-0.3, 0.1, 0.7, 1.0, 1.9, 2.2])
    weights = fornberg_weights(0.4, nodes, derivative)
    for degree in range(6):
        polynomial = np.polynomial.Polynomial.basis(degree)
        assert weights @ polynomial(nodes) == pytest.approx(polynomial.deriv(derivative)(0.4), abs=1e-11)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("derivative", range(1, HIGHEST_DERIVATIVE + 1))
def test_periodic_stencil_has_its_order(derivative, order):
    errors = []
    for n in (32, 64):
        axis = Axis("x", 0.0, 2 * np.pi, n, periodic=True)
        exact = sine_derivative(axis.points(), 2.0, derivative)
        values = sine_derivative(axis.points(), 2.0, 0)
        errors.append(np.max(np.abs(axis.stencil(derivative, order).matrix(n) @ values - exact)))
    assert observed_order(*errors) > order - 0.2


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize(("source", "target"), [(NODES, FACES), (FACES, NODES)])
@pytest.mark.parametrize("derivative", [0, 1])
def test_staggered_stencil_has_its_order_inside(derivative, source, target, periodic, order):
    errors = []
    for n in (33, 65):
        axis = Axis("x", 0.0, 2 * np.pi, n, periodic)
        values = sine_derivative(axis.points(source), 2.0, 0)
        exact = sine_derivative(axis.points(target), 2.0, derivative)
        error = axis.stencil(derivative, order, source, target).matrix(len(values)) @ values - exact
        errors.append(np.max(np.abs(error[n // 4 : -n // 4])))
    assert observed_order(*errors) > order - 0.2


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize(("source", "target"), [(NODES, NODES), (NODES, FACES), (FACES, NODES)])
def test_stencil_applied_by_slices_is_its_matrix(source, target, periodic):
    axis = Axis("x", 0.0, 1.0, 20, periodic)
    stencil = axis.stencil(1, 6, source, target)
    sources = len(axis.points(source))
    values = np.random.default_rng(0).standard_normal((3, sources, 2))
    expected = np.einsum("ij,ajb->aib", stencil.matrix(sources), values)
    np.testing.assert_allclose(stencil(jnp.asarray(values), 1), expected, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("order", ORDERS)
def test_one_sided_weights_have_full_order_at_either_end(order):
    for derivative in (1, 2, 3):
        errors = []
        for h in (0.1, 0.05):
            nodes = np.arange(derivative + order) * h
            low = one_sided_weights(derivative, order, h, upper=False) @ np.sin(1 + nodes)
            high = one_sided_weights(derivative, order, h, upper=True) @ np.sin(1 - nodes)
            exact = sine_derivative(np.array(1.0), 1.0, derivative)
            errors.append(max(abs(low - exact), abs(high - exact)))
        assert observed_order(*errors) > order - 0.3


def eliminated(operator: np.ndarray, lower: list[np.ndarray], upper: list[np.ndarray]) -> np.ndarray:
    """The operator on the free nodes once linear conditions have determined the nodes at the ends."""
    n = len(operator)
    ends = [*range(len(lower)), *range(n - len(upper), n)]
    free = [i for i in range(n) if i not in ends]
    rows = np.array(lower + upper)
    return operator[np.ix_(free, free)] - operator[np.ix_(free, ends)] @ np.linalg.solve(rows[:, ends], rows[:, free])


def end_row(n: int, axis: Axis, derivative: int, order: int, upper: bool) -> np.ndarray:
    row = np.zeros(n)
    weights = one_sided_weights(derivative, order, axis.spacing, upper)
    if upper:
        row[n - len(weights) :] = weights[::-1]
    else:
        row[: len(weights)] = weights
    return row


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("lower", "upper"), [(0, 0), (1, 0), (1, 1)])
def test_diffusion_with_closures_has_a_real_negative_spectrum(lower, upper, order):
    """A wave equation on the same operator is then stable: no complex pair, no positive eigenvalue."""
    n = 61
    axis = Axis("x", 0.0, 1.0, n, periodic=False)
    matrix = axis.stencil(2, order).matrix(n)
    rows = [end_row(n, axis, lower, order, upper=False)], [end_row(n, axis, upper, order, upper=True)]
    spectrum = np.linalg.eigvals(eliminated(matrix, *rows))
    assert spectrum.real.max() < (1e-6 if lower == upper == 1 else -2.0)
    assert np.abs(spectrum.imag).max() < 1e-6 * np.abs(spectrum).max()


@pytest.mark.parametrize(("order", "growth"), [(2, 0.0), (4, 0.0), (6, 0.05)])
def test_central_advection_with_closures_hardly_grows(order, growth):
    n = 81
    axis = Axis("x", 0.0, 1.0, n, periodic=False)
    operator = -axis.stencil(1, order).matrix(n)
    assert np.linalg.eigvals(operator[1:, 1:]).real.max() < growth


@pytest.mark.parametrize("order", ORDERS)
def test_clamped_biharmonic_with_closures_is_negative(order):
    n = 61
    axis = Axis("x", 0.0, 1.0, n, periodic=False)
    ends = [[end_row(n, axis, m, order, upper) for m in (0, 1)] for upper in (False, True)]
    spectrum = np.linalg.eigvals(eliminated(-axis.stencil(4, order).matrix(n), *ends))
    assert spectrum.real.max() == pytest.approx(-(4.730041**4), rel=0.02)


def test_mixed_derivative_and_axes():
    grid = Grid((Axis("x", 0.0, 1.0, 21, False), Axis("y", 0.0, 2 * np.pi, 24, True)))
    x, y = grid.coordinate("x"), grid.coordinate("y")
    error = grid.derivative(jnp.asarray(x**3 * np.sin(y)), (1, 2), 6) + 3 * x**2 * np.sin(y)
    assert np.max(np.abs(error)) < 1e-3
    assert grid.index("y") == 1


SCHEMES = [Upwind(1), Upwind(3), Upwind(5), WENO(), Central()]


@pytest.mark.parametrize(("scheme", "order"), list(zip(SCHEMES, [1, 3, 5, 5, 4], strict=True)))
def test_advection_schemes_have_their_order(scheme, order):
    errors = []
    for n in (64, 128):
        axis = Axis("x", 0.0, 2 * np.pi, n, periodic=True)

        @jax.jit
        def differences(u, sign, axis=axis):
            derivative = scheme.derivative(u, sign * jnp.ones_like(u), axis, 0, 4)
            return derivative, sign * scheme.divergence(sign * u, u, jnp.ones_like(u), axis, 0, 4)

        both = [differences(np.sin(axis.points()) + 2.0, sign) for sign in (-1.0, 1.0)]
        errors.append(np.max(np.abs(np.array(both) - np.cos(axis.points())), axis=-1))
    assert np.all(np.log2(errors[0] / errors[1]) > order - 0.3)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_divergence_telescopes(scheme):
    axis = Axis("x", 0.0, 1.0, 40, periodic=True)
    u = jnp.where(jnp.abs(axis.points() - 0.4) < 0.2, 1.0, 0.1)
    divergence = jax.jit(lambda u: scheme.divergence(u**2 / 2, u, jnp.abs(u), axis, 0, 4))(u)
    assert abs(float(jnp.sum(divergence))) < 1e-12 * float(jnp.max(jnp.abs(divergence))) * 40


def march(scheme, u, steps: int, axis: Axis):
    def step(u, _):
        dt = 0.4 * axis.spacing
        rate = lambda w: -scheme.divergence(w, w, jnp.ones_like(w), axis, 0, 4)  # noqa: E731
        a = u + dt * rate(u)
        b = 0.75 * u + 0.25 * (a + dt * rate(a))
        return u / 3 + 2 / 3 * (b + dt * rate(b)), None

    return jax.lax.scan(step, u, None, length=steps)[0]


@pytest.mark.parametrize(("scheme", "overshoot"), [(Upwind(1), 1e-12), (WENO(), 1e-3)])
def test_jump_is_carried_without_overshoot(scheme, overshoot):
    axis = Axis("x", 0.0, 1.0, 100, periodic=True)
    start = jnp.where(jnp.abs(axis.points() - 0.3) < 0.15, 1.0, 0.0)
    end = march(scheme, start, 100, axis)
    assert float(jnp.max(end)) < 1 + overshoot
    assert float(jnp.min(end)) > -overshoot
    assert float(jnp.sum(end)) == pytest.approx(float(jnp.sum(start)), rel=1e-12)
    assert float(jnp.max(march(Central(), start, 100, axis))) > 1.1


def test_upwind_refuses_other_orders():
    with pytest.raises(OptionError, match="order 1, 3 or 5"):
        Upwind(2)


@pytest.mark.parametrize("periodic", [True, False])
def test_interpolation_has_the_order_of_its_width(periodic):
    points = [np.linspace(0.0, 2 * np.pi, 57), np.linspace(2 * np.pi, 0.0, 57)]
    exact = np.sin(points[0]) * np.cos(2 * points[1])
    errors = []
    for n in (24, 48):
        grid = Grid(tuple(Axis(name, 0.0, 2 * np.pi, n, periodic) for name in "xy"))
        values = jnp.asarray(np.sin(grid.coordinate("x")) * np.cos(2 * grid.coordinate("y")))
        both = jax.jit(lambda v, grid=grid: interpolate(v, grid.axes, points, 6))(jnp.stack([values, 2 * values]))
        assert np.max(np.abs(both[:, 1] - 2 * both[:, 0])) < 1e-12
        errors.append(np.max(np.abs(both[:, 0] - exact)))
    assert observed_order(*errors) > 5.4
