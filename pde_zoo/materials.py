r"""Materials of continuum mechanics, as elastic stresses and plastic return maps.

Every elastic law gives Kirchhoff stress $\tau$ from the elastic deformation gradient F; $J=\det F$, $b=FF^\top$, and
$H=\tfrac12\log b$ is Hencky's strain. Return maps that flow in the principal directions of b are written
$F \leftarrow e^{-A}F$ with a symmetric A, so that no singular vectors are needed.

References: J. Bonet, R. D. Wood, Nonlinear Continuum Mechanics for Finite Element Analysis (2008); G. Klar et al.,
"Drucker-Prager elastoplasticity for sand animation" (2016), doi:10.1145/2897824.2925906; P. Ma et al., "Learning neural
constitutive laws from motion observations" (2023), arXiv:2304.14369.
"""

from __future__ import annotations

from typing import Any, final

import equinox as eqx
import jax.numpy as jnp
from jax import Array

from sciml.errors import ProblemError
from sciml.material import AbstractElastic, AbstractPlastic
from sciml.storable import storable
from sciml.tensors import (
    add_spherical,
    determinant,
    deviator,
    exponential,
    logarithm,
    product,
    product_right_transposed,
    rotation,
    spherical,
    squared_norm,
    symmetric,
    trace,
)


def _number(value: Any) -> Array:
    return jnp.asarray(value, float) if isinstance(value, int) else jnp.asarray(value)


def _check(values: dict[str, Any], needed: str, holds: bool) -> None:
    if not holds:
        given = ", ".join(f"{name}={value!r}" for name, value in values.items())
        raise ProblemError(f"a material with {given}", needed, "correct the number")


class AbstractLame(AbstractElastic):
    """An elastic law with Young's modulus in Pa and Poisson's ratio."""

    E: eqx.AbstractVar[Array]
    nu: eqx.AbstractVar[Array]

    @property
    def shear(self) -> Array:
        r"""$\mu = E/(2(1+\nu))$."""
        return self.E / (2 * (1 + self.nu))

    @property
    def lame(self) -> Array:
        r"""$\lambda = E\nu/((1+\nu)(1-2\nu))$."""
        return self.E * self.nu / ((1 + self.nu) * (1 - 2 * self.nu))

    @property
    def wave_modulus(self) -> Array:
        return self.lame + 2 * self.shear


def _check_elastic(E: float, nu: float) -> None:
    _check({"E": E, "nu": nu}, "E > 0 and -1 < nu < 0.5", bool(E > 0) and bool(-1 < nu < 0.5))


@final
@storable("corotated elasticity")
class Corotated(AbstractLame):
    r"""Fixed-corotated elasticity $\tau = 2\mu(F-R)F^\top + \lambda J(J-1)I$ with the rotation R of F."""

    E: Array = eqx.field(converter=_number)
    nu: Array = eqx.field(converter=_number)

    def kirchhoff(self, F: Array, L: Array) -> Array:
        J = determinant(F)
        shear = 2 * self.shear * product_right_transposed(F - rotation(F), F)
        return add_spherical(symmetric(shear), self.lame * J * (J - 1))


@final
@storable("Hencky elasticity")
class Hencky(AbstractLame):
    r"""Elasticity that is linear in Hencky's strain, $\tau = 2\mu H + \lambda\operatorname{tr}(H) I$ (StVK–Hencky)."""

    E: Array = eqx.field(converter=_number)
    nu: Array = eqx.field(converter=_number)

    def kirchhoff(self, F: Array, L: Array) -> Array:
        H = _hencky(F)
        return add_spherical(2 * self.shear * H, self.lame * trace(H))


@final
@storable("neo-Hookean elasticity")
class NeoHookean(AbstractLame):
    r"""Compressible neo-Hookean elasticity $\tau = \mu(b - I) + \lambda\log(J)\,I$."""

    E: Array = eqx.field(converter=_number)
    nu: Array = eqx.field(converter=_number)

    def kirchhoff(self, F: Array, L: Array) -> Array:
        b = product_right_transposed(F, F)
        return add_spherical(self.shear * b, self.lame * jnp.log(determinant(F)) - self.shear)


@final
@storable("volume elasticity")
class Volume(AbstractLame):
    r"""Pressure alone, of a weakly compressible fluid: $\tau = \lambda J(J-1)I$."""

    E: Array = eqx.field(converter=_number)
    nu: Array = eqx.field(converter=_number)

    def kirchhoff(self, F: Array, L: Array) -> Array:
        J = determinant(F)
        return spherical(self.lame * J * (J - 1), F.shape[0])

    @property
    def wave_modulus(self) -> Array:
        return self.lame


@final
@storable("Newtonian fluid")
class Newtonian(AbstractElastic):
    r"""A weakly compressible viscous fluid: $\tau = \lambda J(J-1)I + J\eta(L+L^\top - \tfrac2d\operatorname{tr}(L)I)$.

    Args:
        bulk: $\lambda$ in Pa.
        viscosity: $\eta$ in Pa s.
    """

    bulk: Array = eqx.field(converter=_number)
    viscosity: Array = eqx.field(converter=_number)

    def kirchhoff(self, F: Array, L: Array) -> Array:
        J = determinant(F)
        return add_spherical(2 * J * self.viscosity * deviator(symmetric(L)), self.bulk * J * (J - 1))

    @property
    def wave_modulus(self) -> Array:
        return self.bulk


def _hencky(F: Array) -> Array:
    return 0.5 * logarithm(product_right_transposed(F, F))


def _norm(squared: Array) -> Array:
    """Square root whose derivative at zero is zero."""
    positive = squared > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, squared, 1.0)), 0.0)


def _shrink(e: Array, norm: Array, amount: Array) -> tuple[Array, Array]:
    """The part of a deviator that flow takes away, and where: a division that is safe at zero, also differentiated."""
    flows = (amount > 0) & (norm > 0)
    return jnp.where(flows, amount, 0.0) / jnp.where(flows, norm, 1.0) * e, flows


def _flow(F: Array, A: Array, flows: Array) -> Array:
    return jnp.where(flows, product(exponential(-A), F), F)


@final
@storable("von Mises flow")
class VonMises(AbstractPlastic):
    r"""Flow at constant volume where $2\mu\,|\operatorname{dev}H| > \sigma_y$, back to that surface.

    Args:
        E: Young's modulus in Pa.
        nu: Poisson's ratio.
        yield_stress: $\sigma_y$ in Pa.
    """

    E: Array = eqx.field(converter=_number)
    nu: Array = eqx.field(converter=_number)
    yield_stress: Array = eqx.field(converter=_number)

    def project(self, F: Array) -> Array:
        e = deviator(_hencky(F))
        norm = _norm(squared_norm(e))
        return _flow(F, *_shrink(e, norm, norm - self.yield_stress * (1 + self.nu) / self.E))


@final
@storable("Drucker-Prager flow")
class DruckerPrager(AbstractPlastic):
    r"""Friction between grains without cohesion; what is pulled apart loses all stress.

    With $\alpha=\sqrt{2/3}\,2\sin\phi/(3-\sin\phi)$: where $\operatorname{tr}H \ge 0$, F becomes its rotation;
    elsewhere $|\operatorname{dev}H|$ is reduced to at most $-\alpha\,(d\lambda+2\mu)/(2\mu)\operatorname{tr}H$.

    Args:
        nu: Poisson's ratio.
        friction_angle: $\phi$ in degrees.
    """

    nu: Array = eqx.field(converter=_number)
    friction_angle: Array = eqx.field(converter=_number)

    def project(self, F: Array) -> Array:
        d = F.shape[0]
        H = _hencky(F)
        e, volume = deviator(H), trace(H)
        sine = jnp.sin(jnp.deg2rad(self.friction_angle))
        alpha = (2 / 3) ** 0.5 * 2 * sine / (3 - sine)
        ratio = d * self.nu / (1 - 2 * self.nu) + 1  # (dλ + 2μ) / 2μ
        norm = _norm(squared_norm(e))
        taken, flows = _shrink(e, norm, norm + alpha * ratio * volume)
        apart = volume >= 0
        return _flow(F, jnp.where(apart, H, taken), apart | flows)


@final
@storable("fluid flow")
class Fluid(AbstractPlastic):
    r"""Only the change of volume is kept: $F \leftarrow J^{1/d} I$."""

    def project(self, F: Array) -> Array:
        d = F.shape[0]
        return spherical(determinant(F) ** (1 / d), d)
