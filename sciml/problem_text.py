"""How problems and solutions are shown: a few lines of text, LaTeX, and HTML for notebooks."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

from sciml.conditions import placed_conditions
from sciml.domains.box import Box
from sciml.domains.regions import Place, Region
from sciml.errors import ProblemWarning, SciMLError
from sciml.expr.classify import Classification, Kind, classify
from sciml.expr.equation import Condition, scalar_residuals
from sciml.expr.latex import latex
from sciml.expr.leaves import Parameter
from sciml.expr.symbols_latex import number, symbol
from sciml.reference import AbstractReference, ComputedReference
from sciml.solution import Estimate

if TYPE_CHECKING:
    from sciml.domains.domain import AbstractDomain
    from sciml.problem import Problem
    from sciml.solution import Solution

_MOST_PLACES = 4
"""Places of a region that are written out; a region of more is called by its name."""


def problem_text(problem: Problem) -> str:
    """Equations and what kind they are, domain, conditions with the kind recognised, numbers, data, truth."""
    lines = [repr(e) for e in problem.equations]
    lines += [f"  {sentence}" for sentence in kinds_of_equations(problem)]
    lines.append(f"on {problem.domain!r}")
    for condition in problem.conditions:
        kinds = ", ".join(kinds_of_condition(condition))
        lines.append(f"{condition.equation!r}  on {condition.region!r}" + (f"  ({kinds})" if kinds else ""))
    lines += [f"{p.name} {_parameter(p)}" for p in problem.parameters.values()]
    lines += [repr(o) for o in problem.observations]
    lines += [f"truth: {truth}" for truth in _truth(problem)]
    return "\n  ".join([f"Problem {problem.name}".rstrip(), *lines])


def classification_text(facts: Classification) -> str:
    """One sentence about one scalar equation."""
    parts = []
    for unknown, orders in facts.orders.items():
        order = ", ".join(f"{n} in {x.name}" for x, n in sorted(orders.items(), key=lambda item: item[0].name))
        kind = facts.linearity[unknown].value
        parts.append(f"{kind} in {unknown!r} (order {order})" if order else f"{kind} in {unknown!r} (no derivative)")
    if facts.kind is not Kind.OTHER:
        parts.append(facts.kind.value)
    if facts.constant_coefficients:
        parts.append("constant coefficients")
    if facts.conservative:
        parts.append("in conservation form")
    return "; ".join(parts)


def kinds_of_equations(problem: Problem) -> list[str]:
    """A sentence for each scalar equation, equal ones once; why, where one cannot be classified."""
    sentences: dict[str, None] = {}
    for equation in problem.equations:
        for part in scalar_residuals(equation):
            try:
                sentences[classification_text(classify(part))] = None
            except SciMLError as error:
                sentences[f"not classified: {error.found}"] = None
    return [sentence for sentence in sentences if sentence]


def kinds_of_condition(condition: Condition) -> list[str]:
    """What a condition was recognised as: Dirichlet, initial, periodic, …; empty where it cannot be lowered."""
    try:
        return sorted({placed.kind.value for placed in placed_conditions((condition,))})
    except SciMLError:
        return []


def doubts(problem: Problem) -> list[str]:
    """Sentences of the warnings that the problem raised when it was made."""
    from sciml.lint import check_problem

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_problem(problem)
    return [str(w.message) for w in caught if issubclass(w.category, ProblemWarning)]


def _parameter(p: Parameter) -> str:
    if p.is_known:
        return f"= {p.value!r}"
    prior = "" if p.prior is None else f", prior {p.prior[0]:g} ± {p.prior[1]:g}"
    return f"unknown, {'positive, ' if p.positive else ''}search starts at {p.init:g}{prior}"


def _truth(problem: Problem) -> list[str]:
    """Where the truth comes from; its error is not asked for, since that may compute it."""
    truth = problem.reference
    if isinstance(truth, ComputedReference):
        return [f"computed by {truth.solver}"]
    return [truth.kind] if isinstance(truth, AbstractReference) else []


# LaTeX


def problem_latex(problem: Problem) -> str:
    """Equations and conditions in one aligned display."""
    rows = [_aligned(latex(e.lhs), latex(e.rhs), "") for e in problem.equations]
    for c in problem.conditions:
        rows.append(_aligned(latex(c.equation.lhs), latex(c.equation.rhs), region_latex(problem.domain, c.region)))
    return "$$\\begin{aligned} " + " \\\\ ".join(rows) + " \\end{aligned}$$"


def _aligned(left: str, right: str, where: str) -> str:
    return f"{left} &= {right}" + (f" && {where}" if where else "")


def region_latex(domain: AbstractDomain, region: Region) -> str:
    """Where a condition holds, with the numbers of the domain: `x = 0 and x = 1`."""
    if not isinstance(domain, Box) or len(region.places) > _MOST_PLACES:
        return f"\\text{{{region.name.replace('_', chr(92) + '_')}}}"
    return " \\text{ and } ".join(_place_latex(domain, place) for place in region.places)


def _place_latex(box: Box, place: Place) -> str:
    if place.is_everywhere:
        return "\\text{everywhere}"
    return ",\\ ".join(f"{symbol(name)} = {_rounded(value)}" for name, value in box.place_values(place).items())


def _rounded(value: float) -> str:
    return number(int(value) if float(value).is_integer() and abs(value) < 1e6 else value)


def _domain_latex(domain: AbstractDomain) -> str:
    intervals = [
        f"{symbol(name)} \\in [{_rounded(lower)}, {_rounded(upper)}{')' if name in domain.periodic else ']'}"
        for name, (lower, upper) in domain.bounds.items()
    ]
    periodic = ", ".join(symbol(name) for name in domain.bounds if name in domain.periodic)
    return ",\\quad ".join(intervals) + (f"\\quad \\text{{periodic in }} {periodic}" if periodic else "")


# HTML

_TABLE = '<table style="border-collapse: collapse; text-align: left">'
_HEAD = '<th style="text-align: left; vertical-align: top; padding-right: 1em">'
_CELL = '<td style="text-align: left">'


def problem_html(problem: Problem) -> str:
    """Equations as displayed LaTeX, and a table of all else."""
    title = f"<b>{escape(problem.name)}</b>" if problem.name else "<b>Problem</b>"
    equations = "".join(f"<div>$${escape(latex(e))}$$</div>" for e in problem.equations)
    return f"<div>{title}{equations}{_rows(_problem_rows(problem))}</div>"


def _problem_rows(problem: Problem) -> Iterable[tuple[str, list[str]]]:
    """Headings, each with its lines of HTML."""
    yield "Kind", [escape(sentence) for sentence in kinds_of_equations(problem)]
    yield "Domain", [_math(_domain_latex(problem.domain))]
    fields = [f"{latex(f)}({', '.join(symbol(x.name) for x in f.on)})" for f in problem.fields]
    yield "Unknowns", [_math(", ".join(fields))]
    yield "Parameters", [f"{_math(symbol(p.name))} {escape(_parameter(p))}" for p in problem.parameters.values()]
    yield "Coefficients", [_math(symbol(name)) for name in problem.coefficients]
    bound = {s.name: "bound" if s not in problem.unbound_laws else "unknown" for s in problem.laws}
    yield "Laws", [f"{_math(symbol(name))} {state}" for name, state in bound.items()]
    yield "Conditions", [_condition_html(problem, c) for c in problem.conditions]
    yield "Observations", [escape(repr(o)) for o in problem.observations]
    yield "Truth", [escape(truth) for truth in _truth(problem)]
    yield "Warnings", [escape(sentence) for sentence in doubts(problem)]


def _condition_html(problem: Problem, condition: Condition) -> str:
    statement = _math(
        f"{latex(condition.equation)} \\quad \\text{{at }} {region_latex(problem.domain, condition.region)}"
    )
    kinds = ", ".join(kinds_of_condition(condition))
    return f"{statement} <i>{escape(kinds)}</i>"


def solution_html(solution: Solution) -> str:
    """How the computation ended, what was inferred, what it cost, and the problem folded away."""
    stats = solution.stats
    seconds = f"{stats.total:.2f} s (compile {stats.compile:.2f} s, solve {stats.solve:.2f} s)"
    extra = [f"{escape(name)} {value:.4g}" for name, value in stats.extra.items() if isinstance(value, int | float)]
    rows = [
        ("Solver", [escape(solution.solver)]),
        ("Result", [f"{escape(solution.result.name)}: {escape(solution.result.value)}"]),
        ("Parameters", [_estimate(name, e) for name, e in solution.parameters.items()]),
        ("Time", [seconds]),
        (
            "Work",
            [f"{stats.unknowns} unknowns, {stats.iterations} iterations, peak memory {stats.peak_memory_mb:.0f} MB"],
        ),
        ("Measured", extra),
    ]
    name = escape(solution.problem.name or "a problem")
    folded = f"<details><summary>{name}</summary>{problem_html(solution.problem)}</details>"
    return f"<div><b>Solution of {name}</b>{_rows(rows)}{folded}</div>"


def _estimate(name: str, estimate: Estimate) -> str:
    return f"{_math(symbol(name))} = {escape(str(estimate))}"


def _math(body: str) -> str:
    return f"${escape(body)}$"


def _rows(rows: Iterable[tuple[str, list[str]]]) -> str:
    """A table with one row for each heading that has lines."""
    body = "".join(f"<tr>{_HEAD}{head}</th>{_CELL}{'<br>'.join(lines)}</td></tr>" for head, lines in rows if lines)
    return f"{_TABLE}{body}</table>"
