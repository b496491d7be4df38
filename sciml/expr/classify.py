"""What kind of equation a statement is: orders, linearity per field, constant coefficients, type."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, unique
from typing import final

import numpy as np

from sciml.expr.coefficients import Cubic, GriddedData
from sciml.expr.evaluation import evaluate
from sciml.expr.leaves import Coefficient, Parameter
from sciml.expr.linear import linearise, split, terms
from sciml.expr.lowering import lower
from sciml.expr.nodes import Apply, Coordinate, Expr, Scalar
from sciml.expr.operations import LINEAR_CALCULUS, Op
from sciml.expr.traverse import atoms, coordinates_of, is_unknown, laws, leaves, multi_index, scalar_leaf, substitute


@final
@unique
class Linearity(Enum):
    """Linear in the field; semilinear: linear in its highest derivatives with coefficients free of fields;
    quasilinear: linear in its highest derivatives; nonlinear: not even that."""

    LINEAR = "linear"
    SEMILINEAR = "semilinear"
    QUASILINEAR = "quasilinear"
    NONLINEAR = "nonlinear"


@final
@unique
class Kind(Enum):
    """Type of a second-order equation by the eigenvalues of its principal symbol."""

    ELLIPTIC = "elliptic"
    PARABOLIC = "parabolic"
    HYPERBOLIC = "hyperbolic"
    MIXED = "of mixed type"
    UNDETERMINED = "of a type that its laws decide"
    OTHER = "not of second order"


@final
@dataclass(frozen=True)
class Classification:
    """Facts about one scalar residual.

    Attributes:
        orders: highest derivative along each coordinate, for each scalar field.
        linearity: for each scalar field.
        constant_coefficients: whether the linear part's coefficients depend on no coordinate.
        kind: elliptic, parabolic, hyperbolic, … for one field of second order.
        conservative: whether the written statement is in divergence (conservation) form.
    """

    orders: dict[Scalar, dict[Coordinate, int]]
    linearity: dict[Scalar, Linearity]
    constant_coefficients: bool
    kind: Kind
    conservative: bool


def orders(*es: Expr) -> dict[Scalar, dict[Coordinate, int]]:
    """Highest derivative along each coordinate, for each scalar field, after lowering; absent means 0."""
    result: dict[Scalar, dict[Coordinate, int]] = {}
    for e in es:
        for part in lower(e):
            for atom in _field_atoms(part):
                leaf = scalar_leaf(atom)
                if leaf is None:
                    continue
                own = result.setdefault(leaf, {})
                for x in multi_index(atom):
                    own[x] = max(own.get(x, 0), sum(y.digest == x.digest for y in multi_index(atom)))
    return result


def total_order(e: Expr, leaf: Scalar) -> int:
    """Highest number of derivatives, over all coordinates together, on one scalar field."""
    indices = [multi_index(a) for part in lower(e) for a in _field_atoms(part) if _is(scalar_leaf(a), leaf)]
    return max((len(index) for index in indices), default=0)


def _field_atoms(lowered: Scalar) -> list[Scalar]:
    """Field atoms, also those inside integrals."""
    found: list[Scalar] = []
    for atom in atoms(lowered):
        if isinstance(atom, Apply) and atom.op is Op.INTEGRAL:
            found.extend(_field_atoms(atom.operands[0]))  # type: ignore[arg-type]
        elif is_unknown(atom):
            found.append(atom)
    return found


def _is(a: Expr | None, b: Expr) -> bool:
    return a is not None and a.digest == b.digest


def linearity(e: Scalar, leaf: Scalar) -> Linearity:
    """How a scalar residual depends on one scalar field, all fields counted as unknown in its coefficients."""
    (e,) = lower(e)
    mine = [a for a in atoms(e) if is_unknown(a) and _is(scalar_leaf(a), leaf)]
    parts = split(e)
    if not any(atom in atoms(parts.nonlinear) for atom in mine):
        return Linearity.LINEAR
    top = max((len(multi_index(a)) for a in mine), default=0)
    highest = [a for a in mine if len(multi_index(a)) == top]
    slopes = linearise(e)
    worst = Linearity.SEMILINEAR
    for atom in highest:
        inside = [a for a in atoms(slopes[atom]) if is_unknown(a)] if atom in slopes else []
        if any(a in highest for a in inside):
            return Linearity.NONLINEAR
        if inside:
            worst = Linearity.QUASILINEAR
    return worst


def has_constant_coefficients(e: Scalar) -> bool:
    """Whether no coefficient of the linear part depends on a coordinate or a given field."""
    return all(not coordinates_of(c) for c in split(e).linear.values())


def kind(e: Scalar) -> Kind:
    """Type of a scalar residual of second order in one field, where its principal symbol does not change sign.

    The symbol is taken from the Fréchet derivative; coefficients that vary are sampled at 64 points of the unit box
    with data drawn from their grid and unknown values from a normal distribution, and a type that changes from sample
    to sample is `MIXED`.
    """
    (e,) = lower(e)
    slopes = linearise(e)
    second = {a: c for a, c in slopes.items() if len(multi_index(a)) == 2}
    leaves = {scalar_leaf(a) for a in slopes}
    if not second or len(leaves) != 1 or any(len(multi_index(a)) > 2 for a in slopes):
        return Kind.OTHER
    if laws(*second.values()):
        return Kind.UNDETERMINED
    xs = sorted({x for a in slopes for x in multi_index(a)}, key=lambda x: x.of.names.index(x.name))
    kinds = {_kind_of(matrix, _first_order_in_time(slopes, xs)) for matrix in _symbols(second, xs)}
    return kinds.pop() if len(kinds) == 1 else Kind.MIXED


def _first_order_in_time(slopes: dict[Scalar, Scalar], xs: list[Coordinate]) -> bool:
    seconds = {x for a in slopes if len(multi_index(a)) == 2 for x in multi_index(a)}
    return any(len(multi_index(a)) == 1 and multi_index(a)[0] not in seconds for a in slopes) and len(xs) > len(seconds)


def _symbols(second: dict[Scalar, Scalar], xs: list[Coordinate]) -> list[np.ndarray]:
    """Symmetric matrices of the principal symbol at sample points."""
    needed = {a for c in second.values() for a in atoms(c)}
    rng = np.random.default_rng(0)
    samples = 64 if needed else 1
    values = {}
    for a in needed:
        drawn = rng.uniform(size=samples) if isinstance(a, Coordinate) else rng.normal(size=samples)
        if isinstance(a, Coefficient) and isinstance(a.payload, GriddedData):
            drawn = rng.choice(np.ravel(a.payload.values), samples)
        values[a] = np.abs(drawn) + 0.1 if isinstance(a, Parameter) else drawn
    matrices = np.zeros((samples, len(xs), len(xs)))
    position = {x.name: i for i, x in enumerate(xs)}
    for atom, c in second.items():
        i, j = (position[x.name] for x in multi_index(atom))
        with np.errstate(all="ignore"):  # a sample may lie outside a function's domain
            value = np.broadcast_to(evaluate(c, values), samples)
        matrices[:, i, j] += value / 2
        matrices[:, j, i] += value / 2
    return [matrix for matrix in matrices if np.isfinite(matrix).all()]


def _kind_of(matrix: np.ndarray, first_order_time: bool) -> Kind:
    eigenvalues = np.linalg.eigvalsh(matrix)
    scale = np.abs(eigenvalues).max()
    if scale == 0:
        return Kind.OTHER
    signs = np.sign(np.where(np.abs(eigenvalues) < 1e-12 * scale, 0, eigenvalues))
    positive, negative, zero = (int((signs == s).sum()) for s in (1, -1, 0))
    if zero:
        definite = positive == 0 or negative == 0
        return Kind.PARABOLIC if definite and first_order_time else Kind.OTHER if not definite else Kind.PARABOLIC
    if positive == 0 or negative == 0:
        return Kind.ELLIPTIC
    return Kind.HYPERBOLIC if 1 in (positive, negative) else Kind.MIXED


def is_conservative(e: Expr) -> bool:
    """Whether every written term that holds a field is a derivative of something: a conservation law with sources."""
    with_field = [
        t for t in terms(e) if any(scalar_leaf(leaf) is not None for part in lower(t) for leaf in atoms(part))
    ]
    return bool(with_field) and all(_is_derivative(t) for t in with_field)


def _is_derivative(term: Expr) -> bool:
    while isinstance(term, Apply) and term.op is Op.NEGATIVE:
        term = term.operands[0]
    if isinstance(term, Apply) and term.op in (Op.MULTIPLY, Op.DIVIDE):
        left, right = term.operands
        if not coordinates_of(left):
            return _is_derivative(right) if term.op is Op.MULTIPLY else False
        if not coordinates_of(right):
            return _is_derivative(left)
        return False
    return isinstance(term, Apply) and term.op in LINEAR_CALCULUS


def classify(e: Scalar) -> Classification:
    """All facts about one scalar residual; data that cannot be differentiated are taken as if they were smooth."""
    e = _smoothed(e)
    found = orders(e)
    return Classification(
        orders=found,
        linearity={leaf: linearity(e, leaf) for leaf in found},
        constant_coefficients=has_constant_coefficients(e),
        kind=kind(e),
        conservative=is_conservative(e),
    )


def _smoothed(e: Scalar) -> Scalar:
    """The same statement with cubic data: what kind it is does not depend on how data are interpolated."""
    rough = [c for c in leaves(e) if isinstance(c, Coefficient) and isinstance(c.payload, GriddedData)]
    smooth = {c: Coefficient(c.name, *c.on, payload=replace(c.payload, interpolation=Cubic())) for c in rough}
    return substitute(e, smooth)
