"""Cells on the workers of Dask: the same table as one after the other, and no loss when the sweep is killed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import runner
from benchmarks.process import Ended
from benchmarks.runner import Hands, run_suite
from benchmarks.schedule import schedule
from benchmarks.suite import Row, Suite
from benchmarks.sweep import Sweep, read_rows
from sciml.cli import LIBRARY
from sciml.errors import FileError, OptionError, SolveError

USER = Path(__file__).parents[1] / "user_file.py"
ROWS = tuple(Row(f"{USER}:decay", f"{USER}:Exact", {"error": error}, seeds=4) for error in (1e-3, 1e-4))
SUITE = Suite("tiny", "Tiny", ROWS, baselines=())


def pretend(command: list[str], limit: float) -> Ended:
    """The process of a cell that only says which cell it was."""
    asked = json.loads(command[-1])
    if command[-2] == "benchmarks.facts":
        return Ended(0, False, 0.0, 1.0, json.dumps({"case": asked["case"], "refused": {}}), "")
    time.sleep(0.2)
    names = ("case", "solver", "seed")
    row = {name: asked[name] for name in names} | {"result": "successful", "unknowns": 1}
    row |= {"errors": {"u": {"relative_l2": asked["options"]["error"], "max": 0.0}}, "reference": None, "seconds": {}}
    return Ended(0, False, 0.2, 1.0, json.dumps(row), "")


def table(rows: list[dict]) -> list[dict]:
    """Everything but what a clock says, and how many ran at once."""
    return [{name: v for name, v in row.items() if name not in ("process_seconds", "workers")} for row in rows]


def test_two_workers_of_dask_give_the_table_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "run_process", pretend)
    one = run_suite(SUITE, tmp_path / "one", LIBRARY)
    two = run_suite(SUITE, tmp_path / "two", LIBRARY, hands=Hands(workers=2))
    assert table(one) == table(two)
    assert [row["seed"] for row in one] == [0, 1, 2, 3] * 2
    assert {row["workers"] for row in two} == {2}
    assert len(read_rows(tmp_path / "two" / "rows.jsonl")) == 8


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.benchmarks import test_schedule as own
own.runner.run_process = own.pretend
own.run_suite(own.SUITE, Path(sys.argv[1]), own.LIBRARY, hands=own.Hands(workers=2))
"""


def test_a_sweep_killed_in_the_middle_goes_on_without_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = tmp_path / "killed" / "rows.jsonl"
    script = KILLED.format(root=str(Path(__file__).parents[2]))
    sweep = subprocess.Popen([sys.executable, "-c", script, str(rows.parent)])
    deadline = time.monotonic() + 60
    while not rows.is_file() or rows.read_bytes().count(b"\n") < 3:
        assert time.monotonic() < deadline and sweep.poll() is None, "it never got there"
        time.sleep(0.02)
    sweep.kill()
    sweep.wait()
    before = rows.read_bytes()
    assert 3 <= before.count(b"\n") < 8
    rows.write_bytes(before + b'{"key": "to')
    monkeypatch.setattr(runner, "run_process", pretend)
    resumed = run_suite(SUITE, rows.parent, LIBRARY, hands=Hands(workers=2))
    assert rows.read_bytes().startswith(before)
    assert table(resumed) == table(run_suite(SUITE, tmp_path / "whole", LIBRARY))
    assert sorted(row["key"] for row in read_rows(rows)) == sorted(row["key"] for row in resumed)


def test_without_dask_one_cell_follows_the_other_and_the_user_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    told: list[str] = []
    assert list(schedule([1, 2, 3], str, workers=2, warn=told.append)) == [(1, "1"), (2, "2"), (3, "3")]
    assert "sciml-pde[bench]" in told[0] and len(told) == 1
    for address, missing in (("tcp://nowhere:1", "bench"), ("slurm", "bench")):
        with pytest.raises(OptionError, match=missing):
            schedule([1, 2], str, address=address)


def test_slurm_needs_its_package_and_an_address_must_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    found = lambda name: name != "dask_jobqueue" or None  # noqa: E731
    monkeypatch.setattr("benchmarks.schedule.importlib.util.find_spec", found)
    with pytest.raises(OptionError, match="dask-jobqueue"):
        schedule([1, 2], str, address="slurm")
    with pytest.raises(OptionError, match="address of a running scheduler"):
        list(schedule([1, 2], str, address="nonsense://1"))


def test_a_running_scheduler_takes_the_cells() -> None:
    from distributed import LocalCluster

    with LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None) as cluster:
        made = dict(schedule([3, 4], str, address=cluster.scheduler_address))
    assert made == {3: "3", 4: "4"}


def test_cells_lost_with_their_workers_are_said_to_be_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    from distributed.scheduler import KilledWorker

    def die(item: int) -> str:
        if item == 2:
            raise KilledWorker("cell", SimpleNamespace(address="tcp://gone:1"), 3)
        return str(item)

    made = []
    with pytest.raises(SolveError, match="1 of 3 cells lost"):
        made.extend(schedule([1, 2, 3], die, workers=2))
    assert sorted(made) == [(1, "1"), (3, "3")]


def test_a_folder_holds_one_suite(tmp_path: Path) -> None:
    Sweep(tmp_path).write_suite(SUITE, ROWS)
    assert Sweep(tmp_path).read_suite()["rows"][0]["options"] == {"error": 1e-3}
    with pytest.raises(FileError, match="results of suite tiny"):
        Sweep(tmp_path).write_suite(Suite("other", "Other", ROWS), ROWS)
    with pytest.raises(FileError, match="No such file"):
        read_rows(tmp_path / "rows.jsonl")
