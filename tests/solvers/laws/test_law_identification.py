"""Unknown functions in evolutions: found within their bands, carried to an unseen start, saved, and refused by name."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.interpolate import BSpline

from sciml import (
    RESULTS,
    Box,
    Field,
    Law,
    Parameter,
    Problem,
    ProblemError,
    ProblemWarning,
    Solution,
    coordinates,
    cos,
    div,
    grad,
    load,
    pi,
    sin,
    solve,
)
from sciml.errors import OptionError
from sciml.plotting import plot_law
from solvers.classical import FiniteDifference, LawIdentification
from solvers.classical.laws import SplineLaw
from solvers.classical.laws.evidence import Linearised, Prior, averaged, posterior
from solvers.classical.laws.forward import coefficients_of, forward_of, predict, sensitivities
from solvers.classical.laws.reading import is_positive
from solvers.classical.laws.spline import design, flat_law, roughness_matrix

t, x = coordinates("t x")
u = Field("u", t, x)
CIRCLE = Box({t: (0, 1), x: (0, 1)}, periodic=x)
DIFFUSION = u.dt == div(Law("D", u) * grad(u))
SOLVER = LawIdentification(points=40, knots=8)
NOISE = 0.02


def start(value: Any) -> list[Any]:
    return [(u == value).on(CIRCLE.at(t=0))]


SEEN, UNSEEN = start(0.5 - 0.45 * cos(2 * pi * x)), start(0.45 + 0.2 * sin(2 * pi * x) + 0.15 * cos(4 * pi * x))


def diffusivity(u: Any) -> Any:
    return 0.01 + 0.04 * u**2


def observed(problem: Problem, law: str, truth: Any, *, told: bool = True, seed: int = 0) -> Problem:
    """300 values with 2 % noise of the trajectory of the true law on a finer grid."""
    exact = solve(problem.bind(law, truth), FiniteDifference(points=80))
    random = np.random.default_rng(seed)
    points = {"t": random.uniform(0, 1, 300), "x": random.uniform(0, 1, 300)}
    values = exact(**points)
    sigma = NOISE * np.sqrt(np.mean(values**2))
    return problem.observe("u", points, values + sigma * random.standard_normal(300), sigma if told else None)


@pytest.fixture(scope="module")
def learned() -> Solution:
    return solve(observed(Problem(DIFFUSION, CIRCLE, SEEN), "D", diffusivity), SOLVER)


def law_of(solution: Solution) -> SplineLaw:
    return solution.problem.bindings["D"]


def test_the_spline_is_the_one_of_its_knots() -> None:
    law = flat_law(0.0, 1.0, 6, 0.5)
    c = np.random.default_rng(0).standard_normal(law.coefficients.size)
    law = eqx.tree_at(lambda s: s.coefficients, law, jnp.asarray(c))
    lower, upper = (float(v) for v in law.ends)
    h = (upper - lower) / (c.size - 3)
    truth = BSpline(lower + h * np.arange(-3, c.size + 1), c, 3)
    inside = np.linspace(lower, upper, 301)
    np.testing.assert_allclose(law.at(inside), truth(inside), atol=1e-12)
    np.testing.assert_allclose(jax.vmap(jax.grad(law))(jnp.asarray(inside)), truth(inside, 1), atol=1e-11)
    np.testing.assert_allclose(design(law, inside) @ c, truth(inside), atol=1e-12)
    np.testing.assert_allclose(law.at(upper + 2.0), truth(upper) + 2 * truth(upper, 1), rtol=1e-9)
    v = np.linspace(0, 1, 20_001)
    bend = np.trapezoid((truth(lower + (upper - lower) * v, 2) * (upper - lower) ** 2) ** 2, v)
    np.testing.assert_allclose(c @ roughness_matrix(c.size) @ c, bend, rtol=1e-5)


def test_the_sensitivities_are_those_of_differences() -> None:
    problem = Problem(DIFFUSION, CIRCLE, SEEN).observe("u", {"t": [0.2, 0.9], "x": [0.3, 0.6]}, [0.5, 0.5], 0.1)
    laws = {"D": flat_law(0.05, 0.95, 4, 0.25, 0.03, positive=True)}
    forward = forward_of(problem, SOLVER.grid(problem), 4, 1e-8, 8)
    c = coefficients_of(laws)
    J = np.asarray(sensitivities(forward, laws, jnp.asarray(c))[1])
    for k in (1, 4):
        e = 1e-4 * np.eye(c.size)[k]
        ahead, back = (np.asarray(predict(forward, laws, jnp.asarray(c + s * e))[0]) for s in (1, -1))
        np.testing.assert_allclose(J[:, k], (ahead - back) / 2e-4, rtol=1e-3, atol=1e-6)


def test_the_evidence_is_the_density_of_the_data() -> None:
    random = np.random.default_rng(1)
    J, target, noise = random.standard_normal((9, 5)), random.standard_normal(9), random.uniform(0.5, 2, 9)
    prior = Prior(roughness_matrix(5), np.eye(5))
    data = Linearised(J, target, noise, (), (prior,))
    found = posterior(data, (3.0,))
    covariance = np.diag(noise**2) + J @ np.linalg.inv(prior.precision(3.0)) @ J.T
    density = -0.5 * (target @ np.linalg.solve(covariance, target) + np.linalg.slogdet(2 * np.pi * covariance)[1])
    assert found.evidence == pytest.approx(density, rel=1e-9)
    narrow = np.linalg.slogdet(found.root @ found.root.T)[1]
    assert np.linalg.slogdet(averaged(data).root @ averaged(data).root.T)[1] > narrow - 5


def test_a_diffusivity_is_found_within_its_band(learned: Solution) -> None:
    assert learned.result is RESULTS.successful
    law = law_of(learned)
    lower, upper = law.visited
    assert (lower, upper) == (pytest.approx(0.06, abs=0.03), pytest.approx(0.93, abs=0.04))
    at = np.linspace(lower, upper, 101)
    truth = diffusivity(at)
    below, above = law.band(at)
    assert np.mean((truth >= below) & (truth <= above)) > 0.8  # neighbouring inputs err together: one draw says little
    below, above = law.band(at, 3.0)
    assert np.linalg.norm(law.at(at) - truth) < 0.1 * np.linalg.norm(truth)
    assert ((truth >= below) & (truth <= above)).all()
    assert (below > 0).all()
    assert float(learned.stats.extra["misfit"]) == pytest.approx(1.0, abs=0.15)


def test_an_unseen_start_is_foretold(learned: Solution) -> None:
    unseen = Problem(DIFFUSION, CIRCLE, UNSEEN)
    truth = solve(unseen.bind("D", diffusivity), FiniteDifference(points=80))
    bound = unseen.bind("D", law_of(learned))
    with_band, plain = solve(bound, SOLVER), solve(bound, FiniteDifference(points=80))
    points = {"t": np.linspace(0.05, 1, 20)[:, None], "x": np.linspace(0, 0.99, 30)[None]}
    error = with_band(**points) - truth(**points)
    assert with_band.result is RESULTS.successful
    assert np.linalg.norm(error) < 0.03 * np.linalg.norm(truth(**points))
    np.testing.assert_allclose(with_band(**points), plain(**points), atol=1e-4)
    assert np.mean(np.abs(error) <= 2 * with_band.std(**points)) > 0.8
    assert with_band.stats.extra["D extrapolated"] < 0.1


def test_where_it_was_never_visited_the_band_is_wide_and_it_is_said(learned: Solution) -> None:
    law = law_of(learned)
    upper = law.visited[1]
    inside, outside, far = (np.ptp(law.band(v)) for v in (0.5, upper + 0.4, upper + 2.0))
    assert far > outside > 3 * inside
    np.testing.assert_array_equal(law.is_extrapolation([0.5, upper + 0.1]), [False, True])
    beyond = solve(Problem(DIFFUSION, CIRCLE, start(1.5 + 0.4 * sin(2 * pi * x))).bind("D", law), SOLVER)
    assert beyond.stats.extra["D extrapolated"] == 1.0
    within = solve(Problem(DIFFUSION, CIRCLE, UNSEEN).bind("D", law), SOLVER)
    assert np.max(beyond.std(t=1.0, x=0.3)) > 5 * np.max(within.std(t=1.0, x=0.3))


def test_it_is_saved_and_read_back(learned: Solution, tmp_path: Path) -> None:
    back = load(learned.save(tmp_path / "run"))
    at = np.linspace(0, 1.2, 13)
    np.testing.assert_array_equal(back.problem.bindings["D"].at(at), law_of(learned).at(at))
    np.testing.assert_array_equal(back.problem.bindings["D"].band(at), law_of(learned).band(at))
    np.testing.assert_array_equal(back.std(t=0.5, x=at % 1), learned.std(t=0.5, x=at % 1))
    figure = plot_law(law_of(learned), diffusivity)
    assert len(figure.axes[0].lines) == 2


def test_a_flux_is_found_up_to_a_constant_with_unknown_noise() -> None:
    def truth(u: Any) -> Any:
        return u**2 / (u**2 + 0.5 * (1 - u) ** 2)

    problem = Problem(u.dt + Law("f", u).dx == 0.04 * u.dxx, CIRCLE, SEEN)
    solution = solve(observed(problem, "f", truth, told=False), SOLVER)
    law = solution.problem.bindings["f"]
    (lower, upper), anchor = law.visited, float(law.anchor)
    at = np.linspace(lower, upper, 101)
    assert solution.result is RESULTS.successful
    assert solution.stats.extra["noise"] == pytest.approx(NOISE * 0.55, rel=0.2)
    assert law.at(anchor) == pytest.approx(0.0, abs=1e-3)
    below, above = law.band(at)
    inside = (truth(at) - truth(anchor) >= below) & (truth(at) - truth(anchor) <= above)
    assert np.mean(inside) > 0.85


@pytest.mark.parametrize(
    ("equation", "positive"),
    [
        (DIFFUSION, True),
        (u.dt - Law("D", u) * u.dxx == 0, True),
        (u.dt == -Law("D", u) * u.dxx, None),
        (u.dt == -Law("D", u) * u.dxxxx, True),
        (u.dt == (0.1 + Law("D", u)) * u.dxx, False),
        (u.dt == u.dxx + Law("D", u), False),
        (u.dt + Law("D", u).dx == u.dxx, False),
    ],
)
def test_what_must_be_positive_is_read_from_the_equation(equation: Any, positive: bool | None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ProblemWarning)
        problem = Problem(equation, CIRCLE, SEEN)
    assert is_positive(problem, problem.laws[0]) is positive


POINTS = {"t": [0.5], "x": [0.5]}
(place,) = coordinates("x")
STILL = Box({place: (0, 1)})
w = Field("w", place)
REFUSED: dict[str, tuple[Problem, str]] = {
    "nothing observed": (Problem(DIFFUSION, CIRCLE, SEEN), "no observations"),
    "no law": (Problem(u.dt == u.dxx, CIRCLE, SEEN), "no unknown law"),
    "two inputs": (
        Problem(u.dt == u.dxx + Law("R", (u, u.dx)), CIRCLE, SEEN).observe("u", POINTS, [0.5], 0.1),
        "laws of one number",
    ),
    "a slope": (
        Problem(u.dt == u.dxx + Law("R", u.dx), CIRCLE, SEEN).observe("u", POINTS, [0.5], 0.1),
        "laws of a field itself",
    ),
    "no time": (
        Problem(div(Law("D", w) * grad(w)) == 1, STILL, [(w == 0).on(STILL.boundary(place))]),
        "an evolution in time",
    ),
    "an unknown number": (
        Problem(u.dt == Parameter("nu") * u.dxx + Law("R", u), CIRCLE, SEEN).observe("u", POINTS, [0.5], 0.1),
        "the parameter nu",
    ),
    "a slope observed": (
        Problem(DIFFUSION, CIRCLE, SEEN).observe(u.dx, POINTS, [0.5], 0.1),
        "observations of fields themselves",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_it_cannot_learn_it_refuses_by_name(name: str) -> None:
    problem, sentence = REFUSED[name]
    assert sentence in " ".join(SOLVER.check(problem))


def test_too_fine_a_grid_and_wrong_settings_are_refused() -> None:
    problem = Problem(DIFFUSION, CIRCLE, SEEN).observe("u", POINTS, [0.5], 0.1)
    assert "at most 2500 values" in " ".join(LawIdentification(points=3000).check(problem))
    settings: list[dict[str, Any]] = [{"knots": 1}, {"order": 3}, {"points": 0}, {"rtol": 0.0}]
    for wrong in settings:
        with pytest.raises(OptionError):
            LawIdentification(**wrong)
    with pytest.raises(ProblemError, match="a law of the problem"):
        problem.bind("K", lambda v: v)
