r"""Free Gaussians: means, log-widths and linear weights that are all trained, and the published model with its head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree
from scipy.stats import qmc

from sciml.errors import OptionError
from sciml.storable import storable
from sciml.strong_form.networks import AbstractNetwork
from solvers.gaussians.features import gaussian_derivatives

_MOST_LATTICE_AXES = 3


def product_derivative(
    means: Float[Array, "N d"], log_widths: Float[Array, "N d"], z: Float[Array, " d"], orders: tuple[int, ...]
) -> Float[Array, " N"]:
    r"""$\partial^{p}\prod_k e^{-(z_k-\mu_k)^2/2\sigma_k^2}$ in closed form, each order up to 4."""
    widths = jnp.exp(log_widths)
    total = jnp.ones(means.shape[0])
    for k, order in enumerate(orders):
        factor = gaussian_derivatives((z[k] - means[:, k]) / widths[:, k], order)[order]
        total = total * factor / widths[:, k] ** order
    return total


@final
@storable("gaussian_mixture")
@dataclass(frozen=True)
class Mixture(AbstractNetwork):
    r"""$u_i(z) = \sum_n w_{in} \prod_k e^{-(z_k-\mu_{nk})^2/2\sigma_{nk}^2}$: linear in w, widths by their logarithms.

    Args:
        gaussians: N.
    """

    gaussians: int = 160

    def init(self, key: Array, inputs: int, outputs: int) -> PyTree:
        """Uniform means, widths of twice the mean spacing, no weight."""
        means = jax.random.uniform(key, (self.gaussians, inputs), minval=-1.2, maxval=1.2)
        width = 2 * 2.4 / self.gaussians ** (1 / inputs)
        widths = jnp.full((self.gaussians, inputs), jnp.log(width))
        return {"means": means, "log_widths": widths, "weights": jnp.zeros((outputs, self.gaussians))}

    def __call__(self, weights: PyTree, z: Float[Array, " inputs"]) -> Float[Array, " outputs"]:
        distance = (z - weights["means"]) * jnp.exp(-weights["log_widths"])
        return weights["weights"] @ jnp.exp(-0.5 * jnp.sum(distance**2, axis=1))


@final
@storable("published_gaussian_mixture")
@dataclass(frozen=True)
class HeadedMixture(AbstractNetwork):
    """The published model: k channels of N diagonal Gaussians each, read by a network of one hidden tanh layer.

    Args:
        gaussians: N, of each channel.
        channels: k.
        width: initial standard deviation of every Gaussian; it is not constrained afterwards, as published.
        hidden: units of the head.
    """

    gaussians: int = 800
    channels: int = 4
    width: float = 0.1
    hidden: int = 16

    def __post_init__(self) -> None:
        if min(self.gaussians, self.channels, self.hidden) < 1 or not self.width > 0:
            raise OptionError(f"{self!r}", "counts of at least 1 and a positive width", "change that option")

    def init(self, key: Array, inputs: int, outputs: int) -> PyTree:
        """Uniform means, equal widths, weights of deviation 0.01, a Glorot head."""
        shape = (self.channels, self.gaussians)
        where, size, first, last = jax.random.split(key, 4)
        glorot = jax.nn.initializers.glorot_normal()
        return {
            "means": jax.random.uniform(where, (*shape, inputs), minval=-1.0, maxval=1.0),
            "widths": jnp.full((*shape, inputs), self.width),
            "weights": 0.01 * jax.random.normal(size, shape),
            "head": [
                (glorot(first, (self.channels, self.hidden), float), jnp.zeros(self.hidden)),
                (glorot(last, (self.hidden, outputs), float), jnp.zeros(outputs)),
            ],
        }

    def __call__(self, weights: PyTree, z: Float[Array, " inputs"]) -> Float[Array, " outputs"]:
        distance = (z - weights["means"]) / weights["widths"]
        features = jnp.sum(weights["weights"] * jnp.exp(-0.5 * jnp.sum(distance**2, axis=-1)), axis=1)
        (inner, shift), (outer, offset) = weights["head"]
        return jnp.tanh(features @ inner + shift) @ outer + offset


def linear_weights(weights: PyTree) -> Any:
    """Which leaves a mixture is linear in: for variable projection."""
    found = jax.tree.map(lambda _: False, weights)
    for network in found["networks"]:
        network["weights"] = True
    return found


def lattice_start(periodic: tuple[bool, ...], needs: np.ndarray, outputs: int, count: int) -> PyTree:
    """Means on a lattice with two cells outside the box, in the coordinates of the embedding.

    In more than three coordinates, where the smallest lattice of seven means an axis has thousands, they follow a
    Halton sequence instead.

    Args:
        periodic: whether each coordinate is; it enters as cosine and sine.
        needs: relative number of cells that each coordinate asks for.
        outputs: fields.
        count: Gaussians; a lattice that the data ask to be finer has more.
    """
    margin, ratio, scale = 2, 1.3, 1.0
    cells = np.maximum(2, np.floor(scale * needs)).astype(int)
    sizes = lambda n: np.where(periodic, n, n + 2 * margin + 1)  # noqa: E731
    if len(periodic) > _MOST_LATTICE_AXES:
        return _scattered_start(periodic, outputs, count)
    while np.prod(sizes(np.maximum(2, np.floor(1.02 * scale * needs)))) <= count and scale < 1e6:
        scale *= 1.02
        cells = np.maximum(2, np.floor(scale * needs)).astype(int)
    axes, widths = [], []
    for is_periodic, n in zip(periodic, cells, strict=True):
        if is_periodic:
            angle = 2 * np.pi * np.arange(n) / n
            axes.append(np.stack([np.cos(angle), np.sin(angle)], axis=1))
            widths += [2 * np.pi / n * ratio] * 2
        else:
            axes.append((-1 + 2 / n * np.arange(-margin, n + margin + 1))[:, None])
            widths.append(2 / n * ratio)
    index = np.stack([m.ravel() for m in np.meshgrid(*[np.arange(len(a)) for a in axes], indexing="ij")], axis=1)
    means = np.concatenate([a[index[:, k]] for k, a in enumerate(axes)], axis=1)
    log_widths = np.broadcast_to(np.log(widths), means.shape)
    return {
        "means": jnp.asarray(means),
        "log_widths": jnp.asarray(log_widths),
        "weights": jnp.zeros((outputs, len(means))),
    }


def _scattered_start(periodic: tuple[bool, ...], outputs: int, count: int) -> PyTree:
    """Means on a Halton sequence over a box that is larger by a fifth, widths of twice the mean spacing."""
    share = qmc.Halton(len(periodic), scramble=False).random(count + 1)[1:]
    spacing = count ** (-1 / len(periodic))
    means, widths = [], []
    for is_periodic, along in zip(periodic, share.T, strict=True):
        if is_periodic:
            means += [np.cos(2 * np.pi * along), np.sin(2 * np.pi * along)]
            widths += [2 * 2 * np.pi * spacing] * 2
        else:
            means.append(2.4 * along - 1.2)
            widths.append(2 * 2.4 * spacing)
    placed = np.stack(means, axis=1)
    return {
        "means": jnp.asarray(placed),
        "log_widths": jnp.asarray(np.broadcast_to(np.log(widths), placed.shape)),
        "weights": jnp.zeros((outputs, count)),
    }
