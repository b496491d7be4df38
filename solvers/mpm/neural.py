r"""Laws with weights: stress and flow as small networks of invariants of the deformation gradient.

The networks of `NeuralElastic` and `NeuralPlastic` are those of the paper: thirteen invariants of F in space,
$z=(\sigma-1,\;F^\top F-I,\;\det F-1)$, two hidden layers of 64 with exact GELU, no bias, a symmetric tensor
$X=\tfrac12(A+A^\top)$ from the nine outputs; $P=RX$ and $F\leftarrow F+\alpha RX$ with the rotation R of F. Turning F
turns the answer, and z = 0 gives X = 0: no stress and no flow at rest, whatever the weights. Two numbers that the
data fix replace a learning rate of one: the size of the invariants and the unit of the output.

Reference: P. Ma et al., "Learning neural constitutive laws from motion observations" (2023), arXiv:2304.14369.
"""

from __future__ import annotations

from typing import Any, final

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array

from sciml.material import AbstractElastic, AbstractPlastic
from sciml.storable import storable
from sciml.tensors import (
    add_spherical,
    determinant,
    product,
    product_left_transposed,
    product_right_transposed,
    rotation,
    singular_values,
    squared_norm,
    symmetric,
    trace,
)

WIDTH = 64


def invariants(F: Array) -> Array:
    """Singular values, right Cauchy-Green tensor, determinant, less their values at rest: `(d + d² + 1, *batch)`."""
    d, batch = F.shape[0], F.shape[2:]
    C = add_spherical(product_left_transposed(F, F), -jnp.ones_like(F[0, 0]))
    return jnp.concatenate([singular_values(F) - 1, C.reshape(d * d, *batch), determinant(F)[None] - 1])


@final
@storable("bias-free network")
class BiasFree(eqx.Module):
    """Dense layers without bias, exact GELU between them: zero goes to zero. Weights are drawn as by Xavier."""

    layers: tuple[Array, ...]

    @classmethod
    def draw(cls, widths: tuple[int, ...], key: Array, dtype: Any) -> BiasFree:
        """Random weights for layers of these widths."""
        keys = jax.random.split(key, len(widths) - 1)
        xavier = jax.nn.initializers.glorot_uniform()
        shapes = zip(widths[1:], widths[:-1], strict=True)
        return cls(tuple(xavier(k, shape, dtype) for k, shape in zip(keys, shapes, strict=True)))

    def __call__(self, z: Array) -> Array:
        """Outputs `(out, *batch)` for inputs `(in, *batch)`."""
        flat = z.reshape(z.shape[0], -1)
        for layer in self.layers[:-1]:
            flat = jax.nn.gelu(layer @ flat, approximate=False)
        return (self.layers[-1] @ flat).reshape(-1, *z.shape[1:])


def _turned(network: BiasFree, size: Array, F: Array) -> Array:
    """R X."""
    d, batch = F.shape[0], F.shape[2:]
    X = symmetric(network(invariants(F) / size).reshape(d, d, *batch))
    return product(rotation(F), X)


@final
@storable("neural elasticity")
class NeuralElastic(AbstractElastic):
    r"""$\tau = s\,R X F^\top$.

    Args:
        network: from invariants to A.
        size: of the invariants in the data; not learned.
        unit: s in Pa; not learned.
    """

    network: BiasFree
    size: Array
    unit: Array

    @classmethod
    def draw(cls, d: int, size: float, unit: float, key: Array, dtype: Any) -> NeuralElastic:
        """With random weights."""
        network = BiasFree.draw((d + d * d + 1, WIDTH, WIDTH, d * d), key, dtype)
        return cls(network, jnp.asarray(size, dtype), jnp.asarray(unit, dtype))

    def kirchhoff(self, F: Array, L: Array) -> Array:
        size, unit = jax.lax.stop_gradient((self.size, self.unit))
        return unit * product_right_transposed(_turned(self.network, size, F), F)

    @property
    def wave_modulus(self) -> None:
        return None


@final
@storable("neural flow")
class NeuralPlastic(AbstractPlastic):
    r"""$F \leftarrow F + \alpha R X$.

    Args:
        network: from invariants to A.
        size: of the invariants in the data; not learned.
        unit: α; not learned.
    """

    network: BiasFree
    size: Array
    unit: Array

    @classmethod
    def draw(cls, d: int, size: float, unit: float, key: Array, dtype: Any) -> NeuralPlastic:
        """With random weights."""
        network = BiasFree.draw((d + d * d + 1, WIDTH, WIDTH, d * d), key, dtype)
        return cls(network, jnp.asarray(size, dtype), jnp.asarray(unit, dtype))

    def project(self, F: Array) -> Array:
        size, unit = jax.lax.stop_gradient((self.size, self.unit))
        return F + unit * _turned(self.network, size, F)


@final
@storable("learned energy")
class LearnedEnergy(AbstractElastic):
    r"""Hyperelasticity with a learned energy: $\tau = \partial_F\psi\,F^\top$ with $\psi = s\,N(f(F)/|f|)$.

    The features $f=(\bar I_1-d,\ \bar I_2-d,\ (J-1)^2)$ of the isochoric invariants vanish at rest together with their
    derivatives. So the stress at rest is zero, and τ is symmetric and isotropic and does no work in a cycle, whatever
    the weights.

    Args:
        network: from features to one number.
        size: of the features in the data; not learned.
        unit: s in Pa; not learned.
    """

    network: BiasFree
    size: Array
    unit: Array

    @classmethod
    def draw(cls, d: int, size: float, unit: float, key: Array, dtype: Any) -> LearnedEnergy:
        """With random weights; `size` is that of strains, whose square the features have."""
        network = BiasFree.draw((3, WIDTH, WIDTH, 1), key, dtype)
        return cls(network, jnp.asarray(size**2, dtype), jnp.asarray(unit * size**2, dtype))

    def energy(self, F: Array) -> Array:
        """Energy per volume at rest in Pa, `(*batch)`."""
        d = F.shape[0]
        C = product_left_transposed(F, F)
        J, first = determinant(F), trace(C)
        second = (first**2 - squared_norm(C)) / 2 if d == 3 else first
        isochoric = [first * J ** (-2 / d) - d, second * J ** (-4 / 3) - d] if d == 3 else [first / J - d] * 2
        size, unit = jax.lax.stop_gradient((self.size, self.unit))
        return unit * self.network(jnp.stack([*isochoric, (J - 1) ** 2]) / size)[0]

    def kirchhoff(self, F: Array, L: Array) -> Array:
        return product_right_transposed(jax.grad(lambda G: jnp.sum(self.energy(G)))(F), F)

    @property
    def wave_modulus(self) -> None:
        return None
