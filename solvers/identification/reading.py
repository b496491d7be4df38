"""The model and the data of one problem with observations."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from sciml.conditions import ConditionKind
from sciml.expr.evaluation import evaluate
from sciml.expr.leaves import Parameter
from sciml.expr.nodes import Scalar
from sciml.expr.reduce import is_number
from sciml.expr.traverse import atoms
from sciml.known import known_values
from sciml.observations import Observation
from sciml.problem import Problem
from sciml.rates import Rates, no_rates
from solvers.identification.data import Data
from solvers.identification.model import Model

MOST_CELLS = 1_000_000
"""Times by places of observations on an axis."""
EXACT = 1e-6
"""Relative standard deviation of stated initial data."""


def not_identifiable(problem: Problem, *, needs_unknowns: bool = True) -> list[str]:
    """Reasons why the numbers of a problem cannot be sought in its observations; empty if they can."""
    reasons = list(no_rates(problem))
    if problem.unbound_laws:
        names = ", ".join(symbol.name for symbol in problem.unbound_laws)
        reasons.append(f"laws without a function ({names}): it needs problem.bind(law, function)")
    if not problem.observations:
        reasons.append("no observations: it needs problem.observe(field, points, values)")
    if needs_unknowns and not problem.unknown_parameters:
        reasons.append(
            "nothing unknown: it needs a parameter without a number, as Parameter('a') or problem.forget('a')"
        )
    if reasons:
        return reasons
    reasons = _mixed_starts(problem)
    known = {u.digest for u in Rates.of(problem, 4).unknowns}
    for o in problem.observations:
        if not isinstance(o, Observation):
            return [f"an observation of type {type(o).__name__}: it needs values of fields"]
        others = [a for a in atoms(o.expression) if a.digest not in known]
        if others:
            reasons.append(f"the observation of `{o.expression!r}`: it needs expressions of the fields alone, "
                           f"without `{others[0]!r}`")  # fmt: skip
    times, places = _grids(problem)
    if times.size < 3:
        reasons.append(f"observations at {times.size} times: it needs at least three")
    if times.size * max(places.size, 1) > MOST_CELLS:
        reasons.append(f"{times.size} times by {places.size} places: it needs observations on a grid of "
                       f"at most {MOST_CELLS:,} points")  # fmt: skip
    return reasons


def read(problem: Problem, *, points: int, modes: int, spread: float) -> tuple[Model, Data, np.ndarray | None]:
    """Model, data of one trajectory that begin with the domain, and the noise `(C, 1)` if it is stated.

    Args:
        problem: one that passed `not_identifiable`.
        points: m of a periodic axis.
        modes: highest mode of an initial state.
        spread: relative width of priors that are not stated.
    """
    rates = Rates.of(problem, points)
    times, places = _grids(problem)
    assert problem.time is not None
    begin = float(problem.domain.bounds[problem.time.name][0])
    clock = times if times[0] <= begin else np.concatenate([[begin], times])
    outputs = _outputs(problem)
    starts = {p.digest for p in start_parameters(problem).values()}
    sought = [p for p in problem.unknown_parameters if p.digest not in starts]
    model = Model.of(rates, sought, outputs, spread=spread,
                     places=places if problem.space else None, modes=modes)  # fmt: skip
    values, weight, noise = _values(problem, outputs, clock, places)
    data = Data.of(clock, np.where(weight > 0, values, np.nan)[..., None], model.freedom)
    data = eqx.tree_at(lambda d: d.seen, data, jnp.asarray(weight)[..., None])
    return model, _with_start(problem, model, data), noise


def _mixed_starts(problem: Problem) -> list[str]:
    """Initial conditions with unknown numbers that are not the initial value itself."""
    allowed = {p.digest for p in start_parameters(problem).values()}
    unknown = {p.digest for p in problem.unknown_parameters} - allowed
    return [
        f"the initial condition `{c.residual!r} == 0` with an unknown number: it needs `u == number`, or `u == "
        "parameter` with a parameter of its own that may have any sign"
        for c in problem.placed_conditions
        if any(a.digest in unknown for a in atoms(c.residual))
    ]


def start_parameters(problem: Problem) -> dict[int, Parameter]:
    """Unknown parameters that are the initial value of an unknown, `u == p`, by the index of the unknown."""
    if problem.space:
        return {}
    in_rates = {a.digest for e in problem.residuals for a in atoms(e)}
    open_ones = {p.digest for p in problem.unknown_parameters}
    found: dict[int, Parameter] = {}
    for c in problem.placed_conditions:
        p = c.data
        if c.kind is not ConditionKind.INITIAL or c.unknown is None or not is_number(c.alpha, 1):
            continue
        if isinstance(p, Parameter) and not p.positive and p.digest in open_ones - in_rates and p not in found.values():
            found[[u.digest for u in problem.unknowns].index(c.unknown.digest)] = p
    return found


def _outputs(problem: Problem) -> list[Scalar]:
    found: dict[bytes, Scalar] = {}
    for o in problem.observations:
        found.setdefault(o.expression.digest, o.expression)
    return list(found.values())


def _grids(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """All times, and all places on the axis (none in time alone), of observations."""
    assert problem.time is not None
    times = np.unique(np.concatenate([o.points[problem.time.name] for o in problem.observations]))
    if not problem.space:
        return times, np.zeros(0)
    return times, np.unique(np.concatenate([o.points[problem.space[0].name] for o in problem.observations]))


def _values(
    problem: Problem, outputs: list[Scalar], clock: np.ndarray, places: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Values and weights `(T, C)`, and σ `(C, 1)`; repeated values are averaged, more certain ones weigh more."""
    assert problem.time is not None
    width = max(places.size, 1)
    total, weight = np.zeros((2, clock.size, len(outputs) * width))
    is_stated = all(o.noise is not None for o in problem.observations)
    stated = [np.mean(o.noise) for o in problem.observations if o.noise is not None]
    sigma = float(np.median(stated)) if is_stated else 1.0
    for o in problem.observations:
        c = [e.digest for e in outputs].index(o.expression.digest) * width
        row = np.searchsorted(clock, o.points[problem.time.name])
        along = np.searchsorted(places, o.points[problem.space[0].name]) if problem.space else np.zeros_like(row)
        trust = np.broadcast_to((sigma / o.noise) ** 2 if is_stated and o.noise is not None else 1.0, o.values.shape)
        np.add.at(total, (row, c + along), trust * o.values)
        np.add.at(weight, (row, c + along), trust)
    values = total / np.where(weight > 0, weight, 1.0)
    noise = np.full((values.shape[1], 1), sigma) if is_stated else None
    return values, np.sqrt(weight), noise


def _with_start(problem: Problem, model: Model, data: Data) -> Data:
    """Stated initial data as almost exact knowledge of the first state; a second-order field starts at rest."""
    axis, unknowns = model.rates.axis, model.rates.unknowns
    points: dict[str, Any] = {} if axis is None else {axis.name: np.asarray(axis.nodes)}
    rows, certain = [], []
    shape = () if axis is None else (axis.points,)
    stated = {c.unknown.digest: c for c in problem.placed_conditions
              if c.kind is ConditionKind.INITIAL and c.unknown is not None}  # fmt: skip
    starts = start_parameters(problem)
    exact = EXACT * max(float(np.max(np.abs(np.asarray(data.values)))), 1e-12)
    open_names = {p.name for p in problem.unknown_parameters}
    for i, u in enumerate(unknowns):
        condition, start = stated.get(u.digest), starts.get(i)
        if start is not None and start.prior is not None:
            rows.append(np.full(shape, start.prior[0]))
            certain.append(1 / start.prior[1])
            continue
        needed = () if condition is None else atoms(condition.data, condition.alpha)
        if condition is None or any(getattr(a, "name", None) in open_names for a in needed):
            is_rate = i >= len(problem.unknowns)
            rows.append(np.zeros(shape))
            certain.append(is_rate / exact)
            continue
        known = known_values(needed, points, problem.arguments)
        data_value, alpha = evaluate((condition.data, condition.alpha), known)
        rows.append(np.broadcast_to(np.asarray(data_value / alpha, float), shape))
        certain.append(1 / exact)
    start = np.asarray(model.project(jnp.asarray(np.stack(rows))[..., None]))
    each = model.freedom // len(unknowns)
    certainty = np.repeat(np.array(certain, float), each)[:, None]
    return eqx.tree_at(lambda d: (d.start, d.certainty), data, (jnp.asarray(start), jnp.asarray(certainty)))
