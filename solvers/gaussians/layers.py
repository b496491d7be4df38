r"""Where a solution is steep: layers of a field along an axis, read from its second derivative.

A layer
$\tanh((x-c)/\delta)$ has $\max|u_{xx}| = 0.77/\delta^2$: $\delta \approx 0.88\,|u_{xx}/u|^{-1/2}$. They are taken
one after the other, largest first, until those found make the lattice fine enough everywhere.
"""

from __future__ import annotations

import numpy as np

from sciml.galerkin.discretisation import Discretisation
from sciml.galerkin.kronecker import kronecker
from solvers.gaussians.features import NO_LAYERS, Stretching

_WIDTH = 0.88
_NARROW = 1 / 12
_COVERED = 4.0
_MOST_LAYERS = 6
_SHARE = 1 / 3
_POINTS = 2001
_STEEP, _LOCAL = 0.1, 0.25
"""A bend counts as steep above this share of the largest one; what is steep on more of the axis is no layer."""


def find_layers(discrete: Discretisation, C: np.ndarray, axis: int) -> Stretching:
    """The stretched coordinate that the present solution asks for along an axis."""
    lower, upper = discrete.statement.bounds(axis)
    x, nodes = np.linspace(lower, upper, _POINTS), discrete.spaces[axis].basis.nodes
    x = np.unique(np.concatenate([x, nodes]))
    tables = [s.values[0] for s in discrete.spaces]
    jets = discrete.spaces[axis].basis.at(x, 2)
    value, slope, bend = (
        _largest(np.abs(kronecker([jet if k == axis else t for k, t in enumerate(tables)], C)), axis) for jet in jets
    )
    monitor = bend / max(float(value.max()), np.finfo(float).tiny)
    length = upper - lower
    if np.interp(np.linspace(lower, upper, _POINTS), x, monitor > _STEEP * monitor.max()).mean() > _LOCAL:
        return NO_LAYERS
    centres, widths = [], []
    left = monitor.copy()
    while len(centres) < _MOST_LAYERS:
        peak = int(np.argmax(left))
        width = _WIDTH / np.sqrt(max(monitor[peak], np.finfo(float).tiny))
        if width > _NARROW * length or left[peak] <= 0:
            break
        near = np.abs(x - x[peak]) <= 1.5 * width
        centre = float(x[near][np.argmax(slope[near])])
        centres.append(centre)
        widths.append(float(width))
        left = np.where(monitor > _COVERED * _WIDTH**2 / (width**2 + (x - centre) ** 2), left, 0.0)
    if not centres:
        return NO_LAYERS
    return Stretching(np.array(centres), np.array(widths), _SHARE * length / np.array(widths))


def _largest(values: np.ndarray, axis: int) -> np.ndarray:
    return values.max(axis=tuple(k for k in range(values.ndim) if k != axis))


def is_other(found: Stretching, present: Stretching) -> bool:
    """Whether layers have appeared, sharpened or moved so much that the lattice should follow."""
    if found.centres.shape[0] != present.centres.shape[0]:
        return True
    if found.centres.shape[0] == 0:
        return False
    i, j = np.argsort(found.centres), np.argsort(present.centres)
    moved = np.abs(found.centres[i] - present.centres[j]) > np.maximum(found.widths[i], present.widths[j])
    return bool(np.any(moved) or np.any(found.widths[i] < 0.75 * present.widths[j]))
