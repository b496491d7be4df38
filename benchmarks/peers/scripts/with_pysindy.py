"""Sparse regression by PySINDy: `python with_pysindy.py REQUEST.npz ANSWER.npz`, in an environment of its own.

The request has `times (T,)`, noisy `states (n, G, d)` at the first G of them and `points (P, d)`; the answer has for
each trajectory the path `(n, T, d)` and the coefficients `(n, d, F)` and, once, the values of the features at the
points `(P, F)`.

Settings: smoothed finite differences, which its documentation advises for noisy data, and sequentially thresholded
least squares. Library (polynomials to the second or third degree, with the sine and cosine of every state or without)
and threshold (0.02 to 1) are those whose model, fitted to the first three quarters, foretells the last quarter best.
"""

# pyright: reportMissingImports=false

from __future__ import annotations

import sys
import warnings
from itertools import combinations_with_replacement, product

import numpy as np
import pysindy as ps
from scipy.integrate import solve_ivp

THRESHOLDS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
DEGREES = (2, 3)
BOUND, MOST_CALLS = 1e3, 20_000


def library(degree: int, waves: bool) -> ps.GeneralizedLibrary:
    """Polynomials, and sines and cosines of the states."""
    parts = [ps.PolynomialLibrary(degree=degree), *([ps.FourierLibrary(n_frequencies=1)] if waves else [])]
    return ps.GeneralizedLibrary(parts)


def features(states: np.ndarray) -> np.ndarray:
    """All features `(n, F)` of states `(n, d)`, a hundred times faster than by the library."""
    powers = [c for k in range(DEGREES[-1] + 1) for c in combinations_with_replacement(range(states.shape[1]), k)]
    waves = np.stack([np.sin(states), np.cos(states)], axis=-1).reshape(len(states), -1)
    return np.concatenate([np.stack([np.prod(states[:, list(c)], axis=1) for c in powers], axis=1), waves], axis=1)


def fitted(times: np.ndarray, states: np.ndarray, threshold: float, degree: int, waves: bool) -> np.ndarray:
    """Coefficients `(d, F)` of the sparse model of one trajectory."""
    model = ps.SINDy(
        optimizer=ps.STLSQ(threshold=threshold),
        feature_library=library(degree, waves),
        differentiation_method=ps.SmoothedFiniteDifference(),
    )
    found = np.asarray(model.fit(states, t=times[: len(states)]).coefficients())
    last = -2 * states.shape[1]
    whole = np.zeros((states.shape[1], features(states[:1]).shape[1]))
    whole[:, : found.shape[1] + (last if waves else 0)] = found[:, :last] if waves else found
    if waves:
        whole[:, last:] = found[:, last:]
    return whole


def path(coefficients: np.ndarray, start: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Where a model goes `(T, d)`; not a number after it left the bound, or once it has asked too often."""
    calls = 0

    def rate(_: float, state: np.ndarray) -> np.ndarray:
        nonlocal calls
        calls += 1
        if calls > MOST_CALLS or not np.max(np.abs(state)) < 10 * BOUND:
            raise OverflowError
        return coefficients @ features(state[None])[0]

    def escapes(_: float, state: np.ndarray) -> float:
        return BOUND - float(np.max(np.abs(state)))

    escapes.terminal = True  # type: ignore[attr-defined]
    whole = np.full((len(times), len(start)), np.nan)
    try:
        found = solve_ivp(rate, (times[0], times[-1]), start, "LSODA", times, rtol=1e-8, atol=1e-8, events=escapes)
    except OverflowError:
        return whole
    whole[: found.y.shape[1]] = found.y.T
    return whole


def chosen(times: np.ndarray, states: np.ndarray) -> np.ndarray:
    """The model whose library and threshold foretell the last quarter of what is given best."""
    cut = 3 * len(states) // 4
    ladder = list(product(THRESHOLDS, DEGREES, (False, True)))
    gaps = []
    for rung in ladder:
        model = fitted(times, states[:cut], *rung)
        gap = np.linalg.norm(path(model, states[cut - 1], times[cut - 1 : len(states)])[1:] - states[cut:])
        gaps.append(gap if np.isfinite(gap) else np.inf)
    return fitted(times, states, *ladder[int(np.argmin(gaps))])


def main() -> None:
    """Answer a request."""
    warnings.simplefilter("ignore")
    with np.load(sys.argv[1]) as request:
        times, states, points = request["times"], request["states"], request["points"]
    at_points = features(points)
    np.testing.assert_allclose(
        at_points, np.asarray(library(DEGREES[-1], True).fit(points).transform(points)), rtol=1e-12
    )
    coefficients = np.stack([chosen(times, one) for one in states])
    paths = np.stack([path(c, one[0], times) for c, one in zip(coefficients, states, strict=True)])
    np.savez(sys.argv[2], paths=paths, coefficients=coefficients, features=at_points)


if __name__ == "__main__":
    main()
