"""Which laws of a problem can be learned, what they read, and which must be positive."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np

from sciml.errors import LoweringError, ProblemWarning
from sciml.expr.calculus import D
from sciml.expr.evaluation import evaluate
from sciml.expr.leaves import LawSymbol
from sciml.expr.linear import partial
from sciml.expr.nodes import Apply, Scalar
from sciml.expr.operations import Op
from sciml.expr.reduce import is_number
from sciml.expr.traverse import atoms, is_unknown, laws, multi_index, postorder, scalar_leaf
from sciml.known import BoundLaws, known_values
from sciml.observations import Observation
from sciml.problem import Problem
from solvers.classical.finite_difference.grid import Grid
from solvers.classical.finite_difference.support import reasons_of_kind, reasons_of_system
from solvers.classical.laws.spline import SplineLaw

MOST_VALUES = 2500
"""Values on the grid up to which the dense systems of the implicit steps are sensible."""
_PROBES = 16


def learned_laws(problem: Problem) -> dict[str, SplineLaw]:
    """Laws of the problem that were learned before, with their posterior."""
    return {n: f for n, f in problem.bindings.items() if isinstance(f, SplineLaw)}


def inputs(problem: Problem, symbol: LawSymbol) -> list[Scalar]:
    """What a law is applied to, wherever it stands."""
    trees = [*(e.residual for e in problem.equations), *(c.equation.residual for c in problem.conditions)]
    found = [n for n in postorder(*trees) if isinstance(n, Apply) and n.op is Op.LAW and n.attr[0] == symbol]
    return [arg for n in found for arg in n.operands]  # type: ignore[misc]


def with_stand_ins(problem: Problem, value: float = 1.0) -> Problem:
    """The problem with a constant in place of every open law."""
    with warnings.catch_warnings():  # what is doubtful was said when the problem was built
        warnings.simplefilter("ignore", ProblemWarning)
        for symbol in problem.unbound_laws:
            problem = problem.bind(symbol.name, lambda *_, shape=symbol.shape: jnp.full(shape, value))
    return problem


def not_learnable(problem: Problem, grid: Grid | None, order: int) -> Iterator[str]:
    """Reasons why the laws cannot be learned, or a learned law's band not be carried on.

    Args:
        problem: what is to be solved.
        grid: in space; None where the problem has none.
        order: of the differences.
    """
    if problem.time is None:
        yield "it needs an evolution in time: a time coordinate, and an initial condition"
        return
    open_laws = problem.unbound_laws
    if not open_laws and not learned_laws(problem):
        yield "no unknown law: it needs Law(...) in an equation without a function, or one that it has learned"
    for symbol in open_laws:
        yield from _law_reasons(problem, symbol)
    if open_laws:
        yield from _observation_reasons(problem)
    reasons = list(reasons_of_kind(with_stand_ins(problem)))
    yield from reasons
    if reasons or grid is None:
        return
    yield from dict.fromkeys(reasons_of_system(with_stand_ins(problem), grid, order))
    values = int(np.prod(grid.shape)) * len(problem.unknowns)
    if values > MOST_VALUES:
        yield f"it needs at most {MOST_VALUES} values on the grid, not {values}: give fewer points"
    if any(is_positive(problem, symbol) is None for symbol in open_laws if symbol.shape == ()):
        yield "it needs laws that may be positive: with a positive law the equation has no stable solution, write -Law"


def _law_reasons(problem: Problem, symbol: LawSymbol) -> Iterator[str]:
    if symbol.shape != () or symbol.inputs != ((),):
        yield (
            f"it needs laws of one number that return one number; {symbol.name} takes shapes {symbol.inputs} "
            f"and returns shape {symbol.shape}"
        )
        return
    read = inputs(problem, symbol)
    if not read:
        yield f"it needs the law {symbol.name} in an equation or a condition"
    observed = {o.expression.digest for o in problem.observations if isinstance(o, Observation)}
    for e in read:
        if e not in problem.unknowns:
            yield f"it needs laws of a field itself, {symbol.name} reads `{e!r}`"
        elif problem.observations and e.digest not in observed:
            yield f"it needs observations of `{e!r}`, which {symbol.name} reads"


def _observation_reasons(problem: Problem) -> Iterator[str]:
    if not problem.observations:
        yield "no observations: it needs problem.observe(field, points, values)"
    for o in problem.observations:
        if not isinstance(o, Observation) or o.expression not in problem.unknowns:
            yield f"it needs observations of fields themselves, not {o!r}"


def is_positive(problem: Problem, symbol: LawSymbol) -> bool | None:
    """Whether an evolution needs this law to be positive; None if it would have to be negative.

    It must be where the highest derivative of even order m of some unknown, in $u_t = d\\,\\partial_x^m u + …$, has
    $(-1)^{m/2+1}d = 0$ with the law at zero, and a positive value with the law at one.
    """
    try:
        residuals = problem.residuals
    except LoweringError:
        return False
    signs = [_sign(problem, e, u, symbol) for e in residuals for u in problem.unknowns]
    first = next((sign for sign in signs if sign), 0)
    return None if first < 0 else first > 0


def _sign(problem: Problem, e: Scalar, u: Scalar, symbol: LawSymbol) -> int:
    """Sign that one unknown in one equation asks of a law; 0 where it asks for none."""
    assert problem.time is not None
    mass = partial(e, D(u, problem.time))
    if is_number(mass, 0):
        return 0
    for x in problem.space:
        own = [a for a in atoms(e) if is_unknown(a) and scalar_leaf(a) == u and all(y == x for y in multi_index(a))]
        order = max((len(multi_index(a)) for a in own), default=0)
        top = partial(e, D(u, *[x] * order))
        if order == 0 or order % 2 or symbol not in laws(top):
            continue
        side = (-1.0) ** (order // 2)
        off, on = (side * _ratio(problem, top, mass, symbol, value) for value in (0.0, 1.0))
        if np.all(off == 0) and np.any(on != 0):
            return 1 if np.all(on >= 0) else -1
    return 0


def _ratio(problem: Problem, top: Scalar, mass: Scalar, symbol: LawSymbol, value: float) -> np.ndarray:
    """A coefficient over another at some points, with fields of order one and a constant for a law."""
    random = np.random.default_rng(0)
    points = {name: random.uniform(*bounds, _PROBES) for name, bounds in problem.domain.bounds.items()}
    bound = with_stand_ins(problem)
    arguments = bound.arguments
    functions = BoundLaws({**arguments.laws, symbol.name: lambda _: jnp.asarray(value)})
    needed = atoms(top, mass)
    values = known_values(needed, {n: jnp.asarray(p) for n, p in points.items()}, arguments)
    values |= {a: jnp.asarray(random.uniform(0.5, 1.5, _PROBES)) for a in needed if is_unknown(a)}
    return np.asarray(_evaluated(top, values, functions) / _evaluated(mass, values, functions))


def _evaluated(e: Scalar, values: Any, functions: BoundLaws) -> Any:
    return jnp.broadcast_to(jnp.asarray(evaluate(e, values, functions), float), (_PROBES,))


def input_range(problem: Problem, symbol: LawSymbol, initial: np.ndarray) -> tuple[float, float]:
    """Least and greatest value that a law's input takes in the observations and at the start.

    Args:
        problem: with observations.
        symbol: of the law.
        initial: values of the unknowns at the start, `(unknowns, ...)`.
    """
    values = []
    for e in inputs(problem, symbol):
        values.append(initial[problem.unknowns.index(e)].reshape(-1))
        values += [o.values for o in problem.observations if o.expression == e]
    every = np.concatenate(values)
    return float(every.min()), float(every.max())
