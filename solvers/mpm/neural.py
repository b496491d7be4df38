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
@storable("flow at constant volume")
class Isochoric(AbstractPlastic):
    r"""Any flow, scaled so that volume is kept: $F \leftarrow (\det F/\det\hat F)^{1/d}\hat F$ with its answer
    $\hat F$.

    Change of volume is what a motion remembers: an error of $10^{-5}$ in each step is one of a hundredth after a
    thousand, and pressure feels it.

    Args:
        flow: what is scaled.
    """

    flow: AbstractPlastic

    def project(self, F: Array) -> Array:
        moved = self.flow.project(F)
        return moved * (determinant(F) / determinant(moved)) ** (1 / F.shape[0])


@final
@storable("plain elasticity")
class PlainElastic(AbstractElastic):
    r"""$P = s\,N(1,(F-I)/|F-I|)$ with the nine components as they are: the baseline that knows nothing.

    Its stress depends on the observer, and does not vanish at rest.

    Args:
        network: N, from one and F - I to P.
        size: of F - I in the data; not learned.
        unit: s in Pa; not learned.
    """

    network: BiasFree
    size: Array
    unit: Array

    @classmethod
    def draw(cls, d: int, size: float, unit: float, key: Array, dtype: Any) -> PlainElastic:
        """With random weights."""
        return cls(*_plain(d, size, unit, key, dtype))

    def kirchhoff(self, F: Array, L: Array) -> Array:
        size, unit = jax.lax.stop_gradient((self.size, self.unit))
        return unit * product_right_transposed(_untied(self.network, size, F), F)

    @property
    def wave_modulus(self) -> None:
        return None


@final
@storable("plain flow")
class PlainPlastic(AbstractPlastic):
    r"""$F \leftarrow F + \alpha\,N(1,(F-I)/|F-I|)$, as plain as `PlainElastic`.

    Args:
        network: N.
        size: of F - I in the data; not learned.
        unit: α; not learned.
    """

    network: BiasFree
    size: Array
    unit: Array

    @classmethod
    def draw(cls, d: int, size: float, unit: float, key: Array, dtype: Any) -> PlainPlastic:
        """With random weights."""
        return cls(*_plain(d, size, unit, key, dtype))

    def project(self, F: Array) -> Array:
        size, unit = jax.lax.stop_gradient((self.size, self.unit))
        return F + unit * _untied(self.network, size, F)


def _plain(d: int, size: float, unit: float, key: Array, dtype: Any) -> tuple[BiasFree, Array, Array]:
    network = BiasFree.draw((d * d + 1, WIDTH, WIDTH, d * d), key, dtype)
    return network, jnp.asarray(size, dtype), jnp.asarray(unit, dtype)


def _untied(network: BiasFree, size: Array, F: Array) -> Array:
    d, batch, one = F.shape[0], F.shape[2:], jnp.ones_like(F[:1, 0])
    strain = add_spherical(F, -one[0]) / size
    return network(jnp.concatenate([one, strain.reshape(d * d, *batch)])).reshape(F.shape)


@final
@storable("increasing convex network")
class Increasing(eqx.Module):
    r"""A network that is increasing and convex in inputs ≥ 0: weights $\log(1+e^w)/n$, activation $\log(1+e^x)-\log2$.

    Zero goes to zero.
    """

    layers: tuple[Array, ...]

    @classmethod
    def draw(cls, widths: tuple[int, ...], key: Array, dtype: Any) -> Increasing:
        """Random weights for layers of these widths."""
        keys = jax.random.split(key, len(widths) - 1)
        shapes = zip(widths[1:], widths[:-1], strict=True)
        return cls(tuple(jax.random.normal(k, shape, dtype) for k, shape in zip(keys, shapes, strict=True)))

    def __call__(self, z: Array) -> Array:
        """Outputs `(out, *batch)` for inputs `(in, *batch)`."""
        flat = z.reshape(z.shape[0], -1)
        for layer in self.layers:
            flat = jax.nn.softplus(layer) @ flat / layer.shape[1]
            if layer is not self.layers[-1]:
                flat = jax.nn.softplus(flat) - jnp.log(2.0).astype(flat.dtype)
        return flat.reshape(-1, *z.shape[1:])


@final
@storable("learned energy")
class LearnedEnergy(AbstractElastic):
    r"""Hyperelasticity with a learned energy: $\tau = \partial_F\psi\,F^\top$ with $\psi = s\,N(f(F)/|f|)$.

    The features $f=(\bar I_1-d,\ \bar I_2^{3/2}-d^{3/2},\ (J-1)^2)$ of the isochoric invariants (in the plane the
    first twice) vanish at rest together with their derivatives. So the stress at rest is zero, and τ is symmetric and
    isotropic and does no work in a cycle, whatever the weights. All three are polyconvex, so with a network that
    increases and is convex (`Increasing`) the energy is polyconvex: waves have real speeds in any deformation.

    Args:
        network: from features to one number.
        size: of the features in the data; not learned.
        unit: s in Pa; not learned.

    Reference: S. Hartmann, P. Neff, "Polyconvexity of generalized polynomial-type hyperelastic strain energy functions"
    (2003), doi:10.1016/S0020-7683(03)00086-6, for the second feature.
    """

    network: BiasFree | Increasing
    size: Array
    unit: Array

    @classmethod
    def draw(
        cls, d: int, size: float, unit: float, key: Array, dtype: Any, network: type[BiasFree | Increasing] = BiasFree
    ) -> LearnedEnergy:
        """With random weights; `size` is that of strains, whose square the features have."""
        weights = network.draw((3, WIDTH, WIDTH, 1), key, dtype)
        return cls(weights, jnp.asarray(size**2, dtype), jnp.asarray(unit * size**2, dtype))

    def energy(self, F: Array) -> Array:
        """Energy per volume at rest in Pa, `(*batch)`."""
        d = F.shape[0]
        C = product_left_transposed(F, F)
        J, first = determinant(F), trace(C)
        isochoric = [first * J ** (-2 / d) - d] * 2
        if d == 3:
            second = (first**2 - squared_norm(C)) / 2 * J ** (-4 / 3)
            isochoric[1] = second * jnp.sqrt(second) - 3**1.5
        size, unit = jax.lax.stop_gradient((self.size, self.unit))
        return unit * self.network(jnp.stack([*isochoric, (J - 1) ** 2]) / size)[0]

    def kirchhoff(self, F: Array, L: Array) -> Array:
        return product_right_transposed(jax.grad(lambda G: jnp.sum(self.energy(G)))(F), F)

    @property
    def wave_modulus(self) -> None:
        return None
