"""A suite's results as one Markdown table: what was promised, what was found, whether it holds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.report.entries import Entry, Result, entries_of
from benchmarks.report.numbers import bound, figure, plain_number, seconds
from benchmarks.suite import Suite
from sciml.case import Case

HEAD = (
    "case",
    "solver",
    "successful",
    "rel. L2 error",
    "target",
    "seconds, warm",
    "target",
    "compile s",
    "peak MiB",
    "holds",
    "best published",
)

READING = (
    "Medians over all seeds; a failed run counts as an infinite error, and a promise holds only if the median of",
    "the runs that end successful, all others counted as failures, keeps it. Errors: relative L2 on the case's test",
    "grid, largest over the unknowns. Warm: median of further runs in the process; compile: first run minus warm.",
)


def markdown(suite: Suite, results: Sequence[Result], cases: Mapping[str, Case]) -> str:
    """The table, with the commits and machines of its rows below it.

    Args:
        suite: the promises.
        results: what `run_suite` returned.
        cases: every case by name, for the published figures.
    """
    entries = entries_of(results, [asdict(row) for row in suite.all_rows])
    known = {name: [asdict(p) for p in case.published] for name, case in cases.items()}
    return "\n".join([f"### {suite.title}", "", *promise_table(entries, known), "", *origins(results), *READING])


def promise_table(entries: Iterable[Entry], published: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """Lines of the table.

    Args:
        entries: what was found.
        published: figures of others by the name of the case.
    """
    lines = [_line(HEAD), _line(["---"] * len(HEAD))]
    for entry in entries:
        others = (*entry.published, *published.get(entry.results[0]["case"], ()))
        lines.append(_line([*_cells(entry), best_published(others)]))
    return lines


def best_published(published: Iterable[Mapping[str, Any]]) -> str:
    """The smallest published error with its method."""
    known = [p for p in published if p["error"] is not None and math.isfinite(p["error"])]
    best = min(known, key=lambda p: p["error"], default=None)
    return "—" if best is None else f"{best['error']:.1e} {best['method']}"


def origins(results: Sequence[Result]) -> list[str]:
    """Where and with what the figures were taken."""
    found = [r["provenance"] for r in results if "provenance" in r]
    if not found:
        return []
    commits = sorted({(o["commit"][:12] + ("+" if o["commit"].endswith("+") else "")) or "no commit" for o in found})
    machines = sorted({f"{o['processor']}, {o['cores']} cores, {o['device']}, {o['dtype']}" for o in found})
    crowd = max((r.get("workers", 1) for r in results), default=1)
    return [
        f"Measured at {', '.join(commits)} on {'; '.join(machines)}"
        + (f", {crowd} runs at once." if crowd > 1 else ".")
    ]


def runs(entry: Entry) -> str:
    """How many of the runs ended well, and how the others did."""
    others = f" ({', '.join(entry.outcomes)})" if entry.outcomes else ""
    return f"{entry.successes}/{len(entry.results)}{others}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(entry: Entry) -> list[str]:
    flag = " (at the truth's own error)" if entry.at_floor else ""
    compiled = entry.middle(lambda r: r["seconds"].get("compile"))
    memory = entry.middle(lambda r: r.get("peak_memory_mb"))
    holds = {None: "—", True: "yes", False: "**no**"}[entry.holds]
    return [
        entry.case, entry.label, runs(entry), figure(entry.error) + flag, bound(entry.target.get("error")),
        seconds(entry.seconds), bound(entry.target.get("seconds"), "{:g}"), seconds(compiled), plain_number(memory),
        holds,
    ]  # fmt: skip
