"""The standard deviation around a solution: joint while the basis is small, by independent modes beyond.

Modes count as independent where they are near to orthogonal; those of an axis with data at one end are not, and stay
joint. Where two axes have such data, or one that is long, draws take the place of modes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any, final

import jax
import jax.numpy as jnp
import numpy as np

from sciml.galerkin.discretisation import Discretisation
from sciml.galerkin.inverse import SeparableInverse
from sciml.galerkin.newton import fast_inverse, slopes_at
from sciml.galerkin.separable import KroneckerOperator
from sciml.solution import AbstractRepresentation
from solvers.gp.attempts import Attempt
from solvers.gp.draws import drawn_posterior
from solvers.gp.noise import residual_noise
from solvers.gp.posterior import (
    BlockPosterior,
    DiagonalPosterior,
    Posterior,
    block_posterior,
    diagonal_posterior,
    exact_posterior,
    largest_amplitude,
    made_by,
    truncation,
)
from solvers.gp.representation import BlockDeviation, DiagonalDeviation, ExactDeviation

_FEW_DIRECTIONS = 400
_MOST_DIRECTIONS = 1600
_NEARLY_NORMAL = 1e3
_MOST_PRODUCTS = 1 << 30

AnyPosterior = Posterior | DiagonalPosterior | BlockPosterior


@final
@dataclass(frozen=True, eq=False)
class Doubt:
    r"""How far a solution can be trusted.

    Attributes:
        deviation: standard deviation as a function of points; None where there is no fast way to it.
        noise: of the equation, in its units.
        relative: $\\|\operatorname{std} u\\| / \\|u\\|$ over the nodes: the estimated relative error.
        posterior: of the coefficients, which the deviation shows.
    """

    deviation: AbstractRepresentation | None = None
    noise: float | None = None
    relative: float | None = None
    posterior: AnyPosterior | None = None

    @property
    def extra(self) -> dict[str, float]:
        """What the statistics of a run say of it."""
        found = {"noise": self.noise, "estimated_error": self.relative}
        return {name: value for name, value in found.items() if value is not None}


def doubt(found: Attempt) -> Doubt:
    """What the posterior around a solution says.

    The equation is linearised at the solution, which is what the nodes have seen; how far the truth may be from it the
    noise of the equation says.
    """
    if not found.result.has_solution:
        return Doubt()
    discrete, spaces, C = found.discrete, found.discrete.spaces, found.coefficients
    statement = discrete.statement
    operator = discrete.operator if statement.parts.is_linear else discrete.read_values(slopes_at(discrete, C))
    noise = residual_noise(discrete, C)
    if noise.deviation < np.finfo(float).tiny:  # the zero solution of a homogeneous equation: there is no scale
        return Doubt(noise=0.0)
    names = (tuple(x.name for x in statement.axes), repr(statement.unknown))
    features = tuple(s.basis.features for s in spaces)
    transforms = [s.basis.transform for s in spaces]

    def result(make: Callable[..., AbstractRepresentation], posterior: AnyPosterior, *parts: Any, **rest: Any) -> Doubt:
        floor = jnp.asarray(truncation(discrete, posterior.amplitude))
        own = make(features, *(jax.tree.map(jnp.asarray, part) for part in parts), floor, *names, **rest)
        relative = float(np.sqrt(posterior.total) / max(np.linalg.norm(C), np.finfo(float).tiny))
        return Doubt(own, noise.deviation, relative, posterior)

    inverse = _nearly_normal_inverse(discrete, operator) if len(spaces) > 1 else None
    directions = prod(s.free for s in spaces)
    largest = _MOST_DIRECTIONS if inverse is None else _FEW_DIRECTIONS
    if operator.exact and (len(spaces) == 1 or directions <= largest):
        data, largest = made_by(discrete, operator, C), largest_amplitude(discrete, C)
        exact = exact_posterior(discrete, operator, data, noise, largest)
        factor = exact.factor.reshape(*(s.basis.rank for s in spaces), -1)
        return result(ExactDeviation, exact, tuple(transforms), factor)
    if inverse is None:
        solving = discrete.invert(operator) if operator.exact else None
        if solving is None or solving.smallest == 0:
            return Doubt(noise=noise.deviation)
        drawn = drawn_posterior(discrete, solving, C, noise)
        return result(ExactDeviation, drawn, tuple(transforms), drawn.factor.reshape(*C.shape, -1))
    diagonal = diagonal_posterior(discrete, inverse, C, noise)
    if diagonal is not None:
        modes = tuple(t @ m for t, m in zip(transforms, diagonal.modes, strict=True))
        return result(DiagonalDeviation, diagonal, modes, diagonal.variances)
    block = block_posterior(discrete, inverse, C, noise)
    if block is not None:
        modes = tuple(t if m is None else t @ m for t, m in zip(transforms, block.modes, strict=True))
        return result(BlockDeviation, block, modes, block.factors, axis=block.axis)
    return Doubt(noise=noise.deviation)


def _nearly_normal_inverse(discrete: Discretisation, operator: KroneckerOperator) -> SeparableInverse | None:
    """An inverse over near to orthogonal modes of all axes, or of all but one that is left joint if that is cheap."""
    inverse = fast_inverse(discrete, operator, np.inf)[0]
    if inverse is None:
        return None
    joint = [k for k, mode in enumerate(inverse.modes) if mode is None or mode.condition > _NEARLY_NORMAL]
    if not joint:
        return inverse
    free = [s.free for s in discrete.spaces]
    if len(joint) > 1 or prod(free) * free[joint[0]] ** 2 > _MOST_PRODUCTS:
        return None
    return fast_inverse(discrete, operator, _NEARLY_NORMAL)[0]
