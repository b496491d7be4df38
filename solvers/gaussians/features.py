r"""One-axis Gaussians in closed form: $\partial^k e^{-z^2/2} = (-1)^k \mathrm{He}_k(z)\, e^{-z^2/2}$.

Here $z = (\xi-\mu)/\sigma$, and $\mathrm{He}_{k+1} = z\,\mathrm{He}_k - k\,\mathrm{He}_{k-1}$. The lattice may live
in a stretched coordinate $\xi(x)$; derivatives along x then follow from Faà di Bruno's formula, to order four.
"""

from __future__ import annotations

from typing import Any, final

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from sciml.galerkin.eigenbasis import AbstractFeatures
from sciml.storable import storable

Array = Any

LARGEST_ORDER = 4
_IMAGE = 9.0
"""Widths beyond which a Gaussian is below rounding."""


def gaussian_derivatives(z: Array, order: int) -> list[Array]:
    """$e^{-z^2/2}$ and its derivatives up to `order`, each of the shape of z."""
    polynomials = [0 * z + 1, z]
    for k in range(1, order):
        polynomials.append(z * polynomials[k] - k * polynomials[k - 1])
    value = (np if isinstance(z, np.ndarray) else jnp).exp(-(z**2) / 2)
    return [(-1) ** k * p * value for k, p in enumerate(polynomials[: order + 1])]


@final
@storable("gaussian_stretching")
class Stretching(eqx.Module):
    r"""$\xi(x) = x + \sum_k a_k\,\delta_k \operatorname{asinh}((x-c_k)/\delta_k)$: finer near each layer.

    Attributes:
        centres: $c_k$, `(layers,)`.
        widths: $\delta_k$.
        strengths: $a_k$, how much denser the lattice is there.
    """

    centres: Array
    widths: Array
    strengths: Array

    def derivatives(self, x: Array, order: int) -> list[Array]:
        """ξ and its derivatives up to `order` at x `(n,)`, each `(n,)`."""
        xp = np if isinstance(x, np.ndarray) else jnp
        y, d = x[:, None] - self.centres, self.widths
        f = 1 / xp.sqrt(y**2 + d**2)
        towers = [xp.arcsinh(y / d), f, -y * f**3, 3 * y**2 * f**5 - f**3, 9 * y * f**5 - 15 * y**3 * f**7]
        sums = [t @ (self.strengths * d) for t in towers[: order + 1]]
        return [sums[0] + x, *[s + 1.0 if k == 1 else s for k, s in enumerate(sums) if k]]


NO_LAYERS = Stretching(np.zeros(0), np.zeros(0), np.zeros(0))


def _chain(g: list[Array], y: list[Array]) -> list[Array]:
    """Derivatives of g(ξ(x)) along x from those of g along ξ, `(n, m)`, and of ξ, `(n, 1)`."""
    found = [g[0]]
    if len(g) > 1:
        found.append(g[1] * y[1])
    if len(g) > 2:
        found.append(g[2] * y[1] ** 2 + g[1] * y[2])
    if len(g) > 3:
        found.append(g[3] * y[1] ** 3 + 3 * g[2] * y[1] * y[2] + g[1] * y[3])
    if len(g) > 4:
        squares = 3 * y[2] ** 2 + 4 * y[1] * y[3]
        found.append(g[4] * y[1] ** 4 + 6 * g[3] * y[1] ** 2 * y[2] + g[2] * squares + g[1] * y[4])
    return found


@final
@storable("gaussian_lattice")
class GaussianLattice(AbstractFeatures):
    """Equal Gaussians on a lattice in ξ.

    Attributes:
        means: `(m,)`, in ξ.
        width: σ, in ξ.
        stretching: ξ(x).
    """

    means: Array
    width: Array
    stretching: Stretching

    def derivatives(self, x: Array, order: int) -> list[Array]:
        y = [part[:, None] for part in self.stretching.derivatives(x, order)]
        z = (y[0] - self.means) / self.width
        g = [part / self.width**k for k, part in enumerate(gaussian_derivatives(z, order))]
        return g if self.stretching.centres.shape[0] == 0 else _chain(g, y)


@final
@storable("periodic_gaussian_lattice")
class PeriodicLattice(AbstractFeatures):
    """Equal Gaussians on a periodic lattice, each the sum of its images.

    Attributes:
        means: `(m,)`.
        width: σ.
        length: period.
        images: copies kept on each side.
    """

    means: Array
    width: Array
    length: Array
    images: int = eqx.field(static=True)

    def derivatives(self, x: Array, order: int) -> list[Array]:
        total: list[Array] = []
        for image in range(-self.images, self.images + 1):
            z = (x[:, None] - self.means - image * self.length) / self.width
            parts = [part / self.width**k for k, part in enumerate(gaussian_derivatives(z, order))]
            total = parts if not total else [a + b for a, b in zip(total, parts, strict=True)]
        return total


def lattice(
    bounds: tuple[float, float], cells: int, margin: int, ratio: float, stretching: Stretching = NO_LAYERS
) -> GaussianLattice:
    """A lattice over an interval that goes on for `margin` cells beyond each end.

    Args:
        bounds: the interval, in x.
        cells: number of cells inside.
        margin: cells outside each end: without them three to six digits are lost.
        ratio: width over spacing.
        stretching: where the lattice is finer.
    """
    low, high = (float(v) for v in stretching.derivatives(np.asarray(bounds, float), 0)[0])
    spacing = (high - low) / cells
    means = low + spacing * np.arange(-margin, cells + margin + 1)
    return GaussianLattice(means, np.asarray(ratio * spacing), stretching)


def periodic_lattice(bounds: tuple[float, float], cells: int, ratio: float) -> PeriodicLattice:
    """A lattice around a circle."""
    length = bounds[1] - bounds[0]
    width = ratio * length / cells
    means = bounds[0] + length / cells * np.arange(cells)
    return PeriodicLattice(means, np.asarray(width), np.asarray(length), int(np.ceil(_IMAGE * width / length)) + 1)
