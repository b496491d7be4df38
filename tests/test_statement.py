"""Residuals of a statement under a truth: rounding for a right one, order one for a wrong one."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import pytest

from sciml import (
    Box,
    Coefficient,
    Cubic,
    ExactReference,
    Field,
    FunctionReference,
    Parameter,
    Problem,
    at,
    coordinates,
    cos,
    div,
    exp,
    grad,
    integral,
    normal_derivative,
    pi,
    sin,
)  # fmt: skip
from sciml.statement import StatementResidual, statement_residuals

KEY = jax.random.key(0)


def worst(problem: Problem, reference) -> float:
    return max(r.relative for r in statement_residuals(problem, reference, KEY).values())


def cooling(exact=True) -> tuple[Problem, Field, Parameter]:
    t, x = coordinates("t x")
    u, kappa = Field("u", t, x), Parameter("kappa", 0.3)
    domain = Box({t: (0, 1), x: (0, 1)})
    conditions = [
        (u == cos(pi * x)).on(domain.at(t=0)),
        (normal_derivative(u) == 0).on(domain.boundary(x)),
        (integral(u, x) == 0).on(domain),
        (at(u, x=0) + at(u, x=1) == 0).on(domain),
    ]
    truth = {u: exp(-kappa * pi**2 * t) * cos(pi * x)} if exact else None
    return Problem([u.dt == kappa * u.dxx], domain, conditions, exact=truth), u, kappa


def by_function(rate: float) -> FunctionReference:
    def values(points):
        return {"u": jnp.exp(-rate * points["t"]) * jnp.cos(jnp.pi * points["x"])}

    return FunctionReference(values, 0.0, "closed form")


def test_exact_expression_leaves_rounding() -> None:
    problem, *_ = cooling()
    assert worst(problem, problem.reference) < 1e-14


def test_function_is_differentiated_by_jax() -> None:
    problem, *_ = cooling(exact=False)
    assert worst(problem, by_function(0.3 * jnp.pi**2)) < 1e-13


def test_wrong_truths_are_found_where_they_are_wrong() -> None:
    problem, *_ = cooling(exact=False)
    residuals = statement_residuals(problem, by_function(0.4 * jnp.pi**2), KEY)
    wrong = [name for name, r in residuals.items() if r.relative > 1e-6]
    assert len(wrong) == 1 and wrong[0].startswith("equation 0")
    shifted = FunctionReference(lambda p: {"u": by_function(0.3 * jnp.pi**2)(p)["u"] + 0.1}, 0.0, "shifted")
    found = statement_residuals(problem, shifted, KEY)
    wrong = sorted(name.split(" on ")[1] for name, r in found.items() if r.relative > 1e-6)
    assert wrong == ["everywhere", "everywhere", "t lower"]


def test_other_numbers_make_a_truth_wrong() -> None:
    problem, *_ = cooling()
    assert isinstance(problem.reference, ExactReference)
    assert worst(problem.replace(kappa=0.2), problem.reference.renumbered({"kappa": 0.2})) < 1e-14
    assert worst(problem, by_function(0.2 * jnp.pi**2)) > 1e-2


def test_gridded_coefficient_in_the_equation() -> None:
    x, y = coordinates("x y")
    u = Field("u", x, y)
    nodes = jnp.linspace(0, 1, 9)
    data = 1 + nodes[:, None] * nodes**2
    a = Coefficient("a", x, y, values=data, points=(nodes, nodes), interpolation=Cubic())
    domain, truth = Box({x: (0, 1), y: (0, 1)}), sin(pi * x) * y
    conditions = [(u == truth).on(domain.boundary)]
    problem = Problem([div(a * grad(u)) == div(a * grad(truth))], domain, conditions, exact={u: truth})
    assert worst(problem, problem.reference) < 1e-14


@pytest.mark.parametrize(
    ("largest", "scale", "relative"), [(1e-3, 10.0, 1e-4), (0.5, 0.0, 0.5), (float("nan"), 1.0, float("inf"))]
)
def test_relative_residual(largest: float, scale: float, relative: float) -> None:
    assert StatementResidual(largest, scale).relative == pytest.approx(relative)
