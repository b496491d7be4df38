"""Expressions at one point of a field that is a function: known numbers, jets, integrals, then `evaluate`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, final

import equinox as eqx
import jax
import jax.numpy as jnp

from sciml.domains.box import Box
from sciml.domains.grids import gauss_legendre_grid, uniform_grid
from sciml.expr.evaluation import evaluate
from sciml.expr.frames import fingerprint
from sciml.expr.nodes import Apply, Expr, Scalar
from sciml.expr.operations import Op
from sciml.expr.traverse import atoms
from sciml.jets import Fields, Point, jets
from sciml.known import Arguments, BoundLaws, known_values
from sciml.storable import storable


@final
@storable("quadrature")
class Quadrature(eqx.Module):
    """Nodes and weights `(n,)` along each coordinate, by name; arrays, so that a moved box does not recompile."""

    nodes: dict[str, jax.Array]
    weights: dict[str, jax.Array]

    @classmethod
    def of(cls, box: Box, n: int = 12) -> Quadrature:
        """Gauss-Legendre nodes along each coordinate, equally spaced ones where it is periodic."""
        smooth, periodic = gauss_legendre_grid(box, n), uniform_grid(box, n)
        grids = {name: periodic if name in box.periodic else smooth for name in box.frame.names}
        return cls(
            {name: jnp.asarray(grid.nodes[name]) for name, grid in grids.items()},
            {name: jnp.asarray(grid.weights[name]) for name, grid in grids.items()},
        )


class ByDigest(ABC):
    """Equality and hash of what has a digest: unlike `==` of expressions it never builds an equation, and never raises.

    JAX compares static arguments with `==`, also with those of unrelated earlier calls.
    """

    @property
    @abstractmethod
    def digest(self) -> bytes:
        """Identity."""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.digest == self.digest  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash(self.digest)


@final
@dataclass(frozen=True, eq=False)
class Expressions(ByDigest):
    """Lowered scalars that compiled code depends on."""

    members: tuple[Scalar, ...]

    @property
    def digest(self) -> bytes:
        return fingerprint(*self.members)

    def __iter__(self) -> Iterator[Scalar]:
        return iter(self.members)


@final
class Structure(tuple[Any, ...]):
    """A tuple of expressions, or of tuples with them, that compares as `ByDigest`: for static fields of modules."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return type(other) is Structure and fingerprint(*other) == fingerprint(*self)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(fingerprint(*self))


def values_at_point(
    expressions: Iterable[Scalar],
    function: Fields,
    point: Point,
    arguments: Arguments,
    quadrature: Quadrature | None = None,
) -> tuple[jax.Array, ...]:
    """Values of lowered expressions where the fields are given by a function.

    Args:
        expressions: lowered scalars; all derivatives that they need are taken in one pass.
        function: values of the scalar unknowns at a point, by name.
        point: one number for each coordinate, by name.
        arguments: the problem's numbers.
        quadrature: rule for integrals over whole coordinates, needed where there are any.

    Returns:
        One number for each expression.
    """
    expressions = tuple(expressions)
    needed = atoms(*expressions)
    values = {**known_values(needed, point, arguments), **jets(function, needed, point)}
    for atom in needed:
        if isinstance(atom, Apply) and atom.op is Op.INTEGRAL:
            assert quadrature is not None  # the caller knows its expressions
            values[atom] = _integral(atom, function, point, arguments, quadrature)
    return tuple(jnp.asarray(v, float) for v in evaluate(expressions, values, BoundLaws(arguments.laws)))


def _integral(atom: Apply, function: Fields, point: Point, arguments: Arguments, quadrature: Quadrature) -> jax.Array:
    names = [x.name for x in atom.attr]
    mesh = jnp.meshgrid(*[quadrature.nodes[name] for name in names], indexing="ij")
    nodes = {name: m.reshape(-1) for name, m in zip(names, mesh, strict=True)}
    weights = jnp.ones(())
    for name in names:
        weights = jnp.multiply.outer(weights, quadrature.weights[name])
    integrand: tuple[Scalar, ...] = (atom.operands[0],)  # type: ignore[assignment]

    def at(node: Mapping[str, jax.Array]) -> jax.Array:
        return values_at_point(integrand, function, {**point, **node}, arguments, quadrature)[0]

    return jax.vmap(at)(nodes) @ weights.reshape(-1)


def has_integral(*expressions: Expr) -> bool:
    """Whether lowered expressions integrate over a coordinate."""
    return any(isinstance(atom, Apply) and atom.op is Op.INTEGRAL for atom in atoms(*expressions))
