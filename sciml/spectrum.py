"""Spectral lines of a solution along one coordinate, for solvers that work with frequencies."""

from __future__ import annotations

from typing import final

import equinox as eqx
import numpy as np

from sciml.storable import storable


@final
@storable("spectral lines")
class SpectralLines(eqx.Module):
    """Lines along one coordinate, all arrays `(lines,)`.

    Attributes:
        frequencies: angular, in radians per unit of the coordinate, at least 0.
        widths: standard deviation of each line, in the same unit; 0 for a pure harmonic.
        amplitudes: root mean square, over the domain, of the part of the solution that the line carries.
    """

    frequencies: np.ndarray
    widths: np.ndarray
    amplitudes: np.ndarray
