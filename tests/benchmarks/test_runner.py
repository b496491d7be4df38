"""The runner on tiny cells: every outcome becomes a row, and nothing finished is measured twice."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.facts import Request
from benchmarks.peers.catalogue import PEERS
from benchmarks.process import Ended, run_process
from benchmarks.report import markdown
from benchmarks.result_file import result_file
from benchmarks.runner import Hands, run_in_process, run_suite
from benchmarks.suite import PEER, Cell, Row, Suite, Target, cells_of, content_of, read_cell, rows_of
from benchmarks.suites import SUITES
from benchmarks.worker import run_cell
from sciml.case import Published
from sciml.cli import LIBRARY
from sciml.errors import FileError, OptionError

USER = Path(__file__).parents[1] / "user_file.py"
CASE = f"{USER}:decay"


def solver(name: str) -> str:
    return f"{USER}:{name}"


def suite(*rows: Row, limit: float = 60) -> Suite:
    return Suite("tiny", "Tiny", rows, limit, baselines=())


def cell(name: str, **options: object) -> Cell:
    row = Row(CASE, solver(name), options=options)
    return cells_of(row, content_of(LIBRARY.case(CASE), row.values))[0]


def row_of(key: str, error: float | None, seconds: float = 0.0) -> dict:
    """A result as the runner writes it."""
    row = {"key": key, "case": "bar", "solver": "exact", "options": {}, "values": {}, "budget": None}
    if error is None:
        row |= {"finished": False, "result": "crashed", "errors": {}, "reference": None, "seconds": {}}
    else:
        row |= {"finished": True, "result": "successful", "errors": {"u": {"relative_l2": error, "max": error}}}
        row |= {"reference": {"kind": "exact", "error": 1e-16}, "seconds": {"warm": seconds, "compile": 1.0}}
    return {**row, "peak_memory_mb": 100.0}


def test_a_cell_survives_being_spelled() -> None:
    one = cell("Exact", error=1e-3)
    assert read_cell(one.spelled()) == one
    assert read_cell(one.spelled()).key == one.key


def test_the_key_depends_on_everything_that_changes_the_figure() -> None:
    one = cell("Exact")
    content = content_of(LIBRARY.case(CASE), {"kappa": 0.2})
    others = [cell("Exact", error=1e-3), cell("Lost"), *cells_of(Row(CASE, solver("Exact"), seeds=2, budget=5.0), "")]
    others += cells_of(Row(CASE, solver("Exact"), values={"kappa": 0.2}), content)
    assert len({c.key for c in [one, *others]}) == 1 + len(others)
    assert content != one.content


def test_the_worker_tells_compilation_from_computation_and_says_where_it_ran() -> None:
    record = run_cell(cell("Exact", error=1e-4), LIBRARY)
    seconds = record["seconds"]
    assert record["errors"]["u"]["max"] == pytest.approx(1e-4, rel=0.01)
    assert len(seconds["again"]) == 5
    assert seconds["warm"] == sorted(seconds["again"])[2]
    assert seconds["compile"] == pytest.approx(max(seconds["cold"] - seconds["warm"], 0.0))
    assert seconds["own"]["compile"] == 0.25
    assert record["provenance"]["dtype"] == "float64"
    assert record["provenance"]["versions"]["jax"]
    assert record["content"] == cell("Exact").content
    scores = record["scores"]["fields"]["u"]
    assert scores["relative_l2"] == record["errors"]["u"]["relative_l2"]
    assert 0 < record["scores"]["violations"]["equation"] < 1e-1
    assert 0 < seconds["evaluate"] < seconds["evaluate_cold"]


def test_a_row_measured_once_has_no_warm_figure() -> None:
    row = Row(CASE, solver("Exact"), warm=False)
    record = run_cell(cells_of(row, content_of(LIBRARY.case(CASE), {}))[0], LIBRARY)
    assert "warm" not in record["seconds"]
    assert record["seconds"]["solve"] == 0.5


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the worker's code here instead of in a process of its own, which takes seconds to start."""

    def run(command: list[str], limit: float) -> Ended:
        if command[-2] == "benchmarks.facts":
            return Ended(1, False, 0.1, 1.0, "", "no facts today")
        return Ended(0, False, 0.1, 1.0, "talk\n" + json.dumps(run_cell(read_cell(command[-1]), LIBRARY)) + "\n", "")

    monkeypatch.setattr("benchmarks.runner.run_process", run)


@pytest.mark.usefixtures("in_this_process")
def test_every_outcome_becomes_a_row_and_nothing_is_measured_twice(tmp_path: Path) -> None:
    names = ("Exact", "Lost", "Boastful", "Defective")
    tiny, out = suite(*(Row(CASE, solver(name)) for name in names)), tmp_path / "results.jsonl"
    found = run_suite(tiny, out, LIBRARY)
    assert [row["result"] for row in found] == ["successful", "nonfinite", "nonfinite", "crashed"]
    assert [row["finished"] for row in found] == [True, False, False, False]
    assert re.fullmatch(r"ZeroDivisionError: an accident \(user_file\.py:\d+\)", found[3]["message"])
    lines = out.read_bytes()
    assert run_suite(tiny, out, LIBRARY) == found
    assert out.read_bytes() == lines


@pytest.mark.usefixtures("in_this_process")
def test_only_the_solvers_and_seeds_that_were_asked_for(tmp_path: Path) -> None:
    tiny, told = suite(Row(CASE, solver("Exact")), Row(CASE, solver("Lost"))), []
    hands = Hands(tell=lambda fraction, text: told.append(fraction))
    asked = {"solvers": [solver("Lost")], "seeds": 2, "hands": hands}
    found = run_suite(tiny, tmp_path / "r.jsonl", LIBRARY, **asked)
    assert [(row["seed"], row["result"]) for row in found] == [(0, "nonfinite"), (1, "nonfinite")]
    assert told == [0.0, 1.0, 0.0, 0.5, 1.0]  # the facts of the case, then its two cells
    with pytest.raises(OptionError, match="no row of suite tiny"):
        run_suite(tiny, tmp_path / "r.jsonl", LIBRARY, solvers=["nobody"])


def test_a_process_that_dies_is_a_row() -> None:
    row = run_in_process(cell("Abrupt"), 60)
    assert (row["result"], row["finished"], row["message"]) == ("crashed", False, "exit code 7")


def no_facts(request: Request, limit: float) -> dict:
    """In the place of a process that takes seconds to start."""
    return {"key": request.key, "case": request.case}


def test_a_killed_sweep_leaves_no_run_behind_and_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.runner.facts_in_process", no_facts)
    out, mark = tmp_path / "results.jsonl", tmp_path / "pid"
    rows = Row(CASE, solver("Exact")), Row(CASE, solver("Endless"), options={"mark": str(mark)})
    sweep = subprocess.Popen([sys.executable, "-c", SWEEP, str(out), str(mark), str(USER)])
    wait_for(mark.exists)
    sweep.kill()
    sweep.wait()
    wait_for(lambda: not is_alive(int(mark.read_text())))
    before = out.read_text()
    assert before.count("\n") == 1
    out.write_text(before + '{"key": "torn')
    found = run_suite(suite(*rows), out, LIBRARY, limit=1)
    assert [row["result"] for row in found] == ["successful", "out_of_time"]
    assert found[0]["process_peak_memory_mb"] > 50
    assert out.read_text().startswith(before)
    assert out.read_text().count("\n") == 2
    python, _, rest = found[0]["command"].partition(" ")
    assert python == "python"
    again = subprocess.run(f"{sys.executable} {rest}", shell=True, capture_output=True, text=True, check=True)
    assert json.loads(again.stdout.splitlines()[-1])["errors"] == found[0]["errors"]


SWEEP = """
import sys
from pathlib import Path
from benchmarks import runner
from benchmarks.suite import Row, Suite
runner.facts_in_process = lambda request, limit: {"key": request.key, "case": request.case}
from sciml.cli import LIBRARY
out, mark, user = sys.argv[1:]
rows = (Row(f"{user}:decay", f"{user}:Exact"), Row(f"{user}:decay", f"{user}:Endless", options={"mark": mark}))
runner.run_suite(Suite("tiny", "Tiny", rows, baselines=()), Path(out), LIBRARY)
"""


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended but was not collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition, seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)


def test_a_torn_last_line_is_cut_off_and_other_damage_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text('{"key": "a"}\n{"key": "b')
    with result_file(path) as results:
        assert results.rows == [{"key": "a"}]
        results.append({"key": "c"})
    assert path.read_text() == '{"key": "a"}\n{"key": "c"}\n'
    path.write_text('{"key": "a"}\n{"key\n{"key": "c"}\n')
    with pytest.raises(FileError, match="line 2"), result_file(path):
        pass
    path.write_text("[1]\n")
    with pytest.raises(FileError, match="no result"), result_file(path):
        pass


def test_a_file_has_one_writer(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    with result_file(path), pytest.raises(FileError, match="another run"), result_file(path):
        pass
    with pytest.raises(FileError, match="can be written"), result_file(tmp_path):
        pass


def test_a_process_is_measured_and_interrupts_take_it_along() -> None:
    ended = run_process([sys.executable, "-c", "x = bytearray(60_000_000); print('out'); raise SystemExit(3)"], 30)
    assert (ended.code, ended.timed_out, ended.output) == (3, False, "out\n")
    assert ended.peak_memory_mb > 57
    aborted = run_process([sys.executable, "-c", "import os; os.abort()"], 30)
    assert aborted.code == -signal.SIGABRT


def test_an_interrupt_kills_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []

    def interrupted(pid: int, deadline: float):
        started.append(pid)
        raise KeyboardInterrupt

    monkeypatch.setattr("benchmarks.process._wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_process(["sleep", "60"], 30)
    assert not os.path.exists(f"/proc/{started[0]}")


def lines_of(results: list[dict], target: Target, **changes: object) -> list[str]:
    tiny = suite(Row("bar", "exact", target=target, **changes))
    return [cell.strip() for cell in markdown(tiny, results, {}).splitlines()[4].strip("|").split("|")]


def test_the_report_says_whether_a_promise_holds() -> None:
    assert lines_of([row_of("a", 1e-9, 0.5)], Target(1e-8, 1))[2:10] == [
        "1/1", "1.0e-09", "≤ 1e-08", "0.5", "≤ 1", "1", "100", "yes",
    ]  # fmt: skip
    assert lines_of([row_of("a", 1e-9, 2.0)], Target(1e-8, 1))[9] == "**no**"
    assert lines_of([row_of("a", 1e-7, 0.5)], Target(1e-8, 1))[9] == "**no**"
    assert lines_of([row_of("a", 1e-7, 0.5)], Target())[9] == "—"
    doubtful = {**row_of("a", 1e-9, 0.5), "result": "under_resolved"}
    line = lines_of([doubtful], Target(1e-8, 1))
    assert (line[2], line[3], line[9]) == ("0/1 (under resolved)", "1.0e-09", "**no**")


def test_the_report_counts_failures_and_takes_medians() -> None:
    failed = row_of("c", None)
    good = [row_of("a", 1e-9, 0.5), row_of("b", 3e-9, 0.7)]
    line = lines_of([*good, failed], Target(1e-8))
    assert (line[2], line[3], line[9]) == ("2/3 (crashed)", "3.0e-09", "yes")
    line = lines_of([good[0], failed, failed], Target(1e-8))
    assert (line[2], line[3], line[9]) == ("1/3 (crashed)", "none", "**no**")


def test_the_report_flags_the_floor_and_shows_the_best_published_figure() -> None:
    published = (Published("slow", 1e-3, "a"), Published("fast", 1e-5, "b"), Published("words", math.nan, "c"))
    line = lines_of([row_of("a", 2e-16, 0.5)], Target(), published=published)
    assert line[3] == "2.0e-16 (at the truth's own error)"
    assert line[10] == "1.0e-05 fast"


def test_every_case_gets_the_baselines_that_its_suite_does_not_have() -> None:
    one = Suite(
        "s", "S", (Row("heat", "gp"), Row("heat", "spectral", {"points": 9}), Row("heat", "gp", values={"a": 1}))
    )
    added = [(row.case, row.solver, dict(row.values)) for row in one.all_rows[3:]]
    assert added == [("heat", "lift", {}), ("heat", "zero", {})] + [
        ("heat", name, {"a": 1}) for name in ("spectral", "lift", "zero")
    ]


def test_several_budgets_make_a_curve_of_the_rows_that_have_one() -> None:
    one = suite(Row("a", "s"), Row("b", "p", budget=9.0))
    assert [(r.case, r.budget) for r in rows_of(one)] == [("a", None), ("b", 9.0)]
    assert [(r.case, r.budget) for r in rows_of(one, budgets=(2.0,))] == [("a", 2.0), ("b", 2.0)]
    assert [(r.case, r.budget) for r in rows_of(one, budgets=(2.0, 4.0))] == [("a", None), ("b", 2.0), ("b", 4.0)]


def test_suites_have_distinct_rows_of_known_solvers() -> None:
    assert {"classical", "quick", "smoke"} <= set(SUITES)
    for own in SUITES.values():
        assert len({(r.case, r.solver, repr(r.options), repr(r.values)) for r in own.rows}) == len(own.rows)
        assert all({row.solver, row.solver.removeprefix(PEER)} & {*LIBRARY.solvers, *PEERS} for row in own.rows)
