"""Walking trees: order of evaluation, atoms, laws, fields and substitution.

Walks are iterative and visit every distinct node once, so depth is not limited by Python's stack and shared subtrees
cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sciml.expr.build import common_frame, components
from sciml.expr.leaves import (
    AnyField,
    Coefficient,
    Field,
    LawSymbol,
    Normal,
    Parameter,
    TensorField,
    VectorField,
)
from sciml.expr.nodes import Apply, Coordinate, Expr, Scalar, node
from sciml.expr.operations import Op


def postorder(*roots: Expr, stop: Callable[[Expr], bool] | None = None) -> Iterator[Expr]:
    """Every distinct node below `roots`, arguments before their operation; below a node where `stop` holds, nothing."""
    seen: set[bytes] = set()
    stack: list[tuple[Expr, bool]] = [(root, False) for root in reversed(roots)]
    while stack:
        e, ready = stack.pop()
        if ready:
            yield e
        elif e.digest not in seen:
            seen.add(e.digest)
            if stop is not None and stop(e):
                yield e
                continue
            stack.append((e, True))
            stack.extend((arg, False) for arg in reversed(e.args) if arg.digest not in seen)


def walk_payload(*roots: Expr) -> Iterator[Expr]:
    """Every distinct *object* below `roots`: equal leaves that carry different payload are all visited."""
    seen: set[int] = set()
    stack = list(reversed(roots))
    while stack:
        e = stack.pop()
        if id(e) not in seen:
            seen.add(id(e))
            yield e
            stack.extend(reversed(e.args))


def _is_field_leaf(e: Expr) -> bool:
    """A scalar field, or one component of a vector, tensor field or normal."""
    if isinstance(e, Apply) and e.op is Op.COMPONENT:
        return isinstance(e.operands[0], (VectorField, TensorField, Normal))
    return isinstance(e, (Field, Coefficient))


def is_atom(e: Expr) -> bool:
    """Whether `e` is a leaf that a solver must supply numbers for, in a lowered expression."""
    if isinstance(e, (Coordinate, Parameter, Field, Coefficient)):
        return True
    if not isinstance(e, Apply):
        return False
    match e.op:
        case Op.COMPONENT:
            return _is_field_leaf(e)
        case Op.DERIVATIVE:
            return _is_field_leaf(e.operands[0])
        case Op.AT:
            inner = e.operands[0]
            return _is_field_leaf(inner) or (
                isinstance(inner, Apply) and inner.op is Op.DERIVATIVE and _is_field_leaf(inner.operands[0])
            )
        case Op.INTEGRAL:
            return True
        case _:
            return False


def atoms(*lowered: Expr) -> tuple[Scalar, ...]:
    """Atoms of lowered expressions, each once, in the order of evaluation."""
    return tuple(e for e in postorder(*lowered, stop=is_atom) if is_atom(e))  # type: ignore[misc]


def base_field(e: Expr) -> Expr | None:
    """The field (of any rank) that an atom takes its value from; None for coordinates, parameters, coefficients.

    For an integral, which may hold several fields, any one of them.
    """
    if isinstance(e, (Field, VectorField, TensorField)):
        return e
    if isinstance(e, Apply) and e.op in (Op.COMPONENT, Op.DERIVATIVE, Op.AT):
        return base_field(e.operands[0])
    if isinstance(e, Apply) and e.op is Op.INTEGRAL:
        return next(iter(fields(e)), None)
    return None


def scalar_leaf(e: Expr) -> Scalar | None:
    """The scalar unknown `u` or `v[i]` behind an atom `u`, `u_xx`, `u|_{x=0}`; None if there is none."""
    while isinstance(e, Apply) and e.op in (Op.DERIVATIVE, Op.AT):
        e = e.operands[0]
    if isinstance(e, Field):
        return e
    if isinstance(e, Apply) and e.op is Op.COMPONENT and isinstance(e.operands[0], (VectorField, TensorField)):
        return e  # type: ignore[return-value]
    return None


def is_unknown(e: Expr) -> bool:
    """Whether an atom's value comes from a field."""
    return base_field(e) is not None


def multi_index(e: Expr) -> tuple[Coordinate, ...]:
    """Coordinates along which an atom is differentiated, in frame order; empty for an undifferentiated one."""
    if isinstance(e, Apply) and e.op is Op.DERIVATIVE:
        return e.attr
    if isinstance(e, Apply) and e.op is Op.AT:
        return multi_index(e.operands[0])
    return ()


def leaves(*roots: Expr) -> tuple[Expr, ...]:
    """Distinct nodes without arguments."""
    return tuple(e for e in postorder(*roots) if not e.args)


def fields(*roots: Expr) -> tuple[AnyField, ...]:
    """Distinct fields of any rank, in order of appearance."""
    return tuple(e for e in postorder(*roots) if isinstance(e, (Field, VectorField, TensorField)))


def scalar_fields(*roots: Expr) -> tuple[Scalar, ...]:
    """Distinct scalar unknowns: `u`, and every component `v[i]` of vector and tensor fields."""
    return tuple(part for f in fields(*roots) for part in components(f))


def laws(*roots: Expr) -> tuple[LawSymbol, ...]:
    """Symbols of the laws that occur, each once."""
    found = {e.attr[0]: None for e in postorder(*roots) if isinstance(e, Apply) and e.op in (Op.LAW, Op.LAW_JET)}
    return tuple(found)


def coordinates_of(*roots: Expr) -> tuple[Coordinate, ...]:
    """Coordinates on which the value of lowered or written expressions can depend, in frame order."""
    frame = common_frame(tuple(roots))
    found: set[Coordinate] = set()
    for e in postorder(*roots):
        if isinstance(e, Coordinate):
            found.add(e)
        elif isinstance(e, (Field, VectorField, TensorField, Coefficient)):
            found.update(e.on)
    return tuple(sorted(found, key=lambda x: frame.names.index(x.name))) if frame else ()


def rebuild(e: Apply, args: tuple[Expr, ...]) -> Expr:
    """The same operation on other arguments of the same shapes; nothing folds."""
    return e if all(a is b for a, b in zip(args, e.operands, strict=True)) else node(e.op, args, e.attr, e.shape)


def substitute(e: Any, replacements: Mapping[Any, Expr]) -> Any:
    """`e` with every occurrence of the keys replaced; keys may be leaves or whole subexpressions of equal shape."""
    memo: dict[Expr, Expr] = {}
    for n in postorder(e, stop=lambda n: n in replacements):
        if n in replacements:
            memo[n] = replacements[n]
        elif isinstance(n, Apply):
            memo[n] = rebuild(n, tuple(memo[arg] for arg in n.operands))
        else:
            memo[n] = n
    return memo[e]
