"""Other libraries as solvers: what their scripts answer becomes a row, whatever it is; and what a row promises."""

from __future__ import annotations

import json
import re
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.facts import Request, facts_of
from benchmarks.peers import catalogue, environments
from benchmarks.peers.catalogue import PEERS, SCRIPTS, Peer, numbers_of, peer_of, refusals
from benchmarks.peers.environments import Environment, build_all
from benchmarks.peers.ratios import Promise, main, ratios, table
from benchmarks.peers.worker import run_cell
from benchmarks.process import run_process
from benchmarks.report.support import support_matrix
from benchmarks.report.verdicts import read_findings
from benchmarks.runner import run_in_process, run_suite
from benchmarks.suite import Cell, Row, Suite, cells_of
from benchmarks.sweep import Sweep
from sciml.cli import LIBRARY
from sciml.errors import FileError, OptionError

STUB = Path(__file__).with_name("stub_peer.py")
COMMAND = (sys.executable, str(STUB))


@pytest.fixture(autouse=True)
def stub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Peer:
    """A peer that knows heat, says that it cannot do waves, and has no environment yet."""
    peer = Peer("stub", STUB, frozenset({"heat"}), {"wave": "a quiet sea"})
    (tmp_path / "stub.txt").write_text("stub==1.0\n")
    monkeypatch.setitem(PEERS, "stub", peer)
    for module in (catalogue, environments):
        monkeypatch.setattr(module, "Environment", lambda name: Environment(name, tmp_path / "built", tmp_path))
    return peer


def cell(case: str = "heat", *, seed: int = 0, budget: float | None = None, **options: Any) -> Cell:
    row = Row(case, "peer:stub", options, warm=False, seeds=seed + 1, budget=budget)
    return cells_of(row, "")[seed]


def asked(**options: Any) -> dict[str, Any]:
    return run_cell(cell(**options), LIBRARY, COMMAND)


def test_values_come_back_at_the_test_points_and_are_measured_like_ours() -> None:
    row = asked(error=1e-3, seed=3, budget=7.0)
    assert (row["result"], row["seed"], row["iterations"], row["unknowns"]) == ("successful", 3, 3, 5)
    assert row["errors"]["u"]["max"] == pytest.approx(1e-3)
    assert row["scores"]["fields"]["u"]["relative_l2"] == row["errors"]["u"]["relative_l2"]
    assert row["scores"]["violations"] is None  # values on a grid have no derivatives
    assert row["reference"]["kind"] == "exact"
    assert row["provenance"]["dtype"] == "float16" and row["provenance"]["peer"]["numpy"] == np.__version__
    told = row["peer"]["configuration"]
    assert told["seed"] == 3 and 0 < told["seconds given"] <= 7.0 and not told["modules"]
    assert row["seconds"]["own"]["import"] > 0 and row["seconds"]["solve"] == row["seconds"]["own"]["train"]
    assert 10 < row["peak_memory_mb"] < 500
    json.dumps(row, allow_nan=False)


def test_a_peer_that_was_stopped_by_the_clock_says_so() -> None:
    assert asked(finished=False)["result"] == "budget_exhausted"


@pytest.mark.parametrize(
    ("how", "result", "message"),
    [
        ("short", "crashed", r"found float64 of shape \(10200,\) for u; needed 10201 real numbers"),
        ("whole numbers", "crashed", "found int64 of shape"),
        ("infinite", "nonfinite", "a NaN or infinity"),
        ("broken", "crashed", "exit code 1: ZeroDivisionError: an accident"),
        ("gone", "crashed", "exit code 7"),
        ("silent", "crashed", "found no answer"),
        ("cannot", "unsupported", "a longer day"),
    ],
)
def test_every_other_answer_becomes_a_row_without_fields(how: str, result: str, message: str) -> None:
    row = asked(how=how)
    assert row["result"] == result and row["unknowns"] is None and row["errors"] == {}
    assert re.search(message, row["message"])


def test_an_option_that_a_script_does_not_have_is_named() -> None:
    assert "found option 'depth'; needed one of how, error" in asked(depth=3)["message"]


def test_a_case_that_a_peer_cannot_express_is_refused_before_anything_runs() -> None:
    row = run_cell(cell("wave"), LIBRARY, ("nobody",))
    assert (row["result"], row["message"]) == ("unsupported", "stub needs a quiet sea")
    row = run_cell(cell("burgers"), LIBRARY, ("nobody",))
    assert (row["result"], row["message"]) == ("unsupported", "a statement of burgers in stub_peer.py")


def test_a_missing_environment_is_a_row_that_says_what_to_do_and_is_measured_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = run_cell(cell(), LIBRARY)
    assert row["result"] == "not_built"
    assert row["message"].endswith("do this: python -m benchmarks.peers.environments stub.")

    def here(one: Cell, limit: float, workers: int = 1) -> dict[str, Any]:
        made = run_cell(one, LIBRARY, COMMAND if peer_of(one.solver).environment.stamp else None)
        made.pop("cut", None)
        own = {"options": dict(one.options), "values": {}, "budget": None, "finished": made["unknowns"] is not None}
        return {**made, **own, "key": one.key}

    def no_facts(request: Request, limit: float) -> dict[str, Any]:
        return {"key": request.key, "case": request.case, "values": {}}

    monkeypatch.setattr("benchmarks.runner.run_in_process", here)
    monkeypatch.setattr("benchmarks.runner.facts_in_process", no_facts)
    suite = Suite("tiny", "Tiny", (Row("heat", "peer:stub", warm=False),), baselines=())
    out = tmp_path / "out"
    assert [r["result"] for r in run_suite(suite, out, LIBRARY)] == ["not_built"]
    findings = read_findings(out)
    ((support,),) = support_matrix(findings.entries, findings.facts)[1].values()
    assert support.state == "not run" and "benchmarks.peers.environments stub" in support.reason
    built = tmp_path / "built" / "stub"
    built.mkdir(parents=True)
    environment = peer_of("peer:stub").environment
    environment.mark.write_text(environment.digest)
    assert [r["result"] for r in run_suite(suite, out, LIBRARY)] == ["successful"]
    findings = read_findings(out)
    ((support,),) = support_matrix(findings.entries, findings.facts)[1].values()
    assert support.state == "solved"


def test_facts_say_what_peers_cannot_express() -> None:
    wave = facts_of(Request("wave", {}, "", ("peer:stub", "peer:exponax")), LIBRARY)
    assert wave["refused"] == {"peer:stub": "stub needs a quiet sea"}
    helmholtz = LIBRARY.case("records/helmholtz_1_4")
    assert refusals("peer:deepxde", helmholtz) == []
    assert "evolution equation" in refusals("peer:exponax", helmholtz)[0]
    with pytest.raises(OptionError, match="peer 'deepxd'"):
        peer_of("peer:deepxd")


def test_a_script_gets_every_number_of_a_case() -> None:
    assert numbers_of(LIBRARY.case("records/burgers_nu_0.01"), {}) == {"nu": 0.01, "t_end": 1.0}
    assert numbers_of(LIBRARY.case("records/helmholtz_4_4"), {"k": 2.0}) == {"frequencies": (4, 4), "k": 2.0}


def test_every_peer_has_a_script_and_pinned_packages() -> None:
    lists = {path.stem: path.read_text().splitlines() for path in environments.REQUIREMENTS.glob("*.txt")}
    of_their_own = {"pysindy", "taichi"}  # measured by commands of their own: see benchmarks/sindy.py, law_speed.py
    assert set(lists) == {*PEERS, *of_their_own} - {"stub"}
    assert all(peer.script.is_file() for name, peer in PEERS.items() if name != "stub")
    assert all((SCRIPTS / f"with_{name}.py").is_file() for name in of_their_own)
    for lines in lists.values():
        assert lines and all(line.count("==") == 1 and "/" not in line for line in lines)


def test_a_cell_of_a_peer_has_a_worker_of_its_own() -> None:
    row = run_in_process(cell("nowhere"), 60)  # a process of its own, which does not know this test's peer
    assert row["result"] == "crashed" and "peer 'stub'" in row["message"]
    assert row["command"].startswith("python -m benchmarks.peers.worker ")


def test_a_killed_cell_takes_its_peer_along(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    peer = f"import os, pathlib, time; pathlib.Path({str(mark)!r}).write_text(str(os.getpid())); time.sleep(60)"
    worker = "import sys; from benchmarks.process import run_process as run\n"
    worker += f"run([sys.executable, '-c', {peer!r}], 60, own_session=False)"
    assert run_process([sys.executable, "-c", worker], 5).timed_out
    pid = int(mark.read_text())
    for _ in range(100):
        if not is_alive(pid):
            break
        time.sleep(0.05)
    assert not is_alive(pid)
    assert run_process(["sleep", "60"], 0.1, own_session=False).timed_out


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended but was not collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _wheel(folder: Path, version: str) -> None:
    """A package of one module, as small as pip accepts."""
    name = f"fakepeer-{version}"
    with zipfile.ZipFile(folder / f"{name}-py3-none-any.whl", "w") as wheel:
        wheel.writestr("fakepeer.py", f"VERSION = {version!r}\n")
        wheel.writestr(f"{name}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: fakepeer\nVersion: {version}\n")
        wheel.writestr(f"{name}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{name}.dist-info/RECORD", "")


def test_environments_are_built_once_and_anew_when_their_list_changes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lists, root = tmp_path / "lists", tmp_path / "envs"
    lists.mkdir()
    monkeypatch.setattr(environments, "Environment", Environment)
    for version in ("1.0", "2.0"):
        _wheel(tmp_path, version)

    def listed(version: str) -> None:
        (lists / "fake.txt").write_text(f"--no-index\n--find-links {tmp_path}\nfakepeer=={version}\n")

    listed("1.0")
    build_all([], root, lists)
    assert list((root / "fake").glob("lib/python*/site-packages/fakepeer.py"))
    build_all(["fake"], root, lists)
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("fake: installing") and said[-1].startswith("fake: built before")
    listed("2.0")
    own = Environment("fake", root, lists)
    assert own.stamp == "" and "do this: python -m benchmarks.peers.environments fake" in own.missing
    build_all(["fake"], root, lists)
    (module,) = (root / "fake").glob("lib/python*/site-packages/fakepeer.py")
    assert "2.0" in module.read_text() and own.stamp
    listed("3.0")
    with pytest.raises(FileError, match=r"environment fake: ERROR: .*fakepeer==3\.0.*do this: check the network"):
        build_all(["fake"], root, lists)
    assert own.stamp == ""
    with pytest.raises(OptionError, match="environment 'fakes'"):
        build_all(["fakes"], root, lists)


def test_the_command_line_names_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert environments.main(["nobody"]) == 2
    assert "sciml: found environment 'nobody'" in capsys.readouterr().err


def _result(solver: str, error: float | None, seed: int = 0, budget: float = 9.0) -> dict[str, Any]:
    finished = error is not None
    return {
        "key": f"{solver}{seed}{budget}",
        "case": "heat",
        "solver": solver,
        "seed": seed,
        "options": {},
        "values": {},
        "budget": budget,
        "finished": finished,
        "result": "successful" if finished else "crashed",
        "message": "",
        "errors": {"u": {"relative_l2": error}} if finished else {},
        "reference": None,
        "seconds": {"solve": 1.0},
    }


def test_ratios_compare_equal_seconds_and_say_nothing_of_a_peer_that_failed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [_result("peer:stub", e, seed) for seed, e in enumerate((1e-2, 2e-2, 9.0))]
    rows += [_result("pinn", 1e-4), _result("pig", None), _result("pinn", 1e-9, budget=99.0)]
    rows += [_result("peer:other", None)]
    sweep = Sweep(tmp_path)
    sweep.rows.write_text("".join(json.dumps(row) + "\n" for row in rows))
    promises = (Promise("heat", "peer:stub", 100), Promise("heat", "peer:other", 3))
    found = list(ratios(read_findings(tmp_path), promises))
    known = [(r.promise.peer, r.ours.solver, r.value, r.holds) for r in found]
    assert known[:2] == [("peer:stub", "pinn", pytest.approx(200), True), ("peer:stub", "pig", 0.0, False)]
    assert [holds for *_, holds in known[2:]] == [None, None]
    assert "| 2.0e-02 | pinn(9 s) | 1.0e-04 | successful | 200 | ≥ 100 | yes |" in table(found)[2]
    assert main([str(tmp_path)]) == 0 and "| case | peer |" in capsys.readouterr().out
    assert main([]) == 2 and main([str(tmp_path / "nowhere")]) == 2
