"""A suite's results as Markdown: what was promised, what was found, whether it holds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.suite import Row, Suite, Target
from sciml.case import Case, Published
from sciml.results import RESULTS

AT_FLOOR = 3.0
"""An error below this many times the truth's own error says more about the truth than about the solver."""

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


def markdown(suite: Suite, results: Sequence[dict[str, Any]], cases: Mapping[str, Case]) -> str:
    """The table, with the commits and machines of its rows below it.

    Args:
        suite: the promises.
        results: what `run_suite` returned.
        cases: every case by name, for the published figures.
    """
    groups: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        groups.setdefault(_configuration(result), []).append(result)
    lines = [f"### {suite.title}", "", _line(HEAD), _line(["---"] * len(HEAD))]
    for group in groups.values():
        row = _row(suite, group[0])
        published = (*row.published, *(cases[row.case].published if row.case in cases else ()))
        lines.append(_line([*_cells(group, row.target), _best(published)]))
    return "\n".join([*lines, "", *_notes(results)])


def _configuration(result: dict[str, Any]) -> str:
    return repr([result[name] for name in ("case", "solver", "options", "values", "budget")])


def _row(suite: Suite, result: dict[str, Any]) -> Row:
    """The row of the suite that a result belongs to."""
    own = [result[name] for name in ("case", "solver", "options", "values")]
    return next(r for r in suite.rows if [r.case, r.solver, dict(r.options), dict(r.values)] == own)


def _best(published: Sequence[Published]) -> str:
    """The smallest published error with its method."""
    best = min((p for p in published if math.isfinite(p.error)), key=lambda p: p.error, default=None)
    return "—" if best is None else f"{best.error:.1e} {best.method}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(group: Sequence[dict[str, Any]], target: Target) -> list[str]:
    """One line of the table: medians over all seeds, a failed run counting as an infinite error.

    The verdict also counts a run with finite fields that does not call itself successful as a failure.
    """
    first = group[0]
    done = [r for r in group if r["finished"]]
    error = median([_error(r) for r in group])
    warm = median([_warm(r) for r in group])
    compiled = _median(done, lambda r: r["seconds"].get("compile"))
    memory = _median(done, lambda r: r.get("peak_memory_mb"))
    floor = max((r["reference"]["error"] or 0.0 for r in done if r["reference"]), default=0.0)
    flag = " (at the truth's own error)" if error <= AT_FLOOR * floor else ""
    successes = sum(r["result"] == RESULTS.successful.name for r in group)
    others = sorted({r["result"].replace("_", " ") for r in group} - {RESULTS.successful.name})
    runs = f"{successes}/{len(group)}" + (f" ({', '.join(others)})" if others else "")
    return [
        first["case"], _solver(first), runs, _figure(error) + flag, _bound(target.error), _seconds(warm),
        _bound(target.seconds, "{:g}"), _seconds(compiled), "—" if math.isnan(memory) else f"{memory:.0f}",
        _verdict(median([_trusted(r) for r in group]), warm, target),
    ]  # fmt: skip


def _solver(result: dict[str, Any]) -> str:
    options = ", ".join(f"{name}={value}" for name, value in {**result["options"], **result["values"]}.items())
    return f"{result['solver']}({options})" if options else result["solver"]


def _error(result: dict[str, Any]) -> float:
    """Largest relative L2 error over the unknowns; infinite for a failure, NaN without a truth."""
    if not result["finished"]:
        return math.inf
    errors = [e["relative_l2"] for e in result["errors"].values()]
    return max((math.inf if e is None else e for e in errors), default=math.nan)


def _trusted(result: dict[str, Any]) -> float:
    """The error that a promise is held against: infinite where the run does not call itself successful."""
    return _error(result) if result["result"] == RESULTS.successful.name else math.inf


def _warm(result: dict[str, Any]) -> float:
    """Seconds of the second run, or of the only one; infinite for a failure."""
    seconds = result["seconds"]
    value = seconds.get("warm", seconds.get("solve"))
    return math.inf if not result["finished"] or value is None else value


def _median(results: Sequence[dict[str, Any]], pick: Callable[[dict[str, Any]], float | None]) -> float:
    values = [value for value in map(pick, results) if value is not None]
    return median(values) if values else math.nan


def _figure(value: float) -> str:
    return "—" if math.isnan(value) else "none" if math.isinf(value) else f"{value:.1e}"


def _seconds(value: float) -> str:
    return "—" if not math.isfinite(value) else f"{value:.3g}"


def _bound(value: float | None, form: str = "{:.0e}") -> str:
    return "—" if value is None else f"≤ {form.format(value)}"


def _verdict(error: float, seconds: float, target: Target) -> str:
    """Yes if every promise is kept; a failed run, or a missing truth, keeps none about errors."""
    kept = []
    if target.error is not None:
        kept.append(error <= target.error)
    if target.seconds is not None:
        kept.append(seconds <= target.seconds)
    return "—" if not kept else "yes" if all(kept) else "**no**"


def _notes(results: Sequence[dict[str, Any]]) -> list[str]:
    """Where and with what the figures were taken."""
    notes = []
    origins = [r["provenance"] for r in results if "provenance" in r]
    commits = sorted({(o["commit"][:12] + ("+" if o["commit"].endswith("+") else "")) or "no commit" for o in origins})
    machines = sorted({f"{o['processor']}, {o['cores']} cores, {o['device']}, {o['dtype']}" for o in origins})
    if origins:
        notes.append(f"Measured at {', '.join(commits)} on {'; '.join(machines)}.")
    notes.append(
        "Medians over all seeds; a failed run counts as an infinite error, and a promise holds only if the median of"
    )
    notes.append(
        "the runs that end successful, all others counted as failures, keeps it. Errors: relative L2 on the case's test"
    )
    notes.append(
        "grid, largest over the unknowns. Warm: median of further runs in the process; compile: first run minus warm."
    )
    return notes
