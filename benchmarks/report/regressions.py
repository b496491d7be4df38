"""Two sweeps of one suite: what became worse."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from benchmarks.report.entries import AT_FLOOR, Entry
from benchmarks.report.numbers import figure, seconds
from benchmarks.report.verdicts import read_findings

WORSE = 2.0
"""An error that grew by this factor is a regression, unless it is still at the truth's own error."""
SLOWER = 1.5
"""Seconds that grew by this factor are a regression, unless both are short."""
SHORT = 0.05
"""Seconds below which a machine's noise says more than a solver's cost."""


@final
@dataclass(frozen=True)
class Change:
    """What happened to one configuration.

    Attributes:
        case: where.
        label: solver with options.
        text: what was, and what is.
        is_worse: whether it is a regression.
    """

    case: str
    label: str
    text: str
    is_worse: bool


def compare(before: Path, after: Path) -> list[Change]:
    """Changes from one sweep to another, regressions first.

    A configuration that both have is worse where more runs fail or fewer end successful, where its median error grew,
    or where its seconds did. One that only the first has is worse: it was lost. Seconds compare only on one machine.

    Raises:
        FileError: one of them holds no results.
    """
    old = {entry.key: entry for entry in read_findings(before).entries}
    new = {entry.key: entry for entry in read_findings(after).entries}
    changes = [Change(e.case, e.label, "is missing", True) for key, e in old.items() if key not in new]
    timed = _machines(old) == _machines(new)
    for key, entry in new.items():
        if key in old:
            changes += _changes(old[key], entry, timed)
    return sorted(changes, key=lambda c: not c.is_worse)


def _machines(entries: Mapping[str, Entry]) -> set[tuple[str, str, int]]:
    found = set()
    for entry in entries.values():
        for r in entry.results:
            own = r.get("provenance")
            if own:
                found.add((own["processor"], own["device"], r.get("workers", 1)))
    return found


def _changes(old: Entry, new: Entry, timed: bool) -> list[Change]:
    found = [_outcome(old, new), _error(old, new)]
    if timed:
        found.append(_seconds(old, new))
    return [change for change in found if change is not None]


def _outcome(old: Entry, new: Entry) -> Change | None:
    for what, count in (("finished", lambda e: len(e.finished)), ("successful", lambda e: e.successes)):
        was, now = count(old) / len(old.results), count(new) / len(new.results)
        if was != now:
            text = f"{what} in {count(old)}/{len(old.results)} runs, now {count(new)}/{len(new.results)}"
            return Change(new.case, new.label, text, now < was)
    return None


def _error(old: Entry, new: Entry) -> Change | None:
    if math.isnan(old.error) or math.isnan(new.error) or not (math.isfinite(old.error) or math.isfinite(new.error)):
        return None
    floor = AT_FLOOR * max(old.floor, new.floor)
    was, now = max(old.error, floor), max(new.error, floor)
    text = f"relative L2 error {figure(old.error)}, now {figure(new.error)}"
    return _judged(new, was, now, WORSE, text)


def _seconds(old: Entry, new: Entry) -> Change | None:
    if not (math.isfinite(old.seconds) and math.isfinite(new.seconds)):
        return None
    text = f"{seconds(old.seconds)} s, now {seconds(new.seconds)} s"
    return _judged(new, max(old.seconds, SHORT), max(new.seconds, SHORT), SLOWER, text)


def _judged(entry: Entry, was: float, now: float, factor: float, text: str) -> Change | None:
    if now > factor * was or was > factor * now:
        return Change(entry.case, entry.label, text, now > was)
    return None


def as_text(changes: Sequence[Change]) -> str:
    """One line for each change."""
    lines = [f"{'worse ' if c.is_worse else 'better'}  {c.case} by {c.label}: {c.text}" for c in changes]
    worse = sum(c.is_worse for c in changes)
    return "\n".join([*lines, f"{worse} regressions, {len(changes) - worse} improvements"])
