r"""Multiple shooting by damped least squares, for many trajectories at once.

Unknowns of each trajectory: raw numbers $\varphi$ and a state $s_k$ at the start of each of M windows. Sum of squares:

$$\sum \frac{|h(y(t_i; s_k,\varphi)) - y_i|^2}{\sigma^2} + \sum_k \frac{|\Phi(s_k,\varphi)-s_{k+1}|^2}{\kappa^2}
+ \sum_j \frac{(\varphi_j-c_j)^2}{d_j^2} + |w_0(s_0-m_0)|^2 .$$

All windows are integrated side by side; the Jacobian is exact, by forward mode through the integrator, with one tangent
for each raw number and each component of a state. Trajectories lie on the last axis.

Source: H. G. Bock (1983), doi:10.1007/978-1-4684-7324-7_7, for multiple shooting.
"""

from __future__ import annotations

from typing import NamedTuple, final

import equinox as eqx
import jax
import jax.numpy as jnp

from sciml.runge_kutta import flow
from solvers.identification.data import Data, Windows
from solvers.identification.model import Model

FIRST_DAMPING, EASE, BRACE = 1e-2, 0.2, 8.0
HUGE = 1e150
"""Stands for the sum of squares of a trajectory that has left all bounds."""


@final
class Scales(eqx.Module):
    """What a residual is measured in.

    Attributes:
        noise: σ of each observed quantity, `(C, B)`.
        gap: κ of each number of a state, `(K, B)`.
    """

    noise: jax.Array
    gap: jax.Array


@final
class Guess(NamedTuple):
    """Raw numbers `(p, B)` and states at the starts of windows `(K, M, B)`."""

    raw: jax.Array
    states: jax.Array


@final
class Quadratic(NamedTuple):
    """The sum of squares `(B,)`, and half its gradient `(N, B)` and Gauss–Newton matrix `(N, N, B)`."""

    value: jax.Array
    gradient: jax.Array
    matrix: jax.Array


def predict(
    model: Model, data: Data, windows: Windows, guess: Guess, substeps: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Observed quantities `(w, C, M, B)`, and the K numbers of the last state `(K, M, B)`, of each window."""
    numbers = {**data.fixed, **model.numbers(guess.raw)}
    states = flow(model.rates, windows.times, model.expand(guess.states), numbers, substeps)
    return jax.vmap(model.observe)(states[:-1]), model.project(states[-1])


def quadratic(
    model: Model, data: Data, windows: Windows, guess: Guess, scales: Scales, substeps: jax.Array
) -> Quadratic:
    """The sum of squares and its Gauss–Newton model; unknowns are ordered $\\varphi, s_0, s_1, …$"""
    p, K = len(model.names), model.freedom
    ones, windowed = jnp.ones_like(guess.raw[:1]), jnp.ones_like(guess.states[:1])
    tangents = Guess(
        jnp.concatenate([jnp.eye(p)[:, :, None] * ones, jnp.zeros((K, *guess.raw.shape))]),
        jnp.concatenate([jnp.zeros((p, *guess.states.shape)), jnp.eye(K)[:, :, None, None] * windowed]),
    )

    def pushed(tangent: Guess) -> tuple[tuple[jax.Array, jax.Array], tuple[jax.Array, jax.Array]]:
        return jax.jvp(lambda g: predict(model, data, windows, g, substeps), (guess,), (tangent,))

    (seen, end), (J, J_end) = jax.vmap(pushed, out_axes=(None, 0))(tangents)
    weight = windows.seen / scales.noise[:, None, :]
    r = weight * (seen - windows.values)
    gap = scales.gap[:, None, :]
    c = (end[:, :-1] - guess.states[:, 1:]) / gap
    J, J_end = J * weight, J_end[:, :, :-1] / gap
    own = jnp.einsum("qwcmb,rwcmb->qrmb", J, J)
    gradient = jnp.einsum("qwcmb,wcmb->qmb", J, r)
    own = own + _padded(jnp.einsum("qkmb,rkmb->qrmb", J_end, J_end))
    gradient = gradient + _padded(jnp.einsum("qkmb,kmb->qmb", J_end, c))
    matrix, slope = _assembled(p, own, gradient, J_end, c, gap)
    deviation = model.deviation.reshape(p, -1)
    offset = (guess.raw - model.centre.reshape(p, -1)) / deviation
    first = data.certainty * (guess.states[:, 0] - data.start)
    N = slope.shape[0]
    known = jnp.concatenate([jnp.broadcast_to(deviation**-2, offset.shape), data.certainty**2])
    pull = jnp.concatenate([offset / deviation, data.certainty * first])
    place = jnp.arange(p + K)
    matrix = matrix.at[place, place].add(known)
    slope = slope + jnp.pad(pull, ((0, N - p - K), (0, 0)))
    value = sum(jnp.sum(a**2, axis=tuple(range(a.ndim - 1))) for a in (r, c, offset, first))
    return Quadratic(jnp.where(jnp.isfinite(value), value, HUGE), slope, matrix)  # type: ignore[arg-type]


def _padded(a: jax.Array) -> jax.Array:
    """An array over M - 1 windows, with a zero for the last."""
    return jnp.pad(a, [*[(0, 0)] * (a.ndim - 2), (0, 1), (0, 0)])


def _assembled(
    p: int, own: jax.Array, gradient: jax.Array, J_end: jax.Array, c: jax.Array, gap: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Dense matrix and slope from what each window says about $\\varphi$, its own state, and the next state."""
    M, B, K = own.shape[2], own.shape[3], own.shape[0] - p
    to_next = -J_end / gap  # (q, K, M - 1, B): how the unknowns of a window meet the state of the next
    here, there = jnp.eye(M), jnp.eye(M, k=1)[:-1]
    corner = own[:p, :p].sum(axis=2)
    ahead = jnp.pad(to_next[:p], ((0, 0), (0, 0), (1, 0), (0, 0)))
    side = jnp.moveaxis(own[:p, p:] + ahead, 2, 1).reshape(p, M * K, B)
    joint = jnp.pad(jnp.broadcast_to(1 / gap**2, (K, M - 1, B)), ((0, 0), (1, 0), (0, 0)))
    block = own[p:, p:] + jnp.eye(K)[:, :, None, None] * joint
    diagonal = jnp.einsum("ijmb,mn->minjb", block, here)
    upper = jnp.einsum("ijmb,mn->minjb", to_next[p:], there) if M > 1 else jnp.zeros((0, K, M, K, B))
    upper = jnp.pad(upper, ((0, M - upper.shape[0]), *[(0, 0)] * 4))
    square = (diagonal + upper + jnp.transpose(upper, (2, 3, 0, 1, 4))).reshape(M * K, M * K, B)
    matrix = jnp.block([[jnp.moveaxis(corner, -1, 0), jnp.moveaxis(side, -1, 0)],
                        [jnp.moveaxis(side, -1, 0).swapaxes(1, 2), jnp.moveaxis(square, -1, 0)]])  # fmt: skip
    pulled = jnp.pad(-c / gap, ((0, 0), (1, 0), (0, 0)))
    slope = jnp.concatenate([
        gradient[:p].sum(axis=1), jnp.moveaxis(gradient[p:] + pulled, 1, 0).reshape(M * K, B)
    ])  # fmt: skip
    return jnp.moveaxis(matrix, 0, -1), slope


@eqx.filter_jit
def descend(
    model: Model, data: Data, windows: Windows, guess: Guess, scales: Scales, substeps: jax.Array, steps: jax.Array
) -> tuple[Guess, Quadratic]:
    r"""Levenberg–Marquardt with a damping for each trajectory; a step that does not lower its sum is not taken.

    Args:
        model: the system.
        data: fixed numbers and what is known of the start.
        windows: the data in windows.
        guess: where to start.
        scales: units of the residuals.
        substeps: Runge–Kutta steps between two times.
        steps: how many trials.
    """
    p, K, M = len(model.names), model.freedom, guess.states.shape[1]

    def trial(_: jax.Array, carry: tuple[Guess, Quadratic, jax.Array]) -> tuple[Guess, Quadratic, jax.Array]:
        guess, here, damping = carry
        diagonal = jnp.einsum("iib->ib", here.matrix)
        lifted = jnp.moveaxis(here.matrix, -1, 0) + jnp.eye(p + M * K) * (damping * diagonal).T[:, None, :]
        move = -jnp.linalg.solve(lifted, here.gradient.T[..., None])[..., 0].T
        shift = jnp.moveaxis(move[p:].reshape(M, K, -1), 0, 1)
        tried = Guess(guess.raw + move[:p], guess.states + shift)
        there = quadratic(model, data, windows, tried, scales, substeps)
        better = there.value < here.value
        guess, here = jax.tree.map(lambda new, old: jnp.where(better, new, old), (tried, there), (guess, here))
        return guess, here, jnp.clip(jnp.where(better, damping * EASE, damping * BRACE), 1e-12, 1e12)

    N, B = p + M * K, guess.raw.shape[1]
    nowhere = Quadratic(jnp.full(B, jnp.inf), jnp.zeros((N, B)), jnp.eye(N)[..., None] * jnp.ones(B))
    damping = jnp.full(B, FIRST_DAMPING / EASE)
    # The first trial stands still: the sum of squares is traced once.
    guess, here, _ = jax.lax.fori_loop(0, steps + 1, trial, (guess, nowhere, damping))
    return guess, here


@eqx.filter_jit
def observed(model: Model, data: Data, windows: Windows, guess: Guess, substeps: jax.Array) -> jax.Array:
    """`predict`, compiled, without the ends."""
    return predict(model, data, windows, guess, substeps)[0]
