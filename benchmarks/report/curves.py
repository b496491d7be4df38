"""Error against cost: Pareto fronts, the time to an accuracy and the accuracy at a time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from benchmarks.report.entries import Entry

ACCURACIES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-9)
TIMES = (0.1, 1.0, 10.0, 60.0, 300.0)

Point = tuple[float, float]
"""Seconds after compilation, relative L2 error."""


def points(entries: Iterable[Entry]) -> list[Point]:
    """Where the entries lie, failures left out: they reach no accuracy at any time."""
    found = [(entry.seconds, entry.error) for entry in entries]
    return [(s, e) for s, e in found if math.isfinite(s) and math.isfinite(e)]


def pareto_front(all_points: Sequence[Point]) -> list[Point]:
    """The points that no other beats in both seconds and error, from fast to accurate."""
    front: list[Point] = []
    for s, e in sorted(all_points):
        if not front or e < front[-1][1]:
            front.append((s, e))
    return front


def time_to_accuracy(all_points: Sequence[Point], accuracy: float) -> float:
    """Fewest seconds with at most this error; infinite if it is never reached."""
    return min((s for s, e in all_points if e <= accuracy), default=math.inf)


def accuracy_at_time(all_points: Sequence[Point], seconds: float) -> float:
    """Smallest error within these seconds; infinite if nothing is ready by then."""
    return min((e for s, e in all_points if s <= seconds), default=math.inf)
