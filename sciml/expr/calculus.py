r"""Differential and tensor calculus, kept in the tree as written.

Index order: $(\nabla v)_{ij} = \partial v_i/\partial x_j$, $(\operatorname{div} T)_i = \partial T_{ij}/\partial x_j$;
`dot` contracts the last index of the first operand with the first index of the second: $(v\cdot\nabla)v$ is
`dot(grad(v), v)`. The operators use the frame's spatial coordinates whatever the operand depends on; `wrt=` overrides.
"""

from __future__ import annotations

from typing import Any, overload

from sciml.errors import ExpressionError
from sciml.expr.build import apply, as_expr, derivative, tensor
from sciml.expr.frames import Frame
from sciml.expr.leaves import Normal, plain_number
from sciml.expr.nodes import Coordinate, Expr, Number, Scalar, Tensor, Vector, node
from sciml.expr.operations import Op


@overload
def D(e: Scalar, *along: Coordinate) -> Scalar: ...
@overload
def D(e: Vector, *along: Coordinate) -> Vector: ...
@overload
def D(e: Tensor, *along: Coordinate) -> Tensor: ...
def D(e: Any, *along: Coordinate) -> Any:
    r"""Mixed partial derivative: `D(u, x, x)` is $\partial^2 u/\partial x^2$.

    Raises:
        ExpressionError: no direction, or a direction that is not a coordinate.
    """
    if not along:
        raise ExpressionError(f"D(`{e!r}`) without a direction", "at least one coordinate", "write D(u, x)")
    return derivative(as_expr(e), *along)


def _space(e: Expr, wrt: tuple[Coordinate, ...] | None, what: str) -> tuple[Coordinate, ...]:
    if wrt is not None:
        if not isinstance(wrt, tuple) or not wrt or not all(isinstance(x, Coordinate) for x in wrt):
            raise ExpressionError(f"wrt={wrt!r} in {what}", "a tuple of coordinates", "write wrt=(x, y)")
        return wrt
    frame = e.frame
    if frame is None or not frame.space:
        raise ExpressionError(f"{what} of `{e!r}`, which knows no spatial coordinate", "a field or coordinate in it",
                              "pass wrt=(x, y)")  # fmt: skip
    return tuple(Coordinate(name, frame) for name in frame.space)


@overload
def grad(e: Scalar, *, wrt: tuple[Coordinate, ...] | None = None) -> Vector: ...
@overload
def grad(e: Vector, *, wrt: tuple[Coordinate, ...] | None = None) -> Tensor: ...
def grad(e: Any, *, wrt: tuple[Coordinate, ...] | None = None) -> Any:
    r"""Gradient: of a scalar, $(\nabla u)_j = \partial_j u$; of a vector, $(\nabla v)_{ij} = \partial_j v_i$."""
    along = _space(as_expr(e), wrt, "grad")
    return apply(Op.GRAD, e, attr=along, extent=len(along))


@overload
def div(e: Vector, *, wrt: tuple[Coordinate, ...] | None = None) -> Scalar: ...
@overload
def div(e: Tensor, *, wrt: tuple[Coordinate, ...] | None = None) -> Vector: ...
def div(e: Any, *, wrt: tuple[Coordinate, ...] | None = None) -> Any:
    r"""Divergence: of a vector, $\partial_i v_i$; of a tensor, $(\operatorname{div} T)_i = \partial_j T_{ij}$."""
    e = as_expr(e)
    along = _space(e, wrt, "div")
    return apply(Op.DIV, e, attr=along, extent=len(along))


def curl(e: Any, *, wrt: tuple[Coordinate, ...] | None = None) -> Any:
    r"""Curl.

    3-D: $(\nabla\times v)_i = \epsilon_{ijk}\partial_j v_k$. 2-D: $\partial_x v_2-\partial_y v_1$ of a vector,
    $(\partial_y\psi, -\partial_x\psi)$ of a scalar."""
    e = as_expr(e)
    along = _space(e, wrt, "curl")
    return apply(Op.CURL, e, attr=along, extent=len(along))


@overload
def laplacian(e: Scalar, *, wrt: tuple[Coordinate, ...] | None = None) -> Scalar: ...
@overload
def laplacian(e: Vector, *, wrt: tuple[Coordinate, ...] | None = None) -> Vector: ...
def laplacian(e: Any, *, wrt: tuple[Coordinate, ...] | None = None) -> Any:
    r"""Laplacian $\sum_j \partial_j^2 e$ over the spatial coordinates, component by component."""
    along = _space(as_expr(e), wrt, "laplacian")
    return apply(Op.LAPLACIAN, e, attr=along, extent=len(along))


def dot(a: Any, b: Any) -> Any:
    """Contraction of the last index of `a` with the first of `b`."""
    return apply(Op.DOT, a, b)


def inner(a: Any, b: Any) -> Scalar:
    r"""Full contraction of two vectors or tensors of one shape: $a_i b_i$ or $A_{ij}B_{ij}$."""
    return apply(Op.INNER, a, b)


def outer(a: Any, b: Any) -> Tensor:
    r"""Dyadic product of two vectors: $(a\otimes b)_{ij} = a_i b_j$."""
    return tensor(Op.OUTER, a, b)


def cross(a: Any, b: Any) -> Vector:
    """Vector product in three dimensions."""
    return apply(Op.CROSS, a, b)


def trace(e: Tensor) -> Scalar:
    r"""$\sum_i T_{ii}$."""
    return apply(Op.TRACE, e)


def transpose(e: Tensor) -> Tensor:
    r"""$(T^\top)_{ij} = T_{ji}$."""
    return tensor(Op.TRANSPOSE, e)


def det(e: Tensor) -> Scalar:
    """Determinant of a square tensor (1×1 to 3×3)."""
    return apply(Op.DET, e)


def vector(*parts: Scalar | Number) -> Vector:
    """A vector of scalar components."""
    return apply(Op.STACK, *parts)


def matrix(*rows: Vector | tuple[Any, ...]) -> Tensor:
    """A tensor of rows."""
    return tensor(Op.STACK, *rows)


def identity(n: int) -> Tensor:
    """The unit tensor of size n.

    Raises:
        ExpressionError: `n` is not a positive integer.
    """
    if not isinstance(n, int) or n < 1:
        raise ExpressionError(f"a unit tensor of size {n!r}", "a positive integer", "give its length")
    return matrix(*[tuple(int(i == j) for j in range(n)) for i in range(n)])


def at(e: Any, **places: Number) -> Any:
    r"""The value of `e` on a place: `at(u, x=0)` is $u|_{x=0}$, a function of the other coordinates.

    Raises:
        ExpressionError: a place that names no coordinate of the frame, or is not a number.
    """
    e = as_expr(e)
    if not places or e.frame is None:
        raise ExpressionError(f"at(`{e!r}`) without a place", "coordinates with numbers", "write at(u, x=0)")
    for name in places:
        if name not in e.frame.names:
            raise ExpressionError(f"place {name}= of `{e!r}`", f"one of {e.frame}", "name a coordinate of the frame")
    where = tuple(
        (Coordinate(name, e.frame), plain_number(places[name], f"place {name}"))
        for name in e.frame.names
        if name in places
    )
    return node(Op.AT, (e,), where, e.shape)


def integral(e: Any, *over: Coordinate) -> Any:
    r"""Integral of `e` over the domain's whole extent in `over` (default: all spatial coordinates).

    It is a number for each value of the remaining coordinates: `integral(p) == 0` is a gauge that holds at every time.
    """
    e = as_expr(e)
    along = over or _space(e, None, "integral")
    if not all(isinstance(x, Coordinate) for x in along):
        raise ExpressionError(f"integral over {over!r}", "coordinates", "write integral(p, x, y)")
    return node(Op.INTEGRAL, (e,), tuple(along), e.shape)


def normal(frame_of: Expr) -> Vector:
    """Outward unit normal of the face on which a condition is held, in the frame of an expression."""
    frame = as_expr(frame_of).frame
    if not isinstance(frame, Frame):
        raise ExpressionError(f"normal of `{frame_of!r}`", "an expression with coordinates", "pass a field")
    return Normal(frame)


def normal_derivative(e: Scalar) -> Scalar:
    r"""$\partial e/\partial n = \nabla e\cdot n$ with the outward normal of the face on which it is held."""
    return dot(grad(e), normal(e))
