"""Prices of options."""

from __future__ import annotations

from pde_zoo.values import Value, exact_for, parameter
from sciml import Box, D, Field, Problem, Scalar, coordinates, erf, exp, log, maximum, sqrt


def black_scholes(
    sigma: Value = 0.3, r: Value = 0.05, strike: float = 100.0, maturity: float = 1.0, highest: float = 300.0
) -> Problem:
    r"""Black–Scholes equation: price of a European call, from its pay-off backwards in time.

    $$V_\tau = \tfrac12\sigma^2S^2V_{SS} + r S V_S - r V,\quad \tau\in[0,T],\ S\in[S_{max}/30,S_{max}],\quad
    V(0,S)=\max(S-K,0)$$

    with $\tau$ the time to maturity and the truth at both ends. The pay-off has a kink at the strike that diffusion
    rounds off over a width $\sigma K\sqrt\tau$.

    Args:
        sigma: volatility, per square root of the unit of time.
        r: interest rate, per unit of time.
        strike: $K$.
        maturity: $T$.
        highest: $S_{max}$, the largest price of the asset.

    Truth: $S\,\Phi(d_+)-Ke^{-r\tau}\Phi(d_-)$, $d_\pm=\frac{\log(S/K)+(r\pm\sigma^2/2)\tau}{\sigma\sqrt\tau}$, exact.

    Source: Black, Scholes, doi:10.1086/260062.
    """
    tau, s = coordinates("tau S", time="tau")
    price = Field("V", tau, s)
    sigma, r = parameter("sigma", sigma), parameter("r", r, positive=False)
    call = _call(tau, s, sigma, r, strike)
    domain = Box({tau: (0, maturity), s: (highest / 30, highest)})
    return Problem(
        equations=[D(price, tau) == sigma**2 * s**2 / 2 * D(price, s, s) + r * s * D(price, s) - r * price],
        domain=domain,
        conditions=[
            (price == maximum(s - strike, 0)).on(domain.at(tau=0)),
            (price == call).on(domain.boundary(s)),
        ],
        exact=exact_for({price: call}, sigma, r),
        name="black_scholes",
    )


def _call(tau: Scalar, s: Scalar, sigma: Scalar, r: Scalar, strike: float) -> Scalar:
    """Price of a call; at τ = 0, where the formula is 0/0 on the strike, a tiny τ gives the pay-off to rounding."""
    left = maximum(tau, 1e-30)
    spread = sigma * sqrt(left)
    d_plus = (log(s / strike) + (r + sigma**2 / 2) * left) / spread
    return s * _normal(d_plus) - strike * exp(-(r * tau)) * _normal(d_plus - spread)


def _normal(d: Scalar) -> Scalar:
    """Distribution function of the standard normal."""
    return (1 + erf(d / 2**0.5)) / 2
