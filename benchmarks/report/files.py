"""The report on disk: a page for people, Markdown for a repository, JSON and CSV for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.report.entries import Entry
from benchmarks.report.page import render
from benchmarks.report.promises import READING, origins, promise_table
from benchmarks.report.support import support_matrix
from benchmarks.report.verdicts import Findings, read_findings, verdicts
from benchmarks.sweep import Sweep
from sciml.measurement import plain

COLUMNS = (
    "case", "solver", "options", "budget", "seeds", "successes", "status", "relative_l2", "lower_quartile",
    "upper_quartile", "at_floor", "truth_error", "relative_l1", "relative_max", "h1", "equation_violation",
    "condition_violation", "covered_by_two_std", "seconds", "compile_seconds", "setup_seconds", "evaluate_seconds",
    "peak_memory_mb", "unknowns", "target_error", "target_seconds", "holds",
)  # fmt: skip


def write_report(place: Path, out: Path | None = None) -> list[Path]:
    """Write `report.html`, `report.md`, `summary.json` and `summary.csv`.

    Args:
        place: folder or file of a sweep.
        out: folder to write to (default: that of the sweep).

    Raises:
        FileError: there are no results, or damaged ones.
        OptionError: jinja2 is not installed.
    """
    findings, folder = read_findings(place), out or Sweep(place).folder
    texts = {
        "report.html": render(findings),
        "report.md": as_markdown(findings),
        "summary.json": json.dumps(summary(findings), ensure_ascii=False, indent=1) + "\n",
        "summary.csv": as_csv(findings),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")
    return [folder / name for name in texts]


def as_markdown(findings: Findings) -> str:
    """Verdicts, the table of promises, and the support matrix."""
    solvers, matrix = support_matrix(findings.entries, findings.facts)
    published = {facts["case"]: facts.get("published", []) for facts in findings.facts}
    lines = [f"# {findings.title}", "", *origins(findings.results), ""]
    lines += [f"- {text}" for _, text in verdicts(findings)]
    lines += ["", "## Results", "", *promise_table(findings.entries, published), "", *READING, "", "## Support", ""]
    lines += [f"| case | {' | '.join(solvers)} |", f"|{' --- |' * (1 + len(solvers))}"]
    lines += [f"| {case} | {' | '.join(cell.state for cell in cells)} |" for case, cells in matrix.items()]
    return "\n".join(lines) + "\n"


def summary(findings: Findings) -> dict[str, Any]:
    """Everything of the tables as plain data; numbers that are not finite are None."""
    solvers, matrix = support_matrix(findings.entries, findings.facts)
    support = {case: dict(zip(solvers, (c.state for c in cells), strict=True)) for case, cells in matrix.items()}
    return {
        "title": findings.title,
        "counts": findings.counts,
        "verdicts": [text for _, text in verdicts(findings)],
        "entries": [plain(record(entry)) for entry in findings.entries],
        "support": support,
        "provenance": dict(findings.provenance),
    }


def as_csv(findings: Findings) -> str:
    """One line for each configuration."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for entry in findings.entries:
        row = plain(record(entry))
        writer.writerow({**row, "options": json.dumps(row["options"], sort_keys=True)})
    return text.getvalue()


def record(entry: Entry) -> Mapping[str, Any]:
    """An entry as one flat row."""
    low, high = entry.spread

    def timed(name: str) -> float:
        return entry.middle(lambda r: r["seconds"].get(name))

    return dict(
        zip(
            COLUMNS,
            (
                entry.case, entry.results[0]["solver"], dict(entry.results[0]["options"]), entry.results[0]["budget"],
                len(entry.results), entry.successes, entry.status, entry.error, low, high, entry.at_floor, entry.floor,
                entry.score("relative_l1"), entry.score("relative_max"), entry.score("h1"), entry.violation("equation"),
                entry.violation("condition"), entry.score("coverage", "two_std"), entry.seconds, timed("compile"),
                timed("setup"), timed("evaluate"), entry.middle(lambda r: r.get("process_peak_memory_mb")),
                entry.middle(lambda r: r.get("unknowns")), entry.target.get("error"), entry.target.get("seconds"),
                entry.holds,
            ),
            strict=True,
        )
    )  # fmt: skip
