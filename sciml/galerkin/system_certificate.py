"""The residuals of a system between its nodes: of every equation, and of every condition."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sciml.galerkin.certificate import Certificate, between_nodes, face_misfits, ratio, rms
from sciml.galerkin.rows import Rows
from sciml.galerkin.systems import Coefficients, System

_NEGLIGIBLE = 1e-6


def certify_system(system: System, C: Coefficients) -> Certificate:
    """The largest relative residual of the equations, and of the conditions.

    Each is relative to its own largest term, or to 1e-6 of the largest of all where that is more: a statement about a
    field that vanishes has nothing else to be compared with.
    """
    points = between_nodes(system.fields[0])
    every = tuple(np.eye(p.size) for p in points)
    equations = [misfit_and_size(system, C, Rows(r.expression, points, every)) for r in system.equations]
    conditions = [pair for f, c in zip(system.fields, C, strict=True) for pair in face_misfits(f, c, points)]
    conditions += [misfit_and_size(system, C, r) for r in system.conditions(points, every)]
    return Certificate(_worst(equations), _worst(conditions))


def _worst(pairs: Sequence[tuple[float, float]]) -> float:
    floor = _NEGLIGIBLE * max((whole for _, whole in pairs), default=0.0)
    return max((ratio(part, max(whole, floor)) for part, whole in pairs), default=0.0)


def misfit_and_size(system: System, C: Coefficients, rows: Rows) -> tuple[float, float]:
    """Root mean square of a statement's residual, and of the magnitude of its largest term."""
    residual, terms = residual_and_terms(system, C, rows)
    magnitudes = Rows(rows.expression, rows.points, tuple(np.abs(t) for t in rows.tests))
    return rms(rows.test(residual)), max(rms(magnitudes.test(np.abs(v))) for v in terms)


def residual_and_terms(system: System, C: Coefficients, rows: Rows) -> tuple[np.ndarray, list[np.ndarray]]:
    """Values of a statement on its points, and of each of its terms."""
    parts, jets = rows.parts, system.jets(C, rows.unknown_atoms, rows.points)
    es = (rows.expression, *parts.linear.values(), parts.source, parts.nonlinear)
    residual, *values = system.fields[0].statement.evaluate(es, rows.points, jets)
    return residual, [c * jets[a] for a, c in zip(parts.linear, values, strict=False)] + values[-2:]
