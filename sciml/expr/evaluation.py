"""Numbers for expressions: `evaluate` a lowered tree from values of its atoms, or the tree as written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import jax.scipy.special as jsp
import numpy as np
import scipy.special as sp

from sciml.errors import ExpressionError
from sciml.expr.leaves import LawSymbol
from sciml.expr.nodes import Apply, Constant, Coordinate, Expr
from sciml.expr.operations import Op
from sciml.expr.traverse import is_atom, postorder

Array = Any
"""A number, NumPy array or JAX array; all broadcast against each other."""

Laws = Mapping[LawSymbol, Callable[..., Array]]
"""Bound functions: each takes one array for each input, of the input's shape, and returns the law's shape."""


class Differentiate(Protocol):
    """A solver's own derivative of values along one coordinate."""

    def __call__(self, values: Array, along: Coordinate) -> Array: ...


_NUMPY = {
    Op.SIN: np.sin, Op.COS: np.cos, Op.TAN: np.tan, Op.ASIN: np.arcsin, Op.ACOS: np.arccos, Op.ATAN: np.arctan,
    Op.SINH: np.sinh, Op.COSH: np.cosh, Op.TANH: np.tanh, Op.EXP: np.exp, Op.LOG: np.log, Op.SQRT: np.sqrt,
    Op.ABS: np.abs, Op.SIGN: np.sign, Op.ERF: sp.erf, Op.MINIMUM: np.minimum, Op.MAXIMUM: np.maximum,
    Op.WHERE: np.where, Op.LESS: np.less, Op.LESS_EQUAL: np.less_equal, Op.GREATER: np.greater,
    Op.GREATER_EQUAL: np.greater_equal, Op.AND: np.logical_and, Op.OR: np.logical_or, Op.NOT: np.logical_not,
}  # fmt: skip

_JAX = {op: getattr(jnp, f.__name__, None) for op, f in _NUMPY.items()} | {Op.ERF: jsp.erf}


def _library(values: Sequence[Array]) -> Mapping[Op, Any]:
    """JAX's functions if any value is a JAX array or tracer, else NumPy's."""
    return _JAX if any(isinstance(v, jax.Array) for v in values) else _NUMPY


def evaluate(es: Expr | Sequence[Expr], values: Mapping[Any, Array], laws: Laws | None = None) -> Any:
    """Values of lowered scalars, elementwise over arrays that broadcast.

    Args:
        es: one lowered expression or several; they share one memo.
        values: a number or array for each atom, keyed by the atom.
        laws: a function for each law symbol.

    Returns:
        One value, or a tuple of them in the order of `es`.

    Raises:
        ExpressionError: an atom or law has no value, or an expression was not lowered.
    """
    roots = (es,) if isinstance(es, Expr) else tuple(es)
    memo: dict[Expr, Array] = dict(values)
    library = _library(list(values.values()))
    jets: dict[Any, Array] = {}
    for n in postorder(*roots, stop=lambda n: n in memo or is_atom(n)):
        if n not in memo:
            memo[n] = _value(n, memo, library, laws or {}, jets)
    results = tuple(memo[root] for root in roots)
    return results[0] if isinstance(es, Expr) else results


def _value(e: Expr, memo: Mapping[Expr, Array], library: Mapping[Op, Any], laws: Laws, jets: dict[Any, Array]) -> Array:
    if isinstance(e, Constant):
        return e.value
    if is_atom(e):
        raise ExpressionError(
            f"no value for the atom `{e!r}`", "a number or array for every atom", "supply all of atoms(e)"
        )
    if not isinstance(e, Apply):
        raise ExpressionError(f"`{e!r}`, which is not a scalar", "a lowered expression", "call lower(e) first")
    args = [memo[arg] for arg in e.operands]
    match e.op:
        case Op.LAW_JET:
            return _law_jet(e, args, laws, jets)
        case Op.DERIVATIVE | Op.GRAD | Op.DIV | Op.CURL | Op.LAPLACIAN | Op.LAW:
            raise ExpressionError(f"`{e!r}` in evaluate", "derivatives only on leaves", "call lower(e) first")
        case _:
            return _scalar_operation(e.op, args, library)


def _scalar_operation(op: Op, args: list[Array], library: Mapping[Op, Any]) -> Array:
    match op:
        case Op.ADD:
            result = args[0]
            for arg in args[1:]:
                result = result + arg
            return result
        case Op.SUBTRACT:
            return args[0] - args[1]
        case Op.NEGATIVE:
            return -args[0]
        case Op.MULTIPLY:
            return args[0] * args[1]
        case Op.DIVIDE:
            return args[0] / args[1]
        case Op.POWER:
            return args[0] ** args[1]
        case _:
            return library[op](*args)


def _law_jet(e: Apply, args: list[Array], laws: Laws, jets: dict[Any, Array]) -> Array:
    """k-th directional derivative of a bound law, computed once for all its components."""
    symbol, index = e.attr
    if symbol not in laws:
        raise ExpressionError(f"law {symbol.name!r}, which is bound to nothing", "a function", "problem.bind(law, f)")
    key = (symbol, tuple(arg.digest for arg in e.operands))
    if key not in jets:
        jets[key] = _directional(laws[symbol], symbol, [jnp.asarray(a) for a in args])
    return jets[key][..., index]


def _directional(f: Callable[..., Array], symbol: LawSymbol, args: list[jax.Array]) -> jax.Array:
    """D^k f(g)[d_1, …, d_k] over a batch, flattened to (*batch, components)."""
    dtype = jnp.result_type(float, *args)
    args = [a.astype(dtype) for a in jnp.broadcast_arrays(*args)]
    batch = args[0].shape
    sizes = [int(np.prod(shape, dtype=int)) for shape in symbol.inputs]
    width = sum(sizes)
    stacked = jnp.stack([a.reshape(-1) for a in args], axis=-1)  # (N, width * (1 + k))
    blocks = [stacked[:, i : i + width] for i in range(0, stacked.shape[1], width)]
    cuts = np.cumsum(sizes)[:-1]

    def flat(g: jax.Array) -> jax.Array:
        parts = [p.reshape(shape) for p, shape in zip(jnp.split(g, cuts), symbol.inputs, strict=True)]
        return jnp.reshape(f(*parts), -1)

    def one(g: jax.Array, *directions: jax.Array) -> jax.Array:
        h = flat
        for d in directions:
            h = _along(h, d)
        return h(g)

    return jax.vmap(one)(*blocks).reshape(*batch, -1)


def _along(h: Callable[[jax.Array], jax.Array], d: jax.Array) -> Callable[[jax.Array], jax.Array]:
    return lambda g: jax.jvp(h, (g,), (d,))[1]


def evaluate_written(
    e: Expr, values: Mapping[Any, Array], differentiate: Differentiate, laws: Laws | None = None
) -> Array:
    """Value of an expression as written, with the solver's own derivative; shape `(*e.shape, *batch)`.

    Nothing is lowered: `div(a * grad(u))` differentiates the product of `a` and the differentiated `u`, which is what
    conservative and flux-form schemes need.

    Args:
        e: any expression.
        values: arrays for coordinates, parameters, coefficients, and whole fields; a vector field's value is
            `(n, *batch)`. A value given for a larger subexpression is used as it is.
        differentiate: derivative of an array of shape `batch` along a coordinate.
        laws: a function for each law symbol.

    Raises:
        ExpressionError: a leaf has no value.
    """
    memo: dict[Expr, Array] = dict(values)
    library = _library(list(values.values()))
    for n in postorder(e, stop=lambda n: n in memo):
        if n not in memo:
            memo[n] = _written_value(n, memo, differentiate, library, laws or {})
    return memo[e]


def _written_value(
    e: Expr, memo: Mapping[Expr, Array], differentiate: Differentiate, library: Mapping[Op, Any], laws: Laws
) -> Array:
    if isinstance(e, Constant):
        return e.value
    if not isinstance(e, Apply):
        raise ExpressionError(f"no value for `{e!r}`", "an array for every leaf", "supply the leaves of the expression")
    args = [memo[arg] for arg in e.operands]
    match e.op:
        case Op.DERIVATIVE:
            value = args[0]
            for x in e.attr:
                value = _each(value, e.shape, lambda v, x=x: differentiate(v, x))
            return value
        case Op.GRAD:
            parts = [_each(args[0], e.operands[0].shape, lambda v, x=x: differentiate(v, x)) for x in e.attr]
            return jnp.stack(parts, axis=len(e.operands[0].shape))
        case Op.DIV:
            last = len(e.operands[0].shape) - 1
            rows = jnp.moveaxis(args[0], last, 0)
            return sum(
                _each(row, e.shape, lambda v, x=x: differentiate(v, x)) for row, x in zip(rows, e.attr, strict=True)
            )
        case Op.LAPLACIAN:
            return sum(_each(args[0], e.shape, lambda v, x=x: differentiate(differentiate(v, x), x)) for x in e.attr)
        case Op.COMPONENT:
            return args[0][e.attr]
        case Op.STACK:
            return jnp.stack(jnp.broadcast_arrays(*args))
        case Op.LAW:
            symbol = e.attr[0]
            if symbol not in laws:
                raise ExpressionError(f"law {symbol.name!r}, which is bound to nothing", "a function", "bind it")
            return laws[symbol](*args)
        case Op.CURL | Op.DOT | Op.INNER | Op.OUTER | Op.CROSS | Op.TRACE | Op.TRANSPOSE | Op.DET:
            return _written_tensor(e, args, differentiate)
        case Op.AT | Op.INTEGRAL | Op.LAW_JET:
            raise ExpressionError(f"no value for `{e!r}`", "a value for each functional", "supply it by its node")
        case _:
            return _scalar_operation(e.op, args, library)


def _each(value: Array, shape: tuple[int, ...], f: Callable[[Array], Array]) -> Array:
    """Apply f to every component of a value of shape (*shape, *batch)."""
    if not shape:
        return f(value)
    return jnp.stack([_each(part, shape[1:], f) for part in value])


def _written_tensor(e: Apply, args: list[Array], differentiate: Differentiate) -> Array:
    ranks = [len(operand.shape) for operand in e.operands]
    match e.op:
        case Op.DOT:
            left, right = "ik"[2 - ranks[0] :], "kj"[: ranks[1]]
            return jnp.einsum(f"{left}...,{right}...->{(left + right).replace('k', '')}...", *args)
        case Op.INNER:
            axes = tuple(range(ranks[0]))
            return jnp.sum(args[0] * args[1], axis=axes)
        case Op.OUTER:
            return jnp.einsum("i...,j...->ij...", *args)
        case Op.CROSS:
            return jnp.moveaxis(jnp.cross(jnp.moveaxis(args[0], 0, -1), jnp.moveaxis(args[1], 0, -1)), -1, 0)
        case Op.TRACE:
            return jnp.einsum("ii...->...", args[0])
        case Op.TRANSPOSE:
            return jnp.swapaxes(args[0], 0, 1)
        case Op.DET:
            return jnp.linalg.det(jnp.moveaxis(args[0], (0, 1), (-2, -1)))
        case _:
            return _written_curl(args[0], ranks[0], e.attr, differentiate)


def _written_curl(v: Array, rank: int, xs: tuple[Coordinate, ...], d: Differentiate) -> Array:
    if len(xs) == 3:
        x, y, z = xs
        return jnp.stack([d(v[2], y) - d(v[1], z), d(v[0], z) - d(v[2], x), d(v[1], x) - d(v[0], y)])
    x, y = xs
    return d(v[1], x) - d(v[0], y) if rank else jnp.stack([d(v, y), -d(v, x)])
