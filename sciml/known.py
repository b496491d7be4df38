"""Numbers that a problem knows: coordinates, parameters, coefficients, laws, as arguments that cross `jit` by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, final

import equinox as eqx
import jax
import jax.numpy as jnp

from sciml.expr.leaves import Coefficient, LawSymbol, Parameter
from sciml.expr.nodes import Apply, Coordinate, Expr
from sciml.expr.operations import Op
from sciml.storable import storable


@final
@storable("arguments")
class Arguments(eqx.Module):
    """Everything numeric in a problem, keyed by name so that JAX can sort and trace it.

    Attributes:
        parameters: numbers of the parameters; solvers of inverse problems overwrite the unknown ones.
        coefficients: data or functions of the coefficients.
        laws: bound functions, by the law's name.
    """

    parameters: dict[str, Any]
    coefficients: dict[str, Any]
    laws: dict[str, Any]

    def with_parameters(self, values: Mapping[str, Any]) -> Arguments:
        """The same arguments with other parameter numbers."""
        return Arguments({**self.parameters, **values}, self.coefficients, self.laws)


class BoundLaws(Mapping[LawSymbol, Callable[..., Any]]):
    """Laws by symbol, from functions by name."""

    def __init__(self, functions: Mapping[str, Any]):
        self._functions = functions

    def __getitem__(self, symbol: LawSymbol) -> Callable[..., Any]:
        return self._functions[symbol.name]

    def __contains__(self, symbol: object) -> bool:
        return isinstance(symbol, LawSymbol) and self._functions.get(symbol.name) is not None

    def __iter__(self) -> Any:
        raise TypeError("laws are looked up by symbol, not listed")

    def __len__(self) -> int:
        return len(self._functions)


def known_values(
    atoms: Iterable[Expr], points: Mapping[str, Any], arguments: Arguments, *, normal: Mapping[str, Any] | None = None
) -> dict[Any, Any]:
    """Values of the atoms that do not depend on fields, at points.

    Args:
        atoms: atoms of the expressions to evaluate; those that need a field are left out.
        points: an array for each coordinate, by name.
        arguments: the problem's numbers.
        normal: components of the outward normal by coordinate name, on curved boundaries.

    Returns:
        `{atom: array}`, to be joined with the solver's values for fields and their derivatives.
    """
    values: dict[Any, Any] = {}
    for atom in atoms:
        if isinstance(atom, Coordinate):
            values[atom] = points[atom.name]
        elif isinstance(atom, Parameter):
            values[atom] = arguments.parameters[atom.name]
        elif isinstance(atom, Coefficient):
            values[atom] = arguments.coefficients[atom.name](*[points[x.name] for x in atom.on])
        elif isinstance(atom, Apply) and atom.op is Op.DERIVATIVE and isinstance(atom.operands[0], Coefficient):
            values[atom] = _coefficient_derivative(atom, points, arguments)
        elif isinstance(atom, Apply) and atom.op is Op.AT:
            there = {**points, **{x.name: v for x, v in atom.attr}}
            for value in known_values(atom.operands, there, arguments).values():
                values[atom] = value
        elif (
            isinstance(atom, Apply)
            and atom.op is Op.COMPONENT
            and normal is not None
            and hasattr(atom.operands[0], "of")
        ):
            values[atom] = normal[atom.operands[0].of.space[atom.attr[0]]]  # type: ignore[attr-defined]
    return values


def _coefficient_derivative(atom: Apply, points: Mapping[str, Any], arguments: Arguments) -> Any:
    leaf = atom.operands[0]
    assert isinstance(leaf, Coefficient)
    names = [x.name for x in leaf.on]
    f = arguments.coefficients[leaf.name]
    for x in atom.attr:
        f = _along(f, names.index(x.name))
    return f(*[jnp.asarray(points[name], float) for name in names])


def _along(f: Callable[..., Any], axis: int) -> Callable[..., Any]:
    def derivative(*at: jax.Array) -> jax.Array:
        at = tuple(jnp.broadcast_arrays(*at))
        tangents = tuple(jnp.ones_like(a) if i == axis else jnp.zeros_like(a) for i, a in enumerate(at))
        return jax.jvp(f, at, tangents)[1]

    return derivative
