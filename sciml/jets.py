r"""Jets: the values and derivatives of fields that expressions ask for, at one point, by prefix-shared forward mode.

All fields of a function are differentiated together. A derivative $\partial_{xxy}$ is reached through $\partial_x$ and
$\partial_{xx}$, and every prefix is computed once: level k linearises everything of level k-1 once, and pushes only the
directions that are needed. Of the schemes that
`benchmarks/jets.py` compares it is the fastest at order four and for mixed derivatives, and nested forward mode is as
fast or faster below; a forward Laplacian is about twice as fast in ten dimensions (see that file's table).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import jax
import jax.numpy as jnp

from sciml.expr.nodes import Apply, Expr, Scalar
from sciml.expr.operations import Op
from sciml.expr.traverse import is_unknown, multi_index, scalar_leaf

Point = Mapping[str, jax.Array]
"""One number for each coordinate, by name."""

Fields = Callable[[Point], Mapping[str, jax.Array]]
"""A point function: the value of every scalar unknown, by its name."""

Index = tuple[str, ...]
"""Names of the coordinates along which to differentiate, in frame order; empty for the value."""


def derivatives(function: Fields, indices: Iterable[Index], point: Point) -> dict[Index, Mapping[str, jax.Array]]:
    """Derivatives of all outputs of a point function.

    Args:
        function: `{coordinate: number} -> {name: number}`.
        indices: which derivatives.
        point: where.

    Returns:
        `{index: {name: number}}`, for the given indices and all their prefixes.
    """
    wanted = sorted(dict.fromkeys(index[:k] for index in indices for k in range(len(index) + 1)), key=len)
    axes = {name: {other: jnp.asarray(float(other == name)) for other in point} for name in point}

    def level(order: int) -> Callable[[Point], dict[Index, Mapping[str, jax.Array]]]:
        if order == 0:
            return lambda p: {(): function(p)}
        below, here = level(order - 1), [index for index in wanted if len(index) == order]

        def collected(p: Point) -> dict[Index, Mapping[str, jax.Array]]:
            lower, push = jax.linearize(below, p)
            along = {name: push(axes[name]) for name in dict.fromkeys(index[-1] for index in here)}
            return {**lower, **{index: along[index[-1]][index[:-1]] for index in here}}

        return collected

    return level(len(wanted[-1]) if wanted else 0)({name: jnp.asarray(p, float) for name, p in point.items()})


def jets(function: Fields, atoms: Iterable[Expr], point: Point) -> dict[Scalar, jax.Array]:
    """Values of the atoms that come from fields: `u`, `v[0]`, their derivatives, and those held at a place.

    Args:
        function: values of the scalar unknowns at a point, by name.
        atoms: atoms of lowered expressions; coordinates, parameters, coefficients and integrals are left out.
        point: one number for each coordinate, by name.

    Returns:
        `{atom: number}`, ready for `evaluate`.
    """
    places: dict[tuple, list[Expr]] = {}
    for atom in atoms:
        if is_unknown(atom) and scalar_leaf(atom) is not None:
            held = atom.attr if isinstance(atom, Apply) and atom.op is Op.AT else ()
            places.setdefault(held, []).append(atom)
    values = {}
    for held, group in places.items():
        where = {**point, **{x.name: jnp.asarray(number) for x, number in held}}
        indices = {atom: tuple(x.name for x in multi_index(atom)) for atom in group}
        jet = derivatives(function, indices.values(), where)
        values.update({atom: jet[index][repr(scalar_leaf(atom))] for atom, index in indices.items()})
    return values
