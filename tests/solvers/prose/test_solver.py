"""The solver: what it refuses, that gaps and padding are read as such, what comes out, and what is on disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from click.testing import CliRunner

from pde_zoo.families import FAMILIES
from sciml import Box, D, Field, Parameter, Problem, coordinates, exp, load, pi, sin, solve
from sciml.cli import main
from sciml.errors import FileError, OptionError, UnsupportedProblemError
from sciml.results import RESULTS
from sciml.solver import AbstractSolver
from solvers.prose import PROSE, storage
from solvers.prose.candidates import Candidate
from solvers.prose.canonical import system_of
from solvers.prose.estimates import answered
from solvers.prose.reading import interleaved, observed
from solvers.prose.scoring import expression_error, score
from solvers.prose.skeleton import Skeleton

(t,) = coordinates("t")
a, b = Field("a", t), Field("b", t)
k, w = Parameter("k"), Parameter("w")


def swing(horizon: float = 6.0, side: Any = None) -> Problem:
    box = Box({t: (0, horizon)})
    equations = [D(a, t) == w * b, D(b, t) == (-k * sin(a) if side is None else side)]
    return Problem(equations, box, [(a == 1).on(box.at(t=0)), (b == 0).on(box.at(t=0))], name="swing")


def seen(problem: Problem, times: Any = None, gap: bool = False) -> Problem:
    times = np.linspace(0, 2, 12) if times is None else np.asarray(times)
    problem = problem.observe(a, {"t": times}, np.cos(times), noise=0.01)
    fewer = times[::2] if gap else times
    return problem.observe(b, {"t": fewer}, -np.sin(fewer), noise=0.01)


@pytest.fixture(scope="module")
def folder(tiny, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("run")
    storage.save(tiny.pretrained, out / storage.MODEL)
    return out


@pytest.fixture(scope="module")
def solver(folder) -> PROSE:
    return PROSE.pretrained(folder)


def test_what_it_was_not_trained_for_is_refused_in_a_sentence(solver):
    assert solver.check(seen(swing())) == []
    problem = seen(swing())
    for wrong, words in [
        (swing(), "reads observations on the first 2 of t"),
        (seen(swing(7.0)), "horizon of 6 in t, the problem has 7"),
        (seen(swing(), np.linspace(0, 3, 12)), "first 2 of t, observations reach 3"),
        (seen(swing(), [0, 1, 2]), "at least 4 times, observations have 3"),
        (problem.observe(a + b, {"t": [0.5]}, [1.0]), "the unknowns themselves"),
        (seen(swing(side=-k * exp(sin(a) * b) - abs(b))), r"the words abs .*was trained with"),
        (seen(swing(side=sum((n * a * b**n for n in range(2, 14)), k * a))), "length that the model was trained for"),
    ]:
        (reason,) = solver.check(wrong)
        assert words.replace(".*", "") in reason or all(part in reason for part in words.split(" .*"))
        with pytest.raises(UnsupportedProblemError):
            solve(wrong, solver)


def test_more_unknowns_and_space_are_refused(solver):
    four = FAMILIES["lorenz96_4"].template
    assert "at most 3 unknowns, the problem has 4" in solver.check(four)[0]
    s, x = coordinates("t x")
    u = Field("u", s, x)
    box = Box({s: (0, 1), x: (0, 1)}, periodic=x)
    heat = Problem(u.dt == u.dxx, box, [(u == sin(2 * pi * x)).on(box.at(t=0))])
    assert "over time alone" in solver.check(heat)[0]


def test_missing_values_are_masked_and_long_records_are_dealt(tiny):
    read = observed(seen(swing(), gap=True), tiny.card)
    present = np.asarray(read.present)
    assert present.shape == (2, 8, 3)
    assert present.sum(axis=(0, 1)).tolist() == [12, 6, 0]
    assert (np.asarray(read.values)[~present] == 0).all()
    times = np.sort(np.asarray(read.times)[present.any(axis=2)])
    np.testing.assert_allclose(times, np.linspace(0, 1 / 3, 12), atol=1e-6)
    parts = interleaved(np.arange(5.0), np.ones((5, 2)), np.ones((5, 2), bool), 3)
    assert np.asarray(parts.present).all(axis=2).sum(axis=1).tolist() == [3, 2]
    assert np.asarray(parts.times)[0].tolist() == [0, 2, 4]


def test_a_solution_is_a_function_of_time_that_is_saved(solver, tiny, tmp_path: Path):
    problem = seen(swing(), gap=True)
    solution = solve(problem, solver, key=0)
    values = solution(t=np.linspace(0, 6, 9))
    assert {n: v.shape for n, v in values.items()} == {"a": (9,), "b": (9,)}
    assert all(np.isfinite(v).all() for v in values.values())
    assert solution.result in (RESULTS.successful, RESULTS.stagnated)
    assert (solution.result is RESULTS.successful) == (solution.stats.extra["misfit"] <= solver.tolerance)
    at = np.linspace(0, 6, 9)
    one = jax.grad(lambda s: solution.representation({"t": s[None]})["a"][0])
    slope = jax.jit(jax.vmap(one))(jnp.asarray(at[1:8]))
    right, left = (solution(t=np.array([*at[1:8], 0, 0]) + s * 1e-2 * (np.arange(9) < 7))["a"][:7] for s in (1, -1))
    fine = (right - left) / 2e-2
    np.testing.assert_allclose(slope, fine, atol=0.05 * np.abs(fine).max() + 1e-2)
    back = load(solution.save(tmp_path))
    for name, value in back(t=at).items():
        np.testing.assert_array_equal(value, values[name])
    assert len(solution.equations) == 2  # an Equation for each unknown, of the problem's own fields
    found = solver.candidates(problem)
    assert found and all(len(c.system) == 2 for c in found)
    assert [c.log_probability for c in found] == sorted((c.log_probability for c in found), reverse=True)


def written(problem: Problem, means: list[float], deviations: list[float]) -> Candidate:
    skeleton = Skeleton.of(system_of(problem))
    return Candidate(skeleton.system, tuple(means), -1.0, tuple(means), tuple(deviations))


def test_numbers_reach_the_parameters_of_the_problem():
    problem = swing()
    skeleton = Skeleton.of(system_of(problem))
    best = written(problem, [2.0, -3.0], [0.1, 0.2])
    same, estimates = answered(problem, skeleton, [best])
    assert same is problem
    assert (estimates["w"].value, estimates["k"].value) == (2.0, 3.0)
    assert (estimates["w"].standard_error, estimates["k"].standard_error) == pytest.approx((0.1, 0.2))


def test_another_form_becomes_the_problem_and_its_equations_are_the_model_s():
    other = written(swing(side=-k * a - w * b), [2.0, -3.0, -0.5], [0.1, 0.2, 0.3])
    problem = swing()
    changed, estimates = answered(problem, Skeleton.of(system_of(problem)), [other])
    assert {n: e.value for n, e in estimates.items()} == {"c_0": 2.0, "c_1": -3.0, "c_2": -0.5}
    assert changed.unknowns == problem.unknowns or [repr(u) for u in changed.unknowns] == ["a", "b"]
    points = np.random.default_rng(0).normal(size=(2, 7))
    from sciml.expr.evaluation import evaluate

    side = changed.replace(**{n: e.value for n, e in estimates.items()}).equations[1].rhs
    table: dict[Any, Any] = {a: points[0], b: points[1]}
    table |= {p: estimates[n].value for n, p in changed.parameters.items()}
    np.testing.assert_allclose(evaluate(side, table), -3 * points[0] - 0.5 * points[1])


def test_refinement_gets_the_forms_as_candidates(folder, tiny):
    from dataclasses import dataclass

    taken = []

    @dataclass(frozen=True)
    class Fitter(AbstractSolver):
        candidates: tuple[Any, ...] = ()

        def check(self, problem):
            return []

        def run(self, problem, run):
            taken.extend(self.candidates)
            return solve(problem, PROSE(str(folder)))

    solve(seen(swing()), PROSE(str(folder), beam=2, refine=Fitter()))
    assert len(taken) >= 1 and all(len(equations) == 2 for equations in taken)
    with pytest.raises(OptionError, match="chooses among candidates"):
        PROSE(refine=PROSE())


def test_weights_on_disk_are_checked(folder, tiny, tmp_path: Path):
    found = storage.load(folder)
    assert found.card == tiny.card
    for ours, theirs in zip(jax.tree.leaves(found.model), jax.tree.leaves(tiny.model), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(FileError, match=r"no pretrained model .*sciml pretrain"):
        PROSE.pretrained("nothing_of_the_kind")
    stem = tmp_path / storage.MODEL
    for damage, words in [("arrays", "weights with a wrong checksum"), ("card", "card with a wrong checksum")]:
        storage.save(tiny.pretrained, stem)
        if damage == "arrays":
            data = bytearray(stem.with_suffix(".npz").read_bytes())
            data[len(data) // 2] ^= 255
            stem.with_suffix(".npz").write_bytes(bytes(data))
        else:
            document = json.loads(stem.with_suffix(".json").read_text())
            document["card"]["value"]["horizon"] = 7.0
            stem.with_suffix(".json").write_text(json.dumps(document))
        storage._load.cache_clear()
        with pytest.raises(FileError, match=words):
            PROSE.pretrained(tmp_path)
    with pytest.raises(OptionError, match="beam"):
        PROSE(beam=0)


def test_scores_are_those_of_the_truth_where_the_truth_answers(tiny):
    family = tiny.families[0]
    found = score(tiny.pretrained, family, jax.random.key(0), 3, corrupted=True)
    assert found.data.shape == found.persistence.shape == found.valid.shape == (3,)
    assert np.isfinite(found.data).all() and (found.data > 0.01).all()
    system = Skeleton.of(system_of(family.template)).with_numbers([-10.0, 10.0, 28.0, -2.67])
    assert expression_error(system, system, jax.random.key(1)) == 0
    wrong = Skeleton.of(system_of(family.template)).with_numbers([-10.1, 10.1, 28.0, -2.67])
    assert 0 < expression_error(wrong, system, jax.random.key(1)) < 0.05


def test_the_commands(tmp_path: Path):
    out = tmp_path / "run"
    options = ["pretrain", "thomas", "--solver", "prose", "--out", str(out)]
    small = ["--set", "steps=2", "--set", "batch=4", "--set", "trajectories=4"]
    runner = CliRunner()
    made = runner.invoke(main, [*options, *small], catch_exceptions=False)
    assert made.exit_code == 0 and "steps: 2" in made.stdout and "loss/words" in made.stdout
    assert storage.load(out).card.command.startswith("sciml pretrain thomas --solver prose")
    refused = runner.invoke(main, [*options, *small])
    assert refused.exit_code == 2 and "--resume" in refused.stderr
    again = runner.invoke(main, [*options, *small, "--resume"], catch_exceptions=False)
    assert again.exit_code == 0 and "steps: 2" in again.stdout
    for wrong, words in [
        (["pretrain", "thomsa", "--solver", "prose", "--out", str(out)], "perhaps thomas"),
        (["pretrain", "thomas", "--solver", "spectral", "--out", str(out)], "learns nothing beforehand"),
        ([*options, "--set", "stesp=2"], "perhaps steps"),
        ([*options, "--minutes", "-1"], "positive"),
        (["solve", "burgers", "--solver", "prose", "--weights", str(tmp_path / "no")], "no pretrained model"),
        (["solve", "burgers", "--solver", "prose", "--weights", str(out)], "over time alone"),
    ]:
        ended = runner.invoke(main, wrong)
        assert ended.exit_code == 2 and words in ended.stderr, ended.stderr
