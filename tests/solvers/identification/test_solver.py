"""One problem: irregular and partial observations, forms, equations that others accept, sentences for bad input."""

from __future__ import annotations

from pathlib import Path

import jax
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from pde_zoo.families import FAMILIES
from sciml import RESULTS, Box, D, Field, OptionError, Parameter, Problem, coordinates, load, sin, solve
from sciml.errors import UnsupportedProblemError
from sciml.expr.evaluation import evaluate
from sciml.rates import Rates
from solvers.classical import Spectral
from solvers.identification import Schedule, SystemIdentification
from solvers.identification.forms import Edit, Form, Switched, edited, edits
from solvers.pinn import PINN

QUICK = Schedule(windows=4, anneal=(1.0, 0.1))
pytestmark = pytest.mark.filterwarnings("ignore::sciml.errors.ProblemWarning")

(t,) = coordinates("t")
x, v = Field("x", t), Field("v", t)


def oscillator(**numbers: float) -> Problem:
    """x' = v, v' = -k x - c v on [0, 10]."""
    k, c = Parameter("k", numbers.get("k"), init=2.0, positive=True), Parameter("c", numbers.get("c"), init=0.0)
    box = Box({t: (0, 10)})
    return Problem([D(x, t) == v, D(v, t) == -k * x - c * v], box, [(x == 1).on(box.at(t=0)), (v == 0).on(box.at(t=0))])


def truth(at: np.ndarray, k: float = 3.0, c: float = 0.2) -> np.ndarray:
    return solve_ivp(lambda _, y: [y[1], -k * y[0] - c * y[1]], (0, 10), [1, 0], t_eval=at, rtol=1e-10, atol=1e-12).y


def flow_of(problem: Problem, at: np.ndarray) -> np.ndarray:
    """x of a problem with numbers, by another integrator."""
    rates, start = Rates.of(problem), [float(c.data.value) for c in problem.placed_conditions]
    found = solve_ivp(lambda s, y: np.asarray(rates(s, y, {})), (0, 10), start, t_eval=at, rtol=1e-9, atol=1e-10)
    return found.y[0]


def observed(problem: Problem, noise: float | None = None, *, is_open: bool = True) -> Problem:
    """x alone at 60 irregular times in [0, 5], with noise 0.02."""
    random = np.random.default_rng(1)
    at = np.sort(random.uniform(0, 5, 60))
    seen = problem.observe("x", {"t": at}, truth(at)[0] + 0.02 * random.standard_normal(60), noise)
    return seen.replace(conditions=()) if is_open else seen


def test_numbers_from_one_component_at_irregular_times(tmp_path: Path) -> None:
    solution = solve(observed(oscillator()), SystemIdentification(schedule=QUICK))
    assert solution.result is RESULTS.successful
    for name, true in (("k", 3.0), ("c", 0.2)):
        estimate = solution.parameters[name]
        assert estimate.standard_error is not None
        assert abs(estimate.value - true) < 3 * estimate.standard_error < 0.1
    at = np.linspace(0, 10, 41)
    error = np.abs(np.stack([solution(t=at)[n] for n in ("x", "v")]) - truth(at))
    spread = np.stack([solution.std(t=at)[n] for n in ("x", "v")])
    assert np.mean(error < 2 * spread + 1e-6) > 0.9
    assert abs(solution.stats.extra["noise"] - 0.02) < 0.006
    # the equations have the numbers in place: another solver takes them, and words and values are those of the system
    box = Box({t: (0, 10)})
    start = {n: float(solution(t=0.0)[n]) for n in ("x", "v")}
    again = Problem(solution.equations, box, [(f == start[f.name]).on(box.at(t=0)) for f in (x, v)])
    assert again.unknown_parameters == ()
    assert PINN().check(again) == []
    k, c = solution.parameters["k"].value, solution.parameters["c"].value
    np.testing.assert_allclose(Rates.of(again)(0.0, np.array([0.5, -1.0]), {}), [-1.0, -k * 0.5 + c], rtol=1e-12)
    np.testing.assert_allclose(solution(t=at)["x"], flow_of(again, at), atol=1e-5)
    back = load(solution.save(tmp_path))
    np.testing.assert_array_equal(back(t=at)["x"], solution(t=at)["x"])
    np.testing.assert_array_equal(back.std(t=at)["v"], solution.std(t=at)["v"])
    assert back.equations == solution.equations


def test_stated_initial_conditions_are_kept() -> None:
    solution = solve(observed(oscillator(), 0.02, is_open=False), SystemIdentification(schedule=QUICK))
    assert abs(float(solution(t=0.0)["x"]) - 1) < 1e-4
    assert abs(float(solution(t=0.0)["v"])) < 1e-4
    assert abs(solution.parameters["k"].value - 3) < 0.1


def test_a_wrong_form_is_no_success() -> None:
    a = Parameter("a", init=0.5)
    box = Box({t: (0, 10)})
    wrong = Problem([D(x, t) == v, D(v, t) == a + 0 * x], box, [(f == 0.0).on(box.at(t=0)) for f in (x, v)])
    assert solve(observed(wrong, 0.02), SystemIdentification(schedule=QUICK)).result is RESULTS.stagnated


def test_the_right_form_is_chosen_and_a_missing_term_is_found() -> None:
    random = np.random.default_rng(2)
    at = np.linspace(0, 5, 64)
    y = truth(at) + 0.02 * random.standard_normal((2, 64))
    k, c = Parameter("k", init=2.0), Parameter("c", init=0.1)
    box = Box({t: (0, 10)})

    def stated(*sides) -> Problem:
        rates = [D(f, t) == side for f, side in zip((x, v), sides, strict=True)]
        bare = Problem(rates, box, [(f == 0.0).on(box.at(t=0)) for f in (x, v)])
        return bare.observe("x", {"t": at}, y[0]).observe("v", {"t": at}, y[1]).replace(conditions=())

    pendulum, right = stated(v, -k * sin(3 * x)), stated(v, -k * x - c * v)
    other = [D(x, t) == c * v, D(v, t) == -k * x]
    choice = SystemIdentification(schedule=QUICK, candidates=(right, other), shortlist=2)
    solution = solve(pendulum, choice)
    assert [e.digest for e in solution.problem.equations] == [e.digest for e in right.equations]
    repaired = solve(stated(v, -k * x), SystemIdentification(schedule=QUICK, repair=True))
    assert set(repaired.parameters) == {"k", "extra"}
    sides = [e.rhs for e in repaired.equations]
    values = evaluate(sides, {x: 0.7, v: -0.4})  # the added term is -c v
    np.testing.assert_allclose(values, [-0.4, -3 * 0.7 + 0.2 * 0.4], atol=0.1)
    kept = solve(right, SystemIdentification(schedule=QUICK, repair=True))
    assert set(kept.parameters) == {"k", "c"}
    superfluous = stated(v, -k * x - c * v - Parameter("e", init=0.1) * x * v)
    assert set(solve(superfluous, SystemIdentification(schedule=QUICK, repair=True)).parameters) == {"k", "c"}


def test_switches_are_the_edits() -> None:
    form = Form.of(FAMILIES["lorenz"].template)
    switched = Switched.of(form)
    random = np.random.default_rng(0)
    values = {u: random.normal() for u in form.unknowns}
    numbers = {p: random.normal() for p in switched.form.parameters}
    for edit in edits(form):
        other = edited(form, edit)
        setting = {Parameter(n): value for n, value in Switched.setting(form, edit).items()}
        made = evaluate(switched.form.sides, {**values, **numbers, **setting})
        np.testing.assert_allclose(made, evaluate(other.sides, {**values, **numbers}), rtol=1e-12)
    assert edits(form)[0] == Edit()
    assert [e.added for e in edits(form) if e.row == 2 and e.added is not None] != []


def test_an_equation_on_a_circle() -> None:
    family = FAMILIES["logistic_reaction_1d"]
    made = family.trajectories(jax.random.key(3), 1)
    numbers = {n: float(value[0]) for n, value in made.parameters.items()}
    concrete = family.problem(numbers, made.states[0, 0, 0][None])
    rows, places = np.arange(0, 32, 2), np.arange(0, 128, 4)
    mesh = np.meshgrid(made.times[rows], made.nodes[places], indexing="ij")
    clean = made.states[0, rows][:, 0, places]
    noisy = clean + 0.01 * np.random.default_rng(0).standard_normal(clean.shape)
    points = {"t": mesh[0].ravel(), "x": mesh[1].ravel()}
    problem = concrete.observe("u", points, noisy.ravel()).forget("nu").forget("r")
    solution = solve(problem, SystemIdentification(schedule=Schedule(windows=2), points=48, modes=8))
    for name, true in numbers.items():
        estimate = solution.parameters[name]
        assert estimate.standard_error is not None
        assert abs(estimate.value - true) < 3.5 * estimate.standard_error < 0.2 * true
    again = solve(concrete.replace(equations=solution.equations), Spectral(resolution=128))
    at = {"t": np.full(64, 1.5), "x": made.nodes[::2]}
    np.testing.assert_allclose(again(**at), solution(**at), atol=0.02)
    end = solution(t=np.full(128, 2.0), x=made.nodes)
    assert np.linalg.norm(end - made.states[0, -1, 0]) < 0.01 * np.linalg.norm(end)


def test_bad_input_is_refused_in_a_sentence() -> None:
    solver = SystemIdentification()
    with pytest.raises(UnsupportedProblemError, match=r"no observations: it needs problem\.observe"):
        solve(oscillator(), solver)
    with pytest.raises(UnsupportedProblemError, match="nothing unknown: it needs a parameter without a number"):
        solve(observed(oscillator(k=3.0, c=0.2)), solver)
    short = oscillator().observe("x", {"t": [0.5, 1.0]}, [0.0, 0.1])
    assert solver.check(short) == ["observations at 2 times: it needs at least three"]
    other = FAMILIES["lorenz"].template
    assert "candidate 0" in SystemIdentification(candidates=(other,)).check(observed(oscillator()))[0]
    assert "fields that are not observed" in SystemIdentification(repair=True).check(observed(oscillator()))[0]
    with pytest.raises(OptionError, match="samples > 1"):
        SystemIdentification(samples=1)
    with pytest.raises(OptionError, match="points ≥ 2 modes"):
        SystemIdentification(points=8)


def test_rates_of_a_problem_in_time_alone() -> None:
    rates = Rates.of(oscillator(k=3.0, c=0.2))
    np.testing.assert_allclose(rates(0.0, np.array([0.5, -1.0]), {}), [-1.0, -1.3])
