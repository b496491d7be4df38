r"""Steady flow in a lid-driven cavity by a spectral Galerkin method for the stream function.

With $v=(\psi_y,-\psi_x)$ the flow is the solution of

$$\tfrac1{Re}\int\Delta\psi\,\Delta\chi + \int\Delta\psi\,(\psi_y\chi_x-\psi_x\chi_y)=0$$

for all clamped $\chi$. Where the lid $v_1=4x(1-x)$ meets a wall its slope jumps, and $\psi$ behaves like
$r^2f(\theta)$. These two Stokes solutions are subtracted in closed form (at the left corner, with $X=x$, $Y=1-y$):

$$\psi_L=-2\big(\theta(X^2+Y^2)+XY-\tfrac\pi2Y^2\big),\qquad p_L=\tfrac8{Re}\log r$$

and what remains is expanded in Legendre polynomials: four Hermite cubics a direction carry the boundary values, the
rest is clamped (Shen, doi:10.1137/0915089). The pressure comes from the momentum balance by least squares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, final

import jax
import jax.numpy as jnp
import numpy as np
from numpy.polynomial import legendre
from scipy.linalg import eigh

from sciml.errors import SolveError
from sciml.reference import AbstractReference, Values

_CONTINUATION = 2.5
"""Largest factor between Reynolds numbers of successive Newton iterations."""

_NEWTON_STEPS, _NEWTON_TOLERANCE = 30, 1e-10


@final
@dataclass(frozen=True)
class CavityFlow(AbstractReference):
    """Velocity and pressure for the lid 4x(1-x), with p(1/2, 0) = 0.

    Attributes:
        reynolds: Reynolds number.
        degree: polynomial degree along each axis.
        parameter: name of the Reynolds number in the problem.
    """

    reynolds: float
    degree: int = 44
    parameter: str = "reynolds"

    @property
    def kind(self) -> str:
        return "computed"

    @cached_property
    def error(self) -> float:
        """Largest relative L2 difference, over velocities and pressure, from three quarters of the degree."""
        x, y = np.meshgrid(*[(np.arange(50) + 0.5) / 50] * 2, indexing="ij")
        coarser = CavityFlow(self.reynolds, 3 * self.degree // 4)
        ours, theirs = self({"x": x, "y": y}), coarser({"x": x, "y": y})
        return max(float(jnp.linalg.norm(theirs[n] - ours[n]) / jnp.linalg.norm(ours[n])) for n in ours)

    def __call__(self, points: Mapping[str, Any]) -> Values:
        x, y = jnp.broadcast_arrays(*(jnp.asarray(points[name], float) for name in ("x", "y")))
        return _fields(_expansions(self.reynolds, self.degree), self.reynolds, x, y)

    @property
    def source(self) -> str:
        """How it is computed."""
        return f"stream function, spectral Galerkin of degree {self.degree} with corner singularities in closed form"

    def renumbered(self, numbers: Mapping[str, float]) -> CavityFlow:
        return CavityFlow(numbers.get(self.parameter, self.reynolds), self.degree, self.parameter)


@jax.jit
def _fields(expansions: tuple[np.ndarray, ...], reynolds: float, x: jax.Array, y: jax.Array) -> Values:
    """Smooth parts and corner flows together."""
    smooth = [_series(coefficients, x, y) for coefficients in expansions]
    (u_left, v_left, log_left), (u_right, v_right, log_right) = _corner(x, 1 - y), _corner(1 - x, 1 - y)
    return {
        "v[0]": smooth[0] + u_left + u_right,
        "v[1]": smooth[1] + v_left - v_right,
        "p": smooth[2] + 8 / reynolds * (log_left - log_right),
    }


def _corner(x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Velocities of the singular Stokes flow at the left corner, y downwards, and the logarithm of the distance."""
    angle = jnp.arctan2(y, x)
    return 4 * x + 2 * y * (2 * angle - jnp.pi), 4 * x * angle, jnp.log(x**2 + y**2) / 2


def _series(coefficients: Any, x: jax.Array, y: jax.Array) -> jax.Array:
    """Sum of Legendre products on the unit square."""
    left, right = (_legendre(2 * s - 1, n) for s, n in zip((x, y), coefficients.shape, strict=True))
    return jnp.einsum("...i,ij,...j->...", left, coefficients, right)


def _legendre(z: jax.Array, count: int) -> jax.Array:
    """The first Legendre polynomials, along a new last axis."""

    def step(pair: tuple[jax.Array, jax.Array], k: jax.Array) -> tuple[tuple[jax.Array, jax.Array], jax.Array]:
        previous, current = pair
        return (current, ((2 * k + 1) * z * current - k * previous) / (k + 1)), previous

    _, values = jax.lax.scan(step, (jnp.ones_like(z), z), jnp.arange(1, count + 1, dtype=float))
    return jnp.moveaxis(values, 0, -1)


def _basis(degree: int) -> np.ndarray:
    """Legendre coefficients, one row a function: cubics for value and slope at 0, then at 1, then clamped functions."""
    rows = np.zeros((degree + 1, degree + 1))
    cubics = np.array([[1, 0, -3, 2], [0, 1, -2, 1], [0, 0, 3, -2], [0, 0, -1, 1]], float)
    z = legendre.leggauss(4)[0]
    rows[:4, :4] = np.linalg.solve(legendre.legvander(z, 3), np.vander((z + 1) / 2, 4, increasing=True) @ cubics.T).T
    for k in range(degree - 3):
        scale = 1 / np.sqrt(2 * (2 * k + 3) ** 2 * (2 * k + 5))
        rows[k + 4, [k, k + 2, k + 4]] = np.array([1, -(4 * k + 10) / (2 * k + 7), (2 * k + 3) / (2 * k + 7)]) * scale
    return rows


def _sampled(rows: np.ndarray, z: np.ndarray, order: int) -> np.ndarray:
    """Derivative of the basis along the unit interval at points of (-1, 1), shape (points, functions)."""
    return legendre.legval(z, 2**order * legendre.legder(rows.T, order)).T if order else legendre.legval(z, rows.T).T


def _singular(x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    """The two corner functions together: values, first derivatives and Laplacian on the unit square."""
    shape = np.broadcast_shapes(x.shape, y.shape)
    total = {name: np.zeros(shape) for name in ("value", "x", "y", "laplacian")}
    depth = 1 - y
    for across, sign in ((x, 1), (1 - x, -1)):
        angle = np.arctan2(depth, across)
        total["value"] -= 2 * (angle * (across**2 + depth**2) + across * depth - np.pi / 2 * depth**2)
        total["x"] -= sign * 4 * across * angle
        total["y"] += 4 * across + 2 * depth * (2 * angle - np.pi)
        total["laplacian"] += 2 * np.pi - 8 * angle
    return total


def _boundary_coefficients(rows: np.ndarray) -> np.ndarray:
    """Coefficients of the smooth part with its boundary values and slopes, and nothing clamped in both directions."""
    n = len(rows)
    z = -np.cos(np.pi * (np.arange(n) + 0.5) / n)
    s, at_nodes = (z + 1) / 2, _sampled(rows, z, 0)
    lid = 4 * s * (1 - s)
    columns = []
    for end in (0.0, 1.0):
        wall, floor_or_lid = _singular(np.full(n, end), s), _singular(s, np.full(n, end))
        along_y = np.stack([-wall["value"], -wall["x"]], axis=1)
        along_x = np.stack([-floor_or_lid["value"], end * lid - floor_or_lid["y"]], axis=1)
        columns.append((np.linalg.solve(at_nodes, along_y), np.linalg.solve(at_nodes, along_x)))
    coefficients = np.zeros((n, n))
    coefficients[:, :4] = np.concatenate([columns[0][1], columns[1][1]], axis=1)
    coefficients[:4] = np.concatenate([columns[0][0], columns[1][0]], axis=1).T
    return coefficients


@lru_cache(maxsize=8)
def _expansions(reynolds: float, degree: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Legendre coefficients of the smooth parts of both velocities and of the pressure."""
    flow = _Galerkin(degree)
    coefficients = flow.solve(reynolds)
    stream = flow.rows.T @ coefficients @ flow.rows
    velocity_x, velocity_y = 2 * legendre.legder(stream, axis=1), -2 * legendre.legder(stream, axis=0)
    return velocity_x, velocity_y, flow.pressure(coefficients, reynolds)


@final
class _Galerkin:
    """Matrices of one degree."""

    def __init__(self, degree: int):
        self.rows = _basis(degree)
        z, w = legendre.leggauss(2 * degree + 8)
        self.nodes, self.weights = (z + 1) / 2, w / 2
        self.samples = [_sampled(self.rows, z, order) for order in range(4)]
        self.singular = _singular(*np.meshgrid(self.nodes, self.nodes, indexing="ij"))

    def _smooth(self, coefficients: np.ndarray, i: int, j: int) -> np.ndarray:
        return self.samples[i] @ coefficients @ self.samples[j].T

    def _fields(self, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """First derivatives and Laplacian of the stream function at the quadrature nodes."""
        laplacian = self._smooth(coefficients, 2, 0) + self._smooth(coefficients, 0, 2) + self.singular["laplacian"]
        along_x = self._smooth(coefficients, 1, 0) + self.singular["x"]
        return along_x, self._smooth(coefficients, 0, 1) + self.singular["y"], laplacian

    def solve(self, reynolds: float) -> np.ndarray:
        """Coefficients of the smooth part, by Newton's method with continuation in the Reynolds number."""
        coefficients = _boundary_coefficients(self.rows)
        viscous = self._viscous_matrix()
        steps = max(int(np.ceil(np.log(reynolds / 100) / np.log(_CONTINUATION))), 0)
        for number in [reynolds / _CONTINUATION**k for k in reversed(range(steps + 1))]:
            for _ in range(_NEWTON_STEPS):
                update = np.linalg.solve(
                    viscous / number + self._convective_matrix(coefficients), -self._residual(coefficients, number)
                )
                coefficients[4:, 4:] += update.reshape(coefficients[4:, 4:].shape)
                if np.max(np.abs(update)) < _NEWTON_TOLERANCE * np.max(np.abs(coefficients)):
                    break
            else:
                raise SolveError(
                    f"no steady flow at Reynolds number {number:g} after {_NEWTON_STEPS} Newton steps",
                    "a Reynolds number at which degree and continuation suffice",
                    "raise the degree, or lower the Reynolds number",
                )
        return coefficients

    def _tested(self, by_x: np.ndarray, by_y: np.ndarray) -> np.ndarray:
        """Integrals of `by_x χ_x + by_y χ_y` for all clamped χ."""
        value, slope = (self.weights[:, None] * s[:, 4:] for s in self.samples[:2])
        return slope.T @ by_x @ value + value.T @ by_y @ slope

    def _residual(self, coefficients: np.ndarray, reynolds: float) -> np.ndarray:
        along_x, along_y, laplacian = self._fields(coefficients)
        bend = self._smooth(coefficients, 2, 0) + self._smooth(coefficients, 0, 2)  # the singular part is biharmonic
        value, second = (self.weights[:, None] * self.samples[order][:, 4:] for order in (0, 2))
        viscous = second.T @ bend @ value + value.T @ bend @ second
        return (viscous / reynolds + self._tested(laplacian * along_y, -laplacian * along_x)).reshape(-1)

    def _viscous_matrix(self) -> np.ndarray:
        """Integrals of the products of Laplacians of clamped functions."""
        value, second = self.samples[0][:, 4:], self.samples[2][:, 4:]
        mass, mixed, bend = ((a.T * self.weights) @ b for a, b in ((value, value), (value, second), (second, second)))
        return np.kron(bend, mass) + np.kron(mixed.T, mixed) + np.kron(mixed, mixed.T) + np.kron(mass, bend)

    def _convective_matrix(self, coefficients: np.ndarray) -> np.ndarray:
        """Derivative of the convective term along clamped functions, built by blocks of one function of x."""
        along_x, along_y, laplacian = self._fields(coefficients)
        value, slope, second = (self.samples[order][:, 4:] for order in range(3))
        count = value.shape[1]
        matrix = np.empty((count, count, count, count))
        for k in range(count):
            bend = second[:, k, None, None] * value + value[:, k, None, None] * second  # (x, y, function of y)
            by_x = bend * along_y[..., None] + laplacian[..., None] * value[:, k, None, None] * slope
            by_y = -bend * along_x[..., None] - laplacian[..., None] * slope[:, k, None, None] * value
            matrix[:, :, k] = self._tested_all(by_x, slope, value) + self._tested_all(by_y, value, slope)
        return matrix.reshape(count**2, count**2)

    def _tested_all(self, integrand: np.ndarray, test_x: np.ndarray, test_y: np.ndarray) -> np.ndarray:
        weighted_x, weighted_y = self.weights[:, None] * test_x, self.weights[:, None] * test_y
        return np.einsum("xi,xyl,yj->ijl", weighted_x, integrand, weighted_y, optimize=True)

    def pressure(self, coefficients: np.ndarray, reynolds: float) -> np.ndarray:
        """Legendre coefficients of the smooth pressure: least squares for its gradient, 0 amid the floor."""
        n = len(self.rows)
        gradient_x, gradient_y = self._pressure_gradient(coefficients, reynolds)
        z = 2 * self.nodes - 1
        value, slope = _sampled(np.eye(n), z, 0), _sampled(np.eye(n), z, 1)
        mass, stiffness = (value.T * self.weights) @ value, (slope.T * self.weights) @ slope
        tested = (slope.T * self.weights) @ gradient_x @ (self.weights[:, None] * value)
        tested += (value.T * self.weights) @ gradient_y @ (self.weights[:, None] * slope)
        numbers, vectors = eigh(stiffness, mass)
        divisor = numbers[:, None] + numbers[None, :]
        divisor[0, 0] = np.inf  # the constant
        series = vectors @ ((vectors.T @ tested @ vectors) / divisor) @ vectors.T
        series[0, 0] -= legendre.legval2d(0, -1, series)
        return series

    def _pressure_gradient(self, coefficients: np.ndarray, reynolds: float) -> tuple[np.ndarray, np.ndarray]:
        """Gradient of the pressure without the logarithms, from the momentum balance."""
        along_x, along_y, _ = self._fields(coefficients)
        u, v = along_y, -along_x
        second = {index: self._smooth(coefficients, *index) for index in ((2, 0), (1, 1), (0, 2))}
        corner_xx, corner_xy, corner_yy = _singular_second(*np.meshgrid(self.nodes, self.nodes, indexing="ij"))
        psi_xx, psi_xy, psi_yy = second[2, 0] + corner_xx, second[1, 1] + corner_xy, second[0, 2] + corner_yy
        laplacian_x = self._smooth(coefficients, 3, 0) + self._smooth(coefficients, 1, 2)
        laplacian_y = self._smooth(coefficients, 2, 1) + self._smooth(coefficients, 0, 3)
        by_x = laplacian_y / reynolds - u * psi_xy - v * psi_yy
        by_y = -laplacian_x / reynolds + u * psi_xx + v * psi_xy
        return by_x, by_y


def _singular_second(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Second derivatives xx, xy, yy of the two corner functions together."""
    depth = 1 - y
    xx, xy, yy = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x)
    for across, sign in ((x, 1), (1 - x, -1)):
        square, angle = across**2 + depth**2, np.arctan2(depth, across)
        xx -= 4 * angle - 4 * across * depth / square
        xy += sign * 4 * across**2 / square
        yy += 2 * np.pi - 4 * angle - 4 * across * depth / square
    return xx, xy, yy
