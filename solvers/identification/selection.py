"""Which of several forms the data speak for: weak-form screening, then shooting and Schwarz' criterion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, final

import jax.numpy as jnp
import numpy as np

from sciml.known import Arguments
from solvers.identification.data import Data, smooth
from solvers.identification.fitting import Fit, Schedule, fit
from solvers.identification.forms import Edit, Form, Switched, edited, edits
from solvers.identification.model import Model
from solvers.identification.weak import weak_scores

BATCH = 512
"""Most fits at once."""


@final
class Settings(NamedTuple):
    """How forms are fitted: schedule, whether all share their noise, σ `(C, B)` if known, width of open priors."""

    schedule: Schedule = Schedule()
    shared: bool = False
    noise: np.ndarray | None = None
    spread: float = 1.0
    arguments: Arguments | None = None


@final
class Selection(NamedTuple):
    """Scores `(forms, B)`, infinite where a form was not tried, and the index of the best `(B,)`."""

    scores: np.ndarray
    best: np.ndarray


def criterion(data: Data, found: Fit, free: np.ndarray | int, shared: bool, is_known: bool) -> np.ndarray:
    r"""Schwarz' criterion $n\log\mathrm{RSS} + k\log n$ `(B,)`, or $\chi^2 + k\log n$ where the noise is known.

    Source: G. Schwarz (1978), doi:10.1214/aos/1176344136.
    """
    count = np.asarray((data.seen > 0).sum(axis=0), float)  # (C, B)
    misfit = np.asarray(found.misfit)
    total = count.sum(axis=0)
    if is_known:
        fitted = np.sum(misfit / np.asarray(found.noise) ** 2, axis=0)
    elif shared:
        fitted = total * np.log(misfit.sum(axis=0) / total)
    else:
        fitted = np.sum(count * np.log(misfit / np.maximum(count, 1)), axis=0)
    score = fitted + free * np.log(total)
    return np.where(np.isfinite(score), score, np.inf)


def screened(forms: Sequence[Form], data: Data) -> np.ndarray:
    """Weak-form scores `(forms, B)` of forms whose unknowns are the observed quantities, in that order."""
    times = np.asarray(data.times)
    grid = np.linspace(times[0], times[-1], len(times))
    curve = smooth(data, grid)
    is_complete = bool((data.seen > 0).all()) and np.allclose(grid, times) and times.shape[1] == 1
    values = np.asarray(data.values) if is_complete else curve
    return np.stack([weak_scores(form, grid[:, 0], values, curve) for form in forms])


def select(forms: Sequence[Form], data: Data, count: int, settings: Settings | None = None) -> Selection:
    """The best form for each trajectory: the first `count` of the weak form are fitted, the criterion decides.

    Args:
        forms: candidates in time alone, whose unknowns are the observed quantities.
        data: B trajectories.
        count: length of the short list; at least as many as there are forms to fit them all.
        settings: how to fit.
    """
    settings = settings or Settings()
    B = data.values.shape[2]
    if count < len(forms):
        rank = np.argsort(np.argsort(screened(forms, data), axis=0, kind="stable"), axis=0)
        listed = rank < count
    else:
        listed = np.ones((len(forms), B), bool)
    scores = np.full((len(forms), B), np.inf)
    for f, form in enumerate(forms):
        rows = np.flatnonzero(listed[f])
        if rows.size:
            scores[f, rows] = _fitted(form, data, rows, settings)
    return Selection(scores, np.argmin(scores, axis=0))


def _fitted(form: Form, data: Data, rows: np.ndarray, settings: Settings) -> np.ndarray:
    """The criterion of some trajectories, filled up to as many as there are, so that one shape compiles for a form."""
    model = Model.of(form.rates(settings.arguments), form.parameters, form.unknowns, spread=settings.spread)
    padded = np.resize(rows, data.values.shape[2])
    some = data.select(padded)
    noise = None if settings.noise is None else settings.noise[:, padded]
    found = fit(model, some, settings.schedule, noise=noise, shared=settings.shared)
    free = len(form.parameters) + model.freedom
    return criterion(some, found, free, settings.shared, noise is not None)[: rows.size]


@final
class Repair(NamedTuple):
    """All one-term edits of a form, the first of them none: scores `(edits, B)` and index of the best `(B,)`."""

    edits: list[Edit]
    scores: np.ndarray
    best: np.ndarray


def repair(form: Form, data: Data, settings: Settings | None = None) -> Repair:
    r"""Fit a form and all its one-term edits by shooting, in one program with switches, and let the criterion decide.

    An edit costs $2\log E$ besides, where E is how many there are of its kind, deletions or additions: one of so many
    fits better by chance.

    Args:
        form: in time alone; its unknowns are the observed quantities.
        data: B trajectories.
        settings: how to fit.

    Source: J. Chen, Z. Chen (2008), doi:10.1093/biomet/asn034, for the price of an edit.
    """
    settings = settings or Settings()
    tried, switched = edits(form), Switched.of(form)
    inner = switched.form
    model = Model.of(inner.rates(settings.arguments), inner.parameters, inner.unknowns, spread=settings.spread)
    free = np.array([len(edited(form, e).parameters) + model.freedom for e in tried])
    numbers = [Switched.setting(form, e) for e in tried]
    table = {name: np.array([row[name] for row in numbers]) for name in switched.switches}
    B = data.values.shape[2]
    pairs = np.stack(np.meshgrid(np.arange(len(tried)), np.arange(B), indexing="ij"), axis=-1).reshape(-1, 2)
    size = min(BATCH, 1 << int(len(pairs) - 1).bit_length())
    scores = np.full((len(tried), B), np.inf)
    for begin in range(0, len(pairs), size):
        part = pairs[begin : begin + size]
        e, b = np.resize(part, (size, 2)).T
        fixed = {name: jnp.asarray(column[e]) for name, column in table.items()}
        some = replace(data.select(b), fixed=fixed)
        noise = None if settings.noise is None else settings.noise[:, b]
        found = fit(model, some, settings.schedule, noise=noise, shared=settings.shared)
        score = criterion(some, found, free[e], settings.shared, noise is not None)
        scores[part[:, 0], part[:, 1]] = score[: len(part)]
    kinds = [(e.removed is not None, e.added is not None) for e in tried]
    scores += 2 * np.log([[kinds.count(kind)] for kind in kinds])
    return Repair(tried, scores, np.argmin(scores, axis=0))
