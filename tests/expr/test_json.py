"""JSON of expressions: exact, shared subtrees once, and only `ParseError` for what is not such a document."""

from __future__ import annotations

import json

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciml import (
    Coefficient,
    D,
    FileError,
    Law,
    Linear,
    Nearest,
    Parameter,
    ParseError,
    SciMLError,
    at,
    grad,
    integral,
    pi,
    where,
)
from sciml.expr.coefficients import GriddedData
from sciml.expr.json import from_json, to_json
from sciml.expr.lowering import lower
from sciml.expr.traverse import leaves, postorder
from tests.strategies import a, damaged, expressions, k, nu, scalars, t, truths, u, unsimplified, v, x, y

stress = Law("stress", grad(v), (2, 2))


def through_text(document):
    """What a file would give back."""
    return json.loads(json.dumps(document, allow_nan=False))


@given(st.one_of(expressions(), truths(2), unsimplified()))
@settings(max_examples=400)
def test_json_reads_back_exactly(e) -> None:
    document = through_text(to_json(e))
    back = from_json(document)
    assert back.digest == e.digest
    assert type(back) is type(e)
    assert to_json(back) == document


@given(scalars(2))
@settings(max_examples=100)
def test_lowered_expressions_read_back_exactly(e) -> None:
    try:
        parts = lower(D(e, t))
    except SciMLError:  # a second derivative of cubic data, or a divisor that turns out to be 0
        return
    for part in parts:
        assert from_json(through_text(to_json(part))).digest == part.digest


def test_shared_subtrees_are_written_once() -> None:
    tower = u
    for _ in range(200):
        tower = tower * tower
    document = to_json(tower)
    assert len(document["nodes"]) == len(list(postorder(tower))) + 3  # and the three coordinates of u
    assert from_json(document).digest == tower.digest


def test_numbers_of_parameters_are_kept() -> None:
    guess = Parameter("guess", init=0.25, positive=True, prior=(0.1, 2.0))
    back = leaves(from_json(through_text(to_json(nu * k * guess))))
    assert [(p.value, p.init, p.positive, p.prior) for p in back] == [
        (p.value, p.init, p.positive, p.prior) for p in (nu, k, guess)
    ]


@pytest.mark.parametrize("interpolation", [Nearest(), Linear()])
def test_data_of_coefficients_are_kept_bit_by_bit(interpolation) -> None:
    values = np.random.default_rng(0).normal(size=(5, 4)) / 3
    grid = (np.sort(np.random.default_rng(1).uniform(size=5)), np.linspace(0, 1, 4))
    c = Coefficient("c", x, y, values=values, points=grid, interpolation=interpolation)
    (back,) = [leaf for leaf in leaves(from_json(through_text(to_json(c * u)))) if isinstance(leaf, Coefficient)]
    assert isinstance(back.payload, GriddedData)
    assert np.asarray(back.payload.values).tobytes() == np.asarray(c.payload.values).tobytes()
    assert all(np.array_equal(p, q) for p, q in zip(back.payload.points, c.payload.points, strict=True))
    assert type(back.payload.interpolation) is type(interpolation)
    assert back.digest == c.digest


def test_functions_are_refused_by_name() -> None:
    def hill(x_, y_):
        return jnp.exp(-(x_**2) - y_**2)

    with pytest.raises(FileError, match=r"coefficient 'b'.*hill"):
        to_json(Coefficient("b", x, y, function=hill) * u)


@pytest.mark.parametrize(
    "document",
    [
        None, 3, [], "u", {}, {"format": "sciml problem"}, {"format": "sciml expression"},
        {"format": "sciml expression", "version": 0}, {"format": "sciml expression", "version": True},
    ],
)  # fmt: skip
def test_foreign_documents_are_refused(document) -> None:
    with pytest.raises(ParseError):
        from_json(document)


def test_newer_documents_are_refused() -> None:
    with pytest.raises(ParseError, match="newer"):
        from_json({**to_json(u), "version": 99})


SAMPLE = to_json(where(y < 0.5, u.dx * a + v[1], nu * k) + at(u, x=0) + stress[0, 1] + integral(x**2, x) + pi)


@given(damaged(SAMPLE))
@settings(max_examples=600)
def test_damaged_documents_are_read_or_refused(document) -> None:
    try:
        e = from_json(document)
    except ParseError:
        return
    assert from_json(to_json(e)).digest == e.digest
