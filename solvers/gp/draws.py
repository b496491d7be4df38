r"""Posterior by draws, where the equation has an inverse but no modes that are nearly independent.

The noise of the equation is drawn on the nodes and solved for: the solutions $L^{-1}\epsilon_k$ are draws of what the
solution may be off by. Nothing is taken from the prior, which in the directions that the equation determines is wide;
with K draws the standard deviation is itself known to $1/\sqrt{2K}$, an eighth for 32.
"""

from __future__ import annotations

import numpy as np

from sciml.galerkin.discretisation import Discretisation
from sciml.galerkin.inverse import SeparableInverse
from solvers.gp.noise import EquationNoise
from solvers.gp.posterior import Posterior, largest_amplitude

_DRAWS = 32
_SEED = 0


def drawn_posterior(
    discrete: Discretisation, inverse: SeparableInverse, C: np.ndarray, noise: EquationNoise
) -> Posterior:
    """A posterior whose factor has one column for each draw.

    Args:
        discrete: the spaces.
        inverse: of the linear, or linearised, equation.
        C: coefficients of the solution.
        noise: of the equation.
    """
    rng = np.random.default_rng(_SEED)
    draws = [discrete.extend(inverse(discrete.test(noise.draw(rng)))).ravel() for _ in range(_DRAWS)]
    return Posterior(largest_amplitude(discrete, C), C, np.stack(draws, axis=-1) / np.sqrt(_DRAWS))
