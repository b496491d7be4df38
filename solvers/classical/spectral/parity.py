"""Parity of an expression under reflection in the two ends of an axis, read from its tree.

A field that vanishes on both faces has an odd continuation, one with vanishing normal derivative an even one. If the
equations turn continued fields into continued rates of the same parity, the continuation of the solution solves them on
the periodic line of twice the length, and sine and cosine series solve the problem on the box. Parities multiply in
products, must agree in sums, flip with each derivative along the axis, and pass through odd and even functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sciml.expr.evaluation import evaluate
from sciml.expr.leaves import Coefficient, LawSymbol, Parameter
from sciml.expr.nodes import Apply, Constant, Coordinate, Expr, Scalar
from sciml.expr.operations import Op
from sciml.expr.traverse import atoms, is_atom, multi_index, postorder, scalar_leaf

EVEN, ODD = 1, -1

_ODD_FUNCTIONS = frozenset({Op.SIN, Op.TAN, Op.ASIN, Op.ATAN, Op.SINH, Op.TANH, Op.SIGN, Op.ERF})
_EVEN_FUNCTIONS = frozenset({Op.COS, Op.COSH, Op.ABS})
_AGREEING = frozenset({Op.ADD, Op.SUBTRACT, Op.NEGATIVE})
_SAMPLES = 32
_TOLERANCE = 1e-10


def parity(
    e: Scalar,
    axis: Coordinate,
    fields: Mapping[Scalar, int],
    intervals: Mapping[str, tuple[float, float]],
    numbers: Mapping[Scalar, float],
) -> int | None:
    """Parity of a lowered scalar about both ends of an axis.

    Args:
        e: a lowered scalar.
        axis: the axis that is reflected.
        fields: parity, `EVEN` or `ODD`, of each scalar field.
        intervals: bounds of each coordinate, by name.
        numbers: values of the parameters, by parameter.

    Returns:
        `EVEN`, `ODD`, or None where the expression has neither.
    """
    known: dict[Expr, int | None] = {}
    for node in postorder(e, stop=is_atom):
        if any(scalar_leaf(atom) is not None for atom in atoms(node)):
            known[node] = _of_node(node, axis, fields, known)
        else:
            known[node] = _of_formula(node, axis, intervals, numbers)
    return known[e]


def _of_formula(
    e: Expr, axis: Coordinate, intervals: Mapping[str, tuple[float, float]], numbers: Mapping[Scalar, float]
) -> int | None:
    """Parity of an expression without fields, by comparing its values at points and at their mirror images."""
    needed = atoms(e)
    if not any(_varies_along(atom, axis) for atom in needed):
        return EVEN
    if not isinstance(e, Scalar) or any(isinstance(atom, Coefficient) for atom in needed):
        return None
    generator = np.random.default_rng(0)
    values: dict[Any, Any] = {}
    for atom in needed:
        if isinstance(atom, Coordinate):
            low, high = intervals[atom.name]
            values[atom] = generator.uniform(low, high, _SAMPLES)
        elif isinstance(atom, Parameter) and atom in numbers:
            values[atom] = numbers[atom]
        else:
            return None
    here = _evaluated(e, values)
    mirrored = [_evaluated(e, {**values, axis: 2 * end - values[axis]}) for end in intervals[axis.name]]
    scale = np.max(np.abs(here))
    for candidate in (EVEN, ODD):
        if all(np.max(np.abs(image - candidate * here)) <= _TOLERANCE * scale for image in mirrored):
            return candidate
    return None


def _evaluated(e: Scalar, values: Mapping[Any, Any]) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.asarray(evaluate(e, values), dtype=np.float64) + np.zeros(_SAMPLES)


def _varies_along(atom: Expr, axis: Coordinate) -> bool:
    if isinstance(atom, Coordinate):
        return atom.digest == axis.digest
    base = atom.operands[0] if isinstance(atom, Apply) else atom
    return isinstance(base, Coefficient) and any(x.digest == axis.digest for x in base.on)


def _of_node(e: Expr, axis: Coordinate, fields: Mapping[Scalar, int], known: Mapping[Expr, int | None]) -> int | None:
    if is_atom(e):
        return _of_field(e, axis, fields)
    if not isinstance(e, Apply):
        return None
    parts = [known[arg] for arg in e.operands]
    if e.op is Op.POWER:
        return _of_power(e, parts)
    if e.op is Op.LAW_JET:
        return _of_law(e, parts)
    if None in parts:
        return None
    if e.op in _AGREEING:
        return parts[0] if len(set(parts)) == 1 else None
    if e.op in (Op.MULTIPLY, Op.DIVIDE):
        return int(np.prod([part for part in parts if part is not None]))
    if all(part == EVEN for part in parts):
        return EVEN
    if e.op in _ODD_FUNCTIONS:
        return ODD
    if e.op in _EVEN_FUNCTIONS:
        return EVEN
    if e.op is Op.WHERE and parts[0] == EVEN and parts[1] == parts[2]:
        return parts[1]
    return None


def _of_field(atom: Expr, axis: Coordinate, fields: Mapping[Scalar, int]) -> int | None:
    leaf = scalar_leaf(atom)
    if leaf is None or leaf not in fields or (isinstance(atom, Apply) and atom.op in (Op.AT, Op.INTEGRAL)):
        return None
    flips = sum(x.digest == axis.digest for x in multi_index(atom))
    return fields[leaf] * (ODD if flips % 2 else EVEN)


def _of_power(e: Apply, parts: list[int | None]) -> int | None:
    base, exponent = parts
    number = e.operands[1].value if isinstance(e.operands[1], Constant) else None
    if base is not None and number is not None and number == int(number):
        return base if int(number) % 2 else EVEN
    return EVEN if base == EVEN and exponent == EVEN else None


def _of_law(e: Apply, parts: list[int | None]) -> int | None:
    """A law of even inputs is even; each of its directional derivatives carries the parity of its direction."""
    symbol: LawSymbol = e.attr[0]
    width = sum(int(np.prod(shape, dtype=int)) for shape in symbol.inputs)
    inputs, directions = parts[:width], parts[width:]
    if any(part != EVEN for part in inputs):
        return None
    result = EVEN
    for start in range(0, len(directions), width):
        block = set(directions[start : start + width])
        if len(block) != 1 or None in block:
            return None
        result *= block.pop() or EVEN
    return result
