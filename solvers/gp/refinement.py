r"""Frequencies of spectral lines of largest evidence.

Signals $Y$ on nodes, `(n, c)`, are draws of one process with covariance $a^2(\Phi\Phi^T + \rho I)$, Φ the features of
the lines. With the scale a profiled out the logarithm of their density is, up to a constant,

$$E = -\tfrac{nc}2\log q - \tfrac c2\log\det(\Phi\Phi^T + \rho I),\qquad
q = \min_\beta\, |Y - \Phi\beta|^2/\rho + |\beta|^2 .$$

Derivatives along a line's frequency are exact: $\partial_m\cos m(x-\bar x) = -(x-\bar x)\sin m(x-\bar x)$.

Source: Rasmussen & Williams, Gaussian Processes for Machine Learning (2006), section 5.4.1.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import solve_triangular
from scipy.optimize import minimize

from sciml.signals import Signals
from solvers.gp.features import LadderFeatures, Line

_REACH, _LOWEST = 3.0, 0.5
_MOST_STEPS = 60


def likeliest(lines: tuple[Line, ...], signals: Signals, noise: float) -> tuple[Line, ...]:
    """The same lines, their frequencies moved by up to three bins each to where the evidence is largest.

    Args:
        lines: those of frequency zero stay.
        signals: what they are to explain.
        noise: standard deviation, relative to the prior's.
    """
    moving = [k for k, line in enumerate(lines) if line.frequency > 0]
    if not moving or signals.values.shape[1] == 0:
        return lines
    start = np.array([lines[k].frequency for k in moving]) / signals.bin

    def moved(bins: np.ndarray) -> tuple[Line, ...]:
        found = list(lines)
        for k, b in zip(moving, bins, strict=True):
            found[k] = Line(float(b * signals.bin), lines[k].length, lines[k].weight)
        return tuple(found)

    def loss(bins: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = evidence(moved(bins), signals, noise)
        return -value, -slope[moving] * signals.bin

    bounds = list(zip(np.maximum(start - _REACH, _LOWEST), start + _REACH, strict=True))
    options = {"maxiter": _MOST_STEPS}
    return moved(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x)


def evidence(lines: tuple[Line, ...], signals: Signals, noise: float) -> tuple[float, np.ndarray]:
    """Evidence E over the number of values, and its derivative along every line's frequency.

    Args:
        lines: the mixture.
        signals: the data.
        noise: its standard deviation, relative to the prior's.
    """
    nodes, Y = signals.nodes, signals.values
    features = LadderFeatures(lines, float(nodes[0]), float(nodes[-1]))
    (table,) = features.derivatives(nodes, 0)
    rho = noise**2 * float(np.sum(table**2)) / nodes.size
    size = table.shape[1]
    q, triangle = np.linalg.qr(np.concatenate([table, np.sqrt(rho) * np.eye(size)]))
    reader = solve_triangular(triangle, q[: nodes.size].T)  # (ΦᵀΦ + ρ)⁻¹Φᵀ
    beta = reader @ Y
    rest = Y - table @ beta
    quad = float(np.sum(rest**2)) / rho + float(np.sum(beta**2))
    count, columns = Y.size, Y.shape[1]
    logdet = 2 * float(np.log(np.abs(np.diag(triangle))).sum()) + (nodes.size - size) * np.log(rho)
    value = -0.5 * count * np.log(quad) - 0.5 * columns * logdet
    slopes = features.frequency_slopes(table, nodes)
    along = -2 * np.sum((rest.T @ slopes) * beta.T, axis=0) / rho  # of q, per feature
    volume = 2 * np.sum(reader.T * slopes, axis=0)  # of log det
    each = -0.5 * count * along / quad - 0.5 * columns * volume
    return value / count, features.summed_by_line(each) / count
