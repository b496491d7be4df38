"""The command line on a user's own file: what it prints, what it writes, how it ends."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from sciml.case import Case, Published
from sciml.cli import LIBRARY, SOLVERS, main
from sciml.commands.bench import bench_command
from sciml.commands.library import Library, load
from sciml.commands.report import report_command
from sciml.commands.settings import describe, read, settings_of
from sciml.commands.show import show_command
from sciml.commands.zoo import zoo_command
from sciml.errors import OptionError

USER = Path(__file__).with_name("user_file.py")
DECAY = f"{USER}:decay"
KEYS = {
    "case", "solver", "seed", "result", "errors", "reference", "seconds", "peak_memory_mb", "unknowns", "iterations",
}  # fmt: skip


def own(name: str) -> str:
    return f"{USER}:{name}"


def run(*arguments: str, command: Any = main) -> Result:
    return CliRunner().invoke(command, list(arguments), catch_exceptions=False)


def refused(*arguments: str) -> str:
    """The one sentence of a refusal."""
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    return result.stderr


def width(picture: Path) -> int:
    """Pixels of a readable picture."""
    with Image.open(picture) as image:
        image.load()
        return image.width


@pytest.fixture
def library() -> Library:
    decay = load(DECAY)
    published = (Published("a method", 1e-3, "arXiv:0000.00000 table 1 (read)", hardware="a laptop", seconds=12.0),)
    cases = {
        "decay": Case("decay", decay, {"t": 11, "x": 21}),
        "bars/fast": Case("bars/fast", decay, {"t": 5, "x": 9}, {"kappa": 2.0}, published, note="kappa is larger"),
    }
    return Library(lambda: cases, SOLVERS, lambda: {"tiny": "a suite"})


def test_solve_prints_one_record_that_has_everything() -> None:
    result = run("solve", DECAY, "--solver", own("Exact"), "--seed", "3", "--set", "error=1e-3", "--json")
    record = json.loads(result.stdout)
    assert result.exit_code == 0
    assert record.keys() >= KEYS
    assert record["errors"]["u"].keys() == {"relative_l2", "max"}
    assert record["errors"]["u"]["max"] == pytest.approx(1e-3, rel=1e-3)
    assert record["reference"] == {"kind": "exact", "error": pytest.approx(2.2e-16, rel=0.1)}
    assert record["seconds"].keys() == {"compile", "solve", "evaluate", "total"}
    assert (record["seed"], record["result"], record["unknowns"]) == (3, "successful", 12)


def test_solve_says_what_it_found_in_words() -> None:
    result = run("solve", DECAY, "--solver", own("Exact"))
    assert result.exit_code == 0
    assert "successful" in result.stdout
    assert "truth: exact, its own error 2.2e-16" in result.stdout


def test_values_reach_the_case_and_hyperparameters_the_solver() -> None:
    settings = ["--set", "rounds=5", "--set", "kappa=0.3", "--set", "shape=shift", "--set", "sizes=3,4"]
    record = json.loads(run("solve", DECAY, "--solver", own("Exact"), *settings, "--json").stdout)
    assert record["iterations"] == 5
    assert record["settings"] == "Exact(error=1e-06, rounds=5, shape=<Shape.SHIFT: 2>, sizes=(3, 4))"
    assert record["parameters"]["kappa"]["value"] == 0.3


def test_a_failed_solver_ends_with_code_1_and_a_refusal_with_code_2() -> None:
    for name in ("Lost", "Boastful"):
        result = run("solve", DECAY, "--solver", own(name), "--json")
        assert (result.exit_code, json.loads(result.stdout)["result"]) == (1, "nonfinite")
    result = run("solve", DECAY, "--solver", own("Defective"), "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["message"].startswith("ZeroDivisionError: an accident (user_file.py:")
    assert "it needs a problem with an exact solution" in refused("solve", own("four_axes"), "--solver", own("Exact"))


def test_solve_leaves_picture_record_and_data(tmp_path: Path) -> None:
    result = run("solve", DECAY, "--solver", own("Exact"), "--out", str(tmp_path / "deep" / "run"))
    out = tmp_path / "deep" / "run"
    assert result.exit_code == 0
    assert json.loads((out / "record.json").read_text())["result"] == "successful"
    assert width(out / "solution.png") > 500
    assert "the solution is not saved: found" in result.stderr  # its representation has no format


def test_compare_counts_every_solver(tmp_path: Path) -> None:
    solvers = [own(name) for name in ("Exact", "Lost", "Defective")]
    result = run("compare", DECAY, "--solvers", ",".join(solvers), "--out", str(tmp_path), "--json")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 1
    assert [row["result"] for row in rows] == ["successful", "nonfinite", "crashed"]
    assert (tmp_path / "comparison.jsonl").read_text() == result.stdout
    sheet = list(csv.DictReader((tmp_path / "comparison.csv").read_text().splitlines()))
    assert [row["result"] for row in sheet] == ["successful", "nonfinite", "crashed"]
    assert float(sheet[0]["relative_l2"]) == rows[0]["errors"]["u"]["relative_l2"]
    assert width(tmp_path / "comparison.png") > 500


def test_compare_prints_a_table_with_the_reasons() -> None:
    words = " ".join(run("compare", DECAY, "--solvers", f"{own('Exact')},{own('Lost')}").stdout.split())
    assert re.search(r"user_file.py:Exact u \d\.\de-06 \d\.\de-06 .* 12 successful", words)
    assert "user_file.py:Lost: a NaN or infinity appeared" in words


def test_compare_sets_one_solver_alone() -> None:
    solvers = f"{own('Exact')},{own('Lost')}"
    result = run("compare", DECAY, "--solvers", solvers, "--set", f"{own('Exact')}.error=1e-2", "--json")
    assert json.loads(result.stdout.splitlines()[0])["errors"]["u"]["max"] == pytest.approx(1e-2, rel=1e-3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["solve", "no_such_case", "--solver", "spectral"], "sciml zoo"),
        (["solve", DECAY, "--solver", "spectrum"], "perhaps spectral"),
        (["solve", DECAY, "--solver", own("decay")], "derived from AbstractSolver"),
        (["solve", DECAY, "--solver", own("Nobody")], "no 'Nobody'"),
        (["solve", f"{USER}x.py:decay", "--solver", own("Exact")], "is not a file"),
        (["solve", own("no_problem"), "--solver", own("Exact")], "int returned by"),
        (["solve", own("broken"), "--solver", own("Exact")], "ZeroDivisionError in"),
        (["solve", own("pi"), "--solver", own("Exact")], "a function that returns a Problem"),
        (["solve", DECAY, "--solver", own("Exact"), "--set", "eror=1"], "perhaps error"),
        (["solve", DECAY, "--solver", own("Exact"), "--set", "eror=1"], "case: kappa, unit"),
        (["solve", DECAY, "--solver", own("Exact"), "--set", "error"], "key=value"),
        (["solve", DECAY, "--solver", own("Exact"), "--set", "error=small"], "needed a finite number"),
        (["solve", DECAY, "--solver", own("Exact"), "--set", "error=nan"], "needed a finite number"),
        (["solve", DECAY, "--solver", own("Exact"), "--set", "rounds=1.5"], "none or a whole number"),
        (["solve", DECAY, "--solver", own("Exact"), "--set", "shape=round"], "one of ripple, shift"),
        (["solve", DECAY, "--solver", own("Exact"), "--set", "unit=perhaps"], "true or false"),
        (["solve", DECAY, "--solver", own("Exact"), "--budget", "-1"], "positive number"),
        (["solve", DECAY, "--solver", own("Exact"), "--budget", "soon"], "positive number"),
        (["solve", DECAY, "--solver", own("Exact"), "--out", str(USER)], "a folder that can be written"),
        (["compare", DECAY, "--solvers", ","], "different names separated by commas"),
        (["compare", DECAY, "--solvers", f"{own('Exact')},{own('Exact')}"], "different names"),
        (["bench", "no_such_suite"], "choose one of"),
        (["bench", "smoke", "--seeds", "0"], "at least 1"),
        (["bench", "smoke", "--workers", "0"], "at least 1"),
        (["report"], "one, or two with --compare"),
        (["report", "a", "--compare"], "name both"),
        (["report", "no_such_folder"], "No such file"),
    ],
)
def test_wrong_input_ends_in_one_sentence(arguments: list[str], words: str) -> None:
    assert words in refused(*arguments)


def test_a_solver_of_another_version_is_named_with_those_that_exist() -> None:
    missing = Library(dict, {"json": "json:JSONDecoder", "gone": "solvers.nowhere:Gone", "half": "json:Gone"}, dict)
    for name in ("gone", "half"):
        with pytest.raises(OptionError, match="not in this version; needed one of json;"):
            missing.solver_class(name)


def test_a_module_that_lacks_something_else_is_not_taken_for_missing(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "half_installed.py").write_text("import a_package_that_is_not_there\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="a_package_that_is_not_there"):
        Library(dict, {"half": "half_installed:Solver"}, dict).solver_class("half")


def test_a_user_file_with_a_mistake_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("x = 1\nraise RuntimeError('stop')\n")
    assert f"RuntimeError in {path}:2: stop" in refused("show", f"{path}:f")
    path.write_text("x = 1\nx = (\n")
    assert f"SyntaxError in {path}:2" in refused("show", f"{path}:f")


def test_numbers_are_read_by_their_type() -> None:
    assert read("1_000", int, "k") == 1000
    assert read("1e3", int, "k") == 1000
    assert read("-2", int | None, "k") == -2
    assert read("none", int | None, "k") is None
    assert read("no", bool, "k") is False
    assert read("x:3,y:4", int | dict[str, int], "k") == {"x": 3, "y": 4}
    assert read("1, 2.5", tuple[int, float], "k") == (1, 2.5)
    assert read("7", Any, "k") == 7
    assert read("seven", Any, "k") == "seven"
    assert describe(tuple[int, ...]) == "values separated by commas, each a whole number"
    for text, kind in [("x:", dict[str, int]), ("1,2,3", tuple[int, float]), ("1", object)]:
        with pytest.raises(OptionError):
            read(text, kind, "k")


def test_an_object_is_made_by_the_name_of_its_class() -> None:
    class Base: ...

    class _Hidden(Base): ...

    class Gauss(Base): ...

    class Needy(Base):
        def __init__(self, width: float): ...

    assert isinstance(read("gauss", Base | None, "k"), Gauss)
    assert describe(Base | None) == "none or one of Base, Gauss"
    with pytest.raises(OptionError, match="none or one of Base, Gauss"):
        read("Needy", Base | None, "k")


def test_a_key_goes_to_every_solver_that_has_it_else_to_the_case() -> None:
    def build(kappa: float = 1.0, error: float = 0.0): ...

    solvers = {"a": load(own("Exact")), "b": load(own("Exact"))}
    settings = settings_of(["error=2", "a.rounds=3", "kappa=4", "case.error=5"], solvers, build)
    assert settings.solvers == {"a": {"error": 2.0, "rounds": 3}, "b": {"error": 2.0}}
    assert settings.case == {"kappa": 4.0, "error": 5.0}


def test_zoo_lists_cases_by_suite(library: Library) -> None:
    words = run(command=zoo_command(library)).stdout
    assert words.index("decay") < words.index("bars") < words.index("bars/fast")
    assert "Heat in a bar whose ends are kept cold. (kappa=2)" in words
    rows = [json.loads(line) for line in run("--json", command=zoo_command(library)).stdout.splitlines()]
    assert [row["case"] for row in rows] == ["decay", "bars/fast"]
    assert rows[1]["published"][0]["method"] == "a method"
    assert rows[0]["choices"] == ["kappa", "unit"]


def test_show_prints_statement_kind_truth_and_published_numbers(library: Library) -> None:
    words = " ".join(run("bars/fast", command=show_command(library)).stdout.split())
    for part in (
        "D(u, t) == kappa*D(u, x, x)",
        "linear in u (order 1 in t, 2 in x); parabolic",
        "u == 0 on the boundary in x: Dirichlet",
        "on t=0: initial",
        "kappa = 2",
        "exact; its own error: 2.2e-16",
        "1.0e-03",
        "arXiv:0000.00000 table 1 (read)",
        "note: kappa is larger",
    ):
        assert part in words
    assert r"\kappa" in words


def test_show_gives_the_same_as_data(library: Library) -> None:
    facts = json.loads(run("decay", "--set", "kappa=0.5", "--json", command=show_command(library)).stdout)
    assert facts["parameters"] == {"kappa": 0.5}
    assert [c["kinds"] for c in facts["conditions"]] == [["initial"], ["Dirichlet"]]
    assert facts["truth"]["kind"] == "exact"


def test_bench_hands_the_request_over_and_fails_if_a_run_failed(library: Library, tmp_path: Path) -> None:
    asked: dict[str, Any] = {}
    ends = ["crashed"]

    def run_suite(suite: Any, out: Path, **options: Any) -> list[dict[str, Any]]:
        asked.update(options, suite=suite, out=out)
        refused = {"finished": False, "result": "unsupported"}
        return [{"finished": True, "result": "successful"}, refused, *({"finished": False, "result": r} for r in ends)]

    command = bench_command(library, run_suite, lambda suite, rows: f"| {suite} | {len(rows)} |")
    result = run("tiny", "--solvers", "a,b", "--seeds", "2", "--out", str(tmp_path / "r.jsonl"), command=command)
    assert (result.exit_code, result.stdout) == (1, "| a suite | 3 |\n")
    assert asked["solvers"] == ["a", "b"]
    assert (asked["seeds"], asked["budgets"], asked["out"]) == (2, (), tmp_path / "r.jsonl")
    ends.clear()
    assert run("tiny", command=command).exit_code == 0


def test_report_writes_one_sweep_or_compares_two(tmp_path: Path) -> None:
    def write(place: Path, out: Path | None) -> list[Path]:
        return [place / "report.html"] if out is None else [out / "report.html"]

    command = report_command(write, lambda before, after: (f"{before} {after}", after.name == "worse"))
    assert run("a", command=command).stdout == "wrote a/report.html\n"
    assert run("a", "--out", str(tmp_path / "b"), command=command).stdout == f"wrote {tmp_path}/b/report.html\n"
    for name, code in (("worse", 1), ("better", 0)):
        result = run("a", name, "--compare", command=command)
        assert (result.exit_code, result.stdout) == (code, f"a {name}\n")


def test_help_teaches_by_example() -> None:
    for command in ("zoo", "show", "solve", "compare", "bench", "report"):
        result = run(command, "--help")
        assert result.exit_code == 0
        assert f"\n  sciml {command}" in result.stdout
    assert set(main.commands) == {"zoo", "show", "solve", "compare", "family", "pretrain", "bench", "report"}


def test_a_process_prints_no_progress_and_no_traceback_in_a_pipe() -> None:
    command = [sys.executable, "-m", "sciml.cli", "solve", DECAY, "--solver"]
    done = subprocess.run([*command, own("Exact"), "--json"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout.splitlines()[-1])["result"] == "successful"
    wrong = subprocess.run([*command, "nobody"], capture_output=True, text=True)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.startswith("sciml: found solver 'nobody'")


def test_every_known_solver_has_a_place() -> None:
    learned = {
        "pinn",
        "pig",
        "gp",
        "gp_student",
        "neural_law",
        "prose",
        "material_identification",
        "system_identification",
        "law_identification",
    }
    assert set(LIBRARY.solvers) == {*learned, "mpm", "spectral", "finite_difference", "initial_value", "zero", "lift"}


def test_every_case_can_be_shown() -> None:
    failed = {}
    for name in LIBRARY.cases():
        result = run("show", name)
        if result.exit_code or not all(
            word in result.stdout for word in (name, "Equations", "Classification", "Truth")
        ):
            failed[name] = result.output
    assert failed == {}


def test_zoo_lists_every_case_that_others_name() -> None:
    listed = {json.loads(line)["case"] for line in run("zoo", "--json").stdout.splitlines()}
    suites = {
        "gp_hm": "u1 u2 u3 u4 u5 u6 u7 a1 a2 a3 advection",
        "pig": "helmholtz helmholtz_10_10 klein_gordon flow_mixing nonlinear_diffusion allen_cahn",
        "records": "burgers burgers_nu_0.01 allen_cahn kdv kuramoto_sivashinsky wave multiscale_laplace poisson_5d "
        "poisson_10d helmholtz_4_4 cavity_re100",
    }
    assert {f"{suite}/{name}" for suite, names in suites.items() for name in names.split()} <= listed


def test_a_checkpoint_keeps_the_state_and_only_of_solvers_that_train(tmp_path: Path) -> None:
    quick = ["--set", "num_points=20", "--set", "tolerance=100.0", "--budget", "1", "--checkpoint", str(tmp_path / "a")]
    assert CliRunner().invoke(main, ["solve", "heat", "--solver", "pinn", *quick]).exit_code == 0
    assert (tmp_path / "a" / "state.npz").is_file()
    refused = CliRunner().invoke(main, ["solve", "heat", "--solver", "spectral", "--checkpoint", str(tmp_path / "b")])
    assert refused.exit_code == 2
    assert "leave it out" in refused.stderr
