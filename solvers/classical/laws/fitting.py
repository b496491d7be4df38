"""Damped Gauss-Newton steps for the coefficients of laws, each with the roughness of largest evidence."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from sciml.problem import Problem
from sciml.results import RESULTS
from solvers.classical.laws.evidence import Linearised, Posterior, Prior, averaged, most_likely
from solvers.classical.laws.forward import Forward, Laws, coefficients_of, predict, sensitivities
from solvers.classical.laws.spline import SplineLaw, design, roughness_matrix

LEVEL = 5.0
"""Prior standard deviation of the level and of the slope of g."""
_PINNED = 1e-4
_BLIND = 1e-7
_FACTORS = 10.0 ** np.arange(-4, 2.01, 0.5)
_FIRST_NOISE = 0.1
_COARSE = 0.3
_FARTHEST = 3.0
_LEAST_STEP = 1 / 64
_AT_REST = 1e-2
_NEAR = 6.0
_LEAST_SHARE = 1 / 16


@final
@dataclass(frozen=True, eq=False)
class Fit:
    """Laws that explain the observations.

    Attributes:
        laws: with their posterior.
        posterior: of all coefficients, linearised about them; None where there is none.
        predicted: values at the observations.
        misfit: root mean square of the residuals in units of the noise.
        result: how the search ended.
        search: its steps.
    """

    laws: Laws
    posterior: Posterior | None
    predicted: np.ndarray
    misfit: float
    result: RESULTS
    search: Search


@final
@dataclass(frozen=True, eq=False)
class Data:
    """All observations, one after the other.

    Attributes:
        values: `(n,)`.
        noise: standard deviations, a tenth of the values' where unknown, `(n,)`.
        unknown: masks of the values that share one unknown noise.
    """

    values: np.ndarray
    noise: np.ndarray
    unknown: tuple[np.ndarray, ...]

    def where(self, mask: np.ndarray) -> Data:
        """Only some of the values."""
        return Data(self.values[mask], self.noise[mask], tuple(own[mask] for own in self.unknown if own[mask].any()))


def data_of(problem: Problem) -> Data:
    """The observations of a problem."""
    values, noise, unknown = [], [], []
    owners = np.repeat(np.arange(len(problem.observations)), [o.values.size for o in problem.observations])
    for k, o in enumerate(problem.observations):
        guess = _FIRST_NOISE * max(float(np.std(o.values)), np.finfo(float).tiny)
        values.append(o.values)
        noise.append(np.broadcast_to(guess if o.noise is None else o.noise, o.values.shape))
        if o.noise is None:
            unknown.append(owners == k)
    return Data(np.concatenate(values), np.concatenate(noise), tuple(unknown))


def first_guess(forward: Forward, data: Data, laws: Laws, positive_unit: float) -> Laws | None:
    """Constant positive laws that fit best, all others zero, in units in which the data determine numbers of order one.

    Args:
        forward: problem on its grid.
        data: its observations.
        laws: their shapes.
        positive_unit: what a positive law must be to act within the time of the problem.

    Returns:
        None if the problem cannot be marched with any of them.
    """
    best: tuple[float, Laws] | None = None
    zero = jnp.asarray(0 * coefficients_of(laws))
    has_positive = any(law.positive for law in laws.values())
    for factor in _FACTORS if has_positive else (1.0,):
        tried = {n: _with_unit(law, positive_unit * factor if law.positive else 1.0) for n, law in laws.items()}
        predicted, is_whole = predict(forward, tried, zero)
        error = float(np.sum(((np.asarray(predicted) - data.values) / data.noise) ** 2))
        if bool(is_whole) and np.isfinite(error) and (best is None or error < best[0]):
            best = (error, tried)
    if best is None:
        return None
    laws, start, spread = best[1], 0, float(np.std(data.values))
    if all(law.positive for law in laws.values()):
        return laws
    J = np.asarray(sensitivities(forward, laws, zero)[1])
    for name, law in list(laws.items()):
        own = J[:, start : start + law.coefficients.size]
        start += law.coefficients.size
        reach = max(float(np.sqrt(np.mean((own @ line) ** 2))) for line in _lines(law))
        if not law.positive and reach > 0 and np.isfinite(reach):
            laws[name] = _with_unit(law, spread / reach)
    return laws


def _with_unit(law: SplineLaw, unit: float) -> SplineLaw:
    return eqx.tree_at(lambda s: s.unit, law, jnp.asarray(float(unit)))


def _lines(law: SplineLaw) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of g = 1, and of the line from -1 to 1 over the range that the knots must cover."""
    size = law.coefficients.size
    low, high = (float(v) for v in law.seen)
    a, b = (float(v) for v in law.ends)
    places = a + (b - a) / (size - 3) * (np.arange(size) - 1)
    return np.ones(size), (2 * places - low - high) / (high - low)


def anchored(laws: Laws, J: np.ndarray) -> Laws:
    """The laws, with those of which only differences act set to zero at u = 0, or at the lower end of the data."""
    found, start = {}, 0
    for name, law in laws.items():
        own = J[:, start : start + law.coefficients.size]
        start += law.coefficients.size
        level, slope = (float(np.linalg.norm(own @ line)) for line in _lines(law))
        low, high = law.visited
        anchor = (0.0 if low <= 0 <= high else low) if level <= _BLIND * slope else np.nan
        found[name] = eqx.tree_at(lambda s: s.anchor, law, jnp.asarray(anchor))
    return found


def prior_of(law: SplineLaw) -> Prior:
    """Level and slope of order one over the range of the data; the level at an anchor is zero."""
    low, high = law.visited
    has_level = bool(np.isnan(law.anchor))
    at = design(law, np.array([(low + high) / 2 if has_level else float(law.anchor)]))
    ends = design(law, np.array([low, high]))
    rise = (ends[1] - ends[0])[None] / 2
    line = at.T @ at / (LEVEL if has_level else _PINNED) ** 2 + rise.T @ rise / LEVEL**2
    return Prior(roughness_matrix(law.coefficients.size), line)


@final
@dataclass(frozen=True, eq=False)
class Search:
    """Where the search is.

    Attributes:
        c: coefficients.
        noise: standard deviation of every value.
        result: how its last part ended.
        misfits: misfit before each step.
        roughnesses: roughness of the first law at each step.
    """

    c: np.ndarray
    noise: np.ndarray
    result: RESULTS = RESULTS.max_steps_reached
    misfits: tuple[float, ...] = ()
    roughnesses: tuple[float, ...] = ()


Proceed = Callable[[int, float], RESULTS | None]


def fit(forward: Forward, data: Data, laws: Laws, max_steps: int, proceed: Proceed) -> Fit:
    """Search from a first guess, at first with the early observations only where the first guess is far off.

    Args:
        forward: problem on its grid.
        data: its observations.
        laws: first guess.
        max_steps: most Gauss-Newton steps.
        proceed: told step and misfit; a result that it returns ends the search.
    """
    c = coefficients_of(laws)
    laws = anchored(laws, np.asarray(sensitivities(forward, laws, jnp.asarray(c))[1]))
    priors = tuple(prior_of(law) for law in laws.values())
    search, share = Search(c, data.noise), _first_share(forward, data, laws, c)
    while True:
        part, seen = forward.until(share)
        search = _searched(part, data, seen, laws, priors, search, max_steps, proceed)
        if share >= 1 or search.result in (RESULTS.interrupted, RESULTS.budget_exhausted, RESULTS.nonfinite):
            break
        share *= 2
    return _finished(forward, data, laws, priors, search)


def _first_share(forward: Forward, data: Data, laws: Laws, c: np.ndarray) -> float:
    """The largest of the shares 1, 1/2, 1/4 … of the time over which the first guess is near the observations."""
    share = 1.0
    while True:
        part, seen = forward.until(share)
        values, is_whole = predict(part, laws, jnp.asarray(c))
        misfit = _rms(((data.values - np.asarray(values)) / data.noise)[seen]) if seen.any() else 0.0
        if (bool(is_whole) and misfit <= _NEAR) or share <= _LEAST_SHARE:
            return share
        share /= 2


def _searched(
    forward: Forward,
    data: Data,
    seen: np.ndarray,
    laws: Laws,
    priors: tuple[Prior, ...],
    search: Search,
    max_steps: int,
    proceed: Proceed,
) -> Search:
    """Gauss-Newton steps for the observations seen by a part of the time."""
    c, noise, result = search.c, search.noise, RESULTS.max_steps_reached
    own = data.where(seen)
    misfits, roughnesses = list(search.misfits), list(search.roughnesses)
    values, J = _at(forward, laws, c, seen)
    while len(misfits) < max_steps:
        if not np.isfinite(J).all():
            result = RESULTS.nonfinite
            break
        misfits.append(_rms((own.values - values) / noise[seen]))
        found = most_likely(_linearised(own, noise[seen], J, values, c, priors, misfits[-1]))
        roughnesses.append(found.roughness[0])
        stop = proceed(len(misfits) - 1, misfits[-1])
        if stop is not None:
            result = stop
            break
        if own.unknown:
            noise = noise.copy()
            noise[seen] = found.noise
        moved = _stepped(forward, own, seen, laws, c, found, values)
        if moved is None:
            result = RESULTS.stagnated if misfits[-1] * _COARSE > 1 else RESULTS.successful
            break
        drop, c = _decrement(found, moved - c), moved
        values, J = _at(forward, laws, c, seen)
        if drop < _AT_REST and _rms((own.values - values) / noise[seen]) * _COARSE <= 1:
            result = RESULTS.successful
            break
    return Search(c, noise, result, tuple(misfits), tuple(roughnesses))


def _at(forward: Forward, laws: Laws, c: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values, J = sensitivities(forward, laws, jnp.asarray(c))
    return np.asarray(values)[seen], np.asarray(J)[seen]


def _finished(forward: Forward, data: Data, laws: Laws, priors: tuple[Prior, ...], search: Search) -> Fit:
    """The posterior at the end of the search, averaged over the roughness."""
    c, noise, result = search.c, search.noise, search.result
    values, J = _at(forward, laws, c, np.ones(len(data.values), bool))
    if not (np.isfinite(J).all() and np.isfinite(values).all()):
        return Fit(laws, None, values, np.inf, RESULTS.nonfinite, search)
    final = averaged(_linearised(data, noise, J, values, c, priors, 0.0))
    if result.is_success:  # the mean over all roughnesses is within the band of the likeliest
        c = final.mean
        values = np.asarray(predict(forward, laws, jnp.asarray(c))[0])
    return Fit(
        _posterior_laws(laws, c, final), final, values, _rms((data.values - values) / final.noise), result, search
    )


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _linearised(
    data: Data,
    noise: np.ndarray,
    J: np.ndarray,
    values: np.ndarray,
    c: np.ndarray,
    priors: tuple[Prior, ...],
    misfit: float,
) -> Linearised:
    """The data about a law; far from it their noise counts as a share of the misfit, as the straight line errs more."""
    return Linearised(J, data.values - values + J @ c, noise * max(1.0, _COARSE * misfit), data.unknown, priors)


def _stepped(
    forward: Forward, data: Data, seen: np.ndarray, laws: Laws, c: np.ndarray, found: Posterior, values: np.ndarray
) -> np.ndarray | None:
    """The longest of the steps 1, 1/2, 1/4 … to the mode that lowers the objective; None if none does."""

    def objective(c: np.ndarray, values: np.ndarray) -> float:
        return float(np.sum(((data.values - values) / found.noise) ** 2) + c @ found.precision @ c)

    before, d = objective(c, values), found.mean - c
    damping = min(1.0, _FARTHEST / max(float(np.max(np.abs(d))), np.finfo(float).tiny))
    least = damping * _LEAST_STEP
    while damping >= least:
        tried = c + damping * d
        predicted, is_whole = predict(forward, laws, jnp.asarray(tried))
        after = objective(tried, np.asarray(predicted)[seen]) if bool(is_whole) else np.inf
        if np.isfinite(after) and after <= before:
            return tried
        damping /= 2
    return None


def _decrement(found: Posterior, d: np.ndarray) -> float:
    """The square of a step in units of the posterior's deviations."""
    return float(np.sum(np.linalg.solve(found.root, d) ** 2))


def _posterior_laws(laws: Laws, c: np.ndarray, found: Posterior) -> Laws:
    made, start = {}, 0
    for k, (name, law) in enumerate(laws.items()):
        stop = start + law.coefficients.size
        own = np.linalg.cholesky(found.root[start:stop] @ found.root[start:stop].T)
        made[name] = dataclasses.replace(
            law,
            coefficients=jnp.asarray(c[start:stop]),
            factor=jnp.asarray(own),
            roughness=jnp.asarray(found.roughness[k]),
        )
        start = stop
    return made
