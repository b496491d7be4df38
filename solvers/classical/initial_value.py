"""The `InitialValue` solver."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from time import perf_counter
from typing import Any, final

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from sciml.conditions import ConditionKind, PlacedCondition
from sciml.errors import OptionError
from sciml.expr.evolution import rate_field
from sciml.problem import Problem
from sciml.rates import Rates, no_rates
from sciml.results import RESULTS
from sciml.solution import Estimate, Solution, Stats
from sciml.solver import AbstractSolver, Run
from solvers.classical.given import start_value
from solvers.classical.spectral.representations import Nowhere, PolynomialPanels

_DEGREES = 16
_FEWEST, _MOST = 8, 4096  # panels
_STEPS = 4096  # of a panel
_FINEST = 1e-14
_NODES = (1 - np.cos(np.pi * np.arange(_DEGREES) / (_DEGREES - 1))) / 2


@final
@dataclass(frozen=True)
class InitialValue(AbstractSolver):
    r"""Systems of ordinary differential equations by Runge–Kutta steps, with the error of the whole path controlled.

    Panels of time hold Legendre polynomials of degree 15 through the states at Chebyshev points, which the method of
    Dormand and Prince of order eight reaches with steps of its own; where a panel takes too many, the equations are
    stiff and an implicit method of order five takes over. The number of panels is doubled and the tolerance of a step
    divided by ten, until two paths agree to `rtol` in the relative $L_2$ norm. On chaotic systems that controls
    what a tolerance for each step does not.

    It solves equations over time alone that are solved for their highest derivatives, first or second order, with an
    initial value for each. Cost: proportional to the length of the path, and to `rtol` to the power -1/8.

    Args:
        rtol: relative difference of two successive paths.
        implicit: whether to take the implicit method from the start.

    Source: E. Hairer, S. P. Nørsett, G. Wanner, Solving Ordinary Differential Equations I (1993), II.5; A. Kværnø,
    doi:10.1023/B:BITN.0000046811.70614.38.
    """

    rtol: float = 1e-9
    implicit: bool = False

    def __post_init__(self) -> None:
        if not 1e-13 <= self.rtol <= 0.1:
            raise OptionError(f"rtol {self.rtol!r}", "a number from 1e-13 to 0.1", "leave it out for the default")

    def check(self, problem: Problem) -> list[str]:
        """Reasons why the problem is no system of ordinary differential equations with initial values."""
        if problem.space:
            return [f"it needs a problem over time alone, found {', '.join(x.name for x in problem.coordinates)}"]
        reasons = [f"it needs a number for parameter {p.name}" for p in problem.unknown_parameters]
        reasons += [f"it needs a function bound to law {symbol.name}" for symbol in problem.unbound_laws]
        reasons += [f"it needs equations solved for their rates, found {reason}" for reason in no_rates(problem)]
        if reasons:
            return reasons
        starts = _starts(problem, Rates.of(problem))
        missing = [f"it needs an initial value of {what}" for what, found in starts.items() if found is None]
        others = len(problem.placed_conditions) - len(starts)
        return missing or ([f"it needs initial values alone, found {others} other conditions"] if others else [])

    def run(self, problem: Problem, run: Run) -> Solution:
        """Solve a problem that passed `check`."""
        rates, began = Rates.of(problem), perf_counter()
        assert problem.time is not None
        name = problem.time.name
        low, high = (float(end) for end in problem.box.bounds[name])
        given = [start_value(c, {name: low}, problem.arguments) for c in _starts(problem, rates).values() if c]
        path = _Path(rates, jnp.asarray(np.stack(given), float), low, high, run)
        values, error, result = self._refined(path)
        names = tuple(repr(u) for u in problem.unknowns)
        stats = Stats(
            compile=path.compile, solve=perf_counter() - began - path.compile, iterations=path.steps,
            unknowns=0 if values is None else values[..., 0].size * len(names), extra={"error": error},
        )  # fmt: skip
        known = {n: Estimate(float(p.value)) for n, p in problem.parameters.items() if p.value is not None}
        representation = Nowhere(names)
        if values is not None:
            edges = jnp.linspace(low, high, len(values) + 1)
            coefficients = jnp.asarray(_legendre(values[..., : len(names)]))
            representation = PolynomialPanels(edges, coefficients, ((low, high),), name, (name,), (False,), names)
        return Solution(problem, repr(self), representation, result, known, stats)

    def _refined(self, path: _Path) -> tuple[np.ndarray | None, float, RESULTS]:
        """States `(panels, degrees, d)` of the last path that ended, how far from the one before, and the outcome."""
        panels, tolerance, implicit = _FEWEST, self.rtol, self.implicit
        before: np.ndarray | None = None
        error = float("inf")
        while panels <= _MOST:
            values, result = path.states(panels, tolerance, implicit)
            if result is RESULTS.max_steps_reached and not implicit:
                implicit = True
                continue
            if values is None:
                return before, error, result
            if before is not None:
                there = _halved(before)
                error = float(np.linalg.norm(there - values) / (np.linalg.norm(values) or 1.0))
                if error <= self.rtol:
                    return values, error, RESULTS.successful
            before, panels, tolerance = values, 2 * panels, max(tolerance / 10, _FINEST)
        return before, error, RESULTS.under_resolved


class _Path:
    """The same path on more and more panels, and what that cost."""

    def __init__(self, rates: Rates, start: jax.Array, low: float, high: float, run: Run) -> None:
        self.rates, self.start, self.low, self.high, self.run = rates, start, low, high, run
        self.compile, self.steps = 0.0, 0
        self._compiled: set[bool] = set()

    def states(self, panels: int, tolerance: float, implicit: bool) -> tuple[np.ndarray | None, RESULTS]:
        """States at the Chebyshev points of every panel `(panels, degrees, d)`, or None and why not."""
        self._compile(implicit)
        edges, state, parts = np.linspace(self.low, self.high, panels + 1), self.start, []
        for low, high in pairwise(edges):
            if self.run.callback is not None and self.run.callback({"t": float(low), "step": self.steps}):
                return None, RESULTS.interrupted
            if self.run.is_over:
                return None, RESULTS.budget_exhausted
            rows, steps, is_short = self._advance(state, low, high, tolerance, implicit)
            self.steps += int(steps)
            if is_short:
                return None, RESULTS.max_steps_reached
            if not np.isfinite(rows).all():
                return None, RESULTS.nonfinite
            parts.append(rows)
            state = jnp.asarray(rows[-1])
        return np.stack(parts), RESULTS.successful

    def _compile(self, implicit: bool) -> None:
        if implicit not in self._compiled:
            began = perf_counter()
            self._advance(self.start, self.low, self.low + 1e-9 * (self.high - self.low), 1e-3, implicit)
            self.compile += perf_counter() - began
            self._compiled.add(implicit)

    def _advance(self, state: Any, low: float, high: float, tolerance: float, implicit: bool) -> list[np.ndarray]:
        times = jnp.asarray(low + (high - low) * _NODES)
        return [np.asarray(part) for part in _advance(self.rates, state, times, jnp.asarray(tolerance), implicit)]


@eqx.filter_jit
def _advance(
    rates: Rates, state: jax.Array, times: jax.Array, tolerance: jax.Array, implicit: bool
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """States at all times, which are infinite where no step leads; steps, and whether there were too few of these."""
    controller = diffrax.PIDController(rtol=tolerance, atol=tolerance * 1e-3)
    found = diffrax.diffeqsolve(
        diffrax.ODETerm(lambda t, y, args: args(t, y, {})),
        diffrax.Kvaerno5() if implicit else diffrax.Dopri8(),
        times[0], times[-1], None, state, args=rates, saveat=diffrax.SaveAt(ts=times),
        stepsize_controller=controller,
        max_steps=_STEPS, throw=False,
    )  # fmt: skip
    assert found.ys is not None
    return found.ys, found.stats["num_steps"], found.result == diffrax.RESULTS.max_steps_reached


def _starts(problem: Problem, rates: Rates) -> dict[str, PlacedCondition | None]:
    """The condition that starts each component, by what it starts."""
    velocities = {rate_field(u).digest: u for u in problem.unknowns}
    stated = {(c.unknown.digest, c.kind): c for c in problem.placed_conditions if c.unknown is not None}
    found: dict[str, PlacedCondition | None] = {}
    for u in rates.unknowns:
        owner = velocities.get(u.digest)
        kind = ConditionKind.INITIAL if owner is None else ConditionKind.INITIAL_RATE
        found[repr(u)] = stated.get(((u if owner is None else owner).digest, kind))
    return found


def _legendre(values: np.ndarray) -> np.ndarray:
    """Coefficients `(panels, d, degrees)` of the polynomials through values `(panels, degrees, d)` at the nodes."""
    inverse = np.linalg.inv(np.polynomial.legendre.legvander(2 * _NODES - 1, _DEGREES - 1))
    return np.einsum("kn,pnd->pdk", inverse, values)


def _halved(values: np.ndarray) -> np.ndarray:
    """The same polynomials at the nodes of twice as many panels."""
    halves = [np.polynomial.legendre.legvander(_NODES - 1 + side, _DEGREES - 1) for side in (0, 1)]
    both = np.einsum("snk,pdk->psnd", np.stack(halves), _legendre(values))
    return both.reshape(-1, *values.shape[1:])
