r"""Weak-form regression: how well a form explains smoothed data, without integrating it.

Against test functions $\psi$ of compact support, $-\int\psi'y_i\,dt = \int\psi f_i(\hat y,\theta)\,dt$, with the data y
on the left and a smooth curve $\hat y$ on the right. Numbers are found by Gauss–Newton with their priors. Nothing is
compiled.

Source: D. A. Messenger, D. M. Bortz (2021), doi:10.1137/20M1343166.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sciml.expr.evaluation import evaluate
from sciml.expr.leaves import Parameter
from sciml.expr.linear import partial
from sciml.expr.nodes import Coordinate
from sciml.expr.traverse import atoms
from solvers.identification.forms import Form

SUPPORT, STRIDE = 15, 3
"""Values under a test function, and between the starts of two."""
PASSES = 4


def functionals(times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Weights `(W, T)` of $\int\psi_w g\,dt$ and of $-\int\psi_w' g\,dt$ on equidistant times, $\psi=(1-x^2)^3$."""
    length = min(SUPPORT, times.size)
    dt = float(times[1] - times[0])
    x = np.linspace(-1, 1, length)
    half = dt * (length - 1) / 2
    psi, slope = (1 - x**2) ** 3, -6 * x * (1 - x**2) ** 2 / half
    starts = range(0, times.size - length + 1, STRIDE)
    mass, minus = np.zeros((2, len(starts), times.size))
    for w, s in enumerate(starts):
        mass[w, s : s + length], minus[w, s : s + length] = dt * psi, -dt * slope
    return mass, minus


def weak_scores(form: Form, times: np.ndarray, values: np.ndarray, curve: np.ndarray) -> np.ndarray:
    r"""Scores of B trajectories, `(B,)`; less is better.

    $$\sum_i W\log \mathrm{RSS}_i + \sum_j(\theta_j-c_j)^2/d_j^2 + p\log(Wd)$$

    Args:
        form: the candidate; all its unknowns are observed.
        times: `(T,)`, equidistant.
        values: data `(T, d, B)`.
        curve: smooth curves through them.
    """
    mass, minus = functionals(times)
    left = np.einsum("wt,tdb->dwb", minus, values)
    d, W, B = left.shape
    p = len(form.parameters)
    priors = np.array([_prior(parameter) for parameter in form.parameters]).reshape(p, 2)
    theta = np.broadcast_to(priors[:, :1], (p, B)).copy()
    slopes = [[partial(side, parameter) for parameter in form.parameters] for side in form.sides]
    for _ in range(PASSES):
        residual, J = _weak_residual(form, slopes, mass, left, times, curve, theta)
        weight = W / np.maximum(np.sum(residual**2, axis=1), 1e-300)  # (d, B)
        A = np.einsum("pdwb,qdwb,db->bpq", J, J, weight) + np.diag(priors[:, 1] ** -2.0)
        g = np.einsum("pdwb,dwb,db->bp", J, residual, weight) + ((priors[:, :1] - theta) / priors[:, 1:] ** 2).T
        move = np.linalg.solve(A, g[..., None])[..., 0].T
        theta = theta + np.where(np.isfinite(move), move, 0.0)
    residual, _ = _weak_residual(form, slopes, mass, left, times, curve, theta)
    misfit = np.sum(residual**2, axis=1)
    pull = np.sum(((theta - priors[:, :1]) / priors[:, 1:]) ** 2, axis=0)
    score = W * np.sum(np.log(np.maximum(misfit, 1e-300)), axis=0) + pull + p * np.log(W * d)
    return np.where(np.isfinite(score), score, np.inf)


def _weak_residual(
    form: Form, slopes: Any, mass: np.ndarray, left: np.ndarray, times: np.ndarray, curve: np.ndarray, theta: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Left less right sides `(d, W, B)`, and derivatives of the right ones `(p, d, W, B)`."""
    values: dict[Any, Any] = {u: curve[:, i] for i, u in enumerate(form.unknowns)}
    numbers = {parameter.name: theta[j] for j, parameter in enumerate(form.parameters)}
    for atom in atoms(*form.sides):
        if isinstance(atom, Coordinate):
            values[atom] = times[:, None]
        elif isinstance(atom, Parameter):
            values[atom] = numbers.get(atom.name, atom.value)
    flat = [*form.sides, *(s for row in slopes for s in row)]
    with np.errstate(all="ignore"):
        found = evaluate(flat, values)
    shape = (curve.shape[0], curve.shape[2])
    stack = np.stack([np.broadcast_to(np.asarray(f, float), shape) for f in found])
    projected = np.einsum("wt,ntb->nwb", mass, stack)
    d = len(form.sides)
    J = projected[d:].reshape(d, -1, *projected.shape[1:])
    return left - projected[:d], np.swapaxes(J, 0, 1)


def _prior(p: Parameter) -> tuple[float, float]:
    if p.prior is None:
        return p.init, abs(p.init) or 1.0
    if p.positive:
        return float(np.exp(p.prior[0])), float(np.exp(p.prior[0]) * p.prior[1])
    return p.prior
