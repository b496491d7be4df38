r"""Flux form: which derivatives of an equation are kept as they were written.

A term $\partial_x F(u, u_x, a, x)$ whose flux F is not a combination of derivatives with constant factors is
discretised as the difference of F between faces. It then conserves exactly what the equation conserves, and a
coefficient inside F is never differentiated, so it may jump. A `Separation` replaces each such term by a
placeholder field; what remains is lowered and evaluated from atoms like any other expression.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import final

from sciml.expr.build import components
from sciml.expr.calculus import D
from sciml.expr.leaves import Coefficient, Field
from sciml.expr.linear import split, terms
from sciml.expr.lowering import lower
from sciml.expr.nodes import Apply, Coordinate, Expr, Scalar, node
from sciml.expr.operations import Op
from sciml.expr.reduce import total
from sciml.expr.traverse import atoms, coordinates_of, is_atom, is_unknown, multi_index, postorder, rebuild


@final
@dataclasses.dataclass(frozen=True, eq=False)
class Flux:
    """One term D(F, x), kept as written.

    Attributes:
        placeholder: the field that stands for D(F, x).
        along: x.
        advective: the terms of F without derivatives of fields, lowered.
        diffusive: the other terms of F, lowered.
        is_rough: F holds a coefficient that cannot be differentiated.
    """

    placeholder: Field
    along: Coordinate
    advective: Scalar
    diffusive: Scalar
    is_rough: bool


@final
class Separation:
    """Takes the fluxes out of expressions one after the other; equal terms share a placeholder.

    Args:
        coordinates: of the fields.
        taken: names that no placeholder may have.
    """

    def __init__(self, coordinates: tuple[Coordinate, ...], taken: frozenset[str]):
        self._coordinates = coordinates
        self._taken = taken
        self._memo: dict[Expr, Expr] = {}
        self.fluxes: dict[Expr, Flux] = {}

    def lower(self, e: Scalar) -> Scalar:
        """The scalar with its fluxes replaced by placeholders and everything else lowered.

        Raises:
            LoweringError: a rough coefficient is differentiated outside a flux.
        """
        (lowered,) = lower(self._rewrite(e))
        return lowered

    def _rewrite(self, e: Expr) -> Expr:
        if e not in self._memo:
            self._memo[e] = self._rewrite_one(e)
        return self._memo[e]

    def _rewrite_one(self, e: Expr) -> Expr:
        if is_atom(e) or not isinstance(e, Apply) or e.op in (Op.AT, Op.INTEGRAL):
            return e
        inner = e.operands[0]
        match e.op:
            case Op.DERIVATIVE if isinstance(e, Scalar):
                return self._derivative(inner, e.attr)
            case Op.DERIVATIVE:
                return _stack([self._derivative(part, e.attr) for part in components(inner)], e.shape)
            case Op.DIV:
                n = len(e.attr)
                parts = components(inner)
                rows = [parts[i : i + n] for i in range(0, len(parts), n)]
                sums = [total(self._derivative(f, (x,)) for f, x in zip(row, e.attr, strict=True)) for row in rows]
                return _stack(sums, e.shape)
            case Op.LAPLACIAN:
                parts = components(inner)
                sums = [total(self._derivative(D(part, x), (x,)) for x in e.attr) for part in parts]
                return _stack(sums, e.shape)
            case Op.GRAD if inner.shape == ():
                return _stack([self._derivative(inner, (x,)) for x in e.attr], e.shape)
            case _:
                return rebuild(e, tuple(self._rewrite(arg) for arg in e.operands))

    def _derivative(self, inner: Expr, along: tuple[Coordinate, ...]) -> Scalar:
        """D(inner, along): a placeholder where the outermost spatial derivative acts on a flux."""
        if isinstance(inner, Apply) and inner.op is Op.DERIVATIVE:
            inner, along = inner.operands[0], (*inner.attr, *along)
        spatial = [x for x in along if not x.is_time]
        if not spatial or is_atom(inner):
            return D(inner, *along)  # type: ignore[arg-type, return-value]
        outer = spatial[-1]
        rest = list(along)
        rest.remove(outer)
        flux = self._rewrite(D(inner, *rest) if rest else inner)  # type: ignore[arg-type]
        (lowered,) = lower(flux)
        if self._has_constant_factors(lowered):
            return D(flux, outer)  # type: ignore[arg-type, return-value]
        return self._keep(lowered, outer)

    def _has_constant_factors(self, flux: Scalar) -> bool:
        """Whether F is a sum of field atoms with factors that no coordinate enters, so that D(F, x) may be lowered."""
        held = atoms(flux)
        if _is_rough(flux):
            return False
        if not any(is_unknown(atom) for atom in held):
            return True
        parts = split(flux)
        constant = all(not coordinates_of(c) for c in parts.linear.values())
        return parts.is_linear and constant and not any(atom in self.fluxes for atom in held)

    def _holds_derivative(self, e: Scalar) -> bool:
        return any(is_unknown(a) and (multi_index(a) or a in self.fluxes) for a in atoms(e))

    def _keep(self, flux: Scalar, along: Coordinate) -> Field:
        parts = terms(flux)
        advective = total(part for part in parts if not self._holds_derivative(part))
        diffusive = total(part for part in parts if self._holds_derivative(part))
        name = next(n for n in map("flux{}".format, itertools.count(len(self.fluxes))) if n not in self._taken)
        placeholder = Field(name, *self._coordinates)
        self.fluxes[placeholder] = Flux(placeholder, along, advective, diffusive, _is_rough(flux))
        return placeholder


def _is_rough(flux: Scalar) -> bool:
    return any(isinstance(leaf, Coefficient) and leaf.smoothness == 0 for leaf in postorder(flux))


def _stack(parts: list[Scalar], shape: tuple[int, ...]) -> Expr:
    if not shape:
        return parts[0]
    if len(shape) == 1:
        return node(Op.STACK, tuple(parts), (), shape)
    rows = [tuple(parts[i : i + shape[1]]) for i in range(0, len(parts), shape[1])]
    return node(Op.STACK, tuple(node(Op.STACK, row, (), shape[1:]) for row in rows), (), shape)
