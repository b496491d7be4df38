"""Unknown parameters of a problem, from the numbers of an equation that has the form of its own."""

from __future__ import annotations

from collections.abc import Sequence

from sciml.expr.leaves import Parameter
from sciml.expr.nodes import Scalar
from sciml.expr.traverse import leaves
from sciml.problem import Problem
from sciml.solution import Estimate
from solvers.prose.candidates import Candidate
from solvers.prose.canonical import folded
from solvers.prose.skeleton import Skeleton


def answered(problem: Problem, skeleton: Skeleton, found: Sequence[Candidate]) -> tuple[Problem, dict[str, Estimate]]:
    """The problem with the form that the model finds most probable, and estimates of its parameters.

    If that is the problem's own form, the problem stays as it is and its unknown parameters are estimated, as far as
    each stands linearly in a number; one that stands in several is their average, weighted by what the model thinks of
    each. Otherwise the equations are the model's, with parameters of their own.

    Args:
        problem: what was asked.
        skeleton: of its equations.
        found: equations that the model wrote, the most probable first.
    """
    known = {name: Estimate(p.value) for name, p in problem.parameters.items() if p.value is not None}
    if not found:
        return problem, known
    best = found[0]
    if best.skeleton.words == skeleton.words:
        return problem, known | _own(problem, skeleton, best)
    changed = problem.replace(equations=best.open_equations(problem))
    return changed, {n: e for n, e in known.items() if n in changed.parameters} | best.estimates()


def _own(problem: Problem, skeleton: Skeleton, best: Candidate) -> dict[str, Estimate]:
    """Estimates of the problem's unknown parameters from equations of its own form."""
    opinions = best.estimates()
    gathered: dict[str, list[tuple[float, float]]] = {}
    for number, mine in zip(skeleton.numbers, best.skeleton.numbers, strict=True):
        line, opinion = _line(number), opinions.get(getattr(mine, "name", ""))
        if line is not None and opinion is not None and problem.parameters[line[0]].value is None:
            name, slope, offset = line
            width = opinion.standard_error or 0.0
            gathered.setdefault(name, []).append(((opinion.value - offset) / slope, abs(width / slope)))
    return {name: _average(values) for name, values in gathered.items()}


def _line(number: Scalar) -> tuple[str, float, float] | None:
    """`(name, a, b)` of a number a p + b of one parameter p."""
    names = {leaf.name for leaf in leaves(number) if isinstance(leaf, Parameter)}
    if len(names) != 1:
        return None
    (name,) = names
    at = [float(folded(number, {name: value})) for value in (0.5, 1.0, 2.0)]
    slope = (at[2] - at[0]) / 1.5
    is_line = abs(at[1] - (at[0] + 0.5 * slope)) <= 1e-9 * (abs(at[1]) + abs(slope))
    return (name, slope, at[1] - slope) if is_line and slope else None


def _average(values: list[tuple[float, float]]) -> Estimate:
    """Mean weighted by precision; numbers of one trajectory err together, so the width is that of the best."""
    precision = sum(1 / width**2 for _, width in values)
    mean = sum(value / width**2 for value, width in values) / precision
    return Estimate(mean, min(width for _, width in values))
