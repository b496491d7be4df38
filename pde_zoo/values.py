"""Numbers of the physics as arguments: plain numbers, parameters, or None for an unknown."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sciml import Coordinate, Parameter, ProblemWarning, Scalar, coordinates

Value = float | Parameter | None
"""A number, a `Parameter` of the caller's own, or None for an unknown to be inferred."""


def parameter(name: str, value: Value, *, positive: bool = True) -> Parameter:
    """The parameter of this name with a number, or the caller's own parameter as it is."""
    return value if isinstance(value, Parameter) else Parameter(name, value, positive=positive)


def exact_for(solution: Mapping[Any, Any], *parameters: Parameter) -> Mapping[Any, Any] | None:
    """An exact solution in terms of parameters, or None where one of them is unknown."""
    return solution if all(p.is_known for p in parameters) else None


def product(factors: Iterable[Scalar]) -> Scalar:
    """Product of at least one factor, as it would be written."""
    first, *rest = factors
    for factor in rest:
        first = first * factor
    return first


def space(dimensions: int) -> tuple[Coordinate, ...]:
    """Spatial coordinates: x, y, z up to three dimensions, else x1, x2, …"""
    names = "xyz"[:dimensions] if dimensions <= 3 else [f"x{i + 1}" for i in range(dimensions)]
    return coordinates(" ".join(names))


@contextmanager
def as_published() -> Iterator[None]:
    """Build a doubtful statement without a warning: it is the published one, and its documentation says so."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ProblemWarning)
        yield
