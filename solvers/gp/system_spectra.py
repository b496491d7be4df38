"""Which spectrum each axis of each field of a system needs: what the equations that contain it are driven by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from sciml.expr.linear import split
from sciml.expr.traverse import atoms, scalar_leaf
from sciml.galerkin.statement import Statement
from sciml.galerkin.systems import Coefficients, System
from solvers.gp.attempts import Spectra
from solvers.gp.learning import explain, normalised, section_points
from solvers.gp.spectrum import Signals


@final
@dataclass(frozen=True, eq=False)
class KnownSystem:
    """A solution that is already there: its spaces and coefficients."""

    system: System
    coefficients: Coefficients


def learn_system(
    parts: Sequence[Statement], tolerance: float, most_lines: int, known: KnownSystem | None = None
) -> tuple[Spectra, ...]:
    """Spectra of every field.

    The data of a field are the sources of the equations that contain it and the traces of the conditions on the fields
    in these.

    Args:
        parts: of the scalar unknowns.
        tolerance: largest relative misfit of the data along an axis.
        most_lines: most lines an axis, beside its smooth part.
        known: a solution whose nonlinear terms count as data, or None.
    """
    residuals = parts[0].problem.residuals
    inside = [{leaf for a in atoms(e) if (leaf := scalar_leaf(a)) is not None} for e in residuals]
    learned: dict[tuple[tuple[int, ...], tuple[int, ...]], Spectra] = {}
    result = []
    for own in parts:
        equations = tuple(i for i, leaves in enumerate(inside) if own.unknown in leaves)
        coupled = tuple(k for k, p in enumerate(parts) if any(p.unknown in inside[i] for i in equations))
        key = (equations, coupled)
        if key not in learned:
            learned[key] = _learn(parts, key, tolerance, most_lines, known)
        result.append(learned[key])
    return tuple(result)


def _learn(
    parts: Sequence[Statement],
    data: tuple[tuple[int, ...], tuple[int, ...]],
    tolerance: float,
    most_lines: int,
    known: KnownSystem | None,
) -> Spectra:
    one = parts[0]

    def sampler(axis: int):
        def sample(count: int) -> Signals:
            nodes = np.linspace(*one.bounds(axis), count + 1)
            return Signals(nodes, _signals(parts, data, axis, nodes, known))

        return sample

    return tuple(explain(one, k, sampler(k), tolerance, most_lines) for k in range(len(one.axes)))


def _signals(
    parts: Sequence[Statement],
    data: tuple[tuple[int, ...], tuple[int, ...]],
    axis: int,
    nodes: np.ndarray,
    known: KnownSystem | None,
) -> np.ndarray:
    equations, coupled = data
    points = section_points(parts[0], axis, nodes)
    shape = [p.size for p in points]
    groups = []
    for i in equations:
        own = split(parts[0].problem.residuals[i])
        forcing = [own.source]
        jets = None
        if known is not None:
            forcing.append(own.nonlinear)
            jets = known.system.jets(known.coefficients, known.system.equations[i].unknown_atoms, points)
        groups.append(np.broadcast_to(sum(parts[0].evaluate(forcing, points, jets)), shape))
    groups += [parts[k].trace(f, points) for k in coupled for f in parts[k].faces if f.axis != axis]
    columns = [np.moveaxis(g, axis, 0).reshape(g.shape[axis], -1) for g in groups]
    return np.concatenate([normalised(c) for c in columns], axis=1)
