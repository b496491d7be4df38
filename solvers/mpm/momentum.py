"""Recognising momentum balance: which density, law and load an equation has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from sciml.errors import SciMLError
from sciml.expr.build import as_expr, components
from sciml.expr.calculus import D, grad
from sciml.expr.leaves import Coefficient, LawSymbol, VectorField
from sciml.expr.linear import split, terms
from sciml.expr.lowering import lower
from sciml.expr.nodes import Apply, Expr, Scalar
from sciml.expr.operations import Op
from sciml.expr.traverse import atoms, fields, multi_index, scalar_leaf
from sciml.problem import Problem

_FORM = "the form rho*phi.dtt == div(P) + rho*b with P = Law('stress', grad(phi), …)"


@final
@dataclass(frozen=True)
class MomentumBalance:
    r"""$a\,\ddot\varphi = s\,\nabla\cdot P + f$: density $a/s$, load $f/a$.

    Attributes:
        map: the deformation map φ.
        law: symbol of the stress.
        inertia: a.
        factor: s.
        source: components of f.
        reads_rate: whether the law reads `grad(phi.dt)`.
        reads_body: whether the law reads a coefficient that numbers bodies.
    """

    map: VectorField
    law: LawSymbol
    inertia: Scalar
    factor: Scalar
    source: tuple[Scalar, ...]
    reads_rate: bool
    reads_body: bool


def momentum_balance(problem: Problem) -> MomentumBalance | str:
    """What the equation says, or why it is not the balance of momentum of a body."""
    if len(problem.equations) != 1:
        return f"{len(problem.equations)} equations; it needs one, of {_FORM}"
    equation, space, t = problem.equations[0], problem.space, problem.time
    unknown = problem.fields[0] if len(problem.fields) == 1 else None
    if t is None or not isinstance(unknown, VectorField) or unknown.size != len(space):
        return f"the equation `{equation!r}` for {', '.join(map(repr, problem.fields))}; it needs {_FORM}"
    source: list[Any]
    inertia, source = as_expr(0.0), [as_expr(0.0)] * len(space)
    stress: tuple[Any, Apply] | None = None
    for term in terms(equation.residual):
        found = _stress_term(term)
        if found is not None:
            if stress is not None:
                return f"two divergences in `{equation!r}`; it needs one law with all stress in it"
            stress = found
        elif not fields(term):
            source = [f - part for f, part in zip(source, lower(term), strict=True)]
        else:
            coefficient = _inertia(term, unknown)
            if coefficient is None:
                return f"the term `{term!r}` in `{equation!r}`; it needs {_FORM} and no other term with the map in it"
            inertia = inertia + coefficient
    if stress is None or fields(inertia) or (not atoms(inertia) and float(_constant(inertia)) == 0):
        return f"no acceleration or no divergence of a law in `{equation!r}`; it needs {_FORM}"
    return _balance(unknown, inertia, *stress, source)


def _balance(unknown: VectorField, inertia: Any, factor: Any, law: Apply, source: list[Any]) -> MomentumBalance | str:
    first, *others = law.operands
    time = next(x for x in unknown.on if x.is_time)
    if first.digest != grad(unknown).digest:
        return f"a stress that depends on `{first!r}`; it needs Law(…, grad({unknown.name}), …), or that and more"
    rate = [o for o in others if o.digest == grad(D(unknown, time)).digest]
    body = [o for o in others if isinstance(o, Coefficient)]
    if len(rate) > 1 or len(body) > 1 or len(rate) + len(body) < len(others):
        return (
            f"a stress that depends on {', '.join(f'`{o!r}`' for o in others)}; beside grad({unknown.name}) it may "
            f"depend on grad({unknown.name}.d{time.name}) and on a coefficient that numbers bodies"
        )
    return MomentumBalance(unknown, law.attr[0], inertia, factor, tuple(source), bool(rate), bool(body))


def _stress_term(term: Expr) -> tuple[Any, Apply] | None:
    """Factor and law of `factor * div(law(…))`, moved to the right-hand side of the equation."""
    if not isinstance(term, Apply):
        return None
    if term.op is Op.DIV and isinstance(term.operands[0], Apply) and term.operands[0].op is Op.LAW:
        return as_expr(-1.0), term.operands[0]
    if term.op is Op.NEGATIVE:
        inner = _stress_term(term.operands[0])
        return None if inner is None else (-inner[0], inner[1])
    if term.op in (Op.MULTIPLY, Op.DIVIDE):
        left: Any
        right: Any
        left, right = term.operands
        inner = _stress_term(left)
        if inner is not None and not right.shape:
            return (inner[0] * right if term.op is Op.MULTIPLY else inner[0] / right), inner[1]  # type:
            ignore[operator]
        inner = _stress_term(right) if term.op is Op.MULTIPLY else None
        if inner is not None and not left.shape:
            return inner[0] * left, inner[1]
    return None


def _inertia(term: Expr, unknown: VectorField) -> Any:
    """The coefficient c of a term c φ_tt, the same in every component; None for any other term."""
    found = []
    try:
        parts = lower(term)
    except SciMLError:
        return None
    for part, component in zip(parts, components(unknown), strict=True):
        pieces = split(part)
        if not pieces.is_linear or len(pieces.linear) != 1 or atoms(pieces.source):
            return None
        ((atom, coefficient),) = pieces.linear.items()
        leaf = scalar_leaf(atom)
        if leaf is None or leaf.digest != component.digest or [x.is_time for x in multi_index(atom)] != [True, True]:
            return None
        found.append(coefficient)
    return found[0] if all(c.digest == found[0].digest for c in found) else None


def _constant(e: Any) -> float:
    from sciml.expr.evaluation import evaluate

    return float(np.asarray(evaluate(e, {})))
