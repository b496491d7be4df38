r"""Ends of an axis that a residual piles up at, and lattices that grow finer towards them.

Where data or walls meet at a corner, or diffusion vanishes at a wall, derivatives are unbounded: more cells of one size
then hardly pay. With $\xi(x) = x + a\,\delta\operatorname{asinh}((x-c)/\delta)$ about an end c, cells shrink in
proportion to the distance from it, down to that of δ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from solvers.gaussians.features import Stretching
from solvers.gaussians.spaces import AxisLattice

_NEAR = 0.1
"""Share of the points of an axis that lie at an end."""
_PILED = 0.3
"""Share of the squared residual there at which it piles up."""
_STRENGTH = 1 / 8
_FIRST = 1 / 4
"""Width δ, in cells, when a lattice is first made finer at an end."""
_SHARPER = 1 / 2


def piled_ends(energy: np.ndarray, axis: int) -> tuple[bool, bool]:
    """Whether a squared residual, integrated over cells, piles up at the lower and the upper end of an axis."""
    profile = energy.sum(axis=tuple(k for k in range(energy.ndim) if k != axis))
    near = max(round(_NEAR * profile.size), 1)
    limit = _PILED * profile.sum()
    return bool(profile[:near].sum() > limit), bool(profile[-near:].sum() > limit)


def finer_at(cover: AxisLattice, bounds: tuple[float, float], ends: Sequence[bool]) -> AxisLattice:
    """A lattice of as many cells that grows finer towards the given ends of its interval, too; itself if it does."""
    old, length = cover.stretching, bounds[1] - bounds[0]
    new = np.array([c for c, asked in zip(bounds, ends, strict=True) if asked and c not in old.centres])
    if not new.size:
        return cover
    widths = np.concatenate([old.widths, np.full(new.size, _FIRST * length / cover.cells)])
    return replace(cover, stretching=_towards(np.concatenate([old.centres, new]), widths, length))


def sharper(cover: AxisLattice, bounds: tuple[float, float], ends: Sequence[bool], factor: float) -> AxisLattice:
    """A lattice of more cells, that is finer yet towards the given ends where it was."""
    grown, old = cover.finer(factor), cover.stretching
    if not old.centres.size:
        return grown
    asked = np.isin(old.centres, [c for c, piled in zip(bounds, ends, strict=True) if piled])
    return replace(grown, stretching=_towards(old.centres, np.where(asked, _SHARPER, 1.0) * old.widths, np.ptp(bounds)))


def _towards(centres: np.ndarray, widths: np.ndarray, length: float | np.floating) -> Stretching:
    return Stretching(centres, widths, _STRENGTH * length / widths)
