"""Lowering: derivatives pushed to the leaves, vectors and tensors to scalar components."""

from __future__ import annotations

from itertools import permutations

from sciml.errors import LoweringError
from sciml.expr.build import components
from sciml.expr.differentiate import Memo, differentiate
from sciml.expr.leaves import Normal, TensorField, VectorField
from sciml.expr.nodes import Apply, Constant, Coordinate, Expr, Scalar, node
from sciml.expr.operations import Op
from sciml.expr.reduce import difference, negative, product, quotient, total
from sciml.expr.traverse import is_atom, postorder, rebuild, substitute

Flat = tuple[Scalar, ...]


def lower(e: Expr) -> Flat:
    """Scalar components of `e`, row-major, in which only atoms carry derivatives.

    Raises:
        LoweringError: where that would change the mathematics, such as differentiating a discontinuous coefficient.
    """
    flat: dict[Expr, Flat] = {}
    memo: Memo = {}
    for n in postorder(e):
        flat[n] = _lower_one(n, [flat[arg] for arg in n.args], memo)
    return flat[e]


def lower_all(*es: Expr) -> Flat:
    """Components of several expressions, one after the other."""
    return tuple(part for e in es for part in lower(e))


def _lower_one(e: Expr, args: list[Flat], memo: Memo) -> Flat:
    if isinstance(e, (VectorField, TensorField, Normal)):
        return tuple(components(e))
    if not isinstance(e, Apply):
        return (e,)  # type: ignore[return-value]
    match e.op:
        case Op.ADD:
            return tuple(total(parts) for parts in zip(*args, strict=True))
        case Op.SUBTRACT:
            return tuple(difference(a, b) for a, b in zip(*args, strict=True))
        case Op.NEGATIVE:
            return tuple(negative(a) for a in args[0])
        case Op.MULTIPLY:
            a, b = args
            return tuple(product(p, q) for p in a for q in b)  # one of them is a single scalar
        case Op.DIVIDE:
            return tuple(quotient(a, args[1][0]) for a in args[0])
        case Op.WHERE:
            return tuple(node(Op.WHERE, (args[0][0], a, b), (), ()) for a, b in zip(args[1], args[2], strict=True))
        case Op.DERIVATIVE:
            return tuple(_along(a, e.attr, memo) for a in args[0])
        case Op.GRAD | Op.DIV | Op.CURL | Op.LAPLACIAN:
            return _differential(e, args[0], memo)
        case Op.STACK:
            return tuple(part for arg in args for part in arg)
        case Op.COMPONENT:
            return (args[0][_flat_index(e.attr, e.operands[0].shape)],)
        case Op.DOT | Op.INNER | Op.OUTER | Op.CROSS | Op.TRACE | Op.TRANSPOSE | Op.DET:
            return _tensor_algebra(e, args)
        case Op.AT:
            return tuple(_at(a, e.attr) for a in args[0])
        case Op.INTEGRAL:
            return tuple(node(Op.INTEGRAL, (a,), e.attr, ()) for a in args[0])
        case Op.LAW:
            inputs = tuple(part for arg in args for part in arg)
            count = _count(e.shape)
            return tuple(node(Op.LAW_JET, inputs, (e.attr[0], i), ()) for i in range(count))
        case _:
            return (rebuild(e, tuple(arg[0] for arg in args)),)  # type: ignore[return-value]


def _along(a: Scalar, xs: tuple[Coordinate, ...], memo: Memo) -> Scalar:
    for x in xs:
        a = differentiate(a, x, memo)
    return a


def _differential(e: Apply, a: Flat, memo: Memo) -> Flat:
    xs: tuple[Coordinate, ...] = e.attr
    n = len(xs)
    match e.op:
        case Op.GRAD:
            return tuple(differentiate(part, x, memo) for part in a for x in xs)
        case Op.LAPLACIAN:
            return tuple(total(_along(part, (x, x), memo) for x in xs) for part in a)
        case Op.DIV:
            rows = [a[i : i + n] for i in range(0, len(a), n)]
            return tuple(total(differentiate(part, x, memo) for part, x in zip(row, xs, strict=True)) for row in rows)
        case _:
            return _curl(a, xs, memo)


def _curl(a: Flat, xs: tuple[Coordinate, ...], memo: Memo) -> Flat:
    def d(i: int, j: int) -> Scalar:
        return differentiate(a[i], xs[j], memo)

    if len(xs) == 3:
        return difference(d(2, 1), d(1, 2)), difference(d(0, 2), d(2, 0)), difference(d(1, 0), d(0, 1))
    if len(a) == 2:
        return (difference(d(1, 0), d(0, 1)),)
    return d(0, 1), negative(d(0, 0))


def _tensor_algebra(e: Apply, args: list[Flat]) -> Flat:
    shapes = [operand.shape for operand in e.operands]
    match e.op:
        case Op.DOT:
            a, b = args
            inner = shapes[0][-1]
            columns = len(b) // inner
            return tuple(
                total(product(a[i * inner + k], b[k * columns + j]) for k in range(inner))
                for i in range(len(a) // inner)
                for j in range(columns)
            )
        case Op.INNER:
            return (total(product(p, q) for p, q in zip(*args, strict=True)),)
        case Op.OUTER:
            return tuple(product(p, q) for p in args[0] for q in args[1])
        case Op.CROSS:
            (a, b) = args
            return tuple(difference(product(a[i], b[j]), product(a[j], b[i])) for i, j in ((1, 2), (2, 0), (0, 1)))
        case Op.TRACE:
            n = shapes[0][0]
            return (total(args[0][i * n + i] for i in range(n)),)
        case Op.TRANSPOSE:
            n, m = shapes[0]
            return tuple(args[0][i * m + j] for j in range(m) for i in range(n))
        case _:
            return (_determinant(args[0], shapes[0][0]),)


def _determinant(a: Flat, n: int) -> Scalar:
    """Leibniz formula; n! terms, meant for n ≤ 4."""
    if n > 4:
        raise LoweringError(f"the determinant of a {n}×{n} tensor", "at most 4×4", "write it out by blocks")
    terms = []
    for order in permutations(range(n)):
        inversions = sum(order[i] > order[j] for i in range(n) for j in range(i + 1, n))
        factor = product(*(a[i * n + order[i]] for i in range(n)))
        terms.append(negative(factor) if inversions % 2 else factor)
    return total(terms)


def _at(a: Scalar, places: tuple[tuple[Coordinate, float], ...]) -> Scalar:
    """The value on a place: coordinates become numbers, field atoms become `At` atoms."""
    replacements: dict[Expr, Expr] = {x: Constant(value) for x, value in places}
    for n in postorder(a, stop=is_atom):
        if is_atom(n) and isinstance(n, Apply) and n.op is Op.AT:
            own = {x for x, _ in n.attr}
            extra = tuple((x, v) for x, v in places if x not in own and x in _dependencies(n))
            together = tuple(sorted((*n.attr, *extra), key=lambda place: place[0].of.names.index(place[0].name)))
            replacements[n] = node(Op.AT, n.operands, together, ())
        elif is_atom(n) and not isinstance(n, Coordinate):
            where = tuple((x, v) for x, v in places if x in _dependencies(n))
            if where:
                replacements[n] = node(Op.AT, (n,), where, ())
    return substitute(a, replacements)


def _dependencies(atom: Expr) -> tuple[Coordinate, ...]:
    if isinstance(atom, Apply) and atom.op is Op.INTEGRAL:
        raise LoweringError("a point value of an integral", "the integral of a point value", "write integral(at(u, …))")
    while isinstance(atom, Apply):
        atom = atom.operands[0]
    return getattr(atom, "on", ())


def _flat_index(index: tuple[int, ...], shape: tuple[int, ...]) -> int:
    flat = 0
    for i, n in zip(index, shape, strict=True):
        flat = flat * n + i
    return flat


def _count(shape: tuple[int, ...]) -> int:
    count = 1
    for n in shape:
        count *= n
    return count
