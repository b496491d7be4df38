"""Fourier sums: periodic data of few waves as an expression."""

from __future__ import annotations

import numpy as np

from sciml.expr.functions import cos, sin
from sciml.expr.nodes import Coordinate, Scalar
from sciml.expr.reduce import total

ROUNDING = 1e-13


def fourier_sum(x: Coordinate, start: float, length: float, data: np.ndarray, most: int) -> Scalar | float | None:
    r"""The band-limited function through equidistant data on a circle, if few waves make it.

    $$a_0 + \sum_k a_k\cos\frac{2\pi k(x-x_0)}L + b_k\sin\frac{2\pi k(x-x_0)}L$$

    Args:
        x: the periodic coordinate.
        start: $x_0$, where the first value stands.
        length: $L$.
        data: `(m,)` at $x_0 + jL/m$.
        most: waves that the sum may have.

    Returns:
        The sum of the waves above rounding; None if there are more, or if one is of number $m/2$, whose phase the data
        do not tell.
    """
    modes = np.fft.rfft(data) / len(data)
    heard = np.flatnonzero(np.abs(modes) > ROUNDING * np.max(np.abs(data), initial=0.0))
    heard = heard[heard > 0]
    if len(heard) > most or 2 * np.max(heard, initial=0) >= len(data):
        return None
    terms: list[Scalar] = []
    for k in heard:
        angle = 2 * np.pi * int(k) / length * (x - start)
        terms += [2 * float(modes[k].real) * cos(angle), -2 * float(modes[k].imag) * sin(angle)]
    mean = float(modes[0].real)
    return mean + total(terms) if terms else mean
