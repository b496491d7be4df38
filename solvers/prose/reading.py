"""What a model reads of a problem: observations as arrays, and its equations as a guess; and why it cannot."""

from __future__ import annotations

import numpy as np

from sciml.errors import SciMLError, UnsupportedProblemError
from sciml.problem import Problem
from solvers.prose.batches import SMALLEST_SCALE
from solvers.prose.canonical import system_of
from solvers.prose.encoders import Observed
from solvers.prose.skeleton import Skeleton
from solvers.prose.storage import Card

SLACK = 1e-6
"""Relative tolerance of the horizon and the window."""


def reasons_against(problem: Problem, card: Card) -> list[str]:
    """Why a model cannot read a problem, each reason with what it was trained for."""
    time = problem.time
    if time is None or problem.space:
        return ["PROSE's model was trained on ordinary differential equations: pass a problem over time alone"]
    reasons: list[str] = []
    dimension = card.architecture.dimension
    if len(problem.unknowns) > dimension:
        reasons.append(
            f"the model was trained for at most {dimension} unknowns, the problem has {len(problem.unknowns)}: "
            "pretrain one on such a family"
        )
    low, high = problem.box.bounds[time.name]
    if high - low > card.horizon * (1 + SLACK):
        reasons.append(
            f"the model was trained for a horizon of {card.horizon:g} in {time.name}, the problem has {high - low:g}: "
            "shorten the domain, or pretrain on longer trajectories"
        )
    reasons += _about_observations(problem, card, low)
    if not reasons:
        try:
            guess(problem, card)
        except SciMLError as error:
            reasons.append(f"its equations cannot be read ({error})")
    return reasons


def _about_observations(problem: Problem, card: Card, low: float) -> list[str]:
    window = card.window.share * card.horizon
    name = "" if problem.time is None else problem.time.name
    if not problem.observations:
        return [
            f"the model reads observations on the first {window:g} of {name}: add problem.observe(u, times, values)"
        ]
    reasons = []
    for o in problem.observations:
        if not any(o.expression is u or o.expression.digest == u.digest for u in problem.unknowns):
            reasons.append(f"`{o.expression!r}` is observed, the model reads values of the unknowns themselves")
    latest = max(float(np.max(o.points[name])) for o in problem.observations)
    if latest - low > window * (1 + SLACK):
        reasons.append(
            f"the model was trained to read the first {window:g} of {name}, observations reach {latest - low:g}: "
            "leave the later ones out"
        )
    times = {float(t) for o in problem.observations for t in o.points[name]}
    if len(times) < card.window.fewest:
        reasons.append(
            f"the model was trained to read at least {card.window.fewest} times, observations have {len(times)}: "
            "observe more, or pretrain with a smaller window.fewest"
        )
    return reasons


def guess(problem: Problem, card: Card) -> tuple[Skeleton, np.ndarray]:
    """The skeleton of a problem's equations, and its words `(G,)`.

    Raises:
        UnsupportedProblemError: equations that are no evolution, too long, or with words that the model lacks.
    """
    skeleton = Skeleton.of(system_of(problem))
    return skeleton, card.vocabulary.padded(skeleton.words, card.guess_length)


def observed(problem: Problem, card: Card) -> Observed:
    """Observations as the model reads them, in S interleaved parts of at most `window.tokens` times each.

    Returns:
        Arrays with a leading axis S: `(S, K)`, `(S, K, D)`, `(S, K, D)`, `(S,)`.

    Raises:
        UnsupportedProblemError: there are none.
    """
    time = problem.time
    if time is None or not problem.observations:
        raise UnsupportedProblemError("no observations", "values at times", "add problem.observe(u, times, values)")
    low = problem.box.bounds[time.name][0]
    times = np.unique(np.concatenate([o.points[time.name] for o in problem.observations]))
    total, count = (np.zeros((times.size, card.architecture.dimension)) for _ in range(2))
    digests = [u.digest for u in problem.unknowns]
    for o in problem.observations:
        column, rows = digests.index(o.expression.digest), np.searchsorted(times, o.points[time.name])
        total[:, column] += np.bincount(rows, o.values, times.size)
        count[:, column] += np.bincount(rows, minlength=times.size)
    return interleaved((times - low) / card.horizon, total / np.maximum(count, 1), count > 0, card.window.tokens)


def interleaved(times: np.ndarray, values: np.ndarray, present: np.ndarray, tokens: int) -> Observed:
    """Times `(n,)` and values `(…, n, D)` dealt to the fewest parts that hold them, one after the other.

    Returns:
        Arrays with the parts in front of the times: `(…, S, K, D)`; the times `(…, S, K)`.
    """
    parts = -(-times.size // tokens)
    places = np.full((parts, tokens), -1)
    for i in range(parts):
        mine = np.arange(i, times.size, parts)
        places[i, : mine.size] = mine
    shown = np.where((places >= 0)[:, :, None], present[..., places, :], False)
    kept = np.where(shown, values[..., places, :], 0.0)
    square = np.sum(kept**2, axis=(-2, -1)) / np.maximum(np.sum(shown, axis=(-2, -1)), 1)
    scale = np.maximum(np.sqrt(square), SMALLEST_SCALE)
    stacked = np.broadcast_to(np.where(places >= 0, times[places], 0.0), kept.shape[:-1])
    single = (stacked.astype(np.float32), (kept / scale[..., None, None]).astype(np.float32))
    return Observed(*single, shown, np.log(scale).astype(np.float32))  # type: ignore[arg-type]
