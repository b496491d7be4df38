"""The report: numbers with answers known by hand, and a page that holds all of them without a network."""

from __future__ import annotations

import csv
import json
import math
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from benchmarks.cuts import FieldCut, unpacked, write_cut
from benchmarks.report import compare, write_report
from benchmarks.report.curves import accuracy_at_time, pareto_front, points, time_to_accuracy
from benchmarks.report.entries import entries_of
from benchmarks.report.ranks import ranks
from benchmarks.report.support import support_matrix
from benchmarks.report.svg import Plot, linear_axis, log_axis
from benchmarks.report.verdicts import read_findings, verdicts
from sciml.errors import FileError
from sciml.plotting.sections import Section


def result(case: str, solver: str, error: float | None, seconds: float = 1.0, seed: int = 0, **changes: object) -> dict:
    """A row as the runner writes it; no error is a crash."""
    row = {"key": f"{case}-{solver}-{changes.get('options')}-{seed}", "case": case, "solver": solver, "seed": seed}
    row |= {"options": {}, "values": {}, "budget": None, "message": "", "command": "python -m benchmarks.worker '{}'"}
    if error is None:
        row |= {"finished": False, "result": "crashed", "message": "Boom: <b>bold</b>", "errors": {}, "seconds": {}}
        return {**row, "reference": None, **changes}
    fields = {"relative_l1": error, "relative_l2": error, "relative_max": 2 * error, "h1": 5 * error}
    fields |= {"bands": {"low": error, "middle": error / 2, "high": error / 4}, "coverage": {"two_std": 0.9}}
    fields |= {"over_time": {"time": [0.0, 0.5, 1.0], "relative_l2": [error, error, 2 * error]}}
    row |= {"finished": True, "result": "successful", "errors": {"u": {"relative_l2": error, "max": error}}}
    row |= {"reference": {"kind": "exact", "error": 1e-16}, "seconds": {"warm": seconds, "compile": 0.5, "setup": 0.1}}
    row |= {"scores": {"fields": {"u": fields}, "violations": {"equation": error, "condition": 0.0}}, "unknowns": 9}
    origin = {"commit": "abc", "processor": "a chip", "cores": 2, "device": "cpu", "dtype": "float64"}
    return {**row, "provenance": origin, "process_peak_memory_mb": 300.0, **changes}


def sweep(folder: Path, rows: list[dict], facts: list[dict] | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    promise = {"case": "bar", "solver": "spectral", "options": {}, "values": {}, "published": []}
    suite = {"name": "s", "title": "A suite", "rows": [{**promise, "target": {"error": 1e-8, "seconds": 2.0}}]}
    (folder / "suite.json").write_text(json.dumps(suite))
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "cases.jsonl").write_text("".join(json.dumps(fact) + "\n" for fact in facts or []))
    return folder


ROWS = [
    *(result("bar", "spectral", 1e-9 * (1 + s), 0.5, s) for s in range(3)),
    *(result("bar", "pinn", e, 20.0, s) for s, e in enumerate((1e-3, 2e-3, None))),
    result("bar", "gp", 1e-6, 0.1),
    result("bar", "zero", 1.0, 0.001),
    result("plate", "spectral", 1e-5, 2.0),
    result("plate", "pinn", None),
    {**result("plate", "gp", None), "result": "unsupported", "message": "the domain is not a Box"},
]
FACTS = [{"key": "f", "case": "plate", "values": {}, "refused": {"zero": "it has no unknowns"}, "truth": None}]


def test_a_front_holds_what_nothing_else_beats() -> None:
    entries = entries_of(ROWS, [])
    found = points(e for e in entries if e.case == "bar")
    assert pareto_front(found) == [(0.001, 1.0), (0.1, 1e-6), (0.5, 2e-9)]
    assert time_to_accuracy(found, 1e-3) == 0.1
    assert time_to_accuracy(found, 1e-12) == math.inf
    assert accuracy_at_time(found, 0.2) == 1e-6
    assert accuracy_at_time(found, 1e-4) == math.inf


def test_an_entry_counts_failures_and_gives_quartiles() -> None:
    entry = next(e for e in entries_of(ROWS, []) if e.solver == "pinn")
    assert (entry.error, entry.successes, len(entry.results)) == (2e-3, 2, 3)
    assert entry.spread[0] <= 2e-3 and entry.spread[1] in (2e-3, math.inf)
    assert entry.status == "crashed" and entry.outcomes == ["crashed"]
    assert entry.score("h1") == pytest.approx(7.5e-3) and entry.violation("condition") == 0.0


def test_ranks_put_failures_last_and_leave_out_what_cannot() -> None:
    found = {r.solver: r for r in ranks(entries_of(ROWS, []))}
    assert found["spectral"].mean["relative L2"] == 1.0
    assert found["gp"].cases == 1 and found["pinn"].cases == 2
    assert found["pinn"].mean["relative L2"] == 2.5  # third of four, and second of two
    assert all(r.low[m] <= r.mean[m] + 1e-9 and r.mean[m] <= r.high[m] + 1e-9 for r in found.values() for m in r.mean)
    assert ranks(entries_of(ROWS, [])) == ranks(entries_of(ROWS, []))


def test_equal_scores_share_a_rank() -> None:
    tied = [result("bar", name, 1e-6) for name in ("a", "b")] + [result("bar", "c", 1e-7)]
    assert [(r.solver, r.mean["relative L2"]) for r in ranks(entries_of(tied, []))] == [
        ("c", 1.0),
        ("a", 2.5),
        ("b", 2.5),
    ]


def test_no_cell_of_the_support_matrix_is_left_out() -> None:
    solvers, matrix = support_matrix(entries_of(ROWS, []), FACTS)
    assert solvers == ["spectral", "pinn", "gp", "zero"]
    assert [cell.state for cell in matrix["bar"]] == ["solved", "crashed", "solved", "baseline"]
    assert [cell.state for cell in matrix["plate"]] == ["solved", "crashed", "cannot", "cannot"]
    assert matrix["plate"][2].reason == "the domain is not a Box"
    assert matrix["plate"][3].reason == "it has no unknowns"


def test_the_verdicts_name_losses(tmp_path: Path) -> None:
    slow = [{**row, "seconds": {"warm": 9.0}} if row["solver"] == "spectral" else row for row in ROWS]
    texts = [text for _, text in verdicts(read_findings(sweep(tmp_path, slow)))]
    assert texts[0] == "0 of 1 promises hold."
    assert texts[1] == "Missed: spectral on bar: 9 s, promised ≤ 2 s."
    assert "pinn failed on bar in 1 of 3 runs: crashed." in texts
    assert any(t.startswith("bar: spectral reaches 2.0e-09") and "classical solver is ahead" in t for t in texts)
    doubtful = [{"key": "f", "case": "bar", "truth": {"kind": "exact", "error": 0.0, "statement": 0.3}}]
    assert "leaves a relative residual of 3e-01" in str(verdicts(read_findings(sweep(tmp_path, ROWS, doubtful))))


class Elements(HTMLParser):
    """Tags with their attributes, and the text outside of scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def plane() -> FieldCut:
    nodes = {"t": np.linspace(0, 1, 5), "x": np.linspace(0, 2, 9)}
    truth = np.outer(np.sin(nodes["x"]), np.ones(5))
    return FieldCut("u", Section(nodes, {"y": 0.5}, "t"), truth + 1e-3, truth)


def test_a_cut_survives_being_packed(tmp_path: Path) -> None:
    write_cut(tmp_path, "k", plane().packed())
    back = unpacked((tmp_path / "k.npz").read_bytes())
    assert (back.unknown, back.section.held, back.section.time) == ("u", {"y": 0.5}, "t")
    assert back.truth is not None and back.deviation is None
    np.testing.assert_array_equal(back.truth, plane().truth)
    assert list(back.section.nodes) == ["t", "x"]


def test_the_page_needs_no_network_and_leaves_nothing_out(tmp_path: Path) -> None:
    folder = sweep(tmp_path, ROWS, FACTS)
    write_cut(folder / "cuts", ROWS[0]["key"], plane().packed())
    assert [path.name for path in write_report(folder)] == ["report.html", "report.md", "summary.json", "summary.csv"]
    text = (folder / "report.html").read_text("utf-8")
    page = Elements()
    page.feed(text)
    for tag, attributes in page.tags:
        for name in ("src", "href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:")), (tag, attributes)
    assert "@import" not in text and "url(" not in text
    heads = [a for tag, a in page.tags if tag == "th"]
    assert all(a.get("scope") in ("col", "row") for a in heads)
    assert sum(a.get("aria-sort") == "none" for a in heads) == 18
    assert sum(tag == "img" for tag, _ in page.tags) == 5  # truth, solution, error, two colour scales
    assert sum("plot" in (a.get("class") or "") for tag, a in page.tags if tag == "svg") == 2 * 2 + 2
    assert "<b>bold</b>" not in text and "Boom: <b>bold</b>" in page.text
    ids = [a["id"] for _, a in page.tags if a.get("id")]
    assert len(ids) == len(set(ids))
    assert {a["href"] for tag, a in page.tags if tag == "a" and a["href"]} <= {f"#{i}" for i in ids}


def test_programs_can_read_the_summary(tmp_path: Path) -> None:
    folder = sweep(tmp_path / "in", ROWS, FACTS)
    write_report(folder, tmp_path / "out")
    data = json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))
    assert data["counts"] == {"cases": 2, "configurations": 7, "runs": 11, "failed": 2, "refused": 1}
    assert data["support"]["plate"] == {"spectral": "solved", "pinn": "crashed", "gp": "cannot", "zero": "cannot"}
    with (tmp_path / "out" / "summary.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert float(lines[0]["relative_l2"]) == 2e-9 and lines[0]["holds"] == "True"
    assert [line["relative_l2"] for line in lines if line["status"] == "cannot"] == [""]
    assert "| plate | solved | crashed | cannot | cannot |" in (tmp_path / "out" / "report.md").read_text("utf-8")


def test_a_file_of_rows_alone_has_a_report(tmp_path: Path) -> None:
    rows = tmp_path / "old.jsonl"
    rows.write_text("".join(json.dumps(row) + "\n" for row in ROWS) + '{"torn')
    write_report(rows)
    assert (tmp_path / "old" / "report.html").is_file()
    with pytest.raises(FileError, match="No such file"):
        write_report(tmp_path / "nothing")


def test_of_runs_that_were_repeated_the_last_counts(tmp_path: Path) -> None:
    again = [
        result("bar", "a", 1e-3),
        result("bar", "a", 1e-5, key="of another format"),
        result("bar", "a", 1e-4, seed=1),
    ]
    (entry,) = read_findings(sweep(tmp_path, again)).entries
    assert entry.errors == [1e-5, 1e-4]


def test_a_comparison_finds_what_became_worse(tmp_path: Path) -> None:
    before = [
        result("bar", "a", 1e-6),
        result("bar", "b", 1e-6),
        result("bar", "c", 1e-6, 1.0),
        result("bar", "d", 1e-6),
    ]
    after = [result("bar", "a", 1e-5), result("bar", "b", None), result("bar", "c", 1e-8, 4.0)]
    changes = compare(sweep(tmp_path / "a", before), sweep(tmp_path / "b", after))
    assert [(c.label, c.is_worse) for c in changes] == [
        ("d", True), ("a", True), ("b", True), ("b", True), ("c", True), ("c", False),
    ]  # fmt: skip
    assert compare(tmp_path / "a", tmp_path / "a") == []
    noise = [result("bar", "a", 2e-16), result("bar", "b", 1e-6, 0.001)]
    louder = [result("bar", "a", 2.9e-16), result("bar", "b", 1e-6, 0.04)]
    assert compare(sweep(tmp_path / "c", noise), sweep(tmp_path / "d", louder)) == []


def test_ticks_of_axes() -> None:
    assert [v for v, _ in log_axis("e", [3e-9, 0.2, 0.0, math.inf]).ticks()] == pytest.approx(
        [1e-9, 1e-7, 1e-5, 1e-3, 1e-1]
    )
    assert [v for v, _ in linear_axis("t", [0.0, 2.0]).ticks()] == [0.0, 0.5, 1.0, 1.5, 2.0]
    assert linear_axis("t", [3.0]).low < 3.0 < linear_axis("t", [3.0]).high
    plot = Plot(log_axis("s", [0.1, 10]), log_axis("e", [1e-3]), "a < b")
    plot.mark((1.0, math.inf), 0, "off the paper")
    plot.line([(0.1, 1e-3), (1.0, 0.0)], "front")
    assert "circle" not in plot.render() and 'aria-label="a &lt; b"' in plot.render()
