"""Classification, evolution form, reduction of the order in time."""

from __future__ import annotations

import pytest

from sciml import (
    Field,
    Parameter,
    UnsupportedProblemError,
    VectorField,
    classify,
    coordinates,
    div,
    dot,
    exp,
    grad,
    laplacian,
    sin,
)
from sciml.expr.classify import Kind, Linearity, is_conservative, kind, linearity, orders
from sciml.expr.evolution import evolution, first_order

t, x, y = coordinates("t x y")
u, w = Field("u", t, x, y), Field("w", t, x, y)
m = Parameter("m", 2.0)

KINDS = [
    (laplacian(u), Kind.ELLIPTIC),
    (u.dt - laplacian(u), Kind.PARABOLIC),
    (u.dtt - 4 * u.dxx, Kind.HYPERBOLIC),
    (u.dxx + x * u.dyy - u.dyy / 2, Kind.MIXED),  # Tricomi-like: changes type inside
    (u.dxxx, Kind.OTHER),
    (u.dx + u.dy, Kind.OTHER),
    (u.dxx + u.dxy + u.dyy, Kind.ELLIPTIC),
    (u.dxx + 3 * u.dxy + u.dyy, Kind.HYPERBOLIC),
    (div((1 + u**2) * grad(u)), Kind.ELLIPTIC),
]


@pytest.mark.parametrize(("e", "expected"), KINDS, ids=lambda p: str(p)[:40])
def test_kind_of_second_order_equations(e, expected):
    assert kind(e) is expected


LINEARITIES = [
    (u.dt - x * u.dxx, Linearity.LINEAR),
    (u.dt + u * u.dx - u.dxx, Linearity.SEMILINEAR),
    (u.dt - (1 + u) * u.dxx, Linearity.QUASILINEAR),
    (u.dt + u.dx**2 - 1, Linearity.NONLINEAR),
    (u.dt - exp(u.dxx), Linearity.NONLINEAR),
    (u.dt + u**3 - u.dxx, Linearity.SEMILINEAR),
]


@pytest.mark.parametrize(("e", "expected"), LINEARITIES, ids=lambda p: str(p)[:40])
def test_linearity(e, expected):
    assert linearity(e, u) is expected


def test_orders_are_counted_for_every_component():
    v = VectorField("v", 2, t, x, y)
    found = orders(v.dt + dot(grad(v), v) - laplacian(v))
    assert {repr(k): {c.name: n for c, n in o.items()} for k, o in found.items()} == {
        "v[0]": {"t": 1, "x": 2, "y": 2},
        "v[1]": {"t": 1, "x": 2, "y": 2},
    }


def test_conservation_form_is_seen_in_the_written_tree():
    assert is_conservative(u.dt + (u**2 / 2).dx - div(x * grad(u)))
    assert not is_conservative(u.dt + u * u.dx)


def test_classification_gathers_all():
    facts = classify(u.dt - laplacian(u))
    assert facts.kind is Kind.PARABOLIC
    assert facts.constant_coefficients
    assert not classify(u.dt - x * laplacian(u)).constant_coefficients


def test_evolution_separates_stiff_and_nonlinear_parts():
    (s,) = [evolution([(1 + x**2) * (m * u.dt + u * u.dx) == (1 + x**2) * u.dxxx], t)]
    assert {repr(k): repr(c) for k, c in s.linear[(0, 0)].items()} == {"D(u, x, x, x)": "1/m"}
    assert repr(s.nonlinear[0]) == "-(u*D(u, x)/m)"


def test_evolution_of_a_coupled_system():
    s = evolution([u.dt == -0.5 * w.dxx - u**2 * w, w.dt == 0.5 * u.dxx], t)
    assert set(s.linear) == {(0, 1), (1, 0)}


REFUSED = [
    ([laplacian(u) == 0], "no time derivative"),
    ([u.dtt == u.dxx], "first_order"),
    ([u.dt * u == u.dxx], "nonlinear term"),
    ([u.dt + w.dt == 0, w.dt == u], "several"),
    ([u.dt == 0, u.dt == u], "two equations"),
    ([u.dt == w], "constraint"),
    ([u.dt - u.dxx.dt == 0], "several"),
    ([u.dxx.dt == u], "mixed"),
]


@pytest.mark.parametrize(("equations", "words"), REFUSED, ids=[w for _, w in REFUSED])
def test_what_is_not_an_evolution_is_refused(equations, words):
    with pytest.raises(UnsupportedProblemError, match=words):
        evolution(equations, t)


def test_second_order_in_time_becomes_a_first_order_system():
    equations, velocities = first_order([u.dtt - laplacian(u) + sin(u) == 0], t)
    s = evolution(equations, t)
    assert [repr(p) for p in s.unknowns] == ["u", "u_rate"]
    assert repr(velocities[u]) == "u_rate"
    with pytest.raises(UnsupportedProblemError, match="3 time derivatives"):
        first_order([u.dtt.dt == u], t)
