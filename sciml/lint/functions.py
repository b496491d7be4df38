"""Functions that users bind: a coefficient must give one finite number a point, a law a value of its shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sciml.expr.coefficients import FunctionData
from sciml.expr.leaves import Coefficient, LawSymbol
from sciml.lint.findings import Finding, Weight
from sciml.lint.host import EVERYWHERE, place_points
from sciml.lint.subject import Subject

_POINTS = 4


def check_functions(subject: Subject) -> Iterator[Finding]:
    """Each function is called once, before a solver meets it inside a trace."""
    for c in subject.problem.coefficients.values():
        if isinstance(c.payload, FunctionData) and subject.box is not None:
            points = place_points(subject.box, EVERYWHERE, _POINTS)
            yield from _coefficient(c, [points[x.name] for x in c.on])
    for symbol in subject.problem.laws:
        function = subject.problem.bindings.get(symbol.name)
        if function is not None:
            yield from _law(symbol, function)


def _error(found: str, needed: str, todo: str) -> Finding:
    return Finding(Weight.ERROR, found, needed, todo)


def _coefficient(c: Coefficient, at: list[np.ndarray]) -> Iterator[Finding]:
    names = ", ".join(x.name for x in c.on)
    needed = f"a JAX function of the arrays ({names}) that returns one finite number a point"
    try:
        values = np.asarray(c.payload(*at), float)
    except Exception as error:  # whatever a user's function raises, the answer is the same
        yield _error(
            f"{_first_line(error)} from the function of coefficient {c.name!r}", needed, "correct the function"
        )
        return
    if not np.isfinite(values).all():
        bad = int((~np.isfinite(values)).sum())
        yield _error(
            f"{bad} of {values.size} values of coefficient {c.name!r} that are not finite", needed, "correct it"
        )


def _law(symbol: LawSymbol, function: Any) -> Iterator[Finding]:
    needed = f"a JAX function of arrays of shapes {symbol.inputs} that returns shape {symbol.shape}"
    inputs = [jax.ShapeDtypeStruct(shape, jnp.float64) for shape in symbol.inputs]
    try:
        result = jax.eval_shape(function, *inputs)
    except Exception as error:  # as above
        yield _error(f"{_first_line(error)} from the function of law {symbol.name!r}", needed, "correct the function")
        return
    shape = getattr(result, "shape", None)
    if shape != symbol.shape:
        yield _error(
            f"shape {shape} from the function of law {symbol.name!r}", needed, "correct the function or the law"
        )


def _first_line(error: Exception) -> str:
    text = str(error).strip().split("\n")[0]
    return f"{type(error).__name__} ({text})" if text else type(error).__name__
