r"""A law as a cubic spline with a Gaussian posterior.

$$g(u) = \sum_j c_j B_j(v),\quad v = \frac{u-a}{b-a},\qquad L = A\,g\ \text{ or }\ L = A\,\frac{\log(1+e^g)}{\log2}$$

with uniform knots on [a, b]; the second form is positive. Beyond the knots g goes on as a straight line. A priori
$g''(v)=\tau\,\dot W$ is white noise, so far from the data the band of g opens as an integrated Wiener process does:
a distance d beyond the knots its variance has grown by $\tau^2d^3/3$.

Source: G. Wahba, Improper priors, spline smoothing and the problem of guarding against model errors in regression,
doi:10.1111/j.2517-6161.1978.tb01050.x.
"""

from __future__ import annotations

from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from sciml.learned_law import AbstractLearnedLaw
from sciml.storable import storable

DEGREE = 3
_LOG2 = float(np.log(2.0))


@final
@storable("spline_law")
class SplineLaw(AbstractLearnedLaw):
    """A law of one number: a cubic spline whose coefficients have a Gaussian posterior.

    Attributes:
        coefficients: c, `(m,)`; the knots cut [a, b] into m - 3 intervals.
        factor: square root of the covariance of c, `(m, m)`; zeros before there is one.
        ends: a and b, `(2,)`.
        unit: A.
        roughness: τ.
        seen: least and greatest input that the data visited, `(2,)`.
        anchor: where a law of which the equation sees only differences was set to zero; NaN for any other law.
        positive: which form.
    """

    coefficients: Float[Array, " m"]
    factor: Float[Array, "m m"]
    ends: Float[Array, "2"]
    unit: Float[Array, ""]
    roughness: Float[Array, ""]
    seen: Float[Array, "2"]
    anchor: Float[Array, ""]
    positive: bool = eqx.field(static=True)

    def __call__(self, u: Array) -> Array:
        """L(u)."""
        first, weights, beyond = self._local(u)
        return self.link((weights[0] + beyond * weights[1]) @ self._four(self.coefficients, first))

    def natural(self, u: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of g(u)."""
        first, weights, beyond = self._local(u)
        row = weights[0] + beyond * weights[1]
        spread = row @ self._four(self.factor, first)
        far = jnp.abs(beyond) / (self.coefficients.size - DEGREE)
        return row @ self._four(self.coefficients, first), jnp.sqrt(jnp.sum(spread**2) + self.roughness**2 * far**3 / 3)

    def link(self, g: Array) -> Array:
        """L from g."""
        return self.unit * (jax.nn.softplus(g) / _LOG2 if self.positive else g)

    @property
    def visited(self) -> tuple[float, float]:
        """Least and greatest input that the data visited."""
        return float(self.seen[0]), float(self.seen[1])

    def _local(self, u: Array) -> tuple[Array, Array, Array]:
        """Index of the first of four coefficients, their weights in g and in its slope, and how far u is beyond [a, b].

        Lengths are in knot intervals.
        """
        intervals = self.coefficients.size - DEGREE
        place = (u - self.ends[0]) / (self.ends[1] - self.ends[0]) * intervals
        inside = jnp.clip(place, 0.0, intervals)
        first = jnp.clip(jnp.floor(jax.lax.stop_gradient(inside)), 0, intervals - 1)
        return first.astype(int), _weights(inside - first), place - inside

    @staticmethod
    def _four(values: Array, first: Array) -> Array:
        return jax.lax.dynamic_slice_in_dim(values, first, DEGREE + 1)


def _weights(s: Array) -> Array:
    """Values and slopes of the four cubic B-splines over an interval of length one, `(2, 4)`."""
    r = 1 - s
    values = [r**3 / 6, (3 * s**3 - 6 * s**2 + 4) / 6, (3 * r**3 - 6 * r**2 + 4) / 6, s**3 / 6]
    slopes = [-(r**2) / 2, (3 * s**2 - 4 * s) / 2, -(3 * r**2 - 4 * r) / 2, s**2 / 2]
    return jnp.stack([jnp.stack(values), jnp.stack(slopes)])


def design(law: SplineLaw, u: np.ndarray) -> np.ndarray:
    """Rows of g at inputs `(n,)`: g = rows @ c."""

    def row(at: Array) -> Array:
        return jax.grad(lambda c: eqx.tree_at(lambda s: s.coefficients, law, c).natural(at)[0])(law.coefficients)

    return np.asarray(jax.vmap(row)(jnp.asarray(u, float)))


def roughness_matrix(size: int) -> np.ndarray:
    r"""K with $c^\top K c = \int_0^1 g''(v)^2\,dv$, for `size` coefficients."""
    intervals = size - DEGREE
    nodes, weights = np.polynomial.legendre.leggauss(2)
    K = np.zeros((size, size))
    for s, w in zip((nodes + 1) / 2, weights / 2, strict=True):
        bend = np.array([1 - s, 3 * s - 2, 1 - 3 * s, s])
        for i in range(intervals):
            K[i : i + 4, i : i + 4] += w * np.outer(bend, bend)
    return K * float(intervals) ** 3


def flat_law(
    low: float, high: float, intervals: int, margin: float, unit: float = 1.0, positive: bool = False
) -> SplineLaw:
    """The law g = 0, with knots over an interval of inputs and beyond it.

    Args:
        low: least input that the knots must cover.
        high: greatest.
        intervals: knot intervals between them.
        margin: share of `high - low` by which knots reach beyond either.
        unit: A.
        positive: which form.
    """
    count = intervals + 2 * round(intervals * margin)
    reach = (high - low) / intervals * round(intervals * margin)
    size = count + DEGREE
    return SplineLaw(
        coefficients=jnp.zeros(size),
        factor=jnp.zeros((size, size)),
        ends=jnp.asarray([low - reach, high + reach]),
        unit=jnp.asarray(float(unit)),
        roughness=jnp.zeros(()),
        seen=jnp.asarray([low, high]),
        anchor=jnp.asarray(jnp.nan),
        positive=positive,
    )
