"""Who is ahead, and how sure that is: mean ranks over cases, with intervals by the bootstrap over cases and seeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from benchmarks.report.entries import UNASKED, Entry, Result, error_of, seconds_of

RESAMPLES = 1000
TIED = 1.02
"""Two scores within this factor share a rank."""


def largest(name: str) -> Callable[[Result], float]:
    """A score of a run, the largest over the unknowns; infinite for a failure and where it is missing."""

    def pick(result: Result) -> float:
        fields = (result.get("scores") or {}).get("fields") or {}
        values = [own.get(name) for own in fields.values()]
        return max((math.inf if v is None else v for v in values), default=math.inf)

    return pick


METRICS: dict[str, Callable[[Result], float]] = {
    "relative L2": error_of,
    "largest error": largest("relative_max"),
    "H1": largest("h1"),
    "seconds": seconds_of,
}
"""What is ranked; smaller is better."""


@final
@dataclass(frozen=True)
class Rank:
    """Where a solver stands among those that claim the same cases.

    Attributes:
        solver: its name.
        cases: on how many cases it could be ranked.
        tried: most configurations that it had on one case; the best one counts.
        mean: mean rank by metric, 1 is best.
        low: 5th percentile of the bootstrap.
        high: 95th percentile.
    """

    solver: str
    cases: int
    tried: int
    mean: dict[str, float]
    low: dict[str, float]
    high: dict[str, float]


def ranks(entries: Sequence[Entry], seed: int = 0) -> list[Rank]:
    """Mean ranks, best relative L2 first.

    On each case the configuration with the smallest median stands for its solver; a solver that cannot solve a case is
    not ranked there, one that fails is last. Cases and the seeds within each configuration are drawn with replacement.
    """
    claimed = [entry for entry in entries if entry.status not in UNASKED and not math.isnan(entry.error)]
    cases = list(dict.fromkeys(entry.case for entry in claimed))
    solvers = list(dict.fromkeys(entry.solver for entry in claimed))
    best = {(c, s): [e for e in claimed if (e.case, e.solver) == (c, s)] for c in cases for s in solvers}
    random = np.random.default_rng(seed)
    found = {}
    for name, metric in METRICS.items():
        table = [_case_ranks([best[c, s] for s in solvers], metric, None) for c in cases]
        drawn = [
            np.array([_case_ranks([best[c, s] for s in solvers], metric, random) for _ in range(_resamples(cases))])
            for c in cases
        ]
        found[name] = (_mean(np.array(table)), _bootstrap(drawn, random))
    made = []
    for i, solver in enumerate(solvers):
        own = [best[c, solver] for c in cases if best[c, solver]]
        interval = {n: np.nanpercentile(b[:, i], (5, 95)) for n, (_, b) in found.items()}
        mean = {n: float(m[i]) for n, (m, _) in found.items()}
        low, high = ({n: float(interval[n][k]) for n in interval} for k in (0, 1))
        made.append(Rank(solver, len(own), max(map(len, own)), mean, low, high))
    return sorted(made, key=lambda r: r.mean["relative L2"])


def _resamples(cases: Sequence[str]) -> int:
    """Draws of the seeds of each case: few suffice, the draws of the cases mix them."""
    return max(20, 200 // max(len(cases), 1))


def _case_ranks(
    groups: Sequence[Sequence[Entry]], metric: Callable[[Result], float], random: np.random.Generator | None
) -> np.ndarray:
    """Rank of each solver on one case, NaN where it has no entry."""
    scores = np.array([_best(group, metric, random) for group in groups])
    here = np.flatnonzero(~np.isnan(scores))
    result = np.full(len(groups), np.nan)
    for i in here:
        ahead = sum(scores[j] * TIED < scores[i] for j in here)
        level = sum(not (scores[j] * TIED < scores[i] or scores[i] * TIED < scores[j]) for j in here)
        result[i] = ahead + (1 + level) / 2
    return result


def _best(group: Sequence[Entry], metric: Callable[[Result], float], random: np.random.Generator | None) -> float:
    """Median over (drawn) seeds of the best configuration; NaN without any."""
    medians = []
    for entry in group:
        values = np.array([metric(r) for r in entry.results])
        drawn = values if random is None else values[random.integers(0, values.size, values.size)]
        medians.append(float(np.percentile(drawn, 50, method="higher")))
    return min(medians, default=math.nan)


def _mean(table: np.ndarray) -> np.ndarray:
    """Mean over the cases where there is a rank."""
    counts = np.sum(~np.isnan(table), axis=0)
    return np.where(counts > 0, np.nansum(table, axis=0) / np.maximum(counts, 1), np.nan)


def _bootstrap(drawn: Sequence[np.ndarray], random: np.random.Generator) -> np.ndarray:
    """Mean ranks `(resamples, solvers)`: cases drawn with replacement, each with one of its draws of seeds."""
    rows = []
    for _ in range(RESAMPLES):
        chosen = random.integers(0, len(drawn), len(drawn))
        rows.append(_mean(np.array([drawn[c][random.integers(0, len(drawn[c]))] for c in chosen])))
    return np.array(rows)
