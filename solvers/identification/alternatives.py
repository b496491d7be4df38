"""The problem among several forms, and their one-term edits, for which the observations speak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sciml.errors import SciMLError
from sciml.expr.equation import Equation
from sciml.problem import Problem
from sciml.solver import Run
from solvers.identification.data import Data
from solvers.identification.fitting import Schedule, fit
from solvers.identification.forms import Form, edited
from solvers.identification.model import Model
from solvers.identification.reading import not_identifiable, read
from solvers.identification.selection import Settings, criterion, repair, screened

Candidate = Problem | Equation | Sequence[Equation]


def with_form(problem: Problem, candidate: Candidate) -> Problem:
    """The observed problem with the equations of a candidate."""
    equations: Any = candidate.equations if isinstance(candidate, Problem) else candidate
    numbers = candidate.numbers if isinstance(candidate, Problem) else {}
    made = problem.replace(equations=equations)
    return made.replace(**{name: value for name, value in numbers.items() if name in made.parameters})


def not_comparable(problem: Problem, candidates: Sequence[Candidate]) -> list[str]:
    """Reasons why candidates cannot stand in for a problem's equations."""
    reasons = []
    for k, candidate in enumerate(candidates):
        try:
            other = with_form(problem, candidate)
        except SciMLError as error:
            reasons.append(f"candidate {k}: {error}")
            continue
        if {u.digest for u in other.unknowns} != {u.digest for u in problem.unknowns}:
            names = ", ".join(repr(u) for u in other.unknowns)
            reasons.append(f"candidate {k} for the fields {names}: it needs those of the problem")
        else:
            reasons += [f"candidate {k}: {r}" for r in not_identifiable(other, needs_unknowns=False)]
    return reasons


def not_repairable(problem: Problem) -> list[str]:
    """Reasons why one-term edits cannot be tried."""
    if problem.space:
        return ["repair of a problem in space: it needs one in time alone"]
    if not _is_fully_observed(problem):
        return ["repair with fields that are not observed: it needs observations of each field"]
    return []


def best_problem(
    problem: Problem, candidates: Sequence[Candidate], *, shortlist: int, points: int, modes: int, spread: float,
    schedule: Schedule, shared: bool, run: Run,
) -> tuple[Problem, dict[str, float]]:  # fmt: skip
    """The problem with the form that Schwarz' criterion prefers, and the criterion of each that was fitted."""
    tried = [problem, *(with_form(problem, c) for c in candidates)]
    scores: dict[str, float] = {}
    order = _screened(tried, shortlist, points, modes, spread)
    values = {}
    for k in order:
        if values and run.is_over:
            break
        model, data, noise = read(tried[k], points=points, modes=modes, spread=spread)
        found = fit(model, data, schedule, noise=noise, shared=shared)
        free = len(model.names) + model.freedom
        values[k] = float(criterion(data, found, free, shared, noise is not None)[0])
        scores[f"criterion_{k}"] = values[k]
    return tried[min(values, key=lambda k: values[k])], scores


def repaired(
    problem: Problem, *, points: int, modes: int, spread: float, schedule: Schedule, shared: bool
) -> tuple[Problem, dict[str, float]]:
    """The problem after the one-term edit that the criterion prefers, if any."""
    model, data, noise = read(problem, points=points, modes=modes, spread=spread)
    form, seen, sigma = _ordered(problem, model, data, noise)
    settings = Settings(schedule, shared, sigma, spread, problem.arguments)
    found = repair(form, seen, settings)
    best = int(found.best[0])
    gain = float(found.scores[0, 0] - found.scores[best, 0])
    if best == 0:
        return problem, {"repair_gain": 0.0}
    return problem.replace(equations=edited(form, found.edits[best]).equations), {"repair_gain": gain}


def _screened(tried: list[Problem], shortlist: int, points: int, modes: int, spread: float) -> list[int]:
    """The problems to fit, by the weak form where that can judge."""
    everything = list(range(len(tried)))
    if len(tried) <= shortlist or tried[0].space or not _is_fully_observed(tried[0]):
        return everything
    scores = []
    for problem in tried:
        model, data, noise = read(problem, points=points, modes=modes, spread=spread)
        if model.freedom != len(problem.unknowns):  # second order in time: rates are not observed
            return everything
        form, seen, _ = _ordered(problem, model, data, noise)
        scores.append(float(screened([form], seen)[0, 0]))
    return [int(k) for k in np.argsort(scores, kind="stable")[:shortlist]]


def _is_fully_observed(problem: Problem) -> bool:
    seen = {o.expression.digest for o in problem.observations}
    return all(u.digest in seen for u in problem.unknowns)


def _ordered(
    problem: Problem, model: Model, data: Data, noise: np.ndarray | None
) -> tuple[Form, Data, np.ndarray | None]:
    """The form, and the data with their quantities in the order of its unknowns."""
    form = Form.of(problem)
    digests = [e.digest for e in model.outputs]
    rows = np.array([digests.index(u.digest) for u in form.unknowns])
    seen = replace(data, values=data.values[:, rows], seen=data.seen[:, rows])
    return form, seen, None if noise is None else noise[rows]
