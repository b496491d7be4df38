"""What is said of a case before its cells run: is its truth true, and who cannot solve it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from benchmarks.facts import Request, facts_of, main
from sciml.cli import LIBRARY

USER = Path(__file__).parents[1] / "user_file.py"


def request(name: str, *solvers: str, **values: object) -> Request:
    return Request(f"{USER}:{name}", values, "digest", solvers)


def test_a_truth_is_put_into_its_statement_and_every_solver_is_asked() -> None:
    facts = facts_of(request("decay", "spectral", "mpm", f"{USER}:Exact"), LIBRARY)
    assert facts["truth"]["kind"] == "exact" and facts["truth"]["statement"] < 1e-12
    assert set(facts["refused"]) == {"mpm"} and "Bodies" in facts["refused"]["mpm"]
    assert facts["shape"] == [201, 201]
    json.dumps(facts, allow_nan=False)


def test_a_statement_that_leaves_a_number_open_is_not_judged() -> None:
    facts = facts_of(Request("inverse/speed", {}, "digest", ()), LIBRARY)
    assert facts["truth"]["kind"] == "exact" and facts["truth"]["statement"] is None


def test_a_case_without_a_truth_has_none() -> None:
    facts = facts_of(request("four_axes", f"{USER}:Exact"), LIBRARY)
    assert facts["truth"] is None and facts["trouble"] == ""
    assert facts["refused"] == {f"{USER}:Exact": "it needs a problem with an exact solution"}


def test_a_truth_that_is_none_is_found_out(tmp_path: Path) -> None:
    truth = 'reference=FunctionReference(lambda p: {"u": 0 * p["x"] + 1.0}, 1e-9, "made up"), name="decay"'
    source = USER.read_text("utf-8").replace(
        'exact={u: exp(-k * pi**2 * t) * sin(pi * x)},\n        name="decay"', truth
    )
    source = source.replace("    Estimate,\n", "    Estimate,\n    FunctionReference,\n")
    (tmp_path / "wrong.py").write_text(source, "utf-8")
    facts = facts_of(Request(f"{tmp_path}/wrong.py:decay", {}, "digest", ()), LIBRARY)
    assert facts["truth"]["statement"] > 0.1


def test_equal_requests_have_equal_keys_and_the_worker_prints_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = request("decay", kappa=0.2), request("decay", kappa=0.3)
    assert one.key == Request(**asdict(one)).key != other.key
    monkeypatch.setattr("benchmarks.facts.end_with_parent", lambda: None)
    main(one.spelled())
    assert json.loads(capsys.readouterr().out)["parameters"] == {"kappa": 0.2}
