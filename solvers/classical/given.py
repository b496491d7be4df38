"""What a problem states, as NumPy arrays: given coefficients at points, and initial values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import numpy as np
from numpy.typing import NDArray

from sciml.conditions import PlacedCondition
from sciml.expr.evaluation import evaluate
from sciml.expr.leaves import Parameter
from sciml.expr.nodes import Coordinate, Scalar
from sciml.expr.traverse import atoms
from sciml.known import Arguments, BoundLaws, known_values

Array = NDArray[np.float64]


def known_arrays(needed: tuple[Scalar, ...], points: Mapping[str, Any], given: Arguments) -> dict[Scalar, Array]:
    """`known_values` as NumPy arrays; given coefficients, which are JAX functions, in one compiled call."""
    functions = tuple(atom for atom in needed if not isinstance(atom, Coordinate | Parameter))
    values = known_values([atom for atom in needed if isinstance(atom, Coordinate | Parameter)], points, given)
    if functions:
        values |= dict(zip(functions, _function_values(functions, dict(points), given), strict=True))
    return {atom: np.asarray(value, dtype=np.float64) for atom, value in values.items()}


@eqx.filter_jit
def _function_values(needed: tuple[Scalar, ...], points: dict[str, Any], given: Arguments) -> list[Any]:
    values = known_values(needed, points, given)
    return [values[atom] for atom in needed]


def start_value(condition: PlacedCondition, points: Mapping[str, Any], given: Arguments) -> Array:
    """The value g / alpha that an initial condition gives to its field, or to its field's rate, at points."""
    pair = (condition.data, condition.alpha)
    data, alpha = evaluate(pair, known_arrays(atoms(*pair), points, given), BoundLaws(given.laws))
    return np.asarray(data, dtype=np.float64) / np.asarray(alpha, dtype=np.float64)
