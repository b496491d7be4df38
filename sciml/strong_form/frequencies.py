"""Which frequencies a problem is made of: peaks in the spectra of its sources and of its data along each coordinate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from sciml.expr.evaluation import evaluate
from sciml.expr.linear import split
from sciml.expr.nodes import Scalar
from sciml.expr.traverse import atoms
from sciml.known import BoundLaws, known_values
from sciml.problem import Problem
from sciml.signals import Signals, peaks

_NODES, _LINES = 1025, 8
_THRESHOLD = 0.05
_GOLDEN = (np.sqrt(5) - 1) / 2


def data_frequencies(problem: Problem, most: int) -> tuple[tuple[str, tuple[float, ...]], ...]:
    """Angular frequencies, in radians per unit, along every coordinate that is not periodic, strongest first.

    Sources and data of conditions are read on eight lines along a coordinate through irrational places of the others.
    The solution plays no part: what only it contains is not found.

    Args:
        problem: with a box as its domain and numbers for the parameters in its data.
        most: frequencies of one coordinate.
    """
    found = []
    for name in problem.domain.bounds:
        if name in problem.domain.periodic:
            continue
        nodes = np.linspace(*problem.domain.bounds[name], _NODES)
        columns = [
            values for e, held in _data(problem) if (values := _along(problem, e, held, name, nodes)) is not None
        ]
        if columns:
            signals = Signals(nodes, np.concatenate(columns, axis=1))
            lines = peaks(signals, signals.values, _THRESHOLD)[:most]
            if lines:
                found.append((name, tuple(lines)))
    return tuple(found)


def _data(problem: Problem) -> Iterator[tuple[Scalar, Mapping[str, float]]]:
    """Known expressions, with the coordinates that their place fixes."""
    for residual in problem.residuals:
        yield split(residual).source, {}
    for condition in problem.placed_conditions:
        yield condition.data, problem.box.place_values(condition.place)


def _along(problem: Problem, e: Scalar, held: Mapping[str, float], name: str, nodes: np.ndarray) -> np.ndarray | None:
    """Values `(nodes, lines)` of unit size; None where an expression vanishes, is held there, or has no numbers."""
    if name in held:
        return None
    shares = np.mod(0.5 + _GOLDEN * np.arange(1, _LINES + 1), 1.0)
    points = {}
    for k, (other, (lower, upper)) in enumerate(problem.domain.bounds.items()):
        line = lower + (upper - lower) * np.roll(shares, k)
        points[other] = np.broadcast_to(held.get(other, line[None, :]), (nodes.size, _LINES))
    points[name] = np.broadcast_to(nodes[:, None], (nodes.size, _LINES))
    known = known_values(atoms(e), {x: p.ravel() for x, p in points.items()}, problem.arguments)
    if any(value is None for value in known.values()):
        return None
    values = np.asarray(evaluate(e, known, BoundLaws(problem.arguments.laws)), float)
    values = np.broadcast_to(values.reshape(-1) if values.ndim else values, (nodes.size * _LINES,))
    values = values.reshape(nodes.size, _LINES)
    size = float(np.sqrt(np.mean(values**2, axis=0)).max())
    return values / size if size > 0 else None
