"""One self-contained HTML page: everything that a sweep says, readable without a network, on a phone, and aloud."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from benchmarks.report.curves import ACCURACIES, TIMES, accuracy_at_time, points, time_to_accuracy
from benchmarks.report.entries import TRIVIAL, UNASKED, Entry, named
from benchmarks.report.numbers import bound, figure, plain_number, seconds
from benchmarks.report.pictures import cost_plot, gallery, time_plot
from benchmarks.report.promises import best_published, origins, runs
from benchmarks.report.ranks import METRICS, ranks
from benchmarks.report.support import STATES, support_matrix
from benchmarks.report.svg import legend_mark
from benchmarks.report.verdicts import Findings, verdicts
from sciml.errors import OptionError


@final
@dataclass(frozen=True)
class Value:
    """A cell of a table: what is shown, and the number by which it sorts."""

    text: str
    sort: float | str
    tone: str = ""


def number(value: float | None, form: Any = figure, tone: str = "") -> Value:
    """A number; what is missing or failed sorts last."""
    return Value(form(value), math.inf if value is None or math.isnan(value) else value, tone)


def render(findings: Findings) -> str:
    """The page.

    Raises:
        OptionError: jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError:
        raise OptionError("no jinja2", "jinja2 for a page", "pip install 'sciml-pde[bench]'") from None
    environment = Environment(
        loader=PackageLoader("benchmarks.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("page.html.j2").render(**_content(findings))


def _content(findings: Findings) -> dict[str, Any]:
    entries = findings.entries
    solvers, matrix = support_matrix(entries, findings.facts)
    series = {name: i for i, name in enumerate(s for s in solvers if s not in TRIVIAL)}
    standing = ranks(entries)
    return {
        "title": findings.title,
        "origins": origins(findings.results),
        "counts": findings.counts,
        "verdicts": verdicts(findings),
        "legend": [(name, legend_mark(i)) for name, i in series.items()],
        "states": STATES,
        "solvers": solvers,
        "matrix": matrix,
        "figure": figure,
        "inf": math.inf,
        "metrics": list(METRICS),
        "ranks": standing,
        "accuracies": [f"{a:g}" for a in ACCURACIES],
        "times": [f"{t:g}" for t in TIMES],
        "reach": [_reach(case, own, series) for case, own in findings.by_case.items()],
        "head": HEAD,
        "rows": [_row(entry) for entry in entries],
        "cases": [_case(case, own, findings, series) for case, own in findings.by_case.items()],
        "provenance": findings.provenance,
        "commands": [(e.case, e.label, r["seed"], r["command"]) for e in entries for r in e.results],
    }


HEAD = (
    "case", "solver", "runs", "relative L2", "quartiles", "promised", "largest", "H1", "equation", "condition",
    "2σ cover", "solve s", "promised s", "compile s", "setup s", "evaluate s", "memory MiB", "unknowns",
)  # fmt: skip


def _row(entry: Entry) -> list[Value]:
    low, high = entry.spread
    spread = f"{figure(low)} – {figure(high)}" if len(entry.results) > 1 else "—"
    floor = " (floor)" if entry.at_floor else ""
    error = number(entry.error, lambda v: figure(v) + floor, _tone(entry.error, entry.target.get("error")))

    time = entry.target.get("seconds")
    solve, promised = number(entry.seconds, seconds, _tone(entry.seconds, time)), number(time, _within)

    def timed(name: str) -> Value:
        return number(entry.middle(lambda r: r["seconds"].get(name)), seconds)

    return [
        Value(entry.case, entry.case), Value(entry.label, entry.label), Value(runs(entry), -entry.successes), error,
        Value(spread, high), Value(bound(entry.target.get("error")), entry.target.get("error") or math.inf),
        number(entry.score("relative_max")), number(entry.score("h1")), number(entry.violation("equation")),
        number(entry.violation("condition")), number(entry.score("coverage", "two_std"), _share),
        solve, promised,
        timed("compile"), timed("setup"), timed("evaluate"),
        number(entry.middle(lambda r: r.get("process_peak_memory_mb")), plain_number),
        number(entry.middle(lambda r: r.get("unknowns")), lambda v: plain_number(v, ",.0f")),
    ]  # fmt: skip


def _within(value: float | None) -> str:
    return bound(value, "{:g}")


def _tone(value: float, promised: float | None) -> str:
    return "" if promised is None else "good" if value <= promised else "bad"


def _share(value: float | None) -> str:
    return plain_number(value, ".0%")


def _reach(case: str, entries: Sequence[Entry], series: Mapping[str, int]) -> tuple[str, list[tuple[str, Any, Any]]]:
    """For each solver: seconds to each accuracy, and accuracy within each time."""
    lines = []
    for solver in series:
        own = [entry for entry in entries if entry.solver == solver and entry.status not in UNASKED]
        if own:
            found = points(own)
            to = [number(time_to_accuracy(found, a), seconds) for a in ACCURACIES]
            at = [number(accuracy_at_time(found, t), lambda v: "—" if math.isinf(v) else figure(v)) for t in TIMES]
            lines.append((solver, to, at))
    return case, lines


def _case(case: str, entries: Sequence[Entry], findings: Findings, series: Mapping[str, int]) -> dict[str, Any]:
    facts = next((f for f in findings.facts if named(f["case"], f.get("values", {})) == case), {})
    published = [*facts.get("published", []), *(p for e in entries for p in e.published)]
    bands = [
        (e.label, [e.score("bands", b) for b in ("low", "middle", "high")]) for e in entries if e.solver not in TRIVIAL
    ]
    return {
        "name": case,
        "anchor": "case-" + "".join(c if c.isalnum() else "-" for c in case),
        "facts": facts,
        "published": published,
        "best": best_published(published),
        "cost": cost_plot(entries, series),
        "history": time_plot(entries, series),
        "gallery": gallery(entries, findings.cuts),
        "bands": [(label, list(map(figure, values))) for label, values in bands if not all(map(math.isnan, values))],
        "messages": [(e.label, e.status, "; ".join(e.messages)) for e in entries if e.messages],
    }
