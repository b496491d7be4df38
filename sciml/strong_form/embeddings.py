"""From physical coordinates to what a network reads: scaled, exactly periodic, or Fourier features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from sciml.errors import OptionError
from sciml.storable import storable

Bounds = Mapping[str, tuple[Array, Array]]


@final
@storable("pinn_embedding")
@dataclass(frozen=True)
class Embedding:
    r"""Features of a point.

    A coordinate on $[a, b]$ enters as $\xi = 2(x-a)/(b-a) - 1$; a periodic one as $\cos k\theta, \sin k\theta$ with
    $\theta = \pi(\xi+1)$, $k \le$ `harmonics`, which makes the network exactly periodic and smooth across the seam.
    Random Fourier features add $\cos Bz, \sin Bz$ with $B_{ij} \sim N(0, \mathrm{scale}^2)$ drawn once from `seed`;
    lines add $\cos\omega(x-a), \sin\omega(x-a)$ for given frequencies of single coordinates.

    Reference: M. Tancik et al., "Fourier features let networks learn high frequency functions in low dimensional
        domains"
    (2020), arXiv:2006.10739; S. Dong, N. Ni, "A method for representing periodic functions and enforcing exactly
    periodic boundary conditions with deep neural networks" (2021), doi:10.1016/j.jcp.2021.110242.

    Args:
        harmonics: multiples of the base frequency along periodic coordinates.
        fourier_features: number of random frequencies; 0 for none.
        scale: standard deviation of the random frequencies, in radians per half length of the box.
        seed: of the frequencies, which belong to the architecture rather than to the weights.
        lines: angular frequencies ω, in radians per unit of the coordinate, by its name.
    """

    harmonics: int = 2
    fourier_features: int = 0
    scale: float = 3.0
    seed: int = 0
    lines: tuple[tuple[str, tuple[float, ...]], ...] = ()

    def __post_init__(self) -> None:
        if self.harmonics < 1 or self.fourier_features < 0 or not self.scale > 0:
            raise OptionError(
                f"Embedding(harmonics={self.harmonics}, fourier_features={self.fourier_features}, scale={self.scale})",
                "harmonics ≥ 1, fourier_features ≥ 0, scale > 0",
                "leave the defaults, or raise one at a time",
            )

    def size(self, names: tuple[str, ...], periodic: frozenset[str]) -> int:
        """Number of features."""
        plain = self._plain_size(names, periodic)
        return plain + 2 * self.fourier_features + 2 * sum(len(found) for _, found in self._lines_of(names))

    def _lines_of(self, names: tuple[str, ...]) -> list[tuple[str, tuple[float, ...]]]:
        return [(name, found) for name, found in self.lines if name in names]

    def _plain_size(self, names: tuple[str, ...], periodic: frozenset[str]) -> int:
        return sum(2 * self.harmonics if name in periodic else 1 for name in names)

    def __call__(
        self, point: Mapping[str, Array], names: tuple[str, ...], periodic: frozenset[str], bounds: Bounds
    ) -> Float[Array, " features"]:
        """Features of one point.

        Args:
            point: a number for each coordinate, by name.
            names: the coordinates that the network reads.
            periodic: names of periodic coordinates.
            bounds: `(lower, upper)` of each coordinate.
        """
        features = []
        for name in names:
            lower, upper = bounds[name]
            xi = 2 * (point[name] - lower) / (upper - lower) - 1
            if name in periodic:
                angles = jnp.arange(1, self.harmonics + 1) * (jnp.pi * (xi + 1))
                features += [jnp.cos(angles), jnp.sin(angles)]
            else:
                features.append(xi[None])
        z = jnp.concatenate(features)
        if self.fourier_features:
            draw = np.random.default_rng(self.seed).normal(size=(self.fourier_features, z.shape[0]))
            phases = self.scale * jnp.asarray(draw) @ z
            z = jnp.concatenate([z, jnp.cos(phases), jnp.sin(phases)])
        for name, frequencies in self._lines_of(names):
            angles = jnp.asarray(frequencies) * (point[name] - bounds[name][0])
            z = jnp.concatenate([z, jnp.cos(angles), jnp.sin(angles)])
        return z
