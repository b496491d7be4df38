"""Conditions are recognised from their equations and places."""

from __future__ import annotations

import pytest

from sciml import (
    Box,
    Field,
    Parameter,
    VectorField,
    at,
    coordinates,
    dot,
    grad,
    integral,
    normal,
    normal_derivative,
    sin,
)
from sciml.conditions import ConditionKind, PlacedCondition, placed_conditions
from sciml.expr.equation import Condition
from sciml.expr.evaluation import evaluate

t, x, y = coordinates("t x y")
u, w, v = Field("u", t, x, y), Field("w", t, x, y), VectorField("v", 2, t, x, y)
h = Parameter("h", 3.0)
d = Box({t: (0, 1), x: (0, 1), y: (0, 1)})
VALUES = {h: 3.0, t: 0.5, x: 0.25, y: 0.75}


def only(condition: Condition) -> PlacedCondition:
    (placed,) = placed_conditions((condition,))
    return placed


def numbers(c: PlacedCondition) -> tuple[float, float, float]:
    """α, γ and g of a recognised condition, as numbers."""
    alpha, gamma, data = (float(evaluate(e, VALUES)) for e in (c.alpha, c.gamma, c.data))
    return alpha, gamma, data


KINDS = {
    "Dirichlet": ((u == 1).on(d.lower(x)), ConditionKind.DIRICHLET, (1, 0, 1)),
    "Dirichlet by a side's number": ((2 * u == x + 1).on(d.at(x=1)), ConditionKind.DIRICHLET, (2, 0, 1.25)),
    "Dirichlet written backwards": ((1 + x == u).on(d.upper(y)), ConditionKind.DIRICHLET, (-1, 0, -1.25)),
    "Neumann by a coordinate": ((u.dx == 2).on(d.lower(x)), ConditionKind.NEUMANN, (0, 1, 2)),
    "Neumann below": ((normal_derivative(u) == 2).on(d.lower(x)), ConditionKind.NEUMANN, (0, -1, 2)),
    "Neumann above": ((normal_derivative(u) == 2).on(d.upper(x)), ConditionKind.NEUMANN, (0, 1, 2)),
    "Neumann by hand": ((dot(grad(u), normal(u)) == 0).on(d.upper(y)), ConditionKind.NEUMANN, (0, 1, 0)),
    "Robin below": ((h * u + normal_derivative(u) == 4).on(d.lower(y)), ConditionKind.ROBIN, (3, -1, 4)),
    "Robin above": ((normal_derivative(u) == h * (4 - u)).on(d.upper(y)), ConditionKind.ROBIN, (3, 1, 12)),
    "initial": ((u == sin(x)).on(d.at(t=0)), ConditionKind.INITIAL, (1, 0, 0.24740395925452294)),
    "initial rate": ((3 * u.dt == 6).on(d.at(t=0)), ConditionKind.INITIAL_RATE, (3, 0, 6)),
}


@pytest.mark.parametrize("name", KINDS)
def test_kind_and_coefficients(name: str):
    condition, kind, expected = KINDS[name]
    placed = only(condition)
    assert placed.kind is kind and placed.unknown is not None and placed.unknown.digest == u.digest
    assert numbers(placed) == pytest.approx(expected, rel=1e-14)


OTHERS = {
    "a periodic pair": ((at(u, x=0) == at(u, x=1)).on(d), ConditionKind.PERIODIC),
    "a periodic slope": ((at(u.dx, x=0) - at(u.dx, x=1) == 0).on(d), ConditionKind.PERIODIC),
    "two different values at places": ((at(u, x=0) == at(u.dx, x=1)).on(d), ConditionKind.LINEAR),
    "a shifted pair": ((at(u, x=0) == at(u, x=1) + 1).on(d), ConditionKind.LINEAR),
    "a gauge by the mean": ((integral(u, x, y) == 0).on(d), ConditionKind.GAUGE),
    "a gauge at a point": ((u == 0).on(d.at(x=0.5, y=0)), ConditionKind.GAUGE),
    "a tangential slope": ((u.dy == 0).on(d.lower(x)), ConditionKind.LINEAR),
    "a second derivative": ((u.dxx == 0).on(d.lower(x)), ConditionKind.LINEAR),
    "two fields": ((u == w).on(d.lower(x)), ConditionKind.LINEAR),
    "radiation": ((normal_derivative(u) == -(u**4)).on(d.upper(x)), ConditionKind.NONLINEAR),
    "an initial slope": ((u.dx == 0).on(d.at(t=0)), ConditionKind.LINEAR),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_kinds(name: str):
    condition, kind = OTHERS[name]
    assert only(condition).kind is kind


def test_every_component_on_every_place():
    placed = placed_conditions(((v == (1, 0)).on(d.boundary(x)),))
    assert [(repr(c.unknown), str(c.place)) for c in placed] == [
        ("v[0]", "x lower"), ("v[1]", "x lower"), ("v[0]", "x upper"), ("v[1]", "x upper"),
    ]  # fmt: skip
    assert [numbers(c)[2] for c in placed] == [1, 0, 1, 0]


def test_the_whole_boundary_gives_each_face_its_own_normal():
    placed = placed_conditions(((normal_derivative(u) == 0).on(d.boundary),))
    assert [(str(c.place), numbers(c)[1]) for c in placed] == [
        ("x lower", -1), ("x upper", 1), ("y lower", -1), ("y upper", 1),
    ]  # fmt: skip


def test_a_residual_is_left_for_solvers_that_only_evaluate():
    placed = only((h * u + normal_derivative(u) == 4).on(d.lower(y)))
    assert float(evaluate(placed.residual, {**VALUES, u: 2.0, u.dy: 5.0})) == 3 * 2 - 5 - 4
