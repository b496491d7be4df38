"""Problems: what they are made of, their two hashes, derived problems, and what recompiles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sciml import (
    AbstractRepresentation,
    AbstractSolver,
    Box,
    Coefficient,
    ComputedReference,
    D,
    Equation,
    ExactReference,
    Field,
    FunctionReference,
    Law,
    Parameter,
    Problem,
    ProblemError,
    ProblemWarning,
    Run,
    Solution,
    VectorField,
    components,
    coordinates,
    div,
    dot,
    exp,
    grad,
    integral,
    laplacian,
    pi,
    sin,
    solve,
)
from sciml.expr.evaluation import evaluate
from sciml.expr.traverse import atoms, is_unknown
from sciml.known import Arguments, BoundLaws, known_values

POINTS, VALUES = np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]), np.array([1.0, 2.0, 3.0])


def diffusion(nu: float | None = 0.1, *, end: float = 1.0, scale: float = 1.0) -> Problem:
    """Made afresh at each call, as a user's function would."""
    t, x = coordinates("t x")
    u = Field("u", t, x)
    k = Parameter("nu", nu)
    source = Coefficient("f", x, values=scale * np.linspace(0, 1, 5), points=(np.linspace(0, 1, 5),))
    domain = Box({t: (0, end), x: (0, 1)})
    conditions = [(u == sin(pi * x)).on(domain.at(t=0)), (u == 0).on(domain.boundary(x))]
    return Problem(u.dt == k * u.dxx + source, domain, conditions, name="diffusion")


def reacting(function: Callable[..., Any] | None = None) -> Problem:
    t, x = coordinates("t x")
    u = Field("u", t, x)
    domain = Box({t: (0, 1), x: (0, 1)})
    conditions = [(u == sin(pi * x)).on(domain.at(t=0)), (u == 0).on(domain.boundary(x))]
    problem = Problem(u.dt == u.dxx + Law("rate", u), domain, conditions)
    return problem if function is None else problem.bind("rate", function)


# what it is made of


def test_parts():
    t, x, y = coordinates("t x y")
    v, p = VectorField("v", 2, t, x, y), Field("p", t, x, y)
    domain = Box({t: (0, 1), x: (0, 1), y: (0, 1)})
    flow = Problem(
        [v.dt + dot(grad(v), v) == laplacian(v) - grad(p), div(v) == 0],
        domain,
        [(v == 0).on(domain.boundary), (v == (0, 0)).on(domain.at(t=0)), (integral(p, x, y) == 0).on(domain)],
    )
    assert [f.name for f in flow.fields] == ["v", "p"]
    assert [repr(u) for u in flow.unknowns] == ["v[0]", "v[1]", "p"]
    assert len(flow.equations) == 2 and len(flow.residuals) == 3
    assert len(flow.placed_conditions) == 2 * 4 + 2 + 1
    assert flow.time is not None and flow.time.name == "t" and [s.name for s in flow.space] == ["x", "y"]
    assert flow.field("v").digest == v.digest and flow.field("v[1]").digest == components(v)[1].digest


def test_numbers_travel_by_name():
    arguments = diffusion(0.25).arguments
    assert set(arguments.parameters) == {"nu"} and float(arguments.parameters["nu"]) == 0.25
    assert set(arguments.coefficients) == {"f"}
    np.testing.assert_allclose(arguments.coefficients["f"](np.array([0.125, 1.0])), [0.125, 1.0])


def test_an_unknown_parameter_enters_with_its_first_guess():
    problem = diffusion(0.25).forget("nu")
    assert [p.name for p in problem.unknown_parameters] == ["nu"]
    assert float(problem.arguments.parameters["nu"]) == 0.25, "the forgotten number is where the search starts"
    assert float(diffusion(None).arguments.parameters["nu"]) == 1.0


def test_one_parameter_used_twice_is_one():
    t, x = coordinates("t x")
    u, domain = Field("u", t, x), Box({t: (0, 1), x: (0, 1)}, periodic=x)
    twice = [Parameter("k", 2.0), Parameter("k", 2.0)]
    problem = Problem(u.dt == twice[0] * u.dxx - twice[1] * u, domain, (u == 0).on(domain.at(t=0)))
    assert list(problem.parameters) == ["k"]
    with pytest.raises(ProblemError, match=r"'k' with different numbers, 2\.0 and 3\.0"):
        Problem(u.dt == twice[0] * u.dxx - Parameter("k", 3.0) * u, domain, (u == 0).on(domain.at(t=0)))


# structure and content


def test_equal_statements_are_equal_problems():
    assert diffusion() == diffusion() and hash(diffusion()) == hash(diffusion())
    assert diffusion().structure == diffusion().structure


@pytest.mark.parametrize(
    "other",
    [lambda: diffusion(0.2), lambda: diffusion(end=2.0), lambda: diffusion(scale=2.0)],
    ids=["number", "extent", "data"],
)
def test_numbers_change_the_content_and_not_the_structure(other: Callable[[], Problem]):
    assert other().structure == diffusion().structure
    assert other().content != diffusion().content and other() != diffusion()


def test_what_is_unknown_is_part_of_the_structure():
    assert diffusion().forget("nu").structure != diffusion().structure


def test_a_name_is_neither():
    assert diffusion().replace(name="another") == diffusion()


def test_observed_values_are_content_and_their_number_is_structure():
    one, other = (diffusion().observe("u", POINTS, values) for values in (VALUES, 2 * VALUES))
    assert one.structure == other.structure and one.content != other.content
    assert diffusion().observe("u", POINTS[:2], VALUES[:2]).structure != one.structure


def test_bound_functions_are_content():
    assert reacting(lambda u: u * (1 - u)).content == reacting(lambda u: u * (1 - u)).content
    assert reacting(lambda u: u * (1 - u)).content != reacting(lambda u: u * (2 - u)).content


def test_arrays_that_a_function_closes_over_are_content_to_the_last_digit():
    def rate(table: np.ndarray) -> Callable[..., Any]:
        return lambda u: u * jnp.asarray(table).sum()

    table = np.zeros(5000)
    changed = table.copy()
    changed[2500] = 1e-9
    assert reacting(rate(table)).content == reacting(rate(table.copy())).content
    assert reacting(rate(table)).content != reacting(rate(changed)).content


# derived problems


def test_replace_a_number():
    faster = diffusion().replace(nu=0.5)
    assert faster.parameters["nu"].value == 0.5 and float(faster.arguments.parameters["nu"]) == 0.5
    assert diffusion().parameters["nu"].value == 0.1, "the first problem is as it was"
    assert faster.replace(name="fast").parameters["nu"].value == 0.5


def test_replace_a_part():
    problem = diffusion()
    longer = problem.replace(domain=problem.box.with_bounds(t=(1, 2)))
    assert longer.structure == problem.structure and longer.box.bounds["t"] == (1.0, 2.0)
    assert longer.conditions == problem.conditions and longer.name == "diffusion"


def test_other_equations_drop_the_numbers_that_they_do_not_have():
    problem = diffusion().replace(nu=0.5)
    u = problem.field("u")
    free = problem.replace(equations=[u.dt == u.dxx])
    assert not free.parameters and not free.coefficients
    bound = reacting(lambda u: u)
    assert not bound.replace(equations=[u.dt == u.dxx]).bindings


def test_observe():
    problem = diffusion().observe("u", POINTS, VALUES, noise=0.1)
    u = problem.field("u")
    points = {"x": POINTS[:, 1], "t": POINTS[:, 0]}
    twice = problem.observe(u.dx * 2, points, VALUES)
    assert len(diffusion().observations) == 0 and len(twice.observations) == 2
    first, second = twice.observations
    assert first.expression.digest == u.digest and float(first.noise) == 0.1  # type: ignore[arg-type]
    np.testing.assert_array_equal(second.points["t"], POINTS[:, 0])
    assert second.noise is None


def test_bind_and_forget_a_law():
    free = reacting()
    assert [symbol.name for symbol in free.unbound_laws] == ["rate"]
    bound = free.bind("rate", lambda u: 3 * u)
    assert not bound.unbound_laws and bound.structure == free.structure
    assert free.unbound_laws, "the first problem is as it was"
    assert [symbol.name for symbol in bound.forget("rate").unbound_laws] == ["rate"]


def test_bind_takes_the_law_itself():
    t, x = coordinates("t x")
    u, domain = Field("u", t, x), Box({t: (0, 1), x: (0, 1)}, periodic=x)
    rate = Law("rate", u)
    problem = Problem(u.dt == rate, domain, (u == 1).on(domain.at(t=0))).bind(rate, jnp.sin)
    assert problem.bindings["rate"] is jnp.sin and not problem.forget(rate).bindings


# truths


def test_a_truth_follows_the_numbers_of_its_own_parameters():
    t, x = coordinates("t x")
    u, nu = Field("u", t, x), Parameter("nu", 0.1)
    domain = Box({t: (0, 1), x: (0, 1)})
    conditions = [(u == sin(pi * x)).on(domain.at(t=0)), (u == 0).on(domain.boundary)]
    problem = Problem(u.dt == nu * u.dxx, domain, conditions, exact={u: exp(-nu * pi**2 * t) * sin(pi * x)})

    def at_the_end(p: Problem) -> float:
        assert isinstance(p.reference, ExactReference)
        return float(p.reference({"t": 1.0, "x": 0.5})["u"])

    assert at_the_end(problem) == pytest.approx(np.exp(-0.1 * np.pi**2), rel=1e-14)
    assert at_the_end(problem.replace(nu=0.3)) == pytest.approx(np.exp(-0.3 * np.pi**2), rel=1e-14)
    assert at_the_end(problem.forget("nu")) == pytest.approx(np.exp(-0.1 * np.pi**2), rel=1e-14)


def test_a_truth_may_have_data_of_its_own():
    (x,) = coordinates("x")
    u, domain = Field("u", x), Box({x: (0, 1)})
    truth = Coefficient("truth", x, function=lambda x: x * (1 - x))
    problem = Problem(u.dxx == -2, domain, (u == 0).on(domain.boundary), exact={u: truth})
    assert isinstance(problem.reference, ExactReference)
    np.testing.assert_allclose(problem.reference({"x": np.array([0.5])})["u"], [0.25])


def test_a_truth_made_for_other_numbers_is_dropped_and_a_recipe_is_kept():
    function = FunctionReference(lambda points: {"u": points["x"]}, 1e-10, "somewhere")
    assert diffusion().replace(reference=function).replace(nu=0.5).reference is None
    recipe = ComputedReference("spectral")
    assert diffusion().replace(reference=recipe).replace(nu=0.5).reference == recipe


# solving what is not determined


class Zero(AbstractRepresentation):
    """u = 0."""

    def __call__(self, points: Any) -> dict[str, jax.Array]:
        return {"u": 0 * points["x"]}


@dataclass(frozen=True)
class Guess(AbstractSolver):
    """Answers 0 to everything."""

    def check(self, problem: Problem) -> list[str]:
        return []

    def run(self, problem: Problem, run: Run) -> Solution:
        return Solution(problem, repr(self), Zero())


def test_an_inverse_problem_without_data_is_doubted_when_it_is_solved():
    with pytest.warns(ProblemWarning, match="unknown parameter 'nu' and no observations") as caught:
        solve(diffusion().forget("nu"), Guess())
    assert [w.filename for w in caught] == [__file__]
    assert solve(diffusion().forget("nu").observe("u", POINTS, VALUES), Guess())(t=0.5, x=0.5) == 0.0
    with pytest.warns(ProblemWarning, match="unknown law 'rate'"):
        solve(reacting(), Guess())


# what recompiles


class Counted:
    """A jitted residual of a problem, and how often it was traced."""

    def __init__(self) -> None:
        self.traces = 0

        def total(problem_residuals: tuple[Any, ...], arguments: Arguments, points: dict[str, jax.Array]) -> jax.Array:
            self.traces += 1
            needed = atoms(*problem_residuals)
            fields = {a: points["x"] for a in needed if is_unknown(a)}
            known = known_values(needed, points, arguments)
            return sum(jnp.sum(e) for e in evaluate(problem_residuals, {**known, **fields}, BoundLaws(arguments.laws)))  # type: ignore[return-value]

        self._call = eqx.filter_jit(total)

    def __call__(self, problem: Problem) -> float:
        points = {"t": jnp.linspace(0, 1, 4), "x": jnp.linspace(0, 1, 4)}
        return float(self._call(problem.residuals, problem.arguments, points))


def test_neither_an_equal_problem_nor_another_number_is_compiled_again():
    residual = Counted()
    first = residual(diffusion())
    assert residual(diffusion()) == first
    assert residual.traces == 1, "an equal problem, built afresh"
    values = [residual(diffusion(nu)) for nu in (0.2, 0.3)] + [residual(diffusion().replace(nu=0.7))]
    assert residual.traces == 1, "other numbers"
    x = np.linspace(0, 1, 4)
    expected = [sum(x - nu * x - x) for nu in (0.2, 0.3, 0.7)]  # every field atom is x, and so is the source
    np.testing.assert_allclose(values, expected, rtol=1e-13)
    assert residual(diffusion(scale=3.0)) != first
    assert residual.traces == 1, "other data"


def test_another_equation_is_compiled():
    residual = Counted()
    residual(diffusion())
    u = diffusion().field("u")
    residual(diffusion().replace(equations=[u.dt == D(u, *[u.on[1]] * 2)]))
    assert residual.traces == 2


class Logistic(eqx.Module):
    """u ↦ r u (1 - u)."""

    r: jax.Array

    def __call__(self, u: jax.Array) -> jax.Array:
        return self.r * u * (1 - u)


def test_another_function_of_the_same_kind_is_not_compiled_again():
    residual = Counted()
    one, two = (residual(reacting(Logistic(jnp.asarray(r)))) for r in (1.0, 2.0))
    assert residual.traces == 1 and one != two


def test_a_problem_can_be_a_static_argument():
    traces = 0

    @eqx.filter_jit
    def count(problem: Problem, x: jax.Array) -> jax.Array:
        nonlocal traces
        traces += 1
        return x * len(problem.equations)

    for _ in range(2):
        assert float(count(diffusion(), jnp.asarray(2.0))) == 2.0
    assert traces == 1


def test_equations_iterate_over_components():
    t, x = coordinates("t x")
    v = VectorField("v", 2, t, x)
    parts = list(v.dt == (v[0], 0))
    assert len(parts) == 2 and all(isinstance(part, Equation) and part.shape == () for part in parts)
    assert parts[0] == (v.dt[0] == v[0])
