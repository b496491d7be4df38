"""Outcomes of a computation. The value of each member is advice to the user."""

from __future__ import annotations

from enum import Enum, unique
from typing import final


@final
@unique
class RESULTS(Enum):
    """How a computation ended; `RESULTS.x.value` says what to do about it."""

    successful = "the solver met its tolerance."
    max_steps_reached = (
        "the step budget was used up before the tolerance was met: allow more steps, "
        "or accept the residual reported in `stats`."
    )
    budget_exhausted = (
        "the time budget was used up before the tolerance was met: raise `budget`, "
        "or accept the residual reported in `stats`."
    )
    stagnated = (
        "the iteration stopped improving above the tolerance: refine the resolution or the model, "
        "or start closer to the solution."
    )
    nonfinite = (
        "a NaN or infinity appeared: reduce the step, check the coefficients for singular points, "
        "or use single precision nowhere."
    )
    linear_solve_failed = "the linear system is singular to working precision: check for a missing condition or gauge."
    under_resolved = (
        "the solution carries energy at the finest resolved scale: raise the resolution; the error may be large."
    )
    interrupted = "the run was stopped by a callback; what was computed so far is returned."

    @property
    def is_success(self) -> bool:
        """True when the returned fields may be trusted to the solver's tolerance."""
        return self is RESULTS.successful

    @property
    def has_solution(self) -> bool:
        """True when finite fields were returned, even if the tolerance was not met."""
        return self not in (RESULTS.nonfinite, RESULTS.linear_solve_failed)
