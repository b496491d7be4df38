r"""Laws of splines: isotropic stress and flow from functions of one number, cubic splines with weights.

With Hencky's strain $H=\tfrac12\log FF^\top$, its volumetric part $\theta=\operatorname{tr}H$ and its deviatoric part
$e=\operatorname{dev}H$ of size $q=|e|$, secants $k,g$ of stress and shares $a,b$ of flow are splines:

$$\tau = k(\theta)\,\theta\,I + 2g(q)\,e,\qquad
F \leftarrow e^{-A}F,\quad A = a(q)\,e + \tfrac1d b(\theta)\,\theta\,I.$$

Both turn with the body, rest is at rest, the stress derives from an energy. StVK-Hencky elasticity and von Mises flow
are of this form; the rotation and the change of volume of corotated elasticity are near it; the cone of Drucker-Prager,
whose flow depends on both numbers at once, is not.

Reference: the idea of splines of stretches is that of H. Xu et al., "Nonlinear material design using principal
stretches" (2015), doi:10.1145/2766917; the split into two strains instead of three stretches is ours, as it needs no
eigenvectors.
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
    deviator,
    exponential,
    logarithm,
    product,
    product_right_transposed,
    squared_norm,
    trace,
)

KNOTS = 25
REACH = 45.0
"""Sizes up to which knots lie; their distance grows with the strain, as that of its inverse hyperbolic sine is even."""


@final
@storable("spline of strain")
class Spline(eqx.Module):
    r"""$S(x)=\sum_k c_k B(u/\Delta u-k)$, the uniform cubic B-spline of $u=\operatorname{arsinh}(x/|x|_0)$.

    Args:
        weights: $c_k$ at knots from -REACH to REACH sizes; beyond them S is constant.
        size: $|x|_0$, not learned.
    """

    weights: Array
    size: Array

    @classmethod
    def constant(cls, value: float, size: float, dtype: Any) -> Spline:
        """The same value everywhere."""
        return cls(jnp.full(KNOTS, value, dtype), jnp.asarray(size, dtype))

    def __call__(self, x: Array) -> Array:
        """Values, of the shape of x."""
        end = float(jnp.arcsinh(REACH))
        count = self.weights.size
        u = (jnp.arcsinh(x / jax.lax.stop_gradient(self.size)) / end + 1) * (count - 1) / 2
        u = jnp.clip(u, 1.0, count - 2.0)
        return sum((self.weights[k] * _cubic(u - k) for k in range(1, count)), self.weights[0] * _cubic(u))


def _cubic(u: Array) -> Array:
    """The cubic B-spline with knots at -2, …, 2."""
    inner, outer = jnp.maximum(1 - jnp.abs(u), 0), jnp.maximum(2 - jnp.abs(u), 0)
    return outer**3 / 6 - 4 * inner**3 / 6


def _strains(F: Array) -> tuple[Array, Array, Array]:
    """θ, e, q; the derivative of q where it vanishes is zero."""
    H = 0.5 * logarithm(product_right_transposed(F, F))
    e = deviator(H)
    squared = squared_norm(e)
    moved = squared > 0
    return trace(H), e, jnp.where(moved, jnp.sqrt(jnp.where(moved, squared, 1.0)), 0.0)


@final
@storable("spline elasticity")
class SplineElastic(AbstractElastic):
    r"""$\tau = s\,(k(\theta)\,\theta\,I + 2g(q)\,e)$.

    Args:
        bulk: k.
        shear: g.
        unit: s in Pa; not learned.
    """

    bulk: Spline
    shear: Spline
    unit: Array

    @classmethod
    def start(cls, size: float, unit: float, dtype: Any) -> SplineElastic:
        """Linear in strain, with a third of the unit for both moduli."""
        third = Spline.constant(1 / 3, size, dtype)
        return cls(third, third, jnp.asarray(unit, dtype))

    def kirchhoff(self, F: Array, L: Array) -> Array:
        volume, e, q = _strains(F)
        return jax.lax.stop_gradient(self.unit) * add_spherical(2 * self.shear(q) * e, self.bulk(volume) * volume)

    @property
    def wave_modulus(self) -> None:
        return None


@final
@storable("spline flow")
class SplinePlastic(AbstractPlastic):
    r"""$F \leftarrow e^{-A}F$ with $A = a(q)\,e + \tfrac1d b(\theta)\,\theta\,I$.

    Args:
        shear: a.
        bulk: b.
    """

    shear: Spline
    bulk: Spline

    @classmethod
    def start(cls, size: float, dtype: Any) -> SplinePlastic:
        """No flow."""
        none = Spline.constant(0.0, size, dtype)
        return cls(none, none)

    def project(self, F: Array) -> Array:
        volume, e, q = _strains(F)
        A = add_spherical(self.shear(q) * e, self.bulk(volume) * volume / F.shape[0])
        return product(exponential(-A), F)
