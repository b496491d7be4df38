"""Results grouped by configuration: one entry for all seeds of a solver with its options on a case."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import Any, final

import numpy as np

from benchmarks.runner import OUT_OF_TIME
from benchmarks.suite import NOT_BUILT
from sciml.measurement import CRASHED, UNSUPPORTED
from sciml.results import RESULTS

AT_FLOOR = 3.0
"""An error below this many times the truth's own error says more about the truth than about the solver."""

WORST_FIRST = ("not run", "cannot", "crashed", "out of time", "failed", "doubtful", "solved")
"""What `status_of` says of a run: a row without its environment, a refusal, failures, finite fields, success."""

UNASKED = ("not run", "cannot")
"""Of a solver that did not compute: no failure, and no place among the others."""

TRIVIAL = ("zero", "lift")
"""Solvers that solve nothing."""

Result = Mapping[str, Any]


@final
@dataclass(frozen=True)
class Entry:
    """All seeds of one configuration.

    Attributes:
        results: rows of the file, one for each seed.
        target: `{error, seconds}` that were promised, None where nothing was.
        published: figures of others for the same case.
    """

    results: tuple[Result, ...]
    target: Mapping[str, float | None]
    published: tuple[Mapping[str, Any], ...] = ()

    @property
    def case(self) -> str:
        """Name of the case, with the values that differ from its own."""
        return named(self.results[0]["case"], self.results[0]["values"])

    @property
    def solver(self) -> str:
        """Name of the solver; a user's own without the folders of its file."""
        return self.results[0]["solver"].rpartition("/")[2]

    @property
    def label(self) -> str:
        """Solver with its options and budget."""
        options = [f"{name}={_short(value)}" for name, value in self.results[0]["options"].items()]
        budget = self.results[0]["budget"]
        return named(self.solver, {}, [*options, *([f"{budget:g} s"] if budget else [])])

    @property
    def key(self) -> str:
        """The same for equal configurations on equal cases."""
        return configuration(self.results[0])

    @cached_property
    def errors(self) -> list[float]:
        """Relative L2 error of each seed; infinite for a failure, NaN without a truth."""
        return [error_of(r) for r in self.results]

    @property
    def error(self) -> float:
        """Median over the seeds, a failure counting as infinite."""
        return median(self.errors)

    @property
    def spread(self) -> tuple[float, float]:
        """Quartiles of the error over the seeds."""
        low, high = np.percentile(self.errors, (25, 75), method="nearest")
        return float(low), float(high)

    @property
    def seconds(self) -> float:
        """Median over the seeds of a run after compilation; infinite for a failure."""
        return median([seconds_of(r) for r in self.results])

    @property
    def finished(self) -> list[Result]:
        """The runs with finite fields."""
        return [r for r in self.results if r["finished"]]

    @property
    def successes(self) -> int:
        """Runs that call themselves successful."""
        return sum(r["result"] == RESULTS.successful.name for r in self.results)

    @property
    def outcomes(self) -> list[str]:
        """The other outcomes that occurred."""
        return sorted({r["result"].replace("_", " ") for r in self.results} - {RESULTS.successful.name})

    @property
    def floor(self) -> float:
        """The truth's own error, 0 where there is no truth."""
        return max((r["reference"]["error"] or 0.0 for r in self.finished if r["reference"]), default=0.0)

    @property
    def at_floor(self) -> bool:
        """Whether the error says nothing more about the solver."""
        return self.error <= AT_FLOOR * self.floor

    @property
    def status(self) -> str:
        """The worst of what `status_of` says of the runs."""
        found = {status_of(r) for r in self.results}
        return next(status for status in WORST_FIRST if status in found)

    @property
    def messages(self) -> list[str]:
        """What the runs have to say, each once."""
        return list(dict.fromkeys(r["message"] for r in self.results if r.get("message")))

    @property
    def holds(self) -> bool | None:
        """Whether every promise is kept; None where nothing was promised.

        An error counts only from a run that calls itself successful.
        """
        trusted = median([error_of(r) if r["result"] == RESULTS.successful.name else math.inf for r in self.results])
        bounds = ((trusted, self.target.get("error")), (self.seconds, self.target.get("seconds")))
        kept = [value <= bound for value, bound in bounds if bound is not None]
        return all(kept) if kept else None

    def middle(self, pick: Callable[[Result], float | None]) -> float:
        """Median of something over the finished runs that have it; NaN if none has."""
        values = [value for value in map(pick, self.finished) if value is not None]
        return median(values) if values else math.nan

    def score(self, *path: str) -> float:
        """Median over the runs of a score, the largest over the unknowns."""

        def largest(result: Result) -> float | None:
            fields = (result.get("scores") or {}).get("fields") or {}
            found = [_at(own, path) for own in fields.values()]
            known = [value for value in found if value is not None]
            return max(known) if known else None

        return self.middle(largest)

    def violation(self, what: str) -> float:
        """Median over the runs of the worst relative residual of an `equation` or a `condition`."""
        return self.middle(lambda r: _at(r.get("scores") or {}, ("violations", what)))


def entries_of(results: Iterable[Result], promises: Sequence[Mapping[str, Any]]) -> list[Entry]:
    """Group results; promises and published figures are those of the suite's row of the same configuration.

    Args:
        results: rows of a file.
        promises: `{case, solver, options, values, target, published}` of every row of the suite.
    """
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(configuration(result), []).append(result)
    rows = {_promised(row): row for row in promises}
    found = []
    for group in groups.values():
        row = rows.get(_promised(group[0]), {})
        found.append(Entry(tuple(group), row.get("target") or {}, tuple(row.get("published") or ())))
    return found


def configuration(result: Result) -> str:
    """Everything of a result but its seed, as text."""
    own = [result[name] for name in ("case", "solver", "options", "values", "budget")]
    return json.dumps(own, sort_keys=True, default=str)


def _promised(row: Mapping[str, Any]) -> str:
    own = [row[name] for name in ("case", "solver", "options", "values")]
    return json.dumps(own, sort_keys=True, default=str)


def error_of(result: Result) -> float:
    """Largest relative L2 error over the unknowns; infinite for a failure, NaN without a truth."""
    if not result["finished"]:
        return math.inf
    errors = [e["relative_l2"] for e in result["errors"].values()]
    return max((math.inf if e is None else e for e in errors), default=math.nan)


def seconds_of(result: Result) -> float:
    """Seconds of the second run, or of the only one; infinite for a failure."""
    seconds = result["seconds"]
    value = seconds.get("warm", seconds.get("solve"))
    return math.inf if not result["finished"] or value is None else value


def status_of(result: Result) -> str:
    """One word for the support matrix; see `Entry.status`."""
    if result["finished"]:
        return "solved" if result["result"] == RESULTS.successful.name else "doubtful"
    known = {UNSUPPORTED: "cannot", CRASHED: "crashed", OUT_OF_TIME: "out of time", NOT_BUILT: "not run"}
    return known.get(result["result"], "failed")


def named(name: str, values: Mapping[str, Any], more: Sequence[str] = ()) -> str:
    """A name with what differs from its defaults: `heat(kappa=0.2)`."""
    inside = [*(f"{n}={_short(v)}" for n, v in values.items()), *more]
    return f"{name}({', '.join(inside)})" if inside else name


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _at(tree: Any, path: Sequence[str]) -> float | None:
    for name in path:
        tree = tree.get(name) if isinstance(tree, Mapping) else None
    return tree
