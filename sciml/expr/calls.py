"""Functions that a text may call by name, and what each builds from its arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from sciml.errors import ParseError
from sciml.expr.assembly import assemble
from sciml.expr.build import apply, common_frame, component, derivative
from sciml.expr.calculus import at, curl, div, grad, integral, laplacian, normal, normal_derivative
from sciml.expr.functions import add
from sciml.expr.nodes import Apply, Constant, Coordinate, Expr, Truth, node
from sciml.expr.operations import FUNCTIONS, Op
from sciml.expr.shapes import size
from sciml.expr.symbols import SymbolTable


@final
@dataclass(frozen=True)
class Term:
    """A parsed expression and how many pairs of parentheses stand around it."""

    e: Expr
    parentheses: int = 0

    @property
    def is_held(self) -> bool:
        """Whether doubled parentheses keep it from being merged into what surrounds it."""
        return self.parentheses > 1


Keywords = Mapping[str, Expr]

_BY_COUNT = {
    **{op.value: (op, 1) for op in FUNCTIONS | {Op.TRACE, Op.TRANSPOSE, Op.DET}},
    **{op.value: (op, 2) for op in (Op.MINIMUM, Op.MAXIMUM, Op.DOT, Op.INNER, Op.OUTER, Op.CROSS)},
    "where": (Op.WHERE, 3),
}
"""Operations that are called by name, with their number of arguments."""

_SPATIAL: dict[str, Callable[..., Any]] = {"grad": grad, "div": div, "curl": curl, "laplacian": laplacian}
"""Operators that take `wrt=`."""


def call(name: str, terms: Sequence[Term], keywords: Keywords, table: SymbolTable) -> Any:
    """The expression that a call of a named function stands for.

    Raises:
        ParseError: no such function, or arguments that it does not take.
        ExpressionError: arguments of shapes that it does not take.
    """
    args = tuple(term.e for term in terms)
    for i, arg in enumerate((*args, *keywords.values())):
        if isinstance(arg, Truth) and (name, i) != ("where", 0):
            raise ParseError(f"a comparison as an argument of {name}", "a number there", "use where(a < b, p, q)")
    unknown = set() if name == "at" else set(keywords) - ({"wrt"} if name in _SPATIAL else set())
    if unknown:
        raise ParseError(f"{name}(…, {min(unknown)}=…)", f"the arguments of {name}", "drop the keyword")
    if name in _BY_COUNT:
        op, count = _BY_COUNT[name]
        return apply(op, *_counted(name, args, count))
    match name:
        case "D":
            return _derivative(_at_least_one(name, terms))
        case "grad" | "div" | "curl" | "laplacian":
            return _SPATIAL[name](*_counted(name, args, 1), wrt=_coordinates(keywords.get("wrt")))
        case "at":
            return _at(_counted(name, args, 1)[0], keywords, table)
        case "integral":
            return integral(*_at_least_one(name, args))
        case "normal":
            return normal(*_counted(name, args, 1))
        case "normal_derivative":
            return normal_derivative(*_counted(name, args, 1))
        case "vector" | "matrix":
            return apply(Op.STACK, *_at_least_one(name, args))
        case "add":
            return add(*_at_least_one(name, args))
        case _:
            raise ParseError(f"the function {name!r}", "a function of the language or a law of the symbols", "name it")


def _counted(name: str, args: tuple[Any, ...], count: int) -> tuple[Any, ...]:
    if len(args) != count:
        raise ParseError(f"{len(args)} arguments of {name}", f"{count}", "count the commas")
    return args


def _at_least_one(name: str, args: Sequence[Any]) -> Sequence[Any]:
    if not args:
        raise ParseError(f"{name}() without arguments", "at least one", "put an expression between the parentheses")
    return args


def _derivative(terms: Sequence[Term]) -> Any:
    inner, along = terms[0], tuple[Any, ...](term.e for term in terms[1:])
    if not along or not all(isinstance(x, Coordinate) for x in along):
        raise ParseError(f"D with {len(along)} directions", "an expression and coordinates", "write D(u, x)")
    if not (inner.is_held and isinstance(inner.e, Apply) and inner.e.op is Op.DERIVATIVE):
        return derivative(inner.e, *along)
    common_frame((inner.e, *along))
    return node(Op.DERIVATIVE, (inner.e,), derivative(Constant(0), *along).attr, inner.e.shape)


def _coordinates(wrt: Expr | None) -> tuple[Any, ...] | None:
    if wrt is None:
        return None
    if not (isinstance(wrt, Apply) and wrt.op is Op.STACK):
        raise ParseError(f"wrt=`{wrt!r}`", "a tuple of coordinates", "write wrt=(x,)")
    return wrt.operands


def _at(e: Expr, places: Keywords, table: SymbolTable) -> Any:
    """`at(e, …)`; the coordinates are those of the table where `e` has none itself."""
    for name, place in places.items():
        if not isinstance(place, Constant):
            raise ParseError(f"the place {name}=`{place!r}`", "a number", "write at(u, x=0)")
    numbers = {name: place.value for name, place in places.items() if isinstance(place, Constant)}
    if e.frame is not None or table.frame is None:
        return at(e, **numbers)
    located = at(Coordinate(table.frame.names[0], table.frame), **numbers)
    return node(Op.AT, (e,), located.attr, e.shape)


def law(symbol_name: str, args: tuple[Expr, ...], table: SymbolTable) -> Any:
    """A law of the table applied to inputs; the shapes of the inputs choose among laws of one name.

    Raises:
        ParseError: no law of this name takes inputs of these shapes.
    """
    shapes = tuple(arg.shape for arg in args)
    for symbol in table.laws[symbol_name]:
        if symbol.inputs == shapes and not any(isinstance(arg, Truth) for arg in args):
            return node(Op.LAW, args, (symbol,), symbol.shape)
    known = " or ".join(str(symbol.inputs) for symbol in table.laws[symbol_name])
    raise ParseError(f"law {symbol_name!r} of inputs of shapes {shapes}", f"shapes {known}", "check its inputs")


def law_jet(symbol_name: str, index: int, groups: Sequence[tuple[Expr, ...]], table: SymbolTable) -> Any:
    """One component of a directional derivative of a law; the first group is its inputs, the others directions.

    Raises:
        ParseError: no law of this name has so many inputs and components.
    """
    args = tuple(arg for group in groups for arg in group)
    if not all(arg.shape == () and not isinstance(arg, Truth) for arg in args):
        raise ParseError(f"jet of {symbol_name!r} with vectors or comparisons", "scalars", "write out the components")
    for symbol in table.laws.get(symbol_name, ()):
        width = sum(size(shape) for shape in symbol.inputs)
        if all(len(group) == width for group in groups) and 0 <= index < size(symbol.shape):
            return node(Op.LAW_JET, args, (symbol, index), ())
    widths = [len(group) for group in groups]
    raise ParseError(
        f"component {index} of law {symbol_name!r} with groups of {widths} scalars",
        "a law of the symbols, as many scalars in each group as its inputs have, and one of its components",
        "see `sciml.expr.text`",
    )


def held_binary(op: Op, left: Term, right: Term) -> Any:
    """An operation between two operands; numbers fold unless the left one is held."""
    return assemble(op, (left.e, right.e)) if left.is_held else apply(op, left.e, right.e)


def held_negative(inner: Term) -> Any:
    """`-e`; a number changes its sign unless it is held."""
    return assemble(Op.NEGATIVE, (inner.e,)) if inner.is_held else apply(Op.NEGATIVE, inner.e)


def held_sum(first: Term, rest: list[Expr]) -> Any:
    """`first + rest[0] + …` as one sum, as Python builds it term by term, but linear in the number of terms."""
    start, rest = first.e, list(rest)
    while rest and not first.is_held and isinstance(start, Constant) and isinstance(rest[0], Constant):
        merged = apply(Op.ADD, start, rest[0])
        if not isinstance(merged, Constant):
            break  # π stays by name
        start = merged
        del rest[0]
    if not rest:
        return start
    flat = not first.is_held and isinstance(start, Apply) and start.op is Op.ADD
    operands = start.args if flat else (start,)
    for term in rest:
        apply(Op.ADD, operands[0], term)  # checks the shape
    return node(Op.ADD, (*operands, *rest), (), start.shape)


def held_component(e: Term, index: tuple[int, ...]) -> Any:
    """`e[i]` or `e[i, j]`; a tuple gives its component unless it is held.

    Raises:
        ParseError: not as many indices as the rank.
    """
    if not index or len(index) != len(e.e.shape):
        raise ParseError(f"{len(index)} indices of shape {e.e.shape}", f"{len(e.e.shape)}", "write v[0] or T[0, 1]")
    if e.is_held and isinstance(e.e, Apply) and e.e.op is Op.STACK and len(index) == 1:
        component(e.e, *index)  # checks the index
        return node(Op.COMPONENT, (e.e,), (index[0] % e.e.shape[0],), ())
    return component(e.e, *index)
