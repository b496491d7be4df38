"""What a sweep says in sentences, losses as plainly as wins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, final

from benchmarks.cuts import FieldCut, read_cut
from benchmarks.report.entries import TRIVIAL, Entry, configuration, entries_of
from benchmarks.report.numbers import bound, figure, seconds
from benchmarks.sweep import Sweep, read_rows

DOUBTFUL_STATEMENT = 1e-6
"""A truth whose residual in its own statement is larger is named, with its case."""
AHEAD = 2.0
"""A solver is said to be ahead of another where its error is smaller by this factor."""


@final
@dataclass(frozen=True)
class Findings:
    """A sweep as a report sees it.

    Attributes:
        title: of the suite.
        results: rows of the file.
        entries: the same by configuration.
        facts: of each case.
        cuts: of the first seed of each entry, by the entry's key.
    """

    title: str
    results: Sequence[Mapping[str, Any]]
    entries: Sequence[Entry]
    facts: Sequence[Mapping[str, Any]]
    cuts: Mapping[str, FieldCut]

    @cached_property
    def by_case(self) -> dict[str, list[Entry]]:
        """Entries of each case, in the order of the suite."""
        found: dict[str, list[Entry]] = {}
        for entry in self.entries:
            found.setdefault(entry.case, []).append(entry)
        return found

    @property
    def counts(self) -> dict[str, int]:
        """How much was measured."""
        failed = sum(not r["finished"] and r["result"] != "unsupported" for r in self.results)
        return {
            "cases": len(self.by_case),
            "configurations": len(self.entries),
            "runs": len(self.results),
            "failed": failed,
            "refused": sum(r["result"] == "unsupported" for r in self.results),
        }

    @property
    def provenance(self) -> list[tuple[str, str]]:
        """Names and what the rows say of them, each distinct value once."""
        found: dict[str, dict[str, None]] = {}
        for result in self.results:
            own = result.get("provenance") or {}
            for name, value in _flat(own):
                found.setdefault(name, {})[value] = None
        when = sorted(found.pop("when", {}))
        span = [("measured", f"{when[0]} to {when[-1]}")] if when else []
        return [*span, *((name, ", ".join(values)) for name, values in found.items())]


def read_findings(place: Path) -> Findings:
    """Everything that the folder or file of a sweep holds; of runs that were repeated, the last.

    Raises:
        FileError: it holds no results, or damaged ones.
    """
    sweep = Sweep(place)
    suite = sweep.read_suite()
    latest = {(configuration(row), row["seed"]): row for row in read_rows(sweep.rows)}
    results = list(latest.values())
    facts = read_rows(sweep.facts) if sweep.facts.is_file() else []
    results.sort(key=_order(suite["rows"]))
    entries = entries_of(results, suite["rows"])
    first = {entry.key: read_cut(sweep.cuts, entry.results[0]["key"]) for entry in entries}
    cuts = {key: cut for key, cut in first.items() if cut is not None}
    return Findings(suite["title"], results, entries, facts, cuts)


def _order(rows: Sequence[Mapping[str, Any]]) -> Callable[[Mapping[str, Any]], tuple[int, int, int]]:
    """Cases in the order of the suite, the rows of each in theirs, then seeds."""
    cases = list(dict.fromkeys(row["case"] for row in rows))
    places = {(row["case"], row["solver"], str(row["options"])): i for i, row in enumerate(rows)}

    def place(result: Mapping[str, Any]) -> tuple[int, int, int]:
        case = cases.index(result["case"]) if result["case"] in cases else len(cases)
        own = (result["case"], result["solver"], str(result["options"]))
        return case, places.get(own, len(places)), result["seed"]

    return place


def verdicts(findings: Findings) -> list[tuple[str, str]]:
    """`(tone, sentence)`: promises, failures, doubtful truths, and learned methods against the classical one."""
    promised = [entry for entry in findings.entries if entry.holds is not None]
    kept = [entry for entry in promised if entry.holds]
    found = []
    if promised:
        tone = "good" if len(kept) == len(promised) else "bad"
        found.append((tone, f"{len(kept)} of {len(promised)} promises hold."))
    for entry in promised:
        if not entry.holds:
            found.append(("bad", f"Missed: {entry.label} on {entry.case}: {_missed(entry)}."))
    for entry in findings.entries:
        bad = [r for r in entry.results if not r["finished"] and r["result"] != "unsupported"]
        if bad:
            how = ", ".join(dict.fromkeys(r["result"].replace("_", " ") for r in bad))
            found.append(
                ("bad", f"{entry.label} failed on {entry.case} in {len(bad)} of {len(entry.results)} runs: {how}.")
            )
    for facts in findings.facts:
        residual = (facts.get("truth") or {}).get("statement")
        if residual is not None and residual > DOUBTFUL_STATEMENT:
            found.append(
                (
                    "bad",
                    f"The truth of {facts['case']} leaves a relative residual of {residual:.0e} in its own statement.",
                )
            )
        if facts.get("trouble"):
            found.append(("bad", f"{facts['case']}: {facts['trouble']}"))
    return found + [_against_baseline(case, own) for case, own in findings.by_case.items() if _baseline(own)]


def _missed(entry: Entry) -> str:
    """What was promised and not found; a promise about errors also breaks where a run does not end successful."""
    parts, error, time = [], entry.target.get("error"), entry.target.get("seconds")
    if error is not None and entry.error > error:
        parts.append(f"error {figure(entry.error)}, promised {bound(error)}")
    if time is not None and entry.seconds > time:
        parts.append(f"{seconds(entry.seconds)} s, promised {bound(time, '{:g}')} s")
    return "; ".join([*parts, *entry.outcomes])


CLASSICAL = ("spectral", "finite_difference", "mpm")
"""Solvers that learn nothing: the baseline of the others."""


def _baseline(entries: Sequence[Entry]) -> Entry | None:
    known = [e for e in entries if e.solver in CLASSICAL and e.finished and e.error == e.error]
    return min(known, key=lambda e: e.error, default=None)


def _against_baseline(case: str, entries: Sequence[Entry]) -> tuple[str, str]:
    """How the best other solver compares with the best classical one."""
    base = _baseline(entries)
    assert base is not None  # the caller asks only where there is one
    others = [e for e in entries if e.solver not in (*CLASSICAL, *TRIVIAL) and e.finished and e.error == e.error]
    best = min(others, key=lambda e: e.error, default=None)
    ran = any(e.solver not in (*CLASSICAL, *TRIVIAL) for e in entries)
    own = f"{base.label} reaches {figure(base.error)} in {seconds(base.seconds)} s"
    if best is None:
        return "", f"{case}: {own}; no other solver {'finished' if ran else 'was asked'}."
    theirs = f"{best.label} {figure(best.error)} in {seconds(best.seconds)} s"
    if best.at_floor and base.at_floor:
        word = "both are at the truth's own error"
    elif best.error * AHEAD < base.error:
        word = f"{best.solver} is ahead in accuracy"
    elif base.error * AHEAD < best.error:
        word = "the classical solver is ahead in accuracy"
    else:
        word = "equal accuracy"
    faster = (
        ""
        if base.seconds == best.seconds
        else f", {best.solver if best.seconds < base.seconds else base.solver} is faster"
    )
    return "", f"{case}: {own}, {theirs}: {word}{faster}."


def _flat(tree: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    found = []
    for name, value in tree.items():
        if isinstance(value, Mapping):
            found += _flat(value, f"{prefix}{name} ")
        elif value is not None:
            found.append((f"{prefix}{name}", str(value)))
    return found
