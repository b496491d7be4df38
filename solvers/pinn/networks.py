"""Networks as pure functions: a description of the architecture makes initial weights and applies them to one input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import final

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from sciml.errors import OptionError
from sciml.storable import storable
from sciml.strong_form.networks import AbstractNetwork


def activation_name(activation: Callable[[Array], Array]) -> str:
    """What a function is called: the same in every process."""
    return getattr(activation, "__name__", repr(activation))


@final
@storable("pinn_mlp")
@dataclass(frozen=True, repr=False)
class MLP(AbstractNetwork):
    r"""A multilayer perceptron $z_{k+1} = \sigma(W_k z_k + b_k)$ with a linear last layer.

    Reference: X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010).

    Args:
        width: units in each hidden layer.
        depth: hidden layers.
        activation: a smooth scalar function, `jnp.tanh` or `jnp.sin`.
        first_scale: factor on the Glorot deviation of the first layer; raise it to 4-6 for solutions that oscillate.
    """

    width: int = 20
    depth: int = 3
    activation: Callable[[Array], Array] = jnp.tanh
    first_scale: float = 1.0

    def __post_init__(self) -> None:
        if self.width < 1 or self.depth < 1 or not self.first_scale > 0:
            raise OptionError(
                f"MLP(width={self.width}, depth={self.depth}, first_scale={self.first_scale})",
                "positive numbers",
                "choose a width of 10 to 50 and a depth of 2 to 4",
            )

    def __repr__(self) -> str:
        name = activation_name(self.activation)
        first = "" if self.first_scale == 1 else f", first_scale={self.first_scale:g}"
        return f"MLP({self.depth}x{self.width}, {name}{first})"

    def init(self, key: Array, inputs: int, outputs: int) -> PyTree:
        """Glorot normal weights, zero biases."""
        sizes = [inputs, *[self.width] * self.depth, outputs]
        shapes = [(m, n) for n, m in pairwise(sizes)]
        cuts = np.cumsum([m * n for m, n in shapes])
        draws = np.split(np.asarray(jax.random.normal(key, (int(cuts[-1]),))), cuts[:-1])  # one draw, one compilation
        layers = []
        for k, ((m, n), draw) in enumerate(zip(shapes, draws, strict=True)):
            deviation = np.sqrt(2.0 / (n + m)) * (self.first_scale if k == 0 else 1.0)
            layers.append((jnp.asarray(deviation * draw.reshape(m, n)), jnp.zeros(m)))
        return layers

    def __call__(self, weights: PyTree, z: Float[Array, " inputs"]) -> Float[Array, " outputs"]:
        *hidden, (last, shift) = weights
        for matrix, bias in hidden:
            z = self.activation(matrix @ z + bias)
        return last @ z + shift
