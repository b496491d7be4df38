"""Newton's method on one grid after another, with the cheapest approximate inverse that works."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from sciml.results import RESULTS
from solvers.classical.krylov import NewtonOutcome, newton_krylov
from solvers.classical.spectral.assembly import direct_inverse
from solvers.classical.spectral.box_system import BoxSystem, Linearisation
from solvers.classical.spectral.separable import separable_inverse
from solvers.classical.spectral.time_inverse import time_inverse, time_order

Array = NDArray[np.float64]
Inverse = Callable[[Array], Array]

_SMALL = 400
_MOST_DIRECT = 4500
_MOST_IN_SPACE = 2000
_ROUND_OFF = 1e-9


@final
@dataclass
class NodeSolver:
    """Solves systems on similar grids in turn and remembers which inverse worked.

    Small systems are factorised whole. Others try the inverse that is direct in space (if space is small), the
    separable one, and where both fail the direct ones as far as size allows.

    Args:
        rtol: relative size of the correction at which Newton's method ends.
    """

    rtol: float
    iterations: int = 0
    products: int = 0
    _memory: dict[str, Any] = field(default_factory=dict)
    _preferred: Callable[[Linearisation], Inverse] | None = None

    def __call__(self, system: BoxSystem, guess: Array) -> NewtonOutcome:
        """Solve one system from a guess."""
        outcome = NewtonOutcome(guess, RESULTS.linear_solve_failed, np.inf, 0, 0)
        for failed, inverse in enumerate(self._inverses(system, system.linearise(guess))):
            outcome = self._newton(system, inverse, guess)
            if self.converged(outcome):
                self._preferred = inverse if failed else self._preferred
                break
        return outcome

    def converged(self, outcome: NewtonOutcome) -> bool:
        """Whether Newton's method met the tolerance, or round-off close to it."""
        met_round_off = outcome.result is RESULTS.stagnated and outcome.error <= max(10 * self.rtol, _ROUND_OFF)
        return outcome.result is RESULTS.successful or met_round_off

    def _in_time(self, map: Linearisation) -> Inverse:
        return time_inverse(map, self._memory)

    def _inverses(self, system: BoxSystem, map: Linearisation) -> list[Callable[[Linearisation], Inverse]]:
        """Inverses in the order in which they are tried, first the one that worked where others had failed."""
        in_space = system.size // system.grid.shape[0]
        usable: list[Callable[[Linearisation], Inverse]] = [separable_inverse]
        if time_order(map) and in_space <= _MOST_IN_SPACE:
            usable.insert(0 if in_space <= _SMALL else 1, self._in_time)
        if system.size <= _MOST_DIRECT and not system.form.gauges:  # a gauge leaves the matrix singular
            usable.insert(0 if system.size <= _SMALL else len(usable), direct_inverse)
        return sorted(usable, key=lambda inverse: inverse != self._preferred)

    def _newton(self, system: BoxSystem, inverse: Callable[[Linearisation], Inverse], guess: Array) -> NewtonOutcome:
        last: list[tuple[Array, Linearisation]] = []

        def linearised(values: Array) -> Linearisation:
            if not last or last[0][0] is not values:
                last[:] = [(values, system.linearise(values))]
            return last[0][1]

        try:
            outcome = newton_krylov(
                system.residual,
                lambda values, direction: linearised(values)(direction),
                lambda values: inverse(linearised(values)),
                guess,
                rtol=self.rtol,
            )
        except np.linalg.LinAlgError:
            outcome = NewtonOutcome(guess, RESULTS.linear_solve_failed, np.inf, 0, 0)
        self.iterations += outcome.iterations
        self.products += outcome.products
        return outcome
