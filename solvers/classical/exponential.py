"""Exponential integrators: φ-functions of diagonal and of coupled symbols, and the step of ETDRK4.

φ_0(z) = e^z and φ_{k+1}(z) = (φ_k(z) - 1/k!) / z. Diagonal symbols use Cauchy's integral where that quotient cancels;
m×m symbols use scaling and doubling, which needs no eigenvectors and so survives defective symbols (a wave at k = 0).
References: Cox & Matthews, doi:10.1006/jcph.2002.6995; Kassam & Trefethen, doi:10.1137/S1064827502410633;
Skaflestad & Wright, doi:10.1016/j.apnum.2008.03.030.
"""

from __future__ import annotations

from collections.abc import Callable
from math import factorial
from typing import Any, NamedTuple, final

import numpy as np
from jax import Array
from numpy.typing import ArrayLike, NDArray

Complex = NDArray[np.complex128]

_CONTOUR_POINTS = 64
_CONTOUR_RADIUS = 4.0
_INSIDE = 2.0
_TAYLOR_TERMS = 18
_TAYLOR_RADIUS = 0.5


@final
class ExponentialStep(NamedTuple):
    """Coefficients of one ETDRK4 step of size h for u' = L u + N(u).

    Every entry is an array over modes: shape (..., modes) for a diagonal symbol, (..., m, m) for a coupled one.

    Args:
        whole: e^{hL}.
        half: e^{hL/2}.
        stage: (h/2) φ_1(hL/2).
        first: h (φ_1 - 3 φ_2 + 4 φ_3)(hL).
        middle: h (2 φ_2 - 4 φ_3)(hL).
        last: h (4 φ_3 - φ_2)(hL).
    """

    whole: Any
    half: Any
    stage: Any
    first: Any
    middle: Any
    last: Any


def phi_functions(argument: ArrayLike, order: int) -> tuple[Complex, ...]:
    """φ_0 ... φ_order of every entry of an array.

    Inside |z| < 2 the values are the Cauchy integral over |ζ| = 4 by the trapezoidal rule, whose error is 2^-64;
    outside, the defining recurrence loses at most one digit.

    Args:
        argument: numbers z, any shape.
        order: highest index k >= 0.

    Returns:
        order + 1 arrays of the shape of `argument`.
    """
    z = np.asarray(argument, dtype=np.complex128)
    inside = np.abs(z) < _INSIDE
    circle = _CONTOUR_RADIUS * np.exp(2j * np.pi * (np.arange(_CONTOUR_POINTS) + 0.5) / _CONTOUR_POINTS)
    kernel = circle / (circle - z[inside][:, None]) / _CONTOUR_POINTS
    values, outside = [np.exp(z)], np.where(inside, 1.0, z)
    on_circle = np.exp(circle)
    for k in range(order):
        on_circle = (on_circle - 1 / factorial(k)) / circle
        current = (values[-1] - 1 / factorial(k)) / outside
        current[inside] = kernel @ on_circle
        values.append(current)
    return tuple(values)


def matrix_phi_functions(argument: ArrayLike, order: int) -> tuple[Complex, ...]:
    """φ_0 ... φ_order of every m×m matrix of a stack, by scaling and doubling.

    φ_k(2A) = 2^-k (φ_0(A) φ_k(A) + sum_{j=1}^{k} φ_j(A) / (k - j)!); matrices are halved until their norm is below 1/2,
    where eighteen Taylor terms reach round-off.

    Args:
        argument: matrices A, shape (..., m, m).
        order: highest index k >= 0.

    Returns:
        order + 1 arrays of the shape of `argument`.
    """
    matrices = np.asarray(argument, dtype=np.complex128)
    norms = np.max(np.sum(np.abs(matrices), axis=-2), axis=-1)
    doublings = np.maximum(0, np.ceil(np.log2(np.maximum(norms, np.finfo(float).tiny) / _TAYLOR_RADIUS))).astype(int)
    scaled = matrices / np.exp2(doublings)[..., None, None]
    identity = np.broadcast_to(np.eye(matrices.shape[-1], dtype=np.complex128), matrices.shape)
    top = identity / factorial(order + _TAYLOR_TERMS)
    for k in range(order + _TAYLOR_TERMS - 1, order - 1, -1):
        top = identity / factorial(k) + scaled @ top
    values = [top]
    for k in range(order - 1, -1, -1):
        values.insert(0, identity / factorial(k) + scaled @ values[0])
    for step in range(int(doublings.max(initial=0))):
        again = (doublings > step)[..., None, None]
        values = [np.where(again, new, old) for new, old in zip(_doubled(values), values, strict=True)]
    return tuple(values)


def _doubled(values: list[Complex]) -> list[Complex]:
    """φ-functions of 2A from those of A."""
    doubled = [values[0] @ values[0]]
    for k in range(1, len(values)):
        total = values[0] @ values[k]
        for j in range(1, k + 1):
            total = total + values[j] / factorial(k - j)
        doubled.append(total / 2**k)
    return doubled


def etdrk4_coefficients(symbol: ArrayLike, step: float, *, coupled: bool = False) -> ExponentialStep:
    """Coefficients of `etdrk4_step` for one symbol and step size, computed on the host.

    Args:
        symbol: L, shape (..., modes); for `coupled`, m×m blocks in the last two axes.
        step: step size h, units of time.
        coupled: whether the last two axes of `symbol` are matrices.

    Returns:
        Six arrays of the shape of `symbol`.
    """
    scaled = np.asarray(symbol, dtype=np.complex128) * step
    functions = matrix_phi_functions if coupled else phi_functions
    whole, one, two, three = functions(scaled, 3)
    half, half_one = functions(scaled / 2, 1)
    return ExponentialStep(
        whole=whole,
        half=half,
        stage=step / 2 * half_one,
        first=step * (one - 3 * two + 4 * three),
        middle=step * (2 * two - 4 * three),
        last=step * (4 * three - two),
    )


def etdrk4_step(
    coefficients: ExponentialStep,
    nonlinear: Callable[[Array, Array], Array],
    apply: Callable[[Array, Array], Array],
    time: Array,
    state: Array,
    step: Array,
) -> Array:
    """One fourth-order exponential Runge–Kutta step of u' = L u + N(t, u), after Cox & Matthews.

    Args:
        coefficients: from `etdrk4_coefficients` for the same step.
        nonlinear: N(t, u).
        apply: product of a coefficient with a state: elementwise, or block by block for coupled symbols.
        time: t.
        state: u(t).
        step: h.

    Returns:
        u(t + h), local error O(h^5).
    """
    c = coefficients
    start = nonlinear(time, state)
    carried = apply(c.half, state)
    middle = time + step / 2
    first = carried + apply(c.stage, start)
    at_first = nonlinear(middle, first)
    second = carried + apply(c.stage, at_first)
    at_second = nonlinear(middle, second)
    third = apply(c.half, first) + apply(c.stage, 2 * at_second - start)
    at_third = nonlinear(time + step, third)
    return (
        apply(c.whole, state) + apply(c.first, start) + apply(c.middle, at_first + at_second) + apply(c.last, at_third)
    )
