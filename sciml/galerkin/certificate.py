r"""The residual between the nodes: whether the kernel explains the data.

$\rho = \max(\|e(u)\| / \max_t \|t(u)\|,\ \|Bu-g\| / \max(\|g\|, \|u\|_B))$ on points that took no part in the
fit, where t runs over the terms of the equation. It is of order one where the grid is below the Nyquist rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from sciml.galerkin.discretisation import Discretisation
from sciml.galerkin.kronecker import along, kronecker
from sciml.galerkin.statement import AxisPoints

_MOST_POINTS = 1 << 16


@final
@dataclass(frozen=True)
class Certificate:
    """Relative residuals off the nodes.

    Attributes:
        equation: of the equation.
        conditions: of the face conditions.
    """

    equation: float
    conditions: float

    @property
    def worst(self) -> float:
        """The larger one; infinite if either is not a number."""
        values = (self.equation, self.conditions)
        return max(values) if np.all(np.isfinite(values)) else float("inf")


def between_nodes(discrete: Discretisation) -> AxisPoints:
    """Midpoints of the nodes' intervals, thinned so that the tensor grid stays small."""
    most = round(_MOST_POINTS ** (1 / len(discrete.spaces)))
    result = []
    for nodes in discrete.nodes:
        middle = (nodes[1:] + nodes[:-1]) / 2
        keep = np.unique(np.linspace(0, middle.size - 1, min(most, middle.size)).astype(int))
        result.append(middle[keep])
    return result


def rms(values: np.ndarray) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(values))))


def certify(discrete: Discretisation, C: np.ndarray) -> Certificate:
    """Relative residual of the equation and of the conditions between the nodes."""
    statement, points = discrete.statement, between_nodes(discrete)
    jets = discrete.jets(C, statement.unknown_atoms, points)
    parts = statement.parts
    residual = statement.evaluate((statement.residual,), points, jets)[0]
    coefficients = statement.evaluate(tuple(parts.linear.values()), points, jets)
    sizes = [rms(c * jets[a]) for a, c in zip(parts.linear, coefficients, strict=True)]
    sizes += [rms(v) for v in statement.evaluate((parts.source, parts.nonlinear), points, jets)]
    return Certificate(ratio(rms(residual), max(sizes)), _conditions(discrete, C, points))


def _conditions(discrete: Discretisation, C: np.ndarray, points: AxisPoints) -> float:
    return max((ratio(part, whole) for part, whole in face_misfits(discrete, C, points)), default=0.0)


def face_misfits(discrete: Discretisation, C: np.ndarray, points: AxisPoints) -> list[tuple[float, float]]:
    """How much each face condition misses its data, and the size of what it compares."""
    tables = [s.basis.at(p)[0] for s, p in zip(discrete.spaces, points, strict=True)]
    found = []
    for face in discrete.statement.faces:
        row = discrete.spaces[face.axis].row(face.row)[None, :]
        data = discrete.statement.trace(face, points)
        value = kronecker([None if k == face.axis else t for k, t in enumerate(tables)], along(row, C, face.axis))
        inside = kronecker(tables, C)
        scale = max(abs(c) / (np.ptp(discrete.nodes[face.axis]) ** p) for p, c in enumerate(face.row.coefficients))
        found.append((rms(value - data), max(rms(data), scale * rms(inside))))
    return found


def ratio(part: float, whole: float) -> float:
    """A misfit in units of a size; itself where there is no size."""
    return float(part / whole if whole > 0 else part)
