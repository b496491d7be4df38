r"""Materials: what a law of stress is bound to when it has an elastic and a plastic part.

Tensors have their components first: F of shape `(d, d, *batch)`, so that the same code serves one point and a million.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, final

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array

from sciml.errors import ProblemError
from sciml.storable import storable
from sciml.tensors import inverse_transposed, product, product_right_transposed, transpose


class AbstractElastic(eqx.Module):
    """How the elastic part of a deformation gradient makes stress."""

    @abstractmethod
    def kirchhoff(self, F: Array, L: Array) -> Array:
        r"""Kirchhoff stress $\tau = J\sigma = P F^\top$ in Pa.

        Args:
            F: elastic deformation gradient.
            L: spatial velocity gradient in 1/s; only viscous laws read it.
        """

    @property
    @abstractmethod
    def wave_modulus(self) -> Array | None:
        r"""$\lambda + 2\mu$ at rest in Pa, ρ times the square of the fastest wave's speed; None if unknown."""


class AbstractPlastic(eqx.Module):
    """How a trial deformation gradient returns to the elastic domain."""

    @abstractmethod
    def project(self, F: Array) -> Array:
        """The elastic deformation gradient after flow."""


@final
@storable("no flow")
class NoFlow(AbstractPlastic):
    """Purely elastic."""

    def project(self, F: Array) -> Array:
        return F


@final
@storable("material")
class Material(eqx.Module):
    r"""An elastic and a plastic part; called, the first Piola-Kirchhoff stress $P = \tau F^{-\top}$ of the elastic
    part.

    A law `Law("stress", grad(phi), (d, d))` that a `Material` is bound to is a law with memory: what it reads is the
    elastic part $F^e$ of the deformation gradient, which moves with $\dot F = LF$ and is then projected by the plastic
    part. Without flow that is $\nabla\varphi$ itself.

    Args:
        elastic: stress.
        plastic: return map (default: none).
    """

    elastic: AbstractElastic
    plastic: AbstractPlastic = NoFlow()

    def __call__(self, F: Array, rate: Array | None = None) -> Array:
        Q = inverse_transposed(F)
        L = jnp.zeros_like(F) if rate is None else product(rate, transpose(Q))
        return product(self.elastic.kirchhoff(F, L), Q)


@final
@storable("materials by body")
class PerBody(eqx.Module):
    """A material for each body, for `Law("stress", (grad(phi), body), …)` with a coefficient that numbers the bodies.

    Args:
        materials: by the body's name, in the order of the domain's bodies.
    """

    materials: dict[str, Material]
    order: tuple[str, ...] = eqx.field(static=True)

    def __init__(self, materials: Mapping[str, Material]):
        for name, material in materials.items():
            if not isinstance(material, Material):
                raise ProblemError(
                    f"{type(material).__name__} for body {name!r}", "a Material", "wrap its elastic part"
                )
        self.materials, self.order = dict(materials), tuple(materials)

    def __call__(self, F: Array, body: Array) -> Array:
        stresses = jnp.stack([self.materials[name](F) for name in self.order])
        return stresses[jnp.asarray(body).astype(int)]


@final
@storable("first Piola-Kirchhoff stress")
class FirstPiola(AbstractElastic):
    """A law that is given as a function P(F) of one deformation gradient `(d, d)`, such as a user's own."""

    function: Any

    def kirchhoff(self, F: Array, L: Array) -> Array:
        d, batch = F.shape[0], F.shape[2:]
        flat = F.reshape(d, d, -1)
        P = jax.vmap(self.function, in_axes=-1, out_axes=-1)(flat).reshape(d, d, *batch)
        return product_right_transposed(P, F)

    @property
    def wave_modulus(self) -> None:
        return None
