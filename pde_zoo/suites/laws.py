r"""Unknown functions inside equations from noisy observations of one trajectory, and an unseen start to foretell.

Each law has two cases: `laws/diffusivity` is the inverse problem, `laws/diffusivity_unseen` the forward problem with
the true law from another initial condition, within the range that the first trajectory visits. The observed trajectory
is computed by Fourier spectral derivatives and fixed steps of fourth order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from pde_zoo.suites.inverse import observed
from sciml import Box, ComputedReference, Field, Law, Problem, coordinates, cos, div, grad, pi, sin
from sciml.case import Case
from sciml.rates import Rates
from sciml.runge_kutta import flow
from sciml.storable import storable


@final
@storable("quadratic diffusivity")
class QuadraticDiffusivity(eqx.Module):
    """$D(u) = a + b\\,u^2$."""

    base: float
    rise: float

    def __call__(self, u: jax.Array) -> jax.Array:
        return self.base + self.rise * u**2


@final
@storable("bistable reaction")
class BistableReaction(eqx.Module):
    """$R(u) = r\\,u(1-u)(u-a)$: below the threshold a the population dies out."""

    rate: float
    threshold: float

    def __call__(self, u: jax.Array) -> jax.Array:
        return self.rate * u * (1 - u) * (u - self.threshold)


@final
@storable("fractional flow")
class FractionalFlow(eqx.Module):
    """$f(u) = u^2/(u^2+M(1-u)^2)$, the share of water in the flow of water and oil; not convex.

    Source: S. E. Buckley, M. C. Leverett, Mechanism of fluid displacement in sands, doi:10.2118/942107-G.
    """

    mobility: float

    def __call__(self, u: jax.Array) -> jax.Array:
        return u**2 / (u**2 + self.mobility * (1 - u) ** 2)


t, x = coordinates("t x")
u = Field("u", t, x)
_BOX = Box({t: (0, 1), x: (0, 1)}, periodic=x)
_SEEN = 0.5 - 0.45 * cos(2 * pi * x)
_UNSEEN = 0.45 + 0.2 * sin(2 * pi * x) + 0.15 * cos(4 * pi * x)
_TRUTH_POINTS, _TRUTH_TIMES, _TRUTH_STEPS = 128, 201, 40
_REFERENCE = ComputedReference("spectral", {"rtol": 1e-9}, {"rtol": 1e-7, "resolution": 128})


@final
@dataclass(frozen=True)
class UnknownLaw:
    """One equation with an open law.

    Attributes:
        name: of the case.
        law: name of the law.
        equation: with the law.
        truth: the function that made the data.
    """

    name: str
    law: str
    equation: Any
    truth: Callable[[Any], Any]

    def inverse(self, noise: float, count: int, seed: int) -> Problem:
        """The problem with an open law and noisy observations."""
        bare = Problem(self.equation, _BOX, [(u == _SEEN).on(_BOX.at(t=0))], name=self.name)
        known = bare.bind(self.law, self.truth)
        problem = observed(bare, _Trajectory(known, trajectory(self.name)), ("u",), noise, count, seed)
        return problem.replace(reference=ComputedReference("spectral", _REFERENCE.fine, _REFERENCE.coarse, known))

    def unseen(self) -> Problem:
        """The forward problem from the other start, with the true law."""
        bare = Problem(self.equation, _BOX, [(u == _UNSEEN).on(_BOX.at(t=0))], name=f"{self.name}_unseen")
        return bare.bind(self.law, self.truth).replace(reference=_REFERENCE)


@final
@dataclass(frozen=True, eq=False)
class _Trajectory:
    """Values at points of a trajectory on a circle: trigonometric in space, cubic in time."""

    problem: Problem
    states: np.ndarray

    def __call__(self, points: Mapping[str, Any]) -> dict[str, Any]:
        from scipy.interpolate import CubicSpline

        modes = np.fft.rfft(self.states, axis=1) / self.states.shape[1]
        at = CubicSpline(np.linspace(0, 1, len(self.states)), modes, axis=0)(np.asarray(points["t"]))
        weights = np.where(np.arange(at.shape[1]) > 0, 2.0, 1.0)
        waves = np.exp(2j * np.pi * np.outer(np.asarray(points["x"]), np.arange(at.shape[1])))
        return {"u": np.real(np.sum(at * waves * weights, axis=1))}


@cache
def trajectory(name: str, points: int = _TRUTH_POINTS, steps: int = _TRUTH_STEPS) -> np.ndarray:
    """States of the observed trajectory at equally spaced times, `(times, points)`.

    Args:
        name: of the case.
        points: on the circle.
        steps: of fourth order between two times.
    """
    law = LAWS[name]
    problem = Problem(law.equation, _BOX, [(u == _SEEN).on(_BOX.at(t=0))]).bind(law.law, law.truth)
    start = 0.5 - 0.45 * np.cos(2 * np.pi * np.arange(points) / points)
    rates, times = Rates.of(problem, points), jnp.linspace(0, 1, _TRUTH_TIMES)
    return np.asarray(jax.jit(lambda y: flow(rates, times, y, {}, steps))(jnp.asarray(start)[None]))[:, 0]


LAWS: dict[str, UnknownLaw] = {
    law.name: law
    for law in (
        UnknownLaw(
            "diffusivity",
            "D",
            u.dt == div(Law("D", u) * grad(u)),
            QuadraticDiffusivity(0.01, 0.04),
        ),
        UnknownLaw(
            "reaction",
            "R",
            u.dt == 0.01 * u.dxx + Law("R", u),
            BistableReaction(8.0, 0.3),
        ),
        UnknownLaw(
            "flux",
            "f",
            u.dt + Law("f", u).dx == 0.02 * u.dxx,
            FractionalFlow(0.5),
        ),
    )
}
"""What there is to learn, by name."""


def diffusivity(noise: float = 0.02, count: int = 300, seed: int = 0) -> Problem:
    r"""Unknown diffusivity of a nonlinear diffusion.

    $$u_t = (D(u)\,u_x)_x,\quad t,x\in[0,1],\ x\text{ periodic},\quad u(0,x)=0.5-0.45\cos2\pi x$$

    Args:
        noise: standard deviation over the root mean square of the observed values.
        count: observations.
        seed: of points and noise.

    Truth: $D(u)=0.01+0.04u^2$; Fourier spectral, its error is computed with it.
    """
    return LAWS["diffusivity"].inverse(noise, count, seed)


def reaction(noise: float = 0.02, count: int = 300, seed: int = 0) -> Problem:
    r"""Unknown reaction beside a known diffusion.

    $$u_t = 0.01\,u_{xx} + R(u),\quad t,x\in[0,1],\ x\text{ periodic},\quad u(0,x)=0.5-0.45\cos2\pi x$$

    Args:
        noise: standard deviation over the root mean square of the observed values.
        count: observations.
        seed: of points and noise.

    Truth: $R(u)=8u(1-u)(u-0.3)$; Fourier spectral, its error is computed with it.
    """
    return LAWS["reaction"].inverse(noise, count, seed)


def flux(noise: float = 0.02, count: int = 300, seed: int = 0) -> Problem:
    r"""Unknown flux of a conservation law with a little viscosity, so that fronts stay smooth.

    $$u_t + f(u)_x = 0.02\,u_{xx},\quad t,x\in[0,1],\ x\text{ periodic},\quad u(0,x)=0.5-0.45\cos2\pi x$$

    Only differences of f act, so it is sought with f = 0 at one place.

    Args:
        noise: standard deviation over the root mean square of the observed values.
        count: observations.
        seed: of points and noise.

    Truth: $f(u)=u^2/(u^2+\tfrac12(1-u)^2)$; Fourier spectral, its error is computed with it.
    """
    return LAWS["flux"].inverse(noise, count, seed)


def diffusivity_unseen() -> Problem:
    r"""The diffusion of `laws/diffusivity` from another start, with the true law.

    $$u(0,x)=0.45+0.2\sin2\pi x+0.15\cos4\pi x$$

    Truth: Fourier spectral; its error is computed with it.
    """
    return LAWS["diffusivity"].unseen()


def reaction_unseen() -> Problem:
    r"""The reaction of `laws/reaction` from another start, with the true law.

    $$u(0,x)=0.45+0.2\sin2\pi x+0.15\cos4\pi x$$

    Truth: Fourier spectral; its error is computed with it.
    """
    return LAWS["reaction"].unseen()


def flux_unseen() -> Problem:
    r"""The conservation law of `laws/flux` from another start, with the true law.

    $$u(0,x)=0.45+0.2\sin2\pi x+0.15\cos4\pi x$$

    Truth: Fourier spectral; its error is computed with it.
    """
    return LAWS["flux"].unseen()


CASES: tuple[Case, ...] = tuple(
    Case(f"laws/{build.__name__}", build, {"t": 51, "x": 64})
    for build in (diffusivity, reaction, flux, diffusivity_unseen, reaction_unseen, flux_unseen)
)
