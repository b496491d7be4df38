"""What a problem is made of, checked and collected: statements, numbers, data and a declared solution."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from sciml.content import payload_text
from sciml.errors import ProblemError
from sciml.expr.build import as_expr, components
from sciml.expr.equation import Condition, Equation, refuse_chained
from sciml.expr.leaves import Coefficient, Parameter
from sciml.expr.lowering import lower
from sciml.expr.nodes import Expr, Scalar
from sciml.expr.traverse import fields, laws, walk_payload
from sciml.observations import Observation
from sciml.reference import AbstractReference, ComputedReference, ExactReference

if TYPE_CHECKING:
    from sciml.problem import Problem


def read_equations(given: Equation | Iterable[Equation]) -> list[Equation]:
    """The equations a user gave, one or several.

    Raises:
        ProblemError: something that is no equation, or none at all.
        ExpressionError: a chained `==`.
    """
    items = [given] if isinstance(given, Equation) else list(given) if isinstance(given, (list, tuple)) else [given]
    for item in items:
        if isinstance(item, (bool, np.bool_)):
            raise ProblemError(
                f"{item} in place of an equation", "an Equation", "a side of `==` is not an expression: fix it"
            )
        if isinstance(item, Condition):
            raise ProblemError(
                f"the condition `{item!r}` among the equations", "equations", "move it to conditions=[...]"
            )
        if not isinstance(item, Equation):
            raise ProblemError(f"{type(item).__name__} `{item!r}` as an equation", "lhs == rhs", "end it with == 0")
        refuse_chained(item)
    if not items:
        raise ProblemError("no equations", "at least one", "write equations=[u.dt == u.dxx]")
    return items  # type: ignore[return-value]


def read_conditions(given: Condition | Iterable[Condition]) -> list[Condition]:
    """The conditions a user gave, one or several.

    Raises:
        ProblemError: something that is no condition.
        ExpressionError: a chained `==`.
    """
    single = isinstance(given, (Condition, Equation)) or not isinstance(given, Iterable)
    items = [given] if single else list(given)  # type: ignore[arg-type]
    for item in items:
        if isinstance(item, Equation):
            raise ProblemError(f"`{item!r}` among the conditions", "a region where it holds", "add .on(domain.at(t=0))")
        if not isinstance(item, Condition):
            raise ProblemError(
                f"{type(item).__name__} `{item!r}` as a condition", "(lhs == rhs).on(region)", "rewrite it"
            )
        refuse_chained(item.equation)
    return items  # type: ignore[return-value]


def read_observations(given: Iterable[Observation]) -> list[Observation]:
    """The observations a user gave.

    Raises:
        ProblemError: something that is no observation.
    """
    from sciml.trajectory import ObservedMotion

    items: list[Observation] = list(given) if isinstance(given, Iterable) else [given]
    for item in items:
        if not isinstance(item, Observation | ObservedMotion):
            raise ProblemError(
                f"{type(item).__name__} among the observations",
                "an Observation",
                "use problem.observe(u, points, values)",
            )
    return items


def trees_of(*groups: Iterable[Any]) -> list[Expr]:
    """Both sides of every equation and condition, and what is observed."""
    equations, conditions, observations = groups
    sides = [side for e in equations for side in (e.lhs, e.rhs)]
    sides += [side for c in conditions for side in (c.equation.lhs, c.equation.rhs)]
    return sides + [o.expression for o in observations]


def truth_trees(exact: Any, reference: Any) -> list[Expr]:
    """Expressions of a declared solution, whose numbers and data belong to the problem too.

    Raises:
        ProblemError: `exact` is no dictionary, or `reference` no truth.
    """
    if exact is not None and not isinstance(exact, Mapping):
        raise ProblemError(f"{type(exact).__name__} as exact=", "{field: expression}", "write exact={u: sin(x)}")
    if reference is not None and not isinstance(reference, (AbstractReference, ComputedReference)):
        raise ProblemError(
            f"{type(reference).__name__} as reference=", "a truth of sciml.reference", "see ExactReference"
        )
    values = exact.values() if exact is not None else ()
    if isinstance(reference, ExactReference):
        values = reference.expressions.values()
    return [as_expr(value) for value in values]


def drop_unused(parts: dict[str, Any]) -> None:
    """Numbers and functions for names that other equations and conditions no longer have."""
    trees = trees_of(read_equations(parts["equations"]), read_conditions(parts["conditions"]), parts["observations"])
    parameters = {p.name for p in walk_payload(*trees) if isinstance(p, Parameter)}
    symbols = {symbol.name for symbol in laws(*trees)}
    parts["numbers"] = {name: value for name, value in parts["numbers"].items() if name in parameters}
    parts["bindings"] = {name: f for name, f in parts["bindings"].items() if name in symbols}


def collect_parameters(trees: list[Expr], numbers: Mapping[str, float | None]) -> dict[str, Parameter]:
    """Parameters by name, with the numbers that were given apart from them.

    Raises:
        ProblemError: two numbers under one name.
    """
    found: dict[str, Parameter] = {}
    for p in walk_payload(*trees):
        if isinstance(p, Parameter):
            first = found.setdefault(p.name, p)
            if (first.value, first.positive, first.prior) != (p.value, p.positive, p.prior):
                raise ProblemError(
                    f"two parameters named {p.name!r} with different numbers, {first.value} and {p.value}",
                    "one number a name",
                    "create the Parameter once and use it everywhere",
                )
    return {n: _renumbered(p, numbers[n]) if n in numbers else p for n, p in found.items()}


def _renumbered(p: Parameter, value: float | None) -> Parameter:
    init = p.init if value is not None or p.value is None else (p.init if p.init != 1.0 else p.value)
    return Parameter(p.name, value, init=init, positive=p.positive, prior=p.prior)


def collect_coefficients(trees: list[Expr]) -> dict[str, Coefficient]:
    """Coefficients by name.

    Raises:
        ProblemError: two data under one name.
    """
    found: dict[str, Coefficient] = {}
    for c in walk_payload(*trees):
        if isinstance(c, Coefficient):
            first = found.setdefault(c.name, c)
            if payload_text(first.payload) != payload_text(c.payload):
                raise ProblemError(f"two coefficients named {c.name!r} with different data", "one", "create it once")
    return found


def exact_reference(exact: Mapping[Any, Any], problem: Problem) -> ExactReference:
    """The declared solution as a truth.

    Raises:
        ProblemError: a field that the equations lack or that is left out, a wrong shape or frame.
    """
    parts: dict[str, Scalar] = {}
    for key, value in exact.items():
        leaf = problem.field(key) if isinstance(key, str) else key
        if not isinstance(leaf, Expr) or not all(part in problem.unknowns for part in components(leaf)):
            raise ProblemError(f"an exact solution for {key!r}", "fields of the equations", "check the keys of exact=")
        e = as_expr(value)
        if e.shape != leaf.shape:
            raise ProblemError(f"an exact {leaf!r} of shape {e.shape}", f"shape {leaf.shape}", "give all components")
        if fields(e):
            raise ProblemError(
                f"an exact solution `{e!r}` with a field in it", "coordinates and numbers", "spell it out"
            )
        if e.frame is not None and e.frame != problem.domain.frame:
            raise ProblemError(
                f"an exact solution in the coordinates {e.frame}",
                f"those of the domain, {problem.domain.frame}",
                "use them",
            )
        parts.update({repr(u): v for u, v in zip(components(leaf), lower(e), strict=True)})
    missing = [repr(u) for u in problem.unknowns if repr(u) not in parts]
    if missing:
        raise ProblemError(
            f"no exact solution for {', '.join(missing)}", "one for every field", "add it, or drop exact="
        )
    return ExactReference(parts, problem.arguments)
