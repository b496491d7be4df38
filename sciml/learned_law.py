"""Laws that were learned from data: functions of one quantity that know how well the data determine them."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import equinox as eqx
import jax
import numpy as np


class AbstractLearnedLaw(eqx.Module):
    """A function of one number, with a credible band and the range of inputs that the data visited.

    JAX can differentiate it, so it can be bound to the law of any problem, `problem.bind("D", law)`, and solved by any
    solver.
    """

    @abstractmethod
    def __call__(self, u: jax.Array) -> jax.Array:
        """Value at one input, a scalar."""

    @abstractmethod
    def natural(self, u: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Mean and standard deviation of the Gaussian quantity behind the law, at one input."""

    @abstractmethod
    def link(self, g: jax.Array) -> jax.Array:
        """The law's value from that quantity; increasing."""

    @property
    @abstractmethod
    def visited(self) -> tuple[float, float]:
        """Least and greatest input that the data visited; what the law says elsewhere is extrapolation."""

    def at(self, u: Any) -> np.ndarray:
        """Values at inputs of any shape."""
        return np.asarray(self.link(_natural(self, u)[0]))

    def band(self, u: Any, deviations: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
        """Credible band: lower and upper values, some standard deviations from the mean.

        Args:
            u: inputs of any shape.
            deviations: 2 for about 95 %.
        """
        mean, deviation = _natural(self, u)
        return tuple(np.asarray(self.link(mean + side * deviations * deviation)) for side in (-1, 1))  # type: ignore[return-value]

    def is_extrapolation(self, u: Any) -> np.ndarray:
        """Which inputs lie outside the range that the data visited."""
        lower, upper = self.visited
        values = np.asarray(u, float)
        return (values < lower) | (values > upper)

    def plot(self, truth: Any = None) -> Any:
        """A Matplotlib figure: the law with its band, and where it extrapolates; see `sciml.plotting.plot_law`."""
        from sciml.plotting import plot_law

        return plot_law(self, truth)


@eqx.filter_jit
def _mapped(law: AbstractLearnedLaw, flat: jax.Array) -> tuple[jax.Array, jax.Array]:
    return jax.vmap(law.natural)(flat)


def _natural(law: AbstractLearnedLaw, u: Any) -> tuple[jax.Array, jax.Array]:
    values = np.asarray(u, float)
    mean, deviation = _mapped(law, jax.numpy.asarray(values.reshape(-1)))
    return mean.reshape(values.shape), deviation.reshape(values.shape)
