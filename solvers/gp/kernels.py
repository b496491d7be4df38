r"""Stationary covariance functions of one coordinate, with their derivatives in closed form.

A kernel is $k(z)$ of the lag $z = x - x'$; `derivatives(z, n)` gives $k, k', \dots, k^{(n)}$. Then
$\operatorname{cov}(u^{(p)}(x), u^{(q)}(x')) = (-1)^q k^{(p+q)}(x-x')$. Nothing is differentiated through $|x-x'|$.
Kernels compose with + and ×: a Gaussian mixture spectrum is a sum of squared exponentials times cosines, a Student-t
mixture a sum of Matérn kernels times cosines.
Source: Wilson & Adams, arXiv:1302.4245; Fang et al., ICLR 2024, arXiv:2311.04465.
"""

from __future__ import annotations

from abc import abstractmethod
from math import comb, factorial, inf, sqrt
from typing import Any, final

import equinox as eqx
import numpy as np

from sciml.errors import OptionError
from sciml.storable import storable

Array = Any
"""A NumPy or JAX array; the result is of the same library."""


class AbstractKernel(eqx.Module):
    """A stationary kernel."""

    @property
    @abstractmethod
    def smoothness(self) -> float:
        """How many derivatives k has at zero lag."""

    @abstractmethod
    def _derivatives(self, z: Array, order: int) -> list[Array]:
        """$k, k', ..., k^{(order)}$ at lags."""

    def derivatives(self, z: Array, order: int = 0) -> list[Array]:
        """$k, k', \\dots, k^{(order)}$ at lags z, each of the shape of z.

        Raises:
            OptionError: k has fewer derivatives at zero lag.
        """
        if order > self.smoothness:
            raise OptionError(
                f"derivative {order} of {self!r}", f"at most {self.smoothness:g} derivatives", "use a smoother kernel"
            )
        return self._derivatives(z, order)

    def __call__(self, z: Array) -> Array:
        return self._derivatives(z, 0)[0]

    def __add__(self, other: AbstractKernel) -> Sum:
        return Sum(self, other)

    def __mul__(self, other: Any) -> AbstractKernel:
        return Product(self, other) if isinstance(other, AbstractKernel) else Product(self, Constant(other))

    __rmul__ = __mul__


def leibniz(f: list[Array], g: list[Array]) -> list[Array]:
    """Derivatives of the product f g from those of f and g."""
    return [sum(comb(n, j) * f[j] * g[n - j] for j in range(n + 1)) for n in range(len(f))]


@final
@storable("gp_kernel_constant")
class Constant(AbstractKernel):
    """$k(z) = w$: a weight in a product, an unknown constant in a sum."""

    weight: Array

    @property
    def smoothness(self) -> float:
        return inf

    def _derivatives(self, z: Array, order: int) -> list[Array]:
        return [self.weight + 0 * z, *(0 * z for _ in range(order))]


@final
@storable("gp_kernel_squared_exponential")
class SquaredExponential(AbstractKernel):
    r"""$k(z) = e^{-z^2/2\ell^2}$; $k^{(n+1)} = -(z k^{(n)} + n k^{(n-1)})/\ell^2$."""

    length: Array

    @property
    def smoothness(self) -> float:
        return inf

    def _derivatives(self, z: Array, order: int) -> list[Array]:
        xp = z.__array_namespace__()
        values = [xp.exp(-((z / self.length) ** 2) / 2)]
        for n in range(order):
            below = n * values[n - 1] if n else 0
            values.append(-(z * values[n] + below) / self.length**2)
        return values


@final
@storable("gp_kernel_matern")
class Matern(AbstractKernel):
    r"""Matérn kernel of half-integer order $\nu = p + 1/2$: $e^{-y} P_p(y)$ with $y = \sqrt{2\nu}\,|z|/\ell$.

    Its spectrum is a Student-t density. Derivatives are polynomials times the same exponential:
    $\frac{d}{dy} e^{-y}P = e^{-y}(P' - P)$; k has 2p of them at zero lag.

    Args:
        length: ℓ.
        half_order: p; 1, 2, 3, 4 for ν = 3/2, 5/2, 7/2, 9/2.
    """

    length: Array
    half_order: int = eqx.field(static=True, default=2)

    @property
    def smoothness(self) -> float:
        return 2 * self.half_order

    def _derivatives(self, z: Array, order: int) -> list[Array]:
        xp = z.__array_namespace__()
        p = self.half_order
        rate = sqrt(2 * p + 1) / self.length
        y = rate * xp.abs(z)
        decay, side = xp.exp(-y), xp.sign(z)
        polynomial = np.array(
            [factorial(p) / factorial(2 * p) * factorial(2 * p - i) / factorial(p - i) / factorial(i) * 2.0**i
             for i in range(p + 1)]
        )  # fmt: skip
        values = []
        for n in range(order + 1):
            value = sum(float(c) * y**i for i, c in enumerate(polynomial))
            values.append(rate**n * decay * value * (side if n % 2 else 1))
            polynomial = np.append(polynomial[1:] * np.arange(1, p + 1), 0.0) - polynomial
        return values


@final
@storable("gp_kernel_cosine")
class Cosine(AbstractKernel):
    """$k(z) = \\cos(m z)$: shifts a spectrum to the angular frequency ±m."""

    frequency: Array

    @property
    def smoothness(self) -> float:
        return inf

    def _derivatives(self, z: Array, order: int) -> list[Array]:
        xp = z.__array_namespace__()
        c, s, m = xp.cos(self.frequency * z), xp.sin(self.frequency * z), self.frequency
        return [m**n * (c, -s, -c, s)[n % 4] for n in range(order + 1)]


@final
@storable("gp_kernel_periodic")
class Periodic(AbstractKernel):
    r"""$k(z) = \exp\left((\cos(2\pi z/L) - 1)/\ell^2\right)$ with period L.

    From $k' = g k$, $g = -(2\pi/L\ell^2)\sin(2\pi z/L)$, the derivatives follow by Leibniz's rule.
    """

    period: float
    length: Array

    @property
    def smoothness(self) -> float:
        return inf

    def _derivatives(self, z: Array, order: int) -> list[Array]:
        xp = z.__array_namespace__()
        m = 2 * np.pi / self.period
        c, s = xp.cos(m * z), xp.sin(m * z)
        slopes = [-(m ** (n + 1)) / self.length**2 * (s, c, -s, -c)[n % 4] for n in range(order)]
        values = [xp.exp((c - 1) / self.length**2)]
        for n in range(order):
            values.append(sum(comb(n, j) * slopes[j] * values[n - j] for j in range(n + 1)))
        return values


@final
@storable("gp_kernel_sum")
class Sum(AbstractKernel):
    """$k_1 + k_2$: independent contributions."""

    first: AbstractKernel
    second: AbstractKernel

    @property
    def smoothness(self) -> float:
        return min(self.first.smoothness, self.second.smoothness)

    def _derivatives(self, z: Array, order: int) -> list[Array]:
        pairs = zip(self.first._derivatives(z, order), self.second._derivatives(z, order), strict=True)
        return [a + b for a, b in pairs]


@final
@storable("gp_kernel_product")
class Product(AbstractKernel):
    """$k_1 k_2$: spectra convolved."""

    first: AbstractKernel
    second: AbstractKernel

    @property
    def smoothness(self) -> float:
        return min(self.first.smoothness, self.second.smoothness)

    def _derivatives(self, z: Array, order: int) -> list[Array]:
        return leibniz(self.first._derivatives(z, order), self.second._derivatives(z, order))
