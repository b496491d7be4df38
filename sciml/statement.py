"""How well a truth satisfies a problem's own statement: residuals of equations and conditions at random points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import jax
import numpy as np

from sciml.expr.differentiate import Memo, differentiate
from sciml.expr.evaluation import evaluate
from sciml.expr.linear import terms
from sciml.expr.nodes import Apply, Scalar
from sciml.expr.operations import Op
from sciml.expr.traverse import atoms, is_unknown, multi_index, scalar_leaf
from sciml.jets import jets
from sciml.known import Arguments, BoundLaws, known_values
from sciml.problem import Problem
from sciml.reference import AbstractReference, ExactReference

_QUADRATURE = 40
"""Gauss–Legendre nodes along each coordinate of an integral."""

Points = Mapping[str, np.ndarray]


@final
@dataclass(frozen=True)
class StatementResidual:
    """Residual of one scalar equation or condition under a truth.

    Attributes:
        largest: largest absolute residual at the sampled points.
        scale: largest absolute value of any additive term there, or of the truth itself if that is larger.
    """

    largest: float
    scale: float

    @property
    def relative(self) -> float:
        """Residual over scale: rounding for an exact solution; infinite if it is not finite."""
        if not np.isfinite(self.largest):
            return float("inf")
        return self.largest / self.scale if self.scale > 0 else self.largest


def statement_residuals(
    problem: Problem, reference: AbstractReference, key: jax.Array, n: int = 64
) -> dict[str, StatementResidual]:
    """Residuals of every scalar equation and of every condition on every place, at `n` random points each.

    An expression is differentiated symbolically; any other truth is differentiated by JAX, so its function must be
    traceable.

    Args:
        problem: the statement.
        reference: the truth to put into it.
        key: PRNG key of the points.
        n: points for each statement.

    Returns:
        Residuals by the text of the statement and the place where it holds.
    """
    keys = iter(jax.random.split(key, 1 + len(problem.residuals) + len(problem.placed_conditions)))
    truth = Truth(problem, reference)
    size = truth.size(_host(problem.domain.sample(n, next(keys))))
    found = {}
    for index, residual in enumerate(problem.residuals):
        points = _host(problem.domain.sample(n, next(keys)))
        (found[f"equation {index}: {residual!r}"],) = truth.residuals([residual], points, size)
    for condition in problem.placed_conditions:
        points = _host(problem.domain.sample(n, next(keys), place=condition.place))
        (found[f"{condition.residual!r} on {condition.place}"],) = truth.residuals([condition.residual], points, size)
    return found


def _host(points: Mapping[str, Any]) -> dict[str, np.ndarray]:
    return {name: np.asarray(p) for name, p in points.items()}


@final
class Truth:
    """A truth put in the place of a problem's fields, on the host.

    Args:
        problem: whose fields, numbers and laws are meant.
        reference: their truth.
    """

    def __init__(self, problem: Problem, reference: AbstractReference):
        numbers = {name: float(v) for name, v in problem.arguments.parameters.items()}
        self._arguments: Arguments = problem.arguments.with_parameters(numbers)
        self._reference = reference
        self._bounds = problem.domain.bounds
        self._unknowns = problem.unknowns
        self._memo: Memo = {}

    def size(self, points: Points) -> float:
        """Largest absolute value of any unknown at points."""
        return max(float(np.max(np.abs(v))) for v in self.values(self._unknowns, points))

    def residuals(self, residuals: Sequence[Scalar], points: Points, size: float) -> list[StatementResidual]:
        """Residuals of lowered scalars at points, measured against their terms and the size of the truth."""
        addends = [terms(residual) for residual in residuals]
        values = iter(self.values([*residuals, *(term for parts in addends for term in parts)], points))
        largest = [float(np.max(np.abs(next(values)))) for _ in residuals]
        scales = [max(size, *(float(np.max(np.abs(next(values)))) for _ in parts)) for parts in addends]
        return [StatementResidual(*pair) for pair in zip(largest, scales, strict=True)]

    def values(self, lowered: Sequence[Scalar], points: Points) -> tuple[np.ndarray, ...]:
        """Values of lowered scalars at points, each of the points' shape."""
        needed = atoms(*lowered)
        values = known_values(needed, points, self._arguments)
        for atom in needed:
            if isinstance(atom, Apply) and atom.op is Op.INTEGRAL:
                values[atom] = self._integral(atom, points)
        unknown = [a for a in needed if is_unknown(a) and a not in values]
        find = self._symbolic if isinstance(self._reference, ExactReference) else self._traced
        values.update(find(unknown, points))
        results = evaluate(lowered, values, BoundLaws(self._arguments.laws))
        return tuple(np.broadcast_to(np.asarray(v), _shape(points)) for v in results)

    def _integral(self, atom: Apply, points: Points) -> np.ndarray:
        """Quadrature over the domain's extent, for each point's remaining coordinates."""
        z, w = np.polynomial.legendre.leggauss(_QUADRATURE)
        names = [x.name for x in atom.attr]
        halves = [(self._bounds[name][1] - self._bounds[name][0]) / 2 for name in names]
        nodes = np.meshgrid(*[self._bounds[name][0] + h * (z + 1) for name, h in zip(names, halves, strict=True)])
        weights = np.prod(np.meshgrid(*[h * w for h in halves]), axis=0).reshape(-1)
        over = {name: node.reshape(1, -1) for name, node in zip(names, nodes, strict=True)}
        everywhere = {name: over.get(name, np.asarray(p).reshape(-1, 1)) for name, p in points.items()}
        full = np.broadcast_shapes(*(p.shape for p in everywhere.values()))
        (inner,) = self.values(atom.operands, {name: np.broadcast_to(p, full) for name, p in everywhere.items()})  # type: ignore[arg-type]
        return inner @ weights

    def _symbolic(self, needed: Sequence[Scalar], points: Points) -> dict[Any, np.ndarray]:
        """Values of field atoms from derivatives of the exact expressions."""
        groups: dict[tuple[Any, ...], list[Scalar]] = {}
        for atom in needed:
            groups.setdefault(atom.attr if isinstance(atom, Apply) and atom.op is Op.AT else (), []).append(atom)
        values: dict[Any, np.ndarray] = {}
        for places, group in groups.items():
            there = {**points, **{x.name: np.asarray(v) for x, v in places}}
            expressions = [self._derivative(atom) for atom in group]
            known = known_values(atoms(*expressions), there, self._arguments)
            values.update(zip(group, evaluate(expressions, known), strict=True))
        return values

    def _derivative(self, atom: Scalar) -> Scalar:
        assert isinstance(self._reference, ExactReference)  # the caller asks for expressions only of these
        e = self._reference.expressions[repr(scalar_leaf(atom))]
        for x in multi_index(atom):
            e = differentiate(e, x, self._memo)
        return e

    def _traced(self, needed: Sequence[Scalar], points: Points) -> dict[Any, np.ndarray]:
        """Values of field atoms by JAX's derivatives of the truth's function."""
        if not needed:
            return {}
        shape = _shape(points)
        flat = {name: np.broadcast_to(p, shape).reshape(-1) for name, p in points.items()}

        @jax.jit
        @jax.vmap
        def at(point: dict[str, jax.Array]) -> tuple[jax.Array, ...]:
            jet = jets(self._reference, needed, point)
            return tuple(jet[atom] for atom in needed)

        return {atom: np.asarray(v).reshape(shape) for atom, v in zip(needed, at(flat), strict=True)}


def _shape(points: Points) -> tuple[int, ...]:
    return np.broadcast_shapes(*(np.shape(p) for p in points.values()))
