"""Architectures beside the plain perceptron: gated, residual, periodic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from sciml.errors import OptionError
from sciml.storable import storable
from sciml.strong_form.networks import AbstractNetwork
from solvers.pinn.networks import activation_name


def _glorot(key: Array, inputs: int, outputs: int) -> tuple[Array, Array]:
    """A layer `(W, b)` with Glorot normal weights and zero biases."""
    deviation = np.sqrt(2.0 / (inputs + outputs))
    return deviation * jax.random.normal(key, (outputs, inputs)), jnp.zeros(outputs)


def _layer(layer: tuple[Array, Array], z: Array) -> Array:
    matrix, bias = layer
    return matrix @ z + bias


def _check(network: AbstractNetwork, *sizes: float) -> None:
    if not min(sizes) > 0:
        raise OptionError(f"{network!r}", "positive numbers", "choose a width of 10 to 50 and a depth of 2 to 4")


@final
@storable("pinn_gated_mlp")
@dataclass(frozen=True, repr=False)
class GatedMLP(AbstractNetwork):
    r"""The modified perceptron: every layer mixes two encodings of the input, $z \leftarrow h \odot a + (1-h)\odot b$.

    Source: S. Wang, Y. Teng, P. Perdikaris, "Understanding and mitigating gradient flow pathologies in physics-informed
    neural networks" (2021), doi:10.1137/20M1318043.

    Args:
        width: units in each hidden layer.
        depth: hidden layers.
        activation: a smooth scalar function.
    """

    width: int = 20
    depth: int = 3
    activation: Callable[[Array], Array] = jnp.tanh

    def __post_init__(self) -> None:
        _check(self, self.width, self.depth)

    def __repr__(self) -> str:
        return f"GatedMLP({self.depth}x{self.width}, {activation_name(self.activation)})"

    def init(self, key: Array, inputs: int, outputs: int) -> PyTree:
        """Glorot normal weights, zero biases."""
        keys = jax.random.split(key, self.depth + 3)
        sizes = [inputs, *[self.width] * (self.depth - 1)]
        return {
            "gates": [_glorot(k, inputs, self.width) for k in keys[:2]],
            "hidden": [_glorot(k, size, self.width) for k, size in zip(keys[2:-1], sizes, strict=True)],
            "last": _glorot(keys[-1], self.width, outputs),
        }

    def __call__(self, weights: PyTree, z: Float[Array, " inputs"]) -> Float[Array, " outputs"]:
        first, second = (self.activation(_layer(gate, z)) for gate in weights["gates"])
        for layer in weights["hidden"]:
            h = self.activation(_layer(layer, z))
            z = h * first + (1 - h) * second
        return _layer(weights["last"], z)


@final
@storable("pinn_residual_net")
@dataclass(frozen=True, repr=False)
class ResidualNet(AbstractNetwork):
    r"""Gated residual blocks that begin as the identity: $z \leftarrow \alpha f(z) + (1-\alpha) z$ with $\alpha = 0$.

    Each block has three layers, the first two gated by encodings of the input; the network starts linear in its first
    features and grows deeper as its α leave zero.

    Source: S. Wang, B. Li, Y. Chen, P. Perdikaris, "PirateNets: physics-informed deep learning with residual adaptive
    networks" (2024), arXiv:2402.00326.

    Args:
        width: units in each layer.
        blocks: residual blocks of three layers.
        activation: a smooth scalar function.
    """

    width: int = 16
    blocks: int = 1
    activation: Callable[[Array], Array] = jnp.tanh

    def __post_init__(self) -> None:
        _check(self, self.width, self.blocks)

    def __repr__(self) -> str:
        return f"ResidualNet({self.blocks}x{self.width}, {activation_name(self.activation)})"

    def init(self, key: Array, inputs: int, outputs: int) -> PyTree:
        """Glorot normal weights, zero biases, α = 0."""
        keys = iter(jax.random.split(key, 4 + 3 * self.blocks))
        return {
            "first": _glorot(next(keys), inputs, self.width),
            "gates": [_glorot(next(keys), self.width, self.width) for _ in range(2)],
            "blocks": [[_glorot(next(keys), self.width, self.width) for _ in range(3)] for _ in range(self.blocks)],
            "alphas": jnp.zeros(self.blocks),
            "last": _glorot(next(keys), self.width, outputs),
        }

    def __call__(self, weights: PyTree, z: Float[Array, " inputs"]) -> Float[Array, " outputs"]:
        z = self.activation(_layer(weights["first"], z))
        first, second = (self.activation(_layer(gate, z)) for gate in weights["gates"])
        for block, alpha in zip(weights["blocks"], weights["alphas"], strict=True):
            inner = z
            for layer in block[:2]:
                h = self.activation(_layer(layer, inner))
                inner = h * first + (1 - h) * second
            z = alpha * self.activation(_layer(block[2], inner)) + (1 - alpha) * z
        return _layer(weights["last"], z)


@final
@storable("pinn_siren")
@dataclass(frozen=True)
class SIREN(AbstractNetwork):
    r"""Sines of sines, $z_{k+1} = \sin(W_k z_k + b_k)$, with weights that keep their distribution from layer to layer.

    Source: V. Sitzmann et al., "Implicit neural representations with periodic activation functions" (2020),
    arXiv:2006.09661; the factor ω₀ of the deeper layers is absorbed in their weights.

    Args:
        width: units in each hidden layer.
        depth: hidden layers.
        frequency: largest angular frequency of the first layer, in radians per half length of the box.
    """

    width: int = 20
    depth: int = 3
    frequency: float = 5.0

    def __post_init__(self) -> None:
        _check(self, self.width, self.depth, self.frequency)

    def init(self, key: Array, inputs: int, outputs: int) -> PyTree:
        r"""Uniform weights: within $\pm$`frequency` first, then $\pm\sqrt{6/n}$; phases over one period."""
        layers, size = [], inputs
        for k, own in enumerate(jax.random.split(key, self.depth)):
            bound = self.frequency if k == 0 else np.sqrt(6 / size)
            draw = jax.random.uniform(own, (self.width, size + 1), minval=-1.0, maxval=1.0)
            layers.append((bound * draw[:, :-1], jnp.pi * draw[:, -1]))
            size = self.width
        return [*layers, _glorot(jax.random.fold_in(key, self.depth), size, outputs)]

    def __call__(self, weights: PyTree, z: Float[Array, " inputs"]) -> Float[Array, " outputs"]:
        *hidden, last = weights
        for layer in hidden:
            z = jnp.sin(_layer(layer, z))
        return _layer(last, z)
